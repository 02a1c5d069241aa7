/* loop.h - the event loop on which drivers work: sockets, timers, posts from other threads, work
 * for other threads. One thread runs a loop; only mote__loop_post may be called from others.
 * Structs are the caller's, zeroed before their first use, and stay where they are while they are
 * in use. Implemented over libevent (loop.c), which nobody else sees. */
#ifndef MOTE_PARTS_LOOP_H
#define MOTE_PARTS_LOOP_H

#include <mote/status.h>

struct loop;

/* Returns NULL when the system has no descriptors or no memory left. */
struct loop *mote__loop_new(const mote_allocator *allocator);
/* Waits for work under way and runs what was posted; timers and watches must be stopped. NULL is
 * fine. */
void mote__loop_delete(struct loop *loop);
/* Runs callbacks until *stop is true or `timeout_ns` has passed (UINT64_MAX: no limit). */
void mote__loop_run(struct loop *loop, const bool *stop, uint64_t timeout_ns);

/* The same, but ends also when another thread has posted something or called mote__loop_wake. */
void mote__loop_turn(struct loop *loop, const bool *stop, uint64_t timeout_ns);
/* Whether one of these is running, as in what it calls: there they do nothing. */
bool mote__loop_is_running(const struct loop *loop);
/* Ends the turn under way, or the next one. Any thread. */
void mote__loop_wake(struct loop *loop);

/* ---- Posts: a call on the loop's thread, asked for by any thread. Order is kept. ---- */

struct loop_post {
    void (*run)(struct loop_post *post);
    struct loop_post *next;
};
void mote__loop_post(struct loop *loop, struct loop_post *post);

/* ---- Soon: a call in the loop's next turn, before it waits, asked for by its own thread; costs
 * next to nothing. ---- */

struct loop_soon {
    void (*run)(struct loop_soon *soon);
    struct loop_soon *next;
    bool is_due;
};
/* Asking twice is asking once. */
void mote__loop_soon(struct loop *loop, struct loop_soon *soon);
/* Fine when it is not due. */
void mote__loop_soon_stop(struct loop *loop, struct loop_soon *soon);

/* ---- Timers: one call, later. ---- */

struct loop_timer {
    void (*run)(struct loop_timer *timer);
    struct loop *loop; /* NULL: it is not running */
    uint64_t due_ns;
    struct loop_timer *next, *previous;
};
/* Calls timer->run once, `delay_ns` from now; starting again moves it. False when out of memory.
 * Cheap, with delays that are alike: operations start and stop one each. */
bool mote__loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns);
/* The same, `delay_ns` from `from_ns` on, for those who have just looked at the clock. */
bool mote__loop_timer_start_from(struct loop *loop, struct loop_timer *timer, uint64_t from_ns,
                                 uint64_t delay_ns);
/* Forgets the timer; it may be started again. Fine when it is not running. */
void mote__loop_timer_stop(struct loop_timer *timer);

/* ---- Watches: a descriptor that can be read or written. ---- */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch {
    void (*run)(struct loop_watch *watch, unsigned ready); /* LOOP_READ, LOOP_WRITE */
    void *event;
    int fd;
    unsigned wanted;
};
/* Calls watch->run whenever `fd` is ready for one of `wanted`, until told otherwise; starting again
 * changes what is wanted. False when out of memory. */
bool mote__loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, unsigned wanted);
/* Before the descriptor is closed. Fine when it is not watched. */
void mote__loop_watch_stop(struct loop_watch *watch);

/* ---- Work that waits, such as resolving names: on a thread of its own. ---- */

struct loop_work {
    void (*work)(struct loop_work *work); /* elsewhere */
    void (*done)(struct loop_work *work); /* afterwards, on the loop's thread */
    struct loop *loop;
    struct loop_post post;
    uintptr_t thread;
};
/* False when the system has no thread to give. */
bool mote__loop_work_start(struct loop *loop, struct loop_work *work);

#endif
