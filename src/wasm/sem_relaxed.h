/* sem_relaxed.h - relaxed vector instructions (core spec, "Relaxed Operations"). sem_IDENT is the deterministic profile's choice: the first of each
 * list there, the same bits on every machine, so that all tiers agree. sem_fast_IDENT is whatever of the list is cheapest on the machine that this is
 * compiled for; an engine picks one of the two sets for all its code, because within one engine the choice must not change.
 * Included by sem_simd.h only. */
#ifndef MOTE_WASM_SEM_RELAXED_H
#define MOTE_WASM_SEM_RELAXED_H

/* Products of signed bytes, neighbours summed with saturation (only -128 * -128 twice reaches it). */
static inline mote__v128 mote__dot_i8x16_s(mote__v128 x, mote__v128 y) {
    mote__v128 low = sem_i32x4_dot_i16x8_s(sem_i16x8_extend_low_i8x16_s(x),
                                           sem_i16x8_extend_low_i8x16_s(y));
    mote__v128 high = sem_i32x4_dot_i16x8_s(sem_i16x8_extend_high_i8x16_s(x),
                                            sem_i16x8_extend_high_i8x16_s(y));
    return sem_i16x8_narrow_i32x4_s(low, high);
}

/* RELAXED1, 2, 3(ident, expr): an instruction of one, two or three operands x, y, z, and its deterministic choice. The products of
 * madd are rounded before the sum. */
/* clang-format off */
#define SEM_RELAXED(RELAXED1, RELAXED2, RELAXED3)                                                  \
    RELAXED2(i8x16_relaxed_swizzle, sem_i8x16_swizzle(x, y))                                       \
    RELAXED1(i32x4_relaxed_trunc_f32x4_s, sem_i32x4_trunc_sat_f32x4_s(x))                          \
    RELAXED1(i32x4_relaxed_trunc_f32x4_u, sem_i32x4_trunc_sat_f32x4_u(x))                          \
    RELAXED1(i32x4_relaxed_trunc_f64x2_s_zero, sem_i32x4_trunc_sat_f64x2_s_zero(x))                \
    RELAXED1(i32x4_relaxed_trunc_f64x2_u_zero, sem_i32x4_trunc_sat_f64x2_u_zero(x))                \
    RELAXED3(f32x4_relaxed_madd, sem_f32x4_add(sem_f32x4_mul(x, y), z))                            \
    RELAXED3(f32x4_relaxed_nmadd, sem_f32x4_add(sem_f32x4_mul(sem_f32x4_neg(x), y), z))            \
    RELAXED3(f64x2_relaxed_madd, sem_f64x2_add(sem_f64x2_mul(x, y), z))                            \
    RELAXED3(f64x2_relaxed_nmadd, sem_f64x2_add(sem_f64x2_mul(sem_f64x2_neg(x), y), z))            \
    RELAXED3(i8x16_relaxed_laneselect, sem_v128_bitselect(x, y, z))                                \
    RELAXED3(i16x8_relaxed_laneselect, sem_v128_bitselect(x, y, z))                                \
    RELAXED3(i32x4_relaxed_laneselect, sem_v128_bitselect(x, y, z))                                \
    RELAXED3(i64x2_relaxed_laneselect, sem_v128_bitselect(x, y, z))                                \
    RELAXED2(f32x4_relaxed_min, sem_f32x4_min(x, y))                                               \
    RELAXED2(f32x4_relaxed_max, sem_f32x4_max(x, y))                                               \
    RELAXED2(f64x2_relaxed_min, sem_f64x2_min(x, y))                                               \
    RELAXED2(f64x2_relaxed_max, sem_f64x2_max(x, y))                                               \
    RELAXED2(i16x8_relaxed_q15mulr_s, sem_i16x8_q15mulr_sat_s(x, y))                               \
    RELAXED2(i16x8_relaxed_dot_i8x16_i7x16_s, mote__dot_i8x16_s(x, y))                             \
    RELAXED3(i32x4_relaxed_dot_i8x16_i7x16_add_s,                                                  \
             sem_i32x4_add(sem_i32x4_extadd_pairwise_i16x8_s(mote__dot_i8x16_s(x, y)), z))
/* clang-format on */

#define RELAXED1(ident, expr)                                                                      \
    static inline mote__v128 sem_##ident(mote__v128 x) { return expr; }
#define RELAXED2(ident, expr)                                                                      \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y) { return expr; }
#define RELAXED3(ident, expr)                                                                      \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y, mote__v128 z) { return expr; }
SEM_RELAXED(RELAXED1, RELAXED2, RELAXED3)
#undef RELAXED1
#undef RELAXED2
#undef RELAXED3
#undef SEM_RELAXED

#endif
