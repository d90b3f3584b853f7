# Text: wrapping, tables, word counts, a template engine, Roman numerals, a trie, run-length and base64 codes.
TEXT = <<~END
  It was the best of times, it was the worst of times, it was the age of wisdom,
  it was the age of foolishness, it was the epoch of belief, it was the epoch of
  incredulity, it was the season of Light, it was the season of Darkness.
END

def wrap(text, width)
  lines = [+""]
  text.split.each do |word|
    if lines.last.empty? then lines.last << word
    elsif lines.last.size + word.size + 1 <= width then lines.last << " " << word
    else lines << word.dup
    end
  end
  lines
end

wrap(TEXT, 40).each { |l| puts "|#{l.ljust(40)}|" }

counts = TEXT.downcase.scan(/[a-z]+/).tally
top = counts.sort_by { |w, n| [-n, w] }.first(6)
width = top.map { |w, _| w.size }.max
top.each { |w, n| puts "#{w.rjust(width)} #{'#' * n} #{n}" }

class Template
  def initialize(source) = @source = source
  def render(vars = {}, **more)
    vars = vars.merge(more)
    @source.gsub(/\{\{\s*([\w.]+)(?:\s*\|\s*(\w+))?\s*\}\}/) do
      value = $1.split(".").inject(vars) { |v, k| v.is_a?(Hash) ? v.fetch(k.to_sym) : v.public_send(k) }
      value = value.to_s.public_send($2) if $2
      value
    end
  end
end
t = Template.new("Dear {{name | capitalize}}, {{ order.count }} of {{order.item|upcase}} ({{ name.size }})")
puts t.render(name: "maria", order: {count: 3, item: "tea"})
begin
  t.render(name: "x", order: {})
rescue KeyError => e
  puts "KeyError: #{e.message}"
end

ROMAN = {1000 => "M", 900 => "CM", 500 => "D", 400 => "CD", 100 => "C", 90 => "XC", 50 => "L", 40 => "XL", 10 => "X",
         9 => "IX", 5 => "V", 4 => "IV", 1 => "I"}.freeze
class Integer
  def to_roman
    n = self
    ROMAN.reduce(+"") { |s, (value, text)| s << text * (n / value).tap { n %= value } }
  end
end
class String
  def from_roman
    values = chars.map { |c| ROMAN.key(c) }
    values.each_cons(2).sum { |a, b| a < b ? -a : a } + values.last
  end
end
puts [1, 4, 9, 14, 40, 90, 400, 1994, 2024, 3999].map { |n| "#{n}=#{n.to_roman}=#{n.to_roman.from_roman}" }.join(" ")

class Trie
  Node = Struct.new(:children, :terminal) do
    def self.make = new(Hash.new { |h, k| h[k] = make }, false)
  end
  def initialize(words = []) = (@root = Node.make; words.each { add(_1) })
  def add(word) = word.each_char.inject(@root) { |n, c| n.children[c] }.terminal = true
  def complete(prefix)
    node = prefix.each_char.inject(@root) { |n, c| n&.children&.fetch(c, nil) } or return []
    found = []
    walk = ->(n, so_far) do
      found << so_far if n.terminal
      n.children.sort.each { |c, child| walk.(child, so_far + c) }
    end
    walk[node, prefix]
    found
  end
end
trie = Trie.new(%w[car card care cat dog do done])
p trie.complete("car"), trie.complete("do"), trie.complete("x"), trie.complete("")

def rle(s) = s.gsub(/(.)\1*/m) { "#{$&.size}#{$1}" }
def unrle(s) = s.scan(/(\d+)(\D)/).map { |n, c| c * n.to_i }.join
p rle("aaabccdddd"), unrle(rle("aaabccdddd")), rle("")

p ["Hello, wörld"].pack("m0"), ["Hello"].pack("m").unpack1("m")
p "wörld".bytes.size, "wörld".reverse, "wörld".upcase, "wörld".chars.each_slice(2).map(&:join), "ß".upcase, "ÄÖ".downcase
p "%05d|%-8s|%+.3e|%x|%o|%08b|%%|%c|%10.4s|" % [42, "left", 12345.678, 255, 8, 37, "z", "truncated"]
p "snake_case_word".split("_").map.with_index { |w, i| i.zero? ? w : w.capitalize }.join
p "CamelCaseWord".gsub(/(?<!^)[A-Z]/) { "_#{$&}" }.downcase, "title case here".split.map(&:capitalize).join(" ")
p "a-b_c d".tr("-_", "  "), "hello".tr("a-y", "b-z"), "hello".delete("l"), "aaabbb".squeeze, "hello world".count("lo")
p "abc".succ, "az".next, "zz".succ, "a9".succ, "Zz".succ, "1.9".succ
p "line1\nline2\r\nline3".lines, "line1\nline2".each_line(chomp: true).to_a, "a,b,,c,,".split(","), "a,b,,c,,".split(",", -1)
p "key=value; k2=v2".scan(/(\w+)=(\w+)/).to_h, "2024-05-17"[/(\d+)-(\d+)/, 2], "x".ord, "%s and %p" % ["str", "str"]
if (m = /(?<year>\d{4})-(?<month>\d\d)/.match("on 2024-05-17"))
  p m[:year], m["month"], m.pre_match, m.post_match, m.names, m.captures, m.begin(0), m.named_captures
end
p "hello world".each_char.chunk_while { |a, b| a <= b }.map(&:join), "mississippi".each_char.uniq.join, "hello"[1..3], "hello"[-3..]
p "The quick brown fox".sub(/quick (\w+)/, '\1 quick'), "path/to/file.rb".rpartition("/"), "a.b.c".partition(".")
p "abc" <=> "abd", "a".casecmp("A"), "a".casecmp?("A"), "abc".start_with?("ab"), "abc".end_with?("bc"), "abc".eql?("abc")
puts "ok".center(20, "*"), "tab\tquote\"\e[0m\u00e9\x01".inspect, 'sq\n'.inspect, "\u{1F600}".inspect, "é".unicode_normalize(:nfd).size rescue p $!.class
