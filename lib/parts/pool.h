/* pool.h - the connections of a driver whose client library connects, or resolves names, while the
 * caller waits: they are made on threads of their own and worked with on the loop. Operations queue
 * for a connection; one that is lost ends what it had under way; a server that is away is tried
 * again with back-off.
 *
 * A driver's connection and task are structs that begin with the ones below. Everything but
 * `connect` runs on the loop's thread. */
#ifndef MOTE_PARTS_POOL_H
#define MOTE_PARTS_POOL_H

#include "driver.h"

struct pool;
struct pool_connection;

/* An operation that waits for a connection or is under way on one. */
struct pool_task {
    mote_parts_op *op;
    struct pool_connection *connection; /* NULL: it waits */
    struct pool_task *next, *previous;
    uint64_t started_ns; /* on its connection; 0: when its operation began */
    bool is_ending; /* its connection is gone, and its end is next */
};

struct pool_list {
    struct pool_task *first, *last;
};

enum pool_state { POOL_AWAY, POOL_CONNECTING, POOL_READY };

struct pool_connection {
    struct pool *pool;
    enum pool_state state;
    unsigned
        losses; /* grows when it is lost: what was known before a callback may not hold after */
    int fd;     /* set by `connect` */
    struct loop_watch watch;
    struct pool_list tasks; /* under way */
    size_t task_count;
    bool writes;             /* one of them does */
    uint64_t used_ns;        /* when the last one ended */
    struct loop_timer stall; /* looks whether anything is answered still */

    /* Of connecting. */
    struct loop_work work;
    _Atomic bool is_unwanted;
    uint64_t deadline_ns;
    bool is_connected, is_first; /* is_first: nobody has set up the store yet */
    char why[200];
};

/* What a driver does with a connection. */
struct pool_client {
    const char *product; /* "MySQL", for messages */
    size_t connection_bytes, task_bytes;
    bool pipelines; /* several reads may be under way on one connection */
    /* Whether the store can hold what an operation's items say; if not, mote__parts_say has said
     * why. Not asked about lists of keys. On the loop's thread, before the operation waits. */
    mote_parts_code (*check)(mote_parts_op *op);
    /* Connects until deadline_ns, on a thread of its own, and sets `fd`; on false `why` says what
     * is wrong and nothing is left behind. Looks at is_unwanted whenever it waits. */
    bool (*connect)(struct pool_connection *c);
    /* Begins a task. mote__pool_done or mote__pool_lost follows, now or later. */
    void (*run)(struct pool_connection *c, struct pool_task *task);
    /* The socket is ready for something. */
    void (*ready)(struct pool_connection *c, unsigned ready);
    /* Lets go of one task and leaves the connection as it is; false where that cannot be. NULL:
     * never. */
    bool (*forget)(struct pool_connection *c, struct pool_task *task);
    /* With `forget`: when the oldest question was asked whose answer is still to come, forgotten or
     * not; 0: there is none. */
    uint64_t (*asked_ns)(const struct pool_connection *c);
    /* Closes the connection without waiting, whatever is under way on it. */
    void (*drop)(struct pool_connection *c);
    /* Deletes what has expired, if nobody has of late, on a connection and a thread of its own. */
    void (*clean)(struct pool_connection *c);
};

static inline uint64_t pool_started_ns(const struct pool_task *task) {
    return task->started_ns ? task->started_ns : task->op->begun_ns;
}

enum { POOL_SIZE_MAX = 64 };

struct pool_settings {
    size_t size; /* connections at most */
    uint64_t dial_timeout_ns, timeout_ns; /* timeout: for one operation, and for any answer */
    uint64_t cleanup_ns; /* between two times of `clean`; 0: never */
    char where[160];     /* the server, for messages */
};

struct pool {
    const struct parts_opening *opening;
    const struct pool_client *client;
    void *context; /* the driver's */
    struct pool_settings settings;
    struct pool_connection *connections[POOL_SIZE_MAX]; /* made when they are needed */
    struct pool_list waiting;
    const struct pool_task *submitted; /* begins now */
    size_t waiting_writes, waiting_reads, connecting;
    struct parts_link link;
    struct pool_connection *cleaner;
    struct loop_timer cleanup;
    bool is_set_up, is_closing, is_cleaning;
};

/* Prepares a pool; nothing is connected yet. */
void mote__pool_init(struct pool *pool, const struct parts_opening *opening,
                     const struct pool_client *client, const struct pool_settings *settings,
                     void *context);
/* Ends what is under way as CANCELLED and waits for connections that are being made to give up. */
void mote__pool_deinit(struct pool *pool);
/* The driver's submit and cancel. An operation that fails its check, or has no items where its verb
 * needs them, is complete at once. */
void mote__pool_submit(struct pool *pool, mote_parts_op *op);
void mote__pool_cancel(struct pool *pool, mote_parts_op *op);

/* Ends a task; the connection goes on with what waits. Afterwards look at c->losses before anything
 * else of the connection is touched. */
void mote__pool_done(struct pool_connection *c, struct pool_task *task, mote_parts_code code);
/* Ends every task of a connection as UNAVAILABLE and drops it. */
void mote__pool_lost(struct pool_connection *c, const char *why);
/* Whether the socket of a connection that is being made is ready for `wanted` (LOOP_...): waits,
 * until the deadline or until nobody wants it any more; 0 then. */
unsigned mote__pool_wait(const struct pool_connection *c, int fd, unsigned wanted);

#endif
