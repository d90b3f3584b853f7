# What every object answers about itself.
class Point
  attr_accessor :x, :y
  def initialize(x, y)
    @x = x
    @y = y
  end
  def hidden = 1
  private :hidden
  def guarded = 2
  protected :guarded
end

def show(label)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts mask("#{label}: #{r}")
end

def mask(s) = s.gsub(/0x\h+/, "0xX")

pt = Point.new(1, "two")
puts mask(pt.inspect)
puts mask(pt.to_s)
puts mask(Object.new.inspect)
class Loop; def initialize; @me = self; end; end
puts mask(Loop.new.inspect)
class Picky
  def initialize; @a = 1; @b = 2; @c = 3; end
  private def instance_variables_to_inspect = [:@a, :@c]
end
puts mask(Picky.new.inspect)

show("ivars") { pt.instance_variables }
show("get") { pt.instance_variable_get(:@x) }
show("get string") { pt.instance_variable_get("@y") }
show("get none") { pt.instance_variable_get(:@z) }
show("bad name") { pt.instance_variable_get(:z) }
show("bad type") { pt.instance_variable_get(1) }
show("set") { pt.instance_variable_set(:@z, 3) }
show("defined") { [pt.instance_variable_defined?(:@z), pt.instance_variable_defined?(:@q)] }
show("remove") { pt.remove_instance_variable(:@z) }
show("removed") { pt.instance_variables }
s = "str"
s.instance_variable_set(:@note, 1)
show("ivar of string") { [s.instance_variable_get(:@note), s.instance_variables] }
show("ivar of fixnum") { 1.instance_variable_set(:@a, 1) }
show("ivar of symbol") { :a.instance_variable_set(:@a, 1) }
show("ivar of frozen") { "x".freeze.instance_variable_set(:@a, 1) }
String.instance_variable_set(:@on_class, 5)
show("ivar of class") { [String.instance_variable_get(:@on_class), String.instance_variables] }
String.remove_instance_variable(:@on_class)

many = Object.new
20.times { |i| many.instance_variable_set("@v#{i}", i) }
show("many") { many.instance_variables.size }
show("many sum") { many.instance_variables.sum { |n| many.instance_variable_get(n) } }
many.remove_instance_variable(:@v3)
show("after remove") { [many.instance_variables.include?(:@v3), many.instance_variable_get(:@v4), many.instance_variable_get(:@v19)] }

show("class") { [pt.class, 1.class, nil.class, true.class, :a.class, 1.5.class, (2**70).class, Point.class, Kernel.class] }
show("is_a") { [pt.is_a?(Point), pt.is_a?(Object), pt.kind_of?(Kernel), pt.is_a?(String), 1.is_a?(Comparable)] }
show("is_a bad") { pt.is_a?(1) }
show("instance_of") { [pt.instance_of?(Point), pt.instance_of?(Object)] }
show("nil?") { [nil.nil?, pt.nil?] }
show("eq") { [pt == pt, pt == pt.dup, pt.equal?(pt), pt.eql?(pt), pt != pt, !pt] }
show("===") { [pt === pt, Point === pt, Object === 1, Comparable === 1, String === :a] }
show("<=>") { [pt <=> pt, pt <=> 1] }
show("!~") { ["a" !~ /b/, "b" !~ /b/] }
show("itself") { pt.itself.equal?(pt) }
show("then") { 5.then { |n| n + 1 } }
show("tap") { [1].tap { |a| a << 2 } }
show("hash stable") { [pt.hash == pt.hash, pt.hash == pt.dup.hash, pt.hash.class] }
show("ids") { [pt.object_id == pt.object_id, pt.object_id == pt.dup.object_id, 1.object_id, 100.object_id] }

show("respond_to") { [pt.respond_to?(:x), pt.respond_to?(:hidden), pt.respond_to?(:hidden, true), pt.respond_to?(:guarded), pt.respond_to?("y="), pt.respond_to?(:none)] }
class Ghost
  def respond_to_missing?(name, priv) = name == :boo || super
end
show("respond_to_missing") { [Ghost.new.respond_to?(:boo), Ghost.new.respond_to?(:foo)] }
show("methods") { (pt.methods - Object.instance_methods).sort }
show("public") { pt.public_methods(false).sort - Object.public_instance_methods }
show("private") { pt.private_methods(false).sort & [:hidden, :initialize] }
show("protected") { pt.protected_methods }
def pt.single = 1
show("singleton") { pt.singleton_methods }
show("singleton class") { pt.singleton_class.instance_methods(false) }
show("singleton inspect") { mask(pt.singleton_class.inspect) }
show("singleton of nil") { [nil.singleton_class, true.singleton_class, false.singleton_class] }
show("singleton of 1") { 1.singleton_class }
show("def on 1") { one = 1; def one.foo = 1 }
pt.define_singleton_method(:made) { |a = 2| a * 2 }
show("made") { [pt.made, pt.made(5), pt.singleton_methods.sort] }
module Extra; def extra = :extra; def self.extended(o) = puts("extended #{o.class}"); end
pt.extend(Extra)
show("extend") { [pt.extra, pt.singleton_methods.sort, pt.is_a?(Extra), Extra === pt] }
show("extend bad") { pt.extend(String) }
show("extend none") { pt.extend }
show("missing") { pt.nothing_here }
show("private call") { pt.hidden }
show("protected call") { pt.guarded }
show("frozen") { [1.frozen?, :a.frozen?, nil.frozen?, "a".frozen?, pt.frozen?, pt.freeze.frozen?] }
show("frozen set") { mask((pt.x = 5).inspect) } rescue p $!
begin
  pt.x = 5
rescue => e
  puts mask(e.message).sub(/#<Point.*/, "#<Point>"), e.class, e.receiver.equal?(pt)
end
show("new args") { Object.new(1) }
show("allocate") { Point.allocate.x }
show("abstract") { Integer.new }
show("nil new") { NilClass.new }
show("nil allocate") { NilClass.allocate }
show("BasicObject") { BasicObject.instance_methods.sort }
show("Kernel is in") { Object.ancestors.include?(Kernel) }
