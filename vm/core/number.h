/* number.h -- what the files of numbers show each other (private to vm/core) */
#ifndef CORE_NUMBER_H
#define CORE_NUMBER_H
#include "vm/core/text.h"
#include <gmp.h>
#include <math.h>

/* T_BIGNUM: sign and magnitude, never within the fixnum range, immutable.  The limbs lie in the cell. */
typedef struct Bignum {
    uint64_t head;
    int32_t sign; /* 1 or -1 */
    uint32_t n;   /* limbs, the highest not zero */
    mp_limb_t limb[];
} Bignum;
static inline bool is_bignum(Value v) { return is_type(v, T_BIGNUM); }
static inline bool is_rational(Value v) { return is_type(v, T_RATIONAL); }
static inline bool is_complex(Value v) { return is_type(v, T_COMPLEX); }
static inline bool is_real_number(Value v) { return is_integer(v) || is_float(v) || is_rational(v); }

/* An Integer as a read-only mpz, without copying.  Valid while the Value lives: KEEP it. */
typedef struct MpzView {
    mpz_t z;
    mp_limb_t one;
} MpzView;
mpz_srcptr int_view(MpzView *view, Value v);
Value int_from_mpz(mpz_t z);  /* takes z over: it is cleared */
Value int_from_double(double d); /* truncates; FloatDomainError */
enum { INT_MAX_LIMBS = 1 << 25 };
void int_check_bits(uint64_t bits, const char *what);

/* Exact arithmetic on two Integers (no other types, nothing redefined). */
Value int_add(Value a, Value b);
Value int_sub(Value a, Value b);
Value int_mul(Value a, Value b);
Value int_div(Value a, Value b);      /* floor; ZeroDivisionError */
Value int_mod(Value a, Value b);
void int_divmod(Value a, Value b, Value *q, Value *r);
Value int_neg(Value a);
Value int_gcd(Value a, Value b);
int int_cmp(Value a, Value b);
int int_sign(Value a);
bool int_odd(Value a);
double int_double(Value a);           /* nearest, ties to even; may be infinite */
double int_fdiv(Value a, Value b);
Value int_shift(Value a, int64_t left);
Value int_pow_ui(Value a, uint64_t e);
Value int_abs(Value a);
int int_cmp_double(Value a, double d); /* -1 0 1; 2: NaN */
Value int_isqrt(Value a);
Value int_powmod(Value a, Value b, Value m); /* a ** b modulo m, with the sign of m; b is not negative, m not zero */
/* n digits of the base, 0-terminated, malloc'ed: taken over. */
Value int_from_digits(char *digits, size_t n, int base, bool negative);
uint64_t int_bit_length(Value a);
typedef enum { ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN, ROUND_FLOOR, ROUND_CEIL, ROUND_TRUNC } RoundMode;
Value int_round(Value a, int64_t digits, RoundMode mode); /* digits < 0 */
RoundMode round_mode_of(Value keywords);
int64_t round_digits(Value v); /* an int; RangeError */
Value float_round(double x, int64_t digits, bool have_digits, RoundMode mode);
Value rat_round(Value r, int64_t digits, bool have_digits, RoundMode mode);

/* Coercion: other.coerce(self), then op; TypeError / ArgumentError as CRuby. */
Value num_coerce_bin(Value a, Value b, Value op);
Value num_coerce_cmp(Value a, Value b, Value op); /* nil when it can't be */
Value num_coerce_rel(Value a, Value b, Value op); /* < <= ...: ArgumentError */
_Noreturn void raise_compare(Value a, Value b);
_Noreturn void raise_zero_div(void);
Value int_convert(Value v);                /* implicit: Integer, Float truncated, to_int; TypeError */
Value num_neg(Value a);
Value num_pow(Value a, Value b);
Value num_op(Value a, Value op, Value b);
bool num_zero(Value a);
bool take_exception(int *argc, const Value *argv); /* keyword exception: */
bool num_negative(Value a);
Value int_pow_any(Value a, Value b);

static inline Value rat_num(Value r) { return obj_field(r, 0); }
static inline Value rat_den(Value r) { return obj_field(r, 1); }
static inline Value cpx_re(Value c) { return obj_field(c, 0); }
static inline Value cpx_im(Value c) { return obj_field(c, 1); }
Value rat_raw(Value num, Value den);       /* already in lowest terms, den > 0 */
Value cpx_raw(Value re, Value im);
Value cpx_polar_pi(double abs, double turns);   /* abs at the angle turns * pi */
Value rat_from_double(double d);           /* exact: Integer or Rational -> always a Rational */
double rat_double(Value r);
int rat_cmp(Value a, Value b);             /* Integer or Rational each */
Value rat_add(Value a, Value b);
Value rat_sub(Value a, Value b);
Value rat_mul(Value a, Value b);
Value rat_quo(Value a, Value b);
Value rat_of(Value v);                     /* Integer, Rational, Float -> Rational */
Value rat_parse(const char *s, size_t len, bool strict, size_t *used); /* Rational; nil when strict and bad */
Value cpx_parse(const char *s, size_t len, bool strict);
Value rat_simplest(Value lo, Value hi);
int float_shortest(double d, char *digits, int *decpt); /* count of digits; value = 0.DIGITS * 10**decpt; d > 0, finite */
#endif
