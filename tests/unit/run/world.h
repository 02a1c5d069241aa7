/* world.h - an engine, a store and a linker over a counting allocator, for tests of running code; modules as text. Include it first. */
#ifndef MOTE_TESTS_UNIT_RUN_WORLD_H
#define MOTE_TESTS_UNIT_RUN_WORLD_H

#include "test.h"
#include "fail_alloc.h"

#include <mote/mote.h>
#include <stdarg.h>

struct world {
    struct fail_alloc memory;
    mote_engine *engine;
    mote_store *store;
    mote_linker *linker;
    mote_error error;
};

/* With what the caller wants changed in *config and *limits, either of which may be NULL. */
static inline void world_open_with(struct world *w, const mote_config *config, const mote_limits *limits) {
    mote_config mine;
    fail_alloc_init(&w->memory, 0);
    mote_config_init(&mine);
    if (config) mine = *config;
    mine.allocator = w->memory.allocator;
    w->error.message[0] = 0;
    if (mote_engine_new(&mine, &w->engine, &w->error) != MOTE_OK || mote_store_new(w->engine, limits, &w->store, &w->error) != MOTE_OK ||
        mote_linker_new(w->engine, &w->linker, &w->error) != MOTE_OK) {
        printf("cannot make a world: %s\n", w->error.message);
        exit(1);
    }
}

static inline void world_open(struct world *w) { world_open_with(w, NULL, NULL); }

/* Ends it all and checks that nothing is left. */
static inline void world_close(struct world *w) {
    mote_linker_delete(w->linker);
    mote_store_delete(w->store);
    mote_engine_delete(w->engine);
    CHECK_EQ(w->memory.live_blocks, 0);
    CHECK_EQ(w->memory.live_bytes, 0);
    CHECK_EQ(w->memory.wrong_sizes, 0);
}

static inline mote_module *world_module(struct world *w, const char *text) {
    mote_module *module = NULL;
    if (mote_module_new(w->engine, text, strlen(text), 0, &module, &w->error) != MOTE_OK) {
        printf("  module: %s\n", w->error.message);
        test_fail(__FILE__, __LINE__, "mote_module_new");
    }
    return module;
}

/* Links and instantiates; w->error says why not. */
static inline mote_status world_try(struct world *w, const char *text, mote_instance *out) {
    mote_module *module = world_module(w, text);
    if (!module) return MOTE_E_MALFORMED;
    mote_status status = mote_linker_instantiate(w->linker, w->store, module, out, &w->error);
    mote_module_delete(module);
    return status;
}

static inline mote_instance world_instance(struct world *w, const char *text) {
    mote_instance instance = {NULL};
    if (world_try(w, text, &instance) != MOTE_OK) {
        printf("  %s\n", w->error.message);
        test_fail(__FILE__, __LINE__, "mote_linker_instantiate");
    }
    return instance;
}

/* A function type in letters: "iI:f" is (param i32 i64) (result f32); i I f F v, r externref, a anyref, n funcref, x exnref. */
static inline const mote_type *world_type(struct world *w, const char *letters) {
    mote_valtype types[2][16];
    size_t counts[2] = {0};
    int side = 0;
    for (; *letters; letters++) {
        mote_valtype t = MOTE_VALTYPE(MOTE_I32);
        switch (*letters) {
        case ':': side = 1; continue;
        case 'I': t.kind = MOTE_I64; break;
        case 'f': t.kind = MOTE_F32; break;
        case 'F': t.kind = MOTE_F64; break;
        case 'v': t.kind = MOTE_V128; break;
        case 'r': t = MOTE_VALTYPE_REF(MOTE_HEAP_EXTERN); break;
        case 'a': t = MOTE_VALTYPE_REF(MOTE_HEAP_ANY); break;
        case 'n': t = MOTE_VALTYPE_REF(MOTE_HEAP_FUNC); break;
        case 'x': t = MOTE_VALTYPE_REF(MOTE_HEAP_EXN); break;
        default: break;
        }
        types[side][counts[side]++] = t;
    }
    const mote_type *type = NULL;
    if (mote_type_new_func(w->engine, types[0], counts[0], types[1], counts[1], &type, &w->error) != MOTE_OK)
        test_fail(__FILE__, __LINE__, "mote_type_new_func");
    return type;
}

static inline void world_define(struct world *w, const char *module, const char *name, const char *letters, mote_host_fn fn, void *env) {
    const mote_type *type = world_type(w, letters);
    CHECK_EQ(mote_linker_define_func(w->linker, module, name, type, fn, env, &w->error), MOTE_OK);
    mote_type_delete(type);
}

/* Calls an export with `count` i32 arguments and one i32 result; UINT32_MAX - status when it fails. */
static inline uint32_t world_call_i32(struct world *w, mote_instance instance, const char *name, size_t count, ...) {
    mote_value args[8], result = MOTE_VALUE_I32(0);
    mote_func func;
    va_list list;
    va_start(list, count);
    for (size_t i = 0; i < count; i++) args[i] = MOTE_VALUE_I32(va_arg(list, int));
    va_end(list);
    if (!instance.ptr) return UINT32_MAX;
    mote_status status = mote_instance_func(instance, name, &func, &w->error);
    if (status == MOTE_OK) status = mote_call(w->store, func, args, count, &result, mote_type_result_count(mote_func_type(func)), &w->error);
    return status == MOTE_OK ? result.of.i32 : UINT32_MAX - status;
}

/* The same for whether it succeeds. */
static inline mote_status world_call(struct world *w, mote_instance instance, const char *name) {
    uint32_t result = world_call_i32(w, instance, name, 0);
    return result > UINT32_MAX - MOTE_STATUS_COUNT ? (mote_status)(UINT32_MAX - result) : MOTE_OK;
}

#endif
