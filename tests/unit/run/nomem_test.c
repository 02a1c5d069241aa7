/* nomem_test.c - the nth allocation failing over loading, linking, running and deleting, for every n with small modules and for some with a large one:
 * each run ends with MOTE_E_NOMEM or a trap that says so, and nothing is left. */
#include "world.h"
#include <stdio.h>
#include <stdlib.h>

static mote_status twice(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)env, (void)caller;
    results[0].of.i32 = 2 * args[0].of.i32;
    results[1] = args[1];
    return MOTE_OK;
}

/* An engine and what hangs on it, opened step by step. */
struct run {
    mote_engine *engine;
    mote_store *store;
    mote_linker *linker;
    mote_module *module;
    const mote_type *type;
    mote_instance instance;
    mote_error error;
};

static mote_status link(struct run *r, const char *text) {
    static const mote_valtype types[] = {{.kind = MOTE_I32}, {.kind = MOTE_REF, .heap = MOTE_HEAP_EXTERN, .nullable = 1}};
    mote_status status = mote_store_new(r->engine, NULL, &r->store, &r->error);
    if (status == MOTE_OK) status = mote_linker_new(r->engine, &r->linker, &r->error);
    if (status == MOTE_OK) status = mote_type_new_func(r->engine, types, 2, types, 2, &r->type, &r->error);
    if (status == MOTE_OK) status = mote_linker_define_func(r->linker, "env", "twice", r->type, twice, NULL, &r->error);
    if (status == MOTE_OK) status = mote_linker_define_func(r->linker, "env", "twice", r->type, twice, NULL, &r->error);
    if (status == MOTE_OK) status = mote_module_new(r->engine, text, strlen(text), 0, &r->module, &r->error);
    if (status == MOTE_OK) status = mote_linker_instantiate(r->linker, r->store, r->module, &r->instance, &r->error);
    if (status == MOTE_OK) status = mote_linker_define_instance(r->linker, "again", r->instance, &r->error);
    return status;
}

/* Calls every exported function with zeros. */
static mote_status call_all(struct run *r) {
    mote_status status = MOTE_OK;
    for (size_t i = 0; status == MOTE_OK && i < mote_module_export_count(r->module); i++) {
        mote_extern external = mote_instance_export(r->instance, i);
        mote_value results[4];
        if (external.kind != MOTE_EXTERN_FUNC) continue;
        if (!external.of.func.ptr) return MOTE_E_NOMEM;
        status = mote_call(r->store, external.of.func, NULL, 0, results, mote_type_result_count(mote_func_type(external.of.func)), &r->error);
    }
    return status;
}

static bool is_out_of_memory(const struct run *r, mote_status status) {
    return status == MOTE_E_NOMEM ||
           (status == MOTE_E_TRAP && (r->error.trap == MOTE_TRAP_ALLOCATION_FAILED || r->error.trap == MOTE_TRAP_GC_HEAP_EXHAUSTED));
}

static bool load_link_run(const mote_allocator *a, void *text) {
    struct run r = {0};
    mote_config config;
    mote_config_init(&config);
    config.allocator = *a;
    mote_status status = mote_engine_new(&config, &r.engine, &r.error);
    if (status == MOTE_OK) {
        status = link(&r, text);
        if (status == MOTE_OK) status = call_all(&r);
    }
    if (status != MOTE_OK && !CHECK(is_out_of_memory(&r, status))) printf("  %d: %s\n", status, r.error.message);
    mote_linker_delete(r.linker);
    mote_store_delete(r.store);
    mote_type_delete(r.type);
    mote_module_delete(r.module);
    mote_engine_delete(r.engine);
    return status == MOTE_OK;
}

static void sweep(const char *text) { CHECK(fail_alloc_sweep(load_link_run, (void *)(uintptr_t)text) > 20); }

TEST(functions_tables_memories) {
    sweep("(module (import \"env\" \"twice\" (func $twice (param i32 externref) (result i32 externref)))"
          " (memory (export \"mem\") 1 4) (memory 1 2 shared) (global $g (export \"g\") (mut i32) (i32.add (i32.const 1) (i32.const 2)))"
          " (table $t (export \"t\") 4 funcref) (elem (i32.const 1) $a $b) (elem $p funcref (ref.func $a) (ref.null func)) (data (i32.const 1) \"abc\")"
          " (tag (export \"e\") (param i32))"
          " (func $a (result i32) (i32.const 1)) (func $b (result i32) (i32.const 2))"
          " (func (export \"host\") (result i32 externref) (call $twice (i32.const 4) (ref.null extern)))"
          " (func (export \"indirect\") (result i32) (call_indirect $t (result i32) (i32.const 2)))"
          " (func (export \"init\") (table.init $t $p (i32.const 0) (i32.const 0) (i32.const 2)))"
          " (func (export \"set\") (global.set $g (i32.const 3)) (table.set $t (i32.const 3) (ref.func $b))))");
}

TEST(objects_and_exceptions) {
    sweep("(module (type $s (struct (field i32) (field (mut anyref)))) (type $r (array (mut i32))) (tag $e (param i32))"
          " (global $o (export \"o\") (ref $s) (struct.new $s (i32.const 1) (ref.null any))) (elem $i i31ref (ref.i31 (i32.const 1)))"
          " (func (export \"make\") (result anyref) (struct.new $s (i32.const 5) (array.new $r (i32.const 1) (i32.const 10))))"
          " (func (export \"catch\") (result i32) (block $h (result i32) (try_table (catch $e $h) (throw $e (i32.const 3))) (i32.const 0))))");
}

/* The text of a module of 2,000 functions, each calling the next one, with types and segments; the caller frees it. */
static char *large_text(void) {
    enum { FUNCS = 2000, FUNC_BYTES = 512 };
    char *text = malloc(FUNCS * FUNC_BYTES), *at = text;
    if (!text) return NULL;
    at += sprintf(at, "(module (import \"env\" \"twice\" (func (param i32 externref) (result i32 externref))) (memory 1) (table 2000 funcref)");
    for (int i = 0; i < FUNCS; i++) {
        at += sprintf(at, " (func $f%d (type $t%d) (local i64 f64) (if (i32.rem_u (local.get 0) (i32.const 10)) (then (drop", i, i % 100);
        at += sprintf(at, " (call $f%d (i32.sub (local.get 0) (i32.const 1)))))) (i32.add (local.get 0) (i32.load offset=%d (i32.const 0))))", (i + 1) % FUNCS, i);
        if (i < 100) at += sprintf(at, " (type $t%d (func (param i32) (result i32))) (data (i32.const %d) \"data\")", i, i * 8);
        if (i % 10 == 0) at += sprintf(at, " (elem (i32.const %d) $f%d) (func (export \"%d\") (result i32) (call $f%d (i32.const 9)))", i, i, i, i);
    }
    strcpy(at, ")");
    return text;
}

TEST(large_module) {
    char *text = large_text();
    if (CHECK(text)) CHECK(fail_alloc_sample(load_link_run, text, 40) > 1000);
    free(text);
}

/* Functions that grow say -1 in place of failing: only that nothing leaks. */
static bool grow(const mote_allocator *a, void *ctx) {
    struct run r = {0};
    mote_config config;
    mote_extern table;
    (void)ctx;
    mote_config_init(&config);
    config.allocator = *a;
    mote_status status = mote_engine_new(&config, &r.engine, &r.error);
    if (status == MOTE_OK) status = link(&r, "(module (table (export \"t\") 1 externref) (memory 1))");
    if (status == MOTE_OK && mote_instance_find(r.instance, "t", 1, &table)) {
        status = mote_table_grow(table.of.table, 100, NULL, NULL, &r.error);
        if (status == MOTE_OK) status = mote_store_attach(r.store, &r, NULL, NULL, &r.error);
        if (status == MOTE_OK) status = mote_store_set_timeout(r.store, UINT64_C(1) << 50, &r.error);
    }
    mote_linker_delete(r.linker);
    mote_store_delete(r.store);
    mote_type_delete(r.type);
    mote_module_delete(r.module);
    mote_engine_delete(r.engine);
    return status == MOTE_OK;
}

TEST(growing_and_hanging_things_on_stores) { CHECK(fail_alloc_sweep(grow, NULL) > 20); }
