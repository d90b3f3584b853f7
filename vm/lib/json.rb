# JSON: parsing and generating.

module JSON
  VERSION = "2.18.0"
  NaN = Float::NAN
  Infinity = Float::INFINITY
  MinusInfinity = -Float::INFINITY

  class JSONError < StandardError; end
  class ParserError < JSONError
    attr_reader :line, :column
  end
  class NestingError < ParserError; end
  class GeneratorError < JSONError
    attr_reader :invalid_object
    def initialize(message, invalid_object = nil)
      super(message)
      @invalid_object = invalid_object
    end
  end

  # One text; positions are bytes.
  class Parser
    def self.parse(source, opts = nil) = new(source, **(opts || {})).parse
    def self.new(source, opts = nil, **kw) = super(source, **(opts || {}), **kw)

    def initialize(source, max_nesting: 100, symbolize_names: false, allow_nan: false, create_additions: false,
                   object_class: nil, array_class: nil, decimal_class: nil, freeze: false, allow_trailing_comma: false,
                   allow_duplicate_key: true, allow_control_characters: false, **)
      @text = source.respond_to?(:to_str) ? source.to_str : raise(TypeError, "no implicit conversion of #{source.nil? ? "nil" : source.class} into String")
      @text = @text.encode(Encoding::UTF_8) unless @text.encoding == Encoding::UTF_8 || @text.encoding == Encoding::BINARY
      @text = @text.dup.force_encoding(Encoding::UTF_8) if @text.encoding == Encoding::BINARY
      @max = max_nesting || 0
      @symbols = symbolize_names
      @nan = allow_nan
      @object_class = object_class
      @array_class = array_class
      @decimal = decimal_class
      @freeze = freeze
      @trailing = allow_trailing_comma
      @at = 0
    end

    def source = @text.dup

    def parse
      skip
      v = value(0)
      skip
      error("unexpected character") if @at < @text.bytesize
      v
    end

    def error(what)
      before = @text.byteslice(0, @at)
      line = before.count("\n") + 1
      column = @at - (before.rindex("\n") ? before.byterindex("\n") + 1 : 0) + 1
      if @at >= @text.bytesize
        raise ParserError, "unexpected end of input at line #{line} column #{column}" if what == "unexpected character"
        raise ParserError, "#{what} at line #{line} column #{column}"
      end
      near = @text.byteslice(@at, 32).scrub("")
      raise ParserError, "#{what}: '#{near}' at line #{line} column #{column}"
    end

    def skip
      while true
        c = @text.getbyte(@at)
        if c == 32 || c == 10 || c == 13 || c == 9
          @at += 1
        elsif c == 47
          if @text.byteslice(@at, 2) == "/*"
            stop = @text.byteindex("*/", @at + 2) or error("unterminated comment, expected closing '*/'")
            @at = stop + 2
          elsif @text.byteslice(@at, 2) == "//"
            stop = @text.byteindex("\n", @at)
            @at = stop ? stop + 1 : @text.bytesize
          else
            error("unexpected character")
          end
        else
          return c
        end
      end
    end

    def value(depth)
      c = @text.getbyte(@at)
      case c
      when 34 then string
      when 123 then object(depth + 1)
      when 91 then array(depth + 1)
      when 45, 48..57 then number
      when 116 then word("true", true)
      when 102 then word("false", false)
      when 110 then word("null", nil)
      when 78
        error("unexpected character") unless @nan
        word("NaN", NaN)
      when 73
        error("unexpected character") unless @nan
        word("Infinity", Infinity)
      else error("unexpected character")
      end
    end

    def word(text, v)
      error("unexpected token") unless @text.byteslice(@at, text.size) == text
      @at += text.size
      v
    end

    def number
      m = @text.byteslice(@at, 400).match(/\A-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/)
      unless m
        if @nan && @text.byteslice(@at, 9) == "-Infinity"
          @at += 9
          return MinusInfinity
        end
        error("invalid number")
      end
      s = m[0]
      if s.size >= 400
        m = @text.byteslice(@at, @text.bytesize).match(/\A-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/)
        s = m[0]
      end
      following = @text.getbyte(@at + s.size)
      error("invalid number") if following && (following.between?(48, 57) || following == 46)
      @at += s.size
      if m[1] || m[2]
        return @decimal == Float || @decimal.nil? ? s.to_f : Kernel.send(@decimal.name, s)
      end
      s.to_i
    end

    ESCAPES = { "b" => "\b", "f" => "\f", "n" => "\n", "r" => "\r", "t" => "\t", "\"" => "\"", "\\" => "\\", "/" => "/" }.freeze

    def string
      start = @at + 1
      at = start
      escaped = false
      while true
        stop = @text.byteindex("\"", at) or (@at = @text.bytesize; error("unexpected end of input, expected closing \""))
        back = stop - 1
        back -= 1 while back >= start && @text.getbyte(back) == 92
        break if (stop - 1 - back).even?
        escaped = true
        at = stop + 1
      end
      s = @text.byteslice(start, stop - start)
      if (bad = s.index(/[\x00-\x1f]/))
        @at = start + s[0, bad].bytesize
        error("invalid ASCII control character in string")
      end
      @at = stop + 1
      s = unescape(s) if escaped || s.include?("\\")
      s = s.freeze if @freeze
      s
    end

    def unescape(s)
      s.gsub(/\\u([dD][89abAB]\h\h)\\u([dD][c-fC-F]\h\h)|\\u(\h{4})|\\(.)/m) do
        if $1
          [0x10000 + (($1.hex & 0x3ff) << 10) + ($2.hex & 0x3ff)].pack("U")
        elsif $3
          code = $3.hex
          code.between?(0xd800, 0xdfff) ? "\u{fffd}" : [code].pack("U")
        else
          ESCAPES[$4] || $4
        end
      end
    end

    def deep(depth)
      raise NestingError, "nesting of #{depth} is too deep" if @max > 0 && depth > @max
    end

    def array(depth)
      deep(depth)
      list = @array_class ? @array_class.new : []
      @at += 1
      if skip == 93
        @at += 1
        return @freeze ? list.freeze : list
      end
      while true
        list << value(depth)
        c = skip
        @at += 1
        if c == 44
          if skip == 93
            error("unexpected character") unless @trailing
            @at += 1
            break
          end
        elsif c == 93
          break
        else
          @at -= 1
          error("expected ',' or ']' after array value")
        end
      end
      @freeze ? list.freeze : list
    end

    def object(depth)
      deep(depth)
      hash = @object_class ? @object_class.new : {}
      @at += 1
      if skip == 125
        @at += 1
        return @freeze ? hash.freeze : hash
      end
      while true
        error(hash.empty? ? "expected object key, got" : "expected object key") unless @text.getbyte(@at) == 34
        key = string
        key = key.to_sym if @symbols
        error("expected ':' after object key") unless skip == 58
        @at += 1
        skip
        hash[key] = value(depth)
        c = skip
        @at += 1
        if c == 44
          if skip == 125
            error("expected object key, got") unless @trailing
            @at += 1
            break
          end
        elsif c == 125
          break
        else
          @at -= 1
          error("expected ',' or '}' after object value")
        end
      end
      @freeze ? hash.freeze : hash
    end
  end

  # How a text is laid out.
  class State
    attr_accessor :indent, :space, :space_before, :object_nl, :array_nl, :max_nesting, :depth, :script_safe
    attr_reader :strict

    def self.from_state(opts) = opts.is_a?(State) ? opts : new(opts)
    def self.generate(obj, opts, io = nil)
      text = from_state(opts).generate(obj)
      io ? (io.write(text); io) : text
    end

    def initialize(opts = nil)
      @indent = @space = @space_before = @object_nl = @array_nl = ""
      @max_nesting = 100
      @depth = 0
      @nan = @ascii = @script_safe = @strict = false
      configure(opts) if opts
    end

    def configure(opts)
      opts = opts.to_h
      @indent = opts[:indent] if opts.key?(:indent)
      @space = opts[:space] if opts.key?(:space)
      @space_before = opts[:space_before] if opts.key?(:space_before)
      @object_nl = opts[:object_nl] if opts.key?(:object_nl)
      @array_nl = opts[:array_nl] if opts.key?(:array_nl)
      @max_nesting = opts[:max_nesting] || 0 if opts.key?(:max_nesting)
      @nan = opts[:allow_nan] if opts.key?(:allow_nan)
      @ascii = opts[:ascii_only] if opts.key?(:ascii_only)
      @script_safe = opts[:script_safe] || opts[:escape_slash] if opts.key?(:script_safe) || opts.key?(:escape_slash)
      @strict = opts[:strict] if opts.key?(:strict)
      self
    end
    alias merge configure

    def allow_nan? = @nan
    def ascii_only? = @ascii
    def to_h = { indent: @indent, space: @space, space_before: @space_before, object_nl: @object_nl, array_nl: @array_nl, max_nesting: @max_nesting, allow_nan: @nan, ascii_only: @ascii }

    def generate(obj, io = nil)
      out = +""
      write(obj, out)
      io ? (io.write(out); io) : out
    end

    def write(obj, out)
      case obj
      when nil then out << "null"
      when true then out << "true"
      when false then out << "false"
      when Integer then out << obj.to_s
      when Float then out << float(obj)
      when String
        obj.instance_of?(String) || !custom?(obj, String) ? string(obj, out) : out << obj.to_json(self)
      when Symbol
        @strict ? string(obj.name, out) : out << obj.to_json(self)
      when Hash
        custom?(obj, Hash) ? out << obj.to_json(self) : object(obj, out)
      when Array
        custom?(obj, Array) ? out << obj.to_json(self) : array(obj, out)
      else
        raise GeneratorError.new("#{obj.inspect} not allowed in JSON", obj) if @strict
        if obj.respond_to?(:to_json)
          out << obj.to_json(self)
        else
          string(obj.to_s, out)
        end
      end
    end

    def custom?(obj, cls) = !obj.instance_of?(cls) && obj.method(:to_json).owner != cls

    def float(x)
      if x.nan? || x.infinite?
        raise GeneratorError.new("#{x} not allowed in JSON", x) unless @nan
        return x.to_s
      end
      x.to_s
    end

    CONTROL = { "\"" => "\\\"", "\\" => "\\\\", "\n" => "\\n", "\r" => "\\r", "\t" => "\\t", "\f" => "\\f", "\b" => "\\b" }.freeze

    def string(s, out)
      unless s.encoding == Encoding::UTF_8 || s.ascii_only?
        s = s.encoding == Encoding::BINARY ? s.dup.force_encoding(Encoding::UTF_8) : s.encode(Encoding::UTF_8)
      end
      raise GeneratorError.new("source sequence is illegal/malformed utf-8", s) unless s.valid_encoding?
      out << "\""
      if s.match?(/["\\\x00-\x1f]/)
        s = s.gsub(/["\\\x00-\x1f]/) { |c| CONTROL[c] || format("\\u%04x", c.ord) }
      end
      s = s.gsub("/", "\\/").gsub("\u2028", "\\u2028").gsub("\u2029", "\\u2029") if @script_safe
      if @ascii && !s.ascii_only?
        s = s.gsub(/[^\x00-\x7f]/) do |c|
          n = c.ord
          n < 0x10000 ? format("\\u%04x", n) : format("\\u%04x\\u%04x", 0xd800 + ((n - 0x10000) >> 10), 0xdc00 + ((n - 0x10000) & 0x3ff))
        end
      end
      out << s << "\""
    end

    def enter
      @depth += 1
      if @max_nesting > 0 && @depth > @max_nesting
        d = @depth
        @depth = 0
        raise NestingError, "nesting of #{d} is too deep"
      end
    end

    def array(list, out)
      if list.empty?
        out << "[]"
        return
      end
      enter
      out << "[" << @array_nl
      list.each_with_index do |x, i|
        out << "," << @array_nl if i > 0
        out << @indent * @depth unless @indent.empty?
        write(x, out)
      end
      @depth -= 1
      out << @array_nl
      out << @indent * @depth unless @indent.empty? || @array_nl.empty?
      out << "]"
    end

    def object(hash, out)
      if hash.empty?
        out << "{}"
        return
      end
      enter
      out << "{" << @object_nl
      first = true
      hash.each do |k, v|
        out << "," << @object_nl unless first
        first = false
        out << @indent * @depth unless @indent.empty?
        string(k.is_a?(String) ? k : k.is_a?(Symbol) ? k.name : k.to_s, out)
        out << @space_before << ":" << @space
        write(v, out)
      end
      @depth -= 1
      out << @object_nl
      out << @indent * @depth unless @indent.empty? || @object_nl.empty?
      out << "}"
    end
  end

  module Ext
    module Generator
      State = JSON::State
    end
  end
  PRETTY = { indent: "  ", space: " ", object_nl: "\n", array_nl: "\n" }.freeze

  module_function

  def parse(source, opts = nil, **kw) = Parser.new(source, **(opts || {}), **kw).parse

  def parse!(source, opts = nil, **kw)
    Parser.new(source, **{ max_nesting: false, allow_nan: true }, **(opts || {}), **kw).parse
  end

  def generate(obj, opts = nil, **kw)
    State.from_state(kw.empty? ? opts : (opts || {}).to_h.merge(kw)).generate(obj)
  end
  alias unparse generate
  alias fast_generate generate
  module_function :unparse, :fast_generate

  def pretty_generate(obj, opts = nil, **kw)
    return opts.generate(obj) if opts.is_a?(State)
    State.new(PRETTY.merge((opts || {}).to_h).merge(kw)).generate(obj)
  end

  def dump(obj, io = nil, limit = nil, **kw)
    if io.is_a?(Integer)
      limit = io
      io = nil
    end
    text = begin
      State.new({ max_nesting: limit || false, allow_nan: true }.merge(kw)).generate(obj)
    rescue NestingError
      raise ArgumentError, "exceed depth limit"
    end
    return text unless io
    io = io.to_io if io.respond_to?(:to_io)
    io.write(text)
    io
  end

  def load(source, proc = nil, opts = nil, **kw)
    source = source.to_str if source.respond_to?(:to_str)
    source = source.read if source.respond_to?(:read)
    return nil if source.nil? || source.empty?
    v = Parser.new(source, **{ max_nesting: false, allow_nan: true }, **(opts || {}), **kw).parse
    proc&.call(v)
    v
  end
  alias restore load
  alias unsafe_load load
  module_function :restore, :unsafe_load

  def load_file(path, **opts) = parse(File.read(path), **opts)
  def state = State

  def self.[](x, opts = {}) = x.respond_to?(:to_str) ? parse(x, opts) : generate(x, opts)
end

class Object
  def to_json(state = nil, *) = JSON::State.from_state(state).generate(to_s)
end

[Hash, Array, String, Integer, Float, NilClass, TrueClass, FalseClass].each do |c|
  c.class_eval do
    def to_json(state = nil, *)
      s = state.is_a?(JSON::State) ? state : JSON::State.new(state)
      out = +""
      case self
      when Hash then s.object(self, out)
      when Array then s.array(self, out)
      when String then s.string(self, out)
      else s.write(self, out)
      end
      out
    end
  end
end

class Symbol
  def to_json(state = nil, *) = name.to_json(state)
end

module Kernel
  private

  def j(*objs)
    objs.each { |o| puts JSON.generate(o) }
    nil
  end

  def jj(*objs)
    objs.each { |o| puts JSON.pretty_generate(o) }
    nil
  end

  def JSON(x, **opts) = x.is_a?(String) ? JSON.parse(x, **opts) : JSON.generate(x, **opts)
end
