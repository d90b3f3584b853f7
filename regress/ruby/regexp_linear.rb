# Patterns whose matching explodes without memory of failures are linear here.
text = "a" * 300
['(a*)*b', '(a+)+b', '(a|aa)+b', '(?:a?){30}a{30}b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(?:.*a){12}b', '(?>a*)*b',
 '(.*)(.*)(.*)(.*)b', 'x*y?a+b', '(?i)(A*)*B'].each do |source|
  p [source, Regexp.linear_time?(source), text.match?(Regexp.new(source))]
end

p Regexp.linear_time?(/(a)\1/), Regexp.linear_time?(/(?<n>a)\k<n>/), Regexp.linear_time?(/(a)?(?(1)b|c)/), Regexp.linear_time?(/(?~ab)/)
p Regexp.linear_time?("a(?=b)"), Regexp.linear_time?("(?>a(?=b))"), Regexp.linear_time?("(?=(?>a))")
