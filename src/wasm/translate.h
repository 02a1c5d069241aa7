/* translate.h - the walk for whoever turns bodies into something (the interpreter's lowering, the baseline compiler): walk.h compiled once, in translate.c,
 * with a consumer that is a table of functions, so that each translator adds its own code and not the walk's again.
 *
 * A translator includes this once, after `#define TRANSLATION struct its_own` (what w->c points to), and defines the functions that are declared here,
 * on_plain and its like. When one runs, the operands of the instruction are w->stack[w->count ..] (already popped by type, still in place), and it
 * describes results by writing the extras of the same places; the walk then sets their types. In dead code no function is called, so that in
 * one every operand is there and has a real type.
 *
 *   on_plain(w, op, n_in)            PURE, TRAPS, WIDE, LANE, SHUFFLE; immediates in w->imm (bytes)
 *   on_memory(w, op, n_in)           every access with a memarg: w->imm.a memory, .x offset, .b lane; operand 0 is the address
 *   on_op(w, op, n_in)               everything else that computes, calls included; immediates in w->imm
 *   on_block(w, frame)               after block, loop, if (condition popped), try and try_table opened `frame`; its parameters are on the stack
 *   on_else(w, frame), on_end(w, frame)   before the frame changes; its results are the top of the stack if w->ended_live
 *   on_catch(w, frame, tag)          catch and catch_all (tag UINT32_MAX): as on_else; on_catch_begin after it, the hidden exnref and the values pushed
 *   on_delegate(w, frame, depth)
 *   on_br(w, frame), on_br_if(w, frame), on_br_table(w, labels, count)    values for the label below the condition or index
 *   on_br_on(w, op, frame)           br_on_null, br_on_non_null, br_on_cast(_fail): the reference is w->stack[w->count]; casts: w->imm.to
 *   on_return(w), on_unreachable(w), on_throw(w, op)
 * on_else, on_end, on_catch and on_delegate run whenever the frame itself is alive; w->ended_live tells whether the code just before them is. */
#ifndef MOTE_WASM_TRANSLATE_H
#define MOTE_WASM_TRANSLATE_H

#ifndef TRANSLATION
#define TRANSLATION void
#endif

/* What translators keep for each operand and each label; one layout for all of them, since the walk is one. */
#define WALK_VALUE_EXTRA                                                                           \
    uint8_t loc;    /* enum location of the translator */                                          \
    int8_t reg;     /* a register, where loc says so */                                            \
    uint8_t cc;     /* in the flags: holds when the value is 1; a load held back: the encoder's flags */ \
    int32_t slot;   /* canonical */                                                                \
    uint32_t local; /* not copied yet: the local; a load held back: the opcode */                  \
    uint32_t prev;  /* the same: stack index + 1 of the next pending read of the same local below */ \
    uint32_t node;  /* reference slots at and below it, as of the last site above it */            \
    uint64_t bits;  /* of a constant; a v128's: see the translator; a load held back: what is added to its address */
#define WALK_FRAME_EXTRA                                                                           \
    int32_t base;            /* slot of the first value of its label */                            \
    uint32_t start;          /* loops: where to branch back to */                                  \
    const uint8_t *pos;      /* loops: the instruction */                                          \
    uint32_t fixups;         /* branches to its end, index + 1 */                                  \
    uint32_t else_fixup;     /* if: the branch around the first arm, index + 1 */                  \
    int32_t handler, inner;  /* its own; the one in force inside it */                             \
    bool known;              /* `need` is decided: somebody branches to its label */               \
    uint32_t need, dirty;    /* pins at its label */                                               \
    uint32_t if_valid, if_dirty; /* pins where the second arm begins */                            \
    uint32_t stub, stub_stamp;   /* br_table: moves for this label, made for this br_table; 0: none are needed */ \
    uint32_t pads;           /* clauses lead to its label: where that is, index + 1 */
#define WALK_EXTRA                                                                                 \
    const struct translator *on;                                                                   \
    TRANSLATION *c;

#include "wasm/walk_state.h"

/* Every function of a translator: its name, its parameters, and these as arguments. */
#define TRANSLATOR_FUNCTIONS(X)                                                                    \
    X(plain, (struct walk * w, enum mote__op op, uint32_t n_in), (w, op, n_in))                    \
    X(memory, (struct walk * w, enum mote__op op, uint32_t n_in), (w, op, n_in))                   \
    X(op, (struct walk * w, enum mote__op op, uint32_t n_in), (w, op, n_in))                       \
    X(block, (struct walk * w, struct walk_frame * f), (w, f))                                     \
    X(else, (struct walk * w, struct walk_frame * f), (w, f))                                      \
    X(end, (struct walk * w, struct walk_frame * f), (w, f))                                       \
    X(catch, (struct walk * w, struct walk_frame * f, uint32_t tag), (w, f, tag))                  \
    X(catch_begin, (struct walk * w, struct walk_frame * f, uint32_t tag), (w, f, tag))            \
    X(delegate, (struct walk * w, struct walk_frame * f, uint32_t depth), (w, f, depth))           \
    X(br, (struct walk * w, struct walk_frame * f), (w, f))                                        \
    X(br_if, (struct walk * w, struct walk_frame * f), (w, f))                                     \
    X(br_table, (struct walk * w, const uint32_t *labels, uint32_t count), (w, labels, count))     \
    X(br_on, (struct walk * w, enum mote__op op, struct walk_frame * f), (w, op, f))               \
    X(return, (struct walk * w), (w))                                                              \
    X(unreachable, (struct walk * w), (w))                                                         \
    X(throw, (struct walk * w, enum mote__op op), (w, op))

struct translator {
#define X(name, params, args) void(*on_##name) params;
    TRANSLATOR_FUNCTIONS(X)
#undef X
    void (*fast)(struct walk *w); /* translate_fast.h */
};

/* Readies the walk for bodies of a module; then, for each body, begin, run and finish. Begin: false after failing, as finish says then. Finish: the first
 * error of the body, or MOTE_OK. `w->c` is for the translator to set, after init. */
void mote__translate_init(struct walk *w, const struct translator *on, const mote_module *module, const mote_allocator *allocator, mote_error *error);
/* The same for a walk that has been readied before, or is all zero: it goes on in the memory that it has. */
void mote__translate_again(struct walk *w, const struct translator *on, const mote_module *module, const mote_allocator *allocator, mote_error *error);
void mote__translate_deinit(struct walk *w);
bool mote__translate_begin(struct walk *w, uint32_t func_index);
bool mote__translate_begin_constexpr(struct walk *w, const struct mote__constexpr *expr); /* of kind CONST_CODE */
void mote__translate_run(struct walk *w);
mote_status mote__translate_finish(struct walk *w);

/* For a translator that cannot go on: no more of its functions are called once a control instruction has been done. What finish says then means nothing. */
void mote__translate_stop(struct walk *w);

/* One instruction whose opcode has been read; for translate_fast.h. */
void mote__translate_block(struct walk *w, enum mote__op op); /* block, loop, if */
void mote__translate_end(struct walk *w);
void mote__translate_br(struct walk *w);
void mote__translate_br_if(struct walk *w);
void mote__translate_call(struct walk *w);

/* Room for `more` values beyond w->count; false with the walk failed where there is no memory for them. */
bool mote__translate_reserve(struct walk *w, size_t more);

#ifndef TRANSLATE_C
#define X(name, params, args) static void on_##name params;
TRANSLATOR_FUNCTIONS(X)
#undef X
static void translate_fast(struct walk *w);

static const struct translator translator = {
#define X(name, params, args) on_##name,
    TRANSLATOR_FUNCTIONS(X)
#undef X
    translate_fast,
};
#endif

#endif
