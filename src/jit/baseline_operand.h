/* baseline_operand.h - the part of baseline.c that knows where values are: temporaries, pins, pending reads of locals, slots, taking operands.
 * Included by baseline.c alone. */

enum { GP, FP };
/* The temporaries, a bit each. */
static const uint32_t temps[2] = {1u << RAX | 1u << RCX | 1u << RDX | 1u << R8 | 1u << R9, 0x3F};
static const int8_t pin_regs[2][10] = {{RSI, RDI, RBP, R10, R11, R12, NO_REG, NO_REG, NO_REG, NO_REG}, {6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
static const int pin_counts[2] = {6, 10};

/* Whether code may use all of these features (a sum of enum os_cpu). The processor is asked when something depends on it. */
static bool has_cpu(const struct compilation *c, unsigned features) { return !c->cpu_floor && mote__os_cpu(features) == features; }

static uint32_t here(const struct compilation *c) { return (uint32_t)c->b->count; }
static int class_of(valtype type) { return type == VT_F32 || type == VT_F64 || type == VT_V128; }
static struct walk_value *operand(struct walk *w, uint32_t i) { return &w->stack[w->count + i]; }

/* ---------------------------------------------------------------- slots */

WALK_INLINE void use_slot(struct compilation *c, int32_t end) {
    if (end > c->max_slot) c->max_slot = end;
}

/* The canonical slot of stack index `i`: after the one below it. */
WALK_INLINE int32_t canonical(struct walk *w, uint32_t i) {
    int32_t slot = i ? w->stack[i - 1].slot + (int32_t)mote__vt_slots(w->stack[i - 1].type) : w->c->first_slot;
    use_slot(w->c, slot + 2);
    return slot;
}

/* ---------------------------------------------------------------- moving values */

static void load_slot(struct compilation *c, valtype type, int reg, int32_t slot) {
    if (class_of(type) == GP) x_load_slot(c->b, type != VT_I32, reg, slot);
    else if (type == VT_V128) x_vload(c->b, reg, at_slot(slot));
    else x_fload(c->b, type == VT_F64, reg, at_slot(slot));
}

static void store_slot(struct compilation *c, valtype type, int reg, int32_t slot) {
    if (class_of(type) == GP) x_store_slot(c->b, reg, slot);
    else if (type == VT_V128) x_vstore(c->b, reg, at_slot(slot));
    else x_fstore(c->b, type == VT_F64, reg, at_slot(slot));
}

static void move_reg(struct compilation *c, valtype type, int to, int from) {
    if (to == from) return;
    if (class_of(type) == FP) x_vmov(c->b, to, from);
    else x_mov(c->b, type != VT_I32, to, from);
}

/* ---------------------------------------------------------------- what stands behind the code */

static void literal(struct compilation *c, uint32_t unit) {
    uint16_t *place = mote__vec_push(&c->literals, c->allocator);
    if (place) *place = (uint16_t)unit;
    else c->failed = true;
}
static void literal32(struct compilation *c, uint32_t x) {
    literal(c, x & 0xFFFF);
    literal(c, x >> 16);
}

/* The instruction just emitted, whose operand was at_rip, means the literal from `unit` on. */
static void leads_to_literal(struct compilation *c, uint32_t unit) {
    struct literal_use *use = mote__vec_push(&c->literal_uses, c->allocator);
    if (use) *use = (struct literal_use){.at = here(c) - 4, .unit = unit};
    else c->failed = true;
}

/* The unit where 8 bytes with a float's bits stand: one of the last such, or new ones. */
static uint32_t float_literal(struct compilation *c, uint64_t bits) {
    enum { LOOK_BACK = 16 };
    for (size_t i = c->float_literals.count; i-- > 0 && i + LOOK_BACK >= c->float_literals.count;)
        if (c->float_literals.data[i].bits == bits) return c->float_literals.data[i].unit;
    struct float_literal *f = mote__vec_push(&c->float_literals, c->allocator);
    while (c->literals.count % 4 && !c->failed) literal(c, 0);
    if (f) *f = (struct float_literal){.bits = bits, .unit = (uint32_t)c->literals.count};
    else c->failed = true;
    uint32_t unit = (uint32_t)c->literals.count;
    literal32(c, (uint32_t)bits);
    literal32(c, (uint32_t)(bits >> 32));
    return unit;
}

/* A constant in a register of the type's class; leaves the flags alone, and uses no other register. */
static void load_const(struct compilation *c, valtype type, int reg, uint64_t bits) {
    if (class_of(type) == GP) {
        x_const(c->b, reg, bits);
    } else if (!bits) {
        x_vzero(c->b, reg);
    } else {
        x_fload(c->b, type == VT_F64, reg, at_rip());
        leads_to_literal(c, float_literal(c, bits));
    }
}

static void store_const(struct compilation *c, valtype type, uint64_t bits, int32_t slot) {
    if (bits == (uint64_t)(int64_t)(int32_t)bits) {
        x_store_const(c->b, true, (int32_t)bits, at_slot(slot));
    } else if (type == VT_F32) {
        x_store_const(c->b, false, (int32_t)bits, at_slot(slot));
    } else {
        x_store_const(c->b, false, (int32_t)(uint32_t)bits, at_slot(slot));
        x_store_const(c->b, false, (int32_t)(uint32_t)(bits >> 32), at_base(REG_FRAME, slot * 8 + 4));
    }
}

/* ---------------------------------------------------------------- pins */

static struct pin *pin_of_local(struct compilation *c, uint32_t local) {
    uint8_t pin = c->pin_of.data[local];
    return pin ? &c->pins[pin - 1] : NULL;
}
static uint32_t pin_bit(const struct compilation *c, const struct pin *pin) { return UINT32_C(1) << (pin - c->pins); }

static void validate_pin(struct compilation *c, const struct pin *pin) {
    if (c->valid & pin_bit(c, pin)) return;
    load_slot(c, pin->type, pin->reg, pin->slot);
    c->valid |= pin_bit(c, pin);
}

static void clean_pins(struct compilation *c, uint32_t which) {
    for (uint32_t bits = c->dirty & which; bits; bits &= bits - 1) {
        const struct pin *pin = &c->pins[__builtin_ctz(bits)];
        store_slot(c, pin->type, pin->reg, pin->slot);
    }
    c->dirty &= ~which;
}

static void pin_written(struct compilation *c, const struct pin *pin) {
    c->valid |= pin_bit(c, pin);
    c->dirty |= pin_bit(c, pin);
}

/* ---------------------------------------------------------------- locals without a pin that a temporary holds as well */

/* Until the temporary is written, the local is, or control comes from elsewhere, the local need not be loaded again. */
static void remember_local(struct compilation *c, uint32_t local, int cls, int reg) {
    c->caches[cls] |= UINT32_C(1) << reg;
    c->cached[cls][reg] = local;
    c->cached_at[cls][reg] = ++c->clock;
}

static int remembered(struct compilation *c, uint32_t local, int cls) {
    for (uint32_t bits = c->caches[cls]; bits; bits &= bits - 1) {
        int reg = __builtin_ctz(bits);
        if (c->cached[cls][reg] == local) return reg;
    }
    return NO_REG;
}

static bool is_cached(const struct compilation *c, int cls, int reg) { return c->caches[cls] >> reg & 1; }

static void forget_reg(struct compilation *c, int cls, int reg) { c->caches[cls] &= ~(UINT32_C(1) << reg); }

static void forget_local(struct compilation *c, uint32_t local, int cls) {
    for (uint32_t bits = c->caches[cls]; bits; bits &= bits - 1)
        if (c->cached[cls][__builtin_ctz(bits)] == local) c->caches[cls] &= ~(bits & -bits);
}

static void forget_locals(struct compilation *c) { c->caches[GP] = c->caches[FP] = 0; }

/* ---------------------------------------------------------------- temporaries */

static void own(struct compilation *c, uint32_t i, int cls, int reg) {
    c->owned[cls] |= UINT32_C(1) << reg;
    c->owner[cls][reg] = i;
}
static void disown(struct compilation *c, int cls, int reg) { c->owned[cls] &= ~(UINT32_C(1) << reg); }

/* Whether a temporary holds the operand with stack index `i`. */
static bool holds(const struct compilation *c, int cls, int reg, uint32_t i) { return c->owned[cls] >> reg & 1 && c->owner[cls][reg] == i; }

/* The address of a load that is held back. */
static struct x_rm load_rm(const struct walk_value *v) {
    return v->reg >= 0 ? at_index(REG_MEMORY, v->reg, (int32_t)v->bits) : at_base(REG_MEMORY, (int32_t)v->bits);
}

/* The operand in a temporary, if there is one, goes to its slot. */
static void spill_operand(struct walk *w, int cls, int reg) {
    struct compilation *c = w->c;
    if (!(c->owned[cls] >> reg & 1)) return;
    uint32_t i = c->owner[cls][reg];
    struct walk_value *v = &w->stack[i];
    assert(v->loc == LOC_REG); /* never a load that is held back: there are more temporaries than the instruction that takes it needs */
    store_slot(c, v->type, reg, v->slot);
    v->loc = LOC_SLOT;
    if (i < c->noded) c->noded = i;
    disown(c, cls, reg);
}

/* The same: the register is about to be written. */
static void spill_temp(struct walk *w, int cls, int reg) {
    forget_reg(w->c, cls, reg);
    spill_operand(w, cls, reg);
}

/* The same, if there is an operand. */
static void spill_owned(struct walk *w, int cls, int reg) {
    if (w->c->owned[cls] >> reg & 1) spill_temp(w, cls, reg);
}

static void spill_temps(struct walk *w) {
    struct compilation *c = w->c;
    for (int cls = GP; cls <= FP; cls++)
        for (uint32_t bits = c->owned[cls]; bits; bits &= bits - 1) spill_operand(w, cls, __builtin_ctz(bits));
    forget_locals(c);
}

/* Of several registers the one with the least number in a table. */
static int least(const uint32_t *table, uint32_t bits) {
    int best = __builtin_ctz(bits);
    for (; bits; bits &= bits - 1)
        if (table[__builtin_ctz(bits)] < table[best]) best = __builtin_ctz(bits);
    return best;
}

/* A temporary for the instruction at hand: one that holds nothing; or the local that was longest of no use; or the operand that is farthest from the
 * top, which is spilled. */
static int take_temp(struct walk *w, int cls) {
    struct compilation *c = w->c;
    uint32_t unlocked = temps[cls] & ~c->locked[cls], unowned = unlocked & ~c->owned[cls], empty = unowned & ~c->caches[cls];
    assert(unlocked);
    int best = empty ? __builtin_ctz(empty) : unowned ? least(c->cached_at[cls], unowned) : least(c->owner[cls], unlocked);
    spill_temp(w, cls, best);
    c->locked[cls] |= UINT32_C(1) << best;
    return best;
}

/* A certain temporary, free of other operands. */
static void take_certain(struct walk *w, int cls, int reg) {
    spill_temp(w, cls, reg);
    w->c->locked[cls] |= UINT32_C(1) << reg;
}

static bool is_temp(int cls, int reg) { return temps[cls] >> reg & 1; }

static void result_in_reg(struct walk *w, uint32_t i, valtype type, int reg) {
    struct walk_value *v = &w->stack[i];
    int cls = class_of(type);
    v->slot = canonical(w, i);
    v->loc = LOC_REG;
    v->reg = (int8_t)reg;
    v->type = type;
    if (!is_temp(cls, reg)) return;
    forget_reg(w->c, cls, reg);
    own(w->c, i, cls, reg);
}

static void result_in_slot(struct walk *w, uint32_t i, valtype type) {
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->loc = LOC_SLOT;
    v->type = type;
    use_slot(w->c, v->slot + (int32_t)mote__vt_slots(type) + 2);
}

static void result_in_flags(struct walk *w, uint32_t i, unsigned cc) {
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->loc = LOC_FLAGS;
    v->cc = (uint8_t)cc;
    v->type = VT_I32;
    w->c->flags_at = i;
}

/* ---------------------------------------------------------------- flags */

/* Conditions of floats beyond the processor's: equal and not equal look at two flags. */
enum { CC_FEQ = 16, CC_FNE = 17 };

static void materialise_cc(struct walk *w, int reg, unsigned cc) {
    struct compilation *c = w->c;
    if (cc < CC_FEQ) {
        x_setcc(c->b, (enum x_cc)cc, reg);
    } else {
        int other = take_temp(w, GP);
        x_setcc(c->b, cc == CC_FEQ ? CC_NP : CC_P, other);
        x_setcc(c->b, cc == CC_FEQ ? CC_E : CC_NE, reg);
        x_ins(c->b, X_OP(0, 0, cc == CC_FEQ ? 0x22 : 0x0A), X_BYTE_REG, reg, in_reg(other));
        c->locked[GP] &= ~(UINT32_C(1) << other);
    }
    x_movzx8(c->b, reg, in_reg(reg));
}

/* The operand in the flags goes to a register: something is about to change them. */
static void flush_flags(struct walk *w) {
    struct compilation *c = w->c;
    if (c->flags_at < 0) return;
    uint32_t i = (uint32_t)c->flags_at;
    unsigned cc = w->stack[i].cc;
    c->flags_at = -1;
    int reg = take_temp(w, GP);
    materialise_cc(w, reg, cc);
    result_in_reg(w, i, VT_I32, reg);
    c->locked[GP] &= ~(UINT32_C(1) << reg);
}

/* ---------------------------------------------------------------- settling */

static void unlink_local(struct compilation *c, const struct walk_value *v) { c->heads.data[v->local] = v->prev; }

/* In the hostile build code looks whether a register that is taken to hold what is in a local's slot does, and ends the process otherwise. The flags stay. */
#ifdef MOTE_HOSTILE
static void check_held(struct compilation *c, valtype type, int reg, int32_t slot) {
    bool is_float = class_of(type) == FP, wide = type != VT_I32 && type != VT_F32;
    code_room(c->b);
    x_byte(c->b, 0x9C); /* pushf */
    if (is_float) x_byte(c->b, 0x50); /* push rax */
    if (is_float) x_from_float(c->b, wide, RAX, reg);
    x_alu(c->b, ALU_CMP, wide, is_float ? RAX : reg, at_slot(slot));
    size_t same = x_jcc_short(c->b, CC_E);
    x_byte(c->b, 0x0F), x_byte(c->b, 0x0B); /* ud2 */
    x_patch_short(c->b, same);
    if (is_float) x_byte(c->b, 0x58); /* pop rax */
    x_byte(c->b, 0x9D); /* popf */
}
#else
static void check_held(struct compilation *c, valtype type, int reg, int32_t slot) { (void)c, (void)type, (void)reg, (void)slot; }
#endif

/* The register that already holds an operand's value, or none. */
static int reg_of(struct compilation *c, const struct walk_value *v) {
    if (v->loc == LOC_REG) return v->reg;
    if (v->loc != LOC_LOCAL) return NO_REG;
    const struct pin *pin = pin_of_local(c, v->local);
    int reg = pin ? pin->reg : remembered(c, v->local, class_of(v->type));
    if (pin && !(c->valid & pin_bit(c, pin))) validate_pin(c, pin);
    else if (pin ? !(c->dirty & pin_bit(c, pin)) : reg >= 0) check_held(c, v->type, reg, c->local_slots.data[v->local]);
    return reg;
}

/* Stores an operand, wherever it is, to a slot; the stack stays as it is. */
static void copy_to_slot(struct walk *w, const struct walk_value *v, int32_t to) {
    struct compilation *c = w->c;
    code_room(c->b);
    if (v->loc == LOC_CONST) {
        store_const(c, v->type, v->bits, to);
        return;
    }
    if (v->loc == LOC_SLOT && v->slot == to) return;
    int reg = reg_of(c, v);
    if (reg < 0) {
        uint32_t locked = c->locked[class_of(v->type)];
        reg = take_temp(w, class_of(v->type));
        c->locked[class_of(v->type)] = locked;
        load_slot(c, v->type, reg, v->loc == LOC_LOCAL ? c->local_slots.data[v->local] : v->slot);
    }
    store_slot(c, v->type, reg, to);
}

/* Operand `i`, in its canonical slot from now on; pending reads of the same local above it have been settled before. */
static void settle(struct walk *w, uint32_t i) {
    struct compilation *c = w->c;
    struct walk_value *v = &w->stack[i];
    if (v->loc == LOC_SLOT) return;
    copy_to_slot(w, v, v->slot);
    if (v->loc == LOC_LOCAL) unlink_local(c, v);
    if (v->loc == LOC_REG && holds(c, class_of(v->type), v->reg, i)) disown(c, class_of(v->type), v->reg);
    v->loc = LOC_SLOT;
    if (i < c->noded) c->noded = i;
}

static void settle_values(struct walk *w, uint32_t count) {
    for (uint32_t i = w->count; i-- > w->count - count;) settle(w, i);
}

/* Every operand below w->count, except constants. */
static void flush(struct walk *w) {
    struct compilation *c = w->c;
    for (uint32_t i = w->count; i-- > c->flushed;)
        if (w->stack[i].loc != LOC_CONST) settle(w, i);
    c->flushed = w->count;
}

/* A local is about to be written: its pending reads take their values. */
static void copy_reads_of(struct walk *w, uint32_t local) {
    struct compilation *c = w->c;
    while (c->heads.data[local]) {
        uint32_t i = c->heads.data[local] - 1;
        code_room(c->b);
        struct walk_value *v = &w->stack[i];
        if (i < c->flushed) {
            settle(w, i);
            continue;
        }
        int cls = class_of(v->type), from = reg_of(c, v), reg;
        uint32_t locked = c->locked[cls];
        if (from >= 0) c->locked[cls] |= UINT32_C(1) << from;
        reg = take_temp(w, cls);
        c->locked[cls] = locked;
        if (from >= 0) move_reg(c, v->type, reg, from);
        else load_slot(c, v->type, reg, c->local_slots.data[local]);
        unlink_local(c, v);
        result_in_reg(w, i, v->type, reg);
    }
}

/* The operands from index `to` on are gone: the code after this is dead. */
static void truncate(struct walk *w, uint32_t to) {
    struct compilation *c = w->c;
    for (uint32_t i = w->count; i-- > to;) {
        struct walk_value *v = &w->stack[i];
        if (v->loc == LOC_LOCAL) unlink_local(c, v);
        if (v->loc == LOC_REG && holds(c, class_of(v->type), v->reg, i)) disown(c, class_of(v->type), v->reg);
        v->loc = LOC_SLOT;
    }
    if (c->flags_at >= (int64_t)to) c->flags_at = -1;
    if (c->flushed > to) c->flushed = to;
    if (c->noded > to) c->noded = to;
}

/* ---------------------------------------------------------------- taking operands */

/* What comes next is made from an instruction: for who watches a byte, or lists all places. */
static void note_place(struct compilation *c, const uint8_t *pos) {
    c->watch_pos = pos;
    if (!c->places) return;
    uint64_t offset = pos ? (uint64_t)(pos - c->module_bytes) : 0;
    mote_native_place *last = c->places->list.count ? mote__vec_last(&c->places->list) : NULL;
    if (!last || last->at != here(c)) last = mote__vec_push(&c->places->list, c->allocator);
    if (last) *last = (mote_native_place){.at = here(c), .offset = offset};
    else c->failed = true;
}

static void charge(struct walk *w);
static void end_segment(struct compilation *c);

/* A load that was held back becomes part of the instruction at hand; and somebody may want to know what is made from which. */
WALK_SLOW void begin_watched(struct walk *w) {
    struct compilation *c = w->c;
    bool takes_load = c->load_at >= (int64_t)w->count;
    if (c->watch >= (int64_t)here(c)) note_place(c, takes_load ? c->load_pos : w->op_pos);
    if (takes_load) c->load_at = -1;
}

/* The function is left to the interpreter, which says what is to be said, when it becomes too large. */
WALK_SLOW void stop(struct walk *w) {
    struct compilation *c = w->c;
    if (c->b->count > LIMIT_FUNCTION_CODE) c->left = true;
    mote__translate_stop(w);
}

/* Begins code. */
WALK_INLINE void begin_code(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t count = w->count;
    code_room(c->b);
    if (c->failed || c->b->failed || c->b->count > LIMIT_FUNCTION_CODE) stop(w);
    if (c->flushed > count) c->flushed = count;
    if (c->noded > count) c->noded = count;
    c->locked[GP] = c->locked[FP] = 0;
    if ((c->watch & c->load_at) >= 0) begin_watched(w); /* one of them is not -1 */
}
/* Begins an instruction that looks after an operand in the flags itself, or any other one. */
WALK_SLOW void begin_any(struct walk *w) {
    begin_code(w);
    if (w->c->fuel) charge(w);
}
WALK_SLOW void begin_rarely(struct walk *w) {
    begin_any(w);
    if (w->c->flags_at >= 0) flush_flags(w);
}
/* What most instructions begin with: all of begin_rarely, where there is little to do. */
WALK_SLOW void begin(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t count = w->count;
    if (c->fuel || (c->watch & c->load_at & c->flags_at) >= 0 || code_is_full(c->b)) {
        begin_rarely(w);
        return;
    }
    code_room_made(c->b);
    if (c->flushed > count) c->flushed = count;
    if (c->noded > count) c->noded = count;
    c->locked[GP] = c->locked[FP] = 0;
}
/* Begins what joins or parts arms and costs nothing: end, else, catch, delegate. */
static void begin_edge(struct walk *w) {
    begin_code(w);
    flush_flags(w);
    end_segment(w->c);
}

WALK_INLINE void unlink_at(struct walk *w, uint32_t i) {
    struct compilation *c = w->c;
    const struct walk_value *v = &w->stack[i];
    if (v->loc == LOC_LOCAL) {
        unlink_local(c, v);
    } else if (v->loc == LOC_REG || (v->loc == LOC_LOAD && v->reg >= 0)) {
        int cls = v->loc == LOC_LOAD ? GP : class_of(v->type);
        if (holds(c, cls, v->reg, i)) disown(c, cls, v->reg);
        c->locked[cls] |= UINT32_C(1) << v->reg;
    }
}
/* The top operand leaves the stack; a register that it is in stays locked. */
WALK_SLOW void unlink_operand(struct walk *w) { unlink_at(w, w->count); }
/* The same of the top two, and of the top `n`. */
WALK_SLOW void unlink_two(struct walk *w) {
    unlink_at(w, w->count + 1);
    unlink_at(w, w->count);
}
static void unlink_operands(struct walk *w, uint32_t n) {
    for (uint32_t i = w->count + n; i-- > w->count;) unlink_at(w, i);
}

static bool in_memory(struct compilation *c, const struct walk_value *v) {
    return v->loc == LOC_SLOT || (v->loc == LOC_LOCAL && !pin_of_local(c, v->local) && remembered(c, v->local, class_of(v->type)) < 0);
}
static int32_t slot_of(const struct compilation *c, const struct walk_value *v) {
    return v->loc == LOC_LOCAL ? c->local_slots.data[v->local] : v->slot;
}
static bool is_const32(const struct walk_value *v) { return v->loc == LOC_CONST && (v->type == VT_I32 || v->bits == (uint64_t)(int64_t)(int32_t)v->bits); }

/* The register that an unlinked operand is in, or a temporary that it is loaded to; locked. */
static int use_reg(struct walk *w, struct walk_value *v) {
    struct compilation *c = w->c;
    int cls = class_of(v->type), reg = reg_of(c, v);
    if (reg >= 0) {
        c->locked[cls] |= UINT32_C(1) << reg;
        c->cached_at[cls][reg] = ++c->clock;
        return reg;
    }
    reg = take_temp(w, cls);
    if (v->loc == LOC_LOAD) {
        x_ins(c->b, v->local, v->cc & X_WIDE, reg, load_rm(v));
    } else if (v->loc == LOC_CONST) {
        load_const(c, v->type, reg, v->bits);
    } else {
        load_slot(c, v->type, reg, slot_of(c, v));
        if (v->loc == LOC_LOCAL && v->type == walk_local_type(w, v->local)) remember_local(c, v->local, cls, reg);
    }
    v->loc = LOC_REG;
    v->reg = (int8_t)reg;
    return reg;
}

/* The same, or where it is in memory. */
static struct x_rm use_rm(struct walk *w, struct walk_value *v) {
    if (v->loc == LOC_LOAD && !(v->cc & X_BYTE_LOAD)) return load_rm(v);
    return in_memory(w->c, v) ? at_slot(slot_of(w->c, v)) : in_reg(use_reg(w, v));
}

/* The same for a float, which if it is constant is behind the code: the caller sees to that (leads_to_literal). */
static struct x_rm use_float_rm(struct walk *w, struct walk_value *v) { return v->loc == LOC_CONST ? at_rip() : use_rm(w, v); }

/* An operand's register, if it is a temporary, is free again for the rest of the instruction. */
static void release_reg(struct compilation *c, int cls, int reg) {
    if (is_temp(cls, reg)) c->locked[cls] &= ~(UINT32_C(1) << reg);
}

/* True when the operand's register may be overwritten. */
static bool is_own(const struct walk_value *v) { return v->loc == LOC_REG; }

/* ---------------------------------------------------------------- where results go */

static const uint8_t *next_op(const struct walk *w);

/* The pin that the next instruction, a local.set or local.tee, writes the result to: it may as well be computed there. NULL: none. */
static const struct pin *wanted_pin(struct walk *w, int cls) {
    struct compilation *c = w->c;
    const uint8_t *p = next_op(w), *end = w->r.end;
    if (p + 1 >= end || (p[0] != 0x21 && p[0] != 0x22) || p[1] >= 0x80 || p[1] >= c->pin_of.count || c->heads.data[p[1]]) return NULL;
    const struct pin *pin = pin_of_local(c, p[1]);
    return pin && pin->is_float == (cls == FP) ? pin : NULL;
}

/* A register that a result must not be in while the operand is still to be read: the address counts. */
static int reg_in(struct x_rm rm) { return rm.reg >= 0 ? rm.reg : rm.index; }

/* A register for a result: the wanted pin's unless it is `not`, the first operand's if that is ours, or a free one. */
static int take_result(struct walk *w, int cls, const struct walk_value *first, int not) {
    const struct pin *pin = wanted_pin(w, cls);
    if (pin && pin->reg != not) return pin->reg;
    if (!first || !is_own(first) || class_of(first->type) != cls || first->reg == not) return take_temp(w, cls);
    forget_reg(w->c, cls, first->reg);
    return first->reg;
}
