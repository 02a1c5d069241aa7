/* typenames.h - the type words of the text format and their bytes in the binary format, one row
 * each; parser and printer read them. */
#ifndef MOTE_TEXT_TYPENAMES_H
#define MOTE_TEXT_TYPENAMES_H

#include <mote/status.h>

/* Number, vector and packed types. */
struct plain_type_name {
    const char *word;
    uint8_t code;
    bool is_packed; /* only in fields */
};
/* Abstract heap types: the word itself, and the short word for (ref null WORD). */
struct heap_type_name {
    const char *word, *ref_word;
    uint8_t code;
};
enum { PLAIN_TYPE_NAME_COUNT = 7, HEAP_TYPE_NAME_COUNT = 12 };
extern const struct plain_type_name mote__plain_type_names[PLAIN_TYPE_NAME_COUNT];
extern const struct heap_type_name mote__heap_type_names[HEAP_TYPE_NAME_COUNT];

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
