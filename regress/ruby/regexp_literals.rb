# A literal pattern that is no good is a SyntaxError when its source is compiled, at its line; one that is put together
# at run time is a RegexpError then.
def report(source)
  eval source, nil, "source", 10
  puts "fine"
rescue SyntaxError, RegexpError => e
  puts "#{e.class}: #{e.message}"
  p e.path if e.is_a?(SyntaxError)
end

report "x = 1\n\ny = /a{2,1}[/\n"
report "/ab\n*+*{3,1}/"
report "if 'x' =~ /[b-a]/; end"
report "/(?<a>.)\\k<b>/"
report "/(?<a>.)\\k<b>/ =~ 'x'"
report "/\\p{foo}/"
report "y = 1; /[\#{y}/"
report "/(/"
report "def never_called; /a{2,1}[/; end"
report "puts 'not reached'; -> { /a{2,1}[/ }"
report "/[a-b]/"
