# A lexer, parser and evaluator of a small language: classes, case/in, procs, recursion, string scanning by hand.
module Calc
  Token = Struct.new(:kind, :text, :line) do
    def to_s = "#{kind}(#{text})"
  end

  class SyntaxTrouble < StandardError
    attr_reader :line
    def initialize(message, line)
      super("line #{line}: #{message}")
      @line = line
    end
  end

  class Lexer
    KEYWORDS = %w[let fn if then else end print while do].freeze
    RULES = {
      space: /\A[ \t]+/, newline: /\A\n/, number: /\A\d+(\.\d+)?/, string: /\A"([^"\\]|\\.)*"/,
      name: /\A[a-z_]\w*/i, op: /\A(==|!=|<=|>=|&&|\|\||[-+*\/%<>=(),!])/, comment: /\A#[^\n]*/
    }.freeze

    def initialize(source) = @source = source

    def tokens
      rest, line, out = @source.dup, 1, []
      until rest.empty?
        kind, match = RULES.each do |k, re|
          m = re.match(rest)
          break [k, m[0]] if m
        end
        raise SyntaxTrouble.new("unexpected #{rest[0].inspect}", line) unless kind.is_a?(Symbol)
        case kind
        when :newline then out << Token.new(:newline, "\n", line); line += 1
        when :space, :comment then nil
        when :name then out << Token.new(KEYWORDS.include?(match) ? match.to_sym : :name, match, line)
        else out << Token.new(kind, match, line)
        end
        rest = rest[match.size..]
      end
      out << Token.new(:eof, "", line)
    end
  end

  class Parser
    LEVELS = [%w[||], %w[&&], %w[== !=], %w[< > <= >=], %w[+ -], %w[* / %]].freeze

    def initialize(tokens)
      @tokens = tokens
      @at = 0
    end

    def program
      list = []
      skip_newlines
      until peek.kind == :eof
        list << statement
        skip_newlines
      end
      [:block, list]
    end

    private

    def peek = @tokens[@at]
    def take = @tokens[@at].tap { @at += 1 }
    def skip_newlines = (take while peek.kind == :newline)

    def expect(kind, text = nil)
      t = peek
      unless t.kind == kind && (text.nil? || t.text == text)
        raise SyntaxTrouble.new("expected #{text || kind}, got #{t}", t.line)
      end
      take
    end

    def block(*ends)
      list = []
      skip_newlines
      until ends.include?(peek.kind)
        list << statement
        skip_newlines
      end
      [:block, list]
    end

    def statement
      case peek.kind
      when :let
        take
        name = expect(:name).text
        expect(:op, "=")
        [:let, name, expression]
      when :print
        take
        [:print, expression]
      when :while
        take
        condition = expression
        expect(:do)
        body = block(:end)
        expect(:end)
        [:while, condition, body]
      else expression
      end
    end

    def expression(level = 0)
      return unary if level == LEVELS.size
      left = expression(level + 1)
      while peek.kind == :op && LEVELS[level].include?(peek.text)
        left = [:binary, take.text, left, expression(level + 1)]
      end
      left
    end

    def unary
      if peek.kind == :op && %w[- !].include?(peek.text)
        [:unary, take.text, unary]
      else
        call(primary)
      end
    end

    def call(target)
      while peek.kind == :op && peek.text == "("
        take
        args = []
        until peek.text == ")"
          args << expression
          break unless peek.text == ","
          take
        end
        expect(:op, ")")
        target = [:call, target, args]
      end
      target
    end

    def primary
      t = take
      case t.kind
      when :number then [:number, t.text.include?(".") ? t.text.to_f : t.text.to_i]
      when :string then [:string, t.text[1..-2].gsub(/\\(.)/) { $1 == "n" ? "\n" : $1 }]
      when :name then [:name, t.text, t.line]
      when :if
        condition = expression
        expect(:then)
        yes = block(:else, :end)
        no = nil
        if peek.kind == :else
          take
          no = block(:end)
        end
        expect(:end)
        [:if, condition, yes, no]
      when :fn
        expect(:op, "(")
        names = []
        until peek.text == ")"
          names << expect(:name).text
          take if peek.text == ","
        end
        expect(:op, ")")
        body = block(:end)
        expect(:end)
        [:fn, names, body]
      else
        if t.text == "("
          inner = expression
          expect(:op, ")")
          inner
        else
          raise SyntaxTrouble.new("unexpected #{t}", t.line)
        end
      end
    end
  end

  class Scope
    def initialize(parent = nil) = (@parent = parent; @values = {})
    def [](name) = @values.fetch(name) { @parent && @parent[name] }
    def define(name, value) = @values[name] = value
    def defined_in(name) = @values.key?(name) ? self : @parent&.defined_in(name)
  end

  class Evaluator
    attr_reader :output

    def initialize
      @output = []
      @globals = Scope.new
      @globals.define("len", ->(x) { x.size })
      @globals.define("str", ->(x) { x.to_s })
    end

    def run(source) = evaluate(Parser.new(Lexer.new(source).tokens).program, @globals)

    def evaluate(node, scope)
      case node
      in [:block, list] then list.reduce(nil) { |_, n| evaluate(n, scope) }
      in [:number | :string, value] then value
      in [:name, name, line]
        owner = scope.defined_in(name) or raise NameError, "line #{line}: no #{name}"
        owner[name]
      in [:let, name, value]
        (scope.defined_in(name) || scope).define(name, evaluate(value, scope))
      in [:print, value] then @output << evaluate(value, scope).to_s
      in [:while, condition, body]
        evaluate(body, scope) while truthy(evaluate(condition, scope))
      in [:unary, "-", value] then -evaluate(value, scope)
      in [:unary, "!", value] then !truthy(evaluate(value, scope))
      in [:binary, "&&", a, b] then truthy(x = evaluate(a, scope)) ? evaluate(b, scope) : x
      in [:binary, "||", a, b] then truthy(x = evaluate(a, scope)) ? x : evaluate(b, scope)
      in [:binary, op, a, b] then evaluate(a, scope).public_send(op, evaluate(b, scope))
      in [:if, condition, yes, no]
        if truthy(evaluate(condition, scope)) then evaluate(yes, scope)
        elsif no then evaluate(no, scope)
        end
      in [:fn, names, body]
        lambda do |*args|
          raise ArgumentError, "#{args.size} for #{names.size}" if args.size != names.size
          inner = Scope.new(scope)
          names.zip(args) { |n, v| inner.define(n, v) }
          evaluate(body, inner)
        end
      in [:call, target, args] then evaluate(target, scope).call(*args.map { |a| evaluate(a, scope) })
      end
    end

    private

    def truthy(value) = value != false && !value.nil? && value != 0
  end
end

programs = {
  arithmetic: "print 1 + 2 * 3 - 4 / 2\nprint (1 + 2) * 3 % 5\nprint 1.5 * 4\nprint -3 + 1",
  functions: <<~CODE,
    # closures and recursion
    let fact = fn(n) if n < 2 then 1 else n * fact(n - 1) end end
    print fact(5)
    print fact(12)
    let counter = fn() let c = 0
      fn() let c = c + 1
      c end end
    let a = counter()
    a() a()
    print a()
    let compose = fn(f, g) fn(x) f(g(x)) end end
    print compose(fn(x) x + 1 end, fn(x) x * 10 end)(4)
  CODE
  loops: <<~CODE,
    let i = 0
    let s = ""
    while i < 5 do
      let s = s + str(i) + ","
      let i = i + 1
    end
    print s
    print len(s) == 10 && !(i == 4)
  CODE
  fib: "let fib = fn(n) if n < 2 then n else fib(n-1) + fib(n-2) end end\nprint fib(12)",
  bad_token: "print 1 ? 2",
  bad_syntax: "let x 5",
  bad_name: "\n\nprint nowhere",
  bad_call: "let f = fn(x) x end\nf(1, 2)",
  escapes: 'print "a\"b\\\\c\nd"',
}
programs.each do |name, source|
  e = Calc::Evaluator.new
  begin
    e.run(source)
    puts "#{name}: #{e.output.inspect}"
  rescue Calc::SyntaxTrouble => ex
    puts "#{name}: #{ex.class} #{ex.message} (#{ex.line})"
  rescue NameError, ArgumentError => ex
    puts "#{name}: #{ex.class.name.downcase} #{ex.message}"
  end
end
puts Calc::Lexer.new("a = 1 # c\nb").tokens.map(&:to_s).join(" ").inspect
