# ObjectSpace and GC: what can be told without knowing when a collection comes.
def show(label)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts "#{label}: #{r}"
end

class Rare; attr_accessor :n; end
kept = Array.new(5) { |i| Rare.new.tap { |r| r.n = i } }
show("each_object") { n = []; c = ObjectSpace.each_object(Rare) { |r| n << r.n }; [c, n.sort] }
show("each_object class") { seen = false; ObjectSpace.each_object(Class) { |c| seen ||= c == Rare }; seen }
show("each_object module") { seen = false; ObjectSpace.each_object(Module) { |c| seen ||= c == Kernel }; seen }
show("each_object bad") { ObjectSpace.each_object(1) {} }
show("each_object enum") { ObjectSpace.each_object(Rare).class }
show("count_objects") { h = ObjectSpace.count_objects; [h.class, h[:TOTAL] > 100, h.key?(:T_STRING)] }
show("garbage_collect") { [ObjectSpace.garbage_collect, GC.start, GC.start(full_mark: true)] }
before = GC.count
GC.start
show("count") { GC.count > before }
show("stat") { [GC.stat.class, GC.stat(:count).class, GC.stat[:count] <= GC.stat(:count)] }
show("stat bad") { GC.stat(:nothing_such) }
show("disable") { [GC.disable, GC.disable, GC.enable, GC.enable] }
show("stress") { GC.stress }
GC.stress = true
show("under stress") { (1..50).map { |i| "s#{i}" * 2 }.join.size }
GC.stress = false

wm = ObjectSpace::WeakMap.new
k = "key"
v = Object.new
wm[k] = v
show("weakmap") { [wm[k].equal?(v), wm.key?(k), wm.size, wm["key".dup], wm.keys, wm.values.size, wm.include?("q")] }
GC.start
show("weakmap after") { wm[k].equal?(v) }
show("weakmap delete") { [wm.delete(k).equal?(v), wm.size, wm.delete(k), wm.delete(k) { |x| x.size }] }
show("weakmap each") { wm[1] = 2; wm[:a] = :b; a = []; wm.each { |x, y| a << [x, y] }; a }
many = Array.new(300) { |i| Object.new }
many.each_with_index { |o, i| wm[o] = i }
show("weakmap many") { many.each_with_index.all? { |o, i| wm[o] == i } }
def fill(map) = 500.times { map[Object.new] = Object.new }
small = ObjectSpace::WeakMap.new
fill(small)
GC.start
GC.start
show("weakmap forgets") { small.size < 400 }
wk = ObjectSpace::WeakKeyMap.new
key = "k1"
wk[key] = 1
show("weakkeymap") { [wk["k1"], wk.getkey("k1").equal?(key), wk.key?("k2"), wk.delete("k1"), wk["k1"], wk.clear.class] }

show("finalizer bad") { ObjectSpace.define_finalizer(1, proc {}) }
show("finalizer bad proc") { ObjectSpace.define_finalizer(Object.new, 1) }
show("finalizer frozen") { ObjectSpace.define_finalizer("x".freeze, proc {}) }
undone = Object.new
ObjectSpace.define_finalizer(undone, proc { puts "must not run" })
show("undefine") { ObjectSpace.undefine_finalizer(undone).equal?(undone) }
