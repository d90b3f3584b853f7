# Maglev::TransactionWrapper: Rack middleware, each request a transaction.  It begins with the newest view, is committed when
# the status is 200 to 399 and dropped otherwise.  A request whose commit clashes is answered again, from its beginning, up to
# `retries` times; then CommitFailedException leaves it.  All threads of a session share its transaction, so one request
# runs at a time.
module Maglev
  class TransactionWrapper
    def initialize(app, retries: 10)
      @app = app
      @retries = retries
      @one_at_a_time = Thread::Mutex.new
    end

    def call(env)
      @one_at_a_time.synchronize do
        attempt = 0
        begin
          env["rack.input"].rewind if attempt > 0 && env["rack.input"].respond_to?(:rewind)
          __answer(env.dup)
        rescue CommitFailedException
          Maglev.abort_transaction
          raise if (attempt += 1) > @retries
          retry
        end
      end
    end

    def committable?(status) = !status.nil? && (200..399).cover?(status)

    private

    def __answer(env)
      Maglev.abort_transaction
      done = false
      response = @app.call(env)
      Maglev.commit_transaction if (done = committable?(response[0]))
      response
    ensure
      Maglev.abort_transaction unless done
    end
  end
end
