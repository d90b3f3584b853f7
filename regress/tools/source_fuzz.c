/*
 * source_fuzz.c: no source text may crash a session.
 *
 *   source_fuzz [-s SEED] [-n CASES] [-t SECONDS] [-r PERCENT] [-o DIRECTORY] FILE...
 *   source_fuzz -c FILE            one case, as it is: compiled and run
 *
 * A case is a part of a FILE with tokens deleted, doubled, swapped, taken from elsewhere, bytes flipped, nesting and
 * literals of absurd size.  Each is compiled in this process's child; PERCENT of those that compile are also run, each in a
 * process of its own that may read files and use memory and time, and nothing else (seccomp), for a second.  A signal, a
 * failed assertion or a sanitizer's report is a finding: the case goes to DIRECTORY/SEED-NUMBER.rb, what a run printed to
 * .err.  Running out of time or memory, and errors of Ruby's, are none.  Status 1: there were findings.
 *
 * A child compiles a batch of cases and notes in shared memory which one it is at; when it dies, the next one goes on behind
 * that.  A case depends on the files, the seed and its number.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "fuzz.h"
#include "lib/config.h"
#include "lib/lib.h"
#include "vm/call.h"
#include "vm/compile.h"
#include "vm/compile/compiler.h"
#include "vm/core.h"
#include "vm/options.h"
#include "vm/vm.h"

enum {
    PART_MAX = 24 << 10,  /* bytes of a file that a case begins with */
    CASE_MAX = 1 << 20,
    BATCH = 200,
    COMPILE_SECONDS = 20, /* sanitizers are slow */
    RUN_SECONDS = 1,
    RUN_HEAP = 96 << 20,
};

typedef struct Text {
    char *bytes;
    size_t length;
} Text;

/* Shared by this process and its children. */
typedef struct Progress {
    uint64_t at; /* case under way */
    uint64_t compiled, run, timeouts, findings;
    size_t length;
    char source[CASE_MAX];
} Progress;

static Text *corpus;
static size_t corpus_count;
static Progress *progress;
static uint64_t seed = 1, cases = UINT64_MAX;
static unsigned run_percent = 25;
static const char *directory = ".";
static time_t stop_at;

/* ---- mutations of progress->source ---- */

static void replace(size_t at, size_t gone, const char *with, size_t n)
{
    char *s = progress->source;
    size_t length = progress->length;

    if (at > length || gone > length - at || length - gone + n >= CASE_MAX)
        return;
    memmove(s + at + n, s + at + gone, length - at - gone);
    memcpy(s + at, with, n);
    progress->length = length - gone + n;
}

static int byte_class(unsigned char c)
{
    if (c == '_' || c >= 0x80 || isalnum(c))
        return 1;
    if (c == ' ' || c == '\t')
        return 2;
    return strchr("=<>!&|*+-.:", c) && c ? 3 : 0;
}

/* The token around or behind a random place: a word, a gap, an operator or one other character. */
static size_t token_at(const char *s, size_t length, size_t *n)
{
    size_t from = pick(length), to;

    *n = 0;
    if (length == 0)
        return 0;
    int class = byte_class((unsigned char)s[from]);
    to = from + 1;
    while (class && from > 0 && byte_class((unsigned char)s[from - 1]) == class)
        from--;
    while (class && to < length && byte_class((unsigned char)s[to]) == class)
        to++;
    *n = to - from < 200 ? to - from : 200;
    return from;
}

static const char *const words[] = {
    "break", "next", "redo", "retry", "return", "yield", "super", "begin ", "ensure ", "rescue ", "rescue => e\n", "else ",
    "end", "do |a, (b, *c), d = 1, k: 2, **o, &p|", "{", "}", "{|x|", "(", ")", "[", "]", " if ", " unless ", " while ",
    " until ", "case ", "when ", " in ", "in {a: Integer => n, **nil}", "in [*, x, *]", "in ^x", "*", "**", "&", "...", "..",
    "=>", "def f(a, b = 1, *c, d, e:, f: 2, **g, &h)", "def self.m(...) = n(...)", "class X < Y\n", "class << self\n",
    "module M\n", "&&=", "||=", "+=", "->(x) {", "defined?(", "_1", "it", "alias a b\n", "alias $a $1\n", "undef x\n",
    "for i, *j in k do ", "BEGIN {", "END {", "__END__\n", "__method__", "__FILE__", "__LINE__", "__ENCODING__", "\"#{", "\"",
    "'", "`", "%w[", "%i(", "%r{", "<<~A\n", "<<-'B'\n", "\nA\n", "=begin\n", "\n=end\n", "?\\M-\\C-x", "\\u{110000}", "\\x",
    ":\"", "/(?<n>a)/ =~ ", "/x/o", "/(?~a)\\k<n>/", "$1", "$~", "$&", "@a", "@@b", "$c", "::", "&.", "!~", "=~", "<=>",
    "nil", "self", "1r", "2i", "0x", "1e999", "0b1_", "1..", "..1", "not ", "and ", "or ", "then ", ";", "\n", "#", "\\\n",
    "x = ", "a, (b, *c), d.e, f[0], *g = ", "p(", "raise", "binding.local_variable_set(:q, 1)", "eval(\"", "instance_eval {",
    "catch(:x) {", "throw :x", "Fiber.yield", "Fiber.new {", ".resume", "Thread.new {", ".freeze", ".dup", ".inspect",
    "# frozen_string_literal: true\n", "# encoding: utf-16le\n", "# encoding: shift_jis\n", "ObjectSpace.each_object {",
    "GC.start", "define_method(:m) {", "method(:p)", ".to_proc", ".call", "refine String do ", "using Module.new {",
    "Struct.new(:a).new(", "Comparable", "loop {", "[].pack(", "\"\".unpack(", "Marshal.load(", "sprintf(\"%-9999999999d\", ",
    "Array.new(2**62)", "\"a\" * 2**62", "2 ** 2 ** 40", "1 << 2**40", "Class.new(", ".allocate", ".send(:initialize, ",
    "instance_variable_set(:@x, ", ".each_slice(0)", "at_exit {", "trap(\"INT\") {", "ObjectSpace::WeakMap.new", "Ractor",
    "TracePoint.new(:line, :call) {", "set_trace_func proc {", ".curry", ".super_method", "remove_const(:", "prepend ",
};

static const char *const openers[] = {"(", "[", "{", "->{", "if x;", "def m;", "class A;", "begin;", "\"#{", "x.y(", "p [",
                                      "!", "-", "~", "a=", "a+", "1..", "a?b:", "x{", "case 1;when ", "while a;", "->(a=",
                                      "not ", "*", "&", "a.", "a::", "%w[", "[*", "{a:", "p p ", "a rescue ", "a and ",
                                      "in [", "|", "/(", "\\", "<<A,", "@", "a||=", "a,", "(a,("};

static void nest(void)
{
    static const size_t depths[] = {3, 50, 300, 2000, 20000};
    static char text[200000];
    const char *opener = openers[pick(COUNT_OF(openers))];
    size_t n = 1 + pick(depths[pick(COUNT_OF(depths))]), size = strlen(opener), length = 0;
    size_t ignored, at = token_at(progress->source, progress->length, &ignored);

    for (size_t i = 0; i < n && length + size < sizeof text; i++, length += size)
        memcpy(text + length, opener, size);
    replace(at, 0, text, length);
}

static void huge_literal(void)
{
    static const char *const units[] = {"9", "a", "\\u{1f600}", "\xc3\xa4", "(a", "a|", "[a", "a*", "1_", "x ", ":a, ", "1.",
                                        "\n", "0", "a{99999}", "\\", "%", "#{1}", "\xff"};
    static const char *const quotes[] = {"", "\"", "'", "/", ":\"", "%w(", "`", "0x", "1e", "?", "%q~"};
    static char text[100000];
    const char *unit = units[pick(COUNT_OF(units))], *quote = quotes[pick(COUNT_OF(quotes))];
    size_t n = pick(pick(4) ? 500 : 6000), size = strlen(unit), length = strlen(quote), gone;
    size_t at = token_at(progress->source, progress->length, &gone);

    memcpy(text, quote, length);
    for (size_t i = 0; i < n && length + size + 8 < sizeof text; i++, length += size)
        memcpy(text + length, unit, size);
    memcpy(text + length, quote, strlen(quote));
    replace(at, gone, text, length + strlen(quote));
}

static void mutate_once(void)
{
    char *s = progress->source, copy[200];
    size_t n, m, at = token_at(s, progress->length, &n), other;

    switch (pick(16)) {
    case 0: case 1:
        replace(at, n, "", 0);
        break;
    case 2:
        memcpy(copy, s + at, n);
        replace(at, 0, copy, n);
        break;
    case 3: /* two tokens change places */
        other = token_at(s, progress->length, &m);
        if (other >= at + n) {
            memcpy(copy, s + at, n);
            char second[200];
            memcpy(second, s + other, m);
            replace(other, m, copy, n);
            replace(at, n, second, m);
        }
        break;
    case 4: case 5: case 6: { /* a token of some file */
        const Text *t = &corpus[pick(corpus_count)];
        other = token_at(t->bytes, t->length, &m);
        replace(at, pick(2) ? n : 0, t->bytes + other, m);
        break;
    }
    case 7: case 8: case 9: {
        const char *word = words[pick(COUNT_OF(words))];
        replace(at, pick(2) ? n : 0, word, strlen(word));
        break;
    }
    case 10: /* a line elsewhere */
        other = pick(progress->length + 1);
        while (at > 0 && s[at - 1] != '\n')
            at--;
        for (n = 0; at + n < progress->length && n < sizeof copy - 1 && s[at + n] != '\n'; n++)
            copy[n] = s[at + n];
        copy[n] = '\n';
        while (other > 0 && s[other - 1] != '\n')
            other--;
        replace(other, 0, copy, n + 1);
        break;
    case 11:
        if (progress->length)
            s[pick(progress->length)] ^= (char)(1u << pick(8));
        break;
    case 12: {
        static const char bytes[] = {0, 1, 4, 26, 10, 13, 127, -128, -1, '\\', '#', '"', '\'', '%', '{', '}', '@', '$', ':'};
        replace(pick(progress->length + 1), pick(2), &bytes[pick(sizeof bytes)], 1);
        break;
    }
    case 13:
        if (pick(4) == 0)
            nest();
        break;
    case 14:
        if (pick(4) == 0)
            huge_literal();
        break;
    default:
        if (pick(4) == 0) /* cut */
            replace(at, progress->length - at, "", 0);
        break;
    }
}

static void make_case(uint64_t number)
{
    draw_begin(seed, number);
    const Text *t = &corpus[pick(corpus_count)];
    size_t from = 0, n = t->length;

    if (n > PART_MAX || pick(3) == 0) { /* some lines from the middle */
        from = pick(n);
        while (from > 0 && t->bytes[from - 1] != '\n')
            from--;
        n = pick(MIN(n - from, PART_MAX) + 1);
        while (from + n < t->length && n < PART_MAX && t->bytes[from + n - (n > 0)] != '\n')
            n++;
    }
    memcpy(progress->source, t->bytes + from, n);
    progress->length = n;
    for (size_t k = 1 + pick(pick(3) ? 3 : 12); k > 0; k--)
        mutate_once();
    progress->source[progress->length] = '\0';
}

/* ---- the fence around a program that runs ---- */

#define ALLOW(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Allowed when (argument & mask) == value, by its low word; skips the test's three instructions for other calls. */
#define ALLOW_IF(nr, arg, mask, value) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 5), \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[arg])), \
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask)), \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static bool fence(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(read), ALLOW(write), ALLOW(close), ALLOW(lseek), ALLOW(pread64), ALLOW(readv), ALLOW(writev),
        ALLOW(stat), ALLOW(lstat), ALLOW(fstat), ALLOW(newfstatat), ALLOW(statx), ALLOW(access), ALLOW(faccessat),
        ALLOW(faccessat2), ALLOW(readlink), ALLOW(readlinkat), ALLOW(getcwd), ALLOW(getdents64), ALLOW(ioctl),
        ALLOW(mmap), ALLOW(mprotect), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(brk), ALLOW(futex),
        ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(sigaltstack), ALLOW(rt_sigpending),
        ALLOW(poll), ALLOW(ppoll), ALLOW(select), ALLOW(pselect6), ALLOW(pipe), ALLOW(pipe2), ALLOW(dup), ALLOW(dup2),
        ALLOW(dup3), ALLOW(fcntl), ALLOW(eventfd2), ALLOW(epoll_create1), ALLOW(epoll_ctl), ALLOW(epoll_wait),
        ALLOW(getpid), ALLOW(gettid), ALLOW(getppid), ALLOW(getuid), ALLOW(geteuid), ALLOW(getgid), ALLOW(getegid),
        ALLOW(uname), ALLOW(sysinfo), ALLOW(getrandom), ALLOW(getrusage), ALLOW(times), ALLOW(getrlimit),
        ALLOW(clock_gettime), ALLOW(clock_getres), ALLOW(clock_nanosleep), ALLOW(nanosleep), ALLOW(gettimeofday),
        ALLOW(time), ALLOW(timer_create), ALLOW(timer_settime), ALLOW(timer_delete), ALLOW(setitimer), ALLOW(getitimer),
        ALLOW(sched_yield), ALLOW(sched_getaffinity), ALLOW(set_robust_list), ALLOW(rseq), ALLOW(arch_prctl),
        ALLOW(exit), ALLOW(exit_group), ALLOW(restart_syscall), ALLOW(membarrier),
        ALLOW_IF(open, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
        ALLOW_IF(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
        ALLOW_IF(clone, 0, CLONE_THREAD, CLONE_THREAD),
        ALLOW_IF(tgkill, 2, 0xffffffffu, SIGABRT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {.len = COUNT_OF(rules), .filter = rules};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- one case ---- */

static Value compile_case(UNUSED void *arg)
{
    CompileOptions options = {.file = "case.rb", .first_line = 1, .kind = CODE_TOP, .main_script = true};

    return code_compile(progress->source, progress->length, &options, NULL);
}

static char *finding_path(uint64_t number, const char *suffix)
{
    return mem_printf(memctx_top(), "%s/%llu-%llu%s", directory, (unsigned long long)seed, (unsigned long long)number, suffix);
}

static void keep_finding(uint64_t number, int status, const char *what)
{
    FILE *f = fopen(finding_path(number, ".rb"), "wb");

    if (f != NULL) {
        fwrite(progress->source, 1, progress->length, f);
        fclose(f);
    }
    progress->findings++;
    fprintf(stderr, "finding: case %llu of seed %llu, %s, signal %d: %s\n", (unsigned long long)number,
            (unsigned long long)seed, what, WTERMSIG(status), finding_path(number, ".rb"));
}

_Noreturn static void run_case_here(void)
{
    VmOptions options;
    static const char *const command[] = {"lode", "-W0", "-e", "1"};

    if (!options_parse(&options, COUNT_OF(command), command, NULL, false))
        _exit(3);
    progress->source[progress->length] = '\0';
    options.exprs.items[0] = progress->source; /* up to the first NUL; the compiler has seen all */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){8 << 20, 8 << 20});
    conf.heap_limit = RUN_HEAP;
    lib_after_fork("program");
    signal(SIGALRM, SIG_DFL);
    if (!fence())
        _exit(4);
    alarm(RUN_SECONDS);
    exit(vm_session_main(&options));
}

static void run_case(uint64_t number)
{
    const char *err = finding_path(number, ".err");
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        replace_stream(2, err, O_WRONLY | O_CREAT | O_TRUNC);
        setrlimit(RLIMIT_CPU, &(struct rlimit){4 * RUN_SECONDS, 4 * RUN_SECONDS}); /* who handles SIGALRM ends, too */
        run_case_here();
    }
    for (int waited = 0; pid > 0 && waitpid(pid, &status, WNOHANG) == 0; waited++) {
        if (waited == 20000 * RUN_SECONDS)
            kill(pid, SIGKILL);
        usleep(500);
    }
    progress->run++;
    progress->timeouts += WIFSIGNALED(status) && !crashed(status);
    if (crashed(status))
        keep_finding(number, status, "when run");
    else
        unlink(err);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 4 && number == 0)
        fprintf(stderr, "source_fuzz: no seccomp here: nothing is run\n");
}

_Noreturn static void batch(uint64_t first, uint64_t end)
{
    lib_after_fork("fuzz");
    for (uint64_t i = first; i < end && time(NULL) < stop_at; i++) {
        Value code, record;

        make_case(i);
        progress->at = i;
        alarm(COMPILE_SECONDS);
        bool ok = vm_protect(compile_case, NULL, &code, &record);
        if (ok) {
            code_verify(code);
        } else if (!is_type(record, T_EXCEPTION)) {
            abort();
        }
        alarm(0);
        progress->compiled += ok;
        random_state = seed ^ i; /* whether it runs does not hang on what was made */
        if (ok && pick(100) < run_percent)
            run_case(i);
    }
    progress->at = end;
    _exit(0);
}

static void read_corpus(char **names, int count)
{
    corpus = mem_zalloc(memctx_top(), (size_t)count * sizeof *corpus);
    for (int i = 0; i < count; i++) {
        FILE *f = fopen(names[i], "rb");
        char *text = f == NULL ? NULL : mem_alloc(memctx_top(), CASE_MAX / 2);
        size_t n = f == NULL ? 0 : fread(text, 1, CASE_MAX / 2, f);

        if (f != NULL)
            fclose(f);
        if (n > 0)
            corpus[corpus_count++] = (Text){text, n};
    }
    if (corpus_count == 0) {
        fprintf(stderr, "source_fuzz: no file to begin with\n");
        exit(2);
    }
}

static int one_case(const char *name)
{
    FILE *f = fopen(name, "rb");
    Value code, record;

    if (f == NULL) {
        perror(name);
        return 2;
    }
    progress->length = fread(progress->source, 1, CASE_MAX - 1, f);
    fclose(f);
    if (!vm_protect(compile_case, NULL, &code, &record))
        printf("does not compile: %s\n", str_c(vm_call0(record, sym_intern("message"))));
    run_case_here();
}

int main(int argc, char **argv)
{
    long seconds = 0;
    const char *single = NULL;

    for (int c; (c = getopt(argc, argv, "s:n:t:r:o:c:")) != -1;) {
        switch (c) {
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'n': cases = strtoull(optarg, NULL, 10); break;
        case 't': seconds = strtol(optarg, NULL, 10); break;
        case 'r': run_percent = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'o': directory = optarg; break;
        case 'c': single = optarg; break;
        default: return 2;
        }
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    lib_init("source_fuzz");
    vm_boot(NULL);
    gvar_set(sym_intern("$VERBOSE"), V_NIL);
    progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 2;
    if (single != NULL)
        return one_case(single);
    read_corpus(argv + optind, argc - optind);
    if (seconds == 0 && cases == UINT64_MAX)
        cases = 1000;
    stop_at = time(NULL) + (seconds ? seconds : 1000000);
    mkdir(directory, 0755);
    for (uint64_t first = 0; first < cases && time(NULL) < stop_at;) {
        uint64_t end = MIN(first + BATCH, cases);
        int status;

        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            replace_stream(0, "/dev/null", O_RDONLY);
            replace_stream(1, "/dev/null", O_WRONLY);
            batch(first, end);
        }
        waitpid(pid, &status, 0);
        first = progress->at;
        if (crashed(status))
            keep_finding(first, status, "when compiled");
        if (first < end)
            first++;
    }
    printf("seed %llu: %llu cases, %llu compiled, %llu run, %llu ran out of time, %llu findings\n", (unsigned long long)seed,
           (unsigned long long)progress->at, (unsigned long long)progress->compiled, (unsigned long long)progress->run,
           (unsigned long long)progress->timeouts, (unsigned long long)progress->findings);
    return progress->findings != 0;
}
