/* parse_cursor.c - the parser's tools: moving over tokens, failing with a place, strings, names and
 * indices. */
#include "text/parse.h"
#include "base/utf8.h"
#include "text/number.h"
#include <stdio.h>

/* clang-format off */
const struct space_info mote__space_info[SPACE_COUNT] = {
    [SPACE_TYPE]   = {"type",         "type",   NAMES_TYPE,   0, false},
    [SPACE_FUNC]   = {"function",     "func",   NAMES_FUNC,   0, true},
    [SPACE_TABLE]  = {"table",        "table",  NAMES_TABLE,  1, true},
    [SPACE_MEMORY] = {"memory",       "memory", NAMES_MEMORY, 2, true},
    [SPACE_GLOBAL] = {"global",       "global", NAMES_GLOBAL, 3, true},
    [SPACE_TAG]    = {"tag",          "tag",    NAMES_TAG,    4, true},
    [SPACE_ELEM]   = {"elem segment", "elem",   NAMES_ELEM,   0, false},
    [SPACE_DATA]   = {"data segment", "data",   NAMES_DATA,   0, false},
};

/* Keywords that are neither instruction nor type: they are "unexpected" in the wrong place, where other words are "unknown". */
static const char *const known_words[] = {
    "module", "definition", "instance", "binary", "quote", "type", "rec", "sub", "final", "func", "struct", "array", "field", "mut", "param", "result",
    "local", "ref", "null", "table", "memory", "global", "tag", "elem", "data", "declare", "offset", "item", "import", "export", "start", "shared",
    "pagesize", "then", "do", "catch_ref", "catch_all_ref", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2", "nan:canonical", "nan:arithmetic",
    "unreachable", "script", "register", "invoke", "get", "input", "output", "either",
};
/* clang-format on */

/* ---- Moving. ---- */

void mote__parse_advance(struct parser *p) {
    p->behind = p->token.at + p->token.size;
    p->token = p->next;
    p->next = mote__lexer_next(&p->lexer);
}

void mote__parse_seek(struct parser *p, size_t offset) {
    mote__lexer_init(&p->lexer, p->text, offset);
    p->lexer.no_annotations = !(p->features & FEATURE_BIT(annotations));
    p->token = mote__lexer_next(&p->lexer);
    p->next = mote__lexer_next(&p->lexer);
    p->behind = p->token.at;
}

bool mote__take_keyword(struct parser *p, const char *word) {
    if (!mote__at_keyword(p, word)) return false;
    mote__parse_advance(p);
    return true;
}

bool mote__take_open(struct parser *p, const char *word) {
    if (!mote__at_open(p, word)) return false;
    mote__parse_advance(p);
    mote__parse_advance(p);
    return true;
}

mote_status mote__expect(struct parser *p, enum token_kind kind) {
    if (p->token.kind != kind) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    return MOTE_OK;
}

mote_status mote__parse_unclosed(struct parser *p, struct token from) {
    struct text_place place = mote__text_place(p->text, (uint64_t)(from.at - p->text.data));
    return mote__parse_fail(p, p->token,
                            "unexpected token: end of text, inside of what begins at %llu:%llu",
                            (unsigned long long)place.line, (unsigned long long)place.column);
}

mote_status mote__skip_group(struct parser *p, const char *word, bool *found) {
    struct token from = p->token;
    for (size_t depth = 1; depth; mote__parse_advance(p)) {
        if (depth == 1 && word && mote__at_open(p, word)) *found = true;
        switch (p->token.kind) {
        case TOKEN_OPEN:
        case TOKEN_ANNOTATION: depth++; break;
        case TOKEN_CLOSE: depth--; break;
        case TOKEN_END: return mote__parse_unclosed(p, from);
        case TOKEN_ERROR: return mote__parse_unexpected(p);
        default: break;
        }
    }
    return MOTE_OK;
}

/* ---- Failing. ---- */

static bool is_known_word(const struct parser *p, struct token word) {
    for (size_t i = 0; i < sizeof known_words / sizeof *known_words; i++)
        if (mote__token_is(word, known_words[i])) return true;
    bool is_memarg = (word.size > 7 && !memcmp(word.at, "offset=", 7)) ||
                     (word.size > 6 && !memcmp(word.at, "align=", 6));
    return is_memarg || mote__is_type_word(word) || mote__op_find(p, word) != OP_INVALID;
}

mote_status mote__parse_fail(struct parser *p, struct token at, const char *format, ...) {
    uint64_t offset = (uint64_t)(at.at - p->text.data);
    if (at.kind == TOKEN_ERROR) {
        mote__error_set(p->error, MOTE_E_MALFORMED, offset, "%s", at.problem);
    } else {
        va_list args;
        va_start(args, format);
        mote__error_setv(p->error, MOTE_E_MALFORMED, offset, format, args);
        va_end(args);
    }
    mote__text_show_place(p->text, at.size, p->error);
    return MOTE_E_MALFORMED;
}

int mote__shown(struct token token) {
    enum { SHOWN_MAX = 60 };
    size_t size = token.size;
    if (size <= SHOWN_MAX) return (int)size;
    for (size = SHOWN_MAX; (token.at[size] & 0xC0) == 0x80;) size--;
    return (int)size;
}

mote_status mote__parse_nomem(struct parser *p) {
    return mote__error_nomem(p->error, "parsing text");
}

mote_status mote__parse_unexpected(struct parser *p) {
    struct token t = p->token;
    int size = mote__shown(t);
    const char *text = (const char *)t.at;
    switch (t.kind) {
    case TOKEN_END: return mote__parse_fail(p, t, "unexpected token: end of text");
    case TOKEN_KEYWORD:
        if (!is_known_word(p, t))
            return mote__parse_fail(p, t, "unknown operator %.*s", size, text);
        break;
    case TOKEN_ANNOTATION:
        if (mote__token_is(t, "(@metadata.code.branch_hint") && !p->in_func)
            return mote__parse_fail(p, t, "%.*s annotation: not in a function", size - 1, text + 1);
        return mote__parse_fail(p, t, "misplaced %.*s annotation", size - 1, text + 1);
    default: break;
    }
    return mote__parse_fail(p, t, "unexpected token %.*s", size, text);
}

/* ---- Strings and numbers. ---- */

mote_status mote__parse_bytes(struct parser *p, struct buffer *out) {
    if (p->token.kind != TOKEN_STRING) return mote__parse_unexpected(p);
    uint8_t *room = mote__buffer_room(out, p->token.size);
    if (!room) return mote__parse_nomem(p);
    out->size += mote__token_unescape(p->token, room);
    mote__parse_advance(p);
    return MOTE_OK;
}

/* The text between quotes that are `skip` bytes into the token. */
static mote_status unescape_name(struct parser *p, struct token t, size_t skip, struct span *name) {
    *name = (struct span){t.at + skip + 1, t.size - skip - 2};
    if (!memchr(name->data, '\\', name->size)) return MOTE_OK;
    uint8_t *copy = mote__arena_alloc(&p->arena, t.size);
    if (!copy) return mote__parse_nomem(p);
    *name = (struct span){copy, mote__token_unescape(t, copy)};
    if (mote__utf8_valid(name->data, name->size)) return MOTE_OK;
    return mote__parse_fail(p, t, "malformed UTF-8 encoding");
}

mote_status mote__parse_name(struct parser *p, struct span *name) {
    if (p->token.kind != TOKEN_STRING) return mote__parse_unexpected(p);
    TRY(unescape_name(p, p->token, 0, name));
    mote__parse_advance(p);
    return MOTE_OK;
}

mote_status mote__id_bytes(struct parser *p, struct token id, struct span *name) {
    if (mote__token_is_quoted_id(id)) return unescape_name(p, id, 1, name);
    *name = (struct span){id.at + 1, id.size - 1};
    return MOTE_OK;
}

mote_status mote__parse_nat(struct parser *p, unsigned bits, uint64_t *value) {
    if (p->token.kind != TOKEN_NAT) return mote__parse_unexpected(p);
    struct span digits = {p->token.at, p->token.size};
    if (!mote__parse_int(digits, bits, value))
        return mote__parse_fail(p, p->token, "i%u constant out of range", bits);
    mote__parse_advance(p);
    return MOTE_OK;
}

/* ---- Identifiers and indices. ---- */

mote_status mote__resolve(struct parser *p, enum space space, struct token token, uint32_t *index) {
    if (token.kind == TOKEN_NAT) {
        uint64_t value;
        struct span digits = {token.at, token.size};
        if (!mote__parse_int(digits, 32, &value))
            return mote__parse_fail(p, token, "i32 constant out of range");
        *index = (uint32_t)value;
        return MOTE_OK;
    }
    struct span name;
    TRY(mote__id_bytes(p, token, &name));
    const uint64_t *value = mote__map_get(&p->ids[space], name.data, name.size);
    if (!value)
        return mote__parse_fail(p, token, "unknown %s %.*s", mote__space_info[space].name,
                                mote__shown(token), (const char *)token.at);
    *index = (uint32_t)*value;
    return MOTE_OK;
}

mote_status mote__parse_index(struct parser *p, enum space space, uint32_t *index) {
    if (!mote__at_index(p)) return mote__parse_unexpected(p);
    TRY(mote__resolve(p, space, p->token, index));
    mote__parse_advance(p);
    return MOTE_OK;
}

mote_status mote__bind(struct parser *p, struct map *map, struct token id, const char *what,
                       uint64_t value) {
    struct span name;
    bool added;
    TRY(mote__id_bytes(p, id, &name));
    uint64_t *place = mote__map_put(map, name.data, name.size, &added);
    if (!place) return mote__parse_nomem(p);
    if (!added)
        return mote__parse_fail(p, id, "duplicate %s %.*s", what, mote__shown(id),
                                (const char *)id.at);
    *place = value;
    return MOTE_OK;
}

mote_status mote__parse_binding(struct parser *p, struct token *id, struct span *name) {
    *name = (struct span){0};
    *id = (struct token){.kind = TOKEN_END};
    if (p->token.kind == TOKEN_ID) {
        *id = p->token;
        TRY(mote__id_bytes(p, *id, name));
        mote__parse_advance(p);
    }
    if (!mote__at_annotation(p, "(@name")) return MOTE_OK;
    mote__parse_advance(p);
    TRY(mote__parse_name(p, name));
    return mote__expect(p, TOKEN_CLOSE);
}
