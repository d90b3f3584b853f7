/* text.h -- what the files of strings, encodings, regular expressions and numbers show each other (private to vm/core)
 *
 * Strings: every change goes through str_modify* (obj_modify, then own bytes, then the code range is forgotten).
 * A C local that holds a Value pins the object only while the compiler keeps it: KEEP(v) after the last use of a
 * body pointer says so.  Nothing between taking a view and KEEP may call Ruby or reach a safepoint; allocating is fine.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memrchr; included first by every file */
#endif
#include "lib/base.h"
#include "vm/core.h"
#include "vm/symbol.h"
#include <oniguruma.h>
#include <stdarg.h>
#include <stdlib.h>

#define KEEP(v) __asm__ volatile("" : : "g"(v) : "memory")

/* ---- encodings (encoding.c) ---- */
enum { ENCF_WIDE = 1 /* ASCII is not a subset */, ENCF_DUMMY = 2, ENCF_UNICODE = 4 };
typedef struct EncodingRow {
    const char *name;
    OnigEncodingType *onig;
    const char *iconv; /* "" none */
    uint8_t min_len, flags;
    const char *aliases; /* comma separated */
} EncodingRow;
extern const EncodingRow encoding_rows[];
extern const int encoding_count;
extern int encoding_default_external, encoding_default_internal; /* internal: -1 nil */
extern Value enc_compatibility_error, enc_undefined_error, enc_invalid_error, enc_not_found_error, enc_converter_class;

static inline bool enc_ascii_compat(int enc) { return !(encoding_rows[enc].flags & ENCF_WIDE); }
static inline bool enc_is_unicode(int enc) { return encoding_rows[enc].flags & ENCF_UNICODE; }
static inline bool enc_is_dummy(int enc) { return encoding_rows[enc].flags & ENCF_DUMMY; }
static inline OnigEncoding enc_onig(int enc) { return encoding_rows[enc].onig; }
static inline bool enc_is_utf8(int enc) { return encoding_rows[enc].onig == ONIG_ENCODING_UTF8; }
static inline bool enc_single_byte(int enc) { return encoding_rows[enc].onig->max_enc_len == 1; }
/* Bytes of the valid character at p, or 0 when there is none (invalid or cut short). */
int enc_precise_len(int enc, const char *p, const char *end);
/* As above, but 1 (or the encoding's unit) for a bad byte: how strings are walked. At most end - p. */
int enc_char_len(int enc, const char *p, const char *end);
/* Code point at p and its length; -1 when invalid. */
int64_t enc_codepoint(int enc, const char *p, const char *end, int *len);
/* Writes code point c (up to 8 bytes); 0 when the encoding has no such character. */
int enc_put(int enc, uint32_t c, char *buf);
/* Start of the character that holds byte p. */
const char *enc_left(int enc, const char *start, const char *p, const char *end);
/* For messages: "UTF-8", "BINARY (ASCII-8BIT)". */
const char *enc_display_name(int enc);
static inline int utf8_put(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}
static inline int utf8_valid_len(const uint8_t *p, const uint8_t *end)
{
    unsigned c = p[0];
    if (c < 0x80)
        return 1;
    size_t left = (size_t)(end - p);
#define UTF8_TAIL(i) ((p[i] & 0xc0) == 0x80)
    if (c < 0xc2)
        return 0;
    if (c < 0xe0)
        return left >= 2 && UTF8_TAIL(1) ? 2 : 0;
    if (c < 0xf0) {
        if (left < 3 || !UTF8_TAIL(1) || !UTF8_TAIL(2) || (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f))
            return 0;
        return 3;
    }
    if (c < 0xf5) {
        if (left < 4 || !UTF8_TAIL(1) || !UTF8_TAIL(2) || !UTF8_TAIL(3) || (c == 0xf0 && p[1] < 0x90) ||
            (c == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
#undef UTF8_TAIL
}

/* ---- strings (string.c) ---- */
enum { CR_UNKNOWN, CR_7BIT, CR_VALID, CR_BROKEN };
#define STR_CR_AT (16 + 8)
static inline String *str_ptr(Value v) { return (String *)v; }
int str_coderange(Value str); /* scans and remembers */
static inline void str_set_coderange(Value str, int cr)
{
    str_ptr(str)->head = (str_ptr(str)->head & ~(3ull << STR_CR_AT)) | (uint64_t)cr << STR_CR_AT;
}
static inline void str_set_encoding(Value str, int enc)
{
    str_ptr(str)->head = (str_ptr(str)->head & ~(0xffull << STR_ENC_AT)) | (uint64_t)enc << STR_ENC_AT;
}
int bytes_coderange(const char *p, size_t len, int enc);
/* May one byte be taken for one character? */
static inline bool str_bytewise(Value str)
{
    return enc_single_byte(str_encoding(str)) || (enc_ascii_compat(str_encoding(str)) && str_coderange(str) == CR_7BIT);
}
Value str_buf_new(size_t cap, int enc);                    /* empty, with room */
void str_buf_cat(Value buf, const char *bytes, size_t len); /* onto a String of our own that Ruby has not seen */
static inline void str_buf_putc(Value buf, char c) { str_buf_cat(buf, &c, 1); }
static inline void str_buf_puts(Value buf, const char *s) { str_buf_cat(buf, s, strlen(s)); }
void str_buf_cat_str(Value buf, Value str);                /* bytes only, no encoding check */
void str_buf_set_len(Value buf, size_t len);
void str_modify(Value str);                                /* obj_modify, own bytes, forget the code range */
void str_modify_expand(Value str, size_t room);            /* ... with room for `room` more bytes; then change ptr[] and call str_set_len */
void str_set_len(Value str, size_t len);
void str_replace(Value str, Value other);                  /* after the caller's checks: bytes, encoding */
void str_splice(Value str, size_t at, size_t len, const char *bytes, size_t n); /* replaces bytes; bytes may not lie in str */
Value str_new_share(Value str, size_t at, size_t len);     /* substring by bytes, same encoding, class String */
Value str_frozen_copy(Value str);                          /* str itself when frozen and a plain String, else a frozen sharer */
Value str_steady(Value str);                              /* str, or a copy that no allocation can make hollow */
Value str_in_class(Value str_class_of, const char *bytes, size_t len, int enc);
int str_compatible(Value a, Value b);                      /* index of the encoding that both fit, or -1 */
int str_check_compatible(Value a, Value b);                /* raises Encoding::CompatibilityError */
void str_need_ascii(Value str);                            /* Encoding::CompatibilityError for UTF-16 and its like */
Value str_get(Value v);                                    /* argument: a String, by to_str if need be; TypeError */
Value str_vformat(const char *format, va_list ap);
size_t str_char_to_byte(Value str, size_t chars);          /* byte offset of the n-th character (at most len) */
size_t str_byte_to_char(Value str, size_t byte);
size_t bytes_char_count(int enc, int cr, const char *p, const char *end);
bool str_subpos(Value str, int64_t start, int64_t len, size_t *at, size_t *n); /* characters to bytes; false: nil */
int64_t str_find(Value str, Value sub, size_t from);       /* byte offset at a character boundary, or -1 */
int64_t str_rfind(Value str, Value sub, size_t from);
Value str_unescape_dump(Value str);
Value str_dump(Value str);
void str_strip_sets(Value self, int argc, const Value *argv, bool left, bool right, size_t *at, size_t *end);
void str_inspect_char(Value buf, int enc, uint32_t c);
bool str_bad_range(Value range);
/* case mapping (string_case.c) */
enum { CASE_UP = 1, CASE_DOWN = 2, CASE_TITLE = 4, CASE_ASCII = 8, CASE_TURKIC = 16, CASE_FOLD = 32 };
Value str_map_case(Value str, int flags);
int case_flags(int argc, const Value *argv, bool down);
Value str_casecmp(Value a, Value b);
Value str_casecmp_p(Value a, Value b);
Value str_succ(Value str);
Value str_to_sym(Value str);
/* tables of further String methods, one function a file */
void string_access_boot(void);
void string_methods_boot(void);
void string_tr_boot(void);
void string_case_boot(void);
void string_regexp_boot(void);
void string_normalize_boot(void);
void transcode_boot(void);
void pack_boot(void);
Value str_transcode(Value str, int to, Value options);     /* new String */

/* ---- regular expressions ---- */
typedef struct RegexpProgram {
    regex_t *onig;         /* NULL: not compiled (yet) */
    struct Regex *linear;  /* NULL: not yet, or beyond that matcher */
    int16_t enc;
    bool tried;            /* to compile `linear` */
} RegexpProgram;
typedef struct Regexp { /* T_REGEXP */
    uint64_t head;
    Slot source;         /* frozen String or false while uninitialized */
    RegexpProgram own;   /* for its own encoding */
    RegexpProgram alt;   /* the last one made for a String of another */
    int32_t options;     /* i=1 x=2 m=4 fixed=16 none=32 */
    int16_t enc;
    double timeout;      /* seconds; 0: none of its own */
} Regexp;
typedef struct Match { /* T_MATCH */
    uint64_t head;
    Slot regexp;         /* Regexp, or String for a match by a plain pattern */
    Slot str;            /* frozen copy of the subject */
    int64_t n;           /* groups, 0 included */
    int64_t pos[];       /* begin, end of each in bytes; -1 unset */
} Match;
enum { RE_IGNORECASE = 1, RE_EXTENDED = 2, RE_MULTILINE = 4, RE_FIXED = 16, RE_NOENCODING = 32 };
static inline bool is_regexp(Value v) { return is_type(v, T_REGEXP); }
/* Searches from byte `from`; returns byte offset or -1 and leaves the groups in *region (set by the caller to zeros;
 * freed by onig_region_free(region, 0)). reverse: backwards from `from`. */
int64_t regexp_search_raw(Value re, Value str, size_t from, bool reverse, OnigRegion *region);
bool regexp_match_start(Value re, Value str, OnigRegion *region);           /* does it match at the very start? */
Value regexp_search(Value re, Value str, size_t from_byte, bool reverse); /* MatchData or nil; sets $~ */
bool regexp_search_p(Value re, Value str, size_t from_byte);              /* sets nothing */
Value match_new(Value re, Value str, OnigRegion *region);
Value match_new_plain(Value pattern, Value str, size_t at, size_t len);
Value regexp_names(Value re);                                             /* Array of Strings */
Value regexp_name_groups(Value re, Value *names);                         /* Array of Arrays of numbers beside them */
int regexp_name_lookup(Value re, const char *name, size_t len, int *groups, int max);
int regexp_group_count(Value re);
Value regexp_quote(Value str);
Value regexp_source(Value re);
int match_name_to_number(Value match, Value name);                        /* IndexError */
/* translator: Ruby's dialect to Oniguruma's; the result is a String; error text in *err when V_NIL */
Value regexp_translate(Value source, int options, int *enc, bool *fixed, const char **err);
Value value_to_pattern(Value v, bool quote);                              /* Regexp or String argument; TypeError */

/* ---- numbers (see number.h) ---- */
double bytes_to_double(const char *s, size_t len);
/* transcode.c: which conversions of newlines the options of String#encode ask for; ArgumentError */
enum { TR_UNIVERSAL = 1, TR_CRLF = 2, TR_CR = 4, TR_LF = 8 };
uint32_t transcode_newlines(Value options);
#endif
