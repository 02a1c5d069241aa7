/* baseline_fold.h - the part of baseline.c where one instruction does the work of two or three: a load that the next instruction takes as its operand from
 * memory, and a bit test that only a condition looks at. What follows is read from the body's bytes, so that nothing is held back that would not be
 * folded. Included by baseline.c alone.
 *
 * A load is held back (LOC_LOAD) only when the very next instruction takes it, with at most a constant in between: nothing can come between them, and if it
 * traps the place is still the load's. */

#include "wasm/skip.h"

/* ---------------------------------------------------------------- what comes next */

/* The next instruction: where the walk's fast lane is ahead of the reader, past the one at hand by hand. */
static const uint8_t *next_op(const struct walk *w) {
    const uint8_t *p = w->op_pos + 1;
    if (w->r.pos > w->op_pos) return w->r.pos;
    return *w->op_pos >= 0x28 && *w->op_pos <= 0x3E ? skip_memarg(p) : p;
}

/* i32.eqz, br_if, if, select. */
static bool is_condition(uint8_t byte) { return byte == 0x45 || byte == 0x0D || byte == 0x04 || byte == 0x1B; }

/* What takes its second operand from memory, by what loads it: i32, i64, f32, f64. */
static bool takes_load(uint8_t load, uint8_t next) {
    switch (load) {
    case 0x28: return (next >= 0x46 && next <= 0x4F) || (next >= 0x6A && next <= 0x6C) || (next >= 0x71 && next <= 0x73) || is_condition(next);
    case 0x29: return (next >= 0x50 && next <= 0x5A) || (next >= 0x7C && next <= 0x7E) || (next >= 0x83 && next <= 0x85);
    case 0x2A: return next >= 0x92 && next <= 0x95;
    case 0x2B: return next >= 0xA0 && next <= 0xA3;
    case 0x2C: case 0x2D: return is_condition(next);
    default: return false;
    }
}

/* A comparison of what was loaded with a constant of one byte, or a test of its bits. Of a byte only what comes out the same in 8 bits as in 32. */
static bool takes_load_and_constant(uint8_t load, const uint8_t *p, const uint8_t *end) {
    bool wide = load == 0x29;
    if (load > 0x2D || load == 0x2A || load == 0x2B || p + 3 >= end || p[0] != (wide ? 0x42 : 0x41) || p[1] & 0x80) return false;
    bool negative = p[1] & 0x40;
    uint8_t next = p[2];
    if (next == (wide ? 0x83 : 0x71)) return !negative && (wide ? p[3] == 0x50 : is_condition(p[3]));
    bool equality = next == 0x46 || next == 0x47, is_unsigned = next & 1;
    if (load == 0x2D && (negative || (!equality && !is_unsigned))) return false;
    if (load == 0x2C && !equality && is_unsigned) return false;
    return wide ? next >= 0x51 && next <= 0x5A : next >= 0x46 && next <= 0x4F;
}

static bool holds_load(const struct walk *w) {
    const uint8_t *p = next_op(w), *end = w->r.end;
    return p + 1 < end && (takes_load(*w->op_pos, *p) || takes_load_and_constant(*w->op_pos, p, end));
}

/* ---------------------------------------------------------------- a load that is held back */

static void result_in_load(struct walk *w, valtype type, uint32_t opcode, unsigned flags, struct x_rm rm) {
    struct compilation *c = w->c;
    struct walk_value *v = operand(w, 0);
    v->slot = canonical(w, w->count);
    v->loc = LOC_LOAD;
    v->type = type;
    v->reg = rm.index;
    v->bits = (uint32_t)rm.disp;
    v->local = opcode;
    v->cc = (uint8_t)flags;
    if (rm.index >= 0 && is_temp(GP, rm.index)) own(c, w->count, GP, rm.index);
    c->load_at = w->count;
    c->load_pos = w->op_pos;
}

static bool is_byte_load(const struct walk_value *v) { return v->loc == LOC_LOAD && v->cc & X_BYTE_LOAD; }

/* Compares an operand, or tests its bits, with a constant. */
static void compare_const(struct walk *w, struct walk_value *v, valtype type, int32_t k) {
    struct compilation *c = w->c;
    if (is_byte_load(v)) {
        x_ins(c->b, X_OP(0, 0, 0x80), 0, (int)ALU_CMP, load_rm(v));
        x_byte(c->b, (uint8_t)k);
        return;
    }
    struct x_rm rm = use_rm(w, v);
    if (!k && rm.reg >= 0) x_test(c->b, type == VT_I64, rm.reg);
    else x_alu_const(c->b, ALU_CMP, type == VT_I64, rm, k);
}

static void test_const(struct walk *w, struct walk_value *v, valtype type, int32_t k) {
    struct compilation *c = w->c;
    if (is_byte_load(v)) {
        x_ins(c->b, X_OP(0, 0, 0xF6), 0, 0, load_rm(v));
        x_byte(c->b, (uint8_t)k);
        return;
    }
    x_ins(c->b, X_OP(0, 0, 0xF7), type == VT_I64, 0, use_rm(w, v));
    x_32(c->b, (uint32_t)k);
}

/* ---------------------------------------------------------------- bit tests */

/* True when the result of an `and` at hand is only asked whether it is zero. */
static bool is_tested(const struct walk *w, valtype type) {
    const uint8_t *p = next_op(w);
    return p < w->r.end && (type == VT_I64 ? *p == 0x50 : is_condition(*p));
}

/* An `and` whose result need not be anywhere. */
static void emit_test(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    unlink_operands(w, 2);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    if (is_const32(b)) {
        test_const(w, a, type, (int32_t)(uint32_t)b->bits);
    } else {
        int left = use_reg(w, a);
        x_ins(c->b, X_OP(0, 0, 0x85), type == VT_I64, left, use_rm(w, b));
    }
    result_in_flags(w, w->count, CC_NE);
}
