/* marshal.c -- Marshal, and objects to bytes: format 4.8, byte for byte as CRuby writes it
 *
 * Every object that is not an immediate gets a number when it is first written; later ones are links.  The tables are
 * Ruby objects, so that the collector sees what is in them; the byte buffer is a String of our own.
 */
#include "vm/core/core_private.h"
#include "marshal.h"
#include "number.h"
#include "vm/shape.h"
#include "io_private.h"
#include "vm/interp/vm_state.h"
#include <stdio.h>

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
        put_symbol(d, sym_intern("E"));
        put_byte(d, enc == ENC_UTF_8 ? 'T' : 'F');
        return;
    }
    put_symbol(d, sym_intern("encoding"));
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
    if (check && (ary_len(vm_call1(v, sym_intern("singleton_methods"), V_FALSE)) || ary_len(vm_call0(k, sym_intern("instance_variables")))))
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
    size_t words = (mpz_sizeinbase(z, 2) + 15) / 16;
    put_byte(d, 'l');
    put_byte(d, mpz_sgn(z) < 0 ? '-' : '+');
    put_long(d, (int64_t)words);
    for (size_t at = 0; at < words;) {
        char part[1024];
        size_t n = 0;
        z = int_view(&view, v);
        for (; n < sizeof part && at < words; at++) {
            mp_limb_t word = mpz_getlimbn(z, (mp_size_t)(at * 16 / GMP_LIMB_BITS)) >> at * 16 % GMP_LIMB_BITS;
            part[n++] = (char)word;
            part[n++] = (char)(word >> 8);
        }
        put(d, part, n);
    }
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
        put_symbol(d, sym_intern("Hash"));
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
    Value backtrace = vm_call0(v, sym_intern("backtrace"));
    ary_push(names, sym_intern("mesg"));
    ary_push(values, obj_field(v, EXC_MESSAGE));
    ary_push(names, sym_intern("bt"));
    ary_push(values, backtrace);
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        Value x = ivar_get(v, sym_intern(extras[i]));
        if (!is_undef(x) && !(strcmp(extras[i], "receiver") == 0 && obj_is_kind_of(v, klass.NameError))) {
            ary_push(names, sym_intern(extras[i]));
            ary_push(values, x);
        }
    }
    Ivars iv = ivars_of(v);
    for (size_t i = 0; i < ary_len(iv.names); i++) {
        ary_push(names, ary_get(iv.names, (long)i));
        ary_push(values, ary_get(iv.values, (long)i));
    }
    if (!is_nil(backtrace)) {
        ary_push(names, sym_intern("bt_locations"));
        ary_push(values, backtrace);
    }
    Value cause = obj_field(v, EXC_CAUSE);
    if (!is_nil(cause) && !is_undef(cause) && cause != V_FALSE) {
        ary_push(names, sym_intern("cause"));
        ary_push(values, cause);
    }
    put_class(d, 'o', v);
    put_long(d, (int64_t)ary_len(names));
    put_ivars(d, (Ivars){names, values}, limit);
}

static void dump_time(Dump *d, Value v, int64_t limit)
{
    Ivars iv = ivars_of(v);
    int64_t nano = value_int(vm_call0(v, sym_intern("nsec"))) % 1000;
    if (nano) {
        char bcd[2] = {(char)(nano / 100 << 4 | nano / 10 % 10), (char)(nano % 10 << 4)};
        ary_push(iv.names, sym_intern("nano_num"));
        ary_push(iv.values, int_fix(nano));
        ary_push(iv.names, sym_intern("nano_den"));
        ary_push(iv.values, int_fix(1));
        ary_push(iv.names, sym_intern("submicro"));
        ary_push(iv.values, str_new_enc(bcd, bcd[1] ? 2 : 1, ENC_BINARY));
    }
    if (!truthy(vm_call0(v, sym_intern("utc?")))) {
        ary_push(iv.names, sym_intern("offset"));
        ary_push(iv.values, vm_call0(v, sym_intern("utc_offset")));
    }
    ary_push(iv.names, sym_intern("zone"));
    ary_push(iv.values, vm_call0(v, sym_intern("zone")));
    put_byte(d, 'I');
    put_class(d, 'u', v);
    Value bytes = vm_call0(v, sym_intern("__dump"));
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
    if (v == const_find(klass.Object, sym_intern("ENV"), false))
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
    if (vm_responds_to(v, sym_intern("_dump"), true)) {
        Value s = vm_call1(v, sym_intern("_dump"), int_fix(limit));
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
        put_byte(d, (int)value_int(vm_call0(v, sym_intern("options"))));
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
        put_symbol(d, sym_intern("excl"));
        dump_value(d, bool_value(excl), limit);
        put_symbol(d, sym_intern("begin"));
        dump_value(d, b, limit);
        put_symbol(d, sym_intern("end"));
        dump_value(d, e, limit);
        put_ivars(d, iv, limit);
        return;
    }
    case T_STRUCT: {
        Ivars iv;
        bool any = begin_ivars(d, -1, &iv, v);
        put_class(d, 'S', v);
        Value members = vm_call0(class_real(v), sym_intern("members"));
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
            if (set && name == sym_intern("@hash") && is_hash(x)) {
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
    vm_call0(d.seen, sym_intern("compare_by_identity"));
    put_byte(&d, MARSHAL_MAJOR);
    put_byte(&d, MARSHAL_MINOR);
    dump_value(&d, argv[0], limit);
    if (is_nil(io))
        return d.out;
    if (vm_responds_to(io, sym_intern("binmode"), true))
        vm_call0(io, sym_intern("binmode"));
    vm_call1(io, SYM(write), d.out);
    return io;
}

static const Builtin singleton_methods[] = {
    {"dump", marshal_s_dump, 1, 3, 0},
    {"load", marshal_s_load, 1, 2, BI_KW},
    {"restore", marshal_s_load, 1, 2, BI_KW},
};

void marshal_boot(void)
{
    const_set(klass.Marshal, sym_intern("MAJOR_VERSION"), int_fix(MARSHAL_MAJOR));
    const_set(klass.Marshal, sym_intern("MINOR_VERSION"), int_fix(MARSHAL_MINOR));
    ADD_SINGLETON_BUILTINS(klass.Marshal, singleton_methods);
}
