/* printer.c - from sections to text: splitting the module, output, custom sections (core spec,
 * "Binary Format / Modules"). In: a binary module. Out: text. The order of the text is that of the
 * sections, with functions where their code is. */
#include "text/print.h"
#include "base/utf8.h"
#include "text/lexer.h"
#include "text/parser.h"
#include "wasm/limits.h"
#include <stdio.h>

/* ---- Output. ---- */

void mote__print(struct printer *p, const char *format, ...) {
    char text[200];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mote__put_bytes(&p->out, text, size < (int)sizeof text ? (size_t)size : sizeof text - 1);
}

void mote__print_line(struct printer *p) {
    enum { INDENT_MAX = 40 }; /* deeper text is not indented further: its size stays linear */
    unsigned spaces = 2 * (p->indent < INDENT_MAX ? p->indent : INDENT_MAX);
    uint8_t *room = mote__buffer_room(&p->out, spaces + 1);
    if (!room) return;
    room[0] = '\n';
    memset(room + 1, ' ', spaces);
    p->out.size += spaces + 1;
}

void mote__print_insert(struct printer *p, size_t at, const char *text) {
    size_t size = strlen(text);
    if (!mote__buffer_room(&p->out, size)) return;
    memmove(p->out.data + at + size, p->out.data + at, p->out.size - at);
    memcpy(p->out.data + at, text, size);
    p->out.size += size;
}

void mote__print_remove(struct printer *p, size_t at, size_t size) {
    if (p->out.failed) return;
    memmove(p->out.data + at, p->out.data + at + size, p->out.size - at - size);
    p->out.size -= size;
}

void mote__print_string(struct printer *p, struct span bytes) {
    static const char hex[] = "0123456789abcdef";
    uint8_t *to = mote__buffer_room(&p->out, bytes.size * 3 + 2), *from = to;
    if (!to) return;
    *to++ = '"';
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') *to++ = c;
        else {
            *to++ = '\\';
            *to++ = (uint8_t)hex[c >> 4];
            *to++ = (uint8_t)hex[c & 15];
        }
    }
    *to++ = '"';
    p->out.size += (size_t)(to - from);
}

mote_status mote__print_fail(struct printer *p, const uint8_t *at, const char *why) {
    return mote__error_set(p->error, MOTE_E_MALFORMED, (uint64_t)(at - p->binary.data), "%s", why);
}

mote_status mote__print_check(struct printer *p, const struct reader *in) {
    if (in->failed) return mote__print_fail(p, in->failed_at, in->failed);
    if (p->out.failed) return mote__error_nomem(p->error, "printing a module");
    if (p->out.size <= LIMIT_TEXT_BYTES) return MOTE_OK;
    return mote__error_set(p->error, MOTE_E_LIMIT, (uint64_t)(in->pos - p->binary.data),
                           "the text is longer than %llu bytes",
                           (unsigned long long)LIMIT_TEXT_BYTES);
}

/* ---- Splitting. ---- */

/* Adds a custom section that is printed as an annotation, before the one at `index`. */
static mote_status insert_custom(struct printer *p, size_t index, struct printed_custom custom) {
    if (!mote__vec_push(&p->customs, p->allocator)) return mote__error_nomem(p->error, "printing a module");
    struct printed_custom *at = p->customs.data + index;
    memmove(at + 1, at, (p->customs.count - 1 - index) * sizeof *at);
    *at = custom;
    return MOTE_OK;
}

/* A custom section: names and hints are kept apart, others are printed as annotations where they
 * are. */
static mote_status add_custom(struct printer *p, struct reader *in, unsigned place) {
    struct span name = mote__read_name(in);
    struct span payload = mote__read_span(in, mote__reader_left(in));
    if (in->failed) return mote__print_check(p, in);
    struct token word = {.at = name.data, .size = name.size};
    bool is_name = !p->options.without_names && mote__token_is(word, "name");
    p->name_section_count += is_name;
    if (is_name && p->name_section_count == 1) {
        p->customs_before_names = p->customs.count;
        p->name_section = payload;
        return MOTE_OK;
    }
    if (mote__token_is(word, "metadata.code.branch_hint") && !p->has_section[SECTION_CODE]) {
        p->hint_section = payload;
        return MOTE_OK;
    }
    return insert_custom(p, p->customs.count, (struct printed_custom){place, name, payload});
}

static mote_status split_section(struct printer *p, struct reader *in, unsigned *next) {
    const uint8_t *at = in->pos;
    uint8_t id = mote__read_u8(in);
    struct span contents = mote__read_span(in, mote__read_u32(in));
    if (in->failed) return mote__print_check(p, in);
    struct reader section;
    mote__reader_init(&section, contents.data, contents.size);
    if (id == 0) {
        unsigned place = p->name_section_count ? PLACE_LAST
                         : *next               ? mote__place_after((enum section)(*next - 1))
                                               : PLACE_FIRST;
        return add_custom(p, &section, place);
    }
    enum section s = mote__section_of_id(id);
    if (s == SECTION_COUNT) return mote__print_fail(p, at, "malformed section id");
    if (s < *next) return mote__print_fail(p, at, "unexpected content after last section");
    *next = s + 1;
    p->sections[s] = section;
    p->has_section[s] = true;
    return MOTE_OK;
}

static mote_status split(struct printer *p) {
    static const uint8_t version[] = {1, 0, 0, 0};
    struct reader in;
    unsigned next = 0;
    mote__reader_init(&in, p->binary.data, p->binary.size);
    if (!mote__is_binary(p->binary))
        return mote__print_fail(p, in.pos, "magic header not detected");
    if (p->binary.size < 8 || memcmp(p->binary.data + 4, version, 4) != 0)
        return mote__print_fail(p, in.pos + 4, "unknown binary version");
    in.pos += 8;
    while (mote__reader_left(&in)) TRY(split_section(p, &in, &next));
    return MOTE_OK;
}

/* ---- Custom sections as annotations. ---- */

static void print_place(struct printer *p, unsigned place) {
    if (place == PLACE_LAST) return;
    if (place == PLACE_FIRST) mote__print(p, " (before first)");
    else mote__print(p, " (after %s)", mote__section_info[(place - 2) / 2].name);
}

static void print_customs(struct printer *p) {
    if (p->options.without_customs) return;
    for (size_t i = 0; i < p->customs.count; i++) {
        const struct printed_custom *custom = &p->customs.data[i];
        mote__print_line(p);
        mote__print(p, "(@custom ");
        mote__print_string(p, custom->name);
        print_place(p, custom->place);
        mote__print(p, " ");
        mote__print_string(p, custom->payload);
        mote__print(p, ")");
    }
}

/* ---- The module. ---- */

/* Elements that a section with a vector says it has; they are counted, not yet read. */
static uint32_t section_count(const struct printer *p, enum section s) {
    struct reader in = p->sections[s];
    return p->has_section[s] ? mote__read_u32(&in) : 0;
}

/* Types and imports are printed for their numbers alone; what they print is thrown away. */
static mote_status count_spaces(struct printer *p) {
    TRY(mote__print_type_section(p));
    TRY(mote__print_imports(p));
    p->out.size = 0;
    p->counts[NAMES_FUNC] += section_count(p, SECTION_FUNC);
    p->counts[NAMES_TABLE] += section_count(p, SECTION_TABLE);
    p->counts[NAMES_MEMORY] += section_count(p, SECTION_MEMORY);
    p->counts[NAMES_GLOBAL] += section_count(p, SECTION_GLOBAL);
    p->counts[NAMES_TAG] += section_count(p, SECTION_TAG);
    p->counts[NAMES_ELEM] = section_count(p, SECTION_ELEM);
    p->counts[NAMES_DATA] = section_count(p, SECTION_DATA);
    return MOTE_OK;
}

/* Loads names; a section that has none of use, or is not the only one, is printed as it is, in its place. */
static mote_status load_names(struct printer *p) {
    bool useful = false;
    if (!p->name_section_count) return MOTE_OK;
    if (p->name_section_count == 1) TRY(mote__load_names(p, &useful));
    if (useful) return MOTE_OK;
    struct printed_custom custom = {PLACE_LAST, {(const uint8_t *)"name", 4}, p->name_section};
    return insert_custom(p, p->customs_before_names, custom);
}

/* Spaces are counted anew while they are printed, so that definitions know their indices. */
static void forget_counts(struct printer *p) {
    memset(p->counts, 0, sizeof p->counts);
    p->types.count = 0;
    p->func_types.count = 0;
}

static mote_status print_module(struct printer *p) {
    TRY(split(p));
    TRY(count_spaces(p));
    TRY(load_names(p));
    forget_counts(p);
    mote__print(p, "(module");
    if (p->has_module_name) {
        struct name_entry entry = {.is_id = p->module_name.size != 0, .name = p->module_name};
        mote__print_binding(p, &(struct name_list){&entry, 1}, 0);
    }
    p->indent = 1;
    print_customs(p);
    TRY(mote__print_type_section(p));
    TRY(mote__print_imports(p));
    TRY(mote__print_definitions(p));
    mote__print(p, ")\n");
    return p->out.failed ? mote__error_nomem(p->error, "printing a module") : MOTE_OK;
}

/* Hands the text over, cut to its size. */
static mote_status give_away(struct printer *p, struct text_output *out) {
    char *text = p->allocator->resize(p->allocator->ctx, p->out.data, p->out.capacity, p->out.size);
    if (!text) return mote__error_nomem(p->error, "printing a module");
    *out = (struct text_output){text, p->out.size};
    mote__buffer_init(&p->out, p->allocator);
    return MOTE_OK;
}

mote_status mote__binary_to_text(const mote_allocator *allocator, struct span binary,
                                 const struct text_options *options, struct text_output *out,
                                 mote_error *error) {
    struct printer p = {.allocator = allocator, .binary = binary, .error = error};
    if (options) p.options = *options;
    mote__arena_init(&p.arena, allocator);
    mote__buffer_init(&p.out, allocator);
    mote__map_init(&p.labels_by_name, allocator);
    mote_status status = print_module(&p);
    if (status == MOTE_OK) status = give_away(&p, out);
    mote__buffer_deinit(&p.out);
    mote__map_deinit(&p.labels_by_name);
    mote__vec_deinit(&p.customs, allocator);
    mote__vec_deinit(&p.types, allocator);
    mote__vec_deinit(&p.func_types, allocator);
    mote__vec_deinit(&p.open_labels, allocator);
    mote__arena_deinit(&p.arena);
    return status;
}

void mote__text_output_deinit(const mote_allocator *allocator, struct text_output *output) {
    mote__free(allocator, output->text, output->size);
    *output = (struct text_output){0};
}
