/* decode.h - what the parts of the decoder share: decode.c (sections), decode_types.c (types), and
 * what walk.h reads in bodies. */
#ifndef MOTE_WASM_DECODE_H
#define MOTE_WASM_DECODE_H

#include "base/error.h"
#include "base/vec.h"
#include "wasm/module.h"
#include "wasm/op.h"

/* A module while it is being decoded. Section readers read from `r`, which ends with their section,
 * and leave what they read in `m`. */
struct decoder {
    mote_module *m;
    struct reader r;
    mote_error *error;
    uint32_t body_bytes_max;
    const uint8_t *section_end;
    uint32_t func_section_count, body_count;      /* must be equal in the end */
    uint32_t data_count_declared, data_seg_count; /* the same, if has_data_count */
    /* The recursion group being read: type indices from rec_start up to rec_end are its own. */
    uint32_t rec_start, rec_end;
    VEC(struct mote__typedef) defs;
    VEC(struct mote__fieldtype) fields;
};

/* Fails at a place in the module. */
mote_status mote__decode_fail(struct decoder *d, const uint8_t *at, mote_status status,
                              const char *format, ...) MOTE_PRINTF(4, 5);
mote_status mote__decode_nomem(struct decoder *d);
/* MOTE_OK unless the reader has failed. */
mote_status mote__decode_check(struct decoder *d);
/* Fails unless a feature is on; `what` asks for it (may be NULL). */
mote_status mote__decode_need(struct decoder *d, const char *what, enum mote__feature feature);
/* Reads the length of a vector: at most `limit` (a limit of limits.h on `what`) and not more
 * elements than bytes are left. */
mote_status mote__decode_count(struct decoder *d, const char *what, uint64_t limit, uint32_t *out);
/* Adds a zeroed element to an array in the module's arena that is only ever grown by this; NULL
 * when out of memory. */
void *mote__decode_append(struct decoder *d, void *array, uint32_t *count, size_t size);

/* The contents of the type section. */
mote_status mote__decode_types(struct decoder *d);
/* A value type, or a reference type alone ("malformed reference type"). */
mote_status mote__decode_valtype(struct decoder *d, valtype *out);
mote_status mote__decode_reftype(struct decoder *d, valtype *out);
/* 0 or 1, as a flag. */
mote_status mote__decode_mutability(struct decoder *d, bool *out);
/* Reads the index of a function type. */
mote_status mote__decode_functype(struct decoder *d, const mote_type **out);

/* Heap and value types in bodies. A failure of the reader stays in the reader; every other one goes
 * to *error and *status. */
heaptype mote__read_heaptype(const mote_module *module, struct reader *r, mote_error *error,
                             mote_status *status);
valtype mote__read_valtype(const mote_module *module, struct reader *r, mote_error *error,
                           mote_status *status);

#endif
