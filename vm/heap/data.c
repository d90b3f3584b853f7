/* data.c -- T_DATA: an object around C data, told apart by the address of its DataType */
#include "vm/call.h"
#include "vm/heap/heap_private.h"

typedef struct DataObject {
    uint64_t head;
    const DataType *type;
    void *data;
} DataObject;

static void data_visit(Object *o, Visitor *v)
{
    DataObject *d = (DataObject *)o;
    if (d->data && d->type && d->type->visit)
        d->type->visit(d->data, v);
}

static void data_free(Object *o)
{
    DataObject *d = (DataObject *)o;
    if (d->data && d->type && d->type->free)
        d->type->free(d->data);
}

static size_t data_memsize(Object *o)
{
    DataObject *d = (DataObject *)o;
    return d->data && d->type && d->type->memsize ? d->type->memsize(d->data) : 0;
}

static const TypeRow data_row = {.name = "data", .visit = data_visit, .free = data_free, .memsize = data_memsize};

void heap_data_boot(void)
{
    heap_register_type(T_DATA, &data_row);
}

Value data_new(Value cls, const DataType *type, void *data)
{
    Value v = heap_alloc(T_DATA, cls, sizeof(DataObject));
    ((DataObject *)v)->type = type;
    ((DataObject *)v)->data = data;
    return v;
}

void *data_get(Value v, const DataType *type)
{
    if (!is_type(v, T_DATA) || ((DataObject *)v)->type != type)
        raise_error(klass.TypeError, "wrong argument type %C (expected %s)", class_real(v), type->name);
    obj_attend(v);
    if (!((DataObject *)v)->data)
        raise_error(klass.ArgumentError, "uninitialized %s", type->name);
    return ((DataObject *)v)->data;
}

void data_set(Value v, const DataType *type, void *data)
{
    if (!is_type(v, T_DATA))
        raise_error(klass.TypeError, "wrong argument type %C (expected %s)", class_real(v), type->name);
    ((DataObject *)v)->type = type;
    ((DataObject *)v)->data = data;
}
