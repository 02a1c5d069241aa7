/* handles.h - operations that a program has begun through mote1, by number. What the functions of
 * imports.c do, on memory of the host: pointers are good and need no look. Results are 0 and more,
 * or the negative of a mote_parts_code. Everything takes the lock of the components by itself. */
#ifndef MOTE_PARTS_HANDLES_H
#define MOTE_PARTS_HANDLES_H

#include "set.h"
#include <mote/guest.h>

struct handle;

struct mote_parts_guest {
    mote_parts *parts;
    const mote_allocator *allocator;
    VEC(struct mote_parts_component *) components; /* that it may use */
    struct handle *handles[MOTE1_HANDLES_MAX];     /* NULL: free */
    uint32_t open, handles_max;
    uint32_t free_hint;              /* no free handle below it */
    struct mote_parts_budget budget; /* in flight */
    uint32_t ending;                 /* closed, and not ended yet */
};

/* What mote1_call is given. */
struct request {
    uint32_t op, flags;
    mote_parts_bytes name, in, hdr;
};

int32_t mote__handle_call(mote_parts_guest *guest, const struct request *request);
/* `handles` may be of any alignment, as a program has them. `patience` may be NULL: for ever. */
int32_t mote__handle_wait(mote_parts_guest *guest, const void *handles, uint32_t count,
                          int64_t timeout_ns, const mote_vfs_patience *patience);
int32_t mote__handle_read(mote_parts_guest *guest, uint32_t handle, void *buffer, uint32_t capacity,
                          const mote_vfs_patience *patience);
int32_t mote__handle_write(mote_parts_guest *guest, uint32_t handle, const void *bytes,
                           uint32_t size);
int32_t mote__handle_finish(mote_parts_guest *guest, uint32_t handle);
int32_t mote__handle_close(mote_parts_guest *guest, uint32_t handle);
int32_t mote__handle_meta(mote_parts_guest *guest, uint32_t handle, const mote_parts_bytes *key,
                          void *buffer, uint32_t capacity, const mote_vfs_patience *patience);

/* ---- Entries (entries.c): a header becomes items, items become a run. ---- */

/* What a header says; items and bytes point into it. */
struct asked {
    mote_parts_item *items; /* room for item_max */
    size_t item_count, item_max;
    mote_parts_bytes prefix, after;
    uint64_t limit, timeout_ns;
};

/* How many items a header begins; SIZE_MAX when it is no run of entries. */
size_t mote__entries_count(const mote_parts_bytes *hdr);
/* Fills *out; false when an entry is not known, comes twice, or is none of its kind. many: every
 * `key` begins an item; else there is one from the start. */
bool mote__entries_read(const mote_parts_bytes *hdr, bool many, struct asked *out);

/* A run being written; data NULL: only counted. */
struct run {
    char *data;
    size_t size;
};
void mote__run_put(struct run *run, const char *name, const mote_parts_bytes *value);

#endif
