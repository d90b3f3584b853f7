# Ten minutes of histories of up to 32 sessions, without kills and with them.
# world
# timeout: 1500
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/history/lib.bash"
history_init
for kills in '' kills; do
    for sessions in 8 16 32; do
        for mode in list register; do
            for level in snapshot serializable; do
                history_run $mode $level 25 $sessions $kills
            done
        done
    done
done
