/* instance_test.c - instantiation through the public API: what imports share, what does not match and what is then said, segments, start
 * functions, failures and what they leave behind, limits. */
#include "world.h"

/* Instantiates `exporter` under the name "m", then `importer`. */
static mote_status link_pair(struct world *w, const char *exporter, const char *importer, mote_instance *first, mote_instance *second) {
    *first = world_instance(w, exporter);
    if (!first->ptr) return MOTE_E_INVALID;
    CHECK_EQ(mote_linker_define_instance(w->linker, "m", *first, &w->error), MOTE_OK);
    return world_try(w, importer, second);
}

TEST(memories_are_shared_by_reference) {
    struct world w;
    mote_instance a, b;
    world_open(&w);
    REQUIRE(link_pair(&w, "(module (memory (export \"mem\") 1 5) (func (export \"get\") (param i32) (result i32) (i32.load8_u (local.get 0))))",
                      "(module (memory (import \"m\" \"mem\") 1 6) (func (export \"put\") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))"
                      " (func (export \"grow\") (result i32) (memory.grow (i32.const 2))))",
                      &a, &b) == MOTE_OK);
    world_call_i32(&w, b, "put", 2, 77, 200);
    CHECK_EQ(world_call_i32(&w, a, "get", 1, 77), 200);
    CHECK_EQ(world_call_i32(&w, b, "grow", 0), 1);
    CHECK_EQ(world_call_i32(&w, a, "get", 1, 3 * 65536 - 1), 0);
    world_close(&w);
}

TEST(globals_are_shared_by_reference) {
    struct world w;
    mote_instance a, b;
    world_open(&w);
    REQUIRE(link_pair(&w, "(module (global $g (export \"g\") (mut i32) (i32.const 5)) (func (export \"get\") (result i32) global.get $g))",
                      "(module (global $g (import \"m\" \"g\") (mut i32)) (func (export \"set\") (global.set $g (i32.const 9))))", &a,
                      &b) == MOTE_OK);
    CHECK_EQ(world_call_i32(&w, a, "get", 0), 5);
    CHECK_EQ(world_call(&w, b, "set"), MOTE_OK);
    CHECK_EQ(world_call_i32(&w, a, "get", 0), 9);
    world_close(&w);
}

TEST(tables_are_shared_by_reference) {
    struct world w;
    mote_instance a, b;
    world_open(&w);
    REQUIRE(link_pair(&w,
                      "(module (table $t (export \"t\") 4 funcref)"
                      " (func (export \"call\") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))",
                      "(module (table (import \"m\" \"t\") 2 funcref) (elem (i32.const 1) $f $g) (global $k i32 (i32.const 30))"
                      " (func $f (result i32) global.get $k) (func $g (result i32) (i32.const 31)))",
                      &a, &b) == MOTE_OK);
    CHECK_EQ(world_call_i32(&w, a, "call", 1, 1), 30);
    CHECK_EQ(world_call_i32(&w, a, "call", 1, 2), 31);
    CHECK_EQ(world_call_i32(&w, a, "call", 1, 0), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_UNINITIALIZED_ELEMENT);
    CHECK_EQ(world_call_i32(&w, a, "call", 1, 4), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_UNDEFINED_ELEMENT);
    world_close(&w);
}

TEST(tags_and_functions_are_shared_by_reference) {
    struct world w;
    mote_instance a, b;
    world_open(&w);
    REQUIRE(link_pair(&w,
                      "(module (tag $e (export \"e\") (param i32)) (tag $own (param i32))"
                      " (func (export \"throw\") (throw $e (i32.const 6))) (func (export \"other\") (throw $own (i32.const 7))))",
                      "(module (tag $e (import \"m\" \"e\") (param i32)) (import \"m\" \"throw\" (func $throw)) (import \"m\" \"other\" (func $other))"
                      " (func (export \"same\") (result i32) (block $h (result i32) (try_table (catch $e $h) call $throw) (i32.const 0)))"
                      " (func (export \"different\") (result i32) (block $h (result i32) (try_table (catch $e $h) call $other) (i32.const 0))))",
                      &a, &b) == MOTE_OK);
    CHECK_EQ(world_call_i32(&w, b, "same", 0), 6);
    CHECK_EQ(world_call_i32(&w, b, "different", 0), UINT32_MAX - MOTE_E_EXCEPTION);
    mote_ref exception = mote_store_take_exception(w.store);
    CHECK_EQ(mote_ref_heap(w.store, exception), MOTE_HEAP_EXN);
    mote_value value;
    CHECK_EQ(mote_exception_value(w.store, exception, 0, &value, &w.error), MOTE_OK);
    CHECK_EQ(value.of.i32, 7);
    world_close(&w);
}

/* ---------------------------------------------------------------- what does not match */

#define EXPORTS                                                                                                                             \
    "(module (func (export \"f\") (param i32)) (memory (export \"mem\") 1 3) (table (export \"t\") 2 5 funcref)"                            \
    " (global (export \"g\") i32 (i32.const 0)) (global (export \"v\") (mut i64) (i64.const 0)) (tag (export \"e\") (param i32))"            \
    " (memory (export \"m64\") i64 1))"

TEST(mismatches_name_both_types) {
    static const struct {
        const char *import, *message;
    } rows[] = {
        {"(func (import \"m\" \"f\"))", "incompatible import type \"m\".\"f\": expected (func), found (func (param i32))"},
        {"(func (import \"m\" \"nope\") (param i32))", "unknown import \"m\".\"nope\": expected (func (param i32)), found nothing"},
        {"(func (import \"m\" \"g\"))", "incompatible import type \"m\".\"g\": expected (func), found (global i32)"},
        {"(memory (import \"m\" \"mem\") 2)", "incompatible import type \"m\".\"mem\": expected (memory 2), found (memory 1 3)"},
        {"(memory (import \"m\" \"mem\") 1 2)", "incompatible import type \"m\".\"mem\": expected (memory 1 2), found (memory 1 3)"},
        {"(memory (import \"m\" \"mem\") i64 1)", "incompatible import type \"m\".\"mem\": expected (memory i64 1), found (memory 1 3)"},
        {"(memory (import \"m\" \"mem\") 1 3 shared)", "incompatible import type \"m\".\"mem\": expected (memory 1 3 shared), found (memory 1 3)"},
        {"(memory (import \"m\" \"m64\") i64 1 9)", "incompatible import type \"m\".\"m64\": expected (memory i64 1 9), found (memory i64 1)"},
        {"(table (import \"m\" \"t\") 3 funcref)", "incompatible import type \"m\".\"t\": expected (table 3 funcref), found (table 2 5 funcref)"},
        {"(table (import \"m\" \"t\") 1 externref)", "incompatible import type \"m\".\"t\": expected (table 1 externref), found (table 2 5 funcref)"},
        {"(global (import \"m\" \"g\") (mut i32))", "incompatible import type \"m\".\"g\": expected (global (mut i32)), found (global i32)"},
        {"(global (import \"m\" \"v\") i64)", "incompatible import type \"m\".\"v\": expected (global i64), found (global (mut i64))"},
        {"(tag (import \"m\" \"e\") (param i64))", "incompatible import type \"m\".\"e\": expected (tag (param i64)), found (tag (param i32))"},
    };
    struct world w;
    world_open(&w);
    mote_instance exporter = world_instance(&w, EXPORTS), none;
    CHECK_EQ(mote_linker_define_instance(w.linker, "m", exporter, &w.error), MOTE_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, "(module %s)", rows[i].import);
        CHECK_EQ(world_try(&w, text, &none), MOTE_E_LINK);
        CHECK_STR(w.error.message, rows[i].message);
    }
    world_close(&w);
}

TEST(matches_use_current_sizes_and_subtypes) {
    struct world w;
    mote_instance exporter, importer;
    world_open(&w);
    CHECK_EQ(link_pair(&w,
                       "(module (memory (export \"mem\") 1 9) (table (export \"t\") 1 9 funcref) (func $f (export \"f\"))"
                       " (global (export \"r\") (ref func) (ref.func $f)) (func (export \"grow\") (result i32)"
                       " (drop (memory.grow (i32.const 2))) (table.grow (ref.null func) (i32.const 3))))",
                       "(module (global (import \"m\" \"r\") funcref))", &exporter, &importer),
             MOTE_OK);
    CHECK_EQ(world_try(&w, "(module (memory (import \"m\" \"mem\") 3))", &importer), MOTE_E_LINK);
    CHECK_EQ(world_call_i32(&w, exporter, "grow", 0), 1);
    CHECK_EQ(world_try(&w, "(module (memory (import \"m\" \"mem\") 3 9) (table (import \"m\" \"t\") 4 9 funcref))", &importer), MOTE_OK);
    world_close(&w);
}

TEST(imports_of_another_store_or_engine) {
    struct world a, b;
    world_open(&a);
    world_open(&b);
    mote_store *second;
    mote_instance exporter = world_instance(&a, EXPORTS), none;
    mote_extern import;
    mote_module *module = world_module(&a, "(module (func (import \"m\" \"f\") (param i32)))");
    REQUIRE(mote_instance_find(exporter, "f", 1, &import));
    REQUIRE(mote_store_new(a.engine, NULL, &second, &a.error) == MOTE_OK);
    CHECK_EQ(mote_instance_new(second, module, &import, 1, &none, &a.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_instance_new(b.store, module, &import, 1, &none, &b.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_linker_define(b.linker, "m", "f", import, &b.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_instance_new(a.store, module, NULL, 0, &none, &a.error), MOTE_E_LINK);
    CHECK_EQ(mote_instance_new(a.store, module, &import, 2, &none, &a.error), MOTE_E_ARGUMENT);
    CHECK_EQ(mote_instance_new(a.store, module, &import, 1, &none, &a.error), MOTE_OK);
    CHECK_EQ(mote_linker_define_instance(a.linker, "m", exporter, &a.error), MOTE_OK);
    CHECK_EQ(mote_linker_instantiate(a.linker, second, module, &none, &a.error), MOTE_E_ARGUMENT);
    CHECK_STR(a.error.message, "the definition of \"m\".\"f\" belongs to another store");
    mote_module_delete(module);
    mote_store_delete(second);
    world_close(&a);
    world_close(&b);
}

/* ---------------------------------------------------------------- segments, start */

TEST(segments_start_and_constant_expressions) {
    struct world w;
    world_open(&w);
    mote_instance inst = world_instance(
        &w, "(module (memory 1) (global $a i32 (i32.const 3)) (global $b (mut i32) (i32.add (global.get $a) (i32.const 4)))"
            " (global $v v128 (v128.const i64x2 1 2)) (data (i32.add (global.get $a) (i32.const 1)) \"\\05\") (data $p \"abc\")"
            " (table $t 4 funcref (ref.func $one)) (elem (table $t) (offset (global.get $a)) funcref (ref.func $two))"
            " (elem $e funcref (ref.func $two) (ref.null func))"
            " (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))"
            " (start $s) (func $s (global.set $b (i32.mul (global.get $b) (i32.load8_u (i32.const 4)))))"
            " (func (export \"b\") (result i32) global.get $b)"
            " (func (export \"v\") (result i32) (i32.wrap_i64 (i64x2.extract_lane 1 (global.get $v))))"
            " (func (export \"call\") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))"
            " (func (export \"init\") (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))"
            "   (memory.init $p (i32.const 9) (i32.const 1) (i32.const 2)))"
            " (func (export \"drop\") (elem.drop $e) (data.drop $p)) (func (export \"at\") (param i32) (result i32) (i32.load8_u (local.get 0))))");
    CHECK_EQ(world_call_i32(&w, inst, "b", 0), 35);
    CHECK_EQ(world_call_i32(&w, inst, "v", 0), 2);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 0), 1);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 3), 2);
    CHECK_EQ(world_call(&w, inst, "init"), MOTE_OK);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 0), 2);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 1), UINT32_MAX - MOTE_E_TRAP);
    CHECK_EQ(world_call_i32(&w, inst, "at", 1, 10), 'c');
    CHECK_EQ(world_call(&w, inst, "drop"), MOTE_OK);
    CHECK_EQ(world_call(&w, inst, "init"), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_TABLE_OUT_OF_BOUNDS);
    world_close(&w);
}

/* Several active segments over each other: the later wins, whichever of them is lazy. */
TEST(overlapping_element_segments) {
    struct world w;
    world_open(&w);
    mote_instance inst = world_instance(
        &w, "(module (table $t 6 funcref) (elem (table $t) (i32.const 3) funcref (ref.func $c)) (elem (i32.const 0) $a $a $a $a) (elem (i32.const 1) $b $b)"
            " (elem (table $t) (i32.const 2) funcref (ref.null func))"
            " (func $a (result i32) (i32.const 1)) (func $b (result i32) (i32.const 2)) (func $c (result i32) (i32.const 3))"
            " (func (export \"call\") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))"
            " (func (export \"copy\") (table.copy $t $t (i32.const 4) (i32.const 2) (i32.const 2)))"
            " (func (export \"null\") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0)))))");
    CHECK_EQ(world_call_i32(&w, inst, "copy", 0), 0);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 0), 1);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 1), 2);
    CHECK_EQ(world_call_i32(&w, inst, "null", 1, 2), 1);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 3), 1);
    CHECK_EQ(world_call_i32(&w, inst, "null", 1, 4), 1);
    CHECK_EQ(world_call_i32(&w, inst, "call", 1, 5), 1);
    world_close(&w);
}

/* ---------------------------------------------------------------- failures */

TEST(a_failed_instantiation_leaves_what_it_wrote) {
    struct world w;
    world_open(&w);
    mote_instance none, exporter = world_instance(&w, "(module (memory (export \"mem\") 1) (table (export \"t\") 4 funcref)"
                                                      " (func (export \"at\") (param i32) (result i32) (i32.load8_u (local.get 0)))"
                                                      " (func (export \"call\") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))");
    CHECK_EQ(mote_linker_define_instance(w.linker, "m", exporter, &w.error), MOTE_OK);
    CHECK_EQ(world_try(&w,
                       "(module (memory (import \"m\" \"mem\") 1) (table (import \"m\" \"t\") 4 funcref) (global $g i32 (i32.const 12))"
                       " (func $f (result i32) global.get $g) (elem (i32.const 1) $f) (data (i32.const 5) \"x\") (data (i32.const 65535) \"yz\"))",
                       &none),
             MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK_STR(w.error.message, "out of bounds memory access (data segment 1)");
    CHECK_EQ(world_call_i32(&w, exporter, "at", 1, 5), 'x');
    CHECK_EQ(world_call_i32(&w, exporter, "at", 1, 65535), 0);
    CHECK_EQ(world_call_i32(&w, exporter, "call", 1, 1), 12); /* the function has escaped, its instance lives */
    CHECK_EQ(world_try(&w, "(module (table (import \"m\" \"t\") 4 funcref) (func $f) (elem (i32.const 4) $f))", &none), MOTE_E_TRAP);
    CHECK_STR(w.error.message, "out of bounds table access (element segment 0)");
    CHECK_EQ(world_try(&w, "(module (memory (import \"m\" \"mem\") 1) (data (i32.const 6) \"q\") (func $s unreachable) (start $s))", &none), MOTE_E_TRAP);
    CHECK_EQ(w.error.trap, MOTE_TRAP_UNREACHABLE);
    CHECK_EQ(world_call_i32(&w, exporter, "at", 1, 6), 'q');
    world_close(&w);
}

TEST(limits_on_instances_memories_tables) {
    struct world w;
    mote_limits limits;
    mote_instance inst;
    mote_limits_init(&limits);
    limits.instances_max = 2;
    limits.memory_bytes_max = 3 * 65536;
    limits.table_elements_max = 10;
    world_open_with(&w, NULL, &limits);
    CHECK_EQ(world_try(&w, "(module (memory 2) (memory 2))", &inst), MOTE_E_LIMIT);
    CHECK_EQ(mote_store_memory_bytes(w.store), 0); /* the first memory went with the failure */
    CHECK_EQ(world_try(&w, "(module (memory 2) (table 11 funcref))", &inst), MOTE_E_LIMIT);
    CHECK_EQ(mote_store_memory_bytes(w.store), 0);
    inst = world_instance(&w, "(module (memory 2) (table 8 funcref) (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
                              " (func (export \"more\") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))");
    CHECK_EQ(world_call_i32(&w, inst, "grow", 1, 2), UINT32_MAX);
    CHECK_EQ(world_call_i32(&w, inst, "grow", 1, 1), 2);
    CHECK_EQ(world_call_i32(&w, inst, "more", 1, 3), UINT32_MAX);
    CHECK_EQ(world_call_i32(&w, inst, "more", 1, 2), 8);
    CHECK_EQ(mote_store_memory_bytes(w.store), 3 * 65536);
    CHECK_EQ(world_try(&w, "(module)", &inst), MOTE_OK);
    CHECK_EQ(world_try(&w, "(module)", &inst), MOTE_E_LIMIT);
    CHECK_STR(w.error.message, "the store has 2 instances, its limit");
    world_close(&w);
}

TEST(exports_are_found_and_listed) {
    struct world w;
    mote_func func;
    mote_extern external;
    world_open(&w);
    mote_instance inst = world_instance(&w, "(module (func (export \"run\")) (func (export \"stop\")) (memory (export \"mem\") 1))");
    CHECK_EQ(mote_instance_func(inst, "foo", &func, &w.error), MOTE_E_NOT_FOUND);
    CHECK_STR(w.error.message, "no such export \"foo\"; it exports the functions \"run\", \"stop\"");
    CHECK_EQ(mote_instance_func(inst, "mem", &func, &w.error), MOTE_E_NOT_FOUND);
    CHECK_STR(w.error.message, "the export \"mem\" is no function; it exports the functions \"run\", \"stop\"");
    REQUIRE(mote_instance_find(inst, "mem", 3, &external));
    CHECK_EQ(external.kind, MOTE_EXTERN_MEMORY);
    CHECK(mote_extern_store(external) == w.store);
    CHECK(!mote_instance_find(inst, "memo", 4, &external));
    mote_extern a = mote_instance_export(inst, 0), b = mote_instance_export(inst, 0);
    CHECK(a.of.func.ptr && a.of.func.ptr == b.of.func.ptr);
    world_close(&w);
}
