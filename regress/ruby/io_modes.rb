# What an IO's arguments ask for: modes, encodings, newlines, the buffers of reading methods, closing.
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
path = "io_modes.tmp"
at_exit { File.unlink(path) if File.exist?(path) }
def try
  yield
rescue StandardError, NotImplementedError => e
  "#{e.class}: #{e.message}"
end

# encodings by mode, by options, by default
[["r", {}], ["rb", {}], ["r:iso-8859-1", {}], ["r:iso-8859-1:utf-8", {}], ["r:utf-8:utf-8", {}], ["r:iso-8859-1:-", {}], ["w", {}],
 ["wb", {}], ["w:utf-16le", {}], ["r+", {}], ["rb:utf-16be", {}], ["r", { external_encoding: "euc-jp" }],
 ["r", { external_encoding: "euc-jp", internal_encoding: "utf-8" }], ["r", { encoding: "euc-jp:utf-8" }], ["r", { internal_encoding: nil }],
 ["r", { binmode: true }], ["rt", {}], ["r", { textmode: true }], ["r:utf-16le", {}], ["rb", { binmode: true }], ["rb", { textmode: true }],
 ["r", { mode: "w" }], ["r:utf-8", { encoding: "utf-8" }], ["rbt", {}], ["rx", {}], ["q", {}], ["r", { newline: :nope }],
 ["rb", { newline: :crlf }], ["w", { crlf_newline: true }]].each do |mode, options|
  File.write(path, "a\n")
  puts "#{mode} #{options}: " + try { File.open(path, mode, **options) { |f| [f.external_encoding, f.internal_encoding, f.binmode?].inspect } }.to_s
end
p try { File.open(path, "w", 0644, perm: 0600) {} }
["abc\xFFd", "abc\xE3\x81", "\xE3x"].each { |s| s.encode("utf-16le") rescue p $!.message, $!.error_bytes, $!.readagain_bytes, $!.incomplete_input? }
Encoding.default_internal = "utf-16le"
p File.open(path, "r") { |f| [f.external_encoding, f.internal_encoding] }, File.open(path, "w") { |f| [f.external_encoding, f.internal_encoding] }
Encoding.default_internal = nil
File.open(path, "r") do |f|
  [["iso-8859-1:utf-8"], ["utf-8", "-"], [Encoding::EUC_JP, "utf-8"], ["binary", "utf-8"], [nil], [nil, nil], [nil, "utf-8"], ["utf-8"]].each do |args|
    p args, try { f.set_encoding(*args); [f.external_encoding, f.internal_encoding] }
  end
end

# text through them
File.binwrite(path, "\xE9t\xE9\nna\xEFve\n".b)
p File.read(path, encoding: "iso-8859-1:utf-8"), File.readlines(path, mode: "r:iso-8859-1:utf-8", chomp: true)
File.open(path, "r:iso-8859-1:utf-8") { |f| p f.getc, f.gets, f.read(2), f.read, f.read }
wide = "h\u00E9\nw\u4E0A\u0A0Ax\n\n\u{1F600}z".encode("utf-16le")
File.binwrite(path, wide)
File.open(path, "rb:utf-16le:utf-8") { |f| p f.gets, f.gets(chomp: true), f.each_char.to_a }
File.open(path, "rb:utf-16le") { |f| p f.gets.encode("utf-8"), f.getc.encode("utf-8"), f.readchar.encode("utf-8"), f.gets(nil).encoding }
File.binwrite(path, "\xA4\xA2\xA4\xEA".b)
File.open(path, "r:euc-jp") { |f| p f.getc.encode("utf-8"), f.readchar.encode("utf-8"), f.getc }
File.open(path, "w:iso-8859-1") { |f| p f.write("\u00E9t", "e"), try { f.write("\u4E0A") }, try { f.write("\xFF".b) } }
p File.binread(path)
File.open(path, "w", crlf_newline: true) { |f| f.puts "a", "b" }
p File.binread(path), File.read(path, mode: "rt"), File.open(path, universal_newline: true, &:readlines)
File.binwrite(path, "\xEF\xBB\xBFtext")
p File.read(path, encoding: "bom|utf-8"), File.open(path, "rb") { |f| [f.set_encoding_by_bom, f.read] }, File.open(path, "rb:bom|utf-16le:utf-8") { |f| [f.external_encoding, f.read] }
File.binwrite(path, "\xFF\xFEa\0")
p File.open(path, "rb") { |f| [f.set_encoding_by_bom, f.read.encode("utf-8")] }, try { File.open(path, "r") { |f| f.set_encoding_by_bom } }

# buffers keep their encoding and lose what they held
File.write(path, "0123456789")
File.open(path) do |f|
  buffer = +"old".encode("iso-8859-1")
  p f.read(3, buffer), buffer.encoding, f.readpartial(2, buffer), buffer, f.sysread(2, buffer), f.pread(2, 1, buffer), f.pread(0, 1, buffer), f.read(0, buffer)
  p f.read(9, buffer), f.read(1, buffer), buffer, try { f.sysread(1, buffer) }, try { f.readpartial(-1) }, try { f.pread(-1, 0) }, f.sysseek(2), f.getc, try { f.sysseek(0) }
end
File.open(path) { |f| p f.gets("", 4), f.gets(nil, 3), f.gets("8", 99), f.lineno, try { f.lineno = nil } }
File.write(path, "日本語")
File.open(path) { |f| p f.gets(4), f.gets(1), f.ungetc("é"), f.getc, try { f.ungetc(nil) }, try { f.advise(:nope) }, try { f.advise("normal") }, f.advise(:random) }

# closing, reopening, whole files
File.open(path, "w") { |f| other = IO.for_fd(f.fileno, "w", autoclose: false); other.close; p f.write("still open"), try { IO.for_fd(f.fileno, "r") } }
p File.read(path, open_args: ["r:iso-8859-1"]).encoding, try { File.read(path, -1, -1) }, try { File.read(path, -1) }, try { IO.binread(path, 1, -1) }
p IO.copy_stream(path, path + ".2", 5), File.binread(path + ".2"), File.unlink(path + ".2")
source = Object.new
def source.readpartial(n, buffer) = @done ? raise(EOFError) : (@done = true; buffer.replace("from an object"))
target = Object.new
def target.write(s) = (puts s; s.size)
Wrong = Struct.new(:to_io)
p IO.copy_stream(source, target), IO.try_convert(5), IO.try_convert(BasicObject.new), try { IO.try_convert(Wrong.new(1)) }
f = File.open(path, "w")
def f.write(text) = (p [:write, text]; text.size)
f.puts "one", [2, [nil]]
f.close
