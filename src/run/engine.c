/* engine.c - the engine: configuration, canonical types, and the count of those who hold it. Modules are counted here too, because the
 * last hold on one releases the engine. */
#include "run/code.h"
#include "run/tier.h"
#include "run/timer.h"
#include "wasm/limits.h"
#include "wasm/op.h"
#include <assert.h>

void mote__config_init(mote_config *config) {
    *config = (mote_config){
        .allocator = mote__allocator_libc,
        .features = mote__features_default(),
        .code_bytes_max = LIMIT_BODY_BYTES,
    };
}

/* Fills in what the caller left out, so that nobody has to ask again. */
static mote_config complete(const mote_config *given) {
    mote_config config;
    mote__config_init(&config);
    if (!given) return config;
    config = *given;
    if (!config.allocator.resize) config.allocator = mote__allocator_libc;
    if (!config.code_bytes_max) config.code_bytes_max = LIMIT_BODY_BYTES;
    config.features = mote__features_close(config.features);
    return config;
}

mote_status mote__engine_new(const mote_config *given, const struct mote__tier *tier, mote_engine **out, mote_error *error) {
    mote_config config = complete(given);
    mote_engine *engine = MOTE__NEW(&config.allocator, mote_engine);
    if (!engine) return mote__error_nomem(error, "making an engine");
    engine->holds = 1;
    engine->config = config;
    mote_status status = mote__types_init(&engine->types, &engine->config.allocator);
    if (status != MOTE_OK) {
        MOTE__DELETE(&config.allocator, engine);
        return mote__error_nomem(error, "making an engine");
    }
    status = tier ? tier->engine_begin(engine) : MOTE_E_UNSUPPORTED;
    if (status == MOTE_OK) engine->tier = tier;
    if (status == MOTE_E_NOMEM || status == MOTE_E_IO) {
        mote__engine_release(engine);
        return status == MOTE_E_NOMEM ? mote__error_nomem(error, "making an engine")
                                      : mote__error_set(error, MOTE_E_IO, MOTE_NO_OFFSET, "cannot write the file for perf in /tmp");
    }
    *out = engine;
    return MOTE_OK;
}

static void free_engine(mote_engine *engine) {
    mote_allocator allocator = engine->config.allocator;
    mote__timer_stop(engine);
    if (engine->tier) engine->tier->engine_end(engine);
    mote__stacks_end(engine);
    mote__types_deinit(&engine->types);
    MOTE__DELETE(&allocator, engine);
}

mote_engine *mote__engine_retain(mote_engine *engine) {
    atomic_fetch_add_explicit(&engine->holds, 1, memory_order_relaxed);
    return engine;
}

void mote__engine_release(mote_engine *engine) {
    uint32_t before = atomic_fetch_sub_explicit(&engine->holds, 1, memory_order_acq_rel);
    assert(before);
    if (before == 1) free_engine(engine);
}

struct mote__types *mote__engine_types(mote_engine *engine) { return &engine->types; }
const mote_allocator *mote__engine_allocator(const mote_engine *engine) { return &engine->config.allocator; }

mote_engine *mote__engine_of_types(struct mote__types *types) {
    return (mote_engine *)(void *)((uint8_t *)types - offsetof(mote_engine, types));
}

/* ---------------------------------------------------------------- modules */

mote_status mote__module_new(mote_engine *engine, struct span bytes, bool borrow, mote_module **out, mote_error *error) {
    const mote_config *config = &engine->config;
    mote_module *module;
    TRY(mote__module_decode(engine, &engine->types, &config->allocator, config->features, config->code_bytes_max, bytes, borrow, &module,
                            error));
    module->code = MOTE__ARENA_ARRAY(&module->arena, _Atomic(void *), module->func_count - module->func_import_count);
    if (!module->code) {
        mote__module_free(module);
        return mote__error_nomem(error, "making a module");
    }
    module->code_drop = mote__code_drop;
    mote_status status = engine->tier ? engine->tier->module_begin(module, error) : MOTE_OK;
    if (status != MOTE_OK) {
        mote__module_free(module);
        return status;
    }
    mote__engine_retain(engine);
    status = config->compile_threads ? mote__module_compile(module, &(struct mote__compile_job){.threads = config->compile_threads}, error) : MOTE_OK;
    if (status == MOTE_OK) *out = module;
    else mote__module_release(module);
    return status;
}

mote_status mote__module_compile(mote_module *module, const struct mote__compile_job *job, mote_error *error) {
    const struct mote__tier *tier = module->engine->tier;
    return tier ? tier->compile_all(module, job, error) : MOTE_OK;
}

void mote__module_code_stats(mote_module *module, mote_code_stats *out) {
    const struct mote__tier *tier = module->engine->tier;
    *out = (mote_code_stats){.func_count = module->func_count - module->func_import_count};
    for (uint32_t i = 0; i < out->func_count; i++) out->body_bytes += module->bodies[i].bytes;
    if (tier) tier->code_stats(module, out);
    else out->interpreted_count = out->func_count;
}

mote_module *mote__module_retain(mote_module *module) {
    atomic_fetch_add_explicit(&module->holds, 1, memory_order_relaxed);
    return module;
}

void mote__module_release(mote_module *module) {
    if (atomic_fetch_sub_explicit(&module->holds, 1, memory_order_acq_rel) != 1) return;
    mote_engine *engine = module->engine;
    mote__module_free(module);
    mote__engine_release(engine);
}
