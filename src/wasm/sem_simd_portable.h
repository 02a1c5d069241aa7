/* sem_simd_portable.h - the part of sem_simd.h for machines without a file of their own, and the
 * measure for those that have one. */
#ifndef MOTE_WASM_SEM_SIMD_PORTABLE_H
#define MOTE_WASM_SEM_SIMD_PORTABLE_H

SEM_COMPARE(i64x2, mote__s64x2)
SEM_MIN_MAX(i8x16, u, mote__u8x16)
SEM_MIN_MAX(i16x8, s, mote__s16x8)
SEM_EXTMULS(i32x4, i16x8, mote__u32x4)
SEM_EXTMULS(i64x2, i32x4, mote__u64x2)
SEM_SHIFT(i8x16_shl, mote__u8x16, 8, a << n)
SEM_SHIFT(i8x16_shr_u, mote__u8x16, 8, a >> n)
SEM_SHIFT(i8x16_shr_s, mote__s8x16, 8, a >> n)
SEM_SHIFT(i64x2_shr_s, mote__s64x2, 64, a >> n)

/* Saturation. A signed sum overflows where both operands differ in sign from it, a difference where
 * the operands differ and the first differs from it; the bound is on the side of the first operand's sign. */
#define SEM_SATURATING(shape, s, u, max)                                                           \
    SEM_V2(shape##_add_sat_u, u, (a + b) | (u)(a + b < a))                                         \
    SEM_V2(shape##_sub_sat_u, u, (a - b) & (u)(a >= b))                                            \
    SEM_V2(shape##_add_sat_s, u, SEM_SELECT((s)((a ^ (a + b)) & (b ^ (a + b))) < 0,                \
                                            (u)((s)a < 0) ^ (max), a + b))                         \
    SEM_V2(shape##_sub_sat_s, u,                                                                   \
           SEM_SELECT((s)((a ^ b) & (a ^ (a - b))) < 0, (u)((s)a < 0) ^ (max), a - b))             \
    SEM_V2(shape##_avgr_u, u, (a | b) - ((a ^ b) >> 1))
SEM_SATURATING(i8x16, mote__s8x16, mote__u8x16, (uint8_t)INT8_MAX)
SEM_SATURATING(i16x8, mote__s16x8, mote__u16x8, (uint16_t)INT16_MAX)

/* Narrowing: clamp, then take the lower half of each lane. */
static inline mote__v128 mote__clamp_s16(mote__v128 x, int16_t min, int16_t max) {
    mote__s16x8 low = SEM_SPLAT(mote__s16x8, min), high = SEM_SPLAT(mote__s16x8, max);
    return sem_i16x8_min_s(sem_i16x8_max_s(x, (mote__v128)low), (mote__v128)high);
}

static inline mote__v128 mote__clamp_s32(mote__v128 x, int32_t min, int32_t max) {
    mote__s32x4 low = SEM_SPLAT(mote__s32x4, min), high = SEM_SPLAT(mote__s32x4, max);
    return sem_i32x4_min_s(sem_i32x4_max_s(x, (mote__v128)low), (mote__v128)high);
}

#define SEM_NARROW(ident, clamp, min, max, half, ...)                                              \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y) {                             \
        half a = (half)clamp(x, min, max), b = (half)clamp(y, min, max);                           \
        return (mote__v128)__builtin_shufflevector(a, b, __VA_ARGS__);                             \
    }
#define SEM_EVEN_8 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define SEM_EVEN_16 0, 2, 4, 6, 8, 10, 12, 14
SEM_NARROW(i8x16_narrow_i16x8_s, mote__clamp_s16, INT8_MIN, INT8_MAX, mote__u8x16, SEM_EVEN_8)
SEM_NARROW(i8x16_narrow_i16x8_u, mote__clamp_s16, 0, UINT8_MAX, mote__u8x16, SEM_EVEN_8)
SEM_NARROW(i16x8_narrow_i32x4_s, mote__clamp_s32, INT16_MIN, INT16_MAX, mote__u16x8, SEM_EVEN_16)
SEM_NARROW(i16x8_narrow_i32x4_u, mote__clamp_s32, 0, UINT16_MAX, mote__u16x8, SEM_EVEN_16)

/* Products of neighbours, summed; the one sum that does not fit wraps. */
static inline mote__v128 sem_i32x4_dot_i16x8_s(mote__v128 x, mote__v128 y) {
    mote__u32x4 a = (mote__u32x4)x, b = (mote__u32x4)y;
    mote__u32x4 even = (mote__u32x4)((mote__s32x4)(a << 16) >> 16) *
                       (mote__u32x4)((mote__s32x4)(b << 16) >> 16);
    mote__u32x4 odd = (mote__u32x4)((mote__s32x4)a >> 16) * (mote__u32x4)((mote__s32x4)b >> 16);
    return (mote__v128)(even + odd);
}

static inline mote__v128 sem_i16x8_q15mulr_sat_s(mote__v128 x, mote__v128 y) {
    mote__s32x4 low = (mote__s32x4)sem_i32x4_extmul_low_i16x8_s(x, y);
    mote__s32x4 high = (mote__s32x4)sem_i32x4_extmul_high_i16x8_s(x, y);
    return sem_i16x8_narrow_i32x4_s((mote__v128)((low + 0x4000) >> 15),
                                    (mote__v128)((high + 0x4000) >> 15));
}

/* The top bits of the lanes: the multiplication brings those of eight bytes together in the highest one. */
static inline uint32_t sem_i8x16_bitmask(mote__v128 x) {
    mote__v128 tops = (x >> 7 & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080);
    return (uint32_t)(tops[0] >> 56 | tops[1] >> 56 << 8);
}

static inline uint32_t sem_i16x8_bitmask(mote__v128 x) {
    return sem_i8x16_bitmask(sem_i8x16_narrow_i16x8_s(x, (mote__v128){0}));
}

static inline uint32_t sem_i32x4_bitmask(mote__v128 x) {
    return sem_i16x8_bitmask(sem_i16x8_narrow_i32x4_s(x, (mote__v128){0}));
}

static inline uint32_t sem_i64x2_bitmask(mote__v128 x) {
    return (uint32_t)(x[0] >> 63 | x[1] >> 63 << 1);
}

static inline mote__v128 sem_i8x16_swizzle(mote__v128 x, mote__v128 y) {
    mote__u8x16 a = (mote__u8x16)x, at = (mote__u8x16)y, result;
    for (unsigned i = 0; i < 16; i++) result[i] = at[i] < 16 ? a[at[i] & 15] : 0;
    return (mote__v128)result;
}

static inline mote__v128 sem_i8x16_shuffle(mote__v128 x, mote__v128 y, const uint8_t lanes[16]) {
    uint8_t both[32], result[16];
    memcpy(both, &x, 16);
    memcpy(both + 16, &y, 16);
    for (unsigned i = 0; i < 16; i++) result[i] = both[lanes[i] & 31];
    memcpy(&x, result, 16);
    return x;
}

/* Floats. Zeros compare equal: their signs are joined; a NaN operand gives the canonical NaN. The
 * pseudo forms are plain comparisons. */
#define SEM_FLOAT_MIN_MAX(shape, v, u, nan)                                                        \
    SEM_V2(shape##_min, v, SEM_SELECT((a == a) & (b == b),                                         \
                                      SEM_SELECT(a == b, (u)a | (u)b, SEM_SELECT(a < b, a, b)),    \
                                      SEM_SPLAT(u, nan)))                                          \
    SEM_V2(shape##_max, v, SEM_SELECT((a == a) & (b == b),                                         \
                                      SEM_SELECT(a == b, (u)a & (u)b, SEM_SELECT(a > b, a, b)),    \
                                      SEM_SPLAT(u, nan)))                                          \
    SEM_V2(shape##_pmin, v, SEM_SELECT(b < a, b, a))                                               \
    SEM_V2(shape##_pmax, v, SEM_SELECT(a < b, b, a))
SEM_FLOAT_MIN_MAX(f32x4, mote__f32x4, mote__u32x4, UINT32_C(0x7FC00000))
SEM_FLOAT_MIN_MAX(f64x2, mote__f64x2, mote__u64x2, UINT64_C(0x7FF8000000000000))

/* Lane by lane through the scalar function. */
#define SEM_EACH(shape, name, v, f, count)                                                         \
    static inline mote__v128 sem_##shape##_##name(mote__v128 x) {                                  \
        v a = (v)x;                                                                                \
        for (unsigned i = 0; i < count; i++) a[i] = sem_##f##_##name(a[i]);                        \
        return (mote__v128)a;                                                                      \
    }
#define SEM_EACH_FLOAT(shape, v, f, count)                                                         \
    SEM_EACH(shape, sqrt, v, f, count)                                                             \
    SEM_EACH(shape, ceil, v, f, count)                                                             \
    SEM_EACH(shape, floor, v, f, count)                                                            \
    SEM_EACH(shape, trunc, v, f, count)                                                            \
    SEM_EACH(shape, nearest, v, f, count)
SEM_EACH_FLOAT(f32x4, mote__f32x4, f32, 4)
SEM_EACH_FLOAT(f64x2, mote__f64x2, f64, 2)

/* Conversions, the same way: `count` lanes, the rest of the result zero. */
#define SEM_EACH_CONVERT(ident, from, to, count, convert)                                          \
    static inline mote__v128 sem_##ident(mote__v128 x) {                                           \
        from a = (from)x;                                                                          \
        to result = {0};                                                                           \
        for (unsigned i = 0; i < count; i++) result[i] = convert(a[i]);                            \
        return (mote__v128)result;                                                                 \
    }
/* clang-format off */
SEM_EACH_CONVERT(f32x4_demote_f64x2_zero, mote__f64x2, mote__f32x4, 2, sem_f32_demote_f64)
SEM_EACH_CONVERT(f64x2_promote_low_f32x4, mote__f32x4, mote__f64x2, 2, sem_f64_promote_f32)
SEM_EACH_CONVERT(i32x4_trunc_sat_f32x4_s, mote__f32x4, mote__u32x4, 4, sem_i32_trunc_sat_f32_s)
SEM_EACH_CONVERT(i32x4_trunc_sat_f32x4_u, mote__f32x4, mote__u32x4, 4, sem_i32_trunc_sat_f32_u)
SEM_EACH_CONVERT(i32x4_trunc_sat_f64x2_s_zero, mote__f64x2, mote__u32x4, 2, sem_i32_trunc_sat_f64_s)
SEM_EACH_CONVERT(i32x4_trunc_sat_f64x2_u_zero, mote__f64x2, mote__u32x4, 2, sem_i32_trunc_sat_f64_u)
/* clang-format on */

#endif
