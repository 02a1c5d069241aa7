/* baseline_object.h - the part of baseline.c for structs and arrays. Making one is machine code unless the heap is full (in the hostile build it always is), the
 * object is large, or its elements are vectors; then the step does it from operands in their slots. Included by baseline.c alone. */

/* ---------------------------------------------------------------- fields and elements */

static uint32_t storage_log2(const struct walk *w, valtype storage) { return (uint32_t)__builtin_ctz(mote__storage_bytes(storage, w->types)); }

/* The processor's instruction for a field or element: of its size, extended as the op says. */
static struct access storage_access(const struct walk *w, valtype storage, bool store, bool is_unsigned) {
    bool is_f = storage == VT_F32 || storage == VT_F64;
    uint32_t log2 = storage_log2(w, storage);
    if (log2 == 4) return (struct access){.opcode = X_OP(0, 1, store ? 0x11 : 0x10)};
    if (is_f) return (struct access){.opcode = X_OP(storage == VT_F64 ? 0xF2 : 0xF3, 1, store ? 0x11 : 0x10)};
    if (log2 == 3) return (struct access){.opcode = X_OP(0, 0, store ? 0x89 : 0x8B), .flags = X_WIDE};
    if (log2 == 2) return (struct access){.opcode = X_OP(0, 0, store ? 0x89 : 0x8B)};
    if (store) return log2 ? (struct access){.opcode = X_OP(0x66, 0, 0x89)} : (struct access){.opcode = X_OP(0, 0, 0x88), .flags = X_BYTE_REG};
    return (struct access){.opcode = X_OP(0, 1, (is_unsigned ? 0xB6 : 0xBE) + log2)};
}

/* The object in operand 0, not null: its place in the heap is the base of the result, in a temporary. */
static int object_base(struct walk *w, uint32_t trap_if_null) {
    struct compilation *c = w->c;
    int object = use_reg(w, operand(w, 0)), base = take_temp(w, GP);
    x_test(c->b, false, object);
    trap_when(w, CC_E, trap_if_null);
    x_load(c->b, true, base, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, heap)));
    x_alu(c->b, ALU_ADD, true, base, in_reg(object));
    return base;
}

static void load_storage(struct walk *w, const struct access *a, valtype out, struct x_rm from) {
    int to = take_result(w, class_of(out), NULL, NO_REG);
    x_ins(w->c->b, a->opcode, a->flags, to, from);
    result_in_reg(w, w->count, out, to);
}

static void emit_struct_access(struct walk *w, enum mote__op op) {
    valtype storage = w->imm.type->fields[w->imm.b].type;
    int32_t offset = (int32_t)w->imm.type->places[w->imm.b].offset;
    bool store = op == OP_struct_set;
    struct access a = storage_access(w, storage, store, op == OP_struct_get_u);
    unlink_operands(w, store ? 2 : 1);
    int base = object_base(w, MOTE_TRAP_NULL_STRUCTURE);
    if (store) x_ins(w->c->b, a.opcode, a.flags, use_reg(w, operand(w, 1)), at_base(base, offset));
    else load_storage(w, &a, walk_unpacked(storage), at_base(base, offset));
}

/* The place of the element that operand 1 says, in bounds: base and index are in temporaries. */
static struct x_rm element_rm(struct walk *w, uint32_t log2) {
    struct compilation *c = w->c;
    int base = object_base(w, MOTE_TRAP_NULL_ARRAY), given = use_reg(w, operand(w, 1)), index = take_temp(w, GP);
    x_mov(c->b, false, index, given);
    x_alu(c->b, ALU_CMP, false, index, at_base(base, (int32_t)offsetof(struct mote__array, count)));
    trap_when(w, CC_AE, MOTE_TRAP_ARRAY_OUT_OF_BOUNDS);
    if (log2 == 4) x_shift_const(c->b, SHIFT_SHL, true, index, 1);
    return at_element(base, index, log2 == 4 ? 3 : (int)log2, (int32_t)offsetof(struct mote__array, elements));
}

static void emit_array_access(struct walk *w, enum mote__op op) {
    valtype storage = w->imm.type->fields[0].type;
    bool store = op == OP_array_set;
    struct access a = storage_access(w, storage, store, op == OP_array_get_u);
    unlink_operands(w, store ? 3 : 2);
    struct x_rm rm = element_rm(w, storage_log2(w, storage));
    if (store) x_ins(w->c->b, a.opcode, a.flags, use_reg(w, operand(w, 2)), rm);
    else load_storage(w, &a, walk_unpacked(storage), rm);
}

static void emit_array_len(struct walk *w) {
    unlink_operand(w);
    int base = object_base(w, MOTE_TRAP_NULL_ARRAY);
    x_load(w->c->b, false, base, at_base(base, (int32_t)offsetof(struct mote__array, count)));
    result_in_reg(w, w->count, VT_I32, base);
}

/* ---------------------------------------------------------------- making objects: the next free bytes of the heap, if there are enough */

enum { INLINE_BYTES_MAX = 256, INLINE_ARRAY_MAX = 2048 }; /* of objects whose size is a constant, of arrays */

static struct x_rm in_exec(size_t offset) { return at_base(REG_EXEC, (int32_t)offset); }

/* The heap's next bytes become an object of a type: its reference in `ref`, where it is in `object`, which held where it ends. Falls through when there
 * were enough; else it jumps to `list`. */
static void take_bytes(struct walk *w, int ref, int object, uint32_t type_id, uint32_t *list) {
    struct compilation *c = w->c;
    x_alu(c->b, ALU_CMP, true, object, in_exec(offsetof(struct mote__exec, heap_limit)));
    add_fixup(c, list, x_jcc(c->b, CC_A));
    x_store(c->b, true, object, in_exec(offsetof(struct mote__exec, heap_top)));
    x_load(c->b, true, object, in_exec(offsetof(struct mote__exec, heap)));
    x_alu(c->b, ALU_ADD, true, object, in_reg(ref));
    x_store_const(c->b, true, (int32_t)type_id, at_base(object, 0)); /* and the collector's word */
}

static void take_constant_bytes(struct walk *w, int ref, int object, uint32_t bytes, uint32_t type_id, uint32_t *list) {
    x_load(w->c->b, true, ref, in_exec(offsetof(struct mote__exec, heap_top)));
    x_lea(w->c->b, true, object, at_base(ref, (int32_t)bytes));
    take_bytes(w, ref, object, type_id, list);
}

static void clear_bytes(struct walk *w, int object, uint32_t from, uint32_t to) {
    struct compilation *c = w->c;
    int zero = take_temp(w, FP);
    if (from < to) x_vzero(c->b, zero);
    for (; from + 16 <= to; from += 16) x_vstore(c->b, zero, at_base(object, (int32_t)from));
    if (from < to) x_fstore(c->b, true, zero, at_base(object, (int32_t)from));
}

/* A value in its slot becomes a field or element. */
static void copy_to_object(struct walk *w, const struct walk_value *v, valtype storage, struct x_rm to) {
    struct compilation *c = w->c;
    struct access a = storage_access(w, storage, true, false);
    int cls = class_of(v->type);
    uint32_t locked = c->locked[cls];
    int via = take_temp(w, cls);
    c->locked[cls] = locked;
    load_slot(c, v->type, via, v->slot);
    x_ins(c->b, a.opcode, a.flags, via, to);
}

/* The units of the step that does the same: a run of slots, and a number of elements. */
static uint32_t begin_new_run(struct walk *w, enum mote__op op, uint32_t n_in) {
    struct compilation *c = w->c;
    bool is_array = op == OP_array_new_fixed;
    uint32_t first = begin_step(w, n_in, op == OP_struct_new ? I_struct_new : is_array ? I_array_new_fixed : I_struct_new_default);
    int32_t slot = canonical(w, w->count);
    literal_slot(c, slot);
    literal32(c, (uint32_t)slot);
    if (is_array) literal32(c, n_in);
    literal32(c, w->imm.type->id);
    literal32(c, 0);
    return first;
}

/* What is in the object behind its header. */
static void fill_object(struct walk *w, enum mote__op op, uint32_t n_in, int object, uint32_t bytes) {
    const mote_type *type = w->imm.type;
    if (op == OP_struct_new_default) clear_bytes(w, object, sizeof(struct mote__object), bytes);
    if (op == OP_array_new_fixed) x_store_const(w->c->b, true, (int32_t)n_in, at_base(object, (int32_t)offsetof(struct mote__array, count)));
    for (uint32_t k = 0; k < n_in; k++) {
        bool is_array = op == OP_array_new_fixed;
        valtype storage = type->fields[is_array ? 0 : k].type;
        uint32_t at = is_array ? (uint32_t)sizeof(struct mote__array) + (k << storage_log2(w, storage)) : type->places[k].offset;
        code_room(w->c->b);
        copy_to_object(w, operand(w, k), storage, at_base(object, (int32_t)at));
    }
}

static uint64_t new_run_bytes(const struct walk *w, enum mote__op op, uint32_t n_in) {
    const mote_type *type = w->imm.type;
    uint64_t bytes = op == OP_array_new_fixed ? sizeof(struct mote__array) + ((uint64_t)n_in << storage_log2(w, type->fields[0].type)) : type->object_bytes;
    return (bytes + 7) & ~UINT64_C(7);
}

/* struct.new, struct.new_default, array.new_fixed */
static void emit_new_run(struct walk *w, enum mote__op op, uint32_t n_in) {
    struct compilation *c = w->c;
    uint64_t bytes = new_run_bytes(w, op, n_in);
    uint32_t base = w->count, first = begin_new_run(w, op, n_in);
    if (bytes > INLINE_BYTES_MAX) {
        end_step(w, first, base + n_in);
        if (c->noded > base) c->noded = base;
        result_in_slot(w, base, VT_REF);
        return;
    }
    int ref = take_temp(w, GP), object = take_temp(w, GP);
    struct stub slow = slow_step(w, first, base + n_in, ref, canonical(w, base));
    take_constant_bytes(w, ref, object, (uint32_t)bytes, w->imm.type->id, &slow.list);
    fill_object(w, op, n_in, object, (uint32_t)bytes);
    if (c->noded > base) c->noded = base;
    end_slow(w, slow);
    result_in_reg(w, base, VT_REF, ref);
}

/* ---- arrays of so many elements */

/* Eight bytes of the value that is operand 0, as often as it fits. */
static void load_pattern(struct walk *w, uint32_t log2, int to, int scratch) {
    static const uint64_t factors[] = {UINT64_MAX / 0xFF, UINT64_MAX / 0xFFFF, UINT64_MAX / 0xFFFFFFFF};
    struct compilation *c = w->c;
    if (log2 < 2) x_ins(c->b, X_OP(0, 1, 0xB6 + log2), 0, to, at_slot(operand(w, 0)->slot));
    else x_load(c->b, log2 == 3, to, at_slot(operand(w, 0)->slot));
    if (log2 == 3) return;
    x_const(c->b, scratch, factors[log2]);
    x_imul(c->b, true, to, in_reg(scratch));
}

/* Writes a register downwards from `end` to `start`, eight bytes each. */
static void fill_down(struct compilation *c, int value, int end, int start) {
    size_t check = x_jmp(c->b);
    uint32_t again = here(c);
    x_alu_const(c->b, ALU_SUB, true, in_reg(end), 8);
    x_store(c->b, true, value, at_base(end, 0));
    x_patch(c->b, check, here(c));
    x_alu(c->b, ALU_CMP, true, end, in_reg(start));
    x_patch(c->b, x_jcc(c->b, CC_A), again);
}

/* The bytes of an array whose element count is in `count`, up to where it ends in the heap: ref, and `end` as an offset. */
static void measure_array(struct compilation *c, uint32_t log2, int count, int ref, int end, uint32_t *list) {
    x_alu_const(c->b, ALU_CMP, false, in_reg(count), INLINE_ARRAY_MAX >> log2);
    add_fixup(c, list, x_jcc(c->b, CC_A));
    x_mov(c->b, true, end, count);
    if (log2) x_shift_const(c->b, SHIFT_SHL, true, end, log2);
    x_alu_const(c->b, ALU_ADD, true, in_reg(end), (int32_t)sizeof(struct mote__array) + 7);
    x_alu_const(c->b, ALU_AND, true, in_reg(end), -8);
    x_load(c->b, true, ref, in_exec(offsetof(struct mote__exec, heap_top)));
    x_alu(c->b, ALU_ADD, true, end, in_reg(ref));
}

/* array.new and array.new_default of elements of up to 8 bytes. */
static void emit_array_new(struct walk *w, bool fills, uint32_t n_in) {
    struct compilation *c = w->c;
    const mote_type *type = w->imm.type;
    uint32_t base = w->count, log2 = storage_log2(w, type->fields[0].type);
    uint32_t first = begin_step(w, n_in, fills ? I_array_new : I_array_new_default);
    literal_slot(c, canonical(w, base));
    for (uint32_t k = 0; k < n_in; k++) literal_slot(c, operand(w, k)->slot);
    literal32(c, type->id);
    literal32(c, 0);
    int ref = take_temp(w, GP), object = take_temp(w, GP), end = take_temp(w, GP), count = take_temp(w, GP), value = take_temp(w, GP);
    struct stub slow = slow_step(w, first, base + n_in, ref, canonical(w, base));
    x_load_slot(c->b, false, count, operand(w, n_in - 1)->slot);
    measure_array(c, log2, count, ref, end, &slow.list);
    x_mov(c->b, true, object, end);
    take_bytes(w, ref, object, type->id, &slow.list);
    x_store(c->b, true, count, at_base(object, (int32_t)offsetof(struct mote__array, count)));
    if (fills) load_pattern(w, log2, value, count);
    else x_zero(c->b, value);
    x_alu(c->b, ALU_ADD, true, end, in_exec(offsetof(struct mote__exec, heap)));
    x_alu_const(c->b, ALU_ADD, true, in_reg(object), sizeof(struct mote__array));
    fill_down(c, value, end, object);
    if (c->noded > base) c->noded = base;
    end_slow(w, slow);
    result_in_reg(w, base, VT_REF, ref);
}

/* ---------------------------------------------------------------- all instructions on arrays */

static void emit_array_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    const mote_type *type = w->imm.type;
    uint32_t id = type ? type->id : 0;
    struct shape s = {.result = true, .n32 = 1, .u32 = {id, w->imm.b}, .site_units = 2};
    if ((op == OP_array_new || op == OP_array_new_default) && storage_log2(w, type->fields[0].type) < 4) {
        emit_array_new(w, op == OP_array_new, n_in);
        return;
    }
    switch (op) {
    case OP_array_new: s.insn = I_array_new; break;
    case OP_array_new_default: s.insn = I_array_new_default; break;
    case OP_array_new_data: s.insn = I_array_new_data, s.n32 = 2; break;
    case OP_array_new_elem: s.insn = I_array_new_elem, s.n32 = 2; break;
    case OP_array_get: case OP_array_get_s: case OP_array_get_u: case OP_array_set: emit_array_access(w, op); return;
    case OP_array_len: emit_array_len(w); return;
    case OP_array_fill: emit_shape(w, n_in, (struct shape){.insn = I_array_fill}, 0); return;
    case OP_array_copy: emit_shape(w, n_in, (struct shape){.insn = I_array_copy}, 0); return;
    default:
        emit_shape(w, n_in, (struct shape){.insn = op == OP_array_init_data ? I_array_init_data : I_array_init_elem, .n32 = 1, .u32 = {w->imm.b}}, 0);
        return;
    }
    emit_shape(w, n_in, s, VT_REF);
}
