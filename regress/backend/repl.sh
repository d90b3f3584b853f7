# The REPL: inputs over several lines, errors, Ctrl-C at the prompt and in a program, Ctrl-Z and fg, Ctrl-D, also before the prompt; the same without a terminal.
. "$LODE_TOP/regress/backend/lib.bash"
pty=$LODE_BUILD/regress/tools/pty
"$LODE" -e 1 || fail "start"

"$pty" "$LODE" >shown <<'END' || fail "the REPL: $(cat shown)"
expect lode:1>
send 1 + 2\n
expect => 3
expect lode:2>
send def twice(x)\n
expect lode:2*
send x * 2\n
send end\n
expect => :twice
send twice(21)\n
expect => 42
send raise 'oops'\n
expect oops (RuntimeError)
send puts "a" + "way"; sleep\n
expect away
send ^C
expect Interrupt
expect lode:8>
send [5,\n
expect lode:8*
send ^C
expect lode:8>
send x = 7\n
expect => 7
send x + _\n
expect => 14
expect lode:10>
send exit 0\n
wait
END
PS1='prompt> ' "$pty" bash --norc --noprofile -i >shown <<'END' || fail "Ctrl-Z in the REPL: $(cat shown)"
expect prompt>
send PS1='now'; PS1="$PS1> "\n
expect now>
send lode\n
expect lode:1>
send 1 + 2\n
expect => 3
expect lode:2>
send ^Z
expect Stopped
expect now>
send fg\n
expect lode
send 3 + 4\n
expect => 7
expect lode:3>
send puts "wor" + "king"; sleep 1\n
expect working
send ^D
expect now>
send echo st$((4+$?))\n
expect st4
send echo rea""dy; read x; echo got-$x\n
expect ready
send here\n
expect got-here
send exit\n
wait
END
is "3
=> nil
=> :f
=> 42" "$(printf 'puts 1+2\ndef f(x)\n x * 2\nend\nf 21\n' | "$LODE" --repl)" "the REPL without a terminal"
printf 'exit 4\n' | "$LODE" --repl
is 4 $? "the REPL's status"
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
exit 0
