# Objects that many sessions may change at once without a conflict, and Module#merge_conflict.
#
# The content of each is one plain object, its part.  A change is made on the part and noted (vm/persist/reduced.c) with what
# it found; when a commit clashes in the part, the operations are replayed on what others committed.  __replay answers
# false when an operation would find something else than it did: that, and only that, is a conflict.
#
# Operations take the part from `part`; methods that may look at all of it take it from `whole`, which in a serializable
# transaction counts as reading it.  What looks something up there is an operation as well (`look`).

module Maglev
  module ReducedConflict
    private def part = Maglev.__part(@part)
    private def whole = Maglev.__whole(@part)
    private def note(*operation) = Maglev.__note(self, @part, operation)
    private def look(*operation) = Maglev.__note_look(self, @part, operation)

    # What a lock on the object locks.
    def __part = @part

    private def initialize_copy(other)
      @part = whole.dup
      self
    end
  end

  # A number to which many sessions add.  Of what others add, a transaction sees what was committed before it began.
  class Counter
    include ReducedConflict

    def initialize(value = 0)
      @part = [value]
    end

    def value = whole[0]

    def increment = increment_by(1)

    def increment_by(n)
      part[0] += n
      note(:add, n)
      self
    end

    def decrement = increment_by(-1)

    # With a floor: when the result would be below it, nothing changes and the block's value is returned.  A commit whose
    # result falls below the floor because of what others subtracted is a conflict.
    def decrement_by(n, floor = nil)
      return increment_by(-n) unless floor
      if part[0] - n < floor
        look(:below, n, floor)
        return yield
      end
      part[0] -= n
      note(:subtract, n, floor)
      self
    end

    def decrement_if_negative(&block) = decrement_by(1, 0, &block)

    def inspect = "#<#{self.class} #{value}>"

    def __replay(operation)
      name, n, floor = operation
      low = floor && part[0] - n < floor
      return low if name == :below
      return false if low
      part[0] += name == :add ? n : -n
      true
    end
  end

  # A Hash in which writers of different keys do not conflict.
  class Map
    include ReducedConflict
    include Enumerable

    def initialize
      @part = {}
    end

    def [](key)
      value = part[key]
      look(:value, key, value)
      value
    end

    def fetch(key, *default, &block)
      found, value = __find(key)
      found ? value : {}.fetch(key, *default, &block)
    end

    def key?(key) = __find(key)[0]
    alias has_key? key?
    alias include? key?
    alias member? key?
    def size = whole.size
    alias length size
    def count(*args, &block) = args.empty? && !block ? size : super
    def empty? = whole.empty?
    def keys = whole.keys
    def values = whole.values
    def to_h = whole.dup
    def inspect = "#<#{self.class} #{whole.inspect}>"

    def each(&block)
      return to_enum(:each) { size } unless block
      whole.each(&block)
      self
    end
    alias each_pair each

    def []=(key, value)
      found, old = __row(key)
      part[key] = value
      note(:store, key, found, old, value)
    end
    alias store []=

    def delete(key)
      found, old = __find(key)
      return unless found
      part.delete(key)
      note(:delete, key, true, old)
      old
    end

    def clear
      keys.each { |key| delete(key) }
      self
    end

    # MagLev's way to give the table a fitting size; tables here always have one.
    def rebuild_table(*) = self

    def __replay(operation)
      name, key, found, old, value = operation
      return part[key].equal?(found) if name == :value
      now_found, now = __row(key)
      return false unless now_found == found && now.equal?(old)
      part[key] = value if name == :store
      part.delete(key) if name == :delete
      true
    end

    private

    def __row(key)
      rows = part
      rows.key?(key) ? [true, rows[key]] : [false, nil]
    end

    def __find(key)
      row = __row(key)
      look(:find, key, *row)
      row
    end
  end

  # A queue, first in first out: many producers and one consumer do not conflict.  Two that take the same element do.
  class Queue
    include ReducedConflict
    include Enumerable

    def initialize
      @part = []
    end

    def push(element)
      part.push(element)
      note(:push, element)
      self
    end
    alias add push
    alias << push
    alias enq push

    # The oldest element, or nil.
    def shift
      return first if part.empty?
      element = part.shift
      note(:shift, element)
      element
    end
    alias remove shift
    alias pop shift
    alias deq shift

    def first
      elements = part
      look(:first, *elements.first(1))
      elements.first
    end
    alias peek first

    # Takes all; returns them.
    def clear = Array.new(size) { shift }

    def size = whole.size
    alias length size
    def count(*args, &block) = args.empty? && !block ? size : super
    def empty? = whole.empty?
    def to_a = whole.dup
    def inspect = "#<#{self.class} #{whole.inspect}>"

    def each(&block)
      return to_enum(:each) { size } unless block
      whole.each(&block)
      self
    end

    def __replay(operation)
      name, *element = operation
      elements = part
      if name == :push
        elements.push(element[0])
        return true
      end
      return elements.empty? if element.empty?
      return false if elements.empty? || !elements.first.equal?(element[0])
      elements.shift if name == :shift
      true
    end
  end

  # A collection that counts equal elements: adding never conflicts, nor does removing while some are left.
  class Bag
    include ReducedConflict
    include Enumerable

    def initialize
      @part = {}
    end

    def add(element)
      __put(element)
      note(:add, element)
      self
    end
    alias << add

    # Takes out one such element and returns it; nil when there is none.
    def remove(element)
      unless __take(element)
        look(:count, element, 0)
        return
      end
      note(:remove, element)
      element
    end
    alias delete remove

    def clear
      to_a.each { |element| remove(element) }
      self
    end

    def include?(element) = occurrences_of(element) > 0
    alias member? include?

    def occurrences_of(element)
      n = part.fetch(element, 0)
      look(:count, element, n)
      n
    end

    def size = whole.sum { |_, n| n }
    alias length size
    def count(*args, &block) = args.empty? && !block ? size : super
    def empty? = whole.empty?
    def inspect = "#<#{self.class} #{to_a.inspect}>"

    def each
      return to_enum(:each) { size } unless block_given?
      whole.each { |element, n| n.times { yield element } }
      self
    end

    def __replay(operation)
      name, element, n = operation
      case name
      when :remove then return __take(element)
      when :count then return part.fetch(element, 0) == n
      end
      __put(element)
      true
    end

    private

    def __put(element)
      counts = part
      counts[element] = counts.fetch(element, 0) + 1
    end

    def __take(element)
      counts = part
      n = counts.fetch(element, 0)
      return false if n == 0
      n == 1 ? counts.delete(element) : counts[element] = n - 1
      true
    end
  end
end

class Module
  # Instances of the class merge themselves: when a commit clashes in one, the block runs with the object as self, in the
  # state that others committed, and gets two frozen copies: as it was when the transaction began, as this session left it.
  # It changes the object so that both sides are in it.  A false answer lets the conflict stand.
  def merge_conflict(&block)
    raise ArgumentError, "no block given" unless block
    define_method(:__merge_conflict, &block)
    private :__merge_conflict
    self
  end
end
