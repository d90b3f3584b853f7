# On a terminal: Ctrl-C interrupts, Ctrl-Z and fg work, children get Ctrl-C, the shell's standard input still blocks.
. "$LODE_TOP/regress/lib.sh"
pty="$LODE_BUILD/regress/tools/pty"
prints '' lode -e ''

# Ctrl-C is Interrupt; uncaught it ends lode as it ends ruby: by the signal.
$pty lode -e 'begin; puts "ready"; sleep; rescue Interrupt; puts "caught"; exit 4; end' >shown <<'END'
expect ready
send ^C
expect caught
wait
END
same 'status after a rescued Interrupt' 4 $?
$pty lode -e 'puts "ready"; loop { }' >shown <<'END'
expect ready
send ^C
wait
END
same 'status after Ctrl-C in a busy loop' 130 $?

# Ctrl-C reaches a child as well.
$pty lode -e 'begin; system("echo ready; exec sleep 600"); puts "back"; sleep; rescue Interrupt; puts "interrupted"; end' >shown <<'END'
expect ready
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
send lode -e 'puts "star" + "ted"; sleep 0.01 until File.exist?("go"); puts "go" + "ing"; puts "line: " + gets'\n
expect started
send ^Z
expect Stopped
expect now>
send touch go; echo alive$((1+1))\n
expect alive2
send fg\n
expect going
send typed\n
expect line: typed
expect now>
send echo rea""dy; read x; echo got-$x\n
expect ready
send here\n
expect got-here
send exit\n
wait
END
same 'status of the shell' 0 $?

# The REPL.
$pty lode >shown <<'END'
expect lode:1>
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
