/* types.h - value types, defined types, and their canonical form (core spec, "Structure / Types" and "Validation / Matching").
 * A value type is one word. A concrete heap type in it is the engine-wide id of a canonical defined type: equal types have equal ids, so that
 * equality is a compare and subtyping a look into the display of supertypes. Recursion groups are hash-consed per engine and
 * counted; a module holds the groups that it defines. Ids are never used again while the engine lives. */
#ifndef MOTE_WASM_TYPES_H
#define MOTE_WASM_TYPES_H

#include <mote/mote.h>
#include <stdatomic.h>
#include "base/reader.h"
#include "base/vec.h"
#include "os/os.h"

/* ---- value types: small numbers, or VT_REF | [VT_NULL] | heap type */
typedef uint32_t valtype;
typedef uint32_t heaptype;

enum {
    VT_BOTTOM = 0, /* of unreachable code: matches everything */
    VT_I32 = 1,
    VT_I64 = 2,
    VT_F32 = 3,
    VT_F64 = 4,
    VT_V128 = 5,
    VT_I8 = 6, /* storage types, fields only */
    VT_I16 = 7,
};
#define VT_REF       UINT32_C(0x80000000)
#define VT_NULL      UINT32_C(0x40000000)
#define VT_HEAP_MASK UINT32_C(0x1FFFFFFF)

/* Heap types: mote_heapkind for abstract ones, HEAP_BOTTOM, HEAP_CONCRETE + id, and while a group is being made HEAP_REC + index in it. */
enum {
    HEAP_BOTTOM = 15, /* the reference of unreachable code */
    HEAP_CONCRETE = 16,
};
#define HEAP_REC UINT32_C(0x10000000)

static inline bool mote__vt_is_ref(valtype t) { return (t & VT_REF) != 0; }
static inline bool mote__vt_is_null(valtype t) { return (t & VT_NULL) != 0; }
static inline heaptype mote__vt_heap(valtype t) { return t & VT_HEAP_MASK; }
static inline valtype mote__vt_ref(heaptype heap, bool nullable) {
    return VT_REF | (nullable ? VT_NULL : 0) | heap;
}
#define VT_FUNCREF   (VT_REF | VT_NULL | MOTE_HEAP_FUNC)
#define VT_EXTERNREF (VT_REF | VT_NULL | MOTE_HEAP_EXTERN)
#define VT_EXNREF    (VT_REF | VT_NULL | MOTE_HEAP_EXN)
/* Slots of 8 bytes that a value takes in a frame. */
static inline uint32_t mote__vt_slots(valtype t) { return t == VT_V128 ? 2 : 1; }
/* True for types that have a default value (numbers, vectors, nullable references). */
static inline bool mote__vt_has_default(valtype t) { return !mote__vt_is_ref(t) || mote__vt_is_null(t); }
struct mote__types;
/* Bytes of a field or array element on the heap: packed types 1 and 2, references into the heap 4, function references 8. */
uint32_t mote__storage_bytes(valtype t, const struct mote__types *types);

/* ---- defined types */
struct mote__fieldtype {
    valtype type; /* storage type */
    bool is_mutable;
};

/* Where a field lives in an object, after its header. */
struct mote__fieldplace {
    uint32_t offset; /* bytes from the start of the object */
};

/* One canonical defined type; `mote_type` of the API. Lives as long as its group is held. */
struct mote_type {
    struct mote__recgroup *group;
    const mote_type *super; /* NULL: none declared */
    uint32_t id;
    uint8_t kind; /* mote_typekind */
    bool is_final;
    uint16_t depth;             /* number of supertypes above it */
    uint32_t param_count;       /* functions: fields[] holds params, then results */
    uint32_t result_count;
    uint32_t param_slots, result_slots;
    uint32_t field_count;       /* of structs; 1 for arrays; params + results for functions */
    struct mote__fieldtype *fields;
    struct mote__fieldplace *places; /* structs: one per field; arrays: one, the first element's */
    uint32_t object_bytes;      /* structs: whole object with header; arrays: header with length */
    uint32_t ref_count;         /* structs: how many of ref_offsets */
    uint32_t *ref_offsets;      /* structs: offsets of the 32-bit heap references inside */
    uint32_t *display;          /* ids of its supertypes from the root, [depth] is its own */
};

static inline valtype mote__type_param(const mote_type *t, size_t i) { return t->fields[i].type; }
static inline valtype mote__type_result(const mote_type *t, size_t i) { return t->fields[t->param_count + i].type; }

/* ---- the registry of an engine. Thread-safe; readers of `by_id` need no lock while they hold the type. */
struct mote__types {
    const mote_allocator *allocator;
    struct os_mutex lock;
    struct mote__recgroup **buckets; /* chained hash of groups */
    size_t bucket_count, group_count;
    _Atomic(const mote_type **) by_id; /* replaced when it grows; old arrays are kept until deinit */
    uint32_t id_count, id_capacity;
    VEC(void *) retired; /* old by_id arrays with their sizes in front */
};

mote_status mote__types_init(struct mote__types *types, const mote_allocator *allocator);
void mote__types_deinit(struct mote__types *types); /* every group must have been released */

static inline const mote_type *mote__type_by_id(const struct mote__types *types, uint32_t id) {
    return atomic_load_explicit(&types->by_id, memory_order_acquire)[id];
}

/* A type definition before it is canonical: concrete heap types are HEAP_CONCRETE + id, or HEAP_REC + index inside the group. */
struct mote__typedef {
    uint8_t kind;
    bool is_final, has_super;
    heaptype super;
    uint32_t param_count, result_count;     /* functions */
    uint32_t field_count;
    struct mote__fieldtype *fields;         /* borrowed for the call */
};

/* Interns a recursion group of `count` definitions and checks its declared supertypes (declared before, not final, structurally matching; depth limit):
 * MOTE_E_INVALID with "sub type ..." if they do not hold. On success *group is held for the caller and its types are in
 * (*group)->types[0..count). Cost: linear in the size of the definitions. */
mote_status mote__types_intern(struct mote__types *types, const struct mote__typedef *defs, uint32_t count,
                               struct mote__recgroup **group, mote_error *error);

struct mote__recgroup {
    struct mote__types *registry;
    struct mote__recgroup *next; /* in its bucket */
    _Atomic uint32_t holds;
    uint32_t count;
    uint64_t hash;
    uint32_t *key; /* the definitions as words, for comparing */
    size_t key_words;
    mote_type *types;
    struct mote__recgroup **uses; /* groups that this one's types refer to, held by it */
    size_t use_count;
    size_t alloc_bytes;
};

struct mote__recgroup *mote__recgroup_retain(struct mote__recgroup *group);
void mote__recgroup_release(struct mote__recgroup *group);

/* ---- matching */
bool mote__heap_matches(const struct mote__types *types, heaptype sub, heaptype super);
bool mote__vt_matches_slow(const struct mote__types *types, valtype sub, valtype super);
static inline bool mote__vt_matches(const struct mote__types *types, valtype sub, valtype super) {
    return sub == super || mote__vt_matches_slow(types, sub, super);
}
/* sub <: super for defined types: a compare and one look into the display. */
static inline bool mote__type_is_sub(const mote_type *sub, const mote_type *super) {
    return sub == super || (sub->depth > super->depth && sub->display[super->depth] == super->id);
}
/* The top of a heap type's hierarchy: MOTE_HEAP_ANY, FUNC, EXTERN or EXN (HEAP_BOTTOM for itself). */
heaptype mote__heap_top(const struct mote__types *types, heaptype heap);
/* References that the collector follows: all but those to functions. */
static inline bool mote__vt_is_heap_ref(const struct mote__types *types, valtype t) {
    return mote__vt_is_ref(t) && mote__heap_top(types, mote__vt_heap(t)) != MOTE_HEAP_FUNC;
}
/* The type difference of a cast: `a` without what `b` takes out (core spec, "Reference types / difference"). */
valtype mote__vt_difference(valtype a, valtype b);

/* ---- between the API's form and this one */
mote_valtype mote__vt_public(const struct mote__types *types, valtype t);
/* False when the public type is not a value (or, with `storage`, storage) type or its concrete type is of another engine. */
bool mote__vt_from_public(const struct mote__types *types, mote_valtype in, bool storage, valtype *out);
/* Prints a value type in the text format, cut at `size`; returns its length. */
size_t mote__vt_print(const struct mote__types *types, valtype t, char *out, size_t size);
/* The same for a defined type, "(param i32) (result i64)", "(struct (field i8))"; what it refers to appears by the id, "$t12". */
size_t mote__type_print(const mote_type *type, char *out, size_t size);

#endif
