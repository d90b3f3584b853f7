/*
 * writer.c - pages on their way to the disk: one after the other, or many at once through io_uring.
 *
 * Every process can write pages one at a time through the I/O table: sessions do when they evict, recovery and --solo do
 * at their checkpoints.  The checkpointer calls page_writer_start() and then has up to IN_FLIGHT pages under way, each in
 * a buffer of its own; what follows a write (the frame is clean, the table's place is new) happens in page_writer_settle()
 * or whenever another buffer is wanted.  Without io_uring, or with something in front of the I/O table, it writes like all
 * others; the log says so.
 *
 * J1: `done` is called exactly once for each page that page_writer_send() took, and never when it raised.
 * J2: pages are on disk only after page_writer_settle() and a flush.  A write that failed is raised there, once all
 *     others have ended: what it was for is as it was before.
 * J3: a process that is killed is not gone before its requests are (the kernel waits for them when it ends, before it
 *     gives up files and locks).  So no write of a dead checkpointer reaches the disk after recovery has begun.
 *
 * No locks.  A crash loses what is in flight: pages that nothing durable leads to yet.
 */
#include "storage/page/writer.h"

#include <liburing.h>
#include <stdio.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/log.h"
#include "storage/page/cache.h"

#define IN_FLIGHT 32
#define SUBMIT_AT 8 /* this many are handed to the kernel together */

static _Alignas(4096) uint8_t buffers[IN_FLIGHT][PAGE_BYTES];

typedef struct PageWrite {
    bool used;
    PageNo place;
    uint32_t written; /* of PAGE_BYTES */
    PageWritten done;
    uint32_t tag;
} PageWrite;

static struct {
    bool on;
    struct io_uring ring;
    PageWrite writes[IN_FLIGHT];
    unsigned used, unsubmitted;
    int error;          /* of the first write that failed since the last settling, as errno */
    PageNo error_place;
} writer;

/* ---- start --------------------------------------------------------------------------------------------- */

static const char *start_ring(void)
{
    static char why[128];

    if (!io_is_plain())
        return "the I/O table is not the plain one";
    int result = io_uring_queue_init(IN_FLIGHT, &writer.ring, 0);
    if (result < 0) {
        snprintf(why, sizeof(why), "io_uring can't be had: %s", strerror(-result));
        return why;
    }
    struct io_uring_probe *probe = io_uring_get_probe_ring(&writer.ring);
    bool supported = probe != NULL && io_uring_opcode_supported(probe, IORING_OP_WRITE);
    if (probe != NULL)
        io_uring_free_probe(probe);
    if (!supported) {
        io_uring_queue_exit(&writer.ring);
        return "this kernel's io_uring can't write";
    }
    return NULL;
}

bool page_writer_start(void)
{
    const char *why = start_ring();
    if (why != NULL) {
        log_message(io_is_plain() ? WARNING : LOG, "checkpointer uses pwrite: %s", why);
        return false;
    }
    writer.on = true;
    return true;
}

void page_writer_stop(void)
{
    if (!writer.on)
        return;
    Assert(writer.used == 0);
    io_uring_queue_exit(&writer.ring);
    writer.on = false;
}

/* ---- in flight ------------------------------------------------------------------------------------------- */

static void submit(void)
{
    while (writer.unsubmitted > 0) {
        int n = io_uring_submit(&writer.ring);
        if (n < 0 && n != -EINTR && n != -EAGAIN && n != -EBUSY)
            ereport(PANIC, ERR_IO, errmsg("io_uring does not take requests: %s", strerror(-n)));
        writer.unsubmitted -= (unsigned)MAX(n, 0);
    }
}

/* What is left of a write.  There are as many entries in the ring as writes, so there is room. */
static void queue(PageWrite *w)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&writer.ring);
    if (sqe == NULL) {
        submit();
        sqe = io_uring_get_sqe(&writer.ring);
    }
    io_uring_prep_write(sqe, the_store->pages_fd, buffers[w - writer.writes] + w->written, PAGE_BYTES - w->written,
                        w->place * PAGE_BYTES + w->written);
    io_uring_sqe_set_data(sqe, w);
    if (++writer.unsubmitted >= SUBMIT_AT)
        submit();
}

static void end(PageWrite *w, int error)
{
    if (error != 0 && writer.error == 0) {
        writer.error = error;
        writer.error_place = w->place;
    }
    atomic_fetch_add_explicit(&the_store->shared->stat_page_writes, error == 0, memory_order_relaxed);
    w->used = false;
    writer.used--;
    w->done(w->tag, w->place, error == 0);
}

static void completed(PageWrite *w, int result)
{
    if (result == -EINTR || result == -EAGAIN) {
        queue(w);
        return;
    }
    if (result <= 0) {
        end(w, result < 0 ? -result : EIO);
        return;
    }
    w->written += (uint32_t)result;
    if (w->written < PAGE_BYTES)
        queue(w);
    else
        end(w, 0);
}

/* Waits until one write has ended, at least. */
static void reap(void)
{
    struct io_uring_cqe *cqe;

    submit();
    wait_event_start(WAIT_PAGE_WRITE);
    int result = io_uring_wait_cqe(&writer.ring, &cqe);
    wait_event_end();
    if (result < 0) {
        if (result != -EINTR)
            ereport(PANIC, ERR_IO, errmsg("io_uring does not say what became of writes: %s", strerror(-result)));
        return;
    }
    do {
        PageWrite *w = io_uring_cqe_get_data(cqe);
        result = cqe->res;
        io_uring_cqe_seen(&writer.ring, cqe);
        completed(w, result);
    } while (io_uring_peek_cqe(&writer.ring, &cqe) == 0);
}

/* ---- the face ---------------------------------------------------------------------------------------------- */

uint8_t *page_writer_buffer(void)
{
    if (!writer.on)
        return page_scratch();
    while (writer.used == IN_FLIGHT)
        reap();
    for (unsigned i = 0;; i++)
        if (!writer.writes[i].used)
            return buffers[i];
}

static void write_now(PageNo place, const uint8_t *page)
{
    wait_event_start(WAIT_PAGE_WRITE);
    io_write_at(the_store->pages_fd, BASE_PAGES, page, PAGE_BYTES, (off_t)(place * PAGE_BYTES));
    wait_event_end();
    atomic_fetch_add_explicit(&the_store->shared->stat_page_writes, 1, memory_order_relaxed);
}

void page_writer_send(uint8_t *page, PageNo place, PageWritten done, uint32_t tag)
{
    page_finish(page, place, the_store->id);
    if (!writer.on) {
        write_now(place, page);
        done(tag, place, true);
        return;
    }
    PageWrite *w = &writer.writes[(page - buffers[0]) / PAGE_BYTES];
    Assert(!w->used);
    *w = (PageWrite){ .used = true, .place = place, .done = done, .tag = tag };
    writer.used++;
    queue(w);
}

void page_writer_abandon(void)
{
    while (writer.on && writer.used > 0)
        reap();
    writer.error = 0;
}

void page_writer_settle(void)
{
    while (writer.on && writer.used > 0)
        reap();
    int error = writer.error;
    writer.error = 0;
    if (error != 0)
        ereport(ERROR, error_code_of_errno(error),
                errmsg("could not write page %llu of \"%s/" BASE_PAGES "\": %s", (unsigned long long)writer.error_place,
                       the_store->dir, strerror(error)));
}

bool page_writer_is_idle(void)
{
    return !writer.on || writer.used == 0;
}
