/* wast_thread.c - (thread $T (shared (module $M)) ...) and (wait $T): the directives of a thread run on a real one, in a store of its own.
 * Of the outer script it sees the named modules it is to share, of which only the shared memories can cross. */
#include "wast_run.h"

static const mote_allocator *const allocator = &mote__allocator_libc;

/* Gives one shared memory of the outer script to the thread's store. */
static mote_status share_memory(struct wast_scope *inner, mote_memory memory, mote_name name, mote_error *error) {
    mote_shared_memory *hold = mote_memory_share(memory);
    if (!hold) return MOTE_OK; /* not a shared one: it stays behind */
    struct wast_shared *slot = mote__vec_push(&inner->shared, allocator);
    mote_status status = slot ? MOTE_OK : MOTE_E_NOMEM;
    if (slot) slot->name = name;
    if (slot) status = mote_memory_from_shared(inner->store, hold, &slot->memory, error);
    mote_shared_memory_delete(hold);
    return status;
}

/* Makes an instance of the outer script visible under its name. */
static mote_status share_instance(struct wast_scope *outer, struct wast_scope *inner, struct span name, mote_error *error) {
    struct wast_instance *from = wast_instance_find(outer, name), *to = mote__vec_push(&inner->instances, allocator);
    if (!from || !from->instance.ptr || !to) return MOTE_E_NOT_FOUND;
    *to = (struct wast_instance){.name = name, .shared_first = inner->shared.count};
    mote_module *module = mote_instance_module(from->instance);
    mote_status status = MOTE_OK;
    for (size_t i = 0; i < mote_module_export_count(module) && status == MOTE_OK; i++) {
        mote_extern external = mote_instance_export(from->instance, i);
        if (external.kind == MOTE_EXTERN_MEMORY) status = share_memory(inner, external.of.memory, mote_module_export(module, i).name, error);
    }
    to->shared_count = inner->shared.count - to->shared_first;
    return status;
}

static void *thread_main(void *argument) {
    struct wast_thread *thread = argument;
    wast_run(&thread->scope, thread->commands, thread->command_count);
    return NULL;
}

/* Prepares the thread's scope and starts it. */
static bool start(struct wast_scope *outer, struct wast_thread *thread, const struct wast_command *command, struct verdict *v) {
    mote_error error = {0};
    mote_status status = wast_scope_init(&thread->scope, outer->engine, outer->features, outer->fuel, &error);
    thread->scope.visit = outer->visit;
    thread->scope.context = outer->context;
    for (uint32_t i = 0; i < command->shared_count && status == MOTE_OK; i++)
        status = share_instance(outer, &thread->scope, command->shared[i], &error);
    if (status != MOTE_OK) return verdict_fail(v, "expected a thread, got %s: %s", mote_status_name(status), error.message);
    if (mote__os_thread_create(&thread->handle, thread_main, thread, 0)) return verdict_fail(v, "expected a thread, got no more threads");
    thread->joined = false;
    return true;
}

bool wast_thread_start(struct wast_scope *scope, const struct wast_command *command, struct verdict *v) {
    struct wast_thread *thread = MOTE__ARENA_NEW(&scope->arena, struct wast_thread);
    struct wast_thread **slot = thread ? mote__vec_push(&scope->threads, allocator) : NULL;
    if (!slot) return verdict_fail(v, "expected a thread, got no memory");
    *slot = thread;
    *thread = (struct wast_thread){
        .name = command->name, .joined = true, .commands = command->commands, .command_count = command->command_count};
    return start(scope, thread, command, v);
}

static void join(struct wast_thread *thread) {
    if (!thread->joined) mote__os_thread_join(thread->handle);
    thread->joined = true;
}

bool wast_thread_wait(struct wast_scope *scope, const struct wast_command *command, struct verdict *v) {
    size_t i = scope->threads.count;
    while (i && (scope->threads.data[i - 1]->name.size != command->name.size ||
                 memcmp(scope->threads.data[i - 1]->name.data, command->name.data, command->name.size) != 0))
        i--;
    if (!i) return verdict_fail(v, "expected a thread $%.*s, got none", (int)command->name.size, (const char *)command->name.data);
    struct wast_thread *thread = scope->threads.data[i - 1];
    join(thread);
    return !thread->scope.failed || verdict_fail(v, "expected all directives of the thread to pass, got %u that failed", thread->scope.failed);
}

void wast_threads_join(struct wast_scope *scope) {
    for (size_t i = 0; i < scope->threads.count; i++) {
        join(scope->threads.data[i]);
        wast_scope_deinit(&scope->threads.data[i]->scope);
    }
}
