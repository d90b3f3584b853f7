# boot_pages.sh: what sessions write of the heap that they share with the postmaster.  A session of 1,000 requests that
# define 50 classes touches no more pages than the list below, by type of the object written.
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
export LODE_BOOT_GUARD=1
lodectl -D "$LODE_STORE" init >/dev/null || exit 1
server_start

cat >requests.rb <<'RUBY'
1000.times do |i|
  name = "Request#{i / 20}"
  unless Object.const_defined?(name)
    Object.class_eval <<~SOURCE
      class #{name}
        include Comparable
        attr_accessor :number
        def initialize(number) = @number = number
        def <=>(other) = number <=> other.number
        def answer(log) = log << [number.to_s, { number: }, number.fdiv(3).round(2)].inspect
      end
    SOURCE
  end
  log = +""
  requests = Array.new(3) { |k| Object.const_get(name).new(i + k) }
  requests.sort.map { |r| r.answer(log) }
  raise "wrong" unless log =~ /number: #{i + 1}/ && requests.max.number == i + 2
rescue KeyError, ArgumentError
  warn $!
end
RUBY
cat >report.rb <<'RUBY'
require "./requests"
allowed = { ARRAY: 1, CLASS: 1, HASH: 1, IO: 1, SYMTABLE: 2 }
written = GC.boot_writes or abort "the test mode is off"
over = written.reject { |type, pages| pages <= allowed.fetch(type, 0) }
puts over.empty? ? "as listed" : "more than listed: #{over} of #{written}"
RUBY
prints "as listed" lode report.rb
# That the mode sees writes at all: a class of boot is written.
prints "true" lode -e 'before = GC.boot_writes.values.sum
[String, Array, Hash, Integer, IO, Range, Proc, Regexp, Struct, Thread].each { |c| c.define_singleton_method(:mine) { 1 }; c.freeze }
p GC.boot_writes.values.sum > before'
server_stop
unset LODE_BOOT_GUARD
prints "nil" lode --solo -e 'p GC.boot_writes'
