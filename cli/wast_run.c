/* wast_run.c - runs the directives of a script: compiles its modules, instantiates them, calls their exports, and judges what comes of it. */
#include "wast_run.h"
#include "base/error.h"
#include "spectest.h"
#include <stdarg.h>

static const mote_allocator *const allocator = &mote__allocator_libc;

/* ---- Verdicts. ---- */

bool verdict_fail(struct verdict *v, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(v->text, sizeof v->text, format, list);
    va_end(list);
    v->passed = false;
    return false;
}

/* What an outcome is called, with the first line of its message. */
static bool fail_status(struct verdict *v, const char *expected, mote_status status, const mote_error *error) {
    const char *message = status == MOTE_OK ? "" : error->message;
    int size = (int)strcspn(message, "\n");
    const char *name = status == MOTE_OK ? "success" : mote_status_name(status);
    return verdict_fail(v, "expected %s, got %s%s%.*s", expected, name, size ? ": " : "", size, message);
}

/* To an engine that has a feature switched off, what needs it is malformed or invalid. */
static bool is_status(mote_status expected, mote_status status) {
    bool refused = expected == MOTE_E_MALFORMED || expected == MOTE_E_INVALID;
    return status == expected || (refused && status == MOTE_E_UNSUPPORTED);
}

/* Judges an outcome that must be a failure: of one status, with a message. */
static bool expect_failure(struct verdict *v, mote_status expected, struct span message, mote_status status, const mote_error *error) {
    if (is_status(expected, status) && wast_message_matches(message, error->message)) return true;
    char text[256];
    snprintf(text, sizeof text, "%s%s%.*s", mote_status_name(expected), message.size ? ": " : "", (int)message.size, (const char *)message.data);
    return fail_status(v, text, status, error);
}

static bool expect_success(struct verdict *v, mote_status status, const mote_error *error) {
    return status == MOTE_OK || fail_status(v, "success", status, error);
}

/* ---- Scopes. ---- */

mote_status wast_scope_init(struct wast_scope *scope, mote_engine *engine, mote_features features, uint64_t fuel, mote_error *error) {
    *scope = (struct wast_scope){.engine = engine, .features = features, .fuel = fuel};
    mote__arena_init(&scope->arena, allocator);
    TRY(mote_store_new(engine, NULL, &scope->store, error));
    mote_store_set_fuel(scope->store, fuel);
    TRY(mote_linker_new(engine, &scope->linker, error));
    return spectest_define(scope->linker, scope->store, features, error);
}

void wast_scope_deinit(struct wast_scope *scope) {
    wast_threads_join(scope);
    mote_linker_delete(scope->linker);
    mote_store_delete(scope->store);
    for (size_t i = 0; i < scope->definitions.count; i++) mote_module_delete(scope->definitions.data[i].module);
    mote__vec_deinit(&scope->definitions, allocator);
    mote__vec_deinit(&scope->instances, allocator);
    mote__vec_deinit(&scope->shared, allocator);
    mote__vec_deinit(&scope->threads, allocator);
    mote__arena_deinit(&scope->arena);
}

static bool same_name(struct span a, struct span b) { return a.size == b.size && !memcmp(a.data, b.data, a.size); }

struct wast_instance *wast_instance_find(struct wast_scope *scope, struct span name) {
    size_t i = scope->instances.count;
    if (!name.data) return i && scope->has_current ? mote__vec_last(&scope->instances) : NULL;
    while (i && !(scope->instances.data[i - 1].name.data && same_name(scope->instances.data[i - 1].name, name))) i--;
    return i ? &scope->instances.data[i - 1] : NULL;
}

static mote_module *definition_find(const struct wast_scope *scope, struct span name) {
    size_t i = scope->definitions.count;
    if (name.data)
        while (i && !(scope->definitions.data[i - 1].name.data && same_name(scope->definitions.data[i - 1].name, name))) i--;
    return i ? scope->definitions.data[i - 1].module : NULL;
}

/* ---- Modules. ---- */

/* Compiles what a script holds. Quoted text is text, whatever it begins with. */
static mote_status compile(const struct wast_scope *scope, const struct wast_module *module, mote_module **out, mote_error *error) {
    struct span source = module->source;
    if (module->form == WAST_BINARY) return mote_module_new(scope->engine, source.data, source.size, 0, out, error);
    uint8_t *binary;
    size_t size;
    TRY(mote_text_to_binary(scope->engine, source.data, source.size, &binary, &size, error));
    mote_status status = mote_module_new(scope->engine, binary, size, 0, out, error);
    mote_bytes_delete(scope->engine, binary, size);
    return status;
}

static mote_status nomem(mote_error *error) { return mote__error_nomem(error, "running a script"); }

/* Compiles a module and remembers it under its name; the scope owns it. */
static mote_status define(struct wast_scope *scope, const struct wast_module *module, mote_module **out, mote_error *error) {
    TRY(compile(scope, module, out, error));
    struct wast_definition *definition = mote__vec_push(&scope->definitions, allocator);
    if (definition) *definition = (struct wast_definition){.name = module->name, .module = *out};
    else mote_module_delete(*out);
    return definition ? MOTE_OK : nomem(error);
}

static mote_status instantiate(struct wast_scope *scope, mote_module *module, struct span name, mote_error *error) {
    scope->has_current = false;
    mote_instance instance;
    TRY(mote_linker_instantiate(scope->linker, scope->store, module, &instance, error));
    struct wast_instance *slot = mote__vec_push(&scope->instances, allocator);
    if (!slot) return nomem(error);
    *slot = (struct wast_instance){.name = name, .instance = instance};
    scope->has_current = true;
    return MOTE_OK;
}

static bool run_module(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    mote_module *module;
    mote_error error;
    if (!c->module.is_definition) scope->has_current = false;
    mote_status status = define(scope, &c->module, &module, &error);
    if (status == MOTE_OK && !c->module.is_definition) status = instantiate(scope, module, c->module.name, &error);
    return expect_success(v, status, &error);
}

static bool run_instance(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    mote_module *module = definition_find(scope, c->target);
    if (!module) return verdict_fail(v, "expected a module definition $%.*s, got none", (int)c->target.size, (const char *)c->target.data);
    mote_error error;
    return expect_success(v, instantiate(scope, module, c->name, &error), &error);
}

/* In a thread: the shared memories of an instance of the outer script. */
static mote_status register_shared(struct wast_scope *scope, const struct wast_instance *instance, const char *name, mote_error *error) {
    for (size_t i = 0; i < instance->shared_count; i++) {
        const struct wast_shared *shared = &scope->shared.data[instance->shared_first + i];
        const char *export = mote__arena_string(&scope->arena, shared->name.data, shared->name.size);
        if (!export) return nomem(error);
        mote_extern external = {.kind = MOTE_EXTERN_MEMORY, .of.memory = shared->memory};
        TRY(mote_linker_define(scope->linker, name, export, external, error));
    }
    return MOTE_OK;
}

static bool run_register(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    struct wast_instance *instance = wast_instance_find(scope, c->target);
    const char *name = mote__arena_string(&scope->arena, c->name.data, c->name.size);
    if (!instance || !name) return verdict_fail(v, "expected an instance to register, got none");
    mote_error error;
    mote_status status = instance->instance.ptr ? mote_linker_define_instance(scope->linker, name, instance->instance, &error)
                                                : register_shared(scope, instance, name, &error);
    return expect_success(v, status, &error);
}

/* ---- Actions. ---- */

/* Results live in the scope's arena. */
struct outcome {
    mote_status status;
    mote_error error;
    mote_value *results;
    size_t result_count;
};

static mote_status no_such(mote_error *error, const char *what, struct span name) {
    return mote__error_set(error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, "no %s `%.*s`", what, (int)name.size, (const char *)name.data);
}

static mote_status read_global(struct wast_scope *scope, mote_global global, struct outcome *out) {
    out->results = MOTE__ARENA_NEW(&scope->arena, mote_value);
    out->result_count = 1;
    return out->results ? mote_global_get(global, out->results, &out->error) : nomem(&out->error);
}

static mote_status call(struct wast_scope *scope, mote_func func, const struct wast_action *action, struct outcome *out) {
    const mote_type *type = mote_func_type(func);
    out->result_count = mote_type_result_count(type);
    out->results = MOTE__ARENA_ARRAY(&scope->arena, mote_value, out->result_count);
    mote_value *args = MOTE__ARENA_ARRAY(&scope->arena, mote_value, action->arg_count);
    if (!out->results || !args) return nomem(&out->error);
    for (uint32_t i = 0; i < action->arg_count; i++)
        TRY(wast_value_make(scope->store, &action->args[i], &args[i], &out->error));
    return mote_call(scope->store, func, args, action->arg_count, out->results, out->result_count, &out->error);
}

static mote_status act(struct wast_scope *scope, const struct wast_action *action, struct outcome *out) {
    struct wast_instance *instance = wast_instance_find(scope, action->instance);
    mote_extern external;
    if (!instance && !action->instance.data)
        return mote__error_set(&out->error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, "the last module has no instance");
    if (!instance || !instance->instance.ptr) return no_such(&out->error, "instance", action->instance);
    bool found = mote_instance_find(instance->instance, (const char *)action->name.data, action->name.size, &external);
    mote_externkind kind = action->is_get ? MOTE_EXTERN_GLOBAL : MOTE_EXTERN_FUNC;
    if (!found || external.kind != kind) return no_such(&out->error, action->is_get ? "global" : "function", action->name);
    return action->is_get ? read_global(scope, external.of.global, out) : call(scope, external.of.func, action, out);
}

static void perform(struct wast_scope *scope, const struct wast_action *action, struct outcome *out) {
    *out = (struct outcome){0};
    out->status = act(scope, action, out);
    if (out->status == MOTE_E_EXCEPTION) mote_ref_release(scope->store, mote_store_take_exception(scope->store));
}

static bool run_action(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    struct outcome out;
    perform(scope, &c->action, &out);
    return expect_success(v, out.status, &out.error);
}

static bool assert_return(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    struct outcome out;
    perform(scope, &c->action, &out);
    return expect_success(v, out.status, &out.error) &&
           wast_results_match(scope->store, c->results, c->result_count, out.results, out.result_count, v);
}

static bool assert_trap(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    struct outcome out;
    perform(scope, &c->action, &out);
    return expect_failure(v, MOTE_E_TRAP, c->message, out.status, &out.error);
}

static bool assert_exception(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    struct outcome out;
    perform(scope, &c->action, &out);
    return expect_failure(v, MOTE_E_EXCEPTION, (struct span){0}, out.status, &out.error);
}

/* ---- Modules that must be refused. ---- */

/* Compiles for a refusal; success is undone. */
static bool assert_refused(struct wast_scope *scope, const struct wast_command *c, mote_status expected, struct verdict *v) {
    mote_module *module = NULL;
    mote_error error;
    mote_status status = compile(scope, &c->module, &module, &error);
    mote_module_delete(module);
    return expect_failure(v, expected, c->message, status, &error);
}

static bool assert_malformed(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    return assert_refused(scope, c, MOTE_E_MALFORMED, v);
}

static bool assert_invalid(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    return assert_refused(scope, c, MOTE_E_INVALID, v);
}

/* The module of an assertion about instantiation: written there, or defined earlier. Held by the scope in both cases. */
static mote_status module_of(struct wast_scope *scope, const struct wast_module *in, mote_module **out, mote_error *error) {
    if (!in->is_instance) return define(scope, in, out, error);
    *out = definition_find(scope, in->target);
    return *out ? MOTE_OK : no_such(error, "module definition", in->target);
}

static bool assert_not_instantiated(struct wast_scope *scope, const struct wast_command *c, mote_status expected, struct verdict *v) {
    mote_module *module;
    mote_error error;
    mote_instance instance;
    mote_status status = module_of(scope, &c->module, &module, &error);
    if (status == MOTE_OK) status = mote_linker_instantiate(scope->linker, scope->store, module, &instance, &error);
    return expect_failure(v, expected, c->message, status, &error);
}

static bool assert_unlinkable(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    return assert_not_instantiated(scope, c, MOTE_E_LINK, v);
}

static bool assert_uninstantiable(struct wast_scope *scope, const struct wast_command *c, struct verdict *v) {
    return assert_not_instantiated(scope, c, MOTE_E_TRAP, v);
}

/* ---- Directives. ---- */

typedef bool directive(struct wast_scope *scope, const struct wast_command *command, struct verdict *verdict);

static directive *const directives[] = {
    [WAST_MODULE] = run_module,
    [WAST_INSTANCE] = run_instance,
    [WAST_REGISTER] = run_register,
    [WAST_ACTION] = run_action,
    [WAST_ASSERT_RETURN] = assert_return,
    [WAST_ASSERT_TRAP] = assert_trap,
    [WAST_ASSERT_EXHAUSTION] = assert_trap,
    [WAST_ASSERT_EXCEPTION] = assert_exception,
    [WAST_ASSERT_MALFORMED] = assert_malformed,
    [WAST_ASSERT_INVALID] = assert_invalid,
    [WAST_ASSERT_MALFORMED_CUSTOM] = assert_malformed,
    [WAST_ASSERT_INVALID_CUSTOM] = assert_invalid,
    [WAST_ASSERT_UNLINKABLE] = assert_unlinkable,
    [WAST_ASSERT_UNINSTANTIABLE] = assert_uninstantiable,
    [WAST_THREAD] = wast_thread_start,
    [WAST_WAIT] = wast_thread_wait,
};

void wast_run(struct wast_scope *scope, const struct wast_command *commands, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct verdict verdict = {.passed = true};
        uint32_t mark = mote_refs_mark(scope->store);
        verdict.passed = directives[commands[i].kind](scope, &commands[i], &verdict);
        mote_refs_release(scope->store, mark);
        scope->failed += !verdict.passed;
        scope->visit(scope->context, &commands[i], &verdict);
    }
}
