# lib.sh: what shell tests share.  Begin a test with:  . "$LODE_TOP/regress/lib.sh"
#
# A check that does not hold prints why and ends the test.  The test's store is $LODE_STORE, its directory (also the
# current one) $LODE_TEST_DIR; the runner removes both and kills servers left behind.

die() {
    echo "not held: $*"
    exit 1
}

# What it takes is not here: neither passed nor failed.
skip() {
    echo "$*"
    exit 77
}

# same WHAT EXPECTED ACTUAL
same() {
    [ "$2" = "$3" ] && return
    echo "not held: $1"
    diff -u <(printf '%s\n' "$2") <(printf '%s\n' "$3") | tail -n +3
    exit 1
}

# contains WHAT PART TEXT
contains() {
    case $3 in
    *"$2"*) ;;
    *) die "$1: no \"$2\" in: $3" ;;
    esac
}

# prints EXPECTED command...: its standard output is that, its status 0
prints() {
    local expected=$1 out status
    shift
    out=$("$@" 2>"$LODE_TEST_DIR/stderr")
    status=$?
    [ $status -eq 0 ] || die "status $status of: $* -- $(head -c 2000 "$LODE_TEST_DIR/stderr")"
    same "output of: $*" "$expected" "$out"
}

# What the address sanitizer says of every program that has fibers is not the program's.
sanitized() { grep -av "ASan doesn't fully support makecontext" || true; }

# exits STATUS command...: output and error in $out and $err
exits() {
    local expected=$1 status
    shift
    out=$("$@" 2>"$LODE_TEST_DIR/stderr")
    status=$?
    err=$(sanitized <"$LODE_TEST_DIR/stderr")
    [ $status -eq "$expected" ] || die "status $status, not $expected, of: $* -- $err"
}

# one_line_error command...: fails, prints nothing, and says one line on standard error
one_line_error() {
    local status
    out=$("$@" 2>"$LODE_TEST_DIR/stderr" </dev/null)
    status=$?
    err=$(sanitized <"$LODE_TEST_DIR/stderr")
    [ $status -ne 0 ] || die "status 0 of: $*"
    [ $status -lt 128 ] || die "died by a signal ($status): $*"
    [ -z "$out" ] || die "output of: $* -- $out"
    [ -n "$err" ] || die "silence of: $*"
    [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ] || die "more than one line from: $* -- $err"
}

# How long a test waits for anything, in seconds: who hangs is given up, who is slow is not.
patience=120

server_start() { "$LODECTL" -D "$LODE_STORE" start -t $patience >/dev/null || die "the server does not start"; }
server_stop() { "$LODECTL" -D "$LODE_STORE" stop -m "${1:-fast}" -t $patience >/dev/null || die "the server does not stop"; }
server_pid() { head -n 1 "$LODE_STORE/lodestone.pid"; }
# The file may be a dead server's, and its number another program's by now.
server_lives() { [ "$(cat "/proc/$(server_pid 2>/dev/null)/comm" 2>/dev/null)" = lodestone ]; }

# children_of PID: ids of its direct children
children_of() { cat /proc/"$1"/task/*/children 2>/dev/null; }

# descendants_of PID: itself, its children, theirs
descendants_of() {
    local child
    echo "$1"
    for child in $(children_of "$1"); do descendants_of "$child"; done
}

# kill_everything: kill -9 of the postmaster and of all that came from it; it stands still first, to have no more children
kill_everything() {
    local pid all
    pid=$(server_pid)
    server_lives || return 0
    kill -STOP "$pid" 2>/dev/null
    all=$(descendants_of "$pid")
    kill -9 $all 2>/dev/null
    for pid in $all; do wait_gone "$pid"; done
}

# wait_gone PID: until the process is no more (or a zombie)
wait_gone() {
    local i state
    for ((i = 0; i < patience * 100; i++)); do
        state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' /proc/"$1"/status 2>/dev/null)
        [ -z "$state" ] || [ "$state" = Z ] && return 0
        sleep 0.01
    done
    die "process $1 does not end"
}

# wait_for command...: until it succeeds
wait_for() {
    local i
    for ((i = 0; i < patience * 20; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
    done
    die "waited in vain for: $*"
}

# Live sessions, each driven line by line:
#   session_open a;  session a 'x = 1'    prints "=> 1", or "!! Class: message"
#   said EXPECTED a 'code'                checks the answer
#   session_close a
declare -A session_in session_out session_pid
session_open() {
    local name=$1 in out
    shift
    mkfifo "$LODE_TEST_DIR/$name.in" "$LODE_TEST_DIR/$name.out"
    (
        # without the other sessions' ends: who holds one keeps its reader from seeing the end
        for in in ${session_in[@]} ${session_out[@]}; do exec {in}>&-; done
        exec lode "$@" "$LODE_TOP/regress/tools/driver.rb" <"$LODE_TEST_DIR/$name.in" >"$LODE_TEST_DIR/$name.out" 2>"$LODE_TEST_DIR/$name.err"
    ) &
    session_pid[$name]=$!
    exec {in}>"$LODE_TEST_DIR/$name.in" {out}<"$LODE_TEST_DIR/$name.out"
    session_in[$name]=$in
    session_out[$name]=$out
}
session_send() { printf '%s\n' "$2" >&"${session_in[$1]}"; }
session_read() {
    local line
    IFS= read -r -t $patience line <&"${session_out[$1]}" || die "session $1 does not answer: $(head -c 1000 "$LODE_TEST_DIR/$1.err")"
    printf '%s\n' "$line"
}
session() {
    session_send "$1" "$2"
    session_read "$1"
}
said() {
    local got
    got=$(session "$2" "$3") || { echo "$got"; exit 1; }
    [ "$got" = "$1" ] || die "session $2: $3
  expected $1
  got      $got"
}
session_close() {
    local in=${session_in[$1]} out=${session_out[$1]}
    exec {in}>&- {out}<&-
    unset "session_in[$1]" "session_out[$1]"
    wait "${session_pid[$1]}"
    rm -f "$LODE_TEST_DIR/$1.in" "$LODE_TEST_DIR/$1.out"
}
