/* guard.c -- a test mode that watches the boot heap: which of its pages a session writes, at what object, from where
 *
 * With LODE_BOOT_GUARD set, heap_guard_start maps the pages of boot read-only.  The first write to each 4 KiB page
 * traps: the handler counts it under the type of the object written, makes the page writable and lets the write happen
 * again.  LODE_BOOT_GUARD=log also prints the C frames of each such write on standard error.
 *
 * Every other fault gets the default action: the handler is taken out and the access repeated.
 */
#include "vm/heap/heap_private.h"

#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define OS_PAGE ((size_t)4096)
enum { FRAMES = 24 };

static struct {
    bool on, log;
    char *end; /* of what was in use at the start */
    uint32_t pages[T_COUNT];
} guard;

static const char *const type_names[] = {
#define TYPE(name, layout) #name,
#include "vm/types.def"
#undef TYPE
};

/* The type of the object at an address of boot: what is free there is FREE. */
static ObjectType type_at(const char *address)
{
    Value v = heap_object_at((uint64_t)(uintptr_t)address);
    return v ? obj_type(v) : T_FREE;
}

static void print_frames(ObjectType type)
{
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES);
    static const char text[] = "boot heap written: ";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    (void)!write(STDERR_FILENO, type_names[type], strlen(type_names[type]));
    (void)!write(STDERR_FILENO, "\n", 1);
    backtrace_symbols_fd(frames + 2, n > 2 ? n - 2 : 0, STDERR_FILENO); /* without this function and the handler */
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    char *address = info->si_addr;
    if (address < heap.base || address >= guard.end || !page_of(address)->boot) {
        signal(signal_number, SIG_DFL);
        return;
    }
    ObjectType type = type_at(address);
    guard.pages[type]++;
    if (guard.log)
        print_frames(type);
    char *page = (char *)((uintptr_t)address & ~(OS_PAGE - 1));
    mprotect(page, OS_PAGE, PROT_READ | PROT_WRITE);
}

void heap_guard_start(void)
{
    const char *wish = getenv("LODE_BOOT_GUARD");
    if (!wish || !*wish)
        return;
    guard.on = true;
    guard.log = strcmp(wish, "log") == 0;
    guard.end = heap.base + heap.used;
    void *warm_up[1];
    backtrace(warm_up, 1); /* its first call loads a library */
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++)
        if (heap.pages[i].boot)
            mprotect(page_start(&heap.pages[i]), HEAP_PAGE_SIZE, PROT_READ);
}

bool heap_guard_each(void (*fn)(const char *type, uint64_t pages, void *arg), void *arg)
{
    for (int t = 0; guard.on && t < T_COUNT; t++)
        if (guard.pages[t])
            fn(type_names[t], guard.pages[t], arg);
    return guard.on;
}
