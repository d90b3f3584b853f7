module M
  refine String do
    def shout = upcase + "!"
    def to_s = "refined"
    def length = super + 100
  end
  refine Integer do
    def +(o) = "plus"
    def double = self * 2
  end
end
begin; "a".shout; rescue NoMethodError => e; puts e.message; end
p 1 + 1
using M
p "a".shout, "abc".length, 1 + 1, 4.double
p ["a"].map { |x| x.shout }
p "x".send(:shout)
p M.refinements, M.refinements[0].target
p Module.used_modules
class Foo; def t = "z".shout; end
p Foo.new.t
p "q".respond_to?(:shout)
