# Ractor: what works without parallel actors: sharing.  Sessions are the unit of parallelism here.

class Ractor
  class Error < StandardError; end
  class RemoteError < Error; end
  class IsolationError < Error; end
  class MovedError < Error; end
  class UnsafeError < Error; end
  class ClosedError < StopIteration; end

  def self.new(*, **) = raise(NotImplementedError, "Ractor.new is not implemented")

  def self.count = 1
  def self.main? = true

  def self.shareable?(obj, seen = {}.compare_by_identity)
    return true if seen[obj]
    return false unless obj.frozen?
    seen[obj] = true
    __parts(obj).all? { |part| shareable?(part, seen) }
  end

  def self.make_shareable(obj, copy: false)
    obj = Marshal.load(Marshal.dump(obj)) if copy && !shareable?(obj)
    __freeze(obj, {}.compare_by_identity)
    obj
  end

  def self.__freeze(obj, seen)
    return if seen[obj] || Module === obj
    raise IsolationError, "Proc's self is not shareable: #{obj.inspect}" if Proc === obj
    seen[obj] = true
    obj.freeze
    __parts(obj).each { |part| __freeze(part, seen) }
  end

  def self.__parts(obj)
    return [] if Module === obj
    parts = obj.instance_variables.map { |name| obj.instance_variable_get(name) }
    case obj
    when Array then parts.concat(obj)
    when Hash then parts.concat(obj.keys, obj.values)
    when Struct then parts.concat(obj.to_a)
    when Range then parts.push(obj.begin, obj.end)
    else parts
    end
  end
  private_class_method :__freeze, :__parts
end
