/*
 * record_fuzz.c: no record of a store may crash the session that reads it, whatever it holds.
 *
 *   record_fuzz [-s SEED] [-n CASES] [-t SECONDS] [-o DIRECTORY] BUILD.rb PROBE.rb
 *   record_fuzz -s SEED -c NUMBER BUILD.rb PROBE.rb       one case, here
 *
 * BUILD.rb commits objects of every kind to a store of this program's own; PROBE.rb, in a session of its own for each case,
 * looks at them, calls them and compares them.  Between the store and vm/persist a case changes what it reads of one to three
 * objects: slots (other references, other kinds of values), words and bytes, counts, format, class, shape, flags.  So checksums are right
 * and what checks content is all there is.  A session may raise errors, loop or run out of memory; a signal, a failed
 * assertion or a sanitizer's report is a finding: DIRECTORY/SEED-NUMBER.err has what was changed and what the session printed.
 *
 * store_fetch and record_check_clean are wrapped by the linker (regress/build.mk).  A case depends on seed, number and BUILD.rb.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "fuzz.h"
#include "lib/config.h"
#include "lib/error.h"
#include "lib/lib.h"
#include "storage/store.h"
#include "vm/options.h"
#include "vm/vm.h"

enum {
    KNOWN_MAX = 20000,
    TARGETS = 3,
#ifdef LODE_SANITIZE
    CASE_SECONDS = 20, /* of the processor */
#else
    CASE_SECONDS = 4,
#endif
    CASE_HEAP = 96 << 20,
};

typedef struct Known { /* a record that PROBE.rb reads when nothing is changed */
    Oid oid;
    uint32_t nslots, nbytes, class_id, shape;
    uint8_t format;
} Known;

/* Shared by this process and its children. */
static struct Shared {
    size_t count;
    Known known[KNOWN_MAX];
} *shared;

static enum { PASS, LIST, CHANGE } mode = PASS;
static uint64_t seed = 1, number;
static Oid targets[TARGETS];
static size_t target_count;

/* ---- changes ---- */

static const Known *some_record(void)
{
    return &shared->known[pick(shared->count)];
}

static uint64_t some_slot(void)
{
    switch (pick(12)) {
    case 0: case 1: case 2: case 3: case 4:
        return SLOT_FROM_OID(some_record()->oid);
    case 5:
        return SLOT_FROM_OID(1024 + pick(6000)); /* a built-in object */
    case 6:
        return SLOT_FROM_OID(pick(2) ? pick(1024) : draw() >> 8);
    case 7: {
        static const uint64_t words[] = {0, 4, 0x14, 0x24, 1, 3, 2, UINT64_MAX, 0x7fffffffffffffff, 0x8000000000000002u, 0x0c};
        return words[pick(sizeof words / sizeof words[0])];
    }
    case 8:
        return pick(2000) << 8 | 0x0c; /* a symbol, perhaps */
    case 9:
        return pick(300) << 1 | 1;
    case 10:
        return draw() << 3; /* as a pointer looks */
    default:
        return draw();
    }
}

static void change_bytes(uint8_t *bytes, size_t n)
{
    static const uint64_t words[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 255, 256, 0x7fff, 0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu,
                                     UINT64_MAX, UINT64_MAX / 2, 1ull << 32, 1ull << 48};
    size_t width = (size_t)1 << pick(4);

    if (n < width)
        return;
    size_t at = pick(n / width) * width, other = pick(n / width) * width;
    uint64_t word = 0;

    memcpy(&word, bytes + at, width);
    switch (pick(6)) {
    case 0:
        word = words[pick(sizeof words / sizeof words[0])];
        break;
    case 1:
        word += pick(2) ? 1 : (uint64_t)-1;
        break;
    case 2:
        word ^= 1ull << pick(width * 8);
        break;
    case 3:
        memcpy(&word, bytes + other, width);
        break;
    case 4:
        word = pick(64);
        break;
    default:
        word = draw();
        break;
    }
    memcpy(bytes + at, &word, width);
}

static void change_head(StoreRecord *r)
{
    const Known *like = some_record();

    switch (pick(7)) {
    case 0:
        r->class_id = pick(2) ? like->class_id : (uint32_t)pick(400);
        break;
    case 1:
        r->shape = pick(2) ? like->shape : (uint32_t)pick(200);
        break;
    case 2:
        r->format = pick(4) ? like->format : (uint8_t)pick(256);
        break;
    case 3:
        r->flags = (uint8_t)pick(STORE_FLAG_USER_MASK + 1);
        break;
    case 4: /* kind and class together: the content is another's */
        r->class_id = like->class_id;
        r->shape = like->shape;
        r->format = like->format;
        break;
    case 5:
        r->nslots = (uint32_t)pick(r->nslots + 1);
        break;
    default:
        r->nbytes = (uint32_t)pick(r->nbytes + 1);
        break;
    }
}

static void change_once(StoreRecord *r, uint64_t *slots, uint8_t *bytes)
{
    size_t kind = pick(20);

    if (kind < 2) {
        change_head(r);
    } else if (kind < 10 && r->nslots > 0) {
        size_t at = pick(r->nslots);
        slots[at] = pick(5) ? some_slot() : slots[pick(r->nslots)];
    } else if (r->nbytes > 0) {
        change_bytes(bytes, r->nbytes);
    }
}

/* What is read of one object is the same each time.  Slots and bytes move to blocks of their size, so that a sanitizer sees
 * who reads behind them; they stay for as long as the process. */
static void change(StoreRecord *r)
{
    uint64_t saved = random_state;
    uint32_t nslots = r->nslots, nbytes = r->nbytes;

    draw_begin(seed ^ r->oid * 0x9e3779b97f4a7c15u, number);
    size_t more = pick(12) ? 0 : 1 + pick(8);
    uint64_t *slots = calloc(nslots + more + 1, sizeof(uint64_t));
    uint8_t *bytes = calloc(nbytes + more * 8 + 1, 1);

    memcpy(slots, r->slots, nslots * sizeof(uint64_t));
    memcpy(bytes, r->bytes, nbytes);
    if (more) {
        r->nslots += (uint32_t)more;
        r->nbytes += (uint32_t)more * 8;
        for (size_t i = 0; i < more; i++)
            slots[nslots + i] = some_slot();
    }
    for (size_t n = 1 + pick(pick(3) ? 2 : 6); n > 0; n--)
        change_once(r, slots, bytes);
    r->slots = realloc(slots, r->nslots ? r->nslots * sizeof(uint64_t) : 1);
    r->bytes = realloc(bytes, r->nbytes ? r->nbytes : 1);
    random_state = saved;
}

bool __real_store_fetch(Oid oid, StoreRecord *out);
bool __wrap_store_fetch(Oid oid, StoreRecord *out);

bool __wrap_store_fetch(Oid oid, StoreRecord *out)
{
    bool found = __real_store_fetch(oid, out);

    if (!found || mode == PASS)
        return found;
    if (mode == LIST) {
        for (size_t i = 0; i < shared->count; i++)
            if (shared->known[i].oid == oid)
                return true;
        if (shared->count < KNOWN_MAX)
            shared->known[shared->count++] = (Known){oid, out->nslots, out->nbytes, out->class_id, out->shape, out->format};
        return true;
    }
    for (size_t i = 0; i < target_count; i++)
        if (targets[i] == oid)
            change(out);
    return true;
}

/* Debug builds compare what was read with what it would be written as now.  Of what was changed on the way that need not hold. */
void __wrap_record_check_clean(uint64_t object);
void __wrap_record_check_clean(uint64_t object)
{
    (void)object;
}

/* ---- sessions ---- */

_Noreturn static void run_script(const char *script)
{
    VmOptions options;
    const char *command[] = {"lode", "-W0", script};

    if (!options_parse(&options, 3, command, NULL, false))
        _exit(3);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){8 << 20, 8 << 20});
    if (mode == CHANGE)
        setrlimit(RLIMIT_CPU, &(struct rlimit){CASE_SECONDS, CASE_SECONDS + 1});
    conf.heap_limit = CASE_HEAP;
    TRY()
    {
        exit(vm_session_main(&options));
    }
    CATCH(err)
    {
        fprintf(stderr, "%s\n", err->message);
    }
    END_TRY();
    _exit(1);
}

static void build_store(const char *dir, const char *script)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        lib_after_fork("build");
        store_create(dir, NULL);
        Store *store = store_open(dir, STORE_SOLO);
        store_session_attach();
        vm_boot(store);
        VmOptions options;
        const char *command[] = {"lode", script};
        if (!options_parse(&options, 2, command, NULL, false))
            _exit(3);
        status = vm_session_main(&options);
        store_close(store, true);
        _exit(status);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "record_fuzz: %s ends with status %#x\n", script, (unsigned)status);
        exit(2);
    }
}

/* Whoever waits for something that a change took away is killed after a while. */
static int wait_for(pid_t pid, bool limited)
{
    int status = 0;

    for (int waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited++) {
        if (limited && waited == 20000 * CASE_SECONDS)
            kill(pid, SIGKILL);
        usleep(500);
    }
    int slot = store_session_slot_of(pid);
    if (slot >= 0)
        store_session_cleanup(slot);
    return status;
}

static void choose_targets(void)
{
    static const uint8_t favoured[] = {22, 22, 22, 15, 16, 21, 23, 24, 25, 2, 3, 4, 10, 11, 26}; /* formats.def */

    draw_begin(seed, number);
    target_count = 1 + pick(TARGETS);
    for (size_t i = 0; i < target_count; i++) {
        uint8_t format = favoured[pick(sizeof favoured)];
        const Known *k = some_record();
        for (int tries = pick(3) ? 3000 : 0; k->format != format && tries > 0; tries--)
            k = some_record();
        targets[i] = k->oid;
    }
}

static void run_case_here(const char *probe)
{
    lib_after_fork("probe");
    mode = CHANGE;
    fprintf(stderr, "case %llu of seed %llu changes", (unsigned long long)number, (unsigned long long)seed);
    for (size_t i = 0; i < target_count; i++)
        for (size_t k = 0; k < shared->count; k++)
            if (shared->known[k].oid == targets[i])
                fprintf(stderr, " %llu (format %u)", (unsigned long long)targets[i], shared->known[k].format);
    fprintf(stderr, "\n");
    run_script(probe);
}

static void list_records(const char *probe)
{
    fflush(NULL);
    pid_t pid = fork();

    if (pid == 0) {
        lib_after_fork("probe");
        replace_stream(1, "/dev/null", O_WRONLY);
        mode = LIST;
        run_script(probe);
    }
    int status = wait_for(pid, false);
    if (status != 0 || shared->count < 10) {
        fprintf(stderr, "record_fuzz: %s ends with status %#x when nothing is changed\n", probe, (unsigned)status);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    uint64_t cases = UINT64_MAX, errors = 0, timeouts = 0, findings = 0;
    long seconds = 0;
    const char *directory = ".";
    bool single = false;

    for (int c; (c = getopt(argc, argv, "s:n:t:o:c:")) != -1;) {
        switch (c) {
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'n': cases = strtoull(optarg, NULL, 10); break;
        case 't': seconds = strtol(optarg, NULL, 10); break;
        case 'o': directory = optarg; break;
        case 'c': number = strtoull(optarg, NULL, 10); single = true; break;
        default: return 2;
        }
    }
    if (argc - optind != 2)
        return 2;
    const char *build = argv[optind], *probe = argv[optind + 1];
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    mkdir(directory, 0755);
    lib_init("record_fuzz");
    conf.page_cache_size = 8 * MB;
    conf.max_store_size = 4 * GB;
    conf.wal_segment_size = 1 * MB;
    conf.max_sessions = 8;
    conf.log_level = LOG_LEVEL_ERROR;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char dir[] = "/tmp/record_fuzz.XXXXXX";
    if (shared == MAP_FAILED || mkdtemp(dir) == NULL)
        return 2;
    build_store(dir, build);
    vm_boot(store_open(dir, STORE_POSTMASTER));
    char remove[64];
    snprintf(remove, sizeof remove, "rm -rf %s", dir);
    if (system(remove) != 0) /* all is in memory, or open */
        return 2;
    list_records(probe);
    if (single) {
        choose_targets();
        run_case_here(probe);
    }
    if (seconds == 0 && cases == UINT64_MAX)
        cases = 1000;
    time_t stop_at = time(NULL) + (seconds ? seconds : 1000000);
    char path[4096];
    for (number = 0; number < cases && time(NULL) < stop_at; number++) {
        choose_targets();
        snprintf(path, sizeof path, "%s/%llu-%llu.err", directory, (unsigned long long)seed, (unsigned long long)number);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            replace_stream(0, "/dev/null", O_RDONLY);
            replace_stream(1, "/dev/null", O_WRONLY);
            replace_stream(2, path, O_WRONLY | O_CREAT | O_TRUNC);
            run_case_here(probe);
        }
        int status = wait_for(pid, true);
        timeouts += WIFSIGNALED(status) && !crashed(status);
        errors += WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (crashed(status)) {
            findings++;
            fprintf(stderr, "finding: case %llu of seed %llu, signal %d: %s\n", (unsigned long long)number,
                    (unsigned long long)seed, WTERMSIG(status), path);
        } else {
            unlink(path);
        }
    }
    printf("seed %llu: %zu records, %llu cases, %llu probed to the end, %llu ran out of time, %llu findings\n",
           (unsigned long long)seed, shared->count, (unsigned long long)number, (unsigned long long)errors,
           (unsigned long long)timeouts, (unsigned long long)findings);
    return findings != 0;
}
