# Module#method_source: the text of a method, read from its file.
class Module
  # [text, file, line] of the instance method, or of the method of the module itself; nil for a method of the core.  The text is
  # nil when the file is not there, or has become another.
  def method_source(name, instance_method = true)
    file, line = (instance_method ? instance_method(name) : method(name)).source_location
    file && [Maglev.__source_at(file, line), file, line]
  end
end

# The shortest run of lines from there on that is a whole program.
def Maglev.__source_at(file, line)
  return unless File.file?(file)
  lines = File.readlines(file).drop(line - 1)
  (1..lines.size).each do |n|
    text = lines.first(n).join
    return text if __source_whole?(text)
  end
  nil
end

# Nothing of it runs: the parser reads all of it first.
def Maglev.__source_whole?(text)
  catch(:whole) { eval("throw :whole, true\n#{text}") }
rescue SyntaxError
  false
end
