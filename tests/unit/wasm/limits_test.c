/* limits_test.c - modules just within and just beyond limits.h that no text writes down, and validation without memory. */
#include "../../diff/emit.h"
#include "test.h"

#include "fail_alloc.h"
#include "wasm/limits.h"

#include <mote/mote.h>

/* The status of validating what was written, which is then forgotten; the words of a refusal begin with `words`. */
static mote_status validate(struct emit *e, const char *words) {
    mote_engine *engine;
    mote_error error = {0};
    MUST(mote_engine_new(NULL, &engine, NULL) == MOTE_OK);
    mote_status status = mote_module_validate(engine, e->data, e->size, &error);
    if (words && !CHECK(strstr(error.message, words))) printf("%s\n", error.message);
    mote_engine_delete(engine);
    free(e->data);
    return status;
}

/* A module of one function () -> () whose body is open at *section and *body. */
static struct emit open_body(size_t *section, size_t *body) {
    static const uint8_t head[] = {SECTION_TYPE, 4, 1, 0x60, 0, 0, SECTION_FUNC, 2, 1, 0};
    struct emit e = {0};
    emit_begin(&e);
    emit_bytes(&e, head, sizeof head);
    *section = emit_section(&e, SECTION_CODE);
    emit_u(&e, 1);
    *body = emit_open(&e);
    emit_u(&e, 0);
    return e;
}

static struct emit nested_blocks(unsigned depth) {
    size_t section, body;
    struct emit e = open_body(&section, &body);
    for (unsigned i = 0; i < depth; i++) emit_op(&e, OP_block), emit_byte(&e, 0x40);
    for (unsigned i = 0; i <= depth; i++) emit_op(&e, OP_end);
    emit_close(&e, body), emit_close(&e, section);
    return e;
}

TEST(blocks_are_nested_so_deep_and_no_deeper) {
    struct emit within = nested_blocks(LIMIT_BLOCK_DEPTH - 1), beyond = nested_blocks(LIMIT_BLOCK_DEPTH + 1);
    CHECK_EQ(validate(&within, NULL), MOTE_OK);
    CHECK_EQ(validate(&beyond, "blocks are nested deeper than 50000"), MOTE_E_LIMIT);
}

static struct emit imports_of(unsigned count, const uint8_t *type, size_t type_size) {
    struct emit e = {0};
    emit_begin(&e);
    size_t section = emit_section(&e, SECTION_IMPORT);
    emit_u(&e, count);
    for (unsigned i = 0; i < count; i++) emit_name(&e, "m"), emit_name(&e, ""), emit_bytes(&e, type, type_size);
    emit_close(&e, section);
    return e;
}

TEST(imported_tables_and_memories_are_counted) {
    static const uint8_t table[] = {1, 0x70, 0, 0}, memory[] = {2, 0, 0};
    struct emit tables = imports_of(LIMIT_TABLES + 1, table, sizeof table), memories = imports_of(LIMIT_MEMORIES + 1, memory, sizeof memory);
    struct emit within = imports_of(LIMIT_MEMORIES, memory, sizeof memory);
    CHECK_EQ(validate(&tables, "100001 tables, more than 100000"), MOTE_E_LIMIT);
    CHECK_EQ(validate(&memories, "101 memories, more than 100"), MOTE_E_LIMIT);
    CHECK_EQ(validate(&within, NULL), MOTE_OK);
}

/* Types count one by one, whatever the groups they stand in. */
TEST(types_are_counted_over_all_groups) {
    static const uint8_t type[] = {0x60, 0, 0};
    struct emit e = {0};
    emit_begin(&e);
    size_t section = emit_section(&e, SECTION_TYPE);
    emit_u(&e, 2);
    emit_byte(&e, 0x4E), emit_u(&e, LIMIT_TYPES);
    for (unsigned i = 0; i < LIMIT_TYPES; i++) emit_bytes(&e, type, sizeof type);
    emit_bytes(&e, type, sizeof type);
    emit_close(&e, section);
    CHECK_EQ(validate(&e, "more than 1000000 types"), MOTE_E_LIMIT);
}

/* Bytes that end within an instruction are refused by the printer too. */
TEST(a_block_without_its_type_is_not_printed) {
    size_t section, body;
    struct emit e = open_body(&section, &body);
    mote_engine *engine;
    mote_error error = {0};
    char *text;
    size_t size;
    emit_op(&e, OP_block);
    emit_close(&e, body), emit_close(&e, section);
    MUST(mote_engine_new(NULL, &engine, NULL) == MOTE_OK);
    CHECK_EQ(mote_binary_to_text(engine, e.data, e.size, &text, &size, &error), MOTE_E_MALFORMED);
    CHECK(strstr(error.message, "unexpected end"));
    mote_engine_delete(engine);
    free(e.data);
}

static bool validate_once(const mote_allocator *a, void *text) {
    mote_config config;
    mote_engine *engine = NULL;
    mote_module *module = NULL;
    mote_config_init(&config);
    config.allocator = *a;
    mote_status status = mote_engine_new(&config, &engine, NULL);
    if (status == MOTE_OK) status = mote_module_new(engine, text, strlen(text), 0, &module, NULL);
    if (status != MOTE_OK) CHECK_EQ(status, MOTE_E_NOMEM);
    mote_module_delete(module);
    mote_engine_delete(engine);
    return status == MOTE_OK;
}

TEST(no_memory) {
    static char text[] = "(module (func (param (ref any) i32) (local (ref any) i32) (block (block (local.set 2 (local.get 0))"
                         " (br_table 0 1 0 1 0 1 0 1 (local.get 1))) (block (local.set 2 (local.get 0))))))";
    CHECK(fail_alloc_sweep(validate_once, text) > 15);
}
