/* handle.c - rooted references: a table of values that the collector updates, named by index and serial number.
 * Serial numbers count the handles ever made, so a scope's mark is the last one before it, and a stale name never matches (until the count has
 * gone round 2^32). handle_order names handles by age; released ones stay in it until its next tidying or the end of a scope.
 * Keeps: handles.data[0] is never used; a free handle has serial 0 and is in the chain of handle_free. */
#include "run/value.h"

static const mote_allocator *allocator_of(const mote_store *store) { return mote__engine_alloc(store->engine); }

static bool is_live(const mote_store *store, struct mote__handle_mark mark) { return store->handles.data[mark.index].serial == mark.serial; }

/* Forgets the ages of released handles when most of them are. */
static void tidy_order(mote_store *store) {
    size_t kept = 0;
    if (store->handle_order.count < store->handle_order.capacity || store->handle_live > store->handle_order.count / 2) return;
    for (size_t i = 0; i < store->handle_order.count; i++)
        if (is_live(store, store->handle_order.data[i])) store->handle_order.data[kept++] = store->handle_order.data[i];
    store->handle_order.count = kept;
}

/* An index for a new handle; 0 when out of memory. */
static uint32_t take_index(mote_store *store) {
    uint32_t index = store->handle_free;
    if (index) {
        store->handle_free = store->handles.data[index].next_free;
        return index;
    }
    if (!store->handles.count && !mote__vec_push(&store->handles, allocator_of(store))) return 0;
    if (!mote__vec_push(&store->handles, allocator_of(store))) return 0;
    return (uint32_t)store->handles.count - 1;
}

mote_status mote__handle_new(mote_store *store, uint64_t value, mote_ref *out, mote_error *error) {
    if (!value) {
        *out = MOTE_REF_NULL;
        return MOTE_OK;
    }
    if (store->handle_live >= store->limits.handles_max)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "the host holds %u references of this store, its limit",
                               (unsigned)store->handle_live);
    tidy_order(store);
    if (!mote__vec_reserve(&store->handle_order, allocator_of(store), 1)) return mote__error_nomem(error, "making a reference");
    uint32_t index = take_index(store);
    if (!index) return mote__error_nomem(error, "making a reference");
    if (!++store->handle_serial) store->handle_serial = 1;
    store->handles.data[index] = (struct mote__handle){.value = value, .serial = store->handle_serial};
    store->handle_order.data[store->handle_order.count++] = (struct mote__handle_mark){index, store->handle_serial};
    store->handle_live++;
    *out = (mote_ref){index, store->handle_serial};
    return MOTE_OK;
}

bool mote__handle_get(const mote_store *store, mote_ref ref, uint64_t *value) {
    *value = 0;
    if (!ref.index) return true;
    if (ref.index >= store->handles.count || !ref.serial || store->handles.data[ref.index].serial != ref.serial) return false;
    *value = store->handles.data[ref.index].value;
    return true;
}

void mote__handle_release(mote_store *store, mote_ref ref) {
    uint64_t value;
    if (!ref.index || !mote__handle_get(store, ref, &value)) return;
    store->handles.data[ref.index] = (struct mote__handle){.next_free = store->handle_free};
    store->handle_free = ref.index;
    store->handle_live--;
}

void mote__handle_keep(mote_store *store, mote_ref ref) {
    for (size_t i = store->handle_order.count; i-- > 0;) {
        struct mote__handle_mark *mark = &store->handle_order.data[i];
        if ((int32_t)(mark->serial - ref.serial) < 0) return;
        if (mark->serial == ref.serial) mark->index = 0; /* the entry stays, naming nothing */
    }
}

uint32_t mote__handle_mark(const mote_store *store) { return store->handle_serial; }

void mote__handle_release_since(mote_store *store, uint32_t mark) {
    while (store->handle_order.count) {
        struct mote__handle_mark last = *mote__vec_last(&store->handle_order);
        if ((int32_t)(last.serial - mark) <= 0) return;
        mote__handle_release(store, (mote_ref){last.index, last.serial});
        store->handle_order.count--;
    }
}
