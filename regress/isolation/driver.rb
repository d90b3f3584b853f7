# driver.rb: a session of an isolation spec: evaluates each line it is sent and answers with one line.
# Objects are boxes under the root: Maglev[:x] = [value].
$stdout.sync = true

def get(name) = Maglev[name][0]

def set(name, value)
  Maglev[name][0] = value
end

def named(object)
  return object.name if object.is_a?(Module)
  return "(a class not visible here)" if object.nil?
  Maglev.root.key(object)&.to_s || (object.equal?(Maglev.root) ? "root" : object.class.name)
end

# :committed, or what clashed.
def commit
  Maglev.commit
  :committed
rescue Maglev::CommitFailedException => e
  "refused: " + e.transaction_conflicts.map { |c| "#{c[:kind]} #{named(c[:object])}" }.uniq.sort.join(", ")
end

def abort
  Maglev.abort
  :aborted
end

while line = $stdin.gets
  begin
    result = eval(line, TOPLEVEL_BINDING)
    puts result.is_a?(String) || result.is_a?(Symbol) ? result.to_s : result.inspect
  rescue Exception => e
    puts "#{e.class}: #{e.message.lines.first.to_s.chomp}"
  end
end
