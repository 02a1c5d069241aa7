/* draft.c - packs the tables of a function's code behind it, in one piece of memory. */
#include "run/draft.h"

void mote__draft_reset(struct mote__draft *d) {
    d->handlers.count = d->clauses.count = d->sites.count = d->nodes.count = d->local_refs.count = 0;
    d->handler = -1;
}

void mote__draft_deinit(struct mote__draft *d, const mote_allocator *allocator) {
    mote__vec_deinit(&d->handlers, allocator);
    mote__vec_deinit(&d->clauses, allocator);
    mote__vec_deinit(&d->sites, allocator);
    mote__vec_deinit(&d->nodes, allocator);
    mote__vec_deinit(&d->local_refs, allocator);
}

#define ROUND_8(x)    (((x) + 7) & ~(size_t)7)
#define COPY_BYTES(v) ROUND_8((v).count * sizeof *(v).data)

static void *take(uint8_t **place, size_t bytes) {
    void *taken = *place;
    *place += ROUND_8(bytes);
    return taken;
}

static void *take_copy(uint8_t **place, const void *data, size_t bytes) {
    void *copy = take(place, bytes);
    if (bytes) memcpy(copy, data, bytes);
    return copy;
}
#define TAKE_COPY(place, v) take_copy(place, (v).data, (v).count * sizeof *(v).data)

/* Clauses in the order of their handlers (a counting sort); each handler's stay in the order of the text. */
static void place_clauses(const struct mote__draft *d, struct mote__code *code) {
    for (size_t i = 0; i < d->clauses.count; i++) code->handlers[d->clauses.data[i].handler].count++;
    uint32_t next = 0;
    for (uint32_t h = 0; h < code->handler_count; h++) {
        code->handlers[h].clause = next;
        next += code->handlers[h].count;
        code->handlers[h].count = 0;
    }
    for (size_t i = 0; i < d->clauses.count; i++) {
        struct mote__handler *h = &code->handlers[d->clauses.data[i].handler];
        code->clauses[h->clause + h->count++] = d->clauses.data[i].clause;
    }
}

struct mote__code *mote__draft_pack(const struct mote__draft *d, size_t unit_bytes, const mote_allocator *allocator) {
    size_t head = ROUND_8(offsetof(struct mote__code, units) + unit_bytes), clause_bytes = d->clauses.count * sizeof(struct mote__clause);
    size_t bytes = head + COPY_BYTES(d->handlers) + ROUND_8(clause_bytes) + COPY_BYTES(d->sites) + COPY_BYTES(d->nodes) + COPY_BYTES(d->local_refs);
    if (bytes < sizeof(struct mote__code)) bytes = sizeof(struct mote__code);
    struct mote__code *code = mote__alloc_zeroed(allocator, bytes);
    if (!code) return NULL;
    uint8_t *place = (uint8_t *)code + head;
    code->alloc_bytes = bytes;
    code->handler_count = (uint32_t)d->handlers.count;
    code->clause_count = (uint32_t)d->clauses.count;
    code->site_count = (uint32_t)d->sites.count;
    code->node_count = (uint32_t)d->nodes.count;
    code->local_ref_count = (uint32_t)d->local_refs.count;
    code->handlers = TAKE_COPY(&place, d->handlers);
    code->clauses = take(&place, clause_bytes);
    code->sites = TAKE_COPY(&place, d->sites);
    code->nodes = TAKE_COPY(&place, d->nodes);
    code->local_refs = TAKE_COPY(&place, d->local_refs);
    place_clauses(d, code);
    return code;
}
