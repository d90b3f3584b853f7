# What commits wait for: an asynchronous commit may be lost in a crash, but only with all that came after it; one whose
# ticket was waited for, and any durable one, never.
. "$LODE_TOP/regress/lib.sh"
prints '[:durable, :group, [:async, true], :group, ArgumentError]' lode -e 'p [Maglev.durability,
  (Maglev.durability = :group; Maglev.durability),
  Maglev.transaction(durability: :async) { [Maglev.durability, true] }, Maglev.durability,
  begin; Maglev.commit(durability: :never); rescue ArgumentError => e; e.class; end]'
prints '' lode -e 'Maglev[:log] = []; Maglev[:mirror] = {}; Maglev[:sure] = 0; Maglev.commit'
cat >write.rb <<'RUBY'
$stdout.sync = true
i = Maglev[:log].size
loop do
  Maglev[:log] << i
  Maglev[:mirror][i] = i
  if i % 50 == 49
    Maglev[:sure] = i
    ticket = Maglev.commit_async
    ticket.wait
    raise "a ticket that was waited for is durable" unless ticket.durable?
    puts i
  else
    Maglev.commit(durability: i.odd? ? :async : :ticket)
  end
  i += 1
end
RUBY
for round in 1 2 3; do
    lode write.rb >sure.out 2>/dev/null &
    writer=$!
    wait_for eval '[ "$(wc -l <sure.out)" -ge 4 ]'
    kill_everything
    wait $writer
    promised=$(tail -n 1 sure.out)
    prints "[true, true, true]" lode -e "log = Maglev[:log]
      p [log == (0...log.size).to_a && Maglev[:mirror].keys == log, Maglev[:sure] >= $promised, log.size > Maglev[:sure]]"
done
