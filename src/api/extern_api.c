/* extern_api.c - the API of memories, tables, globals and tags. */
#include "api/api.h"
#include "run/gc.h"
#include "run/match.h"
#include "run/value.h"
#include <assert.h>

/* ---------------------------------------------------------------- memories */

static bool is_possible_memory(const mote_memorytype *type) {
    uint64_t most = type->is_64 ? UINT64_MAX : UINT32_MAX;
    if (type->page_log2) most = (most >> type->page_log2) + 1;
    if (type->page_log2 != 0 && type->page_log2 != 16) return false;
    if (type->max == UINT64_MAX) return !type->shared && type->min <= most;
    return type->min <= type->max && type->max <= most;
}

mote_status mote_memory_new(mote_store *store, const mote_memorytype *type, mote_memory *out, mote_error *error) {
    API_ERROR(error);
    if (!is_possible_memory(type))
        return mote__error_set(error, MOTE_E_INVALID, MOTE_NO_OFFSET,
                               "not a memory type: its minimum is above its maximum, its pages are of an unknown size or too many, or it is "
                               "shared without a maximum");
    struct mote__memtype inner = {type->min, type->max, type->is_64, type->shared, type->page_log2};
    return mote__memory_new(store, &inner, &out->ptr, error);
}

mote_memorytype mote_memory_type(mote_memory memory) {
    return mote__extern_type((mote_extern){.kind = MOTE_EXTERN_MEMORY, .of.memory = memory}).of.memory;
}

uint8_t *mote_memory_data(mote_memory memory) { return memory.ptr->base; }
uint64_t mote_memory_bytes(mote_memory memory) { return mote__memory_bytes(memory.ptr); }
uint64_t mote_memory_pages(mote_memory memory) { return mote__memory_pages(memory.ptr); }

mote_status mote_memory_grow(mote_memory memory, uint64_t pages, uint64_t *before, mote_error *error) {
    API_ERROR(error);
    uint64_t old = mote__memory_grow(memory.ptr, pages);
    if (old == UINT64_MAX)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "the memory cannot grow by %llu pages: its maximum, the store's limit or the system forbids it",
                               (unsigned long long)pages);
    if (before) *before = old;
    return MOTE_OK;
}

mote_own mote_shared_memory *mote_memory_share(mote_memory memory) {
    struct mote_shared_memory *shared = memory.ptr->shared;
    if (shared) atomic_fetch_add_explicit(&shared->holds, 1, memory_order_relaxed);
    return shared;
}

mote_status mote_memory_from_shared(mote_store *store, mote_shared_memory *shared, mote_memory *out, mote_error *error) {
    API_ERROR(error);
    if (shared->engine != store->engine)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the shared memory belongs to another engine");
    return mote__memory_from_shared(store, shared, &out->ptr, error);
}

void mote_shared_memory_delete(mote_own mote_shared_memory *shared) { mote__shared_memory_release(shared); }

/* ---------------------------------------------------------------- tables */

/* The value to fill a table with: the given one or null, if the element type allows it. */
static mote_status fill_value(mote_store *store, valtype element, const mote_value *fill, uint64_t *out, mote_error *error) {
    mote_value null = mote__value_zero(&store->engine->types, element);
    return mote__value_to_slots(store, element, fill ? fill : &null, out, error);
}

mote_status mote_table_new(mote_store *store, const mote_tabletype *type, const mote_value *fill, mote_table *out, mote_error *error) {
    API_ERROR(error);
    struct mote__tabletype inner = {VT_BOTTOM, type->min, type->max, type->is_64};
    uint64_t value;
    bool possible = type->is_64 || (type->min <= UINT32_MAX && (type->max <= UINT32_MAX || type->max == UINT64_MAX));
    if (!mote__vt_from_public(&store->engine->types, type->element, false, &inner.element) || !mote__vt_is_ref(inner.element) || !possible ||
        type->min > type->max)
        return mote__error_set(error, MOTE_E_INVALID, MOTE_NO_OFFSET,
                               "not a table type: its elements are no references of this engine, or its minimum is above its maximum");
    TRY(fill_value(store, inner.element, fill, &value, error));
    TRY(mote__store_hold_valtype(store, inner.element, error));
    return mote__table_new(store, &inner, value, &out->ptr, error);
}

mote_tabletype mote_table_type(mote_table table) {
    return mote__extern_type((mote_extern){.kind = MOTE_EXTERN_TABLE, .of.table = table}).of.table;
}

uint64_t mote_table_size(mote_table table) { return table.ptr->size; }

static mote_status check_index(mote_table table, uint64_t index, mote_error *error) {
    if (index < table.ptr->size) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "element %llu of a table that has %llu", (unsigned long long)index,
                           (unsigned long long)table.ptr->size);
}

mote_status mote_table_get(mote_table table, uint64_t index, mote_value *out, mote_error *error) {
    API_ERROR(error);
    uint64_t value = 0;
    TRY(check_index(table, index, error));
    if (!mote__table_get(table.ptr, index, &value)) return mote__error_nomem(error, "making a function reference");
    return mote__slots_to_value(table.ptr->store, table.ptr->type.element, &value, out, error);
}

mote_status mote_table_set(mote_table table, uint64_t index, const mote_value *value, mote_error *error) {
    API_ERROR(error);
    uint64_t slot;
    TRY(check_index(table, index, error));
    TRY(mote__value_to_slots(table.ptr->store, table.ptr->type.element, value, &slot, error));
    mote__table_set(table.ptr, index, slot);
    return MOTE_OK;
}

mote_status mote_table_grow(mote_table table, uint64_t count, const mote_value *fill, uint64_t *before, mote_error *error) {
    API_ERROR(error);
    uint64_t value;
    TRY(fill_value(table.ptr->store, table.ptr->type.element, fill, &value, error));
    uint64_t old = mote__table_grow(table.ptr, count, value);
    if (old == UINT64_MAX)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "the table cannot grow by %llu elements: its maximum, the store's limit or the allocator forbids it",
                               (unsigned long long)count);
    if (before) *before = old;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- globals */

mote_status mote_global_new(mote_store *store, const mote_globaltype *type, const mote_value *value, mote_global *out, mote_error *error) {
    API_ERROR(error);
    valtype inner = VT_BOTTOM;
    uint64_t slots[2] = {0};
    if (!mote__vt_from_public(&store->engine->types, type->value, false, &inner))
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "not a type of a global, or a type of another engine");
    TRY(mote__value_to_slots(store, inner, value, slots, error));
    TRY(mote__store_hold_valtype(store, inner, error));
    struct mote__global *global = mote__global_new(store, inner, type->is_mutable);
    if (!global) return mote__error_nomem(error, "making a global");
    memcpy(global->own, slots, sizeof slots);
    out->ptr = global;
    return MOTE_OK;
}

mote_globaltype mote_global_type(mote_global global) {
    return mote__extern_type((mote_extern){.kind = MOTE_EXTERN_GLOBAL, .of.global = global}).of.global;
}

mote_status mote_global_get(mote_global global, mote_value *out, mote_error *error) {
    API_ERROR(error);
    return mote__slots_to_value(global.ptr->store, global.ptr->type, global.ptr->value, out, error);
}

mote_status mote_global_set(mote_global global, const mote_value *value, mote_error *error) {
    API_ERROR(error);
    if (!global.ptr->is_mutable) return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the global is immutable");
    return mote__value_to_slots(global.ptr->store, global.ptr->type, value, global.ptr->value, error);
}

/* ---------------------------------------------------------------- tags */

mote_status mote_tag_new(mote_store *store, const mote_type *type, mote_tag *out, mote_error *error) {
    API_ERROR(error);
    if (type->group->registry != &store->engine->types || type->kind != MOTE_TYPE_FUNC || type->result_count)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a type of another engine, or not a function type without results");
    struct mote__tag *tag = mote__tag_new(store, type);
    if (!tag) return mote__error_nomem(error, "making a tag");
    out->ptr = tag;
    return MOTE_OK;
}

const mote_type *mote_tag_type(mote_tag tag) { return tag.ptr->type; }

/* ---------------------------------------------------------------- any of them */

mote_externtype mote_extern_type(mote_extern external) { return mote__extern_type(external); }
mote_store *mote_extern_store(mote_extern external) { return mote__extern_store(external); }
