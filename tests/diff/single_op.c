/* single_op.c - every computing row of ops.def by itself: operands of edge values in every kind of location, the result used in every way, called
 * through the public API and compared with the row's sem_ function: values, traps, memories.
 * Usage: single_op WAY THIN MIN [KEYWORD]. WAY is a row of setup.h; THIN 1 takes every value, n about every n-th; KEYWORD runs one instruction, -KEYWORD
 * all but this. Fails where an operand of an instruction was compared fewer than MIN times in some location.
 * For each row one module is made. A function of it has the operands as parameters and brings each one to its location, and there is one
 * function for each combination of locations, way to use the result, constants and immediates. */
#include "diff/edges.h"
#include "diff/location.h"
#include "diff/reference.h"
#include "diff/setup.h"

enum {
    OPERAND_MAX = 4,
    PAGE = 65536,
    DECOY_INT = 8,    /* locals hotter than the cold ones: more than there are registers to pin */
    DECOY_FLOAT = 12,
    COMPLAINTS_MAX = 20
};

/* What becomes of the result. The later ones are for i32 alone. */
enum use { RETURNED, SET, BRANCHED, TESTED, TESTED_NOT, SELECTED, EXTENDED, USE_COUNT };
static const char *const use_names[] = {
    "returned", "set to a local", "branched on", "tested by if", "tested by eqz and if", "selected by", "extended to 64 bits",
};

/* The memories, all of one page. */
static const struct memory {
    const char *name;
    bool is_64;
    uint8_t limits; /* the flags byte of its type */
} memories[] = {{"memory 0", false, 1}, {"a 64-bit memory", true, 5}, {"another memory", false, 1}, {"a shared memory", false, 3}};
enum { MEMORY_COUNT = sizeof memories / sizeof *memories };

static const uint64_t addresses[] = {
    0, 1, 2, 7, 8, 64, PAGE - 16, PAGE - 9, PAGE - 8, PAGE - 4, PAGE - 2, PAGE - 1, PAGE, 0x7FFFFFF0, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF,
    UINT64_C(0x100000000), INT64_MAX, UINT64_MAX - 7, UINT64_MAX, /* these for 64-bit memories */
};
enum { ADDRESSES_64 = sizeof addresses / 8, ADDRESSES_32 = ADDRESSES_64 - 4 };
static const uint64_t offsets[] = {0, 8, PAGE - 8, 0xFFFFFFF8, UINT64_C(0x100000008), UINT64_MAX - 15};
enum { OFFSETS_64 = sizeof offsets / 8, OFFSETS_32 = OFFSETS_64 - 2 };

static const uint8_t shuffles[][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},      {16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
    {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23},    {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31},
    {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},      {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
    {4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11},      {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18},
    {0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31},  {31, 0, 30, 1, 29, 2, 28, 3, 27, 4, 26, 5, 25, 6, 24, 7},
    {4, 5, 6, 7, 0, 1, 2, 3, 20, 21, 22, 23, 28, 29, 30, 31},     {24, 25, 26, 27, 16, 17, 18, 19, 0, 1, 2, 3, 12, 13, 14, 15},
    {28, 29, 30, 31, 16, 17, 18, 19, 16, 17, 18, 19, 20, 21, 22, 23}, {0, 1, 2, 3, 20, 21, 22, 23, 24, 25, 26, 27, 4, 5, 6, 7},
    {0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29},  {12, 13, 14, 15, 12, 13, 14, 15, 0, 1, 2, 3, 31, 31, 31, 31},
};
enum { SHUFFLE_COUNT = sizeof shuffles / sizeof *shuffles };

/* One function of the module under test. */
struct recipe {
    uint8_t location[OPERAND_MAX];
    uint16_t value[OPERAND_MAX]; /* of a CONST: which edge value */
    uint8_t use, memory;
    uint64_t offset;
    uint8_t lanes[16];
};

/* The row under test and its functions. */
struct subject {
    enum mote__op op;
    const struct mote__op_info *info;
    char operands[OPERAND_MAX + 1]; /* letters, the address first; A: an address */
    unsigned operand_count, result_count;
    const char *results;
    char nan_lanes;
    struct recipe *recipes;
    size_t recipe_count, recipe_room;
};

static const struct way *way;
static mote_config config;
static mote_engine *engine;
static unsigned thin = 1;
static uint64_t least_wanted = 1, least = UINT64_MAX;
static uint64_t call_count, trap_count, function_count;
static unsigned complaints;
static uint64_t compared[OP_COUNT][OPERAND_MAX][LOCATION_COUNT];

/* ---------------------------------------------------------------- operands and their values */

static char operand_letter(const struct subject *s, const struct recipe *r, unsigned k) {
    if (s->operands[k] != 'A') return s->operands[k];
    return memories[r->memory].is_64 ? 'I' : 'i';
}

static size_t value_count(const struct subject *s, const struct recipe *r, unsigned k) {
    if (s->operands[k] == 'A') return memories[r->memory].is_64 ? ADDRESSES_64 : ADDRESSES_32;
    return edges_of(s->operands[k]).count;
}

static const uint64_t *value_of(const struct subject *s, unsigned k, size_t index) {
    return s->operands[k] == 'A' ? &addresses[index] : edge(s->operands[k], index);
}

/* ---------------------------------------------------------------- which functions there are */

static void add_recipe(struct subject *s, const struct recipe *recipe) {
    if (s->recipe_count == s->recipe_room) {
        s->recipe_room = s->recipe_room * 2 + 64;
        s->recipes = realloc(s->recipes, s->recipe_room * sizeof *s->recipes);
        MUST(s->recipes);
    }
    s->recipes[s->recipe_count++] = *recipe;
}

static unsigned use_count(const struct subject *s) { return !s->result_count ? 1 : !strcmp(s->results, "i") ? USE_COUNT : BRANCHED; }

/* Every value of the constants where there are one or two operands and no memory; else the constants change together. */
static void add_constants(struct subject *s, struct recipe recipe, unsigned k) {
    bool whole = s->operand_count <= 2 && !s->info->mem_bytes;
    while (k < s->operand_count && recipe.location[k] != CONST) k++;
    if (k == s->operand_count) {
        recipe.use = (uint8_t)(s->recipe_count % use_count(s));
        add_recipe(s, &recipe);
        return;
    }
    for (size_t i = s->recipe_count % thin; i < value_count(s, &recipe, k); i += thin) {
        recipe.value[k] = (uint16_t)i;
        for (unsigned next = k + 1; next < s->operand_count && !whole; next++)
            recipe.value[next] = (uint16_t)((i * 5 + next * 7) % value_count(s, &recipe, next));
        add_constants(s, recipe, whole ? k + 1 : s->operand_count);
    }
}

static void add_uses(struct subject *s, struct recipe recipe) {
    if (memchr(recipe.location, CONST, s->operand_count)) {
        add_constants(s, recipe, 0);
        return;
    }
    for (recipe.use = 0; recipe.use < use_count(s); recipe.use++) add_recipe(s, &recipe);
}

/* All pairs of locations; from the third operand on a location follows from the two before. */
static void add_locations(struct subject *s, struct recipe recipe) {
    unsigned pairs = s->operand_count == 1 ? LOCATION_COUNT : LOCATION_COUNT * LOCATION_COUNT;
    for (unsigned pair = 0; pair < pairs; pair++) {
        recipe.location[0] = (uint8_t)(pair % LOCATION_COUNT);
        recipe.location[1] = (uint8_t)(pair / LOCATION_COUNT);
        for (unsigned k = 2; k < OPERAND_MAX; k++) recipe.location[k] = (uint8_t)((recipe.location[k - 1] + recipe.location[k - 2] * 2 + k) % LOCATION_COUNT);
        add_uses(s, recipe);
    }
}

static unsigned lane_count(const struct mote__op_info *info) {
    if (info->mem_bytes) return 16u / info->mem_bytes;
    return (unsigned)strtoul(strchr(mote__op_text(info), 'x') + 1, NULL, 10);
}

static void add_lanes(struct subject *s, struct recipe recipe) {
    bool has_lane = s->info->imm == IMM_LANE || s->info->imm == IMM_MEMARG_LANE;
    unsigned count = has_lane ? lane_count(s->info) : s->info->imm == IMM_LANES ? SHUFFLE_COUNT : 1;
    for (unsigned i = 0; i < count; i++) {
        if (has_lane) recipe.lanes[0] = (uint8_t)i;
        else memcpy(recipe.lanes, shuffles[i], sizeof recipe.lanes);
        add_locations(s, recipe);
    }
}

/* Memory 0 and the 64-bit one see every offset, the others one small and one large. */
static void add_memories(struct subject *s) {
    struct recipe recipe = {.memory = 0};
    if (!s->info->mem_bytes) {
        add_lanes(s, recipe);
        return;
    }
    for (recipe.memory = 0; recipe.memory < MEMORY_COUNT; recipe.memory++) {
        unsigned count = memories[recipe.memory].is_64 ? OFFSETS_64 : OFFSETS_32;
        for (unsigned i = recipe.memory < 2 ? 0 : 1; i < count; i += recipe.memory < 2 ? 1 : 2) {
            recipe.offset = offsets[i];
            if (s->info->imm == IMM_MEMARG_LANE) recipe.lanes[0] = (uint8_t)(i * 3 % lane_count(s->info));
            if (s->info->imm == IMM_MEMARG_LANE) add_locations(s, recipe);
            else add_lanes(s, recipe);
        }
    }
}

/* ---------------------------------------------------------------- a function's body */

/* Locals after the parameters: one that is always 0, decoys, places for results. */
enum { LOCAL_ZERO, LOCAL_INTS, LOCAL_FLOATS = LOCAL_INTS + DECOY_INT, LOCAL_RESULTS = LOCAL_FLOATS + DECOY_FLOAT };

static void emit_locals(struct emit *e, const struct subject *s) {
    emit_u(e, 3 + s->result_count);
    emit_u(e, 1), emit_type(e, 'i');
    emit_u(e, DECOY_INT), emit_type(e, 'I');
    emit_u(e, DECOY_FLOAT), emit_type(e, 'F');
    for (unsigned i = 0; i < s->result_count; i++) emit_u(e, 1), emit_type(e, s->results[i]);
}

/* Uses of `count` locals from `first` on: each is copied to the next. */
static void emit_chain(struct emit *e, uint32_t first, uint32_t count) {
    emit_op_u(e, OP_local_get, first);
    for (uint32_t i = 1; i < count; i++) emit_op_u(e, OP_local_tee, first + i);
    emit_op_u(e, OP_local_set, first);
}

static void emit_heat(struct emit *e, uint32_t local) {
    for (unsigned i = 0; i < 6; i++) emit_op_u(e, OP_local_get, local), emit_op_u(e, OP_local_set, local);
}

/* The local that the result is set to: a hot operand of its type where there is one. */
static uint32_t result_local(const struct subject *s, const struct recipe *r, unsigned i) {
    for (unsigned k = 0; k < s->operand_count && s->result_count == 1; k++)
        if (r->location[k] == HOT && operand_letter(s, r, k) == s->results[i]) return k;
    return s->operand_count + LOCAL_RESULTS + i;
}

/* Two loops around that use the hot locals most, the decoys less, the cold ones not at all. Neither goes round. */
static void emit_loops(struct emit *e, const struct subject *s, const struct recipe *r) {
    static const uint8_t begin[] = {0x03, 0x40, 0x03, 0x40};
    bool has_cold = memchr(r->location, COLD, s->operand_count), has_hot = memchr(r->location, HOT, s->operand_count);
    if (!has_cold && !has_hot && r->use != SET) return;
    emit_bytes(e, begin, sizeof begin);
    for (unsigned i = 0; i < 3 && has_cold; i++) {
        emit_chain(e, s->operand_count + LOCAL_INTS, DECOY_INT);
        emit_chain(e, s->operand_count + LOCAL_FLOATS, DECOY_FLOAT);
    }
    for (unsigned k = 0; k < s->operand_count; k++)
        if (r->location[k] == HOT) emit_heat(e, k);
    for (unsigned i = 0; i < s->result_count && r->use == SET; i++) emit_heat(e, result_local(s, r, i));
    for (unsigned i = 0; i < 2; i++) {
        emit_op_u(e, OP_local_get, s->operand_count + LOCAL_ZERO);
        emit_op_u(e, OP_br_if, 0);
        emit_op(e, OP_end);
    }
}

static void emit_operand(struct emit *e, const struct subject *s, const struct recipe *r, unsigned k) {
    static const enum mote__op keep[] = {OP_i32_or, OP_i64_or, OP_f32_copysign, OP_f64_copysign, OP_v128_or}; /* x of x and x */
    char letter = operand_letter(s, r, k);
    if (r->location[k] == CONST) {
        emit_const(e, letter, value_of(s, k, r->value[k]));
        return;
    }
    if (r->location[k] == JOINED) emit_op(e, OP_block), emit_type(e, letter);
    emit_op_u(e, OP_local_get, k);
    if (r->location[k] == COMPUTED || r->location[k] == HELD) emit_op_u(e, OP_local_get, k), emit_op(e, keep[emit_letter_index(letter)]);
    if (r->location[k] == HELD) emit_op_u(e, OP_call, 0);
    if (r->location[k] == JOINED) {
        emit_op_u(e, OP_local_get, s->operand_count + LOCAL_ZERO);
        emit_op_u(e, OP_br_if, 0);
        emit_op(e, OP_end);
    }
}

static void emit_memarg(struct emit *e, const struct subject *s, const struct recipe *r) {
    unsigned align = 0;
    while (s->info->kind >= KIND_ATOMIC_LOAD && (1u << align) < s->info->mem_bytes) align++;
    emit_u(e, align | (r->memory ? 0x40 : 0));
    if (r->memory) emit_u(e, r->memory);
    emit_u(e, r->offset);
}

static void emit_instruction(struct emit *e, const struct subject *s, const struct recipe *r) {
    emit_op(e, s->op);
    if (s->info->mem_bytes) emit_memarg(e, s, r);
    if (s->info->imm == IMM_LANE || s->info->imm == IMM_MEMARG_LANE) emit_byte(e, r->lanes[0]);
    if (s->info->imm == IMM_LANES) emit_bytes(e, r->lanes, 16);
}

static void emit_i32(struct emit *e, int32_t value) { emit_op(e, OP_i32_const), emit_s(e, value); }

/* What stands before the operands, and after the instruction. */
static void emit_use_begin(struct emit *e, const struct recipe *r) {
    if (r->use == BRANCHED) emit_op(e, OP_block), emit_byte(e, 0x40);
    if (r->use == SELECTED) emit_i32(e, 1), emit_i32(e, 0);
}

static void emit_if(struct emit *e, int32_t then, int32_t otherwise) {
    emit_op(e, OP_if), emit_type(e, 'i');
    emit_i32(e, then), emit_op(e, OP_else);
    emit_i32(e, otherwise), emit_op(e, OP_end);
}

static void emit_set(struct emit *e, const struct subject *s, const struct recipe *r) {
    for (unsigned i = s->result_count; i-- > 0;) emit_op_u(e, OP_local_set, result_local(s, r, i));
    for (unsigned i = 0; i < s->result_count; i++) emit_op_u(e, OP_local_get, result_local(s, r, i));
}

/* The result, with bits added where its upper half is not 0. */
static void emit_extended(struct emit *e, const struct subject *s) {
    uint32_t local = s->operand_count + LOCAL_RESULTS;
    emit_op_u(e, OP_local_tee, local), emit_op_u(e, OP_local_get, local);
    emit_op(e, OP_i64_extend_i32_u), emit_op(e, OP_i64_const), emit_s(e, 32), emit_op(e, OP_i64_shr_u);
    emit_op(e, OP_i32_wrap_i64), emit_op(e, OP_i32_or);
}

static void emit_use_end(struct emit *e, const struct subject *s, const struct recipe *r) {
    switch (r->use) {
    case SET: emit_set(e, s, r); return;
    case BRANCHED: emit_op_u(e, OP_br_if, 0), emit_i32(e, 0), emit_op(e, OP_return), emit_op(e, OP_end), emit_i32(e, 1); return;
    case TESTED: emit_if(e, 1, 0); return;
    case TESTED_NOT: emit_op(e, OP_i32_eqz), emit_if(e, 0, 1); return;
    case SELECTED: emit_op(e, OP_select); return;
    case EXTENDED: emit_extended(e, s); return;
    default: return;
    }
}

static void emit_body(struct emit *e, const struct subject *s, const struct recipe *r) {
    size_t body = emit_open(e);
    emit_locals(e, s);
    emit_loops(e, s, r);
    emit_use_begin(e, r);
    for (unsigned k = 0; k < s->operand_count; k++) emit_operand(e, s, r, k);
    emit_instruction(e, s, r);
    emit_use_end(e, s, r);
    emit_op(e, OP_end);
    emit_close(e, body);
}

/* ---------------------------------------------------------------- the module */

/* Type 0 is that of function 0, which does nothing; 1 and 2 are the subject's with 32-bit and 64-bit addresses. */
static void emit_subject_types(struct emit *e, const struct subject *s) {
    size_t section = emit_section(e, SECTION_TYPE);
    emit_u(e, 3);
    emit_functype(e, "", 0, "");
    for (unsigned is_64 = 0; is_64 < 2; is_64++) {
        struct recipe recipe = {.memory = (uint8_t)is_64};
        char letters[OPERAND_MAX];
        for (unsigned k = 0; k < s->operand_count; k++) letters[k] = operand_letter(s, &recipe, k);
        emit_functype(e, letters, s->operand_count, s->results);
    }
    emit_close(e, section);
}

static void emit_memories(struct emit *e) {
    size_t section = emit_section(e, SECTION_MEMORY);
    emit_u(e, MEMORY_COUNT);
    for (unsigned i = 0; i < MEMORY_COUNT; i++) emit_byte(e, memories[i].limits), emit_u(e, 1), emit_u(e, 1);
    emit_close(e, section);
}

/* Functions are exported by their number, memories as m0, m1 ... */
static void emit_exports(struct emit *e, const struct subject *s) {
    size_t section = emit_section(e, SECTION_EXPORT);
    unsigned memory_count = s->info->mem_bytes ? MEMORY_COUNT : 0;
    char name[24];
    emit_u(e, s->recipe_count + memory_count);
    for (size_t i = 0; i < s->recipe_count; i++) {
        snprintf(name, sizeof name, "%zu", i);
        emit_name(e, name), emit_byte(e, 0), emit_u(e, i + 1);
    }
    for (unsigned i = 0; i < memory_count; i++) {
        snprintf(name, sizeof name, "m%u", i);
        emit_name(e, name), emit_byte(e, 2), emit_u(e, i);
    }
    emit_close(e, section);
}

static void emit_module(struct emit *e, const struct subject *s) {
    static const uint8_t nothing[] = {2, 0, 0x0B};
    emit_begin(e);
    emit_subject_types(e, s);
    size_t section = emit_section(e, SECTION_FUNC);
    emit_u(e, s->recipe_count + 1), emit_u(e, 0);
    for (size_t i = 0; i < s->recipe_count; i++) emit_u(e, memories[s->recipes[i].memory].is_64 ? 2 : 1);
    emit_close(e, section);
    if (s->info->mem_bytes) emit_memories(e);
    emit_exports(e, s);
    section = emit_section(e, SECTION_CODE);
    emit_u(e, s->recipe_count + 1);
    emit_bytes(e, nothing, sizeof nothing);
    for (size_t i = 0; i < s->recipe_count; i++) emit_body(e, s, &s->recipes[i]);
    emit_close(e, section);
}

/* ---------------------------------------------------------------- running */

struct run {
    const struct subject *s;
    const struct recipe *r;
    mote_store *store;
    mote_func func;
    uint8_t *memory[MEMORY_COUNT], *shadow[MEMORY_COUNT]; /* what is there, and what should be */
    const uint64_t *values[OPERAND_MAX];
    struct reference_job job;
    uint32_t trap2;    /* another trap that is right too, or 0 */
    uint64_t at;       /* where memory is accessed */
    bool in_bounds;
};

static void complain(const struct run *run, const char *what, uint32_t trap, const uint64_t *got) {
    const struct subject *s = run->s;
    if (++complaints > COMPLAINTS_MAX) return;
    printf("%s (%s): %s; result %s", mote__op_text(s->info), way->name, what, use_names[run->r->use]);
    if (s->info->mem_bytes) printf("; %s, offset 0x%" PRIx64, memories[run->r->memory].name, run->r->offset);
    if (s->info->imm == IMM_LANE || s->info->imm == IMM_MEMARG_LANE) printf("; lane %u", run->r->lanes[0]);
    printf("\n");
    for (unsigned k = 0; k < s->operand_count; k++) {
        bool vector = s->operands[k] == 'v';
        printf("  operand %u: 0x%" PRIx64 " 0x%" PRIx64 ", %s\n", k, run->values[k][0], vector ? run->values[k][1] : 0, location_names[run->r->location[k]]);
    }
    printf("  expected 0x%" PRIx64 " 0x%" PRIx64 ", trap %u; got 0x%" PRIx64 " 0x%" PRIx64 ", trap %u\n", run->job.out[0].slots[0],
           s->result_count == 2 ? run->job.out[1].slots[0] : run->job.out[0].slots[1], run->job.trap, got[0], got[1], trap);
}

/* The bytes that the access will see: edge values, and for cmpxchg every other time what it expects. */
static void prepare_memory(struct run *run, uint64_t number) {
    const struct subject *s = run->s;
    char letter = s->info->kind == KIND_LOAD ? s->results[0] : 'v';
    size_t size = s->info->mem_bytes;
    memcpy(run->job.memory, edge('v', number), 16);
    memcpy(run->job.memory, edge(letter, number * 7), letter == 'v' ? 16 : letter == 'i' || letter == 'f' ? 4 : 8);
    if (s->info->kind == KIND_ATOMIC_CMPXCHG && number % 2) memcpy(run->job.memory, run->values[1], size);
    memcpy(run->memory[run->r->memory] + run->at, run->job.memory, size);
}

/* Where the access goes, and whether it traps. */
static void prepare_access(struct run *run, uint64_t number) {
    const struct subject *s = run->s;
    uint64_t address = run->values[0][0], size = s->info->mem_bytes;
    run->at = address + run->r->offset;
    run->in_bounds = run->at >= address && run->at <= PAGE - size;
    bool unaligned = s->info->kind >= KIND_ATOMIC_LOAD && run->at % size != 0;
    if (!run->in_bounds) run->job.trap = MOTE_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (unaligned) *(run->in_bounds ? &run->job.trap : &run->trap2) = MOTE_TRAP_UNALIGNED_ATOMIC;
    if (run->in_bounds) prepare_memory(run, number);
}

/* Fills in the job's results by the sem_ function, as the engine's options and the use of the result make them. */
static void compute_expected(struct run *run, uint64_t number) {
    const struct subject *s = run->s;
    bool memory = s->info->mem_bytes;
    run->job.trap = run->trap2 = 0;
    memset(run->job.out, 0, sizeof run->job.out);
    run->job.lanes = run->r->lanes;
    for (unsigned k = memory; k < s->operand_count; k++)
        memcpy(run->job.in[k - memory].slots, run->values[k], s->operands[k] == 'v' ? 16 : 8);
    if (memory) prepare_access(run, number);
    if (!run->job.trap) reference_of[s->op](&run->job);
    if (memory && run->in_bounds) memcpy(run->shadow[run->r->memory] + run->at, run->job.memory, s->info->mem_bytes);
    if (run->r->use >= BRANCHED && run->r->use != EXTENDED) run->job.out[0].i = run->job.out[0].i != 0;
    if (s->nan_lanes) reference_canonicalise(run->job.out[0].slots, s->results[0] == 'v' ? 2 : 1, s->nan_lanes);
}

static bool is_quiet(uint64_t bits, char lanes) {
    uint64_t infinity = lanes == 'f' ? 0x7F800000 : UINT64_C(0x7FF0000000000000), quiet = lanes == 'f' ? 0x400000 : UINT64_C(1) << 51;
    uint64_t magnitude = bits & (lanes == 'f' ? INT32_MAX : INT64_MAX);
    return magnitude <= infinity || (bits & quiet);
}

/* A NaN that an arithmetic instruction gives is quiet, and canonical where the engine makes it so; which one it is else is not compared. */
static bool settle_nans(const struct run *run, uint64_t *got) {
    const struct subject *s = run->s;
    size_t count = s->results[0] == 'v' ? 2 : 1;
    bool quiet = true;
    if (!s->nan_lanes || config.canonical_nans) return true;
    for (size_t i = 0; i < count; i++) {
        quiet = quiet && is_quiet(s->nan_lanes == 'f' ? (uint32_t)got[i] : got[i], s->nan_lanes);
        if (s->nan_lanes == 'f' && count == 2) quiet = quiet && is_quiet(got[i] >> 32, 'f');
    }
    reference_canonicalise(got, count, s->nan_lanes);
    return quiet;
}

static bool same_results(const struct run *run, const uint64_t *got) {
    char letter = run->s->results[0];
    if (!run->s->result_count) return true;
    if (run->s->result_count == 2) return got[0] == run->job.out[0].I && got[1] == run->job.out[1].I;
    return !memcmp(got, run->job.out, letter == 'v' ? 16 : letter == 'i' || letter == 'f' ? 4 : 8);
}

static void call(struct run *run, uint64_t number) {
    const struct subject *s = run->s;
    uint64_t slots[2 * OPERAND_MAX + 2] = {0}, *slot = slots;
    mote_error error = {0};
    compute_expected(run, number);
    for (unsigned k = 0; k < s->operand_count; k++) {
        size_t count = s->operands[k] == 'v' ? 2 : 1;
        memcpy(slot, run->values[k], count * 8);
        if (run->r->location[k] == CONST) memset(slot, 0x5A, count * 8);
        if (operand_letter(s, run->r, k) == 'i') *slot &= UINT32_MAX;
        slot += count;
    }
    if (config.fuel) mote_store_set_fuel(run->store, 100000);
    mote_status status = mote_call_raw(run->store, run->func, slots, &error);
    uint32_t trap = status == MOTE_OK ? 0 : status == MOTE_E_TRAP ? error.trap : UINT32_MAX;
    bool right_trap = trap == run->job.trap || (trap && trap == run->trap2);
    if (!right_trap) complain(run, "another trap", trap, slots);
    else if (!trap && !settle_nans(run, slots)) complain(run, "a signalling NaN", trap, slots);
    else if (!trap && !same_results(run, slots)) complain(run, "another result", trap, slots);
    for (unsigned k = 0; k < s->operand_count; k++) compared[s->op][k][run->r->location[k]]++;
    call_count++;
    trap_count += trap != 0;
}

/* The next operands: all combinations where there are at most two; with more they change together. */
static uint64_t tuple_count(const struct run *run) {
    uint64_t count = 1, most = 1;
    for (unsigned k = 0; k < run->s->operand_count; k++) {
        uint64_t values = run->r->location[k] == CONST ? 1 : value_count(run->s, run->r, k);
        count *= values;
        most = values > most ? values : most;
    }
    return run->s->operand_count <= 2 ? count : most * 16;
}

static void choose_tuple(struct run *run, uint64_t number) {
    uint64_t rest = number;
    for (unsigned k = 0; k < run->s->operand_count; k++) {
        uint64_t count = run->r->location[k] == CONST ? 1 : value_count(run->s, run->r, k), index = rest % count;
        if (run->s->operand_count > 2) index = (number * (2 * k + 1) + number / count * k) % count;
        else rest /= count;
        run->values[k] = value_of(run->s, k, run->r->location[k] == CONST ? run->r->value[k] : index);
    }
}

static void check_memories(struct run *run) {
    static const uint64_t none[2];
    for (unsigned i = 0; i < MEMORY_COUNT && run->s->info->mem_bytes; i++)
        if (memcmp(run->memory[i], run->shadow[i], PAGE)) complain(run, "another memory after it", 0, none);
}

/* Accesses to memory take every fifth combination, and fewer still where the offset alone is out of bounds: their traps are all alike. */
static void run_recipe(struct run *run, size_t index, mote_instance instance) {
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    run->r = &run->s->recipes[index];
    MUST(mote_instance_func(instance, name, &run->func, NULL) == MOTE_OK);
    uint64_t count = tuple_count(run), step = (uint64_t)thin * (run->s->info->mem_bytes > 0 && thin == 1 ? 5 : 1) * (run->r->offset > PAGE ? 11 : 1);
    if (step > count) step = count;
    for (uint64_t number = index % step; number < count; number += step) {
        choose_tuple(run, number);
        call(run, number);
    }
    if (index % 16 == 0 || index + 1 == run->s->recipe_count) check_memories(run);
}

static void find_memories(struct run *run, mote_instance instance) {
    static uint8_t shadows[MEMORY_COUNT][PAGE];
    for (unsigned i = 0; i < MEMORY_COUNT; i++) {
        const char name[] = {'m', (char)('0' + i)};
        mote_extern external;
        MUST(mote_instance_find(instance, name, 2, &external));
        run->memory[i] = mote_memory_data(external.of.memory);
        run->shadow[i] = shadows[i];
        memset(shadows[i], 0, PAGE);
    }
}

static void run_module(const struct subject *s, const struct emit *e) {
    struct run run = {.s = s};
    mote_error error = {0};
    mote_module *module;
    mote_instance instance;
    mote_status status = mote_module_new(engine, e->data, e->size, 0, &module, &error);
    if (status != MOTE_OK) fprintf(stderr, "%s: %s\n", mote__op_text(s->info), error.message);
    MUST(status == MOTE_OK);
    MUST(mote_store_new(engine, NULL, &run.store, NULL) == MOTE_OK);
    MUST(mote_instance_new(run.store, module, NULL, 0, &instance, NULL) == MOTE_OK);
    if (s->info->mem_bytes) find_memories(&run, instance);
    for (size_t i = 0; i < s->recipe_count; i++) run_recipe(&run, i, instance);
    function_count += s->recipe_count;
    mote_store_delete(run.store);
    mote_module_delete(module);
}

/* True when every operand was compared often enough in every location. */
static bool was_covered(const struct subject *s) {
    bool covered = true;
    for (unsigned k = 0; k < s->operand_count; k++)
        for (unsigned l = 0; l < LOCATION_COUNT; l++) {
            uint64_t count = compared[s->op][k][l];
            if (count < least) least = count;
            if (count >= least_wanted) continue;
            printf("%s: operand %u was %s only %" PRIu64 " times\n", mote__op_text(s->info), k, location_names[l], count);
            covered = false;
        }
    return covered;
}

/* KEYWORD, or -KEYWORD; NULL: all. */
static bool is_wanted(const struct mote__op_info *info, const char *keyword) {
    if (info->kind == KIND_CONTROL) return false;
    if (!keyword) return true;
    return *keyword == '-' ? strcmp(keyword + 1, mote__op_text(info)) != 0 : !strcmp(keyword, mote__op_text(info));
}

static bool run_row(enum mote__op op, struct emit *e) {
    struct subject s = {.op = op, .info = &mote__op_info[op], .nan_lanes = reference_nan_lanes(op)};
    const char *end = strchr(s.info->sig, '_');
    unsigned before = complaints;
    snprintf(s.operands, sizeof s.operands, "%s%.*s", s.info->mem_bytes ? "A" : "", (int)(end - s.info->sig), s.info->sig);
    s.operand_count = (unsigned)strlen(s.operands);
    s.results = end + 1;
    s.result_count = (unsigned)strlen(s.results);
    add_memories(&s);
    emit_module(e, &s);
    run_module(&s, e);
    free(s.recipes);
    return was_covered(&s) && complaints == before;
}

int main(int argc, char **argv) {
    struct emit e = {0};
    unsigned passed = 0, failed = 0;
    if (argc < 4) return fprintf(stderr, "usage: single_op WAY THIN MIN [KEYWORD]\n"), 2;
    way = way_find(argv[1]);
    thin = (unsigned)strtoul(argv[2], NULL, 10);
    least_wanted = strtoull(argv[3], NULL, 10);
    MUST(thin);
    engine = way_engine(way, &config);
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (!is_wanted(&mote__op_info[op], argc > 4 ? argv[4] : NULL)) continue;
        if (run_row((enum mote__op)op, &e)) passed++;
        else failed++;
    }
    free(e.data);
    mote_engine_delete(engine);
    printf("%u instructions in %" PRIu64 " functions, %" PRIu64 " calls compared, %" PRIu64 " of them traps, %u differences\n", passed + failed,
           function_count, call_count, trap_count, complaints);
    printf("each operand of each in each kind of location at least %" PRIu64 " times (asked for: %" PRIu64 ")\n", least, least_wanted);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
