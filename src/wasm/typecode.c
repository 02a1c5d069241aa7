/* typecode.c - the tables of typecode.h (core spec, "Binary Format / Types" and "Text Format / Types"). */
#include "wasm/typecode.h"

/* clang-format off */
const struct mote__plain_type mote__plain_types[PLAIN_TYPE_COUNT] = {
    {"i32",  0x7F, VT_I32,  FEATURE_mvp,  false},
    {"i64",  0x7E, VT_I64,  FEATURE_mvp,  false},
    {"f32",  0x7D, VT_F32,  FEATURE_mvp,  false},
    {"f64",  0x7C, VT_F64,  FEATURE_mvp,  false},
    {"v128", 0x7B, VT_V128, FEATURE_simd, false},
    {"i8",   0x78, VT_I8,   FEATURE_gc,   true},
    {"i16",  0x77, VT_I16,  FEATURE_gc,   true},
};

const struct mote__heap_type mote__heap_types[HEAP_TYPE_COUNT] = {
    {"func",     "funcref",       0x70, MOTE_HEAP_FUNC,     FEATURE_mvp},
    {"nofunc",   "nullfuncref",   0x73, MOTE_HEAP_NOFUNC,   FEATURE_gc},
    {"extern",   "externref",     0x6F, MOTE_HEAP_EXTERN,   FEATURE_reference_types},
    {"noextern", "nullexternref", 0x72, MOTE_HEAP_NOEXTERN, FEATURE_gc},
    {"any",      "anyref",        0x6E, MOTE_HEAP_ANY,      FEATURE_gc},
    {"eq",       "eqref",         0x6D, MOTE_HEAP_EQ,       FEATURE_gc},
    {"i31",      "i31ref",        0x6C, MOTE_HEAP_I31,      FEATURE_gc},
    {"struct",   "structref",     0x6B, MOTE_HEAP_STRUCT,   FEATURE_gc},
    {"array",    "arrayref",      0x6A, MOTE_HEAP_ARRAY,    FEATURE_gc},
    {"none",     "nullref",       0x71, MOTE_HEAP_NONE,     FEATURE_gc},
    {"exn",      "exnref",        0x69, MOTE_HEAP_EXN,      FEATURE_exceptions},
    {"noexn",    "nullexnref",    0x74, MOTE_HEAP_NOEXN,    FEATURE_exceptions},
};
/* clang-format on */

const struct mote__plain_type *mote__plain_type_of_code(uint8_t code) {
    for (unsigned i = 0; i < PLAIN_TYPE_COUNT; i++)
        if (mote__plain_types[i].code == code) return &mote__plain_types[i];
    return NULL;
}

const struct mote__heap_type *mote__heap_type_of_code(uint8_t code) {
    for (unsigned i = 0; i < HEAP_TYPE_COUNT; i++)
        if (mote__heap_types[i].code == code) return &mote__heap_types[i];
    return NULL;
}
