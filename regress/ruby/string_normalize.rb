# String#unicode_normalize.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
["é", "e\u0301", "가", "\u1100\u1161\u11a8", "각\u11a8", "ﬁ", "①", "Å", "ǅ", "\u1e9b\u0323", "q\u0307\u0323", "q\u0323\u0307", "a\u0315\u0300\u05ae\u0300", "ｶﾞ", "㌔", "\u0344", "\u2126", "\ufb1d", "\u0958", "½", "x²", "ǆ", "\u1100\u0300\u1161", "日本語", "abc",
 "\u0b47\u0300\u0b3e", "\u0041\u030a", "\u212b", "\u3000", "\u00a0", "…", "e\u0301\u0323", "\u{1d15e}", "\u{2f800}", "한글", "Ａｂ１"].each do |s|
  %i[nfc nfd nfkc nfkd].each do |f|
    t("#{s.codepoints} #{f}") { s.unicode_normalize(f).codepoints }
    t { s.unicode_normalized?(f) }
  end
end
t { "e\u0301".unicode_normalize }
t { s = +"e\u0301"; s.unicode_normalize!; s.size }
t { "é".unicode_normalize(:foo) }
t { "é".encode("ISO-8859-1").unicode_normalize }
t { "é".encode("UTF-16LE").unicode_normalize(:nfd).encode("UTF-8").size }
t { "abc".encode("US-ASCII").unicode_normalize.encoding }
