/* core.h -- what built-in classes offer to C elsewhere
 *
 * Views are taken, used and dropped: void after anything that may collect, call Ruby or raise.
 */
#ifndef VM_CORE_H
#define VM_CORE_H
#include "vm/heap.h"
#include "vm/call.h"

/* ---- String (vm/core/string.c).  Flags: encoding in OT_FLAG 0..7, coderange 8..9. ---- */
typedef enum { ENC_BINARY, ENC_UTF_8, ENC_US_ASCII, ENC_FIRST_OTHER } EncodingIndex; /* more: vm/core/encodings.def */
typedef struct String { /* a NUL follows the bytes, wherever they are */
    uint64_t head;
    union {
        struct {       /* OF_EMBED: in the cell, which is as large as they needed when it was made */
            uint8_t len;
            char bytes[23];
        } in;
        struct {       /* elsewhere */
            size_t len;
            char *ptr;
            union {
                size_t cap; /* room without the NUL */
                Slot root;  /* STR_SHARED: the frozen String that owns the bytes */
            };
        } out;
    };
} String;
#define STR_ENC_AT     16
#define STR_SHARED     OT_FLAG(10)
#define STR_CHILLED    OT_FLAG(11) /* a literal without the magic comment: warns with -W:deprecated, else as thawed */
typedef struct StrView {
    const char *ptr;
    size_t len;
    int enc;
} StrView;
static inline bool is_string(Value v) { return is_type(v, T_STRING); }
static inline char *str_bytes(Value v) /* NUL-terminated; of a String that is not hollow; void like a view */
{
    String *s = (String *)v;
    return s->head & OF_EMBED ? s->in.bytes : s->out.ptr;
}
static inline size_t str_len(Value v)
{
    String *s = (String *)v;
    return s->head & OF_EMBED ? s->in.len : s->out.len;
}
Value str_new(const char *bytes, size_t len);              /* UTF-8 */
Value str_new_enc(const char *bytes, size_t len, int enc);
Value str_new_c(const char *text);                         /* NUL-terminated UTF-8 */
Value str_new_frozen(const char *bytes, size_t len, int enc);
Value str_format(const char *format, ...);                 /* printf plus %V %T %C as raise_error */
Value str_vformat(const char *format, __builtin_va_list ap);
Value str_dup(Value str);                                  /* plain String, shares the bytes */
StrView str_view(Value str);                               /* TypeError when not a String */
const char *str_c(Value str);                              /* NUL-terminated; ArgumentError when it has a NUL inside */
static inline int str_encoding(Value str) { return (int)(obj_head(str) >> STR_ENC_AT) & 0xff; }
void str_append(Value str, const char *bytes, size_t len); /* obj_modify inside; bytes in str's encoding */
void str_append_str(Value str, Value other);               /* checks encodings as String#<< */
void str_append_c(Value str, const char *text);
Value str_plus(Value a, Value b);
Value str_to_str(Value v);                                 /* implicit conversion by to_str */
bool str_equal(Value a, Value b);
int str_cmp(Value a, Value b);
uint64_t str_hash(Value str);
Value str_inspect(Value str);
Value str_intern_literal(Value str);                       /* the one frozen String of these bytes (-"str") */
size_t str_char_count(Value str);
Value str_substr(Value str, long start, long len);         /* characters; nil when out of range */
Value str_concat_n(int n, const Value *parts);             /* "#{}#{}": all Strings */
bool str_is_ascii(Value str);
bool str_is_broken(Value str);
Value encoding_value(int enc);                             /* the Encoding object */
int encoding_find(const char *name);                       /* -1 */
int encoding_of(Value v);                                  /* Encoding object or name to index; ArgumentError */
const char *encoding_name(int enc);
Value format_values(Value format, int argc, const Value *argv); /* sprintf */

/* ---- Regexp (vm/core/regexp.c) ---- */
Value regexp_new(const char *src, size_t len, int options, int enc); /* options as in Ruby: i=1 x=2 m=4, fixed 16, none 32 */
Value regexp_new_str(Value str, int options);
Value regexp_match(Value re, Value str, long start_char);  /* MatchData or nil; sets $~ */
Value match_nth(Value match, int n);                       /* group or nil */
Value match_named(Value match, Value name);
Value match_pre(Value match);
Value match_post(Value match);
Value match_last_group(Value match);

/* ---- Array (vm/core/array.c) ---- */
typedef struct Array {
    uint64_t head;
    /* With OT_VECTOR (vm/vector.h) elements may be SLOT_ABSENT, which slot_read answers; all other access is array.c's. */
    Slot *ptr; /* first element; into the own cell when OF_EMBED, else into a heap_malloc'ed buffer at offset off */
    uint32_t len, cap;
    uint32_t off, carded; /* carded: slots of a room that has cards behind it (array.c A5); 0: it has none */
    Slot inl[];
} Array;
typedef struct AryView {
    Slot *ptr;
    size_t len;
} AryView;
static inline bool is_array(Value v) { return is_type(v, T_ARRAY); }
Value ary_new(size_t capacity);
Value ary_new_from(size_t n, const Value *values);
AryView ary_view(Value ary);                               /* TypeError when not an Array; read elements by slot_read */
static inline size_t ary_len(Value ary) { obj_attend(ary); return ((Array *)ary)->len; }
Value ary_get(Value ary, long i);                          /* nil when out of range; negative from the end */
void ary_set(Value ary, long i, Value v);                  /* grows; IndexError; obj_modify inside */
void ary_push(Value ary, Value v);
Value ary_pop(Value ary);                                  /* nil when empty */
Value ary_shift(Value ary);
void ary_unshift(Value ary, Value v);
void ary_concat(Value ary, Value other);
void ary_clear(Value ary);
Value ary_dup(Value ary);                                  /* plain Array */
Value ary_subseq(Value ary, size_t start, size_t len);
Value ary_join(Value ary, Value sep);
Value ary_to_ary(Value v);                                 /* implicit conversion; TypeError */
Value ary_try(Value v);                                    /* Array or nil (to_ary) */
Value ary_splat(Value v);                                  /* *v : new or same Array (to_a), [v] */
bool ary_includes(Value ary, Value v);
void ary_sort_in_place(Value ary);                         /* by <=> or the running built-in's block */

/* For eql? and hash without a call, of Arrays of leaves: false when only the method can tell. */
bool ary_eql_leaves(Value a, Value b, bool *same);
bool ary_hash_leaves(Value ary, uint64_t *code);
/* A leaf has no elements: ==, eql?, hash and inspect of what holds leaves only need no recursion guard. */
static inline bool obj_is_leaf(Value v)
{
    return is_immediate(v) || obj_type(v) == T_STRING || obj_type(v) == T_FLOAT || obj_type(v) == T_BIGNUM;
}

/* ---- Hash (vm/core/hash.c): insertion order, codes from obj_hash ---- */
typedef struct HashEntry {
    uint64_t code; /* bit 0 set: tombstone */
    Slot key, value;
} HashEntry;
typedef struct Hash {
    uint64_t head;
    HashEntry *entries;
    uint32_t used, cap, live, index_bits; /* used counts tombstones; index_bits 0: small, linear */
    uint32_t *index;                      /* entry numbers + 1 */
    Slot fallback;                        /* default value, or default proc when HASH_DEFAULT_PROC */
    uint32_t iterating, start;
    struct HashVectors *vectors; /* hash.c B5; NULL: all is in memory and stored in one record */
} Hash;
#define HASH_IDENTITY     OT_FLAG(0)
#define HASH_DEFAULT_PROC OT_FLAG(1)
#define HASH_KEYWORDS     OT_FLAG(2) /* ruby2_keywords hash */
static inline bool is_hash(Value v) { return is_type(v, T_HASH); }
Value hash_new(void);
Value hash_get(Value hash, Value key);                     /* V_UNDEF when absent; no default */
Value hash_aref(Value hash, Value key);                    /* with default */
bool hash_plain_default(Value hash, Value *v);             /* the default of a missing key; false: only a call can tell */
void hash_set(Value hash, Value key, Value v);             /* String keys are copied and frozen, as []= */
Value hash_delete(Value hash, Value key);                  /* V_UNDEF when absent */
size_t hash_len(Value hash);
Value hash_keys(Value hash);
Value hash_values(Value hash);
Value hash_dup(Value hash);
void hash_update(Value hash, Value other);
Value hash_to_hash(Value v);                               /* implicit conversion; TypeError */
/* Iterates entries that were there when reached; fn returns false to stop.  Additions of keys inside raise as in Ruby. */
void hash_each(Value hash, bool (*fn)(Value key, Value v, void *arg), void *arg);
bool hash_entry_at(Value hash, size_t i, Value *key, Value *v); /* i-th of entries; false: tombstone or beyond `used` */
size_t hash_entries_used(Value hash);

/* ---- Numbers ---- */
typedef struct Float {
    uint64_t head;
    double value;
} Float;
Value int_value(int64_t n);                                /* fixnum or bignum */
Value uint_value(uint64_t n);
int64_t value_int(Value v);                                /* to_int conversion; RangeError when too big for 64 bit; TypeError */
int64_t value_int_range(Value v, int64_t lo, int64_t hi, const char *what);
static inline bool is_integer(Value v) { return is_fixnum(v) || is_type(v, T_BIGNUM); }
static inline bool is_float(Value v) { return is_flonum(v) || is_type(v, T_FLOAT); }
Value float_value(double d);
double value_double(Value v);                              /* Float(), TypeError */
double float_double(Value v);                              /* v must be a Float */
Value num_add(Value a, Value b);                           /* generic arithmetic: what the fast paths fall back to for Integer and Float */
Value num_sub(Value a, Value b);
Value num_mul(Value a, Value b);
Value num_div(Value a, Value b);
Value num_mod(Value a, Value b);
Value num_cmp(Value a, Value b);                           /* -1, 0, 1 or nil */
bool num_equal(Value a, Value b);
Value int_pow(Value a, Value b);
Value int_to_str(Value v, int base);
Value float_to_str(Value v);
Value str_to_integer(const char *s, size_t len, int base, bool strict, bool raise); /* V_NIL when strict, bad and not raise */
Value str_to_float(const char *s, size_t len, bool strict, bool raise);
Value int_literal(const char *digits, bool negative);      /* decimal digits of a literal too big for 63 bits */
Value rational_new(Value num, Value den);
Value complex_new(Value re, Value im);
uint64_t num_hash(Value v);
Value range_new(Value begin, Value end, bool excl);
bool range_values(Value range, Value *begin, Value *end, bool *excl); /* false when not a Range */
/* start and length of `range` within a sequence of len; false: out of range (nil) */
bool range_start_len(Value range, long len, long *start, long *count);

/* ---- Proc, Method (vm/interp) ---- */
static inline bool is_proc(Value v) { return is_type(v, T_PROC); }
bool proc_is_lambda(Value proc);
int proc_arity(Value proc);
Value value_to_proc(Value v);                              /* &v: Proc, nil, or by to_proc; Symbol and Method too */
/* ---- Struct, Time, IO, Random ---- */
Value time_now(void);
void io_write_stdout(const char *bytes, size_t len);
void io_flush_all(void);
uint64_t random_word(void);
/* 0..limit, as CRuby draws it from a seed; generator: V_UNDEF (the session's), a Random, or any object with #rand. */
uint64_t random_limited(Value generator, uint64_t limit);
double random_float(void);                                 /* [0, 1) of the session's generator */

/* ---- names of files ---- */
Value path_expand(Value path, Value dir, bool tilde); /* absolute, without "." and ".."; dir nil: the current one */
Value path_dirname(Value path, int64_t levels);
#endif
