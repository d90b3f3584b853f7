# A session's whole life, over and over, with its n-th read, write, flush, allocation of disk, opening or renaming of a
# file failing, n = 1, 2, ..., until a life passes without meeting the fault (life.bash says what must hold after each).
# A sample; every n with LODE_WORLD=1.
# timeout: 3000
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/crash/life.bash"
life_init
met=0
for fault in ${LODE_FAULTS:-pwrite:EIO pwrite:ENOSPC pwrite:short pwritev2:EIO fdatasync:EIO fsync:EIO pread:EIO open:EMFILE fallocate:ENOSPC rename:EIO}; do
    n=1 quiet=0
    # Not every fault shows (a short write is gone on with): a life that met none is told by several quiet ones on end.
    while [ $n -le 3000 ] && [ $quiet -lt 100 ]; do
        LODE_IO_FAULT="${fault%%:*}:$n:${fault#*:}" life_solo
        status=$?
        life_check $status "$fault, call $n"
        if [ $status -ne 0 ] || [ -s errors ]; then met=$((met + 1)) quiet=0; else quiet=$((quiet + 1)); fi
        if [ -n "${LODE_WORLD:-}" ]; then n=$((n + 1)); else n=$((n * 3 + 1)); fi
        [ $n -le 130 ] || [ -n "${LODE_WORLD:-}" ] || break
    done
    echo "$fault: up to call $((n - 1))"
done
[ $met -ge 5 ] || die "hardly any fault was met: $met"
echo "$met faults were met"
