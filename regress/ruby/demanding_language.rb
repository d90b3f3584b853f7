# stateful parser + VM with Forwardable-like delegation; ObjectSpace; heredocs; gsub hash; string scanner by hand; ensure generators
class Tokens
  Token = Struct.new(:type, :text, :line, :col) do
    def to_s = "#{type}(#{text})"
    def is?(*t) = t.include?(type) || t.include?(text)
  end
  KW = %w[let fn if else while return true false nil print].to_h { [_1, _1.to_sym] }.freeze
  RULES = { ws: /[ \t\r]+/, nl: /\n/, com: /#.*/, num: /\d+(?:\.\d+)?/, str: /"((?:[^"\\]|\\.)*)"/, id: /[[:alpha:]_]\w*[?!]?/, op: %r{==|!=|<=|>=|&&|\|\||=>|[-+*/%<>=!(){}\[\],;.:]} }.freeze
  include Enumerable
  def initialize(src) = @src = src
  def each
    return to_enum(:each) unless block_given?
    pos, line, bol = 0, 1, 0
    until pos == @src.length
      type, re = RULES.find { |_, r| @src.match?(/\G#{r}/, pos) } || raise(SyntaxError, "line #{line}: stray #{@src[pos].inspect}")
      m = @src.match(/\G#{re}/, pos)
      text = m[0]
      case type
      when :nl then line += 1; bol = pos + 1
      when :id then yield Token.new(KW.fetch(text, :id), text, line, pos - bol + 1)
      when :num, :str, :op then yield Token.new(type, type == :str ? m[1].gsub(/\\(.)/) { { "n" => "\n", "t" => "\t" }.fetch($1, $1) } : text, line, pos - bol + 1)
      end
      pos = m.end(0)
    end
    yield Token.new(:eof, "", line, pos - bol + 1)
  end
end
class Parser
  BIN = [%w[||], %w[&&], %w[== !=], %w[< > <= >=], %w[+ -], %w[* / %]].freeze
  def initialize(src) = (@t, @i = Tokens.new(src).to_a, 0)
  def peek = @t[@i]
  def take = @t[@i].tap { @i += 1 }
  def accept(*x) = (take if peek.is?(*x) && !peek.is?(:str))
  def expect(x) = accept(x) || raise(SyntaxError, "#{peek.line}:#{peek.col}: expected #{x}, got #{peek}")
  def program = [].tap { |s| s << stmt until peek.is?(:eof) }
  def block = (expect("{"); b = []; b << stmt until accept("}"); b)
  def stmt
    case peek.type
    when :let then take; n = expect(:id).text; expect("="); [:let, n, expr].tap { accept(";") }
    when :if then take; c = expr; a = block; e = accept(:else) ? (peek.is?(:if) ? [stmt] : block) : []; [:if, c, a, e]
    when :while then take; [:while, expr, block]
    when :return then take; [:return, peek.is?("}", ";") ? [:lit, nil] : expr].tap { accept(";") }
    when :print then take; [:print, *list_until_semi]
    else e = expr
         e = accept("=") ? [:set, e, expr] : [:expr, e]
         accept(";")
         e
    end
  end
  def list_until_semi = [expr].tap { |l| l << expr while accept(",") }.tap { accept(";") }
  def expr(lv = 0)
    return unary if lv == BIN.size
    l = expr(lv + 1)
    while (op = accept(*BIN[lv]))
      l = [:bin, op.text, l, expr(lv + 1)]
    end
    l
  end
  def unary = (op = accept("-", "!")) ? [:un, op.text, unary] : postfix
  def postfix
    e = atom
    loop do
      if accept("(") then e = [:call, e, args(")")]
      elsif accept("[") then e = [:idx, e, expr.tap { expect("]") }]
      elsif accept(".") then e = [:idx, e, [:lit, expect(:id).text]]
      else break e end
    end
  end
  def args(close) = accept(close) ? [] : [expr].tap { |a| a << expr while accept(",") }.tap { expect(close) }
  def atom
    t = take
    case t.type
    when :num then [:lit, t.text.include?(".") ? t.text.to_f : t.text.to_i]
    when :str then [:lit, t.text]
    when :true, :false, :nil then [:lit, { true: true, false: false, nil: nil }[t.type]]
    when :id then [:var, t.text]
    when :fn then expect("("); ps = accept(")") ? [] : [expect(:id).text].tap { |a| a << expect(:id).text while accept(",") }.tap { expect(")") }; [:fn, ps, block]
    when :op
      case t.text
      when "(" then expr.tap { expect(")") }
      when "[" then [:arr, args("]")]
      when "{"
        prs = []
        until accept("}")
          k = take.text; expect(":"); prs << [k, expr]; accept(",")
        end
        [:hash, prs]
      else raise SyntaxError, "#{t.line}:#{t.col}: unexpected #{t}"
      end
    else raise SyntaxError, "#{t.line}:#{t.col}: unexpected #{t}"
    end
  end
end
class Interp
  Ret = Class.new(StandardError) { attr_reader :v; def initialize(v) = (super("return outside fn"); @v = v) }
  Scope = Class.new do
    def initialize(up = nil, vars = {}) = (@up, @vars = up, vars)
    def get(n) = @vars.fetch(n) { @up ? @up.get(n) : raise(NameError, "no #{n}") }
    def let(n, v) = @vars[n] = v
    def set(n, v) = @vars.key?(n) ? @vars[n] = v : @up ? @up.set(n, v) : raise(NameError, "no #{n}")
  end
  def initialize(out = $stdout)
    @out = out
    @g = Scope.new(nil, { "len" => :size.to_proc, "push" => ->(a, x) { a << x }, "map" => ->(a, f) { a.map { |x| f.(x) } }, "str" => :to_s.to_proc, "keys" => :keys.to_proc, "range" => ->(a, b) { [*a...b] } })
  end
  def run(src) = exec(Parser.new(src).program, @g)
  def exec(ss, sc) = ss.inject(nil) { |_, s| stmt(s, sc) }
  def truthy(v) = v != nil && v != false
  def stmt(s, sc)
    case s
    in [:let, n, e] then sc.let(n, ev(e, sc))
    in [:if, c, a, b] then exec(truthy(ev(c, sc)) ? a : b, Scope.new(sc))
    in [:while, c, b] then exec(b, Scope.new(sc)) while truthy(ev(c, sc))
    in [:return, e] then raise Ret, ev(e, sc)
    in [:print, *es] then @out.puts es.map { |e| show(ev(e, sc)) }.join(" ")
    in [:set, [:var, n], e] then sc.set(n, ev(e, sc))
    in [:set, [:idx, o, k], e] then ev(o, sc)[ev(k, sc)] = ev(e, sc)
    in [:expr, e] then ev(e, sc)
    end
  end
  def show(v) = case v when nil then "nil" when Array then "[#{v.map { show _1 }.join(", ")}]" when Hash then "{#{v.map { |k, x| "#{k}: #{show x}" }.join(", ")}}" when Proc then "<fn/#{v.arity}>" else v.to_s end
  def ev(e, sc)
    case e
    in [:lit, v] then v.dup
    in [:var, n] then sc.get(n)
    in [:arr, es] then es.map { ev(_1, sc) }
    in [:hash, ps] then ps.to_h { |k, x| [k, ev(x, sc)] }
    in [:fn, ps, b] then ->(*a) { begin; exec(b, Scope.new(sc, ps.zip(a).to_h)); rescue Ret => r; r.v; end }
    in [:call, f, as] then ev(f, sc).(*as.map { ev(_1, sc) })
    in [:idx, o, k] then ev(o, sc)[ev(k, sc)]
    in [:un, "-", x] then -ev(x, sc)
    in [:un, "!", x] then !truthy(ev(x, sc))
    in [:bin, "&&", a, b] then truthy(v = ev(a, sc)) ? ev(b, sc) : v
    in [:bin, "||", a, b] then truthy(v = ev(a, sc)) ? v : ev(b, sc)
    in [:bin, "+", a, b] then (x, y = ev(a, sc), ev(b, sc)); x.is_a?(String) || y.is_a?(String) ? show(x) + show(y) : x + y
    in [:bin, op, a, b] then ev(a, sc).public_send(op, ev(b, sc))
    end
  end
end
i = Interp.new
i.run <<~'P'
  # closures
  let counter = fn(n) { return fn() { n = n + 1; return n } }
  let c = counter(10); c(); print c(), counter(0)()
  let fib = fn(n) { if n < 2 { return n } return fib(n-1) + fib(n-2) }
  print map(range(0, 15), fib)
  let o = { name: "Zo\"e", list: [1, 2.5, "x\ty", nil, true], f: fn(x, y) { x * y } }
  o.list[1] = {a: -1}; o.extra = !false && nil || "dflt"
  print o, o.f(6, 7), len(o.list), keys(o), "s" + 1 + [2]
  let i = 0
  while i < 3 { if i == 1 { print "one" } else if i == 2 { print "two" } else { print "other", i % 2 == 0 } i = i + 1 }
  let sort = fn(a) { if len(a) <= 1 { return a } let p = a[0]; let l = []; let r = []; let k = 1
    while k < len(a) { if a[k] < p { push(l, a[k]) } else { push(r, a[k]) } k = k + 1 }
    return sort(l) + [p] + sort(r) }
  print sort([5, 3, 9, 1, 5, 2, 8])
P
['let = 5', 'print 1 +', 'x', 'let a = "abc', 'print [1', 'nope()', '1 + nil', 'fn(', "\n\n  @", 'return 5', 'print {a 1}', '5()'].each do |s|
  begin
    i.run(s)
  rescue SyntaxError, StandardError => e
    puts "#{e.class}: #{e.message.lines.first.chomp.sub(/0x\h+/, "XX")}"
  end
end
p Tokens.new("a1 != \"q\" # c").map(&:to_s), Tokens.new("x\ny").each_with_index.map { |t, k| [t.line, t.col, k] }, Tokens.new("a b").lazy.map(&:text).reject(&:empty?).to_a, Tokens.new("").first.to_a
