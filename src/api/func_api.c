/* func_api.c - the API of functions: making the host's, calling, and what a host function may ask of its caller. */
#include "api/api.h"
#include "run/value.h"
#include <assert.h>

/* ---------------------------------------------------------------- making */

static mote_status new_func(mote_store *store, const struct mote__func *like, mote_func *out, mote_error *error) {
    if (like->type->group->registry != &store->engine->types || like->type->kind != MOTE_TYPE_FUNC)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a type of another engine, or not a function type");
    struct mote__func *func = mote__func_new_host(store, like->type, like->fn, like->raw, like->env, like->drop);
    if (!func) return mote__error_nomem(error, "making a host function");
    out->ptr = func;
    return MOTE_OK;
}

mote_status mote_func_new(mote_store *store, const mote_type *type, mote_host_fn fn, void *env, void (*drop)(void *env), mote_func *out,
                          mote_error *error) {
    API_ERROR(error);
    assert(fn);
    return new_func(store, &(struct mote__func){.type = type, .fn = fn, .env = env, .drop = drop}, out, error);
}

mote_status mote_func_new_raw(mote_store *store, const mote_type *type, mote_host_raw_fn fn, void *env, void (*drop)(void *env),
                              mote_func *out, mote_error *error) {
    API_ERROR(error);
    assert(fn);
    return new_func(store, &(struct mote__func){.type = type, .raw = fn, .env = env, .drop = drop}, out, error);
}

const mote_type *mote_func_type(mote_func func) { return func.ptr->type; }

/* ---------------------------------------------------------------- calling */

static mote_status check_func(mote_store *store, mote_func func, mote_error *error) {
    if (!func.ptr) return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the function is null");
    if (func.ptr->store != store) return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the function belongs to another store");
    return MOTE_OK;
}

static mote_status check_count(const char *what, uint32_t wanted, size_t given, mote_error *error) {
    if (given == wanted) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the function has %u %ss, given are %zu", (unsigned)wanted, what, given);
}

mote_status mote_call(mote_store *store, mote_func func, const mote_value *args, size_t arg_count, mote_value *results, size_t result_count,
                      mote_error *error) {
    API_ERROR(error);
    TRY(check_func(store, func, error));
    TRY(check_count("parameter", func.ptr->type->param_count, arg_count, error));
    TRY(check_count("result", func.ptr->type->result_count, result_count, error));
    return mote__call_values(store, func.ptr, args, results, error);
}

mote_status mote_call_raw(mote_store *store, mote_func func, uint64_t *slots, mote_error *error) {
    API_ERROR(error);
    TRY(check_func(store, func, error));
    return mote__call(store, func.ptr, slots, error);
}

/* ---------------------------------------------------------------- inside a host function */

mote_store *mote_caller_store(mote_caller *caller) { return caller->exec->store; }
mote_instance mote_caller_instance(mote_caller *caller) { return (mote_instance){caller->instance}; }

mote_memory mote_caller_memory(mote_caller *caller) {
    struct mote__instance *instance = caller->instance;
    if (!instance || !instance->module->memory_count) return (mote_memory){NULL};
    return (mote_memory){instance->memories[instance->module->callers_memory]};
}

bool mote_caller_interrupted(const mote_caller *caller) {
    return atomic_load_explicit(&caller->exec->interrupt, memory_order_relaxed) != MOTE_TRAP_NONE;
}

mote_status mote_caller_fail(mote_caller *caller, mote_status status, uint32_t trap, const char *format, ...) {
    va_list args;
    va_start(args, format);
    mote__error_setv(caller->exec->error, status, MOTE_NO_OFFSET, format, args);
    va_end(args);
    caller->exec->error->trap = trap;
    return status;
}

mote_status mote_caller_throw(mote_caller *caller, mote_ref exception) {
    if (!mote_exception_tag(caller->exec->store, exception).ptr)
        return mote_caller_fail(caller, MOTE_E_TRAP, MOTE_TRAP_HOST, "host error: what is thrown is no exception");
    uint64_t slot = 0;
    mote__handle_get(caller->exec->store, exception, &slot);
    mote__exec_throw(caller->exec, slot);
    return MOTE_E_EXCEPTION;
}
