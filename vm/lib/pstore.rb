# PStore: a Hash in a file, changed in transactions, written by Marshal.
#
# Who changes it holds an exclusive lock on the file, who reads a shared one.  The content is written to a file beside it,
# which then takes its place: whoever dies in between leaves the old content.
class PStore
  class Error < StandardError; end

  attr_accessor :ultra_safe

  def initialize(file, thread_safe = false)
    dir = File.dirname(file)
    raise PStore::Error, format("directory %s does not exist", dir) unless File.directory?(dir)
    if File.exist?(file) && !File.readable?(file)
      raise PStore::Error, format("file %s not readable", file)
    end
    @filename = file
    @open = false
    @ultra_safe = false
    @lock = thread_safe ? Thread::Mutex.new : nil
  end

  def path = @filename

  def [](key)
    __in_transaction
    @table[key]
  end

  def fetch(key, default = PStore::Error)
    __in_transaction
    @table.fetch(key) do
      raise PStore::Error, format("undefined key '%s'", key) if default == PStore::Error
      default
    end
  end

  def []=(key, value)
    __in_transaction(true)
    @table[key] = value
  end

  def delete(key)
    __in_transaction(true)
    @table.delete(key)
  end

  def keys
    __in_transaction
    @table.keys
  end
  alias roots keys

  def key?(key)
    __in_transaction
    @table.key?(key)
  end
  alias root? key?

  def commit
    __in_transaction
    throw :__pstore_commit
  end

  def abort
    __in_transaction
    throw :__pstore_abort
  end

  def transaction(read_only = false, &block)
    raise PStore::Error, "nested transaction" if @open && !(@lock && !@lock.owned?)
    @lock ? @lock.synchronize { __transaction(read_only, &block) } : __transaction(read_only, &block)
  end

  private

  def __in_transaction(writing = false)
    raise PStore::Error, "not in transaction" unless @open
    raise PStore::Error, "in read-only transaction" if writing && @read_only
  end

  def __transaction(read_only)
    @open = true
    @read_only = read_only
    file = __locked(read_only)
    data = file ? file.read : ""
    @table = data.empty? ? {} : Marshal.load(data)
    raise PStore::Error, "PStore file seems to be corrupted." unless Hash === @table
    catch(:__pstore_abort) do
      value = catch(:__pstore_commit) { yield self }
      __save(data) unless read_only
      value
    end
  ensure
    @table = nil
    @open = false
    file&.close
  end

  # The file, with its lock.  Between opening it and locking it another may have taken its place.
  def __locked(read_only)
    while true
      begin
        file = File.open(@filename, read_only ? "rb" : IO::RDWR | IO::CREAT | IO::BINARY)
      rescue Errno::ENOENT
        raise unless read_only
        return
      end
      file.flock(read_only ? File::LOCK_SH : File::LOCK_EX)
      begin
        return file if file.stat.ino == File.stat(@filename).ino
      rescue Errno::ENOENT
        return file if read_only
      end
      file.close
    end
  end

  def __save(old)
    data = Marshal.dump(@table)
    return if data == old
    new_name = "#{@filename}.#{Process.pid}.tmp"
    File.open(new_name, "wb") do |file|
      file.write(data)
      file.fsync if @ultra_safe
    end
    File.rename(new_name, @filename)
  rescue Exception
    File.unlink(new_name) if new_name && File.exist?(new_name)
    raise
  end
end
