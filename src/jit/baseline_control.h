/* baseline_control.h - the part of baseline.c for control: jumps and labels, what is where at a label, sites, traps, blocks, handlers, returns.
 * Included by baseline.c alone. */

/* ---------------------------------------------------------------- distances that are not known yet */

static void new_fixup(struct compilation *c, uint32_t *list, struct fixup fixup) {
    struct fixup *f = mote__vec_push(&c->fixups, c->allocator);
    if (!f) {
        c->failed = true;
        return;
    }
    *f = fixup;
    f->next = *list;
    *list = (uint32_t)c->fixups.count;
}
static void add_fixup(struct compilation *c, uint32_t *list, size_t at) { new_fixup(c, list, (struct fixup){.at = (uint32_t)at}); }

static void bind_to(struct compilation *c, uint32_t *list, uint32_t target) {
    for (; *list && !c->failed; *list = c->fixups.data[*list - 1].next) {
        const struct fixup *f = &c->fixups.data[*list - 1];
        if (f->in_table) c->table_entries.data[f->at] = target;
        else x_patch(c->b, f->at, target);
    }
    *list = 0;
}
static void bind(struct compilation *c, uint32_t *list) { bind_to(c, list, here(c)); }

static void relocate_to(struct compilation *c, size_t at, code_offset target) {
    struct jit_relocation *r = mote__vec_push(&c->out->relocations, c->allocator);
    if (r) *r = (struct jit_relocation){.at = (uint32_t)at, .target = target};
    else c->failed = true;
}
static void call_thunk(struct compilation *c, enum thunk thunk) { relocate_to(c, x_call(c->b), c->jit->thunks[thunk]); }

/* Adds a fixup for a jump when the condition holds. */
static void jump_when(struct compilation *c, unsigned cc, uint32_t *list) {
    uint32_t skip = 0;
    if (cc == CC_FEQ) add_fixup(c, &skip, x_jcc(c->b, CC_P));
    if (cc == CC_FNE) add_fixup(c, list, x_jcc(c->b, CC_P));
    enum x_cc plain = cc == CC_FEQ ? CC_E : cc == CC_FNE ? CC_NE : (enum x_cc)cc;
    add_fixup(c, list, x_jcc(c->b, plain));
    bind(c, &skip);
}

/* ---------------------------------------------------------------- traps and other code out of line */

static void add_stub(struct walk *w, struct stub stub) {
    struct stub *s = mote__vec_push(&w->c->stubs, w->c->allocator);
    stub.op_pos = w->op_pos;
    if (s) *s = stub;
    else w->c->failed = true;
}
static void trap_when(struct walk *w, enum x_cc cc, uint32_t trap) {
    add_stub(w, (struct stub){.kind = STUB_TRAP, .trap = (uint8_t)trap, .at = (uint32_t)x_jcc(w->c->b, cc)});
}
static void trap_now(struct compilation *c, uint32_t trap) {
    x_const(c->b, RDI, trap);
    call_thunk(c, THUNK_TRAP);
}

/* ---------------------------------------------------------------- sites */

/* A call just emitted returns here: the references among the first `limit` operands are roots. */
static void site(struct walk *w, uint32_t limit) { add_site(w->c, here(w->c), ref_nodes(w, limit)); }

/* Everything that lives is in its slot, for a call; no pin is valid after it. */
static void leave_registers(struct walk *w) {
    spill_temps(w);
    clean_pins(w->c, UINT32_MAX);
}
static void call_helper(struct walk *w, enum jit_helper helper) {
    x_const(w->c->b, RAX, (uint64_t)helper * 8);
    call_thunk(w->c, THUNK_HELPER);
    w->c->valid = 0;
    forget_locals(w->c);
}

/* The instance and its memory are this frame's again. */
static void reload_instance(struct compilation *c) {
    x_load_slot(c->b, true, REG_INSTANCE, FRAME_INSTANCE);
    if (c->fixed) x_load(c->b, true, REG_MEMORY, at_base(REG_INSTANCE, (int32_t)offsetof(struct mote__instance, fixed_base)));
}

/* The same after a call that may have come back from another instance: rarely, so that what follows does not wait for the frame. */
static void recover_instance(struct compilation *c) {
    x_alu(c->b, ALU_CMP, true, REG_INSTANCE, at_slot(FRAME_INSTANCE));
    size_t same = x_jcc_short(c->b, CC_E);
    reload_instance(c);
    x_patch_short(c->b, same);
}

/* ---------------------------------------------------------------- what is where at a label */

/* The class of the register that a label's single value is in; -1: its values are in slots. */
static int label_class(const struct walk_frame *f) {
    return f->op != OP_loop && walk_label_count(f) == 1 ? class_of(walk_label_type(f, 0)) : -1;
}

/* Pins become as the label wants them. Leaves the flags alone. */
static void conform_pins(struct compilation *c, struct walk_frame *f) {
    if (!f->known) {
        f->known = true;
        f->need = c->valid;
        f->dirty = 0;
    }
    uint32_t clean = f->op == OP_loop ? ~(f->need & f->dirty) : ~f->need;
    clean_pins(c, clean);
    for (uint32_t bits = f->need & ~c->valid; bits; bits &= bits - 1) validate_pin(c, &c->pins[__builtin_ctz(bits)]);
    f->dirty |= c->dirty & f->need;
}

/* Copies the `count` values on top of the stack to the slots where a label expects them, leaving the stack as it is. Ascending: a label's slots
 * are never above the values'. */
static void move_to_slots(struct walk *w, int32_t to, uint32_t count) {
    for (uint32_t i = w->count - count; i < w->count; i++) {
        code_room(w->c->b);
        copy_to_slot(w, &w->stack[i], to);
        to += (int32_t)mote__vt_slots(w->stack[i].type);
        use_slot(w->c, to);
    }
}

/* Puts a value into a register, leaving the stack and the flags as they are. */
static void copy_to_reg(struct walk *w, const struct walk_value *v, int reg) {
    struct compilation *c = w->c;
    int from = reg_of(c, v);
    if (from >= 0) {
        move_reg(c, v->type, reg, from);
    } else if (v->loc == LOC_CONST) {
        load_const(c, v->type, reg, v->bits);
    } else {
        load_slot(c, v->type, reg, slot_of(c, v));
    }
}

/* The label's values, the top of the stack, go where it expects them; pins too. Other operands are as before. */
static void conform(struct walk *w, struct walk_frame *f) {
    int cls = label_class(f);
    if (cls >= 0) {
        if (!holds(w->c, cls, 0, w->count - 1)) spill_owned(w, cls, 0);
        copy_to_reg(w, &w->stack[w->count - 1], 0);
        forget_reg(w->c, cls, 0);
    } else {
        move_to_slots(w, f->base, walk_label_count(f));
    }
    conform_pins(w->c, f);
}

static void put_jump(struct compilation *c, struct walk_frame *f) {
    size_t at = x_jmp(c->b);
    if (f->op == OP_loop) x_patch(c->b, at, f->start);
    else add_fixup(c, &f->fixups, at);
}

static void put_jump_when(struct compilation *c, struct walk_frame *f, unsigned cc) {
    uint32_t list = 0;
    if (f->op != OP_loop) {
        jump_when(c, cc, &f->fixups);
        return;
    }
    jump_when(c, cc, &list);
    bind_to(c, &list, f->start);
}

/* ---------------------------------------------------------------- returning */

static bool is_body(const struct walk *w, const struct walk_frame *f) { return f == w->frames; }

static void copy_slots(struct compilation *c, int32_t to, int32_t from, uint32_t count) {
    for (uint32_t i = 0; i < count && to != from; i++) {
        code_room(c->b);
        x_load_slot(c->b, true, RAX, from + (int32_t)i);
        x_store_slot(c->b, RAX, to + (int32_t)i);
    }
}

/* Returns the `count` values on top of the stack; the stack stays as it is. Several must have been settled. */
static void emit_return(struct walk *w, uint32_t count) {
    struct compilation *c = w->c;
    if (count == 1) {
        copy_to_reg(w, &w->stack[w->count - 1], 0);
    } else if (count) {
        int32_t from = w->stack[w->count - count].slot, end = canonical(w, w->count);
        x_load_slot(c->b, true, RCX, FRAME_CALLER);
        copy_slots(c, -(int32_t)w->func_type->param_slots, from, (uint32_t)(end - from));
        x_mov(c->b, true, REG_FRAME, RCX);
        x_ret(c->b);
        return;
    }
    x_load_slot(c->b, true, REG_FRAME, FRAME_CALLER);
    x_ret(c->b);
}

/* ---------------------------------------------------------------- branches */

static void compare_const(struct walk *w, struct walk_value *v, valtype type, int32_t k);

/* A condition taken off the stack, now in the flags. */
static unsigned take_condition(struct walk *w, uint32_t i) {
    struct compilation *c = w->c;
    struct walk_value *v = &w->stack[i];
    if (v->loc == LOC_FLAGS) {
        c->flags_at = -1;
        return v->cc;
    }
    flush_flags(w);
    uint32_t count = w->count;
    w->count = i;
    unlink_operand(w);
    w->count = count;
    compare_const(w, v, VT_I32, 0);
    return CC_NE;
}

static unsigned negate(unsigned cc) { return cc ^ 1; }

/* The top `count` values are about to be moved down to slots that may be those of other operands, of which none is spilled meanwhile. */
static void leave_slots_to(struct walk *w, uint32_t count) {
    settle_values(w, count);
    spill_temps(w);
}

static void emit_br(struct walk *w, struct walk_frame *f) {
    uint32_t count = walk_label_count(f);
    if (is_body(w, f)) {
        if (count > 1) settle_values(w, count);
        emit_return(w, count);
        return;
    }
    if (label_class(f) < 0 && count) leave_slots_to(w, count);
    conform(w, f);
    put_jump(w->c, f);
}

/* The same when the label's values are slots elsewhere, where other operands may be now: they are moved on the way only. */
static void emit_br_if_moving(struct walk *w, struct walk_frame *f, unsigned cc) {
    struct compilation *c = w->c;
    uint32_t skip = 0;
    leave_slots_to(w, walk_label_count(f));
    jump_when(c, negate(cc), &skip);
    uint32_t valid = c->valid, dirty = c->dirty;
    conform(w, f);
    put_jump(c, f);
    bind(c, &skip);
    forget_locals(c);
    c->valid = valid;
    c->dirty = dirty;
}

/* Goes to the label with its values when the condition holds; else falls through with the stack as it was. */
static void emit_br_if(struct walk *w, struct walk_frame *f, unsigned cc) {
    struct compilation *c = w->c;
    uint32_t skip = 0, count = walk_label_count(f);
    if (!is_body(w, f)) {
        bool moving = label_class(f) < 0 && count && w->stack[w->count - count].slot != f->base;
        if (moving) {
            emit_br_if_moving(w, f, cc);
            return;
        }
        conform(w, f);
        put_jump_when(c, f, cc);
        return;
    }
    if (count > 1) settle_values(w, count);
    if (count == 1 && !holds(c, label_class(f), 0, w->count - 1)) spill_owned(w, label_class(f), 0);
    struct walk_value *v = count == 1 ? &w->stack[w->count - 1] : NULL;
    const struct pin *pin = v && v->loc == LOC_LOCAL ? pin_of_local(c, v->local) : NULL;
    if (pin) validate_pin(c, pin);
    if (v && v->loc == LOC_CONST && class_of(v->type) == FP) { /* it goes through a temporary: on both ways */
        copy_to_reg(w, v, 0);
        result_in_reg(w, w->count - 1, v->type, 0);
    }
    jump_when(c, negate(cc), &skip);
    emit_return(w, count);
    bind(c, &skip);
}

static void on_br(struct walk *w, struct walk_frame *f) {
    begin(w);
    emit_br(w, f);
    truncate(w, w->floor);
}

static void on_return(struct walk *w) {
    begin(w);
    emit_br(w, &w->frames[0]);
    truncate(w, w->floor);
}

static void on_br_if(struct walk *w, struct walk_frame *f) {
    begin_any(w);
    unsigned cc = take_condition(w, w->count);
    end_segment(w->c);
    emit_br_if(w, f, cc);
}

/* Moves that a label wants before it is jumped to from a br_table, and the jump; nothing if it wants none. */
static void table_moves(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    uint32_t valid = c->valid, dirty = c->dirty, start = here(c);
    code_room(c->b);
    if (is_body(w, f)) {
        emit_br(w, f);
    } else {
        conform(w, f);
        if (here(c) != start) put_jump(c, f);
    }
    f->stub = here(c) != start ? start : 0;
    c->valid = valid;
    c->dirty = dirty;
    forget_locals(c);
}

/* An entry of a br_table leads to the label, or to moves that each label has once. */
static void table_entry(struct walk *w, struct walk_frame *f, uint32_t entry) {
    struct compilation *c = w->c;
    if (f->stub_stamp != c->stamp) {
        f->stub_stamp = c->stamp;
        table_moves(w, f);
    }
    if (f->stub) c->table_entries.data[entry] = f->stub;
    else if (f->op == OP_loop) c->table_entries.data[entry] = f->start;
    else new_fixup(c, &f->fixups, (struct fixup){.at = entry, .in_table = true});
}

/* Jumps through the table with an index in rdx, beyond which the last entry counts, without a branch that could be mispredicted. */
static void jump_through_table(struct compilation *c, uint32_t first, uint32_t count) {
    x_const(c->b, RCX, count - 1);
    x_alu(c->b, ALU_CMP, false, RDX, in_reg(RCX));
    x_cmov(c->b, CC_A, false, RDX, in_reg(RCX));
    struct table_use *use = mote__vec_push(&c->table_uses, c->allocator);
    uint32_t at = (uint32_t)x_lea_rip(c->b, RCX);
    if (use) *use = (struct table_use){.at = at, .first = first, .count = count};
    else c->failed = true;
    x_ins(c->b, X_OP(0, 0, 0x63), X_WIDE, RDX, at_element(RCX, RDX, 2, 0));
    x_alu(c->b, ALU_ADD, true, RDX, in_reg(RCX));
    x_through(c->b, 4, in_reg(RDX));
}

static void on_br_table(struct walk *w, const uint32_t *labels, uint32_t count) {
    struct compilation *c = w->c;
    begin(w);
    uint32_t values = walk_label_count(&w->frames[w->depth - 1 - labels[count - 1]]), first = (uint32_t)c->table_entries.count;
    unlink_operand(w);
    if (!mote__vec_reserve(&c->table_entries, c->allocator, count)) {
        c->failed = true;
        truncate(w, w->floor);
        return;
    }
    c->table_entries.count += count;
    int index = use_reg(w, operand(w, 0));
    leave_slots_to(w, values);
    x_mov(c->b, false, RDX, index);
    jump_through_table(c, first, count);
    c->stamp++;
    for (uint32_t i = 0; i < count && !c->failed && !c->b->failed; i++) {
        c->locked[GP] = c->locked[FP] = 0;
        table_entry(w, &w->frames[w->depth - 1 - labels[i]], first + i);
    }
    truncate(w, w->floor);
}

static void on_unreachable(struct walk *w) {
    begin(w);
    trap_now(w->c, MOTE_TRAP_UNREACHABLE);
    truncate(w, w->floor);
}

/* ---------------------------------------------------------------- handlers */

static void reload_pins(struct compilation *c, uint32_t which);

/* Where a pad goes on: the index of the place that the label will have, or the place of a loop. */
static uint32_t pad_target(struct compilation *c, struct walk_frame *target) {
    if (target->op == OP_loop) return target->start;
    if (!target->pads) {
        if (!mote__vec_push(&c->pad_places, c->allocator)) c->failed = true;
        target->pads = (uint32_t)c->pad_places.count;
    }
    return target->pads - 1;
}

static uint32_t label_slots(const struct walk_frame *f) {
    uint32_t slots = 0;
    for (uint32_t i = 0; i < walk_label_count(f); i++) slots += mote__vt_slots(walk_label_type(f, i));
    return slots;
}

/* What a clause of a try_table delivers is in the label's slots: a pad, behind the function's code, takes it, and the pins, to where the label wants them.
 * Entering the block costs nothing: whoever may throw has stored what was in registers. */
static void add_pad(struct walk *w, const struct walk_frame *f, const struct walk_catch *k) {
    struct compilation *c = w->c;
    struct walk_frame *target = &w->frames[w->depth - 2 - k->label];
    bool body = is_body(w, target);
    int cls = label_class(target);
    if (!body && !target->known) {
        target->known = true;
        target->need = c->valid;
        target->dirty = 0;
    }
    add_clause(w, f->handler, (struct mote__clause){.tag = k->kind < 2 ? k->tag : UINT32_MAX, .with_ref = k->kind & 1, .slot = target->base});
    use_slot(c, target->base + (int32_t)(k->kind < 2 ? w->module->tags[k->tag]->param_slots : 0) + 1);
    struct stub s = {.kind = STUB_PAD, .how = body ? PAD_BODY : target->op == OP_loop ? PAD_LOOP : PAD_LABEL, .slot = target->base,
                     .a = (uint32_t)c->draft.clauses.count - 1, .type = cls >= 0 ? walk_label_type(target, 0) : VT_BOTTOM};
    if (body) s.pins = cls < 0 ? label_slots(target) : 0, s.b = w->func_type->param_slots;
    else s.pins = target->need, s.b = pad_target(c, target);
    add_stub(w, s);
}

static void emit_pad_stub(struct compilation *c, const struct stub *s) {
    if (c->failed) return;
    c->draft.clauses.data[s->a].clause.target = here(c);
    reload_instance(c);
    if (s->type != VT_BOTTOM) load_slot(c, s->type, 0, s->slot);
    if (s->how == PAD_BODY) {
        x_load_slot(c->b, true, RCX, FRAME_CALLER);
        copy_slots(c, -(int32_t)s->b, s->slot, s->pins);
        x_mov(c->b, true, REG_FRAME, RCX);
        x_ret(c->b);
        return;
    }
    reload_pins(c, s->pins);
    x_patch(c->b, x_jmp(c->b), s->how == PAD_LOOP ? s->b : c->pad_places.data[s->b]);
}

/* The end of a block, where branches and pads lead. */
static void bind_label(struct compilation *c, struct walk_frame *f) {
    bind(c, &f->fixups);
    if (f->pads && !c->failed) c->pad_places.data[f->pads - 1] = here(c);
}

static void open_try_table(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    open_handler(w, f);
    for (size_t i = 0; i < w->catches.count && !c->failed; i++) add_pad(w, f, &w->catches.data[i]);
}

/* ---------------------------------------------------------------- blocks */

static uint64_t local_bit(uint32_t local) { return UINT64_C(1) << (local & 63); }

/* The pins that a loop uses are in registers all the way around it. */
static void open_loop(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    struct loop_use use = c->loops_seen < c->loops.count ? c->loops.data[c->loops_seen] : (struct loop_use){0};
    c->loops_seen++;
    f->known = true;
    f->need = f->dirty = 0;
    for (uint32_t p = 0; p < c->pin_count; p++) {
        if (use.used & local_bit(c->pins[p].local)) f->need |= UINT32_C(1) << p;
        if (use.set & local_bit(c->pins[p].local)) f->dirty |= UINT32_C(1) << p;
    }
    f->dirty = (f->dirty | c->dirty) & f->need;
    clean_pins(c, ~f->need);
    for (uint32_t bits = f->need & ~c->valid; bits; bits &= bits - 1) validate_pin(c, &c->pins[__builtin_ctz(bits)]);
    c->valid = f->need;
    c->dirty = f->dirty;
    forget_locals(c);
    if (!use.calls) x_align(c->b, JIT_ALIGNMENT); /* short turns gain by it */
    f->start = here(c);
    x_alu_const(c->b, ALU_CMP, false, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, interrupt)), 0);
    add_stub(w, (struct stub){.kind = STUB_STOP, .at = (uint32_t)x_jcc(c->b, CC_NE)});
}

static void on_block(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    unsigned cc = 0;
    if (f->op == OP_if) {
        begin_any(w);
        cc = take_condition(w, w->count);
    } else {
        begin(w);
    }
    flush(w);
    settle_values(w, walk_param_count(&f->type));
    f->base = canonical(w, f->height);
    f->handler = -1;
    f->known = false;
    f->pads = 0;
    if (f->op != OP_block) end_segment(c);
    if (f->op == OP_if) {
        jump_when(c, negate(cc), &f->else_fixup);
        f->if_valid = c->valid;
        f->if_dirty = c->dirty;
    } else if (f->op == OP_loop) {
        open_loop(w, f);
    } else if (f->op == OP_try) {
        open_handler(w, f);
    } else if (f->op == OP_try_table) {
        open_try_table(w, f);
    }
    f->inner = c->draft.handler;
}

/* The frame's current code ends: its results go where the label wants them, and the operands above the frame are forgotten. */
static void finish_arm(struct walk *w, struct walk_frame *f, bool jump) {
    if (w->ended_live) {
        conform(w, f);
        if (jump) put_jump(w->c, f);
    } else {
        w->count = f->height; /* what was above is gone already */
    }
    truncate(w, f->height);
}

static void on_else(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    begin_edge(w);
    finish_arm(w, f, true);
    bind(c, &f->else_fixup);
    forget_locals(c);
    c->valid = f->if_valid;
    c->dirty = f->if_dirty;
    describe_label(w, f, f->height, true);
}

/* The way around an if without else: its parameters are its results. */
static void finish_one_armed(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    uint32_t over = 0;
    int cls = label_class(f);
    uint32_t valid = c->valid, dirty = c->dirty;
    if (w->ended_live) add_fixup(c, &over, x_jmp(c->b));
    bind(c, &f->else_fixup);
    forget_locals(c);
    c->valid = f->if_valid;
    c->dirty = f->if_dirty;
    if (cls >= 0) load_slot(c, walk_label_type(f, 0), 0, f->base);
    conform_pins(c, f);
    bind(c, &over);
    c->valid = valid;
    c->dirty = dirty;
    w->ended_live = true;
}

/* The body itself ends: falls off its end. Branches to its label have returned where they were. */
static void end_body(struct walk *w, struct walk_frame *f) {
    if (w->ended_live) emit_br(w, f);
    else w->count = 0; /* what was there is gone already */
    truncate(w, 0);
}

/* An end that nobody branches to changes nothing. */
static bool is_quiet_end(const struct walk_frame *f) { return !f->fixups && !f->else_fixup && !f->known; }

static void on_end(struct walk *w, struct walk_frame *f) {
    struct compilation *c = w->c;
    begin_edge(w);
    if (is_body(w, f)) {
        end_body(w, f);
        return;
    }
    bool loop = f->op == OP_loop;
    if (loop) f->op = OP_block, f->known = false; /* from here its label is its end */
    bool one_armed = f->op == OP_if, caught = f->op == OP_catch || f->op == OP_catch_all;
    uint32_t index = f->height - caught;
    if (is_quiet_end(f) && w->ended_live && !caught) {
        if (f->op == OP_try_table || f->op == OP_try) close_handler(w, f);
        return;
    }
    finish_arm(w, f, false);
    if (f->op == OP_try_table || f->op == OP_try) close_handler(w, f);
    if (one_armed) finish_one_armed(w, f);
    bind_label(c, f);
    forget_locals(c);
    if (f->known) {
        c->valid = f->need;
        c->dirty = f->dirty;
    }
    if (c->noded > index) c->noded = index;
    if (c->flushed > index) c->flushed = index;
    describe_label(w, f, index, false);
    int cls = label_class(f);
    if (cls >= 0 && f->known) result_in_reg(w, index, walk_label_type(f, 0), 0);
}

static void on_catch(struct walk *w, struct walk_frame *f, uint32_t tag) {
    (void)tag;
    begin_edge(w);
    finish_arm(w, f, true);
    if (f->op == OP_try) close_handler(w, f);
}

/* The values that a legacy catch finds: the hidden exnref at the label's first slot, the tag's values above it. */
static void on_catch_begin(struct walk *w, struct walk_frame *f, uint32_t tag) {
    struct compilation *c = w->c;
    if (c->flushed > f->height - 1) c->flushed = f->height - 1;
    begin_clause(w, f);
    add_clause(w, f->handler, (struct mote__clause){.tag = tag, .with_ref = true, .ref_first = true, .slot = f->base, .target = here(c)});
    c->valid = c->dirty = 0;
    forget_locals(c);
    reload_instance(c);
}

static void on_delegate(struct walk *w, struct walk_frame *f, uint32_t depth) {
    struct compilation *c = w->c;
    begin_edge(w);
    finish_arm(w, f, false);
    close_handler(w, f);
    delegate_handler(w, f, depth);
    bind_label(c, f);
    forget_locals(c);
    if (f->known) {
        c->valid = f->need;
        c->dirty = f->dirty;
    }
    describe_label(w, f, f->height, false);
    int cls = label_class(f);
    if (cls >= 0 && f->known) result_in_reg(w, f->height, walk_label_type(f, 0), 0);
}
