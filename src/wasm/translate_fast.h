/* translate_fast.h - the lane that every translator runs most instructions through: the frequent ones of one byte, read without looking for errors, with the
 * translator's own functions compiled into it. Stops at the first instruction that is anything else, and does nothing in dead code: the walk
 * (walk.h) does what is left. Which kinds there are, and in which order they are asked for, is as in walk_fast.h.
 *
 * A translator includes this once, behind its functions on_plain, on_memory and these, which may leave everything but the operand's extras alone:
 *   on_local_get(w, local, type)
 *   on_local_set(w, local, tee)
 *   on_constant(w, bits, type)       i32.const, i64.const, f32.const and f64.const
 * Here, as everywhere when one of its functions runs, w->op_pos is the instruction and w->r.pos what follows it. */
#include "wasm/skip.h"

/* What the lane knows of the walk, in registers. */
struct translate_lane {
    const uint8_t *pos;
    struct walk_value *stack;
    uint32_t count, room;
};

WALK_INLINE void translate_enter(const struct walk *w, struct translate_lane *l) {
    l->pos = w->r.pos;
    l->stack = w->stack;
    l->count = w->count;
    l->room = w->capacity - 8; /* every function of the walk leaves room for 8 */
}

/* The walk stands in the instruction at hand, which ends at `next`. */
WALK_INLINE void translate_leave(struct walk *w, struct translate_lane *l, const uint8_t *next) {
    w->op_pos = l->pos;
    w->r.pos = l->pos = next;
    w->count = l->count;
}

WALK_INLINE void translate_local(struct walk *w, struct translate_lane *l, uint8_t byte) {
    const uint8_t *next = l->pos + 1;
    uint32_t local = skip_u32(&next);
    if (byte == 0x20) {
        valtype type = walk_local_type(w, local);
        translate_leave(w, l, next);
        on_local_get(w, local, type);
        l->stack[l->count++].type = type;
        return;
    }
    l->count--;
    translate_leave(w, l, next);
    on_local_set(w, local, byte == 0x22);
    l->count += byte == 0x22;
}

WALK_INLINE void translate_integer(struct walk *w, struct translate_lane *l, uint8_t byte) {
    const uint8_t *next = l->pos + 1;
    uint64_t bits = (uint64_t)skip_s64(&next);
    valtype type = byte - 0x41u + VT_I32;
    translate_leave(w, l, next);
    on_constant(w, type == VT_I32 ? (uint32_t)bits : bits, type);
    l->stack[l->count++].type = type;
}

/* Pops what an instruction takes, and pushes behind `call` what it gives. */
#define TRANSLATE_QUICK(w, l, byte, next, call)                                                    \
    do {                                                                                           \
        const struct mote__op_quick *q_ = &mote__op_quick[byte];                                   \
        (l)->count -= q_->in;                                                                      \
        translate_leave(w, l, next);                                                               \
        call(w, (enum mote__op)mote__op_of_byte[byte], q_->in);                                    \
        (l)->stack[(l)->count].type = q_->out;                                                     \
        (l)->count += q_->out != VT_BOTTOM;                                                        \
    } while (0)

/* False: it is not of memory 0, or that has 64-bit addresses, or the alignment is longer than a byte. */
WALK_INLINE bool translate_access(struct walk *w, struct translate_lane *l, uint8_t byte) {
    const uint8_t *next = l->pos + 2; /* behind the alignment */
    if (l->pos[1] >= 0x40 || w->module->memories->is_64) return false;
    w->imm.a = 0;
    w->imm.x = skip_u32(&next);
    TRANSLATE_QUICK(w, l, byte, next, on_memory);
    return true;
}

/* What has a function of its own in the walk. False: another instruction, or the lane has to end. */
WALK_INLINE bool translate_control(struct walk *w, struct translate_lane *l, uint8_t byte) {
    if (byte - 0x02u > 0x10 - 0x02) return false;
    const uint8_t *pos = l->pos;
    translate_leave(w, l, pos + 1);
    switch (byte) {
    case 0x02: case 0x03: case 0x04: mote__translate_block(w, (enum mote__op)mote__op_of_byte[byte]); break;
    case 0x0B: mote__translate_end(w); break;
    case 0x0C: mote__translate_br(w); break;
    case 0x0D: mote__translate_br_if(w); break;
    case 0x10: mote__translate_call(w); break;
    default: l->pos = pos; return false;
    }
    translate_enter(w, l);
    return w->live && w->depth && !w->r.failed;
}

WALK_INLINE bool translate_one(struct walk *w, struct translate_lane *l) {
    uint8_t byte = *l->pos;
    if (byte - 0x20u <= 0x22 - 0x20) translate_local(w, l, byte);
    else if (byte - 0x41u <= 0x42 - 0x41) translate_integer(w, l, byte);
    else if (byte - 0x28u <= 0x3E - 0x28) return translate_access(w, l, byte);
    else if (byte - 0x45u <= 0xC4 - 0x45) TRANSLATE_QUICK(w, l, byte, l->pos + 1, on_plain);
    else return translate_control(w, l, byte);
    return true;
}

static void translate_fast(struct walk *w) {
    struct translate_lane l;
    if (!w->live || w->capacity < 8) return;
    translate_enter(w, &l);
    while (l.count < l.room && translate_one(w, &l)) {}
    w->r.pos = l.pos;
    w->count = l.count;
}
