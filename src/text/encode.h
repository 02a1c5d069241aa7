/* encode.h - writing the binary format: a growing buffer with sticky failure, the sections of a
 * module, name maps. Knows nothing of the text format; the parser fills it, in text order, and
 * mote__encode_module puts the sections in theirs. Keeps: when memory runs out `failed` is set,
 * nothing more is written, and one check at the end tells. */
#ifndef MOTE_TEXT_ENCODE_H
#define MOTE_TEXT_ENCODE_H

#include "base/alloc.h"
#include "base/reader.h"
#include "base/vec.h"

struct buffer {
    const mote_allocator *allocator;
    uint8_t *data;
    size_t size, capacity;
    bool failed; /* out of memory: the contents are worth nothing */
};

void mote__buffer_init(struct buffer *b, const mote_allocator *allocator);
void mote__buffer_deinit(struct buffer *b);
/* Makes room for `more` bytes and returns the place of the first; NULL (and failed) when out of
 * memory. Does not change the size. */
uint8_t *mote__buffer_room(struct buffer *b, size_t more);

void mote__put_u8(struct buffer *b, uint8_t byte);
/* LEB128 as short as possible: unsigned (32 or 64 bits), signed (33 or 64 bits). */
void mote__put_leb_u(struct buffer *b, uint64_t value);
void mote__put_leb_s(struct buffer *b, int64_t value);
/* The low `count` bytes of `value`, little-endian. */
void mote__put_le(struct buffer *b, uint64_t value, unsigned count);
void mote__put_bytes(struct buffer *b, const void *bytes, size_t size);
/* A length and that many bytes: a name, or the contents of a section. */
void mote__put_sized(struct buffer *b, const void *bytes, size_t size);
/* Appends the contents of another buffer, inheriting its failure. */
void mote__put_buffer(struct buffer *b, const struct buffer *other);

/* Non-custom sections in the order in which a module has them. */
enum section {
    SECTION_TYPE,
    SECTION_IMPORT,
    SECTION_FUNC,
    SECTION_TABLE,
    SECTION_MEMORY,
    SECTION_TAG,
    SECTION_GLOBAL,
    SECTION_EXPORT,
    SECTION_START,
    SECTION_ELEM,
    SECTION_DATA_COUNT,
    SECTION_CODE,
    SECTION_DATA,
    SECTION_COUNT
};
struct section_info {
    uint8_t id;       /* in the binary format */
    bool has_count;   /* the contents are a vector */
    const char *name; /* in the text format, (@custom "x" (after NAME)) */
};
extern const struct section_info mote__section_info[SECTION_COUNT];
/* The section with this id in the binary format; SECTION_COUNT if there is none. */
enum section mote__section_of_id(uint8_t id);

/* Subsections of the name section. */
enum names {
    NAMES_MODULE = 0,
    NAMES_FUNC = 1,
    NAMES_LOCAL = 2,
    NAMES_LABEL = 3,
    NAMES_TYPE = 4,
    NAMES_TABLE = 5,
    NAMES_MEMORY = 6,
    NAMES_GLOBAL = 7,
    NAMES_ELEM = 8,
    NAMES_DATA = 9,
    NAMES_FIELD = 10,
    NAMES_TAG = 11,
    NAMES_COUNT = 12
};
static inline bool mote__names_are_indirect(enum names kind) {
    return kind == NAMES_LOCAL || kind == NAMES_LABEL || kind == NAMES_FIELD;
}

/* A vector under construction: its elements and how many there are. */
struct counted {
    struct buffer bytes;
    uint32_t count;
};

/* Where a custom section goes: PLACE_FIRST, before or after a section (whether that is there or
 * not), PLACE_LAST. */
enum place { PLACE_FIRST = 0, PLACE_LAST = 2 * SECTION_COUNT + 1 };
static inline unsigned mote__place_before(enum section s) { return 1 + 2 * s; }
static inline unsigned mote__place_after(enum section s) { return 2 + 2 * s; }

struct custom_section {
    unsigned place;
    struct buffer contents; /* name and payload */
};

struct encoder {
    const mote_allocator *allocator;
    struct counted sections[SECTION_COUNT];
    struct counted names[NAMES_COUNT]; /* in the order of indices */
    struct counted inner_names; /* name map of the function or type under way, of an indirect map */
    uint32_t inner_index;       /* whose it is */
    enum names inner_kind;
    VEC(struct custom_section) customs;
    struct counted branch_hints; /* of all functions */
    struct counted func_hints;   /* of the function under way */
};

void mote__encoder_init(struct encoder *e, const mote_allocator *allocator);
void mote__encoder_deinit(struct encoder *e);

/* Adds a name; indices of one kind come in increasing order. For NAMES_MODULE the index is 0. */
void mote__encoder_name(struct encoder *e, enum names kind, uint32_t index, struct span name);
/* The same for locals, labels and fields of `outer`; mote__encoder_flush_names after the last of
 * one outer index. */
void mote__encoder_inner_name(struct encoder *e, enum names kind, uint32_t outer, uint32_t index,
                              struct span name);
void mote__encoder_flush_names(struct encoder *e);

/* Notes a branch hint at an offset in the body under way; mote__encoder_flush_hints after the body.
 */
void mote__encoder_branch_hint(struct encoder *e, uint32_t offset, bool likely);
void mote__encoder_flush_hints(struct encoder *e, uint32_t func_index);

/* Adds a custom section: its contents are to be written into the result; NULL when out of memory.
 */
struct buffer *mote__encoder_custom(struct encoder *e, unsigned place, struct span name);

/* Writes the whole module. False when memory ran out, then or before. */
bool mote__encode_module(struct encoder *e, struct buffer *out);

#endif
