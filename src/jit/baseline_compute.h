/* baseline_compute.h - the part of baseline.c for plain computation: tables of opcodes, and the few shapes that they have.
 * Included by baseline.c alone. */

/* ---------------------------------------------------------------- steps: one instruction of the interpreter */

static void literal_slot(struct compilation *c, int32_t slot) {
    if (slot != (int16_t)slot) c->left = true;
    literal(c, (uint16_t)slot);
}

/* The operands of a step are in their canonical slots, and everything else that lives is in its own. The units follow by literal(), then end_step. */
static uint32_t begin_step(struct walk *w, uint32_t n_in, uint32_t insn) {
    struct compilation *c = w->c;
    w->count += n_in;
    settle_values(w, n_in);
    w->count -= n_in;
    leave_registers(w);
    uint32_t first = (uint32_t)c->literals.count;
    literal(c, insn);
    return first;
}

static void load_literals(struct compilation *c, uint32_t first) {
    x_lea(c->b, true, RSI, at_rip());
    leads_to_literal(c, first);
}

/* `limit`: operands that may be roots meanwhile. */
static void end_step(struct walk *w, uint32_t first, uint32_t limit) {
    struct compilation *c = w->c;
    literal(c, I_exit);
    load_literals(c, first);
    call_helper(w, HELPER_step);
    site(w, limit);
}

/* A step behind a jump: what it makes of operands in their slots is in `to` where the fast way goes on. Between begin_step and its result; more jumps may
 * be added to `list`, and `back` and add_stub follow. */
static struct stub slow_step(struct walk *w, uint32_t first, uint32_t limit, int to, int32_t slot) {
    literal(w->c, I_exit);
    return (struct stub){.kind = STUB_STEP, .a = first, .b = ref_nodes(w, limit), .to = (int8_t)to, .slot = slot, .pins = w->c->valid};
}
static void end_slow(struct walk *w, struct stub s) {
    s.back = here(w->c);
    add_stub(w, s);
    forget_locals(w->c); /* temporaries are rubbish on that way */
}

static void reload_pins(struct compilation *c, uint32_t which) {
    for (; which; which &= which - 1) {
        const struct pin *pin = &c->pins[__builtin_ctz(which)];
        load_slot(c, pin->type, pin->reg, pin->slot);
    }
}

static void emit_step_stub(struct compilation *c, struct stub *s) {
    bind(c, &s->list);
    load_literals(c, s->a);
    x_const(c->b, RAX, (uint64_t)HELPER_step * 8);
    call_thunk(c, THUNK_HELPER);
    add_site(c, here(c), s->b);
    x_load_slot(c->b, true, s->to, s->slot);
    reload_pins(c, s->pins);
    x_patch(c->b, x_jmp(c->b), s->back);
}

/* A helper behind a jump: arguments are a number and a register, the result is what it leaves in exec->returned[0]. */
static void slow_help(struct walk *w, size_t at, enum jit_helper helper, uint32_t number, int reg, int to) {
    struct stub s = {.kind = STUB_HELP, .how = (uint8_t)helper, .a = number, .reg = (int8_t)reg, .to = (int8_t)to, .pins = w->c->valid};
    add_fixup(w->c, &s.list, at);
    end_slow(w, s);
}

static void emit_help_stub(struct compilation *c, struct stub *s) {
    bind(c, &s->list);
    if (s->reg >= 0) x_mov(c->b, true, RDX, s->reg);
    x_const(c->b, RSI, s->a);
    x_const(c->b, RAX, (uint64_t)s->how * 8);
    call_thunk(c, THUNK_HELPER);
    x_load(c->b, true, s->to, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, returned)));
    reload_pins(c, s->pins);
    x_patch(c->b, x_jmp(c->b), s->back);
}

/* How the interpreter's instruction for an op is written with slots alone. */
enum step_form { STEP_NONE, STEP_PLAIN, STEP_LANE, STEP_SHUFFLE, STEP_WIDE, STEP_LOAD, STEP_STORE, STEP_LOAD_LANE, STEP_STORE_LANE, STEP_ATOMIC };
static const struct { uint16_t insn; uint8_t form; } step_of_op[OP_COUNT] = {
#define IB(id, a, out)        [OP_##id] = {I_##id##_ss_s, STEP_PLAIN},
#define IBT(id, a, out)       [OP_##id] = {I_##id##_ss_s, STEP_PLAIN},
#define IU(id, a, out)        [OP_##id] = {I_##id##_s_s, STEP_PLAIN},
#define FB(id, a)             [OP_##id] = {I_##id##_ss_s, STEP_PLAIN},
#define FC(id, a)             [OP_##id] = {I_##id##_ss_s, STEP_PLAIN},
#define FU(id, a, out)        [OP_##id] = {I_##id##_s_s, STEP_PLAIN},
#define FI(id, a, out)        [OP_##id] = {I_##id##_s_s, STEP_PLAIN},
#define FIT(id, a, out)       [OP_##id] = {I_##id##_s_s, STEP_PLAIN},
#define IF_(id, a, out)       [OP_##id] = {I_##id##_s_s, STEP_PLAIN},
#define LI(id, mem)           [OP_##id] = {I_x_##id, STEP_LOAD},
#define LF(id, t, mem)        [OP_##id] = {I_x_##id, STEP_LOAD},
#define LV(id, mem)           [OP_##id] = {I_x_##id, STEP_LOAD},
#define SI(id, mem)           [OP_##id] = {I_x_##id, STEP_STORE},
#define SF(id, t, mem)        [OP_##id] = {I_x_##id, STEP_STORE},
#define SV(id, mem)           [OP_##id] = {I_x_##id, STEP_STORE},
#define V1(id, out, a)        [OP_##id] = {I_##id##_s, STEP_PLAIN},
#define V2(id)                [OP_##id] = {I_##id##_ss, STEP_PLAIN},
#define VS(id)                [OP_##id] = {I_##id##_ss, STEP_PLAIN},
#define V3(id)                [OP_##id] = {I_##id##_s, STEP_PLAIN},
#define GL1(id, out, a)       [OP_##id] = {I_##id, STEP_LANE},
#define GL2(id, a, b)         [OP_##id] = {I_##id, STEP_LANE},
#define GSHUFFLE(id)          [OP_##id] = {I_##id, STEP_SHUFFLE},
#define GWIDE4(id)            [OP_##id] = {I_##id, STEP_WIDE},
#define GWIDE2(id)            [OP_##id] = {I_##id, STEP_WIDE},
#define XLOAD_LANE(id, mem)   [OP_##id] = {I_##id, STEP_LOAD_LANE},
#define XSTORE_LANE(id, mem)  [OP_##id] = {I_##id, STEP_STORE_LANE},
#define XATOMIC_LOAD(id, mem) [OP_##id] = {I_##id, STEP_ATOMIC},
#define XATOMIC_STORE(id, t, mem)   [OP_##id] = {I_##id, STEP_ATOMIC},
#define XATOMIC_RMW(id, t, mem)     [OP_##id] = {I_##id, STEP_ATOMIC},
#define XATOMIC_CMPXCHG(id, t, mem) [OP_##id] = {I_##id, STEP_ATOMIC},
#define B(id, a)
#define BF(id, a)
#define BN(id, a)
#include "run/insn.def"
};

static char result_letter(enum mote__op op) {
    const char *sig = mote__op_info[op].sig;
    return sig[walk_sig_in(sig) + 1];
}

static void put_memory(struct walk *w) {
    literal(w->c, w->imm.a);
    literal32(w->c, (uint32_t)w->imm.x);
    literal32(w->c, (uint32_t)(w->imm.x >> 32));
}

/* Any computing instruction or memory access. */
static void emit_step(struct walk *w, enum mote__op op, uint32_t n_in) {
    struct compilation *c = w->c;
    enum step_form form = (enum step_form)step_of_op[op].form;
    char out = result_letter(op);
    bool access = form >= STEP_LOAD, store = form == STEP_STORE || form == STEP_STORE_LANE;
    uint32_t first = begin_step(w, n_in, step_of_op[op].insn), i = w->count;
    int32_t slot = canonical(w, i);
    use_slot(c, slot + 4);
    if (!store) literal_slot(c, slot);
    uint32_t before = access ? (store ? 2 : 1) : n_in;
    for (uint32_t k = 0; k < before; k++) literal_slot(c, operand(w, k)->slot);
    if (access) put_memory(w);
    for (uint32_t k = before; k < n_in; k++) literal_slot(c, operand(w, k)->slot);
    if (form == STEP_LANE || form == STEP_LOAD_LANE || form == STEP_STORE_LANE) literal(c, w->imm.b);
    if (form == STEP_SHUFFLE)
        for (int k = 0; k < 16; k += 2) literal(c, w->imm.bytes[k] | (uint32_t)w->imm.bytes[k + 1] << 8);
    end_step(w, first, w->count);
    if (form == STEP_WIDE) {
        result_in_slot(w, i, VT_I64);
        result_in_slot(w, i + 1, VT_I64);
    } else if (out) {
        result_in_slot(w, i, walk_letter(out));
    }
}

/* ---------------------------------------------------------------- shapes that many steps share */

/* An instruction of slots and numbers: opcode, the result's slot if it has one, operands, then up to two 16-bit and two 32-bit numbers. */
struct shape {
    uint16_t insn;
    bool result;
    uint8_t n16, n32;
    uint32_t u16[2], u32[2];
    uint8_t site_units; /* units that the interpreter's own site takes */
};

/* Operands that C may look at while objects move are roots: they are in their slots. */
static void emit_shape(struct walk *w, uint32_t n_in, struct shape s, valtype out) {
    struct compilation *c = w->c;
    uint32_t first = begin_step(w, n_in, s.insn), i = w->count;
    if (s.result) literal_slot(c, canonical(w, i));
    for (uint32_t k = 0; k < n_in; k++) literal_slot(c, operand(w, k)->slot);
    for (uint32_t k = 0; k < s.n16; k++) literal(c, s.u16[k]);
    for (uint32_t k = 0; k < s.n32; k++) literal32(c, s.u32[k]);
    for (uint32_t k = 0; k < s.site_units; k++) literal(c, 0);
    end_step(w, first, i + n_in);
    if (c->noded > i) c->noded = i;
    if (s.result) result_in_slot(w, i, out);
}

static valtype address_type(bool is_64) { return is_64 ? VT_I64 : VT_I32; }

/* ---------------------------------------------------------------- integers */

static void swap_operands(struct walk *w) {
    struct walk_value *a = operand(w, 0), *b = operand(w, 1), t = *a;
    *a = *b;
    *b = t;
}

static bool is_commutative(enum x_alu alu) { return alu != ALU_SUB && alu != ALU_CMP; }

/* add, sub, and, or, xor */
static void emit_alu(struct walk *w, enum x_alu alu, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64;
    if (alu == ALU_AND && is_tested(w, type)) {
        emit_test(w, type);
        return;
    }
    unlink_two(w);
    if (operand(w, 0)->loc == LOC_CONST && is_commutative(alu)) swap_operands(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    if (is_commutative(alu) && is_own(b) && !is_own(a)) {
        swap_operands(w);
    } else if (is_commutative(alu) && in_memory(c, a) && !in_memory(c, b) && b->loc != LOC_CONST) {
        swap_operands(w);
    }
    int from = use_reg(w, a);
    bool immediate = is_const32(b);
    struct x_rm rm = immediate ? in_reg(NO_REG) : use_rm(w, b);
    int to = take_result(w, GP, a, reg_in(rm));
    int32_t k = (int32_t)(uint32_t)b->bits;
    if (to != from && alu == ALU_ADD && immediate) {
        x_lea(c->b, wide, to, at_base(from, k));
    } else if (to != from && alu == ALU_ADD && rm.reg >= 0) {
        x_lea(c->b, wide, to, at_index(from, rm.reg, 0));
    } else {
        move_reg(c, type, to, from);
        if (immediate) x_alu_const(c->b, alu, wide, in_reg(to), k);
        else x_alu(c->b, alu, wide, to, rm);
    }
    result_in_reg(w, w->count, type, to);
}

static void emit_mul(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64;
    unlink_two(w);
    if (operand(w, 0)->loc == LOC_CONST || (is_own(operand(w, 1)) && !is_own(operand(w, 0)))) swap_operands(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    if (is_const32(b)) {
        struct x_rm rm = use_rm(w, a);
        int to = take_result(w, GP, a, NO_REG);
        x_imul_const(c->b, wide, to, rm, (int32_t)(uint32_t)b->bits);
        result_in_reg(w, w->count, type, to);
        return;
    }
    int from = use_reg(w, a);
    struct x_rm rm = use_rm(w, b);
    int to = take_result(w, GP, a, reg_in(rm));
    move_reg(c, type, to, from);
    x_imul(c->b, wide, to, rm);
    result_in_reg(w, w->count, type, to);
}

static void emit_shift(struct walk *w, enum x_shift shift, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64;
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    int from = use_reg(w, a);
    if (b->loc == LOC_CONST) {
        int to = take_result(w, GP, a, NO_REG);
        move_reg(c, type, to, from);
        x_shift_const(c->b, shift, wide, to, (uint32_t)b->bits & (wide ? 63u : 31u));
        result_in_reg(w, w->count, type, to);
        return;
    }
    int count = use_reg(w, b);
    if (shift >= SHIFT_SHL && has_cpu(c, OS_CPU_BMI2)) {
        int to = take_result(w, GP, a, NO_REG);
        x_shiftx(c->b, shift, wide, to, from, count);
        result_in_reg(w, w->count, type, to);
        return;
    }
    if (count != RCX) {
        if (from == RCX) {
            from = take_temp(w, GP);
            x_mov(c->b, wide, from, RCX);
            a->reg = (int8_t)from;
            a->loc = LOC_REG;
        }
        take_certain(w, GP, RCX);
        x_mov(c->b, false, RCX, count);
    }
    const struct pin *pin = wanted_pin(w, GP);
    int to = pin && pin->reg != count ? pin->reg : is_own(a) && from != RCX ? from : take_temp(w, GP);
    forget_reg(c, GP, to);
    move_reg(c, type, to, from);
    x_shift_cl(c->b, shift, wide, to);
    result_in_reg(w, w->count, type, to);
}

enum { DIV_SIGNED = 1, DIV_REMAINDER = 2 };

/* Division through rax and rdx. What the divisor's value rules out is not checked. */
static void emit_div(struct walk *w, unsigned which, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64, is_signed = which & DIV_SIGNED, remainder = which & DIV_REMAINDER;
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    bool constant = b->loc == LOC_CONST, zero = constant && !b->bits;
    bool minus_one = constant && b->bits == (wide ? UINT64_MAX : UINT32_MAX);
    int divisor = use_reg(w, b), by = divisor, dividend = NO_REG;
    if (by == RAX || by == RDX) {
        by = take_temp(w, GP);
        if (by == RAX || by == RDX) by = take_temp(w, GP);
        if (by == RAX || by == RDX) by = take_temp(w, GP);
        x_mov(c->b, wide, by, divisor);
    }
    dividend = in_memory(c, a) || a->loc == LOC_CONST ? NO_REG : use_reg(w, a);
    if (dividend != RAX) take_certain(w, GP, RAX);
    if (dividend != RDX) spill_temp(w, GP, RDX);
    forget_reg(c, GP, RDX);
    copy_to_reg(w, a, RAX);
    forget_reg(c, GP, RAX);
    uint32_t done = 0, divide = 0;
    if (!constant || zero) {
        x_test(c->b, wide, by);
        trap_when(w, CC_E, MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO);
    }
    if (is_signed && (!constant || minus_one)) {
        x_alu_const(c->b, ALU_CMP, wide, in_reg(by), -1);
        jump_when(c, CC_NE, &divide);
        if (remainder) {
            x_zero(c->b, RDX);
        } else {
            x_group3(c->b, 3, wide, RAX);
            trap_when(w, CC_O, MOTE_TRAP_INTEGER_OVERFLOW);
        }
        add_fixup(c, &done, x_jmp(c->b));
        bind(c, &divide);
    }
    if (is_signed) {
        if (wide) x_byte(c->b, 0x48);
        x_byte(c->b, 0x99); /* cdq, cqo */
    } else {
        x_zero(c->b, RDX);
    }
    x_group3(c->b, is_signed ? 7 : 6, wide, by);
    bind(c, &done);
    result_in_reg(w, w->count, type, remainder ? RDX : RAX);
}

/* ---- comparisons: their result stays in the flags */

static unsigned mirrored(unsigned cc) {
    switch (cc) {
    case CC_B: return CC_A;
    case CC_A: return CC_B;
    case CC_BE: return CC_AE;
    case CC_AE: return CC_BE;
    case CC_L: return CC_G;
    case CC_G: return CC_L;
    case CC_LE: return CC_GE;
    case CC_GE: return CC_LE;
    default: return cc;
    }
}

static void emit_compare(struct walk *w, unsigned cc, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_I64;
    unlink_two(w);
    if (operand(w, 0)->loc == LOC_CONST && operand(w, 1)->loc != LOC_CONST) {
        swap_operands(w);
        cc = mirrored(cc);
    }
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    if (is_const32(b)) {
        compare_const(w, a, type, (int32_t)(uint32_t)b->bits);
    } else {
        int left = use_reg(w, a);
        x_alu(c->b, ALU_CMP, wide, left, use_rm(w, b));
    }
    result_in_flags(w, w->count, cc);
}

static void emit_eqz(struct walk *w, valtype type) {
    struct walk_value *v = operand(w, 0);
    if (v->loc == LOC_FLAGS) {
        v->cc = (uint8_t)negate(v->cc);
        return;
    }
    flush_flags(w); /* another operand's */
    unlink_operand(w);
    compare_const(w, v, type, 0);
    result_in_flags(w, w->count, CC_E);
}

/* One operand, one result, one instruction from register or memory. */
static void emit_unary(struct walk *w, uint32_t opcode, unsigned flags, valtype out) {
    struct compilation *c = w->c;
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    bool bytes = flags & X_BYTE_REG;
    struct x_rm rm = bytes ? in_reg(use_reg(w, v)) : use_rm(w, v);
    int to = take_result(w, class_of(out), v, NO_REG);
    x_ins(c->b, opcode, flags, to, rm);
    result_in_reg(w, w->count, out, to);
}

/* An i32 of the same bits: wrap and zero-extension are moves that may be left out. */
static void emit_wrap(struct walk *w) {
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    if (in_memory(w->c, v) || v->loc == LOC_CONST) {
        v->type = VT_I32; /* the low half */
        v->bits = (uint32_t)v->bits;
        int reg = use_reg(w, v);
        result_in_reg(w, w->count, VT_I32, reg);
        return;
    }
    int from = use_reg(w, v), to = take_result(w, GP, v, NO_REG);
    x_mov(w->c->b, false, to, from);
    result_in_reg(w, w->count, VT_I32, to);
}
static void emit_extend_u(struct walk *w) {
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    int from = use_reg(w, v), to = is_own(v) ? from : take_result(w, GP, v, NO_REG);
    if (to != from) x_mov(w->c->b, false, to, from);
    result_in_reg(w, w->count, VT_I64, to);
}

/* ---------------------------------------------------------------- floats */

/* An instruction whose second operand is one of the engine's constants. */
static void with_constant(struct compilation *c, uint32_t opcode, int reg, enum jit_constant k) {
    x_ins(c->b, opcode, 0, reg, at_rip());
    relocate_to(c, here(c) - 4, c->jit->constants + 16 * (uint32_t)k);
}

static void emit_fbinary(struct walk *w, uint32_t byte, valtype type, bool commutative) {
    struct compilation *c = w->c;
    unlink_two(w);
    if (commutative && is_own(operand(w, 1)) && !is_own(operand(w, 0))) swap_operands(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    int from = use_reg(w, a);
    struct x_rm rm = use_float_rm(w, b);
    int to = take_result(w, FP, a, rm.reg);
    move_reg(c, type, to, from);
    x_fop(c->b, byte, type == VT_F64, to, rm);
    if (is_rip(rm)) leads_to_literal(c, float_literal(c, b->bits));
    result_in_reg(w, w->count, type, to);
}

/* min and max: NaNs and zeros of both signs are not the processor's way. */
static void emit_fminmax(struct walk *w, bool max, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_F64;
    uint32_t nan = 0, same = 0, done = 0;
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    int from = use_reg(w, a), other = use_reg(w, b), to = take_temp(w, FP);
    x_vmov(c->b, to, from);
    x_ucomis(c->b, wide, to, in_reg(other));
    add_fixup(c, &nan, x_jcc(c->b, CC_P));
    add_fixup(c, &same, x_jcc(c->b, CC_E));
    x_fop(c->b, max ? 0x5F : 0x5D, wide, to, in_reg(other));
    add_fixup(c, &done, x_jmp(c->b));
    bind(c, &same);
    x_ins(c->b, X_OP(0, 1, max ? 0x54 : 0x56), 0, to, in_reg(other)); /* andps, orps: the sign of a zero */
    add_fixup(c, &done, x_jmp(c->b));
    bind(c, &nan);
    x_fop(c->b, 0x58, wide, to, in_reg(other)); /* quiets the NaN */
    bind(c, &done);
    result_in_reg(w, w->count, type, to);
}

static void emit_fcompare(struct walk *w, enum mote__op op, valtype type) {
    struct compilation *c = w->c;
    uint32_t which = op - (type == VT_F64 ? OP_f64_eq : OP_f32_eq); /* eq ne lt gt le ge */
    static const uint8_t conditions[6] = {CC_FEQ, CC_FNE, CC_A, CC_A, CC_AE, CC_AE};
    unlink_two(w);
    if (which == 2 || which == 4) swap_operands(w); /* less is the other way greater, so that unordered is false */
    int left = use_reg(w, operand(w, 0));
    struct x_rm rm = use_float_rm(w, operand(w, 1));
    x_ucomis(c->b, type == VT_F64, left, rm);
    if (is_rip(rm)) leads_to_literal(c, float_literal(c, operand(w, 1)->bits));
    result_in_flags(w, w->count, conditions[which]);
}

/* abs and neg: a bit and a constant. */
static void emit_fbits(struct walk *w, uint32_t byte, enum jit_constant k, valtype type) {
    struct compilation *c = w->c;
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    int from = use_reg(w, v), to = take_result(w, FP, v, NO_REG);
    x_vmov(c->b, to, from);
    with_constant(c, X_OP(0, 1, byte), to, k);
    result_in_reg(w, w->count, type, to);
}

static void emit_copysign(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    bool wide = type == VT_F64;
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    int from = use_reg(w, a), signs = use_reg(w, b), to = take_temp(w, FP), sign = take_temp(w, FP);
    x_vmov(c->b, sign, signs);
    x_vmov(c->b, to, from);
    with_constant(c, X_OP(0, 1, 0x54), sign, wide ? K_F64_SIGN : K_F32_SIGN);
    with_constant(c, X_OP(0, 1, 0x54), to, wide ? K_F64_ABS : K_F32_ABS);
    x_ins(c->b, X_OP(0, 1, 0x56), 0, to, in_reg(sign));
    result_in_reg(w, w->count, type, to);
}

/* Ways to round as SSE4.1's roundss and roundsd number them; 8: no exception. */
enum { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO };
static void emit_round_sse2(struct walk *w, uint32_t mode, valtype type);

static void emit_round(struct walk *w, uint32_t mode, valtype type) {
    struct compilation *c = w->c;
    if (!has_cpu(c, OS_CPU_SSE41)) {
        emit_round_sse2(w, mode, type);
        return;
    }
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    int from = use_reg(w, v), to = take_result(w, FP, v, NO_REG);
    x_ins(c->b, X_OP(0x66, 3, type == VT_F64 ? 0x0B : 0x0A), 0, to, in_reg(from));
    x_byte(c->b, mode | 8);
    result_in_reg(w, w->count, type, to);
}

static void emit_reinterpret(struct walk *w, valtype from_type, valtype to_type) {
    struct compilation *c = w->c;
    bool wide = to_type == VT_I64 || to_type == VT_F64;
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    if (in_memory(c, v) || v->loc == LOC_CONST) {
        v->type = to_type;
        int reg = use_reg(w, v);
        result_in_reg(w, w->count, to_type, reg);
        return;
    }
    int from = use_reg(w, v), to = take_result(w, class_of(to_type), NULL, NO_REG);
    if (class_of(from_type) == GP) x_to_float(c->b, wide, to, from);
    else x_from_float(c->b, wide, to, from);
    result_in_reg(w, w->count, to_type, to);
}

/* ---------------------------------------------------------------- all plain instructions */

#define CASE_INT(op, call32, call64)                                                               \
    case OP_i32_##op: call32; return;                                                              \
    case OP_i64_##op: call64; return;
#define CASE_ALU(op, alu)     CASE_INT(op, emit_alu(w, alu, VT_I32), emit_alu(w, alu, VT_I64))
#define CASE_SHIFT(op, shift) CASE_INT(op, emit_shift(w, shift, VT_I32), emit_shift(w, shift, VT_I64))
#define CASE_DIV(op, which)   CASE_INT(op, emit_div(w, which, VT_I32), emit_div(w, which, VT_I64))
#define CASE_CMP(op, cc)      CASE_INT(op, emit_compare(w, cc, VT_I32), emit_compare(w, cc, VT_I64))
#define CASE_FLOAT(op, call32, call64)                                                             \
    case OP_f32_##op: call32; return;                                                              \
    case OP_f64_##op: call64; return;
#define CASE_FBINARY(op, byte, commutative) CASE_FLOAT(op, emit_fbinary(w, byte, VT_F32, commutative), emit_fbinary(w, byte, VT_F64, commutative))

static bool emit_conversion(struct walk *w, enum mote__op op);
static bool emit_vector(struct walk *w, enum mote__op op);
static bool emit_vector_steps(struct walk *w, enum mote__op op, uint32_t n_in);
static enum mote__op unrelaxed(enum mote__op op);
static void canonicalise(struct walk *w, enum mote__op op);
static void emit_scan_bits(struct walk *w, bool leading, valtype type);
static void emit_count_bits(struct walk *w, valtype type);

static void emit_plain(struct walk *w, enum mote__op op, uint32_t n_in) {
    switch (op) {
    CASE_ALU(add, ALU_ADD)
    CASE_ALU(sub, ALU_SUB)
    CASE_ALU(and, ALU_AND)
    CASE_ALU(or, ALU_OR)
    CASE_ALU(xor, ALU_XOR)
    CASE_INT(mul, emit_mul(w, VT_I32), emit_mul(w, VT_I64))
    CASE_SHIFT(shl, SHIFT_SHL)
    CASE_SHIFT(shr_s, SHIFT_SAR)
    CASE_SHIFT(shr_u, SHIFT_SHR)
    CASE_SHIFT(rotl, SHIFT_ROL)
    CASE_SHIFT(rotr, SHIFT_ROR)
    CASE_DIV(div_s, DIV_SIGNED)
    CASE_DIV(div_u, 0)
    CASE_DIV(rem_s, DIV_SIGNED | DIV_REMAINDER)
    CASE_DIV(rem_u, DIV_REMAINDER)
    CASE_CMP(eq, CC_E)
    CASE_CMP(ne, CC_NE)
    CASE_CMP(lt_s, CC_L)
    CASE_CMP(lt_u, CC_B)
    CASE_CMP(gt_s, CC_G)
    CASE_CMP(gt_u, CC_A)
    CASE_CMP(le_s, CC_LE)
    CASE_CMP(le_u, CC_BE)
    CASE_CMP(ge_s, CC_GE)
    CASE_CMP(ge_u, CC_AE)
    CASE_INT(extend8_s, emit_unary(w, X_OP(0, 1, 0xBE), X_BYTE_REG, VT_I32), emit_unary(w, X_OP(0, 1, 0xBE), X_WIDE | X_BYTE_REG, VT_I64))
    CASE_INT(extend16_s, emit_unary(w, X_OP(0, 1, 0xBF), 0, VT_I32), emit_unary(w, X_OP(0, 1, 0xBF), X_WIDE, VT_I64))
    case OP_i64_extend32_s:
    case OP_i64_extend_i32_s: emit_unary(w, X_OP(0, 0, 0x63), X_WIDE, VT_I64); return;
    case OP_i64_extend_i32_u: emit_extend_u(w); return;
    case OP_i32_wrap_i64: emit_wrap(w); return;
    CASE_FBINARY(add, 0x58, true)
    CASE_FBINARY(sub, 0x5C, false)
    CASE_FBINARY(mul, 0x59, true)
    CASE_FBINARY(div, 0x5E, false)
    CASE_FLOAT(min, emit_fminmax(w, false, VT_F32), emit_fminmax(w, false, VT_F64))
    CASE_FLOAT(max, emit_fminmax(w, true, VT_F32), emit_fminmax(w, true, VT_F64))
    CASE_FLOAT(sqrt, emit_unary(w, X_OP(0xF3, 1, 0x51), 0, VT_F32), emit_unary(w, X_OP(0xF2, 1, 0x51), 0, VT_F64))
    CASE_FLOAT(abs, emit_fbits(w, 0x54, K_F32_ABS, VT_F32), emit_fbits(w, 0x54, K_F64_ABS, VT_F64))
    CASE_FLOAT(neg, emit_fbits(w, 0x57, K_F32_SIGN, VT_F32), emit_fbits(w, 0x57, K_F64_SIGN, VT_F64))
    CASE_FLOAT(copysign, emit_copysign(w, VT_F32), emit_copysign(w, VT_F64))
    case OP_f32_eq: case OP_f32_ne: case OP_f32_lt: case OP_f32_gt: case OP_f32_le: case OP_f32_ge: emit_fcompare(w, op, VT_F32); return;
    case OP_f64_eq: case OP_f64_ne: case OP_f64_lt: case OP_f64_gt: case OP_f64_le: case OP_f64_ge: emit_fcompare(w, op, VT_F64); return;
    CASE_FLOAT(nearest, emit_round(w, ROUND_NEAREST, VT_F32), emit_round(w, ROUND_NEAREST, VT_F64))
    CASE_FLOAT(floor, emit_round(w, ROUND_DOWN, VT_F32), emit_round(w, ROUND_DOWN, VT_F64))
    CASE_FLOAT(ceil, emit_round(w, ROUND_UP, VT_F32), emit_round(w, ROUND_UP, VT_F64))
    CASE_FLOAT(trunc, emit_round(w, ROUND_TO_ZERO, VT_F32), emit_round(w, ROUND_TO_ZERO, VT_F64))
    CASE_INT(clz, emit_scan_bits(w, true, VT_I32), emit_scan_bits(w, true, VT_I64))
    CASE_INT(ctz, emit_scan_bits(w, false, VT_I32), emit_scan_bits(w, false, VT_I64))
    CASE_INT(popcnt, emit_count_bits(w, VT_I32), emit_count_bits(w, VT_I64))
    case OP_f64_promote_f32: emit_unary(w, X_OP(0xF3, 1, 0x5A), 0, VT_F64); return;
    case OP_f32_demote_f64: emit_unary(w, X_OP(0xF2, 1, 0x5A), 0, VT_F32); return;
    case OP_i32_reinterpret_f32: emit_reinterpret(w, VT_F32, VT_I32); return;
    case OP_i64_reinterpret_f64: emit_reinterpret(w, VT_F64, VT_I64); return;
    case OP_f32_reinterpret_i32: emit_reinterpret(w, VT_I32, VT_F32); return;
    case OP_f64_reinterpret_i64: emit_reinterpret(w, VT_I64, VT_F64); return;
    default: break;
    }
    enum mote__op same = unrelaxed(op);
    if (emit_conversion(w, op) || emit_vector(w, same) || emit_vector_steps(w, same, n_in)) return;
    emit_step(w, op, n_in);
}

static void on_plain(struct walk *w, enum mote__op op, uint32_t n_in) {
    if (op == OP_i32_eqz || op == OP_i64_eqz) { /* an operand in the flags stays there */
        begin_any(w);
        emit_eqz(w, op == OP_i64_eqz ? VT_I64 : VT_I32);
        return;
    }
    begin(w);
    emit_plain(w, op, n_in);
    if (w->c->canonical_nans) canonicalise(w, op);
}
