# Shellwords: splits and quotes as a shell does.
module Shellwords
  module_function

  def shellsplit(line)
    words = []
    field = +""
    line.scan(/\G\s*(?>([^\0\s\\'"]+)|'([^\0']*)'|"((?:[^\0"\\]|\\[^\0])*)"|(\\[^\0]?)|(\S))(\s|\z)?/m) do |word, sq, dq, esc, garbage, sep|
      raise ArgumentError, "Unmatched quote: #{line}" if garbage
      field << (word || sq || (dq && dq.gsub(/\\([$`"\\\n])/, '\\1')) || esc.gsub(/\\(.)/, '\\1'))
      if sep
        words << field
        field = +""
      end
    end
    words
  end
  alias split shellsplit
  alias shellwords shellsplit

  def shellescape(str)
    str = str.to_s
    raise ArgumentError, "NUL character" if str.include?("\0")
    return "''" if str.empty?
    str.gsub(/[^A-Za-z0-9_\-.,:+\/@\n]/) { |c| "\\" + c }.gsub("\n", "'\n'")
  end
  alias escape shellescape

  def shelljoin(array) = array.map { |a| shellescape(a) }.join(" ")
  alias join shelljoin
  module_function :split, :shellwords, :escape, :join
end

class String
  def shellsplit = Shellwords.split(self)
  def shellescape = Shellwords.escape(self)
end
class Array
  def shelljoin = Shellwords.join(self)
end
