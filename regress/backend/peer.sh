# The server serves its own user only, whoever can reach its socket: another user's connection is refused with a reason,
# in the client and in the log, and harms no one.
. "$LODE_TOP/regress/backend/lib.bash"
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || skip "needs root and setpriv to become another user"

# Reachable by all (from here, whatever the directories above allow): what keeps strangers out is then the look at the
# peer's credentials alone.
chmod 755 . || fail chmod
mkdir -m 755 door && cp "$LODE_BUILD/regress/tools/wire" door/ || fail door
socket=$PWD/door/sock
"$LODECTL" -D "$LODE_STORE" init >/dev/null || fail init
"$LODECTL" -D "$LODE_STORE" start -c socket_path="$socket" >/dev/null || fail start
chmod 666 "$socket"
own=$(./door/wire door/sock start -e 'puts 7')
has "$own" 7 "the own user's program"
other=$(setpriv --reuid=65534 --regid=65534 --clear-groups ./door/wire door/sock start -e 'puts 7')
has "$other" "REFUSED AUTHENTICATION: this server serves its own user only" "what another user is told"
[[ $other != *7* ]] || fail "another user's program ran: $other"
has "$(cat "$LODE_STORE/log/lodestone.log")" "refused a connection of user 65534" "the log"
is 7 "$("$LODE" -e 'p 7')" "service afterwards"
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
exit 0
