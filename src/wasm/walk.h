/* walk.h - the one loop that reads a function body or constant expression: decodes each instruction, keeps the stack of value types and the
 * stack of control frames, checks everything (core spec, appendix "Validation Algorithm") and tells a consumer by static inlining.
 *
 * Included once by each consumer (validate.c, and translate.c for everything that makes code), after these definitions:
 *   WALK_EMIT(call)      runs a callback; the validator defines it as nothing, translate.c as `if (w->live) { call; }`. translate.h says what they are.
 *   WALK_TRUSTED         1 where bodies have been validated before: nothing is checked again, and the compiler leaves out what would check
 *   WALK_WITHOUT_LANE    defined where the validator's fast lane is left out: by the test that compares the two, tests/diff/validator.c
 *   WALK_VALUE_EXTRA     fields added to struct walk_value (where the operand is), WALK_FRAME_EXTRA to struct walk_frame, WALK_EXTRA to struct walk
 *
 * What checks control flow is in walk_control.h, references, tables and objects in walk_ops.h, the validator's fast lane in walk_fast.h; all are included here,
 * in the middle.
 * Cost: linear in the bytes; a branch costs at most LIMIT_RESULTS more. Memory: the deepest stack, kept for the next body. */
#include "wasm/skip.h"
#include "wasm/walk_state.h"

/* ---------------------------------------------------------------- failing */

WALK_COLD void walk_nomem(struct walk *w) {
    if (w->status == MOTE_OK) w->status = mote__error_nomem(w->error, "validating a function");
    mote__reader_fail(&w->r, w->r.pos, "stopped");
}

#if WALK_TRUSTED
/* Nothing fails: to the compiler no condition of failing is ever true. */
#ifdef NDEBUG
#define WALK_NEVER() __builtin_unreachable()
#else
#define WALK_NEVER() __builtin_trap() /* a body that was not validated */
#endif
int walk_not_called(struct walk *w, ...);
#define walk_fail(...)         ((void)(0 && walk_not_called(__VA_ARGS__)), WALK_NEVER())
#define walk_fail_feature(...) walk_fail(__VA_ARGS__)
#define walk_mismatch(...)     walk_fail(__VA_ARGS__)
#else
/* Records the first error at the current instruction and empties the reader, which ends the loop. What comes after the reader has failed is no error: it is
 * of immediates that are not there. */
WALK_COLD void walk_fail(struct walk *w, mote_status status, const char *format, ...) MOTE_PRINTF(3, 4);
WALK_COLD void walk_fail(struct walk *w, mote_status status, const char *format, ...) {
    if (w->status != MOTE_OK || w->r.failed) return;
    va_list args;
    va_start(args, format);
    w->status = mote__error_setv(w->error, status, (uint64_t)(w->op_pos - w->module->bytes.data), format, args);
    va_end(args);
    mote__reader_fail(&w->r, w->r.pos, "stopped");
}

/* Rejects the instruction at hand because it needs a feature that is off; `what` may be NULL. */
WALK_COLD void walk_fail_feature(struct walk *w, const char *what, enum mote__feature feature) {
    if (w->status != MOTE_OK || w->r.failed) return;
    w->status = mote__error_feature(w->error, (uint64_t)(w->op_pos - w->module->bytes.data), what, feature);
    mote__reader_fail(&w->r, w->r.pos, "stopped");
}

WALK_COLD void walk_mismatch(struct walk *w, valtype expected, valtype found) {
    char want[64], have[64];
    mote__vt_print(w->types, expected, want, sizeof want);
    mote__vt_print(w->types, found, have, sizeof have);
    walk_fail(w, MOTE_E_INVALID, "type mismatch: expected %s, found %s", want, have);
}
#endif

/* ---------------------------------------------------------------- the stacks */

WALK_COLD bool walk_grow_stack(struct walk *w, size_t more) {
    size_t capacity = w->capacity;
    if (mote__vec_reserve_bytes(w->allocator, (void **)&w->stack, w->count, &capacity, more, sizeof *w->stack)) {
        w->capacity = (uint32_t)capacity;
        return true;
    }
    walk_nomem(w);
    return false;
}

/* Room for `more` values. The loop keeps room for 8 before each instruction. */
WALK_INLINE bool walk_reserve(struct walk *w, size_t more) {
    return w->capacity - w->count >= more || walk_grow_stack(w, more);
}

WALK_INLINE void walk_push(struct walk *w, valtype type) { w->stack[w->count++].type = type; }

#if WALK_TRUSTED
/* Dead code may have fewer values than it takes. */
WALK_INLINE valtype walk_pop(struct walk *w, valtype expected) {
    (void)expected;
    return w->count == w->floor ? (valtype)VT_BOTTOM : w->stack[--w->count].type;
}
WALK_INLINE valtype walk_pop_slow(struct walk *w, valtype expected) { return walk_pop(w, expected); }
#else
/* Every case but "the very type is there". */
WALK_SLOW valtype walk_pop_slow(struct walk *w, valtype expected) {
    if (w->count == w->floor) {
        if (w->depth && w->frames[w->depth - 1].unreachable) return VT_BOTTOM;
        if (w->status == MOTE_OK) {
            char want[64];
            mote__vt_print(w->types, expected, want, sizeof want);
            walk_fail(w, MOTE_E_INVALID, "type mismatch: expected %s, but the stack is empty", expected ? want : "a value");
        }
        return VT_BOTTOM;
    }
    valtype found = w->stack[--w->count].type;
    if (expected != VT_BOTTOM && found != VT_BOTTOM && !mote__vt_matches(w->types, found, expected))
        walk_mismatch(w, expected, found);
    return found;
}

/* Pops a value of a type (VT_BOTTOM: of any type) and returns the type found. */
WALK_INLINE valtype walk_pop(struct walk *w, valtype expected) {
    if (w->count > w->floor && w->stack[w->count - 1].type == expected && expected != VT_BOTTOM)
        return w->stack[--w->count].type;
    return walk_pop_slow(w, expected);
}
#endif

/* Pops any reference and returns its type (VT_BOTTOM in dead code). */
WALK_SLOW valtype walk_pop_ref(struct walk *w) {
    valtype found = walk_pop_slow(w, VT_BOTTOM);
    if (found != VT_BOTTOM && !mote__vt_is_ref(found)) {
        char have[64];
        mote__vt_print(w->types, found, have, sizeof have);
        walk_fail(w, MOTE_E_INVALID, "type mismatch: expected a reference, found %s", have);
        return VT_BOTTOM;
    }
    return found;
}

WALK_INLINE void walk_update_live(struct walk *w) {
    const struct walk_frame *f = &w->frames[w->depth - 1];
    w->live = !f->dead && !f->unreachable;
    w->floor = f->height;
}

/* The rest of the innermost frame is dead. */
WALK_INLINE void walk_set_unreachable(struct walk *w) {
    struct walk_frame *f = &w->frames[w->depth - 1];
    f->unreachable = true;
    w->count = f->height;
    w->live = false;
}

/* Checks that the label's types are on top of the stack, and makes them exactly so (dead code may have had fewer values). */
static void walk_check_label(struct walk *w, const struct walk_frame *f) {
    uint32_t count = walk_label_count(f);
    for (uint32_t i = count; i-- > 0;) walk_pop(w, walk_label_type(f, i));
    if (w->status != MOTE_OK || !walk_reserve(w, count + 8)) return;
    for (uint32_t i = 0; i < count; i++) walk_push(w, walk_label_type(f, i));
}

static void walk_pop_label(struct walk *w, const struct walk_frame *f) {
    for (uint32_t i = walk_label_count(f); i-- > 0;) walk_pop(w, walk_label_type(f, i));
}

static void walk_pop_params(struct walk *w, const mote_type *type) {
    for (uint32_t i = type->param_count; i-- > 0;) walk_pop(w, mote__type_param(type, i));
}

static void walk_push_results(struct walk *w, const mote_type *type) {
    if (!walk_reserve(w, type->result_count + 8)) return;
    for (uint32_t i = 0; i < type->result_count; i++) walk_push(w, mote__type_result(type, i));
}

/* ---------------------------------------------------------------- reading immediates */

WALK_INLINE uint32_t walk_u32(struct walk *w) { return WALK_TRUSTED ? skip_u32(&w->r.pos) : mote__read_u32(&w->r); }
WALK_INLINE int32_t walk_s32(struct walk *w) { return WALK_TRUSTED ? (int32_t)skip_s64(&w->r.pos) : mote__read_s32(&w->r); }
WALK_INLINE int64_t walk_s64(struct walk *w) { return WALK_TRUSTED ? skip_s64(&w->r.pos) : mote__read_s64(&w->r); }

#define WALK_OK(w) ((w)->status == MOTE_OK && (WALK_TRUSTED || !(w)->r.failed))

#if WALK_TRUSTED
WALK_INLINE
#else
WALK_COLD
#endif
uint32_t walk_unknown(struct walk *w, const char *what, uint32_t index) {
    if (WALK_TRUSTED || !w->r.failed) walk_fail(w, MOTE_E_INVALID, "unknown %s %u", what, index);
    return 0;
}

/* Reads an index below `limit`; 0 after failing, which is then not below it: look at w->status before using it. */
WALK_INLINE uint32_t walk_index(struct walk *w, const char *what, uint32_t limit) {
    uint32_t index = walk_u32(w);
    return index < limit ? index : walk_unknown(w, what, index);
}

/* Reads a type index of the wanted kind; NULL after failing. */
static const mote_type *walk_type(struct walk *w, int kind) {
    static const char *const names[] = {"function", "structure", "array"};
    uint32_t index = walk_index(w, "type", w->module->type_count);
    if (!WALK_OK(w)) return NULL;
    const mote_type *type = w->module->types[index];
    if (type->kind == kind) return type;
    walk_fail(w, MOTE_E_INVALID, "type mismatch: type %u is not %s %s type", index, kind == MOTE_TYPE_ARRAY ? "an" : "a", names[kind]);
    return NULL;
}

/* Heap and value types in bodies: the decoder's readers, which know the module's types. */
heaptype mote__read_heaptype(const mote_module *module, struct reader *r, mote_error *error, mote_status *status);
valtype mote__read_valtype(const mote_module *module, struct reader *r, mote_error *error, mote_status *status);

static heaptype walk_heaptype(struct walk *w) {
    heaptype heap = mote__read_heaptype(w->module, &w->r, w->error, &w->status);
    if (w->status != MOTE_OK) mote__reader_fail(&w->r, w->r.pos, "stopped");
    return heap;
}

static valtype walk_valtype(struct walk *w) {
    valtype type = mote__read_valtype(w->module, &w->r, w->error, &w->status);
    if (w->status != MOTE_OK) mote__reader_fail(&w->r, w->r.pos, "stopped");
    return type;
}

static struct walk_blocktype walk_blocktype(struct walk *w) {
    uint8_t byte = w->r.pos < w->r.end ? *w->r.pos : 0;
    if (byte == 0x40) {
        w->r.pos++;
        return (struct walk_blocktype){0};
    }
    if ((byte & 0xC0) == 0x40) return (struct walk_blocktype){.single = walk_valtype(w)};
    int64_t index = mote__read_s33(&w->r);
    if (w->r.failed) return (struct walk_blocktype){0};
    if (index < 0 || index >= w->module->type_count) {
        walk_fail(w, MOTE_E_INVALID, "unknown type %lld", (long long)index);
        return (struct walk_blocktype){0};
    }
    const mote_type *type = w->module->types[index];
    if (type->kind != MOTE_TYPE_FUNC) {
        walk_fail(w, MOTE_E_INVALID, "type mismatch: block type %lld is not a function type", (long long)index);
        return (struct walk_blocktype){0};
    }
    if (type->param_count + type->result_count > (type->param_count == 0) && !(w->module->features & FEATURE_BIT(multi_value)))
        walk_fail_feature(w, "a block with parameters or several results", FEATURE_multi_value);
    return (struct walk_blocktype){.type = type};
}

/* The frame of label `depth`; the body's own after failing. */
WALK_INLINE struct walk_frame *walk_label(struct walk *w) {
    uint32_t label = walk_u32(w);
    if (label < w->depth) return &w->frames[w->depth - 1 - label];
    walk_unknown(w, "label", label);
    return &w->frames[0];
}

static valtype walk_memory_type(const struct walk *w, uint32_t memory) {
    return memory < w->module->memory_count && w->module->memories[memory].is_64 ? VT_I64 : VT_I32;
}
static valtype walk_table_type(const struct walk *w, uint32_t table) {
    return table < w->module->table_count && w->module->tables[table].type.is_64 ? VT_I64 : VT_I32;
}

/* Reads an index that came with a feature: a byte of zero stood in its place before. */
WALK_INLINE uint32_t walk_index_since(struct walk *w, enum mote__feature feature, const char *what, uint32_t limit) {
    if (w->module->features >> feature & 1) return walk_index(w, what, limit);
    if (mote__read_u8(&w->r)) walk_fail_feature(w, "zero byte expected", feature);
    return limit ? 0 : walk_unknown(w, what, 0);
}

/* A memory index that is not in a memarg. */
static uint32_t walk_memory_index(struct walk *w) {
    return walk_index_since(w, FEATURE_multi_memory, "memory", w->module->memory_count);
}

/* Reads a memarg into imm.a (memory) and imm.x (offset); returns the address type. */
WALK_INLINE valtype walk_memarg(struct walk *w, uint32_t bytes, bool exact) {
    uint32_t align = walk_u32(w);
    uint32_t memory = 0;
    if (align & 0x40) {
        if (!(w->module->features & FEATURE_BIT(multi_memory))) walk_fail_feature(w, "malformed memop flags", FEATURE_multi_memory);
        align &= ~UINT32_C(0x40);
        memory = walk_u32(w);
    }
    if (memory >= w->module->memory_count) walk_unknown(w, "memory", memory);
    valtype type = walk_memory_type(w, memory);
    uint64_t offset = w->module->features & FEATURE_BIT(memory64) ? mote__read_u64(&w->r) : mote__read_u32(&w->r);
    if (w->r.failed) return type;
    if (align >= 64) walk_fail(w, MOTE_E_MALFORMED, "malformed memop flags");
    uint32_t natural = (uint32_t)__builtin_ctz(bytes);
    if (align > natural) walk_fail(w, MOTE_E_INVALID, "alignment must not be larger than natural");
    if (exact && align != natural) walk_fail(w, MOTE_E_INVALID, "atomic alignment must be natural");
    if (offset > UINT32_MAX && type == VT_I32) walk_fail(w, MOTE_E_INVALID, "offset out of range");
    w->imm.a = memory;
    w->imm.x = offset;
    return type;
}

/* ---------------------------------------------------------------- computing instructions */

WALK_INLINE void walk_sig_pop(struct walk *w, const char *sig) {
    uint32_t n = walk_sig_in(sig);
    if (n > 3) walk_pop(w, walk_letter(sig[3]));
    if (n > 2) walk_pop(w, walk_letter(sig[2]));
    if (n > 1) walk_pop(w, walk_letter(sig[1]));
    if (n > 0) walk_pop(w, walk_letter(sig[0]));
}
WALK_INLINE void walk_sig_push(struct walk *w, const char *sig, size_t size) {
    uint32_t out = walk_sig_in(sig) + 1;
    if (size > out) walk_push(w, walk_letter(sig[out]));
    if (size > out + 1) walk_push(w, walk_letter(sig[out + 1]));
}

WALK_INLINE void walk_plain(struct walk *w, enum mote__op op, const char *sig, size_t size) {
    walk_sig_pop(w, sig);
    WALK_EMIT(on_plain(w, op, walk_sig_in(sig)));
    (void)op;
    walk_sig_push(w, sig, size);
}

/* `lanes` 0: no lane immediate. */
WALK_INLINE void walk_lane(struct walk *w, uint32_t lanes) {
    if (!lanes) return;
    w->imm.b = mote__read_u8(&w->r);
    if (w->imm.b >= lanes) walk_fail(w, MOTE_E_INVALID, "invalid lane index %u", w->imm.b);
}

WALK_INLINE void walk_access(struct walk *w, enum mote__op op, const char *sig, size_t size, uint32_t bytes, bool exact, uint32_t lanes) {
    valtype address = walk_memarg(w, bytes, exact);
    walk_lane(w, lanes);
    walk_sig_pop(w, sig);
    walk_pop(w, address);
    WALK_EMIT(on_memory(w, op, walk_sig_in(sig) + 1));
    (void)op;
    walk_sig_push(w, sig, size);
}

/* Lanes of an extract_lane or replace_lane, from the shape at the start of its keyword: "i8x16.extract_lane_s" has 16. */
static uint32_t walk_shape_lanes(enum mote__op op) {
    const char *x = strchr(mote__op_text(&mote__op_info[op]), 'x');
    return x ? (uint32_t)atoi(x + 1) : 0;
}

WALK_SLOW void walk_shuffle_lanes(struct walk *w) {
    struct span lanes = mote__read_span(&w->r, 16);
    if (!lanes.size) return;
    w->imm.bytes = lanes.data;
    for (int i = 0; i < 16; i++)
        if (lanes.data[i] >= 32) walk_fail(w, MOTE_E_INVALID, "invalid lane index %u", lanes.data[i]);
}

/* Any instruction that is not CONTROL, by its row in ops.def. */
WALK_SLOW bool walk_by_row(struct walk *w, enum mote__op op) {
    const struct mote__op_info *info = &mote__op_info[op];
    size_t size = strlen(info->sig);
    switch ((enum mote__op_kind)info->kind) {
    case KIND_CONTROL: return false;
    case KIND_LANE: walk_lane(w, walk_shape_lanes(op)); walk_plain(w, op, info->sig, size); return true;
    case KIND_SHUFFLE: walk_shuffle_lanes(w); walk_plain(w, op, info->sig, size); return true;
    case KIND_PURE: case KIND_TRAPS: case KIND_WIDE: walk_plain(w, op, info->sig, size); return true;
    case KIND_LOAD: case KIND_STORE: walk_access(w, op, info->sig, size, info->mem_bytes, false, 0); return true;
    case KIND_LOAD_LANE: case KIND_STORE_LANE: walk_access(w, op, info->sig, size, info->mem_bytes, false, 16u / info->mem_bytes); return true;
    case KIND_ATOMIC_LOAD: case KIND_ATOMIC_STORE: case KIND_ATOMIC_RMW: case KIND_ATOMIC_CMPXCHG:
        walk_access(w, op, info->sig, size, info->mem_bytes, true, 0);
        return true;
    }
    return false;
}

#include "wasm/walk_control.h"

/* ---------------------------------------------------------------- variables and parametric instructions */

WALK_INLINE bool walk_is_set(const struct walk *w, uint32_t local) {
    return w->init_bits.data[local / 64] >> (local % 64) & 1;
}

WALK_SLOW void walk_mark_set(struct walk *w, uint32_t local, valtype type) {
    if (mote__vt_has_default(type) || walk_is_set(w, local)) return;
    uint32_t *slot = mote__vec_push(&w->inits, w->allocator);
    if (!slot) {
        walk_nomem(w);
        return;
    }
    *slot = local;
    w->init_bits.data[local / 64] |= UINT64_C(1) << (local % 64);
}

WALK_INLINE void walk_local(struct walk *w, enum mote__op op) {
    uint32_t local = walk_index(w, "local", w->local_count);
    if (!WALK_OK(w)) return;
    valtype type = walk_local_type(w, local);
    w->imm.a = local;
    if (op == OP_local_get) {
        if (w->has_uninit && !mote__vt_has_default(type) && !walk_is_set(w, local)) {
            walk_fail(w, MOTE_E_INVALID, "uninitialized local %u", local);
            return;
        }
        WALK_EMIT(on_op(w, op, 0));
        walk_push(w, type);
        return;
    }
    walk_pop(w, type);
    if (w->has_uninit) walk_mark_set(w, local, type);
    WALK_EMIT(on_op(w, op, 1));
    if (op == OP_local_tee) walk_push(w, type);
}

static void walk_global(struct walk *w, enum mote__op op) {
    uint32_t index = walk_index(w, "global", w->is_const ? w->global_limit : w->module->global_count);
    if (!WALK_OK(w)) return;
    const struct mote__global_decl *global = &w->module->globals[index];
    w->imm.a = index;
    if (op == OP_global_get) {
        if (w->is_const && global->is_mutable) walk_fail(w, MOTE_E_INVALID, "constant expression required: global %u is mutable", index);
        WALK_EMIT(on_op(w, op, 0));
        walk_push(w, global->type);
        return;
    }
    if (!global->is_mutable) {
        walk_fail(w, MOTE_E_INVALID, "immutable global: global %u cannot be set", index);
        return;
    }
    walk_pop(w, global->type);
    WALK_EMIT(on_op(w, op, 1));
}

static void walk_select(struct walk *w) {
    walk_pop(w, VT_I32);
    valtype b = walk_pop(w, VT_BOTTOM), a = walk_pop(w, VT_BOTTOM);
    if (mote__vt_is_ref(a) || mote__vt_is_ref(b)) {
        walk_fail(w, MOTE_E_INVALID, "type mismatch: select of references needs a type");
        return;
    }
    if (a != b && a != VT_BOTTOM && b != VT_BOTTOM) {
        walk_mismatch(w, a, b);
        return;
    }
    valtype type = a == VT_BOTTOM ? b : a;
    w->imm.to = type;
    if (WALK_OK(w)) WALK_EMIT(on_op(w, OP_select, 3));
    walk_push(w, type);
}

static void walk_select_typed(struct walk *w) {
    uint32_t count = walk_u32(w);
    if (count != 1 && !w->r.failed) walk_fail(w, MOTE_E_INVALID, "invalid result arity: select has %u types", count);
    if (!WALK_OK(w)) return;
    valtype type = walk_valtype(w);
    if (!WALK_OK(w)) return;
    walk_pop(w, VT_I32);
    walk_pop(w, type);
    walk_pop(w, type);
    w->imm.to = type;
    WALK_EMIT(on_op(w, OP_select_t, 3));
    walk_push(w, type);
}

/* ---------------------------------------------------------------- calls */

/* Checks arguments and either pushes results or, for a tail call, ends the block. `extra`: operands above the arguments, already popped. */
static void walk_finish_call(struct walk *w, enum mote__op op, const mote_type *type, bool tail, uint32_t extra) {
    walk_pop_params(w, type);
    w->imm.type = type;
    if (tail) {
        const mote_type *own = w->func_type;
        bool same = own->result_count == type->result_count;
        for (uint32_t i = 0; same && i < own->result_count; i++)
            same = mote__vt_matches(w->types, mote__type_result(type, i), mote__type_result(own, i));
        if (!same) walk_fail(w, MOTE_E_INVALID, "type mismatch: the results of a tail call differ from the function's own");
    }
    if (!WALK_OK(w)) return;
    if (!walk_reserve(w, type->result_count + 8)) return;
    WALK_EMIT(on_op(w, op, type->param_count + extra));
    (void)op;
    (void)extra;
    if (tail) walk_set_unreachable(w);
    else walk_push_results(w, type);
}

static void walk_call(struct walk *w, enum mote__op op) {
    uint32_t index = walk_index(w, "function", w->module->func_count);
    if (!WALK_OK(w)) return;
    w->imm.a = index;
    if (op == OP_return_call && index < w->module->func_import_count) w->tail_calls_far = true;
    walk_finish_call(w, op, w->module->func_types[index], op == OP_return_call, 0);
}

static void walk_call_indirect(struct walk *w, enum mote__op op) {
    const mote_type *type = walk_type(w, MOTE_TYPE_FUNC);
    uint32_t table = walk_index_since(w, FEATURE_reference_types, "table", w->module->table_count);
    if (!type || !WALK_OK(w)) return;
    if (!mote__vt_matches(w->types, w->module->tables[table].type.element, VT_FUNCREF)) {
        walk_mismatch(w, VT_FUNCREF, w->module->tables[table].type.element);
        return;
    }
    walk_pop(w, walk_table_type(w, table));
    w->imm.b = table;
    if (op == OP_return_call_indirect) w->tail_calls_far = true;
    walk_finish_call(w, op, type, op == OP_return_call_indirect, 1);
}

static void walk_call_ref(struct walk *w, enum mote__op op) {
    const mote_type *type = walk_type(w, MOTE_TYPE_FUNC);
    if (!type) return;
    walk_pop(w, mote__vt_ref(HEAP_CONCRETE + type->id, true));
    if (op == OP_return_call_ref) w->tail_calls_far = true;
    walk_finish_call(w, op, type, op == OP_return_call_ref, 1);
}

#include "wasm/walk_ops.h"

/* ---------------------------------------------------------------- the loop */

/* What may stand in a constant expression (core spec, "Validation / Constant Expressions"). */
static void walk_check_const(struct walk *w, enum mote__op op) {
    switch (op) {
    case OP_i32_const: case OP_i64_const: case OP_f32_const: case OP_f64_const: case OP_v128_const:
    case OP_ref_null: case OP_ref_func: case OP_global_get: case OP_end:
    case OP_struct_new: case OP_struct_new_default: case OP_array_new: case OP_array_new_default: case OP_array_new_fixed:
    case OP_ref_i31: case OP_any_convert_extern: case OP_extern_convert_any: break;
    case OP_i32_add: case OP_i32_sub: case OP_i32_mul: case OP_i64_add: case OP_i64_sub: case OP_i64_mul:
        if (!(w->module->features & FEATURE_BIT(extended_const)))
            walk_fail_feature(w, "arithmetic in a constant expression", FEATURE_extended_const);
        break;
    default: walk_fail(w, MOTE_E_INVALID, "constant expression required: `%s` is not constant", mote__op_text(&mote__op_info[op]));
    }
}

WALK_COLD void walk_bad_op(struct walk *w, uint8_t prefix, uint32_t code, enum mote__op op) {
    if (op != OP_INVALID) {
        walk_fail_feature(w, mote__op_text(&mote__op_info[op]), (enum mote__feature)mote__op_info[op].feature);
    } else if (prefix) {
        walk_fail(w, MOTE_E_MALFORMED, "illegal opcode %02x %02x", prefix, code);
    } else {
        walk_fail(w, MOTE_E_MALFORMED, "illegal opcode %02x", code);
    }
}

/* An instruction with a prefix byte. */
WALK_INLINE enum mote__op walk_prefixed(struct walk *w, uint8_t prefix) {
    uint32_t code = walk_u32(w);
    enum mote__op op = w->r.failed ? OP_INVALID : mote__op_lookup(prefix, code);
    if (op != OP_INVALID && w->module->features >> mote__op_info[op].feature & 1) return op;
    if (!w->r.failed) walk_bad_op(w, prefix, code, op);
    return OP_INVALID;
}

WALK_INLINE enum mote__op walk_next_op(struct walk *w) {
    uint8_t byte = *w->r.pos++;
    enum mote__op op = (enum mote__op)(WALK_TRUSTED ? mote__op_of_byte[byte] : w->byte_ops[byte]);
    if (op != OP_INVALID) return op;
    if (byte >= 0xFB && byte <= 0xFE) return walk_prefixed(w, byte);
    walk_bad_op(w, 0, byte, (enum mote__op)mote__op_of_byte[byte]);
    return OP_INVALID;
}

#if WALK_TRUSTED
WALK_INLINE void walk_fast(struct walk *w) { w->on->fast(w); }
#elif defined WALK_WITHOUT_LANE
WALK_INLINE void walk_fast(struct walk *w) { (void)w; }
#else
#include "wasm/walk_fast.h"
#endif

/* Reads one instruction, whatever it is. */
static void walk_one(struct walk *w) {
    if (!walk_reserve(w, 8)) return;
    w->op_pos = w->r.pos;
    enum mote__op op = walk_next_op(w);
    if (w->is_const && op != OP_INVALID) {
        walk_check_const(w, op);
        if (w->status != MOTE_OK) return;
    }
    switch (op) {
    case OP_unreachable:
        WALK_EMIT(on_unreachable(w));
        walk_set_unreachable(w);
        break;
    case OP_nop: break;
    case OP_block: walk_block(w, OP_block); break;
    case OP_loop: walk_block(w, OP_loop); break;
    case OP_if: walk_block(w, OP_if); break;
    case OP_try: walk_block(w, OP_try); break;
    case OP_try_table: walk_try_table(w); break;
    case OP_else: walk_else(w); break;
    case OP_end: walk_end(w); break;
    case OP_catch: case OP_catch_all: walk_catch(w, op); break;
    case OP_delegate: walk_delegate(w); break;
    case OP_rethrow: walk_rethrow(w); break;
    case OP_throw: walk_throw(w); break;
    case OP_throw_ref:
        walk_pop(w, VT_EXNREF);
        WALK_EMIT(on_throw(w, op));
        walk_set_unreachable(w);
        break;
    case OP_br: walk_br(w); break;
    case OP_br_if: walk_br_if(w); break;
    case OP_br_table: walk_br_table(w); break;
    case OP_return: walk_return(w); break;
    case OP_call: case OP_return_call: walk_call(w, op); break;
    case OP_call_indirect: case OP_return_call_indirect: walk_call_indirect(w, op); break;
    case OP_call_ref: case OP_return_call_ref: walk_call_ref(w, op); break;
    case OP_drop:
        walk_pop(w, VT_BOTTOM);
        if (WALK_OK(w)) WALK_EMIT(on_op(w, op, 1));
        break;
    case OP_select: walk_select(w); break;
    case OP_select_t: walk_select_typed(w); break;
    case OP_local_get: walk_local(w, OP_local_get); break;
    case OP_local_set: walk_local(w, OP_local_set); break;
    case OP_local_tee: walk_local(w, OP_local_tee); break;
    case OP_global_get: case OP_global_set: walk_global(w, op); break;
    case OP_table_get: case OP_table_set: case OP_table_size: case OP_table_grow: case OP_table_fill: walk_table_op(w, op); break;
    case OP_table_copy: walk_table_copy(w); break;
    case OP_table_init: walk_table_init(w); break;
    case OP_elem_drop: case OP_data_drop: walk_drop_segment(w, op); break;
    case OP_memory_size: case OP_memory_grow: case OP_memory_fill: case OP_memory_copy: case OP_memory_init: walk_memory_op(w, op); break;
    case OP_i32_const:
        w->imm.x = (uint32_t)walk_s32(w);
        walk_shape(w, op, 0, 0, 0, VT_I32);
        break;
    case OP_i64_const:
        w->imm.x = (uint64_t)walk_s64(w);
        walk_shape(w, op, 0, 0, 0, VT_I64);
        break;
    case OP_f32_const:
        w->imm.x = mote__read_f32_bits(&w->r);
        walk_shape(w, op, 0, 0, 0, VT_F32);
        break;
    case OP_f64_const:
        w->imm.x = mote__read_f64_bits(&w->r);
        walk_shape(w, op, 0, 0, 0, VT_F64);
        break;
    case OP_v128_const:
        w->imm.bytes = mote__read_span(&w->r, 16).data;
        walk_shape(w, op, 0, 0, 0, VT_V128);
        break;
    case OP_ref_null: walk_ref_null(w); break;
    case OP_ref_func: walk_ref_func(w); break;
    case OP_ref_is_null: case OP_ref_as_non_null: walk_ref_unary(w, op); break;
    case OP_ref_eq: walk_shape(w, op, mote__vt_ref(MOTE_HEAP_EQ, true), mote__vt_ref(MOTE_HEAP_EQ, true), 0, VT_I32); break;
    case OP_br_on_null: case OP_br_on_non_null: walk_br_on_null(w, op); break;
    case OP_br_on_cast: case OP_br_on_cast_fail: walk_br_on_cast(w, op); break;
    case OP_ref_test: case OP_ref_test_null: case OP_ref_cast: case OP_ref_cast_null: walk_ref_cast(w, op); break;
    case OP_any_convert_extern: case OP_extern_convert_any: walk_convert(w, op); break;
    case OP_ref_i31: walk_shape(w, op, VT_I32, 0, 0, mote__vt_ref(MOTE_HEAP_I31, false)); break;
    case OP_i31_get_s: case OP_i31_get_u: walk_shape(w, op, mote__vt_ref(MOTE_HEAP_I31, true), 0, 0, VT_I32); break;
    case OP_struct_new: case OP_struct_new_default: walk_struct_new(w, op); break;
    case OP_struct_get: case OP_struct_get_s: case OP_struct_get_u: case OP_struct_set: walk_struct_access(w, op); break;
    case OP_array_new: case OP_array_new_default: case OP_array_new_fixed: walk_array_new(w, op); break;
    case OP_array_new_data: case OP_array_new_elem: case OP_array_init_data: case OP_array_init_elem: walk_array_segment(w, op); break;
    case OP_array_get: case OP_array_get_s: case OP_array_get_u: case OP_array_set: case OP_array_fill: walk_array_access(w, op); break;
    case OP_array_len: walk_shape(w, op, mote__vt_ref(MOTE_HEAP_ARRAY, true), 0, 0, VT_I32); break;
    case OP_array_copy: walk_array_copy(w); break;
    case OP_memory_atomic_notify: case OP_memory_atomic_wait32: case OP_memory_atomic_wait64: walk_atomic_wait(w, op); break;
    case OP_atomic_fence:
        if (mote__read_u8(&w->r) != 0) walk_fail(w, MOTE_E_MALFORMED, "zero byte expected");
        walk_shape(w, op, 0, 0, 0, 0);
        break;
    default: walk_by_row(w, op); break;
    }
}

WALK_INLINE bool walk_goes_on(const struct walk *w) { return w->depth && w->r.pos < w->r.end && !w->r.failed; }

/* Reads instructions until the outermost frame is closed or something fails. */
static void walk_loop(struct walk *w) {
    while (walk_goes_on(w)) {
        if (!w->is_const) walk_fast(w);
        if (walk_goes_on(w)) walk_one(w);
    }
}

/* Turns a reader's failure into the error, unless there is one already. */
static void walk_settle(struct walk *w, const char *at_end) {
    if (w->status != MOTE_OK) return;
    if (w->r.failed) {
        const char *why = w->r.failed_at >= w->r.end && !strcmp(w->r.failed, "unexpected end") ? at_end : w->r.failed;
        w->status = mote__error_set(w->error, MOTE_E_MALFORMED, (uint64_t)(w->r.failed_at - w->module->bytes.data), "%s", why);
    } else if (w->depth) {
        w->op_pos = w->r.end;
        walk_fail(w, MOTE_E_MALFORMED, "%s", at_end);
    }
}

/* ---------------------------------------------------------------- beginning and ending */

static void walk_init(struct walk *w, const mote_module *module, const mote_allocator *allocator, mote_error *error) {
    memset(w, 0, sizeof *w);
    w->module = module;
    w->types = module->types_registry;
    w->allocator = allocator;
    w->error = error;
    for (int i = 0; i < 256 && !WALK_TRUSTED; i++) {
        uint16_t op = mote__op_of_byte[i];
        w->byte_ops[i] = op != OP_INVALID && module->features >> mote__op_info[op].feature & 1 ? op : OP_INVALID;
    }
}

static void walk_deinit(struct walk *w) {
    mote__free(w->allocator, w->stack, w->capacity * sizeof *w->stack);
    mote__free(w->allocator, w->frames, w->frame_capacity * sizeof *w->frames);
    mote__vec_deinit(&w->runs, w->allocator);
    mote__vec_deinit(&w->inits, w->allocator);
    mote__vec_deinit(&w->init_bits, w->allocator);
    mote__vec_deinit(&w->labels, w->allocator);
    mote__vec_deinit(&w->catches, w->allocator);
}

/* Readies the walk for new bytes with a frame of type [] -> results of `type`. */
static bool walk_start(struct walk *w, const uint8_t *data, size_t size, struct walk_blocktype type) {
    mote__reader_init(&w->r, data, size);
    w->status = MOTE_OK;
    w->op_pos = data;
    w->count = w->depth = w->floor = 0;
    w->inits.count = 0;
    w->imm = (struct walk_imm){0}; /* its type may be of a module that is gone */
    w->live = true;
    return walk_reserve(w, 8) && walk_open(w, OP_call, type);
}

static bool walk_add_locals(struct walk *w, uint32_t count, valtype type) {
    if (!count) return true;
    struct walk_run *run = mote__vec_push(&w->runs, w->allocator);
    if (!run) {
        walk_nomem(w);
        return false;
    }
    *run = (struct walk_run){.end = w->local_count + count, .type = type};
    for (uint32_t i = w->local_count; i < run->end && i < WALK_LOCALS_EXPANDED; i++) w->locals[i] = type;
    w->local_count = run->end;
    w->expanded = w->local_count < WALK_LOCALS_EXPANDED ? w->local_count : WALK_LOCALS_EXPANDED;
    if (!WALK_TRUSTED && !mote__vt_has_default(type)) w->has_uninit = true;
    return true;
}

/* More locals than 32 bits can count are no WebAssembly at all; fewer are too many for us. */
WALK_COLD void walk_too_many_locals(struct walk *w, uint64_t total, uint32_t groups_left) {
    for (; groups_left && WALK_OK(w) && total <= UINT32_MAX; groups_left--) {
        total += walk_u32(w);
        walk_valtype(w);
    }
    if (!WALK_OK(w)) return;
    walk_fail(w, total > UINT32_MAX ? MOTE_E_MALFORMED : MOTE_E_LIMIT, "too many locals: more than %u",
              (unsigned)LIMIT_LOCALS);
}

/* Reads the local declarations of a body; parameters come first and count as set. */
static void walk_locals(struct walk *w, const mote_type *type) {
    w->runs.count = 0;
    w->local_count = w->expanded = 0;
    for (uint32_t i = 0; i < type->param_count; i++)
        if (!walk_add_locals(w, 1, mote__type_param(type, i))) return;
    w->has_uninit = false;
    uint32_t groups = walk_u32(w);
    for (uint32_t i = 0; i < groups && WALK_OK(w); i++) {
        w->op_pos = w->r.pos;
        uint32_t count = walk_u32(w);
        valtype local = walk_valtype(w);
        if (!WALK_OK(w)) return;
        if (count > LIMIT_LOCALS - (w->local_count < LIMIT_LOCALS ? w->local_count : LIMIT_LOCALS)) {
            walk_too_many_locals(w, w->local_count + (uint64_t)count, groups - i - 1);
            return;
        }
        if (!walk_add_locals(w, count, local)) return;
    }
    if (!w->has_uninit) return;
    w->init_bits.count = 0;
    size_t words = w->local_count / 64 + 1;
    if (!mote__vec_reserve(&w->init_bits, w->allocator, words)) {
        walk_nomem(w);
        return;
    }
    memset(w->init_bits.data, 0, words * sizeof(uint64_t));
    for (uint32_t i = 0; i < type->param_count; i++) w->init_bits.data[i / 64] |= UINT64_C(1) << (i % 64);
}

/* Readies the walk for an own function's body; then walk_loop and walk_finish_body. False after failing. */
static bool walk_begin_body(struct walk *w, uint32_t func_index) {
    const mote_module *m = w->module;
    const struct mote__body *body = &m->bodies[func_index - m->func_import_count];
    w->func_type = m->func_types[func_index];
    w->is_const = false;
    struct walk_blocktype type = {.type = w->func_type};
    if (!walk_start(w, m->bytes.data + body->offset, body->bytes, (struct walk_blocktype){0})) return false;
    w->frames[0].type = type; /* results only: the parameters are locals */
    walk_locals(w, w->func_type);
    return WALK_OK(w);
}

static mote_status walk_finish_body(struct walk *w) {
    walk_settle(w, "unexpected end of section or function: END opcode expected");
    if (w->status == MOTE_OK && w->r.pos != w->r.end) {
        w->op_pos = w->r.pos;
        walk_fail(w, MOTE_E_MALFORMED, "END opcode expected: bytes after the end of the function");
    }
    return w->status;
}
