/* table.c - descriptors: numbers, what they stand for, and the rights they carry.
 * Keeps: a description is freed by whoever drops its last hold, so closing under a call of another
 * thread is safe; every call checks rights here and nowhere else. */
#include "process.h"

/* ---------------------------------------------------------------- descriptions */

uint64_t mote__rights_of(const mote_vfs_node *node) {
    if (node->type == MOTE_VFS_DIRECTORY) return WASI_RIGHTS_DIRECTORY;
    if (node->traits & MOTE_VFS_LISTENER) return WASI_RIGHTS_LISTENER;
    if (node->traits & MOTE_VFS_SOCKET) return WASI_RIGHTS_SOCKET;
    return node->traits & MOTE_VFS_SEEKABLE ? WASI_RIGHTS_FILE : WASI_RIGHTS_STREAM;
}

struct description *mote__description_new(mote_wasi *wasi, mote_vfs_node *node, uint64_t base,
                                          uint64_t inheriting) {
    struct description *d = MOTE__NEW(wasi->allocator, struct description);
    if (!d) return mote_vfs_release(node), NULL;
    if (base & WASI_FD_SEEK) base |= WASI_FD_TELL; /* the one includes the other */
    if (base & WASI_FD_SYNC) base |= WASI_FD_DATASYNC;
    d->holds = 1;
    d->node = node;
    d->base = d->opened = base & mote__rights_of(node);
    d->inheriting = inheriting;
    return d;
}

mote_vfs_error mote__description_release(mote_wasi *wasi, struct description *d) {
    if (__atomic_sub_fetch(&d->holds, 1, __ATOMIC_ACQ_REL)) return MOTE_VFS_OK;
    mote_vfs_error error = mote_vfs_release(d->node);
    if (d->list) mote__dir_list_delete(wasi, d->list);
    mote__free(wasi->allocator, d->preopen, d->preopen_bytes + 1);
    MOTE__DELETE(wasi->allocator, d);
    return error;
}

/* ---------------------------------------------------------------- rights */

/* What a call is told that needs rights which the descriptor does not have. Rights that it never
 * had because of what it is, or how it was opened, are the error that POSIX has for that. */
static mote_vfs_error refuse(const struct description *d, uint64_t missing) {
    const uint64_t positions = WASI_FD_SEEK | WASI_FD_TELL,
                   sockets = WASI_SOCK_ACCEPT | WASI_SOCK_SHUTDOWN;
    const uint64_t directories = WASI_RIGHTS_DIRECTORY & ~(uint64_t)WASI_RIGHTS_ANY;
    bool is_dir = d->node->type == MOTE_VFS_DIRECTORY;
    uint64_t never = missing & ~d->opened;
    if (!never) return MOTE_VFS_ENOTCAPABLE;
    if ((never & positions) && !(mote__rights_of(d->node) & positions))
        return is_dir ? MOTE_VFS_EBADF : MOTE_VFS_ESPIPE;
    if (never & sockets)
        return d->node->traits & MOTE_VFS_SOCKET ? MOTE_VFS_EINVAL : MOTE_VFS_ENOTSOCK;
    if ((never & directories) && !is_dir) return MOTE_VFS_ENOTDIR;
    if (never & (WASI_FD_READ | WASI_FD_WRITE)) return MOTE_VFS_EBADF;
    return never & ~mote__rights_of(d->node) ? MOTE_VFS_EBADF : MOTE_VFS_ENOTCAPABLE;
}

/* ---------------------------------------------------------------- the table */

static void lock(mote_wasi *wasi) { mote__os_mutex_lock(&wasi->table.lock); }
static mote_vfs_error unlock(mote_wasi *wasi, mote_vfs_error error) {
    mote__os_mutex_unlock(&wasi->table.lock);
    return error;
}

/* NULL when the number is free. */
static struct description *get(const struct table *table, uint32_t fd) {
    return fd < table->slots.count ? table->slots.data[fd] : NULL;
}

static mote_vfs_error add_locked(mote_wasi *wasi, struct description *d, uint32_t *fd) {
    struct table *table = &wasi->table;
    size_t at = table->free_hint;
    while (at < table->slots.count && table->slots.data[at]) at++;
    if (at >= MOTE_WASI_DESCRIPTORS_MAX) return MOTE_VFS_EMFILE;
    if (at == table->slots.count && !mote__vec_push(&table->slots, wasi->allocator))
        return MOTE_VFS_ENOMEM;
    table->slots.data[at] = d;
    table->free_hint = at + 1;
    *fd = (uint32_t)at;
    return MOTE_VFS_OK;
}

mote_vfs_error mote__table_add(mote_wasi *wasi, struct description *d, uint32_t *fd) {
    if (!d) return MOTE_VFS_ENOMEM;
    lock(wasi);
    mote_vfs_error error = unlock(wasi, add_locked(wasi, d, fd));
    if (error) mote__description_release(wasi, d);
    return error;
}

mote_vfs_error mote__table_hold(mote_wasi *wasi, uint32_t fd, uint64_t rights,
                                struct description **out) {
    lock(wasi);
    struct description *d = get(&wasi->table, fd);
    if (!d) return unlock(wasi, MOTE_VFS_EBADF);
    uint64_t missing = rights & ~d->base;
    if (missing) return unlock(wasi, refuse(d, missing));
    __atomic_add_fetch(&d->holds, 1, __ATOMIC_RELAXED);
    *out = d;
    return unlock(wasi, MOTE_VFS_OK);
}

mote_vfs_error mote__table_close(mote_wasi *wasi, uint32_t fd) {
    lock(wasi);
    struct description *d = get(&wasi->table, fd);
    if (d) {
        wasi->table.slots.data[fd] = NULL;
        if (fd < wasi->table.free_hint) wasi->table.free_hint = fd;
    }
    unlock(wasi, MOTE_VFS_OK);
    return d ? mote__description_release(wasi, d) : MOTE_VFS_EBADF;
}

mote_vfs_error mote__table_renumber(mote_wasi *wasi, uint32_t from, uint32_t to) {
    struct table *table = &wasi->table;
    lock(wasi);
    struct description *d = get(table, from), *old = get(table, to);
    if (!d || !old) return unlock(wasi, MOTE_VFS_EBADF);
    if (from == to) return unlock(wasi, MOTE_VFS_OK);
    table->slots.data[to] = d;
    table->slots.data[from] = NULL;
    if (from < table->free_hint) table->free_hint = from;
    unlock(wasi, MOTE_VFS_OK);
    return mote__description_release(wasi, old);
}

mote_vfs_error mote__table_clear(mote_wasi *wasi, bool keep) {
    mote_vfs_error first = MOTE_VFS_OK;
    for (size_t i = 0; i < wasi->table.slots.count; i++) {
        struct description *d = wasi->table.slots.data[i];
        if (!d) continue;
        if (!keep && d->node->ops->abandon) d->node->ops->abandon(d->node);
        mote_vfs_error error = mote__table_close(wasi, (uint32_t)i);
        if (!first) first = error;
    }
    return first;
}
