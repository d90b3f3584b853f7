# MagLev's commands: maglev start, status, stop; maglev-ruby, maglev-irb; -Mpersistent and -Mcommit.
. "$LODE_TOP/regress/backend/lib.bash"
export LODE_STORE
maglev=$LODE_BUILD/maglev
gives 0 "$maglev" start >/dev/null
has "$("$maglev" status)" "state=ready" "maglev status"
is 2 "$("$maglev-ruby" -e 'p 1 + 1')" "maglev-ruby"
is "=> 6" "$(echo '2 * 3' | "$maglev-irb")" "maglev-irb"
gives 0 "$maglev-ruby" -Mpersistent -Mcommit -e 'class Known; def hello = "hello"; end; Maglev[:known] = Known.new'
gives 1 "$maglev-ruby" -Mcommit -e 'Maglev[:known] = nil; raise "no"' 2>/dev/null
is '"hello"' "$("$LODE" -e 'p Maglev[:known].hello')" "what -Mpersistent -Mcommit left"
gives 0 "$maglev" restart >/dev/null
is '"hello"' "$("$LODE" -e 'p Known.new.hello')" "a class after a restart"
gives 0 "$maglev" stop >/dev/null
gives 3 "$maglev" status >/dev/null
has "$(one_line "$maglev" dance)" "maglev: unknown command dance" "an unknown command"
exit 0
