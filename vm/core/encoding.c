/* encoding.c -- encodings: the table, walking characters, and class Encoding
 *
 * An encoding is its number (row of encodings.def); Strings keep it in their header.  UTF-8 is done here by hand,
 * all others by Oniguruma's tables.  Encoding objects are made once at boot, one a row.
 */
#include "vm/core/core_private.h"
#include "vm/core/text.h"
#include <langinfo.h>
#include <strings.h>

const EncodingRow encoding_rows[] = {
#define ENCODING(name, onig, iconv, min, flags, aliases) {name, &OnigEncoding##onig, iconv, min, flags, aliases},
#include "vm/core/encodings.def"
#undef ENCODING
};
const int encoding_count = COUNT_OF(encoding_rows);
_Static_assert(COUNT_OF(encoding_rows) < 256, "the String header has eight bits for it");

int encoding_default_external = ENC_UTF_8, encoding_default_internal = -1;
Value enc_compatibility_error, enc_undefined_error, enc_invalid_error, enc_not_found_error, enc_converter_class;
static Value encoding_objects[COUNT_OF(encoding_rows)];
enum { F_INDEX };

int enc_precise_len(int enc, const char *p, const char *end)
{
    if (p >= end)
        return 0;
    if (enc_is_utf8(enc))
        return utf8_valid_len((const uint8_t *)p, (const uint8_t *)end);
    if (enc == ENC_US_ASCII)
        return (uint8_t)*p < 0x80;
    OnigEncoding e = enc_onig(enc);
    if (e->max_enc_len == 1)
        return 1;
    if (end - p < e->min_enc_len)
        return 0;
    int n = e->mbc_enc_len((const OnigUChar *)p);
    if (n > end - p || n < 1)
        return 0;
    return onigenc_is_valid_mbc_string(e, (const OnigUChar *)p, (const OnigUChar *)p + n) ? n : 0;
}

int enc_char_len(int enc, const char *p, const char *end)
{
    int n = enc_precise_len(enc, p, end);
    if (n)
        return n;
    int unit = encoding_rows[enc].min_len;
    return unit <= end - p ? unit : (int)(end - p);
}

int64_t enc_codepoint(int enc, const char *p, const char *end, int *len)
{
    int n = enc_precise_len(enc, p, end);
    const uint8_t *u = (const uint8_t *)p;
    *len = n ? n : enc_char_len(enc, p, end);
    if (!n)
        return -1;
    if (!enc_is_utf8(enc))
        return enc_single_byte(enc) ? u[0] : (int64_t)enc_onig(enc)->mbc_to_code(u, (const OnigUChar *)end);
    switch (n) {
    case 1: return u[0];
    case 2: return (u[0] & 31) << 6 | (u[1] & 63);
    case 3: return (u[0] & 15) << 12 | (u[1] & 63) << 6 | (u[2] & 63);
    default: return (u[0] & 7) << 18 | (u[1] & 63) << 12 | (u[2] & 63) << 6 | (u[3] & 63);
    }
}

int enc_put(int enc, uint32_t c, char *buf)
{
    if (enc_is_utf8(enc))
        return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : utf8_put(c, buf);
    if (enc == ENC_US_ASCII && c >= 0x80)
        return 0;
    if (enc_single_byte(enc)) {
        *buf = (char)c;
        return c < 256;
    }
    OnigEncoding e = enc_onig(enc);
    if (enc_is_unicode(enc) && (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))
        return 0;
    int n = e->code_to_mbclen(c);
    if (n < 1 || n > 8)
        return 0;
    n = e->code_to_mbc(c, (OnigUChar *)buf);
    return enc_precise_len(enc, buf, buf + n) == n ? n : 0;
}

const char *enc_left(int enc, const char *start, const char *p, const char *end)
{
    if (p >= end)
        return end;
    if (enc_single_byte(enc))
        return p;
    if (enc_is_utf8(enc)) {
        const char *q = p;
        while (q > start && p - q < 3 && ((uint8_t)*q & 0xc0) == 0x80)
            q--;
        int n = enc_precise_len(enc, q, end);
        return n && q + n > p ? q : p;
    }
    return (const char *)onigenc_get_left_adjust_char_head(enc_onig(enc), (const OnigUChar *)start, (const OnigUChar *)p);
}

const char *encoding_name(int enc)
{
    return encoding_rows[enc].name;
}

const char *enc_display_name(int enc)
{
    return enc == ENC_BINARY ? "BINARY (ASCII-8BIT)" : encoding_rows[enc].name;
}

Value encoding_value(int enc)
{
    return enc < 0 ? V_NIL : encoding_objects[enc];
}

static bool alias_has(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; *p;) {
        size_t k = strcspn(p, ",");
        if (k == n && !strncasecmp(p, name, n))
            return true;
        p += k + (p[k] == ',');
    }
    return false;
}

int encoding_find(const char *name)
{
    if (!strcasecmp(name, "external") || !strcasecmp(name, "locale") || !strcasecmp(name, "filesystem"))
        return encoding_default_external;
    if (!strcasecmp(name, "internal"))
        return encoding_default_internal;
    for (int i = 0; i < encoding_count; i++)
        if (!strcasecmp(encoding_rows[i].name, name) || alias_has(encoding_rows[i].aliases, name))
            return i;
    return -1;
}

int encoding_of(Value v)
{
    if (is_heap(v) && class_real(v) == klass.Encoding)
        return (int)fix_int(obj_field(v, F_INDEX));
    Value name = str_get(v);
    if (!enc_ascii_compat(str_encoding(name)))
        raise_error(klass.ArgumentError, "invalid encoding name (non ASCII)");
    int enc = encoding_find(str_view(name).ptr);
    if (enc < 0 && !strcasecmp(str_view(name).ptr, "internal"))
        return ENC_BINARY;
    if (enc < 0)
        raise_error(klass.ArgumentError, "unknown encoding name - %T", name);
    return enc;
}

/* ---- class Encoding ---- */

static int self_index(Value self)
{
    return (int)fix_int(obj_field(self, F_INDEX));
}
static Value enc_m_name(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return str_new_frozen(encoding_name(self_index(self)), strlen(encoding_name(self_index(self))), ENC_US_ASCII);
}
static Value enc_m_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int i = self_index(self);
    return str_format("#<Encoding:%s%s>", enc_display_name(i), enc_is_dummy(i) ? " (dummy)" : "");
}
static void push_names(Value ary, int i, bool all)
{
    ary_push(ary, str_new_frozen(encoding_name(i), strlen(encoding_name(i)), ENC_US_ASCII));
    for (const char *p = encoding_rows[i].aliases; *p;) {
        size_t k = strcspn(p, ",");
        ary_push(ary, str_new_frozen(p, k, ENC_US_ASCII));
        p += k + (p[k] == ',');
    }
    if (all && i == encoding_default_external) {
        ary_push(ary, str_new_c("locale"));
        ary_push(ary, str_new_c("external"));
        ary_push(ary, str_new_c("filesystem"));
    }
    if (all && i == encoding_default_internal)
        ary_push(ary, str_new_c("internal"));
}
static Value enc_m_names(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value ary = ary_new(4);
    push_names(ary, self_index(self), true);
    return ary;
}
static Value enc_m_dummy_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(enc_is_dummy(self_index(self)));
}
static Value enc_m_ascii_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(enc_ascii_compat(self_index(self)));
}
static Value enc_s_list(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return ary_new_from((size_t)encoding_count, encoding_objects);
}
static Value enc_s_name_list(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value ary = ary_new((size_t)encoding_count * 2);
    for (int i = 0; i < encoding_count; i++)
        push_names(ary, i, true);
    return ary;
}
static Value enc_s_aliases(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value hash = hash_new();
    for (int i = 0; i < encoding_count; i++) {
        Value names = ary_new(4);
        push_names(names, i, true);
        for (size_t k = 1; k < ary_len(names); k++)
            hash_set(hash, ary_get(names, (long)k), ary_get(names, 0));
    }
    return hash;
}
static Value enc_s_find(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_heap(argv[0]) && class_real(argv[0]) == klass.Encoding)
        return argv[0];
    Value name = is_symbol(argv[0]) ? sym_name_str(argv[0]) : str_get(argv[0]);
    if (!strcasecmp(str_view(name).ptr, "internal"))
        return encoding_value(encoding_default_internal);
    return encoding_value(encoding_of(name));
}
static int encoding_of_value(Value v) /* of any object that has one; -1 */
{
    if (is_string(v))
        return str_encoding(v);
    if (is_symbol(v))
        return sym_encoding(v);
    if (is_regexp(v))
        return obj_attend(v), ((Regexp *)v)->enc;
    if (is_heap(v) && class_real(v) == klass.Encoding)
        return self_index(v);
    return -1;
}
static Value enc_s_compatible(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_string(argv[0]) && is_string(argv[1]))
        return encoding_value(str_compatible(argv[0], argv[1]));
    int a = encoding_of_value(argv[0]), b = encoding_of_value(argv[1]);
    if (a < 0 || b < 0)
        return V_NIL;
    if (a == b)
        return encoding_value(a);
    if (!enc_ascii_compat(a) || !enc_ascii_compat(b))
        return V_NIL;
    if (is_string(argv[1]) && str_coderange(argv[1]) == CR_7BIT)
        return encoding_value(a);
    if (is_string(argv[0]) && str_coderange(argv[0]) == CR_7BIT)
        return encoding_value(b);
    if (b == ENC_US_ASCII)
        return encoding_value(a);
    if (a == ENC_US_ASCII)
        return encoding_value(b);
    return V_NIL;
}
static Value enc_s_default_external(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return encoding_value(encoding_default_external);
}
static Value enc_s_default_internal(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return encoding_value(encoding_default_internal);
}
static Value enc_s_set_external(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_nil(argv[0]))
        raise_error(klass.ArgumentError, "default external can not be nil");
    encoding_default_external = encoding_of(argv[0]);
    return argv[0];
}
static Value enc_s_set_internal(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    encoding_default_internal = is_nil(argv[0]) ? -1 : encoding_of(argv[0]);
    return argv[0];
}
static Value enc_s_locale_charmap(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return str_new_enc(nl_langinfo(CODESET), strlen(nl_langinfo(CODESET)), ENC_US_ASCII);
}

static const Builtin methods[] = {
    {"name", enc_m_name, 0, 0, 0},
    {"to_s", enc_m_name, 0, 0, 0},
    {"inspect", enc_m_inspect, 0, 0, 0},
    {"names", enc_m_names, 0, 0, 0},
    {"dummy?", enc_m_dummy_p, 0, 0, 0},
    {"ascii_compatible?", enc_m_ascii_p, 0, 0, 0},
};
static const Builtin singleton_methods[] = {
    {"list", enc_s_list, 0, 0, 0},
    {"name_list", enc_s_name_list, 0, 0, 0},
    {"aliases", enc_s_aliases, 0, 0, 0},
    {"find", enc_s_find, 1, 1, 0},
    {"compatible?", enc_s_compatible, 2, 2, 0},
    {"default_external", enc_s_default_external, 0, 0, 0},
    {"default_external=", enc_s_set_external, 1, 1, 0},
    {"default_internal", enc_s_default_internal, 0, 0, 0},
    {"default_internal=", enc_s_set_internal, 1, 1, 0},
    {"locale_charmap", enc_s_locale_charmap, 0, 0, 0},
};

/* "ISO-8859-1" -> ISO_8859_1; lower-case first letters get a capital twin, mixed case an upper-case twin, as in CRuby. */
static void define_constants(const char *name, size_t len, Value v)
{
    char text[64];
    bool lower = false, upper = false, plain = true;
    if (len >= sizeof text || (name[0] >= '0' && name[0] <= '9'))
        return;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        plain &= letter || c == '_' || (c >= '0' && c <= '9');
        lower |= letter && (c & 32);
        upper |= letter && !(c & 32);
        text[i] = c == '-' || c == ':' || c == '.' ? '_' : c;
    }
    text[len] = 0;
    if (text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 32);
    if (plain || upper) {
        Value sym = sym_intern(text);
        if (!const_defined(klass.Encoding, sym, false))
            const_set(klass.Encoding, sym, v);
    }
    if (lower) {
        for (size_t i = 0; i < len; i++)
            if (text[i] >= 'a' && text[i] <= 'z')
                text[i] = (char)(text[i] - 32);
        Value sym = sym_intern(text);
        if (!const_defined(klass.Encoding, sym, false))
            const_set(klass.Encoding, sym, v);
    }
}

void encoding_boot(void)
{
    static OnigEncoding all[COUNT_OF(encoding_rows)];
    int n = 0;
    for (int i = 0; i < encoding_count; i++) {
        bool seen = false;
        for (int k = 0; k < n; k++)
            seen |= all[k] == enc_onig(i);
        if (!seen)
            all[n++] = enc_onig(i);
    }
    onig_initialize(all, n);
    Value index = sym_intern("__index");
    class_set_fields(klass.Encoding, T_OBJECT, &index, 1);
    class_set_allocator(klass.Encoding, NULL);
    for (int i = 0; i < encoding_count; i++) {
        encoding_objects[i] = V_NIL;
        heap_add_root(&encoding_objects[i]);
        Value v = heap_alloc_slots(T_OBJECT, klass.Encoding, 0);
        obj_init_field(v, F_INDEX, int_fix(i));
        encoding_objects[i] = v;
        const EncodingRow *row = &encoding_rows[i];
        define_constants(row->name, strlen(row->name), v);
        for (const char *p = row->aliases; *p;) {
            size_t k = strcspn(p, ",");
            define_constants(p, k, v);
            p += k + (p[k] == ',');
        }
        obj_freeze(v);
    }
    const_set(klass.Encoding, sym_intern("UNICODE_VERSION"), str_new_frozen("17.0.0", 6, ENC_UTF_8));
    enc_compatibility_error = class_define_under(klass.Encoding, "CompatibilityError", klass.EncodingError);
    enc_undefined_error = class_define_under(klass.Encoding, "UndefinedConversionError", klass.EncodingError);
    enc_invalid_error = class_define_under(klass.Encoding, "InvalidByteSequenceError", klass.EncodingError);
    enc_not_found_error = class_define_under(klass.Encoding, "ConverterNotFoundError", klass.EncodingError);
    enc_converter_class = class_define_under(klass.Encoding, "Converter", klass.Object);
    Value *roots[] = {&enc_compatibility_error, &enc_undefined_error, &enc_invalid_error, &enc_not_found_error, &enc_converter_class};
    for (size_t i = 0; i < COUNT_OF(roots); i++)
        heap_add_root(roots[i]);
    ADD_BUILTINS(klass.Encoding, methods);
    ADD_SINGLETON_BUILTINS(klass.Encoding, singleton_methods);
}
