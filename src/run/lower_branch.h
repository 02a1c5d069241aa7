/* lower_branch.h - the part of lower.c for control: fuel segments, labels, branches with their values, sites, blocks, handlers.
 * Included by lower.c alone. */

/* ---------------------------------------------------------------- fuel */

/* A straight-line segment ends: its cost is known. */
static void end_segment(struct lowering *c) {
    if (c->fuel_at != NO_POS) set32(c, c->fuel_at + 1, c->fuel_cost);
    c->fuel_at = NO_POS;
}

static bool is_too_large(const struct lowering *c) { return c->units.count > LIMIT_FUNCTION_CODE / sizeof *c->units.data; }

/* Begins an instruction of the language. Each costs 1; the segment's fuel instruction stands at its start. */
static void begin(struct walk *w) {
    struct lowering *c = w->c;
    c->instruction_pos = w->op_pos;
    if (c->failed || is_too_large(c)) mote__translate_stop(w);
    if (!c->fuel) return;
    if (c->fuel_at == NO_POS) {
        c->fuel_at = insn(c, I_fuel);
        put32(c, 0);
        c->fuel_cost = 0;
    }
    c->fuel_cost++;
}

/* ---------------------------------------------------------------- labels and branches */

static void add_fixup(struct lowering *c, uint32_t *list, uint32_t at, uint32_t origin, bool is_clause) {
    struct fixup *f = mote__vec_push(&c->fixups, c->allocator);
    if (!f) {
        c->failed = true;
        return;
    }
    *f = (struct fixup){.at = at, .origin = origin, .next = *list, .is_clause = is_clause};
    *list = (uint32_t)c->fixups.count;
}

static void bind_at(struct lowering *c, uint32_t list, uint32_t target) {
    for (; list; list = c->fixups.data[list - 1].next) {
        struct fixup f = c->fixups.data[list - 1];
        if (f.is_clause) c->draft.clauses.data[f.at].clause.target = target;
        else set32(c, f.at, target - f.origin);
    }
}

/* Branches on the list come here: nothing is known about the registers any more. */
static void bind(struct lowering *c, uint32_t *list) {
    if (!*list) return;
    end_segment(c);
    c->last = NO_POS;
    bind_at(c, *list, here(c));
    *list = 0;
    forget_registers(c);
}

/* Sets the distance at `at` of the branch that began at `origin` back to the code of the loop instruction at `pos`. Who is interrupted there is in that
 * loop, for people: the same place as in compiled code, which looks at the loop's head. */
static void set_back(struct lowering *c, uint32_t at, uint32_t origin, uint32_t start, const uint8_t *pos) {
    set32(c, at, start - origin);
    if (c->watch == at) c->watch_pos = pos;
}

/* Sets the distance at `at` of the branch that began at `origin` to a frame's label. */
static void set_target(struct lowering *c, struct walk_frame *f, uint32_t at, uint32_t origin) {
    if (f->op == OP_loop) set_back(c, at, origin, f->start, f->pos);
    else add_fixup(c, &f->fixups, at, origin, false);
}

/* Writes the distance of the branch that began at `origin` to a frame's label. */
static void put_target(struct lowering *c, struct walk_frame *f, uint32_t origin) {
    uint32_t at = here(c);
    put32(c, 0);
    set_target(c, f, at, origin);
}

/* Copies the `count` values on top of the stack to the slots where a label expects them, leaving the stack as it is. Ascending: a label's slots are never
 * above the values'. */
static void move_to_label(struct walk *w, const struct walk_frame *f, uint32_t count) {
    struct lowering *c = w->c;
    int32_t to = f->base;
    for (uint32_t i = w->count - count; i < w->count; i++) {
        struct walk_value *v = &w->stack[i];
        switch ((enum location)v->loc) {
        case LOC_SLOT: mov(c, to, v->slot, v->type); break;
        case LOC_LOCAL: mov(c, to, c->local_slots.data[v->local], v->type); break;
        case LOC_CONST: constant(c, to, v->bits, v->type); break;
        case LOC_R:
        case LOC_F:
            if (to == v->slot) settle(w, i);
            else put_register(c, to, v->type);
            break;
        }
        to += (int32_t)mote__vt_slots(v->type);
        use_slot(c, to);
    }
}

static void settle_values(struct walk *w, uint32_t count) {
    for (uint32_t i = w->count - count; i < w->count; i++) settle(w, i);
}

/* Returns the `count` values on top of the stack to the caller. */
static void emit_return(struct walk *w, uint32_t count) {
    struct lowering *c = w->c;
    uint32_t params = w->func_type ? w->func_type->param_slots : 0;
    const struct walk_value *v = count ? &w->stack[w->count - 1] : NULL;
    end_segment(c);
    if (!count) {
        insn(c, I_ret);
    } else if (count == 1 && v->loc == LOC_R) {
        insn(c, I_ret_r);
        put(c, params);
    } else if (count == 1 && v->loc == LOC_F) {
        insn(c, v->type == VT_F32 ? I_ret_f : I_ret_F);
        put(c, params);
    } else if (count == 1 && v->type != VT_V128) {
        if (v->loc == LOC_CONST) settle(w, w->count - 1);
        int32_t slot = near_slot(c, v->loc == LOC_LOCAL ? c->local_slots.data[v->local] : v->slot, v->type);
        insn(c, I_ret_s);
        put(c, params);
        put_slot(c, slot);
    } else {
        settle_values(w, count);
        uint32_t slots = (uint32_t)(canonical(w, w->count) - w->stack[w->count - count].slot);
        insn(c, I_ret_n);
        put(c, params);
        put32(c, (uint32_t)w->stack[w->count - count].slot);
        put32(c, slots);
    }
}

static bool is_body(const struct walk *w, const struct walk_frame *f) { return f == w->frames; }

/* Moves the values and goes to the label. */
static void emit_br(struct walk *w, struct walk_frame *f) {
    uint32_t count = walk_label_count(f);
    if (is_body(w, f)) {
        emit_return(w, count);
        return;
    }
    move_to_label(w, f, count);
    end_segment(w->c);
    uint32_t origin = insn(w->c, I_br);
    put_target(w->c, f, origin);
}

/* The inverse of each integer comparison, in the order of ops.def: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u. */
static const uint8_t inverse_of[10] = {1, 0, 8, 9, 6, 7, 4, 5, 2, 3};

static bool is_int_compare(unsigned op) { return (op >= OP_i32_eq && op <= OP_i32_ge_u) || (op >= OP_i64_eq && op <= OP_i64_ge_u); }
static bool is_float_compare(unsigned op) { return op >= OP_f32_eq && op <= OP_f64_ge; }

static uint32_t inverse_compare(uint32_t op) {
    uint32_t first = op >= OP_i64_eq ? OP_i64_eq : OP_i32_eq;
    return first + inverse_of[op - first];
}

/* The branch that swallows a comparison, its form `ss`. */
static uint32_t branch_of_compare(uint32_t op, bool negated) {
    if (op >= OP_f64_eq) return I_br_f64_eq_ss + 10 * (op - OP_f64_eq) + 5 * negated;
    if (op >= OP_f32_eq) return I_br_f32_eq_ss + 10 * (op - OP_f32_eq) + 5 * negated;
    if (negated) op = inverse_compare(op);
    return op >= OP_i64_eq ? I_br_i64_eq_ss + 5 * (op - OP_i64_eq) : I_br_i32_eq_ss + 5 * (op - OP_i32_eq);
}

/* A condition that was taken off the stack. */
struct condition {
    struct operand value;
    bool fused; /* the comparison before it is to be swallowed */
};

static struct condition take_condition(struct walk *w, uint32_t i) {
    struct lowering *c = w->c;
    bool in_r = w->stack[i].loc == LOC_R;
    struct condition cond = {.fused = in_r && c->cmp.last == c->last && c->r_pos == c->last && c->last != NO_POS};
    cond.value = take(w, i, WANT_R);
    return cond;
}

/* Begins the branch that is taken when the condition holds (or, `negated`, does not); its distance is to follow. Returns its first unit. */
static uint32_t begin_branch(struct lowering *c, struct condition *cond, bool negated) {
    end_segment(c);
    if (cond->fused && c->cmp.last == c->last) {
        struct comparison cmp = c->cmp;
        c->units.count = c->failed ? c->units.count : cmp.pos;
        negated ^= cmp.negated;
        bool eqz = cmp.op == OP_i32_eqz || cmp.op == OP_i64_eqz;
        uint32_t code = eqz ? (negated ? I_br_if_s : I_br_unless_s) : branch_of_compare(cmp.op, negated);
        uint32_t pos = insn(c, code + cmp.variant);
        for (uint32_t k = 0; k < cmp.unit_count; k++) put(c, cmp.units[k]);
        c->r_slot = NO_SLOT; /* the comparison never ran */
        c->cmp.last = NO_POS;
        return pos;
    }
    bool in_r = cond->value.kind == AT_REGISTER;
    uint32_t pos = insn(c, negated ? (in_r ? I_br_unless_r : I_br_unless_s) : (in_r ? I_br_if_r : I_br_if_s));
    if (!in_r) put_slot(c, cond->value.slot);
    return pos;
}

/* Goes to the label with its values when the condition holds; else falls through with the stack as it was. */
static void emit_br_if(struct walk *w, struct walk_frame *f, struct condition *cond, bool negated) {
    struct lowering *c = w->c;
    uint32_t count = walk_label_count(f);
    settle_values(w, count);
    bool in_place = !count || w->stack[w->count - count].slot == f->base;
    if (in_place && !is_body(w, f)) {
        uint32_t origin = begin_branch(c, cond, negated);
        put_target(c, f, origin);
        return;
    }
    uint32_t skip = 0, origin = begin_branch(c, cond, !negated), at = here(c);
    put32(c, 0);
    add_fixup(c, &skip, at, origin, false);
    int32_t r_slot = c->r_slot, f_slot = c->f_slot;
    emit_br(w, f);
    bind(c, &skip);
    c->r_slot = r_slot; /* the code around changed neither register */
    c->f_slot = f_slot;
}

static void on_br(struct walk *w, struct walk_frame *f) {
    begin(w);
    emit_br(w, f);
    truncate(w, w->floor);
}

static void on_return(struct walk *w) {
    begin(w);
    emit_return(w, walk_label_count(&w->frames[0]));
    truncate(w, w->floor);
}

static void on_br_if(struct walk *w, struct walk_frame *f) {
    begin(w);
    struct condition cond = take_condition(w, w->count);
    emit_br_if(w, f, &cond, false);
}

/* One entry of a br_table: straight to the label if its values are in place, else to moves that each label has once. */
static void table_entry(struct walk *w, struct walk_frame *f, uint32_t at, uint32_t origin) {
    struct lowering *c = w->c;
    uint32_t count = walk_label_count(f);
    bool in_place = !count || w->stack[w->count - count].slot == f->base;
    if (in_place && !is_body(w, f)) {
        set_target(c, f, at, origin);
        return;
    }
    if (f->stub_stamp != c->stamp) {
        f->stub_stamp = c->stamp;
        f->stub = here(c);
        emit_br(w, f);
    }
    set32(c, at, f->stub - origin);
}

static void on_br_table(struct walk *w, const uint32_t *labels, uint32_t count) {
    struct lowering *c = w->c;
    begin(w);
    uint32_t values = walk_label_count(&w->frames[w->depth - 1 - labels[count - 1]]);
    struct operand index = take(w, w->count, WANT_R);
    /* the values lie below the index */
    settle_values(w, values);
    end_segment(c);
    uint32_t origin = insn(c, index.kind == AT_REGISTER ? I_br_table_r : I_br_table_s);
    if (index.kind == AT_SLOT) put_slot(c, index.slot);
    put32(c, count - 1);
    uint32_t first = here(c);
    for (uint32_t i = 0; i < count; i++) put32(c, 0);
    c->stamp++;
    for (uint32_t i = 0; i < count && !c->failed; i++)
        table_entry(w, &w->frames[w->depth - 1 - labels[i]], first + 2 * i, origin);
    truncate(w, w->floor);
}

static void on_unreachable(struct walk *w) {
    begin(w);
    end_segment(w->c);
    insn(w->c, I_unreachable);
    truncate(w, w->floor);
}

/* ---------------------------------------------------------------- sites */

/* Ends an instruction at which objects may move or frames be walked: its distance, and the references among the first `limit` operands, with
 * the one that was copied to slot `also` (or NO_SLOT). */
static void site_also(struct walk *w, uint32_t limit, int32_t also) {
    struct lowering *c = w->c;
    uint32_t offset = here(c) + 2;
    put32(c, offset);
    uint32_t node = ref_nodes(w, limit);
    if (also != NO_SLOT) node = push_node(w, also, node);
    add_site(c, offset, node);
}

static void site(struct walk *w, uint32_t limit) { site_also(w, limit, NO_SLOT); }

/* ---------------------------------------------------------------- blocks */

/* Clauses that lead back to loops go by branches behind the code: so throwing in a circle can be interrupted as every other circle. */
static void lead_clauses_back(struct lowering *c) {
    for (size_t i = 0; i < c->draft.clauses.count && !c->failed; i++) {
        struct mote__draft_clause *p = &c->draft.clauses.data[i];
        if (!p->loop) continue;
        uint32_t start = p->clause.target;
        c->instruction_pos = p->loop;
        p->clause.target = insn(c, I_br);
        put32(c, 0);
        set_back(c, p->clause.target + 1, p->clause.target, start, p->loop);
    }
}

/* The clauses of a try_table: labels count from outside it. */
static void add_try_table_clauses(struct walk *w, const struct walk_frame *f) {
    for (size_t i = 0; i < w->catches.count; i++) {
        const struct walk_catch *k = &w->catches.data[i];
        struct walk_frame *target = &w->frames[w->depth - 2 - k->label];
        struct mote__clause clause = {.tag = k->kind < 2 ? k->tag : UINT32_MAX, .with_ref = k->kind & 1, .slot = target->base, .target = target->start};
        struct mote__draft_clause *pending = add_clause(w, f->handler, clause);
        if (!pending) return;
        use_slot(w->c, target->base + (int32_t)(k->kind < 2 ? w->module->tags[k->tag]->param_slots : 0) + 1);
        if (target->op == OP_loop) pending->loop = target->pos;
        else add_fixup(w->c, &target->fixups, (uint32_t)w->c->draft.clauses.count - 1, 0, true);
    }
}

static void on_block(struct walk *w, struct walk_frame *f) {
    struct lowering *c = w->c;
    struct condition cond = {0};
    begin(w);
    if (f->op == OP_if) cond = take_condition(w, w->count);
    flush(w);
    settle_values(w, walk_param_count(&f->type));
    f->base = canonical(w, f->height);
    f->handler = -1;
    if (f->op == OP_if) {
        uint32_t origin = begin_branch(c, &cond, true), at = here(c);
        put32(c, 0);
        add_fixup(c, &f->else_fixup, at, origin, false);
    } else if (f->op == OP_loop) {
        end_segment(c);
        f->start = here(c);
        f->pos = w->op_pos;
        c->last = NO_POS;
        forget_registers(c);
    } else if (f->op == OP_try || f->op == OP_try_table) {
        end_segment(c);
        open_handler(w, f);
        if (f->op == OP_try_table) add_try_table_clauses(w, f);
    }
    f->inner = c->draft.handler;
}

/* The frame's current code ends: its results go to the label's slots, and the operands above the label are forgotten. */
static void finish_arm(struct walk *w, struct walk_frame *f, bool go_on) {
    struct lowering *c = w->c;
    if (w->ended_live) {
        move_to_label(w, f, walk_result_count(&f->type));
        if (go_on) {
            end_segment(c);
            uint32_t origin = insn(c, I_br);
            put_target(c, f, origin);
        }
    }
    truncate(w, f->height);
    end_segment(c);
    c->last = NO_POS;
}

static void on_else(struct walk *w, struct walk_frame *f) {
    finish_arm(w, f, true);
    bind(w->c, &f->else_fixup);
    forget_registers(w->c);
    describe_label(w, f, f->height, true);
}

/* The body itself ends: falls off its end, or a branch or handler came to its label with the values in its slots. */
static void end_body(struct walk *w, struct walk_frame *f) {
    if (w->ended_live) emit_return(w, walk_result_count(&f->type));
    truncate(w, 0);
    if (!f->fixups) return;
    bind(w->c, &f->fixups);
    describe_label(w, f, 0, false);
    w->count = walk_result_count(&f->type);
    emit_return(w, w->count);
}

static void on_end(struct walk *w, struct walk_frame *f) {
    struct lowering *c = w->c;
    if (is_body(w, f)) {
        end_body(w, f);
        return;
    }
    finish_arm(w, f, false);
    if (f->op == OP_try_table || f->op == OP_try) close_handler(w, f);
    bind(c, &f->else_fixup); /* of an if without else: parameters are results */
    bind(c, &f->fixups);
    uint32_t index = f->height - (f->op == OP_catch || f->op == OP_catch_all);
    if (c->noded > index) c->noded = index;
    describe_label(w, f, index, false);
}

static void on_catch(struct walk *w, struct walk_frame *f, uint32_t tag) {
    (void)tag;
    finish_arm(w, f, true);
    if (f->op == OP_try) close_handler(w, f);
}

/* The values that a legacy catch finds: the hidden exnref at the label's first slot, the tag's values above it. */
static void on_catch_begin(struct walk *w, struct walk_frame *f, uint32_t tag) {
    struct lowering *c = w->c;
    forget_registers(c);
    begin_clause(w, f);
    add_clause(w, f->handler, (struct mote__clause){.tag = tag, .with_ref = true, .ref_first = true, .slot = f->base, .target = here(c)});
}

static void on_delegate(struct walk *w, struct walk_frame *f, uint32_t depth) {
    finish_arm(w, f, false);
    close_handler(w, f);
    delegate_handler(w, f, depth);
    bind(w->c, &f->fixups);
    describe_label(w, f, f->height, false);
}

static void on_throw(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    begin(w);
    end_segment(c);
    if (op == OP_throw) {
        uint32_t count = w->imm.type->param_count;
        w->count += count;
        settle_values(w, count);
        flush_refs(w);
        spill(w, false), spill(w, true);
        int32_t first = canonical(w, w->count - count);
        insn(c, I_throw_);
        put32(c, (uint32_t)first);
        put32(c, w->imm.a);
        site(w, w->count);
    } else {
        int32_t slot = op == OP_rethrow ? near_slot(c, w->stack[w->imm.a].slot, VT_EXNREF) : take_slot(w, w->count);
        insn(c, I_throw_ref);
        put_slot(c, slot);
        site(w, w->count);
    }
    truncate(w, w->floor);
}

/* ---------------------------------------------------------------- branches on references */

static void on_br_on(struct walk *w, enum mote__op op, struct walk_frame *f) {
    struct lowering *c = w->c;
    begin(w);
    uint32_t at = w->count;
    bool to_label = op != OP_br_on_null; /* the label takes the reference too, as its last value */
    bool cast = op == OP_br_on_cast || op == OP_br_on_cast_fail;
    settle(w, at);
    int32_t slot = near_slot(c, w->stack[at].slot, w->stack[at].type);
    struct condition cond = {.value = {.kind = AT_SLOT, .slot = slot}};
    if (cast) {
        clobber(w, false);
        int32_t answer = canonical(w, at + 1);
        if (!is_near(answer)) answer = scratch(c);
        insn(c, I_ref_test);
        put_slot(c, answer);
        put_slot(c, slot);
        put32(c, w->imm.to);
        forget_slot(c, answer);
        cond.value.slot = answer;
    }
    if (to_label) w->count++;
    emit_br_if(w, f, &cond, op == OP_br_on_null || op == OP_br_on_cast_fail);
    w->count = at;
    if (op == OP_br_on_non_null) truncate(w, at); /* a null is dropped */
}
