/* lower_operand.h - the part of lower.c that knows where values are: writing units, slots, the two registers, pending reads of locals, and taking operands.
 * Included by lower.c alone. */

/* ---------------------------------------------------------------- writing units */

static void put(struct lowering *c, uint32_t unit) {
    uint16_t *place = mote__vec_push(&c->units, c->allocator);
    if (place) *place = (uint16_t)unit;
    else c->failed = true;
}

static void put32(struct lowering *c, uint32_t value) {
    put(c, value & 0xFFFF);
    put(c, value >> 16);
}

static void put64(struct lowering *c, uint64_t value) {
    put32(c, (uint32_t)value);
    put32(c, (uint32_t)(value >> 32));
}

static void set16(struct lowering *c, uint32_t at, uint32_t value) {
    if (!c->failed) c->units.data[at] = (uint16_t)value;
}

static void set32(struct lowering *c, uint32_t at, uint32_t value) {
    set16(c, at, value & 0xFFFF);
    set16(c, at + 1, value >> 16);
}

/* The 16 bytes of a vector or of lane numbers. */
static void put_bytes(struct lowering *c, const uint8_t *bytes) {
    for (int k = 0; k < 16; k += 2) put(c, bytes[k] | (uint32_t)bytes[k + 1] << 8);
}

static uint32_t here(const struct lowering *c) { return (uint32_t)c->units.count; }

/* Notes the instruction that begins here; those that it replaces are gone. */
static void list_insn(struct lowering *c) {
    struct mote__listing *l = c->listing;
    while (l->insns.count && mote__vec_last(&l->insns)->unit >= c->last) l->insns.count--;
    struct mote__insn_at *at = mote__vec_push(&l->insns, c->allocator);
    if (at) *at = (struct mote__insn_at){c->last, (uint64_t)(c->instruction_pos ? c->instruction_pos - c->bytes : 0)};
    else c->failed = true;
}

/* Begins an instruction and returns its first unit. */
static uint32_t insn(struct lowering *c, uint32_t code) {
    c->last = here(c);
    if (c->listing) list_insn(c);
    if (c->watch >= 0 && c->last <= c->watch) c->watch_pos = c->instruction_pos;
    put(c, code);
    return c->last;
}

/* ---------------------------------------------------------------- slots */

static bool is_near(int32_t slot) { return slot == (int16_t)slot; }

static void use_slot(struct lowering *c, int32_t end) {
    if (end > c->max_slot) c->max_slot = end;
}

/* The canonical slot of stack index `i`: after the one below it. */
static int32_t canonical(struct walk *w, uint32_t i) {
    int32_t slot = i ? w->stack[i - 1].slot + (int32_t)mote__vt_slots(w->stack[i - 1].type) : w->c->first_slot;
    use_slot(w->c, slot + 2);
    return slot;
}

/* A slot is about to be written: a register that equalled it no longer does. */
static void forget_slot(struct lowering *c, int32_t slot) {
    if (c->r_slot == slot) c->r_slot = NO_SLOT;
    if (c->f_slot == slot) c->f_slot = NO_SLOT;
}

static void mov(struct lowering *c, int32_t to, int32_t from, valtype type) {
    if (to == from) return;
    bool near = is_near(to) && is_near(from), wide = type == VT_V128;
    insn(c, near ? (wide ? I_mov_v : I_mov) : (wide ? I_mov_v_wide : I_mov_wide));
    if (near) put(c, (uint16_t)to), put(c, (uint16_t)from);
    else put32(c, (uint32_t)to), put32(c, (uint32_t)from);
    forget_slot(c, to);
    if (wide) forget_slot(c, to + 1);
}

enum { SCRATCH_OPERANDS = 6, SCRATCH_SLOTS = 2 * SCRATCH_OPERANDS + 2 };

/* One of the pairs for the operands and results of one instruction: no instruction has more slots than there are pairs. */
static int32_t scratch(struct lowering *c) { return c->scratch + 2 * (int32_t)(c->scratch_next++ % SCRATCH_OPERANDS); }

/* A slot within reach of 16 bits that holds the same value. */
static int32_t near_slot(struct lowering *c, int32_t slot, valtype type) {
    if (is_near(slot)) return slot;
    int32_t copy = scratch(c);
    mov(c, copy, slot, type);
    return copy;
}

static void put_slot(struct lowering *c, int32_t slot) {
    assert(is_near(slot));
    put(c, (uint16_t)slot);
}

static const uint8_t *vector_of_bits(uint64_t bits) { return (const uint8_t *)(uintptr_t)bits; }

static void constant(struct lowering *c, int32_t to, uint64_t bits, valtype type) {
    int32_t place = is_near(to) ? to : c->scratch + 2 * SCRATCH_OPERANDS; /* a pair of its own: operands may be in the others already */
    bool vector = type == VT_V128, small = bits <= UINT32_MAX;
    insn(c, vector ? I_const_v : small ? I_const_s : I_const64_s);
    put_slot(c, place);
    if (vector) put_bytes(c, vector_of_bits(bits));
    else if (small) put32(c, (uint32_t)bits);
    else put64(c, bits);
    forget_slot(c, place);
    if (vector) forget_slot(c, place + 1);
    if (place != to) mov(c, to, place, type);
}

/* ---------------------------------------------------------------- registers */

static bool is_float(valtype type) { return type == VT_F32 || type == VT_F64; }
/* The register of floats holds vectors too. */
static bool in_f(valtype type) { return is_float(type) || type == VT_V128; }

/* The integer or float register goes to a slot; the register keeps it. */
static void put_register(struct lowering *c, int32_t to, valtype type) {
    bool near = is_near(to);
    uint32_t code = type == VT_F32 ? (near ? I_put_f : I_put_wide_f) : type == VT_F64 ? (near ? I_put_F : I_put_wide_F) : near ? I_put_r : I_put_wide_r;
    insn(c, code);
    if (near) put_slot(c, to);
    else put32(c, (uint32_t)to);
    forget_slot(c, to);
    *(is_float(type) ? &c->f_slot : &c->r_slot) = to;
}

/* Gives the operand in a register its slot as well, by changing the instruction that made it. */
static void spill(struct walk *w, bool is_f) {
    struct lowering *c = w->c;
    int64_t *entry = is_f ? &c->f_entry : &c->r_entry;
    if (*entry < 0) return;
    struct walk_value *v = &w->stack[*entry];
    uint32_t pos = is_f ? c->f_pos : c->r_pos;
    *entry = -1;
    v->loc = LOC_SLOT;
    if (!is_near(v->slot)) {
        put_register(c, v->slot, v->type);
        return;
    }
    if (!c->failed) c->units.data[pos]++;
    set16(c, pos + 1, (uint16_t)v->slot);
    forget_slot(c, v->slot);
    *(is_f ? &c->f_slot : &c->r_slot) = v->slot;
}

static void forget_registers(struct lowering *c) { c->r_slot = c->f_slot = NO_SLOT; }

/* ---------------------------------------------------------------- pending reads of locals */

static void unlink_read(struct walk *w, uint32_t i) {
    struct walk_value *v = &w->stack[i];
    w->c->heads.data[v->local] = v->prev;
    if (mote__vt_is_heap_ref(w->types, v->type)) w->c->pending_refs--;
}

/* Copies a pending read to its own slot; the chain of its local is the caller's to mend. */
static void copy_read(struct walk *w, uint32_t i) {
    struct walk_value *v = &w->stack[i];
    v->loc = LOC_SLOT;
    if (mote__vt_is_heap_ref(w->types, v->type)) w->c->pending_refs--;
    mov(w->c, v->slot, w->c->local_slots.data[v->local], v->type);
}

/* A local is about to be written: its pending reads take copies. */
static void copy_reads_of(struct walk *w, uint32_t local) {
    uint32_t next = w->c->heads.data[local];
    w->c->heads.data[local] = 0;
    while (next) {
        uint32_t i = next - 1;
        next = w->stack[i].prev;
        copy_read(w, i);
    }
}

/* All pending reads take copies and the registers are spilled. */
static void flush(struct walk *w) {
    struct lowering *c = w->c;
    for (size_t k = 0; k < c->pending.count; k++) {
        uint32_t i = c->pending.data[k];
        if (w->stack[i].loc != LOC_LOCAL) continue;
        c->heads.data[w->stack[i].local] = 0;
        copy_read(w, i);
    }
    c->pending.count = 0;
    spill(w, false);
    spill(w, true);
}

/* Pending reads of heap references take copies, so that a site lists their slots. */
static void flush_refs(struct walk *w) {
    struct lowering *c = w->c;
    for (size_t k = c->pending.count; k-- > 0 && c->pending_refs;) {
        struct walk_value *v = &w->stack[c->pending.data[k]];
        if (v->loc == LOC_LOCAL && mote__vt_is_heap_ref(w->types, v->type)) copy_reads_of(w, v->local);
    }
}

/* Operands from index `floor` on are gone: nothing refers to them. */
static void truncate(struct walk *w, uint32_t floor) {
    struct lowering *c = w->c;
    while (c->pending.count && *mote__vec_last(&c->pending) >= floor) {
        uint32_t i = *mote__vec_last(&c->pending);
        if (w->stack[i].loc == LOC_LOCAL) unlink_read(w, i);
        c->pending.count--;
    }
    if (c->r_entry >= floor) c->r_entry = -1;
    if (c->f_entry >= floor) c->f_entry = -1;
    if (c->noded > floor) c->noded = floor;
}

/* ---------------------------------------------------------------- operands */

enum operand_kind { AT_SLOT, AT_REGISTER, AT_CONST };
enum want { WANT_SLOT = 0, WANT_R = 1, WANT_F = 2, WANT_CONST = 4 };

struct operand {
    uint8_t kind;
    int32_t slot;
    uint64_t bits;
    valtype type;
};

/* Puts an operand, still on the stack, into its canonical slot. */
static void settle(struct walk *w, uint32_t i) {
    struct walk_value *v = &w->stack[i];
    switch ((enum location)v->loc) {
    case LOC_SLOT: break;
    case LOC_LOCAL: copy_reads_of(w, v->local); break;
    case LOC_CONST:
        constant(w->c, v->slot, v->bits, v->type);
        v->loc = LOC_SLOT;
        break;
    case LOC_R: spill(w, false); break;
    case LOC_F: spill(w, true); break;
    }
}

/* Takes operand `i` (counted from the bottom) off the lowering's books; says where it is, as far as `want` allows: a slot is always allowed.
 * Operands must be taken from the top down. */
static struct operand take(struct walk *w, uint32_t i, unsigned want) {
    struct lowering *c = w->c;
    struct walk_value *v = &w->stack[i];
    struct operand o = {.kind = AT_SLOT, .slot = v->slot, .type = v->type};
    if (c->noded > i) c->noded = i;
    if (c->pending.count && *mote__vec_last(&c->pending) == i) c->pending.count--;
    switch ((enum location)v->loc) {
    case LOC_LOCAL:
        unlink_read(w, i);
        o.slot = c->local_slots.data[v->local];
        break;
    case LOC_CONST:
        if (want & WANT_CONST) {
            o.kind = AT_CONST;
            o.bits = v->bits;
            return o;
        }
        settle(w, i);
        break;
    case LOC_R:
        if (want & WANT_R) {
            c->r_entry = -1;
            o.kind = AT_REGISTER;
            return o;
        }
        spill(w, false);
        break;
    case LOC_F:
        if (want & WANT_F) {
            c->f_entry = -1;
            o.kind = AT_REGISTER;
            return o;
        }
        spill(w, true);
        break;
    case LOC_SLOT: break;
    }
    if ((want & WANT_R && o.slot == c->r_slot) || (want & WANT_F && o.slot == c->f_slot)) o.kind = AT_REGISTER;
    else o.slot = near_slot(c, o.slot, o.type);
    return o;
}

/* Turns an operand that is no slot into one: constants are written to its canonical slot, which `take` noted; a register that equals a slot is
 * that slot. */
static void force_slot(struct walk *w, struct operand *o) {
    if (o->kind == AT_CONST) {
        constant(w->c, o->slot, o->bits, o->type);
        o->slot = near_slot(w->c, o->slot, o->type);
    }
    o->kind = AT_SLOT;
}

static int32_t take_slot(struct walk *w, uint32_t i) { return take(w, i, WANT_SLOT).slot; }

/* The result of the instruction that begins at `pos` is operand `i`, in the register so far. */
static void result_in_register(struct walk *w, uint32_t i, uint32_t pos, bool is_f) {
    struct lowering *c = w->c;
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->loc = is_f ? LOC_F : LOC_R;
    if (is_f) c->f_entry = i, c->f_pos = pos, c->f_slot = NO_SLOT;
    else c->r_entry = i, c->r_pos = pos, c->r_slot = NO_SLOT;
}

/* A register is about to change: what is only there goes to its slot. */
static void clobber(struct walk *w, bool is_f) {
    spill(w, is_f);
    *(is_f ? &w->c->f_slot : &w->c->r_slot) = NO_SLOT;
}

/* Where an instruction without register forms writes result `i`. Call result_in_slot after the instruction. */
static int32_t result_slot(struct walk *w, uint32_t i) {
    int32_t slot = canonical(w, i);
    return is_near(slot) ? slot : scratch(w->c);
}

static void result_in_slot(struct walk *w, uint32_t i, int32_t written, valtype type) {
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->loc = LOC_SLOT;
    forget_slot(w->c, written);
    if (type == VT_V128) forget_slot(w->c, written + 1);
    w->c->slot_pos = w->c->last;
    w->c->slot_entry = i;
    if (written != v->slot) mov(w->c, v->slot, written, type);
}

/* The same for an instruction that leaves its result in the register as well. Call clobber before it. */
static void result_in_both(struct walk *w, uint32_t i, int32_t written, valtype type) {
    result_in_slot(w, i, written, type);
    *(in_f(type) ? &w->c->f_slot : &w->c->r_slot) = w->stack[i].slot;
}
