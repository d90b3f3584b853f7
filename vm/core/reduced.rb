# Objects that many sessions may change at once without a conflict, and Module#merge_conflict.
#
# The content of each is one plain object, its part.  A change is made on the part and noted (vm/persist/reduced.c) with what
# it found; when a commit clashes in the part, the operations are replayed on what others committed.  __replay answers
# false when an operation would find something else than it did: that, and only that, is a conflict.

module Maglev
  module ReducedConflict
    private def note(*operation) = Maglev.__note(self, @part, operation)

    # What a lock on the object locks.
    def __part = @part

    private def initialize_copy(other)
      @part = @part.dup
      self
    end
  end

  # A number to which many sessions add.  Of what others add, a transaction sees what was committed before it began.
  class Counter
    include ReducedConflict

    def initialize(value = 0)
      @part = [value]
    end

    def value = @part[0]

    def increment = increment_by(1)

    def increment_by(n)
      @part[0] += n
      note(:add, n)
      self
    end

    def decrement = increment_by(-1)

    # With a floor: when the result would be below it, nothing changes and the block's value is returned.  A commit whose
    # result falls below the floor because of what others subtracted is a conflict.
    def decrement_by(n, floor = nil)
      return increment_by(-n) unless floor
      return yield if @part[0] - n < floor
      @part[0] -= n
      note(:subtract, n, floor)
      self
    end

    def decrement_if_negative(&block) = decrement_by(1, 0, &block)

    def inspect = "#<#{self.class} #{value}>"

    def __replay(operation)
      name, n, floor = operation
      return false if floor && @part[0] - n < floor
      @part[0] += name == :add ? n : -n
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

    def [](key) = @part[key]
    def fetch(key, *default, &block) = @part.fetch(key, *default, &block)
    def key?(key) = @part.key?(key)
    alias has_key? key?
    alias include? key?
    alias member? key?
    def size = @part.size
    alias length size
    def count(*args, &block) = args.empty? && !block ? size : super
    def empty? = @part.empty?
    def keys = @part.keys
    def values = @part.values
    def to_h = @part.dup
    def inspect = "#<#{self.class} #{@part.inspect}>"

    def each(&block)
      return to_enum(:each) { size } unless block
      @part.each(&block)
      self
    end
    alias each_pair each

    def []=(key, value)
      found, old = __found(key)
      @part[key] = value
      note(:store, key, found, old, value)
    end
    alias store []=

    def delete(key)
      found, old = __found(key)
      return unless found
      @part.delete(key)
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
      now_found, now = __found(key)
      return false unless now_found == found && now.equal?(old)
      name == :store ? @part[key] = value : @part.delete(key)
      true
    end

    def __found(key) = @part.key?(key) ? [true, @part[key]] : [false, nil]
    private :__found
  end

  # A queue, first in first out: many producers and one consumer do not conflict.  Two that take the same element do.
  class Queue
    include ReducedConflict
    include Enumerable

    def initialize
      @part = []
    end

    def push(element)
      @part.push(element)
      note(:push, element)
      self
    end
    alias add push
    alias << push
    alias enq push

    # The oldest element, or nil.
    def shift
      return if @part.empty?
      element = @part.shift
      note(:shift, element)
      element
    end
    alias remove shift
    alias pop shift
    alias deq shift

    def first = @part.first
    alias peek first

    # Takes all; returns them.
    def clear = Array.new(size) { shift }

    def size = @part.size
    alias length size
    def count(*args, &block) = args.empty? && !block ? size : super
    def empty? = @part.empty?
    def to_a = @part.dup
    def inspect = "#<#{self.class} #{@part.inspect}>"

    def each(&block)
      return to_enum(:each) { size } unless block
      @part.each(&block)
      self
    end

    def __replay(operation)
      name, element = operation
      if name == :push
        @part.push(element)
      else
        return false if @part.empty? || !@part.first.equal?(element)
        @part.shift
      end
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
      @part[element] = @part.fetch(element, 0) + 1
      note(:add, element)
      self
    end
    alias << add

    # Takes out one such element and returns it; nil when there is none.
    def remove(element)
      return unless __take(element)
      note(:remove, element)
      element
    end
    alias delete remove

    def clear
      to_a.each { |element| remove(element) }
      self
    end

    def include?(element) = @part.key?(element)
    alias member? include?
    def occurrences_of(element) = @part.fetch(element, 0)
    def size = @part.sum { |_, n| n }
    alias length size
    def count(*args, &block) = args.empty? && !block ? size : super
    def empty? = @part.empty?
    def inspect = "#<#{self.class} #{to_a.inspect}>"

    def each
      return to_enum(:each) { size } unless block_given?
      @part.each { |element, n| n.times { yield element } }
      self
    end

    def __replay(operation)
      name, element = operation
      return __take(element) if name == :remove
      @part[element] = @part.fetch(element, 0) + 1
      true
    end

    def __take(element)
      n = @part.fetch(element, 0)
      return false if n == 0
      n == 1 ? @part.delete(element) : @part[element] = n - 1
      true
    end
    private :__take
  end
end

RCCounter = Maglev::Counter
RCHash = Maglev::Map
RCQueue = Maglev::Queue
RCBag = Maglev::Bag

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
