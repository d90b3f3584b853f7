# worker.rb: one session of a history: transactions of random operations on lists or registers, logged as tools/history.c
# reads them.  Before a commit a line says what was done, after it another how it ended.
#
#     worker.rb MODE ISOLATION ENOUGH NUMBER LOG       MODE: list or register; until there is a file ENOUGH; NUMBER: no
#                                                      other worker's, ever
#     worker.rb setup | final MODE LOG...
#
# Names are SLOT.GENERATION: when a list has grown to LIMIT, workers turn to the slot's next generation.

SLOTS = 6
GENERATIONS = 300
LIMIT = 60

class Refused < StandardError; end

def setup
  Maglev[:lists] = Array.new(SLOTS) { Array.new(GENERATIONS) { [] } }
  Maglev[:registers] = Array.new(SLOTS) { [0] }
  Maglev.commit
end

# Each name that a log mentions, as it is at the end.
def final(mode, logs)
  names = logs.flat_map { |log| File.read(log).scan(/ a:([^:]+):/) }.flatten.uniq
  puts "final " + names.map { |name|
    slot, generation = name.split(".").map(&:to_i)
    "r:#{name}:#{Maglev[:lists][slot][generation].join(",")}"
  }.join(" ") if mode == "list"
end

class Worker
  def initialize(number, log)
    @value = number * 1_000_000
    @log = File.open(log, "a")
    @log.sync = true
    @transaction = 0
    @generation = Array.new(SLOTS, 0)
  end

  def list_operation
    slot = rand(SLOTS)
    name = "#{slot}.#{@generation[slot]}"
    list = Maglev[:lists][slot][@generation[slot]]
    if rand < 0.5
      @operations << "r:#{name}:#{list.join(",")}"
      @generation[slot] += 1 if list.size >= LIMIT && @generation[slot] + 1 < GENERATIONS
    else
      list << (@value += 1)
      @operations << "a:#{name}:#{@value}"
    end
  end

  def register_operation
    slot = rand(SLOTS)
    register = Maglev[:registers][slot]
    @operations << "R:#{slot}:#{register[0]}"
    return if rand < 0.5
    register[0] = (@value += 1)
    @operations << "w:#{slot}:#{@value}"
  end

  def run(mode, enough)
    until File.exist?(enough)
      @operations = []
      @transaction += 1
      one(mode == "list" ? :list_operation : :register_operation)
    end
  end

  # What the limit of time interrupts may have been committed or not: it has no end.
  def one(operation)
    rand < 0.05 ? Timeout.timeout(rand * 0.004) { attempt(operation) } : attempt(operation)
  rescue Timeout::Error
    Maglev.abort
  end

  def attempt(operation)
    nested = rand < 0.15
    (1 + rand(4)).times { send(operation) }
    nested_part(operation) if nested
    raise Refused if rand < 0.1
    @log.puts "t #{@transaction} #{@operations.join(" ")}"
    Maglev.commit
    @log.puts "ok #{@transaction}"
  rescue Refused, Maglev::CommitFailedException => e
    @log.puts "t #{@transaction} #{@operations.join(" ")}" if e.is_a?(Refused)
    @log.puts "fail #{@transaction}"
    Maglev.abort
  end

  # An inner transaction; when it is aborted its operations never were.
  def nested_part(operation)
    before = @operations.dup
    Maglev.begin_nested_transaction
    (1 + rand(2)).times { send(operation) }
    if rand < 0.5
      Maglev.abort
      @operations = before
    else
      Maglev.commit
    end
  end
end

require "timeout"
case ARGV[0]
when "setup" then setup
when "final" then final(ARGV[1], ARGV[2..])
else
  mode, isolation, enough, number, log = ARGV
  Maglev.isolation = isolation.to_sym
  Maglev.abort
  Worker.new(number.to_i, log).run(mode, enough)
end
