/* set.h - a mote_parts from inside: components, how they were written, how they are opened. */
#ifndef MOTE_PARTS_SET_H
#define MOTE_PARTS_SET_H

#include "base/arena.h"
#include "base/vec.h"
#include "driver.h"
#include "os/os.h"
#include <stdatomic.h>

/* A metadata entry whose value is in a secret store; it is fetched when the component is opened. */
struct parts_secret {
    enum parts_key key;
    const char *name, *part; /* secretKeyRef's name and key */
    struct parts_secret *next;
};

struct mote_parts_component {
    struct mote_parts *parts;
    enum parts_driver_id id;
    const char *name, *version, *file, *secret_store; /* secret_store may be NULL */
    unsigned line, secret_store_line;
    bool is_open, is_opening;
    struct parts_link own, *links; /* own: of opening it; links: of its instance */
    struct parts_secret *secrets;
    struct parts_value values[KEY_COUNT];
    mote_parts_bytes prefix; /* of every key, "shop||"; with a NUL behind it */
    struct parts_opening opening;
    const struct parts_driver *driver;
    void *instance, *module; /* module: what dlopen gave, NULL for those compiled in */
    struct files *files;     /* of its mounts (files.h); NULL: it has none */
};

struct mote_parts {
    const mote_allocator *allocator;
    struct arena arena; /* components and every text in them */
    struct loop *loop;
    struct os_mutex lock; /* held by whoever uses anything of it, the loop above all: see enter.c */
    _Atomic uint32_t wanting, turns;
    const void *thread;           /* that has entered last */
    _Atomic(const void *) holder; /* the same, while it has the lock; else NULL */
    unsigned depth;               /* how often it has entered again, in callbacks */
    unsigned alone;               /* how many times before it was the same one */
    uint32_t under_way; /* operations, but for those that watch, who can hear a little later */
    bool is_driven, is_stirred;
    bool is_awaiting; /* an answer, without the loop */
    bool has_waited;  /* whoever has the lock, for anything, with it */
    unsigned sleeping; /* on `turns` */
    const char *app_id, *namespace_, *driver_dir;
    void (*log)(void *context, const char *line);
    void *context;
    VEC(struct mote_parts_component *) components;
    bool is_closing; /* nothing begins any more */
};

/* What several operations may bring in together. Some of it is taken on drivers' threads. */
struct mote_parts_budget {
    _Atomic uint64_t used;
    uint64_t most;
};
/* False, and nothing is taken, when there is not so much left. */
bool mote__budget_take(struct mote_parts_budget *budget, uint64_t bytes);
void mote__budget_give(struct mote_parts_budget *budget, uint64_t bytes);
/* Gives back what the operation has taken, whose memory stays: something else is counted for it. */
void mote__budget_release(mote_parts_op *op);

/* Takes the lock, out of the hands of a thread that only waits (mote__parts_wait). Who has it may
 * take it again, as callbacks do. */
void mote__parts_enter(struct mote_parts *parts);
void mote__parts_leave(struct mote_parts *parts);
/* Lets the loop work until is_done(context), which is asked after each mote__parts_stir and every
 * 50 ms, or until `deadline_ns` (monotonic); meanwhile others may enter. The lock is held before
 * and afterwards. */
void mote__parts_wait(struct mote_parts *parts, bool (*is_done)(void *context), void *context,
                      uint64_t deadline_ns);
/* Lets the loop work until *stop or the time has passed; others may enter meanwhile. Does nothing
 * in callbacks, where it is at work. */
void mote__parts_drive(struct mote_parts *parts, const bool *stop, uint64_t timeout_ns);
/* Something has happened that somebody may wait for. The lock is held. */
void mote__parts_stir(struct mote_parts *parts);

/* NULL when there is none; *nearest then is the nearest name, or NULL. */
struct mote_parts_component *mote__parts_find(struct mote_parts *parts, const char *name,
                                              const char **nearest);
/* Opens a component if it is not open yet. */
mote_status mote__parts_open(struct mote_parts_component *component, mote_error *error);
/* Refuses what its driver can refuse without asking anybody: "FILE:LINE: ...". */
mote_status mote__parts_check(struct mote_parts_component *component,
                              const struct parts_driver *driver, mote_error *error);
/* Finds the store that its secrets are in; "FILE:LINE: ..." when there is none. */
mote_status mote__parts_secret_store(struct mote_parts_component *component,
                                     struct mote_parts_component **out, mote_error *error);
/* Begins an operation on a component that is known; mote_parts_call's inside. The lock is held. */
void mote__parts_begin(struct mote_parts_component *component, mote_parts_op *op);
/* Waits a while for an operation where that is cheaper than with the loop; it may have ended
 * afterwards. The lock is held, and nobody else can enter meanwhile: until the answer is there, or
 * for 10 ms. */
void mote__parts_await(mote_parts_op *op);
/* Carries it out, or cancels it when the program whose call this is is to end (mote_vfs_is_over);
 * the lock is held. UNSUPPORTED in a callback, where nobody can wait. */
mote_parts_code mote__parts_carry_out(struct mote_parts_component *component, mote_parts_op *op);

/* The drivers that are compiled in; NULL when `type` is none of them (builtin.c). */
const struct parts_driver *mote__parts_builtin(const char *type);

/* Converts the written value of a key; false when it is none of its kind. */
bool mote__parts_set_value(struct mote_parts_component *component, enum parts_key key,
                           const char *text);
/* Whether Dapr lets an envRef read a variable: not its own, nothing with spaces, only what
 * DAPR_ENV_KEYS names. */
bool mote__parts_env_allowed(const char *name);
#endif
