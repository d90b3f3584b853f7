# DSLs: method_missing, refinements, hooks, define_method
module Html
  class Builder < BasicObject
    VOID = %i[br hr img input].freeze
    def initialize(indent: 0) = (@out, @indent = +"", indent)
    def method_missing(tag, content = nil, **attrs, &blk)
      pad = "  " * @indent
      a = attrs.map { |k, v| v == true ? " #{k}" : %( #{k.to_s.tr("_", "-")}="#{v.to_s.gsub(/["&<]/, '"' => "&quot;", "&" => "&amp;", "<" => "&lt;")}") unless v.nil? || v == false }.join
      if VOID.include?(tag)
        @out << "#{pad}<#{tag}#{a}>\n"
      elsif blk
        @out << "#{pad}<#{tag}#{a}>\n"
        @indent += 1
        r = blk.arity.zero? ? instance_exec(&blk) : blk.call(self)
        @out << "#{"  " * @indent}#{r}\n" if ::String === r && r != @out
        @indent -= 1
        @out << "#{pad}</#{tag}>\n"
      else
        @out << "#{pad}<#{tag}#{a}>#{content}</#{tag}>\n"
      end
      nil
    end
    def respond_to_missing?(*) = true
    def to_s = @out
    def p(*a, **k, &b) = method_missing(:p, *a, **k, &b)
  end
  def self.build(&) = Builder.new.tap { _1.instance_eval(&) }.to_s
end
puts Html.build {
  html(lang: "en") do
    head { title "A & B" }
    body(class: "x", data_id: 5, hidden: true, nope: nil) {
      p "para"
      ul { 3.times { |i| li "item #{i}", id: "i#{i}" } }
      br; img src: %(a"b.png)
      div { "text result" }
    }
  end
}
module Units
  UNITS = { m: 1, km: 1000, cm: 1/100r, mm: 1/1000r, mi: 1609.344r }.freeze
  class Quantity
    include Comparable
    attr_reader :value
    def initialize(v) = @value = v
    def coerce(o) = [Quantity.new(o), self]
    %i[+ -].each { |op| define_method(op) { |o| Quantity === o ? Quantity.new(value.public_send(op, o.value)) : (raise TypeError, "can't add #{o.class}") } }
    %i[* /].each { |op| define_method(op) { |o| Quantity.new(value.public_send(op, o.is_a?(Quantity) ? o.value : o)) } }
    def <=>(o) = o.is_a?(Quantity) ? value <=> o.value : nil
    def to(unit) = (value / UNITS.fetch(unit)).to_f.round(4)
    def inspect = "#<#{value.to_f}m>"
    def respond_to_missing?(n, priv = false) = n.to_s.match?(/\Ain_(\w+)\z/) && UNITS.key?($1&.to_sym) || super
    def method_missing(n, *) = n.to_s =~ /\Ain_(\w+)\z/ && UNITS[$1.to_sym] ? to($1.to_sym) : super
  end
  refine Numeric do
    UNITS.each { |u, f| define_method(u) { Quantity.new(self * f) } }
  end
  refine String do
    def to_q = (m = match(/([\d.]+)\s*(\w+)/)) ? m[1].to_r.then { Quantity.new(_1 * UNITS[m[2].to_sym]) } : nil
    def shout = "#{upcase}!"
  end
  refine Array do
    def total = inject(:+)
    def to_s = "refined"
  end
end
begin 5.km rescue puts $!.message end
module Use
  using Units
  p 5.km, 5.km + 20.m, 3.mi.in_km, 1.km > 999.m, [1.m, 2.km, 3.cm].max, [1.m, 2.km].total, "2.5 km".to_q.to(:m), 2.km * 3, "x".shout, %w[a b].map(&:shout)
  p 5.km.respond_to?(:in_mm), 5.km.respond_to?(:in_ly)
  begin 5.km.in_ly rescue puts $!.message[0, 60] end
  begin 5.km + 3 rescue p $! end
  begin 5.km < 3 rescue p $! end
  p [1.m, 5.m, 3.m].sort.map(&:value), 4.m.between?(1.m, 5.m), 9.m.clamp(1.m, 5.m), "#{[1]}", [1].to_s, "x".send(:shout), "x".method(:shout).call, ("x".public_send(:shout)), [3,4].then(&:total)
  p "x".respond_to?(:shout), Units.refinements.size, Units.refinements[0].target
end
module Validations
  def self.included(b) = b.extend(ClassMethods)
  module ClassMethods
    def rules = @rules ||= superclass.respond_to?(:rules) ? superclass.rules.dup : []
    def validates(*names, presence: false, format: nil, length: nil, if: nil)
      cond = binding.local_variable_get(:if)
      names.each { |n| rules << [n, { presence:, format:, length: }.compact, cond] }
    end
    def inherited(k)
      super
      (@kids ||= []) << k.name
    end
    attr_reader :kids
  end
  def errors
    self.class.rules.each_with_object(Hash.new { |h, k| h[k] = [] }) do |(n, r, cond), errs|
      next if cond && !instance_exec(&cond)
      v = public_send(n)
      r.each do |kind, arg|
        case [kind, arg]
        in [:presence, true] then errs[n] << "can't be blank" if v.nil? || v.to_s.strip.empty?
        in [:presence, false] then nil
        in [:format, Regexp => re] then errs[n] << "has bad format" unless re === v.to_s
        in [:length, Range => rg] then errs[n] << "has wrong length (#{rg.inspect})" unless rg.cover?(v.to_s.size)
        end
      end
    end
  end
end
class Model
  include Validations
  def self.attribute(name, default = nil, &conv)
    define_method(name) { instance_variable_defined?("@#{name}") ? instance_variable_get("@#{name}") : default }
    define_method(:"#{name}=") { |v| instance_variable_set("@#{name}", conv ? conv.(v) : v) }
    (@attributes ||= []) << name
  end
  def self.attributes = (superclass.respond_to?(:attributes) ? superclass.attributes : []) + (@attributes || [])
  def initialize(**kw) = kw.each { |k, v| public_send(:"#{k}=", v) }
  def to_h = self.class.attributes.to_h { [_1, public_send(_1)] }
end
class User < Model
  attribute :name
  attribute(:age, 18) { Integer(_1) }
  validates :name, presence: true, length: 2..10
  validates :age, format: /\A\d+\z/
end
class Admin < User
  attribute :email
  validates :email, format: /@/, if: -> { age > 20 }
end
p Model.kids, User.attributes, Admin.attributes, Admin.rules.size, User.rules.size
p User.new(name: " ").errors, Admin.new(name: "Bo", age: "42", email: "x").errors, Admin.new(name: "Bo").to_h
begin User.new(foo: 1) rescue puts $!.message.sub(/0x\h+/, "XX") end
begin User.new(age: "abc") rescue p $! end
p User.instance_methods(false).sort, User.instance_method(:age=).arity, User.new.method(:name).owner, User.instance_method(:name).source_location.class
class Meta
  @log = []
  class << self
    attr_reader :log
    def method_added(n) = (@log << [:added, n]; super)
    def singleton_method_added(n) = @log << [:sadded, n]
    def method_removed(n) = @log << [:removed, n]
    def method_undefined(n) = @log << [:undefined, n]
    def const_missing(n) = (@log << [:const, n]; n.to_s.downcase)
  end
  def a; end
  def self.b; end
  alias c a
  attr_accessor :d
  define_method(:e) {}
  remove_method :c
  undef_method :e
  private def z = 1
end
p Meta.log, Meta::FooBar, Meta.log.last, (Meta.new.e rescue $!.message.sub(/0x\h+/, "")), (Meta.new.z rescue $!.message)
