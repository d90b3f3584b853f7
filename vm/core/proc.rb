# Proc and Method: composition and currying, over their primitives.

class Proc
  def >>(other)
    unless Proc === other || Method === other || other.respond_to?(:call)
      raise TypeError, "callable object is expected"
    end
    me = self
    if lambda?
      lambda { |*args, **opts, &blk| other.call(me.call(*args, **opts, &blk)) }
    else
      proc { |*args, **opts, &blk| other.call(me.call(*args, **opts, &blk)) }
    end
  end

  def <<(other)
    unless Proc === other || Method === other || other.respond_to?(:call)
      raise TypeError, "callable object is expected"
    end
    me = self
    if Proc === other && !other.lambda?
      proc { |*args, **opts, &blk| me.call(other.call(*args, **opts, &blk)) }
    else
      lambda { |*args, **opts, &blk| me.call(other.call(*args, **opts, &blk)) }
    end
  end

  def curry(n = nil)
    count = arity
    if n
      if lambda?
        min = count < 0 ? -count - 1 : count
        kinds = parameters.map(&:first)
        max = kinds.include?(:rest) ? nil : kinds.count { |kind| kind == :req || kind == :opt }
        if n < min || (max && n > max)
          range = max.nil? ? "#{min}+" : max == min ? min : "#{min}..#{max}"
          raise ArgumentError, "wrong number of arguments (given #{n}, expected #{range})"
        end
      end
    else
      n = count < 0 ? -count - 1 : count
    end
    __curry(n, [], lambda?)
  end

  def __curry(n, taken, strict)
    me = self
    if strict
      lambda { |*args| me.__curry_with(n, taken + args, strict) }
    else
      proc { |*args| me.__curry_with(n, taken + args, strict) }
    end
  end

  def __curry_with(n, args, strict)
    args.size >= n ? call(*args) : __curry(n, args, strict)
  end
end

class Method
  def >>(other) = to_proc >> other

  def <<(other) = to_proc << other

  def curry(n = nil) = n ? to_proc.curry(n) : to_proc.curry
end
