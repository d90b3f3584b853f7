/*
 * vm/options.h: what a command line asks for, as `ruby` reads it.
 *
 * The client parses a command line to learn where to send it (--store, --solo, --help); the session parses
 * the same words again and runs them, so both see one meaning.  The parser knows nothing of files or
 * sessions: it only reads words.  Parsing never exits and never prints; it leaves one line in `error`.
 */
#ifndef VM_OPTIONS_H
#define VM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Warning categories of -W:name, one bit each. */
#define OPTIONS_WARN_DEPRECATED   0x1u
#define OPTIONS_WARN_EXPERIMENTAL 0x2u
#define OPTIONS_WARN_PERFORMANCE  0x4u
#define OPTIONS_WARN_STRICT_BLOCK 0x8u
#define OPTIONS_WARN_COUNT        4

/* What of the compiled program is printed in place of running it (--dump=). */
typedef enum VmDump { VM_DUMP_NONE, VM_DUMP_INSNS, VM_DUMP_NODES, VM_DUMP_SYNTAX } VmDump;

/* A list of words.  The words point into the vectors given to options_parse, or into the options' own
 * storage. */
typedef struct VmWords {
    const char **items;
    size_t count, room;
} VmWords;

typedef struct VmOptions {
    const char *program; /* name the program was called by, as in messages: "lode" */
    const char *script; /* the file to run; "-" is standard input; NULL: -e, or standard input, or the REPL */
    VmWords exprs;      /* -e, in order; they are one program, joined by newlines */
    VmWords includes;   /* -I, in order, not yet split at ':' */
    VmWords requires;   /* -r, in order */
    VmWords args;       /* ARGV */
    VmWords switches;   /* -s: "name" or "name=value", which become $name */
    const char *directory;       /* -C or -X; each is relative to the one before it: joined with '/' */
    int warn_level;              /* -W0 (nil) 0, default 1, -w/-W/-W2 2 */
    uint32_t warn_on, warn_off;  /* OPTIONS_WARN_*, by -W:name and -W:no-name */
    VmWords unknown_categories;  /* of -W:name: to be warned of */
    bool verbose;                /* $VERBOSE by -v: warn_level is 2 as well */
    bool show_version;           /* -v or --version: print the version first */
    bool show_help;              /* -h (1 screen) or --help */
    bool long_help;              /* --help */
    bool check_syntax;           /* -c */
    bool debug;                  /* -d: $DEBUG */
    bool loop;                   /* -n or -p: run for each line of input */
    bool print;                  /* -p: print $_ after each */
    bool chomp;                  /* -l: chomp lines; $\ = $/ */
    bool split;                  /* -a: $F = $_.split */
    bool in_place;               /* -i */
    const char *in_place_suffix; /* "" keeps no copy */
    const char *field_separator; /* -F: $; ; NULL: not given */
    int record_separator; /* -0: -1 not given, -2 read whole files (-0777), -3 paragraphs (-00), else a byte
                           */
    bool find_ruby_line;  /* -x: skip what stands before the first #!...ruby line */
    bool search_path;     /* -S: look the script up in $PATH */
    bool script_switches; /* -s */
    int frozen_string_literal; /* --enable=frozen-string-literal 1, --disable= 0, not given -1 */
    bool no_rubyopt;           /* --disable=rubyopt */
    bool no_gems, no_did_you_mean, no_error_highlight, no_syntax_suggest;
    const char *external_encoding, *internal_encoding; /* -E, -K, -U, --encoding...; NULL: by locale / none */
    const char *backtrace_limit;                       /* --backtrace-limit=N, as text; NULL: none */
    VmDump dump;

    /* Lodestone's own. */
    const char *store;   /* --store DIR; NULL: $LODE_STORE, else ~/.lodestone */
    bool solo;           /* --solo */
    const char *heap_map; /* --heap-map FILE: where the picture of the heap goes; NULL: none */
    bool persistent;     /* -Mpersistent: start in persistent mode */
    bool commit;         /* -Mcommit: commit when the program ends without an exception */
    bool run_repl;       /* no program, and standard input is a terminal (or --repl) */
    bool force_repl;     /* --repl */
    bool nothing_to_run; /* -v alone, --version, -h: print and exit 0 */

    /* Where the program runs; filled in by who runs it, not by the parser. */
    bool is_session; /* in a server's session (false: --solo) */

    char *error;   /* NULL, or one line without newline, as CRuby words it after "ruby: " */
    void *storage; /* private: what options_free frees */
} VmOptions;

/*
 * Read the words of a command line (argv[0] is the program) and of RUBYOPT (`rubyopt` may be NULL or empty;
 * only the options CRuby allows there).  `stdin_is_tty` decides between program-on-stdin and REPL.  The words
 * must outlive the options.  Returns false with `error` set when the line is wrong; free the options in
 * either case.
 */
bool options_parse(VmOptions *opts, int argc, const char *const *argv, const char *rubyopt,
                   bool stdin_is_tty);
void options_free(VmOptions *opts);

/* The options of a "#!...ruby" line of a script (CRuby honours those) added to already parsed ones.  `line`
 * is copied. */
bool options_parse_shebang(VmOptions *opts, const char *line);

/* The text of -h (`all` false) or --help, and the one line of -v. */
const char *options_help_text(bool all);
const char *options_version_text(void);
/* OPTIONS_WARN_* of what Warning[] says at the start; their names, by bit. */
uint32_t options_warning_categories(const VmOptions *opts);
extern const char *const options_warning_names[OPTIONS_WARN_COUNT];

#endif
