/* hash_private.h -- what the files of Hash share */
#ifndef HASH_PRIVATE_H
#define HASH_PRIVATE_H
#include "vm/core.h"

static inline Hash *hash_ptr(Value v)
{
    return (Hash *)v;
}
Value hash_alloc(Value cls);
uint64_t hash_code(Value hash, Value key);            /* bit 0 clear */
Value hash_fallback(Value hash, Value key);           /* default value, or what the default proc gives; V_UNDEF key: no proc call */
Value hash_delete_entry(Value hash, size_t i);
void hash_set_value_at(Value hash, size_t i, Value v); /* of a live entry, after obj_modify */
void hash_drop_entries(Value hash);                   /* after obj_modify */
int64_t hash_next(Value hash, size_t i);
void hash_iteration(Value hash, int by);              /* +1 begins, -1 ends (B3) */
void hash_copy_entries(Value to, Value from);
void hash_rebuild(Value hash);
void hash_type_boot(void);
#endif
