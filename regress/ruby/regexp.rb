# Regexp and MatchData.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
def m(re, s)
  t("#{re.inspect} #{s.inspect}") { x = re.match(s); x && [x.to_a, x.begin(0)] }
end
m(/a+/, "baaa")
m(/a+?/, "baaa")
m(/a*+a/, "aaa")
m(/(?>a*)a/, "aaa")
m(/(a)|(b)/, "b")
m(/(?:ab)+/, "ababab")
m(/(?<x>.)(?<y>.)/, "ab")
m(/(?<x>.)\k<x>/, "abb")
m(/(.)\1/, "abb")
m(/^b$/, "a\nb\nc")
m(/\Ab/, "a\nb")
m(/b\z/, "ab\n")
m(/b\Z/, "ab\n")
m(/a.b/, "a\nb")
m(/a.b/m, "a\nb")
m(/A/i, "a")
m(/(?i)A(?-i)B/, "aB")
m(/(?i:a)B/, "AB")
m(/a b # comment \w
   c/x, "abc")
m(/a(?#comment)b/, "ab")
m(/\bfoo\b/, "a foo b")
m(/\Bo/, "foo")
m(/(?=b)./, "ab")
m(/(?!a)./, "ab")
m(/(?<=a)./, "ab")
m(/(?<!a)b/, "ab b")
m(/a\Kb/, "ab")
m(/\d+/, "a12")
m(/\D+/, "1ab")
m(/\w+/, "é_a1")
m(/\W+/, "aé ")
m(/\s/, "a\tb")
m(/\S+/, " ab ")
m(/\h+/, "xyzff09")
m(/\H/, "ag")
m(/\R/, "a\r\nb")
m(/\X/, "e\u0301x")
m(/[[:alpha:]]+/, "1éa")
m(/[[:upper:]]/, "aÉ")
m(/[[:digit:]]/, "a1")
m(/[[:space:]]/, "a\u3000")
m(/[[:punct:]]+/, "a!$+")
m(/[[:word:]]+/, "é_1-")
m(/[[:^alpha:]]/, "a1")
m(/\p{Alpha}+/, "1éa")
m(/\p{Han}+/, "ab漢字")
m(/\p{^Lu}/, "Ab")
m(/\P{L}/, "a1")
m(/\p{Hiragana}/, "aあ")
m(/\p{Greek}/, "aα")
m(/\p{Emoji}/, "a😀")
m(/[a-c&&b-d]+/, "abcd")
m(/[^a-c]/, "abcd")
m(/[a\]b]+/, "x]a")
m(/[\w-]+/, "a-b.")
m(/[\w.-]+/, "a-b.c ")
m(/[-\w]+/, "a-b")
m(/[a-z\d]+/, "A9b")
m(/[^\W\d]+/, "9ab")
m(/[\s\S]/, "\n")
m(/[^\s]+/, "  ab")
m(/\u3042/, "あ")
m(/\u{3042 3044}/, "あい")
m(/[\u3041-\u3096]+/, "aあい")
m(/\x41/, "A")
m(/\xe3\x81\x82/, "あ")
m(/\101/, "A")
m(/\t\n\e\0/, "\t\n\e\0")
m(/\cA/, "\x01")
m(/a{2}/, "aaa")
m(/a{2,}/, "aaaa")
m(/a{,2}/, "aaaa")
m(/a{1,2}?/, "aaa")
m(/a{b/, "a{b")
m(/(a)?b/, "b")
m(/(?<n>a)?b/, "b")
m(/(a(b(c)))/, "abc")
m(/(?<p>\((?:[^()]|\g<p>)*\))/, "x(a(b)c)")
m(/\A(?<a>|.|(?:(?<b>.)\g<a>\k<b+0>))\z/, "reviver")
m(/(a)(?(1)b|c)/, "ab")
m(/é/, "aé")
m(/./, "é")
m(/ß/i, "SS")
m(/É/i, "é")
m(/[é-ü]/i, "Ö")
m(//, "abc")
m(/(?u)\w/, "é")
m(/(?a)[[:alpha:]]/, "éa")
m(/(?a:\w)/, "éa")
m(/foo(?=bar)|baz/, "baz")
m(/(\w+)\s+(\d+)/, "item 42")
m(/\//, "a/b")
m(/a|b|/, "c")
m(/$/, "ab\n")
m(/(?m:.)x/, "\nx")
m(/(?x: a b )c/, "abc")
m(/[a-zA-Z_][\w]*=/, "foo_1=")
m(/\G\d/, "1a")
m(/(?<![\w.])\d/, "a1 2")
re = /(?<year>\d+)-(?<mon>\d+)/
md = re.match("on 2024-05 ok")
t { md }
t { md.names }
t { md.captures }
t { md.named_captures }
t { md.named_captures(symbolize_names: true) }
t { md[:year] }
t { md["mon"] }
t { md[0] }
t { md[-1] }
t { md[0, 2] }
t { md[1..] }
t { md[:none] }
t { md[9] }
t { md.values_at(0, 2, -1) }
t { md.values_at(:year, "mon") }
t { md.pre_match }
t { md.post_match }
t { md.begin(:year) }
t { md.end("mon") }
t { md.offset(1) }
t { md.byteoffset(0) }
t { md.bytebegin(0) }
t { md.byteend(:mon) }
t { md.begin(5) }
t { md.size }
t { md.to_s }
t { md.string }
t { md.string.frozen? }
t { md.regexp }
t { md.match(:year) }
t { md.match_length(:year) }
t { md.deconstruct }
t { md.deconstruct_keys([:year]) }
t { md.deconstruct_keys(nil) }
t { md in { year: "2024" } }
t { md == re.match("on 2024-05 ok") }
t { md.eql?(1) }
t { md.hash == re.match("on 2024-05 ok").hash }
t { MatchData.new }
t { MatchData.respond_to?(:allocate) }
t { re.names }
t { re.named_captures }
t { /(?<a>.)(?<a>.)/.match("xy")[:a] }
t { /(?<a>.)(?<a>.)/.named_captures }
t { /(?<a>.)(?<b>.)?/.match("x").deconstruct_keys([:a, :b]) }
t { Regexp.new("a.c") }
t { Regexp.new("a/c").source }
t { Regexp.new("a/c") }
t { %r{a/c}.source }
t { Regexp.new(/a/i) }
t { Regexp.new("a", Regexp::IGNORECASE | Regexp::MULTILINE) }
t { Regexp.new("a", "ix") }
t { Regexp.new("a", "q") }
t { Regexp.new("a", "iq") }
t { Regexp.new("[") }
t { Regexp.new("(") }
t { Regexp.new(")") }
t { Regexp.new("*a") }
t { Regexp.new("a**") }
t { Regexp.new("\\") }
t { Regexp.new("(?<n") }
t { Regexp.new("(?") }
t { Regexp.new("[[:foo:]]") }
t { Regexp.new("\\p{Foo}") }
t { Regexp.new("[z-a]") }
t { Regexp.new("a{3,1}") }
t { Regexp.new("\\k<a>") }
t { Regexp.new("\\1") =~ "a" }
t { Regexp.new("\\xZ") }
t { Regexp.new("\\u{zz}") }
t { Regexp.new(nil) }
t { Regexp.new(1) }
t { Regexp.new }
t { Regexp.compile("a") }
t { Regexp.escape("a.b*c\n\t -[]{}()|^$?+\\#é/") }
t { Regexp.quote(:sym) }
t { Regexp.escape(nil) }
t { Regexp.union("a.b", /c/i) }
t { Regexp.union(["x", "y"]) }
t { Regexp.union(/a/) }
t { Regexp.union("a") }
t { Regexp.union }
t { Regexp.union(1) }
t { Regexp.try_convert(/a/) }
t { Regexp.try_convert("a") }
t { Regexp.linear_time?(/a+/) }
t { Regexp.linear_time?(/(a)\1/) }
t { Regexp.timeout }
t { Regexp.last_match }
t { "ab" =~ /(a)(b)/; [Regexp.last_match(0), Regexp.last_match(2), $+, $2, $3] }
t { /a/ == /a/ }
t { /a/ == /a/i }
t { /a/.eql?(/a/) }
t { /a/.hash == /a/.hash }
t { /a/ === "cat" }
t { /a/ === :cat }
t { /a/ === nil }
t { /a/ === 1 }
t { /a/ =~ nil }
t { /a/ =~ 1 }
t { /a/.match(1) }
t { /a/.match?(nil) }
t { /a/.match?("a") }
t { /a/.match("xa", 2) }
t { /a/.match }
t { /a/.to_s }
t { /a/mix.to_s }
t { /(?i:a)/.to_s }
t { /(?mi-x:a)/.to_s }
t { /#{/a/i}b/ }
t { /#{"a.b"}/ }
t { x = "q"; /#{x}+/o }
t { /a/.inspect }
t { /a\/b\n/.inspect }
t { Regexp.new("\n").inspect }
t { Regexp.new("\x01").inspect }
t { /a/.options }
t { /a/mix.options }
t { /é/.options }
t { /a/n.options }
t { /a/u.options }
t { /a/i.casefold? }
t { /a/.frozen? }
t { Regexp.new("a").frozen? }
t { /a/.encoding }
t { /é/.encoding }
t { /a/n.encoding }
t { /\xff/n.encoding }
t { /a/.fixed_encoding? }
t { /é/.fixed_encoding? }
t { /é/ =~ "é".encode("EUC-JP") }
t { /a/ =~ "a".encode("EUC-JP") }
t { /a/ =~ "é".b + "a" }
t { /\xe9/n =~ "\xe9".b }
t { /./ =~ "\xff" }
t { "a\u3042b".b =~ /b/n }
t { $~ = /a/.match("a"); $~[0] }
t { $~ = 1 }
t { ~/a/ }
t { $_ = "xa"; ~/a/ }
t { "foobar".sub(/(?<f>o+)/) { $~[:f].upcase } }
t { "xay".partition(/a/) }
def inner; "zz" =~ /z/; end
t { "ab" =~ /b/; inner; $~[0] }
t { "ab" =~ /b/; [1].each { "cd" =~ /d/ }; $~[0] }
t { %w[a b].grep(/a/) }
t { %w[a1 b2].grep(/(\d)/) { $1 } }
t { "abcabc".rindex(/b/) }
t { "abcabc".rindex(/a/, 0) }
t { "abcabc".rindex(/b./, 3) }
t { "a,b;c".split(/[,;]/) }
t { "aaa".gsub(/a/).with_index { |_, i| i.to_s } }
t { "path/to".gsub("/", "::") }
t { "CamelCaseString".gsub(/([A-Z])/) { "_" + $1.downcase } }
t { "hello world".gsub(/\b(\w)/) { $1.upcase } }
t { "2024-05-06".match(/(\d+)-(\d+)-(\d+)/).captures.map(&:to_i) }
t { "key: value" =~ /(?<k>\w+): (?<v>\w+)/; $~[:k] + $~[:v] }
