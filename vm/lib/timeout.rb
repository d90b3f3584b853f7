# Timeout: a block that may not take longer than so many seconds.
module Timeout
  class ExitException < Exception; end
  class Error < RuntimeError
    def self.handle_timeout(message) = raise(self, message)
  end

  def self.timeout(sec, cls = nil, message = nil)
    return yield(sec) if sec.nil? || sec.zero?
    raise ArgumentError, "Timeout sec must be a non-negative number" if sec < 0
    scheduler = Fiber.current_scheduler
    if scheduler.respond_to?(:timeout_after)
      return scheduler.timeout_after(sec, cls || Error, message || "execution expired") { yield sec }
    end
    message ||= "execution expired"
    caller_thread = Thread.current
    done = false
    fired = ExitException.new(message)
    watch = Thread.new do
      sleep sec
      caller_thread.raise(cls ? cls.new(message) : fired) unless done
    end
    begin
      yield sec
    rescue ExitException => e
      raise unless e.equal?(fired)
      raise Error, message
    ensure
      done = true
      watch.kill
    end
  end

  def timeout(*a, &b) = Timeout.timeout(*a, &b)
  private :timeout
end
