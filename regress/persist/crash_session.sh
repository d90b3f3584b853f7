# A session that dies outside a critical section takes nothing with it: others go on, its work is gone.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:k] = [0]; Maglev.commit'
session_open other
said '=> 1' other 'Maglev[:k] << 1; 1'
pid=$(server_pid)
exits 137 lode -e 'Maglev[:k] = :lost; Process.kill(:KILL, Process.pid)'
exits 137 lode -e 'Maglev[:k] = :lost; system("sh", "-c", "kill -9 #$$"); sleep 1'
said '=> true' other 'Maglev.commit'
[ "$(server_pid)" = "$pid" ] || die "the server restarted"
prints '[0, 1]' lode -e 'p Maglev[:k]'
session_close other
