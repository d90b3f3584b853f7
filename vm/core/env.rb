# ENV: the environment of the process, as a Hash of frozen Strings; and what Kernel offers of processes in Ruby.

class << (ENV = Object.new)
  include Enumerable

  def __name(k)
    raise TypeError, "no implicit conversion of #{__kind(k)} into String" unless k.is_a?(String) || k.respond_to?(:to_str)
    k = k.to_str
    raise ArgumentError, "bad environment variable name: contains null byte" if k.include?("\0")
    k
  end

  def __text(v)
    raise TypeError, "no implicit conversion of #{__kind(v)} into String" unless v.is_a?(String) || v.respond_to?(:to_str)
    v = v.to_str
    raise ArgumentError, "bad environment variable value: contains null byte" if v.include?("\0")
    v
  end

  def __kind(v) = v.nil? ? "nil" : v == true ? "true" : v == false ? "false" : v.class

  def [](k) = __env_get(__name(k))

  def fetch(k, *default)
    raise ArgumentError, "wrong number of arguments (given #{default.size + 1}, expected 1..2)" if default.size > 1
    v = __env_get(__name(k))
    return v unless v.nil?
    return yield(k) if block_given?
    return default[0] unless default.empty?
    raise KeyError.new("key not found: #{k.inspect}", receiver: self, key: k)
  end

  def []=(k, v)
    __env_set(__name(k), v.nil? ? nil : __text(v))
    v
  end
  alias store []=

  def delete(k)
    k = __name(k)
    v = __env_get(k)
    __env_set(k, nil)
    v.nil? && block_given? ? yield(k) : v
  end

  def to_h
    h = __env_all.to_h
    return h unless block_given?
    h.to_h { |k, v| yield k, v }
  end
  def to_hash = __env_all.to_h
  def to_a = __env_all
  def keys = __env_all.map(&:first)
  def values = __env_all.map(&:last)
  def key?(k) = !__env_get(__name(k)).nil?
  alias include? key?
  alias has_key? key?
  alias member? key?
  def value?(v)
    return nil unless v.is_a?(String)
    values.include?(v)
  end
  alias has_value? value?
  def key(v) = to_h.key(__text(v))
  def size = __env_all.size
  alias length size
  def empty? = __env_all.empty?
  def assoc(k) = (v = self[k]) ? [k, v] : nil
  def rassoc(v) = v.is_a?(String) ? to_h.rassoc(v) : nil
  def values_at(*ks) = ks.map { |k| self[k] }
  def slice(*ks) = ks.each_with_object({}) { |k, h| (v = self[k]) && h[k] = v }
  def except(*ks) = to_h.except(*ks)
  def invert = to_h.invert
  def to_s = "ENV"
  def inspect = to_h.inspect
  def rehash = nil
  def freeze = raise(TypeError, "cannot freeze ENV")
  def clone(freeze: nil) = raise(TypeError, "Cannot clone ENV, use ENV.to_h to get a copy of ENV as a hash")
  def dup = raise(TypeError, "Cannot dup ENV, use ENV.to_h to get a copy of ENV as a hash")

  def each
    return to_enum(:each) { size } unless block_given?
    __env_all.each { |k, v| yield [k, v] }
    self
  end

  def each_pair
    return to_enum(:each_pair) { size } unless block_given?
    __env_all.each { |k, v| yield [k, v] }
    self
  end

  def each_key
    return to_enum(:each_key) { size } unless block_given?
    keys.each { |k| yield k }
    self
  end

  def each_value
    return to_enum(:each_value) { size } unless block_given?
    values.each { |v| yield v }
    self
  end

  def update(*others)
    others.each do |h|
      h.to_hash.each do |k, v|
        v = yield(k, self[k], v) if block_given? && key?(k)
        self[k] = v
      end
    end
    self
  end
  alias merge! update

  def replace(h)
    h = h.to_hash
    h.each { |k, v| __name(k); __text(v) }
    (keys - h.keys).each { |k| delete(k) }
    h.each { |k, v| self[k] = v }
    self
  end

  def clear
    keys.each { |k| delete(k) }
    self
  end

  def shift
    pair = __env_all.first
    delete(pair[0]) if pair
    pair
  end

  def select
    return to_enum(:select) { size } unless block_given?
    to_h.select { |k, v| yield k, v }
  end
  alias filter select

  def reject
    return to_enum(:reject) { size } unless block_given?
    to_h.reject { |k, v| yield k, v }
  end

  def select!
    return to_enum(:select!) { size } unless block_given?
    gone = __env_all.reject { |k, v| yield k, v }
    gone.each { |k, _| delete(k) }
    gone.empty? ? nil : self
  end
  alias filter! select!

  def keep_if(&block)
    return to_enum(:keep_if) { size } unless block
    select!(&block)
    self
  end

  def reject!
    return to_enum(:reject!) { size } unless block_given?
    gone = __env_all.select { |k, v| yield k, v }
    gone.each { |k, _| delete(k) }
    gone.empty? ? nil : self
  end

  def delete_if(&block)
    return to_enum(:delete_if) { size } unless block
    reject!(&block)
    self
  end

  def filter_map
    return to_enum(:filter_map) unless block_given?
    __env_all.filter_map { |k, v| yield k, v }
  end

  def sum(*a, &b) = to_a.sum(*a, &b)
end
