/* sem_rows_test.c - every row of ops.def that computes has its sem_ function, of exactly the type
 * that the row says; and the codes of the vector and atomic rows against ranges and counts typed
 * from the specification. */
#include "test.h"
#include "wasm/op.h"
#include "wasm/sem_atomic.h"
#include "wasm/sem_simd.h"

#include <assert.h>

/* The C type of each letter of a signature. */
typedef uint32_t i;
typedef uint64_t I;
typedef float f;
typedef double F;
typedef mote__v128 v;

/* PURE and TRAPS, by signature; the second takes a place for the trap. */
#define SIGNATURE1(sig, result, a)                                                                 \
    typedef result pure_##sig(a);                                                                  \
    typedef result traps_##sig(a, uint32_t *);
#define SIGNATURE2(sig, result, a, b)                                                              \
    typedef result pure_##sig(a, b);                                                               \
    typedef result traps_##sig(a, b, uint32_t *);
/* clang-format off */
SIGNATURE1(i_i, i, i) SIGNATURE1(i_I, I, i) SIGNATURE1(i_f, f, i) SIGNATURE1(i_F, F, i) SIGNATURE1(i_v, v, i)
SIGNATURE1(I_i, i, I) SIGNATURE1(I_I, I, I) SIGNATURE1(I_f, f, I) SIGNATURE1(I_F, F, I) SIGNATURE1(I_v, v, I)
SIGNATURE1(f_i, i, f) SIGNATURE1(f_I, I, f) SIGNATURE1(f_f, f, f) SIGNATURE1(f_F, F, f) SIGNATURE1(f_v, v, f)
SIGNATURE1(F_i, i, F) SIGNATURE1(F_I, I, F) SIGNATURE1(F_f, f, F) SIGNATURE1(F_F, F, F) SIGNATURE1(F_v, v, F)
SIGNATURE1(v_v, v, v) SIGNATURE1(v_i, i, v)
SIGNATURE2(ii_i, i, i, i) SIGNATURE2(II_i, i, I, I) SIGNATURE2(II_I, I, I, I)
SIGNATURE2(ff_i, i, f, f) SIGNATURE2(ff_f, f, f, f) SIGNATURE2(FF_i, i, F, F) SIGNATURE2(FF_F, F, F, F)
SIGNATURE2(vv_v, v, v, v) SIGNATURE2(vi_v, v, v, i)
/* clang-format on */
typedef v pure_vvv_v(v, v, v);
typedef void wide_IIII_II(I, I, I, I, I *, I *);
typedef void wide_II_II(I, I, I *, I *);
typedef i lane_v_i(v, uint8_t);
typedef I lane_v_I(v, uint8_t);
typedef f lane_v_f(v, uint8_t);
typedef F lane_v_F(v, uint8_t);
typedef v lane_vi_v(v, i, uint8_t);
typedef v lane_vI_v(v, I, uint8_t);
typedef v lane_vf_v(v, f, uint8_t);
typedef v lane_vF_v(v, F, uint8_t);
typedef v shuffle_vv_v(v, v, const uint8_t[16]);

/* The pointer type that a row asks for, by kind; the memory's type is part of some. */
#define POINTER_PURE(sig, mem) pure_##sig *
#define POINTER_TRAPS(sig, mem) traps_##sig *
#define POINTER_WIDE(sig, mem) wide_##sig *
#define POINTER_LANE(sig, mem) lane_##sig *
#define POINTER_SHUFFLE(sig, mem) shuffle_##sig *
#define POINTER_LOAD(sig, mem) RESULT_##sig (*)(mem)
#define POINTER_LOAD_LANE(sig, mem) v (*)(v, uint8_t, mem)
#define POINTER_STORE_LANE(sig, mem) mem (*)(v, uint8_t)
#define POINTER_ATOMIC_LOAD(sig, mem) RESULT_##sig (*)(const mem *)
#define POINTER_ATOMIC_STORE(sig, mem) void (*)(mem *, OPERAND_##sig)
#define POINTER_ATOMIC_RMW(sig, mem) OPERAND_##sig (*)(mem *, OPERAND_##sig)
#define POINTER_ATOMIC_CMPXCHG(sig, mem) OPERAND_##sig (*)(mem *, OPERAND_##sig, OPERAND_##sig)
#define RESULT__i i
#define RESULT__I I
#define RESULT__f f
#define RESULT__F F
#define RESULT__v v
#define OPERAND_i_ i
#define OPERAND_I_ I
#define OPERAND_i_i i
#define OPERAND_I_I I
#define OPERAND_ii_i i
#define OPERAND_II_I I

#define HAS_FUNCTION(kind, ident, sig, mem)                                                        \
    static_assert(_Generic(&sem_##ident, POINTER_##kind(sig, mem): 1, default: 0),                 \
                  "sem_" #ident " is not of the type that its row says");
#define ROW_CONTROL(ident, sig, mem)
#define ROW_STORE(ident, sig, mem)
#define ROW_PURE(ident, sig, mem) HAS_FUNCTION(PURE, ident, sig, mem)
#define ROW_TRAPS(ident, sig, mem) HAS_FUNCTION(TRAPS, ident, sig, mem)
#define ROW_WIDE(ident, sig, mem) HAS_FUNCTION(WIDE, ident, sig, mem)
#define ROW_LOAD(ident, sig, mem) HAS_FUNCTION(LOAD, ident, sig, mem)
#define ROW_LANE(ident, sig, mem) HAS_FUNCTION(LANE, ident, sig, mem)
#define ROW_SHUFFLE(ident, sig, mem) HAS_FUNCTION(SHUFFLE, ident, sig, mem)
#define ROW_LOAD_LANE(ident, sig, mem) HAS_FUNCTION(LOAD_LANE, ident, sig, mem)
#define ROW_STORE_LANE(ident, sig, mem) HAS_FUNCTION(STORE_LANE, ident, sig, mem)
#define ROW_ATOMIC_LOAD(ident, sig, mem) HAS_FUNCTION(ATOMIC_LOAD, ident, sig, mem)
#define ROW_ATOMIC_STORE(ident, sig, mem) HAS_FUNCTION(ATOMIC_STORE, ident, sig, mem)
#define ROW_ATOMIC_RMW(ident, sig, mem) HAS_FUNCTION(ATOMIC_RMW, ident, sig, mem)
#define ROW_ATOMIC_CMPXCHG(ident, sig, mem) HAS_FUNCTION(ATOMIC_CMPXCHG, ident, sig, mem)
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) ROW_##kind(ident, sig, mem)
#include "wasm/ops.def"
#undef OP

/* The letters of a signature against the kind, as far as they follow from it. */
TEST(signatures_fit_kinds) {
    for (unsigned op = 0; op < OP_COUNT; op++) {
        const struct mote__op_info *info = &mote__op_info[op];
        CHECK(strspn(info->sig, "iIfFv_") == strlen(info->sig));
        CHECK(strchr(info->sig, '_') && strchr(info->sig, '_') == strrchr(info->sig, '_'));
        bool memory = info->imm == IMM_MEMARG || info->imm == IMM_MEMARG_LANE;
        CHECK_EQ(memory, info->mem_bytes != 0);
        CHECK((info->mem_bytes & (info->mem_bytes - 1)) == 0 && info->mem_bytes <= 16);
    }
}

/* The text is the identifier with a dot for its first underline, or further dots in atomics. */
TEST(texts_follow_identifiers) {
    static const char *const idents[] = {
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) [OP_##ident] = #ident,
#include "wasm/ops.def"
#undef OP
    };
    for (unsigned op = 0; op < OP_COUNT; op++) {
        const char *text = mote__op_text(&mote__op_info[op]), *ident = idents[op];
        size_t same = 0;
        while (text[same] && (text[same] == ident[same] || (text[same] == '.' && ident[same] == '_'))) same++;
        if (mote__op_info[op].prefix >= 0xFC) CHECK_STR(text + same, ident + same);
        else CHECK(text[same] == 0);
    }
}

static unsigned count_of(uint8_t prefix, uint32_t from, uint32_t to) {
    unsigned count = 0;
    for (uint32_t code = from; code <= to; code++) count += mote__op_lookup(prefix, code) != OP_INVALID;
    return count;
}

TEST(vector_codes) {
    static const uint8_t free_codes[] = {0x9A, 0xA2, 0xA5, 0xA6, 0xAF, 0xB0, 0xB2, 0xB3, 0xB4, 0xBB,
                                         0xC2, 0xC5, 0xC6, 0xCF, 0xD0, 0xD2, 0xD3, 0xD4, 0xE2, 0xEE};
    for (size_t n = 0; n < sizeof free_codes; n++) CHECK_EQ(mote__op_lookup(0xFD, free_codes[n]), OP_INVALID);
    CHECK_EQ(count_of(0xFD, 0, 0xFF), 236);
    CHECK_EQ(count_of(0xFD, 0x100, 0x113), 20);
    CHECK_EQ(count_of(0xFD, 0x114, 0x200), 0);
    CHECK_EQ(count_of(0xFE, 0, 3), 4);
    CHECK_EQ(count_of(0xFE, 4, 0xF), 0);
    CHECK_EQ(count_of(0xFE, 0x10, 0x4E), 63);
    CHECK_EQ(count_of(0xFE, 0x4F, 0x200), 0);
}

/* A mnemonic at each place where a run of codes begins or ends. */
TEST(codes_at_the_edges_of_runs) {
    static const struct {
        uint8_t prefix;
        uint16_t code;
        const char *text;
    } known[] = {
        {0xFD, 0x00, "v128.load"},
        {0xFD, 0x06, "v128.load32x2_u"},
        {0xFD, 0x07, "v128.load8_splat"},
        {0xFD, 0x0A, "v128.load64_splat"},
        {0xFD, 0x0B, "v128.store"},
        {0xFD, 0x0C, "v128.const"},
        {0xFD, 0x0D, "i8x16.shuffle"},
        {0xFD, 0x0E, "i8x16.swizzle"},
        {0xFD, 0x14, "f64x2.splat"},
        {0xFD, 0x17, "i8x16.replace_lane"},
        {0xFD, 0x22, "f64x2.replace_lane"},
        {0xFD, 0x2C, "i8x16.ge_u"},
        {0xFD, 0x36, "i16x8.ge_u"},
        {0xFD, 0x40, "i32x4.ge_u"},
        {0xFD, 0x41, "f32x4.eq"},
        {0xFD, 0x4C, "f64x2.ge"},
        {0xFD, 0x4F, "v128.andnot"},
        {0xFD, 0x53, "v128.any_true"},
        {0xFD, 0x5B, "v128.store64_lane"},
        {0xFD, 0x5D, "v128.load64_zero"},
        {0xFD, 0x5E, "f32x4.demote_f64x2_zero"},
        {0xFD, 0x6A, "f32x4.nearest"},
        {0xFD, 0x73, "i8x16.sub_sat_u"},
        {0xFD, 0x75, "f64x2.floor"},
        {0xFD, 0x7A, "f64x2.trunc"},
        {0xFD, 0x7B, "i8x16.avgr_u"},
        {0xFD, 0x7F, "i32x4.extadd_pairwise_i16x8_u"},
        {0xFD, 0x82, "i16x8.q15mulr_sat_s"},
        {0xFD, 0x93, "i16x8.sub_sat_u"},
        {0xFD, 0x94, "f64x2.nearest"},
        {0xFD, 0x95, "i16x8.mul"},
        {0xFD, 0x9B, "i16x8.avgr_u"},
        {0xFD, 0x9F, "i16x8.extmul_high_i8x16_u"},
        {0xFD, 0xA3, "i32x4.all_true"},
        {0xFD, 0xB1, "i32x4.sub"},
        {0xFD, 0xB5, "i32x4.mul"},
        {0xFD, 0xBA, "i32x4.dot_i16x8_s"},
        {0xFD, 0xBF, "i32x4.extmul_high_i16x8_u"},
        {0xFD, 0xC4, "i64x2.bitmask"},
        {0xFD, 0xCD, "i64x2.shr_u"},
        {0xFD, 0xD1, "i64x2.sub"},
        {0xFD, 0xDB, "i64x2.ge_s"},
        {0xFD, 0xDF, "i64x2.extmul_high_i32x4_u"},
        {0xFD, 0xEB, "f32x4.pmax"},
        {0xFD, 0xF7, "f64x2.pmax"},
        {0xFD, 0xF9, "i32x4.trunc_sat_f32x4_u"},
        {0xFD, 0xFC, "i32x4.trunc_sat_f64x2_s_zero"},
        {0xFD, 0xFF, "f64x2.convert_low_i32x4_u"},
        {0xFD, 0x100, "i8x16.relaxed_swizzle"},
        {0xFD, 0x104, "i32x4.relaxed_trunc_f64x2_u_zero"},
        {0xFD, 0x108, "f64x2.relaxed_nmadd"},
        {0xFD, 0x10C, "i64x2.relaxed_laneselect"},
        {0xFD, 0x110, "f64x2.relaxed_max"},
        {0xFD, 0x113, "i32x4.relaxed_dot_i8x16_i7x16_add_s"},
        {0xFE, 0x00, "memory.atomic.notify"},
        {0xFE, 0x02, "memory.atomic.wait64"},
        {0xFE, 0x03, "atomic.fence"},
        {0xFE, 0x10, "i32.atomic.load"},
        {0xFE, 0x16, "i64.atomic.load32_u"},
        {0xFE, 0x1D, "i64.atomic.store32"},
        {0xFE, 0x1E, "i32.atomic.rmw.add"},
        {0xFE, 0x2B, "i64.atomic.rmw32.sub_u"},
        {0xFE, 0x32, "i64.atomic.rmw32.and_u"},
        {0xFE, 0x39, "i64.atomic.rmw32.or_u"},
        {0xFE, 0x3D, "i32.atomic.rmw16.xor_u"},
        {0xFE, 0x41, "i32.atomic.rmw.xchg"},
        {0xFE, 0x48, "i32.atomic.rmw.cmpxchg"},
        {0xFE, 0x4E, "i64.atomic.rmw32.cmpxchg_u"},
    };
    for (size_t n = 0; n < sizeof known / sizeof *known; n++) {
        CHECK_STR(mote__op_text(&mote__op_info[mote__op_lookup(known[n].prefix, known[n].code)]), known[n].text);
    }
}
