/* wasm_externs.c - externs of the standard C API: globals, tables, memories, and what all of them share. */
#include "api/wasm_api.h"

/* ---------------------------------------------------------------- any extern */

static wasm_externtype_t *type_of(const wasm_ref_t *object) {
    mote_externtype type = mote_extern_type(object->of.external);
    return mote__wasm_externtype(&type);
}

wasm_externkind_t wasm_extern_kind(const wasm_extern_t *external) { return (wasm_externkind_t)external->base.kind; }
wasm_externtype_t *wasm_extern_type(const wasm_extern_t *external) { return type_of(&external->base); }

static uint32_t shown(uint64_t size) { return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX; }

/* ---------------------------------------------------------------- globals */

wasm_global_t *wasm_global_new(wasm_store_t *store, const wasm_globaltype_t *type, const wasm_val_t *value) {
    mote_globaltype exact = {type->content->exact, type->mutability == WASM_VAR};
    mote_extern external = {.kind = MOTE_EXTERN_GLOBAL};
    mote_value initial;
    if (mote__wasm_value_in(store, exact.value, value, &initial, &store->error) != MOTE_OK ||
        mote_global_new(store->store, &exact, &initial, &external.of.global, &store->error) != MOTE_OK)
        return NULL;
    return (wasm_global_t *)mote__wasm_extern(store, external);
}

wasm_globaltype_t *wasm_global_type(const wasm_global_t *global) { return (wasm_globaltype_t *)type_of(&global->base); }

void wasm_global_get(const wasm_global_t *global, wasm_val_t *out) {
    wasm_store_t *store = global->base.store;
    mote_global of = global->base.of.external.of.global;
    mote_valtype type = mote_global_type(of).value;
    mote_value value;
    if (mote__wasm_check_type(type, &store->error) == MOTE_OK && mote_global_get(of, &value, &store->error) == MOTE_OK &&
        mote__wasm_value_out(store, &value, out, &store->error) == MOTE_OK)
        return;
    *out = (wasm_val_t){.kind = mote__wasm_kind(type)};
}

void wasm_global_set(wasm_global_t *global, const wasm_val_t *value) {
    wasm_store_t *store = global->base.store;
    mote_global of = global->base.of.external.of.global;
    mote_value given;
    if (mote__wasm_value_in(store, mote_global_type(of).value, value, &given, &store->error) != MOTE_OK) return;
    if (mote_global_set(of, &given, &store->error) != MOTE_OK) return; /* the message says why */
}

/* ---------------------------------------------------------------- tables */

static mote_table table_of(const wasm_table_t *table) { return table->base.of.external.of.table; }
static mote_valtype element_of(const wasm_table_t *table) { return mote_table_type(table_of(table)).element; }

wasm_table_t *wasm_table_new(wasm_store_t *store, const wasm_tabletype_t *type, wasm_ref_t *init) {
    mote_extern external = {.kind = MOTE_EXTERN_TABLE};
    mote_value fill;
    if (mote__wasm_ref_in(store, type->exact.element, init, &fill, &store->error) != MOTE_OK ||
        mote_table_new(store->store, &type->exact, &fill, &external.of.table, &store->error) != MOTE_OK)
        return NULL;
    return (wasm_table_t *)mote__wasm_extern(store, external);
}

wasm_tabletype_t *wasm_table_type(const wasm_table_t *table) { return (wasm_tabletype_t *)type_of(&table->base); }
wasm_table_size_t wasm_table_size(const wasm_table_t *table) { return shown(mote_table_size(table_of(table))); }

wasm_ref_t *wasm_table_get(const wasm_table_t *table, wasm_table_size_t index) {
    wasm_store_t *store = table->base.store;
    mote_value value;
    wasm_ref_t *ref = NULL;
    if (mote_table_get(table_of(table), index, &value, &store->error) != MOTE_OK) return NULL;
    return mote__wasm_ref_out(store, &value, &ref, &store->error) == MOTE_OK ? ref : NULL;
}

bool wasm_table_set(wasm_table_t *table, wasm_table_size_t index, wasm_ref_t *ref) {
    wasm_store_t *store = table->base.store;
    mote_value value;
    return mote__wasm_ref_in(store, element_of(table), ref, &value, &store->error) == MOTE_OK &&
           mote_table_set(table_of(table), index, &value, &store->error) == MOTE_OK;
}

bool wasm_table_grow(wasm_table_t *table, wasm_table_size_t delta, wasm_ref_t *init) {
    wasm_store_t *store = table->base.store;
    mote_value fill;
    return mote__wasm_ref_in(store, element_of(table), init, &fill, &store->error) == MOTE_OK &&
           mote_table_grow(table_of(table), delta, &fill, NULL, &store->error) == MOTE_OK;
}

/* ---------------------------------------------------------------- memories */

static mote_memory memory_of(const wasm_memory_t *memory) { return memory->base.of.external.of.memory; }

wasm_memory_t *wasm_memory_new(wasm_store_t *store, const wasm_memorytype_t *type) {
    mote_extern external = {.kind = MOTE_EXTERN_MEMORY};
    if (mote_memory_new(store->store, &type->exact, &external.of.memory, &store->error) != MOTE_OK) return NULL;
    return (wasm_memory_t *)mote__wasm_extern(store, external);
}

wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *memory) { return (wasm_memorytype_t *)type_of(&memory->base); }
byte_t *wasm_memory_data(wasm_memory_t *memory) { return (byte_t *)mote_memory_data(memory_of(memory)); }
size_t wasm_memory_data_size(const wasm_memory_t *memory) { return (size_t)mote_memory_bytes(memory_of(memory)); }
wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *memory) { return shown(mote_memory_pages(memory_of(memory))); }

bool wasm_memory_grow(wasm_memory_t *memory, wasm_memory_pages_t delta) {
    return mote_memory_grow(memory_of(memory), delta, NULL, &memory->base.store->error) == MOTE_OK;
}
