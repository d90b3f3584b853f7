# FileUtils: the shell's commands on files.
module FileUtils
  VERSION = "1.8.0"
  module_function

  def __list(x) = [x].flatten.map { |p| p.respond_to?(:to_path) ? p.to_path : p.to_str }
  def __say(text, verbose) = verbose && $stderr.puts(text)

  def pwd = Dir.pwd
  alias getwd pwd
  def cd(dir, verbose: nil, &block)
    __say("cd #{dir}", verbose)
    Dir.chdir(dir, &block)
  end
  alias chdir cd

  def mkdir(list, mode: nil, noop: nil, verbose: nil)
    __list(list).each do |d|
      __say("mkdir #{d}", verbose)
      mode ? Dir.mkdir(d, mode) : Dir.mkdir(d) unless noop
    end
  end

  def mkdir_p(list, mode: nil, noop: nil, verbose: nil)
    __list(list).each do |d|
      __say("mkdir -p #{d}", verbose)
      next if noop
      steps = []
      until File.directory?(d)
        steps << d
        up = File.dirname(d)
        break if up == d
        d = up
      end
      steps.reverse_each do |s|
        begin
          mode ? Dir.mkdir(s, mode) : Dir.mkdir(s)
        rescue Errno::EEXIST
          raise unless File.directory?(s)
        end
      end
    end
  end
  alias makedirs mkdir_p
  alias mkpath mkdir_p

  def rmdir(list, parents: nil, noop: nil, verbose: nil)
    __list(list).each { |d| Dir.rmdir(d) unless noop }
  end

  def touch(list, noop: nil, verbose: nil, mtime: nil, nocreate: nil)
    now = mtime || Time.now
    __list(list).each do |f|
      next if noop
      begin
        File.utime(now, now, f)
      rescue Errno::ENOENT
        raise if nocreate && !File.exist?(f) && false
        next if nocreate
        File.open(f, "a") {}
        File.utime(now, now, f) if mtime
      end
    end
  end

  def rm(list, force: nil, noop: nil, verbose: nil)
    __list(list).each do |f|
      __say("rm #{f}", verbose)
      next if noop
      begin
        File.unlink(f)
      rescue SystemCallError
        raise unless force
      end
    end
  end
  alias remove rm

  def rm_f(list, **opts) = rm(list, force: true, **opts)
  alias safe_unlink rm_f

  def rm_r(list, force: nil, noop: nil, verbose: nil, secure: nil)
    __list(list).each do |f|
      __say("rm -r #{f}", verbose)
      remove_entry(f, force) unless noop
    end
  end

  def rm_rf(list, **opts) = rm_r(list, force: true, **opts)
  alias rmtree rm_rf

  def remove_entry(path, force = false)
    if File.directory?(path) && !File.symlink?(path)
      Dir.each_child(path) { |n| remove_entry(File.join(path, n), force) }
      Dir.rmdir(path)
    else
      File.unlink(path)
    end
  rescue SystemCallError
    raise unless force
  end
  alias remove_entry_secure remove_entry
  alias remove_dir remove_entry
  alias remove_file remove_entry

  def __into(src, dest) = File.directory?(dest) ? File.join(dest, File.basename(src)) : dest

  def cp(src, dest, preserve: nil, noop: nil, verbose: nil)
    __list(src).each do |s|
      __say("cp #{s} #{dest}", verbose)
      copy_file(s, __into(s, dest), preserve) unless noop
    end
  end
  alias copy cp

  def copy_file(src, dest, preserve = false, dereference = true)
    File.open(src, "rb") do |f|
      File.open(dest, "wb", f.stat.mode & 0777) { |t| IO.copy_stream(f, t) }
    end
    return unless preserve
    st = File.stat(src)
    File.utime(st.atime, st.mtime, dest)
    File.chmod(st.mode & 07777, dest)
  end

  def cp_r(src, dest, preserve: nil, noop: nil, verbose: nil, dereference_root: true, remove_destination: nil)
    __list(src).each { |s| copy_entry(s, __into(s, dest), preserve) unless noop }
  end

  def copy_entry(src, dest, preserve = false, *)
    if File.symlink?(src)
      File.symlink(File.readlink(src), dest)
    elsif File.directory?(src)
      Dir.mkdir(dest) unless File.directory?(dest)
      Dir.each_child(src) { |n| copy_entry(File.join(src, n), File.join(dest, n), preserve) }
    else
      copy_file(src, dest, preserve)
    end
  end

  def mv(src, dest, force: nil, noop: nil, verbose: nil, secure: nil)
    __list(src).each do |s|
      __say("mv #{s} #{dest}", verbose)
      next if noop
      to = __into(s, dest)
      begin
        File.rename(s, to)
      rescue Errno::EXDEV
        copy_entry(s, to, true)
        remove_entry(s)
      rescue SystemCallError
        raise unless force
      end
    end
  end
  alias move mv

  def ln(src, dest, force: nil, noop: nil, verbose: nil)
    __list(src).each do |s|
      to = __into(s, dest)
      File.unlink(to) if force && File.exist?(to)
      File.link(s, to) unless noop
    end
  end
  alias link ln

  def ln_s(src, dest, force: nil, noop: nil, verbose: nil, relative: nil)
    __list(src).each do |s|
      to = __into(s, dest)
      File.unlink(to) if force && (File.exist?(to) || File.symlink?(to))
      File.symlink(s, to) unless noop
    end
  end
  alias symlink ln_s
  def ln_sf(src, dest, **opts) = ln_s(src, dest, force: true, **opts)

  def chmod(mode, list, noop: nil, verbose: nil)
    __list(list).each { |f| File.chmod(mode, f) unless noop }
  end

  def chmod_R(mode, list, **)
    __list(list).each do |f|
      File.chmod(mode, f)
      Dir.each_child(f) { |n| chmod_R(mode, File.join(f, n)) } if File.directory?(f) && !File.symlink?(f)
    end
  end

  def chown(user, group, list, **) = __list(list).each { |f| File.chown(user, group, f) }

  def install(src, dest, mode: nil, preserve: nil, **)
    __list(src).each do |s|
      to = __into(s, dest)
      rm_f(to)
      copy_file(s, to, preserve)
      File.chmod(mode, to) if mode
    end
  end

  def compare_file(a, b) = File.size(a) == File.size(b) && File.binread(a) == File.binread(b)
  alias identical? compare_file
  alias cmp compare_file
  def uptodate?(new, old_list)
    return false unless File.exist?(new)
    t = File.mtime(new)
    old_list.all? { |o| !File.exist?(o) || File.mtime(o) < t }
  end

  %i[getwd chdir makedirs mkpath remove safe_unlink rmtree remove_entry_secure remove_dir remove_file copy move link symlink identical? cmp].each do |m|
    module_function m
  end
end
