/* eager.c - compiling all functions of a module at once, by one thread or several. Threads take functions by number, each with scratch memory of its own;
 * a function is published through its cell as on a first call (tier.c), so a module may run meanwhile. */
#include "jit/jit.h"

enum { THREADS_MAX = 64, PROGRESS_STEP = 32 };

struct eager {
    mote_module *module;
    const struct mote__compile_job *job;
    uint32_t count;
    _Atomic uint32_t next;   /* own index of the first function that nobody has taken */
    _Atomic uint32_t failed; /* 0, or the first failure's status; its text is in `error` */
    mote_error error;
};

static void stop_with(struct eager *eager, mote_status status, const mote_error *error) {
    uint32_t none = 0;
    if (atomic_compare_exchange_strong(&eager->failed, &none, (uint32_t)status)) eager->error = *error;
}

/* Compiles the next function; false when there is none or somebody failed. */
static bool compile_next(struct eager *eager, uint32_t *index) {
    if (atomic_load_explicit(&eager->failed, memory_order_relaxed)) return false;
    *index = atomic_fetch_add_explicit(&eager->next, 1, memory_order_relaxed);
    if (*index >= eager->count) return false;
    const struct jit_engine *jit = eager->module->engine->tier_data;
    mote_status status = MOTE_OK;
    mote_error error;
    void *entry = atomic_load_explicit(&eager->module->cells[*index], memory_order_relaxed);
    if (entry != (void *)jit_address(jit, jit->thunks[THUNK_LAZY])) return true;
    if (!mote__jit_function_entry(eager->module, *index, &status, &error)) stop_with(eager, status, &error);
    return true;
}

static void *work(void *argument) {
    uint32_t index;
    while (compile_next(argument, &index)) continue;
    return NULL;
}

/* The same on the caller's thread, which also tells how far all are. */
static void work_and_tell(struct eager *eager) {
    const struct mote__compile_job *job = eager->job;
    for (uint32_t index, told = 0; compile_next(eager, &index);) {
        if (!job->progress || index < told) continue;
        job->progress(job->context, index, eager->count);
        told = index + PROGRESS_STEP;
    }
}

mote_status mote__jit_compile_all(mote_module *module, const struct mote__compile_job *job, mote_error *error) {
    struct eager eager = {.module = module, .job = job, .count = module->func_count - module->func_import_count};
    struct os_thread threads[THREADS_MAX];
    uint32_t wanted = job->threads < THREADS_MAX ? job->threads : THREADS_MAX, helpers = 0;
    if (wanted > eager.count) wanted = eager.count;
    while (helpers + 1 < wanted && !mote__os_thread_create(&threads[helpers], work, &eager, 0)) helpers++;
    work_and_tell(&eager);
    while (helpers > 0) mote__os_thread_join(threads[--helpers]);
    mote_status failed = (mote_status)atomic_load(&eager.failed);
    if (failed != MOTE_OK) *error = eager.error;
    else if (job->progress) job->progress(job->context, eager.count, eager.count);
    return failed;
}

void mote__jit_code_stats(mote_module *module, mote_code_stats *out) {
    struct jit_module *jm = module->tier_data;
    void *interpret = jit_address(jm->engine, jm->engine->thunks[THUNK_INTERPRET]);
    mote__os_mutex_lock(&jm->lock);
    out->compiled_count = (uint32_t)jm->functions.count;
    for (size_t i = 0; i < jm->functions.count; i++) out->code_bytes += jm->functions.data[i].end - jm->functions.data[i].start;
    mote__os_mutex_unlock(&jm->lock);
    for (uint32_t i = 0; i < out->func_count; i++) out->interpreted_count += atomic_load(&module->cells[i]) == interpret;
}
