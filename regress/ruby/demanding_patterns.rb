# pattern matching at length: JSON-ish parser + query + type checker
class JSONP
  def self.parse(s) = new(s).value!
  def initialize(s) = (@s, @i = s, 0)
  def err(m) = raise(ArgumentError, "#{m} at #{@i}: #{@s[@i, 8].inspect}")
  def ws = (@i += 1 while @i < @s.size && " \n\t\r".include?(@s[@i]))
  def value! = value.tap { ws; err("trailing") if @i < @s.size }
  def value
    ws
    case @s[@i]
    when "{" then obj
    when "[" then arr
    when '"' then str
    when "-", "0".."9" then num
    when "t", "f", "n"
      if (m = /\G(?:true|false|null)\b/.match(@s, @i)) then @i = m.end(0); { "true" => true, "false" => false, "null" => nil }[m[0]] else err("bad word") end
    when nil then err("eof")
    else err("unexpected")
    end
  end
  def num
    m = /\G-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/.match(@s, @i) or err("bad number")
    @i = m.end(0)
    m[1] || m[2] ? m[0].to_f : m[0].to_i
  end
  ESC = { "n" => "\n", "t" => "\t", "r" => "\r", "b" => "\b", "f" => "\f", "/" => "/", "\\" => "\\", '"' => '"' }
  def str
    @i += 1
    out = +""
    until @s[@i] == '"'
      c = @s[@i] or err("unterminated")
      if c == "\\"
        @i += 1
        if @s[@i] == "u"
          cp = @s[@i + 1, 4].hex
          @i += 4
          if (0xD800..0xDBFF) === cp && @s[@i + 1, 2] == "\\u"
            cp = 0x10000 + ((cp - 0xD800) << 10) + (@s[@i + 3, 4].hex - 0xDC00)
            @i += 6
          end
          out << [cp].pack("U")
        else
          out << (ESC[@s[@i]] || err("bad escape"))
        end
      else out << c
      end
      @i += 1
    end
    @i += 1
    out
  end
  def arr
    @i += 1
    out = []
    ws
    (@i += 1; return out) if @s[@i] == "]"
    loop do
      out << value
      ws
      case @s[@i]
      when "," then @i += 1
      when "]" then @i += 1; return out
      else err("want , or ]")
      end
    end
  end
  def obj
    @i += 1
    out = {}
    ws
    (@i += 1; return out) if @s[@i] == "}"
    loop do
      ws
      err("want key") unless @s[@i] == '"'
      k = str.to_sym
      ws
      @s[@i] == ":" or err("want :")
      @i += 1
      out[k] = value
      ws
      case @s[@i]
      when "," then @i += 1
      when "}" then @i += 1; break out
      else err("want , or }")
      end
    end
  end
end
doc = JSONP.parse(<<~'J')
  {"users": [{"name": "Ann", "age": 31, "roles": ["admin", "dev"], "addr": {"city": "Köln", "zip": "50667"}},
             {"name": "Bob", "age": 17.5, "roles": [], "addr": null},
             {"name": "Eve \u00e9\ud83c\udf89\n", "roles": ["guest"], "extra": {"deep": [[1, [2, {"x": -3e2}]]]}}],
   "total": 3, "ok": true}
J
p doc
doc => {users: [{name: first}, *, {extra: {deep: [[1, [2, {x:}]]]}}], total: Integer => n}
p first, x, n
doc[:users].each do |u|
  r = case u
      in {roles: [*, "admin", *], addr: {city: /ö/ => city}} then "admin in #{city}"
      in {age: ..18 => a, addr: nil} then "minor #{a}"
      in {name: String => nm, roles: ["guest" | "anon" => role], **rest} if rest.any? then "#{role} #{nm.dump} #{rest.keys}"
      end
  puts r
end
["", "{", "[1,]", '{"a" 1}', "[1 2]", "tru", '"abc', "01", "-", '{"a":1,}', '["\q"]', "[1] x"].each { |s| begin p JSONP.parse(s) rescue puts $!.message end }
def simp(e)
  case e
  in Integer | Float | Symbol then e
  in [:+, 0, y] then simp(y)
  in [:+, y, 0] then simp(y)
  in [:*, 0, _] | [:*, _, 0] then 0
  in [:*, 1, y] then simp(y)
  in [:*, y, 1] then simp(y)
  in [:+ | :* | :- => op, Numeric => a, Numeric => b] then a.send(op, b)
  in [:-, a, ^a] then 0
  in [:^, b, 0] then 1
  in [:^, b, 1] then simp(b)
  in [op, *args]
    s = args.map { simp _1 }
    s == args ? [op, *s] : simp([op, *s])
  end
end
def deriv(e, v)
  case e
  in ^v then 1
  in Numeric | Symbol then 0
  in [:+ | :- => op, a, b] then [op, deriv(a, v), deriv(b, v)]
  in [:*, a, b] then [:+, [:*, deriv(a, v), b], [:*, a, deriv(b, v)]]
  in [:^, a, Integer => n] then [:*, [:*, n, [:^, a, n - 1]], deriv(a, v)]
  in [:sin, a] then [:*, [:cos, a], deriv(a, v)]
  end
end
def show(e, prec = 0)
  case e
  in [:+ | :- => op, a, b] then s = "#{show a, 1} #{op} #{show b, 2}"; prec > 1 ? "(#{s})" : s
  in [:*, a, b] then s = "#{show a, 3}*#{show b, 3}"; prec > 3 ? "(#{s})" : s
  in [:^, a, b] then "#{show a, 5}^#{show b, 5}"
  in [Symbol => f, a] then "#{f}(#{show a})"
  in x then x.to_s
  end
end
[[:+, [:*, 3, [:^, :x, 2]], [:*, 2, :x]], [:sin, [:*, 2, :x]], [:*, [:+, :x, 1], [:-, :x, 1]], [:^, [:sin, :x], 3]].each { |e| puts "#{show e} -> #{show simp(deriv(e, :x))}" }
class Pt
  attr_reader :x, :y
  def initialize(x, y) = (@x, @y = x, y)
  def deconstruct = (puts "deconstruct"; [x, y])
  def deconstruct_keys(k) = (puts "keys #{k.inspect}"; {x:, y:})
end
r = case Pt.new(1, 2)
    in [0, _] then :a
    in [_, 0] then :b
    in {x: 0} then :c
    in Pt(x:, y: 3) then :d
    in Pt[a, b] unless a == b then [a, b]
    end
p r
case {a: 1}
in {a: 1, **nil} then p :exact
end
case [1, [2, [3, 4]]]
in [Integer => a, [b, [*, c]]]
  p [a, b, c]
end
[1, 2, 3, 42, 5] => [*pre, 40..50 => f, *post]
p pre, f, post, (1 in String), ({a: nil} in {a: nil}), ([] in []), ({} in {}), ({a: 1} in {}), (5 in (..3) | (5..))
begin
  case [1, {a: 2}]
  in [1, {a: String}] then 1
  end
rescue NoMatchingPatternError => e
  p e.class, e.message
end
begin
  {a: 1} => {b:}
rescue NoMatchingPatternKeyError => e
  p e.message, e.key, e.matchee
end
begin; {a: 1, b: 2} => {a: 1, **nil}; rescue => e; p e.class, e.message; end
begin; 5 => String | Symbol; rescue => e; p e.message; end
begin; [1,2] => [a]; rescue => e; p e.message; end
begin; {a: 5} => {a: 6}; rescue => e; p e.class, e.message; end
begin; 5 => 6 => z; rescue => e; p e.message; end
val = 5
@iv = 3
p((7 in ^(val + 2)), ({n: 5} in {n: ^val}), (3 in ^@iv))
{status: "ok", data: {items: [{id: 1}, {id: 2}]}} => {data: {items: [*, {id: 2} => found, *]}}
p found
