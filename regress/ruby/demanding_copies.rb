# Marshal deep copies, ObjectSpace, Struct, Data, freeze, dup, hooks
Point = Struct.new(:x, :y) { def dist = Math.hypot(x, y) }
KW = Struct.new(:a, :b, keyword_init: true)
D = Data.define(:w, :h)
class Node
  attr_accessor :name, :kids, :parent
  def initialize(n) = (@name, @kids, @parent = n, [], nil)
  def <<(k) = (k.parent = self; @kids << k; self)
  def inspect = "#<Node #{name} #{kids.inspect} ^#{parent&.name}>"
end
class Custom
  def initialize(v, c) = (@v, @cache = v, c)
  def marshal_dump = [@v]
  def marshal_load(a) = (@v, @cache = a[0], :fresh)
  def inspect = "#<Custom #{@v.inspect} #{@cache.inspect}>"
end
class Old
  attr_reader :s
  def initialize(s) = @s = s
  def _dump(lv) = @s.reverse
  def self._load(s) = new(s.reverse)
end
module Ext; def ext? = true; end
class StrSub < String; attr_accessor :tag; end
class ArrSub < Array; end
class HashSub < Hash; end
def copy(o) = Marshal.load(Marshal.dump(o))
root = Node.new("r") << (Node.new("a") << Node.new("b")) << Node.new("c")
c = copy(root)
p c, c.kids[0].parent.equal?(c), c.equal?(root)
a = [1]; a << a; h = {a => a}; h.default = 5; h.compare_by_identity if false
p copy(a), copy({1 => a}), copy(h).default
s = StrSub.new("xyz"); s.tag = [s]; s2 = copy(s)
p s2.class, s2.tag[0].equal?(s2), copy(ArrSub[1, 2]).class, copy(HashSub[1, 2]), copy("é".encode("ISO-8859-1")).encoding, copy("b".b).encoding, copy(:"sym é"), copy(/a+b/mi), copy(1..), copy("a"..."c"), copy(Point.new(1, [2])), copy(KW.new(a: 1)), copy(D.new(w: 1, h: 2)), copy(Custom.new({a: 1}, :old)), copy(Old.new("hello")).s, copy("x".dup.extend(Ext)).ext?, copy(String), copy(Comparable), copy(Math::PI), copy(1e300), copy(-0.0).to_s, copy(Float::INFINITY), copy(2**100), copy(-(2**31)), copy(2**30), copy(2**62), copy(3r), copy(2i), copy(nil), copy([true, false]), copy(Set[1, [2]]), copy(ArgumentError.new("m")).message, copy(Time.utc(2020, 1, 2, 3, 4, 5, 6)), copy({a: 1}.compare_by_identity).compare_by_identity?, copy(Struct.new(:z)) rescue p $!.class, $!.message.sub(/0x\h+/, "")
[proc {}, $stdout, Object.new.tap { |o| def o.x = 1 }, Mutex.new, Thread.current, binding, method(:p), Class.new.new, Hash.new { 1 }, Module.new, ObjectSpace::WeakMap.new, Fiber.new {}, [1].each, Random.new(3).class].each { |o| begin p Marshal.dump(o).size rescue puts "#{$!.class}: #{$!.message.gsub(/0x\h+/, "XX")}" end }
p Marshal.dump([1, -1, 255, 256, -129, 65536, 2**31, "a", :a, :a, nil, 1.5, {a: 1}]).unpack1("H*"), Marshal.dump("é").unpack1("H*"), Marshal.dump(Point.new(1, 2)).b, Marshal.dump(Hash.new(3)).b
["", "\x04", "\x04\x08", "\x04\x09i\x06", "\x03\x00i\x06", "\x04\x08o:\bFoo\x00", "\x04\x08[\x07i\x06", "\x04\x08u:\x0bNoSuch\x00", "\x04\x08@\x06", "\x04\x08e:\x08ExtI\"\x06x\x06:\x06ET", "\x04\bc\bFoo", "\x04\x08;\x00", "\x04\bZ"].each { |b| begin p Marshal.load(b.b) rescue puts "#{$!.class}: #{$!.message}" end }
seen = []
p Marshal.load(Marshal.dump([1, "two", {three: 3.0}]), ->(o) { seen << o.class; o.is_a?(String) ? o.upcase : o }), seen
p Marshal.load(Marshal.dump(["a", {b: "c"}]), freeze: true).then { |x| [x.frozen?, x[0].frozen?, x[1].frozen?] }
io = StringIO.new rescue (require "stringio"; io = StringIO.new)
Marshal.dump([1, 2], io); Marshal.dump("next", io); io.rewind
p Marshal.load(io), Marshal.load(io), (Marshal.load(io) rescue [$!.class, $!.message]), (Marshal.dump([[[1]]], 2) rescue [$!.class, $!.message]), Marshal::MAJOR_VERSION
pt = Point.new(3, 4)
p pt, pt.to_a, pt.dist, pt == Point.new(3, 4), pt.eql?(Point.new(3.0, 4)), pt.hash == Point.new(3, 4).hash, Point.members, pt.each.to_a, pt.to_h { |k, v| [k.to_s, v * 2] }, pt.values_at(0, -1), pt.dig(:x), (pt[5] rescue $!.message), (pt[:q] rescue $!.message), (Point.new(1, 2, 3) rescue $!.message), pt.select(&:odd?), pt.each_pair.to_a, Point[1], pt.deconstruct_keys([:x]), pt.size, (pt.x += 1), pt.freeze.frozen?, (pt.send(:x=, 1) rescue [$!.class, $!.message])
p KW.new(a: 1, b: 2), (KW.new(1) rescue $!.message), (KW.new(c: 1) rescue $!.message), KW.keyword_init?, KW.inspect, Struct.new("Named", :q).name, Struct.new(:a, :b).new(a: 1, b: 2).a, (Struct.new(:a, :a) rescue $!.message), (Struct.new("lower") rescue $!.message), Struct.new(:a).new(1).inspect
d = D.new(1, 2)
p d, d.with(h: 5), d.to_h, (D.new(1) rescue $!.message), (D.new(1, 2, 3) rescue $!.message), (D.new(w: 1, h: 2, z: 3) rescue $!.message), D.members, d.eql?(D.new(1, 2)), d == D.new(1.0, 2), d.hash == D.new(1, 2).hash, d.frozen?, (d.instance_variable_set(:@a, 1) rescue $!.class), (d in {w:, h:}), (d in [a, b]), D.instance_methods(false).sort, D.method(:new).arity, d.inspect, Data.define.new.inspect, (Data.define(:a, :a) rescue $!.message), (Data.define("x=") rescue $!.message), D.ancestors.include?(Data), (Data.new rescue $!.message)
r = [1]; r2 = D.new(r, r); p r2.dup.w.equal?(r), copy(r2).then { _1.w.equal?(_1.h) }
ObjectSpace.garbage_collect
class Tracked; end
keep = Array.new(3) { Tracked.new }
p ObjectSpace.each_object(Tracked).count, ObjectSpace.each_object(Class).include?(Tracked), Class.new(Tracked).then { Tracked.subclasses.size }, ObjectSpace.count_objects.class
wm = ObjectSpace::WeakMap.new; k = "key"; wm[k] = keep; p wm[k].size, wm.key?(k), wm.size, wm.inspect.class
wk = ObjectSpace::WeakKeyMap.new; wk[k] = 1; p wk["key"], wk.getkey("key").equal?(k), wk.delete("key")
o = Object.new
class << o
  attr_accessor :a
  def initialize_copy(x) = (puts "copy"; @a = x.a.dup)
end
o.a = [1]; q = o.clone; q.a << 2; p o.a, q.a, o.dup.respond_to?(:a), o.clone(freeze: true).frozen?
p "lit".frozen?, :a.to_s.frozen?, "a#{1}".frozen?, [1].freeze.map { _1 }.frozen?, "x".dup.freeze.dup.frozen?, "x".freeze.clone.frozen?, "x".freeze.clone(freeze: false).frozen?, 1.frozen?, nil.frozen?, (1..2).frozen?, Range.new(1, 2).frozen?, [].freeze.then { (_1 << 1) rescue $!.message }, {}.freeze.then { (_1[1] = 1) rescue $!.message }, "x".freeze.then { (_1 << "y") rescue $!.message }, (Object.new.freeze.instance_eval { @a = 1 } rescue $!.class), (CONST = %w[a].freeze).frozen?, Ractor.respond_to?(:make_shareable)
