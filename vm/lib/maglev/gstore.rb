# GStore: PStore whose tables are plain Hashes of the store, under Maglev::PERSISTENT_ROOT[:all_data] by name.
#
# A transaction of a GStore is a nested one: others see it when the program commits.
require "pstore"

class GStore < PStore
  # Takes the table of that name out.
  def self.rm(name)
    Maglev.transaction { __tables.delete(name) }
  end

  def self.__tables = Maglev::PERSISTENT_ROOT[:all_data] ||= {}

  def initialize(name = "")
    @name = name
    Maglev.transaction { GStore.__tables[name] ||= {} }
    @open = false
  end

  def path = @name

  def transaction(read_only = false)
    raise PStore::Error, "nested transaction" if @open
    @open = true
    @read_only = read_only
    keep = false
    Maglev.begin_nested_transaction
    @table = GStore.__tables[@name] ||= {}
    result = catch(:__pstore_abort) do
      value = catch(:__pstore_commit) { yield self }
      keep = !read_only
      value
    end
    result
  ensure
    if @table
      @table = nil
      @open = false
      keep ? Maglev.commit_transaction : Maglev.abort_transaction
    end
  end
end
