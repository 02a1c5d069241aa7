/* encode.c - the binary format's outer shape (core spec, "Binary Format / Modules", appendix
 * "Custom Sections"). In: sections, names and custom sections in any order. Out: a module whose
 * sections are in order and whose LEB128 are shortest. */
#include "text/encode.h"

/* clang-format off */
const struct section_info mote__section_info[SECTION_COUNT] = {
    [SECTION_TYPE]       = {1,  true,  "type"},
    [SECTION_IMPORT]     = {2,  true,  "import"},
    [SECTION_FUNC]       = {3,  true,  "func"},
    [SECTION_TABLE]      = {4,  true,  "table"},
    [SECTION_MEMORY]     = {5,  true,  "memory"},
    [SECTION_TAG]        = {13, true,  "tag"},
    [SECTION_GLOBAL]     = {6,  true,  "global"},
    [SECTION_EXPORT]     = {7,  true,  "export"},
    [SECTION_START]      = {8,  false, "start"},
    [SECTION_ELEM]       = {9,  true,  "elem"},
    [SECTION_DATA_COUNT] = {12, false, "datacount"},
    [SECTION_CODE]       = {10, true,  "code"},
    [SECTION_DATA]       = {11, true,  "data"},
};
/* clang-format on */

enum section mote__section_of_id(uint8_t id) {
    unsigned s = 0;
    while (s < SECTION_COUNT && mote__section_info[s].id != id) s++;
    return (enum section)s;
}

/* ---- Buffer. ---- */

void mote__buffer_init(struct buffer *b, const mote_allocator *allocator) {
    *b = (struct buffer){.allocator = allocator};
}

void mote__buffer_deinit(struct buffer *b) {
    mote__free(b->allocator, b->data, b->capacity);
    mote__buffer_init(b, b->allocator);
}

uint8_t *mote__buffer_room(struct buffer *b, size_t more) {
    if (b->failed) return NULL;
    if (b->capacity - b->size >= more) return b->data + b->size;
    if (mote__vec_reserve_bytes(b->allocator, (void **)&b->data, b->size, &b->capacity, more, 1))
        return b->data + b->size;
    b->failed = true;
    return NULL;
}

void mote__put_u8(struct buffer *b, uint8_t byte) {
    uint8_t *p = mote__buffer_room(b, 1);
    if (!p) return;
    *p = byte;
    b->size++;
}

void mote__put_leb_u(struct buffer *b, uint64_t value) {
    uint8_t *p = mote__buffer_room(b, 10);
    if (!p) return;
    for (; value >= 0x80; value >>= 7) *p++ = (uint8_t)value | 0x80;
    *p++ = (uint8_t)value;
    b->size = (size_t)(p - b->data);
}

void mote__put_leb_s(struct buffer *b, int64_t value) {
    uint8_t *p = mote__buffer_room(b, 10);
    if (!p) return;
    for (; value < -64 || value > 63; value >>= 7) *p++ = (uint8_t)value | 0x80;
    *p++ = (uint8_t)value & 0x7F;
    b->size = (size_t)(p - b->data);
}

void mote__put_le(struct buffer *b, uint64_t value, unsigned count) {
    uint8_t *p = mote__buffer_room(b, count);
    if (!p) return;
    for (unsigned i = 0; i < count; i++) p[i] = (uint8_t)(value >> 8 * i);
    b->size += count;
}

void mote__put_bytes(struct buffer *b, const void *bytes, size_t size) {
    uint8_t *p = size ? mote__buffer_room(b, size) : NULL;
    if (!p) return;
    memcpy(p, bytes, size);
    b->size += size;
}

void mote__put_sized(struct buffer *b, const void *bytes, size_t size) {
    mote__put_leb_u(b, size);
    mote__put_bytes(b, bytes, size);
}

void mote__put_buffer(struct buffer *b, const struct buffer *other) {
    b->failed |= other->failed;
    mote__put_bytes(b, other->data, other->size);
}

static size_t leb_size(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) size++;
    return size;
}

/* ---- Vectors: a count in front of the elements. ---- */

static void counted_init(struct counted *c, const mote_allocator *allocator) {
    mote__buffer_init(&c->bytes, allocator);
    c->count = 0;
}

static void counted_clear(struct counted *c) {
    c->bytes.size = 0;
    c->count = 0;
}

static size_t counted_size(const struct counted *c) { return leb_size(c->count) + c->bytes.size; }

static void put_counted(struct buffer *b, const struct counted *c) {
    mote__put_leb_u(b, c->count);
    mote__put_buffer(b, &c->bytes);
}

/* ---- Names. ---- */

static void put_name_pair(struct counted *c, uint32_t index, struct span name) {
    mote__put_leb_u(&c->bytes, index);
    mote__put_sized(&c->bytes, name.data, name.size);
    c->count++;
}

void mote__encoder_name(struct encoder *e, enum names kind, uint32_t index, struct span name) {
    if (kind != NAMES_MODULE) {
        put_name_pair(&e->names[kind], index, name);
        return;
    }
    mote__put_sized(&e->names[kind].bytes, name.data, name.size);
    e->names[kind].count = 1;
}

void mote__encoder_flush_names(struct encoder *e) {
    struct counted *inner = &e->inner_names, *outer = &e->names[e->inner_kind];
    if (!inner->count) return;
    mote__put_leb_u(&outer->bytes, e->inner_index);
    put_counted(&outer->bytes, inner);
    outer->count++;
    counted_clear(inner);
}

void mote__encoder_inner_name(struct encoder *e, enum names kind, uint32_t outer, uint32_t index,
                              struct span name) {
    if (kind != e->inner_kind || outer != e->inner_index) mote__encoder_flush_names(e);
    e->inner_kind = kind;
    e->inner_index = outer;
    put_name_pair(&e->inner_names, index, name);
}

static void put_names(struct encoder *e, struct buffer *out) {
    mote__put_sized(out, "name", 4);
    for (unsigned kind = 0; kind < NAMES_COUNT; kind++) {
        const struct counted *names = &e->names[kind];
        out->failed |= names->bytes.failed;
        if (!names->count) continue;
        mote__put_u8(out, (uint8_t)kind);
        if (kind == NAMES_MODULE) {
            mote__put_sized(out, names->bytes.data, names->bytes.size);
            continue;
        }
        mote__put_leb_u(out, counted_size(names));
        put_counted(out, names);
    }
}

static bool has_names(const struct encoder *e) {
    for (unsigned kind = 0; kind < NAMES_COUNT; kind++)
        if (e->names[kind].count) return true;
    return false;
}

/* ---- Branch hints (metadata.code.branch_hint). ---- */

void mote__encoder_branch_hint(struct encoder *e, uint32_t offset, bool likely) {
    struct counted *hints = &e->func_hints;
    mote__put_leb_u(&hints->bytes, offset);
    mote__put_u8(&hints->bytes, 1); /* size of the hint */
    mote__put_u8(&hints->bytes, likely);
    hints->count++;
}

void mote__encoder_flush_hints(struct encoder *e, uint32_t func_index) {
    if (!e->func_hints.count) return;
    mote__put_leb_u(&e->branch_hints.bytes, func_index);
    put_counted(&e->branch_hints.bytes, &e->func_hints);
    e->branch_hints.count++;
    counted_clear(&e->func_hints);
}

static void put_branch_hints(struct encoder *e, struct buffer *out) {
    static const char name[] = "metadata.code.branch_hint";
    mote__put_sized(out, name, sizeof name - 1);
    put_counted(out, &e->branch_hints);
}

/* ---- The module. ---- */

void mote__encoder_init(struct encoder *e, const mote_allocator *allocator) {
    *e = (struct encoder){.allocator = allocator, .inner_kind = NAMES_LOCAL};
    for (unsigned i = 0; i < SECTION_COUNT; i++) counted_init(&e->sections[i], allocator);
    for (unsigned i = 0; i < NAMES_COUNT; i++) counted_init(&e->names[i], allocator);
    counted_init(&e->inner_names, allocator);
    counted_init(&e->branch_hints, allocator);
    counted_init(&e->func_hints, allocator);
}

void mote__encoder_deinit(struct encoder *e) {
    for (unsigned i = 0; i < SECTION_COUNT; i++) mote__buffer_deinit(&e->sections[i].bytes);
    for (unsigned i = 0; i < NAMES_COUNT; i++) mote__buffer_deinit(&e->names[i].bytes);
    for (size_t i = 0; i < e->customs.count; i++) mote__buffer_deinit(&e->customs.data[i].contents);
    mote__vec_deinit(&e->customs, e->allocator);
    mote__buffer_deinit(&e->inner_names.bytes);
    mote__buffer_deinit(&e->branch_hints.bytes);
    mote__buffer_deinit(&e->func_hints.bytes);
}

struct buffer *mote__encoder_custom(struct encoder *e, unsigned place, struct span name) {
    struct custom_section *custom = mote__vec_push(&e->customs, e->allocator);
    if (!custom) return NULL;
    custom->place = place;
    mote__buffer_init(&custom->contents, e->allocator);
    mote__put_sized(&custom->contents, name.data, name.size);
    return &custom->contents;
}

static void put_customs_at(const struct encoder *e, unsigned place, struct buffer *out) {
    for (size_t i = 0; i < e->customs.count; i++) {
        const struct custom_section *custom = &e->customs.data[i];
        if (custom->place != place) continue;
        out->failed |= custom->contents.failed;
        mote__put_u8(out, 0);
        mote__put_sized(out, custom->contents.data, custom->contents.size);
    }
}

/* A custom section that is made here: its contents pass through a buffer, because their size comes
 * first. */
static void put_made(struct encoder *e, void (*put)(struct encoder *, struct buffer *),
                     struct buffer *out) {
    struct buffer contents;
    mote__buffer_init(&contents, e->allocator);
    put(e, &contents);
    out->failed |= contents.failed;
    mote__put_u8(out, 0);
    mote__put_sized(out, contents.data, contents.size);
    mote__buffer_deinit(&contents);
}

static void put_section(const struct encoder *e, enum section s, struct buffer *out) {
    const struct section_info *info = &mote__section_info[s];
    const struct counted *section = &e->sections[s];
    out->failed |= section->bytes.failed;
    if (!section->count) return;
    mote__put_u8(out, info->id);
    mote__put_leb_u(out, info->has_count ? counted_size(section) : section->bytes.size);
    if (info->has_count) mote__put_leb_u(out, section->count);
    mote__put_buffer(out, &section->bytes);
}

bool mote__encode_module(struct encoder *e, struct buffer *out) {
    static const uint8_t header[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    mote__encoder_flush_names(e);
    out->failed |=
        e->inner_names.bytes.failed | e->branch_hints.bytes.failed | e->func_hints.bytes.failed;
    mote__put_bytes(out, header, sizeof header);
    put_customs_at(e, PLACE_FIRST, out);
    for (unsigned s = 0; s < SECTION_COUNT; s++) {
        put_customs_at(e, mote__place_before((enum section)s), out);
        if (s == SECTION_CODE && e->branch_hints.count) put_made(e, put_branch_hints, out);
        put_section(e, (enum section)s, out);
        put_customs_at(e, mote__place_after((enum section)s), out);
    }
    if (has_names(e)) put_made(e, put_names, out);
    put_customs_at(e, PLACE_LAST, out);
    return !out->failed;
}
