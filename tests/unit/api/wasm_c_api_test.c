/* wasm_c_api_test.c - the objects of the standard C API: stores, modules, functions, traps, globals, tables, memories, references, their lives. */
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
