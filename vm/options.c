/*
 * vm/options.c: reads a command line as `ruby` does.
 *
 * Words are read left to right; a word beginning with one dash is a bundle of letters, each of which may
 * swallow the rest of its word or the next word.  Long options stand in one table (LongOption).  Nothing here
 * prints, exits, opens a file or changes the process: the same line is read by the client and again by the
 * session.
 *
 * Messages are worded as CRuby words them, since scripts and people look for them.
 */
#include "vm/options.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"

#define LODESTONE_VERSION "0.1.0"
#define LODESTONE_RUBY    "4.0.0"

typedef struct Reader {
    VmOptions *opts;
    MemoryContext *memory;
    const char *const *words; /* what is left */
    int left;
    bool from_rubyopt; /* only the options that may stand in RUBYOPT */
    bool failed;
} Reader;

/* Letters that RUBYOPT may hold; the rest would hijack every program. */
static const char RUBYOPT_LETTERS[] = "dEIKrUvwWM";

static const char HELP_SHORT[] =
    "Usage: lode [options] [--] [filepath] [arguments]\n"
    "  -0[octal]       Set input record separator ($/): -0 for \\0; -00 for paragraphs; -0777 to slurp.\n"
    "  -a              Split each input line ($_) into fields ($F).\n"
    "  -c              Check syntax (no execution).\n"
    "  -Cdirpath       Execute program in specified directory.\n"
    "  -d, --debug     Set debugging flag ($DEBUG) to true.\n"
    "  -e 'code'       Execute given Ruby code; multiple -e allowed.\n"
    "  -Eex[:in], --encoding=ex[:in]\n"
    "                  Set default external and internal encodings.\n"
    "  -Fpattern       Set input field separator ($;); used with -a.\n"
    "  -i[extension]   Set ARGF in-place mode; create backup files with given extension.\n"
    "  -Idirpath       Prepend specified directory to load paths ($LOAD_PATH).\n"
    "  -l              Set output record separator ($\\) to $/; used for line-oriented output.\n"
    "  -Mpersistent    Run the program in persistent mode.\n"
    "  -Mcommit        Commit when the program ends without an exception.\n"
    "  -n              Run program in gets loop.\n"
    "  -p              Like -n, with printing added.\n"
    "  -rlibrary       Require the given library.\n"
    "  -s              Define global variables using switches following program path.\n"
    "  -S              Search directories found in the PATH environment variable.\n"
    "  -v              Print version; set $VERBOSE to true.\n"
    "  -w              Synonym for -W1.\n"
    "  -W[level=2]     Set warning flag ($-W): 0 for silent; 1 for moderate; 2 for verbose.\n"
    "  -x[dirpath]     Execute Ruby code starting from a #!ruby line.\n"
    "  --store=DIR     The store to work on ($LODE_STORE, else ~/.lodestone).\n"
    "  --solo          Run in this process, without a server (the store is used by no one else).\n"
    "  --backtrace-limit=num\n"
    "                  Set backtrace limit.\n"
    "  --verbose       Set $VERBOSE to true; ignore input from $stdin.\n";

static const char HELP_MORE[] =
    "  --copyright     Print copyright.\n"
    "  --dump=items    Dump items: insns, nodes, syntax.\n"
    "  --enable=features, --disable=features\n"
    "                  gems, error_highlight, did_you_mean, syntax_suggest, rubyopt, frozen-string-literal, "
    "all.\n"
    "  --external-encoding=encoding, --internal-encoding=encoding\n"
    "                  Set default external or internal encoding.\n"
    "  --heap-map=FILE At the end draw the heap before and after compaction (.png or .svg).\n"
    "  --repl          Start the read-eval-print loop even when standard input is no terminal.\n"
    "  --version       Print Lodestone version.\n"
    "  -h              Print this help message; use --help for longer message.\n"
    "Administration is lodectl's: see `lodectl --help`.\n";

const char *options_help_text(bool all)
{
    static char text[sizeof HELP_SHORT + sizeof HELP_MORE];

    snprintf(text, sizeof text, "%s%s", HELP_SHORT, all ? HELP_MORE : "");
    return text;
}

const char *options_version_text(void)
{
#if defined(__x86_64__)
    return "lodestone " LODESTONE_VERSION " (ruby " LODESTONE_RUBY ") [x86_64-linux]";
#else
    return "lodestone " LODESTONE_VERSION " (ruby " LODESTONE_RUBY ") [linux]";
#endif
}

static void fail(Reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(Reader *r, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (r->failed) {
        return; /* the first mistake is the one to name */
    }
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    r->opts->error = mem_strdup(r->memory, line);
    r->failed = true;
}

static void words_add(Reader *r, VmWords *words, const char *word)
{
    if (words->count == words->room) {
        size_t room = words->room ? words->room * 2 : 8;
        const char **items = mem_alloc(r->memory, room * sizeof *items);
        if (words->count) {
            memcpy(items, words->items, words->count * sizeof *items);
        }
        words->items = items;
        words->room = room;
    }
    words->items[words->count++] = word;
}

static bool is_absolute(const char *path)
{
    return path[0] == '/';
}

static void add_directory(Reader *r, const char *dir)
{
    if (r->opts->directory && !is_absolute(dir)) {
        size_t n = strlen(r->opts->directory) + strlen(dir) + 2;
        char *joined = mem_alloc(r->memory, n);
        snprintf(joined, n, "%s/%s", r->opts->directory, dir);
        dir = joined;
    }
    r->opts->directory = dir;
}

/* The value of a letter: the rest of its word, else the next word; NULL when there is neither. */
static const char *letter_value(Reader *r, const char *rest)
{
    if (*rest) {
        return rest;
    }
    if (r->left > 0) {
        r->left--;
        return *r->words++;
    }
    return NULL;
}

/* What was said of categories before is forgotten, as in CRuby: the last word counts. */
static void set_warn_level(VmOptions *opts, int level)
{
    opts->warn_level = level;
    opts->warn_on = opts->warn_off = 0;
}

uint32_t options_warning_categories(const VmOptions *opts)
{
    static const uint32_t of_level[] = {0, OPTIONS_WARN_EXPERIMENTAL, OPTIONS_WARN_EXPERIMENTAL | OPTIONS_WARN_DEPRECATED};

    return (of_level[opts->warn_level] | opts->warn_on) & ~opts->warn_off;
}

const char *const options_warning_names[OPTIONS_WARN_COUNT] = {"deprecated", "experimental", "performance",
                                                               "strict_unused_block"};

static void set_warning_category(Reader *r, const char *name)
{
    bool off = strncmp(name, "no-", 3) == 0;

    if (off) {
        name += 3;
    }
    for (uint32_t i = 0; i < OPTIONS_WARN_COUNT; i++) {
        if (strcmp(name, options_warning_names[i]) == 0) {
            uint32_t bit = UINT32_C(1) << i;
            r->opts->warn_on = off ? r->opts->warn_on & ~bit : r->opts->warn_on | bit;
            r->opts->warn_off = off ? r->opts->warn_off | bit : r->opts->warn_off & ~bit;
            return;
        }
    }
    words_add(r, &r->opts->unknown_categories, name); /* a warning, for later: the level may still change */
}

static void set_encodings(Reader *r, const char *value)
{
    const char *colon = strchr(value, ':');

    if (!colon) {
        r->opts->external_encoding = value;
        return;
    }
    if (colon > value) {
        char *external = mem_alloc(r->memory, (size_t)(colon - value) + 1);
        memcpy(external, value, (size_t)(colon - value));
        external[colon - value] = '\0';
        r->opts->external_encoding = external;
    }
    if (colon[1]) {
        r->opts->internal_encoding = colon + 1;
    }
}

/* -K: the old way to name one of four encodings. */
static void set_kcode(Reader *r, char letter)
{
    switch (tolower((unsigned char)letter)) {
    case 'e':
        r->opts->external_encoding = "EUC-JP";
        break;
    case 's':
        r->opts->external_encoding = "Windows-31J";
        break;
    case 'u':
        r->opts->external_encoding = "UTF-8";
        break;
    case 'n':
    case 'a':
        r->opts->external_encoding = "ASCII-8BIT";
        break;
    default:
        break;
    }
}

static bool feature_is(const char *name, size_t len, const char *feature)
{
    for (size_t i = 0; i < len; i++) {
        char c = name[i] == '_' ? '-' : name[i];
        if (feature[i] == '\0' || c != feature[i]) {
            return false;
        }
    }
    return feature[len] == '\0';
}

static void set_features(Reader *r, const char *list, bool on)
{
    VmOptions *o = r->opts;

    while (*list) {
        size_t len = strcspn(list, ",");
        bool all = feature_is(list, len, "all");
        if (all || feature_is(list, len, "gems") || feature_is(list, len, "gem")) {
            o->no_gems = !on;
        }
        if (all || feature_is(list, len, "did-you-mean")) {
            o->no_did_you_mean = !on;
        }
        if (all || feature_is(list, len, "error-highlight")) {
            o->no_error_highlight = !on;
        }
        if (all || feature_is(list, len, "syntax-suggest")) {
            o->no_syntax_suggest = !on;
        }
        if (all || feature_is(list, len, "rubyopt")) {
            o->no_rubyopt = !on;
        }
        if (feature_is(list, len, "frozen-string-literal")) {
            o->frozen_string_literal = on;
        }
        list += len;
        list += *list == ',';
    }
}

static void set_dump(Reader *r, const char *what)
{
    if (strcmp(what, "insns") == 0 || strcmp(what, "insns_without_opt") == 0) {
        r->opts->dump = VM_DUMP_INSNS;
    } else if (strcmp(what, "nodes") == 0 || strcmp(what, "parsetree") == 0 ||
               strcmp(what, "prism_parsetree") == 0) {
        r->opts->dump = VM_DUMP_NODES;
    } else if (strcmp(what, "syntax") == 0) {
        r->opts->dump = VM_DUMP_SYNTAX;
        r->opts->check_syntax = true;
    } else {
        fail(r, "don't know how to dump '%s', but only [insns, nodes, syntax]", what);
    }
}

static void set_extension(Reader *r, const char *name)
{
    if (strcmp(name, "persistent") == 0) {
        r->opts->persistent = true;
    } else if (strcmp(name, "commit") == 0) {
        r->opts->commit = true;
    } else {
        fail(r, "unknown mode -M%s, but only -Mpersistent and -Mcommit (RuntimeError)", name);
    }
}

/* -0[octal]: how input is cut into records. */
static const char *read_record_separator(Reader *r, const char *rest)
{
    int value = 0, digits = 0;

    while (digits < 4 && *rest >= '0' && *rest <= '7') {
        value = value * 8 + (*rest++ - '0');
        digits++;
    }
    if (value > 0377) {
        r->opts->record_separator = -2;
    } else if (value == 0 && digits > 0) {
        r->opts->record_separator = -3;
    } else {
        r->opts->record_separator = value;
    }
    return rest;
}

static void read_letters(Reader *r, const char *word)
{
    VmOptions *o = r->opts;
    const char *s = word + 1;
    const char *value;

    while (*s && !r->failed) {
        char letter = *s++;
        if (r->from_rubyopt && !strchr(RUBYOPT_LETTERS, letter)) {
            fail(r, "invalid switch in RUBYOPT: -%c (RuntimeError)", letter);
            return;
        }
        switch (letter) {
        case 'a':
            o->split = true;
            break;
        case 'c':
            o->check_syntax = true;
            break;
        case 'd':
            o->debug = true;
            o->verbose = true;
            set_warn_level(o, 2);
            break;
        case 'h':
            o->show_help = true;
            break;
        case 'l':
            o->chomp = true;
            break;
        case 'n':
            o->loop = true;
            break;
        case 'p':
            o->loop = o->print = true;
            break;
        case 's':
            o->script_switches = true;
            break;
        case 'S':
            o->search_path = true;
            break;
        case 'U':
            o->internal_encoding = "UTF-8";
            break;
        case 'v':
            o->show_version = true;
            o->verbose = true;
            set_warn_level(o, 2);
            break;
        case 'w':
            set_warn_level(o, 2);
            break;
        case 'W':
            if (*s == ':') {
                set_warning_category(r, s + 1);
                return;
            }
            set_warn_level(o, 2);
            if (*s >= '0' && *s <= '9') {
                set_warn_level(o, *s > '2' ? 2 : *s - '0');
                s++;
            }
            break;
        case 'e':
            value = letter_value(r, s);
            if (!value) {
                fail(r, "no code specified for -e (RuntimeError)");
                return;
            }
            words_add(r, &o->exprs, value);
            return;
        case 'r':
            value = letter_value(r, s);
            if (value && *value) {
                words_add(r, &o->requires, value);
            }
            return;
        case 'I':
            value = letter_value(r, s);
            if (value && *value) {
                words_add(r, &o->includes, value);
            }
            return;
        case 'i':
            o->in_place = true;
            o->in_place_suffix = s;
            return;
        case 'x':
            o->find_ruby_line = true;
            if (*s) {
                add_directory(r, s);
            }
            return;
        case 'C':
        case 'X':
            value = letter_value(r, s);
            if (!value || !*value) {
                fail(r, "Can't chdir (fatal)");
                return;
            }
            add_directory(r, value);
            return;
        case 'F':
            if (*s) {
                o->field_separator = s;
            }
            return;
        case 'E':
            value = letter_value(r, s);
            if (!value) {
                fail(r, "missing argument for -E (RuntimeError)");
                return;
            }
            set_encodings(r, value);
            return;
        case 'K':
            if (*s) {
                set_kcode(r, *s++);
            }
            break;
        case 'M':
            value = letter_value(r, s);
            if (!value) {
                fail(r, "missing argument for -M (RuntimeError)");
                return;
            }
            set_extension(r, value);
            return;
        case '0':
            s = read_record_separator(r, s);
            break;
        case '\r':
            if (!*s) {
                break; /* a script line that ends in CR LF */
            }
            /* fallthrough */
        default:
            fail(r, "invalid option -%c  (-h will show valid options) (RuntimeError)", letter);
            return;
        }
    }
}

/* ---------------------------------------------------------------- long options */

typedef enum LongValue { NO_VALUE, NEEDS_VALUE, MAY_HAVE_VALUE } LongValue;

typedef struct LongOption {
    const char *name;
    LongValue value;
    bool in_rubyopt;
    void (*apply)(Reader *r, const char *value);
} LongOption;

static void long_copyright(Reader *r, const char *v)
{
    (void)v;
    r->opts->show_version = r->opts->nothing_to_run = true;
}

static void long_version(Reader *r, const char *v)
{
    (void)v;
    r->opts->show_version = true;
    r->opts->nothing_to_run = true;
}

static void long_verbose(Reader *r, const char *v)
{
    (void)v;
    r->opts->verbose = true;
    set_warn_level(r->opts, 2);
}

static void long_help(Reader *r, const char *v)
{
    (void)v;
    r->opts->show_help = r->opts->long_help = true;
}

static void long_debug(Reader *r, const char *v)
{
    (void)v;
    r->opts->debug = true;
    long_verbose(r, NULL);
}

static void long_enable(Reader *r, const char *v)
{
    set_features(r, v, true);
}

static void long_disable(Reader *r, const char *v)
{
    set_features(r, v, false);
}

static void long_external(Reader *r, const char *v)
{
    r->opts->external_encoding = v;
}

static void long_internal(Reader *r, const char *v)
{
    r->opts->internal_encoding = v;
}

static void long_dump(Reader *r, const char *v)
{
    set_dump(r, v);
}

static void long_backtrace(Reader *r, const char *v)
{
    char *end;
    long n = strtol(v, &end, 10);

    if (!*v || *end || n < -1) {
        fail(r, "wrong limit for backtrace length (RuntimeError)");
        return;
    }
    r->opts->backtrace_limit = v;
}

static void long_store(Reader *r, const char *v)
{
    if (!*v) {
        fail(r, "--store needs a directory (RuntimeError)");
        return;
    }
    r->opts->store = v;
}

static void long_heap_map(Reader *r, const char *v)
{
    r->opts->heap_map = v;
}

static void long_solo(Reader *r, const char *v)
{
    (void)v;
    r->opts->solo = true;
}

static void long_repl(Reader *r, const char *v)
{
    (void)v;
    r->opts->force_repl = true;
}

static void long_nothing(Reader *r, const char *v)
{
    (void)r;
    (void)v;
}

static const LongOption LONG_OPTIONS[] = {
    {"copyright", NO_VALUE, false, long_copyright},
    {"version", NO_VALUE, false, long_version},
    {"verbose", NO_VALUE, true, long_verbose},
    {"help", NO_VALUE, false, long_help},
    {"debug", NO_VALUE, true, long_debug},
    {"enable", NEEDS_VALUE, true, long_enable},
    {"disable", NEEDS_VALUE, true, long_disable},
    {"encoding", NEEDS_VALUE, true, set_encodings},
    {"external-encoding", NEEDS_VALUE, true, long_external},
    {"internal-encoding", NEEDS_VALUE, true, long_internal},
    {"dump", NEEDS_VALUE, false, long_dump},
    {"backtrace-limit", NEEDS_VALUE, true, long_backtrace},
    {"parser", NEEDS_VALUE, true, long_nothing}, /* there is one parser */
    {"jit", MAY_HAVE_VALUE, true, long_nothing},
    {"yjit", MAY_HAVE_VALUE, true, long_nothing},
    {"zjit", MAY_HAVE_VALUE, true, long_nothing},
    {"store", NEEDS_VALUE, false, long_store},
    {"solo", NO_VALUE, false, long_solo},
    {"heap-map", NEEDS_VALUE, false, long_heap_map},
    {"repl", NO_VALUE, false, long_repl},
};

static void read_long(Reader *r, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;

    /* --enable-x and --disable-x are --enable=x and --disable=x */
    if (!value && strncmp(name, "enable-", 7) == 0) {
        set_features(r, name + 7, true);
        return;
    }
    if (!value && strncmp(name, "disable-", 8) == 0) {
        set_features(r, name + 8, false);
        return;
    }
    for (size_t i = 0; i < sizeof LONG_OPTIONS / sizeof *LONG_OPTIONS; i++) {
        const LongOption *option = &LONG_OPTIONS[i];
        if (strlen(option->name) != len || memcmp(option->name, name, len) != 0) {
            continue;
        }
        if (r->from_rubyopt && !option->in_rubyopt) {
            fail(r, "invalid switch in RUBYOPT: %s (RuntimeError)", word);
            return;
        }
        if (option->value == NO_VALUE && value) {
            break;
        }
        if (option->value == NEEDS_VALUE && !value) {
            value = letter_value(r, "");
            if (!value) {
                fail(r, "missing argument for --%s (RuntimeError)", option->name);
                return;
            }
        }
        option->apply(r, value);
        return;
    }
    fail(r, "invalid option %s  (-h will show valid options) (RuntimeError)", word);
}

static void read_words(Reader *r)
{
    while (r->left > 0 && !r->failed) {
        const char *word = *r->words;
        if (word[0] != '-' || word[1] == '\0') {
            return; /* the program, or "-" */
        }
        r->words++;
        r->left--;
        if (strcmp(word, "--") == 0) {
            return;
        }
        if (word[1] == '-') {
            read_long(r, word);
        } else {
            read_letters(r, word);
        }
    }
}

/* Reads blank-separated words of one string (RUBYOPT, or a "#!" line) into memory of the options. */
static void read_string(Reader *r, const char *text, bool rubyopt)
{
    Reader inner = *r;
    VmWords words = {0};
    char *copy = mem_strdup(r->memory, text);
    char *rest = NULL;

    for (char *word = strtok_r(copy, " \t\r\n", &rest); word; word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (rubyopt && word[0] != '-') {
            char *dashed = mem_alloc(r->memory, strlen(word) + 2); /* RUBYOPT="w" means -w */
            dashed[0] = '-';
            strcpy(dashed + 1, word);
            word = dashed;
        }
        words_add(r, &words, word);
    }
    inner.words = words.items;
    inner.left = (int)words.count;
    inner.from_rubyopt = rubyopt;
    read_words(&inner);
    r->failed = inner.failed;
}

/* -s: switches after the program's name become globals. */
static void read_script_switches(Reader *r)
{
    while (r->left > 0) {
        const char *word = *r->words;
        if (word[0] != '-' || word[1] == '\0') {
            return;
        }
        r->words++;
        r->left--;
        if (strcmp(word, "--") == 0) {
            return;
        }
        char *name = mem_strdup(r->memory, word + 1);
        for (char *c = name; *c && *c != '='; c++) {
            if (*c == '-') {
                *c = '_';
            }
        }
        words_add(r, &r->opts->switches, name);
    }
}

bool options_parse(VmOptions *opts, int argc, const char *const *argv, const char *rubyopt, bool stdin_is_tty)
{
    MemoryContext *memory = memctx_create(NULL, "options");
    Reader r = {.opts = opts, .memory = memory};
    const char *slash;

    memset(opts, 0, sizeof *opts);
    opts->storage = memory;
    opts->warn_level = 1;
    opts->record_separator = -1;
    opts->frozen_string_literal = -1;
    opts->program = argc > 0 ? argv[0] : "lode";
    slash = strrchr(opts->program, '/');
    if (slash) {
        opts->program = slash + 1;
    }
    r.words = argv + (argc > 0);
    r.left = argc > 0 ? argc - 1 : 0;
    read_words(&r);
    if (!r.failed && !opts->no_rubyopt && rubyopt && *rubyopt) {
        VmWords includes = opts->includes;
        int level = opts->warn_level;
        uint32_t on = opts->warn_on, off = opts->warn_off;
        opts->includes = (VmWords){0};
        set_warn_level(opts, 1);
        read_string(&r, rubyopt, true);
        for (size_t i = 0; i < opts->includes.count; i++) {
            words_add(&r, &includes, opts->includes.items[i]); /* the command line's directories come first */
        }
        opts->includes = includes;
        if (level != 1) {
            set_warn_level(opts, level); /* and its warning level wins */
        }
        opts->warn_on = (opts->warn_on & ~off) | on;
        opts->warn_off = (opts->warn_off & ~on) | off;
    }
    if (r.failed) {
        return false;
    }
    if (opts->show_help) {
        opts->nothing_to_run = true;
    }
    if (opts->exprs.count == 0 && !opts->nothing_to_run) {
        if (r.left > 0) {
            opts->script = *r.words++;
            r.left--;
        } else if (opts->verbose && !opts->debug && !opts->force_repl) {
            opts->nothing_to_run = true;
        } else if (opts->force_repl || (stdin_is_tty && !opts->loop && !opts->check_syntax && !opts->dump)) {
            opts->run_repl = true;
        } else {
            opts->script = "-";
        }
    }
    if (opts->script_switches) {
        read_script_switches(&r);
    }
    for (; r.left > 0; r.left--) {
        words_add(&r, &opts->args, *r.words++);
    }
    return true;
}

bool options_parse_shebang(VmOptions *opts, const char *line)
{
    Reader r = {.opts = opts, .memory = opts->storage};
    const char *ruby = strstr(line, "ruby");
    const char *lode = strstr(line, "lode");
    const char *at = ruby ? ruby + 4 : lode ? lode + 4 : NULL;

    if (!at) {
        return true;
    }
    at = strstr(at, " -");
    if (at) {
        read_string(&r, at, false);
    }
    return !r.failed;
}

void options_free(VmOptions *opts)
{
    if (opts->storage) {
        memctx_delete(opts->storage);
    }
    memset(opts, 0, sizeof *opts);
}
