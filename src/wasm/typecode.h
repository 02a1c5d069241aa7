/* typecode.h - the types that have a word in the text format and a byte in the binary format, one row each; decoder, messages, parser and printer
 * read them here. */
#ifndef MOTE_WASM_TYPECODE_H
#define MOTE_WASM_TYPECODE_H

#include "wasm/op.h"
#include "wasm/types.h"

/* Number, vector and packed types, in the order of VT_I32 ... */
struct mote__plain_type {
    char word[5]; /* an array, because a pointer costs more than its room; so below */
    uint8_t code, type;
    uint8_t feature;
    bool is_packed; /* only in fields */
};
/* Abstract heap types, in the order of mote_heapkind: the word itself, and the short word for (ref null WORD). */
struct mote__heap_type {
    char word[9], ref_word[14];
    uint8_t code, heap; /* as a value type; as a heap type it is this byte, read as a signed number of 7 bits */
    uint8_t feature;
};
enum { PLAIN_TYPE_COUNT = 7, HEAP_TYPE_COUNT = 12 };
extern const struct mote__plain_type mote__plain_types[PLAIN_TYPE_COUNT];
extern const struct mote__heap_type mote__heap_types[HEAP_TYPE_COUNT];

/* The row of a byte; NULL if there is none. */
const struct mote__plain_type *mote__plain_type_of_code(uint8_t code);
const struct mote__heap_type *mote__heap_type_of_code(uint8_t code);

enum {
    TYPE_CODE_REF_NULL = 0x63,
    TYPE_CODE_REF = 0x64,
    TYPE_CODE_FUNCREF = 0x70,
    TYPE_CODE_EMPTY = 0x40, /* block type without results */
    TYPE_CODE_FUNC = 0x60,
    TYPE_CODE_STRUCT = 0x5F,
    TYPE_CODE_ARRAY = 0x5E,
    TYPE_CODE_SUB = 0x50,
    TYPE_CODE_SUB_FINAL = 0x4F,
    TYPE_CODE_REC = 0x4E
};

#endif
