/* sock.c - the sock_* calls, on sockets that the program was given or has accepted (WASI preview
 * 1). */
#include "process.h"

/* A held socket with what it can do; ENOTSOCK for anything else. */
static mote_vfs_error hold_socket(const struct call *c, uint32_t fd, uint64_t rights,
                                  struct description **out) {
    mote_vfs_error error = mote__table_hold(c->wasi, fd, rights, out);
    if (error || ((*out)->node->traits & MOTE_VFS_SOCKET)) return error;
    mote__description_release(c->wasi, *out);
    return MOTE_VFS_ENOTSOCK;
}

/* A socket first, its rights then: reading what is no socket is ENOTSOCK, not EBADF. */
static mote_vfs_error hold_for(const struct call *c, uint32_t fd, uint64_t right,
                               struct description **out) {
    mote_vfs_error error = hold_socket(c, fd, 0, out);
    if (error) return error;
    mote__description_release(c->wasi, *out);
    return hold_socket(c, fd, right, out);
}

static mote_vfs_error drop(const struct call *c, struct description *d, mote_vfs_error error) {
    mote__description_release(c->wasi, d);
    return error;
}

/* Waits where the program is willing to. */
static mote_vfs_error wait_for(struct call *c, const struct description *d, unsigned wanted) {
    return description_waits(d) ? mote__wasi_wait(c, d->node, wanted) : MOTE_VFS_OK;
}

static mote_vfs_error add_accepted(const struct call *c, mote_vfs_node *node, uint32_t flags,
                                   uint32_t out) {
    uint32_t fd;
    struct description *d = mote__description_new(c->wasi, node, WASI_RIGHTS_ALL, WASI_RIGHTS_ALL);
    if (d) d->flags = (uint16_t)flags;
    mote_vfs_error error = mote__table_add(c->wasi, d, &fd);
    return error ? error : guest_put_u32(c, out, fd);
}

static mote_vfs_error accept_from(struct call *c, struct description *d, uint32_t flags,
                                  mote_vfs_node **node) {
    unsigned node_flags = flags & WASI_FD_NONBLOCK ? MOTE_VFS_NONBLOCK : 0;
    if (!d->node->ops->accept) return MOTE_VFS_ENOTSUP;
    mote_vfs_error error = wait_for(c, d, MOTE_VFS_READ);
    return error ? error : d->node->ops->accept(d->node, node_flags, node);
}

mote_vfs_error mote__wasi_sock_accept(struct call *c, uint32_t fd, uint32_t flags, uint32_t out) {
    struct description *d;
    mote_vfs_node *node;
    if (flags & ~(uint32_t)WASI_FD_NONBLOCK) return MOTE_VFS_EINVAL;
    if (!guest_at(c, out, 4)) return MOTE_VFS_EFAULT;
    mote_vfs_error error = hold_for(c, fd, WASI_SOCK_ACCEPT, &d);
    if (error) return error;
    error = accept_from(c, d, flags, &node);
    return drop(c, d, error ? error : add_accepted(c, node, flags, out));
}

mote_vfs_error mote__wasi_sock_recv(struct call *c, uint32_t fd, uint32_t iovs, uint32_t count,
                                    uint32_t flags, uint32_t size_out, uint32_t flags_out) {
    struct guest_pieces pieces;
    struct description *d;
    size_t done = 0;
    bool truncated = false;
    if (flags & ~(uint32_t)(WASI_RI_PEEK | WASI_RI_WAITALL)) return MOTE_VFS_EINVAL;
    uint8_t *at = guest_at(c, flags_out, 2);
    if (!at || !guest_at(c, size_out, 4)) return MOTE_VFS_EFAULT;
    mote_vfs_error error = hold_for(c, fd, WASI_FD_READ, &d);
    if (error) return error;
    error = mote__guest_pieces(c, iovs, count, &pieces);
    if (!error && !d->node->ops->receive) error = MOTE_VFS_ENOTSUP;
    if (!error) error = wait_for(c, d, MOTE_VFS_READ);
    if (!error)
        error = d->node->ops->receive(d->node, pieces.list, pieces.count, flags, &done, &truncated);
    if (!error) mote__store_u16(at, truncated ? WASI_RO_TRUNCATED : 0);
    return drop(c, d, error ? error : guest_put_u32(c, size_out, (uint32_t)done));
}

/* Everything, where the program is willing to wait. */
static mote_vfs_error send_all(struct call *c, struct description *d, struct guest_pieces *pieces,
                               size_t *done) {
    mote_vfs_error error;
    bool more;
    do {
        size_t part = 0;
        error = wait_for(c, d, MOTE_VFS_WRITE);
        if (!error) error = d->node->ops->send(d->node, pieces->list, pieces->count, &part);
        more = !error && part && mote__guest_pieces_skip(pieces, part);
        *done += part;
    } while (more && description_waits(d));
    return *done ? MOTE_VFS_OK : error;
}

mote_vfs_error mote__wasi_sock_send(struct call *c, uint32_t fd, uint32_t iovs, uint32_t count,
                                    uint32_t flags, uint32_t out) {
    struct guest_pieces pieces;
    struct description *d;
    size_t done = 0;
    if (flags) return MOTE_VFS_EINVAL;
    if (!guest_at(c, out, 4)) return MOTE_VFS_EFAULT;
    mote_vfs_error error = hold_for(c, fd, WASI_FD_WRITE, &d);
    if (error) return error;
    error = mote__guest_pieces(c, iovs, count, &pieces);
    if (!error && !d->node->ops->send) error = MOTE_VFS_ENOTSUP;
    if (!error) error = send_all(c, d, &pieces, &done);
    return drop(c, d, error ? error : guest_put_u32(c, out, (uint32_t)done));
}

mote_vfs_error mote__wasi_sock_shutdown(struct call *c, uint32_t fd, uint32_t how) {
    struct description *d;
    unsigned node_how =
        (how & WASI_SD_RD ? MOTE_VFS_READ : 0) | (how & WASI_SD_WR ? MOTE_VFS_WRITE : 0);
    if (!how || (how & ~(uint32_t)(WASI_SD_RD | WASI_SD_WR))) return MOTE_VFS_EINVAL;
    mote_vfs_error error = hold_for(c, fd, WASI_SOCK_SHUTDOWN, &d);
    if (error) return error;
    return drop(c, d,
                d->node->ops->shutdown ? d->node->ops->shutdown(d->node, node_how)
                                       : MOTE_VFS_ENOTSUP);
}
