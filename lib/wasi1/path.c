/* path.c - the path_* calls. What a path means is the file system's business; here are rights,
 * flags and read-only directories. */
#include "process.h"

/* A directory descriptor, its node and a path beneath it. */
struct at {
    struct description *d;
    mote_vfs_node *dir;
    const mote_vfs_ops *ops;
    struct guest_path path;
};

/* `changes`: the call changes something, which read-only directories refuse. */
static mote_vfs_error at_begin(const struct call *c, uint32_t fd, uint64_t right, bool changes,
                               uint32_t path, uint32_t size, struct at *out) {
    mote_vfs_error error = mote__table_hold(c->wasi, fd, right, &out->d);
    if (error) return error;
    out->dir = out->d->node;
    out->ops = out->dir->ops;
    error = mote__guest_path(c, path, size, &out->path);
    if (!error && changes && out->d->read_only) error = MOTE_VFS_EROFS;
    if (error) mote__description_release(c->wasi, out->d);
    return error;
}

static mote_vfs_error at_end(const struct call *c, struct at *at, mote_vfs_error error) {
    mote__description_release(c->wasi, at->d);
    return error;
}

/* Calls an operation of the directory, or says that it has none. */
#define ASK(at, op, ...)                                                                           \
    ((at).ops->op ? (at).ops->op((at).dir, (at).path.text, __VA_ARGS__) : MOTE_VFS_ENOTSUP)
#define ASK0(at, op) ((at).ops->op ? (at).ops->op((at).dir, (at).path.text) : MOTE_VFS_ENOTSUP)

static mote_vfs_error check_lookup(uint32_t flags) {
    return flags & ~(uint32_t)WASI_LOOKUP_FOLLOW ? MOTE_VFS_EINVAL : MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- names */

mote_vfs_error mote__wasi_path_create_directory(struct call *c, uint32_t fd, uint32_t path,
                                                uint32_t size) {
    struct at at;
    mote_vfs_error error = at_begin(c, fd, WASI_PATH_CREATE_DIRECTORY, true, path, size, &at);
    return error ? error : at_end(c, &at, ASK0(at, make_directory));
}

mote_vfs_error mote__wasi_path_remove_directory(struct call *c, uint32_t fd, uint32_t path,
                                                uint32_t size) {
    struct at at;
    mote_vfs_error error = at_begin(c, fd, WASI_PATH_REMOVE_DIRECTORY, true, path, size, &at);
    return error ? error : at_end(c, &at, ASK0(at, remove_directory));
}

mote_vfs_error mote__wasi_path_unlink_file(struct call *c, uint32_t fd, uint32_t path,
                                           uint32_t size) {
    struct at at;
    mote_vfs_error error = at_begin(c, fd, WASI_PATH_UNLINK_FILE, true, path, size, &at);
    return error ? error : at_end(c, &at, ASK0(at, unlink));
}

mote_vfs_error mote__wasi_path_symlink(struct call *c, uint32_t target, uint32_t target_size,
                                       uint32_t fd, uint32_t path, uint32_t size) {
    struct guest_path to;
    struct at at;
    mote_vfs_error error = mote__guest_path(c, target, target_size, &to);
    if (!error) error = at_begin(c, fd, WASI_PATH_SYMLINK, true, path, size, &at);
    if (error) return error;
    return at_end(c, &at,
                  at.ops->make_link ? at.ops->make_link(at.dir, to.text, at.path.text)
                                    : MOTE_VFS_ENOTSUP);
}

mote_vfs_error mote__wasi_path_readlink(struct call *c, uint32_t fd, uint32_t path, uint32_t size,
                                        uint32_t buffer, uint32_t room, uint32_t out) {
    struct at at;
    size_t done = 0;
    uint8_t *bytes = guest_at(c, buffer, room);
    mote_vfs_error error = at_begin(c, fd, WASI_PATH_READLINK, false, path, size, &at);
    if (error) return error;
    error = bytes ? ASK(at, read_link, (char *)bytes, room, &done) : MOTE_VFS_EFAULT;
    return at_end(c, &at, error ? error : guest_put_u32(c, out, (uint32_t)done));
}

mote_vfs_error mote__wasi_path_rename(struct call *c, uint32_t fd, uint32_t path, uint32_t size,
                                      uint32_t to_fd, uint32_t to_path, uint32_t to_size) {
    struct at from, to;
    mote_vfs_error error = at_begin(c, fd, WASI_PATH_RENAME_SOURCE, true, path, size, &from);
    if (error) return error;
    error = at_begin(c, to_fd, WASI_PATH_RENAME_TARGET, true, to_path, to_size, &to);
    if (error) return at_end(c, &from, error);
    if (!from.ops->rename) error = MOTE_VFS_ENOTSUP;
    else if (from.ops->rename != to.ops->rename) error = MOTE_VFS_EXDEV;
    else error = from.ops->rename(from.dir, from.path.text, to.dir, to.path.text);
    return at_end(c, &from, at_end(c, &to, error));
}

mote_vfs_error mote__wasi_path_link(struct call *c, uint32_t fd, uint32_t flags, uint32_t path,
                                    uint32_t size, uint32_t to_fd, uint32_t to_path,
                                    uint32_t to_size) {
    struct at from, to;
    mote_vfs_error error = check_lookup(flags);
    if (!error) error = at_begin(c, fd, WASI_PATH_LINK_SOURCE, true, path, size, &from);
    if (error) return error;
    error = at_begin(c, to_fd, WASI_PATH_LINK_TARGET, true, to_path, to_size, &to);
    if (error) return at_end(c, &from, error);
    if (!from.ops->link) error = MOTE_VFS_ENOTSUP;
    else if (from.ops->link != to.ops->link) error = MOTE_VFS_EXDEV;
    else
        error = from.ops->link(from.dir, from.path.text, flags & WASI_LOOKUP_FOLLOW, to.dir,
                               to.path.text);
    return at_end(c, &from, at_end(c, &to, error));
}

/* ---------------------------------------------------------------- attributes */

static mote_vfs_error filestat_get(struct call *c, uint32_t fd, uint32_t flags, uint32_t path,
                                   uint32_t size, uint32_t out, bool old) {
    struct at at;
    mote_vfs_stat st;
    mote_vfs_error error = check_lookup(flags);
    if (!error) error = at_begin(c, fd, WASI_PATH_FILESTAT_GET, false, path, size, &at);
    if (error) return error;
    error = ASK(at, stat_at, flags & WASI_LOOKUP_FOLLOW, &st);
    return at_end(c, &at, error ? error : mote__put_filestat(c, out, &st, old));
}

mote_vfs_error mote__wasi_path_filestat_get(struct call *c, uint32_t fd, uint32_t flags,
                                            uint32_t path, uint32_t size, uint32_t out) {
    return filestat_get(c, fd, flags, path, size, out, false);
}

mote_vfs_error mote__wasi_old_path_filestat_get(struct call *c, uint32_t fd, uint32_t flags,
                                                uint32_t path, uint32_t size, uint32_t out) {
    return filestat_get(c, fd, flags, path, size, out, true);
}

mote_vfs_error mote__wasi_path_filestat_set_times(struct call *c, uint32_t fd, uint32_t lookup,
                                                  uint32_t path, uint32_t size, uint64_t accessed,
                                                  uint64_t modified, uint32_t flags) {
    struct at at;
    mote_vfs_times times;
    mote_vfs_error error = check_lookup(lookup);
    if (!error) error = mote__take_times(accessed, modified, flags, &times);
    if (!error) error = at_begin(c, fd, WASI_PATH_FILESTAT_SET_TIMES, true, path, size, &at);
    return error ? error
                 : at_end(c, &at, ASK(at, set_times_at, lookup & WASI_LOOKUP_FOLLOW, &times));
}

/* ---------------------------------------------------------------- opening */

/* What a program asks of path_open. */
struct open_request {
    uint32_t lookup, oflags, fdflags;
    uint64_t base, inheriting;
};

/* clang-format off */
static unsigned convert_open(const struct open_request *r) {
    static const struct { uint16_t theirs; uint16_t ours; } oflags[] = {
        {WASI_O_CREAT, MOTE_VFS_CREATE}, {WASI_O_DIRECTORY, MOTE_VFS_ONLY_DIRECTORY}, {WASI_O_EXCL, MOTE_VFS_EXCLUSIVE},
        {WASI_O_TRUNC, MOTE_VFS_TRUNCATE},
    }, fdflags[] = {
        {WASI_FD_APPEND, MOTE_VFS_APPEND}, {WASI_FD_DSYNC, MOTE_VFS_DSYNC}, {WASI_FD_NONBLOCK, MOTE_VFS_NONBLOCK},
        {WASI_FD_RSYNC, MOTE_VFS_RSYNC}, {WASI_FD_SYNC_FLAG, MOTE_VFS_SYNC},
    };
    /* clang-format on */
    unsigned flags = r->lookup & WASI_LOOKUP_FOLLOW ? MOTE_VFS_FOLLOW : 0;
    if (r->base & WASI_FD_READ) flags |= MOTE_VFS_READ;
    if (r->base & WASI_FD_WRITE) flags |= MOTE_VFS_WRITE;
    for (size_t i = 0; i < sizeof oflags / sizeof *oflags; i++)
        flags |= r->oflags & oflags[i].theirs ? oflags[i].ours : 0;
    for (size_t i = 0; i < sizeof fdflags / sizeof *fdflags; i++)
        flags |= r->fdflags & fdflags[i].theirs ? fdflags[i].ours : 0;
    return flags;
}

/* The rights that path_open itself needs. */
static uint64_t rights_needed(const struct open_request *r) {
    uint64_t rights = WASI_PATH_OPEN;
    if (r->oflags & WASI_O_CREAT) rights |= WASI_PATH_CREATE_FILE;
    if (r->oflags & WASI_O_TRUNC) rights |= WASI_PATH_FILESTAT_SET_SIZE;
    return rights;
}

static mote_vfs_error check_request(const struct open_request *r) {
    const uint32_t both = WASI_O_CREAT | WASI_O_DIRECTORY;
    if ((r->oflags & both) == both) return MOTE_VFS_EINVAL;
    if ((r->oflags & ~(uint32_t)WASI_O_ALL) || (r->fdflags & ~(uint32_t)WASI_FD_FLAGS_ALL))
        return MOTE_VFS_EINVAL;
    return check_lookup(r->lookup);
}

/* Read-only directories refuse what would change them; reading and writing are rights that must be
 * inherited, others are only cut down. */
static mote_vfs_error check_directory(const struct description *d, const struct open_request *r) {
    const uint64_t reading_and_writing = WASI_FD_READ | WASI_FD_WRITE;
    if (r->base & ~d->inheriting & reading_and_writing) return MOTE_VFS_ENOTCAPABLE;
    bool changes = (r->oflags & (WASI_O_CREAT | WASI_O_TRUNC)) || (r->base & WASI_FD_WRITE);
    return d->read_only && changes ? MOTE_VFS_EROFS : MOTE_VFS_OK;
}

/* Gives an opened node a number. A directory gets and passes on all that its parent passes on,
 * whatever was asked for: programs open directories for reading and create files beneath them (Go's
 * os.Root does), and who wants less takes it away with fd_fdstat_set_rights. */
static mote_vfs_error add_opened(const struct call *c, const struct description *dir,
                                 mote_vfs_node *node, const struct open_request *r, uint32_t out) {
    uint32_t fd;
    bool is_dir = node->type == MOTE_VFS_DIRECTORY;
    uint64_t base = is_dir ? WASI_RIGHTS_ALL : r->base;
    uint64_t inheriting = is_dir ? WASI_RIGHTS_ALL : r->inheriting;
    if (node->traits & MOTE_VFS_SOCKET) base |= WASI_SOCK_SHUTDOWN;
    struct description *d =
        mote__description_new(c->wasi, node, base & dir->inheriting, inheriting & dir->inheriting);
    if (!d) return MOTE_VFS_ENOMEM;
    d->flags = (uint16_t)r->fdflags;
    d->read_only = dir->read_only;
    mote_vfs_error error = mote__table_add(c->wasi, d, &fd);
    return error ? error : guest_put_u32(c, out, fd);
}

mote_vfs_error mote__wasi_path_open(struct call *c, uint32_t fd, uint32_t lookup, uint32_t path,
                                    uint32_t size, uint32_t oflags, uint64_t base,
                                    uint64_t inheriting, uint32_t fdflags, uint32_t out) {
    const struct open_request request = {.lookup = lookup,
                                         .oflags = oflags,
                                         .fdflags = fdflags,
                                         .base = base,
                                         .inheriting = inheriting};
    struct at at;
    mote_vfs_node *node;
    mote_vfs_error error = check_request(&request);
    if (!error && !guest_at(c, out, 4)) error = MOTE_VFS_EFAULT;
    if (!error) error = at_begin(c, fd, rights_needed(&request), false, path, size, &at);
    if (error) return error;
    error = check_directory(at.d, &request);
    if (!error) error = ASK(at, open, convert_open(&request), &node);
    return at_end(c, &at, error ? error : add_opened(c, at.d, node, &request, out));
}
