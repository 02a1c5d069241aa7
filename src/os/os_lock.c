/* os_lock.c - mutex and once, from atomics and mote__os_wait alone.
 * Keeps: whoever sleeps has set the state to its "waited for" value before, and whoever leaves that
 * value wakes. */
#include "os/os.h"
#include <assert.h>

enum { MUTEX_FREE, MUTEX_HELD, MUTEX_CONTENDED };
enum { ONCE_NEW, ONCE_RUNNING, ONCE_AWAITED, ONCE_DONE };

bool mote__os_mutex_try_lock(struct os_mutex *mutex) {
    uint32_t expected = MUTEX_FREE;
    return atomic_compare_exchange_strong_explicit(&mutex->state, &expected, MUTEX_HELD,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Who has slept takes the mutex as contended: it cannot know whether others wait. */
void mote__os_mutex_lock(struct os_mutex *mutex) {
    if (mote__os_mutex_try_lock(mutex)) return;
    while (atomic_exchange_explicit(&mutex->state, MUTEX_CONTENDED, memory_order_acquire) !=
           MUTEX_FREE)
        mote__os_wait(&mutex->state, MUTEX_CONTENDED, OS_NEVER);
}

void mote__os_mutex_unlock(struct os_mutex *mutex) {
    uint32_t before = atomic_exchange_explicit(&mutex->state, MUTEX_FREE, memory_order_release);
    assert(before != MUTEX_FREE);
    if (before == MUTEX_CONTENDED) mote__os_wake(&mutex->state, 1);
}

static void await_once(struct os_once *once) {
    uint32_t running = ONCE_RUNNING;
    atomic_compare_exchange_strong(&once->state, &running, ONCE_AWAITED);
    while (atomic_load_explicit(&once->state, memory_order_acquire) != ONCE_DONE)
        mote__os_wait(&once->state, ONCE_AWAITED, OS_NEVER);
}

void mote__os_once(struct os_once *once, void (*run)(void)) {
    if (atomic_load_explicit(&once->state, memory_order_acquire) == ONCE_DONE) return;
    uint32_t new = ONCE_NEW;
    if (!atomic_compare_exchange_strong(&once->state, &new, ONCE_RUNNING)) {
        await_once(once);
        return;
    }
    run();
    if (atomic_exchange(&once->state, ONCE_DONE) == ONCE_AWAITED)
        mote__os_wake(&once->state, UINT32_MAX);
}
