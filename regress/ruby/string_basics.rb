# String: positions, searching, building, comparing.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
S = "héllo wörld"
t { "hello"[1] }
t { "hello"[-3] }
t { "hello"[10] }
t { "hello"[1, 3] }
t { "hello"[5, 1] }
t { "hello"[6, 1] }
t { "hello"[1..] }
t { "hello"[..2] }
t { "hello"[-3..-2] }
t { "hello"[1...-1] }
t { "hello"[5..] }
t { "hello"[6..] }
t { "hello"["ell"] }
t { "hello"["xyz"] }
t { "hello"[/l+/] }
t { "hello"[/(h)(e)/, 2] }
t { "hello"[/(?<x>l)/, "x"] }
t { "hello"[/(?<x>l)/, :y] }
t { "hello"[1.9] }
t { "hello"[nil] }
t { "hello"["a", 1] }
t { S[1] }
t { S[1, 5] }
t { S[-5..] }
t { S.length }
t { S.bytesize }
t { S.byteslice(1, 2) }
t { S.byteslice(1) }
t { S.byteslice(1..2) }
t { S.byteindex("w") }
t { S.byteindex("ö", 2) }
t { S.byterindex("l") }
t { S.index("w") }
t { S.index("ö") }
t { S.index(/[aeiou]/, 3) }
t { S.index("o", -3) }
t { S.index("o", 100) }
t { S.rindex("l") }
t { S.rindex(/l/, 4) }
t { S.rindex("h", -20) }
t { S.rindex("", 3) }
t { S.reverse }
t { S.chars }
t { S.bytes.size }
t { S.codepoints }
t { S.each_char.to_a.size }
t { S.each_char.size }
t { S.each_byte.size }
t { S.each_char.with_index.first(2) }
t { "a\u0300b🇯🇵👨‍👩‍👧".grapheme_clusters.map(&:size) }
t { "a\nb\r\nc".lines }
t { "a\nb\r\nc\n".lines(chomp: true) }
t { "a--b--c".lines("--") }
t { "a\n\nb\n\n\nc\n".lines("") }
t { "a\n\nb\n\n\nc\n".each_line("", chomp: true).to_a }
t { "abc".lines(nil) }
t { "a\nb".each_line.to_a }
t { s = +"hello"; s[0] = "J"; s }
t { s = +"hello"; s[1, 3] = "ipp"; s }
t { s = +"hello"; s[1..3] = ""; s }
t { s = +"hello"; s["ell"] = "ipp"; s }
t { s = +"hello"; s[/l+/] = "L"; s }
t { s = +"hello"; s[/(h)(e)/, 2] = "E"; s }
t { s = +"hello"; s[10] = "x"; s }
t { s = +"hello"; s[5] = "x"; s }
t { s = +"hello"; s["zzz"] = "x"; s }
t { s = +"hello"; s[/z/] = "x"; s }
t { s = +"hello"; s[-6] = "x"; s }
t { s = +"hello"; s[1, -1] = "x"; s }
t { s = +"hello"; s[7..8] = "x"; s }
t { s = +"héllo"; s[1] = "éé"; s }
t { s = +"hello"; s.slice!(1) + s }
t { s = +"hello"; s.slice!(1, 2) + s }
t { s = +"hello"; s.slice!(1..) + s }
t { s = +"hello"; s.slice!("ll") + s }
t { s = +"hello"; s.slice!(/l./) + s }
t { s = +"hello"; s.slice!(10) }
t { s = +"abc"; s.insert(1, "X") }
t { s = +"abc"; s.insert(-1, "X") }
t { s = +"abc"; s.insert(-2, "X") }
t { s = +"abc"; s.insert(5, "X") }
t { s = +"abc"; s.insert(-6, "X") }
t { "abc".freeze << "d" }
t { "abc".freeze.upcase! }
t { "abc".freeze.clear }
t { s = +"ab"; s << "c" << 100 << 0x3042; s }
t { (+"a") << -1 }
t { (+"a") << nil }
t { (+"a").concat("b", "c", 33) }
t { s = +"a"; s.concat(s, s) }
t { (+"c").prepend("a", "b") }
t { "a" + "b" }
t { "a" + nil }
t { "ab" * 3 }
t { "ab" * 0 }
t { "ab" * -1 }
t { "a" <=> "b" }
t { "a" <=> 1 }
t { "a" == :a }
t { "a".eql?("a") }
t { "a".equal?("a") }
t { "a".hash == "a".hash }
t { "é" == "é".b }
t { "a" == "a".b }
t { "abc".casecmp("ABD") }
t { "abc".casecmp?("ABC") }
t { "äö".casecmp?("ÄÖ") }
t { "a".casecmp(1) }
t { "a".casecmp?(nil) }
t { "abc".start_with?("ab") }
t { "abc".start_with?(/b/) }
t { "abc".start_with?(/a(.)/) && $1 }
t { "abc".start_with?("x", "a") }
t { "abc".start_with?(1) }
t { "abc".end_with?("bc", "x") }
t { "é".end_with?("\xA9") }
t { "abc".delete_prefix("a") }
t { "abc".delete_suffix("bc") }
t { (+"abc").delete_prefix!("x") }
t { (+"abc").delete_suffix!("c") }
t { "abc".include?("bc") }
t { "abc".include?(nil) }
t { "  a b\t\n\0".strip }
t { "\0 a".strip }
t { "  a ".lstrip }
t { "  a ".rstrip }
t { (+"a").strip! }
t { (+" a").strip! }
t { "\u3000a\u3000".strip }
t { "a\r\n".chomp }
t { "a\n\n".chomp }
t { "a\r".chomp }
t { "a\n\n\n".chomp("") }
t { "abc".chomp("c") }
t { "abc".chomp(nil) }
t { (+"a").chomp! }
t { "a\r\n".chop }
t { "é".chop }
t { "".chop }
t { "abc".ljust(6, "12") }
t { "abc".rjust(8, "12") }
t { "abc".center(10, "xyz") }
t { "abc".center(2) }
t { "é".center(5, "ö") }
t { "a".ljust(5, "") }
t { "a,b".partition(",") }
t { "abc".partition("x") }
t { "a1b2".partition(/\d/) }
t { "a,b,c".rpartition(",") }
t { "a1b2".rpartition(/\d/) }
t { "abc".rpartition("x") }
%w[a z az zz Zz a9 Az zZ9 -9 1.9.9 a-9 1-z <<koala>> *** a!! é あ ZZZ9999 a.9 -].each { |s| t(s) { s.succ } }
t { "".succ }
t { "\xff".b.succ }
t { "a".upto("e").to_a }
t { "9".upto("11").to_a }
t { "a".upto("e", true).to_a }
t { "08".upto("11").to_a }
t { "y".upto("ab").to_a }
t { "b".upto("a").to_a }
t { "a".ord }
t { "あ".ord }
t { "".ord }
t { "abc".sum }
t { "abc".sum(8) }
t { "abc".chr }
t { "abc".getbyte(1) }
t { "abc".getbyte(-1) }
t { "abc".getbyte(5) }
t { s = +"abc"; s.setbyte(1, 300); s }
t { (+"abc").setbyte(5, 1) }
t { "hello".tr("el", "ip") }
t { "hello".tr("a-y", "b-z") }
t { "hello".tr("^l", "*") }
t { "hello".tr("elo", "1") }
t { "hello".tr("l", "") }
t { "he-llo".tr("-", "_") }
t { "hello".tr("z-a", "x") }
t { "aabbcc".tr_s("ab", "x") }
t { "héllo".tr("é", "e") }
t { "hello".tr("h\\-l", "X") }
t { (+"hello").tr!("x", "y") }
t { "hello".delete("l") }
t { "hello".delete("a-k", "^e") }
t { "hello".delete }
t { (+"hello").delete!("z") }
t { "aaabbb".squeeze }
t { "aaabbb".squeeze("a") }
t { (+"abc").squeeze! }
t { "hello".count("l") }
t { "hello".count("a-z", "^l") }
t { "he\\llo".count("\\\\") }
t { "hello".count("") }
t { "abc".dump }
t { "é\n\u{1F600}\x01\#{x}".dump }
t { "é\n\u{1F600}".dump.undump }
t { "abc".undump }
t { '"a\\x41\\u3042"'.undump }
t { "abc".crypt("ab") }
t { "%s" % nil }
t { "abc".unpack("C*") }
t { "abc".hex }
t { "abc".to_sym }
t { "a b".to_sym }
t { "abc".to_c }
t { "abc".b.encoding }
t { "abc".dup.frozen? }
t { -"abc" }
t { (+"abc").frozen? }
t { "abc".itself }
t { String.new.encoding }
t { String.new("a", encoding: "BINARY").encoding }
t { String.new("abc", capacity: 100) }
t { String.new(1) }
t { String.try_convert("a") }
t { String.try_convert(1) }
t { String(nil) }
t { String(12) }
class MyString < String; end
t { MyString.new("a").class }
t { MyString.new("a").upcase.class }
t { (MyString.new("a") + "b").class }
t { MyString.new("a").to_s.class }
t { MyString.new("a")[0].class }
t { MyString.new("a").dup.class }
t { MyString.new("a") == "a" }
t { s = +"abc"; s.replace("xyz"); s }
t { s = +"abc"; s.clear; s.empty? }
t { s = +"abc"; s.bytesplice(0, 2, "XY"); s }
t { s = +"abc"; s.bytesplice(0..1, "hello", 1..2); s }
t { s = +"é"; s.bytesplice(1, 1, "x"); s }
t { s = +"a"; s.append_as_bytes("é", 0xFF); s }
t { "abc".between?("abb", "abd") }
t { "b".clamp("a", "c") }
t { ["b", "a", "C"].sort }
t { ["b", "a"].max }
t { "abc".each_char { |c| break c } }
t { r = []; "ab".each_byte { |b| r << b }; r }
t { "a".encoding.name }
t { "x".instance_variable_set(:@a, 1) }
t { s = +"x"; s.instance_variable_set(:@a, 1); s.dup.instance_variable_get(:@a) }
t { "abc" =~ "b" }
t { "abc" =~ /c/ }
t { "abc".match?(/b/) }
t { "foo".then { |x| "#{x}bar" } }
t { "a".."e" }
t { ("a".."e").to_a }
t { ("a".."e").step(2).to_a }
t { "abc".unicode_normalize }
t { "xxabcxx".strip("x") }
t { "xyabcyx".strip("x", "x-y") }
t { "xyabcyx".lstrip("x-y") }
t { "  ab ".rstrip(" b") }
t { " a ".strip("") }
t { " a ".strip(nil) }
t { " a\0".strip(" ") }
t { "aaa".strip("a") }
t { "abc".strip("^b") }
t { o = Object.new; o.extend(Random::Formatter); def o.bytes(n) = "\x01" * n; [o.random_number, o.rand(10), o.random_number(5.0), o.rand(1..3), o.random_number(0), o.rand(2**40)] }
t { Encoding::Converter.new("ISO-8859-1", "EUC-JP").convpath }
t { Encoding::Converter.new("UTF-8", "EUC-JP", crlf_newline: true).convpath }
t { ec = Encoding::Converter.new("UTF-8", "US-ASCII"); (ec.convert("é") rescue 0); ec.last_error }
t { Encoding::Converter.new("UTF-8", "US-ASCII", undef: :replace).replacement }
t { Encoding.list.size }
t { Encoding.constants.size }
