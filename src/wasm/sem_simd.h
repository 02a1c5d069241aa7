/* sem_simd.h - what each vector instruction computes (core spec, "Execution / Numerics", vectors):
 * one function sem_IDENT per row of ops.def of the feature simd that computes. Most are one
 * expression on GNU vectors, which gcc and clang turn into one or a few instructions on any
 * machine; the rest, where SSE2 or NEON has an instruction that the compilers do not find, is in
 * sem_simd_sse2.h, sem_simd_neon.h and sem_simd_portable.h, which define the same functions.
 * MOTE_SEM_PORTABLE chooses the last on every machine (sem_portable_test.c).
 * Keeps: the same bits from each of the three; a NaN made by min or max is the canonical one; see
 * sem.h for the rest. */
#ifndef MOTE_WASM_SEM_SIMD_H
#define MOTE_WASM_SEM_SIMD_H

#include "wasm/sem.h"
#include "wasm/v128.h"

/* The shapes, signed (s), unsigned (u) and float. A comparison gives the signed shape. */
typedef int8_t mote__s8x16 __attribute__((vector_size(16)));
typedef uint8_t mote__u8x16 __attribute__((vector_size(16)));
typedef int16_t mote__s16x8 __attribute__((vector_size(16)));
typedef uint16_t mote__u16x8 __attribute__((vector_size(16)));
typedef int32_t mote__s32x4 __attribute__((vector_size(16)));
typedef uint32_t mote__u32x4 __attribute__((vector_size(16)));
typedef int64_t mote__s64x2 __attribute__((vector_size(16)));
typedef uint64_t mote__u64x2 __attribute__((vector_size(16)));
typedef float mote__f32x4 __attribute__((vector_size(16)));
typedef double mote__f64x2 __attribute__((vector_size(16)));

/* Functions of one, two or three vectors, seen as `shape` and called a, b and c. */
#define SEM_V1(ident, shape, expr)                                                                 \
    static inline mote__v128 sem_##ident(mote__v128 x) {                                           \
        shape a = (shape)x;                                                                        \
        return (mote__v128)(expr);                                                                 \
    }
#define SEM_V2(ident, shape, expr)                                                                 \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y) {                             \
        shape a = (shape)x, b = (shape)y;                                                          \
        return (mote__v128)(expr);                                                                 \
    }
#define SEM_V3(ident, shape, expr)                                                                 \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y, mote__v128 z) {               \
        shape a = (shape)x, b = (shape)y, c = (shape)z;                                            \
        return (mote__v128)(expr);                                                                 \
    }
/* A lane in every place. */
#define SEM_SPLAT(shape, lane) ((shape){0} + (lane))

/* Bits of the whole vector. */
SEM_V1(v128_not, mote__v128, ~a)
SEM_V2(v128_and, mote__v128, a & b)
SEM_V2(v128_andnot, mote__v128, a & ~b)
SEM_V2(v128_or, mote__v128, a | b)
SEM_V2(v128_xor, mote__v128, a ^ b)
SEM_V3(v128_bitselect, mote__v128, (a & c) | (b & ~c))

static inline uint32_t sem_v128_any_true(mote__v128 x) { return (x[0] | x[1]) != 0; }

/* Of `a` where the lanes of the comparison `mask` are all ones, else of `b`. */
#define SEM_SELECT(mask, a, b)                                                                     \
    sem_v128_bitselect((mote__v128)(a), (mote__v128)(b), (mote__v128)(mask))

/* Splats and single lanes; `u` is the unsigned lane, `T` the type of the operand. A lane index is
 * in range by validation; the mask costs nothing and keeps a wrong one harmless. */
#define SEM_LANES(shape, v, T, u, count)                                                           \
    static inline mote__v128 sem_##shape##_splat(T x) { return (mote__v128)SEM_SPLAT(v, (u)x); }   \
    static inline mote__v128 sem_##shape##_replace_lane(mote__v128 x, T lane, uint8_t index) {     \
        v a = (v)x;                                                                                \
        a[index & (count - 1)] = (u)lane;                                                          \
        return (mote__v128)a;                                                                      \
    }
#define SEM_EXTRACT(ident, v, T, count)                                                            \
    static inline T sem_##ident(mote__v128 x, uint8_t index) {                                     \
        v a = (v)x;                                                                                \
        return (T)a[index & (count - 1)];                                                          \
    }

SEM_LANES(i8x16, mote__u8x16, uint32_t, uint8_t, 16)
SEM_LANES(i16x8, mote__u16x8, uint32_t, uint16_t, 8)
SEM_LANES(i32x4, mote__u32x4, uint32_t, uint32_t, 4)
SEM_LANES(i64x2, mote__u64x2, uint64_t, uint64_t, 2)
SEM_EXTRACT(i8x16_extract_lane_s, mote__s8x16, uint32_t, 16)
SEM_EXTRACT(i8x16_extract_lane_u, mote__u8x16, uint32_t, 16)
SEM_EXTRACT(i16x8_extract_lane_s, mote__s16x8, uint32_t, 8)
SEM_EXTRACT(i16x8_extract_lane_u, mote__u16x8, uint32_t, 8)
SEM_EXTRACT(i32x4_extract_lane, mote__u32x4, uint32_t, 4)
SEM_EXTRACT(i64x2_extract_lane, mote__u64x2, uint64_t, 2)

/* Floats go as their bits, so that no payload can change. */
#define SEM_FLOAT_LANES(shape, as, f, type)                                                        \
    static inline mote__v128 sem_##shape##_splat(type x) {                                         \
        return sem_##as##_splat(mote__##f##_bits(x));                                              \
    }                                                                                              \
    static inline type sem_##shape##_extract_lane(mote__v128 x, uint8_t index) {                   \
        return mote__##f##_of_bits(sem_##as##_extract_lane(x, index));                             \
    }                                                                                              \
    static inline mote__v128 sem_##shape##_replace_lane(mote__v128 x, type lane, uint8_t index) {  \
        return sem_##as##_replace_lane(x, mote__##f##_bits(lane), index);                          \
    }

SEM_FLOAT_LANES(f32x4, i32x4, f32, float)
SEM_FLOAT_LANES(f64x2, i64x2, f64, double)

/* What all integer shapes have. */
#define SEM_COMPARE(shape, s)                                                                      \
    SEM_V2(shape##_eq, s, a == b)                                                                  \
    SEM_V2(shape##_ne, s, a != b)                                                                  \
    SEM_V2(shape##_lt_s, s, a < b)                                                                 \
    SEM_V2(shape##_gt_s, s, a > b)                                                                 \
    SEM_V2(shape##_le_s, s, a <= b)                                                                \
    SEM_V2(shape##_ge_s, s, a >= b)
#define SEM_INTEGERS(shape, s, u)                                                                  \
    SEM_V2(shape##_add, u, a + b)                                                                  \
    SEM_V2(shape##_sub, u, a - b)                                                                  \
    SEM_V1(shape##_neg, u, -a)                                                                     \
    SEM_V1(shape##_abs, u, (a ^ (u)((s)a < 0)) - (u)((s)a < 0))                                    \
    static inline uint32_t sem_##shape##_all_true(mote__v128 x) {                                  \
        return !sem_v128_any_true((mote__v128)((s)x == 0));                                        \
    }
/* What all but i64x2 have. */
#define SEM_UNSIGNED(shape, u)                                                                     \
    SEM_V2(shape##_lt_u, u, a < b)                                                                 \
    SEM_V2(shape##_gt_u, u, a > b)                                                                 \
    SEM_V2(shape##_le_u, u, a <= b)                                                                \
    SEM_V2(shape##_ge_u, u, a >= b)
#define SEM_MIN_MAX(shape, sign, v)                                                                \
    SEM_V2(shape##_min_##sign, v, SEM_SELECT(a < b, a, b))                                         \
    SEM_V2(shape##_max_##sign, v, SEM_SELECT(a > b, a, b))

SEM_COMPARE(i8x16, mote__s8x16)
SEM_COMPARE(i16x8, mote__s16x8)
SEM_COMPARE(i32x4, mote__s32x4)
SEM_INTEGERS(i8x16, mote__s8x16, mote__u8x16)
SEM_INTEGERS(i16x8, mote__s16x8, mote__u16x8)
SEM_INTEGERS(i32x4, mote__s32x4, mote__u32x4)
SEM_INTEGERS(i64x2, mote__s64x2, mote__u64x2)
SEM_UNSIGNED(i8x16, mote__u8x16)
SEM_UNSIGNED(i16x8, mote__u16x8)
SEM_UNSIGNED(i32x4, mote__u32x4)
SEM_MIN_MAX(i8x16, s, mote__s8x16)
SEM_MIN_MAX(i16x8, u, mote__u16x8)
SEM_MIN_MAX(i32x4, s, mote__s32x4)
SEM_MIN_MAX(i32x4, u, mote__u32x4)
SEM_V2(i16x8_mul, mote__u16x8, a * b)
SEM_V2(i32x4_mul, mote__u32x4, a * b)
SEM_V2(i64x2_mul, mote__u64x2, a * b)

/* Sums of neighbouring bits, pairs, then nibbles; no bit leaves its byte. */
static inline mote__v128 sem_i8x16_popcnt(mote__v128 x) {
    x -= (x >> 1) & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + ((x >> 2) & UINT64_C(0x3333333333333333));
    return (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
}

/* Shifts; the count is taken modulo the width of a lane. */
#define SEM_SHIFT(ident, shape, width, expr)                                                       \
    static inline mote__v128 sem_##ident(mote__v128 x, uint32_t count) {                           \
        shape a = (shape)x;                                                                        \
        const uint8_t n = count & (width - 1);                                                     \
        return (mote__v128)(expr);                                                                 \
    }
SEM_SHIFT(i16x8_shl, mote__u16x8, 16, a << n)
SEM_SHIFT(i16x8_shr_u, mote__u16x8, 16, a >> n)
SEM_SHIFT(i16x8_shr_s, mote__s16x8, 16, a >> n)
SEM_SHIFT(i32x4_shl, mote__u32x4, 32, a << n)
SEM_SHIFT(i32x4_shr_u, mote__u32x4, 32, a >> n)
SEM_SHIFT(i32x4_shr_s, mote__s32x4, 32, a >> n)
SEM_SHIFT(i64x2_shl, mote__u64x2, 64, a << n)
SEM_SHIFT(i64x2_shr_u, mote__u64x2, 64, a >> n)
/* Lanes of twice the width: each lane of `a` below the lane of `b` that is to be its upper half. */
#define SEM_ZIP_LOW_8 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SEM_ZIP_HIGH_8 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define SEM_ZIP_LOW_16 0, 8, 1, 9, 2, 10, 3, 11
#define SEM_ZIP_HIGH_16 4, 12, 5, 13, 6, 14, 7, 15
#define SEM_ZIP_LOW_32 0, 4, 1, 5
#define SEM_ZIP_HIGH_32 2, 6, 3, 7
#define SEM_EXTEND(to, from, s, low, high)                                                         \
    SEM_V1(to##_extend_low_##from##_s, s, __builtin_shufflevector(a, (s)(a < 0), low))                  \
    SEM_V1(to##_extend_high_##from##_s, s, __builtin_shufflevector(a, (s)(a < 0), high))                \
    SEM_V1(to##_extend_low_##from##_u, s, __builtin_shufflevector(a, (s){0}, low))                 \
    SEM_V1(to##_extend_high_##from##_u, s, __builtin_shufflevector(a, (s){0}, high))
#define SEM_EXTMUL(to, from, half, sign, wide)                                                     \
    static inline mote__v128 sem_##to##_extmul_##half##_##from##_##sign(mote__v128 x,              \
                                                                        mote__v128 y) {            \
        return (mote__v128)((wide)sem_##to##_extend_##half##_##from##_##sign(x) *                  \
                            (wide)sem_##to##_extend_##half##_##from##_##sign(y));                  \
    }
#define SEM_EXTMULS(to, from, wide)                                                                \
    SEM_EXTMUL(to, from, low, s, wide)                                                             \
    SEM_EXTMUL(to, from, high, s, wide)                                                            \
    SEM_EXTMUL(to, from, low, u, wide)                                                             \
    SEM_EXTMUL(to, from, high, u, wide)

SEM_EXTEND(i16x8, i8x16, mote__s8x16, SEM_ZIP_LOW_8, SEM_ZIP_HIGH_8)
SEM_EXTEND(i32x4, i16x8, mote__s16x8, SEM_ZIP_LOW_16, SEM_ZIP_HIGH_16)
SEM_EXTEND(i64x2, i32x4, mote__s32x4, SEM_ZIP_LOW_32, SEM_ZIP_HIGH_32)
SEM_EXTMULS(i16x8, i8x16, mote__u16x8)

/* Sums of neighbours, in lanes of twice the width: the shifts bring both to the bottom of their pair. */
SEM_V1(i16x8_extadd_pairwise_i8x16_s, mote__u16x8,
       ((mote__s16x8)(a << 8) >> 8) + ((mote__s16x8)a >> 8))
SEM_V1(i16x8_extadd_pairwise_i8x16_u, mote__u16x8, (a & 0xFF) + (a >> 8))
SEM_V1(i32x4_extadd_pairwise_i16x8_s, mote__u32x4,
       ((mote__s32x4)(a << 16) >> 16) + ((mote__s32x4)a >> 16))
SEM_V1(i32x4_extadd_pairwise_i16x8_u, mote__u32x4, (a & 0xFFFF) + (a >> 16))

/* Floats, where a plain expression is exact. */
#define SEM_FLOATS(shape, v, u, sign_bit)                                                          \
    SEM_V2(shape##_eq, v, a == b)                                                                  \
    SEM_V2(shape##_ne, v, a != b)                                                                  \
    SEM_V2(shape##_lt, v, a < b)                                                                   \
    SEM_V2(shape##_gt, v, a > b)                                                                   \
    SEM_V2(shape##_le, v, a <= b)                                                                  \
    SEM_V2(shape##_ge, v, a >= b)                                                                  \
    SEM_V2(shape##_add, v, a + b)                                                                  \
    SEM_V2(shape##_sub, v, a - b)                                                                  \
    SEM_V2(shape##_mul, v, a * b)                                                                  \
    SEM_V2(shape##_div, v, a / b)                                                                  \
    SEM_V1(shape##_abs, u, a & ~(sign_bit))                                                        \
    SEM_V1(shape##_neg, u, a ^ (sign_bit))

SEM_FLOATS(f32x4, mote__f32x4, mote__u32x4, UINT32_C(1) << 31)
SEM_FLOATS(f64x2, mote__f64x2, mote__u64x2, UINT64_C(1) << 63)

/* An i32 as the low half of a double whose high half says 2^52 is 2^52 + i32, exactly; a signed one
 * is first moved up by 2^31. */
static inline mote__v128 sem_f64x2_convert_low_i32x4_u(mote__v128 x) {
    mote__u32x4 high = SEM_SPLAT(mote__u32x4, 0x43300000u);
    mote__u32x4 pairs = __builtin_shufflevector((mote__u32x4)x, high, SEM_ZIP_LOW_32);
    return (mote__v128)((mote__f64x2)pairs - 0x1p52);
}

static inline mote__v128 sem_f64x2_convert_low_i32x4_s(mote__v128 x) {
    mote__u32x4 high = SEM_SPLAT(mote__u32x4, 0x43300000u);
    mote__u32x4 moved = (mote__u32x4)x ^ (UINT32_C(1) << 31);
    mote__u32x4 pairs = __builtin_shufflevector(moved, high, SEM_ZIP_LOW_32);
    return (mote__v128)((mote__f64x2)pairs - (0x1p52 + 0x1p31));
}

SEM_V1(f32x4_convert_i32x4_s, mote__s32x4, __builtin_convertvector(a, mote__f32x4))
/* Both halves are exact as floats, so their sum is rounded once. */
SEM_V1(f32x4_convert_i32x4_u, mote__u32x4,
       __builtin_convertvector((mote__s32x4)(a >> 16), mote__f32x4) * 0x1p16f +
           __builtin_convertvector((mote__s32x4)(a & 0xFFFF), mote__f32x4))

/* Loads. */
static inline mote__v128 sem_v128_load(mote__v128 x) { return x; }
static inline mote__v128 sem_v128_load64_zero(uint64_t x) { return (mote__v128){x, 0}; }
static inline mote__v128 sem_v128_load32_zero(uint32_t x) { return (mote__v128){x, 0}; }
#define SEM_LOAD_EXTEND(name, to, from)                                                            \
    static inline mote__v128 sem_v128_load##name(uint64_t x) {                                     \
        return sem_##to##_extend_low_##from(sem_v128_load64_zero(x));                              \
    }
SEM_LOAD_EXTEND(8x8_s, i16x8, i8x16_s)
SEM_LOAD_EXTEND(8x8_u, i16x8, i8x16_u)
SEM_LOAD_EXTEND(16x4_s, i32x4, i16x8_s)
SEM_LOAD_EXTEND(16x4_u, i32x4, i16x8_u)
SEM_LOAD_EXTEND(32x2_s, i64x2, i32x4_s)
SEM_LOAD_EXTEND(32x2_u, i64x2, i32x4_u)

/* The forms with one lane: `bits` is its width, `shape` the one that has such lanes. */
#define SEM_LOAD_STORE_LANE(bits, shape, v, count)                                                 \
    static inline mote__v128 sem_v128_load##bits##_splat(uint##bits##_t x) {                       \
        return sem_##shape##_splat(x);                                                             \
    }                                                                                              \
    static inline mote__v128 sem_v128_load##bits##_lane(mote__v128 a, uint8_t lane,                \
                                                        uint##bits##_t x) {                        \
        return sem_##shape##_replace_lane(a, x, lane);                                             \
    }                                                                                              \
    static inline uint##bits##_t sem_v128_store##bits##_lane(mote__v128 a, uint8_t lane) {         \
        return ((v)a)[lane & (count - 1)];                                                         \
    }
SEM_LOAD_STORE_LANE(8, i8x16, mote__u8x16, 16)
SEM_LOAD_STORE_LANE(16, i16x8, mote__u16x8, 8)
SEM_LOAD_STORE_LANE(32, i32x4, mote__u32x4, 4)
SEM_LOAD_STORE_LANE(64, i64x2, mote__u64x2, 2)

#if defined(__SSE2__) && !defined(MOTE_SEM_PORTABLE)
#include "wasm/sem_simd_sse2.h"
#elif defined(__aarch64__) && !defined(MOTE_SEM_PORTABLE)
#include "wasm/sem_simd_neon.h"
#else
#include "wasm/sem_simd_portable.h"
#endif

#include "wasm/sem_relaxed.h"

#endif
