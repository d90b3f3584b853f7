# text munging: wrap, diff, tables, csv, templating, roman, soundex, caesar, glob matcher
TEXT = <<~T
  It was the best of times, it was the worst of times, it was the age of
  wisdom...  “It was the epoch of belief”, it was the epoch of incredulity,
  it was the season of Light; naïve façade — Ünïcödé.
T
def wrap(s, w, just: false)
  lines = s.split.each_with_object([[]]) { |word, ls| (ls.last + [word]).join(" ").size > w ? ls << [word] : ls.last << word }
  return lines.map { _1.join(" ") } unless just
  lines.each_with_index.map do |ws, i|
    next ws.join(" ") if ws.size == 1 || i == lines.size - 1
    gaps, len = ws.size - 1, ws.sum(&:size)
    q, r = (w - len).divmod(gaps)
    ws.each_with_index.map { |x, k| k < gaps ? x + " " * (q + (k < r ? 1 : 0)) : x }.join
  end
end
puts wrap(TEXT, 30), wrap(TEXT, 28, just: true)
p TEXT.scan(/\p{L}+/).map(&:downcase).tally.sort_by { |w, n| [-n, w] }.first(6), TEXT.scan(/\b(\w)(\w*)\b/).first(3), TEXT[/“(?<q>[^”]+)”/, :q], TEXT =~ /epoch/, $~.pre_match[-5..], $', $~.begin(0), $~.byteoffset(0)
p TEXT.gsub(/\b(\p{L})(\p{L}*)/) { "#{$1.upcase}#{$2.downcase}" }.lines.first, TEXT.tr("a-y", "b-z").lines[1], TEXT.gsub(/(?<a>\w)(?<b>\w)/, '\k<b>\k<a>').lines.first, TEXT.sub("best") { |m| m.upcase + $`.size.to_s }.lines.first, TEXT.gsub(/[aeiou]/, "a" => "4", "e" => "3").lines.first, TEXT.each_line(chomp: true).map(&:size), TEXT.unpack("a5 x2 a3"), TEXT.squeeze("t").size, TEXT.delete("^a-z ").size, TEXT.count("a-z", "^aeiou"), TEXT.index("was", 10), TEXT.byteindex("façade"), TEXT.slice(4..10), TEXT.partition(/\. */).map(&:size), TEXT.rpartition(" ").map(&:size), TEXT.each_char.chunk_while { |a, b| a =~ /\w/ && b =~ /\w/ }.first(3).map(&:join), TEXT.crypt("xx"), TEXT.sum, TEXT.hash == TEXT.dup.hash, TEXT.casecmp("x"), TEXT.start_with?(/it/i), TEXT.delete_prefix("It "). size, TEXT.lines.map(&:strip).map(&:length), TEXT.upto("z").first(1).size, TEXT.ord, TEXT.encoding
def lcs(a, b)
  t = Array.new(a.size + 1) { [0] * (b.size + 1) }
  a.each_index.reverse_each { |i| b.each_index.reverse_each { |j| t[i][j] = a[i] == b[j] ? t[i + 1][j + 1] + 1 : [t[i + 1][j], t[i][j + 1]].max } }
  out, i, j = [], 0, 0
  while i < a.size || j < b.size
    if i < a.size && j < b.size && a[i] == b[j] then out << " #{a[i]}"; i += 1; j += 1
    elsif j >= b.size || (i < a.size && t[i + 1][j] >= t[i][j + 1]) then out << "-#{a[i]}"; i += 1
    else out << "+#{b[j]}"; j += 1 end
  end
  out
end
puts lcs(%w[a b c d e f], %w[a x c d f g])
class CSVish
  def self.parse(s, sep: ",") = s.each_line.slice_when { |a, b| false }.to_a.flatten.join.then { |t| rows(t, sep) }
  def self.rows(t, sep)
    out, row, f, q, i = [], [], +"", false, 0
    while i < t.size
      c = t[i]
      if q
        if c == '"' && t[i + 1] == '"' then f << '"'; i += 1
        elsif c == '"' then q = false
        else f << c end
      else
        case c
        when '"' then q = true
        when sep then row << f; f = +""
        when "\r" then nil
        when "\n" then out << (row << f); row, f = [], +""
        else f << c end
      end
      i += 1
    end
    out << (row << f) unless f.empty? && row.empty?
    out
  end
  def self.gen(rows) = rows.map { |r| r.map { |f| f.to_s.match?(/[",\n]/) ? %("#{f.to_s.gsub('"', '""')}") : f.to_s }.join(",") + "\n" }.join
end
csv = %(id,name,note\r\n1,"O'Hara, ""Scarlett""",ok\n2,"multi\nline",\n3,plain,"ü,x")
rows = CSVish.parse(csv)
p rows, CSVish.parse(CSVish.gen(rows)) == rows
head, *body = rows
p body.map { head.map(&:to_sym).zip(_1).to_h }.group_by { _1[:id].to_i.odd? }.transform_values { |v| v.map { |h| h.slice(:name) } }
tpl = "Hello {{name|upcase}}, you owe {{amt|money}}{{#late}} since {{date}}{{/late}}! {{missing}}{{list|join}}"
F = { "upcase" => :upcase.to_proc, "money" => ->(v) { "$%.2f" % v }, "join" => ->(a) { a.map.with_index(1) { |x, i| "#{i}.#{x}" } * "; " } }
def render(t, ctx) = t.gsub(/\{\{#(\w+)\}\}(.*?)\{\{\/\1\}\}/m) { ctx[$1.to_sym] ? $2 : "" }.gsub(/\{\{(\w+)(?:\|(\w+))?\}\}/) { v = ctx.fetch($1.to_sym) { next "<#$1?>" }; $2 ? F.fetch($2).(v) : v.to_s }
puts render(tpl, name: "Zoë", amt: 12.5, late: true, date: "2024", list: %w[a b]), render(tpl, name: "x", amt: 1, list: [])
ROM = { 1000 => "M", 900 => "CM", 500 => "D", 400 => "CD", 100 => "C", 90 => "XC", 50 => "L", 40 => "XL", 10 => "X", 9 => "IX", 5 => "V", 4 => "IV", 1 => "I" }
rom = ->(n) { ROM.reduce(+"") { |s, (v, r)| s << r * (n / v).tap { n %= v } } }
unrom = ->(s) { s.scan(/CM|CD|XC|XL|IX|IV|./).sum { ROM.key(_1) } }
p [1994, 2024, 49].map(&rom), (1..300).all? { unrom.(rom.(_1)) == _1 }
sdx = ->(w) { c = w.upcase.tr("AEIOUYHWBFPVCGJKQSXZDTLMNR", "00000099111122222222334556"); (w[0].upcase + c[1..].squeeze.delete("09") + "000")[0, 4] }
p %w[Robert Rupert Tymczak Pfister Honeyman].map(&sdx)
p "Hello, World!".gsub(/[a-z]/i) { |c| b = c =~ /[a-z]/ ? 97 : 65; ((c.ord - b + 13) % 26 + b).chr }, "hello".each_char.map { _1.ord.to_s(16) }.join(":"), "a-b_c d".split(/[-_ ]/), "a,b,,c,,".split(","), "a,b,,c,,".split(",", -1), "abc".split(""), " a  b ".split(" "), " a b".split(/ /), "a1b2".split(/(\d)/), "aXbXc".split("X", 2), "".split(","), "abc".each_char.with_index.map { |c, i| c * (i + 1) }.join("-"), "CamelCaseString".gsub(/([A-Z])/) { "_" + $1.downcase }.sub(/^_/, ""), "snake_case_here".split("_").each_with_index.map { |w, i| i.zero? ? w : w.capitalize }.join, "title case the words".split.map(&:capitalize).join(" "), "%s" % :sym, "abc" <=> "abd", "a".upto("e").to_a.join, "az".next, "Zz".succ, "a9".succ, "-9".succ, "1.9".succ, "".succ, "***".succ, "\xFF".b.succ, "a".ljust(3, "12") + "|", "x".center(6, "ab"), "abc".insert(-2, "Z"), "hello world".swapcase, "ab\tc".expand_tabs rescue p $!.class
p "héllo".unpack("U*").pack("U*") == "héllo", "abc".unpack1("@1a"), [1, 2, 3].pack("Cn*").bytes, [1.5].pack("E").unpack1("E"), ["616263"].pack("H*"), ["abc", "de"].pack("A5A5"), [1, 300].pack("U*").encoding, [1000].pack("w").bytes, ["abc"].pack("u"), ["a b=c\u00e9"].pack("M"), [-1].pack("q").unpack("Q"), [1, 2].pack("s>l<").bytes, "\x01\x02\x03\x04".unpack("nC2"), "abcdef".unpack("a2 @0 a1 x2 a*"), ["a", "b"].pack("Z*Z3").bytes, [3.14].pack("g").unpack1("g").round(2), "\xFF\xFF".unpack("s"), "ab".unpack("b*B*"), [1].pack("j").size, "MTIz\n".unpack1("m0") rescue p $!.message
def glob(pat, s) = Regexp.new('\A' + Regexp.escape(pat).gsub('\*', ".*").gsub('\?', ".").gsub(/\\\[(.*?)\\\]/) { "[#{$1.sub(/^!/, '^')}]" } + '\z').match?(s)
p glob("*.rb", "x.rb"), glob("?[a-c]*", "xbz"), glob("a.b", "axb"), File.fnmatch("*.{rb,py}", "a.py", File::FNM_EXTGLOB), File.fnmatch?("**/x", "a/b/x", File::FNM_PATHNAME), File.fnmatch("*", ".a"), File.fnmatch("[!a]b", "cb")
puts "%-20s|%+.3e|%08b|%s" % ["naïve", 12345.678, 37, %w[a b]], "abc" "def" 'g', <<~A + <<~'B', "tail #{"nested #{"deep #{1 + 1}"}"}"
  interp #{1 + 2}
    indented \t tab
A
  raw #{no} \t
B
p "ab" * 3, "a".."e", ("a".."e").include?("c"), ("a".."zz").count, "a" =~ /b/, "foo.bar(baz)".match(/(?<obj>\w+)\.(?<m>\w+)\((?<arg>.*?)\)/).named_captures(symbolize_names: true), "k1=v1;k2=v2".scan(/(\w+)=(\w+)/).to_h, $~[0], "aaa".gsub(/a/).with_index { |m, i| m + i.to_s }, "path/to/file".then { [File.basename(_1), File.dirname(_1), File.extname("a.tar.gz")] }, "x".encoding.name, "\u00e9" == "e\u0301".unicode_normalize, "ÅÄÖ".downcase, "straße".upcase, "ǆ".capitalize, "ﬀ".upcase, "i".upcase(:turkic), "hello"[1..], "hello"[-3, 2], "hello"[10], "hello"[5], "hello"[5, 1], "hello"[/l+/], "hello"["ell"], "hello".slice(1...-1), "hello".chars.each_slice(2).map(&:join), "hello".sub(/l(?=o)/, "L"), "hello".gsub(/(?<!l)l/, "1"), "price: $30".gsub(/\$(\d+)/, '€\1'), 'a\b'.gsub("\\", "\\\\\\\\"), "a.b".gsub(".", "-"), "abc".tr("a-c", "A-C"), "hello".tr("el", "ip"), "hello".tr("^l", "*"), "hello".tr_s("l", "r"), "he-llo".tr("-", "_"), "abc".delete("b-"), "aabbcc".squeeze("a-b"), "hello".each_grapheme_cluster.count
