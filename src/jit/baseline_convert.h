/* baseline_convert.h - the part of baseline.c for conversions between integers and floats, for counting bits and rounding where the processor has
 * no instruction for it, and for sums and products of 128 bits. What seldom happens (a float out of range, an integer with its top bit set) is out of line. Included by baseline.c alone. */

/* ---------------------------------------------------------------- floats to integers */

/* A truncation is one of these bits together. */
enum { TRUNC_UNSIGNED = 1, TRUNC_I64 = 2, TRUNC_F64 = 4, TRUNC_SATURATES = 8 };

/* The bits of a truncating op; -1: it is another one. */
static int truncation(enum mote__op op) {
    switch (op) {
#define T(to, from, bits)                                                                          \
    case OP_##to##_trunc_##from##_s: return (bits);                                                \
    case OP_##to##_trunc_##from##_u: return (bits) | TRUNC_UNSIGNED;                               \
    case OP_##to##_trunc_sat_##from##_s: return (bits) | TRUNC_SATURATES;                          \
    case OP_##to##_trunc_sat_##from##_u: return (bits) | TRUNC_SATURATES | TRUNC_UNSIGNED;
    T(i32, f32, 0) T(i32, f64, TRUNC_F64) T(i64, f32, TRUNC_I64) T(i64, f64, TRUNC_I64 | TRUNC_F64)
#undef T
    default: return -1;
    }
}

static bool is_unsigned_64(unsigned how) { return (how & (TRUNC_I64 | TRUNC_UNSIGNED)) == (TRUNC_I64 | TRUNC_UNSIGNED); }

/* cvttss2si, cvttsd2si to 64 bits: INT64_MIN for what does not fit. */
static void convert_down(struct compilation *c, unsigned how, int to, int from) {
    x_ins(c->b, X_OP(how & TRUNC_F64 ? 0xF2 : 0xF3, 1, 0x2C), X_WIDE, to, in_reg(from));
}

/* Compares so that the condition returned holds when the 64-bit result may be wrong. */
static enum x_cc check_truncated(struct walk *w, unsigned how, int to) {
    struct compilation *c = w->c;
    if (is_unsigned_64(how)) {
        x_test(c->b, true, to);
        return CC_S;
    }
    if (how & TRUNC_I64) {
        x_alu_const(c->b, ALU_CMP, true, in_reg(to), 1); /* overflows for INT64_MIN alone */
        return CC_O;
    }
    int check = take_temp(w, GP);
    if (how & TRUNC_UNSIGNED) x_mov(c->b, false, check, to);
    else x_ins(c->b, X_OP(0, 0, 0x63), X_WIDE, check, in_reg(to));
    x_alu(c->b, ALU_CMP, true, check, in_reg(to));
    return CC_NE;
}

static void emit_trunc(struct walk *w, unsigned how) {
    struct compilation *c = w->c;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_result(w, GP, NULL, NO_REG), scratch = is_unsigned_64(how) ? take_temp(w, FP) : NO_REG;
    convert_down(c, how, to, from);
    enum x_cc wrong = check_truncated(w, how, to);
    struct stub s = {.kind = STUB_TRUNCATE, .how = (uint8_t)how, .reg = (int8_t)from, .to = (int8_t)to, .scratch = {(int8_t)scratch}};
    s.at = (uint32_t)x_jcc(c->b, wrong);
    s.back = here(c);
    add_stub(w, s);
    if (!(how & TRUNC_I64)) x_mov(c->b, false, to, to);
    result_in_reg(w, w->count, how & TRUNC_I64 ? VT_I64 : VT_I32, to);
}

/* An unsigned 64-bit result of 2^63 and more is that of the float less 2^63, and its top bit. Goes on when even that does not fit. */
static void emit_upper_half(struct compilation *c, const struct stub *s) {
    bool wide = s->how & TRUNC_F64;
    uint32_t wrong = 0;
    x_vmov(c->b, s->scratch[0], s->reg);
    with_constant(c, X_OP(wide ? 0xF2 : 0xF3, 1, 0x58), s->scratch[0], wide ? K_F64_MINUS_2_63 : K_F32_MINUS_2_63);
    convert_down(c, s->how, s->to, s->scratch[0]);
    x_test(c->b, true, s->to);
    add_fixup(c, &wrong, x_jcc(c->b, CC_S));
    x_flip_bit(c->b, s->to, 63);
    x_patch(c->b, x_jmp(c->b), s->back);
    bind(c, &wrong);
}

/* 0 for a NaN, else the limit on the float's side: from 1 for a negative float and 0 for others it is made by arithmetic. */
static void emit_saturated(struct compilation *c, const struct stub *s) {
    bool wide = s->how & TRUNC_I64;
    x_zero(c->b, s->to);
    x_ucomis(c->b, s->how & TRUNC_F64, s->reg, in_reg(s->reg));
    x_patch(c->b, x_jcc(c->b, CC_P), s->back);
    x_ins(c->b, X_OP(s->how & TRUNC_F64 ? 0x66 : 0, 1, 0x50), 0, s->to, in_reg(s->reg)); /* movmsk: the sign, below that of other lanes */
    x_alu_const(c->b, ALU_AND, false, in_reg(s->to), 1);
    if (s->how & TRUNC_UNSIGNED) {
        x_alu_const(c->b, ALU_SUB, wide, in_reg(s->to), 1);
    } else if (wide) {
        x_lea(c->b, true, s->to, at_element(s->to, s->to, 1, -2)); /* -2 or 1, of which the last bit becomes the first */
        x_shift_const(c->b, SHIFT_ROR, true, s->to, 1);
    } else {
        x_alu_const(c->b, ALU_ADD, false, in_reg(s->to), INT32_MAX);
    }
    x_patch(c->b, x_jmp(c->b), s->back);
}

/* A float that may not fit. */
static void emit_trunc_stub(struct compilation *c, const struct stub *s) {
    bool wide = s->how & TRUNC_F64;
    uint32_t not_nan = 0;
    if (is_unsigned_64(s->how)) emit_upper_half(c, s);
    if (s->how & TRUNC_SATURATES) {
        emit_saturated(c, s);
        return;
    }
    x_ucomis(c->b, wide, s->reg, in_reg(s->reg));
    add_fixup(c, &not_nan, x_jcc(c->b, CC_NP));
    trap_now(c, MOTE_TRAP_INVALID_CONVERSION);
    bind(c, &not_nan);
    if (s->how & TRUNC_I64 && !(s->how & TRUNC_UNSIGNED)) { /* INT64_MIN is also the result of -2^63 */
        with_constant(c, X_OP(wide ? 0x66 : 0, 1, 0x2E), s->reg, wide ? K_F64_MINUS_2_63 : K_F32_MINUS_2_63);
        x_patch(c->b, x_jcc(c->b, CC_E), s->back);
    }
    trap_now(c, MOTE_TRAP_INTEGER_OVERFLOW);
}

/* ---------------------------------------------------------------- integers to floats */

static void convert_up(struct compilation *c, bool wide_from, valtype type, int to, int from) {
    x_vzero(c->b, to); /* the instruction keeps the rest of the register, and waits for it */
    x_ins(c->b, X_OP(type == VT_F64 ? 0xF2 : 0xF3, 1, 0x2A), wide_from ? X_WIDE : 0, to, in_reg(from));
}

static void emit_convert(struct walk *w, bool wide_from, valtype type) {
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_result(w, FP, NULL, NO_REG);
    convert_up(w->c, wide_from, type, to, from);
    result_in_reg(w, w->count, type, to);
}

/* 64 unsigned bits: as if they were signed when the top one is clear. */
static void emit_convert_u64(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_result(w, FP, NULL, NO_REG);
    struct stub s = {.kind = STUB_CONVERT, .wide = type == VT_F64, .reg = (int8_t)from, .to = (int8_t)to};
    for (int i = 0; i < 2; i++) s.scratch[i] = (int8_t)take_temp(w, GP);
    x_test(c->b, true, from);
    s.at = (uint32_t)x_jcc(c->b, CC_S);
    convert_up(c, true, type, to, from);
    s.back = here(c);
    add_stub(w, s);
    result_in_reg(w, w->count, type, to);
}

/* Half of it, the bit that is lost kept for rounding, and twice that. */
static void emit_convert_stub(struct compilation *c, const struct stub *s) {
    int half = s->scratch[0], odd = s->scratch[1];
    x_mov(c->b, false, odd, s->reg);
    x_mov(c->b, true, half, s->reg);
    x_alu_const(c->b, ALU_AND, false, in_reg(odd), 1);
    x_shift_const(c->b, SHIFT_SHR, true, half, 1);
    x_alu(c->b, ALU_OR, true, half, in_reg(odd));
    convert_up(c, true, s->wide ? VT_F64 : VT_F32, s->to, half);
    x_fop(c->b, 0x58, s->wide, s->to, in_reg(s->to));
    x_patch(c->b, x_jmp(c->b), s->back);
}

/* ---------------------------------------------------------------- 128 bits */

/* An operand's copy that may be written: its own register, or another. */
static int use_copy(struct walk *w, struct walk_value *v) {
    int from = use_reg(w, v), to = from;
    if (!is_own(v) || is_cached(w->c, GP, from)) {
        to = take_temp(w, GP);
        x_mov(w->c->b, true, to, from);
        release_reg(w->c, GP, from);
    }
    return to;
}

/* Low halves, then high halves with the carry: nothing in between changes the flags. */
static void emit_wide_sum(struct walk *w, enum x_alu low, enum x_alu high) {
    struct compilation *c = w->c;
    int sum[2];
    unlink_operands(w, 4);
    for (uint32_t k = 0; k < 2; k++) {
        sum[k] = use_copy(w, operand(w, k));
        struct x_rm rm = use_rm(w, operand(w, 2 + k));
        x_alu(c->b, k ? high : low, true, sum[k], rm);
        if (rm.reg >= 0) release_reg(c, GP, rm.reg);
        c->locked[GP] |= UINT32_C(1) << sum[0];
    }
    for (uint32_t k = 0; k < 2; k++) result_in_reg(w, w->count + k, VT_I64, sum[k]);
}

/* The processor's product: of rax, into rdx and rax. */
static void emit_wide_product(struct walk *w, bool is_signed) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    take_certain(w, GP, RAX);
    take_certain(w, GP, RDX);
    int by = use_reg(w, b);
    if (by == RAX || by == RDX) {
        by = take_temp(w, GP);
        x_mov(c->b, true, by, b->reg);
    }
    copy_to_reg(w, a, RAX);
    x_group3(c->b, is_signed ? 5 : 4, true, by);
    result_in_reg(w, w->count, VT_I64, RAX);
    result_in_reg(w, w->count + 1, VT_I64, RDX);
}

/* ---------------------------------------------------------------- all of them */

static bool emit_conversion(struct walk *w, enum mote__op op) {
    int how = truncation(op);
    if (how >= 0) {
        emit_trunc(w, (unsigned)how);
        return true;
    }
    switch (op) {
    case OP_f32_convert_i32_s: emit_convert(w, false, VT_F32); return true;
    case OP_f64_convert_i32_s: emit_convert(w, false, VT_F64); return true;
    case OP_f32_convert_i32_u: case OP_f32_convert_i64_s: emit_convert(w, true, VT_F32); return true; /* 32 unsigned bits are 64 signed ones */
    case OP_f64_convert_i32_u: case OP_f64_convert_i64_s: emit_convert(w, true, VT_F64); return true;
    case OP_f32_convert_i64_u: emit_convert_u64(w, VT_F32); return true;
    case OP_f64_convert_i64_u: emit_convert_u64(w, VT_F64); return true;
    case OP_i64_add128: emit_wide_sum(w, ALU_ADD, ALU_ADC); return true;
    case OP_i64_sub128: emit_wide_sum(w, ALU_SUB, ALU_SBB); return true;
    case OP_i64_mul_wide_s: emit_wide_product(w, true); return true;
    case OP_i64_mul_wide_u: emit_wide_product(w, false); return true;
    default: return false;
    }
}

/* ---------------------------------------------------------------- without LZCNT, BMI1, POPCNT */

/* bsr and bsf say nothing about 0, which gets `zero`; what bsr says is then counted from the other end. */
static void emit_scan_bits_bsr(struct walk *w, bool leading, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64;
    uint32_t width = wide ? 64 : 32, zero = leading ? 2 * width - 1 : width;
    unlink_operand(w);
    struct x_rm from = use_rm(w, operand(w, 0));
    int to = take_temp(w, GP), none = take_temp(w, GP);
    x_ins(c->b, X_OP(0, 1, leading ? 0xBD : 0xBC), wide, to, from);
    x_const(c->b, none, zero);
    x_cmov(c->b, CC_E, wide, to, in_reg(none));
    if (leading) x_alu_const(c->b, ALU_XOR, false, in_reg(to), (int32_t)width - 1);
    result_in_reg(w, w->count, type, to);
}

/* `at` becomes itself and `shift` more, both without the bits outside `mask`. */
static void fold_bits(struct compilation *c, bool wide, int at, int part, int mask_reg, uint64_t mask, uint32_t shift) {
    x_const(c->b, mask_reg, wide ? mask : (uint32_t)mask);
    x_mov(c->b, wide, part, at);
    x_shift_const(c->b, SHIFT_SHR, wide, part, shift);
    x_alu(c->b, ALU_AND, wide, part, in_reg(mask_reg));
    x_alu(c->b, ALU_AND, wide, at, in_reg(mask_reg));
    x_alu(c->b, ALU_ADD, wide, at, in_reg(part));
}

/* Sums of neighbours, until each byte has its own count; a product sums those. */
static void emit_count_bits_by_sums(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64;
    const uint64_t all = UINT64_MAX, bytes = all / 0xFF;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_temp(w, GP), part = take_temp(w, GP), mask = take_temp(w, GP);
    x_mov(c->b, wide, to, from);
    fold_bits(c, wide, to, part, mask, all / 3, 1);
    fold_bits(c, wide, to, part, mask, all / 5, 2);
    fold_bits(c, wide, to, part, mask, all / 17, 4);
    x_const(c->b, mask, wide ? bytes : (uint32_t)bytes);
    x_imul(c->b, wide, to, in_reg(mask));
    x_shift_const(c->b, SHIFT_SHR, wide, to, wide ? 56 : 24);
    result_in_reg(w, w->count, type, to);
}

static void emit_scan_bits(struct walk *w, bool leading, valtype type) {
    if (has_cpu(w->c, OS_CPU_LZCNT | OS_CPU_BMI1)) emit_unary(w, X_OP(0xF3, 1, leading ? 0xBD : 0xBC), type == VT_I64 ? X_WIDE : 0, type);
    else emit_scan_bits_bsr(w, leading, type);
}

static void emit_count_bits(struct walk *w, valtype type) {
    if (has_cpu(w->c, OS_CPU_POPCNT)) emit_unary(w, X_OP(0xF3, 1, 0xB8), type == VT_I64 ? X_WIDE : 0, type);
    else emit_count_bits_by_sums(w, type);
}

/* ---------------------------------------------------------------- without SSE4.1 */

/* Adds or subtracts 1 when `left` is above `right`. */
static void step_if_above(struct compilation *c, bool wide, int left, int right, uint32_t arithmetic, int to) {
    uint32_t over = 0;
    x_ucomis(c->b, wide, left, in_reg(right));
    add_fixup(c, &over, x_jcc(c->b, CC_BE));
    with_constant(c, X_OP(wide ? 0xF2 : 0xF3, 1, arithmetic), to, wide ? K_F64_ONE : K_F32_ONE);
    bind(c, &over);
}

/* Adding 2^52 (2^23) and subtracting it again rounds a magnitude below it to the nearest integer; the other ways to round are a step from there. Greater
 * ones are integers; subtracting 0 makes a NaN quiet. */
static void emit_round_sse2(struct walk *w, uint32_t mode, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_F64;
    uint32_t integer = 0, done = 0;
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_temp(w, FP), sign = take_temp(w, FP), large = take_temp(w, FP);
    x_vmov(c->b, to, from);
    x_vmov(c->b, sign, from);
    with_constant(c, X_OP(0, 1, 0x54), sign, wide ? K_F64_SIGN : K_F32_SIGN);
    with_constant(c, X_OP(0, 1, 0x54), to, wide ? K_F64_ABS : K_F32_ABS);
    with_constant(c, X_OP(wide ? 0xF2 : 0xF3, 1, 0x10), large, wide ? K_F64_2_52 : K_F32_2_23);
    x_ucomis(c->b, wide, large, in_reg(to));
    add_fixup(c, &integer, x_jcc(c->b, CC_BE));
    x_fop(c->b, 0x58, wide, to, in_reg(large));
    x_fop(c->b, 0x5C, wide, to, in_reg(large));
    if (mode == ROUND_TO_ZERO) {
        x_vmov(c->b, large, from);
        with_constant(c, X_OP(0, 1, 0x54), large, wide ? K_F64_ABS : K_F32_ABS);
        step_if_above(c, wide, to, large, 0x5C, to);
    }
    x_ins(c->b, X_OP(0, 1, 0x56), 0, to, in_reg(sign)); /* orps */
    if (mode == ROUND_DOWN) step_if_above(c, wide, to, from, 0x5C, to);
    if (mode == ROUND_UP) step_if_above(c, wide, from, to, 0x58, to);
    x_ins(c->b, X_OP(0, 1, 0x56), 0, to, in_reg(sign)); /* -1 + 1 is -0 here */
    add_fixup(c, &done, x_jmp(c->b));
    bind(c, &integer);
    x_vmov(c->b, to, from);
    x_vzero(c->b, large);
    x_fop(c->b, 0x5C, wide, to, in_reg(large));
    bind(c, &done);
    result_in_reg(w, w->count, type, to);
}
