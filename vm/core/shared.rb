# Locks, shared counters, durability: what sessions have beside their transactions.

module Maglev
  # The proof of a commit that was not waited for.
  class Ticket
    def initialize(lsn)
      @lsn = lsn
    end

    # Returns when the commit, and so every one before it, is on disk.
    def wait = Maglev.__wait_durable(@lsn)
    def durable? = Maglev.__durable?(@lsn)
    def inspect = "#<#{self.class} #{durable? ? "durable" : "not durable yet"}>"
  end

  class << self
    # Commits without waiting for the disk; the ticket's wait does.
    def commit_async
      commit(durability: :ticket)
      Ticket.new(__last_lsn)
    end

    # Locks for reading: others may read-lock too, but not commit a change.  true, or :changed when the object has been
    # committed by another since this session's view (the lock is held; abort to see the change).  LockError when another
    # has a write lock; with wait: (seconds, or true for ever) only when it is not granted in that time or never will be.
    def read_lock(object, wait: nil) = __ask_lock(object, :read, wait)

    # Locks for writing: no other session has any lock, none can commit a change.
    def write_lock(object, wait: nil) = __ask_lock(object, :write, wait)

    # Gives one lock back; false when this session had none.
    def remove_lock(object) = __unlock(__lock_target(object))

    def remove_locks_for_session
      __unlock_all
      true
    end

    # Commits and, when that succeeds, gives back all locks; false on a conflict.
    def commit_and_release_locks
      commit_transaction
      remove_locks_for_session
    rescue CommitFailedException
      false
    end

    # Who has locks on the object: Array of {kind:, session:, pid:}.
    def lock_holders(object)
      target = __lock_target(object)
      __locks(target, false).map { |_, kind, session, pid| {kind: kind, session: session, pid: pid} }
    end

    # :read, :write or nil: this session's lock on the object.
    def lock_kind(object) = __locks(__lock_target(object), true).first&.[](1)

    # This session's locks: {read: [objects], write: [objects]}.
    def session_locks
      locks = {read: [], write: []}
      __locks(nil, true).each { |object, kind,| locks[kind] << object }
      locks
    end

    def __lock_target(object) = ReducedConflict === object ? object.__part : object

    def __ask_lock(object, kind, wait)
      target = __lock_target(object)
      answer = __lock(target, kind, wait)
      return answer unless LockError === answer
      raise answer unless wait
      limit = wait == true ? nil : Process.clock_gettime(Process::CLOCK_MONOTONIC) + wait
      nap = 0.0005
      begin
        while LockError === answer
          raise answer if limit && Process.clock_gettime(Process::CLOCK_MONOTONIC) >= limit
          sleep(nap)
          nap = [nap * 2, 0.02].min
          answer = __lock(target, kind, true)
        end
      ensure
        __lock_wait_over
      end
      answer
    end
    private :__lock_target, :__ask_lock
  end

  module System
    class << self
      %i[read_lock write_lock remove_lock remove_locks_for_session commit_and_release_locks lock_holders lock_kind
         session_locks].each do |name|
        define_method(name) { |*args, **options| Maglev.__send__(name, *args, **options) }
      end

      # 128 shared 64-bit counters, outside transactions: a change is everyone's at once and survives a crash.
      def pcounter(number) = Maglev.__counter(number)
      def set_pcounter(number, value) = Maglev.__counter_set(number, Maglev.__send__(:__wrap, value))
      def increment_pcounter(number, by = 1) = Maglev.__counter_add(number, Maglev.__send__(:__wrap, by))
      def decrement_pcounter(number, by = 1) = Maglev.__counter_add(number, Maglev.__send__(:__wrap, -by))
    end
  end

  # An Integer as 64 bits hold it.
  def self.__wrap(value) = (value + (1 << 63)) % (1 << 64) - (1 << 63)
  private_class_method :__wrap
end

class LockError
  # The object, :read or :write as asked for, and who has it.
  attr_reader :object, :kind, :session, :pid
  def deadlock? = @deadlock
end
