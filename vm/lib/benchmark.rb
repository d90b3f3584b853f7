# Benchmark: how long code takes.
module Benchmark
  VERSION = "0.5.0"
  CAPTION = "      user     system      total        real\n"
  FORMAT = "%10.6u %10.6y %10.6t %10.6r\n"

  class Tms
    CAPTION = Benchmark::CAPTION
    FORMAT = Benchmark::FORMAT
    attr_reader :utime, :stime, :cutime, :cstime, :real, :total, :label

    def initialize(utime = 0.0, stime = 0.0, cutime = 0.0, cstime = 0.0, real = 0.0, label = nil)
      @utime, @stime, @cutime, @cstime, @real, @label = utime, stime, cutime, cstime, real, label.to_s
      @total = utime + stime + cutime + cstime
    end

    def format(_ = nil) = Kernel.format("%10.6f %10.6f %10.6f (%10.6f)\n", utime, stime, total, real)
    def to_s = format
    def to_a = [label, utime, stime, cutime, cstime, real]
    def +(other) = Tms.new(utime + other.utime, stime + other.stime, cutime + other.cutime, cstime + other.cstime, real + other.real, label)
    def /(x) = Tms.new(utime / x, stime / x, cutime / x, cstime / x, real / x, label)
  end

  class Report
    attr_reader :list
    def initialize(width)
      @width = width
      @list = []
    end

    def report(label = "", *_, &block)
      print label.to_s.ljust(@width)
      t = Benchmark.measure(label, &block)
      print t.format
      @list << t
      t
    end
    alias item report
  end

  module_function

  def measure(label = "")
    t0 = Process.times
    r0 = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    t1 = Process.times
    r1 = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    Tms.new(t1.utime - t0.utime, t1.stime - t0.stime, t1.cutime - t0.cutime, t1.cstime - t0.cstime, r1 - r0, label)
  end

  def realtime
    r0 = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - r0
  end

  def bm(width = 0)
    print " " * width + CAPTION
    r = Report.new(width)
    yield r
    r.list
  end
  alias benchmark bm
  module_function :benchmark

  def bmbm(width = 0, &block) = bm(width, &block)
end
