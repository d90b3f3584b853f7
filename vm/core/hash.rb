# Hash: the methods that call blocks.  While one runs, entries keep their numbers (__iterate).

class Hash
  # Calls the block with the number of each live entry.
  def __each_entry
    __iterate(1)
    begin
      i = 0
      while (i = __next(i))
        yield i
        i += 1
      end
    ensure
      __iterate(-1)
    end
  end
  private :__each_entry

  def each
    return to_enum(:each) { size } unless block_given?
    __iterate(1)
    begin
      i = 0
      while (i = __next(i))
        yield [__key(i), __value(i)]
        i += 1
      end
    ensure
      __iterate(-1)
    end
    self
  end

  def each_pair
    return to_enum(:each_pair) { size } unless block_given?
    __iterate(1)
    begin
      i = 0
      while (i = __next(i))
        yield [__key(i), __value(i)]
        i += 1
      end
    ensure
      __iterate(-1)
    end
    self
  end

  def each_key
    return to_enum(:each_key) { size } unless block_given?
    __each_entry { |i| yield __key(i) }
    self
  end

  def each_value
    return to_enum(:each_value) { size } unless block_given?
    __each_entry { |i| yield __value(i) }
    self
  end

  def select
    return to_enum(:select) { size } unless block_given?
    result = {}
    result.compare_by_identity if compare_by_identity?
    __each_entry { |i| k = __key(i); v = __value(i); result[k] = v if yield(k, v) }
    result
  end
  alias filter select

  def reject
    return to_enum(:reject) { size } unless block_given?
    result = {}
    result.compare_by_identity if compare_by_identity?
    __each_entry { |i| k = __key(i); v = __value(i); result[k] = v unless yield(k, v) }
    result
  end

  def select!
    return to_enum(:select!) { size } unless block_given?
    __modify
    n = size
    __each_entry { |i| __delete_at(i) unless yield(__key(i), __value(i)) }
    n == size ? nil : self
  end
  alias filter! select!

  def keep_if
    return to_enum(:keep_if) { size } unless block_given?
    __modify
    __each_entry { |i| __delete_at(i) unless yield(__key(i), __value(i)) }
    self
  end

  def reject!
    return to_enum(:reject!) { size } unless block_given?
    __modify
    n = size
    __each_entry { |i| __delete_at(i) if yield(__key(i), __value(i)) }
    n == size ? nil : self
  end

  def delete_if
    return to_enum(:delete_if) { size } unless block_given?
    __modify
    __each_entry { |i| __delete_at(i) if yield(__key(i), __value(i)) }
    self
  end

  def find_all
    return to_enum(:find_all) { size } unless block_given?
    result = []
    __each_entry { |i| pair = [__key(i), __value(i)]; result << pair if yield(*pair) }
    result
  end

  def filter_map
    return to_enum(:filter_map) { size } unless block_given?
    result = []
    __each_entry { |i| (r = yield(__key(i), __value(i))) && result << r }
    result
  end

  def map
    return to_enum(:map) { size } unless block_given?
    result = []
    __each_entry { |i| result << yield([__key(i), __value(i)]) }
    result
  end
  alias collect map

  def min_by(n = nil, &block)
    return to_enum(:min_by, *n) { size } unless block
    to_a.min_by(*n, &block)
  end

  def max_by(n = nil, &block)
    return to_enum(:max_by, *n) { size } unless block
    to_a.max_by(*n, &block)
  end

  def sum(init = 0, &block) = to_a.sum(init, &block)

  def count(*args, &block)
    return size if args.empty? && !block
    super
  end

  def any?(*pattern)
    return to_a.any?(*pattern) unless pattern.empty?
    return !empty? unless block_given?
    __each_entry { |i| return true if yield(__key(i), __value(i)) }
    false
  end

  def all?(*pattern)
    return to_a.all?(*pattern) unless pattern.empty?
    return true unless block_given?
    __each_entry { |i| return false unless yield(__key(i), __value(i)) }
    true
  end

  def transform_values
    return to_enum(:transform_values) { size } unless block_given?
    result = {}
    result.compare_by_identity if compare_by_identity?
    __each_entry { |i| result[__key(i)] = yield(__value(i)) }
    result
  end

  def transform_values!
    return to_enum(:transform_values!) { size } unless block_given?
    __modify
    __each_entry { |i| __set_value(i, yield(__value(i))) }
    self
  end

  def transform_keys(mapping = nil)
    return to_enum(:transform_keys) { size } unless block_given? || mapping
    mapping = Hash.try_convert(mapping) || raise(TypeError, "no implicit conversion of #{mapping.class} into Hash") if mapping
    result = {}
    __each_entry do |i|
      k = __key(i)
      new_key = if mapping&.key?(k) then mapping[k]
      elsif block_given? then yield(k)
      else k
      end
      result[new_key] = __value(i)
    end
    result
  end

  def transform_keys!(mapping = nil, &block)
    return to_enum(:transform_keys!) { size } unless block || mapping
    __modify
    pairs = to_a
    fresh = {}
    pairs.each do |k, v|
      new_key = if mapping&.key?(k) then mapping[k]
      elsif block then block.call(k)
      else k
      end
      delete(k) unless fresh.key?(k)
      self[new_key] = v
      fresh[new_key] = nil
    end
    self
  end

  def to_h
    return __to_h unless block_given?
    result = {}
    __each_entry do |i|
      x = yield(__key(i), __value(i))
      pair = Array.try_convert(x)
      raise TypeError, "wrong element type #{x.class} (expected array)" unless pair
      raise ArgumentError, "element has wrong array length (expected 2, was #{pair.size})" unless pair.size == 2
      result[pair[0]] = pair[1]
    end
    result
  end

  def update(*others)
    __modify
    others.each do |other|
      other = Hash.try_convert(other) || raise(TypeError, "no implicit conversion of #{other.nil? ? "nil" : other.class} into Hash")
      if block_given?
        other.each_pair do |k, v|
          self[k] = key?(k) ? yield(k, self[k], v) : v
        end
      else
        other.each_pair { |k, v| self[k] = v }
      end
    end
    self
  end
  alias merge! update

  def merge(*others, &block)
    copy = dup
    others.empty? ? copy : copy.update(*others, &block)
  end

  def invert
    result = {}
    __each_entry { |i| result[__value(i)] = __key(i) }
    result
  end

  def compact
    result = {}
    result.compare_by_identity if compare_by_identity?
    __each_entry { |i| v = __value(i); result[__key(i)] = v unless v.nil? }
    result
  end

  def compact!
    __modify
    n = size
    __each_entry { |i| __delete_at(i) if __value(i).nil? }
    n == size ? nil : self
  end

  def fetch_values(*keys, &block)
    keys.map { |k| fetch(k, &block) }
  end

  def sort_by
    return to_enum(:sort_by) { size } unless block_given?
    keys = []
    pairs = []
    __each_entry { |i| pair = [__key(i), __value(i)]; keys << yield(pair); pairs << pair }
    Array.__sort_by(keys, pairs)
  end

  def flatten(depth = 1)
    depth = Array.__index_argument(depth)
    all = to_a
    return all if depth == 0
    depth < 0 ? all.flatten : all.flatten(depth)
  end

  def group_by
    return to_enum(:group_by) { size } unless block_given?
    result = {}
    __each_entry do |i|
      pair = [__key(i), __value(i)]
      (result[yield(pair)] ||= []) << pair
    end
    result
  end

  def partition
    return to_enum(:partition) { size } unless block_given?
    yes = []
    no = []
    __each_entry do |i|
      pair = [__key(i), __value(i)]
      (yield(pair) ? yes : no) << pair
    end
    [yes, no]
  end

  def <=(other)
    other = Hash.try_convert(other) || raise(TypeError, "no implicit conversion of #{other.class} into Hash")
    return false if size > other.size
    __each_entry do |i|
      k = __key(i)
      return false unless other.key?(k) && other[k] == __value(i)
    end
    true
  end

  def <(other)
    other = Hash.try_convert(other) || raise(TypeError, "no implicit conversion of #{other.class} into Hash")
    size < other.size && self <= other
  end

  def >=(other)
    other = Hash.try_convert(other) || raise(TypeError, "no implicit conversion of #{other.class} into Hash")
    other <= self
  end

  def >(other)
    other = Hash.try_convert(other) || raise(TypeError, "no implicit conversion of #{other.class} into Hash")
    other < self
  end

  def to_proc
    hash = self
    lambda { |key| hash[key] }
  end

  def deconstruct_keys(_keys) = self
end
