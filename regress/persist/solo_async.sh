# An asynchronous commit of a program that runs in-process is on disk soon after, though there is no WAL writer: when the
# program waits, when it computes, when it ends by exit!, exec or a signal.
. "$LODE_TOP/regress/lib.sh"
lodectl -D "$LODE_STORE" init >/dev/null || die init
echo 'durability = async' >>"$LODE_STORE/lodestone.conf"
cat >write.rb <<'RUBY'
Maglev[:n] = (Maglev[:n] || 0) + 1
Maglev.commit # may write at once: the last flush is long ago
Maglev[:n] += 1
Maglev.commit
$stdout.syswrite "committed\n"
RUBY
# on_disk N: what a crash now would leave
on_disk() {
    rm -rf copy
    cp -r "$LODE_STORE" copy && [ "$(lode --solo --store "$PWD/copy" -e 'p Maglev[:n]')" = "$1" ]
}
n=0
after() { # exit status, what the program does then
    local status=$1
    n=$((n + 2))
    { cat write.rb; echo "$2"; } >program.rb
    mkfifo line
    lode --solo program.rb >line 2>/dev/null &
    local pid=$!
    read -r said <line
    same "what it says" committed "$said"
    if [ "$status" = killed ]; then
        wait_for on_disk $n
        kill -9 $pid
        status=137
    fi
    wait $pid
    same "status after: $2" "$status" $?
    rm line
    prints $n lode --solo -e 'p Maglev[:n]'
}
after killed 'sleep'
after killed '$stdin.reopen(IO.pipe[0]); gets'
after killed 'loop { }'
after 3 'exit! 3'
after 0 'exec "true"'
after 143 'Process.kill :TERM, $$; sleep'
