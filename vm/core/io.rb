# IO: opening with blocks, lines, whole files, copies, pipes to commands; ARGF; Kernel's reading.

class IO
  include File::Constants if defined?(File::Constants)

  module WaitReadable; end
  module WaitWritable; end
  class EAGAINWaitReadable < Errno::EAGAIN; include WaitReadable; end
  class EAGAINWaitWritable < Errno::EAGAIN; include WaitWritable; end
  EWOULDBLOCKWaitReadable = EAGAINWaitReadable
  EWOULDBLOCKWaitWritable = EAGAINWaitWritable
  class TimeoutError < IOError; end
  READABLE = 1
  PRIORITY = 2
  WRITABLE = 4

  class << self
    def open(*args, **options)
      io = new(*args, **options)
      return io unless block_given?
      begin
        yield io
      ensure
        io.__close_after_block
      end
    end
    alias for_fd new

    def __open_for(name, mode, options)
      if (args = options[:open_args])
        *args, last = args
        return last.is_a?(Hash) ? File.new(name, *args, **last) : File.new(name, *args, *last)
      end
      options = options.dup
      options.delete(:chomp)
      options[:mode] = mode unless options.key?(:mode) || options.key?(:flags)
      File.new(name, **options)
    end

    def read(name, length = nil, offset = nil, **options)
      raise ArgumentError, "negative offset #{offset} given" if offset && offset < 0
      raise ArgumentError, "negative length #{length} given" if length && length < 0
      f = __open_for(name, "r", options)
      begin
        f.seek(offset) if offset
        f.read(length)
      ensure
        f.close
      end
    end

    def binread(name, length = nil, offset = nil)
      File.open(name, "rb:ASCII-8BIT") do |f|
        f.seek(offset) if offset
        f.read(length)
      end
    end

    def write(name, data, offset = nil, **options)
      unless options.key?(:mode)
        options = options.merge(mode: offset ? File::RDWR | File::CREAT : "w")
      end
      f = __open_for(name, "w", options)
      begin
        f.seek(offset) if offset
        f.write(data)
      ensure
        f.close
      end
    end

    def binwrite(name, data, offset = nil, **options)
      options = { mode: offset ? File::RDWR | File::CREAT : "wb" }.merge(options)
      write(name, data, offset, **options)
    end

    def readlines(name, *args, chomp: false, **options)
      f = __open_for(name, "r", options)
      begin
        f.readlines(*args, chomp: chomp)
      ensure
        f.close
      end
    end

    def foreach(name, *args, chomp: false, **options, &block)
      return to_enum(:foreach, name, *args, chomp: chomp, **options) unless block
      sep = __line_arguments(args, chomp)
      raise ArgumentError, "invalid limit: 0 for foreach" if sep[1] == 0
      f = __open_for(name, "r", options)
      begin
        f.each_line(*args, chomp: chomp, &block)
      ensure
        f.close
      end
      nil
    end

    def popen(*command, **options)
      env = command[0].is_a?(Hash) ? command.shift : nil
      mode = nil
      if command.size > 1 && !command[0].is_a?(Array)
        mode = command.pop
      elsif command.size > 1
        mode = command.pop
      end
      cmd = command[0]
      mode = options.delete(:mode) || mode || "r"
      text = mode.is_a?(Integer) ? (mode & 3 == 0 ? "r" : mode & 3 == 1 ? "w" : "r+") : mode.to_s
      reading = text.start_with?("r") || text.include?("+")
      writing = !text.start_with?("r") || text.include?("+")
      own = [:external_encoding, :internal_encoding, :encoding, :textmode, :binmode, :invalid, :undef, :replace, :fallback, :newline,
             :universal_newline, :crlf_newline, :cr_newline, :lf_newline].each_with_object({}) do |key, taken|
        taken[key] = options.delete(key) if options.key?(key)
      end
      child_out = child_in = our_in = our_out = nil
      if reading
        our_in, child_out = IO.pipe
        options[:out] = child_out unless options.key?(:out)
      end
      if writing
        child_in, our_out = IO.pipe
        options[:in] = child_in unless options.key?(:in)
      end
      if cmd == "-"
        pid = Process.fork
        unless pid
          $stdout.reopen(child_out) if child_out
          $stdin.reopen(child_in) if child_in
          [our_in, our_out, child_in, child_out].each { |io| io&.close }
          return nil unless block_given?
          Process.__run_child(-> { yield nil })
        end
        child_out&.close
        child_in&.close
      else
        words = if cmd.is_a?(Array)
                  cmd = cmd.dup
                  env = cmd.shift if cmd[0].is_a?(Hash)
                  options = cmd.pop.merge(options) if cmd[-1].is_a?(Hash)
                  cmd.size == 1 && !cmd[0].is_a?(Array) ? [[cmd[0], cmd[0]]] : cmd
                else
                  [cmd]
                end
        begin
          pid = env ? Process.spawn(env, *words, **options) : Process.spawn(*words, **options)
        rescue SystemCallError
          our_in&.close
          our_out&.close
          raise
        ensure
          child_out&.close
          child_in&.close
        end
      end
      io = allocate
      io.__set_popen(our_in ? our_in.__release : nil, our_out ? our_out.__release : nil, pid, mode, own)
      return io unless block_given?
      begin
        yield io
      ensure
        io.close unless io.closed?
      end
    end

    def pipe(external = nil, internal = nil, **options)
      reader, writer = __pipe
      reader.set_encoding(external, internal, **options.except(:binmode, :textmode))
      if options[:binmode] && external.nil?
        reader.binmode
        writer.binmode
      end
      return [reader, writer] unless block_given?
      begin
        yield reader, writer
      ensure
        reader.close
        writer.close
      end
    end

    # Bytes from one file, IO or object with readpartial or read to another with write.
    def copy_stream(from, to, length = nil, offset = nil)
      length = __int(length) unless length.nil?
      raise ArgumentError, "negative length #{length} given" if length && length < 0
      from = opened_source = File.open(from, "rb") unless IO === from || from.respond_to?(:readpartial) || from.respond_to?(:read)
      to = opened_target = File.open(to, "wb") unless IO === to || to.respond_to?(:write)
      if offset
        raise ArgumentError, "cannot specify src_offset for non-IO" unless IO === from
        back = from.pos
        from.seek(offset)
      end
      total = 0
      until length && total >= length
        want = length ? [length - total, 65536].min : 65536
        chunk = IO === from ? from.read(want) : __read_from(from, want)
        break if chunk.nil? || chunk.empty?
        to.write(chunk)
        total += chunk.bytesize
      end
      from.seek(back) if back
      to.flush if IO === to
      total
    ensure
      opened_source&.close
      opened_target&.close
    end

    def __read_from(source, want)
      buffer = "".b
      source.respond_to?(:readpartial) ? source.readpartial(want, buffer) : source.read(want, buffer)
    rescue EOFError
      nil
    end

    def console_size = [25, 80]
  end

  def __close_after_block
    close unless closed?
  rescue IOError
    raise unless closed? # the block may have closed the descriptor in some other way
  end

  # The descriptor leaves this IO, which counts as closed.
  def __release
    copy = fcntl(1030, 3) # F_DUPFD_CLOEXEC
    close
    copy
  end

  def to_io = self

  def each_line(*args, chomp: false, **)
    return to_enum(:each_line, *args, chomp: chomp) unless block_given?
    sep, limit, chomp = IO.__line_arguments(args, chomp)
    raise ArgumentError, "invalid limit: 0 for each_line" if limit == 0
    while (line = __next_line(sep, limit, chomp))
      yield line
    end
    self
  end
  alias each each_line

  def each_byte
    return to_enum(:each_byte) unless block_given?
    while (b = getbyte)
      yield b
    end
    self
  end

  def each_char
    return to_enum(:each_char) unless block_given?
    while (c = getc)
      yield c
    end
    self
  end

  def each_codepoint
    return to_enum(:each_codepoint) unless block_given?
    while (c = getc)
      yield c.ord
    end
    self
  end

  def readbyte
    getbyte or raise EOFError, "end of file reached"
  end

  def readchar
    getc or raise EOFError, "end of file reached"
  end

  def ungetbyte(b)
    return nil if b.nil?
    __unread(b.is_a?(Integer) ? (b & 255).chr : b)
    nil
  end

  def ungetc(c)
    raise TypeError, "no implicit conversion of nil into String" if c.nil?
    __unread(c.is_a?(Integer) ? c.chr(external_encoding || Encoding::UTF_8) : c)
    nil
  end

  def pwrite(data, offset) = __pwrite(data, offset)

  def __exception_option(wanted)
    return wanted if wanted == true || wanted == false
    raise ArgumentError, "expected true or false as exception: #{wanted.inspect}"
  end

  def read_nonblock(length, buffer = nil, exception: true)
    __exception_option(exception)
    s = __read_nonblock(length, buffer)
    return s if s
    if s == false
      return :wait_readable unless exception
      raise EAGAINWaitReadable, "read would block"
    end
    return nil unless exception
    raise EOFError, "end of file reached"
  end

  def write_nonblock(data, exception: true)
    __exception_option(exception)
    n = __ready(4) ? __write_some(data.to_s) : nil
    if n.nil?
      return :wait_writable unless exception
      raise EAGAINWaitWritable, "write would block"
    end
    n
  end

  def wait(*args)
    timeout = args.find { |a| a.nil? || a.is_a?(Numeric) && a.is_a?(Float) } if args.size > 1
    timeout = args[0] if args.size == 1
    __ready(1, timeout) ? self : nil
  end

  def wait_writable(timeout = nil)
    __ready(4, timeout) ? self : nil
  end

  def timeout = nil
  def winsize = [25, 80]
end


module Kernel
  def open(path, *args, **options, &block)
    if path.respond_to?(:to_open)
      r = path.to_open(*args, **options)
      return block ? block.call(r) : r
    end
    File.open(path, *args, **options, &block)
  end
  module_function :open

  def select(*args) = IO.select(*args)
  module_function :select

  def gets(*args, **options)
    $_ = ARGF.gets(*args, **options)
  end
  module_function :gets

  def readline(*args, **options)
    $_ = ARGF.readline(*args, **options)
  end
  module_function :readline

  def readlines(*args, **options) = ARGF.readlines(*args, **options)
  module_function :readlines

  def putc(c) = $stdout.putc(c)
  module_function :putc

  def display(port = $stdout)
    port.write(self)
    nil
  end
  public :display

  def pp(*objs)
    objs.each { |o| $stdout.write(Kernel.__pp_text(o, 0, 80), "\n") }
    objs.size <= 1 ? objs.first : objs
  end
  module_function :pp

  # The text of obj: on one line when it fits into `width`, else one element a line.
  def self.__pp_text(obj, indent, width)
    flat = obj.inspect
    return flat if indent + flat.size <= width
    pad = " " * (indent + 1)
    case obj
    when Array
      return flat if obj.empty?
      "[" + obj.map { |x| __pp_text(x, indent + 1, width - 1) }.join(",\n#{pad}") + "]"
    when Hash
      return flat if obj.empty?
      parts = obj.map do |k, v|
        key = k.is_a?(Symbol) ? { k => 0 }.inspect[1..-4] + ":" : k.inspect + " =>"
        key = key.chomp(":") + ":" if k.is_a?(Symbol)
        one = v.inspect
        if indent + 1 + key.size + 1 + one.size <= width - 1
          "#{key} #{one}"
        else
          "#{key}\n#{pad} #{__pp_text(v, indent + 2, width - 1)}"
        end
      end
      "{" + parts.join(",\n#{pad}") + "}"
    when Struct
      head = "#<struct #{obj.class.name}".rstrip
      head + "\n" + obj.members.map { |m| "#{pad}#{m}=#{__pp_sub(obj[m], indent + 1 + m.size + 1, width)}" }.join(",\n") + ">"
    else
      vars = obj.instance_variables
      return flat if vars.empty? || !flat.start_with?("#<#{obj.class}")
      head = flat[/\A#<\S+/]
      head + "\n" + vars.map { |m| "#{pad}#{m}=#{__pp_sub(obj.instance_variable_get(m), indent + 1 + m.size + 1, width)}" }.join(",\n") + ">"
    end
  end

  def self.__pp_sub(obj, indent, width)
    one = obj.inspect
    return one if indent + one.size <= width - 1
    "\n" + " " * (indent - indent + 2) + __pp_text(obj, 2, width)
  end

  def pretty_inspect = Kernel.__pp_text(self, 0, 79) + "\n"
  public :pretty_inspect

  def test(cmd, file1, file2 = nil)
    cmd = cmd.chr if cmd.is_a?(Integer)
    case cmd
    when "e" then File.exist?(file1)
    when "f" then File.file?(file1)
    when "d" then File.directory?(file1)
    when "r", "R" then File.readable?(file1)
    when "w", "W" then File.writable?(file1)
    when "x", "X" then File.executable?(file1)
    when "s" then File.size?(file1)
    when "z" then File.zero?(file1)
    when "l" then File.symlink?(file1)
    when "p" then File.pipe?(file1)
    when "S" then File.socket?(file1)
    when "M" then File.mtime(file1)
    when "A" then File.atime(file1)
    when "C" then File.ctime(file1)
    when "=" then File.mtime(file1) == File.mtime(file2)
    when "<" then File.mtime(file1) < File.mtime(file2)
    when ">" then File.mtime(file1) > File.mtime(file2)
    when "-" then File.identical?(file1, file2)
    else raise ArgumentError, "unknown command '\\x%02X'" % cmd.ord
    end
  end
  module_function :test
end

# ARGF: the files of ARGV one after the other, or standard input.
class << (ARGF = Object.new)
  include Enumerable

  def __start
    return if @started && (@current || @done)
    if !@started
      @started = true
      @lineno = 0
      if ARGV.empty?
        @current = $stdin
        @filename = "-"
        @last = true
      else
        __next_file
      end
    elsif !@current && !ARGV.empty?
      @done = false
      __next_file
    end
  end

  def __next_file
    if @current && !@last
      __end_in_place
      @current.close unless @current.equal?($stdin)
    end
    @current = nil
    if @last || ARGV.empty?
      @done = true
      return false
    end
    name = ARGV.shift
    @filename = name
    @current = name == "-" ? $stdin : File.open(name)
    __begin_in_place(name) if @in_place && name != "-"
    true
  end

  def __begin_in_place(name)
    File.rename(name, name + @in_place) unless @in_place.empty?
    File.unlink(name) if @in_place.empty?
    @writer = File.open(name, "w", @current.stat.mode & 0777)
    $stdout = @writer
  end

  def __end_in_place
    return unless @writer
    $stdout = STDOUT
    @writer.close
    @writer = nil
  end

  def inplace_mode = @in_place
  def inplace_mode=(suffix)
    @in_place = suffix
  end

  def gets(*args, chomp: false)
    sep, limit, chomp = IO.__line_arguments(args, chomp)
    __start
    while @current
      if (line = @current.__argf_line(sep, limit, chomp))
        @lineno += 1
        $. = @lineno
        $_ = line
        return line
      end
      break unless __next_file
    end
    $_ = nil
  end

  def readline(*args, **options)
    gets(*args, **options) or raise EOFError, "end of file reached"
  end

  def readlines(*args, **options)
    all = []
    while (line = gets(*args, **options))
      all << line
    end
    all
  end
  alias to_a readlines

  def each_line(*args, **options)
    return to_enum(:each_line, *args, **options) unless block_given?
    while (line = gets(*args, **options))
      yield line
    end
    self
  end
  alias each each_line

  def read(length = nil)
    __start
    text = nil
    while @current
      part = @current.read(length && length - (text ? text.bytesize : 0))
      text = text ? text << part.to_s : part if part
      break if length && text && text.bytesize >= length
      break unless __next_file
    end
    length ? text : text || +""
  end

  def getc
    __start
    while @current
      c = @current.getc
      return c if c
      break unless __next_file
    end
    nil
  end

  def getbyte
    __start
    while @current
      c = @current.getbyte
      return c if c
      break unless __next_file
    end
    nil
  end

  def readchar = getc || raise(EOFError, "end of file reached")
  def readbyte = getbyte || raise(EOFError, "end of file reached")

  def each_char
    return to_enum(:each_char) unless block_given?
    while (c = getc)
      yield c
    end
    self
  end

  def each_byte
    return to_enum(:each_byte) unless block_given?
    while (c = getbyte)
      yield c
    end
    self
  end

  def eof?
    __start
    raise IOError, "ARGF is not opened for reading" unless @current
    @current.eof?
  end
  alias eof eof?

  def file
    __start
    @current
  end

  def filename
    __start
    @filename
  end
  alias path filename

  def argv = ARGV
  def lineno = @lineno || 0
  def lineno=(n)
    @lineno = n
  end
  def skip
    __next_file if @started && @current
    self
  end
  def close
    __start
    __next_file
    self
  end
  def closed? = @started && @current.nil?
  def binmode = self
  def fileno = file.fileno
  def pos = file.pos
  def rewind
    @lineno = 0
    file.rewind
  end
  def external_encoding = Encoding.default_external
  def internal_encoding = Encoding.default_internal
  def to_s = "ARGF"
  def inspect = "ARGF"
end

class IO
  def __argf_line(sep, limit, chomp) = __gets(sep, limit, chomp)
end

