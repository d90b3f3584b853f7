/*
 * read.c - Prism's serialised tree to our nodes; parse_source().
 *
 * The format is described by nodes.def and by the readers below: bytes,
 * little-endian words, and variable-length integers of 7 bits a byte, low part
 * first.  Names refer to a constant pool by number, counted from 1; the pool
 * stands behind the tree and names the bytes, either in the source or in the
 * buffer itself (top bit set).
 *
 * I1: the reader trusts nothing: an index beyond the buffer is an internal
 *     error, not a stray read.
 * I2: no pointer into the module's memory survives parse_source().
 */
#include <string.h>

#include "lib/error.h"
#include "vm/parse.h"
#include "vm/parse/prism_host.h"

#define PRISM_MAJOR 1
#define PRISM_MINOR 9
#define PRISM_PATCH 0
/* What the options call Ruby 4.0. */
#define PRISM_VERSION_4_0 3
#define SOURCE_LIMIT ((size_t)16 << 20)

typedef struct Reader {
    const uint8_t *bytes;
    size_t length;
    size_t at;
    MemoryContext *ctx;
    ParseResult *result;
    Name *names;
    uint32_t name_count;
} Reader;

static void reader_corrupt(const Reader *r)
{
    ereport(ERROR, ERR_INTERNAL, errmsg("the parser's output is malformed at byte %zu of %zu", r->at, r->length),
            errhint("the package @ruby/prism and vm/parse/nodes.def are of different versions"));
}

static inline uint8_t read_byte(Reader *r)
{
    if (r->at >= r->length)
        reader_corrupt(r);
    return r->bytes[r->at++];
}

static uint32_t read_u32_at(Reader *r, size_t at)
{
    uint32_t value;

    if (at > r->length || r->length - at < 4)
        reader_corrupt(r);
    memcpy(&value, r->bytes + at, 4);
    return value;
}

static uint32_t read_u32(Reader *r)
{
    uint32_t value = read_u32_at(r, r->at);

    r->at += 4;
    return value;
}

static uint32_t read_varuint(Reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = read_byte(r);

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return (uint32_t)value;
    }
    reader_corrupt(r);
    return 0;
}

/* Zig-zag: the sign is the lowest bit. */
static int32_t read_varsint(Reader *r)
{
    uint32_t value = read_varuint(r);

    return (int32_t)((value >> 1) ^ (0u - (value & 1)));
}

/* A count of things of at least one byte each, so that a bad one can't ask for much memory. */
static uint32_t read_count(Reader *r)
{
    uint32_t count = read_varuint(r);

    if (count > r->length - r->at)
        reader_corrupt(r);
    return count;
}

static NodeString read_embedded(Reader *r)
{
    NodeString string;
    uint32_t length = read_count(r);
    char *copy = mem_alloc(r->ctx, (size_t)length + 1);

    memcpy(copy, r->bytes + r->at, length);
    copy[length] = '\0';
    r->at += length;
    string.bytes = copy;
    string.length = length;
    return string;
}

static Location read_location(Reader *r)
{
    Location loc;

    loc.start = read_varuint(r);
    loc.length = read_varuint(r);
    return loc;
}

static Location read_location_opt(Reader *r)
{
    if (read_byte(r) != 0)
        return read_location(r);
    return (Location){NO_OFFSET, 0};
}

static NodeString source_range(Reader *r, uint32_t start, uint32_t length)
{
    if (start > r->result->length || length > r->result->length - start)
        reader_corrupt(r);
    return (NodeString){r->result->source + start, length};
}

static NodeString read_string(Reader *r)
{
    Location loc;

    switch (read_byte(r)) {
    case 1:
        loc = read_location(r);
        return source_range(r, loc.start, loc.length);
    case 2:
        return read_embedded(r);
    default:
        reader_corrupt(r);
        return (NodeString){NULL, 0};
    }
}

static const Name *read_name_opt(Reader *r)
{
    uint32_t index = read_varuint(r);

    if (index > r->name_count)
        reader_corrupt(r);
    return index == 0 ? NULL : &r->names[index - 1];
}

static const Name *read_name(Reader *r)
{
    const Name *name = read_name_opt(r);

    if (name == NULL)
        reader_corrupt(r);
    return name;
}

static NameList read_names(Reader *r)
{
    NameList list;

    list.count = read_count(r);
    list.items = mem_alloc(r->ctx, list.count * sizeof(Name *) + 1);
    for (uint32_t i = 0; i < list.count; i++)
        list.items[i] = read_name(r);
    return list;
}

static NodeInteger read_integer(Reader *r)
{
    NodeInteger integer;
    uint32_t *limbs;

    integer.negative = read_byte(r) != 0;
    integer.count = read_count(r);
    limbs = mem_alloc(r->ctx, integer.count * sizeof(uint32_t) + sizeof(uint32_t));
    for (uint32_t i = 0; i < integer.count; i++)
        limbs[i] = read_varuint(r);
    integer.limbs = limbs;
    return integer;
}

static double read_double(Reader *r)
{
    double value;

    if (r->length - r->at < sizeof(value))
        reader_corrupt(r);
    memcpy(&value, r->bytes + r->at, sizeof(value));
    r->at += sizeof(value);
    return value;
}

static Node *read_node(Reader *r);

static Node *read_node_opt(Reader *r)
{
    if (read_byte(r) == 0)
        return NULL;
    r->at--;
    return read_node(r);
}

static NodeList read_list(Reader *r)
{
    NodeList list;

    list.count = read_count(r);
    list.items = mem_alloc(r->ctx, list.count * sizeof(Node *) + 1);
    for (uint32_t i = 0; i < list.count; i++)
        list.items[i] = read_node(r);
    return list;
}

/* One function a node type, so that the recursion's frames stay small. */
#define F_NODE(f) node->f = read_node(r);
#define F_NODE_OPT(f) node->f = read_node_opt(r);
#define F_LIST(f) node->f = read_list(r);
#define F_NAME(f) node->f = read_name(r);
#define F_NAME_OPT(f) node->f = read_name_opt(r);
#define F_NAMES(f) node->f = read_names(r);
#define F_LOC(f) node->f = read_location(r);
#define F_LOC_OPT(f) node->f = read_location_opt(r);
#define F_STRING(f) node->f = read_string(r);
#define F_INTEGER(f) node->f = read_integer(r);
#define F_DOUBLE(f) node->f = read_double(r);
#define F_UINT(f) node->f = read_varuint(r);
#define F_BYTE(f) node->f = read_byte(r);
#define NODE_TYPE(number, UPPER, Camel, ...)                                                \
    static Node *read_##UPPER(Reader *r, const Node *head)                                  \
    {                                                                                       \
        Camel##Node *node = mem_alloc(r->ctx, sizeof(Camel##Node));                         \
        node->base = *head;                                                                 \
        __VA_ARGS__                                                                         \
        return &node->base;                                                                 \
    }
#include "vm/parse/nodes.def"
#undef NODE_TYPE

typedef Node *(*NodeReader)(Reader *, const Node *);
static const NodeReader node_readers[NODE_TYPE_COUNT] = {
#define NODE_TYPE(number, UPPER, Camel, ...) [number] = read_##UPPER,
#include "vm/parse/nodes.def"
#undef NODE_TYPE
};

static Node *read_node(Reader *r)
{
    Node head;

    head.type = read_byte(r);
    if (head.type == NODE_NONE || head.type >= NODE_TYPE_COUNT)
        reader_corrupt(r);
    head.id = read_varuint(r);
    head.location = read_location(r);
    if (head.type == NODE_DEF)
        read_u32(r); /* length of its serialised form, for readers that skip */
    head.flags = (uint16_t)read_varuint(r);
    return node_readers[head.type](r, &head);
}

static ParseDiagnostic *read_diagnostics(Reader *r, uint32_t *count, ParseLevel first_level)
{
    ParseDiagnostic *list;

    *count = read_count(r);
    list = mem_alloc(r->ctx, *count * sizeof(*list) + 1);
    for (uint32_t i = 0; i < *count; i++) {
        list[i].code = read_varuint(r);
        list[i].message = read_embedded(r);
        list[i].location = read_location(r);
        list[i].level = first_level + read_byte(r);
    }
    return list;
}

static void read_names_pool(Reader *r, uint32_t pool)
{
    r->name_count = read_varuint(r);
    if (pool > r->length || r->name_count > (r->length - pool) / 8)
        reader_corrupt(r);
    r->names = mem_alloc(r->ctx, r->name_count * sizeof(Name) + 1);
    for (uint32_t i = 0; i < r->name_count; i++) {
        uint32_t start = read_u32_at(r, pool + (size_t)i * 8);
        uint32_t length = read_u32_at(r, pool + (size_t)i * 8 + 4);
        Name *name = &r->names[i];

        if (start & 0x80000000u) {
            char *copy;

            start &= 0x7fffffffu;
            if (start > r->length || length > r->length - start)
                reader_corrupt(r);
            copy = mem_alloc(r->ctx, (size_t)length + 1);
            memcpy(copy, r->bytes + start, length);
            copy[length] = '\0';
            name->bytes = copy;
        } else {
            name->bytes = source_range(r, start, length).bytes;
        }
        name->length = length;
        name->index = i;
    }
    r->result->names = r->names;
    r->result->name_count = r->name_count;
}

static void read_result(Reader *r)
{
    ParseResult *result = r->result;
    static const uint8_t magic[] = {'P', 'R', 'I', 'S', 'M', PRISM_MAJOR, PRISM_MINOR, PRISM_PATCH, 0};
    uint32_t pool;

    if (r->length < sizeof(magic) || memcmp(r->bytes, magic, sizeof(magic)) != 0)
        reader_corrupt(r);
    r->at = sizeof(magic);
    result->encoding = read_embedded(r);
    result->first_line = read_varsint(r);

    uint32_t *lines;
    result->line_count = read_count(r);
    lines = mem_alloc(r->ctx, (result->line_count + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < result->line_count; i++)
        lines[i] = read_varuint(r);
    if (result->line_count == 0) {
        lines[0] = 0;
        result->line_count = 1;
    }
    result->line_starts = lines;

    for (uint32_t n = read_count(r); n > 0; n--) { /* comments */
        read_varuint(r);
        read_location(r);
    }
    result->magic_comment_count = read_count(r);
    result->magic_comments = mem_alloc(r->ctx, result->magic_comment_count * sizeof(MagicComment) + 1);
    for (uint32_t i = 0; i < result->magic_comment_count; i++) {
        result->magic_comments[i].key = read_location(r);
        result->magic_comments[i].value = read_location(r);
    }
    result->data = read_location_opt(r);
    result->errors = read_diagnostics(r, &result->error_count, PARSE_ERROR_SYNTAX);
    result->warnings = read_diagnostics(r, &result->warning_count, PARSE_WARNING_DEFAULT);
    pool = read_u32(r);
    read_names_pool(r, pool);
    if (result->error_count == 0) {
        Node *root = read_node(r);

        if (root->type != NODE_PROGRAM)
            reader_corrupt(r);
        result->root = (ProgramNode *)root;
    }
}

/* Parser options in the module's packed form. */
static void pack_u32(StrBuf *out, uint32_t value)
{
    strbuf_append(out, (const char *)&value, 4);
}

static void pack_byte(StrBuf *out, uint8_t value)
{
    strbuf_append(out, (const char *)&value, 1);
}

static void pack_string(StrBuf *out, const char *string)
{
    size_t length = string == NULL ? 0 : strlen(string);

    pack_u32(out, (uint32_t)length);
    if (length > 0)
        strbuf_append(out, string, length);
}

static void pack_options(StrBuf *out, const ParseOptions *o)
{
    int32_t line = o->first_line == 0 ? 1 : o->first_line == PARSE_LINE_ZERO ? 0 : o->first_line;

    pack_string(out, o->file);
    pack_u32(out, (uint32_t)line);
    pack_string(out, o->encoding);
    pack_byte(out, (uint8_t)o->frozen_string_literal);
    pack_byte(out, o->switches);
    pack_byte(out, PRISM_VERSION_4_0);
    pack_byte(out, o->encoding_locked);
    pack_byte(out, o->main_script);
    pack_byte(out, o->partial_script);
    pack_byte(out, 0); /* freeze: not for us */
    pack_u32(out, o->scope_count);
    for (uint32_t i = 0; i < o->scope_count; i++) {
        const ParseScope *scope = &o->scopes[i];

        pack_u32(out, scope->local_count);
        pack_byte(out, scope->forwarding);
        for (uint32_t k = 0; k < scope->local_count; k++) {
            pack_u32(out, scope->locals[k].length);
            strbuf_append(out, scope->locals[k].bytes, scope->locals[k].length);
        }
    }
}

static void result_single_error(ParseResult *result, MemoryContext *ctx, const char *message)
{
    ParseDiagnostic *d = mem_zalloc(ctx, sizeof(*d));
    uint32_t *lines = mem_zalloc(ctx, sizeof(uint32_t));

    d->level = PARSE_ERROR_SYNTAX;
    d->message = (NodeString){message, (uint32_t)strlen(message)};
    result->errors = d;
    result->error_count = 1;
    result->line_starts = lines;
    result->line_count = 1;
}

typedef struct ParseJob {
    Reader reader;
    const ParseOptions *options;
} ParseJob;

static void parse_job(void *arg)
{
    ParseJob *job = arg;
    Reader *r = &job->reader;
    StrBuf packed;
    bool ok;

    strbuf_init(&packed, r->ctx);
    pack_options(&packed, job->options);
    ok = prism_parse(r->result->source, r->result->length, (const uint8_t *)packed.data, packed.len,
                     &r->bytes, &r->length);
    if (!ok) {
        result_single_error(r->result, r->ctx, "nested too deeply");
        return;
    }
    TRY()
    {
        read_result(r);
    }
    CATCH(err)
    {
        prism_release();
        rethrow();
    }
    END_TRY();
    prism_release();
}

ParseResult *parse_source(const char *source, size_t length, const ParseOptions *options, MemoryContext *ctx)
{
    static const ParseOptions defaults;
    ParseResult *result = mem_zalloc(ctx, sizeof(*result));
    ParseJob job;
    char *copy;

    if (options == NULL)
        options = &defaults;
    result->file = mem_strdup(ctx, options->file == NULL ? "" : options->file);
    result->first_line = options->first_line == 0 ? 1
                       : options->first_line == PARSE_LINE_ZERO ? 0 : options->first_line;
    result->data.start = NO_OFFSET;
    result->encoding = (NodeString){"UTF-8", 5};
    if (length > SOURCE_LIMIT) {
        result->source = "";
        result_single_error(result, ctx, "source is longer than 16 MiB");
        return result;
    }
    copy = mem_alloc(ctx, length + 1);
    memcpy(copy, source, length);
    copy[length] = '\0';
    result->source = copy;
    result->length = (uint32_t)length;

    memset(&job, 0, sizeof(job));
    job.reader.ctx = ctx;
    job.reader.result = result;
    job.options = options;
    deep_call(parse_job, &job);
    return result;
}

static uint32_t line_index(const ParseResult *result, uint32_t offset)
{
    uint32_t low = 0, high = result->line_count;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (result->line_starts[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

int32_t parse_line(const ParseResult *result, uint32_t offset)
{
    return result->first_line + (int32_t)line_index(result, offset);
}

uint32_t parse_column(const ParseResult *result, uint32_t offset)
{
    return offset - result->line_starts[line_index(result, offset)];
}
