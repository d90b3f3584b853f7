/* marshal.c -- Marshal: objects to bytes and back, format 4.8, byte for byte as CRuby writes it
 *
 * Dumping: every object that is not an immediate gets a number when it is first written; later ones are links.
 * Loading gives numbers in the same order.  Both tables are Ruby objects (an identity Hash, an Array), so that the
 * collector sees what is in them; the byte buffer is a String of our own.
 */
#include "vm/core/core_private.h"
#include "number.h"
#include "vm/shape.h"
#include "io_private.h"
#include "vm/interp/vm_state.h"
#include <stdio.h>

enum { MAJOR = 4, MINOR = 8 };

static Value S(const char *name)
{
    return sym_intern(name);
}

/* ---- dumping ---- */

typedef struct Dump {
    Value out;     /* String, binary */
    Value seen;    /* identity Hash: object to number */
    Value symbols; /* Hash: symbol to number */
    Value encodings; /* Hash: index to its name's String */
    int64_t objects;
} Dump;

static void put(Dump *d, const char *bytes, size_t n)
{
    str_buf_cat(d->out, bytes, n);
}

static void put_byte(Dump *d, int c)
{
    char b = (char)c;
    put(d, &b, 1);
}

static void put_long(Dump *d, int64_t n)
{
    char b[9];
    if (n == 0) {
        put_byte(d, 0);
    } else if (n > 0 && n < 123) {
        put_byte(d, (int)n + 5);
    } else if (n < 0 && n > -124) {
        put_byte(d, (int)((n - 5) & 0xff));
    } else {
        int i = 1;
        int64_t x = n;
        for (; i < 5; i++) {
            b[i] = (char)(x & 0xff);
            x >>= 8;
            if (x == 0) {
                b[0] = (char)i;
                break;
            }
            if (x == -1) {
                b[0] = (char)-i;
                break;
            }
        }
        put(d, b, (size_t)i + 1);
    }
}

static void put_bytes(Dump *d, const char *p, size_t n)
{
    put_long(d, (int64_t)n);
    put(d, p, n);
}

static void dump_value(Dump *d, Value v, int64_t limit);

static void put_encoding_ivar(Dump *d, int enc, int64_t limit);

static void put_symbol(Dump *d, Value sym)
{
    Value n = hash_get(d->symbols, sym);
    if (!is_undef(n)) {
        put_byte(d, ';');
        put_long(d, fix_int(n));
        return;
    }
    int enc = sym_encoding(sym);
    bool special = enc != ENC_US_ASCII && enc != ENC_BINARY;
    if (special)
        put_byte(d, 'I');
    put_byte(d, ':');
    put_bytes(d, sym_text(sym), sym_len(sym));
    hash_set(d->symbols, sym, int_fix((int64_t)hash_len(d->symbols)));
    if (special) {
        put_long(d, 1);
        put_encoding_ivar(d, enc, -1);
    }
}

static void put_encoding_ivar(Dump *d, int enc, int64_t limit)
{
    if (enc == ENC_UTF_8 || enc == ENC_US_ASCII) {
        put_symbol(d, S("E"));
        put_byte(d, enc == ENC_UTF_8 ? 'T' : 'F');
        return;
    }
    put_symbol(d, S("encoding"));
    Value name = hash_get(d->encodings, int_fix(enc));
    if (is_undef(name)) {
        name = str_new_enc(encoding_name(enc), strlen(encoding_name(enc)), ENC_BINARY);
        hash_set(d->encodings, int_fix(enc), name);
    }
    dump_value(d, name, limit);
}

static void remember(Dump *d, Value v)
{
    hash_set(d->seen, v, int_fix(d->objects++));
}

/* The name of a class, as load will find it again. */
static Value class_path(Value cls)
{
    Value name = class_name(cls);
    if (is_nil(name) || str_view(name).ptr[0] == '#')
        raise_error(klass.TypeError, "can't dump anonymous %s %T", is_class(cls) ? "class" : "module", obj_inspect(cls));
    return name;
}

static void put_unique(Dump *d, Value cls)
{
    put_symbol(d, sym_intern_str(class_path(cls)));
}

/* Extended modules ('e'), then for subclasses of built-in types 'C'. */
static void put_extended(Dump *d, Value v, bool check)
{
    Value k = class_of(v);
    if (!class_is_singleton(k))
        return;
    if (check && (ary_len(vm_call1(v, S("singleton_methods"), V_FALSE)) || ary_len(vm_call0(k, S("instance_variables")))))
        raise_error(klass.TypeError, "singleton can't be dumped");
    Value list = module_ancestors(k), real = class_real(v);
    for (size_t i = 0; i < ary_len(list); i++) {
        Value m = ary_get(list, (long)i);
        if (m == real)
            break;
        if (m == k)
            continue;
        put_byte(d, 'e');
        put_unique(d, m);
    }
}

static void put_user_class(Dump *d, Value v, Value base)
{
    put_extended(d, v, true);
    Value cls = class_real(v);
    if (cls != base) {
        put_byte(d, 'C');
        put_unique(d, cls);
    }
}

static void put_class(Dump *d, int type, Value v)
{
    put_extended(d, v, true);
    put_byte(d, type);
    put_unique(d, class_real(v));
}

typedef struct Ivars {
    Value names, values;
} Ivars;

static void collect_ivar(Value name, Value v, void *arg)
{
    Ivars *iv = arg;
    ary_push(iv->names, name);
    ary_push(iv->values, v);
}

static Ivars ivars_of(Value v)
{
    Ivars iv = {ary_new(0), ary_new(0)};
    ivar_each_stored(v, collect_ivar, &iv); /* transient ones are not part of what an object is */
    return iv;
}

static void put_ivars(Dump *d, Ivars iv, int64_t limit)
{
    for (size_t i = 0; i < ary_len(iv.names); i++) {
        put_symbol(d, ary_get(iv.names, (long)i));
        dump_value(d, ary_get(iv.values, (long)i), limit);
    }
}

static void put_float(Dump *d, double x)
{
    char buf[64], digits[40];
    if (isinf(x)) {
        put_bytes(d, x < 0 ? "-inf" : "inf", x < 0 ? 4 : 3);
        return;
    }
    if (isnan(x)) {
        put_bytes(d, "nan", 3);
        return;
    }
    if (x == 0) {
        put_bytes(d, signbit(x) ? "-0" : "0", signbit(x) ? 2 : 1);
        return;
    }
    int p = 0;
    do
        snprintf(digits, sizeof digits, "%.*e", p, fabs(x));
    while (strtod(digits, NULL) != fabs(x) && ++p < 17);
    char *e = strchr(digits, 'e');
    int decpt = atoi(e + 1) + 1, n = 0, len = 0;
    char text[32];
    for (char *q = digits; q < e; q++)
        if (*q != '.')
            text[n++] = *q;
    while (n > 1 && text[n - 1] == '0')
        n--;
    if (x < 0)
        buf[len++] = '-';
    if (decpt < -3 || decpt > n) {
        buf[len++] = text[0];
        if (n > 1)
            buf[len++] = '.';
        memcpy(buf + len, text + 1, (size_t)n - 1);
        len += n - 1;
        len += snprintf(buf + len, 12, "e%d", decpt - 1);
    } else if (decpt > 0) {
        memcpy(buf + len, text, (size_t)decpt);
        len += decpt;
        if (n > decpt) {
            buf[len++] = '.';
            memcpy(buf + len, text + decpt, (size_t)(n - decpt));
            len += n - decpt;
        }
    } else {
        buf[len++] = '0';
        buf[len++] = '.';
        memset(buf + len, '0', (size_t)-decpt);
        len -= decpt;
        memcpy(buf + len, text, (size_t)n);
        len += n;
    }
    put_bytes(d, buf, (size_t)len);
}

static void put_bignum(Dump *d, Value v)
{
    MpzView view;
    mpz_srcptr z = int_view(&view, v);
    size_t bytes = (mpz_sizeinbase(z, 2) + 7) / 8, n = 0;
    put_byte(d, 'l');
    put_byte(d, mpz_sgn(z) < 0 ? '-' : '+');
    char *buf = calloc(1, bytes + 2);
    mpz_export(buf, &n, -1, 1, 0, 0, z);
    put_long(d, (int64_t)(n + 1) / 2);
    put(d, buf, (n + 1) / 2 * 2);
    free(buf);
    KEEP(v);
}

/* 'I' before, the encoding and instance variables after. Gives whether 'I' was written. */
static bool begin_ivars(Dump *d, int enc, Ivars *iv, Value v)
{
    *iv = ivars_of(v);
    bool any = ary_len(iv->names) || (enc >= 0 && enc != ENC_BINARY);
    if (any)
        put_byte(d, 'I');
    return any;
}

static void end_ivars(Dump *d, bool any, int enc, Ivars iv, int64_t limit)
{
    if (!any)
        return;
    bool with_enc = enc >= 0 && enc != ENC_BINARY;
    put_long(d, (int64_t)ary_len(iv.names) + with_enc);
    if (with_enc)
        put_encoding_ivar(d, enc, limit);
    put_ivars(d, iv, limit);
}

static void dump_string(Dump *d, Value v, int64_t limit)
{
    Ivars iv;
    int enc = str_encoding(v);
    bool any = begin_ivars(d, enc, &iv, v);
    put_user_class(d, v, klass.String);
    put_byte(d, '"');
    StrView s = str_view(v);
    put_bytes(d, s.ptr, s.len);
    end_ivars(d, any, enc, iv, limit);
}

static void dump_hash(Dump *d, Value v, int64_t limit, bool as_set)
{
    obj_attend(v);
    uint64_t head = obj_head(v);
    if (head & HASH_DEFAULT_PROC)
        raise_error(klass.TypeError, "can't dump hash with default proc");
    Value fallback = as_set ? V_FALSE : slot_read(v, &((Hash *)v)->fallback);
    Ivars iv;
    bool any = begin_ivars(d, -1, &iv, v);
    put_user_class(d, v, klass.Hash);
    if (head & HASH_IDENTITY) {
        put_byte(d, 'C');
        put_symbol(d, S("Hash"));
    }
    put_byte(d, is_nil(fallback) ? '{' : '}');
    size_t n = hash_len(v);
    put_long(d, (int64_t)n);
    Value key, value;
    for (size_t i = 0; i < hash_entries_used(v); i++)
        if (hash_entry_at(v, i, &key, &value)) {
            dump_value(d, key, limit);
            dump_value(d, value, limit);
        }
    if (!is_nil(fallback))
        dump_value(d, fallback, limit);
    end_ivars(d, any, -1, iv, limit);
}

static void dump_exception(Dump *d, Value v, int64_t limit)
{
    static const char *const extras[] = {"errno", "name", "receiver", "key", "status", "result", "signo", "reason", "exit_value"};
    Value names = ary_new(8), values = ary_new(8);
    Value backtrace = vm_call0(v, S("backtrace"));
    ary_push(names, S("mesg"));
    ary_push(values, obj_field(v, EXC_MESSAGE));
    ary_push(names, S("bt"));
    ary_push(values, backtrace);
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        Value x = ivar_get(v, S(extras[i]));
        if (!is_undef(x) && !(strcmp(extras[i], "receiver") == 0 && obj_is_kind_of(v, klass.NameError))) {
            ary_push(names, S(extras[i]));
            ary_push(values, x);
        }
    }
    Ivars iv = ivars_of(v);
    for (size_t i = 0; i < ary_len(iv.names); i++) {
        ary_push(names, ary_get(iv.names, (long)i));
        ary_push(values, ary_get(iv.values, (long)i));
    }
    if (!is_nil(backtrace)) {
        ary_push(names, S("bt_locations"));
        ary_push(values, backtrace);
    }
    Value cause = obj_field(v, EXC_CAUSE);
    if (!is_nil(cause) && !is_undef(cause) && cause != V_FALSE) {
        ary_push(names, S("cause"));
        ary_push(values, cause);
    }
    put_class(d, 'o', v);
    put_long(d, (int64_t)ary_len(names));
    put_ivars(d, (Ivars){names, values}, limit);
}

static void dump_time(Dump *d, Value v, int64_t limit)
{
    Ivars iv = ivars_of(v);
    int64_t nano = value_int(vm_call0(v, S("nsec"))) % 1000;
    if (nano) {
        char bcd[2] = {(char)(nano / 100 << 4 | nano / 10 % 10), (char)(nano % 10 << 4)};
        ary_push(iv.names, S("nano_num"));
        ary_push(iv.values, int_fix(nano));
        ary_push(iv.names, S("nano_den"));
        ary_push(iv.values, int_fix(1));
        ary_push(iv.names, S("submicro"));
        ary_push(iv.values, str_new_enc(bcd, bcd[1] ? 2 : 1, ENC_BINARY));
    }
    if (!truthy(vm_call0(v, S("utc?")))) {
        ary_push(iv.names, S("offset"));
        ary_push(iv.values, vm_call0(v, S("utc_offset")));
    }
    ary_push(iv.names, S("zone"));
    ary_push(iv.values, vm_call0(v, S("zone")));
    put_byte(d, 'I');
    put_class(d, 'u', v);
    Value bytes = vm_call0(v, S("__dump"));
    put_bytes(d, str_view(bytes).ptr, str_view(bytes).len);
    put_long(d, (int64_t)ary_len(iv.names));
    put_ivars(d, iv, limit);
    remember(d, v);
}

/* Built-in classes that are plain objects here, but have no dump in Ruby. */
static void refuse_special(Value v)
{
    static const char *const names[] = {"Thread::Mutex", "Thread::Queue", "Thread::ConditionVariable", "Enumerator",
                                        "Enumerator::Lazy", "Enumerator::Yielder", "Enumerator::Generator", "Dir",
                                        "Process::Status", "File::Stat", "Monitor", "Ractor"};
    for (Value k = class_real(v); !is_nil(k); k = class_superclass(k)) {
        Value name = class_name(k);
        for (size_t i = 0; !is_nil(name) && i < sizeof names / sizeof names[0]; i++)
            if (strcmp(str_c(name), names[i]) == 0)
                raise_error(klass.TypeError, "no _dump_data is defined for class %C", class_real(v));
    }
    if (v == const_find(klass.Object, S("ENV"), false))
        raise_error(klass.TypeError, "no _dump_data is defined for class Object");
}

static void dump_object(Dump *d, Value v, int64_t limit)
{
    if (vm_responds_to(v, SYM(marshal_dump), true)) {
        remember(d, v);
        Value inner = vm_call0(v, SYM(marshal_dump));
        put_class(d, 'U', v);
        dump_value(d, inner, limit);
        return;
    }
    if (vm_responds_to(v, S("_dump"), true)) {
        Value s = vm_call1(v, S("_dump"), int_fix(limit));
        if (!is_string(s))
            raise_error(klass.TypeError, "_dump() must return string");
        Ivars iv;
        int enc = str_encoding(s);
        bool any = begin_ivars(d, enc, &iv, s);
        put_class(d, 'u', v);
        put_bytes(d, str_view(s).ptr, str_view(s).len);
        end_ivars(d, any, enc, iv, limit);
        remember(d, v);
        return;
    }
    ObjectType t = obj_type(v);
    if (t == T_TIME) {
        dump_time(d, v, limit);
        return;
    }
    if (class_real(v) == klass.Encoding) {
        const char *name = encoding_name(encoding_of(v));
        put_byte(d, 'I');
        put_class(d, 'u', v);
        put_bytes(d, name, strlen(name));
        put_long(d, 1);
        put_encoding_ivar(d, ENC_US_ASCII, limit);
        remember(d, v);
        return;
    }
    remember(d, v);
    switch (t) {
    case T_CLASS:
    case T_MODULE: {
        if (t == T_CLASS && class_is_singleton(v))
            raise_error(klass.TypeError, "singleton class can't be dumped");
        Value path = class_path(v);
        put_byte(d, t == T_CLASS ? 'c' : 'm');
        put_bytes(d, str_view(path).ptr, str_view(path).len);
        return;
    }
    case T_FLOAT:
        put_byte(d, 'f');
        put_float(d, float_double(v));
        return;
    case T_BIGNUM:
        put_bignum(d, v);
        return;
    case T_STRING:
        dump_string(d, v, limit);
        return;
    case T_REGEXP: {
        Ivars iv;
        Value source = regexp_source(v);
        int enc = str_encoding(source);
        if (enc == ENC_UTF_8 && str_is_ascii(source) && !(((Regexp *)v)->options & RE_FIXED))
            enc = ENC_US_ASCII;
        bool any = begin_ivars(d, enc, &iv, v);
        put_user_class(d, v, klass.Regexp);
        put_byte(d, '/');
        put_bytes(d, str_view(source).ptr, str_view(source).len);
        put_byte(d, (int)value_int(vm_call0(v, S("options"))));
        end_ivars(d, any, enc, iv, limit);
        return;
    }
    case T_ARRAY: {
        Ivars iv;
        bool any = begin_ivars(d, -1, &iv, v);
        put_user_class(d, v, klass.Array);
        put_byte(d, '[');
        size_t n = ary_len(v);
        put_long(d, (int64_t)n);
        for (size_t i = 0; i < n; i++) {
            dump_value(d, ary_get(v, (long)i), limit);
            if (ary_len(v) != n)
                raise_error(klass.RuntimeError, "array modified during dump");
        }
        end_ivars(d, any, -1, iv, limit);
        return;
    }
    case T_HASH:
        dump_hash(d, v, limit, false);
        return;
    case T_RATIONAL:
    case T_COMPLEX: {
        put_class(d, 'U', v);
        bool r = t == T_RATIONAL;
        dump_value(d, ary_new_from(2, (Value[]){vm_call0(v, r ? SYM(numerator) : SYM(real)), vm_call0(v, r ? SYM(denominator) : SYM(imaginary))}),
                   limit);
        return;
    }
    case T_RANGE: {
        Value b, e;
        bool excl;
        range_values(v, &b, &e, &excl);
        Ivars iv = ivars_of(v);
        put_class(d, 'o', v);
        put_long(d, 3 + (int64_t)ary_len(iv.names));
        put_symbol(d, S("excl"));
        dump_value(d, bool_value(excl), limit);
        put_symbol(d, S("begin"));
        dump_value(d, b, limit);
        put_symbol(d, S("end"));
        dump_value(d, e, limit);
        put_ivars(d, iv, limit);
        return;
    }
    case T_STRUCT: {
        Ivars iv;
        bool any = begin_ivars(d, -1, &iv, v);
        put_class(d, 'S', v);
        Value members = vm_call0(class_real(v), S("members"));
        put_long(d, (int64_t)ary_len(members));
        for (size_t i = 0; i < ary_len(members); i++) {
            put_symbol(d, ary_get(members, (long)i));
            dump_value(d, obj_field(v, (unsigned)i), limit);
        }
        end_ivars(d, any, -1, iv, limit);
        return;
    }
    case T_EXCEPTION:
        dump_exception(d, v, limit);
        return;
    case T_OBJECT: {
        refuse_special(v);
        Ivars iv = ivars_of(v);
        bool set = obj_is_kind_of(v, klass.Set);
        put_class(d, 'o', v);
        put_long(d, (int64_t)ary_len(iv.names));
        for (size_t i = 0; i < ary_len(iv.names); i++) {
            Value name = ary_get(iv.names, (long)i), x = ary_get(iv.values, (long)i);
            put_symbol(d, name);
            if (set && name == S("@hash") && is_hash(x)) {
                remember(d, x);
                dump_hash(d, x, limit, true);
            } else {
                dump_value(d, x, limit);
            }
        }
        return;
    }
    case T_IO:
    case T_MATCH:
        raise_error(klass.TypeError, "can't dump %C", class_real(v));
    default:
        raise_error(klass.TypeError, "no _dump_data is defined for class %C", class_real(v));
    }
}

static void dump_value(Dump *d, Value v, int64_t limit)
{
    if (limit == 0)
        raise_error(klass.ArgumentError, "exceed depth limit");
    if (limit > 0)
        limit--;
    if (is_nil(v)) {
        put_byte(d, '0');
        return;
    }
    if (v == V_TRUE || v == V_FALSE) {
        put_byte(d, v == V_TRUE ? 'T' : 'F');
        return;
    }
    if (is_symbol(v)) {
        put_symbol(d, v);
        return;
    }
    if (is_fixnum(v)) {
        int64_t n = fix_int(v);
        if (n >= -(1 << 30) && n < 1 << 30) {
            put_byte(d, 'i');
            put_long(d, n);
        } else {
            d->objects++;
            put_bignum(d, v);
        }
        return;
    }
    vm_check_stack();
    Value n = hash_get(d->seen, v);
    if (!is_undef(n)) {
        put_byte(d, '@');
        put_long(d, fix_int(n));
        return;
    }
    if (is_flonum(v)) {
        remember(d, v);
        put_byte(d, 'f');
        put_float(d, flonum_double(v));
        return;
    }
    dump_object(d, v, limit);
}

static Value marshal_s_dump(Value self, int argc, const Value *argv)
{
    (void)self;
    Value io = V_NIL;
    int64_t limit = -1;
    if (argc == 3) {
        io = argv[1];
        if (!is_nil(argv[2]))
            limit = value_int(argv[2]);
        if (is_nil(io))
            raise_error(klass.TypeError, "instance of IO needed");
    } else if (argc == 2) {
        if (is_fixnum(argv[1]))
            limit = fix_int(argv[1]);
        else if (!is_nil(argv[1]))
            io = argv[1];
        else
            raise_error(klass.TypeError, "instance of IO needed");
    }
    if (!is_nil(io) && !vm_responds_to(io, SYM(write), true))
        raise_error(klass.TypeError, "instance of IO needed");
    Dump d = {str_buf_new(64, ENC_BINARY), hash_new(), hash_new(), hash_new(), 0};
    vm_call0(d.seen, S("compare_by_identity"));
    put_byte(&d, MAJOR);
    put_byte(&d, MINOR);
    dump_value(&d, argv[0], limit);
    if (is_nil(io))
        return d.out;
    if (vm_responds_to(io, S("binmode"), true))
        vm_call0(io, S("binmode"));
    vm_call1(io, SYM(write), d.out);
    return io;
}

/* ---- loading ---- */

typedef struct Load {
    Value text;    /* String, or nil */
    size_t at;
    Value io;      /* else */
    Value objects; /* Array by number */
    Value symbols;
    Value proc;    /* or nil */
    bool freeze;
} Load;

static _Noreturn void too_short(void)
{
    raise_error(klass.ArgumentError, "marshal data too short");
}

static int take_byte(Load *l)
{
    if (is_nil(l->text)) {
        Value b = vm_call0(l->io, S("getbyte"));
        if (is_nil(b))
            raise_error(klass.EOFError, "end of file reached");
        return (int)fix_int(b);
    }
    StrView s = str_view(l->text);
    if (l->at >= s.len)
        too_short();
    return (unsigned char)s.ptr[l->at++];
}

static int64_t take_long(Load *l)
{
    int c = (signed char)take_byte(l);
    if (c == 0)
        return 0;
    if (c > 4)
        return c - 5;
    if (c < -4)
        return c + 5;
    int64_t n = 0;
    int len = c > 0 ? c : -c;
    if (c < 0)
        n = -1;
    for (int i = 0; i < len; i++) {
        n &= ~((int64_t)0xff << 8 * i);
        n |= (int64_t)take_byte(l) << 8 * i;
    }
    return n;
}

static Value take_bytes(Load *l) /* binary String */
{
    int64_t n = take_long(l);
    if (n < 0)
        too_short();
    if (n == 0)
        return str_new_enc("", 0, ENC_BINARY);
    if (is_nil(l->text)) {
        Value s = vm_call1(l->io, SYM(read), int_fix(n));
        if (is_nil(s) || (int64_t)str_view(str_to_str(s)).len < n)
            too_short();
        return str_new_enc(str_view(s).ptr, (size_t)n, ENC_BINARY);
    }
    StrView s = str_view(l->text);
    if ((size_t)n > s.len - l->at)
        too_short();
    Value v = str_new_enc(s.ptr + l->at, (size_t)n, ENC_BINARY);
    l->at += (size_t)n;
    return v;
}

static Value load_value(Load *l, bool *ivars_wanted, Value extended);
static Value load_typed(Load *l, int type, bool *ivars_wanted, Value extended, bool partial);

static int64_t reserve(Load *l)
{
    ary_push(l->objects, V_NIL);
    return (int64_t)ary_len(l->objects) - 1;
}

static Value enter(Load *l, Value v)
{
    ary_push(l->objects, v);
    return v;
}

static void set_entry(Load *l, int64_t at, Value v)
{
    ary_set(l->objects, (long)at, v);
}

static Value take_symbol(Load *l)
{
    bool encoded = false;
    for (;;) {
        int t = take_byte(l);
        switch (t) {
        case 'I':
            encoded = true;
            continue;
        case ';': {
            int64_t n = take_long(l);
            if (n < 0 || n >= (int64_t)ary_len(l->symbols))
                raise_error(klass.ArgumentError, "bad symbol");
            return ary_get(l->symbols, (long)n);
        }
        case ':': {
            Value bytes = take_bytes(l);
            int64_t at = (int64_t)ary_len(l->symbols);
            ary_push(l->symbols, V_NIL);
            int enc = ENC_US_ASCII;
            if (!str_is_ascii(bytes))
                enc = ENC_BINARY;
            if (encoded) {
                int64_t n = take_long(l);
                while (n-- > 0) {
                    Value name = take_symbol(l), v = load_value(l, NULL, V_NIL);
                    if (name == S("E"))
                        enc = truthy(v) ? ENC_UTF_8 : ENC_US_ASCII;
                    else if (name == S("encoding"))
                        enc = encoding_of(v);
                }
            }
            Value sym = sym_intern_len(str_view(bytes).ptr, str_view(bytes).len, enc);
            ary_set(l->symbols, (long)at, sym);
            return sym;
        }
        default:
            raise_error(klass.ArgumentError, "dump format error for symbol(0x%x)", t);
        }
    }
}

static Value path_to_class(Value path)
{
    StrView s = str_view(path);
    char *text = strndup(s.ptr, s.len), *p = text;
    Value at = klass.Object;
    bool missing = false;
    Value upto = str_new("", 0);
    while (*p && !missing) {
        char *e = strstr(p, "::");
        if (e)
            *e = 0;
        Value name = sym_intern(p);
        if (str_view(upto).len)
            str_append_c(upto, "::");
        str_append_c(upto, p);
        Value v = sym_kind(name) == SYMKIND_CONST && is_module(at) ? const_find(at, name, at == klass.Object) : V_UNDEF;
        if (is_undef(v))
            missing = true;
        else
            at = v;
        if (!e)
            break;
        if (missing)
            str_append_c(upto, "::");
        p = e + 2;
    }
    free(text);
    if (missing)
        raise_error(klass.ArgumentError, "undefined class/module %T", upto);
    return at;
}

static Value take_class(Load *l)
{
    Value sym = take_symbol(l);
    Value cls = path_to_class(sym_name_str(sym));
    if (!is_class(cls))
        raise_error(klass.TypeError, "%T does not refer to class", sym_name_str(sym));
    return cls;
}

/* What every object goes through when it is whole. */
static Value leave(Load *l, Value v)
{
    if (l->freeze && is_heap(v) && !is_module(v)) {
        if (is_string(v) && class_real(v) == klass.String && !(obj_head(v) & OF_IVARS))
            v = str_intern_literal(v);
        else
            obj_freeze(v);
    }
    if (!is_nil(l->proc))
        v = vm_call1(l->proc, SYM(call), v);
    return v;
}

static Value leave_entry(Load *l, int64_t at, Value v, bool partial)
{
    if (partial)
        return v;
    v = leave(l, v);
    set_entry(l, at, v);
    return v;
}

static void extend_all(Value v, Value extended)
{
    if (is_nil(extended))
        return;
    for (size_t i = ary_len(extended); i-- > 0;)
        vm_call1(v, S("extend"), ary_get(extended, (long)i));
}

static void set_string_encoding(Value v, int enc)
{
    str_set_encoding(v, enc);
    str_set_coderange(v, CR_UNKNOWN);
}

/* Instance variables after an 'I' object: encodings are not variables. */
static void load_ivars(Load *l, Value v)
{
    int64_t n = take_long(l);
    while (n-- > 0) {
        Value name = take_symbol(l), x = load_value(l, NULL, V_NIL);
        int enc = -1;
        if (name == S("E"))
            enc = truthy(x) ? ENC_UTF_8 : ENC_US_ASCII;
        else if (name == S("encoding") && is_string(x))
            enc = encoding_find(str_c(x));
        if (enc >= 0) {
            if (is_string(v))
                set_string_encoding(v, enc);
            else if (is_regexp(v) && enc != ENC_US_ASCII)
                set_string_encoding(regexp_source(v), enc);
            continue;
        }
        if (is_type(v, T_EXCEPTION)) {
            if (name == S("mesg"))
                obj_set_field(v, EXC_MESSAGE, x);
            else if (name == S("bt")) {
                if (!is_nil(x))
                    vm_call1(v, S("set_backtrace"), x);
            } else if (name == S("cause"))
                obj_set_field(v, EXC_CAUSE, x);
            else if (name != S("bt_locations"))
                ivar_set(v, name, x);
            continue;
        }
        ivar_set(v, name, x);
    }
}

static Value load_float(Value bytes)
{
    const char *s = str_c(bytes);
    if (strcmp(s, "nan") == 0)
        return float_value(NAN);
    if (strcmp(s, "inf") == 0)
        return float_value(INFINITY);
    if (strcmp(s, "-inf") == 0)
        return float_value(-INFINITY);
    return float_value(strtod(s, NULL));
}

static Value load_bignum(Load *l)
{
    int sign = take_byte(l);
    int64_t n = take_long(l) * 2;
    if (n < 0)
        too_short();
    Value text = str_new_enc("", 0, ENC_BINARY);
    for (int64_t i = 0; i < n; i++) {
        char c = (char)take_byte(l);
        str_buf_cat(text, &c, 1);
    }
    mpz_t z;
    mpz_init(z);
    mpz_import(z, (size_t)n, -1, 1, 0, 0, str_view(text).ptr);
    if (sign == '-')
        mpz_neg(z, z);
    KEEP(text);
    return int_from_mpz(z);
}

static Value load_user_dump(Load *l, bool *ivars_wanted, Value extended)
{
    Value cls = take_class(l), data = take_bytes(l), result;
    Value offset = V_NIL, zone = V_NIL, names = ary_new(0), values = ary_new(0);
    int64_t nano = 0;
    bool time = module_inherits(cls, klass.Time);
    if (ivars_wanted && *ivars_wanted) {
        if (time) {
            int64_t n = take_long(l);
            while (n-- > 0) {
                Value name = take_symbol(l), x = load_value(l, NULL, V_NIL);
                if (name == S("offset"))
                    offset = x;
                else if (name == S("zone"))
                    zone = x;
                else if (name == S("nano_num"))
                    nano += is_fixnum(x) ? fix_int(x) : 0;
                else if (sym_text(name)[0] == '@') {
                    ary_push(names, name);
                    ary_push(values, x);
                }
            }
        } else {
            load_ivars(l, data);
        }
        *ivars_wanted = false;
    }
    if (time) {
        result = vm_call(cls, S("__load"), 4, (Value[]){data, offset, int_fix(nano), zone});
        for (size_t i = 0; i < ary_len(names); i++)
            ivar_set(result, ary_get(names, (long)i), ary_get(values, (long)i));
    } else if (cls == klass.Encoding) {
        result = encoding_value(encoding_of(data));
    } else {
        if (!vm_responds_to(cls, S("_load"), true))
            raise_error(klass.TypeError, "class %C needs to have method '_load'", cls);
        result = vm_call1(cls, S("_load"), data);
    }
    extend_all(result, extended);
    int64_t at = reserve(l);
    set_entry(l, at, result);
    return leave_entry(l, at, result, false);
}

static Value load_user_marshal(Load *l, Value extended)
{
    Value cls = take_class(l);
    int64_t at = reserve(l);
    if (cls == klass.Rational || cls == klass.Complex) {
        Value parts = load_value(l, NULL, V_NIL);
        if (!is_array(parts) || ary_len(parts) != 2)
            raise_error(klass.ArgumentError, "marshaled %s must have an array whose length is 2 but %d", "number", 0);
        Value v = cls == klass.Rational ? rational_new(ary_get(parts, 0), ary_get(parts, 1)) : complex_new(ary_get(parts, 0), ary_get(parts, 1));
        set_entry(l, at, v);
        return leave_entry(l, at, v, false);
    }
    Value v = obj_alloc(cls);
    set_entry(l, at, v);
    extend_all(v, extended);
    if (!vm_responds_to(v, SYM(marshal_load), true))
        raise_error(klass.TypeError, "instance of %C needs to have method 'marshal_load'", cls);
    Value data = load_value(l, NULL, V_NIL);
    vm_call1(v, SYM(marshal_load), data);
    return leave_entry(l, at, v, false);
}

static Value load_struct(Load *l, Value extended)
{
    Value cls = take_class(l);
    int64_t n = take_long(l);
    if (!module_inherits(cls, klass.Struct) && !module_inherits(cls, klass.Data))
        raise_error(klass.TypeError, "class %C not a struct", cls);
    Value v = obj_alloc(cls);
    int64_t at = reserve(l);
    set_entry(l, at, v);
    extend_all(v, extended);
    Value members = vm_call0(cls, S("members"));
    if ((int64_t)ary_len(members) != n)
        raise_error(klass.TypeError, "struct %C not compatible (struct size differs)", cls);
    for (int64_t i = 0; i < n; i++) {
        Value name = take_symbol(l);
        if (name != ary_get(members, (long)i))
            raise_error(klass.TypeError, "struct %C not compatible (:%s for :%s)", cls, sym_text(name), sym_text(ary_get(members, (long)i)));
        obj_set_field(v, (unsigned)i, load_value(l, NULL, V_NIL));
    }
    if (module_inherits(cls, klass.Data))
        obj_freeze(v);
    return leave_entry(l, at, v, false);
}

static Value load_object(Load *l, Value extended)
{
    Value cls = take_class(l);
    if (module_inherits(cls, klass.Range)) {
        int64_t at = reserve(l);
        Value b = V_NIL, e = V_NIL, excl = V_FALSE;
        for (int64_t n = take_long(l); n > 0; n--) {
            Value name = take_symbol(l), x = load_value(l, NULL, V_NIL);
            if (name == S("begin"))
                b = x;
            else if (name == S("end"))
                e = x;
            else if (name == S("excl"))
                excl = x;
        }
        Value v = cls == klass.Range ? range_new(b, e, truthy(excl)) : vm_call(cls, SYM(new), 3, (Value[]){b, e, excl});
        set_entry(l, at, v);
        return leave_entry(l, at, v, false);
    }
    Value v = obj_alloc(cls);
    if (!is_type(v, T_OBJECT) && !is_type(v, T_EXCEPTION))
        raise_error(klass.ArgumentError, "dump format error");
    int64_t at = reserve(l);
    set_entry(l, at, v);
    extend_all(v, extended);
    load_ivars(l, v);
    if (obj_is_kind_of(v, klass.Set)) {
        Value h = ivar_get(v, S("@hash"));
        if (is_hash(h) && !obj_frozen(h))
            vm_call1(h, S("default="), V_NIL);
    }
    return leave_entry(l, at, v, false);
}

static Value load_typed(Load *l, int type, bool *ivars_wanted, Value extended, bool partial)
{
    Value v;
    int64_t at, n;
    vm_check_stack();
    switch (type) {
    case '@':
        n = take_long(l);
        if (n < 0 || n >= (int64_t)ary_len(l->objects))
            raise_error(klass.ArgumentError, "dump format error (unlinked)");
        v = ary_get(l->objects, (long)n);
        return is_nil(l->proc) ? v : vm_call1(l->proc, SYM(call), v);
    case 'I': {
        bool wanted = true;
        int t = take_byte(l);
        if (t == ':' || t == ';') { /* a symbol with an encoding */
            int64_t slot = (int64_t)ary_len(l->symbols);
            Value bytes = take_bytes(l);
            ary_push(l->symbols, V_NIL);
            load_ivars(l, bytes);
            v = sym_intern_str(bytes);
            ary_set(l->symbols, (long)slot, v);
            return leave(l, v);
        }
        int64_t before = (int64_t)ary_len(l->objects);
        v = load_typed(l, t, &wanted, extended, true);
        if (!wanted)
            return v;
        load_ivars(l, v);
        v = leave(l, v);
        set_entry(l, before, v);
        return v;
    }
    case 'e': {
        Value path = sym_name_str(take_symbol(l)), m = path_to_class(path);
        if (is_nil(extended))
            extended = ary_new(1);
        if (is_class(m)) {
            v = load_typed(l, take_byte(l), ivars_wanted, extended, partial);
            return v;
        }
        ary_push(extended, m);
        return load_typed(l, take_byte(l), ivars_wanted, extended, partial);
    }
    case 'C': {
        Value cls = take_class(l);
        int t = take_byte(l);
        int64_t before = (int64_t)ary_len(l->objects);
        v = load_typed(l, t, ivars_wanted, extended, true);
        if (cls == klass.Hash && is_hash(v)) {
            vm_call0(v, S("compare_by_identity"));
        } else {
            if (!is_heap(v) || is_class(v))
                raise_error(klass.ArgumentError, "dump format error (user class)");
            Value copy = obj_alloc(cls);
            if (!is_type(copy, obj_type(v)))
                raise_error(klass.ArgumentError, "dump format error (user class)");
            if (is_regexp(v)) {
                copy = vm_call2(cls, SYM(new), regexp_source(v), vm_call0(v, S("options")));
            } else {
                vm_call1(copy, S("replace"), v);
                if (is_hash(v) && !is_nil(((Hash *)v)->fallback.raw))
                    vm_call1(copy, S("default="), slot_read(v, &((Hash *)v)->fallback));
            }
            v = copy;
        }
        set_entry(l, before, v);
        return leave_entry(l, before, v, partial);
    }
    case '0':
        return leave(l, V_NIL);
    case 'T':
        return leave(l, V_TRUE);
    case 'F':
        return leave(l, V_FALSE);
    case 'i':
        return leave(l, int_value(take_long(l)));
    case 'f':
        v = enter(l, load_float(take_bytes(l)));
        return leave(l, v);
    case 'l':
        v = enter(l, load_bignum(l));
        return leave(l, v);
    case '"':
        v = take_bytes(l);
        at = reserve(l);
        set_entry(l, at, v);
        extend_all(v, extended);
        return leave_entry(l, at, v, partial);
    case '/': {
        Value source = take_bytes(l);
        int options = take_byte(l);
        at = reserve(l);
        int enc = ENC_BINARY;
        if (ivars_wanted && *ivars_wanted) {
            load_ivars(l, source);
            enc = str_encoding(source);
            *ivars_wanted = false;
        }
        (void)enc;
        v = regexp_new_str(source, options & (RE_IGNORECASE | RE_EXTENDED | RE_MULTILINE | RE_FIXED | RE_NOENCODING));
        set_entry(l, at, v);
        return leave_entry(l, at, v, false);
    }
    case '[':
        n = take_long(l);
        v = ary_new(n > 0 && n < 65536 ? (size_t)n : 0);
        at = reserve(l);
        set_entry(l, at, v);
        extend_all(v, extended);
        while (n-- > 0)
            ary_push(v, load_value(l, NULL, V_NIL));
        return leave_entry(l, at, v, partial);
    case '{':
    case '}':
        n = take_long(l);
        v = hash_new();
        at = reserve(l);
        set_entry(l, at, v);
        extend_all(v, extended);
        while (n-- > 0) {
            Value key = load_value(l, NULL, V_NIL);
            Value x = load_value(l, NULL, V_NIL);
            if (is_string(key) && !obj_frozen(key))
                key = obj_freeze(str_dup(key));
            hash_set(v, key, x);
        }
        if (type == '}')
            vm_call1(v, S("default="), load_value(l, NULL, V_NIL));
        return leave_entry(l, at, v, partial);
    case 'S':
        return load_struct(l, extended);
    case 'o':
        return load_object(l, extended);
    case 'u':
        return load_user_dump(l, ivars_wanted, extended);
    case 'U':
        return load_user_marshal(l, extended);
    case 'c':
    case 'm':
    case 'M': {
        Value path = take_bytes(l);
        v = path_to_class(path);
        if (type == 'c' && !is_class(v))
            raise_error(klass.TypeError, "%T does not refer to class", path);
        if (type == 'm' && (!is_module(v) || is_class(v)))
            raise_error(klass.TypeError, "%T does not refer to module", path);
        enter(l, v);
        return leave(l, v);
    }
    case ':': {
        Value bytes = take_bytes(l);
        v = sym_intern_len(str_view(bytes).ptr, str_view(bytes).len, str_is_ascii(bytes) ? ENC_US_ASCII : ENC_BINARY);
        ary_push(l->symbols, v);
        return leave(l, v);
    }
    case ';':
        n = take_long(l);
        if (n < 0 || n >= (int64_t)ary_len(l->symbols))
            raise_error(klass.ArgumentError, "bad symbol");
        return leave(l, ary_get(l->symbols, (long)n));
    default:
        raise_error(klass.ArgumentError, "dump format error(0x%x)", type);
    }
}

static Value load_value(Load *l, bool *ivars_wanted, Value extended)
{
    return load_typed(l, take_byte(l), ivars_wanted, extended, false);
}

static Value marshal_s_load(Value self, int argc, const Value *argv)
{
    (void)self;
    Value options = call_take_keywords(&argc, argv);
    static const char *const names[] = {"freeze", NULL};
    Load l = {V_NIL, 0, V_NIL, ary_new(0), ary_new(0), argc > 1 ? argv[1] : V_NIL, false};
    if (!is_nil(options)) {
        keywords_only(options, names);
        Value f = keyword_get(options, "freeze");
        l.freeze = !is_undef(f) && truthy(f);
    }
    Value text = is_string(argv[0]) ? argv[0] : obj_try_convert(argv[0], T_STRING, "String", SYM(to_str));
    if (!is_nil(text)) {
        l.text = text;
    } else if (vm_responds_to(argv[0], S("getbyte"), true) && vm_responds_to(argv[0], SYM(read), true)) {
        l.io = argv[0];
        if (vm_responds_to(l.io, S("binmode"), true))
            vm_call0(l.io, S("binmode"));
    } else {
        raise_error(klass.TypeError, "instance of IO needed");
    }
    int major = take_byte(&l), minor = take_byte(&l);
    if (major != MAJOR || minor > MINOR)
        raise_error(klass.TypeError, "incompatible marshal file format (can't be read)\n\tformat version %d.%d required; %d.%d given", MAJOR, MINOR,
                    major, minor);
    return load_value(&l, NULL, V_NIL);
}

static const Builtin singleton_methods[] = {
    {"dump", marshal_s_dump, 1, 3, 0},
    {"load", marshal_s_load, 1, 2, BI_KW},
    {"restore", marshal_s_load, 1, 2, BI_KW},
};

void marshal_boot(void)
{
    const_set(klass.Marshal, sym_intern("MAJOR_VERSION"), int_fix(MAJOR));
    const_set(klass.Marshal, sym_intern("MINOR_VERSION"), int_fix(MINOR));
    ADD_SINGLETON_BUILTINS(klass.Marshal, singleton_methods);
}
