# A session's whole life, over and over, alone and with a server, with an allocation of memory, a mapping or a fork refused in
# each, another one each time, until a life passes in which each was refused once (life.bash says what must hold after each
# life, preload/refuse.c what "another one" means).  A sample; all of them with LODE_WORLD=1.
# timeout: 7200
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/crash/life.bash"
refuse=$LODE_BUILD/regress/preload/refuse.so
[ -f "$refuse" ] || skip "a sanitizer's build: its runtime stands before malloc"
life_init

# with_refusal KIND STEP command...
with_refusal() {
    printf '\0\0\0\0' | dd of=ways bs=1 conv=notrunc status=none
    LODE_MEMORY=plain LODE_REFUSE=$1:$PWD/ways:$2 LD_PRELOAD=$refuse "${@:3}"
}
refused() { od -A n -t u4 -N 4 ways | tr -d ' '; }

# loop KIND STEP LIFE [command...]: the ways of the command are no news: it stands for what other loops go through.
loop() {
    local kind=$1 step=$2 life=$3 n=0 status
    rm -f ways ways.log
    truncate -s $((16 + 8 * 65536)) ways
    [ $# -le 3 ] || { with_refusal "$kind" 1000000 "${@:4}" >/dev/null && [ "$(refused)" = 0 ] || die "$*"; }
    while :; do
        with_refusal "$kind" "$step" $life
        status=$?
        n=$((n + 1))
        life_check $status "$kind, $life $n, refused in $(tail -n 1 ways.log 2>/dev/null)"
        [ "$(refused)" = 1 ] || break
    done
    [ $status -eq 0 ] && [ ! -s errors ] || die "$kind, $life: nothing was refused, and yet: $status $(cat errors)"
    [ $n -gt 1 ] || die "$kind, $life: nothing was refused"
    echo "$kind, $life: $((n - 1)) refused"
}
start_stop() { lodectl -D "$LODE_STORE" start && lodectl -D "$LODE_STORE" stop; }

# of N WORLD's: the step
of() { [ -n "${LODE_WORLD:-}" ] && echo 1 || echo "$1"; }
loop process 1 life_solo
loop process "$(of 2)" life_served
loop map "$(of 5)" life_solo
loop map "$(of 8)" life_served start_stop
loop memory "$(of 400)" "lode --solo -e 1"
loop memory "$(of 24)" life_solo lode --solo -e 1
loop memory "$(of 40)" life_served start_stop
