/* files.h - what the mounts of a component keep in memory: snapshots of the keys that are open, and
 * directories that no store can hold. A component has one of it, so that all its mounts show the
 * same. Keys here are whole but for the component's prefix: the mount's, then the path.
 * Everything is under the lock of the component's mote_parts. */
#ifndef MOTE_PARTS_FILES_H
#define MOTE_PARTS_FILES_H

#include "set.h"
#include "sorted.h"

enum {
    KEY_MAX = 2 * MOTE_VFS_PATH_MAX + 1, /* a mount's prefix, a path, the slash behind it */
    MADE_BYTES_MAX = 4 << 20             /* of directories that are remembered; ENOSPC beyond */
};

/* Under which condition a snapshot is committed. */
enum commit {
    COMMIT_MATCH,  /* what was there at the opening still is: the ETag, or nothing */
    COMMIT_ALWAYS, /* it was opened to be replaced */
    COMMIT_CREATE, /* O_EXCL: nobody else has made it meanwhile; EEXIST, not EAGAIN */
    COMMIT_NEVER   /* it was not taken of what its key holds now: EAGAIN */
};

/* A key that is open, shared by all descriptors. Beyond `size`, bytes are zero. */
struct snapshot {
    struct snapshot *next;
    char *key; /* NUL-terminated */
    size_t key_size;
    uint8_t *bytes;
    size_t size, capacity;
    char etag[128];             /* "" with `exists`: the store has none */
    bool exists;                /* in the store, as far as this program knows */
    bool is_dirty, is_detached; /* detached: removed or replaced while open; never committed */
    enum commit commit;
    unsigned opens;
    uint64_t modified_ns;
};

struct files {
    struct mote_parts_component *component;
    const mote_allocator *allocator;
    unsigned holds;
    uint64_t opened_ns;
    struct snapshot *snapshots;
    size_t bytes; /* of their contents: at most MOTE_PARTS_OPEN_BYTES_MAX */
    struct sorted made; /* directories, by their keys, which have a NUL behind them */
    size_t made_bytes;
};

/* The component's files, made for the first who asks; NULL when out of memory. */
struct files *mote__files_hold(struct mote_parts_component *component);
void mote__files_release(struct files *files);

/* ---- Talking to the store. ---- */

/* Prefix or key as an operation wants it. */
static inline mote_parts_bytes key_bytes(const char *key) {
    return (mote_parts_bytes){key, strlen(key)};
}
/* Carries out an operation on `key`; people are told what a program cannot be. */
mote_vfs_error mote__files_ask(struct files *files, mote_parts_op *op, const char *what,
                               const char *key);
/* Reads a key: ENOENT when it is not there. The operation's results are the caller's to free, also
 * after an error. */
mote_vfs_error mote__files_fetch(struct files *files, const char *key, mote_parts_item *item,
                                 mote_parts_op *op);

/* ---- Snapshots. ---- */

struct snapshot *mote__snapshot_find(const struct files *files, const char *key);
/* Of what the store answered; item NULL: of a key that is not there. Nobody has it open yet. */
mote_vfs_error mote__snapshot_new(struct files *files, const char *key, const mote_parts_item *item,
                                  struct snapshot **out);
/* One descriptor less; the last one frees it. */
void mote__snapshot_close(struct files *files, struct snapshot *s);
/* Frees what nobody has open. */
void mote__snapshot_free(struct files *files, struct snapshot *s);
/* Never fails to make it smaller. */
mote_vfs_error mote__snapshot_resize(struct files *files, struct snapshot *s, uint64_t size);
mote_vfs_error mote__snapshot_write(struct files *files, struct snapshot *s,
                                    const mote_vfs_iovec *pieces, size_t count, uint64_t offset,
                                    size_t *done);
/* Writes it to its key if it has changed, under its condition. */
mote_vfs_error mote__snapshot_commit(struct files *files, struct snapshot *s);
/* Its key has become `key`, which it owns from now on: `was` has been read there, `is` written. */
void mote__snapshot_move(struct files *files, struct snapshot *s, char *key,
                         const mote_parts_item *was, const mote_parts_item *is);

/* ---- Directories made by the program, which no store can hold. ---- */

bool mote__made_find(const struct files *files, const char *key);
/* Fine when it is there. */
mote_vfs_error mote__made_add(struct files *files, const char *key, size_t size);
void mote__made_remove(struct files *files, const char *key);

/* Calls `each` with what is behind `prefix` of every open key and every made directory, until it
 * answers an error. */
mote_vfs_error mote__files_each(const struct files *files, const char *prefix,
                                mote_vfs_error (*each)(void *context, const char *rest,
                                                       bool is_directory),
                                void *context);

#endif
