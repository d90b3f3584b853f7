/* names.h -- names given to reflection: Symbol or String to Symbol, checked */
#ifndef VM_OBJECT_NAMES_H
#define VM_OBJECT_NAMES_H
#include "vm/core.h"
/* Symbol, String or to_str; else TypeError "1 is not a symbol nor a string". */
Value name_of(Value v);
/* The same, but V_NIL for a String that no symbol has: nothing of that name can exist. */
Value name_if_known(Value v);
Value ivar_name_of(Value v, Value recv);  /* NameError "'a' is not allowed as an instance variable name" */
Value cvar_name_of(Value v, Value recv);
/* Finds methods for reflection: not undefined, not hidden primitives of core. */
MethodEntry *method_find_shown(Value cls, Value name);
bool method_is_shown(const MethodEntry *me);
enum { METHODS_PUBLIC = 1, METHODS_PROTECTED = 2, METHODS_PRIVATE = 4, METHODS_UNDEFINED = 8,
       METHODS_OF_OBJECT = 16 /* without `inherit`: singleton class and class */ };
/* Names of the methods along the ancestry from cls; only its own unless `inherit`. */
Value method_names(Value cls, bool inherit, unsigned which);
void obj_copy_singleton(Value to, Value from);
void obj_copy_finalizers(Value to, Value from); /* objectspace.c */
#endif
