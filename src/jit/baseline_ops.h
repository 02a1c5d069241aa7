/* baseline_ops.h - the part of baseline.c for everything that is neither plain computation, nor an access to a memory, nor a branch: variables, calls,
 * exceptions, and the choice among all of them. Included by baseline.c alone. */

/* ---------------------------------------------------------------- constants and variables */

WALK_INLINE void push_constant(struct walk *w, uint64_t bits, valtype type) {
    struct walk_value *v = operand(w, 0);
    v->slot = canonical(w, w->count);
    v->loc = LOC_CONST;
    v->bits = bits;
    v->type = type;
}

static void push_vector(struct walk *w) {
    struct compilation *c = w->c;
    int to = take_result(w, FP, NULL, NO_REG);
    x_vload(c->b, to, at_rip());
    leads_to_literal(c, (uint32_t)c->literals.count);
    for (int k = 0; k < 16; k += 2) literal(c, w->imm.bytes[k] | (uint32_t)w->imm.bytes[k + 1] << 8);
    result_in_reg(w, w->count, VT_V128, to);
}

/* A pending read of a local. */
WALK_INLINE void push_local(struct walk *w, uint32_t local, valtype type) {
    struct compilation *c = w->c;
    struct walk_value *v = operand(w, 0);
    v->slot = canonical(w, w->count);
    v->type = type;
    v->loc = LOC_LOCAL;
    v->local = local;
    v->prev = c->heads.data[local];
    c->heads.data[local] = w->count + 1;
}

static void set_local(struct walk *w, uint32_t local) {
    struct compilation *c = w->c;
    struct walk_value *v = operand(w, 0);
    if (v->loc == LOC_LOCAL && v->local == local) {
        unlink_operand(w);
        return;
    }
    const struct pin *pin = pin_of_local(c, local);
    unlink_operand(w);
    if (c->heads.data[local]) copy_reads_of(w, local);
    if (pin) {
        if (v->loc == LOC_CONST && class_of(v->type) == GP && !v->bits) x_zero(c->b, pin->reg);
        else copy_to_reg(w, v, pin->reg);
        pin_written(c, pin);
        return;
    }
    int cls = class_of(v->type);
    forget_local(c, local, cls);
    copy_to_slot(w, v, c->local_slots.data[local]);
    if (v->loc == LOC_REG && is_temp(cls, v->reg)) remember_local(c, local, cls, v->reg);
}

static void on_local_set(struct walk *w, uint32_t local, bool tee) {
    begin(w);
    set_local(w, local);
    if (tee) push_local(w, local, walk_local_type(w, local));
}

/* Where a global's value is; the pointers on the way to an imported one go through `reg`. */
static struct x_rm global_rm(struct walk *w, int reg) {
    struct compilation *c = w->c;
    uint32_t index = w->imm.a, imports = w->module->global_import_count;
    if (index >= imports) return at_base(REG_INSTANCE, (int32_t)(c->layout.globals + (index - imports) * 2 * sizeof(uint64_t)));
    x_load(c->b, true, reg, in_space(c->layout.global_refs, index));
    x_load(c->b, true, reg, at_base(reg, (int32_t)offsetof(struct mote__global, value)));
    return at_base(reg, 0);
}

static void emit_global(struct walk *w, enum mote__op op) {
    struct compilation *c = w->c;
    valtype type = w->module->globals[w->imm.a].type;
    int cls = class_of(type);
    begin(w);
    if (op == OP_global_get) {
        int via = take_temp(w, GP), to = cls == GP ? via : take_temp(w, FP);
        const struct pin *pin = wanted_pin(w, cls);
        if (pin) to = pin->reg;
        struct x_rm from = global_rm(w, via);
        if (type == VT_V128) x_vload(c->b, to, from);
        else if (cls == FP) x_fload(c->b, type == VT_F64, to, from);
        else x_load(c->b, type != VT_I32, to, from);
        result_in_reg(w, w->count, type, to);
        return;
    }
    unlink_operand(w);
    int value = use_reg(w, operand(w, 0)), via = take_temp(w, GP);
    struct x_rm to = global_rm(w, via);
    if (type == VT_V128) x_vstore(c->b, value, to);
    else if (cls == FP) x_fstore(c->b, type == VT_F64, value, to);
    else x_store(c->b, true, value, to);
}

static void emit_drop(struct walk *w) {
    begin_any(w);
    unlink_operand(w);
    if (w->c->flags_at == (int64_t)w->count) w->c->flags_at = -1;
    flush_flags(w);
}

/* Both values are looked at before the choice, so that the flags decide at the end. */
static void emit_select(struct walk *w) {
    struct compilation *c = w->c;
    valtype type = w->imm.to;
    int cls = class_of(type);
    begin_any(w);
    unsigned cc = take_condition(w, w->count + 2);
    unlink_two(w);
    struct walk_value *a = operand(w, 0), *b = operand(w, 1);
    int from = use_reg(w, a), other = use_reg(w, b), to = is_own(a) && from != other ? from : take_temp(w, cls);
    uint32_t over = 0;
    move_reg(c, type, to, from);
    if (cls == GP && cc < CC_FEQ) {
        x_cmov(c->b, (enum x_cc)negate(cc), type != VT_I32, to, in_reg(other));
    } else {
        jump_when(c, cc, &over);
        move_reg(c, type, to, other);
        bind(c, &over);
    }
    result_in_reg(w, w->count, type, to);
}

/* ---------------------------------------------------------------- calls */

static bool is_tail(enum mote__op op) { return op == OP_return_call || op == OP_return_call_indirect || op == OP_return_call_ref; }
static bool is_direct(enum mote__op op) { return op == OP_call || op == OP_return_call; }
static bool is_indirect(enum mote__op op) { return op == OP_call_indirect || op == OP_return_call_indirect; }

/* The results of a call: one is in a register, several are where the arguments were. */
static void describe_results(struct walk *w, const mote_type *type) {
    if (!mote__translate_reserve(w, type->result_count + 8)) return;
    if (type->result_count == 1) {
        result_in_reg(w, w->count, mote__type_result(type, 0), 0);
        use_slot(w->c, operand(w, 0)->slot + 4);
        return;
    }
    for (uint32_t i = 0; i < type->result_count; i++) result_in_slot(w, w->count + i, mote__type_result(type, i));
}

/* The function of a table's element in rcx: its struct mote__func in rdx. Out of bounds, the index is also made harmless for speculation. What is not
 * simply a function of the very type is looked at by a helper, which also traps. */
static void emit_element(struct walk *w) {
    struct compilation *c = w->c;
    x_load(c->b, true, RDX, in_space(c->layout.tables, w->imm.b));
    struct stub slow = {.kind = STUB_RESOLVE, .a = w->imm.b, .b = w->imm.type->id};
    x_alu(c->b, ALU_CMP, true, RCX, at_base(RDX, (int32_t)offsetof(struct mote__table, size)));
    add_fixup(c, &slow.list, x_jcc(c->b, CC_AE));
    x_alu(c->b, ALU_SBB, true, RAX, in_reg(RAX));
    x_alu(c->b, ALU_AND, true, RCX, in_reg(RAX));
    x_load(c->b, true, RDX, at_base(RDX, (int32_t)offsetof(struct mote__table, elements)));
    x_load(c->b, true, RDX, at_element(RDX, RCX, 3, 0));
    x_test(c->b, true, RDX);
    add_fixup(c, &slow.list, x_jcc(c->b, CC_E));
    x_alu_const(c->b, ALU_CMP, false, at_base(RDX, (int32_t)offsetof(struct mote__func, type_id)), (int32_t)w->imm.type->id);
    add_fixup(c, &slow.list, x_jcc(c->b, CC_NE));
    slow.back = here(c);
    add_stub(w, slow);
}

/* The instance of a function that is not certainly this one's, and its memory; a host function has none: the caller's stay. */
static void load_callee_instance(struct compilation *c) {
    x_alu(c->b, ALU_CMP, true, REG_INSTANCE, at_base(RDX, (int32_t)offsetof(struct mote__func, instance)));
    size_t same = x_jcc_short(c->b, CC_E);
    x_load(c->b, true, RCX, at_base(RDX, (int32_t)offsetof(struct mote__func, instance)));
    x_test(c->b, true, RCX);
    size_t host = x_jcc_short(c->b, CC_E);
    x_mov(c->b, true, REG_INSTANCE, RCX);
    x_load(c->b, true, REG_MEMORY, at_base(REG_INSTANCE, (int32_t)offsetof(struct mote__instance, fixed_base)));
    x_patch_short(c->b, host);
    x_patch_short(c->b, same);
}

/* What the entry of a function expects: its instance, unless that is this one, and its number; and where its code is, in rcx. */
static void load_callee(struct compilation *c, bool stays) {
    if (!stays) load_callee_instance(c);
    x_load(c->b, false, RAX, at_base(RDX, (int32_t)offsetof(struct mote__func, own_index)));
    x_load(c->b, true, RCX, at_base(RDX, (int32_t)offsetof(struct mote__func, cell)));
}

/* Finds the callee of anything but a call of an own function: its struct mote__func in rdx. */
static void find_callee(struct walk *w, enum mote__op op) {
    struct compilation *c = w->c;
    if (is_direct(op)) {
        x_load(c->b, true, RDX, in_space(c->layout.funcs, w->imm.a));
    } else if (is_indirect(op)) {
        emit_element(w);
    } else {
        x_test(c->b, true, RDX);
        trap_when(w, CC_E, MOTE_TRAP_NULL_FUNCTION);
    }
}

/* Calls (2) or jumps to (4) the callee. */
static void go_to_callee(struct walk *w, bool own, int which) {
    struct compilation *c = w->c;
    if (!own) {
        x_through(c->b, which, at_base(RCX, 0));
        return;
    }
    uint32_t own_index = w->imm.a - w->module->func_import_count;
    x_const(c->b, RAX, own_index);
    relocate_to(c, x_through_rip(c->b, which), c->jm->cells + own_index * (uint32_t)sizeof(void *));
}

/* Moves the arguments down to where the caller put this frame's own, and makes the callee's frame there. */
static void move_tail(struct walk *w, int32_t first, uint32_t slots) {
    struct compilation *c = w->c;
    int32_t params = (int32_t)w->func_type->param_slots, fp = (int32_t)slots - params;
    x_load_slot(c->b, true, R8, FRAME_CALLER);
    for (int32_t k = 0; k < (int32_t)slots && first != -params; k++) {
        code_room(c->b);
        x_load_slot(c->b, true, R9, first + k);
        x_store_slot(c->b, R9, k - params);
    }
    if (fp) x_alu_const(c->b, ALU_ADD, true, in_reg(REG_FRAME), fp * 8);
    x_store_slot(c->b, R8, FRAME_CALLER);
    use_slot(c, fp + FRAME_HEADER);
}

static void emit_call(struct walk *w, enum mote__op op) {
    struct compilation *c = w->c;
    const mote_type *type = w->imm.type;
    uint32_t args = type->param_count, base = w->count;
    bool own = is_direct(op) && w->imm.a >= w->module->func_import_count;
    bool stays = own || (is_indirect(op) && w->module->tables[w->imm.b].closed); /* in this instance */
    begin(w);
    end_segment(c);
    w->count = base + args;
    if (!is_direct(op)) { /* whom to call lies above the arguments */
        int to = is_indirect(op) ? RCX : RDX;
        unlink_operand(w);
        spill_temp(w, GP, to);
        copy_to_reg(w, operand(w, 0), to);
        c->locked[GP] = UINT32_C(1) << to;
    }
    settle_values(w, args);
    leave_registers(w);
    int32_t end = canonical(w, base + args), first = canonical(w, base);
    use_slot(c, end + FRAME_HEADER);
    if (!own) {
        find_callee(w, op);
        load_callee(c, stays);
    }
    if (is_tail(op)) {
        move_tail(w, first, type->param_slots);
        go_to_callee(w, own, 4);
        truncate(w, w->floor);
        return;
    }
    x_store_slot(c->b, REG_FRAME, end + FRAME_CALLER);
    x_alu_const(c->b, ALU_ADD, true, in_reg(REG_FRAME), end * 8);
    go_to_callee(w, own, 2);
    c->valid = 0;
    forget_locals(c);
    w->count = base;
    site(w, base);
    truncate(w, base);
    if (!stays || w->module->tail_calls_far) recover_instance(c);
    describe_results(w, type);
}

/* ---------------------------------------------------------------- memories as a whole */

/* memory.fill and memory.copy of memory 0: the operands go where the helper takes them. */
static void emit_bulk(struct walk *w, enum jit_helper helper) {
    static const int8_t places[] = {RSI, RDX, RCX};
    struct compilation *c = w->c;
    unlink_operands(w, 3);
    spill_temps(w);
    clean_pins(c, UINT32_MAX);
    for (int k = 2; k >= 0; k--) { /* rcx and rdx may hold operands, rsi a pin */
        struct walk_value *v = operand(w, (uint32_t)k);
        if (v->loc == LOC_REG) store_slot(c, v->type, v->reg, v->slot), v->loc = LOC_SLOT;
        else if (v->loc == LOC_LOCAL) v->loc = LOC_SLOT, v->slot = c->local_slots.data[v->local];
    }
    for (uint32_t k = 0; k < 3; k++) copy_to_reg(w, operand(w, k), places[k]);
    call_helper(w, helper);
}

static void emit_memory_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    uint32_t a = w->imm.a, b = w->imm.b;
    if (op == OP_memory_size) {
        emit_memory_size(w);
        return;
    }
    if (emit_small_bulk(w, op)) return;
    if (op == OP_memory_fill && !a) {
        emit_bulk(w, HELPER_memory_fill);
        return;
    }
    if (op == OP_memory_copy && !a && !b) {
        emit_bulk(w, HELPER_memory_copy);
        return;
    }
    struct shape grow = {.insn = I_memory_grow, .result = true, .n16 = 1, .u16 = {a}};
    switch (op) {
    case OP_memory_grow: emit_shape(w, n_in, grow, address_type(w->module->memories[a].is_64)); break;
    case OP_memory_fill: emit_shape(w, n_in, (struct shape){.insn = I_memory_fill, .n16 = 1, .u16 = {a}}, 0); break;
    case OP_memory_copy: emit_shape(w, n_in, (struct shape){.insn = I_memory_copy, .n16 = 2, .u16 = {a, b}}, 0); break;
    default: emit_shape(w, n_in, (struct shape){.insn = I_memory_init, .n16 = 1, .u16 = {b}, .n32 = 1, .u32 = {a}}, 0); break;
    }
}

static void emit_atomic(struct walk *w, enum mote__op op, uint32_t n_in) {
    struct compilation *c = w->c;
    bool wait = op != OP_memory_atomic_notify;
    if (op == OP_atomic_fence) {
        x_fence(c->b);
        return;
    }
    uint32_t first = begin_step(w, n_in, !wait ? I_atomic_notify : op == OP_memory_atomic_wait32 ? I_atomic_wait32 : I_atomic_wait64);
    literal_slot(c, canonical(w, w->count));
    for (uint32_t k = 0; k < n_in; k++) literal_slot(c, operand(w, k)->slot);
    put_memory(w);
    if (wait) literal32(c, 0);
    end_step(w, first, w->count);
    result_in_slot(w, w->count, VT_I32);
}

/* ---------------------------------------------------------------- exceptions, branches on references */

static void on_throw(struct walk *w, enum mote__op op) {
    struct compilation *c = w->c;
    begin(w);
    if (op == OP_throw) {
        uint32_t count = w->imm.type->param_count;
        w->count += count;
        settle_values(w, count);
        leave_registers(w);
        x_lea(c->b, true, RSI, at_slot(canonical(w, w->count - count)));
        x_const(c->b, RDX, w->imm.a);
        call_helper(w, HELPER_throw_);
    } else {
        struct walk_value *v = op == OP_rethrow ? &w->stack[w->imm.a] : operand(w, 0);
        if (op != OP_rethrow) unlink_operand(w);
        leave_registers(w);
        copy_to_reg(w, v, RSI);
        call_helper(w, HELPER_throw_ref);
    }
    site(w, w->count);
    truncate(w, w->floor);
}

static void on_br_on(struct walk *w, enum mote__op op, struct walk_frame *f) {
    struct compilation *c = w->c;
    bool cast = op == OP_br_on_cast || op == OP_br_on_cast_fail, to_label = op != OP_br_on_null; /* the label takes the reference too */
    uint32_t at = w->count;
    begin(w);
    end_segment(c);
    x_test(c->b, true, cast ? emit_match(w, w->imm.to) : look_at(w));
    c->locked[GP] = 0;
    if (to_label) w->count++;
    else if (walk_label_count(f)) settle(w, at); /* before reads of the same local below it */
    emit_br_if(w, f, op == OP_br_on_null || op == OP_br_on_cast_fail ? CC_E : CC_NE);
    w->count = at;
    if (op == OP_br_on_non_null) {
        w->count = at + 1;
        truncate(w, at);
        w->count = at;
    }
}

/* ---------------------------------------------------------------- all of them */

WALK_SLOW void on_other_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    switch (op) { /* these look after the flags themselves */
    case OP_local_set: case OP_local_tee: on_local_set(w, w->imm.a, op == OP_local_tee); return;
    case OP_global_get: case OP_global_set: emit_global(w, op); return;
    case OP_drop: emit_drop(w); return;
    case OP_select: case OP_select_t: emit_select(w); return;
    case OP_call: case OP_call_indirect: case OP_call_ref:
    case OP_return_call: case OP_return_call_indirect: case OP_return_call_ref: emit_call(w, op); return;
    default: break;
    }
    begin(w);
    switch (op) {
    case OP_v128_const: push_vector(w); break;
    case OP_ref_null: push_constant(w, 0, w->imm.to); break;
    case OP_memory_size: case OP_memory_grow: case OP_memory_fill: case OP_memory_copy: case OP_memory_init: emit_memory_op(w, op, n_in); break;
    case OP_data_drop: emit_shape(w, 0, (struct shape){.insn = I_data_drop, .n32 = 1, .u32 = {w->imm.a}}, 0); break;
    case OP_elem_drop: emit_shape(w, 0, (struct shape){.insn = I_elem_drop, .n32 = 1, .u32 = {w->imm.a}}, 0); break;
    case OP_table_get: case OP_table_set: case OP_table_size: case OP_table_grow: case OP_table_fill: case OP_table_copy: case OP_table_init:
        emit_table_op(w, op, n_in);
        break;
    case OP_any_convert_extern: case OP_extern_convert_any: settle(w, w->count); break; /* the same value */
    case OP_struct_new: case OP_struct_new_default: case OP_array_new_fixed: emit_new_run(w, op, n_in); break;
    case OP_struct_get: case OP_struct_get_s: case OP_struct_get_u: case OP_struct_set: emit_struct_access(w, op); break;
    case OP_array_new: case OP_array_new_default: case OP_array_new_data: case OP_array_new_elem: case OP_array_get: case OP_array_get_s:
    case OP_array_get_u: case OP_array_set: case OP_array_len: case OP_array_fill: case OP_array_copy: case OP_array_init_data:
    case OP_array_init_elem: emit_array_op(w, op, n_in); break;
    case OP_memory_atomic_notify: case OP_memory_atomic_wait32: case OP_memory_atomic_wait64: case OP_atomic_fence: emit_atomic(w, op, n_in); break;
    default: emit_ref(w, op); break;
    }
}

/* Almost half of all instructions are reads of locals and constants, which take nothing and emit nothing. */
WALK_INLINE void on_local_get(struct walk *w, uint32_t local, valtype type) {
    if (w->c->fuel) begin_any(w);
    push_local(w, local, type);
}
WALK_INLINE void on_constant(struct walk *w, uint64_t bits, valtype type) {
    if (w->c->fuel) begin_any(w);
    push_constant(w, bits, type);
}

static void on_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    static const valtype types[] = {VT_I32, VT_I64, VT_F32, VT_F64};
    if (op == OP_local_get) on_local_get(w, w->imm.a, walk_local_type(w, w->imm.a));
    else if (op >= OP_i32_const && op <= OP_f64_const) on_constant(w, w->imm.x, types[op - OP_i32_const]);
    else on_other_op(w, op, n_in);
}

#include "wasm/translate_fast.h"
