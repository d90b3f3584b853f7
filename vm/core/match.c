/* match.c -- class MatchData: positions of the groups in bytes over a frozen copy of the subject */
#include "vm/core/core_private.h"
#include "vm/core/text.h"
#include "lib/hashtab.h"
#include "vm/record.h"

static void match_visit(Object *o, Visitor *v)
{
    v->slot(v, &((Match *)o)->regexp);
    v->slot(v, &((Match *)o)->str);
}
/* Record: regexp, subject; the positions. */
static void match_persist(Object *o, RecordBuilder *b)
{
    Match *m = (Match *)o;
    record_put_slot(b, m->regexp);
    record_put_slot(b, m->str);
    record_put_bytes(b, m->pos, (size_t)m->n * 16);
}
static void match_restore(Object *o, RecordReader *r)
{
    Match *m = (Match *)o;
    m->regexp = record_take_slot(r);
    m->str = record_take_slot(r);
    size_t n = record_bytes_left(r) / 16;
    m->n = (int64_t)n;
    memcpy(m->pos, record_take_bytes(r, n * 16), n * 16);
    Value str = slot_read((Value)o, &m->str);
    size_t len = is_string(str) && obj_frozen_bit(str) ? str_view(str).len : 0;
    for (size_t i = 0; i < n; i++) {
        int64_t from = m->pos[2 * i], to = m->pos[2 * i + 1];
        if (!(from == -1 && to == -1 && i > 0) && (from < 0 || to < from || (uint64_t)to > len))
            record_corrupt(r, "has groups outside of its String");
    }
}
static size_t match_cell_size(size_t nslots, size_t nbytes)
{
    (void)nslots;
    return sizeof(Match) + nbytes;
}
static const TypeRow match_type = {.name = "MatchData", .logged = true, .visit = match_visit, .persist = match_persist, .restore = match_restore,
                                   .cell_size = match_cell_size, .size = sizeof(Match)};

static Value match_alloc(Value re, Value str, int64_t n)
{
    Value v = heap_alloc(T_MATCH, klass.MatchData, sizeof(Match) + (size_t)n * 2 * sizeof(int64_t));
    Match *m = (Match *)v;
    slot_init(&m->regexp, re);
    slot_init(&m->str, str);
    m->n = n;
    return v;
}
Value match_new(Value re, Value str, OnigRegion *region)
{
    Value copy = str_frozen_copy(str);
    Value v = match_alloc(re, copy, region->num_regs);
    Match *m = (Match *)v;
    for (int i = 0; i < region->num_regs; i++) {
        m->pos[2 * i] = region->beg[i];
        m->pos[2 * i + 1] = region->end[i];
    }
    KEEP(copy);
    return v;
}
Value match_new_plain(Value pattern, Value str, size_t at, size_t len)
{
    Value copy = str_frozen_copy(str), frozen = str_frozen_copy(pattern);
    Value v = match_alloc(frozen, copy, 1);
    ((Match *)v)->pos[0] = (int64_t)at;
    ((Match *)v)->pos[1] = (int64_t)(at + len);
    KEEP(copy);
    return v;
}

static Match *match_ptr(Value v)
{
    obj_attend(v);
    Match *m = (Match *)v;
    if (m->n == 0)
        raise_error(klass.TypeError, "uninitialized MatchData");
    return m;
}
static Value subject(Value v)
{
    obj_attend(v);
    return slot_read(v, &((Match *)v)->str);
}
static Value pattern(Value v) /* Regexp; made now for a plain pattern */
{
    Value re = slot_read(v, &match_ptr(v)->regexp);
    if (is_string(re)) {
        re = regexp_new_str(regexp_quote(re), 0);
        obj_modify(v);
        slot_write(v, &((Match *)v)->regexp, re);
    }
    return re;
}
Value match_nth(Value v, int n)
{
    if (is_nil(v))
        return V_NIL;
    Match *m = match_ptr(v);
    if (n < 0 || n >= m->n || m->pos[2 * n] < 0)
        return V_NIL;
    int64_t b = m->pos[2 * n], e = m->pos[2 * n + 1];
    return str_new_share(subject(v), (size_t)b, (size_t)(e > b ? e - b : 0));
}
Value match_pre(Value v)
{
    if (is_nil(v))
        return V_NIL;
    return str_new_share(subject(v), 0, (size_t)match_ptr(v)->pos[0]);
}
Value match_post(Value v)
{
    if (is_nil(v))
        return V_NIL;
    Value s = subject(v);
    size_t e = (size_t)match_ptr(v)->pos[1];
    return str_new_share(s, e, str_view(s).len - e);
}
Value match_last_group(Value v)
{
    if (is_nil(v))
        return V_NIL;
    Match *m = match_ptr(v);
    for (int64_t i = m->n - 1; i > 0; i--)
        if (m->pos[2 * i] >= 0)
            return match_nth(v, (int)i);
    return V_NIL;
}
/* Of several groups with one name: the last that took part, else the last. */
static int named_group(Value v, Value name)
{
    Value text = is_symbol(name) ? sym_name_str(name) : name;
    if (is_string(slot_read(v, &match_ptr(v)->regexp)))
        return -1;
    StrView s = str_view(text);
    int groups[64], n = regexp_name_lookup(pattern(v), s.ptr, s.len, groups, 64);
    KEEP(text);
    Match *m = match_ptr(v);
    for (int i = n - 1; i >= 0; i--)
        if (m->pos[2 * groups[i]] >= 0)
            return groups[i];
    return n > 0 ? groups[n - 1] : -1;
}
int match_name_to_number(Value v, Value name)
{
    int g = named_group(v, name);
    if (g < 0)
        raise_error(klass.IndexError, "undefined group name reference: %T", name);
    return g;
}
Value match_named(Value v, Value name)
{
    if (is_nil(v))
        return V_NIL;
    int g = named_group(v, name);
    return g < 0 ? V_NIL : match_nth(v, g);
}

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

static int group_of(Value self, Value which) /* IndexError outside */
{
    if (is_string(which) || is_symbol(which))
        return match_name_to_number(self, which);
    int64_t n = value_int(which);
    if (n < 0 || n >= match_ptr(self)->n)
        raise_error(klass.IndexError, "index %lld out of matches", (long long)n);
    return (int)n;
}
static Value char_at(Value self, int64_t byte)
{
    return byte < 0 ? V_NIL : int_fix((int64_t)str_byte_to_char(subject(self), (size_t)byte));
}
METHOD(md_begin) { (void)argc; int g = group_of(self, argv[0]); return char_at(self, match_ptr(self)->pos[2 * g]); }
METHOD(md_end) { (void)argc; int g = group_of(self, argv[0]); return char_at(self, match_ptr(self)->pos[2 * g + 1]); }
METHOD(md_offset)
{
    (void)argc;
    int g = group_of(self, argv[0]);
    return ary_new_from(2, (Value[]){char_at(self, match_ptr(self)->pos[2 * g]), char_at(self, match_ptr(self)->pos[2 * g + 1])});
}
static Value byte_at(int64_t b) { return b < 0 ? V_NIL : int_fix(b); }
METHOD(md_bytebegin) { (void)argc; int g = group_of(self, argv[0]); return byte_at(match_ptr(self)->pos[2 * g]); }
METHOD(md_byteend) { (void)argc; int g = group_of(self, argv[0]); return byte_at(match_ptr(self)->pos[2 * g + 1]); }
METHOD(md_byteoffset)
{
    (void)argc;
    int g = group_of(self, argv[0]);
    return ary_new_from(2, (Value[]){byte_at(match_ptr(self)->pos[2 * g]), byte_at(match_ptr(self)->pos[2 * g + 1])});
}
METHOD(md_size) { UNUSED_ARGS; return int_fix(match_ptr(self)->n); }
static Value groups_from(Value self, int64_t first)
{
    int64_t n = match_ptr(self)->n;
    Value ary = ary_new((size_t)n);
    for (int64_t i = first; i < n; i++)
        ary_push(ary, match_nth(self, (int)i));
    return ary;
}
METHOD(md_to_a) { UNUSED_ARGS; return groups_from(self, 0); }
METHOD(md_captures) { UNUSED_ARGS; return groups_from(self, 1); }
METHOD(md_aref)
{
    if (argc == 1) {
        if (is_string(argv[0]) || is_symbol(argv[0]))
            return match_nth(self, match_name_to_number(self, argv[0]));
        if (is_fixnum(argv[0])) {
            int64_t i = fix_int(argv[0]), n = match_ptr(self)->n;
            if (i < 0)
                i += n;
            return i < 0 || i >= n ? V_NIL : match_nth(self, (int)i);
        }
    }
    return vm_call(groups_from(self, 0), SYM(op_aref), argc, argv);
}
METHOD(md_values_at)
{
    Value out = ary_new((size_t)argc), all = V_NIL;
    for (int i = 0; i < argc; i++) {
        if (is_string(argv[i]) || is_symbol(argv[i])) {
            ary_push(out, match_nth(self, match_name_to_number(self, argv[i])));
            continue;
        }
        if (is_nil(all))
            all = groups_from(self, 0);
        ary_concat(out, vm_call1(all, sym_intern("values_at"), argv[i]));
    }
    return out;
}
static Value names(Value self)
{
    return is_string(slot_read(self, &match_ptr(self)->regexp)) ? ary_new(0) : regexp_names(pattern(self));
}
METHOD(md_names) { UNUSED_ARGS; return names(self); }
METHOD(md_named_captures)
{
    static const char *const known[] = {"symbolize_names", NULL};
    Value kw = call_take_keywords(&argc, argv), hash = hash_new(), list = names(self);
    bool symbols = false;
    if (!is_nil(kw)) {
        keywords_only(kw, known);
        Value v = keyword_get(kw, "symbolize_names");
        symbols = !is_undef(v) && truthy(v);
    }
    for (size_t i = 0; i < ary_len(list); i++) {
        Value name = ary_get(list, (long)i);
        hash_set(hash, symbols ? sym_intern_str(name) : name, match_named(self, name));
    }
    return hash;
}
METHOD(md_deconstruct_keys)
{
    (void)argc;
    Value keys = argv[0], list = names(self), hash = hash_new();
    if (!is_nil(keys) && !is_array(keys))
        raise_error(klass.TypeError, "wrong argument type %C (expected Array)", keys);
    size_t n = ary_len(is_nil(keys) ? list : keys);
    if (n > ary_len(list))
        return hash;
    for (size_t i = 0; i < n; i++) {
        Value key = is_nil(keys) ? sym_intern_str(ary_get(list, (long)i)) : ary_get(keys, (long)i);
        if (!is_symbol(key))
            raise_error(klass.TypeError, "wrong argument type %C (expected Symbol)", key);
        if (named_group(self, key) < 0)
            break;
        hash_set(hash, key, match_named(self, key));
    }
    return hash;
}
METHOD(md_pre) { UNUSED_ARGS; return match_pre(self); }
METHOD(md_post) { UNUSED_ARGS; return match_post(self); }
METHOD(md_to_s) { UNUSED_ARGS; return match_nth(self, 0); }
METHOD(md_string) { UNUSED_ARGS; return subject(self); }
METHOD(md_regexp) { UNUSED_ARGS; return pattern(self); }
METHOD(md_match) { (void)argc; return match_nth(self, group_of(self, argv[0])); }
METHOD(md_match_length)
{
    (void)argc;
    Value s = match_nth(self, group_of(self, argv[0]));
    return is_nil(s) ? V_NIL : int_fix((int64_t)str_char_count(s));
}
METHOD(md_inspect)
{
    UNUSED_ARGS;
    if (((Match *)self)->n == 0)
        return obj_any_to_s(self);
    if (is_string(slot_read(self, &match_ptr(self)->regexp)))
        return str_format("#<MatchData: %T>", match_nth(self, 0));
    Value out = str_new_c("#<MatchData "), list, groups = regexp_name_groups(pattern(self), &list);
    str_append_str(out, str_inspect(match_nth(self, 0)));
    for (int64_t i = 1; i < match_ptr(self)->n; i++) {
        Value name = V_NIL;
        for (size_t k = 0; k < ary_len(list); k++)
            if (ary_includes(ary_get(groups, (long)k), int_fix(i)))
                name = ary_get(list, (long)k);
        Value g = match_nth(self, (int)i);
        str_append_c(out, " ");
        if (is_nil(name))
            str_append_str(out, int_to_str(int_fix(i), 10));
        else
            str_append_str(out, name);
        str_append_c(out, ":");
        if (is_nil(g))
            str_append_c(out, "nil");
        else
            str_append_str(out, str_inspect(g));
    }
    str_append_c(out, ">");
    return out;
}
METHOD(md_eq)
{
    (void)argc;
    Value o = argv[0];
    if (self == o)
        return V_TRUE;
    if (!is_type(o, T_MATCH))
        return V_FALSE;
    Match *a = match_ptr(self), *b = match_ptr(o);
    if (a->n != b->n || memcmp(a->pos, b->pos, (size_t)a->n * 16) || !str_equal(subject(self), subject(o)))
        return V_FALSE;
    return bool_value(obj_equal(pattern(self), pattern(o)));
}
METHOD(md_hash)
{
    UNUSED_ARGS;
    Match *m = match_ptr(self);
    uint64_t h = hash_bytes(m->pos, (size_t)m->n * 16, hash_seed) ^ str_hash(subject(self));
    return int_fix((int64_t)h >> 2);
}

METHOD(md_dup)
{
    UNUSED_ARGS;
    Match *m = match_ptr(self);
    Value v = match_alloc(slot_read(self, &m->regexp), subject(self), m->n);
    memcpy(((Match *)v)->pos, match_ptr(self)->pos, (size_t)((Match *)v)->n * 16);
    return v;
}

static const Builtin methods[] = {
    {"dup", md_dup, 0, 0, 0},
    {"clone", md_dup, 0, 0, BI_KW},
    {"regexp", md_regexp, 0, 0, 0},
    {"names", md_names, 0, 0, 0},
    {"size", md_size, 0, 0, 0},
    {"length", md_size, 0, 0, 0},
    {"offset", md_offset, 1, 1, 0},
    {"byteoffset", md_byteoffset, 1, 1, 0},
    {"bytebegin", md_bytebegin, 1, 1, 0},
    {"byteend", md_byteend, 1, 1, 0},
    {"begin", md_begin, 1, 1, 0},
    {"end", md_end, 1, 1, 0},
    {"match", md_match, 1, 1, 0},
    {"match_length", md_match_length, 1, 1, 0},
    {"to_a", md_to_a, 0, 0, 0},
    {"deconstruct", md_captures, 0, 0, 0},
    {"[]", md_aref, 1, 2, 0},
    {"captures", md_captures, 0, 0, 0},
    {"named_captures", md_named_captures, 0, 0, BI_KW},
    {"deconstruct_keys", md_deconstruct_keys, 1, 1, 0},
    {"values_at", md_values_at, 0, -1, 0},
    {"pre_match", md_pre, 0, 0, 0},
    {"post_match", md_post, 0, 0, 0},
    {"to_s", md_to_s, 0, 0, 0},
    {"inspect", md_inspect, 0, 0, 0},
    {"string", md_string, 0, 0, 0},
    {"==", md_eq, 1, 1, 0},
    {"eql?", md_eq, 1, 1, 0},
    {"hash", md_hash, 0, 0, 0},
};

void match_boot(void)
{
    heap_register_type(T_MATCH, &match_type);
    class_set_allocator(klass.MatchData, NULL);
    ADD_BUILTINS(klass.MatchData, methods);
    const Value made_otherwise[] = {klass.MatchData, klass.Rational, klass.Complex, klass.Encoding}, gone[] = {SYM(new), SYM(allocate)};
    for (size_t k = 0; k < COUNT_OF(made_otherwise); k++) {
        Value meta = obj_singleton_class(made_otherwise[k]);
        for (int i = 0; i < 2; i++)
            if (method_find(meta, gone[i]))
                method_undef(meta, gone[i]);
    }
}
