# What has no end ends in an error that a program can rescue: recursion of any kind, huge results, too many fibers, deep sources.
. "$LODE_TOP/regress/lib.sh"
cat >limits.rb <<'R'
class Deep
  include Comparable
  def to_s = "#{self}"
  def inspect = [self].inspect
  def ==(other) = [self] == [other]
  def hash = {self => 1}.hash
  def <=>(other) = [self, other].sort.size
  def coerce(other) = [1 + self, self]
  def to_str = "a" + self
  def method_missing(name, ...) = other(...)
  def respond_to_missing?(name, all) = respond_to?(:"#{name}_")
  def each = each { yield }
  def self.const_missing(name) = const_get(name)
end
def plain = plain
def block(x) = [x].map { |y| block(y) }
def sorted(x) = [x].sort_by { |y| sorted(y) }
def stack(name)
  yield
  puts "#{name}: no error"
rescue SystemStackError => e
  puts "#{name}: #{e.message}"
end
cases = {
  plain: -> { plain }, block: -> { block(1) }, sorted: -> { sorted(1) }, to_s: -> { Deep.new.to_s }, inspect: -> { Deep.new.inspect },
  equal: -> { Deep.new == Deep.new }, hash: -> { Deep.new.hash }, sort: -> { [Deep.new, Deep.new].sort }, coerce: -> { 1 + Deep.new },
  to_str: -> { "a" + Deep.new }, missing: -> { Deep.new.x }, each: -> { Deep.new.each { } }, const: -> { Deep::X },
}
nested = []
100_000.times { nested = [nested] }
cases[:nested_inspect] = -> { nested.inspect }
cases[:nested_hash] = -> { nested.hash }
cases[:marshal] = -> { Marshal.dump(nested) }
cases.each { |name, body| stack(name, &body) }
cases.each { |name, body| Fiber.new { stack("fiber #{name}", &body) }.resume } if ARGV[0]

def memory
  yield
  puts "no error"
rescue NoMemoryError, ArgumentError, RangeError, IndexError => e
  puts "#{e.class} #{e.message}"
end
memory { "a" * 10**12 }
memory { [0] * 10**11 }
memory { 2**(10**12) }
memory { "%1000000000000d" % 1 }
memory { 1 << 10**12 }
memory { "a".ljust(10**12) }
memory { [1].pack("x1000000000000") }
memory { "a" * 2**62 }
memory { "ab" * 2**62 }
memory { "a".center(2**62) }
memory { String.new(capacity: 2**62) }
memory { Array.new(2**60) }
memory { Array.new(2**58) }
memory { [1] * 2**62 }
memory { [1] * 2**59 }
memory { [].fill(0, 0, 2**62) }
memory { [][2**62] = 1 }
memory { [][2**59] = 1 }
memory { [][2**61, 1] = [1] }
memory { [1, 2].product(*[(1..10**6).to_a] * 3) }
memory { [1, 2].product(*[(1..10**6).to_a] * 4) }
memory { "%.1000000000000f" % 1 }
memory { "%*d" % [2**40, 1] }
memory { [1].first(2**62) }
memory { a = [1]; loop { a.concat(a) } }
memory { s = "a"; loop { s << s } }

["(", "[", "!", "->{", "if 1;", "def f;", "x = ", '"#{', "f(", "{a: "].each do |open|
  eval(open * 20_000)
  puts "no error"
rescue SyntaxError => e
  puts e.class
end
R
deep='stack level too deep'
names='plain block sorted to_s inspect equal hash sort coerce to_str missing each const nested_inspect nested_hash marshal'
expected=$(for n in $names; do echo "$n: $deep"; done; for n in $names; do echo "fiber $n: $deep"; done
    cat <<'R'
NoMemoryError failed to allocate memory
NoMemoryError failed to allocate memory
ArgumentError exponent is too large
ArgumentError width too big
RangeError shift width too big
NoMemoryError failed to allocate memory
NoMemoryError failed to allocate memory
NoMemoryError failed to allocate memory
ArgumentError argument too big
NoMemoryError failed to allocate memory
NoMemoryError failed to allocate memory
ArgumentError array size too big
NoMemoryError failed to allocate memory
ArgumentError argument too big
NoMemoryError failed to allocate memory
ArgumentError argument too big
IndexError index 4611686018427387904 too big
NoMemoryError failed to allocate memory
IndexError index 2305843009213693952 too big
ArgumentError array size too big
RangeError too big to product
ArgumentError precision too big
RangeError integer 1099511627776 too big to convert to 'int'
no error
NoMemoryError failed to allocate memory
NoMemoryError failed to allocate memory
SyntaxError
SyntaxError
SyntaxError
SyntaxError
SyntaxError
SyntaxError
SyntaxError
SyntaxError
SyntaxError
SyntaxError
R
)
same 'limits' "$expected" "$(lode --solo limits.rb fibers 2>&1 | sanitized)"

cat >fibers.rb <<'R'
fibers = Array.new(10_000) { Fiber.new { Fiber.yield 1; 2 } }
fibers.each(&:resume)
p File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i < 400_000, fibers.sum(&:resume)
begin
  fibers = []
  loop { fibers << Fiber.new { Fiber.yield }.tap(&:resume) }
rescue FiberError => e
  p e.class, fibers.size > 10_000
end
R
same 'fibers' $'true\n20000\nFiberError\ntrue' "$(lode --solo fibers.rb 2>&1 | sanitized)"
