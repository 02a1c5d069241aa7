/* lower_compute.h - the part of lower.c for plain computation and memory accesses, by class of insn.def.
 * Included by lower.c alone. */

/* ---------------------------------------------------------------- computing */

static bool fits_k(valtype type, uint64_t bits) { return type != VT_I64 || bits == (uint64_t)(int64_t)(int32_t)bits; }

static void put_k(struct lowering *c, valtype type, uint64_t bits) {
    if (type == VT_F64) put64(c, bits);
    else put32(c, (uint32_t)bits);
}

/* The op with its operands exchanged, or OP_INVALID: a constant wants to be on the right. */
static enum mote__op swapped(enum mote__op op) {
    switch (op) {
    case OP_i32_add: case OP_i32_mul: case OP_i32_and: case OP_i32_or: case OP_i32_xor: case OP_i32_eq: case OP_i32_ne:
    case OP_i64_add: case OP_i64_mul: case OP_i64_and: case OP_i64_or: case OP_i64_xor: case OP_i64_eq: case OP_i64_ne: return op;
    case OP_i32_lt_s: return OP_i32_gt_s;
    case OP_i32_lt_u: return OP_i32_gt_u;
    case OP_i32_gt_s: return OP_i32_lt_s;
    case OP_i32_gt_u: return OP_i32_lt_u;
    case OP_i32_le_s: return OP_i32_ge_s;
    case OP_i32_le_u: return OP_i32_ge_u;
    case OP_i32_ge_s: return OP_i32_le_s;
    case OP_i32_ge_u: return OP_i32_le_u;
    case OP_i64_lt_s: return OP_i64_gt_s;
    case OP_i64_lt_u: return OP_i64_gt_u;
    case OP_i64_gt_s: return OP_i64_lt_s;
    case OP_i64_gt_u: return OP_i64_lt_u;
    case OP_i64_le_s: return OP_i64_ge_s;
    case OP_i64_le_u: return OP_i64_ge_u;
    case OP_i64_ge_s: return OP_i64_le_s;
    case OP_i64_ge_u: return OP_i64_le_u;
    default: return OP_INVALID;
    }
}

/* Takes the two operands of a binary instruction in one of its five forms; returns the form. */
static uint32_t take_pair(struct walk *w, enum mote__op *op, struct operand *a, struct operand *b, unsigned want) {
    uint32_t i = w->count;
    *b = take(w, i + 1, want | WANT_CONST);
    *a = take(w, i, want | WANT_CONST);
    if (a->kind == AT_CONST && b->kind != AT_CONST && swapped(*op) != OP_INVALID) {
        struct operand t = *a;
        *a = *b;
        *b = t;
        *op = swapped(*op);
    }
    if (b->kind == AT_CONST && !fits_k(b->type, b->bits)) force_slot(w, b);
    if (a->kind == AT_CONST) force_slot(w, a);
    if (a->kind == AT_REGISTER && b->kind == AT_REGISTER) {
        b->kind = AT_SLOT; /* both equal the register: one of them equals a slot too */
        b->slot = near_slot(w->c, want & WANT_F ? w->c->f_slot : w->c->r_slot, b->type);
    }
    if (b->kind == AT_CONST) return a->kind == AT_REGISTER ? VARIANT_RK : VARIANT_SK;
    if (b->kind == AT_REGISTER) return VARIANT_SR;
    return a->kind == AT_REGISTER ? VARIANT_RS : VARIANT_SS;
}

static void put_pair(struct lowering *c, const struct operand *a, const struct operand *b) {
    if (a->kind == AT_SLOT) put_slot(c, a->slot);
    if (b->kind == AT_SLOT) put_slot(c, b->slot);
    if (b->kind == AT_CONST) put_k(c, b->type, b->bits);
}

static void remember_compare(struct lowering *c, uint32_t pos, enum mote__op op, uint32_t variant) {
    if (c->failed) return;
    c->cmp = (struct comparison){.pos = pos, .last = pos, .op = (uint16_t)op, .variant = (uint8_t)variant, .unit_count = (uint8_t)(here(c) - pos - 2)};
    memcpy(c->cmp.units, &c->units.data[pos + 2], c->cmp.unit_count * sizeof(uint16_t));
}

static void emit_binary(struct walk *w, enum mote__op op, bool in_f, bool out_f) {
    struct lowering *c = w->c;
    struct operand a, b;
    uint32_t variant = take_pair(w, &op, &a, &b, in_f ? WANT_F : WANT_R);
    clobber(w, out_f);
    uint32_t pos = insn(c, insn_of_op[op].base + 2 * variant);
    put(c, 0);
    put_pair(c, &a, &b);
    result_in_register(w, w->count, pos, out_f);
    if (is_int_compare(op) || is_float_compare(op)) remember_compare(c, pos, op, variant);
}

static void emit_unary(struct walk *w, enum mote__op op, bool in_f, bool out_f) {
    struct lowering *c = w->c;
    struct operand a = take(w, w->count, in_f ? WANT_F : WANT_R);
    clobber(w, out_f);
    uint32_t pos = insn(c, insn_of_op[op].base + 2 * (a.kind == AT_REGISTER));
    put(c, 0);
    if (a.kind == AT_SLOT) put_slot(c, a.slot);
    result_in_register(w, w->count, pos, out_f);
    if (op == OP_i32_eqz || op == OP_i64_eqz) remember_compare(c, pos, op, a.kind == AT_REGISTER);
}

/* i32.eqz of a comparison: turns an integer comparison around; remembers it for a branch after a float one. True when nothing is left to do. */
static bool emit_eqz_of_compare(struct walk *w) {
    struct lowering *c = w->c;
    const struct walk_value *v = &w->stack[w->count];
    if (v->loc != LOC_R || c->last == NO_POS || c->cmp.last != c->last || c->r_pos != c->last || c->failed) return false;
    if (is_int_compare(c->cmp.op)) {
        c->cmp.op = (uint16_t)inverse_compare(c->cmp.op);
        c->units.data[c->cmp.pos] = (uint16_t)(insn_of_op[c->cmp.op].base + 2 * c->cmp.variant);
        return true;
    }
    struct comparison cmp = c->cmp;
    emit_unary(w, OP_i32_eqz, false, false);
    cmp.negated = !cmp.negated;
    cmp.last = c->last;
    c->cmp = cmp;
    return true;
}

/* The canonical-NaN option: after the instruction, whose result is settled. */
static void canonicalise(struct walk *w, enum mote__op op, uint32_t i, char out) {
    struct lowering *c = w->c;
    if (!c->canonical_nans) return;
    char lanes = mote__op_nan_lanes(op);
    if (!lanes) return;
    settle(w, i);
    int32_t slot = near_slot(c, w->stack[i].slot, w->stack[i].type);
    bool is_f = lanes == 'f';
    insn(c, out == 'v' ? (is_f ? I_canon_f4 : I_canon_F2) : is_f ? I_canon_f : I_canon_F);
    put_slot(c, slot);
    forget_slot(c, w->stack[i].slot);
    if (slot != w->stack[i].slot) mov(c, w->stack[i].slot, slot, w->stack[i].type);
}

/* Vectors: operands from slots, the register or the code by the class's variants, the result in the register and its slot. */
static void emit_vector(struct walk *w, enum mote__op op, valtype out) {
    struct lowering *c = w->c;
    struct operand a = {.kind = AT_REGISTER}, b = a, last = a;
    uint32_t i = w->count, variant;
    switch ((enum insn_class)insn_of_op[op].cls) {
    case CLASS_V1:
        a = take(w, i, in_f(w->stack[i].type) ? WANT_F : WANT_R);
        variant = a.kind == AT_REGISTER;
        break;
    case CLASS_V3:
        last = take(w, i + 2, WANT_F);
        b = take(w, i + 1, WANT_SLOT);
        a = take(w, i, WANT_SLOT);
        variant = last.kind == AT_REGISTER;
        break;
    case CLASS_VS:
        b = take(w, i + 1, WANT_CONST);
        a = take(w, i, WANT_F);
        variant = 2 * (b.kind == AT_CONST) + (a.kind == AT_REGISTER);
        break;
    default: variant = take_pair(w, &op, &a, &b, WANT_F); break;
    }
    clobber(w, in_f(out));
    int32_t to = result_slot(w, i);
    insn(c, insn_of_op[op].base + variant);
    put_slot(c, to);
    if (a.kind == AT_SLOT) put_slot(c, a.slot);
    if (b.kind == AT_SLOT) put_slot(c, b.slot);
    if (last.kind == AT_SLOT) put_slot(c, last.slot);
    if (b.kind == AT_CONST && b.type == VT_V128) put_bytes(c, vector_of_bits(b.bits));
    if (b.kind == AT_CONST && b.type == VT_I32) put(c, (uint32_t)b.bits);
    result_in_both(w, i, to, out);
}

/* Slots only: lanes, shuffles, 128-bit integers. */
static void emit_generic(struct walk *w, enum mote__op op, uint32_t n_in, char out) {
    struct lowering *c = w->c;
    int32_t from[4];
    for (uint32_t i = n_in; i-- > 0;) from[i] = take_slot(w, w->count + i);
    bool wide = insn_of_op[op].cls == CLASS_WIDE;
    clobber(w, in_f(walk_letter(out)));
    uint32_t i = w->count;
    int32_t to = wide ? canonical(w, i) : result_slot(w, i);
    if (!is_near(to)) to = scratch(c);
    insn(c, insn_of_op[op].base);
    put_slot(c, to);
    for (uint32_t k = 0; k < n_in; k++) put_slot(c, from[k]);
    if (mote__op_info[op].kind == KIND_LANE) put(c, w->imm.b);
    if (mote__op_info[op].kind == KIND_SHUFFLE) put_bytes(c, w->imm.bytes);
    if (wide) {
        use_slot(c, to + 4);
        w->stack[i].type = VT_I64;
        result_in_slot(w, i, to, VT_I64);
        result_in_slot(w, i + 1, to + 1, VT_I64);
        return;
    }
    result_in_both(w, i, to, walk_letter(out));
}

static void on_plain(struct walk *w, enum mote__op op, uint32_t n_in) {
    begin(w);
    char out = mote__op_info[op].sig[walk_sig_in(mote__op_info[op].sig) + 1];
    switch ((enum insn_class)insn_of_op[op].cls) {
    case CLASS_IB: emit_binary(w, op, false, false); break;
    case CLASS_IU:
        if (op == OP_i32_eqz && emit_eqz_of_compare(w)) break;
        emit_unary(w, op, false, false);
        break;
    case CLASS_FB: emit_binary(w, op, true, true); break;
    case CLASS_FC: emit_binary(w, op, true, false); break;
    case CLASS_FU: emit_unary(w, op, true, true); break;
    case CLASS_FI: emit_unary(w, op, true, false); break;
    case CLASS_IF: emit_unary(w, op, false, true); break;
    case CLASS_V1:
    case CLASS_V2:
    case CLASS_VS:
    case CLASS_V3: emit_vector(w, op, walk_letter(out)); break;
    default: emit_generic(w, op, n_in, out); break;
    }
    w->stack[w->count].type = walk_letter(out);
    canonicalise(w, op, w->count, out);
}

/* ---------------------------------------------------------------- memory */

/* Memory index and offset of the form for any memory. */
static void put_memory(struct walk *w) {
    put(w->c, w->imm.a);
    put64(w->c, w->imm.x);
}

static void emit_load(struct walk *w, enum mote__op op, char out) {
    struct lowering *c = w->c;
    bool is_f = out == 'f' || out == 'F', vector = out == 'v';
    struct operand address = take(w, w->count, WANT_R);
    clobber(w, is_f || vector);
    int32_t to = vector ? result_slot(w, w->count) : 0;
    bool in_r = address.kind == AT_REGISTER;
    uint32_t pos = insn(c, insn_of_op[op].base + (vector ? in_r : 2 * in_r));
    put(c, (uint16_t)to);
    if (!in_r) put_slot(c, address.slot);
    put32(c, (uint32_t)w->imm.x);
    if (vector) result_in_both(w, w->count, to, VT_V128);
    else result_in_register(w, w->count, pos, is_f);
}

static void emit_store_int(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    struct operand value = take(w, w->count + 1, WANT_R | WANT_CONST), address = take(w, w->count, WANT_R);
    if (value.kind == AT_CONST && !fits_k(value.type, value.bits)) force_slot(w, &value);
    if (address.kind == AT_REGISTER && value.kind == AT_REGISTER) {
        value.kind = AT_SLOT;
        value.slot = near_slot(c, c->r_slot, value.type);
    }
    bool in_r = address.kind == AT_REGISTER;
    uint32_t variant = value.kind == AT_CONST ? (in_r ? VARIANT_RK : VARIANT_SK) : value.kind == AT_REGISTER ? VARIANT_SR : in_r ? VARIANT_RS : VARIANT_SS;
    insn(c, insn_of_op[op].base + variant);
    if (!in_r) put_slot(c, address.slot);
    if (value.kind == AT_SLOT) put_slot(c, value.slot);
    put32(c, (uint32_t)w->imm.x);
    if (value.kind == AT_CONST) put32(c, (uint32_t)value.bits);
}

/* A float or a vector. */
static void emit_store_float(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    struct operand value = take(w, w->count + 1, WANT_F), address = take(w, w->count, WANT_R);
    bool address_r = address.kind == AT_REGISTER, value_r = value.kind == AT_REGISTER;
    insn(c, insn_of_op[op].base + value_r + 2u * address_r); /* ss sr rs rr */
    if (!address_r) put_slot(c, address.slot);
    if (!value_r) put_slot(c, value.slot);
    put32(c, (uint32_t)w->imm.x);
}

/* The forms for any memory, lanes and atomics: to (if it makes a value), address, memory, offset, then the other operands; plain stores have
 * their value before the memory. */
static void emit_any_memory(struct walk *w, enum mote__op op, uint32_t code, uint32_t n_in, char out) {
    struct lowering *c = w->c;
    uint8_t kind = mote__op_info[op].kind;
    bool store = kind == KIND_STORE || kind == KIND_STORE_LANE, lane = kind == KIND_LOAD_LANE || kind == KIND_STORE_LANE;
    int32_t from[3] = {0};
    for (uint32_t i = n_in; i-- > 0;) from[i] = take_slot(w, w->count + i);
    clobber(w, false);
    if (out && in_f(walk_letter(out))) clobber(w, true);
    int32_t to = out ? result_slot(w, w->count) : 0;
    insn(c, code);
    if (!store) put(c, (uint16_t)to);
    put_slot(c, from[0]);
    if (store) put_slot(c, from[1]);
    put_memory(w);
    for (uint32_t i = 1; i < n_in && !store; i++) put_slot(c, from[i]);
    if (lane) put(c, w->imm.b);
    if (out) result_in_slot(w, w->count, to, walk_letter(out));
}

static void on_memory(struct walk *w, enum mote__op op, uint32_t n_in) {
    const struct mote__memtype *memory = &w->module->memories[w->imm.a];
    const char *sig = mote__op_info[op].sig;
    char out = sig[walk_sig_in(sig) + 1];
    bool any = w->imm.a || memory->is_64 || memory->shared;
    uint32_t base = insn_of_op[op].base;
    begin(w);
    switch ((enum insn_class)insn_of_op[op].cls) {
    case CLASS_LI:
    case CLASS_LF:
        if (any) emit_any_memory(w, op, base + X_OF_LOAD, n_in, out);
        else emit_load(w, op, out);
        break;
    case CLASS_LV:
        if (any) emit_any_memory(w, op, base + X_OF_LV, n_in, out);
        else emit_load(w, op, out);
        break;
    case CLASS_SI:
        if (any) emit_any_memory(w, op, base + X_OF_SI, n_in, 0);
        else emit_store_int(w, op);
        break;
    case CLASS_SF:
    case CLASS_SV:
        if (any) emit_any_memory(w, op, base + X_OF_SF, n_in, 0);
        else emit_store_float(w, op);
        break;
    default: emit_any_memory(w, op, base, n_in, out); break;
    }
}
