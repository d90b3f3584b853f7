/* path.h -- names of files, as File and Dir share them (private to vm/core) */
#ifndef CORE_PATH_H
#define CORE_PATH_H
#include "vm/core.h"

enum { PATH_NOESCAPE = 1, PATH_PATHNAME = 2, PATH_DOTMATCH = 4, PATH_CASEFOLD = 8, PATH_EXTGLOB = 16 }; /* File::FNM_* */
Value path_home(Value user); /* nil: the session's own */
Value path_cwd(void);
bool path_match(const char *pattern, size_t plen, const char *s, size_t slen, int flags); /* no braces */
/* Calls fn for each alternative of {a,b}. fn may not raise. False: no memory, some were not called for. */
bool path_expand_braces(const char *p, size_t n, int flags, void (*fn)(const char *, size_t, void *), void *arg);
#endif
