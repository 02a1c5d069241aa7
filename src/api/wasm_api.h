/* wasm_api.h - what the files of the standard C API (mote/wasm.h) share. They stand on mote.h's functions; the few things that mote.h does not offer
 * (a handle that outlives its scope, a frame's instance, a module's bytes) are taken from run/ and wasm/.
 *   wasm_types.c    descriptions: valtype ... exporttype       wasm_vecs.c     vectors of everything
 *   wasm_stores.c   allocator, configuration, engines, stores  wasm_objects.c  what all objects of a store share
 *   wasm_values.c   values, and references in them             wasm_traps.c    traps and frames
 *   wasm_modules.c  modules and instances                      wasm_funcs.c    functions, calls both ways
 *   wasm_externs.c  externs: globals, tables, memories */
#ifndef MOTE_API_WASM_API_H
#define MOTE_API_WASM_API_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include <mote/mote.h>
#include <mote/wasm.h>

/* All memory of this API, which has no engine at hand when it makes vectors and types. */
const mote_allocator *mote__wasm_allocator(void);

#define WASM__NEW(type)                MOTE__NEW(mote__wasm_allocator(), type)
#define WASM__DELETE(ptr)              MOTE__DELETE(mote__wasm_allocator(), ptr)
#define WASM__NEW_ARRAY(type, count)   MOTE__NEW_ARRAY(mote__wasm_allocator(), type, count)
#define WASM__DELETE_ARRAY(ptr, count) MOTE__DELETE_ARRAY(mote__wasm_allocator(), ptr, count)

/* ---------------------------------------------------------------- types (wasm_types.c) */

/* Each description keeps mote's own beside what the API shows of it, so that a type which came from a module can be given back unchanged. */
struct wasm_valtype_t {
    wasm_valkind_t kind;
    mote_valtype exact; /* exact.type is held */
};

struct wasm_externtype_t {
    wasm_externkind_t kind;
};

struct wasm_functype_t {
    wasm_externtype_t base;
    wasm_valtype_vec_t params, results;
};

struct wasm_globaltype_t {
    wasm_externtype_t base;
    wasm_valtype_t *content;
    wasm_mutability_t mutability;
};

struct wasm_tabletype_t {
    wasm_externtype_t base;
    wasm_valtype_t *element;
    wasm_limits_t limits;
    mote_tabletype exact; /* its element is the one above */
};

struct wasm_memorytype_t {
    wasm_externtype_t base;
    wasm_limits_t limits;
    mote_memorytype exact;
};

/* The kind that the API has for a type. */
wasm_valkind_t mote__wasm_kind(mote_valtype type);
/* Can values of the type be passed? */
bool mote__wasm_kind_has_values(wasm_valkind_t kind);
/* Descriptions of mote's types; NULL when out of memory. */
wasm_valtype_t *mote__wasm_valtype(mote_valtype type);
wasm_functype_t *mote__wasm_functype(const mote_type *type);
wasm_globaltype_t *mote__wasm_globaltype(mote_globaltype type);
wasm_tabletype_t *mote__wasm_tabletype(mote_tabletype type);
wasm_memorytype_t *mote__wasm_memorytype(mote_memorytype type);
wasm_externtype_t *mote__wasm_externtype(const mote_externtype *type);
/* The other way; the type is held for the caller. */
mote_status mote__wasm_functype_exact(mote_engine *engine, const wasm_functype_t *type, const mote_type **out, mote_error *error);

/* ---------------------------------------------------------------- objects (wasm_objects.c) */

/* Kinds of objects; those of externs are their wasm_externkind_t. */
enum object_kind {
    OBJECT_FUNC = WASM_EXTERN_FUNC,
    OBJECT_GLOBAL = WASM_EXTERN_GLOBAL,
    OBJECT_TABLE = WASM_EXTERN_TABLE,
    OBJECT_MEMORY = WASM_EXTERN_MEMORY,
    OBJECT_TAG = MOTE_WASM_EXTERN_TAG,
    OBJECT_INSTANCE,
    OBJECT_MODULE,
    OBJECT_TRAP,
    OBJECT_FOREIGN,
    OBJECT_OTHER /* a reference that WebAssembly made: `root` is all there is */
};

/* A place in a backtrace. */
struct frame_place {
    mote_instance instance; /* ptr NULL: not known */
    uint32_t func_index;
    uint64_t func_offset, module_offset;
};

struct trap_info {
    const char *message;
    size_t message_bytes; /* with the NUL */
    struct frame_place *frames;
    size_t frame_count;
};

/* Any object. There is one for each thing that it stands for, found again by `key` in the store's map, and copies are counts on it.
 * holds  of the host; while there are any, the object holds its store.
 * pins   externrefs on the store's heap that wrap the object: it must stay to be found again, but these do not hold the store.
 * root   an externref that wraps the object, or OBJECT_OTHER's reference; kept while there are holds, from when it is first needed.
 * Without holds and pins the object goes; an instance or extern with host info stays until its store goes, for WebAssembly may bring it back. */
struct wasm_ref_t {
    enum object_kind kind;
    uint32_t holds, pins;
    bool is_dead; /* in the store's list of the dead */
    wasm_store_t *store;
    const void *key; /* what it stands for; the object itself where that is nothing else */
    void *host_info;
    void (*finalizer)(void *);
    mote_ref root;
    union {
        mote_extern external;
        mote_instance instance;
        mote_module *module; /* held */
        struct trap_info trap;
    } of;
    struct wasm_ref_t *next_dead;
};

/* What the API calls them: all the same inside. */
struct wasm_trap_t { wasm_ref_t base; };
struct wasm_foreign_t { wasm_ref_t base; };
struct wasm_module_t { wasm_ref_t base; };
struct wasm_func_t { wasm_ref_t base; };
struct wasm_global_t { wasm_ref_t base; };
struct wasm_table_t { wasm_ref_t base; };
struct wasm_memory_t { wasm_ref_t base; };
struct wasm_extern_t { wasm_ref_t base; };
struct wasm_instance_t { wasm_ref_t base; };

struct wasm_store_t {
    uint32_t holds;       /* the host's handle, each object that the host holds, each call under way */
    uint32_t calls;       /* into WebAssembly, under way */
    mote_store *store;
    struct map objects;   /* key -> object */
    wasm_ref_t *dead;     /* let go of by the collector, which may not be called from there: buried soon after */
    wasm_trap_t *pending; /* a host function's, on its way to the call it ends */
    wasm_trap_t no_memory; /* what calls give when there is no memory for a trap */
    mote_error error;     /* why the last failure */
};

/* Makes an object that stands for `key` (NULL: for itself), held once. NULL when out of memory, which the store's error then says. */
wasm_ref_t *mote__wasm_object_new(wasm_store_t *store, enum object_kind kind, const void *key);
/* The object that stands for `key`, not yet held; NULL if there is none. */
wasm_ref_t *mote__wasm_object_find(const wasm_store_t *store, const void *key);
/* Another hold, and one less. Both accept NULL. */
wasm_ref_t *mote__wasm_hold(const wasm_ref_t *object);
void mote__wasm_release(wasm_ref_t *object);
/* The object of an extern (NULL if its handle is empty) or an instance, held for the caller. */
wasm_extern_t *mote__wasm_extern(wasm_store_t *store, mote_extern external);
wasm_instance_t *mote__wasm_instance(wasm_store_t *store, mote_instance instance);
/* The object as an externref that is good as long as the object is held. */
mote_status mote__wasm_root(const wasm_ref_t *object, mote_ref *out, mote_error *error);
/* The object behind an externref, held for the caller, which gives up `ref`. NULL for null, and when out of memory (*failed). */
wasm_ref_t *mote__wasm_adopt(wasm_store_t *store, mote_ref ref, bool *failed);
/* Holds around a call into WebAssembly; afterwards what died is buried. */
void mote__wasm_store_enter(wasm_store_t *store);
void mote__wasm_store_leave(wasm_store_t *store);

/* ---------------------------------------------------------------- values (wasm_values.c) */

/* A value for a place of type `want`: checks what this API has to, mote checks the rest. References in *out are good while `value` is. */
mote_status mote__wasm_value_in(wasm_store_t *store, mote_valtype want, const wasm_val_t *value, mote_value *out, mote_error *error);
/* The other way: *out owns its reference, references in `value` are given up. */
mote_status mote__wasm_value_out(wasm_store_t *store, const mote_value *value, wasm_val_t *out, mote_error *error);
/* The same for bare references, NULL being null. */
mote_status mote__wasm_ref_in(wasm_store_t *store, mote_valtype want, const wasm_ref_t *ref, mote_value *out, mote_error *error);
mote_status mote__wasm_ref_out(wasm_store_t *store, const mote_value *value, wasm_ref_t **out, mote_error *error);
/* A list of values; on failure nothing in `out` is owned. */
mote_status mote__wasm_values_out(wasm_store_t *store, const mote_value *values, wasm_val_t *out, size_t count, mote_error *error);
/* MOTE_E_UNSUPPORTED, in words, for a type without values, or a function whose values cannot all be passed. */
mote_status mote__wasm_check_type(mote_valtype type, mote_error *error);
mote_status mote__wasm_check_signature(const mote_type *type, mote_error *error);

/* ---------------------------------------------------------------- traps (wasm_traps.c) */

/* Around what may run WebAssembly. begin gives the mark for end. With an error, end gives a trap, never NULL: the one with which a host function ended
 * the call, else a new one with the error's message; with the store's backtrace where there is one. Without (NULL) it gives NULL. */
uint32_t mote__wasm_call_begin(wasm_store_t *store);
wasm_trap_t *mote__wasm_call_end(wasm_store_t *store, uint32_t mark, const mote_error *error);
/* Frees what only a trap owns. */
void mote__wasm_trap_free(struct trap_info *trap);

#endif
