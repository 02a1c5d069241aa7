/* embed_mote.c - a program that runs WebAssembly through mote.h, mote's own API: it gives the module a function, puts numbers into its memory, calls
 * what it exports, and shows what a trap says. embed_wasm.c does the same through the standard C API.
 *   cc embed_mote.c $(pkg-config --cflags --libs mote) -o embed_mote */
#include <mote/mote.h>
#include <stdio.h>
#include <string.h>

/* What we run. It could as well be the bytes of a .wasm file: mote tells text and binary apart by itself. */
static const char text[] =
    "(module"
    "  (import \"host\" \"log\" (func $log (param $at i32) (param $size i32)))"
    "  (memory (export \"memory\") 1)"
    "  (data (i32.const 16) \"dividing\")"
    "  (func $divide (param $sum i32) (param $count i32) (result i32)"
    "    (call $log (i32.const 16) (i32.const 8))"
    "    (i32.div_s (local.get $sum) (local.get $count)))"
    "  (func $average (export \"average\") (param $at i32) (param $count i32) (result i32)"
    "    (local $sum i32) (local $left i32)"
    "    (local.set $left (local.get $count))"
    "    (block $done (loop $next"
    "      (br_if $done (i32.eqz (local.get $left)))"
    "      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))"
    "      (local.set $at (i32.add (local.get $at) (i32.const 4)))"
    "      (local.set $left (i32.sub (local.get $left) (i32.const 1)))"
    "      (br $next)))"
    "    (call $divide (local.get $sum) (local.get $count)))"
    "  (func (export \"shout\") (call $log (i32.const 65530) (i32.const 100))))";

/* The function that the module imports. `env` is ours (here a counter). The caller tells whose memory the address is meant for. What comes from
 * WebAssembly is not to be trusted: check it, and end the call with an error if it is wrong. */
static mote_status host_log(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    unsigned *lines = env;
    mote_memory memory = mote_caller_memory(caller);
    uint32_t at = args[0].of.i32, size = args[1].of.i32;
    (void)results; /* it has none */
    if (!memory.ptr || at > mote_memory_bytes(memory) || size > mote_memory_bytes(memory) - at)
        return mote_caller_fail(caller, MOTE_E_TRAP, MOTE_TRAP_HOST, "log: the text lies outside the memory");
    printf("  [%u] %.*s\n", ++*lines, (int)size, (const char *)mote_memory_data(memory) + at);
    return MOTE_OK;
}

/* The innermost frame comes first. Names are from the module's name section, which text modules get from their $names. */
static void print_backtrace(const mote_store *store) {
    mote_frame frame;
    for (size_t i = 0; mote_store_frame(store, i, &frame); i++)
        printf("  #%zu function %u %.*s, byte %u of the module\n", i, (unsigned)frame.func_index, (int)frame.func_name.size,
               frame.func_name.data, (unsigned)frame.offset);
}

/* Calls average(at, count) and says how it went. */
static void average(mote_store *store, mote_func func, uint32_t at, uint32_t count) {
    mote_value args[] = {MOTE_VALUE_I32(at), MOTE_VALUE_I32(count)}, result;
    mote_error error;
    printf("average(%u, %u)\n", (unsigned)at, (unsigned)count);
    if (mote_call(store, func, args, 2, &result, 1, &error) == MOTE_OK) {
        printf("  = %d\n", (int)result.of.i32);
        return;
    }
    printf("  failed: %s\n", error.message); /* the store is fine and can be used on */
    print_backtrace(store);
}

/* A linker knows imports by name. Instances, functions and memories are small values that live as long as their store. */
static mote_status link(mote_engine *engine, mote_store *store, mote_module *module, unsigned *lines, mote_instance *out, mote_error *error) {
    mote_valtype params[] = {MOTE_VALTYPE(MOTE_I32), MOTE_VALTYPE(MOTE_I32)};
    const mote_type *type = NULL;
    mote_linker *linker = NULL;
    mote_status status = mote_type_new_func(engine, params, 2, NULL, 0, &type, error);
    if (status == MOTE_OK) status = mote_linker_new(engine, &linker, error);
    if (status == MOTE_OK) status = mote_linker_define_func(linker, "host", "log", type, host_log, lines, error);
    if (status == MOTE_OK) status = mote_linker_instantiate(linker, store, module, out, error);
    mote_linker_delete(linker); /* the instance does not need it any more */
    if (type) mote_type_delete(type);
    return status;
}

static mote_status use(mote_store *store, mote_instance instance, mote_error *error) {
    static const int32_t numbers[] = {3, 5, 10};
    mote_extern memory;
    mote_func average_func, shout, median;
    mote_status status = mote_instance_func(instance, "average", &average_func, error);
    if (status == MOTE_OK) status = mote_instance_func(instance, "shout", &shout, error);
    if (status != MOTE_OK) return status;
    if (!mote_instance_find(instance, "memory", 6, &memory) || memory.kind != MOTE_EXTERN_MEMORY) return MOTE_E_NOT_FOUND;

    memcpy(mote_memory_data(memory.of.memory) + 64, numbers, sizeof numbers); /* ask for the bytes anew after it may have grown */
    average(store, average_func, 64, 3);
    average(store, average_func, 64, 0);
    average(store, average_func, 65536, 1);

    printf("shout()\n");
    if (mote_call(store, shout, NULL, 0, NULL, 0, error) != MOTE_OK) printf("  failed: %s\n", error->message);
    return mote_instance_func(instance, "median", &median, error);
}

int main(void) {
    mote_error error;
    mote_engine *engine = NULL;
    mote_module *module = NULL;
    mote_store *store = NULL;
    mote_instance instance;
    unsigned lines = 0;

    /* One engine per process; a module can be instantiated in many stores; a store ends all that is in it. */
    mote_status status = mote_engine_new(NULL, &engine, &error);
    if (status == MOTE_OK) status = mote_module_new(engine, text, strlen(text), 0, &module, &error);
    if (status == MOTE_OK) status = mote_store_new(engine, NULL, &store, &error);
    if (status == MOTE_OK) status = link(engine, store, module, &lines, &instance, &error);
    if (status == MOTE_OK) status = use(store, instance, &error);
    printf("%s: %s\n", mote_status_name(status), error.message); /* the missing "median" */

    mote_store_delete(store);
    mote_module_delete(module);
    mote_engine_delete(engine);
    return status == MOTE_E_NOT_FOUND ? 0 : 1;
}
