/* eager.c - compiling all functions of a module at once, by one thread or several. Threads take functions by number, each with scratch memory of its own.
 * A module may run meanwhile: a function is published through its cell, as on a first call (tier.c). A thread gathers the code of many functions and
 * writes it to code memory at once, since each new page that is touched there costs as much as compiling a small function. */
#include "jit/jit.h"

enum { THREADS_MAX = 64, PROGRESS_STEP = 32, BATCH_BYTES = 1 << 16 };

struct eager {
    mote_module *module;
    const struct mote__compile_job *job;
    uint32_t count;
    _Atomic uint32_t next;   /* own index of the first function that nobody has taken */
    _Atomic uint32_t failed; /* 0, or the first failure's status; its text is in `error` */
    mote_error error;
};

/* Functions whose code is not in code memory yet. */
struct batch {
    struct eager *eager;
    uint8_t *bytes; /* BATCH_BYTES */
    code_offset at; /* where they are to be */
    uint32_t used;
    VEC(struct gathered { uint32_t own_index; struct jit_function function; }) functions;
};

static void stop_with(struct eager *eager, mote_status status, const mote_error *error) {
    uint32_t none = 0;
    if (atomic_compare_exchange_strong(&eager->failed, &none, (uint32_t)status)) eager->error = *error;
}

static void stop_without_memory(struct eager *eager) {
    mote_error error;
    stop_with(eager, mote__error_nomem(&error, "compiling a function"), &error);
}

static bool is_lazy(const mote_module *module, uint32_t own_index) {
    const struct jit_engine *jit = module->engine->tier_data;
    return atomic_load_explicit(&module->cells[own_index], memory_order_relaxed) == (void *)jit_address(jit, jit->thunks[THUNK_LAZY]);
}

/* ---------------------------------------------------------------- batches */

/* Publishes a function whose code has been written, unless somebody else has compiled it meanwhile. */
static mote_status publish(mote_module *module, const struct gathered *g) {
    struct jit_module *jm = module->tier_data;
    mote_status status = MOTE_OK;
    bool wanted = is_lazy(module, g->own_index);
    if (wanted) status = mote__jit_announce(module, g->own_index, g->function);
    if (!wanted || status != MOTE_OK) mote__code_free(jm->engine->allocator, g->function.tables);
    else atomic_store_explicit(&module->cells[g->own_index], jit_address(jm->engine, g->function.start), memory_order_release);
    return status;
}

/* Writes what is gathered; room behind it that nobody has taken yet is free again. */
static void flush(struct batch *b) {
    mote_module *module = b->eager->module;
    struct jit_module *jm = module->tier_data;
    mote_status status = MOTE_OK;
    if (!b->functions.count) return;
    mote__os_code_write(&jm->engine->map, b->at, b->bytes, b->used);
    mote__os_mutex_lock(&jm->lock);
    if (jm->room == b->at + BATCH_BYTES) jm->room = b->at + b->used;
    for (size_t i = 0; i < b->functions.count; i++) {
        mote_status one = publish(module, &b->functions.data[i]);
        if (one != MOTE_OK) status = one;
    }
    mote__os_mutex_unlock(&jm->lock);
    b->functions.count = 0;
    if (status != MOTE_OK) stop_without_memory(b->eager);
}

static mote_status reserve(struct batch *b) {
    struct jit_module *jm = b->eager->module->tier_data;
    b->used = 0;
    mote__os_mutex_lock(&jm->lock);
    mote_status status = mote__jit_room(jm, BATCH_BYTES, &b->at);
    mote__os_mutex_unlock(&jm->lock);
    return status;
}

/* Adds a function's code, and takes its tables; false when it has to go to code memory by itself. */
static bool gather(struct batch *b, uint32_t own_index, struct jit_output *out) {
    uint32_t bytes = (uint32_t)out->code.count, room = (bytes + JIT_ALIGNMENT - 1) & ~(uint32_t)(JIT_ALIGNMENT - 1);
    if (room > BATCH_BYTES) return false;
    if (b->functions.count && b->used + room > BATCH_BYTES) flush(b);
    mote_status status = b->functions.count ? MOTE_OK : reserve(b);
    struct gathered *g = status != MOTE_OK ? NULL : mote__vec_push(&b->functions, &b->eager->module->engine->config.allocator);
    if (!g && status != MOTE_E_LIMIT) stop_without_memory(b->eager);
    if (!g) return false;
    code_offset at = b->at + b->used;
    *g = (struct gathered){own_index, {at, at + bytes, out->tables}};
    mote__jit_relocate(out, b->bytes + b->used, at);
    out->tables = NULL;
    b->used += room;
    return true;
}

/* ---------------------------------------------------------------- threads */

/* Compiles one function. */
static void compile_one(struct batch *b, uint32_t own_index) {
    mote_module *module = b->eager->module;
    mote_status status = MOTE_OK;
    mote_error error;
    struct jit_scratch *scratch = NULL;
    enum jit_result result = mote__jit_is_excluded(module, own_index) ? JIT_LEFT : mote__jit_compile(module, own_index, &scratch, &status, &error);
    if (result == JIT_DONE && gather(b, own_index, mote__jit_output(scratch))) mote__jit_done(module, scratch);
    else if (!mote__jit_entry(module, own_index, result, scratch, &status, &error)) stop_with(b->eager, status, &error);
}

/* Compiles the next function; false when there is none or somebody failed. */
static bool compile_next(struct batch *b, uint32_t *index) {
    struct eager *eager = b->eager;
    if (atomic_load_explicit(&eager->failed, memory_order_relaxed)) return false;
    *index = atomic_fetch_add_explicit(&eager->next, 1, memory_order_relaxed);
    if (*index >= eager->count) return false;
    if (is_lazy(eager->module, *index)) compile_one(b, *index);
    return true;
}

static void begin_batch(struct batch *b, struct eager *eager) {
    *b = (struct batch){.eager = eager, .bytes = mote__alloc(&eager->module->engine->config.allocator, BATCH_BYTES)};
    if (!b->bytes) stop_without_memory(eager);
}

static void end_batch(struct batch *b) {
    const mote_allocator *allocator = &b->eager->module->engine->config.allocator;
    flush(b);
    mote__free(allocator, b->bytes, b->bytes ? BATCH_BYTES : 0);
    mote__vec_deinit(&b->functions, allocator);
}

static void *work(void *argument) {
    struct batch batch;
    uint32_t index;
    begin_batch(&batch, argument);
    while (compile_next(&batch, &index)) continue;
    end_batch(&batch);
    return NULL;
}

/* The same on the caller's thread, which also tells how far all are. */
static void work_and_tell(struct eager *eager) {
    const struct mote__compile_job *job = eager->job;
    struct batch batch;
    begin_batch(&batch, eager);
    for (uint32_t index, told = 0; compile_next(&batch, &index);) {
        if (!job->progress || index < told) continue;
        job->progress(job->context, index, eager->count);
        told = index + PROGRESS_STEP;
    }
    end_batch(&batch);
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
