# programs.rb SEED COUNT: makes COUNT small programs from SEED, runs each, prints "number result" (regress/fuzz/run compares).
# programs.rb SEED COUNT NUMBER: prints that program alone.
#
# The same numbers give the same programs on every Ruby: the generator has its own random numbers and asks the Ruby that
# runs it for nothing else.  Programs use no time, addresses, files or order that Ruby leaves open.
$VERBOSE = nil
$seed, count, wanted = ARGV.map(&:to_i)
def draw(n)
  $seed = ($seed * 6364136223846793005 + 1442695040888963407) & 0xffffffffffffffff
  ($seed >> 33) % n
end
def pick(list) = list[draw(list.size)]

INTS = %w[0 1 -1 2 3 7 10 -5 63 255 4611686018427387903 4611686018427387904 -4611686018427387905 18446744073709551616]
FLOATS = %w[0.0 1.5 -2.25 1e20 0.1 3.0 -0.0 1e-5 123456.789]
STRINGS = ['""', '"a"', '"abc"', '"hello world"', '"Abc abc"', '"é"', '"ab\ncd\n"', '"12"', '"  x "', '"a,b,,c"', '"zz"', '"日本"', '"a1b22"']
SYMBOLS = [':a', ':b', ':foo', ':"x y"']
PATTERNS = %w[/a/ /[a-c]+/ /(\w)(\w)?/ /\s*/ /b|c/ /(?<n>.)/ /\d+/ /^./ /\b/ /x?/ /[^a]/ /(a)|(b)/]
INT_OPS = %w[+ - * / % ** & | ^ << >> <=> == < > <= >= fdiv div modulo divmod gcd lcm pow]
INT_METHODS = %w[abs succ pred to_s to_f -@ ~ bit_length digits even? odd? zero? ceil(-1) floor(-1) round(-1) to_s(2) chr inspect hash.class to_r to_c ord integer? size.class
                 truncate(-1) upto(3).to_a.first(4) clamp(0,5) coerce(2) numerator]
FLOAT_METHODS = %w[floor ceil round to_i to_s abs nan? infinite? round(1) to_r truncate -@ divmod(2) rationalize next_float.class floor(1)]
STRING_METHODS = %w[upcase downcase capitalize swapcase reverse length bytes chars lines strip lstrip chomp chop succ to_i to_f to_sym inspect dump
                    hash.class ord hex oct squeeze bytesize empty? sum unpack("C*") each_char.to_a codepoints ascii_only? valid_encoding? encoding scan(/./) split split("") split(",")
                    split(",",-1) center(9,"*") ljust(5) rjust(6,"ab") tr("a-c","x") delete("a") count("a-z") squeeze("a") partition("b") rpartition("b") insert(0,"q") * 2
                    start_with?("a") end_with?("c") include?("b") index("b") rindex("b") slice(0,2) slice(-1) [1..] [0] sub("a","Z") gsub("a"){|x|x.upcase}
                    casecmp("ABC") casecmp?("ABC") each_line.to_a unicode_normalize.size crypt("ab").class prepend("x") replace("y") to_c to_r next upto("ae").to_a.size
                    delete_prefix("a") delete_suffix("c") byteslice(0,1) getbyte(0) ] - ["*", "2"]
ARRAY_METHODS = %w[size first last reverse sort uniq compact flatten sum min max inspect to_a hash.class empty? shuffle(random:Random.new(1)).size rotate rotate(-1) transpose product([1,2])
                   combination(2).to_a permutation(2).to_a each_slice(2).to_a each_cons(2).to_a zip([9,8]) take(2) drop(1) pack("U*") join(",") join tally group_by{|x|x.class}
                   partition{|x|x==1} minmax sort_by{|x|x.to_s} map{|x|[x]} select{|x|x} reject{|x|x} inject{|a,b|[a,b]} each_with_index.to_a find_index(1) index(2) include?(nil)
                   flat_map{|x|[x,x]} chunk_while{|a,b|a==b}.to_a slice_when{|a,b|a!=b}.to_a each_with_object([]){|x,a|a<<x} cycle.first(5) dig(0) values_at(0,-1,9) fill(0,1) insert(1,:n)
                   delete(1) delete_at(0) delete_if{|x|x} concat([7]) push(1).size unshift(0) pop shift sample(random:Random.new(3)).class bsearch{|x|true} assoc(1) one? none? any? all?
                   filter_map{|x|x} sum{|x|1} to_h{|x|[x,1]} count(1) step.class *2 <=>[1] ==[1] &[1,2] |[5] -[1] +[nil] [0,2] [-2..] [1] first(2) min(2) max_by{|x|x.to_s} take_while{|x|x}]
HASH_METHODS = %w[size keys values to_a inspect invert sort_by{|k,v|k.to_s} map{|k,v|[v,k]} select{|k,v|v} reject{|k,v|v} min_by{|k,v|v.to_s} sum{|k,v|1} any? key?(:a) [:a] fetch(:a,0) fetch(:zz)
                  dig(:a) merge({z:1}) transform_values{|v|[v]} transform_keys(&:to_s) group_by{|k,v|v.class} partition{|k,v|k==:a} each_with_index.to_a find{|k,v|v} delete(:a) first
                  compact filter_map{|k,v|k} to_h{|k,v|[v,k]} count sort{|a,b|a.to_s<=>b.to_s} reduce{|a,b|b} each_slice(2).to_a slice(:a) except(:a) hash.class compare_by_identity.size default
                  values_at(:a,:q) key(1) rassoc(1) zip([1]) sum{|k,v|v.to_i} flat_map{|k,v|[k]} entries empty? any?{|k,v|v.nil?} all?{|k,v|k} store(:n,1) update({a:9}) ]

def value(depth)
  case draw(depth > 0 ? 12 : 6)
  when 0, 1 then pick(INTS)
  when 2 then pick(FLOATS)
  when 3 then pick(STRINGS)
  when 4 then pick(SYMBOLS)
  when 5 then pick(%w[nil true false x y])
  when 6 then "[" + Array.new(draw(4)) { value(depth - 1) }.join(", ") + "]"
  when 7 then "{" + Array.new(draw(3)) { |i| "#{pick(['a: ', '"k" => ', '1 => ', 'b: '])}#{value(depth - 1)}" }.join(", ") + "}"
  else call(depth)
  end
end
def ints = draw(3) == 0 ? "[#{Array.new(draw(6)) { pick(INTS) }.join(', ')}]" : "[#{Array.new(draw(6)) { draw(5) }.join(', ')}]"
def call(depth)
  case draw(14)
  when 0
    op = pick(INT_OPS.first(17))
    "(#{pick(INTS)} #{op} #{pick(op =~ /\*\*|<</ ? %w[0 1 2 7] : %w[0 1 2 3 7 -2 1.5 4611686018427387904])})"
  when 1 then "#{pick(INTS)}.#{pick(INT_METHODS)}"
  when 2 then "#{pick(FLOATS)}.#{pick(FLOAT_METHODS)}"
  when 3, 4 then method_of(pick(STRINGS), STRING_METHODS)
  when 5, 6 then method_of(draw(2) == 0 ? ints : "[#{Array.new(draw(4)) { value(depth - 1) }.join(', ')}]", ARRAY_METHODS)
  when 7 then method_of("{a: #{value(depth - 1)}, b: #{pick(INTS)}}", HASH_METHODS)
  when 8 then "#{pick(STRINGS)}.#{pick(%w[scan =~ match? gsub sub split index partition slice match])}(#{pick(PATTERNS)})".sub(/\.(gsub|sub)\((.*)\)\z/) { ".#{$1}(#{$2}, \"<\\\\0>\")" }.sub(/\.=~\((.*)\)/) { " =~ #{$1}" }
  when 9 then "(#{value(depth - 1)} #{pick(%w[== <=> || && != ===])} #{value(depth - 1)})"
  when 10 then "(#{value(depth - 1)} ? #{value(depth - 1)} : #{value(depth - 1)})"
  when 11 then "format(#{pick(%w["%d" "%5.2f" "%x" "%s" "%-5s|" "%p" "%08b" "%+d" "%e" "%g" "%c" "%o" "%.3s" "%%%s" "%#x" "%10.4f|"])}, #{value(depth - 1)})"
  when 12 then "#{value(depth - 1)}.then { |x| #{value(depth - 1)} }"
  else "(#{value(depth - 1)}).#{pick(%w[inspect to_s class nil? frozen? dup itself to_a to_h to_i to_f to_sym size first])}"
  end
end
def method_of(object, methods)
  m = pick(methods)
  m =~ /\A[\[&|+*<=-]/ ? "(#{object}#{m})" : "#{object}.#{m}"
end
def statement(depth)
  case draw(depth > 0 ? 14 : 4)
  when 0, 1 then "#{pick(%w[x y])} = #{value(2)}"
  when 2 then "o << (#{value(2)})"
  when 3 then "o << #{call(2)}"
  when 4 then "if #{value(1)}\n#{body(depth - 1)}\nelse\n#{body(depth - 1)}\nend"
  when 5 then "#{draw(4)}.times do |i|\n#{['', "next if i == 1\n", "break if i == 2\n"][draw(3)]}x = i\n#{body(depth - 1)}\nend"
  when 6 then "begin\n#{body(depth - 1)}\n#{pick(['raise "r"', 'raise ArgumentError', 'Integer("z")', 'nil.foo', '1 / 0', '[].fetch(3)'])}\nrescue #{pick(['=> e', 'ArgumentError, ZeroDivisionError => e', 'NoMethodError => e'])}\no << e.class << e.message\nensure\no << :ensured\nend"
  when 7 then "case #{value(1)}\nwhen #{pick(['Integer', 'String', 'nil', '1..9', ':a', 'Array'])}\n#{body(depth - 1)}\nelse\no << :else\nend"
  when 8 then "case #{value(2)}\nin #{pick(['Integer => n', '[a, *rest]', '{a: Integer => n}', 'String | Symbol', '[Integer, Integer]', 'nil', '{a:, **r}', '[*, 1, *]', '..5'])}\no << :matched\n#{body(depth - 1)}\nelse\no << :unmatched\nend"
  when 9 then "#{pick(['a, b', 'a, *b', '*a, b', 'a, (b, c)', '(a, b), c'])} = #{value(2)}\no << a << b"
  when 10 then "f = ->(#{pick(['p', 'p = 1', '*p', 'p, q = 2', 'p, k: 3', '*p, **k'])}) { #{value(1)} }\no << f.#{pick(['call(1)', 'call', 'call(1, 2)', 'call(1, k: 2)', 'arity', 'parameters', 'curry.class'])}"
  when 11 then "i#{depth} = 0\nwhile i#{depth} < #{draw(4)}\ni#{depth} += 1\n#{pick(['', "next if i#{depth} == 2", "break if i#{depth} == 3"])}\n#{body(depth - 1)}\nend"
  when 12 then "catch(:t) { #{body(depth - 1).tr("\n", ';')}; throw :t, 1 if #{value(1)}; o << :after }"
  else "o << [#{value(1)}, #{value(1)}].#{pick(%w[map each_with_index.map select sort_by group_by flat_map each_slice(2).map])} { |v, w| #{value(1)} }"
  end
end
def body(depth) = Array.new(1 + draw(2)) { statement(depth) }.join("\n")
def program
  methods = draw(3) == 0 ? "def m(#{pick(['a = 1', '*a', 'a = 2, *b', 'k: 1', '**k'])}) = #{value(1).gsub(/\b[xy]\b/, '0')}\n" : ""
  "x = 1\ny = \"s\"\no = []\n#{methods}#{body(3)}\n#{body(3)}\no#{'.push(m)' unless methods.empty?}"
end
def show(result)
  text = result.inspect
  text.size > 2000 ? "#{text[0, 2000]}... #{text.size}" : text
end

$stdout.sync = true
count.times do |i|
  source = program
  if wanted
    puts source if i == wanted
    next
  end
  result = begin
    show(TOPLEVEL_BINDING.dup.then { |b| b.eval(source) })
  rescue SyntaxError
    "SyntaxError"
  rescue Exception => e
    "#{e.class} #{e.message}"
  end
  puts "#{i} #{result.gsub(/0x\h+/, '0x')}"
end
