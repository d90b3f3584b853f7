# Dir over the primitives of dir.c.

class Dir
  class << self
    def open(path, **options)
      d = new(path, **options)
      return d unless block_given?
      begin
        yield d
      ensure
        d.close
      end
    end

    def entries(path, encoding: nil) = __names(path)

    def children(path, encoding: nil)
      __names(path).reject { |n| n == "." || n == ".." }
    end

    def each_child(path, encoding: nil)
      return to_enum(:each_child, path) unless block_given?
      children(path).each { |n| yield n }
      nil
    end

    def foreach(path, encoding: nil)
      return to_enum(:foreach, path) unless block_given?
      __names(path).each { |n| yield n }
      nil
    end

    def empty?(path)
      File.directory?(path) && children(path).empty?
    end

    def chdir(path = (given = false; ENV["HOME"] || ENV["LOGDIR"] || raise(ArgumentError, "HOME/LOGDIR not set")))
      unless block_given?
        return __chdir(path)
      end
      back = pwd
      __chdir(path)
      begin
        yield path
      ensure
        __chdir(back)
      end
    end

    def glob(pattern, flags = 0, base: nil, sort: true, &block)
      raise ArgumentError, "expected true or false as sort: #{sort.inspect}" unless sort == true || sort == false
      base = base.respond_to?(:path) ? base.path : base
      base = nil if base == ""
      found = []
      (pattern.is_a?(Array) ? pattern : [pattern]).each do |one|
        one = one.respond_to?(:to_path) ? one.to_path : one.to_str
        raise ArgumentError, "nul-separated glob pattern is deprecated" if one.include?("\0")
        found.concat(__glob(one, flags, base, sort))
      end
      return found unless block
      found.each(&block)
      nil
    end

    def [](*patterns, base: nil, sort: true)
      patterns.flatten.flat_map { |one| glob(one, 0, base: base, sort: sort) }
    end

    def for_fd(fd) = raise(NotImplementedError, "Dir.for_fd")
  end

  def initialize(path, encoding: nil)
    @__names = Dir.__names(path)
    @__path = (path.respond_to?(:to_path) ? path.to_path : path).dup
    @__pos = 0
    @__open = true
  end

  def __check
    raise IOError, "uninitialized Dir" if @__open.nil?
    raise IOError, "closed directory" unless @__open
  end

  def path = @__path
  alias to_path path

  def read
    __check
    name = @__names[@__pos]
    @__pos += 1 if name
    name
  end

  def each
    return to_enum(:each) unless block_given?
    __check
    while (name = read)
      yield name
    end
    self
  end

  def children
    __check
    rest = @__names[@__pos..].reject { |n| n == "." || n == ".." }
    @__pos = @__names.size
    rest
  end

  def each_child
    return to_enum(:each_child) unless block_given?
    children.each { |n| yield n }
    self
  end

  def pos
    __check
    @__pos
  end
  alias tell pos

  def pos=(n)
    __check
    @__pos = n
  end

  def seek(n)
    self.pos = n
    self
  end

  def rewind
    __check
    @__names = Dir.__names(@__path)
    @__pos = 0
    self
  end

  def close
    @__open = false
    nil
  end

  def chdir(&block) = Dir.chdir(@__path, &block)
  def inspect = "#<#{self.class}:#{@__path}>"
  def instance_variables = []
end
