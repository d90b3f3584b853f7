# Range: iteration, membership, size.

class Range
  def __cant_iterate(from = self.begin)
    raise TypeError, "can't iterate from #{from.class}"
  end
  private :__cant_iterate

  def first(*n)
    raise RangeError, "cannot get the first element of beginless range" if self.begin.nil?
    return self.begin if n.empty?
    super
  end

  def last(*n)
    raise RangeError, "cannot get the last element of endless range" if self.end.nil?
    return self.end if n.empty?
    if Integer === self.begin && Integer === self.end
      n = Array.__index_argument(n[0])
      raise ArgumentError, "negative array size" if n < 0
      high = exclude_end? ? self.end - 1 : self.end
      low = [high - n + 1, self.begin].max
      return (low..high).to_a
    end
    to_a.last(*n)
  end

  def each
    return to_enum(:each) { size } unless block_given?
    from = self.begin
    to = self.end
    if Integer === from && (Integer === to || Float === to || to.nil?)
      to = nil if Float === to && to == Float::INFINITY
      if to.nil?
        while true
          yield from
          from += 1
        end
      end
      if Float === to
        to = to.infinite? ? to : exclude_end? && to == to.floor ? to : to.floor
      end
      if exclude_end? && !(Float === self.end && self.end != self.end.floor)
        while from < to
          yield from
          from += 1
        end
      else
        while from <= to
          yield from
          from += 1
        end
      end
    elsif String === from && (String === to || to.nil?)
      if to.nil?
        while true
          yield from
          from = from.succ
        end
      end
      from.upto(to, exclude_end?) { |s| yield s }
    elsif Symbol === from && (Symbol === to || to.nil?)
      if to.nil?
        (from.to_s..).each { |s| yield s.to_sym }
      else
        from.to_s.upto(to.to_s, exclude_end?) { |s| yield s.to_sym }
      end
    else
      __cant_iterate unless from.respond_to?(:succ)
      if to.nil?
        while true
          yield from
          from = from.succ
        end
      end
      while (c = from <=> to) && (c < 0 || (c == 0 && !exclude_end?))
        yield from
        break if c == 0
        from = from.succ
      end
    end
    self
  end

  def reverse_each(&block)
    to = self.end
    raise TypeError, "can't iterate from #{to.class}" if to.nil?
    unless block
      return to_enum(:reverse_each) { Integer === to && self.begin.nil? ? Float::INFINITY : size }
    end
    if Integer === to && (Integer === self.begin || self.begin.nil?)
      i = exclude_end? ? to - 1 : to
      while self.begin.nil? || i >= self.begin
        yield i
        i -= 1
      end
      return self
    end
    super
  end

  def to_a
    raise RangeError, "cannot convert endless range to an array" if self.end.nil?
    super
  end
  alias entries to_a

  def size
    from = self.begin
    to = self.end
    if Integer === from
      return Float::INFINITY if to.nil?
      if Numeric === to
        return to > 0 ? Float::INFINITY : 0 if Float === to && to.infinite?
        n = (to - from).floor + 1
        n -= 1 if exclude_end? && to == to.floor
        return n < 0 ? 0 : n
      end
      return nil
    end
    raise TypeError, "can't iterate from #{from.class}" if Float === from || Rational === from || from.nil?
    nil
  end

  def count(*args, &block)
    return super if !args.empty? || block
    return Float::INFINITY if self.begin.nil? || self.end.nil?
    return size if Integer === self.begin && Integer === self.end
    super
  end

  def cover?(value)
    if Range === value
      return false if value.begin.nil? && !self.begin.nil? || value.end.nil? && !self.end.nil?
      unless value.begin.nil? || value.end.nil?
        c = value.begin <=> value.end
        return false if c.nil? || c > 0 || (c == 0 && value.exclude_end?)
      end
      unless value.begin.nil?
        return false unless __above?(value.begin)
      end
      return true if self.end.nil?
      c = value.end <=> self.end
      return false if c.nil?
      return true if c < 0 || (c == 0 && (!exclude_end? || value.exclude_end?))
      if value.exclude_end? && Integer === value.begin && Integer === value.end && !exclude_end?
        return value.end - 1 <= self.end
      end
      return false
    end
    __above?(value) && __below?(value)
  end

  def __above?(value)
    return true if self.begin.nil?
    c = self.begin <=> value
    !c.nil? && c <= 0
  end

  def __below?(value)
    return true if self.end.nil?
    c = value <=> self.end
    !c.nil? && (exclude_end? ? c < 0 : c <= 0)
  end
  private :__above?, :__below?

  # Ends that count (numbers, times, what converts to an Integer) are compared with, others iterated to.
  def include?(value)
    return cover?(value) if [self.begin, self.end].any? { |x| Numeric === x || Time === x || (!x.nil? && x.respond_to?(:to_int)) }
    return false if String === self.begin && String === self.end && !(String === value)
    return true if self.begin.nil? && self.end.nil? && (Numeric === value || Time === value)
    raise TypeError, "cannot determine inclusion in beginless/endless ranges" if self.begin.nil? || self.end.nil?
    super
  end
  alias member? include?

  def min(*args, &block)
    raise RangeError, "cannot get the minimum of beginless range" if self.begin.nil?
    if self.end.nil?
      raise RangeError, "cannot get the minimum of endless range with custom comparison method" if block
      return self.begin if args.empty?
      return first(*args)
    end
    return super if block || !args.empty?
    c = self.begin <=> self.end
    return nil if c.nil? || c > 0 || (c == 0 && exclude_end?)
    self.begin
  end

  def max(*args, &block)
    raise RangeError, "cannot get the maximum of endless range" if self.end.nil?
    if self.begin.nil?
      raise RangeError, "cannot get the maximum of beginless range with custom comparison method" if block || !args.empty?
    end
    return super if block || !args.empty? || (exclude_end? && !(Numeric === self.end))
    unless self.begin.nil?
      c = self.begin <=> self.end
      return nil if c.nil? || c > 0 || (c == 0 && exclude_end?)
    end
    if exclude_end?
      raise TypeError, "cannot exclude non Integer end value" unless Integer === self.end
      raise TypeError, "cannot exclude end value with non Integer begin value" unless Integer === self.begin
      return self.end - 1
    end
    self.end
  end

  def minmax(&block)
    return super if block
    [min, max]
  end

  def inject(*args)
    return to_a.inject(*args) if !block_given? && Integer === self.begin && Integer === self.end
    super
  end
  alias reduce inject

  def sum(init = 0)
    return super unless !block_given? && Integer === self.begin && Integer === self.end
    high = exclude_end? ? self.end - 1 : self.end
    return init if high < self.begin
    init + (high - self.begin + 1) * (self.begin + high) / 2
  end

  def step(by = (none = true; 1))
    from = self.begin
    to = self.end
    raise ArgumentError, "#step iteration for beginless ranges is meaningless" if from.nil? && block_given?
    if Numeric === from || Numeric === to
      raise ArgumentError, "step can't be 0" if by == 0
      unless block_given?
        return Enumerator::ArithmeticSequence.__build(from, to, by, exclude_end?, self, none ? [] : [by], :step)
      end
      if Float === from || Float === to || Float === by
        raise ArgumentError, "step can't be 0" if by == 0
        i = 0
        n = to.nil? ? Float::INFINITY : ((to - from) / by.to_f + 1e-9).floor
        while i <= n
          x = from + i * by.to_f
          x = to.to_f if to && !exclude_end? && (by > 0 ? x > to : x < to)
          break if exclude_end? && to && (by > 0 ? x >= to : x <= to)
          yield x
          i += 1
        end
        return self
      end
      x = from
      while to.nil? || (by > 0 ? (exclude_end? ? x < to : x <= to) : (exclude_end? ? x > to : x >= to))
        yield x
        x += by
      end
      return self
    end
    raise ArgumentError, "step is required for non-numeric ranges" if none && !(String === from)
    return to_enum(:step, *(none ? [] : [by])) unless block_given?
    if String === from && Integer === by
      raise ArgumentError, "step can't be negative" if by < 0
      raise ArgumentError, "step can't be 0" if by == 0
      i = 0
      each { |x| yield x if i % by == 0; i += 1 }
      return self
    end
    if Symbol === from && Integer === by
      i = 0
      each { |x| yield x if i % by == 0; i += 1 }
      return self
    end
    x = from
    while to.nil? || ((c = x <=> to) && (c < 0 || (c == 0 && !exclude_end?)))
      yield x
      x += by
    end
    self
  end

  def %(by) = step(by)

  def bsearch
    return to_enum(:bsearch) unless block_given?
    low = self.begin
    high = self.end
    if Float === low || Float === high
      low = low.nil? ? -Float::INFINITY : low.to_f
      high = high.nil? ? Float::INFINITY : high.to_f
      a = __float_order(low)
      b = __float_order(high)
      b -= 1 if exclude_end?
      found = nil
      while a <= b
        mid = (a + b) / 2
        x = __float_at(mid)
        r = yield(x)
        case r
        when true then found = x; b = mid - 1
        when false, nil then a = mid + 1
        when Numeric
          return x if r == 0
          r < 0 ? b = mid - 1 : a = mid + 1
        else raise TypeError, "wrong argument type #{r.class} (must be numeric, true, false or nil)"
        end
      end
      return found
    end
    raise TypeError, "can't do binary search for #{low.class}" unless Integer === low || (low.nil? && Integer === high)
    if high.nil?
      gap = 1
      gap *= 2 until (r = yield(low + gap)) == true || r == 0 || (Numeric === r && r < 0)
      return (low..low + gap).bsearch { |x| yield x }
    end
    if low.nil?
      gap = 1
      gap *= 2 while (r = yield(high - gap)) == true || (Numeric === r && r < 0)
      return high - gap if r == 0
      return Range.new(high - gap, high, exclude_end?).bsearch { |x| yield x }
    end
    high -= 1 if exclude_end?
    found = nil
    while low <= high
      mid = (low + high).div(2)
      r = yield(mid)
      case r
      when true then found = mid; high = mid - 1
      when false, nil then low = mid + 1
      when Numeric
        return mid if r == 0
        r < 0 ? high = mid - 1 : low = mid + 1
      else raise TypeError, "wrong argument type #{r.class} (must be numeric, true, false or nil)"
      end
    end
    found
  end

  # Floats in order, as Integers.
  def __float_order(x)
    n = [x].pack("G").unpack1("Q>")
    n >= 1 << 63 ? -(n - (1 << 63)) : n
  end

  def __float_at(n)
    n < 0 ? [-n + (1 << 63)].pack("Q>").unpack1("G") : [n].pack("Q>").unpack1("G")
  end
  private :__float_order, :__float_at

  def overlap?(other)
    raise TypeError, "wrong argument type #{other.class} (expected Range)" unless Range === other
    __nonempty? && other.__send__(:__nonempty?) && __starts_before?(other) && other.__send__(:__starts_before?, self)
  end

  def __nonempty?
    return true if self.begin.nil? || self.end.nil?
    c = self.begin <=> self.end
    !c.nil? && (c < 0 || (c == 0 && !exclude_end?))
  end

  def __starts_before?(other)
    return true if self.begin.nil? || other.end.nil?
    c = self.begin <=> other.end
    !c.nil? && (c < 0 || (c == 0 && !other.exclude_end?))
  end
  private :__nonempty?, :__starts_before?
end
