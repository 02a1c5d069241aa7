/* embed_wasm.c - the program of embed_mote.c through wasm.h, the standard C API, which other engines offer too. Every pointer that a function gives as
 * `own` is deleted here; deleting in any order is fine.
 *   cc embed_wasm.c $(pkg-config --cflags --libs mote) -o embed_wasm */
#include <stdio.h>
#include <wasm.h>

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

/* Exports come in the module's order; wasm_module_exports has their names. */
enum { MEMORY, AVERAGE, SHOUT, EXPORT_COUNT };

/* What the host function needs: it is not told who calls, so it gets the memory once that is there. */
struct host {
    wasm_store_t *store;
    wasm_memory_t *memory;
    unsigned lines;
};

static wasm_trap_t *new_trap(wasm_store_t *store, const char *why) {
    wasm_message_t message;
    wasm_name_new_from_string_nt(&message, why); /* messages end with a NUL */
    wasm_trap_t *trap = wasm_trap_new(store, &message);
    wasm_byte_vec_delete(&message);
    return trap;
}

/* The function that the module imports. NULL is success; a trap ends the WebAssembly that called. */
static wasm_trap_t *host_log(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct host *host = env;
    uint32_t at = (uint32_t)args->data[0].of.i32, size = (uint32_t)args->data[1].of.i32;
    size_t bytes = wasm_memory_data_size(host->memory);
    (void)results; /* it has none */
    if (at > bytes || size > bytes - at) return new_trap(host->store, "log: the text lies outside the memory");
    printf("  [%u] %.*s\n", ++host->lines, (int)size, wasm_memory_data(host->memory) + at);
    return NULL;
}

static void print_trap(const wasm_trap_t *trap) {
    wasm_message_t message;
    wasm_frame_vec_t frames;
    wasm_trap_message(trap, &message);
    wasm_trap_trace(trap, &frames);
    printf("  failed: %s\n", message.data);
    for (size_t i = 0; i < frames.size; i++)
        printf("  #%zu function %u, byte %zu of the module\n", i, (unsigned)wasm_frame_func_index(frames.data[i]),
               wasm_frame_module_offset(frames.data[i]));
    wasm_frame_vec_delete(&frames);
    wasm_byte_vec_delete(&message);
}

static void average(const wasm_func_t *func, int32_t at, int32_t count) {
    wasm_val_t arg[] = {WASM_I32_VAL(at), WASM_I32_VAL(count)}, result[] = {WASM_INIT_VAL};
    wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
    printf("average(%d, %d)\n", (int)at, (int)count);
    wasm_trap_t *trap = wasm_func_call(func, &args, &results);
    if (trap) print_trap(trap); /* the store is fine and can be used on */
    else printf("  = %d\n", (int)result[0].of.i32);
    wasm_trap_delete(trap); /* deleting NULL is fine everywhere */
}

static void use(struct host *host, const wasm_extern_vec_t *exports) {
    static const int32_t numbers[] = {3, 5, 10};
    wasm_func_t *func = wasm_extern_as_func(exports->data[AVERAGE]); /* a loan: NULL if it were no function */
    host->memory = wasm_extern_as_memory(exports->data[MEMORY]);
    memcpy(wasm_memory_data(host->memory) + 64, numbers, sizeof numbers); /* ask for the bytes anew after it may have grown */
    average(func, 64, 3);
    average(func, 64, 0);
    average(func, 65536, 1);

    wasm_val_vec_t none = WASM_EMPTY_VEC;
    printf("shout()\n");
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports->data[SHOUT]), &none, &none);
    if (trap) print_trap(trap);
    wasm_trap_delete(trap);
}

/* The standard says only that a module is not valid; mote tells why. */
static wasm_module_t *compile(wasm_store_t *store, const char *source) {
    wasm_byte_vec_t bytes;
    wasm_byte_vec_new(&bytes, strlen(source), source);
    wasm_module_t *module = wasm_module_new(store, &bytes);
    wasm_byte_vec_delete(&bytes);
    if (!module) printf("no module: %s\n", mote_wasm_store_message(store));
    return module;
}

/* Imports are given in the module's order; what does not fit is told by a trap. */
static wasm_instance_t *instantiate(wasm_store_t *store, const wasm_module_t *module, wasm_func_t *log) {
    wasm_extern_t *import[] = {wasm_func_as_extern(log)};
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(import);
    wasm_trap_t *trap = NULL;
    wasm_instance_t *instance = wasm_instance_new(store, module, &imports, &trap);
    if (!instance) print_trap(trap);
    wasm_trap_delete(trap);
    return instance;
}

int main(void) {
    wasm_engine_t *engine = wasm_engine_new();
    struct host host = {.store = wasm_store_new(engine)};
    wasm_functype_t *type = wasm_functype_new_2_0(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    if (!host.store || !type) return 1;
    wasm_func_t *log = wasm_func_new_with_env(host.store, type, host_log, &host, NULL);
    wasm_module_t *module = compile(host.store, text);
    wasm_instance_t *instance = module && log ? instantiate(host.store, module, log) : NULL;
    wasm_extern_vec_t exports = WASM_EMPTY_VEC;
    if (instance) wasm_instance_exports(instance, &exports);
    bool whole = exports.size == EXPORT_COUNT;
    if (whole) use(&host, &exports);
    wasm_module_delete(compile(host.store, "(module (func (result i32) (i64.const 1)))"));

    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
    wasm_func_delete(log);
    wasm_functype_delete(type);
    wasm_store_delete(host.store);
    wasm_engine_delete(engine);
    return whole ? 0 : 1;
}
