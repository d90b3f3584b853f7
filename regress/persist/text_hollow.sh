# Strings, patterns and numbers of the store stay right while the heap makes them hollow, moves them and collects.
. "$LODE_TOP/regress/lib.sh"
cat >"$LODE_TEST_DIR/text.rb" <<'RUBY'
R = Maglev::PERSISTENT_ROOT
R["s"] = "héllo wörld " * 20
R["a"] = %w[alpha beta gamma delta epsilon] * 10
R["re"] = /(?<w>\w+)\s(\w+)/i
R["big"] = 3**200
R["f"] = 1e300
R["q"] = 22r/7
R["c"] = Complex(1, 2.5)
R["md"] = "foo bar".match(/(?<x>o+) (?<y>b)/)
R["enc"] = "あ".encode("EUC-JP")
Maglev.commit_transaction
60.times do |i|
  s = R["s"]; a = R["a"]
  s.upcase; s.sub("w", "W"); s.gsub(/o(.)/) { $1 }; s.scan(/l+/); s.split(" "); s + s; s * 2; s.center(300, "ab")
  a.join(","); a.map(&:upcase).sort; a.pack("a5" * 5); "%s-%s" % a.first(2); a.inject(:+); s.tr("a-y", "b-z"); s.each_char.first(3)
  s[3, 20]; s.index("w"); s.rindex("o"); s.unpack("U*").size; s.encode("UTF-16LE").bytesize; s.inspect; s.succ; s.hash; s == s.dup
  R["re"] =~ "abc def"; R["re"].match("xx yy").to_a; R["re"].inspect; R["re"] == /a/
  R["big"] + 1; R["big"] * R["big"]; R["big"].to_s; R["big"] % 1000007; R["big"].hash; -R["big"]; R["big"] >> 3; R["big"].fdiv(3); R["big"].digits.size
  R["f"] * 2; R["f"].to_s; R["q"] + 1; R["q"].to_f; R["q"].round(2); R["c"] * R["c"]; R["c"].to_s
  R["md"][:x]; R["md"].named_captures; R["md"].pre_match; R["md"].regexp.source; R["enc"].encode("UTF-8"); R["enc"].inspect
  s.unicode_normalize(:nfd).unicode_normalize; s.lines; s.casecmp?(s.upcase); s.start_with?(/h/); s.partition("w"); s.delete("l"); s.squeeze; s.count("lo")
end
s = R["s"]
puts s[0, 12], R["big"], R["re"].inspect, R["q"], R["c"], R["md"].inspect, R["enc"].encode("UTF-8"), R["f"]
s << "!!"; s.sub!("h", "H"); s.insert(2, "zz"); s[0] = "J"; s.setbyte(1, 0x41); s.force_encoding("BINARY"); s.clear; s << "new"
Maglev.abort_transaction
puts s[0, 12]
RUBY
want='héllo wörld 
265613988875874769338781322035779626829233452653394495974574961739092490901302182994384699044001
/(?<w>\w+)\s(\w+)/i
22/7
1+2.5i
#<MatchData "oo b" x:"oo" y:"b">
あ
1.0e+300
héllo wörld '
for mode in '' hollow hollow,evacuate:100 hollow,collect:100; do
    export LODE_HEAP_MODE=$mode
    prints "$want" lode --solo --store "$LODE_TEST_DIR/s$mode" "$LODE_TEST_DIR/text.rb"
done
