# A Lisp: reader, compiler to closures, macros, printer
class Sym
  TABLE = Hash.new { |h, k| h[k] = new(k) }
  attr_reader :name
  def self.[](n) = TABLE[n.to_s]
  private_class_method :new
  def initialize(name) = @name = name.freeze
  def inspect = name
  alias to_s inspect
end
class Cons
  include Enumerable
  attr_accessor :car, :cdr
  def initialize(car, cdr) = (@car, @cdr = car, cdr)
  def self.list(*xs, tail: nil) = xs.reverse.inject(tail) { |acc, x| new(x, acc) }
  def each
    return enum_for(__method__) { count } unless block_given?
    c = self
    while c.is_a?(Cons)
      yield c.car
      c = c.cdr
    end
    self
  end
  def deconstruct = to_a
  def proper? = (c = self; c = c.cdr while c.is_a?(Cons); c.nil?)
  def ==(o) = o.is_a?(Cons) && car == o.car && cdr == o.cdr
end
module Printer
  module_function
  def show(x)
    case x
    in nil then "()"
    in true then "#t"
    in false then "#f"
    in String then x.dump
    in Sym | Numeric then x.to_s
    in Cons => c if c.proper? && c.car == Sym[:quote] && c.count == 2 then "'" + show(c.cdr.car)
    in Cons
      s = +"("
      first = true
      while x.is_a? Cons
        s << " " unless first
        s << show(x.car)
        first = false
        x = x.cdr
      end
      s << " . " << show(x) unless x.nil?
      s << ")"
    in Proc => pr then "#<lambda/#{pr.arity}>"
    end
  end
end
class Reader
  class Error < StandardError
    def initialize(msg, line:) = super("#{msg} (line #{line})")
  end
  TOKEN = /\G(?:(?<ws>[\s,]+|;[^\n]*)|(?<str>"(?:\\.|[^"\\])*")|(?<q>['`]|,@?)|(?<open>[(\[])|(?<close>[)\]])|(?<atom>[^\s()\[\]"';]+))/
  def initialize(src) = (@src, @pos, @line = src, 0, 1)
  def each
    return to_enum unless block_given?
    loop { yield parse(required: false) }
  end
  include Enumerable
  def token
    while @pos < @src.size
      m = TOKEN.match(@src, @pos) or raise Error.new("bad character #{@src[@pos].inspect}", line: @line)
      @pos = m.end(0)
      @line += m[0].count("\n")
      kind, text = m.named_captures.find { |_, v| v }
      next if kind == "ws"
      return kind.to_sym, text
    end
    nil
  end
  def parse(required: true)
    tok = token
    unless tok
      raise Error.new("unexpected end", line: @line) if required
      raise StopIteration
    end
    case tok
    in [:str, s] then s.undump
    in [:q, "'"] then Cons.list(Sym[:quote], parse)
    in [:open, o] then list(o == "(" ? ")" : "]")
    in [:close, c] then raise Error.new("unexpected #{c}", line: @line)
    in [:atom, /\A[-+]?\d+\z/ => n] then n.to_i
    in [:atom, /\A[-+]?\d+\/\d+\z/ => r] then Rational(r)
    in [:atom, /\A[-+]?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?\z/ => f] then f.to_f
    in [:atom, "#t"] then true
    in [:atom, "#f"] then false
    in [:atom, name] then Sym[name]
    end
  end
  def list(close)
    items = []
    tail = nil
    loop do
      save = [@pos, @line]
      t = token or raise Error.new("missing #{close}", line: @line)
      if t == [:close, close]
        break
      elsif t == [:atom, "."]
        tail = parse
      else
        @pos, @line = save
        items << parse
      end
    end
    Cons.list(*items, tail: tail)
  end
end
class Env
  def initialize(parent = nil, names = [], values = [])
    @parent, @vars = parent, names.zip(values).to_h
  end
  def find(n)
    e = self
    e = e.parent until e.nil? || e.vars.key?(n)
    e or raise NameError.new("unbound variable: #{n}", n.name.to_sym, receiver: self)
  end
  def [](n) = find(n).vars[n]
  def []=(n, v)
    @vars[n] = v
  end
  def set!(n, v) = find(n).vars[n] = v
  protected attr_reader :parent
  attr_reader :vars
end
class Compiler
  SPECIAL = {}
  def self.special(name, &b) = SPECIAL[Sym[name]] = b
  attr_reader :macros
  def initialize(global) = (@macros, @global = {}, global)
  def compile(x)
    case x
    when Sym then ->(e) { e[x] }
    when Cons
      if (sp = SPECIAL[x.car]) then instance_exec(*x.cdr, &sp)
      elsif (m = @macros[x.car]) then compile(m.(*x.cdr))
      else
        f, *args = x.map { compile _1 }
        ->(e) { f.(e).call(*args.map { |a| a.(e) }) }
      end
    else ->(_) { x }
    end
  end
  def body(forms)
    *init, last = forms.map { compile it }
    return ->(_) {} unless last
    ->(e) { init.each { |f| f.(e) }; last.(e) }
  end
  def lambda_of(params, forms)
    req, rest = [], nil
    p = params
    while p.is_a?(Cons)
      req << p.car
      p = p.cdr
    end
    rest = p
    b = body(forms)
    lambda do |e|
      if rest
        ->(*a) { raise ArgumentError, "want #{req.size}+ got #{a.size}" if a.size < req.size
                 b.(Env.new(e, req + [rest], a.take(req.size) + [Cons.list(*a.drop(req.size))])) }
      else
        ->(*a) { raise ArgumentError, "want #{req.size} got #{a.size}" if a.size != req.size
                 b.(Env.new(e, req, a)) }
      end
    end
  end
  special(:quote) { |x| ->(_) { x } }
  special(:if) { |c, t, f = nil| c, t, f = compile(c), compile(t), compile(f); ->(e) { c.(e) != false ? t.(e) : f.(e) } }
  special(:define) do |target, *forms|
    if target.is_a?(Cons)
      f = lambda_of(target.cdr, forms)
      ->(e) { e[target.car] = f.(e); target.car }
    else
      v = compile(forms[0])
      ->(e) { e[target] = v.(e); target }
    end
  end
  special(:"set!") { |n, v| v = compile(v); ->(e) { e.set!(n, v.(e)) } }
  special(:lambda) { |ps, *forms| lambda_of(ps, forms) }
  special(:begin) { |*forms| body(forms) }
  special(:let) do |binds, *forms|
    names = binds.to_a.map(&:car)
    compile(Cons.new(Cons.list(Sym[:lambda], Cons.list(*names), *forms), Cons.list(*binds.map { |b| b.cdr.car })))
  end
  special(:"define-macro") do |sig, *forms|
    @macros[sig.car] = lambda_of(sig.cdr, forms).(@global)
    ->(_) { sig.car }
  end
end
class Lisp
  def initialize(out: $stdout)
    @g = Env.new
    @c = Compiler.new(@g)
    { :+ => ->(*a) { a.sum }, :* => ->(*a) { a.inject(1, :*) }, :- => ->(a, *r) { r.empty? ? -a : r.inject(a, :-) },
      :/ => ->(a, b) { a.is_a?(Integer) && b.is_a?(Integer) ? Rational(a, b).then { |q| q.denominator == 1 ? q.numerator : q } : a / b },
      :< => ->(a, b) { a < b }, :"=" => ->(a, b) { a == b }, :cons => Cons.method(:new).to_proc, :car => ->(c) { c.car },
      :cdr => ->(c) { c.cdr }, :"null?" => ->(x) { x.nil? }, :list => ->(*a) { Cons.list(*a) },
      :apply => ->(f, l) { f.(*l) }, :display => ->(x) { out.puts Printer.show(x); nil },
      :map => ->(f, l) { Cons.list(*l.to_a.map(&f)) }, :not => ->(x) { x == false },
      :"call/cc" => ->(f) { tag = Object.new; catch(tag) { f.(->(v) { throw tag, v }) } },
      :error => ->(*a) { raise RuntimeError, a.map { Printer.show _1 }.join(" ") },
    }.each { |k, v| @g[Sym[k]] = v }
  end
  def run(src)
    Reader.new(src).map { |form| @c.compile(form).(@g) }
  end
end
l = Lisp.new
src = <<~LISP
  ; basics
  (define (fact n) (if (= n 0) 1 (* n (fact (- n 1)))))
  (display (fact 30))
  (define-macro (unless c . body) (list 'if c '() (cons 'begin body)))
  (display (unless #f 1 2 3))
  (define (fold f z l) (if (null? l) z (fold f (f z (car l)) (cdr l))))
  (display (fold + 0 '(1 2 3 1/2 2.5)))
  (display (map (lambda (x) (* x x)) '(1 2 3)))
  (display '(a . b)) (display ''(a "q\\n" (b c . d)))
  (define counter (let ((n 0)) (lambda () (set! n (+ n 1)) n)))
  (counter) (counter) (display (counter))
  (display (call/cc (lambda (k) (+ 1 (k 42)))))
  (display (/ 10 4)) (display (/ 10 5)) (display fact) (display (list counter))
  (display (apply + '(1 2 3)))
LISP
p l.run(src).map { Printer.show(_1) }
["(a b", ")", "(undefined 1)", "(fact 1 2)", '(error "boom" (list 1 2))', "(car 5)", '"abc'].each do |s|
  begin
    l.run(s)
  rescue => e
    puts "#{e.class}: #{e.message}"
    p e.receiver.class if NameError === e && e.receiver.is_a?(Env)
  end
end
