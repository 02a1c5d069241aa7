/* v128.h - a 128-bit vector as a value: 16 bytes, lane 0 in the lowest ones, whatever shape an
 * instruction sees in them. It is a GNU vector, so it travels in a vector register; x[0] and x[1]
 * are its halves. Its alignment is that of a frame's slot, 8, and it may alias slots; at addresses
 * in a memory there is no alignment at all: copy with memcpy. */
#ifndef MOTE_WASM_V128_H
#define MOTE_WASM_V128_H

#include <stdint.h>

typedef uint64_t mote__v128 __attribute__((vector_size(16), aligned(8), may_alias));

#endif
