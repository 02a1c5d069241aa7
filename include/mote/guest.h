/* guest.h - components for programs: state, secrets, locks and configuration, asked for from inside
 * a WebAssembly program that runs under mote. This header is the manual, and all there is: no
 * library is linked. It needs a compiler for wasm32 and nothing else, not even a libc.
 *
 *   #include <mote/guest.h>
 *
 *   char name[100];
 *   int32_t size = mote1_state_get("orders", "17", name, sizeof name, NULL);
 *   if (size == -MOTE1_NOT_FOUND) ...
 *
 * `mote run --components DIR --allow orders program.wasm` runs it.
 *
 * Below are first the seven functions and their numbers, which never change and only grow, then
 * wrappers for the common calls. Everything returns a negative number for an error:
 * -MOTE1_NOT_FOUND and its like.
 *
 * An operation is begun with mote1_call, which gives a handle, at once: the operation goes on by
 * itself, and so many may be under way together. mote1_wait says which is ready first. mote1_read
 * and mote1_meta wait for theirs. mote1_close ends it; every handle is closed in the end. What is
 * still open when the program ends is cancelled, and may happen or not.
 *
 * Memory that a function is given is used during the call only. A pointer outside the program's
 * memory traps; a handle that is none is INVALID. Threads of a program (wasi-threads) share handles
 * and may all call at once, but two must not use one handle at the same time. */
#ifndef MOTE_GUEST_H
#define MOTE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- numbers */

/* clang-format off */
/* Operations: name, number. */
#define MOTE1_OPS(X)          \
    X(STATE_GET,           1) \
    X(STATE_SET,           2) \
    X(STATE_DELETE,        3) \
    X(STATE_TRANSACT,      4) \
    X(STATE_KEYS,          5) \
    X(SECRET_GET,         16) \
    X(SECRET_KEYS,        17) \
    X(LOCK,               32) \
    X(UNLOCK,             33) \
    X(CONFIGURATION_GET,  48) \
    X(CONFIGURATION_KEYS, 49) \
    X(CONFIGURATION_WATCH,50)

/* Errors: name, number, words. */
#define MOTE1_ERRORS(X)                                              \
    X(INVALID,     1, "the request makes no sense")                  \
    X(NOT_FOUND,   2, "there is no such thing")                      \
    X(DENIED,      3, "not allowed")                                 \
    X(CONFLICT,    4, "it was changed meanwhile")                    \
    X(UNAVAILABLE, 5, "the store cannot be reached")                 \
    X(TIMEOUT,     6, "no answer in time")                           \
    X(TOO_LARGE,   7, "key or value is larger than there is room")   \
    X(LIMIT,       8, "over a limit of mote")                        \
    X(UNSUPPORTED, 9, "the store cannot do this")                    \
    X(CANCELLED,  10, "cancelled")                                   \
    X(NOMEM,      11, "out of memory")                               \
    X(FAILED,     12, "the store reports an error")
/* clang-format on */

enum mote1_op {
#define MOTE1_OP_ENUM(name, number) MOTE1_##name = number,
    MOTE1_OPS(MOTE1_OP_ENUM)
#undef MOTE1_OP_ENUM
        MOTE1_OP_END
};

enum mote1_error {
    MOTE1_OK = 0,
#define MOTE1_ERROR_ENUM(name, number, text) MOTE1_##name = number,
    MOTE1_ERRORS(MOTE1_ERROR_ENUM)
#undef MOTE1_ERROR_ENUM
        MOTE1_ERROR_END
};

/* Flags of mote1_call. */
enum mote1_flag {
    MOTE1_MANY = 1,   /* the header holds any number of items; what is read is a run of entries */
    MOTE1_OPEN = 2,   /* the value comes by mote1_write; mote1_finish begins the operation */
    MOTE1_NOWAIT = 4, /* mote1_read and mote1_meta never wait: TIMEOUT when it is not ready */
    MOTE1_FLAGS_ALL = 7
};

enum { MOTE1_HANDLES_MAX = 256 }; /* open at once, LIMIT beyond; 64 MiB in flight together */

/* ---------------------------------------------------------------- the seven functions */

#ifdef __wasm__
#define MOTE1_IMPORT(name) __attribute__((import_module("mote1"), import_name(#name)))
#else
#define MOTE1_IMPORT(name)
#endif

/* clang-format off */
/* Begins an operation on a component and returns its handle.
 * name    the component's
 * in      the value to write; the owner of a lock. NULL and 0 where there is none
 * hdr     the rest, as entries: u32 size of the name, u32 size of the value, name, value, without
 *         anything between; numbers are decimal text. An entry that is not known is INVALID.
 *           key           what it is about: key, secret, resource. MANY: each begins an item
 *           value         MANY: to write, in place of `in`; a lock's owner
 *           etag          write or remove only if this is what is there, else CONFLICT
 *           concurrency   first-write: only if the key is not there; last-write
 *           ttl           seconds to live; a lock's seconds, which must be given
 *           content       json: INVALID if it is not; binary: bytes, whatever they look like
 *           expiry        1: tell also when it expires
 *           do            TRANSACT: set (else), delete
 *           prefix        KEYS: of the keys wanted
 *           after         KEYS: go on behind this one
 *           limit         KEYS: how many (1000)
 *           timeout       milliseconds for the whole (the component's own)
 * flags   MOTE1_MANY ...
 * Returns the handle, from 1 on; INVALID, DENIED (a component that the program may not use), LIMIT
 * (too many handles, too many bytes) or NOMEM. How the operation went is told later. */
/* clang-format on */
MOTE1_IMPORT(call)
int32_t mote1_call(int32_t op, const void *name, size_t name_size, const void *in, size_t in_size,
                   const void *hdr, size_t hdr_size, int32_t flags);

/* Waits until one of `count` handles is ready - its operation has ended, a watch has something to
 * tell - and returns its index. timeout_ns negative: for ever; 0: only looks. TIMEOUT when none is,
 * INVALID, CANCELLED when the program is being ended. */
MOTE1_IMPORT(wait)
int32_t mote1_wait(const int32_t *handles, size_t count, int64_t timeout_ns);

/* Waits for the operation and copies what it gives, from where the last call stopped: the value, or
 * a run of entries like those of hdr. 0: that was all. The operation's error if it failed.
 *   KEYS     `key` for each
 *   MANY     for each item `key`, then `error` (a number, decimal) or `value` and `etag`
 *            (configuration: `version`), as far as there are such
 *   WATCH    one change: `key`, and `value` and `version` unless it is gone. Whole or not at all:
 *            TOO_LARGE when there is no room for it. Never 0; of changes of one key that nobody has
 *            read the last is told */
MOTE1_IMPORT(read)
int32_t mote1_read(int32_t handle, void *buffer, size_t capacity);

/* Appends to the value of an operation that was begun with MOTE1_OPEN. Returns `size`, or LIMIT. */
MOTE1_IMPORT(write)
int32_t mote1_write(int32_t handle, const void *bytes, size_t size);
/* The value is whole: begins the operation. Returns 0 or INVALID. */
MOTE1_IMPORT(finish)
int32_t mote1_finish(int32_t handle);
/* Forgets a handle; an operation under way is cancelled and may happen or not. 0 or INVALID. */
MOTE1_IMPORT(close)
int32_t mote1_close(int32_t handle);

/* Waits for the operation (a watch: for something to tell) and copies what is known of it; returns
 * the full length, whatever the capacity, or NOT_FOUND where there is no such thing.
 *   status             how it went: 0, or an error's number
 *   error              the same in words, of the store as far as it has some
 *   etag, version      of what was read or written
 *   expires, modified  nanoseconds since 1970
 *   more               KEYS: 1 when there are more behind the last
 *   size               bytes that mote1_read has still to give */
MOTE1_IMPORT(meta)
int32_t mote1_meta(int32_t handle, const void *key, size_t key_size, void *buffer, size_t capacity);

/* ---------------------------------------------------------------- entries */

/* Entries being written, in the caller's storage. */
struct mote1_entries {
    char *bytes;
    size_t size, capacity;
    bool is_full; /* something did not fit */
};

static inline size_t mote1_length(const char *text) {
    size_t size = 0;
    while (text && text[size]) size++;
    return size;
}

static inline void mote1_put_bytes(struct mote1_entries *e, const void *bytes, size_t size) {
    if (e->is_full || size > e->capacity - e->size) {
        e->is_full = true;
        return;
    }
    for (size_t i = 0; i < size; i++) e->bytes[e->size++] = ((const char *)bytes)[i];
}

static inline void mote1_put(struct mote1_entries *e, const char *name, const void *value,
                             size_t size) {
    uint32_t sizes[2];
    sizes[0] = (uint32_t)mote1_length(name);
    sizes[1] = (uint32_t)size;
    mote1_put_bytes(e, sizes, sizeof sizes);
    mote1_put_bytes(e, name, sizes[0]);
    mote1_put_bytes(e, value, size);
}

static inline void mote1_put_text(struct mote1_entries *e, const char *name, const char *text) {
    mote1_put(e, name, text, mote1_length(text));
}

static inline void mote1_put_number(struct mote1_entries *e, const char *name, int64_t number) {
    char text[24];
    size_t at = sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do text[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0) text[--at] = '-';
    mote1_put(e, name, text + at, sizeof text - at);
}

/* An entry of a run that was read. */
struct mote1_entry {
    const char *name, *value; /* in the run; not terminated */
    size_t name_size, value_size;
};

/* Takes the entry at *at, which moves on; false at the end, or where no whole one is left. */
static inline bool mote1_take(const char *run, size_t size, size_t *at, struct mote1_entry *out) {
    uint32_t sizes[2];
    if (*at > size || size - *at < sizeof sizes) return false;
    for (size_t i = 0; i < sizeof sizes; i++) ((char *)sizes)[i] = run[*at + i];
    size_t left = size - *at - sizeof sizes;
    if (sizes[0] > left || sizes[1] > left - sizes[0]) return false;
    out->name = run + *at + sizeof sizes;
    out->name_size = sizes[0];
    out->value = out->name + sizes[0];
    out->value_size = sizes[1];
    *at += sizeof sizes + sizes[0] + sizes[1];
    return true;
}

/* Whether an entry has that name. */
static inline bool mote1_is(const struct mote1_entry *entry, const char *name) {
    size_t size = mote1_length(name);
    if (size != entry->name_size) return false;
    for (size_t i = 0; i < size; i++)
        if (entry->name[i] != name[i]) return false;
    return true;
}

/* The words for an error, negative or not. */
static inline const char *mote1_error_text(int32_t error) {
    switch (error < 0 ? -error : error) {
#define MOTE1_ERROR_CASE(name, number, text)                                                       \
    case number: return text;
        MOTE1_ERRORS(MOTE1_ERROR_CASE)
#undef MOTE1_ERROR_CASE
    default: return "no error";
    }
}

/* ---------------------------------------------------------------- one item at a time */

enum { MOTE1_HEADER_MAX = 4096 }; /* of the wrappers: key, ETag and the rest together */

/* What the wrappers know of an item; zero it, then fill what is wanted. */
struct mote1_options {
    char etag[128]; /* set and delete: only if this is what is there. After a get or a set: the new
                       one, cut where it is longer */
    bool first_write;   /* only if the key is not there */
    int64_t ttl_s;      /* seconds to live, 0: the component's own */
    int64_t timeout_ms; /* 0: the component's own */
};

/* Begins an operation on one key: for mote1_wait, mote1_read, mote1_meta and mote1_close. options
 * may be NULL. */
static inline int32_t mote1_begin(int32_t op, const char *component, const char *key,
                                  const void *value, size_t size,
                                  const struct mote1_options *options) {
    char bytes[MOTE1_HEADER_MAX];
    struct mote1_entries e = {bytes, 0, sizeof bytes, false};
    mote1_put_text(&e, "key", key);
    if (options && options->etag[0]) mote1_put_text(&e, "etag", options->etag);
    if (options && options->first_write) mote1_put_text(&e, "concurrency", "first-write");
    if (options && options->ttl_s) mote1_put_number(&e, "ttl", options->ttl_s);
    if (options && options->timeout_ms) mote1_put_number(&e, "timeout", options->timeout_ms);
    if (e.is_full) return -MOTE1_TOO_LARGE;
    return mote1_call(op, component, mote1_length(component), value, size, e.bytes, e.size, 0);
}

/* The whole value of an operation, which is then closed: its size, TOO_LARGE when there is no room
 * for it. */
static inline int32_t mote1_end(int32_t handle, void *buffer, size_t capacity,
                                struct mote1_options *options) {
    if (handle < 0) return handle;
    char left;
    int32_t size = mote1_read(handle, buffer, capacity);
    if (size >= 0 && (size_t)size == capacity && mote1_read(handle, &left, 1) == 1)
        size = -MOTE1_TOO_LARGE;
    if (options) {
        int32_t length = mote1_meta(handle, "etag", 4, options->etag, sizeof options->etag - 1);
        bool fits = length >= 0 && (size_t)length < sizeof options->etag;
        options->etag[fits ? length : 0] = 0;
    }
    mote1_close(handle);
    return size;
}

/* Reads a value: its size, NOT_FOUND, TOO_LARGE or another error. options may be NULL; its etag is
 * filled. */
static inline int32_t mote1_state_get(const char *component, const char *key, void *buffer,
                                      size_t capacity, struct mote1_options *options) {
    if (options) options->etag[0] = 0;
    return mote1_end(mote1_begin(MOTE1_STATE_GET, component, key, NULL, 0, options), buffer,
                     capacity, options);
}
/* Writes a value: 0 or an error, CONFLICT when an etag or first_write of the options does not
 * hold. */
static inline int32_t mote1_state_set(const char *component, const char *key, const void *value,
                                      size_t size, struct mote1_options *options) {
    return mote1_end(mote1_begin(MOTE1_STATE_SET, component, key, value, size, options), NULL, 0,
                     options);
}
/* Removes a key: 0, also when it is not there, or an error. */
static inline int32_t mote1_state_delete(const char *component, const char *key,
                                         const struct mote1_options *options) {
    return mote1_end(mote1_begin(MOTE1_STATE_DELETE, component, key, NULL, 0, options), NULL, 0,
                     NULL);
}
/* Reads a secret: its size or an error. A secret of several parts is NAME/PART. */
static inline int32_t mote1_secret_get(const char *component, const char *name, void *buffer,
                                       size_t capacity) {
    return mote1_end(mote1_begin(MOTE1_SECRET_GET, component, name, NULL, 0, NULL), buffer,
                     capacity, NULL);
}
/* Takes a lock for some seconds: 0, CONFLICT while anybody has it, or another error. */
static inline int32_t mote1_lock(const char *component, const char *resource, const char *owner,
                                 int64_t seconds) {
    struct mote1_options options = {{0}, false, 0, 0};
    options.ttl_s = seconds;
    return mote1_end(
        mote1_begin(MOTE1_LOCK, component, resource, owner, mote1_length(owner), &options), NULL, 0,
        NULL);
}
/* Gives it back: 0, NOT_FOUND when nobody has it, DENIED when another owner has. */
static inline int32_t mote1_unlock(const char *component, const char *resource, const char *owner) {
    return mote1_end(
        mote1_begin(MOTE1_UNLOCK, component, resource, owner, mote1_length(owner), NULL), NULL, 0,
        NULL);
}
/* Reads a value of configuration: its size or an error. */
static inline int32_t mote1_configuration_get(const char *component, const char *key, void *buffer,
                                              size_t capacity) {
    return mote1_end(mote1_begin(MOTE1_CONFIGURATION_GET, component, key, NULL, 0, NULL), buffer,
                     capacity, NULL);
}
/* Watches a key: a handle on which each mote1_read is a change, the first what is there now. */
static inline int32_t mote1_configuration_watch(const char *component, const char *key) {
    return mote1_begin(MOTE1_CONFIGURATION_WATCH, component, key, NULL, 0, NULL);
}

#ifdef __cplusplus
}
#endif
#endif
