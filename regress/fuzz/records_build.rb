# records_build.rb: what tools/record_fuzz.c commits: objects of every kind that a store can hold, and code with every kind of instruction
# that Ruby text leads to.  Maglev[:callable] are lambdas without parameters that the probe calls.
Maglev.persistent do
  module Shapes
    PI2 = 6.28
    def area = @w * (@h || 1)
    def self.make(...) = Box.new(...)
  end
  class Box
    include Shapes
    include Comparable
    attr_accessor :w, :h
    @@count = 0
    LIMIT = [1, 2, {a: "b"}].freeze
    @made = 0
    class << self
      attr_accessor :made
      def from((a, b), *rest, c: 3, **more, &blk) = new(a, b || rest.size + c + more.size)
      private def hidden = 1
    end
    def initialize(w, h = w * 2, *rest, label: "box", depth: w + h, **more, &blk)
      @w, @h, @label, @depth, @rest, @more = w, h, label, depth, rest, more
      @@count += 1
      self.class.made = (self.class.made || 0) + 1
      @blk = blk
    end
    def <=>(other) = area <=> other.area
    def each
      return to_enum(:each) unless block_given?
      yield @w
      yield @h
      yield @w, @h
      self
    end
    include Enumerable
    def count_all = @@count
    def deconstruct = [@w, @h]
    def deconstruct_keys(_) = {w: @w, h: @h}
    def method_missing(name, *args) = name.end_with?("?") ? args.size : super
    def respond_to_missing?(name, all = false) = name.end_with?("?")
    def to_s = "#{@label}: #{@w}x#{@h}"
    protected def secret = @depth
    alias size area
    define_method(:twice) { |n = 2, *r, k: 1| area * n + k + r.size }
    def compare(o) = o.secret <=> secret
  end
  class Cube < Box
    prepend(Module.new { def area = super * @w })
    def initialize(w, ...) = super(w, w, ...)
    def to_s = "cube " + super
    undef_method :compare
    def area = super() * @w
  end
  module Refining
    refine(String) { def shout = upcase + "!" }
  end
  Point = Struct.new(:x, :y) { def dist = Math.sqrt(x * x + y * y) }
  Named = Struct.new(:a, :b, keyword_init: true)
  Pair = Data.define(:left, :right)
  class Odd < StandardError
    def initialize(m = "odd") = super
  end
end

def proc_of_locals(a, b = [1])
  c = a + 1
  [-> { c += 1; b << c; b.size }, ->(x, y = c, *z, k: a, **o, &blk) { [x, y, z, k, o, c] }, proc { |x, (y, z), *w| [x, y, z, w, a] },
   lambda { [1, 2, 3].map { |v| [v, c].map { |u| u.to_s + a.to_s } } }, binding]
end

Maglev.persistent do
  code = []
  code << -> { 10.times.map { |i| i * 2 }.select(&:even?).inject(:+) }
  code << lambda do
    total = 0
    [1, 2.5, 3r, 4i, 2**80].each_with_index { |v, i| total += v * i }
    i = 0
    while i < 20
      i += 1
      next if i.odd?
      break if i > 15
      total += i
    end
    i += 1 until i >= 20
    "#{total} #{i} #{[i, *[1, 2]].sum}"
  end
  code << lambda do
    begin
      Integer("x")
    rescue ArgumentError, *[TypeError] => e
      begin
        raise Odd, "inner"
      rescue Odd
        $!.cause.message
      else
        1
      ensure
        x = 3
      end
    ensure
      y = x.to_i + 1
    end
  end
  code << lambda do
    case [1, {name: "n", list: [1, 2, 3, 9]}, nil, 5.5]
    in [Integer => a, {name: String => s, list: [*, 2, z, *post]}, nil, Float | Integer => f] if a == 1
      [a, s, z, post, f]
    end
  end
  code << lambda do
    case {w: 3, h: 4, more: 1}
    in {w:, h: 2..5 => h, **rest} then [w, h, rest]
    in {w: 9, **nil} then 1
    else 2
    end
  end
  code << lambda do
    f = ->(n) { n < 2 ? n : f.(n - 1) + f.(n - 2) }
    [f[10], catch(:x) { 10.times { |i| throw :x, i if i == 4 } }, [3, 1, 2].sort { |a, b| b <=> a }, loop { break 7 }]
  end
  code << lambda do
    b = Box.new(2, 3, 4, label: "l", extra: 1) { |q| q }
    c = Cube.new(3)
    b.w += 1
    b.h ||= 5
    h = Hash.new { |hash, k| hash[k] = k.to_s * 2 }
    h[:a] <<= "x" rescue h[:b] += "y"
    [b.to_s, c.area, b <=> c, b.twice(3, 4, k: 5), b.even?(1, 2), b.map { _1 }, h, b.each.next, Box.from([1, 2], 3, c: 4, d: 5).to_s, b.compare(b),
     Shapes.make(1).size, Box::LIMIT.last[:a], Shapes::PI2, b.count_all, defined?(b.w), defined?(@zz), defined?(String), (b in [w, _])]
  end
  code << lambda do
    s = +"abc"
    s << "d" << 101
    s[1] = "ZZ"
    m = /(?<first>\w)(\d)?/.match(s)
    if /(?<got>Z+)/ =~ s then g = got end
    [s =~ /Z/, $~[0], $`, $1, m[:first], s.sub(/b/) { $&.upcase }, s.gsub(/[a-z]/o, "x" => "1"), "%05.2f|%-4s|%x" % [1.5, "a", 255], :"sym#{s}", %w[a b],
     %i[c d], 1..5, (1...9).step(2).to_a, "a".."c", `true`, __method__, __LINE__, s.frozen?, g]
  end
  code << lambda do
    a, (b, *c), d = 1, [2, 3, 4], 5
    *e, f = [6, 7, 8]
    g, h = h = 1, 2
    x = [a, b, c, d, e, f, g, h]
    x[1], x[2] = x[2], x[1]
    o = Object.new
    def o.go(k = 1, *r, z: 2) = [k, r, z, yield(k)]
    class << o
      attr_accessor :v
      def w = @v
    end
    o.v = x
    o&.v&.first
    o.v[0] += 1
    o.go(*x, **{z: 3}) { |q| q.to_s }.inspect + o.w.inspect
  end
  code << lambda do
    r = []
    5.times { |i| r << i if (i == 1)..(i == 3) }
    r2 = (1..6).each_slice(2).with_index.to_h { |(p, q), i| [p, q.to_i + i] }
    e = [1, 2, 3].each
    fiber = Fiber.new { |z| z2 = Fiber.yield(z + 1); z2 * 2 }
    [r, r2, e.next, e.next, fiber.resume(1), fiber.resume(5), (1..Float::INFINITY).lazy.map { |k| k * 2 }.first(3),
     [1, [2, [3]]].flatten, [[1, 2], [3, 4]].to_h { |p, q| [q, p] }, {a: 1}.merge({b: 2}) { 3 }, [3, 1].minmax, "x".then { |q| q + "y" }]
  end
  code << lambda do
    begin
      [1].each { |v| return v + 1 }
    ensure
      [1, 2].each { next }
    end
  end
  code << ->(a = 1, b: a + 1) { eval("a + b + 1", binding) }
  code << lambda do
    n = 0
    begin
      n += 1
      raise Odd if n < 3
      n
    rescue Odd
      retry
    end
  end
  code << lambda do
    class Late
      X = 1
      def y = X
      def self.z = new.y
    end
    module LateModule; def self.q = 1; end
    [Late.z, LateModule.q, Late.instance_methods(false)]
  end
  code << lambda { $gl = 1; $gl += 1; alias $gm $gl; [$gm, $0.class, $,] }
  code << :upcase.to_proc.then { |u| -> { u.call("a") + (u >> :to_sym.to_proc).call("b").to_s } }
  code << method(:proc_of_locals).to_proc.curry(1).then { |q| -> { q.call(1).size } }
  code.concat(proc_of_locals(3).first(4).map { |f| -> { f.call(1, [2, 3]) } })
  using_code = eval("using Refining; -> { 'abc'.shout }") rescue nil
  code << using_code if using_code

  Maglev[:callable] = code
  Maglev[:locals] = proc_of_locals(7)
  Maglev[:objects] = [Box.new(1), Box.new(2, 3, label: "x") { |v| v }, Cube.new(4), Point.new(1, 2), Named.new(a: 1, b: [2]), Pair.new(left: 1, right: "r")]
  o = Object.new
  def o.single = 42
  o.instance_variable_set(:@self, o)
  s = +"with ivars"
  s.instance_variable_set(:@note, [1])
  def s.own = size
  cyclic = [1]
  cyclic << cyclic
  by_id = {}.compare_by_identity
  by_id[o] = 1
  default = Hash.new { |h, k| h[k] = 1 }
  default[:a]
  Maglev[:values] = [1, 2**100, -(2**70), 1.5, 1e300, -0.0, Float::NAN, 3r / 7, Complex(1, 2.5), :sym, "str", "x" * 100, "\xff\xfe".b, "ä".encode("UTF-16LE"), "frozen".freeze,
                     "long" * 40_000, 1..2, ("a"..), Range.new(1, 10, true), [1, [2, [nil, true]]], (0..600).to_a, {a: 1, "b" => [2]}, (0..40).to_h { |i| [i, i.to_s] },
                     (0..900).to_h { |i| ["k#{i}", i] }, Hash.new(5).merge!(1 => 2), default, by_id, cyclic, o, s, Time.at(0, 5, :nsec).utc, Time.at(1e9, in: "+05:30"),
                     /a(?<b>c+)/ix.match("xACCC"), /(a)|b/m, Regexp.new("\u00e4+"), Odd.new("saved"), (raise "e" rescue $!), (begin; Integer("z"); rescue => e; e; end),
                     Box.instance_method(:area), Box.new(3).method(:twice), 5.method(:+), [].method(:map).unbind, method(:proc_of_locals), binding, Set[1, 2, "c"],
                     Struct.new(:q).new(1), Class.new(Box) { def q = 1 }, Module.new, Refining, Comparable, Box.singleton_class, Encoding::UTF_8, nil, true, 1.0.next_float,
                     Maglev.respond_to?(:gs_maglev) ? 1 : 0, proc { |a, b = 2| }, :to_s.to_proc, [].each_slice(2), (1..3).each_entry, Random.new(3)].select { |v|
    begin
      Maglev[:trial] = v
      Maglev.commit
      true
    rescue Exception
      Maglev.abort
      false
    end
  }
  Maglev[:trial] = nil
  Maglev.commit
end
