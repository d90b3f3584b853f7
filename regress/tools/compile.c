/*
 * compile.c: compiles many files in one process: compile [FILE]..., or names on standard input, one a line.
 *
 * Prints "refused FILE: first line of the error" for each file that does not compile, and at the end
 * "N files, B bytes, S s, M MB/s": processor time of parser, compiler and debug checks, without start-up and reading.  Before it
 * "N sequences, M hold objects": of instructions, and those that the collector walks.
 * (As CRuby's, lode -c looks at one file.)  The exit status is 0 unless a file cannot be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/lib.h"
#include "vm/call.h"
#include "vm/compile.h"
#include "vm/core.h"
#include "vm/vm.h"

typedef struct Source {
    const char *path;
    char *text;
    size_t length;
} Source;

static double seconds;
static size_t bytes, files, sequences, holding;

static Value compile_source(void *arg)
{
    const Source *s = arg;
    CompileOptions options = {.file = s->path, .first_line = 1, .kind = CODE_TOP, .main_script = true};

    return code_compile(s->text, s->length, &options, NULL);
}

/* A sequence and those that its instructions name: bodies of methods, classes and blocks. */
static void count_sequences(Code *code);

static void count_operand(Slot *slot, void *unused)
{
    (void)unused;
    if (is_type(slot->raw, T_CODE))
        count_sequences((Code *)slot->raw);
}

static void count_sequences(Code *code)
{
    sequences++;
    if (code->flags & CODE_HOLDS_OBJECTS)
        holding++;
    code_each_object(code, count_operand, NULL);
}

static double processor_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void compile_file(const char *path)
{
    Source s = {.path = path};
    FILE *f = fopen(path, "rb");
    Value result, record;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    s.length = (size_t)ftell(f);
    rewind(f);
    s.text = mem_alloc(memctx_top(), s.length + 1);
    if (fread(s.text, 1, s.length, f) != s.length) {
        perror(path);
        exit(1);
    }
    fclose(f);

    double start = processor_time();
    bool ok = vm_protect(compile_source, &s, &result, &record);
    seconds += processor_time() - start;

    files++;
    bytes += s.length;
    if (ok) {
        count_sequences((Code *)result);
    } else {
        const char *message = str_c(vm_call0(record, sym_intern("message")));

        printf("refused %s: %.*s\n", path, (int)strcspn(message, "\n"), message);
    }
    mem_free(s.text);
}

int main(int argc, char **argv)
{
    char line[4096];

    lib_init("compile");
    vm_boot(NULL);
    gvar_set(sym_intern("$VERBOSE"), V_NIL);
    for (int i = 1; i < argc; i++)
        compile_file(argv[i]);
    while (argc == 1 && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        compile_file(line);
    }
    printf("%zu sequences, %zu hold objects\n", sequences, holding);
    printf("%zu files, %zu bytes, %.2f s, %.1f MB/s\n", files, bytes, seconds, (double)bytes / 1e6 / seconds);
    return 0;
}
