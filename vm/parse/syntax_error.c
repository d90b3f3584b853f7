/*
 * syntax_error.c - the message of a SyntaxError, laid out as CRuby 4.0 does:
 *
 *     f.rb:3: syntax errors found
 *       1 | x = 1
 *       2 | foo(
 *     > 3 | y = = 2
 *         |   ^ expected an expression after `=`
 *       ~~~~~~~
 *
 * Up to two lines of context around each error, each line once, a divider
 * where lines are left out, one caret line an error.  Lines much longer than
 * the errors on them are cut on both sides.  Of errors at one place the one
 * found last comes first.  A source that is not valid in its
 * encoding is not shown at all.
 */
#include <string.h>

#include "vm/parse.h"

/* Columns kept left of the first and right of the last error of a line. */
#define KEEP_COLUMNS 30u

typedef struct SortedError {
    const ParseDiagnostic *diagnostic;
    uint32_t line;         /* index into line_starts */
    uint32_t column_start; /* bytes within the line */
    uint32_t column_end;   /* exclusive, on the same line */
} SortedError;

typedef struct Layout {
    const ParseResult *result;
    StrBuf *out;
    int number_width;
    bool with_messages; /* beside the carets; else the head line says it */
} Layout;

static uint32_t utf8_width(const uint8_t *p, size_t left)
{
    uint32_t need = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3
                  : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

    if (need == 0 || need > left)
        return 0;
    for (uint32_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return need;
}

static bool source_valid(const ParseResult *result)
{
    const uint8_t *p = (const uint8_t *)result->source;
    size_t left = result->length;

    if (result->encoding.length != 5 || memcmp(result->encoding.bytes, "UTF-8", 5) != 0)
        return true;
    while (left > 0) {
        uint32_t width = utf8_width(p, left);

        if (width == 0)
            return false;
        p += width;
        left -= width;
    }
    return true;
}

static uint32_t line_end(const ParseResult *result, uint32_t line)
{
    return line + 1 < result->line_count ? result->line_starts[line + 1] : result->length;
}

static SortedError *sort_errors(const ParseResult *result, MemoryContext *ctx)
{
    SortedError *sorted = mem_alloc(ctx, result->error_count * sizeof(SortedError) + 1);

    for (uint32_t i = 0; i < result->error_count; i++) {
        const ParseDiagnostic *d = &result->errors[i];
        uint32_t start = d->location.start > result->length ? result->length : d->location.start;
        uint32_t end = start + d->location.length;
        SortedError e = {.diagnostic = d};
        uint32_t at = i;

        e.line = (uint32_t)(parse_line(result, start) - result->first_line);
        e.column_start = start - result->line_starts[e.line];
        if (end > line_end(result, e.line))
            end = line_end(result, e.line);
        e.column_end = end - result->line_starts[e.line];
        if (e.column_end <= e.column_start)
            e.column_end = e.column_start + 1;
        while (at > 0 && (sorted[at - 1].line > e.line ||
                          (sorted[at - 1].line == e.line && sorted[at - 1].column_start >= e.column_start))) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = e;
    }
    return sorted;
}

static void put_line(Layout *l, const char *lead, uint32_t line, uint32_t from, uint32_t to, bool cut_end)
{
    const ParseResult *r = l->result;
    uint32_t start = r->line_starts[line];

    strbuf_printf(l->out, "%s%*d | ", lead, l->number_width, (int)line + r->first_line);
    if (from > 0)
        strbuf_append(l->out, "... ", 4);
    strbuf_append(l->out, r->source + start + from, to - from);
    if (cut_end)
        strbuf_append(l->out, " ...\n", 5);
    else if (to == from || r->source[start + to - 1] != '\n')
        strbuf_append(l->out, "\n", 1);
}

static void put_context(Layout *l, uint32_t line)
{
    put_line(l, "  ", line, 0, line_end(l->result, line) - l->result->line_starts[line], false);
}

/* What of the line is shown, given the errors sorted[index..] on it. */
static void put_error_line(Layout *l, const SortedError *sorted, uint32_t index, uint32_t *from)
{
    const ParseResult *r = l->result;
    uint32_t line = sorted[index].line;
    uint32_t length = line_end(r, line) - r->line_starts[line];
    uint32_t last = 0, to = length;

    for (uint32_t i = index; i < r->error_count && sorted[i].line == line; i++) {
        if (sorted[i].column_end > last)
            last = sorted[i].column_end;
    }
    *from = sorted[index].column_start >= KEEP_COLUMNS ? sorted[index].column_start : 0;
    if (length > last && length - last >= KEEP_COLUMNS) {
        to = last + KEEP_COLUMNS;
        while (to < length && ((uint8_t)r->source[r->line_starts[line] + to] & 0xc0) == 0x80)
            to++;
    }
    put_line(l, "> ", line, *from, to, to < length);
}

static void put_caret(Layout *l, const SortedError *e, uint32_t from)
{
    const ParseResult *r = l->result;
    const uint8_t *text = (const uint8_t *)r->source + r->line_starts[e->line];
    uint32_t length = line_end(r, e->line) - r->line_starts[e->line];
    bool first = true;

    strbuf_printf(l->out, "  %*s | ", l->number_width, "");
    if (from > 0)
        strbuf_append(l->out, "    ", 4);
    for (uint32_t at = from; at < e->column_end;) {
        uint32_t width = at < length ? utf8_width(text + at, length - at) : 1;

        if (at >= e->column_start || at + (width ? width : 1) > e->column_start) {
            strbuf_append(l->out, first ? "^" : "~", 1);
            first = false;
        } else {
            strbuf_append(l->out, " ", 1);
        }
        at += width == 0 ? 1 : width;
    }
    if (l->with_messages) {
        strbuf_append(l->out, " ", 1);
        strbuf_append(l->out, e->diagnostic->message.bytes, e->diagnostic->message.length);
    }
    strbuf_append(l->out, "\n", 1);
}

static void put_excerpt(Layout *l, const SortedError *sorted)
{
    const ParseResult *r = l->result;
    int64_t shown = -1; /* last line put */
    uint32_t from = 0;

    for (uint32_t i = 0; i < r->error_count; i++) {
        int64_t line = sorted[i].line;

        if (line - shown > 1) {
            if (line - shown > 2) {
                if (i != 0 && line - shown > 3)
                    strbuf_printf(l->out, "  %.*s\n", l->number_width + 4, "~~~~~~~~~~~~~~~~");
                put_context(l, (uint32_t)line - 2);
            }
            put_context(l, (uint32_t)line - 1);
        }
        if (i == 0 || line != shown) {
            put_error_line(l, sorted, i, &from);
            shown = line;
        }
        put_caret(l, &sorted[i], from);

        int64_t next = i + 1 == r->error_count ? r->line_count : sorted[i + 1].line;

        for (int k = 0; k < 2 && next - shown > 1; k++)
            put_context(l, (uint32_t)++shown);
    }
}

void parse_format_errors(const ParseResult *result, StrBuf *out)
{
    MemoryContext *scratch = memctx_create(NULL, "syntax error");
    SortedError *sorted = sort_errors(result, scratch);
    const ParseDiagnostic *special = NULL;
    uint32_t last;

    if (result->error_count == 0) {
        memctx_delete(scratch);
        return;
    }
    for (uint32_t i = 0; i < result->error_count && special == NULL; i++) {
        if (result->errors[i].level != PARSE_ERROR_SYNTAX)
            special = &result->errors[i];
    }
    if (special != NULL)
        strbuf_printf(out, "%s:%d: %.*s\n", result->file, parse_line(result, special->location.start),
                      (int)special->message.length, special->message.bytes);
    else
        strbuf_printf(out, "%s:%d: syntax error%s found\n", result->file,
                      result->first_line + (int32_t)sorted[0].line, result->error_count > 1 ? "s" : "");

    last = sorted[result->error_count - 1].line;
    if (!source_valid(result)) {
        for (uint32_t i = 0; i < result->error_count; i++)
            strbuf_printf(out, "%s%s:%d: %.*s", i == 0 ? "" : "\n", result->file,
                          parse_line(result, result->errors[i].location.start),
                          (int)result->errors[i].message.length, result->errors[i].message.bytes);
    } else {
        Layout layout = {.result = result, .out = out, .with_messages = special == NULL};
        int64_t number = (int64_t)last + result->first_line;

        if (number < 0)
            number = -number * 10;
        for (layout.number_width = 1; number >= 10; number /= 10)
            layout.number_width++;
        put_excerpt(&layout, sorted);
    }
    memctx_delete(scratch);
}
