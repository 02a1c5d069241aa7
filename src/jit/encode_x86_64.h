/* encode_x86_64.h - machine code for x86-64: what baseline.c and thunks.c ask of a CPU, one function per instruction or short sequence.
 * An encoder provides: registers with their roles (below), moves between registers, slots and constants, arithmetic by table, memory accesses,
 * conditional jumps with 32-bit distances, and calls through memory. It decides nothing: no operand is moved unless it says so.
 *
 * Roles that every piece of compiled code keeps:
 *   rbx frame (exec.h)   r14 base of memory 0   r15 instance   r13 exec   rsp the exec's native stack: return addresses only
 *   rax rcx rdx r8 r9 and xmm0-5 hold operands of the stack (temporaries), rax or xmm0 also a single result
 *   rsi rdi rbp r10 r11 r12 and xmm6-15 hold locals (pins)
 *
 * Source: Intel 64 Architectures Software Developer's Manual, volume 2. Bytes are appended to a buffer with room made beforehand (code_room). */
#ifndef MOTE_JIT_ENCODE_X86_64_H
#define MOTE_JIT_ENCODE_X86_64_H

#include <assert.h>
#include <string.h>

#include "base/vec.h"

enum x_reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG = -1 };
enum { REG_FRAME = RBX, REG_MEMORY = R14, REG_INSTANCE = R15, REG_EXEC = R13 };
/* Conditions as the processor numbers them; ^ 1 is the opposite. */
enum x_cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

struct code_buffer {
    uint8_t *data;
    size_t count, capacity;
    const mote_allocator *allocator;
    bool failed; /* out of memory: the bytes are thrown away, one room's worth at a time */
#ifndef NDEBUG
    size_t end; /* of the room that was made last */
#endif
};

enum { CODE_ROOM = 1024 };
static inline bool code_is_full(const struct code_buffer *b) { return b->capacity - b->count < CODE_ROOM; }

/* Builds with assertions see who writes more than there was room for. */
static inline void code_room_made(struct code_buffer *b) {
#ifndef NDEBUG
    assert(b->count <= b->end || !b->count);
    b->end = b->count + CODE_ROOM;
#else
    (void)b;
#endif
}

/* Makes room for CODE_ROOM bytes. After failing the buffer starts again from its beginning, so that callers need not look. */
static inline void code_room(struct code_buffer *b) {
    if (code_is_full(b) && !mote__vec_reserve_bytes(b->allocator, (void **)&b->data, b->count, &b->capacity, CODE_ROOM, 1)) {
        b->failed = true;
        b->count = 0;
    }
    code_room_made(b);
}

static inline void x_byte(struct code_buffer *b, uint32_t byte) { b->data[b->count++] = (uint8_t)byte; }
static inline void x_32(struct code_buffer *b, uint32_t x) {
    memcpy(b->data + b->count, &x, 4);
    b->count += 4;
}
static inline void x_64(struct code_buffer *b, uint64_t x) {
    memcpy(b->data + b->count, &x, 8);
    b->count += 8;
}

/* ---------------------------------------------------------------- one instruction, in general */

/* A register, or memory at base + (index << scale_log2) + disp. */
struct x_rm {
    int8_t reg, base, index;
    uint8_t scale_log2;
    int32_t disp;
};
static inline struct x_rm in_reg(int reg) { return (struct x_rm){.reg = (int8_t)reg, .base = NO_REG, .index = NO_REG}; }
static inline struct x_rm at_base(int base, int32_t disp) { return (struct x_rm){.reg = NO_REG, .base = (int8_t)base, .index = NO_REG, .disp = disp}; }
static inline struct x_rm at_index(int base, int index, int32_t disp) {
    return (struct x_rm){.reg = NO_REG, .base = (int8_t)base, .index = (int8_t)index, .disp = disp};
}
static inline struct x_rm at_element(int base, int index, int scale_log2, int32_t disp) {
    return (struct x_rm){.reg = NO_REG, .base = (int8_t)base, .index = (int8_t)index, .scale_log2 = (uint8_t)scale_log2, .disp = disp};
}
/* Relative to the next instruction: the distance, written as 0, is the last 4 bytes of an instruction without an immediate. */
static inline struct x_rm at_rip(void) { return (struct x_rm){.reg = NO_REG, .base = NO_REG, .index = NO_REG}; }
static inline bool is_rip(struct x_rm rm) { return rm.reg < 0 && rm.base < 0; }
static inline struct x_rm at_slot(int32_t slot) { return at_base(REG_FRAME, slot * 8); }

/* Opcodes: a prefix (66, F3, F2 or 0), the map (0: one byte, 1: 0F, 2: 0F38, 3: 0F3A) and the byte, as they are written: up to three bytes, how many they are
 * (from bit 24), which prefix comes first (from bit 26). Never 0. */
#define X_OP(prefix, map, byte)                                                                    \
    ((map) == 0   ? X_OP_BYTES(prefix, 1, (uint32_t)(byte))                                        \
     : (map) == 1 ? X_OP_BYTES(prefix, 2, 0x0F | (uint32_t)(byte) << 8)                            \
     : (map) == 2 ? X_OP_BYTES(prefix, 3, 0x380F | (uint32_t)(byte) << 16)                         \
                  : X_OP_BYTES(prefix, 3, 0x3A0F | (uint32_t)(byte) << 16))
#define X_OP_BYTES(prefix, count, bytes) (X_PREFIX(prefix) << 26 | UINT32_C(count) << 24 | (bytes))
#define X_PREFIX(prefix) ((prefix) == 0x66 ? 1u : (prefix) == 0xF3 ? 2u : (prefix) == 0xF2 ? 3u : 0u)
enum { X_WIDE = 1, X_BYTE_REG = 2, X_BYTE_LOAD = 4 /* not encoded: one byte, extended */ };

/* Instructions of the maps 0F38 and 0F3A are newer than SSE2. */
static inline bool x_is_new(uint32_t op) { return (op >> 24 & 3) == 3; }

static inline uint8_t *x_put_32(uint8_t *p, uint32_t x) {
    memcpy(p, &x, 4);
    return p + 4;
}

/* What stands before the operands, at `p`; returns its end. `rex` 0: there is none. */
static inline uint8_t *x_put_opcode(uint8_t *p, uint32_t op, uint32_t rex) {
    if (op >> 26) *p++ = (uint8_t)(0xF2F36600 >> (op >> 26) * 8);
    *p = (uint8_t)rex;
    p += rex != 0;
    x_put_32(p, op);
    return p + (op >> 24 & 3);
}

static inline uint32_t x_rex(unsigned flags, int reg, uint32_t base, uint32_t index) {
    uint32_t rex = (flags & X_WIDE) << 3 | (uint32_t)(reg & 8) >> 1 | (index & 8) >> 2 | (base & 8) >> 3;
    return rex || flags & X_BYTE_REG ? 0x40 | rex : 0;
}
static inline uint32_t x_reg_bits(int reg) { return (uint32_t)(reg & 7) << 3; }

#define X_FORM static __attribute__((noinline)) void
/* With a slot of the frame, the commonest operand. */
X_FORM x_ins_slot(struct code_buffer *b, uint32_t op, unsigned flags, int reg, int32_t disp) {
    uint8_t *p = x_put_opcode(b->data + b->count, op, x_rex(flags, reg, 0, 0));
    uint32_t mode = disp != (int8_t)disp ? 2 : disp != 0;
    *p++ = (uint8_t)(mode << 6 | x_reg_bits(reg) | REG_FRAME);
    x_put_32(p, (uint32_t)disp);
    b->count = (size_t)(p - b->data) + mode * mode; /* the modes 0, 1 and 2 have distances of 0, 1 and 4 bytes */
}
X_FORM x_ins_reg(struct code_buffer *b, uint32_t op, unsigned flags, int reg, int other) {
    uint8_t *p = x_put_opcode(b->data + b->count, op, x_rex(flags, reg, (uint32_t)other, 0));
    *p++ = (uint8_t)(0xC0 | x_reg_bits(reg) | ((uint32_t)other & 7));
    b->count = (size_t)(p - b->data);
}
X_FORM x_ins_rip(struct code_buffer *b, uint32_t op, unsigned flags, int reg) {
    uint8_t *p = x_put_opcode(b->data + b->count, op, x_rex(flags, reg, 0, 0));
    *p++ = (uint8_t)(5 | x_reg_bits(reg));
    b->count = (size_t)(x_put_32(p, 0) - b->data);
}
X_FORM x_ins_memory(struct code_buffer *b, uint32_t op, unsigned flags, int reg, struct x_rm rm) {
    uint32_t base = (uint32_t)rm.base, index = rm.index >= 0 ? (uint32_t)rm.index : RSP;
    uint8_t *p = x_put_opcode(b->data + b->count, op, x_rex(flags, reg, base, index));
    uint32_t mode = rm.disp != (int8_t)rm.disp ? 2 : rm.disp != 0 || (base & 7) == RBP;
    bool sib = index != RSP || (base & 7) == RSP;
    *p++ = (uint8_t)(mode << 6 | x_reg_bits(reg) | (sib ? 4 : base & 7));
    if (sib) *p++ = (uint8_t)((uint32_t)rm.scale_log2 << 6 | (index & 7) << 3 | (base & 7));
    x_put_32(p, (uint32_t)rm.disp);
    b->count = (size_t)(p - b->data) + mode * mode;
}
/* In memory 0: at its base, whose register takes no special form, and an index. */
X_FORM x_ins_indexed(struct code_buffer *b, uint32_t op, unsigned flags, int reg, int index, int32_t disp) {
    uint8_t *p = x_put_opcode(b->data + b->count, op, x_rex(flags, reg, REG_MEMORY, (uint32_t)index));
    uint32_t mode = disp != (int8_t)disp ? 2 : disp != 0;
    *p++ = (uint8_t)(mode << 6 | x_reg_bits(reg) | 4);
    *p++ = (uint8_t)(((uint32_t)index & 7) << 3 | (REG_MEMORY & 7));
    x_put_32(p, (uint32_t)disp);
    b->count = (size_t)(p - b->data) + mode * mode;
}

/* Any instruction with a register and a register or memory operand. X_WIDE: 64 bits; X_BYTE_REG: a byte register is among the operands. */
X_FORM x_ins(struct code_buffer *b, uint32_t op, unsigned flags, int reg, struct x_rm rm) {
    if (rm.base == REG_FRAME && rm.index < 0) x_ins_slot(b, op, flags, reg, rm.disp);
    else if (rm.reg >= 0) x_ins_reg(b, op, flags, reg, rm.reg);
    else if (rm.base == REG_MEMORY && rm.index >= 0 && !rm.scale_log2) x_ins_indexed(b, op, flags, reg, rm.index, rm.disp);
    else if (rm.base >= 0) x_ins_memory(b, op, flags, reg, rm);
    else x_ins_rip(b, op, flags, reg);
}

/* ---------------------------------------------------------------- integers */

/* Two-operand arithmetic: the opcode's middle bits, and the extension of the form with an immediate. */
enum x_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

static inline void x_mov(struct code_buffer *b, bool wide, int to, int from) {
    if (to != from || !wide) x_ins_reg(b, X_OP(0, 0, 0x8B), wide, to, from);
}
/* Zero or any constant; leaves the flags alone. */
static inline void x_const(struct code_buffer *b, int to, uint64_t bits) {
    if (bits <= UINT32_MAX) {
        if (to >= 8) x_byte(b, 0x41);
        x_byte(b, 0xB8 | (to & 7));
        x_32(b, (uint32_t)bits);
    } else if (bits == (uint64_t)(int64_t)(int32_t)bits) {
        x_ins(b, X_OP(0, 0, 0xC7), X_WIDE, 0, in_reg(to));
        x_32(b, (uint32_t)bits);
    } else {
        x_byte(b, 0x48 | (to >= 8));
        x_byte(b, 0xB8 | (to & 7));
        x_64(b, bits);
    }
}
static inline void x_zero(struct code_buffer *b, int to) { x_ins_reg(b, X_OP(0, 0, 0x33), 0, to, to); }
static inline void x_load(struct code_buffer *b, bool wide, int to, struct x_rm from) { x_ins(b, X_OP(0, 0, 0x8B), wide, to, from); }
static inline void x_store(struct code_buffer *b, bool wide, int from, struct x_rm to) { x_ins(b, X_OP(0, 0, 0x89), wide, from, to); }
/* The same with a slot, which most moves are: made in one register, from the lowest byte on. */
X_FORM x_move_slot(struct code_buffer *b, uint32_t byte, bool wide, int reg, int32_t slot) {
    int32_t disp = slot * 8;
    uint32_t mode = disp == (int8_t)disp ? 1 : 2, rex = x_rex(wide, reg, 0, 0), is_short = rex == 0;
    uint64_t x = rex | byte << 8 | (mode << 6 | x_reg_bits(reg) | REG_FRAME) << 16 | (uint64_t)(uint32_t)disp << 24;
    x >>= is_short * 8;
    memcpy(b->data + b->count, &x, sizeof x);
    b->count += 3 - is_short + mode * mode;
}
static inline void x_load_slot(struct code_buffer *b, bool wide, int to, int32_t slot) { x_move_slot(b, 0x8B, wide, to, slot); }
static inline void x_store_slot(struct code_buffer *b, int from, int32_t slot) { x_move_slot(b, 0x89, true, from, slot); }
/* A sign-extended 32-bit constant to memory. */
static inline void x_store_const(struct code_buffer *b, bool wide, int32_t bits, struct x_rm to) {
    x_ins(b, X_OP(0, 0, 0xC7), wide, 0, to);
    x_32(b, (uint32_t)bits);
}
static inline void x_lea(struct code_buffer *b, bool wide, int to, struct x_rm from) { x_ins(b, X_OP(0, 0, 0x8D), wide, to, from); }
static inline void x_alu(struct code_buffer *b, enum x_alu alu, bool wide, int reg, struct x_rm rm) {
    x_ins(b, X_OP(0, 0, 3u | (unsigned)alu << 3), wide, reg, rm);
}
static inline void x_alu_const(struct code_buffer *b, enum x_alu alu, bool wide, struct x_rm rm, int32_t bits) {
    bool small = bits == (int8_t)bits;
    x_ins(b, X_OP(0, 0, small ? 0x83 : 0x81), wide, (int)alu, rm);
    if (small) x_byte(b, (uint8_t)bits);
    else x_32(b, (uint32_t)bits);
}
static inline void x_test(struct code_buffer *b, bool wide, int reg) { x_ins_reg(b, X_OP(0, 0, 0x85), wide, reg, reg); }
static inline void x_imul(struct code_buffer *b, bool wide, int to, struct x_rm rm) { x_ins(b, X_OP(0, 1, 0xAF), wide, to, rm); }
static inline void x_imul_const(struct code_buffer *b, bool wide, int to, struct x_rm rm, int32_t bits) {
    bool small = bits == (int8_t)bits;
    x_ins(b, X_OP(0, 0, small ? 0x6B : 0x69), wide, to, rm);
    if (small) x_byte(b, (uint8_t)bits);
    else x_32(b, (uint32_t)bits);
}
/* Group F7: 2 not, 3 neg, 4 mul, 5 imul, 6 div, 7 idiv. */
static inline void x_group3(struct code_buffer *b, int which, bool wide, int reg) { x_ins(b, X_OP(0, 0, 0xF7), wide, which, in_reg(reg)); }
/* Shifts and rotations: 0 rol, 1 ror, 4 shl, 5 shr, 7 sar; by rcx or by a constant. */
enum x_shift { SHIFT_ROL, SHIFT_ROR, SHIFT_SHL = 4, SHIFT_SHR, SHIFT_SAR = 7 };
static inline void x_shift_cl(struct code_buffer *b, enum x_shift shift, bool wide, int reg) { x_ins(b, X_OP(0, 0, 0xD3), wide, (int)shift, in_reg(reg)); }
static inline void x_shift_const(struct code_buffer *b, enum x_shift shift, bool wide, int reg, uint32_t count) {
    x_ins(b, X_OP(0, 0, 0xC1), wide, (int)shift, in_reg(reg));
    x_byte(b, count);
}
/* Memory with an unsigned constant: 8 and 16 bits. */
static inline void x_compare_8(struct code_buffer *b, struct x_rm rm, uint32_t bits) {
    x_ins(b, X_OP(0, 0, 0x80), 0, ALU_CMP, rm);
    x_byte(b, bits);
}
static inline void x_compare_16(struct code_buffer *b, struct x_rm rm, uint32_t bits) {
    x_ins(b, X_OP(0x66, 0, 0x81), 0, ALU_CMP, rm);
    x_byte(b, bits & 0xFF);
    x_byte(b, bits >> 8);
}
/* The lowest bit of a register. */
static inline void x_test_1(struct code_buffer *b, int reg) {
    x_ins(b, X_OP(0, 0, 0xF6), X_BYTE_REG, 0, in_reg(reg));
    x_byte(b, 1);
}
/* mfence */
static inline void x_fence(struct code_buffer *b) {
    x_byte(b, 0x0F);
    x_byte(b, 0xAE);
    x_byte(b, 0xF0);
}
/* btc: the bit becomes the other one. */
static inline void x_flip_bit(struct code_buffer *b, int reg, uint32_t bit) {
    x_ins(b, X_OP(0, 1, 0xBA), X_WIDE, 7, in_reg(reg));
    x_byte(b, bit);
}
/* BMI2: to = from shifted by count, no flags. */
static inline void x_shiftx(struct code_buffer *b, enum x_shift shift, bool wide, int to, int from, int count) {
    uint32_t prefix = shift == SHIFT_SHL ? 1 : shift == SHIFT_SAR ? 2 : 3;
    x_byte(b, 0xC4);
    x_byte(b, (to >= 8 ? 0 : 0x80u) | 0x40 | (from >= 8 ? 0 : 0x20u) | 2);
    x_byte(b, (wide ? 0x80u : 0) | (~(uint32_t)count & 15) << 3 | prefix);
    x_byte(b, 0xF7);
    x_byte(b, 0xC0 | (uint32_t)(to & 7) << 3 | (from & 7));
}
static inline void x_setcc(struct code_buffer *b, enum x_cc cc, int reg) { x_ins(b, X_OP(0, 1, 0x90u | (unsigned)cc), X_BYTE_REG, 0, in_reg(reg)); }
static inline void x_movzx8(struct code_buffer *b, int to, struct x_rm from) { x_ins(b, X_OP(0, 1, 0xB6), X_BYTE_REG, to, from); }
static inline void x_cmov(struct code_buffer *b, enum x_cc cc, bool wide, int to, struct x_rm from) {
    x_ins(b, X_OP(0, 1, 0x40u | (unsigned)cc), wide, to, from);
}

/* ---------------------------------------------------------------- jumps and calls: all return where their 32-bit distance stands */

static inline size_t x_distance(struct code_buffer *b) {
    x_32(b, 0);
    return b->count - 4;
}
static inline size_t x_jmp(struct code_buffer *b) {
    x_byte(b, 0xE9);
    return x_distance(b);
}
static inline size_t x_jcc(struct code_buffer *b, enum x_cc cc) {
    x_byte(b, 0x0F);
    x_byte(b, 0x80u | (unsigned)cc);
    return x_distance(b);
}
/* A jump over fewer than 128 bytes, until x_patch_short where it leads to. */
static inline size_t x_jcc_short(struct code_buffer *b, enum x_cc cc) {
    x_byte(b, 0x70u | (unsigned)cc);
    x_byte(b, 0);
    return b->count;
}
static inline void x_patch_short(struct code_buffer *b, size_t behind) {
    if (!b->failed) b->data[behind - 1] = (uint8_t)(b->count - behind);
}
static inline size_t x_call(struct code_buffer *b) {
    x_byte(b, 0xE8);
    return x_distance(b);
}
/* lea to, [rip + distance] */
static inline size_t x_lea_rip(struct code_buffer *b, int to) {
    x_byte(b, 0x48 | (to >= 8 ? 4 : 0));
    x_byte(b, 0x8D);
    x_byte(b, 5u | (uint32_t)(to & 7) << 3);
    return x_distance(b);
}
/* Group FF with [rip + distance]: 2 call, 4 jmp. */
static inline size_t x_through_rip(struct code_buffer *b, int which) {
    x_byte(b, 0xFF);
    x_byte(b, 5u | (uint32_t)which << 3);
    return x_distance(b);
}
static inline void x_through(struct code_buffer *b, int which, struct x_rm rm) { x_ins(b, X_OP(0, 0, 0xFF), 0, which, rm); }
static inline void x_ret(struct code_buffer *b) { x_byte(b, 0xC3); }
/* Makes the distance at `at` lead to `target`. */
static inline void x_patch(struct code_buffer *b, size_t at, size_t target) {
    int32_t distance = (int32_t)((int64_t)target - (int64_t)at - 4);
    if (!b->failed) memcpy(b->data + at, &distance, 4);
}

/* Instructions that do nothing, up to a multiple of `alignment`: as few as may be. */
static inline void x_align(struct code_buffer *b, size_t alignment) {
    static const uint8_t nops[][9] = {{0x90}, {0x66, 0x90}, {0x0F, 0x1F, 0x00}, {0x0F, 0x1F, 0x40}, {0x0F, 0x1F, 0x44}, {0x66, 0x0F, 0x1F, 0x44},
                                      {0x0F, 0x1F, 0x80}, {0x0F, 0x1F, 0x84}, {0x66, 0x0F, 0x1F, 0x84}};
    for (size_t left; (left = (alignment - b->count % alignment) % alignment);) {
        if (left > 9) left = 9;
        memcpy(b->data + b->count, nops[left - 1], left);
        b->count += left;
    }
}

/* ---------------------------------------------------------------- floats and vectors */

static inline void x_fload(struct code_buffer *b, bool wide, int to, struct x_rm from) { x_ins(b, X_OP(wide ? 0xF2 : 0xF3, 1, 0x10), 0, to, from); }
static inline void x_fstore(struct code_buffer *b, bool wide, int from, struct x_rm to) { x_ins(b, X_OP(wide ? 0xF2 : 0xF3, 1, 0x11), 0, from, to); }
static inline void x_vload(struct code_buffer *b, int to, struct x_rm from) { x_ins(b, X_OP(0, 1, 0x10), 0, to, from); }
static inline void x_vstore(struct code_buffer *b, int from, struct x_rm to) { x_ins(b, X_OP(0, 1, 0x11), 0, from, to); }
static inline void x_vmov(struct code_buffer *b, int to, int from) {
    if (to != from) x_ins(b, X_OP(0, 1, 0x28), 0, to, in_reg(from));
}
static inline void x_vzero(struct code_buffer *b, int to) { x_ins(b, X_OP(0, 1, 0x57), 0, to, in_reg(to)); }
/* Between integer and float registers, bits as they are. */
static inline void x_to_float(struct code_buffer *b, bool wide, int to, int from) { x_ins(b, X_OP(0x66, 1, 0x6E), wide, to, in_reg(from)); }
static inline void x_from_float(struct code_buffer *b, bool wide, int to, int from) { x_ins(b, X_OP(0x66, 1, 0x7E), wide, from, in_reg(to)); }
/* Scalar arithmetic: 51 sqrt, 58 add, 59 mul, 5C sub, 5D min, 5E div, 5F max. */
static inline void x_fop(struct code_buffer *b, uint32_t byte, bool wide, int to, struct x_rm from) {
    x_ins(b, X_OP(wide ? 0xF2 : 0xF3, 1, byte), 0, to, from);
}
static inline void x_ucomis(struct code_buffer *b, bool wide, int a, struct x_rm rm) { x_ins(b, X_OP(wide ? 0x66 : 0, 1, 0x2E), 0, a, rm); }

#endif
