# Dir.tmpdir and Dir.mktmpdir.
require "fileutils"

class Dir
  def self.tmpdir
    [ENV["TMPDIR"], ENV["TMP"], ENV["TEMP"], "/tmp", "."].each do |d|
      next if d.nil? || d.empty?
      return File.expand_path(d) if File.directory?(d) && File.writable?(d)
    end
    raise ArgumentError, "could not find a temporary directory"
  end

  # A path in dir that nobody has: yields candidates until the block does not raise EEXIST.
  def self.__temporary(basename, dir)
    prefix, suffix = basename.is_a?(Array) ? basename : [basename, ""]
    dir ||= tmpdir
    tries = 0
    begin
      path = File.join(dir, "#{prefix}#{Time.now.strftime("%Y%m%d")}-#{Process.pid}-#{rand(0x100000000).to_s(36)}#{suffix}")
      yield path
      path
    rescue Errno::EEXIST
      retry if (tries += 1) < 100
      raise
    end
  end

  def self.mktmpdir(prefix = nil, dir = nil, **)
    path = __temporary(prefix || "d", dir) { |p| mkdir(p, 0700) }
    return path unless block_given?
    begin
      yield path.dup
    ensure
      FileUtils.remove_entry(path) if File.exist?(path)
    end
  end
end
