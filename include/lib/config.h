/*
 * config.h: configuration.  Each variable is a row of utils/lib/config.def; its value is the field of the same name in
 * `conf` (conf.page_cache_size, in bytes; times in milliseconds).  Values come from the defaults, then lodestone.conf
 * in the store, then the command line, then the session.
 *
 * Contexts: STARTUP variables are fixed once the server runs, RELOAD ones follow lodestone.conf on reload, SESSION ones
 * may also be set by a session for itself.  Adding a variable is one row.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include "lib/memory.h"
#include "lib/strbuf.h"

typedef enum { CONFIG_STARTUP, CONFIG_RELOAD, CONFIG_SESSION } ConfigContext;
typedef enum { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_COMMAND_LINE, CONFIG_FROM_SESSION } ConfigSource;
typedef enum { CONFIG_SIZE, CONFIG_TIME, CONFIG_INT, CONFIG_BOOL, CONFIG_ENUM, CONFIG_STRING } ConfigType;

#define CONFIG_STRING_MAX 256

/* Enumerations: rows of config_enums.def make WAL_SYNC_FDATASYNC and so on. */
#define CONFIG_ENUM_START(prefix) typedef enum {
#define CONFIG_ENUM_VALUE(prefix, symbol, text) prefix##_##symbol,
#define CONFIG_ENUM_END(prefix, Type) } Type;
#include "utils/lib/config_enums.def"
#undef CONFIG_ENUM_START
#undef CONFIG_ENUM_VALUE
#undef CONFIG_ENUM_END

typedef struct Config {
#define CONF_SIZE(name, value, least, most, context, text)   int64_t name;
#define CONF_TIME(name, value, least, most, context, text)   int64_t name;
#define CONF_INT(name, value, least, most, context, text)    int64_t name;
#define CONF_BOOL(name, value, context, text)                bool name;
#define CONF_ENUM(name, prefix, value, context, text)        int name;
#define CONF_STRING(name, value, context, text)              char name[CONFIG_STRING_MAX];
#include "utils/lib/config.def"
#undef CONF_SIZE
#undef CONF_TIME
#undef CONF_INT
#undef CONF_BOOL
#undef CONF_ENUM
#undef CONF_STRING
} Config;

extern Config conf;

/* All variables to their defaults.  Called by lib_init. */
void config_init(void);
/*
 * Reads name = value lines ('#' comments, 'quoted strings', an optional '=').  Raises ERR_CONFIG naming file, line and
 * variable; then no value has changed.  A file that is not there raises ERR_NO_FILE.
 */
void config_load(const char *path);
/* Reads the file of the last config_load again: RELOAD and SESSION variables change; for a changed STARTUP one a warning
 * is logged.  Variables no longer in the file go back to their defaults. */
void config_reload(void);
/*
 * Sets one.  `running` (the server is up) refuses STARTUP variables; source SESSION refuses all but SESSION ones.
 * Raises ERR_CONFIG with what is allowed.
 */
void config_set(const char *name, const char *value, ConfigSource source, bool running);
/* The value as lodestone.conf would hold it ("16MB"); raises ERR_CONFIG for an unknown name. */
void config_show(const char *name, StrBuf *out);

typedef struct ConfigInfo {
    const char *name;
    const char *text; /* what it does, one sentence */
    const char *default_value;
    ConfigType type;
    ConfigContext context;
    ConfigSource source;
    int64_t least, most;
} ConfigInfo;
/* The i-th variable, in the table's order; false beyond the last. */
bool config_info(int i, ConfigInfo *info);
const char *config_context_name(ConfigContext context);
/* A lodestone.conf with every variable, its default and its sentence, commented out. */
void config_sample(StrBuf *out);
/* "16MB", "512kB", "3" ... to bytes / milliseconds; false when it is not one. */
bool config_parse_size(const char *text, int64_t *bytes);
bool config_parse_time(const char *text, int64_t *milliseconds);

#endif
