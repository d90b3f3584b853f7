# What require "pathname" adds to the core class: walks and removals that need other libraries.
class Pathname
  def find(ignore_error: true)
    return to_enum(:find, ignore_error: ignore_error) unless block_given?
    pending = [self]
    while (path = pending.shift)
      catch(:prune) do
        yield path
        next unless path.directory? && !path.symlink?
        pending.unshift(*path.children.sort)
      rescue SystemCallError
        raise unless ignore_error
      end
    end
  end

  def rmtree(noop: nil, verbose: nil, secure: nil)
    require "fileutils"
    FileUtils.rm_rf(@path, noop: noop, verbose: verbose, secure: secure)
    self
  end

  def self.mktmpdir
    require "tmpdir"
    return new(Dir.mktmpdir) unless block_given?
    Dir.mktmpdir { |path| yield new(path) }
  end
end
