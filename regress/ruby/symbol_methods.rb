# Symbol.
def show(label)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts "#{label}: #{r}"
end
show("inspect") { [:a, :a?, :a!, :a=, :A, :A=, :@a, :@@a, :$a, :$1, :[], :[]=, :+, :-@, :!, :!=, :<=>, :"a b", :"", :"1a", :"a-b", :"foo?=", :"&&", :"a\nb", :é, :"é t"] }
show("to_s") { [:a.to_s, :a.id2name, :a.name, :a.to_s.frozen?, :a.name.frozen?, :a.name.equal?(:a.name)] }
show("==") { [:a == :a, :a == "a", :a.equal?(:a), :a.eql?(:a), :a === :a, :a != :b] }
show("<=>") { [:a <=> :b, :b <=> :a, :a <=> :a, :a <=> "a", :a < :b, [:c, :a, :b].sort, :a.between?(:a, :b)] }
show("casecmp") { [:aB.casecmp(:Ab), :a.casecmp("a"), :aB.casecmp?(:Ab), :a.casecmp?(1)] }
show("size") { [:abc.size, :abc.length, :é.size, :"".empty?, :a.empty?] }
show("aref") { [:hello[1], :hello[1, 3], :hello[1..], :hello[/l+/], :hello["ell"], :hello[10]] }
show("case") { [:abc.upcase, :ABC.downcase, :abc.capitalize, :aBc.swapcase] }
show("succ") { [:a.succ, :az.next, :zz.succ] }
show("match") { [:hello =~ /l/, :hello.match(/l(.)/)[1], :hello.match?(/x/), :hello.match?(/h/)] }
show("start") { [:hello.start_with?("he"), :hello.end_with?("lo"), :hello.start_with?(/h/)] }
show("encoding") { [:a.encoding, :é.encoding] }
show("to_proc") { [%w[a b].map(&:upcase), :upcase.to_proc.call("x"), [[1, 2]].map(&:first), :upcase.to_proc.lambda?, :upcase.to_proc.arity] }
show("to_sym") { [:a.to_sym, "a b".to_sym, "x".intern, %s(q r), :"a#{1 + 1}"] }
show("hash") { [:a.hash == :a.hash, {a: 1, "a" => 2, :"b c" => 3, nil => 4, 1 => 5}] }
show("frozen") { [:a.frozen?, :a.dup, :a.clone] }
show("new") { Symbol.new }
show("def") { sym = :a; def sym.x = 1 }
show("all") { Symbol.all_symbols.size > 100 && Symbol.all_symbols.include?(:all_symbols) }
show("nil") { [nil.to_s, nil.to_a, nil.to_i, nil.to_f, nil.inspect, nil & 1, nil | 1, nil.to_h, nil.to_s.frozen?, nil =~ /a/] }
show("true") { [true & 1, true & nil, true | nil, true ^ true, true ^ nil, true.to_s, !true, true == true, true === 1] }
show("false") { [false & 1, false | 1, false | nil, false ^ 1, false ^ nil, false.to_s, !false, false.inspect] }
