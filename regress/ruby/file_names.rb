# File's work on names.
%w[/a/b.rb b.rb / // /a/ a/b/ .bashrc a.tar.gz a. a.b. ../x . ..  /a//b].push("").each do |n|
  p [n, File.basename(n), File.basename(n, ".rb"), File.basename(n, ".*"), File.extname(n), File.dirname(n), File.split(n)]
end
p File.dirname("/a/b/c/d", 2), File.dirname("a/b", 5)
p File.join, File.join("a"), File.join("a", "b"), File.join("a/", "/b"), File.join("a", ["b", ["c"]]), File.join("", "a"), File.join("a", ""), File.join("a//", "b")
p File.expand_path("a", "/x"), File.expand_path("../a", "/x/y"), File.expand_path("/a/../b/./c"), File.expand_path("..", "/"), File.expand_path("a/../../b", "/x/y/z"), File.absolute_path("~", "/x"), File.absolute_path?("/a"), File.absolute_path?("a")
[["*", "a"], ["*", ".a"], ["*", "a/b"], ["?", "a"], ["[a-c]", "b"], ["[!a]", "b"], ["[^a]", "a"], ["a*c", "abbc"], ["a*c", "abb"], ["**/*.rb", "a/b/c.rb"], ["**.rb", "a.rb"], ["*.{rb,py}", "a.py"], ["\\*", "*"], ["A", "a"], ["*/b", "a/b"], ["**/b", "b"], [".*", ".a"], ["a?c", "aéc"], ["[a-", "a"]].each do |pat, s|
  p [pat, s, File.fnmatch(pat, s), File.fnmatch(pat, s, File::FNM_PATHNAME), File.fnmatch(pat, s, File::FNM_DOTMATCH | File::FNM_PATHNAME), File.fnmatch(pat, s, File::FNM_EXTGLOB), File.fnmatch(pat, s, File::FNM_CASEFOLD), File.fnmatch?(pat, s, File::FNM_NOESCAPE)]
end
p File::SEPARATOR, File::PATH_SEPARATOR, File::ALT_SEPARATOR, File.path("a"), File::LOCK_EX, File::FNM_PATHNAME
begin; File.join("a", nil); rescue => e; p e; end
begin; File.basename(1); rescue => e; p e; end
begin; File.join("a\0"); rescue => e; p e; end
class P; def to_path = "/p/q.rb"; end
p File.basename(P.new), File.join("a", P.new), File.extname(P.new)
