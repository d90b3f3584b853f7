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
