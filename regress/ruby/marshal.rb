# Marshal: bytes as CRuby writes them, and back.
def t(x)
  bytes = Marshal.dump(x)
  back = Marshal.load(bytes)
  p bytes, back == x, back.class, Marshal.dump(back) == bytes
rescue => e
  puts "#{e.class}: #{e.message}"
end

class Foo
  attr_accessor :a, :b
  def initialize; @a = 1; @b = "x"; end
  def ==(o) = o.is_a?(Foo) && a == o.a
end
Pair = Struct.new(:a, :b)
Point = Data.define(:x)
class MyS < String; end
class MyA < Array; end
class MyH < Hash; end
class Ud
  attr_reader :s
  def initialize(s) = @s = s
  def _dump(limit) = @s
  def self._load(s) = new(s)
  def ==(o) = o.is_a?(Ud) && s == o.s
end
class Um
  attr_reader :v
  def initialize(v) = @v = v
  def marshal_dump = [@v]
  def marshal_load(a)
    @v = a[0]
  end
  def ==(o) = o.is_a?(Um) && v == o.v
end
module Ext; end

[nil, true, false, 0, 1, -1, 122, 123, 255, 256, -123, -124, -256, -257, 65535, 65536, 2**30 - 1, -(2**30)].each { |x| t x }
[2**64, -(2**70), 3**200].each { |x| t x }
[1.5, -0.5, 0.0, -0.0, 1e100, 1e-5, 0.001, 100.0, 123456.789, 1e20, 1.7976931348623157e308, 5e-324, 1 / 3.0].each { |x| t x }
t Float::INFINITY
t(-Float::INFINITY)
t "é"
t "a".b
t "a".encode("US-ASCII")
t "\u3042".encode("EUC-JP")
t :é
t %i[a b a b]
s = "s"
t [s, s, s.dup]
t(/a.c/mi)
t(/é/)
t [1, [2, [3, []]]]
t({ a: 1, "b" => [2], nil => {} })
t Hash.new(5).merge!(a: 1)
t({ a: 1 }.compare_by_identity)
t Foo.new
t Pair.new(1, Pair.new(2, nil))
t Point.new(x: 1)
t MyS.new("a")
t MyA[1, 2]
h = MyH.new
h[1] = 2
t h
t Ud.new("abc")
t Um.new([1, "z"])
t 1..2
t 1...nil
t "a".."c"
t 3r
t 2 + 3i
t String
t Kernel
t Process::Status
t Time.utc(2000, 1, 2, 3, 4, 5.5)
t Time.at(0, 123456789, :nsec, in: "+09:00")
t Set[1, "two"]
e = RuntimeError.new("m")
b = Marshal.load(Marshal.dump(e))
p b.class, b.message, b.backtrace

a = [1]
a << a
b = Marshal.load(Marshal.dump(a))
p b[1].equal?(b)
x = "a".extend(Ext)
p Marshal.dump(x), Marshal.load(Marshal.dump(x)).is_a?(Ext)
s = "iv"
s.instance_variable_set(:@iv, 3)
p Marshal.load(Marshal.dump(s)).instance_variable_get(:@iv)

t proc {}
t Hash.new {}
t $stdout
t Object.new.tap { |o| def o.x; end }
t Thread::Mutex.new
t "a".match(/a/)

seen = []
Marshal.load(Marshal.dump([1, "s", :b, nil, 2.5, [3]]), ->(v) { seen << v; v })
p seen
p Marshal.load(Marshal.dump([1, 2]), proc { |v| v.is_a?(Integer) ? v * 10 : v })
f = Marshal.load(Marshal.dump([["a"], { "k" => "v" }]), freeze: true)
p f.frozen?, f[0].frozen?, f[0][0].frozen?, f[1]["k"].frozen?

def bad(bytes)
  Marshal.load(bytes)
rescue => e
  puts "#{e.class}: #{e.message}"
end
bad "\x04\bo:\tNopeX\x00"
bad "\x04\b"
bad ""
bad "\x03\x00"
bad "\x04\b?"
bad "\x04\b["
bad "\x04\b@\x06"
bad "\x04\b;\x06"
bad 1
begin; Marshal.dump([[]], 1); rescue => e; p e; end
begin; Marshal.dump(1, "x"); rescue => e; p e; end
