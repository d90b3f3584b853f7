# What a block gets of yields of none, one, several, Arrays and keywords: straight and through Enumerable.
class M; include Enumerable; def each; yield; yield 1; yield 1,2; yield [3,4]; yield k: 1; yield 5, k: 2; self; end; end
m = M.new
p m.to_a, m.map{|a|a}, m.map{|a,b|[a,b]}, m.map{|*a| a}, m.map{|a,k: nil| [a,k]}, m.each_with_index.to_a, m.select{|a,b| true}, m.each_slice(2).to_a
p m.inject{|a,b| [a,b]}, m.group_by{|x| x.class}, m.each_entry.to_a, m.first(3), m.sort_by{|x| x.to_s}, m.min_by{|x|x.to_s}, m.to_set.size, m.each_with_object([]){|x,o| o<<x}
p m.map(&:inspect), m.map(&->(x=1){x}) rescue p $!
p m.lazy.map{|a,b| [a,b]}.to_a, m.include?([1,2]), m.count{|a,b| b}, m.find_index([1,2]), m.zip([1,2,3])
def pr; yield [1,2]; end
pr{|a,b| p [a,b]}; pr{|a| p a}; pr{|*a| p a}; pr{|a,(b,c)| p [a,b,c]}; pr{|a, b=5| p [a,b]}; pr(&->(a){p a}); pr{p it}; pr{p _1}; pr{p [_1,_2]}; pr(&:inspect); pr{p 0}
begin; pr(&->(a,b){p [a,b]}); rescue => e; p e.message; end
def pr2(&b) = [1].each { pr(&b) }
pr2{|a,b| p [a,b]}
def pr3; [1].each{ yield [3, 4] }; end
pr3{|a,b| p [a,b]}; pr3{|a| p a}
{a: 1}.each{|k,v| p [k,v]}; {a: 1}.each{|k| p k}; {a: 1}.map{|k,v| p v}; {a: 1}.each_pair(&->(k,v){p k}) rescue p $!.message
{a: 1}.each{|*k| p k}; {a: [1,2]}.each{|k,(a,b)| p [k,a,b]}; {a: 1}.each_with_index{|(k,v),i| p [k,v,i]}
l = m.lazy
p l.map{|*a| a}.to_a.last(5), l.select{|a,b| true}.to_a, l.reject{|a| a.nil?}.map{|a| a}.to_a, l.take(3).to_a, l.take_while{|a,b| true}.map{|a,b| b}.to_a, l.drop(2).to_a, l.drop_while{|a| a.nil?}.map{|a,b| [a,b]}.to_a
p l.with_index.to_a, l.each_with_index.map{|(a,b),i| i}.to_a, l.uniq.to_a, l.compact.to_a, l.zip([1,2]).to_a, l.first, l.first(2), l.flat_map{|a,b| [a,b]}.to_a, l.filter_map{|a,b| b}.to_a
p (1..3).lazy.map{|x|x+1}, (1..3).lazy.take(2).class, (1..Float::INFINITY).lazy.map{|x| x*2}.select{|x| x%3==0}.first(4), (1..20).lazy.eager.class, (1..3).lazy.size, (1..3).lazy.map{}.size
e = (1..3).lazy.map{|x| x*2}; p e.next, e.next, e.next, (e.next rescue $!.class); e.rewind; p e.next
p Enumerator::Lazy.new([1,2,3]){|y,v| y << v*10 if v.odd?}.to_a, (1..4).lazy.grep(2..3).to_a, (1..4).lazy.take(2).inspect, (1..3).lazy.take(0).to_a, (1..3).lazy.tally, (1..3).lazy.include?(2), (1..3).lazy.each_slice(2).to_a
p Enumerator::Lazy.new(m){|y,*v| y.yield(*v)}.map{|a,b| [a,b]}.to_a
p (1..3).lazy.take(5).first(1), (1..3).each_entry.lazy.to_a
