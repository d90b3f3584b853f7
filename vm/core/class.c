/* class.c -- Class: new, allocate, superclass, subclasses */
#include "vm/core/core_private.h"
#include "vm/core.h"
#include "vm/object/class_private.h"

static Value cls_initialize(Value self, int argc, const Value *argv)
{
    if (class_flag(self, CLASS_INITIALIZED))
        raise_error(klass.TypeError, "already initialized class");
    Value super = argc ? argv[0] : klass.Object;
    class_check_inheritable(super);
    if (!class_flag(super, CLASS_INITIALIZED))
        raise_error(klass.TypeError, "can't inherit uninitialized class");
    class_set_super(self, super);
    class_make_metaclass(self);
    class_inherited(super, self);
    if (block_given())
        vm_call_with_block(self, sym_intern("class_exec"), 1, &self, block_proc());
    return self;
}

static Value cls_allocate(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_alloc(self);
}

static Value cls_superclass(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (!class_flag(self, CLASS_INITIALIZED))
        raise_error(klass.TypeError, "uninitialized class");
    return class_superclass(self);
}

static Value cls_subclasses(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return class_subclasses(self);
}

static Value cls_attached_object(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (!class_is_singleton(self))
        raise_error(klass.TypeError, "'%s' is not a singleton class", class_name_c(self));
    return class_attached_object(self);
}

static Value cls_inherited(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_NIL;
}

static const Builtin methods[] = {
    {"initialize", cls_initialize, 0, 1, BI_PRIVATE},
    {"allocate", cls_allocate, 0, 0, 0},
    {"superclass", cls_superclass, 0, 0, 0},
    {"subclasses", cls_subclasses, 0, 0, 0},
    {"attached_object", cls_attached_object, 0, 0, 0},
    {"inherited", cls_inherited, 1, 1, BI_PRIVATE},
};

void class_methods_boot(void)
{
    ADD_BUILTINS(klass.Class, methods);
    static const char *const not_for_classes[] = {"module_function", "append_features", "prepend_features", "extend_object"};
    for (size_t i = 0; i < COUNT_OF(not_for_classes); i++)
        method_undef(klass.Class, sym_intern(not_for_classes[i]));
}
