# require, load and autoload: what is loaded once, what a failure leaves, wrapped loads, TOPLEVEL_BINDING
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
Dir.mkdir("load_dir") unless Dir.exist?("load_dir")
D = File.realpath("load_dir")
def file(name, text)
  File.write(File.join(D, name), text)
  File.join(D, name)
end
def e
  p yield
rescue Exception => x
  puts "#{x.class}: #{x.message.sub(%r{/\S*/}, "")}"
end
def features = $LOADED_FEATURES.select { |f| f.start_with?(D) }.map { |f| f.delete_prefix(D + "/") }

# ---- once, by whichever name ----
$count = 0
one = file("one.rb", "$count += 1")
p require(one), require(one), require(one.delete_suffix(".rb")), require("#{D}/../load_dir//one"), $count, features
$LOAD_PATH.unshift(D)
p require("one"), require("one.rb"), $LOAD_PATH.resolve_feature_path("one") == [:rb, one]
$LOADED_FEATURES.delete(one)
p require("one"), $count
p load("one.rb"), load(one), $count
p features
$LOADED_FEATURES << "invented"
e { require "invented" }
e { require "absent" }
e { require_relative "absent" }
e { eval %q(require_relative "absent") }
begin
  require "absent/file"
rescue LoadError => x
  p x.path
end

# ---- a failure leaves nothing ----
bad = file("bad.rb", "$count += 10; raise 'no'")
e { require bad }
e { require bad }
p $count, features.include?("bad.rb")
file("wrong.rb", "def (")
e { begin; require "wrong"; rescue SyntaxError; p :syntax; end }
circle = file("circle.rb", "p [:in, require(#{File.join(D, "circle.rb").inspect})]")
p require(circle)

# ---- load in a module ----
file("wrapped.rb", <<~RUBY)
  INSIDE = 1
  class Inner; end
  def inner = [self.to_s, INSIDE, Inner.name.sub(/0x\\h+/, "XX")]
  p inner
  include Comparable
  $outcome = [Module.nesting.size, singleton_class.include?(Comparable), method(:inner).owner.equal?(Module.nesting[0])]
RUBY
load("wrapped.rb", true)
p $outcome, defined?(INSIDE), defined?(Inner), Object.include?(Comparable), respond_to?(:inner, true)
module Home; end
load("wrapped.rb", Home)
p Home::INSIDE, Home::Inner, Home.private_instance_methods(false), Home.include?(Comparable)

# ---- autoload ----
module A; end
A.autoload :Good, file("good.rb", <<~RUBY)
  p [defined?(A::Good), A.const_defined?(:Good), A.autoload?(:Good), A.constants]
  module A
    class Good; X = Good.name; end
    p [defined?(A::Good), A.const_defined?(:Good), A.autoload?(:Good), Good::X]
    Aside = 5
    private_constant :Aside
  end
RUBY
A.autoload :Aside, File.join(D, "good.rb")
p A.autoload?(:Good) == File.join(D, "good.rb"), A.constants, A.const_defined?(:Good), defined?(A::Good)
p A::Good, A.autoload?(:Good), A.constants, A.const_source_location(:Good)[1]
e { A::Aside }
A.autoload :Lost, file("lost.rb", "$count += 100")
e { A::Lost }
e { A::Lost }
p $count, A.constants, A.const_defined?(:Lost)
A.autoload :Fails, file("fails.rb", "module A; Fails = 1; end; raise IOError, 'x'")
e { A::Fails }
p A.autoload?(:Fails) ? :again : :gone
e { A::Fails }
A.autoload :Direct, file("direct.rb", "p [defined?(A::Direct), A.autoload?(:Direct)]; A::Direct = 2")
p require(File.join(D, "direct.rb")), A::Direct, A.autoload?(:Direct)
A.autoload :One, one
p A.autoload?(:One), A.const_defined?(:One)
e { A::One }

# ---- the script's locals ----
p TOPLEVEL_BINDING.local_variable_get(:circle) == circle, TOPLEVEL_BINDING.local_variable_defined?(:later)
later = 1
p TOPLEVEL_BINDING.local_variable_get(:later), TOPLEVEL_BINDING.local_variables.include?(:bad)
TOPLEVEL_BINDING.local_variable_set(:later, 7)
TOPLEVEL_BINDING.local_variable_set(:of_binding, 8)
p later, TOPLEVEL_BINDING.eval("later + of_binding"), binding.local_variable_defined?(:of_binding)
def inside = TOPLEVEL_BINDING.local_variable_get(:later)
later += 1
p inside
