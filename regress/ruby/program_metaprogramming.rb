# Reflection and definition at run time: method_missing, define_method, refinements of behaviour by modules, hooks, DSLs.
class Recorder < BasicObject
  def initialize = @calls = []
  def method_missing(name, *args, **opts, &block)
    @calls << [name, args, opts, block ? block.call(10) : nil]
    self
  end
  def respond_to_missing?(*) = true
  def __calls = @calls
end
p Recorder.new.foo(1).bar(x: 2).baz { |n| n + 1 }.__calls

module Validations
  def self.extended(base) = base.instance_variable_set(:@rules, {})
  def validates(*names, **rules) = names.each { |n| (@rules[n] ||= {}).merge!(rules) }
  def rules = (superclass.respond_to?(:rules) ? superclass.rules : {}).merge(@rules || {})
  def inherited(sub)
    super
    sub.instance_variable_set(:@rules, {})
  end
end

class Model
  extend Validations
  def self.field(name, default: nil, &convert)
    ivar = :"@#{name}"
    define_method(name) { instance_variable_defined?(ivar) ? instance_variable_get(ivar) : default }
    define_method("#{name}=") { |v| instance_variable_set(ivar, convert ? convert.(v) : v) }
    (@fields ||= []) << name
  end
  def self.fields = (superclass.respond_to?(:fields) ? superclass.fields : []) + (@fields || [])
  def initialize(**values) = values.each { |k, v| public_send(:"#{k}=", v) }
  def errors
    self.class.rules.flat_map do |name, rules|
      value = public_send(name)
      rules.filter_map do |rule, arg|
        ok = case rule
             when :presence then !arg || (!value.nil? && value != "")
             when :range then value.nil? || arg.cover?(value)
             when :format then value.nil? || arg.match?(value)
             when :with then instance_exec(value, &arg)
             end
        "#{name} #{rule}" unless ok
      end
    end
  end
  def valid? = errors.empty?
  def to_h = self.class.fields.to_h { [_1, public_send(_1)] }
  def method_missing(name, *args)
    if name.end_with?("?") && self.class.fields.include?(base = name.to_s.chomp("?").to_sym)
      !!public_send(base)
    else
      super
    end
  end
  def respond_to_missing?(name, private = false) = (name.end_with?("?") && self.class.fields.include?(name.to_s.chomp("?").to_sym)) || super
end

class Person < Model
  field(:name, &:to_s)
  field(:age) { Integer(_1) }
  field :email, default: "none@example.org"
  validates :name, presence: true
  validates :age, range: 0..150, with: ->(v) { v.nil? || v != 13 }
  validates :email, format: /\A\S+@\S+\z/
end
class Admin < Person
  field :level, default: 1
  validates :level, range: 1..3
end

p Person.new(name: :Ann, age: "42").to_h, Person.fields, Admin.fields, Admin.rules.keys
p Person.new(age: 200).errors, Admin.new(name: "x", age: 13, email: "bad", level: 9).errors, Admin.new(name: "x").valid?
a = Admin.new(name: "x")
p a.name?, a.age?, a.respond_to?(:level?), a.respond_to?(:nothing?)
begin
  a.nothing?
rescue NoMethodError => e
  puts e.message, e.name.inspect, e.receiver.equal?(a)
end
begin
  Person.new(age: "forty")
rescue ArgumentError => e
  puts e.message
end
begin
  Person.new(height: 3)
rescue NoMethodError => e
  puts e.message
end

class HTML
  def initialize(&block) = (@out = []; @depth = 0; instance_eval(&block))
  %i[html body p ul li a].each do |tag|
    define_method(tag) do |text = nil, **attrs, &block|
      head = [tag, *attrs.map { |k, v| %(#{k}="#{v}") }].join(" ")
      if block
        line "<#{head}>"
        @depth += 1
        instance_eval(&block)
        @depth -= 1
        line "</#{tag}>"
      else
        line "<#{head}>#{text}</#{tag}>"
      end
    end
  end
  def line(s) = @out << "  " * @depth + s
  def to_s = @out.join("\n")
end
puts HTML.new { html { body { p "hi", class: :big; ul { 3.times { |i| li "item #{i}" } }; a "link", href: "#" } } }

module Loud
  def speak = super.upcase + "!"
end
module Polite
  def speak = "please, " + super
end
class Animal
  def speak = "noise"
  prepend Loud
  include Polite
end
class Dog < Animal
  include Polite
  def speak = "woof " + super
end
p Animal.new.speak, Dog.new.speak, Dog.ancestors.take(5), Dog.instance_method(:speak).owner, Dog.new.method(:speak).super_method.owner
d = Dog.new
def d.speak = "single " + super
d.singleton_class.prepend(Module.new { def speak = "pre " + super })
p d.speak, d.singleton_methods, d.singleton_class.instance_methods(false)
o = Object.new.extend(Polite) rescue p($!)
begin
  o.speak
rescue NoMethodError => e
  puts e.message.sub(/0x\h+/, "0x")
end

class Tracer
  @events = []
  class << self
    attr_reader :events
    def method_added(name) = (Tracer.events << [:added, name]; super)
    def singleton_method_added(name) = (Tracer.events << [:single, name] if Tracer.events; super)
    def const_missing(name) = const_set(name, "made #{name}")
    def inherited(k) = (Tracer.events << [:inherited, k.name]; super)
  end
  def one; end
  attr_accessor :two
  alias three one
  def self.four; end
end
class Sub < Tracer; end
Class.new(Tracer)
p Tracer.events, Tracer::Something, Tracer.const_defined?(:Something), Tracer.constants

p 5.instance_of?(Integer), Integer === 5, Comparable.instance_of?(Module), Class.class, Dog.name, Class.new.name
p Dog.instance_methods(false), Dog.method_defined?(:speak), Dog.public_method_defined?(:nope), d.public_send(:speak) == d.speak
k = Class.new(StandardError) { def message = "custom" }
begin
  raise k
rescue => e
  p e.message, e.class.superclass, e.full_message(highlight: false).lines.first.include?("custom")
end
obj = Object.new
obj.instance_variable_set(:@x, 1)
p obj.instance_variables, obj.instance_variable_get(:@x), obj.instance_variable_get(:@none), obj.remove_instance_variable(:@x), obj.instance_variables
p Dog.class_eval { self }, Dog.instance_eval { self }, Dog.class_exec(3) { |n| n + 1 }
Dog.class_eval "def evaluated(x) = x * 2"
p Dog.new.evaluated(4), Dog.new.send(:class), Kernel.respond_to?(:puts, true)
Dog.send(:remove_method, :evaluated)
p Dog.method_defined?(:evaluated)
Dog.send(:undef_method, :speak)
begin
  Dog.new.speak
rescue NoMethodError => e
  puts e.message
end
def kinds(a, b = 1, *c, d, e:, f: 2, **g, &h) = nil
p method(:kinds).parameters, method(:kinds).arity, ->(x, y = 1) {}.arity, proc { |x, y| }.arity, proc { |x| }.lambda?, lambda(&:to_s).lambda?
b = binding
zed = 10
p b.local_variables.include?(:zed), b.local_variable_get(:zed), eval("zed + 1", b), b.eval("self.to_s"), b.receiver.to_s
add = ->(a, b, c) { a + b + c }
p add.curry[1][2][3], add.curry.(1, 2).(3), (add.curry[1, 2] >> ->(x) { x * 2 }).(3), method(:Integer).to_proc.call("12"), %w[1 2].map(&method(:Integer))
p ObjectSpace.respond_to?(:each_object), __method__.inspect, defined?(foo), defined?(p), defined?(String), defined?(@a), defined?(zed), defined?(yield)
p [1, 2, 3].frozen?, :a.frozen?, "lit".frozen?, 1.frozen?, [1].freeze.frozen?
begin
  [1].freeze << 2
rescue FrozenError => e
  puts e.message, e.receiver.inspect
end
begin
  A_CONSTANT = 1
  Object.const_get(:lower)
rescue NameError => e
  puts e.message
end
p Object.const_get("Math::PI").floor, Object.const_defined?("Nope::Deep"), Struct.new(:a, keyword_init: true).new(a: 1).a
catch(:done) { 10.times { |i| throw :done if i == 3 }; p :never }
p catch { |tag| throw tag, 7 }, [1, 2, 3].each_entry.to_a, (begin; Integer("x"); rescue ArgumentError; :rescued; else; :no; ensure; p :ensured; end)
