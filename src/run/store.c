/* store.c - the store: what it owns, in lists; attachments; stopping it from outside; its end.
 * Keeps: whatever is in one of the lists is complete enough to be freed. Deletion runs from what refers to others to what is referred to:
 * objects of the heap and host functions tell their owners first, then attachments go, then the rest. */
#include "run/store.h"
#include "run/exec.h"
#include "run/gc.h"
#include "run/tier.h"
#include "run/timer.h"
#include "wasm/limits.h"
#include <assert.h>

/* Handles of different stores are numbered far apart, so that one used in the wrong store names nothing there. */
#define HANDLE_SERIAL_STEP UINT32_C(0x9E3779B1)

struct mote__func mote__func_null = {.type_id = UINT32_MAX};

void mote__limits_init(mote_limits *limits) {
    *limits = (mote_limits){
        .memory_bytes_max = UINT64_MAX,
        .table_elements_max = LIMIT_TABLE_ELEMENTS,
        .gc_heap_bytes_max = (UINT64_C(1) << 32) - (1 << 16),
        .instances_max = 10000,
        .stack_bytes = 1 << 20,
        .native_stack_bytes = 256 << 10,
        .handles_max = 1000000,
    };
}

mote_status mote__store_new(mote_engine *engine, const mote_limits *limits, mote_store **out, mote_error *error) {
    const mote_allocator *a = mote__engine_alloc(engine);
    mote_store *store = MOTE__NEW(a, mote_store);
    if (!store) return mote__error_nomem(error, "making a store");
    if (limits) store->limits = *limits;
    else mote__limits_init(&store->limits);
    store->engine = engine;
    store->serial = atomic_fetch_add(&engine->store_serial, 1) + 1;
    store->handle_serial = store->serial * HANDLE_SERIAL_STEP;
    mote_status status = mote__exec_new(store, store->limits.stack_bytes, &store->exec, error);
    if (status != MOTE_OK) {
        MOTE__DELETE(a, store);
        return status;
    }
    mote__engine_retain(engine);
    *out = store;
    return MOTE_OK;
}

void mote__store_stop(mote_store *store, uint32_t trap) { mote__exec_stop(store->exec, trap); }

/* The deadline is over or replaced: if it has fired and nobody noticed, it does not count any more. */
static void withdraw_deadline(mote_store *store) {
    mote__timer_clear(store);
    if (mote__exec_interrupt(store->exec) == MOTE_TRAP_DEADLINE) mote__exec_rearm(store->exec);
}

mote_status mote__store_set_timeout(mote_store *store, uint64_t timeout_ns, mote_error *error) {
    uint64_t deadline_ns;
    withdraw_deadline(store);
    if (!timeout_ns) return MOTE_OK;
    if (__builtin_add_overflow(mote__os_clock_ns(OS_CLOCK_MONOTONIC), timeout_ns, &deadline_ns)) return MOTE_OK; /* never */
    return mote__timer_set(store, deadline_ns, error);
}

/* ---------------------------------------------------------------- attachments */

static struct mote__attachment *find_attachment(const mote_store *store, const void *key) {
    for (size_t i = 0; i < store->attachments.count; i++)
        if (store->attachments.data[i].key == key) return &store->attachments.data[i];
    return NULL;
}

static void drop_attachment(struct mote__attachment attachment) {
    if (attachment.drop) attachment.drop(attachment.data);
}

mote_status mote__store_attach(mote_store *store, struct mote__attachment attachment, mote_error *error) {
    struct mote__attachment *place = find_attachment(store, attachment.key);
    struct mote__attachment before = {0};
    if (place) before = *place;
    else place = mote__vec_push(&store->attachments, mote__engine_alloc(store->engine));
    if (!place) return mote__error_nomem(error, "attaching data to a store");
    *place = attachment;
    drop_attachment(before);
    return MOTE_OK;
}

void *mote__store_attached(const mote_store *store, const void *key) {
    const struct mote__attachment *place = find_attachment(store, key);
    return place ? place->data : NULL;
}

/* ---------------------------------------------------------------- types */

mote_status mote__store_hold_type(mote_store *store, const mote_type *type, mote_error *error) {
    for (size_t i = store->held_types.count; i-- > 0;)
        if (store->held_types.data[i] == type->group) return MOTE_OK;
    struct mote__recgroup **place = mote__vec_push(&store->held_types, mote__engine_alloc(store->engine));
    if (!place) return mote__error_nomem(error, "holding a type");
    *place = mote__recgroup_retain(type->group);
    return MOTE_OK;
}

mote_status mote__store_hold_valtype(mote_store *store, valtype type, mote_error *error) {
    heaptype heap = mote__vt_heap(type);
    if (!mote__vt_is_ref(type) || heap < HEAP_CONCRETE) return MOTE_OK;
    return mote__store_hold_type(store, mote__type_by_id(&store->engine->types, heap - HEAP_CONCRETE), error);
}

/* ---------------------------------------------------------------- host functions, tags, globals */

struct mote__func *mote__func_new_host(mote_store *store, const mote_type *type, mote_host_fn fn, mote_host_raw_fn raw, void *env,
                                       void (*drop)(void *)) {
    struct mote__func *func = MOTE__NEW(mote__engine_alloc(store->engine), struct mote__func);
    if (!func) return NULL;
    mote__recgroup_retain(type->group);
    *func = (struct mote__func){.type_id = type->id, .type = type, .store = store, .fn = fn, .raw = raw, .env = env, .drop = drop};
    if (store->engine->tier) func->cell = store->engine->tier->host_cell(store->engine);
    func->next = store->funcs;
    store->funcs = func;
    return func;
}

struct mote__tag *mote__tag_new(mote_store *store, const mote_type *type) {
    struct mote__tag *tag = MOTE__NEW(mote__engine_alloc(store->engine), struct mote__tag);
    if (!tag) return NULL;
    mote__recgroup_retain(type->group);
    *tag = (struct mote__tag){.type = type, .store = store, .next = store->tags};
    store->tags = tag;
    return tag;
}

struct mote__global *mote__global_new(mote_store *store, valtype type, bool is_mutable) {
    struct mote__global *global = MOTE__NEW(mote__engine_alloc(store->engine), struct mote__global);
    if (!global) return NULL;
    *global = (struct mote__global){.type = type, .is_mutable = is_mutable, .store = store, .next = store->globals};
    global->value = global->own;
    store->globals = global;
    return global;
}

/* ---------------------------------------------------------------- the end */

static void free_func(const mote_allocator *a, struct mote__func *func) {
    if (!func->instance) mote__recgroup_release(func->type->group);
    MOTE__DELETE(a, func);
}

static void free_tag(const mote_allocator *a, struct mote__tag *tag) {
    mote__recgroup_release(tag->type->group);
    MOTE__DELETE(a, tag);
}

static void free_global(const mote_allocator *a, struct mote__global *global) { MOTE__DELETE(a, global); }
static void free_memory(const mote_allocator *a, struct mote__memory *memory) { (void)a, mote__memory_free(memory); }
static void free_table(const mote_allocator *a, struct mote__table *table) { (void)a, mote__table_free(table); }
static void free_instance(const mote_allocator *a, struct mote__instance *instance) { (void)a, mote__instance_free(instance); }

/* Frees a list down to, and without, `end`. */
#define POP_LIST(kind, head, end)                                                                  \
    while ((head) != (end)) {                                                                      \
        struct mote__##kind *popped_ = (head);                                                     \
        (head) = popped_->next;                                                                    \
        free_##kind(a, popped_);                                                                   \
    }

void mote__store_roll_back(mote_store *store, const struct mote__store_mark *mark) {
    const mote_allocator *a = mote__engine_alloc(store->engine);
    POP_LIST(func, store->funcs, mark->funcs)
    POP_LIST(instance, store->instances, mark->instances)
    POP_LIST(table, store->tables, mark->tables)
    POP_LIST(memory, store->memories, mark->memories)
    POP_LIST(global, store->globals, mark->globals)
    POP_LIST(tag, store->tags, mark->tags)
}

struct mote__store_mark mote__store_mark(const mote_store *store) {
    return (struct mote__store_mark){store->instances, store->funcs,   store->memories,
                                     store->tables,    store->globals, store->tags};
}

static void drop_funcs(mote_store *store) {
    for (struct mote__func *func = store->funcs; func; func = func->next)
        if (func->drop) func->drop(func->env);
}

static void drop_attachments(mote_store *store) {
    while (store->attachments.count) drop_attachment(store->attachments.data[--store->attachments.count]);
    mote__vec_deinit(&store->attachments, mote__engine_alloc(store->engine));
}

void mote__store_delete(mote_store *store) {
    if (!store) return;
    mote_engine *engine = store->engine;
    const mote_allocator *a = mote__engine_alloc(engine);
    assert(!store->exec->activation);
    mote__timer_clear(store);
    mote__gc_delete(store);
    drop_funcs(store);
    drop_attachments(store);
    mote__store_roll_back(store, &(struct mote__store_mark){0});
    for (size_t i = 0; i < store->held_types.count; i++) mote__recgroup_release(store->held_types.data[i]);
    mote__vec_deinit(&store->held_types, a);
    mote__vec_deinit(&store->handles, a);
    mote__vec_deinit(&store->handle_order, a);
    mote__exec_delete(store->exec);
    MOTE__DELETE(a, store);
    mote__engine_release(engine);
}
