# Process: the argument rules of fork, spawn, system, exec, wait over the primitives of subprocess.c.

module Process
  # What Process.detach gives: a thread that waits for the child.
  class Waiter < Thread
    def pid = self[:pid]
  end

  # What a shell must read: meta characters, or a first word that only a shell knows.
  SHELL_WORDS = %w[! . : break case continue do done elif else esac eval exec exit export fi for if in readonly return
                   set shift then times trap unset until while].freeze
  private_constant :SHELL_WORDS

  Tms = Struct.new(:utime, :stime, :cutime, :cstime)

  class << self
    def __needs_shell(text)
      i = 0
      size = text.bytesize
      while i < size
        return true if "*?{}[]<>()~&|\\$;'`\"\n#=%".include?(text.byteslice(i, 1))
        i += 1
      end
      SHELL_WORDS.include?(text.split.first)
    end

    def __descriptor(what)
      case what
      when :in then 0
      when :out then 1
      when :err then 2
      when Integer
        raise ArgumentError, "negative file descriptor" if what < 0
        what
      when IO then what.fileno
      else
        raise ArgumentError, "wrong exec redirect action" unless what.respond_to?(:to_io)
        what.to_io.fileno
      end
    end

    def __open_flags(mode)
      return mode if mode.is_a?(Integer)
      base = case mode[0]
             when "r" then 0
             when "w" then 1 | 0o100 | 0o1000
             when "a" then 1 | 0o100 | 0o2000
             else raise ArgumentError, "invalid access mode #{mode}"
             end
      mode.include?("+") ? (base & ~3) | 2 : base
    end

    def __redirect(list, key, value)
      targets = key.is_a?(Array) ? key : [key]
      targets.each do |t|
        target = __descriptor(t)
        case value
        when :close then list << [target, :close]
        when :in, :out, :err, Integer, IO
          list << [target, __descriptor(value)]
        when String
          writing = target == 1 || target == 2 || targets.size > 1
          list << [target, value, writing ? __open_flags("w") : 0, 0o644]
        when Array
          if value[0] == :child
            list << [target, :child, __descriptor(value[1])]
          else
            path = value[0].respond_to?(:to_path) ? value[0].to_path : value[0]
            list << [target, path, __open_flags(value[1] || "r"), value[2] || 0o644]
          end
        else
          if value.respond_to?(:to_path)
            list << [target, value.to_path, target == 0 ? 0 : __open_flags("w"), 0o644]
          else
            list << [target, __descriptor(value)]
          end
        end
      end
    end

    # The Array that __spawn and __exec take: file, arguments, environment, clear it, redirections, directory, umask, group.
    def __command(args, options)
      env = args[0].is_a?(Hash) ? args.shift : nil
      options = args.pop.merge(options) if args.size > 1 && args[-1].is_a?(Hash)
      raise ArgumentError, "wrong number of arguments (given 0, expected 1+)" if args.empty?
      redirects = []
      clear = directory = mask = group = nil
      options.each do |key, value|
        case key
        when :unsetenv_others then clear = value
        when :chdir then directory = value.respond_to?(:to_path) ? value.to_path : value
        when :umask then mask = value
        when :pgroup then group = value == 0 ? true : value
        when :close_others, :new_pgroup, :exception
        when Symbol
          raise ArgumentError, "wrong exec option symbol: #{key}" unless key == :in || key == :out || key == :err
          __redirect(redirects, key, value)
        else
          __redirect(redirects, key, value)
        end
      end
      redirects.map! do |r|
        next r unless r[1] == :child # as that descriptor will be in the child
        other = redirects.find { |o| o[0] == r[2] && o[1] != :child }
        other ? [r[0], *other.drop(1)] : [r[0], r[2]]
      end
      first = args[0]
      if first.is_a?(Array)
        raise ArgumentError, "wrong first argument" unless first.size == 2
        file = first[0].to_str
        words = [first[1].to_str] + args.drop(1).map(&:to_str)
      else
        first = first.respond_to?(:to_path) ? first.to_path : first
        unless first.is_a?(String)
          raise TypeError, "no implicit conversion of #{first.nil? ? "nil" : first.class} into String" unless first.respond_to?(:to_str)
          first = first.to_str
        end
        if args.size > 1
          file = first
          words = [file] + args.drop(1).map do |a|
            next a if a.is_a?(String)
            next a.to_path if a.respond_to?(:to_path)
            raise TypeError, "no implicit conversion of #{a.nil? ? "nil" : a.class} into String" unless a.respond_to?(:to_str)
            a.to_str
          end
        elsif __needs_shell(first)
          file = "/bin/sh"
          words = ["sh", "-c", first]
        else
          words = first.split
          raise Errno::ENOENT, first if words.empty?
          file = words[0]
        end
      end
      pairs = env&.map do |k, v|
        k = k.to_str
        raise ArgumentError, "environment name contains a equal : #{k}" if k.include?("=")
        [k, v&.to_str]
      end
      [file, words, pairs, clear, redirects, directory, mask, group]
    end

    def spawn(*args, **options)
      __spawn(__command(args, options))
    end

    def exec(*args, **options)
      __exec(__command(args, options))
    end

    def fork
      pid = __fork
      return pid if pid
      return nil unless block_given?
      __run_child(-> { yield })
    end

    def wait(pid = -1, flags = 0)
      __wait(pid, flags || 0)
    end
    alias waitpid wait

    def wait2(pid = -1, flags = 0)
      got = __wait(pid, flags || 0)
      got && [got, $?]
    end
    alias waitpid2 wait2

    def waitall
      all = []
      begin
        while true
          pid = __wait(-1, 0)
          all << [pid, $?]
        end
      rescue Errno::ECHILD
        all
      end
    end

    def last_status = $?

    def detach(pid)
      pid = Integer === pid ? pid : Array.__index_argument(pid)
      waiter = Waiter.new do
        begin
          nil until (got = __wait(pid, WNOHANG)) || sleep(0.05).nil?
          got && $?
        rescue Errno::ECHILD
          nil
        end
      end
      waiter[:pid] = pid
      waiter
    end

    def daemon(nochdir = nil, noclose = nil)
      exit!(0) if __fork
      setsid
      Dir.chdir("/") unless nochdir
      unless noclose
        $stdin.reopen("/dev/null")
        $stdout.reopen("/dev/null", "w")
        $stderr.reopen("/dev/null", "w")
      end
      0
    end

    def times = Tms.new(*__times)

    def argv0 = $0.dup.freeze
    def warmup = GC.__warm_up
  end
end

module Kernel
  def fork(&block) = block ? Process.fork(&block) : Process.fork

  def spawn(...) = Process.spawn(...)

  def exec(...) = Process.exec(...)

  def system(*args, exception: false, **options)
    begin
      pid = Process.spawn(*args, **options)
    rescue SystemCallError
      raise if exception
      return nil
    end
    Process.wait(pid)
    status = $?
    return true if status.success?
    if exception
      name = args[0].is_a?(Hash) ? args[1] : args[0]
      name = name[0] if name.is_a?(Array)
      name = name.to_s.split.first unless Process.__needs_shell(name.to_s) && args.count { |a| a.is_a?(String) } == 1
      raise "Command failed with #{status.exitstatus ? "exit #{status.exitstatus}" : status.to_s.sub(/\Apid \d+ /, "")}: #{name}"
    end
    false
  end

  def `(command)
    reader, writer = IO.pipe
    begin
      pid = Process.spawn(command, out: writer)
    rescue SystemCallError
      reader.close
      raise
    ensure
      writer.close
    end
    output = reader.read
    reader.close
    Process.wait(pid)
    output
  end

  private :fork, :spawn, :exec, :system, :`

  class << self
    def fork(&block) = block ? Process.fork(&block) : Process.fork
    def spawn(...) = Process.spawn(...)
    def exec(...) = Process.exec(...)
    def system(...) = Object.new.send(:system, ...)
    def `(command) = Object.new.send(:`, command)
  end
end
