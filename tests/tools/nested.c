/* nested.c - a program whose host function calls WebAssembly again, for a debugger to look at: main, outer, host, inner, host, bottom. Compiled code is on a
 * stack of its own each time. Without a debugger it prints 42. */
#include <mote/mote.h>
#include <stdio.h>
#include <string.h>

struct world {
    mote_store *store;
    mote_instance instance;
};

__attribute__((noinline, visibility("default"))) void bottom(void);
void bottom(void) { __asm__ volatile("nop"); } /* where the test stops */

/* Calls an export of no parameters. */
static mote_status call(struct world *w, const char *name, mote_value *result) {
    mote_func func;
    mote_status status = mote_instance_func(w->instance, name, &func, NULL);
    return status == MOTE_OK ? mote_call(w->store, func, NULL, 0, result, 1, NULL) : status;
}

static mote_status host(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    (void)caller;
    if (args[0].of.i32) return call(env, "inner", results);
    bottom();
    results[0] = MOTE_VALUE_I32(40);
    return MOTE_OK;
}

static mote_status run(const mote_config *config, const char *text, uint32_t *out) {
    struct world w = {0};
    mote_engine *engine = NULL;
    mote_module *module = NULL;
    mote_linker *linker = NULL;
    const mote_type *type = NULL;
    mote_value result = MOTE_VALUE_I32(0);
    mote_valtype i32 = MOTE_VALTYPE(MOTE_I32);
    mote_status status = mote_engine_new(config, &engine, NULL);
    if (status == MOTE_OK) status = mote_store_new(engine, NULL, &w.store, NULL);
    if (status == MOTE_OK) status = mote_linker_new(engine, &linker, NULL);
    if (status == MOTE_OK) status = mote_module_new(engine, text, strlen(text), 0, &module, NULL);
    if (status == MOTE_OK) status = mote_type_new_func(engine, &i32, 1, &i32, 1, &type, NULL);
    if (status == MOTE_OK) status = mote_linker_define_func(linker, "env", "host", type, host, &w, NULL);
    if (status == MOTE_OK) status = mote_linker_instantiate(linker, w.store, module, &w.instance, NULL);
    if (status == MOTE_OK) status = call(&w, "outer", &result);
    *out = result.of.i32;
    mote_type_delete(type);
    mote_linker_delete(linker);
    mote_store_delete(w.store);
    mote_module_delete(module);
    mote_engine_delete(engine);
    return status;
}

int main(void) {
    static const char text[] = "(module (import \"env\" \"host\" (func $host (param i32) (result i32)))"
                               " (func $inner (export \"inner\") (result i32) (i32.add (call $host (i32.const 0)) (i32.const 1)))"
                               " (func $outer (export \"outer\") (result i32) (i32.add (call $host (i32.const 1)) (i32.const 1))))";
    mote_config config;
    uint32_t result;
    mote_config_init(&config);
    config.debug_info = true;
    if (run(&config, text, &result) != MOTE_OK) return 1;
    printf("%u\n", result);
    return 0;
}
