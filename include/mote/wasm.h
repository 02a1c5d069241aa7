/* wasm.h - the standard C API of WebAssembly engines, as mote offers it: compatible in source and in binary form with other engines' wasm.h.
 * mote.h is the richer API; this one is for programs that are to run on any engine. Both may be used in one process.
 *
 * Nouns: an engine makes stores; a store has modules, instances and what those import and export (extern: func, global, table, memory). Each of them,
 * and traps and foreign objects, can be looked at as a reference (wasm_ref_t). Types describe them.
 *
 * Ownership: `own` marks a pointer, or the contents of a vector, whose ownership moves with the call: given by the caller where it stands on a
 * parameter, to the caller on a result or an `out` parameter. What is owned is given back with the _delete of its type; every _delete accepts NULL. A
 * vector owns its elements. A result without `own` is a loan from the argument it came from.
 * Lifetime: an object is counted, so a _copy is another hold on the same object, and each object that the caller holds keeps its store, and that its
 * engine, alive; deleting store and engine first is fine. Finalizers run exactly once, at the latest when the store's last hold goes; they must not call
 * into the store that is going.
 * Threads: an engine may be used by many threads, a store and all that is in it by one at a time. Modules cross stores by share and obtain.
 * Errors: a NULL result, or false, says that it did not work; mote_wasm_store_message has the reason in words. Calls and instantiation give a trap
 * with a message in place of it. Out of memory is reported so as well: nothing aborts; a vector that could not be made has size 0 and data NULL.
 * What this API has no words for: v128, references other than funcref and externref, tags, 64-bit sizes. Types that hold such things can be listed, copied
 * and used to link modules with each other, and show themselves with the kinds below MOTE_WASM_V128; values of them cannot be passed: making a
 * host function with such a type gives NULL, calling one gives a trap. */
#ifndef WASM_H
#define WASM_H

/* For programs that count on wasm.h to bring these. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#if defined(__GNUC__)
#define WASM_API_EXTERN __attribute__((visibility("default")))
#else
#define WASM_API_EXTERN
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define own

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;

/* ---------------------------------------------------------------- families of declarations */

/* A type that is only known by pointer. */
#define WASM_DECLARE_OWN(name)                                                                     \
    typedef struct wasm_##name##_t wasm_##name##_t;                                                \
    WASM_API_EXTERN void wasm_##name##_delete(own wasm_##name##_t *);

/* A vector of something, `size` elements at `data`. new_uninitialized fills pointers with NULL and values with an i32 of 0; new takes over the elements
 * (also when it fails); copy copies them; delete deletes them. */
#define WASM_DECLARE_VEC(name, ptr_or_none)                                                        \
    typedef struct wasm_##name##_vec_t {                                                           \
        size_t size;                                                                               \
        wasm_##name##_t ptr_or_none *data;                                                         \
    } wasm_##name##_vec_t;                                                                         \
    WASM_API_EXTERN void wasm_##name##_vec_new_empty(own wasm_##name##_vec_t *out);                \
    WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(own wasm_##name##_vec_t *out,         \
                                                             size_t size);                         \
    WASM_API_EXTERN void wasm_##name##_vec_new(own wasm_##name##_vec_t *out, size_t size,          \
                                               own wasm_##name##_t ptr_or_none const data[]);      \
    WASM_API_EXTERN void wasm_##name##_vec_copy(own wasm_##name##_vec_t *out,                      \
                                                const wasm_##name##_vec_t *from);                  \
    WASM_API_EXTERN void wasm_##name##_vec_delete(own wasm_##name##_vec_t *);

/* A description: plain data, in no store. */
#define WASM_DECLARE_TYPE(name)                                                                    \
    WASM_DECLARE_OWN(name)                                                                         \
    WASM_DECLARE_VEC(name, *)                                                                      \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);

/* An object of a store. `same` tells whether two name one object. The host may hang one pointer on an object; all holds on it see the same one. A
 * finalizer gets the pointer when it is replaced or the object goes; functions, globals, tables, memories and instances go with their store. */
#define WASM_DECLARE_REF_BASE(name)                                                                \
    WASM_DECLARE_OWN(name)                                                                         \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);              \
    WASM_API_EXTERN bool wasm_##name##_same(const wasm_##name##_t *, const wasm_##name##_t *);     \
    WASM_API_EXTERN void *wasm_##name##_get_host_info(const wasm_##name##_t *);                    \
    WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t *, void *info);               \
    WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(                               \
        wasm_##name##_t *, void *info, void (*finalizer)(void *info));

/* The same, and the way to wasm_ref_t and back; back is NULL when the reference is something else. */
#define WASM_DECLARE_REF(name)                                                                     \
    WASM_DECLARE_REF_BASE(name)                                                                    \
    WASM_API_EXTERN wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *);                           \
    WASM_API_EXTERN const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *);         \
    WASM_API_EXTERN wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *);                             \
    WASM_API_EXTERN const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *);

/* The same, and a form in no store, which any thread may have. Obtaining is NULL in a store of another engine. */
#define WASM_DECLARE_SHARABLE_REF(name)                                                            \
    WASM_DECLARE_REF(name)                                                                         \
    WASM_DECLARE_OWN(shared_##name)                                                                \
    WASM_API_EXTERN own wasm_shared_##name##_t *wasm_##name##_share(const wasm_##name##_t *);      \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_obtain(wasm_store_t *,                      \
                                                              const wasm_shared_##name##_t *);

/* ---------------------------------------------------------------- bytes and names */

typedef byte_t wasm_byte_t;
WASM_DECLARE_VEC(byte, )

/* A name is UTF-8, any bytes in it, not terminated. */
typedef wasm_byte_vec_t wasm_name_t;
#define wasm_name                       wasm_byte_vec
#define wasm_name_new                   wasm_byte_vec_new
#define wasm_name_new_empty             wasm_byte_vec_new_empty
#define wasm_name_new_uninitialized     wasm_byte_vec_new_uninitialized
#define wasm_name_new_new_uninitialized wasm_byte_vec_new_uninitialized /* as other wasm.h spell it */
#define wasm_name_copy                  wasm_byte_vec_copy
#define wasm_name_delete                wasm_byte_vec_delete

/* From a string, without its final NUL or (nt) with it. */
static inline void wasm_name_new_from_string(own wasm_name_t *out, const char *s) { wasm_byte_vec_new(out, strlen(s), s); }
static inline void wasm_name_new_from_string_nt(own wasm_name_t *out, const char *s) { wasm_byte_vec_new(out, strlen(s) + 1, s); }

/* ---------------------------------------------------------------- configuration, engine, store */

WASM_DECLARE_OWN(config)
WASM_DECLARE_OWN(engine)
WASM_DECLARE_OWN(store)

/* What can be configured: mote_wasm_config, at the end of this file. */
WASM_API_EXTERN own wasm_config_t *wasm_config_new(void);
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new(void);
/* Takes the config, also when it fails. */
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new_with_config(own wasm_config_t *);
WASM_API_EXTERN own wasm_store_t *wasm_store_new(wasm_engine_t *);

/* ---------------------------------------------------------------- types */

typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum { WASM_CONST, WASM_VAR };

/* Elements of a table, or pages of a memory. More than fits is shown as the largest number; the type itself keeps the truth. */
typedef struct wasm_limits_t {
    uint32_t min;
    uint32_t max;
} wasm_limits_t;

/* As a maximum: there is none. */
static const uint32_t wasm_limits_max_default = 0xffffffff;

typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum {
    WASM_I32 = 0,
    WASM_I64 = 1,
    WASM_F32 = 2,
    WASM_F64 = 3,
    WASM_EXTERNREF = 128,
    WASM_FUNCREF = 129
};

/* mote's own: what a type that came from a module may show besides. wasm_valtype_new does not make them. */
enum mote_wasm_valkind_enum {
    MOTE_WASM_V128 = 4,
    MOTE_WASM_OTHER_REF = 255 /* a reference of the any or exn hierarchy */
};

WASM_DECLARE_TYPE(valtype)
/* NULL for a number that is no kind. */
WASM_API_EXTERN own wasm_valtype_t *wasm_valtype_new(wasm_valkind_t);
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *);

static inline bool wasm_valkind_is_num(wasm_valkind_t kind) { return kind < WASM_EXTERNREF; }
static inline bool wasm_valkind_is_ref(wasm_valkind_t kind) { return !wasm_valkind_is_num(kind); }
static inline bool wasm_valtype_is_num(const wasm_valtype_t *type) { return wasm_valkind_is_num(wasm_valtype_kind(type)); }
static inline bool wasm_valtype_is_ref(const wasm_valtype_t *type) { return wasm_valkind_is_ref(wasm_valtype_kind(type)); }

/* The _new of a type takes over its parts, also when it fails; vectors given to it are left empty. A part that is NULL makes it fail. */
WASM_DECLARE_TYPE(functype)
WASM_API_EXTERN own wasm_functype_t *wasm_functype_new(own wasm_valtype_vec_t *params, own wasm_valtype_vec_t *results);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *);

WASM_DECLARE_TYPE(globaltype)
WASM_API_EXTERN own wasm_globaltype_t *wasm_globaltype_new(own wasm_valtype_t *content, wasm_mutability_t);
WASM_API_EXTERN const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *);
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *);

WASM_DECLARE_TYPE(tabletype)
WASM_API_EXTERN own wasm_tabletype_t *wasm_tabletype_new(own wasm_valtype_t *element, const wasm_limits_t *);
WASM_API_EXTERN const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *);
WASM_API_EXTERN const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *);

WASM_DECLARE_TYPE(memorytype)
WASM_API_EXTERN own wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *);
WASM_API_EXTERN const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *);

typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum { WASM_EXTERN_FUNC = 0, WASM_EXTERN_GLOBAL = 1, WASM_EXTERN_TABLE = 2, WASM_EXTERN_MEMORY = 3 };

/* mote's own: an exception tag, which can be exported, imported and told by its kind, no more. */
enum mote_wasm_externkind_enum { MOTE_WASM_EXTERN_TAG = 4 };

WASM_DECLARE_TYPE(externtype)
WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *);

/* The same type, seen as an extern's, and back (NULL when it is of another kind). Loans of the argument. */
WASM_API_EXTERN wasm_externtype_t *wasm_functype_as_externtype(wasm_functype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_globaltype_as_externtype(wasm_globaltype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_tabletype_as_externtype(wasm_tabletype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_memorytype_as_externtype(wasm_memorytype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_functype_as_externtype_const(const wasm_functype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_globaltype_as_externtype_const(const wasm_globaltype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_tabletype_as_externtype_const(const wasm_tabletype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_memorytype_as_externtype_const(const wasm_memorytype_t *);
WASM_API_EXTERN wasm_functype_t *wasm_externtype_as_functype(wasm_externtype_t *);
WASM_API_EXTERN wasm_globaltype_t *wasm_externtype_as_globaltype(wasm_externtype_t *);
WASM_API_EXTERN wasm_tabletype_t *wasm_externtype_as_tabletype(wasm_externtype_t *);
WASM_API_EXTERN wasm_memorytype_t *wasm_externtype_as_memorytype(wasm_externtype_t *);
WASM_API_EXTERN const wasm_functype_t *wasm_externtype_as_functype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_globaltype_t *wasm_externtype_as_globaltype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_tabletype_t *wasm_externtype_as_tabletype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_memorytype_t *wasm_externtype_as_memorytype_const(const wasm_externtype_t *);

WASM_DECLARE_TYPE(importtype)
WASM_API_EXTERN own wasm_importtype_t *wasm_importtype_new(own wasm_name_t *module, own wasm_name_t *name, own wasm_externtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *);

WASM_DECLARE_TYPE(exporttype)
WASM_API_EXTERN own wasm_exporttype_t *wasm_exporttype_new(own wasm_name_t *name, own wasm_externtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *);

/* ---------------------------------------------------------------- values and references */

struct wasm_ref_t;

/* A value; a reference in it is owned by the value, NULL is the null reference. */
typedef struct wasm_val_t {
    wasm_valkind_t kind;
    union {
        int32_t i32;
        int64_t i64;
        float32_t f32;
        float64_t f64;
        struct wasm_ref_t *ref;
    } of;
} wasm_val_t;

WASM_DECLARE_VEC(val, )
/* Deletes the reference in it, if there is one. */
WASM_API_EXTERN void wasm_val_delete(own wasm_val_t *);
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t *out, const wasm_val_t *);

/* Any object of a store; all of them may be passed to WebAssembly as an externref and come back as what they were. A reference that came from
 * WebAssembly and that the host did not make is none of the other types; it can be held, compared and passed back. */
WASM_DECLARE_REF_BASE(ref)

/* ---------------------------------------------------------------- frames and traps */

WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)
WASM_API_EXTERN own wasm_frame_t *wasm_frame_copy(const wasm_frame_t *);
/* The instance whose function it was: a loan of the frame. */
WASM_API_EXTERN struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *);
/* Its function, and the instruction in bytes from the start of that function's body (its locals), or of the module's binary form. */
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t *);
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t *);
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t *);

/* A message; its last byte is NUL. */
typedef wasm_name_t wasm_message_t;

WASM_DECLARE_REF(trap)
WASM_API_EXTERN own wasm_trap_t *wasm_trap_new(wasm_store_t *, const wasm_message_t *);
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t *, own wasm_message_t *out);
/* Where it happened: the innermost frame; NULL for a trap that did not happen in WebAssembly. */
WASM_API_EXTERN own wasm_frame_t *wasm_trap_origin(const wasm_trap_t *);
/* All its frames, innermost first: of more than 64, the innermost and the outermost 32. */
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t *, own wasm_frame_vec_t *out);

/* ---------------------------------------------------------------- foreign objects and modules */

/* An object with nothing in it but its identity and host info. */
WASM_DECLARE_REF(foreign)
WASM_API_EXTERN own wasm_foreign_t *wasm_foreign_new(wasm_store_t *);

WASM_DECLARE_SHARABLE_REF(module)
/* The binary format or the text format, told apart by content. */
WASM_API_EXTERN own wasm_module_t *wasm_module_new(wasm_store_t *, const wasm_byte_vec_t *binary);
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t *, const wasm_byte_vec_t *binary);
WASM_API_EXTERN void wasm_module_imports(const wasm_module_t *, own wasm_importtype_vec_t *out);
WASM_API_EXTERN void wasm_module_exports(const wasm_module_t *, own wasm_exporttype_vec_t *out);
/* The serialised form is the module's binary format; deserialising validates it again, so that it may come from anywhere. */
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t *, own wasm_byte_vec_t *out);
WASM_API_EXTERN own wasm_module_t *wasm_module_deserialize(wasm_store_t *, const wasm_byte_vec_t *);

/* ---------------------------------------------------------------- functions */

WASM_DECLARE_REF(func)

/* A host function. args are the caller's; results arrive as zeros and nulls of their kinds and what is put there is taken. A trap ends the
 * WebAssembly that called; it is taken too and comes out of wasm_func_call as the same object. */
typedef own wasm_trap_t *(*wasm_func_callback_t)(const wasm_val_vec_t *args, own wasm_val_vec_t *results);
typedef own wasm_trap_t *(*wasm_func_callback_with_env_t)(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results);

WASM_API_EXTERN own wasm_func_t *wasm_func_new(wasm_store_t *, const wasm_functype_t *, wasm_func_callback_t);
/* finalizer (may be NULL) gets env when the store goes; not when this fails. */
WASM_API_EXTERN own wasm_func_t *wasm_func_new_with_env(wasm_store_t *, const wasm_functype_t *, wasm_func_callback_with_env_t, void *env,
                                                        void (*finalizer)(void *env));
WASM_API_EXTERN own wasm_functype_t *wasm_func_type(const wasm_func_t *);
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t *);
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t *);
/* Calls: args->size is the function's number of parameters; results that results->size has no room for are dropped (either may be NULL for none).
 * Returns NULL when all went well: the results, overwritten without being deleted, are then the caller's. An exception that nothing in the call catches is
 * a trap here, and stays one when a host function passes it on: only mote.h has exceptions that go through the host. */
WASM_API_EXTERN own wasm_trap_t *wasm_func_call(const wasm_func_t *, const wasm_val_vec_t *args, wasm_val_vec_t *results);

/* ---------------------------------------------------------------- globals, tables, memories */

WASM_DECLARE_REF(global)
WASM_API_EXTERN own wasm_global_t *wasm_global_new(wasm_store_t *, const wasm_globaltype_t *, const wasm_val_t *);
WASM_API_EXTERN own wasm_globaltype_t *wasm_global_type(const wasm_global_t *);
/* A value that this API has no words for reads as 0 of the kind that its type shows; setting a wrong value or a constant changes nothing. */
WASM_API_EXTERN void wasm_global_get(const wasm_global_t *, own wasm_val_t *out);
WASM_API_EXTERN void wasm_global_set(wasm_global_t *, const wasm_val_t *);

typedef uint32_t wasm_table_size_t;

WASM_DECLARE_REF(table)
WASM_API_EXTERN own wasm_table_t *wasm_table_new(wasm_store_t *, const wasm_tabletype_t *, wasm_ref_t *init);
WASM_API_EXTERN own wasm_tabletype_t *wasm_table_type(const wasm_table_t *);
/* NULL: null, or out of bounds. */
WASM_API_EXTERN own wasm_ref_t *wasm_table_get(const wasm_table_t *, wasm_table_size_t index);
WASM_API_EXTERN bool wasm_table_set(wasm_table_t *, wasm_table_size_t index, wasm_ref_t *);
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t *);
WASM_API_EXTERN bool wasm_table_grow(wasm_table_t *, wasm_table_size_t delta, wasm_ref_t *init);

typedef uint32_t wasm_memory_pages_t;
static const size_t MEMORY_PAGE_SIZE = 0x10000;

WASM_DECLARE_REF(memory)
WASM_API_EXTERN own wasm_memory_t *wasm_memory_new(wasm_store_t *, const wasm_memorytype_t *);
WASM_API_EXTERN own wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *);
/* The bytes: good until the memory grows. */
WASM_API_EXTERN byte_t *wasm_memory_data(wasm_memory_t *);
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t *);
/* In pages. */
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *);
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t *, wasm_memory_pages_t delta);

/* ---------------------------------------------------------------- externs and instances */

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)
WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t *);
WASM_API_EXTERN own wasm_externtype_t *wasm_extern_type(const wasm_extern_t *);

/* The same object, seen as an extern, and back (NULL when it is of another kind). Loans of the argument. */
WASM_API_EXTERN wasm_extern_t *wasm_func_as_extern(wasm_func_t *);
WASM_API_EXTERN wasm_extern_t *wasm_global_as_extern(wasm_global_t *);
WASM_API_EXTERN wasm_extern_t *wasm_table_as_extern(wasm_table_t *);
WASM_API_EXTERN wasm_extern_t *wasm_memory_as_extern(wasm_memory_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_func_as_extern_const(const wasm_func_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_global_as_extern_const(const wasm_global_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_table_as_extern_const(const wasm_table_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_memory_as_extern_const(const wasm_memory_t *);
WASM_API_EXTERN wasm_func_t *wasm_extern_as_func(wasm_extern_t *);
WASM_API_EXTERN wasm_global_t *wasm_extern_as_global(wasm_extern_t *);
WASM_API_EXTERN wasm_table_t *wasm_extern_as_table(wasm_extern_t *);
WASM_API_EXTERN wasm_memory_t *wasm_extern_as_memory(wasm_extern_t *);
WASM_API_EXTERN const wasm_func_t *wasm_extern_as_func_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_global_t *wasm_extern_as_global_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_table_t *wasm_extern_as_table_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_memory_t *wasm_extern_as_memory_const(const wasm_extern_t *);

WASM_DECLARE_REF(instance)
/* Instantiates a module with its imports, in the order of wasm_module_imports, and runs its start function. On failure NULL, and *trap (trap may be NULL)
 * is a trap with the reason: the start function's, or an import that is missing or does not fit, by name. Else *trap is NULL. */
WASM_API_EXTERN own wasm_instance_t *wasm_instance_new(wasm_store_t *, const wasm_module_t *, const wasm_extern_vec_t *imports,
                                                       own wasm_trap_t **trap);
/* In the order of wasm_module_exports. */
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t *, own wasm_extern_vec_t *out);

/* ---------------------------------------------------------------- short forms */

#define WASM_EMPTY_VEC        {0, NULL}
#define WASM_ARRAY_VEC(array) {sizeof(array) / sizeof((array)[0]), array}

#define WASM_I32_VAL(i) {.kind = WASM_I32, .of = {.i32 = i}}
#define WASM_I64_VAL(i) {.kind = WASM_I64, .of = {.i64 = i}}
#define WASM_F32_VAL(z) {.kind = WASM_F32, .of = {.f32 = z}}
#define WASM_F64_VAL(z) {.kind = WASM_F64, .of = {.f64 = z}}
#define WASM_REF_VAL(r) {.kind = WASM_EXTERNREF, .of = {.ref = r}} /* a function too: also good where a funcref is wanted */
#define WASM_INIT_VAL   {.kind = WASM_EXTERNREF, .of = {.ref = NULL}}

/* A host pointer as a number of its size, and back. */
static inline void wasm_val_init_ptr(own wasm_val_t *out, void *p) {
    out->kind = sizeof p == sizeof(int64_t) ? WASM_I64 : WASM_I32;
    if (sizeof p == sizeof(int64_t)) out->of.i64 = (int64_t)(intptr_t)p;
    else out->of.i32 = (int32_t)(intptr_t)p;
}

static inline void *wasm_val_ptr(const wasm_val_t *value) {
    return (void *)(sizeof(void *) == sizeof(int64_t) ? (intptr_t)value->of.i64 : (intptr_t)value->of.i32);
}

static inline own wasm_valtype_t *wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline own wasm_valtype_t *wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline own wasm_valtype_t *wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline own wasm_valtype_t *wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline own wasm_valtype_t *wasm_valtype_new_externref(void) { return wasm_valtype_new(WASM_EXTERNREF); }
static inline own wasm_valtype_t *wasm_valtype_new_funcref(void) { return wasm_valtype_new(WASM_FUNCREF); }

/* What the twelve below are made of: p of the three are parameters, r of the two results. */
static inline own wasm_functype_t *mote_wasm_functype(size_t p, wasm_valtype_t *p1, wasm_valtype_t *p2, wasm_valtype_t *p3, size_t r,
                                                      wasm_valtype_t *r1, wasm_valtype_t *r2) {
    wasm_valtype_t *ps[3], *rs[2];
    wasm_valtype_vec_t params, results;
    ps[0] = p1, ps[1] = p2, ps[2] = p3;
    rs[0] = r1, rs[1] = r2;
    wasm_valtype_vec_new(&params, p, ps);
    wasm_valtype_vec_new(&results, r, rs);
    if (params.size == p && results.size == r) return wasm_functype_new(&params, &results);
    wasm_valtype_vec_delete(&params);
    wasm_valtype_vec_delete(&results);
    return NULL;
}

/* wasm_functype_new_P_R: a function type from its P parameters and R results; NULL if one of them is. */
static inline own wasm_functype_t *wasm_functype_new_0_0(void) { return mote_wasm_functype(0, NULL, NULL, NULL, 0, NULL, NULL); }
static inline own wasm_functype_t *wasm_functype_new_1_0(own wasm_valtype_t *p) { return mote_wasm_functype(1, p, NULL, NULL, 0, NULL, NULL); }
static inline own wasm_functype_t *wasm_functype_new_2_0(own wasm_valtype_t *p1, own wasm_valtype_t *p2) {
    return mote_wasm_functype(2, p1, p2, NULL, 0, NULL, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_3_0(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3) {
    return mote_wasm_functype(3, p1, p2, p3, 0, NULL, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_0_1(own wasm_valtype_t *r) { return mote_wasm_functype(0, NULL, NULL, NULL, 1, r, NULL); }
static inline own wasm_functype_t *wasm_functype_new_1_1(own wasm_valtype_t *p, own wasm_valtype_t *r) {
    return mote_wasm_functype(1, p, NULL, NULL, 1, r, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_2_1(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *r) {
    return mote_wasm_functype(2, p1, p2, NULL, 1, r, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_3_1(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3,
                                                         own wasm_valtype_t *r) {
    return mote_wasm_functype(3, p1, p2, p3, 1, r, NULL);
}
static inline own wasm_functype_t *wasm_functype_new_0_2(own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    return mote_wasm_functype(0, NULL, NULL, NULL, 2, r1, r2);
}
static inline own wasm_functype_t *wasm_functype_new_1_2(own wasm_valtype_t *p, own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    return mote_wasm_functype(1, p, NULL, NULL, 2, r1, r2);
}
static inline own wasm_functype_t *wasm_functype_new_2_2(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *r1,
                                                         own wasm_valtype_t *r2) {
    return mote_wasm_functype(2, p1, p2, NULL, 2, r1, r2);
}
static inline own wasm_functype_t *wasm_functype_new_3_2(own wasm_valtype_t *p1, own wasm_valtype_t *p2, own wasm_valtype_t *p3,
                                                         own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
    return mote_wasm_functype(3, p1, p2, p3, 2, r1, r2);
}

/* ---------------------------------------------------------------- mote's own, for what the standard leaves to engines */

/* The allocator for everything of this API, and of engines made after it. Call it before anything else; it is copied. NULL: malloc and free. */
struct mote_allocator;
WASM_API_EXTERN void mote_wasm_set_allocator(const struct mote_allocator *);
/* The settings inside a config (mote.h says what they are): change them before the engine is made. */
struct mote_config;
WASM_API_EXTERN struct mote_config *mote_wasm_config(wasm_config_t *);
/* The store below: for fuel, deadlines, interruption (mote.h). A loan. */
struct mote_store;
WASM_API_EXTERN struct mote_store *mote_wasm_store(wasm_store_t *);
/* Why the last call in the store that failed did, in words; "" if none has. A loan, good until the next failure. */
WASM_API_EXTERN const char *mote_wasm_store_message(const wasm_store_t *);

#undef own

#ifdef __cplusplus
}
#endif
#endif
