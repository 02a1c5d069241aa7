/* process.h - what one mote_wasi holds: arguments, environment, the table of descriptors, clocks,
 * threads. */
#ifndef MOTE_WASI1_PROCESS_H
#define MOTE_WASI1_PROCESS_H

#include "abi.h"
#include "base/alloc.h"
#include "base/vec.h"
#include "calls.h"
#include "os/os.h"

/* ---------------------------------------------------------------- descriptors */

struct dir_list; /* names of a directory as they were at cookie 0 (readdir.c) */

/* What a descriptor stands for. Shared by the table and by calls under way. `lock` guards position
 * and list; rights are guarded by the table's lock. */
struct description {
    uint32_t holds;
    struct os_mutex lock;
    mote_vfs_node *node;
    uint64_t base, inheriting; /* rights */
    uint64_t opened;           /* the base rights it began with */
    _Atomic uint16_t flags;    /* WASI_FD_APPEND ... */
    bool read_only;
    /* A preopened socket says that it does not wait, for servers that serve many at once; as long as
     * the program has not looked at its flags it cannot know that, and calls wait. */
    _Atomic bool unaware;
    char *preopen; /* its name for the program, NULL if it was opened by the program */
    size_t preopen_bytes;
    uint64_t position; /* for nodes that have none of their own */
    struct dir_list *list;
};

/* Whether calls on a descriptor wait. */
static inline bool description_waits(const struct description *d) {
    return !(d->flags & WASI_FD_NONBLOCK) || d->unaware;
}

struct table {
    struct os_mutex lock;
    VEC(struct description *) slots; /* NULL: free */
    size_t free_hint;                /* no free slot below it */
};

/* The run of NUL-terminated strings behind args_get and environ_get. */
struct strings {
    char *bytes;
    size_t size, count;
};

struct threads; /* thread.c */

struct mote_wasi {
    const mote_allocator *allocator;
    struct strings args, env;
    struct table table;
    void *context;
    mote_vfs_error (*random)(void *context, void *bytes, size_t size);
    uint64_t (*clock)(void *context, unsigned clock, uint64_t sleep_ns);
    struct threads *threads; /* NULL: thread-spawn is not defined */
};

/* Makes a description of a node; takes over the caller's hold on it, also on failure. NULL when out
 * of memory. */
struct description *mote__description_new(mote_wasi *wasi, mote_vfs_node *node, uint64_t base,
                                          uint64_t inheriting);
/* Takes a hold away; the last one closes the node. */
mote_vfs_error mote__description_release(mote_wasi *wasi, struct description *d);
/* The rights that fit a node. */
uint64_t mote__rights_of(const mote_vfs_node *node);

/* Puts a description at the lowest free number; takes over the hold, also on failure (EMFILE,
 * ENOMEM). */
mote_vfs_error mote__table_add(mote_wasi *wasi, struct description *d, uint32_t *fd);
/* Gives a hold on what a descriptor stands for, if it has the rights. */
mote_vfs_error mote__table_hold(mote_wasi *wasi, uint32_t fd, uint64_t rights,
                                struct description **out);
mote_vfs_error mote__table_close(mote_wasi *wasi, uint32_t fd);
mote_vfs_error mote__table_renumber(mote_wasi *wasi, uint32_t from, uint32_t to);
/* Closes everything and returns the first error. keep false: nodes are told to forget what they
 * hold back. */
mote_vfs_error mote__table_clear(mote_wasi *wasi, bool keep);

/* ---------------------------------------------------------------- the rest */

void mote__dir_list_delete(mote_wasi *wasi, struct dir_list *list);

/* The time of a clock; the embedder's if it gave one. */
uint64_t mote__wasi_now(mote_wasi *wasi, unsigned clock, uint64_t sleep_ns);
/* Whether the call's store has been interrupted (by the host, a deadline, another thread's exit): a
 * wait must end. */
bool mote__wasi_stopped(const struct call *c);
/* Waits until a node can be read or written, in slices. EINTR when stopped. Nodes that are always
 * ready cost nothing. */
mote_vfs_error mote__wasi_wait(struct call *c, mote_vfs_node *node, unsigned wanted);

/* Writes a filestat; old: with a 32-bit link count. */
mote_vfs_error mote__put_filestat(const struct call *c, uint32_t pointer, const mote_vfs_stat *st,
                                  bool old);
/* Converts flags and values of *_set_times; EINVAL for both of a pair. */
mote_vfs_error mote__take_times(uint64_t accessed, uint64_t modified, uint32_t flags,
                                mote_vfs_times *out);

/* Takes the strings of an array into one run; false in *ok when one has a NUL. */
mote_vfs_error mote__strings_take(const mote_allocator *a, const mote_name *names, size_t count,
                                  struct strings *out);
void mote__strings_deinit(const mote_allocator *a, struct strings *strings);

void mote__threads_delete(mote_wasi *wasi);

#endif
