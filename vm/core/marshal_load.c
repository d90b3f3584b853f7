/* marshal_load.c -- Marshal: bytes to objects
 *
 * Objects get numbers in the order in which they were written, before their parts are read: a link may lead to one that is
 * not whole yet.  What the bytes say is not trusted: lengths, numbers and types are checked.
 */
#include "marshal.h"
#include "number.h"
#include "vm/shape.h"
#include "io_private.h"
#include "vm/interp/vm_state.h"

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
        Value b = vm_call0(l->io, sym_intern("getbyte"));
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
                    if (name == sym_intern("E"))
                        enc = truthy(v) ? ENC_UTF_8 : ENC_US_ASCII;
                    else if (name == sym_intern("encoding"))
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
    Value at = klass.Object;
    size_t from = 0;
    while (from < str_view(path).len) {
        StrView s = str_view(path);
        const char *colons = memmem(s.ptr + from, s.len - from, "::", 2);
        size_t to = colons ? (size_t)(colons - s.ptr) : s.len, next = colons ? to + 2 : to;
        Value name = sym_intern_len(s.ptr + from, to - from, ENC_UTF_8);
        Value v = sym_kind(name) == SYMKIND_CONST && is_module(at) ? const_find(at, name, at == klass.Object) : V_UNDEF;
        if (is_undef(v))
            raise_error(klass.ArgumentError, "undefined class/module %T", str_new(str_view(path).ptr, next));
        at = v;
        from = next;
    }
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
        vm_call1(v, sym_intern("extend"), ary_get(extended, (long)i));
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
        if (name == sym_intern("E"))
            enc = truthy(x) ? ENC_UTF_8 : ENC_US_ASCII;
        else if (name == sym_intern("encoding") && is_string(x))
            enc = encoding_find(str_c(x));
        if (enc >= 0) {
            if (is_string(v))
                set_string_encoding(v, enc);
            else if (is_regexp(v) && enc != ENC_US_ASCII)
                set_string_encoding(regexp_source(v), enc);
            continue;
        }
        if (is_type(v, T_EXCEPTION)) {
            if (name == sym_intern("mesg"))
                obj_set_field(v, EXC_MESSAGE, x);
            else if (name == sym_intern("bt")) {
                if (!is_nil(x))
                    vm_call1(v, sym_intern("set_backtrace"), x);
            } else if (name == sym_intern("cause"))
                obj_set_field(v, EXC_CAUSE, x);
            else if (name != sym_intern("bt_locations"))
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
                if (name == sym_intern("offset"))
                    offset = x;
                else if (name == sym_intern("zone"))
                    zone = x;
                else if (name == sym_intern("nano_num"))
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
        result = vm_call(cls, sym_intern("__load"), 4, (Value[]){data, offset, int_fix(nano), zone});
        for (size_t i = 0; i < ary_len(names); i++)
            ivar_set(result, ary_get(names, (long)i), ary_get(values, (long)i));
    } else if (cls == klass.Encoding) {
        result = encoding_value(encoding_of(data));
    } else {
        if (!vm_responds_to(cls, sym_intern("_load"), true))
            raise_error(klass.TypeError, "class %C needs to have method '_load'", cls);
        result = vm_call1(cls, sym_intern("_load"), data);
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
    Value members = vm_call0(cls, sym_intern("members"));
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
            if (name == sym_intern("begin"))
                b = x;
            else if (name == sym_intern("end"))
                e = x;
            else if (name == sym_intern("excl"))
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
        Value h = ivar_get(v, sym_intern("@hash"));
        if (is_hash(h) && !obj_frozen(h))
            vm_call1(h, sym_intern("default="), V_NIL);
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
            vm_call0(v, sym_intern("compare_by_identity"));
        } else {
            if (!is_heap(v) || is_class(v))
                raise_error(klass.ArgumentError, "dump format error (user class)");
            Value copy = obj_alloc(cls);
            if (!is_type(copy, obj_type(v)))
                raise_error(klass.ArgumentError, "dump format error (user class)");
            if (is_regexp(v)) {
                copy = vm_call2(cls, SYM(new), regexp_source(v), vm_call0(v, sym_intern("options")));
            } else {
                vm_call1(copy, sym_intern("replace"), v);
                if (is_hash(v) && !is_nil(((Hash *)v)->fallback.raw))
                    vm_call1(copy, sym_intern("default="), slot_read(v, &((Hash *)v)->fallback));
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
            vm_call1(v, sym_intern("default="), load_value(l, NULL, V_NIL));
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

Value marshal_s_load(Value self, int argc, const Value *argv)
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
    } else if (vm_responds_to(argv[0], sym_intern("getbyte"), true) && vm_responds_to(argv[0], SYM(read), true)) {
        l.io = argv[0];
        if (vm_responds_to(l.io, sym_intern("binmode"), true))
            vm_call0(l.io, sym_intern("binmode"));
    } else {
        raise_error(klass.TypeError, "instance of IO needed");
    }
    int major = take_byte(&l), minor = take_byte(&l);
    if (major != MARSHAL_MAJOR || minor > MARSHAL_MINOR)
        raise_error(klass.TypeError, "incompatible marshal file format (can't be read)\n\tformat version %d.%d required; %d.%d given", MARSHAL_MAJOR, MARSHAL_MINOR,
                    major, minor);
    return load_value(&l, NULL, V_NIL);
}
