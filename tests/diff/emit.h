/* emit.h - writes modules in the binary format: bytes, LEB128 numbers, instructions by their row of ops.def, and parts whose size is written
 * before them once it is known. Running out of memory ends the process: these are tests. */
#ifndef MOTE_TESTS_DIFF_EMIT_H
#define MOTE_TESTS_DIFF_EMIT_H

#include "wasm/op.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold, whatever the input. */
#define MUST(cond)                                                                                 \
    ((cond) ? (void)0 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond), abort()))

struct emit {
    uint8_t *data;
    size_t size, room;
};

enum { SECTION_TYPE = 1, SECTION_IMPORT, SECTION_FUNC, SECTION_TABLE, SECTION_MEMORY, SECTION_GLOBAL, SECTION_EXPORT, SECTION_START, SECTION_ELEM, SECTION_CODE, SECTION_DATA, SECTION_DATA_COUNT, SECTION_TAG };

static inline void emit_room(struct emit *e, size_t more) {
    if (e->size + more <= e->room) return;
    e->room = (e->size + more) * 2;
    e->data = realloc(e->data, e->room);
    MUST(e->data);
}

static inline void emit_bytes(struct emit *e, const void *bytes, size_t size) {
    emit_room(e, size);
    memcpy(e->data + e->size, bytes, size);
    e->size += size;
}

static inline void emit_byte(struct emit *e, unsigned byte) {
    emit_room(e, 1);
    e->data[e->size++] = (uint8_t)byte;
}

static inline void emit_u(struct emit *e, uint64_t value) {
    for (; value >= 0x80; value >>= 7) emit_byte(e, (value & 0x7F) | 0x80);
    emit_byte(e, (unsigned)value);
}

static inline void emit_s(struct emit *e, int64_t value) {
    for (; value < -64 || value > 63; value >>= 7) emit_byte(e, ((unsigned)value & 0x7F) | 0x80);
    emit_byte(e, (unsigned)value & 0x7F);
}

static inline void emit_op(struct emit *e, enum mote__op op) {
    const struct mote__op_info *info = &mote__op_info[op];
    if (info->prefix) emit_byte(e, info->prefix), emit_u(e, info->code);
    else emit_byte(e, info->code);
}

/* An instruction with one index, or two. */
static inline void emit_op_u(struct emit *e, enum mote__op op, uint64_t index) { emit_op(e, op), emit_u(e, index); }
static inline void emit_op_uu(struct emit *e, enum mote__op op, uint64_t a, uint64_t b) { emit_op(e, op), emit_u(e, a), emit_u(e, b); }

/* A body, or the contents of a section: from emit_open to emit_close, which puts the size before it. */
static inline size_t emit_open(const struct emit *e) { return e->size; }

static inline void emit_close(struct emit *e, size_t start) {
    size_t size = e->size - start, leb_size = 1;
    for (size_t rest = size >> 7; rest; rest >>= 7) leb_size++;
    emit_room(e, leb_size);
    memmove(e->data + start + leb_size, e->data + start, size);
    e->size = start;
    emit_u(e, size);
    e->size += size;
}

static inline size_t emit_section(struct emit *e, unsigned id) { return emit_byte(e, id), emit_open(e); }

static inline void emit_begin(struct emit *e) {
    static const uint8_t magic[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    e->size = 0;
    emit_bytes(e, magic, sizeof magic);
}

static inline void emit_name(struct emit *e, const char *name) { emit_u(e, strlen(name)), emit_bytes(e, name, strlen(name)); }

/* The value types by the letters of ops.def's signatures. */
static const char emit_letters[] = "iIfFv";
static inline unsigned emit_letter_index(char letter) { return (unsigned)(strchr(emit_letters, letter) - emit_letters); }
static inline void emit_type(struct emit *e, char letter) { emit_byte(e, 0x7F - emit_letter_index(letter)); }
static inline void emit_types(struct emit *e, const char *letters, size_t count) {
    emit_u(e, count);
    for (size_t i = 0; i < count; i++) emit_type(e, letters[i]);
}
static inline void emit_functype(struct emit *e, const char *params, size_t param_count, const char *results) {
    emit_byte(e, 0x60);
    emit_types(e, params, param_count);
    emit_types(e, results, strlen(results));
}

/* The constant of this type, no vector, whose bits are `bits`. */
static inline void emit_number(struct emit *e, char letter, uint64_t bits) {
    switch (letter) {
    case 'i': emit_op(e, OP_i32_const), emit_s(e, (int32_t)bits); return;
    case 'I': emit_op(e, OP_i64_const), emit_s(e, (int64_t)bits); return;
    case 'f': emit_op(e, OP_f32_const), emit_bytes(e, &bits, 4); return;
    default: emit_op(e, OP_f64_const), emit_bytes(e, &bits, 8); return;
    }
}

/* The same of any type: two words for a vector. */
static inline void emit_const(struct emit *e, char letter, const uint64_t *bits) {
    if (letter == 'v') emit_op(e, OP_v128_const), emit_bytes(e, bits, 16);
    else emit_number(e, letter, bits[0]);
}

#endif
