# damaged_source.sh: source text of any kind is compiled and run, or refused; never a crash.
. "$LODE_TOP/regress/lib.sh"
fuzz=$LODE_BUILD/regress/tools/source_fuzz
out=$("$fuzz" -s 20261122 -n "${LODE_CASES:-300}" -o findings "$LODE_TOP"/regress/ruby/*.rb 2>err) || {
    sanitized <err
    die "$out"
}
contains "cases are compiled" " compiled, " "$out"

# A crash is seen: of a program when it runs, told with the case.
printf 'raise SignalException, "ABRT"\n' >abort.rb
"$fuzz" -s 1 -n 60 -r 100 -o findings abort.rb >out 2>err && die "a program that aborts is no finding"
contains "the finding is told" "when run, signal 6: findings/1-" "$(cat err)"
