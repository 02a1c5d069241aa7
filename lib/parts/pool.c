/* pool.c - the connections of pool.h.
 * Keeps: a task is in `waiting` or in the list of one connection that is READY; a connection has
 * several tasks only if all of them read; connection structs stay until the pool is deleted. */
#define _GNU_SOURCE
#include "pool.h"
#include "os/os.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

/* A connection that was in use a moment ago is not asked whether it is still there. */
static const uint64_t fresh_ns = 1000000;

static uint64_t now_ns(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

static bool reads(const mote_parts_op *op) {
    return op->verb == MOTE_PARTS_GET || op->verb == MOTE_PARTS_KEYS;
}

/* ---------------------------------------------------------------- lists */

static void append(struct pool_list *list, struct pool_task *task) {
    task->next = NULL;
    task->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = task;
    list->last = task;
}

static void unlink_task(struct pool_list *list, struct pool_task *task) {
    *(task->previous ? &task->previous->next : &list->first) = task->next;
    *(task->next ? &task->next->previous : &list->last) = task->previous;
}

static void begin_waiting(struct pool *p, struct pool_task *task) {
    task->connection = NULL;
    append(&p->waiting, task);
    ++*(reads(task->op) ? &p->waiting_reads : &p->waiting_writes);
}

static void end_waiting(struct pool *p, struct pool_task *task) {
    unlink_task(&p->waiting, task);
    --*(reads(task->op) ? &p->waiting_reads : &p->waiting_writes);
}

static void leave(struct pool_connection *c, struct pool_task *task) {
    unlink_task(&c->tasks, task);
    task->connection = NULL;
    if (!--c->task_count) c->writes = false;
}

/* ---------------------------------------------------------------- ending */

static void end(struct pool *p, struct pool_task *task, mote_parts_code code) {
    if (code == MOTE_PARTS_UNAVAILABLE)
        mote__parts_say(task->op, code, "%s %s: %s", p->link.product, p->link.where, p->link.why);
    mote__parts_complete(task->op, code);
}

static void end_waiting_all(struct pool *p, mote_parts_code code) {
    while (p->waiting.first) {
        struct pool_task *task = p->waiting.first;
        end_waiting(p, task);
        end(p, task, code);
    }
}

/* Drops a connection; its tasks stay in its list. */
static void drop(struct pool_connection *c) {
    mote__loop_watch_stop(&c->watch);
    mote__loop_timer_stop(&c->stall);
    c->pool->client->drop(c);
    c->state = POOL_AWAY;
    c->fd = -1;
    c->losses++;
}

/* Ends what was under way on a connection that has been dropped. Callbacks may begin new tasks
 * meanwhile, on a new connection in the same place even: the old ones are taken out first. */
static void end_tasks(struct pool_connection *c, mote_parts_code code) {
    struct pool_task *task = c->tasks.first;
    c->tasks = (struct pool_list){0};
    c->task_count = 0;
    c->writes = false;
    for (struct pool_task *at = task; at; at = at->next) at->is_ending = true;
    for (struct pool_task *next; task; task = next) {
        next = task->next;
        end(c->pool, task, code);
    }
}

static bool is_any_ready(const struct pool *p) {
    for (size_t i = 0; i < p->settings.size && p->connections[i]; i++)
        if (p->connections[i]->state == POOL_READY) return true;
    return false;
}

/* Drops a connection that went by itself; the server is away when it was the last. */
static void lose(struct pool_connection *c, const char *why) {
    struct pool *p = c->pool;
    drop(c);
    if (is_any_ready(p)) snprintf(p->link.why, sizeof p->link.why, "%s", why);
    else mote__link_lost(&p->link, why);
}

static void serve(struct pool *p);

void mote__pool_lost(struct pool_connection *c, const char *why) {
    lose(c, why);
    end_tasks(c, MOTE_PARTS_UNAVAILABLE);
    serve(c->pool);
}

void mote__pool_done(struct pool_connection *c, struct pool_task *task, mote_parts_code code) {
    struct pool *p = c->pool;
    leave(c, task);
    c->used_ns = now_ns();
    if (code == MOTE_PARTS_UNAVAILABLE) mote__parts_complete(task->op, code); /* in its own words */
    else end(p, task, code);
    if (p->waiting.first) serve(p);
}

/* ---------------------------------------------------------------- what has expired */

static struct pool_connection *of_work(struct loop_work *work) {
    return (struct pool_connection *)((char *)work - offsetof(struct pool_connection, work));
}

static void clean_elsewhere(struct loop_work *work) {
    struct pool_connection *c = of_work(work);
    if (!c->pool->client->connect(c)) return;
    c->pool->client->clean(c);
    c->pool->client->drop(c);
}

static void start_cleanup(struct pool *p) {
    if (p->settings.cleanup_ns && !p->cleanup.loop && !p->is_closing)
        mote__loop_timer_start(p->opening->loop, &p->cleanup, p->settings.cleanup_ns);
}

static void on_cleaned(struct loop_work *work) {
    struct pool *p = of_work(work)->pool;
    p->is_cleaning = false;
    start_cleanup(p);
}

static void on_cleanup(struct loop_timer *timer) {
    struct pool *p = (struct pool *)((char *)timer - offsetof(struct pool, cleanup));
    mote__loop_timer_stop(timer);
    if (!p->cleaner)
        p->cleaner = mote__alloc_zeroed(p->opening->allocator, p->client->connection_bytes);
    if (!p->cleaner) {
        start_cleanup(p);
        return;
    }
    p->cleaner->pool = p;
    p->cleaner->fd = -1;
    p->cleaner->deadline_ns = now_ns() + p->settings.dial_timeout_ns + p->settings.cleanup_ns;
    p->cleaner->work.work = clean_elsewhere;
    p->cleaner->work.done = on_cleaned;
    if (mote__loop_work_start(p->opening->loop, &p->cleaner->work)) p->is_cleaning = true;
    else start_cleanup(p);
}

/* ---------------------------------------------------------------- connecting */

unsigned mote__pool_wait(const struct pool_connection *c, int fd, unsigned wanted) {
    enum { SLICE_MS = 20 };
    struct pollfd poll_fd = {
        .fd = fd,
        .events = (short)((wanted & LOOP_READ ? POLLIN : 0) | (wanted & LOOP_WRITE ? POLLOUT : 0))};
    while (!c->is_unwanted && now_ns() < c->deadline_ns) {
        int got = poll(&poll_fd, 1, SLICE_MS);
        if (got < 0 && errno != EINTR) return 0;
        bool broken = got > 0 && poll_fd.revents & (POLLERR | POLLHUP | POLLNVAL);
        if (got > 0)
            return broken ? wanted
                          : (poll_fd.revents & POLLIN ? LOOP_READ : 0u) |
                                (poll_fd.revents & POLLOUT ? LOOP_WRITE : 0u);
    }
    return 0;
}

static void connect_elsewhere(struct loop_work *work) {
    struct pool_connection *c = of_work(work);
    c->is_connected = c->pool->client->connect(c);
}

static uint64_t asked_ns(const struct pool_connection *c) {
    return c->pool->client->asked_ns ? c->pool->client->asked_ns(c) : 0;
}

/* Whoever was impatient has gone; whether the server answers at all is seen when the oldest
 * question has waited for the component's own time. */
static void look_for_stall(struct pool_connection *c) {
    uint64_t asked = asked_ns(c), late_ns = asked + c->pool->settings.timeout_ns, at_ns = now_ns();
    if (!asked) return;
    if (at_ns >= late_ns) mote__pool_lost(c, "no answer in time");
    else if (!mote__loop_timer_start(c->pool->opening->loop, &c->stall, late_ns - at_ns))
        mote__pool_lost(c, "out of memory");
}

/* What has come meanwhile, while nobody ran the loop, is an answer too. */
static void on_stall(struct loop_timer *timer) {
    struct pool_connection *c =
        (struct pool_connection *)((char *)timer - offsetof(struct pool_connection, stall));
    unsigned losses = c->losses;
    if (c->state == POOL_READY) c->pool->client->ready(c, LOOP_READ);
    if (c->losses == losses) look_for_stall(c);
}

static void on_ready(struct loop_watch *watch, unsigned ready) {
    struct pool_connection *c =
        (struct pool_connection *)((char *)watch - offsetof(struct pool_connection, watch));
    c->pool->client->ready(c, ready);
}

/* Nobody came through. Those who wait go on waiting only for connections that there are. */
static void fail(struct pool *p, const char *why) {
    mote__link_failed(&p->link);
    if (p->connecting || is_any_ready(p)) return;
    mote__link_lost(&p->link, why);
    end_waiting_all(p, MOTE_PARTS_UNAVAILABLE);
}

static void become_ready(struct pool_connection *c) {
    struct pool *p = c->pool;
    c->state = POOL_READY;
    c->used_ns = now_ns();
    if (!mote__loop_watch_start(p->opening->loop, &c->watch, c->fd, LOOP_READ)) {
        mote__pool_lost(c, "out of memory");
        return;
    }
    mote__link_back(&p->link);
    p->is_set_up = true;
    start_cleanup(p);
    serve(p);
}

static void on_connected(struct loop_work *work) {
    struct pool_connection *c = of_work(work);
    struct pool *p = c->pool;
    p->connecting--;
    c->state = POOL_AWAY;
    if (c->is_connected && p->is_closing) p->client->drop(c);
    if (p->is_closing) return;
    if (c->is_connected) become_ready(c);
    else fail(p, c->why);
}

static void init_connection(struct pool *p, struct pool_connection *c) {
    c->pool = p;
    c->fd = -1;
    c->watch.run = on_ready;
    c->stall.run = on_stall;
}

/* A place for one more connection; NULL when there is none, or no memory (*nomem). */
static struct pool_connection *free_place(struct pool *p, bool *nomem) {
    for (size_t i = 0; i < p->settings.size; i++) {
        struct pool_connection **c = &p->connections[i];
        if (!*c) {
            *c = mote__alloc_zeroed(p->opening->allocator, p->client->connection_bytes);
            *nomem = !*c;
            if (*c) init_connection(p, *c);
            return *c;
        }
        if ((*c)->state == POOL_AWAY) return *c;
    }
    return NULL;
}

/* Begins one more connection where there is room; false when the system has nothing to give. */
static bool begin_connecting(struct pool *p) {
    bool nomem = false;
    struct pool_connection *c = free_place(p, &nomem);
    if (!c) return !nomem;
    c->work.work = connect_elsewhere;
    c->work.done = on_connected;
    c->is_unwanted = c->is_connected = false;
    c->is_first = !p->is_set_up;
    c->deadline_ns = now_ns() + p->settings.dial_timeout_ns;
    c->why[0] = 0;
    if (!mote__loop_work_start(p->opening->loop, &c->work)) return false;
    c->state = POOL_CONNECTING;
    p->connecting++;
    return true;
}

/* ---------------------------------------------------------------- who works for whom */

/* Whether the server hung up while nothing was under way, as servers do with those who are idle. */
static bool went_away_idle(const struct pool_connection *c) {
    char byte;
    if (now_ns() - c->used_ns < fresh_ns) return false;
    ssize_t got = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 && asked_ns(c)) return false; /* an answer that nobody waits for any more */
    return got >= 0 || (errno != EAGAIN && errno != EINTR); /* nor may it say anything unasked */
}

/* A connection that can begin this now: an idle one, else one whose reads this joins. */
static struct pool_connection *choose(struct pool *p, const mote_parts_op *op) {
    struct pool_connection *best = NULL;
    for (size_t i = 0; i < p->settings.size && p->connections[i]; i++) {
        struct pool_connection *c = p->connections[i];
        if (c->state == POOL_READY && !c->task_count && went_away_idle(c)) drop(c);
        if (c->state != POOL_READY) continue;
        if (!c->task_count) return c;
        bool joins = p->client->pipelines && reads(op) && !c->writes;
        if (joins && (!best || c->task_count < best->task_count)) best = c;
    }
    return best;
}

static void start(struct pool_connection *c, struct pool_task *task) {
    task->connection = c;
    task->started_ns = task == c->pool->submitted ? 0 : now_ns();
    append(&c->tasks, task);
    c->task_count++;
    if (!reads(task->op)) c->writes = true;
    c->pool->client->run(c, task);
}

/* How many connections those who wait could use. */
static size_t wanted_connections(const struct pool *p) {
    return p->waiting_writes +
           (p->client->pipelines ? (size_t)(p->waiting_reads > 0) : p->waiting_reads);
}

static void serve(struct pool *p) {
    while (p->waiting.first) {
        struct pool_task *task = p->waiting.first;
        struct pool_connection *c = choose(p, task->op);
        if (!c) break;
        end_waiting(p, task);
        start(c, task);
    }
    size_t most = wanted_connections(p), before = SIZE_MAX;
    while (!p->is_closing && p->connecting < most && p->connecting != before &&
           !mote__link_rests(&p->link)) {
        before = p->connecting;
        if (!begin_connecting(p) && !p->connecting) fail(p, "out of memory");
    }
}

/* Nobody waits for a server that is away, but whether it is back is to be known. */
static void try_again(struct loop_timer *timer) {
    struct pool *p = (struct pool *)((char *)timer - offsetof(struct pool, link.again));
    if (p->is_closing || p->connecting || is_any_ready(p)) return;
    if (!begin_connecting(p)) fail(p, "out of memory");
}

/* ---------------------------------------------------------------- submit, cancel */

static void submit(struct pool *p, mote_parts_op *op) {
    struct pool_task *task = mote__parts_alloc(op, p->client->task_bytes);
    if (!op->timeout_ns) op->timeout_ns = p->settings.timeout_ns;
    if (!task) {
        mote__parts_complete(op, MOTE_PARTS_NOMEM);
        return;
    }
    memset(task, 0, p->client->task_bytes);
    task->op = op;
    op->driver = task;
    if (mote__link_rests(&p->link) && !p->connecting && !is_any_ready(p)) {
        end(p, task, MOTE_PARTS_UNAVAILABLE);
        return;
    }
    begin_waiting(p, task);
    p->submitted = task;
    serve(p);
    p->submitted = NULL;
}

void mote__pool_submit(struct pool *p, mote_parts_op *op) {
    bool lists = op->verb == MOTE_PARTS_KEYS;
    mote_parts_code code = lists ? MOTE_PARTS_OK : p->client->check(op);
    if (code || (!lists && !op->item_count)) mote__parts_complete(op, code);
    else submit(p, op);
}

/* Ends a task that cannot be let go of, with its connection, which it has to itself. */
static void tear_away(struct pool_connection *c, struct pool_task *task, bool late) {
    bool stalled = late && now_ns() >= pool_started_ns(task) + c->pool->settings.timeout_ns;
    if (stalled) lose(c, "no answer in time");
    else drop(c);
    leave(c, task);
    end_tasks(c, MOTE_PARTS_UNAVAILABLE);
}

void mote__pool_cancel(struct pool *p, mote_parts_op *op) {
    struct pool_task *task = op->driver;
    struct pool_connection *c = task->connection;
    bool late = op->ending == MOTE_PARTS_TIMEOUT;
    if (task->is_ending) return;
    if (!c) end_waiting(p, task);
    else if (p->client->forget && p->client->forget(c, task)) {
        leave(c, task);
        if (late) look_for_stall(c);
    } else tear_away(c, task, late);
    mote__parts_complete(op, MOTE_PARTS_CANCELLED);
    serve(p);
}

/* ---------------------------------------------------------------- the whole */

void mote__pool_init(struct pool *p, const struct parts_opening *opening,
                     const struct pool_client *client, const struct pool_settings *settings,
                     void *context) {
    *p = (struct pool){
        .opening = opening, .client = client, .settings = *settings, .context = context};
    p->cleanup.run = on_cleanup;
    mote__link_init(&p->link, opening, client->product, try_again);
    snprintf(p->link.where, sizeof p->link.where, "%s", settings->where);
    if (!p->settings.size) p->settings.size = 4;
    if (p->settings.size > POOL_SIZE_MAX) p->settings.size = POOL_SIZE_MAX;
}

void mote__pool_deinit(struct pool *p) {
    bool never = false;
    p->is_closing = true;
    for (size_t i = 0; i < p->settings.size; i++)
        if (p->connections[i]) p->connections[i]->is_unwanted = true;
    if (p->cleaner) p->cleaner->is_unwanted = true;
    mote__loop_timer_stop(&p->cleanup);
    mote__loop_timer_stop(&p->link.again);
    while (p->connecting || p->is_cleaning) mote__loop_run(p->opening->loop, &never, 5000000);
    snprintf(p->link.why, sizeof p->link.why, "closed");
    end_waiting_all(p, MOTE_PARTS_CANCELLED);
    for (size_t i = 0; i < p->settings.size && p->connections[i]; i++) {
        if (p->connections[i]->state == POOL_READY) drop(p->connections[i]);
        end_tasks(p->connections[i], MOTE_PARTS_CANCELLED);
        mote__free(p->opening->allocator, p->connections[i], p->client->connection_bytes);
    }
    mote__free(p->opening->allocator, p->cleaner, p->client->connection_bytes);
    mote__link_deinit(&p->link);
}
