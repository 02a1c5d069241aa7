/* generate.h - turns any bytes into a valid module that runs: the bytes are the choices. Functions with parameters and results, locals, a
 * memory, a table of functions, mutable globals of every type, a tag; bodies by recursive descent over types, where every plain instruction is
 * taken from the rows of ops.def. When the choices run out the simplest ones are taken, so that every module ends. */
#ifndef MOTE_TESTS_FUZZ_GENERATE_H
#define MOTE_TESTS_FUZZ_GENERATE_H

#include "wasm/op.h"
#include <stdint.h>
#include <string.h>

enum {
    GEN_BYTES_MAX = 64 * 1024,
    GEN_FUNC_MAX = 4,
    GEN_PARAM_MAX = 3,
    GEN_LOCALS_PER_TYPE = 2,
    GEN_DEPTH_MAX = 6,
    GEN_LABEL_MAX = 16
};

/* The value types by letter, as the signatures of ops.def name them; the index is also that of the global of the type. */
static const char gen_letters[] = "iIfFv";
static const uint8_t gen_type_bytes[] = {0x7F, 0x7E, 0x7D, 0x7C, 0x7B};

struct gen_func {
    char params[GEN_PARAM_MAX + 1]; /* letters */
    char result;                    /* a letter, or 0 */
};

struct gen {
    const uint8_t *in, *in_end;
    uint8_t *out; /* GEN_BYTES_MAX */
    size_t size;
    struct gen_func funcs[GEN_FUNC_MAX];
    unsigned func_count;
    const struct gen_func *func; /* the one whose body is made */
    char labels[GEN_LABEL_MAX];  /* what a branch to each label carries: a letter or 0; the last is the innermost */
    unsigned label_count;
};

/* ---------------------------------------------------------------- choosing and writing */

static inline unsigned gen_choose(struct gen *g, unsigned count) { return g->in < g->in_end ? *g->in++ % count : 0; }

static inline void gen_byte(struct gen *g, unsigned byte) {
    if (g->size < GEN_BYTES_MAX) g->out[g->size++] = (uint8_t)byte;
}

static inline void gen_u(struct gen *g, uint32_t value) {
    for (; value >= 0x80; value >>= 7) gen_byte(g, (value & 0x7F) | 0x80);
    gen_byte(g, value);
}

static inline void gen_s(struct gen *g, int64_t value) {
    for (;; value >>= 7) {
        unsigned low = (unsigned)value & 0x7F;
        if ((value >> 6) == 0 || (value >> 6) == -1) {
            gen_byte(g, low);
            return;
        }
        gen_byte(g, low | 0x80);
    }
}

/* Up to 8 chosen bytes as a number, small ones most often. */
static inline uint64_t gen_number(struct gen *g) {
    uint64_t value = 0;
    for (unsigned i = gen_choose(g, 9); i; i--) value = value << 8 | gen_choose(g, 256);
    return value;
}

static inline void gen_op(struct gen *g, enum mote__op op) {
    const struct mote__op_info *info = &mote__op_info[op];
    if (info->prefix) gen_byte(g, info->prefix), gen_u(g, info->code);
    else gen_byte(g, info->code);
}

/* A section or body: its size is written before it once it is known. */
static inline size_t gen_open(const struct gen *g) { return g->size; }

static inline void gen_close(struct gen *g, size_t start) {
    uint8_t leb[5];
    size_t body_size = g->size - start, leb_size = 0;
    for (size_t rest = body_size; rest || !leb_size; rest >>= 7) leb[leb_size++] = (uint8_t)((rest & 0x7F) | (rest >= 0x80 ? 0x80 : 0));
    if (g->size + leb_size > GEN_BYTES_MAX) return;
    memmove(g->out + start + leb_size, g->out + start, body_size);
    memcpy(g->out + start, leb, leb_size);
    g->size += leb_size;
}

static inline unsigned gen_type_index(char letter) { return (unsigned)(strchr(gen_letters, letter) - gen_letters); }
static inline char gen_any_type(struct gen *g) { return gen_letters[gen_choose(g, 5)]; }

/* ---------------------------------------------------------------- values */

static inline void gen_value(struct gen *g, char type, unsigned depth);
static inline void gen_statement(struct gen *g, unsigned depth);

static inline void gen_const(struct gen *g, char type) {
    static const enum mote__op consts[] = {OP_i32_const, OP_i64_const, OP_f32_const, OP_f64_const, OP_v128_const};
    static const uint8_t sizes[] = {0, 0, 4, 8, 16};
    unsigned index = gen_type_index(type);
    gen_op(g, consts[index]);
    if (type == 'i') gen_s(g, (int32_t)gen_number(g));
    else if (type == 'I') gen_s(g, (int64_t)gen_number(g));
    else for (unsigned i = 0; i < sizes[index]; i++) gen_byte(g, gen_choose(g, 256));
}

/* The index of a local of this type: a parameter where there is one, else one of those that every function has. */
static inline uint32_t gen_local(struct gen *g, char type) {
    uint32_t param_count = (uint32_t)strlen(g->func->params), start = gen_choose(g, GEN_PARAM_MAX);
    for (uint32_t i = start; i < param_count; i++)
        if (g->func->params[i] == type) return i;
    return param_count + gen_type_index(type) * GEN_LOCALS_PER_TYPE + start % GEN_LOCALS_PER_TYPE;
}

static inline void gen_memarg(struct gen *g, const struct mote__op_info *info) {
    unsigned align = 0, is_atomic = info->kind >= KIND_ATOMIC_LOAD;
    while ((1u << align) < info->mem_bytes) align++;
    gen_u(g, is_atomic ? align : gen_choose(g, align + 1));
    gen_u(g, gen_choose(g, 8) ? gen_choose(g, 16) * info->mem_bytes : (uint32_t)gen_number(g));
}

/* Lanes of a lane instruction, from the shape that its keyword starts with, or from the access. */
static inline unsigned gen_lane_count(const struct mote__op_info *info) {
    if (info->mem_bytes) return 16 / info->mem_bytes;
    unsigned count = 0;
    for (const char *digit = strchr(info->text, 'x') + 1; *digit >= '0' && *digit <= '9'; digit++) count = count * 10 + (unsigned)(*digit - '0');
    return count;
}

/* A plain instruction with its operands: address first where it accesses memory. */
static inline void gen_plain(struct gen *g, enum mote__op op, unsigned depth) {
    const struct mote__op_info *info = &mote__op_info[op];
    if (info->mem_bytes) gen_value(g, 'i', gen_choose(g, 4) ? 0 : depth);
    for (const char *letter = info->sig; *letter != '_'; letter++) gen_value(g, *letter, depth);
    gen_op(g, op);
    if (info->imm == IMM_MEMARG || info->imm == IMM_MEMARG_LANE) gen_memarg(g, info);
    if (info->imm == IMM_LANE || info->imm == IMM_MEMARG_LANE) gen_byte(g, gen_choose(g, gen_lane_count(info)));
    if (info->imm == IMM_LANES)
        for (unsigned i = 0; i < 16; i++) gen_byte(g, gen_choose(g, 32));
}

/* A plain instruction, found from a chosen row on, whose results are `results`; OP_INVALID when there is none. */
static inline enum mote__op gen_find_plain(struct gen *g, const char *results) {
    unsigned start = gen_choose(g, 256) | gen_choose(g, 4) << 8;
    for (unsigned i = 0; i < OP_COUNT; i++) {
        const struct mote__op_info *info = &mote__op_info[(start + i) % OP_COUNT];
        if (info->kind != KIND_CONTROL && !strcmp(strchr(info->sig, '_') + 1, results)) return (enum mote__op)((start + i) % OP_COUNT);
    }
    return OP_INVALID;
}

static inline void gen_push_label(struct gen *g, char carries) {
    if (g->label_count < GEN_LABEL_MAX) g->labels[g->label_count] = carries;
    g->label_count++;
}

/* Statements, then a value of the type (or none for 0), then `end`. */
static inline void gen_block_rest(struct gen *g, char type, unsigned depth) {
    for (unsigned i = gen_choose(g, 3); i; i--) gen_statement(g, depth);
    if (type) gen_value(g, type, depth);
}

static inline void gen_block_type(struct gen *g, char type) { gen_byte(g, type ? gen_type_bytes[gen_type_index(type)] : 0x40); }

static inline void gen_block(struct gen *g, char type, unsigned depth) {
    gen_op(g, OP_block);
    gen_block_type(g, type);
    gen_push_label(g, type);
    gen_block_rest(g, type, depth);
    g->label_count--;
    gen_op(g, OP_end);
}

static inline void gen_if(struct gen *g, char type, unsigned depth) {
    gen_value(g, 'i', depth);
    gen_op(g, OP_if);
    gen_block_type(g, type);
    gen_push_label(g, type);
    gen_block_rest(g, type, depth);
    gen_op(g, OP_else);
    gen_block_rest(g, type, depth);
    g->label_count--;
    gen_op(g, OP_end);
}

/* A block whose statements may throw an i32, which is then the block's value. */
static inline void gen_try(struct gen *g, unsigned depth) {
    gen_op(g, OP_block);
    gen_block_type(g, 'i');
    gen_push_label(g, 'i');
    gen_op(g, OP_try_table);
    gen_block_type(g, 0);
    gen_u(g, 1);
    gen_byte(g, 0); /* catch tag 0, to the block around */
    gen_u(g, 0);
    gen_u(g, 0);
    gen_push_label(g, 0);
    gen_block_rest(g, 0, depth);
    g->label_count--;
    gen_op(g, OP_end);
    gen_value(g, 'i', depth);
    g->label_count--;
    gen_op(g, OP_end);
}

static inline void gen_call(struct gen *g, unsigned callee, unsigned depth) {
    const struct gen_func *func = &g->funcs[callee];
    bool is_indirect = gen_choose(g, 2);
    for (const char *param = func->params; *param; param++) gen_value(g, *param, depth);
    if (is_indirect) gen_value(g, 'i', 0);
    gen_op(g, is_indirect ? OP_call_indirect : OP_call);
    gen_u(g, callee); /* function and type indices are the same */
    if (is_indirect) gen_u(g, 0);
}

static inline unsigned gen_find_func(struct gen *g, char result) {
    unsigned start = gen_choose(g, g->func_count);
    for (unsigned i = 0; i < g->func_count; i++)
        if (g->funcs[(start + i) % g->func_count].result == result) return (start + i) % g->func_count;
    return GEN_FUNC_MAX;
}

static inline void gen_leaf(struct gen *g, char type) {
    switch (gen_choose(g, 3)) {
    case 0: gen_const(g, type); return;
    case 1: gen_op(g, OP_local_get), gen_u(g, gen_local(g, type)); return;
    default: gen_op(g, OP_global_get), gen_u(g, gen_type_index(type)); return;
    }
}

/* Exactly one value of the type. */
static inline void gen_value(struct gen *g, char type, unsigned depth) {
    const char results[] = {type, 0};
    unsigned callee;
    if (!depth-- || g->in >= g->in_end || g->size > GEN_BYTES_MAX / 2) {
        gen_leaf(g, type);
        return;
    }
    switch (gen_choose(g, 16)) {
    case 0: gen_leaf(g, type); return;
    case 1: gen_block(g, type, depth); return;
    case 2: gen_if(g, type, depth); return;
    case 3: gen_value(g, type, depth), gen_op(g, OP_local_tee), gen_u(g, gen_local(g, type)); return;
    case 4: gen_value(g, type, depth), gen_value(g, type, depth), gen_value(g, 'i', depth), gen_op(g, OP_select); return;
    case 5:
        callee = gen_find_func(g, type);
        if (callee < GEN_FUNC_MAX) gen_call(g, callee, depth);
        else gen_leaf(g, type);
        return;
    case 6:
        if (type == 'i') gen_try(g, depth);
        else gen_leaf(g, type);
        return;
    case 7:
        if (type == 'i') gen_value(g, 'i', 0), gen_op(g, OP_memory_grow), gen_u(g, 0);
        else gen_block(g, type, depth);
        return;
    default: gen_plain(g, gen_find_plain(g, results), depth); return;
    }
}

/* ---------------------------------------------------------------- statements */

static inline void gen_loop(struct gen *g, unsigned depth) {
    gen_op(g, OP_loop);
    gen_block_type(g, 0);
    gen_push_label(g, 0);
    gen_block_rest(g, 0, depth);
    gen_value(g, 'i', depth);
    gen_op(g, OP_br_if);
    gen_u(g, 0);
    g->label_count--;
    gen_op(g, OP_end);
}

/* A branch to some label, on a condition or not; what follows an unconditional one is unreachable and still typed. */
static inline void gen_branch(struct gen *g, unsigned depth) {
    unsigned label = gen_choose(g, g->label_count);
    char carries = g->labels[g->label_count - 1 - label];
    bool is_conditional = gen_choose(g, 4);
    if (carries) gen_value(g, carries, depth);
    if (is_conditional) gen_value(g, 'i', depth);
    gen_op(g, is_conditional ? OP_br_if : OP_br);
    gen_u(g, label);
    if (is_conditional && carries) gen_op(g, OP_drop);
}

static inline void gen_bulk(struct gen *g, unsigned depth) {
    bool is_copy = gen_choose(g, 2);
    for (unsigned i = 0; i < 3; i++) gen_value(g, 'i', depth);
    gen_op(g, is_copy ? OP_memory_copy : OP_memory_fill);
    gen_u(g, 0);
    if (is_copy) gen_u(g, 0);
}

/* Anything that leaves the stack as it was. */
static inline void gen_statement(struct gen *g, unsigned depth) {
    char type = gen_any_type(g);
    if (!depth-- || g->in >= g->in_end || g->label_count > GEN_LABEL_MAX - 3 || g->size > GEN_BYTES_MAX / 2) return;
    switch (gen_choose(g, 12)) {
    case 0: gen_value(g, type, depth), gen_op(g, OP_drop); return;
    case 1: gen_value(g, type, depth), gen_op(g, OP_local_set), gen_u(g, gen_local(g, type)); return;
    case 2: gen_value(g, type, depth), gen_op(g, OP_global_set), gen_u(g, gen_type_index(type)); return;
    case 3: gen_block(g, 0, depth); return;
    case 4: gen_if(g, 0, depth); return;
    case 5: gen_loop(g, depth); return;
    case 6: gen_branch(g, depth); return;
    case 7: gen_bulk(g, depth); return;
    case 8: gen_value(g, 'i', depth), gen_op(g, OP_throw), gen_u(g, 0); return;
    case 9: gen_plain(g, gen_find_plain(g, "II"), depth), gen_op(g, OP_drop), gen_op(g, OP_drop); return;
    default: gen_plain(g, gen_find_plain(g, ""), depth); return;
    }
}

/* ---------------------------------------------------------------- the module */

static inline void gen_types(struct gen *g) {
    gen_byte(g, 1);
    size_t section = gen_open(g);
    gen_u(g, g->func_count + 1);
    for (unsigned i = 0; i < g->func_count; i++) {
        const struct gen_func *func = &g->funcs[i];
        gen_byte(g, 0x60);
        gen_u(g, (uint32_t)strlen(func->params));
        for (const char *param = func->params; *param; param++) gen_byte(g, gen_type_bytes[gen_type_index(*param)]);
        gen_u(g, func->result != 0);
        if (func->result) gen_byte(g, gen_type_bytes[gen_type_index(func->result)]);
    }
    static const uint8_t tag_type[] = {0x60, 1, 0x7F, 0};
    for (unsigned i = 0; i < sizeof tag_type; i++) gen_byte(g, tag_type[i]);
    gen_close(g, section);
}

static inline void gen_globals(struct gen *g) {
    gen_byte(g, 6);
    size_t section = gen_open(g);
    gen_u(g, sizeof gen_type_bytes);
    for (unsigned i = 0; i < sizeof gen_type_bytes; i++) {
        gen_byte(g, gen_type_bytes[i]);
        gen_byte(g, 1);
        gen_const(g, gen_letters[i]);
        gen_op(g, OP_end);
    }
    gen_close(g, section);
}

/* Functions f0, f1 ..., the memory "m", the globals g0, g1 ... */
static inline void gen_exports(struct gen *g) {
    gen_byte(g, 7);
    size_t section = gen_open(g);
    gen_u(g, g->func_count + 1 + (uint32_t)sizeof gen_type_bytes);
    for (unsigned i = 0; i < g->func_count; i++) gen_u(g, 2), gen_byte(g, 'f'), gen_byte(g, '0' + i), gen_byte(g, 0), gen_u(g, i);
    gen_u(g, 1), gen_byte(g, 'm'), gen_byte(g, 2), gen_u(g, 0);
    for (unsigned i = 0; i < sizeof gen_type_bytes; i++) gen_u(g, 2), gen_byte(g, 'g'), gen_byte(g, '0' + i), gen_byte(g, 3), gen_u(g, i);
    gen_close(g, section);
}

static inline void gen_body(struct gen *g, const struct gen_func *func) {
    size_t body = gen_open(g);
    g->func = func;
    gen_u(g, sizeof gen_type_bytes);
    for (unsigned i = 0; i < sizeof gen_type_bytes; i++) gen_u(g, GEN_LOCALS_PER_TYPE), gen_byte(g, gen_type_bytes[i]);
    g->label_count = 0;
    gen_push_label(g, func->result);
    gen_block_rest(g, func->result, GEN_DEPTH_MAX);
    gen_op(g, OP_end);
    gen_close(g, body);
}

/* A section that does not depend on the choices. */
#define GEN_FIXED(g, id, ...)                                                                      \
    do {                                                                                           \
        static const uint8_t fixed_[] = {__VA_ARGS__};                                             \
        gen_byte(g, id);                                                                           \
        gen_u(g, sizeof fixed_);                                                                   \
        for (unsigned i_ = 0; i_ < sizeof fixed_; i_++) gen_byte(g, fixed_[i_]);                   \
    } while (0)

static inline void gen_signatures(struct gen *g) {
    g->func_count = 1 + gen_choose(g, GEN_FUNC_MAX);
    for (unsigned i = 0; i < g->func_count; i++) {
        struct gen_func *func = &g->funcs[i];
        unsigned param_count = gen_choose(g, GEN_PARAM_MAX + 1);
        for (unsigned p = 0; p < param_count; p++) func->params[p] = gen_any_type(g);
        func->result = gen_choose(g, 4) ? gen_any_type(g) : 0;
    }
}

/* Makes the module in `out`, which has room for GEN_BYTES_MAX; returns its size, GEN_BYTES_MAX when it was too small. */
static inline size_t gen_module(struct gen *g, const uint8_t *choices, size_t size, uint8_t *out) {
    *g = (struct gen){.in = choices, .in_end = choices + size, .out = out};
    static const uint8_t magic[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    for (unsigned i = 0; i < sizeof magic; i++) gen_byte(g, magic[i]);
    gen_signatures(g);
    gen_types(g);
    gen_byte(g, 3);
    size_t section = gen_open(g);
    gen_u(g, g->func_count);
    for (unsigned i = 0; i < g->func_count; i++) gen_u(g, i);
    gen_close(g, section);
    GEN_FIXED(g, 4, 1, 0x70, 0, 8);   /* a table of 8 functions */
    GEN_FIXED(g, 5, 1, 1, 1, 2);      /* a memory of 1 page, at most 2 */
    gen_byte(g, 13);                  /* a tag with an i32 */
    section = gen_open(g);
    gen_u(g, 1), gen_byte(g, 0), gen_u(g, g->func_count);
    gen_close(g, section);
    gen_globals(g);
    gen_exports(g);
    GEN_FIXED(g, 9, 1, 0, 0x41, 1, 0x0B, 1, 0); /* function 0 at element 1 */
    gen_byte(g, 10);
    section = gen_open(g);
    gen_u(g, g->func_count);
    for (unsigned i = 0; i < g->func_count; i++) gen_body(g, &g->funcs[i]);
    gen_close(g, section);
    return g->size;
}

#endif
