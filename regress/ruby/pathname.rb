# Pathname: the algebra of paths, and what it asks of the file system.
p Pathname::SEPARATOR_PAT, Pathname::VERSION rescue p $!
p Pathname("a"), Pathname.new("a\0b") rescue p $!
p Pathname.new(nil) rescue p $!
p Pathname.new(3) rescue p $!
p Pathname("a").frozen?, Pathname("a").to_s.frozen?
p Pathname.instance_method(:+).owner, Pathname.new("x").hash == Pathname.new("x").hash
p Pathname("a") <=> Pathname("a/b"), Pathname("a") <=> Pathname("a.b"), Pathname("a") <=> 1
p Pathname("x").instance_variables
p Pathname("/a/b/../c/./d//e").cleanpath, Pathname("/../a").cleanpath, Pathname("a/../..").cleanpath, Pathname("").cleanpath, Pathname("a/./").cleanpath(true), Pathname("a//b/../").cleanpath(true)
%w[a+b a+../b a/b+../../../c /a+/b a+. .+a ..+.. a/..+b /+.. a/.+b a+b/ / . a//+b].each { |x| l, r = x.split("+",2); p [x, (Pathname(l) + (r||"")).to_s] }
%w[/a/b/c /a/b|../x a|b . ..|. a/b/c|a/d /|/ a|/b].each { |x| a,b=x.split("|"); b ||= "/a"; begin; p [x, Pathname(a).relative_path_from(Pathname(b)).to_s]; rescue => e; p [x, e.class, e.message]; end }
p Pathname("/a/b/c").ascend.to_a, Pathname("a/b/c").descend.to_a, Pathname("/a/b").each_filename.to_a
p Pathname("a/b.rb").sub("b","c"), Pathname("a/b.rb").sub(/(b)/) { $1.upcase }, Pathname("a/b.tar.gz").sub_ext(".x"), Pathname("a.d/b").sub_ext(".rb"), Pathname(".bashrc").sub_ext(".x")
p Pathname("a").join("b","c"), Pathname("a").join("/b","c"), Pathname("a").join
p Pathname("/").root?, Pathname("//").root?, Pathname("a").absolute?, Pathname("/a").relative?, Pathname("a").parent, Pathname("/").parent, Pathname("..").parent
p Pathname("a/b/").split, Pathname("a/b/").basename, Pathname("a/b.c").basename(".c"), Pathname("a/b.c").extname, Pathname("a/b").dirname
p Pathname("~").expand_path.class
p Pathname("a") == "a", Pathname("a").eql?(Pathname("a")), Pathname("a") === Pathname("a")
p Pathname("a").inspect, "#{Pathname('q')}", File.join(Pathname("a"), "b"), [Pathname("b"), Pathname("a")].sort
p Pathname("a").method(:+).arity, Pathname.instance_method(:cleanpath).parameters, Pathname.instance_method(:join).parameters,Pathname.instance_method(:relative_path_from).parameters
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
Dir.mkdir("paths")
d = Pathname("paths")
(d+"f.txt").write("hello\nworld\n"); (d+"sub").mkdir rescue 0
p (d+"f.txt").read, (d+"f.txt").readlines, (d+"f.txt").each_line.to_a, d.children.sort, d.children(false).sort, d.each_child.to_a.sort, d.glob("*.txt"), Pathname.glob("paths/*").sort
p (d+"f.txt").file?, d.directory?, (d+"f.txt").size, (d+"none").exist?, (d+"f.txt").zero?, d.empty?, (d+"sub").empty?
p (d+"a/b/c").mkpath, (d+"a/b/c").directory?, (d+"a/b/c").rmdir
(d+"f.txt").open("a") { |f| f.puts "x" }; p (d+"f.txt").read.size
p (d+"f.txt").rename(d+"g.txt"), (d+"g.txt").delete, (d+"g.txt").exist?
begin; (d+"g.txt").read; rescue => e; p e.class; end
p Pathname.pwd.class, Pathname("a").respond_to?(:=~), Pathname("x").to_path
p Pathname("paths/../paths/sub").realpath.basename
p Pathname("a/b").fnmatch("a/*"), Pathname("a").taint rescue p $!.class
p Pathname(Pathname("z"))
class PSub < Pathname; end
p PSub.new("a") + "b", PSub.new("a").parent.class, PSub.new("x/y").children.class rescue p $!.class
p Pathname("a\u00e9").inspect, Pathname("b").dup, Pathname("x").binwrite("q") , File.exist?("x"), Pathname("x").unlink
%w[. .. a / a/b a/.. a/. ./a ../a ../.. /a // a/ a// a//b ./ a/b/ ../a/.. ...].product(%w[. .. a a/b ../a ../../a ./a a/. a/.. .. ../ ../.. /x ./.. a/ ""]) { |l, r| r = "" if r == '""'; print (Pathname(l) + r).to_s, " " }
puts
%w[. .. a / a/b a/.. a/. ./a ../a ../.. /a // a/ a// a//b ./ a/b/ ../a/.. /../.. /./a/ a/../../b/].each { |x| print Pathname(x).cleanpath, " ", Pathname(x).cleanpath(true), " ", Pathname(x).ascend.map(&:to_s), Pathname(x).descend.map(&:to_s), Pathname(x).each_filename.to_a, "\n" }
begin; Pathname("a").relative_path_from(Pathname("../b")); rescue => e; puts e.message; end
Pathname("paths").glob("**/*").sort.reverse_each(&:unlink)
Pathname("paths").rmdir
