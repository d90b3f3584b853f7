# What is nested deeper than any stack raises SystemStackError or SyntaxError, or works: in the main program, a fiber, a thread.
. "$LODE_TOP/regress/lib.sh"
cat >deep.rb <<'RUBY'
N = 100_000 # in text
DEPTH = 20_000
S = Struct.new(:a)
def try(label)
  result = begin
    yield
  rescue SystemStackError, SyntaxError, ArgumentError => e
    e.class
  end
  puts "#{label}: #{result}"
end

def arrays = DEPTH.times.inject([1]) { |a, _| [a] }
def hashes = DEPTH.times.inject({}) { |h, _| {a: h} }
def structs = DEPTH.times.inject(S.new(1)) { |s, _| S.new(s) }
class Deep
  def initialize(d) = @d = d
  def method_missing(name, *args) = method_missing(name, *args)
  def respond_to_missing?(*) = respond_to?(:x)
  def to_s = "#{self}"
  def inspect = [self].inspect
  def hash = [self].hash
  def ==(o) = [self] == [o]
  def <=>(o) = [self] <=> [o]
  def coerce(o) = [self, self + o]
  def +(o) = 1 + self
  def each(&b) = each(&b)
  def to_ary = [self].flatten
  def to_str = "" + self
  def to_proc = [1].each(&self)
  def call(*) = [1].each { call }
  def marshal_dump = Marshal.dump(self)
  include Enumerable
end

def all
  a = arrays
  try("inspect") { a.inspect.size }
  try("==") { a == arrays }
  try("hash") { a.hash.class }
  try("<=>") { a <=> arrays }
  try("eql?") { a.eql?(arrays) }
  try("flatten") { a.flatten }
  try("dump") { Marshal.dump(a).size }
  try("load") { Marshal.load("\x04\b" + "[\x06" * DEPTH + "0").size }
  try("join") { a.join.size }
  try("shareable") { Ractor.make_shareable(a).class }
  try("product of nested strings") { a.to_s.size }
  try("hash inspect") { hashes.inspect.size }
  try("hash ==") { hashes == hashes }
  try("hash hash") { hashes.hash.class }
  try("struct inspect") { structs.inspect.size }
  try("struct ==") { structs == structs }
  try("struct hash") { structs.hash.class }
  d = Deep.new(1)
  %i[x to_s inspect hash to_str to_proc to_ary call marshal_dump].each { |m| try(m) { d.send(m) } }
  try("coerce") { d + 1 }
  try("compare") { d == Deep.new(2) }
  try("sort") { [d, Deep.new(1)].sort }
  try("each") { d.map { 1 } }
  try("puts") { [d].join }
  try("sort_by") { f = -> { [2, 1].sort_by { f.call } }; f.call }
  try("gsub") { f = -> { "a".gsub(/a/) { f.call } }; f.call }
  try("default proc") { h = Hash.new { |x, k| x[k + 1] }; h[0] }
  try("define_method") { Deep.define_method(:dm) { dm }; d.dm }
  try("instance_eval") { f = -> { instance_eval { f.call } }; f.call }
  try("eval") { eval("$deep = -> { eval('$deep.call') }; $deep.call") }
  try("send") { def self.again(*x) = send(:again, *x); again(1) }
  try("lazy") { f = -> { (1..2).lazy.map { f.call }.to_a }; f.call }
  try("inject") { f = -> { [1, 2].inject { f.call } }; f.call }
  try("freeze in a comparison") { f = -> { [1, 2].max_by { f.call } }; f.call }
  try("const_missing") { Deep.define_singleton_method(:const_missing) { |n| const_get(n) }; Deep::Nothing }
  try("parentheses") { eval("(" * N + "1" + ")" * N) }
  try("arrays in text") { eval("[" * N + "]" * N) }
  try("blocks in text") { eval("a {" * N + "}" * N) }
  try("classes in text") { eval("class A;" * N + "end;" * N) }
  try("patterns in text") { eval("case 1; in " + "[" * N + "]" * N + "; end") }
  try("interpolations in text") { eval('"#{' * N + '}"' * N) }
  try("operators in text") { eval("1" + "+1" * N) }
  try("signs in text") { eval("-" * N + "1") }
  try("nots in text") { eval("!" * N + "1") }
  try("calls in text") { eval("1" + ".to_i" * N) }
  try("elsifs in text") { eval("if false; 0;" + "elsif false; 0;" * 10_000 + "else 7; end") }
  try("lambdas in text") { eval("->{" * N + "}" * N) }
  try("digits in text") { eval("9" * N).bit_length }
end

$stdout.sync = true
case ARGV[0]
when "fiber" then Fiber.new { all }.resume
when "thread" then Thread.new { all }.join
else all
end
RUBY
for place in main fiber thread; do
    exits 0 lode --solo deep.rb $place
    same "lines of $place" 55 "$(grep -c . <<<"$out")"
    same "other results of $place" '' "$(grep -vE ': (SystemStackError|SyntaxError|[0-9]+|\[1\])$' <<<"$out")"
    for deep in to_s hash coerce 'default proc' gsub sort_by eval lazy parentheses 'patterns in text' 'blocks in text'; do
        contains "$deep in $place" "$deep: S" "$out"
    done
done
