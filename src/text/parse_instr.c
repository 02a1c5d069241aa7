/* parse_instr.c - sequences of instructions, flat and folded, with an explicit stack (core spec,
 * "Text Format / Instructions"). In: the cursor at the first instruction. Out: bytes in the order
 * of the binary format. A folded op comes before its operands in the text and after them in the
 * binary: its bytes wait in parser.pending, which is a stack too, so that each byte is moved once.
 * Keeps: frames, labels and pending are empty between expressions; their depth has a limit and
 * costs heap, never C stack. */
#include "text/parse.h"
#include "wasm/limits.h"

static struct frame *top(struct parser *p) {
    return p->frames.count ? mote__vec_last(&p->frames) : NULL;
}

static mote_status push_frame(struct parser *p, struct frame frame) {
    if (p->frames.count >= LIMIT_TEXT_NESTING) {
        mote__error_set(p->error, MOTE_E_LIMIT, (uint64_t)(frame.open.at - p->text.data),
                        "instructions are nested deeper than %d", LIMIT_TEXT_NESTING);
        mote__text_show_place(p->text, frame.open.size, p->error);
        return MOTE_E_LIMIT;
    }
    struct frame *slot = mote__vec_push(&p->frames, p->allocator);
    if (!slot) return mote__parse_nomem(p);
    *slot = frame;
    return MOTE_OK;
}

/* ---- Labels. ---- */

/* Opens a label; of two with one name the inner one counts. */
static mote_status push_label(struct parser *p, struct span name) {
    struct label *label = mote__vec_push(&p->labels, p->allocator);
    if (!label) return mote__parse_nomem(p);
    label->name = name;
    uint32_t number = p->label_count++;
    if (!name.data) return MOTE_OK;
    bool added;
    uint64_t *place = mote__map_put(&p->labels_by_name, name.data, name.size, &added);
    if (!place) return mote__parse_nomem(p);
    label->old = *place;
    *place = p->labels.count;
    if (p->in_func) mote__encoder_inner_name(&p->encoder, NAMES_LABEL, p->func_index, number, name);
    return MOTE_OK;
}

static void pop_label(struct parser *p) {
    struct label label = p->labels.data[--p->labels.count];
    if (label.name.data)
        *mote__map_get(&p->labels_by_name, label.name.data, label.name.size) = label.old;
}

static mote_status parse_optional_label(struct parser *p, struct span *name) {
    *name = (struct span){0};
    if (p->token.kind != TOKEN_ID) return MOTE_OK;
    TRY(mote__id_bytes(p, p->token, name));
    mote__parse_advance(p);
    return MOTE_OK;
}

/* An identifier behind end, else, catch: it must be that of the block. */
static mote_status check_repeated_label(struct parser *p) {
    struct token id = p->token;
    if (id.kind != TOKEN_ID) return MOTE_OK;
    struct span name, expected = mote__vec_last(&p->labels)->name;
    TRY(mote__id_bytes(p, id, &name));
    if (!expected.data || name.size != expected.size ||
        memcmp(name.data, expected.data, name.size) != 0)
        return mote__parse_fail(p, id, "mismatching label %.*s", mote__shown(id),
                                (const char *)id.at);
    mote__parse_advance(p);
    return MOTE_OK;
}

/* ---- Branch hints. ---- */

/* (@metadata.code.branch_hint "\00") or "\01", for the next instruction. */
static mote_status parse_hint(struct parser *p) {
    struct token at = p->token;
    if (!mote__at_annotation(p, "(@metadata.code.branch_hint")) return mote__parse_unexpected(p);
    if (!p->in_func) return mote__parse_unexpected(p);
    if (p->hint >= 0)
        return mote__parse_fail(p, at,
                                "@metadata.code.branch_hint annotation: duplicate annotation");
    mote__parse_advance(p);
    struct token value = p->token;
    p->scratch.size = 0;
    TRY(mote__parse_bytes(p, &p->scratch));
    if (p->scratch.size != 1 || p->scratch.data[0] > 1)
        return mote__parse_fail(p, value, "@metadata.code.branch_hint annotation: invalid value");
    p->hint = (int8_t)p->scratch.data[0];
    return mote__expect(p, TOKEN_CLOSE);
}

/* Takes the hint that waits for this op. */
static mote_status take_hint(struct parser *p, enum mote__op op, int8_t *hint) {
    *hint = p->hint;
    p->hint = -1;
    if (*hint < 0 || op == OP_if || op == OP_br_if) return MOTE_OK;
    return mote__parse_fail(p, p->token, "@metadata.code.branch_hint annotation: invalid target");
}

/* An op's bytes are at `offset`: notes its branch hint, and its token if somebody looks for it. */
static void mark_op(struct parser *p, size_t offset, int8_t hint, struct token at) {
    struct watch *w = p->watch;
    if (hint >= 0) mote__encoder_branch_hint(&p->encoder, (uint32_t)offset, hint == 1);
    if (w && p->in_func && p->encoder.sections[SECTION_CODE].count == w->ordinal &&
        offset <= w->offset)
        w->found = at;
}

/* ---- Bytes that wait. ---- */

/* Moves what was written since `from` from the code to the pending stack. */
static mote_status suspend(struct parser *p, size_t from) {
    struct buffer *code = p->code;
    if (code->failed) return mote__parse_nomem(p);
    mote__put_bytes(&p->pending, code->data + from, code->size - from);
    code->size = from;
    return p->pending.failed ? mote__parse_nomem(p) : MOTE_OK;
}

/* Moves a frame's bytes back. */
static void resume(struct parser *p, const struct frame *frame) {
    mark_op(p, p->code->size, frame->hint, frame->open);
    if (p->pending.size > frame->pending)
        mote__put_bytes(p->code, p->pending.data + frame->pending,
                        p->pending.size - frame->pending);
    p->pending.size = frame->pending;
}

/* ---- Blocks. ---- */

static bool is_block(enum mote__op op) {
    unsigned imm = mote__op_info[op].imm;
    return imm == IMM_BLOCK || imm == IMM_TRY_TABLE;
}

/* The op, its label's name and its type; catch clauses see the labels outside. */
static mote_status parse_block_head(struct parser *p, enum mote__op op, struct span *label) {
    TRY(parse_optional_label(p, label));
    mote__put_op(p->code, op);
    TRY(mote__parse_blocktype(p));
    return op == OP_try_table ? mote__parse_catches(p) : MOTE_OK;
}

/* ---- Flat instructions: the cursor is at the keyword. ---- */

static mote_status flat_block(struct parser *p, enum mote__op op) {
    struct frame frame = {.kind = FRAME_FLAT, .op = (uint16_t)op, .open = p->token, .hint = -1};
    int8_t hint;
    TRY(take_hint(p, op, &hint));
    mark_op(p, p->code->size, hint, p->token);
    mote__parse_advance(p);
    TRY(parse_block_head(p, op, &frame.label));
    TRY(push_label(p, frame.label));
    return push_frame(p, frame);
}

/* The innermost block, if it is a flat one. */
static struct frame *flat_top(struct parser *p) {
    struct frame *frame = top(p);
    return frame && frame->kind == FRAME_FLAT ? frame : NULL;
}

static mote_status flat_end(struct parser *p) {
    if (!flat_top(p)) return mote__parse_unexpected(p);
    mark_op(p, p->code->size, -1, p->token);
    mote__parse_advance(p);
    TRY(check_repeated_label(p));
    mote__put_op(p->code, OP_end);
    pop_label(p);
    p->frames.count--;
    return MOTE_OK;
}

/* else, catch, catch_all: the next part of a block that `after` (or, for a catch, another catch)
 * opened. */
static mote_status flat_part(struct parser *p, enum mote__op op, enum mote__op after) {
    struct frame *frame = flat_top(p);
    bool fits = frame && (frame->op == after || (after == OP_try && frame->op == OP_catch));
    if (!fits) return mote__parse_unexpected(p);
    frame->op = (uint16_t)op;
    mark_op(p, p->code->size, -1, p->token);
    mote__parse_advance(p);
    if (op != OP_catch) TRY(check_repeated_label(p));
    return mote__parse_plain_op(p, op);
}

/* delegate ends its try; its label is counted from outside of it. */
static mote_status flat_delegate(struct parser *p) {
    struct frame *frame = flat_top(p);
    if (!frame || frame->op != OP_try) return mote__parse_unexpected(p);
    mark_op(p, p->code->size, -1, p->token);
    mote__parse_advance(p);
    pop_label(p);
    p->frames.count--;
    return mote__parse_plain_op(p, OP_delegate);
}

static mote_status flat_plain(struct parser *p, enum mote__op op) {
    int8_t hint;
    TRY(take_hint(p, op, &hint));
    mark_op(p, p->code->size, hint, p->token);
    mote__parse_advance(p);
    return mote__parse_plain_op(p, op);
}

static mote_status parse_flat(struct parser *p) {
    const struct frame *frame = top(p);
    bool wants_folded = frame && (frame->kind == FRAME_OPERANDS || frame->kind == FRAME_FOLDED_IF ||
                                  frame->kind == FRAME_FOLDED_TRY);
    enum mote__op op = mote__op_find(p, p->token);
    if (wants_folded || op == OP_INVALID) return mote__parse_unexpected(p);
    switch (op) {
    case OP_end: return flat_end(p);
    case OP_else: return flat_part(p, op, OP_if);
    case OP_catch:
    case OP_catch_all: return flat_part(p, op, OP_try);
    case OP_delegate: return flat_delegate(p);
    default: return is_block(op) ? flat_block(p, op) : flat_plain(p, op);
    }
}

/* ---- Folded instructions: the cursor is at "(", the keyword behind it. ---- */

static mote_status folded_plain(struct parser *p, struct frame frame, enum mote__op op) {
    size_t from = p->code->size;
    TRY(mote__parse_plain_op(p, op));
    if (p->token.kind == TOKEN_CLOSE) { /* no operands: the bytes are where they belong */
        mote__parse_advance(p);
        mark_op(p, from, frame.hint, frame.open);
        return MOTE_OK;
    }
    frame.kind = FRAME_OPERANDS;
    TRY(suspend(p, from));
    return push_frame(p, frame);
}

static mote_status folded_block(struct parser *p, struct frame frame, enum mote__op op) {
    size_t from = p->code->size;
    frame.op = (uint16_t)op;
    if (op != OP_if) mark_op(p, from, frame.hint, frame.open);
    TRY(parse_block_head(p, op, &frame.label));
    if (op == OP_if) {
        frame.kind = FRAME_FOLDED_IF;
        TRY(suspend(p, from));
        return push_frame(p, frame);
    }
    frame.kind = op == OP_try ? FRAME_FOLDED_TRY : FRAME_FOLDED_BLOCK;
    TRY(push_label(p, frame.label));
    return push_frame(p, frame);
}

static mote_status parse_folded(struct parser *p) {
    struct frame frame = {.pending = p->pending.size, .open = p->next};
    mote__parse_advance(p);
    if (p->token.kind != TOKEN_KEYWORD) return mote__parse_unexpected(p);
    enum mote__op op = mote__op_find(p, p->token);
    bool is_part =
        op == OP_end || op == OP_else || op == OP_catch || op == OP_catch_all || op == OP_delegate;
    if (op == OP_INVALID || is_part) return mote__parse_unexpected(p);
    TRY(take_hint(p, op, &frame.hint));
    mote__parse_advance(p);
    return is_block(op) ? folded_block(p, frame, op) : folded_plain(p, frame, op);
}

/* ---- The parts of folded if and try. ---- */

static mote_status push_arm(struct parser *p) {
    struct frame arm = {
        .kind = FRAME_ARM, .open = p->token, .hint = -1, .pending = p->pending.size};
    return push_frame(p, arm);
}

/* Inside (if ...): conditions, then (then ...), then perhaps (else ...). frame.op is if, then end
 * after the first arm, else after the second. */
static mote_status parse_in_if(struct parser *p) {
    struct frame *frame = top(p);
    struct token word = p->next;
    if (frame->op == OP_if && mote__take_open(p, "then")) {
        frame->op = OP_end;
        resume(p, frame);
        TRY(push_label(p, frame->label));
        return push_arm(p);
    }
    if (frame->op == OP_end && mote__take_open(p, "else")) {
        frame->op = OP_else;
        mark_op(p, p->code->size, -1, word);
        mote__put_op(p->code, OP_else);
        return push_arm(p);
    }
    if (frame->op == OP_if) return parse_folded(p);
    mote__parse_advance(p);
    return mote__parse_unexpected(p);
}

/* (delegate l) is the last part of its try. */
static mote_status folded_delegate(struct parser *p) {
    pop_label(p);
    p->frames.count--;
    TRY(mote__parse_plain_op(p, OP_delegate));
    TRY(mote__expect(p, TOKEN_CLOSE));
    return mote__expect(p, TOKEN_CLOSE);
}

/* Inside (try ...): frame.op is try before (do ...), block behind it, then what came last. */
static mote_status parse_in_try(struct parser *p) {
    struct frame *frame = top(p);
    if (frame->op == OP_try && mote__take_open(p, "do")) {
        frame->op = OP_block;
        return push_arm(p);
    }
    bool may_catch = frame->op == OP_block || frame->op == OP_catch;
    if (may_catch && mote__take_open(p, "catch")) {
        frame->op = OP_catch;
        TRY(mote__parse_plain_op(p, OP_catch));
        return push_arm(p);
    }
    if (may_catch && mote__take_open(p, "catch_all")) {
        frame->op = OP_catch_all;
        TRY(mote__parse_plain_op(p, OP_catch_all));
        return push_arm(p);
    }
    if (frame->op == OP_block && mote__take_open(p, "delegate")) return folded_delegate(p);
    mote__parse_advance(p);
    return mote__parse_unexpected(p);
}

static mote_status parse_open(struct parser *p) {
    const struct frame *frame = top(p);
    if (frame && frame->kind == FRAME_FOLDED_IF) return parse_in_if(p);
    if (frame && frame->kind == FRAME_FOLDED_TRY) return parse_in_try(p);
    return parse_folded(p);
}

/* ")" where a flat block still waits for its end. */
static mote_status fail_without_end(struct parser *p, const struct frame *frame) {
    struct text_place place = mote__text_place(p->text, (uint64_t)(frame->open.at - p->text.data));
    return mote__parse_fail(p, p->token, "unexpected token ): the %.*s at %llu:%llu has no end",
                            (int)frame->open.size, (const char *)frame->open.at,
                            (unsigned long long)place.line, (unsigned long long)place.column);
}

/* At ")": closes the innermost folded frame. */
static mote_status parse_close(struct parser *p) {
    struct frame frame = *top(p);
    struct token close = p->token;
    if (frame.kind == FRAME_FLAT) return fail_without_end(p, &frame);
    bool is_unfinished = (frame.kind == FRAME_FOLDED_IF && frame.op == OP_if) ||
                         (frame.kind == FRAME_FOLDED_TRY && frame.op == OP_try);
    if (is_unfinished || p->hint >= 0) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    p->frames.count--;
    if (frame.kind == FRAME_ARM) return MOTE_OK;
    if (frame.kind == FRAME_OPERANDS) {
        resume(p, &frame);
        return MOTE_OK;
    }
    mark_op(p, p->code->size, -1, close);
    mote__put_op(p->code, OP_end);
    pop_label(p);
    return MOTE_OK;
}

/* ---- Sequences. ---- */

static mote_status parse_one(struct parser *p) {
    switch (p->token.kind) {
    case TOKEN_KEYWORD: return parse_flat(p);
    case TOKEN_OPEN: return parse_open(p);
    case TOKEN_ANNOTATION: return parse_hint(p);
    case TOKEN_CLOSE: return parse_close(p);
    default: return mote__parse_unexpected(p);
    }
}

static mote_status finish(struct parser *p) {
    if (p->hint >= 0) return mote__parse_unexpected(p);
    mark_op(p, p->code->size, -1, p->token);
    mote__put_op(p->code, OP_end);
    return p->code->failed || p->pending.failed || p->scratch.failed ? mote__parse_nomem(p)
                                                                     : MOTE_OK;
}

mote_status mote__parse_expr(struct parser *p, struct buffer *out) {
    p->code = out;
    while (p->frames.count || p->token.kind != TOKEN_CLOSE) TRY(parse_one(p));
    return finish(p);
}

mote_status mote__parse_folded_expr(struct parser *p, struct buffer *out) {
    p->code = out;
    if (p->token.kind != TOKEN_OPEN) return mote__parse_unexpected(p);
    do TRY(parse_one(p));
    while (p->frames.count);
    return finish(p);
}
