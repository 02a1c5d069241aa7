/* reference.h - what each computing row of ops.def gives by its sem_ function: one evaluator per row, made from the row. A new row needs nothing
 * here unless its signature is new: then one line among the SIG_x. */
#ifndef MOTE_TESTS_DIFF_REFERENCE_H
#define MOTE_TESTS_DIFF_REFERENCE_H

#include "wasm/op.h"
#include "wasm/sem_atomic.h"
#include "wasm/sem_simd.h"

#include <stdalign.h>

/* An operand or a result, by letter. */
typedef union reference_value {
    uint32_t i;
    uint64_t I;
    float f;
    double F;
    mote__v128 v;
    uint64_t slots[2];
} reference_value;

struct reference_job {
    reference_value in[4];   /* without the address */
    const uint8_t *lanes;    /* immediate: one lane, or 16 */
    reference_value out[2];
    uint32_t trap;
    alignas(16) uint8_t memory[16]; /* what the access sees and leaves */
};

/* The call that a signature stands for; what follows are further arguments, with their comma. */
#define IN(n, letter) job->in[n].letter
#define SIG1(a, r, fn, ...) job->out[0].r = fn(IN(0, a) __VA_ARGS__)
#define SIG2(a, b, r, fn, ...) job->out[0].r = fn(IN(0, a), IN(1, b) __VA_ARGS__)
#define SIG3(a, b, c, r, fn, ...) job->out[0].r = fn(IN(0, a), IN(1, b), IN(2, c) __VA_ARGS__)
#define SIG_i_i(fn, ...) SIG1(i, i, fn, __VA_ARGS__)
#define SIG_i_I(fn, ...) SIG1(i, I, fn, __VA_ARGS__)
#define SIG_i_f(fn, ...) SIG1(i, f, fn, __VA_ARGS__)
#define SIG_i_F(fn, ...) SIG1(i, F, fn, __VA_ARGS__)
#define SIG_i_v(fn, ...) SIG1(i, v, fn, __VA_ARGS__)
#define SIG_I_i(fn, ...) SIG1(I, i, fn, __VA_ARGS__)
#define SIG_I_I(fn, ...) SIG1(I, I, fn, __VA_ARGS__)
#define SIG_I_f(fn, ...) SIG1(I, f, fn, __VA_ARGS__)
#define SIG_I_F(fn, ...) SIG1(I, F, fn, __VA_ARGS__)
#define SIG_I_v(fn, ...) SIG1(I, v, fn, __VA_ARGS__)
#define SIG_f_i(fn, ...) SIG1(f, i, fn, __VA_ARGS__)
#define SIG_f_I(fn, ...) SIG1(f, I, fn, __VA_ARGS__)
#define SIG_f_f(fn, ...) SIG1(f, f, fn, __VA_ARGS__)
#define SIG_f_F(fn, ...) SIG1(f, F, fn, __VA_ARGS__)
#define SIG_f_v(fn, ...) SIG1(f, v, fn, __VA_ARGS__)
#define SIG_F_i(fn, ...) SIG1(F, i, fn, __VA_ARGS__)
#define SIG_F_I(fn, ...) SIG1(F, I, fn, __VA_ARGS__)
#define SIG_F_f(fn, ...) SIG1(F, f, fn, __VA_ARGS__)
#define SIG_F_F(fn, ...) SIG1(F, F, fn, __VA_ARGS__)
#define SIG_F_v(fn, ...) SIG1(F, v, fn, __VA_ARGS__)
#define SIG_v_i(fn, ...) SIG1(v, i, fn, __VA_ARGS__)
#define SIG_v_I(fn, ...) SIG1(v, I, fn, __VA_ARGS__)
#define SIG_v_f(fn, ...) SIG1(v, f, fn, __VA_ARGS__)
#define SIG_v_F(fn, ...) SIG1(v, F, fn, __VA_ARGS__)
#define SIG_v_v(fn, ...) SIG1(v, v, fn, __VA_ARGS__)
#define SIG_ii_i(fn, ...) SIG2(i, i, i, fn, __VA_ARGS__)
#define SIG_II_i(fn, ...) SIG2(I, I, i, fn, __VA_ARGS__)
#define SIG_II_I(fn, ...) SIG2(I, I, I, fn, __VA_ARGS__)
#define SIG_ff_i(fn, ...) SIG2(f, f, i, fn, __VA_ARGS__)
#define SIG_ff_f(fn, ...) SIG2(f, f, f, fn, __VA_ARGS__)
#define SIG_FF_i(fn, ...) SIG2(F, F, i, fn, __VA_ARGS__)
#define SIG_FF_F(fn, ...) SIG2(F, F, F, fn, __VA_ARGS__)
#define SIG_vi_v(fn, ...) SIG2(v, i, v, fn, __VA_ARGS__)
#define SIG_vI_v(fn, ...) SIG2(v, I, v, fn, __VA_ARGS__)
#define SIG_vf_v(fn, ...) SIG2(v, f, v, fn, __VA_ARGS__)
#define SIG_vF_v(fn, ...) SIG2(v, F, v, fn, __VA_ARGS__)
#define SIG_vv_v(fn, ...) SIG2(v, v, v, fn, __VA_ARGS__)
#define SIG_vvv_v(fn, ...) SIG3(v, v, v, v, fn, __VA_ARGS__)
#define SIG_II_II(fn, ...) fn(IN(0, I), IN(1, I), &job->out[0].I, &job->out[1].I)
#define SIG_IIII_II(fn, ...) fn(IN(0, I), IN(1, I), IN(2, I), IN(3, I), &job->out[0].I, &job->out[1].I)

/* The result of a load, and the value that an atomic access takes and gives. */
#define RESULT__i job->out[0].i
#define RESULT__I job->out[0].I
#define RESULT__f job->out[0].f
#define RESULT__F job->out[0].F
#define RESULT__v job->out[0].v
#define VALUE_i_(n) job->in[n].i
#define VALUE_I_(n) job->in[n].I
#define VALUE_i_i(n) job->in[n].i
#define VALUE_I_I(n) job->in[n].I
#define VALUE_ii_i(n) job->in[n].i
#define VALUE_II_I(n) job->in[n].I
#define GIVEN_i_i job->out[0].i
#define GIVEN_I_I job->out[0].I
#define GIVEN_ii_i job->out[0].i
#define GIVEN_II_I job->out[0].I

/* What a row does, by kind. */
#define JOB_PURE(ident, sig, mem) SIG_##sig(sem_##ident, )
#define JOB_TRAPS(ident, sig, mem) SIG_##sig(sem_##ident, REFERENCE_TRAP)
#define JOB_WIDE(ident, sig, mem) SIG_##sig(sem_##ident, )
#define JOB_LANE(ident, sig, mem) SIG_##sig(sem_##ident, REFERENCE_LANE)
#define JOB_SHUFFLE(ident, sig, mem) SIG_##sig(sem_##ident, REFERENCE_LANES)
#define REFERENCE_TRAP , &job->trap
#define REFERENCE_LANE , *job->lanes
#define REFERENCE_LANES , job->lanes
#define JOB_LOAD(ident, sig, mem)                                                                  \
    mem x;                                                                                         \
    memcpy(&x, job->memory, sizeof x);                                                             \
    RESULT_##sig = sem_##ident(x)
#define JOB_STORE(ident, sig, mem) memcpy(job->memory, &job->in[0], sizeof(mem))
#define JOB_LOAD_LANE(ident, sig, mem)                                                             \
    mem x;                                                                                         \
    memcpy(&x, job->memory, sizeof x);                                                             \
    job->out[0].v = sem_##ident(job->in[0].v, *job->lanes, x)
#define JOB_STORE_LANE(ident, sig, mem)                                                            \
    mem x = sem_##ident(job->in[0].v, *job->lanes);                                                \
    memcpy(job->memory, &x, sizeof x)
#define JOB_ATOMIC_LOAD(ident, sig, mem) RESULT_##sig = sem_##ident((const mem *)job->memory)
#define JOB_ATOMIC_STORE(ident, sig, mem) sem_##ident((mem *)job->memory, VALUE_##sig(0))
#define JOB_ATOMIC_RMW(ident, sig, mem) GIVEN_##sig = sem_##ident((mem *)job->memory, VALUE_##sig(0))
#define JOB_ATOMIC_CMPXCHG(ident, sig, mem) GIVEN_##sig = sem_##ident((mem *)job->memory, VALUE_##sig(0), VALUE_##sig(1))
#define JOB_CONTROL(ident, sig, mem) (void)job

#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature)                                \
    static void reference_##ident(struct reference_job *job) { JOB_##kind(ident, sig, mem); }
#include "wasm/ops.def"
#undef OP

/* Fills in `out`, `trap` and `memory`. */
static void (*const reference_of[OP_COUNT])(struct reference_job *job) = {
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) reference_##ident,
#include "wasm/ops.def"
#undef OP
};

/* ---------------------------------------------------------------- NaNs */

/* The type of the lanes in which the specification leaves open which NaN the result is, 0 where it leaves nothing open. Written from the
 * specification ("Numerics"), and not from what the engine thinks. */
static inline char reference_nan_lanes(enum mote__op op) {
    static const char *const arithmetic[] = {
        "f32.add",     "f32.sub",     "f32.mul",     "f32.div",     "f32.sqrt",    "f32.ceil",      "f32.floor",        "f32.trunc",        "f32.nearest",
        "f32.min",     "f32.max",     "f64.add",     "f64.sub",     "f64.mul",     "f64.div",       "f64.sqrt",         "f64.ceil",         "f64.floor",
        "f64.trunc",   "f64.nearest", "f64.min",     "f64.max",     "f32x4.add",   "f32x4.sub",     "f32x4.mul",        "f32x4.div",        "f32x4.sqrt",
        "f32x4.ceil",  "f32x4.floor", "f32x4.trunc", "f32x4.nearest", "f32x4.min", "f32x4.max",     "f64x2.add",        "f64x2.sub",        "f64x2.mul",
        "f64x2.div",   "f64x2.sqrt",  "f64x2.ceil",  "f64x2.floor", "f64x2.trunc", "f64x2.nearest", "f64x2.min",        "f64x2.max",
        "f32.demote_f64", "f64.promote_f32", "f32x4.demote_f64x2_zero", "f64x2.promote_low_f32x4",  "f32x4.relaxed_madd", "f32x4.relaxed_nmadd",
        "f64x2.relaxed_madd", "f64x2.relaxed_nmadd", "f32x4.relaxed_min", "f32x4.relaxed_max",      "f64x2.relaxed_min", "f64x2.relaxed_max",
    };
    for (size_t i = 0; i < sizeof arithmetic / sizeof *arithmetic; i++)
        if (!strcmp(mote__op_text(&mote__op_info[op]), arithmetic[i])) return arithmetic[i][1] == '3' ? 'f' : 'F';
    return 0;
}

/* NaNs made canonical, lane by lane; `count` slots. */
static inline void reference_canonicalise(uint64_t *slots, size_t count, char lanes) {
    if (lanes == 'F') {
        for (size_t i = 0; i < count; i++)
            if ((slots[i] & INT64_MAX) > UINT64_C(0x7FF0000000000000)) slots[i] = UINT64_C(0x7FF8000000000000);
        return;
    }
    uint32_t words[4];
    memcpy(words, slots, count * 8);
    for (size_t i = 0; i < count * 2; i++)
        if ((words[i] & INT32_MAX) > UINT32_C(0x7F800000)) words[i] = UINT32_C(0x7FC00000);
    memcpy(slots, words, count * 8);
}

#endif
