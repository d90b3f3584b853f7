# Ractor: blocks that see no locals around them, run with what they are given; ports, values, failures (expected output:
# CRuby 3.1 with `value` for its `take`, and CRuby 4.0 for what needs no second ractor)
$VERBOSE = nil
Ractor.class_eval { alias_method :value, :take } unless Ractor.method_defined?(:value)
x = 5
begin; Ractor.new { x + 1 }; rescue ArgumentError; puts $!.message; end
begin; Ractor.new { y = 1; [1].each { |e| e + y + x } }; rescue ArgumentError; puts $!.message; end
begin; Ractor.new; rescue ArgumentError; puts $!.message; end
p Ractor.new { y = 3; [1, 2].map { |e| e + y } }.value
p Ractor.new(1, [2, "three"]) { |a, b| [self.class, a, b, b.frozen?] }.value
text = +"mine"
p Ractor.new(text) { |t| t << " copied"; t }.value, text
r = Ractor.new { a = Ractor.receive; b = Ractor.receive; [a, b] }
r.send({k: [1]})
r << :done
v = r.value; p v[0][:k], v[1]
r = Ractor.new(name: "worker") { Ractor.current.name }
p r.name, r.value
r = Ractor.new { Thread.current.report_on_exception = false; raise IOError, "inside" }
begin; r.value; rescue Ractor::RemoteError; p $!.message, $!.cause, $!.ractor.equal?(r); end
p Ractor.new { Thread.new { Ractor.current.equal?(Ractor.main) }.value }.value
Ractor.current[:key] = 1
p Ractor.new { Ractor.current[:key] = 2; Ractor.current[:key] }.value, Ractor.current[:key]
rs = 3.times.map { |i| Ractor.new(i) { |n| n * 10 } }
p rs.map(&:value), Ractor.count
begin; Ractor.new(Thread.current) { |t| t }.value; rescue TypeError; puts $!.message; end
a = Ractor.make_shareable({a: [1, +"x"]})
p a.frozen?, a[:a].frozen?, a[:a][1].frozen?, Ractor.shareable?(a), Ractor.shareable?([+"x"].freeze)
p Ractor.shareable?(String), Ractor.shareable?(1..2), Ractor.shareable?(Object.new), Ractor.shareable?(:a)

