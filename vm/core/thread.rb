# Mutex, ConditionVariable, Queue, SizedQueue, Monitor, ThreadGroup: in Ruby over Thread.__wait_in and #__wake.
# This file is never preempted (vm/interp/thread.c), so what stands between two waits is atomic.

class Thread
  def self.new(...)
    thread = super
    thread.__check
    thread
  end

  def fetch(key, *default)
    warn("block supersedes default value argument", uplevel: 0) if block_given? && !default.empty?
    Kernel.raise ArgumentError, "wrong number of arguments (given #{default.size + 1}, expected 1..2)" if default.size > 1
    return self[key] if key?(key)
    return yield(key) if block_given?
    return default[0] unless default.empty?
    Kernel.raise KeyError.new("key not found: #{key.inspect}", receiver: self, key: key) # Thread#raise is another
  end

  def native_thread_id = Process.pid

  # Who waits for a blocker in a fiber that a scheduler serves.
  class FiberWaiter
    def initialize(scheduler, blocker)
      @scheduler = scheduler
      @blocker = blocker
      @fiber = Fiber.current
    end

    def alive? = @fiber.alive?
    def __wake = @scheduler.unblock(@blocker, @fiber)
    def __block(timeout) = @scheduler.block(@blocker, timeout)
  end
  private_constant :FiberWaiter

  # Stands in the list of waiters until somebody wakes it; false when the time is over.  A thread waits as a whole, a fiber
  # with a scheduler for itself.
  def self.__wait_in(waiters, blocker, timeout)
    scheduler = Fiber.current_scheduler
    me = scheduler ? FiberWaiter.new(scheduler, blocker) : Thread.current
    waiters << me
    begin
      scheduler ? me.__block(timeout) : Thread.__block(timeout)
    ensure
      waiters.delete(me)
    end
  end

  def self.__timeout(timeout)
    return timeout if timeout.nil? || timeout.is_a?(Float) || timeout.is_a?(Integer)
    return timeout.to_f if timeout.is_a?(Numeric)
    raise TypeError, "no implicit conversion of #{timeout == true || timeout == false ? timeout : timeout.class} into Float"
  end

  class Mutex
    def initialize
      @owner = @fiber = nil
      @waiters = []
    end

    def locked? = !@owner.nil? && @owner.alive?

    def owned? = @owner.equal?(Thread.current) && @fiber.equal?(Fiber.current)

    def try_lock
      return false if @owner && @owner.alive?
      @owner = Thread.current
      @fiber = Fiber.current
      true
    end

    def lock
      me = Thread.current
      raise ThreadError, "deadlock; recursive locking" if owned?
      if @owner.equal?(me) && @fiber.alive? && !Fiber.current_scheduler
        raise ThreadError, "deadlock; lock already owned by another fiber belonging to the same thread"
      end
      Thread.__wait_in(@waiters, self, nil) while @owner && @owner.alive? && @fiber.alive?
      @owner = me
      @fiber = Fiber.current
      self
    end

    def unlock
      raise ThreadError, "Attempt to unlock a mutex which is not locked" if @owner.nil?
      raise ThreadError, "Attempt to unlock a mutex which is locked by another thread/fiber" unless owned?
      @owner = @fiber = nil
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
      raise ArgumentError, "time interval must not be negative" if timeout.is_a?(Numeric) && timeout < 0
      unlock
      begin
        begun = Thread.__now
        scheduler = Fiber.current_scheduler
        woken = scheduler ? scheduler.kernel_sleep(timeout) || true : Thread.__block(timeout)
        woken || timeout.nil? ? (Thread.__now - begun).round : nil
      ensure
        Thread.handle_interrupt(Object => :never) { lock } # the caller relies on it, also when it is killed
      end
    end
  end

  class ConditionVariable
    def initialize
      @waiters = []
    end

    # Mutex#sleep unlocks, waits and locks again, also when the wait is broken off.
    def wait(mutex, timeout = nil)
      scheduler = Fiber.current_scheduler
      me = scheduler ? FiberWaiter.new(scheduler, mutex) : Thread.current
      @waiters << me
      begin
        mutex.sleep(timeout) ? self : nil
      ensure
        @waiters.delete(me)
      end
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
        list = items.to_a
        raise TypeError, "can't convert #{items.class} to Array (#{items.class}#to_a gives #{list.class})" unless list.is_a?(Array)
        @items = list.dup
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
      limit = timeout && Thread.__now + Thread.__timeout(timeout)
      while @items.empty?
        raise ThreadError, "queue empty" if non_block
        return nil if @closed
        left = nil
        if limit
          left = limit - Thread.__now
          return nil if left <= 0
        end
        Thread.__wait_in(@waiters, self, left)
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
      max = Array.__index_argument(max)
      raise ArgumentError, "queue size must be positive" unless max > 0
      super()
      @max = max
      @pushers = []
    end

    def max=(n)
      n = Array.__index_argument(n)
      raise ArgumentError, "queue size must be positive" unless n > 0
      @max = n
      @pushers.each { |t| t.__wake if t.alive? }
    end

    def push(item, non_block = false, timeout: nil)
      raise ArgumentError, "can't set a timeout if non_block is enabled" if non_block && timeout
      limit = timeout && Thread.__now + Thread.__timeout(timeout)
      raise ClosedQueueError, "queue closed" if @closed
      while @items.size >= @max
        raise ThreadError, "queue full" if non_block
        left = nil
        if limit
          left = limit - Thread.__now
          return nil if left <= 0
        end
        Thread.__wait_in(@pushers, self, left)
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
  def list = Thread.list.select { |t| t.group.equal?(self) }

  def add(thread)
    raise ThreadError, "can't move to the enclosed thread group" if enclosed?
    return nil unless thread.group
    raise ThreadError, "can't move from the enclosed thread group" if thread.group.enclosed?
    thread.__send__(:__group=, self)
    self
  end

  def enclose
    @enclosed = true
    self
  end

  def enclosed? = @enclosed ? true : false

  Default = new
  Thread.main.__send__(:__group=, Default)
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
