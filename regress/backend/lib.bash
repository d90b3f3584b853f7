# What the tests of processes share; sourced.  The runner gives $LODE, $LODECTL, $LODESTONE, $LODE_BUILD, $LODE_STORE (absent yet).
set -u
mkdir -p w && cd w # the runner keeps files of its own here
fail() {
    echo "does not hold: $*" >&2
    [ -f "$LODE_STORE/log/lodestone.log" ] && tail -n 15 "$LODE_STORE/log/lodestone.log" >&2
    exit 1
}
# What it takes is not here: neither passed nor failed.
skip() {
    echo "$*"
    exit 77
}
# is WANTED GOT what
is() { [ "$1" = "$2" ] || fail "$3: wanted '$1', got '$2'"; }
# has TEXT PART what
has() { [[ $1 == *"$2"* ]] || fail "$3: '$2' is not in '$1'"; }
# gives STATUS command...: its exit status
gives() {
    local want=$1 got
    shift
    "$@"
    got=$?
    [ "$want" = "$got" ] || fail "exit status of '$*': wanted $want, got $got"
}
# one line on stderr, nothing on stdout, not 0
one_line() {
    local err status
    err=$("$@" 2>&1 >/dev/null)
    status=$?
    [ $status -ne 0 ] || fail "'$*' should fail"
    [ "$(printf '%s\n' "$err" | wc -l)" = 1 ] && [ -n "$err" ] || fail "'$*' should say one line, not '$err'"
    printf '%s\n' "$err"
}
# until_true command...: who hangs is given up, who is slow is not
until_true() {
    local i
    for i in $(seq 1200); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    fail "never became true: $*"
}
status_of() { # name: a line of lodectl status
    "$LODECTL" -D "$LODE_STORE" status | sed -n "s/^$1=//p"
}
server_pid() { head -n 1 "$LODE_STORE/lodestone.pid"; }
gone() { ! kill -0 "$1" 2>/dev/null || [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]; }
