/* baseline_canonical.h - the part of baseline.c for canonical NaNs (mote_config.canonical_nans): after each instruction that may make another one, as in
 * run/lower_compute.h. Included by baseline.c alone. */

static enum jit_constant nan_of(bool wide) { return wide ? K_F64X2_NAN : K_F32X4_NAN; }

static void canonicalise_scalar(struct walk *w, bool wide, int reg) {
    struct compilation *c = w->c;
    x_ucomis(c->b, wide, reg, in_reg(reg));
    uint32_t at = (uint32_t)x_jcc(c->b, CC_P);
    add_stub(w, (struct stub){.kind = STUB_CANONICAL, .wide = wide, .reg = (int8_t)reg, .at = at, .back = here(c)});
}

static void emit_canonical_stub(struct compilation *c, const struct stub *s) {
    with_constant(c, X_OP(0, 1, 0x28), s->reg, nan_of(s->wide));
    x_patch(c->b, x_jmp(c->b), s->back);
}

/* Where lanes are unordered with themselves, those of the constant: x ^ ((x ^ constant) & unordered). */
static void canonicalise_lanes(struct walk *w, bool wide, int reg) {
    struct compilation *c = w->c;
    int nans = take_temp(w, FP), change = take_temp(w, FP);
    x_vmov(c->b, nans, reg);
    x_ins(c->b, X_OP(wide ? 0x66 : 0, 1, 0xC2), 0, nans, in_reg(nans)); /* cmpunordps, cmpunordpd */
    x_byte(c->b, 3);
    with_constant(c, X_OP(0, 1, 0x28), change, nan_of(wide));
    x_ins(c->b, X_OP(0, 1, 0x57), 0, change, in_reg(reg));
    x_ins(c->b, X_OP(0, 1, 0x54), 0, change, in_reg(nans));
    x_ins(c->b, X_OP(0, 1, 0x57), 0, reg, in_reg(change));
}

/* The result of an instruction just emitted. */
static void canonicalise(struct walk *w, enum mote__op op) {
    struct compilation *c = w->c;
    char lanes = mote__op_nan_lanes(op);
    if (!lanes) return;
    struct walk_value *v = operand(w, 0);
    c->locked[FP] = 0;
    if (v->loc == LOC_SLOT) {
        int reg = take_temp(w, FP);
        load_slot(c, v->type, reg, v->slot);
        result_in_reg(w, w->count, v->type, reg);
    }
    c->locked[FP] = UINT32_C(1) << v->reg;
    if (v->type == VT_V128) canonicalise_lanes(w, lanes == 'F', v->reg);
    else canonicalise_scalar(w, lanes == 'F', v->reg);
}
