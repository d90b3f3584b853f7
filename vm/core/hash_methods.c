/* hash_methods.c -- Hash: its methods that need no block; the others are Ruby (hash.rb) over the hidden ones here */
#include "vm/core/core_private.h"
#include "hash_private.h"

static Value hash_initialize(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    Value options = call_take_keywords(&argc, argv);
    if (!is_nil(options)) {
        static const char *const allowed[] = {"capacity", NULL};
        keywords_only(options, allowed);
    }
    Hash *h = hash_ptr(self);
    if (block_given()) {
        if (argc)
            raise_arity(argc, 0, 0);
        Value proc = block_proc();
        if (proc_is_lambda(proc) && proc_arity(proc) != 2 && (proc_arity(proc) >= 0 || proc_arity(proc) < -3))
            raise_error(klass.TypeError, "default_proc takes two arguments (2 for %d)", proc_arity(proc));
        slot_write(self, &h->fallback, proc);
        h->head |= HASH_DEFAULT_PROC;
    } else {
        slot_write(self, &h->fallback, argc ? argv[0] : V_NIL);
        h->head &= ~HASH_DEFAULT_PROC;
    }
    return self;
}

static Value hash_s_create(Value cls, int argc, const Value *argv)
{
    Value h = hash_alloc(cls);
    if (argc == 1) {
        Value other = obj_try_convert(argv[0], T_HASH, "Hash", SYM(to_hash));
        if (!is_nil(other)) {
            hash_copy_entries(h, other);
            hash_ptr(h)->head &= ~HASH_IDENTITY;
            if (obj_head(other) & HASH_IDENTITY)
                hash_rebuild(h);
            return h;
        }
        Value pairs = ary_try(argv[0]);
        if (!is_nil(pairs)) {
            for (size_t i = 0; i < ary_len(pairs); i++) {
                Value pair = ary_try(ary_get(pairs, (long)i));
                if (is_nil(pair))
                    raise_error(klass.ArgumentError, "wrong element type %C at %zu (expected array)", ary_get(pairs, (long)i), i);
                size_t n = ary_len(pair);
                if (n != 1 && n != 2)
                    raise_error(klass.ArgumentError, "invalid number of elements (%zu for 1..2)", n);
                hash_set(h, ary_get(pair, 0), ary_get(pair, 1));
            }
            return h;
        }
    }
    if (argc % 2)
        raise_error(klass.ArgumentError, "odd number of arguments for Hash");
    for (int i = 0; i < argc; i += 2)
        hash_set(h, argv[i], argv[i + 1]);
    return h;
}

static Value hash_s_try_convert(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    return obj_try_convert(argv[0], T_HASH, "Hash", SYM(to_hash));
}

static Value hash_s_ruby2_keywords_p(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    return bool_value(is_hash(argv[0]) && (obj_head(argv[0]) & HASH_KEYWORDS));
}

static Value hash_s_ruby2_keywords(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    Value h = hash_dup(hash_to_hash(argv[0]));
    hash_ptr(h)->head |= HASH_KEYWORDS;
    return h;
}

static Value hash_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    Value other = hash_to_hash(argv[0]);
    if (other == self)
        return self;
    if (hash_ptr(self)->iterating)
        raise_error(klass.RuntimeError, "can't replace hash during iteration");
    hash_copy_entries(self, other);
    Hash *h = hash_ptr(self);
    h->head = (h->head & ~(HASH_IDENTITY | HASH_DEFAULT_PROC)) | (obj_head(other) & (HASH_IDENTITY | HASH_DEFAULT_PROC));
    slot_write(self, &h->fallback, slot_read(other, &hash_ptr(other)->fallback));
    return self;
}

static Value hash_replace(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    Value other = hash_to_hash(argv[0]);
    if (other == self)
        return self;
    if (hash_ptr(self)->iterating)
        raise_error(klass.RuntimeError, "can't replace hash during iteration");
    hash_copy_entries(self, other);
    Hash *h = hash_ptr(self);
    h->head = (h->head & ~HASH_IDENTITY) | (obj_head(other) & HASH_IDENTITY);
    return self;
}

static Value hash_aref_m(Value self, int argc, const Value *argv)
{
    (void)argc;
    return hash_aref(self, argv[0]);
}

static Value hash_aset_m(Value self, int argc, const Value *argv)
{
    (void)argc;
    hash_set(self, argv[0], argv[1]);
    return argv[1];
}

static Value hash_fetch(Value self, int argc, const Value *argv)
{
    Value v = hash_get(self, argv[0]);
    if (!is_undef(v))
        return v;
    if (block_given()) {
        if (argc == 2)
            warn_printf("block supersedes default value argument");
        return vm_yield1(argv[0]);
    }
    if (argc == 2)
        return argv[1];
    raise_key_error(self, argv[0], "key not found: %V", argv[0]);
}

static Value hash_key_p(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(!is_undef(hash_get(self, argv[0])));
}

static Value hash_delete_m(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value v = hash_delete(self, argv[0]);
    if (!is_undef(v))
        return v;
    return block_given() ? vm_yield1(argv[0]) : V_NIL;
}

static Value hash_shift(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_modify(self);
    int64_t i = hash_next(self, 0);
    Value k, v;
    if (i < 0 || !hash_entry_at(self, (size_t)i, &k, &v))
        return V_NIL;
    Value pair = ary_new_from(2, (Value[]){k, v});
    hash_delete_entry(self, (size_t)i);
    return pair;
}

static Value hash_clear(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_modify(self);
    hash_drop_entries(self);
    return self;
}

static Value hash_size(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix((int64_t)hash_len(self));
}

static Value hash_empty_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(hash_len(self) == 0);
}

static Value hash_keys_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return hash_keys(self);
}

static Value hash_values_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return hash_values(self);
}

static Value hash_to_a(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value r = ary_new(hash_len(self)), k, v;
    for (size_t i = 0; i < hash_entries_used(self); i++)
        if (hash_entry_at(self, i, &k, &v))
            ary_push(r, ary_new_from(2, (Value[]){k, v}));
    return r;
}

static Value hash_default(Value self, int argc, const Value *argv)
{
    obj_attend(self);
    return hash_fallback(self, argc ? argv[0] : V_UNDEF);
}

static Value hash_set_default(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    Hash *h = hash_ptr(self);
    h->head &= ~HASH_DEFAULT_PROC;
    slot_write(self, &h->fallback, argv[0]);
    return argv[0];
}

static Value hash_default_proc(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_attend(self);
    return obj_head(self) & HASH_DEFAULT_PROC ? slot_read(self, &hash_ptr(self)->fallback) : V_NIL;
}

static Value hash_set_default_proc(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    Value proc = argv[0];
    if (is_nil(proc)) {
        hash_ptr(self)->head &= ~HASH_DEFAULT_PROC;
        slot_write(self, &hash_ptr(self)->fallback, V_NIL);
        return proc;
    }
    Value converted = obj_try_convert(proc, T_PROC, "Proc", SYM(to_proc));
    if (is_nil(converted))
        raise_error(klass.TypeError, "wrong default_proc type %C (expected Proc)", proc);
    if (proc_is_lambda(converted) && proc_arity(converted) != 2 && (proc_arity(converted) >= 0 || proc_arity(converted) < -3))
        raise_error(klass.TypeError, "default_proc takes two arguments (2 for %d)", proc_arity(converted));
    hash_ptr(self)->head |= HASH_DEFAULT_PROC;
    slot_write(self, &hash_ptr(self)->fallback, converted);
    return proc;
}

static Value hash_compare_by_identity(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_attend(self);
    if (obj_head(self) & HASH_IDENTITY)
        return self;
    obj_modify(self);
    if (hash_ptr(self)->iterating)
        raise_error(klass.RuntimeError, "compare_by_identity during iteration");
    hash_ptr(self)->head |= HASH_IDENTITY;
    hash_rebuild(self);
    return self;
}

static Value hash_compare_by_identity_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_attend(self);
    return bool_value(obj_head(self) & HASH_IDENTITY);
}

static Value hash_rehash(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (hash_ptr(self)->iterating)
        raise_error(klass.RuntimeError, "rehash during iteration");
    obj_modify(self);
    hash_rebuild(self);
    return self;
}

static Value hash_value_p(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value k, v;
    for (size_t i = 0; i < hash_entries_used(self); i++)
        if (hash_entry_at(self, i, &k, &v) && obj_equal(v, argv[0]))
            return V_TRUE;
    return V_FALSE;
}

static Value hash_key(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value k, v;
    for (size_t i = 0; i < hash_entries_used(self); i++)
        if (hash_entry_at(self, i, &k, &v) && obj_equal(v, argv[0]))
            return k;
    return V_NIL;
}

static Value hash_values_at(Value self, int argc, const Value *argv)
{
    Value r = ary_new((size_t)argc);
    for (int i = 0; i < argc; i++)
        ary_push(r, hash_aref(self, argv[i]));
    return r;
}

static Value hash_dig(Value self, int argc, const Value *argv)
{
    Value x = vm_call1(self, SYM(op_aref), argv[0]);
    if (argc == 1 || is_nil(x))
        return x;
    Value dig = sym_intern("dig");
    if (!vm_responds_to(x, dig, false))
        raise_error(klass.TypeError, "%C does not have #dig method", x);
    return vm_call(x, dig, argc - 1, argv + 1);
}

typedef struct Compare {
    Value a, b;
    bool strict;
} Compare;

static Value equal_body(void *arg)
{
    Compare *c = arg;
    Value k, v;
    for (size_t i = 0; i < hash_entries_used(c->a); i++) {
        if (!hash_entry_at(c->a, i, &k, &v))
            continue;
        Value w = hash_get(c->b, k);
        if (is_undef(w) || !(c->strict ? obj_eql(v, w) : obj_equal(v, w)))
            return V_FALSE;
    }
    return V_TRUE;
}

static Value compare_hashes(Value self, Value other, bool strict)
{
    if (self == other)
        return V_TRUE;
    if (!is_hash(other)) {
        if (strict || !vm_responds_to(other, SYM(to_hash), false))
            return V_FALSE;
        return bool_value(truthy(vm_call1(other, SYM(op_eq), self)));
    }
    if (hash_len(self) != hash_len(other))
        return V_FALSE;
    if (hash_len(self) && ((obj_head(self) ^ obj_head(other)) & HASH_IDENTITY))
        return V_FALSE;
    Compare c = {self, other, strict};
    Value r = vm_guard_recursion(strict ? SYM(eql_p) : SYM(op_eq), self, other, equal_body, &c);
    return is_undef(r) ? V_TRUE : r;
}

static Value hash_equal(Value self, int argc, const Value *argv)
{
    (void)argc;
    return compare_hashes(self, argv[0], false);
}

static Value hash_eql(Value self, int argc, const Value *argv)
{
    (void)argc;
    return compare_hashes(self, argv[0], true);
}

static Value hash_hash_body(void *arg)
{
    Value self = *(Value *)arg, k, v;
    uint64_t sum = hash_len(self) * 0x9e3779b97f4a7c15ull;
    for (size_t i = 0; i < hash_entries_used(self); i++) {
        if (!hash_entry_at(self, i, &k, &v))
            continue;
        uint64_t h = obj_hash(k) * 0xff51afd7ed558ccdull;
        h ^= h >> 31;
        sum += (h + obj_hash(v)) * 0xc4ceb9fe1a85ec53ull; /* order does not matter */
    }
    return int_fix((int64_t)(sum >> 2));
}

static Value hash_hash_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value r = vm_guard_recursion(SYM(hash), self, V_NIL, hash_hash_body, &self);
    return is_undef(r) ? int_fix(0x5eed5) : r;
}

/* May the symbol be written as `key: value`? */
static bool symbol_key_is_simple(Value sym)
{
    SymbolKind kind = sym_kind(sym);
    return kind == SYMKIND_LOCAL || kind == SYMKIND_CONST || kind == SYMKIND_QUESTION;
}

static Value inspect_body(void *arg)
{
    Value self = *(Value *)arg, k, v;
    Value s = str_new("{", 1);
    bool first = true;
    for (size_t i = 0; i < hash_entries_used(self); i++) {
        if (!hash_entry_at(self, i, &k, &v))
            continue;
        if (!first)
            str_append(s, ", ", 2);
        first = false;
        if (is_symbol(k)) {
            if (symbol_key_is_simple(k)) {
                str_append_str(s, sym_name_str(k));
            } else {
                str_append_str(s, str_inspect(sym_name_str(k)));
            }
            str_append(s, ": ", 2);
        } else {
            str_append_str(s, obj_inspect(k));
            str_append(s, " => ", 4);
        }
        str_append_str(s, obj_inspect(v));
    }
    str_append(s, "}", 1);
    return s;
}

static Value hash_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (hash_len(self) == 0)
        return str_new_enc("{}", 2, ENC_US_ASCII);
    Value r = vm_guard_recursion(SYM(inspect), self, V_NIL, inspect_body, &self);
    return is_undef(r) ? str_new_enc("{...}", 5, ENC_US_ASCII) : r;
}

static Value hash_to_hash_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return self;
}

static Value hash_to_h_plain(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (class_real(self) == klass.Hash)
        return self;
    Value r = hash_dup(self);
    hash_ptr(r)->head |= obj_head(self) & HASH_DEFAULT_PROC;
    hash_ptr(r)->fallback = hash_ptr(self)->fallback;
    return r;
}

static Value hash_assoc(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value k, v;
    if (is_undef(hash_get(self, argv[0])))
        return V_NIL;
    for (size_t i = 0; i < hash_entries_used(self); i++)
        if (hash_entry_at(self, i, &k, &v) && (k == argv[0] || obj_equal(k, argv[0])))
            return ary_new_from(2, (Value[]){k, v});
    return V_NIL;
}

static Value hash_rassoc(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value k, v;
    for (size_t i = 0; i < hash_entries_used(self); i++)
        if (hash_entry_at(self, i, &k, &v) && obj_equal(v, argv[0]))
            return ary_new_from(2, (Value[]){k, v});
    return V_NIL;
}

static Value hash_except(Value self, int argc, const Value *argv)
{
    Value r = hash_dup(self);
    for (int i = 0; i < argc; i++)
        hash_delete(r, argv[i]);
    return r;
}

static Value hash_slice(Value self, int argc, const Value *argv)
{
    Value r = hash_new();
    hash_ptr(r)->head |= obj_head(self) & HASH_IDENTITY;
    for (int i = 0; i < argc; i++) {
        Value v = hash_get(self, argv[i]);
        if (!is_undef(v))
            hash_set(r, argv[i], v);
    }
    return r;
}

/* ---- hidden: iteration for hash.rb ---- */

static Value hash_p_next(Value self, int argc, const Value *argv)
{
    (void)argc;
    int64_t i = hash_next(self, (size_t)fix_int(argv[0]));
    return i < 0 ? V_NIL : int_fix(i);
}

static Value hash_p_key(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value k, v;
    return hash_entry_at(self, (size_t)fix_int(argv[0]), &k, &v) ? k : V_NIL;
}

static Value hash_p_value(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value k, v;
    return hash_entry_at(self, (size_t)fix_int(argv[0]), &k, &v) ? v : V_NIL;
}

static Value hash_p_set_value(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    size_t i = (size_t)fix_int(argv[0]);
    Value k, v;
    if (hash_entry_at(self, i, &k, &v))
        hash_set_value_at(self, i, argv[1]);
    return V_NIL;
}

static Value hash_p_delete_at(Value self, int argc, const Value *argv)
{
    (void)argc;
    size_t i = (size_t)fix_int(argv[0]);
    if (i < hash_entries_used(self))
        hash_delete_entry(self, i);
    return V_NIL;
}

static Value hash_p_iterate(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_attend(self);
    hash_iteration(self, fix_int(argv[0]) > 0 ? 1 : -1);
    return V_NIL;
}

static Value hash_p_modify(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_modify(self);
    return self;
}

static const Builtin methods[] = {
    {"initialize", hash_initialize, 0, 1, BI_PRIVATE | BI_KW},
    {"initialize_copy", hash_initialize_copy, 1, 1, BI_PRIVATE},
    {"replace", hash_replace, 1, 1, 0},
    {"[]", hash_aref_m, 1, 1, 0},
    {"[]=", hash_aset_m, 2, 2, 0},
    {"store", hash_aset_m, 2, 2, 0},
    {"fetch", hash_fetch, 1, 2, 0},
    {"key?", hash_key_p, 1, 1, 0},
    {"has_key?", hash_key_p, 1, 1, 0},
    {"include?", hash_key_p, 1, 1, 0},
    {"member?", hash_key_p, 1, 1, 0},
    {"value?", hash_value_p, 1, 1, 0},
    {"has_value?", hash_value_p, 1, 1, 0},
    {"key", hash_key, 1, 1, 0},
    {"delete", hash_delete_m, 1, 1, 0},
    {"shift", hash_shift, 0, 0, 0},
    {"clear", hash_clear, 0, 0, 0},
    {"size", hash_size, 0, 0, BI_LEAF},
    {"length", hash_size, 0, 0, BI_LEAF},
    {"empty?", hash_empty_p, 0, 0, BI_LEAF},
    {"keys", hash_keys_m, 0, 0, 0},
    {"values", hash_values_m, 0, 0, 0},
    {"to_a", hash_to_a, 0, 0, 0},
    {"default", hash_default, 0, 1, 0},
    {"default=", hash_set_default, 1, 1, 0},
    {"default_proc", hash_default_proc, 0, 0, 0},
    {"default_proc=", hash_set_default_proc, 1, 1, 0},
    {"compare_by_identity", hash_compare_by_identity, 0, 0, 0},
    {"compare_by_identity?", hash_compare_by_identity_p, 0, 0, 0},
    {"rehash", hash_rehash, 0, 0, 0},
    {"values_at", hash_values_at, 0, -1, 0},
    {"dig", hash_dig, 1, -1, 0},
    {"==", hash_equal, 1, 1, 0},
    {"eql?", hash_eql, 1, 1, 0},
    {"hash", hash_hash_m, 0, 0, 0},
    {"inspect", hash_inspect, 0, 0, 0},
    {"to_s", hash_inspect, 0, 0, 0},
    {"to_hash", hash_to_hash_m, 0, 0, 0},
    {"__to_h", hash_to_h_plain, 0, 0, BI_HIDDEN | BI_PRIVATE},
    {"assoc", hash_assoc, 1, 1, 0},
    {"rassoc", hash_rassoc, 1, 1, 0},
    {"except", hash_except, 0, -1, 0},
    {"slice", hash_slice, 0, -1, 0},
    {"__next", hash_p_next, 1, 1, BI_HIDDEN | BI_PRIVATE | BI_LEAF},
    {"__key", hash_p_key, 1, 1, BI_HIDDEN | BI_PRIVATE | BI_LEAF},
    {"__value", hash_p_value, 1, 1, BI_HIDDEN | BI_PRIVATE | BI_LEAF},
    {"__set_value", hash_p_set_value, 2, 2, BI_HIDDEN | BI_PRIVATE},
    {"__delete_at", hash_p_delete_at, 1, 1, BI_HIDDEN | BI_PRIVATE},
    {"__iterate", hash_p_iterate, 1, 1, BI_HIDDEN | BI_PRIVATE},
    {"__modify", hash_p_modify, 0, 0, BI_HIDDEN | BI_PRIVATE},
};

static const Builtin singleton_methods[] = {
    {"[]", hash_s_create, 0, -1, 0},
    {"try_convert", hash_s_try_convert, 1, 1, 0},
    {"ruby2_keywords_hash?", hash_s_ruby2_keywords_p, 1, 1, 0},
    {"ruby2_keywords_hash", hash_s_ruby2_keywords, 1, 1, 0},
};

void hash_boot(void)
{
    hash_type_boot();
    ADD_BUILTINS(klass.Hash, methods);
    ADD_SINGLETON_BUILTINS(klass.Hash, singleton_methods);
}
