# Transactions of Maglev (also Lodestone): boundaries with their hooks, Maglev.transaction, instances of classes.
#
# All threads of a session share its transaction.  A block of Maglev.transaction holds BOUNDARY: the boundaries of other
# threads wait for its end.

module Maglev
  class CommitFailedException
    # Array of hashes, one an object that clashed: kind: (:write_write, :read_write, :extent, :write_lock, :read_lock,
    # :reduced_conflict, :busy), object:, oid:, class:, part: (of a class), session:, pid:, commit: (of who won).
    def transaction_conflicts = @transaction_conflicts || []
    def disconnect_conflicts = []
  end

  BOUNDARY = Thread::Mutex.new
  private_constant :BOUNDARY

  @hooks = { before_commit: [], after_commit: [], before_abort: [], after_abort: [] }

  class << self
    # Publishes the changes and takes the newest view.  In a nested transaction: hands them to the one around it.
    # A hook before it that raises keeps the transaction open.
    def commit_transaction
      __boundary do
        if transaction_level > 1
          __commit
        else
          __run_hooks(:before_commit)
          Index.__settle if in_transaction?
          __commit
          Index.__forget_moves
          __run_hooks(:after_commit)
        end
        true
      end
    end

    # As commit_transaction; this once waiting for what `durability` says: :durable, :group (as durable, but others may join
    # the write), :async or :ticket (not at all: the order of commits holds, a crash loses at most the last ones).
    def commit(durability: nil)
      durability ? __with_settings(durability, nil) { commit_transaction } : commit_transaction
    end

    # Drops the changes and takes the newest view.  In a nested transaction: drops what it changed, and keeps the view.
    def abort_transaction
      __boundary { __abort_with_hooks }
      System
    end
    alias abort abort_transaction

    # Drops the changes of all levels, takes the newest view and opens a transaction.
    def begin_transaction(isolation: nil)
      __boundary do
        __run_hooks(:before_abort) if needs_commit
        __begin(isolation)
      end
      nil
    end
    alias begin begin_transaction

    # Opens a transaction inside the one that is open, up to 16 levels; outside of any, one.  Its view is that of the
    # outermost.  Local variables, and objects not reachable from the root, are not undone.
    def begin_nested_transaction
      __boundary { __begin_nested }
      nil
    end

    # Takes the newest view and keeps the changes.  False when others changed what this transaction changed or, when
    # serializable, has read: then it can only be aborted (System.transaction_conflicts tells).
    def continue_transaction = __boundary { __continue }

    # Is a transaction open?
    def in_transaction? = transaction_level > 0

    # :snapshot or :serializable: the transaction under way.
    def transaction_isolation = __serializable? ? :serializable : :snapshot

    # Runs the block as a transaction of its own and commits.  On a conflict it aborts, waits a little (up to 0.1 s, at
    # random) and runs the block again, so the block must find what it changes through the root each time.  An
    # exception, throw or break aborts.  Inside another such block it is a nested transaction, which is not repeated.
    #
    # Changes made before the block belong to the transaction; then it can't be repeated and a conflict is raised.
    def transaction(retries: 100, isolation: nil, durability: nil, durable_reads: nil, &block)
      raise ArgumentError, "no block given" unless block
      return __nested_transaction(isolation, &block) if BOUNDARY.owned?

      BOUNDARY.synchronize do
        __with_settings(durability, durable_reads) { __repeat(retries, isolation, &block) }
      end
    end

    %i[before_commit after_commit before_abort after_abort].each do |name|
      # Calls the block at each such boundary (not at those of nested transactions).  Gives it back, for remove_hook.
      define_method(name) do |&block|
        raise ArgumentError, "no block given" unless block
        @hooks[name] += [block]
        block
      end
    end

    def remove_hook(block)
      @hooks.each_key { |name| @hooks[name] -= [block] }
      block
    end

    # The committed instances of cls (and its subclasses) in this session's view, in no order.
    def each_instance(cls, subclasses: true)
      return to_enum(:each_instance, cls, subclasses: subclasses) { count_instances(cls, subclasses: subclasses) } unless block_given?
      __instances(cls, subclasses).each { |oid| object = __instance(oid) and yield object }
      self
    end

    def instances(cls, subclasses: true) = each_instance(cls, subclasses: subclasses).to_a
    def count_instances(cls, subclasses: true) = __instances(cls, subclasses).size

    # Takes out of the store what no root reaches and no session holds, and returns {freed:, freed_bytes:, kept:}: objects, bytes
    # of them, objects that stay.  Waits until each session that was there when it began has come to a boundary (commit, abort,
    # begin), or has ended: raises MaglevException when one does not within collect_timeout.  This session must have nothing to
    # commit; its view moves.  The space is reclaimed by the compactor afterwards.
    def collect_garbage
      raise ImproperOperation, "a collection can't be made inside a nested transaction" if transaction_level > 1
      raise MaglevException, "uncommitted changes would be lost with the view: commit or abort first" if needs_commit
      number = __collect
      until (result = __collected(number))
        __boundary { __abort_with_hooks }
        sleep 0.005
      end
      return result.freeze if Hash === result
      raise MaglevException, "the collection was given up (the server's log says why); nothing was taken out"
    end

    def __boundary
      return yield if BOUNDARY.owned? || !BOUNDARY.locked?
      BOUNDARY.synchronize { yield }
    end

    def __run_hooks(name) = @hooks[name].each(&:call)

    def __abort_with_hooks
      return __abort if transaction_level > 1
      __run_hooks(:before_abort)
      __abort
      Index.__forget_moves
      __run_hooks(:after_abort)
    end

    def __with_settings(durability, durable_reads)
      old_durability = self.durability
      old_reads = durable_reads?
      self.durability = durability if durability
      self.durable_reads = durable_reads unless durable_reads.nil?
      yield
    ensure
      self.durability = old_durability
      self.durable_reads = old_reads
    end

    # Opens what the block runs in.  Isolation is a matter of the whole transaction: it can't change once there are changes.
    def __open(isolation)
      wanted = isolation ? isolation.to_sym : self.isolation
      return if in_transaction? && (wanted == transaction_isolation || isolation.nil?)
      if in_transaction? && needs_commit
        raise ImproperOperation, "uncommitted changes belong to a #{transaction_isolation} transaction: commit or abort them first"
      end
      __begin(isolation)
    end

    def __nested_transaction(isolation)
      if isolation && isolation.to_sym != transaction_isolation
        raise ImproperOperation, "the transaction around it is #{transaction_isolation}, so it can't be #{isolation}"
      end
      __begin_nested
      level = transaction_level
      done = false
      result = yield
      (transaction_level - level + 1).times { commit_transaction }
      done = true
      result
    ensure
      (transaction_level - level + 1).times { abort_transaction } if level && !done
    end

    def __repeat(retries, isolation)
      attempt = 0
      done = false
      __open(isolation)
      mine = !needs_commit
      begin
        result = yield
        commit_transaction while transaction_level > 1
        commit_transaction
        done = true
        result
      rescue CommitFailedException
        attempt += 1
        raise if attempt > retries || !mine
        sleep(rand * [0.0005 * (1 << [attempt, 8].min), 0.1].min) # before the abort, which takes the view for the next try
        __abort_with_hooks
        __open(isolation)
        retry
      end
    ensure
      unless done
        abort_transaction while transaction_level > 1
        abort_transaction
      end
    end
  end

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
      def begin_nested_transaction = Maglev.begin_nested_transaction
      def continue_transaction = Maglev.continue_transaction
      def transaction_level = Maglev.transaction_level
      def transaction_mode = Maglev.transaction_mode
      def transaction_mode=(mode)
        Maglev.transaction_mode = mode
      end

      def needs_commit = Maglev.needs_commit
      def in_transaction = Maglev.in_transaction?

      # As GemStone tells it: :commit_result, then for each kind ("Write-Write", ...) the objects.
      def transaction_conflicts
        list = Maglev.__conflicts
        result = { commit_result: list ? :failure : :success }
        (list || []).each { |c| (result[Maglev.__gemstone_kind(c[:kind])] ||= []) << c[:object] }
        result
      end
    end
  end

  # MagLev's Repository: the part that lists instances.
  class Repository
    @instance = new
    def self.instance = @instance

    # An Array of Arrays: the instances of each class, subclasses not counted.
    def list_instances(classes) = classes.map { |c| Maglev.instances(c, subclasses: false) }

    %i[full_backup_to restore_from_backup].each do |name|
      define_method(name) do |_file|
        raise NotImplementedError, "Maglev::Repository##{name}: copy the store's directory while no server has it open"
      end
    end
  end
end

class Class
  # The committed instances of this class and those below it.
  def each_instance(&block) = Maglev.each_instance(self, &block)
  def all_instances = Maglev.instances(self)
end
