# freeze of String literals: the object itself; "text".freeze is one object wherever it stands
b = "x"; p b.freeze.equal?(b), b.frozen?
a = [1, "x"]; a.each(&:freeze); p a[1].frozen?
p "lit".freeze.equal?("lit".freeze), (-"lit").equal?("lit".freeze), "lit".freeze.frozen?
c = "chilled"; p c.frozen?, c.dup.frozen?, (+c).equal?(c); c << "!"; p c
d = "d"; d.freeze; begin; d << "x"; rescue FrozenError; puts $!.message; end
p (+d).frozen?, (+d).equal?(d), d.clone.frozen?, d.dup.frozen?
e = "e"; f = e; e.freeze; p f.frozen?, "q#{e}".frozen?, "q#{e}".freeze.frozen?
h = {"k" => 1}; p h.keys[0].frozen?
class String; alias old_freeze freeze; end
p "z".old_freeze.frozen?
