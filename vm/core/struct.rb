# Struct and Data, over the hidden fields of struct.c.

class Struct
  class << self
    alias __new new

    def new(*names, keyword_init: nil, &block)
      constant = nil
      unless names.empty?
        if names[0].nil?
          names.shift
        elsif !(Symbol === names[0]) && (text = String.try_convert(names[0]))
          raise NameError, "identifier #{text} needs to be constant" unless text.match?(/\A[A-Z]\w*\z/)
          constant = text.to_sym
          names.shift
        end
      end
      names = names.map do |n|
        if Symbol === n then n
        elsif String === n then n.to_sym
        else raise TypeError, "#{n.inspect} is not a symbol nor a string"
        end
      end
      seen = {}
      names.each do |n|
        raise ArgumentError, "duplicate member: #{n}" if seen[n]
        seen[n] = true
      end
      cls = Class.new(self)
      if constant
        if const_defined?(constant, false)
          warn("redefining constant #{self}::#{constant}", uplevel: 0)
          remove_const(constant)
        end
        const_set(constant, cls)
      end
      Struct.__fields(cls, names, false)
      cls.instance_variable_set(:@__members__, names.freeze)
      cls.instance_variable_set(:@__keyword_init__, keyword_init.nil? ? nil : keyword_init ? true : false)
      class << cls
        alias_method :new, :__new
        alias_method :[], :__new
        undef_method :__new

        def members = __members.dup

        def keyword_init? = __inherited(:@__keyword_init__)

        def inspect
          k = __inherited(:@__keyword_init__)
          k ? "#{super}(keyword_init: true)" : super
        end

        def __members = __inherited(:@__members__)

        def __inherited(name)
          c = self
          c = c.superclass until c.instance_variable_defined?(name)
          c.instance_variable_get(name)
        end

        def instance_variables = super - [:@__members__, :@__keyword_init__]
      end
      cls.class_eval(&block) if block
      cls
    end
  end

  def members = self.class.members

  def to_h
    result = {}
    self.class.__members.each_with_index do |n, i|
      if block_given?
        pair = yield(n, __get(i))
        a = Array.try_convert(pair)
        raise TypeError, "wrong element type #{pair.class} (expected array)" unless a
        raise ArgumentError, "element has wrong array length (expected 2, was #{a.size})" unless a.size == 2
        result[a[0]] = a[1]
      else
        result[n] = __get(i)
      end
    end
    result
  end

  def deconstruct_keys(keys)
    return to_h if keys.nil?
    raise TypeError, "wrong argument type #{keys.class} (expected Array or nil)" unless Array === keys
    result = {}
    return result if keys.size > size
    names = self.class.__members
    keys.each do |k|
      return result unless Symbol === k && names.include?(k)
      result[k] = self[k]
    end
    result
  end

  def each
    return to_enum(:each) { size } unless block_given?
    to_a.each { |x| yield x }
    self
  end

  def each_pair
    return to_enum(:each_pair) { size } unless block_given?
    self.class.__members.each_with_index { |n, i| yield [n, __get(i)] }
    self
  end

  def select(&block)
    return to_enum(:select) { size } unless block
    to_a.select(&block)
  end
  alias filter select

  def values_at(*indexes) = to_a.values_at(*indexes)

  def dig(key, *rest)
    value = begin
      self[key]
    rescue NameError, IndexError
      nil
    end
    rest.empty? || value.nil? ? value : value.dig(*rest)
  end

  def inspect
    name = Module.instance_method(:name).bind_call(self.class)
    text = Thread.__guard(:inspect, self) do
      fields = []
      self.class.__members.each_with_index do |n, i|
        n = n.inspect unless n.match?(/\A[A-Za-z_]\w*\z/)
        fields << "#{n}=#{__get(i).inspect}"
      end
      "#<struct #{"#{name} " if name}#{fields.join(", ")}>"
    end
    text == true ? "#<struct #{"#{name}:" if name}...>" : text
  end
  alias to_s inspect
end

class Data
  class << self
    undef_method :new
    def define(*names, &block)
      names = names.map do |n|
        n = n.to_sym if String === n
        raise TypeError, "#{n.inspect} is not a symbol nor a string" unless Symbol === n
        raise ArgumentError, "invalid data member: #{n}" if n.end_with?("=")
        n
      end
      seen = {}
      names.each do |n|
        raise ArgumentError, "duplicate member: #{n}" if seen[n]
        seen[n] = true
      end
      cls = Class.new(self)
      Struct.__fields(cls, names, true)
      cls.instance_variable_set(:@__members__, names.freeze)
      class << cls
        def new(*values, **kw)
          unless values.empty?
            names = __members
            if values.size > names.size
              raise ArgumentError, "wrong number of arguments (given #{values.size}, expected #{names.size == 0 ? 0 : "0..#{names.size}"})"
            end
            values.each_with_index { |v, i| kw[names[i]] = v }
          end
          object = allocate
          object.__send__(:initialize, **kw)
          object.freeze
        end
        alias_method :[], :new
        undef_method :define

        def members = __members.dup

        def __members
          c = self
          c = c.superclass until c.instance_variable_defined?(:@__members__)
          c.instance_variable_get(:@__members__)
        end

        def instance_variables = super - [:@__members__]
      end
      cls.class_eval(&block) if block
      cls
    end
  end

  def initialize(**kw)
    names = self.class.__members
    if kw.size < names.size
      missing = names.reject { |n| kw.key?(n) || kw.key?(n.to_s) }
      unless missing.empty?
        raise ArgumentError, "missing keyword#{"s" if missing.size > 1}: #{missing.map(&:inspect).join(", ")}"
      end
    end
    unknown = kw.keys.reject { |k| names.include?(k.to_sym) }
    unless unknown.empty?
      raise ArgumentError, "unknown keyword#{"s" if unknown.size > 1}: #{unknown.map(&:inspect).join(", ")}"
    end
    names.each_with_index { |n, i| __set(i, kw.fetch(n) { kw[n.to_s] }) }
    freeze
  end

  def initialize_copy(other)
    self.class.__members.each_index { |i| __set(i, other.__get(i)) }
    freeze
  end

  def members = self.class.members

  def with(*args, **kw)
    raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 0)" unless args.empty?
    return self if kw.empty?
    self.class.new(**to_h, **kw)
  end

  def to_h(&block)
    result = {}
    self.class.__members.each_with_index { |n, i| result[n] = __get(i) }
    block ? result.to_h(&block) : result
  end

  def deconstruct = to_h.values

  def deconstruct_keys(keys)
    return to_h if keys.nil?
    raise TypeError, "wrong argument type #{keys.class} (expected Array or nil)" unless Array === keys
    result = {}
    names = self.class.__members
    return result if keys.size > names.size
    keys.each do |k|
      i = names.index(k)
      return result unless i
      result[k] = __get(i)
    end
    result
  end

  def ==(other)
    return true if equal?(other)
    other.class == self.class && Thread.__guard(:==, self, other) { to_h == other.to_h }
  end

  def eql?(other)
    return true if equal?(other)
    other.class == self.class && Thread.__guard(:eql?, self, other) { to_h.eql?(other.to_h) }
  end

  def hash = [self.class, to_h.to_a].hash

  def inspect
    name = Module.instance_method(:name).bind_call(self.class)
    text = Thread.__guard(:inspect, self) do
      fields = []
      self.class.__members.each_with_index { |n, i| fields << "#{n}=#{__get(i).inspect}" }
      "#<data #{"#{name} " if name}#{fields.join(", ")}>"
    end
    text == true ? "#<data #{"#{name}:" if name}...>" : text
  end
  alias to_s inspect
end
