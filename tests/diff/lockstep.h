/* lockstep.h - runs a generated module (generate.h) in two ways (setup.h), and a third time in the first way with a call before every plain
 * instruction, which also counts what is executed; after each call results, traps, globals, memories and tables are compared. Where both ways count
 * fuel, what is left of it is compared too, every other call has little, with or without more to be had, and there is no third time, since its calls cost.
 * Any of the runs may have its module with the integers in bodies longer than they need to be (mutate.h): they mean the same.
 * set_up comes first, then compare_module for each module. */
#ifndef MOTE_TESTS_DIFF_LOCKSTEP_H
#define MOTE_TESTS_DIFF_LOCKSTEP_H

#include "diff/generate.h"
#include "diff/mutate.h"
#include "diff/setup.h"

enum { RUN_COUNT = 3 };

/* One way to run, and its instance of the module under way. */
struct run {
    const struct way *way;
    mote_config config;
    mote_engine *engine;
    mote_module *module;
    mote_store *store;
    mote_instance instance;
    unsigned grants; /* how often the store's source of fuel still gives something */
};

/* What a call gave. */
struct outcome {
    mote_status status;
    uint32_t trap;
    uint64_t fuel;
    mote_value results[GEN_RESULT_MAX];
};

#define FUEL (UINT64_C(1) << 40) /* more than any call needs; bulk operations out of bounds are charged for their length first */
enum { LITTLE_FUEL_MAX = 700, GRANTS_MAX = 40 };

static struct gen gen;
static struct run runs[RUN_COUNT];
static unsigned run_count = RUN_COUNT, calls_per_func = 4;
static unsigned padded_runs; /* a bit each; how, follows from pad_seed */
static uint64_t pad_seed;
static uint64_t compared[OP_COUNT][GEN_OPERAND_MAX][LOCATION_COUNT], emitted[OP_COUNT];
static uint32_t executed[GEN_SITE_MAX];
static uint64_t call_count, trap_counts[MOTE_TRAP_COUNT], exception_count, hash = UINT64_C(0xCBF29CE484222325);
static char difference[256];

static inline bool differ(const char *what, uint64_t a, uint64_t b) {
    snprintf(difference, sizeof difference, "%s (%" PRIu64 ", %" PRIu64 ")", what, a, b);
    return false;
}

static inline void mix(uint64_t word) { hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15), hash ^= hash >> 29; }

/* ---------------------------------------------------------------- one instance each */

static inline mote_status host_site(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)results;
    executed[args[0].of.i32]++;
    return MOTE_OK;
}

static inline mote_status host_nothing(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return MOTE_OK;
}

static inline uint64_t grant(void *context, uint64_t wanted) {
    unsigned *grants = context;
    return *grants ? --*grants, wanted : 0;
}

static inline void make_import(struct run *run, size_t index, mote_host_fn fn, mote_extern *out) {
    out->kind = MOTE_EXTERN_FUNC;
    MUST(mote_func_new(run->store, mote_module_import(run->module, index).type.of.func, fn, NULL, NULL, &out->of.func, NULL) == MOTE_OK);
}

static inline void begin(struct run *run, const struct emit *e) {
    mote_error error = {0};
    mote_extern imports[2];
    mote_status status = mote_module_new(run->engine, e->data, e->size, 0, &run->module, &error);
    if (status != MOTE_OK) fprintf(stderr, "a generated module is refused: %s (byte %" PRIu64 ")\n", error.message, error.offset);
    MUST(status == MOTE_OK);
    MUST(mote_store_new(run->engine, NULL, &run->store, NULL) == MOTE_OK);
    if (run->config.fuel) mote_store_set_fuel(run->store, FUEL), mote_store_set_fuel_source(run->store, grant, &run->grants);
    make_import(run, 0, host_site, &imports[0]);
    make_import(run, 1, host_nothing, &imports[1]);
    MUST(mote_instance_new(run->store, run->module, imports, 2, &run->instance, &error) == MOTE_OK);
}

static inline void end(struct run *run) {
    mote_store_delete(run->store);
    mote_module_delete(run->module);
}

static inline mote_extern find(const struct run *run, char kind, unsigned number) {
    char name[16];
    mote_extern external;
    int size = snprintf(name, sizeof name, "%c%u", kind, number);
    MUST(mote_instance_find(run->instance, name, (size_t)size, &external));
    return external;
}

static inline void set_budget(const struct run *run) {
    mote_extern external;
    MUST(mote_instance_find(run->instance, "budget", 6, &external));
    MUST(mote_global_set(external.of.global, &MOTE_VALUE_I32(GEN_BUDGET), NULL) == MOTE_OK);
}

/* ---------------------------------------------------------------- comparing */

/* A reference is compared by what it refers to: null, kind of object, an i31's value, an array's length. */
static uint64_t reference_bits(const struct run *run, const mote_value *value) {
    if (value->kind == MOTE_FUNCREF) return value->of.func.ptr != NULL;
    mote_heapkind heap = mote_ref_heap(run->store, value->of.ref);
    uint64_t bits = (uint64_t)heap << 32;
    if (heap == MOTE_HEAP_I31) bits |= (uint32_t)mote_i31_value(run->store, value->of.ref);
    if (heap == MOTE_HEAP_ARRAY) bits |= mote_array_count(run->store, value->of.ref);
    return bits;
}

static inline void value_bits(const struct run *run, const mote_value *value, uint64_t bits[2]) {
    static const uint8_t sizes[] = {[MOTE_I32] = 4, [MOTE_I64] = 8, [MOTE_F32] = 4, [MOTE_F64] = 8, [MOTE_V128] = 16};
    bits[0] = bits[1] = 0;
    if (value->kind <= MOTE_V128) memcpy(bits, &value->of, sizes[value->kind]);
    else bits[0] = reference_bits(run, value);
}

static inline bool same_value(const struct run *a, const mote_value *x, const struct run *b, const mote_value *y) {
    uint64_t left[2], right[2];
    value_bits(a, x, left), value_bits(b, y, right);
    mix(left[0]), mix(left[1]);
    return x->kind == y->kind && !memcmp(left, right, sizeof left);
}

static inline bool same_globals(const struct run *a, const struct run *b) {
    for (unsigned i = 0; i < GEN_LETTER_COUNT; i++) {
        mote_value x, y;
        MUST(mote_global_get(find(a, 'g', i).of.global, &x, NULL) == MOTE_OK);
        MUST(mote_global_get(find(b, 'g', i).of.global, &y, NULL) == MOTE_OK);
        if (!same_value(a, &x, b, &y)) return differ("globals", i, i);
    }
    return true;
}

static inline bool same_memories(const struct run *a, const struct run *b) {
    for (unsigned i = 0; i < GEN_MEMORY_COUNT; i++) {
        mote_memory x = find(a, 'm', i).of.memory, y = find(b, 'm', i).of.memory;
        if (mote_memory_bytes(x) != mote_memory_bytes(y)) return differ("sizes of memories", i, i);
        if (memcmp(mote_memory_data(x), mote_memory_data(y), mote_memory_bytes(x))) return differ("contents of memories", i, i);
    }
    return true;
}

static inline bool same_tables(const struct run *a, const struct run *b) {
    for (unsigned i = 0; i < 3; i++) {
        mote_table x = find(a, 't', i).of.table, y = find(b, 't', i).of.table;
        if (mote_table_size(x) != mote_table_size(y)) return differ("sizes of tables", i, i);
        for (uint64_t at = 0; at < mote_table_size(x); at++) {
            mote_value left, right;
            MUST(mote_table_get(x, at, &left, NULL) == MOTE_OK && mote_table_get(y, at, &right, NULL) == MOTE_OK);
            if (!same_value(a, &left, b, &right)) return differ("elements of tables", i, at);
        }
    }
    return true;
}

static inline bool same_outcome(const struct run *a, const struct outcome *x, const struct run *b, const struct outcome *y, size_t result_count) {
    if (x->status != y->status) return differ("status", x->status, y->status);
    if (x->trap != y->trap) return differ("trap", x->trap, y->trap);
    if (run_count < RUN_COUNT && x->fuel != y->fuel) return differ("fuel left", x->fuel, y->fuel);
    mix(x->status), mix(x->trap);
    for (unsigned i = 0; i < result_count && x->status == MOTE_OK; i++)
        if (!same_value(a, &x->results[i], b, &y->results[i])) return differ("results", i, i);
    return true;
}

/* ---------------------------------------------------------------- calling */

static inline void make_args(const struct gen_signature *func, unsigned number, mote_value *args) {
    static const uint8_t kinds[] = {MOTE_I32, MOTE_I64, MOTE_F32, MOTE_F64, MOTE_V128, MOTE_FUNCREF, MOTE_EXTERNREF, MOTE_ANYREF, MOTE_ANYREF, MOTE_EXNREF, MOTE_ANYREF};
    for (unsigned i = 0; func->params[i]; i++) {
        args[i] = (mote_value){.kind = kinds[gen_letter_index(func->params[i])]};
        if (args[i].kind > MOTE_V128) continue;
        struct edges edges = edges_of(func->params[i]);
        memcpy(&args[i].of, edge(func->params[i], number * 7 + i * 11), edges.slots * 8);
    }
}

/* Every other call has little where that can be compared. */
static inline uint64_t fuel_of(unsigned number) { return run_count == RUN_COUNT || number % 2 ? FUEL : number * 37 % LITTLE_FUEL_MAX; }

static inline struct outcome call(struct run *run, const struct gen_signature *func, unsigned index, unsigned number) {
    struct outcome outcome = {.trap = 0};
    mote_value args[GEN_PARAM_MAX];
    mote_error error = {0};
    make_args(func, number, args);
    set_budget(run);
    if (run->config.fuel) mote_store_set_fuel(run->store, fuel_of(number));
    run->grants = number % 4 ? 0 : GRANTS_MAX;
    outcome.status = mote_call(run->store, find(run, 'f', index).of.func, args, strlen(func->params), outcome.results, strlen(func->results), &error);
    if (outcome.status == MOTE_E_TRAP) outcome.trap = error.trap;
    if (outcome.status == MOTE_E_EXCEPTION) mote_ref_release(run->store, mote_store_take_exception(run->store));
    MUST(outcome.status == MOTE_OK || outcome.status == MOTE_E_TRAP || outcome.status == MOTE_E_EXCEPTION);
    if (run->config.fuel) outcome.fuel = mote_store_fuel(run->store);
    return outcome;
}

static inline bool call_all(unsigned index, unsigned number) {
    const struct gen_signature *func = &gen.funcs[index];
    uint32_t marks[RUN_COUNT];
    struct outcome outcomes[RUN_COUNT];
    bool same = true;
    for (unsigned i = 0; i < run_count; i++) {
        marks[i] = mote_refs_mark(runs[i].store);
        outcomes[i] = call(&runs[i], func, index, number);
    }
    call_count++;
    trap_counts[outcomes[0].trap]++;
    exception_count += outcomes[0].status == MOTE_E_EXCEPTION;
    for (unsigned i = 1; i < run_count && same; i++)
        same = same_outcome(&runs[0], &outcomes[0], &runs[i], &outcomes[i], strlen(func->results)) && same_globals(&runs[0], &runs[i]) &&
               same_memories(&runs[0], &runs[i]) && same_tables(&runs[0], &runs[i]);
    for (unsigned i = 0; i < run_count; i++) mote_refs_release(runs[i].store, marks[i]);
    return same;
}

/* ---------------------------------------------------------------- one module */

static inline void count_sites(void) {
    for (uint32_t i = 0; i < gen.site_count; i++)
        for (unsigned k = 0; k < gen.sites[i].operand_count; k++) compared[gen.sites[i].op][k][gen.sites[i].location[k]] += executed[i];
    for (unsigned op = 0; op < OP_COUNT; op++) emitted[op] += gen.emitted[op];
}

/* The module with calls to count, and then the same without. */
static inline void generate(const uint8_t *choices, size_t size, struct emit *counting, struct emit *plain) {
    gen.is_counting = true, gen.e = counting;
    gen_module(&gen, choices, size);
    memset(gen.emitted, 0, sizeof gen.emitted);
    gen.is_counting = false, gen.e = plain;
    gen_module(&gen, choices, size);
}

/* What a run gets. */
static inline const struct emit *module_of(unsigned run, const struct emit *counting, const struct emit *plain) {
    static struct mutant mutant;
    static struct emit padded;
    struct source source;
    const struct emit *e = run + 1 < RUN_COUNT ? plain : counting;
    if (!(padded_runs >> run & 1)) return e;
    mutant.random = pad_seed + run;
    MUST(source_read(&source, e->data, e->size));
    mutant_pad_module(&mutant, &source, &padded);
    free(source.bodies);
    return &padded;
}

/* False when the ways differ; `difference` says in what, `*func` where. */
static inline bool compare_module(const uint8_t *choices, size_t size, unsigned *func) {
    static struct emit counting, plain;
    bool same = true;
    generate(choices, size, &counting, &plain);
    memset(executed, 0, gen.site_count * sizeof *executed);
    for (unsigned i = 0; i < run_count; i++) begin(&runs[i], module_of(i, &counting, &plain));
    for (unsigned i = 0; i < gen.func_count * calls_per_func && same; i++) {
        *func = i % gen.func_count;
        same = call_all(*func, i);
    }
    for (unsigned i = 0; i < run_count; i++) end(&runs[i]);
    if (same) count_sites();
    return same;
}

/* ---------------------------------------------------------------- the ways */

static inline void set_up(const char *first, const char *second) {
    const char *const names[RUN_COUNT] = {first, second, first};
    gen.canonical = false;
    for (unsigned i = 0; i < RUN_COUNT; i++) {
        runs[i].way = way_find(names[i]);
        runs[i].engine = way_engine(runs[i].way, &runs[i].config);
        gen.canonical = gen.canonical || !runs[i].config.canonical_nans;
    }
    if (runs[0].config.fuel && runs[1].config.fuel) run_count = RUN_COUNT - 1;
}

#endif
