/* sem_relaxed.h - relaxed vector instructions (core spec, "Relaxed Operations"), included by
 * sem_simd.h only. Each is the deterministic profile's choice, the first of its list there: the
 * same bits on every machine and in every tier. This file is the place for the machine's own
 * choices (minps, cvttps2dq, fused multiplication), should an option ask for them: one engine must
 * then use them in all tiers or in none. */
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

#define SEM_RELAXED1(ident, expr)                                                                  \
    static inline mote__v128 sem_##ident(mote__v128 x) { return expr; }
#define SEM_RELAXED2(ident, expr)                                                                  \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y) { return expr; }
#define SEM_RELAXED3(ident, expr)                                                                  \
    static inline mote__v128 sem_##ident(mote__v128 x, mote__v128 y, mote__v128 z) { return expr; }

SEM_RELAXED2(i8x16_relaxed_swizzle, sem_i8x16_swizzle(x, y))
SEM_RELAXED1(i32x4_relaxed_trunc_f32x4_s, sem_i32x4_trunc_sat_f32x4_s(x))
SEM_RELAXED1(i32x4_relaxed_trunc_f32x4_u, sem_i32x4_trunc_sat_f32x4_u(x))
SEM_RELAXED1(i32x4_relaxed_trunc_f64x2_s_zero, sem_i32x4_trunc_sat_f64x2_s_zero(x))
SEM_RELAXED1(i32x4_relaxed_trunc_f64x2_u_zero, sem_i32x4_trunc_sat_f64x2_u_zero(x))
SEM_RELAXED3(i8x16_relaxed_laneselect, sem_v128_bitselect(x, y, z))
SEM_RELAXED3(i16x8_relaxed_laneselect, sem_v128_bitselect(x, y, z))
SEM_RELAXED3(i32x4_relaxed_laneselect, sem_v128_bitselect(x, y, z))
SEM_RELAXED3(i64x2_relaxed_laneselect, sem_v128_bitselect(x, y, z))
SEM_RELAXED2(f32x4_relaxed_min, sem_f32x4_min(x, y))
SEM_RELAXED2(f32x4_relaxed_max, sem_f32x4_max(x, y))
SEM_RELAXED2(f64x2_relaxed_min, sem_f64x2_min(x, y))
SEM_RELAXED2(f64x2_relaxed_max, sem_f64x2_max(x, y))
SEM_RELAXED2(i16x8_relaxed_q15mulr_s, sem_i16x8_q15mulr_sat_s(x, y))
SEM_RELAXED2(i16x8_relaxed_dot_i8x16_i7x16_s, mote__dot_i8x16_s(x, y))
SEM_RELAXED3(i32x4_relaxed_dot_i8x16_i7x16_add_s,
             sem_i32x4_add(sem_i32x4_extadd_pairwise_i16x8_s(mote__dot_i8x16_s(x, y)), z))

/* The product is rounded before the sum: two functions, so that no compiler fuses them. */
SEM_RELAXED3(f32x4_relaxed_madd, sem_f32x4_add(sem_f32x4_mul(x, y), z))
SEM_RELAXED3(f32x4_relaxed_nmadd, sem_f32x4_add(sem_f32x4_mul(sem_f32x4_neg(x), y), z))
SEM_RELAXED3(f64x2_relaxed_madd, sem_f64x2_add(sem_f64x2_mul(x, y), z))
SEM_RELAXED3(f64x2_relaxed_nmadd, sem_f64x2_add(sem_f64x2_mul(sem_f64x2_neg(x), y), z))

#endif
