/* regex.h -- the linear matcher of regular expressions: tree, program, search (private to vm/core)
 *
 *     source --regex_parse--> RegexNode --regex_compile--> Regex --regex_search--> positions
 *
 * It takes the part of Ruby's dialect that needs no memory of what was matched: no back-references, conditions, absence,
 * recursion, \X.  Encodings: UTF-8 and those of one byte a character.  Whatever it does not take is Oniguruma's
 * (regexp.c chooses); whatever it takes, it matches exactly as CRuby does, leftmost and first alternative first, in time
 * linear in the subject.
 *
 * Everything here is malloced and free of Ruby objects; nothing raises or calls Ruby.
 */
#ifndef CORE_REGEX_H
#define CORE_REGEX_H
#include "vm/core/text.h"

/* ---- sets of characters (regex_set.c) ---- */

typedef struct RangeSet { /* code points; once normal: sorted, disjoint, not adjacent */
    uint32_t (*r)[2];     /* first, last */
    uint32_t n, cap;
    bool failed;          /* out of memory */
} RangeSet;
void range_set_add(RangeSet *set, uint32_t first, uint32_t last);
void range_set_add_set(RangeSet *set, const RangeSet *other);
void range_set_normalize(RangeSet *set);
void range_set_negate(RangeSet *set, uint32_t max); /* normal in, normal out */
void range_set_intersect(RangeSet *set, const RangeSet *other);
bool range_set_has(const RangeSet *set, uint32_t c); /* of a normal set */
void range_set_free(RangeSet *set);
/* Adds the characters of an Oniguruma type (ONIGENC_CTYPE_*, or a property's number); ascii: only those below 128. */
bool range_set_add_ctype(RangeSet *set, int enc, int ctype, bool ascii, bool negated);
/* Adds what differs only in case from members; from ASCII to beyond it and back only for those in `across` (\w has none).
 * False when a member folds to several characters and the set isn't to be negated: then it is no set. */
bool range_set_fold(RangeSet *set, const RangeSet *across, int enc, bool negated);

/* ---- tree (regex_parse.c) ---- */

typedef enum RegexKind {
    RX_EMPTY, RX_CHAR, RX_SET, RX_CAT, RX_ALT, RX_REPEAT, RX_GROUP, RX_ATOMIC, RX_LOOK, RX_ANCHOR, RX_CALL,
} RegexKind;
typedef enum RegexAnchor {
    AT_LINE_START, AT_LINE_END, AT_START, AT_END, AT_LAST_LINE_END, AT_WORD, AT_NOT_WORD, AT_SEARCH_START, KEEP_HERE,
} RegexAnchor;
enum { REPEAT_LAZY, REPEAT_GREEDY, REPEAT_POSSESSIVE };
enum { REPEAT_INFINITE = -1 };
typedef struct RegexNode RegexNode;
struct RegexNode {
    RegexKind kind;
    uint8_t how;        /* REPEAT_*; RegexAnchor */
    bool negated;       /* look-around */
    bool behind;        /* look-behind */
    bool ascii;         /* word boundary among ASCII */
    uint32_t value;     /* code point; index of the set; group; of a call */
    int32_t min, max;   /* of a repeat */
    RegexNode *first;   /* children, linked by next */
    RegexNode *next;
};
typedef struct RegexTree {
    RegexNode *root;
    RegexNode **groups; /* by number, [0] is NULL */
    RangeSet *sets;
    int ngroups;        /* 0 included */
    uint32_t nsets;
    bool ascii_only;    /* right for subjects of ASCII only */
    struct NodeBlock *blocks;
} RegexTree;
/* False when the source has what the matcher does not do (or is wrong, which Oniguruma tells). */
bool regex_parse(RegexTree *tree, const char *source, size_t len, int source_enc, int enc, int options);
void regex_tree_free(RegexTree *tree);

/* ---- program (regex_compile.c) ---- */

typedef enum RegexOp {
#define REGEX_OP(name) RX_OP_##name,
#include "vm/core/regex_ops.def"
#undef REGEX_OP
} RegexOp;
typedef struct RegexIns {
    uint8_t op, how; /* how: REPEAT_*, RegexAnchor, 1 for a negated look-around */
    uint16_t point;  /* its row of the table of failures; splits and loops have one */
    uint32_t a, b, c;
} RegexIns;
typedef struct RegexClass { /* a set as the matcher reads it */
    uint8_t lead[256];      /* by first byte: CLASS_* */
    uint32_t (*r)[2];       /* beyond ASCII, for CLASS_LOOK */
    uint32_t n;
} RegexClass;
enum { CLASS_NO, CLASS_BYTE, CLASS_ALL, CLASS_LOOK }; /* not; this byte; all characters that begin so; look it up */
enum { NEXT_A = 1, NEXT_B = 2, NEXT_AT_END = 256 };
typedef struct RegexNext { /* by next byte (or the end): which branches of a split can succeed */
    uint8_t by[257];
} RegexNext;
typedef enum RegexStart { START_ANY, START_TEXT, START_BYTES, START_BEGIN, START_LINE, START_HERE } RegexStart;
typedef struct Regex {
    RegexIns *code;
    RegexClass *classes;
    RegexNext *nexts;
    char *text;              /* literals */
    uint32_t ncode, nclasses, nnexts, npoints, nempty;
    int ngroups;
    int enc;
    bool utf8, ascii_only, runs; /* runs: begins with a loop without end, see regex_search */
    RegexStart start;
    uint32_t min_len;        /* bytes */
    uint32_t start_text, start_text_len;  /* START_TEXT: in text */
    uint32_t need, need_len;              /* a literal without which nothing matches; 0 long: none */
    uint8_t start_bytes[257];             /* START_BYTES */
} Regex;
/* NULL when the matcher does not do it. */
Regex *regex_compile(const char *source, size_t len, int source_enc, int enc, int options);
void regex_free(Regex *re);

/* ---- search (regex_match.c) ---- */

extern uint64_t regex_patience; /* steps a byte before it begins to remember; tests change it */
enum { REGEX_MISMATCH = -1, REGEX_AGAIN = -2, REGEX_NO_MEMORY = -3 };
/* First match that begins at or behind `from` (once: only there); \G is `origin`.  Positions of the groups go to region if not NULL.
 * budget: steps after which it gives up with REGEX_AGAIN (0: none); some hundred million run in a second. */
int64_t regex_search(const Regex *re, const char *str, size_t len, size_t from, size_t origin, bool once, uint64_t budget,
                     OnigRegion *region);
#endif
