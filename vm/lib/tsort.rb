# TSort: order by dependency (Tarjan's strongly connected components).
module TSort
  class Cyclic < StandardError; end

  def tsort = TSort.tsort(method(:tsort_each_node), method(:tsort_each_child))
  def tsort_each(&block)
    return to_enum(:tsort_each) unless block
    tsort.each(&block)
  end
  def strongly_connected_components = TSort.strongly_connected_components(method(:tsort_each_node), method(:tsort_each_child))
  def each_strongly_connected_component(&block)
    return to_enum(:each_strongly_connected_component) unless block
    strongly_connected_components.each(&block)
  end

  def self.tsort(each_node, each_child)
    strongly_connected_components(each_node, each_child).map do |c|
      raise Cyclic, "topological sort failed: #{c.inspect}" if c.size > 1
      c.first
    end
  end

  def self.strongly_connected_components(each_node, each_child)
    index = {}
    low = {}
    stack = []
    found = []
    visit = lambda do |n|
      index[n] = low[n] = index.size
      stack << n
      each_child.call(n) do |c|
        if !index.key?(c)
          visit.call(c)
          low[n] = [low[n], low[c]].min
        elsif stack.include?(c)
          low[n] = [low[n], index[c]].min
        end
      end
      if low[n] == index[n]
        at = stack.index(n)
        found << stack.slice!(at..)
      end
    end
    each_node.call { |n| visit.call(n) unless index.key?(n) }
    found
  end
end
