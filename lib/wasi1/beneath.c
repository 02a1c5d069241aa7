/* beneath.c - openat2 where the kernel has it, a checked walk elsewhere (beneath.h says what is
 * promised).
 * Keeps: no descriptor outlives a call except the one it returns; a link in the last place is never
 * followed by the kernel in the walk, only spliced into the path here and resolved again from the
 * top, at most MOTE_VFS_SYMLINKS_MAX times. */
#define _GNU_SOURCE
#include "beneath.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef O_PATH
#define OPEN_PLACE (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define OPEN_PLACE (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

enum {
    DEPTH_MAX = 128,  /* directories open at once while walking */
    KERNEL_TRIES = 16 /* openat2 says EAGAIN when a rename came between */
};

static _Atomic int mode_now;

void mote__beneath_force(enum beneath_mode mode) { mode_now = (int)mode; }

/* Copies a string with its NUL and returns the copy; the caller knows that it fits. */
static char *copy(char *to, const char *from) { return memcpy(to, from, strlen(from) + 1); }

static mote_vfs_error last_error(void) { return mote_vfs_error_from_errno(errno); }

/* ---------------------------------------------------------------- the kernel's way */

#ifdef SYS_openat2
/* Linux's struct open_how and two of its flags; the C libraries' headers do not all have them. */
struct kernel_how {
    uint64_t flags, mode, resolve;
};
enum { NO_MAGICLINKS = 2, BENEATH = 8 };

static int open_kernel_once(int dir, const char *path, int flags) {
    struct kernel_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                             .mode = (flags & O_CREAT) ? 0666 : 0,
                             .resolve = BENEATH | NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}
#else
static int open_kernel_once(int dir, const char *path, int flags) {
    (void)dir, (void)path, (void)flags;
    errno = ENOSYS;
    return -1;
}
#endif

/* Finds out once whether openat2 is there; sandboxes may answer EPERM in place of ENOSYS, so only
 * success counts. */
static bool kernel_has_it(void) {
    if (mode_now == BENEATH_AUTO) {
        int root = open("/", OPEN_PLACE),
            fd = root < 0 ? -1 : open_kernel_once(root, ".", OPEN_PLACE);
        mode_now = fd < 0 ? BENEATH_WALK : BENEATH_KERNEL;
        if (fd >= 0) close(fd);
        if (root >= 0) close(root);
    }
    return mode_now == BENEATH_KERNEL;
}

/* *answered is false when renames kept coming between: the walk must do it. */
static mote_vfs_error open_kernel(int dir, const char *path, int flags, int *fd, bool *answered) {
    *answered = true;
    for (int i = 0; i < KERNEL_TRIES; i++) {
        int got = open_kernel_once(dir, path, flags);
        if (got >= 0) return *fd = got, MOTE_VFS_OK;
        if (errno == EXDEV) return MOTE_VFS_EPERM;
        if (errno != EAGAIN && errno != EINTR) return last_error();
    }
    *answered = false;
    return MOTE_VFS_EAGAIN;
}

/* ---------------------------------------------------------------- the walk */

/* The directories from the root down to where the walk is, all open, and the rest of the path. */
struct walk {
    int stack[DEPTH_MAX];
    unsigned depth; /* stack[0] is the root and is not ours */
    unsigned links;
    char *rest;
    char buffer[PATH_MAX + 1];
};

static void walk_pop(struct walk *w) { close(w->stack[w->depth--]); }

static void walk_end(struct walk *w) {
    while (w->depth) walk_pop(w);
}

/* Puts the target of the link `name` before the rest of the path; `otherwise` if it is no link. */
static mote_vfs_error walk_splice(struct walk *w, const char *name, mote_vfs_error otherwise) {
    char target[PATH_MAX + 1];
    ssize_t size = readlinkat(w->stack[w->depth], name, target, PATH_MAX);
    if (size < 0) return errno == EINVAL ? otherwise : last_error();
    if (++w->links > MOTE_VFS_SYMLINKS_MAX) return MOTE_VFS_ELOOP;
    if (size == 0) return MOTE_VFS_ENOENT;
    if (target[0] == '/') return MOTE_VFS_EPERM;
    size_t rest = strlen(w->rest);
    if ((size_t)size + 1 + rest > PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    memmove(w->buffer + size + 1, w->rest, rest + 1);
    memcpy(w->buffer, target, (size_t)size);
    w->buffer[size] = '/';
    w->rest = w->buffer;
    return MOTE_VFS_OK;
}

static mote_vfs_error walk_step(struct walk *w, const char *name) {
    if (!strcmp(name, ".")) return MOTE_VFS_OK;
    if (!strcmp(name, "..")) {
        if (!w->depth) return MOTE_VFS_EPERM;
        walk_pop(w);
        return MOTE_VFS_OK;
    }
    int fd = openat(w->stack[w->depth], name, OPEN_PLACE | O_NOFOLLOW);
    if (fd < 0) {
        bool perhaps_link = errno == ENOTDIR || errno == ELOOP || errno == EMLINK;
        return perhaps_link ? walk_splice(w, name, MOTE_VFS_ENOTDIR) : last_error();
    }
    if (w->depth + 1 == DEPTH_MAX) return close(fd), MOTE_VFS_ENAMETOOLONG;
    w->stack[++w->depth] = fd;
    return MOTE_VFS_OK;
}

/* Takes the next component off the rest of the path; false at its end. */
static bool walk_next(struct walk *w, char name[BENEATH_NAME_MAX + 1], mote_vfs_error *error) {
    while (*w->rest == '/') w->rest++;
    size_t size = strcspn(w->rest, "/");
    if (!size) return false;
    if (size > BENEATH_NAME_MAX) return *error = MOTE_VFS_ENAMETOOLONG, false;
    memcpy(name, w->rest, size);
    name[size] = 0;
    w->rest += size;
    return true;
}

/* Opens the directory that `path` names, links followed everywhere. */
static mote_vfs_error open_directory_walk(int dir, const char *path, int *fd) {
    struct walk w;
    char name[BENEATH_NAME_MAX + 1];
    mote_vfs_error error = MOTE_VFS_OK;
    w.stack[0] = dir;
    w.depth = w.links = 0;
    w.rest = copy(w.buffer, path);
    while (!error && walk_next(&w, name, &error)) error = walk_step(&w, name);
    if (!error) {
        *fd = w.depth ? w.stack[w.depth--] : openat(dir, ".", OPEN_PLACE);
        if (*fd < 0) error = last_error();
    }
    walk_end(&w);
    return error;
}

static mote_vfs_error open_directory(int dir, const char *path, int *fd) {
    bool answered = false;
    mote_vfs_error error = MOTE_VFS_OK;
    if (kernel_has_it()) error = open_kernel(dir, path, OPEN_PLACE, fd, &answered);
    return answered ? error : open_directory_walk(dir, path, fd);
}

/* ---------------------------------------------------------------- places */

void mote__beneath_release(struct beneath_place *place) {
    if (place->owned) close(place->fd);
    place->owned = false;
}

/* Splits off the last component: `path` then ends behind it, without slashes. Returns its length; 0
 * when there is none. */
static size_t split_last(char *path, char **last, bool *slash) {
    size_t size = strlen(path), end;
    for (end = size; end && path[end - 1] == '/';) end--;
    *slash = end < size;
    path[end] = 0;
    *last = strrchr(path, '/');
    *last = *last ? *last + 1 : path;
    return end - (size_t)(*last - path);
}

/* The place of the last component of `path` (which is cut up), without looking at what is there. */
static mote_vfs_error locate_once(int dir, char *path, struct beneath_place *out) {
    char *last;
    bool slash;
    if (*path == '/') return MOTE_VFS_EPERM;
    size_t size = split_last(path, &last, &slash);
    if (!size) return MOTE_VFS_ENOENT;
    if (size > BENEATH_NAME_MAX) return MOTE_VFS_ENAMETOOLONG;
    bool up = !strcmp(last, ".."), dots = up || !strcmp(last, ".");
    *out = (struct beneath_place){.fd = dir, .directory = slash};
    copy(out->name, dots ? "." : last);
    if (last == path && !up) return MOTE_VFS_OK;
    if (!dots) last[-1] = 0;
    mote_vfs_error error = open_directory(dir, path, &out->fd);
    out->owned = !error;
    return error;
}

/* Makes `next` of "a/b/link": "a/b/TARGET"; *done when the place holds no link. */
static mote_vfs_error splice_last(const struct beneath_place *place, const char *path, char *next,
                                  bool *done) {
    struct stat st;
    *done = true;
    if (fstatat(place->fd, place->name, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? MOTE_VFS_OK : last_error();
    if (!S_ISLNK(st.st_mode)) return MOTE_VFS_OK;
    char target[PATH_MAX + 1], *last;
    ssize_t size = readlinkat(place->fd, place->name, target, PATH_MAX);
    if (size < 0 && errno == EINVAL) return MOTE_VFS_OK;
    if (size <= 0) return size ? last_error() : MOTE_VFS_ENOENT;
    if (target[0] == '/') return MOTE_VFS_EPERM;
    bool slash;
    copy(next, path);
    split_last(next, &last, &slash);
    if ((size_t)(last - next) + (size_t)size + 1 > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    memcpy(last, target, (size_t)size);
    copy(last + size, slash ? "/" : "");
    *done = false;
    return MOTE_VFS_OK;
}

mote_vfs_error mote__beneath_locate(int dir, const char *path, bool follow,
                                    struct beneath_place *out) {
    char now[MOTE_VFS_PATH_MAX + 1], cut[MOTE_VFS_PATH_MAX + 1], next[MOTE_VFS_PATH_MAX + 1];
    copy(now, path);
    for (unsigned links = 0; links <= MOTE_VFS_SYMLINKS_MAX; links++) {
        bool done = true;
        mote_vfs_error error = locate_once(dir, copy(cut, now), out);
        if (error) return error;
        if (follow) error = splice_last(out, now, next, &done);
        if (!error && done) return MOTE_VFS_OK;
        mote__beneath_release(out);
        if (error) return error;
        copy(now, next);
    }
    return MOTE_VFS_ELOOP;
}

/* ---------------------------------------------------------------- opening */

/* Does about a trailing slash what the kernel does. */
static mote_vfs_error open_place(const struct beneath_place *place, int flags, int *fd) {
    if (place->directory && (flags & O_CREAT)) return MOTE_VFS_EISDIR;
    if (place->directory) flags |= O_DIRECTORY;
    do *fd = openat(place->fd, place->name, flags | O_NOFOLLOW | O_CLOEXEC, 0666);
    while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? last_error() : MOTE_VFS_OK;
}

static bool ends_in_slash(const char *path) {
    size_t size = strlen(path);
    return size && path[size - 1] == '/';
}

static mote_vfs_error open_walk(int dir, const char *path, int flags, int *fd) {
    struct beneath_place place;
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    bool follow = !exclusive && (!(flags & O_NOFOLLOW) || ends_in_slash(path));
    mote_vfs_error error = mote__beneath_locate(dir, path, follow, &place);
    if (error) return error;
    error = open_place(&place, flags, fd);
    mote__beneath_release(&place);
    return error;
}

mote_vfs_error mote__beneath_open(int dir, const char *path, int flags, int *fd) {
    bool answered = false;
    mote_vfs_error error = MOTE_VFS_OK;
    if (*path == '/') return MOTE_VFS_EPERM;
    if (kernel_has_it()) error = open_kernel(dir, path, flags, fd, &answered);
    return answered ? error : open_walk(dir, path, flags, fd);
}
