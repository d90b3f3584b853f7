/* regex_set.c -- sets of code points: what brackets, \w and [:alpha:] denote */
#include "vm/core/regex.h"

void range_set_add(RangeSet *set, uint32_t first, uint32_t last)
{
    if (set->n == set->cap) {
        uint32_t cap = set->cap ? set->cap * 2 : 8;
        void *r = realloc(set->r, cap * sizeof *set->r);
        if (!r) {
            set->failed = true;
            return;
        }
        set->r = r;
        set->cap = cap;
    }
    set->r[set->n][0] = first;
    set->r[set->n++][1] = last;
}
void range_set_add_set(RangeSet *set, const RangeSet *other)
{
    set->failed |= other->failed;
    for (uint32_t i = 0; i < other->n; i++)
        range_set_add(set, other->r[i][0], other->r[i][1]);
}
static int range_compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}
void range_set_normalize(RangeSet *set)
{
    uint32_t n = 0;
    if (set->n > 1)
        qsort(set->r, set->n, sizeof *set->r, range_compare);
    for (uint32_t i = 0; i < set->n; i++) {
        if (n && set->r[i][0] <= set->r[n - 1][1] + 1) {
            set->r[n - 1][1] = MAX(set->r[n - 1][1], set->r[i][1]);
        } else {
            set->r[n][0] = set->r[i][0];
            set->r[n++][1] = set->r[i][1];
        }
    }
    set->n = n;
}
void range_set_negate(RangeSet *set, uint32_t max)
{
    RangeSet out = {.failed = set->failed};
    uint32_t at = 0;
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->r[i][0] > at)
            range_set_add(&out, at, set->r[i][0] - 1);
        at = set->r[i][1] + 1;
    }
    if (at <= max)
        range_set_add(&out, at, max);
    free(set->r);
    *set = out;
}
void range_set_intersect(RangeSet *set, const RangeSet *other)
{
    RangeSet out = {.failed = set->failed || other->failed};
    for (uint32_t i = 0, k = 0; i < set->n && k < other->n;) {
        uint32_t first = MAX(set->r[i][0], other->r[k][0]), last = MIN(set->r[i][1], other->r[k][1]);
        if (first <= last)
            range_set_add(&out, first, last);
        if (set->r[i][1] < other->r[k][1])
            i++;
        else
            k++;
    }
    free(set->r);
    *set = out;
}
bool range_set_has(const RangeSet *set, uint32_t c)
{
    uint32_t low = 0, high = set->n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (c > set->r[mid][1])
            low = mid + 1;
        else
            high = mid;
    }
    return low < set->n && c >= set->r[low][0];
}
void range_set_free(RangeSet *set)
{
    free(set->r);
    *set = (RangeSet){0};
}

bool range_set_add_ctype(RangeSet *set, int enc, int ctype, bool ascii, bool negated)
{
    OnigEncoding e = enc_onig(enc);
    RangeSet found = {0};
    uint32_t max = enc_is_utf8(enc) ? 0x10ffff : 0xff;
    OnigCodePoint single;
    const OnigCodePoint *ranges;
    int r = e->get_ctype_code_range((OnigCtype)ctype, &single, &ranges);
    if (r == 0) {
        for (OnigCodePoint i = 0; i < ranges[0]; i++)
            range_set_add(&found, ranges[2 * i + 1], MIN(ranges[2 * i + 2], max));
    } else if (enc_single_byte(enc)) {
        for (uint32_t c = 0; c < 256; c++)
            if (e->is_code_ctype(c, (OnigCtype)ctype))
                range_set_add(&found, c, c);
    } else {
        return false;
    }
    if (ctype == ONIGENC_CTYPE_PUNCT) /* symbols of ASCII count, too */
        for (const char *p = "$+<=>^`|~"; *p; p++)
            range_set_add(&found, (uint8_t)*p, (uint8_t)*p);
    if (ctype == ONIGENC_CTYPE_WORD && enc_is_utf8(enc)) /* the joiners are Join_Control, part of a word for CRuby */
        range_set_add(&found, 0x200c, 0x200d);
    range_set_normalize(&found);
    if (ascii) {
        RangeSet low = {0};
        range_set_add(&low, 0, 0x7f);
        range_set_intersect(&found, &low);
        range_set_free(&low);
    }
    if (negated)
        range_set_negate(&found, max);
    range_set_add_set(set, &found);
    range_set_free(&found);
    return !set->failed;
}

typedef struct Folding {
    const RangeSet *members, *across;
    RangeSet *out;
    bool whole;
} Folding;
static int fold_one(OnigCodePoint from, OnigCodePoint *to, int n, void *arg)
{
    Folding *f = arg;
    if (!range_set_has(f->members, from))
        return 0;
    if (n != 1)
        f->whole = false;
    else if ((from < 0x80) == (to[0] < 0x80) || range_set_has(f->across, from))
        range_set_add(f->out, to[0], to[0]);
    return 0;
}
bool range_set_fold(RangeSet *set, const RangeSet *across, int enc, bool negated)
{
    RangeSet out = {0};
    Folding f = {set, across, &out, true};
    if (enc_onig(enc)->apply_all_case_fold(INTERNAL_ONIGENC_CASE_FOLD_MULTI_CHAR, fold_one, &f) != 0)
        set->failed = true;
    range_set_add_set(set, &out);
    range_set_free(&out);
    range_set_normalize(set);
    return (f.whole || negated) && !set->failed;
}
