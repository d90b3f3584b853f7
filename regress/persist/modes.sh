# What persistent and transient mode decide: mixins, removal, autoload, features, refinements, flags of classes; seen by
# sessions that start later and by live ones, and undone by abort.
. "$LODE_TOP/regress/lib.sh"
cat >later.rb <<'RUBY'
Maglev.persistent { class Later; def number = 26; end }
RUBY
cat >feature.rb <<'RUBY'
$runs = $runs.to_i + 1
class Feature; def x = 1; end
RUBY
cat >define.rb <<'RUBY'
Maglev.persistent do
  module Mixin; def mixed = :mixed; end
  module Space
    LIMIT = 1
    class Thing
      def small = 1
      def self.make = new
    end
    module Tuned; refine(Integer) { def tuned = self + 1 }; end
  end
  Object.autoload(:Later, File.expand_path("later.rb"))
  require "./feature"
end
Maglev.commit
RUBY
prints '' lode define.rb
session_open a
session_open b
# autoload fires where the constant is first used; a required file counts as loaded everywhere
said '=> 26' a 'Later.new.number'
said '=> [false, nil, 1]' a '[require("./feature"), $runs, Feature.new.x]'
said '=> 6' a 'eval("using Space::Tuned; 5.tuned")'
# removal of what is persistent needs persistent mode
said '!! TypeError: LIMIT of Space is persistent: remove it in Maglev.persistent { }' a 'Space.send(:remove_const, :LIMIT)'
said '!! TypeError: small of Space::Thing is persistent: remove it in Maglev.persistent { }' a 'Space::Thing.send(:remove_method, :small)'
said '=> 2' a 'Space.const_set(:LIMIT, 2); Space::LIMIT'
said '=> [2, 1]' a '[Space.send(:remove_const, :LIMIT), Space::LIMIT]'
# mixins and methods in transient mode are the session's own and conflict with no one
for s in a b; do
    said '=> [:mixed, :mixed, :own, 0]' $s 'class Space::Thing; include Mixin; extend Mixin; def own = :own; include Comparable; def <=>(o) = 0; end; t = Space::Thing.new; [t.mixed, Space::Thing.mixed, t.own, t <=> t]'
done
said '=> true' a 'Maglev[:a] = Space::Thing.new; Maglev.commit'
said '=> true' b 'Maglev[:b] = Space::Thing.new; Maglev.abort; Maglev[:b] = 1; Maglev.commit'
prints '[false, false, false]' lode -e 'p [Space::Thing.include?(Mixin), Space::Thing.respond_to?(:mixed), Space::Thing.method_defined?(:own)]'
# in persistent mode they are everyone's, in live sessions from their next boundary, boot classes included
said '=> true' a 'Maglev.persistent { class Space::Thing; include Enumerable; end; String.include(Mixin); Integer.extend(Mixin); module Front; def sum = super + 1000; end; Array.prepend(Front) }; Maglev.commit'
said '=> [false, 0]' b '[Space::Thing.include?(Enumerable), [].sum]'
said '=> true' b 'Maglev.commit'
said '=> [true, true, :mixed, :mixed, 1000]' b '[Space::Thing.include?(Enumerable), Space::Thing.include?(Mixin), "".mixed, Integer.mixed, [].sum]'
prints '[true, false, :mixed, :mixed, 1001]' lode -e 'p [Space::Thing.include?(Enumerable), Space::Thing.include?(Mixin), "".mixed, Integer.mixed, [1].sum]'
# variables of the boot's classes themselves: in persistent mode everyone's, else the session's own; removal as for constants
said '=> [1, {a: 1}, [:@kept]]' a 'Maglev.persistent { class String; @kept = 1; end; Comparable.instance_variable_set(:@table, {a: 1}) }; Maglev.commit; class String; @own = $stdout; end; class Integer; @own = 1; end; Maglev[:n] = 1; Maglev.commit; [String.instance_variable_get(:@kept), Comparable.instance_variable_get(:@table), String.instance_variables - [:@own]]'
said '=> [1, nil, 2]' b 'Maglev.commit; class String; @mine = 2; class << self; attr_reader :kept, :own, :mine; end; end; [String.kept, String.own, String.mine]'
said '=> [3, false]' b 'class String; @kept = 3; end; [String.kept, Maglev.needs_commit]'
said '=> 1' a 'Maglev.persistent { class String; @kept = 4; end }; Maglev.abort; String.instance_variable_get(:@kept)'
said '=> [{b: 2}, 5]' a 'Maglev.persistent { Comparable.instance_variable_set(:@table, {b: 2}); class Integer; @fresh = 5; end }; Maglev.commit; [Comparable.instance_variable_get(:@table), Integer.instance_variable_get(:@fresh)]'
said '=> [{b: 2}, [:@fresh, :@own], nil]' b 'Maglev.commit; Integer.instance_variable_set(:@own, 6); [Comparable.instance_variable_get(:@table), Integer.instance_variables.sort, Float.instance_variables[0]]'
said '!! TypeError: @fresh of Integer is persistent: remove it in Maglev.persistent { }' b 'Integer.remove_instance_variable(:@fresh)'
said '=> 5' b 'Maglev.persistent { Integer.remove_instance_variable(:@fresh) }.tap { Maglev.commit }'
prints '[{b: 2}, [:@own], [:@kept], 1]' lode -e 'p [Comparable.instance_variable_get(:@table), (class Integer; @own = 1; end; Integer.instance_variables), String.instance_variables, String.instance_variable_get(:@kept)]'
# two sessions that give one class its first variables do not conflict, but in the same one
said '=> true' a 'Maglev.commit; Maglev.persistent { class Float; @a = 1; end }; Maglev.commit'
said '=> [true, 2, 1]' b 'Maglev.persistent { class Float; @b = 2; end }; [Maglev.commit, Float.instance_variable_get(:@b), Float.instance_variable_get(:@a)]'
# names undefined and removed in persistent mode are so for all
said '=> [false, :kept, false]' a 'Maglev.persistent { class Lost; def one = 1; def two = 2; ONE = 1; @@v = 1; def self.see = :kept; end }; Maglev.commit; Maglev.persistent { class Lost; undef_method :one; remove_method :two; remove_const :ONE; remove_class_variable :@@v; end }; Maglev.commit; [Lost.method_defined?(:two), Lost.see, Lost.class_variable_defined?(:@@v)]'
said '=> [false, false, [], NoMethodError, []]' b 'Maglev.commit; [Lost.method_defined?(:one), Lost.method_defined?(:two), Lost.constants, (Lost.new.one rescue $!.class), Lost.class_variables]'
# a module that gains a module later gives it to the classes that have it already
said '=> true' a 'Maglev.persistent { module Inner; def inner = :inner; end; module Outer; end; class User; include Outer; end }; Maglev.commit'
said '=> true' a 'Maglev.persistent { module Outer; include Inner; end }; Maglev.commit'
prints 'inner' lode -e 'puts User.new.inner'
# also when the session that says so has never seen those classes; live sessions follow at their boundary
said '=> false' b 'Maglev.commit; User.method_defined?(:further)'
prints '' lode -e 'Maglev.persistent { module Further; def further = :further; end; module Ahead; def inner = [:ahead, super]; end; module Outer; include Further; prepend Ahead; end }; Maglev.commit'
said '=> [:further, [:ahead, :inner], [User, Ahead, Outer, Further, Inner]]' b 'Maglev.commit; u = User.new; [u.further, u.inner, User.ancestors.first(5)]'
prints '[:further, [:ahead, :inner], [User, Ahead, Outer, Further, Inner]]' lode -e 'u = User.new; p [u.further, u.inner, User.ancestors.first(5)]'
said '=> [true, false]' b 'Maglev.persistent { module Outer; include Enumerable; end }; x = User.include?(Enumerable); Maglev.abort; [x, User.include?(Enumerable)]'
# abort undoes them
said '=> [true, :mixed]' a 'Maglev.persistent { class Space::Thing; include Kernel; prepend Front; end; Hash.include(Mixin) }; [Space::Thing.include?(Front), {}.mixed]'
session a 'Maglev.abort' >/dev/null
said '=> [false, false, true, 1000]' a '[Space::Thing.include?(Front), {}.respond_to?(:mixed), Space::Thing.include?(Enumerable), [].sum]'
said '=> false' a 'Space::Thing.maglev_instances_persistable = false; begin; Maglev[:c] = Space::Thing.new; Maglev.commit; rescue TransactionError; Maglev.abort; end; Maglev[:c].is_a?(Space::Thing)'
said '=> true' a 'Space::Thing.maglev_instances_persistable?'
# maglev_persistable(true) takes methods, constants and mixins along, as a block chooses; without it only the name
prints '' lode -e '
class Whole; include Comparable; include Mixin; ONE = 1; @@two = 2; def three = 3; def self.four = 4; end
Whole.maglev_persistable(true) { |m| m == Mixin }
class Bare; def three = 3; end
Bare.maglev_persistable
Maglev[:whole] = [Whole.new, Bare.new]
Maglev.commit'
prints '[[Whole, Mixin, Object], 1, [:@@two], 3, 4, false]' lode -e 'w = Whole
p [w.ancestors.first(3), w::ONE, w.class_variables, Maglev[:whole][0].three, w.four, Bare.method_defined?(:three)]'
# references to instances of a class marked so are stored as nil
prints "" lode -e "class Gone; end; Gone.maglev_nil_references; Maglev[:gone] = [Gone.new, 1]; Maglev.commit"
prints "[nil, 1]" lode -e "p Maglev[:gone]"
# features are forgotten for sessions to come
said '=> true' a 'Maglev.clear_persistent_LOADED_FEATURES; Maglev.commit'
prints 'true' lode -e 'p require("./feature")'
session_close a
session_close b
