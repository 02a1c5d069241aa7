/* lower_ops.h - the part of lower.c for instructions that are neither plain computation, nor memory accesses, nor branches: variables, calls,
 * tables, references, objects. Included by lower.c alone, in its middle. */

/* ---------------------------------------------------------------- constants and variables */

static void push_constant(struct walk *w, uint64_t bits, valtype type) {
    struct walk_value *v = &w->stack[w->count];
    v->slot = canonical(w, w->count);
    v->loc = LOC_CONST;
    v->bits = bits;
    v->type = type;
}

/* Operand `i` becomes a pending read of a local. */
static void push_local(struct walk *w, uint32_t i, uint32_t local, valtype type) {
    struct lowering *c = w->c;
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->type = type;
    v->loc = LOC_LOCAL;
    v->local = local;
    v->prev = c->heads.data[local];
    c->heads.data[local] = i + 1;
    if (mote__vt_is_heap_ref(w->types, type)) c->pending_refs++;
    uint32_t *place = mote__vec_push(&c->pending, c->allocator);
    if (place) *place = i;
    else c->failed = true;
}

/* True when the instruction just before wrote operand `i` to its slot, and may as well write it to `to`. */
static bool can_retarget(const struct lowering *c, uint32_t i, int32_t slot, int32_t to) {
    return !c->failed && c->slot_pos == c->last && c->last != NO_POS && c->slot_entry == i && is_near(to) &&
           c->units.data[c->last + 1] == (uint16_t)slot;
}

static void retarget(struct lowering *c, int32_t slot, int32_t to, valtype type) {
    bool in_r = c->r_slot == slot, in_f = c->f_slot == slot;
    set16(c, c->last + 1, (uint16_t)to);
    c->slot_pos = NO_POS;
    forget_slot(c, slot);
    forget_slot(c, to);
    if (type == VT_V128) forget_slot(c, to + 1);
    if (in_r) c->r_slot = to;
    if (in_f) c->f_slot = to;
}

/* The value on top goes to a local: by changing where the instruction just before puts its result, if that is what it is. */
static void set_local(struct walk *w, uint32_t local, valtype type) {
    struct lowering *c = w->c;
    uint32_t i = w->count;
    struct walk_value *v = &w->stack[i];
    int32_t to = c->local_slots.data[local];
    bool in_register = v->loc == LOC_R || v->loc == LOC_F, is_f = v->loc == LOC_F;
    uint32_t pos = is_f ? c->f_pos : c->r_pos;
    bool same = v->loc == LOC_LOCAL && v->local == local;
    if (same) {
        take(w, i, WANT_SLOT);
        return;
    }
    bool was_last = in_register && pos == c->last && c->last != NO_POS;
    if (c->heads.data[local]) {
        copy_reads_of(w, local);
        was_last = false;
    }
    if (in_register && was_last && is_near(to)) {
        *(is_f ? &c->f_entry : &c->r_entry) = -1;
        if (!c->failed) c->units.data[pos]++;
        set16(c, pos + 1, (uint16_t)to);
        forget_slot(c, to);
        *(is_f ? &c->f_slot : &c->r_slot) = to;
        c->cmp.last = NO_POS;
    } else if (in_register) {
        *(is_f ? &c->f_entry : &c->r_entry) = -1;
        put_register(c, to, type);
    } else if (v->loc == LOC_CONST) {
        take(w, i, WANT_CONST);
        constant(c, to, v->bits, type);
    } else if (v->loc == LOC_SLOT && can_retarget(c, i, v->slot, to)) {
        retarget(c, v->slot, to, type);
        take(w, i, WANT_SLOT);
    } else {
        int32_t from = take_slot(w, i);
        mov(c, to, from, type);
    }
}

static void emit_global(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    const mote_module *m = w->module;
    bool imported = w->imm.a < m->global_import_count, set = op == OP_global_set;
    valtype type = m->globals[w->imm.a].type;
    bool vector = type == VT_V128;
    uint32_t code = set ? (imported ? (vector ? I_global_set_ref_v : I_global_set_ref) : vector ? I_global_set_v : I_global_set_s)
                        : (imported ? (vector ? I_global_get_ref_v : I_global_get_ref) : vector ? I_global_get_v : I_global_get);
    int32_t slot;
    if (set) slot = take_slot(w, w->count);
    else clobber(w, false), slot = result_slot(w, w->count);
    insn(c, code);
    put_slot(c, slot);
    put32(c, imported ? w->imm.a : w->imm.a - m->global_import_count);
    if (set) return;
    result_in_slot(w, w->count, slot, type);
    if (!vector && !is_float(type) && slot == w->stack[w->count].slot) c->r_slot = slot;
}

static void emit_drop(struct walk *w) {
    struct walk_value *v = &w->stack[w->count];
    if (v->loc == LOC_R) w->c->r_entry = -1, v->loc = LOC_SLOT;
    else if (v->loc == LOC_F) w->c->f_entry = -1, v->loc = LOC_SLOT;
    else if (v->loc == LOC_CONST) v->loc = LOC_SLOT;
    take(w, w->count, WANT_SLOT);
}

static void emit_select(struct walk *w) {
    struct lowering *c = w->c;
    uint32_t i = w->count;
    bool vector = w->imm.to == VT_V128;
    struct operand cond = take(w, i + 2, vector ? WANT_SLOT : WANT_R);
    int32_t b = take_slot(w, i + 1), a = take_slot(w, i);
    if (cond.kind == AT_REGISTER && c->r_entry >= 0) clobber(w, false);
    if (!vector) clobber(w, false);
    int32_t to = result_slot(w, i);
    insn(c, vector ? I_select_v : cond.kind == AT_REGISTER ? I_select_r : I_select_s);
    put_slot(c, to);
    put_slot(c, a);
    put_slot(c, b);
    if (cond.kind == AT_SLOT) put_slot(c, cond.slot);
    result_in_slot(w, i, to, w->imm.to);
    if (!vector && !is_float(w->imm.to) && to == w->stack[i].slot) c->r_slot = to;
}

/* ---------------------------------------------------------------- calls */

/* The results of a call lie where its arguments were. */
static void describe_results(struct walk *w, const mote_type *type) {
    int32_t slot = canonical(w, w->count);
    for (uint32_t i = 0; i < type->result_count; i++) {
        struct walk_value *v = &w->stack[w->count + i];
        v->type = mote__type_result(type, i);
        v->loc = LOC_SLOT;
        v->slot = slot;
        slot += (int32_t)mote__vt_slots(v->type);
    }
    use_slot(w->c, slot + 2);
}

static bool is_tail(enum mote__op op) { return op == OP_return_call || op == OP_return_call_indirect || op == OP_return_call_ref; }

static uint32_t call_code(const struct walk *w, enum mote__op op) {
    switch (op) {
    case OP_call: return w->imm.a < w->module->func_import_count ? I_call_import : I_call;
    case OP_return_call: return w->imm.a < w->module->func_import_count ? I_tail_call_import : I_tail_call;
    case OP_call_indirect: return w->module->tables[w->imm.b].type.is_64 ? I_call_indirect_64 : I_call_indirect;
    case OP_return_call_indirect: return w->module->tables[w->imm.b].type.is_64 ? I_tail_call_indirect_64 : I_tail_call_indirect;
    case OP_call_ref: return I_call_ref;
    default: return I_tail_call_ref;
    }
}

/* What says whom to call: function index, table with index slot and type, or reference slot. */
static void put_callee(struct walk *w, enum mote__op op, int32_t slot) {
    struct lowering *c = w->c;
    if (op == OP_call || op == OP_return_call) {
        uint32_t imports = w->module->func_import_count;
        put32(c, w->imm.a < imports ? w->imm.a : w->imm.a - imports);
    } else if (op == OP_call_ref || op == OP_return_call_ref) {
        put_slot(c, slot);
    } else {
        put(c, w->imm.b);
        put_slot(c, slot);
        put32(c, w->imm.type->id);
    }
}

static void emit_call(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    const mote_type *type = w->imm.type;
    bool direct = op == OP_call || op == OP_return_call;
    uint32_t args = type->param_count, base = w->count;
    int32_t callee = direct ? 0 : take_slot(w, base + args);
    w->count = base + args;
    settle_values(w, args);
    flush_refs(w);
    spill(w, false), spill(w, true);
    int32_t end = canonical(w, base + args), first = canonical(w, base);
    use_slot(c, end + FRAME_HEADER);
    end_segment(c);
    insn(c, call_code(w, op));
    put32(c, (uint32_t)(is_tail(op) ? first : end));
    if (is_tail(op)) put(c, type->param_slots), put(c, w->func_type->param_slots);
    put_callee(w, op, callee);
    site(w, base);
    truncate(w, base);
    w->count = base;
    if (is_tail(op)) {
        truncate(w, w->floor);
        return;
    }
    describe_results(w, type);
    forget_registers(c);
    if (type->result_count && !is_float(mote__type_result(type, 0)) && mote__type_result(type, 0) != VT_V128) c->r_slot = first;
}

/* ---------------------------------------------------------------- shapes that many instructions share */

/* An instruction of slots and numbers: opcode, the result's slot if it has one, operands, then up to two 16-bit and two 32-bit numbers. */
struct shape {
    uint16_t code;
    bool result;
    uint8_t n16, n32;
    uint32_t u16[2], u32[2];
    bool with_site;
};

/* Operands that a call of C may look at while objects move must be listed as roots: `with_site` keeps them in their slots. */
static void emit_shape(struct walk *w, uint32_t n_in, struct shape s, valtype out) {
    struct lowering *c = w->c;
    int32_t from[5], copied = NO_SLOT;
    uint32_t base = w->count, node_limit = base;
    if (s.with_site) {
        w->count = base + n_in;
        settle_values(w, n_in);
        flush_refs(w);
        w->count = base;
        node_limit = base + n_in;
    }
    if (s.with_site) ref_nodes(w, node_limit);
    for (uint32_t i = n_in; i-- > 0;) {
        from[i] = take_slot(w, base + i);
        if (from[i] != w->stack[base + i].slot && mote__vt_is_heap_ref(w->types, w->stack[base + i].type)) copied = from[i]; /* to within reach: a root too */
    }
    clobber(w, false);
    if (s.with_site) spill(w, true);
    int32_t to = s.result ? result_slot(w, base) : 0;
    insn(c, s.code);
    if (s.result) put_slot(c, to);
    for (uint32_t i = 0; i < n_in; i++) put_slot(c, from[i]);
    for (uint32_t i = 0; i < s.n16; i++) put(c, s.u16[i]);
    for (uint32_t i = 0; i < s.n32; i++) put32(c, s.u32[i]);
    if (s.with_site) {
        site_also(w, node_limit, copied);
        if (c->noded > base) c->noded = base;
    }
    if (!s.result) return;
    result_in_slot(w, base, to, out);
    if (out != VT_V128 && !is_float(out) && to == w->stack[base].slot) c->r_slot = to;
}

static valtype address_type(bool is_64) { return is_64 ? VT_I64 : VT_I32; }

static void emit_memory_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    uint32_t a = w->imm.a, b = w->imm.b;
    valtype type = op == OP_memory_size || op == OP_memory_grow ? address_type(w->module->memories[a].is_64) : (valtype)VT_BOTTOM;
    switch (op) {
    case OP_memory_size: emit_shape(w, n_in, (struct shape){.code = I_memory_size, .result = true, .n16 = 1, .u16 = {a}}, type); break;
    case OP_memory_grow: emit_shape(w, n_in, (struct shape){.code = I_memory_grow, .result = true, .n16 = 1, .u16 = {a}}, type); break;
    case OP_memory_fill: emit_shape(w, n_in, (struct shape){.code = I_memory_fill, .n16 = 1, .u16 = {a}}, 0); break;
    case OP_memory_copy: emit_shape(w, n_in, (struct shape){.code = I_memory_copy, .n16 = 2, .u16 = {a, b}}, 0); break;
    default: emit_shape(w, n_in, (struct shape){.code = I_memory_init, .n16 = 1, .u16 = {b}, .n32 = 1, .u32 = {a}}, 0); break;
    }
}

static void emit_table_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    uint32_t a = w->imm.a, b = w->imm.b;
    const struct mote__tabletype *type = op == OP_table_init ? NULL : &w->module->tables[a].type;
    struct shape s = {.n32 = 1, .u32 = {a, b}};
    valtype out = VT_BOTTOM;
    switch (op) {
    case OP_table_get: s.code = I_table_get, out = type->element; break;
    case OP_table_set: s.code = I_table_set; break;
    case OP_table_size: s.code = I_table_size, out = address_type(type->is_64); break;
    case OP_table_grow: s.code = I_table_grow, out = address_type(type->is_64); break;
    case OP_table_fill: s.code = I_table_fill; break;
    case OP_table_copy: s.code = I_table_copy, s.n32 = 2; break;
    default: s.code = I_table_init, s.n32 = 2, s.u32[0] = b, s.u32[1] = a; break;
    }
    s.result = out != VT_BOTTOM;
    emit_shape(w, n_in, s, out);
}

/* ---------------------------------------------------------------- references */

/* ref.as_non_null and ref.cast check an operand and leave it as it is. */
static void emit_check(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    uint32_t i = w->count;
    settle(w, i);
    int32_t slot = near_slot(c, w->stack[i].slot, w->stack[i].type);
    insn(c, op == OP_ref_as_non_null ? I_ref_as_non_null : I_ref_cast);
    put_slot(c, slot);
    if (op != OP_ref_as_non_null) put32(c, w->imm.to);
}

static void emit_ref(struct walk *w, enum mote__op op, uint32_t n_in) {
    switch (op) {
    case OP_ref_null: push_constant(w, 0, w->imm.to); break;
    case OP_ref_func: emit_shape(w, n_in, (struct shape){.code = I_ref_func, .result = true, .n32 = 1, .u32 = {w->imm.a}}, VT_FUNCREF); break;
    case OP_ref_is_null: emit_shape(w, n_in, (struct shape){.code = I_ref_is_null, .result = true}, VT_I32); break;
    case OP_ref_eq: emit_shape(w, n_in, (struct shape){.code = I_ref_eq, .result = true}, VT_I32); break;
    case OP_ref_test:
    case OP_ref_test_null: emit_shape(w, n_in, (struct shape){.code = I_ref_test, .result = true, .n32 = 1, .u32 = {w->imm.to}}, VT_I32); break;
    case OP_ref_i31: emit_shape(w, n_in, (struct shape){.code = I_ref_i31, .result = true}, VT_REF | MOTE_HEAP_I31); break;
    case OP_i31_get_s: emit_shape(w, n_in, (struct shape){.code = I_i31_get_s, .result = true}, VT_I32); break;
    case OP_i31_get_u: emit_shape(w, n_in, (struct shape){.code = I_i31_get_u, .result = true}, VT_I32); break;
    default: emit_check(w, op); break;
    }
}

/* ---------------------------------------------------------------- structs and arrays */

/* 0 to 4: bytes as a power of two of a storage type; `get` adds the unsigned forms of the packed ones. */
static uint32_t storage_log2(const struct walk *w, valtype storage) {
    return (uint32_t)__builtin_ctz(mote__storage_bytes(storage, w->types));
}

static uint32_t get_code(const struct walk *w, valtype storage, bool is_unsigned, uint32_t first) {
    static const uint8_t place[] = {0, 2, 4, 5, 6};
    uint32_t log2 = storage_log2(w, storage);
    return first + place[log2] + (is_unsigned && log2 < 2);
}

/* struct.new and array.new_fixed: their operands are a run of slots. */
static void emit_new_run(struct walk *w, enum mote__op op, uint32_t n_in) {
    struct lowering *c = w->c;
    uint32_t base = w->count, limit = base + n_in;
    w->count = limit;
    settle_values(w, n_in);
    flush_refs(w);
    spill(w, false), spill(w, true);
    ref_nodes(w, limit);
    w->count = base;
    int32_t first = canonical(w, base);
    c->r_slot = NO_SLOT;
    int32_t to = result_slot(w, base);
    bool is_struct = op == OP_struct_new || op == OP_struct_new_default;
    insn(c, op == OP_struct_new ? I_struct_new : op == OP_struct_new_default ? I_struct_new_default : I_array_new_fixed);
    put_slot(c, to);
    put32(c, (uint32_t)first);
    if (!is_struct) put32(c, n_in);
    put32(c, w->imm.type->id);
    site(w, limit);
    truncate(w, base);
    result_in_slot(w, base, to, VT_REF);
    if (to == w->stack[base].slot) c->r_slot = to;
}

static void emit_struct_access(struct walk *w, enum mote__op op, uint32_t n_in) {
    valtype storage = w->imm.type->fields[w->imm.b].type;
    uint32_t offset = w->imm.type->places[w->imm.b].offset;
    struct shape s = {.n32 = 1, .u32 = {offset}};
    if (op == OP_struct_set) {
        s.code = (uint16_t)(I_struct_set8 + storage_log2(w, storage));
        emit_shape(w, n_in, s, 0);
        return;
    }
    s.code = (uint16_t)get_code(w, storage, op == OP_struct_get_u, I_struct_get8_s);
    s.result = true;
    emit_shape(w, n_in, s, walk_unpacked(storage));
}

static void emit_array_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    const mote_type *type = w->imm.type;
    valtype storage = type ? type->fields[0].type : (valtype)VT_BOTTOM;
    uint32_t id = type ? type->id : 0;
    switch (op) {
    case OP_array_new:
        emit_shape(w, n_in, (struct shape){.code = I_array_new, .result = true, .n32 = 1, .u32 = {id}, .with_site = true}, VT_REF);
        break;
    case OP_array_new_default:
        emit_shape(w, n_in, (struct shape){.code = I_array_new_default, .result = true, .n32 = 1, .u32 = {id}, .with_site = true}, VT_REF);
        break;
    case OP_array_new_data:
    case OP_array_new_elem:
        emit_shape(w, n_in,
                   (struct shape){.code = op == OP_array_new_data ? I_array_new_data : I_array_new_elem,
                                  .result = true, .n32 = 2, .u32 = {id, w->imm.b}, .with_site = true},
                   VT_REF);
        break;
    case OP_array_get:
    case OP_array_get_s:
    case OP_array_get_u:
        emit_shape(w, n_in, (struct shape){.code = (uint16_t)get_code(w, storage, op == OP_array_get_u, I_array_get8_s), .result = true},
                   walk_unpacked(storage));
        break;
    case OP_array_set: emit_shape(w, n_in, (struct shape){.code = (uint16_t)(I_array_set8 + storage_log2(w, storage))}, 0); break;
    case OP_array_len: emit_shape(w, n_in, (struct shape){.code = I_array_len, .result = true}, VT_I32); break;
    case OP_array_fill: emit_shape(w, n_in, (struct shape){.code = I_array_fill}, 0); break;
    case OP_array_copy: emit_shape(w, n_in, (struct shape){.code = I_array_copy}, 0); break;
    default:
        emit_shape(w, n_in,
                   (struct shape){.code = op == OP_array_init_data ? I_array_init_data : I_array_init_elem, .n32 = 1, .u32 = {w->imm.b}}, 0);
        break;
    }
}

/* ---------------------------------------------------------------- waiting and waking */

static void emit_atomic(struct walk *w, enum mote__op op, uint32_t n_in) {
    struct lowering *c = w->c;
    if (op == OP_atomic_fence) {
        insn(c, I_atomic_fence);
        return;
    }
    int32_t from[3];
    for (uint32_t i = n_in; i-- > 0;) from[i] = take_slot(w, w->count + i);
    clobber(w, false);
    int32_t to = result_slot(w, w->count);
    bool wait = op != OP_memory_atomic_notify;
    flush_refs(w);
    if (wait) spill(w, true);
    insn(c, !wait ? I_atomic_notify : op == OP_memory_atomic_wait32 ? I_atomic_wait32 : I_atomic_wait64);
    put_slot(c, to);
    for (uint32_t i = 0; i < n_in; i++) put_slot(c, from[i]);
    put_memory(w);
    if (wait) site(w, w->count);
    result_in_slot(w, w->count, to, VT_I32);
}

/* ---------------------------------------------------------------- all of them */

static void on_local_get(struct walk *w, uint32_t local, valtype type) {
    begin(w);
    push_local(w, w->count, local, type);
}

static void on_constant(struct walk *w, uint64_t bits, valtype type) {
    begin(w);
    push_constant(w, bits, type);
}

static void on_local_set(struct walk *w, uint32_t local, bool tee) {
    valtype type = walk_local_type(w, local);
    begin(w);
    set_local(w, local, type);
    if (tee) push_local(w, w->count, local, type);
}

static void on_op(struct walk *w, enum mote__op op, uint32_t n_in) {
    switch (op) {
    case OP_i32_const: on_constant(w, w->imm.x, VT_I32); return;
    case OP_i64_const: on_constant(w, w->imm.x, VT_I64); return;
    case OP_f32_const: on_constant(w, w->imm.x, VT_F32); return;
    case OP_f64_const: on_constant(w, w->imm.x, VT_F64); return;
    case OP_local_get: on_local_get(w, w->imm.a, walk_local_type(w, w->imm.a)); return;
    case OP_local_set: case OP_local_tee: on_local_set(w, w->imm.a, op == OP_local_tee); return;
    default: break;
    }
    begin(w);
    switch (op) {
    case OP_v128_const: push_constant(w, (uintptr_t)w->imm.bytes, VT_V128); break;
    case OP_global_get: case OP_global_set: emit_global(w, op); break;
    case OP_drop: emit_drop(w); break;
    case OP_select: case OP_select_t: emit_select(w); break;
    case OP_call: case OP_call_indirect: case OP_call_ref:
    case OP_return_call: case OP_return_call_indirect: case OP_return_call_ref: emit_call(w, op); break;
    case OP_memory_size: case OP_memory_grow: case OP_memory_fill: case OP_memory_copy: case OP_memory_init: emit_memory_op(w, op, n_in); break;
    case OP_data_drop: emit_shape(w, 0, (struct shape){.code = I_data_drop, .n32 = 1, .u32 = {w->imm.a}}, 0); break;
    case OP_elem_drop: emit_shape(w, 0, (struct shape){.code = I_elem_drop, .n32 = 1, .u32 = {w->imm.a}}, 0); break;
    case OP_table_get: case OP_table_set: case OP_table_size: case OP_table_grow: case OP_table_fill: case OP_table_copy: case OP_table_init:
        emit_table_op(w, op, n_in);
        break;
    case OP_any_convert_extern: case OP_extern_convert_any: settle(w, w->count); break; /* the same value */
    case OP_struct_new: case OP_struct_new_default: case OP_array_new_fixed: emit_new_run(w, op, n_in); break;
    case OP_struct_get: case OP_struct_get_s: case OP_struct_get_u: case OP_struct_set: emit_struct_access(w, op, n_in); break;
    case OP_array_new: case OP_array_new_default: case OP_array_new_data: case OP_array_new_elem: case OP_array_get: case OP_array_get_s:
    case OP_array_get_u: case OP_array_set: case OP_array_len: case OP_array_fill: case OP_array_copy: case OP_array_init_data:
    case OP_array_init_elem: emit_array_op(w, op, n_in); break;
    case OP_memory_atomic_notify: case OP_memory_atomic_wait32: case OP_memory_atomic_wait64: case OP_atomic_fence: emit_atomic(w, op, n_in); break;
    default: emit_ref(w, op, n_in); break;
    }
}

#include "wasm/translate_fast.h"
