/* baseline_memory.h - the part of baseline.c for accesses to memories: plain ones, of lanes, atomic ones, and small fills and copies.
 *
 * A guarded memory (32-bit, pages of 64 KiB, not low_address_space) is accessed without a check: what is out of bounds faults. Any other access compares
 * the end of what it touches with the memory's size. Included by baseline.c alone. */

enum { OFFSET_MAX = (32 << 20) - 65536 }; /* what the guard behind a memory absorbs */

/* The processor's instruction for an access. */
struct access {
    uint32_t opcode;
    uint8_t flags, bytes, type;
    uint8_t fold;  /* loads: what may take it as its operand (enum fold) */
    uint8_t splat; /* pshufd behind it, + 1 */
    bool store;
};

static const struct access plain_accesses[] = {
#define L(id, type, bytes, fold, prefix, map, byte, flags) [OP_##id - OP_i32_load] = {X_OP(prefix, map, byte), flags, bytes, VT_##type, fold, 0, false},
#define S(id, type, bytes, prefix, map, byte, flags)       [OP_##id - OP_i32_load] = {X_OP(prefix, map, byte), flags, bytes, VT_##type, 0, 0, true},
    L(i32_load, I32, 4, FOLD_I32, 0, 0, 0x8B, 0) L(i64_load, I64, 8, FOLD_I64, 0, 0, 0x8B, X_WIDE)
    L(f32_load, F32, 4, FOLD_F32, 0xF3, 1, 0x10, 0) L(f64_load, F64, 8, FOLD_F64, 0xF2, 1, 0x10, 0)
    L(i32_load8_s, I32, 1, FOLD_BYTE_S, 0, 1, 0xBE, 0) L(i32_load8_u, I32, 1, FOLD_BYTE_U, 0, 1, 0xB6, 0)
    L(i32_load16_s, I32, 2, 0, 0, 1, 0xBF, 0) L(i32_load16_u, I32, 2, 0, 0, 1, 0xB7, 0)
    L(i64_load8_s, I64, 1, 0, 0, 1, 0xBE, X_WIDE) L(i64_load8_u, I64, 1, 0, 0, 1, 0xB6, 0)
    L(i64_load16_s, I64, 2, 0, 0, 1, 0xBF, X_WIDE) L(i64_load16_u, I64, 2, 0, 0, 1, 0xB7, 0)
    L(i64_load32_s, I64, 4, 0, 0, 0, 0x63, X_WIDE) L(i64_load32_u, I64, 4, 0, 0, 0, 0x8B, 0)
    S(i32_store, I32, 4, 0, 0, 0x89, 0) S(i64_store, I64, 8, 0, 0, 0x89, X_WIDE)
    S(f32_store, F32, 4, 0xF3, 1, 0x11, 0) S(f64_store, F64, 8, 0xF2, 1, 0x11, 0)
    S(i32_store8, I32, 1, 0, 0, 0x88, X_BYTE_REG) S(i32_store16, I32, 2, 0x66, 0, 0x89, 0)
    S(i64_store8, I64, 1, 0, 0, 0x88, X_BYTE_REG) S(i64_store16, I64, 2, 0x66, 0, 0x89, 0) S(i64_store32, I64, 4, 0, 0, 0x89, 0)
#undef L
#undef S
};

static const struct vector_access { uint16_t op; struct access access; } vector_accesses[] = {
#define V(id, bytes, prefix, map, byte, store)  {OP_##id, {X_OP(prefix, map, byte), 0, bytes, VT_V128, 0, 0, store}},
#define SPLAT(id, bytes, prefix, order)         {OP_##id, {X_OP(prefix, 1, 0x10), 0, bytes, VT_V128, 0, (order) + 1, false}},
    V(v128_load, 16, 0, 1, 0x10, false) V(v128_store, 16, 0, 1, 0x11, true)
    V(v128_load32_zero, 4, 0xF3, 1, 0x10, false) V(v128_load64_zero, 8, 0xF2, 1, 0x10, false)
    SPLAT(v128_load32_splat, 4, 0xF3, 0x00) SPLAT(v128_load64_splat, 8, 0xF2, 0x44)
    V(v128_load8x8_s, 8, 0x66, 2, 0x20, false) V(v128_load8x8_u, 8, 0x66, 2, 0x30, false)
    V(v128_load16x4_s, 8, 0x66, 2, 0x23, false) V(v128_load16x4_u, 8, 0x66, 2, 0x33, false)
    V(v128_load32x2_s, 8, 0x66, 2, 0x25, false) V(v128_load32x2_u, 8, 0x66, 2, 0x35, false)
#undef V
#undef SPLAT
};
enum { VECTOR_ACCESSES = sizeof vector_accesses / sizeof *vector_accesses };

/* NULL: the processor has no single instruction for it. */
static const struct access *vector_access(enum mote__op op) {
    for (uint32_t i = 0; i < VECTOR_ACCESSES; i++)
        if (vector_accesses[i].op == op) return &vector_accesses[i].access;
    return NULL;
}

/* ---------------------------------------------------------------- where an access goes */

static const struct mote__memtype *memory_type(const struct walk *w, uint32_t memory) { return &w->module->memories[memory]; }

static bool is_guarded(const struct walk *w, uint32_t memory) {
    return memory ? mote__memory_is_guarded(w->module->engine, memory_type(w, memory)) : w->c->fixed;
}

/* The access at hand needs no check. */
WALK_INLINE bool is_unchecked(const struct walk *w) { return w->imm.x < OFFSET_MAX && (w->imm.a ? is_guarded(w, w->imm.a) : w->c->fixed); }

/* A word of one of the instance's index spaces. */
static struct x_rm in_space(size_t space, uint32_t index) { return at_base(REG_INSTANCE, (int32_t)(space + index * sizeof(void *))); }

/* The struct mote__memory of a memory, or a shared one's struct mote_shared_memory, in a register. */
static void load_memory(struct walk *w, uint32_t memory, int to) {
    struct compilation *c = w->c;
    x_load(c->b, true, to, in_space(c->layout.memories, memory));
    if (memory_type(w, memory)->shared) x_load(c->b, true, to, at_base(to, (int32_t)offsetof(struct mote__memory, shared)));
}

static struct x_rm memory_bytes(const struct walk *w, uint32_t memory, int object) {
    bool shared = memory_type(w, memory)->shared;
    return at_base(object, (int32_t)(shared ? offsetof(struct mote_shared_memory, bytes) : offsetof(struct mote__memory, bytes)));
}

static void load_memory_base(struct walk *w, uint32_t memory, int reg) {
    bool shared = memory_type(w, memory)->shared;
    x_load(w->c->b, true, reg, at_base(reg, (int32_t)(shared ? offsetof(struct mote_shared_memory, base) : offsetof(struct mote__memory, base))));
}

/* The end of the access is compared; base and end are in temporaries. */
static struct x_rm checked_address(struct walk *w, struct walk_value *v, uint32_t bytes) {
    struct compilation *c = w->c;
    uint32_t memory = w->imm.a;
    uint64_t more = w->imm.x + bytes;
    bool is_64 = memory_type(w, memory)->is_64;
    int index = use_reg(w, v), end = take_temp(w, GP);
    if (!is_64 && more <= INT32_MAX) {
        x_lea(c->b, true, end, at_base(index, (int32_t)more));
    } else {
        x_const(c->b, end, more);
        x_alu(c->b, ALU_ADD, true, end, in_reg(index));
    }
    if (is_64) trap_when(w, CC_B, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
    release_reg(c, GP, index);
    int base = take_temp(w, GP);
    load_memory(w, memory, base);
    x_alu(c->b, ALU_CMP, true, end, memory_bytes(w, memory, base));
    trap_when(w, CC_A, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
    load_memory_base(w, memory, base);
    return at_index(base, end, -(int32_t)bytes);
}

/* Base and index of an access that needs no check. */
static struct x_rm unchecked_address(struct walk *w, struct walk_value *v) {
    int index = use_reg(w, v), base = REG_MEMORY;
    if (w->imm.a) {
        base = take_temp(w, GP);
        load_memory(w, w->imm.a, base);
        load_memory_base(w, w->imm.a, base);
    }
    return at_index(base, index, (int32_t)w->imm.x);
}

static struct x_rm address(struct walk *w, struct walk_value *v, uint32_t bytes, bool unchecked) {
    if (!unchecked) return checked_address(w, v, bytes);
    uint64_t at = (uint32_t)v->bits + w->imm.x;
    if (v->loc == LOC_CONST && !w->imm.a && at <= INT32_MAX) return at_base(REG_MEMORY, (int32_t)at);
    return unchecked_address(w, v);
}

/* ---------------------------------------------------------------- plain loads and stores */

static void emit_load(struct walk *w, const struct access *a) {
    valtype type = a->type;
    unlink_operand(w);
    struct walk_value *v = operand(w, 0);
    bool unchecked = is_unchecked(w);
    struct x_rm from = address(w, v, a->bytes, unchecked);
    if (a->fold && unchecked && !w->imm.a && holds_load(w, a->fold)) {
        result_in_load(w, type, a->opcode, a->flags | (a->bytes == 1 ? X_BYTE_LOAD : 0), from);
        return;
    }
    bool remembers = is_own(v) && is_cached(w->c, GP, v->reg);
    int to = take_result(w, class_of(type), remembers || !unchecked ? NULL : v, NO_REG);
    x_ins(w->c->b, a->opcode, a->flags, to, from);
    if (a->splat) {
        x_ins(w->c->b, X_OP(0x66, 1, 0x70), 0, to, in_reg(to));
        x_byte(w->c->b, a->splat - 1u);
    }
    result_in_reg(w, w->count, type, to);
}

static void emit_store(struct walk *w, const struct access *a) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct walk_value *value = operand(w, 1);
    struct x_rm to = address(w, operand(w, 0), a->bytes, is_unchecked(w));
    bool word = a->opcode == X_OP(0, 0, 0x89);
    if (word && value->loc == LOC_CONST && class_of(value->type) == GP && (!(a->flags & X_WIDE) || is_const32(value)))
        x_store_const(c->b, a->flags & X_WIDE, (int32_t)(uint32_t)value->bits, to);
    else x_ins(c->b, a->opcode, a->flags, use_reg(w, value), to);
}

/* ---------------------------------------------------------------- lanes */

static void spread_bytes(struct compilation *c, int reg, uint32_t bytes);

/* A byte or word in every lane. */
static void emit_load_splat(struct walk *w, uint32_t bytes) {
    struct compilation *c = w->c;
    unlink_operand(w);
    struct x_rm from = address(w, operand(w, 0), bytes, is_unchecked(w));
    int via = take_temp(w, GP), to = take_temp(w, FP);
    x_ins(c->b, X_OP(0, 1, bytes == 1 ? 0xB6 : 0xB7), 0, via, from);
    x_to_float(c->b, false, to, via);
    spread_bytes(c, to, bytes);
    result_in_reg(w, w->count, VT_V128, to);
}

/* pinsr and pextr from and to memory; halves are moved by older instructions, which say which half by their opcode. */
struct lane_access { uint32_t load, store; bool wide, sse41_load, sse41_store; };
static struct lane_access lane_access(uint32_t bytes, uint32_t lane) {
    switch (bytes) {
    case 1: return (struct lane_access){X_OP(0x66, 3, 0x20), X_OP(0x66, 3, 0x14), false, true, true};
    case 2: return (struct lane_access){X_OP(0x66, 1, 0xC4), X_OP(0x66, 3, 0x15), false, false, true};
    case 4: return (struct lane_access){X_OP(0x66, 3, 0x22), X_OP(0x66, 3, 0x16), false, true, true};
    default: return lane ? (struct lane_access){X_OP(0, 1, 0x16), X_OP(0, 1, 0x17), false, false, false}
                         : (struct lane_access){X_OP(0, 1, 0x12), X_OP(0, 1, 0x13), false, false, false};
    }
}

static void emit_load_lane(struct walk *w, const struct lane_access *a, uint32_t bytes) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct x_rm from = address(w, operand(w, 0), bytes, is_unchecked(w));
    struct walk_value *v = operand(w, 1);
    int vector = use_reg(w, v), to = take_result(w, FP, v, NO_REG);
    x_vmov(c->b, to, vector);
    x_ins(c->b, a->load, 0, to, from);
    if (bytes < 8) x_byte(c->b, w->imm.b);
    result_in_reg(w, w->count, VT_V128, to);
}

static void emit_store_lane(struct walk *w, const struct lane_access *a, uint32_t bytes) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct x_rm to = address(w, operand(w, 0), bytes, is_unchecked(w));
    x_ins(c->b, a->store, 0, use_reg(w, operand(w, 1)), to);
    if (bytes < 8) x_byte(c->b, w->imm.b);
}

static bool emit_lane(struct walk *w, enum mote__op op, uint32_t bytes) {
    struct lane_access a = lane_access(bytes, w->imm.b);
    bool store = mote__op_info[op].kind == KIND_STORE_LANE;
    if ((store ? a.sse41_store : a.sse41_load) && !has_cpu(w->c, OS_CPU_SSE41)) return false;
    if (store) emit_store_lane(w, &a, bytes);
    else emit_load_lane(w, &a, bytes);
    return true;
}

/* ---------------------------------------------------------------- atomic accesses */

/* An instruction on 1, 2, 4 or 8 bytes whose opcode for bytes is even and followed by that for words. */
static void sized_ins(struct compilation *c, uint32_t map, uint32_t byte, uint32_t bytes, int reg, struct x_rm rm) {
    unsigned flags = bytes == 8 ? X_WIDE : bytes == 1 ? X_BYTE_REG : 0;
    x_ins(c->b, X_OP(bytes == 2 ? 0x66 : 0, map, byte | (bytes > 1)), flags, reg, rm);
}
static void locked_ins(struct compilation *c, uint32_t map, uint32_t byte, uint32_t bytes, int reg, struct x_rm rm) {
    x_byte(c->b, 0xF0);
    sized_ins(c, map, byte, bytes, reg, rm);
}

/* Loads and extends by zeros; from the register itself it extends what is there. */
static void load_sized(struct compilation *c, uint32_t bytes, int to, struct x_rm from) {
    if (bytes >= 4) x_load(c->b, bytes == 8, to, from);
    else x_ins(c->b, X_OP(0, 1, bytes == 1 ? 0xB6 : 0xB7), bytes == 1 ? X_BYTE_REG : 0, to, from);
}

/* The place of an atomic access, aligned. An access that is out of bounds as well traps for that: the stub touches it. */
static struct x_rm atomic_address(struct walk *w, struct walk_value *v, uint32_t bytes) {
    struct compilation *c = w->c;
    bool unchecked = is_unchecked(w);
    struct x_rm rm = unchecked ? unchecked_address(w, v) : checked_address(w, v, bytes);
    if (bytes == 1) return rm;
    if (unchecked && rm.disp) {
        int index = rm.index;
        release_reg(c, GP, index);
        rm.index = (int8_t)take_temp(w, GP);
        x_lea(c->b, true, rm.index, at_base(index, rm.disp));
        rm.disp = 0;
    }
    x_ins(c->b, X_OP(0, 0, 0xF6), X_BYTE_REG, 0, in_reg(rm.index)); /* test: the end is aligned when the start is */
    x_byte(c->b, bytes - 1);
    add_stub(w, (struct stub){.kind = STUB_UNALIGNED, .reg = rm.base, .to = rm.index, .a = (uint32_t)(rm.disp + (int32_t)bytes - 1), .at = (uint32_t)x_jcc(c->b, CC_NE)});
    return rm;
}

static void emit_unaligned_stub(struct compilation *c, const struct stub *s) {
    x_movzx8(c->b, RDI, at_index(s->reg, s->to, (int32_t)s->a));
    trap_now(c, MOTE_TRAP_UNALIGNED_ATOMIC);
}

/* rax is the instruction's own; of the top `n` operands none is in it any more. */
static void vacate_rax(struct walk *w, uint32_t n) {
    take_certain(w, GP, RAX);
    for (uint32_t k = 0; k < n; k++) {
        struct walk_value *v = operand(w, k);
        if (v->loc != LOC_REG || class_of(v->type) != GP || v->reg != RAX) continue;
        v->reg = (int8_t)take_temp(w, GP);
        x_mov(w->c->b, true, v->reg, RAX);
    }
}

static void emit_atomic_load(struct walk *w, uint32_t bytes, valtype type) {
    unlink_operand(w);
    struct x_rm from = atomic_address(w, operand(w, 0), bytes);
    int to = take_temp(w, GP);
    load_sized(w->c, bytes, to, from);
    result_in_reg(w, w->count, type, to);
}

/* What adding (xadd) or exchanging leaves in the register is what was there; a store is an exchange. */
static void emit_exchange(struct walk *w, uint32_t bytes, valtype type, bool add, bool negate_first, bool result) {
    struct compilation *c = w->c;
    unlink_two(w);
    struct x_rm rm = atomic_address(w, operand(w, 0), bytes);
    int value = use_reg(w, operand(w, 1)), to = take_temp(w, GP);
    x_mov(c->b, true, to, value);
    if (negate_first) x_group3(c->b, 3, true, to);
    if (add) locked_ins(c, 1, 0xC0, bytes, to, rm);
    else sized_ins(c, 0, 0x86, bytes, to, rm); /* locks by itself */
    if (bytes < 4) load_sized(c, bytes, to, in_reg(to));
    if (result) result_in_reg(w, w->count, type, to);
}

/* and, or, xor: until nobody came between. */
static void emit_atomic_alu(struct walk *w, uint32_t bytes, valtype type, enum x_alu alu) {
    struct compilation *c = w->c;
    unlink_two(w);
    vacate_rax(w, 2);
    struct x_rm rm = atomic_address(w, operand(w, 0), bytes);
    int value = use_reg(w, operand(w, 1)), changed = take_temp(w, GP);
    load_sized(c, bytes, RAX, rm);
    uint32_t again = here(c);
    x_mov(c->b, true, changed, RAX);
    x_alu(c->b, alu, true, changed, in_reg(value));
    locked_ins(c, 1, 0xB0, bytes, changed, rm);
    x_patch(c->b, x_jcc(c->b, CC_NE), again);
    result_in_reg(w, w->count, type, RAX);
}

static void emit_cmpxchg(struct walk *w, uint32_t bytes, valtype type) {
    struct compilation *c = w->c;
    unlink_operands(w, 3);
    vacate_rax(w, 3);
    struct x_rm rm = atomic_address(w, operand(w, 0), bytes);
    int expected = use_reg(w, operand(w, 1));
    x_mov(c->b, true, RAX, expected);
    if (expected != rm.index) release_reg(c, GP, expected); /* both may be one local */
    int replacement = use_reg(w, operand(w, 2));
    locked_ins(c, 1, 0xB0, bytes, replacement, rm);
    load_sized(c, bytes, RAX, in_reg(RAX));
    result_in_reg(w, w->count, type, RAX);
}

enum { RMW_ADD, RMW_SUB, RMW_AND, RMW_OR, RMW_XOR, RMW_XCHG, RMW_WIDTHS = 7 };
static_assert(OP_i32_atomic_rmw_cmpxchg == OP_i32_atomic_rmw_add + (RMW_XCHG + 1) * RMW_WIDTHS, "read-modify-write rows are in groups of seven widths");

static void emit_atomic_rmw(struct walk *w, enum mote__op op, uint32_t bytes, valtype type) {
    switch ((op - OP_i32_atomic_rmw_add) / RMW_WIDTHS) {
    case RMW_ADD: emit_exchange(w, bytes, type, true, false, true); return;
    case RMW_SUB: emit_exchange(w, bytes, type, true, true, true); return;
    case RMW_AND: emit_atomic_alu(w, bytes, type, ALU_AND); return;
    case RMW_OR: emit_atomic_alu(w, bytes, type, ALU_OR); return;
    case RMW_XOR: emit_atomic_alu(w, bytes, type, ALU_XOR); return;
    default: emit_exchange(w, bytes, type, false, false, true); return;
    }
}

/* ---------------------------------------------------------------- all accesses */

/* Anything but a plain access. True when machine code was emitted. */
static bool emit_other_access(struct walk *w, enum mote__op op) {
    const struct access *a = vector_access(op);
    uint32_t bytes = mote__op_info[op].mem_bytes;
    char out = result_letter(op);
    valtype type = out ? walk_letter(out) : 0;
    if (a && x_is_new(a->opcode) && !has_cpu(w->c, OS_CPU_SSE41)) return false;
    if (a && a->store) emit_store(w, a);
    else if (a) emit_load(w, a);
    else switch (mote__op_info[op].kind) {
    case KIND_LOAD_LANE: case KIND_STORE_LANE: return emit_lane(w, op, bytes);
    case KIND_ATOMIC_LOAD: emit_atomic_load(w, bytes, type); break;
    case KIND_ATOMIC_STORE: emit_exchange(w, bytes, type, false, false, false); break;
    case KIND_ATOMIC_RMW: emit_atomic_rmw(w, op, bytes, type); break;
    case KIND_ATOMIC_CMPXCHG: emit_cmpxchg(w, bytes, type); break;
    default: /* v128.load8_splat, v128.load16_splat */ emit_load_splat(w, bytes); break;
    }
    return true;
}

static void on_memory(struct walk *w, enum mote__op op, uint32_t n_in) {
    begin(w);
    uint32_t plain = op - (uint32_t)OP_i32_load;
    bool far = w->imm.x > INT64_MAX; /* an offset beyond any memory: its sum may overflow */
    if (!far && plain < sizeof plain_accesses / sizeof *plain_accesses) {
        const struct access *a = &plain_accesses[plain];
        if (a->store) emit_store(w, a);
        else emit_load(w, a);
    } else if (far || !emit_other_access(w, op)) {
        emit_step(w, op, n_in);
    }
}

/* ---------------------------------------------------------------- sizes, small fills and copies */

static void emit_memory_size(struct walk *w) {
    uint32_t memory = w->imm.a;
    const struct mote__memtype *type = memory_type(w, memory);
    int to = take_temp(w, GP);
    load_memory(w, memory, to);
    x_load(w->c->b, true, to, memory_bytes(w, memory, to));
    if (type->page_log2) x_shift_const(w->c->b, SHIFT_SHR, true, to, type->page_log2);
    result_in_reg(w, w->count, type->is_64 ? VT_I64 : VT_I32, to);
}

enum { SMALL_MAX = 63, CHUNKS_MAX = 4 }; /* from 64 bytes on fuel is charged for them */

/* A run of bytes as chunks of one size, a power of two: the last one may overlap the one before. */
struct chunks { uint32_t bytes, count, at[CHUNKS_MAX]; };
static struct chunks chunks_of(uint32_t bytes) {
    struct chunks k = {.bytes = 16};
    while (k.bytes > bytes) k.bytes /= 2;
    for (uint32_t at = 0; at < bytes; at += k.bytes) k.at[k.count++] = at + k.bytes < bytes ? at : bytes - k.bytes;
    return k;
}

/* Between memory and a register: of floats and vectors from 4 bytes on. */
static void load_chunk(struct compilation *c, uint32_t bytes, int reg, struct x_rm rm) {
    if (bytes == 16) x_vload(c->b, reg, rm);
    else if (bytes >= 4) x_fload(c->b, bytes == 8, reg, rm);
    else load_sized(c, bytes, reg, rm);
}
static void store_chunk(struct compilation *c, uint32_t bytes, int reg, struct x_rm rm) {
    if (bytes == 16) x_vstore(c->b, reg, rm);
    else if (bytes >= 4) x_fstore(c->b, bytes == 8, reg, rm);
    else sized_ins(c, 0, 0x88, bytes, reg, rm);
}

/* Everything is read before anything is written, and the last byte is written first: so what is out of bounds faults before there is an effect. */
static void emit_small_copy(struct walk *w, uint32_t bytes) {
    struct compilation *c = w->c;
    struct chunks k = chunks_of(bytes);
    int cls = k.bytes >= 4 ? FP : GP, regs[CHUNKS_MAX];
    int from = use_reg(w, operand(w, 1));
    for (uint32_t i = 0; i < k.count; i++) {
        regs[i] = take_temp(w, cls);
        load_chunk(c, k.bytes, regs[i], at_index(REG_MEMORY, from, (int32_t)k.at[i]));
    }
    int to = use_reg(w, operand(w, 0));
    for (uint32_t i = k.count; i-- > 0;) store_chunk(c, k.bytes, regs[i], at_index(REG_MEMORY, to, (int32_t)k.at[i]));
}

/* A byte in all bytes of a register. */
static int spread_value(struct walk *w, int cls) {
    struct compilation *c = w->c;
    int value = use_reg(w, operand(w, 1)), to = take_temp(w, cls);
    if (cls == FP) {
        x_to_float(c->b, false, to, value);
        spread_bytes(c, to, 1);
    } else {
        x_movzx8(c->b, to, in_reg(value));
        x_imul_const(c->b, false, to, in_reg(to), 0x0101);
    }
    return to;
}

static void emit_small_fill(struct walk *w, uint32_t bytes) {
    struct compilation *c = w->c;
    struct chunks k = chunks_of(bytes);
    int value = spread_value(w, k.bytes >= 4 ? FP : GP), to = use_reg(w, operand(w, 0));
    for (uint32_t i = k.count; i-- > 0;) store_chunk(c, k.bytes, value, at_index(REG_MEMORY, to, (int32_t)k.at[i]));
}

/* memory.fill and memory.copy of few bytes, a constant number, within memory 0. False: they are more. */
static bool emit_small_bulk(struct walk *w, enum mote__op op) {
    const struct walk_value *count = operand(w, 2);
    bool copy = op == OP_memory_copy;
    if ((!copy && op != OP_memory_fill) || w->imm.a || (copy && w->imm.b) || !w->c->fixed) return false;
    if (count->loc != LOC_CONST || !count->bits || count->bits > SMALL_MAX) return false;
    unlink_operands(w, 3);
    if (copy) emit_small_copy(w, (uint32_t)count->bits);
    else emit_small_fill(w, (uint32_t)count->bits);
    return true;
}
