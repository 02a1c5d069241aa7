/* mote.h - the API of libmote: compile, link and run WebAssembly. This header is the manual.
 *
 * The nouns, from the outside in:
 *   mote_engine    configuration, code memory, canonical types. Thread-safe. Make one per process.
 *   mote_module    a validated module. Immutable, thread-safe, shareable between stores and threads of its engine.
 *   mote_store     one world of instances with its limits and its garbage-collected heap. One thread at a time.
 *   mote_linker    names for imports: host functions, instances. Immutable use is thread-safe.
 *   mote_instance, mote_func, mote_memory, mote_table, mote_global, mote_tag
 *                  small values that name something a store owns: copy them freely; they are good until the store is deleted.
 *   mote_ref       a rooted reference to a garbage-collected object; see "References".
 *
 * Ownership: `_new` is matched by `_delete`; mote_own marks what the caller must delete. Deletes accept NULL. Nothing passed in is retained after a
 * call unless the docstring says so. On failure outputs are untouched and *error (which may always be NULL) says what happened.
 * Threads: unless said otherwise a call may be made from any thread as long as no other call uses the same store at the same time.
 * The library never aborts and never prints. Every allocation can fail, with MOTE_E_NOMEM.
 */
#ifndef MOTE_MOTE_H
#define MOTE_MOTE_H

#include <mote/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mote_engine mote_engine;
typedef struct mote_module mote_module;
typedef struct mote_store mote_store;
typedef struct mote_linker mote_linker;
typedef struct mote_type mote_type;
typedef struct mote_caller mote_caller;
typedef struct mote_shared_memory mote_shared_memory;

typedef struct mote_instance { struct mote__instance *ptr; } mote_instance;
typedef struct mote_func { struct mote__func *ptr; } mote_func; /* ptr NULL: the null function reference */
typedef struct mote_memory { struct mote__memory *ptr; } mote_memory;
typedef struct mote_table { struct mote__table *ptr; } mote_table;
typedef struct mote_global { struct mote__global *ptr; } mote_global;
typedef struct mote_tag { struct mote__tag *ptr; } mote_tag;

/* ---------------------------------------------------------------- version and features */

/* Returns "MAJOR.MINOR.PATCH"; static storage. */
MOTE_API const char *mote_version(void);

/* A set of features, one bit each, in the order that mote_feature_name counts. */
typedef uint64_t mote_features;

/* Returns the features that are on by default: all of WebAssembly 3.0 and threads. */
MOTE_API mote_features mote_features_default(void);
/* Returns the bit of a feature by its name ("simd", "memory64" ...), 0 if there is none. */
MOTE_API mote_features mote_feature_find(const char *name);
/* Returns `set` with the features in `more` and those that they need: with relaxed-simd comes simd. */
MOTE_API mote_features mote_features_with(mote_features set, mote_features more);
/* Returns `set` without the features in `less` and those that need them: with simd goes relaxed-simd. */
MOTE_API mote_features mote_features_without(mote_features set, mote_features less);
/* Returns the name of feature number `index` (from 0), NULL after the last. */
MOTE_API const char *mote_feature_name(unsigned index);
/* Returns one line that describes feature number `index`, NULL after the last. */
MOTE_API const char *mote_feature_text(unsigned index);

/* ---------------------------------------------------------------- engine */

/* What runs functions. Compilation needs an x86-64 processor and memory for machine code; where it is
 * asked for and cannot be had, functions are interpreted. Compiled code has accesses out of bounds fault: the first engine installs a handler for
 * SIGSEGV and SIGBUS, which passes on what is not its own to the handler that was there. Who installs one later must pass faults on as well. */
typedef enum mote_tier {
    MOTE_TIER_DEFAULT = 0,     /* the fastest that can be had */
    MOTE_TIER_INTERPRETER = 1,
    MOTE_TIER_BASELINE = 2     /* each function is compiled when it is first called */
} mote_tier;

/* Settings of an engine. Fill with mote_config_init first, then change what you need. */
typedef struct mote_config {
    mote_allocator allocator;   /* resize NULL: malloc and free */
    mote_features features;     /* what modules may use, with all that these need: take some out with mote_features_without */
    bool fuel;                  /* count fuel: stores then start with none (mote_store_set_fuel) */
    bool canonical_nans;        /* every NaN that arithmetic makes is the canonical one */
    bool relaxed_deterministic; /* relaxed-SIMD operations give the same result on every machine */
    bool low_address_space;     /* do not reserve 4 GiB of address space per memory */
    mote_tier tier;             /* what runs functions */
    uint32_t compile_threads;   /* 0: functions are compiled when first called; else all are when their module is made, by this many threads */
    uint32_t compile_first, compile_end; /* only functions with indices in [first, end) are compiled, the rest interpreted; end 0: no end */
    bool cpu_baseline;          /* compiled code uses only instructions that every x86-64 processor has (up to SSE2), in place of all that this one has */
    bool perf_map;              /* write /tmp/perf-PID.map, from which `perf report` takes the names of compiled functions */
    bool debug_info;            /* tell debuggers that are attached the names of compiled functions, and how to unwind them (gdb's JIT interface) */
    uint32_t code_bytes_max;    /* most bytes in one function body; default 7,654,321 as in browsers */
} mote_config;

/* Fills *config with the defaults. */
MOTE_API void mote_config_init(mote_config *config);
/* Makes an engine; config NULL means defaults. Returns MOTE_OK, MOTE_E_NOMEM or MOTE_E_IO.
 * A child of fork() may go on with engines, modules and stores that are at rest: what has been compiled runs there, what has not is interpreted.
 * Its parent must not delete modules that it still runs. */
MOTE_API MOTE_CHECKED mote_status mote_engine_new(const mote_config *config, mote_own mote_engine **out, mote_error *error);
/* What runs the engine's functions. *why (may be NULL) is set to the reason where MOTE_TIER_INTERPRETER was not asked for and still is the answer,
 * else to NULL; static storage. */
MOTE_API mote_tier mote_engine_tier(const mote_engine *engine, const char **why);
/* Drops the caller's hold; the engine goes when its last module, store and type have gone. Thread-safe. */
MOTE_API void mote_engine_delete(mote_engine *engine);

/* ---------------------------------------------------------------- types */

typedef enum mote_valkind {
    MOTE_I32 = 0,
    MOTE_I64 = 1,
    MOTE_F32 = 2,
    MOTE_F64 = 3,
    MOTE_V128 = 4,
    MOTE_REF = 5, /* in a mote_valtype: a reference, of which `heap` says more */
    MOTE_I8 = 6,  /* storage types of struct and array fields only */
    MOTE_I16 = 7
} mote_valkind;

/* Abstract heap types, and MOTE_HEAP_TYPE for a concrete one. */
typedef enum mote_heapkind {
    MOTE_HEAP_FUNC = 0,
    MOTE_HEAP_NOFUNC = 1,
    MOTE_HEAP_EXTERN = 2,
    MOTE_HEAP_NOEXTERN = 3,
    MOTE_HEAP_ANY = 4,
    MOTE_HEAP_EQ = 5,
    MOTE_HEAP_I31 = 6,
    MOTE_HEAP_STRUCT = 7,
    MOTE_HEAP_ARRAY = 8,
    MOTE_HEAP_NONE = 9,
    MOTE_HEAP_EXN = 10,
    MOTE_HEAP_NOEXN = 11,
    MOTE_HEAP_TYPE = 12
} mote_heapkind;

/* A value type. `type` is set only for MOTE_HEAP_TYPE and is borrowed from whatever the valtype came from. */
typedef struct mote_valtype {
    uint8_t kind;     /* mote_valkind */
    uint8_t heap;     /* mote_heapkind, if kind is MOTE_REF */
    uint8_t nullable; /* if kind is MOTE_REF */
    uint8_t mutable_; /* fields of structs and arrays only */
    const mote_type *type;
} mote_valtype;

#define MOTE_VALTYPE(k)            ((mote_valtype){.kind = (k)})
#define MOTE_VALTYPE_REF(h)        ((mote_valtype){.kind = MOTE_REF, .heap = (h), .nullable = 1})

typedef enum mote_typekind { MOTE_TYPE_FUNC = 0, MOTE_TYPE_STRUCT = 1, MOTE_TYPE_ARRAY = 2 } mote_typekind;

/* A defined type (function, struct or array), canonical in its engine: two types are equal exactly when their pointers are. Held by
 * reference count: mote_type_retain, mote_type_delete. Thread-safe. */

/* Makes a function type. Returns MOTE_OK, MOTE_E_LIMIT or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_type_new_func(mote_engine *engine, const mote_valtype *params, size_t param_count,
                                                     const mote_valtype *results, size_t result_count,
                                                     mote_own const mote_type **out, mote_error *error);
/* Makes a final struct type without supertype from its fields (in order). */
MOTE_API MOTE_CHECKED mote_status mote_type_new_struct(mote_engine *engine, const mote_valtype *fields, size_t field_count,
                                                       mote_own const mote_type **out, mote_error *error);
/* Makes a final array type without supertype. */
MOTE_API MOTE_CHECKED mote_status mote_type_new_array(mote_engine *engine, mote_valtype element, mote_own const mote_type **out,
                                                      mote_error *error);
/* Adds a hold to a type and returns it. */
MOTE_API mote_own const mote_type *mote_type_retain(const mote_type *type);
MOTE_API void mote_type_delete(mote_own const mote_type *type);
/* Kind, and the counts and elements: params and results of functions, fields of structs, the element of arrays (index 0). */
MOTE_API mote_typekind mote_type_kind(const mote_type *type);
MOTE_API size_t mote_type_param_count(const mote_type *type);
MOTE_API size_t mote_type_result_count(const mote_type *type);
MOTE_API size_t mote_type_field_count(const mote_type *type);
/* `index` must be below the count. */
MOTE_API mote_valtype mote_type_param(const mote_type *type, size_t index);
MOTE_API mote_valtype mote_type_result(const mote_type *type, size_t index);
MOTE_API mote_valtype mote_type_field(const mote_type *type, size_t index);
/* True when `sub` is a subtype of (or equal to) `super`. */
MOTE_API bool mote_type_matches(const mote_type *sub, const mote_type *super);
/* Writes the type in the text format, "(param i32) (result i64)" or "(func)" without either, cut at `size`; returns the length it would have. */
MOTE_API size_t mote_type_print(const mote_type *type, char *out, size_t size);
MOTE_API size_t mote_valtype_print(mote_valtype type, char *out, size_t size);

typedef enum mote_externkind {
    MOTE_EXTERN_FUNC = 0,
    MOTE_EXTERN_TABLE = 1,
    MOTE_EXTERN_MEMORY = 2,
    MOTE_EXTERN_GLOBAL = 3,
    MOTE_EXTERN_TAG = 4
} mote_externkind;

typedef struct mote_globaltype {
    mote_valtype value;
    bool is_mutable;
} mote_globaltype;

/* Sizes in elements (tables) or pages (memories). `max` is UINT64_MAX when there is none. */
typedef struct mote_tabletype {
    mote_valtype element;
    uint64_t min, max;
    bool is_64; /* indices are i64 */
} mote_tabletype;

typedef struct mote_memorytype {
    uint64_t min, max;
    bool is_64;
    bool shared;
    uint8_t page_log2; /* 16: pages of 64 KiB; 0: pages of one byte */
} mote_memorytype;

typedef struct mote_externtype {
    mote_externkind kind;
    union {
        const mote_type *func; /* functions and tags; borrowed */
        mote_globaltype global;
        mote_tabletype table;
        mote_memorytype memory;
    } of;
} mote_externtype;

/* A name as bytes: UTF-8, may hold NUL, not terminated. */
typedef struct mote_name {
    const char *data;
    size_t size;
} mote_name;

/* ---------------------------------------------------------------- modules */

enum {
    MOTE_MODULE_BORROW = 1 /* `bytes` stay valid and unchanged until the module is gone: saves a copy */
};

/* Compiles `size` bytes of binary or text WebAssembly (told apart by content) into `*out`.
 * bytes   borrowed for the call only, unless flags has MOTE_MODULE_BORROW.
 * Returns MOTE_OK, MOTE_E_MALFORMED, MOTE_E_INVALID, MOTE_E_UNSUPPORTED, MOTE_E_LIMIT or MOTE_E_NOMEM.
 * Thread-safe for one engine. Cost: linear in `size`: everything is decoded and validated; translated only with mote_config.compile_threads. */
MOTE_API MOTE_CHECKED mote_status mote_module_new(mote_engine *engine, const void *bytes, size_t size, unsigned flags,
                                                  mote_own mote_module **out, mote_error *error);
/* Checks without keeping anything: the statuses of mote_module_new. */
MOTE_API MOTE_CHECKED mote_status mote_module_validate(mote_engine *engine, const void *bytes, size_t size, mote_error *error);
/* Compiles all functions that are not compiled yet, which would else happen when each is first called; nothing where functions are interpreted.
 * threads   how many compile, the caller's among them; 0: one for each processor
 * progress  NULL, or called now and then on the caller's thread; `done` of `total` functions have been begun
 * Returns MOTE_OK or MOTE_E_NOMEM: what is compiled by then stays. Functions for which code memory has no room are interpreted. Thread-safe. */
typedef void mote_compile_progress(void *context, uint32_t done, uint32_t total);
MOTE_API MOTE_CHECKED mote_status mote_module_compile(mote_module *module, uint32_t threads, mote_compile_progress *progress, void *context,
                                                      mote_error *error);
/* What has become of a module's own functions so far. */
typedef struct mote_code_stats {
    uint32_t func_count;        /* own functions: compiled, interpreted, and those that were never called */
    uint32_t compiled_count;
    uint32_t interpreted_count;
    uint64_t body_bytes;        /* of all own functions in the module */
    uint64_t code_bytes;        /* of machine code */
} mote_code_stats;
MOTE_API void mote_module_code_stats(mote_module *module, mote_code_stats *out);
/* Adds a hold and returns the module. Thread-safe. */
MOTE_API mote_own mote_module *mote_module_retain(mote_module *module);
MOTE_API void mote_module_delete(mote_own mote_module *module);
MOTE_API mote_engine *mote_module_engine(const mote_module *module);
/* The module's own name from its name section, size 0 if it has none. */
MOTE_API mote_name mote_module_name(const mote_module *module);

typedef struct mote_importtype {
    mote_name module, name;
    mote_externtype type;
} mote_importtype;

typedef struct mote_exporttype {
    mote_name name;
    mote_externtype type;
} mote_exporttype;

/* How many imports the module asks for and how many exports it offers. */
MOTE_API size_t mote_module_import_count(const mote_module *module);
MOTE_API size_t mote_module_export_count(const mote_module *module);
/* The index'th import or export, borrowed from the module; index below the count. */
MOTE_API mote_importtype mote_module_import(const mote_module *module, size_t index);
MOTE_API mote_exporttype mote_module_export(const mote_module *module, size_t index);
/* Finds the number'th custom section called `name`; false if there is none. The bytes are borrowed from the module. */
MOTE_API bool mote_module_custom(const mote_module *module, const char *name, size_t number, const uint8_t **bytes, size_t *size);

/* ---------------------------------------------------------------- text */

/* Turns the text format into the binary format; *out is the caller's, freed with mote_bytes_delete. Not validated: only the grammar is checked.
 * Errors give line, column and the line itself with a caret. */
MOTE_API MOTE_CHECKED mote_status mote_text_to_binary(mote_engine *engine, const void *text, size_t size, mote_own uint8_t **out,
                                                      size_t *out_size, mote_error *error);
/* Prints a binary module in the text format. */
MOTE_API MOTE_CHECKED mote_status mote_binary_to_text(mote_engine *engine, const void *bytes, size_t size, mote_own char **out,
                                                      size_t *out_size, mote_error *error);
/* Prints what the interpreter runs for a function of the module, an instruction a line: place, offset in the module, name, operands. For people: the
 * form may change. *out is freed with mote_bytes_delete. MOTE_E_NOT_FOUND for functions that are imported or not there. */
MOTE_API MOTE_CHECKED mote_status mote_module_code_text(mote_module *module, uint32_t func_index, mote_own char **out, size_t *out_size,
                                                        mote_error *error);
/* What the compiler makes of a function, for people and their tools: the form may change. */
typedef struct mote_native_place {
    uint32_t at;     /* the machine code from here on ... */
    uint64_t offset; /* ... was made from the instruction at this offset of the module, or from those up to it; 0: constants */
    const char *name; /* the instruction's keyword, "(entry)" or "(constants)"; static storage */
} mote_native_place;
typedef struct mote_native {
    const uint8_t *bytes; /* machine code, with distances as at `address` */
    size_t size;
    uint64_t address;     /* within code memory */
    const mote_native_place *places;
    size_t place_count;
    const uint8_t *object; /* an ELF file with the code at `address` and symbols for it and what it calls: for disassemblers */
    size_t object_size;
} mote_native;
/* Compiles the function if need be. *out is freed with mote_native_delete. MOTE_E_NOT_FOUND as above, MOTE_E_UNSUPPORTED where it is interpreted. */
MOTE_API MOTE_CHECKED mote_status mote_module_native(mote_module *module, uint32_t func_index, mote_own mote_native **out, mote_error *error);
MOTE_API void mote_native_delete(mote_engine *engine, mote_own mote_native *native);
MOTE_API void mote_bytes_delete(mote_engine *engine, mote_own void *bytes, size_t size);
/* True when the bytes begin like a binary module ("\0asm"). */
MOTE_API bool mote_is_binary(const void *bytes, size_t size);

/* ---------------------------------------------------------------- stores */

/* Limits of one store. Fill with mote_limits_init first. Each ends in a clean trap or error, after which the store and the host go on. */
typedef struct mote_limits {
    uint64_t memory_bytes_max;   /* all linear memories together; default no limit */
    uint64_t table_elements_max; /* all tables together; default 10,000,000 */
    uint64_t gc_heap_bytes_max;  /* garbage-collected heap; default 4 GiB less a page */
    uint32_t instances_max;      /* default 10,000 */
    uint32_t stack_bytes;        /* value stack of a call; default 1 MiB */
    uint32_t native_stack_bytes; /* most of the thread's own stack that calls through the host may use; default 256 KiB */
    uint32_t handles_max;        /* mote_refs held at once; default 1,000,000 */
} mote_limits;

/* Fills `*limits` with the defaults. */
MOTE_API void mote_limits_init(mote_limits *limits);
/* Makes a store; limits NULL means defaults. */
MOTE_API MOTE_CHECKED mote_status mote_store_new(mote_engine *engine, const mote_limits *limits, mote_own mote_store **out, mote_error *error);
/* Ends everything in the store: instances, memories, objects. No call may be under way in it. */
MOTE_API void mote_store_delete(mote_own mote_store *store);
MOTE_API mote_engine *mote_store_engine(const mote_store *store);

/* Fuel: with mote_config.fuel every instruction costs 1, bulk operations also 1 per 64 bytes or 8 elements begun. At 0 a call traps with
 * MOTE_TRAP_OUT_OF_FUEL. Deterministic: the same on every tier and machine. */
MOTE_API void mote_store_set_fuel(mote_store *store, uint64_t fuel);
MOTE_API uint64_t mote_store_fuel(const mote_store *store);
/* Asked by a call that needs `wanted` more fuel than its store has, on the call's thread: returns how much it gets; less than that is the trap.
 * It must not use the store. */
typedef uint64_t mote_fuel_source(void *context, uint64_t wanted);
/* Gives a store somewhere to turn to when its fuel runs out, such as a budget that several stores share. NULL: nowhere, as at first. */
MOTE_API void mote_store_set_fuel_source(mote_store *store, mote_fuel_source *source, void *context);
/* Makes whatever runs in the store now, or next, trap with MOTE_TRAP_INTERRUPTED soon (at the next loop or call). The only store call that any
 * thread may make at any time while the store exists. */
MOTE_API void mote_store_interrupt(mote_store *store);
/* Whether it has been, or its deadline has passed, and nothing has trapped by it yet. */
MOTE_API bool mote_store_interrupted(const mote_store *store);
/* The same as mote_store_interrupt with MOTE_TRAP_DEADLINE, by itself, once `timeout_ns` have passed from now; 0 takes the deadline back. Uses one
 * helper thread per engine. */
MOTE_API MOTE_CHECKED mote_status mote_store_set_timeout(mote_store *store, uint64_t timeout_ns, mote_error *error);
/* Runs a full collection. Objects that nothing refers to are gone after it. */
MOTE_API void mote_store_collect(mote_store *store);
/* Bytes in use on the garbage-collected heap, and in linear memories. */
MOTE_API uint64_t mote_store_gc_bytes(const mote_store *store);
MOTE_API uint64_t mote_store_memory_bytes(const mote_store *store);
/* Hangs `data` on the store under `key` (any address that is yours); `drop` (may be NULL) is called with it when the store goes or the key is set
 * again. Libraries keep their state for a store there. */
MOTE_API MOTE_CHECKED mote_status mote_store_attach(mote_store *store, const void *key, void *data, void (*drop)(void *data), mote_error *error);
/* What was attached under `key`, or NULL. */
MOTE_API void *mote_store_attached(const mote_store *store, const void *key);

/* ---------------------------------------------------------------- values and references */

/* A rooted reference to an object of a store's heap (struct, array, i31, extern, exception), or null. It keeps the object alive until it is
 * released. References made inside a host function are released when that function returns; those made outside live until mote_ref_release or
 * mote_refs_release. */
typedef struct mote_ref {
    uint32_t index; /* 0: null */
    uint32_t serial;
} mote_ref;

#define MOTE_REF_NULL ((mote_ref){0, 0})

/* Kinds of mote_value: numbers as in mote_valkind; references by their hierarchy. */
enum {
    MOTE_FUNCREF = 16,
    MOTE_EXTERNREF = 17,
    MOTE_ANYREF = 18,
    MOTE_EXNREF = 19
};

typedef struct mote_value {
    uint8_t kind; /* MOTE_I32 ... MOTE_V128, MOTE_FUNCREF ... MOTE_EXNREF */
    union {
        uint32_t i32;
        uint64_t i64;
        float f32;
        double f64;
        uint8_t v128[16]; /* little-endian lanes */
        mote_func func;   /* MOTE_FUNCREF */
        mote_ref ref;     /* the other references */
    } of;
} mote_value;

#define MOTE_VALUE_I32(x)  ((mote_value){.kind = MOTE_I32, .of.i32 = (uint32_t)(x)})
#define MOTE_VALUE_I64(x)  ((mote_value){.kind = MOTE_I64, .of.i64 = (uint64_t)(x)})
#define MOTE_VALUE_F32(x)  ((mote_value){.kind = MOTE_F32, .of.f32 = (x)})
#define MOTE_VALUE_F64(x)  ((mote_value){.kind = MOTE_F64, .of.f64 = (x)})

/* Ends one reference, or all made since a mark. Releasing null is allowed. */
MOTE_API void mote_ref_release(mote_store *store, mote_ref ref);
MOTE_API uint32_t mote_refs_mark(const mote_store *store);
MOTE_API void mote_refs_release(mote_store *store, uint32_t mark);
/* Another hold on the same object. */
MOTE_API MOTE_CHECKED mote_status mote_ref_copy(mote_store *store, mote_ref ref, mote_ref *out, mote_error *error);
/* True when both are null or name the same object (or equal i31). */
MOTE_API bool mote_ref_same(const mote_store *store, mote_ref a, mote_ref b);
/* The most precise heap type that the API can name: MOTE_HEAP_I31, STRUCT, ARRAY, EXTERN, EXN; MOTE_HEAP_NONE for null. */
MOTE_API mote_heapkind mote_ref_heap(const mote_store *store, mote_ref ref);
/* The defined type of a struct or array, borrowed; NULL for others. */
MOTE_API const mote_type *mote_ref_type(const mote_store *store, mote_ref ref);
/* True when a value is of a type (ref.test for references). */
MOTE_API bool mote_value_matches(const mote_store *store, const mote_value *value, mote_valtype type);

/* Wraps a host pointer as an externref. `drop` (may be NULL) is called with `data` when the wrapper is collected or the store goes; it must not
 * call into mote. */
MOTE_API MOTE_CHECKED mote_status mote_extern_new(mote_store *store, void *data, void (*drop)(void *data), mote_ref *out, mote_error *error);
/* The pointer that was wrapped; NULL if the reference is null or an object of WebAssembly's own. */
MOTE_API void *mote_extern_data(const mote_store *store, mote_ref ref);
MOTE_API mote_ref mote_i31_new(mote_store *store, int32_t value, mote_error *error);
/* The value of an i31 (sign-extended from 31 bits); 0 for anything else. */
MOTE_API int32_t mote_i31_value(const mote_store *store, mote_ref ref);
/* Makes a struct from its field values (packed fields take the low bits of an i32), or an array of `count` elements that are all `fill`, NULL for zeros
 * and nulls (MOTE_E_ARGUMENT for elements that cannot be null). */
MOTE_API MOTE_CHECKED mote_status mote_struct_new(mote_store *store, const mote_type *type, const mote_value *fields, size_t field_count,
                                                  mote_ref *out, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_struct_get(mote_store *store, mote_ref ref, size_t field, mote_value *out, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_struct_set(mote_store *store, mote_ref ref, size_t field, const mote_value *value, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_array_new(mote_store *store, const mote_type *type, const mote_value *fill, uint32_t count,
                                                 mote_ref *out, mote_error *error);
MOTE_API uint32_t mote_array_count(const mote_store *store, mote_ref ref);
MOTE_API MOTE_CHECKED mote_status mote_array_get(mote_store *store, mote_ref ref, uint32_t index, mote_value *out, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_array_set(mote_store *store, mote_ref ref, uint32_t index, const mote_value *value, mote_error *error);

/* ---------------------------------------------------------------- functions */

/* A host function. args and results are typed by its function type; results arrive zeroed with their kinds set. Returns MOTE_OK, or what
 * mote_caller_fail, mote_caller_throw or a call made from it returned. */
typedef mote_status (*mote_host_fn)(void *env, mote_caller *caller, const mote_value *args, mote_value *results);
/* The same without conversion, for speed: `slots` holds the arguments, a v128 in two slots, and takes the results at the same place. A function
 * reference is a mote_func's pointer; other references must not be used in raw functions. */
typedef mote_status (*mote_host_raw_fn)(void *env, mote_caller *caller, uint64_t *slots);

/* Makes a host function. `type` is retained. `drop` (may be NULL) is called with env when the store goes. */
MOTE_API MOTE_CHECKED mote_status mote_func_new(mote_store *store, const mote_type *type, mote_host_fn fn, void *env,
                                                void (*drop)(void *env), mote_func *out, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_func_new_raw(mote_store *store, const mote_type *type, mote_host_raw_fn fn, void *env,
                                                    void (*drop)(void *env), mote_func *out, mote_error *error);
/* The function's type, borrowed from its store. */
MOTE_API const mote_type *mote_func_type(mote_func func);

/* Calls a function: checks counts, kinds and stores of the arguments, fills `results` (room for result_count, which must be the type's).
 * Returns MOTE_OK, MOTE_E_TRAP (error->trap says why; mote_store_frame has the backtrace), MOTE_E_EXCEPTION (mote_store_take_exception), MOTE_E_EXIT,
 * MOTE_E_ARGUMENT or MOTE_E_NOMEM. May be called from inside a host function of the same store. */
MOTE_API MOTE_CHECKED mote_status mote_call(mote_store *store, mote_func func, const mote_value *args, size_t arg_count,
                                            mote_value *results, size_t result_count, mote_error *error);
/* The same on raw slots, unchecked: `slots` has the arguments, room for the larger of arguments and results, and takes the results. */
MOTE_API MOTE_CHECKED mote_status mote_call_raw(mote_store *store, mote_func func, uint64_t *slots, mote_error *error);

/* Inside a host function. */
MOTE_API mote_store *mote_caller_store(mote_caller *caller);
/* The instance whose code made the call; ptr NULL when the host called the function itself. */
MOTE_API mote_instance mote_caller_instance(mote_caller *caller);
/* The caller's memory: its export "memory" if that is one, else its memory 0; ptr NULL if it has none. */
MOTE_API mote_memory mote_caller_memory(mote_caller *caller);
/* True when the call is to end: its store is interrupted or its deadline has passed. Host functions that wait look at it now and then, and return (with
 * any result) as soon as it is true. */
MOTE_API bool mote_caller_interrupted(const mote_caller *caller);
/* Ends the call: the host function returns what this returns. status is MOTE_E_TRAP (then `trap` is a mote_trap, usually MOTE_TRAP_HOST) or
 * MOTE_E_EXIT (then `trap` is the exit code). */
MOTE_API mote_status mote_caller_fail(mote_caller *caller, mote_status status, uint32_t trap, const char *format, ...) MOTE_PRINTF(4, 5);
/* Throws an exception object (mote_exception_new): the host function returns what this returns. */
MOTE_API mote_status mote_caller_throw(mote_caller *caller, mote_ref exception);

/* ---------------------------------------------------------------- traps, backtraces, exceptions */

/* Why WebAssembly stopped; numbers never change. Each has a text: mote_trap_text. */
typedef enum mote_trap {
    MOTE_TRAP_NONE = 0,
    MOTE_TRAP_UNREACHABLE,
    MOTE_TRAP_MEMORY_OUT_OF_BOUNDS,
    MOTE_TRAP_TABLE_OUT_OF_BOUNDS,
    MOTE_TRAP_UNDEFINED_ELEMENT,
    MOTE_TRAP_UNINITIALIZED_ELEMENT,
    MOTE_TRAP_INDIRECT_CALL_TYPE,
    MOTE_TRAP_INTEGER_DIVIDE_BY_ZERO,
    MOTE_TRAP_INTEGER_OVERFLOW,
    MOTE_TRAP_INVALID_CONVERSION,
    MOTE_TRAP_STACK_OVERFLOW,
    MOTE_TRAP_NULL_REFERENCE,
    MOTE_TRAP_NULL_FUNCTION,
    MOTE_TRAP_NULL_STRUCTURE,
    MOTE_TRAP_NULL_ARRAY,
    MOTE_TRAP_NULL_I31,
    MOTE_TRAP_NULL_EXCEPTION,
    MOTE_TRAP_CAST_FAILURE,
    MOTE_TRAP_ARRAY_OUT_OF_BOUNDS,
    MOTE_TRAP_UNALIGNED_ATOMIC,
    MOTE_TRAP_EXPECTED_SHARED,
    MOTE_TRAP_ALLOCATION_FAILED,
    MOTE_TRAP_GC_HEAP_EXHAUSTED,
    MOTE_TRAP_OUT_OF_FUEL,
    MOTE_TRAP_INTERRUPTED,
    MOTE_TRAP_DEADLINE,
    MOTE_TRAP_UNKNOWN_IMPORT,
    MOTE_TRAP_UNCAUGHT_EXCEPTION,
    MOTE_TRAP_HOST,
    MOTE_TRAP_COUNT
} mote_trap;

/* The words for a trap ("integer divide by zero"), the specification's where it has some; never NULL. */
MOTE_API const char *mote_trap_text(uint32_t trap);

/* One WebAssembly frame of the last trap or uncaught exception. */
typedef struct mote_frame {
    const mote_module *module;
    uint32_t func_index;
    uint64_t offset; /* of the instruction, in bytes from the start of the module's binary form */
    mote_name func_name; /* from the name section; size 0 if it has none */
} mote_frame;

/* Fills *out with frame `index` (0: where it happened) of the store's last failed call; false after the last. At most 64 are kept, the
 * innermost 32 and the outermost 32; mote_store_frame_total counts all. */
MOTE_API bool mote_store_frame(const mote_store *store, size_t index, mote_frame *out);
MOTE_API uint64_t mote_store_frame_total(const mote_store *store);

/* Makes an exception object from a tag and the values of its parameters. */
MOTE_API MOTE_CHECKED mote_status mote_exception_new(mote_store *store, mote_tag tag, const mote_value *values, size_t count, mote_ref *out,
                                                     mote_error *error);
/* The tag of an exception object; ptr NULL if it is none. */
MOTE_API mote_tag mote_exception_tag(const mote_store *store, mote_ref exception);
/* Reads parameter `index` of an exception object. */
MOTE_API MOTE_CHECKED mote_status mote_exception_value(mote_store *store, mote_ref exception, size_t index, mote_value *out, mote_error *error);
/* After MOTE_E_EXCEPTION: the exception that left the call; the store forgets it. Null if there is none. */
MOTE_API mote_ref mote_store_take_exception(mote_store *store);

/* ---------------------------------------------------------------- memories, tables, globals, tags */

/* Makes a memory of the store, zero-filled, of the type's minimum. MOTE_E_INVALID for an impossible type, MOTE_E_LIMIT beyond the store's
 * limit. mote_memory_type gives the type back with the current size as its minimum. */
MOTE_API MOTE_CHECKED mote_status mote_memory_new(mote_store *store, const mote_memorytype *type, mote_memory *out, mote_error *error);
MOTE_API mote_memorytype mote_memory_type(mote_memory memory);
/* The bytes, good until the memory grows (a shared memory never moves). */
MOTE_API uint8_t *mote_memory_data(mote_memory memory);
MOTE_API uint64_t mote_memory_bytes(mote_memory memory);
MOTE_API uint64_t mote_memory_pages(mote_memory memory);
/* Grows by `pages`; *before (may be NULL) gets the old size. MOTE_E_LIMIT beyond its maximum or the store's limit. */
MOTE_API MOTE_CHECKED mote_status mote_memory_grow(mote_memory memory, uint64_t pages, uint64_t *before, mote_error *error);
/* A shared memory outlives its store: take a hold on it here, give it to another store of the engine there. NULL if it is not shared. */
MOTE_API mote_own mote_shared_memory *mote_memory_share(mote_memory memory);
MOTE_API MOTE_CHECKED mote_status mote_memory_from_shared(mote_store *store, mote_shared_memory *shared, mote_memory *out, mote_error *error);
MOTE_API void mote_shared_memory_delete(mote_own mote_shared_memory *shared);

/* Makes a table of the store with the type's minimum of elements, each `*fill` (NULL: the null reference). mote_table_type gives the type back
 * with the current size as its minimum; get, set and grow fail with MOTE_E_ARGUMENT for an index out of bounds or a value of another type,
 * grow with MOTE_E_LIMIT beyond the maximum; *before (may be NULL) gets the old size. */
MOTE_API MOTE_CHECKED mote_status mote_table_new(mote_store *store, const mote_tabletype *type, const mote_value *fill, mote_table *out,
                                                 mote_error *error);
MOTE_API mote_tabletype mote_table_type(mote_table table);
MOTE_API uint64_t mote_table_size(mote_table table);
MOTE_API MOTE_CHECKED mote_status mote_table_get(mote_table table, uint64_t index, mote_value *out, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_table_set(mote_table table, uint64_t index, const mote_value *value, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_table_grow(mote_table table, uint64_t count, const mote_value *fill, uint64_t *before, mote_error *error);

/* Makes a global of the store. MOTE_E_ARGUMENT for a value of another type. */
MOTE_API MOTE_CHECKED mote_status mote_global_new(mote_store *store, const mote_globaltype *type, const mote_value *value, mote_global *out,
                                                  mote_error *error);
MOTE_API mote_globaltype mote_global_type(mote_global global);
MOTE_API MOTE_CHECKED mote_status mote_global_get(mote_global global, mote_value *out, mote_error *error);
/* MOTE_E_ARGUMENT for an immutable global or a value of another type. */
MOTE_API MOTE_CHECKED mote_status mote_global_set(mote_global global, const mote_value *value, mote_error *error);

/* Makes a tag of the store; `type` (copied) has no results. */
MOTE_API MOTE_CHECKED mote_status mote_tag_new(mote_store *store, const mote_type *type, mote_tag *out, mote_error *error);
MOTE_API const mote_type *mote_tag_type(mote_tag tag);

/* ---------------------------------------------------------------- instances and linking */

typedef struct mote_extern {
    mote_externkind kind;
    union {
        mote_func func;
        mote_table table;
        mote_memory memory;
        mote_global global;
        mote_tag tag;
    } of;
} mote_extern;

/* The type of something, with current sizes. Borrowed parts live as long as the store. */
MOTE_API mote_externtype mote_extern_type(mote_extern external);
/* The store that owns it; NULL for an empty handle. */
MOTE_API mote_store *mote_extern_store(mote_extern external);

/* Instantiates a module with its imports in order, and runs its start function.
 * Returns MOTE_OK, MOTE_E_LINK (a missing or wrong import, by name), MOTE_E_TRAP (segments out of bounds, start function), MOTE_E_EXCEPTION, MOTE_E_EXIT,
 * MOTE_E_LIMIT, MOTE_E_ARGUMENT (an import of another store or engine) or MOTE_E_NOMEM. What a failed instantiation wrote to imported memories and
 * tables stays written, as the specification says. */
MOTE_API MOTE_CHECKED mote_status mote_instance_new(mote_store *store, mote_module *module, const mote_extern *imports, size_t import_count,
                                                    mote_instance *out, mote_error *error);
MOTE_API mote_module *mote_instance_module(mote_instance instance);
/* The instance's export number `index`, in the module's order. A function or global is made when it is first asked for: of.func.ptr or of.global.ptr is NULL
 * if there is no memory for it; everything else is there always. */
MOTE_API mote_extern mote_instance_export(mote_instance instance, size_t index);
/* Finds an export by name; false if there is none. `*out` is as mote_instance_export gives it; mote_instance_func tells out of memory by a status. */
MOTE_API bool mote_instance_find(mote_instance instance, const char *name, size_t size, mote_extern *out);
/* Finds an exported function; MOTE_E_NOT_FOUND's message lists what is exported. */
MOTE_API MOTE_CHECKED mote_status mote_instance_func(mote_instance instance, const char *name, mote_func *out, mote_error *error);

/* A linker maps (module name, name) to definitions. Names are copied. */
MOTE_API MOTE_CHECKED mote_status mote_linker_new(mote_engine *engine, mote_own mote_linker **out, mote_error *error);
MOTE_API void mote_linker_delete(mote_own mote_linker *linker);
MOTE_API mote_engine *mote_linker_engine(const mote_linker *linker);
/* Defines something of a store, or a host function that is made anew in each store (env is then shared by all of them; it must outlive them). A
 * second definition of the same name replaces the first. */
MOTE_API MOTE_CHECKED mote_status mote_linker_define(mote_linker *linker, const char *module, const char *name, mote_extern external,
                                                     mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_linker_define_func(mote_linker *linker, const char *module, const char *name, const mote_type *type,
                                                          mote_host_fn fn, void *env, mote_error *error);
MOTE_API MOTE_CHECKED mote_status mote_linker_define_raw(mote_linker *linker, const char *module, const char *name, const mote_type *type,
                                                         mote_host_raw_fn fn, void *env, mote_error *error);
/* Defines every export of an instance under `module`. */
MOTE_API MOTE_CHECKED mote_status mote_linker_define_instance(mote_linker *linker, const char *module, mote_instance instance, mote_error *error);
/* From now on function imports that nobody defined trap when called (MOTE_TRAP_UNKNOWN_IMPORT) in place of failing to link. */
MOTE_API void mote_linker_unknown_imports_trap(mote_linker *linker, bool on);
/* Instantiates a module with what the linker knows; the statuses of mote_instance_new. */
MOTE_API MOTE_CHECKED mote_status mote_linker_instantiate(mote_linker *linker, mote_store *store, mote_module *module, mote_instance *out,
                                                          mote_error *error);

#ifdef __cplusplus
}
#endif
#endif
