/* loop.c - the event loop over libevent (loop.h).
 * Keeps: posts are a list under a lock; a byte in the pipe means that the list is not empty. */
#define _GNU_SOURCE
#include "loop.h"
#include "base/alloc.h"
#include "os/os.h"
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop {
    const mote_allocator *allocator;
    struct event_base *base;
    struct event *wake, *alarm; /* alarm: of the timers */
    int pipe[2], alarm_fd;
    struct os_mutex lock;
    struct loop_post *first, **end; /* under the lock */
    unsigned works;                 /* under way */
    struct loop_soon *due;
    struct loop_timer *first_timer, *last_timer; /* in the order of due_ns */
    uint64_t alarm_ns;                           /* when it rings: not after the first; 0: never */
    bool is_woken, is_running;
};

/* ---------------------------------------------------------------- posts */

void mote__loop_post(struct loop *loop, struct loop_post *post) {
    post->next = NULL;
    mote__os_mutex_lock(&loop->lock);
    bool was_empty = !loop->first;
    *loop->end = post;
    loop->end = &post->next;
    if (was_empty) mote__loop_wake(loop); /* inside the lock: it cannot be deleted meanwhile */
    mote__os_mutex_unlock(&loop->lock);
}

static struct loop_post *take_posts(struct loop *loop) {
    mote__os_mutex_lock(&loop->lock);
    struct loop_post *first = loop->first;
    loop->first = NULL;
    loop->end = &loop->first;
    mote__os_mutex_unlock(&loop->lock);
    return first;
}

static void run_posts(evutil_socket_t fd, short what, void *context) {
    struct loop *loop = context;
    char bytes[64];
    (void)what;
    loop->is_woken = true;
    while (read(fd, bytes, sizeof bytes) > 0) continue;
    struct loop_post *post = take_posts(loop);
    while (post) {
        struct loop_post *next = post->next;
        post->run(post);
        post = next;
    }
}

/* ---------------------------------------------------------------- soon */

static void run_soon(struct loop *loop) {
    while (loop->due) {
        struct loop_soon *soon = loop->due;
        loop->due = soon->next;
        soon->is_due = false;
        soon->run(soon);
    }
}

void mote__loop_soon(struct loop *loop, struct loop_soon *soon) {
    if (soon->is_due) return;
    soon->is_due = true;
    soon->next = loop->due;
    loop->due = soon;
}

void mote__loop_soon_stop(struct loop *loop, struct loop_soon *soon) {
    struct loop_soon **at = &loop->due;
    while (*at && *at != soon) at = &(*at)->next;
    if (*at) *at = soon->next;
    soon->is_due = false;
}

/* ---------------------------------------------------------------- timers: a list in the order of
 * their times, and one alarm, which may ring for nobody. A descriptor of the system's and not a
 * timer of libevent's: those make every single wait one with a time-out, 1.3 us each. */

static bool set_alarm(struct loop *loop) {
    uint64_t at_ns = loop->first_timer->due_ns;
    const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(at_ns / 1000000000),
                                               .tv_nsec = (long)(at_ns % 1000000000)}};
    bool good = !timerfd_settime(loop->alarm_fd, TFD_TIMER_ABSTIME, &at, NULL);
    loop->alarm_ns = good ? at_ns : 0;
    return good;
}

static void ring(evutil_socket_t fd, short what, void *context) {
    struct loop *loop = context;
    uint64_t now_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC), rings;
    (void)what;
    if (read(fd, &rings, sizeof rings) < 0) return; /* it was set anew meanwhile */
    loop->alarm_ns = 0;
    while (loop->first_timer && loop->first_timer->due_ns <= now_ns) {
        struct loop_timer *timer = loop->first_timer;
        mote__loop_timer_stop(timer);
        timer->run(timer);
    }
    if (loop->first_timer && !loop->alarm_ns) set_alarm(loop);
}

/* Where it belongs, looked for from the end: most have the same delay. */
static void insert(struct loop *loop, struct loop_timer *timer) {
    struct loop_timer *before = loop->last_timer;
    while (before && before->due_ns > timer->due_ns) before = before->previous;
    timer->previous = before;
    timer->next = before ? before->next : loop->first_timer;
    *(before ? &before->next : &loop->first_timer) = timer;
    *(timer->next ? &timer->next->previous : &loop->last_timer) = timer;
    timer->loop = loop;
}

bool mote__loop_timer_start_from(struct loop *loop, struct loop_timer *timer, uint64_t from_ns,
                                 uint64_t delay_ns) {
    mote__loop_timer_stop(timer);
    timer->due_ns = delay_ns < UINT64_MAX - from_ns ? from_ns + delay_ns : UINT64_MAX;
    insert(loop, timer);
    if ((loop->alarm_ns && loop->alarm_ns <= timer->due_ns) || set_alarm(loop)) return true;
    mote__loop_timer_stop(timer);
    return false;
}

bool mote__loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ns) {
    return mote__loop_timer_start_from(loop, timer, mote__os_clock_ns(OS_CLOCK_MONOTONIC),
                                       delay_ns);
}

void mote__loop_timer_stop(struct loop_timer *timer) {
    struct loop *loop = timer->loop;
    if (!loop) return;
    *(timer->previous ? &timer->previous->next : &loop->first_timer) = timer->next;
    *(timer->next ? &timer->next->previous : &loop->last_timer) = timer->previous;
    timer->loop = NULL;
}

/* ---------------------------------------------------------------- the loop */

static bool open_descriptors(struct loop *loop) {
    loop->alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return loop->alarm_fd >= 0 && !pipe2(loop->pipe, O_CLOEXEC | O_NONBLOCK);
}

/* An event of the loop's own that runs whenever `fd` can be read; NULL when out of memory. */
static struct event *attend(struct loop *loop, int fd, event_callback_fn run) {
    struct event *event = event_new(loop->base, fd, EV_READ | EV_PERSIST, run, loop);
    if (!event || !event_add(event, NULL)) return event;
    event_free(event);
    return NULL;
}

struct loop *mote__loop_new(const mote_allocator *allocator) {
    struct loop *loop = MOTE__NEW(allocator, struct loop);
    if (!loop) return NULL;
    *loop = (struct loop){
        .allocator = allocator, .pipe = {-1, -1}, .alarm_fd = -1, .end = &loop->first};
    loop->base = event_base_new();
    bool good = loop->base && open_descriptors(loop);
    if (good) loop->wake = attend(loop, loop->pipe[0], run_posts);
    if (good) loop->alarm = attend(loop, loop->alarm_fd, ring);
    if (loop->wake && loop->alarm) return loop;
    mote__loop_delete(loop);
    return NULL;
}

struct limit {
    struct loop_timer timer;
    bool passed;
};

static void pass(struct loop_timer *timer) { ((struct limit *)timer)->passed = true; }

static void run(struct loop *loop, const bool *stop, const bool *stop_too, uint64_t timeout_ns) {
    struct limit limit = {.timer.run = pass};
    if (loop->is_running) return;
    bool good = timeout_ns == UINT64_MAX || mote__loop_timer_start(loop, &limit.timer, timeout_ns);
    loop->is_running = true;
    run_soon(loop);
    while (good && !*stop && !*stop_too && !limit.passed) {
        good = event_base_loop(loop->base, EVLOOP_ONCE) >= 0;
        run_soon(loop);
    }
    loop->is_running = false;
    mote__loop_timer_stop(&limit.timer);
}

bool mote__loop_is_running(const struct loop *loop) { return loop->is_running; }

void mote__loop_run(struct loop *loop, const bool *stop, uint64_t timeout_ns) {
    run(loop, stop, stop, timeout_ns);
}

void mote__loop_turn(struct loop *loop, const bool *stop, uint64_t timeout_ns) {
    loop->is_woken = false;
    run(loop, stop, &loop->is_woken, timeout_ns);
}

/* Where the pipe is full the loop has been woken. */
void mote__loop_wake(struct loop *loop) {
    while (write(loop->pipe[1], "", 1) < 0 && errno == EINTR) continue;
}

void mote__loop_delete(struct loop *loop) {
    bool idle = false;
    if (!loop) return;
    while (loop->works) mote__loop_run(loop, &idle, 10000000);
    if (loop->wake) run_posts(loop->pipe[0], 0, loop), event_free(loop->wake);
    if (loop->alarm) event_free(loop->alarm);
    if (loop->base) event_base_free(loop->base);
    for (int i = 0; i < 2; i++)
        if (loop->pipe[i] >= 0) close(loop->pipe[i]);
    if (loop->alarm_fd >= 0) close(loop->alarm_fd);
    MOTE__DELETE(loop->allocator, loop);
}

/* ---------------------------------------------------------------- watches */

static void run_watch(evutil_socket_t fd, short what, void *context) {
    struct loop_watch *watch = context;
    (void)fd;
    watch->run(watch, (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u));
}

bool mote__loop_watch_start(struct loop *loop, struct loop_watch *watch, int fd, unsigned wanted) {
    if (watch->event && watch->wanted == wanted && watch->fd == fd) return true;
    short what = (short)((wanted & LOOP_READ ? EV_READ : 0) | (wanted & LOOP_WRITE ? EV_WRITE : 0) |
                         EV_PERSIST);
    mote__loop_watch_stop(watch);
    watch->event = event_new(loop->base, fd, what, run_watch, watch);
    watch->fd = fd;
    watch->wanted = wanted;
    return watch->event && !event_add(watch->event, NULL);
}

void mote__loop_watch_stop(struct loop_watch *watch) {
    if (watch->event) event_free(watch->event);
    watch->event = NULL;
}

/* ---------------------------------------------------------------- work elsewhere */

static void end_work(struct loop_post *post) {
    struct loop_work *work = (struct loop_work *)((char *)post - offsetof(struct loop_work, post));
    mote__os_thread_join((struct os_thread){work->thread});
    work->loop->works--;
    work->done(work);
}

static void *run_work(void *argument) {
    struct loop_work *work = argument;
    work->work(work);
    mote__loop_post(work->loop, &work->post);
    return NULL;
}

bool mote__loop_work_start(struct loop *loop, struct loop_work *work) {
    struct os_thread thread;
    work->loop = loop;
    work->post.run = end_work;
    loop->works++;
    if (mote__os_thread_create(&thread, run_work, work, 0)) return loop->works--, false;
    work->thread = thread.handle; /* read by this thread only, when the post arrives */
    return true;
}
