# Classes of arrays, hashes, strings, structs, exceptions and sets have versions as those of plain objects do: members of structs
# go by name, abort takes all back; a migration tells how far it is and goes on where it was stopped.  Objects become others of
# their layout with class and singleton methods; what becomes of an object elsewhere is seen by the next call.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e '
Maglev.persistent do
  class List < Array; attr_accessor :tag; end
  class Table < Hash; end
  class Text < String; end
  class Fault < StandardError; end
  class Group < Set; end
  Pair = Struct.new(:x, :y)
  Point = Data.define(:a, :b)
end
list = List[1, 2]
list.tag = :tag
Maglev[:all] = [list, Table[1, 2], Text.new("short"), Text.new("long" * 20), Fault.new("m"), Group[1], Pair.new(1, 2), Point.new(1, 2)]
Maglev[:pairs] = Array.new(30) { |i| Pair.new(i, -i) }
Maglev.commit'
session_open a
session_open b
versions='Maglev.persistent do
  List.maglev_redefine { class List < Array; attr_accessor :tag; def v = 2; end }
  Table.maglev_redefine { class Table < Hash; def v = 2; end }
  Text.maglev_redefine { class Text < String; def v = 2; end }
  Fault.maglev_redefine { class Fault < StandardError; def v = 2; end }
  Group.maglev_redefine { class Group < Set; def v = 2; end }
  Pair.maglev_redefine { Pair = Struct.new(:y, :z, :x) { def v = 2 } }
  Point.maglev_redefine { Point = Data.define(:b, :c) { def v = 2 } }
end'
echo "$versions" >versions.rb
shown='Maglev[:all].map { |o| [o.inspect[0, 26], (o.v rescue 1)] }'
before='=> [["[1, 2]", 1], ["{1 => 2}", 1], ["\"short\"", 1], ["\"longlonglonglonglonglongl", 1], ["#<Fault: m>", 1], ["#<Group: [1]>", 1], ["#<struct Pair x=1, y=2>", 1], ["#<data Point a=1, b=2>", 1]]'
after='=> [["[1, 2]", 2], ["{1 => 2}", 2], ["\"short\"", 2], ["\"longlonglonglonglonglongl", 2], ["#<Fault: m>", 2], ["#<Group: [1]>", 2], ["#<struct Pair y=2, z=nil, ", 2], ["#<data Point b=2, c=nil>", 2]]'
said "$before" a "$shown"
said "$before" b "$shown"
session a "load '$PWD/versions.rb'" >/dev/null
said "$after" a "$shown"
session a 'Maglev.abort' >/dev/null
said "$before" a "$shown"
said '=> ArgumentError' a 'begin; Pair.maglev_redefine { class Pair < Array; end }; rescue ArgumentError => e; e.class; end'
session a 'Maglev.abort' >/dev/null
session a "load '$PWD/versions.rb'; Maglev.commit" >/dev/null
said "$before" b "$shown"
session b 'Maglev.abort' >/dev/null
said "$after" b "$shown"
said '=> [:tag, [1, 2], {1 => 2}]' b 'l = Maglev[:all]; l[6].z = 3; Maglev.commit; [l[0].tag, l[6].values_at(2, 0), l[1]]'
# stopped by an exception, by its death; who goes on does the rest
old='Pair.class_history[0]'
said '=> [:stopped, [[10, 30], [20, 30]], 10]' a "Maglev.abort; steps = []; seen = 0; stopped = begin; Maglev.migrate_instances($old, chunk: 10, progress: ->(*s) { steps << s }) { raise 'stop' if (seen += 1) > 20 }; rescue RuntimeError; :stopped; end; Maglev.abort; [stopped, steps, Maglev.count_instances($old, subclasses: false)]"
lode -e "seen = 0; Maglev.migrate_instances($old, chunk: 2) { Process.kill(:KILL, Process.pid) if (seen += 1) > 4 }" 2>/dev/null && die "not killed"
said '=> [6, [2, 4, 6], 0, 31]' b "Maglev.abort; steps = []; [Maglev.migrate_instances($old, chunk: 2, progress: ->(n, of) { steps << n }), steps, Maglev.count_instances($old, subclasses: false), Maglev.count_instances(Pair)]"
session_close a
session_close b

# become, and singleton methods, seen by who held the objects before
prints '' lode -e '
a, b = List[1], [2, 3]
a.tag = 5
Maglev.persistent { def b.hi = "hi #{self}" }
Maglev[:a], Maglev[:b], Maglev[:plain], Maglev[:text] = a, b, Object.new, "text"
Maglev.commit'
session_open a
session_open b
said '=> ["hi [2, 3]", 5]' b 'A, B, P, T = Maglev[:a], Maglev[:b], Maglev[:plain], Maglev[:text]; T.size; P.frozen?; [B.hi, A.tag]'
said '=> ["hi [2, 3]", Array, List, 5, [1]]' a 'a, b = Maglev[:a], Maglev[:b]; a.become(b); [a.hi, a.class, b.class, b.tag, b]'
said '=> ["hi [2, 3]", 5, List]' a 'Maglev.abort; [b.hi, a.tag, a.class]'
said '=> true' a 'a.become(b); Maglev.persistent { p = Maglev[:plain]; t = Maglev[:text]; def p.hi = 1; def t.hi = 2 }; Maglev.commit'
said '=> ["hi [2, 3]", 5, 1, 2, true]' b 'Maglev.abort; [A.hi, B.tag, P.hi, T.hi, List === B]'
session_close a
session_close b
prints '["hi [2, 3]", Array, 5, [1], 1, 2]' lode -e 'a, b = Maglev[:a], Maglev[:b]; p [a.hi, a.class, b.tag, b, Maglev[:plain].hi, Maglev[:text].hi]'
