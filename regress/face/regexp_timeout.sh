# Matches that explode end at their deadline and at an interrupt, in Oniguruma and in the linear matcher.
. "$LODE_TOP/regress/lib.sh"
cat >slow.rb <<'R'
text = "a" * 60 + "d"
def seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC).then { |from| yield; Process.clock_gettime(Process::CLOCK_MONOTONIC) - from }
own = Regexp.new('\A(?:(a+)+)+\1[^d]\z', timeout: 0.1)
p seconds { own.match(text) rescue p $!.class, $!.message } < 10
Regexp.timeout = 0.1
p seconds { text =~ /\A(?:(a+)+)+\1[^d]\z/ rescue p $!.class } < 10
p seconds { ("a" * 3_000_000) =~ /(?:(?:a?){8}){8}b/ rescue p $!.class } < 10
p "ab" =~ /b/
Regexp.timeout = nil
Thread.new { sleep 0.2; Process.kill :INT, $$ }
begin
  text =~ /\A(?:(a+)+)+\1[^d]\z/
rescue Interrupt
  p :interrupted
end
R
out=$(timeout 100 lode --solo slow.rb 2>&1 | sanitized)
same 'deadlines and the interrupt' 'Regexp::TimeoutError
"regexp match timeout"
true
Regexp::TimeoutError
true
Regexp::TimeoutError
true
1
:interrupted' "$out"
