# Forwardable: methods that pass on to another object.
module Forwardable
  VERSION = "1.4.0"

  def self.__define(target, accessor, method, ali)
    accessor = accessor.to_s
    code = "def #{ali}(...) = #{accessor}.#{method}(...)"
    if ali.to_s.match?(/\A[a-zA-Z_]\w*[?!]?\z/) && method.to_s.match?(/\A[a-zA-Z_]\w*[?!]?\z/)
      target.class_eval(code)
    else
      target.define_method(ali) do |*a, **k, &b|
        receiver = accessor.start_with?("@") ? instance_eval(accessor) : instance_eval(accessor)
        receiver.__send__(method, *a, **k, &b)
      end
    end
    ali.to_sym
  end

  def def_instance_delegator(accessor, method, ali = method)
    Forwardable.__define(is_a?(Module) ? self : singleton_class, accessor, method, ali)
  end
  alias def_delegator def_instance_delegator

  def def_instance_delegators(accessor, *methods)
    methods.each { |m| def_instance_delegator(accessor, m) unless m == :__send__ || m == :__id__ }
  end
  alias def_delegators def_instance_delegators

  def instance_delegate(hash)
    hash.each { |methods, accessor| Array(methods).each { |m| def_instance_delegator(accessor, m) } }
  end
  alias delegate instance_delegate
end

module SingleForwardable
  def def_single_delegator(accessor, method, ali = method)
    Forwardable.__define(singleton_class, accessor, method, ali)
  end
  alias def_delegator def_single_delegator

  def def_single_delegators(accessor, *methods)
    methods.each { |m| def_single_delegator(accessor, m) }
  end
  alias def_delegators def_single_delegators
end
