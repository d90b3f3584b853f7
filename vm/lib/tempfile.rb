# Tempfile: a File that goes away.
require "tmpdir"

class Tempfile < File
  def self.new(basename = "", tmpdir = nil, mode: 0, **opts)
    file = nil
    path = Dir.__temporary(basename, tmpdir) do |p|
      file = super(p, File::RDWR | File::CREAT | File::EXCL | mode, 0600, **opts)
    end
    file.__made(path)
    file
  end

  def self.create(basename = "", tmpdir = nil, mode: 0, anonymous: false, **opts)
    file = nil
    path = Dir.__temporary(basename, tmpdir) do |p|
      file = File.open(p, File::RDWR | File::CREAT | File::EXCL | mode, 0600, **opts)
    end
    File.unlink(path) if anonymous
    return file unless block_given?
    begin
      yield file
    ensure
      file.close unless file.closed?
      File.unlink(path) if !anonymous && File.exist?(path)
    end
  end

  def self.open(*args, **opts)
    file = new(*args, **opts)
    return file unless block_given?
    begin
      yield file
    ensure
      file.close!
    end
  end

  def __made(path)
    @tempfile_path = path
    owner = Process.pid
    at_exit { File.unlink(path) if owner == Process.pid && File.exist?(path) }
  end

  def path = @unlinked ? nil : @tempfile_path
  def length = closed? ? File.size(@tempfile_path) : (flush; stat.size)
  alias size length

  def open
    close unless closed?
    reopen(@tempfile_path, "r+")
    self
  end

  def close(unlink_now = false)
    super()
    unlink if unlink_now
    nil
  end

  def close!
    close(true)
  end

  def unlink
    return if @unlinked
    File.unlink(@tempfile_path) if File.exist?(@tempfile_path)
    @unlinked = true
    nil
  end
  alias delete unlink

  def inspect = closed? ? "#<Tempfile:#{path} (closed)>" : "#<Tempfile:#{path}>"
end
