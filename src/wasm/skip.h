/* skip.h - steps over the instructions of a body that has been validated, for whoever only wants to find some of them. Bodies are checked and translated by
 * walk.h alone. Nothing here looks for the body's end: validation has seen that every instruction is whole. */
#ifndef MOTE_WASM_SKIP_H
#define MOTE_WASM_SKIP_H

#include "wasm/op.h"
#include "wasm/typecode.h"

/* Reads a u32, or a u64 that is one by its value: the offset of a 32-bit memory may have ten bytes too. Moves *pos behind it. */
static inline uint32_t skip_u32(const uint8_t **pos) {
    const uint8_t *p = *pos;
    uint64_t x = *p++;
    if (x & 0x80) {
        x &= 0x7F;
        for (unsigned shift = 7;; shift += 7) {
            x |= (uint64_t)(*p & 0x7F) << shift;
            if (!(*p++ & 0x80)) break;
        }
    }
    *pos = p;
    return (uint32_t)x;
}

/* Reads an integer with a sign, of up to 64 bits. */
static inline int64_t skip_s64(const uint8_t **pos) {
    const uint8_t *p = *pos;
    uint64_t x = 0;
    unsigned shift = 0;
    do {
        x |= (uint64_t)(*p & 0x7F) << shift;
        shift += 7;
    } while (*p++ & 0x80);
    if (shift < 64 && p[-1] & 0x40) x |= UINT64_MAX << shift;
    *pos = p;
    return (int64_t)x;
}

/* Past `count` LEB128 integers of any size. */
static inline const uint8_t *skip_lebs(const uint8_t *pos, uint32_t count) {
    for (; count; count--)
        while (*pos++ & 0x80) {}
    return pos;
}

/* Past a value type or block type: a LEB128 integer, with a heap type behind it in the long forms of references. */
static inline const uint8_t *skip_type(const uint8_t *pos) { return skip_lebs(pos, *pos == TYPE_CODE_REF || *pos == TYPE_CODE_REF_NULL ? 2 : 1); }

static inline const uint8_t *skip_memarg(const uint8_t *pos) {
    if (pos[0] < 0x40 && pos[1] < 0x80) return pos + 2;
    return skip_lebs(pos, *pos & 0x40 ? 3 : 2);
}

static inline const uint8_t *skip_catches(const uint8_t *pos) {
    for (uint32_t count = skip_u32(&pos); count; count--) pos = skip_lebs(pos + 1, *pos < 2 ? 2 : 1); /* catch and catch_ref have a tag */
    return pos;
}

static inline const uint8_t *skip_immediates(const uint8_t *pos, enum mote__imm imm) {
    uint32_t count;
    switch (imm) {
    case IMM_NONE: return pos;
    case IMM_MEMARG: return skip_memarg(pos);
    case IMM_BLOCK: return skip_type(pos);
    case IMM_TYPE_TABLE: case IMM_TABLE_TABLE: case IMM_ELEM_TABLE: case IMM_DATA_MEM: case IMM_MEM_MEM:
    case IMM_TYPE_FIELD: case IMM_TYPE_COUNT: case IMM_TYPE_DATA: case IMM_TYPE_ELEM: case IMM_TYPE_TYPE: return skip_lebs(pos, 2);
    case IMM_LABELS:
        count = skip_u32(&pos);
        return skip_lebs(pos, count + 1);
    case IMM_VALTYPES:
        for (count = skip_u32(&pos); count; count--) pos = skip_type(pos);
        return pos;
    case IMM_MEMARG_LANE: return skip_memarg(pos) + 1;
    case IMM_LANE: case IMM_FENCE: return pos + 1;
    case IMM_LANES: case IMM_V128: return pos + 16;
    case IMM_F32: return pos + 4;
    case IMM_F64: return pos + 8;
    case IMM_BR_ON_CAST: return skip_lebs(pos + 1, 3);
    case IMM_TRY_TABLE: return skip_catches(skip_type(pos));
    case IMM_LABEL: case IMM_FUNC: case IMM_TYPE: case IMM_LOCAL: case IMM_GLOBAL: case IMM_TABLE: case IMM_ELEM: case IMM_DATA: case IMM_MEM:
    case IMM_I32: case IMM_I64: case IMM_HEAPTYPE: case IMM_TAG: break;
    }
    return skip_lebs(pos, 1);
}

/* Reads an instruction's opcode and moves *pos to its immediates. */
static inline enum mote__op skip_op(const uint8_t **pos) {
    uint8_t byte = *(*pos)++;
    return byte < 0xFB ? (enum mote__op)mote__op_of_byte[byte] : mote__op_lookup(byte, skip_u32(pos));
}

#endif
