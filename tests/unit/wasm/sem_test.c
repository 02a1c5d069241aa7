/* sem_test.c - scalar instructions on edge values, every pair of them where there are two operands,
 * against references written another way: integers in 128 bits or bit by bit, floats from their bits. */
#include "test.h"
#include "sem_ref.h"
#include "wasm/sem.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

/* Every pair of edge integers, cut to `u`; x and y are the operands as numbers of the sign that the
 * row asks for. */
#define INTEGERS(count) for (unsigned m = 0; m < COUNT_OF(ref_integers); m++) for (unsigned n = 0; n < (count); n++)
#define PAIR(ident, u, number, expr)                                                               \
    INTEGERS(COUNT_OF(ref_integers)) {                                                             \
        u a = (u)ref_integers[m], b = (u)ref_integers[n];                                          \
        wide x = (number)a, y = (number)b;                                                         \
        (void)x, (void)y;                                                                          \
        CHECK_EQ(sem_##ident(a, b), (u)(expr));                                                    \
    }
#define ONE(ident, u, number, expr)                                                                \
    INTEGERS(1) {                                                                                  \
        u a = (u)ref_integers[m];                                                                  \
        wide x = (number)a;                                                                        \
        (void)x;                                                                                   \
        CHECK_EQ(sem_##ident(a), (expr));                                                          \
    }

static uint64_t rotated(uint64_t a, uint64_t by, unsigned bits) {
    uint64_t result = 0;
    for (unsigned bit = 0; bit < bits; bit++) {
        if (a >> bit & 1) result |= (uint64_t)1 << (bit + by) % bits;
    }
    return result;
}

static unsigned leading(uint64_t a, unsigned bits) {
    unsigned count = 0;
    while (count < bits && !(a >> (bits - 1 - count) & 1)) count++;
    return count;
}

static unsigned trailing(uint64_t a, unsigned bits) {
    unsigned count = 0;
    while (count < bits && !(a >> count & 1)) count++;
    return count;
}

static unsigned ones(uint64_t a) {
    unsigned count = 0;
    for (; a; a >>= 1) count += a & 1;
    return count;
}

/* x / 2^n downwards, as the arithmetic shift has it. */
static wide divided_down(wide x, unsigned n) {
    wide by = (wide)1 << n;
    return x >= 0 ? x / by : -((-x + by - 1) / by);
}

#define INTEGER_TESTS(T, u, s, bits)                                                               \
    TEST(T##_compare) {                                                                            \
        PAIR(T##_eq, u, u, x == y)                                                                 \
        PAIR(T##_ne, u, u, x != y)                                                                 \
        PAIR(T##_lt_s, u, s, x < y)                                                                \
        PAIR(T##_lt_u, u, u, x < y)                                                                \
        PAIR(T##_gt_s, u, s, x > y)                                                                \
        PAIR(T##_gt_u, u, u, x > y)                                                                \
        PAIR(T##_le_s, u, s, x <= y)                                                               \
        PAIR(T##_le_u, u, u, x <= y)                                                               \
        PAIR(T##_ge_s, u, s, x >= y)                                                               \
        PAIR(T##_ge_u, u, u, x >= y)                                                               \
        ONE(T##_eqz, u, u, x == 0)                                                                 \
    }                                                                                              \
    TEST(T##_arithmetic) {                                                                         \
        PAIR(T##_add, u, s, (uwide)x + (uwide)y)                                                   \
        PAIR(T##_sub, u, s, (uwide)x - (uwide)y)                                                   \
        PAIR(T##_mul, u, s, (uwide)x *(uwide)y)                                                    \
        PAIR(T##_and, u, u, a - (a & ~b))                                                          \
        PAIR(T##_or, u, u, a + (b & ~a))                                                           \
        PAIR(T##_xor, u, u, (a & ~b) + (b & ~a))                                                   \
    }                                                                                              \
    TEST(T##_shift) {                                                                              \
        PAIR(T##_shl, u, u, (uwide)x << (b % bits))                                                \
        PAIR(T##_shr_u, u, u, x / ((wide)1 << b % bits))                                           \
        PAIR(T##_shr_s, u, s, divided_down(x, b % bits))                                           \
        PAIR(T##_rotl, u, u, rotated(a, b % bits, bits))                                           \
        PAIR(T##_rotr, u, u, rotated(a, bits - b % bits, bits))                                    \
    }                                                                                              \
    TEST(T##_bits) {                                                                               \
        ONE(T##_clz, u, u, leading(a, bits))                                                       \
        ONE(T##_ctz, u, u, trailing(a, bits))                                                      \
        ONE(T##_popcnt, u, u, ones(a))                                                             \
        ONE(T##_extend8_s, u, u, (u)((wide)(a & 0xFF) - ((a & 0x80) ? 0x100 : 0)))                 \
        ONE(T##_extend16_s, u, u, (u)((wide)(a & 0xFFFF) - ((a & 0x8000) ? 0x10000 : 0)))          \
        ONE(T##_load, u, u, a)                                                                     \
    }                                                                                              \
    static void T##_division(u a, u b) {                                                           \
        uint32_t traps[4] = {0};                                                                   \
        u div_s = sem_##T##_div_s(a, b, &traps[0]), div_u = sem_##T##_div_u(a, b, &traps[1]);      \
        u rem_s = sem_##T##_rem_s(a, b, &traps[2]), rem_u = sem_##T##_rem_u(a, b, &traps[3]);      \
        wide x = (s)a, y = (s)b;                                                                   \
        bool overflows = y == -1 && x == -((wide)1 << (bits - 1));                                 \
        uint32_t zero = b == 0 ? MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO : MOTE_TRAP_NONE;                \
        CHECK_EQ(traps[0], overflows ? MOTE_TRAP_INTEGER_OVERFLOW : zero);                         \
        CHECK_EQ(traps[1], zero);                                                                  \
        CHECK_EQ(traps[2], zero);                                                                  \
        CHECK_EQ(traps[3], zero);                                                                  \
        CHECK_EQ(div_s, traps[0] ? 0 : (u)(x / y));                                                \
        CHECK_EQ(div_u, b ? (u)((uwide)a / b) : 0);                                                \
        CHECK_EQ(rem_s, b ? (u)(x % y) : 0);                                                       \
        CHECK_EQ(rem_u, b ? (u)((uwide)a % b) : 0);                                                \
    }                                                                                              \
    TEST(T##_division) {                                                                           \
        INTEGERS(COUNT_OF(ref_integers)) T##_division((u)ref_integers[m], (u)ref_integers[n]);     \
    }

INTEGER_TESTS(i32, uint32_t, int32_t, 32)
INTEGER_TESTS(i64, uint64_t, int64_t, 64)

TEST(integer_conversions) {
    ONE(i32_wrap_i64, uint64_t, uint64_t, (uint32_t)(x & 0xFFFFFFFF))
    ONE(i64_extend_i32_u, uint32_t, uint32_t, (uint64_t)x)
    ONE(i64_extend_i32_s, uint32_t, int32_t, (uint64_t)x)
    ONE(i64_extend32_s, uint64_t, int32_t, (uint64_t)x)
}

TEST(integer_loads) {
    CHECK_EQ(sem_i32_load8_s(-1), 0xFFFFFFFF);
    CHECK_EQ(sem_i32_load8_s(INT8_MIN), 0xFFFFFF80);
    CHECK_EQ(sem_i32_load8_u(0x80), 0x80);
    CHECK_EQ(sem_i32_load16_s(INT16_MIN), 0xFFFF8000);
    CHECK_EQ(sem_i32_load16_u(0x8000), 0x8000);
    CHECK_EQ(sem_i64_load8_s(INT8_MIN), 0xFFFFFFFFFFFFFF80);
    CHECK_EQ(sem_i64_load8_u(0xFF), 0xFF);
    CHECK_EQ(sem_i64_load16_s(-2), 0xFFFFFFFFFFFFFFFE);
    CHECK_EQ(sem_i64_load16_u(0xFFFE), 0xFFFE);
    CHECK_EQ(sem_i64_load32_s(INT32_MIN), 0xFFFFFFFF80000000);
    CHECK_EQ(sem_i64_load32_u(0x80000000), 0x80000000);
}

TEST(wide_arithmetic) {
    INTEGERS(COUNT_OF(ref_integers)) {
        uint64_t a = ref_integers[m], b = ref_random(), c = ref_integers[n], d = ref_random(), low, high;
        uwide sum = (((uwide)b << 64) | a) + (((uwide)d << 64) | c);
        sem_i64_add128(a, b, c, d, &low, &high);
        CHECK(low == (uint64_t)sum && high == (uint64_t)(sum >> 64));
        uwide difference = (((uwide)b << 64) | a) - (((uwide)d << 64) | c);
        sem_i64_sub128(a, b, c, d, &low, &high);
        CHECK(low == (uint64_t)difference && high == (uint64_t)(difference >> 64));
        b = c;
        uwide product = (uwide)a * b;
        sem_i64_mul_wide_u(a, b, &low, &high);
        CHECK(low == (uint64_t)product && high == (uint64_t)(product >> 64));
        wide signed_product = (wide)(int64_t)a * (int64_t)b;
        sem_i64_mul_wide_s(a, b, &low, &high);
        CHECK(low == (uint64_t)signed_product && high == (uint64_t)((uwide)signed_product >> 64));
    }
}

/* ---------------------------------------------------------------- floats */

/* Pairs of edges: x and y as bits, a and b as floats. `want` is in bits. */
#define FLOAT_PAIR(ident, w, type, want)                                                           \
    for (unsigned m = 0; m < REF_F##w##_COUNT; m++) {                                              \
        for (unsigned n = 0; n < REF_F##w##_COUNT; n++) {                                          \
            uint##w##_t x = ref_f##w##_edge(m), y = ref_f##w##_edge(n);                            \
            type a = ref_f##w(x), b = ref_f##w(y);                                                 \
            CHECK(ref_same##w(ref_u##w(sem_##ident(a, b)), (want)));                               \
        }                                                                                          \
    }
/* The same where bits must be exact, NaNs too. */
#define FLOAT_BITS(ident, w, result, want)                                                         \
    for (unsigned m = 0; m < REF_F##w##_COUNT; m++) {                                              \
        for (unsigned n = 0; n < REF_F##w##_COUNT; n++) {                                          \
            uint##w##_t x = ref_f##w##_edge(m), y = ref_f##w##_edge(n);                            \
            CHECK_EQ(result(sem_##ident(ref_f##w(x), ref_f##w(y))), (want));                       \
        }                                                                                          \
    }
#define FLOAT_ONE(ident, w, want)                                                                  \
    for (unsigned m = 0; m < REF_F##w##_COUNT; m++) {                                              \
        uint##w##_t x = ref_f##w##_edge(m);                                                        \
        CHECK_EQ(ref_u##w(sem_##ident(ref_f##w(x))), (want));                                      \
    }

#define FLOAT_TESTS(T, w, type, wider, sqrt)                                                       \
    TEST(T##_compare) {                                                                            \
        FLOAT_BITS(T##_eq, w, (uint32_t), (uint32_t)ref_equal##w(x, y))                            \
        FLOAT_BITS(T##_ne, w, (uint32_t), (uint32_t)!ref_equal##w(x, y))                           \
        FLOAT_BITS(T##_lt, w, (uint32_t), (uint32_t)ref_less##w(x, y))                             \
        FLOAT_BITS(T##_gt, w, (uint32_t), (uint32_t)ref_less##w(y, x))                             \
        FLOAT_BITS(T##_le, w, (uint32_t), (uint32_t)(ref_less##w(x, y) || ref_equal##w(x, y)))     \
        FLOAT_BITS(T##_ge, w, (uint32_t), (uint32_t)(ref_less##w(y, x) || ref_equal##w(x, y)))     \
    }                                                                                              \
    TEST(T##_bits) {                                                                               \
        uint##w##_t top = (uint##w##_t)1 << (w - 1);                                               \
        FLOAT_ONE(T##_abs, w, x & ~top)                                                            \
        FLOAT_ONE(T##_neg, w, x ^ top)                                                             \
        FLOAT_BITS(T##_copysign, w, ref_u##w, (x & ~top) | (y & top))                              \
    }                                                                                              \
    TEST(T##_min_max) {                                                                            \
        FLOAT_BITS(T##_min, w, ref_u##w, ref_min##w(x, y))                                         \
        FLOAT_BITS(T##_max, w, ref_u##w, ref_max##w(x, y))                                         \
    }                                                                                              \
    TEST(T##_round) {                                                                              \
        FLOAT_ONE(T##_ceil, w, ref_ceil##w(x))                                                     \
        FLOAT_ONE(T##_floor, w, ref_floor##w(x))                                                   \
        FLOAT_ONE(T##_trunc, w, ref_trunc##w(x))                                                   \
        FLOAT_ONE(T##_nearest, w, ref_nearest##w(x))                                               \
        for (unsigned n = 0; n < 100000; n++) {                                                    \
            uint##w##_t x = (uint##w##_t)ref_random();                                             \
            type a = n & 1 ? ref_f##w(x) : (type)((int32_t)x % 4000) / 8;                          \
            x = ref_u##w(a);                                                                       \
            CHECK_EQ(ref_u##w(sem_##T##_ceil(a)), ref_ceil##w(x));                                 \
            CHECK_EQ(ref_u##w(sem_##T##_floor(a)), ref_floor##w(x));                               \
            CHECK_EQ(ref_u##w(sem_##T##_trunc(a)), ref_trunc##w(x));                               \
            CHECK_EQ(ref_u##w(sem_##T##_nearest(a)), ref_nearest##w(x));                           \
        }                                                                                          \
    }                                                                                              \
    TEST(T##_arithmetic) {                                                                         \
        FLOAT_PAIR(T##_add, w, type, ref_u##w((type)((wider)a + b)))                               \
        FLOAT_PAIR(T##_sub, w, type, ref_u##w((type)((wider)a - b)))                               \
        FLOAT_PAIR(T##_mul, w, type, ref_u##w((type)((wider)a * b)))                               \
        FLOAT_PAIR(T##_div, w, type, ref_u##w((type)((wider)a / b)))                               \
        for (unsigned m = 0; m < REF_F##w##_COUNT; m++) {                                          \
            type a = ref_f##w(ref_f##w##_edge(m));                                                 \
            CHECK(ref_same##w(ref_u##w(sem_##T##_sqrt(a)), ref_u##w((type)sqrt(a))));              \
        }                                                                                          \
    }

/* f32 in double is rounded once in effect; f64 has nothing wider that is, so there the operators
 * themselves must do, and the next test. */
FLOAT_TESTS(f32, 32, float, double, sqrt)
FLOAT_TESTS(f64, 64, double, double, sqrt)

TEST(f64_arithmetic_known) {
    CHECK_EQ(ref_u64(sem_f64_add(1, 0x1p-53)), 0x3FF0000000000000);
    CHECK_EQ(ref_u64(sem_f64_add(1, 0x1.8p-53)), 0x3FF0000000000001);
    CHECK_EQ(ref_u64(sem_f64_sub(0x1p53, 0.75)), 0x433FFFFFFFFFFFFF);
    CHECK_EQ(ref_u64(sem_f64_mul(0x1.0000000000001p0, 0x1.0000000000001p0)), 0x3FF0000000000002);
    CHECK_EQ(ref_u64(sem_f64_mul(0x1p-1074, 0.5)), 0);
    CHECK_EQ(ref_u64(sem_f64_mul(0x1p-1074, 0.75)), 1);
    CHECK_EQ(ref_u64(sem_f64_div(1, 3)), 0x3FD5555555555555);
    CHECK_EQ(ref_u64(sem_f64_div(-1, 0)), 0xFFF0000000000000);
    CHECK_EQ(ref_u64(sem_f64_sqrt(2)), 0x3FF6A09E667F3BCD);
    CHECK_EQ(ref_u64(sem_f64_sqrt(-0.0)), 0x8000000000000000);
    CHECK(ref_same64(ref_u64(sem_f64_sqrt(-1)), 0x7FF8000000000000));
    CHECK(ref_same64(ref_u64(sem_f64_sub(INFINITY, INFINITY)), 0x7FF8000000000000));
    CHECK(ref_same64(ref_u64(sem_f64_mul(INFINITY, 0)), 0x7FF8000000000000));
    CHECK(ref_same64(ref_u64(sem_f64_div(0, 0)), 0x7FF8000000000000));
}

TEST(float_conversions) {
    for (unsigned n = 0; n < REF_F64_COUNT; n++) {
        uint64_t x = ref_f64_edge(n);
        CHECK(ref_same32(ref_u32(sem_f32_demote_f64(ref_f64(x))), ref_demote(x)));
        CHECK_EQ(ref_u64(sem_f64_reinterpret_i64(x)), x);
        CHECK_EQ(sem_i64_reinterpret_f64(ref_f64(x)), x);
        CHECK_EQ(ref_u64(sem_f64_load(x)), x);
    }
    for (unsigned n = 0; n < 100000; n++) {
        uint64_t x = ref_random();
        if (n & 1) x = (x & 0x800FFFFFFFFFFFFF) | (uint64_t)(1023 - 160 + ref_random() % 300) << 52;
        CHECK(ref_same32(ref_u32(sem_f32_demote_f64(ref_f64(x))), ref_demote(x)));
    }
    for (unsigned n = 0; n < REF_F32_COUNT; n++) {
        uint32_t x = ref_f32_edge(n);
        uint64_t wide_bits = ref_u64(sem_f64_promote_f32(ref_f32(x)));
        if (ref_is_nan32(x)) CHECK(ref_is_nan64(wide_bits) && (wide_bits >> 51 & 1));
        else CHECK_EQ(ref_demote(wide_bits), x);
        CHECK_EQ(ref_u32(sem_f32_reinterpret_i32(x)), x);
        CHECK_EQ(sem_i32_reinterpret_f32(ref_f32(x)), x);
        CHECK_EQ(ref_u32(sem_f32_load(x)), x);
    }
    CHECK_EQ(ref_u64(sem_f64_promote_f32(0x1p-149f)), 0x36A0000000000000);
    CHECK_EQ(ref_u64(sem_f64_promote_f32(-1.5f)), 0xBFF8000000000000);
}

static void check_from_integer(uint64_t x) {
    int64_t s64 = (int64_t)x;
    int32_t s32 = (int32_t)x;
    uint32_t u32 = (uint32_t)x;
    uint64_t size64 = s64 < 0 ? -x : x, size32 = s32 < 0 ? -(uint64_t)(int64_t)s32 : (uint64_t)s32;
    CHECK_EQ(ref_u32(sem_f32_convert_i32_s(u32)), ref_u32((float)ref_from_integer(size32, s32 < 0, 24)));
    CHECK_EQ(ref_u32(sem_f32_convert_i32_u(u32)), ref_u32((float)ref_from_integer(u32, 0, 24)));
    CHECK_EQ(ref_u32(sem_f32_convert_i64_s(x)), ref_u32((float)ref_from_integer(size64, s64 < 0, 24)));
    CHECK_EQ(ref_u32(sem_f32_convert_i64_u(x)), ref_u32((float)ref_from_integer(x, 0, 24)));
    CHECK_EQ(ref_u64(sem_f64_convert_i32_s(u32)), ref_u64(ref_from_integer(size32, s32 < 0, 53)));
    CHECK_EQ(ref_u64(sem_f64_convert_i32_u(u32)), ref_u64(ref_from_integer(u32, 0, 53)));
    CHECK_EQ(ref_u64(sem_f64_convert_i64_s(x)), ref_u64(ref_from_integer(size64, s64 < 0, 53)));
    CHECK_EQ(ref_u64(sem_f64_convert_i64_u(x)), ref_u64(ref_from_integer(x, 0, 53)));
}

TEST(floats_from_integers) {
    for (unsigned n = 0; n < COUNT_OF(ref_integers); n++) check_from_integer(ref_integers[n]);
    for (unsigned bit = 0; bit < 64; bit++) {
        for (unsigned low = 0; low < 64; low++) {
            check_from_integer((uint64_t)1 << bit | (uint64_t)1 << low);
            check_from_integer(((uint64_t)1 << bit) + ((uint64_t)3 << low));
            check_from_integer(((uint64_t)1 << bit) - ((uint64_t)1 << low) + 1);
        }
    }
    for (unsigned n = 0; n < 10000; n++) check_from_integer(ref_random() >> (n & 63));
}

/* One float through a trapping conversion and its saturating one. */
#define CHECK_TRUNC(to, from, sign, a, x, is_signed, bits)                                         \
    do {                                                                                           \
        static const uint32_t traps[4] = {0, MOTE_TRAP_INTEGER_OVERFLOW, MOTE_TRAP_INTEGER_OVERFLOW, \
                                          MOTE_TRAP_INVALID_CONVERSION};                           \
        uint64_t want = 0;                                                                         \
        int outcome = ref_to_integer(x, is_signed, bits, &want);                                   \
        uint32_t trap = 0;                                                                         \
        CHECK_EQ(sem_##to##_trunc_##from##_##sign(a, &trap), outcome ? 0 : want);                  \
        CHECK_EQ(trap, traps[outcome]);                                                            \
        CHECK_EQ(sem_##to##_trunc_sat_##from##_##sign(a), ref_saturate(x, is_signed, bits));       \
    } while (0)
#define CHECK_TRUNCS(from, a, x)                                                                   \
    do {                                                                                           \
        CHECK_TRUNC(i32, from, s, a, x, 1, 32);                                                    \
        CHECK_TRUNC(i32, from, u, a, x, 0, 32);                                                    \
        CHECK_TRUNC(i64, from, s, a, x, 1, 64);                                                    \
        CHECK_TRUNC(i64, from, u, a, x, 0, 64);                                                    \
    } while (0)

TEST(integers_from_floats) {
    for (unsigned n = 0; n < REF_F32_COUNT; n++) {
        float a = ref_f32(ref_f32_edge(n));
        CHECK_TRUNCS(f32, a, ref_u64((double)a));
    }
    for (unsigned n = 0; n < REF_F64_COUNT; n++) {
        uint64_t x = ref_f64_edge(n);
        CHECK_TRUNCS(f64, ref_f64(x), x);
    }
    for (unsigned n = 0; n < 20000; n++) {
        uint64_t x = (ref_random() & 0x800FFFFFFFFFFFFF) | (uint64_t)(1023 - 3 + ref_random() % 70) << 52;
        float a = (float)ref_f64(x);
        CHECK_TRUNCS(f64, ref_f64(x), x);
        CHECK_TRUNCS(f32, a, ref_u64((double)a));
    }
}
