# Every kind of value comes back as it was committed, in another process and after a crash; what can't be saved says so, and how
# it was reached.
. "$LODE_TOP/regress/lib.sh"
cat >write.rb <<'RUBY'
Maglev.persistent do
  class Pair
    attr_accessor :a
    def initialize(a = 1) = @a = a
    def hi(x) = [x, @a]
  end
  Point = Struct.new(:x, :y) { def sum = x + y }
  Fact = Data.define(:p, :q)
  class Oops < StandardError
    attr_reader :z
    def initialize(m, z) = (super(m); @z = z)
  end
  class Text < String; attr_accessor :z; end
  class List < Array; attr_accessor :z; end
  class Dict < Hash; attr_accessor :z; end
end
r = Maglev.root
n = 10
r[:proc] = proc { |x| n + x }
r[:lambda] = ->(x, y = 2, *rest, k: 3, **o, &b) { [x, y, rest, k, o] }
r[:methods] = [Pair.new(5).method(:hi), Pair.instance_method(:hi), [3, 1].method(:sort), Array.instance_method(:sort)]
r[:composed] = [:upcase.to_proc >> ->(x) { x + "!" }, ->(a, b, c) { a + b + c }.curry[1], [1, 2].method(:push).to_proc]
r[:ranges] = [1..3, "a"..."f", (1..), (..5), 1.0..2.0]
r[:structs] = [Point.new(1, 2), Fact.new(p: 1, q: "x"), Set[1, :a, "s"]]
r[:times] = [Time.at(1, 5), Time.utc(2020, 1, 2, 3, 4, 5.5r), Time.new(2020, 1, 1, 0, 0, 0, "+05:30")]
r[:errors] = [(raise Oops.new("boom", 7) rescue $!), (begin; begin; 1 / 0; rescue; raise "x"; end; rescue => e; e; end)]
r[:numbers] = [2**100, -(2**200), 3r / 4, Complex(1r / 3, 2.5), 1.5, 1e300, -0.0, Float::NAN, Float::INFINITY, 1 << 62, -(1 << 62)]
r[:strings] = ["héllo", "h\xe9".b, "abc".encode("UTF-16LE"), "x".dup.force_encoding("ISO-8859-1"), "日本".encode("EUC-JP"), "bad\xff"]
r[:symbols] = [:é, :"b c", :a=, nil, true, false]
r[:defaults] = [Hash.new { |h, k| h[k] = k.to_s * 2 }, Hash.new(5), {}.compare_by_identity.tap { |h| h["a"] = 1; h["a".dup] = 2 }]
r[:frozen] = ["a".freeze, [1].freeze, { a: 1 }.freeze, Pair.new.freeze, "b".dup, [2]]
cycle = []
cycle << cycle << { list: cycle }
r[:cycle] = cycle
shared = "one"
r[:identity] = [shared, [shared], { k: shared }]
r[:patterns] = [/a(b)+/ix, /\u3042/, Regexp.new("x", Regexp::MULTILINE), "hello world".match(/(?<w>w\w+)/)]
r[:classes] = [Pair, Comparable, String, Pair.singleton_class, Encoding::EUC_JP]
r[:enumerators] = [[1, 2, 3].each_slice(2), (1..Float::INFINITY).lazy.map { |x| x * 2 }, 1.step(10, 3), (1..10) % 2]
r[:binding] = binding
r[:sync] = [Mutex.new, Queue.new.tap { |q| q << 1 }, ConditionVariable.new]
single = Object.new
Maglev.persistent { def single.foo = 42 }
mixed = "str".dup
Maglev.persistent { mixed.extend(Comparable) }
r[:singles] = [single, mixed]
text = Text.new("t"); text.z = 1
list = List.new([1]); list.z = 2
dict = Dict.new; dict[1] = 2; dict.z = 3
plain = "abc".dup; plain.instance_variable_set(:@q, 9)
r[:subclasses] = [text, list, dict, plain]
r[:env] = [ENV, self, $stderr.class]
Maglev.commit
RUBY
cat >read.rb <<'RUBY'
r = Maglev.root
p r[:proc].call(5), [r[:lambda].call(1), r[:lambda].lambda?, r[:lambda].arity]
m = r[:methods]
p [m[0].call(2), m[0].owner, m[1].bind(Pair.new(9)).call(1), m[2].call, m[3].bind([2, 1]).call]
c = r[:composed]
p [c[0].call("a"), c[1][2][3], c[2].call(4)]
p r[:ranges], r[:structs], r[:structs][0].sum, r[:structs][2].include?("s")
p r[:times], r[:times].map { |t| [t.utc_offset, t.nsec] }
e = r[:errors]
p [e[0].class, e[0].message, e[0].z, e[0].backtrace.size, e[1].cause.class, e[1].cause.backtrace[0][/write.rb:\d+/]]
p r[:numbers], r[:strings].map { |s| [s.encoding, s.bytes, s.valid_encoding?] }, r[:symbols].map(&:inspect)
d = r[:defaults]
p [d[0][3], d[0], d[1][:z], d[2].compare_by_identity?, d[2].size]
p r[:frozen].map(&:frozen?), [r[:cycle][0].equal?(r[:cycle]), r[:cycle][1][:list].equal?(r[:cycle])]
i = r[:identity]
p [i[0].equal?(i[1][0]), i[0].equal?(i[2][:k]), i[0].object_id == i[1][0].object_id]
p r[:patterns], [r[:patterns][0] =~ "xABB", r[:patterns][3][:w], r[:patterns][3].pre_match]
p r[:classes], r[:classes][0].equal?(Pair), r[:classes][4].equal?(Encoding::EUC_JP)
n = r[:enumerators]
p [n[0].next, n[0].to_a, n[1].first(2), n[2].to_a, n[3].to_a]
p r[:binding].local_variable_get(:n), [r[:sync][0].synchronize { 1 }, r[:sync][1].pop]
p [r[:singles][0].foo, r[:singles][1].singleton_class.include?(Comparable)]
s = r[:subclasses]
p s, s.map(&:class), [s[0].z, s[1].z, s[2].z, s[3].instance_variable_get(:@q)], r[:env][0].equal?(ENV), r[:env][1].equal?(self)
RUBY
expected='15
[[1, 2, [], 3, {}], true, -2]
[[2, 5], Pair, [1, 9], [1, 3], [1, 2]]
["A!", 6, [1, 2, 4]]
[1..3, "a"..."f", 1.., ..5, 1.0..2.0]
[#<struct Point x=1, y=2>, #<data Fact p=1, q="x">, Set[1, :a, "s"]]
3
true
[1970-01-01 00:00:01.000005 +0000, 2020-01-02 03:04:05.5 UTC, 2020-01-01 00:00:00 +0530]
[[0, 5000], [0, 500000000], [19800, 0]]
[Oops, "boom", 7, 1, ZeroDivisionError, "write.rb:26"]
[1267650600228229401496703205376, -1606938044258990275541962092341162602522202993782792835301376, (3/4), ((1/3)+2.5i), 1.5, 1.0e+300, -0.0, NaN, Infinity, 4611686018427387904, -4611686018427387904]
[[#<Encoding:UTF-8>, [104, 195, 169, 108, 108, 111], true], [#<Encoding:BINARY (ASCII-8BIT)>, [104, 233], true], [#<Encoding:UTF-16LE>, [97, 0, 98, 0, 99, 0], true], [#<Encoding:ISO-8859-1>, [120], true], [#<Encoding:EUC-JP>, [198, 252, 203, 220], true], [#<Encoding:UTF-8>, [98, 97, 100, 255], false]]
[":é", ":\"b c\"", ":a=", "nil", "true", "false"]
["33", {3 => "33"}, 5, true, 2]
[true, true, true, true, false, false]
[true, true]
[true, true, true]
[/a(b)+/ix, /\u3042/, /x/m, #<MatchData "world" w:"world">]
[1, "world", "hello "]
[Pair, Comparable, String, #<Class:Pair>, #<Encoding:EUC-JP>]
true
true
[[1, 2], [[1, 2], [3]], [2, 4], [1, 4, 7, 10], [1, 3, 5, 7, 9]]
10
[1, 1]
[42, true]
["t", [1], {1 => 2}, "abc"]
[Text, List, Dict, String]
[1, 2, 3, 9]
true
true'
prints '' lode write.rb
mv write.rb gone.rb
prints "$expected" lode read.rb
kill_everything
prints "$expected" lode read.rb
# What can't be saved
refused() { # code, words of the message in order
    exits 0 lode -e "begin; Maglev[:bad] = [1, {k: $1}]; Maglev.commit; rescue TransactionError => e; puts e.message, e.object.class, e.path; Maglev.abort; p Maglev[:bad]; end"
    contains "the path to $1" "PERSISTENT_ROOT[:bad] -> #<Array>[1] -> #<Hash>[:k] -> " "$out"
    contains "the reason for $1" "$2" "$out"
    contains "abort after $1" "nil" "$out"
}
refused '$stdout' "#<IO>"
refused 'Thread.new { 1 }' "#<Thread>"
refused 'Fiber.new { 1 }' "#<Fiber>"
refused 'Random.new(1)' "#<Random>"
refused '(m = Mutex.new; m.lock; m)' "#<Thread::Mutex>.@owner -> #<Thread>"
refused '(m = Monitor.new; m.enter; m)' "#<Monitor>.@mutex -> #<Thread::Mutex>.@owner -> #<Thread>"
refused '(q = Queue.new; t = Thread.new { q.pop }; Thread.pass until t.stop?; q)' "#<Thread::Queue>.@waiters -> #<Array>[0] -> #<Thread>"
refused '(e = [1, 2].each; e.next; e)' "#<Enumerator>.@fiber -> #<Fiber>"
refused '(io = $stdout; proc { io })' "#<Proc> local io -> #<IO>"
refused '(io = $stdout; binding)' "#<Binding> local io -> #<IO>"
refused '(Maglev.persistent { Named = Struct.new(:a, :b) }; Named.new(1, {"a text" => [$stdout]}))' '#<Named>.b -> #<Hash>["a text"] -> #<Array>[0] -> #<IO>'
refused '(o = Object.new; o.instance_variable_set(:@v, $stdout); o)' "#<Object>.@v -> #<IO>"
refused '(s = +"s"; s.instance_variable_set(:@v, $stdout); s)' "#<String>.@v -> #<IO>"
refused 'Array.new(1000) { it == 700 ? $stdout : it }' "#<Array>[700] -> #<IO>"
refused '(1..1000).to_h { [it, it == 700 ? $stdout : it] }' "#<Hash>[700] -> #<IO>"
refused 'Hash.new($stdout)' "#<Hash>.default -> #<IO>"
refused '{$stdout => 1}' "#<Hash>.keys -> #<IO>"
prints '::Held -> Held::LIST -> #<Array>[0] -> #<IO>' lode -e 'Maglev.persistent { class Held; LIST = [$stdout]; end }
begin; Maglev.commit; rescue TransactionError => e; puts e.path; end'
refused 'Dir.new("/")' "it is a directory that this process has opened"
refused 'TracePoint.new(:call) { }' "it traces the running process"
refused 'ObjectSpace::WeakMap.new' "#<ObjectSpace::WeakMap>"
refused '(class Here; end; Here.new)' "it was defined in transient mode"
refused '(o = Object.new; ObjectSpace.define_finalizer(o, proc { }); o)' "it has a finalizer"
