/* v128.h - a 128-bit vector as a value: 16 bytes, lane 0 in the lowest ones, whatever shape an instruction sees in them.
 * Nothing may assume more than byte alignment of one in memory: in frames it takes two 8-byte slots. */
#ifndef MOTE_WASM_V128_H
#define MOTE_WASM_V128_H

#include <stdint.h>

typedef struct mote__v128 {
    uint64_t half[2]; /* low half first; mote runs on little-endian machines only */
} mote__v128;

#endif
