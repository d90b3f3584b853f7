# Kernel: what is shorter in Ruby than in C.

module Kernel
  def loop
    return to_enum(:loop) { Float::INFINITY } unless block_given?
    begin
      while true
        yield
      end
    rescue StopIteration => e
      e.result
    end
  end
  module_function :loop

  def warn(*msgs, uplevel: nil, category: nil)
    unless category.nil?
      category = category.to_sym
      unless category == :deprecated || category == :experimental || category == :performance || category == :strict_unused_block
        raise ArgumentError, "unknown category: #{category}"
      end
      return nil unless Warning[category]
    end
    return nil if __verbose.nil? || msgs.empty?
    text = +""
    if uplevel
      raise ArgumentError, "negative level (#{uplevel})" if uplevel < 0
      location = caller(uplevel + 1, 1)
      if location && location[0]
        text << location[0][/\A(.*?:\d+):in /, 1].to_s << ": warning: "
      else
        text << "warning: "
      end
    end
    msgs.flatten.each do |m|
      text << m.to_s
      text << "\n" unless text.end_with?("\n")
    end
    if category
      Warning.warn(text, category: category)
    else
      Warning.warn(text)
    end
    nil
  end
  module_function :warn
end

module Warning
  @categories = { deprecated: false, experimental: true, performance: false, strict_unused_block: false }

  def self.[](category)
    raise ArgumentError, "unknown category: #{category}" unless @categories.key?(category)
    @categories[category]
  end

  def self.[]=(category, flag)
    raise ArgumentError, "unknown category: #{category}" unless @categories.key?(category)
    @categories[category] = flag ? true : false
  end

  def self.categories = @categories.keys

  def warn(msg, category: nil)
    raise TypeError, "wrong argument type #{msg.class} (expected String)" unless String === msg
    __warn_write(msg)
    nil
  end
  extend self
end

TOPLEVEL_BINDING = binding

autoload :RbConfig, "rbconfig"
