# Module and Class: names, methods, constants, visibility.
def show(label)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts mask("#{label}: #{r}")
end
def mask(s) = s.gsub(/0x\h+/, "0xX")

module Outer
  class Inner
    VALUE = 1
  end
  module Deep; class Er; end; end
end
show("names") { [Outer.name, Outer::Inner.name, Outer::Deep::Er.name, Outer::Inner.to_s, Outer::Deep.inspect] }
anon = Class.new
show("anon") { [anon.name, mask(anon.to_s)] }
m = Module.new
show("anon module") { mask(m.inspect) }
m.const_set(:Inside, Class.new)
puts mask(m::Inside.name)
Named = m
show("named") { [m.name, m::Inside.name] }
t = Class.new
t.set_temporary_name("fake<name>")
show("temporary") { [t.name, mask(t.new.inspect)] }
show("temporary bad") { Class.new.set_temporary_name("Foo") }
show("permanent") { Outer.set_temporary_name("x") }
show("meta") { [String.singleton_class, String.singleton_class.singleton_class, Kernel.singleton_class] }
show("super") { [Class.superclass, Module.superclass, Object.superclass, BasicObject.superclass, String.singleton_class.superclass] }
show("attached") { String.singleton_class.attached_object }
show("not attached") { String.attached_object }
show("compare") { [Integer < Numeric, Numeric < Integer, Integer <= Integer, Integer > String, String <=> Object, Object <=> String, Integer <=> String, Integer < Comparable, Integer <=> 1] }
show("compare bad") { Integer < 1 }
class Base; end
class Kid1 < Base; end
class Kid2 < Base; end
show("subclasses") { Base.subclasses }
show("Class.new") { k = Class.new(Base) { def q = 1 }; [k.superclass, k.new.q] }
show("Class.new bad") { Class.new(1) }
show("Class.new Class") { Class.new(Class) }
show("Class.new singleton") { Class.new(String.singleton_class) }
show("superclass mismatch") { eval("class Kid1 < String; end") }
show("not a class") { eval("class Outer; end") }
show("not a module") { eval("module Base; end") }

class Base
  def pub; end
  def pro; end
  def pri; end
  protected :pro
  private :pri
  def self.inherited(k) = (puts "inherited #{k.name.inspect}"; super)
end
class Kid3 < Base; end
show("instance_methods") { [Base.instance_methods(false).sort, Base.public_instance_methods(false), Base.protected_instance_methods, Base.private_instance_methods(false)] }
show("defined") { [Base.method_defined?(:pub), Base.method_defined?(:pri), Base.private_method_defined?(:pri), Base.protected_method_defined?(:pro), Base.public_method_defined?("pub"), Kid3.method_defined?(:pub, false)] }
class Kid3
  public :pri
  private :pub
end
show("changed") { [Kid3.public_method_defined?(:pri), Kid3.private_method_defined?(:pub), Base.private_method_defined?(:pri), Kid3.new.pri] }
show("private returns") { Class.new { def a; end; def b; end; $r = [private(:a), private(:a, :b), private([:a]), private] }; $r }
show("private bad") { Class.new { private :nothing } rescue raise $!.class, mask($!.message) }
show("def returns") { Class.new { $r = def zz; end }; $r }
class Priv
  private
  def one = 1
  attr_reader :two
  public
  def three = 3
  private def four = 4
  def five = 5
end
show("sections") { [Priv.public_instance_methods(false).sort, Priv.private_instance_methods(false).sort] }
show("attr") { Class.new { $r = [attr_accessor(:a, :b), attr_reader(:c), attr_writer(:d), attr(:e)] }; $r }
show("attr bad") { Class.new { attr_accessor "a?" } }
o = Class.new { attr_accessor :val }.new
show("attr use") { [o.val, (o.val = 5), o.val] }
show("attr args") { o.val(1) }
class Def
  define_method(:blk) { |a, b = 2| [a, b] }
  define_method(:from_proc, &->(a) { a * 2 })
  define_method(:from_method, Integer.instance_method(:to_s)) rescue puts $!.message
  define_method(:um, Object.instance_method(:itself))
end
d = Def.new
show("define_method") { [d.blk(1), d.from_proc(4), d.um.equal?(d)] }
show("define_method arity") { d.blk }
show("define_method none") { Class.new { define_method(:x) } }
show("alias") { Class.new { def a = 1; alias b a; $r = alias_method(:c, :a) }.new.then { |x| [x.b, x.c, $r] } }
show("alias missing") { class Def; alias_method :q, :nothing; end }
show("undef") { Class.new(Base) { undef_method :pub }.new.pub rescue $!.class }
show("undef missing") { class Def; undef_method :nothing; end }
show("remove") { Class.new(Base) { def pub = 1; remove_method :pub }.new.pub }
show("remove missing") { class Def; remove_method :nothing; end }
show("undefined list") { Class.new { def a; end; undef_method :a }.undefined_instance_methods }
class Hooks
  def self.method_added(n) = puts("added #{n}")
  def self.singleton_method_added(n) = puts("sadded #{n}")
  def self.method_removed(n) = puts("removed #{n}")
  def self.method_undefined(n) = puts("undefined #{n}")
  def foo; end
  def self.bar; end
  alias baz foo
  attr_reader :qux
  remove_method :foo
  undef_method :baz
  define_method(:dm) {}
end
module Fun
  module_function
  def helper = :helped
end
show("module_function") { [Fun.helper, Fun.private_instance_methods, Fun.singleton_methods] }
module Fun2
  def a = :a
  def b = :b
  module_function :a
end
show("module_function names") { [Fun2.a, (Fun2.b rescue "no"), Fun2.instance_methods] }
class Cm
  def self.a = 1
  private_class_method :a
  def self.b = 2
  def self.call_a = a
end
show("private_class_method") { [Cm.b, Cm.call_a, (Cm.a rescue $!.message)] }
Cm.public_class_method :a
show("public_class_method") { Cm.a }

show("const_get") { [Object.const_get(:String), Outer.const_get("Inner::VALUE"), Object.const_get("Outer::Inner"), Outer.const_get(:String)] }
show("const_get none") { Outer.const_get(:Nope) }
show("const_get no inherit") { Outer.const_get(:String, false) }
show("const_get bad") { Outer.const_get("lower") }
show("const_get bad path") { Outer.const_get("Inner::") }
show("const_defined") { [Outer.const_defined?(:Inner), Outer.const_defined?("Inner::VALUE"), Outer.const_defined?(:String), Outer.const_defined?(:String, false), Outer.const_defined?(:Nope)] }
show("uninit") { Outer::Nope }
show("uninit top") { NopeNope }
show("not module") { 1::Foo }
show("through") { Outer::String }
show("const_set") { Outer.const_set(:NEW, 4); Outer::NEW }
show("const_set bad") { Outer.const_set("new", 1) }
show("constants") { [Outer.constants.sort, Outer::Inner.constants, Class.new(Outer::Inner).constants, Class.new(Outer::Inner).constants(false)] }
show("remove_const") { [Outer.send(:remove_const, :NEW), Outer.const_defined?(:NEW)] }
show("remove_const none") { Outer.send(:remove_const, :NEW) }
module Outer
  SECRET = 42
  private_constant :SECRET
  def self.reveal = SECRET
end
show("private_constant") { [Outer.reveal, Outer.constants.include?(:SECRET), (Outer::SECRET rescue $!.message)] }
show("private none") { Outer.send(:private_constant, :NOTHING) }
class Miss
  def self.const_missing(n) = "missing #{n}"
  def look = Whatever
end
show("const_missing") { [Miss::Foo, Miss.new.look, Miss.const_get(:Bar)] }
show("source_location") { [Object.const_source_location(:Outer).class, Outer.const_source_location(:SECRET)[1], Object.const_source_location(:String), Object.const_source_location(:Nope)] }
module N1; module N2; $nest = Module.nesting; end; end
show("nesting") { $nest }
module N1::N2; $nest = Module.nesting; end
show("nesting 2") { $nest }
class Added; def self.const_added(n) = (puts "const_added #{n}"; super); FOO = 1; class Bar; end; end

class Cv; @@a = 1; def self.a = @@a; def a=(v); @@a = v; end; end
class CvKid < Cv; def kid = @@a; @@b = 2; end
CvKid.new.a = 7
show("cvars") { [Cv.a, CvKid.new.kid, Cv.class_variables, CvKid.class_variables.sort, CvKid.class_variables(false)] }
show("cvar_get") { [Cv.class_variable_get(:@@a), CvKid.class_variable_defined?(:@@b), Cv.class_variable_defined?(:@@b)] }
show("cvar_set") { Cv.class_variable_set(:@@c, 3); Cv.class_variable_get("@@c") }
show("cvar none") { Cv.class_variable_get(:@@zz) }
show("cvar bad") { Cv.class_variable_get(:zz) }
show("cvar uninit") { class Cv; @@nope; end }
show("cvar remove") { [CvKid.remove_class_variable(:@@b), CvKid.class_variables(false)] }
show("cvar remove none") { CvKid.remove_class_variable(:@@b) }
show("cvar remove super") { CvKid.remove_class_variable(:@@a) }
show("freeze") { Class.new.freeze.class_eval { def x; end } rescue mask($!.message) }
show("singleton?") { [String.singleton_class?, String.singleton_class.singleton_class?] }
show("instance_method list") { Comparable.instance_methods.sort }
show("include?") { [Integer.include?(Comparable), Integer.include?(Kernel), Integer.include?(Enumerable)] }
show("allocate uninitialised") { Class.allocate.new }
show("initialize twice") { Class.new.send(:initialize) }
