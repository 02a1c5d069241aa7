/* redis.h - a connection to a Redis server, for the blocks that live on one: it connects when it is
 * first needed, sends whatever is in flight together, and comes back with back-off. Everything is
 * on the loop's thread, but for resolving names. */
#ifndef MOTE_PARTS_REDIS_H
#define MOTE_PARTS_REDIS_H

#include "driver.h"
#include "resp.h"
#include "base/vec.h"

struct redis;

/* A command whose reply is awaited. */
struct redis_slot {
    mote_parts_op *op; /* NULL: nobody cares any more */
    size_t item;
    unsigned what;    /* the user's */
    uint64_t sent_ns; /* 0: when its operation began */
};

/* Who uses the connection. */
struct redis_user {
    /* Sends an operation's commands; the connection is ready. False: out of memory, the operation
     * is then ended here. */
    bool (*send)(struct redis *redis, mote_parts_op *op);
    /* A reply to a command of an operation, which awaits op->awaited more. */
    void (*reply)(struct redis *redis, const struct redis_slot *slot, struct resp_reader *reply);
    const char *script; /* loaded at each connection; NULL: none */
    /* A connection that is only listened to (SUBSCRIBE) has these three, and no operations: every
     * answer is pushed; it is told when it can be written to and when it has gone. */
    void (*push)(struct redis *redis, struct resp_reader *message);
    void (*ready)(struct redis *redis);
    void (*lost)(struct redis *redis);
};

struct redis_settings {
    const char *host, *username, *password, *type;
    uint64_t port, database, dial_timeout_ns, answer_timeout_ns;
    bool tls;
    enum parts_key host_key, port_key, type_key, tls_key; /* whose lines are told */
};
/* The settings of a component whose driver has REDIS_KEYS in parts.def. */
#define REDIS_SETTINGS(o, driver)                                                                  \
    ((struct redis_settings){.host = parts_text(o, KEY_##driver##_host),                           \
                             .username = parts_text(o, KEY_##driver##_username),                   \
                             .password = parts_text(o, KEY_##driver##_password),                   \
                             .type = parts_text(o, KEY_##driver##_type),                           \
                             .port = parts_number(o, KEY_##driver##_port),                         \
                             .database = parts_number(o, KEY_##driver##_database),                 \
                             .dial_timeout_ns = parts_number(o, KEY_##driver##_dial_timeout),      \
                             .answer_timeout_ns = parts_number(o, KEY_##driver##_read_timeout),    \
                             .tls = parts_number(o, KEY_##driver##_tls),                           \
                             .host_key = KEY_##driver##_host,                                      \
                             .port_key = KEY_##driver##_port,                                      \
                             .type_key = KEY_##driver##_type,                                      \
                             .tls_key = KEY_##driver##_tls})

enum redis_state { REDIS_IDLE, REDIS_RESOLVING, REDIS_CONNECTING, REDIS_GREETING, REDIS_READY };

struct redis {
    const struct parts_opening *opening;
    const struct redis_user *user;
    struct redis_settings settings;
    enum redis_state state;
    struct parts_link link;
    char host[256], port[8];
    struct resolving *resolving; /* under way on a thread of its own; NULL: nothing is */
    struct addrinfo *addresses, *next_address;
    int fd;
    struct loop_watch watch;
    struct loop_timer dial, stall; /* stall: looks whether anything is answered still */
    resp_buffer in, out;
    bool sends_anew;       /* what has just begun */
    size_t sent;           /* of `out` */
    struct resp_skip skip; /* an answer that nobody wants, as it comes in */
    struct loop_soon soon; /* runs when the loop has a turn: sends, watches */
    unsigned direct;       /* answers awaited since then without it */
    uint64_t direct_since_ns; /* when the first of them was asked for */
    uint64_t used_ns;      /* when one was submitted last that was alone */
    VEC(struct redis_slot) slots;
    size_t first_slot;  /* those before it have been answered */
    unsigned greetings; /* replies of the handshake that are awaited */
    char script_sha[41];
    VEC(mote_parts_op *) waiting; /* for the connection */
    void *context;                /* the user's */
};

/* The driver's check: MOTE_E_UNSUPPORTED for what is not done in mote. */
mote_status mote__redis_check(const struct parts_opening *opening,
                              const struct redis_settings *settings, mote_error *error);
/* Prepares a connection; nothing is sent yet. Checks too. */
mote_status mote__redis_init(struct redis *redis, const struct parts_opening *opening,
                             const struct redis_user *user, const struct redis_settings *settings,
                             mote_error *error);
/* Ends what is under way as CANCELLED. */
void mote__redis_deinit(struct redis *redis);
/* Sends an operation now, or when the connection is there. */
void mote__redis_submit(struct redis *redis, mote_parts_op *op);
/* Connects what is only listened to, unless it is connected or on its way. */
void mote__redis_connect(struct redis *redis);
/* Sends what `ready` or somebody later has written to it. */
void mote__redis_flush(struct redis *redis);
/* What an error of the server means, with its words. */
mote_parts_code mote__redis_failure(mote_parts_op *op, const struct resp *error);
/* Ends an operation, whose other answers nobody will look at. */
void mote__redis_complete(struct redis *redis, mote_parts_op *op, mote_parts_code code);
/* The driver's await: in the socket itself, where nothing else is awaited from it. */
bool mote__redis_await(struct redis *redis, const mote_parts_op *op);
/* The driver's cancel. The connection stays, and with it what others wait for, unless the oldest
 * command without an answer was sent longer ago than the component's own time. */
void mote__redis_cancel(struct redis *redis, mote_parts_op *op);

/* ---- For `send` and `reply`: one command, its words, its end. ---- */

struct redis_command {
    struct redis *redis;
    size_t mark;
    bool failed;
};
struct redis_command mote__redis_begin(struct redis *redis, size_t words);
void mote__redis_word(struct redis_command *command, const void *bytes, size_t size);
/* False when out of memory; nothing is sent then. */
bool mote__redis_end(struct redis_command *command, mote_parts_op *op, size_t item, unsigned what);
/* EVALSHA of the user's script, or EVAL where the server has forgotten it: two words. */
void mote__redis_script(struct redis_command *command, bool in_full);
/* KEYS, for `send` and `reply`: the slots of its answers are `what`. */
bool mote__redis_scan(struct redis *redis, mote_parts_op *op, unsigned what);
void mote__redis_take_scan(struct redis *redis, const struct redis_slot *slot,
                           const struct resp *head, struct resp_reader *reply);
/* Forgets an operation that is about to be completed: replies to what it sent are dropped. */
void mote__redis_forget(struct redis *redis, mote_parts_op *op);

#endif
