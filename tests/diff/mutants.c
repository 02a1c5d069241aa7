/* mutants.c - changed bodies (mutate.h) that the validator takes, translated and run in two ways: what is valid but was made by chance is what no compiler and
 * no generator writes, unreachable code above all. Statuses, traps, results and the fuel that is left are compared.
 * Usage: mutants WAY WAY SEED COUNT [SCRIPT.wast...]. Both ways (setup.h) must count fuel, so that every call ends, and make NaNs canonical. All functions are
 * translated where a way can do that ahead; exported ones are called, twice. Functions that are imported give zeros; modules that import anything else are
 * left out. A case follows from SEED and its number alone, and is said when the process ends in it. */
#include "diff/setup.h"
#include "diff/sources.h"

#include <signal.h>
#include <unistd.h>

enum { WAYS = 2, VALUES_MAX = 1000, IMPORTS_MAX = 1000, CALLS = 2, FUEL = 3000, START_FUEL = 100000 };

/* A module in one way. */
struct run {
    mote_engine *engine;
    mote_module *module;
    mote_store *store;
    mote_instance instance;
    mote_status status; /* of making the instance, or of the last call */
    mote_error error;
    uint64_t fuel;
    mote_value results[VALUES_MAX];
};

static struct run runs[WAYS];
static struct mutant mutant;
static volatile uint64_t case_seed;
static uint64_t module_count, call_counts[MOTE_STATUS_COUNT];

static void on_crash(int number) {
    char text[64];
    int size = snprintf(text, sizeof text, "mutants: crash in case %" PRIu64 "\n", case_seed);
    if (write(STDERR_FILENO, text, (size_t)size) < 0) _exit(3);
    signal(number, SIG_DFL);
    raise(number);
}

/* ---------------------------------------------------------------- instances */

/* A zero or null of a type. */
static mote_value zero_of(mote_valtype type) {
    mote_value value = {.kind = MOTE_ANYREF};
    if (type.kind <= MOTE_V128) value.kind = type.kind;
    else if (type.heap == MOTE_HEAP_FUNC) value.kind = MOTE_FUNCREF;
    else if (type.heap == MOTE_HEAP_EXTERN) value.kind = MOTE_EXTERNREF;
    else if (type.heap == MOTE_HEAP_EXN) value.kind = MOTE_EXNREF;
    return value;
}

static mote_status host_zeros(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    const mote_type *type = env;
    (void)caller, (void)args;
    for (size_t i = 0; i < mote_type_result_count(type); i++) results[i] = zero_of(mote_type_result(type, i));
    return MOTE_OK;
}

static bool make_imports(struct run *r, mote_extern *imports, size_t count) {
    for (size_t i = 0; i < count; i++) {
        mote_externtype type = mote_module_import(r->module, i).type;
        if (type.kind != MOTE_EXTERN_FUNC) return false;
        imports[i].kind = MOTE_EXTERN_FUNC;
        MUST(mote_func_new(r->store, type.of.func, host_zeros, (void *)(uintptr_t)type.of.func, NULL, &imports[i].of.func, NULL) == MOTE_OK);
    }
    return true;
}

/* False: not to be had here. */
static bool begin(struct run *r, const struct emit *e) {
    static mote_extern imports[IMPORTS_MAX];
    mote_status status = mote_module_new(r->engine, e->data, e->size, 0, &r->module, &r->error);
    MUST(status == MOTE_OK || status == MOTE_E_LIMIT);
    if (status != MOTE_OK) return false;
    MUST(mote_store_new(r->engine, NULL, &r->store, NULL) == MOTE_OK);
    mote_store_set_fuel(r->store, START_FUEL);
    size_t count = mote_module_import_count(r->module);
    if (count > IMPORTS_MAX || !make_imports(r, imports, count)) return false;
    r->status = mote_instance_new(r->store, r->module, imports, count, &r->instance, &r->error);
    return true;
}

static void end(struct run *r) {
    if (r->store) mote_store_delete(r->store);
    mote_module_delete(r->module);
    r->store = NULL, r->module = NULL;
}

/* ---------------------------------------------------------------- calls */

static bool differ(const char *what, uint64_t a, uint64_t b) {
    printf("case %" PRIu64 ": the ways differ in %s: %" PRIu64 ", %" PRIu64 "\n", case_seed, what, a, b);
    return false;
}

static bool same_status(void) {
    const struct run *a = &runs[0], *b = &runs[1];
    if (a->status != b->status) return differ("status", a->status, b->status);
    return a->status != MOTE_E_TRAP || a->error.trap == b->error.trap || differ("trap", a->error.trap, b->error.trap);
}

static bool same_results(size_t count) {
    static const uint8_t sizes[] = {[MOTE_I32] = 4, [MOTE_I64] = 8, [MOTE_F32] = 4, [MOTE_F64] = 8, [MOTE_V128] = 16};
    for (size_t i = 0; i < count; i++) {
        const mote_value *x = &runs[0].results[i], *y = &runs[1].results[i];
        if (x->kind != y->kind) return differ("a result's kind", x->kind, y->kind);
        if (x->kind <= MOTE_V128 && memcmp(&x->of, &y->of, sizes[x->kind])) return differ("a result's bits: of number and kind", i, x->kind);
    }
    return true;
}

static void make_args(const mote_type *type, mote_value *args, unsigned call) {
    for (size_t i = 0; i < mote_type_param_count(type); i++) {
        uint64_t bits = call * (1 + case_seed % 1000 + 3 * i);
        double number = (double)bits / 4;
        args[i] = zero_of(mote_type_param(type, i));
        if (args[i].kind == MOTE_F64) memcpy(&args[i].of, &number, sizeof number);
        else if (args[i].kind <= MOTE_V128) memcpy(&args[i].of, &bits, sizeof bits);
    }
}

static void call(struct run *r, const mote_exporttype *export, unsigned number) {
    static mote_value args[VALUES_MAX];
    const mote_type *type = export->type.of.func;
    mote_extern func;
    make_args(type, args, number);
    MUST(mote_instance_find(r->instance, export->name.data, export->name.size, &func));
    mote_store_set_fuel(r->store, FUEL);
    r->status = mote_call(r->store, func.of.func, args, mote_type_param_count(type), r->results, mote_type_result_count(type), &r->error);
    if (r->status == MOTE_E_EXCEPTION) mote_ref_release(r->store, mote_store_take_exception(r->store));
    r->fuel = mote_store_fuel(r->store);
}

static bool same_call(size_t export, unsigned number) {
    size_t results = 0;
    for (unsigned i = 0; i < WAYS; i++) {
        mote_exporttype type = mote_module_export(runs[i].module, export);
        if (type.type.kind != MOTE_EXTERN_FUNC) return true;
        results = mote_type_result_count(type.type.of.func);
        call(&runs[i], &type, number);
    }
    call_counts[runs[0].status]++;
    if (!same_status()) return false;
    if (runs[0].fuel != runs[1].fuel) return differ("fuel", runs[0].fuel, runs[1].fuel);
    return runs[0].status != MOTE_OK || same_results(results);
}

static bool same_module(const struct emit *e) {
    bool same = true, both = begin(&runs[0], e) && begin(&runs[1], e);
    if (both) module_count++, same = same_status();
    for (size_t i = 0; both && same && runs[0].status == MOTE_OK && i < mote_module_export_count(runs[0].module); i++)
        for (unsigned number = 0; number < CALLS && same; number++) {
            same = same_call(i, number);
            runs[0].status = runs[1].status = MOTE_OK; /* the next may go on, whatever became of this */
        }
    for (unsigned i = 0; i < WAYS; i++) end(&runs[i]);
    return same;
}

/* ---------------------------------------------------------------- all of them */

static bool is_valid(const uint8_t *data, size_t size) { return mote_module_validate(runs[0].engine, data, size, NULL) == MOTE_OK; }

static bool check_mutant(uint64_t seed) {
    static struct emit module;
    mutant.random = seed;
    sources_mutant(&mutant, &module);
    if (!is_valid(module.data, module.size) || same_module(&module)) return true;
    for (size_t i = 0; i < module.size && module.size < 4096; i++) printf("\\%02x", module.data[i]);
    printf("\n");
    return false;
}

static void set_up(char **names) {
    mote_config config;
    for (unsigned i = 0; i < WAYS; i++) {
        const struct way *way = way_find(names[i]);
        mote_config_init(&config);
        config.features = ~(mote_features)0;
        config.relaxed_deterministic = true;
        way->set(&config);
        if (config.tier != MOTE_TIER_INTERPRETER) config.compile_threads = 1;
        MUST(config.fuel && config.canonical_nans);
        MUST(mote_engine_new(&config, &runs[i].engine, NULL) == MOTE_OK);
    }
}

int main(int argc, char **argv) {
    bool same = true;
    if (argc < 5) return fprintf(stderr, "usage: mutants WAY WAY SEED COUNT [SCRIPT.wast...]\n"), 2;
    uint64_t first = strtoull(argv[3], NULL, 10), count = strtoull(argv[4], NULL, 10);
    signal(SIGSEGV, on_crash), signal(SIGBUS, on_crash), signal(SIGABRT, on_crash), signal(SIGILL, on_crash), signal(SIGFPE, on_crash);
    set_up(argv + 1);
    sources_generate(is_valid);
    for (int i = 5; i < argc; i++) sources_read(runs[0].engine, argv[i], is_valid);
    for (case_seed = first; case_seed < first + count && same; case_seed++) same = check_mutant(case_seed);
    sources_free();
    free(mutant.body.data);
    for (unsigned i = 0; i < WAYS; i++) mote_engine_delete(runs[i].engine);
    printf("%" PRIu64 " of %" PRIu64 " changed modules run", module_count, count);
    for (unsigned i = 0; i < MOTE_STATUS_COUNT; i++)
        if (call_counts[i]) printf(", %" PRIu64 " calls %s", call_counts[i], mote_status_name((mote_status)i));
    printf("\n");
    bool enough = module_count >= count / 20;
    if (!enough) printf("too few of them are valid\n");
    printf("%d passed, %d failed\n", same && enough, !(same && enough));
    return !(same && enough);
}
