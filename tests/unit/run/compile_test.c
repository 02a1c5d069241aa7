/* compile_test.c - which functions are compiled and when: mote_module_compile, mote_config.compile_*, mote_code_stats; and many threads that compile, run
 * and free modules of one engine (preset tsan watches them). */
#include "world.h"
#include "os/os.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FUNCS = 200, THREADS = 6 };

/* Functions that call each other: number i returns i + 1 + what number i + 1 returns; `run` also goes through a table, a memory and a loop. */
static char *chain_text(void) {
    size_t room = FUNCS * 128 + 1024, at = 0;
    char *text = malloc(room);
    at += (size_t)snprintf(text + at, room - at, "(module (memory 1) (table funcref (elem $f0)) (type $r (func (result i32)))");
    for (int i = 0; i < FUNCS; i++) {
        char next[32] = "(i32.const 0)";
        if (i + 1 < FUNCS) snprintf(next, sizeof next, "(call $f%d)", i + 1);
        at += (size_t)snprintf(text + at, room - at, "(func $f%d (result i32) (i32.add (i32.const %d) %s))", i, i + 1, next);
    }
    snprintf(text + at, room - at, "(func (export \"run\") (result i32) (local $i i32) (local $s i32)"
             " (loop $l (local.set $s (i32.add (local.get $s) (call_indirect (type $r) (i32.const 0))))"
             "  (i32.store (local.get $i) (local.get $s))"
             "  (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const 40))))"
             " (i32.load (i32.const 36)))"
             "(func (export \"trap\") (result i32) (i32.load (i32.const 65536))))");
    return text;
}
enum { CHAIN_RESULT = 10 * FUNCS * (FUNCS + 1) / 2 };

static bool compiles(const mote_engine *engine) { return mote_engine_tier(engine, NULL) == MOTE_TIER_BASELINE; }

/* ---------------------------------------------------------------- one thread */

static const char three[] = "(module (import \"e\" \"h\" (func)) (func $a (result i32) (i32.const 1)) (func) (func (export \"run\") (result i32) (call $a)))";
static mote_status nothing(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return MOTE_OK;
}

/* How many of three's functions were compiled, and interpreted, after the call of "run". */
static void stats_of(const mote_config *config, bool all, mote_code_stats *out) {
    struct world w;
    mote_instance instance = {NULL};
    world_open_with(&w, config, NULL);
    world_define(&w, "e", "h", "", nothing, NULL);
    mote_module *module = world_module(&w, three);
    if (all) CHECK_EQ(mote_module_compile(module, 3, NULL, NULL, NULL), MOTE_OK);
    CHECK_EQ(mote_linker_instantiate(w.linker, w.store, module, &instance, &w.error), MOTE_OK);
    CHECK_EQ(world_call_i32(&w, instance, "run", 0), 1);
    mote_module_code_stats(module, out);
    if (!compiles(w.engine)) out->compiled_count = UINT32_MAX;
    mote_module_delete(module);
    world_close(&w);
}

static void check_stats(const mote_config *config, bool all, uint32_t compiled, uint32_t interpreted) {
    mote_code_stats stats;
    stats_of(config, all, &stats);
    CHECK_EQ(stats.func_count, 3);
    CHECK_EQ(stats.body_bytes, 4 + 2 + 4);
    if (stats.compiled_count == UINT32_MAX) {
        CHECK_EQ(stats.interpreted_count, 3);
        return;
    }
    CHECK_EQ(stats.compiled_count, compiled);
    CHECK_EQ(stats.interpreted_count, interpreted);
    CHECK((stats.code_bytes > 0) == (compiled > 0));
}

TEST(what_is_compiled) {
    mote_config config;
    mote_config_init(&config);
    check_stats(&config, false, 2, 0);
    check_stats(&config, true, 3, 0);
    config.compile_threads = 2;
    check_stats(&config, false, 3, 0);
    config.compile_first = 3; /* the import has index 0 */
    check_stats(&config, false, 1, 2);
    config.compile_first = 1;
    config.compile_end = 2;
    check_stats(&config, true, 1, 2);
    config.compile_threads = 0;
    check_stats(&config, false, 1, 1);
    config.compile_first = 4;
    config.compile_end = 0;
    check_stats(&config, false, 0, 2);
}

struct told { uint32_t calls, last, total; };
static void tell(void *context, uint32_t done, uint32_t total) {
    struct told *told = context;
    CHECK(done >= told->last && done <= total);
    *told = (struct told){told->calls + 1, done, total};
}

TEST(progress_is_told) {
    struct world w;
    world_open(&w);
    char *text = chain_text();
    mote_module *module = world_module(&w, text);
    struct told told = {0};
    CHECK_EQ(mote_module_compile(module, 1, tell, &told, &w.error), MOTE_OK);
    if (compiles(w.engine)) {
        CHECK(told.calls > 3);
        CHECK_EQ(told.last, FUNCS + 2);
        CHECK_EQ(told.total, FUNCS + 2);
    }
    CHECK_EQ(mote_module_compile(module, 0, NULL, NULL, NULL), MOTE_OK); /* nothing is left to do */
    mote_module_delete(module);
    free(text);
    world_close(&w);
}

static bool load_and_compile(const mote_allocator *a, void *text) {
    mote_config config;
    mote_engine *engine = NULL;
    mote_module *module = NULL;
    mote_error error;
    mote_config_init(&config);
    config.allocator = *a;
    config.compile_threads = 1;
    mote_status status = mote_engine_new(&config, &engine, &error);
    if (status == MOTE_OK) status = mote_module_new(engine, text, strlen(text), 0, &module, &error);
    CHECK(status == MOTE_OK || status == MOTE_E_NOMEM);
    mote_module_delete(module);
    mote_engine_delete(engine);
    return status == MOTE_OK;
}

TEST(memory_runs_out) { CHECK(fail_alloc_sweep(load_and_compile, (void *)(uintptr_t)three) > 20); }

/* Whatever fails, nothing that the rest of the body looks at is left half done. */
TEST(memory_runs_out_among_branches) {
    static const char text[] =
        "(module (type $many (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"
        " (func (param i32) (result i32)"
        "  (block (br_table 0 0 0 0 0 0 0 0 0 (local.get 0))) (drop (local.get 0)) (local.get 0) (local.get 0)"
        "  (local.set 0 (i32.const 5)) (i32.add) (i32.add (local.get 0)))"
        " (func $m (type $many) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)"
        "  (local.get 0) (call $m) (call $m) (loop (type $many) (br_if 0 (local.get 1)))"
        "  (block (type $many) (br_table 0 0 1 (local.get 2)))))";
    CHECK(fail_alloc_sweep(load_and_compile, (void *)(uintptr_t)text) > 20);
}

/* A function whose branches each move a thousand values. */
static char *bomb_text(void) {
    enum { VALUES = 1000, BRANCHES = 20000 };
    size_t room = VALUES * 20 + BRANCHES * 32 + 1000, at = 0;
    char *text = malloc(room);
    if (!text) return NULL;
    at += (size_t)snprintf(text + at, room - at, "(module (func (export \"run\") (result i32) (local $x i32) (block (result");
    for (int i = 0; i < VALUES; i++) at += (size_t)snprintf(text + at, room - at, " i32");
    at += (size_t)snprintf(text + at, room - at, ") local.get 0");
    for (int i = 0; i < VALUES; i++) at += (size_t)snprintf(text + at, room - at, " local.get 0");
    for (int i = 0; i < BRANCHES; i++) at += (size_t)snprintf(text + at, room - at, " local.get 0 br_if 0");
    at += (size_t)snprintf(text + at, room - at, " br 0)");
    for (int i = 1; i < VALUES; i++) at += (size_t)snprintf(text + at, room - at, " drop");
    snprintf(text + at, room - at, "))");
    return text;
}

TEST(code_that_grows_beyond_measure) {
    char *text = bomb_text();
    for (int tier = 0; CHECK(text) && tier < 2; tier++) {
        struct world w;
        mote_config config;
        mote_instance instance;
        mote_func run;
        mote_value result;
        mote_config_init(&config);
        config.tier = tier ? MOTE_TIER_INTERPRETER : MOTE_TIER_BASELINE;
        world_open_with(&w, &config, NULL);
        CHECK_EQ(world_try(&w, text, &instance), MOTE_OK);
        CHECK_EQ(mote_instance_func(instance, "run", &run, &w.error), MOTE_OK);
        CHECK_EQ(mote_call(w.store, run, NULL, 0, &result, 1, &w.error), MOTE_E_LIMIT);
        CHECK(strstr(w.error.message, "over the limit of 64 MiB"));
        world_close(&w);
    }
    free(text);
}

static bool describe(const mote_allocator *a, void *text) {
    mote_config config;
    mote_engine *engine = NULL;
    mote_module *module = NULL;
    mote_native *native = NULL;
    mote_error error;
    mote_config_init(&config);
    config.allocator = *a;
    config.debug_info = true;
    mote_status status = mote_engine_new(&config, &engine, &error);
    if (status == MOTE_OK) status = mote_module_new(engine, text, strlen(text), 0, &module, &error);
    if (status == MOTE_OK) status = mote_module_native(module, 1, &native, &error);
    CHECK(status == MOTE_OK || status == MOTE_E_NOMEM || status == MOTE_E_UNSUPPORTED);
    if (status == MOTE_OK) CHECK(native->size && native->place_count > 1 && !memcmp(native->object, "\177ELF", 4));
    mote_native_delete(engine, native);
    mote_module_delete(module);
    mote_engine_delete(engine);
    return status != MOTE_E_NOMEM;
}

TEST(memory_runs_out_while_it_is_described) { CHECK(fail_alloc_sweep(describe, (void *)(uintptr_t)three) > 20); }

/* ---------------------------------------------------------------- code memory */

static uint32_t run_alone(mote_engine *engine, mote_module *module) {
    mote_store *store;
    mote_instance instance;
    mote_func run;
    mote_value result = MOTE_VALUE_I32(0);
    mote_error error;
    if (mote_store_new(engine, NULL, &store, &error) != MOTE_OK) return 0;
    if (CHECK(mote_instance_new(store, module, NULL, 0, &instance, &error) == MOTE_OK) && CHECK(mote_instance_func(instance, "run", &run, &error) == MOTE_OK))
        CHECK_EQ(mote_call(store, run, NULL, 0, &result, 1, &error), MOTE_OK);
    mote_store_delete(store);
    return result.of.i32;
}

static int32_t call_named(struct world *w, mote_instance instance, const char *name) { return (int32_t)world_call_i32(w, instance, name, 0); }

/* Code memory is shared with a child that is forked: what either compiles afterwards must not be what the other runs. */
TEST(a_child_that_was_forked) {
    struct world w;
    mote_instance instance;
    int down[2], up[2], status = -1;
    char byte = 0;
    world_open(&w);
    CHECK_EQ(world_try(&w, "(module (func (export \"one\") (result i32) (i32.const 1)) (func (export \"two\") (result i32) (i32.const 2)))", &instance), MOTE_OK);
    if (!CHECK(!pipe(down) && !pipe(up))) return;
    pid_t child = fork();
    if (!child) {
        bool good = call_named(&w, instance, "one") == 1 && write(up[1], &byte, 1) == 1 && read(down[0], &byte, 1) == 1 && call_named(&w, instance, "one") == 1;
        _exit(good && call_named(&w, instance, "two") == 2 ? 0 : 1);
    }
    CHECK_EQ(read(up[0], &byte, 1), 1);
    CHECK_EQ(call_named(&w, instance, "two"), 2);
    CHECK_EQ(call_named(&w, instance, "one"), 1);
    CHECK_EQ(write(down[1], &byte, 1), 1);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
    close(down[0]), close(down[1]), close(up[0]), close(up[1]);
    world_close(&w);
}

/* Of three modules that come and go in turn, each runs its own code. */
TEST(the_code_of_modules_that_come_and_go) {
    enum { MODULES = 3, TURNS = 12 };
    mote_engine *engine;
    mote_module *modules[MODULES] = {NULL};
    mote_error error;
    char text[200];
    REQUIRE(mote_engine_new(NULL, &engine, &error) == MOTE_OK);
    for (int i = 0; i < TURNS; i++) {
        mote_module **module = &modules[i % MODULES];
        mote_module_delete(*module);
        snprintf(text, sizeof text, "(module (func $n (result i32) (i32.const %d)) (func (export \"run\") (result i32) (i32.mul (call $n) (i32.const 2))))", i);
        REQUIRE(mote_module_new(engine, text, strlen(text), 0, module, &error) == MOTE_OK);
        for (int k = 0; k < MODULES; k++)
            if (modules[k]) CHECK_EQ(run_alone(engine, modules[k]), 2 * (i - (i - k + MODULES) % MODULES));
    }
    for (int k = 0; k < MODULES; k++) mote_module_delete(modules[k]);
    mote_engine_delete(engine);
}

/* ---------------------------------------------------------------- many threads */

struct crowd {
    mote_engine *engine;
    mote_module *shared;
    const char *text;
    _Atomic uint32_t ready;
};

/* Runs a module in a store of its own: its result, then a trap and its backtrace. */
static void run_once(mote_engine *engine, mote_module *module) {
    mote_store *store;
    mote_instance instance;
    mote_func run, trap;
    mote_value result;
    mote_error error;
    REQUIRE(mote_store_new(engine, NULL, &store, &error) == MOTE_OK);
    if (CHECK(mote_instance_new(store, module, NULL, 0, &instance, &error) == MOTE_OK) &&
        CHECK(mote_instance_func(instance, "run", &run, &error) == MOTE_OK) && CHECK(mote_instance_func(instance, "trap", &trap, &error) == MOTE_OK)) {
        CHECK_EQ(mote_call(store, run, NULL, 0, &result, 1, &error), MOTE_OK);
        CHECK_EQ(result.of.i32, CHAIN_RESULT);
        CHECK_EQ(mote_call(store, trap, NULL, 0, &result, 1, &error), MOTE_E_TRAP);
        CHECK_EQ(error.trap, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
        CHECK_EQ(mote_store_frame_total(store), 1);
    }
    mote_store_delete(store);
}

static void wait_for_all(struct crowd *crowd) {
    atomic_fetch_add(&crowd->ready, 1);
    while (atomic_load(&crowd->ready) < THREADS) continue;
}

/* One thread compiles all of the module at once while the others call its functions, which compiles them too. */
static void *run_shared(void *argument) {
    struct crowd *crowd = argument;
    wait_for_all(crowd);
    for (int i = 0; i < 3; i++) run_once(crowd->engine, crowd->shared);
    return NULL;
}

static void *compile_shared(void *argument) {
    struct crowd *crowd = argument;
    wait_for_all(crowd);
    CHECK_EQ(mote_module_compile(crowd->shared, 3, NULL, NULL, NULL), MOTE_OK);
    return run_shared(argument);
}

/* Modules come and go beside: their code memory is used again. */
static void *run_own(void *argument) {
    struct crowd *crowd = argument;
    wait_for_all(crowd);
    for (int i = 0; i < 6; i++) {
        mote_module *module;
        if (!CHECK(mote_module_new(crowd->engine, crowd->text, strlen(crowd->text), 0, &module, NULL) == MOTE_OK)) break;
        if (i % 2) CHECK_EQ(mote_module_compile(module, 2, NULL, NULL, NULL), MOTE_OK);
        run_once(crowd->engine, module);
        mote_module_delete(module);
    }
    return NULL;
}

static void gather(void *(*const work[THREADS])(void *)) {
    struct os_thread threads[THREADS];
    char *text = chain_text();
    for (int round = 0; round < 4; round++) {
        struct crowd crowd = {.text = text};
        mote_config config;
        mote_config_init(&config);
        config.debug_info = round % 2; /* then all code is listed for debuggers, too */
        REQUIRE(mote_engine_new(&config, &crowd.engine, NULL) == MOTE_OK);
        REQUIRE(mote_module_new(crowd.engine, text, strlen(text), 0, &crowd.shared, NULL) == MOTE_OK);
        for (int i = 0; i < THREADS; i++) REQUIRE(!mote__os_thread_create(&threads[i], work[i], &crowd, 0));
        for (int i = 0; i < THREADS; i++) mote__os_thread_join(threads[i]);
        mote_module_delete(crowd.shared);
        mote_engine_delete(crowd.engine);
    }
    free(text);
}

TEST(many_threads_one_module) { gather((void *(*const[THREADS])(void *)){run_shared, run_shared, run_shared, run_shared, compile_shared, compile_shared}); }
TEST(modules_go_while_others_run) { gather((void *(*const[THREADS])(void *)){run_shared, compile_shared, run_own, run_own, run_own, run_own}); }
