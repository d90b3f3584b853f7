# No record may crash the session that reads it, whatever it holds: records of every kind, code above all, are changed on the way from the
# store to the session that looks at them (tools/record_fuzz.c).  LODE_FUZZ: how many cases; LODE_SEED: where to begin.
. "$LODE_TOP/regress/lib.sh"
fuzz=$LODE_TOP/regress/fuzz
seed=${LODE_SEED:-1}
cases=${LODE_FUZZ:-25}
[ -n "$LODE_WORLD" ] && cases=${LODE_FUZZ:-1000}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:abort_on_error=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1}
"$LODE_BUILD/regress/tools/record_fuzz" -s "$seed" -n "$cases" -o findings "$fuzz/records_build.rb" "$fuzz/records_probe.rb" >out 2>err || {
    cat out err
    for file in findings/*.err; do
        [ -f "$file" ] && head -n 40 "$file"
    done
    die "record_fuzz -s $seed found something"
}
