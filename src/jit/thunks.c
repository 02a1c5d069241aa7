/* thunks.c - the machine code that every engine has once: the ways between C and compiled code (x86-64, System V calling convention).
 * Compiled code runs on the exec's native stack, C on the thread's own: each way switches rsp. What C may look at meanwhile - the activation's
 * frame and native stack pointer - is stored on the way out. */
#include "jit/jit.h"

enum { CALLEE_SAVED_COUNT = 6 };
static const int8_t callee_saved[CALLEE_SAVED_COUNT] = {RBX, RBP, R12, R13, R14, R15};

#define EXEC(field) at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, field))

static void push(struct code_buffer *b, int reg) {
    if (reg >= 8) x_byte(b, 0x41);
    x_byte(b, 0x50 | (reg & 7));
}
static void pop(struct code_buffer *b, int reg) {
    if (reg >= 8) x_byte(b, 0x41);
    x_byte(b, 0x58 | (reg & 7));
}

/* Stores where compiled code is: the frame in `frame` and the native stack; then the thread's stack and exec as first argument. */
static void out_to_c(struct code_buffer *b, int frame) {
    x_load(b, true, R11, EXEC(activation));
    x_store(b, true, frame, at_base(R11, (int32_t)offsetof(struct mote__activation, fp)));
    x_store(b, true, RSP, at_base(R11, (int32_t)offsetof(struct mote__activation, sp)));
    x_store(b, true, RSP, EXEC(native_sp));
    x_mov(b, true, RDI, REG_EXEC);
    x_mov(b, true, R11, RSP);
    x_load(b, true, RSP, EXEC(thread_sp));
    x_store(b, true, R11, at_base(RSP, 0)); /* a debugger finds the way back there (object.c) */
}

static void call_c(struct code_buffer *b, const void *function) {
    x_const(b, RAX, (uint64_t)(uintptr_t)function);
    x_through(b, 2, in_reg(RAX));
}

static void back_in(struct code_buffer *b) { x_load(b, true, RSP, EXEC(native_sp)); }
static void jump_to(struct code_buffer *b, size_t target) { x_patch(b, x_jmp(b), target); }
static void jump_if(struct code_buffer *b, enum x_cc cc, size_t target) { x_patch(b, x_jcc(b, cc), target); }

/* uint32_t enter(exec, fp, instance, code, own_index): 0 when the function returned. */
static void make_enter(struct code_buffer *b) {
    for (int i = 0; i < CALLEE_SAVED_COUNT; i++) push(b, callee_saved[i]);
    x_alu_const(b, ALU_SUB, true, in_reg(RSP), 8); /* a multiple of 16 where C is called; out_to_c's word */
    x_mov(b, true, REG_EXEC, RDI);
    x_mov(b, true, REG_FRAME, RSI);
    x_mov(b, true, REG_INSTANCE, RDX);
    x_load(b, true, REG_MEMORY, at_base(REG_INSTANCE, (int32_t)offsetof(struct mote__instance, fixed_base)));
    x_mov(b, false, RAX, R8);
    x_store(b, true, RSP, EXEC(thread_sp));
    x_mov(b, true, R11, RSP);
    back_in(b);
    push(b, R11); /* for debuggers, as in out_to_c */
    x_through(b, 2, in_reg(RCX));
    x_store(b, true, RAX, EXEC(returned));
    x_vstore(b, 0, at_base(REG_EXEC, (int32_t)offsetof(struct mote__exec, returned) + 8));
    x_zero(b, RAX);
}

/* Follows make_enter. The status is in eax. */
static void make_leave(struct code_buffer *b) {
    x_load(b, true, RSP, EXEC(thread_sp));
    x_alu_const(b, ALU_ADD, true, in_reg(RSP), 8);
    for (int i = CALLEE_SAVED_COUNT; i-- > 0;) pop(b, callee_saved[i]);
    x_ret(b);
}

/* C failed with eax on the thread's stack: leaves, or goes on where an exception was caught. */
static size_t make_fail(struct code_buffer *b, size_t leave) {
    size_t start = b->count;
    x_mov(b, false, RSI, RAX);
    x_mov(b, true, RDI, REG_EXEC);
    call_c(b, (const void *)(uintptr_t)mote__jit_fail);
    x_test(b, false, RAX);
    jump_if(b, CC_NE, leave);
    x_load(b, true, RCX, EXEC(activation));
    x_load(b, true, REG_FRAME, at_base(RCX, (int32_t)offsetof(struct mote__activation, fp)));
    x_load(b, true, RSP, at_base(RCX, (int32_t)offsetof(struct mote__activation, sp)));
    x_through(b, 4, EXEC(resume));
    return start;
}

/* The caller's frame in rcx: what C may look at while a callee has no frame of its own yet. */
static void caller_out_to_c(struct code_buffer *b) {
    x_load(b, true, RCX, at_base(REG_FRAME, FRAME_CALLER * 8));
    out_to_c(b, RCX);
}

static void make_lazy(struct code_buffer *b, size_t leave) {
    x_mov(b, false, RDX, RAX);
    x_mov(b, true, RSI, REG_INSTANCE);
    caller_out_to_c(b);
    call_c(b, (const void *)(uintptr_t)mote__jit_lazy);
    x_mov(b, true, RCX, RAX);
    x_mov(b, true, RAX, RDX); /* own index, or the status */
    x_test(b, true, RCX);
    jump_if(b, CC_E, leave);
    back_in(b);
    x_through(b, 4, in_reg(RCX));
}

/* Results are in slots, perhaps where the frame's header was: the first one goes to the result registers too. */
static void finish_call(struct code_buffer *b) {
    back_in(b);
    x_load(b, true, RCX, EXEC(results));
    x_load(b, true, RAX, at_base(RCX, 0));
    x_vload(b, 0, at_base(RCX, 0));
    x_load(b, true, RCX, EXEC(activation));
    x_load(b, true, REG_FRAME, at_base(RCX, (int32_t)offsetof(struct mote__activation, fp)));
    x_ret(b);
}

static void make_interpret(struct code_buffer *b, size_t fail) {
    x_mov(b, false, RCX, RAX);
    x_mov(b, true, RDX, REG_INSTANCE);
    x_mov(b, true, RSI, REG_FRAME);
    x_load(b, true, R8, at_base(REG_FRAME, FRAME_CALLER * 8));
    out_to_c(b, R8);
    call_c(b, (const void *)(uintptr_t)mote__jit_interpret);
    x_test(b, false, RAX);
    jump_if(b, CC_NE, fail);
    x_test(b, true, RDX);
    size_t tail = x_jcc(b, CC_NE);
    finish_call(b);
    x_patch(b, tail, b->count); /* it tail-called a compiled function: its code in rdx, its frame in the exec */
    back_in(b);
    x_load(b, true, REG_FRAME, EXEC(results));
    x_load(b, true, REG_INSTANCE, at_base(REG_FRAME, FRAME_INSTANCE * 8));
    x_load(b, true, REG_MEMORY, at_base(REG_INSTANCE, (int32_t)offsetof(struct mote__instance, fixed_base)));
    x_load(b, false, RAX, EXEC(tail_index));
    x_through(b, 4, in_reg(RDX));
}

/* The frame's caller is not who called if that was a tail call: the instance says it. */
static void make_host(struct code_buffer *b, size_t fail) {
    x_mov(b, true, RSI, REG_FRAME);
    caller_out_to_c(b);
    x_mov(b, true, RCX, REG_INSTANCE);
    call_c(b, (const void *)(uintptr_t)mote__jit_host);
    x_test(b, false, RAX);
    jump_if(b, CC_NE, fail);
    finish_call(b);
}

/* The helper in rax, or HELPER_resolve, whose function is in rdx then. */
static void make_helper(struct code_buffer *b, size_t fail, bool resolve) {
    out_to_c(b, REG_FRAME);
    if (resolve) x_const(b, RAX, (uint64_t)HELPER_resolve * 8);
    x_const(b, R10, (uint64_t)(uintptr_t)mote__jit_helpers);
    x_through(b, 2, at_index(R10, RAX, 0));
    x_test(b, false, RAX);
    jump_if(b, CC_NE, fail);
    back_in(b);
    if (resolve) x_load(b, true, RDX, EXEC(returned));
    x_ret(b);
}

static void make_trap(struct code_buffer *b, size_t fail) {
    x_mov(b, false, RAX, RDI);
    out_to_c(b, REG_FRAME);
    jump_to(b, fail);
}

static void make_stop(struct code_buffer *b, size_t fail) {
    out_to_c(b, REG_FRAME);
    call_c(b, (const void *)(uintptr_t)mote__jit_stop_reason);
    jump_to(b, fail);
}

static void make_overflow(struct code_buffer *b, size_t fail) {
    x_store(b, true, REG_INSTANCE, at_base(REG_FRAME, FRAME_INSTANCE * 8)); /* the callee's frame has its caller only */
    make_stop(b, fail);
}

/* A way to C on which every register stays: those that C does not keep are saved on the thread's stack. Two have a word of the exec on the way there. */
enum { KEPT_COUNT = 9, VECTOR_COUNT = 16, VECTORS_BYTES = VECTOR_COUNT * 16 + 8 }; /* with the words, a multiple of 16 */
static const int8_t kept[KEPT_COUNT] = {RAX, RCX, RDX, RSI, R8, R9, R10, R11, RDI};

static void save_registers(struct code_buffer *b) {
    const int32_t words = (int32_t)offsetof(struct mote__exec, returned);
    x_store(b, true, R11, at_base(REG_EXEC, words + 8));
    x_store(b, true, RDI, at_base(REG_EXEC, words + 16));
    out_to_c(b, REG_FRAME);
    for (int i = 0; i < KEPT_COUNT - 2; i++) push(b, kept[i]);
    for (int i = 1; i <= 2; i++) {
        x_load(b, true, RAX, at_base(REG_EXEC, words + 8 * i));
        push(b, RAX);
    }
    x_alu_const(b, ALU_SUB, true, in_reg(RSP), VECTORS_BYTES);
    for (int i = 0; i < VECTOR_COUNT; i++) x_vstore(b, i, at_base(RSP, 16 * i));
}

static void restore_registers(struct code_buffer *b) {
    for (int i = 0; i < VECTOR_COUNT; i++) x_vload(b, i, at_base(RSP, 16 * i));
    x_alu_const(b, ALU_ADD, true, in_reg(RSP), VECTORS_BYTES);
    for (int i = KEPT_COUNT; i-- > 0;) pop(b, kept[i]);
    back_in(b);
}

static void make_charge(struct code_buffer *b, size_t fail) {
    save_registers(b);
    call_c(b, (const void *)(uintptr_t)mote__jit_charge);
    x_test(b, false, RAX);
    size_t enough = x_jcc(b, CC_E);
    x_load(b, true, RSP, EXEC(thread_sp));
    jump_to(b, fail);
    x_patch(b, enough, b->count);
    restore_registers(b);
    x_ret(b);
}

static const uint64_t constants[K_COUNT][2] = {
    [K_F32_ABS] = {0x7FFFFFFF}, [K_F64_ABS] = {UINT64_C(0x7FFFFFFFFFFFFFFF)}, [K_F32_SIGN] = {0x80000000}, [K_F64_SIGN] = {UINT64_C(1) << 63},
    [K_F32_ONE] = {0x3F800000}, [K_F64_ONE] = {UINT64_C(0x3FF0000000000000)}, [K_F32_2_23] = {0x4B000000}, [K_F64_2_52] = {UINT64_C(0x4330000000000000)},
    [K_F32_MINUS_2_63] = {0xDF000000}, [K_F64_MINUS_2_63] = {UINT64_C(0xC3E0000000000000)},
    [K_F32X4_ABS] = {UINT64_C(0x7FFFFFFF7FFFFFFF), UINT64_C(0x7FFFFFFF7FFFFFFF)}, [K_F64X2_ABS] = {UINT64_C(0x7FFFFFFFFFFFFFFF), UINT64_C(0x7FFFFFFFFFFFFFFF)},
    [K_F32X4_SIGN] = {UINT64_C(0x8000000080000000), UINT64_C(0x8000000080000000)}, [K_F64X2_SIGN] = {UINT64_C(1) << 63, UINT64_C(1) << 63},
    [K_ONES] = {UINT64_MAX, UINT64_MAX},
#define TWICE(x) {UINT64_C(x), UINT64_C(x)}
    [K_BYTES_1] = TWICE(0x0101010101010101), [K_BYTES_0F] = TWICE(0x0F0F0F0F0F0F0F0F), [K_WORDS_1] = TWICE(0x0001000100010001),
    [K_NIBBLE_COUNTS] = {UINT64_C(0x0302020102010100), UINT64_C(0x0403030203020201)}, [K_WORDS_8000] = TWICE(0x8000800080008000),
    [K_DWORDS_FFFF] = TWICE(0x0000FFFF0000FFFF), [K_DWORDS_10000] = TWICE(0x0001000000010000), [K_DWORDS_2_52] = TWICE(0x4330000043300000),
    [K_F32X4_2_31] = TWICE(0x4F0000004F000000), [K_F64X2_INT32_MAX] = TWICE(0x41DFFFFFFFC00000), [K_F64X2_UINT32_MAX] = TWICE(0x41EFFFFFFFE00000),
    [K_F64X2_2_52] = TWICE(0x4330000000000000),
    [K_F32X4_NAN] = TWICE(0x7FC000007FC00000), [K_F64X2_NAN] = TWICE(0x7FF8000000000000),
#undef TWICE
};

void mote__jit_make_thunks(struct jit_engine *jit) {
    struct code_buffer b = {.data = jit->map.write, .capacity = 1 << 14};
    code_offset *at = jit->thunks;
#define HERE() (code_offset)(b.count = (b.count + 15) & ~(size_t)15)
    jit->constants = HERE();
    memcpy(b.data, constants, sizeof constants);
    b.count = sizeof constants;
    jit->host_cell = HERE();
    b.count += sizeof(void *);
    at[THUNK_ENTER] = HERE(), make_enter(&b);
    at[THUNK_LEAVE] = (code_offset)b.count, make_leave(&b);
    size_t leave = at[THUNK_LEAVE], fail = make_fail(&b, leave);
    at[THUNK_LAZY] = HERE(), make_lazy(&b, leave);
    at[THUNK_INTERPRET] = HERE(), make_interpret(&b, fail);
    at[THUNK_HOST] = HERE(), make_host(&b, fail);
    at[THUNK_HELPER] = HERE(), make_helper(&b, fail, false);
    at[THUNK_RESOLVE] = HERE(), make_helper(&b, fail, true);
    at[THUNK_TRAP] = HERE(), make_trap(&b, fail);
    at[THUNK_OVERFLOW] = HERE(), make_overflow(&b, fail);
    at[THUNK_STOP] = HERE(), make_stop(&b, fail);
    at[THUNK_CHARGE] = HERE(), make_charge(&b, fail);
    jit->thunks_end = HERE();
    void *host = jit_address(jit, at[THUNK_HOST]);
    memcpy(b.data + jit->host_cell, &host, sizeof host);
#undef HERE
}
