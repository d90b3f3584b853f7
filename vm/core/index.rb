# Indexes and queries of IdentitySet.
#
# An index orders the elements of one set by what a path of instance variables ("@address.@zip") leads to.  Any instance
# variable will do.  It is settled, that is brought up to date, before each commit and before each search that uses it:
# what was added to or taken from its set since, and each element whose path leads through an object that this transaction
# changed, is looked at again.  So an index answers only for a set that is committed; until then a search looks at all.
#
# I1  What an element's path leads through are its stops: the element, the objects between, a String at the end that can change.
#     `stops` leads from each to the elements it concerns.  Whoever gives an element a new stop counts as having changed that
#     object (__touch).  So of two sessions, one that adds an element and one that changes it, the second to commit conflicts;
#     and whoever makes an index so changes all that it stands on.
# I2  Making or removing an index gives its set a new version, which additions and removals of other sessions must meet
#     (IdentitySet#__replay), and counts as changing the set's part.
# I3  Every session knows all indexes of the store by their numbers, in the registry: a number keeps no index alive.
# I4  Entries [key, number of the element, element] lie in a tree of leaves in that order.  Leaves are reduced-conflict objects:
#     sessions that index different elements conflict only when a leaf is split or given up (conflicts repeat in
#     Maglev.transaction).  A leaf knows its bounds; an operation that is replayed on a leaf which no longer covers it fails.
# I5  What can't be ordered with the others (nil, another class, NaN) is in `odd`, and each search looks at that.

module Maglev
  class Index
    OPERATORS = {equal: :equal?, eql: :==, lt: :<, lte: :<=, gt: :>, gte: :>=}.freeze
    NEGATED = {not_equal: :equal, not_eql: :eql}.freeze
    # Classes whose objects have one order among them.
    ORDERED = [[Numeric, Integer, Float, Rational], [String], [Symbol], [Time]].freeze
    LEVELS = 16
    IVAR_GET = Kernel.instance_method(:instance_variable_get)
    private_constant :IVAR_GET

    @moved = []

    class << self
      # [:@a, :@b] of "@a.@b", [:@a, "@b"], ...
      def __path(path)
        names = Array(path).flat_map { |part| part.to_s.split(".") }.map(&:to_sym)
        unless (1..LEVELS).cover?(names.size) && names.all? { |name| name.match?(/\A@[[:alpha:]_]\w*\z/) }
          raise ArgumentError, "#{path.inspect} is no path of 1 to #{LEVELS} instance variables"
        end
        names
      end

      # What the path leads to, and the objects it leads through on the way.
      def __follow(element, names)
        stops = [element]
        value = element
        names.each_with_index do |name, i|
          stops << value if i > 0 && !value.nil?
          value = value.nil? ? nil : IVAR_GET.bind_call(value, name)
        end
        [value, stops]
      end

      def __meets?(key, operator, value)
        case operator
        when :equal then key.equal?(value)
        when :eql then key == value
        else
          order = key <=> value
          !order.nil? && order.public_send(OPERATORS[operator], 0)
        end
      end

      # The element was added to the set or taken out of it.
      def __moved(set, element) = @moved << [set, element]

      def __register(index)
        @registry ||= Maglev.persistent { Index.instance_variable_set(:@registry, Map.new) }
        @registry[index.object_id] = true
      end

      def __unregister(index) = @registry&.delete(index.object_id)

      # Brings all indexes up to date.
      def __settle
        @moved.each { |set, element| set.__indexes.each { |index| index.reindex(element) } }
        return if @registry.nil? || @registry.empty?
        changed = Maglev.__dirty
        return if changed.empty?
        @registry.keys.each do |number|
          index = Maglev.__find(number)
          changed.each { |object| index.changed(object) } if Index === index
        end
      end

      # After a boundary: what concerns sets of the store is settled, or undone.
      def __forget_moves
        @moved = @moved.reject { |set, _| set.committed? } unless @moved.empty?
      end
    end

    attr_reader :names, :kind

    # kind: :equality, with the class of the last element, or :identity.
    def initialize(set, names, kind, last_class = nil)
      @set, @names, @kind = set, names, kind
      @family = ORDERED.find { |classes| classes.include?(last_class) }
      if kind == :equality && !@family
        raise ArgumentError, "an equality index needs one of #{ORDERED.flatten.join(", ")}, not #{last_class.inspect}: " \
                             "it would not see how the order of others changes"
      end
      @tree = Tree.new
      @keys = Map.new
      @stops = Map.new
      @odd = IdentitySet.new
    end

    def path = @names.join(".")

    def changed(object)
      concerned = @stops[object.object_id]
      return if concerned.nil?
      Shared === concerned ? concerned.to_a.each { |element| reindex(element) } : reindex(concerned)
    end

    # Makes the index say of the element what holds.
    def reindex(element)
      number = element.object_id
      had = @keys[number]
      return if had.nil? && !@set.include?(element)
      key, stops = @set.include?(element) ? __key(element) : [nil, []]
      now = stops.empty? ? nil : [key, *stops.map(&:object_id)]
      return if now == had
      __take(element, number, had, now) if had
      __put(element, number, had, key, stops, now) if now
    end

    def serves?(operator, value)
      return false unless @set.committed? && committed?
      @kind == :identity ? operator == :equal : operator != :equal && @family[0] === value && value == value
    end

    # The elements between the bounds, [value, included?] or nil.
    def between(low, high)
      if @kind == :identity
        low = [low[0].object_id, true]
        high = [high[0].object_id, true]
      end
      found = []
      @tree.each_between(low, high) { |element| found << element }
      found
    end

    def odd = @odd.to_a

    private

    # Of an identity index the key is the number of the value.
    def __key(element)
      value, stops = Index.__follow(element, @names)
      return [[value.object_id], stops] if @kind == :identity
      stops << value if String === value && !value.frozen?
      return [nil, stops] unless @family.any? { |c| value.instance_of?(c) } && value == value
      [[String === value ? value.dup.freeze : value], stops]
    end

    def __put(element, number, had, key, stops, now)
      stops.each do |stop|
        next if had&.drop(1)&.include?(stop.object_id)
        __concern(stop, element)
      end
      key ? @tree.insert(key[0], number, element) : @odd << element
      @keys[number] = now
    end

    def __take(element, number, had, now)
      key, *stops = had
      key ? @tree.remove(key[0], number) : @odd.delete(element)
      @keys.delete(number) unless now
      stops.each { |stop| __release(stop, element) unless now&.drop(1)&.include?(stop) }
    end

    def __concern(stop, element)
      Maglev.__touch(stop)
      number = stop.object_id
      others = @stops[number]
      case others
      when nil then @stops[number] = element
      when Shared then others << element
      else @stops[number] = Shared.new << others << element unless others.equal?(element)
      end
    end

    def __release(number, element)
      others = @stops[number]
      Shared === others ? others.delete(element) : @stops.delete(number)
    end

    # The elements that one stop concerns, when there are several.
    class Shared < IdentitySet; end

    # A tree of leaves.  Branches are [[bounds between the children], [children]].
    class Tree
      FULL = 64
      private_constant :FULL

      def initialize
        @root = Leaf.new(nil, nil)
      end

      def insert(key, number, element)
        right, bound = __insert(@root, [key, number], element)
        @root = [[bound], [@root, right]] if right
      end

      def remove(key, number)
        __remove(@root, [key, number])
        @root = @root[1][0] if Array === @root && @root[1].size == 1
      end

      def each_between(low, high, node = @root, &block)
        return node.each_between(low, high, &block) if Leaf === node
        bounds, children = node
        first = low ? bounds.index { |key, _| (key <=> low[0]) >= 0 } || bounds.size : 0
        (first...children.size).each do |i|
          break if high && i > 0 && (bounds[i - 1][0] <=> high[0]) > 0
          each_between(low, high, children[i], &block)
        end
      end

      def self.order(a, b)
        by_key = a[0] <=> b[0]
        by_key == 0 ? a[1] <=> b[1] : by_key
      end

      private

      def __child(bounds, at) = bounds.bsearch_index { |bound| Tree.order(bound, at) > 0 } || bounds.size

      # The new neighbour on the right and the bound between, when the node was split.
      def __insert(node, at, element)
        if Leaf === node
          node.insert(at, element)
          return node.size > FULL ? node.split : nil
        end
        bounds, children = node
        i = __child(bounds, at)
        right, bound = __insert(children[i], at, element)
        return unless right
        bounds.insert(i, bound)
        children.insert(i + 1, right)
        return if children.size <= FULL
        half = children.size / 2
        other = [bounds.slice!(half..), children.slice!(half..)]
        [other, bounds.pop]
      end

      def __remove(node, at)
        return node.remove(at) if Leaf === node
        bounds, children = node
        i = __child(bounds, at)
        child = children[i]
        __remove(child, at)
        return unless Leaf === child && child.size == 0 && children.size > 1
        i == 0 ? children[1].low = child.low : children[i - 1].high = child.high
        children.delete_at(i)
        bounds.delete_at([i - 1, 0].max)
        child.give_up
      end
    end

    # Entries in order, one after the other: key, number, element.
    class Leaf
      include ReducedConflict

      attr_reader :low, :high

      def initialize(low, high)
        @low, @high = low, high
        @part = []
      end

      def low=(bound)
        __bounds_move
        @low = bound
      end

      def high=(bound)
        __bounds_move
        @high = bound
      end

      def size = part.size / 3

      def insert(at, element)
        part.insert(__place(at) * 3, *at, element)
        note(:insert, at, element)
      end

      def remove(at)
        i = __place(at) - 1
        return unless __at?(i, at)
        part.slice!(i * 3, 3)
        note(:remove, at)
      end

      def split
        entries = part
        half = entries.size / 6 * 3
        bound = entries[half, 2]
        right = Leaf.new(bound, @high)
        right.__part.replace(entries.slice!(half..))
        self.high = bound
        [right, bound]
      end

      def give_up
        __bounds_move
        @gone = true
      end

      def each_between(low, high)
        entries = whole
        i = 0
        while i < entries.size
          key = entries[i]
          break if high && (order = key <=> high[0]) >= 0 && !(order == 0 && high[1])
          yield entries[i + 2] unless low && (order = key <=> low[0]) <= 0 && !(order == 0 && low[1])
          i += 3
        end
      end

      def __replay(operation)
        name, at, element = operation
        return false if name == :bounds || @gone
        return false if (@low && Tree.order(at, @low) < 0) || (@high && Tree.order(at, @high) >= 0)
        i = __place(at)
        if name == :insert
          part.insert(i * 3, *at, element)
        else
          return false unless __at?(i - 1, at)
          part.slice!((i - 1) * 3, 3)
        end
        true
      end

      private

      # How many entries are not after it.
      def __place(at)
        entries = part
        (0...entries.size / 3).bsearch { |i| Tree.order(entries[i * 3, 2], at) > 0 } || entries.size / 3
      end

      def __at?(i, at) = i >= 0 && Tree.order(part[i * 3, 2], at) == 0

      # It can't be done again on another state of the leaf.
      def __bounds_move = note(:bounds)
    end
  end
end

class IdentitySet
  # Orders the elements by what the path leads to, for search: integers, floats and rationals (Integer, Float, Rational,
  # Numeric), String, Symbol or Time.
  def create_equality_index(path, last_class) = __create_index(path, :equality, last_class)

  # Finds elements by the identity of what the path leads to.
  def create_identity_index(path) = __create_index(path, :identity)

  def remove_equality_index(path) = __remove_index(path, :equality)
  def remove_identity_index(path) = __remove_index(path, :identity)

  def remove_all_indexes
    __indexes.dup.each { |index| __drop_index(index) }
    self
  end

  def equality_indexed_paths = __indexes.select { |index| index.kind == :equality }.map(&:path)
  def identity_indexed_paths = __indexes.select { |index| index.kind == :identity }.map(&:path)

  # :equality, :identity, :equalityAndIdentity or :none.
  def kinds_of_index_on(path)
    names = Maglev::Index.__path(path)
    kinds = __indexes.select { |index| index.names == names }.map(&:kind)
    kinds.size == 2 ? :equalityAndIdentity : kinds.first || :none
  end

  # The elements, as an IdentitySet, whose path leads to something that is so to the value:
  # :equal (identical), :eql (==), :not_equal, :not_eql, :lt, :lte, :gt, :gte (by <=>).
  def search(path, operator, value)
    names = Maglev::Index.__path(path)
    unless Maglev::Index::OPERATORS.key?(operator)
      positive = Maglev::Index::NEGATED[operator]
      raise ArgumentError, "Unsupported query operation #{operator.inspect}" unless positive
      return __select(to_a) { |element| !Maglev::Index.__meets?(Maglev::Index.__follow(element, names)[0], positive, value) }
    end
    low = [value, operator != :gt] unless operator == :lt || operator == :lte
    high = [value, operator != :lt] unless operator == :gt || operator == :gte
    __search(names, [[operator, value]], low, high)
  end

  # Those between two values: low is so (:lt, :lte) to what the path leads to, and that is so to high.
  def search_between(path, low, high, low_operator = :lte, high_operator = :lt)
    [low_operator, high_operator].each do |operator|
      raise ArgumentError, "Unsupported query operation #{operator.inspect}" unless operator == :lt || operator == :lte
    end
    tests = []
    tests << [low_operator == :lte ? :gte : :gt, low] unless low.nil?
    tests << [high_operator, high] unless high.nil?
    __search(Maglev::Index.__path(path), tests, low.nil? ? nil : [low, low_operator == :lte], high.nil? ? nil : [high, high_operator == :lte])
  end

  def search_range(path, range) = search_between(path, range.begin, range.end, :lte, range.exclude_end? ? :lt : :lte)

  def __indexes = @indexes || []

  private

  def __search(names, tests, low, high)
    usable = ->(index) { index.names == names && tests.all? { |operator, value| index.serves?(operator, value) } }
    index = __indexes.find(&usable) unless tests.empty?
    return __select(to_a) { |element| __passes?(element, names, tests) } unless index
    Maglev::Index.__settle
    found = index.between(low, high)
    index.odd.each { |element| found << element if __passes?(element, names, tests) }
    __made(found)
  end

  def __passes?(element, names, tests)
    key = Maglev::Index.__follow(element, names)[0]
    tests.all? { |operator, value| Maglev::Index.__meets?(key, operator, value) }
  end

  def __select(elements, &block) = __made(elements.select(&block))

  def __create_index(path, kind, last_class = nil)
    names = Maglev::Index.__path(path)
    if __indexes.any? { |index| index.names == names && index.kind == kind }
      raise ArgumentError, "there is an #{kind} index on #{names.join(".")} already"
    end
    index = Maglev::Index.new(self, names, kind, last_class)
    __indexes_become([*@indexes, index])
    Maglev::Index.__register(index)
    to_a.each { |element| index.reindex(element) }
    self
  end

  def __remove_index(path, kind)
    names = Maglev::Index.__path(path)
    index = __indexes.find { |other| other.names == names && other.kind == kind }
    raise ArgumentError, "there is no #{kind} index on #{names.join(".")}" unless index
    __drop_index(index)
    self
  end

  def __drop_index(index)
    __indexes_become(@indexes - [index])
    Maglev::Index.__unregister(index)
  end

  def __indexes_become(list)
    @indexes = list.empty? ? nil : list
    @index_version += 1
    Maglev.__touch(@part)
  end
end
