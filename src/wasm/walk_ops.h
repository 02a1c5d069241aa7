/* walk_ops.h - the part of walk.h that checks references, tables, bulk memory and garbage-collected objects: instructions with a stack effect of
 * their own but without control flow. Included by walk.h alone, in its middle. */

/* ---------------------------------------------------------------- references, tables, bulk memory */

/* A fixed shape: pops `in` (the last is the top; VT_BOTTOM ends), runs the callback, pushes `out` if it is one. */
static void walk_shape(struct walk *w, enum mote__op op, valtype in0, valtype in1, valtype in2, valtype out) {
    uint32_t n_in = (in0 != VT_BOTTOM) + (in1 != VT_BOTTOM) + (in2 != VT_BOTTOM);
    if (in2 != VT_BOTTOM) walk_pop(w, in2);
    if (in1 != VT_BOTTOM) walk_pop(w, in1);
    if (in0 != VT_BOTTOM) walk_pop(w, in0);
    if (!WALK_OK(w)) return;
    WALK_EMIT(on_op(w, op, n_in));
    (void)op;
    (void)n_in;
    if (out != VT_BOTTOM) walk_push(w, out);
}

static void walk_ref_func(struct walk *w) {
    uint32_t index = walk_index(w, "function", w->module->func_count);
    if (!WALK_OK(w)) return;
    uint8_t *declared = &w->module->func_declared[index / 8], bit = (uint8_t)(1u << (index % 8));
    bool is_declared = *declared & bit;
    if (!is_declared && w->is_const) *declared |= bit; /* while decoding: the module is not shared yet */
    else if (!is_declared) walk_fail(w, MOTE_E_INVALID, "undeclared function reference: function %u is neither exported nor in a segment or global", index);
    w->imm.a = index;
    walk_shape(w, OP_ref_func, 0, 0, 0, mote__vt_ref(HEAP_CONCRETE + w->module->func_types[index]->id, false));
}

static void walk_ref_null(struct walk *w) {
    valtype type = mote__vt_ref(walk_heaptype(w), true);
    w->imm.to = type;
    walk_shape(w, OP_ref_null, 0, 0, 0, type);
}

static void walk_ref_unary(struct walk *w, enum mote__op op) {
    valtype ref = walk_pop_ref(w);
    if (!WALK_OK(w)) return;
    w->imm.from = ref;
    WALK_EMIT(on_op(w, op, 1));
    if (op == OP_ref_is_null) walk_push(w, VT_I32);
    else walk_push(w, ref == VT_BOTTOM ? mote__vt_ref(HEAP_BOTTOM, false) : ref & ~VT_NULL);
}

static void walk_ref_cast(struct walk *w, enum mote__op op) {
    bool null = op == OP_ref_test_null || op == OP_ref_cast_null, test = op == OP_ref_test || op == OP_ref_test_null;
    heaptype heap = walk_heaptype(w);
    if (!WALK_OK(w)) return;
    w->imm.to = mote__vt_ref(heap, null);
    walk_shape(w, op, mote__vt_ref(mote__heap_top(w->types, heap), true), 0, 0, test ? (valtype)VT_I32 : w->imm.to);
}

/* any.convert_extern and extern.convert_any keep the nullability of their operand. */
static void walk_convert(struct walk *w, enum mote__op op) {
    heaptype from = op == OP_any_convert_extern ? MOTE_HEAP_EXTERN : MOTE_HEAP_ANY;
    heaptype to = op == OP_any_convert_extern ? MOTE_HEAP_ANY : MOTE_HEAP_EXTERN;
    valtype found = walk_pop(w, mote__vt_ref(from, true));
    if (!WALK_OK(w)) return;
    WALK_EMIT(on_op(w, op, 1));
    walk_push(w, mote__vt_ref(to, found != VT_BOTTOM && mote__vt_is_null(found)));
}

WALK_INLINE void walk_write_table(struct walk *w, uint32_t table) { w->written_tables |= UINT64_C(1) << (table & 63); }

static void walk_table_op(struct walk *w, enum mote__op op) {
    uint32_t table = walk_index(w, "table", w->module->table_count);
    if (!WALK_OK(w)) return;
    valtype index = walk_table_type(w, table), element = w->module->tables[table].type.element;
    w->imm.a = table;
    if (op != OP_table_get && op != OP_table_size) walk_write_table(w, table);
    switch (op) {
    case OP_table_get: walk_shape(w, op, index, 0, 0, element); break;
    case OP_table_set: walk_shape(w, op, index, element, 0, 0); break;
    case OP_table_size: walk_shape(w, op, 0, 0, 0, index); break;
    case OP_table_grow: walk_shape(w, op, element, index, 0, index); break;
    default: walk_shape(w, op, index, element, index, 0); break; /* table.fill */
    }
}

static void walk_table_copy(struct walk *w) {
    uint32_t to = walk_index(w, "table", w->module->table_count), from = walk_index(w, "table", w->module->table_count);
    if (!WALK_OK(w)) return;
    const struct mote__table_decl *tables = w->module->tables;
    if (!mote__vt_matches(w->types, tables[from].type.element, tables[to].type.element)) {
        walk_mismatch(w, tables[to].type.element, tables[from].type.element);
        return;
    }
    w->imm.a = to;
    w->imm.b = from;
    walk_write_table(w, to);
    valtype t = walk_table_type(w, to), f = walk_table_type(w, from);
    walk_shape(w, OP_table_copy, t, f, t == VT_I64 && f == VT_I64 ? VT_I64 : VT_I32, 0);
}

static void walk_table_init(struct walk *w) {
    uint32_t elem = walk_u32(w), table = walk_index(w, "table", w->module->table_count);
    if (elem >= w->module->elem_count) walk_unknown(w, "elem segment", elem);
    if (!WALK_OK(w)) return;
    valtype have = w->module->elems[elem].type, want = w->module->tables[table].type.element;
    if (!mote__vt_matches(w->types, have, want)) {
        walk_mismatch(w, want, have);
        return;
    }
    w->imm.a = elem;
    w->imm.b = table;
    walk_write_table(w, table);
    walk_shape(w, OP_table_init, walk_table_type(w, table), VT_I32, VT_I32, 0);
}

/* Checks a data index in a body: the data count section must be there. */
static uint32_t walk_check_data(struct walk *w, uint32_t index) {
    if (!w->module->has_data_count && WALK_OK(w)) walk_fail(w, MOTE_E_MALFORMED, "data count section required");
    else if (index >= w->module->data_count) walk_unknown(w, "data segment", index);
    return index;
}

static uint32_t walk_data_index(struct walk *w) { return walk_check_data(w, walk_u32(w)); }

static void walk_memory_op(struct walk *w, enum mote__op op) {
    valtype t, f;
    switch (op) {
    case OP_memory_size:
    case OP_memory_grow:
        w->imm.a = walk_memory_index(w);
        t = walk_memory_type(w, w->imm.a);
        walk_shape(w, op, op == OP_memory_grow ? t : (valtype)VT_BOTTOM, 0, 0, t);
        break;
    case OP_memory_fill:
        w->imm.a = walk_memory_index(w);
        t = walk_memory_type(w, w->imm.a);
        walk_shape(w, op, t, VT_I32, t, 0);
        break;
    case OP_memory_copy:
        w->imm.a = walk_memory_index(w);
        w->imm.b = walk_memory_index(w);
        t = walk_memory_type(w, w->imm.a);
        f = walk_memory_type(w, w->imm.b);
        walk_shape(w, op, t, f, t == VT_I64 && f == VT_I64 ? VT_I64 : VT_I32, 0);
        break;
    default: /* memory.init */
        w->imm.a = walk_u32(w);
        w->imm.b = walk_memory_index(w);
        walk_check_data(w, (uint32_t)w->imm.a);
        walk_shape(w, op, walk_memory_type(w, w->imm.b), VT_I32, VT_I32, 0);
        break;
    }
}

static void walk_drop_segment(struct walk *w, enum mote__op op) {
    w->imm.a = op == OP_data_drop ? walk_data_index(w) : walk_index(w, "elem segment", w->module->elem_count);
    walk_shape(w, op, 0, 0, 0, 0);
}

/* notify: [addr i32] -> [i32]; wait: [addr i32|i64 i64] -> [i32]. */
static void walk_atomic_wait(struct walk *w, enum mote__op op) {
    valtype address = walk_memarg(w, op == OP_memory_atomic_wait64 ? 8 : 4, true);
    if (op == OP_memory_atomic_notify) walk_shape(w, op, address, VT_I32, 0, VT_I32);
    else walk_shape(w, op, address, op == OP_memory_atomic_wait64 ? VT_I64 : VT_I32, VT_I64, VT_I32);
}

/* ---------------------------------------------------------------- garbage-collected objects */

static void walk_check_get(struct walk *w, enum mote__op op, valtype storage) {
    bool packed = storage == VT_I8 || storage == VT_I16, plain = op == OP_struct_get || op == OP_array_get;
    if (packed == plain) walk_fail(w, MOTE_E_INVALID, "type mismatch: field is %spacked", packed ? "" : "not ");
}

static valtype walk_ref_to(const mote_type *type, bool null) { return mote__vt_ref(HEAP_CONCRETE + type->id, null); }

static void walk_check_defaults(struct walk *w, const mote_type *type) {
    for (uint32_t i = 0; i < type->field_count; i++)
        if (!mote__vt_has_default(type->fields[i].type)) {
            walk_fail(w, MOTE_E_INVALID, "field type is not defaultable");
            return;
        }
}

static void walk_struct_new(struct walk *w, enum mote__op op) {
    const mote_type *type = walk_type(w, MOTE_TYPE_STRUCT);
    if (!type) return;
    uint32_t n = op == OP_struct_new ? type->field_count : 0;
    if (!n) walk_check_defaults(w, op == OP_struct_new ? &(mote_type){0} : type);
    for (uint32_t i = n; i-- > 0;) walk_pop(w, walk_unpacked(type->fields[i].type));
    w->imm.type = type;
    if (!WALK_OK(w)) return;
    WALK_EMIT(on_op(w, op, n));
    walk_push(w, walk_ref_to(type, false));
}

static void walk_struct_access(struct walk *w, enum mote__op op) {
    const mote_type *type = walk_type(w, MOTE_TYPE_STRUCT);
    if (!type) return;
    uint32_t field = walk_index(w, "field", type->field_count);
    if (!WALK_OK(w)) return;
    struct mote__fieldtype f = type->fields[field];
    w->imm.type = type;
    w->imm.b = field;
    if (op == OP_struct_set) {
        if (!f.is_mutable) walk_fail(w, MOTE_E_INVALID, "immutable field %u", field);
        else walk_shape(w, op, walk_ref_to(type, true), walk_unpacked(f.type), 0, 0);
        return;
    }
    walk_check_get(w, op, f.type);
    walk_shape(w, op, walk_ref_to(type, true), 0, 0, walk_unpacked(f.type));
}

static void walk_array_new(struct walk *w, enum mote__op op) {
    const mote_type *type = walk_type(w, MOTE_TYPE_ARRAY);
    if (!type) return;
    valtype storage = type->fields[0].type, ref = walk_ref_to(type, false);
    w->imm.type = type;
    if (op == OP_array_new) {
        walk_shape(w, op, walk_unpacked(storage), VT_I32, 0, ref);
    } else if (op == OP_array_new_default) {
        walk_check_defaults(w, type);
        walk_shape(w, op, VT_I32, 0, 0, ref);
    } else {
        uint32_t n = w->imm.b = walk_u32(w);
        if (n > LIMIT_ARRAY_NEW_FIXED) walk_fail(w, MOTE_E_LIMIT, "array.new_fixed of %u elements, more than %u", n, (unsigned)LIMIT_ARRAY_NEW_FIXED);
        if (!WALK_OK(w)) return;
        for (uint32_t i = n; i-- > 0;) walk_pop(w, walk_unpacked(storage));
        if (!WALK_OK(w)) return;
        WALK_EMIT(on_op(w, op, n));
        walk_push(w, ref);
    }
}

/* array.new_data, array.new_elem, array.init_data, array.init_elem */
static void walk_array_segment(struct walk *w, enum mote__op op) {
    bool data = op == OP_array_new_data || op == OP_array_init_data, init = op == OP_array_init_data || op == OP_array_init_elem;
    const mote_type *type = walk_type(w, MOTE_TYPE_ARRAY);
    if (!type) return;
    w->imm.b = data ? walk_data_index(w) : walk_index(w, "elem segment", w->module->elem_count);
    if (!WALK_OK(w)) return;
    valtype storage = type->fields[0].type;
    w->imm.type = type;
    if (init && !type->fields[0].is_mutable) walk_fail(w, MOTE_E_INVALID, "immutable array");
    if (data && mote__vt_is_ref(storage)) walk_fail(w, MOTE_E_INVALID, "array type is not numeric or vector");
    if (!data && !mote__vt_matches(w->types, w->module->elems[w->imm.b].type, storage)) walk_mismatch(w, storage, w->module->elems[w->imm.b].type);
    if (!WALK_OK(w)) return;
    if (!init) {
        walk_shape(w, op, VT_I32, VT_I32, 0, walk_ref_to(type, false));
        return;
    }
    walk_pop(w, VT_I32);
    walk_pop(w, VT_I32);
    walk_pop(w, VT_I32);
    walk_pop(w, walk_ref_to(type, true));
    if (WALK_OK(w)) WALK_EMIT(on_op(w, op, 4));
}

static void walk_array_access(struct walk *w, enum mote__op op) {
    const mote_type *type = walk_type(w, MOTE_TYPE_ARRAY);
    if (!type) return;
    struct mote__fieldtype f = type->fields[0];
    valtype ref = walk_ref_to(type, true), value = walk_unpacked(f.type);
    w->imm.type = type;
    if (op == OP_array_set || op == OP_array_fill) {
        if (!f.is_mutable) walk_fail(w, MOTE_E_INVALID, "immutable array");
        else if (op == OP_array_set) walk_shape(w, op, ref, VT_I32, value, 0);
        else {
            walk_pop(w, VT_I32);
            walk_pop(w, value);
            walk_pop(w, VT_I32);
            walk_pop(w, ref);
            if (WALK_OK(w)) WALK_EMIT(on_op(w, op, 4));
        }
        return;
    }
    walk_check_get(w, op, f.type);
    walk_shape(w, op, ref, VT_I32, 0, value);
}

static void walk_array_copy(struct walk *w) {
    const mote_type *to = walk_type(w, MOTE_TYPE_ARRAY), *from = to ? walk_type(w, MOTE_TYPE_ARRAY) : NULL;
    if (!from) return;
    if (!to->fields[0].is_mutable) walk_fail(w, MOTE_E_INVALID, "immutable array");
    if (!mote__vt_matches(w->types, from->fields[0].type, to->fields[0].type)) walk_fail(w, MOTE_E_INVALID, "array types do not match");
    walk_pop(w, VT_I32);
    walk_pop(w, VT_I32);
    walk_pop(w, walk_ref_to(from, true));
    walk_pop(w, VT_I32);
    walk_pop(w, walk_ref_to(to, true));
    w->imm.type = to;
    if (WALK_OK(w)) WALK_EMIT(on_op(w, OP_array_copy, 5));
}
