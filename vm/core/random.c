/* random.c -- class Random and Kernel#rand: the Mersenne twister (Matsumoto and Nishimura 1998), so that a seed gives
 * the same numbers as in CRuby.  The session's own generator is seeded on its first use in each process. */
#include "vm/core/core_private.h"
#include "vm/core/number.h"
#include <sys/random.h>
#include <unistd.h>

enum { MT_N = 624, MT_M = 397 };
typedef struct Generator {
    uint32_t state[MT_N];
    int next; /* MT_N: all used up */
    bool ready;
    Value source; /* not 0: words come from this object's #bytes, nothing else is used */
} Generator;

static Value random_class;
static Generator session_generator;
static Value session_seed = V_NIL;
static pid_t session_pid;
static const DataType random_type = {.name = "random", .free = free};

static void mt_seed(Generator *g, uint32_t s)
{
    g->state[0] = s;
    for (uint32_t i = 1; i < MT_N; i++)
        g->state[i] = 1812433253u * (g->state[i - 1] ^ g->state[i - 1] >> 30) + i;
    g->next = MT_N;
}
static void mt_seed_array(Generator *g, const uint32_t *key, size_t len)
{
    mt_seed(g, 19650218u);
    uint32_t *s = g->state;
    size_t i = 1, j = 0;
    for (size_t k = MAX((size_t)MT_N, len); k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ s[i - 1] >> 30) * 1664525u)) + key[j] + (uint32_t)j;
        if (++i >= MT_N)
            s[0] = s[MT_N - 1], i = 1;
        if (++j >= len)
            j = 0;
    }
    for (size_t k = MT_N - 1; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ s[i - 1] >> 30) * 1566083941u)) - (uint32_t)i;
        if (++i >= MT_N)
            s[0] = s[MT_N - 1], i = 1;
    }
    s[0] = 0x80000000u;
}
static uint32_t mt_next(Generator *g)
{
    if (g->source) {
        Value b = vm_call1(g->source, sym_intern("bytes"), int_fix(4));
        StrView v = str_view(b);
        uint32_t w = 0;
        if (v.len < 4)
            raise_error(klass.RangeError, "random data too short %zu", v.len);
        memcpy(&w, v.ptr, 4);
        KEEP(b);
        return w;
    }
    if (g->next >= MT_N) {
        uint32_t *s = g->state;
        for (int i = 0; i < MT_N; i++) {
            uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % MT_N] & 0x7fffffffu);
            s[i] = s[(i + MT_M) % MT_N] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        g->next = 0;
    }
    uint32_t y = g->state[g->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}
static void generator_seed(Generator *g, Value seed)
{
    uint32_t key[4096];
    size_t n = 0;
    Value mag = int_abs(seed);
    MpzView x;
    mpz_srcptr z = int_view(&x, mag);
    size_t limbs = MIN(mpz_size(z), COUNT_OF(key) / 2);
    for (size_t i = 0; i < limbs; i++) {
        key[n++] = (uint32_t)mpz_getlimbn(z, (mp_size_t)i);
        key[n++] = (uint32_t)(mpz_getlimbn(z, (mp_size_t)i) >> 32);
    }
    KEEP(mag);
    while (n > 1 && key[n - 1] == 0)
        n--;
    if (n == 0)
        key[n++] = 0;
    if (n <= 1)
        mt_seed(g, key[0]);
    else
        mt_seed_array(g, key, n);
    g->ready = true;
}
static Value new_seed(void)
{
    uint64_t w[2];
    if (getrandom(w, sizeof w, 0) != (ssize_t)sizeof w)
        raise_error(klass.RuntimeError, "failed to get urandom");
    return int_add(int_shift(uint_value(w[0]), 64), uint_value(w[1]));
}
static Generator *session(void)
{
    if (!session_generator.ready || session_pid != getpid()) {
        session_seed = new_seed();
        generator_seed(&session_generator, session_seed);
        session_pid = getpid();
    }
    return &session_generator;
}
static Generator *generator_of(Value v) /* NULL: some other object with #rand */
{
    if (is_undef(v) || v == random_class)
        return session();
    if (is_type(v, T_DATA))
        return data_get(v, &random_type);
    return NULL;
}

static uint64_t limited(Generator *g, uint64_t limit) /* 0..limit */
{
    if (!limit)
        return 0;
    uint64_t mask = ~(uint64_t)0 >> __builtin_clzll(limit), val;
    do {
        val = 0;
        if (limit > 0xffffffffu) {
            bool again = false;
            for (int i = 1; i >= 0; i--) {
                if (mask >> (i * 32) & 0xffffffffu) {
                    val |= (uint64_t)mt_next(g) << (i * 32);
                    val &= mask;
                    if (val > limit) {
                        again = true;
                        break;
                    }
                }
            }
            if (again)
                continue;
        } else {
            val = mt_next(g) & mask;
        }
    } while (val > limit);
    return val;
}
uint64_t random_limited(Value generator, uint64_t limit)
{
    Generator *g = generator_of(generator);
    if (g)
        return limited(g, limit);
    Value r = vm_call1(generator, sym_intern("rand"), int_add(uint_value(limit), int_fix(1)));
    Value n = int_convert(r);
    if (int_sign(n) < 0 || int_cmp(n, uint_value(limit)) > 0)
        raise_error(klass.RangeError, "random number too %s %T", int_sign(n) < 0 ? "small" : "big", n);
    return (uint64_t)value_int(n);
}
uint64_t random_word(void)
{
    Generator *g = session();
    uint64_t hi = mt_next(g);
    return hi << 32 | mt_next(g);
}
static Value limited_int(Generator *g, Value limit) /* 0..limit, limit >= 0 */
{
    if (is_fixnum(limit))
        return uint_value(limited(g, (uint64_t)fix_int(limit)));
    MpzView x;
    mpz_srcptr z = int_view(&x, limit);
    size_t words = mpz_size(z) * 2;
    uint32_t *out = malloc(words * 4);
    if (!out)
        raise_no_memory();
#define WORD(i) ((uint32_t)(mpz_getlimbn(z, (mp_size_t)(i) / 2) >> ((i) % 2 * 32)))
    bool boundary;
    do {
        uint32_t mask = 0;
        boundary = true;
        size_t i = words;
        for (; i-- > 0;) {
            uint32_t lim = WORD(i), val;
            mask = mask ? 0xffffffffu : lim ? 0xffffffffu >> __builtin_clz(lim) : 0;
            if (mask) {
                val = mt_next(g) & mask;
                if (boundary) {
                    if (val > lim)
                        break;
                    if (val < lim)
                        boundary = false;
                }
            } else {
                val = 0;
            }
            out[i] = val;
        }
        if (i == (size_t)-1)
            break;
    } while (true);
#undef WORD
    mpz_t r;
    mpz_init(r);
    mpz_import(r, words, -1, 4, 0, 0, out);
    free(out);
    KEEP(limit);
    return int_from_mpz(r);
}
static double real_number(Generator *g, bool excl)
{
    uint32_t a = mt_next(g), b = mt_next(g);
    if (excl)
        return ((a >> 5) * 67108864.0 + (b >> 6)) * (1.0 / 9007199254740992.0);
    unsigned __int128 m = ((unsigned __int128)1 << 53) | 1, x = (unsigned __int128)a << 32 | b;
    return ldexp((double)(uint64_t)((x * m) >> 64), -53);
}
double random_float(void)
{
    return real_number(session(), true);
}

static _Noreturn void raise_argument(Value v)
{
    raise_error(klass.ArgumentError, "invalid argument - %T", v);
}
static Value rand_range(Generator *g, Value lo, Value hi, bool excl)
{
    if (is_nil(lo) || is_nil(hi))
        raise_error(const_get_from(klass.Errno, sym_intern("EDOM")), "Numerical argument out of domain");
    if (is_integer(lo) && is_integer(hi)) {
        Value span = int_sub(hi, lo);
        if (excl)
            span = int_sub(span, int_fix(1));
        if (int_sign(span) < 0)
            return V_NIL;
        return int_add(lo, limited_int(g, span));
    }
    double b = value_double(lo), e = value_double(hi);
    if (!isfinite(b) || !isfinite(e))
        raise_error(const_get_from(klass.Errno, sym_intern("EDOM")), "Numerical argument out of domain");
    if (e < b || (excl && e == b))
        return V_NIL;
    double r = real_number(g, excl);
    return float_value(r * (e - b) + b);
}

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)

static Value rand_method(Generator *g, int argc, const Value *argv)
{
    if (argc == 0)
        return float_value(real_number(g, true));
    Value v = argv[0], lo, hi;
    bool excl;
    if (is_nil(v))
        raise_argument(v);
    if (range_values(v, &lo, &hi, &excl)) {
        Value r = rand_range(g, lo, hi, excl);
        if (is_nil(r))
            raise_argument(v);
        return r;
    }
    if (is_float(v)) {
        double max = float_double(v);
        if (!(max > 0.0) || isinf(max)) {
            if (isnan(max) || isinf(max))
                raise_error(const_get_from(klass.Errno, sym_intern("EDOM")), "Numerical argument out of domain");
            raise_argument(v);
        }
        return float_value(real_number(g, true) * max);
    }
    Value n = int_convert(v);
    if (int_sign(n) <= 0)
        raise_argument(v);
    return limited_int(g, int_sub(n, int_fix(1)));
}
METHOD(rnd_rand) { return rand_method(generator_of(self), argc, argv); }
METHOD(rnd_s_rand) { (void)self; return rand_method(session(), argc, argv); }
/* Random::Formatter: over the #bytes of whatever includes it */
METHOD(fmt_rand)
{
    Generator *g = generator_of(self), own = {.source = self};
    return rand_method(g ? g : &own, argc, argv);
}
METHOD(fmt_random_number)
{
    Value v = argc ? argv[0] : V_NIL;
    Generator *g = generator_of(self), own = {.source = self};
    if (!g)
        g = &own;
    if (is_nil(v) || (is_float(v) && !(float_double(v) > 0)) || (is_integer(v) && int_sign(v) <= 0))
        return float_value(real_number(g, true));
    return rand_method(g, 1, &v);
}
METHOD(k_rand)
{
    (void)self;
    Value v = argc ? argv[0] : V_NIL, lo, hi;
    bool excl;
    if (is_nil(v))
        return float_value(real_number(session(), true));
    if (range_values(v, &lo, &hi, &excl))
        return rand_range(session(), lo, hi, excl);
    Value n = int_abs(int_convert(v));
    if (n == int_fix(0))
        return float_value(real_number(session(), true));
    return limited_int(session(), int_sub(n, int_fix(1)));
}
METHOD(k_srand)
{
    (void)self;
    session();
    Value old = session_seed, seed = argc ? int_convert(argv[0]) : new_seed();
    session_seed = seed;
    generator_seed(&session_generator, seed);
    session_pid = getpid();
    return old;
}
METHOD(rnd_initialize)
{
    Value seed = argc ? int_convert(argv[0]) : new_seed();
    Generator *g = calloc(1, sizeof(Generator));
    if (!g)
        raise_no_memory();
    generator_seed(g, seed);
    data_set(self, &random_type, g);
    ivar_set(self, sym_intern("__seed"), seed);
    return self;
}
METHOD(rnd_initialize_copy)
{
    (void)argc;
    Generator *g = malloc(sizeof(Generator));
    if (!g)
        raise_no_memory();
    *g = *(Generator *)data_get(argv[0], &random_type);
    data_set(self, &random_type, g);
    ivar_set(self, sym_intern("__seed"), ivar_get(argv[0], sym_intern("__seed")));
    return self;
}
METHOD(rnd_seed)
{
    (void)argc, (void)argv;
    return ivar_get(self, sym_intern("__seed"));
}
METHOD(rnd_s_seed)
{
    (void)self, (void)argc, (void)argv;
    session();
    return session_seed;
}
/* How many words are left before the next round of the twister, as CRuby counts: 1 means none. */
METHOD(rnd_left)
{
    (void)argc, (void)argv;
    return int_fix(MT_N + 1 - generator_of(self)->next);
}
METHOD(rnd_state)
{
    (void)argc, (void)argv;
    mpz_t z;
    mpz_init(z);
    mpz_import(z, MT_N, -1, sizeof(uint32_t), 0, 0, generator_of(self)->state);
    return int_from_mpz(z);
}
METHOD(rnd_marshal_dump)
{
    return ary_new_from(3, (Value[]){rnd_state(self, argc, argv), rnd_left(self, argc, argv), rnd_seed(self, argc, argv)});
}
METHOD(rnd_marshal_load)
{
    (void)argc;
    Value dump = ary_to_ary(argv[0]);
    size_t n = ary_len(dump);
    if (n < 1 || n > 3)
        raise_error(klass.ArgumentError, "wrong dump data");
    Value state = int_convert(ary_get(dump, 0)), seed = n > 2 ? int_convert(ary_get(dump, 2)) : int_fix(0);
    int64_t left = n > 1 ? value_int(ary_get(dump, 1)) : 1;
    MpzView view;
    mpz_srcptr z = int_view(&view, state);
    if (left < 1 || left > MT_N || mpz_sgn(z) < 0 || mpz_sizeinbase(z, 2) > MT_N * 32)
        raise_error(klass.ArgumentError, "wrong value");
    Generator *g = calloc(1, sizeof(Generator));
    if (!g)
        raise_no_memory();
    mpz_export(g->state, NULL, -1, sizeof(uint32_t), 0, 0, z);
    KEEP(state);
    g->next = (int)(MT_N + 1 - left);
    g->ready = true;
    data_set(self, &random_type, g);
    ivar_set(self, sym_intern("__seed"), seed);
    return self;
}
METHOD(rnd_equal)
{
    (void)argc;
    if (class_real(self) != class_real(argv[0]))
        return V_FALSE;
    Generator *a = generator_of(self), *b = generator_of(argv[0]);
    return bool_value(!memcmp(a->state, b->state, sizeof a->state) && a->next == b->next &&
                      obj_equal(rnd_seed(self, 0, NULL), rnd_seed(argv[0], 0, NULL)));
}
static Value random_bytes(Generator *g, Value count)
{
    int64_t n = value_int(count);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative string size (or size too big)");
    Value out = str_buf_new((size_t)n, ENC_BINARY);
    char *p = str_bytes(out);
    int64_t i = 0;
    for (; n - i >= 4; i += 4) {
        uint32_t w = mt_next(g);
        memcpy(p + i, &w, 4);
    }
    if (i < n) {
        uint32_t w = mt_next(g);
        memcpy(p + i, &w, (size_t)(n - i));
    }
    str_buf_set_len(out, (size_t)n);
    return out;
}
METHOD(rnd_bytes) { (void)argc; return random_bytes(generator_of(self), argv[0]); }
METHOD(rnd_s_bytes) { (void)self, (void)argc; return random_bytes(session(), argv[0]); }
METHOD(rnd_s_new_seed) { (void)self, (void)argc, (void)argv; return new_seed(); }
METHOD(rnd_s_urandom)
{
    (void)self, (void)argc;
    int64_t n = value_int(argv[0]);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative string size (or size too big)");
    Value out = str_buf_new((size_t)n, ENC_BINARY);
    for (int64_t got = 0; got < n;) {
        ssize_t k = getrandom(str_bytes(out) + got, (size_t)(n - got), 0);
        if (k < 0)
            raise_error(klass.RuntimeError, "failed to get urandom");
        got += k;
    }
    str_buf_set_len(out, (size_t)n);
    return out;
}
static Value rnd_allocate(Value cls)
{
    return data_new(cls, &random_type, NULL);
}

static const Builtin base_methods[] = {
    {"initialize", rnd_initialize, 0, 1, BI_PRIVATE},
    {"rand", rnd_rand, 0, 1, 0},
    {"bytes", rnd_bytes, 1, 1, 0},
    {"seed", rnd_seed, 0, 0, 0},
};
static const Builtin methods[] = {
    {"initialize_copy", rnd_initialize_copy, 1, 1, BI_PRIVATE},
    {"left", rnd_left, 0, 0, BI_PRIVATE},
    {"state", rnd_state, 0, 0, BI_PRIVATE},
    {"marshal_dump", rnd_marshal_dump, 0, 0, BI_PRIVATE},
    {"marshal_load", rnd_marshal_load, 1, 1, BI_PRIVATE},
    {"==", rnd_equal, 1, 1, 0},
};
static const Builtin singleton_methods[] = {
    {"rand", rnd_s_rand, 0, 1, 0},
    {"bytes", rnd_s_bytes, 1, 1, 0},
    {"seed", rnd_s_seed, 0, 0, 0},
    {"new_seed", rnd_s_new_seed, 0, 0, 0},
    {"srand", k_srand, 0, 1, 0},
    {"urandom", rnd_s_urandom, 1, 1, 0},
};
static const Builtin formatter[] = {
    {"random_number", fmt_random_number, 0, 1, 0},
    {"rand", fmt_rand, 0, 1, 0},
};
static const Builtin kernel[] = {
    {"rand", k_rand, 0, 1, BI_MODULE_FUNCTION},
    {"srand", k_srand, 0, 1, BI_MODULE_FUNCTION},
};

void random_boot(void)
{
    heap_add_root(&session_seed);
    Value base = class_new(klass.Object, "Random::Base");
    class_set_allocator(base, NULL);
    random_class = class_define("Random", base);
    heap_add_root(&random_class);
    const_set(random_class, sym_intern("Base"), base);
    class_set_allocator(random_class, rnd_allocate);
    ADD_BUILTINS(base, base_methods);
    Value mod = module_define_under(random_class, "Formatter");
    ADD_BUILTINS(mod, formatter);
    module_include(base, mod);
    module_include(obj_singleton_class(base), mod);
    ADD_BUILTINS(random_class, methods);
    ADD_SINGLETON_BUILTINS(random_class, singleton_methods);
    ADD_BUILTINS(klass.Kernel, kernel);
}
