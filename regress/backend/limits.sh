# Limits on sessions and on connections that do not say who they are; rubbish on the socket; a fuzzed handshake.
. "$LODE_TOP/regress/backend/lib.bash"
wire=$LODE_BUILD/regress/tools/wire sock=$LODE_STORE/lodestone.sock

"$LODECTL" -D "$LODE_STORE" init >/dev/null
cat >>"$LODE_STORE/lodestone.conf" <<END
max_sessions = 3
max_unauthenticated = 4
authentication_timeout = 60s
END
"$LODECTL" -D "$LODE_STORE" start >/dev/null || fail start
for i in 1 2 3; do
    "$LODE" -e 'puts 1; $stdout.flush; sleep' >"out$i" &
done
for i in 1 2 3; do until_true test -s out$i; done
has "$(one_line "$LODE" -e 1)" "sessions of the store are in use" "a fourth session"
is ready "$(status_of state)" "status while all sessions are taken"
for p in $(jobs -p); do kill -9 "$p"; done 2>/dev/null
wait 2>/dev/null
forks='r, w = IO.pipe; pids = [1, 2].map { fork { w.close; r.read } }
begin; ARGV[0] && fork { }; puts pids.size; rescue SystemCallError => e; puts "#{pids.size} #{e.class}"; end
w.close; Process.waitall'
until_true "$LODE" -e "$forks" # all slots are free again

# a session's fork needs a slot as well
is "2 Errno::EAGAIN" "$("$LODE" -e "$forks" one-more)" "a fork beyond max_sessions"
until_true "$LODE" -e 1

# bytes that are no protocol; each has its reason
has "$("$wire" "$sock" send 'GET / HTTP/1.0')" "REFUSED PROTOCOL" "HTTP"
has "$("$wire" "$sock" send 'LDS\x00\xff\xff\xff\xff')" "longer than its limit" "a length of 4 GiB"
has "$("$wire" "$sock" send 'LDS\x00\x00\x00\x00\x00')" "begins with HELLO" "START without HELLO"
has "$("$wire" "$sock" send 'LDH\x00\x09\x00\x00\x00\x63\x00\x00\x00\x00\x00\x00\x00\x00')" "protocol version 99" "another version"
has "$("$wire" "$sock" start -e 'puts "in"; $stdout.flush; sleep')" "REFUSED PROTOCOL" "rubbish in a running session"
has "$("$wire" "$sock" fuzz 300 1)" "fuzzed 300" "a fuzzed handshake"

# connections that say nothing: those that have a place keep it until authentication_timeout
until_true "$LODE" -e 1
"$wire" "$sock" idle 10 >silent &
client=$!
until_true grep -q "refused 6" silent
sed -i 's/^authentication_timeout.*/authentication_timeout = 500ms/' "$LODE_STORE/lodestone.conf"
"$LODECTL" -D "$LODE_STORE" reload >/dev/null || fail reload
until_true grep -q "ended 10" silent
wait $client
until_true "$LODE" -e 1
has "$("$wire" "$sock" send LD)" "no complete message arrived in time" "half a message, and no more"
is ready "$(status_of state)" "the server after all that"
is 0 "$(status_of restarts)" "restarts after all that"
idle() { [ "$(status_of sessions)" = 0 ]; }
until_true idle
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
exit 0
