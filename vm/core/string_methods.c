/* string_methods.c -- class String: making, comparing, building, stripping, splitting into parts, walking */
#include "vm/core/number.h"
#include <crypt.h>

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

static Value str_allocate(Value cls)
{
    return str_in_class(cls, "", 0, ENC_BINARY);
}
METHOD(str_initialize)
{
    static const char *const names[] = {"encoding", "capacity", NULL};
    Value kw = call_take_keywords(&argc, argv);
    if (argc > 0)
        str_replace(self, str_get(argv[0]));
    if (!is_nil(kw)) {
        keywords_only(kw, names);
        Value cap = keyword_get(kw, "capacity"), enc = keyword_get(kw, "encoding");
        if (!is_undef(cap) && !is_nil(cap)) {
            int64_t n = value_int(cap);
            size_t len = str_view(self).len;
            if (n > 0 && (size_t)n > len)
                str_modify_expand(self, (size_t)n - len);
        }
        if (!is_undef(enc) && !is_nil(enc)) {
            int e = encoding_of(enc);
            str_modify(self);
            str_set_encoding(self, e);
        }
    }
    return self;
}
METHOD(str_s_try_convert) { (void)self, (void)argc; return obj_try_convert(argv[0], T_STRING, "String", SYM(to_str)); }
METHOD(str_m_replace)
{
    (void)argc;
    obj_modify(self);
    Value other = str_get(argv[0]);
    str_replace(self, other);
    return self;
}
METHOD(str_m_to_s)
{
    UNUSED_ARGS;
    return class_real(self) == klass.String ? self : str_dup(self);
}
METHOD(str_m_inspect) { UNUSED_ARGS; return str_inspect(self); }
METHOD(str_m_dump) { UNUSED_ARGS; return str_dump(self); }
METHOD(str_m_undump) { UNUSED_ARGS; return str_unescape_dump(self); }
METHOD(str_m_hash) { UNUSED_ARGS; return int_fix((int64_t)str_hash(self) >> 2); }
METHOD(str_m_eq)
{
    (void)argc;
    if (is_string(argv[0]))
        return bool_value(str_equal(self, argv[0]));
    if (is_heap(argv[0]) && vm_responds_to(argv[0], SYM(to_str), false))
        return bool_value(truthy(vm_call1(argv[0], SYM(op_eq), self)));
    return V_FALSE;
}
METHOD(str_m_eql) { (void)argc; return bool_value(is_string(argv[0]) && str_equal(self, argv[0])); }
METHOD(str_m_cmp)
{
    (void)argc;
    Value other = is_string(argv[0]) ? argv[0] : obj_try_convert(argv[0], T_STRING, "String", SYM(to_str));
    if (is_string(other))
        return int_fix(str_cmp(self, other));
    if (is_heap(argv[0]) && vm_responds_to(argv[0], SYM(op_cmp), false)) {
        Value c = vm_call1(argv[0], SYM(op_cmp), self);
        if (!is_nil(c))
            return is_integer(c) ? int_neg(c) : num_neg(c);
    }
    return V_NIL;
}
METHOD(str_m_casecmp)
{
    (void)argc;
    Value b = obj_try_convert(argv[0], T_STRING, "String", SYM(to_str));
    if (is_nil(b))
        return V_NIL;
    return str_casecmp(self, b);
}
METHOD(str_m_casecmp_p)
{
    (void)argc;
    Value b = obj_try_convert(argv[0], T_STRING, "String", SYM(to_str));
    if (is_nil(b))
        return V_NIL;
    return str_casecmp_p(self, b);
}
METHOD(str_m_plus) { (void)argc; return str_plus(self, str_get(argv[0])); }
METHOD(str_m_times)
{
    (void)argc;
    int64_t n = value_int(argv[0]);
    StrView s = str_view(self);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative argument");
    if (s.len && (uint64_t)n > (uint64_t)INT64_MAX / s.len)
        raise_error(klass.ArgumentError, "argument too big");
    size_t total = s.len * (size_t)n;
    Value out = str_buf_new(total, s.enc);
    char *p = str_bytes(out);
    s = str_view(self);
    if (s.len == 1) {
        memset(p, s.ptr[0], total);
    } else if (total) {
        memcpy(p, s.ptr, s.len);
        for (size_t done = s.len; done < total;) {
            size_t k = MIN(done, total - done);
            memcpy(p + done, p, k);
            done += k;
        }
    }
    KEEP(self);
    str_buf_set_len(out, total);
    str_set_coderange(out, str_coderange(self));
    return out;
}
METHOD(str_m_mod)
{
    (void)argc;
    Value a = argv[0];
    Value args = is_hash(a) ? V_NIL : ary_try(a);
    if (is_array(args)) {
        size_t n = ary_len(args);
        Value few[16];
        if (n <= COUNT_OF(few)) {
            for (size_t i = 0; i < n; i++)
                few[i] = ary_get(args, (long)i);
            return format_values(self, (int)n, few);
        }
        Value copy = ary_new(n); /* ours alone: its slots hold Values and stay where they are */
        for (size_t i = 0; i < n; i++)
            ary_push(copy, ary_get(args, (long)i));
        Value out = format_values(self, (int)n, (const Value *)ary_view(copy).ptr);
        KEEP(copy);
        return out;
    }
    return format_values(self, 1, &a);
}
/* An Integer appends the character of that code point. */
static void append_any(Value self, Value v)
{
    if (!is_integer(v)) {
        str_append_str(self, str_get(v));
        return;
    }
    if (!is_fixnum(v) || fix_int(v) < 0 || fix_int(v) > 0xffffffffLL)
        raise_error(klass.RangeError, is_fixnum(v) ? "%T out of char range" : "bignum out of char range", v);
    obj_modify(self);
    uint32_t c = (uint32_t)fix_int(v);
    int enc = str_encoding(self);
    char buf[8];
    if (enc == ENC_US_ASCII && c > 127) {
        if (c > 255)
            raise_error(klass.RangeError, "%u out of char range", c);
        str_set_encoding(self, enc = ENC_BINARY);
    }
    int n = enc_put(enc, c, buf);
    if (!n)
        raise_error(klass.RangeError, enc_is_unicode(enc) ? "invalid codepoint 0x%X in %s" : "%u out of char range", c, encoding_name(enc));
    str_append(self, buf, (size_t)n);
}
METHOD(str_m_lshift) { (void)argc; append_any(self, argv[0]); return self; }
METHOD(str_m_concat)
{
    obj_modify(self);
    if (argc == 1) {
        append_any(self, argv[0]);
    } else if (argc > 1) {
        Value all = str_buf_new(32, str_encoding(self));
        for (int i = 0; i < argc; i++)
            append_any(all, argv[i]);
        str_append_str(self, all);
    }
    return self;
}
METHOD(str_m_prepend)
{
    obj_modify(self);
    if (argc == 0)
        return self;
    Value all = argc == 1 ? str_get(argv[0]) : str_buf_new(32, str_encoding(self));
    for (int i = 0; argc > 1 && i < argc; i++)
        str_append_str(all, str_get(argv[i]));
    int enc = str_check_compatible(self, all);
    if (all == self)
        all = str_dup(all);
    StrView v = str_view(all);
    str_splice(self, 0, 0, v.ptr, v.len);
    KEEP(all);
    str_set_encoding(self, enc);
    return self;
}
METHOD(str_m_append_as_bytes)
{
    obj_modify(self);
    for (int i = 0; i < argc; i++) {
        if (is_integer(argv[i])) {
            Value low = vm_call1(argv[i], SYM(op_and), int_fix(255));
            char c = (char)fix_int(low);
            str_append(self, &c, 1);
        } else {
            if (!is_string(argv[i]))
                raise_error(klass.TypeError, "wrong argument type %C (expected String or Integer)", argv[i]);
            StrView v = str_view(argv[i]);
            str_append(self, v.ptr, v.len);
        }
    }
    return self;
}
METHOD(str_m_length) { UNUSED_ARGS; return int_fix((int64_t)str_char_count(self)); }
METHOD(str_m_bytesize) { UNUSED_ARGS; return int_fix((int64_t)str_view(self).len); }
METHOD(str_m_empty) { UNUSED_ARGS; return bool_value(str_view(self).len == 0); }
METHOD(str_m_clear)
{
    UNUSED_ARGS;
    str_modify(self);
    str_set_len(self, 0);
    return self;
}
METHOD(str_m_freeze) { UNUSED_ARGS; return obj_freeze(self); }
METHOD(str_m_uplus) { UNUSED_ARGS; return obj_frozen(self) || (obj_head(self) & STR_CHILLED) ? str_dup(self) : self; }
METHOD(str_m_dedup) { UNUSED_ARGS; return class_of(self) == klass.String ? str_intern_literal(self) : obj_freeze(self); }
METHOD(str_m_to_sym) { UNUSED_ARGS; return sym_intern_str(self); }
METHOD(str_m_to_i)
{
    int64_t base = argc ? value_int(argv[0]) : 10;
    if (base < 0 || base == 1 || base > 36)
        raise_error(klass.ArgumentError, "invalid radix %lld", (long long)base);
    str_need_ascii(self);
    StrView s = str_view(self);
    Value v = str_to_integer(s.ptr, s.len, (int)base, false, false);
    KEEP(self);
    return v;
}
METHOD(str_m_to_f)
{
    UNUSED_ARGS;
    str_need_ascii(self);
    StrView s = str_view(self);
    Value v = str_to_float(s.ptr, s.len, false, false);
    KEEP(self);
    return v;
}
METHOD(str_m_hex)
{
    UNUSED_ARGS;
    str_need_ascii(self);
    StrView s = str_view(self);
    return str_to_integer(s.ptr, s.len, 16, false, false);
}
METHOD(str_m_oct)
{
    UNUSED_ARGS;
    str_need_ascii(self);
    StrView s = str_view(self);
    return str_to_integer(s.ptr, s.len, -8, false, false);
}
METHOD(str_m_ord)
{
    UNUSED_ARGS;
    StrView s = str_view(self);
    if (!s.len)
        raise_error(klass.ArgumentError, "empty string");
    int n;
    int64_t c = enc_codepoint(s.enc, s.ptr, s.ptr + s.len, &n);
    if (c < 0)
        raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(s.enc));
    return int_fix(c);
}
METHOD(str_m_chr) { UNUSED_ARGS; return str_substr(self, 0, 1); }
METHOD(str_m_sum)
{
    int64_t bits = argc ? value_int(argv[0]) : 16;
    StrView s = str_view(self);
    if (bits <= 0 || bits > 62) {
        uint64_t total = 0;
        for (size_t i = 0; i < s.len; i++)
            total += (uint8_t)s.ptr[i];
        return uint_value(total);
    }
    uint64_t total = 0;
    for (size_t i = 0; i < s.len; i++)
        total += (uint8_t)s.ptr[i];
    return uint_value(total & (((uint64_t)1 << bits) - 1));
}
METHOD(str_m_crypt)
{
    (void)argc;
    Value salt = str_get(argv[0]);
    if (str_view(salt).len < 2)
        raise_error(klass.ArgumentError, "salt too short (need >=2 bytes)");
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data)
        raise_no_memory();
    const char *r = crypt_r(str_c(self), str_c(salt), data);
    Value out = r && *r != '*' ? str_new_enc(r, strlen(r), ENC_BINARY) : V_NIL;
    free(data);
    if (is_nil(out))
        raise_errno(22, "crypt");
    return out;
}

/* ---- encodings ---- */

METHOD(str_m_encoding) { UNUSED_ARGS; return encoding_value(str_encoding(self)); }
METHOD(str_m_force_encoding)
{
    (void)argc;
    obj_modify(self);
    int enc = encoding_of(argv[0]);
    if (enc != str_encoding(self)) {
        str_modify(self);
        str_set_encoding(self, enc);
    }
    return self;
}
METHOD(str_m_valid) { UNUSED_ARGS; return bool_value(!str_is_broken(self)); }
METHOD(str_m_ascii) { UNUSED_ARGS; return bool_value(str_coderange(self) == CR_7BIT); }
METHOD(str_m_b)
{
    UNUSED_ARGS;
    Value v = str_dup(self);
    str_set_encoding(v, ENC_BINARY);
    str_set_coderange(v, CR_UNKNOWN);
    return v;
}
static Value scrubbed(Value self, int argc, const Value *argv) /* nil when nothing is broken */
{
    if (!str_is_broken(self))
        return V_NIL;
    int enc = str_encoding(self);
    Value repl = argc && !is_nil(argv[0]) ? str_get(argv[0]) : V_NIL;
    if (!is_nil(repl)) {
        if (str_is_broken(repl))
            raise_error(klass.ArgumentError, "replacement must be valid byte sequence '%T'", repl);
        if (str_encoding(repl) != enc && !(str_coderange(repl) == CR_7BIT && enc_ascii_compat(enc)))
            raise_error(enc_compatibility_error, "incompatible character encodings: %s and %s", enc_display_name(enc),
                        enc_display_name(str_encoding(repl)));
    }
    Value out = str_buf_new(str_view(self).len + 8, enc);
    StrView s = str_view(self);
    size_t at = 0;
    while (at < s.len) {
        int n = enc_precise_len(enc, s.ptr + at, s.ptr + s.len);
        if (n) {
            str_buf_cat(out, s.ptr + at, (size_t)n);
            at += (size_t)n;
            s = str_view(self);
            continue;
        }
        /* one bad piece: the longest start of a character, else one unit */
        size_t bad = 1;
        if (enc_is_utf8(enc)) {
            uint8_t c = (uint8_t)s.ptr[at];
            size_t want = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
            if (c >= 0xf5 || c < 0xc2)
                want = 1;
            while (bad < want && at + bad < s.len) {
                uint8_t t = (uint8_t)s.ptr[at + bad];
                if ((t & 0xc0) != 0x80)
                    break;
                if (bad == 1 && ((c == 0xe0 && t < 0xa0) || (c == 0xed && t > 0x9f) || (c == 0xf0 && t < 0x90) || (c == 0xf4 && t > 0x8f)))
                    break;
                bad++;
            }
        } else {
            bad = (size_t)enc_char_len(enc, s.ptr + at, s.ptr + s.len);
        }
        if (is_nil(repl) && block_given()) {
            Value piece = str_new_enc(s.ptr + at, bad, enc);
            Value r = str_get(vm_yield1(piece));
            if (str_is_broken(r))
                raise_error(klass.ArgumentError, "replacement must be valid byte sequence '%T'", r);
            str_buf_cat_str(out, r);
        } else if (!is_nil(repl)) {
            str_buf_cat_str(out, repl);
        } else if (enc_is_unicode(enc)) {
            char buf[8];
            str_buf_cat(out, buf, (size_t)enc_put(enc, 0xfffd, buf));
        } else {
            str_buf_putc(out, '?');
        }
        at += bad;
        s = str_view(self);
    }
    return out;
}
METHOD(str_m_scrub)
{
    Value v = scrubbed(self, argc, argv);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_scrub_bang)
{
    Value v = scrubbed(self, argc, argv);
    if (!is_nil(v)) {
        obj_modify(self);
        str_replace(self, v);
    }
    return self;
}

/* ---- prefixes, suffixes ---- */

static bool starts_with(Value self, Value prefix)
{
    str_check_compatible(self, prefix);
    StrView s = str_view(self), p = str_view(prefix);
    if (p.len > s.len || memcmp(s.ptr, p.ptr, p.len))
        return false;
    return p.len == s.len || str_bytewise(self) || enc_left(s.enc, s.ptr, s.ptr + p.len, s.ptr + s.len) == s.ptr + p.len;
}
static bool ends_with(Value self, Value suffix)
{
    str_check_compatible(self, suffix);
    StrView s = str_view(self), p = str_view(suffix);
    if (p.len > s.len || memcmp(s.ptr + s.len - p.len, p.ptr, p.len))
        return false;
    const char *at = s.ptr + s.len - p.len;
    return str_bytewise(self) || p.len == 0 || enc_left(s.enc, s.ptr, at, s.ptr + s.len) == at;
}
METHOD(str_m_start_with)
{
    for (int i = 0; i < argc; i++) {
        if (is_regexp(argv[i])) {
            OnigRegion region;
            memset(&region, 0, sizeof region);
            Value m = regexp_match_start(argv[i], self, &region) ? match_new(argv[i], self, &region) : V_NIL;
            onig_region_free(&region, 0);
            frame_set_last_match(m);
            if (!is_nil(m))
                return V_TRUE;
        } else if (starts_with(self, str_get(argv[i]))) {
            return V_TRUE;
        }
    }
    return V_FALSE;
}
METHOD(str_m_end_with)
{
    for (int i = 0; i < argc; i++)
        if (ends_with(self, str_get(argv[i])))
            return V_TRUE;
    return V_FALSE;
}
METHOD(str_m_delete_prefix)
{
    (void)argc;
    Value p = str_get(argv[0]);
    size_t n = starts_with(self, p) ? str_view(p).len : 0;
    return str_new_share(self, n, str_view(self).len - n);
}
METHOD(str_m_delete_prefix_bang)
{
    (void)argc;
    obj_modify(self);
    Value p = str_get(argv[0]);
    if (!starts_with(self, p) || !str_view(p).len)
        return V_NIL;
    str_splice(self, 0, str_view(p).len, "", 0);
    return self;
}
METHOD(str_m_delete_suffix)
{
    (void)argc;
    Value p = str_get(argv[0]);
    size_t n = ends_with(self, p) ? str_view(p).len : 0;
    return str_new_share(self, 0, str_view(self).len - n);
}
METHOD(str_m_delete_suffix_bang)
{
    (void)argc;
    obj_modify(self);
    Value p = str_get(argv[0]);
    if (!ends_with(self, p) || !str_view(p).len)
        return V_NIL;
    size_t n = str_view(p).len;
    str_modify(self);
    str_set_len(self, str_len(self) - n);
    return self;
}

/* ---- stripping ---- */

static bool is_space_at(StrView s, size_t at, int *n, bool nul)
{
    int64_t c = enc_codepoint(s.enc, s.ptr + at, s.ptr + s.len, n);
    return c == ' ' || (c >= 9 && c <= 13) || (nul && c == 0);
}
static size_t left_blank(Value self)
{
    StrView s = str_view(self);
    size_t at = 0;
    int n;
    while (at < s.len && is_space_at(s, at, &n, true))
        at += (size_t)n;
    return at;
}
static size_t right_end(Value self)
{
    StrView s = str_view(self);
    size_t end = s.len;
    if (str_is_broken(self) && !enc_ascii_compat(s.enc))
        raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(s.enc));
    if (enc_ascii_compat(s.enc)) {
        while (end && (s.ptr[end - 1] == ' ' || s.ptr[end - 1] == 0 || (s.ptr[end - 1] >= 9 && s.ptr[end - 1] <= 13)))
            end--;
        return end;
    }
    while (end) {
        const char *p = enc_left(s.enc, s.ptr, s.ptr + end - 1, s.ptr + s.len);
        int n;
        if (!is_space_at(s, (size_t)(p - s.ptr), &n, true))
            break;
        end = (size_t)(p - s.ptr);
    }
    return end;
}
/* The part that stays; with arguments, sets of characters as in count. */
static void strip_bounds(Value self, int argc, const Value *argv, bool left, bool right, size_t *at, size_t *end)
{
    if (argc) {
        str_strip_sets(self, argc, argv, left, right, at, end);
        return;
    }
    *end = right ? right_end(self) : str_view(self).len;
    *at = left ? left_blank(self) : 0;
    if (*at > *end)
        *at = *end;
}
static Value strip_to(Value self, int argc, const Value *argv, bool left, bool right)
{
    size_t at, end;
    strip_bounds(self, argc, argv, left, right, &at, &end);
    return str_new_share(self, at, end - at);
}
static Value strip_bang(Value self, int argc, const Value *argv, bool left, bool right)
{
    size_t at, end;
    obj_modify(self);
    strip_bounds(self, argc, argv, left, right, &at, &end);
    if (at == 0 && end == str_view(self).len)
        return V_NIL;
    str_modify(self);
    memmove(str_bytes(self), str_bytes(self) + at, end - at);
    str_set_len(self, end - at);
    return self;
}
METHOD(str_m_strip) { return strip_to(self, argc, argv, true, true); }
METHOD(str_m_lstrip) { return strip_to(self, argc, argv, true, false); }
METHOD(str_m_rstrip) { return strip_to(self, argc, argv, false, true); }
METHOD(str_m_strip_bang) { return strip_bang(self, argc, argv, true, true); }
METHOD(str_m_lstrip_bang) { return strip_bang(self, argc, argv, true, false); }
METHOD(str_m_rstrip_bang) { return strip_bang(self, argc, argv, false, true); }

/* How much chomp takes off; sep V_UNDEF: the default. */
static size_t chomp_size(Value self, Value sep)
{
    StrView s = str_view(self);
    if (is_nil(sep) || !s.len)
        return 0;
    StrView t = is_undef(sep) ? (StrView){"\n", 1, ENC_US_ASCII} : str_view(sep);
    if (!enc_ascii_compat(s.enc) && (is_undef(sep) || t.len == 0)) {
        char nl[8], cr[8];
        size_t n = (size_t)enc_put(s.enc, '\n', nl), k = (size_t)enc_put(s.enc, '\r', cr), took = 0;
        if (s.len >= n && !memcmp(s.ptr + s.len - n, nl, n)) {
            took = n;
            if (s.len >= n + k && !memcmp(s.ptr + s.len - n - k, cr, k))
                took += k;
        } else if (s.len >= k && !memcmp(s.ptr + s.len - k, cr, k)) {
            took = k;
        }
        return took;
    }
    if (t.len == 0) { /* paragraph: all newlines at the end */
        size_t end = s.len;
        while (end && s.ptr[end - 1] == '\n')
            end -= end > 1 && s.ptr[end - 2] == '\r' ? 2 : 1;
        return s.len - end;
    }
    if (t.len == 1 && t.ptr[0] == '\n') {
        if (s.ptr[s.len - 1] == '\n')
            return s.len > 1 && s.ptr[s.len - 2] == '\r' ? 2 : 1;
        return s.ptr[s.len - 1] == '\r';
    }
    return ends_with(self, sep) ? t.len : 0;
}
static Value record_separator(void) /* $/ when it is not "\n" */
{
    Value rs = gvar_get(sym_intern("$/"));
    if (!is_string(rs) || (str_view(rs).len == 1 && str_view(rs).ptr[0] == '\n'))
        return is_nil(rs) ? V_NIL : V_UNDEF;
    return rs;
}
static Value chomp_arg(int argc, const Value *argv)
{
    if (!argc)
        return record_separator();
    return is_nil(argv[0]) ? V_NIL : str_get(argv[0]);
}
METHOD(str_m_chomp)
{
    size_t n = chomp_size(self, chomp_arg(argc, argv));
    return str_new_share(self, 0, str_view(self).len - n);
}
METHOD(str_m_chomp_bang)
{
    obj_modify(self);
    size_t n = chomp_size(self, chomp_arg(argc, argv));
    if (!n)
        return V_NIL;
    str_modify(self);
    str_set_len(self, str_len(self) - n);
    return self;
}
static size_t chop_size(Value self)
{
    StrView s = str_view(self);
    if (!s.len)
        return 0;
    if (s.len >= 2 && s.ptr[s.len - 1] == '\n' && s.ptr[s.len - 2] == '\r' && enc_ascii_compat(s.enc))
        return 2;
    if (!enc_ascii_compat(s.enc)) {
        char end_of_line[16];
        size_t k = (size_t)enc_put(s.enc, '\r', end_of_line);
        k += (size_t)enc_put(s.enc, '\n', end_of_line + k);
        if (k && s.len >= k && !memcmp(s.ptr + s.len - k, end_of_line, k))
            return k;
    }
    const char *end = s.ptr + s.len;
    return (size_t)(end - enc_left(s.enc, s.ptr, end - 1, end));
}
METHOD(str_m_chop) { UNUSED_ARGS; return str_new_share(self, 0, str_view(self).len - chop_size(self)); }
METHOD(str_m_chop_bang)
{
    UNUSED_ARGS;
    str_modify(self);
    size_t n = chop_size(self);
    if (!n)
        return V_NIL;
    str_set_len(self, str_len(self) - n);
    return self;
}

/* ---- justifying ---- */

static Value justify(Value self, int argc, const Value *argv, int mode)
{
    int64_t width = value_int(argv[0]);
    int enc = str_encoding(self);
    Value pad = V_NIL;
    size_t pad_chars = 1;
    if (argc == 2) {
        pad = str_get(argv[1]);
        enc = str_check_compatible(self, pad);
        pad_chars = str_char_count(pad);
        if (!pad_chars)
            raise_error(klass.ArgumentError, "zero width padding");
    }
    int64_t len = (int64_t)str_char_count(self);
    if (width <= len)
        return str_dup(self);
    size_t n = (size_t)(width - len), left = mode == 'l' ? 0 : mode == 'r' ? n : n / 2, right = n - left;
    Value out = str_buf_new(str_view(self).len + n, enc);
    for (int side = 0; side < 2; side++) {
        size_t k = side ? right : left;
        if (is_nil(pad)) {
            char sp[8];
            size_t w = (size_t)enc_put(enc, ' ', sp);
            for (size_t i = 0; i < k; i++)
                str_buf_cat(out, sp, w);
        } else {
            for (; k >= pad_chars; k -= pad_chars)
                str_buf_cat_str(out, pad);
            size_t bytes = str_char_to_byte(pad, k);
            str_buf_cat(out, str_view(pad).ptr, bytes);
        }
        if (side == 0)
            str_buf_cat_str(out, self);
    }
    KEEP(pad);
    return out;
}
METHOD(str_m_ljust) { return justify(self, argc, argv, 'l'); }
METHOD(str_m_rjust) { return justify(self, argc, argv, 'r'); }
METHOD(str_m_center) { return justify(self, argc, argv, 'c'); }

METHOD(str_m_reverse)
{
    UNUSED_ARGS;
    Value out = str_buf_new(str_view(self).len, str_encoding(self));
    bool bytewise = str_bytewise(self);
    StrView s = str_view(self);
    char *q = str_bytes(out) + s.len;
    for (const char *p = s.ptr, *end = p + s.len; p < end;) {
        int n = bytewise ? 1 : enc_char_len(s.enc, p, end);
        q -= n;
        memcpy(q, p, (size_t)n);
        p += n;
    }
    KEEP(self);
    str_buf_set_len(out, s.len);
    str_set_coderange(out, str_coderange(self) == CR_BROKEN ? CR_UNKNOWN : str_coderange(self));
    return out;
}
METHOD(str_m_reverse_bang)
{
    obj_modify(self);
    str_replace(self, str_m_reverse(self, argc, argv));
    return self;
}

/* ---- walking ---- */

typedef Value (*PieceFn)(Value self, size_t at, size_t n);
static Value piece_str(Value self, size_t at, size_t n) { return str_new_share(self, at, n); }
static Value piece_code(Value self, size_t at, size_t n)
{
    StrView s = str_view(self);
    int len;
    int64_t c = enc_codepoint(s.enc, s.ptr + at, s.ptr + s.len, &len);
    (void)n;
    if (c < 0)
        raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(s.enc));
    return int_fix(c);
}
static Value walk_chars(Value self, PieceFn fn, bool yield)
{
    Value copy = yield ? str_frozen_copy(self) : self;
    Value ary = yield ? V_NIL : ary_new(str_char_count(self));
    bool bytewise = str_bytewise(copy);
    for (size_t at = 0;;) {
        StrView s = str_view(copy);
        if (at >= s.len)
            break;
        size_t n = bytewise ? 1 : (size_t)enc_char_len(s.enc, s.ptr + at, s.ptr + s.len);
        Value v = fn(copy, at, n);
        at += n;
        if (yield) {
            vm_yield1(v);
            vm_check_interrupts();
        } else {
            ary_push(ary, v);
        }
    }
    KEEP(copy);
    return yield ? self : ary;
}
static Value walk_graphemes(Value self, bool yield);
static Value size_enum(Value self, const char *name, int argc, const Value *argv)
{
    Value size = !strcmp(name, "each_byte") ? int_fix((int64_t)str_view(self).len)
                 : !strcmp(name, "each_grapheme_cluster") ? int_fix((int64_t)ary_len(walk_graphemes(self, false)))
                 : !strcmp(name, "each_line") ? V_NIL : int_fix((int64_t)str_char_count(self));
    Value kw = call_take_keywords(&argc, argv);
    Value args[] = {self, sym_intern(name), ary_new_from((size_t)argc, argv), is_nil(kw) ? hash_new() : kw, size};
    return vm_call(klass.Enumerator, sym_intern("__for"), 5, args);
}
METHOD(str_m_chars) { UNUSED_ARGS; return walk_chars(self, piece_str, block_given()); }
METHOD(str_m_each_char) { return block_given() ? walk_chars(self, piece_str, true) : size_enum(self, "each_char", argc, argv); }
METHOD(str_m_codepoints) { UNUSED_ARGS; return walk_chars(self, piece_code, block_given()); }
METHOD(str_m_each_codepoint) { return block_given() ? walk_chars(self, piece_code, true) : size_enum(self, "each_codepoint", argc, argv); }
static Value walk_bytes(Value self, bool yield)
{
    if (!yield) {
        size_t n = str_view(self).len;
        Value ary = ary_new(n);
        for (size_t i = 0; i < n; i++)
            ary_push(ary, int_fix((uint8_t)str_bytes(self)[i]));
        return ary;
    }
    for (size_t i = 0; i < str_view(self).len; i++)
        vm_yield1(int_fix((uint8_t)str_bytes(self)[i]));
    return self;
}
METHOD(str_m_bytes) { UNUSED_ARGS; return walk_bytes(self, block_given()); }
METHOD(str_m_each_byte) { return block_given() ? walk_bytes(self, true) : size_enum(self, "each_byte", argc, argv); }

static Value walk_lines(Value self, int argc, const Value *argv, bool yield)
{
    static const char *const names[] = {"chomp", NULL};
    Value kw = call_take_keywords(&argc, argv);
    bool chomp = false;
    if (!is_nil(kw)) {
        keywords_only(kw, names);
        Value c = keyword_get(kw, "chomp");
        chomp = !is_undef(c) && truthy(c);
    }
    Value ary = yield ? V_NIL : ary_new(8);
    Value copy = str_frozen_copy(self), rs = argc ? argv[0] : record_separator();
    if (is_nil(rs)) {
        if (!yield) {
            ary_push(ary, str_dup(self));
            return ary;
        }
        vm_yield1(str_dup(self));
        return self;
    }
    Value sep = is_undef(rs) ? str_new("\n", 1) : str_get(rs);
    if (!is_undef(rs))
        str_check_compatible(self, sep);
    bool paragraph = str_view(sep).len == 0, newline = str_equal(sep, str_new("\n", 1));
    if (paragraph)
        sep = str_new("\n\n", 2);
    if (!enc_ascii_compat(str_encoding(self)) && !argc)
        sep = str_transcode(sep, str_encoding(self), V_NIL);
    size_t at = 0;
    while (at < str_view(copy).len) {
        int64_t hit = str_find(copy, sep, at);
        size_t end = hit < 0 ? str_view(copy).len : (size_t)hit + str_view(sep).len, cut = end;
        if (hit >= 0 && paragraph) {
            StrView s = str_view(copy);
            if (chomp)
                cut = (size_t)hit;
            while (end < s.len && s.ptr[end] == '\n')
                end++;
        } else if (chomp && hit >= 0) {
            cut = (size_t)hit;
            if (newline && cut > at && str_view(copy).ptr[cut - 1] == '\r')
                cut--;
        }
        Value line = str_new_share(copy, at, cut - at);
        at = end;
        if (yield)
            vm_yield1(line);
        else
            ary_push(ary, line);
    }
    KEEP(copy);
    return yield ? self : ary;
}
METHOD(str_m_lines) { return walk_lines(self, argc, argv, block_given()); }
METHOD(str_m_each_line) { return block_given() ? walk_lines(self, argc, argv, true) : size_enum(self, "each_line", argc, argv); }

static size_t grapheme_len(Value str, size_t at)
{
    static regex_t *cluster;
    StrView s = str_view(str);
    if (!enc_is_utf8(s.enc))
        return (size_t)enc_char_len(s.enc, s.ptr + at, s.ptr + s.len);
    if (!cluster) {
        const OnigUChar *re = (const OnigUChar *)"\\X";
        if (onig_new(&cluster, re, re + 2, ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_RUBY, NULL) != ONIG_NORMAL)
            return 1;
    }
    const OnigUChar *p = (const OnigUChar *)s.ptr;
    int n = onig_match(cluster, p, p + s.len, p + at, NULL, 0);
    return n > 0 ? (size_t)n : (size_t)enc_char_len(s.enc, s.ptr + at, s.ptr + s.len);
}
static Value walk_graphemes(Value self, bool yield)
{
    Value copy = str_frozen_copy(self), ary = yield ? V_NIL : ary_new(8);
    for (size_t at = 0; at < str_view(copy).len;) {
        size_t n = grapheme_len(copy, at);
        Value piece = str_new_share(copy, at, n);
        at += n;
        if (yield)
            vm_yield1(piece);
        else
            ary_push(ary, piece);
    }
    KEEP(copy);
    return yield ? self : ary;
}
METHOD(str_m_graphemes) { UNUSED_ARGS; return walk_graphemes(self, block_given()); }
METHOD(str_m_each_grapheme) { return block_given() ? walk_graphemes(self, true) : size_enum(self, "each_grapheme_cluster", argc, argv); }

/* ---- bytes ---- */

METHOD(str_m_getbyte)
{
    (void)argc;
    int64_t i = value_int(argv[0]);
    StrView s = str_view(self);
    if (i < 0)
        i += (int64_t)s.len;
    return i < 0 || i >= (int64_t)s.len ? V_NIL : int_fix((uint8_t)s.ptr[i]);
}
METHOD(str_m_setbyte)
{
    (void)argc;
    obj_modify(self);
    int64_t i = value_int(argv[0]), n = (int64_t)str_view(self).len;
    Value v = int_convert(argv[1]);
    if (i < -n || i >= n)
        raise_error(klass.IndexError, "index %lld out of string", (long long)i);
    Value low = vm_call1(v, SYM(op_and), int_fix(255));
    str_modify(self);
    str_bytes(self)[i < 0 ? i + n : i] = (char)fix_int(low);
    return argv[1];
}

static const Builtin methods[] = {
    {"initialize", str_initialize, 0, 1, BI_PRIVATE | BI_KW},
    {"initialize_copy", str_m_replace, 1, 1, BI_PRIVATE},
    {"replace", str_m_replace, 1, 1, 0},
    {"to_s", str_m_to_s, 0, 0, 0},
    {"to_str", str_m_to_s, 0, 0, 0},
    {"inspect", str_m_inspect, 0, 0, 0},
    {"dump", str_m_dump, 0, 0, 0},
    {"undump", str_m_undump, 0, 0, 0},
    {"hash", str_m_hash, 0, 0, 0},
    {"==", str_m_eq, 1, 1, 0},
    {"===", str_m_eq, 1, 1, 0},
    {"eql?", str_m_eql, 1, 1, 0},
    {"<=>", str_m_cmp, 1, 1, 0},
    {"casecmp", str_m_casecmp, 1, 1, 0},
    {"casecmp?", str_m_casecmp_p, 1, 1, 0},
    {"+", str_m_plus, 1, 1, 0},
    {"*", str_m_times, 1, 1, 0},
    {"%", str_m_mod, 1, 1, 0},
    {"<<", str_m_lshift, 1, 1, 0},
    {"concat", str_m_concat, 0, -1, 0},
    {"prepend", str_m_prepend, 0, -1, 0},
    {"append_as_bytes", str_m_append_as_bytes, 0, -1, 0},
    {"length", str_m_length, 0, 0, 0},
    {"size", str_m_length, 0, 0, 0},
    {"bytesize", str_m_bytesize, 0, 0, 0},
    {"empty?", str_m_empty, 0, 0, 0},
    {"clear", str_m_clear, 0, 0, 0},
    {"freeze", str_m_freeze, 0, 0, 0},
    {"+@", str_m_uplus, 0, 0, 0},
    {"-@", str_m_dedup, 0, 0, 0},
    {"dedup", str_m_dedup, 0, 0, 0},
    {"to_sym", str_m_to_sym, 0, 0, 0},
    {"intern", str_m_to_sym, 0, 0, 0},
    {"to_i", str_m_to_i, 0, 1, 0},
    {"to_f", str_m_to_f, 0, 0, 0},
    {"hex", str_m_hex, 0, 0, 0},
    {"oct", str_m_oct, 0, 0, 0},
    {"ord", str_m_ord, 0, 0, 0},
    {"chr", str_m_chr, 0, 0, 0},
    {"sum", str_m_sum, 0, 1, 0},
    {"crypt", str_m_crypt, 1, 1, 0},
    {"encoding", str_m_encoding, 0, 0, 0},
    {"force_encoding", str_m_force_encoding, 1, 1, 0},
    {"valid_encoding?", str_m_valid, 0, 0, 0},
    {"ascii_only?", str_m_ascii, 0, 0, 0},
    {"b", str_m_b, 0, 0, 0},
    {"scrub", str_m_scrub, 0, 1, 0},
    {"scrub!", str_m_scrub_bang, 0, 1, 0},
    {"start_with?", str_m_start_with, 0, -1, 0},
    {"end_with?", str_m_end_with, 0, -1, 0},
    {"delete_prefix", str_m_delete_prefix, 1, 1, 0},
    {"delete_prefix!", str_m_delete_prefix_bang, 1, 1, 0},
    {"delete_suffix", str_m_delete_suffix, 1, 1, 0},
    {"delete_suffix!", str_m_delete_suffix_bang, 1, 1, 0},
    {"strip", str_m_strip, 0, -1, 0},
    {"lstrip", str_m_lstrip, 0, -1, 0},
    {"rstrip", str_m_rstrip, 0, -1, 0},
    {"strip!", str_m_strip_bang, 0, -1, 0},
    {"lstrip!", str_m_lstrip_bang, 0, -1, 0},
    {"rstrip!", str_m_rstrip_bang, 0, -1, 0},
    {"chomp", str_m_chomp, 0, 1, 0},
    {"chomp!", str_m_chomp_bang, 0, 1, 0},
    {"chop", str_m_chop, 0, 0, 0},
    {"chop!", str_m_chop_bang, 0, 0, 0},
    {"ljust", str_m_ljust, 1, 2, 0},
    {"rjust", str_m_rjust, 1, 2, 0},
    {"center", str_m_center, 1, 2, 0},
    {"reverse", str_m_reverse, 0, 0, 0},
    {"reverse!", str_m_reverse_bang, 0, 0, 0},
    {"chars", str_m_chars, 0, 0, 0},
    {"each_char", str_m_each_char, 0, 0, 0},
    {"codepoints", str_m_codepoints, 0, 0, 0},
    {"each_codepoint", str_m_each_codepoint, 0, 0, 0},
    {"bytes", str_m_bytes, 0, 0, 0},
    {"each_byte", str_m_each_byte, 0, 0, 0},
    {"lines", str_m_lines, 0, 1, BI_KW},
    {"each_line", str_m_each_line, 0, 1, BI_KW},
    {"grapheme_clusters", str_m_graphemes, 0, 0, 0},
    {"each_grapheme_cluster", str_m_each_grapheme, 0, 0, 0},
    {"getbyte", str_m_getbyte, 1, 1, 0},
    {"setbyte", str_m_setbyte, 2, 2, 0},
};
static const Builtin singleton_methods[] = {
    {"try_convert", str_s_try_convert, 1, 1, 0},
};
void string_methods_boot(void)
{
    class_set_allocator(klass.String, str_allocate);
    module_include(klass.String, klass.Comparable);
    ADD_BUILTINS(klass.String, methods);
    ADD_SINGLETON_BUILTINS(klass.String, singleton_methods);
}
