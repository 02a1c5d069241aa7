/* translation.h - what every translator does alike on a walk: where the values of labels are; handlers, clauses, sites and the references that are alive there,
 * for the function's draft. Included by each of them (run/lower.c, jit/baseline.c) behind its struct, TRANSLATION, which has `allocator`, `failed`, `draft`,
 * `noded` and `local_slots`, its LOC_SLOT, here() and use_slot(). */
#include "run/draft.h"

/* ---------------------------------------------------------------- labels */

/* The operands from stack index `index` on are in slots from `slot` on. */
static void describe_slots(struct walk *w, uint32_t index, uint32_t count, int32_t slot) {
    for (uint32_t i = index; i < index + count; i++) {
        w->stack[i].loc = LOC_SLOT;
        w->stack[i].slot = slot;
        slot += (int32_t)mote__vt_slots(w->stack[i].type);
    }
    use_slot(w->c, slot + 2);
}

/* The values of a label, from its first slot: described anew after a join. */
static void describe_label(struct walk *w, const struct walk_frame *f, uint32_t index, bool params) {
    uint32_t count = params ? walk_param_count(&f->type) : walk_result_count(&f->type);
    if (!mote__translate_reserve(w, count + 8)) return;
    for (uint32_t i = 0; i < count; i++) w->stack[index + i].type = params ? mote__type_param(f->type.type, i) : walk_result(&f->type, i);
    describe_slots(w, index, count, f->base);
}

/* What a legacy catch finds: the hidden exnref at the label's first slot, the tag's values above it. */
static void begin_clause(struct walk *w, const struct walk_frame *f) {
    if (w->c->noded > f->height - 1) w->c->noded = f->height - 1;
    describe_slots(w, f->height - 1, w->count - (f->height - 1), f->base);
}

/* ---------------------------------------------------------------- handlers */

static void open_handler(struct walk *w, struct walk_frame *f) {
    struct mote__draft *d = &w->c->draft;
    struct mote__handler *h = mote__vec_push(&d->handlers, w->c->allocator);
    if (!h) {
        w->c->failed = true;
        return;
    }
    *h = (struct mote__handler){.start = here(w->c), .parent = d->handler};
    f->handler = d->handler = (int32_t)d->handlers.count - 1;
}

static void close_handler(struct walk *w, struct walk_frame *f) {
    struct mote__draft *d = &w->c->draft;
    if (w->c->failed || f->handler < 0) return;
    struct mote__handler *h = &d->handlers.data[f->handler];
    h->end = here(w->c);
    d->handler = f->inner = h->parent;
}

/* A delegate: what its handler does not cover goes on at the handler outside the label. */
static void delegate_handler(struct walk *w, const struct walk_frame *f, uint32_t depth) {
    if (!w->c->failed) w->c->draft.handlers.data[f->handler].parent = w->frames[w->depth - 2 - depth].inner;
}

/* NULL without memory. */
static struct mote__draft_clause *add_clause(struct walk *w, int32_t handler, struct mote__clause clause) {
    struct mote__draft_clause *added = mote__vec_push(&w->c->draft.clauses, w->c->allocator);
    if (added) *added = (struct mote__draft_clause){.handler = (uint32_t)handler, .clause = clause};
    else w->c->failed = true;
    return added;
}

/* ---------------------------------------------------------------- references */

/* A node in front of others; 0 when out of memory. */
static uint32_t push_node(struct walk *w, int32_t slot, uint32_t next) {
    struct mote__draft *d = &w->c->draft;
    if (!d->nodes.count && !mote__vec_push(&d->nodes, w->c->allocator)) w->c->failed = true; /* node 0 is none */
    struct mote__refnode *node = w->c->failed ? NULL : mote__vec_push(&d->nodes, w->c->allocator);
    w->c->failed |= !node;
    if (!node) return 0;
    *node = (struct mote__refnode){.slot = slot, .next = next};
    return (uint32_t)d->nodes.count - 1;
}

/* Lists the reference slots among the operands below index `limit`, as a chain that later sites share. */
static uint32_t ref_nodes(struct walk *w, uint32_t limit) {
    for (uint32_t i = w->c->noded; i < limit; i++) {
        struct walk_value *v = &w->stack[i];
        v->node = i ? w->stack[i - 1].node : 0;
        if (v->loc != LOC_SLOT || !mote__vt_is_heap_ref(w->types, v->type)) continue;
        v->node = push_node(w, v->slot, v->node);
        if (w->c->failed) return 0;
    }
    if (w->c->noded < limit) w->c->noded = limit;
    return limit ? w->stack[limit - 1].node : 0;
}

/* Lists a place at which objects may move, if any are alive there. */
static void add_site(TRANSLATION *c, uint32_t offset, uint32_t node) {
    if (!node) return;
    struct mote__site *s = mote__vec_push(&c->draft.sites, c->allocator);
    if (s) *s = (struct mote__site){.offset = offset, .node = node};
    else c->failed = true;
}

/* Lists parameters and locals that hold references. */
static void list_local_refs(struct walk *w) {
    for (uint32_t i = 0; i < w->local_count; i++) {
        if (!mote__vt_is_heap_ref(w->types, walk_local_type(w, i))) continue;
        int32_t *ref = mote__vec_push(&w->c->draft.local_refs, w->c->allocator);
        if (ref) *ref = w->c->local_slots.data[i];
        else w->c->failed = true;
    }
}
