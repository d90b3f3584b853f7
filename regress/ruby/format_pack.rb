# sprintf, pack and unpack.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
vals = [0, 1, -1, 42, -42, 255, -255, 10**20, -10**20, 3.7, -3.7, 1e10, "12", "0x1f", "abc", nil, :a, 2**64, 1r/3, -1r/3]
fmts = %w[%d %5d %-5d| %05d %+d %x %X %o %b %B %#x %#X %#o %#b %08x %.5d %.5x %+x %8.3d %-8.3d| %08b %.10b %+b %i %u %s %p %10s| %-10s| %.2s %f %.2f %10.3f| %-10.3f| %010.3f %+.1f %e %.3E %g %G %.3g %a %c %10p]
fmts << "% d" << "% x" << "% f" << "% 5d"
fmts.each { |f| vals.each { |v| t("#{f} #{v.inspect}") { f % v } } }
[Float::INFINITY, -Float::INFINITY, Float::NAN, -0.0, 1e100, 1e-10, 123456789.987654321, 0.5, 1.5, 2.5].each do |v|
  %w[%f %.0f %e %g %10.2f| %-10f| %+f %010f %d %a %.3a %#.0f %s].each { |f| t("#{f} #{v}") { f % v } }
end
t { "%" }
t { "%" % [] }
t { "abc%" % [] }
t { "%%" % [] }
t { "%5%" % [] }
t { "%-%" % [] }
t { "%z" % 1 }
t { "%d" % [] }
t { "%d %d" % [1] }
t { "%d" % [[1]] }
t { "%s %s" % [1, [2]] }
t { "%p" % [nil] }
t { "%s" % nil }
t { "%s" % [[1, 2]] }
t { "%2$s %1$s" % %w[a b] }
t { "%1$s %s" % %w[a b] }
t { "%s %1$s" % %w[a b] }
t { "%3$s" % %w[a b] }
t { "%0$s" % %w[a b] }
t { "%*d|" % [5, 1] }
t { "%-*d|" % [5, 1] }
t { "%*d|" % [-5, 1] }
t { "%.*f" % [2, 3.14159] }
t { "%1$*2$d|" % [1, 5] }
t { "%<a>d %<b>s" % { a: 1, b: "x" } }
t { "%{a} %{b}" % { a: 1, b: nil } }
t { "%<a>05.1f" % { a: 2.25 } }
t { "%5{a}|" % { a: 1 } }
t { "%-5{a}|" % { a: 1 } }
t { "%{c}" % { a: 1 } }
t { "%<c>d" % { a: 1 } }
t { "%{a}" % 1 }
t { "%{a}" % [1] }
t { "%<a" % { a: 1 } }
t { "%{a} %s" % { a: 1 } }
t { "%s %{a}" % { a: 1 } }
t { "%<a>s %<a>s" % { a: 1 } }
t { "%{a}" % Hash.new { |h, k| k.to_s * 2 } }
t { "%c" % "hello" }
t { "%c" % 97 }
t { "%c" % 0x3042 }
t { "%5c|" % "あ" }
t { "%-5c|" % "x" }
t { "%c" % -1 }
t { "%c" % "" }
t { "%c" % nil }
t { "%s" % "é".encode("ISO-8859-1") }
t { "é%s" % "\xff".b }
t { ("%s" % "é").encoding }
t { "%5s|%-5s|" % %w[é ö] }
t { "%.1s" % "éa" }
t { "%d" % "0b11" }
t { "%d" % "1_000" }
t { "%d" % "1__0" }
t { "%f" % "1.5" }
t { "%f" % "abc" }
t { "%f" % nil }
t { "%d" % Float::NAN }
t { "%x" % 3.99 }
t { "%d" % Object }
t { "%.0f %.0f" % [0.5, 1.5] }
t { "%.50f" % 0.1 }
t { "%.3f" % 10**25 }
t { "%.3f" % (1r/7) }
t { "%8.3f|%-8.3f|%08.3f" % [1r/7, 1r/7, 1r/7] }
t { "%.0f" % (5r/2) }
t { "%d%%" % 50 }
t { "%s and %s" % %w[a b] }
t { format("%05d", 42) }
t { sprintf("%s-%s", 1, 2) }
t { format }
t { format(1) }
t { format("%d", 1, 2) }
t { "%s" % { a: 1 } }
t { "%-+5d|%+-5d|" % [3, 3] }
t { "%+ d" % 3 }
t { "%#b %#o" % [0, 0] }
t { "%010s|" % "a" }
t { "%.3d" % -5 }
t { "%+.3d" % 5 }
t { "%#.3x" % 5 }
t { "%#10x|%-#10x|" % [255, 255] }
t { "%#010x" % 255 }
t { "%.8b" % -5 }
t { "%.3o" % -5 }
t { "%10b|" % -5 }
t { "%-10b|" % -5 }
t { "%010b|" % -5 }
t { "%#x" % -255 }
t { "%X" % -255 }
# pack
ints = [0, 1, -1, 127, 128, 255, 256, 65535, 2**31, 2**32 - 1, 2**63, -2**63]
%w[c C s S i I l L q Q n N v V s> S< l> L< q> Q<].each do |d|
  t(d) { ints.pack("#{d}*") }
  t("#{d} back") { ints.pack("#{d}*").unpack("#{d}*") }
end
%w[d f e E g G D F].each { |d| t(d) { [1.5, -2.25, 1e10].pack("#{d}*") }; t("#{d} back") { [1.5, -2.25].pack("#{d}*").unpack("#{d}*") } }
%w[a A Z a5 A5 Z5 a* A* Z* a2 A2 Z2 a0].each { |d| t(d) { ["abc"].pack(d) } }
%w[a A Z a5 A5 Z5 a* A* Z* a2 A2 Z2].each { |d| t(d) { "abc \0 d".unpack(d) } }
%w[b b* b4 B B* B8 h h* h3 H H* H4].each { |d| t(d) { ["1011"].pack(d) } }
%w[b b* b4 B B* B8 h h* h3 H H* H4].each { |d| t(d) { "\xa5\x3c".unpack(d) } }
t { ["abc" * 30].pack("m") }
t { ["abc" * 30].pack("m0") }
t { ["a"].pack("m") }
t { ["abcd"].pack("m3") }
t { "YWJj".unpack1("m") }
t { "YWI=\n".unpack("m") }
t { "YW=".unpack("m0") }
t { "YWJj".unpack("m0") }
t { "Y W\nJj".unpack("m") }
t { ["abc" * 20].pack("u") }
t { "#86)C\n".unpack("u") }
t { ["a=b\u00e9\n \n"].pack("M") }
t { ["x" * 100].pack("M") }
t { "a=3Db=\nc".unpack("M") }
t { [0x3042, 97].pack("U*") }
t { [0x3042].pack("U").encoding }
t { "あa".unpack("U*") }
t { "\xff".unpack("U") }
t { [1, 128, 16384, 2**70].pack("w*") }
t { [1, 128, 16384, 2**70].pack("w*").unpack("w*") }
t { [-1].pack("w") }
t { [1, 2].pack("CxC") }
t { [1, 2].pack("Cx3C") }
t { [1, 2, 3].pack("CCXC") }
t { [1, 2].pack("C@4C") }
t { [1].pack("XC") }
t { "abcdef".unpack("a1 x2 a1 X2 a1 @0 a2") }
t { "abc".unpack("x5") }
t { "abc".unpack("C2") }
t { "abc".unpack("C5") }
t { "abc".unpack("s2") }
t { "abc".unpack1("C") }
t { "abc".unpack1("a*", offset: 1) }
t { "abc".unpack("C*", offset: 2) }
t { "abc".unpack("C", offset: 5) }
t { "abc".unpack1("@1a") }
t { r = []; "abc".unpack("C*") { |x| r << x }; r }
t { [1].pack("y") }
t { [1, 2].pack("C C # comment\n") }
t { [1].pack("C2") }
t { ["a"].pack("C") }
t { [nil].pack("C") }
t { [1.9].pack("C") }
t { ["1"].pack("d") }
t { [nil].pack("a") }
t { [1].pack("a") }
t { [1, 2].pack("C*", buffer: +"x") }
t { [65].pack("U").valid_encoding? }
t { ["a", "b"].pack("a3x2a3") }
t { [1, 2].pack("s<l>") }
t { "\x01\x02\x03\x04".unpack("S>S<") }
t { [2**100].pack("Q") }
t { ["616263"].pack("H*") }
t { "abc".unpack1("H*") }
t { "abc".unpack1("B*") }
t { ["é"].pack("a*").encoding }
t { ["é"].pack("A3") }
t { [1].pack("n!") }
