# Set: over a Hash whose keys are the elements.

class Set
  include Enumerable

  def self.[](*items) = new(items)

  def initialize(items = nil, &block)
    @hash = {}
    return if items.nil?
    if block
      __each_of(items) { |x| add(block.call(x)) }
    else
      merge(items)
    end
  end

  def __each_of(items, &block)
    if items.respond_to?(:each_entry) then items.each_entry(&block)
    elsif items.respond_to?(:each) then items.each(&block)
    else raise ArgumentError, "value must be enumerable"
    end
  end
  private :__each_of

  def __hash = @hash
  protected :__hash

  def instance_variables = super - [:@hash]

  def initialize_copy(other)
    @hash = other.__hash.dup
    self
  end

  def freeze
    @hash.freeze
    super
  end

  def compare_by_identity
    @hash.compare_by_identity
    self
  end
  def compare_by_identity? = @hash.compare_by_identity?

  def size = @hash.size
  alias length size
  def empty? = @hash.empty?

  def add(x)
    raise FrozenError.new("can't modify frozen Set: #{inspect}", receiver: self) if frozen?
    @hash[x] = true
    self
  end
  alias << add

  def add?(x)
    return nil if include?(x)
    add(x)
  end

  def delete(x)
    raise FrozenError.new("can't modify frozen Set: #{inspect}", receiver: self) if frozen?
    @hash.delete(x)
    self
  end

  def delete?(x)
    include?(x) ? delete(x) : nil
  end

  def include?(x) = @hash.key?(x)
  alias member? include?
  alias === include?

  def clear
    raise FrozenError.new("can't modify frozen Set: #{inspect}", receiver: self) if frozen?
    @hash.clear
    self
  end

  def replace(items)
    fresh = Set.new(items)
    raise FrozenError.new("can't modify frozen Set: #{inspect}", receiver: self) if frozen?
    @hash = fresh.__hash
    self
  end

  def reset
    raise FrozenError.new("can't modify frozen Set: #{inspect}", receiver: self) if frozen?
    @hash.rehash
    self
  end

  def merge(*lists)
    lists.each do |items|
      if Set === items
        items.__hash.each_key { |x| add(x) }
      else
        __each_of(items) { |x| add(x) }
      end
    end
    self
  end

  def subtract(items)
    __each_of(items) { |x| delete(x) }
    self
  end

  def each(&block)
    return to_enum(:each) { size } unless block
    @hash.each_key(&block)
    self
  end

  def to_a = @hash.keys
  def to_set(*args, &block)
    return self if instance_of?(Set) && args.empty? && !block
    Set.new(self, *args, &block)
  end

  def first(*n)
    n.empty? ? @hash.each_key { |x| return x } && nil : to_a.first(*n)
  end

  def |(items) = dup.merge(items)
  alias + |
  alias union |

  def -(items) = dup.subtract(items)
  alias difference -

  def &(items)
    result = self.class.new
    result.compare_by_identity if compare_by_identity?
    if Set === items
      small, large = items.size > size ? [self, items] : [items, self]
      small.each { |x| result.add(x) if large.include?(x) }
    else
      __each_of(items) { |x| result.add(x) if include?(x) }
    end
    result
  end
  alias intersection &

  def ^(items)
    result = dup
    Set.new(items).each { |x| result.delete?(x) || result.add(x) }
    result
  end

  def ==(other)
    return true if equal?(other)
    Set === other && size == other.size && other.__hash.each_key.all? { |x| include?(x) }
  end

  def eql?(other) = Set === other && @hash.eql?(other.__hash)
  def hash = @hash.hash

  def __set!(other)
    raise ArgumentError, "value must be a set" unless Set === other
    other
  end
  private :__set!

  def subset?(other)
    __set!(other)
    size <= other.size && all? { |x| other.include?(x) }
  end
  alias <= subset?

  def superset?(other)
    __set!(other)
    other.size <= size && other.all? { |x| include?(x) }
  end
  alias >= superset?

  def proper_subset?(other)
    __set!(other)
    size < other.size && subset?(other)
  end
  alias < proper_subset?

  def proper_superset?(other)
    __set!(other)
    other.size < size && superset?(other)
  end
  alias > proper_superset?

  def <=>(other)
    return nil unless Set === other
    case size <=> other.size
    when -1 then subset?(other) ? -1 : nil
    when 1 then superset?(other) ? 1 : nil
    else self == other ? 0 : nil
    end
  end

  def intersect?(other)
    case other
    when Set
      size < other.size ? any? { |x| other.include?(x) } : other.any? { |x| include?(x) }
    else
      raise ArgumentError, "value must be enumerable" unless other.respond_to?(:each_entry)
      other.any? { |x| include?(x) }
    end
  end

  def disjoint?(other) = !intersect?(other)

  def select!
    return to_enum(:select!) { size } unless block_given?
    n = size
    @hash.select! { |x, _| yield x }
    n == size ? nil : self
  end
  alias filter! select!

  def reject!
    return to_enum(:reject!) { size } unless block_given?
    n = size
    @hash.reject! { |x, _| yield x }
    n == size ? nil : self
  end

  def delete_if
    return to_enum(:delete_if) { size } unless block_given?
    @hash.delete_if { |x, _| yield x }
    self
  end

  def keep_if
    return to_enum(:keep_if) { size } unless block_given?
    @hash.keep_if { |x, _| yield x }
    self
  end

  def select(&block)
    return to_enum(:select) { size } unless block
    self.class.new(to_a.select(&block))
  end
  alias filter select

  def reject(&block)
    return to_enum(:reject) { size } unless block
    self.class.new(to_a.reject(&block))
  end

  def partition(&block)
    return to_enum(:partition) { size } unless block
    to_a.partition(&block)
  end

  def map!
    return to_enum(:map!) { size } unless block_given?
    replace(map { |x| yield x })
  end
  alias collect! map!

  def classify
    return to_enum(:classify) { size } unless block_given?
    result = {}
    each { |x| (result[yield(x)] ||= self.class.new).add(x) }
    result
  end

  def divide(&block)
    return to_enum(:divide) { size } unless block
    return Set.new(classify(&block).values) if block.arity != 2
    groups = []
    each do |x|
      touching = groups.select { |g| g.any? { |y| yield(x, y) && yield(y, x) } }
      merged = self.class.new([x])
      touching.each { |g| merged.merge(g) }
      groups = groups.reject { |g| touching.any? { |t| t.equal?(g) } } << merged
    end
    Set.new(groups)
  end

  def flatten
    result = self.class.new
    __flatten_into(result, self, [])
    result
  end

  def flatten!
    any? { |x| Set === x } ? replace(flatten) : nil
  end

  def __flatten_into(result, set, under_way)
    raise ArgumentError, "tried to flatten recursive Set" if under_way.any? { |s| s.equal?(set) }
    under_way.push(set)
    set.each { |x| Set === x ? __flatten_into(result, x, under_way) : result.add(x) }
    under_way.pop
  end
  private :__flatten_into

  def join(separator = nil) = to_a.join(separator)

  def inspect
    name = self.class.name
    text = Thread.__guard(:inspect, self) do
      "#{name == "Set" ? "Set" : "#<#{name}: "}[#{to_a.map(&:inspect).join(", ")}]#{">" unless name == "Set"}"
    end
    text = "Set[...]" if text == true
    text
  end
  alias to_s inspect
  def pretty_print(q) = q.text(inspect)
end
