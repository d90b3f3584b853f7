def t; yield; rescue NoMatchingPatternError => e; p e.class, e.message; end
t{1 => String}
t{ {a: 1} => {b:} }
t{ {a: 1} => {a: String} }
t{ [1,2] => [a] }
t{ [1,2] => [a,b,c,*] }
t{ case 5; in String; end }
t{ case 5; in String; in Symbol; end }
t{ case [1,2]; in [a,b] if a>b; end }
t{ case {a: 1}; in {a: 1, **nil} unless true; end }
t{ {a: 1,b: 2} => {a: 1, **nil} }
t{ 5 => nil | "x" }
t{ [1,2,3] => [*, 9, *] }
t{ 5 => [] }
t{ 5 => {a: } }
t{ x=4; 5 => ^x }
t{ {a: 1} => {} }
t{ {a: {b: 1}} => {a: {c: 1}} }
config = {db: {user: "admin", pass: "abc", ports: [1,2,3]}}
case config
in {db: {user:, ports: [first, *rest]}}
  p user, first, rest
end
case [1, [2, 3, 4]]
in [Integer => a, [b, *c]] if a < b
  p a,b,c
end
case {name: "x", age: 3, z: 1}
in {name: String => n, **r}
  p n, r
end
r = case 7
    in 0..5 then :low
    in 6.. then :high
    end
p r
p((5 in Integer | Float))
p(("s" in Integer))
case [1,2,3,42,5]
in [*pre, 40..50 => x, *post]
  p pre, x, post
end
class Pt
  attr_reader :x, :y
  def initialize(x, y) = (@x, @y = x, y)
  def deconstruct = [x, y]
  def deconstruct_keys(k) = {x: x, y: y}
end
case Pt.new(1, 2)
in Pt(x:, y:) then p [x, y]
end
case Pt.new(1, 2)
in Pt[a, b] then p [a, b]
end
in_h = {status: "ok", items: []}
case in_h
in {status: "ok", items: []} then p :empty
end
val = 5
case 5
in ^val then p :pinned
end
case 6
in ^(val + 1) then p :pinexpr
end
case {k: nil}
in {k: nil} then p :nilv
end
arr = [1, "a", :b, nil, true]
case arr
in [Integer, String, Symbol, nil, true] then p :types
end
x = [1, [2, [3, 4]]]
x => [a, [b, [*, c]]]
p a, b, c
case {a: 1}
in {} then p :no
in {a: 1 | 2 => q} then p q
end
case []
in [] then p :e
end
def m(v)
  case v
  in [] then "empty"
  in [x] then "one #{x}"
  in [x, y] then "two #{x} #{y}"
  in [x, *] then "many #{x}"
  in String | Symbol => s then "str #{s}"
  in {type: :circle, r:} then "circle #{r}"
  in nil then "nil"
  else "other"
  end
end
[[], [1], [1,2], [1,2,3], "s", :t, {type: :circle, r: 2}, nil, 3.5].each { |v| puts m(v) }
