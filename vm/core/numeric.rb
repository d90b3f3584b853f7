# Numeric#step, over Integers, Floats and everything else that adds and compares.
class Numeric
  def step(limit = (no_limit = true; nil), step = (no_step = true; nil), by: (no_by = true; nil), to: (no_to = true; nil))
    unless no_to
      raise ArgumentError, "to is given twice" unless no_limit
      limit = to
    end
    unless no_by
      raise ArgumentError, "step is given twice" unless no_step
      step = by
    end
    if block_given?
      raise TypeError, "no implicit conversion from nil to integer" if !no_step && step.nil?
      step = 1 if step.nil?
      raise ArgumentError, "step can't be 0" if step == 0
      down = step.is_a?(Numeric) ? step < 0 : (step > 0 ? false : true)
    else
      raise ArgumentError, "step can't be 0" if !step.nil? && step == 0
      if (step.nil? || step.is_a?(Numeric)) && (limit.nil? || limit.is_a?(Numeric)) && defined?(Enumerator::ArithmeticSequence)
        args = if !no_by || !no_to
          kw = {}
          kw[:by] = by unless no_by
          kw[:to] = to unless no_to
          [kw]
        else
          no_limit ? [] : no_step ? [limit] : [limit, step]
        end
        return Enumerator::ArithmeticSequence.__build(self, limit, step.nil? ? 1 : step, false, self, args, :step)
      end
      step = 1 if step.nil?
      return to_enum(:step, limit, step) { __step_size(limit, step, false) }
    end
    if is_a?(Float) || limit.is_a?(Float) || step.is_a?(Float)
      n = __float_step_size(to_f, limit.nil? ? (down ? -Float::INFINITY : Float::INFINITY) : limit.to_f, step.to_f, false)
      from = to_f
      unit = step.to_f
      if unit.infinite?
        yield from if n > 0
      elsif unit == 0
        loop { yield from }
      else
        i = 0
        while i < n
          d = i * unit + from
          d = limit.to_f if !limit.nil? && (unit >= 0 ? limit.to_f < d : d < limit.to_f)
          yield d
          i += 1
        end
      end
      return self
    end
    i = self
    if limit.nil?
      while true
        yield i
        i += step
      end
    elsif down
      until i < limit
        yield i
        i += step
      end
    else
      until i > limit
        yield i
        i += step
      end
    end
    self
  end

  # How many values a float range of this step has: the error of the division is allowed for.
  def __float_step_size(from, limit, unit, excl)
    return Float::INFINITY if unit == 0
    return unit > 0 ? (from <= limit ? 1 : 0) : (from >= limit ? 1 : 0) if unit.infinite?
    n = (limit - from) / unit
    err = (from.abs + limit.abs + (limit - from).abs) / unit.abs * Float::EPSILON
    err = 0.5 if err > 0.5
    if excl
      return 0 if n <= 0
      d = n < 1 ? 0 : (n - err).floor
      d += 1 if d * unit + from < limit && unit > 0 || d * unit + from > limit && unit < 0
      return n < 1 ? 1 : d
    end
    return 0 if n < 0 || n.nan?
    return n if n.infinite?
    (n + err).floor + 1
  end
  private :__float_step_size

  def __step_size(limit, step, excl)
    step > 0 # a step that is no number says so
    if is_a?(Float) || limit.is_a?(Float) || step.is_a?(Float)
      return __float_step_size(to_f, limit.nil? ? (step < 0 ? -Float::INFINITY : Float::INFINITY) : limit.to_f, step.to_f, excl)
    end
    return Float::INFINITY if limit.nil?
    return 0 if step > 0 ? self > limit : self < limit
    n = (limit - self).div(step)
    n -= 1 if excl && self + n * step == limit
    n + 1
  end
  private :__step_size
end
