# Enumerable, over each.  A block given by the user gets what each yields; where elements are kept or
# compared, several yielded values become one Array: that is what |*packed| means in core (README).

module Enumerable
  def __enum_size
    respond_to?(:size) ? size : nil
  end
  private :__enum_size

  def to_a(*args, **kw)
    result = []
    each(*args, **kw) do |*packed|
      result << packed
      nil
    end
    result
  end
  alias entries to_a

  def to_h(*args)
    result = {}
    each(*args) do |*packed|
      packed = yield(packed) if block_given?
      pair = Array.try_convert(packed)
      raise TypeError, "wrong element type #{packed.class} (expected array)" unless pair
      raise ArgumentError, "element has wrong array length (expected 2, was #{pair.size})" unless pair.size == 2
      result[pair[0]] = pair[1]
    end
    result
  end

  def to_set(*args, &block) = Set.new(self, *args, &block)

  def map
    return to_enum(:map) { __enum_size } unless block_given?
    result = []
    each { |*packed| result << yield(*packed) }
    result
  end
  alias collect map

  def flat_map
    return to_enum(:flat_map) unless block_given?
    result = []
    each do |*packed|
      r = yield(*packed)
      a = Array.try_convert(r)
      a ? result.concat(a) : result << r
    end
    result
  end
  alias collect_concat flat_map

  def select
    return to_enum(:select) { __enum_size } unless block_given?
    result = []
    each { |*packed| result << packed if yield(*packed) }
    result
  end
  alias filter select

  def filter_map
    return to_enum(:filter_map) { __enum_size } unless block_given?
    result = []
    each { |*packed| (r = yield(*packed)) && result << r }
    result
  end

  def reject
    return to_enum(:reject) { __enum_size } unless block_given?
    result = []
    each { |*packed| result << packed unless yield(*packed) }
    result
  end

  def find(if_none = nil)
    return to_enum(:find, if_none) unless block_given?
    each do |*packed|
      return packed if yield(packed)
    end
    if_none&.call
  end
  alias detect find

  def find_index(*args)
    return to_enum(:find_index) if args.empty? && !block_given?
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..1)" if args.size > 1
    i = 0
    if args.empty?
      each { |*packed| return i if yield(*packed); i += 1 }
    else
      each { |*packed| return i if packed == args[0]; i += 1 }
    end
    nil
  end

  def find_all
    return to_enum(:find_all) { __enum_size } unless block_given?
    result = []
    each { |*packed| result << packed if yield(*packed) }
    result
  end

  def each_with_index(*args)
    return to_enum(:each_with_index, *args) { __enum_size } unless block_given?
    i = -1
    each(*args) { |*packed| yield(packed, i += 1) }
    self
  end

  def each_with_object(memo)
    return to_enum(:each_with_object, memo) { __enum_size } unless block_given?
    each { |*packed| yield(packed, memo) }
    memo
  end

  def each_entry(*args)
    return to_enum(:each_entry, *args) { __enum_size } unless block_given?
    each(*args) { |*packed| yield packed }
    self
  end

  def reverse_each(*args)
    return to_enum(:reverse_each, *args) { __enum_size } unless block_given?
    all = to_a(*args)
    i = all.size
    yield all[i] while (i -= 1) >= 0
    self
  end

  def inject(*args, &block)
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..2)" if args.size > 2
    op = nil
    memo = nil
    none = true
    if args.size == 2
      memo, op = args
      none = false
    elsif args.size == 1 && block
      memo = args[0]
      none = false
    elsif args.size == 1
      op = args[0]
    elsif !block
      raise LocalJumpError, "no block given"
    end
    if op
      op = op.to_sym unless Symbol === op
      each do |*packed|
        if none
          memo = packed
          none = false
        else
          memo = memo.__send__(op, packed)
        end
      end
    else
      each do |*packed|
        if none
          memo = packed
          none = false
        else
          memo = yield(memo, packed)
        end
      end
    end
    memo
  end
  alias reduce inject

  def sum(init = 0)
    sum = init
    comp = 0.0
    float = false
    each do |*packed|
      packed = yield(packed) if block_given?
      if float && (Float === packed || Integer === packed || Rational === packed)
        packed = packed.to_f
        if packed.nan? || packed.infinite? || sum.infinite?
          sum += packed
        else
          t = sum + packed
          comp += sum.abs >= packed.abs ? (sum - t) + packed : (packed - t) + sum
          sum = t
        end
      elsif Float === packed && (Integer === sum || Rational === sum || Float === sum)
        float = true
        sum = sum.to_f
        t = sum + packed
        comp += sum.abs >= packed.abs ? (sum - t) + packed : (packed - t) + sum unless t.nan? || t.infinite?
        sum = t
      else
        if float
          sum += comp
          comp = 0.0
          float = false
        end
        sum += packed
      end
    end
    float ? sum + comp : sum
  end

  def count(*args)
    n = 0
    if args.size == 1
      each { |*packed| n += 1 if packed == args[0] }
    elsif args.size > 1
      raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..1)"
    elsif block_given?
      each { |*packed| n += 1 if yield(*packed) }
    else
      each { n += 1 }
    end
    n
  end

  def first(*args)
    if args.empty?
      each { |*packed| return packed }
      return nil
    end
    n = args[0]
    n = Array.__index_argument(n)
    raise ArgumentError, "attempt to take negative size" if n < 0
    result = []
    return result if n == 0
    each do |*packed|
      result << packed
      break if result.size >= n
    end
    result
  end

  def take(n)
    first(n)
  end

  def take_while
    return to_enum(:take_while) unless block_given?
    result = []
    each do |*packed|
      break unless yield(*packed)
      result << packed
    end
    result
  end

  def drop(n)
    n = Array.__index_argument(n)
    raise ArgumentError, "attempt to drop negative size" if n < 0
    result = []
    i = 0
    each do |*packed|
      result << packed if i >= n
      i += 1
    end
    result
  end

  def drop_while
    return to_enum(:drop_while) unless block_given?
    result = []
    dropping = true
    each do |*packed|
      dropping = false if dropping && !yield(*packed)
      result << packed unless dropping
    end
    result
  end

  def include?(value)
    each { |*packed| return true if packed == value }
    false
  end
  alias member? include?

  def all?(*pattern)
    if !pattern.empty?
      each { |*packed| return false unless pattern[0] === packed }
    elsif block_given?
      each { |*packed| return false unless yield(*packed) }
    else
      each { |*packed| return false unless packed }
    end
    true
  end

  def any?(*pattern)
    if !pattern.empty?
      each { |*packed| return true if pattern[0] === packed }
    elsif block_given?
      each { |*packed| return true if yield(*packed) }
    else
      each { |*packed| return true if packed }
    end
    false
  end

  def none?(*pattern)
    if !pattern.empty?
      each { |*packed| return false if pattern[0] === packed }
    elsif block_given?
      each { |*packed| return false if yield(*packed) }
    else
      each { |*packed| return false if packed }
    end
    true
  end

  def one?(*pattern)
    n = 0
    if !pattern.empty?
      each { |*packed| return false if pattern[0] === packed && (n += 1) > 1 }
    elsif block_given?
      each { |*packed| return false if yield(*packed) && (n += 1) > 1 }
    else
      each { |*packed| return false if packed && (n += 1) > 1 }
    end
    n == 1
  end

  def group_by
    return to_enum(:group_by) { __enum_size } unless block_given?
    result = {}
    each do |*packed|
      key = yield(packed)
      if (group = result[key])
        group << packed
      else
        result[key] = [packed]
      end
    end
    result
  end

  def partition
    return to_enum(:partition) { __enum_size } unless block_given?
    yes = []
    no = []
    each do |*packed|
      (yield(packed) ? yes : no) << packed
    end
    [yes, no]
  end

  def tally(hash = nil)
    if hash
      hash = Hash.try_convert(hash) || raise(TypeError, "no implicit conversion of #{hash.class} into Hash")
      raise FrozenError.new("can't modify frozen Hash: #{hash.inspect}", receiver: hash) if hash.frozen?
    end
    result = hash || {}
    each do |*packed|
      n = result.fetch(packed, 0)
      raise TypeError, "wrong argument type #{n.class} (expected Integer)" unless Integer === n
      result[packed] = n + 1
    end
    result
  end

  def min(*args, &block) = to_a.min(*args, &block)
  def max(*args, &block) = to_a.max(*args, &block)
  def minmax(&block) = to_a.minmax(&block)

  def min_by(n = nil)
    return to_enum(:min_by, *n) { __enum_size } unless block_given?
    return sort_by { |*packed| yield(*packed) }.first(n) if n
    best = best_key = nil
    none = true
    each do |*packed|
      key = yield(packed)
      if none || Array.__compare(key, best_key) < 0
        best = packed
        best_key = key
        none = false
      end
    end
    best
  end

  def max_by(n = nil)
    return to_enum(:max_by, *n) { __enum_size } unless block_given?
    return sort_by { |*packed| yield(*packed) }.reverse.first(n) if n
    best = best_key = nil
    none = true
    each do |*packed|
      key = yield(packed)
      if none || Array.__compare(key, best_key) > 0
        best = packed
        best_key = key
        none = false
      end
    end
    best
  end

  def minmax_by(&block)
    return to_enum(:minmax_by) { __enum_size } unless block
    [min_by(&block), max_by(&block)]
  end

  def sort(&block) = to_a.sort(&block)

  def sort_by
    return to_enum(:sort_by) { __enum_size } unless block_given?
    keys = []
    values = []
    each do |*packed|
      keys << yield(packed)
      values << packed
    end
    Array.__sort_by(keys, values)
  end

  def uniq
    seen = {}
    each do |*packed|
      key = block_given? ? yield(packed) : packed
      seen[key] = packed unless seen.key?(key)
    end
    seen.values
  end

  def compact
    reject(&:nil?)
  end

  def each_slice(n)
    n = Array.__index_argument(n)
    raise ArgumentError, "invalid slice size" if n <= 0
    unless block_given?
      return to_enum(:each_slice, n) { (s = __enum_size) && (s + n - 1).div(n) }
    end
    slice = []
    each do |*packed|
      slice << packed
      if slice.size == n
        yield slice
        slice = []
      end
    end
    yield slice unless slice.empty?
    self
  end

  def each_cons(n)
    n = Array.__index_argument(n)
    raise ArgumentError, "invalid size" if n <= 0
    unless block_given?
      return to_enum(:each_cons, n) { (s = __enum_size) && (s < n ? 0 : s - n + 1) }
    end
    window = []
    each do |*packed|
      window.shift if window.size == n
      window << packed
      yield window.dup if window.size == n
    end
    self
  end

  def zip(*others)
    others = others.map do |o|
      if (a = Array.try_convert(o)) then a
      elsif o.respond_to?(:each) then o.to_enum(:each)
      else raise TypeError, "wrong argument type #{o.class} (must respond to :each)"
      end
    end
    result = block_given? ? nil : []
    i = -1
    each do |*packed|
      i += 1
      row = [packed]
      others.each_with_index do |o, k|
        row << if Array === o then o[i]
        elsif o
          begin
            o.next
          rescue StopIteration
            others[k] = nil
          end
        end
      end
      result ? result << row : yield(row)
    end
    result
  end

  def cycle(n = nil)
    unless block_given?
      return to_enum(:cycle, n) do
        s = __enum_size
        if s.nil? then nil
        elsif s == 0 then 0
        elsif n.nil? then Float::INFINITY
        else [n, 0].max * s
        end
      end
    end
    if n
      n = Array.__index_argument(n)
      return nil if n <= 0
    end
    all = []
    each do |*packed|
      all << packed
      yield packed
    end
    return nil if all.empty?
    while n.nil? || (n -= 1) > 0
      all.each { |x| yield x }
    end
    nil
  end

  def chunk(&block)
    return to_enum(:chunk) { __enum_size } unless block
    source = self
    Enumerator.new do |y|
      group = nil
      key = nil
      source.each do |*packed|
        k = block.call(packed)
        if k.nil? || k == :_separator
          y.yield(key, group) if group
          group = nil
        elsif k == :_alone
          y.yield(key, group) if group
          group = nil
          y.yield(:_alone, [packed])
        elsif Symbol === k && k.start_with?("_")
          raise RuntimeError, "symbols beginning with an underscore are reserved"
        elsif group && k == key
          group << packed
        else
          y.yield(key, group) if group
          group = [packed]
          key = k
        end
      end
      y.yield(key, group) if group
      nil
    end
  end

  def chunk_while(&block)
    raise ArgumentError, "tried to create Proc object without a block" unless block
    slice_when { |a, b| !block.call(a, b) }
  end

  def slice_when(&block)
    raise ArgumentError, "tried to create Proc object without a block" unless block
    source = self
    Enumerator.new do |y|
      group = nil
      last = nil
      source.each do |*packed|
        if group.nil?
          group = [packed]
        elsif block.call(last, packed)
          y << group
          group = [packed]
        else
          group << packed
        end
        last = packed
      end
      y << group if group
      nil
    end
  end

  def slice_before(*pattern, &block)
    if block
      raise ArgumentError, "both pattern and block are given" unless pattern.empty?
    elsif pattern.size != 1
      raise ArgumentError, "wrong number of arguments (given #{pattern.size}, expected 1)"
    end
    source = self
    Enumerator.new do |y|
      group = nil
      source.each do |*packed|
        if group && (block ? block.call(packed) : pattern[0] === packed)
          y << group
          group = [packed]
        else
          (group ||= []) << packed
        end
      end
      y << group if group
      nil
    end
  end

  def slice_after(*pattern, &block)
    if block
      raise ArgumentError, "both pattern and block are given" unless pattern.empty?
    elsif pattern.size != 1
      raise ArgumentError, "wrong number of arguments (given #{pattern.size}, expected 1)"
    end
    source = self
    Enumerator.new do |y|
      group = nil
      source.each do |*packed|
        (group ||= []) << packed
        if block ? block.call(packed) : pattern[0] === packed
          y << group
          group = nil
        end
      end
      y << group if group
      nil
    end
  end

  def grep(pattern)
    result = []
    each do |*packed|
      result << (block_given? ? yield(packed) : packed) if pattern === packed
    end
    result
  end

  def grep_v(pattern)
    result = []
    each do |*packed|
      result << (block_given? ? yield(packed) : packed) unless pattern === packed
    end
    result
  end

  def lazy
    Enumerator::Lazy.__from(self, __enum_size)
  end

  def chain(*others) = Enumerator::Chain.new(self, *others)
end
