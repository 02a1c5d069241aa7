/* wasm_refs_test.c - references in the standard C API: tables, externrefs, identity, host info, and when objects and stores end. */
#include "api/wasm_c_api_test.h"
#include <mote/mote.h>

/* ---------------------------------------------------------------- tables */

TEST(tables_of_functions) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (table (export \"t\") 2 4 funcref) (elem (i32.const 0) $seven)"
                           " (func $seven (export \"seven\") (result i32) (i32.const 7))"
                           " (func (export \"call\") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))", 0, NULL));
    wasm_table_t *table = wasm_extern_as_table(w.exports.data[0]);
    wasm_ref_t *ref = wasm_table_get(table, 0);
    int32_t result = 0;
    CHECK(wasm_func_same(wasm_ref_as_func(ref), func_at(&w, 1)));
    CHECK(!wasm_table_get(table, 1)); /* null */
    CHECK(!wasm_table_get(table, 2)); /* out of bounds */
    CHECK(wasm_table_set(table, 1, ref));
    CHECK(!wasm_table_set(table, 2, ref));
    CHECK(wasm_table_grow(table, 2, ref));
    CHECK(!wasm_table_grow(table, 1, NULL));
    CHECK_EQ(wasm_table_size(table), 4);
    CHECK(!call_i32(func_at(&w, 2), 3, 0, &result));
    CHECK_EQ(result, 7);
    CHECK(wasm_table_set(table, 0, NULL));
    wasm_trap_t *trap = call_i32(func_at(&w, 2), 0, 0, NULL);
    CHECK(trap_says(trap, "uninitialized element"));
    wasm_trap_delete(trap);
    wasm_tabletype_t *type = wasm_table_type(table);
    CHECK_EQ(wasm_tabletype_limits(type)->min, 4);
    CHECK_EQ(wasm_valtype_kind(wasm_tabletype_element(type)), WASM_FUNCREF);
    CHECK(!wasm_table_set(table, 0, wasm_instance_as_ref(w.instance))); /* no function */
    wasm_tabletype_delete(type);
    wasm_ref_delete(ref);
    world_delete(&w);
}

TEST(tables_of_the_host) {
    struct world w = world_new();
    wasm_limits_t limits = {2, wasm_limits_max_default};
    wasm_tabletype_t *type = wasm_tabletype_new(wasm_valtype_new_externref(), &limits);
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_table_t *table = wasm_table_new(w.store, type, wasm_foreign_as_ref(foreign));
    wasm_ref_t *ref = wasm_table_get(table, 1);
    CHECK(wasm_ref_same(ref, wasm_foreign_as_ref_const(foreign)));
    wasm_ref_delete(ref);
    CHECK(wasm_table_grow(table, 1000, NULL));
    CHECK(!wasm_table_get(table, 1001));
    CHECK(wasm_table_set(table, 1001, wasm_table_as_ref(table))); /* any object may be an externref */
    ref = wasm_table_get(table, 1001);
    CHECK(wasm_ref_as_table(ref) == table);
    wasm_ref_delete(ref);
    wasm_foreign_delete(foreign);
    wasm_table_delete(table);
    wasm_tabletype_delete(type);
    world_delete(&w);
}

/* ---------------------------------------------------------------- kinds and identity */

TEST(references_and_back) {
    struct world w = world_new();
    REQUIRE(world_load(&w, "(module (func (export \"f\")) (global (export \"g\") i32 (i32.const 1)) (table (export \"t\") 1 funcref)"
                           " (memory (export \"m\") 1))", 0, NULL));
    wasm_trap_t *trap = trap_with(w.store, "t");
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_ref_t *refs[] = {wasm_extern_as_ref(w.exports.data[0]), wasm_extern_as_ref(w.exports.data[1]), wasm_extern_as_ref(w.exports.data[2]),
                          wasm_extern_as_ref(w.exports.data[3]), wasm_instance_as_ref(w.instance),      wasm_module_as_ref(w.module),
                          wasm_trap_as_ref(trap),                wasm_foreign_as_ref(foreign)};
    for (int i = 0; i < 8; i++) {
        wasm_ref_t *r = refs[i];
        CHECK_EQ(wasm_ref_as_func(r) != NULL, i == 0);
        CHECK_EQ(wasm_ref_as_global(r) != NULL, i == 1);
        CHECK_EQ(wasm_ref_as_table(r) != NULL, i == 2);
        CHECK_EQ(wasm_ref_as_memory(r) != NULL, i == 3);
        CHECK_EQ(wasm_ref_as_extern(r) != NULL, i < 4);
        CHECK_EQ(wasm_ref_as_instance(r) != NULL, i == 4);
        CHECK_EQ(wasm_ref_as_module(r) != NULL, i == 5);
        CHECK_EQ(wasm_ref_as_trap(r) != NULL, i == 6);
        CHECK_EQ(wasm_ref_as_foreign(r) != NULL, i == 7);
        CHECK_EQ(wasm_ref_as_foreign_const(r) != NULL, i == 7);
        CHECK(wasm_ref_same(r, r) && !wasm_ref_same(r, refs[(i + 1) % 8]) && !wasm_ref_same(r, NULL));
        wasm_ref_t *copy = wasm_ref_copy(r);
        CHECK(wasm_ref_same(copy, r));
        wasm_ref_delete(copy);
    }
    CHECK(!wasm_ref_as_func(NULL));
    CHECK(!wasm_ref_copy(NULL));
    wasm_ref_delete(NULL);
    wasm_trap_delete(trap);
    wasm_foreign_delete(foreign);
    world_delete(&w);
}

static const char identity[] = "(module (global $kept (mut externref) (ref.null extern))"
                               " (func (export \"id\") (param externref) (result externref) (local.get 0))"
                               " (func (export \"keep\") (param externref) (result externref) (global.set $kept (local.get 0)) (local.get 0))"
                               " (func (export \"kept\") (param externref) (result externref) (global.get $kept))"
                               " (func (export \"i31\") (param externref) (result externref)"
                               "  (extern.convert_any (ref.i31 (i32.const 5))))"
                               " (func (export \"churn\") (param externref) (result externref) (local $n i32)"
                               "  (loop (drop (struct.new $s (local.get $n)))"
                               "   (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 100000))))"
                               "  (local.get 0))"
                               " (type $s (struct (field i32))))";
enum { ID, KEEP, KEPT, I31, CHURN };

/* Calls an export of `identity`; the result is owned. */
static wasm_ref_t *through(struct world *w, size_t export, wasm_ref_t *ref) {
    wasm_val_t args[] = {WASM_REF_VAL(ref)}, results[] = {WASM_INIT_VAL};
    wasm_val_vec_t given = WASM_ARRAY_VEC(args), taken = WASM_ARRAY_VEC(results);
    wasm_trap_t *trap = wasm_func_call(func_at(w, export), &given, &taken);
    CHECK(!trap);
    wasm_trap_delete(trap);
    CHECK_EQ(results[0].kind, WASM_EXTERNREF);
    return results[0].of.ref;
}

TEST(objects_pass_through_webassembly) {
    struct world w = world_new();
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_ref_t *objects[] = {wasm_foreign_as_ref(foreign), wasm_func_as_ref(func_at(&w, ID)), wasm_instance_as_ref(w.instance),
                             wasm_module_as_ref(w.module)};
    for (int i = 0; i < 4; i++) {
        wasm_ref_t *back = through(&w, ID, objects[i]);
        CHECK(wasm_ref_same(back, objects[i]));
        wasm_ref_delete(back);
    }
    CHECK(!through(&w, ID, NULL));
    wasm_foreign_delete(foreign);
    world_delete(&w);
}

TEST(references_that_webassembly_made) {
    struct world w = world_new();
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_ref_t *five = through(&w, I31, NULL), *also_five = through(&w, I31, NULL);
    int finalized = 0;
    CHECK(!wasm_ref_as_foreign(five) && !wasm_ref_as_func(five) && !wasm_ref_as_extern(five));
    CHECK(wasm_ref_same(five, also_five));
    wasm_ref_set_host_info_with_finalizer(five, &finalized, count_up);
    wasm_ref_t *back = through(&w, ID, five);
    CHECK(wasm_ref_same(back, five));
    wasm_ref_delete(back);
    wasm_ref_delete(five);
    CHECK_EQ(finalized, 1);
    wasm_ref_delete(also_five);
    world_delete(&w);
}

TEST(references_of_another_store) {
    struct world w = world_new(), other = world_new();
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_foreign_t *foreign = wasm_foreign_new(other.store);
    wasm_val_t args[] = {WASM_REF_VAL(wasm_foreign_as_ref(foreign))}, results[] = {WASM_INIT_VAL};
    wasm_val_vec_t given = WASM_ARRAY_VEC(args), taken = WASM_ARRAY_VEC(results);
    wasm_trap_t *trap = wasm_func_call(func_at(&w, ID), &given, &taken);
    CHECK(trap_says(trap, "the reference belongs to another store"));
    wasm_trap_delete(trap);
    wasm_foreign_delete(foreign);
    world_delete(&w);
    world_delete(&other);
}

/* ---------------------------------------------------------------- host info */

TEST(host_info_belongs_to_the_object) {
    struct world w = world_new();
    int first = 0, second = 0;
    REQUIRE(world_load(&w, "(module (func (export \"f\")))", 0, NULL));
    CHECK(!wasm_func_get_host_info(func_at(&w, 0)));
    wasm_func_set_host_info_with_finalizer(func_at(&w, 0), &first, count_up);
    wasm_func_t *copy = wasm_func_copy(func_at(&w, 0));
    CHECK(wasm_func_get_host_info(copy) == &first);
    CHECK(wasm_extern_get_host_info(wasm_func_as_extern(copy)) == &first);
    wasm_func_set_host_info_with_finalizer(copy, &second, count_up); /* the first is replaced */
    CHECK_EQ(first, 1);
    CHECK(wasm_func_get_host_info(func_at(&w, 0)) == &second);
    wasm_func_delete(copy);
    wasm_extern_vec_delete(&w.exports);
    wasm_instance_exports(w.instance, &w.exports); /* nobody held it meanwhile */
    CHECK(wasm_func_get_host_info(func_at(&w, 0)) == &second);
    CHECK_EQ(second, 0);
    world_delete(&w);
    CHECK_EQ(first, 1);
    CHECK_EQ(second, 1);
}

TEST(host_info_of_every_kind_is_finalized_once) {
    struct world w = world_new();
    int counts[9] = {0};
    REQUIRE(world_load(&w, "(module (func (export \"f\")) (global (export \"g\") i32 (i32.const 1)) (table (export \"t\") 1 funcref)"
                           " (memory (export \"m\") 1))", 0, NULL));
    wasm_trap_t *trap = trap_with(w.store, "t");
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_func_set_host_info_with_finalizer(func_at(&w, 0), &counts[0], count_up);
    wasm_global_set_host_info_with_finalizer(wasm_extern_as_global(w.exports.data[1]), &counts[1], count_up);
    wasm_table_set_host_info_with_finalizer(wasm_extern_as_table(w.exports.data[2]), &counts[2], count_up);
    wasm_memory_set_host_info_with_finalizer(wasm_extern_as_memory(w.exports.data[3]), &counts[3], count_up);
    wasm_instance_set_host_info_with_finalizer(w.instance, &counts[4], count_up);
    wasm_module_set_host_info_with_finalizer(w.module, &counts[5], count_up);
    wasm_trap_set_host_info_with_finalizer(trap, &counts[6], count_up);
    wasm_foreign_set_host_info_with_finalizer(foreign, &counts[7], count_up);
    wasm_module_set_host_info(w.module, &counts[8]); /* replaced, and without a finalizer from now on */
    CHECK(wasm_module_get_host_info(w.module) == &counts[8]);
    wasm_trap_delete(trap);
    wasm_foreign_delete(foreign);
    CHECK_EQ(counts[6], 1); /* nothing can bring these back */
    CHECK_EQ(counts[7], 1);
    world_delete(&w);
    for (int i = 0; i < 8; i++) CHECK_EQ(counts[i], 1);
    CHECK_EQ(counts[8], 0);
}

/* ---------------------------------------------------------------- lives of foreign objects */

TEST(foreign_objects_live_while_webassembly_has_them) {
    struct world w = world_new();
    int finalized = 0;
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_up);
    wasm_ref_delete(through(&w, KEEP, wasm_foreign_as_ref(foreign)));
    wasm_foreign_delete(foreign);
    mote_store_collect(mote_wasm_store(w.store));
    wasm_ref_t *back = through(&w, KEPT, NULL);
    CHECK(wasm_ref_get_host_info(back) == &finalized);
    wasm_ref_delete(through(&w, KEEP, NULL));
    mote_store_collect(mote_wasm_store(w.store));
    wasm_ref_t *again = through(&w, ID, back); /* still held here */
    CHECK(wasm_ref_same(back, again));
    wasm_ref_delete(again);
    CHECK_EQ(finalized, 0);
    wasm_ref_delete(back);
    mote_store_collect(mote_wasm_store(w.store));
    CHECK(!through(&w, KEPT, NULL));
    CHECK_EQ(finalized, 1);
    world_delete(&w);
    CHECK_EQ(finalized, 1);
}

TEST(results_without_room_hold_nothing) {
    struct world w = world_new();
    int finalized = 0;
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_up);
    wasm_val_t args[] = {WASM_REF_VAL(wasm_foreign_as_ref(foreign))};
    wasm_val_vec_t given = WASM_ARRAY_VEC(args);
    CHECK(!wasm_func_call(func_at(&w, ID), &given, NULL));
    wasm_foreign_delete(foreign);
    mote_store_collect(mote_wasm_store(w.store));
    CHECK(!through(&w, KEPT, NULL)); /* after a call the dead are buried */
    CHECK_EQ(finalized, 1);
    world_delete(&w);
}

TEST(collections_move_what_is_held) {
    struct world w = world_new();
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    for (int i = 0; i < 3; i++) {
        wasm_ref_t *back = through(&w, CHURN, wasm_foreign_as_ref(foreign));
        CHECK(wasm_ref_same(back, wasm_foreign_as_ref(foreign)));
        wasm_ref_delete(back);
    }
    wasm_foreign_delete(foreign);
    world_delete(&w);
}

TEST(functions_as_externrefs_are_found_again) {
    struct world w = world_new();
    int finalized = 0;
    REQUIRE(world_load(&w, identity, 0, NULL));
    wasm_ref_delete(through(&w, KEEP, wasm_func_as_ref(func_at(&w, ID))));
    wasm_func_set_host_info_with_finalizer(func_at(&w, ID), &finalized, count_up);
    wasm_func_t *kept = wasm_func_copy(func_at(&w, KEPT));
    wasm_extern_vec_delete(&w.exports); /* nobody holds it now but WebAssembly */
    wasm_val_t args[] = {WASM_INIT_VAL}, results[1];
    wasm_val_vec_t given = WASM_ARRAY_VEC(args), taken = WASM_ARRAY_VEC(results);
    CHECK(!wasm_func_call(kept, &given, &taken));
    CHECK(wasm_ref_get_host_info(results[0].of.ref) == &finalized);
    CHECK(wasm_ref_as_func(results[0].of.ref));
    wasm_val_delete(&results[0]);
    wasm_func_delete(kept);
    world_delete(&w);
    CHECK_EQ(finalized, 1);
}

/* Makes a foreign object inside a call and leaves it with the host. */
static wasm_trap_t *make_foreign(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_foreign_t **place = env;
    results->data[0].of.ref = wasm_ref_copy(wasm_foreign_as_ref(*place));
    if (args->data[0].of.ref) wasm_foreign_set_host_info(*place, place);
    return NULL;
}

TEST(references_made_inside_host_functions_stay) {
    struct world w = world_new();
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_functype_t *type = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
    wasm_func_t *func = wasm_func_new_with_env(w.store, type, make_foreign, &foreign, NULL);
    wasm_extern_t *import[] = {wasm_func_as_extern(func)};
    REQUIRE(world_load(&w, "(module (import \"\" \"f\" (func $f (param externref) (result externref)))"
                           " (func (export \"f\") (param externref) (result externref) (call $f (local.get 0))))", 1, import));
    wasm_ref_t *first = through(&w, 0, NULL), *second = through(&w, 0, first);
    CHECK(wasm_ref_same(first, second));
    CHECK(wasm_ref_get_host_info(first) == &foreign);
    mote_store_collect(mote_wasm_store(w.store));
    wasm_ref_t *third = through(&w, 0, second);
    CHECK(wasm_ref_same(first, third));
    wasm_ref_delete(first);
    wasm_ref_delete(second);
    wasm_ref_delete(third);
    wasm_func_delete(func);
    wasm_foreign_delete(foreign);
    wasm_functype_delete(type);
    world_delete(&w);
}

TEST(values_own_their_references) {
    struct world w = world_new();
    int finalized = 0;
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_foreign_set_host_info_with_finalizer(foreign, &finalized, count_up);
    wasm_val_t value = WASM_REF_VAL(wasm_foreign_as_ref(foreign)), number = WASM_I32_VAL(3), copy; /* value takes the hold */
    wasm_val_vec_t list, list_copy;
    wasm_val_copy(&copy, &value);
    wasm_val_t elements[] = {value, number};
    wasm_val_vec_new(&list, 2, elements);
    wasm_val_vec_copy(&list_copy, &list);
    CHECK(wasm_ref_same(list_copy.data[0].of.ref, copy.of.ref));
    CHECK_EQ(list_copy.data[1].of.i32, 3);
    wasm_val_vec_delete(&list);
    wasm_val_vec_delete(&list_copy);
    CHECK_EQ(finalized, 0);
    wasm_val_delete(&copy);
    wasm_val_delete(&number);
    CHECK_EQ(finalized, 1);
    world_delete(&w);
}

TEST(pointers_as_values) {
    int target;
    wasm_val_t value;
    wasm_val_init_ptr(&value, &target);
    CHECK(wasm_valkind_is_num(value.kind));
    CHECK(wasm_val_ptr(&value) == &target);
}

TEST(objects_keep_their_store) {
    struct world w = world_new();
    int finalized = 0;
    wasm_foreign_t *foreign = wasm_foreign_new(w.store);
    wasm_functype_t *type = wasm_functype_new_0_0();
    wasm_func_t *func = wasm_func_new_with_env(w.store, type, NULL, &finalized, count_up);
    wasm_functype_delete(type);
    wasm_func_delete(func);
    world_delete(&w);
    CHECK_EQ(finalized, 0); /* the store is still there */
    wasm_foreign_delete(foreign);
    CHECK_EQ(finalized, 1);
}
