# Maglev::Gprof: where a program spends its time, by samples.  A thread wakes at each interval and counts the methods on the stack
# of the thread that began it.  Threads share the processor fairly, so waiting counts as what waited.

module Maglev
  class Gprof
    # A report, as text, on what the block did.
    def self.monitor(interval_ns = 1_000_000)
      profile = create(interval_ns)
      profile.resume_sampling
      begin
        yield
      ensure
        profile.suspend_sampling
      end
      profile.stop_and_report
    end

    # A profile that does not sample yet.
    def self.create(interval_ns) = new(interval_ns)

    # The interval that gives about 20,000 samples of what takes so many seconds.
    def self.compute_interval(seconds) = [(seconds * 5.0e4).to_i, 1000].max

    def initialize(interval_ns)
      raise ArgumentError, "the interval must be positive" unless interval_ns > 0
      @interval = interval_ns / 1.0e9
      @samples = 0
      @own = Hash.new(0)
      @all = Hash.new(0)
      @calls = Hash.new(0)
    end

    def resume_sampling
      raise "the profile has ended" if @ended
      return if @sampler
      target = Thread.current
      @sampler = Thread.new do
        while true
          sleep @interval
          __take(target.backtrace_locations)
        end
      end
      nil
    end

    def suspend_sampling
      @sampler&.kill
      @sampler = nil
    end

    def stop_and_report
      suspend_sampling
      @ended = true
      text = +"#{@samples} samples, one each #{(@interval * 1.0e6).round} microseconds\n\n"
      text << "   own %  with callees %  samples  method\n"
      @all.sort_by { |name, n| [-@own[name], -n, name] }.each do |name, n|
        text << format("%8.2f  %14.2f  %7d  %s\n", __percent(@own[name]), __percent(n), @own[name], name)
      end
      text << "\nsamples  caller -> method\n"
      @calls.sort_by { |(from, to), n| [-n, from, to] }.each { |(from, to), n| text << format("%7d  %s -> %s\n", n, from, to) }
      text
    end

    private

    def __percent(n) = @samples == 0 ? 0.0 : n * 100.0 / @samples

    def __take(frames)
      names = frames&.map(&:label)
      return if names.nil? || names.empty?
      @samples += 1
      @own[names.first] += 1
      names.uniq.each { |name| @all[name] += 1 }
      names.each_cons(2).to_a.uniq.each { |to, from| @calls[[from, to]] += 1 }
    end
  end
end
