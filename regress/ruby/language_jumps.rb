# Jumps out of blocks run the ensure clauses around them, and a jump that has nowhere to go is rescued where it stands; private and included constants are not reopened
l = lambda { begin; begin; break 1; ensure; p :e1; end; ensure; p :e2; end }
p l.call
define_method(:dm) { begin; return 5; ensure; p :e3; end }
p dm
def a; [1,2].each { |x| begin; return x; ensure; p :e4; end }; end
p a
p [1,2,3].each { |x| begin; raise "x"; rescue; break $!.message; ensure; p $!; end }
p $!
def b; [1].each { begin; return 1; ensure; return 2; end }; end
p b
def c; [1,2].each { |x| begin; break; ensure; next; end }; end
p c
x = [1,2].each { |x| begin; break x; ensure; x = 99; end }
p x
def d; yield; ensure; p :d; end
p(begin; d { begin; break 7; rescue LocalJumpError; 8; ensure; p :in; end }; end)
def pr(&b) = b
q = pr { begin; break 3; rescue LocalJumpError => e; e.message; ensure; p :ens; end }
p q.call
q = pr { begin; return 3; rescue LocalJumpError => e; e.message; ensure; p :ens; end }
class Object; def mref; M::P; end; end; module M; P = 1; class Q; end; private_constant :P, :Q; class Q; p :ok; end; end
begin; eval "class M::Q; end"; rescue NameError; p $!; end
begin; eval "module M::Q; end"; rescue NameError; p $!; end
X=1
begin; eval "class X; end"; rescue TypeError; puts $!.message; end
class K; Y = 2; begin; class Y; end; rescue TypeError; puts $!.message; end; end
module Inc; class Zed; end; end
include Inc
class Zed; end
p Zed, Zed.equal?(Inc::Zed)
begin; mref; rescue NameError; p $!, $!.receiver; end
