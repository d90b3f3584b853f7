# IO with encodings: text changes between the external and the internal one; byte order marks.
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
File.write("enc.txt", "caf\xE9\nna\xEFve\n".b)
p File.read("enc.txt", encoding: "iso-8859-1:utf-8"), File.readlines("enc.txt", encoding: "iso-8859-1:utf-8")
File.open("enc.txt", "r:iso-8859-1:utf-8") { |f| p f.gets, f.getc, f.internal_encoding, f.external_encoding, f.read }
File.open("enc.txt", "r:iso-8859-1") { |f| p f.gets, f.internal_encoding }
File.open("enc.txt", "w:iso-8859-1") { |f| f.puts "é"; f.write "ü"; f.print "x" }
p File.binread("enc.txt")
File.write("enc.txt", "é", encoding: "utf-16le")
p File.binread("enc.txt")
File.open("enc.txt", "w", external_encoding: "utf-8") { |f| f.puts "é".encode("iso-8859-1") }
p File.binread("enc.txt")
begin
  File.open("enc.txt", "w:us-ascii") { |f| f.puts "é" }
rescue => e
  p e.class, e.message
end
File.write("enc.txt", "\uFEFFbom")
p File.read("enc.txt", encoding: "bom|utf-8"), File.read("enc.txt")
File.delete("enc.txt")
