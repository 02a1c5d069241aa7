/* lower.c - turns a function body into the interpreter's register form (insn.def): walk.h with a consumer that keeps, for every operand on the
 * stack, where its value is, and writes instructions only when something must happen.
 *
 * An operand is a constant, a local (not copied until it must be), the integer or float register, or its own canonical slot, which follows from what is
 * below it. A result stays in the register first; if something else needs the register before it is used, the instruction that made it is
 * patched to store it too. At block boundaries everything is where the block's type says: in canonical slots; constants may stay constants.
 * A comparison right before a branch becomes part of the branch.
 *
 * Keeps: at each site (call, allocation, throw) every live value is in its slot; slots of references are listed per site (code.h).
 * Cost: linear in the body. Each pending local is linked to the one before it of the same local, so that writing a local touches only its readers. */
enum location { LOC_SLOT, LOC_LOCAL, LOC_CONST, LOC_R, LOC_F };

#define WALK_EMIT(...)                                                                             \
    do {                                                                                           \
        if (w->live) {                                                                             \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)
#define WALK_VALUE_EXTRA                                                                           \
    uint8_t loc;    /* enum location */                                                            \
    int32_t slot;   /* canonical */                                                                \
    uint32_t local; /* LOC_LOCAL */                                                                \
    uint32_t prev;  /* LOC_LOCAL: stack index + 1 of the next pending read of the same local below */ \
    uint32_t node;  /* reference slots at and below it, as of the last site above it */            \
    uint64_t bits;  /* LOC_CONST */
#define WALK_FRAME_EXTRA                                                                           \
    int32_t base;         /* slot of the first value of its label */                               \
    uint32_t start;       /* loops: unit to branch back to */                                      \
    uint32_t fixups;      /* branches to its end, index + 1 */                                     \
    uint32_t else_fixup;  /* if: the branch around the first arm, index + 1 */                     \
    int32_t handler;      /* try, try_table: its own */                                            \
    int32_t inner;        /* handler in force inside it */                                         \
    uint32_t stub, stub_stamp; /* br_table: moves for this label, made for this br_table */
#define WALK_EXTRA struct lowering *c;

#include <assert.h>
#include <string.h>

#include "run/code.h"

/* A branch whose target is not known yet. */
struct fixup {
    uint32_t at, origin; /* unit of the 32-bit distance, unit that it counts from */
    uint32_t next;       /* index + 1 */
    bool is_clause;      /* `at` is a clause's index */
};

struct pending_clause {
    uint32_t handler;
    struct mote__clause clause;
};

/* The comparison that a following branch may swallow. */
struct comparison {
    uint32_t pos, last; /* first unit of it, and of the last instruction that belongs to it (an eqz) */
    uint16_t op;        /* OP_x; i32.eqz and i64.eqz too */
    bool negated;
    uint8_t variant, unit_count; /* operand units follow */
    uint16_t units[5];
};

struct lowering {
    const mote_allocator *allocator;
    bool failed; /* out of memory */
    bool fuel, canonical_nans;
    VEC(uint16_t) units;
    VEC(struct fixup) fixups;
    VEC(struct mote__handler) handlers;
    VEC(struct pending_clause) clauses;
    VEC(struct mote__site) sites;
    VEC(struct mote__refnode) nodes;
    VEC(int32_t) local_slots; /* by local */
    VEC(uint32_t) heads;      /* by local: stack index + 1 of the topmost pending read */
    VEC(uint32_t) pending;    /* stack indices of pending reads, ascending; some are no longer pending */
    uint32_t pending_refs;    /* how many pending reads are heap references */
    int32_t first_slot;       /* of operands */
    int32_t scratch;          /* first of six pairs of slots within reach, or 0: this frame is small enough */
    uint32_t scratch_next;
    int32_t max_slot;
    uint32_t last;            /* first unit of the last instruction */
    int64_t r_entry, f_entry; /* stack index of the operand that is in the register only, or -1 */
    uint32_t r_pos, f_pos;    /* instruction that made it */
    int32_t r_slot, f_slot;   /* slot that the register equals, or NO_SLOT */
    struct comparison cmp;
    int32_t handler;          /* innermost open one, -1: none */
    uint32_t noded;           /* operands below this index have their `node` */
    uint32_t stamp;
    uint32_t fuel_at, fuel_cost; /* the open segment's fuel instruction, its cost so far */
    int64_t watch;            /* unit whose wasm offset is wanted, or -1 */
    const uint8_t *watch_pos, *instruction_pos;
};

enum { NO_SLOT = INT32_MIN, NO_POS = UINT32_MAX };

#define WALK_CALLBACKS
#include "wasm/walk.h"
#include "run/insn.h"

/* ---------------------------------------------------------------- classes of instructions, from insn.def */

enum insn_class {
    CLASS_NONE, CLASS_IB, CLASS_IU, CLASS_FB, CLASS_FC, CLASS_FU, CLASS_FI, CLASS_IF, CLASS_LI, CLASS_LF, CLASS_LV, CLASS_SI, CLASS_SF, CLASS_SV,
    CLASS_G, CLASS_WIDE, CLASS_XLANE, CLASS_XATOMIC
};

static const struct { uint16_t base; uint8_t cls; } insn_of_op[OP_COUNT] = {
#define IB(id, a, out)        [OP_##id] = {I_##id##_ss_r, CLASS_IB},
#define IBT(id, a, out)       [OP_##id] = {I_##id##_ss_r, CLASS_IB},
#define IU(id, a, out)        [OP_##id] = {I_##id##_s_r, CLASS_IU},
#define FB(id, a)             [OP_##id] = {I_##id##_ss_r, CLASS_FB},
#define FC(id, a)             [OP_##id] = {I_##id##_ss_r, CLASS_FC},
#define FU(id, a, out)        [OP_##id] = {I_##id##_s_r, CLASS_FU},
#define FI(id, a, out)        [OP_##id] = {I_##id##_s_r, CLASS_FI},
#define FIT(id, a, out)       [OP_##id] = {I_##id##_s_r, CLASS_FI},
#define IF_(id, a, out)       [OP_##id] = {I_##id##_s_r, CLASS_IF},
#define LI(id, mem)           [OP_##id] = {I_##id##_s_r, CLASS_LI},
#define LF(id, t, mem)        [OP_##id] = {I_##id##_s_r, CLASS_LF},
#define LV(id, mem)           [OP_##id] = {I_##id##_s, CLASS_LV},
#define SI(id, mem)           [OP_##id] = {I_##id##_ss, CLASS_SI},
#define SF(id, t, mem)        [OP_##id] = {I_##id##_ss, CLASS_SF},
#define SV(id, mem)           [OP_##id] = {I_##id##_s, CLASS_SV},
#define G1(id, out, a)        [OP_##id] = {I_##id, CLASS_G},
#define G2(id, out, a, b)     [OP_##id] = {I_##id, CLASS_G},
#define G3(id, out, a, b, c)  [OP_##id] = {I_##id, CLASS_G},
#define GL1(id, out, a)       [OP_##id] = {I_##id, CLASS_G},
#define GL2(id, a, b)         [OP_##id] = {I_##id, CLASS_G},
#define GSHUFFLE(id)          [OP_##id] = {I_##id, CLASS_G},
#define GWIDE4(id)            [OP_##id] = {I_##id, CLASS_WIDE},
#define GWIDE2(id)            [OP_##id] = {I_##id, CLASS_WIDE},
#define XLOAD_LANE(id, mem)   [OP_##id] = {I_##id, CLASS_XLANE},
#define XSTORE_LANE(id, mem)  [OP_##id] = {I_##id, CLASS_XLANE},
#define XATOMIC_LOAD(id, mem) [OP_##id] = {I_##id, CLASS_XATOMIC},
#define XATOMIC_STORE(id, t, mem)   [OP_##id] = {I_##id, CLASS_XATOMIC},
#define XATOMIC_RMW(id, t, mem)     [OP_##id] = {I_##id, CLASS_XATOMIC},
#define XATOMIC_CMPXCHG(id, t, mem) [OP_##id] = {I_##id, CLASS_XATOMIC},
#define B(id, a)
#define BF(id, a)
#define BN(id, a)
#include "run/insn.def"
};
/* The form for any memory, as a distance from the first: after s and r with two results each, after ss..rk, and so on. */
enum { X_OF_LOAD = 4, X_OF_VECTOR = 2, X_OF_SI = 5, X_OF_SF = 4 };
enum { VARIANT_SS, VARIANT_RS, VARIANT_SR, VARIANT_SK, VARIANT_RK };

/* ---------------------------------------------------------------- writing units */

static void put(struct lowering *c, uint32_t unit) {
    uint16_t *place = mote__vec_push(&c->units, c->allocator);
    if (place) *place = (uint16_t)unit;
    else c->failed = true;
}

static void put32(struct lowering *c, uint32_t value) {
    put(c, value & 0xFFFF);
    put(c, value >> 16);
}

static void put64(struct lowering *c, uint64_t value) {
    put32(c, (uint32_t)value);
    put32(c, (uint32_t)(value >> 32));
}

static void set16(struct lowering *c, uint32_t at, uint32_t value) {
    if (!c->failed) c->units.data[at] = (uint16_t)value;
}

static void set32(struct lowering *c, uint32_t at, uint32_t value) {
    set16(c, at, value & 0xFFFF);
    set16(c, at + 1, value >> 16);
}

static uint32_t here(const struct lowering *c) { return (uint32_t)c->units.count; }

/* Begins an instruction and returns its first unit. */
static uint32_t insn(struct lowering *c, uint32_t code) {
    c->last = here(c);
    if (c->watch >= 0 && c->last <= c->watch) c->watch_pos = c->instruction_pos;
    put(c, code);
    return c->last;
}

/* ---------------------------------------------------------------- slots */

static bool is_near(int32_t slot) { return slot == (int16_t)slot; }

static void use_slot(struct lowering *c, int32_t end) {
    if (end > c->max_slot) c->max_slot = end;
}

/* The canonical slot of stack index `i`: after the one below it. */
static int32_t canonical(struct walk *w, uint32_t i) {
    int32_t slot = i ? w->stack[i - 1].slot + (int32_t)mote__vt_slots(w->stack[i - 1].type) : w->c->first_slot;
    use_slot(w->c, slot + 2);
    return slot;
}

/* A slot is about to be written: a register that equalled it no longer does. */
static void forget_slot(struct lowering *c, int32_t slot) {
    if (c->r_slot == slot) c->r_slot = NO_SLOT;
    if (c->f_slot == slot) c->f_slot = NO_SLOT;
}

static void mov(struct lowering *c, int32_t to, int32_t from, valtype type) {
    if (to == from) return;
    bool near = is_near(to) && is_near(from), wide = type == VT_V128;
    insn(c, near ? (wide ? I_mov_v : I_mov) : (wide ? I_mov_v_wide : I_mov_wide));
    if (near) put(c, (uint16_t)to), put(c, (uint16_t)from);
    else put32(c, (uint32_t)to), put32(c, (uint32_t)from);
    forget_slot(c, to);
    if (wide) forget_slot(c, to + 1);
}

static int32_t scratch(struct lowering *c) { return c->scratch + 2 * (int32_t)(c->scratch_next++ % 6); }

/* A slot within reach of 16 bits that holds the same value. */
static int32_t near_slot(struct lowering *c, int32_t slot, valtype type) {
    if (is_near(slot)) return slot;
    int32_t copy = scratch(c);
    mov(c, copy, slot, type);
    return copy;
}

static void put_slot(struct lowering *c, int32_t slot) {
    assert(is_near(slot));
    put(c, (uint16_t)slot);
}

static void constant(struct lowering *c, int32_t to, uint64_t bits) {
    int32_t place = is_near(to) ? to : scratch(c);
    bool small = bits <= UINT32_MAX;
    insn(c, small ? I_const_s : I_const64_s);
    put_slot(c, place);
    if (small) put32(c, (uint32_t)bits);
    else put64(c, bits);
    forget_slot(c, place);
    if (place != to) mov(c, to, place, VT_I64);
}

/* ---------------------------------------------------------------- registers */

static bool is_float(valtype type) { return type == VT_F32 || type == VT_F64; }

/* The integer or float register goes to a slot; the register keeps it. */
static void put_register(struct lowering *c, int32_t to, valtype type) {
    bool near = is_near(to);
    uint32_t code = type == VT_F32 ? (near ? I_put_f : I_put_wide_f) : type == VT_F64 ? (near ? I_put_F : I_put_wide_F) : near ? I_put_r : I_put_wide_r;
    insn(c, code);
    if (near) put_slot(c, to);
    else put32(c, (uint32_t)to);
    forget_slot(c, to);
    *(is_float(type) ? &c->f_slot : &c->r_slot) = to;
}

/* Gives the operand in a register its slot as well, by changing the instruction that made it. */
static void spill(struct walk *w, bool is_f) {
    struct lowering *c = w->c;
    int64_t *entry = is_f ? &c->f_entry : &c->r_entry;
    if (*entry < 0) return;
    struct walk_value *v = &w->stack[*entry];
    uint32_t pos = is_f ? c->f_pos : c->r_pos;
    *entry = -1;
    v->loc = LOC_SLOT;
    if (!is_near(v->slot)) {
        put_register(c, v->slot, v->type);
        return;
    }
    if (!c->failed) c->units.data[pos]++;
    set16(c, pos + 1, (uint16_t)v->slot);
    forget_slot(c, v->slot);
    *(is_f ? &c->f_slot : &c->r_slot) = v->slot;
}

static void forget_registers(struct lowering *c) { c->r_slot = c->f_slot = NO_SLOT; }

/* ---------------------------------------------------------------- pending reads of locals */

static bool is_heap_ref(const struct walk *w, valtype type) {
    return mote__vt_is_ref(type) && mote__heap_top(w->types, mote__vt_heap(type)) != MOTE_HEAP_FUNC;
}

static void unlink_read(struct walk *w, uint32_t i) {
    struct walk_value *v = &w->stack[i];
    w->c->heads.data[v->local] = v->prev;
    if (is_heap_ref(w, v->type)) w->c->pending_refs--;
}

/* Copies a pending read to its own slot; the chain of its local is the caller's to mend. */
static void copy_read(struct walk *w, uint32_t i) {
    struct walk_value *v = &w->stack[i];
    v->loc = LOC_SLOT;
    if (is_heap_ref(w, v->type)) w->c->pending_refs--;
    mov(w->c, v->slot, w->c->local_slots.data[v->local], v->type);
}

/* A local is about to be written: its pending reads take copies. */
static void copy_reads_of(struct walk *w, uint32_t local) {
    uint32_t next = w->c->heads.data[local];
    w->c->heads.data[local] = 0;
    while (next) {
        uint32_t i = next - 1;
        next = w->stack[i].prev;
        copy_read(w, i);
    }
}

/* All pending reads take copies and the registers are spilled. */
static void flush(struct walk *w) {
    struct lowering *c = w->c;
    for (size_t k = 0; k < c->pending.count; k++) {
        uint32_t i = c->pending.data[k];
        if (w->stack[i].loc != LOC_LOCAL) continue;
        c->heads.data[w->stack[i].local] = 0;
        copy_read(w, i);
    }
    c->pending.count = 0;
    spill(w, false);
    spill(w, true);
}

/* Pending reads of heap references take copies, so that a site lists their slots. */
static void flush_refs(struct walk *w) {
    struct lowering *c = w->c;
    for (size_t k = c->pending.count; k-- > 0 && c->pending_refs;) {
        struct walk_value *v = &w->stack[c->pending.data[k]];
        if (v->loc == LOC_LOCAL && is_heap_ref(w, v->type)) copy_reads_of(w, v->local);
    }
}

/* Operands from index `floor` on are gone: nothing refers to them. */
static void truncate(struct walk *w, uint32_t floor) {
    struct lowering *c = w->c;
    while (c->pending.count && *mote__vec_last(&c->pending) >= floor) {
        uint32_t i = *mote__vec_last(&c->pending);
        if (w->stack[i].loc == LOC_LOCAL) unlink_read(w, i);
        c->pending.count--;
    }
    if (c->r_entry >= floor) c->r_entry = -1;
    if (c->f_entry >= floor) c->f_entry = -1;
    if (c->noded > floor) c->noded = floor;
}

/* ---------------------------------------------------------------- operands */

enum operand_kind { AT_SLOT, AT_REGISTER, AT_CONST };
enum want { WANT_SLOT = 0, WANT_R = 1, WANT_F = 2, WANT_CONST = 4 };

struct operand {
    uint8_t kind;
    int32_t slot;
    uint64_t bits;
    valtype type;
};

/* Puts an operand, still on the stack, into its canonical slot. */
static void settle(struct walk *w, uint32_t i) {
    struct walk_value *v = &w->stack[i];
    switch ((enum location)v->loc) {
    case LOC_SLOT: break;
    case LOC_LOCAL: copy_reads_of(w, v->local); break;
    case LOC_CONST:
        constant(w->c, v->slot, v->bits);
        v->loc = LOC_SLOT;
        break;
    case LOC_R: spill(w, false); break;
    case LOC_F: spill(w, true); break;
    }
}

/* Takes operand `i` (counted from the bottom) off the lowering's books; says where it is, as far as `want` allows: a slot is always allowed.
 * Operands must be taken from the top down. */
static struct operand take(struct walk *w, uint32_t i, unsigned want) {
    struct lowering *c = w->c;
    struct walk_value *v = &w->stack[i];
    struct operand o = {.kind = AT_SLOT, .slot = v->slot, .type = v->type};
    if (c->noded > i) c->noded = i;
    if (c->pending.count && *mote__vec_last(&c->pending) == i) c->pending.count--;
    switch ((enum location)v->loc) {
    case LOC_LOCAL:
        unlink_read(w, i);
        o.slot = c->local_slots.data[v->local];
        break;
    case LOC_CONST:
        if (want & WANT_CONST) {
            o.kind = AT_CONST;
            o.bits = v->bits;
            return o;
        }
        settle(w, i);
        break;
    case LOC_R:
        if (want & WANT_R) {
            c->r_entry = -1;
            o.kind = AT_REGISTER;
            return o;
        }
        spill(w, false);
        break;
    case LOC_F:
        if (want & WANT_F) {
            c->f_entry = -1;
            o.kind = AT_REGISTER;
            return o;
        }
        spill(w, true);
        break;
    case LOC_SLOT: break;
    }
    if ((want & WANT_R && o.slot == c->r_slot) || (want & WANT_F && o.slot == c->f_slot)) o.kind = AT_REGISTER;
    else o.slot = near_slot(c, o.slot, o.type);
    return o;
}

/* Turns an operand that is no slot into one: constants are written to `place`, its canonical slot; a register that equals a slot is that slot. */
static void force_slot(struct walk *w, struct operand *o, int32_t place) {
    if (o->kind == AT_CONST) {
        constant(w->c, place, o->bits);
        o->slot = near_slot(w->c, place, o->type);
    }
    o->kind = AT_SLOT;
}

static int32_t take_slot(struct walk *w, uint32_t i) { return take(w, i, WANT_SLOT).slot; }

/* The result of the instruction that begins at `pos` is operand `i`, in the register so far. */
static void result_in_register(struct walk *w, uint32_t i, uint32_t pos, bool is_f) {
    struct lowering *c = w->c;
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->loc = is_f ? LOC_F : LOC_R;
    if (is_f) c->f_entry = i, c->f_pos = pos, c->f_slot = NO_SLOT;
    else c->r_entry = i, c->r_pos = pos, c->r_slot = NO_SLOT;
}

/* A register is about to change: what is only there goes to its slot. */
static void clobber(struct walk *w, bool is_f) {
    spill(w, is_f);
    *(is_f ? &w->c->f_slot : &w->c->r_slot) = NO_SLOT;
}

/* Where an instruction without register forms writes result `i`. Call result_in_slot after the instruction. */
static int32_t result_slot(struct walk *w, uint32_t i) {
    int32_t slot = canonical(w, i);
    return is_near(slot) ? slot : scratch(w->c);
}

static void result_in_slot(struct walk *w, uint32_t i, int32_t written, valtype type) {
    struct walk_value *v = &w->stack[i];
    v->slot = canonical(w, i);
    v->loc = LOC_SLOT;
    forget_slot(w->c, written);
    if (type == VT_V128) forget_slot(w->c, written + 1);
    if (written != v->slot) mov(w->c, v->slot, written, type);
}

/* ---------------------------------------------------------------- fuel */

/* A straight-line segment ends: its cost is known. */
static void end_segment(struct lowering *c) {
    if (c->fuel_at != NO_POS) set32(c, c->fuel_at + 1, c->fuel_cost);
    c->fuel_at = NO_POS;
}

/* Begins an instruction of the language. Each costs 1; the segment's fuel instruction stands at its start. */
static void begin(struct walk *w) {
    struct lowering *c = w->c;
    c->instruction_pos = w->op_pos;
    if (!c->fuel) return;
    if (c->fuel_at == NO_POS) {
        c->fuel_at = insn(c, I_fuel);
        put32(c, 0);
        c->fuel_cost = 0;
    }
    c->fuel_cost++;
}

/* ---------------------------------------------------------------- labels and branches */

static void add_fixup(struct lowering *c, uint32_t *list, uint32_t at, uint32_t origin, bool is_clause) {
    struct fixup *f = mote__vec_push(&c->fixups, c->allocator);
    if (!f) {
        c->failed = true;
        return;
    }
    *f = (struct fixup){.at = at, .origin = origin, .next = *list, .is_clause = is_clause};
    *list = (uint32_t)c->fixups.count;
}

static void bind_at(struct lowering *c, uint32_t list, uint32_t target) {
    for (; list; list = c->fixups.data[list - 1].next) {
        struct fixup f = c->fixups.data[list - 1];
        if (f.is_clause) c->clauses.data[f.at].clause.target = target;
        else set32(c, f.at, target - f.origin);
    }
}

/* Branches on the list come here: nothing is known about the registers any more. */
static void bind(struct lowering *c, uint32_t *list) {
    if (!*list) return;
    end_segment(c);
    c->last = NO_POS;
    bind_at(c, *list, here(c));
    *list = 0;
    forget_registers(c);
}

/* Writes the distance of the branch that began at `origin` to a frame's label. */
static void put_target(struct lowering *c, struct walk_frame *f, uint32_t origin) {
    uint32_t at = here(c);
    put32(c, 0);
    if (f->op == OP_loop) set32(c, at, f->start - origin);
    else add_fixup(c, &f->fixups, at, origin, false);
}

/* Copies the `count` values on top of the stack to the slots where a label expects them, leaving the stack as it is. Ascending: a label's slots are never
 * above the values'. */
static void move_to_label(struct walk *w, const struct walk_frame *f, uint32_t count) {
    struct lowering *c = w->c;
    int32_t to = f->base;
    for (uint32_t i = w->count - count; i < w->count; i++) {
        struct walk_value *v = &w->stack[i];
        switch ((enum location)v->loc) {
        case LOC_SLOT: mov(c, to, v->slot, v->type); break;
        case LOC_LOCAL: mov(c, to, c->local_slots.data[v->local], v->type); break;
        case LOC_CONST: constant(c, to, v->bits); break;
        case LOC_R:
        case LOC_F:
            if (to == v->slot) settle(w, i);
            else put_register(c, to, v->type);
            break;
        }
        to += (int32_t)mote__vt_slots(v->type);
        use_slot(c, to);
    }
}

static void settle_values(struct walk *w, uint32_t count) {
    for (uint32_t i = w->count - count; i < w->count; i++) settle(w, i);
}

/* Returns the `count` values on top of the stack to the caller. */
static void emit_return(struct walk *w, uint32_t count) {
    struct lowering *c = w->c;
    uint32_t params = w->func_type ? w->func_type->param_slots : 0;
    const struct walk_value *v = count ? &w->stack[w->count - 1] : NULL;
    end_segment(c);
    if (!count) {
        insn(c, I_ret);
    } else if (count == 1 && v->loc == LOC_R) {
        insn(c, I_ret_r);
        put(c, params);
    } else if (count == 1 && v->loc == LOC_F) {
        insn(c, v->type == VT_F32 ? I_ret_f : I_ret_F);
        put(c, params);
    } else if (count == 1 && v->type != VT_V128) {
        if (v->loc == LOC_CONST) settle(w, w->count - 1);
        int32_t slot = near_slot(c, v->loc == LOC_LOCAL ? c->local_slots.data[v->local] : v->slot, v->type);
        insn(c, I_ret_s);
        put(c, params);
        put_slot(c, slot);
    } else {
        settle_values(w, count);
        uint32_t slots = (uint32_t)(canonical(w, w->count) - w->stack[w->count - count].slot);
        insn(c, I_ret_n);
        put(c, params);
        put32(c, (uint32_t)w->stack[w->count - count].slot);
        put32(c, slots);
    }
}

static bool is_body(const struct walk *w, const struct walk_frame *f) { return f == w->frames; }

/* Moves the values and goes to the label. */
static void emit_br(struct walk *w, struct walk_frame *f) {
    uint32_t count = walk_label_count(f);
    if (is_body(w, f)) {
        emit_return(w, count);
        return;
    }
    move_to_label(w, f, count);
    end_segment(w->c);
    uint32_t origin = insn(w->c, I_br);
    put_target(w->c, f, origin);
}

/* The inverse of each integer comparison, in the order of ops.def: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u. */
static const uint8_t inverse_of[10] = {1, 0, 8, 9, 6, 7, 4, 5, 2, 3};

static bool is_int_compare(unsigned op) { return (op >= OP_i32_eq && op <= OP_i32_ge_u) || (op >= OP_i64_eq && op <= OP_i64_ge_u); }
static bool is_float_compare(unsigned op) { return op >= OP_f32_eq && op <= OP_f64_ge; }

static uint32_t inverse_compare(uint32_t op) {
    uint32_t first = op >= OP_i64_eq ? OP_i64_eq : OP_i32_eq;
    return first + inverse_of[op - first];
}

/* The branch that swallows a comparison, its form `ss`. */
static uint32_t branch_of_compare(uint32_t op, bool negated) {
    if (op >= OP_f64_eq) return I_br_f64_eq_ss + 10 * (op - OP_f64_eq) + 5 * negated;
    if (op >= OP_f32_eq) return I_br_f32_eq_ss + 10 * (op - OP_f32_eq) + 5 * negated;
    if (negated) op = inverse_compare(op);
    return op >= OP_i64_eq ? I_br_i64_eq_ss + 5 * (op - OP_i64_eq) : I_br_i32_eq_ss + 5 * (op - OP_i32_eq);
}

/* A condition that was taken off the stack. */
struct condition {
    struct operand value;
    bool fused; /* the comparison before it is to be swallowed */
};

static struct condition take_condition(struct walk *w, uint32_t i) {
    struct lowering *c = w->c;
    bool in_r = w->stack[i].loc == LOC_R;
    struct condition cond = {.fused = in_r && c->cmp.last == c->last && c->r_pos == c->last && c->last != NO_POS};
    cond.value = take(w, i, WANT_R);
    return cond;
}

/* Begins the branch that is taken when the condition holds (or, `negated`, does not); its distance is to follow. Returns its first unit. */
static uint32_t begin_branch(struct lowering *c, struct condition *cond, bool negated) {
    end_segment(c);
    if (cond->fused && c->cmp.last == c->last) {
        struct comparison cmp = c->cmp;
        c->units.count = c->failed ? c->units.count : cmp.pos;
        negated ^= cmp.negated;
        bool eqz = cmp.op == OP_i32_eqz || cmp.op == OP_i64_eqz;
        uint32_t code = eqz ? (negated ? I_br_if_s : I_br_unless_s) : branch_of_compare(cmp.op, negated);
        uint32_t pos = insn(c, code + cmp.variant);
        for (uint32_t k = 0; k < cmp.unit_count; k++) put(c, cmp.units[k]);
        c->r_slot = NO_SLOT; /* the comparison never ran */
        c->cmp.last = NO_POS;
        return pos;
    }
    bool in_r = cond->value.kind == AT_REGISTER;
    uint32_t pos = insn(c, negated ? (in_r ? I_br_unless_r : I_br_unless_s) : (in_r ? I_br_if_r : I_br_if_s));
    if (!in_r) put_slot(c, cond->value.slot);
    return pos;
}

/* Goes to the label with its values when the condition holds; else falls through with the stack as it was. */
static void emit_br_if(struct walk *w, struct walk_frame *f, struct condition *cond, bool negated) {
    struct lowering *c = w->c;
    uint32_t count = walk_label_count(f);
    settle_values(w, count);
    bool in_place = !count || w->stack[w->count - count].slot == f->base;
    if (in_place && !is_body(w, f)) {
        uint32_t origin = begin_branch(c, cond, negated);
        put_target(c, f, origin);
        return;
    }
    uint32_t skip = 0, origin = begin_branch(c, cond, !negated), at = here(c);
    put32(c, 0);
    add_fixup(c, &skip, at, origin, false);
    int32_t r_slot = c->r_slot, f_slot = c->f_slot;
    emit_br(w, f);
    bind(c, &skip);
    c->r_slot = r_slot; /* the code around changed neither register */
    c->f_slot = f_slot;
}

static void on_br(struct walk *w, struct walk_frame *f) {
    begin(w);
    emit_br(w, f);
    truncate(w, w->floor);
}

static void on_return(struct walk *w) {
    begin(w);
    emit_return(w, walk_label_count(&w->frames[0]));
    truncate(w, w->floor);
}

static void on_br_if(struct walk *w, struct walk_frame *f) {
    begin(w);
    struct condition cond = take_condition(w, w->count);
    emit_br_if(w, f, &cond, false);
}

/* One entry of a br_table: straight to the label if its values are in place, else to moves that each label has once. */
static void table_entry(struct walk *w, struct walk_frame *f, uint32_t at, uint32_t origin) {
    struct lowering *c = w->c;
    uint32_t count = walk_label_count(f);
    bool in_place = !count || w->stack[w->count - count].slot == f->base;
    if (in_place && !is_body(w, f)) {
        if (f->op == OP_loop) set32(c, at, f->start - origin);
        else add_fixup(c, &f->fixups, at, origin, false);
        return;
    }
    if (f->stub_stamp != c->stamp) {
        f->stub_stamp = c->stamp;
        f->stub = here(c);
        emit_br(w, f);
    }
    set32(c, at, f->stub - origin);
}

static void on_br_table(struct walk *w, const uint32_t *labels, uint32_t count) {
    struct lowering *c = w->c;
    begin(w);
    uint32_t values = walk_label_count(&w->frames[w->depth - 1 - labels[count - 1]]);
    struct operand index = take(w, w->count, WANT_R);
    /* the values lie below the index */
    settle_values(w, values);
    end_segment(c);
    uint32_t origin = insn(c, index.kind == AT_REGISTER ? I_br_table_r : I_br_table_s);
    if (index.kind == AT_SLOT) put_slot(c, index.slot);
    put32(c, count - 1);
    uint32_t first = here(c);
    for (uint32_t i = 0; i < count; i++) put32(c, 0);
    c->stamp++;
    for (uint32_t i = 0; i < count && !c->failed; i++)
        table_entry(w, &w->frames[w->depth - 1 - labels[i]], first + 2 * i, origin);
    truncate(w, w->floor);
}

static void on_unreachable(struct walk *w) {
    begin(w);
    end_segment(w->c);
    insn(w->c, I_unreachable);
    truncate(w, w->floor);
}

/* ---------------------------------------------------------------- sites */

/* Lists the reference slots among the operands below index `limit`, as a chain that later sites share. */
static uint32_t ref_nodes(struct walk *w, uint32_t limit) {
    struct lowering *c = w->c;
    for (uint32_t i = c->noded; i < limit; i++) {
        struct walk_value *v = &w->stack[i];
        v->node = i ? w->stack[i - 1].node : 0;
        if (v->loc != LOC_SLOT || !is_heap_ref(w, v->type)) continue;
        if (!c->nodes.count && !mote__vec_push(&c->nodes, c->allocator)) c->failed = true;
        struct mote__refnode *node = c->failed ? NULL : mote__vec_push(&c->nodes, c->allocator);
        if (!node) {
            c->failed = true;
            return 0;
        }
        *node = (struct mote__refnode){.slot = v->slot, .next = v->node};
        v->node = (uint32_t)c->nodes.count - 1;
    }
    if (c->noded < limit) c->noded = limit;
    return limit ? w->stack[limit - 1].node : 0;
}

/* Ends an instruction at which objects may move or frames be walked: its distance, and the references among the first `limit` operands. */
static void site(struct walk *w, uint32_t limit) {
    struct lowering *c = w->c;
    uint32_t offset = here(c) + 2;
    put32(c, offset);
    uint32_t node = ref_nodes(w, limit);
    if (!node) return;
    struct mote__site *s = mote__vec_push(&c->sites, c->allocator);
    if (s) *s = (struct mote__site){.offset = offset, .node = node};
    else c->failed = true;
}

/* ---------------------------------------------------------------- blocks */

static void open_handler(struct walk *w, struct walk_frame *f) {
    struct lowering *c = w->c;
    struct mote__handler *h = mote__vec_push(&c->handlers, c->allocator);
    if (!h) {
        c->failed = true;
        return;
    }
    *h = (struct mote__handler){.start = here(c), .parent = c->handler};
    f->handler = c->handler = (int32_t)c->handlers.count - 1;
}

static void close_handler(struct walk *w, struct walk_frame *f) {
    struct lowering *c = w->c;
    if (c->failed || f->handler < 0) return;
    struct mote__handler *h = &c->handlers.data[f->handler];
    h->end = here(c);
    c->handler = f->inner = h->parent;
}

static struct mote__clause *add_clause(struct walk *w, int32_t handler) {
    struct pending_clause *p = mote__vec_push(&w->c->clauses, w->c->allocator);
    if (!p) {
        w->c->failed = true;
        return NULL;
    }
    p->handler = (uint32_t)handler;
    return &p->clause;
}

/* The clauses of a try_table: labels count from outside it. */
static void add_try_table_clauses(struct walk *w, const struct walk_frame *f) {
    for (size_t i = 0; i < w->catches.count; i++) {
        const struct walk_catch *k = &w->catches.data[i];
        struct walk_frame *target = &w->frames[w->depth - 2 - k->label];
        struct mote__clause *clause = add_clause(w, f->handler);
        if (!clause) return;
        *clause = (struct mote__clause){.tag = k->kind < 2 ? k->tag : UINT32_MAX, .with_ref = k->kind & 1, .slot = target->base, .target = target->start};
        use_slot(w->c, target->base + (int32_t)(k->kind < 2 ? w->module->tags[k->tag]->param_slots : 0) + 1);
        if (target->op != OP_loop) add_fixup(w->c, &target->fixups, (uint32_t)w->c->clauses.count - 1, 0, true);
    }
}

static void on_block(struct walk *w, struct walk_frame *f) {
    struct lowering *c = w->c;
    struct condition cond = {0};
    begin(w);
    if (f->op == OP_if) cond = take_condition(w, w->count);
    flush(w);
    settle_values(w, walk_param_count(&f->type));
    f->base = canonical(w, f->height);
    f->handler = -1;
    if (f->op == OP_if) {
        uint32_t origin = begin_branch(c, &cond, true), at = here(c);
        put32(c, 0);
        add_fixup(c, &f->else_fixup, at, origin, false);
    } else if (f->op == OP_loop) {
        end_segment(c);
        f->start = here(c);
        c->last = NO_POS;
        forget_registers(c);
    } else if (f->op == OP_try || f->op == OP_try_table) {
        end_segment(c);
        open_handler(w, f);
        if (f->op == OP_try_table) add_try_table_clauses(w, f);
    }
    f->inner = c->handler;
}

/* The values of a label, from its first slot: described anew after a join. */
static void describe_label(struct walk *w, const struct walk_frame *f, uint32_t index, bool params) {
    int32_t slot = f->base;
    uint32_t count = params ? walk_param_count(&f->type) : walk_result_count(&f->type);
    if (!walk_reserve(w, count + 8)) return;
    for (uint32_t i = 0; i < count; i++) {
        struct walk_value *v = &w->stack[index + i];
        v->type = params ? mote__type_param(f->type.type, i) : walk_result(&f->type, i);
        v->loc = LOC_SLOT;
        v->slot = slot;
        slot += (int32_t)mote__vt_slots(v->type);
    }
    use_slot(w->c, slot + 2);
}

/* The frame's current code ends: its results go to the label's slots, and the operands above the label are forgotten. */
static void finish_arm(struct walk *w, struct walk_frame *f, bool go_on) {
    struct lowering *c = w->c;
    if (w->ended_live) {
        move_to_label(w, f, walk_result_count(&f->type));
        if (go_on) {
            end_segment(c);
            uint32_t origin = insn(c, I_br);
            put_target(c, f, origin);
        }
    }
    truncate(w, f->height);
    end_segment(c);
    c->last = NO_POS;
}

static void on_else(struct walk *w, struct walk_frame *f) {
    finish_arm(w, f, true);
    bind(w->c, &f->else_fixup);
    forget_registers(w->c);
    describe_label(w, f, f->height, true);
}

/* The body itself ends: falls off its end, or a branch or handler came to its label with the values in its slots. */
static void end_body(struct walk *w, struct walk_frame *f) {
    if (w->ended_live) emit_return(w, walk_result_count(&f->type));
    truncate(w, 0);
    if (!f->fixups) return;
    bind(w->c, &f->fixups);
    describe_label(w, f, 0, false);
    w->count = walk_result_count(&f->type);
    emit_return(w, w->count);
}

static void on_end(struct walk *w, struct walk_frame *f) {
    struct lowering *c = w->c;
    if (is_body(w, f)) {
        end_body(w, f);
        return;
    }
    finish_arm(w, f, false);
    if (f->op == OP_try_table || f->op == OP_try) close_handler(w, f);
    bind(c, &f->else_fixup); /* of an if without else: parameters are results */
    bind(c, &f->fixups);
    uint32_t index = f->height - (f->op == OP_catch || f->op == OP_catch_all);
    if (c->noded > index) c->noded = index;
    describe_label(w, f, index, false);
}

static void on_catch(struct walk *w, struct walk_frame *f, uint32_t tag) {
    (void)tag;
    finish_arm(w, f, true);
    if (f->op == OP_try) close_handler(w, f);
}

/* The values that a legacy catch finds: the hidden exnref at the label's first slot, the tag's values above it. */
static void on_catch_begin(struct walk *w, struct walk_frame *f, uint32_t tag) {
    struct lowering *c = w->c;
    forget_registers(c);
    if (c->noded > f->height - 1) c->noded = f->height - 1;
    int32_t slot = f->base;
    for (uint32_t i = f->height - 1; i < w->count; i++) {
        w->stack[i].loc = LOC_SLOT;
        w->stack[i].slot = slot;
        slot += (int32_t)mote__vt_slots(w->stack[i].type);
    }
    use_slot(c, slot + 2);
    struct mote__clause *clause = add_clause(w, f->handler);
    if (clause) *clause = (struct mote__clause){.tag = tag, .with_ref = true, .ref_first = true, .slot = f->base, .target = here(c)};
}

static void on_delegate(struct walk *w, struct walk_frame *f, uint32_t depth) {
    finish_arm(w, f, false);
    close_handler(w, f);
    if (!w->c->failed) w->c->handlers.data[f->handler].parent = w->frames[w->depth - 2 - depth].inner;
    bind(w->c, &f->fixups);
    describe_label(w, f, f->height, false);
}

static void on_throw(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    begin(w);
    end_segment(c);
    if (op == OP_throw) {
        uint32_t count = w->imm.type->param_count;
        w->count += count;
        settle_values(w, count);
        flush_refs(w);
        spill(w, false), spill(w, true);
        int32_t first = canonical(w, w->count - count);
        insn(c, I_throw_);
        put32(c, (uint32_t)first);
        put32(c, w->imm.a);
        site(w, w->count);
    } else {
        int32_t slot = op == OP_rethrow ? near_slot(c, w->stack[w->imm.a].slot, VT_EXNREF) : take_slot(w, w->count);
        insn(c, I_throw_ref);
        put_slot(c, slot);
        site(w, w->count);
    }
    truncate(w, w->floor);
}

/* ---------------------------------------------------------------- branches on references */

static void on_br_on(struct walk *w, enum mote__op op, struct walk_frame *f) {
    struct lowering *c = w->c;
    begin(w);
    uint32_t at = w->count;
    bool to_label = op != OP_br_on_null; /* the label takes the reference too, as its last value */
    bool cast = op == OP_br_on_cast || op == OP_br_on_cast_fail;
    settle(w, at);
    int32_t slot = near_slot(c, w->stack[at].slot, w->stack[at].type);
    struct condition cond = {.value = {.kind = AT_SLOT, .slot = slot}};
    if (cast) {
        clobber(w, false);
        int32_t answer = canonical(w, at + 1);
        if (!is_near(answer)) answer = scratch(c);
        insn(c, I_ref_test);
        put_slot(c, answer);
        put_slot(c, slot);
        put32(c, w->imm.to);
        forget_slot(c, answer);
        cond.value.slot = answer;
    }
    if (to_label) w->count++;
    emit_br_if(w, f, &cond, op == OP_br_on_null || op == OP_br_on_cast_fail);
    w->count = at;
    if (op == OP_br_on_non_null) truncate(w, at); /* a null is dropped */
}

/* ---------------------------------------------------------------- computing */

static bool fits_k(valtype type, uint64_t bits) { return type != VT_I64 || bits == (uint64_t)(int64_t)(int32_t)bits; }

static void put_k(struct lowering *c, valtype type, uint64_t bits) {
    if (type == VT_F64) put64(c, bits);
    else put32(c, (uint32_t)bits);
}

/* The op with its operands exchanged, or OP_INVALID: a constant wants to be on the right. */
static enum mote__op swapped(enum mote__op op) {
    switch (op) {
    case OP_i32_add: case OP_i32_mul: case OP_i32_and: case OP_i32_or: case OP_i32_xor: case OP_i32_eq: case OP_i32_ne:
    case OP_i64_add: case OP_i64_mul: case OP_i64_and: case OP_i64_or: case OP_i64_xor: case OP_i64_eq: case OP_i64_ne: return op;
    case OP_i32_lt_s: return OP_i32_gt_s;
    case OP_i32_lt_u: return OP_i32_gt_u;
    case OP_i32_gt_s: return OP_i32_lt_s;
    case OP_i32_gt_u: return OP_i32_lt_u;
    case OP_i32_le_s: return OP_i32_ge_s;
    case OP_i32_le_u: return OP_i32_ge_u;
    case OP_i32_ge_s: return OP_i32_le_s;
    case OP_i32_ge_u: return OP_i32_le_u;
    case OP_i64_lt_s: return OP_i64_gt_s;
    case OP_i64_lt_u: return OP_i64_gt_u;
    case OP_i64_gt_s: return OP_i64_lt_s;
    case OP_i64_gt_u: return OP_i64_lt_u;
    case OP_i64_le_s: return OP_i64_ge_s;
    case OP_i64_le_u: return OP_i64_ge_u;
    case OP_i64_ge_s: return OP_i64_le_s;
    case OP_i64_ge_u: return OP_i64_le_u;
    default: return OP_INVALID;
    }
}

/* Takes the two operands of a binary instruction in one of its five forms; returns the form. */
static uint32_t take_pair(struct walk *w, enum mote__op *op, struct operand *a, struct operand *b, unsigned want) {
    uint32_t i = w->count;
    *b = take(w, i + 1, want | WANT_CONST);
    *a = take(w, i, want | WANT_CONST);
    if (a->kind == AT_CONST && b->kind != AT_CONST && swapped(*op) != OP_INVALID) {
        struct operand t = *a;
        *a = *b;
        *b = t;
        *op = swapped(*op);
    }
    if (b->kind == AT_CONST && !fits_k(b->type, b->bits)) force_slot(w, b, w->stack[i + 1].slot);
    if (a->kind == AT_CONST) force_slot(w, a, w->stack[i].slot);
    if (a->kind == AT_REGISTER && b->kind == AT_REGISTER) {
        b->kind = AT_SLOT; /* both equal the register: one of them equals a slot too */
        b->slot = near_slot(w->c, want & WANT_F ? w->c->f_slot : w->c->r_slot, b->type);
    }
    if (b->kind == AT_CONST) return a->kind == AT_REGISTER ? VARIANT_RK : VARIANT_SK;
    if (b->kind == AT_REGISTER) return VARIANT_SR;
    return a->kind == AT_REGISTER ? VARIANT_RS : VARIANT_SS;
}

static void put_pair(struct lowering *c, const struct operand *a, const struct operand *b) {
    if (a->kind == AT_SLOT) put_slot(c, a->slot);
    if (b->kind == AT_SLOT) put_slot(c, b->slot);
    if (b->kind == AT_CONST) put_k(c, b->type, b->bits);
}

static void remember_compare(struct lowering *c, uint32_t pos, enum mote__op op, uint32_t variant) {
    if (c->failed) return;
    c->cmp = (struct comparison){.pos = pos, .last = pos, .op = (uint16_t)op, .variant = (uint8_t)variant, .unit_count = (uint8_t)(here(c) - pos - 2)};
    memcpy(c->cmp.units, &c->units.data[pos + 2], c->cmp.unit_count * sizeof(uint16_t));
}

static void emit_binary(struct walk *w, enum mote__op op, bool in_f, bool out_f) {
    struct lowering *c = w->c;
    struct operand a, b;
    uint32_t variant = take_pair(w, &op, &a, &b, in_f ? WANT_F : WANT_R);
    clobber(w, out_f);
    uint32_t pos = insn(c, insn_of_op[op].base + 2 * variant);
    put(c, 0);
    put_pair(c, &a, &b);
    result_in_register(w, w->count, pos, out_f);
    if (is_int_compare(op) || is_float_compare(op)) remember_compare(c, pos, op, variant);
}

static void emit_unary(struct walk *w, enum mote__op op, bool in_f, bool out_f) {
    struct lowering *c = w->c;
    struct operand a = take(w, w->count, in_f ? WANT_F : WANT_R);
    clobber(w, out_f);
    uint32_t pos = insn(c, insn_of_op[op].base + 2 * (a.kind == AT_REGISTER));
    put(c, 0);
    if (a.kind == AT_SLOT) put_slot(c, a.slot);
    result_in_register(w, w->count, pos, out_f);
    if (op == OP_i32_eqz || op == OP_i64_eqz) remember_compare(c, pos, op, a.kind == AT_REGISTER);
}

/* i32.eqz of a comparison: turns an integer comparison around; remembers it for a branch after a float one. True when nothing is left to do. */
static bool emit_eqz_of_compare(struct walk *w) {
    struct lowering *c = w->c;
    const struct walk_value *v = &w->stack[w->count];
    if (v->loc != LOC_R || c->last == NO_POS || c->cmp.last != c->last || c->r_pos != c->last || c->failed) return false;
    if (is_int_compare(c->cmp.op)) {
        c->cmp.op = (uint16_t)inverse_compare(c->cmp.op);
        c->units.data[c->cmp.pos] = (uint16_t)(insn_of_op[c->cmp.op].base + 2 * c->cmp.variant);
        return true;
    }
    struct comparison cmp = c->cmp;
    emit_unary(w, OP_i32_eqz, false, false);
    cmp.negated = !cmp.negated;
    cmp.last = c->last;
    c->cmp = cmp;
    return true;
}

/* The canonical-NaN option: after the instruction, whose result is settled. */
static void canonicalise(struct walk *w, enum mote__op op, uint32_t i, char out) {
    struct lowering *c = w->c;
    if (!c->canonical_nans) return;
    const char *text = mote__op_info[op].text;
    bool f4 = out == 'v' && !strncmp(text, "f32x4", 5), F2 = out == 'v' && !strncmp(text, "f64x2", 5);
    if (out != 'f' && out != 'F' && !f4 && !F2) return;
    if (op == OP_f32_load || op == OP_f64_load || strstr(text, "neg") || strstr(text, "abs") || strstr(text, "copysign") || strstr(text, "reinterpret") ||
        strstr(text, "lane") || strstr(text, "splat"))
        return; /* these only move bits */
    settle(w, i);
    int32_t slot = near_slot(c, w->stack[i].slot, w->stack[i].type);
    insn(c, f4 ? I_canon_f4 : F2 ? I_canon_F2 : out == 'f' ? I_canon_f : I_canon_F);
    put_slot(c, slot);
    forget_slot(c, w->stack[i].slot);
    if (slot != w->stack[i].slot) mov(c, w->stack[i].slot, slot, w->stack[i].type);
}

/* Slots only: vectors, lanes, 128-bit integers. */
static void emit_generic(struct walk *w, enum mote__op op, uint32_t n_in, char out) {
    struct lowering *c = w->c;
    int32_t from[4];
    for (uint32_t i = n_in; i-- > 0;) from[i] = take_slot(w, w->count + i);
    if (out == 'i' || out == 'I') clobber(w, false);
    if (out == 'f' || out == 'F') clobber(w, true);
    bool wide = insn_of_op[op].cls == CLASS_WIDE;
    uint32_t i = w->count;
    int32_t to = wide ? canonical(w, i) : result_slot(w, i);
    if (!is_near(to)) to = scratch(c);
    insn(c, insn_of_op[op].base);
    put_slot(c, to);
    for (uint32_t k = 0; k < n_in; k++) put_slot(c, from[k]);
    if (mote__op_info[op].kind == KIND_LANE) put(c, w->imm.b);
    if (mote__op_info[op].kind == KIND_SHUFFLE)
        for (int k = 0; k < 16; k += 2) put(c, w->imm.bytes[k] | (uint32_t)w->imm.bytes[k + 1] << 8);
    if (wide) {
        use_slot(c, to + 4);
        w->stack[i].type = VT_I64;
        result_in_slot(w, i, to, VT_I64);
        result_in_slot(w, i + 1, to + 1, VT_I64);
        return;
    }
    result_in_slot(w, i, to, walk_letter(out));
}

static void on_plain(struct walk *w, enum mote__op op, uint32_t n_in) {
    begin(w);
    char out = mote__op_info[op].sig[walk_sig_in(mote__op_info[op].sig) + 1];
    switch ((enum insn_class)insn_of_op[op].cls) {
    case CLASS_IB: emit_binary(w, op, false, false); break;
    case CLASS_IU:
        if (op == OP_i32_eqz && emit_eqz_of_compare(w)) break;
        emit_unary(w, op, false, false);
        break;
    case CLASS_FB: emit_binary(w, op, true, true); break;
    case CLASS_FC: emit_binary(w, op, true, false); break;
    case CLASS_FU: emit_unary(w, op, true, true); break;
    case CLASS_FI: emit_unary(w, op, true, false); break;
    case CLASS_IF: emit_unary(w, op, false, true); break;
    default: emit_generic(w, op, n_in, out); break;
    }
    w->stack[w->count].type = walk_letter(out);
    canonicalise(w, op, w->count, out);
}

/* ---------------------------------------------------------------- memory */

/* Memory index and offset of the form for any memory. */
static void put_memory(struct walk *w) {
    put(w->c, w->imm.a);
    put64(w->c, w->imm.x);
}

static void emit_load(struct walk *w, enum mote__op op, char out) {
    struct lowering *c = w->c;
    bool is_f = out == 'f' || out == 'F', vector = out == 'v';
    struct operand address = take(w, w->count, WANT_R);
    if (!vector) clobber(w, is_f);
    int32_t to = vector ? result_slot(w, w->count) : 0;
    bool in_r = address.kind == AT_REGISTER;
    uint32_t pos = insn(c, insn_of_op[op].base + (vector ? in_r : 2 * in_r));
    put(c, (uint16_t)to);
    if (!in_r) put_slot(c, address.slot);
    put32(c, (uint32_t)w->imm.x);
    if (vector) result_in_slot(w, w->count, to, VT_V128);
    else result_in_register(w, w->count, pos, is_f);
}

static void emit_store_int(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    struct operand value = take(w, w->count + 1, WANT_R | WANT_CONST), address = take(w, w->count, WANT_R);
    if (value.kind == AT_CONST && !fits_k(value.type, value.bits)) force_slot(w, &value, w->stack[w->count + 1].slot);
    if (address.kind == AT_REGISTER && value.kind == AT_REGISTER) {
        value.kind = AT_SLOT;
        value.slot = near_slot(c, c->r_slot, value.type);
    }
    bool in_r = address.kind == AT_REGISTER;
    uint32_t variant = value.kind == AT_CONST ? (in_r ? VARIANT_RK : VARIANT_SK) : value.kind == AT_REGISTER ? VARIANT_SR : in_r ? VARIANT_RS : VARIANT_SS;
    insn(c, insn_of_op[op].base + variant);
    if (!in_r) put_slot(c, address.slot);
    if (value.kind == AT_SLOT) put_slot(c, value.slot);
    put32(c, (uint32_t)w->imm.x);
    if (value.kind == AT_CONST) put32(c, (uint32_t)value.bits);
}

static void emit_store_float(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    struct operand value = take(w, w->count + 1, WANT_F), address = take(w, w->count, WANT_R);
    bool address_r = address.kind == AT_REGISTER, value_r = value.kind == AT_REGISTER;
    insn(c, insn_of_op[op].base + value_r + 2u * address_r); /* ss sr rs rr */
    if (!address_r) put_slot(c, address.slot);
    if (!value_r) put_slot(c, value.slot);
    put32(c, (uint32_t)w->imm.x);
}

static void emit_store_vector(struct walk *w, enum mote__op op) {
    struct lowering *c = w->c;
    int32_t value = take_slot(w, w->count + 1);
    struct operand address = take(w, w->count, WANT_R);
    insn(c, insn_of_op[op].base + (address.kind == AT_REGISTER));
    if (address.kind == AT_SLOT) put_slot(c, address.slot);
    put_slot(c, value);
    put32(c, (uint32_t)w->imm.x);
}

/* The forms for any memory, lanes and atomics: to (if it makes a value), address, memory, offset, then the other operands; plain stores have
 * their value before the memory. */
static void emit_any_memory(struct walk *w, enum mote__op op, uint32_t code, uint32_t n_in, char out) {
    struct lowering *c = w->c;
    uint8_t kind = mote__op_info[op].kind;
    bool store = kind == KIND_STORE || kind == KIND_STORE_LANE, lane = kind == KIND_LOAD_LANE || kind == KIND_STORE_LANE;
    int32_t from[3] = {0};
    for (uint32_t i = n_in; i-- > 0;) from[i] = take_slot(w, w->count + i);
    clobber(w, false);
    if (out == 'f' || out == 'F') clobber(w, true);
    int32_t to = out ? result_slot(w, w->count) : 0;
    insn(c, code);
    if (!store) put(c, (uint16_t)to);
    put_slot(c, from[0]);
    if (store) put_slot(c, from[1]);
    put_memory(w);
    for (uint32_t i = 1; i < n_in && !store; i++) put_slot(c, from[i]);
    if (lane) put(c, w->imm.b);
    if (out) result_in_slot(w, w->count, to, walk_letter(out));
}

static void on_memory(struct walk *w, enum mote__op op, uint32_t n_in) {
    const struct mote__memtype *memory = &w->module->memories[w->imm.a];
    const char *sig = mote__op_info[op].sig;
    char out = sig[walk_sig_in(sig) + 1];
    bool any = w->imm.a || memory->is_64 || memory->shared;
    uint32_t base = insn_of_op[op].base;
    begin(w);
    switch ((enum insn_class)insn_of_op[op].cls) {
    case CLASS_LI:
    case CLASS_LF:
        if (any) emit_any_memory(w, op, base + X_OF_LOAD, n_in, out);
        else emit_load(w, op, out);
        break;
    case CLASS_LV:
        if (any) emit_any_memory(w, op, base + X_OF_VECTOR, n_in, out);
        else emit_load(w, op, out);
        break;
    case CLASS_SI:
        if (any) emit_any_memory(w, op, base + X_OF_SI, n_in, 0);
        else emit_store_int(w, op);
        break;
    case CLASS_SF:
        if (any) emit_any_memory(w, op, base + X_OF_SF, n_in, 0);
        else emit_store_float(w, op);
        break;
    case CLASS_SV:
        if (any) emit_any_memory(w, op, base + X_OF_VECTOR, n_in, 0);
        else emit_store_vector(w, op);
        break;
    default: emit_any_memory(w, op, base, n_in, out); break;
    }
}

#include "run/lower_ops.h"

/* ---------------------------------------------------------------- a whole function */

static void *take_copy(uint8_t **place, const void *data, size_t bytes) {
    void *copy = *place;
    if (bytes) memcpy(copy, data, bytes);
    *place += (bytes + 7) & ~(size_t)7;
    return copy;
}

#define COPY_BYTES(v)       ((v).count * sizeof *(v).data)
#define ROUND_8(x)          (((x) + 7) & ~(size_t)7)

/* Clauses in the order of their handlers (a counting sort); each handler's stay in the order of the text. */
static void place_clauses(struct lowering *c, struct mote__code *code) {
    for (size_t i = 0; i < c->clauses.count; i++) code->handlers[c->clauses.data[i].handler].count++;
    uint32_t next = 0;
    for (uint32_t h = 0; h < code->handler_count; h++) {
        code->handlers[h].clause = next;
        next += code->handlers[h].count;
        code->handlers[h].count = 0;
    }
    for (size_t i = 0; i < c->clauses.count; i++) {
        struct mote__handler *h = &code->handlers[c->clauses.data[i].handler];
        code->clauses[h->clause + h->count++] = c->clauses.data[i].clause;
    }
}

static struct mote__code *pack(struct walk *w, uint32_t func_index, uint32_t zero_slots, const int32_t *refs, uint32_t ref_count) {
    struct lowering *c = w->c;
    size_t units = ROUND_8(offsetof(struct mote__code, units) + COPY_BYTES(c->units));
    size_t bytes = units + ROUND_8(COPY_BYTES(c->handlers)) + ROUND_8(c->clauses.count * sizeof(struct mote__clause)) + ROUND_8(COPY_BYTES(c->sites)) +
                   ROUND_8(COPY_BYTES(c->nodes)) + ROUND_8(ref_count * sizeof *refs);
    struct mote__code *code = mote__alloc_zeroed(c->allocator, bytes);
    if (!code) return NULL;
    uint8_t *place = (uint8_t *)code + units;
    memcpy(code->units, c->units.data, COPY_BYTES(c->units));
    code->func_index = func_index;
    code->frame_slots = (uint32_t)c->max_slot + FRAME_HEADER + 4;
    code->zero_slots = zero_slots;
    code->param_slots = w->func_type ? w->func_type->param_slots : 0;
    code->result_slots = w->func_type ? w->func_type->result_slots : 0;
    code->unit_count = here(c);
    code->handler_count = (uint32_t)c->handlers.count;
    code->clause_count = (uint32_t)c->clauses.count;
    code->site_count = (uint32_t)c->sites.count;
    code->node_count = (uint32_t)c->nodes.count;
    code->local_ref_count = ref_count;
    code->handlers = take_copy(&place, c->handlers.data, COPY_BYTES(c->handlers));
    code->clauses = (struct mote__clause *)(void *)place;
    place += ROUND_8(c->clauses.count * sizeof(struct mote__clause));
    code->sites = take_copy(&place, c->sites.data, COPY_BYTES(c->sites));
    code->nodes = take_copy(&place, c->nodes.data, COPY_BYTES(c->nodes));
    code->local_refs = take_copy(&place, refs, ref_count * sizeof *refs);
    code->alloc_bytes = bytes;
    place_clauses(c, code);
    return code;
}

static void lowering_init(struct walk *w, struct lowering *c, mote_module *module, mote_error *error) {
    memset(c, 0, sizeof *c);
    c->allocator = module->arena.allocator;
    c->fuel = module->engine->config.fuel;
    c->canonical_nans = module->engine->config.canonical_nans;
    c->r_entry = c->f_entry = -1;
    c->r_slot = c->f_slot = NO_SLOT;
    c->last = c->fuel_at = c->cmp.last = NO_POS;
    c->handler = -1;
    c->watch = -1;
    walk_init(w, module, c->allocator, error);
    w->c = c;
}

static void lowering_deinit(struct walk *w, struct lowering *c) {
    mote__vec_deinit(&c->units, c->allocator);
    mote__vec_deinit(&c->fixups, c->allocator);
    mote__vec_deinit(&c->handlers, c->allocator);
    mote__vec_deinit(&c->clauses, c->allocator);
    mote__vec_deinit(&c->sites, c->allocator);
    mote__vec_deinit(&c->nodes, c->allocator);
    mote__vec_deinit(&c->local_slots, c->allocator);
    mote__vec_deinit(&c->heads, c->allocator);
    mote__vec_deinit(&c->pending, c->allocator);
    walk_deinit(w);
}

/* Gives each local its slot; parameters lie below the header. Returns the slots that entry must clear. */
static uint32_t place_locals(struct walk *w) {
    struct lowering *c = w->c;
    uint32_t params = w->func_type ? w->func_type->param_count : 0;
    int32_t slot = w->func_type ? -(int32_t)w->func_type->param_slots : 0;
    if (!mote__vec_reserve(&c->local_slots, c->allocator, w->local_count) || !mote__vec_reserve(&c->heads, c->allocator, w->local_count)) {
        c->failed = true;
        return 0;
    }
    if (w->local_count) memset(c->heads.data, 0, w->local_count * sizeof *c->heads.data);
    for (uint32_t i = 0; i < w->local_count; i++) {
        if (i == params) slot = FRAME_HEADER;
        c->local_slots.data[i] = slot;
        slot += (int32_t)mote__vt_slots(walk_local_type(w, i));
    }
    c->local_slots.count = w->local_count;
    int32_t end = w->local_count > params ? slot : FRAME_HEADER;
    c->first_slot = end;
    if ((uint64_t)end + 2 * mote__reader_left(&w->r) > 30000) { /* some slots may be out of reach: six pairs within it */
        c->scratch = FRAME_HEADER;
        c->first_slot = end + 12;
        for (uint32_t i = params; i < w->local_count; i++) c->local_slots.data[i] += 12;
        end += 12;
    }
    use_slot(c, c->first_slot);
    return (uint32_t)(end - FRAME_HEADER + 3) & ~3u;
}

static int32_t *list_local_refs(struct walk *w, uint32_t *count) {
    struct lowering *c = w->c;
    VEC(int32_t) refs = {0};
    for (uint32_t i = 0; i < w->local_count; i++) {
        if (!mote__vt_is_ref(walk_local_type(w, i)) || !is_heap_ref(w, walk_local_type(w, i))) continue;
        int32_t *ref = mote__vec_push(&refs, c->allocator);
        if (ref) *ref = c->local_slots.data[i];
        else c->failed = true;
    }
    *count = (uint32_t)refs.count;
    c->scratch_next = (uint32_t)refs.capacity; /* kept for freeing */
    return refs.data;
}

/* Walks the bytes that `w` is ready for and packs the code. `c->watch` makes it stop caring for the code and only note a position. */
static struct mote__code *lower(struct walk *w, uint32_t func_index, mote_status *status) {
    struct lowering *c = w->c;
    uint32_t zero_slots = place_locals(w);
    if (c->failed) {
        *status = mote__error_nomem(w->error, "lowering a function");
        return NULL;
    }
    w->frames[0].base = c->first_slot;
    w->frames[0].handler = w->frames[0].inner = -1;
    walk_loop(w);
    *status = walk_finish_body(w);
    end_segment(c);
    uint32_t ref_count = 0;
    int32_t *refs = *status == MOTE_OK && !c->failed ? list_local_refs(w, &ref_count) : NULL;
    uint32_t ref_capacity = refs ? c->scratch_next : 0;
    struct mote__code *code = NULL;
    if (*status == MOTE_OK) {
        code = c->failed ? NULL : pack(w, func_index, zero_slots, refs, ref_count);
        if (!code) *status = mote__error_nomem(w->error, "lowering a function");
    }
    mote__free(c->allocator, refs, ref_capacity * sizeof *refs);
    return code;
}

static struct mote__code *lower_func(mote_module *module, uint32_t func_index, int64_t watch, uint64_t *watched, mote_status *status, mote_error *error) {
    struct walk w;
    struct lowering c;
    lowering_init(&w, &c, module, error);
    c.watch = watch;
    struct mote__code *code = NULL;
    if (walk_begin_body(&w, func_index)) code = lower(&w, func_index, status);
    else *status = walk_finish_body(&w);
    if (watched && c.watch_pos) *watched = (uint64_t)(c.watch_pos - module->bytes.data);
    lowering_deinit(&w, &c);
    return code;
}

void mote__code_free(const mote_allocator *allocator, struct mote__code *code) {
    if (code) mote__free(allocator, code, code->alloc_bytes);
}

static void drop_code(mote_module *module) {
    for (uint32_t i = 0; i < module->func_count - module->func_import_count; i++)
        mote__code_free(module->arena.allocator, atomic_load_explicit(&module->code[i], memory_order_relaxed));
}

struct mote__code *mote__code_get(mote_module *module, uint32_t func_index, mote_status *status, mote_error *error) {
    _Atomic(void *) *place = &module->code[func_index - module->func_import_count];
    struct mote__code *code = atomic_load_explicit(place, memory_order_acquire);
    if (code) return code;
    code = lower_func(module, func_index, -1, NULL, status, error);
    if (!code) return NULL;
    module->code_drop = drop_code;
    void *expected = NULL;
    if (atomic_compare_exchange_strong(place, &expected, code)) return code;
    mote__code_free(module->arena.allocator, code);
    return expected;
}

struct mote__code *mote__code_of_constexpr(mote_module *module, const struct mote__constexpr *expr, mote_status *status, mote_error *error) {
    struct walk w;
    struct lowering c;
    lowering_init(&w, &c, module, error);
    c.fuel = false;
    w.is_const = true;
    w.global_limit = module->global_count;
    struct mote__code *code = NULL;
    *status = MOTE_E_NOMEM;
    if (walk_start(&w, module->bytes.data + expr->body_offset, expr->body_bytes, (struct walk_blocktype){.single = expr->type}))
        code = lower(&w, UINT32_MAX, status);
    lowering_deinit(&w, &c);
    if (code) code->result_slots = mote__vt_slots(expr->type);
    return code;
}

uint64_t mote__code_wasm_offset(mote_module *module, const struct mote__code *code, uint32_t unit) {
    mote_error error;
    mote_status status = MOTE_OK;
    uint64_t offset = 0;
    if (code->func_index == UINT32_MAX) return 0;
    mote__code_free(module->arena.allocator, lower_func(module, code->func_index, unit, &offset, &status, &error));
    return offset;
}
