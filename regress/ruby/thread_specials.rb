# $~ and $_ belong to a method's frame; blocks that a thread or a fiber begins with have their own, as has $? each thread
# (expected output: CRuby 3.1, WebAssembly has no threads)
"abc" =~ /b/
$_ = "outer"
p Thread.new { [$~, $_, "xyz" =~ /y/, $~[0], [1].map { $~ && $~[0] }] }.value
p $~[0], $_
f = Fiber.new { a = $~; "fib" =~ /i/; Fiber.yield [a, $~[0]]; $~[0] }
p f.resume, $~[0], f.resume, $~[0]
def in_method
  "method" =~ /eth/
  Thread.new { $~ }.join
  [1].each { "block" =~ /lo/ }
  $~[0]
end
p in_method, $~[0]
p Thread.new { in_method }.value, $~[0]
e = Enumerator.new { |y| y << $~; "enum" =~ /nu/; y << $~[0] }
p e.next, e.next, $~[0]
"abc".scan(/c/) { Thread.new { "q" =~ /q/ }.join; p $~[0] }
system("exit 3")
p $?.exitstatus
Thread.new { p $?; system("exit 4"); p $?.exitstatus }.join
p $?.exitstatus
