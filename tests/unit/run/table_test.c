/* table_test.c - tables through the public API: elements of each kind, growing, limits, lazy functions seen from everywhere. */
#include "world.h"

static mote_value func_value(mote_func func) { return (mote_value){.kind = MOTE_FUNCREF, .of.func = func}; }

static mote_table exported_table(mote_instance inst, const char *name) {
    mote_extern external = {.kind = MOTE_EXTERN_TABLE};
    if (!inst.ptr || !mote_instance_find(inst, name, strlen(name), &external)) test_fail(__FILE__, __LINE__, name);
    return external.of.table;
}

TEST(function_tables) {
    struct world w;
    mote_table table;
    mote_value value;
    mote_func one;
    uint64_t before;
    const mote_tabletype type = {MOTE_VALTYPE_REF(MOTE_HEAP_FUNC), 2, 6, false};
    world_open(&w);
    mote_instance inst = world_instance(&w, "(module (func (export \"one\") (result i32) (i32.const 1)))");
    REQUIRE(mote_instance_func(inst, "one", &one, &w.error) == MOTE_OK);
    REQUIRE(mote_table_new(w.store, &type, NULL, &table, &w.error) == MOTE_OK);
    CHECK_EQ(mote_table_get(table, 1, &value, &w.error), MOTE_OK);
    CHECK(value.kind == MOTE_FUNCREF && !value.of.func.ptr);
    value = func_value(one);
    CHECK_EQ(mote_table_set(table, 1, &value, &w.error), MOTE_OK);
    CHECK_EQ(mote_table_grow(table, 3, &value, &before, &w.error), MOTE_OK);
    CHECK_EQ(before, 2);
    CHECK_EQ(mote_table_size(table), 5);
    CHECK_EQ(mote_table_grow(table, 2, NULL, &before, &w.error), MOTE_E_LIMIT);
    CHECK_EQ(mote_table_grow(table, 1, NULL, NULL, &w.error), MOTE_OK);
    for (uint64_t i = 0; i < 6; i++) {
        CHECK_EQ(mote_table_get(table, i, &value, &w.error), MOTE_OK);
        CHECK(value.of.func.ptr == (i == 0 || i == 5 ? NULL : one.ptr));
    }
    CHECK_EQ(mote_table_get(table, 6, &value, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "element 6 of a table that has 6");
    value = MOTE_VALUE_I32(1);
    CHECK_EQ(mote_table_set(table, 0, &value, &w.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_table_type(table).min, 6);
    CHECK_EQ(mote_table_type(table).max, 6);
    world_close(&w);
}

TEST(impossible_tables) {
    struct world w;
    mote_table table;
    world_open(&w);
    const mote_tabletype types[] = {
        {MOTE_VALTYPE(MOTE_I32), 1, 2, false},
        {MOTE_VALTYPE_REF(MOTE_HEAP_FUNC), 3, 2, false},
        {MOTE_VALTYPE_REF(MOTE_HEAP_FUNC), UINT64_C(1) << 33, UINT64_MAX, false},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) CHECK_EQ(mote_table_new(w.store, &types[i], NULL, &table, &w.error), MOTE_E_INVALID);
    mote_tabletype strict = {{.kind = MOTE_REF, .heap = MOTE_HEAP_FUNC}, 1, 2, false};
    CHECK_EQ(mote_table_new(w.store, &strict, NULL, &table, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "a value of type (ref func) is needed, given is funcref and null");
    mote_tabletype large = {MOTE_VALTYPE_REF(MOTE_HEAP_FUNC), 10000001, UINT64_MAX, true};
    CHECK_EQ(mote_table_new(w.store, &large, NULL, &table, &w.error), MOTE_E_LIMIT);
    world_close(&w);
}

TEST(reference_tables_root_their_elements) {
    struct world w;
    mote_table table;
    mote_value value = {.kind = MOTE_EXTERNREF};
    int data = 7;
    const mote_tabletype type = {MOTE_VALTYPE_REF(MOTE_HEAP_EXTERN), 3, UINT64_MAX, true};
    world_open(&w);
    REQUIRE(mote_table_new(w.store, &type, NULL, &table, &w.error) == MOTE_OK);
    uint32_t mark = mote_refs_mark(w.store);
    REQUIRE(mote_extern_new(w.store, &data, NULL, &value.of.ref, &w.error) == MOTE_OK);
    CHECK_EQ(mote_table_set(table, 2, &value, &w.error), MOTE_OK);
    mote_refs_release(w.store, mark);
    mote_store_collect(w.store);
    CHECK_EQ(mote_table_get(table, 2, &value, &w.error), MOTE_OK);
    CHECK(mote_extern_data(w.store, value.of.ref) == &data);
    CHECK_EQ(mote_table_get(table, 0, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.ref.index, 0);
    world_close(&w);
}

/* A function read from a lazy element is the one that every other way gives. */
TEST(lazy_elements_have_one_identity) {
    struct world w;
    mote_value first, again;
    mote_func named;
    world_open(&w);
    mote_instance inst = world_instance(&w, "(module (table (export \"t\") 3 funcref) (table (export \"u\") 3 funcref) (elem (i32.const 1) $f $g)"
                                            " (func $f (export \"f\") (result i32) (i32.const 4)) (func $g)"
                                            " (func (export \"copy\") (table.copy 1 0 (i32.const 0) (i32.const 0) (i32.const 3)))"
                                            " (func (export \"call\") (result i32) (call_indirect 1 (result i32) (i32.const 1)))"
                                            " (func (export \"wrong\") (result i32) (call_indirect 0 (result i32) (i32.const 2))))");
    mote_table t = exported_table(inst, "t"), u = exported_table(inst, "u");
    CHECK_EQ(world_call(&w, inst, "wrong"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_INDIRECT_CALL_TYPE);
    CHECK_EQ(world_call(&w, inst, "copy"), MOTE_OK);
    CHECK_EQ(world_call_i32(&w, inst, "call", 0), 4);
    CHECK_EQ(mote_table_get(t, 1, &first, &w.error), MOTE_OK);
    CHECK_EQ(mote_table_get(u, 1, &again, &w.error), MOTE_OK);
    CHECK_EQ(mote_instance_func(inst, "f", &named, &w.error), MOTE_OK);
    CHECK(first.of.func.ptr == named.ptr && again.of.func.ptr == named.ptr);
    CHECK_EQ(mote_table_get(u, 0, &again, &w.error), MOTE_OK);
    CHECK(!again.of.func.ptr);
    world_close(&w);
}

TEST(growing_one_by_one_keeps_lazy_elements) {
    struct world w;
    mote_value value;
    world_open(&w);
    mote_instance inst = world_instance(&w, "(module (table (export \"t\") 2 funcref) (elem (i32.const 0) $f $f) (func $f))");
    mote_table t = exported_table(inst, "t");
    for (uint64_t i = 2; i < 1000; i++) CHECK_EQ(mote_table_grow(t, 1, NULL, NULL, &w.error), MOTE_OK);
    for (uint64_t i = 0; i < 1000; i++) {
        CHECK_EQ(mote_table_get(t, i, &value, &w.error), MOTE_OK);
        CHECK_EQ(value.of.func.ptr != NULL, i < 2);
    }
    world_close(&w);
}
