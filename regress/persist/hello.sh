# What one process commits another finds, each in a process of its own.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev::PERSISTENT_ROOT[:hello] = "world"; Maglev.commit_transaction'
prints '"world"' lode -e 'p Maglev::MAGLEV_PERSISTENT_ROOT[:hello]'
prints '"world"' lode -e 'p Maglev::PERSISTENT_ROOT[:hello]'

# Not committed: not there.
prints '' lode -e 'Maglev[:lost] = 1'
prints 'nil' lode -e 'p Maglev[:lost]'
prints '[nil, "world"]' lode -e 'Maglev[:lost] = 1; Maglev[:hello] = 2; Maglev.abort_transaction; p [Maglev[:lost], Maglev[:hello]]'

# And after the death of everything, in-process too.
kill_everything
prints '"world"' lode -e 'p Maglev[:hello]'
server_stop
prints '"world"' lode --solo -e 'p Maglev[:hello]; Maglev[:solo] = [1, 2.5, nil, :sym, "str", {a: 1}, 1..2, 2**100]; Maglev.commit'
prints '[1, 2.5, nil, :sym, "str", {a: 1}, 1..2, 1267650600228229401496703205376]' lode -e 'p Maglev[:solo]'
