#!/bin/bash
# ruby: the programs of regress/bench/ruby, each of which checks its own result, next to the Rubies that are installed:
# CRuby without and with its compiler, and mruby.  The runs are interleaved; a figure is the median of the user time of
# whole processes, start-up included: the first row is an empty program.  lode runs --solo on a store that exists.  The
# ratio is lode's time by that of `ruby`; "all" is the same with system time (a solo process maps a store and reads its
# log); "spread" is what `ruby` itself varies by, its slowest run by its fastest: a ratio is read against that.  A dash: not
# installed, or it cannot run the program.
#
#   LODE_BENCH_ROUNDS=9    runs of each (5)
#   LODE_BENCH_ONLY=hash   programs whose name contains this
cd "$(dirname "$0")/ruby" || exit 2
lode=${LODE:-../../../build/lode}
rounds=${LODE_BENCH_ROUNDS:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/lode-ruby-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT
export LODE_STORE=${LODE_STORE:-$work/store}
: >"$work/start_up.rb"

declare -A command=([lode]="$lode --solo -W0" [ruby]="ruby -W0" [yjit]="ruby -W0 --yjit --yjit-exec-mem-size=16" [mruby]="mruby")
columns=(lode)
for c in ruby yjit mruby; do
    ${command[$c]} "$work/start_up.rb" >/dev/null 2>&1 && columns+=("$c")
done

once() { # column program: user and user + system time in seconds, or a dash
    local TIMEFORMAT="%U %S"
    { time timeout 60 ${command[$1]} "$2" </dev/null >/dev/null 2>"$work/err" || echo failed; } >"$work/out" 2>&1
    if grep -q failed "$work/out"; then
        [ "$1" != lode ] || sed 's/^/  /' "$work/err" >&2
        echo -
    else
        awk '{ print $1 ":" $1 + $2 }' "$work/out"
    fi
}
median() { # list field
    tr ' ' '\n' <<<"${1% }" | cut -d: -f"$2" | sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

spread() { # list
    tr ' ' '\n' <<<"${1% }" | cut -d: -f1 | sort -n | awk '{ v[NR] = $1 } END { printf "%9.2f", v[NR] / (v[1] ? v[1] : 0.01) }'
}

printf '%-16s' program; printf '%9s' "${columns[@]}"; echo "    ratio      all   spread"
status=0
ratios=()
for program in "$work/start_up.rb" *"$LODE_BENCH_ONLY"*.rb; do
    declare -A times=()
    for ((i = 0; i < rounds; i++)); do
        for c in "${columns[@]}"; do
            [ "${times[$c]}" = - ] && continue
            t=$(once "$c" "$program")
            if [ "$t" = - ]; then times[$c]=-; else times[$c]+="$t "; fi
        done
    done
    printf '%-16s' "$(basename "$program" .rb)"
    for c in "${columns[@]}"; do
        if [ "${times[$c]}" = - ]; then printf '%9s' -; else printf '%9s' "$(median "${times[$c]}" 1)"; fi
    done
    if [ "${times[lode]}" = - ]; then
        status=1
        echo "  FAIL"
    elif [ "${times[ruby]:--}" != - ]; then
        ratio=$(for field in 1 2; do
            awk -v a="$(median "${times[lode]}" $field)" -v b="$(median "${times[ruby]}" $field)" 'BEGIN { printf "%9.2f", a / b }'
        done)
        ratio+=$(spread "${times[ruby]}")
        echo "$ratio"
        [ "$program" = "$work/start_up.rb" ] || ratios+=("$ratio")
    else
        echo
    fi
    unset times
done
[ ${#ratios[@]} -eq 0 ] || printf '%s\n' "${ratios[@]}" | awk '{ user += log($1); all += log($2); spread += log($3); if ($1 > max) max = $1 }
    END { printf "geometric means of %d ratios to ruby: %.3f, with system time %.3f; highest %.2f; spread of ruby itself %.2f\n",
          NR, exp(user / NR), exp(all / NR), max, exp(spread / NR) }'
exit $status
