/* listing.c - lowered code as text, for people who look at what the interpreter runs. */
#include <assert.h>
#include <stdio.h>

#include "run/code.h"
#include "run/insn.h"
#include "wasm/op.h"

/* Text that grows; after running out of memory it stays as it is. */
struct text {
    const mote_allocator *allocator;
    VEC(char) chars;
    bool failed;
};

static MOTE_PRINTF(2, 3) void append(struct text *t, const char *format, ...) {
    char line[160];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size >= (int)sizeof line) size = (int)sizeof line - 1;
    if (t->failed || size < 0) return;
    t->failed = !mote__vec_reserve(&t->chars, t->allocator, (size_t)size);
    if (t->failed) return;
    memcpy(t->chars.data + t->chars.count, line, (size_t)size);
    t->chars.count += (size_t)size;
}

/* What every instruction is, in order: a kind and, but for the last kind, the row of ops.def that its name comes from. */
enum kind { KIND_2, KIND_4, KIND_SHIFT, KIND_5, KIND_2x2, KIND_5x2, KIND_BR, KIND_BRN, KIND_OP, KIND_X, KIND_HAND };
#define ROW(kind, op) (kind) << 12 | (op),
static_assert(OP_COUNT < 1 << 12, "a row is a kind and an instruction");
static const uint16_t insn_rows[] = {
#define INSN(name)     ROW(KIND_HAND, 0)
#define INSN_OP(id)    ROW(KIND_OP, OP_##id)
#define INSN_X(id)     ROW(KIND_X, OP_##id)
#define INSN_BR(id)    ROW(KIND_BR, OP_##id)
#define INSN_BRN(id)   ROW(KIND_BRN, OP_##id)
#define INSN_2(id)     ROW(KIND_2, OP_##id)
#define INSN_4(id)     ROW(KIND_4, OP_##id)
#define INSN_SHIFT(id) ROW(KIND_SHIFT, OP_##id)
#define INSN_5(id)     ROW(KIND_5, OP_##id)
#define INSN_2x2(id)   ROW(KIND_2x2, OP_##id)
#define INSN_5x2(id)   ROW(KIND_5x2, OP_##id)
#include "run/insn.def"
};
static const char hand_names[] =
#define INSN(name) #name "\0"
#define INSN_OP(id)
#define INSN_X(id)
#define INSN_BR(id)
#define INSN_BRN(id)
#define INSN_2(id)
#define INSN_4(id)
#define INSN_SHIFT(id)
#define INSN_5(id)
#define INSN_2x2(id)
#define INSN_5x2(id)
#include "run/insn.def"
    ;
static const char variants[][10][6] = {
    [KIND_2] = {"_s", "_r"},
    [KIND_4] = {"_ss", "_sr", "_rs", "_rr"},
    [KIND_SHIFT] = {"_ss", "_rs", "_sk", "_rk"},
    [KIND_5] = {"_ss", "_rs", "_sr", "_sk", "_rk"},
    [KIND_2x2] = {"_s_r", "_s_s", "_r_r", "_r_s"},
    [KIND_5x2] = {"_ss_r", "_ss_s", "_rs_r", "_rs_s", "_sr_r", "_sr_s", "_sk_r", "_sk_s", "_rk_r", "_rk_s"},
};
static const struct { char prefix[5]; uint8_t variants, count; } kinds[] = {
    [KIND_2] = {"", KIND_2, 2},         [KIND_4] = {"", KIND_4, 4},       [KIND_SHIFT] = {"", KIND_SHIFT, 4}, [KIND_5] = {"", KIND_5, 5},
    [KIND_2x2] = {"", KIND_2x2, 4},     [KIND_5x2] = {"", KIND_5x2, 10},  [KIND_BR] = {"br_", KIND_5, 5},     [KIND_BRN] = {"brn_", KIND_5, 5},
    [KIND_OP] = {"", 0, 1},             [KIND_X] = {"x_", 0, 1},          [KIND_HAND] = {"", 0, 1},
};

/* The row that an instruction is a variant of; which one it is stays in *insn. */
static const uint16_t *insn_row(unsigned *insn) {
    const uint16_t *row = insn_rows;
    for (; *insn >= kinds[*row >> 12].count; row++) *insn -= kinds[*row >> 12].count;
    return row;
}

/* Appends the instruction's name: "i32_add_ss_r", "br_if_s". */
static void print_name(struct text *t, unsigned insn) {
    const uint16_t *row = insn_row(&insn);
    unsigned kind = *row >> 12;
    if (kind == KIND_HAND) {
        const char *name = hand_names;
        for (const uint16_t *r = insn_rows; r < row; r++)
            if (*r >> 12 == KIND_HAND) name += strlen(name) + 1;
        append(t, "%s", name);
        return;
    }
    size_t dot = t->chars.count;
    append(t, "%s%s", kinds[kind].prefix, mote__op_text(&mote__op_info[*row & 0xFFF]));
    for (; dot < t->chars.count; dot++)
        if (t->chars.data[dot] == '.') t->chars.data[dot] = '_';
    if (kinds[kind].count > 1) append(t, "%s", variants[kinds[kind].variants][insn]);
}

/* "   12  0x2b  i32_add_ss_r  -3 1 0": first unit, module offset, name, the units behind the opcode as signed numbers. */
static void print_insn(struct text *t, const struct mote__listing *l, size_t index) {
    const struct mote__insn_at *at = &l->insns.data[index];
    uint32_t end = index + 1 < l->insns.count ? at[1].unit : l->code->unit_count;
    uint16_t opcode = l->code->units[at->unit];
    append(t, "%6u  0x%llx  ", at->unit, (unsigned long long)at->wasm_offset);
    print_name(t, opcode);
    append(t, " ");
    for (uint32_t i = at->unit + 1; i < end; i++) append(t, " %d", (int16_t)l->code->units[i]);
    append(t, "\n");
}

static void print_code(struct text *t, const mote_module *module, const struct mote__listing *l) {
    char label[128];
    const struct mote__code *code = l->code;
    append(t, "%s: ", mote__func_label(module, code->func_index, label));
    append(t, "%u units, %u slots, %u handlers\n", code->unit_count, code->frame_slots, code->handler_count);
    for (size_t i = 0; i < l->insns.count; i++) print_insn(t, l, i);
}

mote_status mote__code_print(mote_module *module, uint32_t func_index, char **out, size_t *out_size, mote_error *error) {
    struct mote__listing listing;
    struct text text = {.allocator = &module->engine->config.allocator};
    mote_status status = mote__code_list(module, func_index, &listing, error);
    if (status == MOTE_OK) print_code(&text, module, &listing);
    mote__listing_deinit(module, &listing);
    size_t size = text.chars.count;
    char *fitting = text.failed || status != MOTE_OK ? NULL : text.allocator->resize(text.allocator->ctx, text.chars.data, text.chars.capacity, size);
    if (!fitting) mote__vec_deinit(&text.chars, text.allocator);
    if (status == MOTE_OK && !fitting) status = mote__error_nomem(error, "printing code");
    if (status != MOTE_OK) return status;
    *out = fitting;
    *out_size = size;
    return MOTE_OK;
}
