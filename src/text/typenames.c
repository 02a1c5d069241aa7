/* typenames.c - the tables of typenames.h (core spec, "Binary Format / Types" and "Text Format /
 * Types"). */
#include "text/typenames.h"

/* clang-format off */
const struct plain_type_name mote__plain_type_names[PLAIN_TYPE_NAME_COUNT] = {
    {"i32",  0x7F, false},
    {"i64",  0x7E, false},
    {"f32",  0x7D, false},
    {"f64",  0x7C, false},
    {"v128", 0x7B, false},
    {"i8",   0x78, true},
    {"i16",  0x77, true},
};

const struct heap_type_name mote__heap_type_names[HEAP_TYPE_NAME_COUNT] = {
    {"func",     "funcref",       0x70},
    {"extern",   "externref",     0x6F},
    {"any",      "anyref",        0x6E},
    {"eq",       "eqref",         0x6D},
    {"i31",      "i31ref",        0x6C},
    {"struct",   "structref",     0x6B},
    {"array",    "arrayref",      0x6A},
    {"exn",      "exnref",        0x69},
    {"noexn",    "nullexnref",    0x74},
    {"nofunc",   "nullfuncref",   0x73},
    {"noextern", "nullexternref", 0x72},
    {"none",     "nullref",       0x71},
};
/* clang-format on */
