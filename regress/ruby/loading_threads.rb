# A file is loaded by one thread while the others that want it wait; what an autoload sets is theirs only at its end
# (expected output: CRuby 3.1, WebAssembly has no threads)
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
Dir.mkdir("threads_dir") unless Dir.exist?("threads_dir")
D = File.realpath("threads_dir")
def file(name, text)
  File.write(File.join(D, name), text)
  File.join(D, name)
end
$go, $at = Queue.new, Queue.new

slow = file("slow.rb", "$at << :loading; $go.pop; $done = true")
first = Thread.new { require slow }
p $at.pop
second = Thread.new { [require(slow), $done] }
Thread.pass until second.stop?
p first.alive?, second.alive?, $done
$go << 1
p first.value, second.value

fails = file("fails.rb", "$tries = ($tries || 0) + 1; $at << $tries; $go.pop; raise 'first' if $tries == 1; $ok = true")
first = Thread.new { require fails }
first.report_on_exception = false
p $at.pop
second = Thread.new { [require(fails), $ok] }
Thread.pass until second.stop?
$go << 1
p((first.value rescue $!.message))
p $at.pop
$go << 2
p second.value

module M; end
path = file("klass.rb", <<~RUBY)
  module M
    class Slow
      def one = 1
      $at << Slow.new.one
      $go.pop
      def two = 2
    end
  end
RUBY
M.autoload :Slow, path
first = Thread.new { M::Slow.new.two }
p $at.pop
p M.autoload?(:Slow) == path, M.const_defined?(:Slow), defined?(M::Slow), M.constants
second = Thread.new { M::Slow.new.two }
Thread.pass until second.stop?
p second.alive?
$go << 1
p first.value, second.value, M.autoload?(:Slow)
