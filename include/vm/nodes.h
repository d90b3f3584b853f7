/*
 * nodes.h - the syntax tree that vm/parse makes and vm/compile reads.
 *
 * All types come from vm/parse/nodes.def.  Nodes live in the memory context
 * given to parse_source() and are freed with it, all at once.  Nothing here
 * refers to a Ruby object: names and strings are bytes, numbers are limbs.
 */
#ifndef VM_NODES_H
#define VM_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An interned identifier: equal names of one ParseResult are the same pointer. */
typedef struct Name {
    const char *bytes;
    uint32_t length;
    uint32_t index; /* position in the constant pool, from 0 */
} Name;

#define NO_OFFSET UINT32_MAX

/* A range of the source in bytes. */
typedef struct Location {
    uint32_t start; /* NO_OFFSET: absent */
    uint32_t length;
} Location;

typedef struct NodeString {
    const char *bytes;
    uint32_t length;
} NodeString;

/* An integer literal; little-endian 32-bit limbs, count >= 1. */
typedef struct NodeInteger {
    const uint32_t *limbs;
    uint32_t count;
    bool negative;
} NodeInteger;

typedef enum NodeType {
    NODE_NONE,
#define NODE_TYPE(number, UPPER, Camel, ...) NODE_##UPPER = number,
#include "vm/parse/nodes.def"
#undef NODE_TYPE
    NODE_TYPE_COUNT
} NodeType;

/* Head of every node. */
typedef struct Node {
    uint16_t type;  /* NodeType */
    uint16_t flags; /* NODE_FLAG_... and those of the type, below */
    uint32_t id;    /* unique in its ParseResult, from 1, in reading order of the parser */
    Location location;
} Node;

typedef struct NodeList {
    Node **items;
    uint32_t count;
} NodeList;

typedef struct NameList {
    const Name **items;
    uint32_t count;
} NameList;

#define F_NODE(f) Node *f;
#define F_NODE_OPT(f) Node *f;
#define F_LIST(f) NodeList f;
#define F_NAME(f) const Name *f;
#define F_NAME_OPT(f) const Name *f;
#define F_NAMES(f) NameList f;
#define F_LOC(f) Location f;
#define F_LOC_OPT(f) Location f;
#define F_STRING(f) NodeString f;
#define F_INTEGER(f) NodeInteger f;
#define F_DOUBLE(f) double f;
#define F_UINT(f) uint32_t f;
#define F_BYTE(f) uint8_t f;
#define NODE_TYPE(number, UPPER, Camel, ...) \
    typedef struct Camel##Node { \
        Node base; \
        __VA_ARGS__ \
    } Camel##Node;
#include "vm/parse/nodes.def"
#undef NODE_TYPE
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

/* Flags of every node. */
enum {
    NODE_FLAG_NEWLINE = 1 << 0,        /* a line event belongs here */
    NODE_FLAG_STATIC_LITERAL = 1 << 1, /* value known when compiling */
};

/* Flags by type; bit numbers start anew at 2 for each group. */
enum {
    ARGUMENTS_CONTAINS_FORWARDING = 1 << 2,
    ARGUMENTS_CONTAINS_KEYWORDS = 1 << 3,
    ARGUMENTS_CONTAINS_KEYWORD_SPLAT = 1 << 4,
    ARGUMENTS_CONTAINS_SPLAT = 1 << 5,
    ARGUMENTS_CONTAINS_MULTIPLE_SPLATS = 1 << 6,

    ARRAY_CONTAINS_SPLAT = 1 << 2,

    CALL_SAFE_NAVIGATION = 1 << 2,
    CALL_VARIABLE_CALL = 1 << 3, /* could have been a local variable */
    CALL_ATTRIBUTE_WRITE = 1 << 4,
    CALL_IGNORE_VISIBILITY = 1 << 5, /* receiver is self, written or not */

    KEYWORD_HASH_SYMBOL_KEYS = 1 << 2,
    LOOP_BEGIN_MODIFIER = 1 << 2, /* body first, then the test */
    PARAMETER_REPEATED = 1 << 2,
    RANGE_EXCLUDE_END = 1 << 2,

    STRING_FORCED_UTF8 = 1 << 2,
    STRING_FORCED_BINARY = 1 << 3,
    STRING_FROZEN = 1 << 4,
    STRING_MUTABLE = 1 << 5,

    SYMBOL_FORCED_UTF8 = 1 << 2,
    SYMBOL_FORCED_BINARY = 1 << 3,
    SYMBOL_FORCED_US_ASCII = 1 << 4,

    INTERPOLATED_STRING_FROZEN = 1 << 2,
    INTERPOLATED_STRING_MUTABLE = 1 << 3,

    REGEXP_IGNORE_CASE = 1 << 2,
    REGEXP_EXTENDED = 1 << 3,
    REGEXP_MULTI_LINE = 1 << 4,
    REGEXP_ONCE = 1 << 5,
    REGEXP_EUC_JP = 1 << 6,
    REGEXP_ASCII_8BIT = 1 << 7,
    REGEXP_WINDOWS_31J = 1 << 8,
    REGEXP_UTF_8 = 1 << 9,
    REGEXP_FORCED_UTF8 = 1 << 10,
    REGEXP_FORCED_BINARY = 1 << 11,
    REGEXP_FORCED_US_ASCII = 1 << 12,

    SHAREABLE_LITERAL = 1 << 2,
    SHAREABLE_EVERYTHING = 1 << 3,
    SHAREABLE_COPY = 1 << 4,
};

/* "CallNode" and so on; NULL when out of range. */
const char *node_type_name(NodeType type);

static inline bool location_present(Location loc)
{
    return loc.start != NO_OFFSET;
}

static inline bool node_is(const Node *node, NodeType type)
{
    return node != NULL && node->type == type;
}

#endif
