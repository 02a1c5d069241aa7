/* parse_fields.c - the fields of a module but its type definitions (core spec, "Text Format /
 * Modules"). In: the outline's list of fields. Out: the sections. Fields are read in the order of
 * the text, imports before definitions, so that every section's elements come out in the order of
 * their indices. Abbreviations (inline imports, exports, segments) are written as what they stand
 * for, at once. */
#include "text/parse.h"
#include "wasm/typecode.h"
#include "wasm/limits.h"

static struct counted *section(struct parser *p, enum section s) { return &p->encoder.sections[s]; }

/* ---- Inline exports and imports. ---- */

static void put_export(struct parser *p, struct span name, enum space space, uint32_t index) {
    struct counted *exports = section(p, SECTION_EXPORT);
    mote__put_sized(&exports->bytes, name.data, name.size);
    mote__put_u8(&exports->bytes, mote__space_info[space].extern_kind);
    mote__put_leb_u(&exports->bytes, index);
    exports->count++;
}

/* (export "name")* */
static mote_status parse_inline_exports(struct parser *p, const struct field *field) {
    struct span name;
    while (mote__take_open(p, "export")) {
        TRY(mote__parse_name(p, &name));
        put_export(p, name, field->space, field->index);
        TRY(mote__expect(p, TOKEN_CLOSE));
    }
    return MOTE_OK;
}

/* "module" "name" and the kind, into the import section; the type follows. */
static mote_status parse_import_names(struct parser *p, enum space space) {
    struct counted *imports = section(p, SECTION_IMPORT);
    struct span module, name;
    TRY(mote__parse_name(p, &module));
    TRY(mote__parse_name(p, &name));
    mote__put_sized(&imports->bytes, module.data, module.size);
    mote__put_sized(&imports->bytes, name.data, name.size);
    mote__put_u8(&imports->bytes, mote__space_info[space].extern_kind);
    imports->count++;
    return MOTE_OK;
}

/* The identifier (bound by the outline) and name annotation behind a field's keyword, for the name
 * section. */
static mote_status parse_field_name(struct parser *p, const struct field *field) {
    struct token id;
    struct span name;
    TRY(mote__parse_binding(p, &id, &name));
    if (name.data)
        mote__encoder_name(&p->encoder, mote__space_info[field->space].names, field->index, name);
    return MOTE_OK;
}

/* ---- External types, behind names and inline clauses, up to ")". ---- */

static mote_status parse_addrtype(struct parser *p, bool *is_64) {
    *is_64 = mote__take_keyword(p, "i64");
    if (!*is_64) mote__take_keyword(p, "i32");
    return MOTE_OK;
}

struct limits {
    bool is_64, has_max, is_shared, has_page_size;
    uint64_t min, max;
    unsigned page_size_log2;
};

static void put_limits(struct buffer *b, const struct limits *limits) {
    mote__put_u8(b, (uint8_t)(limits->has_max | limits->is_shared << 1 | limits->is_64 << 2 |
                              limits->has_page_size << 3));
    mote__put_leb_u(b, limits->min);
    if (limits->has_max) mote__put_leb_u(b, limits->max);
    if (limits->has_page_size) mote__put_leb_u(b, limits->page_size_log2);
}

static mote_status parse_min_max(struct parser *p, struct limits *limits) {
    TRY(mote__parse_nat(p, 64, &limits->min));
    if (p->token.kind != TOKEN_NAT) return MOTE_OK;
    limits->has_max = true;
    return mote__parse_nat(p, 64, &limits->max);
}

/* (pagesize N)? */
static mote_status parse_page_size(struct parser *p, struct limits *limits) {
    uint64_t bytes;
    if (!mote__take_open(p, "pagesize")) return MOTE_OK;
    struct token at = p->token;
    TRY(mote__parse_nat(p, 64, &bytes));
    if (!bytes || (bytes & (bytes - 1)))
        return mote__parse_fail(p, at, "invalid custom page size: it must be a power of two");
    limits->has_page_size = true;
    limits->page_size_log2 = (unsigned)__builtin_ctzll(bytes);
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status parse_memtype(struct parser *p, struct limits *limits) {
    TRY(parse_addrtype(p, &limits->is_64));
    TRY(parse_min_max(p, limits));
    limits->is_shared = mote__take_keyword(p, "shared");
    return parse_page_size(p, limits);
}

static mote_status parse_memory_import(struct parser *p, struct buffer *out) {
    struct limits limits = {0};
    TRY(parse_memtype(p, &limits));
    put_limits(out, &limits);
    return MOTE_OK;
}

static mote_status parse_tabletype(struct parser *p, struct buffer *out) {
    struct limits limits = {0};
    texttype type;
    TRY(parse_addrtype(p, &limits.is_64));
    TRY(parse_min_max(p, &limits));
    limits.is_shared = mote__take_keyword(p, "shared");
    TRY(mote__parse_reftype(p, &type));
    mote__put_type(out, type);
    put_limits(out, &limits);
    return MOTE_OK;
}

static mote_status parse_globaltype(struct parser *p, struct buffer *out) {
    texttype type;
    bool is_mutable = mote__take_open(p, "mut");
    TRY(mote__parse_valtype(p, &type));
    if (is_mutable) TRY(mote__expect(p, TOKEN_CLOSE));
    mote__put_type(out, type);
    mote__put_u8(out, is_mutable);
    return MOTE_OK;
}

static mote_status parse_functype(struct parser *p, struct buffer *out) {
    struct typeuse use;
    TRY(mote__parse_typeuse(p, PARAMS_LOCALS, &use));
    TRY(mote__resolve_typeuse(p, &use));
    mote__put_leb_u(out, use.index);
    return MOTE_OK;
}

static mote_status parse_tagtype(struct parser *p, struct buffer *out) {
    struct typeuse use;
    mote__put_u8(out, 0); /* attribute: exception */
    TRY(mote__parse_typeuse(p, PARAMS_NAMED, &use));
    TRY(mote__resolve_typeuse(p, &use));
    mote__put_leb_u(out, use.index);
    return MOTE_OK;
}

static mote_status parse_externtype(struct parser *p, enum space space, struct buffer *out) {
    switch (space) {
    case SPACE_FUNC: return parse_functype(p, out);
    case SPACE_TABLE: return parse_tabletype(p, out);
    case SPACE_MEMORY: return parse_memory_import(p, out);
    case SPACE_GLOBAL: return parse_globaltype(p, out);
    case SPACE_TAG: return parse_tagtype(p, out);
    default: return mote__parse_unexpected(p);
    }
}

/* (import "module" "name") in a definition: *imported tells, and the whole type has then been read.
 */
static mote_status parse_inline_import(struct parser *p, const struct field *field,
                                       bool *imported) {
    *imported = mote__take_open(p, "import");
    if (!*imported) return MOTE_OK;
    TRY(parse_import_names(p, field->space));
    TRY(mote__expect(p, TOKEN_CLOSE));
    return parse_externtype(p, field->space, &section(p, SECTION_IMPORT)->bytes);
}

/* ---- Functions. ---- */

/* Types of locals that follow each other, alike ones counted together. */
struct local_runs {
    struct counted runs;
    texttype type;
    uint32_t length;
};

static void flush_run(struct local_runs *r) {
    if (!r->length) return;
    mote__put_leb_u(&r->runs.bytes, r->length);
    mote__put_type(&r->runs.bytes, r->type);
    r->runs.count++;
    r->length = 0;
}

static mote_status parse_local_type(struct parser *p, struct local_runs *r) {
    texttype type;
    TRY(mote__parse_valtype(p, &type));
    if (type != r->type) flush_run(r);
    r->type = type;
    r->length++;
    p->local_count++;
    return MOTE_OK;
}

/* Behind "(local": one with a name, or any number without. */
static mote_status parse_local(struct parser *p, struct local_runs *r) {
    struct token id;
    struct span name;
    TRY(mote__parse_binding(p, &id, &name));
    if (name.data) {
        TRY(mote__bind_local(p, id, name));
        TRY(parse_local_type(p, r));
    } else {
        while (p->token.kind != TOKEN_CLOSE) TRY(parse_local_type(p, r));
    }
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status parse_locals(struct parser *p, struct local_runs *r) {
    while (mote__take_open(p, "local")) TRY(parse_local(p, r));
    flush_run(r);
    mote__put_leb_u(&p->body, r->runs.count);
    mote__put_buffer(&p->body, &r->runs.bytes);
    return MOTE_OK;
}

static mote_status parse_body(struct parser *p) {
    struct local_runs runs = {0};
    mote__buffer_init(&runs.runs.bytes, p->allocator);
    p->body.size = 0;
    mote_status status = parse_locals(p, &runs);
    mote__buffer_deinit(&runs.runs.bytes);
    if (status == MOTE_OK) status = mote__parse_expr(p, &p->body);
    return status;
}

static void begin_func(struct parser *p, uint32_t index) {
    mote__begin_locals(p);
    p->func_index = index;
    p->label_count = 0;
    p->in_func = true;
}

static mote_status parse_func_definition(struct parser *p, uint32_t index) {
    struct typeuse use;
    struct counted *funcs = section(p, SECTION_FUNC), *code = section(p, SECTION_CODE);
    TRY(mote__parse_typeuse(p, PARAMS_LOCALS, &use));
    TRY(mote__resolve_typeuse(p, &use));
    mote__put_leb_u(&funcs->bytes, use.index);
    funcs->count++;
    TRY(parse_body(p));
    mote__put_sized(&code->bytes, p->body.data, p->body.size);
    code->count++;
    mote__encoder_flush_hints(&p->encoder, index);
    return MOTE_OK;
}

static mote_status parse_func(struct parser *p, const struct field *field) {
    bool imported;
    begin_func(p, field->index);
    TRY(parse_inline_exports(p, field));
    TRY(parse_inline_import(p, field, &imported));
    if (!imported) TRY(parse_func_definition(p, field->index));
    p->in_func = false;
    return MOTE_OK;
}

/* ---- Element segments. ---- */

struct elem_list {
    bool has_exprs;
    texttype type; /* with expressions */
    struct counted items;
};

static const texttype funcref = (uint64_t)(TYPE_CODE_FUNCREF - 0x80) << 8 | TYPE_CODE_REF_NULL;

static mote_status parse_elem_funcs(struct parser *p, struct elem_list *list) {
    for (; mote__at_index(p); list->items.count++) {
        uint32_t func;
        TRY(mote__parse_index(p, SPACE_FUNC, &func));
        if (list->has_exprs) mote__put_op(&list->items.bytes, OP_ref_func);
        mote__put_leb_u(&list->items.bytes, func);
        if (list->has_exprs) mote__put_op(&list->items.bytes, OP_end);
    }
    return MOTE_OK;
}

/* (item instr*) or one folded instruction, each. */
static mote_status parse_elem_exprs(struct parser *p, struct elem_list *list) {
    for (; p->token.kind == TOKEN_OPEN; list->items.count++) {
        if (!mote__take_open(p, "item")) {
            TRY(mote__parse_folded_expr(p, &list->items.bytes));
            continue;
        }
        TRY(mote__parse_expr(p, &list->items.bytes));
        TRY(mote__expect(p, TOKEN_CLOSE));
    }
    return MOTE_OK;
}

/* "func" and indices, or a reference type and expressions. */
static mote_status parse_elem_list(struct parser *p, struct elem_list *list) {
    if (mote__take_keyword(p, "func")) return parse_elem_funcs(p, list);
    list->has_exprs = true;
    TRY(mote__parse_reftype(p, &list->type));
    return parse_elem_exprs(p, list);
}

/* (offset instr*) or one folded instruction. */
static mote_status parse_offset(struct parser *p, struct buffer *out) {
    if (!mote__take_open(p, "offset")) return mote__parse_folded_expr(p, out);
    TRY(mote__parse_expr(p, out));
    return mote__expect(p, TOKEN_CLOSE);
}

enum segment_mode { SEGMENT_ACTIVE, SEGMENT_PASSIVE, SEGMENT_DECLARED };

struct elem {
    enum segment_mode mode;
    bool names_table;
    uint32_t table;
    struct buffer offset;
    struct elem_list list;
};

/* Writes a segment in the shortest of its eight forms that says the same; a table that is named in
 * the text is named in the binary. */
static void put_elem(struct parser *p, const struct elem *elem) {
    enum { NOT_ACTIVE = 1, HAS_TABLE = 2, EXPRS = 4 };
    struct counted *out = section(p, SECTION_ELEM);
    const struct elem_list *list = &elem->list;
    bool has_type = elem->mode != SEGMENT_ACTIVE || elem->names_table || elem->table ||
                    (list->has_exprs && list->type != funcref);
    unsigned flags =
        (list->has_exprs ? EXPRS : 0) | (elem->mode != SEGMENT_ACTIVE ? NOT_ACTIVE : 0);
    if (elem->mode == SEGMENT_ACTIVE ? has_type : elem->mode == SEGMENT_DECLARED)
        flags |= HAS_TABLE;
    mote__put_leb_u(&out->bytes, flags);
    if (elem->mode == SEGMENT_ACTIVE) {
        if (has_type) mote__put_leb_u(&out->bytes, elem->table);
        mote__put_buffer(&out->bytes, &elem->offset);
    }
    if (has_type && list->has_exprs) mote__put_type(&out->bytes, list->type);
    else if (has_type) mote__put_u8(&out->bytes, 0); /* elemkind: functions */
    mote__put_leb_u(&out->bytes, list->items.count);
    mote__put_buffer(&out->bytes, &list->items.bytes);
    out->count++;
}

/* (table x), or an index alone as older texts have it. */
static mote_status parse_elem_table(struct parser *p, struct elem *elem) {
    bool is_old_form = mote__at_index(p);
    elem->names_table = is_old_form || mote__take_open(p, "table");
    if (!elem->names_table) return MOTE_OK;
    TRY(mote__parse_index(p, SPACE_TABLE, &elem->table));
    return is_old_form ? MOTE_OK : mote__expect(p, TOKEN_CLOSE);
}

static mote_status parse_elem_parts(struct parser *p, struct elem *elem) {
    if (mote__take_keyword(p, "declare")) {
        elem->mode = SEGMENT_DECLARED;
        return parse_elem_list(p, &elem->list);
    }
    bool is_passive = mote__at_keyword(p, "func") || mote__at_reftype(p);
    if (is_passive) {
        elem->mode = SEGMENT_PASSIVE;
        return parse_elem_list(p, &elem->list);
    }
    TRY(parse_elem_table(p, elem));
    TRY(parse_offset(p, &elem->offset));
    bool is_bare_list = mote__at_index(p) || p->token.kind == TOKEN_CLOSE;
    return is_bare_list ? parse_elem_funcs(p, &elem->list) : parse_elem_list(p, &elem->list);
}

static void elem_init(struct parser *p, struct elem *elem) {
    *elem = (struct elem){0};
    mote__buffer_init(&elem->offset, p->allocator);
    mote__buffer_init(&elem->list.items.bytes, p->allocator);
}

static void elem_deinit(struct elem *elem) {
    mote__buffer_deinit(&elem->offset);
    mote__buffer_deinit(&elem->list.items.bytes);
}

static mote_status parse_elem(struct parser *p, const struct field *field) {
    struct elem elem;
    (void)field;
    elem_init(p, &elem);
    mote_status status = parse_elem_parts(p, &elem);
    if (status == MOTE_OK) put_elem(p, &elem);
    elem_deinit(&elem);
    return status;
}

/* ---- Tables. ---- */

/* An offset of 0 for an inline segment. */
static void put_zero_offset(struct buffer *out, bool is_64) {
    mote__put_op(out, is_64 ? OP_i64_const : OP_i32_const);
    mote__put_leb_s(out, 0);
    mote__put_op(out, OP_end);
}

/* Behind "(elem" in a table: indices, expressions of the table's type, or a list with its own. */
static mote_status parse_inline_elem_list(struct parser *p, texttype type, struct elem_list *list) {
    if (mote__at_keyword(p, "func") || mote__at_reftype(p)) return parse_elem_list(p, list);
    list->has_exprs = p->token.kind == TOKEN_OPEN || type != funcref;
    list->type = type;
    return p->token.kind == TOKEN_OPEN ? parse_elem_exprs(p, list) : parse_elem_funcs(p, list);
}

/* reftype (elem ...): the table is as large as its list. */
static mote_status parse_table_with_elem(struct parser *p, const struct field *field, bool is_64) {
    struct buffer *out = &section(p, SECTION_TABLE)->bytes;
    struct elem elem;
    texttype type;
    TRY(mote__parse_reftype(p, &type));
    if (!mote__take_open(p, "elem")) return mote__parse_unexpected(p);
    elem_init(p, &elem);
    elem.table = field->index;
    put_zero_offset(&elem.offset, is_64);
    mote_status status = parse_inline_elem_list(p, type, &elem.list);
    if (status == MOTE_OK) status = mote__expect(p, TOKEN_CLOSE);
    struct limits limits = {.is_64 = is_64,
                            .has_max = true,
                            .min = elem.list.items.count,
                            .max = elem.list.items.count};
    mote__put_type(out, type);
    put_limits(out, &limits);
    if (status == MOTE_OK) put_elem(p, &elem);
    elem_deinit(&elem);
    return status;
}

/* Whether limits follow (they may stand behind an address type). */
static bool at_limits(const struct parser *p) {
    bool has_addrtype = mote__at_keyword(p, "i32") || mote__at_keyword(p, "i64");
    return (has_addrtype ? p->next : p->token).kind == TOKEN_NAT;
}

/* A table type, and perhaps an expression for its elements. */
static mote_status parse_table_definition(struct parser *p) {
    static const uint8_t with_expr[] = {0x40, 0x00};
    struct buffer *out = &section(p, SECTION_TABLE)->bytes;
    size_t from = out->size;
    TRY(parse_tabletype(p, out));
    if (p->token.kind == TOKEN_CLOSE) return MOTE_OK;
    /* Now the type needs a mark in front of it. */
    if (out->failed) return mote__parse_nomem(p);
    p->scratch.size = 0;
    mote__put_bytes(&p->scratch, out->data + from, out->size - from);
    out->size = from;
    mote__put_bytes(out, with_expr, sizeof with_expr);
    mote__put_buffer(out, &p->scratch);
    return mote__parse_expr(p, out);
}

static mote_status parse_table(struct parser *p, const struct field *field) {
    bool imported, is_64;
    TRY(parse_inline_exports(p, field));
    TRY(parse_inline_import(p, field, &imported));
    if (imported) return MOTE_OK;
    section(p, SECTION_TABLE)->count++;
    if (at_limits(p)) return parse_table_definition(p);
    TRY(parse_addrtype(p, &is_64));
    return parse_table_with_elem(p, field, is_64);
}

/* ---- Memories and data segments. ---- */

static mote_status parse_strings(struct parser *p, struct buffer *out) {
    while (p->token.kind == TOKEN_STRING) TRY(mote__parse_bytes(p, out));
    return MOTE_OK;
}

/* Strings up to ")", with their length in front, into the data section. */
static mote_status parse_data_strings(struct parser *p) {
    p->scratch.size = 0;
    TRY(parse_strings(p, &p->scratch));
    mote__put_sized(&section(p, SECTION_DATA)->bytes, p->scratch.data, p->scratch.size);
    section(p, SECTION_DATA)->count++;
    return MOTE_OK;
}

/* An active segment's beginning; memory 0 is not named. */
static void put_data_head(struct buffer *out, uint32_t memory) {
    mote__put_leb_u(out, memory ? 2 : 0);
    if (memory) mote__put_leb_u(out, memory);
}

/* Behind "(data" in a memory: it is as large as its contents. */
static mote_status parse_memory_with_data(struct parser *p, const struct field *field,
                                          struct limits *limits) {
    struct buffer *out = &section(p, SECTION_DATA)->bytes;
    put_data_head(out, field->index);
    put_zero_offset(out, limits->is_64);
    TRY(parse_data_strings(p));
    TRY(mote__expect(p, TOKEN_CLOSE));
    unsigned log2 = limits->has_page_size ? limits->page_size_log2 : 16;
    uint64_t bytes = p->scratch.size, page = UINT64_C(1) << log2;
    limits->has_max = true;
    limits->min = limits->max = bytes / page + (bytes % page != 0);
    return MOTE_OK;
}

static mote_status parse_memory_parts(struct parser *p, const struct field *field,
                                      struct limits *limits) {
    if (at_limits(p)) return parse_memtype(p, limits);
    TRY(parse_addrtype(p, &limits->is_64));
    TRY(parse_page_size(p, limits));
    if (mote__take_open(p, "data")) return parse_memory_with_data(p, field, limits);
    return mote__parse_unexpected(p);
}

static mote_status parse_memory(struct parser *p, const struct field *field) {
    struct limits limits = {0};
    bool imported;
    TRY(parse_inline_exports(p, field));
    TRY(parse_inline_import(p, field, &imported));
    if (imported) return MOTE_OK;
    TRY(parse_memory_parts(p, field, &limits));
    put_limits(&section(p, SECTION_MEMORY)->bytes, &limits);
    section(p, SECTION_MEMORY)->count++;
    return MOTE_OK;
}

/* (memory x), or an index alone as older texts have it. */
static mote_status parse_data_memory(struct parser *p, uint32_t *memory) {
    bool is_old_form = mote__at_index(p);
    *memory = 0;
    if (!is_old_form && !mote__take_open(p, "memory")) return MOTE_OK;
    TRY(mote__parse_index(p, SPACE_MEMORY, memory));
    return is_old_form ? MOTE_OK : mote__expect(p, TOKEN_CLOSE);
}

static mote_status parse_data(struct parser *p, const struct field *field) {
    struct buffer *out = &section(p, SECTION_DATA)->bytes;
    bool is_passive = p->token.kind == TOKEN_STRING || p->token.kind == TOKEN_CLOSE;
    uint32_t memory;
    (void)field;
    if (is_passive) mote__put_leb_u(out, 1);
    else {
        TRY(parse_data_memory(p, &memory));
        put_data_head(out, memory);
        TRY(parse_offset(p, out));
    }
    return parse_data_strings(p);
}

/* ---- Globals, tags, start, imports, exports, custom sections. ---- */

static mote_status parse_global(struct parser *p, const struct field *field) {
    struct counted *globals = section(p, SECTION_GLOBAL);
    bool imported;
    TRY(parse_inline_exports(p, field));
    TRY(parse_inline_import(p, field, &imported));
    if (imported) return MOTE_OK;
    globals->count++;
    TRY(parse_globaltype(p, &globals->bytes));
    return mote__parse_expr(p, &globals->bytes);
}

static mote_status parse_tag(struct parser *p, const struct field *field) {
    struct counted *tags = section(p, SECTION_TAG);
    bool imported;
    TRY(parse_inline_exports(p, field));
    TRY(parse_inline_import(p, field, &imported));
    if (imported) return MOTE_OK;
    tags->count++;
    return parse_tagtype(p, &tags->bytes);
}

static mote_status parse_start(struct parser *p) {
    struct counted *start = section(p, SECTION_START);
    uint32_t func;
    TRY(mote__parse_index(p, SPACE_FUNC, &func));
    mote__put_leb_u(&start->bytes, func);
    start->count = 1;
    return MOTE_OK;
}

/* Behind "(import": names, then (KIND id? type). */
static mote_status parse_import(struct parser *p, const struct field *field) {
    TRY(parse_import_names(p, field->space));
    TRY(mote__expect(p, TOKEN_OPEN));
    mote__parse_advance(p); /* the kind, known to the outline */
    mote__begin_locals(p);
    p->func_index = field->index;
    TRY(parse_field_name(p, field));
    TRY(parse_externtype(p, field->space, &section(p, SECTION_IMPORT)->bytes));
    return mote__expect(p, TOKEN_CLOSE);
}

/* Behind "(export": a name, then (KIND index). */
static mote_status parse_export(struct parser *p) {
    struct span name;
    uint32_t index;
    TRY(mote__parse_name(p, &name));
    for (unsigned space = 0; space < SPACE_COUNT; space++) {
        const struct space_info *info = &mote__space_info[space];
        if (!info->is_extern || !mote__take_open(p, info->keyword)) continue;
        TRY(mote__parse_index(p, (enum space)space, &index));
        put_export(p, name, (enum space)space, index);
        return mote__expect(p, TOKEN_CLOSE);
    }
    if (p->token.kind == TOKEN_OPEN) mote__parse_advance(p);
    return mote__parse_unexpected(p);
}

static mote_status custom_fail(struct parser *p, const char *why) {
    return mote__parse_fail(p, p->token, "@custom annotation: %s", why);
}

/* (before KIND) or (after KIND), KIND being a section's name, first or last. */
static mote_status parse_place(struct parser *p, unsigned *place) {
    bool before = mote__take_open(p, "before");
    if (!before && !mote__take_open(p, "after")) return custom_fail(p, "malformed placement");
    *place = SECTION_COUNT * 3;
    for (unsigned s = 0; s < SECTION_COUNT; s++)
        if (mote__at_keyword(p, mote__section_info[s].name))
            *place =
                before ? mote__place_before((enum section)s) : mote__place_after((enum section)s);
    if (mote__at_keyword(p, before ? "first" : "last")) *place = before ? PLACE_FIRST : PLACE_LAST;
    if (*place > PLACE_LAST) return custom_fail(p, "malformed section kind");
    mote__parse_advance(p);
    return mote__expect(p, TOKEN_CLOSE);
}

/* (@custom "name" place? "bytes"*) */
static mote_status parse_custom(struct parser *p) {
    struct span name;
    unsigned place = PLACE_LAST;
    if (p->token.kind != TOKEN_STRING) return custom_fail(p, "missing section name");
    TRY(mote__parse_name(p, &name));
    if (p->token.kind == TOKEN_OPEN) TRY(parse_place(p, &place));
    struct buffer *contents = mote__encoder_custom(&p->encoder, place, name);
    if (!contents) return mote__parse_nomem(p);
    TRY(parse_strings(p, contents));
    if (p->token.kind != TOKEN_CLOSE) return custom_fail(p, "unexpected token");
    return MOTE_OK;
}

static mote_status parse_definition(struct parser *p, const struct field *field) {
    TRY(parse_field_name(p, field));
    switch (field->space) {
    case SPACE_FUNC: return parse_func(p, field);
    case SPACE_TABLE: return parse_table(p, field);
    case SPACE_MEMORY: return parse_memory(p, field);
    case SPACE_GLOBAL: return parse_global(p, field);
    case SPACE_TAG: return parse_tag(p, field);
    case SPACE_ELEM: return parse_elem(p, field);
    case SPACE_DATA: return parse_data(p, field);
    default: return mote__parse_unexpected(p);
    }
}

/* One field, its ")" included. */
static mote_status parse_field(struct parser *p, const struct field *field) {
    mote_status status = MOTE_OK;
    mote__parse_seek(p, field->offset);
    switch (field->kind) {
    case FIELD_SPACE: status = parse_definition(p, field); break;
    case FIELD_IMPORT: status = parse_import(p, field); break;
    case FIELD_EXPORT: status = parse_export(p); break;
    case FIELD_START: status = parse_start(p); break;
    case FIELD_CUSTOM: status = parse_custom(p); break;
    case FIELD_REC: break;
    }
    return status == MOTE_OK ? mote__expect(p, TOKEN_CLOSE) : status;
}

static void put_data_count(struct parser *p) {
    struct counted *count = section(p, SECTION_DATA_COUNT);
    if (!p->uses_data_count) return;
    mote__put_leb_u(&count->bytes, p->counts[SPACE_DATA]);
    count->count = 1;
}

mote_status mote__parse_fields(struct parser *p) {
    for (size_t i = 0; i < p->fields.count; i++) {
        const struct field *field = &p->fields.data[i];
        bool is_type = field->kind == FIELD_SPACE && field->space == SPACE_TYPE;
        if (!is_type && field->kind != FIELD_REC) TRY(parse_field(p, field));
    }
    put_data_count(p);
    return MOTE_OK;
}
