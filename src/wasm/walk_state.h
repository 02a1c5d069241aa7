/* walk_state.h - what walk.h keeps while it reads a body (the stack of value types, the stack of control frames, locals, immediates) and how to look at it:
 * for the walk itself, and for the consumers of translate.h, which see no more of the walk than this. */
#ifndef MOTE_WASM_WALK_STATE_H
#define MOTE_WASM_WALK_STATE_H

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/reader.h"
#include "base/vec.h"
#include "wasm/limits.h"
#include "wasm/module.h"
#include "wasm/op.h"

#ifndef WALK_VALUE_EXTRA
#define WALK_VALUE_EXTRA
#endif
#ifndef WALK_FRAME_EXTRA
#define WALK_FRAME_EXTRA
#endif
#ifndef WALK_EXTRA
#define WALK_EXTRA
#endif

#define WALK_INLINE static inline __attribute__((always_inline))
#define WALK_COLD   static __attribute__((noinline, cold))
#define WALK_SLOW   static __attribute__((noinline))

struct walk_value {
    valtype type;
    WALK_VALUE_EXTRA
};

/* A block's type: params -> results of `type`, or [] -> [single] (VT_BOTTOM: [] -> []). */
struct walk_blocktype {
    const mote_type *type;
    valtype single;
};

struct walk_frame {
    uint8_t op;       /* OP_block, loop, if, else, try, catch, catch_all, try_table; OP_call for the body itself */
    bool unreachable; /* the rest of it is dead */
    bool dead;        /* opened in dead code: no callback for anything in it */
    uint32_t height;  /* values below it */
    uint32_t inits;   /* length of w->inits when it was opened */
    struct walk_blocktype type;
    WALK_FRAME_EXTRA
};

/* The immediates of the instruction at hand. */
struct walk_imm {
    uint32_t a, b;           /* indices, in the order of enum mote__imm; memory accesses: memory, lane */
    uint64_t x;              /* constants as bits; memory accesses: offset; TYPE_COUNT: count in b */
    const mote_type *type;   /* of calls, structs, arrays, tags */
    valtype from, to;        /* casts; ref.null: to */
    const uint8_t *bytes;    /* v128 constants, shuffle lanes */
};

struct walk_run { uint32_t end; valtype type; };
struct walk_catch { uint8_t kind; uint32_t tag, label; }; /* kind: 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref */

enum { WALK_LOCALS_EXPANDED = 256 };

struct walk {
    struct reader r;
    const mote_module *module;
    const struct mote__types *types;
    const mote_allocator *allocator;
    mote_error *error;
    mote_status status;
    bool live;       /* callbacks run */
    bool ended_live; /* in on_else, on_end, on_catch, on_delegate: the code before them can be reached */
    bool is_const; /* a constant expression */
    bool tail_calls_far; /* some body so far has tail-called what may be another instance's */
    uint64_t written_tables; /* what is in them may be changed by some body so far: a bit per table, by its number's low bits */
    uint32_t global_limit;       /* constant expressions may use globals below this */
    bool const_declares_funcs;   /* ref.func in them declares the function */
    const uint8_t *op_pos;       /* start of the instruction at hand */
    uint32_t count, capacity;    /* of stack */
    uint32_t floor;              /* height of the innermost frame */
    struct walk_value *stack;
    uint32_t depth, frame_capacity;
    struct walk_frame *frames;
    struct walk_imm imm;
    const mote_type *func_type;
    uint32_t local_count, expanded;
    valtype locals[WALK_LOCALS_EXPANDED];
    VEC(struct walk_run) runs;   /* all locals, params included, as runs */
    VEC(uint32_t) inits;         /* non-defaultable locals set so far, in order */
    VEC(uint64_t) init_bits;     /* a bit per local that is set; only if has_uninit */
    bool has_uninit;             /* there are locals that must be set first; not asked where bodies are trusted: translators' lanes set them unseen */
    VEC(uint32_t) labels;
    VEC(struct walk_catch) catches;
    uint16_t byte_ops[256];      /* op of each plain byte, OP_INVALID where its feature is off; unless trusted (walk.h) */
    WALK_EXTRA
};

/* ---------------------------------------------------------------- looking at it */

WALK_INLINE uint32_t walk_param_count(const struct walk_blocktype *b) { return b->type ? b->type->param_count : 0; }
WALK_INLINE uint32_t walk_result_count(const struct walk_blocktype *b) {
    return b->type ? b->type->result_count : b->single != VT_BOTTOM;
}
WALK_INLINE valtype walk_result(const struct walk_blocktype *b, uint32_t i) {
    return b->type ? mote__type_result(b->type, i) : b->single;
}
/* What a branch to the frame carries: parameters of loops, results of everything else. */
WALK_INLINE uint32_t walk_label_count(const struct walk_frame *f) {
    return f->op == OP_loop ? walk_param_count(&f->type) : walk_result_count(&f->type);
}
WALK_INLINE valtype walk_label_type(const struct walk_frame *f, uint32_t i) {
    return f->op == OP_loop ? mote__type_param(f->type.type, i) : walk_result(&f->type, i);
}

WALK_INLINE valtype walk_letter(char c) {
    return c == 'i' ? VT_I32 : c == 'I' ? VT_I64 : c == 'f' ? VT_F32 : c == 'F' ? VT_F64 : VT_V128;
}

/* Number of operands of a signature such as "ii_i": all of these fold to constants. */
WALK_INLINE uint32_t walk_sig_in(const char *sig) {
    return sig[0] == '_' ? 0 : sig[1] == '_' ? 1 : sig[2] == '_' ? 2 : sig[3] == '_' ? 3 : 4;
}
static inline valtype walk_local_slow(const struct walk *w, uint32_t local) {
    size_t low = 0, high = w->runs.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->runs.data[middle].end <= local) low = middle + 1;
        else high = middle;
    }
    return w->runs.data[low].type;
}

/* The type of a local below local_count. */
WALK_INLINE valtype walk_local_type(const struct walk *w, uint32_t local) {
    return local < w->expanded ? w->locals[local] : walk_local_slow(w, local);
}

/* What an instruction moves for a field of storage type: packed fields are i32. */
WALK_INLINE valtype walk_unpacked(valtype storage) { return storage == VT_I8 || storage == VT_I16 ? VT_I32 : storage; }

#endif
