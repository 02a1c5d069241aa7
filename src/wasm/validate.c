/* validate.c - checks function bodies and constant expressions: walk.h without a consumer (core spec, appendix "Validation Algorithm").
 * In: a decoded module. Out: MOTE_OK or the first error, with the function it is in.
 * Keeps: one walk, reused for every body, so that memory is the deepest stack and not the sum. */
#define WALK_EMIT(...) ((void)0)
#define WALK_TRUSTED 0
#include "wasm/walk.h"

/* A body that is malformed within its size is read again as though it had none. What is found then came first in the file: an instruction
 * that is malformed by itself, or an end in another place. */
static mote_status read_beyond(struct walk *w, uint32_t func_index) {
    mote_error *error = w->error, beyond;
    w->error = &beyond;
    if (walk_begin_body(w, func_index)) {
        w->r.end = w->module->bytes.data + w->module->bytes.size;
        walk_loop(w);
    }
    walk_settle(w, "unexpected end of section or function: END opcode expected");
    w->error = error;
    if (w->status == MOTE_E_MALFORMED) *error = beyond;
    else if (w->status == MOTE_OK)
        mote__error_set(error, MOTE_E_MALFORMED, (uint64_t)(w->r.pos - w->module->bytes.data), "section size mismatch: a body ends beyond its size");
    return MOTE_E_MALFORMED;
}

static mote_status validate_body(struct walk *w, uint32_t func_index) {
    if (walk_begin_body(w, func_index)) walk_loop(w);
    mote_status status = walk_finish_body(w);
    if (status == MOTE_E_MALFORMED && w->r.pos == w->r.end) status = read_beyond(w, func_index);
    if (status != MOTE_OK && status != MOTE_E_NOMEM) {
        char label[128];
        mote__error_append(w->error, " (in %s)", mote__func_label(w->module, func_index, label));
    }
    return status;
}

/* Whether a constant is null or a function of the module's own. */
static bool is_own_func(const mote_module *m, const struct mote__constexpr *e) {
    return e->kind == CONST_FUNC ? e->index >= m->func_import_count : e->kind == CONST_VALUE;
}

static bool has_own_funcs(const mote_module *m, const struct mote__elem *elem) {
    for (uint32_t i = 0; i < elem->count; i++)
        if (elem->funcs ? elem->funcs[i] < m->func_import_count : !is_own_func(m, &elem->exprs[i])) return false;
    return true;
}

/* Marks the tables that are neither imported nor exported nor written to by any instruction, unless something else is put into them at the beginning. */
static void close_tables(mote_module *m, uint64_t written) {
    for (uint32_t i = m->table_import_count; i < m->table_count; i++) {
        struct mote__table_decl *table = &m->tables[i];
        table->closed = !(written >> (i & 63) & 1) && (!table->has_init || is_own_func(m, &table->init));
    }
    for (uint32_t i = 0; i < m->export_count; i++)
        if (m->exports[i].kind == MOTE_EXTERN_TABLE) m->tables[m->exports[i].index].closed = false;
    for (uint32_t i = 0; i < m->elem_count; i++)
        if (m->elems[i].mode == SEGMENT_ACTIVE && !has_own_funcs(m, &m->elems[i])) m->tables[m->elems[i].table].closed = false;
}

mote_status mote__module_validate(mote_module *module, mote_error *error) {
    struct walk w;
    walk_init(&w, module, module->arena.allocator, error);
    mote_status status = MOTE_OK;
    for (uint32_t i = module->func_import_count; i < module->func_count && status == MOTE_OK; i++)
        status = validate_body(&w, i);
    module->tail_calls_far = w.tail_calls_far;
    close_tables(module, w.written_tables);
    walk_deinit(&w);
    return status;
}

/* Reads out `X.const v end`, `ref.null t end`, `ref.func i end` and `global.get i end`, moving `r` behind it; false (and `r` where it was) if the
 * expression is anything else. *type is the constant's type where the bytes alone say it, else VT_BOTTOM. */
static bool read_plain_constant(struct reader *r, struct mote__constexpr *out, valtype *type) {
    static const valtype types[] = {VT_I32, VT_I64, VT_F32, VT_F64};
    struct reader ahead = *r;
    uint8_t byte = mote__read_u8(&ahead);
    *type = byte >= 0x41 && byte <= 0x44 ? types[byte - 0x41] : (valtype)VT_BOTTOM;
    switch (byte) {
    case 0x41: out->value = (uint32_t)mote__read_s32(&ahead); break;
    case 0x42: out->value = (uint64_t)mote__read_s64(&ahead); break;
    case 0x43: out->value = mote__read_f32_bits(&ahead); break;
    case 0x44: out->value = mote__read_f64_bits(&ahead); break;
    case 0xD0: mote__read_s33(&ahead); break;
    case 0xD2: out->index = mote__read_u32(&ahead); break;
    case 0x23: out->index = mote__read_u32(&ahead); break;
    default: return false;
    }
    out->kind = byte == 0xD2 ? CONST_FUNC : byte == 0x23 ? CONST_GLOBAL : CONST_VALUE;
    if (mote__read_u8(&ahead) != 0x0B || ahead.failed) return false;
    *r = ahead;
    return true;
}

/* Settles what a plain constant of the module is: its type, and that a function it names is declared. VT_BOTTOM when only a walk can tell, or
 * say what is wrong. */
static valtype settle_plain(mote_module *module, const struct mote__constexpr *plain, valtype type, uint32_t global_limit) {
    uint32_t index = plain->index;
    if (plain->kind == CONST_GLOBAL && index < global_limit && !module->globals[index].is_mutable)
        return module->globals[index].type;
    if (plain->kind == CONST_FUNC && index < module->func_count && module->features & FEATURE_BIT(reference_types)) {
        module->func_declared[index / 8] |= (uint8_t)(1u << (index % 8));
        return mote__vt_ref(HEAP_CONCRETE + module->func_types[index]->id, false);
    }
    return type;
}

static mote_status walk_constexpr(mote_module *module, struct reader *r, valtype expected, uint32_t global_limit, mote_error *error) {
    struct walk w;
    walk_init(&w, module, module->arena.allocator, error);
    w.is_const = true;
    w.global_limit = global_limit;
    if (walk_start(&w, r->pos, mote__reader_left(r), (struct walk_blocktype){.single = expected})) walk_loop(&w);
    walk_settle(&w, "unexpected end of section or function: END opcode expected");
    if (w.status == MOTE_OK) r->pos = w.r.pos;
    walk_deinit(&w);
    return w.status;
}

mote_status mote__constexpr_read(mote_module *module, struct reader *r, valtype expected, uint32_t global_limit,
                                 struct mote__constexpr *out, mote_error *error) {
    *out = (struct mote__constexpr){0};
    const uint8_t *start = r->pos;
    struct reader plain_end = *r;
    valtype type;
    bool plain = read_plain_constant(&plain_end, out, &type);
    if (plain) type = settle_plain(module, out, type, global_limit);
    if (plain && type != VT_BOTTOM && mote__vt_matches(module->types_registry, type, expected)) r->pos = plain_end.pos; /* nothing left to check: a module may have 100,000 of these */
    else TRY(walk_constexpr(module, r, expected, global_limit, error));
    if (!plain) *out = (struct mote__constexpr){.kind = CONST_CODE};
    out->type = expected;
    out->body_offset = (uint32_t)(start - module->bytes.data);
    out->body_bytes = (uint32_t)(r->pos - start);
    return MOTE_OK;
}
