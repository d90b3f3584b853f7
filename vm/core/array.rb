# Array: the methods that call blocks.  Each reads size anew in every round, so a block that changes
# the receiver is harmless.

class Array
  # The Integer that n converts to.
  def self.__index_argument(n)
    return n if Integer === n
    if n.nil? || n == true || n == false || !n.respond_to?(:to_int)
      name = n.nil? ? "nil" : n == true || n == false ? n.to_s : n.class.to_s
      raise TypeError, "no implicit conversion #{n.nil? ? "from nil" : "of #{name}"} #{n.nil? ? "to integer" : "into Integer"}"
    end
    n.to_int
  end

  def each
    return to_enum(:each) { size } unless block_given?
    i = 0
    while i < size
      yield self[i]
      i += 1
    end
    self
  end

  def each_index
    return to_enum(:each_index) { size } unless block_given?
    i = 0
    while i < size
      yield i
      i += 1
    end
    self
  end

  def each_with_index
    return to_enum(:each_with_index) { size } unless block_given?
    i = 0
    while i < size
      yield self[i], i
      i += 1
    end
    self
  end

  def reverse_each
    return to_enum(:reverse_each) { size } unless block_given?
    i = size - 1
    while i >= 0
      i = size - 1 if i >= size
      break if i < 0
      yield self[i]
      i -= 1
    end
    self
  end

  def map
    return to_enum(:map) { size } unless block_given?
    result = []
    i = 0
    while i < size
      result << yield(self[i])
      i += 1
    end
    result
  end

  def collect
    return to_enum(:collect) { size } unless block_given?
    result = []
    i = 0
    while i < size
      result << yield(self[i])
      i += 1
    end
    result
  end

  def map!
    return to_enum(:map!) { size } unless block_given?
    __check_frozen
    i = 0
    while i < size
      self[i] = yield(self[i])
      i += 1
    end
    self
  end
  alias collect! map!

  def __check_frozen
    raise FrozenError.new("can't modify frozen #{self.class}: #{inspect}", receiver: self) if frozen?
  end
  private :__check_frozen

  def select
    return to_enum(:select) { size } unless block_given?
    result = []
    i = 0
    while i < size
      x = self[i]
      result << x if yield(x)
      i += 1
    end
    result
  end
  alias filter select

  def reject
    return to_enum(:reject) { size } unless block_given?
    result = []
    i = 0
    while i < size
      x = self[i]
      result << x unless yield(x)
      i += 1
    end
    result
  end

  # Keeps the elements for which the block's truth equals `keep`; true when any went.
  def __keep!(keep)
    __check_frozen
    from = to = 0
    begin
      while from < size
        x = self[from]
        if (yield(x) ? true : false) == keep
          self[to] = x if to != from
          to += 1
        end
        from += 1
      end
    ensure
      if from < size || to < from
        while from < size
          self[to] = self[from]
          to += 1
          from += 1
        end
        changed = to != size
        __truncate(to)
      end
    end
    changed
  end
  private :__keep!

  def select!
    return to_enum(:select!) { size } unless block_given?
    __keep!(true) { |x| yield x } ? self : nil
  end
  alias filter! select!

  def keep_if
    return to_enum(:keep_if) { size } unless block_given?
    __keep!(true) { |x| yield x }
    self
  end

  def reject!
    return to_enum(:reject!) { size } unless block_given?
    __keep!(false) { |x| yield x } ? self : nil
  end

  def delete_if
    return to_enum(:delete_if) { size } unless block_given?
    __keep!(false) { |x| yield x }
    self
  end

  def fetch(index, *default)
    raise ArgumentError, "wrong number of arguments (given #{default.size + 1}, expected 1..2)" if default.size > 1
    i = Array.__index_argument(index)
    k = i < 0 ? i + size : i
    return self[k] if k >= 0 && k < size
    if block_given?
      warn("block supersedes default value argument", uplevel: 0) unless default.empty?
      return yield(index)
    end
    return default[0] unless default.empty?
    raise IndexError, "index #{i} outside of array bounds: #{-size}...#{size}"
  end

  def fetch_values(*indexes, &block)
    indexes.map { |i| fetch(i, &block) }
  end

  def find_index(*args)
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..1)" if args.size > 1
    return __index(args[0]) unless args.empty?
    return to_enum(:find_index) unless block_given?
    i = 0
    while i < size
      return i if yield(self[i])
      i += 1
    end
    nil
  end

  def index(*args)
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..1)" if args.size > 1
    return __index(args[0]) unless args.empty?
    return to_enum(:index) unless block_given?
    i = 0
    while i < size
      return i if yield(self[i])
      i += 1
    end
    nil
  end

  def rindex(*args)
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..1)" if args.size > 1
    return __rindex(args[0]) unless args.empty?
    return to_enum(:rindex) unless block_given?
    i = size - 1
    while i >= 0
      return i if yield(self[i])
      i = [i - 1, size - 1].min
    end
    nil
  end

  def find(if_none = nil)
    return to_enum(:find, if_none) unless block_given?
    i = 0
    while i < size
      x = self[i]
      return x if yield(x)
      i += 1
    end
    if_none&.call
  end
  alias detect find

  def rfind(if_none = nil)
    return to_enum(:rfind, if_none) unless block_given?
    i = size - 1
    while i >= 0
      x = self[i]
      return x if yield(x)
      i = [i - 1, size - 1].min
    end
    if_none&.call
  end

  def count(*args)
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..1)" if args.size > 1
    n = 0
    i = 0
    if !args.empty?
      while i < size
        n += 1 if self[i] == args[0]
        i += 1
      end
    elsif block_given?
      while i < size
        n += 1 if yield(self[i])
        i += 1
      end
    else
      return size
    end
    n
  end

  def any?(*pattern)
    i = 0
    if !pattern.empty?
      while i < size
        return true if pattern[0] === self[i]
        i += 1
      end
    elsif block_given?
      while i < size
        return true if yield(self[i])
        i += 1
      end
    else
      while i < size
        return true if self[i]
        i += 1
      end
    end
    false
  end

  def all?(*pattern)
    i = 0
    if !pattern.empty?
      while i < size
        return false unless pattern[0] === self[i]
        i += 1
      end
    elsif block_given?
      while i < size
        return false unless yield(self[i])
        i += 1
      end
    else
      while i < size
        return false unless self[i]
        i += 1
      end
    end
    true
  end

  def sort_by!
    return to_enum(:sort_by!) { size } unless block_given?
    __check_frozen
    replace(sort_by { |x| yield x })
  end

  def minmax(&block)
    [min(&block), max(&block)]
  end

  def uniq
    return __uniq unless block_given?
    seen = {}
    each do |x|
      key = yield(x)
      seen[key] = x unless seen.key?(key)
    end
    seen.values
  end

  def uniq!(&block)
    __check_frozen
    result = uniq(&block)
    return nil if result.size == size
    replace(result)
  end

  def take_while
    return to_enum(:take_while) unless block_given?
    i = 0
    i += 1 while i < size && yield(self[i])
    first(i)
  end

  def drop_while
    return to_enum(:drop_while) unless block_given?
    i = 0
    i += 1 while i < size && yield(self[i])
    drop(i)
  end

  def to_h
    result = {}
    i = 0
    while i < size
      x = self[i]
      x = yield(x) if block_given?
      pair = Array.try_convert(x)
      raise TypeError, "wrong element type #{x.class}#{" at #{i}" unless block_given?} (expected array)" unless pair
      unless pair.size == 2
        raise ArgumentError, block_given? ? "element has wrong array length (expected 2, was #{pair.size})" :
          "wrong array length at #{i} (expected 2, was #{pair.size})"
      end
      result[pair[0]] = pair[1]
      i += 1
    end
    result
  end

  def fill(*args, &block)
    __check_frozen
    if block
      raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0..2)" if args.size > 2
      start, count = args
    else
      raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 1..3)" if args.empty? || args.size > 3
      value, start, count = args
    end
    case start
    when nil
      first = 0
      last = count ? first + Array.__index_argument(count) : size
    when Range
      raise TypeError, "no implicit conversion of Range into Integer" if count
      first = start.begin.nil? ? 0 : Array.__index_argument(start.begin)
      first += size if first < 0
      raise RangeError, "#{start.inspect} out of range" if first < 0
      last = start.end.nil? ? size : Array.__index_argument(start.end)
      last += size if last < 0 && !start.end.nil?
      last += 1 unless start.exclude_end? || start.end.nil?
    else
      first = Array.__index_argument(start)
      first += size if first < 0
      first = 0 if first < 0
      last = count ? first + Array.__index_argument(count) : size
    end
    raise ArgumentError, "argument too big" if last > 0x7fffffff
    i = first
    while i < last
      self[i] = block ? yield(i) : value
      i += 1
    end
    self
  end

  def cycle(n = nil)
    unless block_given?
      return to_enum(:cycle, n) { size == 0 ? 0 : n.nil? ? Float::INFINITY : [n, 0].max * size }
    end
    n = Array.__index_argument(n) unless n.nil?
    until empty?
      break if n && (n -= 1) < 0
      i = 0
      while i < size
        yield self[i]
        i += 1
      end
    end
    nil
  end

  def combination(k)
    k = Array.__index_argument(k)
    return to_enum(:combination, k) { __binomial(size, k) } unless block_given?
    n = size
    items = dup
    return self if k < 0 || k > n
    picks = (0...k).to_a
    while true
      yield items.values_at(*picks)
      i = k - 1
      i -= 1 while i >= 0 && picks[i] == n - k + i
      return self if i < 0
      picks[i] += 1
      (i + 1).upto(k - 1) { |j| picks[j] = picks[j - 1] + 1 }
    end
  end

  def __binomial(n, k)
    return 0 if k < 0 || k > n
    result = 1
    k = n - k if k > n - k
    1.upto(k) { |i| result = result * (n - k + i) / i }
    result
  end
  private :__binomial

  def permutation(k = nil, &block)
    k = k.nil? ? size : Array.__index_argument(k)
    unless block
      return to_enum(:permutation, k) { k < 0 || k > size ? 0 : (0...k).inject(1) { |a, i| a * (size - i) } }
    end
    return self if k < 0 || k > size
    __permute(dup, k, [], Array.new(size, false), &block)
    self
  end

  def __permute(items, k, picked, used, &block)
    return block.call(picked.map { |i| items[i] }) if picked.size == k
    i = 0
    while i < items.size
      unless used[i]
        used[i] = true
        picked << i
        __permute(items, k, picked, used, &block)
        picked.pop
        used[i] = false
      end
      i += 1
    end
  end
  private :__permute

  def repeated_combination(k, &block)
    k = Array.__index_argument(k)
    return to_enum(:repeated_combination, k) { k < 0 ? 0 : k == 0 ? 1 : __binomial(size + k - 1, k) } unless block
    __repeat(dup, k, [], 0, true, &block) if k >= 0
    self
  end

  def repeated_permutation(k, &block)
    k = Array.__index_argument(k)
    return to_enum(:repeated_permutation, k) { k < 0 ? 0 : size**k } unless block
    __repeat(dup, k, [], 0, false, &block) if k >= 0
    self
  end

  def __repeat(items, k, picked, from, ordered, &block)
    return block.call(picked.dup) if picked.size == k
    i = ordered ? from : 0
    while i < items.size
      picked << items[i]
      __repeat(items, k, picked, i, ordered, &block)
      picked.pop
      i += 1
    end
  end
  private :__repeat

  def product(*others)
    lists = [self, *others.map { |o| Array.try_convert(o) || raise(TypeError, "no implicit conversion of #{o.class} into Array") }]
    lists = lists.map(&:dup)
    return block_given? ? self : [] if lists.any?(&:empty?)
    unless block_given?
      count = lists.inject(1) { |n, list| n * list.size }
      raise RangeError, "too big to product" if count >= 2**63
      result = Array.new(count).clear
    end
    at = [0] * lists.size
    while true
      row = []
      lists.each_with_index { |l, i| row << l[at[i]] }
      result ? result << row : yield(row)
      i = lists.size - 1
      while i >= 0
        at[i] += 1
        break if at[i] < lists[i].size
        at[i] = 0
        i -= 1
      end
      return result || self if i < 0
    end
  end

  def bsearch(&block)
    return to_enum(:bsearch) unless block
    i = bsearch_index(&block)
    i && self[i]
  end

  def bsearch_index
    return to_enum(:bsearch_index) unless block_given?
    low = 0
    high = size
    found = nil
    while low < high
      mid = low + (high - low) / 2
      r = yield(self[mid])
      case r
      when true
        found = mid
        high = mid
      when false, nil
        low = mid + 1
      when Numeric
        return mid if r == 0
        r < 0 ? high = mid : low = mid + 1
      else
        raise TypeError, "wrong argument type #{r.class} (must be numeric, true, false or nil)"
      end
    end
    found
  end

  def sum(init = 0)
    return super if block_given?
    total = __sum(init)
    total.nil? ? super : total
  end

  def inject(*args)
    if block_given? && args.size < 2
      i = args.size == 0 ? 1 : 0
      memo = args.size == 0 ? self[0] : args[0]
      while i < size
        memo = yield(memo, self[i])
        i += 1
      end
      return memo
    end
    return super unless args.size == 1 || args.size == 2
    op = args.last
    op = op.to_sym unless Symbol === op
    args.size == 2 ? __fold(op, args[0]) : __fold(op)
  end
  alias reduce inject

  def shuffle(random: nil)
    random ? Array.new(self).shuffle!(random: random) : Array.new(self).shuffle!
  end

  def sample(n = (none = true), random: Random)
    if none
      return nil if empty?
      k = random.rand(size)
      return self[k]
    end
    n = Array.__index_argument(n)
    raise ArgumentError, "negative sample number" if n < 0
    len = size
    n = len if n > len
    return [] if n == 0
    return [self[random.rand(len)]] if n == 1
    if n == 2
      i = random.rand(len)
      j = random.rand(len - 1)
      j += 1 if j >= i
      return [self[i], self[j]]
    end
    if n == 3
      i = random.rand(len)
      j = random.rand(len - 1)
      k = len > 2 ? random.rand(len - 2) : 0
      low, high = j, i
      if j >= i
        low = i
        high = (j += 1)
      end
      if k >= low
        k += 1
        k += 1 if k >= high
      end
      return [self[i], self[j], self[k]]
    end
    if n <= 16 # few: the k-th of those not taken yet, by a sorted list of the taken
      taken = [i = random.rand(len)]
      result = [self[i]]
      while result.size < n
        k = random.rand(len -= 1)
        j = 0
        while j < taken.size && k >= taken[j]
          k += 1
          j += 1
        end
        taken.insert(j, k)
        result << self[k]
      end
      return result
    end
    result = Array.new(self)
    i = 0
    while i < n # the beginning of a shuffle
      j = (len - i > 1 ? random.rand(len - i) : 0) + i
      result[i], result[j] = result[j], result[i]
      i += 1
    end
    result.first(n)
  end

  def zip(*others, &block)
    return super unless others.all? { |o| Array === o }
    result = block ? nil : []
    i = 0
    while i < size
      row = [self[i]]
      others.each { |o| row << o[i] }
      result ? result << row : block.call(row)
      i += 1
    end
    result
  end

  def __aref_sequence(sequence)
    step = sequence.step
    first = sequence.begin
    last = sequence.end
    range = step < 0 ? Range.new(last, first, sequence.exclude_end?) : Range.new(first, last, sequence.exclude_end?)
    part = self[range]
    if part.nil? || (step.abs > 1 && ((first || 0).abs > size))
      raise RangeError, "#{sequence.inspect} out of range"
    end
    part = part.reverse if step < 0
    result = []
    i = 0
    while i < part.size
      result << part[i]
      i += step.abs
    end
    result
  end
  private :__aref_sequence

  def deconstruct = self
end
