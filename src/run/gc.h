/* gc.h - the garbage-collected heap of a store.
 * A reference value is 32 bits, zero-extended in slots: 0 is null, an odd one an i31 (value << 1 | 1), else the offset of an object from
 * exec->heap, a multiple of 8. externref and anyref share this space, so that converting between them is nothing; a host pointer is wrapped in an
 * object. Function references are pointers to struct mote__func, outside the heap.
 * Objects move: only slots that a root names (value-stack slots by their site, globals, tables, segments, handles, exec->pending, exec->scratch, fields) are
 * updated. The base may move when the heap grows: read exec->heap again after each call that may allocate. */
#ifndef MOTE_RUN_GC_H
#define MOTE_RUN_GC_H

#include "run/exec.h"

/* Every object starts so. `type_id`: a canonical type's id, or one of the kinds below. */
struct mote__object {
    uint32_t type_id;
    uint32_t gc;     /* the collector's */
};
struct mote__array {
    struct mote__object header;
    uint32_t count;
    uint32_t unused;
    uint8_t elements[];
};
struct mote__extern_object {
    struct mote__object header;
    void *data;
    void (*drop)(void *data);
};
struct mote__exception {
    struct mote__object header;
    struct mote__tag *tag;
    uint64_t slots[]; /* the tag's parameters, as in a frame */
};
enum { OBJECT_EXTERN = 0xFFFFFF00, OBJECT_EXCEPTION = 0xFFFFFF01 };

static inline bool mote__ref_is_i31(uint64_t ref) { return ref & 1; }
static inline struct mote__object *mote__object_at(const struct mote__exec *exec, uint64_t ref) {
    return (struct mote__object *)(void *)(exec->heap + (uint32_t)ref);
}

/* All of these may collect. They return 0 when the heap is exhausted (after collecting): the caller traps with MOTE_TRAP_GC_HEAP_EXHAUSTED. The
 * activation's fp and pc must have been set to the site. `fields`, `fill` and `elements` point at value-stack slots (roots) or exec->scratch. */
uint64_t mote__gc_new_struct(struct mote__exec *exec, const mote_type *type, const uint64_t *fields); /* NULL: defaults */
uint64_t mote__gc_new_array(struct mote__exec *exec, const mote_type *type, uint32_t count, const uint64_t *fill); /* NULL: default */
uint64_t mote__gc_new_array_fixed(struct mote__exec *exec, const mote_type *type, uint32_t count, const uint64_t *elements);
uint64_t mote__gc_new_exception(struct mote__exec *exec, struct mote__tag *tag, const uint64_t *values); /* NULL: zeros */
uint64_t mote__gc_new_extern(struct mote__exec *exec, void *data, void (*drop)(void *data));
/* array.new_data, array.new_elem: 0 with *trap set. */
uint64_t mote__gc_new_array_segment(struct mote__exec *exec, struct mote__instance *instance, const mote_type *type, bool is_data, uint32_t segment,
                                    uint32_t offset, uint32_t count, uint32_t *trap);
/* array.fill, copy, init_data, init_elem: a trap or MOTE_TRAP_NONE. `value` is one or two slots. */
uint32_t mote__gc_array_fill(struct mote__exec *exec, uint64_t array, uint32_t index, const uint64_t *value, uint32_t count);
uint32_t mote__gc_array_copy(struct mote__exec *exec, uint64_t to, uint32_t to_index, uint64_t from, uint32_t from_index, uint32_t count);
uint32_t mote__gc_array_init(struct mote__exec *exec, struct mote__instance *instance, uint64_t array, bool is_data, uint32_t segment,
                             uint32_t index, uint32_t offset, uint32_t count);

/* True when a reference value (as in a slot) is of a reference type. */
bool mote__ref_matches(const mote_store *store, uint64_t ref, valtype type);

/* Fields and elements by storage type, for the API: one or two slots. */
void mote__gc_load(const struct mote__exec *exec, uint64_t ref, uint32_t offset, valtype storage, bool sign, uint64_t *out);
void mote__gc_store(struct mote__exec *exec, uint64_t ref, uint32_t offset, valtype storage, const uint64_t *value);

void mote__gc_collect(mote_store *store);
uint64_t mote__gc_bytes(const mote_store *store);
void mote__gc_delete(mote_store *store);

#endif
