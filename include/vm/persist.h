/* persist.h -- the bridge between the VM and the store, as vm/interp, vm/object and backend see it
 *
 * One process is one session: one snapshot, one map of oids, one list of changed objects.  Everything here is
 * harmless without a store (plain Ruby).
 */
#ifndef VM_PERSIST_H
#define VM_PERSIST_H
#include "vm/object.h"

struct Store;

/* At the start of vm_boot, before the first hash code is made: the store (NULL: plain Ruby) and its hash seed. */
void persist_early(struct Store *store);
/* Its core file (a row of vm/core/boot.def): module Maglev. */
void maglev_boot(void);
/* At the end of vm_boot, after the Ruby part of core: names the built-in objects and installs the hooks. */
void persist_boot(void);
/* In the session's process: takes a slot of the store, a first snapshot, the persistent parts of boot classes. */
void persist_session_start(void);
/* Gives the slot back; uncommitted changes are dropped. */
void persist_session_end(void);
bool persist_active(void);

/* Kernel#fork: before it in the parent (gives the slot to hand over; -1 without a store), after it in each. The child must
 * abort or begin before it can commit. */
int persist_fork_prepare(void);
void persist_fork_parent(int slot, bool forked);
void persist_fork_child(int slot);

/* The object with this number (obj_identity_number) that the session's view shows, read from the store if need be; V_UNDEF
 * when there is none. */
Value persist_find(uint64_t number);

/* The mode of the running thread: definitions go to the persistent tables while true.  Saved and restored by
 * whoever switches threads. */
bool persist_mode(void);
void persist_set_mode(bool persistent);

/* A new class or module exists: marks it persistable when the mode says so. */
void persist_class_made(Value module);
bool persist_class_persistable(Value module);
/* A file was loaded by require: in persistent mode it counts as loaded in every session. */
void persist_note_feature(Value path);
/* `module` is mixed into `mod`, for all sessions when `stored`.  Gives flags for the iclasses. */
uint32_t persist_note_mixin(Value mod, Value module, bool prepended, bool stored);
#endif
