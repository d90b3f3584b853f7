# IdentitySet, IdentityHash and OrderedCollection: their methods, in the store, and what two sessions may do to one at once.
. "$LODE_TOP/regress/lib.sh"
cat >methods.rb <<'RUBY'
a, b, c = "x", "x".dup, :c
set = IdentitySet.new
p set.add(a).equal?(set), set << b << c, set.add(a).size, set.add?(a), set.add?(nil), set.add(nil).size, set.add?(1).equal?(set)
p set.include?(a), set.member?("x".dup), set.length, set.empty?, IdentitySet.new.empty?
p set.remove(1), set.delete?(1), set.pop(:none), set.delete(1).equal?(set)
other = IdentitySet.with_all([b, c, :d])
p set & other, set | other, set + other, set - other, set == IdentitySet.with_all(c, b, a), set == other, set == [a, b, c]
p set.subset?(set | other), set.superset?(other), (set | other).proper_superset?(set), set.proper_subset?(set)
p [1, 2, 3].then { |l| s = IdentitySet.with_all(l); [s.sum { |n| n * 2 }, s.avg { |n| n }, s.group_by(&:odd?), s.select(&:odd?), s.map { |n| n + 1 },
   s.reject(&:odd?), s.inject { |m, n| m * n }, s.find { |n| n > 1 }, s.count, s.count(2), s.count(&:odd?), s.all?(Integer), s.any? { |n| n > 3 }] }
p set.dup.delete_if { |e| e == "x" }, set, set.dup.clear, set.dup.subtract([a, c]).to_a, (IdentitySet.with_all("s") rescue $!.class)
loop_ = IdentitySet.new
loop_ << loop_
p loop_
h = IdentityHash.new
h[a] = 1
h[b] = 2
p h.size, h[a], h["x".dup], h.compare_by_identity?, (h.public_send(:default=, 1) rescue $!.message), IdentityHash.from_hash({a: 1}), IdentityHash[a, 1].class
l = OrderedCollection.new
l << 1 << 2 << 3 << 2
p l, l.size, l.last, l[1], l.delete(2), l.delete(9), l.to_a, l.reverse_each.to_a, l.each { }.equal?(l), l.include?(3)
l.reverse_each_with_index { |x, i| print x, i, " " }
puts
l.size = 1
p l, l.clear, l.empty?
RUBY
expected='true
#<IdentitySet: {"x", "x", :c, 1}>
3
nil
nil
3
true
true
false
4
false
true
1
nil
nil
true
#<IdentitySet: {"x", :c}>
#<IdentitySet: {"x", "x", :c, :d}>
#<IdentitySet: {"x", "x", :c, :d}>
#<IdentitySet: {"x"}>
true
false
false
true
false
true
false
[12, 2.0, {true => #<IdentitySet: {1, 3}>, false => #<IdentitySet: {2}>}, [1, 3], [2, 3, 4], [2], 6, 2, 3, 1, 2, true, false]
#<IdentitySet: {:c}>
#<IdentitySet: {"x", "x", :c}>
#<IdentitySet: {}>
["x"]
TypeError
#<IdentitySet: {#<IdentitySet: {...}>}>
2
1
nil
true
"non-nil default value not supported by IdentityHash"
{a: 1}
IdentityHash
#<OrderedCollection [1, 3, 2]>
4
2
2
2
nil
[1, 3, 2]
[2, 3, 1]
true
true
22 31 10 
#<OrderedCollection []>
#<OrderedCollection []>
true'
prints "$expected" lode methods.rb

prints '' lode -e '
one, two = "one", "two"
Maglev[:elements] = [one, two, "three", "four"]
Maglev[:set] = IdentitySet.with_all(one, two)
(Maglev[:hash] = IdentityHash.new)[one] = 1
Maglev[:list] = OrderedCollection.new([one, two])
Maglev[:kept] = Class
Maglev.persistent { class Flock < IdentitySet; attr_accessor :name; end }
Maglev[:flock] = Flock.new.add(one).tap { |f| f.name = "geese" }
Maglev.commit'
kill_everything
prints '[true, true, false, 2, 1, nil, ["one", "two"], true, ["geese", Flock, 1]]' lode -e '
r, e = Maglev.root, Maglev[:elements]
p [r[:set].include?(e[0]), r[:hash].compare_by_identity?, r[:set].include?("one".dup), r[:set].size, r[:hash][e[0]], r[:hash]["one".dup],
   r[:list].to_a, r[:list][1].equal?(e[1]), [r[:flock].name, r[:flock].class, r[:flock].size]]'

session_open a
session_open b
both() { # both CODE-A CODE-B ANSWER-OF-B'S-COMMIT: two transactions at once
    for s in a b; do session $s 'Maglev.abort; S, E, L = Maglev[:set], Maglev[:elements], Maglev[:list]; $VERBOSE = nil' >/dev/null; done
    session a "$1" >/dev/null
    session b "$2" >/dev/null
    said '=> true' a 'Maglev.commit'
    said "=> $3" b 'begin; Maglev.commit; rescue Maglev::CommitFailedException => e; c = e.transaction_conflicts[0]; [c[:kind], c[:object].class]; end'
}
both 'S << E[2]' 'S << E[3]; S.delete(E[1])' true
said '=> ["one", "three", "four"]' b 'S.to_a'
both 'S << E[1]' 'S << E[1]' true
both 'S.delete(E[1])' 'S.delete(E[1])' true
both 'S.remove(E[2])' 'S.remove(E[2])' '[:reduced_conflict, IdentitySet]'
both 'S.add?(E[1])' 'S.add?(E[1])' '[:reduced_conflict, IdentitySet]'
both 'S.delete(E[1])' 'S << E[1]' true
said '=> ["one", "four"]' b 'Maglev.abort; S.to_a'
both 'L << 1' 'L << 2 << 3' true
said '=> ["one", "two", 1, 2, 3]' b 'L.to_a'
both 'L << 4; L.delete(1)' 'L.delete(2)' true
said '=> ["one", "two", 3, 4]' b 'L.to_a'
both 'L.delete(3)' 'L.delete(3)' '[:reduced_conflict, OrderedCollection]'
both 'L << 5' 'L.size = 1' '[:reduced_conflict, OrderedCollection]'
session_close a
session_close b
