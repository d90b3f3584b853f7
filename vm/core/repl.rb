# The read-eval-print loop, Binding#irb: it runs in the session like any program, so what holds for programs holds for it
# (transactions, interrupts, exit status).  backend/repl.c reads the lines and asks the parser whether they are whole.

# Until backend/repl.c puts its own in place.
def Kernel.__repl_read(_) = raise(NotImplementedError, "Binding#irb: this program reads no lines")

class Binding
  # Until the end of the input or `exit`.  The last result is the local variable _.
  def irb
    number = 1
    source = nil
    while true
      begin
        line = Kernel.__repl_read(source ? "lode:#{number}* " : "lode:#{number}> ")
      rescue Interrupt
        puts
        source = nil
        next
      end
      break unless line
      next if source.nil? && line.strip.empty?
      source = source ? source + line + "\n" : line + "\n"
      next if Kernel.__repl_incomplete(source) && !(line.strip.empty? && source.count("\n") > 200)
      text, source, at = source, nil, number
      number += text.count("\n")
      __repl_eval(text, at)
    end
  end

  private def __repl_eval(text, at)
    result = eval(text, "(lode)", at)
    local_variable_set(:_, result)
    puts "=> #{result.inspect}"
  rescue SystemExit
    raise
  rescue SyntaxError => e
    $stderr.puts e.message
  rescue Exception => e
    trace = e.backtrace || []
    ours = trace.rindex { |line| line.end_with?("'Binding#eval'") }
    trace = trace.first(ours) if ours
    $stderr.puts "#{trace.empty? ? '' : trace[0] + ': '}#{e.message} (#{e.class})"
    trace.drop(1).first(20).each { |line| $stderr.puts "\tfrom #{line}" }
  end
end
