/* sem_simd_sse2.h - the part of sem_simd.h for x86: what SSE2 has an instruction for, and short
 * sequences for what it lacks. Where the compiler is told of newer instructions (SSSE3, SSE4.1), it
 * uses the few that matter. Each intrinsic is named in Intel's guide. */
#ifndef MOTE_WASM_SEM_SIMD_SSE2_H
#define MOTE_WASM_SEM_SIMD_SSE2_H

#include <emmintrin.h>
#if defined(__SSSE3__)
#include <tmmintrin.h>
#endif
#if defined(__SSE4_1__)
#include <smmintrin.h>
#endif

/* One instruction on two integer vectors. */
#define SSE_INTEGER(ident, intrinsic) SEM_V2(ident, __m128i, intrinsic(a, b))

SSE_INTEGER(i8x16_min_u, _mm_min_epu8)
SSE_INTEGER(i8x16_max_u, _mm_max_epu8)
SSE_INTEGER(i16x8_min_s, _mm_min_epi16)
SSE_INTEGER(i16x8_max_s, _mm_max_epi16)
SSE_INTEGER(i8x16_add_sat_s, _mm_adds_epi8)
SSE_INTEGER(i8x16_add_sat_u, _mm_adds_epu8)
SSE_INTEGER(i8x16_sub_sat_s, _mm_subs_epi8)
SSE_INTEGER(i8x16_sub_sat_u, _mm_subs_epu8)
SSE_INTEGER(i16x8_add_sat_s, _mm_adds_epi16)
SSE_INTEGER(i16x8_add_sat_u, _mm_adds_epu16)
SSE_INTEGER(i16x8_sub_sat_s, _mm_subs_epi16)
SSE_INTEGER(i16x8_sub_sat_u, _mm_subs_epu16)
SSE_INTEGER(i8x16_avgr_u, _mm_avg_epu8)
SSE_INTEGER(i16x8_avgr_u, _mm_avg_epu16)
SSE_INTEGER(i32x4_dot_i16x8_s, _mm_madd_epi16)
SSE_INTEGER(i8x16_narrow_i16x8_s, _mm_packs_epi16)
SSE_INTEGER(i8x16_narrow_i16x8_u, _mm_packus_epi16)
SSE_INTEGER(i16x8_narrow_i32x4_s, _mm_packs_epi32)

#if defined(__SSE4_1__)
SSE_INTEGER(i16x8_narrow_i32x4_u, _mm_packus_epi32)
#else
/* Negative lanes to zero, then all down by 2^15, where the signed pack saturates as wanted; the
 * flip takes the result up again. */
static inline __m128i mote__down_by_s16(__m128i a) {
    a = _mm_andnot_si128(_mm_srai_epi32(a, 31), a);
    return _mm_sub_epi32(a, _mm_set1_epi32(1 << 15));
}

SEM_V2(i16x8_narrow_i32x4_u, __m128i,
       _mm_xor_si128(_mm_packs_epi32(mote__down_by_s16(a), mote__down_by_s16(b)),
                     _mm_set1_epi16(INT16_MIN)))
#endif

/* Comparisons of 64 bits out of those of 32. Equal: both halves are. Greater: the upper half is, or
 * it is equal and b - a, whose upper half is 0 or -1 then, borrowed. */
#if defined(__SSE4_2__)
SEM_COMPARE(i64x2, mote__s64x2)
#else
static inline __m128i mote__equal_s64(__m128i a, __m128i b) {
    __m128i halves = _mm_cmpeq_epi32(a, b);
    return _mm_and_si128(halves, _mm_shuffle_epi32(halves, _MM_SHUFFLE(2, 3, 0, 1)));
}

static inline __m128i mote__greater_s64(__m128i a, __m128i b) {
    __m128i borrowed = _mm_and_si128(_mm_cmpeq_epi32(a, b), _mm_sub_epi64(b, a));
    __m128i upper = _mm_or_si128(_mm_cmpgt_epi32(a, b), borrowed);
    return _mm_shuffle_epi32(upper, _MM_SHUFFLE(3, 3, 1, 1));
}

SEM_V2(i64x2_eq, __m128i, mote__equal_s64(a, b))
SEM_V2(i64x2_ne, __m128i, ~mote__equal_s64(a, b))
SEM_V2(i64x2_gt_s, __m128i, mote__greater_s64(a, b))
SEM_V2(i64x2_lt_s, __m128i, mote__greater_s64(b, a))
SEM_V2(i64x2_le_s, __m128i, ~mote__greater_s64(a, b))
SEM_V2(i64x2_ge_s, __m128i, ~mote__greater_s64(b, a))
#endif

/* There are no shifts of bytes: shift pairs of them and clear what came in from the neighbour; for
 * the arithmetic one, put each byte into the upper half of 16 bits and take it down from there. */
SEM_SHIFT(i8x16_shl, mote__u16x8, 8,
          (mote__u8x16)(a << n) & SEM_SPLAT(mote__u8x16, (uint8_t)(0xFF << n)))
SEM_SHIFT(i8x16_shr_u, mote__u16x8, 8,
          (mote__u8x16)(a >> n) & SEM_SPLAT(mote__u8x16, (uint8_t)(0xFF >> n)))
SEM_SHIFT(i8x16_shr_s, __m128i, 8,
          _mm_packs_epi16(_mm_sra_epi16(_mm_unpacklo_epi8(a, a), _mm_cvtsi32_si128(n + 8)),
                          _mm_sra_epi16(_mm_unpackhi_epi8(a, a), _mm_cvtsi32_si128(n + 8))))

/* Nor is there one of 64 bits that keeps the sign: after the logical one, (a ^ sign) - sign copies
 * the moved sign bit upwards. */
static inline mote__v128 sem_i64x2_shr_s(mote__v128 x, uint32_t count) {
    mote__u64x2 sign = SEM_SPLAT(mote__u64x2, UINT64_C(1) << 63 >> (count & 63));
    return (mote__v128)(((mote__u64x2)sem_i64x2_shr_u(x, count) ^ sign) - sign);
}

/* Products of 16 bits come as two vectors of halves, to be zipped. */
#define SSE_EXTMUL_16(half, unpack, sign, mulhi)                                                   \
    SEM_V2(i32x4_extmul_##half##_i16x8_##sign, __m128i,                                            \
           unpack(_mm_mullo_epi16(a, b), mulhi(a, b)))
SSE_EXTMUL_16(low, _mm_unpacklo_epi16, s, _mm_mulhi_epi16)
SSE_EXTMUL_16(low, _mm_unpacklo_epi16, u, _mm_mulhi_epu16)
SSE_EXTMUL_16(high, _mm_unpackhi_epi16, s, _mm_mulhi_epi16)
SSE_EXTMUL_16(high, _mm_unpackhi_epi16, u, _mm_mulhi_epu16)

/* Products of 32 bits are unsigned and of the even lanes; each lane is there twice. A negative
 * operand counts 2^32 too much, so the other is taken off the upper half. */
static inline __m128i mote__product_s32(__m128i a, __m128i b) {
    __m128i excess_a = _mm_and_si128(_mm_srai_epi32(a, 31), b);
    __m128i excess_b = _mm_and_si128(_mm_srai_epi32(b, 31), a);
    __m128i excess = _mm_slli_epi64(_mm_add_epi32(excess_a, excess_b), 32);
    return _mm_sub_epi64(_mm_mul_epu32(a, b), excess);
}

SEM_V2(i64x2_extmul_low_i32x4_u, __m128i,
       _mm_mul_epu32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b)))
SEM_V2(i64x2_extmul_high_i32x4_u, __m128i,
       _mm_mul_epu32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b)))
SEM_V2(i64x2_extmul_low_i32x4_s, __m128i,
       mote__product_s32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b)))
SEM_V2(i64x2_extmul_high_i32x4_s, __m128i,
       mote__product_s32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b)))

/* Twice the high half plus the top bit of the low one is the product >> 15; the next bit rounds.
 * Only -1 * -1 gives 0x8000. */
static inline mote__v128 sem_i16x8_q15mulr_sat_s(mote__v128 x, mote__v128 y) {
    __m128i low = _mm_mullo_epi16((__m128i)x, (__m128i)y);
    __m128i high = _mm_mulhi_epi16((__m128i)x, (__m128i)y);
    __m128i product = _mm_or_si128(_mm_slli_epi16(high, 1), _mm_srli_epi16(low, 15));
    __m128i round = _mm_and_si128(_mm_srli_epi16(low, 14), _mm_set1_epi16(1));
    __m128i sum = _mm_add_epi16(product, round);
    return (mote__v128)_mm_xor_si128(sum, _mm_cmpeq_epi16(sum, _mm_set1_epi16(INT16_MIN)));
}

static inline uint32_t sem_i8x16_bitmask(mote__v128 x) {
    return (uint32_t)_mm_movemask_epi8((__m128i)x);
}

static inline uint32_t sem_i16x8_bitmask(mote__v128 x) {
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16((__m128i)x, _mm_setzero_si128()));
}

static inline uint32_t sem_i32x4_bitmask(mote__v128 x) {
    return (uint32_t)_mm_movemask_ps((__m128)x);
}

static inline uint32_t sem_i64x2_bitmask(mote__v128 x) {
    return (uint32_t)_mm_movemask_pd((__m128d)x);
}

#if defined(__SSSE3__)
/* pshufb looks at four bits and the top one: the saturating sum sets that for every index from 16 on. */
SEM_V2(i8x16_swizzle, __m128i, _mm_shuffle_epi8(a, _mm_adds_epu8(b, _mm_set1_epi8(0x70))))

static inline mote__v128 sem_i8x16_shuffle(mote__v128 x, mote__v128 y, const uint8_t lanes[16]) {
    __m128i at = _mm_loadu_si128((const __m128i *)(const void *)lanes);
    mote__v128 from_x = sem_i8x16_swizzle(x, (mote__v128)at);
    return from_x | sem_i8x16_swizzle(y, (mote__v128)_mm_sub_epi8(at, _mm_set1_epi8(16)));
}
#else
static inline mote__v128 sem_i8x16_shuffle(mote__v128 x, mote__v128 y, const uint8_t lanes[16]) {
    uint8_t both[32], result[16];
    memcpy(both, &x, 16);
    memcpy(both + 16, &y, 16);
    for (unsigned i = 0; i < 16; i++) result[i] = both[lanes[i] & 31];
    memcpy(&x, result, 16);
    return x;
}

/* Places 16 to 31 hold zeros; the unsigned minimum brings every larger index there. */
static inline mote__v128 sem_i8x16_swizzle(mote__v128 x, mote__v128 y) {
    uint8_t at[16];
    _mm_storeu_si128((__m128i *)(void *)at, _mm_min_epu8((__m128i)y, _mm_set1_epi8(16)));
    return sem_i8x16_shuffle(x, (mote__v128){0}, at);
}
#endif

/* minps gives its second operand for zeros and NaNs. Both orders together have every sign of zero,
 * and a NaN where there is one; all NaNs become the canonical one. */
#define SSE_FLOAT_MIN_MAX(shape, v, p, nan)                                                        \
    static inline v mote__##shape##_canonical(v a, v b, v result) {                                \
        v unordered = _mm_cmpunord_##p(a, b);                                                      \
        return _mm_or_##p(_mm_andnot_##p(unordered, result), _mm_and_##p(unordered, nan));         \
    }                                                                                              \
    SEM_V2(shape##_min, v, mote__##shape##_canonical(                                              \
                               a, b, _mm_or_##p(_mm_min_##p(a, b), _mm_min_##p(b, a))))            \
    SEM_V2(shape##_max, v, mote__##shape##_canonical(                                              \
                               a, b, _mm_and_##p(_mm_max_##p(a, b), _mm_max_##p(b, a))))           \
    SEM_V2(shape##_pmin, v, _mm_min_##p(b, a))                                                     \
    SEM_V2(shape##_pmax, v, _mm_max_##p(b, a))                                                     \
    SEM_V1(shape##_sqrt, v, _mm_sqrt_##p(a))
SSE_FLOAT_MIN_MAX(f32x4, __m128, ps, _mm_castsi128_ps(_mm_set1_epi32(0x7FC00000)))
SSE_FLOAT_MIN_MAX(f64x2, __m128d, pd, _mm_castsi128_pd(_mm_set1_epi64x(0x7FF8000000000000)))

#if defined(__SSE4_1__)
#define SSE_ROUNDINGS(shape, v, p, integral_from)                                                  \
    SEM_V1(shape##_nearest, v, _mm_round_##p(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))    \
    SEM_V1(shape##_floor, v, _mm_floor_##p(a))                                                     \
    SEM_V1(shape##_ceil, v, _mm_ceil_##p(a))                                                       \
    SEM_V1(shape##_trunc, v, _mm_round_##p(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC))
#else
/* As in sem_cpu.h: a number is added and taken away. For lanes that are integers already it is
 * zero, and the sum makes a NaN quiet. The step of one towards the right side is subtracted, since
 * -0 - 0 stays -0, and the sign is put back where a step can lose it. */
#define SSE_ROUNDINGS(shape, v, p, integral_from)                                                  \
    static inline v mote__##shape##_nearest(v a) {                                                 \
        v sign = _mm_and_##p(a, _mm_set1_##p(-0.0)), magnitude = _mm_xor_##p(a, sign);             \
        v edge = _mm_set1_##p(integral_from);                                                      \
        v added = _mm_and_##p(_mm_cmplt_##p(magnitude, edge), edge);                               \
        return _mm_or_##p(_mm_sub_##p(_mm_add_##p(magnitude, added), added), sign);                \
    }                                                                                              \
    static inline v mote__##shape##_floor(v a) {                                                   \
        v r = mote__##shape##_nearest(a);                                                          \
        return _mm_sub_##p(r, _mm_and_##p(_mm_cmpgt_##p(r, a), _mm_set1_##p(1)));                  \
    }                                                                                              \
    static inline v mote__##shape##_ceil(v a) {                                                    \
        v r = mote__##shape##_nearest(a), sign = _mm_and_##p(a, _mm_set1_##p(-0.0));               \
        r = _mm_sub_##p(r, _mm_and_##p(_mm_cmplt_##p(r, a), _mm_set1_##p(-1)));                    \
        return _mm_or_##p(r, sign);                                                                \
    }                                                                                              \
    static inline v mote__##shape##_trunc(v a) {                                                   \
        v sign = _mm_and_##p(a, _mm_set1_##p(-0.0));                                               \
        return _mm_or_##p(mote__##shape##_floor(_mm_xor_##p(a, sign)), sign);                      \
    }                                                                                              \
    SEM_V1(shape##_nearest, v, mote__##shape##_nearest(a))                                         \
    SEM_V1(shape##_floor, v, mote__##shape##_floor(a))                                             \
    SEM_V1(shape##_ceil, v, mote__##shape##_ceil(a))                                               \
    SEM_V1(shape##_trunc, v, mote__##shape##_trunc(a))
#endif
SSE_ROUNDINGS(f32x4, __m128, ps, 0x1p23f)
SSE_ROUNDINGS(f64x2, __m128d, pd, 0x1p52)

SEM_V1(f32x4_demote_f64x2_zero, __m128d, _mm_cvtpd_ps(a))
SEM_V1(f64x2_promote_low_f32x4, __m128, _mm_cvtps_pd(a))

/* cvttps2dq gives INT32_MIN for what does not fit: right for the low side, its complement for the
 * high one; NaNs are made 0 before. */
static inline mote__v128 sem_i32x4_trunc_sat_f32x4_s(mote__v128 x) {
    __m128 a = _mm_and_ps((__m128)x, _mm_cmpord_ps((__m128)x, (__m128)x));
    __m128i over = _mm_castps_si128(_mm_cmpge_ps(a, _mm_set1_ps(0x1p31f)));
    return (mote__v128)_mm_xor_si128(_mm_cvttps_epi32(a), over);
}

/* The maximum makes NaNs and negative lanes 0. Lanes from 2^31 on are converted less 2^31, which
 * comes back as the top bit; those that are still too large then become all ones. */
static inline mote__v128 sem_i32x4_trunc_sat_f32x4_u(mote__v128 x) {
    __m128 half = _mm_set1_ps(0x1p31f), a = _mm_max_ps((__m128)x, _mm_setzero_ps());
    __m128 upper = _mm_cmpge_ps(a, half);
    __m128 rest = _mm_sub_ps(a, _mm_and_ps(upper, half));
    __m128i top = _mm_slli_epi32(_mm_castps_si128(upper), 31);
    __m128i over = _mm_castps_si128(_mm_cmpge_ps(rest, half));
    return (mote__v128)_mm_or_si128(_mm_xor_si128(_mm_cvttps_epi32(rest), top), over);
}

static inline mote__v128 sem_i32x4_trunc_sat_f64x2_s_zero(mote__v128 x) {
    __m128d a = _mm_and_pd((__m128d)x, _mm_cmpord_pd((__m128d)x, (__m128d)x));
    return (mote__v128)_mm_cvttpd_epi32(_mm_min_pd(a, _mm_set1_pd(INT32_MAX)));
}

/* In range after the two bounds, cut to an integer below 2^32, and moved to where the lower half of
 * the double is that integer. */
static inline mote__v128 sem_i32x4_trunc_sat_f64x2_u_zero(mote__v128 x) {
    __m128d a = _mm_max_pd((__m128d)x, _mm_setzero_pd());
    mote__v128 cut = sem_f64x2_trunc((mote__v128)_mm_min_pd(a, _mm_set1_pd(UINT32_MAX)));
    __m128 moved = (__m128)_mm_add_pd((__m128d)cut, _mm_set1_pd(0x1p52));
    return (mote__v128)_mm_shuffle_ps(moved, _mm_setzero_ps(), _MM_SHUFFLE(0, 0, 2, 0));
}

#endif
