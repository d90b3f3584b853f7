/*
 * shmem.h - the shared segment: reserved by name before the first fork, then mapped at one address everywhere.
 *
 * Two mappings.  The dense one is a memfd allocated in full at start (or start fails); the sparse one is address space
 * only, for flat arrays sized by max_store_size of which little is touched.  The dense one is mapped a second time
 * read-only: that view is what code outside storage/ may be given.
 */
#ifndef STORAGE_SHMEM_H
#define STORAGE_SHMEM_H

#include "lib/base.h"

typedef enum ShmemKind { SHMEM_DENSE, SHMEM_SPARSE } ShmemKind;

/* Notes a wish.  `name` is kept by reference.  Zeroed, aligned to 4 KiB. */
void shmem_reserve(const char *name, ShmemKind kind, size_t size);
/* Makes and maps all that was reserved.  Raises ERR_OUT_OF_SHARED_MEMORY. */
void shmem_create(void);
/* The writable address of a reservation. */
void *shmem_attach(const char *name);
/* The read-only alias of an address in the dense mapping. */
const void *shmem_readonly(const void *writable);
/* Unmaps; forgets all reservations.  The memory goes when the last process has unmapped it. */
void shmem_destroy(void);
/* Bytes of the dense mapping. */
size_t shmem_size(void);

#endif
