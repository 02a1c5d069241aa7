/* gen_pressure.h - the part of generate.h for what a compiler that keeps values in registers can lose: more operands than registers while instructions with
 * registers of their own run, locals written while reads of them wait on the stack, branches that carry many values over other operands.
 * What was on the stack is mixed into a global afterwards, so that nothing is lost unseen. Included by generate.h alone. */

/* The operands that a statement has made and not yet used, by letters; the last is on top. */
struct gen_pile {
    char letters[GEN_PILE_MAX + 1];
    unsigned count;
};

static inline void gen_piled(struct gen_pile *pile, const char *letters) {
    for (; *letters; letters++) {
        MUST(pile->count < GEN_PILE_MAX);
        pile->letters[pile->count++] = *letters;
    }
}

/* ---------------------------------------------------------------- using values up */

/* The top value becomes an i64 that depends on it. */
static inline void gen_to_i64(struct gen *g, char letter) {
    switch (letter) {
    case 'I': return;
    case 'i': break;
    case 'f': gen_op(g, OP_i32_reinterpret_f32); break;
    case 'F': gen_op(g, OP_i64_reinterpret_f64); return;
    case 'v': gen_op(g, OP_i64x2_extract_lane), emit_byte(g->e, gen_choose(g, 2)); return;
    default: gen_op(g, OP_ref_is_null); break;
    }
    gen_op(g, OP_i64_extend_i32_u);
}

/* The top value goes into the global of i64. */
static inline void gen_mix(struct gen *g, char letter) {
    gen_to_i64(g, letter);
    gen_op_u(g, OP_global_get, 1), gen_op(g, OP_i64_const), emit_s(g->e, 9), gen_op(g, OP_i64_rotl), gen_op(g, OP_i64_add), gen_op_u(g, OP_global_set, 1);
}

static inline void gen_mix_all(struct gen *g, const char *letters) {
    for (size_t i = strlen(letters); i-- > 0;)
        if (gen_choose(g, 4)) gen_mix(g, letters[i]);
        else gen_op_u(g, OP_local_set, gen_local(g, letters[i]));
}

static inline void gen_mix_pile(struct gen *g, struct gen_pile *pile) {
    pile->letters[pile->count] = 0;
    gen_mix_all(g, pile->letters);
    pile->count = 0;
}

/* ---------------------------------------------------------------- making them */

/* Mostly in a register or a read that waits. */
static inline void gen_pressing(struct gen *g, char letter) {
    bool is_number = memchr(gen_letters, letter, GEN_NUMBER_COUNT);
    switch (gen_choose(g, 8)) {
    case 0: gen_value(g, letter, 1); return;
    case 1: gen_value(g, letter, 0), gen_op_u(g, OP_local_tee, gen_local(g, letter)); return;
    case 2: case 3: case 4:
        if (!is_number) break;
        gen_keep(g, letter, gen_local(g, letter));
        return;
    default: break;
    }
    gen_op_u(g, OP_local_get, gen_local(g, letter));
}

static inline char gen_pressing_letter(struct gen *g) { return gen_letters[gen_choose(g, gen_choose(g, 4) ? GEN_NUMBER_COUNT : GEN_LETTER_COUNT)]; }

static inline void gen_push(struct gen *g, struct gen_pile *pile, const char *letters) {
    for (const char *letter = letters; *letter; letter++) gen_pressing(g, *letter);
    gen_piled(pile, letters);
}

/* Instructions that the processor does in certain registers, in several steps, or partly out of line. */
enum { GEN_DIVISIONS = 8 }; /* the first of them */
static const uint16_t gen_fixed_ops[] = {
    OP_i32_div_s, OP_i32_div_u, OP_i32_rem_s, OP_i32_rem_u, OP_i64_div_s, OP_i64_div_u, OP_i64_rem_s, OP_i64_rem_u,
    OP_i32_shl, OP_i32_shr_s, OP_i32_rotl, OP_i32_rotr, OP_i64_shr_u, OP_i64_rotl, OP_i64_rotr, OP_i32_clz, OP_i64_ctz, OP_i64_popcnt,
    OP_i64_mul_wide_s, OP_i64_mul_wide_u, OP_i64_add128, OP_i64_sub128,
    OP_i32_trunc_sat_f32_s, OP_i32_trunc_sat_f64_u, OP_i64_trunc_sat_f64_s, OP_i64_trunc_sat_f32_u, OP_f32_convert_i64_u, OP_f64_convert_i64_u,
    OP_i32_atomic_rmw_cmpxchg, OP_i32_atomic_rmw8_cmpxchg_u, OP_i32_atomic_rmw16_cmpxchg_u, OP_i64_atomic_rmw_cmpxchg, OP_i64_atomic_rmw32_cmpxchg_u,
    OP_i32_atomic_rmw_and, OP_i32_atomic_rmw8_or_u, OP_i64_atomic_rmw_xor, OP_i32_atomic_rmw_add, OP_i64_atomic_rmw8_sub_u, OP_i32_atomic_rmw_xchg,
    OP_f32_min, OP_f64_max, OP_f32_copysign, OP_f64_ceil, OP_f32_eq, OP_f64_ne, OP_i32_lt_s, OP_i64_gt_u, OP_i64_eqz,
    OP_v128_bitselect, OP_f32x4_max, OP_i64x2_mul, OP_i8x16_shl, OP_i64x2_shr_s, OP_i32x4_trunc_sat_f32x4_u, OP_v128_any_true, OP_i8x16_shuffle,
};

/* Two of a kind on top become one. */
static inline bool gen_combine(struct gen *g, struct gen_pile *pile) {
    static const uint16_t ops[][4] = {{OP_i32_sub, OP_i32_shl, OP_i32_rotr, OP_i32_mul}, {OP_i64_add, OP_i64_shr_s, OP_i64_rotl, OP_i64_xor},
                                      {OP_f32_copysign, OP_f32_sub, OP_f32_max, OP_f32_mul}, {OP_f64_copysign, OP_f64_add, OP_f64_min, OP_f64_sub},
                                      {OP_i32x4_sub, OP_v128_andnot, OP_f32x4_min, OP_i64x2_mul}};
    if (pile->count < 2) return false;
    char letter = pile->letters[pile->count - 1];
    if (letter != pile->letters[pile->count - 2] || !memchr(gen_letters, letter, GEN_NUMBER_COUNT)) return false;
    enum mote__op op = (enum mote__op)ops[gen_letter_index(letter)][gen_choose(g, 4)];
    gen_op(g, op);
    gen_canonical(g, op);
    pile->count--;
    return true;
}

/* The row of gen_fixed_ops, from a number on, that has no address and takes this first; OP_nop if there is none. */
static inline enum mote__op gen_find_fixed(char letter, unsigned start) {
    enum { COUNT = sizeof gen_fixed_ops / sizeof *gen_fixed_ops };
    for (unsigned i = 0; i < COUNT; i++) {
        const struct mote__op_info *info = &mote__op_info[gen_fixed_ops[(start + i) % COUNT]];
        if (!info->mem_bytes && info->sig[0] == letter) return (enum mote__op)gen_fixed_ops[(start + i) % COUNT];
    }
    return OP_nop;
}

/* A plain instruction on what is on top. Returns the letter of what is there then. */
static inline char gen_on_top(struct gen *g, enum mote__op op) {
    const struct mote__op_info *info = &mote__op_info[op];
    for (const char *letter = info->sig + 1; *letter != '_'; letter++) (void)(info->kind == KIND_TRAPS ? gen_safe_operand(g, *letter) : gen_operand(g, *letter, 0));
    const char *results = strchr(info->sig, '_') + 1;
    gen_op(g, op);
    gen_immediates(g, info, NULL);
    gen_canonical(g, op);
    gen_set_locals(g, results + 1);
    return *results;
}

/* A result is set to a local, used at once and perhaps once more, and the local is read again. */
static inline void gen_chain(struct gen *g, enum mote__op op, struct gen_pile *pile) {
    const char *results = strchr(mote__op_info[op].sig, '_') + 1;
    char letter = *results;
    gen_plain(g, op, 1);
    gen_set_locals(g, results + 1);
    uint32_t local = gen_local(g, letter);
    gen_op_u(g, OP_local_tee, local);
    for (unsigned i = gen_choose(g, 3); i; i--) {
        enum mote__op next = gen_find_fixed(letter, gen_choose(g, gen_choose(g, 2) ? GEN_DIVISIONS : 256));
        if (next != OP_nop) letter = gen_on_top(g, next);
    }
    gen_op_u(g, OP_local_get, local);
    gen_piled(pile, (char[]){letter, *results, 0});
}

/* An access whose address is read once more, as what is to be stored or expected there. */
static inline void gen_own_address(struct gen *g, struct gen_pile *pile) {
    static const uint16_t ops[] = {OP_i32_atomic_rmw_cmpxchg, OP_i32_atomic_rmw8_cmpxchg_u, OP_i32_atomic_rmw16_cmpxchg_u, OP_i32_atomic_rmw_add, OP_i32_atomic_rmw8_xor_u,
                                   OP_i32_store, OP_i32_store8, OP_i32_atomic_store};
    const struct gen_access access = {.memory = gen_choose(g, 2) * 2, .offset = gen_choose(g, 2) * 16};
    enum mote__op op = (enum mote__op)ops[gen_choose(g, sizeof ops / sizeof *ops)];
    const struct mote__op_info *info = &mote__op_info[op];
    uint32_t local = gen_local(g, 'i');
    gen_op_u(g, OP_local_get, gen_own(g, LOCAL_ADDRESS)), gen_op_u(g, OP_local_tee, local), gen_op_u(g, OP_local_get, local);
    if (info->sig[1] == 'i') gen_pressing(g, 'i');
    gen_op(g, op), gen_memarg(g, info->mem_bytes, info->kind >= KIND_ATOMIC_LOAD, &access);
    gen_piled(pile, strchr(info->sig, '_') + 1);
}

/* One thing while operands wait. */
static inline void gen_press(struct gen *g, struct gen_pile *pile, unsigned depth) {
    char letter = gen_pressing_letter(g);
    enum mote__op op = (enum mote__op)gen_fixed_ops[gen_choose(g, sizeof gen_fixed_ops / sizeof *gen_fixed_ops)];
    switch (gen_choose(g, 15)) {
    case 0: case 1: case 2:
        gen_plain(g, op, 1), gen_piled(pile, strchr(mote__op_info[op].sig, '_') + 1);
        return;
    case 3: gen_chain(g, op, pile); return;
    case 10: case 11: gen_chain(g, (enum mote__op)gen_fixed_ops[gen_choose(g, GEN_DIVISIONS)], pile); return;
    case 12: gen_own_address(g, pile); return;
    case 4: case 5: gen_value(g, letter, 0), gen_op_u(g, OP_local_set, gen_local(g, letter)); return;
    case 6: gen_pressing(g, letter), gen_op_u(g, OP_local_set, gen_local(g, letter)); return;
    case 7: gen_memory_statement(g, 0); return;
    case 8: gen_call_nothing(g); return;
    case 9: gen_statement(g, depth); return;
    default:
        if (gen_combine(g, pile)) return;
        gen_push(g, pile, (char[]){letter, 0});
        return;
    }
}

static inline void gen_press_some(struct gen *g, struct gen_pile *pile, unsigned most, unsigned depth) {
    for (unsigned i = gen_choose(g, most); i && pile->count + 4 < GEN_PILE_MAX; i--) gen_press(g, pile, depth);
}

/* ---------------------------------------------------------------- statements */

/* The type of a block with many results, or of a loop that also takes them. */
static inline int gen_wide_type(const struct gen *g, unsigned index, bool is_loop) {
    return (int)(TYPE_FUNCS + g->func_count + GEN_SHAPE_MAX + 2 * index + is_loop);
}

/* Operands of all kinds, and what is done meanwhile. */
static inline void gen_pressure(struct gen *g, unsigned depth) {
    struct gen_pile pile = {.count = 0};
    for (unsigned i = 2 + gen_choose(g, 10); i; i--) gen_push(g, &pile, (char[]){gen_pressing_letter(g), 0});
    gen_press_some(g, &pile, 10, depth);
    gen_mix_pile(g, &pile);
}

/* Very many reads of one local wait when it is written. */
static inline void gen_many_reads(struct gen *g) {
    static const uint16_t sums[] = {OP_i32_add, OP_i64_add, OP_f32_copysign, OP_f64_copysign, OP_i8x16_add};
    unsigned letter = gen_choose(g, GEN_NUMBER_COUNT), count = 2 + gen_choose(g, 256) + gen_choose(g, 256);
    uint32_t local = gen_local(g, gen_letters[letter]);
    for (unsigned i = 0; i < count; i++) gen_op_u(g, OP_local_get, local);
    gen_pressing(g, gen_letters[letter]), gen_op_u(g, OP_local_set, local);
    for (unsigned i = 1; i < count; i++) gen_op(g, (enum mote__op)sums[letter]);
    gen_mix(g, gen_letters[letter]);
}

/* A branch to label 0 with what it carries, which is on top of the pile. False: what follows is not reached. */
static inline bool gen_wide_branch(struct gen *g, const char *carried, struct gen_pile *pile) {
    static const char references[] = "rxa3es";
    char last = carried[strlen(carried) - 1];
    switch (gen_choose(g, 8)) {
    case 0: case 6: gen_op_u(g, OP_br, 0); return false;
    case 1: gen_value(g, 'i', 1), gen_op_u(g, OP_br_table, 1), emit_u(g->e, 0), emit_u(g->e, 0); return false;
    case 2: case 3:
        gen_op_u(g, OP_local_get, gen_local(g, gen_choose(g, 2) && strchr(references, last) ? last : references[gen_choose(g, 6)]));
        gen_op_u(g, OP_br_on_null, 0), gen_op(g, OP_drop);
        return true;
    case 4:
        if (!strchr(references, last)) break;
        gen_op_u(g, OP_br_on_non_null, 0);
        pile->count--;
        return true;
    case 5:
        if (last != 'a') break;
        gen_op(g, gen_choose(g, 2) ? OP_br_on_cast : OP_br_on_cast_fail), emit_byte(g->e, 3), emit_u(g->e, 0), emit_byte(g->e, 0x6E), emit_s(g->e, TYPE_BASE);
        return true;
    default: break;
    }
    gen_pressing(g, 'i');
    if (gen_choose(g, 2)) gen_op(g, OP_i32_eqz);
    gen_op_u(g, OP_br_if, 0);
    return true;
}

/* Operands that a branch leaves behind: of all kinds, or as many results of integers or floats as there are temporaries and some more. */
static inline void gen_left_behind(struct gen *g, struct gen_pile *pile) {
    static const char letters[] = "iIfF";
    if (gen_choose(g, 2)) {
        for (unsigned i = gen_choose(g, 13); i; i--) gen_push(g, pile, (char[]){gen_pressing_letter(g), 0});
        return;
    }
    unsigned first = gen_choose(g, 2) * 2;
    for (unsigned i = 4 + gen_choose(g, 6); i; i--) {
        char letter = letters[first + gen_choose(g, 2)];
        gen_keep(g, letter, gen_local(g, letter));
        gen_piled(pile, (char[]){letter, 0});
    }
}

/* What a branch carries: reads that wait, some of them constants instead, or anything. */
static inline void gen_carry(struct gen *g, struct gen_pile *pile, const char *carried) {
    unsigned how = gen_choose(g, 4);
    for (const char *letter = carried; *letter; letter++)
        if (!how) gen_pressing(g, *letter);
        else if (how == 1 && memchr(gen_letters, *letter, GEN_NUMBER_COUNT) && gen_choose(g, 2)) gen_const(g, *letter);
        else gen_op_u(g, OP_local_get, gen_local(g, *letter));
    gen_piled(pile, carried);
}

/* A block that is left with many values over others. */
static inline void gen_wide_block(struct gen *g, unsigned index, unsigned depth) {
    const char *carried = g->wides[index];
    struct gen_pile pile = {.count = 0};
    gen_op(g, OP_block), emit_s(g->e, gen_wide_type(g, index, false)), gen_push_label(g, carried);
    gen_left_behind(g, &pile);
    if (!gen_choose(g, 3)) gen_press_some(g, &pile, 4, depth);
    gen_carry(g, &pile, carried);
    if (gen_wide_branch(g, carried, &pile)) {
        gen_press_some(g, &pile, 4, depth);
        gen_mix_pile(g, &pile);
        for (const char *letter = carried; *letter; letter++) gen_pressing(g, *letter);
    }
    gen_end(g);
    gen_mix_all(g, carried);
}

/* A loop that takes many values, from over others when it turns. */
static inline void gen_wide_loop(struct gen *g, unsigned index, unsigned depth) {
    const char *carried = g->wides[index];
    struct gen_pile pile = {.count = 0};
    uint32_t counter = gen_own(g, LOCAL_COUNTER + g->loop_count);
    gen_i32(g, 1 + (int32_t)gen_choose(g, 3)), gen_op_u(g, OP_local_set, counter);
    for (const char *letter = carried; *letter; letter++) gen_pressing(g, *letter);
    gen_op(g, OP_loop), emit_s(g->e, gen_wide_type(g, index, true)), gen_push_label(g, carried);
    g->loop_count++;
    gen_charge(g, false);
    gen_mix_all(g, carried);
    gen_left_behind(g, &pile);
    if (!gen_choose(g, 3)) gen_press_some(g, &pile, 4, depth);
    gen_carry(g, &pile, carried);
    gen_op_u(g, OP_local_get, counter), gen_i32(g, 1), gen_op(g, OP_i32_sub), gen_op_u(g, OP_local_tee, counter), gen_op_u(g, OP_br_if, 0);
    gen_mix_pile(g, &pile);
    for (const char *letter = carried; *letter; letter++) gen_pressing(g, *letter);
    g->loop_count--;
    gen_end(g);
    gen_mix_all(g, carried);
}

/* An if without else: what it takes is what it gives, one value or many. */
static inline void gen_one_armed(struct gen *g, unsigned index, unsigned depth) {
    unsigned number = gen_choose(g, GEN_NUMBER_COUNT * 2);
    bool is_one = number < GEN_NUMBER_COUNT;
    const char one[] = {gen_letters[is_one ? number : 0], 0}, *carried = is_one ? one : g->wides[index];
    struct gen_pile under = {.count = 0}, pile = {.count = 0};
    gen_left_behind(g, &under);
    gen_carry(g, &pile, carried);
    gen_pressing(g, 'i');
    gen_op(g, OP_if), emit_s(g->e, is_one ? (int)(TYPE_KEEP + number) : gen_wide_type(g, index, true)), gen_push_label(g, carried);
    gen_press_some(g, &pile, 4, depth);
    gen_mix_pile(g, &pile);
    gen_carry(g, &pile, carried);
    if (gen_choose(g, 2)) gen_pressing(g, 'i'), gen_op_u(g, OP_br_if, 0);
    gen_end(g);
    gen_mix_all(g, carried);
    gen_mix_pile(g, &under);
}

static inline void gen_wide(struct gen *g, unsigned depth) {
    unsigned index = gen_choose(g, GEN_WIDE_MAX);
    if (!gen_choose(g, 6)) gen_one_armed(g, index, depth);
    else if (!gen_choose(g, 4) && g->loop_count < GEN_COUNTERS) gen_wide_loop(g, index, depth);
    else gen_wide_block(g, index, depth);
}
