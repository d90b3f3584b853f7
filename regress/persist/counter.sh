# Two sessions on one counter: no lost update, the loser is told, retry loops end with the exact total.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:counter] = [0]; Maglev[:n] = 0; Maglev.commit'
session_open a
session_open b
said '=> 0' a 'Maglev[:counter][0]'
said '=> 0' b 'Maglev[:counter][0]'
said '=> 1' a 'Maglev[:counter][0] += 1'
said '=> 5' b 'Maglev[:counter][0] += 5'
said '=> true' a 'Maglev.commit'
said '=> Maglev::CommitFailedException' b 'begin; Maglev.commit; rescue Maglev::CommitFailedException => e; e.class; end'
said '=> 5' b 'Maglev[:counter][0]'
session b 'Maglev.abort' >/dev/null
said '=> 1' b 'Maglev[:counter][0]'
said '=> 6' b 'Maglev[:counter][0] += 5'
said '=> true' b 'Maglev.commit'
said '=> 1' a 'Maglev[:counter][0]'
session a 'Maglev.begin_transaction' >/dev/null
said '=> 6' a 'Maglev[:counter][0]'
session_close a
session_close b

cat >add.rb <<'RUBY'
failed = 0
100.times do
  begin
    Maglev[:counter][0] += 1
    Maglev.commit
  rescue Maglev::CommitFailedException
    failed += 1
    Maglev.abort
    retry
  end
end
RUBY
for i in 1 2 3 4; do
    lode add.rb &
    pids="$pids $!"
done
for p in $pids; do wait "$p" || die "an adder failed with $?"; done
prints 406 lode -e 'p Maglev[:counter][0]'
