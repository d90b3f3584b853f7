# A binary whose symbols, instructions and primitives have other numbers (build-reversed: make TABLES=reversed) reads the
# store of the usual one, runs its classes and procs, and writes what the usual one reads.
. "$LODE_TOP/regress/lib.sh"
other=$LODE_TOP/build-reversed/lode
[ -x "$other" ] || die "there is no $other: make TABLES=reversed"
cat >define.rb <<'RUBY'
Maglev.persistent do
  class Account
    include Comparable
    attr_accessor :name, :cents
    def initialize(name, cents: 0) = (@name, @cents = name, cents)
    def <=>(other) = cents <=> other.cents
    def add(n)
      raise ArgumentError, "negative: #{n}" if n < 0
      @cents += n
      self
    rescue ArgumentError => e
      e.message
    ensure
      (@log ||= []) << n
    end
    def kind
      case [@name, @cents]
      in [String => n, 0] then "empty #{n}"
      in [_, 1..] then :full
      end
    end
    alias plus add
    undef_method :name=
  end
end
step = 2
Maglev[:accounts] = { ann: Account.new("ann"), "bob" => Account.new("bob", cents: 5) }
Maglev[:next] = -> (x = 1, *rest, by: step, **o) { [x * by, rest, o, step += 1] }
Maglev.commit
RUBY
cat >use.rb <<'RUBY'
a = Maglev[:accounts]
p a.keys, a.values.max.name, a[:ann].kind, a["bob"].kind, a[:ann].plus(3).cents, a[:ann].add(-1)
p Maglev[:next].call(2, 3, z: 1), a[:ann].instance_variables
begin
  a[:ann].name = 1
rescue NoMethodError => e
  puts e.message
end
RUBY
expected='[:ann, "bob"]
"bob"
"empty ann"
:full
3
"negative: -1"
[4, [3], {z: 1}, 3]
[:@name, :@cents, :@log]
undefined method '\''name='\'' for an instance of Account'
prints '' lode --solo define.rb
prints "$expected" "$other" --solo use.rb
prints '' "$other" --solo -e 'Maglev.persistent { class Account; def zebra(apple) = @zebra = [apple, :unheard_of]; end }
    Maglev[:accounts][:ann].zebra(%q(x)); Maglev.commit'
prints '["x", :unheard_of]
["y", :unheard_of]' lode --solo -e 'a = Maglev[:accounts][:ann]; p a.instance_variable_get(:@zebra), a.zebra("y")'
