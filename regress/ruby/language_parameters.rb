a = [1]
def a.b=(x); end
p defined?(a[0] = 1), defined?(a.b = 1), defined?(a[0] += 1), defined?(a.b ||= 1), defined?(a[0]), defined?(A=1), defined?(a&.b)
l = -> ((*a, b)) { [a, b] }
p l.([1,2,3]), l.(1)
def m((a, *b), (*c, d)) = [a,b,c,d]
p m(1, 2), m([1,2],[3,4])
def m2(a=1, (b, *c), (d, (*e, f))) = [a,b,c,d,e,f]
p m2([1,2],[3,[4,5]])
class X; def respond_to?(*a); p a; false; end; end
p(case X.new; in [] then 1; else 2; end)
case {a: 5}
in {a: ^(4+1)} then p :ok
end
a = {}
case {result: 0, b: 2}
in {result: ^(a.size)} then p :ok2
end
def e
  begin
    raise "a"
  ensure
    begin
    raise "b"
    rescue => x
      p x.cause
    end
  end
rescue => z
  p z.message
end
e
p proc { _1 }.parameters, proc { it }.parameters, proc { [_1,_2] }.arity, lambda { _1 }.parameters, lambda { it }.parameters

p [[1, [2, 3]]].each { |a, (b, *)| p [a,b] }
# Blocks: when a lone Array argument is spread.
def y1 = yield([1, 2])
p(y1 { |a=5| a }, y1 { |a=5, b=6| [a, b] }, y1 { |a=5, *r| [a, r] }, y1 { |*r| r }, y1 { |a, *r| [a, r] })
p(y1 { |a,| a }, y1 { |a, k: 1| a }, y1 { |a, b, k: 1| [a, b] }, y1 { |a, **k| a }, y1 { |*r, k: 1| r })
p(y1 { |a=5, k: 1| a }, y1 { |a, &b| a }, y1 { |a=5, b| [a, b] }, y1 { |*r, b| [r, b] }, y1 { |a=5, *r, k: 1| [a, r] })
p(y1 { _1 }, y1 { [_1, _2] }, y1 { it }, y1 { |a=5, &b| a }, y1 { |*, b| b }, y1 { |a, b=3, k:1| [a, b] })
p(y1 { |a, *r, k: 1| [a, r] }, y1 { |(a, b)| [a, b] })
