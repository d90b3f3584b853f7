# return in eval, literals and freezing, flip-flops by frame, refinements and when they begin, chilled literals.
def a; eval("return 5"); 6; end
p a
def b; [1].each { eval("return 7") }; 8; end
p b
l = lambda { eval("return 9"); 10 }
p l.call
p "x".frozen?, "lit".freeze.equal?("lit".freeze)
def ff(n); r=[]; (1..6).each{|i| r << i if (i==n)..(i==n+1) }; r; end
p ff(2), ff(5), ff(2)
def gg(x); (x..!x) ? 1 : 0 ; end
p gg(true), gg(false)
def h1(x) = (x == 1)...(x == 3) ? :in : :out
p h1(1), h1(2)
module R; refine Integer do; def dbl = self * 2; def to_s = "R"; end; end
p((1.dbl rescue :none))
def before; 1.dbl; end
using R
p 1.dbl, [1,2].map(&:dbl)
p((before rescue :none))
p 1.then { |x| "#{x}" }
Warning[:deprecated] = true
$stderr = $stdout
s = "abc"; s << "d"; p s
