/* fd.c - the fd_* calls except fd_readdir: reading, writing, positions, attributes (WASI preview
 * 1). Nodes that have no position of their own get one here, in the description, under its lock. */
#include "process.h"

static mote_vfs_error hold(const struct call *c, uint32_t fd, uint64_t rights,
                           struct description **out) {
    return mote__table_hold(c->wasi, fd, rights, out);
}

/* Drops the hold and passes the call's result on. */
static mote_vfs_error drop(const struct call *c, struct description *d, mote_vfs_error error) {
    mote__description_release(c->wasi, d);
    return error;
}

/* ---------------------------------------------------------------- reading and writing */

static mote_vfs_error read_positioned(struct description *d, const struct guest_pieces *pieces,
                                      size_t *done) {
    mote__os_mutex_lock(&d->lock);
    mote_vfs_error error =
        d->node->ops->pread(d->node, pieces->list, pieces->count, d->position, done);
    if (!error) d->position += *done;
    mote__os_mutex_unlock(&d->lock);
    return error;
}

/* Whether a call that did nothing is to be made again: it was interrupted, or the node does not
 * wait although the program wants to. */
static bool again(struct call *c, const struct description *d, unsigned wanted,
                  mote_vfs_error *error) {
    if (*error == MOTE_VFS_EINTR) return !mote__wasi_stopped(c);
    if (*error != MOTE_VFS_EAGAIN || !description_waits(d) || !d->node->ops->poll_fd) return false;
    *error = mote__wasi_wait(c, d->node, wanted);
    return !*error;
}

static mote_vfs_error read_here(struct call *c, struct description *d, struct guest_pieces *pieces,
                                size_t *done) {
    const mote_vfs_ops *ops = d->node->ops;
    mote_vfs_error error = MOTE_VFS_OK;
    if (!ops->read) return ops->pread ? read_positioned(d, pieces, done) : MOTE_VFS_EBADF;
    if (description_waits(d) && !ops->poll_fd) error = mote__wasi_wait(c, d->node, MOTE_VFS_READ);
    if (error) return error;
    do error = ops->read(d->node, pieces->list, pieces->count, done);
    while (again(c, d, MOTE_VFS_READ, &error));
    return error;
}

/* At the end, in one step where the node can. */
static mote_vfs_error append(mote_vfs_node *node, const struct guest_pieces *pieces,
                             uint64_t *offset, size_t *done) {
    mote_vfs_stat st;
    if (node->ops->append)
        return node->ops->append(node, pieces->list, pieces->count, offset, done);
    mote_vfs_error error = node->ops->stat ? node->ops->stat(node, &st) : MOTE_VFS_ENOTSUP;
    if (error) return error;
    *offset = st.size;
    return node->ops->pwrite(node, pieces->list, pieces->count, st.size, done);
}

static mote_vfs_error write_positioned(struct description *d, const struct guest_pieces *pieces,
                                       size_t *done) {
    mote_vfs_node *node = d->node;
    mote_vfs_error error;
    mote__os_mutex_lock(&d->lock);
    uint64_t offset = d->position;
    if (d->flags & WASI_FD_APPEND) error = append(node, pieces, &offset, done);
    else error = node->ops->pwrite(node, pieces->list, pieces->count, offset, done);
    if (!error) d->position = offset + *done;
    mote__os_mutex_unlock(&d->lock);
    return error;
}

/* Everything, where the program is willing to wait: few programs expect less from a pipe. What has
 * been written counts more than an error after it. */
static mote_vfs_error write_here(struct call *c, struct description *d, struct guest_pieces *pieces,
                                 size_t *done) {
    const mote_vfs_ops *ops = d->node->ops;
    mote_vfs_error error;
    bool more;
    if (!ops->write) return ops->pwrite ? write_positioned(d, pieces, done) : MOTE_VFS_EBADF;
    do {
        size_t part = 0;
        error = ops->write(d->node, pieces->list, pieces->count, &part);
        more = error ? again(c, d, MOTE_VFS_WRITE, &error)
                     : part && mote__guest_pieces_skip(pieces, part) && description_waits(d);
        *done += part;
    } while (more);
    return *done ? MOTE_VFS_OK : error;
}

/* Answers the number of bytes, or the error. */
static mote_vfs_error answer(const struct call *c, mote_vfs_error error, uint32_t out,
                             size_t done) {
    return error ? error : guest_put_u32(c, out, (uint32_t)done);
}

typedef mote_vfs_error transfer_fn(struct call *c, struct description *d,
                                   struct guest_pieces *pieces, size_t *done);

/* fd_read and fd_write. Where the count cannot be answered, nothing is transferred. */
static mote_vfs_error transfer_here(struct call *c, uint32_t fd, uint64_t right, uint32_t iovs,
                                    uint32_t count, uint32_t out, transfer_fn *transfer) {
    struct guest_pieces pieces;
    struct description *d;
    size_t done = 0;
    mote_vfs_error error = hold(c, fd, right, &d);
    if (error) return error;
    error = mote__guest_pieces(c, iovs, count, &pieces);
    if (!error && !guest_at(c, out, 4)) error = MOTE_VFS_EFAULT;
    if (!error) error = transfer(c, d, &pieces, &done);
    return drop(c, d, answer(c, error, out, done));
}

mote_vfs_error mote__wasi_fd_read(struct call *c, uint32_t fd, uint32_t iovs, uint32_t count,
                                  uint32_t out) {
    return transfer_here(c, fd, WASI_FD_READ, iovs, count, out, read_here);
}

mote_vfs_error mote__wasi_fd_write(struct call *c, uint32_t fd, uint32_t iovs, uint32_t count,
                                   uint32_t out) {
    return transfer_here(c, fd, WASI_FD_WRITE, iovs, count, out, write_here);
}

/* Positions make sense on this node; ESPIPE otherwise. */
static mote_vfs_error check_seekable(const struct description *d) {
    return d->node->traits & MOTE_VFS_SEEKABLE ? MOTE_VFS_OK : MOTE_VFS_ESPIPE;
}

static mote_vfs_error read_at(struct description *d, const struct guest_pieces *pieces,
                              uint64_t offset, size_t *done) {
    const mote_vfs_ops *ops = d->node->ops;
    return ops->pread ? ops->pread(d->node, pieces->list, pieces->count, offset, done)
                      : MOTE_VFS_ENOTSUP;
}

/* With APPEND the offset does not count, as on Linux. */
static mote_vfs_error write_at(struct description *d, const struct guest_pieces *pieces,
                               uint64_t offset, size_t *done) {
    const mote_vfs_ops *ops = d->node->ops;
    if (!ops->pwrite) return MOTE_VFS_ENOTSUP;
    bool appends = (d->flags & WASI_FD_APPEND) &&
                   !ops->write; /* nodes with a position of their own know it themselves */
    return appends ? append(d->node, pieces, &offset, done)
                   : ops->pwrite(d->node, pieces->list, pieces->count, offset, done);
}

typedef mote_vfs_error transfer_at_fn(struct description *d, const struct guest_pieces *pieces,
                                      uint64_t offset, size_t *done);

static mote_vfs_error transfer_there(struct call *c, uint32_t fd, uint64_t right, uint32_t iovs,
                                     uint32_t count, uint64_t offset, uint32_t out,
                                     transfer_at_fn *transfer) {
    struct guest_pieces pieces;
    struct description *d;
    size_t done = 0;
    mote_vfs_error error = hold(c, fd, right, &d);
    if (error) return error;
    error = check_seekable(d);
    if (!error) error = mote__guest_pieces(c, iovs, count, &pieces);
    if (!error) error = transfer(d, &pieces, offset, &done);
    return drop(c, d, answer(c, error, out, done));
}

mote_vfs_error mote__wasi_fd_pread(struct call *c, uint32_t fd, uint32_t iovs, uint32_t count,
                                   uint64_t offset, uint32_t out) {
    return transfer_there(c, fd, WASI_FD_READ, iovs, count, offset, out, read_at);
}

mote_vfs_error mote__wasi_fd_pwrite(struct call *c, uint32_t fd, uint32_t iovs, uint32_t count,
                                    uint64_t offset, uint32_t out) {
    return transfer_there(c, fd, WASI_FD_WRITE, iovs, count, offset, out, write_at);
}

/* ---------------------------------------------------------------- positions */

static mote_vfs_error seek_base(struct description *d, uint32_t whence, uint64_t *base) {
    mote_vfs_stat st;
    *base = whence == MOTE_VFS_SEEK_CUR ? d->position : 0;
    if (whence != MOTE_VFS_SEEK_END) return MOTE_VFS_OK;
    mote_vfs_error error = d->node->ops->stat ? d->node->ops->stat(d->node, &st) : MOTE_VFS_ENOTSUP;
    if (!error) *base = st.size;
    return error;
}

static mote_vfs_error seek_positioned(struct description *d, int64_t offset, uint32_t whence,
                                      uint64_t *position) {
    uint64_t base, to;
    mote__os_mutex_lock(&d->lock);
    mote_vfs_error error = seek_base(d, whence, &base);
    if (!error) {
        to = base + (uint64_t)offset;
        bool wraps = offset < 0 ? to > base : to < base;
        if (wraps || to > INT64_MAX) error = MOTE_VFS_EINVAL;
        else *position = d->position = to;
    }
    mote__os_mutex_unlock(&d->lock);
    return error;
}

static mote_vfs_error seek(struct call *c, uint32_t fd, uint64_t rights, int64_t offset,
                           uint32_t whence, uint32_t out) {
    struct description *d;
    uint64_t position;
    mote_vfs_error error = hold(c, fd, rights, &d);
    if (error) return error;
    const mote_vfs_ops *ops = d->node->ops;
    if (whence > MOTE_VFS_SEEK_END) error = MOTE_VFS_EINVAL;
    if (!error)
        error = ops->seek ? ops->seek(d->node, offset, (mote_vfs_whence)whence, &position)
                          : seek_positioned(d, offset, whence, &position);
    return drop(c, d, error ? error : guest_put_u64(c, out, position));
}

/* Asking where it is needs only the right to be told. */
static uint64_t seek_rights(int64_t offset, uint32_t whence) {
    return offset == 0 && whence == MOTE_VFS_SEEK_CUR ? WASI_FD_TELL : WASI_FD_SEEK;
}

mote_vfs_error mote__wasi_fd_seek(struct call *c, uint32_t fd, uint64_t offset, uint32_t whence,
                                  uint32_t out) {
    return seek(c, fd, seek_rights((int64_t)offset, whence), (int64_t)offset, whence, out);
}

mote_vfs_error mote__wasi_fd_tell(struct call *c, uint32_t fd, uint32_t out) {
    return seek(c, fd, WASI_FD_TELL, 0, MOTE_VFS_SEEK_CUR, out);
}

/* ---------------------------------------------------------------- the file beneath */

mote_vfs_error mote__wasi_fd_advise(struct call *c, uint32_t fd, uint64_t offset, uint64_t bytes,
                                    uint32_t advice) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, WASI_FD_ADVISE, &d);
    if (error) return error;
    if (advice > WASI_ADVICE_MAX) error = MOTE_VFS_EINVAL;
    else if (d->node->ops->advise) error = d->node->ops->advise(d->node, offset, bytes, advice);
    return drop(c, d, error);
}

mote_vfs_error mote__wasi_fd_allocate(struct call *c, uint32_t fd, uint64_t offset,
                                      uint64_t bytes) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, WASI_FD_ALLOCATE, &d);
    if (error) return error;
    error =
        d->node->ops->allocate ? d->node->ops->allocate(d->node, offset, bytes) : MOTE_VFS_ENOTSUP;
    return drop(c, d, error);
}

static mote_vfs_error sync_node(struct call *c, uint32_t fd, uint64_t right, bool data_only) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, right, &d);
    if (error) return error;
    return drop(c, d, d->node->ops->sync ? d->node->ops->sync(d->node, data_only) : MOTE_VFS_OK);
}

mote_vfs_error mote__wasi_fd_sync(struct call *c, uint32_t fd) {
    return sync_node(c, fd, WASI_FD_SYNC, false);
}
mote_vfs_error mote__wasi_fd_datasync(struct call *c, uint32_t fd) {
    return sync_node(c, fd, WASI_FD_DATASYNC, true);
}

static mote_vfs_error stat_node(mote_vfs_node *node, mote_vfs_stat *out) {
    *out = (mote_vfs_stat){.type = node->type};
    mote_vfs_error error = node->ops->stat ? node->ops->stat(node, out) : MOTE_VFS_OK;
    out->type = node->type;
    return error;
}

static mote_vfs_error filestat_get(struct call *c, uint32_t fd, uint32_t out, bool old) {
    struct description *d;
    mote_vfs_stat st;
    mote_vfs_error error = hold(c, fd, WASI_FD_FILESTAT_GET, &d);
    if (error) return error;
    error = stat_node(d->node, &st);
    return drop(c, d, error ? error : mote__put_filestat(c, out, &st, old));
}

mote_vfs_error mote__wasi_fd_filestat_get(struct call *c, uint32_t fd, uint32_t out) {
    return filestat_get(c, fd, out, false);
}
mote_vfs_error mote__wasi_old_fd_filestat_get(struct call *c, uint32_t fd, uint32_t out) {
    return filestat_get(c, fd, out, true);
}

/* Whether the descriptor may change the file; a file that was opened in a read-only directory may
 * not. */
static mote_vfs_error check_writable(const struct description *d) {
    return d->read_only ? MOTE_VFS_EROFS : MOTE_VFS_OK;
}

mote_vfs_error mote__wasi_fd_filestat_set_size(struct call *c, uint32_t fd, uint64_t size) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, WASI_FD_FILESTAT_SET_SIZE, &d);
    if (error) return error;
    error = check_writable(d);
    if (!error && !(d->opened & WASI_FD_WRITE)) error = MOTE_VFS_EINVAL;
    if (!error)
        error = d->node->ops->set_size ? d->node->ops->set_size(d->node, size) : MOTE_VFS_EINVAL;
    return drop(c, d, error);
}

mote_vfs_error mote__wasi_fd_filestat_set_times(struct call *c, uint32_t fd, uint64_t accessed,
                                                uint64_t modified, uint32_t flags) {
    struct description *d;
    mote_vfs_times times;
    mote_vfs_error error = hold(c, fd, WASI_FD_FILESTAT_SET_TIMES, &d);
    if (error) return error;
    error = mote__take_times(accessed, modified, flags, &times);
    if (!error) error = check_writable(d);
    if (!error)
        error =
            d->node->ops->set_times ? d->node->ops->set_times(d->node, &times) : MOTE_VFS_ENOTSUP;
    return drop(c, d, error);
}

/* ---------------------------------------------------------------- the descriptor itself */

mote_vfs_error mote__wasi_fd_close(struct call *c, uint32_t fd) {
    return mote__table_close(c->wasi, fd);
}
mote_vfs_error mote__wasi_fd_renumber(struct call *c, uint32_t from, uint32_t to) {
    return mote__table_renumber(c->wasi, from, to);
}

mote_vfs_error mote__wasi_fd_fdstat_get(struct call *c, uint32_t fd, uint32_t out) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, 0, &d);
    if (error) return error;
    uint8_t *at = guest_at(c, out, WASI_FDSTAT_BYTES);
    if (!at) return drop(c, d, MOTE_VFS_EFAULT);
    memset(at, 0, WASI_FDSTAT_BYTES);
    at[0] = d->node->type;
    mote__os_mutex_lock(&c->wasi->table.lock);
    d->unaware = false;
    mote__store_u16(at + 2, d->flags);
    mote__store_u64(at + 8, d->base);
    mote__store_u64(at + 16, d->inheriting);
    mote__os_mutex_unlock(&c->wasi->table.lock);
    return drop(c, d, MOTE_VFS_OK);
}

static unsigned node_flags(uint32_t flags) {
    return (flags & WASI_FD_APPEND ? MOTE_VFS_APPEND : 0) |
           (flags & WASI_FD_NONBLOCK ? MOTE_VFS_NONBLOCK : 0);
}

/* Only APPEND and NONBLOCK can change after opening. */
mote_vfs_error mote__wasi_fd_fdstat_set_flags(struct call *c, uint32_t fd, uint32_t flags) {
    const uint32_t changeable = WASI_FD_APPEND | WASI_FD_NONBLOCK;
    struct description *d;
    mote_vfs_error error = hold(c, fd, WASI_FD_FDSTAT_SET_FLAGS, &d);
    if (error) return error;
    if ((flags ^ d->flags) & ~changeable) return drop(c, d, MOTE_VFS_EINVAL);
    if (d->node->ops->set_flags) error = d->node->ops->set_flags(d->node, node_flags(flags));
    if (!error) {
        d->flags = (uint16_t)flags;
        d->unaware = false;
    }
    return drop(c, d, error);
}

mote_vfs_error mote__wasi_fd_fdstat_set_rights(struct call *c, uint32_t fd, uint64_t base,
                                               uint64_t inheriting) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, 0, &d);
    if (error) return error;
    mote__os_mutex_lock(&c->wasi->table.lock);
    bool grows = (base & ~d->base) || (inheriting & ~d->inheriting);
    if (!grows) d->base = base, d->inheriting = inheriting;
    mote__os_mutex_unlock(&c->wasi->table.lock);
    return drop(c, d, grows ? MOTE_VFS_ENOTCAPABLE : MOTE_VFS_OK);
}

/* Programs look at descriptors from 3 on until one is EBADF; a socket before directories must not
 * end that. */
static bool others_follow(mote_wasi *wasi, uint32_t fd) {
    bool found = false;
    mote__os_mutex_lock(&wasi->table.lock);
    for (size_t i = (size_t)fd + 1; i < wasi->table.slots.count && !found; i++) {
        const struct description *d = wasi->table.slots.data[i];
        found = d && d->preopen;
    }
    mote__os_mutex_unlock(&wasi->table.lock);
    return found;
}

mote_vfs_error mote__wasi_fd_prestat_get(struct call *c, uint32_t fd, uint32_t out) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, 0, &d);
    if (error) return error;
    bool other = !d->preopen && (d->node->traits & MOTE_VFS_SOCKET) && others_follow(c->wasi, fd);
    uint8_t *at = guest_at(c, out, WASI_PRESTAT_BYTES);
    if (!d->preopen && !other) return drop(c, d, MOTE_VFS_EBADF);
    if (!at) return drop(c, d, MOTE_VFS_EFAULT);
    mote__store_u32(at, other ? WASI_PREOPEN_OTHER : WASI_PREOPEN_DIRECTORY);
    mote__store_u32(at + 4, (uint32_t)d->preopen_bytes);
    return drop(c, d, MOTE_VFS_OK);
}

mote_vfs_error mote__wasi_fd_prestat_dir_name(struct call *c, uint32_t fd, uint32_t out,
                                              uint32_t size) {
    struct description *d;
    mote_vfs_error error = hold(c, fd, 0, &d);
    if (error) return error;
    if (!d->preopen) error = MOTE_VFS_ENOTDIR;
    else if (size < d->preopen_bytes) error = MOTE_VFS_ENAMETOOLONG;
    else error = guest_put(c, out, d->preopen, d->preopen_bytes);
    return drop(c, d, error);
}

/* ---------------------------------------------------------------- older shapes */

/* wasi_unstable counts whence from the present, the end, the start. */
mote_vfs_error mote__wasi_old_fd_seek(struct call *c, uint32_t fd, uint64_t offset, uint32_t whence,
                                      uint32_t out) {
    static const uint8_t whences[] = {MOTE_VFS_SEEK_CUR, MOTE_VFS_SEEK_END, MOTE_VFS_SEEK_SET};
    return mote__wasi_fd_seek(c, fd, offset, whence < sizeof whences ? whences[whence] : UINT8_MAX,
                              out);
}
