# Collections by identity, as MagLev has them: IdentitySet, IdentityHash, OrderedCollection.
#
# IdentitySet and OrderedCollection are reduced-conflict objects (vm/core/reduced.rb): sessions that add and remove different
# elements do not conflict.  The part of a set is a Hash by identity, so its elements stand in the order in which they were added.

# A set in which two elements may be equal, but none is there twice.  It never holds nil.  Indexes and queries: index.rb.
class IdentitySet
  include Enumerable
  include Maglev::ReducedConflict

  # with_all(array), or with_all of the elements, two or more.
  def self.with_all(*elements)
    elements = elements[0] if elements.size == 1
    raise TypeError, "expected an Array argument" unless Array === elements
    new.__add_all(elements)
  end

  def initialize
    @part = {}.compare_by_identity
    @index_version = 0
  end

  def add(element)
    __put(element)
    self
  end
  alias << add

  # The set, or nil when the element was there already.  Of two sessions that add it one gets a conflict.
  def add?(element) = __put(element, true) ? self : nil

  # Takes the element out.  Returns it, or nil when it was not there.  Of two sessions that take it one gets a conflict.
  def remove(element) = __take(element, true) ? element : nil
  alias delete? remove
  alias pop remove

  def delete(element)
    __take(element)
    self
  end

  def subtract(elements)
    elements.each { |element| __take(element) }
    self
  end

  def clear = subtract(to_a)

  def delete_if
    return to_enum(:delete_if) { size } unless block_given?
    to_a.each { |element| __take(element) if yield(element) }
    self
  end

  def include?(element)
    found = part.key?(element)
    look(:has, element, found)
    found
  end
  alias member? include?
  alias === include?

  def size = whole.size
  alias length size
  def empty? = whole.empty?
  def to_a = whole.keys

  def each(&block)
    return to_enum(:each) { size } unless block
    whole.each_key(&block)
    self
  end

  def &(other) = __made(to_a.select { |element| other.include?(element) })
  alias intersection &
  def |(other) = __made(to_a).__add_all(other)
  alias + |
  alias union |
  def -(other) = __made(to_a.reject { |element| other.include?(element) })
  alias difference -

  def ==(other)
    equal?(other) || (IdentitySet === other && size == other.size && superset?(other))
  end

  def superset?(other) = other.all? { |element| part.key?(element) }
  alias >= superset?
  def subset?(other) = other.superset?(self)
  alias <= subset?
  def proper_superset?(other) = size > other.size && superset?(other)
  alias > proper_superset?
  def proper_subset?(other) = other.proper_superset?(self)
  alias < proper_subset?

  # A Hash of IdentitySets.
  def group_by
    return to_enum(:group_by) { size } unless block_given?
    each_with_object({}) { |element, groups| (groups[yield(element)] ||= __made([])) << element }
  end

  # The mean of what the block says of the elements; of none, NaN.
  def avg(&block) = sum(0.0, &block) / size

  def inspect
    text = Thread.__guard(:inspect, self) { to_a.map(&:inspect).join(", ") }
    "#<#{self.class}: {#{text == true ? "..." : text}}>"
  end
  alias to_s inspect

  def encode_with(coder) = coder.represent_seq(self.class.name, to_a)

  def init_with(coder)
    initialize
    __add_all(coder.seq)
  end

  def __add_all(elements)
    elements.each { |element| __put(element) }
    self
  end

  def __replay(operation)
    name, element, found, version = operation
    now = part.key?(element)
    return now == found if name == :has
    return false unless version == @index_version && (found.nil? || now == found)
    name == :add ? part[element] = true : part.delete(element)
    true
  end

  private

  def initialize_copy(other)
    super
    @indexes = nil
    @index_version = 0
  end

  def __made(elements) = IdentitySet.new.__add_all(elements)

  # `told`: who called learns whether it was there.
  def __put(element, told = false)
    return false if element.nil?
    elements = part
    if elements.key?(element)
      look(:has, element, true)
      return false
    end
    elements[element] = true
    note(:add, element, told ? false : nil, @index_version)
    Maglev::Index.__moved(self, element) if @indexes
    true
  end

  def __take(element, told = false)
    elements = part
    unless elements.key?(element)
      look(:has, element, false)
      return false
    end
    elements.delete(element)
    note(:delete, element, told ? true : nil, @index_version)
    Maglev::Index.__moved(self, element) if @indexes
    true
  end
end

# A Hash that knows its keys by identity.  It has no default value.
class IdentityHash < Hash
  def self.from_hash(hash)
    hash.each_pair.with_object(new) { |(key, value), result| result[key] = value }
  end

  def self.[](*pairs) = from_hash(Hash[*pairs])

  def initialize(*, **)
    super()
    compare_by_identity
  end

  def default=(value)
    raise ArgumentError, "non-nil default value not supported by IdentityHash" unless value.nil?
  end

  def default_proc=(value)
    raise ArgumentError, "non-nil default value not supported by IdentityHash" unless value.nil?
  end
end

# A list to which sessions append without a conflict, in the order of their commits.
class OrderedCollection
  include Enumerable
  include Maglev::ReducedConflict

  def initialize(elements = nil)
    @part = []
    elements&.each { |element| self << element }
  end

  def <<(element)
    part << element
    note(:push, element)
    self
  end
  alias add <<

  def [](index) = whole[index]
  def last = whole.last
  def size = whole.size
  alias length size
  def empty? = whole.empty?
  def to_a = whole.dup

  def each(&block)
    return to_enum(:each) { size } unless block
    whole.each(&block)
    self
  end

  def reverse_each(&block)
    return to_enum(:reverse_each) { size } unless block
    whole.reverse_each(&block)
    self
  end

  def reverse_each_with_index
    return to_enum(:reverse_each_with_index) { size } unless block_given?
    i = size
    reverse_each { |element| yield element, i -= 1 }
  end

  # Takes the first element that is equal out and returns it; nil when there is none.
  def delete(element)
    i = whole.index(element)
    return unless i
    element = part.delete_at(i)
    note(:delete, element)
    element
  end

  # Cuts the end off, or fills it with nil.
  def size=(n)
    __cut while size > n
    self << nil while size < n
  end

  def clear
    self.size = 0
    self
  end

  def ==(other) = equal?(other) || (OrderedCollection === other && to_a == other.to_a)
  def inspect = "#<#{self.class} #{to_a.inspect}>"

  def __replay(operation)
    name, element = operation
    elements = part
    case name
    when :push
      elements << element
    when :cut
      return false unless elements.last.equal?(element)
      elements.pop
    else
      i = elements.index { |other| other.equal?(element) }
      return false unless i
      elements.delete_at(i)
    end
    true
  end

  private

  def __cut
    note(:cut, part.pop)
  end
end
