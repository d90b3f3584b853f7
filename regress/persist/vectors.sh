# Big arrays and hashes are stored in chunks: a cold session reads only the chunks it looks at, and a change writes those
# chunks and the root; whatever is done to them, another session finds what a plain array or hash would hold.
. "$LODE_TOP/regress/lib.sh"
lodectl -D "$LODE_STORE" init >/dev/null || die init
server_start

cat >make.rb <<'RUBY'
n = 1_000_000
h = {}
n.times { |i| h[i * 7] = i }
Maglev[:hash] = h
Maglev[:array] = Array.new(n) { |i| i ^ 5 }
Maglev.commit
RUBY
prints '' lode make.rb

# Few chunks for one element.
cat >one.rb <<'RUBY'
def cost
  before = Maglev.statistics
  r = yield
  after = Maglev.statistics
  [r, after[:chunks_read] - before[:chunks_read], after[:chunks_written] - before[:chunks_written]]
end
def few(what, most_read, most_written)
  r, read, written = cost { yield }
  puts "#{what}: #{r.inspect}"
  puts "#{what}: #{read} chunks read, #{written} written" if read > most_read || written > most_written
end
h = Maglev[:hash]
few("hash size", 0, 0) { h.size }
few("hash read", 9, 0) { h[7 * 123_456] }
few("hash miss", 9, 0) { h[3] }
few("hash store", 9, 2) { h[7 * 777_777] = -1; Maglev.commit }
few("hash new key", 9, 2) { h[:fresh] = 1; Maglev.commit }
few("hash delete", 9, 2) { r = h.delete(7 * 10); Maglev.commit; r }
a = Maglev[:array]
few("array read", 2, 0) { a[500_000] }
few("array last", 2, 0) { a.last }
few("array store", 2, 1) { a[600_000] = :x; Maglev.commit }
few("array push", 2, 2) { a << :last; Maglev.commit }
few("array shift", 2, 0) { r = a.shift; Maglev.commit; r }
RUBY
prints 'hash size: 1000000
hash read: 123456
hash miss: nil
hash store: true
hash new key: true
hash delete: 10
array read: 500005
array last: 999994
array store: true
array push: true
array shift: 5' lode one.rb
prints '[1000000, -1, 1, nil, 11]
[1000000, 4, :x, :last]' lode -e '
h = Maglev[:hash]; a = Maglev[:array]
p [h.size, h[7 * 777_777], h[:fresh], h[70], h[77]]
p [a.size, a[0], a[599_999], a.last]'
prints '[1000000, 1000000, 499998722213, 499998899990]' lode -e '
h = Maglev[:hash]; a = Maglev[:array]
p [h.keys.size, h.each_with_index.count, h.values.sum, a.sum { |x| Integer === x ? x : 0 }]'

# Conflicts are found at the whole: two sessions that change other chunks of one array.
session_open one
session_open two
session one 'Maglev.abort; Maglev[:array][10] = 1' >/dev/null
session two 'Maglev.abort; Maglev[:array][900_000] = 1' >/dev/null
contains commit true "$(session one 'Maglev.commit')"
contains conflict CommitFailed "$(session two 'begin; Maglev.commit; rescue => e; e.class.name; end')"
contains aborted 1 "$(session two 'Maglev.abort; Maglev[:array][10]')"
contains 'not changed' 900004 "$(session two 'Maglev[:array][900_000]')"
session_close one
session_close two

# An inner transaction's abort undoes its changes of chunks alone.
prints '[1, 1000000] [2, 1000001] [1, 1000000]
[1, 1000000, 77]' lode -e '
a = Maglev[:array]; h = Maglev[:hash]; h[0] = 77
state = -> { [a[10], a.size] }
a[10] = 1
print state.call
Maglev.begin_nested_transaction
a[10] = 2; a << 5; h[0] = 78
print " ", state.call
Maglev.abort_nested_transaction rescue Maglev.abort_transaction
puts " #{state.call}"
Maglev.commit
p [a[10], a.size, h[0]]'

# Random changes beside a plain copy, many commits and aborts, other sessions looking.
cat >model.rb <<'RUBY'
seed = (ENV["LODE_SEED"] || 7).to_i
random = Random.new(seed)
Maglev[:a] = Array.new(700) { |i| i }
Maglev[:h] = (0...300).to_h { |i| [i, i.to_s] }
Maglev.commit
a = Maglev[:a].dup
h = Maglev[:h].dup
ops = [
  ->(x, r) { x[r.rand(x.size)] = r.rand(1000) }, ->(x, r) { x << r.rand(1000) }, ->(x, r) { x.push(*Array.new(r.rand(300), 9)) },
  ->(x, r) { x.pop }, ->(x, r) { x.shift }, ->(x, r) { x.shift(r.rand(200)) }, ->(x, r) { x.unshift(r.rand(99)) },
  ->(x, r) { x.insert(r.rand(x.size), :i, :j) }, ->(x, r) { x.delete_at(r.rand(x.size)) }, ->(x, r) { x.reverse! },
  ->(x, r) { x[r.rand(x.size), r.rand(50)] = [1, 2, 3] }, ->(x, r) { x.concat(x.take(100)) }, ->(x, r) { x.rotate!(3) },
  ->(x, r) { x.delete(9) }, ->(x, r) { x.map! { |y| y } }, ->(x, r) { x[x.size + 5] = :far }, ->(x, r) { x.shuffle!(random: r) },
  ->(x, r) { x.fill(7, x.size / 2, 20) }, ->(x, r) { x.replace(x.first(600)) }, ->(x, r) { x.slice!(5, 40) },
  ->(x, r) { x.sort_by! { |y| y.to_s } }, ->(x, r) { x.select! { |y| y != 3 } }, ->(x, r) { x.pop(r.rand(100)) },
  ->(x, r) { x.clear if r.rand(8) == 0; x.concat((0...400).to_a) }, ->(x, r) { x.uniq! if r.rand(4) == 0 },
  ->(x, r) { x.compact!; x.flatten! },
]
hops = [
  ->(x, r) { x[r.rand(500)] = r.rand(9) }, ->(x, r) { x["k#{r.rand(500)}"] = :v }, ->(x, r) { x.delete(r.rand(500)) },
  ->(x, r) { 100.times { |i| x[[i, r.rand(50)]] = i } }, ->(x, r) { x.delete_if { |k, v| v == 3 } }, ->(x, r) { x.shift },
  ->(x, r) { x.transform_values! { |v| v == 3 ? 4 : 3 } }, ->(x, r) { x.clear if r.rand(10) == 0; 200.times { |i| x[i] = i } },
  ->(x, r) { x.reject! { |k, v| r.rand(3) == 0 } }, ->(x, r) { x.rehash }, ->(x, r) { x.default = r.rand(4) },
  ->(x, r) { x.merge!(a: 1, b: 2) }, ->(x, r) { x.keep_if { |k, v| v } },
]
rounds = (ENV["LODE_ROUNDS"] || 150).to_i
rounds.times do |round|
  a0, h0 = a.dup, h.dup
  (1 + random.rand(3)).times do
    s = random.rand(1 << 30)
    op = ops[random.rand(ops.size)]
    [a, Maglev[:a]].each { |x| op.call(x, Random.new(s)) }
    op = hops[random.rand(hops.size)]
    [h, Maglev[:h]].each { |x| op.call(x, Random.new(s)) }
  end
  if random.rand(4) == 0
    Maglev.abort
    a, h = a0, h0
  else
    Maglev.commit
  end
  raise "array differs in round #{round} of seed #{seed}" if Maglev[:a] != a
  raise "hash differs in round #{round} of seed #{seed}" if Maglev[:h].to_a != h.to_a || Maglev[:h].default != h.default
  if round % 20 == 19 # as a session that has nothing in memory sees it
    shown = `lode -e 'p Maglev[:a].hash, Maglev[:h].to_a.hash'`
    raise "a cold session differs in round #{round} of seed #{seed}" if shown != "#{a.hash}\n#{h.to_a.hash}\n"
  end
end
puts "same"
RUBY
prints same lode model.rb
contains verified '' "$(lodectl -D "$LODE_STORE" verify 2>&1)"
server_stop
prints same lode --solo --store "$LODE_STORE" -e 'a = Maglev[:a].to_a; puts "same" if a.size == Maglev[:a].size'
