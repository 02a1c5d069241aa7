/* wasm_stores.c - the standard C API's allocator, configuration, engines and stores. An engine is a mote_engine by another name. */
#include "api/wasm_api.h"

/* ---------------------------------------------------------------- the allocator */

static mote_allocator chosen; /* resize NULL: nobody has chosen */

const mote_allocator *mote__wasm_allocator(void) { return chosen.resize ? &chosen : &mote__allocator_libc; }
void mote_wasm_set_allocator(const mote_allocator *allocator) { chosen = allocator ? *allocator : (mote_allocator){0}; }

/* ---------------------------------------------------------------- configuration and engines */

struct wasm_config_t {
    mote_config config;
};

wasm_config_t *wasm_config_new(void) {
    wasm_config_t *config = WASM__NEW(wasm_config_t);
    if (!config) return NULL;
    mote_config_init(&config->config);
    config->config.allocator = *mote__wasm_allocator();
    return config;
}

void wasm_config_delete(wasm_config_t *config) {
    if (config) WASM__DELETE(config);
}

mote_config *mote_wasm_config(wasm_config_t *config) { return &config->config; }

static wasm_engine_t *new_engine(const mote_config *config) {
    mote_engine *engine = NULL;
    return mote_engine_new(config, &engine, NULL) == MOTE_OK ? (wasm_engine_t *)engine : NULL;
}

wasm_engine_t *wasm_engine_new(void) {
    mote_config config;
    mote_config_init(&config);
    config.allocator = *mote__wasm_allocator();
    return new_engine(&config);
}

wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *config) {
    if (!config) return NULL;
    wasm_engine_t *engine = new_engine(&config->config);
    wasm_config_delete(config);
    return engine;
}

void wasm_engine_delete(wasm_engine_t *engine) { mote_engine_delete((mote_engine *)engine); }

/* ---------------------------------------------------------------- stores */

static void init_no_memory(wasm_store_t *store) {
    static const char message[] = "out of memory";
    wasm_ref_t *trap = &store->no_memory.base;
    trap->kind = OBJECT_TRAP;
    trap->store = store;
    trap->key = trap;
    trap->of.trap = (struct trap_info){.message = message, .message_bytes = sizeof message};
}

wasm_store_t *wasm_store_new(wasm_engine_t *engine) {
    wasm_store_t *store = engine ? WASM__NEW(wasm_store_t) : NULL;
    if (!store) return NULL;
    mote_limits limits;
    mote_limits_init(&limits);
    limits.instances_max = UINT32_MAX; /* this API cannot set it, and programs make and drop many in one store */
    if (mote_store_new((mote_engine *)engine, &limits, &store->store, NULL) != MOTE_OK) {
        WASM__DELETE(store);
        return NULL;
    }
    mote__map_init(&store->objects, mote__wasm_allocator());
    init_no_memory(store);
    mote__wasm_store_enter(store);
    return store;
}

void wasm_store_delete(wasm_store_t *store) {
    if (store) mote__wasm_store_leave(store);
}

mote_store *mote_wasm_store(wasm_store_t *store) { return store->store; }
const char *mote_wasm_store_message(const wasm_store_t *store) { return store->error.message; }
