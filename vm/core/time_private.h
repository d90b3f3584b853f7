/* time_private.h -- what the files of Time share */
#ifndef VM_CORE_TIME_PRIVATE_H
#define VM_CORE_TIME_PRIVATE_H
#include "vm/core.h"

enum { MODE_LOCAL, MODE_UTC, MODE_OFFSET };
typedef struct Time { /* T_TIME */
    uint64_t head;
    int64_t sec;
    int32_t nsec;
    int32_t offset; /* MODE_OFFSET */
    uint64_t mode;
    Slot zone; /* MODE_OFFSET: its name, or nil */
} Time;

typedef struct Parts {
    int64_t year;
    int mon, day, hour, min, sec, wday, yday; /* mon and day and yday from 1 */
    int32_t offset;
    bool dst;
    const char *zone; /* of local times */
} Parts;

Time *time_ptr(Value v); /* TypeError */
void time_parts(Value self, Parts *p);
Value time_zone_name(Value self, const Parts *p); /* String or nil */

/* ---- time_format.c ---- */
Value time_strftime(Value self, int argc, const Value *argv);
Value time_to_s(Value self, int argc, const Value *argv);
Value time_inspect(Value self, int argc, const Value *argv);
Value time_ctime(Value self, int argc, const Value *argv);
Value time_xmlschema(Value self, int argc, const Value *argv);
#endif
