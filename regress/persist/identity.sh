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
# a class as a key: of the core or our own, in another session, after it was given another method
prints '' lode -e '
Maglev.persistent { class Kept; end }
Maglev[:by_class] = {String => 1, Kept => 2, Proc => 3, Comparable => 4, Encoding::UTF_8 => 5}
Maglev.persistent { class Kept; def first = 1; end; class String; def kept = 1; end }
Maglev.commit'
session_open a
said '=> [1, 2, 3, 4, 5]' a 'h = Maglev[:by_class]; H = {Kept => 0, String => 0}; [String, Kept, Proc, Comparable, Encoding::UTF_8].map { |k| h[k] }'
prints '[1, 2]' lode -e '
h = Maglev[:by_class]
Maglev.persistent { class Kept; def second = 2; include Comparable; end; class String; def second = 2; end }
Maglev.commit
p h.values_at(String, Kept)'
said '=> [1, 2, 2, 0, 0]' a 'Maglev.abort; [Kept.new.first, Kept.new.second, "".second, H[Kept], H[String]]'
session_close a
kill_everything
prints '[[1, 2, 3, 4, 5], 2, 2]' lode -e 'p [Maglev[:by_class].values_at(String, Kept, Proc, Comparable, Encoding::UTF_8), Kept.new.second, "".second]'
