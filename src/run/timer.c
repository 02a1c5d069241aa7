/* timer.c - the thread that watches deadlines.
 * Keeps: everything of the timer is read and written under engine->lock, except `changed`, on which the thread sleeps; a store is in the list
 * exactly while its deadline_ns is not 0, and leaves the list before it is deleted. */
#include "run/timer.h"

struct mote__timer {
    mote_engine *engine;
    struct os_thread thread;
    _Atomic uint32_t changed; /* counts what the thread must look at */
    bool stopping;
    VEC(mote_store *) stores; /* with a deadline */
};

/* ---------------------------------------------------------------- the thread */

static void forget(struct mote__timer *timer, size_t i) {
    timer->stores.data[i]->deadline_ns = 0;
    timer->stores.data[i] = timer->stores.data[--timer->stores.count];
}

/* Stops the stores whose deadline has passed; returns the earliest deadline of the others. */
static uint64_t fire_due(struct mote__timer *timer) {
    uint64_t now = mote__os_clock_ns(OS_CLOCK_MONOTONIC), next = OS_NEVER;
    for (size_t i = timer->stores.count; i-- > 0;) {
        mote_store *store = timer->stores.data[i];
        if (store->deadline_ns <= now) {
            mote__store_stop(store, MOTE_TRAP_DEADLINE);
            forget(timer, i);
        } else if (store->deadline_ns < next) {
            next = store->deadline_ns;
        }
    }
    return next;
}

static void *watch(void *argument) {
    struct mote__timer *timer = argument;
    struct os_mutex *lock = &timer->engine->lock;
    mote__os_mutex_lock(lock);
    while (!timer->stopping) {
        uint32_t seen = atomic_load(&timer->changed);
        uint64_t next = fire_due(timer);
        mote__os_mutex_unlock(lock);
        mote__os_wait(&timer->changed, seen, next);
        mote__os_mutex_lock(lock);
    }
    mote__os_mutex_unlock(lock);
    return NULL;
}

static void tell(struct mote__timer *timer) {
    atomic_fetch_add(&timer->changed, 1);
    mote__os_wake(&timer->changed, 1);
}

/* ---------------------------------------------------------------- for stores; all under the lock */

static mote_status start(mote_engine *engine, mote_error *error) {
    const mote_allocator *a = mote__engine_alloc(engine);
    struct mote__timer *timer = MOTE__NEW(a, struct mote__timer);
    if (!timer) return mote__error_nomem(error, "starting the thread for deadlines");
    timer->engine = engine;
    int failed = mote__os_thread_create(&timer->thread, watch, timer, 0);
    if (failed) {
        MOTE__DELETE(a, timer);
        return mote__error_set(error, MOTE_E_IO, MOTE_NO_OFFSET, "cannot start the thread for deadlines: %s", mote__os_error_text(failed));
    }
    engine->timer = timer;
    return MOTE_OK;
}

static mote_status set(mote_store *store, uint64_t deadline_ns, mote_error *error) {
    mote_engine *engine = store->engine;
    if (!engine->timer) TRY(start(engine, error));
    if (!store->deadline_ns) {
        mote_store **place = mote__vec_push(&engine->timer->stores, mote__engine_alloc(engine));
        if (!place) return mote__error_nomem(error, "setting a deadline");
        *place = store;
    }
    store->deadline_ns = deadline_ns;
    tell(engine->timer);
    return MOTE_OK;
}

mote_status mote__timer_set(mote_store *store, uint64_t deadline_ns, mote_error *error) {
    mote__os_mutex_lock(&store->engine->lock);
    mote_status status = set(store, deadline_ns, error);
    mote__os_mutex_unlock(&store->engine->lock);
    return status;
}

void mote__timer_clear(mote_store *store) {
    struct os_mutex *lock = &store->engine->lock;
    mote__os_mutex_lock(lock);
    struct mote__timer *timer = store->engine->timer;
    for (size_t i = timer && store->deadline_ns ? timer->stores.count : 0; i-- > 0;)
        if (timer->stores.data[i] == store) forget(timer, i);
    mote__os_mutex_unlock(lock);
}

void mote__timer_stop(mote_engine *engine) {
    struct mote__timer *timer = engine->timer;
    if (!timer) return;
    mote__os_mutex_lock(&engine->lock);
    timer->stopping = true;
    tell(timer);
    mote__os_mutex_unlock(&engine->lock);
    mote__os_thread_join(timer->thread);
    mote__vec_deinit(&timer->stores, mote__engine_alloc(engine));
    MOTE__DELETE(mote__engine_alloc(engine), timer);
    engine->timer = NULL;
}
