# The object log: objects that a program sets aside, with a message, for whoever looks later, in whichever session.
#
# Entries are kept in one OrderedCollection, so sessions that add to it do not conflict; it is made by the first add_to_log
# that is committed.  Nothing here commits unless it says so.

class ObjectLogEntry
  PRIORITIES = {trace: 6, debug: 5, info: 4, warn: 3, error: 2, fatal: 1}.freeze

  PRIORITIES.each do |name, number|
    define_singleton_method(name) { |message, object = nil| new(message, number, object) }
    define_singleton_method(:"#{name}_level") { number }
  end

  # All entries, the oldest first.
  def self.object_log
    @log || Maglev.persistent { ObjectLogEntry.instance_variable_set(:@log, OrderedCollection.new) }
  end

  attr_reader :label, :priority, :object, :timestamp, :pid
  attr_accessor :tag

  def initialize(label, priority, object)
    @label, @priority, @object = label, priority, object
    @timestamp = Time.now
    @pid = Process.pid
  end

  def tagged? = !@tag.nil?
  def has_cc? = false

  def add_to_log
    ObjectLogEntry.object_log << self
    self
  end

  def to_s = inspect
end

module ObjectLog
  extend self

  ObjectLogEntry::PRIORITIES.each do |name, number|
    # The entries of that priority; with `abort`, of the newest view.
    define_method(:"#{name}s") do |abort = false|
      Maglev.abort_transaction if abort
      ObjectLogEntry.object_log.select { |entry| entry.priority == number }
    end
  end

  def to_a = ObjectLogEntry.object_log
  def to_ary = ObjectLogEntry.object_log.to_a

  # With `commit`: in a transaction of its own, so what is not committed yet is dropped.
  def delete(entry, commit = true)
    Maglev.abort_transaction if commit
    ObjectLogEntry.object_log.delete(entry)
    Maglev.commit_transaction if commit
  end
end

# An entry for an exception: the object is the exception, with its backtrace and causes.  MagLev saved the stopped thread, too.
class DebuggerLogEntry < ObjectLogEntry
  def self.create_continuation_labeled(label) = new(label, error_level, nil).add_to_log

  alias exception object
  def continuation = nil
  alias thread continuation

  def label_object(label, object)
    @label, @object = label, object
    self
  end

  %i[resume_continuation debug_continuation stop_continuation].each do |name|
    define_method(name) { raise NotImplementedError, "DebuggerLogEntry##{name}: a stopped thread can't be saved" }
  end
end

module Maglev
  module Debugger
    extend self

    class DebuggerException < Exception
      attr_accessor :cause, :log_entry

      def initialize(cause, log_entry)
        super(cause.message)
        @cause, @log_entry = cause, log_entry
      end
    end

    # Runs the block.  An exception that leaves it goes into the object log, and then on as a DebuggerException.
    def debug
      raise ArgumentError, "must supply a block to debug" unless block_given?
      begin
        yield
      rescue Exception => e
        raise DebuggerException.new(e, save_exception(e))
      end
    end

    # Commits an entry for the exception; what is not committed yet is dropped.  Without the exception when that can't be saved.
    def save_exception(exception)
      warn("Saving exception to ObjectLog, discarding transaction") if Maglev.needs_commit
      Maglev.abort_transaction
      begin
        __save(exception)
      rescue TransactionError => e
        Maglev.abort_transaction
        __save(nil, "#{exception.message} (#{exception.class}; not saved: #{e.message})")
      end
    end

    def debug_log_entry(entry)
      raise NotImplementedError, "Maglev::Debugger.debug_log_entry: a stopped thread can't be saved"
    end

    private def __save(exception, label = exception.message)
      Maglev.transaction { DebuggerLogEntry.create_continuation_labeled(label).label_object(label, exception) }
    end
  end
end
