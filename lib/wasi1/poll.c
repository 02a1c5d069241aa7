/* poll.c - waiting: poll_oneoff, and the wait before a blocking read (WASI preview 1).
 * Keeps: nobody spins: every round of a wait is one ppoll or one sleep, of at most
 * MOTE_WASI_SLICE_MS, after which interruption is looked at. */
#define _GNU_SOURCE
#include "process.h"
#include <poll.h>

#define NANOSECONDS_PER_MS UINT64_C(1000000)
#define SLICE_NS           (MOTE_WASI_SLICE_MS * NANOSECONDS_PER_MS)
#define ASK_AGAIN_NS       (5 * NANOSECONDS_PER_MS) /* nodes that can only be asked */

enum { ITEMS_ON_STACK = 16 };

bool mote__wasi_stopped(const struct call *c) {
    return c->caller && mote_caller_interrupted(c->caller);
}

/* ---------------------------------------------------------------- one node */

static int poll_fd_of(mote_vfs_node *node) {
    return node->ops->poll_fd ? node->ops->poll_fd(node) : -1;
}

/* True for nodes that say themselves whether they are ready and have nothing to poll. */
static bool must_be_asked(mote_vfs_node *node) { return node->ops->ready && poll_fd_of(node) < 0; }

static void sleep_ns(uint64_t ns) {
    mote__os_sleep_until(mote__os_clock_ns(OS_CLOCK_MONOTONIC) + ns);
}

static short poll_events(unsigned wanted) {
    return (short)((wanted & MOTE_VFS_READ ? POLLIN : 0) | (wanted & MOTE_VFS_WRITE ? POLLOUT : 0));
}

mote_vfs_error mote__wasi_wait(struct call *c, mote_vfs_node *node, unsigned wanted) {
    struct pollfd look = {.fd = poll_fd_of(node), .events = poll_events(wanted)};
    bool asks = must_be_asked(node);
    if (look.fd < 0 && !asks) return MOTE_VFS_OK;
    for (;;) {
        unsigned now = 0;
        uint64_t bytes;
        mote_vfs_error error = asks ? node->ops->ready(node, wanted, &now, &bytes) : MOTE_VFS_OK;
        if (error || now) return error;
        if (asks) sleep_ns(ASK_AGAIN_NS);
        else if (poll(&look, 1, MOTE_WASI_SLICE_MS) > 0) return MOTE_VFS_OK;
        if (mote__wasi_stopped(c)) return MOTE_VFS_EINTR;
    }
}

/* ---------------------------------------------------------------- subscriptions */

/* A subscription, and the event that it turns into. */
struct item {
    uint64_t userdata;
    uint8_t type; /* WASI_EVENT_... */
    bool done;    /* the event has happened */
    mote_vfs_error error;
    unsigned clock;        /* clocks: which */
    uint64_t deadline;     /* and when, in its time */
    struct description *d; /* descriptors */
    uint64_t bytes;
    bool hangup;
};

static unsigned wanted_of(const struct item *item) {
    return item->type == WASI_EVENT_FD_READ ? MOTE_VFS_READ : MOTE_VFS_WRITE;
}

static void finish(struct item *item, mote_vfs_error error) {
    item->done = true;
    item->error = error;
}

/* `at`: the clock's fields from its id on. */
static void take_clock(const struct call *c, const uint8_t *at, struct item *item) {
    uint32_t clock = mote__load_u32(at);
    uint64_t timeout = mote__load_u64(at + 8);
    uint16_t flags = mote__load_u16(at + 24);
    if (clock > WASI_CLOCK_MONOTONIC || (flags & ~WASI_CLOCK_ABSOLUTE))
        return finish(item, MOTE_VFS_EINVAL);
    item->clock = clock;
    item->deadline = timeout;
    if (flags & WASI_CLOCK_ABSOLUTE) return;
    item->clock = WASI_CLOCK_MONOTONIC; /* durations do not jump when somebody sets the date */
    uint64_t now = mote__wasi_now(c->wasi, item->clock, 0);
    item->deadline = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
}

static void take_descriptor(const struct call *c, uint32_t fd, struct item *item) {
    uint64_t right = item->type == WASI_EVENT_FD_READ ? WASI_FD_READ : WASI_FD_WRITE;
    mote_vfs_error error = mote__table_hold(c->wasi, fd, right | WASI_POLL_FD_READWRITE, &item->d);
    if (error) finish(item, error);
}

/* False for a type of event that does not exist. */
static bool take_item(const struct call *c, const uint8_t *at, bool old, struct item *item) {
    *item = (struct item){.userdata = mote__load_u64(at), .type = at[8]};
    if (item->type > WASI_EVENT_FD_WRITE) return false;
    if (item->type == WASI_EVENT_CLOCK) take_clock(c, at + (old ? 24 : 16), item);
    else take_descriptor(c, mote__load_u32(at + 16), item);
    return true;
}

static void put_event(uint8_t *at, const struct item *item) {
    memset(at, 0, WASI_EVENT_BYTES);
    mote__store_u64(at, item->userdata);
    mote__store_u16(at + 8, (uint16_t)item->error);
    at[10] = item->type;
    mote__store_u64(at + 16, item->bytes);
    mote__store_u16(at + 24, item->hangup ? WASI_EVENT_HANGUP : 0);
}

/* ---------------------------------------------------------------- waiting for any of them */

struct wait {
    struct call *c;
    struct item *items;
    struct pollfd *polls; /* one for each item; fd -1 where there is nothing to poll */
    size_t count;
    size_t polled; /* items with something to poll */
    bool asks;     /* some must be asked again and again */
};

/* Bytes between the position and the end of a file. */
static uint64_t bytes_left(struct description *d) {
    mote_vfs_stat st;
    mote__os_mutex_lock(&d->lock);
    uint64_t position = d->position;
    mote__os_mutex_unlock(&d->lock);
    if (!(d->node->traits & MOTE_VFS_SEEKABLE) || !d->node->ops->stat ||
        d->node->ops->stat(d->node, &st))
        return 0;
    if (d->node->ops->seek && d->node->ops->seek(d->node, 0, MOTE_VFS_SEEK_CUR, &position))
        return 0;
    return st.size > position ? st.size - position : 0;
}

/* Looks at nodes that need no poll. */
static void look_at_item(struct wait *w, size_t index) {
    struct item *item = &w->items[index];
    mote_vfs_node *node = item->d->node;
    unsigned now = 0;
    w->polls[index] =
        (struct pollfd){.fd = poll_fd_of(node), .events = poll_events(wanted_of(item))};
    if (w->polls[index].fd >= 0) {
        w->polled++;
    } else if (node->ops->ready) {
        w->asks = true;
        mote_vfs_error error = node->ops->ready(node, wanted_of(item), &now, &item->bytes);
        if (error || now) finish(item, error);
    } else {
        if (item->type == WASI_EVENT_FD_READ) item->bytes = bytes_left(item->d);
        finish(item, MOTE_VFS_OK);
    }
}

/* How long until the first clock; marks those whose time has come. */
static uint64_t look_at_clocks(struct wait *w, struct item **next) {
    uint64_t least = UINT64_MAX;
    *next = NULL;
    for (size_t i = 0; i < w->count; i++) {
        struct item *item = &w->items[i];
        if (item->type != WASI_EVENT_CLOCK || item->done) continue;
        uint64_t now = mote__wasi_now(w->c->wasi, item->clock, 0);
        if (now >= item->deadline) finish(item, MOTE_VFS_OK);
        else if (item->deadline - now < least) least = item->deadline - now, *next = item;
    }
    return least;
}

static bool any_done(const struct wait *w) {
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].done) return true;
    return false;
}

/* A descriptor has something to say. */
static void take_poll(struct item *item, short revents) {
    unsigned now;
    mote_vfs_node *node = item->d->node;
    if (revents & POLLNVAL) return finish(item, MOTE_VFS_EBADF);
    if (item->type == WASI_EVENT_FD_READ && node->ops->ready)
        (void)node->ops->ready(node, MOTE_VFS_READ, &now, &item->bytes);
    item->hangup = (revents & POLLHUP) != 0;
    finish(item, MOTE_VFS_OK);
}

static int poll_once(struct wait *w, uint64_t ns) {
    struct timespec timeout = {.tv_sec = (time_t)(ns / 1000000000u),
                               .tv_nsec = (long)(ns % 1000000000u)};
    int ready = ppoll(w->polls, (nfds_t)w->count, &timeout, NULL);
    for (size_t i = 0; ready > 0 && i < w->count; i++)
        if (w->polls[i].fd >= 0 && w->polls[i].revents)
            take_poll(&w->items[i], w->polls[i].revents);
    return ready;
}

/* One round: waits for at most `ns`. A clock of the embedder's own is told to go on, and takes no
 * time where nothing else is waited for. */
static void wait_once(struct wait *w, uint64_t ns, const struct item *next) {
    bool own_clock = w->c->wasi->clock && next;
    int ready = w->polled ? poll_once(w, ns) : 0;
    if (!ns || ready > 0) return;
    if (own_clock) mote__wasi_now(w->c->wasi, next->clock, ns);
    else if (!w->polled) sleep_ns(ns);
}

static mote_vfs_error wait_for_any(struct wait *w) {
    for (;;) {
        struct item *next;
        w->polled = 0;
        for (size_t i = 0; i < w->count; i++) {
            w->polls[i].fd = -1;
            if (w->items[i].d && !w->items[i].done) look_at_item(w, i);
        }
        uint64_t most = w->asks ? ASK_AGAIN_NS : SLICE_NS, left = look_at_clocks(w, &next);
        wait_once(w, any_done(w) ? 0 : left < most ? left : most, next);
        look_at_clocks(w, &next);
        if (any_done(w)) return MOTE_VFS_OK;
        if (mote__wasi_stopped(w->c)) return MOTE_VFS_EINTR;
    }
}

/* ---------------------------------------------------------------- the call */

static uint32_t put_events(const struct wait *w, uint8_t *at) {
    uint32_t count = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (!w->items[i].done) continue;
        put_event(at, &w->items[i]);
        at += WASI_EVENT_BYTES;
        count++;
    }
    return count;
}

static void release_items(const struct wait *w) {
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].d) mote__description_release(w->c->wasi, w->items[i].d);
}

static mote_vfs_error poll_with(struct wait *w, const uint8_t *in, uint8_t *out, bool old,
                                uint32_t *count) {
    size_t size = old ? WASI_SUBSCRIPTION_OLD_BYTES : WASI_SUBSCRIPTION_BYTES;
    bool good = true;
    for (size_t i = 0; i < w->count; i++) good &= take_item(w->c, in + i * size, old, &w->items[i]);
    mote_vfs_error error = good ? wait_for_any(w) : MOTE_VFS_EINVAL;
    if (!error) *count = put_events(w, out);
    release_items(w);
    return error;
}

/* As many items as the program passed: on the stack, or on the heap when there are many. */
static mote_vfs_error poll_many(struct wait *w, const uint8_t *in, uint8_t *out, bool old,
                                uint32_t *count) {
    struct item items[ITEMS_ON_STACK];
    struct pollfd polls[ITEMS_ON_STACK];
    const mote_allocator *a = w->c->wasi->allocator;
    bool few = w->count <= ITEMS_ON_STACK;
    w->items = few ? items : MOTE__NEW_ARRAY(a, struct item, w->count);
    w->polls = few ? polls : MOTE__NEW_ARRAY(a, struct pollfd, w->count);
    mote_vfs_error error =
        w->items && w->polls ? poll_with(w, in, out, old, count) : MOTE_VFS_ENOMEM;
    if (!few) {
        MOTE__DELETE_ARRAY(a, w->items, w->count);
        MOTE__DELETE_ARRAY(a, w->polls, w->count);
    }
    return error;
}

static mote_vfs_error poll_oneoff(struct call *c, uint32_t in, uint32_t out, uint32_t count,
                                  uint32_t events, bool old) {
    const uint8_t *from = guest_at(
        c, in, (uint64_t)count * (old ? WASI_SUBSCRIPTION_OLD_BYTES : WASI_SUBSCRIPTION_BYTES));
    uint8_t *to = guest_at(c, out, (uint64_t)count * WASI_EVENT_BYTES);
    uint32_t happened = 0;
    if (!count) return MOTE_VFS_EINVAL;
    if (!from || !to || !guest_at(c, events, 4)) return MOTE_VFS_EFAULT;
    struct wait w = {.c = c, .count = count};
    mote_vfs_error error = poll_many(&w, from, to, old, &happened);
    return error ? error : guest_put_u32(c, events, happened);
}

mote_vfs_error mote__wasi_poll_oneoff(struct call *c, uint32_t in, uint32_t out, uint32_t count,
                                      uint32_t events) {
    return poll_oneoff(c, in, out, count, events, false);
}

mote_vfs_error mote__wasi_old_poll_oneoff(struct call *c, uint32_t in, uint32_t out, uint32_t count,
                                          uint32_t events) {
    return poll_oneoff(c, in, out, count, events, true);
}
