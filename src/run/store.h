/* store.h - what a store owns: instances, functions, memories, tables, globals, tags, segments, the garbage-collected heap and execs
 * (core spec, "Execution / Runtime Structure"). Everything is allocated through the engine's allocator, linked into the store, and freed with it; an
 * object is shared between instances by pointer, exactly as the specification shares addresses. One thread at a time. */
#ifndef MOTE_RUN_STORE_H
#define MOTE_RUN_STORE_H

#include "base/error.h"
#include "base/map.h"
#include "os/os.h"
#include "run/stacks.h"
#include "wasm/engine.h"
#include "wasm/module.h"

struct mote__exec;
struct mote__gc;
struct mote__tier;

/* ---------------------------------------------------------------- engine */

struct mote_engine {
    _Atomic uint32_t holds; /* caller, modules, stores, types */
    mote_config config;     /* allocator filled in, features closed */
    struct mote__types types;
    struct os_mutex lock;       /* of the timer below */
    struct mote__timer *timer;     /* deadlines; made when the first is set */
    _Atomic uint32_t store_serial; /* the last store's */
    const struct mote__tier *tier; /* NULL: everything is interpreted */
    void *tier_data;
    struct mote__stacks stacks;    /* kept for the next store */
};

static inline const mote_allocator *mote__engine_alloc(mote_engine *engine) { return &engine->config.allocator; }
void mote__config_init(mote_config *config);
/* `tier`: what compiles its functions if it can be used here, or NULL. */
mote_status mote__engine_new(const mote_config *config, const struct mote__tier *tier, mote_engine **out, mote_error *error);

/* A module from its binary form; it holds the engine. The last release frees it. */
mote_status mote__module_new(mote_engine *engine, struct span bytes, bool borrow, mote_module **out, mote_error *error);
struct mote__compile_job;
mote_status mote__module_compile(mote_module *module, const struct mote__compile_job *job, mote_error *error);
void mote__module_code_stats(mote_module *module, mote_code_stats *out);
mote_module *mote__module_retain(mote_module *module);
void mote__module_release(mote_module *module);

/* ---------------------------------------------------------------- what instances are made of */

/* A function: an own one of some instance, or the host's. `type_id` is compared by call_indirect, so it stands first. In slots and tables a
 * funcref is a pointer to one of these; null is 0 in slots and &mote__func_null in tables (whose type id matches nothing). */
struct mote__func {
    uint32_t type_id;
    uint32_t index;             /* in its module; wasm functions only */
    uint32_t own_index;         /* index without the imports: where its code is */
    const mote_type *type;      /* held for host functions */
    mote_store *store;
    struct mote__instance *instance; /* NULL: a host function */
    _Atomic(void *) *cell;      /* with a tier: machine code that runs it; see tier.h */
    mote_host_fn fn;            /* typed host functions; NULL for raw ones */
    mote_host_raw_fn raw;       /* typed ones go through mote__host_call_typed */
    void *env;
    void (*drop)(void *env);
    struct mote__func *next;    /* in the store */
};

extern struct mote__func mote__func_null;

/* A linear memory. `base` and `bytes` are what code reads; a shared one is owned by `shared` and these are its current view. */
struct mote__memory {
    uint8_t *base;
    uint64_t bytes;     /* current length */
    mote_store *store;
    struct mote__memtype type;
    uint64_t max_pages; /* the type's, or what 32 or 64 bits allow */
    uint64_t reserved;  /* bytes of address space behind base */
    bool guarded;       /* never moves; wasm32: 4 GiB and a guard are reserved */
    struct mote_shared_memory *shared; /* NULL: not shared */
    struct mote__memory *next;
};

/* True when memories of a type are guarded in an engine: 32-bit, pages of 64 KiB, not low_address_space. */
bool mote__memory_is_guarded(const mote_engine *engine, const struct mote__memtype *type);

/* The part of a shared memory that crosses stores (mote_shared_memory of the API). */
struct mote_shared_memory {
    _Atomic uint32_t holds;
    mote_engine *engine;
    uint8_t *base;          /* never moves: the maximum is reserved */
    _Atomic uint64_t bytes; /* grows only */
    struct mote__memtype type;
    uint64_t max_pages, reserved;
    struct os_mutex lock; /* of growing */
};

/* A table: 8 bytes per element. Function tables hold struct mote__func pointers, 0 for "not made yet" (`lazy` says from what) and &mote__func_null for
 * null; other tables hold reference values with 0 for null. */
struct mote__table {
    uint64_t *elements;
    uint64_t size, capacity;
    mote_store *store;
    struct mote__tabletype type;
    bool is_func;
    struct mote__instance *lazy_instance; /* whose functions `lazy` names */
    const uint32_t *lazy;                 /* function index of element lazy_start + i, for i < lazy_count */
    uint64_t lazy_start, lazy_count;
    struct mote__table *next;
};

struct mote__global {
    uint64_t *value; /* where the value is: `own`, or a slot inside the instance that defined it (two slots for v128) */
    uint64_t own[2];
    valtype type;
    bool is_mutable;
    mote_store *store;
    struct mote__global *next;
};

struct mote__tag {
    const mote_type *type; /* held */
    mote_store *store;
    struct mote__tag *next;
};

/* An instance: pointers into the store, by index space. `mem0`, `code` and `globals` are what compiled code reads, so they stand first. */
struct mote__instance {
    struct mote__memory *mem0;      /* memories[0] or an empty dummy, never NULL */
    uint8_t *fixed_base;            /* memories[0]'s first byte if it is guarded, so that it never moves; else NULL */
    _Atomic(void *) *code;          /* module->code: an entry per own function */
    _Atomic(void *) *cells;         /* with a tier: machine code per own function; NULL without */
    uint64_t *globals;              /* values of own globals, two slots each, indexed from the first own one */
    struct mote__global **global_refs; /* imported ones by index; own ones only once somebody asked (else NULL) */
    struct mote__func **funcs;      /* imported ones by index; own ones NULL until somebody takes a reference */
    struct mote__memory **memories;
    struct mote__table **tables;
    struct mote__tag **tags;
    mote_module *module;            /* held */
    mote_store *store;
    uint8_t *elems_dropped, *datas_dropped; /* a byte per segment */
    uint64_t **elem_values;         /* evaluated element expressions per segment, NULL until needed; roots */
    struct mote__instance *next;
    uint32_t alloc_globals;
};

/* Where in its block an instance has its index spaces: bytes from the struct, known from the module alone. */
struct mote__instance_layout {
    size_t globals, global_refs, funcs, memories, tables, tags, elem_values, elems_dropped, datas_dropped, total;
};
struct mote__instance_layout mote__instance_layout(const mote_module *m);

/* ---------------------------------------------------------------- the store */

struct mote__attachment {
    const void *key;
    void *data;
    void (*drop)(void *data);
};

/* A rooted reference: slot of the handle table. Free slots are chained. */
struct mote__handle {
    uint64_t value;  /* reference value */
    uint32_t serial; /* matches the mote_ref, 0 when free */
    uint32_t next_free;
};

struct mote__handle_mark {
    uint32_t index, serial;
};

enum { MOTE__FRAMES_INNER = 32, MOTE__FRAMES_OUTER = 32 };

/* A frame of the last backtrace. Its place in the module is worked out when somebody asks: mote__frame_offset (unwind.c). */
struct mote__frame_record {
    struct mote__instance *instance;
    uint32_t func_index, unit; /* units of lowered code, bytes of compiled code */
    bool compiled;
};

struct mote_store {
    mote_engine *engine; /* held */
    mote_limits limits;
    uint32_t serial;
    struct mote__instance *instances;
    struct mote__func *funcs;
    struct mote__memory *memories;
    struct mote__table *tables;
    struct mote__global *globals;
    struct mote__tag *tags;
    uint32_t instance_count;
    uint64_t memory_bytes, table_elements; /* in use, against the limits */
    struct mote__exec *exec;  /* of plain calls; more when calls can be suspended */
    struct mote__gc *gc;      /* made when the first object is */
    VEC(struct mote__attachment) attachments;
    VEC(struct mote__handle) handles; /* [0] is never used */
    uint32_t handle_free, handle_serial;
    uint32_t handle_live;             /* handles in use */
    VEC(struct mote__recgroup *) held_types; /* of what the host made */
    VEC(struct mote__handle_mark) handle_order; /* in order of making, for scopes; released ones may still be named */
    uint64_t exception;               /* exnref that left the last call, or 0; a root */
    struct mote__frame_record frames[MOTE__FRAMES_INNER + MOTE__FRAMES_OUTER];
    uint64_t frame_total;
    uint64_t deadline_ns;             /* 0: none; watched by the engine's timer */
};

mote_status mote__store_new(mote_engine *engine, const mote_limits *limits, mote_store **out, mote_error *error);
void mote__store_delete(mote_store *store);
void mote__limits_init(mote_limits *limits);
/* Makes what runs in the store now, or next, trap soon. From any thread; async-signal-safe where waking is. */
void mote__store_stop(mote_store *store, uint32_t trap);
mote_status mote__store_set_timeout(mote_store *store, uint64_t timeout_ns, mote_error *error);
mote_status mote__store_attach(mote_store *store, struct mote__attachment attachment, mote_error *error);
void *mote__store_attached(const mote_store *store, const void *key);

/* Keeps a type, or the type in a value type, alive for as long as the store: for what the host makes of types that no module here holds. */
mote_status mote__store_hold_type(mote_store *store, const mote_type *type, mote_error *error);
mote_status mote__store_hold_valtype(mote_store *store, valtype type, mote_error *error);

/* The newest object of each kind: what was made after a mark can be taken back as long as nothing else refers to it. */
struct mote__store_mark {
    struct mote__instance *instances;
    struct mote__func *funcs;
    struct mote__memory *memories;
    struct mote__table *tables;
    struct mote__global *globals;
    struct mote__tag *tags;
};
struct mote__store_mark mote__store_mark(const mote_store *store);
void mote__store_roll_back(mote_store *store, const struct mote__store_mark *mark);

/* Frame `index` of the last backtrace, innermost first; NULL after the last that was kept. */
const struct mote__frame_record *mote__store_frame(const mote_store *store, size_t index);
uint64_t mote__frame_offset(const struct mote__frame_record *record);

/* Makes the function object of an instance's function if there is none yet; NULL when out of memory. */
struct mote__func *mote__instance_func(struct mote__instance *instance, uint32_t func_index);
struct mote__global *mote__instance_global(struct mote__instance *instance, uint32_t global_index);
/* Something in an index space, made if need be; false when out of memory. */
bool mote__instance_extern(struct mote__instance *instance, uint8_t kind, uint32_t index, mote_extern *out);
struct mote__func *mote__func_new_host(mote_store *store, const mote_type *type, mote_host_fn fn, mote_host_raw_fn raw, void *env,
                                       void (*drop)(void *));
/* A tag; a global whose value is its own, still 0. NULL when out of memory. */
struct mote__tag *mote__tag_new(mote_store *store, const mote_type *type);
struct mote__global *mote__global_new(mote_store *store, valtype type, bool is_mutable);
void mote__instance_free(struct mote__instance *instance);

/* Instantiation (core spec, "Execution / Modules"). imports: in the module's order, already of this store; types are checked here. */
mote_status mote__instantiate(mote_store *store, mote_module *module, const mote_extern *imports, size_t import_count,
                              struct mote__instance **out, mote_error *error);
/* Evaluates a constant expression in an instance; two slots in `out`. */
mote_status mote__constexpr_eval(struct mote__instance *instance, const struct mote__constexpr *expr, uint64_t out[2], mote_error *error);

/* ---------------------------------------------------------------- memories (memory.c) */

mote_status mote__memory_new(mote_store *store, const struct mote__memtype *type, struct mote__memory **out, mote_error *error);
mote_status mote__memory_from_shared(mote_store *store, struct mote_shared_memory *shared, struct mote__memory **out, mote_error *error);
void mote__memory_free(struct mote__memory *memory);
/* The most pages that a memory of the type may ever have. */
uint64_t mote__memtype_pages_max(const struct mote__memtype *type);
void mote__shared_memory_release(struct mote_shared_memory *shared);
/* Grows by `pages`; returns the old size in pages, or UINT64_MAX when refused (maximum, limit, no memory). */
uint64_t mote__memory_grow(struct mote__memory *memory, uint64_t pages);
/* Current pages and bytes; of shared memories the shared truth, which also refreshes memory->bytes. */
uint64_t mote__memory_bytes(struct mote__memory *memory);
static inline uint64_t mote__memory_pages(struct mote__memory *memory) { return mote__memory_bytes(memory) >> memory->type.page_log2; }
/* memory.fill, copy and init: MOTE_TRAP_NONE or MOTE_TRAP_MEMORY_OUT_OF_BOUNDS, checked before anything is written. */
uint32_t mote__memory_fill(struct mote__memory *memory, uint64_t to, uint8_t value, uint64_t count);
uint32_t mote__memory_copy(struct mote__memory *to_memory, uint64_t to, struct mote__memory *from_memory, uint64_t from, uint64_t count);
uint32_t mote__memory_init(struct mote__instance *instance, uint32_t memory, uint32_t data, uint64_t to, uint32_t from, uint32_t count);
/* Waiting and waking (park.c). timeout_ns < 0: for ever. 0 woken, 1 not equal, 2 timed out; *trap is set on a trap. */
uint32_t mote__memory_wait(struct mote__exec *exec, struct mote__memory *memory, uint64_t address, uint64_t expected, unsigned bytes,
                           int64_t timeout_ns, uint32_t *trap);
uint32_t mote__memory_notify(struct mote__memory *memory, uint64_t address, uint32_t count, uint32_t *trap);

/* ---------------------------------------------------------------- tables (table.c) */

mote_status mote__table_new(mote_store *store, const struct mote__tabletype *type, uint64_t fill, struct mote__table **out, mote_error *error);
void mote__table_free(struct mote__table *table);
/* Reads element `index` (below size) as a reference value, making its function if it is a lazy one; false when out of memory. */
bool mote__table_get(struct mote__table *table, uint64_t index, uint64_t *value);
/* The function of an element (below size) of a function table that is not simply of the type `expected` (an id): makes a lazy one; a trap unless its type
 * is a subtype. */
uint32_t mote__table_resolve(struct mote__table *table, uint64_t index, uint32_t expected, struct mote__func **func);
void mote__table_set(struct mote__table *table, uint64_t index, uint64_t value);
/* Old size, or UINT64_MAX when refused. */
uint64_t mote__table_grow(struct mote__table *table, uint64_t count, uint64_t fill);
/* Makes elements [to, to + count) an image of functions that are made when first read; false if it must be done at once: another image is
 * there, or it does not fit. */
bool mote__table_set_lazily(struct mote__table *table, uint64_t to, struct mote__instance *instance, const uint32_t *funcs, uint32_t count);
/* The most elements that a table of the type may ever have. */
uint64_t mote__tabletype_size_max(const struct mote__tabletype *type);
uint32_t mote__table_fill(struct mote__table *table, uint64_t index, uint64_t value, uint64_t count);
uint32_t mote__table_copy(struct mote__table *to_table, uint64_t to, struct mote__table *from_table, uint64_t from, uint64_t count);
uint32_t mote__table_init(struct mote__instance *instance, uint32_t table, uint32_t elem, uint64_t to, uint32_t from, uint32_t count);
/* The values of an element segment (evaluated at instantiation unless they are plain function indices): element `i` as a reference value. */
bool mote__elem_value(struct mote__instance *instance, uint32_t elem, uint32_t i, uint64_t *value);

#endif
