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
end
