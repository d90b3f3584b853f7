# Enumerator and its family: Yielder, Generator, Lazy, Chain, Product, ArithmeticSequence.
# External iteration (next, peek) runs each in a Fiber.

class Enumerator
  include Enumerable

  class Yielder
    def initialize(&block)
      @proc = block
    end

    def yield(*args) = @proc.call(*args)

    def <<(value)
      @proc.call(value)
      self
    end

    def to_proc
      yielder = self
      lambda { |*args| yielder.yield(*args) }
    end
  end

  class Generator
    include Enumerable

    def initialize(&block)
      raise LocalJumpError, "no block given" unless block
      @proc = block
    end

    def each(*args, &block)
      @proc.call(Yielder.new(&block), *args)
    end
  end

  def initialize(size = nil, &block)
    raise ArgumentError, "no block given" unless block
    @receiver = Generator.new(&block)
    @method = :each
    @args = []
    @kw = {}
    @size = size
    self
  end

  def self.__for(receiver, method, args, kw, size)
    e = allocate
    e.__send__(:__setup, receiver, method, args, kw, size)
    e
  end

  def __setup(receiver, method, args, kw, size)
    @receiver = receiver
    @method = method
    @args = args
    @kw = kw
    @size = size
  end
  private :__setup

  def initialize_copy(other)
    raise TypeError, "can't copy execution context" if other.instance_variable_get(:@fiber)
    super
  end

  def each(*extra, &block)
    unless block
      return self if extra.empty?
      e = dup
      e.__send__(:__setup, @receiver, @method, @args + extra, @kw, nil)
      return e
    end
    @kw.empty? ? @receiver.__send__(@method, *@args, *extra, &block) :
      @receiver.__send__(@method, *@args, *extra, **@kw, &block)
  end

  def size
    case @size
    when nil, Integer, Float then @size
    else @size.respond_to?(:call) ? (Proc === @size && !@size.lambda? ? @receiver.instance_exec(*@args, &@size) : @size.call) : @size
    end
  end

  def with_index(offset = 0, &block)
    offset = offset.nil? ? 0 : Array.__index_argument(offset)
    return to_enum(:with_index, offset) { size } unless block
    i = offset - 1
    each { |*packed| yield(packed, i += 1) }
  end

  def each_with_index(&block)
    return to_enum(:each_with_index) { size } unless block
    with_index(0, &block)
  end

  def with_object(memo)
    return to_enum(:with_object, memo) { size } unless block_given?
    each { |*packed| yield(packed, memo) }
    memo
  end
  alias each_with_object with_object

  def next_values
    if @ahead && !@ahead.empty?
      return @ahead.shift
    end
    __fetch
  end

  def __fetch
    raise @done if @done
    unless @fiber
      @fiber = Fiber.new do
        result = each do |*x|
          Fiber.yield([x])
          feed = @feed
          @feed = nil
          feed ? feed[0] : nil
        end
        @done = StopIteration.new("iteration reached an end")
        @done.__send__(:__result=, result)
        nil
      end
    end
    begin
      got = @fiber.resume
    rescue Exception
      @fiber = nil
      raise
    end
    if got.nil?
      @fiber = nil
      raise @done
    end
    got[0]
  end
  private :__fetch

  def peek_values
    @ahead ||= []
    @ahead << __fetch if @ahead.empty?
    @ahead[0]
  end

  def next
    x = next_values
    x.size <= 1 ? x[0] : x
  end

  def peek
    x = peek_values
    x.size <= 1 ? x[0] : x
  end

  def feed(value)
    raise TypeError, "feed value already set" if @feed
    @feed = [value]
    nil
  end

  def rewind
    @receiver.rewind if @receiver.respond_to?(:rewind)
    @fiber = @done = @ahead = @feed = nil
    self
  end

  def +(other) = Chain.new(self, other)

  def inspect
    return "#<#{self.class}: uninitialized>" unless @args
    return "#<#{self.class}: ...>" if @inspecting
    @inspecting = true
    begin
      args = @args.map(&:inspect)
      @kw.each { |k, v| args << "#{k}: #{v.inspect}" }
      "#<#{self.class}: #{@receiver.inspect}:#{@method}#{"(#{args.join(", ")})" unless args.empty?}>"
    ensure
      @inspecting = nil
    end
  end
  alias to_s inspect

  def instance_variables = []

  def self.produce(*initial, size: Float::INFINITY, &block)
    raise ArgumentError, "no block given" unless block
    raise ArgumentError, "wrong number of arguments (given #{initial.size}, expected 0..1)" if initial.size > 1
    e = new(size) do |y|
      if initial.empty?
        x = block.call
      else
        x = initial[0]
      end
      begin
        while true
          y << x
          x = block.call(x)
        end
      rescue StopIteration
        nil
      end
    end
    e
  end

  def self.product(*enums, **kw, &block)
    raise ArgumentError, "unknown keywords: #{kw.keys.map(&:inspect).join(", ")}" unless kw.empty?
    e = Product.new(*enums)
    return e.each(&block) if block
    e
  end

  class Chain < Enumerator
    def initialize(*enums) = __compose(enums)

    def each(*args, &block)
      return to_enum(:each, *args) { size } unless block
      @begun = 0
      @enums.each do |e|
        @begun += 1
        e.each(*args, &block)
      end
      self
    end

    def size
      total = 0
      @enums.each do |e|
        n = e.size
        return n if n.nil? || (Float === n && n.infinite?)
        total += n
      end
      total
    end

    # Those that were iterated, the last one first.
    def rewind
      @enums.first(@begun).reverse_each { |e| e.rewind if e.respond_to?(:rewind) }
      @begun = 0
      __reset
    end

    def +(other) = Chain.new(self, other)
  end

  class Product < Enumerator
    def initialize(*enums, **kw)
      raise ArgumentError, "unknown keywords: #{kw.keys.map(&:inspect).join(", ")}" unless kw.empty?
      __compose(enums)
    end

    def each(&block)
      return self unless block
      __walk(0, [], &block)
      self
    end

    def __walk(i, picked, &block)
      return block.call(picked.dup) if i == @enums.size
      @enums[i].each_entry do |x|
        picked << x
        __walk(i + 1, picked, &block)
        picked.pop
      end
    end
    private :__walk

    def size
      total = 1
      @enums.each do |e|
        return nil unless e.respond_to?(:size)
        n = e.size
        return n if n.nil?
        return nil unless Integer === n || (Float === n && n.infinite?)
        total *= n
      end
      total
    end

    def rewind
      @enums.each { |e| e.rewind if e.respond_to?(:rewind) }
      __reset
    end
  end

  # What Chain and Product share: a fixed list of enumerables.
  [Chain, Product].each do |composite|
    composite.class_eval do
      undef_method :next, :peek, :next_values, :peek_values, :feed

      def inspect
        return "#<#{self.class}: uninitialized>" unless @enums
        return "#<#{self.class}: ...>" if @inspecting
        @inspecting = true unless frozen?
        begin
          "#<#{self.class}: [#{@enums.map(&:inspect).join(", ")}]>"
        ensure
          @inspecting = nil unless frozen?
        end
      end
      alias to_s inspect

      def __enums = @enums || raise(ArgumentError, "uninitialized #{self.class.name[12..].downcase}")

      private

      def __compose(enums)
        @enums = enums.freeze
        @begun = 0
        self
      end

      def __reset
        @fiber = @done = @ahead = nil
        self
      end

      def initialize_copy(other)
        return self if equal?(other)
        raise FrozenError.new("can't modify frozen #{self.class}: #{inspect}", receiver: self) if frozen?
        raise TypeError, "initialize_copy should take same class object" unless other.instance_of?(self.class)
        @enums = other.__enums
        self
      end
    end
  end

  class ArithmeticSequence < Enumerator
    class << self
      undef_method :new
    end
    attr_reader :begin, :end, :step

    def self.__build(from, to, step, excl, receiver, args, method)
      s = allocate
      s.__send__(:__fill, from, to, step, excl, receiver, args, method)
      s
    end

    def __fill(from, to, step, excl, receiver, args, method)
      @begin = from
      @end = to
      @step = step
      @excl = excl
      __setup(receiver, method, args, {}, nil)
    end
    private :__fill

    def exclude_end? = @excl

    def each
      return self unless block_given?
      raise ArgumentError, "#step iteration for beginless ranges is meaningless" if @begin.nil?
      if Float === @begin || Float === @end || Float === @step
        n = size
        i = 0
        while i < n
          x = @begin + i * @step.to_f
          x = @end.to_f if @end && !@excl && (@step > 0 ? x > @end : x < @end)
          yield x
          i += 1
        end
        return self
      end
      x = @begin
      while @end.nil? || (@step > 0 ? (@excl ? x < @end : x <= @end) : (@excl ? x > @end : x >= @end))
        yield x
        x += @step
      end
      self
    end

    def size
      return Float::INFINITY if @end.nil?
      if Float === @begin || Float === @end || Float === @step
        return (@step > 0 ? @begin <= @end : @begin >= @end) ? 1 : 0 if Float === @step && @step.infinite?
        n = (@end - @begin) / @step.to_f
        return 0 if n.nan? || n < 0
        return Float::INFINITY if n.infinite?
        err = (@begin.abs + @end.abs + (@end - @begin).abs) / @step.abs.to_f * Float::EPSILON
        err = 0.5 if err > 0.5
        if @excl
          return 0 if n <= 0
          m = n < 1 ? 0 : (n - err).floor
          return m + (m * @step.to_f + @begin < @end ? 1 : 0) if @step > 0
          return m + (m * @step.to_f + @begin > @end ? 1 : 0)
        end
        return (n + err).floor + 1
      end
      n = (@end - @begin).div(@step)
      return 0 if n < 0
      n -= 1 if @excl && @begin + n * @step == @end
      n + 1
    end

    def first(*n)
      return super unless n.empty?
      return nil if @end && (@step > 0 ? (@begin <=> @end) > 0 : (@begin <=> @end) < 0)
      @begin
    end

    def last(*n)
      raise RangeError, "cannot get the last element of endless arithmetic sequence" if @end.nil?
      return to_a.last(*n) unless n.empty?
      k = size
      k == 0 ? nil : (Float === @begin || Float === @step ? to_a.last : @begin + (k - 1) * @step)
    end

    def to_a
      raise RangeError, "cannot convert endless range to an array" if @end.nil?
      super
    end

    def ==(other)
      ArithmeticSequence === other && @begin == other.begin && @end == other.end && @step == other.step &&
        @excl == other.exclude_end?
    end
    alias eql? ==
    alias === ==

    def hash = [@begin, @end, @step, @excl].hash

    def inspect
      if Range === @receiver
        "((#{@receiver.inspect}).#{@method}#{"(#{@args.map(&:inspect).join(", ")})" unless @args.empty?})"
      else
        "(#{@receiver.inspect}.#{@method}(#{@args.map { |a| Hash === a ? a.map { |k, v| "#{k}: #{v.inspect}" }.join(", ") : a.inspect }.join(", ")}))"
      end
    end
    alias to_s inspect
  end

  # A chain of steps.  @walk runs each: it is called with the sink, a Proc for what comes out of this step, and the
  # arguments of each.
  class Lazy < Enumerator
    def initialize(source, size = nil, &block)
      raise ArgumentError, "tried to call lazy new without a block" unless block
      __over(source, size) do |sink, args|
        yielder = Yielder.new(&sink)
        source.each(*args) { |*packed| block.call(yielder, *packed) }
      end
    end

    def __over(source, size, &walk)
      raise FrozenError.new("can't modify frozen #{self.class}: #{inspect}", receiver: self) if frozen?
      @source = source
      @walk = walk
      @size = size
      @receiver = source
      @method = :each
      @args = []
      @kw = {}
      self
    end
    protected :__over

    # What lazy gives: the source itself.
    def self.__from(source, size)
      allocate.__send__(:__over, source, size) { |sink, args| source.each(*args, &sink) }
    end

    def each(*args, &sink)
      return self unless sink
      @walk.call(sink, args)
      self
    end

    def size
      @size.respond_to?(:call) ? @size.call : @size
    end

    def __named(method, args = [])
      @shown = [method, args]
      self
    end
    protected :__named

    # A step that calls the block with the sink and what comes.
    def __step(method, args = [], size = nil, &step)
      source = self
      Lazy.allocate.__over(self, size) do |sink, rest|
        source.each(*rest) { |*packed| step.call(sink, *packed) }
      end.__named(method, args)
    end

    # A step with a state of its own in each run: the block makes what __step is given.
    def __restart(method, args = [], size = nil)
      source = self
      maker = proc { yield }
      Lazy.allocate.__over(self, size) do |sink, rest|
        step = maker.call
        source.each(*rest) { |*packed| step.call(sink, *packed) }
      end.__named(method, args)
    end
    private :__step, :__restart

    def inspect
      return "#<Enumerator::Lazy: uninitialized>" unless @walk
      return "#<Enumerator::Lazy: #{@source.inspect}>" unless @shown
      args = @shown[1]
      "#<Enumerator::Lazy: #{@source.inspect}:#{@shown[0]}#{"(#{args.map(&:inspect).join(", ")})" unless args.empty?}>"
    end
    alias to_s inspect

    def map(&block)
      raise ArgumentError, "tried to call lazy map without a block" unless block
      __step(:map, [], size) { |sink, *packed| sink.call(block.call(*packed)) }
    end
    alias collect map
    alias _enumerable_map map

    def select(&block)
      raise ArgumentError, "tried to call lazy select without a block" unless block
      __step(:select) { |sink, *packed| sink.call(*packed) if block.call(packed) }
    end
    alias filter select
    alias find_all select

    def reject(&block)
      raise ArgumentError, "tried to call lazy reject without a block" unless block
      __step(:reject) { |sink, *packed| sink.call(*packed) unless block.call(packed) }
    end

    def filter_map(&block)
      raise ArgumentError, "tried to call lazy filter_map without a block" unless block
      __step(:filter_map) { |sink, *packed| (r = block.call(*packed)) && sink.call(r) }
    end

    def flat_map(&block)
      raise ArgumentError, "tried to call lazy flat_map without a block" unless block
      __step(:flat_map) do |sink, *packed|
        r = block.call(*packed)
        if (a = Array.try_convert(r))
          a.each { |e| sink.call(e) }
        elsif r.respond_to?(:force) && r.respond_to?(:each)
          r.each { |e| sink.call(e) }
        else
          sink.call(r)
        end
      end
    end
    alias collect_concat flat_map

    def take(n)
      n = Array.__index_argument(n)
      raise ArgumentError, "attempt to take negative size" if n < 0
      source = self
      s = size
      Lazy.allocate.__over(self, s && [s, n].min) do |sink, rest|
        left = n
        next if left == 0
        source.each(*rest) do |*packed|
          sink.call(*packed)
          break if (left -= 1) <= 0
        end
      end.__named(:take, [n])
    end

    def first(*n)
      if n.empty?
        each { |*packed| return packed }
        return nil
      end
      take(n[0]).to_a
    end

    def take_while(&block)
      raise ArgumentError, "tried to call lazy take_while without a block" unless block
      source = self
      Lazy.allocate.__over(self, nil) do |sink, rest|
        source.each(*rest) do |*packed|
          break unless block.call(*packed)
          sink.call(*packed)
        end
      end.__named(:take_while)
    end

    def drop(n)
      n = Array.__index_argument(n)
      raise ArgumentError, "attempt to drop negative size" if n < 0
      s = size
      __restart(:drop, [n], s && [s - n, 0].max) do
        left = n
        proc { |sink, *packed| left > 0 ? left -= 1 : sink.call(*packed) }
      end
    end

    def drop_while(&block)
      raise ArgumentError, "tried to call lazy drop_while without a block" unless block
      __restart(:drop_while) do
        dropping = true
        proc do |sink, *packed|
          dropping = false if dropping && !block.call(*packed)
          sink.call(*packed) unless dropping
        end
      end
    end

    def with_index(offset = 0, &block)
      offset = offset.nil? ? 0 : Array.__index_argument(offset)
      __restart(:with_index, offset == 0 ? [] : [offset], size) do
        i = offset - 1
        proc do |sink, *packed|
          i += 1
          if block
            block.call(packed, i)
            sink.call(packed)
          else
            sink.call([packed, i])
          end
        end
      end
    end
    alias each_with_index with_index

    def uniq(&block)
      __restart(:uniq) do
        seen = {}
        proc do |sink, *packed|
          key = block ? block.call(packed) : packed
          unless seen.key?(key)
            seen[key] = true
            sink.call(packed)
          end
        end
      end
    end

    def compact
      __step(:compact) { |sink, *packed| sink.call(packed) unless packed.nil? }
    end

    def grep(pattern, &block)
      __step(:grep, [pattern]) { |sink, *packed| sink.call(block ? block.call(packed) : packed) if pattern === packed }
    end

    def grep_v(pattern, &block)
      __step(:grep_v, [pattern]) { |sink, *packed| sink.call(block ? block.call(packed) : packed) unless pattern === packed }
    end

    def zip(*others, &block)
      return super if block
      others.each do |o|
        raise TypeError, "wrong argument type #{o.class} (must respond to :each)" unless o.respond_to?(:each)
      end
      __restart(:zip, others, size) do
        iterators = others.map { |o| Array === o ? o.each : o.to_enum(:each) }
        proc do |sink, *packed|
          row = [packed]
          iterators.each do |it|
            row << begin
              it.next
            rescue StopIteration
              nil
            end
          end
          sink.call(row)
        end
      end
    end

    def chunk(*) = super.lazy
    def chunk_while(*) = super.lazy
    def slice_when(*) = super.lazy
    def slice_before(*) = super.lazy
    def slice_after(*) = super.lazy

    def eager
      source = self
      Enumerator.new(size) { |y| source.each { |*x| y.yield(*x) } }
    end

    def lazy = self
    def force(*args) = to_a(*args)

    # Methods that are lazy here iterate as Enumerator has them.
    def to_enum(method = :each, *args, &size)
      source = self
      eager = Lazy.instance_method(method).owner == Lazy && Enumerator.method_defined?(method) && method != :each
      call = eager ? Enumerator.instance_method(method).bind(self) : proc { |*x, &sink| source.__send__(method, *x, &sink) }
      Lazy.allocate.__over(self, size) { |sink, rest| call.call(*args, *rest, &sink) }.__named(method, args)
    end
    alias enum_for to_enum
  end
end

module Kernel
  def to_enum(method = :each, *args, **kw, &size)
    Enumerator.__for(self, method, args, kw, size)
  end
  alias enum_for to_enum

  def loop
    return to_enum(:loop) { Float::INFINITY } unless block_given?
    begin
      while true
        yield
      end
    rescue StopIteration => e
      e.result
    end
  end
  private :loop
end
