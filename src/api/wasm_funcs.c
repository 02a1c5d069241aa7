/* wasm_funcs.c - functions of the standard C API: the host's own, and calls in both directions.
 * A trap that a host function returns waits in its store (pending) while mote ends the WebAssembly in between, so that the call gives back that same
 * object. Values pass through arrays on the C stack while they are few. */
#include "api/wasm_api.h"

enum { VALUES_ON_STACK = 16 };

/* What stands behind a host function. One of plain and with_env is set. */
struct callback {
    wasm_store_t *store;
    const mote_type *type; /* the function's, which holds it */
    wasm_func_callback_t plain;
    wasm_func_callback_with_env_t with_env;
    void *env;
    void (*finalizer)(void *);
};

/* ---------------------------------------------------------------- calls from WebAssembly */

static mote_status out_of_memory(mote_caller *caller) {
    return mote_caller_fail(caller, MOTE_E_TRAP, MOTE_TRAP_ALLOCATION_FAILED, "out of memory in a host call");
}

/* Ends the WebAssembly that called with the host's trap, which is taken over. */
static mote_status raise(wasm_store_t *store, mote_caller *caller, wasm_trap_t *trap) {
    mote_status status = mote_caller_fail(caller, MOTE_E_TRAP, MOTE_TRAP_HOST, "%s", trap->base.of.trap.message);
    wasm_trap_delete(store->pending);
    store->pending = store->calls && trap->base.store == store ? trap : NULL; /* without a call of this API nobody would fetch it */
    if (!store->pending) wasm_trap_delete(trap);
    return status;
}

/* A result of the host for WebAssembly. Its reference is about to be deleted: this call's scope gets one of its own. */
static mote_status give_result(const struct callback *callback, size_t index, const wasm_val_t *value, mote_value *out, mote_error *error) {
    TRY(mote__wasm_value_in(callback->store, mote_type_result(callback->type, index), value, out, error));
    if (out->kind != MOTE_EXTERNREF) return MOTE_OK;
    return mote_ref_copy(callback->store->store, out->of.ref, &out->of.ref, error);
}

static mote_status give_results(const struct callback *callback, mote_caller *caller, const wasm_val_t *values, mote_value *results) {
    mote_error error;
    for (size_t i = 0; i < mote_type_result_count(callback->type); i++)
        if (give_result(callback, i, &values[i], &results[i], &error) != MOTE_OK)
            return mote_caller_fail(caller, MOTE_E_TRAP, MOTE_TRAP_HOST, "host function, result %zu: %s", i, error.message);
    return MOTE_OK;
}

/* `args` and `results` are vectors in `values`, one behind the other. */
static mote_status run_callback(const struct callback *callback, mote_caller *caller, const mote_value *args, mote_value *results,
                                wasm_val_t *values) {
    wasm_val_vec_t in = {mote_type_param_count(callback->type), values};
    wasm_val_vec_t out = {mote_type_result_count(callback->type), values + in.size};
    mote_error error;
    if (mote__wasm_values_out(callback->store, args, in.data, in.size, &error) != MOTE_OK) return out_of_memory(caller);
    for (size_t i = 0; i < out.size; i++) out.data[i] = (wasm_val_t){.kind = mote__wasm_kind(mote_type_result(callback->type, i))};
    wasm_val_t *given = out.data;
    wasm_trap_t *trap = callback->plain ? callback->plain(&in, &out) : callback->with_env(callback->env, &in, &out);
    mote_status status = trap ? raise(callback->store, caller, trap) : give_results(callback, caller, given, results);
    for (size_t i = 0; i < in.size + mote_type_result_count(callback->type); i++) wasm_val_delete(&values[i]);
    return status;
}

/* mote's side of every host function of this API. */
static mote_status call_back(void *env, mote_caller *caller, const mote_value *args, mote_value *results) {
    const struct callback *callback = env;
    wasm_val_t few[VALUES_ON_STACK], *values = few;
    size_t count = mote_type_param_count(callback->type) + mote_type_result_count(callback->type);
    bool many = count > VALUES_ON_STACK;
    if (many && !(values = WASM__NEW_ARRAY(wasm_val_t, count))) return out_of_memory(caller);
    mote_status status = run_callback(callback, caller, args, results, values);
    if (many) WASM__DELETE_ARRAY(values, count);
    return status;
}

/* ---------------------------------------------------------------- making */

static void drop_callback(void *env) {
    struct callback *callback = env;
    if (callback->finalizer) callback->finalizer(callback->env);
    WASM__DELETE(callback);
}

static mote_status make_func(struct callback *callback, const wasm_functype_t *type, mote_func *out, mote_error *error) {
    mote_store *store = callback->store->store;
    TRY(mote__wasm_functype_exact(mote_store_engine(store), type, &callback->type, error));
    mote_status status = mote__wasm_check_signature(callback->type, error);
    if (status == MOTE_OK) status = mote_func_new(store, callback->type, call_back, callback, drop_callback, out, error);
    mote_type_delete(callback->type); /* the function holds it now */
    return status;
}

static wasm_func_t *new_func(const struct callback *like, const wasm_functype_t *type) {
    wasm_store_t *store = like->store;
    mote_extern external = {.kind = MOTE_EXTERN_FUNC};
    struct callback *callback = WASM__NEW(struct callback);
    if (!callback) {
        mote__error_nomem(&store->error, "making a host function");
        return NULL;
    }
    *callback = *like;
    callback->finalizer = NULL; /* env is the caller's until all is well */
    if (make_func(callback, type, &external.of.func, &store->error) != MOTE_OK) {
        WASM__DELETE(callback);
        return NULL;
    }
    wasm_extern_t *func = mote__wasm_extern(store, external);
    if (func) callback->finalizer = like->finalizer;
    return (wasm_func_t *)func;
}

wasm_func_t *wasm_func_new(wasm_store_t *store, const wasm_functype_t *type, wasm_func_callback_t plain) {
    return new_func(&(struct callback){.store = store, .plain = plain}, type);
}

wasm_func_t *wasm_func_new_with_env(wasm_store_t *store, const wasm_functype_t *type, wasm_func_callback_with_env_t with_env, void *env,
                                    void (*finalizer)(void *)) {
    return new_func(&(struct callback){.store = store, .with_env = with_env, .env = env, .finalizer = finalizer}, type);
}

/* ---------------------------------------------------------------- types */

static const mote_type *type_of(const wasm_func_t *func) { return mote_func_type(func->base.of.external.of.func); }

wasm_functype_t *wasm_func_type(const wasm_func_t *func) { return mote__wasm_functype(type_of(func)); }
size_t wasm_func_param_arity(const wasm_func_t *func) { return mote_type_param_count(type_of(func)); }
size_t wasm_func_result_arity(const wasm_func_t *func) { return mote_type_result_count(type_of(func)); }

/* ---------------------------------------------------------------- calls to WebAssembly */

static mote_status check_args(const mote_type *type, const wasm_val_vec_t *args, mote_error *error) {
    size_t params = mote_type_param_count(type), given = args ? args->size : 0;
    if (given == params) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "the function has %zu parameters, given are %zu", params, given);
}

/* `values` has room for arguments and results. */
static mote_status call_on(const wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results, mote_value *values,
                           mote_error *error) {
    wasm_store_t *store = func->base.store;
    const mote_type *type = type_of(func);
    size_t params = mote_type_param_count(type), wanted = mote_type_result_count(type);
    for (size_t i = 0; i < params; i++) TRY(mote__wasm_value_in(store, mote_type_param(type, i), &args->data[i], &values[i], error));
    TRY(mote_call(store->store, func->base.of.external.of.func, values, params, values + params, wanted, error));
    size_t room = results ? results->size : 0; /* programs that expect a trap give none */
    return room ? mote__wasm_values_out(store, values + params, results->data, room < wanted ? room : wanted, error) : MOTE_OK;
}

static mote_status call(const wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results, mote_error *error) {
    mote_value few[VALUES_ON_STACK], *values = few;
    const mote_type *type = type_of(func);
    size_t count = mote_type_param_count(type) + mote_type_result_count(type);
    bool many = count > VALUES_ON_STACK;
    TRY(check_args(type, args, error));
    TRY(mote__wasm_check_signature(type, error));
    if (many && !(values = WASM__NEW_ARRAY(mote_value, count))) return mote__error_nomem(error, "calling a function");
    mote_status status = call_on(func, args, results, values, error);
    if (many) WASM__DELETE_ARRAY(values, count);
    return status;
}

wasm_trap_t *wasm_func_call(const wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_store_t *store = func->base.store;
    mote_error error;
    uint32_t mark = mote__wasm_call_begin(store);
    mote_status status = call(func, args, results, &error);
    return mote__wasm_call_end(store, mark, status == MOTE_OK ? NULL : &error);
}
