/* number.c - integers and floats of the text format to bits and back.
 * Floats: the digits become an exact ratio of integers, of which 64 leading bits and "there is
 * more" (sticky) are enough to round once, into either format. Hexadecimal floats have those bits
 * at once; decimal ones need a long division. Keeps: no floating-point arithmetic of the machine is
 * used anywhere. */
#include "text/number.h"
#include <assert.h>
#include <stdio.h>

static unsigned digit_value(uint8_t c) { return (c & 15u) + (c > '9' ? 9 : 0); }

static bool is_hex(const uint8_t *p, const uint8_t *end) {
    return end - p > 2 && p[0] == '0' && p[1] == 'x';
}

/* Skips a sign; true when it was a minus. */
static bool take_sign(const uint8_t **p) {
    bool minus = **p == '-';
    *p += minus || **p == '+';
    return minus;
}

/* ---- Integers. ---- */

/* Digits up to the end as a number; false when it passes 2^64-1. */
static bool read_digits(const uint8_t *p, const uint8_t *end, uint64_t *value) {
    unsigned base = 10;
    if (is_hex(p, end)) base = 16, p += 2;
    for (*value = 0; p < end; p++) {
        if (*p == '_') continue;
        if (__builtin_mul_overflow(*value, base, value)) return false;
        if (__builtin_add_overflow(*value, digit_value(*p), value)) return false;
    }
    return true;
}

bool mote__parse_int(struct span digits, unsigned bits, uint64_t *value) {
    assert(bits >= 1 && bits <= 64);
    const uint8_t *p = digits.data, *end = p + digits.size;
    uint64_t all = UINT64_MAX >> (64 - bits), half = UINT64_C(1) << (bits - 1);
    bool has_sign = *p == '+' || *p == '-', minus = take_sign(&p);
    if (!read_digits(p, end, value)) return false;
    if (*value > (minus ? half : has_sign ? half - 1 : all)) return false;
    if (minus) *value = (0 - *value) & all;
    return true;
}

/* ---- Rounding. ---- */

/* An IEEE 754 binary format. */
struct format {
    unsigned precision; /* significant bits, the hidden one included */
    int lowest;         /* exponent of the smallest subnormal: its value is 2^lowest */
    uint64_t infinity;  /* its bits */
    unsigned sign_shift;
};

static const struct format binary32 = {24, -149, UINT64_C(0x7F800000), 31};
static const struct format binary64 = {53, -1074, UINT64_C(0x7FF0000000000000), 63};

/* A positive number mantissa * 2^exponent, a little more when sticky; the mantissa's bit 63 is set.
 */
struct scaled {
    uint64_t mantissa;
    int64_t exponent;
    bool sticky;
};

/* Divides by 2^shift (1 or more), rounding to nearest, ties to even. */
static uint64_t shift_rounded(struct scaled s, int64_t shift) {
    if (shift > 64) return 0; /* less than half of one */
    uint64_t whole = shift == 64 ? 0 : s.mantissa >> shift;
    uint64_t rest = s.mantissa << (64 - shift); /* the fraction, half of one is 2^63 */
    uint64_t half = UINT64_C(1) << 63;
    bool up = rest > half || (rest == half && (s.sticky || (whole & 1)));
    return whole + up;
}

/* The bits without the sign; false when the value rounds to infinity. */
static bool round_to(const struct format *f, struct scaled s, uint64_t *bits) {
    enum { FAR = 5000 }; /* beyond the exponents of either format */
    if (s.exponent > FAR) return false;
    if (s.exponent < -FAR) return *bits = 0, true;
    int64_t unit = s.exponent + 64 - f->precision; /* exponent of the last place */
    if (unit < f->lowest) unit = f->lowest;
    /* A carry out of the mantissa runs into the exponent field, which is what it should do. */
    *bits =
        ((uint64_t)(unit - f->lowest) << (f->precision - 1)) + shift_rounded(s, unit - s.exponent);
    return *bits < f->infinity;
}

/* Shifts the leading bit of a non-zero mantissa to bit 63. */
static void normalize(struct scaled *s) {
    int zeros = __builtin_clzll(s->mantissa);
    s->mantissa <<= zeros;
    s->exponent -= zeros;
}

/* ---- Reading digits, a point, an exponent. ---- */

/* The exponent behind e or p, held within +-2^40: far outside any format, far inside what adding
 * digit counts could overflow. */
static int64_t read_exponent(const uint8_t *p, const uint8_t *end) {
    const int64_t far = INT64_C(1) << 40;
    if (p >= end) return 0;
    p++;
    bool minus = take_sign(&p);
    int64_t value = 0;
    for (; p < end; p++)
        if (*p != '_' && value < far) value = value * 10 + digit_value(*p);
    return minus ? -value : value;
}

static bool round_hex(const struct format *f, const uint8_t *p, const uint8_t *end,
                      uint64_t *bits) {
    struct scaled s = {0};
    bool behind_point = false;
    for (p += 2; p < end && (*p | 32) != 'p'; p++) {
        if (*p == '_') continue;
        if (*p == '.') {
            behind_point = true;
            continue;
        }
        unsigned digit = digit_value(*p);
        bool full = s.mantissa >> 60 != 0;
        if (full) s.sticky |= digit != 0;
        else s.mantissa = s.mantissa << 4 | digit;
        s.exponent += (full ? 4 : 0) - (behind_point ? 4 : 0);
    }
    s.exponent += read_exponent(p, end);
    *bits = 0;
    if (!s.mantissa) return true;
    normalize(&s);
    return round_to(f, s, bits);
}

/* ---- Decimal: exact by long integers. ---- */

/* Digits kept: a value half-way between two binary64 has at most 767; one more digit stands for all
 * that were cut. */
enum { DECIMAL_DIGITS_MAX = 780, BIG_WORDS = 96 };

struct decimal {
    uint8_t digits[DECIMAL_DIGITS_MAX + 1]; /* the first is not 0 */
    unsigned count;
    int64_t exponent; /* value = digits * 10^exponent */
};

/* A natural number, least significant word first, without leading zero words. */
struct big {
    uint32_t words[BIG_WORDS];
    unsigned count;
};

static void take_digit(struct decimal *d, uint8_t digit, bool *cut_any) {
    if (d->count < DECIMAL_DIGITS_MAX) {
        if (digit || d->count) d->digits[d->count++] = digit;
        return;
    }
    *cut_any |= digit != 0;
    d->exponent++;
}

static void read_decimal(const uint8_t *p, const uint8_t *end, struct decimal *d) {
    bool behind_point = false, cut_any = false;
    d->count = 0;
    d->exponent = 0;
    for (; p < end && (*p | 32) != 'e'; p++) {
        if (*p == '.') behind_point = true;
        if (*p == '.' || *p == '_') continue;
        take_digit(d, (uint8_t)digit_value(*p), &cut_any);
        d->exponent -= behind_point;
    }
    d->exponent += read_exponent(p, end);
    if (cut_any) {
        d->digits[d->count++] = 1;
        d->exponent--;
    }
    while (d->count && !d->digits[d->count - 1]) d->count--, d->exponent++;
}

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t addend) {
    uint64_t carry = addend;
    for (unsigned i = 0; i < b->count; i++) {
        carry += (uint64_t)b->words[i] * factor;
        b->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (!carry) return;
    assert(b->count < BIG_WORDS);
    b->words[b->count++] = (uint32_t)carry;
}

static void big_from_digits(struct big *b, const struct decimal *d) {
    b->count = 0;
    for (unsigned i = 0; i < d->count; i++) big_multiply_add(b, 10, d->digits[i]);
}

static void big_multiply_power_of_5(struct big *b, unsigned power) {
    for (; power >= 13; power -= 13) big_multiply_add(b, 1220703125, 0);
    for (; power; power--) big_multiply_add(b, 5, 0);
}

static int big_bits(const struct big *b) {
    return (int)b->count * 32 - __builtin_clz(b->words[b->count - 1]);
}

static void big_shift_left(struct big *b, unsigned shift) {
    unsigned words = shift / 32;
    assert(b->count + words <= BIG_WORDS);
    memmove(b->words + words, b->words, b->count * sizeof *b->words);
    memset(b->words, 0, words * sizeof *b->words);
    b->count += words;
    if (shift % 32) big_multiply_add(b, UINT32_C(1) << shift % 32, 0);
}

static bool big_less(const struct big *a, const struct big *b) {
    if (a->count != b->count) return a->count < b->count;
    for (unsigned i = a->count; i-- > 0;)
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i];
    return false;
}

/* a -= b, where b is not greater. */
static void big_subtract(struct big *a, const struct big *b) {
    uint64_t borrow = 0;
    for (unsigned i = 0; i < a->count; i++) {
        uint64_t word = (uint64_t)a->words[i] - (i < b->count ? b->words[i] : 0) - borrow;
        a->words[i] = (uint32_t)word;
        borrow = word >> 63;
    }
    while (a->count && !a->words[a->count - 1]) a->count--;
}

/* The 64 leading bits of n/d, by long division; n and d are used up. */
static struct scaled big_divide(struct big *n, struct big *d) {
    struct scaled s = {0};
    int difference = big_bits(n) - big_bits(d);
    if (difference < 0) big_shift_left(n, (unsigned)-difference);
    else big_shift_left(d, (unsigned)difference);
    s.exponent = difference - 63;
    if (big_less(n, d)) {
        big_shift_left(n, 1);
        s.exponent--;
    }
    for (unsigned i = 0; i < 64; i++) {
        bool bit = !big_less(n, d);
        if (bit) big_subtract(n, d);
        s.mantissa = s.mantissa << 1 | bit;
        big_multiply_add(n, 2, 0);
    }
    s.sticky = n->count != 0;
    return s;
}

static bool round_decimal(const struct format *f, const uint8_t *p, const uint8_t *end,
                          uint64_t *bits) {
    enum { TOO_BIG = 310, TOO_SMALL = -330 }; /* decimal places of the leading digit */
    struct decimal d;
    read_decimal(p, end, &d);
    *bits = 0;
    if (!d.count || d.exponent + d.count < TOO_SMALL) return true;
    if (d.exponent + d.count > TOO_BIG) return false;
    struct big numerator, denominator = {.words = {1}, .count = 1};
    big_from_digits(&numerator, &d);
    /* 10^x = 5^x * 2^x: only the fives need long arithmetic. */
    if (d.exponent >= 0) big_multiply_power_of_5(&numerator, (unsigned)d.exponent);
    else big_multiply_power_of_5(&denominator, (unsigned)-d.exponent);
    struct scaled s = big_divide(&numerator, &denominator);
    s.exponent += d.exponent;
    return round_to(f, s, bits);
}

/* ---- Floats. ---- */

static bool parse_nan(const struct format *f, const uint8_t *p, const uint8_t *end,
                      uint64_t *bits) {
    uint64_t quiet = UINT64_C(1) << (f->precision - 2), payload = quiet;
    if (end - p > 3 && !read_digits(p + 4, end, &payload)) return false;
    if (payload == 0 || payload >= quiet * 2) return false;
    *bits = f->infinity | payload;
    return true;
}

static bool parse_float(const struct format *f, struct span text, uint64_t *bits) {
    const uint8_t *p = text.data, *end = p + text.size;
    uint64_t sign = (uint64_t)take_sign(&p) << f->sign_shift;
    bool fits = true;
    if (*p == 'i') *bits = f->infinity;
    else if (*p == 'n') fits = parse_nan(f, p, end, bits);
    else if (is_hex(p, end)) fits = round_hex(f, p, end, bits);
    else fits = round_decimal(f, p, end, bits);
    if (fits) *bits |= sign;
    return fits;
}

bool mote__parse_f32(struct span text, uint32_t *bits) {
    uint64_t wide;
    if (!parse_float(&binary32, text, &wide)) return false;
    *bits = (uint32_t)wide;
    return true;
}

bool mote__parse_f64(struct span text, uint64_t *bits) {
    return parse_float(&binary64, text, bits);
}

/* ---- Printing. ---- */

/* Hexadecimal digits of a finite, non-zero number: 0x1.<fraction>p<exponent>, trailing zeros cut.
 */
static int format_finite(const struct format *f, uint64_t magnitude, const char *sign, char *out) {
    unsigned fraction_bits = f->precision - 1;
    uint64_t fraction = magnitude & ((UINT64_C(1) << fraction_bits) - 1);
    int exponent = (int)(magnitude >> fraction_bits) - 1 + f->lowest + (int)fraction_bits;
    if (!(magnitude >> fraction_bits)) { /* subnormal */
        int zeros = __builtin_clzll(fraction) - (63 - (int)fraction_bits);
        fraction = (fraction << zeros) & ((UINT64_C(1) << fraction_bits) - 1);
        exponent += 1 - zeros;
    }
    unsigned digits = (fraction_bits + 3) / 4;
    fraction <<= digits * 4 - fraction_bits;
    while (digits && !(fraction & 15)) fraction >>= 4, digits--;
    if (!digits) return snprintf(out, NUMBER_TEXT_MAX, "%s0x1p%+d", sign, exponent);
    return snprintf(out, NUMBER_TEXT_MAX, "%s0x1.%0*llxp%+d", sign, (int)digits,
                    (unsigned long long)fraction, exponent);
}

static size_t format_float(const struct format *f, uint64_t bits, char *out) {
    const char *sign = bits >> f->sign_shift ? "-" : "";
    uint64_t magnitude = bits & ((UINT64_C(1) << f->sign_shift) - 1);
    uint64_t payload = magnitude - f->infinity, quiet = UINT64_C(1) << (f->precision - 2);
    int size;
    if (magnitude == 0) size = snprintf(out, NUMBER_TEXT_MAX, "%s0x0p+0", sign);
    else if (magnitude < f->infinity) size = format_finite(f, magnitude, sign, out);
    else if (payload == 0) size = snprintf(out, NUMBER_TEXT_MAX, "%sinf", sign);
    else if (payload == quiet) size = snprintf(out, NUMBER_TEXT_MAX, "%snan", sign);
    else size = snprintf(out, NUMBER_TEXT_MAX, "%snan:0x%llx", sign, (unsigned long long)payload);
    return (size_t)size;
}

size_t mote__format_f32(uint32_t bits, char out[NUMBER_TEXT_MAX + 1]) {
    return format_float(&binary32, bits, out);
}

size_t mote__format_f64(uint64_t bits, char out[NUMBER_TEXT_MAX + 1]) {
    return format_float(&binary64, bits, out);
}
