# Mutex, ConditionVariable, Queue, SizedQueue, Monitor, ThreadGroup: in Ruby over Thread.__block and Thread#__wake.
# This file is never preempted (vm/interp/thread.c), so what stands between two waits is atomic.

class Thread
  def fetch(key, *default)
    key = key.to_sym
    return self[key] if key?(key)
    return yield(key) if block_given?
    return default[0] unless default.empty?
    raise KeyError.new("key not found: #{key.inspect}", receiver: self, key: key)
  end

  def group = alive? ? ThreadGroup::Default : nil

  def native_thread_id = Process.pid

  def backtrace_locations(*) = nil

  def pending_interrupt?(*) = false

  class Mutex
    def initialize
      @owner = nil
      @waiters = []
    end

    def locked? = !@owner.nil? && @owner.alive?

    def owned? = @owner.equal?(Thread.current)

    def try_lock
      return false if @owner && @owner.alive?
      @owner = Thread.current
      true
    end

    def lock
      me = Thread.current
      raise ThreadError, "deadlock; recursive locking" if @owner.equal?(me)
      while @owner && @owner.alive?
        @waiters << me
        begin
          Thread.__block(nil)
        ensure
          @waiters.delete(me)
        end
      end
      @owner = me
      self
    end

    def unlock
      raise ThreadError, "Attempt to unlock a mutex which is not locked" if @owner.nil?
      raise ThreadError, "Attempt to unlock a mutex which is locked by another thread/fiber" unless @owner.equal?(Thread.current)
      @owner = nil
      t = @waiters.shift
      t.__wake if t && t.alive?
      self
    end

    def synchronize
      raise ThreadError, "must be called with a block" unless block_given?
      lock
      begin
        yield
      ensure
        unlock if owned?
      end
    end

    def sleep(timeout = nil)
      unlock
      begin
        begun = Thread.__now
        woken = Thread.__block(timeout)
        woken || timeout.nil? ? (Thread.__now - begun).round : nil
      ensure
        lock
      end
    end
  end

  class ConditionVariable
    def initialize
      @waiters = []
    end

    def wait(mutex, timeout = nil)
      me = Thread.current
      @waiters << me
      mutex.unlock
      begin
        woken = Thread.__block(timeout)
      ensure
        @waiters.delete(me)
        mutex.lock
      end
      woken || timeout.nil? ? self : nil
    end

    def signal
      t = @waiters.shift
      t.__wake if t && t.alive?
      self
    end

    def broadcast
      all = @waiters
      @waiters = []
      all.each { |t| t.__wake if t.alive? }
      self
    end

    def marshal_dump = raise(TypeError, "can't dump #{self.class}")
  end

  class Queue
    def initialize(items = nil)
      @items = []
      unless items.nil?
        raise TypeError, "can't convert #{items.class} into Array" unless items.respond_to?(:to_a)
        @items = items.to_a.dup
      end
      @waiters = []
      @closed = false
    end

    def push(item)
      raise ClosedQueueError, "queue closed" if @closed
      @items << item
      __wake_one
      self
    end
    alias << push
    alias enq push

    def pop(non_block = false, timeout: nil)
      raise ArgumentError, "can't set a timeout if non_block is enabled" if non_block && timeout
      limit = timeout && Thread.__now + timeout
      while @items.empty?
        raise ThreadError, "queue empty" if non_block
        return nil if @closed
        left = nil
        if limit
          left = limit - Thread.__now
          return nil if left <= 0
        end
        me = Thread.current
        @waiters << me
        begin
          Thread.__block(left)
        ensure
          @waiters.delete(me)
        end
      end
      __taken(@items.shift)
    end
    alias shift pop
    alias deq pop

    def __taken(item) = item

    def __wake_one
      t = @waiters.shift
      t.__wake if t && t.alive?
    end

    def close
      @closed = true
      all = @waiters
      @waiters = []
      all.each { |t| t.__wake if t.alive? }
      self
    end

    def closed? = @closed
    def empty? = @items.empty?
    def size = @items.size
    alias length size
    def num_waiting = @waiters.size

    def clear
      @items.clear
      self
    end

    def freeze = raise(TypeError, "cannot freeze #{inspect}")
    def marshal_dump = raise(TypeError, "can't dump #{self.class}")
  end

  class SizedQueue < Queue
    attr_reader :max

    def initialize(max)
      raise ArgumentError, "queue size must be positive" unless max.is_a?(Integer) && max > 0
      super()
      @max = max
      @pushers = []
    end

    def max=(n)
      raise ArgumentError, "queue size must be positive" unless n.is_a?(Integer) && n > 0
      @max = n
      @pushers.each { |t| t.__wake if t.alive? }
    end

    def push(item, non_block = false, timeout: nil)
      raise ArgumentError, "can't set a timeout if non_block is enabled" if non_block && timeout
      limit = timeout && Thread.__now + timeout
      raise ClosedQueueError, "queue closed" if @closed
      while @items.size >= @max
        raise ThreadError, "queue full" if non_block
        left = nil
        if limit
          left = limit - Thread.__now
          return nil if left <= 0
        end
        me = Thread.current
        @pushers << me
        begin
          Thread.__block(left)
        ensure
          @pushers.delete(me)
        end
        raise ClosedQueueError, "queue closed" if @closed
      end
      super(item)
    end
    alias << push
    alias enq push

    def __taken(item)
      t = @pushers.shift
      t.__wake if t && t.alive?
      item
    end

    def close
      super
      @pushers.each { |t| t.__wake if t.alive? }
      self
    end

    def clear
      super
      @pushers.each { |t| t.__wake if t.alive? }
      self
    end

    def num_waiting = @waiters.size + @pushers.size
  end
end

class ClosedQueueError < StopIteration
end

Mutex = Thread::Mutex
ConditionVariable = Thread::ConditionVariable
Queue = Thread::Queue
SizedQueue = Thread::SizedQueue

class ThreadGroup
  def list = Thread.list
  def add(thread) = self
  def enclose = self
  def enclosed? = false
  Default = new
end

class Monitor
  def initialize
    @mutex = Thread::Mutex.new
    @count = 0
  end

  def enter
    @mutex.lock unless @mutex.owned?
    @count += 1
    nil
  end
  alias mon_enter enter

  def try_enter
    return false unless @mutex.owned? || @mutex.try_lock
    @count += 1
    true
  end
  alias mon_try_enter try_enter
  alias try_mon_enter try_enter

  def exit
    mon_check_owner
    @count -= 1
    @mutex.unlock if @count == 0
    nil
  end
  alias mon_exit exit

  def mon_locked? = @mutex.locked?
  def mon_owned? = @mutex.owned?

  def mon_check_owner
    raise ThreadError, "current thread not owner" unless @mutex.owned?
  end

  def synchronize
    enter
    begin
      yield
    ensure
      self.exit
    end
  end
  alias mon_synchronize synchronize

  def new_cond = MonitorMixin::ConditionVariable.new(self)

  def wait_for_cond(cond, timeout)
    count = @count
    @count = 0
    begin
      cond.wait(@mutex, timeout)
    ensure
      @count = count
    end
    true
  end
end

module MonitorMixin
  class ConditionVariable
    def initialize(monitor)
      @monitor = monitor
      @cond = Thread::ConditionVariable.new
    end

    def wait(timeout = nil)
      @monitor.mon_check_owner
      @monitor.wait_for_cond(@cond, timeout)
    end

    def wait_while
      wait while yield
    end

    def wait_until
      wait until yield
    end

    def signal
      @monitor.mon_check_owner
      @cond.signal
    end

    def broadcast
      @monitor.mon_check_owner
      @cond.broadcast
    end
  end

  def self.extend_object(obj)
    super
    obj.__send__(:mon_initialize)
  end

  def mon_try_enter = @mon_data.try_enter
  alias try_mon_enter mon_try_enter
  def mon_enter = @mon_data.enter
  def mon_exit = @mon_data.exit
  def mon_locked? = @mon_data.mon_locked?
  def mon_owned? = @mon_data.mon_owned?
  def mon_synchronize(&b) = @mon_data.synchronize(&b)
  alias synchronize mon_synchronize
  def new_cond = ::MonitorMixin::ConditionVariable.new(@mon_data)

  def initialize(...)
    super
    mon_initialize
  end

  def mon_initialize
    @mon_data = ::Monitor.new
  end
end
