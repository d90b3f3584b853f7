/* marshal.h -- what the two halves of Marshal share */
#ifndef VM_CORE_MARSHAL_H
#define VM_CORE_MARSHAL_H
#include "vm/core.h"

enum { MARSHAL_MAJOR = 4, MARSHAL_MINOR = 8 };
Value marshal_s_load(Value self, int argc, const Value *argv); /* marshal_load.c */
#endif
