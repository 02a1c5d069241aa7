/* baseline_fuel.h - the part of baseline.c for counting fuel (mote_config.fuel), as run/lower_branch.h does: each instruction of the language costs 1, paid
 * for a whole straight segment at its start. Included by baseline.c alone. */

/* A straight-line segment ends: its cost is known. */
static void end_segment(struct compilation *c) {
    uint32_t cost = c->fuel_cost;
    c->fuel_cost = 0;
    if (!cost || c->failed || c->b->failed) return;
    memcpy(c->b->data + c->fuel_at, &cost, sizeof cost);
    c->stubs.data[c->fuel_stub].a = cost;
}

/* An instruction of the language begins, perhaps a segment with it. */
static void charge(struct walk *w) {
    struct compilation *c = w->c;
    if (c->fuel_cost++) return;
    flush_flags(w);
    x_alu_const(c->b, ALU_SUB, true, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, fuel)), INT32_MAX);
    c->fuel_at = here(c) - 4;
    uint32_t at = (uint32_t)x_jcc(c->b, CC_B);
    c->fuel_stub = (uint32_t)c->stubs.count;
    add_stub(w, (struct stub){.kind = STUB_FUEL, .at = at, .back = here(c)});
}

/* There was less: gives back what was taken, and the thunk decides. */
static void emit_fuel_stub(struct compilation *c, const struct stub *s) {
    x_store_const(c->b, true, (int32_t)s->a, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, returned)));
    call_thunk(c, THUNK_CHARGE);
    x_patch(c->b, x_jmp(c->b), s->back);
}
