/* thread.c - wasi-threads: `wasi.thread-spawn` starts a thread of the host that instantiates the
 * program again, in a store of its own over the shared memory, and calls its `wasi_thread_start`.
 * Keeps: the first thread to exit or trap decides how the program ended; all others are interrupted
 * and waited for before anything is freed; a store is in the list of runners exactly while it may
 * be interrupted. */
#include <mote/wasi.h>
#include "base/error.h"
#include "process.h"
#include <errno.h>

enum { THREAD_ID_MAX = 0x1fffffff }; /* what the proposal leaves to thread ids */

/* A store in which a thread of the program runs. */
struct runner {
    struct runner *next;
    mote_store *store;
};

struct threads {
    mote_wasi *wasi;
    mote_wasi_threads config;
    mote_limits limits; /* copy of config.limits */
    mote_engine *engine;
    mote_shared_memory *memory;
    mote_name memory_module, memory_name; /* as the program imports it; borrowed from it */
    struct os_mutex lock;
    struct runner first, *runners; /* guarded by lock, like everything below */
    uint32_t next_id;
    bool ended;
    mote_status status; /* how, once ended */
    mote_error error;
    _Atomic uint32_t running; /* threads besides the first; waited on */
    _Atomic uint64_t fuel;    /* of the program, less what its threads' stores hold */
};

/* One thread's beginning. */
struct start {
    struct threads *threads;
    uint32_t id, argument;
};

/* ---------------------------------------------------------------- fuel */

/* What a thread gets that wants more fuel: that, and a small part of what is left beyond it, so that it does not ask often and
 * others find some. All that is left when it is too little. */
static uint64_t share_of(uint64_t left, uint64_t wanted) {
    return left < wanted ? left : wanted + (left - wanted) / 64;
}

static uint64_t take_fuel(void *context, uint64_t wanted) {
    struct threads *t = context;
    uint64_t left = atomic_load(&t->fuel);
    while (!atomic_compare_exchange_weak(&t->fuel, &left, left - share_of(left, wanted))) continue;
    return share_of(left, wanted);
}

/* The store's fuel becomes the program's. */
static void pool_fuel(struct threads *t, mote_store *store) {
    atomic_fetch_add(&t->fuel, mote_store_fuel(store));
    mote_store_set_fuel(store, 0);
}

/* ---------------------------------------------------------------- the end of the program */

static void interrupt_all(const struct threads *t) {
    for (const struct runner *r = t->runners; r; r = r->next) mote_store_interrupt(r->store);
}

/* A thread ends the program. Only the first one counts. */
static void end_program(struct threads *t, mote_status status, const mote_error *error) {
    mote__os_mutex_lock(&t->lock);
    if (!t->ended) {
        t->ended = true;
        t->status = status;
        t->error = *error;
        interrupt_all(t);
    }
    mote__os_mutex_unlock(&t->lock);
}

static void runner_add(struct threads *t, struct runner *r) {
    mote__os_mutex_lock(&t->lock);
    r->next = t->runners;
    t->runners = r;
    if (t->ended) mote_store_interrupt(r->store);
    mote__os_mutex_unlock(&t->lock);
}

static void runner_remove(struct threads *t, struct runner *r) {
    mote__os_mutex_lock(&t->lock);
    struct runner **at = &t->runners;
    while (*at && *at != r) at = &(*at)->next;
    if (*at) *at = r->next;
    mote__os_mutex_unlock(&t->lock);
}

static void wait_for_all(struct threads *t) {
    for (uint32_t left = atomic_load(&t->running); left; left = atomic_load(&t->running))
        mote__os_wait(&t->running, left, OS_NEVER);
}

/* ---------------------------------------------------------------- one thread */

static mote_status define_thread(struct threads *t, mote_linker *linker, mote_store *store,
                                 mote_error *error);

static mote_status link_thread(struct threads *t, mote_linker *linker, mote_store *store,
                               mote_error *error) {
    TRY(mote_wasi_define(t->wasi, linker, error));
    TRY(define_thread(t, linker, store, error));
    return t->config.prepare ? t->config.prepare(t->config.context, store, linker, error) : MOTE_OK;
}

static mote_status call_start(const struct start *start, mote_store *store, mote_instance instance,
                              mote_error *error) {
    mote_func func;
    const mote_value args[] = {{.kind = MOTE_I32, .of.i32 = start->id},
                               {.kind = MOTE_I32, .of.i32 = start->argument}};
    TRY(mote_instance_func(instance, "wasi_thread_start", &func, error));
    return mote_call(store, func, args, 2, NULL, 0, error);
}

static mote_status run_linked(const struct start *start, mote_linker *linker, mote_store *store,
                              mote_error *error) {
    mote_instance instance;
    TRY(link_thread(start->threads, linker, store, error));
    TRY(mote_linker_instantiate(linker, store, start->threads->config.module, &instance, error));
    return call_start(start, store, instance, error);
}

/* Says in which thread and where it trapped: its store, and with it the backtrace, will be gone. */
static void say_where(const struct start *start, const mote_store *store, mote_error *error) {
    mote_frame frame;
    mote__error_append(error, " in thread %u", start->id);
    if (!mote_store_frame(store, 0, &frame)) return;
    if (frame.func_name.size)
        mote__error_append(error, " at %.*s", (int)frame.func_name.size, frame.func_name.data);
    else mote__error_append(error, " at function %u", frame.func_index);
    mote__error_append(error, " (0x%llx)", (unsigned long long)frame.offset);
}

static mote_status run_in(const struct start *start, mote_store *store, mote_error *error) {
    struct runner runner = {.store = store};
    mote_linker *linker;
    TRY(mote_linker_new(start->threads->engine, &linker, error));
    runner_add(start->threads, &runner);
    mote_status status = run_linked(start, linker, store, error);
    if (status == MOTE_E_TRAP || status == MOTE_E_EXCEPTION) say_where(start, store, error);
    runner_remove(start->threads, &runner);
    mote_linker_delete(linker);
    return status;
}

static mote_status run_thread(const struct start *start, mote_error *error) {
    mote_store *store;
    TRY(mote_store_new(start->threads->engine, &start->threads->limits, &store, error));
    mote_store_set_fuel_source(store, take_fuel, start->threads);
    mote_status status = run_in(start, store, error);
    pool_fuel(start->threads, store);
    mote_store_delete(store);
    return status;
}

/* The last thing that a thread does: `t` may be gone as soon as it is not counted any more. */
static void thread_done(struct threads *t) {
    const _Atomic uint32_t *word = &t->running;
    atomic_fetch_sub(&t->running, 1);
    mote__os_wake(word, UINT32_MAX);
}

static void *thread_main(void *argument) {
    struct start start = *(struct start *)argument;
    struct threads *t = start.threads;
    mote_error error;
    MOTE__DELETE(t->wasi->allocator, (struct start *)argument);
    mote_status status = run_thread(&start, &error);
    if (status) end_program(t, status, &error);
    thread_done(t);
    return NULL;
}

/* ---------------------------------------------------------------- thread-spawn */

/* Takes a number for a new thread; 0 when there are too many, or the program is ending. */
static uint32_t take_id(struct threads *t) {
    uint32_t id = 0;
    mote__os_mutex_lock(&t->lock);
    if (!t->ended && atomic_load(&t->running) < MOTE_WASI_THREADS_MAX) {
        id = t->next_id = t->next_id < THREAD_ID_MAX ? t->next_id + 1 : 1;
        atomic_fetch_add(&t->running, 1);
    }
    mote__os_mutex_unlock(&t->lock);
    return id;
}

static bool start_thread(struct threads *t, uint32_t id, uint32_t argument) {
    struct os_thread thread;
    struct start *start = MOTE__NEW(t->wasi->allocator, struct start);
    if (!start) return false;
    *start = (struct start){.threads = t, .id = id, .argument = argument};
    if (mote__os_thread_create(&thread, thread_main, start, 0))
        return MOTE__DELETE(t->wasi->allocator, start), false;
    mote__os_thread_detach(thread);
    return true;
}

/* Returns the thread's number, or a negative error. */
static mote_status raw_thread_spawn(void *env, mote_caller *caller, uint64_t *slots) {
    struct threads *t = env;
    (void)caller;
    uint32_t id = take_id(t);
    if (id && !start_thread(t, id, (uint32_t)slots[0])) {
        thread_done(t);
        id = 0;
    }
    slots[0] = id ? id : (uint32_t)-MOTE_VFS_EAGAIN;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- defining */

static mote_status define_spawn(struct threads *t, mote_linker *linker, mote_error *error) {
    const mote_valtype i32 = MOTE_VALTYPE(MOTE_I32);
    const mote_type *type;
    TRY(mote_type_new_func(t->engine, &i32, 1, &i32, 1, &type, error));
    mote_status status =
        mote_linker_define_raw(linker, "wasi", "thread-spawn", type, raw_thread_spawn, t, error);
    mote_type_delete(type);
    return status;
}

/* Names of imports come without a NUL and may hold one; such a one cannot be defined and fails to
 * link by name later. */
static mote_status define_memory(const struct threads *t, mote_linker *linker, mote_memory memory,
                                 mote_error *error) {
    char module[256], name[256];
    if (t->memory_module.size >= sizeof module || t->memory_name.size >= sizeof name)
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                               "the name of the shared memory is too long");
    memcpy(module, t->memory_module.data, t->memory_module.size);
    memcpy(name, t->memory_name.data, t->memory_name.size);
    module[t->memory_module.size] = name[t->memory_name.size] = 0;
    const mote_extern external = {.kind = MOTE_EXTERN_MEMORY, .of.memory = memory};
    return mote_linker_define(linker, module, name, external, error);
}

static mote_status define_thread(struct threads *t, mote_linker *linker, mote_store *store,
                                 mote_error *error) {
    mote_memory memory;
    TRY(define_spawn(t, linker, error));
    TRY(mote_memory_from_shared(store, t->memory, &memory, error));
    return define_memory(t, linker, memory, error);
}

/* Finds the shared memory that a program imports. */
static bool find_memory(const mote_module *module, mote_importtype *out) {
    for (size_t i = 0; i < mote_module_import_count(module); i++) {
        *out = mote_module_import(module, i);
        if (out->type.kind == MOTE_EXTERN_MEMORY && out->type.of.memory.shared) return true;
    }
    return false;
}

static mote_status make_threads(struct threads *t, mote_linker *linker, mote_store *store,
                                const mote_memorytype *type, mote_error *error) {
    mote_memory memory;
    TRY(mote_memory_new(store, type, &memory, error));
    t->memory = mote_memory_share(memory);
    TRY(define_spawn(t, linker, error));
    return define_memory(t, linker, memory, error);
}

mote_status mote_wasi_define_threads(mote_wasi *wasi, mote_linker *linker, mote_store *store,
                                     const mote_wasi_threads *config, mote_error *error) {
    mote_importtype import;
    mote_error unwanted;
    if (!error) error = &unwanted;
    if (!find_memory(config->module, &import)) return MOTE_OK;
    struct threads *t = MOTE__NEW(wasi->allocator, struct threads);
    if (!t) return mote__error_nomem(error, "preparing threads");
    *t = (struct threads){.wasi = wasi,
                          .config = *config,
                          .engine = mote_store_engine(store),
                          .memory_module = import.module,
                          .memory_name = import.name};
    mote_limits_init(&t->limits);
    if (config->limits) t->limits = *config->limits;
    t->first.store = store;
    pool_fuel(t, store);
    mote_store_set_fuel_source(store, take_fuel, t);
    t->runners = &t->first;
    mote_module_retain(config->module);
    wasi->threads = t;
    return make_threads(t, linker, store, &import.type.of.memory, error);
}

void mote__threads_delete(mote_wasi *wasi) {
    struct threads *t = wasi->threads;
    if (!t) return;
    wait_for_all(t);
    mote_shared_memory_delete(t->memory);
    mote_module_delete(t->config.module);
    MOTE__DELETE(wasi->allocator, t);
    wasi->threads = NULL;
}

/* ---------------------------------------------------------------- how it all ended */

/* The first thread is done, and with it the program; what another thread did before counts more. */
static mote_status finish_threads(struct threads *t, mote_status status, mote_error *error) {
    const mote_error none = {.status = MOTE_OK};
    runner_remove(t, &t->first);
    end_program(t, status, status ? error : &none);
    wait_for_all(t);
    mote_store_set_fuel_source(t->first.store, NULL, NULL);
    mote_store_set_fuel(t->first.store, mote_store_fuel(t->first.store) + atomic_exchange(&t->fuel, 0));
    if (t->status) *error = t->error;
    return t->status;
}

mote_status mote_wasi_finish(mote_wasi *wasi, mote_status status, uint32_t *exit_code,
                             mote_error *error) {
    mote_error unwanted = {.status = status};
    if (!error) error = &unwanted;
    if (wasi->threads) status = finish_threads(wasi->threads, status, error);
    if (status == MOTE_OK) *exit_code = 0;
    if (status != MOTE_E_EXIT) return status;
    *exit_code = error->trap;
    return MOTE_OK;
}
