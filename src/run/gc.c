/* gc.c - the collector: two semispaces, bump allocation, Cheney's copying scan (roots and objects: gc.h).
 * A reference is an offset from the base of the current space, so that after a collection exec->heap is the other space's base and every root and field
 * has its object's new offset. Spaces are address space reserved once; what a space no longer needs goes back to the system.
 * Policy: a collection happens when the space is full; if more than half of it lives on, the next one is twice as large, up to the store's limit.
 * Keeps: offset 0 is never an object; objects are 8-aligned; memory behind `top` is not assumed to be zero.
 * The hostile build collects at every allocation, so that a reference that no root names is seen at once. */
#include "run/gc.h"
#include "run/tier.h"

#include <string.h>

#include "run/code.h"

struct space {
    uint8_t *base;       /* reserved: `reserved` bytes */
    uint64_t committed;  /* bytes from the base that are memory */
};

struct mote__gc {
    struct space spaces[2];
    uint32_t current;
    uint64_t reserved;   /* per space */
    uint64_t limit;      /* of the current space: first byte that may not be used; the next free one is exec->heap_top */
    uint64_t bytes_max;
    VEC(uint32_t) externs;            /* offsets of wrappers whose `drop` is owed */
    uint64_t collections;
};

enum { FIRST_OFFSET = 16, FIRST_LIMIT = 1 << 18 };

#ifdef MOTE_HOSTILE
enum { HOSTILE = 1 };
#else
enum { HOSTILE = 0 };
#endif

static const mote_allocator *allocator_of(const mote_store *store) { return &store->engine->config.allocator; }

/* ---------------------------------------------------------------- spaces */

static bool commit(struct mote__gc *gc, struct space *space, uint64_t bytes) {
    (void)gc;
    if (bytes <= space->committed) return true;
    if (!mote__os_commit(space->base + space->committed, (size_t)(bytes - space->committed))) return false;
    space->committed = bytes;
    return true;
}

static void shrink(struct space *space) {
    if (space->committed && mote__os_decommit(space->base, (size_t)space->committed)) space->committed = 0;
}

static uint64_t round_page(uint64_t bytes) {
    uint64_t page = mote__os_page_bytes();
    return (bytes + page - 1) / page * page;
}

/* What is free of the current space, for compiled code too: in the hostile build it finds none. */
static void set_free(mote_store *store, uint64_t top, uint64_t limit) {
    store->gc->limit = limit;
    store->exec->heap_top = top;
    store->exec->heap_limit = HOSTILE ? 0 : limit;
}

/* Makes the heap: NULL when the system refuses. */
static struct mote__gc *gc_of(mote_store *store) {
    if (store->gc) return store->gc;
    struct mote__gc *gc = MOTE__NEW(allocator_of(store), struct mote__gc);
    if (!gc) return NULL;
    uint64_t most = (UINT64_C(1) << 32) - 65536, wanted = store->limits.gc_heap_bytes_max;
    gc->bytes_max = wanted < most ? wanted : most;
    gc->reserved = round_page(gc->bytes_max + FIRST_OFFSET);
    for (int i = 0; i < 2; i++) gc->spaces[i].base = mote__os_reserve((size_t)gc->reserved, mote__os_page_bytes());
    uint64_t first = gc->bytes_max < FIRST_LIMIT ? gc->bytes_max : FIRST_LIMIT;
    if (!gc->spaces[0].base || !gc->spaces[1].base || !commit(gc, &gc->spaces[0], round_page(first + FIRST_OFFSET))) {
        for (int i = 0; i < 2; i++)
            if (gc->spaces[i].base) mote__os_release(gc->spaces[i].base, (size_t)gc->reserved);
        MOTE__DELETE(allocator_of(store), gc);
        return NULL;
    }
    store->gc = gc;
    set_free(store, FIRST_OFFSET, FIRST_OFFSET + first);
    store->exec->heap = gc->spaces[0].base;
    return gc;
}

void mote__gc_delete(mote_store *store) {
    struct mote__gc *gc = store->gc;
    if (!gc) return;
    uint8_t *heap = gc->spaces[gc->current].base;
    for (size_t i = 0; i < gc->externs.count; i++) {
        struct mote__extern_object *wrapper = (struct mote__extern_object *)(void *)(heap + gc->externs.data[i]);
        wrapper->drop(wrapper->data);
    }
    mote__vec_deinit(&gc->externs, allocator_of(store));
    for (int i = 0; i < 2; i++) mote__os_release(gc->spaces[i].base, (size_t)gc->reserved);
    MOTE__DELETE(allocator_of(store), gc);
    store->gc = NULL;
}

uint64_t mote__gc_bytes(const mote_store *store) { return store->gc ? store->exec->heap_top - FIRST_OFFSET : 0; }

/* ---------------------------------------------------------------- object shapes */

static uint64_t round_8(uint64_t bytes) { return (bytes + 7) & ~UINT64_C(7); }

static uint64_t array_bytes(const struct mote__types *types, const mote_type *type, uint32_t count) {
    return round_8(sizeof(struct mote__array) + (uint64_t)count * mote__storage_bytes(type->fields[0].type, types));
}

static uint64_t object_bytes(const mote_store *store, const struct mote__object *o) {
    const struct mote__types *types = &store->engine->types;
    if (o->type_id == OBJECT_EXTERN) return sizeof(struct mote__extern_object);
    if (o->type_id == OBJECT_EXCEPTION) {
        const struct mote__exception *e = (const struct mote__exception *)(const void *)o;
        return sizeof *e + e->tag->type->param_slots * UINT64_C(8);
    }
    const mote_type *type = mote__type_by_id(types, o->type_id);
    if (type->kind == MOTE_TYPE_STRUCT) return round_8(type->object_bytes);
    return array_bytes(types, type, ((const struct mote__array *)(const void *)o)->count);
}

/* ---------------------------------------------------------------- copying */

struct copier {
    mote_store *store;
    uint8_t *from, *to;
    uint64_t top; /* of the space copied into */
};

/* The new offset of a reference; copies its object if nobody has yet. The old object then holds its new offset in `gc`. */
static uint32_t forward(struct copier *c, uint64_t ref) {
    if (!ref || mote__ref_is_i31(ref)) return (uint32_t)ref;
    struct mote__object *old = (struct mote__object *)(void *)(c->from + (uint32_t)ref);
    if (old->gc) return old->gc;
    uint64_t bytes = object_bytes(c->store, old);
    memcpy(c->to + c->top, old, (size_t)bytes);
    old->gc = (uint32_t)c->top;
    c->top += bytes;
    return old->gc;
}

static void forward_slot(struct copier *c, uint64_t *slot) { *slot = forward(c, *slot); }

static void forward_field(struct copier *c, uint8_t *field) {
    uint32_t ref;
    memcpy(&ref, field, sizeof ref);
    ref = forward(c, ref);
    memcpy(field, &ref, sizeof ref);
}

/* Slots laid out as the parameters of a function type. */
static void forward_params(struct copier *c, const mote_type *type, uint64_t *slots) {
    for (uint32_t i = 0; i < type->param_count; i++) {
        valtype t = mote__type_param(type, i);
        if (mote__vt_is_heap_ref(&c->store->engine->types, t)) forward_slot(c, slots);
        slots += mote__vt_slots(t);
    }
}

static void scan_object(struct copier *c, struct mote__object *o) {
    const struct mote__types *types = &c->store->engine->types;
    if (o->type_id == OBJECT_EXTERN) return;
    if (o->type_id == OBJECT_EXCEPTION) {
        struct mote__exception *e = (struct mote__exception *)(void *)o;
        forward_params(c, e->tag->type, e->slots);
        return;
    }
    const mote_type *type = mote__type_by_id(types, o->type_id);
    if (type->kind == MOTE_TYPE_STRUCT) {
        for (uint32_t i = 0; i < type->ref_count; i++) forward_field(c, (uint8_t *)o + type->ref_offsets[i]);
    } else if (mote__vt_is_heap_ref(types, type->fields[0].type)) {
        struct mote__array *array = (struct mote__array *)(void *)o;
        for (uint32_t i = 0; i < array->count; i++) forward_field(c, array->elements + 4 * (size_t)i);
    }
}

/* ---------------------------------------------------------------- roots */

static uint32_t node_of_site(const struct mote__code *code, uint32_t offset) {
    uint32_t low = 0, high = code->site_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (code->sites[middle].offset < offset) low = middle + 1;
        else high = middle;
    }
    return low < code->site_count && code->sites[low].offset == offset ? code->sites[low].node : 0;
}

static void scan_frame(struct copier *c, const struct mote__frame_at *at) {
    const struct mote__code *code = at->code;
    for (uint32_t i = 0; i < code->local_ref_count; i++) forward_slot(c, &at->fp[code->local_refs[i]]);
    for (uint32_t n = node_of_site(code, at->offset); n; n = code->nodes[n].next) forward_slot(c, &at->fp[code->nodes[n].slot]);
}

static void scan_exec(struct copier *c, struct mote__exec *exec) {
    forward_slot(c, &exec->pending);
    for (size_t i = 0; i < sizeof exec->scratch / sizeof *exec->scratch; i++) forward_slot(c, &exec->scratch[i]);
    for (struct mote__activation *act = exec->activation; act; act = act->outer) {
        struct mote__frame_walk walk;
        struct mote__frame_at at;
        mote__frame_walk_init(&walk, act);
        while (mote__frame_walk_next(&walk, &at, false)) scan_frame(c, &at);
    }
}

static void scan_instance(struct copier *c, struct mote__instance *inst) {
    const mote_module *m = inst->module;
    const struct mote__types *types = &c->store->engine->types;
    for (uint32_t i = m->global_import_count; inst->globals && i < m->global_count; i++)
        if (mote__vt_is_heap_ref(types, m->globals[i].type)) forward_slot(c, &inst->globals[2 * (i - m->global_import_count)]);
    for (uint32_t i = 0; inst->elem_values && i < m->elem_count; i++) {
        if (!inst->elem_values[i] || !mote__vt_is_heap_ref(types, m->elems[i].type)) continue;
        for (uint32_t k = 0; k < m->elems[i].count; k++) forward_slot(c, &inst->elem_values[i][k]);
    }
}

static void scan_roots(struct copier *c) {
    mote_store *store = c->store;
    const struct mote__types *types = &store->engine->types;
    scan_exec(c, store->exec);
    forward_slot(c, &store->exception);
    for (size_t i = 1; i < store->handles.count; i++)
        if (store->handles.data[i].serial) forward_slot(c, &store->handles.data[i].value);
    for (struct mote__instance *i = store->instances; i; i = i->next) scan_instance(c, i);
    for (struct mote__global *g = store->globals; g; g = g->next)
        if (g->value == g->own && mote__vt_is_heap_ref(types, g->type)) forward_slot(c, g->own);
    for (struct mote__table *t = store->tables; t; t = t->next)
        for (uint64_t i = 0; !t->is_func && i < t->size; i++) forward_slot(c, &t->elements[i]);
}

/* Wrappers that nobody copied are dead: the host hears of it. */
static void settle_externs(struct copier *c) {
    struct mote__gc *gc = c->store->gc;
    size_t kept = 0;
    for (size_t i = 0; i < gc->externs.count; i++) {
        struct mote__extern_object *wrapper = (struct mote__extern_object *)(void *)(c->from + gc->externs.data[i]);
        if (wrapper->header.gc) gc->externs.data[kept++] = wrapper->header.gc;
        else wrapper->drop(wrapper->data);
    }
    gc->externs.count = kept;
}

/* Copies what lives into the other space, which then may grow to `limit`; false (nothing happened) when the system gives no memory. */
static bool copy_live(mote_store *store, uint64_t limit) {
    struct mote__gc *gc = store->gc;
    struct space *to = &gc->spaces[!gc->current], *from = &gc->spaces[gc->current];
    if (!commit(gc, to, round_page(limit))) return false;
    struct copier c = {.store = store, .from = from->base, .to = to->base, .top = FIRST_OFFSET};
    scan_roots(&c);
    for (uint64_t scan = FIRST_OFFSET; scan < c.top;) {
        struct mote__object *o = (struct mote__object *)(void *)(c.to + scan);
        o->gc = 0;
        scan_object(&c, o);
        scan += object_bytes(store, o);
    }
    settle_externs(&c);
    gc->current = !gc->current;
    set_free(store, c.top, limit);
    gc->collections++;
    store->exec->heap = to->base;
    if (from->committed > FIRST_LIMIT) shrink(from);
    return true;
}

void mote__gc_collect(mote_store *store) {
    if (store->gc) copy_live(store, store->gc->limit);
}

/* Makes room for `bytes` by collecting, then by growing; false when the heap's limit is reached. */
static bool make_room(mote_store *store, uint64_t bytes) {
    struct mote__gc *gc = store->gc;
    uint64_t most = gc->bytes_max + FIRST_OFFSET;
    if (!copy_live(store, gc->limit)) return false;
    uint64_t wanted = gc->limit, top = store->exec->heap_top;
    while (wanted < most && (top + bytes > wanted || top > wanted / 2)) wanted = wanted * 2 < most ? wanted * 2 : most;
    if (wanted > gc->limit && commit(gc, &gc->spaces[gc->current], round_page(wanted))) set_free(store, top, wanted);
    return gc->limit - top >= bytes;
}

/* `bytes` zeroed bytes for a new object, or 0. */
static uint64_t allocate(struct mote__exec *exec, uint64_t bytes, uint32_t type_id) {
    mote_store *store = exec->store;
    struct mote__gc *gc = gc_of(store);
    if (!gc || bytes > gc->bytes_max) return 0;
    if ((HOSTILE || gc->limit - exec->heap_top < bytes) && !make_room(store, bytes)) return 0;
    uint64_t ref = exec->heap_top;
    exec->heap_top += bytes;
    memset(exec->heap + ref, 0, (size_t)bytes);
    mote__object_at(exec, ref)->type_id = type_id;
    return ref;
}

/* ---------------------------------------------------------------- fields */

void mote__gc_load(const struct mote__exec *exec, uint64_t ref, uint32_t offset, valtype storage, bool sign, uint64_t *out) {
    const uint8_t *at = exec->heap + (uint32_t)ref + offset;
    uint32_t bytes = mote__storage_bytes(storage, &exec->store->engine->types);
    out[0] = 0;
    memcpy(out, at, bytes);
    if (sign && storage == VT_I8) out[0] = (uint32_t)(int32_t)(int8_t)out[0];
    if (sign && storage == VT_I16) out[0] = (uint32_t)(int32_t)(int16_t)out[0];
}

void mote__gc_store(struct mote__exec *exec, uint64_t ref, uint32_t offset, valtype storage, const uint64_t *value) {
    memcpy(exec->heap + (uint32_t)ref + offset, value, mote__storage_bytes(storage, &exec->store->engine->types));
}

/* ---------------------------------------------------------------- making objects */

uint64_t mote__gc_new_struct(struct mote__exec *exec, const mote_type *type, const uint64_t *fields) {
    uint64_t ref = allocate(exec, round_8(type->object_bytes), type->id);
    if (!ref || !fields) return ref;
    for (uint32_t i = 0; i < type->field_count; i++) {
        mote__gc_store(exec, ref, type->places[i].offset, type->fields[i].type, fields);
        fields += mote__vt_slots(type->fields[i].type);
    }
    return ref;
}

static uint64_t new_array(struct mote__exec *exec, const mote_type *type, uint32_t count) {
    uint64_t ref = allocate(exec, array_bytes(&exec->store->engine->types, type, count), type->id);
    if (ref) ((struct mote__array *)(void *)mote__object_at(exec, ref))->count = count;
    return ref;
}

static struct mote__array *array_at(const struct mote__exec *exec, uint64_t ref) {
    return (struct mote__array *)(void *)mote__object_at(exec, ref);
}

/* Writes one value to `count` elements of `bytes` bytes. */
static void fill_elements(uint8_t *at, const uint64_t *value, uint32_t bytes, uint32_t count) {
    for (size_t i = 0; i < count; i++) memcpy(at + i * bytes, value, bytes);
}

uint64_t mote__gc_new_array(struct mote__exec *exec, const mote_type *type, uint32_t count, const uint64_t *fill) {
    uint64_t ref = new_array(exec, type, count);
    if (ref && fill) fill_elements(array_at(exec, ref)->elements, fill, mote__storage_bytes(type->fields[0].type, &exec->store->engine->types), count);
    return ref;
}

uint64_t mote__gc_new_array_fixed(struct mote__exec *exec, const mote_type *type, uint32_t count, const uint64_t *elements) {
    uint64_t ref = new_array(exec, type, count);
    valtype storage = type->fields[0].type;
    uint32_t bytes = mote__storage_bytes(storage, &exec->store->engine->types), slots = mote__vt_slots(storage);
    for (uint32_t i = 0; ref && i < count; i++)
        mote__gc_store(exec, ref, (uint32_t)sizeof(struct mote__array) + i * bytes, storage, elements + (size_t)i * slots);
    return ref;
}

uint64_t mote__gc_new_exception(struct mote__exec *exec, struct mote__tag *tag, const uint64_t *values) {
    uint32_t slots = tag->type->param_slots;
    uint64_t ref = allocate(exec, sizeof(struct mote__exception) + slots * UINT64_C(8), OBJECT_EXCEPTION);
    if (!ref) return 0;
    struct mote__exception *e = (struct mote__exception *)(void *)mote__object_at(exec, ref);
    e->tag = tag;
    if (slots && values) memcpy(e->slots, values, slots * sizeof *values);
    return ref;
}

uint64_t mote__gc_new_extern(struct mote__exec *exec, void *data, void (*drop)(void *data)) {
    struct mote__gc *gc = gc_of(exec->store);
    if (!gc || (drop && !mote__vec_reserve(&gc->externs, allocator_of(exec->store), 1))) return 0;
    uint64_t ref = allocate(exec, sizeof(struct mote__extern_object), OBJECT_EXTERN);
    if (!ref) return 0;
    struct mote__extern_object *wrapper = (struct mote__extern_object *)(void *)mote__object_at(exec, ref);
    wrapper->data = data;
    wrapper->drop = drop;
    if (drop) gc->externs.data[gc->externs.count++] = (uint32_t)ref;
    return ref;
}

/* ---------------------------------------------------------------- arrays from segments, fill, copy */

/* Copies part of a segment into elements that are known to be there; a trap when the segment is too short or memory ran out. */
static uint32_t copy_segment(struct mote__exec *exec, struct mote__instance *inst, uint64_t ref, bool is_data, uint32_t segment, uint32_t index,
                             uint32_t offset, uint32_t count) {
    const mote_type *type = mote__type_by_id(&exec->store->engine->types, mote__object_at(exec, ref)->type_id);
    valtype storage = type->fields[0].type;
    uint32_t bytes = mote__storage_bytes(storage, &exec->store->engine->types);
    uint8_t *to = array_at(exec, ref)->elements + (size_t)index * bytes;
    if (is_data) {
        struct span data = inst->module->datas[segment].bytes;
        memcpy(to, data.data + offset, (size_t)count * bytes);
        return MOTE_TRAP_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value;
        if (!mote__elem_value(inst, segment, offset + i, &value)) return MOTE_TRAP_ALLOCATION_FAILED;
        memcpy(to + (size_t)i * bytes, &value, bytes);
    }
    return MOTE_TRAP_NONE;
}

static uint32_t check_segment(const struct mote__exec *exec, const struct mote__instance *inst, valtype storage, bool is_data, uint32_t segment,
                              uint32_t offset, uint32_t count) {
    if (!is_data) {
        uint64_t size = inst->elems_dropped[segment] ? 0 : inst->module->elems[segment].count;
        return (uint64_t)offset + count > size ? MOTE_TRAP_TABLE_OUT_OF_BOUNDS : MOTE_TRAP_NONE;
    }
    uint64_t size = inst->datas_dropped[segment] ? 0 : inst->module->datas[segment].bytes.size;
    uint64_t bytes = (uint64_t)count * mote__storage_bytes(storage, &exec->store->engine->types);
    return offset + bytes > size ? MOTE_TRAP_MEMORY_OUT_OF_BOUNDS : MOTE_TRAP_NONE;
}

uint64_t mote__gc_new_array_segment(struct mote__exec *exec, struct mote__instance *inst, const mote_type *type, bool is_data, uint32_t segment,
                                    uint32_t offset, uint32_t count, uint32_t *trap) {
    *trap = check_segment(exec, inst, type->fields[0].type, is_data, segment, offset, count);
    if (*trap) return 0;
    *trap = MOTE_TRAP_GC_HEAP_EXHAUSTED;
    uint64_t ref = new_array(exec, type, count);
    if (!ref) return 0;
    *trap = copy_segment(exec, inst, ref, is_data, segment, 0, offset, count);
    return *trap ? 0 : ref;
}

/* NULL_ARRAY or ARRAY_OUT_OF_BOUNDS unless [index, index + count) is inside the array. */
static uint32_t check_range(const struct mote__exec *exec, uint64_t ref, uint32_t index, uint32_t count) {
    if (!ref) return MOTE_TRAP_NULL_ARRAY;
    return (uint64_t)index + count > array_at(exec, ref)->count ? MOTE_TRAP_ARRAY_OUT_OF_BOUNDS : MOTE_TRAP_NONE;
}

static uint32_t element_bytes(const struct mote__exec *exec, uint64_t ref) {
    const struct mote__types *types = &exec->store->engine->types;
    return mote__storage_bytes(mote__type_by_id(types, mote__object_at(exec, ref)->type_id)->fields[0].type, types);
}

uint32_t mote__gc_array_fill(struct mote__exec *exec, uint64_t ref, uint32_t index, const uint64_t *value, uint32_t count) {
    uint32_t trap = check_range(exec, ref, index, count);
    if (trap) return trap;
    uint32_t bytes = element_bytes(exec, ref);
    fill_elements(array_at(exec, ref)->elements + (size_t)index * bytes, value, bytes, count);
    return MOTE_TRAP_NONE;
}

uint32_t mote__gc_array_copy(struct mote__exec *exec, uint64_t to, uint32_t to_index, uint64_t from, uint32_t from_index, uint32_t count) {
    uint32_t trap = !to || !from ? MOTE_TRAP_NULL_ARRAY : check_range(exec, to, to_index, count);
    if (!trap) trap = check_range(exec, from, from_index, count);
    if (trap) return trap;
    size_t bytes = element_bytes(exec, to);
    memmove(array_at(exec, to)->elements + to_index * bytes, array_at(exec, from)->elements + from_index * bytes, count * bytes);
    return MOTE_TRAP_NONE;
}

uint32_t mote__gc_array_init(struct mote__exec *exec, struct mote__instance *inst, uint64_t ref, bool is_data, uint32_t segment, uint32_t index,
                             uint32_t offset, uint32_t count) {
    uint32_t trap = check_range(exec, ref, index, count);
    if (trap) return trap;
    const mote_type *type = mote__type_by_id(&exec->store->engine->types, mote__object_at(exec, ref)->type_id);
    trap = check_segment(exec, inst, type->fields[0].type, is_data, segment, offset, count);
    return trap ? trap : copy_segment(exec, inst, ref, is_data, segment, index, offset, count);
}

/* ---------------------------------------------------------------- casts */

static bool any_matches(const mote_store *store, uint64_t ref, heaptype heap) {
    if (mote__ref_is_i31(ref)) return heap == MOTE_HEAP_ANY || heap == MOTE_HEAP_EQ || heap == MOTE_HEAP_I31;
    uint32_t id = mote__object_at(store->exec, ref)->type_id;
    if (id == OBJECT_EXTERN || heap == MOTE_HEAP_ANY) return heap == MOTE_HEAP_ANY;
    const mote_type *type = mote__type_by_id(&store->engine->types, id);
    if (heap >= HEAP_CONCRETE) return mote__type_is_sub(type, mote__type_by_id(&store->engine->types, heap - HEAP_CONCRETE));
    return heap == MOTE_HEAP_EQ || heap == (heaptype)(type->kind == MOTE_TYPE_STRUCT ? MOTE_HEAP_STRUCT : MOTE_HEAP_ARRAY);
}

static bool func_matches(const mote_store *store, uint64_t ref, heaptype heap) {
    if (heap < HEAP_CONCRETE) return heap == MOTE_HEAP_FUNC;
    const struct mote__func *func = (const struct mote__func *)(uintptr_t)ref;
    return mote__type_is_sub(func->type, mote__type_by_id(&store->engine->types, heap - HEAP_CONCRETE));
}

bool mote__ref_matches(const mote_store *store, uint64_t ref, valtype type) {
    heaptype heap = mote__vt_heap(type);
    if (!ref) return mote__vt_is_null(type);
    switch (mote__heap_top(&store->engine->types, heap)) {
    case MOTE_HEAP_FUNC: return func_matches(store, ref, heap);
    case MOTE_HEAP_EXTERN: return heap == MOTE_HEAP_EXTERN;
    case MOTE_HEAP_EXN: return heap == MOTE_HEAP_EXN;
    default: return any_matches(store, ref, heap);
    }
}
