/* wasm_memory_test.c - the standard C API without memory: each allocation of a whole program fails once; nothing may crash, leak, or pretend. */
#include "api/wasm_c_api_test.h"
#include "fail_alloc.h"
#include <mote/mote.h>

static const char text[] = "(module (import \"env\" \"ask\" (func $ask (param i32 externref) (result externref)))"
                           " (table (export \"table\") 1 4 funcref) (memory (export \"memory\") 1)"
                           " (global (export \"global\") (mut externref) (ref.null extern))"
                           " (func (export \"run\") (param i32 externref) (result externref)"
                           "  (call $ask (local.get 0) (local.get 1)))"
                           " (func (export \"trap\") (unreachable)))";
enum { TABLE, MEMORY, GLOBAL, RUN, TRAP, EXPORT_COUNT };

struct program {
    struct world w;
    wasm_foreign_t *foreign;
    wasm_func_t *ask;
    int finalized;
};

static wasm_trap_t *ask(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct program *p = env;
    if (!args->data[0].of.i32) return trap_with(p->w.store, "zero");
    wasm_val_copy(&results->data[0], &args->data[1]);
    return NULL;
}

static void finalize(void *env) { ((struct program *)env)->finalized++; }

/* ---------------------------------------------------------------- the steps; false: no memory */

static bool set_up(struct program *p) {
    p->w.engine = wasm_engine_new_with_config(wasm_config_new());
    p->w.store = wasm_store_new(p->w.engine);
    p->foreign = p->w.store ? wasm_foreign_new(p->w.store) : NULL;
    return p->foreign;
}

static bool describe(const struct program *p) {
    wasm_importtype_vec_t imports, import_copies;
    wasm_exporttype_vec_t exports, export_copies;
    wasm_byte_vec_t bytes;
    wasm_module_imports(p->w.module, &imports);
    wasm_module_exports(p->w.module, &exports);
    wasm_importtype_vec_copy(&import_copies, &imports);
    wasm_exporttype_vec_copy(&export_copies, &exports);
    wasm_module_serialize(p->w.module, &bytes);
    bool whole = import_copies.size == 1 && export_copies.size == EXPORT_COUNT && bytes.size;
    wasm_importtype_vec_delete(&imports);
    wasm_exporttype_vec_delete(&exports);
    wasm_importtype_vec_delete(&import_copies);
    wasm_exporttype_vec_delete(&export_copies);
    wasm_byte_vec_delete(&bytes);
    return whole;
}

static bool load(struct program *p) {
    wasm_byte_vec_t bytes;
    wasm_byte_vec_new(&bytes, sizeof text - 1, text);
    p->w.module = bytes.data ? wasm_module_new(p->w.store, &bytes) : NULL;
    wasm_byte_vec_delete(&bytes);
    return p->w.module && describe(p);
}

static bool make_func(struct program *p) {
    wasm_functype_t *type = wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_externref(), wasm_valtype_new_externref());
    if (type) p->ask = wasm_func_new_with_env(p->w.store, type, ask, p, finalize);
    wasm_functype_delete(type);
    return p->ask;
}

static bool instantiate(struct program *p) {
    wasm_extern_t *import[] = {wasm_func_as_extern(p->ask)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(import);
    p->w.instance = wasm_instance_new(p->w.store, p->w.module, &imports, &p->w.trap);
    CHECK_EQ(p->w.instance == NULL, p->w.trap != NULL);
    if (!p->w.instance) return false;
    wasm_instance_exports(p->w.instance, &p->w.exports);
    return p->w.exports.size == EXPORT_COUNT;
}

static bool call(struct program *p) {
    wasm_val_t args[] = {WASM_I32_VAL(1), WASM_REF_VAL(wasm_foreign_as_ref(p->foreign))}, results[] = {WASM_INIT_VAL};
    wasm_val_vec_t given = WASM_ARRAY_VEC(args), taken = WASM_ARRAY_VEC(results);
    wasm_trap_t *trap = wasm_func_call(func_at(&p->w, RUN), &given, &taken);
    bool passed = !trap && wasm_ref_same(results[0].of.ref, wasm_foreign_as_ref(p->foreign));
    if (!trap) wasm_val_delete(&results[0]);
    wasm_trap_delete(trap);
    return passed;
}

/* A trap always comes; without memory it says so, or has no frames. */
static bool is_whole_trap(const wasm_trap_t *trap, const char *says) {
    wasm_message_t message;
    wasm_frame_vec_t trace, copy;
    wasm_trap_message(trap, &message);
    wasm_trap_trace(trap, &trace);
    wasm_frame_vec_copy(&copy, &trace);
    wasm_frame_t *origin = wasm_trap_origin(trap);
    bool whole = origin && wasm_frame_module_offset(origin) && copy.size == 1 && message.data && !strcmp(message.data, says);
    wasm_frame_delete(origin);
    wasm_frame_vec_delete(&trace);
    wasm_frame_vec_delete(&copy);
    wasm_byte_vec_delete(&message);
    return whole;
}

static bool fail_a_call(struct program *p, size_t export, const char *says) {
    wasm_val_t args[] = {WASM_I32_VAL(0), WASM_INIT_VAL}, results[] = {WASM_INIT_VAL};
    wasm_val_vec_t given = {wasm_func_param_arity(func_at(&p->w, export)), args}, taken = WASM_ARRAY_VEC(results);
    wasm_trap_t *trap = wasm_func_call(func_at(&p->w, export), &given, &taken);
    bool whole = CHECK(trap) && is_whole_trap(trap, says);
    wasm_trap_delete(trap);
    return whole;
}

static bool use_externs(struct program *p) {
    wasm_table_t *table = wasm_extern_as_table(p->w.exports.data[TABLE]);
    wasm_global_t *global = wasm_extern_as_global(p->w.exports.data[GLOBAL]);
    wasm_val_t value = WASM_REF_VAL(wasm_foreign_as_ref(p->foreign)), got;
    bool grown = wasm_table_grow(table, 2, wasm_func_as_ref(p->ask));
    wasm_ref_t *ref = grown ? wasm_table_get(table, 2) : NULL;
    wasm_global_set(global, &value);
    wasm_global_get(global, &got);
    bool same = wasm_ref_same(ref, wasm_func_as_ref(p->ask)) && wasm_ref_same(got.of.ref, value.of.ref);
    wasm_val_delete(&got);
    wasm_ref_delete(ref);
    return same && wasm_memory_grow(wasm_extern_as_memory(p->w.exports.data[MEMORY]), 1);
}

static bool make_externs(struct program *p) {
    wasm_limits_t limits = {1, 2};
    wasm_val_t value = WASM_I32_VAL(1);
    wasm_globaltype_t *global_type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
    wasm_tabletype_t *table_type = wasm_tabletype_new(wasm_valtype_new_externref(), &limits);
    wasm_memorytype_t *memory_type = wasm_memorytype_new(&limits);
    wasm_global_t *global = global_type ? wasm_global_new(p->w.store, global_type, &value) : NULL;
    wasm_table_t *table = table_type ? wasm_table_new(p->w.store, table_type, wasm_foreign_as_ref(p->foreign)) : NULL;
    wasm_memory_t *memory = memory_type ? wasm_memory_new(p->w.store, memory_type) : NULL;
    bool whole = global && table && memory;
    wasm_global_delete(global);
    wasm_table_delete(table);
    wasm_memory_delete(memory);
    wasm_globaltype_delete(global_type);
    wasm_tabletype_delete(table_type);
    wasm_memorytype_delete(memory_type);
    return whole;
}

static bool run_program(struct program *p) {
    return set_up(p) && load(p) && make_func(p) && instantiate(p) && call(p) && fail_a_call(p, RUN, "zero") &&
           fail_a_call(p, TRAP, "unreachable") && use_externs(p) && make_externs(p);
}

static bool whole_program(const mote_allocator *allocator, void *context) {
    struct program p = {.finalized = 0};
    (void)context;
    mote_wasm_set_allocator(allocator);
    bool succeeded = run_program(&p), has_func = p.ask != NULL;
    wasm_func_delete(p.ask);
    wasm_foreign_delete(p.foreign);
    world_delete(&p.w);
    CHECK_EQ(p.finalized, has_func);
    mote_wasm_set_allocator(NULL);
    return succeeded;
}

TEST(every_allocation_of_a_program_may_fail) {
    uint64_t count = fail_alloc_sweep(whole_program, NULL);
    printf("  %" PRIu64 " allocations\n", count);
    CHECK(count > 100);
}
