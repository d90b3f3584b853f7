/*
 * base.h: what every file may assume: fixed-width types, a few macros and the assertion.
 *
 * Assert() checks only in debug builds (DEBUG=1, SANITIZE=...); cite the invariant that it guards in a comment
 * beside it.  A broken assertion aborts: it is a bug of ours and no error of the user's.
 */
#ifndef LIB_BASE_H
#define LIB_BASE_H

#include <inttypes.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define COUNT_OF(a)       (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(n, a)    (((n) + (__typeof__(n))(a) - 1) & ~((__typeof__(n))(a) - 1))
#define ALIGN_DOWN(n, a)  ((n) & ~((__typeof__(n))(a) - 1))
#define IS_POWER_OF_2(n)  ((n) != 0 && ((n) & ((n) - 1)) == 0)
#define CONTAINER_OF(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif

#define CONCAT_(a, b) a##b
#define CONCAT(a, b)  CONCAT_(a, b)

#define KB ((int64_t)1024)
#define MB (1024 * KB)
#define GB (1024 * MB)

#define NSEC_PER_SEC  ((int64_t)1000000000)
#define NSEC_PER_MSEC ((int64_t)1000000)
#define NSEC_PER_USEC ((int64_t)1000)

#define NORETURN         __attribute__((noreturn))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define UNUSED           __attribute__((unused))
#define CACHE_LINE       64

NORETURN void assert_failed(const char *condition, const char *file, int line, const char *func);

#ifdef LODE_DEBUG
#define Assert(cond) \
    do { \
        if (unlikely(!(cond))) \
            assert_failed(#cond, __FILE__, __LINE__, __func__); \
    } while (0)
#else
#define Assert(cond) ((void)sizeof(!(cond)))
#endif

#endif
