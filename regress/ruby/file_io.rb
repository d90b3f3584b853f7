# IO and File: reading and writing in all ways; errors; in a directory of its own.
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
Dir.mkdir("io_dir") unless Dir.exist?("io_dir")
F = "io_dir/f.txt"
def e
  p yield
rescue => x
  puts "#{x.class}: #{x.message}"
end
p File.write(F, "one\ntwo\n\n\nthree\nfour"), File.size(F)
p File.read(F), File.read(F, 5), File.read(F, 5, 4), IO.read(F, 0), File.binread(F).encoding, File.read(F).encoding
p File.readlines(F), File.readlines(F, chomp: true), File.readlines(F, ""), File.readlines(F, nil), File.readlines(F, 3), File.readlines(F, "o"), File.readlines(F, "e", 2)
p File.foreach(F).map(&:size), File.foreach(F, chomp: true).first(2)
File.open(F) do |f|
  p f.gets, f.lineno, $., f.gets(nil).size, f.gets, f.eof?, f.pos
  f.rewind
  p f.lineno, f.gets(""), f.gets(""), f.lineno
  f.seek(-4, IO::SEEK_END)
  p f.read, f.read, f.read(1), f.tell
  f.pos = 1
  p f.getc, f.getbyte, f.readchar, f.readbyte, f.ungetc("é"), f.getc, f.ungetbyte(65), f.readpartial(3)
  e { f.write("x") }
  e { f.seek(0, IO::SEEK_END); f.readline }
  e { f.readbyte }
  e { f.readchar }
  e { f.readpartial(1) }
  e { f.sysread(1) }
  e { f.read(-1) }
end
File.open(F, "w") do |f|
  p f.write("a", :b, 1), f << "c" << 2, f.print("x", "y"), f.puts([1, [2, [nil]]], "z\n", "w"), f.putc("pq"), f.putc(65), f.printf("%03d", 7), f.pos
  e { f.read }
end rescue p $!
p File.read(F)
File.open(F, "a") { |f| f.write "END" }
File.open(F, "r+") { |f| f.write "START"; f.seek(0); p f.read(7) }
p File.read(F).lines.last
File.open(F, "w+") { |f| f.puts "new"; f.rewind; p f.read }
e { File.open(F, "wx") {} }
e { File.open(F, "q") {} }
e { File.open("io_dir/none") }
e { File.open("io_dir/none/x", "w") }
e { File.read("io_dir") } if false
e { File.new(nil) }
e { File.open("a\0b") }
f = File.new(F)
p f.class, f.path, f.to_path, f.closed?, f.close, f.close, f.closed?, f.inspect
e { f.read }
e { f.gets }
f = File.open(F, "w", 0644)
f.write("ab")
p File.size(F), f.flush.equal?(f), File.size(F), f.sync, (f.sync = true), f.fileno.class, f.fsync, f.tty?
f.close
File.write(F, "x\r\ny\r\n")
p File.readlines(F, chomp: true), File.open(F, &:readlines)
File.write(F, "héllo\nwörld\n")
File.open(F) { |g| p g.each_char.first(3), g.each_byte.first(2), g.getc, g.gets, g.each_line.to_a, g.external_encoding }
File.open(F, "r:iso-8859-1") { |g| p g.gets.encoding, g.external_encoding }
File.open(F, "rb") { |g| p g.gets.encoding, g.binmode? }
File.open(F, encoding: "utf-8") { |g| p g.gets.encoding }
File.open(F, mode: "w", flags: File::APPEND) { |g| g.puts 1 }
p IO.copy_stream(F, "io_dir/g.txt"), File.read("io_dir/g.txt")
p File.write("io_dir/g.txt", "ZZ", 1), File.binread("io_dir/g.txt")
p File.rename("io_dir/g.txt", "io_dir/h.txt"), File.exist?("io_dir/g.txt"), File.file?("io_dir/h.txt"), File.zero?("io_dir/h.txt"), File.size?("io_dir/none")
p File.truncate("io_dir/h.txt", 1), File.read("io_dir/h.txt"), File.delete("io_dir/h.txt"), File.exist?("io_dir/h.txt")
e { File.delete("io_dir/h.txt") }
e { File.rename("io_dir/h.txt", "x") }
e { File.size("io_dir/h.txt") }
e { File.stat("io_dir/h.txt") }
e { File.mtime("io_dir/h.txt") }
e { File.ftype("io_dir/h.txt") }
e { Dir.mkdir("io_dir") }
e { Dir.rmdir("io_dir/none") }
e { Dir.children("io_dir/none") }
p File.stat(F).file?, File.stat(F).size, File.stat(F).directory?, File.stat("io_dir").directory?, File.ftype("io_dir"), File.ftype(F), File.mtime(F).class
p File.identical?(F, F), File.identical?(F, "io_dir")
File.delete(F)
%w[a.rb b.rb .hidden c.txt].each { |n| File.write("io_dir/#{n}", n) }
Dir.mkdir("io_dir/sub")
File.write("io_dir/sub/d.rb", "")
Dir.mkdir("io_dir/sub/deep")
File.write("io_dir/sub/deep/e.rb", "")
p Dir.children("io_dir").sort, (Dir.entries("io_dir") - %w[. ..]).sort, Dir.each_child("io_dir").to_a.sort, Dir.empty?("io_dir"), Dir.empty?("io_dir/sub/deep")
p Dir.glob("io_dir/*"), Dir.glob("io_dir/*.rb"), Dir.glob("io_dir/**/*.rb"), Dir["io_dir/{a,c}.*"], Dir.glob("io_dir/**/*"), Dir.glob("io_dir/*/"), Dir.glob("*.rb", base: "io_dir"), Dir.glob("io_dir/[ab].rb"), Dir.glob("io_dir/?.rb"), Dir.glob("io_dir/*", File::FNM_DOTMATCH), Dir.glob(["io_dir/a*", "io_dir/c*"]), Dir.glob("io_dir/none*"), Dir.glob("io_dir/**/"), Dir.glob("io_dir/sub/**/e.rb"), Dir.glob("**/deep/*.rb", base: "io_dir")
d = Dir.new("io_dir")
p d.path, d.read.class, d.each.map(&:class).uniq, d.close, d.inspect
e { d.read }
p Dir.open("io_dir") { |x| x.children.size }
Dir.chdir("io_dir") { |x| p x, File.exist?("a.rb"), Dir.pwd.end_with?("/io_dir") }
p File.exist?("a.rb")
Dir.glob("io_dir/**/*", File::FNM_DOTMATCH).reverse.each { |x| next if x.end_with?("."); File.directory?(x) ? Dir.rmdir(x) : File.delete(x) }
Dir.rmdir("io_dir")
p Dir.exist?("io_dir")
