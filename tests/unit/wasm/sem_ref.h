/* sem_ref.h - what the tests of sem.h and sem_simd.h share: edge values, a generator, and
 * references for floats that are written from the specification's text with integers and libm,
 * never with the code under test. */
#ifndef MOTE_TESTS_SEM_REF_H
#define MOTE_TESTS_SEM_REF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* A small generator (xorshift), the same values at each run. */
static uint64_t ref_random_state = 0x9E3779B97F4A7C15u;
static inline uint64_t ref_random(void) {
    ref_random_state ^= ref_random_state << 13;
    ref_random_state ^= ref_random_state >> 7;
    ref_random_state ^= ref_random_state << 17;
    return ref_random_state;
}

static const uint64_t ref_integers[] = {
    0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 0x7F, 0x80, 0x81, 0xFF, 0x100, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x10000,
    0x12345678, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, 0x123456789ABCDEF0,
    0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0x8000000000000001, 0xFFFFFFFF7FFFFFFF, 0xFFFFFFFF80000000,
    0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF};

/* Bits of floats: zeros, subnormals, halves and their neighbours, the edges of every integer type,
 * infinities, NaNs (canonical, quiet with a payload, signalling). Each is taken with both signs. */
static const uint32_t ref_f32_edges[] = {
    0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x3EFFFFFF, 0x3F000000, 0x3F000001, 0x3F7FFFFF, 0x3F800000, 0x3F800001,
    0x3FC00000, 0x40000000, 0x40200000, 0x40490FDB, 0x42FE0000, 0x437F0000, 0x4AFFFFFF, 0x4B000000, 0x4B000001, 0x4B7FFFFF,
    0x4B800000, 0x4EFFFFFF, 0x4F000000, 0x4F000001, 0x4F7FFFFF, 0x4F800000, 0x5EFFFFFF, 0x5F000000, 0x5F7FFFFF, 0x5F800000,
    0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x7FC12345, 0x7FFFFFFF, 0x7F800001, 0x7FA00000};
static const uint64_t ref_f64_edges[] = {
    0x0000000000000000, 0x0000000000000001, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x3FDFFFFFFFFFFFFF, 0x3FE0000000000000,
    0x3FE0000000000001, 0x3FEFFFFFFFFFFFFF, 0x3FF0000000000000, 0x3FF8000000000000, 0x4004000000000000, 0x400921FB54442D18,
    0x41DFFFFFFF800000, 0x41DFFFFFFFC00000, 0x41DFFFFFFFE00000, 0x41DFFFFFFFFFFFFF, 0x41E0000000000000, 0x41E0000000100000,
    0x41E00000001FFFFF, 0x41E0000000200000, 0x41EFFFFFFFE00000, 0x41EFFFFFFFFFFFFF, 0x41F0000000000000, 0x4330000000000000,
    0x432FFFFFFFFFFFFF, 0x4330000000000001, 0x4340000000000000, 0x43DFFFFFFFFFFFFF, 0x43E0000000000000, 0x43EFFFFFFFFFFFFF,
    0x43F0000000000000, 0x47EFFFFFE0000000, 0x47EFFFFFEFFFFFFF, 0x47EFFFFFF0000000, 0x3690000000000000, 0x3690000000000001,
    0x36A8000000000000, 0x380FFFFFE0000000, 0x380FFFFFF0000000, 0x3FF0000010000000, 0x3FF0000030000000, 0x7FEFFFFFFFFFFFFF,
    0x7FF0000000000000, 0x7FF8000000000000, 0x7FF8000000012345, 0x7FFFFFFFFFFFFFFF, 0x7FF0000000000001, 0x7FF4000000000000};

/* Number n of the edges with both signs; the counts. */
enum { REF_F32_COUNT = 2 * COUNT_OF(ref_f32_edges), REF_F64_COUNT = 2 * COUNT_OF(ref_f64_edges) };
static inline uint32_t ref_f32_edge(unsigned n) { return ref_f32_edges[n / 2] | (uint32_t)(n & 1) << 31; }
static inline uint64_t ref_f64_edge(unsigned n) { return ref_f64_edges[n / 2] | (uint64_t)(n & 1) << 63; }

static inline float ref_f32(uint32_t bits) {
    float a;
    memcpy(&a, &bits, 4);
    return a;
}
static inline double ref_f64(uint64_t bits) {
    double a;
    memcpy(&a, &bits, 8);
    return a;
}
static inline uint32_t ref_u32(float a) {
    uint32_t bits;
    memcpy(&bits, &a, 4);
    return bits;
}
static inline uint64_t ref_u64(double a) {
    uint64_t bits;
    memcpy(&bits, &a, 8);
    return bits;
}

static inline int ref_is_nan32(uint32_t bits) { return (bits << 1) > 0xFF000000u; }
static inline int ref_is_nan64(uint64_t bits) { return (bits << 1) > 0xFFE0000000000000u; }

/* Whether `got` may stand where arithmetic has the result `want`: any quiet NaN for a NaN, else the
 * same bits. */
static inline int ref_same32(uint32_t got, uint32_t want) {
    return ref_is_nan32(want) ? ref_is_nan32(got) && (got >> 22 & 1) : got == want;
}
static inline int ref_same64(uint64_t got, uint64_t want) {
    return ref_is_nan64(want) ? ref_is_nan64(got) && (got >> 51 & 1) : got == want;
}

/* min and max by sign and order of the bits: as integers, magnitudes are ordered like the numbers. */
static inline int64_t ref_order32(uint32_t bits) {
    int64_t magnitude = bits & 0x7FFFFFFF;
    return bits >> 31 ? -magnitude - 1 : magnitude; /* -0 just below +0 */
}
static inline int64_t ref_order64(uint64_t bits) {
    return bits >> 63 ? (int64_t)(bits ^ 0x7FFFFFFFFFFFFFFF) : (int64_t)bits;
}
static inline uint32_t ref_min32(uint32_t a, uint32_t b) {
    if (ref_is_nan32(a) || ref_is_nan32(b)) return 0x7FC00000;
    return ref_order32(a) < ref_order32(b) ? a : b;
}
static inline uint32_t ref_max32(uint32_t a, uint32_t b) {
    if (ref_is_nan32(a) || ref_is_nan32(b)) return 0x7FC00000;
    return ref_order32(a) > ref_order32(b) ? a : b;
}
static inline uint64_t ref_min64(uint64_t a, uint64_t b) {
    if (ref_is_nan64(a) || ref_is_nan64(b)) return 0x7FF8000000000000;
    return ref_order64(a) < ref_order64(b) ? a : b;
}
static inline uint64_t ref_max64(uint64_t a, uint64_t b) {
    if (ref_is_nan64(a) || ref_is_nan64(b)) return 0x7FF8000000000000;
    return ref_order64(a) > ref_order64(b) ? a : b;
}

/* a < b, with the zeros equal and NaNs in no order. */
static inline int ref_less32(uint32_t a, uint32_t b) {
    if (ref_is_nan32(a) || ref_is_nan32(b) || ((a | b) << 1) == 0) return 0;
    return ref_order32(a) < ref_order32(b);
}
static inline int ref_less64(uint64_t a, uint64_t b) {
    if (ref_is_nan64(a) || ref_is_nan64(b) || ((a | b) << 1) == 0) return 0;
    return ref_order64(a) < ref_order64(b);
}
static inline int ref_equal32(uint32_t a, uint32_t b) {
    return !ref_is_nan32(a) && !ref_is_nan32(b) && (a == b || ((a | b) << 1) == 0);
}
static inline int ref_equal64(uint64_t a, uint64_t b) {
    return !ref_is_nan64(a) && !ref_is_nan64(b) && (a == b || ((a | b) << 1) == 0);
}

/* libm's word for a rounding, a NaN made quiet with its payload kept. */
#define REF_ROUND(name, libm)                                                                      \
    static inline uint32_t ref_##name##32(uint32_t a) {                                            \
        return ref_is_nan32(a) ? a | 1u << 22 : ref_u32(libm##f(ref_f32(a)));                      \
    }                                                                                              \
    static inline uint64_t ref_##name##64(uint64_t a) {                                            \
        return ref_is_nan64(a) ? a | (uint64_t)1 << 51 : ref_u64(libm(ref_f64(a)));                \
    }
REF_ROUND(ceil, ceil)
REF_ROUND(floor, floor)
REF_ROUND(trunc, trunc)
REF_ROUND(nearest, nearbyint)

/* A float to an integer of `bits` bits: 0 it fits and *out is it, 1 too small, 2 too large, 3 a
 * NaN. Every step is exact: the value is a mantissa and a power of two. */
static inline int ref_to_integer(uint64_t f64_bits, int is_signed, int bits, uint64_t *out) {
    if (ref_is_nan64(f64_bits)) return 3;
    int minus = (int)(f64_bits >> 63), exponent = (int)(f64_bits >> 52 & 0x7FF) - 1075;
    uint64_t mantissa = (f64_bits & 0xFFFFFFFFFFFFF) | ((f64_bits >> 52 & 0x7FF) ? (uint64_t)1 << 52 : 0);
    if (exponent > 11) return minus ? 1 : 2;
    uint64_t magnitude = exponent >= 0 ? mantissa << exponent : exponent > -64 ? mantissa >> -exponent : 0;
    uint64_t limit = is_signed ? ((uint64_t)1 << (bits - 1)) - !minus : minus ? 0 : ~(uint64_t)0 >> (64 - bits);
    if (magnitude > limit) return minus ? 1 : 2;
    *out = (minus ? -magnitude : magnitude) & ~(uint64_t)0 >> (64 - bits);
    return 0;
}

static inline uint64_t ref_saturate(uint64_t f64_bits, int is_signed, int bits) {
    uint64_t out = 0, mask = ~(uint64_t)0 >> (64 - bits), top = (uint64_t)1 << (bits - 1);
    switch (ref_to_integer(f64_bits, is_signed, bits, &out)) {
    case 1: return is_signed ? top : 0;
    case 2: return is_signed ? top - 1 : mask;
    default: return out;
    }
}

/* A mantissa of `keep` bits from an integer, rounded to nearest, ties to even; exact as a double
 * for keep <= 53. */
static inline double ref_from_integer(uint64_t magnitude, int minus, int keep) {
    int shift = 0;
    while (magnitude >> shift >> (keep - 1) > 1) shift++;
    uint64_t kept = magnitude >> shift, rest = magnitude - (kept << shift);
    uint64_t half = shift ? (uint64_t)1 << (shift - 1) : 0;
    if (shift && (rest > half || (rest == half && (kept & 1)))) kept++;
    double value = ldexp((double)kept, shift);
    return minus ? -value : value;
}

/* The f32 nearest to an f64, from the bits. */
static inline uint32_t ref_demote(uint64_t bits) {
    uint32_t sign = (uint32_t)(bits >> 63) << 31;
    if (ref_is_nan64(bits)) return sign | 0x7FC00000;
    int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    if (exponent == 1024) return sign | 0x7F800000;
    if (exponent < -150) return sign;
    uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | (uint64_t)1 << 52;
    int drop = exponent < -126 ? 29 + (-126 - exponent) : 29; /* subnormals keep fewer bits */
    uint64_t kept = mantissa >> drop, rest = mantissa & (((uint64_t)1 << drop) - 1), half = (uint64_t)1 << (drop - 1);
    if (rest > half || (rest == half && (kept & 1))) kept++;
    uint64_t result = exponent < -126 ? kept : ((uint64_t)(exponent + 126) << 23) + kept;
    return sign | (result >= 0x7F800000 ? 0x7F800000 : (uint32_t)result);
}

#endif
