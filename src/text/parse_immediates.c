/* parse_immediates.c - one instruction that is no block: its op and immediates (core spec, "Text
 * Format / Instructions"). In: the cursor behind the keyword. Out: bytes at the end of parser.code.
 * The kinds of immediates come from ops.def; one function each. Keeps: immediates are written in
 * the order of the binary format, which is not always that of the text. */
#include "text/parse.h"
#include "text/number.h"
#include <assert.h>

/* ---- Keywords. ---- */

static unsigned keyword_hash(const uint8_t *text, size_t size) {
    uint32_t hash = (uint32_t)size;
    for (size_t i = 0; i < size; i++) hash = (hash ^ text[i]) * UINT32_C(0x9E3779B1);
    return hash >> 21;
}
static_assert(OP_TABLE_SIZE == 1u << 11, "keyword_hash gives 11 bits");
static_assert(OP_COUNT * 2 <= OP_TABLE_SIZE, "the table of keywords stays half empty");

void mote__op_table_init(struct parser *p) {
    memset(p->ops, 0, sizeof p->ops);
    for (unsigned op = 0; op < OP_COUNT; op++) {
        const char *text = mote__op_text(&mote__op_info[op]);
        struct token word = {(const uint8_t *)text, strlen(text), NULL, TOKEN_KEYWORD};
        if (mote__op_find(p, word) != OP_INVALID)
            continue; /* two rows with one keyword: the first stands for both */
        unsigned at = keyword_hash(word.at, word.size);
        while (p->ops[at]) at = (at + 1) % OP_TABLE_SIZE;
        p->ops[at] = (uint16_t)(op + 1);
    }
}

enum mote__op mote__op_find(const struct parser *p, struct token keyword) {
    for (unsigned at = keyword_hash(keyword.at, keyword.size); p->ops[at];
         at = (at + 1) % OP_TABLE_SIZE)
        if (mote__token_is(keyword, mote__op_text(&mote__op_info[p->ops[at] - 1])))
            return (enum mote__op)(p->ops[at] - 1);
    return OP_INVALID;
}

void mote__put_op(struct buffer *b, enum mote__op op) {
    const struct mote__op_info *info = &mote__op_info[op];
    if (info->prefix) {
        mote__put_u8(b, info->prefix);
        mote__put_leb_u(b, info->code);
    } else mote__put_u8(b, (uint8_t)info->code);
}

/* ---- Indices. ---- */

static mote_status put_index(struct parser *p, enum space space) {
    uint32_t index;
    TRY(mote__parse_index(p, space, &index));
    mote__put_leb_u(p->code, index);
    return MOTE_OK;
}

/* An index that is 0 when it is left out. */
static mote_status put_optional_index(struct parser *p, enum space space) {
    if (mote__at_index(p)) return put_index(p, space);
    mote__put_leb_u(p->code, 0);
    return MOTE_OK;
}

/* Both or none of two indices of one space, destination first. */
static mote_status put_index_pair(struct parser *p, enum space space) {
    if (mote__at_index(p)) TRY(put_index(p, space));
    else {
        mote__put_leb_u(p->code, 0);
        mote__put_leb_u(p->code, 0);
        return MOTE_OK;
    }
    return put_index(p, space);
}

/* [table] segment: the text has the container first, and may leave it out; the binary has it last.
 */
static mote_status put_segment_and(struct parser *p, enum space segment, enum space container) {
    struct token first = p->token;
    uint32_t segment_index, container_index = 0;
    if (!mote__at_index(p)) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    if (mote__at_index(p)) {
        TRY(mote__resolve(p, container, first, &container_index));
        TRY(mote__parse_index(p, segment, &segment_index));
    } else TRY(mote__resolve(p, segment, first, &segment_index));
    mote__put_leb_u(p->code, segment_index);
    mote__put_leb_u(p->code, container_index);
    return MOTE_OK;
}

/* A label out of the names in scope, or a number. */
mote_status mote__parse_label_index(struct parser *p, uint32_t *index) {
    if (p->token.kind != TOKEN_ID) return mote__parse_index(p, SPACE_TYPE, index); /* a number */
    struct token id = p->token;
    struct span name;
    TRY(mote__id_bytes(p, id, &name));
    const uint64_t *at = mote__map_get(&p->labels_by_name, name.data, name.size);
    if (!at || !*at)
        return mote__parse_fail(p, id, "unknown label %.*s", mote__shown(id), (const char *)id.at);
    *index = (uint32_t)(p->labels.count - *at);
    mote__parse_advance(p);
    return MOTE_OK;
}

static mote_status put_label(struct parser *p) {
    uint32_t index;
    TRY(mote__parse_label_index(p, &index));
    mote__put_leb_u(p->code, index);
    return MOTE_OK;
}

/* Labels of br_table: all but the last are counted, the last is the default. */
static mote_status put_labels(struct parser *p) {
    struct buffer *b = p->code;
    size_t count_at = b->size, count = 0;
    p->scratch.size = 0;
    do {
        uint32_t index;
        TRY(mote__parse_label_index(p, &index));
        mote__put_leb_u(&p->scratch, index);
        count++;
    } while (mote__at_index(p));
    b->size = count_at;
    mote__put_leb_u(b, count - 1);
    mote__put_buffer(b, &p->scratch);
    return MOTE_OK;
}

static mote_status put_local(struct parser *p) {
    uint32_t index;
    TRY(mote__parse_local_index(p, &index));
    mote__put_leb_u(p->code, index);
    return MOTE_OK;
}

static mote_status put_type_and_field(struct parser *p) {
    uint32_t type, field;
    TRY(mote__parse_index(p, SPACE_TYPE, &type));
    TRY(mote__parse_field_index(p, type, &field));
    mote__put_leb_u(p->code, type);
    mote__put_leb_u(p->code, field);
    return MOTE_OK;
}

/* ---- Types. ---- */

/* call_indirect [table] typeuse */
static mote_status put_type_and_table(struct parser *p) {
    uint32_t table = 0;
    struct typeuse use;
    if (mote__at_index(p)) TRY(mote__parse_index(p, SPACE_TABLE, &table));
    TRY(mote__parse_typeuse(p, PARAMS_ANONYMOUS, &use));
    TRY(mote__resolve_typeuse(p, &use));
    mote__put_leb_u(p->code, use.index);
    mote__put_leb_u(p->code, table);
    return MOTE_OK;
}

/* (result t*)* of select */
static mote_status put_results(struct parser *p) {
    size_t first = p->types.count;
    uint32_t count = 0;
    TRY(mote__parse_results(p, &count));
    mote__put_leb_u(p->code, count);
    for (size_t i = first; i < p->types.count; i++) mote__put_type(p->code, p->types.data[i]);
    p->types.count = first;
    return MOTE_OK;
}

static mote_status put_heaptype(struct parser *p) {
    int64_t heap;
    TRY(mote__parse_heaptype(p, &heap));
    mote__put_leb_s(p->code, heap);
    return MOTE_OK;
}

static bool is_nullable(texttype type) { return (uint8_t)type == 0x63; }

/* br_on_cast label from to: the flags come first in the binary. */
static mote_status put_br_on_cast(struct parser *p) {
    uint32_t label;
    texttype from, to;
    TRY(mote__parse_label_index(p, &label));
    TRY(mote__parse_reftype(p, &from));
    TRY(mote__parse_reftype(p, &to));
    mote__put_u8(p->code, (uint8_t)(is_nullable(from) | is_nullable(to) << 1));
    mote__put_leb_u(p->code, label);
    mote__put_leb_s(p->code, (int64_t)from >> 8);
    mote__put_leb_s(p->code, (int64_t)to >> 8);
    return MOTE_OK;
}

/* ---- Memory. ---- */

/* True for the keyword "NAME=...". */
static bool is_assignment(struct token t, const char *name) {
    size_t size = strlen(name);
    return t.kind == TOKEN_KEYWORD && t.size >= size && !memcmp(t.at, name, size);
}

/* Takes a keyword "NAME=number" apart; false when it is something else. */
static bool take_assignment(struct parser *p, const char *name, struct token *number) {
    size_t size = strlen(name);
    struct token t = p->token;
    if (!is_assignment(t, name)) return false;
    struct lexer lexer;
    mote__lexer_init(&lexer, (struct span){t.at + size, t.size - size}, 0);
    *number = mote__lexer_next(&lexer);
    mote__parse_advance(p);
    return true;
}

static mote_status parse_assigned(struct parser *p, struct token number, const char *what,
                                  uint64_t *value) {
    if (number.kind != TOKEN_NAT) {
        number.kind = TOKEN_KEYWORD;
        return mote__parse_fail(p, number, "unknown operator: a number should be here");
    }
    if (mote__parse_int((struct span){number.at, number.size}, 64, value)) return MOTE_OK;
    return mote__parse_fail(p, number, "i64 constant out of range for %s", what);
}

/* offset=N and align=N; the alignment as a power of two, natural when it is not given. */
static mote_status parse_memarg(struct parser *p, unsigned natural, uint64_t *offset,
                                unsigned *align_log2) {
    struct token number;
    uint64_t align = natural;
    *offset = 0;
    if (take_assignment(p, "offset=", &number)) TRY(parse_assigned(p, number, "offset", offset));
    if (take_assignment(p, "align=", &number)) {
        TRY(parse_assigned(p, number, "align", &align));
        if (!align || (align & (align - 1)))
            return mote__parse_fail(p, number, "alignment must be a power of two");
    }
    *align_log2 = (unsigned)__builtin_ctzll(align);
    return MOTE_OK;
}

static mote_status put_memarg_of(struct parser *p, enum mote__op op, uint32_t memory) {
    enum { HAS_MEMORY = 1 << 6 };
    uint64_t offset;
    unsigned align = 0;
    TRY(parse_memarg(p, mote__op_info[op].mem_bytes, &offset, &align));
    mote__put_leb_u(p->code, align | (memory ? HAS_MEMORY : 0));
    if (memory) mote__put_leb_u(p->code, memory);
    mote__put_leb_u(p->code, offset);
    return MOTE_OK;
}

static mote_status put_memarg(struct parser *p, enum mote__op op) {
    uint32_t memory = 0;
    if (mote__at_index(p)) TRY(mote__parse_index(p, SPACE_MEMORY, &memory));
    return put_memarg_of(p, op, memory);
}

static mote_status put_lane(struct parser *p) {
    uint64_t lane;
    TRY(mote__parse_nat(p, 8, &lane));
    mote__put_u8(p->code, (uint8_t)lane);
    return MOTE_OK;
}

/* [memory] memarg lane: a lone number is the lane. */
static mote_status put_memarg_lane(struct parser *p, enum mote__op op) {
    uint32_t memory = 0;
    bool has_more = p->next.kind == TOKEN_NAT || is_assignment(p->next, "offset=") ||
                    is_assignment(p->next, "align=");
    if (p->token.kind == TOKEN_ID || (p->token.kind == TOKEN_NAT && has_more))
        TRY(mote__parse_index(p, SPACE_MEMORY, &memory));
    TRY(put_memarg_of(p, op, memory));
    return put_lane(p);
}

static mote_status put_lanes(struct parser *p) {
    unsigned count = 0;
    for (; count < 16 && p->token.kind == TOKEN_NAT; count++) TRY(put_lane(p));
    bool is_wrong_kind = mote__at_number(p) && p->token.kind != TOKEN_NAT;
    if (is_wrong_kind || (count < 16 && p->token.kind == TOKEN_KEYWORD))
        return mote__parse_unexpected(p);
    if (count == 16 && p->token.kind != TOKEN_NAT) return MOTE_OK;
    return mote__parse_fail(p, p->token, "invalid lane length: 16 lanes are needed");
}

/* ---- Constants. ---- */

/* Reads an integer of `bits` bits, with or without sign. */
static mote_status parse_int(struct parser *p, unsigned bits, uint64_t *value) {
    if (p->token.kind != TOKEN_NAT && p->token.kind != TOKEN_INT) return mote__parse_unexpected(p);
    if (!mote__parse_int((struct span){p->token.at, p->token.size}, bits, value))
        return mote__parse_fail(p, p->token, "constant out of range");
    mote__parse_advance(p);
    return MOTE_OK;
}

static mote_status parse_float(struct parser *p, unsigned bits, uint64_t *value) {
    if (!mote__at_number(p)) return mote__parse_unexpected(p);
    struct span text = {p->token.at, p->token.size};
    uint32_t narrow = 0;
    bool ok = bits == 32 ? mote__parse_f32(text, &narrow) : mote__parse_f64(text, value);
    if (!ok) return mote__parse_fail(p, p->token, "constant out of range");
    if (bits == 32) *value = narrow;
    mote__parse_advance(p);
    return MOTE_OK;
}

mote_status mote__parse_number(struct parser *p, bool is_float, unsigned bits, uint64_t *value) {
    return is_float ? parse_float(p, bits, value) : parse_int(p, bits, value);
}

static const struct v128_shape shapes[] = {
    {"i8x16", 16, 8, false}, {"i16x8", 8, 16, false}, {"i32x4", 4, 32, false},
    {"i64x2", 2, 64, false}, {"f32x4", 4, 32, true},  {"f64x2", 2, 64, true},
};

const struct v128_shape *mote__at_shape(const struct parser *p) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (mote__at_keyword(p, shapes[i].word)) return &shapes[i];
    return NULL;
}

/* Steps over the lanes from the cursor on; a number of them other than `left` is worse than what was wrong with the first. */
static mote_status fail_lane(struct parser *p, unsigned left, mote_status status) {
    unsigned found = 0;
    for (; mote__at_number(p); found++) mote__parse_advance(p);
    return found == left ? status : mote__parse_fail(p, p->token, "wrong number of lane literals");
}

static mote_status put_v128(struct parser *p) {
    const struct v128_shape *shape = mote__at_shape(p);
    if (!shape) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    for (unsigned i = 0; i < shape->lanes; i++) {
        uint64_t lane = 0;
        if (p->token.kind == TOKEN_KEYWORD) return mote__parse_unexpected(p);
        if (!mote__at_number(p) && p->token.kind != TOKEN_ERROR)
            return mote__parse_fail(p, p->token, "wrong number of lane literals");
        mote_status status = mote__parse_number(p, shape->is_float, shape->bits, &lane);
        if (status != MOTE_OK) return fail_lane(p, shape->lanes - i, status);
        mote__put_le(p->code, lane, shape->bits / 8);
    }
    if (mote__at_number(p)) return mote__parse_fail(p, p->token, "wrong number of lane literals");
    return MOTE_OK;
}

static mote_status put_i32(struct parser *p) {
    uint64_t value;
    TRY(parse_int(p, 32, &value));
    mote__put_leb_s(p->code, (int32_t)value);
    return MOTE_OK;
}

static mote_status put_i64(struct parser *p) {
    uint64_t value;
    TRY(parse_int(p, 64, &value));
    mote__put_leb_s(p->code, (int64_t)value);
    return MOTE_OK;
}

static mote_status put_float(struct parser *p, unsigned bits) {
    uint64_t value;
    TRY(parse_float(p, bits, &value));
    mote__put_le(p->code, value, bits / 8);
    return MOTE_OK;
}

/* ---- All of them. ---- */

static mote_status put_type_and_count(struct parser *p) {
    uint64_t count;
    TRY(put_index(p, SPACE_TYPE));
    TRY(mote__parse_nat(p, 32, &count));
    mote__put_leb_u(p->code, count);
    return MOTE_OK;
}

static mote_status put_two_indices(struct parser *p, enum space first, enum space second) {
    TRY(put_index(p, first));
    return put_index(p, second);
}

static mote_status put_immediates(struct parser *p, enum mote__op op) {
    switch ((enum mote__imm)mote__op_info[op].imm) {
    case IMM_NONE: return MOTE_OK;
    case IMM_LABEL: return put_label(p);
    case IMM_LABELS: return put_labels(p);
    case IMM_FUNC: return put_index(p, SPACE_FUNC);
    case IMM_TYPE: return put_index(p, SPACE_TYPE);
    case IMM_TYPE_TABLE: return put_type_and_table(p);
    case IMM_VALTYPES: return put_results(p);
    case IMM_LOCAL: return put_local(p);
    case IMM_GLOBAL: return put_index(p, SPACE_GLOBAL);
    case IMM_TABLE: return put_optional_index(p, SPACE_TABLE);
    case IMM_TABLE_TABLE: return put_index_pair(p, SPACE_TABLE);
    case IMM_ELEM: return put_index(p, SPACE_ELEM);
    case IMM_ELEM_TABLE: return put_segment_and(p, SPACE_ELEM, SPACE_TABLE);
    case IMM_DATA: return put_index(p, SPACE_DATA);
    case IMM_DATA_MEM: return put_segment_and(p, SPACE_DATA, SPACE_MEMORY);
    case IMM_MEM: return put_optional_index(p, SPACE_MEMORY);
    case IMM_MEM_MEM: return put_index_pair(p, SPACE_MEMORY);
    case IMM_MEMARG: return put_memarg(p, op);
    case IMM_MEMARG_LANE: return put_memarg_lane(p, op);
    case IMM_LANE: return put_lane(p);
    case IMM_LANES: return put_lanes(p);
    case IMM_I32: return put_i32(p);
    case IMM_I64: return put_i64(p);
    case IMM_F32: return put_float(p, 32);
    case IMM_F64: return put_float(p, 64);
    case IMM_V128: return put_v128(p);
    case IMM_HEAPTYPE: return put_heaptype(p);
    case IMM_BR_ON_CAST: return put_br_on_cast(p);
    case IMM_TYPE_FIELD: return put_type_and_field(p);
    case IMM_TYPE_COUNT: return put_type_and_count(p);
    case IMM_TYPE_DATA: return put_two_indices(p, SPACE_TYPE, SPACE_DATA);
    case IMM_TYPE_ELEM: return put_two_indices(p, SPACE_TYPE, SPACE_ELEM);
    case IMM_TYPE_TYPE: return put_two_indices(p, SPACE_TYPE, SPACE_TYPE);
    case IMM_TAG: return put_index(p, SPACE_TAG);
    case IMM_FENCE: mote__put_u8(p->code, 0); return MOTE_OK;
    case IMM_BLOCK:
    case IMM_TRY_TABLE: break; /* parse_instr.c */
    }
    return mote__parse_unexpected(p);
}

/* ref.test and ref.cast: the nullability of the type chooses the row. */
static mote_status parse_cast(struct parser *p, enum mote__op op, enum mote__op op_null) {
    texttype type;
    TRY(mote__parse_reftype(p, &type));
    mote__put_op(p->code, is_nullable(type) ? op_null : op);
    mote__put_leb_s(p->code, (int64_t)type >> 8);
    return MOTE_OK;
}

static bool uses_data(enum mote__op op) {
    unsigned imm = mote__op_info[op].imm;
    return imm == IMM_DATA || imm == IMM_DATA_MEM || imm == IMM_TYPE_DATA;
}

mote_status mote__parse_plain_op(struct parser *p, enum mote__op op) {
    if (op == OP_ref_test) return parse_cast(p, op, OP_ref_test_null);
    if (op == OP_ref_cast) return parse_cast(p, op, OP_ref_cast_null);
    if (op == OP_select && mote__at_open(p, "result")) op = OP_select_t;
    p->uses_data_count |= uses_data(op);
    mote__put_op(p->code, op);
    return put_immediates(p, op);
}

/* ---- try_table. ---- */

static const struct {
    const char *word;
    uint8_t code;
    bool has_tag;
} catch_kinds[] = {
    {"catch", 0, true},
    {"catch_ref", 1, true},
    {"catch_all", 2, false},
    {"catch_all_ref", 3, false},
};

/* One clause at the cursor; *found is false when there is none. */
static mote_status put_catch(struct parser *p, bool *found) {
    *found = false;
    for (unsigned i = 0; i < sizeof catch_kinds / sizeof *catch_kinds; i++) {
        if (!mote__take_open(p, catch_kinds[i].word)) continue;
        *found = true;
        mote__put_u8(p->code, catch_kinds[i].code);
        if (catch_kinds[i].has_tag) TRY(put_index(p, SPACE_TAG));
        TRY(put_label(p));
        return mote__expect(p, TOKEN_CLOSE);
    }
    return MOTE_OK;
}

mote_status mote__parse_catches(struct parser *p) {
    /* The count comes first: the clauses are written behind it, and moved when it takes more than a
     * byte. */
    struct buffer *b = p->code;
    size_t start = b->size;
    uint32_t count = 0;
    bool found;
    for (;; count++) {
        TRY(put_catch(p, &found));
        if (!found) break;
    }
    p->scratch.size = 0;
    if (b->failed) return mote__parse_nomem(p);
    mote__put_bytes(&p->scratch, b->data + start, b->size - start);
    b->size = start;
    mote__put_leb_u(b, count);
    mote__put_buffer(b, &p->scratch);
    return MOTE_OK;
}
