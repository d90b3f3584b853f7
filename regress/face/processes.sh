# fork with both committing, exec, exit!, kill -9 $$: right status at the client, store right.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:a] = []; Maglev[:b] = []; Maglev.commit'
prints 'child 3' lode -e '
pid = fork { Maglev.begin_transaction; Maglev[:a] << :child; Maglev.commit; exit! 3 }
Process.wait(pid)
puts "child #{$?.exitstatus}"
Maglev[:b] << :parent
Maglev.commit'
prints '[[:child], [:parent]]' lode -e 'p [Maglev[:a], Maglev[:b]]'
# The child sees what the parent has not committed, and can't commit before it begins anew.
prints 'sees [:parent, :more]
refused' lode -e '
Maglev[:b] << :more
$stdout.sync = true
pid = fork do
  puts "sees #{Maglev[:b].inspect}"
  begin
    Maglev.commit
    puts "committed"
  rescue StandardError
    puts "refused"
  end
end
Process.wait pid'
prints 'executed' lode -e 'Maglev[:b] << :lost; exec "echo", "executed"'
exits 9 lode -e 'exec "sh", "-c", "exit 9"'
prints '[:parent]' lode -e 'p Maglev[:b]'
exits 137 lode -e 'system("sh", "-c", "kill -9 #$$"); sleep 1'
exits 6 lode -e 'exit! 6'
prints 'out
0' lode -e 'puts `echo out`; p $?.exitstatus'
prints '3' lode -e 'system("exit 3"); p $?.exitstatus'
prints 'ABC' lode -e 'IO.popen("tr a-z A-Z", "r+") { |io| io.write "abc"; io.close_write; puts io.read }'
