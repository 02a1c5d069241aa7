/* yaml.c - libfyaml's events as a tree with lines (yaml.h). The only file that sees libfyaml.
 * Keeps: depth, nodes and bytes are bounded before anything is built; aliases end the parse. */
#include "yaml.h"
#include "base/error.h"
#include "base/utf8.h"
#include "scalar.h"
#include <libfyaml.h>

struct build {
    struct arena *arena;
    struct fy_parser *parser;
    struct fy_diag *diag; /* keeps what is wrong, and prints nothing */
    const char *name;
    mote_error *error;
    struct yaml_node *open[YAML_DEPTH_MAX]; /* collections that are not closed yet */
    struct yaml_node **ends[YAML_DEPTH_MAX];
    unsigned depth, nodes;
    struct yaml_node **roots_end;
};

static mote_status refuse(const struct build *b, mote_status status, unsigned line,
                          const char *what) {
    return mote__error_set(b->error, status, MOTE_NO_OFFSET, "%s:%u: %s", b->name, line, what);
}

static unsigned line_of(struct fy_event *event) {
    const struct fy_mark *mark = fy_event_start_mark(event);
    return mark ? (unsigned)mark->line + 1 : 1;
}

/* Adds a node where the parse is. */
static mote_status add(struct build *b, enum yaml_kind kind, unsigned line,
                       struct yaml_node **out) {
    if (++b->nodes > YAML_NODES_MAX) return refuse(b, MOTE_E_LIMIT, line, "too many nodes");
    struct yaml_node *node = MOTE__ARENA_NEW(b->arena, struct yaml_node);
    if (!node) return mote__error_nomem(b->error, "reading YAML");
    node->kind = kind;
    node->line = line;
    struct yaml_node ***end = b->depth ? &b->ends[b->depth - 1] : &b->roots_end;
    if (b->depth) b->open[b->depth - 1]->size++;
    **end = node;
    *end = &node->next;
    *out = node;
    return MOTE_OK;
}

static mote_status begin(struct build *b, enum yaml_kind kind, unsigned line) {
    struct yaml_node *node;
    if (b->depth == YAML_DEPTH_MAX) return refuse(b, MOTE_E_LIMIT, line, "nested too deeply");
    TRY(add(b, kind, line, &node));
    b->open[b->depth] = node;
    b->ends[b->depth++] = &node->first;
    return MOTE_OK;
}

/* `! 010`, `!!str 010` and `!own 010` are texts, whatever they look like. */
static bool is_text_by_tag(struct fy_token *tag) {
    static const char *const others[] = {"bool", "int", "float", "null", "timestamp"};
    static const char yaml[] = "tag:yaml.org,2002:";
    enum { YAML = sizeof yaml - 1 };
    size_t size = 0;
    const char *text = tag ? fy_token_get_text(tag, &size) : NULL;
    if (!text) return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (size == YAML + strlen(others[i]) && !memcmp(text, yaml, YAML) &&
            !memcmp(text + YAML, others[i], size - YAML))
            return false;
    return true;
}

static mote_status add_scalar(struct build *b, struct fy_event *event, unsigned line) {
    struct yaml_node *node;
    size_t size = 0;
    const char *text = event->scalar.value ? fy_token_get_text(event->scalar.value, &size) : "";
    TRY(add(b, YAML_SCALAR, line, &node));
    if (text && memchr(text, 0, size))
        return refuse(b, MOTE_E_ARGUMENT, line, "a text holds a NUL");
    node->text = text ? mote__arena_string(b->arena, text, size) : NULL;
    if (!node->text) return mote__error_nomem(b->error, "reading YAML");
    node->size = size;
    node->is_plain =
        !is_text_by_tag(event->scalar.tag) &&
        (!event->scalar.value || fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN);
    return MOTE_OK;
}

static mote_status take(struct build *b, struct fy_event *event) {
    unsigned line = line_of(event);
    switch (event->type) {
    case FYET_MAPPING_START: return begin(b, YAML_MAPPING, line);
    case FYET_SEQUENCE_START: return begin(b, YAML_SEQUENCE, line);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: b->depth--; return MOTE_OK;
    case FYET_SCALAR: return add_scalar(b, event, line);
    case FYET_ALIAS:
        return refuse(b, MOTE_E_ARGUMENT, line,
                      "aliases (*NAME) are not taken here: write the value out");
    default: return MOTE_OK;
    }
}

/* YAML may be UTF-16 too; here it is not. */
static mote_status check_utf8(const struct build *b, const char *text, size_t size) {
    unsigned line = 1;
    if (mote__utf8_valid((const uint8_t *)text, size)) return MOTE_OK;
    for (const char *end; (end = memchr(text, '\n', size)) != NULL; line++) {
        size_t length = (size_t)(end - text) + 1;
        if (!mote__utf8_valid((const uint8_t *)text, length)) break;
        text += length, size -= length;
    }
    return refuse(b, MOTE_E_ARGUMENT, line, "not UTF-8");
}

/* libfyaml would take a NUL for the end, and what follows it would not be there. */
static mote_status check_nul(const struct build *b, const char *text, size_t size) {
    unsigned line = 1;
    const char *nul = memchr(text, 0, size);
    if (!nul) return MOTE_OK;
    for (const char *at = text; at < nul; at++) line += *at == '\n';
    return refuse(b, MOTE_E_ARGUMENT, line, "holds a NUL");
}

/* The first thing that libfyaml found. */
static mote_status syntax_error(const struct build *b) {
    void *at = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(b->diag, &at);
    char what[256];
    snprintf(what, sizeof what, "not YAML: %s", first && first->msg ? first->msg : "malformed");
    unsigned line = first && first->line > 0 ? (unsigned)first->line : 1;
    return refuse(b, MOTE_E_ARGUMENT, line, what);
}

static mote_status take_all(struct build *b) {
    mote_status status = MOTE_OK;
    for (struct fy_event *event; !status && (event = fy_parser_parse(b->parser)) != NULL;) {
        status = take(b, event);
        fy_parser_event_free(b->parser, event);
    }
    return !status && fy_parser_get_stream_error(b->parser) ? syntax_error(b) : status;
}

/* Documents that hold nothing: between two ---, or comments alone. */
static void drop_nulls(struct yaml_node **at) {
    while (*at) {
        if (mote__yaml_is_null(*at)) *at = (*at)->next;
        else at = &(*at)->next;
    }
}

mote_status mote__yaml_parse(struct arena *arena, const char *name, const char *text, size_t size,
                             struct yaml_documents *out, mote_error *error) {
    struct build b = {.arena = arena, .name = name, .error = error, .roots_end = &out->first};
    out->first = NULL;
    if (size > YAML_BYTES_MAX) return refuse(&b, MOTE_E_LIMIT, 1, "larger than 1 MiB");
    if (!size) return MOTE_OK;
    TRY(check_utf8(&b, text, size));
    TRY(check_nul(&b, text, size));
    b.diag = fy_diag_create(NULL);
    const struct fy_parse_cfg config = {.flags = FYPCF_QUIET, .diag = b.diag};
    if (b.diag) fy_diag_set_collect_errors(b.diag, true), b.parser = fy_parser_create(&config);
    mote_status status = b.parser ? MOTE_OK : mote__error_nomem(error, "reading YAML");
    if (!status)
        status = fy_parser_set_string(b.parser, text, size) ? syntax_error(&b) : take_all(&b);
    if (b.parser) fy_parser_destroy(b.parser);
    if (b.diag) fy_diag_destroy(b.diag);
    drop_nulls(&out->first);
    return status;
}

const struct yaml_node *mote__yaml_get(const struct yaml_node *mapping, const char *key) {
    if (!mapping || mapping->kind != YAML_MAPPING) return NULL;
    for (const struct yaml_node *at = mapping->first; at; at = at->next->next)
        if (at->kind == YAML_SCALAR && !strcmp(at->text, key)) return at->next;
    return NULL;
}

bool mote__yaml_is_null(const struct yaml_node *node) {
    if (node->kind != YAML_SCALAR || !node->is_plain) return false;
    return mote__scalar_is_null(node->text);
}
