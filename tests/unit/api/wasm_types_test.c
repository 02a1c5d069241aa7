/* wasm_types_test.c - descriptions and vectors of the standard C API, and what modules say of their imports and exports. */
#include "api/wasm_c_api_test.h"

/* Programs compiled against another engine's wasm.h meet these layouts. */
_Static_assert(sizeof(wasm_val_t) == 16 && offsetof(wasm_val_t, of) == 8, "wasm_val_t");
_Static_assert(sizeof(wasm_limits_t) == 8 && offsetof(wasm_limits_t, max) == 4, "wasm_limits_t");
_Static_assert(offsetof(wasm_byte_vec_t, data) == sizeof(size_t) && sizeof(wasm_byte_vec_t) == 2 * sizeof(size_t), "wasm_byte_vec_t");
_Static_assert(sizeof(wasm_valkind_t) == 1 && sizeof(wasm_externkind_t) == 1 && sizeof(wasm_mutability_t) == 1, "kinds are bytes");
_Static_assert(WASM_EXTERN_FUNC == 0 && WASM_EXTERN_GLOBAL == 1 && WASM_EXTERN_TABLE == 2 && WASM_EXTERN_MEMORY == 3, "extern kinds");
_Static_assert(WASM_I32 == 0 && WASM_I64 == 1 && WASM_F32 == 2 && WASM_F64 == 3 && WASM_EXTERNREF == 128 && WASM_FUNCREF == 129, "kinds");
_Static_assert(WASM_CONST == 0 && WASM_VAR == 1, "mutability");

TEST(byte_vectors) {
    wasm_byte_vec_t empty, some, copy, blank;
    wasm_byte_vec_new_empty(&empty);
    CHECK_EQ(empty.size, 0);
    CHECK(!empty.data);
    wasm_byte_vec_new(&some, 3, "abc");
    wasm_byte_vec_copy(&copy, &some);
    CHECK_EQ(copy.size, 3);
    CHECK(copy.data != some.data);
    CHECK_MEM(copy.data, "abc", 3);
    wasm_byte_vec_new_uninitialized(&blank, 5);
    CHECK_EQ(blank.size, 5);
    memset(blank.data, 1, blank.size);
    wasm_byte_vec_delete(&empty);
    wasm_byte_vec_delete(&some);
    wasm_byte_vec_delete(&copy);
    wasm_byte_vec_delete(&blank);
    CHECK(!some.data);
    wasm_byte_vec_delete(&some); /* empty now: nothing to do */
}

TEST(names) {
    wasm_name_t name, with_nul, copy, blank;
    wasm_name_new_from_string(&name, "run");
    wasm_name_new_from_string_nt(&with_nul, "run");
    CHECK_EQ(name.size, 3);
    CHECK_EQ(with_nul.size, 4);
    CHECK_STR(with_nul.data, "run");
    wasm_name_copy(&copy, &name);
    CHECK(name_is(&copy, "run"));
    wasm_name_new_new_uninitialized(&blank, 2);
    CHECK_EQ(blank.size, 2);
    wasm_name_delete(&blank);
    wasm_name_delete(&copy);
    wasm_name_delete(&name);
    wasm_name_delete(&with_nul);
}

TEST(value_types) {
    static const wasm_valkind_t kinds[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_EXTERNREF, WASM_FUNCREF};
    for (size_t i = 0; i < sizeof kinds; i++) {
        wasm_valtype_t *type = wasm_valtype_new(kinds[i]), *copy = wasm_valtype_copy(type);
        CHECK_EQ(wasm_valtype_kind(type), kinds[i]);
        CHECK_EQ(wasm_valtype_kind(copy), kinds[i]);
        CHECK_EQ(wasm_valtype_is_num(type), i < 4);
        CHECK_EQ(wasm_valtype_is_ref(type), i >= 4);
        wasm_valtype_delete(type);
        wasm_valtype_delete(copy);
    }
    CHECK(!wasm_valtype_new(MOTE_WASM_V128));
    CHECK(!wasm_valtype_new(77));
    CHECK(!wasm_valtype_new(MOTE_WASM_OTHER_REF));
    wasm_valtype_delete(NULL);
}

static bool has_kinds(const wasm_valtype_vec_t *list, size_t count, const wasm_valkind_t *kinds) {
    if (list->size != count) return false;
    for (size_t i = 0; i < count; i++)
        if (wasm_valtype_kind(list->data[i]) != kinds[i]) return false;
    return true;
}

TEST(function_types) {
    wasm_functype_t *type = wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(),
                                                  wasm_valtype_new_f64(), wasm_valtype_new_externref());
    wasm_functype_t *copy = wasm_functype_copy(type);
    CHECK(has_kinds(wasm_functype_params(copy), 3, (wasm_valkind_t[]){WASM_I32, WASM_I64, WASM_F32}));
    CHECK(has_kinds(wasm_functype_results(copy), 2, (wasm_valkind_t[]){WASM_F64, WASM_EXTERNREF}));
    wasm_functype_delete(type);
    wasm_functype_delete(copy);
}

TEST(function_types_in_short) {
#define I32 wasm_valtype_new_i32()
    wasm_functype_t *types[] = {
        wasm_functype_new_0_0(),         wasm_functype_new_1_0(I32),           wasm_functype_new_2_0(I32, I32),
        wasm_functype_new_3_0(I32, I32, I32), wasm_functype_new_0_1(I32),      wasm_functype_new_1_1(I32, I32),
        wasm_functype_new_2_1(I32, I32, I32), wasm_functype_new_3_1(I32, I32, I32, I32), wasm_functype_new_0_2(I32, I32),
        wasm_functype_new_1_2(I32, I32, I32), wasm_functype_new_2_2(I32, I32, I32, I32),
        wasm_functype_new_3_2(I32, I32, I32, I32, I32)};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CHECK_EQ(wasm_functype_params(types[i])->size, i % 4);
        CHECK_EQ(wasm_functype_results(types[i])->size, i / 4);
        wasm_functype_delete(types[i]);
    }
    CHECK(!wasm_functype_new_2_1(I32, NULL, I32)); /* a part is missing: the others are taken all the same */
#undef I32
}

TEST(function_types_take_their_lists) {
    wasm_valtype_t *one[] = {wasm_valtype_new_i32()};
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new(&params, 1, one);
    wasm_valtype_vec_new_empty(&results);
    wasm_functype_t *type = wasm_functype_new(&params, &results);
    CHECK_EQ(params.size, 0); /* left empty: deleting it again does no harm */
    wasm_valtype_vec_delete(&params);
    CHECK_EQ(wasm_functype_params(type)->size, 1);
    wasm_functype_delete(type);
}

TEST(global_table_memory_types) {
    wasm_limits_t limits = {2, wasm_limits_max_default}, small = {1, 7};
    wasm_globaltype_t *global = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR), *global_copy = wasm_globaltype_copy(global);
    wasm_tabletype_t *table = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits), *table_copy = wasm_tabletype_copy(table);
    wasm_memorytype_t *memory = wasm_memorytype_new(&small), *memory_copy = wasm_memorytype_copy(memory);
    CHECK_EQ(wasm_valtype_kind(wasm_globaltype_content(global_copy)), WASM_I64);
    CHECK_EQ(wasm_globaltype_mutability(global_copy), WASM_VAR);
    CHECK_EQ(wasm_valtype_kind(wasm_tabletype_element(table_copy)), WASM_FUNCREF);
    CHECK_EQ(wasm_tabletype_limits(table_copy)->min, 2);
    CHECK_EQ(wasm_tabletype_limits(table_copy)->max, wasm_limits_max_default);
    CHECK_EQ(wasm_memorytype_limits(memory_copy)->min, 1);
    CHECK_EQ(wasm_memorytype_limits(memory_copy)->max, 7);
    wasm_globaltype_delete(global);
    wasm_globaltype_delete(global_copy);
    wasm_tabletype_delete(table);
    wasm_tabletype_delete(table_copy);
    wasm_memorytype_delete(memory);
    wasm_memorytype_delete(memory_copy);
    CHECK(!wasm_globaltype_new(NULL, WASM_CONST));
    CHECK(!wasm_tabletype_new(NULL, &limits));
}

TEST(extern_types) {
    wasm_limits_t limits = {1, 1};
    wasm_externtype_t *types[] = {
        wasm_functype_as_externtype(wasm_functype_new_0_0()),
        wasm_globaltype_as_externtype(wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST)),
        wasm_tabletype_as_externtype(wasm_tabletype_new(wasm_valtype_new_funcref(), &limits)),
        wasm_memorytype_as_externtype(wasm_memorytype_new(&limits))};
    for (wasm_externkind_t i = 0; i < 4; i++) {
        wasm_externtype_t *copy = wasm_externtype_copy(types[i]);
        CHECK_EQ(wasm_externtype_kind(copy), i);
        CHECK_EQ(wasm_externtype_as_functype(copy) != NULL, i == WASM_EXTERN_FUNC);
        CHECK_EQ(wasm_externtype_as_globaltype(copy) != NULL, i == WASM_EXTERN_GLOBAL);
        CHECK_EQ(wasm_externtype_as_tabletype(copy) != NULL, i == WASM_EXTERN_TABLE);
        CHECK_EQ(wasm_externtype_as_memorytype(copy) != NULL, i == WASM_EXTERN_MEMORY);
        CHECK_EQ(wasm_externtype_as_functype_const(copy) != NULL, i == WASM_EXTERN_FUNC);
        CHECK_EQ(wasm_externtype_as_globaltype_const(copy) != NULL, i == WASM_EXTERN_GLOBAL);
        CHECK_EQ(wasm_externtype_as_tabletype_const(copy) != NULL, i == WASM_EXTERN_TABLE);
        CHECK_EQ(wasm_externtype_as_memorytype_const(copy) != NULL, i == WASM_EXTERN_MEMORY);
        wasm_externtype_delete(copy);
        wasm_externtype_delete(types[i]);
    }
}

TEST(import_and_export_types) {
    wasm_name_t module, name, export_name;
    wasm_name_new_from_string(&module, "env");
    wasm_name_new_from_string(&name, "f");
    wasm_name_new_from_string(&export_name, "g");
    wasm_importtype_t *import = wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
    wasm_exporttype_t *export = wasm_exporttype_new(&export_name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
    wasm_importtype_t *import_copy = wasm_importtype_copy(import);
    wasm_exporttype_t *export_copy = wasm_exporttype_copy(export);
    CHECK(name_is(wasm_importtype_module(import_copy), "env"));
    CHECK(name_is(wasm_importtype_name(import_copy), "f"));
    CHECK_EQ(wasm_externtype_kind(wasm_importtype_type(import_copy)), WASM_EXTERN_FUNC);
    CHECK(name_is(wasm_exporttype_name(export_copy), "g"));
    CHECK_EQ(wasm_externtype_kind(wasm_exporttype_type(export_copy)), WASM_EXTERN_FUNC);
    wasm_importtype_delete(import);
    wasm_importtype_delete(import_copy);
    wasm_exporttype_delete(export);
    wasm_exporttype_delete(export_copy);
}

TEST(vectors_of_types) {
    wasm_valtype_t *elements[] = {wasm_valtype_new_i32(), wasm_valtype_new_f64()};
    wasm_valtype_vec_t list, copy, blank;
    wasm_valtype_vec_new(&list, 2, elements);
    wasm_valtype_vec_copy(&copy, &list);
    CHECK(copy.data[1] != list.data[1]);
    CHECK(has_kinds(&copy, 2, (wasm_valkind_t[]){WASM_I32, WASM_F64}));
    wasm_valtype_vec_new_uninitialized(&blank, 3);
    CHECK(!blank.data[0] && !blank.data[2]);
    blank.data[1] = wasm_valtype_new_i64();
    wasm_valtype_vec_delete(&list);
    wasm_valtype_vec_delete(&copy);
    wasm_valtype_vec_delete(&blank);
}

TEST(vectors_too_large) {
    wasm_valtype_vec_t list;
    wasm_valtype_vec_new_uninitialized(&list, SIZE_MAX / 2);
    CHECK(!list.data);
    CHECK_EQ(list.size, 0);
}

/* ---------------------------------------------------------------- modules */

static const char sample[] = "(module (import \"env\" \"f\" (func (param i32 f64) (result i64)))"
                             " (import \"env\" \"g\" (global (mut f32)))"
                             " (import \"a\" \"t\" (table 1 2 externref))"
                             " (import \"a\" \"m\" (memory 3 4))"
                             " (global (export \"\\00x\") i32 (i32.const 7))"
                             " (export \"f again\" (func 0)) (export \"m\" (memory 0)))";

TEST(imports_of_a_module) {
    struct world w = world_new();
    wasm_importtype_vec_t imports;
    w.module = compile(w.store, sample);
    wasm_module_imports(w.module, &imports);
    if (CHECK_EQ(imports.size, 4)) {
        const wasm_functype_t *f = wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[0]));
        const wasm_globaltype_t *g = wasm_externtype_as_globaltype_const(wasm_importtype_type(imports.data[1]));
        const wasm_tabletype_t *t = wasm_externtype_as_tabletype_const(wasm_importtype_type(imports.data[2]));
        const wasm_memorytype_t *m = wasm_externtype_as_memorytype_const(wasm_importtype_type(imports.data[3]));
        CHECK(name_is(wasm_importtype_module(imports.data[0]), "env"));
        CHECK(name_is(wasm_importtype_name(imports.data[3]), "m"));
        CHECK(has_kinds(wasm_functype_params(f), 2, (wasm_valkind_t[]){WASM_I32, WASM_F64}));
        CHECK(has_kinds(wasm_functype_results(f), 1, (wasm_valkind_t[]){WASM_I64}));
        CHECK_EQ(wasm_globaltype_mutability(g), WASM_VAR);
        CHECK_EQ(wasm_valtype_kind(wasm_tabletype_element(t)), WASM_EXTERNREF);
        CHECK_EQ(wasm_tabletype_limits(t)->max, 2);
        CHECK_EQ(wasm_memorytype_limits(m)->min, 3);
    }
    wasm_importtype_vec_delete(&imports);
    world_delete(&w);
}

TEST(exports_of_a_module) {
    struct world w = world_new();
    wasm_exporttype_vec_t exports, copy;
    w.module = compile(w.store, sample);
    wasm_module_exports(w.module, &exports);
    wasm_exporttype_vec_copy(&copy, &exports);
    if (CHECK_EQ(copy.size, 3)) {
        CHECK_EQ(wasm_exporttype_name(copy.data[0])->size, 2);
        CHECK_MEM(wasm_exporttype_name(copy.data[0])->data, "\0x", 2);
        CHECK(name_is(wasm_exporttype_name(copy.data[1]), "f again"));
        CHECK_EQ(wasm_externtype_kind(wasm_exporttype_type(copy.data[2])), WASM_EXTERN_MEMORY);
    }
    wasm_exporttype_vec_delete(&exports);
    wasm_exporttype_vec_delete(&copy);
    world_delete(&w);
}

TEST(what_the_api_has_no_words_for_can_be_listed) {
    struct world w = world_new();
    wasm_exporttype_vec_t exports;
    w.module = compile(w.store, "(module (type $s (struct)) (type $f (func)) (tag (export \"tag\") (param i32))"
                                " (func (export \"f\") (param v128 anyref (ref $s) (ref null $f) exnref i31ref)))");
    wasm_module_exports(w.module, &exports);
    if (CHECK_EQ(exports.size, 2)) {
        wasm_externtype_t *tag = wasm_externtype_copy(wasm_exporttype_type(exports.data[0]));
        const wasm_functype_t *f = wasm_externtype_as_functype_const(wasm_exporttype_type(exports.data[1]));
        CHECK_EQ(wasm_externtype_kind(tag), MOTE_WASM_EXTERN_TAG);
        CHECK(has_kinds(wasm_functype_params(f), 6,
                        (wasm_valkind_t[]){MOTE_WASM_V128, MOTE_WASM_OTHER_REF, MOTE_WASM_OTHER_REF, WASM_FUNCREF, MOTE_WASM_OTHER_REF,
                                           MOTE_WASM_OTHER_REF}));
        CHECK(wasm_valkind_is_num(MOTE_WASM_V128));
        CHECK(wasm_valkind_is_ref(MOTE_WASM_OTHER_REF));
        wasm_externtype_delete(tag);
    }
    wasm_exporttype_vec_delete(&exports);
    world_delete(&w);
}

TEST(types_outlive_their_engine) {
    struct world w = world_new();
    wasm_exporttype_vec_t exports;
    w.module = compile(w.store, "(module (type $s (struct (field i32))) (func (export \"f\") (param (ref $s))))");
    wasm_module_exports(w.module, &exports);
    world_delete(&w);
    wasm_exporttype_t *copy = wasm_exporttype_copy(exports.data[0]);
    CHECK(name_is(wasm_exporttype_name(copy), "f"));
    wasm_exporttype_delete(copy);
    wasm_exporttype_vec_delete(&exports);
}

TEST(sixty_four_bit_sizes_show_as_the_largest) {
    struct world w = world_new();
    wasm_exporttype_vec_t exports;
    w.module = compile(w.store, "(module (memory (export \"m\") i64 1 0x100000000))");
    wasm_module_exports(w.module, &exports);
    if (CHECK_EQ(exports.size, 1)) {
        const wasm_memorytype_t *type = wasm_externtype_as_memorytype_const(wasm_exporttype_type(exports.data[0]));
        CHECK_EQ(wasm_memorytype_limits(type)->min, 1);
        CHECK_EQ(wasm_memorytype_limits(type)->max, 0xffffffff);
        wasm_memory_t *memory = wasm_memory_new(w.store, type); /* the type itself still knows */
        wasm_extern_t *import[] = {wasm_memory_as_extern(memory)};
        CHECK(world_load(&w, "(module (import \"\" \"m\" (memory i64 1 0x100000000)))", 1, import));
        wasm_memory_delete(memory);
    }
    wasm_exporttype_vec_delete(&exports);
    world_delete(&w);
}
