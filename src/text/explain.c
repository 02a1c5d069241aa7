/* explain.c - from a place in a binary back to the text that it came from, for messages of the
 * validator. No map is kept while parsing: the rare failure pays with a second parse. */
#include "text/parse.h"

/* Finds the function whose body, behind its size, contains the byte at `offset`. */
static bool find_in_code(struct reader code, const uint8_t *at, struct watch *watch) {
    uint32_t count = mote__read_u32(&code);
    for (uint32_t i = 0; i < count && !code.failed; i++) {
        struct span body = mote__read_span(&code, mote__read_u32(&code));
        if (code.failed || at < body.data || at >= body.data + body.size) continue;
        *watch = (struct watch){.ordinal = i, .offset = (size_t)(at - body.data)};
        return true;
    }
    return false;
}

static bool find_body(struct span binary, uint64_t offset, struct watch *watch) {
    struct reader in;
    mote__reader_init(&in, binary.data, binary.size);
    mote__read_span(&in, 8); /* magic and version */
    while (mote__reader_left(&in)) {
        uint8_t id = mote__read_u8(&in);
        struct span contents = mote__read_span(&in, mote__read_u32(&in));
        if (in.failed || id != mote__section_info[SECTION_CODE].id) continue;
        struct reader code;
        mote__reader_init(&code, contents.data, contents.size);
        return find_in_code(code, binary.data + offset, watch);
    }
    return false;
}

/* The instruction in the text; false when the place is in no function, or there is no memory. */
static bool find_token(const mote_allocator *allocator, struct span text, uint64_t features,
                       struct span binary, uint64_t offset, struct token *found) {
    struct watch watch;
    mote_error unused;
    if (offset >= binary.size || !find_body(binary, offset, &watch)) return false;
    if (mote__parse_watched(allocator, text, features, &watch, &unused) != MOTE_OK) return false;
    *found = watch.found;
    return found->at != NULL;
}

void mote__text_explain(const mote_allocator *allocator, struct span text, uint64_t features,
                        struct span binary, mote_error *error) {
    struct token token;
    uint64_t offset = error->offset;
    error->offset = MOTE_NO_OFFSET; /* the caller has no binary to look into */
    if (!find_token(allocator, text, features, binary, offset, &token)) return;
    error->offset = (uint64_t)(token.at - text.data);
    mote__text_show_place(text, token.size, error);
}
