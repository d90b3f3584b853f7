# objspace: sizes, references, allocation sites and dumps of objects (vm/core/objspace.c).
module ObjectSpace
  __load_objspace

  module_function

  def trace_object_allocations
    trace_object_allocations_start
    yield
  ensure
    trace_object_allocations_stop
  end

  def dump(obj, output: :string) = __emit(output, "rubyobj") { __dump(obj) }

  # full: also internal slots (there are none to show); since: only objects traced from that generation on.
  def dump_all(output: :file, full: false, since: nil, shapes: true) = __emit(output, "rubyheap") { __dump_all(since) }

  def self.__emit(output, name)
    case output
    when :string then yield
    when :stdout then $stdout.write(yield); nil
    when :file, nil
      require "tempfile"
      file = Tempfile.create([name, ".json"])
      file.write(yield)
      file.flush
      file
    when IO, -> (o) { o.respond_to?(:write) }
      output.write(yield)
      output
    else raise ArgumentError, "wrong output option: #{output.inspect}"
    end
  end
  private_class_method :__emit
end
