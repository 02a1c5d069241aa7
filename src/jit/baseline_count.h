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
        c->loops.data[f.loop - 1].calls = true;
    }
    s->now = f;
}

static void count_call(struct compilation *c, const struct count_state *s) {
    if (s->now.dead) return;
    c->call_weight += s->now.weight;
    if (s->now.loop && !c->failed) c->loops.data[s->now.loop - 1].calls = true;
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

/* What programs mostly consist of, by its byte: how long it is when its immediates, all of them integers then, are one byte each, and which bits of its first
 * three bytes say that they are not. `bytes` 0: every other instruction. */
struct count_quick { uint32_t longer; uint8_t bytes, gets, sets, calls; };
#define COUNT_ONE(id, imm) ((imm) == IMM_LOCAL || (imm) == IMM_GLOBAL || (imm) == IMM_I32 || (imm) == IMM_I64 || (id) == OP_br_if || (id) == OP_call)
#define COUNT_NONE(id, imm, kind) ((imm) == IMM_NONE && ((kind) != KIND_CONTROL || (id) == OP_drop || (id) == OP_select))
#define COUNT_ROW(id, imm, kind)                                                                   \
    {.bytes = COUNT_ONE(id, imm) ? 2 : (imm) == IMM_MEMARG ? 3 : COUNT_NONE(id, imm, kind),        \
     .longer = COUNT_ONE(id, imm) ? 0x8000 : (imm) == IMM_MEMARG ? 0x80C000 : 0,                      \
     .gets = (imm) == IMM_LOCAL, .sets = (imm) == IMM_LOCAL && (id) != OP_local_get, .calls = (id) == OP_call},
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

/* The run of such instructions at hand; any of them is left at the body's end. What is added for an instruction without a local is 0, to whatever weight:
 * whether there is a local is not known ahead to the processor either. */
static void count_run(struct walk *w, struct count_state *s) {
    struct compilation *c = w->c;
    const uint8_t *pos = s->pos, *end = w->r.end - 3; /* four bytes are read at once */
    uint64_t used = 0, set = 0, calls = 0, *weights = c->weights.data, weight = s->now.dead ? 0 : s->now.weight;
    bool in_loop = s->now.loop && !s->now.dead;
    while (pos < end) {
        uint32_t word;
        memcpy(&word, pos, sizeof word); /* the lowest byte is the first: this file is for x86-64 */
        const struct count_quick q = count_quick[(uint8_t)word];
        uint8_t local = (uint8_t)(word >> 8);
        if (!q.bytes) break;
        if (word & q.longer) {
            if (q.gets || (q.bytes == 3 && pos[1] & 0x40)) break;
            calls += q.calls;
            pos = skip_lebs(pos + 1, q.bytes - 1u);
            continue;
        }
        pos += q.bytes;
        calls += q.calls;
        weights[local] += weight & -(uint64_t)q.gets;
        if (!in_loop) continue;
        used |= local_bit(local) & -(uint64_t)q.gets;
        set |= local_bit(local) & -(uint64_t)q.sets;
    }
    s->pos = pos;
    c->call_weight += calls * weight;
    if (!in_loop) return;
    c->loops.data[s->now.loop - 1].used |= used;
    c->loops.data[s->now.loop - 1].set |= set;
    c->loops.data[s->now.loop - 1].calls |= calls > 0;
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
