# Delegator, SimpleDelegator, DelegateClass.
class Delegator < BasicObject
  kernel = ::Kernel.dup
  kernel.class_eval do
    %i[to_s =~ !~ === <=> hash inspect then tap methods public_send respond_to? dup clone freeze ! != == eql?].each do |m|
      undef_method m if method_defined?(m)
    end
  end
  include kernel

  def self.const_missing(n) = ::Object.const_get(n)

  def initialize(obj)
    __setobj__(obj)
  end

  def method_missing(m, *args, **kw, &block)
    target = __getobj__
    if target.respond_to?(m)
      target.__send__(m, *args, **kw, &block)
    else
      super
    end
  end

  def respond_to?(m, include_private = false)
    self.class.method_defined?(m) || __getobj__.respond_to?(m, include_private)
  end

  def respond_to_missing?(m, include_private) = __getobj__.respond_to?(m, include_private)
  def to_s = __getobj__.to_s
  def inspect = __getobj__.inspect
  def hash = __getobj__.hash
  def <=>(other) = __getobj__ <=> other
  def ===(other) = __getobj__ === other
  def =~(other) = __getobj__ =~ other
  def ! = !__getobj__

  def ==(obj)
    return true if obj.equal?(self)
    __getobj__ == obj
  end

  def !=(obj)
    return false if obj.equal?(self)
    __getobj__ != obj
  end

  def eql?(obj)
    return true if obj.equal?(self)
    obj.eql?(__getobj__)
  end

  def methods(all = true) = __getobj__.methods(all) | super
  def freeze
    super
    self
  end
end

class SimpleDelegator < Delegator
  def __getobj__ = @delegate_sd_obj

  def __setobj__(obj)
    @delegate_sd_obj = obj
  end
end

def DelegateClass(superclass, &block)
  cls = Class.new(Delegator)
  cls.class_eval do
    def __getobj__ = @delegate_dc_obj

    def __setobj__(obj)
      @delegate_dc_obj = obj
    end
    (superclass.public_instance_methods - %i[__send__ __id__ object_id respond_to? to_s inspect == != ! === =~ <=> eql? hash class instance_of? is_a? kind_of? method instance_variable_get instance_variable_set freeze frozen? dup clone methods]).each do |m|
      next if m.match?(/\A__/)
      define_method(m) { |*a, **k, &b| __getobj__.__send__(m, *a, **k, &b) }
    end
  end
  cls.class_eval(&block) if block
  cls
end
