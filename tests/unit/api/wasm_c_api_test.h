/* wasm_c_api_test.h - what the tests of the standard C API share: a store with a module in it, short ways to its exports. */
#ifndef MOTE_TESTS_UNIT_API_WASM_C_API_TEST_H
#define MOTE_TESTS_UNIT_API_WASM_C_API_TEST_H

#include <mote/wasm.h>
#include "test.h"

/* An engine and a store, and what was instantiated last. */
struct world {
    wasm_engine_t *engine;
    wasm_store_t *store;
    wasm_module_t *module;
    wasm_instance_t *instance;
    wasm_extern_vec_t exports;
    wasm_trap_t *trap; /* of the instantiation */
};

static inline struct world world_new(void) {
    struct world w = {.engine = wasm_engine_new()};
    w.store = wasm_store_new(w.engine);
    return w;
}

static inline wasm_byte_vec_t bytes_of(const char *text) {
    wasm_byte_vec_t bytes;
    wasm_byte_vec_new(&bytes, strlen(text), text);
    return bytes;
}

static inline wasm_module_t *compile(wasm_store_t *store, const char *text) {
    wasm_byte_vec_t bytes = bytes_of(text);
    wasm_module_t *module = wasm_module_new(store, &bytes);
    if (!module) printf("  %s\n", mote_wasm_store_message(store));
    wasm_byte_vec_delete(&bytes);
    return module;
}

static inline void world_clear(struct world *w) {
    wasm_extern_vec_delete(&w->exports);
    wasm_instance_delete(w->instance);
    wasm_module_delete(w->module);
    wasm_trap_delete(w->trap);
    w->instance = NULL;
    w->module = NULL;
    w->trap = NULL;
}

/* Compiles and instantiates with `count` imports; the module and its imports are kept by the world and by the caller. */
static inline bool world_load(struct world *w, const char *text, size_t count, wasm_extern_t **imports) {
    wasm_extern_vec_t given = {count, imports};
    world_clear(w);
    w->module = compile(w->store, text);
    if (w->module) w->instance = wasm_instance_new(w->store, w->module, &given, &w->trap);
    if (w->instance) wasm_instance_exports(w->instance, &w->exports);
    return w->instance != NULL;
}

static inline void world_delete(struct world *w) {
    world_clear(w);
    wasm_store_delete(w->store);
    wasm_engine_delete(w->engine);
}

static inline wasm_func_t *func_at(struct world *w, size_t index) { return wasm_extern_as_func(w->exports.data[index]); }

/* Calls with up to two i32 for one i32 (or none: then 0). */
static inline wasm_trap_t *call_i32(wasm_func_t *func, int32_t a, int32_t b, int32_t *out) {
    wasm_val_t args[2] = {WASM_I32_VAL(a), WASM_I32_VAL(b)}, result[1] = {WASM_I32_VAL(0)};
    wasm_val_vec_t given = {wasm_func_param_arity(func), args}, results = {wasm_func_result_arity(func), result};
    wasm_trap_t *trap = wasm_func_call(func, &given, &results);
    if (out) *out = result[0].of.i32;
    return trap;
}

/* The trap's message equals `text`. */
static inline bool trap_says(const wasm_trap_t *trap, const char *text) {
    wasm_message_t message;
    if (!trap) return false;
    wasm_trap_message(trap, &message);
    bool same = message.size == strlen(text) + 1 && !memcmp(message.data, text, message.size);
    if (!same) printf("  \"%s\"\n  in place of\n  \"%s\"\n", message.data ? message.data : "(no memory)", text);
    wasm_byte_vec_delete(&message);
    return same;
}

static inline bool name_is(const wasm_name_t *name, const char *text) { return name->size == strlen(text) && !memcmp(name->data, text, name->size); }

static inline wasm_trap_t *trap_with(wasm_store_t *store, const char *text) {
    wasm_message_t message;
    wasm_name_new_from_string_nt(&message, text);
    wasm_trap_t *trap = wasm_trap_new(store, &message);
    wasm_byte_vec_delete(&message);
    return trap;
}

/* A finalizer that counts. */
static inline void count_up(void *counter) { ++*(int *)counter; }

#endif
