/* types_api_test.c - types through mote.h: made, equal by pointer, asked, compared, printed, and
 * outliving the caller's engine. */
#include "test.h"
#include "fail_alloc.h"
#include <mote/mote.h>

static mote_engine *new_engine(struct fail_alloc *memory) {
    mote_config config;
    mote_error error;
    mote_engine *engine = NULL;
    mote_config_init(&config);
    fail_alloc_init(memory, 0);
    config.allocator = memory->allocator;
    CHECK_EQ(mote_engine_new(&config, &engine, &error), MOTE_OK);
    return engine;
}

TEST(functions) {
    struct fail_alloc memory;
    mote_engine *engine = new_engine(&memory);
    const mote_valtype params[] = {MOTE_VALTYPE(MOTE_I32), MOTE_VALTYPE_REF(MOTE_HEAP_EXTERN)};
    const mote_valtype results[] = {MOTE_VALTYPE(MOTE_V128)};
    const mote_type *a, *b;
    char text[64];
    REQUIRE(mote_type_new_func(engine, params, 2, results, 1, &a, NULL) == MOTE_OK);
    REQUIRE(mote_type_new_func(engine, params, 2, results, 1, &b, NULL) == MOTE_OK);
    CHECK(a == b);
    CHECK_EQ(mote_type_kind(a), MOTE_TYPE_FUNC);
    CHECK_EQ(mote_type_param_count(a), 2);
    CHECK_EQ(mote_type_result_count(a), 1);
    CHECK_EQ(mote_type_field_count(a), 0);
    CHECK(mote_type_param(a, 1).kind == MOTE_REF && mote_type_param(a, 1).heap == MOTE_HEAP_EXTERN);
    CHECK_EQ(mote_type_result(a, 0).kind, MOTE_V128);
    CHECK_EQ(mote_type_print(a, text, sizeof text), strlen("(param i32 externref) (result v128)"));
    CHECK_STR(text, "(param i32 externref) (result v128)");
    mote_type_delete(a);
    mote_engine_delete(engine);
    CHECK_EQ(mote_type_param_count(b), 2); /* the type holds its engine */
    mote_type_delete(b);
    mote_type_delete(NULL);
    CHECK_EQ(memory.live_bytes, 0);
}

TEST(structs_and_arrays) {
    struct fail_alloc memory;
    mote_engine *engine = new_engine(&memory);
    const mote_type *s, *array, *empty;
    char text[96];
    const mote_valtype bytes = {.kind = MOTE_I8, .mutable_ = 1};
    REQUIRE(mote_type_new_array(engine, bytes, &array, NULL) == MOTE_OK);
    const mote_valtype fields[] = {MOTE_VALTYPE(MOTE_F32),
                                   {.kind = MOTE_REF, .heap = MOTE_HEAP_TYPE, .type = array}};
    REQUIRE(mote_type_new_struct(engine, fields, 2, &s, NULL) == MOTE_OK);
    REQUIRE(mote_type_new_struct(engine, NULL, 0, &empty, NULL) == MOTE_OK);
    CHECK_EQ(mote_type_kind(s), MOTE_TYPE_STRUCT);
    CHECK_EQ(mote_type_field_count(s), 2);
    CHECK(mote_type_field(s, 1).type == array && !mote_type_field(s, 1).nullable &&
          !mote_type_field(s, 1).mutable_);
    CHECK(mote_type_field(array, 0).kind == MOTE_I8 && mote_type_field(array, 0).mutable_);
    CHECK_EQ(mote_type_param_count(s), 0);
    CHECK(mote_type_matches(s, s) && !mote_type_matches(s, empty) && !mote_type_matches(empty, s));
    mote_valtype_print(fields[1], text, sizeof text);
    CHECK_STR(text, "(ref (array (mut i8)))");
    mote_valtype_print(fields[0], text, sizeof text);
    CHECK_STR(text, "f32");
    mote_valtype_print(MOTE_VALTYPE_REF(MOTE_HEAP_TYPE), text, sizeof text);
    CHECK_STR(text, "any type");
    CHECK(mote_type_retain(s) == s);
    mote_type_delete(s);
    mote_type_delete(s);
    mote_type_delete(array);
    mote_type_delete(empty);
    mote_engine_delete(engine);
    CHECK_EQ(memory.live_bytes, 0);
}

TEST(what_is_refused) {
    struct fail_alloc memory, other_memory;
    mote_engine *engine = new_engine(&memory), *other = new_engine(&other_memory);
    static mote_valtype many[10001];
    const mote_type *type = NULL, *foreign;
    mote_error error;
    const mote_valtype packed = MOTE_VALTYPE(MOTE_I16);
    CHECK_EQ(mote_type_new_func(engine, &packed, 1, NULL, 0, &type, &error), MOTE_E_ARGUMENT);
    CHECK(strstr(error.message, "parameter 0"));
    CHECK_EQ(mote_type_new_func(engine, NULL, 0, &packed, 1, &type, NULL), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_type_new_func(engine, many, 1001, NULL, 0, &type, &error), MOTE_E_LIMIT);
    CHECK_EQ(mote_type_new_func(engine, NULL, 0, many, 1001, &type, &error), MOTE_E_LIMIT);
    CHECK_EQ(mote_type_new_struct(engine, many, 10001, &type, &error), MOTE_E_LIMIT);
    REQUIRE(mote_type_new_struct(other, many, 10000, &foreign, NULL) == MOTE_OK);
    const mote_valtype reference = {.kind = MOTE_REF, .heap = MOTE_HEAP_TYPE, .type = foreign};
    CHECK_EQ(mote_type_new_array(engine, reference, &type, &error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_type_new_struct(engine, &reference, 1, &type, &error), MOTE_E_ARGUMENT);
    CHECK(!type);
    mote_type_delete(foreign);
    mote_engine_delete(other);
    mote_engine_delete(engine);
    CHECK_EQ(memory.live_bytes, 0);
    CHECK_EQ(other_memory.live_bytes, 0);
}

static bool make_types(const mote_allocator *a, void *ctx) {
    (void)ctx;
    mote_config config;
    mote_engine *engine = NULL;
    const mote_type *types[20] = {NULL};
    mote_config_init(&config);
    config.allocator = *a;
    mote_status status = mote_engine_new(&config, &engine, NULL);
    mote_valtype fields[20] = {MOTE_VALTYPE(MOTE_I32)};
    for (unsigned i = 0; i < 20 && status == MOTE_OK; i++)
        status = mote_type_new_struct(engine, fields, i, &types[i], NULL);
    for (unsigned i = 0; i < 20; i++) mote_type_delete(types[i]);
    mote_engine_delete(engine);
    if (status != MOTE_OK) CHECK_EQ(status, MOTE_E_NOMEM);
    return status == MOTE_OK;
}

TEST(no_memory) { CHECK(fail_alloc_sweep(make_types, NULL) > 20); }
