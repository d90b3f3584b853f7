# Death at every stop event: each event in turn kills its process at a random pass, under a load of sessions; afterwards
# every acknowledged commit is there, none in part.  Events of recovery kill the recovery, twice.  An event that no load
# reaches fails the test: it proves nothing.
# timeout: 3000
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/crash/load.bash"
stop=$LODE_BUILD/regress/tools/stop
RANDOM=${LODE_SEED:-$(date +%N | sed 's/^0*//')}
echo "seed ${LODE_SEED:-$RANDOM}"
load_init 4
export LODE_STOP_FILE=$PWD/stops
# Reached by other tests only: creation, bulk commits (too large for this load), new segments of the log (this load recycles its
# own), a full segment's end in recovery, places that a serializable commit gave up (isolation).
elsewhere=' TEST_ONE TEST_TWO STORE_CREATE BULK_PAGE BULK_PREPARED BULK_ENTRIES WAL_RECYCLE WAL_SEGMENT_MADE CHECKPOINT_WAITS_FOR_SEAL COMMIT_VOID '
missed=
for event in ${LODE_EVENTS:-$($stop list | cut -f 1)}; do
    case $elsewhere in *" $event "*) continue ;; esac
    struck=
    case $event in
    COLLECT_*) # in a store without the garbage of those before, with which one collection would be busy for long
        server_stop immediate 2>/dev/null
        rm -rf "$LODE_STORE"
        load_init 4
        export LOAD_COLLECTS=1
        ;;
    *) unset LOAD_COLLECTS ;;
    esac
    for try in 1 2 3; do
        server_stop immediate 2>/dev/null
        rm -f stops
        pass=$((RANDOM % (try == 1 ? 20 : 2) + 1))
        case $event in COLLECT_*) pass=1 ;; esac # each collection is greater than the one before
        case $event in REAPER_CLEANUP | SESSION_CLEANUP | POSTMASTER_REAP) pass=1 ;; esac # one session is killed below
        case $event in
        RECOVERY_* | WAL_REDO | WAL_INCARNATION_SET | CONTROL_*)
            # Something to recover, then a recovery that dies, and another that dies.
            lodectl -D "$LODE_STORE" start >/dev/null || die "$event: start"
            load_start 600
            load_commits 40
            kill_everything
            load_wait
            for again in 1 2; do
                rm -f stops
                LODE_STOP="$event:$((again == 1 ? 1 : RANDOM % 3 + 1)):kill" timeout 60 lodectl -D "$LODE_STORE" start >/dev/null 2>&1
                sleep 0.1
                [ "$($stop stops passes "$event" | cut -d ' ' -f 2)" -gt 0 ] && struck=1
                [ -f "$LODE_STORE/lodestone.pid" ] && kill_everything 2>/dev/null
            done
            ;;
        *)
            LODE_STOP="$event:$pass:kill" lodectl -D "$LODE_STORE" start >/dev/null 2>&1
            load_start 600
            [ $try -eq 1 ] && enough=60 || enough=300
            for ((i = 0; i < enough; i++)); do
                sleep 0.05
                [ "$($stop stops passes "$event" | cut -d ' ' -f 2)" -ge "$pass" ] && struck=1 && break
                load_commits $((i * 4))
            done
            sleep 0.2
            case $event in REAPER_CLEANUP | SESSION_CLEANUP | POSTMASTER_REAP) lode -e 'Process.kill :KILL, $$' 2>/dev/null ;; esac
            [ -f "$LODE_STORE/lodestone.pid" ] && kill_everything 2>/dev/null
            load_wait
            [ "$($stop stops passes "$event" | cut -d ' ' -f 2)" -ge "$pass" ] && struck=1
            ;;
        esac
        rm -f stops
        load_check "death at $event, pass $pass"
        [ -n "$struck" ] && break
    done
    [ -n "$struck" ] && echo "death at $event" || missed="$missed $event"
done
[ -z "$missed" ] || die "no death at:$missed"
