/* env_record.c -- Envs in records: outer, code, self, cref, method entry, block, then the locals; a stored one belongs to no frame */
#include "private.h"
#include "vm/frame.h"

void env_persist(Object *o, RecordBuilder *b)
{
    Env *e = (Env *)o;
    record_put_slot(b, e->outer);
    record_put_slot(b, e->code);
    record_put_slot(b, e->self);
    record_put_slot(b, e->cref);
    record_put_slot(b, e->me);
    record_put_slot(b, is_heap(e->block.raw) && !slot_unresolved(e->block) && obj_type(e->block.raw) != T_PROC ? (Slot){V_NIL} : e->block);
    Code *code = is_heap(e->code.raw) ? (Code *)e->code.raw : NULL;
    uint32_t n = code && code->nlocals < e->nslots ? code->nlocals : e->nslots; /* temporaries die with the frame */
    for (uint32_t i = 0; i < n; i++) {
        if (e->slots[i].raw == V_UNDEF)
            record_put_value(b, V_NIL);
        else
            record_put_slot(b, e->slots[i]);
    }
}

void env_restore(Object *o, RecordReader *r)
{
    Env *e = (Env *)o;
    e->outer = record_take_slot(r);
    e->code = record_take_slot(r);
    e->self = record_take_slot(r);
    e->cref = record_take_slot(r);
    e->me = record_take_slot(r);
    e->block = record_take_slot(r);
    e->specials = (Slot){V_NIL};
    e->serial = 0;
    e->active = 0;
    e->nslots = (uint32_t)record_slots_left(r);
    e->slots = e->nslots ? heap_malloc(e->nslots * sizeof(Slot)) : NULL;
    record_take_slots(r, e->slots, e->nslots);
}
