# The programs that MagLev shows itself with, in our words, each step a process of its own: the hat trick, a blog whose posts gain a
# field, points that change their class, people found by index, a table in the store, models kept under their class, a web application.
. "$LODE_TOP/regress/lib.sh"

# the hat: classes loaded from files in persistent mode; rabbits put in by one process, seen by another
cat >hat.rb <<'RUBY'
class Hat
  attr_reader :contents
  def initialize = @contents = []
  def put(thing) = (@contents << thing; nil)
  def size = @contents.size
end
RUBY
echo 'class Rabbit; def inspect = "(rabbit)"; end' >rabbit.rb
cat >create_hat.rb <<'RUBY'
Maglev.persistent do
  load "hat.rb"
  load "rabbit.rb"
end
Maglev::PERSISTENT_ROOT[:hat] = Hat.new
Maglev.commit_transaction
puts "empty: #{Maglev::PERSISTENT_ROOT[:hat].contents.inspect} #{Maglev::PERSISTENT_ROOT[:hat].object_id}"
RUBY
created=$(lode create_hat.rb) || die "status $?"
contains "an empty hat" "empty: []" "$created"
session_open magician
said '=> []' magician 'Maglev::PERSISTENT_ROOT[:hat].contents'
rm hat.rb rabbit.rb create_hat.rb
prints '' lode -e 'Maglev::PERSISTENT_ROOT[:hat].put(Rabbit.new); Maglev.commit_transaction'
said '=> []' magician 'Maglev::PERSISTENT_ROOT[:hat].contents'
said '=> [Maglev::System, [(rabbit)]]' magician '[Maglev.abort_transaction, Maglev::PERSISTENT_ROOT[:hat].contents]'
prints "1 rabbits ${created##* }" lode -e 'hat = Maglev::PERSISTENT_ROOT[:hat]; puts "#{hat.size} rabbits #{hat.object_id}"'
# a proc that takes a fresh view when it is called, in whichever session
prints '' lode -e 'Maglev::PERSISTENT_ROOT[:peek] = Proc.new { |key| Maglev.abort_transaction; Maglev::PERSISTENT_ROOT.key?(key) ? Maglev::PERSISTENT_ROOT[key] : Maglev::PERSISTENT_ROOT }; Maglev.commit_transaction'
said '=> 1' magician 'Maglev.abort; P = Maglev::PERSISTENT_ROOT[:peek]; P[:hat].size'
prints '' lode -e 'Maglev::PERSISTENT_ROOT[:hat].put(Rabbit.new); Maglev.commit_transaction'
said '=> [2, true]' magician '[P[:hat].size, P[].keys.include?(:hat)]'
session_close magician

# the blog: a later version of the class gives posts a date; old ones are migrated by a method saved with the class
blog() { # VERSION FIELDS: the class, opened again
    echo "Maglev.persistent do
      class Post
        remove_const(:VERSION) if const_defined?(:VERSION)
        VERSION = '$1'
        def self.all = Maglev::PERSISTENT_ROOT[:posts]
        attr_reader :title, :date
        def initialize(title$2) = (@title$3 = title$4)
      end
    end
    Maglev::PERSISTENT_ROOT[:posts] ||= []
    Maglev.commit_transaction"
}
blog 1.0 '' '' '' >v10.rb
blog 1.1 ', date = Time.at(0)' ', @date' ', date' >v11.rb
prints '' lode v10.rb
prints '' lode -e '3.times { |i| Post.all << Post.new("old #{i}") }; Maglev.commit_transaction'
prints '' lode v11.rb
prints '1.1' lode -e '2.times { |i| Post.all << Post.new("new #{i}", Time.utc(2020, 1, i + 1)) }; Maglev.commit_transaction; puts Post::VERSION'
client='Post.all.each { |post| puts "#{post.title}: #{post.date.strftime("%F")}" }'
exits 1 lode -e "$client"
contains "what lacks the field" "undefined method 'strftime' for nil (NoMethodError)" "$err"
prints '' lode -e '
Maglev.persistent do
  class Post
    UNKNOWN = Time.at(0)
    def UNKNOWN.strftime(*) = "unknown"
    UNKNOWN.freeze
    def self.migrate = (all.each { |post| post.instance_variable_set(:@date, UNKNOWN) if post.date.nil? }; Maglev.commit_transaction)
  end
end
Maglev.commit_transaction
Post.migrate'
prints 'old 0: unknown
old 1: unknown
old 2: unknown
new 0: 2020-01-01
new 1: 2020-01-02' lode -e "$client"
prints 'true' lode -e 'Maglev::PERSISTENT_ROOT[:posts] = nil; Maglev.persistent { Object.__send__(:remove_const, :Post) }; p Maglev.commit_transaction'
prints 'nil' lode -e 'p defined?(Post)'

# points: another class under the same name, then the instances of the one before become instances of it, in steps
cat >points.rb <<'RUBY'
Maglev.persistent do
  class Point
    VERSION = "1.0.0"
    attr_reader :x, :y
    def initialize(x, y) = (@x, @y = x, y)
  end
end
Maglev::PERSISTENT_ROOT[:points] = Array.new(5) { |i| Point.new(i * 3, i * 4) }
Maglev.commit_transaction
Maglev.persistent do
  Object.__send__(:remove_const, :Point)
  class Point
    VERSION = "2.0.0"
    attr_reader :r, :theta
    def initialize(r, theta) = (@r, @theta = r, theta)
  end
end
Maglev.commit_transaction
RUBY
prints '' lode points.rb
prints '5' lode -e '
old = Maglev::PERSISTENT_ROOT[:points].find { |point| point.class::VERSION == "1.0.0" }.class
Maglev::PERSISTENT_ROOT[:old] = Maglev::Repository.instance.list_instances([old])[0]
Maglev.commit_transaction
p old.all_instances.size'
for left in 3 1 0; do
    prints "$left" lode -e '
old = Maglev::PERSISTENT_ROOT[:old]
[2, old.size].min.times { old.pop.then { |point| point.become(Point.new(Math.hypot(point.x, point.y), Math.atan2(point.y, point.x))) } }
Maglev.commit_transaction
p old.size'
done
prints '[["2.0.0"], [0.0, 5.0, 10.0, 15.0, 20.0]]' lode -e 'points = Maglev::PERSISTENT_ROOT[:points]; p [points.map { |point| point.class::VERSION }.uniq, points.map(&:r)]'

# people: a set that is a constant of its class, made in steps, searched by index and without
cat >people.rb <<'RUBY'
Maglev.persistent do
  class Home; attr_reader :zip; def initialize(zip) = @zip = zip; end
  class Human
    __fixed_instvars :@age, :@home, :@status
    attr_reader :age
    def initialize(age, home, status) = (@age, @home, @status = age, home, status)
  end
end
all = IdentitySet.new
all.create_equality_index("@age", Integer)
Maglev.persistent { Human::ALL = all }
3.times do |step|
  200.times { |i| all << Human.new(18 + (i + step) % 75, Home.new(10_000 + i % 40), %i[single married hermit][i % 3]) }
  Maglev.commit_transaction
end
all.create_equality_index("@home.@zip", Integer)
Maglev.commit_transaction
RUBY
prints '' lode people.rb
prints '[600, true, true, ["@age", "@home.@zip"]]' lode -e '
all = Human::ALL
young, hermits, near = all.search([:@age], :lt, 25), all.search([:@status], :eql, :hermit), all.search([:@home, :@zip], :eql, 10_007)
p [all.size, (young & hermits) == IdentitySet.with_all(all.select { |h| h.age < 25 && h.instance_variable_get(:@status) == :hermit }),
   near.size == 15 && young.size == all.count { |h| h.age < 25 }, all.equality_indexed_paths]
all.remove_all_indexes
Maglev.commit_transaction'

# GStore beside PStore: the libraries are saved with the program that uses them
prints '' lode -e '
Maglev.persistent { require "pstore"; require "maglev/gstore" }
Maglev.commit_transaction
GStore.rm("one.db")
store = GStore.new("one.db")
def store.transaction(*) = (result = super; Maglev.commit_transaction; result)
20.times { |i| store.transaction { |s| s[i.to_s] = Array.new(10) { |j| "#{i} #{j}" } } }'
prints '[20, "7 3"]' lode -e 'p GStore.new("one.db").transaction(true) { |s| [s.keys.size, s["7"][3]] }'

# models: instances by number, in a Hash under their class
cat >model.rb <<'RUBY'
Maglev.persistent do
  module Model
    module ClassMethods
      include Enumerable
      def make(*arguments) = new(*arguments).tap { |object| Maglev::PERSISTENT_ROOT[self][object.object_id] = object }
      def get(id) = Maglev::PERSISTENT_ROOT[self][id.to_i]
      def each(&block) = Maglev::PERSISTENT_ROOT[self].each_value(&block)
    end
    def self.included(host)
      Maglev::PERSISTENT_ROOT[host] = {}
      host.extend(ClassMethods)
    end
  end
  class Note
    include Model
    attr_reader :text
    def initialize(text) = @text = text
  end
end
Maglev.commit_transaction
RUBY
prints '' lode model.rb
id=$(lode -e 'puts Note.make("one").object_id; Note.make("two"); Maglev.commit_transaction') || die "status $?"
prints '["one", ["one", "two"], true]' lode -e "p [Note.get('$id').text, Note.map(&:text), ObjectSpace._id2ref($id).equal?(Note.get($id))]" 

# a web application: each request a transaction, committed when it succeeds, done again when it clashes
cat >web.rb <<'RUBY'
require "maglev/rack_txn_wrapper"
Maglev[:hits] = [0]
Maglev.commit
tries = 0
app = lambda do |env|
  Maglev[:hits][0] += 1
  if env["PATH_INFO"] == "/clash" && (tries += 1) < 3
    system("lode", "-e", "Maglev[:hits][0] += 10; Maglev.commit")
  end
  raise "broken" if env["PATH_INFO"] == "/broken"
  [{"/missing" => 404, "/moved" => 302}.fetch(env["PATH_INFO"], 200), {}, [Maglev[:hits][0].to_s]]
end
wrapped = Maglev::TransactionWrapper.new(app)
p %w[/ /missing /moved /broken /clash].map { |path| wrapped.call({"PATH_INFO" => path})[2][0] rescue $!.message }, tries
never = Maglev::TransactionWrapper.new(->(env) { Maglev[:hits][0] += 1; system("lode", "-e", "Maglev[:hits][0] += 1; Maglev.commit"); [200, {}, []] }, retries: 1)
p((never.call({}) rescue $!.class), Maglev.needs_commit)
RUBY
prints '["1", "2", "2", "broken", "23"]
3
Maglev::CommitFailedException
false' lode web.rb
prints '[25]' lode -e 'p Maglev[:hits]'
