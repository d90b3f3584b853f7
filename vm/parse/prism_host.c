/*
 * prism_host.c - one instance of the parser module and how it is called.
 *
 * The module is bounds-checked C with memory of its own: whatever goes wrong
 * inside ends in a trap and leaves us untouched.  A trap leaves the *module*
 * in an unknown state, so the instance is freed and the next call makes a
 * fresh one; so is one that has grown past 32 MiB.
 *
 * I1: prism_trap_target is valid whenever module code runs.
 * I2: instance != NULL outside prism_parse means: consistent and idle, but for
 *     the result buffer in `held`.
 */
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "prism/prism.h"
#include "vm/parse/prism_host.h"

#define INSTANCE_LIMIT ((uint32_t)32 << 20)
/*
 * The module comes with 64 KiB of stack, below which lie its constants.  We
 * move it to a block from its own heap; MODULE_STACK_RED is left below the
 * floor for the largest single frame.
 */
#define MODULE_STACK ((uint32_t)1 << 20)
#define MODULE_STACK_RED 16384u

extern jmp_buf prism_trap_target;

unsigned prism_module_floor;

static Z_prism_instance_t instance_space;
static Z_prism_instance_t *instance;
static bool module_ready;
static bool instance_partial; /* memory allocated, start-up not finished */
static struct {
    u32 buffer, source, options;
} held;

#define WASI_ENOSYS 52
struct Z_wasi_snapshot_preview1_instance_t {
    char unused;
};
static struct Z_wasi_snapshot_preview1_instance_t wasi_nothing;

#define WASI_UNUSED __attribute__((unused))
#define WASI_CALL(name, ...)                                                                                \
    u32 Z_wasi_snapshot_preview1Z_##name(struct Z_wasi_snapshot_preview1_instance_t *wasi, __VA_ARGS__)     \
    {                                                                                                       \
        (void)wasi;                                                                                         \
        return WASI_ENOSYS;                                                                                 \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
u32 Z_wasi_snapshot_preview1Z_sched_yield(struct Z_wasi_snapshot_preview1_instance_t *wasi)
{
    return WASI_ENOSYS;
}
#include "vm/parse/wasi.def"
void Z_wasi_snapshot_preview1Z_proc_exit(struct Z_wasi_snapshot_preview1_instance_t *wasi, u32 status)
{
    wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}
#pragma GCC diagnostic pop

static void instance_discard(void)
{
    if (instance_partial)
        Z_prism_free(&instance_space);
    instance_partial = false;
    instance = NULL;
    memset(&held, 0, sizeof(held));
    prism_module_floor = 0;
}

/* Clearing it touched all pages of the stack, of which few will be used: the others go back, and are zero when touched again. */
static void return_stack(u32 stack)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)instance_space.w2c_memory.data + stack;
    uintptr_t from = (at + page - 1) & ~(page - 1), end = (at + MODULE_STACK) & ~(page - 1);

    madvise((void *)from, end - from, MADV_DONTNEED);
}

static void instance_create(void)
{
    u32 stack;

    if (!module_ready) {
        Z_prism_init_module();
        module_ready = true;
    }
    memset(&instance_space, 0, sizeof(instance_space));
    prism_module_floor = 0;
    instance_partial = true;
    Z_prism_instantiate(&instance_space, &wasi_nothing);
    Z_prismZ__initialize(&instance_space);
    stack = Z_prismZ_calloc(&instance_space, 1, MODULE_STACK);
    if (stack == 0)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    instance_space.w2c_g0 = (stack + MODULE_STACK) & ~15u;
    prism_module_floor = stack + MODULE_STACK_RED;
    return_stack(stack);
    instance = &instance_space;
}

/* Copy into the module; one spare byte, for it may look one past the end. */
static u32 module_copy(const void *bytes, size_t length)
{
    u32 at = Z_prismZ_calloc(instance, 1, (u32)length + 1);

    if (at == 0 || (uint64_t)at + length > instance->w2c_memory.size)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    if (length > 0)
        memcpy(instance->w2c_memory.data + at, bytes, length);
    return at;
}

bool prism_parse(const char *source, size_t length, const uint8_t *options, size_t options_length,
                 const uint8_t **serialized, size_t *serialized_length)
{
    u32 value, value_length;

    if (setjmp(prism_trap_target) != 0) {
        instance_discard();
        return false;
    }
    if (instance == NULL)
        instance_create();
    held.source = module_copy(source, length);
    held.options = module_copy(options, options_length);
    held.buffer = Z_prismZ_calloc(instance, 1, Z_prismZ_pm_buffer_sizeof(instance));
    if (held.buffer == 0 || !Z_prismZ_pm_buffer_init(instance, held.buffer))
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    Z_prismZ_pm_serialize_parse(instance, held.buffer, held.source, (u32)length, held.options);
    value = Z_prismZ_pm_buffer_value(instance, held.buffer);
    value_length = Z_prismZ_pm_buffer_length(instance, held.buffer);
    if ((uint64_t)value + value_length > instance->w2c_memory.size)
        wasm_rt_trap(WASM_RT_TRAP_OOB);
    *serialized = instance->w2c_memory.data + value;
    *serialized_length = value_length;
    return true;
}

void prism_release(void)
{
    if (instance == NULL)
        return;
    if (setjmp(prism_trap_target) != 0 || instance->w2c_memory.size > INSTANCE_LIMIT) {
        instance_discard();
        return;
    }
    Z_prismZ_pm_buffer_free(instance, held.buffer);
    Z_prismZ_free(instance, held.buffer);
    Z_prismZ_free(instance, held.source);
    Z_prismZ_free(instance, held.options);
    memset(&held, 0, sizeof(held));
}
