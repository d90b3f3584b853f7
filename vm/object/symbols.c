/* symbols.c -- the session's symbols: a number a name, never given back
 *
 * Rows live in a reserved range indexed by number (they never move, so sym_text needs no lock and
 * lives for ever); one open-addressing table finds the number of a name.  Two names of the same bytes in
 * different encodings are different symbols, but ASCII-only names are always US-ASCII.
 */
#include "lib/error.h"
#include "lib/hashtab.h"
#include "lib/memory.h"
#include "vm/core.h"
#include "vm/object/object_private.h"
#include <ctype.h>
#include <sys/mman.h>

#define SYMBOLS_MAX ((size_t)1 << 24)

typedef struct SymbolRow {
    const char *text;
    uint32_t len, hash;
    Value name; /* frozen String, 0 while nobody asked */
    uint8_t encoding, kind;
    bool looked_up;
} SymbolRow;

static SymbolRow *rows;
static uint32_t count; /* rows 1 .. count - 1 are in use */
static uint32_t *table;
static size_t table_size;
static MemoryContext *memory;
static char *arena;
static size_t arena_left;

static const char *keep_text(const char *bytes, size_t len)
{
    if (len + 1 > arena_left) {
        arena_left = MAX((size_t)16384, len + 1);
        arena = mem_alloc(memory, arena_left);
    }
    char *p = arena;
    memcpy(p, bytes, len);
    p[len] = 0;
    arena += len + 1;
    arena_left -= len + 1;
    return p;
}

static uint32_t hash_name(const char *bytes, size_t len, int encoding)
{
    return (uint32_t)hash_bytes(bytes, len, 77 + (uint64_t)encoding);
}

static uint32_t *place_of(const char *bytes, size_t len, int encoding, uint32_t hash)
{
    size_t at = hash & (table_size - 1);
    for (; table[at]; at = (at + 1) & (table_size - 1)) {
        SymbolRow *r = &rows[table[at]];
        if (r->hash == hash && r->len == len && r->encoding == encoding && !memcmp(r->text, bytes, len))
            break;
    }
    return &table[at];
}

static void table_grow(void)
{
    size_t size = table_size ? table_size * 2 : 8192;
    mem_free(table);
    table = mem_zalloc(memory, size * sizeof *table);
    table_size = size;
    for (uint32_t i = 1; i < count; i++) {
        size_t at = rows[i].hash & (size - 1);
        while (table[at])
            at = (at + 1) & (size - 1);
        table[at] = i;
    }
}

static bool is_ident_byte(unsigned char c)
{
    return isalnum(c) || c == '_' || c >= 0x80;
}

static size_t ident_len(const char *s, size_t n)
{
    if (n == 0 || !is_ident_byte((unsigned char)*s) || isdigit((unsigned char)*s))
        return 0;
    size_t i = 1;
    while (i < n && is_ident_byte((unsigned char)s[i]))
        i++;
    return i;
}

static bool is_operator(const char *s, size_t n)
{
    static const char *const operators[] = {"+",  "-",  "*",  "/",  "%",  "**", "==", "!=", "===", "<",  "<=",  ">",  ">=", "<=>",
                                            "=~", "!~", "!",  "&",  "|",  "^",  "~",  "<<", ">>",  "[]", "[]=", "+@", "-@", "`"};
    for (size_t i = 0; i < COUNT_OF(operators); i++)
        if (strlen(operators[i]) == n && !memcmp(operators[i], s, n))
            return true;
    return false;
}

/* A capital begins a constant; beyond ASCII that takes tables, and the two-byte Greek, Cyrillic and Latin capitals
 * are what programs use. */
static bool begins_constant(const char *s, size_t n)
{
    unsigned char c = (unsigned char)*s;
    if (c < 0x80)
        return isupper(c);
    if (n < 2)
        return false;
    unsigned cp = (c & 0x1f) << 6 | ((unsigned char)s[1] & 0x3f);
    if (c == 0xc3)
        return cp >= 0xc0 && cp <= 0xde && cp != 0xd7;
    return (c == 0xce || c == 0xcf) ? cp >= 0x391 && cp <= 0x3ab : (c == 0xd0 && cp >= 0x400 && cp <= 0x42f);
}

static SymbolKind kind_of_text(const char *s, size_t n)
{
    if (n == 0)
        return SYMKIND_JUNK;
    if (s[0] == '@') {
        bool two = n > 1 && s[1] == '@';
        size_t skip = two ? 2 : 1;
        if (ident_len(s + skip, n - skip) != n - skip || n == skip)
            return SYMKIND_JUNK;
        return two ? SYMKIND_CVAR : SYMKIND_IVAR;
    }
    if (s[0] == '$') {
        if (n > 1 && ident_len(s + 1, n - 1) == n - 1)
            return SYMKIND_GVAR;
        if (n == 2 && strchr("~*$?!@/\\;,.=:<>\"&`'+0123456789_", s[1]))
            return SYMKIND_GVAR;
        if (n == 3 && s[1] == '-' && is_ident_byte((unsigned char)s[2]))
            return SYMKIND_GVAR;
        for (size_t i = 1; i < n; i++)
            if (!isdigit((unsigned char)s[i]))
                return SYMKIND_JUNK;
        return n > 1 ? SYMKIND_GVAR : SYMKIND_JUNK;
    }
    size_t ident = ident_len(s, n);
    if (ident == n)
        return begins_constant(s, n) ? SYMKIND_CONST : SYMKIND_LOCAL;
    if (ident && ident == n - 1) {
        if (s[ident] == '?' || s[ident] == '!')
            return SYMKIND_QUESTION;
        if (s[ident] == '=')
            return SYMKIND_ATTRSET;
    }
    return is_operator(s, n) ? SYMKIND_OPERATOR : SYMKIND_JUNK;
}

static uint32_t add(const char *bytes, size_t len, int encoding, uint32_t hash)
{
    if (count >= SYMBOLS_MAX)
        ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("too many symbols"));
    if ((size_t)count * 2 >= table_size)
        table_grow();
    uint32_t *place = place_of(bytes, len, encoding, hash);
    uint32_t id = count++;
    rows[id] = (SymbolRow){.text = keep_text(bytes, len),
                           .len = (uint32_t)len,
                           .hash = hash,
                           .encoding = (uint8_t)encoding,
                           .kind = (uint8_t)kind_of_text(bytes, len)};
    *place = id;
    return id;
}

static int normal_encoding(const char *bytes, size_t len, int encoding)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)bytes[i] >= 0x80)
            return encoding;
    return ENC_US_ASCII;
}

Value sym_intern_len(const char *bytes, size_t len, int encoding)
{
    encoding = normal_encoding(bytes, len, encoding);
    uint32_t hash = hash_name(bytes, len, encoding);
    uint32_t id = *place_of(bytes, len, encoding, hash);
    return symbol_value(id ? id : add(bytes, len, encoding, hash));
}

Value sym_intern(const char *text)
{
    return sym_intern_len(text, strlen(text), ENC_UTF_8);
}

Value sym_find_len(const char *bytes, size_t len, int encoding)
{
    encoding = normal_encoding(bytes, len, encoding);
    uint32_t id = *place_of(bytes, len, encoding, hash_name(bytes, len, encoding));
    return id ? symbol_value(id) : V_NIL;
}

Value sym_intern_str(Value str)
{
    StrView view = str_view(str);
    if (str_is_broken(str))
        raise_error(klass.EncodingError, "invalid symbol in encoding %s :%V", encoding_name(view.enc), str);
    return sym_intern_len(view.ptr, view.len, view.enc);
}

const char *sym_text(Value sym)
{
    return rows[symbol_id(sym)].text;
}

size_t sym_len(Value sym)
{
    return rows[symbol_id(sym)].len;
}

int sym_encoding(Value sym)
{
    return rows[symbol_id(sym)].encoding;
}

Value sym_name_str(Value sym)
{
    SymbolRow *r = &rows[symbol_id(sym)];
    if (!r->name)
        r->name = str_new_frozen(r->text, r->len, r->encoding);
    return r->name;
}

uint32_t sym_count(void)
{
    return count;
}

SymbolKind sym_kind(Value sym)
{
    return (SymbolKind)rows[symbol_id(sym)].kind;
}

bool sym_looked_up(Value sym)
{
    return rows[symbol_id(sym)].looked_up;
}

void sym_set_looked_up(Value sym)
{
    rows[symbol_id(sym)].looked_up = true;
}

static void visit(Visitor *v)
{
    for (uint32_t i = 1; i < count; i++)
        if (rows[i].name)
            v->value(v, &rows[i].name);
}

void symbol_boot(void)
{
    if (rows)
        return;
    void *p = mmap(NULL, SYMBOLS_MAX * sizeof(SymbolRow), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("could not reserve the symbol table"));
    rows = p;
    memory = memctx_create(NULL, "symbols");
    count = 1;
    table_grow();
    static const char *const known[] = {
#define SYMBOL(name, text) text,
#include "vm/symbols.def"
#undef SYMBOL
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t len = strlen(known[i]);
        uint32_t hash = hash_name(known[i], len, ENC_US_ASCII);
        if (*place_of(known[i], len, ENC_US_ASCII, hash))
            ereport(FATAL, ERR_INTERNAL, errmsg("symbols.def names \"%s\" twice", known[i]));
        add(known[i], len, ENC_US_ASCII, hash);
    }
    heap_add_visitor(visit, "symbols");
}
