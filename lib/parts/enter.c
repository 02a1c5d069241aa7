/* enter.c - several threads and one loop. Everything of a mote_parts is under its lock. A thread
 * that waits for a program's operations drives the loop and gives the lock away whenever another
 * one wants it; one that waits with the lock lets somebody in afterwards. Of several that wait one
 * drives, and the others sleep until something has happened. Keeps: the
 * loop is used by the holder of the lock only; is_driven is true from when a thread begins to drive
 * until it has what it waited for, also while it gives way. */
#include "set.h"

enum { SLICE_NS = 50000000, PATIENCE_NS = 1000000 };

/* Threads are told apart by where theirs is. */
static _Thread_local char here;

/* Only whoever has set it to its own place looks for that. */
static void set_holder(struct mote_parts *parts, const char *thread) {
    atomic_store_explicit(&parts->holder, thread, memory_order_relaxed);
}

static void note_thread(struct mote_parts *parts) {
    bool same = parts->thread == &here;
    parts->thread = &here;
    set_holder(parts, &here);
    parts->alone = !same ? 0 : parts->alone < UINT32_MAX ? parts->alone + 1 : parts->alone;
}

/* Whether this thread has the lock, as in a callback. */
static bool is_inside(const struct mote_parts *parts) {
    return atomic_load_explicit(&parts->holder, memory_order_relaxed) == &here;
}

static void take_lock(struct mote_parts *parts) {
    if (mote__os_mutex_try_lock(&parts->lock)) return;
    atomic_fetch_add(&parts->wanting, 1);
    mote__loop_wake(parts->loop);
    mote__os_mutex_lock(&parts->lock);
    atomic_fetch_sub(&parts->wanting, 1);
    mote__os_wake(&parts->wanting, UINT32_MAX);
}

void mote__parts_enter(struct mote_parts *parts) {
    if (is_inside(parts)) {
        parts->depth++;
        return;
    }
    take_lock(parts);
    note_thread(parts);
}

static uint64_t present(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

/* Whoever has waited with the lock lets one in of those who have waited for it, who would mostly
 * come too late. */
void mote__parts_leave(struct mote_parts *parts) {
    bool has_waited = parts->has_waited;
    if (parts->depth) {
        parts->depth--;
        return;
    }
    parts->has_waited = false;
    set_holder(parts, NULL);
    mote__os_mutex_unlock(&parts->lock);
    uint32_t wanting = has_waited ? atomic_load(&parts->wanting) : 0;
    if (wanting) mote__os_wait(&parts->wanting, wanting, present() + PATIENCE_NS);
}

void mote__parts_stir(struct mote_parts *parts) {
    parts->is_stirred = true;
    if (!parts->sleeping) return;
    atomic_fetch_add(&parts->turns, 1);
    mote__os_wake(&parts->turns, UINT32_MAX);
}

static uint64_t slice_end(uint64_t deadline_ns) {
    uint64_t end = present() + SLICE_NS;
    return end < deadline_ns ? end : deadline_ns;
}

/* Lets one in of those who want to, if there are any; then it is one of them. */
static void give_way(struct mote_parts *parts) {
    if (!atomic_load(&parts->wanting)) return;
    parts->has_waited = true;
    mote__parts_leave(parts);
    mote__parts_enter(parts);
}

static void drive(struct mote_parts *parts, uint64_t deadline_ns) {
    uint64_t now = present(), end = slice_end(deadline_ns);
    parts->is_stirred = false;
    mote__loop_turn(parts->loop, &parts->is_stirred, end > now ? end - now : 0);
    give_way(parts);
}

static void sleep_beside(struct mote_parts *parts, uint64_t deadline_ns) {
    uint32_t turn = atomic_load(&parts->turns);
    parts->sleeping++;
    mote__parts_leave(parts);
    mote__os_wait(&parts->turns, turn, slice_end(deadline_ns));
    mote__parts_enter(parts);
    parts->sleeping--;
}

void mote__parts_wait(struct mote_parts *parts, bool (*is_done)(void *context), void *context,
                      uint64_t deadline_ns) {
    bool drives = false;
    for (bool first = true; !is_done(context) && (first || present() < deadline_ns);
         first = false) {
        if (!drives && parts->is_driven) {
            sleep_beside(parts, deadline_ns);
            continue;
        }
        drives = parts->is_driven = true;
        drive(parts, deadline_ns);
    }
    if (!drives) return;
    parts->is_driven = false;
    mote__parts_stir(parts); /* one of those who sleep goes on driving */
}

void mote__parts_drive(struct mote_parts *parts, const bool *stop, uint64_t timeout_ns) {
    uint64_t now = present(), end = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
    if (mote__loop_is_running(parts->loop)) return; /* by whom this is called */
    do {
        mote__loop_turn(parts->loop, stop, end == UINT64_MAX ? end : end - now);
        give_way(parts);
        now = present();
    } while (!*stop && now < end);
}
