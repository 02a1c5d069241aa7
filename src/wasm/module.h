/* module.h - a decoded and validated module: immutable, shared between stores and threads, in one arena.
 * Decoding (decode.c) fills it from the binary format, validation (validate.c) checks the bodies; running reads it. Index spaces put imports first. */
#ifndef MOTE_WASM_MODULE_H
#define MOTE_WASM_MODULE_H

#include "base/arena.h"
#include "base/map.h"
#include "wasm/types.h"

struct mote__memtype {
    uint64_t min, max; /* pages; max UINT64_MAX: none */
    bool is_64, shared;
    uint8_t page_log2; /* 16 or 0 */
};

struct mote__tabletype {
    valtype element;
    uint64_t min, max;
    bool is_64;
};

/* A constant expression. The common ones are read out at decoding; the rest keep their bytes and are run like a function body. */
enum mote__const_kind {
    CONST_VALUE,  /* value: the bits of a number; or a null reference, then value is 0 */
    CONST_GLOBAL, /* index */
    CONST_FUNC,   /* index */
    CONST_CODE    /* body: the instructions with their `end` */
};

struct mote__constexpr {
    uint8_t kind;
    valtype type;   /* of the result, as validated */
    uint32_t index;
    uint64_t value;
    uint32_t body_offset, body_bytes; /* in module->bytes, always set */
};

struct mote__import {
    struct span module, name;
    uint8_t kind;   /* mote_externkind */
    uint32_t index; /* in its index space */
};

struct mote__export {
    struct span name;
    uint8_t kind;
    uint32_t index;
};

struct mote__table_decl {
    struct mote__tabletype type;
    bool has_init;
    bool closed; /* nothing but functions of the instance whose table it is can ever be in it, or null: found when all is validated */
    struct mote__constexpr init;
};

struct mote__global_decl {
    valtype type;
    bool is_mutable;
    struct mote__constexpr init; /* own globals only */
};

enum mote__segment_mode { SEGMENT_ACTIVE, SEGMENT_PASSIVE, SEGMENT_DECLARED };

struct mote__elem {
    uint8_t mode;
    valtype type;
    uint32_t table;
    struct mote__constexpr offset;
    uint32_t count;
    const uint32_t *funcs;               /* either function indices ... */
    const struct mote__constexpr *exprs; /* ... or expressions; the other is NULL */
};

struct mote__data {
    uint8_t mode;
    uint32_t memory;
    struct mote__constexpr offset;
    struct span bytes;
};

struct mote__custom {
    struct span name, bytes;
    uint64_t offset; /* of the section's contents in the module */
};

struct mote__body {
    uint32_t offset, bytes; /* in module->bytes: locals and instructions, without the size in front */
};

struct mote_module {
    _Atomic uint32_t holds;
    mote_engine *engine;
    struct mote__types *types_registry;
    uint64_t features;
    struct arena arena;
    struct span bytes;
    bool owns_bytes; /* else borrowed */

    const mote_type **types; /* canonical, by type index */
    uint32_t type_count;
    struct mote__recgroup **groups; /* held */
    uint32_t group_count;

    struct mote__import *imports;
    uint32_t import_count;
    struct mote__export *exports;
    uint32_t export_count;
    struct map export_map;   /* name -> export index */
    uint32_t callers_memory; /* that host functions see: the one exported as "memory", or the first */

    const mote_type **func_types; /* by function index */
    uint32_t func_count, func_import_count;
    struct mote__body *bodies;    /* own functions only: [func_index - func_import_count] */
    uint8_t *func_declared;       /* bit per function: may be used by ref.func in bodies (exported, in a segment, a global ...) */

    struct mote__table_decl *tables;
    uint32_t table_count, table_import_count;
    struct mote__memtype *memories;
    uint32_t memory_count, memory_import_count;
    struct mote__global_decl *globals;
    uint32_t global_count, global_import_count;
    const mote_type **tags;
    uint32_t tag_count, tag_import_count;
    struct mote__elem *elems;
    uint32_t elem_count;
    struct mote__data *datas;
    uint32_t data_count;
    bool tail_calls_far; /* some body tail-calls what may be another instance's: the validator finds out */
    bool has_data_count;
    struct mote__custom *customs;
    uint32_t custom_count;
    uint32_t start; /* function index, or UINT32_MAX */

    uint64_t code_offset; /* of the code section's first body */

    /* Filled by whoever runs the module (src/run): an entry per own function, zeroed; freed through code_drop. */
    _Atomic(void *) *code;
    void (*code_drop)(struct mote_module *module);
    _Atomic(void *) *cells; /* with a tier (run/tier.h): machine code per own function */
    void *tier_data;        /* the tier's own */
};

/* Decodes and validates. `text` has been turned into the binary format before. The module holds the engine's types. */
mote_status mote__module_decode(mote_engine *engine, struct mote__types *types, const mote_allocator *allocator, uint64_t features,
                                uint32_t body_bytes_max, struct span bytes, bool borrow, mote_module **out, mote_error *error);
void mote__module_free(mote_module *module); /* when the last hold goes: frees code, types, arena */

/* Validates every body and every constant expression that decoding did not settle (validate.c). */
mote_status mote__module_validate(mote_module *module, mote_error *error);
/* Checks one constant expression: reads it from `r`, checks that its result matches `expected` and that globals below `global_limit` are used, and
 * fills *out. Called by the decoder as it meets them. */
mote_status mote__constexpr_read(mote_module *module, struct reader *r, valtype expected, uint32_t global_limit, struct mote__constexpr *out,
                                 mote_error *error);

/* The name of a function from the name section, empty if it has none. Reads the section at each call: for errors and backtraces. */
struct span mote__module_func_name(const mote_module *module, uint32_t func_index);
/* The names of all functions that have one, by function index, in one reading; the others stay as they are. */
void mote__module_func_names(const mote_module *module, struct span *names);
struct span mote__module_name(const mote_module *module);
const struct mote__custom *mote__module_custom(const mote_module *module, const char *name, size_t number);
/* A function index as a person reads it: "$name (function 12)" or "function 12"; writes into `out`, returns it. */
const char *mote__func_label(const mote_module *module, uint32_t func_index, char out[128]);

#endif
