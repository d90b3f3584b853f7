/*
 * page.c - checksums of pages: put in before each write, looked at after each read.
 *
 * P1: the checksum covers the page's number, so that a page read from the wrong place is noticed even if it is whole.
 */
#include "lib/crc32c.h"
#include "storage/mutation.h"
#include "storage/page/format.h"

static uint32_t page_crc(const void *page, PageNo place)
{
    uint32_t crc = crc32c(0, &place, sizeof(place));
    return crc32c(crc, (const uint8_t *)page + sizeof(uint32_t), PAGE_BYTES - sizeof(uint32_t));
}

void page_finish(void *page, PageNo place, uint64_t store_id)
{
    PageHeader *h = page;
    h->version = FORMAT_VERSION;
    h->page = place;
    h->store_id = store_id;
    h->crc = page_crc(page, place);
}

const char *page_examine(const void *page, PageNo place, uint64_t store_id)
{
    const PageHeader *h = page;
    if (MUTATION(PAGE_CHECKSUM))
        return NULL;
    if (h->crc != page_crc(page, place))
        return "its checksum is wrong";
    if (h->page != place)
        return "it is another page";
    if (h->store_id != store_id)
        return "it belongs to another store";
    if (h->version != FORMAT_VERSION)
        return "its version is unknown";
    return NULL;
}
