/* baseline_recipes.h - the part of baseline.c for vector instructions that take the processor several: a row per instruction, each step with its registers.
 * A, B and C are the operands and are never written; R is the result; T and U are free. A row with instructions newer than SSE2 needs SSE4.1.
 * Included by baseline.c alone. */

enum recipe_reg { A, B, C, R, T, U, RECIPE_REGS, RECIPE_GROUP = 8, RECIPE_CONSTANT = 16 };
enum { STEPS_MAX = 13 };

/* `from`: a register, RECIPE_GROUP + the extension of an instruction of one register, or RECIPE_CONSTANT + one of the engine's constants. imm -1: none. */
struct recipe_step {
    uint32_t opcode;
    uint8_t to, from;
    int16_t imm;
};
struct recipe {
    uint16_t op;
    struct recipe_step steps[STEPS_MAX];
};

#define S(prefix, byte, to, from)        {X_OP(prefix, 1, byte), to, from, -1}
#define P(byte, to, from)                S(0x66, byte, to, from)
#define P38(byte, to, from)              {X_OP(0x66, 2, byte), to, from, -1}
#define IMM(prefix, byte, to, from, imm) {X_OP(prefix, 1, byte), to, from, imm}
#define K(constant)                      (RECIPE_CONSTANT + (int)(constant))
#define MOV(to, from)                    S(0, 0x28, to, from)
#define ZERO(reg)                        S(0, 0x57, reg, reg)
#define PSHUFD(to, from, order)          IMM(0x66, 0x70, to, from, order)
#define SHIFT(byte, extension, reg, by)  IMM(0x66, byte, reg, RECIPE_GROUP + (extension), by)
#define HIGH(extend, to, from)           PSHUFD(to, from, 0xEE), P38(extend, to, to)

/* Products of bytes, words, doublewords that are twice as wide. */
#define EXTMUL_8(sign, extend)                                                                     \
    {OP_i16x8_extmul_low_i8x16_##sign, {P38(extend, R, A), P38(extend, T, B), P(0xD5, R, T)}},     \
    {OP_i16x8_extmul_high_i8x16_##sign, {HIGH(extend, R, A), HIGH(extend, T, B), P(0xD5, R, T)}},
#define EXTMUL_16(sign, upper)                                                                     \
    {OP_i32x4_extmul_low_i16x8_##sign, {MOV(R, A), P(0xD5, R, B), MOV(T, A), P(upper, T, B), P(0x61, R, T)}}, \
    {OP_i32x4_extmul_high_i16x8_##sign, {MOV(R, A), P(0xD5, R, B), MOV(T, A), P(upper, T, B), P(0x69, R, T)}},
#define EXTMUL_32(sign, product)                                                                   \
    {OP_i64x2_extmul_low_i32x4_##sign, {PSHUFD(R, A, 0x10), PSHUFD(T, B, 0x10), product}},         \
    {OP_i64x2_extmul_high_i32x4_##sign, {PSHUFD(R, A, 0x32), PSHUFD(T, B, 0x32), product}},

/* R: all ones where the signed 64-bit lanes of `a` are greater: by the high halves, or where these are equal by the borrow of b - a. */
#define GREATER_64(a, b) MOV(R, b), P(0xFB, R, a), MOV(T, b), P(0x76, T, a), P(0xDB, R, T), MOV(U, a), P(0x66, U, b), P(0xEB, R, U), PSHUFD(R, R, 0xF5)
#define NOT_R            S(0, 0x57, R, K(K_ONES))

/* Minima both ways around give both zeros and both NaNs, which are then made quiet without a payload; of maxima a difference is the sign of a zero. */
#define FLOAT_MIN(id, prefix, shift, by)                                                           \
    {OP_##id, {MOV(T, A), S(prefix, 0x5D, T, B), MOV(R, B), S(prefix, 0x5D, R, A), S(0, 0x56, T, R), MOV(R, T), IMM(prefix, 0xC2, R, T, 3), \
               S(0, 0x56, T, R), SHIFT(shift, 2, R, by), S(0, 0x55, R, T)}},
#define FLOAT_MAX(id, prefix, shift, by)                                                           \
    {OP_##id, {MOV(T, A), S(prefix, 0x5F, T, B), MOV(R, B), S(prefix, 0x5F, R, A), S(0, 0x57, R, T), S(0, 0x56, T, R), S(prefix, 0x5C, T, R), \
               IMM(prefix, 0xC2, R, T, 3), SHIFT(shift, 2, R, by), S(0, 0x55, R, T)}},

#define DOT_8 P38(0x20, R, A), P38(0x20, T, B), P(0xF5, R, T), HIGH(0x20, T, A), HIGH(0x20, U, B), P(0xF5, T, U), P(0x6B, R, T)

static const struct recipe recipes[] = {
    EXTMUL_8(s, 0x20) EXTMUL_8(u, 0x30) EXTMUL_16(s, 0xE5) EXTMUL_16(u, 0xE4) EXTMUL_32(s, P38(0x28, R, T)) EXTMUL_32(u, P(0xF4, R, T))
    {OP_i16x8_extadd_pairwise_i8x16_s, {MOV(R, K(K_BYTES_1)), P38(0x04, R, A)}}, /* pmaddubsw: unsigned times signed */
    {OP_i16x8_extadd_pairwise_i8x16_u, {MOV(R, A), P38(0x04, R, K(K_BYTES_1))}},
    {OP_i32x4_extadd_pairwise_i16x8_s, {MOV(R, A), P(0xF5, R, K(K_WORDS_1))}},
    {OP_i32x4_extadd_pairwise_i16x8_u, {MOV(R, A), P(0xEF, R, K(K_WORDS_8000)), P(0xF5, R, K(K_WORDS_1)), P(0xFE, R, K(K_DWORDS_10000))}},
    {OP_i16x8_q15mulr_sat_s, {MOV(R, A), P38(0x0B, R, B), MOV(T, R), P(0x75, T, K(K_WORDS_8000)), P(0xEF, R, T)}},
    {OP_i8x16_popcnt, {MOV(T, A), SHIFT(0x71, 2, T, 4), P(0xDB, T, K(K_BYTES_0F)), MOV(U, A), P(0xDB, U, K(K_BYTES_0F)), MOV(R, K(K_NIBBLE_COUNTS)),
                       P38(0x00, R, T), MOV(T, K(K_NIBBLE_COUNTS)), P38(0x00, T, U), P(0xFC, R, T)}},
    {OP_i64x2_mul, {MOV(T, A), SHIFT(0x73, 2, T, 32), P(0xF4, T, B), MOV(U, B), SHIFT(0x73, 2, U, 32), P(0xF4, U, A), P(0xD4, T, U), SHIFT(0x73, 6, T, 32),
                    MOV(R, A), P(0xF4, R, B), P(0xD4, R, T)}},
    {OP_i64x2_abs, {PSHUFD(T, A, 0xF5), SHIFT(0x72, 4, T, 31), MOV(R, A), P(0xEF, R, T), P(0xFB, R, T)}},
    {OP_i64x2_gt_s, {GREATER_64(A, B)}},
    {OP_i64x2_lt_s, {GREATER_64(B, A)}},
    {OP_i64x2_le_s, {GREATER_64(A, B), NOT_R}},
    {OP_i64x2_ge_s, {GREATER_64(B, A), NOT_R}},
    FLOAT_MIN(f32x4_min, 0, 0x72, 10) FLOAT_MIN(f64x2_min, 0x66, 0x73, 13) FLOAT_MAX(f32x4_max, 0, 0x72, 10) FLOAT_MAX(f64x2_max, 0x66, 0x73, 13)
    /* NaNs become 0; a positive float that came out as INT32_MIN becomes INT32_MAX. */
    {OP_i32x4_trunc_sat_f32x4_s, {MOV(T, A), IMM(0, 0xC2, T, A, 0), MOV(R, A), P(0xDB, R, T), P(0xEF, T, R), S(0xF3, 0x5B, R, R), P(0xDB, T, R),
                                  SHIFT(0x72, 4, T, 31), P(0xEF, R, T)}},
    /* The part below 2^31 and what is above it, each as a signed integer. */
    {OP_i32x4_trunc_sat_f32x4_u, {ZERO(T), MOV(R, A), S(0, 0x5F, R, T), MOV(U, R), MOV(T, K(K_F32X4_2_31)), S(0, 0x5C, U, T), IMM(0, 0xC2, T, U, 2),
                                  S(0xF3, 0x5B, U, U), P(0xEF, U, T), ZERO(T), P38(0x3D, U, T), S(0xF3, 0x5B, R, R), P(0xFE, R, U)}},
    {OP_f32x4_convert_i32x4_u, {MOV(T, A), P(0xDB, T, K(K_DWORDS_FFFF)), MOV(R, A), P(0xFA, R, T), S(0, 0x5B, T, T), SHIFT(0x72, 2, R, 1), S(0, 0x5B, R, R),
                                S(0, 0x58, R, R), S(0, 0x58, R, T)}},
    {OP_i32x4_trunc_sat_f64x2_s_zero, {MOV(T, A), IMM(0x66, 0xC2, T, A, 0), S(0, 0x54, T, K(K_F64X2_INT32_MAX)), MOV(R, A), P(0x5D, R, T), P(0xE6, R, R)}},
    /* Adding 2^52 leaves the integer in the low half. */
    {OP_i32x4_trunc_sat_f64x2_u_zero, {ZERO(T), MOV(R, A), P(0x5F, R, T), P(0x5D, R, K(K_F64X2_UINT32_MAX)), {X_OP(0x66, 3, 0x09), R, R, 11},
                                       P(0x58, R, K(K_F64X2_2_52)), IMM(0, 0xC6, R, T, 0x88)}},
    {OP_f64x2_convert_low_i32x4_u, {MOV(R, A), S(0, 0x14, R, K(K_DWORDS_2_52)), P(0x5C, R, K(K_F64X2_2_52))}},
    {OP_f32x4_relaxed_madd, {MOV(R, A), S(0, 0x59, R, B), S(0, 0x58, R, C)}},
    {OP_f64x2_relaxed_madd, {MOV(R, A), P(0x59, R, B), P(0x58, R, C)}},
    {OP_f32x4_relaxed_nmadd, {MOV(R, A), S(0, 0x57, R, K(K_F32X4_SIGN)), S(0, 0x59, R, B), S(0, 0x58, R, C)}},
    {OP_f64x2_relaxed_nmadd, {MOV(R, A), S(0, 0x57, R, K(K_F64X2_SIGN)), P(0x59, R, B), P(0x58, R, C)}},
    {OP_i16x8_relaxed_dot_i8x16_i7x16_s, {DOT_8}},
    {OP_i32x4_relaxed_dot_i8x16_i7x16_add_s, {DOT_8, P(0xF5, R, K(K_WORDS_1)), P(0xFE, R, C)}},
};

#undef S
#undef P
#undef P38
#undef IMM
#undef K
#undef MOV
#undef ZERO
#undef PSHUFD
#undef SHIFT
#undef HIGH
#undef EXTMUL_8
#undef EXTMUL_16
#undef EXTMUL_32
#undef GREATER_64
#undef NOT_R
#undef FLOAT_MIN
#undef FLOAT_MAX
#undef DOT_8

/* Relaxed instructions make the choice of the deterministic profile: they are the same as others (wasm/sem_relaxed.h). */
static enum mote__op unrelaxed(enum mote__op op) {
    switch (op) {
    case OP_i8x16_relaxed_swizzle: return OP_i8x16_swizzle;
    case OP_i32x4_relaxed_trunc_f32x4_s: return OP_i32x4_trunc_sat_f32x4_s;
    case OP_i32x4_relaxed_trunc_f32x4_u: return OP_i32x4_trunc_sat_f32x4_u;
    case OP_i32x4_relaxed_trunc_f64x2_s_zero: return OP_i32x4_trunc_sat_f64x2_s_zero;
    case OP_i32x4_relaxed_trunc_f64x2_u_zero: return OP_i32x4_trunc_sat_f64x2_u_zero;
    case OP_i8x16_relaxed_laneselect: case OP_i16x8_relaxed_laneselect:
    case OP_i32x4_relaxed_laneselect: case OP_i64x2_relaxed_laneselect: return OP_v128_bitselect;
    case OP_f32x4_relaxed_min: return OP_f32x4_min;
    case OP_f32x4_relaxed_max: return OP_f32x4_max;
    case OP_f64x2_relaxed_min: return OP_f64x2_min;
    case OP_f64x2_relaxed_max: return OP_f64x2_max;
    case OP_i16x8_relaxed_q15mulr_s: return OP_i16x8_q15mulr_sat_s;
    default: return op;
    }
}

static const struct recipe *find_recipe(enum mote__op op) {
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
        if (recipes[i].op == op) return &recipes[i];
    return NULL;
}

static bool is_step(const struct recipe *recipe, int i) { return i < STEPS_MAX && recipe->steps[i].opcode; }

static bool recipe_needs_sse41(const struct recipe *recipe) {
    for (int i = 0; is_step(recipe, i); i++)
        if (x_is_new(recipe->steps[i].opcode)) return true;
    return false;
}

static void emit_recipe_step(struct compilation *c, const struct recipe_step *s, const int regs[RECIPE_REGS]) {
    if (s->from >= RECIPE_CONSTANT) with_constant(c, s->opcode, regs[s->to], (enum jit_constant)(s->from - RECIPE_CONSTANT));
    else if (s->from >= RECIPE_GROUP) x_ins(c->b, s->opcode, 0, s->from - RECIPE_GROUP, in_reg(regs[s->to]));
    else x_ins(c->b, s->opcode, 0, regs[s->to], in_reg(regs[s->from]));
    if (s->imm >= 0) x_byte(c->b, (uint32_t)s->imm);
}

static void emit_recipe(struct walk *w, const struct recipe *recipe, uint32_t n_in) {
    int regs[RECIPE_REGS];
    unlink_operands(w, n_in);
    for (uint32_t k = 0; k < n_in; k++) regs[k] = use_reg(w, operand(w, k));
    for (int k = R; k <= U; k++) regs[k] = take_temp(w, FP);
    for (int i = 0; is_step(recipe, i); i++) emit_recipe_step(w->c, &recipe->steps[i], regs);
    result_in_reg(w, w->count, VT_V128, regs[R]);
}

/* ---------------------------------------------------------------- what depends on a count or gives a number */

/* The count of a shift modulo a power of two, and more, in a vector register. */
static int shift_amount(struct walk *w, uint32_t mask, int32_t more) {
    struct compilation *c = w->c;
    int by = use_reg(w, operand(w, 1)), masked = take_temp(w, GP), amount = take_temp(w, FP);
    x_mov(c->b, false, masked, by);
    x_alu_const(c->b, ALU_AND, false, in_reg(masked), (int32_t)mask);
    if (more) x_alu_const(c->b, ALU_ADD, false, in_reg(masked), more);
    x_to_float(c->b, false, amount, masked);
    return amount;
}

static void packed(struct compilation *c, uint32_t byte, int to, int from) { x_ins(c->b, X_OP(0x66, 1, byte), 0, to, in_reg(from)); }

/* Bytes are shifted as the upper halves of words: to the right by 8 more; to the left above zeros, and back. */
static void emit_byte_shift(struct walk *w, uint32_t by_reg, bool left, uint32_t pack) {
    struct compilation *c = w->c;
    unlink_two(w);
    int from = use_reg(w, operand(w, 0)), amount = shift_amount(w, 7, left ? 0 : 8), halves[2];
    for (int k = 0; k < 2; k++) {
        halves[k] = take_temp(w, FP);
        if (left) x_vzero(c->b, halves[k]);
        else x_vmov(c->b, halves[k], from);
        packed(c, k ? 0x68 : 0x60, halves[k], from); /* punpckhbw, punpcklbw */
        packed(c, by_reg, halves[k], amount);
        if (!left) continue;
        x_ins(c->b, X_OP(0x66, 1, 0x71), 0, 2, in_reg(halves[k])); /* psrlw */
        x_byte(c->b, 8);
    }
    packed(c, pack, halves[0], halves[1]);
    result_in_reg(w, w->count, VT_V128, halves[0]);
}

/* As unsigned lanes; the sign, shifted alike, is then spread by subtracting it. */
static void emit_shift_right_64(struct walk *w) {
    struct compilation *c = w->c;
    unlink_two(w);
    int from = use_reg(w, operand(w, 0)), amount = shift_amount(w, 63, 0), to = take_temp(w, FP), sign = take_temp(w, FP);
    with_constant(c, X_OP(0, 1, 0x28), sign, K_F64X2_SIGN);
    x_vmov(c->b, to, from);
    packed(c, 0xD3, sign, amount);
    packed(c, 0xD3, to, amount);
    packed(c, 0xEF, to, sign);
    packed(c, 0xFB, to, sign);
    result_in_reg(w, w->count, VT_V128, to);
}

static void emit_word_bitmask(struct walk *w) {
    struct compilation *c = w->c;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), zeros = take_temp(w, FP), bytes = take_temp(w, FP), to = take_temp(w, GP);
    x_vmov(c->b, bytes, from);
    x_vzero(c->b, zeros);
    packed(c, 0x63, bytes, zeros); /* packsswb keeps signs */
    x_ins(c->b, X_OP(0x66, 1, 0xD7), 0, to, in_reg(bytes));
    result_in_reg(w, w->count, VT_I32, to);
}

/* True when machine code was emitted. */
static bool emit_vector_steps(struct walk *w, enum mote__op op, uint32_t n_in) {
    const struct recipe *recipe = find_recipe(op);
    if (recipe && recipe_needs_sse41(recipe) && !has_cpu(w->c, OS_CPU_SSE41)) return false;
    if (recipe) {
        emit_recipe(w, recipe, n_in);
        return true;
    }
    switch (op) {
    case OP_i8x16_shl: emit_byte_shift(w, 0xF1, true, 0x67); return true;
    case OP_i8x16_shr_u: emit_byte_shift(w, 0xD1, false, 0x67); return true;
    case OP_i8x16_shr_s: emit_byte_shift(w, 0xE1, false, 0x63); return true;
    case OP_i64x2_shr_s: emit_shift_right_64(w); return true;
    case OP_i16x8_bitmask: emit_word_bitmask(w); return true;
    default: return false;
    }
}
