/* lower.c - turns a function body into the interpreter's register form (insn.def): the walk (translate.h) with a consumer that keeps, for every operand on the
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

#define TRANSLATION struct lowering
#include <assert.h>
#include <string.h>

#include "run/draft.h"
#include "run/tier.h"

/* A branch whose target is not known yet. */
struct fixup {
    uint32_t at, origin; /* unit of the 32-bit distance, unit that it counts from */
    uint32_t next;       /* index + 1 */
    bool is_clause;      /* `at` is a clause's index */
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
    struct mote__draft draft; /* the code's tables */
    VEC(int32_t) local_slots; /* by local */
    VEC(uint32_t) heads;      /* by local: stack index + 1 of the topmost pending read */
    VEC(uint32_t) pending;    /* stack indices of pending reads, ascending; some are no longer pending */
    uint32_t pending_refs;    /* how many pending reads are heap references */
    int32_t first_slot;       /* of operands */
    int32_t scratch;          /* first of the pairs of slots within reach, or 0: this frame is small enough */
    uint32_t scratch_next;
    int32_t max_slot;
    uint32_t last;            /* first unit of the last instruction */
    int64_t r_entry, f_entry; /* stack index of the operand that is in the register only, or -1 */
    uint32_t r_pos, f_pos;    /* instruction that made it */
    int32_t r_slot, f_slot;   /* slot that the register equals, or NO_SLOT */
    uint32_t slot_pos;        /* the last instruction that wrote its result to a slot by the unit behind its opcode ... */
    uint32_t slot_entry;      /* ... and the stack index of that result */
    struct comparison cmp;
    uint32_t noded;           /* operands below this index have their `node` */
    uint32_t stamp;
    uint32_t fuel_at, fuel_cost; /* the open segment's fuel instruction, its cost so far */
    int64_t watch;            /* unit whose wasm offset is wanted, or -1 */
    const uint8_t *watch_pos, *instruction_pos;
    const uint8_t *bytes;          /* of the module */
    struct mote__listing *listing; /* NULL, or where to note each instruction */
};

enum { NO_SLOT = INT32_MIN, NO_POS = UINT32_MAX };

#include "wasm/limits.h"
#include "wasm/translate.h"
#include "run/insn.h"

/* ---------------------------------------------------------------- classes of instructions, from insn.def */

enum insn_class {
    CLASS_NONE, CLASS_IB, CLASS_IU, CLASS_FB, CLASS_FC, CLASS_FU, CLASS_FI, CLASS_IF, CLASS_LI, CLASS_LF, CLASS_LV, CLASS_SI, CLASS_SF, CLASS_SV,
    CLASS_V1, CLASS_V2, CLASS_VS, CLASS_V3, CLASS_G, CLASS_WIDE, CLASS_XLANE, CLASS_XATOMIC
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
#define SV(id, mem)           [OP_##id] = {I_##id##_ss, CLASS_SV},
#define V1(id, out, a)        [OP_##id] = {I_##id##_s, CLASS_V1},
#define V2(id)                [OP_##id] = {I_##id##_ss, CLASS_V2},
#define VS(id)                [OP_##id] = {I_##id##_ss, CLASS_VS},
#define V3(id)                [OP_##id] = {I_##id##_s, CLASS_V3},
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
enum { X_OF_LOAD = 4, X_OF_LV = 2, X_OF_SI = 5, X_OF_SF = 4 };
enum { VARIANT_SS, VARIANT_RS, VARIANT_SR, VARIANT_SK, VARIANT_RK };

#include "run/lower_operand.h"
#include "run/translation.h"
#include "run/lower_branch.h"
#include "run/lower_compute.h"
#include "run/lower_ops.h"

/* ---------------------------------------------------------------- a whole function */

static struct mote__code *pack(struct walk *w, uint32_t func_index, uint32_t zero_slots) {
    struct lowering *c = w->c;
    size_t bytes = c->units.count * sizeof *c->units.data;
    struct mote__code *code = mote__draft_pack(&c->draft, bytes, c->allocator);
    if (!code) return NULL;
    memcpy(code->units, c->units.data, bytes);
    code->func_index = func_index;
    code->frame_slots = (uint32_t)c->max_slot + FRAME_HEADER + 4;
    code->zero_slots = zero_slots;
    code->param_slots = w->func_type ? w->func_type->param_slots : 0;
    code->result_slots = w->func_type ? w->func_type->result_slots : 0;
    code->unit_count = here(c);
    return code;
}

static void lowering_init(struct walk *w, struct lowering *c, mote_module *module, mote_error *error) {
    memset(c, 0, sizeof *c);
    c->allocator = module->arena.allocator;
    c->fuel = module->engine->config.fuel;
    c->canonical_nans = module->engine->config.canonical_nans;
    c->r_entry = c->f_entry = -1;
    c->r_slot = c->f_slot = NO_SLOT;
    c->last = c->fuel_at = c->cmp.last = c->slot_pos = NO_POS;
    c->draft.handler = -1;
    c->watch = -1;
    mote__translate_init(w, &translator, module, c->allocator, error);
    w->c = c;
}

static void lowering_deinit(struct walk *w, struct lowering *c) {
    mote__vec_deinit(&c->units, c->allocator);
    mote__vec_deinit(&c->fixups, c->allocator);
    mote__draft_deinit(&c->draft, c->allocator);
    mote__vec_deinit(&c->local_slots, c->allocator);
    mote__vec_deinit(&c->heads, c->allocator);
    mote__vec_deinit(&c->pending, c->allocator);
    mote__translate_deinit(w);
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
    if ((uint64_t)end + 2 * mote__reader_left(&w->r) > 30000) { /* some slots may be out of reach: pairs within it */
        c->scratch = FRAME_HEADER;
        c->first_slot = end + SCRATCH_SLOTS;
        for (uint32_t i = params; i < w->local_count; i++) c->local_slots.data[i] += SCRATCH_SLOTS;
        end += SCRATCH_SLOTS;
    }
    use_slot(c, c->first_slot);
    return (uint32_t)(end - FRAME_HEADER + 3) & ~3u;
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
    mote__translate_run(w);
    *status = c->failed ? MOTE_OK : mote__translate_finish(w);
    if (is_too_large(c)) {
        *status = mote__error_set(w->error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "the code of function %u is over the limit of %u MiB", func_index,
                                  LIMIT_FUNCTION_CODE >> 20);
        return NULL;
    }
    end_segment(c);
    lead_clauses_back(c);
    struct mote__code *code = NULL;
    if (*status == MOTE_OK) {
        if (!c->failed) list_local_refs(w);
        code = c->failed ? NULL : pack(w, func_index, zero_slots);
        if (!code) *status = mote__error_nomem(w->error, "lowering a function");
    }
    return code;
}

static struct mote__code *lower_func(mote_module *module, uint32_t func_index, int64_t watch, uint64_t *watched, mote_status *status, mote_error *error) {
    struct walk w;
    struct lowering c;
    lowering_init(&w, &c, module, error);
    c.watch = watch;
    struct mote__code *code = NULL;
    if (mote__translate_begin(&w, func_index)) code = lower(&w, func_index, status);
    else *status = mote__translate_finish(&w);
    if (watched && code && c.watch_pos) *watched = (uint64_t)(c.watch_pos - module->bytes.data);
    lowering_deinit(&w, &c);
    return code;
}

void mote__code_free(const mote_allocator *allocator, struct mote__code *code) {
    if (code) mote__free(allocator, code, code->alloc_bytes);
}

void mote__code_drop(mote_module *module) {
    if (module->tier_data) module->engine->tier->module_end(module);
    for (uint32_t i = 0; i < module->func_count - module->func_import_count; i++)
        mote__code_free(module->arena.allocator, atomic_load_explicit(&module->code[i], memory_order_relaxed));
}

static bool is_compiled(mote_module *module, uint32_t func_index) {
    return module->cells && module->engine->tier->compiles(module, func_index - module->func_import_count);
}

/* What the interpreter runs for a function of the tier's. */
static struct mote__code *bridge(mote_module *module, uint32_t func_index, mote_status *status, mote_error *error) {
    uint32_t own = func_index - module->func_import_count, params = module->func_types[func_index]->param_slots;
    const uint16_t units[] = {I_call_compiled, (uint16_t)own, (uint16_t)(own >> 16), (uint16_t)params};
    struct mote__code *code = mote__alloc_zeroed(module->arena.allocator, sizeof *code + sizeof units);
    if (!code) {
        *status = mote__error_nomem(error, "calling a function");
        return NULL;
    }
    memcpy(code->units, units, sizeof units);
    code->func_index = func_index;
    code->frame_slots = FRAME_HEADER;
    code->param_slots = params;
    code->unit_count = sizeof units / sizeof *units;
    code->alloc_bytes = sizeof *code + sizeof units;
    return code;
}

struct mote__code *mote__code_get(mote_module *module, uint32_t func_index, mote_status *status, mote_error *error) {
    _Atomic(void *) *place = &module->code[func_index - module->func_import_count];
    struct mote__code *code = atomic_load_explicit(place, memory_order_acquire);
    if (code) return code;
    code = is_compiled(module, func_index) ? bridge(module, func_index, status, error) : lower_func(module, func_index, -1, NULL, status, error);
    if (!code) return NULL;
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
    struct mote__code *code = NULL;
    *status = MOTE_E_NOMEM;
    if (mote__translate_begin_constexpr(&w, expr)) code = lower(&w, UINT32_MAX, status);
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

uint64_t mote__entry_wasm_offset(mote_module *module, uint32_t func_index) {
    struct walk w;
    struct lowering c;
    mote_error error;
    uint64_t offset = 0;
    lowering_init(&w, &c, module, &error);
    if (mote__translate_begin(&w, func_index)) offset = (uint64_t)(w.r.pos - module->bytes.data);
    lowering_deinit(&w, &c);
    return offset;
}

mote_status mote__code_list(mote_module *module, uint32_t func_index, struct mote__listing *out, mote_error *error) {
    struct walk w;
    struct lowering c;
    mote_status status = MOTE_OK;
    *out = (struct mote__listing){0};
    lowering_init(&w, &c, module, error);
    c.listing = out;
    c.bytes = module->bytes.data;
    if (mote__translate_begin(&w, func_index)) out->code = lower(&w, func_index, &status);
    else status = mote__translate_finish(&w);
    lowering_deinit(&w, &c);
    return status;
}

void mote__listing_deinit(mote_module *module, struct mote__listing *listing) {
    mote__code_free(module->arena.allocator, listing->code);
    mote__vec_deinit(&listing->insns, module->arena.allocator);
}
