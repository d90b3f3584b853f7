/* refinement.c -- Module#refine, using and class Refinement */
#include "vm/core/core_private.h"
#include "vm/core.h"
#include "vm/code.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"
#include "vm/object/names.h"

static Value mod_refine(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!block_given())
        raise_error(klass.ArgumentError, "no block given");
    if (!is_module(argv[0]))
        raise_error(klass.TypeError, "wrong argument type %C (expected Class or Module)", class_real(argv[0]));
    Value block = block_proc(), r = refinement_get(self, argv[0]);
    vm_call_with_block(r, sym_intern("class_exec"), 1, &r, block);
    return r;
}

static Value mod_refinements(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return ary_dup(module_refinements(self));
}

static Value use(Value mod)
{
    if (!is_type(mod, T_MODULE))
        raise_error(klass.TypeError, "wrong argument type %C (expected Module)", class_real(mod));
    if (class_flag(mod, CLASS_REFINEMENT))
        raise_error(klass.ArgumentError, "refinement module is not allowed");
    Value cref = frame_renew_cref();
    if (!is_nil(cref))
        refinements_use(cref, mod);
    return V_NIL;
}

static Value mod_using(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_nil(frame_method_name()))
        raise_error(klass.RuntimeError, "Module#using is not permitted in methods");
    if (frame_self() != self)
        raise_error(klass.RuntimeError, "Module#using is not called on self");
    use(argv[0]);
    return self;
}

static Value main_using(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_nil(frame_method_name()) || frame_self() != self)
        raise_error(klass.RuntimeError, "main.using is permitted only at toplevel");
    use(argv[0]);
    return self;
}

static Value mod_s_used_modules(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value found = refinements_active(frame_cref()), list = ary_new(4);
    for (size_t i = 0; i < ary_len(found); i++) {
        Value owner = refinement_owner(ary_get(found, (long)i));
        if (!ary_includes(list, owner))
            ary_push(list, owner);
    }
    return list;
}

static Value mod_s_used_refinements(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return refinements_active(frame_cref());
}

static Value ref_target(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return refinement_target(self);
}

static Value ref_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return str_format("#<refinement:%T@%T>", class_path(refinement_target(self)), class_path(refinement_owner(self)));
}

typedef struct ImportArg {
    Value refinement, from;
} ImportArg;

static void import_check(uint32_t id, Slot *s, void *arg)
{
    ImportArg *a = arg;
    MethodEntry *me = (MethodEntry *)s->raw;
    if (me->kind != ME_CODE)
        raise_error(klass.ArgumentError, "Can't import method which is not defined with Ruby code: %s#%s", class_name_c(a->from),
                    sym_text(symbol_value(id)));
}

static Value cref_for_import(Value from, Value refinement)
{
    Value cref = obj_dup_slots(from);
    Value pairs = ary_new_from(2, (Value[]){refinement_target(refinement), refinement});
    obj_init_field(cref, CREF_REFINEMENTS, pairs);
    return cref;
}

static void import_one(uint32_t id, Slot *s, void *arg)
{
    ImportArg *a = arg;
    MethodEntry *me = (MethodEntry *)s->raw;
    /* The bodies see the refinements of where they are imported: a cref around theirs says so. */
    Value from = slot_read((Value)me, &me->cref);
    method_define_code(a->refinement, symbol_value(id), slot_read((Value)me, &me->body), cref_for_import(from, a->refinement),
                       (Visibility)me->visibility);
}

static Value ref_import_methods(Value self, int argc, const Value *argv)
{
    for (int i = 0; i < argc; i++)
        if (!is_type(argv[i], T_MODULE))
            raise_error(klass.TypeError, "wrong argument type %C (expected Module)", class_real(argv[i]));
    for (int i = 0; i < argc; i++) {
        if (!is_nil(class_next(argv[i])))
            warn_printf("%s has ancestors, but Refinement#import_methods doesn't import their methods", class_name_c(argv[i]));
        ImportArg a = {self, argv[i]};
        class_rows_each(argv[i], class_ext(argv[i])->methods, import_check, &a);
        class_rows_each(argv[i], class_ext(argv[i])->methods, import_one, &a);
    }
    return self;
}

static Value ref_removed_include(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    raise_error(klass.TypeError, "Refinement#include has been removed");
}

static Value ref_removed_prepend(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    raise_error(klass.TypeError, "Refinement#prepend has been removed");
}

static const Builtin module_methods[] = {
    {"refine", mod_refine, 1, 1, BI_PRIVATE},
    {"using", mod_using, 1, 1, BI_PRIVATE},
    {"refinements", mod_refinements, 0, 0, 0},
};

static const Builtin module_singleton_methods[] = {
    {"used_modules", mod_s_used_modules, 0, 0, 0},
    {"used_refinements", mod_s_used_refinements, 0, 0, 0},
};

static const Builtin methods[] = {
    {"target", ref_target, 0, 0, 0},
    {"inspect", ref_inspect, 0, 0, 0},
    {"to_s", ref_inspect, 0, 0, 0},
    {"include", ref_removed_include, 0, -1, BI_PRIVATE},
    {"prepend", ref_removed_prepend, 0, -1, BI_PRIVATE},
    {"import_methods", ref_import_methods, 1, -1, BI_PRIVATE},
};

static const Builtin main_methods[] = {
    {"using", main_using, 1, 1, BI_PRIVATE},
};

void refinement_boot(void)
{
    ADD_BUILTINS(klass.Module, module_methods);
    ADD_SINGLETON_BUILTINS(klass.Module, module_singleton_methods);
    ADD_BUILTINS(klass.Refinement, methods);
    ADD_SINGLETON_BUILTINS(vm_main_object(), main_methods);
    static const char *const removed[] = {"append_features", "prepend_features", "extend_object"};
    for (size_t i = 0; i < COUNT_OF(removed); i++)
        method_undef(klass.Refinement, sym_intern(removed[i]));
    static const char *const not_for_classes[] = {"refine"};
    for (size_t i = 0; i < COUNT_OF(not_for_classes); i++)
        method_undef(klass.Class, sym_intern(not_for_classes[i]));
}
