# interrupts.sh: signals, Timeout and other threads have their turn while GMP works on long numbers.
. "$LODE_TOP/regress/lib.sh"

# Hours of work: it ends because of the signal, as CRuby's does.
cat >hours.rb <<'RUBY'
long = 3 ** 3_000_000
modulus = 7 ** 300_000
$stdout.sync = true
Thread.new { Thread.pass until Thread.main.stop?; puts "ready" } # while it waits for the result
long.pow(long, modulus)
RUBY
env --default-signal=INT lode --solo hours.rb >out 2>err &
pid=$!
until grep -q ready out; do
    kill -0 $pid || die "$(cat err)"
    sleep 0.05
done
kill -INT $pid
wait $pid
same "status after SIGINT" 130 $?
contains "Interrupt is reported" "hours.rb:5:in 'Integer#pow': Interrupt" "$(sanitized <err)"

# Abandoned work is bounded; who waits behind it can be interrupted, too; it does not keep the program from ending.
cat >timeouts.rb <<'RUBY'
require "timeout"
long = 3 ** 3_000_000
modulus = 7 ** 300_000
4.times do
  Timeout.timeout(0.05) { long.pow(long, modulus) }
  puts "no end?"
rescue Timeout::Error
  puts "timeout"
end
puts Dir.children("/proc/self/task").size <= 4
RUBY
prints "$(printf 'timeout\n%.0s' 1 2 3 4)
true" lode --solo timeouts.rb

# Other threads run during each operation, and its result is right.  (An operation may be done before another thread had its
# turn: then it is tried again.)
cat >threads.rb <<'RUBY'
ticks = 0
Thread.new { loop { ticks += 1; Thread.pass } }
LONG = 3 ** 2_000_000
SQUARE = LONG * LONG
TEXT = LONG.to_s
{
  multiply: -> { LONG * LONG == SQUARE },
  power: -> { LONG ** 2 == SQUARE },
  divide: -> { SQUARE.divmod(LONG + 1) == [LONG - 1, 1] },
  gcd: -> { SQUARE.gcd(LONG * 10) == LONG },
  sqrt: -> { Integer.sqrt(SQUARE + 1) == LONG },
  to_s: -> { LONG.to_s == TEXT },
  digits: -> { LONG.digits.first(3) == TEXT.reverse.chars.first(3).map(&:to_i) },
  parse: -> { Integer(TEXT) == LONG },
  format: -> { "%d" % LONG == TEXT },
  fdiv: -> { (LONG * 3).fdiv(LONG * 2) == 1.5 },
  powmod: -> { LONG.pow(20, LONG * 2 + 1) == LONG ** 20 % (LONG * 2 + 1) },
}.each do |name, operation|
  ran = right = false
  100.times do
    before = ticks
    right = operation.()
    break if ran = ticks > before
  end
  puts "#{name}: #{right ? "right" : "WRONG"}, others #{ran ? "ran" : "DID NOT RUN"}"
end
RUBY
names="multiply power divide gcd sqrt to_s digits parse format fdiv powmod"
prints "$(printf '%s: right, others ran\n' $names)" lode --solo threads.rb
