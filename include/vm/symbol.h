/* symbol.h -- symbols: numbers private to the session, names interned once
 *
 * SYM(name) is a constant for the rows of vm/symbols.def: SYM(each), SYM(op_plus).
 * Store-wide ids are another numbering, kept by vm/persist.
 */
#ifndef VM_SYMBOL_H
#define VM_SYMBOL_H
#include "vm/value.h"

enum {
    SYMID_NONE,
#define SYMBOL(name, text) SYMID_##name,
#include "vm/symbols.def"
#undef SYMBOL
    SYMID_FIRST_DYNAMIC
};
#define SYM(name) (((Value)SYMID_##name << 8) | TAG_SYMBOL)

void symbol_boot(void);
Value sym_intern(const char *text);                              /* NUL-terminated UTF-8 */
Value sym_intern_len(const char *bytes, size_t len, int encoding); /* US-ASCII when all bytes are */
Value sym_intern_str(Value str);                                 /* String#to_sym: EncodingError when broken */
Value sym_find_len(const char *bytes, size_t len, int encoding); /* V_NIL when there is none */
const char *sym_text(Value sym);                                 /* NUL-terminated, lives for ever */
size_t sym_len(Value sym);
int sym_encoding(Value sym);
Value sym_name_str(Value sym);  /* frozen String, the same each time */
uint32_t sym_count(void);
/* What a name may be: "foo" "foo?" local/method; @a; @@a; $a; Foo; foo=; operator */
typedef enum { SYMKIND_JUNK, SYMKIND_LOCAL, SYMKIND_CONST, SYMKIND_IVAR, SYMKIND_CVAR, SYMKIND_GVAR, SYMKIND_ATTRSET, SYMKIND_QUESTION, SYMKIND_OPERATOR } SymbolKind;
SymbolKind sym_kind(Value sym);
/* A bit a symbol: "some cache rests on a look-up of this method name" (see class.h) */
bool sym_looked_up(Value sym);
void sym_set_looked_up(Value sym);
#endif
