/* mutate.h - changes function bodies of valid modules: by instructions (other opcodes, other immediates, integers in other lengths, instructions left out,
 * doubled, moved, put in), by locals, and by bytes (flipped, cut off, added, a size that is not true). What follows from a random number follows from it
 * alone. A module with a changed body has right sizes around it, so that a validator gets to see the body.
 *
 * source_read and mutant_split take modules that are valid; what comes out of the rest is anything. */
#ifndef MOTE_TESTS_DIFF_MUTATE_H
#define MOTE_TESTS_DIFF_MUTATE_H

#include "diff/emit.h"
#include "wasm/skip.h"

enum { MUTANT_PIECE_MAX = 1 << 16, MUTANT_SCRATCH = 1 << 20, MUTANT_LEB_MAX = 12 };

/* ---------------------------------------------------------------- modules to begin with */

struct source_body {
    size_t at, size; /* without the size in front */
};

struct source {
    uint8_t *data;
    size_t size;
    size_t code_at, code_end; /* the code section, from its id on */
    struct source_body *bodies;
    uint32_t body_count;
};

static inline void source_read_bodies(struct source *s, const uint8_t *pos) {
    s->body_count = skip_u32(&pos);
    s->bodies = calloc(s->body_count + 1, sizeof *s->bodies);
    MUST(s->bodies);
    for (uint32_t i = 0; i < s->body_count; i++) {
        size_t size = skip_u32(&pos);
        s->bodies[i] = (struct source_body){.at = (size_t)(pos - s->data), .size = size};
        pos += size;
    }
}

/* Finds the bodies of a module; false if it has none. The bytes are the caller's, `bodies` is to be freed. */
static inline bool source_read(struct source *s, uint8_t *data, size_t size) {
    const uint8_t *pos = data + 8;
    *s = (struct source){.data = data, .size = size};
    while (pos < data + size) {
        s->code_at = (size_t)(pos - data);
        uint8_t id = *pos++;
        size_t bytes = skip_u32(&pos);
        s->code_end = (size_t)(pos - data) + bytes;
        if (id == SECTION_CODE) source_read_bodies(s, pos);
        if (id == SECTION_CODE) return s->body_count > 0;
        pos += bytes;
    }
    return false;
}

/* The module with another body in the place of one; `said` is the size that is written in front of it. */
static inline void source_with_body(const struct source *s, uint32_t index, const struct emit *body, size_t said, struct emit *out) {
    emit_begin(out);
    emit_bytes(out, s->data + 8, s->code_at - 8);
    size_t section = emit_section(out, SECTION_CODE);
    emit_u(out, s->body_count);
    for (uint32_t i = 0; i < s->body_count; i++) {
        const struct source_body *b = &s->bodies[i];
        emit_u(out, i == index ? said : b->size);
        if (i == index) emit_bytes(out, body->data, body->size);
        else emit_bytes(out, s->data + b->at, b->size);
    }
    emit_close(out, section);
    emit_bytes(out, s->data + s->code_end, s->size - s->code_end);
}

/* ---------------------------------------------------------------- a body in pieces */

/* The declarations of locals, or an instruction. */
struct piece {
    const uint8_t *data;
    size_t size;
};

struct mutant {
    uint64_t random;
    size_t count;
    struct piece pieces[MUTANT_PIECE_MAX]; /* the first declares the locals */
    size_t scratch_size;
    uint8_t scratch[MUTANT_SCRATCH]; /* bytes of pieces that were changed */
    struct emit body;
    size_t said;
};

static inline uint64_t mutant_random(struct mutant *m) {
    uint64_t x = m->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static inline size_t mutant_choose(struct mutant *m, size_t count) { return mutant_random(m) % count; }

/* Of an instruction that is whole. */
static inline const uint8_t *mutant_next(const uint8_t *pos) {
    enum mote__op op = skip_op(&pos);
    return skip_immediates(pos, (enum mote__imm)mote__op_info[op].imm);
}

static inline void mutant_split(struct mutant *m, const uint8_t *data, size_t size) {
    const uint8_t *pos = data, *end = data + size;
    m->count = m->scratch_size = 0;
    for (uint32_t groups = skip_u32(&pos); groups; groups--) pos = skip_type(skip_lebs(pos, 1));
    m->pieces[m->count++] = (struct piece){data, (size_t)(pos - data)};
    while (pos < end) {
        const uint8_t *next = mutant_next(pos);
        MUST(m->count < MUTANT_PIECE_MAX);
        m->pieces[m->count++] = (struct piece){pos, (size_t)(next - pos)};
        pos = next;
    }
}

static inline void mutant_join(struct mutant *m) {
    m->body.size = 0;
    for (size_t i = 0; i < m->count; i++) emit_bytes(&m->body, m->pieces[i].data, m->pieces[i].size);
    m->said = m->body.size;
}

/* Room for a piece of `size` bytes, which begins as a copy of `from`. */
static inline uint8_t *mutant_copy(struct mutant *m, struct piece *piece, size_t size, const struct piece *from) {
    MUST(m->scratch_size + size <= MUTANT_SCRATCH);
    uint8_t *data = m->scratch + m->scratch_size;
    m->scratch_size += size;
    memmove(data, from->data, from->size < size ? from->size : size);
    *piece = (struct piece){data, size};
    return data;
}

static inline void mutant_insert(struct mutant *m, size_t at, const void *data, size_t size) {
    if (m->count == MUTANT_PIECE_MAX) return;
    memmove(m->pieces + at + 1, m->pieces + at, (m->count - at) * sizeof *m->pieces);
    mutant_copy(m, &m->pieces[at], size, &(struct piece){data, size});
    m->count++;
}

static inline void mutant_remove(struct mutant *m, size_t at) {
    m->count--;
    memmove(m->pieces + at, m->pieces + at + 1, (m->count - at) * sizeof *m->pieces);
}

/* Any instruction. */
static inline size_t mutant_at(struct mutant *m) { return m->count < 2 ? 0 : 1 + mutant_choose(m, m->count - 1); }

/* ---------------------------------------------------------------- integers */

/* What an immediate consists of: u U unsigned of 32 and 64 bits, s h S signed of 32, 33 and 64, b a byte. What is behind is left alone. */
static inline const char *mutant_letters(enum mote__imm imm, const uint8_t *pos) {
    switch (imm) {
    case IMM_LABEL: case IMM_FUNC: case IMM_TYPE: case IMM_LOCAL: case IMM_GLOBAL: case IMM_TABLE: case IMM_ELEM: case IMM_DATA: case IMM_MEM: case IMM_TAG:
        return "u";
    case IMM_TYPE_TABLE: case IMM_TABLE_TABLE: case IMM_ELEM_TABLE: case IMM_DATA_MEM: case IMM_MEM_MEM: case IMM_TYPE_FIELD: case IMM_TYPE_COUNT:
    case IMM_TYPE_DATA: case IMM_TYPE_ELEM: case IMM_TYPE_TYPE: return "uu";
    case IMM_LABELS: return "uuuuuu";
    case IMM_MEMARG: case IMM_MEMARG_LANE: return *pos & 0x40 ? "uuU" : "uU";
    case IMM_I32: return "s";
    case IMM_I64: return "S";
    case IMM_BLOCK: case IMM_HEAPTYPE: return "h";
    case IMM_VALTYPES: return "uh";
    case IMM_BR_ON_CAST: return "buhh";
    case IMM_TRY_TABLE: return "hubuu";
    default: return "";
    }
}

/* Where an integer is in a piece. */
struct mutant_leb {
    size_t at, size;
    char letter;
};

static inline size_t mutant_leb_size(const struct piece *p, size_t at) {
    size_t size = 0;
    while (at + size < p->size && size < MUTANT_LEB_MAX && p->data[at + size] & 0x80) size++;
    return at + size < p->size && !(p->data[at + size] & 0x80) ? size + 1 : 0;
}

/* The integers of an instruction, with that of its opcode; of one that is no more whole, those that are there. */
static inline size_t mutant_find_lebs(const struct piece *p, struct mutant_leb lebs[8]) {
    size_t count = 0, at = 1;
    enum mote__op op = (enum mote__op)mote__op_of_byte[p->data[0]];
    if (p->data[0] >= 0xFB) {
        size_t size = mutant_leb_size(p, 1);
        const uint8_t *pos = p->data + 1;
        if (!size) return 0;
        op = size <= 5 ? mote__op_lookup(p->data[0], skip_u32(&pos)) : OP_INVALID;
        lebs[count++] = (struct mutant_leb){1, size, 'u'};
        at += size;
    }
    if (at >= p->size) return count;
    for (const char *l = mutant_letters((enum mote__imm)mote__op_info[op].imm, p->data + at); *l && count < 8; l++) {
        size_t size = *l == 'b' ? at < p->size : mutant_leb_size(p, at);
        if (!size) break;
        if (*l != 'b') lebs[count++] = (struct mutant_leb){at, size, *l};
        at += size;
    }
    return count;
}

static inline unsigned mutant_leb_bits(char letter) { return letter == 'u' || letter == 's' ? 32 : letter == 'h' ? 33 : 64; }

/* Writes an integer anew: `size` bytes, filled up with copies of the sign. */
static inline void mutant_write_leb(struct mutant *m, struct piece *p, const struct mutant_leb *leb, int64_t value, size_t size) {
    struct piece old = *p;
    uint8_t *data = mutant_copy(m, p, old.size - leb->size + size, &old);
    memcpy(data + leb->at + size, old.data + leb->at + leb->size, old.size - leb->at - leb->size);
    for (size_t i = 0; i < size; i++) {
        unsigned shift = i * 7 < 63 ? (unsigned)i * 7 : 63;
        uint64_t rest = leb->letter == 'u' || leb->letter == 'U' ? (i * 7 < 64 ? (uint64_t)value >> i * 7 : 0) : (uint64_t)(value >> shift);
        data[leb->at + i] = (uint8_t)((rest & 0x7F) | (i + 1 < size ? 0x80 : 0));
    }
}

/* Bytes that a value takes at least. */
static inline size_t mutant_leb_least(char letter, int64_t value) {
    size_t size = 1;
    if (letter == 'u' || letter == 'U')
        for (uint64_t rest = (uint64_t)value >> 7; rest; rest >>= 7) size++;
    else
        for (; value < -64 || value > 63; value >>= 7) size++;
    return size;
}

static inline int64_t mutant_leb_value(const struct piece *p, const struct mutant_leb *leb) {
    const uint8_t *pos = p->data + leb->at;
    int64_t value = 0;
    for (size_t i = 0; i < leb->size && i < 9; i++) value |= (int64_t)(pos[i] & 0x7F) << 7 * i;
    if (leb->size < 9 && pos[leb->size - 1] & 0x40 && (leb->letter == 's' || leb->letter == 'h' || leb->letter == 'S')) value -= INT64_C(1) << 7 * leb->size;
    return value;
}

/* A number near, or one at an edge. */
static inline int64_t mutant_other_value(struct mutant *m, int64_t value) {
    switch (mutant_choose(m, 4)) {
    case 0: return (int64_t)((uint64_t)value + 1);
    case 1: return (int64_t)((uint64_t)value - 1);
    case 2: return (int64_t)((UINT64_C(1) << mutant_choose(m, 64)) - mutant_choose(m, 2));
    default: return (int64_t)(mutant_random(m) >> mutant_choose(m, 64));
    }
}

/* One integer with another value, in another length, or with other bits in its last byte. */
static inline void mutant_change_leb(struct mutant *m, struct piece *p) {
    struct mutant_leb lebs[8];
    size_t count = mutant_find_lebs(p, lebs);
    if (!count) return;
    const struct mutant_leb leb = lebs[mutant_choose(m, count)];
    int64_t value = mutant_leb_value(p, &leb);
    if (!mutant_choose(m, 2)) value = mutant_other_value(m, value);
    size_t size = mutant_leb_least(leb.letter, value);
    if (mutant_choose(m, 2)) size += mutant_choose(m, MUTANT_LEB_MAX - size + 1);
    mutant_write_leb(m, p, &leb, value, size);
    if (!mutant_choose(m, 8)) ((uint8_t *)(uintptr_t)p->data)[leb.at + size - 1] ^= (uint8_t)(1u << mutant_choose(m, 8));
}

/* Writes every integer of an instruction in a length that is allowed: nothing else changes. */
static inline void mutant_pad(struct mutant *m, struct piece *p) {
    struct mutant_leb lebs[8];
    for (size_t i = 0; i < mutant_find_lebs(p, lebs); i++) {
        int64_t value = mutant_leb_value(p, &lebs[i]);
        size_t least = lebs[i].size, most = (mutant_leb_bits(lebs[i].letter) + 6) / 7;
        if (lebs[i].letter == 'h' && value < 0) continue; /* a byte that names a type */
        if (least < most && lebs[i].size < 9 && mutant_choose(m, 2)) mutant_write_leb(m, p, &lebs[i], value, least + mutant_choose(m, most - least + 1));
    }
}

static inline void mutant_pad_all(struct mutant *m) {
    for (size_t i = 1; i < m->count; i++) mutant_pad(m, &m->pieces[i]);
}

/* A valid module with the integers of its bodies in other lengths: it does what it did. */
static inline void mutant_pad_module(struct mutant *m, const struct source *s, struct emit *out) {
    emit_begin(out);
    emit_bytes(out, s->data + 8, s->code_at - 8);
    size_t section = emit_section(out, SECTION_CODE);
    emit_u(out, s->body_count);
    for (uint32_t i = 0; i < s->body_count; i++) {
        mutant_split(m, s->data + s->bodies[i].at, s->bodies[i].size);
        mutant_pad_all(m);
        mutant_join(m);
        emit_u(out, m->body.size), emit_bytes(out, m->body.data, m->body.size);
    }
    emit_close(out, section);
    emit_bytes(out, s->data + s->code_end, s->size - s->code_end);
}

/* ---------------------------------------------------------------- changes of an instruction */

/* Another opcode with immediates of the same kind, else any byte. */
static inline void mutant_change_op(struct mutant *m, struct piece *p) {
    const struct piece old = *p;
    enum mote__op op = (enum mote__op)mote__op_of_byte[old.data[0]], other = (enum mote__op)mutant_choose(m, OP_COUNT);
    bool any = op == OP_INVALID || !mutant_choose(m, 4);
    for (unsigned i = 0; i < OP_COUNT && !any && mote__op_info[other].imm != mote__op_info[op].imm; i++) other = (enum mote__op)((other + 1) % OP_COUNT);
    if (any || mote__op_info[other].prefix) {
        mutant_copy(m, p, old.size, &old)[0] = (uint8_t)mutant_choose(m, 256);
        return;
    }
    mutant_copy(m, p, old.size, &old)[0] = (uint8_t)mote__op_info[other].code;
}

/* Alignment and memory of an access, and block types: what is in the byte behind the opcode. */
static inline void mutant_change_second(struct mutant *m, struct piece *p) {
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 0x3F, 0x40, 0x41, 0x42, 0x43, 0x44, 0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F, 0x6E, 0x69, 0x63, 0x64,
                                    0x80, 0x82, 0xC2, 0xFF};
    const struct piece old = *p;
    if (old.size < 2) return;
    mutant_copy(m, p, old.size, &old)[1] = bytes[mutant_choose(m, sizeof bytes)];
}

/* Instructions to put in: the count of their bytes, and they. */
/* clang-format off */
static const uint8_t mutant_snippets[][12] = {
    /* alone */
    {1, 0x00}, {1, 0x01}, {1, 0x0F}, {1, 0x1A}, {1, 0x1A}, {1, 0x1B}, {1, 0x0B}, {1, 0x0B}, {1, 0x05}, {1, 0x19}, {2, 0x18, 0}, {2, 0x07, 0}, {2, 0x09, 0},
    /* blocks */
    {2, 0x02, 0x40}, {2, 0x02, 0x7F}, {2, 0x03, 0x40}, {2, 0x03, 0x7E}, {2, 0x04, 0x40}, {2, 0x04, 0x7D}, {2, 0x06, 0x40}, {3, 0x1F, 0x40, 0},
    {3, 0x02, 0x40, 0x0B}, {3, 0x03, 0x40, 0x0B}, {3, 0x04, 0x40, 0x0B}, {4, 0x02, 0x7F, 0x00, 0x0B}, {5, 0x02, 0x7F, 0x41, 0, 0x0B}, {3, 0x02, 0x7F, 0x0B},
    /* branches and calls */
    {2, 0x0C, 0}, {2, 0x0C, 1}, {2, 0x0C, 2}, {2, 0x0D, 0}, {2, 0x0D, 1}, {3, 0x0E, 0, 0}, {4, 0x0E, 1, 0, 1}, {2, 0x10, 0}, {2, 0x10, 1}, {2, 0x12, 0},
    /* variables and references */
    {2, 0x20, 0}, {2, 0x20, 1}, {2, 0x20, 0x7F}, {2, 0x21, 0}, {2, 0x21, 1}, {2, 0x22, 0}, {2, 0x22, 1}, {3, 0x20, 0x80, 0},
    {6, 0x21, 0x80, 0x80, 0x80, 0x80, 0},
    {2, 0x23, 0}, {2, 0x24, 0}, {2, 0x3F, 0}, {2, 0x40, 0}, {2, 0xD0, 0x70}, {2, 0xD0, 0x6E}, {2, 0xD2, 0}, {1, 0xD1}, {1, 0xD3}, {1, 0xD4},
    /* constants */
    {2, 0x41, 0}, {2, 0x42, 0}, {5, 0x43, 0, 0, 0, 0}, {9, 0x44, 0, 0, 0, 0, 0, 0, 0, 0}, {6, 0x41, 0x80, 0x80, 0x80, 0x80, 0},
    {6, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, {5, 0x41, 0x80, 0x80, 0x80, 0}, {11, 0x42, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F},
    {11, 0x41, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0},
    /* computing */
    {1, 0x45}, {1, 0x50}, {1, 0x6A}, {1, 0x7C}, {1, 0x92}, {1, 0xA0}, {1, 0xA7}, {1, 0xAC}, {1, 0xB2}, {1, 0xC0}, {1, 0xC4}, {1, 0xC5}, {2, 0xFC, 0},
    {2, 0xFC, 9},
    /* accesses */
    {3, 0x28, 2, 0}, {3, 0x29, 3, 0}, {3, 0x36, 2, 0}, {3, 0x37, 3, 0}, {4, 0x28, 0x42, 0, 0}, {4, 0x28, 0x82, 0, 0}, {3, 0x2D, 0, 0},
    {3, 0x38, 2, 0}, {3, 0x2B, 3, 0},
};
/* clang-format on */
enum { MUTANT_SNIPPETS = sizeof mutant_snippets / sizeof *mutant_snippets };

static inline void mutant_put_in(struct mutant *m) {
    const uint8_t *snippet = mutant_snippets[mutant_choose(m, MUTANT_SNIPPETS)];
    mutant_insert(m, m->count < 2 ? m->count : mutant_at(m), snippet + 1, snippet[0]);
}

/* One more group of locals, before or behind the others. */
static inline void mutant_add_locals(struct mutant *m) {
    static const uint8_t groups[][6] = {
        {2, 1, 0x7F}, {2, 1, 0x7E}, {2, 2, 0x7C}, {2, 0, 0x7F}, {3, 1, 0x64, 0x6E}, {3, 1, 0x64, 0x00}, {3, 1, 0x63, 0x00}, {2, 1, 0x70}, {2, 1, 0x40},
        {3, 0xFF, 0x00, 0x7F}, {3, 0x80, 0x02, 0x7D}, {4, 0xD0, 0x86, 0x03, 0x7F}, {5, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}, {3, 0x81, 0x00, 0x7F}, {2, 1, 0x7B},
    };
    const uint8_t *group = groups[mutant_choose(m, sizeof groups / sizeof *groups)];
    const struct piece old = m->pieces[0];
    if (!old.size || old.data[0] >= 0x7F) return;
    uint8_t *data = mutant_copy(m, &m->pieces[0], old.size + group[0], &old);
    size_t at = mutant_choose(m, 2) ? 1 : old.size;
    memmove(data + at + group[0], old.data + at, old.size - at);
    memcpy(data + at, group + 1, group[0]);
    data[0]++;
}

/* ---------------------------------------------------------------- all of it */

static inline void mutant_change_pieces(struct mutant *m) {
    size_t at = mutant_at(m), other = mutant_at(m);
    if (m->count < 2) return;
    const struct piece here = m->pieces[at];
    switch (mutant_choose(m, 13)) {
    case 0: mutant_remove(m, at); break;
    case 1: mutant_insert(m, at, here.data, here.size); break;
    case 2: m->pieces[at] = m->pieces[other], m->pieces[other] = here; break;
    case 3: mutant_insert(m, at, m->pieces[other].data, m->pieces[other].size); break;
    case 4: m->count = at + 1; break;
    case 5: case 6: mutant_change_op(m, &m->pieces[at]); break;
    case 7: case 8: mutant_change_leb(m, &m->pieces[at]); break;
    case 9: mutant_change_second(m, &m->pieces[at]); break;
    case 10: mutant_add_locals(m); break;
    default: mutant_put_in(m); break;
    }
}

static inline void mutant_change_bytes(struct mutant *m) {
    uint8_t *data = m->body.data;
    size_t size = m->body.size;
    if (!size) return;
    size_t at = mutant_choose(m, size);
    switch (mutant_choose(m, 7)) {
    case 0: data[at] = (uint8_t)mutant_choose(m, 256); break;
    case 1: data[at] ^= (uint8_t)(1u << mutant_choose(m, 8)); break;
    case 2: m->body.size = at; break;
    case 3: m->body.size = size - 1; break;
    case 4: emit_byte(&m->body, mutant_choose(m, 2) ? 0x0B : (unsigned)mutant_choose(m, 256)); break;
    case 5: memmove(data + at, data + at + 1, size - at - 1), m->body.size--; break;
    default: m->said += mutant_choose(m, 2) ? 1 : (size_t)-1; return;
    }
    m->said = m->body.size;
}

/* Makes m->body and m->said from the body of a valid module and m->random. One in eight only has its integers written in other lengths. */
static inline void mutant_make(struct mutant *m, const uint8_t *data, size_t size) {
    mutant_split(m, data, size);
    size_t changes = 1 + mutant_choose(m, 3), kind = mutant_choose(m, 8);
    for (size_t i = 0; i < changes && kind > 1; i++) mutant_change_pieces(m);
    if (kind == 0 || kind == 7) mutant_pad_all(m);
    mutant_join(m);
    if (kind == 1 || kind == 2) mutant_change_bytes(m);
}

#endif
