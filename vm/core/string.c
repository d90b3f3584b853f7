/* string.c -- the representation of Strings, and what other C code does with them
 *
 *   embedded   OF_EMBED: bytes lie in the cell, ptr = inl, cap = room
 *   own        ptr = heap_malloc'ed, cap = room
 *   shared     STR_SHARED: cap is the Value of a hidden root that owns the bytes and never changes; ptr points into them
 *
 * S1: ptr[len] == 0 always (so only suffixes and whole strings are shared, all else is copied).
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

enum { EMBED_MAX = 95 };

static void string_visit(Object *o, Visitor *v)
{
    if (o->head & STR_SHARED)
        v->slot(v, (Slot *)&((String *)o)->cap);
}
static void string_free(Object *o)
{
    String *s = (String *)o;
    if (!(s->head & (OF_EMBED | STR_SHARED)) && s->ptr)
        heap_free(s->ptr);
}
static size_t string_memsize(Object *o)
{
    String *s = (String *)o;
    return (s->head & (OF_EMBED | STR_SHARED)) || !s->ptr ? 0 : s->cap + 1;
}
static void string_moved(Object *o, Object *from)
{
    (void)from;
    if (o->head & OF_EMBED)
        ((String *)o)->ptr = ((String *)o)->inl;
}
static void string_hollow(Object *o)
{
    String *s = (String *)o;
    string_free(o);
    s->head = (s->head & ~STR_SHARED) | OF_EMBED;
    s->ptr = s->inl;
    s->len = s->cap = 0;
}
/* Record: encoding as a symbol, then the content. */
static void string_persist(Object *o, RecordBuilder *b)
{
    String *s = (String *)o;
    record_put_encoding(b, str_encoding((Value)o));
    record_put_content(b, s->ptr, s->len);
}
static size_t string_cell_size(size_t nslots, size_t nbytes)
{
    (void)nslots;
    return ALIGN_UP(sizeof(String) + (nbytes <= EMBED_MAX ? nbytes : 15) + 1, (size_t)16);
}
static void string_restore(Object *o, RecordReader *r)
{
    String *s = (String *)o;
    int enc = record_take_encoding(r);
    size_t n = record_content_size(r), room = heap_cell_size((Value)o) - sizeof(String) - 1;
    char *to = s->inl;
    s->head &= ~(STR_SHARED | STR_CHILLED | (0x3ffull << STR_ENC_AT));
    s->head |= (uint64_t)(enc < 0 ? ENC_BINARY : enc) << STR_ENC_AT;
    if (n > room) {
        to = heap_malloc(n + 1);
        s->head &= ~OF_EMBED;
        s->cap = n;
    } else {
        s->head |= OF_EMBED;
        s->cap = room;
    }
    to[n] = 0;
    s->ptr = to;
    s->len = n;
    record_take_content(r, to);
}
static const TypeRow string_type = {.name = "String", .logged = true, .visit = string_visit, .free = string_free, .memsize = string_memsize,
                                    .moved = string_moved, .hollow = string_hollow, .persist = string_persist,
                                    .restore = string_restore, .cell_size = string_cell_size};

/* ---- making ---- */

static Value str_alloc(Value cls, size_t cap, int enc)
{
    if (cap <= EMBED_MAX) {
        size_t size = ALIGN_UP(sizeof(String) + cap + 1, (size_t)16);
        Value v = heap_alloc(T_STRING, cls, size);
        String *s = str_ptr(v);
        s->head |= OF_EMBED | (uint64_t)enc << STR_ENC_AT;
        s->ptr = s->inl;
        s->cap = size - sizeof(String) - 1;
        s->ptr[0] = 0;
        return v;
    }
    if (cap > (size_t)INT64_MAX / 2)
        raise_no_memory();
    Value v = heap_alloc(T_STRING, cls, sizeof(String) + 16);
    String *s = str_ptr(v);
    s->head |= OF_EMBED | (uint64_t)enc << STR_ENC_AT; /* visitable while malloc may collect */
    s->ptr = s->inl;
    char *p = heap_malloc(cap + 1);
    s = str_ptr(v);
    s->head &= ~OF_EMBED;
    s->ptr = p;
    s->cap = cap;
    p[0] = 0;
    return v;
}

Value str_in_class(Value cls, const char *bytes, size_t len, int enc)
{
    Value v = str_alloc(cls, len, enc);
    String *s = str_ptr(v);
    if (len)
        memcpy(s->ptr, bytes, len);
    s->ptr[len] = 0;
    s->len = len;
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
        return (Value)s->cap;
    Value root = heap_alloc_internal(T_STRING, sizeof(String) + 16);
    obj_attend(str); /* an allocation may make a clean persistent String hollow */
    s = str_ptr(str);
    String *r = str_ptr(root);
    r->ptr = s->ptr;
    r->len = s->len;
    r->cap = s->cap;
    r->head |= OH_FROZEN;
    s->cap = (size_t)root;
    s->head |= STR_SHARED;
    heap_remember(str);
    return root;
}

Value str_new_share(Value str, size_t at, size_t len)
{
    obj_attend(str);
    String *s = str_ptr(str);
    int enc = str_encoding(str), cr = (int)(s->head >> STR_CR_AT) & 3;
    bool whole = at == 0 && len == s->len;
    Value v;
    if (len <= EMBED_MAX || at + len != s->len || (s->head & OF_EMBED)) {
        v = str_alloc(klass.String, len, enc);
        obj_attend(str);
        memcpy(str_ptr(v)->ptr, str_ptr(str)->ptr + at, len);
        str_ptr(v)->ptr[len] = 0;
        str_ptr(v)->len = len;
    } else {
        Value root = str_root(str);
        char *bytes = str_ptr(str)->ptr + at; /* the root's: they stay when str becomes hollow */
        v = heap_alloc(T_STRING, klass.String, sizeof(String) + 16);
        String *n = str_ptr(v);
        n->ptr = bytes;
        n->len = len;
        n->cap = (size_t)root;
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
    if (!(obj_head(str) >> STR_CR_AT & 3) && str_ptr(str)->len <= 64)
        str_coderange(str); /* literals are copied often: scan them once */
    return str_new_share(str, 0, str_ptr(str)->len);
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
    if (s->head & STR_SHARED) {
        if (cap < s->len)
            cap = s->len;
        char *p = heap_malloc(cap + 1);
        s = str_ptr(v);
        memcpy(p, s->ptr, s->len + 1);
        s->head &= ~STR_SHARED;
        s->ptr = p;
        s->cap = cap;
    } else if (cap > s->cap) {
        if (s->head & OF_EMBED) {
            char *p = heap_malloc(cap + 1);
            s = str_ptr(v);
            memcpy(p, s->ptr, s->len + 1);
            s->head &= ~OF_EMBED;
            s->ptr = p;
        } else {
            s->ptr = heap_realloc(s->ptr, cap + 1);
        }
        s->cap = cap;
    }
    KEEP(v);
}
static void str_grow(Value v, size_t more)
{
    String *s = str_ptr(v);
    size_t need = s->len + more;
    if ((s->head & STR_SHARED) || need > s->cap) {
        size_t want = need;
        if (!(s->head & STR_SHARED) && need > EMBED_MAX && want < s->cap * 2)
            want = s->cap * 2;
        str_own(v, want < 24 ? 24 : want);
    }
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
    str_ptr(str)->len = len;
    str_ptr(str)->ptr[len] = 0;
}
void str_buf_set_len(Value buf, size_t len)
{
    str_set_len(buf, len);
}
void str_buf_cat(Value buf, const char *bytes, size_t len)
{
    String *s = str_ptr(buf);
    if (s->len + len > s->cap || (s->head & STR_SHARED)) {
        str_grow(buf, len);
        s = str_ptr(buf);
    }
    memcpy(s->ptr + s->len, bytes, len);
    s->len += len;
    s->ptr[s->len] = 0;
    s->head &= ~(3ull << STR_CR_AT);
}
void str_buf_cat_str(Value buf, Value str)
{
    obj_attend(str);
    size_t len = str_ptr(str)->len;
    str_grow(buf, len);
    str_buf_cat(buf, str_ptr(str)->ptr, len);
    KEEP(str);
}

void str_append(Value str, const char *bytes, size_t len)
{
    before_change(str);
    String *s = str_ptr(str);
    if (!(s->head & STR_SHARED) && s->len + len <= s->cap) {
        memmove(s->ptr + s->len, bytes, len);
    } else {
        bool own = bytes >= s->ptr && bytes <= s->ptr + s->len;
        size_t at = own ? (size_t)(bytes - s->ptr) : 0;
        str_grow(str, len);
        s = str_ptr(str);
        memmove(s->ptr + s->len, own ? s->ptr + at : bytes, len);
    }
    s->len += len;
    s->ptr[s->len] = 0;
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
    String *o = str_ptr(other);
    size_t len = o->len;
    str_append(str, o->ptr, len);
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
    if (o->len > EMBED_MAX && !(o->head & OF_EMBED)) {
        Value root = str_root(other);
        String *s = str_ptr(str);
        string_free((Object *)s);
        s->head = (s->head & ~OF_EMBED) | STR_SHARED;
        s->ptr = str_ptr(other)->ptr;
        s->len = str_ptr(other)->len;
        s->cap = (size_t)root;
    } else {
        if ((str_ptr(str)->head & STR_SHARED) || o->len > str_ptr(str)->cap)
            str_own(str, str_ptr(other)->len);
        obj_attend(other);
        o = str_ptr(other);
        memcpy(str_ptr(str)->ptr, o->ptr, o->len + 1);
        str_ptr(str)->len = o->len;
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
    String *s = str_ptr(str);
    memmove(s->ptr + at + n, s->ptr + at + len, s->len - at - len);
    memcpy(s->ptr + at, bytes, n);
    str_set_len(str, s->len - len + n);
}

/* ---- looking ---- */

StrView str_view(Value str)
{
    if (!is_string(str))
        raise_no_conversion(str, "String");
    obj_attend(str);
    String *s = str_ptr(str);
    return (StrView){s->ptr, s->len, str_encoding(str)};
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
        cr = bytes_coderange(str_ptr(str)->ptr, str_ptr(str)->len, str_encoding(str));
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
    if (str_ptr(b)->len == 0)
        return ea;
    if (str_ptr(a)->len == 0)
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
    if (ea == eb || !str_ptr(a)->len || !str_ptr(b)->len)
        return true;
    return str_coderange(a) == CR_7BIT && str_coderange(b) == CR_7BIT;
}
bool str_equal(Value a, Value b)
{
    if (a == b)
        return true;
    obj_attend(a);
    obj_attend(b);
    String *s = str_ptr(a), *t = str_ptr(b);
    return s->len == t->len && !memcmp(s->ptr, t->ptr, s->len) && str_comparable(a, b);
}
int str_cmp(Value a, Value b)
{
    obj_attend(a);
    obj_attend(b);
    String *s = str_ptr(a), *t = str_ptr(b);
    size_t n = MIN(s->len, t->len);
    int r = memcmp(s->ptr, t->ptr, n);
    if (r)
        return r < 0 ? -1 : 1;
    if (s->len != t->len)
        return s->len < t->len ? -1 : 1;
    if (!str_comparable(a, b))
        return str_encoding(a) > str_encoding(b) ? 1 : -1;
    return 0;
}

uint64_t str_hash(Value str)
{
    obj_attend(str);
    return hash_bytes(str_ptr(str)->ptr, str_ptr(str)->len, hash_seed);
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
    memcpy(str_ptr(v)->ptr, str_ptr(a)->ptr, la);
    memcpy(str_ptr(v)->ptr + la, str_ptr(b)->ptr, lb);
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
    size_t i = hash_bytes(str_ptr(v)->ptr, str_ptr(v)->len, 0) & mask;
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
        if (is_heap(v) && str_ptr(v)->len == s.len && str_encoding(v) == s.enc && !memcmp(str_ptr(v)->ptr, s.ptr, s.len))
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
