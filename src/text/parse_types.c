/* parse_types.c - types, type definitions and type uses (core spec, "Text Format / Types").
 * In: the cursor at a type. Out: texttypes, the type section, and for each definition what indices
 * by name and number of locals need. Keeps: a type use leaves its types on the stack parser.types
 * until it is resolved; whoever collects takes them off. */
#include "text/parse.h"
#include "wasm/typecode.h"
#include "wasm/limits.h"

/* ---- Value types. ---- */

static const struct mote__heap_type *find_heap_word(struct token t) {
    for (unsigned i = 0; i < HEAP_TYPE_COUNT; i++)
        if (mote__token_is(t, mote__heap_types[i].word)) return &mote__heap_types[i];
    return NULL;
}

static const struct mote__heap_type *find_ref_word(struct token t) {
    if (t.kind != TOKEN_KEYWORD) return NULL;
    for (unsigned i = 0; i < HEAP_TYPE_COUNT; i++)
        if (mote__token_is(t, mote__heap_types[i].ref_word)) return &mote__heap_types[i];
    return NULL;
}

static const struct mote__plain_type *find_plain_type(struct token t) {
    if (t.kind != TOKEN_KEYWORD) return NULL;
    for (unsigned i = 0; i < PLAIN_TYPE_COUNT; i++)
        if (mote__token_is(t, mote__plain_types[i].word)) return &mote__plain_types[i];
    return NULL;
}

bool mote__is_type_word(struct token t) { return find_heap_word(t) || find_ref_word(t) || find_plain_type(t); }

/* The heap type of a code byte, read as the signed number that it is in the binary format. */
static int64_t heap_of_code(uint8_t code) { return (int64_t)code - 0x80; }

void mote__put_type(struct buffer *b, texttype type) {
    uint8_t code = (uint8_t)type;
    int64_t heap = (int64_t)type >> 8;
    bool is_ref = code == TYPE_CODE_REF || code == TYPE_CODE_REF_NULL;
    bool has_short_form = code == TYPE_CODE_REF_NULL && heap < 0;
    if (!has_short_form) mote__put_u8(b, code);
    if (is_ref) mote__put_leb_s(b, heap);
}

mote_status mote__parse_heaptype(struct parser *p, int64_t *heap) {
    if (p->token.kind != TOKEN_KEYWORD) {
        uint32_t index;
        TRY(mote__parse_index(p, SPACE_TYPE, &index));
        *heap = index;
        return MOTE_OK;
    }
    const struct mote__heap_type *name = find_heap_word(p->token);
    if (!name) return mote__parse_unexpected(p);
    *heap = heap_of_code(name->code);
    mote__parse_advance(p);
    return MOTE_OK;
}

bool mote__at_reftype(const struct parser *p) {
    return mote__at_open(p, "ref") || find_ref_word(p->token);
}

mote_status mote__parse_reftype(struct parser *p, texttype *type) {
    const struct mote__heap_type *name = find_ref_word(p->token);
    if (name) {
        *type = mote__texttype_ref(true, heap_of_code(name->code));
        mote__parse_advance(p);
        return MOTE_OK;
    }
    if (!mote__take_open(p, "ref")) return mote__parse_unexpected(p);
    bool nullable = mote__take_keyword(p, "null");
    int64_t heap;
    TRY(mote__parse_heaptype(p, &heap));
    *type = mote__texttype_ref(nullable, heap);
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status parse_type(struct parser *p, bool allow_packed, texttype *type) {
    const struct mote__plain_type *name = find_plain_type(p->token);
    if (!name) return mote__parse_reftype(p, type);
    if (name->is_packed && !allow_packed) return mote__parse_unexpected(p);
    *type = name->code;
    mote__parse_advance(p);
    return MOTE_OK;
}

mote_status mote__parse_valtype(struct parser *p, texttype *type) {
    return parse_type(p, false, type);
}

/* ---- Locals. ---- */

void mote__begin_locals(struct parser *p) {
    p->body_serial++;
    p->local_count = 0;
}

mote_status mote__bind_local(struct parser *p, struct token id, struct span name) {
    uint32_t index = p->local_count;
    if (name.data) mote__encoder_inner_name(&p->encoder, NAMES_LOCAL, p->func_index, index, name);
    if (id.kind != TOKEN_ID) return MOTE_OK;
    struct span key;
    bool added;
    TRY(mote__id_bytes(p, id, &key));
    uint64_t *place = mote__map_put(&p->locals, key.data, key.size, &added);
    if (!place) return mote__parse_nomem(p);
    if (*place >> 32 == p->body_serial)
        return mote__parse_fail(p, id, "duplicate local %.*s", mote__shown(id),
                                (const char *)id.at);
    *place = (uint64_t)p->body_serial << 32 | index;
    return MOTE_OK;
}

mote_status mote__parse_local_index(struct parser *p, uint32_t *index) {
    if (p->token.kind != TOKEN_ID) return mote__parse_index(p, SPACE_FUNC, index);
    struct token id = p->token;
    struct span key;
    TRY(mote__id_bytes(p, id, &key));
    const uint64_t *value = mote__map_get(&p->locals, key.data, key.size);
    if (!value || *value >> 32 != p->body_serial)
        return mote__parse_fail(p, id, "unknown local %.*s", mote__shown(id), (const char *)id.at);
    *index = (uint32_t)*value;
    mote__parse_advance(p);
    return MOTE_OK;
}

/* ---- Parameters, results, type uses. ---- */

static mote_status push_valtype(struct parser *p) {
    texttype type;
    TRY(mote__parse_valtype(p, &type));
    texttype *slot = mote__vec_push(&p->types, p->allocator);
    if (!slot) return mote__parse_nomem(p);
    *slot = type;
    return MOTE_OK;
}

/* Value types up to ")". */
static mote_status push_valtypes(struct parser *p, uint32_t *count) {
    for (; p->token.kind != TOKEN_CLOSE; ++*count) TRY(push_valtype(p));
    mote__parse_advance(p);
    return MOTE_OK;
}

/* Behind "(param": one with a name, or any number without. */
static mote_status parse_param(struct parser *p, enum params params, uint32_t *count) {
    struct token id, from = p->token;
    struct span name;
    TRY(mote__parse_binding(p, &id, &name));
    if (!name.data) {
        uint32_t before = *count;
        TRY(push_valtypes(p, count));
        p->local_count += params == PARAMS_LOCALS ? *count - before : 0;
        return MOTE_OK;
    }
    if (params == PARAMS_ANONYMOUS)
        return mote__parse_fail(p, from, "unexpected token: a name is of no use here");
    TRY(push_valtype(p));
    ++*count;
    if (params == PARAMS_LOCALS) {
        TRY(mote__bind_local(p, id, name));
        p->local_count++;
    }
    return mote__expect(p, TOKEN_CLOSE);
}

mote_status mote__parse_results(struct parser *p, uint32_t *count) {
    while (mote__take_open(p, "result")) TRY(push_valtypes(p, count));
    return MOTE_OK;
}

/* (param ...)* (result ...)* */
static mote_status parse_signature(struct parser *p, enum params params, struct typeuse *use) {
    use->first = p->types.count;
    use->has_types = mote__at_open(p, "param") || mote__at_open(p, "result");
    while (mote__take_open(p, "param")) TRY(parse_param(p, params, &use->param_count));
    TRY(mote__parse_results(p, &use->result_count));
    bool out_of_order = mote__at_open(p, "param") || mote__at_open(p, "type");
    return out_of_order ? mote__parse_unexpected(p) : MOTE_OK;
}

/* Locals get their numbers from the parameters, which may be in the definition alone. */
static uint32_t param_count_of(const struct parser *p, uint32_t type) {
    return type < p->type_defs.count ? p->type_defs.data[type].param_count : 0;
}

mote_status mote__parse_typeuse(struct parser *p, enum params params, struct typeuse *use) {
    *use = (struct typeuse){.at = p->token};
    if (mote__take_open(p, "type")) {
        use->has_index = true;
        use->at = p->token;
        TRY(mote__parse_index(p, SPACE_TYPE, &use->index));
        TRY(mote__expect(p, TOKEN_CLOSE));
    }
    TRY(parse_signature(p, params, use));
    if (params == PARAMS_LOCALS && !use->has_types && use->has_index)
        p->local_count = param_count_of(p, use->index);
    return MOTE_OK;
}

/* The bytes of a function type behind its code, in parser.scratch. */
static mote_status encode_signature(struct parser *p, const texttype *types, uint32_t param_count,
                                    uint32_t result_count) {
    struct buffer *b = &p->scratch;
    b->size = 0;
    mote__put_leb_u(b, param_count);
    for (uint32_t i = 0; i < param_count; i++) mote__put_type(b, types[i]);
    mote__put_leb_u(b, result_count);
    for (uint32_t i = 0; i < result_count; i++) mote__put_type(b, types[param_count + i]);
    return b->failed ? mote__parse_nomem(p) : MOTE_OK;
}

/* Keeps a copy of the definition's types, and its index for implicit uses of a type that is alone
 * in its group. */
static mote_status add_func_def(struct parser *p, struct type_def def, bool is_alone) {
    uint32_t count = def.param_count + def.result_count;
    texttype *types = MOTE__ARENA_ARRAY(&p->arena, texttype, count);
    struct type_def *slot = mote__vec_push(&p->type_defs, p->allocator);
    if (!types || !slot) return mote__parse_nomem(p);
    if (count) memcpy(types, def.types, count * sizeof *types);
    def.types = types;
    *slot = def;
    if (!is_alone) return MOTE_OK;
    if (mote__map_get(&p->signatures, p->scratch.data, p->scratch.size)) return MOTE_OK;
    bool added;
    const char *key = mote__arena_string(&p->arena, p->scratch.data, p->scratch.size);
    uint64_t *place = key ? mote__map_put(&p->signatures, key, p->scratch.size, &added) : NULL;
    if (!place) return mote__parse_nomem(p);
    *place = p->type_defs.count - 1;
    return MOTE_OK;
}

/* (type x) with types beside it: they must be those of the definition. */
static mote_status check_against_definition(struct parser *p, const struct typeuse *use) {
    if (use->index >= p->type_defs.count)
        return mote__parse_fail(p, use->at, "unknown type %u", (unsigned)use->index);
    const struct type_def *def = &p->type_defs.data[use->index];
    if (!def->is_func)
        return mote__parse_fail(p, use->at, "non-function type %u", (unsigned)use->index);
    size_t count = use->param_count + use->result_count;
    const texttype *types = p->types.data + use->first;
    if (def->param_count == use->param_count && def->result_count == use->result_count &&
        (!count || !memcmp(def->types, types, count * sizeof *types)))
        return MOTE_OK;
    return mote__parse_fail(p, use->at, "inline function type does not match the type named here");
}

static mote_status find_or_append_type(struct parser *p, struct typeuse *use) {
    const texttype *types = p->types.data ? p->types.data + use->first : NULL;
    TRY(encode_signature(p, types, use->param_count, use->result_count));
    const uint64_t *known = mote__map_get(&p->signatures, p->scratch.data, p->scratch.size);
    if (known) {
        use->index = (uint32_t)*known;
        return MOTE_OK;
    }
    use->index = (uint32_t)p->type_defs.count;
    struct counted *section = &p->encoder.sections[SECTION_TYPE];
    mote__put_u8(&section->bytes, TYPE_CODE_FUNC);
    mote__put_buffer(&section->bytes, &p->scratch);
    section->count++;
    struct type_def def = {true, use->param_count, use->result_count, types};
    return add_func_def(p, def, true);
}

mote_status mote__resolve_typeuse(struct parser *p, struct typeuse *use) {
    mote_status status = MOTE_OK;
    if (!use->has_index) status = find_or_append_type(p, use);
    else if (use->has_types) status = check_against_definition(p, use);
    p->types.count = use->first;
    return status;
}

mote_status mote__parse_blocktype(struct parser *p) {
    struct typeuse use;
    TRY(mote__parse_typeuse(p, PARAMS_ANONYMOUS, &use));
    bool is_short = !use.has_index && !use.param_count && use.result_count <= 1;
    if (!is_short) {
        TRY(mote__resolve_typeuse(p, &use));
        mote__put_leb_s(p->code, use.index);
        return MOTE_OK;
    }
    mote__put_type(p->code, use.result_count ? p->types.data[use.first] : TYPE_CODE_EMPTY);
    p->types.count = use.first;
    return MOTE_OK;
}

/* ---- Type definitions. ---- */

static mote_status parse_fieldtype(struct parser *p, struct buffer *out) {
    texttype type;
    bool is_mutable = mote__take_open(p, "mut");
    TRY(parse_type(p, true, &type));
    if (is_mutable) TRY(mote__expect(p, TOKEN_CLOSE));
    mote__put_type(out, type);
    mote__put_u8(out, is_mutable);
    return MOTE_OK;
}

/* The key of a field's name: the type's index and the name. Valid until scratch is used again. */
static mote_status field_key(struct parser *p, uint32_t type, struct token id) {
    struct span name;
    TRY(mote__id_bytes(p, id, &name));
    p->scratch.size = 0;
    mote__put_le(&p->scratch, type, 4);
    mote__put_bytes(&p->scratch, name.data, name.size);
    return p->scratch.failed ? mote__parse_nomem(p) : MOTE_OK;
}

static mote_status bind_field(struct parser *p, uint32_t type, struct token id, uint32_t index) {
    bool added;
    TRY(field_key(p, type, id));
    const char *key = mote__arena_string(&p->arena, p->scratch.data, p->scratch.size);
    uint64_t *place = key ? mote__map_put(&p->field_ids, key, p->scratch.size, &added) : NULL;
    if (!place) return mote__parse_nomem(p);
    if (!added)
        return mote__parse_fail(p, id, "duplicate field %.*s", mote__shown(id),
                                (const char *)id.at);
    *place = index;
    return MOTE_OK;
}

mote_status mote__parse_field_index(struct parser *p, uint32_t type, uint32_t *index) {
    if (p->token.kind != TOKEN_ID) return mote__parse_index(p, SPACE_TYPE, index);
    struct token id = p->token;
    TRY(field_key(p, type, id));
    const uint64_t *value = mote__map_get(&p->field_ids, p->scratch.data, p->scratch.size);
    if (!value)
        return mote__parse_fail(p, id, "unknown field %.*s", mote__shown(id), (const char *)id.at);
    *index = (uint32_t)*value;
    mote__parse_advance(p);
    return MOTE_OK;
}

/* Behind "(field": one with a name, or any number without. */
static mote_status parse_field(struct parser *p, uint32_t type, struct counted *fields) {
    struct token id;
    struct span name;
    TRY(mote__parse_binding(p, &id, &name));
    if (name.data) {
        mote__encoder_inner_name(&p->encoder, NAMES_FIELD, type, fields->count, name);
        if (id.kind == TOKEN_ID) TRY(bind_field(p, type, id, fields->count));
        TRY(parse_fieldtype(p, &fields->bytes));
        fields->count++;
        return mote__expect(p, TOKEN_CLOSE);
    }
    for (; p->token.kind != TOKEN_CLOSE; fields->count++) TRY(parse_fieldtype(p, &fields->bytes));
    mote__parse_advance(p);
    return MOTE_OK;
}

static mote_status parse_struct_fields(struct parser *p, uint32_t type, struct counted *fields) {
    while (mote__take_open(p, "field")) TRY(parse_field(p, type, fields));
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status add_type_def(struct parser *p) {
    return mote__vec_push(&p->type_defs, p->allocator) ? MOTE_OK : mote__parse_nomem(p);
}

static mote_status parse_struct(struct parser *p, struct buffer *out) {
    struct counted fields = {0};
    mote__buffer_init(&fields.bytes, p->allocator);
    mote_status status = parse_struct_fields(p, (uint32_t)p->type_defs.count, &fields);
    mote__put_u8(out, TYPE_CODE_STRUCT);
    mote__put_leb_u(out, fields.count);
    mote__put_buffer(out, &fields.bytes);
    mote__buffer_deinit(&fields.bytes);
    return status == MOTE_OK ? add_type_def(p) : status;
}

static mote_status parse_array(struct parser *p, struct buffer *out) {
    mote__put_u8(out, TYPE_CODE_ARRAY);
    TRY(parse_fieldtype(p, out));
    TRY(mote__expect(p, TOKEN_CLOSE));
    return add_type_def(p);
}

static mote_status parse_func_type(struct parser *p, struct buffer *out, bool is_alone) {
    struct typeuse use = {.at = p->token};
    TRY(parse_signature(p, PARAMS_NAMED, &use));
    TRY(mote__expect(p, TOKEN_CLOSE));
    const texttype *types = p->types.data ? p->types.data + use.first : NULL;
    TRY(encode_signature(p, types, use.param_count, use.result_count));
    mote__put_u8(out, TYPE_CODE_FUNC);
    mote__put_buffer(out, &p->scratch);
    struct type_def def = {true, use.param_count, use.result_count, types};
    p->types.count = use.first;
    return add_func_def(p, def, is_alone);
}

/* (func ...), (struct ...) or (array ...). */
static mote_status parse_comptype(struct parser *p, struct buffer *out, bool is_alone) {
    if (mote__take_open(p, "func")) return parse_func_type(p, out, is_alone);
    if (mote__take_open(p, "struct")) return parse_struct(p, out);
    if (mote__take_open(p, "array")) return parse_array(p, out);
    if (p->token.kind == TOKEN_OPEN) mote__parse_advance(p);
    return mote__parse_unexpected(p);
}

/* Behind "(sub": final? supertypes definition ")". */
static mote_status parse_sub(struct parser *p, struct buffer *out, bool is_alone) {
    bool is_final = mote__take_keyword(p, "final");
    VEC(uint32_t) supers = {0};
    mote_status status = MOTE_OK;
    while (status == MOTE_OK && mote__at_index(p)) {
        uint32_t *super = mote__vec_push(&supers, p->allocator);
        status = super ? mote__parse_index(p, SPACE_TYPE, super) : mote__parse_nomem(p);
    }
    bool is_plain = is_final && !supers.count;
    if (!is_plain) {
        mote__put_u8(out, is_final ? TYPE_CODE_SUB_FINAL : TYPE_CODE_SUB);
        mote__put_leb_u(out, supers.count);
        for (size_t i = 0; i < supers.count; i++) mote__put_leb_u(out, supers.data[i]);
    }
    mote__vec_deinit(&supers, p->allocator);
    if (status == MOTE_OK) status = parse_comptype(p, out, is_alone && is_plain);
    return status == MOTE_OK ? mote__expect(p, TOKEN_CLOSE) : status;
}

/* Behind "(type". Its identifier was bound by the outline. */
static mote_status parse_type_def(struct parser *p, struct buffer *out, bool is_alone) {
    struct token id;
    struct span name;
    TRY(mote__parse_binding(p, &id, &name));
    uint32_t index = (uint32_t)p->type_defs.count;
    if (name.data) mote__encoder_name(&p->encoder, NAMES_TYPE, index, name);
    TRY(mote__take_open(p, "sub") ? parse_sub(p, out, is_alone) : parse_comptype(p, out, is_alone));
    return mote__expect(p, TOKEN_CLOSE);
}

/* Behind "(rec". */
static mote_status parse_rec(struct parser *p, uint32_t member_count, struct buffer *out) {
    mote__put_u8(out, TYPE_CODE_REC);
    mote__put_leb_u(out, member_count);
    while (mote__take_open(p, "type")) TRY(parse_type_def(p, out, member_count == 1));
    return mote__expect(p, TOKEN_CLOSE);
}

/* The outline counted the members of a group: field.segment holds how many. */
static mote_status parse_type_field(struct parser *p, const struct field *field) {
    struct counted *section = &p->encoder.sections[SECTION_TYPE];
    mote__parse_seek(p, field->offset);
    section->count++;
    if (field->kind == FIELD_REC) return parse_rec(p, field->segment, &section->bytes);
    return parse_type_def(p, &section->bytes, true);
}

mote_status mote__parse_type_fields(struct parser *p) {
    for (size_t i = 0; i < p->fields.count; i++) {
        const struct field *field = &p->fields.data[i];
        bool is_type = field->kind == FIELD_SPACE && field->space == SPACE_TYPE;
        if (is_type || field->kind == FIELD_REC) TRY(parse_type_field(p, field));
    }
    mote__encoder_flush_names(&p->encoder);
    return MOTE_OK;
}
