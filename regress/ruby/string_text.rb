# String: case, encodings, inspection, patterns, scanning, splitting.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
%w[hello HELLO héLLO straße ǆ ŉ İstanbul ΑΣ ﬁ ﬀ ß ÿ µ ω Ж ἀ ᾳ ა Ⴀ ⅷ ⓐ Ａ ı].each do |s|
  t(s) { [s.upcase, s.downcase, s.capitalize, s.swapcase] }
  t(s) { s.downcase(:fold) }
end
t { "i".upcase(:turkic) }
t { "I".downcase(:turkic) }
t { "é".upcase(:ascii) }
t { "a".upcase(:foo) }
t { "a".upcase(:fold) }
t { "a".upcase(1) }
t { (+"A").upcase! }
t { (+"a").upcase! }
t { "\xff".upcase }
t { "a\xff".b.upcase }
t { "é".encode("ISO-8859-1").upcase }
["abc", "a\"b\\", "\e\a\b\t\n\v\f\r\0\x7f\x01", "é", "\u200b", "\u{1F600}", "\#{a} \#@a \#$a #a", "\xff\xfe", "a\xe3\x81", "\u{10ffff}", "\u0085", "\ufeff"].each do |s|
  t { s }
  t { s.b }
  t { s.dump }
  t { s.valid_encoding? }
  t { s.ascii_only? }
  t { s.scrub }
  t { s.scrub("?") }
  t { s.scrub { |b| "<#{b.unpack1("H*")}>" } }
end
t { "é".force_encoding("US-ASCII") }
t { "é".force_encoding("ISO-8859-1") }
t { "é".encode("UTF-16LE") }
t { "é".encode("UTF-16BE").bytes }
t { "é".encode("UTF-16").bytes }
t { "é".encode("UTF-32LE").bytes }
t { "あ".encode("EUC-JP").bytes }
t { "あ".encode("Shift_JIS").bytes }
t { "あ".encode("Windows-31J").inspect }
t { "あ".encode("ISO-2022-JP").bytes }
t { "あ".encode("EUC-JP").encode("UTF-8") }
t { "é".encode("Windows-1252").bytes }
t { "é".encode("ISO-8859-1").inspect }
t { "\x82\xA0".force_encoding("Shift_JIS").encode("UTF-8") }
t { "é".encode("US-ASCII") }
t { "é".encode("US-ASCII", undef: :replace) }
t { "é".encode("US-ASCII", undef: :replace, replace: "e") }
t { "é".encode("US-ASCII", fallback: { "é" => "E" }) }
t { "é".encode("US-ASCII", fallback: ->(c) { c.ord.to_s }) }
t { "\xff".encode("UTF-16LE") }
t { "\xff".encode("UTF-16LE", invalid: :replace).bytes }
t { "a\xffb".encode("UTF-8", invalid: :replace) }
t { "a\xffb".encode("UTF-8", "UTF-8", invalid: :replace, replace: "?") }
t { "\xe3\x81".encode("UTF-16LE") }
t { "\xff".b.encode("UTF-8") }
t { "é".encode("foo") }
t { "<a&\"é>".encode(xml: :text) }
t { "<a&\"é>".encode(xml: :attr) }
t { "<é>".encode("US-ASCII", xml: :text) }
t { "a\r\nb".encode(universal_newline: true) }
t { "a\nb".encode(crlf_newline: true) }
t { "あ".encode("ISO-8859-1") }
t { "a".encode("UTF-16LE") + "b" }
t { "é" + "\xff".b }
t { "é".encode("ISO-8859-1") + "é" }
t { "é" + "a".b }
t { ("a".b + "é").encoding }
t { "é".b == "é" }
t { Encoding.compatible?("a", "é".b) }
t { Encoding.compatible?("é", "é".b) }
t { Encoding.find("utf-8") }
t { Encoding.find("xyz") }
t { Encoding::UTF_8.names.first(2) }
t { Encoding::UTF_8.inspect }
t { Encoding::BINARY.to_s }
t { Encoding::UTF_16.dummy? }
t { Encoding::UTF_16LE.ascii_compatible? }
t { Encoding.aliases["BINARY"] }
t { __ENCODING__ }
t { "é".unpack("U*") }
t { "aé".encode("UTF-16LE").chars.size }
t { "aé".encode("UTF-16LE").valid_encoding? }
t { "aé".encode("UTF-16LE").inspect }
t { "あいう".encode("EUC-JP")[1].encode("UTF-8") }
t { "あいう".encode("Shift_JIS").reverse.encode("UTF-8") }
t { Encoding::Converter.new("UTF-8", "ISO-8859-1").convert("é").bytes }
t { Encoding.default_external }
# patterns
t { "hello".sub("l", "L") }
t { "hello".sub(/l/) { |m| m.upcase } }
t { "hello".gsub("l", "L") }
t { "hello".gsub(/l/, "L") }
t { "hello".gsub(/(l)(l)/, '\2-\1') }
t { "hello".gsub(/(?<a>l)/, '<\k<a>>') }
t { "hello".gsub(/l/, "l" => "1") }
t { "hello".gsub(/[el]/, "e" => 3, "l" => nil) }
t { "hello".gsub(/l/) { $&.upcase + $`.size.to_s + $'.size.to_s } }
t { "hello".gsub(/x*/, "-") }
t { "héllo".gsub(/l*/, "-") }
t { "hello".gsub("", "-") }
t { "hello".gsub(/(?=l)/, "|") }
t { "hello".gsub(/l/).to_a }
t { "hello".gsub(/l/).with_index.map { |m, i| "#{m}#{i}" } }
t { "a.b".gsub(".", "-") }
t { "a\\b".gsub("\\", "\\\\\\\\") }
t { "abc".sub(/b/, '[\0\&\`\'\\\\]') }
t { "abc".sub(/(b)/, '\1\9\2') }
t { "abc".sub("b", '\k<x>') }
t { "abc".sub(/(?<n>b)/, '\k<x>') }
t { (+"abc").sub!("x", "y") }
t { (+"abc").gsub!("b", "y") }
t { "abc".sub }
t { "abc".sub("a") }
t { "abc".gsub("b", 1) }
t { "abc".gsub(1, "x") }
t { "abc".freeze.sub!("b", "x") }
t { "hello world".scan(/o/) }
t { "hello world".scan(/(.)o(.)/) }
t { "hello".scan("l") }
t { r = []; "hello".scan(/l/) { r << $~.begin(0) }; r }
t { "hello".scan(/x*/) }
t { "日本語".scan(/./) }
t { "abc".scan(/(?:b)/) ; $~ }
t { "a,b,,c,,".split(",") }
t { "a,b,,c,,".split(",", -1) }
t { "a,b,c".split(",", 2) }
t { " a  b c ".split }
t { " a  b c ".split(" ") }
t { " a  b c ".split(" ", 2) }
t { " a  b c ".split(" ", -1) }
t { " a b".split(/ /) }
t { "abc".split("") }
t { "abc".split(//) }
t { "abc".split(//, 2) }
t { "abc".split("", 2) }
t { "a1b2c3".split(/\d/) }
t { "a1b2c3".split(/(\d)/) }
t { "a1b2c3".split(/(\d)/, -1) }
t { "".split(",") }
t { "".split(",", -1) }
t { ",".split(",") }
t { "aXbXc".split("X") { |x| print x }; puts }
t { "a b c".split(nil) }
t { "1, 2, 3".split(/,\s*/) }
t { "abc".split(/b/) }
t { "hi mom".split(%r{\s*}) }
t { "mellow yellow".split("ello") }
t { "1,2,,3,4,,".split(",", 4) }
t { "a\u3042b".split("\u3042") }
t { "aaa".split("a") }
t { "aaa".split("a", -1) }
t { "abc".split(1) }
t { "a\nb".split("\n") }
t { "\ta\n b".split }
t { "hello" =~ /ll/; [$~[0], $`, $', $1] }
t { "hello".match(/l(l)(o)?/).to_a }
t { "hello".match("l").begin(0) }
t { "hello".match(/l/, 3).begin(0) }
t { "hello".match(/z/) }
t { "hello".match(/l/) { |m| m[0] * 2 } }
t { "hello".match?(/L/i) }
t { "hello".match?(/l/, 4) }
t { "héllo".match(/l/).begin(0) }
t { "héllo" =~ /l/ }
t { "abc".match(nil) }
t { "foo bar".match(/(?<first>\w+) (?<last>\w+)/).named_captures }
t { if /(?<yy>\d+)-(?<mm>\d+)/ =~ "2024-05" then [yy, mm] end }
t { case "hello" when /^h(.)/ then $1 end }
t { "hello" !~ /z/ }
t { "abc".tr("a-c", "A-C") }
t { "x-y_z".tr("-_", "  ") }
t { $~ = nil; $1 }
t { "a\nb" =~ /a$/ }
t { "a\nb" =~ /\Ab/ }
t { "a\nb".match(/a.b/m).to_s }
t { "aB" =~ /b/i }
t { "a b" =~ /a\ b/x }
