/* object_test.c -- ancestry, look-up, constants, class variables, shapes, symbols without a running program */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/lib.h"
#include "vm/object/class_private.h"

static Value nothing(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return self;
}

static void def(Value cls, const char *name)
{
    Builtin b = {name, nothing, 0, 0, 0};
    class_add_builtins(cls, &b, 1);
}

static Value owner_of(Value cls, const char *name)
{
    MethodEntry *me = method_find(cls, sym_intern(name));
    return me ? slot_read((Value)me, &me->owner) : V_NIL;
}

static bool chain_is(Value cls, int n, const Value *want)
{
    int i = 0;
    for (Value k = cls; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner))
            continue;
        if (i == n)
            return true;
        if (owner != want[i++])
            return false;
    }
    return i >= n;
}

static void metaclasses_follow_superclasses(void **state)
{
    (void)state;
    assert_true(class_of(klass.String) != klass.Class);
    assert_true(class_superclass(class_of(klass.String)) == class_of(klass.Object));
    assert_true(class_superclass(class_of(klass.BasicObject)) == klass.Class);
    assert_true(class_real(klass.String) == klass.Class);
    assert_true(class_of(klass.Kernel) == klass.Module);
    Value meta = obj_singleton_class(klass.String);
    assert_true(meta == class_of(klass.String));
    Value metameta = obj_singleton_class(meta);
    assert_true(class_attached_object(metameta) == meta);
    assert_true(class_superclass(metameta) == obj_singleton_class(class_of(klass.Object)));
    def(obj_singleton_class(klass.Numeric), "class_method_test");
    assert_true(owner_of(class_of(klass.Integer), "class_method_test") == class_of(klass.Numeric));
}

static void includes_and_prepends_stand_in_order(void **state)
{
    (void)state;
    Value a = module_new("TestA"), b = module_new("TestB"), p = module_new("TestP");
    Value c = class_new(klass.Object, "TestC"), d = class_new(c, "TestD");
    module_include(a, b);
    module_include(c, a);
    assert_true(chain_is(d, 6, (Value[]){d, c, a, b, klass.Object, klass.Kernel}));
    module_prepend(c, p);
    assert_true(chain_is(d, 5, (Value[]){d, p, c, a, b}));
    module_include(d, a); /* the superclass has it: nothing changes */
    assert_true(chain_is(d, 3, (Value[]){d, p, c}));
    def(p, "m");
    def(c, "m");
    def(b, "m");
    assert_true(owner_of(d, "m") == p);
    MethodEntry *me = method_find(d, sym_intern("m"));
    me = method_find_super_of(d, me, sym_intern("m"));
    assert_true(slot_read((Value)me, &me->owner) == c);
    me = method_find_super_of(d, me, sym_intern("m"));
    assert_true(slot_read((Value)me, &me->owner) == b);
    assert_null(method_find_super_of(d, me, sym_intern("m")));
    /* what a module gets later, its includers get too */
    Value late = module_new("TestLate"), early = module_new("TestEarly");
    module_include(a, late);
    assert_true(chain_is(c, 5, (Value[]){p, c, a, late, b}));
    module_prepend(a, early);
    assert_true(chain_is(c, 5, (Value[]){p, c, early, a, late}));
    assert_true(module_inherits(d, early) && module_inherits(d, p) && module_inherits(d, c));
    assert_false(module_inherits(c, d));
}

static void the_method_cache_sees_changes(void **state)
{
    (void)state;
    Value c = class_new(klass.Object, "TestE"), d = class_new(c, "TestF"), m = module_new("TestM");
    assert_true(is_nil(owner_of(d, "cached")));
    def(c, "cached");
    assert_true(owner_of(d, "cached") == c);
    def(d, "cached");
    assert_true(owner_of(d, "cached") == d);
    method_remove(d, sym_intern("cached"));
    assert_true(owner_of(d, "cached") == c);
    def(m, "cached");
    module_prepend(d, m);
    assert_true(owner_of(d, "cached") == m);
    method_undef(d, sym_intern("cached"));
    assert_true(owner_of(d, "cached") == m);
    method_set_visibility(d, sym_intern("object_test_only"), VIS_PRIVATE);
}

static void visibility_changes_follow_the_original(void **state)
{
    (void)state;
    Value c = class_new(klass.Object, "TestG"), d = class_new(c, "TestH");
    def(c, "vis");
    method_set_visibility(d, sym_intern("vis"), VIS_PRIVATE);
    MethodEntry *me = method_find(d, sym_intern("vis"));
    assert_int_equal(me->visibility, VIS_PRIVATE);
    assert_true(slot_read((Value)me, &me->owner) == d && slot_read((Value)me, &me->defined) == c);
    assert_int_equal(method_find(c, sym_intern("vis"))->visibility, VIS_PUBLIC);
    MethodEntry *attr = method_entry_new(ME_ATTR_READER, VIS_PUBLIC);
    method_add(c, sym_intern("vis"), attr);
    me = method_find(d, sym_intern("vis"));
    assert_true(me->kind == ME_ATTR_READER && me->visibility == VIS_PRIVATE);
}

static void constants_and_names(void **state)
{
    (void)state;
    Value outer = module_new(NULL), inner = class_new(klass.Object, NULL);
    assert_true(is_nil(slot_read(outer, &class_ext(outer)->name)));
    const_set(outer, sym_intern("Inner"), inner);
    const_set(klass.Object, sym_intern("TestOuter"), outer);
    assert_string_equal(class_name_c(outer), "TestOuter");
    assert_string_equal(class_name_c(inner), "TestOuter::Inner");
    assert_true(const_find(outer, sym_intern("Inner"), false) == inner);
    assert_true(is_undef(const_find(outer, sym_intern("Strong"), true)));
    assert_true(const_find(inner, sym_intern("String"), true) == klass.String);
    assert_true(const_find(outer, sym_intern("String"), true) == klass.String);
    assert_true(is_undef(const_find(outer, sym_intern("String"), false)));
    uint32_t before = const_serial;
    assert_true(const_remove(outer, sym_intern("Inner")) == inner);
    assert_true(const_serial != before);
    assert_false(const_defined(outer, sym_intern("Inner"), true));
}

static void class_variables_are_shared_downwards(void **state)
{
    (void)state;
    Value c = class_new(klass.Object, "TestI"), d = class_new(c, "TestJ");
    Value name = sym_intern("@@count");
    assert_true(is_undef(cvar_find(d, name)));
    cvar_set(c, name, int_fix(1));
    cvar_set(d, name, int_fix(2));
    assert_int_equal(fix_int(cvar_find(c, name)), 2);
    assert_int_equal(fix_int(cvar_find(obj_singleton_class(d), name)), 2);
}

static void instance_variables_of_all_kinds(void **state)
{
    (void)state;
    Value x = sym_intern("@x"), y = sym_intern("@y");
    Value objects[] = {obj_alloc(klass.Object), module_new(NULL), heap_alloc(T_FLOAT, klass.Float, 16)};
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        Value o = objects[i];
        assert_true(is_undef(ivar_get(o, x)));
        ivar_set(o, x, int_fix(1));
        ivar_set(o, y, int_fix(2));
        ivar_set(o, x, int_fix(3));
        assert_int_equal(fix_int(ivar_get(o, x)), 3);
        assert_int_equal(fix_int(ivar_remove(o, x)), 3);
        assert_true(is_undef(ivar_get(o, x)));
        assert_int_equal(fix_int(ivar_get(o, y)), 2);
        heap_collect();
        assert_int_equal(fix_int(ivar_get(o, y)), 2);
    }
    assert_true(is_undef(ivar_get(int_fix(1), x)));
}

static void shapes_are_shared(void **state)
{
    (void)state;
    Value c = class_new(klass.Object, "TestK");
    Value a = obj_alloc(c), b = obj_alloc(c);
    ivar_set(a, sym_intern("@x"), V_NIL);
    assert_true(obj_shape(a) != obj_shape(b));
    ivar_set(b, sym_intern("@x"), V_NIL);
    assert_true(obj_shape(a) == obj_shape(b));
    obj_singleton_class(a);
    assert_true(obj_shape(a) != obj_shape(b));
    assert_true(class_real(a) == c && class_of(a) != c && class_of(b) == c);
    assert_true(is_nil(ivar_get(a, sym_intern("@x"))));
}

static void fields_are_inherited_and_hidden(void **state)
{
    (void)state;
    Value names[] = {sym_intern("first_field"), sym_intern("second_field")};
    Value c = class_new(klass.Object, "TestL"), d = class_new(c, "TestM2");
    class_set_fields(c, T_STRUCT, names, 2);
    Value v = obj_alloc(d);
    assert_int_equal(obj_type(v), T_STRUCT);
    obj_set_field(v, 1, int_fix(7));
    assert_int_equal(fix_int(ivar_get(v, names[1])), 7);
    for (int i = 0; i < 10; i++) {
        char name[8] = {'@', (char)('a' + i)};
        ivar_set(v, sym_intern(name), int_fix(i));
    }
    assert_int_equal(fix_int(obj_field(v, 1)), 7);
    assert_int_equal(fix_int(ivar_get(v, sym_intern("@j"))), 9);
    obj_singleton_class(v);
    assert_int_equal(fix_int(obj_field(v, 1)), 7);
}

static void symbols_have_kinds(void **state)
{
    (void)state;
    const struct {
        const char *text;
        SymbolKind kind;
    } rows[] = {{"foo", SYMKIND_LOCAL},   {"Foo", SYMKIND_CONST},  {"foo?", SYMKIND_QUESTION}, {"foo!", SYMKIND_QUESTION},
                {"foo=", SYMKIND_ATTRSET}, {"@a", SYMKIND_IVAR},    {"@@a", SYMKIND_CVAR},      {"$a", SYMKIND_GVAR},
                {"$1", SYMKIND_GVAR},      {"$-w", SYMKIND_GVAR},   {"[]=", SYMKIND_OPERATOR},  {"<=>", SYMKIND_OPERATOR},
                {"", SYMKIND_JUNK},        {"a b", SYMKIND_JUNK},   {"1a", SYMKIND_JUNK},       {"@1", SYMKIND_JUNK},
                {"foo?=", SYMKIND_JUNK},   {"&&", SYMKIND_JUNK},    {"\xc3\xa9t\xc3\xa9", SYMKIND_LOCAL}, {"\xc3\x89t", SYMKIND_CONST}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (sym_kind(sym_intern(rows[i].text)) != rows[i].kind)
            fail_msg("%s", rows[i].text);
    assert_true(sym_intern("each") == SYM(each));
    assert_true(sym_intern_len("caf\xc3\xa9", 5, 0) != sym_intern_len("caf\xc3\xa9", 5, 1));
}

static void symtables_keep_order(void **state)
{
    (void)state;
    Value t = symtable_new();
    for (uint32_t i = 1; i <= 100; i++)
        symtable_set(t, i * 7, int_fix(i));
    assert_int_equal(symtable_count(t), 100);
    for (uint32_t i = 1; i <= 100; i += 2)
        assert_true(symtable_remove(t, i * 7));
    assert_false(symtable_remove(t, 7));
    for (uint32_t i = 1000; i < 1100; i++)
        symtable_set(t, i, int_fix(i));
    assert_int_equal(symtable_count(t), 150);
    for (uint32_t i = 2; i <= 100; i += 2)
        assert_int_equal(fix_int(symtable_find(t, i * 7)->raw), i);
    for (uint32_t i = 1000; i < 1100; i++)
        assert_int_equal(fix_int(symtable_find(t, i)->raw), i);
    assert_null(symtable_find(t, 7));
}

int main(void)
{
    lib_init("object_test");
    heap_set_stack_base(__builtin_frame_address(0));
    class_boot();
    def(klass.Kernel, "object_test_only");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metaclasses_follow_superclasses),
        cmocka_unit_test(includes_and_prepends_stand_in_order),
        cmocka_unit_test(the_method_cache_sees_changes),
        cmocka_unit_test(visibility_changes_follow_the_original),
        cmocka_unit_test(constants_and_names),
        cmocka_unit_test(class_variables_are_shared_downwards),
        cmocka_unit_test(instance_variables_of_all_kinds),
        cmocka_unit_test(shapes_are_shared),
        cmocka_unit_test(fields_are_inherited_and_hidden),
        cmocka_unit_test(symbols_have_kinds),
        cmocka_unit_test(symtables_keep_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
