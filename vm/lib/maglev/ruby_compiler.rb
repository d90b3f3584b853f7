# RubyCompiler: runs Ruby source from a String, at top level.
class RubyCompiler
  def compile(source, file = "<a String>") = eval(source, TOPLEVEL_BINDING, file)
end
