/* vfs.c - what every file system shares: errors, holds, clean paths, whole files (mote/vfs.h). */
#include <mote/vfs.h>
#include "base/alloc.h"
#include <errno.h>

const char *mote_vfs_error_text(mote_vfs_error error) {
    static const char *const texts[] = {"no error",
#define TEXT(name, number, text) [number] = text,
                                        MOTE_VFS_ERRORS(TEXT)
#undef TEXT
    };
    return (unsigned)error < sizeof texts / sizeof *texts ? texts[error] : "unknown error";
}

/* clang-format off */
/* The errors that machines have under the same names. */
#define SAME(X)                                                                                                    \
    X(ACCES) X(ADDRINUSE) X(ADDRNOTAVAIL) X(AFNOSUPPORT) X(AGAIN) X(ALREADY) X(BADF) X(BADMSG) X(BUSY) X(CANCELED) \
    X(CHILD) X(CONNABORTED) X(CONNREFUSED) X(CONNRESET) X(DEADLK) X(DESTADDRREQ) X(DOM) X(DQUOT) X(EXIST) X(FAULT) \
    X(FBIG) X(HOSTUNREACH) X(IDRM) X(ILSEQ) X(INPROGRESS) X(INTR) X(INVAL) X(IO) X(ISCONN) X(ISDIR) X(LOOP)        \
    X(MFILE) X(MLINK) X(MSGSIZE) X(MULTIHOP) X(NAMETOOLONG) X(NETDOWN) X(NETRESET) X(NETUNREACH) X(NFILE)          \
    X(NOBUFS) X(NODEV) X(NOENT) X(NOEXEC) X(NOLCK) X(NOLINK) X(NOMEM) X(NOMSG) X(NOPROTOOPT) X(NOSPC) X(NOSYS)     \
    X(NOTCONN) X(NOTDIR) X(NOTEMPTY) X(NOTRECOVERABLE) X(NOTSOCK) X(NOTSUP) X(NOTTY) X(NXIO) X(OVERFLOW)           \
    X(OWNERDEAD) X(PERM) X(PIPE) X(PROTO) X(PROTONOSUPPORT) X(PROTOTYPE) X(RANGE) X(ROFS) X(SPIPE) X(SRCH)         \
    X(STALE) X(TIMEDOUT) X(TXTBSY) X(XDEV)
/* clang-format on */

mote_vfs_error mote_vfs_error_from_errno(int host_errno) {
    switch (host_errno) {
    case 0: return MOTE_VFS_OK;
    case E2BIG: return MOTE_VFS_E2BIG;
#define CASE(name)                                                                                 \
    case E##name: return MOTE_VFS_E##name;
        SAME(CASE)
#undef CASE
    default: return MOTE_VFS_EIO;
    }
}

void mote_vfs_node_init(mote_vfs_node *node, const mote_vfs_ops *ops, mote_vfs_type type,
                        unsigned traits) {
    *node =
        (mote_vfs_node){.ops = ops, .holds = 1, .type = (uint8_t)type, .traits = (uint8_t)traits};
}

mote_vfs_node *mote_vfs_retain(mote_vfs_node *node) {
    __atomic_add_fetch(&node->holds, 1, __ATOMIC_RELAXED);
    return node;
}

mote_vfs_error mote_vfs_release(mote_vfs_node *node) {
    if (!node || __atomic_sub_fetch(&node->holds, 1, __ATOMIC_ACQ_REL)) return MOTE_VFS_OK;
    return node->ops->close(node);
}

static _Thread_local mote_vfs_patience patience;

mote_vfs_patience mote_vfs_set_patience(mote_vfs_patience wanted) {
    mote_vfs_patience before = patience;
    patience = wanted;
    return before;
}

bool mote_vfs_is_over(void) { return patience.is_over && patience.is_over(patience.context); }

/* ---------------------------------------------------------------- paths by the letter */

/* Drops the last component of what has been written; false when there is none. */
static bool drop_last(char *out, size_t *size) {
    if (!*size) return false;
    while (*size && out[*size - 1] != '/') --*size;
    if (*size) --*size; /* the slash before it */
    return true;
}

mote_vfs_error mote_vfs_path_clean(const char *path, char *out, bool *only_directory) {
    size_t size = 0;
    if (*path == '/') return MOTE_VFS_EPERM;
    if (strlen(path) > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    *only_directory = false;
    while (*path) {
        size_t part = strcspn(path, "/");
        bool here = part == 0 || (part == 1 && path[0] == '.');
        bool up = part == 2 && path[0] == '.' && path[1] == '.';
        if (up && !drop_last(out, &size)) return MOTE_VFS_EPERM;
        if (!here && !up) {
            if (size) out[size++] = '/';
            memcpy(out + size, path, part);
            size += part;
        }
        path += part;
        *only_directory = here || up || *path == '/';
        while (*path == '/') path++;
    }
    out[size] = 0;
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- whole files */

static mote_vfs_error write_all(mote_vfs_node *node, const uint8_t *bytes, size_t size) {
    for (size_t at = 0, done = 0; at < size; at += done) {
        mote_vfs_iovec piece = {(void *)(uintptr_t)(bytes + at), size - at};
        mote_vfs_error error = node->ops->pwrite  ? node->ops->pwrite(node, &piece, 1, at, &done)
                               : node->ops->write ? node->ops->write(node, &piece, 1, &done)
                                                  : MOTE_VFS_ENOTSUP;
        if (error) return error;
        if (!done) return MOTE_VFS_EIO;
    }
    return MOTE_VFS_OK;
}

/* Makes the directories before the last component; those that exist are fine. */
static mote_vfs_error make_parents(mote_vfs_node *dir, const char *path) {
    char part[MOTE_VFS_PATH_MAX + 1];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t size = (size_t)(slash - path);
        memcpy(part, path, size);
        part[size] = 0;
        mote_vfs_error error = dir->ops->make_directory(dir, part);
        if (error && error != MOTE_VFS_EEXIST) return error;
    }
    return MOTE_VFS_OK;
}

mote_vfs_error mote_vfs_put(mote_vfs_node *dir, const char *path, const void *bytes, size_t size) {
    if (!dir->ops->open) return MOTE_VFS_ENOTSUP;
    if (strlen(path) > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    mote_vfs_node *node;
    mote_vfs_error error = dir->ops->make_directory ? make_parents(dir, path) : MOTE_VFS_OK;
    if (!error)
        error = dir->ops->open(
            dir, path, MOTE_VFS_WRITE | MOTE_VFS_CREATE | MOTE_VFS_TRUNCATE | MOTE_VFS_FOLLOW,
            &node);
    if (error) return error;
    error = write_all(node, bytes, size);
    mote_vfs_error closed = mote_vfs_release(node);
    return error ? error : closed;
}

static mote_vfs_error read_all(mote_vfs_node *node, uint8_t *bytes, size_t size) {
    for (size_t at = 0, done = 0; at < size; at += done) {
        mote_vfs_iovec piece = {bytes + at, size - at};
        mote_vfs_error error =
            node->ops->pread ? node->ops->pread(node, &piece, 1, at, &done) : MOTE_VFS_ENOTSUP;
        if (error) return error;
        if (!done) return MOTE_VFS_EIO; /* shorter than stat said: it changed under us */
    }
    return MOTE_VFS_OK;
}

mote_vfs_error mote_vfs_get(mote_vfs_node *dir, const char *path, const mote_allocator *allocator,
                            void **bytes, size_t *size) {
    const mote_allocator *a = allocator ? allocator : &mote__allocator_libc;
    mote_vfs_node *node;
    mote_vfs_stat st = {0};
    if (!dir->ops->open) return MOTE_VFS_ENOTSUP;
    mote_vfs_error error = dir->ops->open(dir, path, MOTE_VFS_READ | MOTE_VFS_FOLLOW, &node);
    if (error) return error;
    if (node->type == MOTE_VFS_DIRECTORY) error = MOTE_VFS_EISDIR;
    if (!error) error = node->ops->stat ? node->ops->stat(node, &st) : MOTE_VFS_ENOTSUP;
    uint8_t *data = st.size ? mote__alloc(a, st.size) : NULL;
    if (!error && st.size) error = data ? read_all(node, data, st.size) : MOTE_VFS_ENOMEM;
    mote_vfs_release(node);
    if (error) return mote__free(a, data, st.size), error;
    *bytes = data;
    *size = st.size;
    return MOTE_VFS_OK;
}
