/* decode_test.c - the decoder on hand-built modules: all forms of every section, errors by status
 * and words, features that are off, truncation and change of every byte, counts that promise more
 * than is there, names, no memory. */
#include "test.h"
#include "fail_alloc.h"
#include "wasm/limits.h"
#include "wasm/module.h"
#include "wasm/op.h"
#include <stdlib.h>

#define ALL_FEATURES    ((UINT64_C(1) << FEATURE_COUNT) - 1)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- building modules */

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

static void put(struct bytes *b, const void *data, size_t size) {
    if (b->size + size > b->capacity) {
        b->capacity = (b->size + size) * 2;
        b->data = realloc(b->data, b->capacity);
    }
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
}
/* A string literal as bytes, NULs in it included. */
#define PUT(b, literal) put((b), "" literal, sizeof(literal) - 1)

static void put_u32(struct bytes *b, uint32_t value) {
    uint8_t byte;
    for (; value >= 0x80; value >>= 7) {
        byte = (uint8_t)(value | 0x80);
        put(b, &byte, 1);
    }
    byte = (uint8_t)value;
    put(b, &byte, 1);
}

static void put_section(struct bytes *b, uint8_t id, const void *contents, size_t size) {
    put(b, &id, 1);
    put_u32(b, (uint32_t)size);
    put(b, contents, size);
}

static struct bytes header(void) {
    struct bytes b = {0};
    PUT(&b, "\0asm\1\0\0\0");
    return b;
}

/* ---- decoding them */

struct world {
    struct fail_alloc memory;
    struct mote__types types;
    mote_error error;
    uint64_t features;
};

static void open_world(struct world *w) {
    memset(w, 0, sizeof *w);
    fail_alloc_init(&w->memory, 0);
    w->features = ALL_FEATURES;
    CHECK_EQ(mote__types_init(&w->types, &w->memory.allocator), MOTE_OK);
}

static void close_world(struct world *w) {
    CHECK_EQ(w->types.group_count, 0);
    mote__types_deinit(&w->types);
    CHECK_EQ(w->memory.live_bytes, 0);
    CHECK_EQ(w->memory.wrong_sizes, 0);
}

/* Decodes from memory of exactly the right size, so that a sanitizer sees a read behind it. */
static mote_status decode(struct world *w, const void *data, size_t size, mote_module **out) {
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    memset(&w->error, 0, sizeof w->error);
    *out = NULL;
    mote_status status =
        mote__module_decode(NULL, &w->types, &w->memory.allocator, w->features, LIMIT_BODY_BYTES,
                            (struct span){exact, size}, false, out, &w->error);
    CHECK((status == MOTE_OK) == (*out != NULL));
    if (status != MOTE_OK) CHECK(w->error.message[0] && w->error.status == status);
    free(exact);
    return status;
}

/* Decodes and forgets. */
static mote_status try(struct world *w, const void *data, size_t size) {
    mote_module *module;
    mote_status status = decode(w, data, size, &module);
    mote__module_free(module);
    return status;
}

static bool begins(const char *text, const char *start) {
    return !strncmp(text, start, strlen(start));
}

/* Decodes the header and `size` bytes behind it, which must fail so. */
static void check_failure(struct world *w, const char *data, size_t size, mote_status status,
                          const char *words) {
    struct bytes b = header();
    put(&b, data, size);
    mote_status got = try(w, b.data, b.size);
    free(b.data);
    if (got == status && begins(w->error.message, words)) return;
    printf("  expected \"%s\", got status %d \"%s\"\n", words, (int)got, w->error.message);
    CHECK_EQ(got, status);
    CHECK(begins(w->error.message, words));
}

/* ---- a module with everything */

// clang-format off
#define SECTION(id, literal) {(id), sizeof(literal) - 1, "" literal}
static const struct section {
    uint8_t id;
    size_t size;
    const char *contents;
} whole[] = {
    SECTION(0, "\4notehello"),
    SECTION(1, "\6"
        "\x60\0\0"                               /* 0: [] -> [] */
        "\x60\2\x7F\x7E\1\x7C"                   /* 1: [i32 i64] -> [f64] */
        "\x4E\2"                                 /* together: */
        "\x50\0\x5F\1\x63\3\1"                   /* 2: an open struct */
        "\x4F\1\2\x5F\2\x63\3\1\x78\0"           /* 3: one below it */
        "\x5E\x77\1"                             /* 4: array of i16 */
        "\x60\1\x7F\0"                           /* 5: [i32] -> [], of the tags */
        "\x60\0\2\x7B\x64\x6B"),                 /* 6: [] -> [v128 (ref struct)] */
    SECTION(2, "\5"
        "\1m\1f\0\1"                             /* a function of type 1 */
        "\1m\1t\1\x70\1\1\x0A"                   /* a table of 1 to 10 funcref */
        "\1m\1m\2\3\1\2"                         /* a shared memory of 1 to 2 pages */
        "\1m\1g\3\x7F\0"                         /* an i32 */
        "\1m\1e\4\0\5"),                         /* a tag */
    SECTION(3, "\2\0\0"),
    SECTION(4, "\2"
        "\x40\0\x64\x70\0\2\xD2\1\x0B"           /* two (ref func), each function 1 */
        "\x6F\5\0\1"),                           /* 64-bit, up to 1 externref */
    SECTION(5, "\2\4\1\x08\5\0"),                /* 64-bit, 1 page; 5 pages of a byte */
    SECTION(13, "\1\0\5"),
    SECTION(6, "\7"
        "\x7F\1\x41\x2A\x0B"                     /* 1: (mut i32) 42 */
        "\x7E\0\x42\x7F\x0B"                     /* 2: i64 -1 */
        "\x7F\0\x23\0\x0B"                       /* 3: global.get 0 */
        "\x70\0\xD0\x70\x0B"                     /* 4: ref.null func */
        "\x70\0\xD2\2\x0B"                       /* 5: ref.func 2 */
        "\x7F\0\x23\0\x41\1\x6A\x0B"             /* 6: global.get 0, i32.const 1, i32.add */
        "\x7B\0\xFD\x0C" "0123456789abcdef" "\x0B"),
    SECTION(7, "\5" "\1f\0\2" "\1t\1\0" "\1m\2\1" "\1g\3\1" "\1e\4\1"),
    SECTION(8, "\1"),
    SECTION(9, "\x08"
        "\0\x41\0\x0B\1\1"                       /* table 0 at 0: function 1 */
        "\1\0\1\2"                               /* passive: function 2 */
        "\2\1\x41\0\x0B\0\1\1"                   /* table 1 at 0: function 1 */
        "\3\0\1\0"                               /* declared: function 0 */
        "\4\x41\0\x0B\1\xD2\1\x0B"               /* table 0 at 0: ref.func 1 */
        "\5\x6F\1\xD0\x6F\x0B"                   /* passive: ref.null extern */
        "\6\2\x42\0\x0B\x6F\1\xD0\x6F\x0B"       /* table 2 at 0: ref.null extern */
        "\7\x70\0"),                             /* declared, none */
    SECTION(12, "\3"),
    SECTION(10, "\2" "\2\0\x0B" "\5\0\x41\0\x1A\x0B"),
    SECTION(11, "\3"
        "\0\x41\0\x0B\2hi"
        "\1\0"
        "\2\1\x42\1\x0B\1x"),
    SECTION(0, "\4name" "\0\3\2mo" "\1\x0B\2\0\3imp\2\3a\nb"),
};
/* Where the module may end: behind these sections, or behind the header. */
static const bool may_end[] = {true, true, true, [COUNT_OF(whole) - 2] = true, [COUNT_OF(whole) - 1] = true};
// clang-format on

static struct bytes whole_module(void) {
    struct bytes b = header();
    for (size_t i = 0; i < COUNT_OF(whole); i++)
        put_section(&b, whole[i].id, whole[i].contents, whole[i].size);
    return b;
}

static mote_module *decode_whole(struct world *w) {
    struct bytes b = whole_module();
    mote_module *m;
    mote_status status = decode(w, b.data, b.size, &m);
    free(b.data);
    if (status != MOTE_OK) printf("  %s @%" PRIu64 "\n", w->error.message, w->error.offset);
    return m;
}

TEST(types_imports_functions) {
    struct world w;
    open_world(&w);
    mote_module *m = decode_whole(&w);
    REQUIRE(m);
    CHECK_EQ(m->type_count, 7);
    CHECK_EQ(m->group_count, 6);
    CHECK(m->types[3]->super == m->types[2] && m->types[3]->is_final && !m->types[2]->is_final);
    CHECK_EQ(m->types[1]->param_count, 2);
    CHECK_EQ(mote__type_result(m->types[1], 0), VT_F64);
    CHECK_EQ(mote__vt_heap(m->types[2]->fields[0].type), HEAP_CONCRETE + m->types[3]->id);
    CHECK(m->types[4]->fields[0].type == VT_I16 && m->types[4]->fields[0].is_mutable);
    CHECK_EQ(m->import_count, 5);
    for (uint8_t i = 0; i < 5; i++) CHECK(m->imports[i].kind == i && m->imports[i].index == 0);
    CHECK_MEM(m->imports[3].name.data, "g", 1);
    CHECK_EQ(m->func_count, 3);
    CHECK_EQ(m->func_import_count, 1);
    CHECK(m->func_types[0] == m->types[1] && m->func_types[1] == m->types[0]);
    CHECK_EQ(m->func_declared[0], 7);
    CHECK_EQ(m->start, 1);
    CHECK_EQ(m->bodies[1].bytes, 5);
    CHECK_EQ(m->bodies[0].offset, m->code_offset + 1);
    CHECK_EQ(m->tag_count, 2);
    CHECK(m->tags[1] == m->types[5]);
    mote__module_free(m);
    close_world(&w);
}

TEST(tables_memories_globals) {
    struct world w;
    open_world(&w);
    mote_module *m = decode_whole(&w);
    REQUIRE(m);
    CHECK_EQ(m->table_count, 3);
    CHECK(m->tables[0].type.min == 1 && m->tables[0].type.max == 10 &&
          m->tables[0].type.element == VT_FUNCREF);
    CHECK(m->tables[1].has_init && m->tables[1].init.body_bytes == 3);
    CHECK(m->tables[2].type.is_64 && m->tables[2].type.max == 1 && !m->tables[2].has_init);
    CHECK_EQ(m->memory_count, 3);
    CHECK(m->memories[0].shared && m->memories[0].max == 2 && m->memories[0].page_log2 == 16);
    CHECK(m->memories[1].is_64 && m->memories[1].max == UINT64_MAX);
    CHECK(m->memories[2].page_log2 == 0 && m->memories[2].min == 5);
    CHECK_EQ(m->global_count, 8);
    static const uint8_t kinds[] = {CONST_VALUE, CONST_VALUE, CONST_GLOBAL, CONST_VALUE,
                                    CONST_FUNC,  CONST_CODE,  CONST_CODE};
    for (unsigned i = 0; i < 7; i++) CHECK_EQ(m->globals[i + 1].init.kind, kinds[i]);
    CHECK(m->globals[1].is_mutable && m->globals[1].init.value == 42);
    CHECK_EQ(m->globals[2].init.value, UINT64_MAX);
    CHECK_EQ(m->globals[5].init.index, 2);
    CHECK_EQ(m->globals[6].init.body_bytes, 6);
    mote__module_free(m);
    close_world(&w);
}

TEST(exports_segments) {
    struct world w;
    open_world(&w);
    mote_module *m = decode_whole(&w);
    REQUIRE(m);
    CHECK_EQ(m->export_count, 5);
    uint64_t *found = mote__map_get(&m->export_map, "m", 1);
    REQUIRE(found);
    CHECK(m->exports[*found].kind == MOTE_EXTERN_MEMORY && m->exports[*found].index == 1);
    CHECK(!mote__map_get(&m->export_map, "x", 1));
    static const struct {
        uint8_t mode, table, count;
        bool exprs;
    } elems[] = {{SEGMENT_ACTIVE, 0, 1, false}, {SEGMENT_PASSIVE, 0, 1, false},
                 {SEGMENT_ACTIVE, 1, 1, false}, {SEGMENT_DECLARED, 0, 1, false},
                 {SEGMENT_ACTIVE, 0, 1, true},  {SEGMENT_PASSIVE, 0, 1, true},
                 {SEGMENT_ACTIVE, 2, 1, true},  {SEGMENT_DECLARED, 0, 0, true}};
    REQUIRE(m->elem_count == 8);
    for (unsigned i = 0; i < 8; i++) {
        const struct mote__elem *elem = &m->elems[i];
        CHECK(elem->mode == elems[i].mode && elem->table == elems[i].table &&
              elem->count == elems[i].count);
        CHECK((elem->exprs != NULL) == elems[i].exprs && (elem->funcs != NULL) == !elems[i].exprs);
    }
    CHECK_EQ(m->elems[1].funcs[0], 2);
    CHECK_EQ(m->elems[4].exprs[0].index, 1);
    REQUIRE(m->data_count == 3 && m->has_data_count);
    CHECK(m->datas[1].mode == SEGMENT_PASSIVE && m->datas[1].bytes.size == 0);
    CHECK(m->datas[2].mode == SEGMENT_ACTIVE && m->datas[2].memory == 1 &&
          m->datas[2].offset.value == 1);
    CHECK_MEM(m->datas[0].bytes.data, "hi", 2);
    mote__module_free(m);
    close_world(&w);
}

/* ---- names */

TEST(names_and_custom_sections) {
    struct world w;
    open_world(&w);
    mote_module *m = decode_whole(&w);
    REQUIRE(m);
    char label[128];
    const struct mote__custom *note = mote__module_custom(m, "note", 0);
    REQUIRE(note && note->bytes.size == 5);
    CHECK_MEM(note->bytes.data, "hello", 5);
    CHECK_EQ(note->offset, 8 + 2 + 5);
    CHECK(!mote__module_custom(m, "note", 1) && !mote__module_custom(m, "not", 0));
    CHECK(mote__module_name(m).size == 2 && !memcmp(mote__module_name(m).data, "mo", 2));
    CHECK_STR(mote__func_label(m, 0, label), "$imp (function 0)");
    CHECK_STR(mote__func_label(m, 1, label), "function 1");
    CHECK_STR(mote__func_label(m, 2, label), "$a?b (function 2)");
    mote__module_free(m);
    close_world(&w);
}

TEST(long_names_are_cut_between_characters) {
    struct world w;
    open_world(&w);
    struct bytes contents = {0}, b = header();
    PUT(&contents, "\4name\1");
    put_u32(&contents, 4 + 201);
    PUT(&contents, "\1\0");
    put_u32(&contents, 201);
    PUT(&contents, "x");
    for (unsigned i = 0; i < 100; i++) PUT(&contents, "\xC3\xA4");
    put_section(&b, 0, contents.data, contents.size);
    mote_module *m;
    REQUIRE(decode(&w, b.data, b.size, &m) == MOTE_OK);
    char label[128];
    mote__func_label(m, 0, label);
    CHECK_EQ(strlen(label), 1 + 95 + strlen("... (function 0)"));
    CHECK_STR(label + 96, "... (function 0)");
    mote__module_free(m);
    free(contents.data);
    free(b.data);
    close_world(&w);
}

/* What is broken in a name section is as if it were not there; the module is as good as before. */
TEST(broken_name_sections) {
    // clang-format off
    static const struct section sections[] = {
        SECTION(0, "\4name"), SECTION(0, "\4name\1"), SECTION(0, "\4name\1\x7F\1\0\1f"), SECTION(0, "\4name\1\4\1\0\7f"),
        SECTION(0, "\4name\1\4\1\0\1\xFF"), SECTION(0, "\4name\1\5\xFF\xFF\xFF\xFF\x0F"), SECTION(0, "\4name\2\4\1\0\1f"),
    };
    // clang-format on
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < COUNT_OF(sections); i++) {
        struct bytes b = header();
        put_section(&b, 0, sections[i].contents, sections[i].size);
        mote_module *m;
        char label[128];
        REQUIRE(decode(&w, b.data, b.size, &m) == MOTE_OK);
        CHECK_STR(mote__func_label(m, 0, label), "function 0");
        CHECK_EQ(mote__module_name(m).size, 0);
        mote__module_free(m);
        free(b.data);
    }
    close_world(&w);
}

/* ---- errors */

// clang-format off
#define TYPE0 "\1\4\1\x60\0\0"
#define FUNC0 "\3\2\1\0"
#define CODE0 "\x0A\4\1\2\0\x0B"
#define MEMORY0 "\5\3\1\0\0"
#define MALFORMED(literal, words) {"" literal, sizeof(literal) - 1, MOTE_E_MALFORMED, words}
#define INVALID(literal, words)   {"" literal, sizeof(literal) - 1, MOTE_E_INVALID, words}
#define OVER(literal, words)      {"" literal, sizeof(literal) - 1, MOTE_E_LIMIT, words}

static const struct failure {
    const char *data;
    size_t size;
    mote_status status;
    const char *words;
} failures[] = {
    /* sections */
    MALFORMED("\x0E\0", "malformed section id 14"),
    MALFORMED("\x80\0", "malformed section id 128"),
    MALFORMED("\1", "unexpected end"),
    MALFORMED("\1\5\1\x60\0\0", "length out of bounds"),
    MALFORMED("\1\x80\x80\x80\x80\x80\0\0", "integer representation too long"),
    MALFORMED("\1\x80\x80\x80\x80\x10", "integer too large"),
    MALFORMED("\1\5\1\x60\0\0\0", "section size mismatch: the type section is 1 bytes too long"),
    MALFORMED("\1\3\1\x60\0\0", "section size mismatch: the type section is 1 bytes too short"),
    MALFORMED("\1\3\1\x60\0", "unexpected end of section or function"),
    MALFORMED(TYPE0 TYPE0, "unexpected content after last section"),
    MALFORMED("\2\1\0" TYPE0, "unexpected content after last section"),
    MALFORMED("\x0A\1\0\x0C\1\0", "unexpected content after last section"),
    MALFORMED("\0\0", "unexpected end"),
    MALFORMED("\0\0" TYPE0, "unexpected end"),
    MALFORMED("\0\1\2", "length out of bounds"),
    MALFORMED("\0\2\1\xFF", "malformed UTF-8 encoding"),
    /* types */
    MALFORMED("\1\2\1\x61", "malformed definition type"),
    MALFORMED("\1\5\1\xE0\x7F\0\0", "integer representation too long"),
    MALFORMED("\1\5\1\x60\1\x40\0", "malformed value type"),
    MALFORMED("\1\5\1\x60\1\x78\0", "malformed value type"),
    MALFORMED("\1\6\1\x60\1\x63\x40\0", "malformed heap type"),
    MALFORMED("\1\4\1\x5E\x7F\2", "malformed mutability"),
    MALFORMED("\1\4\1\x60\5\x7F", "unexpected end of section or function"),
    INVALID("\1\6\1\x60\1\x63\1\0", "unknown type 1"),
    INVALID("\1\7\1\x50\1\0\x60\0\0", "unknown type 0"),
    INVALID("\1\x0A\2\x60\0\0\x50\1\0\x60\0\0", "sub type 0 of the group has a final super type (the group begins with type 1)"),
    INVALID("\1\x0B\2\x50\0\x60\0\0\x50\1\0\x5F\0", "sub type 0 of the group does not match"),
    INVALID("\1\x0B\2\x60\0\0\x50\2\0\0\x60\0\0", "sub type 1 has 2 super types"),
    OVER("\1\5\1\x4E\xC1\x84\x3D", "1000001 types in a recursion group"),
    OVER("\1\4\1\x60\xE9\7", "1001 parameters"),
    OVER("\1\5\1\x60\0\xE9\7", "1001 results"),
    OVER("\1\4\1\x5F\x91\x4E", "10001 fields"),
    OVER("\1\3\xC1\x84\x3D", "1000001 types"),
    /* imports */
    MALFORMED("\2\4\1\0\0\5", "malformed import kind 0x05"),
    MALFORMED("\2\5\1\1\xFF\0\0", "malformed UTF-8 encoding"),
    MALFORMED("\2\3\1\5a", "length out of bounds"),
    INVALID("\2\5\1\0\0\0\0", "unknown type 0"),
    INVALID("\1\3\1\x5F\0" "\2\5\1\0\0\0\0", "type mismatch: type 0 is not a function type"),
    MALFORMED("\2\6\1\0\0\3\x7F\2", "malformed mutability"),
    /* functions, tables, memories, tags, globals */
    INVALID("\3\2\1\0", "unknown type 0"),
    MALFORMED("\4\4\1\x7F\0\0", "malformed reference type"),
    MALFORMED("\4\4\1\x70\2\0", "malformed limits flags"),
    MALFORMED("\4\5\1\x40\1\x70\0", "zero byte expected"),
    INVALID("\4\5\1\x70\1\2\1", "size minimum must not be greater than maximum"),
    INVALID("\4\x09\1\x70\1\0\x80\x80\x80\x80\x10", "table size"),
    INVALID("\4\5\1\x64\x70\0\1", "type mismatch"),
    MALFORMED("\5\3\1\x10\0", "malformed limits flags"),
    MALFORMED("\5\4\1\x08\0\x40", "invalid custom page size"),
    INVALID("\5\4\1\x08\0\1", "invalid custom page size"),
    INVALID("\5\3\1\2\0", "shared memory must have maximum"),
    INVALID("\5\5\1\0\x81\x80\4", "memory size must be at most 65536 pages (4GiB)"),
    INVALID("\5\6\1\1\0\x81\x80\4", "memory size must be at most 65536 pages (4GiB)"),
    INVALID("\5\x09\1\4\x81\x80\x80\x80\x80\x80\x40", "memory size must be at most 281474976710656 pages"),
    OVER("\5\1\x65", "101 memories"),
    MALFORMED(TYPE0 "\x0D\3\1\1\0", "malformed attribute"),
    INVALID("\1\5\1\x60\0\1\x7F" "\x0D\3\1\0\0", "non-empty tag result type"),
    MALFORMED("\6\6\1\x7F\2\x41\0\x0B", "malformed mutability"),
    INVALID("\6\6\1\x7F\0\x42\0\x0B", "type mismatch"),
    INVALID("\6\6\1\x7F\0\x23\0\x0B", "unknown global 0"),
    MALFORMED("\6\5\1\x7F\0\x41\0", "unexpected end of section or function"),
    /* exports, start */
    INVALID("\7\4\1\0\0\0", "unknown function 0"),
    INVALID("\7\4\1\0\1\0", "unknown table 0"),
    INVALID("\7\4\1\0\2\0", "unknown memory 0"),
    INVALID("\7\4\1\0\3\0", "unknown global 0"),
    INVALID("\7\4\1\0\4\0", "unknown tag 0"),
    MALFORMED("\7\4\1\0\5\0", "malformed export kind"),
    INVALID(MEMORY0 "\7\x09\2\1a\2\0\1a\2\0", "duplicate export name \"a\""),
    INVALID("\x08\1\0", "unknown function 0"),
    INVALID("\1\5\1\x60\1\x7F\0" FUNC0 "\x08\1\0", "start function 0"),
    /* segments */
    MALFORMED("\x09\2\1\x08", "malformed elements segment kind"),
    MALFORMED("\x09\4\1\1\1\0", "malformed element kind"),
    MALFORMED("\x09\4\1\5\x7F\0", "malformed reference type"),
    INVALID("\x09\6\1\0\x41\0\x0B\0", "unknown table 0"),
    INVALID("\4\4\1\x70\0\0" "\x09\7\1\0\x41\0\x0B\1\0", "unknown function 0"),
    INVALID("\4\4\1\x6F\0\0" "\x09\6\1\0\x41\0\x0B\0", "type mismatch: elements of type (ref func) for a table of externref"),
    INVALID("\4\4\1\x70\0\0" "\x09\6\1\0\x42\0\x0B\0", "type mismatch"),
    INVALID("\x0B\6\1\0\x41\0\x0B\0", "unknown memory 0"),
    INVALID(MEMORY0 "\x0B\7\1\2\1\x41\0\x0B\0", "unknown memory 1"),
    MALFORMED("\x0B\2\1\3", "malformed data segment kind"),
    MALFORMED("\x0B\3\1\1\5", "unexpected end of section or function"),
    MALFORMED("\x0C\1\1", "data count and data section have inconsistent lengths"),
    MALFORMED("\x0C\1\0\x0B\3\1\1\0", "data count and data section have inconsistent lengths"),
    OVER("\x0C\3\xA1\x8D\6", "100001 data segments"),
    /* code */
    MALFORMED(TYPE0 FUNC0, "function and code section have inconsistent lengths"),
    MALFORMED(TYPE0 FUNC0 "\x0A\1\0", "function and code section have inconsistent lengths"),
    MALFORMED(CODE0, "function and code section have inconsistent lengths"),
    MALFORMED(TYPE0 FUNC0 CODE0 CODE0, "unexpected content after last section"),
    MALFORMED(TYPE0 FUNC0 "\x0A\3\1\1\0", "unexpected end of section or function"),
    MALFORMED(TYPE0 FUNC0 "\x0A\3\1\5\0", "unexpected end of section or function"),
    OVER(TYPE0 "\3\4\xC1\x84\x3D\0", "1000001 functions"),
};
// clang-format on

TEST(failures_by_status_and_words) {
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        check_failure(&w, failures[i].data, failures[i].size, failures[i].status,
                      failures[i].words);
    close_world(&w);
}

TEST(offsets_say_where) {
    struct world w;
    open_world(&w);
    check_failure(&w, "\1\5\1\x60\1\x40\0", 7, MOTE_E_MALFORMED, "malformed value type");
    CHECK_EQ(w.error.offset, 8 + 5);
    check_failure(&w, "\7\4\1\0\0\3", 6, MOTE_E_INVALID, "unknown function 3");
    CHECK_EQ(w.error.offset, 8 + 5);
    close_world(&w);
}

TEST(headers) {
    static const struct {
        const char *data;
        size_t size;
        const char *words;
    } rows[] = {{"", 0, "unexpected end"},
                {"\0as", 3, "unexpected end"},
                {"asm\0\1\0\0\0", 8, "magic header not detected"},
                {"\0asm", 4, "unexpected end"},
                {"\0asm\1\0\0", 7, "unexpected end"},
                {"\0asm\2\0\0\0", 8, "unknown binary version"},
                {"\0asm\r\0\1\0", 8, "unknown binary version: this is a component"}};
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_EQ(try(&w, rows[i].data, rows[i].size), MOTE_E_MALFORMED);
        CHECK(begins(w.error.message, rows[i].words));
    }
    CHECK_EQ(try(&w, "\0asm\1\0\0\0", 8), MOTE_OK);
    close_world(&w);
}

/* ---- features */

// clang-format off
#define NEEDS(feature, literal, what) {FEATURE_##feature, "" literal, sizeof(literal) - 1, what}
static const struct needed {
    enum mote__feature feature;
    const char *data;
    size_t size;
    const char *what;
} needed[] = {
    NEEDS(gc, "\1\3\1\x5F\0", ""),
    NEEDS(gc, "\1\4\1\x5E\x7F\0", ""),
    NEEDS(gc, "\1\6\1\x4E\1\x60\0\0", ""),
    NEEDS(gc, "\1\6\1\x50\0\x60\0\0", ""),
    NEEDS(gc, "\1\5\1\x60\1\x6E\0", ""),
    NEEDS(function_references, "\1\6\1\x60\1\x64\x70\0", ""),
    NEEDS(function_references, "\4\x09\1\x40\0\x70\0\0\xD0\x70\x0B", ""),
    NEEDS(reference_types, "\1\5\1\x60\1\x70\0", ""),
    NEEDS(reference_types, "\4\4\1\x6F\0\0", ""),
    NEEDS(reference_types, "\4\7\2\x70\0\0\x70\0\0", "multiple tables: "),
    NEEDS(simd, "\1\5\1\x60\1\x7B\0", ""),
    NEEDS(multi_value, "\1\6\1\x60\0\2\x7F\x7F", ""),
    NEEDS(exceptions, "\1\5\1\x60\1\x69\0", ""),
    NEEDS(memory64, "\5\3\1\4\0", "malformed limits flags: "),
    NEEDS(threads, "\5\4\1\3\0\0", "malformed limits flags: "),
    NEEDS(custom_page_sizes, "\5\4\1\x08\0\0", "malformed limits flags: "),
    NEEDS(multi_memory, "\5\5\2\0\0\0\0", "multiple memories: "),
    NEEDS(multi_memory, "\2\6\1\0\0\2\0\0" MEMORY0, "multiple memories: "),
    NEEDS(bulk_memory, "\x0C\1\0", ""),
    NEEDS(bulk_memory, "\x0B\3\1\1\0", ""),
    NEEDS(bulk_memory, "\x09\4\1\1\0\0", ""),
    NEEDS(mutable_globals, "\2\6\1\0\0\3\x7F\1", ""),
    NEEDS(mutable_globals, "\6\6\1\x7F\1\x41\0\x0B" "\7\4\1\0\3\0", ""),
};
// clang-format on

TEST(features_that_are_off) {
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < COUNT_OF(needed); i++) {
        struct bytes b = header();
        put(&b, needed[i].data, needed[i].size);
        w.features = ALL_FEATURES;
        if (!CHECK_EQ(try(&w, b.data, b.size), MOTE_OK))
            printf("  row %zu: %s\n", i, w.error.message);
        w.features = ALL_FEATURES & ~(UINT64_C(1) << needed[i].feature);
        char words[128];
        snprintf(words, sizeof words, "%sneeds the feature `%s`, which is off", needed[i].what,
                 mote__feature_name(needed[i].feature));
        if (!CHECK_EQ(try(&w, b.data, b.size), MOTE_E_UNSUPPORTED) ||
            !CHECK(begins(w.error.message, words)))
            printf("  row %zu: \"%s\"\n", i, w.error.message);
        free(b.data);
    }
    close_world(&w);
}

TEST(tags_need_exceptions_of_either_kind) {
    static const char tag[] = TYPE0 "\x0D\3\1\0\0";
    const uint64_t both = FEATURE_BIT(exceptions) | FEATURE_BIT(legacy_exceptions);
    struct world w;
    open_world(&w);
    struct bytes b = header();
    put(&b, tag, sizeof tag - 1);
    w.features = ALL_FEATURES & ~FEATURE_BIT(exceptions);
    CHECK_EQ(try(&w, b.data, b.size), MOTE_OK);
    w.features = ALL_FEATURES & ~FEATURE_BIT(legacy_exceptions);
    CHECK_EQ(try(&w, b.data, b.size), MOTE_OK);
    w.features = ALL_FEATURES & ~both;
    CHECK_EQ(try(&w, b.data, b.size), MOTE_E_UNSUPPORTED);
    CHECK(begins(w.error.message, "needs the feature `exceptions`"));
    free(b.data);
    close_world(&w);
}

/* ---- hostile input */

TEST(truncated_at_every_byte) {
    struct world w;
    open_world(&w);
    struct bytes b = whole_module(), prefix = header();
    bool good[1024] = {[8] = true};
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        put_section(&prefix, whole[i].id, whole[i].contents, whole[i].size);
        REQUIRE(prefix.size < COUNT_OF(good));
        good[prefix.size] = may_end[i];
    }
    for (size_t size = 0; size <= b.size; size++) {
        mote_status status = try(&w, b.data, size);
        if (!CHECK_EQ(status, good[size] ? MOTE_OK : MOTE_E_MALFORMED))
            printf("  %zu of %zu bytes: %s\n", size, b.size, w.error.message);
    }
    free(prefix.data);
    free(b.data);
    close_world(&w);
}

TEST(every_byte_changed) {
    struct world w;
    open_world(&w);
    struct bytes b = whole_module();
    unsigned refused = 0;
    for (size_t i = 0; i < b.size; i++) {
        uint8_t old = b.data[i];
        for (unsigned change = 1; change < 256; change++) {
            b.data[i] = (uint8_t)(old ^ change);
            refused += try(&w, b.data, b.size) != MOTE_OK;
        }
        b.data[i] = old;
    }
    CHECK(refused > b.size * 128);
    free(b.data);
    close_world(&w);
}

/* An allocator that refuses large blocks and remembers that it did. */
struct small_alloc {
    size_t most;
    bool refused;
};

static void *small_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes) {
    struct small_alloc *small = ctx;
    if (new_bytes <= small->most)
        return mote__allocator_libc.resize(NULL, ptr, old_bytes, new_bytes);
    small->refused = true;
    return NULL;
}

/* A count just within the limits, with nothing behind it, must not allocate for what it promises.
 */
TEST(counts_are_not_believed) {
    // clang-format off
    static const struct failure rows[] = {
        MALFORMED("\1\3\xC0\x84\x3D", ""), MALFORMED("\1\5\1\x4E\xC0\x84\x3D", ""), MALFORMED("\1\4\1\x60\xE8\7", ""),
        MALFORMED("\1\4\1\x5F\x90\x4E", ""), MALFORMED("\2\3\xC0\x84\x3D", ""), MALFORMED(TYPE0 "\3\3\xC0\x84\x3D", ""),
        MALFORMED("\4\3\xA0\x8D\6", ""), MALFORMED("\5\1\x64", ""), MALFORMED("\x0D\3\xC0\x84\x3D", ""),
        MALFORMED("\6\3\xC0\x84\x3D", ""), MALFORMED("\7\3\xC0\x84\x3D", ""), MALFORMED("\x09\4\x80\xAD\xE2\4", ""),
        MALFORMED("\x09\7\1\1\0\x80\xAD\xE2\4", ""), MALFORMED("\x09\7\1\5\x70\x80\xAD\xE2\4", ""),
        MALFORMED("\x0A\3\xC0\x84\x3D", ""), MALFORMED("\x0B\3\xA0\x8D\6", ""), MALFORMED("\x0B\7\1\1\xFF\xFF\xFF\xFF\x0F", ""),
        MALFORMED("\0\5\xFF\xFF\xFF\xFF\x0F", ""),
    };
    // clang-format on
    struct small_alloc small = {.most = 16384};
    const mote_allocator allocator = {small_resize, &small};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct mote__types types;
        mote_error error;
        mote_module *m;
        struct bytes b = header();
        put(&b, rows[i].data, rows[i].size);
        CHECK_EQ(mote__types_init(&types, &allocator), MOTE_OK);
        mote_status status =
            mote__module_decode(NULL, &types, &allocator, ALL_FEATURES, LIMIT_BODY_BYTES,
                                (struct span){b.data, b.size}, true, &m, &error);
        if (!CHECK_EQ(status, MOTE_E_MALFORMED)) printf("  row %zu: %s\n", i, error.message);
        mote__types_deinit(&types);
        free(b.data);
    }
    CHECK(!small.refused);
}

TEST(body_limit_and_borrowed_bytes) {
    static const char text[] = "\0asm\1\0\0\0" TYPE0 FUNC0 CODE0;
    struct span bytes = {(const uint8_t *)text, sizeof text - 1};
    struct world w;
    open_world(&w);
    mote_module *m = NULL;
    CHECK_EQ(mote__module_decode(NULL, &w.types, &w.memory.allocator, ALL_FEATURES, 1, bytes, true,
                                 &m, &w.error),
             MOTE_E_LIMIT);
    CHECK_EQ(mote__module_decode(NULL, &w.types, &w.memory.allocator, ALL_FEATURES, 2, bytes, true,
                                 &m, &w.error),
             MOTE_OK);
    REQUIRE(m);
    CHECK(m->bytes.data == bytes.data && !m->owns_bytes);
    mote__module_free(m);
    close_world(&w);
}

/* ---- size and memory */

/* As many imports, functions and exports as fit in a second if all is linear. */
TEST(many_of_everything) {
    enum { COUNT = 200000 };
    struct world w;
    open_world(&w);
    struct bytes b = header(), imports = {0}, funcs = {0}, exports = {0}, code = {0};
    PUT(&b, TYPE0);
    put_u32(&imports, COUNT), put_u32(&funcs, COUNT), put_u32(&exports, COUNT),
        put_u32(&code, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "%u", i);
        PUT(&imports, "\1m");
        put_u32(&imports, (uint32_t)size), put(&imports, name, (size_t)size);
        PUT(&imports, "\0\0");
        PUT(&funcs, "\0");
        put_u32(&exports, (uint32_t)size), put(&exports, name, (size_t)size);
        PUT(&exports, "\0"), put_u32(&exports, i);
        PUT(&code, "\2\0\x0B");
    }
    put_section(&b, 2, imports.data, imports.size);
    put_section(&b, 3, funcs.data, funcs.size);
    put_section(&b, 7, exports.data, exports.size);
    put_section(&b, 10, code.data, code.size);
    mote_module *m;
    REQUIRE(decode(&w, b.data, b.size, &m) == MOTE_OK);
    CHECK_EQ(m->func_count, 2 * COUNT);
    CHECK_EQ(*mote__map_get(&m->export_map, "199999", 6), 199999);
    mote__module_free(m);
    free(b.data), free(imports.data), free(funcs.data), free(exports.data), free(code.data);
    close_world(&w);
}

static bool decode_once(const mote_allocator *a, void *ctx) {
    const struct bytes *b = ctx;
    struct mote__types types;
    mote_error error;
    mote_module *m = NULL;
    CHECK_EQ(mote__types_init(&types, a), MOTE_OK);
    mote_status status = mote__module_decode(NULL, &types, a, ALL_FEATURES, LIMIT_BODY_BYTES,
                                             (struct span){b->data, b->size}, false, &m, &error);
    if (status != MOTE_OK) CHECK_EQ(status, MOTE_E_NOMEM);
    mote__module_free(m);
    mote__types_deinit(&types);
    return status == MOTE_OK;
}

TEST(no_memory) {
    struct bytes b = whole_module();
    CHECK(fail_alloc_sweep(decode_once, &b) > 15);
    free(b.data);
}
