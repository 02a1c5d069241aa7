/* parser.c - the module as a whole: its four forms, the outline of its fields, places of errors
 * (core spec, "Text Format / Modules"). In: text. Out: a module in the binary format. The outline
 * reads every token once, binds all identifiers of the module, counts the index spaces and checks
 * the order of imports; what fields contain is checked when they are parsed. */
#include "text/parse.h"
#include "wasm/limits.h"

/* ---- Places. ---- */

static bool is_newline(uint8_t c) { return c == '\n' || c == '\r'; }

/* The number of characters: bytes that do not continue one. */
static uint64_t char_count(const uint8_t *p, const uint8_t *end) {
    uint64_t count = 0;
    for (; p < end; p++) count += (*p & 0xC0) != 0x80;
    return count;
}

struct text_place mote__text_place(struct span text, uint64_t offset) {
    struct text_place place = {1, 1};
    const uint8_t *line = text.data, *at = text.data + (offset < text.size ? offset : text.size);
    for (const uint8_t *p = text.data; p < at; p++) {
        if (!is_newline(*p)) continue;
        if (*p == '\r' && p + 1 < text.data + text.size && p[1] == '\n') continue;
        place.line++;
        line = p + 1;
    }
    place.column = char_count(line, at) + 1;
    return place;
}

/* The part of a line around `at` that is shown: at most `width` bytes, cut between characters. */
static struct span visible_line(struct span text, const uint8_t *at) {
    enum { BEFORE = 60, AFTER = 60 };
    const uint8_t *from = at, *to = at, *end = text.data + text.size;
    while (from > text.data && !is_newline(from[-1]) &&
           (at - from < BEFORE || (*from & 0xC0) == 0x80))
        from--;
    while (to < end && !is_newline(*to) && (to - at < AFTER || (*to & 0xC0) == 0x80)) to++;
    return (struct span){from, (size_t)(to - from)};
}

void mote__text_show_place(struct span text, size_t size, mote_error *error) {
    const uint8_t *at = text.data + error->offset;
    struct text_place place = mote__text_place(text, error->offset);
    struct span line = visible_line(text, at);
    const uint8_t *end = at + size < line.data + line.size ? at + size : line.data + line.size;
    mote__error_append(error, " at %llu:%llu\n  ", (unsigned long long)place.line,
                       (unsigned long long)place.column);
    for (size_t i = 0; i < line.size; i++) /* control characters would move the caret */
        mote__error_append(error, "%c", line.data[i] < 0x20 ? ' ' : line.data[i]);
    mote__error_append(error, "\n  %*s^", (int)char_count(line.data, at), "");
    for (uint64_t i = 1; i < char_count(at, end); i++) mote__error_append(error, "~");
}

/* ---- The outline. ---- */

static mote_status add_field(struct parser *p, struct field field) {
    struct field *slot = mote__vec_push(&p->fields, p->allocator);
    if (!slot) return mote__parse_nomem(p);
    field.offset = (size_t)(p->token.at - p->text.data);
    *slot = field;
    return MOTE_OK;
}

/* Binds the optional identifier of a definition that has just begun. */
static mote_status bind_definition(struct parser *p, enum space space, uint32_t *index) {
    *index = p->counts[space]++;
    if (p->token.kind != TOKEN_ID) return MOTE_OK;
    TRY(mote__bind(p, &p->ids[space], p->token, mote__space_info[space].name, *index));
    mote__parse_advance(p);
    return MOTE_OK;
}

static mote_status check_import_order(struct parser *p, struct token at) {
    if (!p->first_definition) return MOTE_OK;
    return mote__parse_fail(p, at, "import after %s definition", p->first_definition);
}

/* (@name ...) and (export ...) clauses between the identifier and what follows. */
static mote_status skip_clauses(struct parser *p) {
    bool unused;
    if (mote__at_annotation(p, "(@name")) {
        mote__parse_advance(p);
        TRY(mote__skip_group(p, NULL, &unused));
    }
    while (mote__take_open(p, "export")) TRY(mote__skip_group(p, NULL, &unused));
    return MOTE_OK;
}

/* Behind "(KIND" of something that has an index: definition, or inline import. */
static mote_status outline_definition(struct parser *p, enum space space, struct token at) {
    const struct space_info *info = &mote__space_info[space];
    struct field field = {.kind = FIELD_SPACE, .space = space};
    struct token from = p->token;
    TRY(bind_definition(p, space, &field.index));
    field.offset = (size_t)(from.at - p->text.data);
    TRY(skip_clauses(p));
    bool is_import = info->is_extern && mote__at_open(p, "import");
    if (is_import) TRY(check_import_order(p, at));
    else if (info->is_extern && !p->first_definition) p->first_definition = info->name;
    struct field *slot = mote__vec_push(&p->fields, p->allocator);
    if (!slot) return mote__parse_nomem(p);
    *slot = field;
    enum space inner = space == SPACE_TABLE ? SPACE_ELEM : SPACE_DATA;
    bool has_inner = false;
    TRY(mote__skip_group(p, mote__space_info[inner].keyword, &has_inner));
    if (has_inner && (space == SPACE_TABLE || space == SPACE_MEMORY))
        slot->segment = p->counts[inner]++;
    return MOTE_OK;
}

/* The index space that a field keyword at the cursor defines; SPACE_COUNT if none. */
static enum space space_of_keyword(const struct parser *p) {
    unsigned space = 0;
    while (space < SPACE_COUNT && !mote__at_keyword(p, mote__space_info[space].keyword)) space++;
    return (enum space)space;
}

static mote_status outline_import(struct parser *p, struct token at) {
    bool unused;
    TRY(check_import_order(p, at));
    TRY(add_field(p, (struct field){.kind = FIELD_IMPORT}));
    TRY(mote__expect(p, TOKEN_STRING));
    TRY(mote__expect(p, TOKEN_STRING));
    TRY(mote__expect(p, TOKEN_OPEN));
    enum space space = space_of_keyword(p);
    if (space == SPACE_COUNT || !mote__space_info[space].is_extern)
        return mote__parse_unexpected(p);
    mote__parse_advance(p);
    struct field *field = mote__vec_last(&p->fields);
    field->space = space;
    TRY(bind_definition(p, space, &field->index));
    TRY(mote__skip_group(p, NULL, &unused)); /* the type's group */
    return mote__skip_group(p, NULL, &unused);
}

/* Behind "(rec": binds its members. */
static mote_status outline_rec(struct parser *p) {
    bool unused;
    uint32_t index, count = 0;
    TRY(add_field(p, (struct field){.kind = FIELD_REC}));
    for (; mote__take_open(p, "type"); count++) {
        TRY(bind_definition(p, SPACE_TYPE, &index));
        TRY(mote__skip_group(p, NULL, &unused));
    }
    mote__vec_last(&p->fields)->segment = count;
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status outline_start(struct parser *p, struct token at) {
    bool unused;
    if (p->has_start) return mote__parse_fail(p, at, "multiple start sections");
    p->has_start = true;
    TRY(add_field(p, (struct field){.kind = FIELD_START}));
    return mote__skip_group(p, NULL, &unused);
}

static mote_status outline_simple(struct parser *p, struct field field) {
    bool unused;
    TRY(add_field(p, field));
    return mote__skip_group(p, NULL, &unused);
}

static mote_status outline_field(struct parser *p) {
    struct token at = p->token;
    if (mote__at_annotation(p, "(@custom")) {
        mote__parse_advance(p);
        return outline_simple(p, (struct field){.kind = FIELD_CUSTOM});
    }
    TRY(mote__expect(p, TOKEN_OPEN));
    enum space space = space_of_keyword(p);
    if (space != SPACE_COUNT) {
        mote__parse_advance(p);
        return outline_definition(p, space, at);
    }
    if (mote__take_keyword(p, "import")) return outline_import(p, at);
    if (mote__take_keyword(p, "export"))
        return outline_simple(p, (struct field){.kind = FIELD_EXPORT});
    if (mote__take_keyword(p, "start")) return outline_start(p, at);
    if (mote__take_keyword(p, "rec")) return outline_rec(p);
    return mote__parse_unexpected(p);
}

/* ---- The forms of a module. ---- */

static mote_status parse_module_name(struct parser *p) {
    struct token id;
    struct span name;
    TRY(mote__parse_binding(p, &id, &name));
    if (mote__at_annotation(p, "(@name"))
        return mote__parse_fail(p, p->token, "@name annotation: multiple module names");
    if (name.data) mote__encoder_name(&p->encoder, NAMES_MODULE, 0, name);
    return MOTE_OK;
}

/* Hands the buffer's memory over, cut to its size. */
static mote_status give_away(struct parser *p, struct buffer *b, struct text_binary *out) {
    if (b->failed) return mote__parse_nomem(p);
    uint8_t *bytes = b->data;
    if (b->size != b->capacity) {
        bytes = b->size ? p->allocator->resize(p->allocator->ctx, bytes, b->capacity, b->size)
                        : (mote__buffer_deinit(b), NULL);
        if (b->size && !bytes) return mote__parse_nomem(p);
    }
    *out = (struct text_binary){bytes, b->size};
    mote__buffer_init(b, p->allocator);
    return MOTE_OK;
}

/* All fields, up to what ends the module; `from` is where it begins. */
static mote_status outline(struct parser *p, enum token_kind close, struct token from) {
    while (p->token.kind != close) {
        if (p->token.kind == TOKEN_END) return mote__parse_unclosed(p, from);
        TRY(outline_field(p));
    }
    mote__parse_advance(p);
    return p->token.kind == TOKEN_END ? MOTE_OK : mote__parse_unexpected(p);
}

static mote_status parse_outlined(struct parser *p) {
    TRY(mote__parse_type_fields(p));
    return mote__parse_fields(p);
}

/* A parenthesis is missing somewhere before the end of the text. Where a field has in it what does
 * not belong there, because it swallowed the next one, say, that is the better place to point at.
 */
static mote_status find_missing_close(struct parser *p) {
    static const char words[] = "unexpected token";
    mote_error at_end = *p->error;
    mote_status status = parse_outlined(p);
    bool is_better = status == MOTE_E_MALFORMED && p->token.kind != TOKEN_END &&
                     !memcmp(p->error->message, words, sizeof words - 1);
    if (!is_better) *p->error = at_end;
    return p->error->status;
}

/* Fields up to the end of the module: `close` is what ends it. */
static mote_status parse_contents(struct parser *p, enum token_kind close, struct token from,
                                  struct buffer *out) {
    mote_status status = outline(p, close, from);
    if (status == MOTE_E_MALFORMED && p->token.kind == TOKEN_END) return find_missing_close(p);
    if (status != MOTE_OK) return status;
    TRY(parse_outlined(p));
    return mote__encode_module(&p->encoder, out) ? MOTE_OK : mote__parse_nomem(p);
}

static mote_status parse_module_strings(struct parser *p, struct buffer *out) {
    while (p->token.kind == TOKEN_STRING) TRY(mote__parse_bytes(p, out));
    TRY(mote__expect(p, TOKEN_CLOSE));
    return p->token.kind == TOKEN_END ? MOTE_OK : mote__parse_unexpected(p);
}

/* What a module turned out to be: its binary, or text in quotes that is to be parsed in turn. */
enum outcome { OUTCOME_BINARY, OUTCOME_QUOTE };

static mote_status parse_module(struct parser *p, struct buffer *out, enum outcome *outcome) {
    mote__parse_seek(p, 0);
    struct token from = p->token;
    *outcome = OUTCOME_BINARY;
    if (!mote__take_open(p, "module")) return parse_contents(p, TOKEN_END, from, out);
    mote__take_keyword(p, "definition"); /* as in scripts */
    TRY(parse_module_name(p));
    if (mote__take_keyword(p, "binary")) return parse_module_strings(p, out);
    if (!mote__take_keyword(p, "quote")) return parse_contents(p, TOKEN_CLOSE, from, out);
    *outcome = OUTCOME_QUOTE;
    return parse_module_strings(p, out);
}

/* ---- The parser's life. ---- */

void mote__parser_init(struct parser *p, const mote_allocator *allocator, struct span text,
                       uint64_t features, mote_error *error) {
    memset(p, 0, sizeof *p);
    p->allocator = allocator;
    p->text = text;
    p->features = features;
    p->error = error;
    p->hint = -1;
    mote__arena_init(&p->arena, allocator);
    mote__encoder_init(&p->encoder, allocator);
    for (unsigned i = 0; i < SPACE_COUNT; i++) mote__map_init(&p->ids[i], allocator);
    mote__map_init(&p->signatures, allocator);
    mote__map_init(&p->field_ids, allocator);
    mote__map_init(&p->locals, allocator);
    mote__map_init(&p->labels_by_name, allocator);
    mote__buffer_init(&p->scratch, allocator);
    mote__buffer_init(&p->body, allocator);
    mote__buffer_init(&p->pending, allocator);
    mote__op_table_init(p);
}

void mote__parser_deinit(struct parser *p) {
    const mote_allocator *a = p->allocator;
    mote__encoder_deinit(&p->encoder);
    for (unsigned i = 0; i < SPACE_COUNT; i++) mote__map_deinit(&p->ids[i]);
    mote__map_deinit(&p->signatures);
    mote__map_deinit(&p->field_ids);
    mote__map_deinit(&p->locals);
    mote__map_deinit(&p->labels_by_name);
    mote__vec_deinit(&p->fields, a);
    mote__vec_deinit(&p->type_defs, a);
    mote__vec_deinit(&p->types, a);
    mote__vec_deinit(&p->labels, a);
    mote__vec_deinit(&p->frames, a);
    mote__buffer_deinit(&p->scratch);
    mote__buffer_deinit(&p->body);
    mote__buffer_deinit(&p->pending);
    mote__arena_deinit(&p->arena);
}

mote_status mote__parse_check_utf8(struct parser *p) {
    size_t bad = mote__lexer_check_utf8(p->text);
    if (bad == SIZE_MAX) return MOTE_OK;
    struct token at = {.at = p->text.data + bad, .size = 1, .kind = TOKEN_KEYWORD};
    return mote__parse_fail(p, at, "malformed UTF-8 encoding");
}

/* Parses one text; for a quoted module *quoted is the text within, owned by the caller. */
static mote_status parse_text(struct parser *p, struct text_binary *out, enum outcome *outcome) {
    struct buffer result;
    mote__buffer_init(&result, p->allocator);
    mote_status status = mote__parse_check_utf8(p);
    if (status == MOTE_OK) status = parse_module(p, &result, outcome);
    if (status == MOTE_OK) status = give_away(p, &result, out);
    mote__buffer_deinit(&result);
    return status;
}

static mote_status parse_with(const mote_allocator *allocator, struct span text, uint64_t features,
                              struct watch *watch, struct text_binary *out, enum outcome *outcome,
                              mote_error *error) {
    struct parser *p = MOTE__NEW(allocator, struct parser); /* too large for a small stack */
    if (!p) return mote__error_nomem(error, "parsing text");
    mote__parser_init(p, allocator, text, features, error);
    p->watch = watch;
    mote_status status = parse_text(p, out, outcome);
    mote__parser_deinit(p);
    MOTE__DELETE(allocator, p);
    return status;
}

/* Parses the text of (module quote ...) and frees it. */
static mote_status parse_quoted(const mote_allocator *allocator, struct text_binary *quoted,
                                uint64_t features, struct text_binary *out, mote_error *error) {
    static const uint8_t nothing[1];
    struct span inner = {quoted->bytes ? quoted->bytes : nothing, quoted->size};
    enum outcome outcome;
    mote_status status = parse_with(allocator, inner, features, NULL, out, &outcome, error);
    if (status == MOTE_OK && outcome == OUTCOME_QUOTE) {
        mote__text_binary_deinit(allocator, out);
        status = mote__error_set(error, MOTE_E_MALFORMED, 0,
                                 "unexpected token: a quoted module in a quoted module");
    }
    mote__text_binary_deinit(allocator, quoted);
    return status;
}

mote_status mote__text_to_binary(const mote_allocator *allocator, struct span text,
                                 uint64_t features, struct text_binary *out, mote_error *error) {
    struct text_binary result;
    enum outcome outcome;
    TRY(parse_with(allocator, text, features, NULL, &result, &outcome, error));
    if (outcome == OUTCOME_QUOTE) {
        struct text_binary quoted = result;
        TRY(parse_quoted(allocator, &quoted, features, &result, error));
    }
    *out = result;
    return MOTE_OK;
}

mote_status mote__parse_watched(const mote_allocator *allocator, struct span text,
                                uint64_t features, struct watch *watch, mote_error *error) {
    struct text_binary result;
    enum outcome outcome;
    TRY(parse_with(allocator, text, features, watch, &result, &outcome, error));
    mote__text_binary_deinit(allocator, &result);
    return MOTE_OK;
}

void mote__text_binary_deinit(const mote_allocator *allocator, struct text_binary *binary) {
    mote__free(allocator, binary->bytes, binary->size);
    *binary = (struct text_binary){0};
}

bool mote__is_binary(struct span bytes) {
    return bytes.size >= 4 && memcmp(bytes.data, "\0asm", 4) == 0;
}
