# The object log, and exceptions that Maglev::Debugger keeps in it: for sessions to come.
. "$LODE_TOP/regress/lib.sh"
prints '[0, [6, 5, 4, 3, 2, 1]]' lode -e '
require "maglev/objectlog"
p [ObjectLog.to_a.size, ObjectLogEntry::PRIORITIES.keys.map { |n| ObjectLogEntry.public_send(:"#{n}_level") }]'
prints '3' lode -e '
ObjectLogEntry.warn("strange", [1, {a: 2}]).add_to_log
ObjectLogEntry.debug("plain").tap { |e| e.tag = :mine }.add_to_log
ObjectLogEntry.fatal("lost")
ObjectLogEntry.warn("again").add_to_log
p ObjectLogEntry.object_log.size
Maglev.commit'
kill_everything
prints '[["strange", 3, [1, {a: 2}], true, false], ["plain", 5, nil, true, true], ["again", 3, nil, true, false]]
[["strange", "again"], ["plain"], []]
[2, 2]' lode -e '
p ObjectLog.to_ary.map { |e| [e.label, e.priority, e.object, e.timestamp <= Time.now && e.pid > 0, e.tagged?] }
p [ObjectLog.warns(true).map(&:label), ObjectLog.debugs(false).map(&:label), ObjectLog.infos.map(&:label)]
ObjectLog.delete(ObjectLog.to_a[0])
p [ObjectLog.to_a.size, ObjectLogEntry.object_log.size]'
# two sessions add at once
session_open a
session_open b
said '=> 3' a 'ObjectLogEntry.info("a").add_to_log; ObjectLog.to_a.size'
said '=> 3' b 'ObjectLogEntry.info("b").add_to_log; ObjectLog.to_a.size'
said '=> true' a 'Maglev.commit'
said '=> true' b 'Maglev.commit'
said '=> ["plain", "again", "a", "b"]' b 'ObjectLog.to_a.map(&:label)'
session_close a
session_close b
# exceptions
cat >fail.rb <<'RUBY'
require "maglev/debugger"
def dig(n) = n == 0 ? Integer("x") : dig(n - 1)
p Maglev::Debugger.debug { 1 }
begin
  Maglev[:pending] = 1
  Maglev::Debugger.debug { dig(2) }
rescue Maglev::Debugger::DebuggerException => e
  p e.message, e.cause.class, e.log_entry.class, e.log_entry.has_cc?
end
class Own < StandardError; end # can't be saved
begin
  Maglev::Debugger.debug { raise Own, "mine" }
rescue Maglev::Debugger::DebuggerException => e
  p e.message, e.cause.class
end
RUBY
exits 0 lode fail.rb
same "what the debugger says" '1
"invalid value for Integer(): \"x\""
ArgumentError
DebuggerLogEntry
false
"mine"
Own' "$out"
same "the warning" "Saving exception to ObjectLog, discarding transaction" "$err"
rm fail.rb
prints '[nil, "invalid value for Integer(): \"x\"", ArgumentError, true]
["mine (Own; not saved", nil]
"DebuggerLogEntry#resume_continuation: a stopped thread can'"'"'t be saved"' lode -e '
one, two = ObjectLog.errors(true)
p [Maglev[:pending], one.label, one.exception.class, one.exception.backtrace.grep(/fail.rb:2:in .*dig/).size >= 3]
p [two.label[0, 20], two.exception]
begin; one.resume_continuation; rescue NotImplementedError => e; p e.message; end'
