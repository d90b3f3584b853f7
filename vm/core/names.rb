# The names of Lodestone's classes: one at top level, as MagLev has it, and one in module Lodestone (which is Maglev).

{
  RCCounter: :Counter, RCHash: :Map, RCQueue: :Queue, RCBag: :Bag,
  IdentitySet: :IdentitySet, IdentityHash: :IdentityHash, OrderedCollection: :OrderedCollection,
  ObjectLog: :ObjectLog, ObjectLogEntry: :ObjectLogEntry, DebuggerLogEntry: :DebuggerLogEntry,
  TransactionError: :TransactionError, LockError: :LockError,
}.each do |top, inside|
  if Lodestone.const_defined?(inside, false)
    Object.const_set(top, Lodestone.const_get(inside, false))
  else
    Lodestone.const_set(inside, Object.const_get(top))
  end
end
