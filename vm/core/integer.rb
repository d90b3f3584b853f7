# Integer: what iterates.  The rest is integer.c.
class Integer
  def times
    return to_enum(:times) { self < 0 ? 0 : self } unless block_given?
    i = 0
    while i < self
      yield i
      i += 1
    end
    self
  end

  def upto(limit)
    unless block_given?
      return to_enum(:upto, limit) do
        raise ArgumentError, "comparison of Integer with #{limit.inspect} failed" unless limit.is_a?(Numeric)
        n = (limit - self).floor + 1
        n < 0 ? 0 : n
      end
    end
    i = self
    if limit.is_a?(Integer)
      while i <= limit
        yield i
        i += 1
      end
    else
      until i > limit
        yield i
        i += 1
      end
    end
    self
  end

  def downto(limit)
    unless block_given?
      return to_enum(:downto, limit) do
        raise ArgumentError, "comparison of Integer with #{limit.inspect} failed" unless limit.is_a?(Numeric)
        n = (self - limit).floor + 1
        n < 0 ? 0 : n
      end
    end
    i = self
    if limit.is_a?(Integer)
      while i >= limit
        yield i
        i -= 1
      end
    else
      until i < limit
        yield i
        i -= 1
      end
    end
    self
  end
end
