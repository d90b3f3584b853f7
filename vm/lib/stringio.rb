# StringIO: a String read and written as an IO.

class StringIO
  include Enumerable
  VERSION = "3.2.0"

  def self.open(*args, **opts)
    io = new(*args, **opts)
    return io unless block_given?
    begin
      yield io
    ensure
      io.close unless io.closed?
    end
  end

  def initialize(string = nil, mode = nil, **opts)
    mode ||= opts[:mode]
    given = !string.nil?
    @string = string.nil? ? String.new("", encoding: Encoding.default_external) : string
    @string = @string.to_str unless @string.is_a?(String)
    @pos = 0
    @lineno = 0
    @append = false
    @readable = @writable = true
    case mode
    when nil
      @writable = !@string.frozen?
    when Integer
      access = mode & 3
      @readable = access != 1
      @writable = access != 0
      @append = mode & File::APPEND != 0
      @string.replace("") if mode & File::TRUNC != 0
    else
      text = mode.to_str
      plus = text.include?("+")
      case text[0]
      when "r" then @writable = plus
      when "w"
        @readable = plus
        raise Errno::EACCES, "Permission denied" if @string.frozen?
        @string.replace("")
      when "a"
        @readable = plus
        @append = true
      else raise ArgumentError, "invalid access mode #{mode}"
      end
      raise Errno::EACCES if @writable && given && @string.frozen?
    end
  end

  def initialize_copy(other)
    super
    self
  end

  def inspect = Kernel.instance_method(:to_s).bind_call(self)

  attr_accessor :lineno
  attr_reader :string

  def string=(s)
    @string = s.to_str
    @pos = 0
    @lineno = 0
    @readable = true
    @writable = !s.frozen?
    s
  end

  def __reading
    raise IOError, "not opened for reading" unless @readable
  end

  def __writing
    raise IOError, "not opened for writing" unless @writable
  end

  def pos = @pos
  alias tell pos

  def pos=(n)
    raise Errno::EINVAL if n < 0
    @pos = n
  end

  def rewind
    @pos = 0
    @lineno = 0
    0
  end

  def seek(offset, whence = 0)
    raise IOError, "closed stream" if closed?
    base = case whence
           when 0, :SET then 0
           when 1, :CUR then @pos
           when 2, :END then @string.bytesize
           else raise Errno::EINVAL, "invalid whence"
           end
    raise Errno::EINVAL if base + offset < 0
    @pos = base + offset
    0
  end

  def eof?
    __reading
    @pos >= @string.bytesize
  end
  alias eof eof?

  def size = @string.bytesize
  alias length size

  def close
    @readable = @writable = false
    nil
  end

  def close_read
    raise IOError, "closing non-duplex IO for reading" unless @readable
    @readable = false
    nil
  end

  def close_write
    raise IOError, "closing non-duplex IO for writing" unless @writable
    @writable = false
    nil
  end

  def closed? = !@readable && !@writable
  def closed_read? = !@readable
  def closed_write? = !@writable
  def sync = true
  def sync=(v)
    v
  end
  def flush = self
  def fsync = 0
  def tty? = false
  alias isatty tty?
  def pid = nil
  def fileno = nil
  def fcntl(*) = raise(NotImplementedError, "fcntl() function is unimplemented on this machine")
  def binmode = self
  def external_encoding = @encoding || @string.encoding
  def internal_encoding = nil

  def set_encoding(enc, *)
    enc = Encoding.default_external if enc.nil?
    enc = Encoding.find(enc.to_s.split(":").first) unless enc.is_a?(Encoding)
    @encoding = enc
    @string.force_encoding(enc) unless @string.frozen?
    self
  end

  def set_encoding_by_bom
    return nil unless @string.byteslice(0, 3) == "\xEF\xBB\xBF".b
    @pos = 3
    set_encoding("UTF-8")
    Encoding::UTF_8
  end

  def read(length = nil, buffer = nil)
    __reading
    if length.nil?
      rest = @pos >= @string.bytesize ? "".encode(external_encoding) : @string.byteslice(@pos, @string.bytesize - @pos)
      rest = rest.dup.force_encoding(external_encoding)
      @pos = @string.bytesize if @pos < @string.bytesize
    else
      raise ArgumentError, "negative length #{length} given" if length < 0
      if length > 0 && @pos >= @string.bytesize
        buffer&.replace("")
        return nil
      end
      rest = (@string.byteslice(@pos, length) || "").b
      @pos += rest.bytesize
    end
    buffer ? buffer.replace(rest) : rest
  end

  def pread(length, offset)
    raise ArgumentError, "negative string size (or size too big): #{length}" if length < 0
    raise Errno::EINVAL, "pread: Invalid offset argument" if offset < 0
    return +"" if length == 0
    raise EOFError, "end of file reached" if offset >= @string.bytesize
    @string.byteslice(offset, length).b
  end

  def readpartial(length, buffer = nil)
    r = read(length, buffer)
    raise EOFError, "end of file reached" if r.nil?
    r
  end
  alias sysread readpartial

  def read_nonblock(length, buffer = nil, exception: true)
    r = read(length, buffer)
    raise EOFError, "end of file reached" if r.nil? && exception
    r
  end

  def getc
    __reading
    return nil if @pos >= @string.bytesize
    c = @string.byteslice(@pos, 4).force_encoding(external_encoding)[0]
    @pos += c.bytesize
    c
  end

  def getbyte
    __reading
    b = @string.getbyte(@pos)
    @pos += 1 if b
    b
  end

  def readchar = getc || raise(EOFError, "end of file reached")
  def readbyte = getbyte || raise(EOFError, "end of file reached")

  def ungetc(c)
    __reading
    return nil if c.nil?
    c = c.chr(external_encoding) if c.is_a?(Integer)
    __unget(c)
  end

  def ungetbyte(b)
    __reading
    return nil if b.nil?
    __unget(b.is_a?(Integer) ? (b & 255).chr : b)
  end

  def __unget(text)
    n = text.bytesize
    enc = @string.encoding
    bytes = @string.b
    bytes << "\0" * (@pos - bytes.bytesize) if @pos > bytes.bytesize
    if n <= @pos
      bytes[@pos - n, n] = text.b
      @pos -= n
    else
      bytes[0, @pos] = text.b
      @pos = 0
    end
    @string.replace(bytes.force_encoding(enc))
    nil
  end

  def __line(sep, limit, chomp)
    return nil if @pos >= @string.bytesize
    return +"" if limit == 0
    size = @string.bytesize
    start = @pos
    strip = 0
    if sep.nil?
      stop = size
    elsif sep.empty?
      start += 1 while @string.getbyte(start) == 10
      return (@pos = start) && nil if start >= size
      at = @string.byteindex("\n\n", start)
      stop = at ? at + 2 : size
      strip = 2 if at
    else
      at = @string.byteindex(sep, start)
      stop = at ? at + sep.bytesize : size
      strip = sep.bytesize if at
    end
    cut = false
    if limit && limit > 0 && start + limit < stop
      stop = start + limit
      stop += 1 until stop >= size || (@string.byteslice(start, stop - start).valid_encoding?) || stop - start > limit + 4
      cut = true
    end
    line = @string.byteslice(start, stop - start)
    @pos = stop
    if sep && sep.empty? && !cut
      @pos += 1 while @string.getbyte(@pos) == 10
    end
    if chomp && !cut && strip > 0
      line = line.byteslice(0, line.bytesize - strip)
      line = line.chomp("\r") if sep == "\n" && line.end_with?("\r")
    end
    @lineno += 1
    line
  end

  def gets(*args, chomp: false)
    __reading
    sep, limit, chomp = IO.__line_arguments(args, chomp)
    line = __line(sep, limit, chomp)
    $. = @lineno if line
    $_ = line
  end

  def readline(*args, **opts)
    gets(*args, **opts) || raise(EOFError, "end of file reached")
  end

  def readlines(*args, chomp: false)
    __reading
    sep, limit, chomp = IO.__line_arguments(args, chomp)
    raise ArgumentError, "invalid limit: 0 for readlines" if limit == 0
    all = []
    while (line = __line(sep, limit, chomp))
      all << line
    end
    all
  end

  def each_line(*args, chomp: false)
    return to_enum(:each_line, *args, chomp: chomp) unless block_given?
    __reading
    sep, limit, chomp = IO.__line_arguments(args, chomp)
    raise ArgumentError, "invalid limit: 0 for each_line" if limit == 0
    while (line = __line(sep, limit, chomp))
      yield line
    end
    self
  end
  alias each each_line

  def each_char
    return to_enum(:each_char) unless block_given?
    while (c = getc)
      yield c
    end
    self
  end

  def each_byte
    return to_enum(:each_byte) unless block_given?
    while (b = getbyte)
      yield b
    end
    self
  end

  def each_codepoint
    return to_enum(:each_codepoint) unless block_given?
    each_char { |c| yield c.ord }
  end

  def write(*parts)
    parts.sum { |part| __write(part) }
  end

  def __write(part)
    __writing
    text = part.is_a?(String) ? part : part.to_s
    enc = external_encoding
    text = text.encode(enc) if text.encoding != enc && enc != Encoding::BINARY && text.encoding != Encoding::BINARY && !text.ascii_only?
    n = text.bytesize
    return 0 if n == 0
    @pos = @string.bytesize if @append
    size = @string.bytesize
    if @pos == size
      if @string.encoding == text.encoding || text.ascii_only?
        @string << text
      else
        @string << text.dup.force_encoding(@string.encoding)
      end
    else
      bytes = @string.b
      bytes << "\0" * (@pos - size) if @pos > size
      bytes[@pos, n] = text.b
      @string.replace(bytes.force_encoding(@string.encoding))
    end
    @pos += n
    n
  end

  def syswrite(s) = write(s)
  def write_nonblock(s, **) = write(s)

  def <<(x)
    write(x)
    self
  end

  def print(*args)
    args = [$_] if args.empty?
    args.each_with_index do |a, i|
      write($,) if i > 0 && $,
      write(a)
    end
    write($\) if $\
    nil
  end

  def puts(*args)
    if args.empty?
      write("\n")
      return nil
    end
    args.each { |a| __puts(a, []) }
    nil
  end

  def __puts(a, seen)
    if a.is_a?(String)
      write(a)
      write("\n") unless a.end_with?("\n")
    elsif a.respond_to?(:to_ary) && (list = a.to_ary)
      if seen.any? { |x| x.equal?(list) }
        write("[...]\n")
      else
        list.each { |x| __puts(x, seen + [list]) }
      end
    else
      __puts(a.to_s, seen)
    end
  end

  def printf(format, *args)
    write(format(format, *args))
    nil
  end

  def putc(c)
    write(c.is_a?(String) ? c[0] : (c.to_int & 255).chr)
    c
  end

  def truncate(n)
    __writing
    raise Errno::EINVAL, "negative length" if n < 0
    if n < @string.bytesize
      @string.replace(@string.byteslice(0, n))
    else
      @string << "\0" * (n - @string.bytesize)
    end
    0
  end

  def reopen(string = +"", mode = nil)
    initialize(string, mode)
    self
  end
end
