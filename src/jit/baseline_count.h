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

static void count_local(struct compilation *c, const struct count_state *s, uint32_t local, bool set) {
    uint32_t *weight = &c->weights.data[local];
    if (s->now.dead || c->failed) return;
    if (*weight < 1u << 30) *weight += s->now.weight;
    if (!s->now.loop) return;
    c->loops.data[s->now.loop - 1].used |= local_bit(local);
    if (set) c->loops.data[s->now.loop - 1].set |= local_bit(local);
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

/* What programs mostly consist of, by its byte: instructions without immediates that only compute, and accesses to memory. */
enum { COUNT_OTHER, COUNT_PLAIN, COUNT_ACCESS };
#define COUNT_CONTROL COUNT_OTHER
#define COUNT_PURE    COUNT_PLAIN
#define COUNT_TRAPS   COUNT_PLAIN
#define COUNT_LOAD    COUNT_ACCESS
#define COUNT_STORE   COUNT_ACCESS
#define COUNT_0x00(code, kind) [code] = COUNT_##kind,
#define COUNT_0xFB(code, kind)
#define COUNT_0xFC(code, kind)
#define COUNT_0xFD(code, kind)
#define COUNT_0xFE(code, kind)
static const uint8_t count_quick[256] = {
#define OP(prefix, code, id, text, imm, kind, sig, mem, feature) COUNT_##prefix(code, kind)
#include "wasm/ops.def"
#undef OP
};

/* Counts from the walk's place, which is behind the declarations of locals, to the body's end. */
static void count_uses(struct walk *w) {
    struct compilation *c = w->c;
    struct count_state s = {.now = {.weight = 1}, .pos = w->r.pos};
    open_count(c, &s, false);
    while (c->count_frames.count && !c->failed) {
        uint8_t byte = *s.pos;
        if (count_quick[byte] == COUNT_PLAIN) {
            s.pos++;
        } else if (byte >= 0x20 && byte <= 0x22) { /* local.get, local.set, local.tee */
            s.pos++;
            count_local(c, &s, skip_u32(&s.pos), byte != 0x20);
        } else if (count_quick[byte] == COUNT_ACCESS) {
            s.pos = skip_memarg(s.pos + 1);
        } else {
            enum mote__op op = skip_op(&s.pos);
            count_op(c, &s, op);
        }
    }
}
