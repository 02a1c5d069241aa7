/* run_fuzz.c - execution of generated modules: each is valid, prints and parses back to the same bytes, and runs the same way twice: results,
 * traps, fuel left, globals and memory. */
#include "fuzz.h"
#include "generate.h"

enum { FUEL = 20000 };

/* What can be observed of a run. */
struct outcome {
    uint64_t hash;
};

static void mix(struct outcome *o, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) o->hash = (o->hash ^ bytes[i]) * UINT64_C(0x100000001B3);
}

static void mix_value(struct outcome *o, const mote_value *value) {
    static const uint8_t sizes[] = {[MOTE_I32] = 4, [MOTE_I64] = 8, [MOTE_F32] = 4, [MOTE_F64] = 8, [MOTE_V128] = 16};
    mix(o, &value->of, sizes[value->kind]);
}

static void call(struct outcome *o, mote_store *store, mote_instance instance, const struct gen_func *func, unsigned index) {
    mote_value args[GEN_PARAM_MAX] = {{0}}, result = {0};
    mote_error error = {0};
    mote_func callee;
    const char name[] = {'f', (char)('0' + index), 0};
    MUST(mote_instance_func(instance, name, &callee, &error) == MOTE_OK);
    size_t arg_count = strlen(func->params);
    for (size_t i = 0; i < arg_count; i++) args[i].kind = (uint8_t)gen_type_index(func->params[i]);
    mote_store_set_fuel(store, FUEL);
    mote_status status = mote_call(store, callee, args, arg_count, &result, func->result != 0, &error);
    MUST(status == MOTE_OK || status == MOTE_E_TRAP || status == MOTE_E_EXCEPTION);
    if (status == MOTE_E_EXCEPTION) mote_ref_release(store, mote_store_take_exception(store));
    if (status == MOTE_OK && func->result) mix_value(o, &result);
    uint64_t fuel = mote_store_fuel(store);
    mix(o, &status, sizeof status);
    mix(o, &error.trap, sizeof error.trap);
    mix(o, &fuel, sizeof fuel);
}

/* A memory has whole pages: words of 8 bytes. */
static void mix_memory(struct outcome *o, mote_memory memory) {
    const uint8_t *data = mote_memory_data(memory);
    for (uint64_t at = 0; at < mote_memory_bytes(memory); at += 8) {
        uint64_t word;
        memcpy(&word, data + at, sizeof word);
        o->hash = (o->hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        o->hash ^= o->hash >> 32;
    }
}

static void look(struct outcome *o, mote_instance instance) {
    mote_extern external;
    MUST(mote_instance_find(instance, "m", 1, &external));
    mix_memory(o, external.of.memory);
    for (unsigned i = 0; i < sizeof gen_type_bytes; i++) {
        const char name[] = {'g', (char)('0' + i)};
        mote_value value;
        MUST(mote_instance_find(instance, name, 2, &external));
        MUST(mote_global_get(external.of.global, &value, NULL) == MOTE_OK);
        mix_value(o, &value);
    }
}

static struct outcome run(const struct gen *g, mote_module *module) {
    struct outcome outcome = {UINT64_C(0xCBF29CE484222325)};
    mote_store *store;
    mote_instance instance;
    MUST(mote_store_new(fuzz_engine(), NULL, &store, NULL) == MOTE_OK);
    mote_store_set_fuel(store, FUEL);
    MUST(mote_instance_new(store, module, NULL, 0, &instance, NULL) == MOTE_OK);
    for (unsigned i = 0; i < g->func_count; i++) call(&outcome, store, instance, &g->funcs[i], i);
    look(&outcome, instance);
    mote_store_delete(store);
    return outcome;
}

static void round_trip(const uint8_t *binary, size_t size) {
    char *text = NULL;
    uint8_t *again = NULL;
    size_t text_size, again_size;
    MUST(mote_binary_to_text(fuzz_engine(), binary, size, &text, &text_size, NULL) == MOTE_OK);
    MUST(mote_text_to_binary(fuzz_engine(), text, text_size, &again, &again_size, NULL) == MOTE_OK);
    MUST(again_size == size && !memcmp(again, binary, size));
    mote_bytes_delete(fuzz_engine(), text, text_size);
    mote_bytes_delete(fuzz_engine(), again, again_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *choices, size_t size) {
    static uint8_t binary[GEN_BYTES_MAX];
    struct gen gen;
    mote_error error = {0};
    mote_module *module = NULL;
    size_t binary_size = gen_module(&gen, choices, size, binary);
    if (binary_size == GEN_BYTES_MAX) return -1;
    if (mote_module_new(fuzz_engine(), binary, binary_size, 0, &module, &error) != MOTE_OK) {
        fprintf(stderr, "a generated module is refused: %s\n", error.message);
        abort();
    }
    round_trip(binary, binary_size);
    MUST(run(&gen, module).hash == run(&gen, module).hash);
    mote_module_delete(module);
    return 0;
}
