# dup, clone, freeze, and what of an object goes along.
def show(label)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts "#{label}: #{r}".gsub(/0x\h+/, "0xX")
end

class Box
  attr_accessor :v
  def initialize(v) = @v = v
  def initialize_copy(o)
    puts "copying #{o.v}"
    @v = o.v.dup
  end
end
a = Box.new("a")
def a.single = :single
a.freeze
d = a.dup
c = a.clone
show("dup") { [d.v, d.frozen?, d.respond_to?(:single), d.v.equal?(a.v)] }
show("clone") { [c.v, c.frozen?, c.single] }
c2 = a.clone(freeze: false)
show("clone unfrozen") { [c2.frozen?, c2.single] }
show("clone frozen") { Box.new("b").clone(freeze: true).frozen? }
show("clone bad") { a.clone(freeze: 1) }
show("clone unknown") { a.clone(other: 1) }
show("immediates") { [1.dup, :a.clone, nil.dup, true.clone, 1.5.dup] }
show("1.clone(freeze: false)") { 1.clone(freeze: false) }
show("1.clone(freeze: true)") { 1.clone(freeze: true) }
class Traced
  def initialize_dup(o) = (puts "dup hook"; super)
  def initialize_clone(o, freeze: nil) = (puts "clone hook #{freeze.inspect}"; super)
end
Traced.new.dup
Traced.new.clone
Traced.new.clone(freeze: true)
module Loud; def loud = :loud; end
e = Object.new.extend(Loud)
show("extended") { [e.clone.loud, (e.dup.loud rescue "no")] }
str = "text"
str.instance_variable_set(:@tag, 1)
show("string ivars") { [str.dup.instance_variable_get(:@tag), str.clone.instance_variable_get(:@tag)] }
show("range") { [(1..3).dup, (1..3).clone.frozen?] }
class Kid < Array; attr_accessor :n; end
k = Kid[1, 2]
k.n = 5
show("subclass of Array") { [k.dup.class, k.dup, k.dup.n] }
ex = RuntimeError.new("boom")
show("exception") { [ex.dup.message, ex.clone.class] }
class Orig
  X = 1
  @@cv = 2
  @civ = 3
  class << self
    attr_reader :civ
    def make = :made
  end
  def hi = :hi
  def cv = @@cv
end
Copy = Orig.dup
show("class dup") { [Copy.new.hi, Copy::X, Copy.make, Copy.civ, Copy.new.cv, Copy.name, Copy.superclass] }
anon = Orig.clone
show("class clone") { [anon.name, anon.new.hi, anon.make] }
Mod = Comparable.dup
show("module dup") { [Mod.name, Mod.instance_methods.include?(:between?), Mod == Comparable] }
show("frozen object") do
  o = Object.new.freeze
  o.instance_variable_set(:@a, 1)
end rescue 0
h = Hash.new { 5 }
h[:a] = 1
show("hash") { [h.dup[:zz], h.clone, h.freeze.dup.frozen?] }
S = Struct.new(:a, :b)
s1 = S.new(1, [2])
s2 = s1.dup
s2.a = 9
show("struct") { [s1, s2, s1.b.equal?(s2.b)] }
class NoCopy; undef_method :initialize_copy; end
show("no initialize_copy") { NoCopy.new.dup.class }
show("method missing class") { Class.new(Object).new.dup.class.name }
