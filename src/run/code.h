/* code.h - a function body lowered for the interpreter: register form, operands are frame slots.
 * Made once per function on its first call (lower.c), shared by every instance of the module, freed with the module. */
#ifndef MOTE_RUN_CODE_H
#define MOTE_RUN_CODE_H

#include "run/exec.h"

/* A catch clause of a try_table or legacy try that covers [start, end) of the code, in units. Searched from the last to the first whose range covers
 * the site, then along `parent` (a delegate skips handlers by its parent alone). */
struct mote__handler {
    uint32_t start, end;
    int32_t parent;          /* next enclosing handler, -1: none */
    uint32_t clause, count;  /* in code->clauses */
};

struct mote__clause {
    uint32_t tag;      /* index, UINT32_MAX: catch_all */
    bool with_ref;     /* the exnref is delivered after the values */
    bool ref_first;    /* legacy: it goes to the hidden slot before them */
    int32_t slot;      /* first slot for what is delivered */
    uint32_t target;   /* units from the start of the code */
};

/* A site at which objects may move: slots above the locals that hold references, as a list linked towards the frame's bottom. */
struct mote__site { uint32_t offset, node; };      /* offset of the return position; node 0: none */
struct mote__refnode { int32_t slot; uint32_t next; };

struct mote__code {
    uint32_t func_index;
    uint32_t frame_slots;    /* from fp: header, locals, operands, room for the header of a callee */
    uint32_t zero_slots;     /* locals to clear at entry, from fp[FRAME_HEADER]; a multiple of 4, the operand area is long enough */
    uint32_t param_slots, result_slots;
    uint32_t unit_count;
    uint32_t handler_count, clause_count, site_count, node_count, local_ref_count;
    struct mote__handler *handlers;
    struct mote__clause *clauses;
    struct mote__site *sites;      /* by offset */
    struct mote__refnode *nodes;   /* [0] unused */
    int32_t *local_refs;           /* slots of parameters and locals that hold heap references */
    size_t alloc_bytes;
    uint16_t units[];
};

/* Lowers an own function, or returns what another thread made meanwhile. NULL after failing: *status says why. Thread-safe. */
struct mote__code *mote__code_get(mote_module *module, uint32_t func_index, mote_status *status, mote_error *error);
/* Lowers a constant expression as a function without parameters; the caller frees it with mote__code_free. */
struct mote__code *mote__code_of_constexpr(mote_module *module, const struct mote__constexpr *expr, mote_status *status, mote_error *error);
/* Frees all code of a module: its code_drop. */
void mote__code_drop(mote_module *module);
void mote__code_free(const mote_allocator *allocator, struct mote__code *code);

/* The code that a site belongs to: the two units before a site hold its distance from the first unit. */
static inline const struct mote__code *mote__code_of_site(const uint16_t *site) {
    uint32_t distance;
    memcpy(&distance, site - 2, sizeof distance);
    return (const struct mote__code *)(const void *)((const uint8_t *)(site - distance) - offsetof(struct mote__code, units));
}

/* The module offset of the instruction that a position in the code was made from: lowers the function again and watches. 0 without memory for it. */
uint64_t mote__code_wasm_offset(mote_module *module, const struct mote__code *code, uint32_t unit);

/* The same for a function that was not entered yet: that of its first instruction. In a backtrace's record such a place is MOTE__UNIT_ENTRY, one less than
 * the first unit, since it is noted as if that were a return position. */
#define MOTE__UNIT_ENTRY UINT32_MAX
uint64_t mote__entry_wasm_offset(mote_module *module, uint32_t func_index);

/* An instruction of lowered code: its first unit, and the module offset of the WebAssembly instruction that it was made from. */
struct mote__insn_at {
    uint32_t unit;
    uint64_t wasm_offset;
};
struct mote__listing {
    struct mote__code *code;
    VEC(struct mote__insn_at) insns;
};

/* Lowers an own function once more and lists its instructions, for people. mote__listing_deinit frees *out, also after a failure. */
mote_status mote__code_list(mote_module *module, uint32_t func_index, struct mote__listing *out, mote_error *error);
void mote__listing_deinit(mote_module *module, struct mote__listing *listing);
/* The same as text (listing.c): *out is allocated with the engine's allocator, *out_size bytes. */
mote_status mote__code_print(mote_module *module, uint32_t func_index, char **out, size_t *out_size, mote_error *error);

#endif
