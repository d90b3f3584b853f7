/* io_encoding.c -- IO: which encodings text has outside and inside, and conversion between them */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"

Value io_binmode(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    io->mode |= IOM_BINARY;
    io->ext_enc = ENC_BINARY;
    return self;
}

static Value io_binmode_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(io_get(self)->mode & IOM_BINARY);
}

static Value io_external_encoding(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    if (io->ext_enc < 0 && !(io->mode & IOM_READ))
        return V_NIL;
    return encoding_value(io_read_encoding(io));
}

static Value io_internal_encoding(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    return io->int_enc < 0 ? V_NIL : encoding_value(io->int_enc);
}

Value io_set_encoding(Value self, int argc, const Value *argv)
{
    Io *io = io_get(self);
    Value options = call_take_keywords(&argc, argv);
    (void)options;
    Value enc = argv[0];
    if (is_nil(enc)) {
        io->ext_enc = -1;
    } else if (is_string(enc)) {
        char name[64];
        StrView s = str_view(enc);
        size_t n = 0, skip = s.len > 4 && strncasecmp(s.ptr, "bom|", 4) == 0 ? 4 : 0;
        while (skip + n < s.len && s.ptr[skip + n] != ':' && n < sizeof name - 1) {
            name[n] = s.ptr[skip + n];
            n++;
        }
        name[n] = 0;
        size_t colon = skip + n;
        if (skip && io->mode & IOM_READ && io_buffered(io) == 0) { /* a byte order mark is no text */
            io_fill(self);
            io = io_body(self);
            if (io_buffered(io) >= 3 && memcmp(io->rbuf + io->rpos, "\xEF\xBB\xBF", 3) == 0) {
                io->rpos += 3;
                memcpy(name, "UTF-8", 6);
            }
        }
        io->ext_enc = (int16_t)encoding_of(str_new_c(name));
        s = str_view(enc);
        if (argc < 2 && colon + 1 < s.len && s.ptr[colon] == ':' && s.ptr[colon + 1] != '-') {
            int inner = encoding_of(str_new(s.ptr + colon + 1, s.len - colon - 1));
            io->int_enc = (int16_t)(inner == io->ext_enc ? -1 : inner);
        }
    } else {
        io->ext_enc = (int16_t)encoding_of(enc);
    }
    if (argc > 1 && !is_nil(argv[1]))
        io->int_enc = (int16_t)encoding_of(argv[1]);
    return self;
}

int io_read_encoding(Io *io)
{
    if (io->ext_enc >= 0)
        return io->ext_enc;
    return io->mode & IOM_BINARY ? ENC_BINARY : ENC_UTF_8;
}

/* Text read: from the external to the internal encoding when there is one. */
Value io_to_internal(Value v, Value text)
{
    Io *io = io_body(v);
    if (io->int_enc < 0 || io->int_enc == io_read_encoding(io) || !is_string(text) || io->mode & IOM_BINARY)
        return text;
    return str_transcode(text, io->int_enc, V_NIL);
}

/* Text to write: into the external encoding when one was asked for. */
Value io_to_external(Value v, Value text)
{
    Io *io = io_body(v);
    if (io->ext_enc < 0 || io->ext_enc == ENC_BINARY || io->mode & IOM_BINARY || str_encoding(text) == io->ext_enc ||
        str_encoding(text) == ENC_BINARY || (str_is_ascii(text) && io->ext_enc == ENC_UTF_8))
        return text;
    return str_transcode(text, io->ext_enc, V_NIL);
}

static const Builtin methods[] = {
    {"binmode", io_binmode, 0, 0, 0},
    {"binmode?", io_binmode_p, 0, 0, 0},
    {"external_encoding", io_external_encoding, 0, 0, 0},
    {"internal_encoding", io_internal_encoding, 0, 0, 0},
    {"set_encoding", io_set_encoding, 1, 2, BI_KW},
};

void io_encoding_boot(void)
{
    ADD_BUILTINS(klass.IO, methods);
}
