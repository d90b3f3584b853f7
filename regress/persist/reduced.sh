# Reduced-conflict objects: many sessions change one at once, no commit fails, totals are exact, a queue stays first in
# first out; what can't be replayed is a conflict that says so; Module#merge_conflict.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e '
Maglev.persistent do
  class Pair
    attr_accessor :left, :right
    def initialize = @left = @right = 0
    merge_conflict do |base, mine|
      return false if mine.left != base.left && left != base.left
      self.left = mine.left unless mine.left == base.left
      self.right += mine.right - base.right
      true
    end
  end
end
Maglev[:counter] = RCCounter.new
Maglev[:map] = RCHash.new
Maglev[:queue] = RCQueue.new
Maglev[:bag] = RCBag.new
Maglev[:pair] = Pair.new
Maglev[:plain] = [0]
Maglev.commit'
session_open a
session_open b
both() { # both CODE-A CODE-B ANSWER-OF-B'S-COMMIT: two transactions at once
    session a 'Maglev.abort' >/dev/null
    session b 'Maglev.abort' >/dev/null
    session a "$1" >/dev/null
    session b "$2" >/dev/null
    said '=> true' a 'Maglev.commit'
    said "=> $3" b 'begin; Maglev.commit; rescue Maglev::CommitFailedException => e; c = e.transaction_conflicts[0]; [c[:kind], c[:object].class]; end'
}
both 'Maglev[:counter].increment_by(5)' 'Maglev[:counter].increment.decrement_by(3)' true
said '=> [3, false]' b '[Maglev[:counter].value, Maglev.needs_commit]'
both 'Maglev[:counter].decrement_by(2, 0) { :low }' 'Maglev[:counter].decrement_by(2, 0) { :low }' '[:reduced_conflict, Maglev::Counter]'
said '=> [1, :low]' b 'Maglev.abort; [Maglev[:counter].value, Maglev[:counter].decrement_by(2, 0) { :low }]'
both 'Maglev[:map][:x] = 1; Maglev[:map]["s"] = "t"' 'Maglev[:map][:y] = 2; Maglev[:map].delete(:none)' true
said '=> {x: 1, "s" => "t", y: 2}' b 'Maglev[:map].to_h'
both 'Maglev[:map][:x] = 3' 'Maglev[:map][:x] = 4' '[:reduced_conflict, Maglev::Map]'
both 'Maglev[:map].delete(:x)' 'Maglev[:map]["s"] << "u"; Maglev[:map][:z] = 5' true
said '=> {"s" => "tu", y: 2, z: 5}' b 'Maglev[:map].to_h'
both 'Maglev[:queue] << 1 << 2' 'Maglev[:queue].push(3)' true
said '=> [1, 2, 3]' b 'Maglev[:queue].to_a'
both 'Maglev[:queue].shift' 'Maglev[:queue] << 4 << 5' true
both 'Maglev[:queue] << 6' 'Maglev[:queue].shift' true
said '=> [3, 4, 5, 6]' b 'Maglev[:queue].to_a'
both 'Maglev[:queue].shift' 'Maglev[:queue].shift' '[:reduced_conflict, Maglev::Queue]'
both 'Maglev[:bag] << "e" << "f"' 'Maglev[:bag] << "e"' true
both 'Maglev[:bag].remove("e")' 'Maglev[:bag].remove("e")' true
said '=> ["f"]' b 'Maglev[:bag].to_a'
both 'Maglev[:bag].remove("f")' 'Maglev[:bag].remove("f")' '[:reduced_conflict, Maglev::Bag]'
both 'Maglev[:pair].left = 7; Maglev[:pair].right += 1' 'Maglev[:pair].right += 10' true
said '=> [7, 11]' b '[Maglev[:pair].left, Maglev[:pair].right]'
both 'Maglev[:pair].left = 8' 'Maglev[:pair].left = 9' '[:reduced_conflict, Pair]'
# the block may raise; it may not end the transaction.  Then nothing of it is done
refused() { # what the block does, what the commit raises
    session a 'Maglev.abort' >/dev/null
    session b "Maglev.abort; class Pair; merge_conflict { |base, mine| $1; true }; end; Maglev[:pair].left = 100" >/dev/null
    said '=> true' a 'Maglev[:pair].left += 1; Maglev.commit'
    said "=> [$2, 1, true]" b 'r = begin; Maglev.commit; rescue => e; e.class; end; [r, Maglev.transaction_level, Maglev.abort && Maglev[:pair].left < 100]'
}
refused 'raise ArgumentError' ArgumentError
refused 'Maglev.abort' Maglev::ImproperOperation
refused 'Maglev.begin' Maglev::ImproperOperation
refused 'Maglev.begin_nested_transaction' Maglev::ImproperOperation
refused 'Maglev.transaction_mode = :transactionless' Maglev::ImproperOperation
refused 'Maglev.commit' Maglev::CommitFailedException
said '=> 1' b 'class Pair; remove_method :__merge_conflict; end; 1'
# a plain object that clashes as well makes the whole a conflict, and nothing of it is done
both 'Maglev[:counter].increment; Maglev[:plain][0] += 1' 'Maglev[:counter].increment; Maglev[:plain][0] += 1' '[:write_write, Array]'
# what reduces conflicts moves the view, but not past a change of something else that this session changed
both 'Maglev[:counter].increment' 'Maglev[:counter].increment; Maglev[:plain][0] += 1' true
said '=> [4, 2]' b '[Maglev[:counter].value, Maglev[:plain][0]]'
said '=> 14' a 'Maglev.abort; Maglev[:counter].increment_by(10).value'
session a 'Maglev.abort' >/dev/null
said '=> 4' a 'Maglev.commit; Maglev[:counter].value'
# an inner transaction that is aborted takes its operations along
both 'Maglev[:counter].increment' 'Maglev[:counter].increment; Maglev.begin_nested_transaction; Maglev[:counter].increment_by(100); Maglev[:queue] << 9; Maglev.abort; Maglev.begin_nested_transaction; Maglev[:counter].increment_by(10); Maglev.commit' true
said '=> [16, [4, 5, 6]]' b '[Maglev[:counter].value, Maglev[:queue].to_a]'
session_close a
session_close b

cat >work.rb <<'RUBY'
me = ARGV[0].to_i
50.times do |i|
  Maglev[:counter].increment
  Maglev[:map][me * 1000 + i] = i
  Maglev[:queue] << [me, i]
  Maglev[:bag] << i % 3
  Maglev.commit
end
RUBY
prints '' lode -e 'Maglev[:counter] = RCCounter.new; Maglev[:map] = RCHash.new; Maglev[:queue] = RCQueue.new; Maglev[:bag] = RCBag.new; Maglev.commit'
for i in 1 2 3 4 5 6; do
    lode work.rb $i &
    pids="$pids $!"
done
cat >consume.rb <<'RUBY'
got = []
while got.size < 300
  x = Maglev[:queue].shift
  got << x if x
  Maglev.commit
  sleep 0.001 unless x
end
p got.group_by(&:first).transform_values { |l| l.map(&:last) == (0...50).to_a }.sort
RUBY
prints '[[1, true], [2, true], [3, true], [4, true], [5, true], [6, true]]' lode consume.rb
for p in $pids; do wait "$p" || die "a worker failed with $?"; done
prints '[300, 300, 0, [102, 102, 96]]' lode -e 'p [Maglev[:counter].value, Maglev[:map].size, Maglev[:queue].size, [0, 1, 2].map { |i| Maglev[:bag].occurrences_of(i) }]'
