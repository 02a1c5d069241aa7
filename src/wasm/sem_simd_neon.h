/* sem_simd_neon.h - the part of sem_simd.h for 64-bit ARM: mostly one instruction each. */
#ifndef MOTE_WASM_SEM_SIMD_NEON_H
#define MOTE_WASM_SEM_SIMD_NEON_H

#include <arm_neon.h>

#define NEON_V1(ident, v, intrinsic) SEM_V1(ident, v, intrinsic(a))
#define NEON_V2(ident, v, intrinsic) SEM_V2(ident, v, intrinsic(a, b))

SEM_COMPARE(i64x2, mote__s64x2)
SEM_EXTMULS(i32x4, i16x8, mote__u32x4)
SEM_SHIFT(i8x16_shl, mote__u8x16, 8, a << n)
SEM_SHIFT(i8x16_shr_u, mote__u8x16, 8, a >> n)
SEM_SHIFT(i8x16_shr_s, mote__s8x16, 8, a >> n)
SEM_SHIFT(i64x2_shr_s, mote__s64x2, 64, a >> n)
SEM_V2(i64x2_extmul_low_i32x4_s, int32x4_t, vmull_s32(vget_low_s32(a), vget_low_s32(b)))
SEM_V2(i64x2_extmul_low_i32x4_u, uint32x4_t, vmull_u32(vget_low_u32(a), vget_low_u32(b)))
NEON_V2(i64x2_extmul_high_i32x4_s, int32x4_t, vmull_high_s32)
NEON_V2(i64x2_extmul_high_i32x4_u, uint32x4_t, vmull_high_u32)
NEON_V2(i8x16_min_u, uint8x16_t, vminq_u8)
NEON_V2(i8x16_max_u, uint8x16_t, vmaxq_u8)
NEON_V2(i16x8_min_s, int16x8_t, vminq_s16)
NEON_V2(i16x8_max_s, int16x8_t, vmaxq_s16)
NEON_V2(i8x16_add_sat_s, int8x16_t, vqaddq_s8)
NEON_V2(i8x16_add_sat_u, uint8x16_t, vqaddq_u8)
NEON_V2(i8x16_sub_sat_s, int8x16_t, vqsubq_s8)
NEON_V2(i8x16_sub_sat_u, uint8x16_t, vqsubq_u8)
NEON_V2(i16x8_add_sat_s, int16x8_t, vqaddq_s16)
NEON_V2(i16x8_add_sat_u, uint16x8_t, vqaddq_u16)
NEON_V2(i16x8_sub_sat_s, int16x8_t, vqsubq_s16)
NEON_V2(i16x8_sub_sat_u, uint16x8_t, vqsubq_u16)
NEON_V2(i8x16_avgr_u, uint8x16_t, vrhaddq_u8)
NEON_V2(i16x8_avgr_u, uint16x8_t, vrhaddq_u16)
NEON_V2(i16x8_q15mulr_sat_s, int16x8_t, vqrdmulhq_s16)

SEM_V2(i8x16_narrow_i16x8_s, int16x8_t, vqmovn_high_s16(vqmovn_s16(a), b))
SEM_V2(i8x16_narrow_i16x8_u, int16x8_t, vqmovun_high_s16(vqmovun_s16(a), b))
SEM_V2(i16x8_narrow_i32x4_s, int32x4_t, vqmovn_high_s32(vqmovn_s32(a), b))
SEM_V2(i16x8_narrow_i32x4_u, int32x4_t, vqmovun_high_s32(vqmovun_s32(a), b))
SEM_V2(i32x4_dot_i16x8_s, int16x8_t,
       vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)))

/* The top bits of the lanes, each moved to the place of its lane, then summed. */
static inline uint32_t sem_i8x16_bitmask(mote__v128 x) {
    static const int8_t places[16] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};
    uint8x16_t bits = vshlq_u8(vshrq_n_u8((uint8x16_t)x, 7), vld1q_s8(places));
    return vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline uint32_t sem_i16x8_bitmask(mote__v128 x) {
    static const int16_t places[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    return vaddvq_u16(vshlq_u16(vshrq_n_u16((uint16x8_t)x, 15), vld1q_s16(places)));
}

static inline uint32_t sem_i32x4_bitmask(mote__v128 x) {
    static const int32_t places[4] = {0, 1, 2, 3};
    return vaddvq_u32(vshlq_u32(vshrq_n_u32((uint32x4_t)x, 31), vld1q_s32(places)));
}

static inline uint32_t sem_i64x2_bitmask(mote__v128 x) {
    return (uint32_t)(x[0] >> 63 | x[1] >> 63 << 1);
}

NEON_V2(i8x16_swizzle, uint8x16_t, vqtbl1q_u8)

static inline mote__v128 sem_i8x16_shuffle(mote__v128 x, mote__v128 y, const uint8_t lanes[16]) {
    uint8x16x2_t both = {{(uint8x16_t)x, (uint8x16_t)y}};
    return (mote__v128)vqtbl2q_u8(both, vld1q_u8(lanes));
}

/* fmin and fmax are the specification's but for the payload of a NaN. */
#define NEON_FLOATS(shape, v, u, f, nan)                                                           \
    SEM_V2(shape##_min, v, SEM_SELECT((a == a) & (b == b), vminq_##f(a, b), SEM_SPLAT(u, nan)))    \
    SEM_V2(shape##_max, v, SEM_SELECT((a == a) & (b == b), vmaxq_##f(a, b), SEM_SPLAT(u, nan)))    \
    SEM_V2(shape##_pmin, v, SEM_SELECT(b < a, b, a))                                               \
    SEM_V2(shape##_pmax, v, SEM_SELECT(a < b, b, a))                                               \
    NEON_V1(shape##_sqrt, v, vsqrtq_##f)                                                           \
    NEON_V1(shape##_ceil, v, vrndpq_##f)                                                           \
    NEON_V1(shape##_floor, v, vrndmq_##f)                                                          \
    NEON_V1(shape##_trunc, v, vrndq_##f)                                                           \
    NEON_V1(shape##_nearest, v, vrndnq_##f)
NEON_FLOATS(f32x4, float32x4_t, mote__u32x4, f32, UINT32_C(0x7FC00000))
NEON_FLOATS(f64x2, float64x2_t, mote__u64x2, f64, UINT64_C(0x7FF8000000000000))

SEM_V1(f32x4_demote_f64x2_zero, float64x2_t, vcombine_f32(vcvt_f32_f64(a), vdup_n_f32(0)))
SEM_V1(f64x2_promote_low_f32x4, float32x4_t, vcvt_f64_f32(vget_low_f32(a)))

/* Conversions saturate and make 0 of a NaN; those of doubles go through 64 bits, where nothing in
 * range of the narrowing changes. */
NEON_V1(i32x4_trunc_sat_f32x4_s, float32x4_t, vcvtq_s32_f32)
NEON_V1(i32x4_trunc_sat_f32x4_u, float32x4_t, vcvtq_u32_f32)
SEM_V1(i32x4_trunc_sat_f64x2_s_zero, float64x2_t,
       vcombine_s32(vqmovn_s64(vcvtq_s64_f64(a)), vdup_n_s32(0)))
SEM_V1(i32x4_trunc_sat_f64x2_u_zero, float64x2_t,
       vcombine_u32(vqmovn_u64(vcvtq_u64_f64(a)), vdup_n_u32(0)))

#endif
