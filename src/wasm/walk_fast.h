/* walk_fast.h - the lane that validation runs most instructions through, as long as everything about them is plain: types are the very ones, indices and
 * offsets are short, and there is room. Stops at the first instruction that is anything else, before it; walk_one (walk.h) does that one. So nothing fails in
 * here but in the walk's own functions. Included by walk.h alone; translators have translate_fast.h.
 *
 * Instructions are told apart by ranges of opcodes into as few kinds as their lengths allow, and what differs within a kind is computed or looked up: most
 * of the time goes where the processor guesses wrong which kind comes next. A jump for each opcode took 12 % longer, no jump at all 40 %. */

/* What the lane knows of the walk, in registers. */
struct walk_lane {
    const uint8_t *pos, *end; /* an instruction that begins before `end` has WALK_LANE_BYTES to look at */
    struct walk_value *stack;
    size_t count, floor, room;
    uint32_t locals;     /* those that are read here; with locals that must be set first, none */
    uint32_t plain_end;  /* behind the last opcode of walk_lane_plain */
    bool plain_memory;
};

enum { WALK_LANE_BYTES = 6 };

#define WALK_RARELY(condition) __builtin_expect(condition, 0)

/* Takes up the walk where it is. */
WALK_INLINE void walk_lane_enter(const struct walk *w, struct walk_lane *l) {
    l->pos = w->r.pos;
    l->stack = w->stack;
    l->count = w->count;
    l->floor = w->floor;
    l->room = w->capacity - 8; /* every function of the walk leaves room for 8 */
}

/* The walk stands in the instruction at hand, `bytes` of which are read. */
WALK_INLINE void walk_lane_leave(struct walk *w, const struct walk_lane *l, size_t bytes) {
    w->op_pos = l->pos;
    w->r.pos = l->pos + bytes;
    w->count = (uint32_t)l->count;
}

/* Moves behind a LEB128 integer of at most 4 bytes that begins `at` bytes into the instruction; false if it is longer. */
WALK_INLINE bool walk_lane_skip(struct walk_lane *l, size_t at) {
    uint32_t bytes;
    memcpy(&bytes, l->pos + at, sizeof bytes);
    uint32_t last = ~bytes & 0x80808080;
    if (WALK_RARELY(!last)) return false;
    l->pos += at + ((uint32_t)__builtin_ctz(last) >> 3) + 1;
    return true;
}

/* Whether the operands of an instruction are on the stack. */
WALK_INLINE bool walk_lane_has(const struct walk_lane *l, const struct mote__op_quick *q) {
    return l->count - l->floor >= q->in && l->stack[l->count - 1].type == q->top && l->stack[l->count - q->in].type == q->under;
}

/* Each of these does one instruction of its kind; false: it is not plain, and nothing has changed. */

WALK_INLINE bool walk_lane_local(struct walk *w, struct walk_lane *l, uint8_t byte) {
    size_t in = byte != 0x20;
    uint32_t local = l->pos[1];
    if (WALK_RARELY(local >= l->locals || l->count - l->floor < in)) return false;
    valtype type = w->locals[local];
    if (WALK_RARELY(in & (l->stack[l->count - in].type != type))) return false; /* one jump that is never taken */
    l->stack[l->count].type = type; /* not seen after local.set */
    l->count += (size_t)(byte == 0x20) - (size_t)(byte == 0x21);
    l->pos += 2;
    return true;
}

WALK_INLINE bool walk_lane_integer(struct walk_lane *l, uint8_t byte) {
    if (!walk_lane_skip(l, 1)) return false;
    l->stack[l->count++].type = byte - 0x41u + VT_I32;
    return true;
}

WALK_INLINE bool walk_lane_access(struct walk_lane *l, uint8_t byte) {
    const struct mote__op_quick *q = &mote__op_quick[byte];
    if (WALK_RARELY(!l->plain_memory || !walk_lane_has(l, q) || l->pos[1] > q->align_max)) return false;
    if (!walk_lane_skip(l, 2)) return false;
    l->count -= q->in;
    l->stack[l->count].type = q->out;
    l->count += q->out != VT_BOTTOM;
    return true;
}

WALK_INLINE bool walk_lane_plain(struct walk_lane *l, uint8_t byte) {
    const struct mote__op_quick *q = &mote__op_quick[byte];
    if (WALK_RARELY(!walk_lane_has(l, q))) return false;
    l->count -= q->in;
    l->stack[l->count++].type = q->out;
    l->pos++;
    return true;
}

/* The frequent ones of what has a function of its own in the walk. That may fail, which empties the reader; false also when the body has ended. */
WALK_INLINE bool walk_lane_control(struct walk *w, struct walk_lane *l, uint8_t byte) {
    if (byte - 0x02u > 0x10 - 0x02) return false;
    walk_lane_leave(w, l, 1);
    switch (byte) {
    case 0x02: walk_block(w, OP_block); break;
    case 0x03: walk_block(w, OP_loop); break;
    case 0x04: walk_block(w, OP_if); break;
    case 0x0B: walk_end(w); break;
    case 0x0C: walk_br(w); break;
    case 0x0D: walk_br_if(w); break;
    case 0x10: walk_call(w, OP_call); break;
    default: return false;
    }
    walk_lane_enter(w, l);
    return w->depth;
}

WALK_INLINE bool walk_lane_one(struct walk *w, struct walk_lane *l) {
    uint8_t byte = *l->pos;
    if (byte - 0x20u <= 0x22 - 0x20) return walk_lane_local(w, l, byte);
    if (byte - 0x41u <= 0x42 - 0x41) return walk_lane_integer(l, byte);
    if (byte - 0x28u <= 0x3E - 0x28) return walk_lane_access(l, byte);
    if (byte >= 0x45 && byte < l->plain_end) return walk_lane_plain(l, byte);
    return walk_lane_control(w, l, byte);
}

static void walk_fast(struct walk *w) {
    const mote_module *m = w->module;
    struct walk_lane l = {.plain_memory = m->memory_count && !m->memories->is_64};
    if (w->capacity < 8 || w->r.end - w->r.pos < WALK_LANE_BYTES) return;
    l.end = w->r.end - WALK_LANE_BYTES + 1;
    l.locals = w->has_uninit ? 0 : w->expanded < 0x80 ? w->expanded : 0x80;
    l.plain_end = m->features & FEATURE_BIT(sign_extension) ? 0xC5 : 0xC0;
    walk_lane_enter(w, &l);
    while (l.pos < l.end && l.count < l.room && walk_lane_one(w, &l)) {}
    walk_lane_leave(w, &l, 0);
}
