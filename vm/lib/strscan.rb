# StringScanner: walks a String by patterns.

class StringScanner
  class Error < StandardError; end
  Version = "3.1.6"

  attr_reader :string

  def initialize(string, *_, fixed_anchor: false)
    @string = string
    @fixed = fixed_anchor
    @pos = 0
    @prev = 0
    @match = nil
  end

  def fixed_anchor? = @fixed

  def string=(s)
    @string = s
    reset
    s
  end

  def concat(s)
    @string << s
    self
  end
  alias << concat

  def pos = @pos
  alias pointer pos

  def pos=(n)
    n += @string.bytesize if n < 0
    raise RangeError, "index out of range" if n < 0 || n > @string.bytesize
    @pos = n
  end
  alias pointer= pos=

  def charpos = @string.byteslice(0, @pos).length

  def reset
    @pos = 0
    @match = nil
    self
  end

  def terminate
    @pos = @string.bytesize
    @match = nil
    self
  end

  def eos? = @pos >= @string.bytesize
  def rest? = !eos?
  def rest = @string.byteslice(@pos, @string.bytesize - @pos) || ""
  def rest_size = [@string.bytesize - @pos, 0].max
  def beginning_of_line? = @pos == 0 || @string.getbyte(@pos - 1) == 10
  alias bol? beginning_of_line?

  # Matches at the position (anchored) or from it on; gives the bytes passed, nil without a match.
  def __match(pattern, anchored, advance)
    if pattern.is_a?(String)
      at = anchored ? (@string.byteslice(@pos, pattern.bytesize) == pattern ? @pos : nil) : @string.byteindex(pattern, @pos)
      unless at
        @match = nil
        return nil
      end
      @match = pattern
      @from = at
      @to = at + pattern.bytesize
    else
      raise TypeError, "wrong argument type #{pattern.class} (expected Regexp)" unless pattern.is_a?(Regexp)
      text = rest
      m = anchored ? __anchored(pattern, text) : pattern.match(text)
      unless m
        @match = nil
        return nil
      end
      @match = m
      @from = @pos + m.byteoffset(0)[0]
      @to = @pos + m.byteoffset(0)[1]
    end
    @prev = @pos
    length = @to - @pos
    @pos = @to if advance
    length
  end

  def __anchored(pattern, text)
    cache = (@anchored ||= {})
    re = (cache[pattern] ||= Regexp.new("\\A(?:#{pattern.source})", pattern.options))
    re.match(text)
  end

  def scan(pattern) = (n = __match(pattern, true, true)) && @string.byteslice(@prev, n)
  def match?(pattern) = __match(pattern, true, false)
  def skip(pattern) = __match(pattern, true, true)
  def check(pattern) = (n = __match(pattern, true, false)) && @string.byteslice(@pos, n)
  def scan_until(pattern) = (n = __match(pattern, false, true)) && @string.byteslice(@prev, n)
  def skip_until(pattern) = __match(pattern, false, true)
  def check_until(pattern) = (n = __match(pattern, false, false)) && @string.byteslice(@pos, n)
  def exist?(pattern) = __match(pattern, false, false)
  def search_full(pattern, advance, string) = (n = __match(pattern, false, advance)) && (string ? @string.byteslice(@prev, n) : n)
  def scan_full(pattern, advance, string) = (n = __match(pattern, true, advance)) && (string ? @string.byteslice(@prev, n) : n)

  def getch = scan(/./m)

  def get_byte
    return (@match = nil) if eos?
    @match = @string.byteslice(@pos, 1)
    @prev = @from = @pos
    @to = @pos += 1
    @match
  end

  def scan_byte = eos? ? nil : get_byte.getbyte(0)
  def peek_byte = @string.getbyte(@pos)
  def peek(n) = @string.byteslice(@pos, n) || ""

  def scan_integer(base: 10)
    s = scan(base == 16 ? /[+-]?(?:0x)?[0-9a-fA-F]+/ : /[+-]?\d+/)
    s && s.to_i(base)
  end

  def unscan
    raise Error, "unscan error: previous match record not exist" unless @match
    @pos = @prev
    @match = nil
    self
  end

  def matched = @match && @string.byteslice(@from, @to - @from)
  def matched? = !@match.nil?
  def matched_size = @match && @to - @from
  def pre_match = @match && @string.byteslice(0, @from)
  def post_match = @match && @string.byteslice(@to, @string.bytesize - @to)

  def [](i)
    return nil unless @match
    return (i == 0 || i == -1 ? @match : nil) if @match.is_a?(String)
    if i.is_a?(String) || i.is_a?(Symbol)
      raise IndexError, "undefined group name reference: #{i}" unless @match.names.include?(i.to_s)
    end
    @match[i]
  end

  def size = @match && (@match.is_a?(String) ? 1 : @match.size)
  def captures = @match && (@match.is_a?(String) ? [] : @match.captures)
  def values_at(*i) = @match && (@match.is_a?(String) ? [@match] : @match.to_a).values_at(*i)
  def named_captures = @match.is_a?(MatchData) ? @match.named_captures : {}

  def inspect
    return "#<StringScanner fin>" if eos?
    before = @pos == 0 ? "" : " " + (@pos > 5 ? "..." + @string.byteslice(@pos - 5, 5) : @string.byteslice(0, @pos)).inspect
    after = rest_size > 5 ? rest.byteslice(0, 5) + "..." : rest
    "#<StringScanner #{@pos}/#{@string.bytesize}#{before} @ #{after.inspect}>"
  end
end
