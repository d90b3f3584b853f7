/*
 * crc32c.c: CRC-32C.  The instruction has a latency of three cycles and a throughput of one, so long runs are split in
 * three streams that are joined by a carry-less shift of each part over the length of the next (a table made at
 * start: shifting over a fixed length is linear, so four look-ups of 256 entries do it).
 */
#include "lib/crc32c.h"
#include <nmmintrin.h>

#define POLYNOMIAL UINT32_C(0x82f63b78)
#define STREAM     ((size_t)1360) /* bytes a stream: three make 4080, most of a 4 KiB block */

static uint32_t shift_table[4][256];

uint32_t crc32c_slow(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    crc = ~crc;
    while (n-- > 0) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (POLYNOMIAL & -(crc & 1));
    }
    return ~crc;
}

__attribute__((constructor)) static void shift_table_make(void)
{
    uint32_t bit[32]; /* what each single bit becomes after STREAM zero bytes */
    for (int i = 0; i < 32; i++) {
        uint32_t crc = UINT32_C(1) << i;
        for (size_t k = 0; k < STREAM; k++)
            crc = _mm_crc32_u8(crc, 0);
        bit[i] = crc;
    }
    for (int t = 0; t < 4; t++)
        for (int v = 0; v < 256; v++) {
            uint32_t crc = 0;
            for (int i = 0; i < 8; i++)
                if (v >> i & 1)
                    crc ^= bit[t * 8 + i];
            shift_table[t][v] = crc;
        }
}

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}

static inline uint32_t shift(uint32_t crc)
{
    return shift_table[0][crc & 255] ^ shift_table[1][crc >> 8 & 255] ^ shift_table[2][crc >> 16 & 255] ^
           shift_table[3][crc >> 24];
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t a = (uint32_t)~crc;
    while (n >= 3 * STREAM) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < STREAM; i += 8) {
            a = _mm_crc32_u64(a, load64(p + i));
            b = _mm_crc32_u64(b, load64(p + STREAM + i));
            c = _mm_crc32_u64(c, load64(p + 2 * STREAM + i));
        }
        a = shift(shift((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
        p += 3 * STREAM;
        n -= 3 * STREAM;
    }
    for (; n >= 8; n -= 8, p += 8)
        a = _mm_crc32_u64(a, load64(p));
    uint32_t r = (uint32_t)a;
    while (n-- > 0)
        r = _mm_crc32_u8(r, *p++);
    return ~r;
}
