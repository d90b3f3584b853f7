/*
 * crc32c.h: CRC-32C (Castagnoli), by SSE4.2's instruction.  crc32c(0, p, n) is the checksum of n bytes; pass an earlier
 * result to go on where it stopped: crc32c(crc32c(0, a, n), b, m) is that of a and b joined.
 */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include "lib/base.h"

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);
/* The same bit by bit, to check the fast one against. */
uint32_t crc32c_slow(uint32_t crc, const void *bytes, size_t n);

#endif
