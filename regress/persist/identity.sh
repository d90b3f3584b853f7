# object_id and hashes keyed by plain objects, taken before the commit, work after it, after memory was dropped, and in
# another session.
. "$LODE_TOP/regress/lib.sh"
cat >write.rb <<'RUBY'
Maglev.persistent { class Key; attr_reader :n; def initialize(n) = @n = n; end }
keys = (0...50).map { |n| Key.new(n) }
plain = keys.to_h { |k| [k, k.n] }
identity = {}.compare_by_identity
keys.each { |k| identity[k] = k.n }
strings = %w[a b c].to_h { |s| [s, s.hash] }
ids = keys.map(&:object_id)
Maglev[:keys], Maglev[:plain], Maglev[:identity], Maglev[:ids], Maglev[:strings] = keys, plain, identity, ids, strings
Maglev.commit
check = lambda do
  [keys.map(&:object_id) == ids, keys.all? { |k| plain[k] == k.n }, keys.all? { |k| identity[k] == k.n }, identity.compare_by_identity?]
end
p check.call
plain[:more] = 1
Maglev.abort
GC.start
p check.call
RUBY
prints '[true, true, true, true]
[true, true, true, true]' lode write.rb
cat >read.rb <<'RUBY'
keys, plain, identity, ids = %i[keys plain identity ids].map { |n| Maglev[n] }
p keys.map(&:object_id) == ids, keys.all? { |k| plain[k] == k.n }, keys.all? { |k| identity[k] == k.n }
p identity.compare_by_identity?, identity.keys.zip(keys).all? { |a, b| a.equal?(b) }
p Maglev[:strings].all? { |s, h| s.hash == h }, plain.size, identity.fetch(keys[7])
p keys[0].committed?, Key.new(1).committed?
# an id leads to its object, one that this session has not read as well, and is no number's and no symbol's id
others = ids.map { |id| [id, nil, true, false, :a, 1.5].map { |v| v.object_id } + [(id - 1) / 2, id / 2, id].map(&:object_id) }
p ids.any? { |id| others.any? { |list| list.include?(id) } }
RUBY
expected='true
true
true
true
true
true
50
7
true
false
false'
prints "$expected" lode read.rb
kill_everything
prints "$expected" lode read.rb
found="ids, objects = Maglev[:ids], nil
objects = ids.map { |id| ObjectSpace._id2ref(id) }
p objects.map(&:n) == (0...50).to_a, objects.zip(Maglev[:keys]).all? { |a, b| a.equal?(b) }
p [String, Key, Comparable].all? { |m| ObjectSpace._id2ref(m.object_id).equal?(m) }
p [ids.max + 4, ids.max + (1 << 40), -8, 16].map { |id| ObjectSpace._id2ref(id) rescue \$!.class }"
prints 'true
true
true
[RangeError, RangeError, RangeError, RangeError]' lode -W:no-deprecated -e "$found"
