/* gen_statements.h - the part of generate.h for what leaves the stack as it was. Included by generate.h alone. */

static inline void gen_set(struct gen *g, char letter, unsigned depth) {
    gen_value(g, letter, depth);
    if (gen_choose(g, 3)) gen_op_u(g, OP_local_set, gen_local(g, letter));
    else gen_op_u(g, OP_global_set, gen_letter_index(letter));
}

/* The safe locals and addresses get new values of their kind. */
static inline void gen_set_safe(struct gen *g, unsigned depth) {
    uint32_t safe = gen_own(g, LOCAL_SAFE), address = gen_own(g, LOCAL_ADDRESS);
    switch (gen_choose(g, 6)) {
    case 0: gen_value(g, 'i', depth), gen_i32(g, 63), gen_op(g, OP_i32_and), gen_i32(g, 1), gen_op(g, OP_i32_or), gen_op_u(g, OP_local_set, safe); return;
    case 1: gen_op_u(g, OP_local_get, safe), gen_op(g, OP_i64_extend_i32_u), gen_op_u(g, OP_local_set, safe + 1); return;
    case 2: gen_op_u(g, OP_local_get, safe), gen_op(g, OP_f32_convert_i32_u), gen_op_u(g, OP_local_set, safe + 2); return;
    case 3: gen_op_u(g, OP_local_get, safe), gen_op(g, OP_f64_convert_i32_u), gen_op_u(g, OP_local_set, safe + 3); return;
    case 4: gen_value(g, 'i', depth), gen_i32(g, 0x7FF0), gen_op(g, OP_i32_and), gen_op_u(g, OP_local_set, address); return;
    default: gen_op_u(g, OP_local_get, address), gen_op(g, OP_i64_extend_i32_u), gen_op_u(g, OP_local_set, address + 1); return;
    }
}

/* ---------------------------------------------------------------- control */

/* Any plain instruction, whose results are set to locals. */
static inline void gen_plain_statement(struct gen *g, unsigned depth) {
    unsigned op = gen_choose_row(g);
    while (mote__op_info[op].kind == KIND_CONTROL) op = (op + 7) % OP_COUNT;
    gen_plain(g, (enum mote__op)op, depth);
    gen_set_locals(g, strchr(mote__op_info[op].sig, '_') + 1);
}

/* Counts down from a few; the counter is a local of its own. */
static inline void gen_loop(struct gen *g, unsigned depth) {
    if (g->loop_count == GEN_COUNTERS) return;
    uint32_t counter = gen_own(g, LOCAL_COUNTER + g->loop_count);
    gen_i32(g, 1 + (int32_t)gen_choose(g, 6)), gen_op_u(g, OP_local_set, counter);
    gen_op(g, OP_block), gen_block_type(g, 0), gen_push_label(g, "");
    gen_op(g, OP_loop), gen_block_type(g, 0), gen_push_label(g, "");
    g->loop_count++;
    gen_charge(g, true);
    for (unsigned i = 1 + gen_choose(g, 3); i; i--) gen_plain_statement(g, depth);
    gen_statements(g, depth);
    gen_op_u(g, OP_local_get, counter), gen_i32(g, 1), gen_op(g, OP_i32_sub), gen_op_u(g, OP_local_tee, counter);
    gen_op_u(g, OP_br_if, 0);
    g->loop_count--;
    gen_end(g);
    gen_end(g);
}

/* A block, loop or if with several parameters and results; what it takes goes to locals, and so does what it gives. */
static inline void gen_shape(struct gen *g, unsigned depth) {
    unsigned index = gen_choose(g, GEN_SHAPE_MAX), kind = gen_choose(g, 3);
    const struct gen_signature *shape = &g->shapes[index];
    gen_values(g, shape->params, depth);
    if (kind == 1) gen_value(g, 'i', depth);
    gen_op_u(g, kind == 0 ? OP_block : kind == 1 ? OP_if : OP_loop, TYPE_FUNCS + g->func_count + index);
    gen_push_label(g, kind == 2 ? shape->params : shape->results);
    for (unsigned arm = 0; arm < (kind == 1 ? 2u : 1u); arm++) {
        if (arm) gen_op(g, OP_else);
        if (kind == 2) gen_charge(g, false);
        gen_set_locals(g, shape->params);
        gen_statements(g, depth);
        gen_values(g, shape->results, depth);
    }
    gen_end(g);
    gen_set_locals(g, shape->results);
}

static inline const char *gen_carried(const struct gen *g, unsigned label) { return g->labels[g->label_count - 1 - label].carries; }

static inline void gen_drops(struct gen *g, const char *letters) {
    for (; *letters; letters++) gen_op(g, OP_drop);
}

/* A branch to some label, on a condition or not; what follows an unconditional one is unreachable and still typed. */
static inline void gen_branch(struct gen *g, unsigned depth) {
    unsigned label = gen_choose(g, g->label_count);
    if (!strcmp(gen_carried(g, label), GEN_NO_LABEL)) return;
    bool is_conditional = gen_choose(g, 8);
    gen_values(g, gen_carried(g, label), depth);
    if (is_conditional) gen_value(g, 'i', depth);
    gen_op_u(g, is_conditional ? OP_br_if : OP_br, label);
    if (is_conditional) gen_drops(g, gen_carried(g, label));
}

/* A table of all labels that carry what a chosen one carries, inside a block so that other code goes on. */
static inline void gen_br_table(struct gen *g, unsigned depth) {
    unsigned fallback = 1 + gen_choose(g, g->label_count), labels[8], count = 0;
    if (!strcmp(gen_carried(g, fallback - 1), GEN_NO_LABEL)) return;
    gen_op(g, OP_block), gen_block_type(g, 0), gen_push_label(g, "");
    for (unsigned i = 0; i < g->label_count && count < 8; i++)
        if (!strcmp(gen_carried(g, i), gen_carried(g, fallback))) labels[count++] = i;
    gen_values(g, gen_carried(g, fallback), depth), gen_value(g, 'i', depth);
    gen_op_u(g, OP_br_table, count);
    for (unsigned i = 0; i < count; i++) emit_u(g->e, labels[i]);
    emit_u(g->e, fallback);
    gen_end(g);
}

/* What leaves the function, on a condition: return, a tail call, a trap. */
static inline void gen_leave(struct gen *g, unsigned depth) {
    gen_value(g, 'i', depth), gen_op(g, OP_i32_popcnt), gen_i32(g, 20), gen_op(g, OP_i32_gt_u);
    gen_op(g, OP_if), gen_block_type(g, 0), gen_push_label(g, "");
    unsigned choice = gen_choose(g, 8), callee = gen_find_func(g, g->func->results);
    if (choice < 6) gen_call(g, callee == GEN_FUNC_MAX ? (unsigned)(g->func - g->funcs) : callee, true, depth);
    else if (choice < 7) gen_values(g, g->func->results, depth), gen_op(g, OP_return);
    else gen_op(g, OP_unreachable);
    gen_end(g);
}

/* ---------------------------------------------------------------- exceptions */

/* On a condition, and seldom where nothing catches. */
static inline void gen_throw(struct gen *g, unsigned depth) {
    if (!g->try_count && !gen_rarely(g)) return;
    gen_value(g, 'i', depth), gen_op(g, OP_if), gen_block_type(g, 0), gen_push_label(g, "");
    switch (gen_choose(g, 8)) {
    case 0:
        if (gen_rarely(g)) gen_value(g, 'e', depth);
        else gen_exception(g, depth);
        gen_op(g, OP_throw_ref);
        break;
    case 1: gen_values(g, "IF", depth), gen_op_u(g, OP_throw, 1); break;
    default: gen_value(g, 'i', depth), gen_op_u(g, OP_throw, 0); break;
    }
    gen_end(g);
}

/* Statements in a try_table whose catch brings its values to a block around, where they are set to locals. */
static inline void gen_try_table(struct gen *g, unsigned depth) {
    static const uint8_t clauses[] = {0, 0, 1, 3};
    unsigned choice = gen_choose(g, 4);
    const char *caught = gen_caught[choice];
    gen_op_u(g, OP_block, TYPE_CAUGHT + choice), gen_push_label(g, caught);
    gen_op(g, OP_try_table), emit_byte(g->e, 0x40), emit_u(g->e, 1), emit_byte(g->e, clauses[choice]);
    if (choice < 3) emit_u(g->e, choice == 1);
    emit_u(g->e, 0);
    gen_push_label(g, "");
    g->try_count++;
    gen_statements(g, depth);
    if (gen_choose(g, 2)) gen_throw(g, depth);
    g->try_count--;
    gen_end(g);
    gen_values(g, caught, depth);
    gen_end(g);
    gen_set_locals(g, caught);
}

/* The same with catch_all, which brings nothing. */
static inline void gen_catch_all(struct gen *g, unsigned depth) {
    gen_op(g, OP_block), gen_block_type(g, 0), gen_push_label(g, "");
    gen_op(g, OP_try_table), emit_byte(g->e, 0x40), emit_u(g->e, 1), emit_byte(g->e, 2), emit_u(g->e, 0);
    gen_push_label(g, "");
    g->try_count++;
    gen_throw(g, depth);
    gen_statements(g, depth);
    g->try_count--;
    gen_end(g);
    gen_end(g);
}

/* ---------------------------------------------------------------- memories and tables */

static inline void gen_size_of(struct gen *g, char letter, unsigned most) {
    uint64_t size = gen_choose(g, most);
    if (gen_rarely(g)) size = *edge('i', gen_choose(g, 256));
    emit_number(g->e, letter, size);
}

static inline void gen_memory_statement(struct gen *g, unsigned depth) {
    unsigned memory = gen_choose(g, GEN_MEMORY_COUNT), from = gen_choose(g, GEN_MEMORY_COUNT);
    char letter = gen_address_letter(memory), from_letter = gen_address_letter(from);
    gen_address(g, letter, (enum location)gen_choose(g, LOCATION_COUNT));
    switch (gen_choose(g, 3)) {
    case 0:
        gen_value(g, 'i', depth), gen_size_of(g, letter, 200), gen_op_u(g, OP_memory_fill, memory);
        return;
    case 1:
        gen_address(g, from_letter, (enum location)gen_choose(g, LOCATION_COUNT));
        gen_size_of(g, letter == 'I' && from_letter == 'I' ? 'I' : 'i', 200);
        gen_op_uu(g, OP_memory_copy, memory, from);
        return;
    default:
        gen_i32(g, (int32_t)gen_choose(g, 32)), gen_size_of(g, 'i', 32), gen_op_uu(g, OP_memory_init, gen_choose(g, 2), memory);
        return;
    }
}

/* Atomic waiting that ends at once, waking nobody, a fence. */
static inline void gen_atomic_statement(struct gen *g, unsigned depth) {
    bool is_64 = gen_choose(g, 2);
    struct gen_access access = {.memory = 2};
    switch (gen_choose(g, 3)) {
    case 0: gen_op(g, OP_atomic_fence), emit_byte(g->e, 0); return;
    case 1:
        gen_address(g, 'i', COLD), gen_value(g, 'i', depth);
        gen_op(g, OP_memory_atomic_notify), gen_memarg(g, 4, true, &access), gen_op(g, OP_drop);
        return;
    default:
        gen_address(g, 'i', COLD), gen_value(g, is_64 ? 'I' : 'i', depth), gen_op(g, OP_i64_const), emit_s(g->e, 0);
        gen_op(g, is_64 ? OP_memory_atomic_wait64 : OP_memory_atomic_wait32), gen_memarg(g, is_64 ? 8 : 4, true, &access);
        gen_op_u(g, OP_local_set, gen_local(g, 'i'));
        return;
    }
}

/* Table 0 is for calls alone; 1 has functions, 2 any references and 64-bit indices. */
static inline void gen_table_statement(struct gen *g, unsigned depth) {
    unsigned table = 1 + gen_choose(g, 2);
    char letter = table == 1 ? 'i' : 'I', element = table == 1 ? 'r' : 'a';
    const uint64_t at = gen_rarely(g) ? gen_choose(g, 256) : gen_choose(g, 4), from = gen_choose(g, 4);
    emit_number(g->e, letter, at);
    switch (gen_choose(g, 5)) {
    case 0: gen_value(g, element, depth), gen_op_u(g, OP_table_set, table); return;
    case 1: gen_value(g, element, depth), gen_size_of(g, letter, 4), gen_op_u(g, OP_table_fill, table); return;
    case 2: emit_number(g->e, letter, from), gen_size_of(g, letter, 4), gen_op_uu(g, OP_table_copy, table, table); return;
    case 3: gen_i32(g, 1), gen_i32(g, (int32_t)gen_choose(g, 3)), gen_op_uu(g, OP_table_init, table, table); return;
    default: gen_op_u(g, OP_table_get, table), gen_op_u(g, OP_local_set, gen_local(g, element)); return;
    }
}

/* Segments 1 of each kind are dropped, which later uses of them find. */
static inline void gen_drop_segment(struct gen *g) {
    if (gen_choose(g, 2)) gen_op_u(g, OP_data_drop, 1);
    else gen_op_u(g, OP_elem_drop, 3);
}

static inline void gen_pressure(struct gen *g, unsigned depth);
static inline void gen_many_reads(struct gen *g);
static inline void gen_wide(struct gen *g, unsigned depth);

/* Anything that leaves the stack as it was. */
static inline void gen_statement(struct gen *g, unsigned depth) {
    if (!depth-- || gen_is_full(g) || g->label_count > GEN_LABEL_MAX - 6) return;
    char letter = gen_letters[gen_choose(g, GEN_LETTER_COUNT)];
    unsigned own = (unsigned)(g->func - g->funcs), later = g->func_count - 1 - own, callee = later ? own + 1 + gen_choose(g, later) : own;
    switch (gen_choose(g, 44)) {
    case 0: gen_value(g, letter, depth), gen_op(g, OP_drop); return;
    case 1: gen_op(g, OP_nop); return;
    case 2: gen_block(g, 0, depth); return;
    case 3: gen_if(g, 0, depth); return;
    case 4: case 5: case 6: gen_loop(g, depth); return;
    case 7: gen_shape(g, depth); return;
    case 8: gen_branch(g, depth); return;
    case 9: gen_br_table(g, depth); return;
    case 10: gen_leave(g, depth); return;
    case 11: gen_throw(g, depth); return;
    case 12: gen_try_table(g, depth); return;
    case 13: gen_catch_all(g, depth); return;
    case 14: gen_legacy_try(g, 0, depth); return;
    case 15: gen_memory_statement(g, depth); return;
    case 16: gen_atomic_statement(g, depth); return;
    case 17: gen_table_statement(g, depth); return;
    case 18: gen_object_statement(g, depth); return;
    case 19: gen_set(g, letter, depth); return;
    case 20: gen_set_safe(g, depth); return;
    case 21:
        if (gen_rarely(g)) gen_drop_segment(g);
        return;
    case 22:
        if (!later && !gen_rarely(g)) return;
        gen_call(g, callee, false, depth), gen_set_locals(g, g->funcs[callee].results);
        return;
    case 36: case 37: case 38: case 39: gen_wide(g, depth); return;
    case 40: case 41: case 42: gen_pressure(g, depth); return;
    case 43:
        if (gen_choose(g, 4)) gen_pressure(g, depth);
        else gen_many_reads(g);
        return;
    case 23: case 24: gen_set(g, letter, depth); return;
    default: gen_plain_statement(g, depth); return;
    }
}
