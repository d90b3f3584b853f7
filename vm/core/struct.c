/* struct.c -- Struct and Data: members are the hidden fields of the class's root shape; what is seldom hot is Ruby
 * (struct.rb)
 *
 * A member's accessor is an attribute method whose name has no '@', so calls use the same inline
 * caches as attr_accessor.  Field i of an instance is slot i, and the root shape's slots are the members: instance
 * variables that an object gains later stand behind them.
 */
#include "vm/core/core_private.h"
#include "vm/core.h"
#include "vm/shape.h"

static Value struct_allocate(Value cls)
{
    return heap_alloc_slots(T_STRUCT, cls, 0);
}

/* Struct.__fields(cls, names): gives cls its members and accessors; writers unless `readonly` */
static Value struct_s_fields(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value cls = argv[0], names = argv[1];
    bool readonly = truthy(argv[2]);
    size_t n = ary_len(names);
    Value *list = heap_malloc((n + 1) * sizeof(Value)); /* symbols only: nothing for the collector */
    for (size_t i = 0; i < n; i++)
        list[i] = ary_get(names, (long)i);
    class_set_fields(cls, T_STRUCT, list, (unsigned)n);
    class_set_allocator(cls, struct_allocate);
    for (size_t i = 0; i < n; i++) {
        MethodEntry *reader = method_entry_new(ME_ATTR_READER, VIS_PUBLIC);
        slot_init(&reader->body, list[i]);
        method_add(cls, list[i], reader);
        if (!readonly) {
            Value text = str_dup(sym_name_str(list[i]));
            str_append(text, "=", 1);
            MethodEntry *writer = method_entry_new(ME_ATTR_WRITER, VIS_PUBLIC);
            slot_init(&writer->body, list[i]);
            method_add(cls, sym_intern_str(text), writer);
        }
    }
    heap_free(list);
    return cls;
}

static uint32_t root_of(Value self)
{
    return class_root_shape(class_real(self));
}

static unsigned member_count(Value self)
{
    return shape_table[root_of(self)].count;
}

static Value struct_get(Value self, int argc, const Value *argv)
{
    (void)argc;
    return obj_field(self, (unsigned)fix_int(argv[0]));
}

static Value struct_set(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_set_field(self, (unsigned)fix_int(argv[0]), argv[1]);
    return argv[1];
}

/* keyword_init: of the struct class that cls is or descends from: true, false or nil. */
static Value keyword_init(Value cls)
{
    Value name = sym_intern("@__keyword_init__"), v = V_UNDEF;
    for (; is_undef(v) && cls != V_NIL; cls = class_superclass(cls))
        v = ivar_get(cls, name);
    return is_undef(v) ? V_NIL : v;
}

struct by_keyword {
    Value self;
    uint32_t root;
    Value unknown; /* text: the keywords that are no members */
};

static bool set_by_keyword(Value key, Value v, void *arg)
{
    struct by_keyword *k = arg;
    int i = is_symbol(key) ? shape_find(k->root, symbol_id(key)) : -1;
    if (i >= 0) {
        obj_set_field(k->self, (unsigned)i, v);
        return true;
    }
    if (k->unknown == V_NIL)
        k->unknown = str_new_c("");
    else
        str_append_c(k->unknown, ", ");
    str_append_str(k->unknown, obj_to_s(key));
    return true;
}

static Value struct_initialize(Value self, int argc, const Value *argv)
{
    Value keywords = call_take_keywords(&argc, argv);
    bool any = keywords != V_NIL && hash_len(keywords) > 0;
    Value wanted = keyword_init(class_real(self));
    unsigned n = member_count(self);
    if (truthy(wanted) || (wanted == V_NIL && argc == 0 && any)) {
        if (argc > 0)
            raise_error(klass.ArgumentError, "wrong number of arguments (given %d, expected 0)", argc);
        for (unsigned i = 0; i < n; i++)
            obj_set_field(self, i, V_NIL);
        struct by_keyword k = {self, root_of(self), V_NIL};
        if (any)
            hash_each(keywords, set_by_keyword, &k);
        if (k.unknown != V_NIL)
            raise_error(klass.ArgumentError, "unknown keywords: %T", k.unknown);
        return self;
    }
    if ((unsigned)argc + any > n)
        raise_error(klass.ArgumentError, "struct size differs");
    for (unsigned i = 0; i < n; i++)
        obj_set_field(self, i, i < (unsigned)argc ? argv[i] : i == (unsigned)argc && any ? keywords : V_NIL);
    return self;
}

static Value struct_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    for (unsigned i = 0, n = member_count(self); i < n; i++)
        obj_set_field(self, i, obj_field(argv[0], i));
    return self;
}

static Value struct_size(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix(member_count(self));
}

static Value struct_to_a(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    unsigned n = member_count(self);
    Value list = ary_new(n);
    for (unsigned i = 0; i < n; i++)
        ary_push(list, obj_field(self, i));
    return list;
}

/* The number of the field that key names: a Symbol, a String or an Integer. */
static unsigned member_index(Value self, Value key)
{
    unsigned n = member_count(self);
    if (is_symbol(key) || is_string(key)) {
        Value name = is_symbol(key) ? key : sym_intern_str(key);
        int i = shape_find(root_of(self), symbol_id(name));
        if (i < 0)
            raise_name_error(self, name, "no member '%T' in struct", key);
        return (unsigned)i;
    }
    int64_t i = value_int(key);
    if (i >= (int64_t)n)
        raise_error(klass.IndexError, "offset %lld too large for struct(size:%u)", (long long)i, n);
    if (i < -(int64_t)n)
        raise_error(klass.IndexError, "offset %lld too small for struct(size:%u)", (long long)i, n);
    return (unsigned)(i < 0 ? i + n : i);
}

static Value struct_aref(Value self, int argc, const Value *argv)
{
    (void)argc;
    return obj_field(self, member_index(self, argv[0]));
}

static Value struct_aset(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_set_field(self, member_index(self, argv[0]), argv[1]);
    return argv[1];
}

/* ---- comparison ---- */
typedef struct Pair {
    Value a, b;
    bool (*same)(Value, Value); /* obj_equal or obj_eql */
} Pair;

static Value same_body(void *arg)
{
    Pair *p = arg;
    for (unsigned i = 0, n = member_count(p->a); i < n; i++)
        if (!p->same(obj_field(p->a, i), obj_field(p->b, i)))
            return V_FALSE;
    return V_TRUE;
}

static bool holds_leaves(Value self)
{
    for (unsigned i = 0, n = member_count(self); i < n; i++)
        if (!obj_is_leaf(obj_field(self, i)))
            return false;
    return true;
}

static Value same(Value name, Value a, Value b, bool (*fn)(Value, Value))
{
    if (a == b)
        return V_TRUE;
    if (!is_type(b, T_STRUCT) || class_real(a) != class_real(b))
        return V_FALSE;
    Pair p = {a, b, fn};
    if (holds_leaves(a))
        return same_body(&p);
    Value r = vm_guard_recursion(name, a, b, same_body, &p);
    return is_undef(r) ? V_TRUE : r;
}

static Value struct_equal(Value self, int argc, const Value *argv)
{
    (void)argc;
    return same(SYM(op_eq), self, argv[0], obj_equal);
}

static Value struct_eql(Value self, int argc, const Value *argv)
{
    (void)argc;
    return same(SYM(eql_p), self, argv[0], obj_eql);
}

/* That of [class, members], so that a stored hash finds its keys again. */
static Value struct_hash(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value pair[] = {class_real(self), struct_to_a(self, 0, NULL)};
    return int_fix((int64_t)obj_hash(ary_new_from(2, pair)));
}

static const Builtin singleton_methods[] = {
    {"__fields", struct_s_fields, 3, 3, BI_HIDDEN},
};
static const Builtin primitives[] = {
    {"__get", struct_get, 1, 1, BI_HIDDEN},
    {"__set", struct_set, 2, 2, BI_HIDDEN},
};
static const Builtin methods[] = {
    {"initialize", struct_initialize, 0, -1, BI_PRIVATE | BI_KW},
    {"initialize_copy", struct_initialize_copy, 1, 1, BI_PRIVATE},
    {"size", struct_size, 0, 0, 0},
    {"length", struct_size, 0, 0, 0},
    {"to_a", struct_to_a, 0, 0, 0},
    {"values", struct_to_a, 0, 0, 0},
    {"deconstruct", struct_to_a, 0, 0, 0},
    {"[]", struct_aref, 1, 1, 0},
    {"[]=", struct_aset, 2, 2, 0},
    {"==", struct_equal, 1, 1, 0},
    {"eql?", struct_eql, 1, 1, 0},
    {"hash", struct_hash, 0, 0, 0},
};

void struct_boot(void)
{
    class_set_instance_type(klass.Struct, T_STRUCT);
    class_set_allocator(klass.Struct, struct_allocate);
    class_set_instance_type(klass.Data, T_STRUCT);
    class_set_allocator(klass.Data, struct_allocate);
    module_include(klass.Struct, klass.Enumerable);
    ADD_SINGLETON_BUILTINS(klass.Struct, singleton_methods);
    ADD_BUILTINS(klass.Struct, primitives);
    ADD_BUILTINS(klass.Struct, methods);
    ADD_BUILTINS(klass.Data, primitives);
}
