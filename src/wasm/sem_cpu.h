/* sem_cpu.h - the scalar float operations that some machines have as an instruction but that C
 * would turn into a call of libm: square root and the four roundings. Every version gives the same
 * bits (sem_test.c compares them with libm).
 * The fallback for rounding needs the default rounding mode and no excess precision; sem.h asserts
 * the latter. */
#ifndef MOTE_WASM_SEM_CPU_H
#define MOTE_WASM_SEM_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Bits of a float and back; compilers make one move of it, and no NaN changes on the way. */
static inline uint32_t mote__f32_bits(float a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline float mote__f32_of_bits(uint32_t bits) {
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

static inline uint64_t mote__f64_bits(double a) {
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline double mote__f64_of_bits(uint64_t bits) {
    double a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* The magnitude of `a` with the sign of `b`. */
static inline float mote__f32_copysign(float a, float b) {
    uint32_t sign = UINT32_C(1) << 31;
    return mote__f32_of_bits((mote__f32_bits(a) & ~sign) | (mote__f32_bits(b) & sign));
}

static inline double mote__f64_copysign(double a, double b) {
    uint64_t sign = UINT64_C(1) << 63;
    return mote__f64_of_bits((mote__f64_bits(a) & ~sign) | (mote__f64_bits(b) & sign));
}

/* `a` itself, but a signalling NaN becomes the quiet one with the same payload. */
static inline float mote__f32_quiet(float a) {
    return a != a ? mote__f32_of_bits(mote__f32_bits(a) | UINT32_C(1) << 22) : a;
}

static inline double mote__f64_quiet(double a) {
    return a != a ? mote__f64_of_bits(mote__f64_bits(a) | UINT64_C(1) << 51) : a;
}

/* Square root. __builtin_sqrt would add a call that sets errno for negative operands. */
#if defined(__SSE2__)
static inline float mote__f32_sqrt(float a) {
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a)));
}

static inline double mote__f64_sqrt(double a) {
    __m128d x = _mm_set_sd(a);
    return _mm_cvtsd_f64(_mm_sqrt_sd(x, x));
}
#elif defined(__aarch64__)
static inline float mote__f32_sqrt(float a) {
    return vget_lane_f32(vsqrt_f32(vdup_n_f32(a)), 0);
}

static inline double mote__f64_sqrt(double a) {
    return vget_lane_f64(vsqrt_f64(vdup_n_f64(a)), 0);
}
#else
static inline float mote__f32_sqrt(float a) {
    return __builtin_sqrtf(a);
}

static inline double mote__f64_sqrt(double a) {
    return __builtin_sqrt(a);
}
#endif

#if defined(__SSE4_1__) || defined(__aarch64__)
#define MOTE__ROUNDINGS(f, type, suffix, integer, integral_from)                                   \
    static inline type mote__##f##_floor(type a) { return __builtin_floor##suffix(a); }            \
    static inline type mote__##f##_ceil(type a) { return __builtin_ceil##suffix(a); }              \
    static inline type mote__##f##_trunc(type a) { return __builtin_trunc##suffix(a); }            \
    static inline type mote__##f##_nearest(type a) { return __builtin_rint##suffix(a); }
#else
/* From `integral_from` (2^23, 2^52) on every value is an integer. A smaller magnitude goes through
 * an integer and back, which cuts towards zero, or, for nearest, has that number added and taken
 * away: the sum rounds, ties to even. The sign is put back for zeros. */
#define MOTE__ROUNDINGS(f, type, suffix, integer, integral_from)                                   \
    static inline bool mote__##f##_has_fraction(type a) {                                          \
        return mote__##f##_copysign(a, 0) < integral_from;                                         \
    }                                                                                              \
    static inline type mote__##f##_floor(type a) {                                                 \
        if (!mote__##f##_has_fraction(a)) return mote__##f##_quiet(a);                             \
        type r = (type)(integer)a;                                                                 \
        return mote__##f##_copysign(r > a ? r - 1 : r, a);                                         \
    }                                                                                              \
    static inline type mote__##f##_ceil(type a) {                                                  \
        if (!mote__##f##_has_fraction(a)) return mote__##f##_quiet(a);                             \
        type r = (type)(integer)a;                                                                 \
        return mote__##f##_copysign(r < a ? r + 1 : r, a);                                         \
    }                                                                                              \
    static inline type mote__##f##_trunc(type a) {                                                 \
        if (!mote__##f##_has_fraction(a)) return mote__##f##_quiet(a);                             \
        return mote__##f##_copysign((type)(integer)a, a);                                          \
    }                                                                                              \
    static inline type mote__##f##_nearest(type a) {                                               \
        if (!mote__##f##_has_fraction(a)) return mote__##f##_quiet(a);                             \
        type sum = mote__##f##_copysign(a, 0) + integral_from;                                     \
        return mote__##f##_copysign(sum - integral_from, a);                                       \
    }
#endif

MOTE__ROUNDINGS(f32, float, f, int32_t, 0x1p23f)
MOTE__ROUNDINGS(f64, double, , int64_t, 0x1p52)
#undef MOTE__ROUNDINGS

#endif
