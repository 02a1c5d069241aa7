/* baseline_fold.h - the part of baseline.c where one instruction does the work of two or three: a load that the next instruction takes as its operand from
 * memory, and a bit test that only a condition looks at. What follows is read from the body's bytes, so that nothing is held back that would not be
 * folded. Included by baseline.c alone.
 *
 * A load is held back (LOC_LOAD) only when the very next instruction takes it, with at most a constant in between: nothing can come between them, and if it
 * traps the place is still the load's. */

#include "wasm/skip.h"

/* ---------------------------------------------------------------- what comes next */

static const uint8_t *next_op(const struct walk *w) { return w->r.pos; }

/* i32.eqz, br_if, if, select. */
static bool is_condition(uint8_t byte) { return byte == 0x45 || byte == 0x0D || byte == 0x04 || byte == 0x1B; }

/* Loads that something may take as an operand. */
enum fold { FOLD_I32 = 1, FOLD_I64 = 2, FOLD_F32 = 4, FOLD_F64 = 8, FOLD_BYTE_S = 16, FOLD_BYTE_U = 32 };

/* Which of them an instruction takes as its second operand or, if it asks for a condition, as its only one: by its byte. */
#define COND FOLD_I32 | FOLD_BYTE_S | FOLD_BYTE_U
#define ROW_3(byte, fold)  [byte] = fold, [(byte) + 1] = fold, [(byte) + 2] = fold
#define ROW_10(byte, fold) ROW_3(byte, fold), ROW_3((byte) + 3, fold), ROW_3((byte) + 6, fold), [(byte) + 9] = fold
static const uint8_t folds_of_byte[256] = {
    [0x45] = COND, [0x0D] = COND, [0x04] = COND, [0x1B] = COND,
    ROW_10(0x46, FOLD_I32), ROW_3(0x6A, FOLD_I32), ROW_3(0x71, FOLD_I32), /* comparisons; add, sub, mul; and, or, xor */
    [0x50] = FOLD_I64, ROW_10(0x51, FOLD_I64), ROW_3(0x7C, FOLD_I64), ROW_3(0x83, FOLD_I64),
    ROW_3(0x92, FOLD_F32), [0x95] = FOLD_F32, ROW_3(0xA0, FOLD_F64), [0xA3] = FOLD_F64, /* add, sub, mul, div */
};
#undef COND
#undef ROW_3
#undef ROW_10

/* A comparison of what was loaded with a constant of one byte, or a test of its bits. Of a byte only what comes out the same in 8 bits as in 32. */
static bool folds_with_constant(enum fold fold, const uint8_t *p, const uint8_t *end) {
    bool wide = fold == FOLD_I64;
    if (fold == FOLD_F32 || fold == FOLD_F64 || p[0] != (wide ? 0x42 : 0x41) || p + 3 >= end || p[1] & 0x80) return false;
    bool negative = p[1] & 0x40;
    uint8_t next = p[2];
    if (next == (wide ? 0x83 : 0x71)) return !negative && (wide ? p[3] == 0x50 : is_condition(p[3]));
    bool equality = next == 0x46 || next == 0x47, is_unsigned = next & 1;
    if (fold == FOLD_BYTE_U && (negative || (!equality && !is_unsigned))) return false;
    if (fold == FOLD_BYTE_S && !equality && is_unsigned) return false;
    return wide ? next >= 0x51 && next <= 0x5A : next >= 0x46 && next <= 0x4F;
}

static bool holds_load(const struct walk *w, enum fold fold) {
    const uint8_t *p = next_op(w);
    return folds_of_byte[*p] & fold || folds_with_constant(fold, p, w->r.end);
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
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    if (is_const32(b)) {
        test_const(w, a, type, (int32_t)(uint32_t)b->bits);
    } else {
        int left = use_reg(w, a);
        x_ins(c->b, X_OP(0, 0, 0x85), type == VT_I64, left, use_rm(w, b));
    }
    result_in_flags(w, w->count, CC_NE);
}
