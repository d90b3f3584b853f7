/*
 * dump.c - what can be done with any node by the table alone: print the tree,
 * visit the children.
 */
#include <string.h>

#include "vm/parse.h"

static const char *const type_names[NODE_TYPE_COUNT] = {
#define NODE_TYPE(number, UPPER, Camel, ...) [number] = #Camel "Node",
#include "vm/parse/nodes.def"
#undef NODE_TYPE
};

const char *node_type_name(NodeType type)
{
    return (unsigned)type < NODE_TYPE_COUNT ? type_names[type] : NULL;
}

static void dump_node(const ParseResult *result, const Node *node, StrBuf *out, int depth);

static void dump_label(StrBuf *out, int depth, const char *field)
{
    strbuf_printf(out, "%*s%s: ", depth * 2, "", field);
}

static void dump_bytes(StrBuf *out, const char *bytes, uint32_t length)
{
    strbuf_append(out, "\"", 1);
    for (uint32_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '"' || c == '\\')
            strbuf_printf(out, "\\%c", c);
        else if (c < 32 || c == 127)
            strbuf_printf(out, "\\x%02x", c);
        else
            strbuf_append(out, (const char *)&c, 1);
    }
    strbuf_append(out, "\"\n", 2);
}

static void dump_integer(StrBuf *out, NodeInteger integer)
{
    strbuf_append(out, integer.negative ? "-0x" : "0x", integer.negative ? 3 : 2);
    for (uint32_t i = integer.count; i-- > 0;)
        strbuf_printf(out, i + 1 == integer.count ? "%x" : "%08x", integer.limbs[i]);
    strbuf_append(out, "\n", 1);
}

static void dump_child(const ParseResult *result, const Node *child, const char *field, StrBuf *out, int depth)
{
    dump_label(out, depth, field);
    if (child == NULL)
        strbuf_append(out, "-\n", 2);
    else
        dump_node(result, child, out, depth);
}

static void dump_list(const ParseResult *result, NodeList list, const char *field, StrBuf *out, int depth)
{
    dump_label(out, depth, field);
    strbuf_printf(out, "(%u)\n", list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        strbuf_printf(out, "%*s- ", (depth + 1) * 2, "");
        dump_node(result, list.items[i], out, depth + 1);
    }
}

#define F_NODE(f) dump_child(result, node->f, #f, out, depth);
#define F_NODE_OPT(f) dump_child(result, node->f, #f, out, depth);
#define F_LIST(f) dump_list(result, node->f, #f, out, depth);
#define F_NAME(f) \
    dump_label(out, depth, #f); \
    dump_bytes(out, node->f->bytes, node->f->length);
#define F_NAME_OPT(f) \
    if (node->f != NULL) { \
        F_NAME(f) \
    }
#define F_NAMES(f) \
    dump_label(out, depth, #f); \
    for (uint32_t i = 0; i < node->f.count; i++) \
        strbuf_printf(out, "%s%.*s", i ? " " : "", (int)node->f.items[i]->length, node->f.items[i]->bytes); \
    strbuf_append(out, "\n", 1);
#define F_LOC(f)
#define F_LOC_OPT(f)
#define F_STRING(f) \
    dump_label(out, depth, #f); \
    dump_bytes(out, node->f.bytes, node->f.length);
#define F_INTEGER(f) \
    dump_label(out, depth, #f); \
    dump_integer(out, node->f);
#define F_DOUBLE(f) \
    dump_label(out, depth, #f); \
    strbuf_printf(out, "%.17g\n", node->f);
#define F_UINT(f) \
    dump_label(out, depth, #f); \
    strbuf_printf(out, "%u\n", node->f);
#define F_BYTE(f) F_UINT(f)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#define NODE_TYPE(number, UPPER, Camel, ...) \
    static void dump_##UPPER(const ParseResult *result, const Camel##Node *node, StrBuf *out, int depth) \
    { \
        __VA_ARGS__ \
    }
#include "vm/parse/nodes.def"
#undef NODE_TYPE
#pragma GCC diagnostic pop

static void dump_node(const ParseResult *result, const Node *node, StrBuf *out, int depth)
{
    strbuf_printf(out, "%s %d:%u", type_names[node->type], parse_line(result, node->location.start),
                  parse_column(result, node->location.start));
    if (node->flags & ~(NODE_FLAG_NEWLINE | NODE_FLAG_STATIC_LITERAL))
        strbuf_printf(out, " flags=%#x", node->flags);
    strbuf_append(out, "\n", 1);
    switch ((NodeType)node->type) {
#define NODE_TYPE(number, UPPER, Camel, ...) \
    case NODE_##UPPER: \
        dump_##UPPER(result, (const Camel##Node *)node, out, depth + 1); \
        break;
#include "vm/parse/nodes.def"
#undef NODE_TYPE
    case NODE_NONE:
    case NODE_TYPE_COUNT:
        break;
    }
}

typedef struct DumpJob {
    const ParseResult *result;
    StrBuf *out;
} DumpJob;

static void dump_job(void *arg)
{
    DumpJob *job = arg;

    dump_node(job->result, &job->result->root->base, job->out, 0);
}

void parse_dump(const ParseResult *result, StrBuf *out)
{
    DumpJob job = {result, out};

    if (result->root != NULL)
        deep_call(dump_job, &job);
}

#undef F_NODE
#undef F_NODE_OPT
#undef F_LIST
#undef F_NAME
#undef F_NAME_OPT
#undef F_NAMES
#undef F_LOC
#undef F_LOC_OPT
#undef F_STRING
#undef F_INTEGER
#undef F_DOUBLE
#undef F_UINT
#undef F_BYTE
#define F_NODE(f) visit(node->f, arg);
#define F_NODE_OPT(f) \
    if (node->f != NULL) \
        visit(node->f, arg);
#define F_LIST(f) \
    for (uint32_t i = 0; i < node->f.count; i++) \
        visit(node->f.items[i], arg);
#define F_NAME(f)
#define F_NAME_OPT(f)
#define F_NAMES(f)
#define F_LOC(f)
#define F_LOC_OPT(f)
#define F_STRING(f)
#define F_INTEGER(f)
#define F_DOUBLE(f)
#define F_UINT(f)
#define F_BYTE(f)

void node_each_child(const Node *base, void (*visit)(Node *child, void *arg), void *arg)
{
    switch ((NodeType)base->type) {
#define NODE_TYPE(number, UPPER, Camel, ...) \
    case NODE_##UPPER: { \
        const Camel##Node *node = (const Camel##Node *)base; \
        (void)node; \
        __VA_ARGS__ \
        break; \
    }
#include "vm/parse/nodes.def"
#undef NODE_TYPE
    case NODE_NONE:
    case NODE_TYPE_COUNT:
        break;
    }
}
