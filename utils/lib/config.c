/*
 * config.c: configuration variables, made from config.def.  C1: a change is made on a copy and taken over whole, so an
 * error leaves everything as it was.
 */
#include "lib/config.h"
#include "lib/error.h"
#include "lib/io.h"
#include "lib/log.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

Config conf;

/* ---- tables ---- */

#define CONFIG_ENUM_START(prefix)               static const char *const prefix##_texts[] = {
#define CONFIG_ENUM_VALUE(prefix, symbol, text) [prefix##_##symbol] = text,
#define CONFIG_ENUM_END(prefix, Type)           NULL};
#include "utils/lib/config_enums.def"
#undef CONFIG_ENUM_START
#undef CONFIG_ENUM_VALUE
#undef CONFIG_ENUM_END

typedef struct Variable {
    const char *name;
    const char *text;
    ConfigType type;
    ConfigContext context;
    size_t offset;
    int64_t value; /* the default of a number */
    const char *string;
    int64_t least, most;
    const char *const *texts; /* of an enumeration */
} Variable;

static const Variable variables[] = {
#define CONF_NUMBER(kind, vname, dflt, min, max, where, sentence) \
    {.name = #vname, .text = sentence, .type = kind, .context = CONFIG_##where, .offset = offsetof(Config, vname), \
     .value = dflt, .least = min, .most = max},
#define CONF_SIZE(name, value, least, most, context, text) \
    CONF_NUMBER(CONFIG_SIZE, name, value, least, most, context, text)
#define CONF_TIME(name, value, least, most, context, text) \
    CONF_NUMBER(CONFIG_TIME, name, value, least, most, context, text)
#define CONF_INT(name, value, least, most, context, text) \
    CONF_NUMBER(CONFIG_INT, name, value, least, most, context, text)
#define CONF_BOOL(name, value, context, text) CONF_NUMBER(CONFIG_BOOL, name, value, 0, 1, context, text)
#define CONF_ENUM(vname, prefix, dflt, where, sentence) \
    {.name = #vname, .text = sentence, .type = CONFIG_ENUM, .context = CONFIG_##where, \
     .offset = offsetof(Config, vname), .value = prefix##_##dflt, .texts = prefix##_texts},
#define CONF_STRING(vname, dflt, where, sentence) \
    {.name = #vname, .text = sentence, .type = CONFIG_STRING, .context = CONFIG_##where, \
     .offset = offsetof(Config, vname), .string = dflt},
#include "utils/lib/config.def"
};
#define VARIABLE_COUNT ((int)COUNT_OF(variables))

static ConfigSource sources[COUNT_OF(variables)];
static char file_path[PATH_MAX]; /* of the last config_load */

static const char *const context_names[] = {"startup", "reload", "session"};

const char *config_context_name(ConfigContext context)
{
    return context_names[context];
}

static int find(const char *name)
{
    for (int i = 0; i < VARIABLE_COUNT; i++)
        if (strcmp(variables[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- values ---- */

static int64_t number_of(const Config *c, const Variable *v)
{
    const char *field = (const char *)c + v->offset;
    if (v->type == CONFIG_BOOL)
        return *(const bool *)field;
    if (v->type == CONFIG_ENUM)
        return *(const int *)field;
    return *(const int64_t *)field;
}

static void number_put(Config *c, const Variable *v, int64_t value)
{
    char *field = (char *)c + v->offset;
    if (v->type == CONFIG_BOOL)
        *(bool *)field = value != 0;
    else if (v->type == CONFIG_ENUM)
        *(int *)field = (int)value;
    else
        *(int64_t *)field = value;
}

static void put_default(Config *c, const Variable *v)
{
    if (v->type == CONFIG_STRING)
        snprintf((char *)c + v->offset, CONFIG_STRING_MAX, "%s", v->string);
    else
        number_put(c, v, v->value);
}

static void show_size(int64_t n, char *to, size_t size)
{
    if (n != 0 && n % GB == 0)
        snprintf(to, size, "%" PRId64 "GB", n / GB);
    else if (n != 0 && n % MB == 0)
        snprintf(to, size, "%" PRId64 "MB", n / MB);
    else if (n != 0 && n % KB == 0)
        snprintf(to, size, "%" PRId64 "kB", n / KB);
    else
        snprintf(to, size, "%" PRId64, n);
}

static void show_time(int64_t ms, char *to, size_t size)
{
    if (ms != 0 && ms % 60000 == 0)
        snprintf(to, size, "%" PRId64 "min", ms / 60000);
    else if (ms != 0 && ms % 1000 == 0)
        snprintf(to, size, "%" PRId64 "s", ms / 1000);
    else
        snprintf(to, size, "%" PRId64 "ms", ms);
}

static void show_number(const Variable *v, int64_t n, char *to, size_t size)
{
    switch (v->type) {
    case CONFIG_SIZE:
        show_size(n, to, size);
        break;
    case CONFIG_TIME:
        show_time(n, to, size);
        break;
    case CONFIG_BOOL:
        snprintf(to, size, "%s", n ? "on" : "off");
        break;
    case CONFIG_ENUM:
        snprintf(to, size, "%s", v->texts[n]);
        break;
    default:
        snprintf(to, size, "%" PRId64, n);
    }
}

typedef struct Unit {
    const char *text;
    int64_t factor;
} Unit;

static bool parse_units(const char *text, const Unit *units, int64_t *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || errno != 0)
        return false;
    while (*end == ' ')
        end++;
    for (; units->text; units++) {
        if (strcasecmp(units->text, end) != 0)
            continue;
        return !__builtin_mul_overflow((int64_t)n, units->factor, out);
    }
    return false;
}

bool config_parse_size(const char *text, int64_t *bytes)
{
    static const Unit units[] = {{"", 1},   {"B", 1},  {"K", 1024}, {"kB", 1024},         {"M", 1048576}, {"MB", 1048576},
                                 {"G", GB}, {"GB", GB}, {"T", 1024 * GB}, {"TB", 1024 * GB}, {NULL, 0}};
    return parse_units(text, units, bytes);
}

bool config_parse_time(const char *text, int64_t *milliseconds)
{
    static const Unit units[] = {{"", 1},        {"ms", 1},      {"s", 1000},     {"min", 60000},
                                 {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    return parse_units(text, units, milliseconds);
}

static bool parse_bool(const char *text, int64_t *out)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes", "0", "1", NULL};
    for (int i = 0; words[i]; i++)
        if (strcasecmp(words[i], text) == 0) {
            *out = i & 1;
            return true;
        }
    return false;
}

/* Sets one variable of `c`; false with a message when the value won't do. */
static bool put(Config *c, const Variable *v, const char *value, char *message, size_t size)
{
    int64_t n = 0;
    bool ok = true;
    char least[32], most[32];
    switch (v->type) {
    case CONFIG_STRING:
        if (strlen(value) >= CONFIG_STRING_MAX) {
            snprintf(message, size, "the value of \"%s\" is longer than %d bytes", v->name, CONFIG_STRING_MAX - 1);
            return false;
        }
        snprintf((char *)c + v->offset, CONFIG_STRING_MAX, "%s", value);
        return true;
    case CONFIG_ENUM:
        while (v->texts[n] && strcasecmp(v->texts[n], value) != 0)
            n++;
        if (v->texts[n] == NULL) {
            int at = snprintf(message, size, "invalid value \"%s\" for \"%s\": it is one of", value, v->name);
            for (int i = 0; v->texts[i] && at < (int)size; i++)
                at += snprintf(message + at, size - (size_t)at, "%s %s", i ? "," : "", v->texts[i]);
            return false;
        }
        number_put(c, v, n);
        return true;
    case CONFIG_BOOL:
        if (!parse_bool(value, &n)) {
            snprintf(message, size, "invalid value \"%s\" for \"%s\": on or off", value, v->name);
            return false;
        }
        number_put(c, v, n);
        return true;
    case CONFIG_SIZE:
        ok = config_parse_size(value, &n);
        break;
    case CONFIG_TIME:
        ok = config_parse_time(value, &n);
        break;
    case CONFIG_INT:
        ok = parse_units(value, (const Unit[]){{"", 1}, {NULL, 0}}, &n);
        break;
    }
    if (!ok) {
        snprintf(message, size, "invalid value \"%s\" for \"%s\": a number%s", value, v->name,
                 v->type == CONFIG_SIZE   ? " with an optional kB, MB, GB or TB"
                 : v->type == CONFIG_TIME ? " with an optional ms, s, min, h or d"
                                          : "");
        return false;
    }
    if (n < v->least || n > v->most) {
        show_number(v, v->least, least, sizeof least);
        show_number(v, v->most, most, sizeof most);
        snprintf(message, size, "%s is outside the range of \"%s\", %s to %s", value, v->name, least, most);
        return false;
    }
    number_put(c, v, n);
    return true;
}

void config_init(void)
{
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        put_default(&conf, &variables[i]);
        sources[i] = CONFIG_FROM_DEFAULT;
    }
    file_path[0] = 0;
}

__attribute__((constructor)) static void config_start(void)
{
    config_init();
}

/* ---- the file ---- */

/* Splits a line into name and value, in place; false with a message; *name NULL when there is nothing on it. */
static bool split_line(char *line, char **name, char **value, const char **message)
{
    *name = NULL;
    char *p = line;
    while (isspace((unsigned char)*p))
        p++;
    if (*p == 0 || *p == '#')
        return true;
    char *start = p;
    while (isalnum((unsigned char)*p) || *p == '_')
        p++;
    char *name_end = p;
    while (isspace((unsigned char)*p))
        p++;
    if (name_end == start || (*p != '=' && p == name_end)) {
        *message = "expected name = value";
        return false;
    }
    if (*p == '=')
        p++;
    while (isspace((unsigned char)*p))
        p++;
    *name_end = 0;
    char *to = p;
    *value = p;
    if (*p == '\'') {
        for (p++;; p++) {
            if (*p == 0) {
                *message = "a quote is not closed";
                return false;
            }
            if (*p == '\'' && *++p != '\'')
                break;
            *to++ = *p;
        }
    } else {
        while (*p && *p != '#')
            *to++ = *p++;
        while (to > *value && isspace((unsigned char)to[-1]))
            to--;
    }
    while (isspace((unsigned char)*p))
        p++;
    if (*p != 0 && *p != '#') {
        *message = "text after the value";
        return false;
    }
    *to = 0;
    *name = start;
    return true;
}

/* Reads the file into `c`, noting in `seen` what it sets. */
static void read_into(Config *c, bool *seen, const char *path)
{
    MemoryContext *ctx = memctx_create(memctx_current(), "lodestone.conf");
    resource_push((ResourceFn)memctx_delete, ctx);
    char *text = io_read_file(ctx, path, NULL);
    int number = 0;
    for (char *line = text, *next; line; line = next) {
        number++;
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        char *name, *value, message[512];
        const char *wrong;
        if (!split_line(line, &name, &value, &wrong))
            ereport(ERROR, ERR_CONFIG, errmsg("%s, line %d: %s", path, number, wrong));
        if (name == NULL)
            continue;
        int i = find(name);
        if (i < 0)
            ereport(ERROR, ERR_CONFIG, errmsg("%s, line %d: unknown variable \"%s\"", path, number, name));
        if (!put(c, &variables[i], value, message, sizeof message))
            ereport(ERROR, ERR_CONFIG, errmsg("%s, line %d: %s", path, number, message));
        seen[i] = true;
    }
    resource_release(ctx);
}

void config_load(const char *path)
{
    Config c = conf;
    bool seen[COUNT_OF(variables)] = {false};
    read_into(&c, seen, path);
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        const Variable *v = &variables[i];
        if (!seen[i] || sources[i] > CONFIG_FROM_FILE)
            continue;
        if (v->type == CONFIG_STRING)
            memcpy((char *)&conf + v->offset, (char *)&c + v->offset, CONFIG_STRING_MAX);
        else
            number_put(&conf, v, number_of(&c, v));
        sources[i] = CONFIG_FROM_FILE;
    }
    if (path != file_path)
        snprintf(file_path, sizeof file_path, "%s", path);
}

void config_reload(void)
{
    if (file_path[0] == 0)
        return;
    Config c;
    bool seen[COUNT_OF(variables)] = {false};
    memset(&c, 0, sizeof c);
    for (int i = 0; i < VARIABLE_COUNT; i++)
        put_default(&c, &variables[i]);
    read_into(&c, seen, file_path);
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        const Variable *v = &variables[i];
        if (sources[i] > CONFIG_FROM_FILE)
            continue;
        char *now = (char *)&conf + v->offset, *then = (char *)&c + v->offset;
        bool same = v->type == CONFIG_STRING ? strcmp(now, then) == 0 : number_of(&conf, v) == number_of(&c, v);
        if (same)
            continue;
        if (v->context == CONFIG_STARTUP) {
            log_message(WARNING, "\"%s\" can't be changed without a restart", v->name);
            continue;
        }
        if (v->type == CONFIG_STRING)
            memcpy(now, then, CONFIG_STRING_MAX);
        else
            number_put(&conf, v, number_of(&c, v));
        sources[i] = seen[i] ? CONFIG_FROM_FILE : CONFIG_FROM_DEFAULT;
    }
}

/* ---- show and set ---- */

static int find_or_raise(const char *name)
{
    int i = find(name);
    if (i < 0)
        ereport(ERROR, ERR_CONFIG, errmsg("unknown configuration variable \"%s\"", name));
    return i;
}

void config_set(const char *name, const char *value, ConfigSource source, bool running)
{
    int i = find_or_raise(name);
    const Variable *v = &variables[i];
    if (running && v->context == CONFIG_STARTUP)
        ereport(ERROR, ERR_CONFIG, errmsg("\"%s\" can't be changed while the server runs", name),
                errhint("Set it in lodestone.conf and restart."));
    if (source == CONFIG_FROM_SESSION && v->context != CONFIG_SESSION)
        ereport(ERROR, ERR_CONFIG, errmsg("\"%s\" can't be set by a session", name),
                errhint("Set it in lodestone.conf and reload."));
    char message[512];
    Config c = conf;
    if (!put(&c, v, value, message, sizeof message))
        ereport(ERROR, ERR_CONFIG, errmsg("%s", message));
    conf = c;
    sources[i] = source;
}

void config_show(const char *name, StrBuf *out)
{
    const Variable *v = &variables[find_or_raise(name)];
    if (v->type == CONFIG_STRING) {
        strbuf_puts(out, (const char *)&conf + v->offset);
        return;
    }
    char text[64];
    show_number(v, number_of(&conf, v), text, sizeof text);
    strbuf_puts(out, text);
}

bool config_info(int i, ConfigInfo *info)
{
    static char text[64];
    if (i < 0 || i >= VARIABLE_COUNT)
        return false;
    const Variable *v = &variables[i];
    if (v->type != CONFIG_STRING)
        show_number(v, v->value, text, sizeof text);
    *info = (ConfigInfo){.name = v->name,
                         .text = v->text,
                         .default_value = v->type == CONFIG_STRING ? v->string : text,
                         .type = v->type,
                         .context = v->context,
                         .source = sources[i],
                         .least = v->least,
                         .most = v->most};
    return true;
}

void config_sample(StrBuf *out)
{
    strbuf_puts(out, "# lodestone.conf: the store's configuration.  `lodectl reload` takes over changes, except of\n"
                     "# variables marked startup, which need a restart.  Lines show the defaults.\n");
    ConfigInfo info;
    for (int i = 0; config_info(i, &info); i++) {
        strbuf_printf(out, "\n# %s (%s)\n", info.text, config_context_name(info.context));
        if (info.type == CONFIG_STRING)
            strbuf_printf(out, "#%s = '%s'\n", info.name, info.default_value);
        else
            strbuf_printf(out, "#%s = %s\n", info.name, info.default_value);
    }
}
