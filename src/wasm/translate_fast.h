/* translate_fast.h - the lane that every translator runs most instructions through: the plain ones of one byte, read without looking for errors, with the
 * translator's own functions compiled into it. Stops at the first instruction that is anything else, and does nothing in dead code: the walk
 * (walk.h) does what is left.
 *
 * A translator includes this once, behind its functions on_plain, on_memory and these, which may leave everything but the operand's extras alone:
 *   on_local_get(w, local, type)
 *   on_local_set(w, local, tee)
 *   on_constant(w, bits, type)       i32.const, i64.const, f32.const and f64.const
 * Here, as everywhere when one of its functions runs, w->op_pos is the instruction and w->r.pos what follows it. */
#include "wasm/skip.h"

enum translate_kind { TRANSLATE_OTHER, TRANSLATE_PLAIN, TRANSLATE_ACCESS, TRANSLATE_GET, TRANSLATE_SET, TRANSLATE_TEE, TRANSLATE_CONST_32, TRANSLATE_CONST_64 };

/* By its byte: how the instruction is read, how many values it takes and, if it is plain or an access, what it gives (VT_BOTTOM: nothing). */
struct translate_quick { uint8_t kind, in, out; };

#define TRANSLATE_VT(c)     ((c) == 'i' ? VT_I32 : (c) == 'I' ? VT_I64 : (c) == 'f' ? VT_F32 : (c) == 'F' ? VT_F64 : VT_BOTTOM)
#define TRANSLATE_IN(sig)   (#sig[1] == '_' ? 1 : 2)
#define TRANSLATE_PURE(code, sig)    [code] = {TRANSLATE_PLAIN, TRANSLATE_IN(sig), TRANSLATE_VT(#sig[TRANSLATE_IN(sig) + 1])},
#define TRANSLATE_TRAPS(code, sig)   TRANSLATE_PURE(code, sig)
#define TRANSLATE_LOAD(code, sig)    [code] = {TRANSLATE_ACCESS, 1, TRANSLATE_VT(#sig[1])},
#define TRANSLATE_STORE(code, sig)   [code] = {TRANSLATE_ACCESS, 2, VT_BOTTOM},
#define TRANSLATE_CONTROL(code, sig)
#define TRANSLATE_0x00(kind, code, sig) TRANSLATE_##kind(code, sig)
#define TRANSLATE_0xFB(kind, code, sig)
#define TRANSLATE_0xFC(kind, code, sig)
#define TRANSLATE_0xFD(kind, code, sig)
#define TRANSLATE_0xFE(kind, code, sig)
static const struct translate_quick translate_quick[256] = {
#define OP(prefix, code, id, text, imm, kind, sig, mem, feature) TRANSLATE_##prefix(kind, code, sig)
#include "wasm/ops.def"
#undef OP
    [0x20] = {TRANSLATE_GET, 0, 0}, [0x21] = {TRANSLATE_SET, 1, 0}, [0x22] = {TRANSLATE_TEE, 1, 0},
    [0x41] = {TRANSLATE_CONST_32, 0, 0}, [0x42] = {TRANSLATE_CONST_64, 0, 0},
};

static void translate_fast(struct walk *w) {
    const uint8_t *pos = w->r.pos;
    struct walk_value *stack = w->stack;
    uint32_t count = w->count, room = w->capacity - 8;
    bool plain_memory = w->module->memory_count && !w->module->memories->is_64;
    if (!w->live || w->capacity < 8) return;
    while (count < room) {
        uint8_t byte = *pos;
        const struct translate_quick q = translate_quick[byte];
        const uint8_t *next = pos + 1;
        if (q.kind == TRANSLATE_OTHER || (q.kind == TRANSLATE_ACCESS && (!plain_memory || *next & 0x40))) break;
        w->op_pos = pos;
        if (q.kind == TRANSLATE_GET) {
            uint32_t local = skip_u32(&next);
            valtype type = walk_local_type(w, local);
            w->r.pos = pos = next;
            w->count = count;
            on_local_get(w, local, type);
            stack[count++].type = type;
        } else if (q.kind >= TRANSLATE_CONST_32) {
            bool wide = q.kind == TRANSLATE_CONST_64;
            uint64_t bits = (uint64_t)skip_s64(&next);
            w->r.pos = pos = next;
            w->count = count;
            on_constant(w, wide ? bits : (uint32_t)bits, wide ? VT_I64 : VT_I32);
            stack[count++].type = wide ? VT_I64 : VT_I32;
        } else if (q.kind >= TRANSLATE_SET) {
            uint32_t local = skip_u32(&next);
            w->r.pos = pos = next;
            w->count = --count;
            on_local_set(w, local, q.kind == TRANSLATE_TEE);
            count += q.kind == TRANSLATE_TEE;
        } else {
            count -= q.in;
            w->count = count;
            if (q.kind == TRANSLATE_PLAIN) {
                w->r.pos = pos = next;
                on_plain(w, (enum mote__op)mote__op_of_byte[byte], q.in);
            } else {
                next++; /* the alignment */
                w->imm.a = 0;
                w->imm.x = skip_u32(&next);
                w->r.pos = pos = next;
                on_memory(w, (enum mote__op)mote__op_of_byte[byte], q.in);
            }
            stack[count].type = q.out;
            count += q.out != VT_BOTTOM;
        }
    }
    w->r.pos = pos;
    w->count = count;
}
