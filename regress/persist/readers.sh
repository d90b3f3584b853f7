# What a method tells of an object whose body was given up (after an abort, and after a commit of its own) is what it tells of
# one that never left memory: every public method that can be called without arguments, of every kind of object.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev.persistent do
  class Plain; def initialize = (@a, @b = 1, "two"); attr_reader :a, :b; def ==(o) = Plain === o && a == o.a; end
  class Many; def initialize = 20.times { |i| instance_variable_set("@v#{i}", i) }; end
  class SubString < String; end
  class SubArray < Array; end
  class SubHash < Hash; end
  module Extra; def extra = 42; end
  Pair = Struct.new(:x, :y)
  Point = Data.define(:p, :q)
  class Err < StandardError; end
end
Maglev.commit'
cat >read.rb <<'RUBY'
KINDS = {
  plain: -> { Plain.new }, many: -> { Many.new }, bare: -> { Object.new },
  extended: -> { Plain.new.extend(Extra) }, singular: -> { Plain.new.tap { |o| def o.only = 7 } },
  string: -> { +"héllo wörld" }, ascii: -> { +"plain" }, binary: -> { "\xff\xfe\x00".b }, broken: -> { +"\xff" }, long: -> { "abcdefghij" * 50 },
  latin: -> { "caf\xe9".dup.force_encoding("ISO-8859-1") }, wide: -> { "ab".encode("UTF-16LE") }, substring: -> { SubString.new("s") },
  array: -> { [3, 1, 2, nil, "x", :y, 2.5] }, numbers: -> { [3, 1, 2] }, nested: -> { [[1, 2], [3, [4]]] }, empty: -> { [] },
  subarray: -> { SubArray[1, 2, 3] }, vector: -> { (0...2000).to_a },
  hash: -> { { a: 1, "b" => [2], 3 => nil } }, default: -> { Hash.new(5).update(a: 1) }, computed: -> { Hash.new { |_, k| k.to_s * 2 }.update(q: 1) },
  identity: -> { {}.compare_by_identity.update(z: 1) }, subhash: -> { SubHash[1, 2] }, table: -> { (0...1500).to_h { |i| [i, i.to_s] } },
  struct: -> { Pair.new(1, "y") }, data: -> { Point.new(p: 1, q: 2) }, set: -> { Set[1, :b, "c"] }, range: -> { Range.new(1, 5) },
  time: -> { Time.at(1_000_000_000, 5, :nsec).utc }, offset: -> { Time.new(2020, 1, 2, 3, 4, 5, "+02:00") },
  regexp: -> { Regexp.new("a(?<n>b+)", Regexp::IGNORECASE) }, exception: -> { Err.new("boo") },
  bignum: -> { 3**100 }, rational: -> { Rational(3, 4) }, complex: -> { Complex(1, 2) },
  proc: -> { proc { |a, b = 2| [a, b] } }, lambda: -> { ->(x) { x + 1 } },
}
# identity, chance, what else is in memory, the world outside, or the line of the call
SKIP = %i[object_id __id__ hash instance_eval instance_exec display find_references_in_memory method_missing shuffle sample itself then yield_self tap methods public_methods
          singleton_class freeze backtrace backtrace_locations full_message ruby2_keywords]
$VERBOSE = nil
def shown(v)
  case v
  when Proc, Method then v.class
  else v.inspect.gsub(/0x\h+/, "0x")
  end
end
def outcome
  shown(yield)
rescue StandardError, NotImplementedError, NoMemoryError => e
  "#{e.class}: #{e.message.gsub(/0x\h+/, "0x")}"
end
asked = 0
KINDS.each do |kind, make|
  Maglev[kind] = make.call
  Maglev.commit
  (Maglev[kind].public_methods - SKIP).each do |m|
    next if m.end_with?("!") || m.match?(/\A[a-z].*=\z|become|persist|commit|abort|maglev|lock/)
    next unless [0, -1].include?(Maglev[kind].method(m).arity)
    x = Maglev[kind]
    x.instance_variable_set(:@gone, 1) unless x.frozen?
    Maglev.abort
    got = outcome { x.public_send(m) }
    want = outcome { make.call.public_send(m) }
    puts "#{kind}.#{m}: #{got} instead of #{want}" unless got == want
    asked += 1
    Maglev.abort
  end
  x = Maglev[kind]
  x.freeze
  Maglev.commit
  puts "#{kind}: no longer frozen" unless x.frozen?
end
puts asked > 2000
RUBY
prints true lode read.rb
