# Ractor: actors that share nothing but what is frozen through and through.  Here each is a green thread of the session with a
# ThreadGroup of its own, by which the threads it starts know where they belong; sessions are the unit of parallelism.
#
#   R1  What crosses from one ractor to another is shareable or a deep copy (with move: true, too: the sender should forget its).
#   R2  Ports and the ends of ractors change under the main ractor's lock; who waits is told by its condition.
#
# Constants and globals are not guarded: a ractor that uses an unshareable one sees the same object as the others.

class Ractor
  class Error < RuntimeError; end
  class IsolationError < Error; end
  class MovedError < Error; end
  class UnsafeError < Error; end
  class ClosedError < StopIteration; end

  class RemoteError < Error
    attr_reader :ractor
    def initialize(message = "thrown by remote Ractor.", ractor: nil)
      super(message)
      @ractor = ractor
    end
  end

  class MovedObject < BasicObject; end

  class Port
    def initialize = __set_up(Ractor.current)

    def __set_up(ractor)
      @ractor = ractor
      @id = @ractor.__next_port
      @messages = []
      @closed = false
      self
    end

    def send(obj, move: false)
      obj = Ractor.__pass(obj)
      Ractor.main.__change do
        raise ClosedError, "The port was already closed" if @closed
        @messages << obj
      end
      self
    end
    alias << send

    def receive
      raise Error, "only allowed from the creator Ractor of this port" unless @ractor.equal?(Ractor.current)
      Ractor.main.__wait do
        raise ClosedError, "The port was already closed" if @closed && @messages.empty?
        return @messages.shift unless @messages.empty?
      end
    end

    def close
      raise Error, "closing port by other ractors is not allowed" unless @ractor.equal?(Ractor.current)
      Ractor.main.__change { @closed = true }
      self
    end

    def closed? = @closed
    def inspect = "#<Ractor::Port to:\##{@ractor.__id} id:#{@id}>"
    def __ready? = @closed || !@messages.empty?
    def __end = @closed = true
  end

  class << self
    def new(*args, name: nil, &block)
      raise ArgumentError, "must be called with a block" unless block
      name = String.try_convert(name) || raise(TypeError, "no implicit conversion of #{name.class} into String") unless name.nil?
      outer = block.__outer_locals
      unless outer.empty?
        raise ArgumentError, "can not isolate a Proc because it accesses outer variables (#{outer.join(", ")})."
      end
      main.__warn_once(caller(1, 1)&.first)
      ractor = allocate
      ractor.__start(args.map { |arg| __pass(arg) }, name, block)
      ractor
    end

    def main = Thread.main.__ractor
    def current = Thread.current.group&.__ractor || main
    def main? = current.equal?(main)
    def count = main.__count
    def receive = current.default_port.receive
    alias recv receive
    def [](key) = current[key]
    def []=(key, value)
      current[key] = value
    end
    def store_if_absent(key) = current.__store_if_absent(key) { |none| yield none }

    # Waits for the first of ports and ractors that has something: [it, message or value].
    def select(*ports)
      raise ArgumentError, "specify at least one ractor or port" if ports.empty?
      ready = nil
      main.__wait { break if (ready = ports.find(&:__ready?)) }
      [ready, Port === ready ? ready.receive : ready.value]
    end

    def shareable?(obj, seen = {}.compare_by_identity)
      return true if seen[obj] || Module === obj || Ractor === obj || Port === obj
      return false unless obj.frozen?
      return obj.__outer_locals.empty? && shareable?(obj.binding.receiver, seen) if Proc === obj
      seen[obj] = true
      __parts(obj).all? { |part| shareable?(part, seen) }
    end

    def make_shareable(obj, copy: false)
      obj = __copy(obj, {}.compare_by_identity) if copy
      __freeze(obj, {}.compare_by_identity)
      obj
    end

    # What another ractor gets to see (R1).
    def __pass(obj) = shareable?(obj) ? obj : __copy(obj, {}.compare_by_identity)

    private

    def __copy(obj, seen)
      return obj if shareable?(obj)
      return seen[obj] if seen.key?(obj)
      case obj
      when Thread, Proc, Method, UnboundMethod, Binding, Fiber, Enumerator, IO, Thread::Mutex
        raise TypeError, "allocator undefined for #{obj.class}"
      end
      copy = seen[obj] = obj.clone(freeze: false)
      copy.instance_variables.each { |name| copy.instance_variable_set(name, __copy(copy.instance_variable_get(name), seen)) }
      case copy
      when Array then copy.map! { |part| __copy(part, seen) }
      when Hash then copy.replace(copy.to_h { |key, value| [__copy(key, seen), __copy(value, seen)] })
      when Struct then copy.each_pair { |name, value| copy[name] = __copy(value, seen) }
      end
      obj.frozen? ? copy.freeze : copy
    end

    def __freeze(obj, seen)
      return if seen[obj] || Module === obj || Ractor === obj || Port === obj
      if Proc === obj
        unless shareable?(obj.binding.receiver)
          raise IsolationError, "Proc's self is not shareable: #{obj.inspect}"
        end
      end
      seen[obj] = true
      obj.freeze
      __parts(obj).each { |part| __freeze(part, seen) }
    end

    def __parts(obj)
      return [] if Module === obj
      parts = obj.instance_variables.map { |name| obj.instance_variable_get(name) }
      case obj
      when Array then parts.concat(obj)
      when Hash then parts.concat(obj.keys, obj.values)
      when Struct then parts.concat(obj.to_a)
      when Range then parts.push(obj.begin, obj.end)
      else parts
      end
    end
  end

  attr_reader :name, :default_port

  def send(obj, move: false)
    @default_port.send(obj, move: move)
    self
  end
  alias << send

  def close = @default_port.close
  def [](key) = @locals[key.to_sym]
  def []=(key, value)
    @locals[key.to_sym] = value
  end

  def join
    Ractor.main.__wait { break if @ended }
    raise @failure if @failure
    self
  end

  def value
    join
    @successor ||= Ractor.current
    raise Error, "Only the successor ractor can take a value" unless @successor.equal?(Ractor.current)
    @value
  end

  # The port gets :exited or :aborted when the ractor has ended.
  def monitor(port)
    return true.tap { @monitors << port } unless @ended
    port << (@failure ? :aborted : :exited)
    false
  end

  def unmonitor(port)
    @monitors.delete(port)
    self
  end

  def inspect
    status = @ended ? "terminated" : equal?(Ractor.current) ? "running" : "blocking"
    ["#<Ractor:\##{@id}", @location, @name, "#{status}>"].compact.join(" ")
  end
  alias to_s inspect

  def __ready? = @ended
  def __id = @id
  def __next_port = @ports += 1

  def __set_up(id, name, location)
    @id, @name, @location = id, name, location
    @locals, @monitors, @ports = {}, [], -1
    @default_port = Port.allocate.__set_up(self)
    self
  end

  def __start(args, name, block)
    __set_up(Ractor.main.__begun, name, block.source_location&.join(":"))
    ractor = self
    group = ThreadGroup.new
    group.__ractor = self
    @thread = Thread.new do
      group.add(Thread.current)
      ractor.__run(args, block)
    end
  end

  def __run(args, block)
    value = Ractor.__pass(instance_exec(*args, &block))
  rescue Exception => error
    begin
      raise RemoteError.new(ractor: self)
    rescue RemoteError => @failure # its cause is what ended the block
    end
    raise error
  ensure
    @value = value
    @monitors.each { |port| port << (@failure ? :aborted : :exited) unless port.closed? }
    Ractor.main.__over do
      @default_port.__end
      @ended = true
    end
  end

  def __store_if_absent(key) = @locals.key?(key.to_sym) ? @locals[key.to_sym] : @locals[key.to_sym] = yield(nil)

  # ---- the main ractor's: what all share (R2) ----
  def __main
    __set_up(1, nil, nil)
    @lock, @changed = Thread::Mutex.new, Thread::ConditionVariable.new
    @count = @last_id = 1
    self
  end

  def __count = @count

  def __begun
    @lock.synchronize { @count += 1; @last_id += 1 }
  end

  def __over
    __change { yield; @count -= 1 }
  end

  def __change
    @lock.synchronize do
      yield
      @changed.broadcast
    end
  end

  # Yields under the lock until the block jumps out.
  def __wait
    @lock.synchronize do
      while true
        yield
        @changed.wait(@lock)
      end
    end
  end

  def __warn_once(place)
    return if @warned
    @warned = true
    text = "Ractor API is experimental and the behavior may change in future versions of Ruby! Also there are many implementation issues."
    Kernel.warn("#{place.to_s[/\A.*?:\d+/]}: warning: #{text}", category: :experimental)
  end
end

class Thread
  def __ractor = @ractor ||= Ractor.allocate.__main # of the main thread
end

class ThreadGroup
  attr_accessor :__ractor
end
