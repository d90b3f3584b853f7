# records_probe.rb: looks at all that records_build.rb committed, in each way that reads its parts (tools/record_fuzz.c).  What is raised is of
# no interest, nor is what comes out.
def try
  yield
rescue Exception
  nil
end

def look(v, deep)
  try { v.inspect }
  try { v.to_s }
  try { v.hash }
  try { v == v.dup }
  try { v.eql?(v.clone) }
  try { v.frozen? }
  try { v <=> v }
  try { Marshal.load(Marshal.dump(v)) }
  try { v.class.ancestors; v.singleton_methods; v.instance_variables.each { |i| try { v.instance_variable_get(i).inspect } } }
  case v
  when Proc
    try { v.arity; v.parameters; v.source_location; v.lambda?; v.binding.local_variables; v.curry; v == v.dup }
    try { v.binding.local_variables.each { |n| v.binding.local_variable_get(n).inspect } }
    try { v.call }
    try { v.call(1, [2, 3], 4) }
    try { v.call(1, k: 2) }
    try { instance_exec(1, [2, 3], &v) }
    try { [[1, 2], [3]].each(&v) }
    try { Box.define_method(:probe_method, &v); Box.allocate.probe_method(1) }
    try { (v >> v).call(1) }
    try { Ractor.make_shareable(v) }
  when Method, UnboundMethod
    try { v.owner; v.name; v.parameters; v.arity; v.source_location; v.original_name; v.super_method }
    try { v.unbind.bind(Box.new(1)).call(1) }
    try { v.call(1) }
    try { v.to_proc.call(1) }
    try { v.receiver }
  when Binding
    try { v.local_variables.each { |n| v.local_variable_get(n).inspect } }
    try { v.eval("[self, a, b, c]") }
    try { v.local_variable_set(:zz, 1); v.local_variable_set(:a, 1); v.irb if false }
    try { v.receiver; v.source_location }
  when Module
    try { v.instance_methods(false).each { |m| try { v.instance_method(m).parameters } } }
    try { v.constants.each { |c| try { v.const_get(c).inspect } } }
    try { v.class_variables.each { |c| v.class_variable_get(c) } }
    try { v.name; v.included_modules; v.attached_object if v.singleton_class? }
    try { v.superclass; v.subclasses }
    try { look(v.allocate, false) } if v.is_a?(Class)
    try { v.new(1, 2) } if v.is_a?(Class)
    try { Class.new(v) } if v.is_a?(Class)
    try { v.class_eval { def probed = 1; attr_reader :probed2 } }
    try { v.instance_methods(false).each { |m| try { v.instance_method(m).bind(Box.new(2, 3)).call } } }
    try { v.refinements }
  when String
    try { v.encoding; v.valid_encoding?; v.size; v.upcase; v.reverse; v.unpack("C*"); v.to_sym; v + "a"; v[1..] ; v.each_char { } ; v.encode("UTF-8") }
    try { v.dup << "more" ; v.scan(/./) }
  when Array
    try { v.each { |x| look(x, false) } if deep }
    try { v.flatten; v.sort_by(&:to_s); v.reverse; v + v; v.uniq; v.first(3); v.last(2); v.pack("C*") }
    try { w = v.dup; w.push(1); w.shift; w.unshift(2); w[5] = 1; w.concat([1]) ; w.sort }
    try { v.sum }
    try { v.at(300); v[590]; v.rindex(1) }
  when Hash
    try { v.each { |k, x| look(x, false) if deep } }
    try { v.keys.each { |k| v[k] } ; v[:nothing]; v.to_a; v.invert; v.min_by { |k, x| x.to_s } }
    try { w = v.dup; w[:z] = 1; w.delete(:a); w.rehash; w.shift; w.merge!(v); w.compact; w.each { |k, x| w.delete(k) } }
    try { v["k77"]; v[33]; v.compare_by_identity if false; v.default; v.default_proc&.call(v, 1) }
  when Range
    try { v.begin; v.end; v.to_a.size if v.end; v.include?(1); v.step(2).first(2); v.size; v.sum }
  when Struct
    try { v.to_a; v.members; v.each { }; v[0]; v[:x]; v.to_h; v.values_at(0, 1); v[0] = 1; v.dist }
  when Time
    try { v.year; v.zone; v.utc_offset; v.strftime("%c %z %Z"); v + 1; v - v; v.round; v.localtime; v.getlocal("+02:00"); v.to_a }
  when MatchData
    try { v.to_a; v.pre_match; v.post_match; v.names; v.begin(0); v.end(1); v.named_captures; v[:b]; v.values_at(0, 1); v.string; v.regexp; v.offset(0); v.byteoffset(1) }
  when Regexp
    try { v.source; v.options; v.names; v.match("xabc"); v =~ "b"; "aab".gsub(v, "x"); v.to_s; Regexp.union(v, v); v.match?("zz"); v.encoding }
  when Exception
    try { v.message; v.backtrace; v.full_message; v.cause; v.backtrace_locations; v.detailed_message }
    try { raise v }
    try { v.exception("other"); v.set_backtrace(["a"]) }
  when Integer
    try { v + 1; v * v; v >> 3; v << 70; v.to_s(36); v.digits if v >= 0; v.bit_length; v / 7; v % 3; -v; ~v; v.pow(3, 7); v.to_f; v[3]; v.gcd(12) }
  when Float, Rational, Complex
    try { v + 1; v * v; v / 3; v.to_r; v.to_i; v.round(2); v.abs; -v; v ** 2; v.to_c; v.rationalize }
    try { v.numerator; v.denominator; v.real; v.imaginary; v.polar }
  when Enumerator
    try { v.next; v.size; v.first(2) }
  when Set
    try { v.to_a; v.include?(1); v | v; v.add(5); v.each { } }
  when Shapes
    try { v.area; v.w; v.h; v.w = 2; v.h = 3; v.area; v.twice; v.to_a; v.sort; v.compare(v) ; v.odd?(1) ; v.foo }
    try { v.each { |a, b| a } ; v.instance_variable_set(:@fresh, 1); v.remove_instance_variable(:@fresh) }
    try { case v; in [a, b] then a; in {w:} then w; end }
    try { v.extend(Comparable); v.singleton_class.instance_methods(false) }
    try { def v.only = 1; v.only }
  else
    try { v.single; v.left; v.with(left: 2); v.to_h }
    try { v.instance_variable_set(:@probe, 1); v.extend(Module.new { def probe = 1 }); v.probe }
  end
end

callable = try { Maglev[:callable] }
try { callable.each { |f| try { f.call } } }
try { Maglev[:values].each { |v| try { look(v, true) } } }
try { Maglev[:objects].each { |v| try { look(v, true) } } }
try { Maglev[:locals].each { |v| try { look(v, true) } } }
try { callable.each { |v| try { look(v, false) } } }
%i[Box Cube Shapes Point Named Pair Odd Refining Late].each { |c| try { look(Object.const_get(c), true) } }
try { Box.new(1, 2).to_s; Cube.new(3).to_s; Point.new(1, 2).dist; Pair.new(left: 1, right: 2).inspect; Named.new(a: 1, b: 2).to_h }
try { GC.start }
try { GC.verify_compaction_references if GC.respond_to?(:verify_compaction_references) }
try { Maglev[:values].each { |v| v.inspect } ; callable.each { |f| try { f.call } } }
try { GC.start }
try { Maglev.abort }
try { Maglev[:values].each { |v| v.inspect } ; callable.each { |f| try { f.call } } }
exit!(0)
