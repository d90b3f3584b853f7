/* prelude.h -- the Ruby part of core, embedded: in the order of vm/core/prelude.def, ended by a NULL name */
#ifndef VM_PRELUDE_H
#define VM_PRELUDE_H
#include <stddef.h>

typedef struct PreludeFile {
    const char *name; /* "<internal:array>" */
    const char *text; /* UTF-8 */
    size_t len;
} PreludeFile;
extern const PreludeFile prelude_files[];
extern const PreludeFile library_files[]; /* vm/lib, for `require` */
#endif
