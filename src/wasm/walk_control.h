/* walk_control.h - the part of walk.h that checks control flow: block types and frames, if and else, the exception instructions of both generations,
 * labels and every kind of branch. Included by walk.h alone, in its middle.
 * Keeps: a frame's operands begin at frame->height, which w->floor is for the innermost one; w->live is what walk_update_live finds. */

/* ---------------------------------------------------------------- control */

WALK_COLD bool walk_grow_frames(struct walk *w) {
    size_t capacity = w->frame_capacity;
    if (w->depth >= LIMIT_BLOCK_DEPTH) {
        walk_fail(w, MOTE_E_LIMIT, "blocks are nested deeper than %u", (unsigned)LIMIT_BLOCK_DEPTH);
        return false;
    }
    if (!mote__vec_reserve_bytes(w->allocator, (void **)&w->frames, w->depth, &capacity, 1, sizeof *w->frames)) {
        walk_nomem(w);
        return false;
    }
    w->frame_capacity = (uint32_t)capacity;
    return true;
}

/* Opens a frame whose parameters are on the stack and already checked. NULL after failing. */
static struct walk_frame *walk_open(struct walk *w, uint8_t op, struct walk_blocktype type) {
    if ((w->depth == w->frame_capacity || w->depth >= LIMIT_BLOCK_DEPTH) && !walk_grow_frames(w)) return NULL;
    struct walk_frame *f = &w->frames[w->depth++];
    *f = (struct walk_frame){.op = op, .dead = !w->live, .height = w->count, .inits = (uint32_t)w->inits.count, .type = type};
    w->floor = f->height;
    if (!type.type) return f;
    uint32_t params = type.type->param_count;
    if (!walk_reserve(w, params + 8)) return NULL;
    for (uint32_t i = 0; i < params; i++) walk_push(w, mote__type_param(type.type, i));
    return f;
}

WALK_INLINE void walk_block(struct walk *w, enum mote__op op) {
    struct walk_blocktype type = walk_blocktype(w);
    if (op == OP_if) walk_pop(w, VT_I32);
    if (!WALK_OK(w)) return;
    if (type.type) walk_pop_params(w, type.type);
    struct walk_frame *f = walk_open(w, (uint8_t)op, type);
    if (f) WALK_EMIT(on_block(w, f));
}

/* Forgets the locals that were set inside a frame. */
static void walk_reset_inits(struct walk *w, const struct walk_frame *f) {
    while (w->inits.count > f->inits) {
        uint32_t local = w->inits.data[--w->inits.count];
        w->init_bits.data[local / 64] &= ~(UINT64_C(1) << (local % 64));
    }
}

/* Checks that a frame ends with its results and nothing else on the stack; they stay there. */
static void walk_check_end(struct walk *w, struct walk_frame *f) {
    uint32_t count = walk_result_count(&f->type);
    for (uint32_t i = count; i-- > 0;) walk_pop(w, walk_result(&f->type, i));
    if (w->count != f->height && w->status == MOTE_OK)
        walk_fail(w, MOTE_E_INVALID, "type mismatch: %u values remain on the stack at the end of the block", w->count - f->height);
    if (w->status == MOTE_OK && walk_reserve(w, count + 8)) w->count += count;
}

#define WALK_EMIT_FRAME(f, call)                                                                   \
    do {                                                                                           \
        bool was_live_ = w->live;                                                                  \
        if (!(f)->dead) {                                                                          \
            w->live = true;                                                                        \
            w->ended_live = was_live_;                                                             \
            WALK_EMIT(call);                                                                       \
        }                                                                                          \
        w->live = was_live_;                                                                       \
    } while (0)

static void walk_else(struct walk *w) {
    struct walk_frame *f = &w->frames[w->depth - 1];
    if (f->op != OP_if) {
        walk_fail(w, MOTE_E_MALFORMED, "END opcode expected: else without if");
        return;
    }
    walk_check_end(w, f);
    if (w->status != MOTE_OK) return;
    WALK_EMIT_FRAME(f, on_else(w, f));
    walk_reset_inits(w, f);
    f->op = OP_else;
    f->unreachable = false;
    w->count = f->height;
    walk_update_live(w);
    uint32_t params = walk_param_count(&f->type);
    if (!walk_reserve(w, params + 8)) return;
    for (uint32_t i = 0; i < params; i++) walk_push(w, mote__type_param(f->type.type, i));
}

/* An if without else must turn its parameters into its results by doing nothing. */
static void walk_check_one_armed(struct walk *w, const struct walk_frame *f) {
    uint32_t params = walk_param_count(&f->type), results = walk_result_count(&f->type);
    bool same = params == results;
    for (uint32_t i = 0; same && i < params; i++)
        same = mote__vt_matches(w->types, mote__type_param(f->type.type, i), walk_result(&f->type, i));
    if (!same) walk_fail(w, MOTE_E_INVALID, "type mismatch: if without else must leave what it takes");
}

static void walk_close(struct walk *w, struct walk_frame *f) {
    if (w->has_uninit) walk_reset_inits(w, f);
    struct walk_blocktype type = f->type;
    w->count = f->height - (f->op == OP_catch || f->op == OP_catch_all);
    w->depth--;
    uint32_t count = walk_result_count(&type);
    if (!walk_reserve(w, count + 8)) return;
    for (uint32_t i = 0; i < count; i++) walk_push(w, walk_result(&type, i));
    if (w->depth) walk_update_live(w);
}

WALK_INLINE void walk_end(struct walk *w) {
    struct walk_frame *f = &w->frames[w->depth - 1];
    if (walk_result_count(&f->type) || w->count != f->height) walk_check_end(w, f);
    if (f->op == OP_if) walk_check_one_armed(w, f);
    if (w->status != MOTE_OK) return;
    WALK_EMIT_FRAME(f, on_end(w, f));
    walk_close(w, f);
}

/* Legacy catch and catch_all: ends the try body or the catch before it. Below the tag's values a hidden exnref is kept for rethrow. */
static void walk_catch(struct walk *w, enum mote__op op) {
    const mote_type *type = NULL;
    uint32_t tag = UINT32_MAX;
    if (op == OP_catch) {
        tag = walk_index(w, "tag", w->module->tag_count);
        if (!WALK_OK(w)) return;
        type = w->module->tags[tag];
    }
    struct walk_frame *f = &w->frames[w->depth - 1];
    if (f->op != OP_try && f->op != OP_catch) {
        walk_fail(w, MOTE_E_MALFORMED, "END opcode expected: %s outside try", mote__op_text(&mote__op_info[op]));
        return;
    }
    walk_check_end(w, f);
    if (w->status != MOTE_OK) return;
    WALK_EMIT_FRAME(f, on_catch(w, f, tag));
    walk_reset_inits(w, f);
    w->count = f->height - (f->op == OP_catch);
    f->op = (uint8_t)op;
    f->unreachable = false;
    walk_push(w, VT_EXNREF);
    f->height = w->count;
    walk_update_live(w);
    for (uint32_t i = 0; type && i < type->param_count && walk_reserve(w, 8); i++) walk_push(w, mote__type_param(type, i));
    WALK_EMIT(on_catch_begin(w, f, tag));
}

static void walk_delegate(struct walk *w) {
    uint32_t label = walk_u32(w);
    struct walk_frame *f = &w->frames[w->depth - 1];
    if (w->r.failed) return;
    if (f->op != OP_try) {
        walk_fail(w, MOTE_E_MALFORMED, "END opcode expected: delegate outside try");
        return;
    }
    if (label >= w->depth - 1) {
        walk_unknown(w, "label", label);
        return;
    }
    walk_check_end(w, f);
    if (w->status != MOTE_OK) return;
    WALK_EMIT_FRAME(f, on_delegate(w, f, label));
    walk_close(w, f);
}

static void walk_rethrow(struct walk *w) {
    const struct walk_frame *f = walk_label(w);
    if (!WALK_OK(w)) return;
    if (f->op != OP_catch && f->op != OP_catch_all) {
        walk_fail(w, MOTE_E_INVALID, "invalid rethrow label");
        return;
    }
    w->imm.a = f->height - 1; /* where the hidden exnref is */
    WALK_EMIT(on_throw(w, OP_rethrow));
    walk_set_unreachable(w);
}

static void walk_throw(struct walk *w) {
    w->imm.a = walk_index(w, "tag", w->module->tag_count);
    if (!WALK_OK(w)) return;
    w->imm.type = w->module->tags[w->imm.a];
    walk_pop_params(w, w->imm.type);
    WALK_EMIT(on_throw(w, OP_throw));
    walk_set_unreachable(w);
}

/* Checks one catch clause: what it delivers must match its label. */
static void walk_check_catch(struct walk *w, const struct walk_catch *c) {
    if (c->label >= w->depth) {
        walk_unknown(w, "label", c->label);
        return;
    }
    const struct walk_frame *f = &w->frames[w->depth - 1 - c->label];
    const mote_type *type = c->kind < 2 ? w->module->tags[c->tag] : NULL;
    uint32_t values = type ? type->param_count : 0, all = values + (c->kind & 1);
    bool same = all == walk_label_count(f);
    for (uint32_t i = 0; same && i < all; i++) {
        valtype have = i < values ? mote__type_param(type, i) : VT_REF | MOTE_HEAP_EXN;
        same = mote__vt_matches(w->types, have, walk_label_type(f, i));
    }
    if (!same) walk_fail(w, MOTE_E_INVALID, "type mismatch: a catch clause delivers other values than its label takes");
}

static void walk_try_table(struct walk *w) {
    struct walk_blocktype type = walk_blocktype(w);
    uint32_t count = walk_u32(w);
    w->catches.count = 0;
    for (uint32_t i = 0; i < count && WALK_OK(w); i++) {
        struct walk_catch *c = mote__vec_push(&w->catches, w->allocator);
        if (!c) {
            walk_nomem(w);
            return;
        }
        c->kind = mote__read_u8(&w->r);
        if (c->kind > 3) walk_fail(w, MOTE_E_MALFORMED, "malformed catch clause");
        if (c->kind < 2) c->tag = walk_index(w, "tag", w->module->tag_count);
        c->label = walk_u32(w);
        if (WALK_OK(w)) walk_check_catch(w, c);
    }
    if (!WALK_OK(w)) return;
    if (type.type) walk_pop_params(w, type.type);
    struct walk_frame *f = walk_open(w, OP_try_table, type);
    if (f) WALK_EMIT(on_block(w, f));
}

WALK_INLINE void walk_br(struct walk *w) {
    struct walk_frame *f = walk_label(w);
    walk_pop_label(w, f);
    if (!WALK_OK(w)) return;
    WALK_EMIT(w->count += walk_label_count(f); on_br(w, f));
    walk_set_unreachable(w);
}

WALK_INLINE void walk_br_if(struct walk *w) {
    struct walk_frame *f = walk_label(w);
    walk_pop(w, VT_I32);
    if (WALK_OK(w) && walk_label_count(f)) walk_check_label(w, f);
    if (!WALK_OK(w)) return;
    WALK_EMIT(on_br_if(w, f));
}

/* Checks a br_table's label against the stack without changing it. */
static void walk_check_table_label(struct walk *w, const struct walk_frame *f, uint32_t arity) {
    if (walk_label_count(f) != arity) {
        walk_fail(w, MOTE_E_INVALID, "type mismatch: the labels of br_table take different numbers of values");
        return;
    }
    uint32_t count = w->count;
    walk_pop_label(w, f);
    w->count = count;
}

static void walk_br_table(struct walk *w) {
    uint32_t count = walk_u32(w);
    walk_pop(w, VT_I32);
    if (w->r.failed) return;
    if (count > mote__reader_left(&w->r)) {
        walk_fail(w, MOTE_E_MALFORMED, "unexpected end: br_table has %u labels", count);
        return;
    }
    if (count > LIMIT_BR_TABLE_LABELS) {
        walk_fail(w, MOTE_E_LIMIT, "br_table has %u labels, more than %d", count, LIMIT_BR_TABLE_LABELS);
        return;
    }
    w->labels.count = 0;
    if (!mote__vec_reserve(&w->labels, w->allocator, count + 1)) {
        walk_nomem(w);
        return;
    }
    for (uint32_t i = 0; i <= count; i++) w->labels.data[i] = walk_index(w, "label", w->depth);
    if (!WALK_OK(w)) return;
    w->labels.count = count + 1;
    uint32_t arity = walk_label_count(&w->frames[w->depth - 1 - w->labels.data[count]]);
    for (uint32_t i = 0, last = UINT32_MAX; i <= count && WALK_OK(w); i++) {
        uint32_t label = w->labels.data[i];
        if (label != last) walk_check_table_label(w, &w->frames[w->depth - 1 - label], arity);
        last = label;
    }
    if (!WALK_OK(w)) return;
    WALK_EMIT(on_br_table(w, w->labels.data, count + 1));
    walk_set_unreachable(w);
}

static void walk_return(struct walk *w) {
    walk_pop_label(w, &w->frames[0]);
    if (!WALK_OK(w)) return;
    WALK_EMIT(w->count += walk_label_count(&w->frames[0]); on_return(w));
    walk_set_unreachable(w);
}

/* br_on_null: [t* ref null ht] -> [t* ref ht]; br_on_non_null: the label takes the reference as its last value. */
static void walk_br_on_null(struct walk *w, enum mote__op op) {
    struct walk_frame *f = walk_label(w);
    valtype ref = walk_pop_ref(w);
    if (!WALK_OK(w)) return;
    valtype non_null = ref == VT_BOTTOM ? mote__vt_ref(HEAP_BOTTOM, false) : ref & ~VT_NULL;
    if (op == OP_br_on_null) {
        walk_check_label(w, f);
        if (WALK_OK(w)) WALK_EMIT(on_br_on(w, op, f));
        walk_push(w, non_null);
        return;
    }
    uint32_t arity = walk_label_count(f);
    if (!arity || !mote__vt_is_ref(walk_label_type(f, arity - 1))) {
        walk_fail(w, MOTE_E_INVALID, "type mismatch: the label of br_on_non_null takes no reference");
        return;
    }
    walk_push(w, non_null);
    walk_check_label(w, f);
    if (!WALK_OK(w)) return;
    w->count--;
    WALK_EMIT(on_br_on(w, op, f));
}

static void walk_br_on_cast(struct walk *w, enum mote__op op) {
    uint8_t flags = mote__read_u8(&w->r);
    struct walk_frame *f = walk_label(w);
    valtype from = mote__vt_ref(walk_heaptype(w), flags & 1);
    valtype to = mote__vt_ref(walk_heaptype(w), flags & 2);
    if (!WALK_OK(w)) return;
    if (flags > 3) {
        walk_fail(w, MOTE_E_MALFORMED, "malformed br_on_cast flags");
        return;
    }
    if (!mote__vt_matches(w->types, to, from)) {
        walk_mismatch(w, from, to);
        return;
    }
    walk_pop(w, from);
    valtype rest = mote__vt_difference(from, to);
    walk_push(w, op == OP_br_on_cast ? to : rest);
    if (!walk_label_count(f)) {
        walk_fail(w, MOTE_E_INVALID, "type mismatch: the label of %s takes no reference", mote__op_text(&mote__op_info[op]));
        return;
    }
    walk_check_label(w, f);
    if (!WALK_OK(w)) return;
    w->count--;
    w->imm.from = from;
    w->imm.to = to;
    WALK_EMIT(on_br_on(w, op, f));
    walk_push(w, op == OP_br_on_cast ? rest : to);
}
