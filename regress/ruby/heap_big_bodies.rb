# Big arrays and hashes that are old get young elements by every way there is to change them; young collections in between keep
# what was stored, wherever it lies in the body.  (A debug build looks for missed ones itself.)
N = 700

def young = GC.start(full_mark: false)

def step(label, body)
  young
  young # nothing is remembered of what came before
  yield body
  young
  fill = Array.new(40) { |i| "fill #{i}" } # takes the cells of what was freed wrongly
  got = body.is_a?(Hash) ? body.to_a.flatten : body.flatten
  puts "#{label}: #{got.size} #{got.compact.join(",").sum} #{fill.size}"
end

def old_array = Array.new(N) { |i| "e#{i}" }.tap { GC.start }

array = old_array
step("store", array) { |a| a[3] = "a" * 9; a[N / 2] = "b" * 9; a[-1] = "c" * 9 }
step("push", array) { |a| 5.times { |i| a << "pushed #{i}" } }
step("grow", array) { |a| 900.times { |i| a.push("grown #{i}") } }
step("beyond", array) { |a| a[2000] = "far" * 4 }
step("concat", array) { |a| a.concat(Array.new(20) { |i| "tail #{i}" }) }
step("shift", array) { |a| 150.times { a.shift }; a[1] = "shifted #{a.size}" }
step("unshift", array) { |a| a.unshift("front #{a.size}"); 200.times { |i| a.unshift("f #{i}") } }
step("insert", array) { |a| a.insert(400, "x 1".dup, "x 2".dup); a[600, 3] = ["y #{a.size}"] }
step("delete_at", array) { |a| a[-2] = "last but #{a.size}"; a.delete_at(5) }
step("delete", array) { |a| a[900] = "nine #{a.size}"; a.delete("f 7") }
step("fill", array) { |a| a.fill(10, 3) { |i| "filled #{i}" } }
step("map!", array) { |a| a.map! { |x| "#{x}!" } }
step("reverse!", array) { |a| a[0] = "first #{a.size}"; a.reverse! }
step("rotate!", array) { |a| a[7] = "seven #{a.size}"; a.rotate!(130) }
step("sort_by!", array) { |a| a[70] = "seventy #{a.size}"; a.sort_by!(&:to_s) }
step("sort!", array) { |a| a[71] = "seventy-one #{a.size}"; a.sort! { |x, y| young if x.hash & 511 == 0; y.to_s <=> x.to_s } }
step("shuffle!", array) { |a| a.shuffle!(random: Random.new(3)); a.sort! { |x, y| x.to_s <=> y.to_s } }
step("select!", array) { |a| a[4] = "four #{a.size}"; a.select! { |x| x.to_s.size > 3 } }
step("uniq!", array) { |a| a << "double" << "double"; a.uniq! }
step("replace", array) { |a| a.replace(Array.new(N) { |i| "new #{i}" }) }
step("clear", array) { |a| a.clear; 500.times { |i| a << "again #{i}" } }
step("slice!", array) { |a| a[300] = "three #{a.size}"; a.slice!(10, 20) }
step("dup", old_array.dup) { |a| a[9] = "nine #{a.size}" }
step("ivar", array) { |a| a.instance_variable_set(:@note, "note #{a.size}"); young; a << a.instance_variable_get(:@note) }
class Sub < Array; end
step("subclass", Sub.new(N) { |i| "s#{i}" }.tap { GC.start }) { |a| a[N - 1] = "sub #{a.size}" }
nested = old_array
step("nested", nested) { |a| a[300] = ["deep", ["deeper #{a.size}"]] }

hash = Array.new(N) { |i| ["k#{i}", "v#{i}"] }.to_h
GC.start
step("hash store", hash) { |h| h["k5"] = "five #{h.size}"; h["k#{N - 1}"] = "last #{h.size}" }
step("hash add", hash) { |h| 30.times { |i| h["added #{i}"] = "value #{i}" } }
step("hash grow", hash) { |h| 900.times { |i| h["grown #{i}"] = "g #{i}" } }
step("hash delete", hash) { |h| 900.times { |i| h.delete("grown #{i}") }; h["after"] = "delete #{h.size}" }
step("hash squeeze", hash) { |h| 1200.times { |i| h["again #{i}"] = "a #{i}" } }
step("hash shift", hash) { |h| 20.times { h.shift }; h["k100"] = "hundred #{h.size}" }
step("hash rehash", hash) { |h| h["k101"] = "hundred and one #{h.size}"; h.rehash }
step("hash default", hash) { |h| h.default = "default #{h.size}"; young; h["k102"] = h["not there"] }
step("hash map", hash) { |h| h.transform_values! { |v| "#{v}." } }
step("hash select", hash) { |h| h["k103"] = "x #{h.size}"; h.select! { |_, v| v.size > 4 } }
step("hash merge", hash) { |h| h.merge!(Array.new(300) { |i| ["m#{i}", "n#{i}"] }.to_h) }
step("hash replace", hash) { |h| h.replace(Array.new(N) { |i| ["r#{i}", "s#{i}"] }.to_h) }
step("hash identity", hash) { |h| h.compare_by_identity; h["r1"] = "identity #{h.size}" }
step("hash clear", hash) { |h| h.clear; 400.times { |i| h[i] = "i #{i}" } }
GC.compact if GC.respond_to?(:compact)
step("moved store", array) { |a| a[40] = "moved #{a.size}" }
step("moved hash store", hash) { |h| h[40] = "moved #{h.size}" }
