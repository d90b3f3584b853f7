# Pathname: a path as a value.  What depends on the text alone comes first, then what asks the file system: those methods
# hand the path to File, Dir, IO and FileTest.

class Pathname
  SEPARATOR_PAT = %r{/}
  VERSION = "0.4.0"

  def initialize(path)
    path = path.to_path if path.respond_to?(:to_path)
    raise TypeError, "Pathname.new requires a String, #to_path or #to_str" unless path.respond_to?(:to_str)
    path = path.to_str
    raise ArgumentError, "path name contains null byte" if path.include?("\0")
    @path = path.dup
  end

  protected def path = @path

  def to_s = @path.dup
  alias to_path to_s
  def inspect = "#<#{self.class}:#{@path}>"

  def ==(other) = other.is_a?(Pathname) && @path == other.path
  alias === ==
  alias eql? ==
  def hash = @path.hash

  # Components compare before the text: "a/b" comes before "a.b".
  def <=>(other)
    @path.tr("/", "\0") <=> other.path.tr("/", "\0") if other.is_a?(Pathname)
  end

  def freeze
    @path.freeze
    super
  end

  def sub(*args, &block) = self.class.new(@path.sub(*args, &block))

  def sub_ext(suffix)
    self.class.new(@path.delete_suffix(File.extname(@path)) + suffix)
  end

  # ---- the text ----

  def absolute? = @path.start_with?("/")
  def relative? = !absolute?
  def root? = @path.match?(%r{\A/+\z})

  def cleanpath(consider_symlink = false)
    names = []
    up = 0 # leading ".." of a relative path
    each_filename do |name|
      case name
      when "." then next
      when ".."
        if consider_symlink && !names.empty?
          names << name
        elsif names.empty?
          up += 1
        else
          names.pop
        end
      else names << name
      end
    end
    names.unshift(*Array.new(up, "..")) unless absolute?
    text = (absolute? ? "/" : "") + names.join("/")
    return self.class.new(text.empty? ? "." : text) unless consider_symlink && !names.empty?
    # A trailing separator or dot says that the last name is followed if it is a link.
    if File.basename(@path) == "."
      text += "/."
    elsif @path.end_with?("/") && names.last != ".."
      text += "/"
    end
    self.class.new(text)
  end

  def parent = self + ".."

  def +(other)
    other = Pathname.new(other) unless other.is_a?(Pathname)
    Pathname.new(__plus(@path, other.path))
  end
  alias / +

  def __plus(prefix, rest)
    return rest if rest.start_with?("/")
    loop do
      rest = rest == "." ? "" : rest.sub(%r{\A(?:\./+)+}, "")
      head, base = __chop(prefix)
      break unless base
      prefix = head
      next if base == "."
      unless base != ".." && rest.match?(%r{\A\.\.(?:/|\z)})
        prefix = head + base
        break
      end
      rest = rest.sub(%r{\A\.\./*}, "")
    end
    rest = rest.sub(%r{\A(?:\.\.(?:/+|\z))+}, "") if prefix.start_with?("/") && prefix.delete("/").empty? # above the root is the root
    return prefix.empty? ? "." : prefix.match?(%r{[^/]/+\z}) ? prefix.sub(%r{/+\z}, "") : prefix if rest.empty?
    prefix.empty? ? rest : File.join(prefix, rest)
  end
  private :__plus

  # "a/b/" -> ["a/", "b"]; a path without a name, as "/", -> [path, nil]
  def __chop(text)
    base = File.basename(text)
    return [text, nil] if text.empty? || base.match?(%r{\A/*\z})
    [text[0, text.rindex(base)], base]
  end
  private :__chop

  def join(*args)
    return self if args.empty?
    result = Pathname.new(args.pop)
    return result if result.absolute?
    args.reverse_each do |part|
      result = Pathname.new(part) + result
      return result if result.absolute?
    end
    self + result
  end

  def relative_path_from(base_directory)
    base_directory = Pathname.new(base_directory) unless base_directory.is_a?(Pathname)
    from, to = base_directory.cleanpath, cleanpath
    from_root, to_root = from.absolute? ? "/" : "", to.absolute? ? "/" : ""
    unless from_root == to_root
      raise ArgumentError, "different prefix: #{to_root.inspect} and #{base_directory.to_s.inspect}"
    end
    names = to.each_filename.reject { |name| name == "." }
    base = from.each_filename.reject { |name| name == "." }
    while !names.empty? && names.first == base.first
      names.shift
      base.shift
    end
    raise ArgumentError, "base_directory has ..: #{base_directory.to_s.inspect}" if base.include?("..")
    names = base.map { ".." } + names
    Pathname.new(names.empty? ? "." : names.join("/"))
  end

  def each_filename(&block)
    return to_enum(:each_filename) unless block
    @path.split("/").each { |name| yield name unless name.empty? }
    nil
  end

  def ascend
    return to_enum(:ascend) unless block_given?
    text = @path
    yield self
    loop do
      head, base = __chop(text)
      break if base.nil? || head.empty?
      text = head.match?(%r{\A/+\z}) ? head : head.sub(%r{/+\z}, "")
      yield self.class.new(text)
    end
    nil
  end

  def descend
    return to_enum(:descend) unless block_given?
    ascend.reverse_each { |path| yield path }
    nil
  end

  def basename(...) = self.class.new(File.basename(@path, ...))
  def dirname = self.class.new(File.dirname(@path))
  def extname = File.extname(@path)
  def split = File.split(@path).map { |part| self.class.new(part) }
  def fnmatch(pattern, ...) = File.fnmatch(pattern, @path, ...)
  def fnmatch?(pattern, ...) = File.fnmatch?(pattern, @path, ...)

  # ---- the file system ----

  def self.pwd = new(Dir.getwd)
  def self.getwd = new(Dir.getwd)

  def self.glob(*args, **options)
    found = Dir.glob(*args, **options).map { |path| new(path) }
    return found unless block_given?
    found.each { |path| yield path }
    nil
  end

  def glob(pattern, flags = 0)
    found = Dir.glob(pattern, flags, base: @path).map { |path| self + path }
    return found unless block_given?
    found.each { |path| yield path }
    nil
  end

  def expand_path(...) = self.class.new(File.expand_path(@path, ...))
  def realpath(...) = self.class.new(File.realpath(@path, ...))
  def realdirpath(...) = self.class.new(File.realdirpath(@path, ...))
  def readlink = self.class.new(File.readlink(@path))

  %i[exist? directory? file? symlink? pipe? socket? blockdev? chardev? readable? readable_real? writable? writable_real?
     executable? executable_real? world_readable? world_writable? owned? grpowned? setuid? setgid? sticky? size? zero?].each do |name|
    class_eval "def #{name} = FileTest.#{name}(@path)", __FILE__, __LINE__
  end

  %i[atime mtime ctime birthtime ftype size stat lstat].each do |name|
    class_eval "def #{name} = File.#{name}(@path)", __FILE__, __LINE__
  end

  def empty? = FileTest.directory?(@path) ? Dir.empty?(@path) : FileTest.empty?(@path)

  def mountpoint?
    here, above = lstat, (self + "..").lstat
    here.dev != above.dev || here.ino == above.ino
  rescue Errno::ENOENT
    false
  end

  %i[read binread readlines write binwrite].each do |name|
    class_eval "def #{name}(...) = File.#{name}(@path, ...)", __FILE__, __LINE__
  end
  def each_line(...) = File.foreach(@path, ...)
  def open(...) = File.open(@path, ...)
  def sysopen(...) = IO.sysopen(@path, ...)
  def opendir(&block) = Dir.open(@path, &block)

  def chmod(mode) = File.chmod(mode, @path)
  def lchmod(mode) = File.lchmod(mode, @path)
  def chown(owner, group) = File.chown(owner, group, @path)
  def lchown(owner, group) = File.lchown(owner, group, @path)
  def utime(atime, mtime) = File.utime(atime, mtime, @path)
  def lutime(atime, mtime) = File.lutime(atime, mtime, @path)
  def truncate(length) = File.truncate(@path, length)
  def rename(to) = File.rename(@path, to)
  def make_link(old) = File.link(old, @path)
  def make_symlink(old) = File.symlink(old, @path)
  def mkdir(...) = Dir.mkdir(@path, ...)
  def rmdir = Dir.rmdir(@path)

  def unlink
    lstat.directory? ? Dir.unlink(@path) : File.unlink(@path)
  end
  alias delete unlink

  def mkpath(mode: nil)
    descend do |path|
      next if path.directory?
      mode ? path.mkdir(mode) : path.mkdir
    rescue Errno::EEXIST
      raise unless path.directory?
    end
    self
  end

  def entries = Dir.entries(@path).map { |name| self.class.new(name) }
  def each_entry = Dir.foreach(@path) { |name| yield self.class.new(name) }

  def children(with_directory = true)
    with_directory = false if @path == "."
    Dir.children(@path).map { |name| with_directory ? self.class.new(File.join(@path, name)) : self.class.new(name) }
  end

  def each_child(with_directory = true, &block) = children(with_directory).each(&block)
end

module Kernel
  # The same object when it is a Pathname already.
  private def Pathname(path)
    Pathname === path ? path : Pathname.new(path)
  end
end
