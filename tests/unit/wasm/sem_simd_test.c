/* sem_simd_test.c - vector instructions lane by lane against scalar references, on vectors made of
 * edge values and of random ones. sem_portable_test.c compiles the same with the portable part of
 * sem_simd.h, so both parts must give the same bits. */
#include "test.h"
#include "sem_ref.h"
#include "wasm/sem_simd.h"

enum { ROUNDS = 4000 };

/* A vector seen in every shape; only memcpy goes between it and what is tested. */
union lanes {
    mote__v128 v128;
    int8_t s8[16];
    uint8_t u8[16];
    int16_t s16[8];
    uint16_t u16[8];
    int32_t s32[4];
    uint32_t u32[4];
    int64_t s64[2];
    uint64_t u64[2];
};

/* Lanes of `bits` bits, each an edge integer or a random one. */
static mote__v128 integers(unsigned bits) {
    union lanes x = {.u64 = {ref_random(), ref_random()}};
    uint64_t edges = ref_random();
    for (unsigned n = 0; n < 128 / bits; n++) {
        uint64_t lane = ref_integers[ref_random() % COUNT_OF(ref_integers)];
        if (edges >> (n * 4) & 1) continue;
        if (edges >> (n * 4) & 2) lane = -lane;
        memcpy((char *)&x + n * bits / 8, &lane, bits / 8);
    }
    return x.v128;
}

static mote__v128 floats32(void) {
    union lanes x = {.u64 = {ref_random(), ref_random()}};
    for (unsigned n = 0; n < 4; n++) {
        if (ref_random() % 4) x.u32[n] = ref_f32_edge(ref_random() % REF_F32_COUNT);
    }
    return x.v128;
}

static mote__v128 floats64(void) {
    union lanes x = {.u64 = {ref_random(), ref_random()}};
    for (unsigned n = 0; n < 2; n++) {
        if (ref_random() % 4) x.u64[n] = ref_f64_edge(ref_random() % REF_F64_COUNT);
    }
    return x.v128;
}

static bool same(const char *what, unsigned line, mote__v128 got, union lanes want) {
    union lanes x = {.v128 = got};
    if (x.u64[0] == want.u64[0] && x.u64[1] == want.u64[1]) return true;
    printf("  %s: %016" PRIx64 "%016" PRIx64 " against %016" PRIx64 "%016" PRIx64 "\n", what, x.u64[1], x.u64[0], want.u64[1],
           want.u64[0]);
    return test_fail(__FILE__, (int)line, what);
}

/* One instruction over many vectors. In `expr`, a, b (and c) are the lanes of the operands as
 * int64_t, i the index of the lane; x, y and z are the whole operands. `to` is the shape of the result. */
#define EACH(ident, make, call, from, to, count, expr)                                             \
    for (unsigned round = 0; round < ROUNDS; round++) {                                            \
        union lanes x = {.v128 = make}, y = {.v128 = make}, z = {.v128 = make}, want = {0};        \
        for (unsigned i = 0; i < (count); i++) {                                                   \
            const int64_t a = (int64_t)x.from[i], b = (int64_t)y.from[i], c = (int64_t)z.from[i];  \
            (void)a, (void)b, (void)c;                                                             \
            want.to[i] = (__typeof__(want.to[0]))(expr);                                           \
        }                                                                                          \
        if (!same(#ident, __LINE__, sem_##ident call, want)) break;                                \
    }
#define ONE(ident, shape, count, expr) EACH(ident, integers(128 / count), (x.v128), shape, shape, count, expr)
#define TWO(ident, shape, count, expr)                                                             \
    EACH(ident, integers(128 / count), (x.v128, y.v128), shape, shape, count, expr)

static int64_t clamp(int64_t a, int64_t min, int64_t max) { return a < min ? min : a > max ? max : a; }

TEST(bits) {
    ONE(v128_not, u64, 2, -1 - a)
    TWO(v128_and, u64, 2, (uint64_t)a - ((uint64_t)a & ~(uint64_t)b))
    TWO(v128_andnot, u64, 2, (a | b) ^ b)
    TWO(v128_or, u64, 2, (uint64_t)a + (b & ~a))
    TWO(v128_xor, u64, 2, (a | b) & ~(a & b))
    EACH(v128_bitselect, integers(8), (x.v128, y.v128, z.v128), s8, s8, 16, (a & c) | (b & (255 - c)))
    CHECK_EQ(sem_v128_any_true((mote__v128){0, 0}), 0);
    for (unsigned bit = 0; bit < 128; bit++) {
        union lanes x = {0};
        x.u8[bit / 8] = (uint8_t)(1 << bit % 8);
        CHECK_EQ(sem_v128_any_true(x.v128), 1);
    }
}

/* What all integer shapes have. */
#define SHAPE_TEST(shape, s, u, count)                                                             \
    TEST(shape) {                                                                                  \
        const unsigned bits = 128 / count;                                                         \
        TWO(shape##_eq, s, count, -(a == b))                                                       \
        TWO(shape##_ne, s, count, -(a != b))                                                       \
        TWO(shape##_lt_s, s, count, -(a < b))                                                      \
        TWO(shape##_gt_s, s, count, -(a > b))                                                      \
        TWO(shape##_le_s, s, count, -(a <= b))                                                     \
        TWO(shape##_ge_s, s, count, -(a >= b))                                                     \
        TWO(shape##_add, u, count, (uint64_t)a + (uint64_t)b)                                      \
        TWO(shape##_sub, u, count, (uint64_t)a - (uint64_t)b)                                      \
        ONE(shape##_neg, s, count, 0 - (uint64_t)a)                                                \
        ONE(shape##_abs, s, count, a < 0 ? 0 - (uint64_t)a : (uint64_t)a)                          \
        for (unsigned round = 0; round < ROUNDS; round++) {                                        \
            union lanes x = {.v128 = integers(bits)};                                              \
            if (round & 1) x.u[round / 2 % count] = 0;                                             \
            uint32_t all = 1, mask = 0, shift = (uint32_t)ref_random(), by = shift % bits;         \
            union lanes left, right, right_u;                                                      \
            for (unsigned i = 0; i < count; i++) {                                                 \
                all &= x.u[i] != 0;                                                                \
                mask |= (uint32_t)(x.s[i] < 0) << i;                                               \
                left.u[i] = (__typeof__(x.u[0]))((uint64_t)x.u[i] << by);                          \
                right_u.u[i] = (__typeof__(x.u[0]))(x.u[i] >> by);                                 \
                right.s[i] = (__typeof__(x.s[0]))(x.s[i] >= 0 ? x.s[i] >> by : -1 - ((-1 - x.s[i]) >> by)); \
            }                                                                                      \
            CHECK_EQ(sem_##shape##_all_true(x.v128), all);                                         \
            CHECK_EQ(sem_##shape##_bitmask(x.v128), mask);                                         \
            same("shl", __LINE__, sem_##shape##_shl(x.v128, shift), left);                         \
            same("shr_u", __LINE__, sem_##shape##_shr_u(x.v128, shift), right_u);                  \
            same("shr_s", __LINE__, sem_##shape##_shr_s(x.v128, shift), right);                    \
        }                                                                                          \
    }
SHAPE_TEST(i8x16, s8, u8, 16)
SHAPE_TEST(i16x8, s16, u16, 8)
SHAPE_TEST(i32x4, s32, u32, 4)
SHAPE_TEST(i64x2, s64, u64, 2)

#define UNSIGNED_TEST(shape, s, u, count)                                                          \
    TEST(shape##_unsigned) {                                                                       \
        TWO(shape##_lt_u, u, count, -(a < b))                                                      \
        TWO(shape##_gt_u, u, count, -(a > b))                                                      \
        TWO(shape##_le_u, u, count, -(a <= b))                                                     \
        TWO(shape##_ge_u, u, count, -(a >= b))                                                     \
        TWO(shape##_min_u, u, count, a < b ? a : b)                                                \
        TWO(shape##_max_u, u, count, a > b ? a : b)                                                \
        TWO(shape##_min_s, s, count, a < b ? a : b)                                                \
        TWO(shape##_max_s, s, count, a > b ? a : b)                                                \
    }
UNSIGNED_TEST(i8x16, s8, u8, 16)
UNSIGNED_TEST(i16x8, s16, u16, 8)
UNSIGNED_TEST(i32x4, s32, u32, 4)

#define SATURATING_TEST(shape, s, u, count, S, U)                                                  \
    TEST(shape##_saturating) {                                                                     \
        TWO(shape##_add_sat_s, s, count, clamp(a + b, S##_MIN, S##_MAX))                           \
        TWO(shape##_sub_sat_s, s, count, clamp(a - b, S##_MIN, S##_MAX))                           \
        TWO(shape##_add_sat_u, u, count, clamp(a + b, 0, U##_MAX))                                 \
        TWO(shape##_sub_sat_u, u, count, clamp(a - b, 0, U##_MAX))                                 \
        TWO(shape##_avgr_u, u, count, (a + b + 1) / 2)                                             \
    }
SATURATING_TEST(i8x16, s8, u8, 16, INT8, UINT8)
SATURATING_TEST(i16x8, s16, u16, 8, INT16, UINT16)

TEST(products) {
    TWO(i16x8_mul, u16, 8, a * b)
    TWO(i32x4_mul, u32, 4, (uint64_t)a * (uint64_t)b)
    TWO(i64x2_mul, u64, 2, (uint64_t)a * (uint64_t)b)
    TWO(i16x8_q15mulr_sat_s, s16, 8, clamp((a * b + 0x4000) >> 15, INT16_MIN, INT16_MAX))
    EACH(i32x4_dot_i16x8_s, integers(16), (x.v128, y.v128), s32, u32, 4,
         (int64_t)x.s16[2 * i] * y.s16[2 * i] + (int64_t)x.s16[2 * i + 1] * y.s16[2 * i + 1])
    ONE(i8x16_popcnt, u8, 16, __builtin_popcount((unsigned)a))
}

/* Lanes of half the width: `n` of `from`, out of the low or the high half. */
#define WIDENING_TEST(to, from, s, u, s_half, u_half, count)                                       \
    TEST(to##_widening) {                                                                          \
        const unsigned bits = 64 / count;                                                          \
        EACH(to##_extend_low_##from##_s, integers(bits), (x.v128), u, u, count, x.s_half[i])       \
        EACH(to##_extend_high_##from##_s, integers(bits), (x.v128), u, u, count, x.s_half[i + count]) \
        EACH(to##_extend_low_##from##_u, integers(bits), (x.v128), u, u, count, x.u_half[i])       \
        EACH(to##_extend_high_##from##_u, integers(bits), (x.v128), u, u, count, x.u_half[i + count]) \
        EACH(to##_extmul_low_##from##_s, integers(bits), (x.v128, y.v128), s, s, count,            \
             (int64_t)x.s_half[i] * y.s_half[i])                                                   \
        EACH(to##_extmul_high_##from##_s, integers(bits), (x.v128, y.v128), s, s, count,           \
             (int64_t)x.s_half[i + count] * y.s_half[i + count])                                   \
        EACH(to##_extmul_low_##from##_u, integers(bits), (x.v128, y.v128), u, u, count,            \
             (uint64_t)x.u_half[i] * y.u_half[i])                                                  \
        EACH(to##_extmul_high_##from##_u, integers(bits), (x.v128, y.v128), u, u, count,           \
             (uint64_t)x.u_half[i + count] * y.u_half[i + count])                                  \
    }
WIDENING_TEST(i16x8, i8x16, s16, u16, s8, u8, 8)
WIDENING_TEST(i32x4, i16x8, s32, u32, s16, u16, 4)
WIDENING_TEST(i64x2, i32x4, s64, u64, s32, u32, 2)

TEST(pairwise) {
    EACH(i16x8_extadd_pairwise_i8x16_s, integers(8), (x.v128), s16, s16, 8, x.s8[2 * i] + x.s8[2 * i + 1])
    EACH(i16x8_extadd_pairwise_i8x16_u, integers(8), (x.v128), u16, u16, 8, x.u8[2 * i] + x.u8[2 * i + 1])
    EACH(i32x4_extadd_pairwise_i16x8_s, integers(16), (x.v128), s32, s32, 4, x.s16[2 * i] + x.s16[2 * i + 1])
    EACH(i32x4_extadd_pairwise_i16x8_u, integers(16), (x.v128), u32, u32, 4, x.u16[2 * i] + x.u16[2 * i + 1])
}

TEST(narrowing) {
    EACH(i8x16_narrow_i16x8_s, integers(16), (x.v128, y.v128), s8, s8, 16,
         clamp(i < 8 ? x.s16[i] : y.s16[i - 8], INT8_MIN, INT8_MAX))
    EACH(i8x16_narrow_i16x8_u, integers(16), (x.v128, y.v128), s8, u8, 16,
         clamp(i < 8 ? x.s16[i] : y.s16[i - 8], 0, UINT8_MAX))
    EACH(i16x8_narrow_i32x4_s, integers(32), (x.v128, y.v128), s16, s16, 8,
         clamp(i < 4 ? x.s32[i] : y.s32[i - 4], INT16_MIN, INT16_MAX))
    EACH(i16x8_narrow_i32x4_u, integers(32), (x.v128, y.v128), s16, u16, 8,
         clamp(i < 4 ? x.s32[i] : y.s32[i - 4], 0, UINT16_MAX))
}

TEST(moves) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        union lanes x = {.v128 = integers(8)}, y = {.v128 = integers(8)}, at = {.v128 = integers(8)}, want, picked;
        for (unsigned i = 0; i < 16; i++) {
            if (round & 1) at.u8[i] %= 20;
            want.u8[i] = at.u8[i] < 16 ? x.u8[at.u8[i]] : 0;
        }
        same("swizzle", __LINE__, sem_i8x16_swizzle(x.v128, at.v128), want);
        for (unsigned i = 0; i < 16; i++) {
            at.u8[i] &= 31;
            picked.u8[i] = at.u8[i] < 16 ? x.u8[at.u8[i]] : y.u8[at.u8[i] - 16];
        }
        same("shuffle", __LINE__, sem_i8x16_shuffle(x.v128, y.v128, at.u8), picked);
    }
}

#define LANE_TEST(shape, u, count, T, made, bits_of)                                               \
    TEST(shape##_lanes) {                                                                          \
        for (unsigned round = 0; round < 200; round++) {                                           \
            union lanes x = {.v128 = integers(128 / count)}, all, put;                             \
            T operand = made;                                                                      \
            for (unsigned lane = 0; lane < count; lane++) {                                        \
                put = x;                                                                           \
                put.u[lane] = all.u[lane] = (__typeof__(x.u[0]))bits_of(operand);                  \
                same("replace_lane", __LINE__, sem_##shape##_replace_lane(x.v128, operand, (uint8_t)lane), put); \
            }                                                                                      \
            same("splat", __LINE__, sem_##shape##_splat(operand), all);                            \
        }                                                                                          \
    }
LANE_TEST(i8x16, u8, 16, uint32_t, (uint32_t)ref_random(), (uint32_t))
LANE_TEST(i16x8, u16, 8, uint32_t, (uint32_t)ref_random(), (uint32_t))
LANE_TEST(i32x4, u32, 4, uint32_t, (uint32_t)ref_random(), (uint32_t))
LANE_TEST(i64x2, u64, 2, uint64_t, ref_random(), (uint64_t))
LANE_TEST(f32x4, u32, 4, float, ref_f32(ref_f32_edge(round % REF_F32_COUNT)), ref_u32)
LANE_TEST(f64x2, u64, 2, double, ref_f64(ref_f64_edge(round % REF_F64_COUNT)), ref_u64)

TEST(extract) {
    for (unsigned round = 0; round < 200; round++) {
        union lanes x = {.v128 = round & 1 ? floats32() : floats64()};
        for (uint8_t i = 0; i < 16; i++) CHECK_EQ(sem_i8x16_extract_lane_s(x.v128, i), (uint32_t)x.s8[i]);
        for (uint8_t i = 0; i < 16; i++) CHECK_EQ(sem_i8x16_extract_lane_u(x.v128, i), x.u8[i]);
        for (uint8_t i = 0; i < 8; i++) CHECK_EQ(sem_i16x8_extract_lane_s(x.v128, i), (uint32_t)x.s16[i]);
        for (uint8_t i = 0; i < 8; i++) CHECK_EQ(sem_i16x8_extract_lane_u(x.v128, i), x.u16[i]);
        for (uint8_t i = 0; i < 4; i++) CHECK_EQ(sem_i32x4_extract_lane(x.v128, i), x.u32[i]);
        for (uint8_t i = 0; i < 2; i++) CHECK_EQ(sem_i64x2_extract_lane(x.v128, i), x.u64[i]);
        for (uint8_t i = 0; i < 4; i++) CHECK_EQ(ref_u32(sem_f32x4_extract_lane(x.v128, i)), x.u32[i]);
        for (uint8_t i = 0; i < 2; i++) CHECK_EQ(ref_u64(sem_f64x2_extract_lane(x.v128, i)), x.u64[i]);
    }
}

/* A load of `bits` in all its forms; the vector that the lane goes into is random. */
#define LOAD_LANE_TEST(bits, u, count)                                                             \
    TEST(load_store_lane_##bits) {                                                                 \
        union lanes x = {.v128 = integers(8)}, all;                                                \
        uint##bits##_t m = (uint##bits##_t)0xFEDCBA9876543210;                                     \
        for (uint8_t lane = 0; lane < count; lane++) {                                             \
            union lanes put = x;                                                                   \
            put.u[lane] = all.u[lane] = m;                                                         \
            same("load lane", __LINE__, sem_v128_load##bits##_lane(x.v128, lane, m), put);         \
            CHECK_EQ(sem_v128_store##bits##_lane(x.v128, lane), x.u[lane]);                        \
        }                                                                                          \
        same("load splat", __LINE__, sem_v128_load##bits##_splat(m), all);                         \
    }
LOAD_LANE_TEST(8, u8, 16)
LOAD_LANE_TEST(16, u16, 8)
LOAD_LANE_TEST(32, u32, 4)
LOAD_LANE_TEST(64, u64, 2)

TEST(loads) {
    union lanes x = {.v128 = integers(8)};
    same("load", __LINE__, sem_v128_load(x.v128), x);
    same("load32_zero", __LINE__, sem_v128_load32_zero(x.u32[0]), (union lanes){.u32 = {x.u32[0]}});
    same("load64_zero", __LINE__, sem_v128_load64_zero(x.u64[0]), (union lanes){.u64 = {x.u64[0]}});
    for (unsigned round = 0; round < 200; round++) {
        union lanes y = {.v128 = integers(8)}, s16, u16, s32, u32, s64, u64;
        for (unsigned i = 0; i < 8; i++) s16.s16[i] = y.s8[i], u16.u16[i] = y.u8[i];
        for (unsigned i = 0; i < 4; i++) s32.s32[i] = y.s16[i], u32.u32[i] = y.u16[i];
        for (unsigned i = 0; i < 2; i++) s64.s64[i] = y.s32[i], u64.u64[i] = y.u32[i];
        same("load8x8_s", __LINE__, sem_v128_load8x8_s(y.u64[0]), s16);
        same("load8x8_u", __LINE__, sem_v128_load8x8_u(y.u64[0]), u16);
        same("load16x4_s", __LINE__, sem_v128_load16x4_s(y.u64[0]), s32);
        same("load16x4_u", __LINE__, sem_v128_load16x4_u(y.u64[0]), u32);
        same("load32x2_s", __LINE__, sem_v128_load32x2_s(y.u64[0]), s64);
        same("load32x2_u", __LINE__, sem_v128_load32x2_u(y.u64[0]), u64);
    }
}

/* ---------------------------------------------------------------- floats: a and b are bits, as
 * uint32_t or uint64_t */

#define FLOAT_EACH(ident, w, count, call, check, expr)                                             \
    for (unsigned round = 0; round < ROUNDS; round++) {                                            \
        union lanes x = {.v128 = floats##w()}, y = {.v128 = floats##w()}, got = {.v128 = sem_##ident call}; \
        for (unsigned i = 0; i < count; i++) {                                                     \
            uint##w##_t a = x.u##w[i], b = y.u##w[i];                                              \
            (void)a, (void)b;                                                                      \
            if (!CHECK(check(got.u##w[i], (expr)))) {                                              \
                printf("  %s(%" PRIx64 ", %" PRIx64 ") = %" PRIx64 "\n", #ident, (uint64_t)a, (uint64_t)b, \
                       (uint64_t)got.u##w[i]);                                                     \
                return;                                                                            \
            }                                                                                      \
        }                                                                                          \
    }
#define EXACT(got, want) ((got) == (want))
#define FLOAT_TEST(shape, w, count, wider)                                                         \
    TEST(shape) {                                                                                  \
        const uint##w##_t top = (uint##w##_t)1 << (w - 1), ones = (uint##w##_t)-1;                 \
        FLOAT_EACH(shape##_eq, w, count, (x.v128, y.v128), EXACT, ref_equal##w(a, b) ? ones : 0)   \
        FLOAT_EACH(shape##_ne, w, count, (x.v128, y.v128), EXACT, ref_equal##w(a, b) ? 0 : ones)   \
        FLOAT_EACH(shape##_lt, w, count, (x.v128, y.v128), EXACT, ref_less##w(a, b) ? ones : 0)    \
        FLOAT_EACH(shape##_gt, w, count, (x.v128, y.v128), EXACT, ref_less##w(b, a) ? ones : 0)    \
        FLOAT_EACH(shape##_le, w, count, (x.v128, y.v128), EXACT,                                  \
                   ref_less##w(a, b) || ref_equal##w(a, b) ? ones : 0)                             \
        FLOAT_EACH(shape##_ge, w, count, (x.v128, y.v128), EXACT,                                  \
                   ref_less##w(b, a) || ref_equal##w(a, b) ? ones : 0)                             \
        FLOAT_EACH(shape##_min, w, count, (x.v128, y.v128), EXACT, ref_min##w(a, b))               \
        FLOAT_EACH(shape##_max, w, count, (x.v128, y.v128), EXACT, ref_max##w(a, b))               \
        FLOAT_EACH(shape##_pmin, w, count, (x.v128, y.v128), EXACT, ref_less##w(b, a) ? b : a)     \
        FLOAT_EACH(shape##_pmax, w, count, (x.v128, y.v128), EXACT, ref_less##w(a, b) ? b : a)     \
        FLOAT_EACH(shape##_abs, w, count, (x.v128), EXACT, a & ~top)                               \
        FLOAT_EACH(shape##_neg, w, count, (x.v128), EXACT, a ^ top)                                \
        FLOAT_EACH(shape##_ceil, w, count, (x.v128), EXACT, ref_ceil##w(a))                        \
        FLOAT_EACH(shape##_floor, w, count, (x.v128), EXACT, ref_floor##w(a))                      \
        FLOAT_EACH(shape##_trunc, w, count, (x.v128), EXACT, ref_trunc##w(a))                      \
        FLOAT_EACH(shape##_nearest, w, count, (x.v128), EXACT, ref_nearest##w(a))                  \
        FLOAT_EACH(shape##_add, w, count, (x.v128, y.v128), ref_same##w, SUM(w, wider, +))         \
        FLOAT_EACH(shape##_sub, w, count, (x.v128, y.v128), ref_same##w, SUM(w, wider, -))         \
        FLOAT_EACH(shape##_mul, w, count, (x.v128, y.v128), ref_same##w, SUM(w, wider, *))         \
        FLOAT_EACH(shape##_div, w, count, (x.v128, y.v128), ref_same##w, SUM(w, wider, /))         \
        FLOAT_EACH(shape##_sqrt, w, count, (x.v128), ref_same##w, ref_u##w((FLOAT_##w)sqrt(ref_f##w(a)))) \
    }
#define FLOAT_32 float
#define FLOAT_64 double
#define SUM(w, wider, op) ref_u##w((FLOAT_##w)((wider)ref_f##w(a) op(wider) ref_f##w(b)))
FLOAT_TEST(f32x4, 32, 4, double)
FLOAT_TEST(f64x2, 64, 2, double)

/* A conversion of `count` lanes; the rest of the result is zero. */
#define CONVERT(ident, make, from, to, count, check, expr)                                         \
    for (unsigned round = 0; round < ROUNDS; round++) {                                            \
        union lanes x = {.v128 = make}, got = {.v128 = sem_##ident(x.v128)};                       \
        for (unsigned i = 0; i < COUNT_OF(got.to); i++) {                                          \
            __typeof__(x.from[0]) a = x.from[i < (count) ? i : 0];                                 \
            __typeof__(got.to[0]) want = 0;                                                        \
            if (i < (count)) want = (__typeof__(want))(expr);                                      \
            if (!CHECK(check(got.to[i], want))) return;                                            \
        }                                                                                          \
    }

TEST(conversions) {
    CONVERT(f32x4_convert_i32x4_s, integers(32), s32, u32, 4, EXACT,
            ref_u32((float)ref_from_integer(a < 0 ? -(uint64_t)a : (uint64_t)a, a < 0, 24)))
    CONVERT(f32x4_convert_i32x4_u, integers(32), u32, u32, 4, EXACT, ref_u32((float)ref_from_integer(a, 0, 24)))
    CONVERT(f64x2_convert_low_i32x4_s, integers(32), s32, u64, 2, EXACT, ref_u64((double)a))
    CONVERT(f64x2_convert_low_i32x4_u, integers(32), u32, u64, 2, EXACT, ref_u64((double)a))
    CONVERT(i32x4_trunc_sat_f32x4_s, floats32(), u32, u32, 4, EXACT, ref_saturate(ref_u64((double)ref_f32(a)), 1, 32))
    CONVERT(i32x4_trunc_sat_f32x4_u, floats32(), u32, u32, 4, EXACT, ref_saturate(ref_u64((double)ref_f32(a)), 0, 32))
    CONVERT(i32x4_trunc_sat_f64x2_s_zero, floats64(), u64, u32, 2, EXACT, ref_saturate(a, 1, 32))
    CONVERT(i32x4_trunc_sat_f64x2_u_zero, floats64(), u64, u32, 2, EXACT, ref_saturate(a, 0, 32))
    CONVERT(f32x4_demote_f64x2_zero, floats64(), u64, u32, 2, ref_same32, ref_demote(a))
    CONVERT(f64x2_promote_low_f32x4, floats32(), u32, u64, 2, ref_same64, ref_u64((double)ref_f32(a)))
}

TEST(conversions_in_range) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t bits = (ref_random() & 0x800FFFFFFFFFFFFF) | (uint64_t)(1023 - 2 + ref_random() % 36) << 52;
        uint64_t half = ref_u64((double)(float)ref_f64(bits));
        mote__v128 narrow = sem_f32x4_splat((float)ref_f64(bits)), wide = sem_f64x2_splat(ref_f64(bits));
        CHECK_EQ(sem_i32x4_extract_lane(sem_i32x4_trunc_sat_f32x4_s(narrow), 3), ref_saturate(half, 1, 32));
        CHECK_EQ(sem_i32x4_extract_lane(sem_i32x4_trunc_sat_f32x4_u(narrow), 3), ref_saturate(half, 0, 32));
        CHECK_EQ(sem_i32x4_extract_lane(sem_i32x4_trunc_sat_f64x2_s_zero(wide), 1), ref_saturate(bits, 1, 32));
        CHECK_EQ(sem_i32x4_extract_lane(sem_i32x4_trunc_sat_f64x2_u_zero(wide), 1), ref_saturate(bits, 0, 32));
    }
}

/* ---------------------------------------------------------------- relaxed: the deterministic profile */

TEST(relaxed_integers) {
    EACH(i8x16_relaxed_laneselect, integers(8), (x.v128, y.v128, z.v128), s8, s8, 16, (a & c) | (b & ~c))
    EACH(i16x8_relaxed_laneselect, integers(16), (x.v128, y.v128, z.v128), s16, s16, 8, (a & c) | (b & ~c))
    EACH(i32x4_relaxed_laneselect, integers(32), (x.v128, y.v128, z.v128), s32, s32, 4, (a & c) | (b & ~c))
    EACH(i64x2_relaxed_laneselect, integers(64), (x.v128, y.v128, z.v128), s64, s64, 2, (a & c) | (b & ~c))
    TWO(i16x8_relaxed_q15mulr_s, s16, 8, clamp((a * b + 0x4000) >> 15, INT16_MIN, INT16_MAX))
    TWO(i8x16_relaxed_swizzle, u8, 16, b < 16 ? x.u8[b & 15] : 0)
    EACH(i16x8_relaxed_dot_i8x16_i7x16_s, integers(8), (x.v128, y.v128), s16, s16, 8,
         clamp(x.s8[2 * i] * y.s8[2 * i] + x.s8[2 * i + 1] * y.s8[2 * i + 1], INT16_MIN, INT16_MAX))
    EACH(i32x4_relaxed_dot_i8x16_i7x16_add_s, integers(8), (x.v128, y.v128, z.v128), s32, u32, 4,
         (uint32_t)c +
             (uint32_t)clamp(x.s8[4 * i] * y.s8[4 * i] + x.s8[4 * i + 1] * y.s8[4 * i + 1], INT16_MIN, INT16_MAX) +
             (uint32_t)clamp(x.s8[4 * i + 2] * y.s8[4 * i + 2] + x.s8[4 * i + 3] * y.s8[4 * i + 3], INT16_MIN, INT16_MAX))
    union lanes least = {.u64 = {0x8080808080808080, 0x8080808080808080}};
    CHECK_EQ(sem_i16x8_extract_lane_s(sem_i16x8_relaxed_dot_i8x16_i7x16_s(least.v128, least.v128), 0), INT16_MAX);
}

TEST(relaxed_floats) {
    FLOAT_EACH(f32x4_relaxed_min, 32, 4, (x.v128, y.v128), EXACT, ref_min32(a, b))
    FLOAT_EACH(f32x4_relaxed_max, 32, 4, (x.v128, y.v128), EXACT, ref_max32(a, b))
    FLOAT_EACH(f64x2_relaxed_min, 64, 2, (x.v128, y.v128), EXACT, ref_min64(a, b))
    FLOAT_EACH(f64x2_relaxed_max, 64, 2, (x.v128, y.v128), EXACT, ref_max64(a, b))
    CONVERT(i32x4_relaxed_trunc_f32x4_s, floats32(), u32, u32, 4, EXACT, ref_saturate(ref_u64((double)ref_f32(a)), 1, 32))
    CONVERT(i32x4_relaxed_trunc_f32x4_u, floats32(), u32, u32, 4, EXACT, ref_saturate(ref_u64((double)ref_f32(a)), 0, 32))
    CONVERT(i32x4_relaxed_trunc_f64x2_s_zero, floats64(), u64, u32, 2, EXACT, ref_saturate(a, 1, 32))
    CONVERT(i32x4_relaxed_trunc_f64x2_u_zero, floats64(), u64, u32, 2, EXACT, ref_saturate(a, 0, 32))
}

/* (1 + e) * (1 - e) is 1 - e^2: rounded, the product is 1, and only an unfused sum with -1 is 0. */
TEST(relaxed_madd_rounds_twice) {
    volatile float e32 = 0x1p-13f;
    volatile double e64 = 0x1p-30;
    mote__v128 x = sem_f32x4_splat(1 + e32), y = sem_f32x4_splat(1 - e32), one = sem_f32x4_splat(1);
    CHECK_EQ(ref_u32(sem_f32x4_extract_lane(sem_f32x4_relaxed_madd(x, y, sem_f32x4_neg(one)), 2)), 0);
    CHECK_EQ(ref_u32(sem_f32x4_extract_lane(sem_f32x4_relaxed_nmadd(x, y, one), 2)), 0);
    CHECK_EQ(ref_u32(sem_f32x4_extract_lane(sem_f32x4_relaxed_nmadd(x, one, one), 2)), ref_u32(-e32));
    x = sem_f64x2_splat(1 + e64), y = sem_f64x2_splat(1 - e64), one = sem_f64x2_splat(1);
    CHECK_EQ(ref_u64(sem_f64x2_extract_lane(sem_f64x2_relaxed_madd(x, y, sem_f64x2_neg(one)), 1)), 0);
    CHECK_EQ(ref_u64(sem_f64x2_extract_lane(sem_f64x2_relaxed_nmadd(x, y, one), 1)), 0);
    CHECK_EQ(ref_u64(sem_f64x2_extract_lane(sem_f64x2_relaxed_madd(x, one, one), 1)), ref_u64(2 + e64));
}
