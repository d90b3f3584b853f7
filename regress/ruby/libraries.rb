# Libraries that come with the program: stringio, strscan, json, singleton, forwardable, shellwords, delegate, time.
require "stringio"
def e
  p yield
rescue => x
  puts "#{x.class}: #{x.message}"
end
io = StringIO.new("one\ntwo\n\n\nthree")
p io.gets, io.lineno, io.pos, io.getc, io.ungetc("t"), io.read(3), io.readline, io.gets(""), io.read, io.read, io.read(1), io.eof?
io.rewind
p io.readlines, io.rewind, io.each_line(chomp: true).to_a, io.rewind, io.gets(nil, 5), io.gets("o"), io.gets(2), io.each_char.first(2), io.each_byte.first(1)
io.pos = 100
p io.read, io.getc, io.gets
io = StringIO.new
io << "a" << 1
io.puts [1, [2]], nil
io.print "x", "y"
io.printf("%03d", 5)
io.putc 65
io.write("p", :q)
p io.string, io.pos, io.size
io.pos = 2
io.write "ZZ"
io.seek(-1, IO::SEEK_END)
io.write("end")
p io.string, io.truncate(3), io.string
e { StringIO.new("a", "w").read }
e { StringIO.new("a".freeze, "r").write("x") }
e { StringIO.new("").readline }
e { StringIO.new("").readbyte }
e { StringIO.new("a").read(-1) }
e { s = StringIO.new("a"); s.close; s.read }
p StringIO.new("héllo").each_char.to_a, StringIO.new(+"ab", "a").tap { |s| s.write("c") }.string
$stdout = StringIO.new
puts "caught"
text = $stdout.string
$stdout = STDOUT
p text

require "strscan"
s = StringScanner.new("test string 42")
p s.scan(/\w+/), s.pos, s.check(/\s/), s.scan(/x/), s.skip(/\s+/), s.scan_until(/g/), s.pre_match, s.matched, s.post_match, s.rest, s.peek(3), s.eos?, s.getch, s.scan(/(\d)(?<b>\d)/), s[0], s[:b], s.eos?, s.unscan.pos, s.terminate.eos?
p s, s.reset.bol?, s.inspect

require "json"
p JSON.parse('{"a":[1,-2.5e3,"\u00e9\ud83d\ude00\\\\n",true,false,null],"b":{"c":{}}}'), JSON.parse("[]"), JSON.parse("2"), JSON.parse('"x"'), JSON.parse('{"a":1}', symbolize_names: true)
p JSON.generate([1, 2.0, "a\"\\\n\t\u0001é", nil, true, { a: 1, "b" => :c, 3 => [] }]), [1].to_json, "x".to_json, nil.to_json, { a: nil }.to_json, :s.to_json, 1.5.to_json
puts JSON.pretty_generate({ "a" => [1, { "b" => [] }], "c" => {}, "d" => "e" })
e { JSON.generate(Float::NAN) }
e { JSON.parse("[1,2", max_nesting: 2).size }
class Foo; def to_json(*a) = { foo: 1 }.to_json(*a); end
p JSON.generate([Foo.new]), JSON.dump({ a: Foo.new }), JSON.load("[1]"), JSON.load(nil)

require "singleton"
class One; include Singleton; attr_accessor :x; end
p One.instance.equal?(One.instance)
e { One.new }
require "forwardable"
class Q
  extend Forwardable
  def_delegators :@a, :size, :<<, :first, :each
  def_delegator :@a, :last, :tail
  include Enumerable
  def initialize = @a = []
end
q = Q.new
q << 1
q << 2
p q.size, q.first, q.tail, q.map { |x| x * 2 }
require "shellwords"
p Shellwords.split("a 'b c' \"d \\\" e\" f\\ g"), Shellwords.escape("it's a"), %w[a b\ c].shelljoin
require "delegate"
class W < SimpleDelegator; def extra = "extra #{size}"; end
w = W.new([3, 1, 2])
p w.sort, w.extra, w == [3, 1, 2], w.is_a?(W), w.__getobj__, w.map { |x| x + 1 }, w.respond_to?(:push), w.to_s
e { w.nope }
class D < DelegateClass(Array); def initialize = super([1]); end
p D.new.push(2).size
require "time"
p Time.parse("2020-01-02 03:04:05 UTC"), Time.parse("Thu, 02 Jan 2020 03:04:05 GMT"), Time.parse("2020-01-02T03:04:05.25+09:00"), Time.iso8601("2020-01-02T03:04:05Z"), Time.utc(2020).httpdate, Time.utc(2020).rfc2822, Time.strptime("2020-05-06 07:08:09 +0000", "%Y-%m-%d %H:%M:%S %z").utc, Time.httpdate("Wed, 01 Jan 2020 00:00:00 GMT")
e { Time.parse("zzz") }
e { Time.iso8601("zzz") }
