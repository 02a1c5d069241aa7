/* draft.h - the tables of a function's code (code.h) while a translator makes them: handlers with their clauses, sites with their references. One for the
 * interpreter's lowering and for the baseline compiler; what differs is what a position in the code is, units or bytes. */
#ifndef MOTE_RUN_DRAFT_H
#define MOTE_RUN_DRAFT_H

#include "run/code.h"

struct mote__draft_clause {
    uint32_t handler;
    struct mote__clause clause;
    const uint8_t *loop; /* the interpreter's: the instruction of the loop that it leads back to, or NULL */
};

/* All zero is an empty one; `handler` must be set. */
struct mote__draft {
    VEC(struct mote__handler) handlers;
    VEC(struct mote__draft_clause) clauses;
    VEC(struct mote__site) sites;
    VEC(struct mote__refnode) nodes;
    VEC(int32_t) local_refs; /* slots of parameters and locals that hold heap references */
    int32_t handler;         /* innermost open one, -1: none */
};

/* Empties it for the next function; its memory stays. */
void mote__draft_reset(struct mote__draft *d);
void mote__draft_deinit(struct mote__draft *d, const mote_allocator *allocator);
/* New code with all these tables behind `unit_bytes` bytes of units; everything else in it is zero. NULL without memory. */
struct mote__code *mote__draft_pack(const struct mote__draft *d, size_t unit_bytes, const mote_allocator *allocator);

#endif
