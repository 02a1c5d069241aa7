/* host.c - nodes of the host: open descriptors of any kind, and directories whose insides are
 * reached through beneath.c.
 * Keeps: nothing here builds a path for the kernel out of a program's path except through
 * mote__beneath_*. */
#define _GNU_SOURCE
#include <mote/vfs.h>
#include "base/alloc.h"
#include "beneath.h"
#include "vfs_dir.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static_assert(sizeof(struct iovec) == sizeof(mote_vfs_iovec) &&
                  offsetof(struct iovec, iov_len) == offsetof(mote_vfs_iovec, size),
              "pieces are passed to the kernel as they are");

enum {
    PIECES_MAX = 1024 /* Linux's UIO_MAXIOV; what is beyond is left for the next call */
};

struct host {
    mote_vfs_node node;
    const mote_allocator *allocator;
    int fd;
    bool owned;
    _Atomic bool waits; /* the system cannot be asked to read or write only what it can at once */
};

static struct host *of(mote_vfs_node *node) { return (struct host *)node; }
static int fd_of(mote_vfs_node *node) { return of(node)->fd; }
static mote_vfs_error last_error(void) { return mote_vfs_error_from_errno(errno); }
static mote_vfs_error from_call(int result) { return result < 0 ? last_error() : MOTE_VFS_OK; }

/* ---------------------------------------------------------------- any node */

static mote_vfs_error host_close(mote_vfs_node *node) {
    struct host *host = of(node);
    mote_vfs_error error = host->owned ? from_call(close(host->fd)) : MOTE_VFS_OK;
    MOTE__DELETE(host->allocator, host);
    return error == MOTE_VFS_EINTR ? MOTE_VFS_OK : error; /* the descriptor is gone all the same */
}

static uint64_t nanoseconds(struct timespec time) {
    return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static mote_vfs_type type_of_mode(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return MOTE_VFS_FILE;
    case S_IFDIR: return MOTE_VFS_DIRECTORY;
    case S_IFLNK: return MOTE_VFS_SYMLINK;
    case S_IFCHR: return MOTE_VFS_CHARACTER_DEVICE;
    case S_IFBLK: return MOTE_VFS_BLOCK_DEVICE;
    case S_IFSOCK: return MOTE_VFS_SOCKET_STREAM;
    default: return MOTE_VFS_UNKNOWN;
    }
}

static void convert_stat(const struct stat *st, mote_vfs_stat *out) {
    *out = (mote_vfs_stat){.device = (uint64_t)st->st_dev,
                           .inode = (uint64_t)st->st_ino,
                           .link_count = (uint64_t)st->st_nlink,
                           .size = (uint64_t)st->st_size,
                           .accessed = nanoseconds(st->st_atim),
                           .modified = nanoseconds(st->st_mtim),
                           .changed = nanoseconds(st->st_ctim),
                           .type = (uint8_t)type_of_mode(st->st_mode)};
}

static mote_vfs_error host_stat(mote_vfs_node *node, mote_vfs_stat *out) {
    struct stat st;
    if (fstat(fd_of(node), &st)) return last_error();
    convert_stat(&st, out);
    return MOTE_VFS_OK;
}

static struct timespec timespec_of(bool set, bool now, uint64_t value) {
    if (now) return (struct timespec){.tv_nsec = UTIME_NOW};
    if (!set) return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){.tv_sec = (time_t)(value / 1000000000u),
                             .tv_nsec = (long)(value % 1000000000u)};
}

static void convert_times(const mote_vfs_times *times, struct timespec out[2]) {
    out[0] = timespec_of(times->set_accessed, times->set_accessed_now, times->accessed);
    out[1] = timespec_of(times->set_modified, times->set_modified_now, times->modified);
}

static mote_vfs_error host_set_times(mote_vfs_node *node, const mote_vfs_times *times) {
    struct timespec both[2];
    convert_times(times, both);
    return from_call(futimens(fd_of(node), both));
}

/* APPEND and NONBLOCK belong to the open file, which a borrowed descriptor shares with the rest of
 * the process and its parents: those keep theirs. Waiting is the caller's business anyway. */
static mote_vfs_error host_set_flags(mote_vfs_node *node, unsigned flags) {
    struct host *host = of(node);
    if (!host->owned) return MOTE_VFS_OK;
    int now = fcntl(host->fd, F_GETFL);
    if (now < 0) return last_error();
    now &= ~(O_APPEND | O_NONBLOCK);
    if (flags & MOTE_VFS_APPEND) now |= O_APPEND;
    if (flags & MOTE_VFS_NONBLOCK) now |= O_NONBLOCK;
    return from_call(fcntl(host->fd, F_SETFL, now));
}

static mote_vfs_error host_sync(mote_vfs_node *node, bool data_only) {
    int result = data_only ? fdatasync(fd_of(node)) : fsync(fd_of(node));
    bool cannot = result < 0 && (errno == EINVAL ||
                                 errno == EROFS); /* pipes and terminals have nothing to sync */
    return cannot ? MOTE_VFS_OK : from_call(result);
}

/* ---------------------------------------------------------------- reading and writing */

static int pieces_of(size_t count) { return count < PIECES_MAX ? (int)count : PIECES_MAX; }
static const struct iovec *iov_of(const mote_vfs_iovec *pieces) {
    return (const struct iovec *)pieces;
}

static mote_vfs_error finish(ssize_t result, size_t *done) {
    if (result < 0) return last_error();
    *done = (size_t)result;
    return MOTE_VFS_OK;
}

static bool would_wait(int fd, short events) {
    struct pollfd look = {.fd = fd, .events = events};
    return poll(&look, 1, 0) == 0;
}

static mote_vfs_error file_read(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                size_t *done) {
    return finish(readv(fd_of(node), iov_of(pieces), pieces_of(count)), done);
}

static mote_vfs_error file_write(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                 size_t *done) {
    return finish(writev(fd_of(node), iov_of(pieces), pieces_of(count)), done);
}

/* ---------------------------------------------------------------- streams, which do not wait */

enum { NOWAIT = 8 }; /* RWF_NOWAIT; the C libraries' headers do not all have it */

/* preadv2 or pwritev2 at the descriptor's own position, without waiting; EOPNOTSUPP where the
 * system or the kind of descriptor has no such thing. */
#if defined(SYS_preadv2) && defined(SYS_pwritev2)
static ssize_t try_now(bool writes, int fd, const mote_vfs_iovec *pieces, size_t count) {
    return syscall(writes ? SYS_pwritev2 : SYS_preadv2, fd, pieces, (long)pieces_of(count), -1L,
                   -1L, NOWAIT);
}
#else
static ssize_t try_now(bool writes, int fd, const mote_vfs_iovec *pieces, size_t count) {
    (void)writes, (void)fd, (void)pieces, (void)count;
    errno = EOPNOTSUPP;
    return -1;
}
#endif

/* Reads or writes what can be at once; false when that cannot be asked for. */
static bool transfer_now(struct host *host, bool writes, const mote_vfs_iovec *pieces, size_t count,
                         mote_vfs_error *error, size_t *done) {
    if (host->waits) return false;
    ssize_t result = try_now(writes, host->fd, pieces, count);
    bool unknown = result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL);
    if (unknown) {
        host->waits = true;
        return false;
    }
    *error = finish(result, done);
    return true;
}

static mote_vfs_error stream_read(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  size_t *done) {
    struct host *host = of(node);
    mote_vfs_error error;
    if (transfer_now(host, false, pieces, count, &error, done)) return error;
    return would_wait(host->fd, POLLIN) ? MOTE_VFS_EAGAIN : file_read(node, pieces, count, done);
}

static mote_vfs_error stream_write(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                   size_t *done) {
    struct host *host = of(node);
    mote_vfs_error error;
    if (transfer_now(host, true, pieces, count, &error, done)) return error;
    return would_wait(host->fd, POLLOUT) ? MOTE_VFS_EAGAIN : file_write(node, pieces, count, done);
}

/* A socket that the other side has closed must not kill the process. */
static mote_vfs_error socket_write(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                   size_t *done) {
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)pieces_of(count)};
    return finish(sendmsg(fd_of(node), &message, MSG_NOSIGNAL | MSG_DONTWAIT), done);
}

/* ---------------------------------------------------------------- positions and sizes */

static bool offset_fits(uint64_t offset) {
    return offset <= INT64_MAX && (uint64_t)(off_t)offset == offset;
}

static mote_vfs_error host_pread(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                 uint64_t offset, size_t *done) {
    if (!offset_fits(offset)) return MOTE_VFS_EINVAL;
    return finish(preadv(fd_of(node), iov_of(pieces), pieces_of(count), (off_t)offset), done);
}

static mote_vfs_error host_pwrite(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  uint64_t offset, size_t *done) {
    if (!offset_fits(offset)) return MOTE_VFS_EINVAL;
    return finish(pwritev(fd_of(node), iov_of(pieces), pieces_of(count), (off_t)offset), done);
}

static mote_vfs_error host_seek(mote_vfs_node *node, int64_t offset, mote_vfs_whence whence,
                                uint64_t *position) {
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    off_t result = lseek(fd_of(node), (off_t)offset, whences[whence]);
    if (result < 0) return last_error();
    *position = (uint64_t)result;
    return MOTE_VFS_OK;
}

static mote_vfs_error host_set_size(mote_vfs_node *node, uint64_t size) {
    return size > INT64_MAX ? MOTE_VFS_EFBIG : from_call(ftruncate(fd_of(node), (off_t)size));
}

static mote_vfs_error host_allocate(mote_vfs_node *node, uint64_t offset, uint64_t bytes) {
    if (!bytes || offset > INT64_MAX || bytes > INT64_MAX) return MOTE_VFS_EINVAL;
    return mote_vfs_error_from_errno(posix_fallocate(fd_of(node), (off_t)offset, (off_t)bytes));
}

static mote_vfs_error host_advise(mote_vfs_node *node, uint64_t offset, uint64_t bytes,
                                  unsigned advice) {
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    if (offset > INT64_MAX || bytes > INT64_MAX) return MOTE_VFS_EINVAL;
    return mote_vfs_error_from_errno(
        posix_fadvise(fd_of(node), (off_t)offset, (off_t)bytes, advices[advice]));
}

/* ---------------------------------------------------------------- waiting */

static int host_poll_fd(mote_vfs_node *node) { return fd_of(node); }
static int always_ready(mote_vfs_node *node) {
    (void)node;
    return -1;
}

static mote_vfs_error host_ready(mote_vfs_node *node, unsigned wanted, unsigned *now,
                                 uint64_t *bytes) {
    struct pollfd look = {.fd = fd_of(node)};
    if (wanted & MOTE_VFS_READ) look.events |= POLLIN;
    if (wanted & MOTE_VFS_WRITE) look.events |= POLLOUT;
    int waiting = 0;
    if (poll(&look, 1, 0) < 0) return last_error();
    *now = 0;
    if (look.revents & (POLLIN | POLLHUP | POLLERR)) *now |= wanted & MOTE_VFS_READ;
    if (look.revents & (POLLOUT | POLLHUP | POLLERR)) *now |= wanted & MOTE_VFS_WRITE;
    *bytes = !ioctl(look.fd, FIONREAD, &waiting) && waiting > 0 ? (uint64_t)waiting : 0;
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- sockets */

static mote_vfs_error host_accept(mote_vfs_node *node, unsigned flags, mote_vfs_node **out) {
    struct host *host = of(node);
    if (would_wait(host->fd, POLLIN)) return MOTE_VFS_EAGAIN;
    int fd = accept(host->fd, NULL, NULL);
    if (fd < 0) return last_error();
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    mote_vfs_error error = mote_vfs_fd_new(host->allocator, fd, true, out);
    if (error) return close(fd), error;
    error = host_set_flags(*out, flags);
    if (error) mote_vfs_release(*out);
    return error;
}

static mote_vfs_error host_receive(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                   unsigned flags, size_t *done, bool *truncated) {
    struct host *host = of(node);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)pieces_of(count)};
    int how = (flags & 1 ? MSG_PEEK : 0) | (flags & 2 ? MSG_WAITALL : MSG_DONTWAIT);
    mote_vfs_error error = finish(recvmsg(host->fd, &message, how), done);
    *truncated = (message.msg_flags & MSG_TRUNC) != 0;
    return error;
}

static mote_vfs_error host_shutdown(mote_vfs_node *node, unsigned how) {
    static const int hows[] = {[MOTE_VFS_READ] = SHUT_RD,
                               [MOTE_VFS_WRITE] = SHUT_WR,
                               [MOTE_VFS_READ | MOTE_VFS_WRITE] = SHUT_RDWR};
    return from_call(shutdown(fd_of(node), hows[how]));
}

/* ---------------------------------------------------------------- directories */

static mote_vfs_error node_of_fd(const mote_allocator *a, int fd, bool owned, mote_vfs_node **out);

/* clang-format off */
static const struct { unsigned ours; int theirs; } open_flags[] = {
    {MOTE_VFS_CREATE,         O_CREAT},
    {MOTE_VFS_EXCLUSIVE,      O_EXCL},
    {MOTE_VFS_TRUNCATE,       O_TRUNC},
    {MOTE_VFS_ONLY_DIRECTORY, O_DIRECTORY},
    {MOTE_VFS_APPEND,         O_APPEND},
    {MOTE_VFS_NONBLOCK,       O_NONBLOCK},
    {MOTE_VFS_DSYNC,          O_DSYNC},
#ifdef O_RSYNC
    {MOTE_VFS_RSYNC,          O_RSYNC},
#endif
    {MOTE_VFS_SYNC,           O_SYNC},
};
/* clang-format on */

static int convert_open(unsigned flags) {
    bool reads = flags & MOTE_VFS_READ, writes = flags & MOTE_VFS_WRITE;
    int out = writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY;
    for (size_t i = 0; i < sizeof open_flags / sizeof *open_flags; i++)
        if (flags & open_flags[i].ours) out |= open_flags[i].theirs;
    return out | (flags & MOTE_VFS_FOLLOW ? 0 : O_NOFOLLOW) | O_NOCTTY;
}

static mote_vfs_error dir_open(mote_vfs_node *dir, const char *path, unsigned flags,
                               mote_vfs_node **out) {
    int fd;
    mote_vfs_error error = mote__beneath_open(fd_of(dir), path, convert_open(flags), &fd);
    if (error) return error;
    error = node_of_fd(of(dir)->allocator, fd, true, out);
    if (error) close(fd);
    return error;
}

/* A link with a slash behind it means what it points to. */
static bool follows(const char *path, bool follow) {
    size_t size = strlen(path);
    return follow || (size && path[size - 1] == '/');
}

static mote_vfs_error stat_place(const struct beneath_place *place, struct stat *st) {
    if (fstatat(place->fd, place->name, st, AT_SYMLINK_NOFOLLOW)) return last_error();
    return place->directory && !S_ISDIR(st->st_mode) ? MOTE_VFS_ENOTDIR : MOTE_VFS_OK;
}

static mote_vfs_error dir_stat_at(mote_vfs_node *dir, const char *path, bool follow,
                                  mote_vfs_stat *out) {
    struct beneath_place place;
    struct stat st;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, follows(path, follow), &place);
    if (error) return error;
    error = stat_place(&place, &st);
    mote__beneath_release(&place);
    if (!error) convert_stat(&st, out);
    return error;
}

static mote_vfs_error dir_set_times_at(mote_vfs_node *dir, const char *path, bool follow,
                                       const mote_vfs_times *times) {
    struct beneath_place place;
    struct timespec both[2];
    struct stat st;
    convert_times(times, both);
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, follows(path, follow), &place);
    if (error) return error;
    if (place.directory) error = stat_place(&place, &st);
    if (!error) error = from_call(utimensat(place.fd, place.name, both, AT_SYMLINK_NOFOLLOW));
    mote__beneath_release(&place);
    return error;
}

static mote_vfs_error dir_make_directory(mote_vfs_node *dir, const char *path) {
    struct beneath_place place;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, false, &place);
    if (error) return error;
    error = from_call(mkdirat(place.fd, place.name, 0777));
    mote__beneath_release(&place);
    return error;
}

static mote_vfs_error dir_remove_directory(mote_vfs_node *dir, const char *path) {
    struct beneath_place place;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, false, &place);
    if (error) return error;
    error = from_call(unlinkat(place.fd, place.name, AT_REMOVEDIR));
    mote__beneath_release(&place);
    return error;
}

/* What unlinking a name with a slash behind it is answered: never success. */
static mote_vfs_error refuse_slash(const struct beneath_place *place) {
    struct stat st;
    mote_vfs_error error = stat_place(place, &st);
    return error ? error : MOTE_VFS_EISDIR;
}

static mote_vfs_error dir_unlink(mote_vfs_node *dir, const char *path) {
    struct beneath_place place;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, false, &place);
    if (error) return error;
    error = place.directory ? refuse_slash(&place) : from_call(unlinkat(place.fd, place.name, 0));
    mote__beneath_release(&place);
    return error;
}

static mote_vfs_error dir_read_link(mote_vfs_node *dir, const char *path, char *out, size_t size,
                                    size_t *done) {
    struct beneath_place place;
    struct stat st;
    char none;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, follows(path, false), &place);
    if (error) return error;
    if (place.directory) error = stat_place(&place, &st);
    if (!error)
        error = finish(readlinkat(place.fd, place.name, size ? out : &none, size ? size : 1), done);
    if (!error && !size) *done = 0;
    mote__beneath_release(&place);
    return error;
}

/* A new name that ends in a slash: only a directory may be called so. */
static mote_vfs_error refuse_new_slash(const struct beneath_place *place) {
    mote_vfs_error error = refuse_slash(place);
    return error == MOTE_VFS_EISDIR ? MOTE_VFS_EEXIST : error;
}

static mote_vfs_error dir_make_link(mote_vfs_node *dir, const char *target, const char *path) {
    struct beneath_place place;
    if (*target == '/') return MOTE_VFS_EPERM;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, false, &place);
    if (error) return error;
    error = place.directory ? refuse_new_slash(&place)
                            : from_call(symlinkat(target, place.fd, place.name));
    mote__beneath_release(&place);
    return error;
}

static mote_vfs_error rename_place(const struct beneath_place *from,
                                   const struct beneath_place *to) {
    struct stat st;
    if (from->directory || to->directory) {
        mote_vfs_error error = stat_place(from, &st);
        if (error) return error;
        if (!S_ISDIR(st.st_mode)) return MOTE_VFS_ENOTDIR;
    }
    return from_call(renameat(from->fd, from->name, to->fd, to->name));
}

static mote_vfs_error dir_rename(mote_vfs_node *dir, const char *path, mote_vfs_node *to_dir,
                                 const char *to_path) {
    struct beneath_place from, to;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, false, &from);
    if (error) return error;
    error = mote__beneath_locate(fd_of(to_dir), to_path, false, &to);
    if (!error) {
        error = rename_place(&from, &to);
        mote__beneath_release(&to);
    }
    mote__beneath_release(&from);
    return error;
}

static mote_vfs_error link_place(const struct beneath_place *from, const struct beneath_place *to) {
    struct stat st;
    mote_vfs_error error = stat_place(from, &st);
    if (error) return error;
    if (to->directory) return refuse_new_slash(to);
    return from_call(linkat(from->fd, from->name, to->fd, to->name, 0));
}

static mote_vfs_error dir_link(mote_vfs_node *dir, const char *path, bool follow,
                               mote_vfs_node *to_dir, const char *to_path) {
    struct beneath_place from, to;
    mote_vfs_error error = mote__beneath_locate(fd_of(dir), path, follows(path, follow), &from);
    if (error) return error;
    error = mote__beneath_locate(fd_of(to_dir), to_path, false, &to);
    if (!error) {
        error = link_place(&from, &to);
        mote__beneath_release(&to);
    }
    mote__beneath_release(&from);
    return error;
}

/* The file system need not say what an entry is. */
static mote_vfs_type type_of_entry(int dir, const struct dirent *entry) {
    struct stat st;
    switch (entry->d_type) {
    case DT_REG: return MOTE_VFS_FILE;
    case DT_DIR: return MOTE_VFS_DIRECTORY;
    case DT_LNK: return MOTE_VFS_SYMLINK;
    case DT_CHR: return MOTE_VFS_CHARACTER_DEVICE;
    case DT_BLK: return MOTE_VFS_BLOCK_DEVICE;
    case DT_SOCK: return MOTE_VFS_SOCKET_STREAM;
    case DT_FIFO: return MOTE_VFS_UNKNOWN;
    default:
        return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ? MOTE_VFS_UNKNOWN
                                                                     : type_of_mode(st.st_mode);
    }
}

static mote_vfs_error list_stream(DIR *stream, mote_vfs_list_fn each, void *context) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) return last_error(); /* 0 at the end */
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        mote_vfs_error error = each(context, entry->d_name, strlen(entry->d_name),
                                    (uint64_t)entry->d_ino, type_of_entry(dirfd(stream), entry));
        if (error) return error;
    }
}

static mote_vfs_error dir_list(mote_vfs_node *dir, mote_vfs_list_fn each, void *context) {
    int fd =
        openat(fd_of(dir), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
    if (fd < 0) return last_error();
    DIR *stream = fdopendir(fd);
    if (!stream) return close(fd), MOTE_VFS_ENOMEM;
    mote_vfs_error error = list_stream(stream, each, context);
    closedir(stream);
    return error;
}

/* ---------------------------------------------------------------- the tables */

#define ANY_NODE                                                                                   \
    .close = host_close, .stat = host_stat, .set_times = host_set_times, .sync = host_sync
#define OPEN_FILE                                                                                  \
    .set_flags = host_set_flags, .pread = host_pread, .pwrite = host_pwrite, .seek = host_seek,    \
    .set_size = host_set_size, .allocate = host_allocate, .advise = host_advise

static const mote_vfs_ops file_ops = {.name = "host file",
                                      ANY_NODE,
                                      OPEN_FILE,
                                      .read = file_read,
                                      .write = file_write,
                                      .poll_fd = always_ready};
static const mote_vfs_ops stream_ops = {.name = "host stream",
                                        ANY_NODE,
                                        OPEN_FILE,
                                        .read = stream_read,
                                        .write = stream_write,
                                        .poll_fd = host_poll_fd,
                                        .ready = host_ready};
static const mote_vfs_ops socket_ops = {.name = "host socket",
                                        ANY_NODE,
                                        OPEN_FILE,
                                        .read = stream_read,
                                        .write = socket_write,
                                        .poll_fd = host_poll_fd,
                                        .ready = host_ready,
                                        .accept = host_accept,
                                        .receive = host_receive,
                                        .send = socket_write,
                                        .shutdown = host_shutdown};
static const mote_vfs_ops dir_ops = {.name = "host directory",
                                     ANY_NODE,
                                     DIRECTORY_OPS};

static int socket_option(int fd, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) ? 0 : value;
}

static void classify_socket(mote_vfs_node *node, int fd) {
    bool listens = socket_option(fd, SO_ACCEPTCONN),
         datagrams = socket_option(fd, SO_TYPE) == SOCK_DGRAM;
    mote_vfs_node_init(node, &socket_ops,
                       datagrams ? MOTE_VFS_SOCKET_DATAGRAM : MOTE_VFS_SOCKET_STREAM,
                       listens ? MOTE_VFS_SOCKET | MOTE_VFS_LISTENER : MOTE_VFS_SOCKET);
}

/* Pipes and character devices. */
static void classify_stream(mote_vfs_node *node, int fd, mote_vfs_type type) {
    bool device = type == MOTE_VFS_CHARACTER_DEVICE, terminal = device && isatty(fd);
    bool seekable = device && !terminal && lseek(fd, 0, SEEK_CUR) >= 0;
    mote_vfs_node_init(node, &stream_ops, type,
                       terminal   ? MOTE_VFS_TERMINAL
                       : seekable ? MOTE_VFS_SEEKABLE
                                  : 0);
}

/* Chooses table, type and traits by what the descriptor is. */
static void classify(mote_vfs_node *node, int fd, mode_t mode) {
    mote_vfs_type type = type_of_mode(mode);
    if (type == MOTE_VFS_DIRECTORY) mote_vfs_node_init(node, &dir_ops, type, 0);
    else if (type == MOTE_VFS_FILE || type == MOTE_VFS_BLOCK_DEVICE)
        mote_vfs_node_init(node, &file_ops, type, MOTE_VFS_SEEKABLE);
    else if (S_ISSOCK(mode)) classify_socket(node, fd);
    else classify_stream(node, fd, type);
}

static mote_vfs_error node_of_fd(const mote_allocator *a, int fd, bool owned, mote_vfs_node **out) {
    struct stat st;
    if (fstat(fd, &st)) return last_error();
    struct host *host = MOTE__NEW(a, struct host);
    if (!host) return MOTE_VFS_ENOMEM;
    classify(&host->node, fd, st.st_mode);
    host->allocator = a;
    host->fd = fd;
    host->owned = owned;
    *out = &host->node;
    return MOTE_VFS_OK;
}

mote_vfs_error mote_vfs_fd_new(const mote_allocator *allocator, int fd, bool owned,
                               mote_vfs_node **out) {
    return node_of_fd(allocator ? allocator : &mote__allocator_libc, fd, owned, out);
}

mote_vfs_error mote_vfs_host_dir_new(const mote_allocator *allocator, const char *path,
                                     mote_vfs_node **out) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return last_error();
    mote_vfs_error error = mote_vfs_fd_new(allocator, fd, true, out);
    if (error) close(fd);
    return error;
}
