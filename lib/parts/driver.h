/* driver.h - what a driver is, and what it may call. Whoever writes one reads this, loop.h and a
 * driver of the same kind.
 *
 * A driver is one `struct parts_driver`. Those without a client library are compiled into
 * libmote-parts and named in builtin.c; one with a client library is a loadable module,
 * drivers/NAME.c, that exports `mote_parts_driver` and has this library's helpers linked in. Its
 * row in parts.def says which.
 *
 * The life of an operation: the core checks it (keys, sizes, values that are to be JSON), puts the
 * component's prefix before its keys, calls `submit`, once, and starts the deadline of what has not
 * ended then. The driver works without blocking (but in `await`) and calls mote__parts_complete
 * once, inside `submit` or later, on the loop's thread. It may keep its own state in op->driver.
 * When the deadline passes, or somebody cancels, the core calls `cancel`: the driver lets go of the
 * operation as soon as it can and completes it then, with any code; what the caller sees is TIMEOUT
 * or CANCELLED. Until it has completed it, the operation's memory stays.
 *
 * submit may set op->timeout_ns where it is 0, to the component's own deadline, and op->begun_ns if
 * it has looked at the clock; else the core does, afterwards.
 *
 * Connecting: `open` must not wait for a server. It checks the metadata and returns; submit begins
 * the connection, operations queue behind it, and if it fails they are completed with UNAVAILABLE
 * and the next attempt waits. A struct parts_link keeps what is known of the way to the store: the
 * component's health is what its links say. */
#ifndef MOTE_PARTS_DRIVER_H
#define MOTE_PARTS_DRIVER_H

#include <mote/parts.h>
#include "base/alloc.h"
#include "loop.h"
#include "tables.h"

/* Counts the changes that modules would not survive: here, in complete.c and in loop.c. */
enum { PARTS_DRIVER_ABI = 12 };

struct parts_opening;

struct parts_driver {
    uint32_t abi;     /* PARTS_DRIVER_ABI */
    const char *type; /* "state.sqlite": its row in parts.def */
    /* Refuses what can be refused without asking anybody; `open` refuses it too. Of values in a
     * secret store the text may be NULL: they are not fetched yet. NULL: nothing is refused. */
    mote_status (*check)(const struct parts_opening *opening, mote_error *error);
    /* Makes an instance of a component. The message needs no component name: the core puts
     * "component NAME (FILE:LINE): " before it. */
    mote_status (*open)(const struct parts_opening *opening, mote_own void **instance,
                        mote_error *error);
    /* Frees it; every operation has been completed. NULL was never opened. */
    void (*close)(mote_own void *instance);
    void (*submit)(void *instance, mote_parts_op *op);
    /* NULL: operations complete inside submit. */
    void (*cancel)(void *instance, mote_parts_op *op);
    /* Waits, 10 ms at most, for what brings an operation on, which it may complete: the only one
     * under way, whose caller has nothing else to do. False: nothing has come, or the loop is to
     * wait. NULL: it always is. */
    bool (*await)(void *instance, const mote_parts_op *op);
    bool answers_at_once; /* all but WATCH ends inside submit, though there is a cancel */
    bool walks;           /* KEYS looks at all that the store holds, whosever it is */
};

/* What `open` gets; it stays until `close`. */
struct parts_opening {
    const mote_allocator *allocator;
    struct loop *loop;
    const char *name, *app_id;
    const struct parts_value *values; /* by key: use parts_text and its like */
    struct mote_parts_component *component;
};

/* Leaves out what stands between quotes: in a library's words about a server that is hidden. */
void mote__parts_hide_quoted(char *text);
/* Says one line to people, with the component's name before it. */
void mote__parts_log(const struct parts_opening *opening, const char *format, ...)
    MOTE_PRINTF(2, 3);

/* ---- Metadata, checked and converted by its row in parts.def; defaults are filled in. ---- */

/* NULL when it was not given and has no default. */
static inline const char *parts_text(const struct parts_opening *opening, enum parts_key key) {
    return opening->values[key].text;
}
/* COUNT as it is, FLAG as 0 and 1, DURATION in nanoseconds. */
static inline uint64_t parts_number(const struct parts_opening *opening, enum parts_key key) {
    return opening->values[key].number;
}
/* Whether it came from a secret store or a variable: no message may hold anything of it. Of what is
 * written in files connection strings and passwords are such values too. */
static inline bool parts_hidden(const struct parts_opening *opening, enum parts_key key) {
    return opening->values[key].is_hidden;
}
/* Notes that an error of `open` or `check` is about a key's value, so that the core says the line.
 * Returns its status. */
static inline mote_status parts_blame(const struct parts_opening *opening, enum parts_key key,
                                      mote_error *error) {
    if (opening->values[key].line) error->offset = opening->values[key].line;
    return error->status;
}
/* Dapr's SQL stores take no time-out below a second. */
mote_status mote__parts_check_timeout(const struct parts_opening *opening, enum parts_key key,
                                      mote_error *error);
/* Two tables of one database have two names; `any_case`: letters of any size are the same to it. */
mote_status mote__parts_check_tables(const struct parts_opening *opening, enum parts_key table,
                                     enum parts_key metadata_table, bool any_case,
                                     mote_error *error);
/* Whether the file says it, and it is not the default. */
static inline bool parts_given(const struct parts_opening *opening, enum parts_key key) {
    return opening->values[key].given;
}

/* ---- Results. ---- */

/* Memory that goes with the operation, 16-aligned; NULL when there is none, or the operation's
 * budget is used up: complete with NOMEM then, at once, and what the caller sees is LIMIT. May be
 * called from the driver's own threads, one thread at a time per operation. */
void *mote__parts_alloc(mote_parts_op *op, size_t bytes);
/* Whether the budget has so much left for what is still to come; if not, complete with NOMEM. */
bool mote__parts_has_room(mote_parts_op *op, size_t bytes);
/* A copy of bytes, with a NUL behind it; `data` NULL when out of memory. */
mote_parts_bytes mote__parts_copy(mote_parts_op *op, const void *bytes, size_t size);
/* Says in words what went wrong (the first text stays) and returns `code`. */
mote_parts_code mote__parts_say(mote_parts_op *op, mote_parts_code code, const char *format, ...)
    MOTE_PRINTF(3, 4);
/* Ends the operation with `code`; OK: with that of the first item that failed, if items stand by
 * themselves. The operation may be gone afterwards. */
void mote__parts_complete(mote_parts_op *op, mote_parts_code code);

/* KEYS: adds a key (whole, with the component's prefix) to op->items; false when out of memory.
 * Sets `more`, and adds nothing, when there are enough. */
bool mote__parts_add_key(mote_parts_op *op, const void *key, size_t size);
/* KEYS: whether a whole key is wanted: behind `after`, with `prefix`. */
bool mote__parts_wants_key(const mote_parts_op *op, const void *key, size_t size);

/* A time in nanoseconds since 1970. What others have written may lie beyond 2554, where they end:
 * that is the end. */
static inline uint64_t parts_ns(uint64_t count, uint64_t unit_ns, uint64_t since_ns) {
    uint64_t ns;
    bool beyond = __builtin_mul_overflow(count, unit_ns, &ns) ||
                  __builtin_add_overflow(ns, since_ns, &ns);
    return beyond ? UINT64_MAX : ns;
}

/* ---- What items ask for. ---- */

/* Nobody lives longer, whatever the store: 317 years. The core has looked. A store's own end of
 * time and the nanoseconds since 1970 that items tell can hold it. */
#define PARTS_TTL_MAX_S INT64_C(10000000000)

static inline bool parts_is_removal(const mote_parts_op *op, const mote_parts_item *item) {
    return op->verb == MOTE_PARTS_DELETE ||
           (op->verb == MOTE_PARTS_TRANSACT && (item->flags & MOTE_PARTS_REMOVE));
}
/* The condition under which an item may be written or removed. In a transaction it is judged on
 * what the items before it have left. */
enum parts_condition { PARTS_ALWAYS, PARTS_IF_ABSENT, PARTS_IF_MATCH };
static inline enum parts_condition parts_condition(const mote_parts_op *op,
                                                   const mote_parts_item *item) {
    if (item->etag.data) return PARTS_IF_MATCH;
    bool first = item->flags & MOTE_PARTS_FIRST_WRITE && !parts_is_removal(op, item);
    return first ? PARTS_IF_ABSENT : PARTS_ALWAYS;
}
/* For stores whose ETags have a form: INVALID, with words, when something is to be written under
 * one that is_etag says cannot be any; `form` says what they look like. */
mote_parts_code mote__parts_check_etags(mote_parts_op *op,
                                        bool (*is_etag)(const mote_parts_bytes *text),
                                        const char *form);
/* Whether a text is a whole number. */
bool mote__parts_is_number(const mote_parts_bytes *text);

/* ---- The way to a store (link.c): one for each connection, or pool of them, of a component. On
 * the loop's thread. ---- */

struct parts_link {
    const struct parts_opening *opening;
    struct parts_link *next;
    const char *product; /* "MySQL", for messages */
    char where[270];     /* the server, for messages */
    mote_parts_state state;
    uint64_t since_ns, error_ns; /* since 1970 */
    unsigned failures;           /* to connect, one after the other */
    uint64_t until_ns;           /* monotonic: not to be tried again before */
    struct loop_timer again;     /* runs when it is to be tried again */
    char why[300];               /* it is away, or was */
};

/* Adds a link, UNUSED, to its component. `again` may be NULL: nothing is to be tried by itself. */
void mote__link_init(struct parts_link *link, const struct parts_opening *opening,
                     const char *product, void (*again)(struct loop_timer *timer));
/* Takes it out. Zeroed or never initialized is fine. */
void mote__link_deinit(struct parts_link *link);
/* An attempt to connect has failed: the next one waits, 50 ms at first, twice as long with each
 * failure up to 5 s, a fifth of it by chance. */
void mote__link_failed(struct parts_link *link);
/* Whether it is too early for the next attempt. */
bool mote__link_rests(const struct parts_link *link);
/* The store is AWAY, which people are told once; `again` runs when it is time. */
void mote__link_lost(struct parts_link *link, const char *why);
/* How it is, without a word to anybody; why NULL: nothing is wrong. */
void mote__link_note(struct parts_link *link, mote_parts_state state, const char *why);
/* It is READY, which people are told if it was AWAY. */
void mote__link_back(struct parts_link *link);

/* ---- Values in SQL stores (values.c): JSON as its exact text, other bytes as base64. ---- */

bool mote__parts_is_json(const void *bytes, size_t size);
/* The value of an item as a text column holds it. *is_binary: it is base64. data NULL: out of
 * memory. */
mote_parts_bytes mote__parts_to_column(mote_parts_op *op, const mote_parts_item *item,
                                       bool *is_binary);
/* The other direction: OK, NOMEM, or FAILED, with words, when it is not base64. */
mote_parts_code mote__parts_from_column(mote_parts_op *op, mote_parts_item *item, const void *text,
                                        size_t size, bool is_binary);
/* The same, in the place of a text that is the operation's own, with a NUL behind it. */
mote_parts_code mote__parts_from_own_column(mote_parts_op *op, mote_parts_item *item, char *text,
                                            size_t size, bool is_binary);
/* The pattern of all keys with op->prefix: what is `special` in patterns is escaped, and `any`,
 * which stands for any text, is added. Ends with a NUL that is not counted. data NULL: out of
 * memory. */
mote_parts_bytes mote__parts_prefix_pattern(mote_parts_op *op, const char *special, char escape,
                                            char any);
/* The same for LIKE with the escape character `!`. */
mote_parts_bytes mote__parts_like_pattern(mote_parts_op *op);
/* A random UUID (version 4) as text; false when the system has no random bytes. */
bool mote__parts_uuid(char out[37]);

#endif
