/* value_test.c - values and references through the public API: conversion of every kind, what is refused, handles and their scopes, globals,
 * objects of the heap. */
#include "world.h"

static const char echo[] = "(module (func (export \"echo\") (param i32 i64 f32 f64 v128 funcref externref anyref exnref)"
                           " (result exnref anyref externref funcref v128 f64 f32 i64 i32)"
                           " (local.get 8) (local.get 7) (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))";

TEST(every_kind_goes_in_and_out) {
    struct world w;
    mote_func func;
    mote_tag tag;
    mote_value args[9] = {MOTE_VALUE_I32(-5), MOTE_VALUE_I64(-6), MOTE_VALUE_F32(1.5f), MOTE_VALUE_F64(-2.25), {.kind = MOTE_V128, .of.v128 = "0123456789abcde"}}, out[9];
    world_open(&w);
    REQUIRE(mote_instance_func(world_instance(&w, echo), "echo", &func, &w.error) == MOTE_OK);
    const mote_type *type = world_type(&w, "i:");
    REQUIRE(mote_tag_new(w.store, type, &tag, &w.error) == MOTE_OK);
    CHECK(mote_tag_type(tag) == type);
    args[5] = (mote_value){.kind = MOTE_FUNCREF, .of.func = func};
    args[6] = (mote_value){.kind = MOTE_EXTERNREF};
    CHECK_EQ(mote_extern_new(w.store, args, NULL, &args[6].of.ref, &w.error), MOTE_OK);
    args[7] = (mote_value){.kind = MOTE_ANYREF, .of.ref = mote_i31_new(w.store, -7, &w.error)};
    args[8] = (mote_value){.kind = MOTE_EXNREF};
    CHECK_EQ(mote_exception_new(w.store, tag, &args[0], 1, &args[8].of.ref, &w.error), MOTE_OK);
    REQUIRE(mote_call(w.store, func, args, 9, out, 9, &w.error) == MOTE_OK);
    for (int i = 0; i < 9; i++) CHECK_EQ(out[8 - i].kind, args[i].kind);
    CHECK_EQ(out[8].of.i32, (uint32_t)-5);
    CHECK_EQ(out[7].of.i64, -6);
    CHECK(out[6].of.f32 == 1.5f && out[5].of.f64 == -2.25);
    CHECK_MEM(out[4].of.v128, "0123456789abcde", 16);
    CHECK(out[3].of.func.ptr == func.ptr);
    CHECK(mote_extern_data(w.store, out[2].of.ref) == args);
    CHECK(mote_ref_same(w.store, out[1].of.ref, args[7].of.ref));
    CHECK_EQ(mote_i31_value(w.store, out[1].of.ref), -7);
    CHECK_EQ(mote_ref_heap(w.store, out[1].of.ref), MOTE_HEAP_I31);
    CHECK_EQ(mote_ref_heap(w.store, out[2].of.ref), MOTE_HEAP_EXTERN);
    CHECK(mote_exception_tag(w.store, out[0].of.ref).ptr == tag.ptr);
    mote_value field;
    CHECK_EQ(mote_exception_value(w.store, out[0].of.ref, 0, &field, &w.error), MOTE_OK);
    CHECK_EQ(field.of.i32, (uint32_t)-5);
    CHECK_EQ(mote_exception_value(w.store, out[0].of.ref, 1, &field, &w.error), MOTE_E_ARGUMENT);
    mote_type_delete(type);
    world_close(&w);
}

TEST(wrong_arguments_are_refused) {
    struct world w;
    mote_func func, null = {NULL};
    mote_value args[2] = {MOTE_VALUE_I32(1), MOTE_VALUE_I64(2)}, out;
    world_open(&w);
    REQUIRE(mote_instance_func(world_instance(&w, "(module (func (export \"f\") (param i32 (ref i31))))"), "f", &func, &w.error) == MOTE_OK);
    CHECK_EQ(mote_call(w.store, func, args, 1, NULL, 0, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "the function has 2 parameters, given are 1");
    CHECK_EQ(mote_call(w.store, func, args, 2, &out, 1, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "the function has 0 results, given are 1");
    CHECK_EQ(mote_call(w.store, func, args, 2, NULL, 0, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "a value of type (ref i31) is needed, given is i64");
    args[1] = (mote_value){.kind = MOTE_ANYREF};
    CHECK_EQ(mote_call(w.store, func, args, 2, NULL, 0, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "a value of type (ref i31) is needed, given is anyref and null");
    args[1].of.ref = mote_i31_new(w.store, 5, &w.error);
    CHECK_EQ(mote_call(w.store, func, args, 2, NULL, 0, &w.error), MOTE_OK);
    mote_ref_release(w.store, args[1].of.ref);
    CHECK_EQ(mote_call(w.store, func, args, 2, NULL, 0, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "a value of type (ref i31) is needed, given is anyref of another store, or released before");
    CHECK_EQ(mote_call(w.store, null, NULL, 0, NULL, 0, &w.error), MOTE_E_ARGUMENT);
    mote_store *second;
    REQUIRE(mote_store_new(w.engine, NULL, &second, &w.error) == MOTE_OK);
    CHECK_EQ(mote_call(second, func, args, 2, NULL, 0, &w.error), MOTE_E_ARGUMENT);
    mote_store_delete(second);
    world_close(&w);
}

/* ---------------------------------------------------------------- handles */

static void count_drop(void *data) { ++*(int *)data; }

TEST(handles_root_until_released) {
    struct world w;
    mote_ref kept, copy, dropped;
    int drops = 0;
    world_open(&w);
    REQUIRE(mote_extern_new(w.store, &drops, count_drop, &kept, &w.error) == MOTE_OK);
    REQUIRE(mote_extern_new(w.store, &drops, count_drop, &dropped, &w.error) == MOTE_OK);
    CHECK_EQ(mote_ref_copy(w.store, kept, &copy, &w.error), MOTE_OK);
    CHECK(mote_ref_same(w.store, kept, copy) && !mote_ref_same(w.store, kept, dropped));
    mote_ref_release(w.store, kept);
    mote_ref_release(w.store, dropped);
    mote_ref_release(w.store, dropped); /* again: nothing */
    mote_store_collect(w.store);
    CHECK_EQ(drops, 1);
    CHECK(mote_extern_data(w.store, copy) == &drops);
    CHECK(!mote_extern_data(w.store, kept));
    CHECK_EQ(mote_ref_copy(w.store, kept, &copy, &w.error), MOTE_E_ARGUMENT);
    world_close(&w);
    CHECK_EQ(drops, 2);
}

TEST(scopes_release_what_was_made_in_them) {
    enum { COUNT = 500 };
    struct world w;
    mote_ref outside[COUNT], inside[COUNT];
    mote_limits limits;
    mote_limits_init(&limits);
    limits.handles_max = 2 * COUNT;
    world_open_with(&w, NULL, &limits);
    uint32_t start = mote_refs_mark(w.store);
    for (int i = 0; i < COUNT; i++) outside[i] = mote_i31_new(w.store, i, &w.error);
    for (int i = 0; i < COUNT; i += 3) mote_ref_release(w.store, outside[i]);
    for (int i = 0; i < COUNT; i += 3) outside[i] = mote_i31_new(w.store, -i, &w.error);
    uint32_t mark = mote_refs_mark(w.store);
    for (int i = 0; i < COUNT; i++) inside[i] = mote_i31_new(w.store, 1000 + i, &w.error);
    CHECK_EQ(mote_i31_new(w.store, 1, &w.error).index, 0);
    CHECK_EQ(w.error.status, MOTE_E_LIMIT);
    for (int i = 0; i < COUNT; i += 2) mote_ref_release(w.store, inside[i]);
    mote_refs_release(w.store, mark);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(mote_i31_value(w.store, outside[i]), i % 3 ? i : -i);
        CHECK_EQ(mote_ref_heap(w.store, inside[i]), MOTE_HEAP_NONE);
    }
    mote_refs_release(w.store, start);
    CHECK_EQ(mote_ref_heap(w.store, outside[1]), MOTE_HEAP_NONE);
    world_close(&w);
}

/* Handles made and released one by one must not pile up. */
TEST(released_handles_cost_nothing) {
    struct world w;
    world_open(&w);
    mote_ref kept = mote_i31_new(w.store, 1, &w.error);
    for (int i = 0; i < 1000; i++) mote_ref_release(w.store, mote_i31_new(w.store, i, &w.error));
    uint64_t bytes = w.memory.live_bytes;
    for (int i = 0; i < 100000; i++) mote_ref_release(w.store, mote_i31_new(w.store, i, &w.error));
    CHECK_EQ(w.memory.live_bytes, bytes);
    CHECK_EQ(mote_i31_value(w.store, kept), 1);
    world_close(&w);
}

/* ---------------------------------------------------------------- globals */

TEST(globals_from_the_host) {
    struct world w;
    mote_global global;
    mote_instance inst;
    mote_value value = MOTE_VALUE_I64(40);
    const mote_globaltype type = {MOTE_VALTYPE(MOTE_I64), true}, constant = {MOTE_VALTYPE(MOTE_I64), false};
    world_open(&w);
    REQUIRE(mote_global_new(w.store, &type, &value, &global, &w.error) == MOTE_OK);
    mote_extern external = {.kind = MOTE_EXTERN_GLOBAL, .of.global = global};
    CHECK_EQ(mote_linker_define(w.linker, "m", "g", external, &w.error), MOTE_OK);
    inst = world_instance(&w, "(module (global $g (import \"m\" \"g\") (mut i64)) (global (export \"own\") v128 (v128.const i32x4 1 2 3 4))"
                              " (func (export \"inc\") (global.set $g (i64.add (global.get $g) (i64.const 2)))))");
    CHECK_EQ(world_call(&w, inst, "inc"), MOTE_OK);
    CHECK_EQ(mote_global_get(global, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.i64, 42);
    value = MOTE_VALUE_I32(1);
    CHECK_EQ(mote_global_set(global, &value, &w.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_global_new(w.store, &constant, &value, &global, &w.error), MOTE_E_ARGUMENT);
    REQUIRE(mote_instance_find(inst, "own", 3, &external));
    CHECK_EQ(mote_global_get(external.of.global, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.v128[12], 4);
    CHECK_EQ(mote_global_set(external.of.global, &value, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "the global is immutable");
    CHECK_EQ(mote_global_type(external.of.global).value.kind, MOTE_V128);
    world_close(&w);
}

/* ---------------------------------------------------------------- objects */

TEST(arrays_without_a_fill) {
    struct world w;
    mote_ref array;
    const mote_type *type;
    const mote_valtype elements[] = {{.kind = MOTE_I8},
                                     {.kind = MOTE_V128},
                                     {.kind = MOTE_REF, .heap = MOTE_HEAP_ANY, .nullable = 1},
                                     {.kind = MOTE_REF, .heap = MOTE_HEAP_ANY},
                                     {.kind = MOTE_REF, .heap = MOTE_HEAP_FUNC}};
    mote_value value, zeros[] = {MOTE_VALUE_I32(0), {.kind = MOTE_V128}, {.kind = MOTE_ANYREF}};
    world_open(&w);
    for (size_t i = 0; i < 5; i++) {
        REQUIRE(mote_type_new_array(w.engine, elements[i], &type, &w.error) == MOTE_OK);
        CHECK_EQ(mote_array_new(w.store, type, NULL, 2, &array, &w.error), i < 3 ? MOTE_OK : MOTE_E_ARGUMENT);
        if (i < 3) CHECK_EQ(mote_array_get(w.store, array, 1, &value, &w.error), MOTE_OK);
        if (i < 3) CHECK(value.kind == zeros[i].kind && !memcmp(&value.of, &zeros[i].of, i ? 16 : 4));
        mote_type_delete(type);
    }
    CHECK_STR(w.error.message, "a value of type (ref func) is needed, given is funcref and null");
    world_close(&w);
}

TEST(structs_and_arrays) {
    struct world w;
    mote_ref object, array;
    const mote_type *type, *array_type;
    mote_valtype fields[] = {{.kind = MOTE_I8, .mutable_ = 1}, {.kind = MOTE_F64}, {.kind = MOTE_REF, .heap = MOTE_HEAP_ANY, .nullable = 1, .mutable_ = 1}};
    mote_value values[3] = {MOTE_VALUE_I32(0x1ff), MOTE_VALUE_F64(0.5), {.kind = MOTE_ANYREF}}, value;
    world_open(&w);
    REQUIRE(mote_type_new_struct(w.engine, fields, 3, &type, &w.error) == MOTE_OK);
    REQUIRE(mote_type_new_array(w.engine, fields[2], &array_type, &w.error) == MOTE_OK);
    uint32_t start = mote_refs_mark(w.store);
    values[2].of.ref = mote_i31_new(w.store, 3, &w.error);
    CHECK_EQ(mote_struct_new(w.store, type, values, 3, &object, &w.error), MOTE_OK);
    CHECK_EQ(mote_struct_new(w.store, type, values, 2, &array, &w.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_array_new(w.store, type, NULL, 2, &array, &w.error), MOTE_E_ARGUMENT);
    value = (mote_value){.kind = MOTE_ANYREF, .of.ref = object};
    CHECK_EQ(mote_array_new(w.store, array_type, &value, 4, &array, &w.error), MOTE_OK);
    mote_store_collect(w.store);
    CHECK_EQ(mote_ref_heap(w.store, object), MOTE_HEAP_STRUCT);
    CHECK(mote_ref_type(w.store, object) == type && mote_ref_type(w.store, array) == array_type);
    CHECK_EQ(mote_struct_get(w.store, object, 0, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.i32, 0xff);
    CHECK_EQ(mote_struct_get(w.store, object, 1, &value, &w.error), MOTE_OK);
    CHECK(value.of.f64 == 0.5);
    CHECK_EQ(mote_struct_set(w.store, object, 1, &value, &w.error), MOTE_E_ARGUMENT);
    value = (mote_value){.kind = MOTE_ANYREF, .of.ref = array};
    CHECK_EQ(mote_struct_set(w.store, object, 2, &value, &w.error), MOTE_OK); /* a cycle */
    CHECK_EQ(mote_array_count(w.store, array), 4);
    CHECK_EQ(mote_array_get(w.store, array, 3, &value, &w.error), MOTE_OK);
    CHECK(mote_ref_same(w.store, value.of.ref, object));
    CHECK_EQ(mote_array_get(w.store, array, 4, &value, &w.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_array_get(w.store, object, 0, &value, &w.error), MOTE_E_ARGUMENT);
    value.of.ref = MOTE_REF_NULL;
    CHECK_EQ(mote_array_set(w.store, array, 0, &value, &w.error), MOTE_OK);
    CHECK_EQ(mote_array_get(w.store, array, 0, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.ref.index, 0);
    mote_type_delete(type); /* the objects hold theirs */
    mote_type_delete(array_type);
    uint64_t used = mote_store_gc_bytes(w.store);
    mote_refs_release(w.store, start);
    mote_store_collect(w.store);
    CHECK(mote_store_gc_bytes(w.store) < used);
    world_close(&w);
}

TEST(references_of_another_store) {
    struct world w;
    mote_store *second;
    mote_ref copy;
    world_open(&w);
    REQUIRE(mote_store_new(w.engine, NULL, &second, &w.error) == MOTE_OK);
    mote_ref here = mote_i31_new(w.store, 1, &w.error), there = mote_i31_new(second, 2, &w.error);
    CHECK_EQ(mote_ref_heap(w.store, there), MOTE_HEAP_NONE);
    CHECK_EQ(mote_ref_copy(second, here, &copy, &w.error), MOTE_E_ARGUMENT);
    CHECK_STR(w.error.message, "a reference of another store, or released before");
    mote_store_delete(second);
    world_close(&w);
}

/* Tables and globals of the host's own types keep these alive. */
TEST(types_of_tables_and_globals_are_held) {
    struct world w;
    mote_table table;
    mote_global global;
    mote_value null = {.kind = MOTE_ANYREF}, value;
    const mote_type *type;
    const mote_valtype field = {.kind = MOTE_I64, .mutable_ = 1};
    world_open(&w);
    REQUIRE(mote_type_new_struct(w.engine, &field, 1, &type, &w.error) == MOTE_OK);
    const mote_valtype ref = {.kind = MOTE_REF, .heap = MOTE_HEAP_TYPE, .nullable = 1, .type = type};
    const mote_tabletype table_type = {ref, 1, 1, false};
    const mote_globaltype global_type = {ref, true};
    CHECK_EQ(mote_table_new(w.store, &table_type, NULL, &table, &w.error), MOTE_OK);
    CHECK_EQ(mote_global_new(w.store, &global_type, &null, &global, &w.error), MOTE_OK);
    mote_type_delete(type);
    char text[40];
    mote_valtype_print(mote_table_type(table).element, text, sizeof text);
    CHECK_STR(text, "(ref null (struct (field (mut i64))))");
    value = (mote_value){.kind = MOTE_ANYREF, .of.ref = mote_i31_new(w.store, 1, &w.error)};
    CHECK_EQ(mote_global_set(global, &value, &w.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_table_set(table, 0, &null, &w.error), MOTE_OK);
    world_close(&w);
}

TEST(values_match_types) {
    struct world w;
    world_open(&w);
    mote_value i32 = MOTE_VALUE_I32(1), null = {.kind = MOTE_ANYREF}, i31 = {.kind = MOTE_ANYREF, .of.ref = mote_i31_new(w.store, 1, &w.error)};
    CHECK(mote_value_matches(w.store, &i32, MOTE_VALTYPE(MOTE_I32)));
    CHECK(!mote_value_matches(w.store, &i32, MOTE_VALTYPE(MOTE_F32)));
    CHECK(mote_value_matches(w.store, &null, MOTE_VALTYPE_REF(MOTE_HEAP_STRUCT)));
    CHECK(!mote_value_matches(w.store, &null, MOTE_VALTYPE_REF(MOTE_HEAP_FUNC)));
    CHECK(mote_value_matches(w.store, &i31, MOTE_VALTYPE_REF(MOTE_HEAP_EQ)));
    CHECK(!mote_value_matches(w.store, &i31, MOTE_VALTYPE_REF(MOTE_HEAP_STRUCT)));
    world_close(&w);
}
