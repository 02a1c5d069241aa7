/* listing.c - lowered code as text, for people who look at what the interpreter runs. */
#include <stdio.h>

#include "run/code.h"
#include "run/insn.h"

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

/* Every name: one of a base and its variants. The first character says which: an instruction that has none, or those of a row of `variants`. */
static const char insn_names[] =
#define INSN(name)     "0" #name "\0"
#define INSN_2(id)     "1" #id "\0"
#define INSN_4(id)     "2" #id "\0"
#define INSN_SHIFT(id) "3" #id "\0"
#define INSN_5(id)     "4" #id "\0"
#define INSN_2x2(id)   "5" #id "\0"
#define INSN_5x2(id)   "6" #id "\0"
#include "run/insn.def"
    ;
static const char variants[7][10][6] = {
    {""},
    {"_s", "_r"},
    {"_ss", "_sr", "_rs", "_rr"},
    {"_ss", "_rs", "_sk", "_rk"},
    {"_ss", "_rs", "_sr", "_sk", "_rk"},
    {"_s_r", "_s_s", "_r_r", "_r_s"},
    {"_ss_r", "_ss_s", "_rs_r", "_rs_s", "_sr_r", "_sr_s", "_sk_r", "_sk_s", "_rk_r", "_rk_s"},
};
static const uint8_t variant_counts[] = {1, 2, 4, 4, 5, 4, 10};

/* The instruction's base name ("i32_add"), and its variant ("_ss_r") in *variant. */
static const char *insn_name(unsigned insn, const char **variant) {
    const char *name = insn_names;
    for (; *name; name += strlen(name) + 1) {
        unsigned kind = (unsigned)(*name - '0');
        *variant = variants[kind][insn < variant_counts[kind] ? insn : 0];
        if (insn < variant_counts[kind]) return name + 1;
        insn -= variant_counts[kind];
    }
    return name;
}

/* "   12  0x2b  i32_add_ss_r  -3 1 0": first unit, module offset, name, the units behind the opcode as signed numbers. */
static void print_insn(struct text *t, const struct mote__listing *l, size_t index) {
    const struct mote__insn_at *at = &l->insns.data[index];
    uint32_t end = index + 1 < l->insns.count ? at[1].unit : l->code->unit_count;
    uint16_t opcode = l->code->units[at->unit];
    const char *variant = "", *name = insn_name(opcode, &variant);
    append(t, "%6u  0x%llx  %s%s ", at->unit, (unsigned long long)at->wasm_offset, name, variant);
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
