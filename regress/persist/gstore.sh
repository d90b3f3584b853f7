# PStore in a file, and GStore, which is one in the store: transactions, what they refuse, several programs at once.
. "$LODE_TOP/regress/lib.sh"
cat >use.rb <<'RUBY'
db = $make.call
p db.transaction { db[:a] = [1]; db[:b] = 2; :done }
p db.transaction(true) { |s| [s.keys, s[:a], s.root?(:b), s.key?(:c), s.fetch(:b), s.fetch(:c, 9)] }
p db.transaction { db[:a] = 0; db.abort; :never }, db.transaction { db[:c] = 3; db.commit; db[:c] = 4 }
tried = ->(&block) { begin; block.call; rescue => e; [e.class, e.message]; end }
p tried.call { db.transaction { db[:a] = 7; raise "boom" } }, db.transaction(true) { [db[:a], db[:c]] }
p tried.call { db.transaction(true) { db[:x] = 1 } }, tried.call { db[:a] }, tried.call { db.transaction { db.fetch(:none) } }
p tried.call { db.transaction { db.transaction { } } }, db.transaction { db.delete(:b) }, db.transaction(true) { db.roots }
RUBY
expected=':done
[[:a, :b], [1], true, false, 2, 9]
nil
nil
[RuntimeError, "boom"]
[[1], 3]
[PStore::Error, "in read-only transaction"]
[PStore::Error, "not in transaction"]
[PStore::Error, "undefined key '"'"'none'"'"'"]
[PStore::Error, "nested transaction"]
2
[:a, :c]'
prints "$expected" lode -e 'require "pstore"; $make = -> { PStore.new("file.pstore") }; load "use.rb"'
prints "$expected" lode -e 'require "maglev/gstore"; $make = -> { GStore.new("one") }; load "use.rb"; Maglev.commit'
kill_everything
prints '[{a: [1], c: 3}, {"n" => 0}]' lode -e '
require "maglev/gstore"
one, two = GStore.new("one"), GStore.new("two")
two.transaction { two["n"] = 0 }
Maglev.commit
p [one, two].map { |s| s.transaction(true) { s.keys.to_h { |k| [k, s[k]] } } }'
prints '[nil, ["two"]]' lode -e 'require "maglev/gstore"; GStore.rm("one"); s = GStore.new("two"); s.transaction { s["lost"] = 1 }; Maglev.abort; p [s.transaction(true) { s["lost"] }, Maglev.root[:all_data].keys]'
# each program adds; none is lost
cat >add.rb <<'RUBY'
require "pstore"
db = PStore.new("count.pstore")
20.times { db.transaction { db[:n] = (db[:n] || 0) + 1 } }
RUBY
for i in 1 2 3; do
    lode add.rb &
    pids="$pids $!"
done
for p in $pids; do wait "$p" || die "status $?"; done
prints '60' lode -e 'require "pstore"; db = PStore.new("count.pstore"); p db.transaction(true) { db[:n] }'
[ "$(ls count.pstore*)" = count.pstore ] || die "files left behind: $(ls)"
