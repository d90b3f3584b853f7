/* heap_map.c -- GC.heap_map: a picture of the heap before and after compaction, as PNG or SVG
 *
 * Each page of the heap is a square; a cell covers as much of it as it has bytes, row by row, and its first unit is
 * darker, so that neighbours can be told apart.  The two states stand side by side, figures and legend under them.  A
 * unit is 16 bytes, more when the heap is so large that the picture would be.  Both formats are painted by the same walk:
 * horizontal runs of one colour, and text.  PNG has no text of its own, so its letters come from a small table.
 */
#include "vm/core/core_private.h"
#include "vm/core.h"

#include "lib/error.h"
#include "lib/strbuf.h"
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    GAP = 4,           /* between pages */
    MARGIN = 16,
    PAGE_UNITS = 4096, /* units of 16 bytes in a page */
    LINE = 14,         /* height of a line of text */
    MAX_PIXELS = 1 << 26,
    COLOURS = HEAP_CELL_STATES * 2 + 3,
    PAPER = HEAP_CELL_STATES * 2,
    INK,
    REST, /* of a page, behind its last cell */
};

/* Two tones a state: the first unit of a cell, the others. */
static const uint8_t colours[COLOURS][3] = {
    [HEAP_CELL_FREE * 2] = {0xdd, 0xdd, 0xdd},   [HEAP_CELL_FREE * 2 + 1] = {0xee, 0xee, 0xee},
    [HEAP_CELL_LIVE * 2] = {0x1f, 0x5f, 0x9f},   [HEAP_CELL_LIVE * 2 + 1] = {0x4a, 0x90, 0xd9},
    [HEAP_CELL_PINNED * 2] = {0x9f, 0x1f, 0x1f}, [HEAP_CELL_PINNED * 2 + 1] = {0xd9, 0x4a, 0x4a},
    [HEAP_CELL_MOVED * 2] = {0x1f, 0x7f, 0x3f},  [HEAP_CELL_MOVED * 2 + 1] = {0x4a, 0xb9, 0x6a},
    [PAPER] = {0xff, 0xff, 0xff},                [INK] = {0x22, 0x22, 0x22},
    [REST] = {0xf8, 0xf8, 0xf8},
};
static const char *const state_names[HEAP_CELL_STATES] = {"FREE", "LIVE", "PINNED", "MOVED"};

/* ---- what a format can do ---- */

typedef struct Canvas Canvas;
struct Canvas {
    uint32_t width, height;
    void (*run)(Canvas *, uint32_t x, uint32_t y, uint32_t n, int colour);
    void (*text)(Canvas *, uint32_t x, uint32_t y, const char *text);
    uint8_t *pixels;        /* PNG */
    StrBuf paths[COLOURS];  /* SVG: one path a colour */
    StrBuf texts;
};

/* ---- PNG ---- */

/* Letters of 5 by 7, a byte a row, its low five bits from left to right. */
static const struct {
    char letter;
    uint8_t rows[7];
} font[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},      {'2', {14, 17, 1, 2, 4, 8, 31}},
    {'3', {31, 2, 4, 2, 1, 17, 14}},     {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},       {'8', {14, 17, 17, 14, 17, 17, 14}},
    {'9', {14, 17, 17, 15, 1, 2, 12}},   {'A', {14, 17, 17, 31, 17, 17, 17}}, {'B', {30, 17, 17, 30, 17, 17, 30}},
    {'C', {14, 17, 16, 16, 16, 17, 14}}, {'D', {28, 18, 17, 17, 17, 18, 28}}, {'E', {31, 16, 16, 30, 16, 16, 31}},
    {'F', {31, 16, 16, 30, 16, 16, 16}}, {'G', {14, 17, 16, 23, 17, 17, 15}}, {'H', {17, 17, 17, 31, 17, 17, 17}},
    {'I', {14, 4, 4, 4, 4, 4, 14}},      {'J', {7, 2, 2, 2, 2, 18, 12}},      {'K', {17, 18, 20, 24, 20, 18, 17}},
    {'L', {16, 16, 16, 16, 16, 16, 31}}, {'M', {17, 27, 21, 21, 17, 17, 17}}, {'N', {17, 17, 25, 21, 19, 17, 17}},
    {'O', {14, 17, 17, 17, 17, 17, 14}}, {'P', {30, 17, 17, 30, 16, 16, 16}}, {'Q', {14, 17, 17, 17, 21, 18, 13}},
    {'R', {30, 17, 17, 30, 20, 18, 17}}, {'S', {15, 16, 16, 14, 1, 1, 30}},   {'T', {31, 4, 4, 4, 4, 4, 4}},
    {'U', {17, 17, 17, 17, 17, 17, 14}}, {'V', {17, 17, 17, 17, 17, 10, 4}},  {'W', {17, 17, 17, 21, 21, 21, 10}},
    {'X', {17, 17, 10, 4, 10, 17, 17}},  {'Y', {17, 17, 17, 10, 4, 4, 4}},    {'Z', {31, 1, 2, 4, 8, 16, 31}},
    {'.', {0, 0, 0, 0, 0, 12, 12}},      {',', {0, 0, 0, 0, 12, 4, 8}},       {'%', {24, 25, 2, 4, 8, 19, 3}},
    {':', {0, 12, 12, 0, 12, 12, 0}},    {'-', {0, 0, 0, 31, 0, 0, 0}},
};
enum { LETTER_WIDTH = 6 };

static void pixel_run(Canvas *c, uint32_t x, uint32_t y, uint32_t n, int colour)
{
    memset(c->pixels + (size_t)y * c->width + x, colour, n);
}

static void pixel_text(Canvas *c, uint32_t x, uint32_t y, const char *text)
{
    for (; *text && x + LETTER_WIDTH <= c->width; text++, x += LETTER_WIDTH)
        for (size_t i = 0; i < sizeof font / sizeof font[0]; i++)
            for (uint32_t row = 0; font[i].letter == *text && row < 7; row++)
                for (uint32_t bit = 0; bit < 5; bit++)
                    if (font[i].rows[row] >> (4 - bit) & 1)
                        pixel_run(c, x + bit, y + row, 1, INK);
}

static void free_block(void *p)
{
    mem_free(p);
}

static Value pixel_finish(Canvas *c)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = c->width,
                       .height = c->height,
                       .format = PNG_FORMAT_RGB_COLORMAP,
                       .colormap_entries = COLOURS};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    char *bytes = mem_alloc(memctx_top(), size);
    resource_push(free_block, bytes);
    if (!png_image_write_to_memory(&image, bytes, &size, 0, c->pixels, (png_int_32)c->width, colours))
        raise_error(klass.RuntimeError, "could not make the PNG: %s", image.message);
    Value result = str_new_enc(bytes, size, ENC_BINARY);
    resource_release(bytes);
    return result;
}

/* ---- SVG ---- */

static void svg_run(Canvas *c, uint32_t x, uint32_t y, uint32_t n, int colour)
{
    strbuf_printf(&c->paths[colour], "M%u %u.5h%u", x, y, n);
}

static void svg_text(Canvas *c, uint32_t x, uint32_t y, const char *text)
{
    strbuf_printf(&c->texts, "<text x=\"%u\" y=\"%u\">%s</text>\n", x, y + 8, text);
}

static Value svg_finish(Canvas *c)
{
    Value result = str_format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" shape-rendering=\"crispEdges\" "
                              "font-family=\"monospace\" font-size=\"10\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                              c->width, c->height);
    for (int i = 0; i < COLOURS; i++) {
        if (!c->paths[i].len)
            continue;
        const uint8_t *rgb = colours[i];
        str_append_str(result, str_format("<path stroke=\"#%02x%02x%02x\" d=\"", rgb[0], rgb[1], rgb[2]));
        str_append(result, c->paths[i].data, c->paths[i].len);
        str_append_c(result, "\"/>\n");
    }
    str_append(result, c->texts.data, c->texts.len);
    str_append_c(result, "</svg>\n");
    return result;
}

/* ---- the picture ---- */

typedef struct Layout {
    uint32_t side;    /* of a page's square, in units */
    uint32_t unit;    /* bytes */
    uint32_t columns; /* of pages in a panel */
    uint32_t rows, panel_width, panel_height;
} Layout;

static size_t squares_of(const HeapMap *map)
{
    size_t n = 0;
    for (size_t i = 0; i < map->npages; i++)
        n += map->pages[i].large ? (map->pages[i].cell_size + (PAGE_UNITS << 4) - 1) / (PAGE_UNITS << 4) : 1;
    return n;
}

static Layout layout_for(size_t squares)
{
    Layout l = {.side = 64, .unit = 16, .columns = 1};
    while (squares * (l.side + GAP) * (l.side + GAP) > MAX_PIXELS / 2 && l.side > 4) {
        l.side /= 2;
        l.unit *= 4;
    }
    while ((size_t)l.columns * l.columns < squares)
        l.columns++;
    l.columns = MAX(l.columns, (360 + l.side) / (l.side + GAP)); /* so that the figures have room */
    l.rows = (uint32_t)((squares + l.columns - 1) / l.columns);
    l.panel_width = l.columns * (l.side + GAP);
    l.panel_height = l.rows * (l.side + GAP);
    return l;
}

/* n units of one colour from unit `from` of square s on; they may go over ends of rows and squares. */
static void paint_units(Canvas *c, const Layout *l, uint32_t left, size_t s, uint32_t from, uint64_t n, int colour)
{
    uint32_t units = l->side * l->side;
    while (n > 0) {
        uint32_t x = from % l->side, room = l->side - x, part = n < room ? (uint32_t)n : room;
        c->run(c, left + (uint32_t)(s % l->columns) * (l->side + GAP) + x,
               MARGIN + LINE + (uint32_t)(s / l->columns) * (l->side + GAP) + from / l->side, part, colour);
        n -= part;
        from += part;
        if (from == units) {
            from = 0;
            s++;
        }
    }
}

static size_t paint_page(Canvas *c, const Layout *l, uint32_t left, size_t square, const HeapMapPage *p)
{
    uint32_t units = l->side * l->side;
    uint64_t total = MAX((uint64_t)p->cell_size / l->unit, 1), end = 0;
    if (p->large) {
        size_t squares = (p->cell_size + (PAGE_UNITS << 4) - 1) / (PAGE_UNITS << 4);
        paint_units(c, l, left, square, 0, 1, p->state[0] * 2);
        paint_units(c, l, left, square, 1, total - 1, p->state[0] * 2 + 1);
        return square + squares;
    }
    for (uint32_t i = 0; i < p->ncells; i++) {
        uint32_t from = (uint32_t)((uint64_t)i * p->cell_size / l->unit);
        end = ((uint64_t)i + 1) * p->cell_size / l->unit;
        if (end == from || from >= units)
            continue; /* several cells share the unit: the first one shows */
        paint_units(c, l, left, square, from, 1, p->state[i] * 2);
        paint_units(c, l, left, square, from + 1, end - from - 1, p->state[i] * 2 + 1);
    }
    paint_units(c, l, left, square, (uint32_t)end, units - end, REST);
    return square + 1;
}

static double free_share(const HeapMap *map)
{
    return map->bytes ? 100.0 * (double)(map->bytes - map->live_bytes) / (double)map->bytes : 0;
}

static void paint_panel(Canvas *c, const Layout *l, uint32_t left, const HeapMap *map, const char *title)
{
    char line[120];
    size_t square = 0;
    c->text(c, left, MARGIN, title);
    for (size_t i = 0; i < map->npages; i++)
        square = paint_page(c, l, left, square, &map->pages[i]);
    uint32_t y = MARGIN + LINE + l->panel_height + LINE / 2;
    snprintf(line, sizeof line, "PAGES: %zu, AND %zu OF BOOT, NOT DRAWN", map->npages, map->boot_pages);
    c->text(c, left, y, line);
    snprintf(line, sizeof line, "LIVE: %llu KB OF %llu KB", (unsigned long long)map->live_bytes >> 10,
             (unsigned long long)map->bytes >> 10);
    c->text(c, left, y + LINE, line);
    snprintf(line, sizeof line, "FREE: %.1f %%", free_share(map));
    c->text(c, left, y + 2 * LINE, line);
    for (int s = 0; s < HEAP_CELL_STATES; s++) {
        uint32_t top = y + (uint32_t)(3 + s) * LINE;
        for (uint32_t i = 0; i < 7; i++)
            c->run(c, left, top + i, 8, s * 2 + 1);
        snprintf(line, sizeof line, "%s: %llu CELLS", state_names[s], (unsigned long long)map->cells[s]);
        c->text(c, left + 12, top, line);
    }
}

typedef struct Picture {
    HeapMap *before, *after;
    Canvas canvas;
} Picture;

static void picture_free(void *p)
{
    Picture *picture = p;
    heap_note_moves(false);
    if (picture->before)
        heap_map_free(picture->before);
    if (picture->after)
        heap_map_free(picture->after);
    mem_free(picture->canvas.pixels);
    for (int i = 0; i < COLOURS; i++)
        strbuf_free(&picture->canvas.paths[i]);
    strbuf_free(&picture->canvas.texts);
}

/* GC.__heap_map(svg): compacts; the bytes of the picture. */
static Value gc_heap_map(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    bool svg = truthy(argv[0]);
    Picture p = {0};
    Canvas *c = &p.canvas;
    for (int i = 0; i < COLOURS; i++)
        strbuf_init(&c->paths[i], memctx_top());
    strbuf_init(&c->texts, memctx_top());
    resource_push(picture_free, &p);
    heap_collect();
    p.before = heap_map_take();
    heap_note_moves(true);
    heap_compact(HEAP_COMPACT_TWO_FINGER);
    p.after = heap_map_take();
    Layout l = layout_for(MAX(squares_of(p.before), squares_of(p.after)));
    c->width = 3 * MARGIN + 2 * l.panel_width;
    c->height = 2 * MARGIN + (5 + HEAP_CELL_STATES) * LINE + l.panel_height;
    c->run = svg ? svg_run : pixel_run;
    c->text = svg ? svg_text : pixel_text;
    if (!svg) {
        c->pixels = mem_alloc_array(memctx_top(), c->height, c->width);
        memset(c->pixels, PAPER, (size_t)c->height * c->width);
    }
    paint_panel(c, &l, MARGIN, p.before, "BEFORE COMPACTION");
    paint_panel(c, &l, 2 * MARGIN + l.panel_width, p.after, "AFTER COMPACTION");
    Value result = svg ? svg_finish(c) : pixel_finish(c);
    resource_release(&p);
    return result;
}

static const Builtin methods[] = {{"__heap_map", gc_heap_map, 1, 1, BI_HIDDEN}};

void heap_map_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.GC, methods);
}
