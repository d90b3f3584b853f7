# GC: what is shorter in Ruby than in C.

module GC
  # Compacts, and writes a picture of the session's heap before and after it to io: a cell a slot, coloured free, live, pinned,
  # moved (heap_map.c).  format: :png or :svg, by default what io's name ends with.
  def self.heap_map(io, format: nil)
    format ||= io.respond_to?(:path) && io.path.to_s.end_with?(".svg") ? :svg : :png
    raise ArgumentError, "format must be :png or :svg" unless format == :png || format == :svg
    io.write(__heap_map(format == :svg))
    io
  end

  def self.__heap_map_at_exit(path)
    at_exit { File.open(path, "wb") { |io| heap_map(io) } }
  end

  INTERNAL_CONSTANTS = {
    DEBUG: false, BASE_SLOT_SIZE: 16, RBASIC_SIZE: 8, RVALUE_OVERHEAD: 0, HEAP_PAGE_OBJ_LIMIT: 4096, HEAP_PAGE_BITMAP_SIZE: 512,
    HEAP_PAGE_SIZE: 65_536, HEAP_COUNT: 29, RVARGC_MAX_ALLOCATE_SIZE: 32_768, RVALUE_OLD_AGE: 1,
  }.freeze

  # A row for each collection while it is enabled.  Times are the processor's; what marks and sweeps in steps is added up.
  module Profiler
    class << self
      def enabled? = GC.__profiling

      def enable
        GC.__profiling = true
        nil
      end

      def disable
        GC.__profiling = false
        nil
      end

      def clear = GC.__profile_clear

      def raw_data
        GC.__profile.map do |flags, at, took, used, total, cells, moved|
          {GC_FLAGS: flags, GC_TIME: took, GC_INVOKE_TIME: at, HEAP_USE_SIZE: used, HEAP_TOTAL_SIZE: total,
           HEAP_TOTAL_OBJECTS: cells, MOVED_OBJECTS: moved, GC_IS_MARKED: true}
        end
      end

      def total_time = GC.__profile.sum(0.0) { |row| row[2] }

      def result
        rows = GC.__profile
        return "" if rows.empty?
        text = +"GC #{GC.count} invokes.\n"
        text << "Index    Invoke Time(sec)       Use Size(byte)     Total Size(byte)         Total Object" \
                "                    GC Time(ms)\n"
        rows.each_with_index do |(_, at, took, used, total, cells), i|
          text << format("%5d %19.3f %20d %20d %20d %30.20f\n", i + 1, at, used, total, cells, took * 1000)
        end
        text
      end

      def report(out = $stdout)
        out.write(result)
        nil
      end
    end
  end
end
