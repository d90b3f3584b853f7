# What the program ends with is what the client ends with.
. "$LODE_TOP/regress/backend/lib.bash"

gives 0 "$LODE" -e '1'
gives 3 "$LODE" -e 'exit 3'
gives 4 "$LODE" -e 'exit! 4'
gives 1 "$LODE" -e 'abort "x"' 2>/dev/null
gives 1 "$LODE" -e 'raise "x"' 2>/dev/null
gives 5 "$LODE" -e 'at_exit { exit 5 }'
gives 137 "$LODE" -e 'Process.kill(:KILL, $$); sleep 5' 2>/dev/null
gives 143 "$LODE" -e 'Process.kill(:TERM, $$); sleep 5' 2>/dev/null
gives 129 "$LODE" -e 'Process.kill(:HUP, $$); sleep 5' 2>/dev/null
gives 6 "$LODE" -e 'exec "exit 6"'
gives 137 "$LODE" -e 'exec "kill -9 $$"'
is "x" "$("$LODE" -e 'exec "echo", "x"')" "output of an exec"
gives 0 "$LODE" -e 'exit(system("exit 0") ? 0 : 1)'
gives 1 "$LODE" -e 'exit(system("exit 7") ? 0 : 1)'

# signals sent to the client reach the program, those alone that the program knows
"$LODE" -e 'trap(:USR1) { puts "usr1"; exit 9 }; puts "up"; $stdout.flush; sleep' >out1 &
client=$!
until_true grep -q up out1
kill -USR1 $client
wait $client
is 9 $? "status after a trapped signal"
is "up usr1" "$(echo $(cat out1))" "output of the trap"
env --default-signal=INT "$LODE" -e 'begin; puts "up"; $stdout.flush; sleep; rescue Interrupt; puts "interrupt"; exit 8; end' >out2 &
client=$!
until_true grep -q up out2
kill -INT $client
wait $client
is 8 $? "status after INT"
is "up interrupt" "$(echo $(cat out2))" "INT is Interrupt"
# also those of a program that became another
env --default-signal=INT "$LODE" -e 'puts $$; $stdout.flush; exec "sleep", "600"' >out5 &
client=$!
until_true test -s out5
until_true grep -q sleep "/proc/$(cat out5)/comm"
kill -INT $client
wait $client
is 130 $? "status of an exec after INT"
# an ignored signal stays ignored
(trap '' HUP; exec "$LODE" -e 'puts "up"; $stdout.flush; sleep 1; puts "end"') >out3 &
client=$!
until_true grep -q up out3
kill -HUP $client
wait $client
is 0 $? "status with an ignored HUP"
is "up end" "$(echo $(cat out3))" "a nohup program runs on"

# the client is killed: the program ends
"$LODE" -e 'puts $$; $stdout.flush; sleep' >out4 &
client=$!
until_true test -s out4
worker=$(cat out4)
kill -9 $client
wait $client 2>/dev/null
until_true gone "$worker"

# environment, directory, umask, arguments, descriptors
mkdir -p "dir with blanks"
is "$PWD/dir with blanks" "$(cd "dir with blanks" && "$LODE" -e 'puts Dir.pwd')" "working directory"
is /tmp "$(cd / && "$LODE" -C /tmp -e 'puts Dir.pwd')" "-C"
is "v" "$(MY_NAME=v "$LODE" -e 'puts ENV["MY_NAME"]')" "environment"
is "[\"a b\", \"\", \"-e\"]" "$("$LODE" -e 'p ARGV' "a b" "" -e)" "arguments"
(umask 027; "$LODE" -e 'File.write("masked", "")')
is 640 "$(stat -c %a masked)" "umask"
is 64 "$(ulimit -n 64; "$LODE" -e 'puts `ulimit -n; true`')" "limits"
is "data" "$(echo data | "$LODE" -e 'puts gets')" "standard input"
is "program" "$(echo 'puts "program"' | "$LODE" -)" "a program on standard input"
is "err" "$("$LODE" -e 'warn "err"' 2>&1 >/dev/null)" "standard error"
"$LODE" -e 'exit 0' <&- >&- 2>&- || fail "closed descriptors"
is "1" "$("$LODE" -e '10000.times { |i| puts i }' 2>/dev/null | head -n 2 | tail -n 1)" "a pipe that ends early"
exit 0
