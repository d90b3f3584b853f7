# OpenStruct: an object whose attributes come as they are set.
class OpenStruct
  VERSION = "1.6.3"

  def initialize(hash = nil)
    @table = {}
    hash&.each_pair { |k, v| @table[k.to_sym] = v }
  end

  def initialize_copy(other)
    super
    @table = @table.dup
  end

  def to_h
    return @table.dup unless block_given?
    @table.to_h { |k, v| yield k, v }
  end

  def each_pair
    return to_enum(:each_pair) { @table.size } unless block_given?
    @table.each_pair { |k, v| yield [k, v] }
    self
  end

  def [](name) = @table[name.to_sym]

  def []=(name, v)
    raise FrozenError.new("can't modify frozen #{self.class}: #{inspect}", receiver: self) if frozen?
    @table[name.to_sym] = v
  end

  def dig(name, *rest)
    v = @table[name.to_sym]
    rest.empty? || v.nil? ? v : v.dig(*rest)
  end

  def delete_field(name)
    @table.delete(name.to_sym) do
      return yield if block_given?
      raise NameError.new("no field '#{name}' in #{inspect}", name.to_sym)
    end
  end

  def respond_to_missing?(name, include_private = false)
    @table.key?(name.to_s.chomp("=").to_sym) || super
  end

  def method_missing(name, *args)
    text = name.to_s
    if text.end_with?("=")
      raise ArgumentError, "wrong number of arguments (given #{args.size}, expected 1)" if args.size != 1
      self[text.chomp("=")] = args[0]
    elsif args.empty?
      @table[name]
    else
      super
    end
  end

  def ==(other) = other.is_a?(OpenStruct) && to_h == other.to_h
  def eql?(other) = other.is_a?(OpenStruct) && to_h.eql?(other.to_h)
  def hash = @table.hash

  def inspect
    r = Thread.__guard(:inspect, self) do
      parts = @table.map { |k, v| " #{k}=#{v.inspect}" }.join(",")
      "#<#{self.class}#{parts}>"
    end
    r == true ? "#<#{self.class} ...>" : r
  end
  alias to_s inspect
end
