# NoMemoryError at heap_limit can be rescued, again and again, and the memory that was let go can be used again.
. "$LODE_TOP/regress/lib.sh"
lodectl -D "$LODE_STORE" init >/dev/null || die init
echo 'heap_limit = 32MB' >>"$LODE_STORE/lodestone.conf"
cat >limit.rb <<'RUBY'
a = []
begin
  loop { a << "x" * 100_000 }
rescue NoMemoryError => e
  n = a.size
  a.clear # not only a = nil: the C stack may still hold the array, and what it holds stays
  puts "#{e.class}: #{e.message} #{n > 200}"
end
b = []
begin
  loop { b << Object.new }
rescue NoMemoryError => e
  n = b.size
  b = nil
  puts "#{e.message} #{n > 100_000}"
end
c = Array.new(1000) { "fine" }
puts c.size
begin
  "y" * 100_000_000
rescue NoMemoryError => e
  puts e.message
end
h = {}
begin
  i = 0
  loop { h[i] = [i]; i += 1 }
rescue NoMemoryError => e
  h = nil
  puts e.message
end
puts (1..1000).map { |x| x.to_s }.join.size
puts GC.count < 200
RUBY
prints 'NoMemoryError: failed to allocate memory true
failed to allocate memory true
1000
failed to allocate memory
failed to allocate memory
2893
true' lode --solo limit.rb
