/* wasm_c_api_test.c - the objects of the standard C API: stores, modules, functions, traps, globals, tables, memories. References and the lives of
 * objects are in wasm_refs_test.c. */
#include "api/wasm_c_api_test.h"
#include <mote/mote.h>
#include "os/os.h"

/* ---------------------------------------------------------------- engines, stores, modules */

TEST(store_and_engine_may_go_first) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func (export \"f\") (result i32) (i32.const 42)))", 0, NULL));
    int32_t result = 0;
    wasm_func_t *f = wasm_func_copy(func_at(&w, 0));
    world_delete(&w);
    CHECK(!call_i32(f, 0, 0, &result));
    CHECK_EQ(result, 42);
    wasm_func_delete(f);
}

TEST(configured_engines) {
    wasm_config_t *config = wasm_config_new();
    mote_wasm_config(config)->fuel = true;
    struct world w = {.engine = wasm_engine_new_with_config(config)};
    w.store = wasm_store_new(w.engine);
    REQUIRE(world_load(&w, "(module (func (export \"f\") (loop (br 0))))", 0, NULL));
    mote_store_set_fuel(mote_wasm_store(w.store), 1000);
    wasm_trap_t *trap = call_i32(func_at(&w, 0), 0, 0, NULL);
    CHECK(trap_says(trap, mote_trap_text(MOTE_TRAP_OUT_OF_FUEL)));
    wasm_trap_delete(trap);
    world_delete(&w);
    wasm_config_delete(wasm_config_new());
    wasm_config_delete(NULL);
    wasm_engine_delete(NULL);
    wasm_store_delete(NULL);
    CHECK(!wasm_store_new(NULL));
    CHECK(!wasm_engine_new_with_config(NULL));
}

TEST(bad_modules_say_why) {
    struct world w = world_new();
    wasm_byte_vec_t bad = bytes_of("(module (func (result i32)))"), none = WASM_EMPTY_VEC;
    CHECK_STR(mote_wasm_store_message(w.store), "");
    CHECK(!wasm_module_new(w.store, &bad));
    CHECK(strstr(mote_wasm_store_message(w.store), "type mismatch"));
    CHECK(!wasm_module_validate(w.store, &bad));
    CHECK(!wasm_module_validate(w.store, &none));
    CHECK(!wasm_module_deserialize(w.store, &none));
    wasm_byte_vec_delete(&bad);
    wasm_byte_vec_t good = bytes_of("(module)");
    CHECK(wasm_module_validate(w.store, &good));
    wasm_byte_vec_delete(&good);
    world_delete(&w);
}

TEST(modules_are_serialised_as_their_binary_form) {
    struct world w = world_new();
    wasm_byte_vec_t bytes;
    wasm_exporttype_vec_t exports;
    w.module = compile(w.store, "(module (memory (export \"m\") 1))");
    wasm_module_serialize(w.module, &bytes);
    CHECK(mote_is_binary(bytes.data, bytes.size));
    wasm_module_t *again = wasm_module_deserialize(w.store, &bytes);
    wasm_module_exports(again, &exports);
    CHECK_EQ(exports.size, 1);
    wasm_exporttype_vec_delete(&exports);
    wasm_module_delete(again);
    wasm_byte_vec_delete(&bytes);
    world_delete(&w);
}

TEST(modules_cross_stores) {
    struct world a = world_new(), other = world_new();
    a.module = compile(a.store, "(module (func (export \"f\") (result i32) (i32.const 5)))");
    wasm_shared_module_t *shared = wasm_module_share(a.module);
    wasm_store_t *second = wasm_store_new(a.engine);
    CHECK(!wasm_module_obtain(other.store, shared)); /* of another engine */
    CHECK(strstr(mote_wasm_store_message(other.store), "another engine"));
    wasm_module_t *mine = wasm_module_obtain(a.store, shared);
    CHECK(wasm_module_same(mine, a.module));
    wasm_module_t *obtained = wasm_module_obtain(second, shared);
    CHECK(!wasm_module_same(obtained, a.module)); /* another store's */
    wasm_module_delete(mine);
    world_delete(&a);
    wasm_shared_module_delete(shared);
    wasm_instance_t *instance = wasm_instance_new(second, obtained, NULL, NULL);
    CHECK(instance);
    wasm_instance_delete(instance);
    wasm_module_delete(obtained);
    wasm_store_delete(second);
    world_delete(&other);
    wasm_shared_module_delete(NULL);
}

struct worker {
    wasm_engine_t *engine;
    const wasm_shared_module_t *module;
    int32_t n, result;
};

static void *run_worker(void *argument) {
    struct worker *worker = argument;
    struct world w = {.store = wasm_store_new(worker->engine)};
    w.module = wasm_module_obtain(w.store, worker->module);
    w.instance = wasm_instance_new(w.store, w.module, NULL, NULL);
    wasm_instance_exports(w.instance, &w.exports);
    wasm_trap_delete(call_i32(func_at(&w, 0), worker->n, 0, &worker->result));
    world_delete(&w);
    return NULL;
}

TEST(one_module_in_four_threads) {
    static const int32_t fibs[] = {2584, 4181, 6765, 10946};
    struct world w = world_new();
    w.module = compile(w.store, "(module (func $fib (export \"fib\") (param i32) (result i32)"
                                " (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))"
                                "  (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
                                "                 (call $fib (i32.sub (local.get 0) (i32.const 2))))))))");
    wasm_shared_module_t *shared = wasm_module_share(w.module);
    struct worker workers[4];
    struct os_thread threads[4];
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){w.engine, shared, 18 + i, 0};
        REQUIRE(!mote__os_thread_create(&threads[i], run_worker, &workers[i], 0));
    }
    for (int i = 0; i < 4; i++) {
        mote__os_thread_join(threads[i]);
        CHECK_EQ(workers[i].result, fibs[i]);
    }
    wasm_shared_module_delete(shared);
    world_delete(&w);
}

/* ---------------------------------------------------------------- calls to WebAssembly */

TEST(values_of_every_number_kind) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func (export \"swap\") (param i32 i64 f32 f64) (result f64 f32 i64 i32)"
                           " (local.get 3) (local.get 2) (local.get 1) (local.get 0)))", 0, NULL));
    wasm_val_t args[] = {WASM_I32_VAL(-1), WASM_I64_VAL(INT64_MIN), WASM_F32_VAL(0.5f), WASM_F64_VAL(-2.25)};
    wasm_val_t results[5] = {{.kind = WASM_I32}};
    wasm_val_vec_t given = WASM_ARRAY_VEC(args), taken = WASM_ARRAY_VEC(results); /* more room than needed is fine */
    CHECK_EQ(wasm_func_param_arity(func_at(&w, 0)), 4);
    CHECK_EQ(wasm_func_result_arity(func_at(&w, 0)), 4);
    CHECK(!wasm_func_call(func_at(&w, 0), &given, &taken));
    CHECK_EQ(results[0].kind, WASM_F64);
    CHECK(results[0].of.f64 == -2.25 && results[1].of.f32 == 0.5f);
    CHECK(results[2].of.i64 == INT64_MIN && results[3].of.i32 == -1);
    wasm_functype_t *type = wasm_func_type(func_at(&w, 0));
    CHECK_EQ(wasm_valtype_kind(wasm_functype_params(type)->data[1]), WASM_I64);
    wasm_functype_delete(type);
    world_delete(&w);
}

TEST(many_values) {
    struct world w = world_new();
    char text[2000] = "(module (func (export \"f\") (param";
    for (int i = 0; i < 20; i++) strcat(text, " i32");
    strcat(text, ") (result");
    for (int i = 0; i < 20; i++) strcat(text, " i32");
    strcat(text, ")");
    for (int i = 0; i < 20; i++) sprintf(text + strlen(text), " (local.get %d)", 19 - i);
    strcat(text, "))");
    REQUIRE(world_load(&w, text, 0, NULL));
    wasm_val_t args[20], results[20];
    for (int i = 0; i < 20; i++) args[i] = (wasm_val_t)WASM_I32_VAL(i);
    wasm_val_vec_t given = WASM_ARRAY_VEC(args), taken = WASM_ARRAY_VEC(results);
    CHECK(!wasm_func_call(func_at(&w, 0), &given, &taken));
    for (int i = 0; i < 20; i++) CHECK_EQ(results[i].of.i32, 19 - i);
    world_delete(&w);
}

TEST(wrong_arguments_are_traps) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func (export \"f\") (param i32) (result i32) (local.get 0)))", 0, NULL));
    wasm_val_t wrong[] = {WASM_I64_VAL(1)}, right[] = {WASM_I32_VAL(1)}, result[1];
    wasm_val_vec_t none = WASM_EMPTY_VEC, wrong_args = WASM_ARRAY_VEC(wrong), args = WASM_ARRAY_VEC(right), results = WASM_ARRAY_VEC(result);
    wasm_trap_t *trap = wasm_func_call(func_at(&w, 0), &none, &results);
    CHECK(trap_says(trap, "the function has 1 parameters, given are 0"));
    wasm_trap_delete(trap);
    trap = wasm_func_call(func_at(&w, 0), NULL, &results);
    CHECK(trap);
    wasm_trap_delete(trap);
    CHECK(!wasm_func_call(func_at(&w, 0), &args, &none)); /* results without room are dropped */
    CHECK(!wasm_func_call(func_at(&w, 0), &args, NULL));
    trap = wasm_func_call(func_at(&w, 0), &wrong_args, &results);
    CHECK(trap_says(trap, "a value of type i32 is needed, given is one of kind 1"));
    CHECK(!wasm_trap_origin(trap));
    wasm_trap_delete(trap);
    world_delete(&w);
}

TEST(values_without_words_are_traps) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func (export \"v\") (result v128) (v128.const i64x2 1 2)) (func (export \"a\") (param anyref))"
                           " (global (export \"g\") v128 (v128.const i64x2 1 2)) (table (export \"t\") 1 anyref))", 0, NULL));
    wasm_val_t any[1] = {WASM_INIT_VAL};
    wasm_val_vec_t values = WASM_ARRAY_VEC(any);
    wasm_trap_t *trap = wasm_func_call(func_at(&w, 0), NULL, &values);
    CHECK(trap_says(trap, "the standard C API has no values of type v128; mote.h has"));
    wasm_trap_delete(trap);
    trap = wasm_func_call(func_at(&w, 1), &values, NULL);
    CHECK(trap_says(trap, "the standard C API has no values of type anyref; mote.h has"));
    wasm_trap_delete(trap);
    wasm_global_get(wasm_extern_as_global(w.exports.data[2]), any);
    CHECK_EQ(any[0].kind, MOTE_WASM_V128);
    wasm_globaltype_t *global = wasm_global_type(wasm_extern_as_global(w.exports.data[2]));
    CHECK(!wasm_global_new(w.store, global, any));
    wasm_globaltype_delete(global);
    CHECK(!wasm_table_set(wasm_extern_as_table(w.exports.data[3]), 0, NULL));
    CHECK(!wasm_table_grow(wasm_extern_as_table(w.exports.data[3]), 1, NULL));
    wasm_functype_t *type = wasm_func_type(func_at(&w, 0));
    CHECK(!wasm_func_new(w.store, type, NULL)); /* refused before anybody could call it */
    CHECK(strstr(mote_wasm_store_message(w.store), "v128"));
    wasm_functype_delete(type);
    world_delete(&w);
}

/* ---------------------------------------------------------------- traps and frames */

static const char deep[] = "(module (func $inner (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))"
                           " (func $outer (export \"f\") (param i32) (call $inner (local.get 0))))";

TEST(traps_have_message_and_frames) {
    struct world w = world_new();
    REQUIRE(world_load(&w, deep, 0, NULL));
    wasm_frame_vec_t trace, copies;
    wasm_trap_t *trap = call_i32(func_at(&w, 0), 0, 0, NULL);
    CHECK(trap_says(trap, "integer divide by zero"));
    wasm_trap_trace(trap, &trace);
    wasm_frame_vec_copy(&copies, &trace);
    if (CHECK_EQ(trace.size, 2)) {
        wasm_frame_t *origin = wasm_trap_origin(trap);
        CHECK_EQ(wasm_frame_func_index(origin), 0);
        CHECK_EQ(wasm_frame_func_index(copies.data[1]), 1);
        CHECK_EQ(wasm_frame_func_offset(origin), 5); /* no locals (1 byte), i32.const 1 (2), local.get 0 (2), here */
        CHECK_EQ(wasm_frame_module_offset(origin), wasm_frame_module_offset(trace.data[0]));
        CHECK(wasm_frame_module_offset(trace.data[1]) > wasm_frame_module_offset(origin));
        CHECK(wasm_instance_same(wasm_frame_instance(origin), w.instance));
        wasm_frame_delete(origin);
    }
    world_delete(&w); /* the trap keeps the store */
    CHECK(wasm_instance_same(wasm_frame_instance(copies.data[0]), wasm_frame_instance(trace.data[1])));
    wasm_frame_vec_delete(&copies);
    wasm_trap_delete(trap);
    wasm_frame_vec_delete(&trace);
}

TEST(messages_end_with_nul) {
    struct world w = world_new();
    wasm_message_t bare, out;
    wasm_name_new_from_string(&bare, "no end");
    wasm_trap_t *trap = wasm_trap_new(w.store, &bare), *empty = wasm_trap_new(w.store, NULL);
    wasm_trap_message(trap, &out);
    CHECK_EQ(out.size, 7);
    CHECK_STR(out.data, "no end");
    wasm_byte_vec_delete(&bare);
    wasm_byte_vec_delete(&out);
    CHECK(trap_says(empty, ""));
    CHECK(!wasm_trap_origin(empty));
    wasm_trap_delete(trap);
    wasm_trap_delete(empty);
    world_delete(&w);
}

TEST(exceptions_that_nobody_catches) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (tag $t (param i32)) (func (export \"f\") (throw $t (i32.const 1))))", 0, NULL));
    wasm_trap_t *trap = call_i32(func_at(&w, 0), 0, 0, NULL);
    CHECK(trap_says(trap, mote_trap_text(MOTE_TRAP_UNCAUGHT_EXCEPTION)));
    wasm_trap_delete(trap);
    world_delete(&w);
}

TEST(endless_recursion_is_a_trap) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func $f (export \"f\") (call $f)))", 0, NULL));
    wasm_frame_vec_t trace;
    wasm_trap_t *trap = call_i32(func_at(&w, 0), 0, 0, NULL);
    CHECK(trap_says(trap, mote_trap_text(MOTE_TRAP_STACK_OVERFLOW)));
    wasm_trap_trace(trap, &trace);
    CHECK_EQ(trace.size, 64);
    wasm_frame_vec_delete(&trace);
    wasm_trap_delete(trap);
    world_delete(&w);
}

/* ---------------------------------------------------------------- host functions */

static wasm_trap_t *add(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0].of.i32 = args->data[0].of.i32 + args->data[1].of.i32; /* its kind is there already */
    return NULL;
}

struct host {
    wasm_store_t *store;
    wasm_func_t *callee;
    wasm_trap_t *trap;
    int calls, finalized;
    wasm_val_t result;
};

static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct host *host = env;
    (void)args, (void)results;
    host->calls++;
    return wasm_trap_copy(host->trap);
}

static wasm_trap_t *answer(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct host *host = env;
    (void)args;
    host->calls++;
    wasm_val_copy(&results->data[0], &host->result);
    return NULL;
}

static void finalize_host(void *env) { ((struct host *)env)->finalized++; }

static wasm_func_t *host_func(struct world *w, wasm_functype_t *type, wasm_func_callback_with_env_t callback, struct host *host) {
    host->store = w->store;
    wasm_func_t *func = wasm_func_new_with_env(w->store, type, callback, host, finalize_host);
    wasm_functype_delete(type);
    return func;
}

TEST(host_functions) {
    struct world w = world_new();
    wasm_functype_t *type = wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_i32(), wasm_valtype_new_i32());
    wasm_func_t *func = wasm_func_new(w.store, type, add);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    int32_t result = 0;
    REQUIRE(world_load(&w, "(module (import \"\" \"add\" (func $add (param i32 i32) (result i32))) (export \"add\" (func $add))"
                           " (func (export \"f\") (param i32 i32) (result i32) (i32.mul (i32.const 10)"
                           " (call $add (local.get 0) (local.get 1)))))", 1, import));
    CHECK(!call_i32(func_at(&w, 1), 3, 4, &result));
    CHECK_EQ(result, 70);
    CHECK(wasm_func_same(func_at(&w, 0), func)); /* exported again it is the same object */
    CHECK(!call_i32(func, 1, 2, &result));       /* and can be called by the host */
    CHECK_EQ(result, 3);
    wasm_functype_delete(type);
    wasm_func_delete(func);
    world_delete(&w);
}

TEST(traps_of_the_host_come_back_as_the_same_object) {
    struct world w = world_new();
    struct host host = {.calls = 0};
    wasm_func_t *func = host_func(&w, wasm_functype_new_0_0(), fail, &host);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    int info = 5;
    REQUIRE(world_load(&w, "(module (import \"\" \"f\" (func $f)) (func (export \"f\") (call $f) (unreachable)))", 1, import));
    host.trap = trap_with(w.store, "the disk is full");
    wasm_trap_set_host_info(host.trap, &info);
    wasm_trap_t *trap = call_i32(func_at(&w, 0), 0, 0, NULL);
    CHECK(trap_says(trap, "the disk is full"));
    CHECK(wasm_trap_same(trap, host.trap));
    CHECK(wasm_trap_get_host_info(trap) == &info);
    wasm_frame_t *origin = wasm_trap_origin(trap);
    if (CHECK(origin)) CHECK_EQ(wasm_frame_func_index(origin), 1);
    wasm_frame_delete(origin);
    wasm_trap_delete(trap);
    wasm_trap_delete(host.trap);
    wasm_func_delete(func);
    CHECK_EQ(host.finalized, 0);
    world_delete(&w);
    CHECK_EQ(host.calls, 1);
    CHECK_EQ(host.finalized, 1);
}

TEST(long_messages_of_the_host_stay_whole) {
    struct world w = world_new();
    struct host host = {.calls = 0};
    char text[2001];
    memset(text, 'x', 2000);
    text[2000] = 0;
    wasm_func_t *func = host_func(&w, wasm_functype_new_0_0(), fail, &host);
    host.trap = trap_with(w.store, text);
    wasm_trap_t *trap = call_i32(func, 0, 0, NULL);
    CHECK(trap_says(trap, text));
    wasm_trap_delete(trap);
    wasm_trap_delete(host.trap);
    wasm_func_delete(func);
    world_delete(&w);
}

TEST(traps_of_another_store) {
    struct world w = world_new(), other = world_new();
    struct host host = {.calls = 0};
    wasm_func_t *func = host_func(&w, wasm_functype_new_0_0(), fail, &host);
    host.trap = trap_with(other.store, "from elsewhere");
    wasm_trap_t *trap = call_i32(func, 0, 0, NULL);
    CHECK(trap_says(trap, "from elsewhere"));
    CHECK(!wasm_trap_same(trap, host.trap)); /* a new one of this store */
    wasm_trap_delete(trap);
    wasm_trap_delete(host.trap);
    wasm_func_delete(func);
    world_delete(&w);
    world_delete(&other);
}

/* Calls back into WebAssembly and lets its trap go on. */
static wasm_trap_t *pass_on(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct host *host = env;
    (void)results;
    host->calls++;
    return call_i32(host->callee, args->data[0].of.i32, 0, NULL);
}

TEST(traps_pass_through_the_host) {
    struct world w = world_new();
    struct host host = {.calls = 0};
    wasm_func_t *func = host_func(&w, wasm_functype_new_1_0(wasm_valtype_new_i32()), pass_on, &host);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    REQUIRE(world_load(&w, "(module (import \"\" \"f\" (func $f (param i32)))"
                           " (func (export \"g\") (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))"
                           " (func (export \"f\") (param i32) (call $f (local.get 0))))", 1, import));
    host.callee = func_at(&w, 0);
    wasm_frame_vec_t trace;
    CHECK(!call_i32(func_at(&w, 1), 1, 0, NULL));
    wasm_trap_t *trap = call_i32(func_at(&w, 1), 0, 0, NULL);
    CHECK(trap_says(trap, "integer divide by zero"));
    wasm_trap_trace(trap, &trace);
    if (CHECK_EQ(trace.size, 2)) { /* from the inner call through the host to the outer one */
        CHECK_EQ(wasm_frame_func_index(trace.data[0]), 1);
        CHECK_EQ(wasm_frame_func_index(trace.data[1]), 2);
    }
    wasm_frame_vec_delete(&trace);
    wasm_trap_delete(trap);
    wasm_func_delete(func);
    world_delete(&w);
}

/* Calls back into WebAssembly and answers in place of what failed there. */
static wasm_trap_t *recover(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct host *host = env;
    wasm_trap_t *trap = call_i32(host->callee, args->data[0].of.i32, 0, NULL);
    host->calls += trap_says(trap, mote_trap_text(MOTE_TRAP_UNCAUGHT_EXCEPTION));
    results->data[0].of.i32 = trap ? 500 : 1;
    wasm_trap_delete(trap);
    return NULL;
}

#define THROWS_BELOW(result)                                                                                                        \
    "(module (import \"\" \"f\" (func $f (param i32) " result ")) (tag $t)"                                                          \
    " (func (export \"throw\") (param i32) (if (local.get 0) (then (throw $t))))"

TEST(exceptions_are_traps_for_the_host) {
    struct world w = world_new();
    struct host host = {.calls = 0};
    wasm_func_t *func = host_func(&w, wasm_functype_new_1_0(wasm_valtype_new_i32()), pass_on, &host);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    int32_t result = 0;
    REQUIRE(world_load(&w, THROWS_BELOW("") " (func (export \"f\") (param i32) (result i32)"
                           " (block $h (try_table (catch_all $h) (call $f (local.get 0)) (return (i32.const 1)))) (i32.const 2)))", 1, import));
    host.callee = func_at(&w, 0);
    CHECK(!call_i32(func_at(&w, 1), 0, 0, &result));
    CHECK_EQ(result, 1);
    wasm_trap_t *trap = call_i32(func_at(&w, 1), 1, 0, NULL); /* a trap now, which no handler above the host catches */
    CHECK(trap_says(trap, mote_trap_text(MOTE_TRAP_UNCAUGHT_EXCEPTION)));
    wasm_trap_delete(trap);
    wasm_func_delete(func);
    world_delete(&w);
}

TEST(the_host_recovers_from_an_exception) {
    struct world w = world_new();
    struct host host = {.calls = 0};
    wasm_func_t *func = host_func(&w, wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()), recover, &host);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    int32_t result = 0;
    REQUIRE(world_load(&w, THROWS_BELOW("(result i32)") " (func (export \"f\") (param i32) (result i32)"
                           " (block $h (return (try_table (result i32) (catch_all $h) (call $f (local.get 0))))) (i32.const -1)))", 1, import));
    host.callee = func_at(&w, 0);
    CHECK(!call_i32(func_at(&w, 1), 0, 0, &result));
    CHECK_EQ(result, 1);
    CHECK(!call_i32(func_at(&w, 1), 1, 0, &result));
    CHECK_EQ(result, 500);
    CHECK_EQ(host.calls, 1);
    wasm_func_delete(func);
    world_delete(&w);
}

TEST(wrong_results_of_the_host_are_traps) {
    struct world w = world_new();
    struct host host = {.result = WASM_F32_VAL(1)};
    wasm_func_t *func = host_func(&w, wasm_functype_new_0_1(wasm_valtype_new_i64()), answer, &host);
    wasm_trap_t *trap = call_i32(func, 0, 0, NULL);
    CHECK(trap_says(trap, "host function, result 0: a value of type i64 is needed, given is one of kind 2"));
    wasm_trap_delete(trap);
    host.result = (wasm_val_t)WASM_I64_VAL(1);
    CHECK(!call_i32(func, 0, 0, NULL));
    wasm_func_delete(func);
    world_delete(&w);
    CHECK_EQ(host.finalized, 1);
}

TEST(start_functions_that_trap) {
    struct world w = world_new();
    struct host host = {.calls = 0};
    wasm_func_t *func = host_func(&w, wasm_functype_new_0_0(), fail, &host);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    host.trap = trap_with(w.store, "not today");
    CHECK(!world_load(&w, "(module (import \"\" \"f\" (func $f)) (start $f))", 1, import));
    CHECK(wasm_trap_same(w.trap, host.trap));
    CHECK(!world_load(&w, "(module (memory 1) (data (i32.const 65536) \"x\"))", 0, NULL));
    CHECK(trap_says(w.trap, "out of bounds memory access (data segment 0)"));
    wasm_trap_delete(host.trap);
    wasm_func_delete(func);
    world_delete(&w);
}

/* Deletes everything that the host holds, in the middle of a call. */
static wasm_trap_t *let_all_go(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct world *w = env;
    (void)args, (void)results;
    world_delete(w);
    return NULL;
}

TEST(everything_may_go_during_a_call) {
    struct world w = world_new();
    wasm_functype_t *type = wasm_functype_new_0_0();
    wasm_func_t *func = wasm_func_new_with_env(w.store, type, let_all_go, &w, NULL);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    REQUIRE(world_load(&w, "(module (import \"\" \"f\" (func $f)) (func (export \"f\") (result i32) (call $f) (i32.const 9)))", 1, import));
    int32_t result = 0;
    wasm_functype_delete(type);
    wasm_func_delete(func);
    CHECK(!call_i32(func_at(&w, 0), 0, 0, &result));
    CHECK_EQ(result, 9);
}

/* ---------------------------------------------------------------- linking */

TEST(imports_that_do_not_fit) {
    struct world w = world_new(), other = world_new();
    wasm_limits_t limits = {1, 2};
    wasm_memorytype_t *type = wasm_memorytype_new(&limits);
    wasm_memory_t *memory = wasm_memory_new(w.store, type), *foreign = wasm_memory_new(other.store, type);
    wasm_extern_t *import[] = {wasm_memory_as_extern(memory)}, *of_other[] = {wasm_memory_as_extern(foreign)}, *none[] = {NULL};
    static const char wants_func[] = "(module (import \"env\" \"f\" (func (param i32))))";
    static const char wants_more[] = "(module (import \"env\" \"m\" (memory 2)))", wants_memory[] = "(module (import \"env\" \"m\" (memory 1)))";
    CHECK(!world_load(&w, wants_func, 1, import));
    CHECK(trap_says(w.trap, "incompatible import type \"env\".\"f\": expected (func (param i32)), found (memory 1 2)"));
    CHECK(!world_load(&w, wants_more, 1, import));
    CHECK(trap_says(w.trap, "incompatible import type \"env\".\"m\": expected (memory 2), found (memory 1 2)"));
    CHECK(!world_load(&w, wants_func, 0, NULL));
    CHECK(trap_says(w.trap, "unknown import \"env\".\"f\": expected (func (param i32)), found nothing"));
    CHECK(!world_load(&w, wants_func, 1, none));
    CHECK(!world_load(&w, wants_memory, 1, of_other));
    CHECK(trap_says(w.trap, "import 0 belongs to another store"));
    CHECK(wasm_memory_grow(memory, 1));
    CHECK(world_load(&w, wants_more, 1, import)); /* its current size counts */
    CHECK(!w.trap);
    wasm_memory_delete(memory);
    wasm_memory_delete(foreign);
    wasm_memorytype_delete(type);
    world_delete(&w);
    world_delete(&other);
}

TEST(host_functions_of_types_that_modules_define) {
    struct world w = world_new();
    struct host host = {.result = WASM_INIT_VAL};
    wasm_importtype_vec_t imports;
    static const char text[] = "(module (type $f (func (result i32))) (import \"\" \"f\" (func $get (result (ref null $f))))"
                               " (func (export \"f\") (result i32) (ref.is_null (call $get))))";
    int32_t result = 0;
    w.module = compile(w.store, text);
    wasm_module_imports(w.module, &imports);
    const wasm_functype_t *type = wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[0]));
    wasm_func_t *func = host_func(&w, wasm_functype_copy(type), answer, &host); /* knows the exact type */
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    if (CHECK(world_load(&w, text, 1, import))) {
        CHECK(!call_i32(func_at(&w, 0), 0, 0, &result));
        CHECK_EQ(result, 1);
        host.result = (wasm_val_t)WASM_REF_VAL(wasm_func_as_ref(func_at(&w, 0)));
        CHECK(!call_i32(func_at(&w, 0), 0, 0, &result));
        CHECK_EQ(result, 0);
        host.result = (wasm_val_t)WASM_REF_VAL(wasm_func_as_ref(func)); /* of another type */
        wasm_trap_t *trap = call_i32(func_at(&w, 0), 0, 0, &result);
        CHECK(trap);
        wasm_trap_delete(trap);
    }
    wasm_importtype_vec_delete(&imports);
    wasm_func_delete(func);
    world_delete(&w);
}

TEST(tags_link_modules) {
    struct world a = world_new();
    REQUIRE(world_load(&a, "(module (tag (export \"t\") (param i32)))", 0, NULL));
    wasm_extern_t *tag = wasm_extern_copy(a.exports.data[0]), *import[] = {tag};
    CHECK_EQ(wasm_extern_kind(tag), MOTE_WASM_EXTERN_TAG);
    CHECK(!wasm_extern_as_func(tag) && !wasm_extern_as_memory(tag));
    wasm_externtype_t *type = wasm_extern_type(tag);
    CHECK_EQ(wasm_externtype_kind(type), MOTE_WASM_EXTERN_TAG);
    wasm_externtype_delete(type);
    CHECK(world_load(&a, "(module (import \"\" \"t\" (tag (param i32))) (export \"t\" (tag 0)))", 1, import));
    CHECK(wasm_extern_same(tag, a.exports.data[0]));
    wasm_extern_delete(tag);
    world_delete(&a);
}

/* ---------------------------------------------------------------- globals */

TEST(globals) {
    struct world w = world_new();
    wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
    wasm_val_t value = WASM_I32_VAL(5), wrong = WASM_F32_VAL(5), got;
    wasm_global_t *global = wasm_global_new(w.store, type, &value);
    CHECK(!wasm_global_new(w.store, type, &wrong));
    wasm_extern_t *import[] = {wasm_global_as_extern(global)};
    REQUIRE(world_load(&w, "(module (import \"\" \"g\" (global $g (mut i32))) (global (export \"c\") i64 (i64.const 3))"
                           " (func (export \"twice\") (global.set $g (i32.mul (i32.const 2) (global.get $g)))))", 1, import));
    CHECK(!call_i32(func_at(&w, 1), 0, 0, NULL));
    wasm_global_get(global, &got);
    CHECK_EQ(got.of.i32, 10);
    value.of.i32 = 21;
    wasm_global_set(global, &value);
    wasm_global_set(global, &wrong); /* changes nothing */
    CHECK(!call_i32(func_at(&w, 1), 0, 0, NULL));
    wasm_global_get(global, &got);
    CHECK_EQ(got.of.i32, 42);
    wasm_global_t *constant = wasm_extern_as_global(w.exports.data[0]);
    wasm_val_t eight = WASM_I64_VAL(8);
    wasm_global_set(constant, &eight);
    CHECK(strstr(mote_wasm_store_message(w.store), "immutable"));
    wasm_global_get(constant, &got);
    CHECK_EQ(got.of.i64, 3);
    wasm_globaltype_t *of_constant = wasm_global_type(constant);
    CHECK_EQ(wasm_globaltype_mutability(of_constant), WASM_CONST);
    wasm_globaltype_delete(of_constant);
    wasm_globaltype_delete(type);
    wasm_global_delete(global);
    world_delete(&w);
}

/* ---------------------------------------------------------------- memories */

TEST(memories) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (memory (export \"m\") 1 3) (data (i32.const 8) \"abc\") (func (export \"load\") (param i32) (result i32)"
                           " (i32.load8_u (local.get 0))))", 0, NULL));
    wasm_memory_t *memory = wasm_extern_as_memory(w.exports.data[0]);
    int32_t result = 0;
    CHECK_EQ(wasm_memory_size(memory), 1);
    CHECK_EQ(wasm_memory_data_size(memory), MEMORY_PAGE_SIZE);
    CHECK_MEM(wasm_memory_data(memory) + 8, "abc", 3);
    wasm_memory_data(memory)[9] = 'B';
    CHECK(!call_i32(func_at(&w, 1), 9, 0, &result));
    CHECK_EQ(result, 'B');
    wasm_trap_t *trap = call_i32(func_at(&w, 1), 65536, 0, NULL);
    CHECK(trap_says(trap, "out of bounds memory access"));
    wasm_trap_delete(trap);
    CHECK(wasm_memory_grow(memory, 2));
    CHECK(!wasm_memory_grow(memory, 1));
    CHECK_EQ(wasm_memory_size(memory), 3);
    CHECK_EQ(wasm_memory_data_size(memory), 3 * MEMORY_PAGE_SIZE);
    CHECK(!call_i32(func_at(&w, 1), 65536, 0, &result));
    CHECK_EQ(result, 0);
    wasm_memorytype_t *type = wasm_memory_type(memory);
    CHECK_EQ(wasm_memorytype_limits(type)->min, 3);
    CHECK_EQ(wasm_memorytype_limits(type)->max, 3);
    wasm_memorytype_delete(type);
    world_delete(&w);
}

TEST(impossible_types_of_memories_and_tables) {
    struct world w = world_new();
    wasm_limits_t upside_down = {2, 1}, too_large = {70000, 80000};
    wasm_memorytype_t *types[] = {wasm_memorytype_new(&upside_down), wasm_memorytype_new(&too_large)};
    wasm_tabletype_t *table = wasm_tabletype_new(wasm_valtype_new_funcref(), &upside_down);
    wasm_tabletype_t *numbers = wasm_tabletype_new(wasm_valtype_new_i32(), &too_large);
    for (int i = 0; i < 2; i++) {
        CHECK(!wasm_memory_new(w.store, types[i]));
        wasm_memorytype_delete(types[i]);
    }
    CHECK(!wasm_table_new(w.store, table, NULL));
    CHECK(!wasm_table_new(w.store, numbers, NULL));
    wasm_tabletype_delete(table);
    wasm_tabletype_delete(numbers);
    world_delete(&w);
}

/* ---------------------------------------------------------------- instances and externs */

TEST(exports_in_order_and_as_what_they_are) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func (export \"f\")) (global (export \"g\") i32 (i32.const 1)) (table (export \"t\") 1 funcref)"
                           " (memory (export \"m\") 1))", 0, NULL));
    wasm_extern_vec_t again;
    wasm_instance_exports(w.instance, &again);
    for (wasm_externkind_t i = 0; i < 4; i++) {
        wasm_extern_t *e = w.exports.data[i];
        CHECK(wasm_extern_same(e, again.data[i]));
        CHECK_EQ(wasm_extern_kind(e), i);
        CHECK_EQ(wasm_extern_as_func(e) != NULL, i == WASM_EXTERN_FUNC);
        CHECK_EQ(wasm_extern_as_global(e) != NULL, i == WASM_EXTERN_GLOBAL);
        CHECK_EQ(wasm_extern_as_table(e) != NULL, i == WASM_EXTERN_TABLE);
        CHECK_EQ(wasm_extern_as_memory(e) != NULL, i == WASM_EXTERN_MEMORY);
        CHECK_EQ(wasm_extern_as_func_const(e) != NULL, i == WASM_EXTERN_FUNC);
        CHECK_EQ(wasm_extern_as_global_const(e) != NULL, i == WASM_EXTERN_GLOBAL);
        CHECK_EQ(wasm_extern_as_table_const(e) != NULL, i == WASM_EXTERN_TABLE);
        CHECK_EQ(wasm_extern_as_memory_const(e) != NULL, i == WASM_EXTERN_MEMORY);
        wasm_externtype_t *type = wasm_extern_type(e);
        CHECK_EQ(wasm_externtype_kind(type), i);
        wasm_externtype_delete(type);
    }
    CHECK(wasm_func_as_extern_const(func_at(&w, 0)) == w.exports.data[0]);
    wasm_extern_vec_t copy;
    wasm_extern_vec_copy(&copy, &again);
    wasm_extern_vec_delete(&again);
    CHECK(wasm_extern_same(copy.data[3], w.exports.data[3]));
    wasm_extern_vec_delete(&copy);
    world_delete(&w);
}
