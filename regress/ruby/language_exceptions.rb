class MyErr < StandardError
  def initialize(m = "default my"); super; end
end
begin; raise MyErr; rescue MyErr => e; p e.message; end
begin; raise MyErr, "x"; rescue => e; p e.message; end
begin
  begin
    raise "a"
  rescue => e
    raise TypeError, "b"
  end
rescue => e
  p e.message, e.cause.message
end
def m1; yield; ensure; puts "m1 ensure"; end
def m2
  m1 { return 5 }
  6
end
p m2
p [1,2,3].each { |x| m1 { break x } if x == 2 }
def m3
  [1,2].each do |x|
    [3,4].each do |y|
      return [x, y] if y == 4
    end
  end
end
p m3
begin
  m1 { raise "inner" }
rescue => e
  p e.message
end
def e1
  begin
    raise "1"
  rescue
    begin
      raise "2"
    rescue
    end
    p $!.message
  end
  p $!
end
e1
def e2
  return 1
ensure
  begin; raise "x"; rescue; end
end
p e2
def e3
  begin
    return 1
  ensure
    return 2
  end
end
p e3
x = [1,2,3].each_with_index do |v, i|
  next if v == 1
  begin
    break v
  ensure
    p :ens
  end
end
p x
def e4
  yield
rescue ArgumentError, *[TypeError, KeyError] => e
  [:rescued, e.class]
else
  :else
ensure
  p :done
end
p e4 { raise KeyError }, e4 { 1 }, (e4 { raise "z" } rescue $!.message)
class Obj; attr_accessor :err; end
o = Obj.new
begin; raise "q"; rescue => o.err; end
p o.err.message
i = 0
begin
  i += 1
  raise "r" if i < 3
rescue
  retry
end
p i
p((raise "a" rescue "b"))
l = lambda { |x| next x * 2; 5 }
p l.(2)
pr = proc { |x| next x * 3 }
p pr.(2)
def lj; proc { return 1 }; end
begin; lj.call; rescue LocalJumpError => e; p e.message, e.reason; end
p catch(:a) { catch(:b) { throw :a, 1 }; 2 }
begin; throw :zz; rescue UncaughtThrowError => e; p e.message; end
def deep(n) = n.zero? ? raise("deep") : deep(n - 1)
begin; 1 / 0; rescue ZeroDivisionError => e; p e.message; end
begin; [].fetch(3); rescue IndexError => e; p e.message; end
begin; {a: 1}.fetch(:b); rescue KeyError => e; p e.message, e.key; end

begin; 1 + "x"; rescue TypeError => e; p e.message; end
begin; 1 + nil; rescue TypeError => e; p e.message; end
begin; raise Class; rescue TypeError => e; p e.message; end
begin; def zz(a); end; zz; rescue ArgumentError => e; p e.message; end
begin; "a".frozen_thing; rescue NoMethodError => e; p e.message, e.name, e.receiver; end
begin; :a.unknown; rescue => e; p e.message; end
begin; FOO = [1].freeze; FOO << 1; rescue FrozenError => e; p e.message; end
def so(n) = so(n + 1)
begin; so(0); rescue SystemStackError => e; p e.message; end
p [1,2,3,4].each_slice(2).map(&:sum)
e = [1,2,3].each
p e.next, e.next, e.next
begin; e.next; rescue StopIteration; p :stop; end
fib = Enumerator.new { |y| a, b = 0, 1; loop { y << a; a, b = b, a + b } }
p fib.take(10), fib.lazy.select(&:even?).first(4)
z = 0
until z >= 3 do z += 1 end
p z
begin z -= 1 end while z > 0
p z
loop { z += 1; next if z == 1; break if z > 3 }
p z
p (1..Float::INFINITY).lazy.map { |x| x * 2 }.first(2)
redo_n = 0
[1].each { |x| redo_n += 1; redo if redo_n < 3 }
p redo_n
at_exit { puts "bye" }
p eval("z + 1"), binding.local_variable_get(:z)
eval("newvar = 5; p newvar")
p instance_eval { self.to_s }
p 5.instance_of?(Integer)
p __LINE__
p [1, 2, 3].each_cons(2).to_a
p "%05.2f|%-5s|%+d" % [3.14159, "ab", 5]
p "abc" =~ /b/, $~[0], $`, $'
if /(?<yr>\d+)-(?<mo>\d+)/ =~ "2024-05"
  p yr, mo
end
p "foo bar".gsub(/o/) { |m| m.upcase }, "x-y".split("-")
