# driver.rb: a session that evaluates each line it is sent and answers with one line, for tests of several live sessions.
$stdout.sync = true
while line = $stdin.gets
  begin
    puts "=> #{eval(line, TOPLEVEL_BINDING).inspect}"
  rescue Exception => e
    puts "!! #{e.class}: #{e.message.lines.first.to_s.chomp}"
  end
end
