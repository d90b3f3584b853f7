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
    lambda { |*args, **opts, &blk| me.call(other.call(*args, **opts, &blk)) }
  end

  def curry(n = nil)
    count = arity
    if n
      if lambda?
        min = count < 0 ? -count - 1 : count
        if count >= 0 ? n != count : n < min
          raise ArgumentError, "wrong number of arguments (given #{n}, expected #{min}#{count < 0 ? "+" : ""})"
        end
      end
    else
      n = count < 0 ? -count - 1 : count
    end
    __curry(n, [])
  end

  def __curry(n, taken)
    me = self
    made = lambda do |*args|
      all = taken + args
      all.size >= n ? me.call(*all) : me.__curry(n, all)
    end
    made
  end
end

class Method
  def >>(other) = to_proc >> other

  def <<(other) = to_proc << other

  def curry(n = nil) = n ? to_proc.curry(n) : to_proc.curry
end
