/* baseline_vector.h - the part of baseline.c for vectors: a table of processor instructions by shape, and what has a shape of its own. What is not here is
 * a step. Slots are not aligned, so operands are in registers. Included by baseline.c alone. */

enum vector_shape {
    VS_NONE,
    VS_BINARY,      /* a op b */
    VS_SWAPPED,     /* b op a */
    VS_NOT,         /* not (a op b) */
    VS_SWAPPED_NOT, /* not (b op a) */
    VS_SAME_NOT,
    VS_SAME,        /* (a op b) == b by bytes, words or doublewords: unsigned a >= b is max(a, b) == a, and the like; `also` compares */
    VS_UNARY,       /* op a */
    VS_HIGH,        /* op on the high half of a */
    VS_NEGATE,      /* 0 - a */
    VS_CONSTANT,    /* a op one of the engine's constants, in `also` */
};
struct vector_op {
    uint32_t opcode;
    uint8_t shape;
    bool sse41;
    int16_t imm;    /* a byte behind it, or -1 */
    uint32_t also;
};

/* The processor's instruction for a vector op; opcode 0: it has none, or a shape of its own. */
static struct vector_op vector_op(enum mote__op op) {
    switch (op) {
#define V(id, shape, prefix, map, byte, imm, also) case OP_##id: return (struct vector_op){X_OP(prefix, map, byte), shape, (map) > 1, imm, also};
#define B(id, byte)        V(id, VS_BINARY, 0x66, 1, byte, -1, 0)
#define B41(id, byte)      V(id, VS_BINARY, 0x66, 2, byte, -1, 0)
#define COMPARE(T, eq, gt)                                                                         \
    V(T##_eq, VS_BINARY, 0x66, 1, eq, -1, 0) V(T##_ne, VS_NOT, 0x66, 1, eq, -1, 0) V(T##_gt_s, VS_BINARY, 0x66, 1, gt, -1, 0) \
    V(T##_lt_s, VS_SWAPPED, 0x66, 1, gt, -1, 0) V(T##_le_s, VS_NOT, 0x66, 1, gt, -1, 0) V(T##_ge_s, VS_SWAPPED_NOT, 0x66, 1, gt, -1, 0)
#define UNSIGNED(T, map, min, max, eq)                                                             \
    V(T##_le_u, VS_SAME, 0x66, map, max, -1, eq) V(T##_ge_u, VS_SAME, 0x66, map, min, -1, eq)      \
    V(T##_gt_u, VS_SAME_NOT, 0x66, map, max, -1, eq) V(T##_lt_u, VS_SAME_NOT, 0x66, map, min, -1, eq)
#define FLOATS(T, prefix, abs_, sign_)                                                             \
    V(T##_add, VS_BINARY, prefix, 1, 0x58, -1, 0) V(T##_sub, VS_BINARY, prefix, 1, 0x5C, -1, 0) V(T##_mul, VS_BINARY, prefix, 1, 0x59, -1, 0)  \
    V(T##_div, VS_BINARY, prefix, 1, 0x5E, -1, 0) V(T##_sqrt, VS_UNARY, prefix, 1, 0x51, -1, 0)                                               \
    V(T##_eq, VS_BINARY, prefix, 1, 0xC2, 0, 0) V(T##_ne, VS_BINARY, prefix, 1, 0xC2, 4, 0) V(T##_lt, VS_BINARY, prefix, 1, 0xC2, 1, 0)        \
    V(T##_gt, VS_SWAPPED, prefix, 1, 0xC2, 1, 0) V(T##_le, VS_BINARY, prefix, 1, 0xC2, 2, 0) V(T##_ge, VS_SWAPPED, prefix, 1, 0xC2, 2, 0)      \
    V(T##_pmin, VS_SWAPPED, prefix, 1, 0x5D, -1, 0) V(T##_pmax, VS_SWAPPED, prefix, 1, 0x5F, -1, 0)                                           \
    V(T##_abs, VS_CONSTANT, 0, 1, 0x54, -1, abs_) V(T##_neg, VS_CONSTANT, 0, 1, 0x57, -1, sign_)
#define EXTEND(to, from, signed_, unsigned_)                                                       \
    V(to##_extend_low_##from##_s, VS_UNARY, 0x66, 2, signed_, -1, 0) V(to##_extend_low_##from##_u, VS_UNARY, 0x66, 2, unsigned_, -1, 0) \
    V(to##_extend_high_##from##_s, VS_HIGH, 0x66, 2, signed_, -1, 0) V(to##_extend_high_##from##_u, VS_HIGH, 0x66, 2, unsigned_, -1, 0)
    B(i8x16_add, 0xFC) B(i16x8_add, 0xFD) B(i32x4_add, 0xFE) B(i64x2_add, 0xD4)
    B(i8x16_sub, 0xF8) B(i16x8_sub, 0xF9) B(i32x4_sub, 0xFA) B(i64x2_sub, 0xFB)
    B(i8x16_add_sat_s, 0xEC) B(i8x16_add_sat_u, 0xDC) B(i16x8_add_sat_s, 0xED) B(i16x8_add_sat_u, 0xDD)
    B(i8x16_sub_sat_s, 0xE8) B(i8x16_sub_sat_u, 0xD8) B(i16x8_sub_sat_s, 0xE9) B(i16x8_sub_sat_u, 0xD9)
    B(i16x8_mul, 0xD5) B(i32x4_dot_i16x8_s, 0xF5) B41(i32x4_mul, 0x40)
    B(i8x16_min_u, 0xDA) B(i8x16_max_u, 0xDE) B(i16x8_min_s, 0xEA) B(i16x8_max_s, 0xEE)
    B41(i8x16_min_s, 0x38) B41(i8x16_max_s, 0x3C) B41(i16x8_min_u, 0x3A) B41(i16x8_max_u, 0x3E)
    B41(i32x4_min_s, 0x39) B41(i32x4_max_s, 0x3D) B41(i32x4_min_u, 0x3B) B41(i32x4_max_u, 0x3F)
    B(i8x16_avgr_u, 0xE0) B(i16x8_avgr_u, 0xE3)
    B(i8x16_narrow_i16x8_s, 0x63) B(i8x16_narrow_i16x8_u, 0x67) B(i16x8_narrow_i32x4_s, 0x6B) B41(i16x8_narrow_i32x4_u, 0x2B)
    V(v128_and, VS_BINARY, 0, 1, 0x54, -1, 0) V(v128_or, VS_BINARY, 0, 1, 0x56, -1, 0) V(v128_xor, VS_BINARY, 0, 1, 0x57, -1, 0)
    V(v128_andnot, VS_SWAPPED, 0, 1, 0x55, -1, 0) V(v128_not, VS_CONSTANT, 0, 1, 0x57, -1, K_ONES)
    COMPARE(i8x16, 0x74, 0x64) COMPARE(i16x8, 0x75, 0x65) COMPARE(i32x4, 0x76, 0x66)
    UNSIGNED(i8x16, 1, 0xDA, 0xDE, 0x74) UNSIGNED(i16x8, 2, 0x3A, 0x3E, 0x75) UNSIGNED(i32x4, 2, 0x3B, 0x3F, 0x76)
    V(i64x2_eq, VS_BINARY, 0x66, 2, 0x29, -1, 0) V(i64x2_ne, VS_NOT, 0x66, 2, 0x29, -1, 0)
    FLOATS(f32x4, 0, K_F32X4_ABS, K_F32X4_SIGN) FLOATS(f64x2, 0x66, K_F64X2_ABS, K_F64X2_SIGN)
    V(f32x4_nearest, VS_UNARY, 0x66, 3, 0x08, 8, 0) V(f32x4_floor, VS_UNARY, 0x66, 3, 0x08, 9, 0)
    V(f32x4_ceil, VS_UNARY, 0x66, 3, 0x08, 10, 0) V(f32x4_trunc, VS_UNARY, 0x66, 3, 0x08, 11, 0)
    V(f64x2_nearest, VS_UNARY, 0x66, 3, 0x09, 8, 0) V(f64x2_floor, VS_UNARY, 0x66, 3, 0x09, 9, 0)
    V(f64x2_ceil, VS_UNARY, 0x66, 3, 0x09, 10, 0) V(f64x2_trunc, VS_UNARY, 0x66, 3, 0x09, 11, 0)
    V(i8x16_abs, VS_UNARY, 0x66, 2, 0x1C, -1, 0) V(i16x8_abs, VS_UNARY, 0x66, 2, 0x1D, -1, 0) V(i32x4_abs, VS_UNARY, 0x66, 2, 0x1E, -1, 0)
    V(i8x16_neg, VS_NEGATE, 0x66, 1, 0xF8, -1, 0) V(i16x8_neg, VS_NEGATE, 0x66, 1, 0xF9, -1, 0)
    V(i32x4_neg, VS_NEGATE, 0x66, 1, 0xFA, -1, 0) V(i64x2_neg, VS_NEGATE, 0x66, 1, 0xFB, -1, 0)
    EXTEND(i16x8, i8x16, 0x20, 0x30) EXTEND(i32x4, i16x8, 0x23, 0x33) EXTEND(i64x2, i32x4, 0x25, 0x35)
    V(f32x4_convert_i32x4_s, VS_UNARY, 0, 1, 0x5B, -1, 0) V(f64x2_convert_low_i32x4_s, VS_UNARY, 0xF3, 1, 0xE6, -1, 0)
    V(f64x2_promote_low_f32x4, VS_UNARY, 0, 1, 0x5A, -1, 0) V(f32x4_demote_f64x2_zero, VS_UNARY, 0x66, 1, 0x5A, -1, 0)
#undef V
#undef B
#undef B41
#undef COMPARE
#undef UNSIGNED
#undef FLOATS
#undef EXTEND
    default: return (struct vector_op){0};
    }
}

static void vector_ins(struct compilation *c, const struct vector_op *v, int to, int from) {
    x_ins(c->b, v->opcode, 0, to, in_reg(from));
    if (v->imm >= 0) x_byte(c->b, (uint32_t)v->imm);
}

static void emit_vector_unary(struct walk *w, const struct vector_op *v) {
    struct compilation *c = w->c;
    unlink_operand(w);
    struct walk_value *a = operand(w, 0);
    int from = use_reg(w, a), to;
    if (v->shape == VS_NEGATE) {
        to = take_temp(w, FP);
        x_vzero(c->b, to);
        vector_ins(c, v, to, from);
    } else if (v->shape == VS_CONSTANT) {
        to = take_result(w, FP, a, NO_REG);
        x_vmov(c->b, to, from);
        with_constant(c, v->opcode, to, (enum jit_constant)v->also);
    } else {
        to = take_result(w, FP, a, NO_REG);
        if (v->shape == VS_HIGH) {
            x_ins(c->b, X_OP(0x66, 1, 0x70), 0, to, in_reg(from)); /* pshufd: the high half low */
            x_byte(c->b, 0xEE);
            from = to;
        }
        vector_ins(c, v, to, from);
    }
    result_in_reg(w, w->count, VT_V128, to);
}

static void emit_vector_binary(struct walk *w, const struct vector_op *v) {
    struct compilation *c = w->c;
    unlink_two(w);
    if (v->shape == VS_SWAPPED || v->shape == VS_SWAPPED_NOT) swap_operands(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    int from = use_reg(w, a), other = use_reg(w, b);
    int to = take_result(w, FP, a, other);
    x_vmov(c->b, to, from);
    vector_ins(c, v, to, other);
    if (v->shape == VS_SAME || v->shape == VS_SAME_NOT) x_ins(c->b, X_OP(0x66, 1, v->also), 0, to, in_reg(other));
    if (v->shape == VS_NOT || v->shape == VS_SWAPPED_NOT || v->shape == VS_SAME_NOT) with_constant(c, X_OP(0, 1, 0x57), to, K_ONES);
    result_in_reg(w, w->count, VT_V128, to);
}

/* (a & mask) | (b & ~mask) */
static void emit_bitselect(struct walk *w) {
    struct compilation *c = w->c;
    unlink_operands(w, 3);
    int a = use_reg(w, operand(w, 0)), b = use_reg(w, operand(w, 1)), mask = use_reg(w, operand(w, 2));
    int to = take_temp(w, FP), rest = take_temp(w, FP);
    x_vmov(c->b, to, mask);
    x_ins(c->b, X_OP(0, 1, 0x54), 0, to, in_reg(a));
    x_vmov(c->b, rest, mask);
    x_ins(c->b, X_OP(0, 1, 0x55), 0, rest, in_reg(b));
    x_ins(c->b, X_OP(0, 1, 0x56), 0, to, in_reg(rest));
    result_in_reg(w, w->count, VT_V128, to);
}

/* Shifts of lanes by a count that is taken modulo their width. `bytes`: the instruction by a register, then group and extension of the one by a constant. */
static void emit_vector_shift(struct walk *w, uint32_t by_reg, uint32_t group, int extension, uint32_t mask) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *count = operand(w, 1);
    int from = use_reg(w, a);
    if (count->loc == LOC_CONST) {
        int to = take_result(w, FP, a, NO_REG);
        x_vmov(c->b, to, from);
        x_ins(c->b, X_OP(0x66, 1, group), 0, extension, in_reg(to));
        x_byte(c->b, (uint32_t)count->bits & mask);
        result_in_reg(w, w->count, VT_V128, to);
        return;
    }
    int by = use_reg(w, count), masked = take_temp(w, GP), amount = take_temp(w, FP), to = take_temp(w, FP);
    x_mov(c->b, false, masked, by);
    x_alu_const(c->b, ALU_AND, false, in_reg(masked), (int32_t)mask);
    x_to_float(c->b, false, amount, masked);
    x_vmov(c->b, to, from);
    x_ins(c->b, X_OP(0x66, 1, by_reg), 0, to, in_reg(amount));
    result_in_reg(w, w->count, VT_V128, to);
}

/* The low 1 or 2 bytes, in all lanes. */
static void spread_bytes(struct compilation *c, int reg, uint32_t bytes) {
    if (bytes == 1) x_ins(c->b, X_OP(0x66, 1, 0x60), 0, reg, in_reg(reg)); /* punpcklbw: every byte twice */
    x_ins(c->b, X_OP(0xF2, 1, 0x70), 0, reg, in_reg(reg));                /* pshuflw */
    x_byte(c->b, 0);
    x_ins(c->b, X_OP(0x66, 1, 0x70), 0, reg, in_reg(reg)); /* pshufd */
    x_byte(c->b, 0);
}

/* A splat of an integer or float: to the low lane, then everywhere. */
static void emit_splat(struct walk *w, enum mote__op op) {
    struct compilation *c = w->c;
    bool wide = op == OP_i64x2_splat || op == OP_f64x2_splat;
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    int from = use_reg(w, v), to = take_temp(w, FP);
    if (class_of(v->type) == GP) x_to_float(c->b, wide, to, from);
    else x_vmov(c->b, to, from);
    if (op == OP_i8x16_splat || op == OP_i16x8_splat) {
        spread_bytes(c, to, op == OP_i8x16_splat ? 1 : 2);
    } else {
        x_ins(c->b, X_OP(0x66, 1, 0x70), 0, to, in_reg(to)); /* pshufd */
        x_byte(c->b, wide ? 0x44 : 0x00);
    }
    result_in_reg(w, w->count, VT_V128, to);
}

/* An integer lane: pextr of its width; bytes and words are extended by sign afterwards. */
static void emit_extract_int(struct walk *w, uint32_t byte, bool wide, uint32_t sign_extension, valtype type) {
    struct compilation *c = w->c;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_result(w, GP, NULL, NO_REG);
    x_ins(c->b, X_OP(0x66, 3, byte), wide, from, in_reg(to));
    x_byte(c->b, w->imm.b);
    if (sign_extension) x_ins(c->b, X_OP(0, 1, sign_extension), X_BYTE_REG, to, in_reg(to));
    result_in_reg(w, w->count, type, to);
}

static void emit_extract_float(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    int from = use_reg(w, v), to = take_result(w, FP, v, NO_REG);
    if (!w->imm.b) {
        x_vmov(c->b, to, from);
    } else {
        x_ins(c->b, X_OP(0x66, 1, 0x70), 0, to, in_reg(from));
        x_byte(c->b, type == VT_F64 ? 0xEE : w->imm.b);
    }
    result_in_reg(w, w->count, type, to);
}

/* pinsr of a lane's width. */
static void emit_replace_int(struct walk *w, uint32_t opcode, bool wide) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct walk_value *a = operand(w, 0);
    int from = use_reg(w, a), value = use_reg(w, operand(w, 1)), to = take_result(w, FP, a, NO_REG);
    x_vmov(c->b, to, from);
    x_ins(c->b, opcode, wide, to, in_reg(value));
    x_byte(c->b, w->imm.b);
    result_in_reg(w, w->count, VT_V128, to);
}

static void emit_replace_float(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct walk_value *a = operand(w, 0);
    int from = use_reg(w, a), value = use_reg(w, operand(w, 1)), to = take_result(w, FP, a, value);
    x_vmov(c->b, to, from);
    if (type == VT_F32) {
        x_ins(c->b, X_OP(0x66, 3, 0x21), 0, to, in_reg(value)); /* insertps */
        x_byte(c->b, w->imm.b << 4);
    } else {
        x_ins(c->b, w->imm.b ? X_OP(0, 1, 0x16) : X_OP(0xF2, 1, 0x10), 0, to, in_reg(value)); /* movlhps, movsd */
    }
    result_in_reg(w, w->count, VT_V128, to);
}

/* Bits of lanes, or whether they are all or any not zero; the latter stay in the flags. */
static void emit_bitmask(struct walk *w, uint32_t opcode) {
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_result(w, GP, NULL, NO_REG);
    x_ins(w->c->b, opcode, 0, to, in_reg(from));
    result_in_reg(w, w->count, VT_I32, to);
}
static void emit_any_true(struct walk *w) {
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0));
    x_ins(w->c->b, X_OP(0x66, 2, 0x17), 0, from, in_reg(from)); /* ptest */
    result_in_flags(w, w->count, CC_NE);
}
static void emit_all_true(struct walk *w, uint32_t equal) {
    struct compilation *c = w->c;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), zeros = take_temp(w, FP);
    x_vzero(c->b, zeros);
    x_ins(c->b, equal, 0, zeros, in_reg(from));
    x_ins(c->b, X_OP(0x66, 2, 0x17), 0, zeros, in_reg(zeros));
    result_in_flags(w, w->count, CC_E);
}

/* A 16-byte literal as the second operand: aligned, since the literals are and each of these is kept at a multiple of 8 units. */
static void with_literal(struct compilation *c, uint32_t opcode, int reg, const uint8_t bytes[16]) {
    while (c->literals.count % 8 && !c->failed) literal(c, 0);
    x_ins(c->b, opcode, 0, reg, at_rip());
    leads_to_literal(c, (uint32_t)c->literals.count);
    for (int k = 0; k < 16; k += 2) literal(c, bytes[k] | (uint32_t)bytes[k + 1] << 8);
}

/* Which of the eight doublewords of both operands a lane of four is; -1: not a whole one. */
static int whole_dword(const uint8_t lane[4]) {
    for (int i = 0; i < 4; i++)
        if (lane[i] != (lane[0] & ~3) + i) return -1;
    return lane[0] / 4;
}

/* A shuffle of doublewords that are all one operand's (pshufd), or half and half (shufps, of swapped operands perhaps). False: it is another one. */
static bool emit_shuffle_dwords(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t order = 0, of_b = 0;
    for (int i = 0; i < 4; i++) {
        int dword = whole_dword(w->imm.bytes + 4 * i);
        if (dword < 0) return false;
        order |= (uint32_t)(dword & 3) << 2 * i;
        of_b |= (uint32_t)(dword >= 4) << i;
    }
    bool mixed = of_b == 0xC || of_b == 0x3;
    if (of_b && of_b != 0xF && !mixed) return false;
    unlink_two(w);
    if (of_b & 1) swap_operands(w);
    int first = use_reg(w, operand(w, 0)), second = mixed ? use_reg(w, operand(w, 1)) : first, to = take_temp(w, FP);
    if (mixed) x_vmov(c->b, to, first);
    x_ins(c->b, mixed ? X_OP(0, 1, 0xC6) : X_OP(0x66, 1, 0x70), 0, to, in_reg(second));
    x_byte(c->b, order);
    result_in_reg(w, w->count, VT_V128, to);
    return true;
}

/* Lanes of either operand: pshufb of each, with zeros where the other one's are. */
static void emit_shuffle(struct walk *w) {
    struct compilation *c = w->c;
    uint8_t of_a[16], of_b[16];
    for (int i = 0; i < 16; i++) {
        of_a[i] = w->imm.bytes[i] < 16 ? w->imm.bytes[i] : 0x80;
        of_b[i] = w->imm.bytes[i] < 16 ? 0x80 : (uint8_t)(w->imm.bytes[i] - 16);
    }
    unlink_two(w);
    int a = use_reg(w, operand(w, 0)), b = use_reg(w, operand(w, 1)), to = take_temp(w, FP), other = take_temp(w, FP);
    x_vmov(c->b, to, a);
    x_vmov(c->b, other, b);
    with_literal(c, X_OP(0x66, 2, 0x00), to, of_a);
    with_literal(c, X_OP(0x66, 2, 0x00), other, of_b);
    x_ins(c->b, X_OP(0, 1, 0x56), 0, to, in_reg(other));
    result_in_reg(w, w->count, VT_V128, to);
}

/* Indices beyond 15 give 0: adding 0x70 with saturation sets their top bit, which pshufb takes for that. */
static void emit_swizzle(struct walk *w) {
    struct compilation *c = w->c;
    uint8_t bias[16];
    memset(bias, 0x70, sizeof bias);
    unlink_two(w);
    int a = use_reg(w, operand(w, 0)), b = use_reg(w, operand(w, 1)), to = take_temp(w, FP), index = take_temp(w, FP);
    x_vmov(c->b, index, b);
    with_literal(c, X_OP(0x66, 1, 0xDC), index, bias); /* paddusb */
    x_vmov(c->b, to, a);
    x_ins(c->b, X_OP(0x66, 2, 0x00), 0, to, in_reg(index));
    result_in_reg(w, w->count, VT_V128, to);
}

/* Vector instructions of one kind each that SSE4.1 has, and its predecessors where nothing newer is needed; false: a step. */
static bool emit_vector_special(struct walk *w, enum mote__op op) {
    switch (op) {
    case OP_i8x16_splat: case OP_i16x8_splat: case OP_i32x4_splat: case OP_i64x2_splat: case OP_f32x4_splat: case OP_f64x2_splat: emit_splat(w, op); return true;
    case OP_v128_bitselect: emit_bitselect(w); return true;
    case OP_i8x16_shuffle:
        if (emit_shuffle_dwords(w)) return true;
        break;
    case OP_i16x8_shl: emit_vector_shift(w, 0xF1, 0x71, 6, 15); return true;
    case OP_i32x4_shl: emit_vector_shift(w, 0xF2, 0x72, 6, 31); return true;
    case OP_i64x2_shl: emit_vector_shift(w, 0xF3, 0x73, 6, 63); return true;
    case OP_i16x8_shr_u: emit_vector_shift(w, 0xD1, 0x71, 2, 15); return true;
    case OP_i32x4_shr_u: emit_vector_shift(w, 0xD2, 0x72, 2, 31); return true;
    case OP_i64x2_shr_u: emit_vector_shift(w, 0xD3, 0x73, 2, 63); return true;
    case OP_i16x8_shr_s: emit_vector_shift(w, 0xE1, 0x71, 4, 15); return true;
    case OP_i32x4_shr_s: emit_vector_shift(w, 0xE2, 0x72, 4, 31); return true;
    case OP_f32x4_extract_lane: emit_extract_float(w, VT_F32); return true;
    case OP_f64x2_extract_lane: emit_extract_float(w, VT_F64); return true;
    case OP_f64x2_replace_lane: emit_replace_float(w, VT_F64); return true;
    case OP_i16x8_replace_lane: emit_replace_int(w, X_OP(0x66, 1, 0xC4), false); return true;
    case OP_i8x16_bitmask: emit_bitmask(w, X_OP(0x66, 1, 0xD7)); return true;
    case OP_i32x4_bitmask: emit_bitmask(w, X_OP(0, 1, 0x50)); return true;
    case OP_i64x2_bitmask: emit_bitmask(w, X_OP(0x66, 1, 0x50)); return true;
    default: break;
    }
    if (!has_cpu(w->c, OS_CPU_SSE41)) return false;
    switch (op) {
    case OP_i8x16_shuffle: emit_shuffle(w); return true;
    case OP_i8x16_swizzle: emit_swizzle(w); return true;
    case OP_i8x16_extract_lane_u: emit_extract_int(w, 0x14, false, 0, VT_I32); return true;
    case OP_i8x16_extract_lane_s: emit_extract_int(w, 0x14, false, 0xBE, VT_I32); return true;
    case OP_i16x8_extract_lane_u: emit_extract_int(w, 0x15, false, 0, VT_I32); return true;
    case OP_i16x8_extract_lane_s: emit_extract_int(w, 0x15, false, 0xBF, VT_I32); return true;
    case OP_i32x4_extract_lane: emit_extract_int(w, 0x16, false, 0, VT_I32); return true;
    case OP_i64x2_extract_lane: emit_extract_int(w, 0x16, true, 0, VT_I64); return true;
    case OP_i8x16_replace_lane: emit_replace_int(w, X_OP(0x66, 3, 0x20), false); return true;
    case OP_i32x4_replace_lane: emit_replace_int(w, X_OP(0x66, 3, 0x22), false); return true;
    case OP_i64x2_replace_lane: emit_replace_int(w, X_OP(0x66, 3, 0x22), true); return true;
    case OP_f32x4_replace_lane: emit_replace_float(w, VT_F32); return true;
    case OP_v128_any_true: emit_any_true(w); return true;
    case OP_i8x16_all_true: emit_all_true(w, X_OP(0x66, 1, 0x74)); return true;
    case OP_i16x8_all_true: emit_all_true(w, X_OP(0x66, 1, 0x75)); return true;
    case OP_i32x4_all_true: emit_all_true(w, X_OP(0x66, 1, 0x76)); return true;
    case OP_i64x2_all_true: emit_all_true(w, X_OP(0x66, 2, 0x29)); return true;
    default: return false;
    }
}

/* True when machine code was emitted. */
static bool emit_vector(struct walk *w, enum mote__op op) {
    struct vector_op v = vector_op(op);
    if (!v.opcode) return emit_vector_special(w, op);
    if (v.sse41 && !has_cpu(w->c, OS_CPU_SSE41)) return false;
    if (v.shape >= VS_UNARY) emit_vector_unary(w, &v);
    else emit_vector_binary(w, &v);
    return true;
}
