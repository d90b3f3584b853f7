# On a terminal: Ctrl-C interrupts, Ctrl-Z and fg work, children get Ctrl-C, the shell's standard input still blocks.
. "$LODE_TOP/regress/lib.sh"
pty="$LODE_BUILD/regress/tools/pty"
prints '' lode -e ''

# Ctrl-C is Interrupt; uncaught it ends lode as it ends ruby: by the signal.
$pty lode -e 'puts "ready"; begin; sleep 100; rescue Interrupt; puts "caught"; exit 4; end' >shown <<'END'
expect ready
sleep 100
send ^C
expect caught
wait
END
same 'status after a rescued Interrupt' 4 $?
$pty lode -e 'puts "ready"; loop { }' >shown <<'END'
expect ready
sleep 100
send ^C
wait
END
same 'status after Ctrl-C in a busy loop' 130 $?

# Ctrl-C reaches a child as well.
$pty lode -e 'puts "ready"; begin; system("sleep 100"); puts "back"; sleep 1; rescue Interrupt; puts "interrupted"; end' >shown <<'END'
expect ready
sleep 300
send ^C
expect interrupted
wait
END
same 'status after Ctrl-C in system' 0 $?

# Ctrl-Z stops the job, fg continues it, and the shell reads its terminal as before.
PS1='prompt> ' $pty bash --norc --noprofile -i >shown <<'END'
expect prompt>
send PS1='now'; PS1="$PS1> "\n
expect now>
send lode -e 'puts "started"; 3.times { |i| sleep 0.3; puts "tick#{i}" }; puts "line: " + gets'\n
expect started
sleep 200
send ^Z
expect Stopped
expect now>
send echo alive$((1+1))\n
expect alive2
send fg\n
expect tick2
send typed\n
expect line: typed
expect now>
send read x; echo got-$x\n
sleep 300
send here\n
expect got-here
send exit\n
wait
END
same 'status of the shell' 0 $?

# The REPL.
$pty lode >shown <<'END'
sleep 1500
send 1 + 2\n
expect => 3
send def twice(x)\n
send x * 2\n
send end\n
expect => :twice
send twice(21)\n
expect => 42
send raise 'oops'\n
expect oops
send exit\n
wait
END
same 'status of the REPL' 0 $?
