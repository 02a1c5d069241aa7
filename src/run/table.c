/* table.c - tables (core spec, "Execution / Runtime Structure / Table Instances").
 * Keeps: an element of a function table is never "null as 0": 0 means that the lazy image says what it is, and only elements
 * [lazy_start, lazy_start + lazy_count) may be 0. Reading one makes its function and stores it. */
#include "run/store.h"
#include <assert.h>

#define NULL_FUNC ((uint64_t)(uintptr_t)&mote__func_null)

/* How a reference value stands in the table. */
static uint64_t stored(const struct mote__table *table, uint64_t value) { return table->is_func && !value ? NULL_FUNC : value; }

static void fill_range(struct mote__table *table, uint64_t index, uint64_t value, uint64_t count) {
    uint64_t element = stored(table, value);
    for (uint64_t i = 0; i < count; i++) table->elements[index + i] = element;
}

static bool in_bounds(const struct mote__table *table, uint64_t index, uint64_t count) {
    return index <= table->size && count <= table->size - index;
}

/* ---------------------------------------------------------------- making, growing, freeing */

uint64_t mote__tabletype_size_max(const struct mote__tabletype *type) {
    uint64_t most = type->is_64 ? UINT64_MAX : UINT32_MAX;
    return type->max < most ? type->max : most;
}

static bool over_limit(const mote_store *store, uint64_t count) { return count > store->limits.table_elements_max - store->table_elements; }

/* Changes the capacity; the elements beyond the old one are rubbish. */
static bool resize(struct mote__table *table, uint64_t capacity) {
    if (capacity > SIZE_MAX / sizeof *table->elements) return false;
    uint64_t *elements = mote__realloc_array(mote__engine_alloc(table->store->engine), table->elements, (size_t)table->capacity,
                                             (size_t)capacity, sizeof *elements);
    if (!elements) return false;
    table->elements = elements;
    table->capacity = capacity;
    return true;
}

mote_status mote__table_new(mote_store *store, const struct mote__tabletype *type, uint64_t fill, struct mote__table **out, mote_error *error) {
    const mote_allocator *a = mote__engine_alloc(store->engine);
    if (over_limit(store, type->min))
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "a table of %llu elements is over the store's limit of %llu elements, of which %llu are in use",
                               (unsigned long long)type->min, (unsigned long long)store->limits.table_elements_max,
                               (unsigned long long)store->table_elements);
    struct mote__table *table = MOTE__NEW(a, struct mote__table);
    if (!table) return mote__error_nomem(error, "making a table");
    *table = (struct mote__table){.store = store, .type = *type, .next = store->tables};
    table->is_func = mote__heap_top(&store->engine->types, mote__vt_heap(type->element)) == MOTE_HEAP_FUNC;
    if (type->min && !resize(table, type->min)) {
        MOTE__DELETE(a, table);
        return mote__error_nomem(error, "making a table");
    }
    table->size = type->min;
    fill_range(table, 0, fill, table->size);
    store->table_elements += table->size;
    store->tables = table;
    *out = table;
    return MOTE_OK;
}

void mote__table_free(struct mote__table *table) {
    const mote_allocator *a = mote__engine_alloc(table->store->engine);
    table->store->table_elements -= table->size;
    MOTE__DELETE_ARRAY(a, table->elements, table->capacity);
    MOTE__DELETE(a, table);
}

#ifdef MOTE_HOSTILE
enum { HOSTILE = 1 };
#else
enum { HOSTILE = 0 };
#endif

/* Room for `size` elements: half as much again as there was, so that growing one by one is linear. The hostile build leaves no room, so that the
 * elements move each time. */
static bool reserve(struct mote__table *table, uint64_t size) {
    uint64_t roomy = table->capacity + table->capacity / 2;
    if (size <= table->capacity) return true;
    return (!HOSTILE && roomy > size && resize(table, roomy)) || resize(table, size);
}

uint64_t mote__table_grow(struct mote__table *table, uint64_t count, uint64_t fill) {
    uint64_t before = table->size;
    if (count > mote__tabletype_size_max(&table->type) - before || over_limit(table->store, count)) return UINT64_MAX;
    if (!reserve(table, before + count)) return UINT64_MAX;
    table->size = before + count;
    table->store->table_elements += count;
    fill_range(table, before, fill, count);
    return before;
}

/* ---------------------------------------------------------------- elements */

/* Makes the function of an element that is still an entry of the lazy image. */
static bool resolve(struct mote__table *table, uint64_t index) {
    assert(index - table->lazy_start < table->lazy_count);
    struct mote__func *func = mote__instance_func(table->lazy_instance, table->lazy[index - table->lazy_start]);
    if (func) table->elements[index] = (uint64_t)(uintptr_t)func;
    return func != NULL;
}

bool mote__table_get(struct mote__table *table, uint64_t index, uint64_t *value) {
    assert(index < table->size);
    if (table->is_func && !table->elements[index] && !resolve(table, index)) return false;
    uint64_t element = table->elements[index];
    *value = element == NULL_FUNC ? 0 : element;
    return true;
}

void mote__table_set(struct mote__table *table, uint64_t index, uint64_t value) {
    assert(index < table->size);
    table->elements[index] = stored(table, value);
}

uint32_t mote__table_fill(struct mote__table *table, uint64_t index, uint64_t value, uint64_t count) {
    if (!in_bounds(table, index, count)) return MOTE_TRAP_TABLE_OUT_OF_BOUNDS;
    fill_range(table, index, value, count);
    return MOTE_TRAP_NONE;
}

/* Elements of one table may leave it: none of them may depend on the image then. */
static bool resolve_range(struct mote__table *table, uint64_t index, uint64_t count) {
    for (uint64_t i = 0; table->lazy_count && i < count; i++)
        if (!table->elements[index + i] && !resolve(table, index + i)) return false;
    return true;
}

uint32_t mote__table_copy(struct mote__table *to_table, uint64_t to, struct mote__table *from_table, uint64_t from, uint64_t count) {
    if (!in_bounds(to_table, to, count) || !in_bounds(from_table, from, count)) return MOTE_TRAP_TABLE_OUT_OF_BOUNDS;
    if (!count) return MOTE_TRAP_NONE;
    if (!resolve_range(from_table, from, count)) return MOTE_TRAP_ALLOCATION_FAILED;
    memmove(to_table->elements + to, from_table->elements + from, (size_t)count * sizeof *to_table->elements);
    return MOTE_TRAP_NONE;
}

/* ---------------------------------------------------------------- segments */

bool mote__elem_value(struct mote__instance *instance, uint32_t elem_index, uint32_t i, uint64_t *value) {
    const struct mote__elem *elem = &instance->module->elems[elem_index];
    assert(i < elem->count);
    if (!elem->funcs) {
        *value = instance->elem_values[elem_index][i];
        return true;
    }
    struct mote__func *func = mote__instance_func(instance, elem->funcs[i]);
    *value = (uint64_t)(uintptr_t)func;
    return func != NULL;
}

uint32_t mote__table_init(struct mote__instance *instance, uint32_t table_index, uint32_t elem_index, uint64_t to, uint32_t from,
                          uint32_t count) {
    struct mote__table *table = instance->tables[table_index];
    uint32_t size = instance->elems_dropped[elem_index] ? 0 : instance->module->elems[elem_index].count;
    if (from > size || count > size - from || !in_bounds(table, to, count)) return MOTE_TRAP_TABLE_OUT_OF_BOUNDS;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value;
        if (!mote__elem_value(instance, elem_index, from + i, &value)) return MOTE_TRAP_ALLOCATION_FAILED;
        mote__table_set(table, to + i, value);
    }
    return MOTE_TRAP_NONE;
}

bool mote__table_set_lazily(struct mote__table *table, uint64_t to, struct mote__instance *instance, const uint32_t *funcs, uint32_t count) {
    if (!table->is_func || table->lazy_count || !in_bounds(table, to, count)) return false;
    table->lazy_instance = instance;
    table->lazy = funcs;
    table->lazy_start = to;
    table->lazy_count = count;
    for (uint32_t i = 0; i < count; i++) table->elements[to + i] = 0;
    return true;
}

uint32_t mote__table_resolve(struct mote__table *table, uint64_t index, uint32_t expected, struct mote__func **func) {
    uint64_t value;
    if (!mote__table_get(table, index, &value)) return MOTE_TRAP_ALLOCATION_FAILED;
    if (!value) return MOTE_TRAP_UNINITIALIZED_ELEMENT;
    *func = (struct mote__func *)(uintptr_t)value;
    const mote_type *type = mote__type_by_id(&table->store->engine->types, expected);
    return mote__type_is_sub((*func)->type, type) ? MOTE_TRAP_NONE : MOTE_TRAP_INDIRECT_CALL_TYPE;
}
