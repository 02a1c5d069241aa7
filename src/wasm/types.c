/* types.c - the registry of canonical types: recursion groups interned by structure and counted,
 * and the relations between types (core spec, "Validation / Types" and "Validation / Matching"). A
 * group and all that belongs to it is one block of memory. Its key is its definitions as words, in
 * which references to types of the same group are relative (HEAP_REC + index) and references to
 * other groups are ids: two groups are equal exactly when their keys are. Keeps: a group is in the
 * table exactly while holds > 0, and holds goes from or to 0 only under the lock; a group holds the
 * groups that it refers to; ids only go up. */
#include "wasm/types.h"
#include "base/error.h"
#include "base/map.h"
#include "wasm/limits.h"
#include "wasm/typecode.h"
#include <assert.h>
#include <stdio.h>

enum {
    OBJECT_HEADER_BYTES = 8, /* type id, word of the collector */
    ARRAY_HEADER_BYTES = 16, /* with the length at 8 */
    OBJECT_ALIGNMENT = 8,
    BUCKETS_MIN = 64,
    IDS_MIN = 256,
    DEPTHS_INLINE = 16,
    KEY_HEAD_WORDS = 4, /* of a definition: shape, supertype, parameters, fields */
};
#define KEY_MUTABLE   UINT32_C(0x20000000) /* a bit that value types do not use */
#define KEY_FINAL     UINT32_C(0x100)
#define KEY_HAS_SUPER UINT32_C(0x200)
#define ID_COUNT_MAX  (HEAP_REC - HEAP_CONCRETE)

/* ---------------------------------------------------------------- value types */

static bool is_function_heap(heaptype heap, const struct mote__types *types) {
    if (heap >= HEAP_CONCRETE)
        return mote__type_by_id(types, heap - HEAP_CONCRETE)->kind == MOTE_TYPE_FUNC;
    return heap == MOTE_HEAP_FUNC || heap == MOTE_HEAP_NOFUNC;
}

uint32_t mote__storage_bytes(valtype t, const struct mote__types *types) {
    static const uint8_t bytes[] = {[VT_I32] = 4,   [VT_I64] = 8, [VT_F32] = 4, [VT_F64] = 8,
                                    [VT_V128] = 16, [VT_I8] = 1,  [VT_I16] = 2};
    if (mote__vt_is_ref(t)) return is_function_heap(mote__vt_heap(t), types) ? 8 : 4;
    assert(t < sizeof bytes);
    return bytes[t];
}

/* ---------------------------------------------------------------- matching */

#define HEAP_BIT(heap) (1u << MOTE_HEAP_##heap)
/* The abstract heap types above each abstract heap type, itself included. */
static const uint16_t heaps_above[] = {
    [MOTE_HEAP_FUNC] = HEAP_BIT(FUNC),
    [MOTE_HEAP_NOFUNC] = HEAP_BIT(NOFUNC) | HEAP_BIT(FUNC),
    [MOTE_HEAP_EXTERN] = HEAP_BIT(EXTERN),
    [MOTE_HEAP_NOEXTERN] = HEAP_BIT(NOEXTERN) | HEAP_BIT(EXTERN),
    [MOTE_HEAP_ANY] = HEAP_BIT(ANY),
    [MOTE_HEAP_EQ] = HEAP_BIT(EQ) | HEAP_BIT(ANY),
    [MOTE_HEAP_I31] = HEAP_BIT(I31) | HEAP_BIT(EQ) | HEAP_BIT(ANY),
    [MOTE_HEAP_STRUCT] = HEAP_BIT(STRUCT) | HEAP_BIT(EQ) | HEAP_BIT(ANY),
    [MOTE_HEAP_ARRAY] = HEAP_BIT(ARRAY) | HEAP_BIT(EQ) | HEAP_BIT(ANY),
    [MOTE_HEAP_NONE] = HEAP_BIT(NONE) | HEAP_BIT(I31) | HEAP_BIT(STRUCT) | HEAP_BIT(ARRAY) |
                       HEAP_BIT(EQ) | HEAP_BIT(ANY),
    [MOTE_HEAP_EXN] = HEAP_BIT(EXN),
    [MOTE_HEAP_NOEXN] = HEAP_BIT(NOEXN) | HEAP_BIT(EXN),
};
/* The abstract heap types just above and at the bottom of the defined types of each kind. */
static const uint8_t kind_above[] = {[MOTE_TYPE_FUNC] = MOTE_HEAP_FUNC,
                                     [MOTE_TYPE_STRUCT] = MOTE_HEAP_STRUCT,
                                     [MOTE_TYPE_ARRAY] = MOTE_HEAP_ARRAY};
static const uint8_t kind_bottom[] = {[MOTE_TYPE_FUNC] = MOTE_HEAP_NOFUNC,
                                      [MOTE_TYPE_STRUCT] = MOTE_HEAP_NONE,
                                      [MOTE_TYPE_ARRAY] = MOTE_HEAP_NONE};

static const mote_type *concrete(const struct mote__types *types, heaptype heap) {
    assert(heap >= HEAP_CONCRETE && heap < HEAP_REC);
    return mote__type_by_id(types, heap - HEAP_CONCRETE);
}

bool mote__heap_matches(const struct mote__types *types, heaptype sub, heaptype super) {
    if (sub == super || sub == HEAP_BOTTOM) return true;
    if (super == HEAP_BOTTOM) return false;
    if (super >= HEAP_CONCRETE) {
        const mote_type *above = concrete(types, super);
        if (sub >= HEAP_CONCRETE) return mote__type_is_sub(concrete(types, sub), above);
        return sub == kind_bottom[above->kind];
    }
    if (sub >= HEAP_CONCRETE) sub = kind_above[concrete(types, sub)->kind];
    return heaps_above[sub] >> super & 1;
}

bool mote__vt_matches_slow(const struct mote__types *types, valtype sub, valtype super) {
    if (sub == super || sub == VT_BOTTOM) return true;
    if (!mote__vt_is_ref(sub) || !mote__vt_is_ref(super)) return false;
    if (mote__vt_is_null(sub) && !mote__vt_is_null(super)) return false;
    return mote__heap_matches(types, mote__vt_heap(sub), mote__vt_heap(super));
}

heaptype mote__heap_top(const struct mote__types *types, heaptype heap) {
    static const heaptype tops[] = {MOTE_HEAP_FUNC, MOTE_HEAP_EXTERN, MOTE_HEAP_ANY, MOTE_HEAP_EXN};
    if (heap == HEAP_BOTTOM) return HEAP_BOTTOM;
    if (heap >= HEAP_CONCRETE) heap = kind_above[concrete(types, heap)->kind];
    unsigned i = 0;
    while (!(heaps_above[heap] >> tops[i] & 1)) i++;
    return tops[i];
}

valtype mote__vt_difference(valtype a, valtype b) { return mote__vt_is_null(b) ? a & ~VT_NULL : a; }

/* ---------------------------------------------------------------- the registry */

mote_status mote__types_init(struct mote__types *types, const mote_allocator *allocator) {
    *types = (struct mote__types){.allocator = allocator};
    return MOTE_OK;
}

void mote__types_deinit(struct mote__types *types) {
    const mote_allocator *a = types->allocator;
    assert(types->group_count == 0);
    for (size_t i = 0; i < types->retired.count; i++) {
        size_t *old = types->retired.data[i];
        mote__free(a, old, *old);
    }
    mote__vec_deinit(&types->retired, a);
    MOTE__DELETE_ARRAY(a, types->buckets, types->bucket_count);
    types->buckets = NULL;
    types->bucket_count = 0;
}

static struct mote__recgroup **bucket(const struct mote__types *types, uint64_t hash) {
    return &types->buckets[hash & (types->bucket_count - 1)];
}

/* Makes room for one group more; the table is at most full once over. */
static bool reserve_bucket(struct mote__types *types) {
    if (types->group_count < types->bucket_count) return true;
    size_t old_count = types->bucket_count, count = old_count ? old_count * 2 : BUCKETS_MIN;
    struct mote__recgroup **old = types->buckets;
    struct mote__recgroup **buckets =
        MOTE__NEW_ARRAY(types->allocator, struct mote__recgroup *, count);
    if (!buckets) return false;
    types->buckets = buckets;
    types->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (struct mote__recgroup *group = old[i], *next; group; group = next) {
            struct mote__recgroup **head = bucket(types, group->hash);
            next = group->next;
            group->next = *head;
            *head = group;
        }
    }
    MOTE__DELETE_ARRAY(types->allocator, old, old_count);
    return true;
}

/* Makes room for `count` ids more. Whoever reads the old array meanwhile goes on reading it: it is
 * kept, behind a word with its bytes. */
static bool reserve_ids(struct mote__types *types, uint32_t count) {
    if (count <= types->id_capacity - types->id_count) return true;
    size_t capacity = (size_t)types->id_capacity + types->id_capacity / 2;
    if (capacity < (size_t)types->id_count + count) capacity = (size_t)types->id_count + count;
    if (capacity < IDS_MIN) capacity = IDS_MIN;
    if (capacity > ID_COUNT_MAX) capacity = ID_COUNT_MAX;
    if (!mote__vec_reserve(&types->retired, types->allocator, 1)) return false;
    size_t bytes = sizeof(size_t) + capacity * sizeof(mote_type *);
    size_t *block = mote__alloc(types->allocator, bytes);
    if (!block) return false;
    *block = bytes;
    const mote_type **by_id = (const mote_type **)(void *)(block + 1);
    const mote_type **old = atomic_load_explicit(&types->by_id, memory_order_relaxed);
    if (old) memcpy(by_id, old, types->id_count * sizeof *by_id);
    *mote__vec_push(&types->retired, types->allocator) = block;
    types->id_capacity = (uint32_t)capacity;
    atomic_store_explicit(&types->by_id, by_id, memory_order_release);
    return true;
}

static struct mote__recgroup *find_group(const struct mote__types *types,
                                         const struct mote__recgroup *like) {
    if (!types->bucket_count) return NULL;
    for (struct mote__recgroup *group = *bucket(types, like->hash); group; group = group->next) {
        if (group->hash == like->hash && group->key_words == like->key_words &&
            !memcmp(group->key, like->key, like->key_words * sizeof *like->key))
            return group;
    }
    return NULL;
}

static void unlink_group(struct mote__types *types, struct mote__recgroup *group) {
    struct mote__recgroup **place = bucket(types, group->hash);
    while (*place != group) place = &(*place)->next;
    *place = group->next;
    types->group_count--;
}

/* ---------------------------------------------------------------- holds */

struct mote__recgroup *mote__recgroup_retain(struct mote__recgroup *group) {
    atomic_fetch_add_explicit(&group->holds, 1, memory_order_relaxed);
    return group;
}

/* Drops one of several holds; false (and nothing done) when it is the last. */
static bool drop_shared_hold(struct mote__recgroup *group) {
    uint32_t holds = atomic_load_explicit(&group->holds, memory_order_relaxed);
    while (holds > 1) {
        if (atomic_compare_exchange_weak_explicit(&group->holds, &holds, holds - 1,
                                                  memory_order_release, memory_order_relaxed))
            return true;
    }
    return false;
}

/* Drops a hold under the lock; a group without holds leaves the table and goes in front of *dead.
 */
static void drop_hold(struct mote__types *types, struct mote__recgroup *group,
                      struct mote__recgroup **dead) {
    if (atomic_fetch_sub_explicit(&group->holds, 1, memory_order_acq_rel) > 1) return;
    unlink_group(types, group);
    group->next = *dead;
    *dead = group;
}

static void free_group(struct mote__types *types, struct mote__recgroup *group) {
    mote__free(types->allocator, group, group->alloc_bytes);
}

void mote__recgroup_release(struct mote__recgroup *group) {
    if (!group || drop_shared_hold(group)) return;
    struct mote__types *types = group->registry;
    struct mote__recgroup *dead = NULL, *freed = NULL;
    mote__os_mutex_lock(&types->lock);
    drop_hold(types, group, &dead);
    while (dead) { /* a list, not recursion: a chain of groups may be long */
        struct mote__recgroup *next = dead;
        dead = next->next;
        for (size_t i = 0; i < next->use_count; i++) drop_hold(types, next->uses[i], &dead);
        next->next = freed;
        freed = next;
    }
    mote__os_mutex_unlock(&types->lock);
    while (freed) {
        struct mote__recgroup *next = freed->next;
        free_group(types, freed);
        freed = next;
    }
}

/* ---------------------------------------------------------------- making a group: measuring, its
 * block, its key */

/* A group under construction. */
struct draft {
    struct mote__types *types;
    const struct mote__typedef *defs;
    uint32_t count;
    mote_error *error;
    struct mote__recgroup *group;
    uint16_t *depths, depths_inline[DEPTHS_INLINE];
    /* How many of each the block holds. */
    size_t fields, places, refs, display_ids, uses;
    uint32_t first_id;
    struct { /* where the next type's parts are in the block */
        struct mote__fieldtype *fields;
        struct mote__fieldplace *places;
        uint32_t *refs, *display;
    } next;
};

static uint32_t total_fields(const struct mote__typedef *def) {
    return def->kind == MOTE_TYPE_FUNC ? def->param_count + def->result_count : def->field_count;
}

static bool is_outer(heaptype heap) { return heap >= HEAP_CONCRETE && heap < HEAP_REC; }

static mote_status measure_super(struct draft *d, uint32_t index) {
    const struct mote__typedef *def = &d->defs[index];
    uint32_t depth = 0;
    if (def->has_super && is_outer(def->super)) {
        depth = concrete(d->types, def->super)->depth + 1u;
        d->uses++;
    } else if (def->has_super) {
        if (def->super < HEAP_REC || def->super - HEAP_REC >= index)
            return mote__error_set(d->error, MOTE_E_INVALID, MOTE_NO_OFFSET,
                                   "unknown type: a supertype must be declared before its subtype");
        depth = d->depths[def->super - HEAP_REC] + 1u;
    }
    if (depth > LIMIT_SUBTYPE_DEPTH)
        return mote__error_set(d->error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "more than %d supertypes above a type", (int)LIMIT_SUBTYPE_DEPTH);
    d->depths[index] = (uint16_t)depth;
    d->display_ids += depth + 1u;
    return MOTE_OK;
}

static mote_status measure_type(struct draft *d, uint32_t index) {
    const struct mote__typedef *def = &d->defs[index];
    uint32_t count = total_fields(def);
    d->fields += count;
    if (def->kind != MOTE_TYPE_FUNC) d->places += count;
    for (uint32_t i = 0; i < count; i++) {
        valtype t = def->fields[i].type;
        if (!mote__vt_is_ref(t)) continue;
        d->refs += def->kind == MOTE_TYPE_STRUCT;
        d->uses += is_outer(mote__vt_heap(t));
    }
    return measure_super(d, index);
}

/* Cuts `bytes` bytes off the block. */
static void *carve(uint8_t **cursor, size_t bytes) {
    void *start = *cursor;
    *cursor += bytes;
    return start;
}

/* One block: the group, its types, pointers, then everything made of 32-bit words. */
static bool allocate_group(struct draft *d) {
    size_t key_words = (size_t)d->count * KEY_HEAD_WORDS + d->fields;
    size_t bytes = sizeof *d->group + d->count * sizeof(mote_type) +
                   d->uses * sizeof(struct mote__recgroup *) +
                   d->fields * sizeof(struct mote__fieldtype) +
                   d->places * sizeof(struct mote__fieldplace) +
                   (d->refs + d->display_ids + key_words) * sizeof(uint32_t);
    uint8_t *cursor = mote__alloc_zeroed(d->types->allocator, bytes);
    if (!cursor) return false;
    struct mote__recgroup *group = d->group = carve(&cursor, sizeof *d->group);
    group->registry = d->types;
    group->count = d->count;
    group->key_words = key_words;
    group->alloc_bytes = bytes;
    group->types = carve(&cursor, d->count * sizeof(mote_type));
    group->uses = carve(&cursor, d->uses * sizeof(struct mote__recgroup *));
    d->next.fields = carve(&cursor, d->fields * sizeof(struct mote__fieldtype));
    d->next.places = carve(&cursor, d->places * sizeof(struct mote__fieldplace));
    d->next.refs = carve(&cursor, d->refs * sizeof(uint32_t));
    d->next.display = carve(&cursor, d->display_ids * sizeof(uint32_t));
    group->key = carve(&cursor, key_words * sizeof(uint32_t));
    return true;
}

static void write_key(const struct draft *d) {
    uint32_t *key = d->group->key;
    for (const struct mote__typedef *def = d->defs; def < d->defs + d->count; def++) {
        uint32_t count = total_fields(def);
        *key++ = def->kind | (def->is_final ? KEY_FINAL : 0) | (def->has_super ? KEY_HAS_SUPER : 0);
        *key++ = def->has_super ? def->super : 0;
        *key++ = def->kind == MOTE_TYPE_FUNC ? def->param_count : 0;
        *key++ = count;
        for (uint32_t i = 0; i < count; i++)
            *key++ = def->fields[i].type | (def->fields[i].is_mutable ? KEY_MUTABLE : 0);
    }
    assert(key == d->group->key + d->group->key_words);
    d->group->hash =
        mote__hash(d->group->key, d->group->key_words * sizeof *key, (uintptr_t)d->types);
}

/* ---------------------------------------------------------------- making a group: its types */

static heaptype resolve_heap(const struct draft *d, heaptype heap) {
    return heap >= HEAP_REC ? HEAP_CONCRETE + d->first_id + (heap - HEAP_REC) : heap;
}

static valtype resolve(const struct draft *d, valtype t) {
    return mote__vt_is_ref(t) ? mote__vt_ref(resolve_heap(d, mote__vt_heap(t)), mote__vt_is_null(t))
                              : t;
}

static void link_super(struct draft *d, mote_type *type, const struct mote__typedef *def,
                       uint16_t depth) {
    type->depth = depth;
    type->display = d->next.display;
    d->next.display += depth + 1u;
    if (def->has_super) {
        type->super = concrete(d->types, resolve_heap(d, def->super));
        memcpy(type->display, type->super->display, depth * sizeof *type->display);
    }
    type->display[depth] = type->id;
}

static void set_fields(struct draft *d, mote_type *type, const struct mote__typedef *def) {
    type->field_count = total_fields(def);
    type->fields = d->next.fields;
    d->next.fields += type->field_count;
    for (uint32_t i = 0; i < type->field_count; i++) {
        type->fields[i].type = resolve(d, def->fields[i].type);
        type->fields[i].is_mutable = def->fields[i].is_mutable;
    }
}

static void set_type(struct draft *d, uint32_t index) {
    const struct mote__typedef *def = &d->defs[index];
    mote_type *type = &d->group->types[index];
    type->group = d->group;
    type->id = d->first_id + index;
    type->kind = def->kind;
    type->is_final = def->is_final;
    atomic_load_explicit(&d->types->by_id, memory_order_relaxed)[type->id] = type;
    link_super(d, type, def, d->depths[index]);
    set_fields(d, type, def);
}

static void lay_out_function(mote_type *type, const struct mote__typedef *def) {
    type->param_count = def->param_count;
    type->result_count = def->result_count;
    for (uint32_t i = 0; i < type->field_count; i++)
        *(i < type->param_count ? &type->param_slots : &type->result_slots) +=
            mote__vt_slots(type->fields[i].type);
}

static uint32_t align_up(uint32_t bytes, uint32_t alignment) {
    return (bytes + alignment - 1) & ~(alignment - 1);
}

static void lay_out_struct(struct draft *d, mote_type *type) {
    uint32_t end = OBJECT_HEADER_BYTES;
    type->ref_offsets = d->next.refs;
    for (uint32_t i = 0; i < type->field_count; i++) {
        valtype t = type->fields[i].type;
        uint32_t bytes = mote__storage_bytes(t, d->types);
        uint32_t offset = align_up(end, bytes < OBJECT_ALIGNMENT ? bytes : OBJECT_ALIGNMENT);
        type->places[i].offset = offset;
        end = offset + bytes;
        if (mote__vt_is_ref(t) && bytes == 4) type->ref_offsets[type->ref_count++] = offset;
    }
    type->object_bytes = align_up(end, OBJECT_ALIGNMENT);
    d->next.refs += type->ref_count;
}

/* After every type of the group has its kind. */
static void lay_out(struct draft *d, uint32_t index) {
    mote_type *type = &d->group->types[index];
    if (type->kind == MOTE_TYPE_FUNC) {
        lay_out_function(type, &d->defs[index]);
        return;
    }
    type->places = d->next.places;
    d->next.places += type->field_count;
    if (type->kind == MOTE_TYPE_STRUCT) {
        lay_out_struct(d, type);
        return;
    }
    type->object_bytes = ARRAY_HEADER_BYTES;
    type->places[0].offset = ARRAY_HEADER_BYTES;
}

/* ---------------------------------------------------------------- making a group: declared
 * supertypes */

static bool field_is_sub(const struct mote__types *types, const struct mote__fieldtype *sub,
                         const struct mote__fieldtype *super) {
    if (sub->is_mutable != super->is_mutable) return false;
    return super->is_mutable ? sub->type == super->type
                             : mote__vt_matches(types, sub->type, super->type);
}

static bool function_is_sub(const struct mote__types *types, const mote_type *sub,
                            const mote_type *super) {
    if (sub->param_count != super->param_count || sub->result_count != super->result_count)
        return false;
    for (uint32_t i = 0; i < sub->param_count; i++)
        if (!mote__vt_matches(types, mote__type_param(super, i), mote__type_param(sub, i)))
            return false;
    for (uint32_t i = 0; i < sub->result_count; i++)
        if (!mote__vt_matches(types, mote__type_result(sub, i), mote__type_result(super, i)))
            return false;
    return true;
}

/* Whether the structure of `sub` may stand where `super` is expected. */
static bool structure_is_sub(const struct mote__types *types, const mote_type *sub,
                             const mote_type *super) {
    if (sub->kind != super->kind) return false;
    if (sub->kind == MOTE_TYPE_FUNC) return function_is_sub(types, sub, super);
    if (sub->field_count < super->field_count) return false;
    for (uint32_t i = 0; i < super->field_count; i++)
        if (!field_is_sub(types, &sub->fields[i], &super->fields[i])) return false;
    return true;
}

static mote_status check_supers(const struct draft *d) {
    for (uint32_t i = 0; i < d->count; i++) {
        const mote_type *type = &d->group->types[i];
        if (!type->super ||
            (!type->super->is_final && structure_is_sub(d->types, type, type->super)))
            continue;
        mote__error_set(d->error, MOTE_E_INVALID, MOTE_NO_OFFSET, "sub type %u of the group %s", i,
                        type->super->is_final ? "has a final super type"
                                              : "does not match its super type");
        return MOTE_E_INVALID;
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- making a group: the whole */

static void use_group_of(struct draft *d, heaptype heap) {
    struct mote__recgroup *group = d->group;
    struct mote__recgroup *used = concrete(d->types, heap)->group;
    if (group->use_count && group->uses[group->use_count - 1] == used) return;
    group->uses[group->use_count++] = mote__recgroup_retain(used);
}

static void use_groups(struct draft *d) {
    for (const struct mote__typedef *def = d->defs; def < d->defs + d->count; def++) {
        if (def->has_super && is_outer(def->super)) use_group_of(d, def->super);
        for (uint32_t i = 0; i < total_fields(def); i++) {
            valtype t = def->fields[i].type;
            if (mote__vt_is_ref(t) && is_outer(mote__vt_heap(t))) use_group_of(d, mote__vt_heap(t));
        }
    }
}

/* Gives the new group its ids and checks it; an invalid one leaves no trace. */
static mote_status add_group(struct draft *d) {
    struct mote__types *types = d->types;
    if (d->count > ID_COUNT_MAX - types->id_count)
        return mote__error_set(d->error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "the engine has made more than %u types", (unsigned)ID_COUNT_MAX);
    if (!reserve_ids(types, d->count) || !reserve_bucket(types))
        return mote__error_nomem(d->error, "adding a type");
    d->first_id = types->id_count;
    for (uint32_t i = 0; i < d->count; i++) set_type(d, i);
    for (uint32_t i = 0; i < d->count; i++) lay_out(d, i);
    TRY(check_supers(d));
    use_groups(d);
    types->id_count += d->count;
    types->group_count++;
    struct mote__recgroup **head = bucket(types, d->group->hash);
    d->group->next = *head;
    d->group->holds = 1;
    *head = d->group;
    return MOTE_OK;
}

/* Finds the draft's group in the table or adds it; it is then held. */
static mote_status find_or_add_group(struct draft *d) {
    mote__os_mutex_lock(&d->types->lock);
    struct mote__recgroup *found = find_group(d->types, d->group);
    mote_status status = found ? MOTE_OK : add_group(d);
    if (found) mote__recgroup_retain(found);
    mote__os_mutex_unlock(&d->types->lock);
    if (found || status != MOTE_OK) free_group(d->types, d->group);
    if (found) d->group = found;
    return status;
}

static mote_status make_group(struct draft *d) {
    for (uint32_t i = 0; i < d->count; i++) TRY(measure_type(d, i));
    if (!allocate_group(d)) return mote__error_nomem(d->error, "adding a type");
    write_key(d);
    return find_or_add_group(d);
}

mote_status mote__types_intern(struct mote__types *types, const struct mote__typedef *defs,
                               uint32_t count, struct mote__recgroup **group, mote_error *error) {
    struct draft d = {.types = types, .defs = defs, .count = count, .error = error};
    d.depths = count <= DEPTHS_INLINE ? d.depths_inline
                                      : MOTE__NEW_ARRAY(types->allocator, uint16_t, count);
    if (!d.depths) return mote__error_nomem(error, "adding a type");
    mote_status status = make_group(&d);
    if (d.depths != d.depths_inline) MOTE__DELETE_ARRAY(types->allocator, d.depths, count);
    if (status == MOTE_OK) *group = d.group;
    return status;
}

/* ---------------------------------------------------------------- between the API's form and this
 * one */

mote_valtype mote__vt_public(const struct mote__types *types, valtype t) {
    assert(t != VT_BOTTOM);
    if (!mote__vt_is_ref(t))
        return (mote_valtype){.kind = (uint8_t)(t <= VT_V128 ? t - VT_I32 : t)};
    heaptype heap = mote__vt_heap(t);
    mote_valtype out = {.kind = MOTE_REF, .nullable = mote__vt_is_null(t)};
    out.heap = (uint8_t)(heap < HEAP_CONCRETE ? heap : MOTE_HEAP_TYPE);
    if (heap >= HEAP_CONCRETE) out.type = concrete(types, heap);
    return out;
}

static bool heap_from_public(const struct mote__types *types, mote_valtype in, heaptype *out) {
    if (in.heap < MOTE_HEAP_TYPE) {
        *out = in.heap;
        return true;
    }
    if (in.heap != MOTE_HEAP_TYPE || !in.type || in.type->group->registry != types) return false;
    *out = HEAP_CONCRETE + in.type->id;
    return true;
}

bool mote__vt_from_public(const struct mote__types *types, mote_valtype in, bool storage,
                          valtype *out) {
    heaptype heap;
    switch (in.kind) {
    case MOTE_I32:
    case MOTE_I64:
    case MOTE_F32:
    case MOTE_F64:
    case MOTE_V128: *out = in.kind + (valtype)VT_I32; return true;
    case MOTE_I8:
    case MOTE_I16: *out = in.kind; return storage;
    case MOTE_REF:
        if (!heap_from_public(types, in, &heap)) return false;
        *out = mote__vt_ref(heap, in.nullable);
        return true;
    default: return false;
    }
}
static_assert((int)VT_I8 == (int)MOTE_I8 && (int)VT_I16 == (int)MOTE_I16,
              "packed types have the same numbers in both forms");

/* ---------------------------------------------------------------- printing */

/* Text cut at `size` bytes (the NUL included); `length` is what it would have. */
struct printer {
    const struct mote__types *types;
    char *out;
    size_t size, length;
    bool inside; /* a concrete type: those in it are printed by number */
};

static void print(struct printer *p, const char *text) {
    for (; *text; text++, p->length++)
        if (p->length + 1 < p->size) p->out[p->length] = *text;
}

static size_t finish(struct printer *p) {
    if (p->size) p->out[p->length < p->size ? p->length : p->size - 1] = 0;
    return p->length;
}

static void print_type(struct printer *p, const mote_type *type);

static void print_heap(struct printer *p, heaptype heap) {
    if (heap < HEAP_CONCRETE) {
        print(p, heap == HEAP_BOTTOM ? "bottom" : mote__heap_types[heap].word);
    } else if (p->inside) {
        char number[16];
        snprintf(number, sizeof number, "$t%u", heap - HEAP_CONCRETE);
        print(p, number);
    } else {
        print_type(p, concrete(p->types, heap));
    }
}

static void print_valtype(struct printer *p, valtype t) {
    heaptype heap = mote__vt_heap(t);
    if (!mote__vt_is_ref(t)) {
        print(p, t == VT_BOTTOM ? "any type" : mote__plain_types[t - VT_I32].word);
    } else if (mote__vt_is_null(t) && heap < HEAP_BOTTOM) {
        print(p, mote__heap_types[heap].ref_word);
    } else {
        print(p, mote__vt_is_null(t) ? "(ref null " : "(ref ");
        print_heap(p, heap);
        print(p, ")");
    }
}

/* "(param i32 i64)", nothing when there are none. */
static void print_list(struct printer *p, const char *head, const struct mote__fieldtype *fields,
                       uint32_t count) {
    if (!count) return;
    print(p, head);
    for (uint32_t i = 0; i < count; i++) {
        print(p, " ");
        print_valtype(p, fields[i].type);
    }
    print(p, ")");
}

static void print_field(struct printer *p, const struct mote__fieldtype *field) {
    if (field->is_mutable) print(p, "(mut ");
    print_valtype(p, field->type);
    if (field->is_mutable) print(p, ")");
}

static void print_signature(struct printer *p, const mote_type *type) {
    print_list(p, "(param", type->fields, type->param_count);
    if (type->param_count && type->result_count) print(p, " ");
    print_list(p, "(result", type->fields + type->param_count, type->result_count);
}

static void print_type(struct printer *p, const mote_type *type) {
    static const char *const heads[] = {"(func", "(struct", "(array"};
    p->inside = true;
    print(p, heads[type->kind]);
    if (type->field_count) print(p, " ");
    if (type->kind == MOTE_TYPE_FUNC) print_signature(p, type);
    for (uint32_t i = 0; i < type->field_count && type->kind == MOTE_TYPE_STRUCT; i++) {
        print(p, i ? " (field " : "(field ");
        print_field(p, &type->fields[i]);
        print(p, ")");
    }
    if (type->kind == MOTE_TYPE_ARRAY) print_field(p, &type->fields[0]);
    print(p, ")");
    p->inside = false;
}

size_t mote__vt_print(const struct mote__types *types, valtype t, char *out, size_t size) {
    struct printer p = {.types = types, .out = out, .size = size};
    print_valtype(&p, t);
    return finish(&p);
}

size_t mote__type_print(const mote_type *type, char *out, size_t size) {
    struct printer p = {.types = type->group->registry, .out = out, .size = size, .inside = true};
    if (type->kind == MOTE_TYPE_FUNC && type->field_count) print_signature(&p, type);
    else print_type(&p, type);
    return finish(&p);
}
