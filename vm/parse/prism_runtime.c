/*
 * prism_runtime.c - the few functions that C from wasm2c expects of its host.
 *
 * wabt ships an implementation; this one differs in that it never installs a
 * signal handler, never aborts and bounds the memory.  Names and types are
 * wasm-rt.h's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <wasm-rt.h>

#include "vm/parse/prism_host.h"

#define WASM_PAGE 65536u
/* 1 GiB: a source of 16 MiB is the largest that parse_source accepts. */
#define WASM_MAX_PAGES 16384u
#define MAX_FUNC_TYPES 128
#define MAX_SIGNATURE 24

/* A signature is its counts and its value types, one byte each. */
typedef struct FuncSignature {
    uint8_t params;
    uint8_t results;
    uint8_t types[MAX_SIGNATURE];
} FuncSignature;

static FuncSignature signatures[MAX_FUNC_TYPES];
static uint32_t signature_count;

jmp_buf prism_trap_target;

void wasm_rt_trap(wasm_rt_trap_t trap)
{
    longjmp(prism_trap_target, trap == WASM_RT_TRAP_NONE ? WASM_RT_TRAP_UNREACHABLE : (int)trap);
}

uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...)
{
    FuncSignature sig = {.params = params, .results = results};
    va_list ap;

    va_start(ap, results);
    for (uint32_t i = 0; i < params + results && i < MAX_SIGNATURE; i++)
        sig.types[i] = (uint8_t)va_arg(ap, int);
    va_end(ap);
    for (uint32_t i = 0; i < signature_count; i++) {
        if (memcmp(&signatures[i], &sig, sizeof(sig)) == 0)
            return i + 1;
    }
    if (signature_count == MAX_FUNC_TYPES || params + results > MAX_SIGNATURE)
        abort(); /* a property of the module, seen at the first parse ever */
    signatures[signature_count] = sig;
    return ++signature_count;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages, uint32_t max_pages)
{
    memory->data = calloc(initial_pages, WASM_PAGE);
    if (memory->data == NULL)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    memory->pages = initial_pages;
    memory->size = initial_pages * WASM_PAGE;
    memory->max_pages = max_pages < WASM_MAX_PAGES ? max_pages : WASM_MAX_PAGES;
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t delta)
{
    uint32_t old_pages = memory->pages;
    uint8_t *data;

    if (delta == 0)
        return old_pages;
    if (delta > memory->max_pages || old_pages > memory->max_pages - delta)
        return UINT32_MAX;
    data = realloc(memory->data, (size_t)(old_pages + delta) * WASM_PAGE);
    if (data == NULL)
        return UINT32_MAX;
    memset(data + (size_t)old_pages * WASM_PAGE, 0, (size_t)delta * WASM_PAGE);
    memory->data = data;
    memory->pages = old_pages + delta;
    memory->size = memory->pages * WASM_PAGE;
    return old_pages;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory)
{
    free(memory->data);
    memory->data = NULL;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t elements, uint32_t max_elements)
{
    table->data = calloc(elements, sizeof(wasm_rt_funcref_t));
    if (table->data == NULL)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    table->size = elements;
    table->max_size = max_elements;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table)
{
    free(table->data);
    table->data = NULL;
}

bool wasm_rt_is_initialized(void)
{
    return true;
}
