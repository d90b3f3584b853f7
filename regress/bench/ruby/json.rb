# A JSON parser and printer written in Ruby.
class Parser
  def initialize(text)
    @text = text
    @at = 0
  end

  def parse
    skip
    case c = @text[@at]
    when "{" then object
    when "[" then array
    when '"' then string
    when "t" then word("true", true)
    when "f" then word("false", false)
    when "n" then word("null", nil)
    else c =~ /[-0-9]/ ? number : raise("bad character #{c.inspect} at #{@at}")
    end
  end

  private

  def skip
    @at += 1 while (b = @text.getbyte(@at)) && (b == 32 || b == 10 || b == 9 || b == 13)
  end

  def word(text, value)
    raise "bad word" unless @text[@at, text.size] == text
    @at += text.size
    value
  end

  def object
    @at += 1
    result = {}
    loop do
      skip
      break @at += 1 if @text[@at] == "}"
      key = string
      skip
      raise "no colon" unless @text[@at] == ":"
      @at += 1
      result[key] = parse
      skip
      @at += 1 if @text[@at] == ","
    end
    result
  end

  def array
    @at += 1
    result = []
    loop do
      skip
      break @at += 1 if @text[@at] == "]"
      result << parse
      skip
      @at += 1 if @text[@at] == ","
    end
    result
  end

  def string
    @at += 1
    out = +""
    until (c = @text[@at]) == '"'
      if c == "\\"
        @at += 1
        c = { "n" => "\n", "t" => "\t" }.fetch(@text[@at], @text[@at])
      end
      out << c
      @at += 1
    end
    @at += 1
    out
  end

  def number
    from = @at
    @at += 1 while (c = @text[@at]) && "+-.eE0123456789".include?(c)
    s = @text[from...@at]
    s =~ /[.eE]/ ? s.to_f : s.to_i
  end
end

def print_json(value, out = +"")
  case value
  when Hash
    out << "{"
    value.each_with_index do |(k, v), i|
      out << "," if i > 0
      print_json(k, out) << ":"
      print_json(v, out)
    end
    out << "}"
  when Array
    out << "["
    value.each_with_index do |v, i|
      out << "," if i > 0
      print_json(v, out)
    end
    out << "]"
  when String
    out << '"' << value.gsub(/["\\\n]/) { |c| c == "\n" ? "\\n" : "\\#{c}" } << '"'
  when nil then out << "null"
  else out << value.to_s
  end
  out
end

data = Array.new(100) do |i|
  { "id" => i, "name" => "Name \"#{i}\"", "tags" => ["a", "b\n", nil, true], "price" => i * 1.25, "nested" => { "x" => [i, -i] } }
end
text = print_json(data)
again = nil
50.times { again = Parser.new(text).parse }
50.times { raise "printed otherwise" unless print_json(again) == text }
raise "wrong: #{text.size}" unless again == data && text.size == 9722
