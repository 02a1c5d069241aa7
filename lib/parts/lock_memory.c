/* lock_memory.c - lock.in-memory: locks of this process, for its threads and for tests.
 * Keeps: an entry whose time is over counts as absent and is taken over by the next who asks. */
#include "builtin.h"
#include "base/error.h"

struct held {
    char *resource, *owner;
    size_t resource_size, owner_size;
    uint64_t until_ns; /* monotonic */
};

struct locks {
    const mote_allocator *allocator;
    VEC(struct held) held;
};

static uint64_t present(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

static bool equals(const char *text, size_t size, const mote_parts_bytes *bytes) {
    return size == bytes->size && !memcmp(text, bytes->data, size);
}

/* Index of a resource's entry, the count when there is none. */
static size_t find(const struct locks *l, const mote_parts_bytes *resource) {
    size_t i = 0;
    while (i < l->held.count &&
           !equals(l->held.data[i].resource, l->held.data[i].resource_size, resource))
        i++;
    return i;
}

static void drop(struct locks *l, size_t at) {
    struct held *held = &l->held.data[at];
    mote__free(l->allocator, held->resource, held->resource_size);
    mote__free(l->allocator, held->owner, held->owner_size);
    *held = *mote__vec_last(&l->held);
    l->held.count--;
}

static char *duplicate(const struct locks *l, const mote_parts_bytes *bytes) {
    char *copy = mote__alloc(l->allocator, bytes->size);
    return copy ? memcpy(copy, bytes->data, bytes->size) : NULL;
}

static mote_parts_code take(struct locks *l, const mote_parts_item *item) {
    uint64_t now = present();
    size_t at = find(l, &item->whole_key);
    if (at < l->held.count && l->held.data[at].until_ns > now) return MOTE_PARTS_CONFLICT;
    if (at < l->held.count) drop(l, at);
    struct held *held = mote__vec_push(&l->held, l->allocator);
    if (!held) return MOTE_PARTS_NOMEM;
    *held = (struct held){.resource = duplicate(l, &item->whole_key),
                          .owner = duplicate(l, &item->value),
                          .resource_size = item->whole_key.size,
                          .owner_size = item->value.size,
                          .until_ns = now + (uint64_t)item->ttl_s * 1000000000};
    if (held->resource && held->owner) return MOTE_PARTS_OK;
    return drop(l, l->held.count - 1), MOTE_PARTS_NOMEM;
}

static mote_parts_code give_back(struct locks *l, const mote_parts_item *item) {
    size_t at = find(l, &item->whole_key);
    if (at == l->held.count || l->held.data[at].until_ns <= present()) return MOTE_PARTS_NOT_FOUND;
    if (!equals(l->held.data[at].owner, l->held.data[at].owner_size, &item->value))
        return MOTE_PARTS_DENIED;
    return drop(l, at), MOTE_PARTS_OK;
}

static void locks_submit(void *instance, mote_parts_op *op) {
    for (size_t i = 0; i < op->item_count; i++)
        op->items[i].code = op->verb == MOTE_PARTS_LOCK ? take(instance, &op->items[i])
                                                        : give_back(instance, &op->items[i]);
    mote__parts_complete(op, MOTE_PARTS_OK);
}

static mote_status locks_open(const struct parts_opening *opening, void **instance,
                              mote_error *error) {
    struct locks *l = MOTE__NEW(opening->allocator, struct locks);
    if (!l) return mote__error_nomem(error, "opening");
    l->allocator = opening->allocator;
    *instance = l;
    return MOTE_OK;
}

static void locks_close(void *instance) {
    struct locks *l = instance;
    while (l->held.count) drop(l, 0);
    mote__vec_deinit(&l->held, l->allocator);
    MOTE__DELETE(l->allocator, l);
}

const struct parts_driver mote__lock_memory = {.abi = PARTS_DRIVER_ABI,
                                               .type = "lock.in-memory",
                                               .open = locks_open,
                                               .close = locks_close,
                                               .submit = locks_submit};
