/* limits.h - the limits of the implementation on modules, in one place. Those that browsers share have the numbers of the WebAssembly
 * JavaScript interface ("Implementation-defined limits"), so that a module that loads there loads here. Over one of them: MOTE_E_LIMIT. */
#ifndef MOTE_WASM_LIMITS_H
#define MOTE_WASM_LIMITS_H

enum {
    LIMIT_TYPES = 1000000,
    LIMIT_REC_GROUP_TYPES = 1000000,
    LIMIT_SUBTYPE_DEPTH = 63,
    LIMIT_FUNCTIONS = 1000000,
    LIMIT_IMPORTS = 1000000,
    LIMIT_EXPORTS = 1000000,
    LIMIT_GLOBALS = 1000000,
    LIMIT_TAGS = 1000000,
    LIMIT_DATA_SEGMENTS = 100000,
    LIMIT_ELEM_SEGMENTS = 10000000,
    LIMIT_TABLES = 100000,
    LIMIT_MEMORIES = 100,
    LIMIT_PARAMS = 1000,
    LIMIT_RESULTS = 1000,
    LIMIT_STRUCT_FIELDS = 10000,
    LIMIT_ARRAY_NEW_FIXED = 10000,
    LIMIT_LOCALS = 50000,
    LIMIT_BODY_BYTES = 7654321,
    LIMIT_BR_TABLE_LABELS = 1000000,
    LIMIT_BLOCK_DEPTH = 50000,
    LIMIT_CODE_MEMORY = 768 << 20, /* bytes of machine code per engine */
    LIMIT_FUNCTION_CODE = 64 << 20, /* bytes that one function may become: few instructions can move very many values very often */
    LIMIT_TABLE_ELEMENTS = 10000000,
    LIMIT_TEXT_BYTES = 1 << 30, /* of a printed module */
    LIMIT_TEXT_NESTING = 100000, /* folded instructions and blocks in the text format */
};

#endif
