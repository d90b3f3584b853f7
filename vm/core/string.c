/* string.c -- the representation of Strings, and what other C code does with them
 *
 *   embedded   OF_EMBED: the bytes lie in the cell, which is as large as they needed when it was made
 *   own        out.ptr is from heap_malloc, out.cap its room
 *   shared     STR_SHARED: out.root is a hidden String that owns the bytes and never changes; out.ptr points into them
 *
 * S1: a NUL follows the bytes always (so only suffixes and whole strings are shared, all else is copied).
 * S2: a root is internal, of type STRING, own, and reachable only from its sharers.
 * S3: the code range is a cache: CR_UNKNOWN or right for the bytes and encoding.
 * Methods live in string_*.c.
 */
#include "vm/core/core_private.h"
#include "vm/core/text.h"
#include "lib/hashtab.h"
#include "vm/record.h"
#include <stdio.h>
#include <stdlib.h>

enum { HEADER = offsetof(String, in.bytes), EMBED_MAX = 128 - HEADER - 1 }; /* in.len is a byte */

/* The cell of a String with so many bytes and their NUL; bytes elsewhere fit, too. */
static size_t cell_for(size_t bytes)
{
    return ALIGN_UP(MAX(HEADER + bytes + 1, sizeof(String)), (size_t)16);
}
static size_t embed_room(const String *s)
{
    return heap_cell_size((Value)s) - HEADER - 1;
}
static size_t room(const String *s) /* of one that is not shared */
{
    return s->head & OF_EMBED ? embed_room(s) : s->out.cap;
}

static inline void set_len(String *s, size_t len)
{
    if (s->head & OF_EMBED)
        s->in.len = (uint8_t)len;
    else
        s->out.len = len;
    str_bytes((Value)s)[len] = 0;
}

static void string_visit(Object *o, Visitor *v)
{
    if (o->head & STR_SHARED)
        v->slot(v, &((String *)o)->out.root);
}
static void string_free(Object *o)
{
    String *s = (String *)o;
    if (!(s->head & (OF_EMBED | STR_SHARED)))
        heap_free(s->out.ptr);
}
static size_t string_memsize(Object *o)
{
    String *s = (String *)o;
    return (s->head & (OF_EMBED | STR_SHARED)) || !s->out.ptr ? 0 : s->out.cap + 1;
}
static void string_hollow(Object *o)
{
    String *s = (String *)o;
    string_free(o);
    s->head = (s->head & ~STR_SHARED) | OF_EMBED;
    s->in.len = 0;
    s->in.bytes[0] = 0;
}
/* Record: encoding as a symbol, then the content. */
static void string_persist(Object *o, RecordBuilder *b)
{
    record_put_encoding(b, str_encoding((Value)o));
    record_put_content(b, str_bytes((Value)o), str_len((Value)o));
}
static size_t string_cell_size(size_t nslots, size_t nbytes)
{
    (void)nslots;
    return cell_for(nbytes <= EMBED_MAX ? nbytes : 0);
}
static void string_restore(Object *o, RecordReader *r)
{
    String *s = (String *)o;
    int enc = record_take_encoding(r);
    size_t n = record_content_size(r);
    char *to = s->in.bytes;
    s->head &= ~(STR_SHARED | STR_CHILLED | (0x3ffull << STR_ENC_AT));
    s->head |= (uint64_t)(enc < 0 ? ENC_BINARY : enc) << STR_ENC_AT;
    s->head |= OF_EMBED;
    if (n > embed_room(s)) {
        to = heap_malloc(n + 1);
        s->head &= ~OF_EMBED;
        s->out.ptr = to;
        s->out.cap = n;
    }
    set_len(s, n);
    record_take_content(r, to);
}
static const TypeRow string_type = {.name = "String", .logged = true, .visit = string_visit, .free = string_free, .memsize = string_memsize,
                                    .hollow = string_hollow, .persist = string_persist,
                                    .restore = string_restore, .cell_size = string_cell_size};

/* ---- making ---- */

static Value str_alloc(Value cls, size_t cap, int enc)
{
    if (cap > (size_t)INT64_MAX / 2)
        raise_no_memory();
    Value v = heap_alloc(T_STRING, cls, cell_for(cap <= EMBED_MAX ? cap : 0));
    String *s = str_ptr(v);
    s->head |= OF_EMBED | (uint64_t)enc << STR_ENC_AT;
    if (cap > EMBED_MAX) {
        char *p = heap_malloc(cap + 1);
        s = str_ptr(v);
        s->head &= ~OF_EMBED;
        s->out.ptr = p;
        s->out.cap = cap;
    }
    set_len(s, 0);
    return v;
}

Value str_in_class(Value cls, const char *bytes, size_t len, int enc)
{
    Value v = str_alloc(cls, len, enc);
    if (len)
        memcpy(str_bytes(v), bytes, len);
    set_len(str_ptr(v), len);
    return v;
}
Value str_new_enc(const char *bytes, size_t len, int enc)
{
    return str_in_class(klass.String, bytes, len, enc);
}
Value str_new(const char *bytes, size_t len)
{
    return str_new_enc(bytes, len, ENC_UTF_8);
}
Value str_new_c(const char *text)
{
    return str_new(text, strlen(text));
}
Value str_new_frozen(const char *bytes, size_t len, int enc)
{
    Value v = str_new_enc(bytes, len, enc);
    str_coderange(v);
    str_ptr(v)->head |= OH_FROZEN;
    return v;
}
Value str_buf_new(size_t cap, int enc)
{
    return str_alloc(klass.String, cap, enc);
}

/* A hidden root for the bytes of an own string; str becomes its first sharer. */
static Value str_root(Value str)
{
    String *s = str_ptr(str);
    if (s->head & STR_SHARED)
        return s->out.root.raw;
    Value root = heap_alloc_internal(T_STRING, sizeof(String));
    obj_attend(str); /* an allocation may make a clean persistent String hollow */
    s = str_ptr(str);
    String *r = str_ptr(root);
    r->out = s->out;
    r->head |= OH_FROZEN;
    s->out.root.raw = root;
    s->head |= STR_SHARED;
    heap_remember(str);
    return root;
}

Value str_new_share(Value str, size_t at, size_t len)
{
    obj_attend(str);
    String *s = str_ptr(str);
    int enc = str_encoding(str), cr = (int)(s->head >> STR_CR_AT) & 3;
    bool whole = at == 0 && len == str_len(str);
    Value v;
    if (len <= EMBED_MAX || at + len != str_len(str) || (s->head & OF_EMBED)) {
        v = str_alloc(klass.String, len, enc);
        obj_attend(str);
        memcpy(str_bytes(v), str_bytes(str) + at, len);
        set_len(str_ptr(v), len);
    } else {
        Value root = str_root(str);
        char *bytes = str_bytes(str) + at; /* the root's: they stay when str becomes hollow */
        v = heap_alloc(T_STRING, klass.String, sizeof(String));
        String *n = str_ptr(v);
        n->out.len = len;
        n->out.ptr = bytes;
        n->out.root.raw = root;
        n->head |= STR_SHARED | (uint64_t)enc << STR_ENC_AT;
        KEEP(root);
    }
    if (cr == CR_7BIT || whole)
        str_set_coderange(v, cr);
    KEEP(str);
    return v;
}

Value str_dup(Value str)
{
    obj_attend(str);
    if (!(obj_head(str) >> STR_CR_AT & 3) && str_len(str) <= 64)
        str_coderange(str); /* literals are copied often: scan them once */
    return str_new_share(str, 0, str_len(str));
}

Value str_steady(Value str)
{
    return obj_head(str) & OF_PERSISTENT ? str_dup(str) : str;
}
Value str_frozen_copy(Value str)
{
    if (obj_frozen_bit(str) && class_of(str) == klass.String)
        return str;
    Value v = str_dup(str);
    str_ptr(v)->head |= OH_FROZEN;
    return v;
}

/* ---- changing ---- */

/* Own bytes with room for cap. */
static void str_own(Value v, size_t cap)
{
    String *s = str_ptr(v);
    if (cap > (size_t)INT64_MAX / 2)
        raise_no_memory();
    if (s->head & (STR_SHARED | OF_EMBED)) {
        if (!(s->head & STR_SHARED) && cap <= embed_room(s))
            return;
        size_t len = str_len(v);
        cap = MAX(cap, len);
        char *p = heap_malloc(cap + 1);
        s = str_ptr(v);
        memcpy(p, str_bytes(v), len + 1);
        s->head &= ~(STR_SHARED | OF_EMBED);
        s->out.len = len;
        s->out.ptr = p;
        s->out.cap = cap;
    } else if (cap > s->out.cap) {
        s->out.ptr = heap_realloc(s->out.ptr, cap + 1);
        s->out.cap = cap;
    }
    KEEP(v);
}
static bool fits(const String *s, size_t more)
{
    return !(s->head & STR_SHARED) && str_len((Value)s) + more <= room(s);
}
static void str_grow(Value v, size_t more)
{
    String *s = str_ptr(v);
    if (fits(s, more))
        return;
    size_t want = str_len(v) + more;
    str_own(v, s->head & STR_SHARED ? want : MAX(want, room(s) * 2));
}

/* The first change of a literal without the magic comment. */
static __attribute__((noinline)) void str_thaw(Value str)
{
    str_ptr(str)->head &= ~(uint64_t)STR_CHILLED;
    if (warn_wanted("deprecated"))
        warn_printf("literal string will be frozen in the future (run with --debug-frozen-string-literal for more information)");
}

static inline void before_change(Value str)
{
    obj_modify(str);
    if (unlikely(str_ptr(str)->head & STR_CHILLED))
        str_thaw(str);
}

void str_modify(Value str)
{
    before_change(str);
    if (str_ptr(str)->head & STR_SHARED)
        str_own(str, 0);
    str_set_coderange(str, CR_UNKNOWN);
}
void str_modify_expand(Value str, size_t room)
{
    before_change(str);
    str_grow(str, room);
    str_set_coderange(str, CR_UNKNOWN);
}
void str_set_len(Value str, size_t len)
{
    set_len(str_ptr(str), len);
}
void str_buf_set_len(Value buf, size_t len)
{
    str_set_len(buf, len);
}
void str_buf_cat(Value buf, const char *bytes, size_t len)
{
    str_grow(buf, len);
    size_t had = str_len(buf);
    memcpy(str_bytes(buf) + had, bytes, len);
    set_len(str_ptr(buf), had + len);
    str_set_coderange(buf, CR_UNKNOWN);
}
void str_buf_cat_str(Value buf, Value str)
{
    obj_attend(str);
    size_t len = str_len(str);
    str_grow(buf, len);
    str_buf_cat(buf, str_bytes(str), len);
    KEEP(str);
}

void str_append(Value str, const char *bytes, size_t len)
{
    before_change(str);
    size_t had = str_len(str);
    if (!fits(str_ptr(str), len)) {
        const char *from = str_bytes(str);
        bool own = bytes >= from && bytes <= from + had;
        size_t at = own ? (size_t)(bytes - from) : 0;
        str_grow(str, len);
        if (own)
            bytes = str_bytes(str) + at;
    }
    memmove(str_bytes(str) + had, bytes, len);
    set_len(str_ptr(str), had + len);
    str_set_coderange(str, CR_UNKNOWN);
}
void str_append_c(Value str, const char *text)
{
    str_append(str, text, strlen(text));
}
void str_append_str(Value str, Value other)
{
    before_change(str);
    obj_attend(other);
    int cr = (int)(obj_head(str) >> STR_CR_AT) & 3, ocr = CR_UNKNOWN;
    int enc = str_encoding(str);
    if (enc != str_encoding(other)) {
        enc = str_check_compatible(str, other);
        cr = str_coderange(str);
    }
    if (cr != CR_UNKNOWN)
        ocr = str_coderange(other);
    str_append(str, str_bytes(other), str_len(other));
    KEEP(other);
    str_set_encoding(str, enc);
    /* both known and whole: the sum is known */
    if (cr == CR_7BIT && (ocr == CR_7BIT || ocr == CR_VALID))
        str_set_coderange(str, ocr);
    else if (cr == CR_VALID && (ocr == CR_7BIT || ocr == CR_VALID))
        str_set_coderange(str, CR_VALID);
}

void str_replace(Value str, Value other)
{
    before_change(str);
    if (str == other)
        return;
    obj_attend(other);
    String *o = str_ptr(other);
    if (!(o->head & OF_EMBED) && o->out.len > EMBED_MAX) {
        Value root = str_root(other);
        String *s = str_ptr(str);
        string_free((Object *)s);
        s->head = (s->head & ~OF_EMBED) | STR_SHARED;
        s->out.len = str_len(other);
        s->out.ptr = str_bytes(other);
        s->out.root.raw = root;
    } else {
        str_own(str, str_len(other));
        obj_attend(other);
        memcpy(str_bytes(str), str_bytes(other), str_len(other));
        set_len(str_ptr(str), str_len(other));
    }
    str_set_encoding(str, str_encoding(other));
    str_set_coderange(str, (int)(obj_head(other) >> STR_CR_AT) & 3);
}

void str_splice(Value str, size_t at, size_t len, const char *bytes, size_t n)
{
    if (n > len)
        str_modify_expand(str, n - len);
    else
        str_modify(str);
    size_t had = str_len(str);
    char *to = str_bytes(str);
    memmove(to + at + n, to + at + len, had - at - len);
    memcpy(to + at, bytes, n);
    str_set_len(str, had - len + n);
}

/* ---- looking ---- */

StrView str_view(Value str)
{
    if (!is_string(str))
        raise_no_conversion(str, "String");
    obj_attend(str);
    return (StrView){str_bytes(str), str_len(str), str_encoding(str)};
}
Value str_get(Value v)
{
    return is_string(v) ? v : str_to_str(v);
}
void str_need_ascii(Value str)
{
    if (!enc_ascii_compat(str_encoding(str)))
        raise_error(enc_compatibility_error, "ASCII incompatible encoding: %s", encoding_name(str_encoding(str)));
}
Value str_to_str(Value v)
{
    return is_string(v) ? v : obj_convert(v, T_STRING, "String", SYM(to_str));
}
const char *str_c(Value str)
{
    StrView s = str_view(str);
    if (memchr(s.ptr, 0, s.len))
        raise_error(klass.ArgumentError, "string contains null byte");
    return s.ptr;
}

static bool bytes_ascii(const char *p, size_t n)
{
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        if (w & 0x8080808080808080ull)
            return false;
        p += 8, n -= 8;
    }
    for (; n; p++, n--)
        if (*p & 0x80)
            return false;
    return true;
}
int bytes_coderange(const char *p, size_t len, int enc)
{
    if (enc_ascii_compat(enc) && bytes_ascii(p, len))
        return CR_7BIT;
    if (enc == ENC_US_ASCII)
        return CR_BROKEN;
    if (enc_single_byte(enc))
        return CR_VALID;
    const char *end = p + len;
    if (enc_is_utf8(enc)) {
        while (p < end) {
            if (!(*p & 0x80)) {
                p++;
                continue;
            }
            int n = utf8_valid_len((const uint8_t *)p, (const uint8_t *)end);
            if (!n)
                return CR_BROKEN;
            p += n;
        }
        return CR_VALID;
    }
    while (p < end) {
        int n = enc_precise_len(enc, p, end);
        if (!n)
            return CR_BROKEN;
        p += n;
    }
    return CR_VALID;
}
int str_coderange(Value str)
{
    obj_attend(str);
    int cr = (int)(obj_head(str) >> STR_CR_AT) & 3;
    if (cr == CR_UNKNOWN) {
        cr = bytes_coderange(str_bytes(str), str_len(str), str_encoding(str));
        str_set_coderange(str, cr);
    }
    return cr;
}
bool str_is_ascii(Value str)
{
    return str_coderange(str) == CR_7BIT;
}
bool str_is_broken(Value str)
{
    return str_coderange(str) == CR_BROKEN;
}

int str_compatible(Value a, Value b)
{
    int ea = str_encoding(a), eb = str_encoding(b);
    if (ea == eb)
        return ea;
    if (str_len(b) == 0)
        return ea;
    if (str_len(a) == 0)
        return enc_ascii_compat(ea) && str_coderange(b) == CR_7BIT ? ea : eb;
    if (!enc_ascii_compat(ea) || !enc_ascii_compat(eb))
        return -1;
    int ca = str_coderange(a), cb = str_coderange(b);
    if (cb == CR_7BIT)
        return ea;
    if (ca == CR_7BIT)
        return eb;
    return -1;
}
int str_check_compatible(Value a, Value b)
{
    int enc = str_compatible(a, b);
    if (enc < 0)
        raise_error(enc_compatibility_error, "incompatible character encodings: %s and %s", enc_display_name(str_encoding(a)),
                    enc_display_name(str_encoding(b)));
    return enc;
}

static bool str_comparable(Value a, Value b)
{
    int ea = str_encoding(a), eb = str_encoding(b);
    if (ea == eb || !str_len(a) || !str_len(b))
        return true;
    return str_coderange(a) == CR_7BIT && str_coderange(b) == CR_7BIT;
}
bool str_equal(Value a, Value b)
{
    if (a == b)
        return true;
    obj_attend(a);
    obj_attend(b);
    size_t len = str_len(a);
    return len == str_len(b) && !memcmp(str_bytes(a), str_bytes(b), len) && str_comparable(a, b);
}
int str_cmp(Value a, Value b)
{
    obj_attend(a);
    obj_attend(b);
    size_t m = str_len(a), n = str_len(b);
    int r = memcmp(str_bytes(a), str_bytes(b), MIN(m, n));
    if (r)
        return r < 0 ? -1 : 1;
    if (m != n)
        return m < n ? -1 : 1;
    if (!str_comparable(a, b))
        return str_encoding(a) > str_encoding(b) ? 1 : -1;
    return 0;
}

uint64_t str_hash(Value str)
{
    obj_attend(str);
    return hash_bytes(str_bytes(str), str_len(str), hash_seed);
}

/* ---- characters and bytes ---- */

static size_t utf8_count(const char *p, size_t n) /* valid text: count the bytes that start a character */
{
    size_t count = 0;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        w = ((w >> 7) & ~(w >> 6)) & 0x0101010101010101ull; /* continuation bytes */
        count += 8 - (size_t)((w * 0x0101010101010101ull) >> 56);
        p += 8, n -= 8;
    }
    for (; n; p++, n--)
        count += (*p & 0xc0) != 0x80;
    return count;
}
size_t bytes_char_count(int enc, int cr, const char *p, const char *end)
{
    if (enc_single_byte(enc) || (cr == CR_7BIT && enc_ascii_compat(enc)))
        return (size_t)(end - p);
    if (enc_is_utf8(enc) && cr == CR_VALID)
        return utf8_count(p, (size_t)(end - p));
    size_t n = 0;
    for (; p < end; n++)
        p += enc_char_len(enc, p, end);
    return n;
}
size_t str_char_count(Value str)
{
    StrView s = str_view(str);
    return bytes_char_count(s.enc, str_coderange(str), s.ptr, s.ptr + s.len);
}
size_t str_char_to_byte(Value str, size_t chars)
{
    StrView s = str_view(str);
    if (str_bytewise(str))
        return MIN(chars, s.len);
    const char *p = s.ptr, *end = p + s.len;
    if (enc_is_utf8(s.enc) && str_coderange(str) == CR_VALID) {
        while (chars >= 16 && end - p >= 8) {
            chars -= utf8_count(p, 8);
            p += 8;
        }
        while (p < end && (*p & 0xc0) == 0x80)
            p++;
        while (chars && p < end) {
            uint8_t c = (uint8_t)*p;
            p += c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
            chars--;
        }
        return (size_t)(p - s.ptr);
    }
    for (; chars && p < end; chars--)
        p += enc_char_len(s.enc, p, end);
    return (size_t)(p - s.ptr);
}
size_t str_byte_to_char(Value str, size_t byte)
{
    StrView s = str_view(str);
    return bytes_char_count(s.enc, str_coderange(str), s.ptr, s.ptr + byte);
}
bool str_subpos(Value str, int64_t start, int64_t len, size_t *at, size_t *n)
{
    StrView s = str_view(str);
    if (len < 0)
        return false;
    if (str_bytewise(str)) {
        int64_t total = (int64_t)s.len;
        if (start < 0)
            start += total;
        if (start < 0 || start > total)
            return false;
        *at = (size_t)start;
        *n = (size_t)MIN(len, total - start);
        return true;
    }
    int64_t total = -1;
    if (start < 0) {
        total = (int64_t)str_char_count(str);
        start += total;
        if (start < 0)
            return false;
    }
    size_t b = str_char_to_byte(str, (size_t)start);
    if (b == s.len) { /* at the end, or beyond it? */
        if (total < 0)
            total = (int64_t)str_char_count(str);
        if (start > total)
            return false;
        *at = b, *n = 0;
        return true;
    }
    const char *p = s.ptr + b, *end = s.ptr + s.len;
    *at = b;
    if (len >= end - p) {
        *n = (size_t)(end - p);
        return true;
    }
    for (; len && p < end; len--)
        p += enc_char_len(s.enc, p, end);
    *n = (size_t)(p - s.ptr) - b;
    return true;
}
Value str_substr(Value str, long start, long len)
{
    size_t at, n;
    return str_subpos(str, start, len, &at, &n) ? str_new_share(str, at, n) : V_NIL;
}

int64_t str_find(Value str, Value sub, size_t from)
{
    StrView s = str_view(str), t = str_view(sub);
    if (t.len == 0)
        return from <= s.len ? (int64_t)from : -1;
    bool exact = str_bytewise(str) || (enc_is_utf8(s.enc) && !str_is_broken(sub));
    while (from + t.len <= s.len) {
        const char *p = memmem(s.ptr + from, s.len - from, t.ptr, t.len);
        if (!p)
            return -1;
        if (exact || enc_left(s.enc, s.ptr, p, s.ptr + s.len) == p)
            return p - s.ptr;
        from = (size_t)(p - s.ptr) + 1;
    }
    return -1;
}
int64_t str_rfind(Value str, Value sub, size_t from)
{
    StrView s = str_view(str), t = str_view(sub);
    if (t.len > s.len)
        return -1;
    bool exact = str_bytewise(str);
    for (int64_t at = (int64_t)MIN(from, s.len - t.len); at >= 0; at--)
        if (!memcmp(s.ptr + at, t.ptr, t.len) && (exact || enc_left(s.enc, s.ptr, s.ptr + at, s.ptr + s.len) == s.ptr + at))
            return at;
    return -1;
}

/* ---- building ---- */

Value str_plus(Value a, Value b)
{
    int enc = str_check_compatible(a, b);
    size_t la = str_view(a).len, lb = str_view(b).len;
    Value v = str_buf_new(la + lb, enc);
    obj_attend(a);
    obj_attend(b);
    memcpy(str_bytes(v), str_bytes(a), la);
    memcpy(str_bytes(v) + la, str_bytes(b), lb);
    str_set_len(v, la + lb);
    if (str_coderange(a) == CR_7BIT && str_coderange(b) == CR_7BIT)
        str_set_coderange(v, CR_7BIT);
    KEEP(a);
    KEEP(b);
    return v;
}
Value str_concat_n(int n, const Value *parts)
{
    size_t len = 0;
    for (int i = 0; i < n; i++)
        len += str_view(parts[i]).len;
    Value v = str_buf_new(len, n ? str_encoding(parts[0]) : ENC_UTF_8);
    for (int i = 0; i < n; i++) {
        if (str_encoding(parts[i]) != str_encoding(v))
            str_set_encoding(v, str_check_compatible(v, parts[i]));
        str_buf_cat_str(v, parts[i]);
    }
    return v;
}

Value str_vformat(const char *format, va_list ap)
{
    Value out = str_buf_new(strlen(format) + 40, ENC_UTF_8);
    for (const char *p = format; *p;) {
        size_t plain = strcspn(p, "%");
        str_buf_cat(out, p, plain);
        p += plain;
        if (!*p)
            break;
        if (p[1] == '%') {
            str_buf_putc(out, '%');
            p += 2;
            continue;
        }
        if (p[1] == 'V' || p[1] == 'T' || p[1] == 'C') {
            Value v = va_arg(ap, Value);
            if (p[1] == 'C')
                str_buf_puts(out, class_name_c(is_type(v, T_CLASS) || is_type(v, T_MODULE) ? v : class_real(v)));
            else
                str_buf_cat_str(out, is_symbol(v) && p[1] == 'T' ? sym_name_str(v) : p[1] == 'V' ? obj_inspect(v) : obj_to_s(v));
            p += 2;
            continue;
        }
        char spec[32], text[512];
        size_t k = 0;
        int longs = 0, stars = 0, star[2] = {0, 0};
        spec[k++] = *p++;
        while (*p && strchr("-+ #0123456789.*lzjth", *p) && k < sizeof spec - 2) {
            longs += *p == 'l' || *p == 'z' || *p == 'j' || *p == 't';
            if (*p == '*' && stars < 2)
                star[stars++] = va_arg(ap, int);
            spec[k++] = *p++;
        }
        char conv = *p ? *p++ : 's';
        spec[k++] = conv;
        spec[k] = 0;
        int n;
#define EMIT(arg) \
    (stars == 2   ? snprintf(text, sizeof text, spec, star[0], star[1], arg) \
     : stars == 1 ? snprintf(text, sizeof text, spec, star[0], arg) \
                  : snprintf(text, sizeof text, spec, arg))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        switch (conv) {
        case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
            if (longs) {
                long x = va_arg(ap, long);
                n = EMIT(x);
            } else {
                int x = va_arg(ap, int);
                n = EMIT(x);
            }
            break;
        case 'c': {
            int x = va_arg(ap, int);
            n = EMIT(x);
            break;
        }
        case 'f': case 'g': case 'e': case 'G': case 'E': {
            double x = va_arg(ap, double);
            n = EMIT(x);
            break;
        }
        case 'p': {
            void *x = va_arg(ap, void *);
            n = EMIT(x);
            break;
        }
        default: {
            const char *x = va_arg(ap, const char *);
            if (!x)
                x = "(null)";
            if (k == 2) { /* plain %s has no limit */
                str_buf_puts(out, x);
                continue;
            }
            n = EMIT(x);
        }
        }
#pragma GCC diagnostic pop
        if (n > 0)
            str_buf_cat(out, text, MIN((size_t)n, sizeof text - 1));
    }
    return out;
}
Value str_format(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value v = str_vformat(format, ap);
    va_end(ap);
    return v;
}

/* ---- the table of literals: one frozen String for equal bytes and encoding, held weakly ---- */

static Value *literals; /* open addressing; 0 empty, V_UNDEF removed */
static size_t literal_bits, literal_used;

static void literal_put(Value *table, size_t bits, Value v)
{
    size_t mask = ((size_t)1 << bits) - 1;
    size_t i = hash_bytes(str_bytes(v), str_len(v), 0) & mask;
    while (table[i])
        i = (i + 1) & mask;
    table[i] = v;
}
static void literals_grow(void)
{
    size_t live = 0;
    for (size_t i = 0; literal_bits && i < (size_t)1 << literal_bits; i++)
        live += is_heap(literals[i]);
    size_t bits = 10;
    while (((size_t)1 << bits) < live * 3)
        bits++;
    Value *table = calloc((size_t)1 << bits, sizeof(Value));
    if (!table)
        raise_no_memory();
    for (size_t i = 0; literal_bits && i < (size_t)1 << literal_bits; i++)
        if (is_heap(literals[i]))
            literal_put(table, bits, literals[i]);
    free(literals);
    literals = table;
    literal_bits = bits;
    literal_used = live;
}
static void literals_weak(bool (*alive)(Value), Value (*forward)(Value))
{
    for (size_t i = 0; literal_bits && i < (size_t)1 << literal_bits; i++)
        if (is_heap(literals[i]))
            literals[i] = alive(literals[i]) ? forward(literals[i]) : V_UNDEF;
}
Value str_intern_literal(Value str)
{
    StrView s = str_view(str);
    if (!literal_bits || literal_used * 2 >= (size_t)1 << literal_bits)
        literals_grow();
    size_t mask = ((size_t)1 << literal_bits) - 1;
    for (size_t i = hash_bytes(s.ptr, s.len, 0) & mask; literals[i]; i = (i + 1) & mask) {
        Value v = literals[i];
        if (is_heap(v) && str_len(v) == s.len && str_encoding(v) == s.enc && !memcmp(str_bytes(v), s.ptr, s.len))
            return v;
    }
    Value v = str;
    if (!obj_frozen_bit(str) || class_of(str) != klass.String || (obj_head(str) & (OF_IVARS | OF_PERSISTENT)))
        v = str_new_frozen(s.ptr, s.len, s.enc);
    KEEP(str);
    literal_put(literals, literal_bits, v);
    literal_used++;
    return v;
}

/* The type must be known before the first String, which is a class's name. */
__attribute__((constructor)) static void string_register(void)
{
    heap_register_type(T_STRING, &string_type);
}
void string_boot(void)
{
    heap_add_weak_pass(literals_weak);
    string_methods_boot();
    string_access_boot();
    string_tr_boot();
    string_case_boot();
    string_regexp_boot();
    string_normalize_boot();
}
