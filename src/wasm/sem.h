/* sem.h - what each scalar instruction computes (core spec, "Execution / Numerics"): one function
 * sem_IDENT per row of ops.def whose kind is PURE, TRAPS, WIDE or LOAD. The interpreter, the
 * folding of constants, the slow paths of the compilers and their tests all call these.
 * Values: i32 is uint32_t, i64 is uint64_t, f32 is float, f64 is double; signed views exist inside
 * an expression only.
 * Keeps: no undefined behaviour for any operand; a NaN result of an arithmetic operation is quiet,
 * one of min and max canonical; moves of bits (abs, neg, copysign, reinterpret, loads) never touch
 * a payload; *trap is written only when the operation traps, and the result is 0 then.
 * Must be compiled without -ffast-math and with -ffp-contract=off. */
#ifndef MOTE_WASM_SEM_H
#define MOTE_WASM_SEM_H

#include "wasm/sem_cpu.h"
#include "wasm/trap.h"

#include <assert.h>
#include <float.h>
#include <stdint.h>

static_assert(FLT_EVAL_METHOD == 0, "floats must be computed in their own precision, not the x87's");

/* A function of one or of two operands of one type, with the operands called a and b. */
#define SEM1(ident, result, type, expr)                                                            \
    static inline result sem_##ident(type a) { return expr; }
#define SEM2(ident, result, type, expr)                                                            \
    static inline result sem_##ident(type a, type b) { return expr; }

/* What i32 and i64 have in common: `u` and `s` are the unsigned and signed C types, `bits` their width. */
#define SEM_INTEGER(T, u, s, bits)                                                                 \
    SEM1(T##_eqz, uint32_t, u, a == 0)                                                             \
    SEM2(T##_eq, uint32_t, u, a == b)                                                              \
    SEM2(T##_ne, uint32_t, u, a != b)                                                              \
    SEM2(T##_lt_s, uint32_t, u, (s)a < (s)b)                                                       \
    SEM2(T##_lt_u, uint32_t, u, a < b)                                                             \
    SEM2(T##_gt_s, uint32_t, u, (s)a > (s)b)                                                       \
    SEM2(T##_gt_u, uint32_t, u, a > b)                                                             \
    SEM2(T##_le_s, uint32_t, u, (s)a <= (s)b)                                                      \
    SEM2(T##_le_u, uint32_t, u, a <= b)                                                            \
    SEM2(T##_ge_s, uint32_t, u, (s)a >= (s)b)                                                      \
    SEM2(T##_ge_u, uint32_t, u, a >= b)                                                            \
    SEM2(T##_add, u, u, a + b)                                                                     \
    SEM2(T##_sub, u, u, a - b)                                                                     \
    SEM2(T##_mul, u, u, a * b)                                                                     \
    SEM2(T##_and, u, u, a & b)                                                                     \
    SEM2(T##_or, u, u, a | b)                                                                      \
    SEM2(T##_xor, u, u, a ^ b)                                                                     \
    SEM2(T##_shl, u, u, a << (b & (bits - 1)))                                                     \
    SEM2(T##_shr_s, u, u, (u)((s)a >> (b & (bits - 1))))                                           \
    SEM2(T##_shr_u, u, u, a >> (b & (bits - 1)))                                                   \
    SEM2(T##_rotl, u, u, a << (b & (bits - 1)) | a >> (-b & (bits - 1)))                           \
    SEM2(T##_rotr, u, u, a >> (b & (bits - 1)) | a << (-b & (bits - 1)))                           \
    SEM1(T##_extend8_s, u, u, (u)(s)(int8_t)a)                                                     \
    SEM1(T##_extend16_s, u, u, (u)(s)(int16_t)a)                                                   \
    SEM1(T##_load8_s, u, int8_t, (u)(s)a)                                                          \
    SEM1(T##_load8_u, u, uint8_t, a)                                                               \
    SEM1(T##_load16_s, u, int16_t, (u)(s)a)                                                        \
    SEM1(T##_load16_u, u, uint16_t, a)                                                             \
    SEM1(T##_load, u, u, a)                                                                        \
    static inline u sem_##T##_div_u(u a, u b, uint32_t *trap) {                                    \
        if (b != 0) return a / b;                                                                  \
        *trap = MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO;                                                  \
        return 0;                                                                                  \
    }                                                                                              \
    static inline u sem_##T##_rem_u(u a, u b, uint32_t *trap) {                                    \
        if (b != 0) return a % b;                                                                  \
        *trap = MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO;                                                  \
        return 0;                                                                                  \
    }                                                                                              \
    static inline u sem_##T##_div_s(u a, u b, uint32_t *trap) {                                    \
        bool overflows = a == (u)1 << (bits - 1) && b == (u)-1;                                    \
        if (b != 0 && !overflows) return (u)((s)a / (s)b);                                         \
        *trap = b == 0 ? MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO : MOTE_TRAP_INTEGER_OVERFLOW;            \
        return 0;                                                                                  \
    }                                                                                              \
    static inline u sem_##T##_rem_s(u a, u b, uint32_t *trap) {                                    \
        if (b != 0) return b == (u)-1 ? 0 : (u)((s)a % (s)b);                                      \
        *trap = MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO;                                                  \
        return 0;                                                                                  \
    }

SEM_INTEGER(i32, uint32_t, int32_t, 32)
SEM_INTEGER(i64, uint64_t, int64_t, 64)

SEM1(i32_clz, uint32_t, uint32_t, a == 0 ? 32 : (uint32_t)__builtin_clz(a))
SEM1(i64_clz, uint64_t, uint64_t, a == 0 ? 64 : (uint64_t)__builtin_clzll(a))
SEM1(i32_ctz, uint32_t, uint32_t, a == 0 ? 32 : (uint32_t)__builtin_ctz(a))
SEM1(i64_ctz, uint64_t, uint64_t, a == 0 ? 64 : (uint64_t)__builtin_ctzll(a))

/* Sums of neighbouring bits, pairs, nibbles, then bytes: a builtin would call libgcc where the
 * machine has no such instruction, and compilers know this form where it has. */
static inline uint64_t sem_i64_popcnt(uint64_t a) {
    a -= a >> 1 & UINT64_C(0x5555555555555555);
    a = (a & UINT64_C(0x3333333333333333)) + (a >> 2 & UINT64_C(0x3333333333333333));
    a = (a + (a >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return a * UINT64_C(0x0101010101010101) >> 56;
}

static inline uint32_t sem_i32_popcnt(uint32_t a) {
    a -= a >> 1 & 0x55555555u;
    a = (a & 0x33333333u) + (a >> 2 & 0x33333333u);
    a = (a + (a >> 4)) & 0x0F0F0F0Fu;
    return a * 0x01010101u >> 24;
}

SEM1(i32_wrap_i64, uint32_t, uint64_t, (uint32_t)a)
SEM1(i64_extend_i32_s, uint64_t, uint32_t, (uint64_t)(int32_t)a)
SEM1(i64_extend_i32_u, uint64_t, uint32_t, a)
SEM1(i64_extend32_s, uint64_t, uint64_t, (uint64_t)(int32_t)a)
SEM1(i64_load32_s, uint64_t, int32_t, (uint64_t)a)
SEM1(i64_load32_u, uint64_t, uint32_t, a)

/* What f32 and f64 have in common. Zeros compare equal, so min and max join their signs; a NaN
 * operand gives the canonical NaN `nan`. */
#define SEM_FLOAT(T, type, u, nan)                                                                 \
    SEM2(T##_eq, uint32_t, type, a == b)                                                           \
    SEM2(T##_ne, uint32_t, type, a != b)                                                           \
    SEM2(T##_lt, uint32_t, type, a < b)                                                            \
    SEM2(T##_gt, uint32_t, type, a > b)                                                            \
    SEM2(T##_le, uint32_t, type, a <= b)                                                           \
    SEM2(T##_ge, uint32_t, type, a >= b)                                                           \
    SEM1(T##_abs, type, type, mote__##T##_copysign(a, 0))                                          \
    SEM1(T##_neg, type, type,                                                                      \
         mote__##T##_of_bits(mote__##T##_bits(a) ^ (u)1 << (sizeof(u) * 8 - 1)))                   \
    SEM1(T##_ceil, type, type, mote__##T##_ceil(a))                                                \
    SEM1(T##_floor, type, type, mote__##T##_floor(a))                                              \
    SEM1(T##_trunc, type, type, mote__##T##_trunc(a))                                              \
    SEM1(T##_nearest, type, type, mote__##T##_nearest(a))                                          \
    SEM1(T##_sqrt, type, type, mote__##T##_sqrt(a))                                                \
    SEM2(T##_add, type, type, a + b)                                                               \
    SEM2(T##_sub, type, type, a - b)                                                               \
    SEM2(T##_mul, type, type, a * b)                                                               \
    SEM2(T##_div, type, type, a / b)                                                               \
    SEM2(T##_copysign, type, type, mote__##T##_copysign(a, b))                                     \
    SEM1(T##_load, type, u, mote__##T##_of_bits(a))                                                \
    static inline type sem_##T##_min(type a, type b) {                                             \
        if (a == b) return mote__##T##_of_bits(mote__##T##_bits(a) | mote__##T##_bits(b));         \
        if (a != a || b != b) return mote__##T##_of_bits(nan);                                     \
        return a < b ? a : b;                                                                      \
    }                                                                                              \
    static inline type sem_##T##_max(type a, type b) {                                             \
        if (a == b) return mote__##T##_of_bits(mote__##T##_bits(a) & mote__##T##_bits(b));         \
        if (a != a || b != b) return mote__##T##_of_bits(nan);                                     \
        return a > b ? a : b;                                                                      \
    }

SEM_FLOAT(f32, float, uint32_t, UINT32_C(0x7FC00000))
SEM_FLOAT(f64, double, uint64_t, UINT64_C(0x7FF8000000000000))

/* Float to integer `to`: sem_TO_trunc_FROM_SIGN traps, sem_TO_trunc_sat_FROM_SIGN saturates.
 * `above` and `below` say that `a` is in range; the integer type `c` is the one of that signedness,
 * and lo and hi its bounds. */
#define SEM_TRUNC(to, from, sign, u, c, type, above, below, lo, hi)                                \
    static inline u sem_##to##_trunc_##from##_##sign(type a, uint32_t *trap) {                     \
        if (a above && a below) return (u)(c)a;                                                    \
        *trap = a != a ? MOTE_TRAP_INVALID_CONVERSION : MOTE_TRAP_INTEGER_OVERFLOW;                \
        return 0;                                                                                  \
    }                                                                                              \
    static inline u sem_##to##_trunc_sat_##from##_##sign(type a) {                                 \
        if (a above && a below) return (u)(c)a;                                                    \
        if (a != a) return 0;                                                                      \
        return a < 0 ? (u)(lo) : (u)(hi);                                                          \
    }

/* clang-format off */
SEM_TRUNC(i32, f32, s, uint32_t, int32_t,  float,  >= -0x1p31f,      < 0x1p31f, INT32_MIN, INT32_MAX)
SEM_TRUNC(i32, f32, u, uint32_t, uint32_t, float,  > -1.0f,          < 0x1p32f, 0,         UINT32_MAX)
SEM_TRUNC(i32, f64, s, uint32_t, int32_t,  double, > -0x1p31 - 1.0,  < 0x1p31,  INT32_MIN, INT32_MAX)
SEM_TRUNC(i32, f64, u, uint32_t, uint32_t, double, > -1.0,           < 0x1p32,  0,         UINT32_MAX)
SEM_TRUNC(i64, f32, s, uint64_t, int64_t,  float,  >= -0x1p63f,      < 0x1p63f, INT64_MIN, INT64_MAX)
SEM_TRUNC(i64, f32, u, uint64_t, uint64_t, float,  > -1.0f,          < 0x1p64f, 0,         UINT64_MAX)
SEM_TRUNC(i64, f64, s, uint64_t, int64_t,  double, >= -0x1p63,       < 0x1p63,  INT64_MIN, INT64_MAX)
SEM_TRUNC(i64, f64, u, uint64_t, uint64_t, double, > -1.0,           < 0x1p64,  0,         UINT64_MAX)
/* clang-format on */

SEM1(f32_convert_i32_s, float, uint32_t, (float)(int32_t)a)
SEM1(f32_convert_i32_u, float, uint32_t, (float)a)
SEM1(f32_convert_i64_s, float, uint64_t, (float)(int64_t)a)
SEM1(f32_convert_i64_u, float, uint64_t, (float)a)
SEM1(f64_convert_i32_s, double, uint32_t, (double)(int32_t)a)
SEM1(f64_convert_i32_u, double, uint32_t, (double)a)
SEM1(f64_convert_i64_s, double, uint64_t, (double)(int64_t)a)
SEM1(f64_convert_i64_u, double, uint64_t, (double)a)
SEM1(f32_demote_f64, float, double, mote__f32_quiet((float)a))
SEM1(f64_promote_f32, double, float, mote__f64_quiet((double)a))
SEM1(i32_reinterpret_f32, uint32_t, float, mote__f32_bits(a))
SEM1(i64_reinterpret_f64, uint64_t, double, mote__f64_bits(a))
SEM1(f32_reinterpret_i32, float, uint32_t, mote__f32_of_bits(a))
SEM1(f64_reinterpret_i64, double, uint64_t, mote__f64_of_bits(a))

/* Wide arithmetic: 128-bit numbers as two i64, the low one first. */
static inline void sem_i64_add128(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
                                  uint64_t *low, uint64_t *high) {
    uint64_t sum = a_low + b_low;
    *high = a_high + b_high + (sum < a_low);
    *low = sum;
}

static inline void sem_i64_sub128(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high,
                                  uint64_t *low, uint64_t *high) {
    *high = a_high - b_high - (a_low < b_low);
    *low = a_low - b_low;
}

#if defined(__SIZEOF_INT128__)
static inline void sem_i64_mul_wide_u(uint64_t a, uint64_t b, uint64_t *low, uint64_t *high) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    *low = (uint64_t)product;
    *high = (uint64_t)(product >> 64);
}
#else
static inline void sem_i64_mul_wide_u(uint64_t a, uint64_t b, uint64_t *low, uint64_t *high) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t carry = a0 * b1 + (uint32_t)middle;
    *high = a1 * b1 + (middle >> 32) + (carry >> 32);
    *low = a * b;
}
#endif

/* A negative operand counts 2^64 too much as an unsigned one, so the high half is that many times
 * the other operand too large. */
static inline void sem_i64_mul_wide_s(uint64_t a, uint64_t b, uint64_t *low, uint64_t *high) {
    sem_i64_mul_wide_u(a, b, low, high);
    *high -= ((int64_t)a < 0 ? b : 0) + ((int64_t)b < 0 ? a : 0);
}

#undef SEM_INTEGER
#undef SEM_FLOAT
#undef SEM_TRUNC
#undef SEM1
#undef SEM2

#endif
