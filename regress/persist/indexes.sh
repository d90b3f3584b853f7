# Indexes of an IdentitySet: a search finds what a look at all elements finds, whatever was changed, added, removed or undone
# since; so it is after a crash, in sessions that never saw the set, and when two sessions change what it stands on at once.
. "$LODE_TOP/regress/lib.sh"
cat >model.rb <<'RUBY'
Maglev.persistent do
  class Address; attr_accessor :zip; def initialize(zip) = @zip = zip; end
  class Person
    attr_accessor :name, :age, :address
    def initialize(name, age, address = nil) = (@name, @age, @address = name, age, address)
  end
end
RUBY
cat >check.rb <<'RUBY'
# Each search beside the same without an index.
def check(set)
  all = set.to_a
  tests = {lt: :<, lte: :<=, gt: :>, gte: :>=, eql: :==, equal: :equal?}
  {[:@age] => [5, 40, 2.5, nil], "@address.@zip" => [1003, -1], [:@name] => ["n3", "", :sym], ["@address"] => [all.filter_map(&:address).first]}.each do |path, values|
    names = path.is_a?(String) ? path.split(".") : path
    values.product(tests.keys) do |value, test|
      expected = all.select do |element|
        key = names.inject(element) { |object, name| object&.instance_variable_get(name) }
        test == :eql || test == :equal ? key.public_send(tests[test], value) : (order = key <=> value) && order.public_send(tests[test], 0)
      end
      found = set.search(path.is_a?(String) ? [path] : path, test, value)
      raise "#{path} #{test} #{value.inspect}: #{found.size}, not #{expected.size}" unless found == IdentitySet.with_all(expected)
      other = {eql: :not_eql, equal: :not_equal}[test]
      raise "#{path} #{other}" unless other.nil? || set.search(path.is_a?(String) ? [path] : path, other, value) == set - found
    end
  end
  raise "range" unless set.search_range([:@age], 10..20) == set.search([:@age], :gte, 10) & set.search([:@age], :lte, 20)
  raise "between" unless set.search_between([:@age], 10, 20) == set.search_range([:@age], 10...20)
  raise "open" unless set.search_range([:@age], 30..) == set.search([:@age], :gte, 30) && set.search_between([:@age], 10, 20, :lt, :lte) == set.search([:@age], :gt, 10) & set.search([:@age], :lte, 20)
end
RUBY
cat >change.rb <<'RUBY'
load "model.rb"
require "./check"
seed = (ENV["SEED"] || 7).to_i
srand seed
addresses = Array.new(20) { |i| Address.new(1000 + i) }
people = Array.new(250) { |i| Person.new("n#{i}", rand(80), addresses.sample) }
set = IdentitySet.new
set.create_equality_index("@age", Integer)
set.__send__(:__add_all, people)
set.create_equality_index("@address.@zip", Integer)
check(set) # not committed: it looks at all
Maglev[:people], Maglev[:addresses], Maglev[:set] = people, addresses, set
Maglev.commit
set.create_equality_index("@name", String)
set.create_identity_index("@address")
Maglev.commit
check(set)
250.times do |i|
  one = set.to_a.sample
  case rand(9)
  when 0 then one.age = rand(80)
  when 1 then one.address = addresses.sample
  when 2 then addresses.sample.zip += 7
  when 3 then one.name << "z" if String === one.name
  when 4 then set.delete(one)
  when 5 then set << Person.new("q#{i}", rand(90), rand(3) == 0 ? nil : Address.new(rand(2000)))
  when 6 then one.age = [nil, 2.5, Float::NAN, "old", 3r / 2].sample
  when 7 then one.name = :sym
  when 8 then (one.address = Address.new(5)).zip = 1003
  end
  check(set) if i % 25 == 0
  case rand(8)
  when 0, 1 then Maglev.commit
  when 2 then Maglev.abort
  when 3
    Maglev.begin_nested_transaction
    set.to_a.sample(3).each { |p| p.age = rand(80) }
    set.delete(set.to_a.sample)
    check(set) if i % 3 == 0
    rand(2) == 0 ? Maglev.commit : Maglev.abort
  end
rescue => e
  raise e.class, "SEED=#{seed}, change #{i}: #{e.message}"
end
Maglev.commit
check(set)
p set.kinds_of_index_on("@age"), set.kinds_of_index_on("@address"), set.kinds_of_index_on("@zip"), set.equality_indexed_paths, set.identity_indexed_paths
RUBY
prints ':equality
:identity
:none
["@age", "@address.@zip", "@name"]
["@address"]' lode change.rb
kill_everything
prints '0' lode -r ./check -e 'check(Maglev[:set]); s = Maglev[:set].dup; check(s); p s.equality_indexed_paths.size'
# who changes an object need not know of the set
prints 'true' lode -e 'Maglev[:people].each { |p| p.age = 33 }; Maglev[:addresses].each { |a| a.zip = 1 }; p Maglev.commit'
prints 'true' lode -r ./check -e 's = Maglev[:set]; check(s); p s.search([:@age], :eql, 33).size > 50'

# what is refused
prints 'ArgumentError
ArgumentError
ArgumentError
ArgumentError
ArgumentError
ArgumentError
:equalityAndIdentity
:none
[]' lode -e '
s = Maglev[:set]
[-> { s.search([:@age], :like, 1) }, -> { s.search_between([:@age], 1, 2, :gt) }, -> { s.create_equality_index("@age", Integer) }, -> { s.create_equality_index("@x", Person) },
 -> { s.create_identity_index("age") }, -> { s.remove_identity_index("@age") }].each { |try| begin; try.call; p 0; rescue => e; p e.class; end }
s.create_identity_index("@age")
p s.kinds_of_index_on("@age")
s.remove_all_indexes
p s.kinds_of_index_on("@age"), s.equality_indexed_paths
Maglev.commit'
prints '' lode -r ./check -e 'check(Maglev[:set])'

# two sessions
prints '' lode -e 'Maglev[:out] = Array.new(3) { |i| Person.new("o#{i}", 50 + i, Address.new(7)) }
s = Maglev[:pair] = IdentitySet.with_all(Array.new(40) { |i| Person.new("p#{i}", i, Address.new(i)) })
s.create_equality_index("@age", Integer)
s.create_equality_index("@address.@zip", Integer)
Maglev[:in] = s.to_a
full = Maglev[:full] = IdentitySet.with_all(Array.new(64) { |i| Person.new("f#{i}", i) })
full.create_equality_index("@age", Integer)
Maglev.commit'
session_open a -r ./check
session_open b -r ./check
both() { # both CODE-A CODE-B ANSWER-OF-B'S-COMMIT: two transactions at once; whoever lost does it again
    for s in a b; do session $s 'Maglev.abort; S, I, O = Maglev[:pair], Maglev[:in], Maglev[:out]; $VERBOSE = nil' >/dev/null; done
    session a "$1" >/dev/null
    session b "$2" >/dev/null
    said '=> true' a 'Maglev.commit'
    said "=> $3" b 'begin; Maglev.commit; rescue Maglev::CommitFailedException; Maglev.abort; false; end'
    said '=> true' b 'check(S); true'
}
both 'I[0].age = 70' 'I[1].age = 70; I[2].address.zip = 9' true
said '=> [2, 2]' b '[S.search([:@age], :eql, 70).size, S.search(["@address.@zip"], :eql, 9).size]'
both 'S << O[0]' 'O[0].age = 71' false
both 'S << O[1]' 'O[1].address.zip = 8' false
both 'O[2].age = 72' 'S << O[2]' false
both 'S.delete(O[0])' 'O[0].age = 5' false
both 'S << O[0]' 'S << O[2]; I[3].age = 99' true
both 'S.delete(O[0]); S.delete(O[2])' 'I[4].age = 98' true
both 'S.create_equality_index("@name", String)' 'I[5].name = "new"' false
said '=> ["@age", "@address.@zip", "@name"]' b 'S.equality_indexed_paths'
both 'S.remove_equality_index("@name")' 'S << O[0]' false
both 'S << O[0]' 'S.create_equality_index("@name", String)' false
both 'S.create_equality_index("@name", String)' 'S << O[2]' false
both 'Maglev[:full].to_a[3].age = 2' 'Maglev[:full] << Person.new("split", 1)' false
said '=> true' b 'check(Maglev[:full]); true'
# leaves are split and given up beside changes of others
both '100.times { |i| S << Person.new("m#{i}", i) }' 'I[6].age = 97' false
both 'I[7].age = 96' '100.times { |i| S << Person.new("m#{i}", i) }' false
both 'S.to_a.each { |p| S.delete(p) if p.age >= 50 }' 'S << Person.new("last", 100)' false
both 'S << Person.new("last", 100)' 'S.to_a.each { |p| S.delete(p) if p.age >= 30 }' false
session_close a
session_close b
cat >work.rb <<'RUBY'
me = ARGV[0].to_i
srand me
40.times do |i|
  Maglev.transaction do
    set = Maglev[:pair]
    set << Person.new("w#{me}-#{i}", rand(100))
    Maglev[:in].sample.age = rand(100)
    set.delete(set.search([:@age], :gte, rand(100)).to_a.sample)
  end
end
RUBY
for i in 1 2 3 4; do
    lode work.rb $i &
    pids="$pids $!"
done
for p in $pids; do wait "$p" || die "a worker failed with $?"; done
prints '' lode -r ./check -e 'check(Maglev[:pair])'
