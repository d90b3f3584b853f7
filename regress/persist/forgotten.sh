# A clean object that nothing in memory refers to any more is collected, young or old, alone or with all its neighbours;
# who meets its reference again reads it anew, and finds what the store has.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev.persistent { class Item; attr_reader :n; def initialize(n) = @n = n; end }
Maglev[:list] = Array.new(200) { |i| Item.new("item #{i}") }
Maglev.commit'
cat >forget.rb <<'RUBY'
def drop(list, step, seen) = list.each_with_index { |item, i| seen[item] = i; list[i] = nil if item.n == "item #{i}" && i % step == 0 }
list = Maglev[:list]
[false, true].product([1, 3, 50]).each do |full, step|
  seen = ObjectSpace::WeakMap.new
  drop(list, step, seen)
  GC.start(full_mark: full)
  gone = 200 - seen.size
  garbage = Array.new(2000) { +"something else" } # takes the places of the dead
  Maglev.abort
  p [full, step, gone * step > 50, list.map(&:n) == Array.new(200) { |i| "item #{i}" }, list.uniq.size, garbage.size]
end
RUBY
prints '[false, 1, true, true, 200, 2000]
[false, 3, true, true, 200, 2000]
[false, 50, true, true, 200, 2000]
[true, 1, true, true, 200, 2000]
[true, 3, true, true, 200, 2000]
[true, 50, true, true, 200, 2000]' lode forget.rb
