/*
 * code.c - the heap type Code: its row, walking its words, its stored form.
 *
 * The stored form means the same in every build: opcodes and primitives are
 * written by name (with their operand kinds), symbols as symbols, object
 * operands as slots.  Position-independent anyway: jumps are relative, caches
 * are numbered from 0.
 */
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "vm/call.h"
#include "vm/compile/compiler.h"
#include "vm/core.h"
#include "vm/frame.h"
#include "vm/record.h"

/* The last row at or before the word; NULL before the first. */
static const LineRow *line_row(const Code *code, uint32_t word)
{
    uint32_t low = 0, high = code->nlines;

    if (high == 0 || code->lines[0].word > word)
        return NULL;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (code->lines[mid].word <= word)
            low = mid;
        else
            high = mid;
    }
    return &code->lines[low];
}

int code_line_at(const Code *code, uint32_t word)
{
    const LineRow *row = line_row(code, word);

    return (int)(row ? row->line & ~LINE_STATEMENT : code->first_line);
}

bool code_statement_at(const Code *code, uint32_t word)
{
    const LineRow *row = line_row(code, word);

    return row && row->word == word && (row->line & LINE_STATEMENT);
}

void code_each_object(Code *code, void (*fn)(Slot *, void *), void *arg)
{
    const Insn *table = insn_table();

    if (!(code->flags & CODE_HOLDS_OBJECTS))
        return;
    for (uint32_t at = 0; at < code->nwords;) {
        const Insn *insn = &table[insn_op(code->words + at)];

        if (insn->object_at != 0) {
            for (uint32_t o = insn->object_at; o < insn->nwords; o += 2)
                fn((Slot *)(code->words + at + o), arg);
        }
        at += insn->nwords;
    }
}

Value code_new(void)
{
    Value v = heap_alloc_internal(T_CODE, sizeof(Code));
    Code *code = code_ptr(v);

    slot_init(&code->path, V_NIL);
    slot_init(&code->outer, V_NIL);
    slot_init(&code->script, V_NIL);
    return v;
}

static CodeEntry entry_of(const Code *code)
{
    if (code->flags & CODE_PACKED)
        return ENTRY_PACKED;
    if ((code->flags & (CODE_REST | CODE_KWREST)) || code->params.post)
        return ENTRY_ANY;
    if (code->params.optional || code->params.keywords)
        return code->flags & CODE_ARG0_SPLATS ? ENTRY_ANY : ENTRY_CHOICES;
    return code->flags & CODE_ARG0_SPLATS ? ENTRY_SPREADS : ENTRY_PLAIN;
}

void code_load(Code *code)
{
    code->entry = (uint8_t)entry_of(code);
    code->cache_base = vm_caches_reserve(code->ncaches);
}

/* ---- the type's row ---- */

static void visit_slot(Slot *slot, void *arg)
{
    Visitor *v = arg;

    v->slot(v, slot);
}

static void code_visit(Object *o, Visitor *v)
{
    Code *code = (Code *)o;

    v->slot(v, &code->path);
    v->slot(v, &code->outer);
    v->slot(v, &code->script);
    code_each_object(code, visit_slot, v);
}

static void code_free(Object *o)
{
    Code *code = (Code *)o;

    heap_free(code->words);
    heap_free(code->opt_pc);
    heap_free(code->locals);
    heap_free(code->catches);
    heap_free(code->lines);
    code->words = NULL;
    code->nwords = 0;
}

static size_t code_memsize(Object *o)
{
    Code *code = (Code *)o;

    return code->nwords * sizeof(uint32_t) + code->nlocals * sizeof(uint32_t) + code->ncatches * sizeof(CatchRow) +
           code->nlines * sizeof(LineRow) + ((size_t)code->params.optional + 1) * sizeof(uint32_t);
}

/* ---- to and from the store ---- */

static const char *const primitive_names[] = {
#define PRIMITIVE(name) #name,
#include "vm/primitives.def"
#undef PRIMITIVE
};

/* "ADD:RRRC": an instruction of that name with other operands is another instruction. */
static void insn_signature(const Insn *insn, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s:", insn->name);

    for (unsigned i = 0; i < insn->noperands && n + 1 < size; i++)
        out[n++] = insn->operands[i].kind;
    out[n] = '\0';
}

static void put_text(RecordBuilder *b, const char *text)
{
    size_t n = strlen(text);

    record_put_u64(b, n);
    record_put_bytes(b, text, n);
}

#define SIGNATURE_SIZE 48
#define CODE_RECORD_VERSION 1

typedef struct OpcodeMap {
    uint16_t number[OP_COUNT]; /* opcode to number in the record + 1 */
    uint16_t opcode[OP_COUNT];
    uint32_t count;
} OpcodeMap;

static void collect_opcodes(const Code *code, OpcodeMap *map)
{
    const Insn *table = insn_table();

    memset(map, 0, sizeof(*map));
    for (uint32_t at = 0; at < code->nwords; at += table[insn_op(code->words + at)].nwords) {
        uint32_t op = insn_op(code->words + at);

        if (map->number[op] == 0) {
            map->opcode[map->count] = (uint16_t)op;
            map->number[op] = (uint16_t)++map->count;
        }
    }
}

static void persist_words(const Code *code, RecordBuilder *b)
{
    const Insn *table = insn_table();
    OpcodeMap map;
    bool prim_used[PRIM_COUNT] = {false};
    char signature[SIGNATURE_SIZE];

    collect_opcodes(code, &map);
    record_put_u64(b, map.count);
    for (uint32_t i = 0; i < map.count; i++) {
        insn_signature(&table[map.opcode[i]], signature, sizeof(signature));
        put_text(b, signature);
    }
    for (uint32_t at = 0; at < code->nwords; at += table[insn_op(code->words + at)].nwords) {
        if (insn_op(code->words + at) == OP_PRIM)
            prim_used[insn_half(code->words + at, table[OP_PRIM].operands[1].offset)] = true;
    }
    for (unsigned i = 0; i < PRIM_COUNT; i++) {
        if (prim_used[i]) {
            record_put_u64(b, i + 1);
            put_text(b, primitive_names[i]);
        }
    }
    record_put_u64(b, 0);

    record_put_u64(b, code->nwords);
    for (uint32_t at = 0; at < code->nwords;) {
        const Insn *insn = &table[insn_op(code->words + at)];
        uint32_t copy[24];

        memcpy(copy, code->words + at, insn->nwords * sizeof(uint32_t));
        copy[0] = (copy[0] & 0xffff0000u) | (map.number[insn_op(copy)] - 1u);
        for (unsigned i = 0; i < insn->noperands; i++) {
            uint8_t offset = insn->operands[i].offset;

            if (insn->operands[i].kind == 'Y') {
                record_put_symbol_id(b, copy[offset]);
                copy[offset] = 0;
            } else if (insn->operands[i].kind == 'O') {
                record_put_slot(b, *(const Slot *)(code->words + at + offset));
                copy[offset] = copy[offset + 1] = 0;
            }
        }
        record_put_bytes(b, copy, insn->nwords * sizeof(uint32_t));
        at += insn->nwords;
    }
}

static void code_persist(Object *o, RecordBuilder *b)
{
    Code *code = (Code *)o;

    record_put_slot(b, code->path);
    record_put_slot(b, code->outer);
    record_put_symbol_id(b, code->name);
    for (uint32_t i = 0; i < code->nlocals; i++)
        record_put_symbol_id(b, code->locals[i]);

    record_put_u64(b, CODE_RECORD_VERSION);
    record_put_u64(b, code->nregs | (uint64_t)code->nlocals << 16 | (uint64_t)code->scratch << 32 |
                          (uint64_t)code->kind << 48);
    record_put_u64(b, code->flags | (uint64_t)code->first_line << 32);
    record_put_u64(b, code->params.required | (uint64_t)code->params.optional << 16 |
                          (uint64_t)code->params.post << 32 | (uint64_t)code->params.keywords << 48);
    record_put_u64(b, code->params.keywords_required | (uint64_t)code->ncaches << 32);
    record_put_u64(b, code->ncatches | (uint64_t)code->nlines << 32);
    record_put_bytes(b, code->opt_pc, ((size_t)code->params.optional + 1) * sizeof(uint32_t));
    record_put_bytes(b, code->catches, code->ncatches * sizeof(CatchRow));
    record_put_bytes(b, code->lines, code->nlines * sizeof(LineRow));
    persist_words(code, b);
}

void code_corrupt(const char *what)
{
    ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("stored bytecode: %s", what),
            errhint("The store was written by another version of Lodestone, or it is damaged."));
    __builtin_unreachable();
}

static void *take_table(RecordReader *r, size_t count, size_t size)
{
    void *to;

    if (count > record_bytes_left(r) / (size ? size : 1))
        code_corrupt("is cut short");
    if (count == 0)
        return NULL;
    to = heap_malloc(count * size);
    memcpy(to, record_take_bytes(r, count * size), count * size);
    return to;
}

static void take_text(RecordReader *r, char *out, size_t size)
{
    uint64_t n = record_take_u64(r);

    if (n >= size || n > record_bytes_left(r))
        code_corrupt("has a name that is too long");
    memcpy(out, record_take_bytes(r, (size_t)n), (size_t)n);
    out[n] = '\0';
}

static uint16_t find_opcode(const char *wanted)
{
    const Insn *table = insn_table();
    char signature[SIGNATURE_SIZE];

    for (uint16_t op = 0; op < OP_COUNT; op++) {
        insn_signature(&table[op], signature, sizeof(signature));
        if (strcmp(signature, wanted) == 0)
            return op;
    }
    code_corrupt("uses an instruction that is not known here");
}

static uint16_t find_primitive(const char *wanted)
{
    for (uint16_t i = 0; i < PRIM_COUNT; i++) {
        if (strcmp(primitive_names[i], wanted) == 0)
            return i;
    }
    code_corrupt("uses a primitive that is not known here");
}

static void restore_words(Code *code, RecordReader *r)
{
    const Insn *table = insn_table();
    uint16_t opcodes[OP_COUNT], primitives[256];
    char text[SIGNATURE_SIZE];
    uint64_t count = record_take_u64(r), number, nwords;
    uint32_t *words;

    if (count > OP_COUNT)
        code_corrupt("uses too many instructions");
    for (uint64_t i = 0; i < count; i++) {
        take_text(r, text, sizeof(text));
        opcodes[i] = find_opcode(text);
    }
    memset(primitives, 0, sizeof(primitives));
    while ((number = record_take_u64(r)) != 0) {
        take_text(r, text, sizeof(text));
        if (number > 256)
            code_corrupt("uses too many primitives");
        primitives[number - 1] = find_primitive(text);
    }
    nwords = record_take_u64(r);
    words = take_table(r, (size_t)nwords, sizeof(uint32_t));
    code->words = words; /* freed with the code, should what follows raise */
    for (uint32_t at = 0; at < nwords;) {
        uint32_t op = insn_op(words + at);
        const Insn *insn;

        if (op >= count)
            code_corrupt("has a wrong instruction");
        op = opcodes[op];
        insn = &table[op];
        if (insn->nwords > nwords - at || (insn->object_at != 0 && (at + insn->object_at) % 2 != 0))
            code_corrupt("has a wrong instruction");
        words[at] = (words[at] & 0xffff0000u) | op;
        if (op == OP_PRIM) {
            uint8_t offset = insn->operands[1].offset;

            insn_set_half(words + at, offset, primitives[insn_half(words + at, offset) & 255]);
        }
        for (unsigned i = 0; i < insn->noperands; i++) {
            uint8_t offset = insn->operands[i].offset;

            if (insn->operands[i].kind == 'Y')
                words[at + offset] = record_take_symbol_id(r);
            else if (insn->operands[i].kind == 'O')
                *(Slot *)(words + at + offset) = record_take_slot(r);
        }
        at += insn->nwords;
    }
    code->nwords = (uint32_t)nwords;
}

static void code_restore(Object *o, RecordReader *r)
{
    Code *code = (Code *)o;
    uint64_t n;
    const char *wrong;
    uint32_t where;
    Slot path = record_take_slot(r), outer = record_take_slot(r);
    size_t names_at;

    code->path = path;
    code->outer = outer;
    slot_init(&code->script, V_NIL);
    code->name = record_take_symbol_id(r);
    names_at = record_slots_left(r);

    if (record_take_u64(r) != CODE_RECORD_VERSION)
        code_corrupt("is of another version");
    n = record_take_u64(r);
    code->nregs = (uint16_t)n;
    code->nlocals = (uint16_t)(n >> 16);
    code->scratch = (uint16_t)(n >> 32);
    code->kind = (uint8_t)(n >> 48);
    n = record_take_u64(r);
    code->flags = (uint32_t)n;
    code->first_line = (uint32_t)(n >> 32);
    n = record_take_u64(r);
    code->params.required = (uint16_t)n;
    code->params.optional = (uint16_t)(n >> 16);
    code->params.post = (uint16_t)(n >> 32);
    code->params.keywords = (uint16_t)(n >> 48);
    n = record_take_u64(r);
    code->params.keywords_required = (uint16_t)n;
    code->ncaches = (uint32_t)(n >> 32);
    n = record_take_u64(r);
    if (code->nlocals > names_at || code->nlocals + 4u > code->nregs + 4u)
        code_corrupt("is inconsistent");
    code->locals = code->nlocals ? heap_calloc(code->nlocals, sizeof(uint32_t)) : NULL;
    for (uint32_t i = 0; i < code->nlocals; i++)
        code->locals[i] = record_take_symbol_id(r);
    code->opt_pc = take_table(r, (size_t)code->params.optional + 1, sizeof(uint32_t));
    code->ncatches = (uint32_t)n;
    code->catches = take_table(r, code->ncatches, sizeof(CatchRow));
    code->nlines = (uint32_t)(n >> 32);
    code->lines = take_table(r, code->nlines, sizeof(LineRow));
    restore_words(code, r);
    wrong = code_check(code, &where);
    if (wrong != NULL)
        code_corrupt(wrong);
    code_load(code);
}

void code_boot(void)
{
    static const TypeRow row = {
        .name = "Code",
        .logged = true,
        .visit = code_visit,
        .free = code_free,
        .memsize = code_memsize,
        .persist = code_persist,
        .restore = code_restore,
        .size = sizeof(Code),
    };

    heap_register_type(T_CODE, &row);
}

static void outer_uses(Value v, uint32_t nesting, void (*fn)(uint32_t, uint32_t, void *), void *arg)
{
    const Insn *table = insn_table();

    for (uint32_t at = 0; at < ((Code *)v)->nwords;) {
        const uint32_t *pc = ((Code *)v)->words + at;
        const Insn *insn = &table[insn_op(pc)];

        if (insn_op(pc) == OP_GETUP || insn_op(pc) == OP_SETUP) {
            uint32_t distance = insn_operand(pc, insn->operands[2]);

            if (distance > nesting)
                fn(insn_operand(pc, insn->operands[1]), distance - nesting, arg);
        }
        for (unsigned i = 0; i < insn->noperands; i++) {
            if (insn->operands[i].kind == 'O') {
                Value inner = slot_read(v, (Slot *)(((Code *)v)->words + at + insn->operands[i].offset));

                if (is_type(inner, T_CODE))
                    outer_uses(inner, nesting + 1, fn, arg);
            }
        }
        at += insn->nwords;
    }
}

void code_each_outer_use(Value code, void (*fn)(uint32_t reg, uint32_t distance, void *arg), void *arg)
{
    outer_uses(code, 0, fn, arg);
}
