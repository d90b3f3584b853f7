# Event simulation, priority queue, Comparable, Enumerable, Data
class PQ
  include Enumerable
  def initialize(&cmp) = (@a, @cmp = [], cmp || :<=>.to_proc)
  def push(x)
    @a << x
    i = @a.size - 1
    while i > 0 && @cmp.(@a[i], @a[(i - 1) / 2]) < 0
      @a[i], @a[(i - 1) / 2] = @a[(i - 1) / 2], @a[i]
      i = (i - 1) / 2
    end
    self
  end
  alias << push
  def pop
    return if @a.empty?
    top, last = @a[0], @a.pop
    unless @a.empty?
      @a[0] = last
      i = 0
      loop do
        l, r, m = 2 * i + 1, 2 * i + 2, i
        m = l if l < @a.size && @cmp[@a[l], @a[m]] < 0
        m = r if r < @a.size && @cmp[@a[r], @a[m]] < 0
        break if m == i
        @a[i], @a[m] = @a[m], @a[i]
        i = m
      end
    end
    top
  end
  def each
    return enum_for(:each) { @a.size } unless block_given?
    c = dup
    while (x = c.pop)
      yield x
    end
  end
  def initialize_copy(o)
    super
    @a = @a.dup
  end
  def empty? = @a.empty?
  def size = @a.size
end
Event = Data.define(:at, :prio, :name, :payload) do
  include Comparable
  def initialize(at:, name:, prio: 0, payload: {}) = super(at: at.to_r, prio:, name:, payload: payload.freeze)
  def <=>(o) = [at, prio, name.to_s] <=> [o.at, o.prio, o.name.to_s]
  def later(by) = with(at: at + by)
end
class Sim
  attr_reader :now, :log
  def initialize = (@q, @now, @handlers, @log = PQ.new, 0r, Hash.new { |h, k| h[k] = [] }, [])
  def on(name, &b) = @handlers[name] << b
  def at(t, name, **kw) = @q << Event.new(at: t, name:, **kw.slice(:prio), payload: kw.except(:prio))
  def after(d, ...) = at(@now + d, ...)
  def run(until_: nil)
    until @q.empty?
      ev = @q.pop
      break if until_ && ev.at > until_
      @now = ev.at
      @handlers[ev.name].each { |h| instance_exec(**ev.payload, &h) }
    end
    self
  end
  def say(fmt, *a) = @log << format("[%8.3f] " + fmt, @now, *a)
end
s = Sim.new
rng = Random.new(42)
queue, served = [], 0
s.on(:arrive) { |id:| queue << [id, now]; say("customer %s arrives, queue %s", id, queue.size); after(Rational(rng.rand(1..5), 2), :arrive, id: id + 1) if id < 12; after(0, :serve, prio: 1) if queue.size == 1 }
s.on(:serve) { |**| if queue.any? then id, t = queue.first; after(Rational(3, 2), :done, id:, since: t) end }
s.on(:done) { |id:, since:| queue.shift; served += 1; say("customer %d done after %.2f", id, (now - since).to_f); after(0, :serve) }
s.at(0, :arrive, id: 1)
puts s.run(until_: 20).log
p served, queue.map(&:first), s.now
e = Event.new(at: 1, name: :x)
p e, e.later(0.5), e < e.later(1), [e.later(3), e, e.later(2)].min_by(&:at).at, e.clamp(e.later(1), e.later(2)).at
begin Event.new(name: :y) rescue p $! end
begin Event.new(at: 1, name: :y, zz: 1) rescue p $! end
begin e.instance_variable_set(:@at, 1) rescue p $!.class, $!.message end
case e
in {at: Rational => t, name: :x | :y => n, payload: {}} if t == 1 then puts "matched #{n}"
end
pq = PQ.new { |a, b| b <=> a }
[5, 1, 4, 2, 3].each { pq << _1 }
p pq.to_a, pq.size, pq.first(2), pq.sort, pq.include?(3), pq.each_slice(2).to_a, pq.each.size, pq.min_by { -_1 }, pq.reduce(:+), pq.each_with_object([]).with_index { |(x, acc), i| acc << x * i }
p pq.lazy.select(&:odd?).map { _1 * 2 }.first(2), pq.each_cons(2).map { |a, b| a - b }, pq.chunk_while { |a, b| a == b + 1 }.to_a, pq.zip(pq.drop(1)), pq.tally, pq.partition(&:even?), pq.minmax, pq.each_entry.to_a, pq.inject { |a, b| a * b }, pq.group_by { _1 % 3 }, pq.sum { _1.fdiv(2) }, pq.to_set
