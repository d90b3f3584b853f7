/*
 * control.c - the control file.
 *
 * C1: a slot is 512 bytes, one sector: it is written whole or not at all.  So a slot that fails its checksum is damage,
 *     never the trace of a crash, and the store is refused: falling back to the older slot would start at a redo point
 *     whose log may be recycled and whose directory pages may hold something else by now.
 * C2: what a slot says is durable before the slot is written (checkpoint.c syncs base/pages first), and nothing that the
 *     older slot refers to is reused before the newer one is durable.
 * C3: whoever died between a slot's write and its flush left a slot that can be read and is not on the disk yet.  So an
 *     opening flushes the file before it writes anything: what it finds free by the newer slot, the older may refer to.
 */
#include "storage/control.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/io.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/format.h"

static const char control_magic[8] = "LODESTN1";

static void control_path(char *path, size_t size, const char *dir)
{
    snprintf(path, size, "%s/control", dir);
}

static uint32_t control_crc(const Control *c)
{
    return crc32c(0, (const uint8_t *)c + sizeof(c->crc), sizeof(*c) - sizeof(c->crc));
}

/* O_DIRECT is not asked for: buffered with fdatasync is as good for one sector now and then. */
static void write_slot(int fd, const char *path, Control *control)
{
    control->crc = control_crc(control);
    io_write_at(fd, path, control, sizeof(*control), (off_t)(control->generation % 2) * CONTROL_SLOT_OFFSET);
    io_sync_data(fd, path);
}

void control_create(const char *dir, Control *control)
{
    char path[4096], temporary[4200];
    control_path(path, sizeof(path), dir);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    memcpy(control->magic, control_magic, sizeof(control_magic));
    control->version = FORMAT_VERSION;
    control->page_bytes = PAGE_BYTES;
    int fd = io_open_file(temporary, O_RDWR | O_CREAT | O_TRUNC, 0600);
    TRY()
    {
        for (control->generation = 1; control->generation <= 2; control->generation++)
            write_slot(fd, temporary, control);
        control->generation = 2;
        io_sync_file(fd, temporary);
    }
    CATCH(err)
    {
        io.close(fd);
        rethrow();
    }
    END_TRY();
    io.close(fd);
    /* The store exists from this rename on. */
    if (io.rename(temporary, path) != 0)
        ereport(ERROR, error_code_of_errno(errno), errmsg("could not rename \"%s\": %s", temporary, errno_text()));
    io_sync_directory(dir);
}

void control_read(const char *dir, Control *out)
{
    char path[4096];
    Control slot[2];
    bool valid[2];

    control_path(path, sizeof(path), dir);
    if (!io_file_exists(path))
        ereport(ERROR, ERR_NOT_A_STORE, errmsg("\"%s\" is not a Lodestone store: it has no control file", dir),
                errhint("Create one with: lodectl -D %s init", dir));
    int fd = io_open_file(path, O_RDONLY, 0);
    for (int i = 0; i < 2; i++) {
        size_t n = io_read_at(fd, path, &slot[i], sizeof(slot[i]), (off_t)i * CONTROL_SLOT_OFFSET);
        valid[i] = n == sizeof(slot[i]) && memcmp(slot[i].magic, control_magic, sizeof(control_magic)) == 0;
    }
    io.close(fd);
    /* The version before the checksum: another version may checksum otherwise. */
    for (int i = 0; i < 2; i++)
        if (valid[i] && slot[i].version != FORMAT_VERSION && slot[1 - i].version == slot[i].version)
            ereport(ERROR, ERR_STORE_VERSION,
                    errmsg("the store \"%s\" has format version %u, this program reads version %u", dir,
                           slot[i].version, FORMAT_VERSION),
                    errhint("Use the program of the version that made it."));
    for (int i = 0; i < 2; i++)
        if (!valid[i] || slot[i].crc != control_crc(&slot[i]) || slot[i].generation % 2 != (unsigned)i)
            ereport(ERROR, ERR_CORRUPT_CONTROL,
                    errmsg("slot %d of the control file \"%s\" is damaged (byte %d and on)", i, path,
                           i * CONTROL_SLOT_OFFSET),
                    errhint("Restore the store from a backup; the disk may be failing."));
    *out = slot[slot[1].generation > slot[0].generation];
    if (out->page_bytes != PAGE_BYTES)
        ereport(ERROR, ERR_STORE_VERSION, errmsg("the store \"%s\" has pages of %u bytes", dir, out->page_bytes));
}

int control_open(const char *dir)
{
    char path[4096];
    control_path(path, sizeof(path), dir);
    int fd = io_open_file(path, O_RDWR, 0);
    TRY()
    {
        if (!MUTATION(CONTROL_FLUSH))
            io_sync_data(fd, path); /* C3 */
    }
    CATCH(err)
    {
        io.close(fd);
        rethrow();
    }
    END_TRY();
    return fd;
}

void control_write(int fd, const char *dir, Control *control)
{
    char path[4096];
    control_path(path, sizeof(path), dir);
    control->generation++;
    STOP_POINT(CONTROL_WRITE);
    write_slot(fd, path, control);
    STOP_POINT(CONTROL_WRITTEN);
}
