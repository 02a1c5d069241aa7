/* gen_objects.h - the part of generate.h for references: making, testing, casting, reading and writing objects. What is dereferenced is mostly
 * known not to be null. Included by generate.h alone. */

/* The value type of a field or element: packed ones are i32. */
static inline char gen_unpacked(char field) { return field == 'b' || field == 'h' ? 'i' : field; }
static inline bool gen_is_packed(char field) { return field == 'b' || field == 'h'; }

static inline void gen_ref_type(struct gen *g, bool is_nullable, unsigned type) { emit_byte(g->e, is_nullable ? 0x63 : 0x64), emit_s(g->e, (int)type); }

/* ---------------------------------------------------------------- making objects */

static inline void gen_struct_new(struct gen *g, unsigned type, unsigned depth) {
    unsigned count = type == TYPE_BASE ? GEN_BASE_FIELDS : GEN_DERIVED_FIELDS;
    if (!gen_choose(g, 3)) {
        gen_op_u(g, OP_struct_new_default, type);
        return;
    }
    for (unsigned i = 0; i < count; i++) gen_value(g, gen_unpacked(gen_fields[i]), depth / 3);
    gen_op_u(g, OP_struct_new, type);
}

static inline void gen_count(struct gen *g) { gen_i32(g, (int32_t)gen_choose(g, 12) + 4); }

/* Data segment 0 has 64 bytes, element segment 1 functions, 2 structures: eight each. */
static inline bool gen_array_from_segment(struct gen *g, char element, unsigned array) {
    bool is_elem = element == 's' || element == 'r';
    if (element == 'a') return false;
    gen_i32(g, element == 'v' ? 0 : (int32_t)gen_choose(g, 3)), gen_i32(g, gen_rarely(g) ? (int32_t)gen_choose(g, 256) : 4);
    gen_op_uu(g, is_elem ? OP_array_new_elem : OP_array_new_data, TYPE_ARRAYS + array, element == 's' ? 2 : is_elem);
    return true;
}

static inline void gen_array_new(struct gen *g, unsigned array, unsigned depth) {
    char element = gen_elements[array];
    switch (gen_choose(g, 4)) {
    case 0: break;
    case 1:
        for (unsigned i = 0; i < 4; i++) gen_value(g, gen_unpacked(element), depth / 3);
        gen_op_uu(g, OP_array_new_fixed, TYPE_ARRAYS + array, 4);
        return;
    case 2:
        if (gen_array_from_segment(g, element, array)) return;
        break;
    default:
        gen_value(g, gen_unpacked(element), depth), gen_count(g);
        gen_op_u(g, OP_array_new, TYPE_ARRAYS + array);
        return;
    }
    gen_count(g);
    gen_op_u(g, OP_array_new_default, TYPE_ARRAYS + array);
}

static inline void gen_new(struct gen *g, unsigned type, unsigned depth) {
    if (type >= TYPE_ARRAYS) gen_array_new(g, type - TYPE_ARRAYS, depth);
    else gen_struct_new(g, type, depth);
}

/* ---------------------------------------------------------------- objects of a type */

/* Falls through with what was not of the type: br_on_cast, or br_on_cast_fail around it. */
static inline void gen_cast_or_new(struct gen *g, unsigned type, unsigned depth) {
    bool on_fail = gen_choose(g, 2);
    gen_op(g, OP_block), gen_ref_type(g, false, type), gen_push_label(g, GEN_NO_LABEL);
    if (on_fail) gen_op(g, OP_block), emit_byte(g->e, 0x6E);
    gen_op_u(g, OP_local_get, gen_local(g, 'a'));
    gen_op(g, on_fail ? OP_br_on_cast_fail : OP_br_on_cast), emit_byte(g->e, 1), emit_u(g->e, 0);
    emit_byte(g->e, 0x6E), emit_s(g->e, (int)type);
    if (on_fail) gen_op_u(g, OP_br, 1), gen_op(g, OP_end);
    gen_op(g, OP_drop);
    gen_new(g, type, depth);
    gen_end(g);
}

/* A reference to an object of the type, seldom null and seldom of another. */
static inline void gen_object(struct gen *g, unsigned type, unsigned depth) {
    switch (gen_choose(g, 6)) {
    case 0: gen_new(g, type, depth); return;
    case 1:
        if (type != TYPE_BASE) break;
        gen_op(g, OP_block), gen_ref_type(g, false, type), gen_push_label(g, GEN_NO_LABEL);
        gen_op_u(g, OP_local_get, gen_local(g, 's')), gen_op_u(g, OP_br_on_non_null, 0);
        gen_new(g, type, depth), gen_end(g);
        return;
    case 2:
        if (type != TYPE_BASE) break;
        gen_struct_new(g, TYPE_DERIVED, depth);
        return;
    case 3:
        if (!gen_rarely(g)) break;
        gen_op_u(g, OP_local_get, gen_local(g, 'a'));
        gen_op(g, gen_choose(g, 2) ? OP_ref_cast_null : OP_ref_cast), emit_s(g->e, (int)type);
        return;
    case 4:
        if (type != TYPE_BASE || !gen_rarely(g)) break;
        gen_op_u(g, OP_local_get, gen_local(g, 's'));
        if (gen_choose(g, 2)) gen_op(g, OP_ref_as_non_null);
        return;
    default: break;
    }
    gen_cast_or_new(g, type, depth);
}

static inline void gen_index(struct gen *g) { gen_i32(g, (int32_t)gen_choose(g, gen_rarely(g) ? 256 : 3)); }

static inline unsigned gen_object_type(struct gen *g) { return gen_choose(g, 3) ? TYPE_ARRAYS + gen_choose(g, GEN_ARRAY_COUNT) : gen_choose(g, 2); }

/* ---------------------------------------------------------------- references by letter */

static inline void gen_exception(struct gen *g, unsigned depth) {
    gen_op(g, OP_block), gen_block_type(g, 'e'), gen_push_label(g, "e");
    gen_op(g, OP_try_table), emit_byte(g->e, 0x40), emit_u(g->e, 1), emit_byte(g->e, 3), emit_u(g->e, 0);
    gen_push_label(g, "");
    gen_value(g, 'i', depth), gen_op_u(g, OP_throw, 0);
    gen_end(g);
    gen_op(g, OP_unreachable);
    gen_end(g);
}

static inline void gen_any(struct gen *g, unsigned depth) {
    switch (gen_choose(g, 6)) {
    case 0: gen_value(g, 's', depth); return;
    case 1: gen_value(g, '3', depth); return;
    case 2: gen_value(g, 'x', depth), gen_op(g, OP_any_convert_extern); return;
    case 3: gen_op(g, OP_i64_const), emit_s(g->e, gen_choose(g, 4)), gen_op_u(g, OP_table_get, 2); return;
    default: gen_new(g, gen_object_type(g), depth); return;
    }
}

static inline void gen_null(struct gen *g, char letter) {
    static const uint8_t heaps[] = {0x70, 0x6F, 0x6E, 0x6C, 0x69, TYPE_BASE}, bottoms[] = {0x73, 0x72, 0x71, 0x71, 0x74, 0x71};
    unsigned index = gen_letter_index(letter) - GEN_NUMBER_COUNT;
    gen_op(g, OP_ref_null), emit_byte(g->e, gen_choose(g, 2) ? heaps[index] : bottoms[index]);
}

static inline void gen_reference(struct gen *g, char letter, unsigned depth) {
    unsigned choice = gen_choose(g, 6);
    if (choice == 0 || (!depth && choice > 2)) gen_null(g, letter);
    else if (choice == 1) gen_op_u(g, OP_local_get, gen_local(g, letter));
    else if (choice == 2) gen_op_u(g, OP_global_get, gen_letter_index(letter));
    else if (letter == 'r' && choice == 3) gen_i32(g, (int32_t)gen_choose(g, 4)), gen_op_u(g, OP_table_get, 1);
    else if (letter == 'r') gen_op_u(g, OP_ref_func, FUNC_FIRST + gen_choose(g, g->func_count));
    else if (letter == 'x') gen_value(g, 'a', depth - 1), gen_op(g, OP_extern_convert_any);
    else if (letter == '3') gen_value(g, 'i', depth - 1), gen_op(g, OP_ref_i31);
    else if (letter == 'e') gen_exception(g, depth - 1);
    else if (letter == 's') gen_struct_new(g, gen_choose(g, 2), depth - 1);
    else gen_any(g, depth - 1);
}

/* ---------------------------------------------------------------- numbers from references */

static inline void gen_i31_get(struct gen *g, unsigned depth) {
    if (gen_rarely(g)) gen_value(g, '3', depth);
    else gen_value(g, 'i', depth), gen_op(g, OP_ref_i31);
    gen_op(g, gen_choose(g, 2) ? OP_i31_get_s : OP_i31_get_u);
}

static inline void gen_ref_test(struct gen *g) {
    static const uint8_t heaps[] = {0x71, 0x6B, 0x6A, 0x6C, 0x6D, TYPE_BASE, TYPE_DERIVED, TYPE_ARRAYS};
    gen_op_u(g, OP_local_get, gen_local(g, 'a'));
    gen_op(g, gen_choose(g, 2) ? OP_ref_test : OP_ref_test_null), emit_byte(g->e, heaps[gen_choose(g, sizeof heaps)]);
}

/* An i32 from a reference, a table or a memory. */
static inline void gen_i32_from_object(struct gen *g, unsigned depth) {
    static const char references[] = "rxa3es";
    switch (gen_choose(g, 10)) {
    case 0: gen_value(g, references[gen_choose(g, 6)], depth), gen_op(g, OP_ref_is_null); return;
    case 1: gen_value(g, 's', depth), gen_value(g, 's', depth), gen_op(g, OP_ref_eq); return;
    case 2: gen_i31_get(g, depth); return;
    case 3: gen_ref_test(g); return;
    case 4: gen_object(g, TYPE_ARRAYS + gen_choose(g, GEN_ARRAY_COUNT), depth), gen_op(g, OP_array_len); return;
    case 5: gen_op_u(g, OP_table_size, gen_choose(g, 2)); return;
    case 6: gen_op_u(g, OP_memory_size, gen_choose(g, 2) * 2); return;
    case 7: gen_i32(g, (int32_t)gen_choose(g, 3)), gen_op_u(g, OP_memory_grow, 0); return;
    case 8: gen_value(g, 'r', depth), gen_i32(g, (int32_t)gen_choose(g, 3)), gen_op_u(g, OP_table_grow, 1); return;
    default:
        gen_op(g, OP_block), gen_block_type(g, 'i'), gen_push_label(g, "i");
        gen_i32(g, 1), gen_value(g, 'x', depth);
        gen_op_u(g, OP_br_on_null, 0), gen_op(g, OP_drop), gen_op(g, OP_drop), gen_i32(g, 2), gen_end(g);
        return;
    }
}

static inline void gen_field_get(struct gen *g, unsigned field, unsigned depth) {
    unsigned type = field < GEN_BASE_FIELDS ? TYPE_BASE : TYPE_DERIVED;
    gen_object(g, type, depth);
    gen_op_uu(g, !gen_is_packed(gen_fields[field]) ? OP_struct_get : gen_choose(g, 2) ? OP_struct_get_s : OP_struct_get_u, type, field);
}

static inline void gen_element_get(struct gen *g, unsigned array, unsigned depth) {
    gen_object(g, TYPE_ARRAYS + array, depth);
    gen_index(g);
    gen_op_u(g, !gen_is_packed(gen_elements[array]) ? OP_array_get : gen_choose(g, 2) ? OP_array_get_s : OP_array_get_u, TYPE_ARRAYS + array);
}

/* A number read from an object, or made of a reference. False when nothing was emitted. */
static inline bool gen_number_from_object(struct gen *g, char letter, unsigned depth) {
    unsigned start = gen_choose(g, 16);
    if (letter == 'i' && start % 2) return gen_i32_from_object(g, depth), true;
    if (letter == 'I' && start % 4 == 1) return gen_op_u(g, start > 8 ? OP_memory_size : OP_table_size, start > 8 ? 1 : 2), true;
    for (unsigned i = 0; i < GEN_ARRAY_COUNT + GEN_DERIVED_FIELDS; i++) {
        unsigned at = (start + i) % (GEN_ARRAY_COUNT + GEN_DERIVED_FIELDS);
        bool is_field = at >= GEN_ARRAY_COUNT;
        if (gen_unpacked(is_field ? gen_fields[at - GEN_ARRAY_COUNT] : gen_elements[at]) != letter) continue;
        if (is_field) gen_field_get(g, at - GEN_ARRAY_COUNT, depth);
        else gen_element_get(g, at, depth);
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- writing to objects */

static inline void gen_struct_set(struct gen *g, unsigned depth) {
    unsigned field = gen_choose(g, GEN_DERIVED_FIELDS), type = field < GEN_BASE_FIELDS ? TYPE_BASE : TYPE_DERIVED;
    gen_object(g, type, depth);
    gen_value(g, gen_unpacked(gen_fields[field]), depth);
    gen_op_uu(g, OP_struct_set, type, field);
}

static inline void gen_array_fill(struct gen *g, unsigned array, unsigned depth) {
    gen_object(g, TYPE_ARRAYS + array, depth), gen_index(g);
    gen_value(g, gen_unpacked(gen_elements[array]), depth), gen_i32(g, (int32_t)gen_choose(g, 3));
    gen_op_u(g, OP_array_fill, TYPE_ARRAYS + array);
}

static inline void gen_array_copy(struct gen *g, unsigned array, unsigned depth) {
    for (unsigned i = 0; i < 2; i++) gen_object(g, TYPE_ARRAYS + array, depth), gen_index(g);
    gen_i32(g, (int32_t)gen_choose(g, 2));
    gen_op_uu(g, OP_array_copy, TYPE_ARRAYS + array, TYPE_ARRAYS + array);
}

static inline void gen_array_init(struct gen *g, unsigned array, unsigned depth) {
    char element = gen_elements[array];
    bool is_elem = element == 's' || element == 'r';
    if (element == 'a') return;
    gen_object(g, TYPE_ARRAYS + array, depth), gen_index(g), gen_index(g), gen_i32(g, (int32_t)gen_choose(g, 2));
    gen_op_uu(g, is_elem ? OP_array_init_elem : OP_array_init_data, TYPE_ARRAYS + array, element == 's' ? 2 : is_elem);
}

static inline void gen_object_statement(struct gen *g, unsigned depth) {
    unsigned array = gen_choose(g, GEN_ARRAY_COUNT);
    switch (gen_choose(g, 6)) {
    case 0: gen_struct_set(g, depth); return;
    case 1: gen_array_fill(g, array, depth); return;
    case 2: gen_array_copy(g, array, depth); return;
    case 3: gen_array_init(g, array, depth); return;
    case 4: gen_value(g, 'a', depth), gen_op_u(g, OP_local_set, gen_local(g, 'a')); return;
    default:
        gen_object(g, TYPE_ARRAYS + array, depth), gen_index(g), gen_value(g, gen_unpacked(gen_elements[array]), depth);
        gen_op_u(g, OP_array_set, TYPE_ARRAYS + array);
        return;
    }
}
