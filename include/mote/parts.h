/* parts.h - building blocks for programs: state stores, secret stores, locks and configuration,
 * chosen by Dapr component files. This header is the manual.
 *
 * A mote_parts is what one app sees: the components of its YAML files, their drivers, and the event
 * loop on which they work.
 *
 *   mote_parts_config config = {.app_id = "shop"};
 *   mote_parts *parts;
 *   if (mote_parts_new(&config, &parts, &error)) ...
 *   if (mote_parts_load_dir(parts, "components", &error)) ...
 *   mote_vfs_node *dir;
 *   if (mote_parts_mount(parts, "orders", NULL, &dir, &error)) ...
 *
 * `dir` given to <mote/wasi.h> makes the component's keys a program's files.
 *
 * Or, without files, operations: fill a mote_parts_op and its items, then mote_parts_call (waits)
 * or mote_parts_submit (calls back).
 *
 * Components are opened when they are first used, so one whose server is down harms nobody who does
 * not need it.
 * Threads: mote_parts_call and everything on a mount may be used from any thread; one call at a
 * time is under way. mote_parts_submit, _cancel and _drive belong to one thread, the loop's. */
#ifndef MOTE_PARTS_H
#define MOTE_PARTS_H

#include <mote/mote.h>
#include <mote/vfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- outcomes */

/* clang-format off */
/* How an operation can fail: name, number, words, what a program with files sees (MOTE_VFS_E...). The numbers never change. */
#define MOTE_PARTS_CODES(X)                                                                     \
    X(OK,          0, "no error",                                    OK)                        \
    X(INVALID,     1, "the request makes no sense",                  EINVAL)                    \
    X(NOT_FOUND,   2, "there is no such thing",                      ENOENT)                    \
    X(DENIED,      3, "not allowed",                                 EACCES)                    \
    X(CONFLICT,    4, "it was changed meanwhile",                    EAGAIN)                    \
    X(UNAVAILABLE, 5, "the store cannot be reached",                 EIO)                       \
    X(TIMEOUT,     6, "no answer in time",                           EIO)                       \
    X(TOO_LARGE,   7, "key or value is larger than the store takes", EFBIG)                     \
    X(LIMIT,       8, "over a limit of mote",                        ENOSPC)                    \
    X(UNSUPPORTED, 9, "the store cannot do this",                    ENOTSUP)                   \
    X(CANCELLED,  10, "cancelled",                                   ECANCELED)                 \
    X(NOMEM,      11, "out of memory",                               ENOMEM)                    \
    X(FAILED,     12, "the store reports an error",                  EIO)
/* clang-format on */

typedef enum mote_parts_code {
#define MOTE_PARTS_CODE_ENUM(name, number, text, vfs) MOTE_PARTS_##name = number,
    MOTE_PARTS_CODES(MOTE_PARTS_CODE_ENUM)
#undef MOTE_PARTS_CODE_ENUM
} mote_parts_code;

/* Returns the words for a code; static storage. */
MOTE_API const char *mote_parts_code_text(mote_parts_code code);

/* ---------------------------------------------------------------- operations */

/* Bytes of somebody else. data NULL: not given, which is not the same as empty. */
typedef struct mote_parts_bytes {
    const void *data;
    size_t size;
} mote_parts_bytes;

typedef enum mote_parts_verb {
    MOTE_PARTS_GET, /* reads every item; a missing one is NOT_FOUND in the item, and the operation
                       is OK */
    MOTE_PARTS_SET, /* writes every item by itself */
    MOTE_PARTS_DELETE,   /* removes every item by itself; one that is not there is fine without an
                            ETag */
    MOTE_PARTS_TRANSACT, /* writes, or removes, all items in order or none of them */
    MOTE_PARTS_KEYS,     /* lists keys; fills `items` */
    MOTE_PARTS_LOCK,     /* takes every resource (key) for an owner (value) for ttl_s seconds;
                            CONFLICT while somebody has it, the same owner too */
    MOTE_PARTS_UNLOCK, /* gives it back: NOT_FOUND if nobody has it, DENIED if another owner has */
    MOTE_PARTS_WATCH   /* calls `changed` with what every item's key holds now and whenever it is
                          written; goes on until it is cancelled */
} mote_parts_verb;
enum { MOTE_PARTS_VERB_COUNT = MOTE_PARTS_WATCH + 1 };

/* What a block takes:
 *   state           GET SET DELETE TRANSACT KEYS
 *   secretstores    GET KEYS
 *   lock            LOCK UNLOCK
 *   configuration   GET KEYS WATCH; SET and DELETE in memory only: others have tools of their own
 * Anything else is UNSUPPORTED. */

/* Bits of an item's `flags`. */
enum {
    MOTE_PARTS_FIRST_WRITE =
        1, /* without an ETag: only if the key is not there (Dapr's first-write); CONFLICT else */
    MOTE_PARTS_REMOVE = 2, /* in TRANSACT: remove, do not write */
    MOTE_PARTS_JSON = 4, /* the value is JSON, to be kept as its exact text: INVALID if it is not */
    MOTE_PARTS_BINARY =
        8, /* the value is bytes, whatever they look like. Neither: JSON if it is, else bytes */
    MOTE_PARTS_EXPIRY =
        16 /* in GET: also when it expires, which is a second question to some stores */
};

/* One key of an operation. Everything given is borrowed until the operation is done; results belong
 * to the operation. */
typedef struct mote_parts_item {
    /* Given. */
    mote_parts_bytes key;   /* without the component's prefix; not empty, no NUL, no "||" */
    mote_parts_bytes value; /* to write */
    mote_parts_bytes etag;  /* write or remove only if this is what is there */
    unsigned flags;
    int64_t ttl_s; /* seconds to live, 10,000,000,000 at most; 0: the component's default, negative:
                      for ever. LOCK: more than 0 */

    /* Results. */
    mote_parts_code code;
    mote_parts_bytes found;   /* what GET read */
    mote_parts_bytes version; /* its ETag, or that of what SET wrote */
    uint64_t expires_ns;      /* since 1970; 0: never, or not asked for (MOTE_PARTS_EXPIRY) */
    uint64_t modified_ns;     /* since 1970; 0: the store does not know */

    mote_parts_bytes whole_key; /* of mote: with the component's prefix */
} mote_parts_item;

typedef struct mote_parts_op mote_parts_op;
struct mote_parts_component;
struct mote_parts_budget;

/* An operation, in the caller's storage from mote_parts_submit until `done` is called. Zero it,
 * then fill what is given. */
struct mote_parts_op {
    /* Given. */
    mote_parts_verb verb;
    mote_parts_item *items;
    size_t item_count;
    mote_parts_bytes prefix; /* KEYS: of the keys wanted */
    mote_parts_bytes after;  /* KEYS: go on behind this key; not given: from the first */
    size_t limit;            /* KEYS: at most so many; 0: 1000 */
    bool any;                /* KEYS: whichever are found first, in no order; `more` is false */
    uint64_t timeout_ns;     /* 0: 20 s, or the component's own; WATCH: none */
    void (*done)(mote_parts_op *op); /* may submit and cancel, but not wait (mote_parts_call) */
    /* WATCH: an item of the operation with what is there now: NOT_FOUND, or `found` and `version`,
     * which are good during the call. Nothing must be submitted or cancelled in it. */
    void (*changed)(mote_parts_op *op, const mote_parts_item *item);
    void *context;

    /* Results. */
    mote_parts_code
        code;  /* of the whole; of the first item that failed where they stand by themselves */
    bool more; /* KEYS: there are more, behind the last key. Keys are in the order of their bytes
                  where the store has one */
    char text[200]; /* what went wrong, in words */

    /* Of mote; not to be touched. */
    struct mote_parts_component *component;
    void *memory, *timer, *driver;
    uint64_t begun_ns; /* when it was submitted, by the clock of timers; 0: that is not known yet */
    size_t awaited; /* the store's answers that are still to come, where it gives several */
    mote_parts_bytes whole_prefix, whole_after;
    size_t item_capacity;
    struct mote_parts_budget *budget; /* what its memory is taken from; NULL: there is no limit */
    bool *ended;                      /* told when it completes inside submit */
    mote_parts_code ending; /* why it is being ended early */
    bool is_under_way;
    bool is_over_budget;
    bool failed_whole; /* whatever its items say */
    bool has_own_time; /* timeout_ns is the component's */
};

/* ---------------------------------------------------------------- components */

typedef struct mote_parts mote_parts;

/* Everything is borrowed for mote_parts_new only, but for `allocator` and `log`. NULL is the
 * default. */
typedef struct mote_parts_config {
    const mote_allocator *allocator; /* malloc and free; must outlive the mote_parts and its mounts.
                                        Client libraries use malloc */
    const char *app_id;              /* "mote"; decides the key prefix, as in Dapr */
    const char *namespace_;          /* the variable NAMESPACE, as in Dapr */
    const char *driver_dir;          /* where the loadable drivers are; none */
    void (*log)(
        void *context,
        const char *line); /* what people should know: a store that went away or came back */
    void *context;
} mote_parts_config;

/* Makes an empty set of components and its event loop. Returns MOTE_OK, MOTE_E_ARGUMENT (an app id
 * or a namespace that cannot stand in keys), MOTE_E_IO or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_parts_new(const mote_parts_config *config,
                                                 mote_own mote_parts **out, mote_error *error);
/* Closes every component: what is under way ends as CANCELLED, what the calls of `done` then begin
 * too; what SQLite has queued is written. Nodes of mounts must be gone. */
MOTE_API void mote_parts_delete(mote_own mote_parts *parts);

/* Reads every *.yaml and *.yml of a folder, in the order of their names. All documents are checked;
 * components of other apps (scopes) are left out; secrets are in a store of the folder, or of
 * one before. Returns MOTE_OK, MOTE_E_IO, MOTE_E_NOMEM, or
 * MOTE_E_ARGUMENT with "FILE:LINE: what is wrong and what is near". */
MOTE_API MOTE_CHECKED mote_status mote_parts_load_dir(mote_parts *parts, const char *path,
                                                      mote_error *error);
/* The same for a text; `name` stands for it in messages. */
MOTE_API MOTE_CHECKED mote_status mote_parts_load_text(mote_parts *parts, const char *name,
                                                       const char *text, size_t size,
                                                       mote_error *error);

/* Refuses what can be refused of a component without asking its store, beyond what loading refuses:
 * secrets are fetched, loadable drivers look at their metadata. NULL: of every one. Returns MOTE_OK,
 * MOTE_E_ARGUMENT or MOTE_E_UNSUPPORTED with "FILE:LINE: ...", MOTE_E_NOT_FOUND (a secret),
 * MOTE_E_UNSUPPORTED (a driver that is not installed), MOTE_E_IO or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_parts_check(mote_parts *parts, const char *component,
                                                   mote_error *error);

/* What is known of a component; good until the mote_parts is deleted. */
typedef struct mote_parts_info {
    const char *name, *type, *version; /* "orders", "state.sqlite", "v1" */
    const char *file;
    unsigned line;
    const char *summary; /* of the driver */
} mote_parts_info;
/* Returns the number of components. */
MOTE_API size_t mote_parts_count(const mote_parts *parts);
MOTE_API mote_parts_info mote_parts_at(const mote_parts *parts, size_t index);
/* Writes what component files can hold - blocks, drivers, metadata names - as Markdown; nothing is
 * written past `size`. Returns the whole length. */
MOTE_API size_t mote_parts_reference(char *out, size_t size);
/* How a component is, as far as its driver knows. */
typedef enum mote_parts_state {
    MOTE_PARTS_UNUSED, /* nobody has needed its store yet */
    MOTE_PARTS_READY,  /* there is a connection, or the file is open */
    MOTE_PARTS_AWAY    /* it could not be opened or reached, or was lost, and is tried again */
} mote_parts_state;
/* Returns "unused", "ready" or "away"; static storage. */
MOTE_API const char *mote_parts_state_text(mote_parts_state state);

typedef struct mote_parts_health {
    mote_parts_state state;
    uint64_t since_ns;   /* since 1970: as it is now; 0: from the beginning */
    unsigned failures;   /* AWAY: attempts to connect that have failed, one after the other */
    uint64_t attempt_ns; /* AWAY: since 1970, when the next one is due; 0: when it is next used */
    uint64_t error_ns;   /* since 1970: when `error` happened; 0: never */
    char error[500];     /* the last one, with the server's name; it stays when READY again */
} mote_parts_health;
/* Says how the component with this index is. Nothing is opened, and no store is asked: what a
 * connection that is idle does not tell is not known (mote_parts_probe). */
MOTE_API void mote_parts_health_at(mote_parts *parts, size_t index, mote_parts_health *out);
/* Asks a component's store for something that is not there, opening and connecting it if need be.
 * timeout_ns  0: the component's own
 * text        if not NULL: what is wrong, in words
 * Returns MOTE_PARTS_OK if there was an answer. */
MOTE_API mote_parts_code mote_parts_probe(mote_parts *parts, const char *component,
                                          uint64_t timeout_ns, char text[200]);
/* Opens a component now, and not at its first use. Returns MOTE_OK, MOTE_E_NOT_FOUND (with the
 * nearest name), MOTE_E_UNSUPPORTED (a driver that is not installed, with what to install),
 * MOTE_E_IO or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_parts_open(mote_parts *parts, const char *component,
                                                  mote_error *error);

/* Carries out an operation and waits for it, as long as the thread has patience (mote/vfs.h), then
 * cancels it. Not for callbacks, where the loop is at work: UNSUPPORTED there but for stores in
 * memory. Returns op->code; whatever it is, mote_parts_op_deinit frees the results. */
MOTE_API mote_parts_code mote_parts_call(mote_parts *parts, const char *component,
                                         mote_parts_op *op);
/* Begins an operation. `done` is called once, on the loop's thread, perhaps before this returns. */
MOTE_API void mote_parts_submit(mote_parts *parts, const char *component, mote_parts_op *op);
/* Asks for an operation to end as CANCELLED: `done` is called, now or later. What was sent to the
 * store may happen all the same. */
MOTE_API void mote_parts_cancel(mote_parts_op *op);
/* Works until *stop is true or `timeout_ns` has passed (UINT64_MAX: no limit). For those who use
 * mote_parts_submit. */
MOTE_API void mote_parts_drive(mote_parts *parts, const bool *stop, uint64_t timeout_ns);
/* Frees the results of an operation that is done. */
MOTE_API void mote_parts_op_deinit(mote_parts_op *op);

/* ---------------------------------------------------------------- programs that ask themselves */

/* What one program may ask for through the functions that it imports from the module `mote1`; the
 * program's side is <mote/guest.h>. Its threads share it. */
typedef struct mote_parts_guest mote_parts_guest;

/* Everything is borrowed for mote_parts_guest_new only. 0 and NULL are the defaults. */
typedef struct mote_parts_guest_config {
    const char *const *components; /* that it may use; calls to others are DENIED */
    size_t component_count;
    bool all_components;  /* it may use every one */
    uint32_t handles_max; /* open at once; 256, which is also the most */
    uint64_t bytes_max;   /* of what it has given and not yet read, together; 64 MiB */
} mote_parts_guest_config;

/* Returns MOTE_OK, MOTE_E_NOT_FOUND (no such component, with the nearest name) or MOTE_E_NOMEM. */
MOTE_API MOTE_CHECKED mote_status mote_parts_guest_new(mote_parts *parts,
                                                       const mote_parts_guest_config *config,
                                                       mote_own mote_parts_guest **out,
                                                       mote_error *error);
/* Cancels what is under way, waits for its end and forgets all handles. Nothing may run in it any
 * more; before mote_parts_delete. */
MOTE_API void mote_parts_guest_delete(mote_own mote_parts_guest *guest);
/* Defines the functions of `mote1` in a linker; once for each thread of the program that has a
 * linker of its own. The linker and its instances borrow `guest`. */
MOTE_API MOTE_CHECKED mote_status mote_parts_guest_define(mote_parts_guest *guest,
                                                          mote_linker *linker, mote_error *error);

/* ---------------------------------------------------------------- files */

enum {
    MOTE_PARTS_FILE_BYTES_MAX = 4 << 20,  /* largest file in a mount; EFBIG beyond */
    MOTE_PARTS_OPEN_BYTES_MAX = 64 << 20  /* contents of all files that are open in the mounts of a
                                             component; ENOSPC beyond */
};

/* Makes a directory node over a component: a state store's keys, or a secret store's secrets or
 * configuration (read-only), as files. docs/components.md has the rules.
 * prefix  before every path; may be NULL
 * Returns what mote_parts_open does, or MOTE_E_UNSUPPORTED for locks. */
MOTE_API MOTE_CHECKED mote_status mote_parts_mount(mote_parts *parts, const char *component,
                                                   const char *prefix, mote_own mote_vfs_node **out,
                                                   mote_error *error);

#ifdef __cplusplus
}
#endif
#endif
