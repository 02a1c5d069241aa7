/* gen_values.h - the part of generate.h for values: operands in every kind of location, plain instructions by their rows, calls, blocks with a
 * result. Included by generate.h alone. */

static inline void gen_value(struct gen *g, char letter, unsigned depth);
static inline void gen_statement(struct gen *g, unsigned depth);
static inline void gen_reference(struct gen *g, char letter, unsigned depth);
static inline bool gen_number_from_object(struct gen *g, char letter, unsigned depth);

static inline void gen_values(struct gen *g, const char *letters, unsigned depth) {
    for (; *letters; letters++) gen_value(g, *letters, depth);
}

static inline void gen_const(struct gen *g, char letter) {
    static const enum mote__op consts[] = {OP_i32_const, OP_i64_const, OP_f32_const, OP_f64_const, OP_v128_const};
    g->emitted[consts[gen_letter_index(letter)]]++;
    emit_const(g->e, letter, edge(letter, gen_choose(g, 256)));
}

static inline void gen_leaf(struct gen *g, char letter) {
    switch (gen_choose(g, 4)) {
    case 0: gen_op_u(g, OP_local_get, gen_local(g, letter)); return;
    case 1: gen_op_u(g, OP_global_get, gen_letter_index(letter)); return;
    default: gen_const(g, letter); return;
    }
}

/* ---------------------------------------------------------------- where operands are */

/* x made of x and x: a result of an instruction. */
static inline void gen_keep(struct gen *g, char letter, uint32_t local) {
    static const enum mote__op keep[] = {OP_i32_or, OP_i64_or, OP_f32_copysign, OP_f64_copysign, OP_v128_or};
    gen_op_u(g, OP_local_get, local), gen_op_u(g, OP_local_get, local);
    gen_op(g, keep[gen_letter_index(letter)]);
}

/* What is on top of the stack passes a join: a block that may be left early, or a loop that takes it as a parameter. */
static inline void gen_join_begin(struct gen *g, char letter) { gen_op(g, OP_block), gen_block_type(g, letter); }

static inline void gen_join_end(struct gen *g, char letter) {
    if (gen_choose(g, 2)) {
        gen_op_u(g, OP_loop, TYPE_KEEP + gen_letter_index(letter));
        gen_op(g, OP_end);
    } else {
        gen_op_u(g, OP_local_get, gen_local(g, 'i')), gen_op_u(g, OP_br_if, 0);
    }
    gen_op(g, OP_end);
}

/* A value from a local of ours, brought to the location. */
static inline enum location gen_from_local(struct gen *g, char letter, uint32_t local, enum location location) {
    switch (location) {
    case COMPUTED: gen_keep(g, letter, local); break;
    case HELD: gen_keep(g, letter, local), gen_call_nothing(g); break;
    case JOINED: gen_join_begin(g, letter), gen_op_u(g, OP_local_get, local), gen_join_end(g, letter); break;
    default: gen_op_u(g, OP_local_get, local); return g->loop_count ? HOT : COLD;
    }
    return location;
}

/* Any local that may be read: sometimes an address. */
static inline uint32_t gen_readable(struct gen *g, char letter) {
    bool is_address = letter == 'i' || letter == 'I';
    return is_address && !gen_choose(g, 6) ? gen_own(g, LOCAL_ADDRESS + (letter == 'I')) : gen_local(g, letter);
}

/* An operand of any value, in a chosen location. */
static inline enum location gen_operand(struct gen *g, char letter, unsigned depth) {
    enum location location = (enum location)gen_choose(g, LOCATION_COUNT);
    if (location == CONST) {
        gen_const(g, letter);
        return CONST;
    }
    if (location == COMPUTED && depth && !gen_is_full(g)) {
        gen_value(g, letter, depth);
        return COMPUTED;
    }
    return gen_from_local(g, letter, gen_readable(g, letter), location);
}

/* An operand that no instruction traps on: small, positive, odd. */
static inline enum location gen_safe_operand(struct gen *g, char letter) {
    static const uint64_t f32[] = {0x3F800000, 0x3FC00000, 0x42C88000}, f64[] = {UINT64_C(0x3FF0000000000000), UINT64_C(0x3FF8000000000000), UINT64_C(0x4059100000000000)};
    static const uint64_t whole[] = {1, 3, 7};
    enum location location = (enum location)gen_choose(g, LOCATION_COUNT);
    if (gen_rarely(g)) return gen_operand(g, letter, 0);
    if (location != CONST) return gen_from_local(g, letter, gen_own(g, LOCAL_SAFE + gen_letter_index(letter)), location);
    emit_number(g->e, letter, (letter == 'f' ? f32 : letter == 'F' ? f64 : whole)[gen_choose(g, 3)]);
    return CONST;
}

/* ---------------------------------------------------------------- memory */

struct gen_access {
    unsigned memory;
    uint64_t offset;
    enum location location;
};
enum { GEN_MEMORY_COUNT = 3 }; /* 32-bit; 64-bit; shared, 32-bit */
static inline char gen_address_letter(unsigned memory) { return memory == 1 ? 'I' : 'i'; }

/* An address that is 16-aligned and leaves room for 32 KiB, in a chosen location. */
static inline enum location gen_address(struct gen *g, char letter, enum location location) {
    if (location != CONST) return gen_from_local(g, letter, gen_own(g, LOCAL_ADDRESS + (letter == 'I')), location);
    unsigned high = gen_choose(g, 128), low = gen_choose(g, 16);
    emit_number(g->e, letter, high << 8 | low << 4);
    return CONST;
}

/* Chooses memory and offset and emits the address; mostly in bounds, often at the very end. */
static inline struct gen_access gen_access(struct gen *g, unsigned bytes, bool is_atomic) {
    static const unsigned memories[] = {0, 0, 1, 2};
    struct gen_access a = {.memory = memories[gen_choose(g, 4)]};
    enum location location = (enum location)gen_choose(g, LOCATION_COUNT);
    char letter = gen_address_letter(a.memory);
    switch (gen_choose(g, 4)) {
    case 0: break;
    case 1: a.offset = gen_choose(g, 16) * bytes; break;
    case 2: a.offset = is_atomic ? 32768 : gen_choose(g, 256); break;
    default: a.offset = 32768; break;
    }
    if (gen_rarely(g)) {
        a.offset = *edge('i', gen_choose(g, 256));
        a.location = gen_operand(g, letter, 0);
    } else if (location == CONST && gen_choose(g, 2)) {
        a.offset = 0;
        emit_number(g->e, letter, 65536 - bytes);
        a.location = CONST;
    } else {
        a.location = gen_address(g, letter, location);
    }
    return a;
}

static inline void gen_memarg(struct gen *g, unsigned bytes, bool is_atomic, const struct gen_access *a) {
    unsigned align = 0;
    while ((1u << align) < bytes) align++;
    if (!is_atomic) align = gen_choose(g, align + 1);
    emit_u(g->e, align | (a->memory ? 0x40 : 0));
    if (a->memory) emit_u(g->e, a->memory);
    emit_u(g->e, a->offset);
}

/* ---------------------------------------------------------------- plain instructions */

/* Lanes of a lane instruction, from the shape that its keyword starts with, or from the access. */
static inline unsigned gen_lane_count(const struct mote__op_info *info) {
    if (info->mem_bytes) return 16u / info->mem_bytes;
    return (unsigned)strtoul(strchr(mote__op_text(info), 'x') + 1, NULL, 10);
}

/* The NaNs of a result made canonical: where it differs from itself, the constant. */
static inline void gen_canonical(struct gen *g, enum mote__op op) {
    static const enum mote__op equal[] = {OP_f32_eq, OP_f64_eq};
    static const uint64_t nans[][2] = {{0x7FC00000}, {UINT64_C(0x7FF8000000000000)}};
    static const uint64_t vectors[][2] = {{UINT64_C(0x7FC000007FC00000), UINT64_C(0x7FC000007FC00000)}, {UINT64_C(0x7FF8000000000000), UINT64_C(0x7FF8000000000000)}};
    char lanes = reference_nan_lanes(op);
    if (!lanes || !g->canonical) return;
    bool is_vector = strchr(mote__op_info[op].sig, '_')[1] == 'v', is_f64 = lanes == 'F';
    char letter = is_vector ? 'v' : lanes;
    uint32_t temp = gen_own(g, LOCAL_TEMP + gen_letter_index(letter) - 2);
    gen_op_u(g, OP_local_tee, temp);
    emit_const(g->e, letter, (is_vector ? vectors : nans)[is_f64]);
    gen_op_u(g, OP_local_get, temp), gen_op_u(g, OP_local_get, temp);
    gen_op(g, is_vector ? (is_f64 ? OP_f64x2_eq : OP_f32x4_eq) : equal[is_f64]);
    gen_op(g, is_vector ? OP_v128_bitselect : OP_select);
}

static inline void gen_note_site(struct gen *g, const struct gen_site *site) {
    if (g->site_count == GEN_SITE_MAX) return;
    size_t before = g->e->size;
    if (g->is_counting) emit_op(g->e, OP_i32_const), emit_s(g->e, g->site_count), emit_op(g->e, OP_call), emit_u(g->e, FUNC_SITE);
    g->counting_bytes += g->e->size - before;
    g->sites[g->site_count++] = *site;
}

static inline void gen_immediates(struct gen *g, const struct mote__op_info *info, const struct gen_access *access) {
    if (info->mem_bytes) gen_memarg(g, info->mem_bytes, info->kind >= KIND_ATOMIC_LOAD, access);
    if (info->imm == IMM_LANE || info->imm == IMM_MEMARG_LANE) emit_byte(g->e, gen_choose(g, gen_lane_count(info)));
    for (unsigned i = 0; info->imm == IMM_LANES && i < 16; i++) emit_byte(g->e, gen_choose(g, 32));
}

/* A plain instruction with its operands. */
static inline void gen_plain(struct gen *g, enum mote__op op, unsigned depth) {
    const struct mote__op_info *info = &mote__op_info[op];
    struct gen_site site = {.op = (uint16_t)op};
    struct gen_access access = {0};
    uint32_t calls[GEN_OPERAND_MAX];
    if (info->mem_bytes) {
        access = gen_access(g, info->mem_bytes, info->kind >= KIND_ATOMIC_LOAD);
        site.location[site.operand_count] = (uint8_t)access.location;
        calls[site.operand_count++] = g->call_count;
    }
    for (const char *letter = info->sig; *letter != '_'; letter++) {
        bool is_last = letter[1] == '_', is_safe = is_last && info->kind == KIND_TRAPS;
        site.location[site.operand_count] = (uint8_t)(is_safe ? gen_safe_operand(g, *letter) : gen_operand(g, *letter, is_last ? depth : depth / 2));
        calls[site.operand_count++] = g->call_count;
    }
    for (unsigned k = 0; k < site.operand_count; k++)
        if (calls[k] != g->call_count && site.location[k] == COMPUTED) site.location[k] = HELD;
    gen_note_site(g, &site);
    gen_op(g, op);
    gen_immediates(g, info, &access);
    gen_canonical(g, op);
}

/* A plain instruction whose results are `results`, from a chosen row on. */
static inline enum mote__op gen_find_plain(struct gen *g, const char *results) {
    unsigned start = gen_choose_row(g);
    for (unsigned i = 0; i < OP_COUNT; i++) {
        const struct mote__op_info *info = &mote__op_info[(start + i) % OP_COUNT];
        if (info->kind != KIND_CONTROL && !strcmp(strchr(info->sig, '_') + 1, results)) return (enum mote__op)((start + i) % OP_COUNT);
    }
    return OP_nop;
}

/* ---------------------------------------------------------------- calls */

/* The function itself as a reference of its type: by name, or by a cast of any function that falls back on it. */
static inline void gen_callee(struct gen *g, unsigned callee) {
    if (!gen_choose(g, 2)) {
        gen_op_u(g, OP_ref_func, FUNC_FIRST + callee);
        return;
    }
    gen_op(g, OP_block), emit_byte(g->e, 0x64), emit_s(g->e, TYPE_FUNCS + (int)callee);
    gen_op_u(g, OP_local_get, gen_local(g, 'r'));
    gen_op(g, OP_br_on_cast), emit_byte(g->e, 1), emit_u(g->e, 0), emit_byte(g->e, 0x70), emit_s(g->e, TYPE_FUNCS + (int)callee);
    gen_op(g, OP_drop), gen_op_u(g, OP_ref_func, FUNC_FIRST + callee);
    gen_op(g, OP_end);
}

/* A call in one of three ways, or the tail call of each. */
static inline void gen_call(struct gen *g, unsigned callee, bool is_tail, unsigned depth) {
    gen_values(g, g->funcs[callee].params, depth / 2);
    switch (gen_choose(g, 3)) {
    case 0: gen_op_u(g, is_tail ? OP_return_call : OP_call, FUNC_FIRST + callee); break;
    case 1:
        if (gen_rarely(g)) gen_value(g, 'i', 0);
        else gen_i32(g, (int32_t)callee);
        gen_op_uu(g, is_tail ? OP_return_call_indirect : OP_call_indirect, TYPE_FUNCS + callee, callee % 2 ? 3 : 0);
        break;
    default:
        gen_callee(g, callee);
        gen_op_u(g, is_tail ? OP_return_call_ref : OP_call_ref, TYPE_FUNCS + callee);
        break;
    }
    g->call_count++;
}

/* A function with these results, mostly of those behind the one whose body is made; GEN_FUNC_MAX if there is none. */
static inline unsigned gen_find_func(struct gen *g, const char *results) {
    unsigned own = (unsigned)(g->func - g->funcs);
    for (unsigned i = gen_rarely(g) ? 0 : own + 1; i < g->func_count; i++)
        if (!strcmp(g->funcs[i].results, results)) return i;
    return GEN_FUNC_MAX;
}

/* ---------------------------------------------------------------- blocks with a result */

static inline void gen_statements(struct gen *g, unsigned depth) {
    for (unsigned i = gen_choose(g, 3); i; i--) gen_statement(g, depth);
}

static inline void gen_rest(struct gen *g, char letter, unsigned depth) {
    gen_statements(g, depth);
    if (letter) gen_value(g, letter, depth);
}

static inline void gen_block(struct gen *g, char letter, unsigned depth) {
    gen_op(g, OP_block), gen_block_type(g, letter);
    gen_push_label(g, (char[]){letter, 0});
    gen_rest(g, letter, depth);
    gen_end(g);
}

static inline void gen_if(struct gen *g, char letter, unsigned depth) {
    gen_value(g, 'i', depth);
    gen_op(g, OP_if), gen_block_type(g, letter);
    gen_push_label(g, (char[]){letter, 0});
    gen_rest(g, letter, depth);
    gen_op(g, OP_else);
    gen_rest(g, letter, depth);
    gen_end(g);
}

static inline void gen_tag_handler(struct gen *g, char letter, unsigned depth) {
    gen_op_u(g, OP_catch, 0), gen_set_locals(g, "i");
    gen_rest(g, letter, depth);
    if (gen_choose(g, 2)) gen_op_u(g, OP_catch, 1), gen_set_locals(g, "IF"), gen_rest(g, letter, 0);
    if (!gen_choose(g, 2)) return;
    gen_op(g, OP_catch_all);
    if (gen_rarely(g)) gen_op_u(g, OP_rethrow, 0);
    gen_rest(g, letter, 0);
}

/* The older way to catch: here, or handed on to the block around. */
static inline void gen_legacy_try(struct gen *g, char letter, unsigned depth) {
    gen_op(g, OP_try), gen_block_type(g, letter);
    gen_push_label(g, (char[]){letter, 0});
    g->try_count++;
    gen_rest(g, letter, depth);
    g->try_count--;
    if (gen_choose(g, 4)) {
        gen_tag_handler(g, letter, depth);
        gen_end(g);
        return;
    }
    g->label_count--;
    gen_op_u(g, OP_delegate, gen_choose(g, g->label_count));
}

static inline void gen_select(struct gen *g, char letter, unsigned depth) {
    bool is_typed = !memchr(gen_letters, letter, GEN_NUMBER_COUNT) || gen_choose(g, 2);
    gen_value(g, letter, depth), gen_value(g, letter, depth), gen_value(g, 'i', depth);
    gen_op(g, is_typed ? OP_select_t : OP_select);
    if (is_typed) emit_u(g->e, 1), gen_valtype(g, letter);
}

static inline void gen_tee(struct gen *g, char letter, unsigned depth) {
    gen_value(g, letter, depth);
    gen_op_u(g, OP_local_tee, gen_local(g, letter));
}

/* Exactly one value of the type. */
static inline void gen_value(struct gen *g, char letter, unsigned depth) {
    bool is_number = memchr(gen_letters, letter, GEN_NUMBER_COUNT);
    if (!depth-- || gen_is_full(g) || g->label_count > GEN_LABEL_MAX - 4) {
        if (is_number) gen_leaf(g, letter);
        else gen_reference(g, letter, 0);
        return;
    }
    const char results[] = {letter, 0};
    unsigned callee = GEN_FUNC_MAX;
    switch (gen_choose(g, 24)) {
    case 1: gen_block(g, letter, depth); return;
    case 2: gen_if(g, letter, depth); return;
    case 3: gen_tee(g, letter, depth); return;
    case 4: gen_select(g, letter, depth); return;
    case 5: gen_legacy_try(g, letter, depth); return;
    case 6: callee = gen_find_func(g, results); break;
    case 7: case 8:
        if (gen_number_from_object(g, letter, depth)) return;
        break;
    default: break;
    }
    if (callee != GEN_FUNC_MAX) gen_call(g, callee, false, depth);
    else if (!is_number) gen_reference(g, letter, depth);
    else gen_plain(g, gen_find_plain(g, results), depth);
}
