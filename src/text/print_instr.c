/* print_instr.c - instructions as flat text (core spec, "Binary Format / Instructions"). The
 * immediates' kinds come from ops.def. Keeps: open_labels has an entry for each block that is open;
 * the body's own end is not printed, since the text does not write it. */
#include "text/print.h"
#include "text/number.h"
#include "wasm/typecode.h"
#include "wasm/limits.h"

/* ---- Branch hints. ---- */

static void read_hint(struct hint_cursor *h) {
    h->waiting = h->hints_left != 0;
    if (!h->waiting) return;
    h->hints_left--;
    h->offset = mote__read_u32(&h->in);
    struct span value = mote__read_span(&h->in, mote__read_u32(&h->in));
    h->likely = value.size == 1 && value.data[0] == 1;
    if (h->in.failed) h->waiting = false, h->funcs_left = 0;
}

static void read_hint_func(struct hint_cursor *h) {
    h->funcs_left--;
    h->func = mote__read_u32(&h->in);
    h->hints_left = mote__read_u32(&h->in);
    if (h->in.failed) h->funcs_left = h->hints_left = 0;
    read_hint(h);
}

/* Steps to the hints of a function; functions come in order. */
static void begin_hints(struct printer *p, uint32_t func) {
    struct hint_cursor *h = &p->hints;
    if (!h->in.start && p->hint_section.data) {
        mote__reader_init(&h->in, p->hint_section.data, p->hint_section.size);
        h->funcs_left = mote__read_u32(&h->in);
        h->func = 0;
        if (h->funcs_left) read_hint_func(h);
    }
    while (h->func < func && (h->funcs_left || h->waiting)) {
        if (h->waiting) read_hint(h);
        else read_hint_func(h);
    }
}

static void print_hint(struct printer *p, uint32_t func, uint32_t offset, enum mote__op op) {
    struct hint_cursor *h = &p->hints;
    while (h->waiting && h->func == func && h->offset < offset) read_hint(h);
    if (!h->waiting || h->func != func || h->offset != offset) return;
    if (op == OP_if || op == OP_br_if)
        mote__print(p, "(@metadata.code.branch_hint \"\\0%d\") ", h->likely);
    read_hint(h);
}

/* ---- Labels. ---- */

static void push_label(struct printer *p) {
    struct open_label *label = mote__vec_push(&p->open_labels, p->allocator);
    if (!label) {
        p->out.failed = true;
        return;
    }
    const struct name_entry *entry = mote__find_name(&p->label_names, p->label_count++);
    if (!entry || !entry->name.size) return;
    bool added;
    uint64_t *place = mote__map_put(&p->labels_by_name, entry->name.data, entry->name.size, &added);
    if (!place) {
        p->out.failed = true;
        return;
    }
    label->name = entry->name;
    label->old = *place;
    *place = p->open_labels.count;
    mote__put_u8(&p->out, ' ');
    mote__print_id(p, label->name);
}

static void pop_label(struct printer *p) {
    struct open_label label = p->open_labels.data[--p->open_labels.count];
    if (label.name.data)
        *mote__map_get(&p->labels_by_name, label.name.data, label.name.size) = label.old;
}

/* The label's name where it is not hidden by an inner one; else its number. */
static void print_label(struct printer *p, struct reader *in) {
    uint32_t depth = mote__read_u32(in);
    mote__put_u8(&p->out, ' ');
    if (depth < p->open_labels.count) {
        size_t at = p->open_labels.count - 1 - depth;
        struct span name = p->open_labels.data[at].name;
        if (name.data && *mote__map_get(&p->labels_by_name, name.data, name.size) == at + 1) {
            mote__print_id(p, name);
            return;
        }
    }
    mote__print(p, "%u", (unsigned)depth);
}

/* ---- Immediates. ---- */

static void print_index(struct printer *p, struct reader *in, enum names space) {
    mote__print_index(p, space, mote__read_u32(in));
}

/* An index that the text leaves out when it is 0. */
static void print_optional(struct printer *p, struct reader *in, enum names space) {
    uint32_t index = mote__read_u32(in);
    if (index) mote__print_index(p, space, index);
}

/* Two indices of one space, destination first; both or none are written. */
static void print_pair(struct printer *p, struct reader *in, enum names space) {
    uint32_t first = mote__read_u32(in), second = mote__read_u32(in);
    if (!first && !second) return;
    mote__print_index(p, space, first);
    mote__print_index(p, space, second);
}

/* A segment and its container: the text has the container first. */
static void print_swapped(struct printer *p, struct reader *in, enum names segment,
                          enum names container) {
    uint32_t segment_index = mote__read_u32(in), container_index = mote__read_u32(in);
    if (container_index) mote__print_index(p, container, container_index);
    mote__print_index(p, segment, segment_index);
}

static void print_labels(struct printer *p, struct reader *in) {
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) print_label(p, in);
    print_label(p, in);
}

static void print_type_and_table(struct printer *p, struct reader *in) {
    uint32_t type = mote__read_u32(in), table = mote__read_u32(in);
    if (table) mote__print_index(p, NAMES_TABLE, table);
    mote__print_typeuse(p, type, NULL);
}

static void print_memarg(struct printer *p, struct reader *in, enum mote__op op) {
    enum { HAS_MEMORY = 1 << 6 };
    uint32_t align = mote__read_u32(in), memory = align & HAS_MEMORY ? mote__read_u32(in) : 0;
    uint64_t offset = mote__read_u64(in);
    align &= ~(uint32_t)HAS_MEMORY;
    if (align > 63) {
        mote__reader_fail(in, in->pos, "malformed memop flags");
        return;
    }
    if (memory) mote__print_index(p, NAMES_MEMORY, memory);
    if (offset) mote__print(p, " offset=%llu", (unsigned long long)offset);
    if (UINT64_C(1) << align != mote__op_info[op].mem_bytes)
        mote__print(p, " align=%llu", (unsigned long long)(UINT64_C(1) << align));
}

static void print_lane(struct printer *p, struct reader *in) {
    mote__print(p, " %u", (unsigned)mote__read_u8(in));
}

static void print_lanes(struct printer *p, struct reader *in) {
    for (unsigned i = 0; i < 16; i++) print_lane(p, in);
}

/* Small whole numbers as they are, all others in hexadecimal. */
static void print_f32(struct printer *p, struct reader *in) {
    char text[NUMBER_TEXT_MAX + 1];
    uint32_t bits = mote__read_f32_bits(in);
    float value;
    memcpy(&value, &bits, sizeof value);
    if (value >= 1 && value <= 1e6f && (float)(int32_t)value == value) {
        mote__print(p, " %d", (int)value);
        return;
    }
    mote__format_f32(bits, text);
    mote__print(p, " %s", text);
}

static void print_f64(struct printer *p, struct reader *in) {
    char text[NUMBER_TEXT_MAX + 1];
    uint64_t bits = mote__read_f64_bits(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (value >= 1 && value <= 1e9 && (double)(int32_t)value == value) {
        mote__print(p, " %d", (int)value);
        return;
    }
    mote__format_f64(bits, text);
    mote__print(p, " %s", text);
}

static void print_v128(struct printer *p, struct reader *in) {
    mote__print(p, " i32x4");
    for (unsigned i = 0; i < 4; i++) mote__print(p, " 0x%08x", (unsigned)mote__read_f32_bits(in));
}

static void print_br_on_cast(struct printer *p, struct reader *in) {
    uint8_t flags = mote__read_u8(in);
    if (flags > 3) mote__reader_fail(in, in->pos - 1, "malformed br_on_cast flags");
    print_label(p, in);
    mote__print_reftype(p, flags & 1, in);
    mote__print_reftype(p, flags & 2, in);
}

static void print_type_and_field(struct printer *p, struct reader *in) {
    uint32_t type = mote__read_u32(in), field = mote__read_u32(in);
    static const struct name_list none;
    mote__print_index(p, NAMES_TYPE, type);
    mote__print_index_in(p, type < p->types.count ? &p->types.data[type].fields : &none, field);
}

static void print_results(struct printer *p, struct reader *in) {
    uint32_t count = mote__read_u32(in);
    mote__print(p, " (result");
    for (uint32_t i = 0; i < count && !in->failed; i++) mote__print_type(p, in);
    mote__print(p, ")");
}

/* Empty, a value type, or the index of a function type (a signed number that is not negative). */
static void print_blocktype(struct printer *p, struct reader *in) {
    if (!mote__reader_left(in)) {
        mote__reader_fail(in, in->pos, "unexpected end");
        return;
    }
    uint8_t code = *in->pos;
    bool is_index = code >= 0x80 || !(code & 0x40);
    if (is_index) {
        const uint8_t *at = in->pos;
        int64_t index = mote__read_s33(in);
        if (index < 0) mote__reader_fail(in, at, "malformed block type");
        else mote__print_typeuse(p, (uint32_t)index, NULL);
        return;
    }
    in->pos++;
    if (code == TYPE_CODE_EMPTY) return;
    mote__print(p, " (result");
    mote__print_type_of_code(p, in, code);
    mote__print(p, ")");
}

/* Catch clauses see the labels outside of their block. */
static void print_catches(struct printer *p, struct reader *in) {
    static const char *const words[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
    uint32_t count = mote__read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        uint8_t kind = mote__read_u8(in);
        if (kind > 3) {
            mote__reader_fail(in, in->pos - 1, "malformed catch clause");
            return;
        }
        mote__print(p, " (%s", words[kind]);
        if (kind < 2) print_index(p, in, NAMES_TAG);
        print_label(p, in);
        mote__print(p, ")");
    }
}

/* The label stands before the type in the text, and is not in scope in the clauses. */
static void print_block(struct printer *p, struct reader *in, enum mote__op op) {
    push_label(p);
    print_blocktype(p, in);
    if (op != OP_try_table || p->out.failed) return;
    struct open_label label = *mote__vec_last(&p->open_labels);
    pop_label(p);
    print_catches(p, in);
    p->open_labels.data[p->open_labels.count++] = label;
    if (label.name.data)
        *mote__map_get(&p->labels_by_name, label.name.data, label.name.size) = p->open_labels.count;
}

static void print_cast(struct printer *p, struct reader *in, enum mote__op op) {
    if (op == OP_ref_null) mote__print_heaptype(p, in);
    else mote__print_reftype(p, op == OP_ref_test_null || op == OP_ref_cast_null, in);
}

static void print_two(struct printer *p, struct reader *in, enum names first, enum names second) {
    print_index(p, in, first);
    print_index(p, in, second);
}

static void print_fence(struct reader *in) {
    if (mote__read_u8(in) != 0) mote__reader_fail(in, in->pos - 1, "zero byte expected");
}

static void print_immediates(struct printer *p, struct reader *in, enum mote__op op) {
    switch ((enum mote__imm)mote__op_info[op].imm) {
    case IMM_NONE: break;
    case IMM_BLOCK:
    case IMM_TRY_TABLE: print_block(p, in, op); break;
    case IMM_LABEL: print_label(p, in); break;
    case IMM_LABELS: print_labels(p, in); break;
    case IMM_FUNC: print_index(p, in, NAMES_FUNC); break;
    case IMM_TYPE: print_index(p, in, NAMES_TYPE); break;
    case IMM_TYPE_TABLE: print_type_and_table(p, in); break;
    case IMM_VALTYPES: print_results(p, in); break;
    case IMM_LOCAL: mote__print_index_in(p, &p->local_names, mote__read_u32(in)); break;
    case IMM_GLOBAL: print_index(p, in, NAMES_GLOBAL); break;
    case IMM_TABLE: print_optional(p, in, NAMES_TABLE); break;
    case IMM_TABLE_TABLE: print_pair(p, in, NAMES_TABLE); break;
    case IMM_ELEM: print_index(p, in, NAMES_ELEM); break;
    case IMM_ELEM_TABLE: print_swapped(p, in, NAMES_ELEM, NAMES_TABLE); break;
    case IMM_DATA: print_index(p, in, NAMES_DATA); break;
    case IMM_DATA_MEM: print_swapped(p, in, NAMES_DATA, NAMES_MEMORY); break;
    case IMM_MEM: print_optional(p, in, NAMES_MEMORY); break;
    case IMM_MEM_MEM: print_pair(p, in, NAMES_MEMORY); break;
    case IMM_MEMARG: print_memarg(p, in, op); break;
    case IMM_MEMARG_LANE:
        print_memarg(p, in, op);
        print_lane(p, in);
        break;
    case IMM_LANE: print_lane(p, in); break;
    case IMM_LANES: print_lanes(p, in); break;
    case IMM_I32: mote__print(p, " %d", (int)mote__read_s32(in)); break;
    case IMM_I64: mote__print(p, " %lld", (long long)mote__read_s64(in)); break;
    case IMM_F32: print_f32(p, in); break;
    case IMM_F64: print_f64(p, in); break;
    case IMM_V128: print_v128(p, in); break;
    case IMM_HEAPTYPE: print_cast(p, in, op); break;
    case IMM_BR_ON_CAST: print_br_on_cast(p, in); break;
    case IMM_TYPE_FIELD: print_type_and_field(p, in); break;
    case IMM_TYPE_COUNT:
        print_index(p, in, NAMES_TYPE);
        mote__print(p, " %u", (unsigned)mote__read_u32(in));
        break;
    case IMM_TYPE_DATA: print_two(p, in, NAMES_TYPE, NAMES_DATA); break;
    case IMM_TYPE_ELEM: print_two(p, in, NAMES_TYPE, NAMES_ELEM); break;
    case IMM_TYPE_TYPE: print_two(p, in, NAMES_TYPE, NAMES_TYPE); break;
    case IMM_TAG: print_index(p, in, NAMES_TAG); break;
    case IMM_FENCE: print_fence(in); break;
    }
}

/* ---- Sequences. ---- */

static enum mote__op read_op(struct reader *in) {
    const uint8_t *at = in->pos;
    uint8_t byte = mote__read_u8(in);
    enum mote__op op = byte >= 0xFB && byte <= 0xFE ? mote__op_lookup(byte, mote__read_u32(in))
                                                    : (enum mote__op)mote__op_of_byte[byte];
    if (op == OP_INVALID) mote__reader_fail(in, at, "illegal opcode");
    return op;
}

static void print_op(struct printer *p, struct reader *in, enum mote__op op) {
    const char *text = mote__op_text(&mote__op_info[op]);
    mote__put_bytes(&p->out, text, strlen(text));
    print_immediates(p, in, op);
}

/* else, catch and catch_all stand where their block began. */
static bool is_part(enum mote__op op) {
    return op == OP_else || op == OP_catch || op == OP_catch_all;
}

/* Prints `op` in its line; closes and opens blocks around it. */
static void print_in_body(struct printer *p, struct reader *in, enum mote__op op, uint32_t func,
                          uint32_t offset) {
    bool closes = op == OP_end || op == OP_delegate;
    unsigned imm = mote__op_info[op].imm;
    if (closes || is_part(op)) {
        if (!p->open_labels.count) {
            mote__reader_fail(in, in->pos, "unexpected token: a part of a block outside of one");
            return;
        }
        p->indent--;
    }
    if (closes) pop_label(p);
    mote__print_line(p);
    print_hint(p, func, offset, op);
    print_op(p, in, op);
    if (is_part(op) || imm == IMM_BLOCK || imm == IMM_TRY_TABLE) p->indent++;
}

void mote__print_body(struct printer *p, struct reader *in, const uint8_t *start) {
    uint32_t func = p->counts[NAMES_FUNC] - 1;
    unsigned indent = p->indent;
    p->open_labels.count = 0;
    p->label_count = 0;
    begin_hints(p, func);
    while (!in->failed && !p->out.failed && p->out.size <= LIMIT_TEXT_BYTES) {
        uint32_t offset = (uint32_t)(in->pos - start);
        enum mote__op op = read_op(in);
        if (in->failed) break;
        if (op == OP_end && !p->open_labels.count) {
            if (mote__reader_left(in))
                mote__reader_fail(in, in->pos, "END opcode expected at the end of the body");
            break;
        }
        print_in_body(p, in, op, func, offset);
    }
    while (p->open_labels.count && !p->out.failed) pop_label(p); /* after a failure */
    p->indent = indent;
}

/* Instructions up to the expression's end, each behind a space; returns how many there were. */
static uint32_t print_expr_ops(struct printer *p, struct reader *in) {
    uint32_t count = 0;
    p->open_labels.count = 0;
    p->local_names = p->label_names = (struct name_list){0};
    for (;; count++) {
        enum mote__op op = read_op(in);
        bool closes = op == OP_end || op == OP_delegate;
        bool failed = in->failed || p->out.failed || p->out.size > LIMIT_TEXT_BYTES;
        if (failed || (op == OP_end && !p->open_labels.count)) return count;
        if (closes && !p->open_labels.count) mote__reader_fail(in, in->pos, "unexpected token");
        else if (closes) pop_label(p);
        mote__put_u8(&p->out, ' ');
        print_op(p, in, op);
    }
}

void mote__print_expr(struct printer *p, struct reader *in, const char *word) {
    size_t from = p->out.size;
    uint32_t count = print_expr_ops(p, in);
    if (count != 1 && !word) return;
    mote__print_insert(p, from, " (");
    if (count == 1) mote__print_remove(p, from + 2, 1); /* the space before the instruction */
    else mote__print_insert(p, from + 2, word);
    mote__put_u8(&p->out, ')');
}
