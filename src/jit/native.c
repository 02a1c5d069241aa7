/* native.c - a function's machine code for people: its bytes, where they come from, and the same as an object file for disassemblers. */
#include "jit/jit.h"
#include "jit/object.h"
#include "run/code.h"
#include "wasm/op.h"

/* The keyword of the instruction at an offset of the module. */
static const char *instruction_name(const mote_module *module, uint64_t offset) {
    struct reader in;
    mote__reader_init(&in, module->bytes.data + offset, module->bytes.size - (size_t)offset);
    uint8_t byte = mote__read_u8(&in);
    enum mote__op op = mote__op_of_byte[byte];
    if (op == OP_INVALID) op = mote__op_lookup(byte, mote__read_u32(&in));
    return op < OP_COUNT && !in.failed ? mote__op_text(&mote__op_info[op]) : "?";
}

static void name_places(const mote_module *module, struct jit_places *places) {
    for (size_t i = 0; i < places->list.count; i++) {
        mote_native_place *place = &places->list.data[i];
        place->name = !i ? "(entry)" : !place->offset ? "(constants)" : instruction_name(module, place->offset);
    }
}

/* Everything in one block: mote_native_delete takes the object for its end. */
static mote_native *pack(const mote_allocator *allocator, const uint8_t *code, struct jit_function f, const struct jit_places *places,
                         const struct object_file *object) {
    size_t size = f.end - f.start, place_bytes = places->list.count * sizeof(mote_native_place);
    uint8_t *block = mote__alloc_zeroed(allocator, sizeof(mote_native) + place_bytes + size + object->bytes.count);
    if (!block) return NULL;
    uint8_t *places_at = block + sizeof(mote_native), *bytes_at = places_at + place_bytes, *object_at = bytes_at + size;
    if (place_bytes) memcpy(places_at, places->list.data, place_bytes);
    memcpy(bytes_at, code, size);
    memcpy(object_at, object->bytes.data, object->bytes.count);
    mote_native *native = (mote_native *)(void *)block;
    *native = (mote_native){
        .bytes = bytes_at, .size = size, .address = f.start, .places = (const mote_native_place *)(const void *)places_at,
        .place_count = places->list.count, .object = object_at, .object_size = object->bytes.count,
    };
    return native;
}

static bool make_object(const mote_module *module, uint32_t own_index, struct jit_function f, struct object_file *out) {
    const struct jit_module *jm = module->tier_data;
    const struct jit_engine *jit = jm->engine;
    static const char cells[] = "cells"; /* of the module's functions: calls go through them */
    uint32_t func_count = module->func_count - module->func_import_count, start = f.start, size = f.end - f.start;
    struct object_symbol symbols[THUNK_COUNT + 2];
    char label[128];
    mote__func_label(module, own_index + module->func_import_count, label);
    mote__jit_thunk_symbols(jit, 0, symbols);
    symbols[THUNK_COUNT] = (struct object_symbol){start, size, {(const uint8_t *)label, strcspn(label, " ")}, OBJECT_FRAME_FUNCTION};
    symbols[THUNK_COUNT + 1] = (struct object_symbol){jm->cells, func_count * sizeof(void *), {(const uint8_t *)cells, sizeof cells - 1}, OBJECT_FRAME_FUNCTION};
    struct object_code code = {start, size, jit_address(jit, start)};
    return mote__object_make(out, &module->engine->config.allocator, code, symbols, THUNK_COUNT + 2);
}

static mote_status describe(mote_module *module, uint32_t own_index, struct jit_function f, mote_native **out, mote_error *error) {
    const mote_allocator *allocator = &module->engine->config.allocator;
    const struct jit_engine *jit = ((const struct jit_module *)module->tier_data)->engine;
    struct jit_places places = {0};
    struct object_file object = {0};
    mote_status status;
    enum jit_result result = mote__jit_places(module, own_index, &places, &status, error);
    name_places(module, &places);
    if (result == JIT_DONE && make_object(module, own_index, f, &object)) *out = pack(allocator, jit_address(jit, f.start), f, &places, &object);
    else if (status == MOTE_OK) status = mote__error_nomem(error, "describing a function");
    if (status == MOTE_OK && !*out) status = mote__error_nomem(error, "describing a function");
    mote__vec_deinit(&places.list, allocator);
    mote__object_deinit(&object, allocator);
    return status;
}

mote_status mote__jit_native(mote_module *module, uint32_t own_index, mote_native **out, mote_error *error) {
    struct jit_module *jm = module->tier_data;
    struct jit_function f;
    mote_status status = MOTE_OK;
    void *entry = mote__jit_function_entry(module, own_index, &status, error);
    if (!entry) return status;
    mote_native *native = NULL;
    if (!mote__jit_find(jm, jit_offset(jm->engine, entry), &f))
        return mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET, "function %u is left to the interpreter", own_index + module->func_import_count);
    status = describe(module, own_index, f, &native, error);
    if (status == MOTE_OK) *out = native;
    return status;
}
