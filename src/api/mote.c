/* mote.c - the API of versions, features, engines, modules and the text format (mote.h): checks arguments, calls one internal function. Its other
 * nouns have files of their own beside this one. */
#include "api/api.h"
#include "jit/tiers.h"
#include "run/code.h"
#include "run/tier.h"
#include "text/parser.h"
#include "text/printer.h"
#include "wasm/op.h"
#include <assert.h>

/* ---------------------------------------------------------------- version and features */

const char *mote_version(void) { return MOTE_VERSION; }

mote_features mote_features_default(void) { return mote__features_default(); }

mote_features mote_feature_find(const char *name) {
    int index = mote__feature_find(name, strlen(name));
    return index < 0 ? 0 : UINT64_C(1) << index;
}

mote_features mote_features_with(mote_features set, mote_features more) { return mote__features_close(set | more); }

mote_features mote_features_without(mote_features set, mote_features less) { return mote__features_without(set, less); }

const char *mote_feature_name(unsigned index) {
    return index < FEATURE_COUNT ? mote__feature_name((enum mote__feature)index) : NULL;
}

const char *mote_feature_text(unsigned index) {
    static const char *const texts[] = {
#define FEATURE(ident, name, def, implied, text) text,
#include "wasm/features.def"
#undef FEATURE
    };
    return index < FEATURE_COUNT ? texts[index] : NULL;
}

/* ---------------------------------------------------------------- engines */

void mote_config_init(mote_config *config) { mote__config_init(config); }

static const struct mote__tier *wanted_tier(const mote_config *config) {
    return config && config->tier == MOTE_TIER_INTERPRETER ? NULL : mote__jit_tier();
}

mote_tier mote_engine_tier(const mote_engine *engine, const char **why) {
    const mote_config *config = &engine->config;
    const char *reason = NULL;
    if (!engine->tier && config->tier != MOTE_TIER_INTERPRETER)
        reason = mote__jit_tier() ? "the system refuses memory for machine code" : "there is no compiler for this processor";
    if (why) *why = reason;
    return engine->tier ? MOTE_TIER_BASELINE : MOTE_TIER_INTERPRETER;
}

mote_status mote_engine_new(const mote_config *config, mote_own mote_engine **out, mote_error *error) {
    API_ERROR(error);
    assert(out);
    return mote__engine_new(config, wanted_tier(config), out, error);
}

void mote_engine_delete(mote_engine *engine) {
    if (engine) mote__engine_release(engine);
}

/* ---------------------------------------------------------------- modules */

/* Text begins with a parenthesis or a comment, after blanks; everything else is taken for binary, and judged as such. */
static bool looks_like_text(struct span bytes) {
    size_t i = 0;
    while (i < bytes.size && memchr(" \t\r\n", bytes.data[i], 4)) i++;
    return i < bytes.size && (bytes.data[i] == '(' || bytes.data[i] == ';');
}

static mote_status new_from_text(mote_engine *engine, struct span text, mote_module **out, mote_error *error) {
    const mote_allocator *a = mote__engine_alloc(engine);
    struct text_binary binary;
    TRY(mote__text_to_binary(a, text, engine->config.features, &binary, error));
    struct span bytes = {binary.bytes, binary.size};
    mote_status status = mote__module_new(engine, bytes, false, out, error);
    if (status != MOTE_OK) mote__text_explain(a, text, engine->config.features, bytes, error);
    mote__text_binary_deinit(a, &binary);
    return status;
}

mote_status mote_module_new(mote_engine *engine, const void *bytes, size_t size, unsigned flags, mote_own mote_module **out,
                            mote_error *error) {
    API_ERROR(error);
    struct span span = {bytes, size};
    assert(engine && out && (bytes || !size));
    if (looks_like_text(span)) return new_from_text(engine, span, out, error);
    return mote__module_new(engine, span, flags & MOTE_MODULE_BORROW, out, error);
}

mote_status mote_module_validate(mote_engine *engine, const void *bytes, size_t size, mote_error *error) {
    mote_module *module;
    TRY(mote_module_new(engine, bytes, size, MOTE_MODULE_BORROW, &module, error));
    mote__module_release(module);
    return MOTE_OK;
}

mote_status mote_module_compile(mote_module *module, uint32_t threads, mote_compile_progress *progress, void *context, mote_error *error) {
    API_ERROR(error);
    struct mote__compile_job job = {threads ? threads : mote__os_cpu_count(), progress, context};
    return mote__module_compile(module, &job, error);
}

void mote_module_code_stats(mote_module *module, mote_code_stats *out) { mote__module_code_stats(module, out); }

mote_own mote_module *mote_module_retain(mote_module *module) { return mote__module_retain(module); }

void mote_module_delete(mote_own mote_module *module) {
    if (module) mote__module_release(module);
}

mote_engine *mote_module_engine(const mote_module *module) { return module->engine; }
mote_name mote_module_name(const mote_module *module) { return mote__name_of(mote__module_name(module)); }
size_t mote_module_import_count(const mote_module *module) { return module->import_count; }
size_t mote_module_export_count(const mote_module *module) { return module->export_count; }

bool mote_module_custom(const mote_module *module, const char *name, size_t number, const uint8_t **bytes, size_t *size) {
    const struct mote__custom *custom = mote__module_custom(module, name, number);
    if (!custom) return false;
    *bytes = custom->bytes.data;
    *size = custom->bytes.size;
    return true;
}

/* ---------------------------------------------------------------- text */

mote_status mote_text_to_binary(mote_engine *engine, const void *text, size_t size, mote_own uint8_t **out, size_t *out_size,
                                mote_error *error) {
    API_ERROR(error);
    struct text_binary binary;
    TRY(mote__text_to_binary(mote__engine_alloc(engine), (struct span){text, size}, engine->config.features, &binary, error));
    *out = binary.bytes;
    *out_size = binary.size;
    return MOTE_OK;
}

mote_status mote_binary_to_text(mote_engine *engine, const void *bytes, size_t size, mote_own char **out, size_t *out_size,
                                mote_error *error) {
    API_ERROR(error);
    struct text_output output;
    TRY(mote__binary_to_text(mote__engine_alloc(engine), (struct span){bytes, size}, NULL, &output, error));
    *out = output.text;
    *out_size = output.size;
    return MOTE_OK;
}

mote_status mote_module_code_text(mote_module *module, uint32_t func_index, mote_own char **out, size_t *out_size, mote_error *error) {
    API_ERROR(error);
    bool is_own = func_index >= module->func_import_count && func_index < module->func_count;
    if (!is_own) return mote__error_set(error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, "function %u has no code in this module", func_index);
    return mote__code_print(module, func_index, out, out_size, error);
}

mote_status mote_module_native(mote_module *module, uint32_t func_index, mote_own mote_native **out, mote_error *error) {
    API_ERROR(error);
    const struct mote__tier *tier = module->engine->tier;
    bool is_own = func_index >= module->func_import_count && func_index < module->func_count;
    if (!is_own) return mote__error_set(error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, "function %u has no code in this module", func_index);
    if (tier) return tier->native(module, func_index - module->func_import_count, out, error);
    return mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET, "functions are interpreted here");
}

void mote_native_delete(mote_engine *engine, mote_own mote_native *native) {
    if (native) mote__free(mote__engine_alloc(engine), native, (size_t)(native->object + native->object_size - (const uint8_t *)native));
}

void mote_bytes_delete(mote_engine *engine, mote_own void *bytes, size_t size) { mote__free(mote__engine_alloc(engine), bytes, size); }

bool mote_is_binary(const void *bytes, size_t size) { return mote__is_binary((struct span){bytes, size}); }
