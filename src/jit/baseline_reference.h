/* baseline_reference.h - the part of baseline.c for tables, references, and casts. Included by baseline.c alone. */

/* ---------------------------------------------------------------- tables */

/* The place of a table's element, in bounds: of the two registers one is the index made harmless for speculation. */
static struct x_rm table_element(struct walk *w, struct walk_value *v, uint32_t table_index) {
    struct compilation *c = w->c;
    int index = use_reg(w, v), table = take_temp(w, GP), masked = take_temp(w, GP);
    x_load(c->b, true, table, in_space(c->layout.tables, table_index));
    x_alu(c->b, ALU_CMP, true, index, at_base(table, (int32_t)offsetof(struct mote__table, size)));
    trap_when(w, CC_AE, MOTE_TRAP_TABLE_OUT_OF_BOUNDS);
    x_alu(c->b, ALU_SBB, true, masked, in_reg(masked));
    x_alu(c->b, ALU_AND, true, masked, in_reg(index));
    x_load(c->b, true, table, at_base(table, (int32_t)offsetof(struct mote__table, elements)));
    release_reg(c, GP, index);
    return at_element(table, masked, 3, 0);
}

static bool is_func_table(const struct walk *w, uint32_t table) {
    return mote__heap_top(w->types, mote__vt_heap(w->module->tables[table].type.element)) == MOTE_HEAP_FUNC;
}

#define NULL_ELEMENT ((uint64_t)(uintptr_t)&mote__func_null) /* null in tables of functions */

/* An element of 0 is a function that nobody has made yet. */
static void finish_func_element(struct walk *w, uint32_t table, int index, int to, int scratch) {
    struct compilation *c = w->c;
    x_test(c->b, true, to);
    slow_help(w, x_jcc(c->b, CC_E), HELPER_table_get, table, index, to);
    x_const(c->b, scratch, NULL_ELEMENT);
    x_alu(c->b, ALU_CMP, true, to, in_reg(scratch));
    x_const(c->b, scratch, 0);
    x_cmov(c->b, CC_E, true, to, in_reg(scratch));
}

static void emit_table_get(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t table = w->imm.a;
    bool is_func = is_func_table(w, table);
    unlink_operand(w);
    if (is_func) leave_registers(w);
    struct x_rm from = table_element(w, operand(w, 0), table);
    int to = is_func ? take_temp(w, GP) : take_result(w, GP, NULL, NO_REG);
    x_load(c->b, true, to, from);
    if (is_func) finish_func_element(w, table, from.index, to, from.base);
    result_in_reg(w, w->count, w->module->tables[table].type.element, to);
}

static void emit_table_set(struct walk *w) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct x_rm to = table_element(w, operand(w, 0), w->imm.a);
    int value = use_reg(w, operand(w, 1));
    if (is_func_table(w, w->imm.a)) {
        int given = value;
        value = take_temp(w, GP);
        x_const(c->b, value, NULL_ELEMENT);
        x_test(c->b, true, given);
        x_cmov(c->b, CC_NE, true, value, in_reg(given));
    }
    x_store(c->b, true, value, to);
}

static void emit_table_size(struct walk *w) {
    int to = take_temp(w, GP);
    x_load(w->c->b, true, to, in_space(w->c->layout.tables, w->imm.a));
    x_load(w->c->b, true, to, at_base(to, (int32_t)offsetof(struct mote__table, size)));
    result_in_reg(w, w->count, address_type(w->module->tables[w->imm.a].type.is_64), to);
}

static void emit_table_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    uint32_t a = w->imm.a, b = w->imm.b;
    const struct mote__tabletype *type = op == OP_table_init ? NULL : &w->module->tables[a].type;
    struct shape s = {.n32 = 1, .u32 = {a, b}};
    valtype out = VT_BOTTOM;
    switch (op) {
    case OP_table_get: emit_table_get(w); return;
    case OP_table_set: emit_table_set(w); return;
    case OP_table_size: emit_table_size(w); return;
    case OP_table_grow: s.insn = I_table_grow, out = address_type(type->is_64); break;
    case OP_table_fill: s.insn = I_table_fill; break;
    case OP_table_copy: s.insn = I_table_copy, s.n32 = 2; break;
    default: s.insn = I_table_init, s.n32 = 2, s.u32[0] = b, s.u32[1] = a; break;
    }
    s.result = out != VT_BOTTOM;
    emit_shape(w, n_in, s, out);
}

/* ---------------------------------------------------------------- references */

static void emit_as_non_null(struct walk *w) {
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    valtype type = v->type;
    int reg = use_reg(w, v);
    if (!is_own(v)) {
        int to = take_temp(w, GP);
        x_mov(w->c->b, true, to, reg);
        reg = to;
    }
    x_test(w->c->b, true, reg);
    trap_when(w, CC_E, MOTE_TRAP_NULL_REFERENCE);
    result_in_reg(w, w->count, type, reg);
}

/* A function that this instance has no object for yet is made. */
static void emit_ref_func(struct walk *w) {
    struct compilation *c = w->c;
    leave_registers(w);
    int to = take_temp(w, GP);
    x_load(c->b, true, to, in_space(c->layout.funcs, w->imm.a));
    x_test(c->b, true, to);
    slow_help(w, x_jcc(c->b, CC_E), HELPER_ref_func, w->imm.a, NO_REG, to);
    result_in_reg(w, w->count, VT_FUNCREF, to);
}

static void emit_is_null(struct walk *w) {
    unlink_operand(w);
    x_test(w->c->b, true, use_reg(w, operand(w, 0)));
    result_in_flags(w, w->count, CC_E);
}

/* i31 references: the value above a set bit. */
static void emit_ref_i31(struct walk *w) {
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_temp(w, GP);
    x_mov(w->c->b, false, to, from);
    x_shift_const(w->c->b, SHIFT_SHL, false, to, 1);
    x_alu_const(w->c->b, ALU_OR, false, in_reg(to), 1);
    result_in_reg(w, w->count, VT_REF | MOTE_HEAP_I31, to);
}
static void emit_i31_get(struct walk *w, enum x_shift shift) {
    unlink_operand(w);
    int from = use_reg(w, operand(w, 0)), to = take_temp(w, GP);
    x_test(w->c->b, false, from);
    trap_when(w, CC_E, MOTE_TRAP_NULL_I31);
    x_mov(w->c->b, false, to, from);
    x_shift_const(w->c->b, shift, false, to, 1);
    result_in_reg(w, w->count, VT_I32, to);
}

/* ---------------------------------------------------------------- casts: one look at an object's type, one into its display */

/* The type with the number in a register. */
static void load_type(struct walk *w, int id, int scratch) {
    x_const(w->c->b, scratch, (uint64_t)(uintptr_t)&w->types->by_id); /* the array is replaced when it grows */
    x_load(w->c->b, true, scratch, at_base(scratch, 0));
    x_load(w->c->b, true, id, at_element(scratch, id, 3, 0));
}

/* Jumps to `list` unless the type in a register, another one, is a subtype. */
static void match_display(struct compilation *c, const mote_type *type, int reg, uint32_t *list) {
    x_compare_16(c->b, at_base(reg, (int32_t)offsetof(mote_type, depth)), type->depth);
    add_fixup(c, list, x_jcc(c->b, CC_BE));
    x_load(c->b, true, reg, at_base(reg, (int32_t)offsetof(mote_type, display)));
    x_alu_const(c->b, ALU_CMP, false, at_base(reg, (int32_t)type->depth * 4), (int32_t)type->id);
    add_fixup(c, list, x_jcc(c->b, CC_NE));
}

/* Jumps to `list` unless an object's type number in `id` is that of a concrete type or of one below it. */
static void match_concrete(struct walk *w, const mote_type *type, int id, int scratch, uint32_t *list) {
    struct compilation *c = w->c;
    uint32_t same = 0;
    x_alu_const(c->b, ALU_CMP, false, in_reg(id), (int32_t)type->id);
    add_fixup(c, type->is_final ? list : &same, x_jcc(c->b, type->is_final ? CC_NE : CC_E));
    if (type->is_final) return;
    load_type(w, id, scratch);
    match_display(c, type, id, list);
    bind(c, &same);
}

/* Jumps to `list` unless the reference, not null, is to an object of a heap type of the any hierarchy. */
static void match_object(struct walk *w, int ref, const int scratch[2], heaptype heap, uint32_t *list) {
    struct compilation *c = w->c;
    int id = scratch[0];
    x_load(c->b, true, id, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, heap)));
    x_load(c->b, false, id, at_index(id, ref, (int32_t)offsetof(struct mote__object, type_id)));
    x_alu_const(c->b, ALU_CMP, false, in_reg(id), (int32_t)OBJECT_EXTERN); /* what the host wrapped is of no type */
    add_fixup(c, list, x_jcc(c->b, CC_AE));
    if (heap >= HEAP_CONCRETE) {
        match_concrete(w, mote__type_by_id(w->types, heap - HEAP_CONCRETE), id, scratch[1], list);
    } else if (heap != MOTE_HEAP_EQ) {
        load_type(w, id, scratch[1]);
        x_compare_8(c->b, at_base(id, (int32_t)offsetof(mote_type, kind)), heap == MOTE_HEAP_STRUCT ? MOTE_TYPE_STRUCT : MOTE_TYPE_ARRAY);
        add_fixup(c, list, x_jcc(c->b, CC_NE));
    }
}

static void match_any(struct walk *w, int ref, const int scratch[2], heaptype heap, uint32_t *list) {
    struct compilation *c = w->c;
    uint32_t yes = 0;
    if (heap == MOTE_HEAP_ANY) return;
    x_test_1(c->b, ref);
    if (heap == MOTE_HEAP_I31) {
        add_fixup(c, list, x_jcc(c->b, CC_E));
        return;
    }
    add_fixup(c, heap == MOTE_HEAP_EQ ? &yes : list, x_jcc(c->b, CC_NE));
    match_object(w, ref, scratch, heap, list);
    bind(c, &yes);
}

static void match_func(struct walk *w, int ref, const int scratch[2], const mote_type *type, uint32_t *list) {
    struct compilation *c = w->c;
    uint32_t same = 0;
    x_alu_const(c->b, ALU_CMP, false, at_base(ref, (int32_t)offsetof(struct mote__func, type_id)), (int32_t)type->id);
    add_fixup(c, type->is_final ? list : &same, x_jcc(c->b, type->is_final ? CC_NE : CC_E));
    if (type->is_final) return;
    x_load(c->b, true, scratch[0], at_base(ref, (int32_t)offsetof(struct mote__func, type)));
    match_display(c, type, scratch[0], list);
    bind(c, &same);
}

/* Falls through when a reference is of a type, and jumps to `list` when it is not. */
static void match_reference(struct walk *w, int ref, const int scratch[2], valtype type, uint32_t *list) {
    struct compilation *c = w->c;
    heaptype heap = mote__vt_heap(type), top = mote__heap_top(w->types, heap);
    uint32_t yes = 0;
    bool bottom = heap == MOTE_HEAP_NONE || heap == MOTE_HEAP_NOFUNC || heap == MOTE_HEAP_NOEXTERN || heap == MOTE_HEAP_NOEXN;
    x_test(c->b, true, ref);
    add_fixup(c, mote__vt_is_null(type) ? &yes : list, x_jcc(c->b, CC_E));
    if (bottom) add_fixup(c, list, x_jmp(c->b));
    else if (top == MOTE_HEAP_ANY) match_any(w, ref, scratch, heap, list);
    else if (heap >= HEAP_CONCRETE) match_func(w, ref, scratch, mote__type_by_id(w->types, heap - HEAP_CONCRETE), list);
    bind(c, &yes);
}

/* The top operand, which stays where it is, in a register. */
static int look_at(struct walk *w) {
    struct compilation *c = w->c;
    struct walk_value *v = operand(w, 0);
    if (v->loc == LOC_CONST) settle(w, w->count);
    int reg = reg_of(c, v);
    if (reg < 0) {
        reg = take_temp(w, GP);
        x_load_slot(c->b, true, reg, slot_of(c, v));
    }
    c->locked[GP] |= UINT32_C(1) << reg;
    return reg;
}

/* 1 or 0: whether the top operand, which stays, is of a type; in a temporary. */
static int emit_match(struct walk *w, valtype type) {
    struct compilation *c = w->c;
    uint32_t no = 0;
    int ref = look_at(w), to = take_temp(w, GP), scratch[2];
    for (int i = 0; i < 2; i++) scratch[i] = take_temp(w, GP);
    x_const(c->b, to, 0);
    match_reference(w, ref, scratch, type, &no);
    x_const(c->b, to, 1);
    bind(c, &no);
    return to;
}

static void emit_ref_test(struct walk *w) {
    int to = emit_match(w, w->imm.to);
    unlink_operand(w);
    result_in_reg(w, w->count, VT_I32, to);
}

/* The operand is checked and stays as it is, but for its type. */
static void emit_cast(struct walk *w) {
    struct compilation *c = w->c;
    uint32_t no = 0;
    int ref = look_at(w), scratch[2];
    for (int i = 0; i < 2; i++) scratch[i] = take_temp(w, GP);
    match_reference(w, ref, scratch, w->imm.to, &no);
    for (; no && !c->failed; no = c->fixups.data[no - 1].next)
        add_stub(w, (struct stub){.kind = STUB_TRAP, .trap = MOTE_TRAP_CAST_FAILURE, .at = c->fixups.data[no - 1].at});
    operand(w, 0)->type = w->imm.to;
}

static void emit_ref(struct walk *w, enum mote__op op) {
    switch (op) {
    case OP_ref_func: emit_ref_func(w); break;
    case OP_ref_is_null: emit_is_null(w); break;
    case OP_ref_eq: emit_compare(w, CC_E, VT_I64); break;
    case OP_ref_test:
    case OP_ref_test_null: emit_ref_test(w); break;
    case OP_ref_i31: emit_ref_i31(w); break;
    case OP_i31_get_s: emit_i31_get(w, SHIFT_SAR); break;
    case OP_i31_get_u: emit_i31_get(w, SHIFT_SHR); break;
    case OP_ref_as_non_null: emit_as_non_null(w); break;
    default: emit_cast(w); break;
    }
}
