/* struct.c -- Struct and Data: members are the hidden fields of the class's root shape; the rest is Ruby (struct.rb)
 *
 * A member's accessor is an attribute method whose name has no '@', so calls use the same inline
 * caches as attr_accessor.  Field i of an instance is slot i.
 */
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

static const Builtin singleton_methods[] = {
    {"__fields", struct_s_fields, 3, 3, BI_HIDDEN},
};
static const Builtin methods[] = {
    {"__get", struct_get, 1, 1, BI_HIDDEN},
    {"__set", struct_set, 2, 2, BI_HIDDEN},
};

void struct_boot(void)
{
    class_set_instance_type(klass.Struct, T_STRUCT);
    class_set_allocator(klass.Struct, struct_allocate);
    class_set_instance_type(klass.Data, T_STRUCT);
    class_set_allocator(klass.Data, struct_allocate);
    module_include(klass.Struct, klass.Enumerable);
    ADD_SINGLETON_BUILTINS(klass.Struct, singleton_methods);
    ADD_BUILTINS(klass.Struct, methods);
    ADD_BUILTINS(klass.Data, methods);
}
