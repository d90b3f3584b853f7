# Maglev (also Lodestone): what is easiest said in Ruby.

module Maglev
  class CommitFailedException
    # Array of { kind:, oid:, object:, session:, pid:, commit: } hashes, one an object that clashed.
    def transaction_conflicts = @transaction_conflicts || []
  end

  # Runs the block and commits; on a conflict aborts, waits a little, and runs it again.
  # The block must find what it changes through the root each time.
  def self.transaction(retries: 100)
    attempt = 0
    begin
      result = yield
      commit_transaction
      result
    rescue CommitFailedException
      abort_transaction
      attempt += 1
      raise if attempt > retries
      sleep(rand * [0.0005 * (1 << [attempt, 8].min), 0.1].min)
      retry
    rescue Exception
      abort_transaction
      raise
    end
  end

  # The session, under the names that MagLev gave its parts.
  module System
    class << self
      # As Maglev.commit_transaction, but false on a conflict.
      def commit_transaction
        Maglev.commit_transaction
      rescue CommitFailedException
        false
      end

      def abort_transaction = Maglev.abort_transaction
      def begin_transaction = Maglev.begin_transaction
      def transaction_level = Maglev.transaction_level
      def needs_commit = Maglev.needs_commit
      def session_id = Maglev.session_id
      def session_count = Maglev.session_count
      def getpid = Process.pid
      def getppid = Process.ppid
      def getuid = Process.uid
      def geteuid = Process.euid
      def getgid = Process.gid
      def getegid = Process.egid
      def session_temp(key) = (@session_temps ||= {})[key]
      def session_temp_put(key, value) = (@session_temps ||= {})[key] = value
    end
  end
end

class TransactionError
  attr_reader :object, :path
end
