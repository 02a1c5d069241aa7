/* baseline_count.h - the part of baseline.c that looks through a body before it is compiled: how much each local is used, weighted by the loops around it; what
 * loops use; how many calls there are. Dead code counts for nothing. Included by baseline.c alone. */

#include "wasm/skip.h"

struct count_state {
    struct count_frame now; /* dead: the code at hand is */
    const uint8_t *pos;
};

static void open_count(struct compilation *c, struct count_state *s, bool is_loop) {
    struct count_frame *f = mote__vec_push(&c->count_frames, c->allocator);
    if (!f) {
        c->failed = true;
        return;
    }
    *f = s->now;
    f->is_loop = is_loop && !s->now.dead;
    if (!f->is_loop) return;
    if (s->now.weight < 1 << 15) s->now.weight *= 8;
    if (!mote__vec_push(&c->loops, c->allocator)) c->failed = true;
    s->now.loop = (uint32_t)c->loops.count;
}

/* What an inner loop uses its outer one does. */
static void close_count(struct compilation *c, struct count_state *s) {
    struct count_frame f = *mote__vec_last(&c->count_frames);
    c->count_frames.count--;
    if (f.is_loop && f.loop && !c->failed) {
        c->loops.data[f.loop - 1].used |= c->loops.data[s->now.loop - 1].used;
        c->loops.data[f.loop - 1].set |= c->loops.data[s->now.loop - 1].set;
    }
    s->now = f;
}

static void count_call(struct compilation *c, const struct count_state *s) {
    if (!s->now.dead) c->call_weight += s->now.weight;
}

/* One instruction whose opcode has been read. */
static void count_op(struct compilation *c, struct count_state *s, enum mote__op op) {
    switch (op) {
    case OP_block: case OP_loop: case OP_if: case OP_try: case OP_try_table: open_count(c, s, op == OP_loop); break;
    case OP_else: case OP_catch: case OP_catch_all: s->now.dead = mote__vec_last(&c->count_frames)->dead; break;
    case OP_end: case OP_delegate: close_count(c, s); break;
    case OP_call: case OP_call_indirect: case OP_call_ref: count_call(c, s); break;
    case OP_throw: case OP_throw_ref: case OP_rethrow:
        count_call(c, s);
        s->now.dead = true;
        break;
    case OP_unreachable: case OP_br: case OP_br_table: case OP_return: case OP_return_call: case OP_return_call_indirect: case OP_return_call_ref:
        s->now.dead = true;
        break;
    default: break;
    }
    s->pos = skip_immediates(s->pos, (enum mote__imm)mote__op_info[op].imm);
}

/* What programs mostly consist of, by its byte: how long it is when its immediates are short, and which bits of its second and third byte say that they are
 * not. `bytes` 0: every other instruction. */
struct count_quick { uint8_t bytes, second, third; bool gets, sets; };
#define COUNT_SHORT(imm)   ((imm) == IMM_LOCAL || (imm) == IMM_GLOBAL || (imm) == IMM_I32 || (imm) == IMM_I64)
#define COUNT_ROW(id, imm, kind)                                                                   \
    {.bytes = COUNT_SHORT(imm) ? 2 : (imm) == IMM_MEMARG ? 3 : (imm) == IMM_NONE && (kind) != KIND_CONTROL,                  \
     .second = COUNT_SHORT(imm) ? 0x80 : (imm) == IMM_MEMARG ? 0xC0 : 0, .third = (imm) == IMM_MEMARG ? 0x80 : 0,             \
     .gets = (imm) == IMM_LOCAL, .sets = (imm) == IMM_LOCAL && (id) != OP_local_get},
#define COUNT_0x00(code, id, imm, kind) [code] = COUNT_ROW(id, imm, kind)
#define COUNT_0xFB(code, id, imm, kind)
#define COUNT_0xFC(code, id, imm, kind)
#define COUNT_0xFD(code, id, imm, kind)
#define COUNT_0xFE(code, id, imm, kind)
static const struct count_quick count_quick[256] = {
#define OP(prefix, code, id, text, imm, kind, sig, mem, feature) COUNT_##prefix(code, OP_##id, IMM_##imm, KIND_##kind)
#include "wasm/ops.def"
#undef OP
};

/* The run of such instructions at hand; any of them is left at the body's end. */
static void count_run(struct walk *w, struct count_state *s) {
    struct compilation *c = w->c;
    const uint8_t *pos = s->pos, *end = w->r.end - 2; /* three bytes are looked at */
    uint64_t used = 0, set = 0, *weights = c->weights.data, weight = s->now.dead ? 0 : s->now.weight;
    for (struct count_quick q; pos < end && (q = count_quick[*pos]).bytes && !(pos[1] & q.second) && !(pos[2] & q.third); pos += q.bytes) {
        if (!q.gets) continue;
        weights[pos[1]] += weight;
        used |= local_bit(pos[1]);
        set |= (uint64_t)q.sets << (pos[1] & 63);
    }
    s->pos = pos;
    if (s->now.dead || !s->now.loop) return;
    c->loops.data[s->now.loop - 1].used |= used;
    c->loops.data[s->now.loop - 1].set |= set;
}

/* A local whose number is long, or at the body's end. */
static void count_far_local(struct compilation *c, struct count_state *s, enum mote__op op) {
    uint32_t local = skip_u32(&s->pos);
    if (s->now.dead) return;
    c->weights.data[local] += s->now.weight;
    if (!s->now.loop) return;
    c->loops.data[s->now.loop - 1].used |= local_bit(local);
    if (op != OP_local_get) c->loops.data[s->now.loop - 1].set |= local_bit(local);
}

/* Counts from the walk's place, which is behind the declarations of locals, to the body's end. */
static void count_uses(struct walk *w) {
    struct compilation *c = w->c;
    struct count_state s = {.now = {.weight = 1}, .pos = w->r.pos};
    open_count(c, &s, false);
    while (c->count_frames.count && !c->failed) {
        count_run(w, &s);
        enum mote__op op = skip_op(&s.pos);
        if (mote__op_info[op].imm == IMM_LOCAL) count_far_local(c, &s, op);
        else count_op(c, &s, op);
    }
}
