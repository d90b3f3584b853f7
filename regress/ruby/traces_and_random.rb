# trace_var and untrace_var; Random::Base and the state of a Random; what Enumerator's composites refuse; Data#deconstruct.
p trace_var(:$a) { |v| p [:block, v] }
$a = 5
p untrace_var(:$a).size
$a = 6
trace_var("$b", "puts :text")
$b = 2
p untrace_var(:$b)
one = proc { |v| p [1, v] }
two = proc { |v| $q = v + 1 if v < 3; p [2, v] }
trace_var(:$q, one)
trace_var(:$q, two)
$q = 1
p $q, untrace_var(:$q, one) == [one], untrace_var(:$q, one)
$q = 5
p trace_var(:$q, nil).size
$q = 6
trace_var(:$stdout) { |v| STDERR.class }
$stdout = STDOUT
untrace_var(:$stdout)
trace_var(:$r) { |v| raise ArgumentError, "no #{v}" }
p((begin; $r = 1; rescue => e; e.message; end), $r, (begin; $r = 2; rescue => e; e.message; end))
[-> { trace_var(:$none) }, -> { untrace_var(:$nope) }, -> { trace_var(5) {} }].each { |f| begin; f.call; rescue => e; puts "#{e.class}: #{e.message}"; end }

p Random.superclass, Random.ancestors.first(2), Random.instance_method(:rand).owner, Random.private_method_defined?(:left)
begin; Random::Base.new(1); rescue => e; p e.class, e.message; end
r = Random.new(42)
p r.rand(100), r.send(:left), r.send(:state).to_s(16)[-40..], r.seed
copy = Marshal.load(Marshal.dump(r))
p copy == r, Array.new(700) { copy.rand(1000) } == Array.new(700) { r.rand(1000) }, copy.send(:left) == r.send(:left), copy.seed
p Random.new(7).bytes(5), Random.new(7).dup.rand, Random.new(2**80).rand(2**70), Random.new(-5).seed, Random.new(3).rand(1.5..2.5), Random.rand(1), Random.new(1) == Random.new(1)
begin; r.send(:marshal_load, [1, 2]); rescue => e; puts "#{e.class}: #{e.message}"; end
begin; r.send(:marshal_load, [1, 9999, 2]); rescue => e; puts "#{e.class}: #{e.message}"; end

chain = [1].each + [2]
p %i[next peek next_values peek_values feed with_index rewind size].map { chain.respond_to?(_1) }, chain.with_index(1).to_a
p Enumerator.product([1, 2], [3]).respond_to?(:next), (begin; chain.next; rescue NoMethodError => e; e.message; end)
g = Enumerator.new { |y| p [:got, y.yield(1)]; :ret }
p g.to_a, g.with_index(1).to_a, g.entries
p [].respond_to?(:tally_by), [].lazy.respond_to?(:tap_each), Set[3, 1, 2] ^ [1, 7], Set[1] ^ Set[1]
point = Data.define(:x, :y).new(1, [2, 3])
case point
in [a, [b, *]] then p [a, b]
end
p point.deconstruct, (point in [_, _, _])
