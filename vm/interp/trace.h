/*
 * trace.h: events for TracePoint (vm/core/tracepoint.c).  How they are found: trace.c.
 */
#ifndef INTERP_TRACE_H
#define INTERP_TRACE_H
#include "vm/interp/vm_state.h"

typedef enum TraceKind {
#define TRACE_EVENT(name, text) TRACE_##name,
#include "vm/interp/trace_events.def"
#undef TRACE_EVENT
    TRACE_KINDS
} TraceKind;

typedef struct TraceEvent {
    TraceKind kind;
    Frame *frame;      /* where it happens: a Ruby frame, or the sentinel */
    Value self;
    MethodEntry *me;   /* NULL: none */
    Value value;       /* returned value, exception, eval'ed source, thread */
    Value tracepoint;  /* whose block runs */
    struct TraceEvent *outer;
    bool reentry;      /* TracePoint.allow_reentry: events count again */
} TraceEvent;

/* Fields of a TracePoint */
enum { TP_EVENTS /* fixnum: bits 1 << TraceKind */, TP_PROC, TP_ENABLED, TP_TARGET /* Code or nil */, TP_LINE /* fixnum or nil */,
       TP_THREAD /* T_THREAD or nil: all */, TP_FIELDS };

extern bool trace_on; /* some TracePoint is enabled */
void trace_enable(Value tracepoint);
void trace_disable(Value tracepoint);
TraceEvent *trace_current(void); /* the event whose block the current thread runs, or NULL */
bool code_inside(Code *code, Value target); /* is code target, or a block somewhere in it? */

/* Sources of events; only where trace_on. */
void trace_fire(TraceKind kind, Frame *f, Value self, MethodEntry *me, Value value);
void trace_instruction(const uint32_t *pc);    /* before it runs in the running frame */
void trace_leave(Frame *f, Value v);           /* the running frame f ends with v (nil: by an exception) */
Value trace_builtin(Call *c, MethodEntry *me); /* call_builtin with its events */
void trace_raise(Value exc);
void trace_boot(void);

/* exec.c: every instruction through trace_instruction, or none. */
void exec_set_tracing(bool on);
#endif
