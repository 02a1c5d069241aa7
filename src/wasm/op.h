/* op.h - names and properties of instructions, derived from ops.def. */
#ifndef MOTE_WASM_OP_H
#define MOTE_WASM_OP_H

#include <mote/status.h>

/* Features: bit numbers FEATURE_x, bits FEATURES_x. */
enum mote__feature {
#define FEATURE(ident, name, def, implied, text) FEATURE_##ident,
#include "wasm/features.def"
#undef FEATURE
    FEATURE_COUNT
};
#define FEATURE_BIT(ident) (UINT64_C(1) << FEATURE_##ident)
/* The bits as constants, so that features.def can name them in its own column. */
enum {
#define FEATURE(ident, name, def, implied, text) FEATURES_##ident = 1 << FEATURE_##ident,
#include "wasm/features.def"
#undef FEATURE
};

/* Instructions, dense, in the order of ops.def. */
enum mote__op {
#define OP(prefix, code, ident, text, imm, kind, sig, mem, feature) OP_##ident,
#include "wasm/ops.def"
#undef OP
    OP_COUNT,
    OP_INVALID = OP_COUNT
};

/* Kinds of immediates, in the order in which the binary format writes them. */
enum mote__imm {
    IMM_NONE,
    IMM_BLOCK,       /* blocktype */
    IMM_LABEL,       /* label index */
    IMM_LABELS,      /* vector of label indices, default label */
    IMM_FUNC,        /* function index */
    IMM_TYPE,        /* type index */
    IMM_TYPE_TABLE,  /* type index, table index */
    IMM_VALTYPES,    /* vector of value types */
    IMM_LOCAL,
    IMM_GLOBAL,
    IMM_TABLE,
    IMM_TABLE_TABLE, /* destination table, source table */
    IMM_ELEM,
    IMM_ELEM_TABLE,  /* element segment, table (the text writes the table first) */
    IMM_DATA,
    IMM_DATA_MEM,    /* data segment, memory (the text writes the memory first) */
    IMM_MEM,
    IMM_MEM_MEM,     /* destination memory, source memory */
    IMM_MEMARG,      /* alignment (bit 6: a memory index follows), [memory index], offset */
    IMM_MEMARG_LANE, /* memarg, lane byte */
    IMM_LANE,        /* lane byte */
    IMM_LANES,       /* 16 lane bytes */
    IMM_I32,
    IMM_I64,
    IMM_F32,
    IMM_F64,
    IMM_V128,
    IMM_HEAPTYPE,    /* s33 heap type (ref.test/ref.cast in text: a reftype; nullability chooses the row) */
    IMM_BR_ON_CAST,  /* flags byte, label, heap type from, heap type to */
    IMM_TYPE_FIELD,  /* type index, field index */
    IMM_TYPE_COUNT,  /* type index, u32 */
    IMM_TYPE_DATA,
    IMM_TYPE_ELEM,
    IMM_TYPE_TYPE,
    IMM_TAG,
    IMM_TRY_TABLE,   /* blocktype, vector of catch clauses */
    IMM_FENCE        /* one zero byte */
};

enum mote__op_kind {
    KIND_CONTROL,
    KIND_PURE,
    KIND_TRAPS,
    KIND_WIDE,
    KIND_LOAD,
    KIND_STORE,
    KIND_LANE,
    KIND_SHUFFLE,
    KIND_LOAD_LANE,
    KIND_STORE_LANE,
    KIND_ATOMIC_LOAD,
    KIND_ATOMIC_STORE,
    KIND_ATOMIC_RMW,
    KIND_ATOMIC_CMPXCHG
};

struct mote__op_info {
    uint16_t text_at;    /* see mote__op_text: a pointer costs more than its text */
    char sig[8];         /* "ii_i" */
    uint8_t prefix;
    uint8_t imm;         /* enum mote__imm */
    uint8_t kind;        /* enum mote__op_kind */
    uint8_t mem_bytes;   /* size of the memory access, 0 if none */
    uint8_t feature;     /* enum mote__feature */
    uint16_t code;
};

extern const struct mote__op_info mote__op_info[OP_COUNT + 1];
/* The keyword of the text format. */
const char *mote__op_text(const struct mote__op_info *info);
/* op = mote__op_of_byte[b] for plain bytes, else mote__op_lookup. OP_INVALID where nothing is. */
extern const uint16_t mote__op_of_byte[256];
/* What an instruction of one byte does to the types on the stack, by its byte; of those that are not of kind CONTROL: takes `in` values, the topmost of type
 * `top`, the lowest of type `under`, gives one of type `out` (VT_BOTTOM: none). align_max: of an access. */
struct mote__op_quick { uint8_t in, top, under, out, align_max; };
extern const struct mote__op_quick mote__op_quick[256];
enum mote__op mote__op_lookup(uint8_t prefix, uint32_t code);

/* 'f' or 'F' where the instruction's arithmetic may make NaNs, by what its lanes are (a scalar is one lane); 0 where it cannot: it gives integers or
 * masks, or only moves and chooses bits. */
char mote__op_nan_lanes(enum mote__op op);

/* Features by name; -1 if there is none. */
int mote__feature_find(const char *name, size_t size);
const char *mote__feature_name(enum mote__feature feature);
/* The bits that are on by default; `features` closed under "implied"; `features` without `off` and all that imply any of them. */
uint64_t mote__features_default(void);
uint64_t mote__features_close(uint64_t features);
uint64_t mote__features_without(uint64_t features, uint64_t off);
/* "needs the feature `memory64`, which is off ...", after `what` and a colon unless `what` is NULL; returns MOTE_E_UNSUPPORTED. */
mote_status mote__error_feature(mote_error *error, uint64_t offset, const char *what, enum mote__feature feature);

#endif
