# Matches that explode end at their deadline and at an interrupt, in Oniguruma and in the linear matcher.
. "$LODE_TOP/regress/lib.sh"
cat >slow.rb <<'R'
text = "a" * 60 + "d"
own = Regexp.new('\A(?:(a+)+)+\1[^d]\z', timeout: 0.1)
own.match(text) rescue p $!.class, $!.message
Regexp.timeout = 0.1
text =~ /\A(?:(a+)+)+\1[^d]\z/ rescue p $!.class
("a" * 3_000_000) =~ /(?:(?:a?){8}){8}b/ rescue p $!.class
p "ab" =~ /b/
Regexp.timeout = nil
begin
  Thread.new { sleep 0.2; Process.kill :INT, $$ }
  text =~ /\A(?:(a+)+)+\1[^d]\z/
rescue Interrupt
  p :interrupted
end
R
out=$(lode --solo slow.rb 2>&1 | sanitized)
same 'deadlines and the interrupt' 'Regexp::TimeoutError
"regexp match timeout"
Regexp::TimeoutError
Regexp::TimeoutError
1
:interrupted' "$out"
