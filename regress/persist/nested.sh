# Nested transactions: an inner abort undoes what the inner level changed and nothing else; an inner commit becomes part of the
# level around it; 16 levels; at the end one commit, or none.
. "$LODE_TOP/regress/lib.sh"
cat >t.rb <<'RUBY'
def show(title)
  r = Maglev[:r]
  puts "#{title}: level #{Maglev.transaction_level} " \
       "#{r.transform_values { |v| v.is_a?(Item) ? [v.name, v.other&.name, v.instance_variables] : v }.inspect}"
end
Maglev.persistent do
  Object.class_eval <<~CLASS
    class Item
      attr_accessor :name, :other
      def initialize(name) = @name = name
    end
  CLASS
end
Maglev[:r] = { a: [1], s: +"one", h: { x: 1 }, i: Item.new("i"), n: 0 }
Maglev.commit
r = Maglev[:r]
show "start"
# the outer level changes, adds, and holds an object that no commit has seen
r[:a] << 2
r[:fresh] = ["made outside"]
r[:i].other = Item.new("j")
loose = r[:i].other
Maglev.begin_nested_transaction
r[:a] << 3
r[:s] << " two"
r[:h][:y] = [r[:h]]
r[:fresh] << "changed inside"
r[:i].name = "changed"
r[:i].other.name = "changed, too"
r[:i].instance_variable_set(:@extra, 1)
r[:inner] = Item.new("inner")
r.delete(:n)
r[:h].freeze
show "inside"
Maglev.begin_nested_transaction
r[:a] << 4
r[:inner].name = "deeper"
r[:s].replace("three")
Maglev.begin_nested_transaction
r[:a].clear
Maglev.commit
show "committed level 4"
Maglev.abort
show "aborted level 3"
r[:a] << 33
Maglev.begin_nested_transaction
r[:a] << 34
r[:h2] = r[:h].dup
Maglev.commit
show "again"
Maglev.abort
show "aborted level 2"
p loose.name, r[:i].other.equal?(loose), r[:h].frozen?
Maglev.commit
p Maglev.transaction_level, Maglev.needs_commit
show "committed"
# deeper than allowed
15.times { Maglev.begin_nested_transaction }
begin
  Maglev.begin_nested_transaction
rescue Maglev::ImproperOperation => e
  puts e.message
end
r[:deep] = 16
begin
  Maglev.continue_transaction
rescue Maglev::ImproperOperation => e
  puts e.message
end
15.times { Maglev.commit }
Maglev.commit
# whether an object may be saved is asked by the outer commit
class Own; attr_accessor :v; end
r[:own] = Own.new
Maglev.begin_nested_transaction
r[:own].v = 1
r[:n] = 5
Maglev.abort
p r[:own].v, r[:n]
begin
  Maglev.commit
rescue TransactionError => e
  puts e.message[/Own can't/]
end
r.delete(:own)
# definitions
Maglev.persistent { class Item; def hello = "outer"; end; class String; def shout = upcase; end }
Maglev.begin_nested_transaction
Maglev.persistent { class Item; def hello = "inner"; def gone = 1; end; class String; def whisper = downcase; end; class Array; def second = self[1]; end }
p Item.new("x").hello, "Ab".whisper, [1, 2].second
Maglev.abort
p Item.new("x").hello, "Ab".shout, Item.method_defined?(:gone), "".respond_to?(:whisper), [].respond_to?(:second)
Maglev.commit
# a block in a block
Maglev.transaction do
  r[:n] = 1
  begin
    Maglev.transaction { r[:n] = 2; r[:a] << 9; raise "inner" }
  rescue => e
    puts e.message
  end
  p r[:n], r[:a]
  Maglev.transaction { r[:n] += 10 }
end
# the outer abort drops what the inner commits did
Maglev.begin_nested_transaction
r[:n] = 99
r[:late] = [[1]]
kept = r[:late]
Maglev.commit
r[:late] << [2]
Maglev.abort
p r[:n], r.key?(:late), kept
kept << [3]
p kept
show "end"
RUBY
cat >want <<'TEXT'
start: level 1 {a: [1], s: "one", h: {x: 1}, i: ["i", nil, [:@name]], n: 0}
inside: level 2 {a: [1, 2, 3], s: "one two", h: {x: 1, y: [{...}]}, i: ["changed", "changed, too", [:@name, :@other, :@extra]], fresh: ["made outside", "changed inside"], inner: ["inner", nil, [:@name]]}
committed level 4: level 3 {a: [], s: "three", h: {x: 1, y: [{...}]}, i: ["changed", "changed, too", [:@name, :@other, :@extra]], fresh: ["made outside", "changed inside"], inner: ["deeper", nil, [:@name]]}
aborted level 3: level 2 {a: [1, 2, 3], s: "one two", h: {x: 1, y: [{...}]}, i: ["changed", "changed, too", [:@name, :@other, :@extra]], fresh: ["made outside", "changed inside"], inner: ["inner", nil, [:@name]]}
again: level 2 {a: [1, 2, 3, 33, 34], s: "one two", h: {x: 1, y: [{...}]}, i: ["changed", "changed, too", [:@name, :@other, :@extra]], fresh: ["made outside", "changed inside"], inner: ["inner", nil, [:@name]], h2: {x: 1, y: [{x: 1, y: [...]}]}}
aborted level 2: level 1 {a: [1, 2], s: "one", h: {x: 1}, i: ["i", "j", [:@name, :@other]], n: 0, fresh: ["made outside"]}
"j"
true
false
1
false
committed: level 1 {a: [1, 2], s: "one", h: {x: 1}, i: ["i", "j", [:@name, :@other]], n: 0, fresh: ["made outside"]}
a transaction can be nested 16 levels deep, not deeper
the view can't move inside a nested transaction
nil
0
Own can't
"inner"
"ab"
2
"outer"
"AB"
false
false
false
inner
1
[1, 2]
11
false
[[1], [2]]
[[1], [2], [3]]
end: level 1 {a: [1, 2], s: "one", h: {x: 1}, i: ["i", "j", [:@name, :@other]], n: 11, fresh: ["made outside"], deep: 16}
TEXT
for mode in "" ${LODE_MODES:-evacuate:7 hollow:3}; do
    rm -rf "$LODE_STORE"
    LODE_HEAP_MODE=$mode lode --solo t.rb 2>&1 | sanitized >got
    diff want got || die "nested transactions, heap mode ${mode:-plain}"
done
prints '{a: [1, 2], n: 11, deep: 16}' lode --solo -e 'p Maglev[:r].slice(:a, :n, :deep)'
