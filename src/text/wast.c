/* wast.c - parses scripts (the specification's interpreter's README, "Scripts", with the threads
 * proposal's thread and wait). In: the parser's cursor over the script. Out: commands in the
 * script's arena. Keeps: what is collected goes onto stacks (vectors) first and is copied into the
 * arena once its number is known; the one thing that nests, a thread's commands, nests once. */
#include "text/wast.h"
#include "text/parse.h"
#include "wasm/typecode.h"

struct script_parser {
    struct parser p; /* its arena becomes the script's */
    VEC(struct wast_value) values;
    VEC(struct wast_command) commands;
    /* Line of the last command, so that lines are counted once. */
    const uint8_t *counted_to;
    uint32_t line;
};

/* ---- Collected elements into the arena. ---- */

/* Copies the elements from `first` on; the stack is cut by the caller. */
static mote_status keep(struct script_parser *s, const void *elements, size_t count, size_t size,
                        void *out) {
    void *copy = mote__arena_alloc_array(&s->p.arena, count, size);
    if (!copy) return mote__parse_nomem(&s->p);
    if (count) memcpy(copy, elements, count * size);
    memcpy(out, &copy, sizeof copy);
    return MOTE_OK;
}

static mote_status keep_values(struct script_parser *s, size_t first, struct wast_value **out,
                               uint32_t *count) {
    *count = (uint32_t)(s->values.count - first);
    mote_status status =
        keep(s, s->values.data ? s->values.data + first : NULL, *count, sizeof **out, out);
    s->values.count = first;
    return status;
}

/* Strings one behind the other, as bytes in the arena. */
static mote_status parse_strings(struct parser *p, struct span *out) {
    p->scratch.size = 0;
    while (p->token.kind == TOKEN_STRING) TRY(mote__parse_bytes(p, &p->scratch));
    char *copy = mote__arena_string(&p->arena, p->scratch.data ? (void *)p->scratch.data : "",
                                    p->scratch.size);
    if (!copy) return mote__parse_nomem(p);
    *out = (struct span){(const uint8_t *)copy, p->scratch.size};
    return MOTE_OK;
}

/* A string that need not be UTF-8, in the arena: names and messages. */
static mote_status parse_string(struct parser *p, struct span *out) {
    if (p->token.kind != TOKEN_STRING) return mote__parse_unexpected(p);
    p->scratch.size = 0;
    TRY(mote__parse_bytes(p, &p->scratch));
    char *copy = mote__arena_string(&p->arena, p->scratch.data, p->scratch.size);
    if (!copy) return mote__parse_nomem(p);
    *out = (struct span){(const uint8_t *)copy, p->scratch.size};
    return MOTE_OK;
}

static mote_status parse_optional_id(struct parser *p, struct span *name) {
    *name = (struct span){0};
    if (p->token.kind != TOKEN_ID) return MOTE_OK;
    TRY(mote__id_bytes(p, p->token, name));
    mote__parse_advance(p);
    return MOTE_OK;
}

/* ---- Values and patterns. ---- */

/* nan:canonical or nan:arithmetic under the cursor. */
static bool take_nan_pattern(struct parser *p, uint8_t *nan) {
    *nan = WAST_NAN_NONE;
    if (mote__take_keyword(p, "nan:canonical")) *nan = WAST_NAN_CANONICAL;
    else if (mote__take_keyword(p, "nan:arithmetic")) *nan = WAST_NAN_ARITHMETIC;
    return *nan != WAST_NAN_NONE;
}

static mote_status parse_v128(struct parser *p, struct wast_value *v) {
    const struct v128_shape *shape = mote__at_shape(p);
    if (!shape) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    v->lane_count = shape->lanes;
    v->lane_bits = shape->bits;
    v->lanes_are_floats = shape->is_float;
    unsigned bytes = shape->bits / 8u;
    for (unsigned i = 0; i < shape->lanes; i++) {
        uint64_t lane = 0;
        if (shape->is_float && take_nan_pattern(p, &v->nan[i])) continue;
        TRY(mote__parse_number(p, shape->is_float, shape->bits, &lane));
        for (unsigned b = 0; b < bytes; b++) v->v128[i * bytes + b] = (uint8_t)(lane >> 8 * b);
    }
    return MOTE_OK;
}

static const struct {
    const char *word;
    enum wast_value_kind kind;
    uint8_t bits;
    bool is_float;
} number_words[] = {
    {"i32.const", WAST_I32, 32, false},
    {"i64.const", WAST_I64, 64, false},
    {"f32.const", WAST_F32, 32, true},
    {"f64.const", WAST_F64, 64, true},
};

/* One of the numbers, if its word is under the cursor. */
static mote_status parse_number(struct parser *p, struct wast_value *v, bool *found) {
    for (unsigned i = 0; i < sizeof number_words / sizeof *number_words; i++) {
        if (!mote__take_keyword(p, number_words[i].word)) continue;
        *found = true;
        v->kind = number_words[i].kind;
        if (number_words[i].is_float && take_nan_pattern(p, &v->nan[0])) return MOTE_OK;
        return mote__parse_number(p, number_words[i].is_float, number_words[i].bits, &v->number);
    }
    return MOTE_OK;
}

/* The code of the abstract heap type that a "ref.WORD" speaks of; 0 if there is none. */
static uint8_t heap_of_word(const uint8_t *word, size_t size) {
    struct token t = {.at = word, .size = size};
    for (unsigned i = 0; i < HEAP_TYPE_COUNT; i++)
        if (mote__token_is(t, mote__heap_types[i].word)) return mote__heap_types[i].code;
    return 0;
}

static mote_status parse_null(struct parser *p, struct wast_value *v) {
    int64_t heap;
    v->kind = WAST_REF_NULL;
    if (p->token.kind == TOKEN_CLOSE) return MOTE_OK;
    TRY(mote__parse_heaptype(p, &heap));
    if (heap < 0) v->heap = (uint8_t)(heap + 0x80);
    return MOTE_OK;
}

/* Behind "ref.WORD" for a kind of reference: an index, as older scripts have it, says nothing more.
 */
static mote_status parse_ref_kind(struct parser *p, uint8_t heap, struct wast_value *v) {
    v->kind = WAST_REF_KIND;
    v->heap = heap;
    if (mote__at_index(p)) mote__parse_advance(p);
    return MOTE_OK;
}

static mote_status parse_ref(struct parser *p, struct wast_value *v) {
    struct token word = p->token;
    if (word.kind != TOKEN_KEYWORD) return mote__parse_unexpected(p);
    if (mote__take_keyword(p, "ref")) {
        v->kind = WAST_REF_ANY;
        return MOTE_OK;
    }
    if (mote__take_keyword(p, "ref.null")) return parse_null(p, v);
    bool is_extern = mote__token_is(word, "ref.extern");
    bool has_number = p->next.kind == TOKEN_NAT;
    if (mote__token_is(word, "ref.host") || (is_extern && has_number)) {
        v->kind = is_extern ? WAST_REF_EXTERN : WAST_REF_HOST;
        mote__parse_advance(p);
        return mote__parse_nat(p, 32, &v->number);
    }
    uint8_t heap =
        word.size > 4 && !memcmp(word.at, "ref.", 4) ? heap_of_word(word.at + 4, word.size - 4) : 0;
    if (!heap) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    return parse_ref_kind(p, heap, v);
}

/* A value behind "(", up to and with its ")"; not `either`. */
static mote_status parse_plain_value(struct parser *p, struct wast_value *v) {
    bool found = false;
    *v = (struct wast_value){0};
    TRY(parse_number(p, v, &found));
    if (!found && mote__take_keyword(p, "v128.const")) {
        v->kind = WAST_V128;
        TRY(parse_v128(p, v));
        found = true;
    }
    if (!found) TRY(parse_ref(p, v));
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status push_value(struct script_parser *s, struct wast_value value) {
    struct wast_value *slot = mote__vec_push(&s->values, s->p.allocator);
    if (!slot) return mote__parse_nomem(&s->p);
    *slot = value;
    return MOTE_OK;
}

/* (value)* onto the stack. */
static mote_status push_plain_values(struct script_parser *s) {
    struct wast_value value;
    while (s->p.token.kind == TOKEN_OPEN) {
        mote__parse_advance(&s->p);
        TRY(parse_plain_value(&s->p, &value));
        TRY(push_value(s, value));
    }
    return MOTE_OK;
}

/* Behind "(either": its choices as one value. */
static mote_status parse_either(struct script_parser *s, struct wast_value *value) {
    size_t first = s->values.count;
    *value = (struct wast_value){.kind = WAST_EITHER};
    TRY(push_plain_values(s));
    TRY(keep_values(s, first, &value->choices, &value->choice_count));
    return mote__expect(&s->p, TOKEN_CLOSE);
}

static mote_status parse_results(struct script_parser *s, struct wast_command *c) {
    struct parser *p = &s->p;
    struct wast_value value;
    size_t first = s->values.count;
    while (p->token.kind == TOKEN_OPEN) {
        if (mote__take_open(p, "either")) TRY(parse_either(s, &value));
        else {
            mote__parse_advance(p);
            TRY(parse_plain_value(p, &value));
        }
        TRY(push_value(s, value));
    }
    return keep_values(s, first, &c->results, &c->result_count);
}

/* ---- Modules and actions. ---- */

static mote_status parse_instance(struct parser *p, struct wast_module *m) {
    m->is_instance = true;
    TRY(parse_optional_id(p, &m->target));
    if (p->token.kind == TOKEN_ID) {
        m->name = m->target;
        TRY(parse_optional_id(p, &m->target));
    }
    return mote__expect(p, TOKEN_CLOSE);
}

/* At "(module": up to and with its ")". */
static mote_status parse_module(struct parser *p, struct wast_module *m) {
    const uint8_t *from = p->token.at;
    bool unused;
    *m = (struct wast_module){0};
    if (!mote__take_open(p, "module")) return mote__parse_unexpected(p);
    if (mote__take_keyword(p, "instance")) return parse_instance(p, m);
    m->is_definition = mote__take_keyword(p, "definition");
    TRY(parse_optional_id(p, &m->name));
    if (mote__take_keyword(p, "binary")) m->form = WAST_BINARY;
    else if (mote__take_keyword(p, "quote")) m->form = WAST_QUOTE;
    else {
        TRY(mote__skip_group(p, NULL, &unused));
        m->source = (struct span){from, (size_t)(p->behind - from)};
        return MOTE_OK;
    }
    TRY(parse_strings(p, &m->source));
    return mote__expect(p, TOKEN_CLOSE);
}

static bool at_action(const struct parser *p) {
    return mote__at_open(p, "invoke") || mote__at_open(p, "get");
}

static mote_status parse_action(struct script_parser *s, struct wast_action *a) {
    struct parser *p = &s->p;
    size_t first = s->values.count;
    *a = (struct wast_action){.is_get = mote__at_open(p, "get")};
    if (!at_action(p)) return mote__parse_unexpected(p);
    mote__parse_advance(p);
    mote__parse_advance(p);
    TRY(parse_optional_id(p, &a->instance));
    TRY(parse_string(p, &a->name));
    if (!a->is_get) TRY(push_plain_values(s));
    TRY(keep_values(s, first, &a->args, &a->arg_count));
    return mote__expect(p, TOKEN_CLOSE);
}

/* ---- Commands. ---- */

/* What stands in an assertion behind its word. */
enum parts { PART_ACTION = 1, PART_MODULE = 2, PART_RESULTS = 4, PART_MESSAGE = 8 };

static const struct assertion {
    const char *word;
    enum wast_kind kind;
    unsigned parts;
} assertions[] = {
    {"assert_return", WAST_ASSERT_RETURN, PART_ACTION | PART_RESULTS},
    {"assert_trap", WAST_ASSERT_TRAP, PART_ACTION | PART_MODULE | PART_MESSAGE},
    {"assert_exhaustion", WAST_ASSERT_EXHAUSTION, PART_ACTION | PART_MESSAGE},
    {"assert_exception", WAST_ASSERT_EXCEPTION, PART_ACTION},
    {"assert_malformed", WAST_ASSERT_MALFORMED, PART_MODULE | PART_MESSAGE},
    {"assert_invalid", WAST_ASSERT_INVALID, PART_MODULE | PART_MESSAGE},
    {"assert_malformed_custom", WAST_ASSERT_MALFORMED_CUSTOM, PART_MODULE | PART_MESSAGE},
    {"assert_invalid_custom", WAST_ASSERT_INVALID_CUSTOM, PART_MODULE | PART_MESSAGE},
    {"assert_unlinkable", WAST_ASSERT_UNLINKABLE, PART_MODULE | PART_MESSAGE},
    {"assert_uninstantiable", WAST_ASSERT_UNINSTANTIABLE, PART_MODULE | PART_MESSAGE},
};

static const struct assertion *find_assertion(struct token word) {
    for (unsigned i = 0; i < sizeof assertions / sizeof *assertions; i++)
        if (mote__token_is(word, assertions[i].word)) return &assertions[i];
    return NULL;
}

static mote_status parse_assertion(struct script_parser *s, const struct assertion *a,
                                   struct wast_command *c) {
    struct parser *p = &s->p;
    c->kind = a->kind;
    mote__parse_advance(p);
    mote__parse_advance(p);
    bool has_module = (a->parts & PART_MODULE) && mote__at_open(p, "module");
    if (has_module && a->kind == WAST_ASSERT_TRAP) c->kind = WAST_ASSERT_UNINSTANTIABLE;
    if (has_module) TRY(parse_module(p, &c->module));
    else if (a->parts & PART_ACTION) TRY(parse_action(s, &c->action));
    else return mote__parse_unexpected(p);
    if (a->parts & PART_RESULTS) TRY(parse_results(s, c));
    if (a->parts & PART_MESSAGE) TRY(parse_string(p, &c->message));
    return mote__expect(p, TOKEN_CLOSE);
}

/* Behind "(register": name, instance? */
static mote_status parse_register(struct parser *p, struct wast_command *c) {
    c->kind = WAST_REGISTER;
    TRY(parse_string(p, &c->name));
    TRY(parse_optional_id(p, &c->target));
    return mote__expect(p, TOKEN_CLOSE);
}

static mote_status parse_wait(struct parser *p, struct wast_command *c) {
    c->kind = WAST_WAIT;
    TRY(parse_optional_id(p, &c->name));
    return mote__expect(p, TOKEN_CLOSE);
}

/* (shared (module $m)+)* */
static mote_status parse_shared(struct script_parser *s, struct wast_command *c) {
    struct parser *p = &s->p;
    VEC(struct span) names = {0};
    mote_status status = MOTE_OK;
    while (status == MOTE_OK && mote__take_open(p, "shared")) {
        while (status == MOTE_OK && mote__take_open(p, "module")) {
            struct span *name = mote__vec_push(&names, p->allocator);
            status = name ? parse_optional_id(p, name) : mote__parse_nomem(p);
            if (status == MOTE_OK) status = mote__expect(p, TOKEN_CLOSE);
        }
        if (status == MOTE_OK) status = mote__expect(p, TOKEN_CLOSE);
    }
    if (status == MOTE_OK)
        status = keep(s, names.data, names.count, sizeof *names.data, &c->shared);
    c->shared_count = (uint32_t)names.count;
    mote__vec_deinit(&names, p->allocator);
    return status;
}

static mote_status parse_command(struct script_parser *s, struct wast_command *c);

static mote_status push_command(struct script_parser *s) {
    struct wast_command command;
    TRY(parse_command(s, &command));
    struct wast_command *slot = mote__vec_push(&s->commands, s->p.allocator);
    if (!slot) return mote__parse_nomem(&s->p);
    *slot = command;
    return MOTE_OK;
}

static mote_status keep_commands(struct script_parser *s, size_t first, struct wast_command **out,
                                 uint32_t *count) {
    *count = (uint32_t)(s->commands.count - first);
    mote_status status =
        keep(s, s->commands.data ? s->commands.data + first : NULL, *count, sizeof **out, out);
    s->commands.count = first;
    return status;
}

/* Behind "(thread": name, shared modules, commands; no thread among them. */
static mote_status parse_thread(struct script_parser *s, struct wast_command *c) {
    struct parser *p = &s->p;
    size_t first = s->commands.count;
    c->kind = WAST_THREAD;
    TRY(parse_optional_id(p, &c->name));
    TRY(parse_shared(s, c));
    while (p->token.kind == TOKEN_OPEN && !mote__at_open(p, "thread")) TRY(push_command(s));
    TRY(keep_commands(s, first, &c->commands, &c->command_count));
    return mote__expect(p, TOKEN_CLOSE);
}

/* The line of the token under the cursor, counting on from the last command's. */
static uint32_t line_here(struct script_parser *s) {
    for (const uint8_t *end = s->p.token.at; s->counted_to < end; s->counted_to++)
        s->line += *s->counted_to == '\n';
    return s->line;
}

static mote_status parse_module_command(struct parser *p, struct wast_command *c) {
    TRY(parse_module(p, &c->module));
    c->kind = c->module.is_instance ? WAST_INSTANCE : WAST_MODULE;
    c->name = c->module.name;
    c->target = c->module.target;
    return MOTE_OK;
}

static mote_status parse_command(struct script_parser *s, struct wast_command *c) {
    struct parser *p = &s->p;
    *c = (struct wast_command){.line = line_here(s)};
    if (p->token.kind != TOKEN_OPEN) return mote__parse_unexpected(p);
    const struct assertion *assertion = find_assertion(p->next);
    if (assertion) return parse_assertion(s, assertion, c);
    if (mote__at_open(p, "module")) return parse_module_command(p, c);
    if (at_action(p)) {
        c->kind = WAST_ACTION;
        return parse_action(s, &c->action);
    }
    if (mote__take_open(p, "register")) return parse_register(p, c);
    if (mote__take_open(p, "thread")) return parse_thread(s, c);
    if (mote__take_open(p, "wait")) return parse_wait(p, c);
    mote__parse_advance(p);
    return mote__parse_unexpected(p);
}

/* ---- Scripts. ---- */

/* True when the script is the fields of one module. */
static bool is_inline_module(const struct parser *p) {
    static const char *const words[] = {"type",   "rec",    "import", "func",  "table", "memory",
                                        "global", "export", "tag",    "start", "elem",  "data"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (mote__at_open(p, words[i])) return true;
    return false;
}

static mote_status push_inline_module(struct script_parser *s) {
    struct wast_command *c = mote__vec_push(&s->commands, s->p.allocator);
    if (!c) return mote__parse_nomem(&s->p);
    c->kind = WAST_MODULE;
    c->line = line_here(s);
    c->module.source = s->p.text;
    return MOTE_OK;
}

static mote_status parse_script(struct script_parser *s, struct wast_script *out) {
    TRY(mote__parse_check_utf8(&s->p));
    mote__parse_seek(&s->p, 0);
    if (is_inline_module(&s->p)) TRY(push_inline_module(s));
    else
        while (s->p.token.kind != TOKEN_END) TRY(push_command(s));
    TRY(keep_commands(s, 0, &out->commands, &out->command_count));
    out->arena = s->p.arena;
    mote__arena_init(&s->p.arena, s->p.allocator);
    return MOTE_OK;
}

mote_status mote__wast_parse(const mote_allocator *allocator, struct span text, uint64_t features,
                             struct wast_script *out, mote_error *error) {
    struct script_parser *s = MOTE__NEW(allocator, struct script_parser);
    if (!s) return mote__error_nomem(error, "parsing a script");
    mote__parser_init(&s->p, allocator, text, features, error);
    s->counted_to = text.data;
    s->line = 1;
    struct wast_script script = {0};
    mote_status status = parse_script(s, &script);
    if (status == MOTE_OK) *out = script;
    mote__vec_deinit(&s->values, allocator);
    mote__vec_deinit(&s->commands, allocator);
    mote__parser_deinit(&s->p);
    MOTE__DELETE(allocator, s);
    return status;
}

void mote__wast_deinit(struct wast_script *script) {
    mote__arena_deinit(&script->arena);
    script->commands = NULL;
    script->command_count = 0;
}
