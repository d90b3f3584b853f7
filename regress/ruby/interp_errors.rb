def foo(x) = x
class Bar; end
begin
  begin
    raise "a"
  rescue
    raise TypeError, "b"
  end
rescue => e
  p e.cause, e.cause.cause
end
begin
  Integer("zz")
rescue => e
end
def kw(a:, b: 1) = [a, b]
[-> { kw }, -> { kw(b: 1) }, -> { kw(a: 1, c: 2) }, -> { kw(1) }, -> { kw(1, a: 2)}].each do |l|
  l.call
rescue ArgumentError => e
  puts e.message
end
def m2(a, b=1) = 1
begin; m2; rescue ArgumentError => e; puts e.message; end
begin; m2(1,2,3); rescue ArgumentError => e; puts e.message; end
class PP; private def pv; end; protected def pt; end; end
begin; PP.new.pv; rescue => e; puts e.message; p e.class, e.name, e.receiver.class; end
begin; PP.new.pt; rescue => e; puts e.message; end
begin; PP.nope; rescue => e; puts e.message; end
begin; Kernel.nope; rescue => e; puts e.message; end
begin; Nope; rescue NameError => e; puts e.message; p e.name; end
begin; PP::Nope; rescue NameError => e; puts e.message; end
begin; nil + 1; rescue => e; puts e.message; end
begin; 1 + nil; rescue => e; puts e.message; end
begin; "a" + 1; rescue => e; puts e.message; end
begin; [1] + 1; rescue => e; puts e.message; end
begin; def yy; yield; end; yy; rescue LocalJumpError => e; puts e.message; p e.reason; end
begin; throw :zz; rescue UncaughtThrowError => e; puts e.message; p e.tag; end
begin; raise "x", cause: nil; rescue => e; p e.cause; end
begin; raise Class; rescue => e; p e; end
begin; raise IOError; rescue => e; p e, e.message; end
p((begin; Integer; rescue; 1; else; 2; ensure; 3; end))
def ens; return 1; ensure; puts "in ens"; end
p ens
def ens2; [1,2].each { |x| begin; return x; ensure; puts "e #{x}"; end }; end
p ens2
x = [1,2,3].each_with_index.map { |a, i| next 0 if i == 1; a * i }
p x
def retry_it; n = 0; begin; n += 1; raise "r" if n < 3; n; rescue; retry; end; end
p retry_it
p $!
begin; raise "q"; rescue; p $!, $@.class; end
p $!
pr = Proc.new { return 1 }
def callit(pr) pr.call end
begin; proc { break 3 }.call; rescue LocalJumpError => e; puts e.message; end
def mkp; proc { return 5 }; end
begin; mkp.call; rescue LocalJumpError => e; puts e.message; end
p __method__.inspect
def mm = __method__
p mm
def kl(&b) = b
p kl { 1 }.call, kl
p [[1, [2, 3]]].map { |a, (b, c)| a + b + c }
p method(:puts).owner, method(:mm).arity
p 5.then { _1 + 1 }
o = Object.new
def o.method_missing(n, *a) = n == :zork ? [n, a] : super
def o.respond_to_missing?(n, p = false) = n == :zork
p o.zork(1), o.respond_to?(:zork), o.method(:zork).call(2)
begin; o.blah; rescue NoMethodError => e; puts e.message.sub(/0x\h+/, "XX") rescue puts "sub"; end
puts [1, 2].frozen?, :a.to_proc.call("x") rescue p $!
p ObjectSpace.respond_to?(:each_object)
p defined?(foo), defined?(String), defined?(@a), defined?(zzz), defined?(yield), defined?(super), defined?(x = 1), defined?(puts)
