# objspace: sizes, references, sites of allocations, dumps; WeakRef.
require "objspace"
require "json"
require "weakref"

class Pair
  def initialize(a, b)
    @a = a
    @b = b
  end
end

def parse(object) = JSON.parse(ObjectSpace.dump(object))

puts "# sizes"
p ObjectSpace.memsize_of(1), ObjectSpace.memsize_of(nil), ObjectSpace.memsize_of(:a)
p ObjectSpace.memsize_of("x" * 10_000) > 10_000, ObjectSpace.memsize_of([nil] * 1000) >= 4000
p ObjectSpace.memsize_of_all(String) < ObjectSpace.memsize_of_all
p ObjectSpace.memsize_of_all(Pair)
pairs = Array.new(10) { Pair.new(1, 2) }
p ObjectSpace.memsize_of_all(Pair) == pairs.sum { |x| ObjectSpace.memsize_of(x) }
p ObjectSpace.count_objects_size[:T_STRING] > 0
p ObjectSpace.count_symbols.values.all? { |n| n >= 0 }
begin
  ObjectSpace.memsize_of_all(1)
rescue TypeError => e
  puts e.message
end
begin
  ObjectSpace.count_objects_size(1)
rescue TypeError => e
  puts e.message
end

puts "# references"
p ObjectSpace.reachable_objects_from(["one", :two, 3, Pair])
p ObjectSpace.reachable_objects_from(Pair.new("a", "b")).reject { |x| Module === x }
p ObjectSpace.reachable_objects_from({ "k" => "v" }).reject { |x| Module === x }
p ObjectSpace.reachable_objects_from(1)
p ObjectSpace.reachable_objects_from_root.all? { |name, list| String === name && Array === list }

puts "# allocation sites"
def make = Object.new
class Pair
  def text = "text".upcase
end
ObjectSpace.trace_object_allocations do
  x = make
  p File.basename(ObjectSpace.allocation_sourcefile(x)), ObjectSpace.allocation_sourceline(x)
  p ObjectSpace.allocation_class_path(x), ObjectSpace.allocation_method_id(x)
  p ObjectSpace.allocation_generation(x).class
  y = Pair.new(1, 2).text
  p ObjectSpace.allocation_sourceline(y), ObjectSpace.allocation_class_path(y), ObjectSpace.allocation_method_id(y)
  d = parse(x)
  p d.values_at("line", "method")
end
z = Object.new
p ObjectSpace.allocation_sourcefile(z), ObjectSpace.allocation_sourceline(z), ObjectSpace.allocation_generation(z)
p ObjectSpace.allocation_sourceline(1)
ObjectSpace.trace_object_allocations_start
kept = Array.new(100) { |i| "kept #{i}" }
GC.start
p kept.map { |s| ObjectSpace.allocation_sourceline(s) }.uniq
ObjectSpace.trace_object_allocations_stop
ObjectSpace.trace_object_allocations_clear
p ObjectSpace.allocation_sourceline(kept[0])

puts "# dumps"
p parse("hello").values_at("type", "bytesize", "value", "encoding", "coderange")
p parse("h\xff").values_at("value", "coderange", "broken")
p parse("ascii".b).values_at("value", "encoding")
p parse([1, "x", nil]).values_at("type", "length").push(parse([1, "x", nil])["references"].size)
p parse({ a: 1, "b" => 2 }).values_at("type", "size")
p parse(Pair.new("x", "y")).values_at("type", "ivars")
p parse(Pair).values_at("type", "name")
p parse(Kernel).values_at("type", "name")
p parse(2**100).values_at("type", "frozen")
p ObjectSpace.dump(1), ObjectSpace.dump(nil), ObjectSpace.dump(true)
p JSON.parse(ObjectSpace.dump(:sym))
p parse("x".dup.freeze)["frozen"]
one = Pair.new("first", "second")
all = ObjectSpace.dump_all(output: :string).lines.map { |l| JSON.parse(l) }
pair = all.find { |d| d["type"] == "CLASS" && d["name"] == "Pair" }
p all.count { |d| d["type"] == "OBJECT" && d["class"] == pair["address"] } >= pairs.size + 1
strings = all.select { |d| d["type"] == "STRING" && %w[first second].include?(d["value"]) }.map { |d| d["address"] }
p all.any? { |d| d["class"] == pair["address"] && (d["references"] || []).difference(strings).empty? }
p all.any? { |d| d["type"] == "ROOT" }
begin
  ObjectSpace.dump(one, output: 3)
rescue ArgumentError => e
  puts e.message
end

puts "# WeakRef"
ref = WeakRef.new(one)
p ref.weakref_alive?, ref.class, ref.__getobj__.equal?(one)
p WeakRef.new("text").upcase
p WeakRef::RefError.superclass
refs = Array.new(1000) { WeakRef.new("short lived") }
GC.start
p refs.count(&:weakref_alive?) < 100
begin
  refs.find { |r| !r.weakref_alive? }.size
rescue WeakRef::RefError => e
  puts e.message
end
