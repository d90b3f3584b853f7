# What patterns match: a table of the dialect, then random patterns on random text, each with groups, scan, gsub, rindex.
$VERBOSE = nil

def show(source, *subjects)
  re = Regexp.new(source)
  subjects.each do |s|
    m = re.match(s)
    puts "/#{source}/ #{s.inspect}: #{m ? (0...m.size).map { |g| m.byteoffset(g) }.inspect : 'no'}"
  end
rescue RegexpError => e
  puts e.message
end

show '(?a)\p{Alpha}', "é"
show '(?a)[[:alpha:]]', "é"
show '(?a)[[:^alpha:]]', "é"
show '(?a)\b', "é"
show '(?a)(.)\b\1', "éé"
show '\b', "é"
show '(?u)\w\d', "é٣"
show '(?i)k', "\u212a"
show '(?i)[k]', "\u212a"
show '(?i)\w', "\u212a"
show '(?i)[\w]', "\u212a"
show '(?i)[a-z]', "\u017f"
show '(?i)ſ', "s"
show '(?i)ss', "ß", "SS"
show '(?i)\p{Lower}', "A"
show '(?i)[^k]', "\u212a"
show 'a(?i)b|c', "c", "aC"
show 'a{2}?', "a", "aa"
show 'a{1,2}+a', "aaa"
show 'a{,2}', "aaa"
show 'a{,}', "a{,}"
show '[a-z-9]+', "a-9"
show '[a-z&&[^b]]+', "abc"
show '[^a-z&&[^b]]+', "abc"
show '[[a]-x]+', "a-x"
show '[\w-x]', "a"
show '[a-\w]', "a"
show '(?<=a(?:b|c))d', "acd"
show '(?<=a|bc)d', "bcd"
show '(?<=a*)d', "d"
show '(?<=(?=a)a)d', "ad"
show '(?<!(a))d', "d"
show '(?:^)*a', "a"
show '(?:^|$){2}', ""
show '\z{1,2}', "a"
show '(?=a){2}a', "a"
show '\R', "\r\n", "\u0085", "\u2028"
show '\R\n', "\r\n"
show '[[:word:]]+', "a\u200c\u200d_"
show '(?<a>x)(y)', "xy"
show '(?<a>x)|(?<a>y)', "y"
show '(?<n>a|b)\g<n>', "ab"
show 'a\Kb', "ab"
show '(?=a\Kb)a', "ab"
show '(?:(a)b|ac)', "ac"
show '(?:(a)|b)*', "ab"
show '(a|())*', "aa"
show '(a*)*', "aab"
show '(a*?)*?b', "aab"
show '(|a)+', "aa"
show '(?x) a + # comment
 b', "aab"
show '^', "a\n", "\n\n"
show 'a$', "a\nb"
show 'a\Z', "a\n"

seed = 2025
r = ->(n) { seed = (seed * 6364136223846793005 + 1442695040888963407) & 0xffffffffffffffff; (seed >> 33) % n }
atoms = %w{a b c ab é . \w \d \s \W [ab] [^a] [a-c] [^bc] [[:alpha:]] \b ^ $ \A \z \Z \B x A \h \R [aé] \S () (?:)}
repeats = ["", "", "", "*", "+", "?", "*?", "+?", "??", "*+", "++", "?+"]
behinds = %w{a b ab é a|bb \w [ab]c ^ a\b}
item = seq = alt = nil
item = lambda do |d|
  a = case r.(d > 0 ? 15 : 9)
      when 0..8 then atoms[r.(atoms.size)]
      when 9 then "(#{alt.(d - 1)})"
      when 10 then "(?:#{alt.(d - 1)})"
      when 11 then "(?>#{alt.(d - 1)})"
      when 12 then "(?=#{alt.(d - 1)})"
      when 13 then "(?!#{alt.(d - 1)})"
      else "(?<#{'=!'[r.(2)]}#{behinds[r.(behinds.size)]})"
      end
  a + (a.size > 12 ? "" : repeats[r.(repeats.size)])
end
seq = ->(d) { (0..r.(3)).map { item.(d) }.join }
alt = ->(d) { (0..(r.(4) == 0 ? 1 : 0)).map { r.(10) == 0 ? "" : seq.(d) }.join("|") }
chars = ["a", "b", "c", "a", "b", "é", "x", "1", " ", "\n", "A", "_", "ß", "\r\n"]
600.times do
  source = alt.(r.(3))
  begin
    re = Regexp.new(source)
  rescue RegexpError
    puts "/#{source}/ error"
    next
  end
  2.times do
    s = (0...r.(9)).map { chars[r.(chars.size)] }.join
    m = re.match(s)
    groups = m ? (0...m.size).map { |g| m.byteoffset(g) } : "no"
    puts "/#{source}/ #{s.inspect}: #{groups} #{s.scan(re).size} #{s.gsub(re, '-').inspect} #{s.rindex(re).inspect}"
  end
end
