/*
 * prism_host.h - what the files of vm/parse share about the parser module.
 */
#ifndef VM_PARSE_PRISM_HOST_H
#define VM_PARSE_PRISM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Parse; on success *serialized points into the module's memory, valid until
 * prism_release().  false: the module trapped (stack or memory exhausted), the
 * instance has been thrown away.  Must run inside deep_call().
 */
bool prism_parse(const char *source, size_t length, const uint8_t *options, size_t options_length,
                 const uint8_t **serialized, size_t *serialized_length);

/* Give back what the last successful prism_parse holds. */
void prism_release(void);

/* See prism_guard.h. */
extern char *prism_native_floor;
extern unsigned prism_module_floor;

#endif
