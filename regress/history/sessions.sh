# A minute of histories of many sessions, lists and registers, at each level: no anomaly that the level forbids; with kills nothing
# acknowledged is lost.
# timeout: 1200
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/history/lib.bash"
history_init
seconds=${LODE_HISTORY_SECONDS:-12}
history_run list snapshot $seconds 8
history_run list serializable $seconds 8
history_run register serializable $seconds 12
history_run list snapshot $seconds 8 kills
history_run register snapshot $seconds 8 kills
