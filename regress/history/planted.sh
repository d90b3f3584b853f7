# The history checker finds each planted anomaly, by its name, at the levels that forbid it, and nothing in what is fine.
# A planted history is cut into sessions at "# file"; "# expect: LEVEL STATUS [KIND]" says what must be found.
. "$LODE_TOP/regress/lib.sh"
for f in "$LODE_TOP"/regress/history/planted/*; do
    rm -f part.*
    awk 'BEGIN {n = 1} /^# file/ {n++} {print > ("part." n)}' "$f"
    grep -q '^# expect: ' "$f" || die "$f expects nothing"
    while read -r _ _ level status kind; do
        out=$("$LODE_BUILD/regress/tools/history" "$level" part.*)
        got=$?
        [ $got -eq "$status" ] || die "$(basename "$f") at $level: status $got, not $status: $out"
        same "$(basename "$f") at $level" "$kind" "$(printf '%s\n' "$out" | sed -n '2,$s/: .*//p' | paste -sd, )"
    done < <(grep '^# expect: ' "$f")
done
