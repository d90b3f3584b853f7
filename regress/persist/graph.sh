# MagLev's example, verbatim: a class defined by a string in persistent mode, its object used in another process.
. "$LODE_TOP/regress/lib.sh"
cat >graph.rb <<'RUBY'
graph_node = <<-EOS
class Graph; def initialize; @nodes = []; end; def push(node); @nodes.push node; end; end; class Node; end
EOS
Maglev.persistent { eval graph_node }
g = Graph.new
g.push Node.new
g.push Node.new
Maglev::PERSISTENT_ROOT[:data] = g
Maglev.commit_transaction
RUBY
prints '' lode graph.rb
rm graph.rb
out=$(lode -e 'puts Maglev::PERSISTENT_ROOT[:data].inspect') || die "status $?"
[[ $out =~ ^'#<Graph:0x'[0-9a-f]{16}' @nodes=[#<Node:0x'[0-9a-f]{16}'>, #<Node:0x'[0-9a-f]{16}'>]>'$ ]] || die "inspect: $out"
prints '3' lode -e 'g = Maglev::PERSISTENT_ROOT[:data]; g.push Node.new; Maglev.commit_transaction; p g.instance_variable_get(:@nodes).size'
prints '3' lode -e 'p Maglev::PERSISTENT_ROOT[:data].instance_variable_get(:@nodes).size'
kill_everything
prints '[Graph, [:push], Object]' lode -e 'c = Maglev::PERSISTENT_ROOT[:data].class; p [c, c.instance_methods(false), c.superclass]'
