/* vfs.h - the virtual file system that WASI programs see. This header is the manual, for users and for authors of file systems.
 *
 * A node is something a program holds open: a file, a directory, a stream or a socket. It is a table of operations (mote_vfs_ops) and a
 * count of holds; whoever implements a file system embeds mote_vfs_node as the first member of a struct of its own. There are no inodes
 * and no mount table: a directory node is asked to do things with whole paths beneath it, and resolves them as it likes (the host directory
 * with the kernel's help, a key-value store by putting a prefix before them).
 *
 * Here: a directory of the host (mote_vfs_host_dir_new), a tree in memory (mote_vfs_memory_new), single streams (mote_vfs_fd_new,
 * mote_vfs_stream_new, mote_vfs_bytes_new, mote_vfs_buffer_new), a listening or connected socket (mote_vfs_fd_new too).
 *
 * Writing one:
 *   - Every operation may be NULL. What that means stands beside it: mostly MOTE_VFS_ENOTSUP, sometimes a default that is built of others.
 *     A file with only `stat`, `pread` and `pwrite` is complete: the caller then keeps the position, appends and truncates by itself.
 *   - Operations return 0 (MOTE_VFS_OK) or an error; results are written through pointers and only on success. Reading and writing may do
 *     less than asked: *done says how much, 0 from a read is the end.
 *   - Paths are relative to the node, NUL-terminated, not empty, at most MOTE_VFS_PATH_MAX bytes and otherwise whatever the program passed:
 *     they may begin with '/', hold "..", "." and repeated or trailing slashes. A file system must never lead out of itself:
 *     mote_vfs_path_clean does that for those without symbolic links.
 *   - Snapshots: `open` may take a copy and `sync` and `close` may commit it; their errors reach the program (a failed close closes all the same).
 *   - Threads: two threads may be in operations of one node, or of two nodes of one file system, at once. Lock what you share.
 *   - `close` runs once, when the last hold goes, and frees the node.
 */
#ifndef MOTE_VFS_H
#define MOTE_VFS_H

#include <mote/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- errors */

/* clang-format off */
/* Name, number and words of every error. The numbers are those of WASI preview 1 and never change. */
#define MOTE_VFS_ERRORS(X)                                                                                                                   \
    X(2BIG, 1, "argument list too long") X(ACCES, 2, "permission denied") X(ADDRINUSE, 3, "address in use")                                  \
    X(ADDRNOTAVAIL, 4, "address not available") X(AFNOSUPPORT, 5, "address family not supported") X(AGAIN, 6, "try again")                   \
    X(ALREADY, 7, "already in progress") X(BADF, 8, "bad file descriptor") X(BADMSG, 9, "bad message") X(BUSY, 10, "busy")                   \
    X(CANCELED, 11, "canceled") X(CHILD, 12, "no child processes") X(CONNABORTED, 13, "connection aborted")                                  \
    X(CONNREFUSED, 14, "connection refused") X(CONNRESET, 15, "connection reset") X(DEADLK, 16, "deadlock would occur")                      \
    X(DESTADDRREQ, 17, "destination address required") X(DOM, 18, "argument out of domain") X(DQUOT, 19, "quota exceeded")                   \
    X(EXIST, 20, "exists already") X(FAULT, 21, "bad address") X(FBIG, 22, "file too large") X(HOSTUNREACH, 23, "host unreachable")          \
    X(IDRM, 24, "identifier removed") X(ILSEQ, 25, "illegal byte sequence") X(INPROGRESS, 26, "in progress") X(INTR, 27, "interrupted")      \
    X(INVAL, 28, "invalid argument") X(IO, 29, "input/output error") X(ISCONN, 30, "connected already") X(ISDIR, 31, "is a directory")       \
    X(LOOP, 32, "too many symbolic links") X(MFILE, 33, "too many open descriptors") X(MLINK, 34, "too many links")                          \
    X(MSGSIZE, 35, "message too long") X(MULTIHOP, 36, "multihop attempted") X(NAMETOOLONG, 37, "name too long")                             \
    X(NETDOWN, 38, "network down") X(NETRESET, 39, "connection aborted by network") X(NETUNREACH, 40, "network unreachable")                 \
    X(NFILE, 41, "too many open files") X(NOBUFS, 42, "no buffer space") X(NODEV, 43, "no such device") X(NOENT, 44, "does not exist")       \
    X(NOEXEC, 45, "not executable") X(NOLCK, 46, "no locks") X(NOLINK, 47, "link severed") X(NOMEM, 48, "out of memory")                     \
    X(NOMSG, 49, "no such message") X(NOPROTOOPT, 50, "protocol not available") X(NOSPC, 51, "no space left")                                \
    X(NOSYS, 52, "not implemented") X(NOTCONN, 53, "not connected") X(NOTDIR, 54, "not a directory") X(NOTEMPTY, 55, "not empty")            \
    X(NOTRECOVERABLE, 56, "not recoverable") X(NOTSOCK, 57, "not a socket") X(NOTSUP, 58, "not supported") X(NOTTY, 59, "not a terminal")    \
    X(NXIO, 60, "no such device or address") X(OVERFLOW, 61, "value too large") X(OWNERDEAD, 62, "previous owner died")                      \
    X(PERM, 63, "operation not permitted") X(PIPE, 64, "broken pipe") X(PROTO, 65, "protocol error")                                         \
    X(PROTONOSUPPORT, 66, "protocol not supported") X(PROTOTYPE, 67, "wrong protocol for socket") X(RANGE, 68, "result too large")           \
    X(ROFS, 69, "read-only file system") X(SPIPE, 70, "cannot seek") X(SRCH, 71, "no such process") X(STALE, 72, "stale handle")             \
    X(TIMEDOUT, 73, "timed out") X(TXTBSY, 74, "text file busy") X(XDEV, 75, "crosses file systems") X(NOTCAPABLE, 76, "rights insufficient")
/* clang-format on */

typedef enum mote_vfs_error {
    MOTE_VFS_OK = 0,
#define MOTE_VFS_ERROR_ENUM(name, number, text) MOTE_VFS_E##name = number,
    MOTE_VFS_ERRORS(MOTE_VFS_ERROR_ENUM)
#undef MOTE_VFS_ERROR_ENUM
} mote_vfs_error;

/* Returns the words for an error, "unknown error" for other numbers; static storage. */
MOTE_API const char *mote_vfs_error_text(mote_vfs_error error);
/* Translates an errno of this machine; MOTE_VFS_EIO for what WASI has no number for. */
MOTE_API mote_vfs_error mote_vfs_error_from_errno(int host_errno);

/* ---------------------------------------------------------------- nodes */

/* What a node is; the numbers are those of WASI. Pipes are UNKNOWN there. */
typedef enum mote_vfs_type {
    MOTE_VFS_UNKNOWN = 0,
    MOTE_VFS_BLOCK_DEVICE = 1,
    MOTE_VFS_CHARACTER_DEVICE = 2,
    MOTE_VFS_DIRECTORY = 3,
    MOTE_VFS_FILE = 4,
    MOTE_VFS_SOCKET_DATAGRAM = 5,
    MOTE_VFS_SOCKET_STREAM = 6,
    MOTE_VFS_SYMLINK = 7
} mote_vfs_type;

enum {
    MOTE_VFS_PATH_MAX = 4095,
    MOTE_VFS_SYMLINKS_MAX = 40 /* followed in one path before MOTE_VFS_ELOOP */
};

/* Bits of a node's `traits`. */
enum {
    MOTE_VFS_SEEKABLE = 1, /* has positions: seek, pread and pwrite make sense */
    MOTE_VFS_TERMINAL = 2, /* is an interactive terminal */
    MOTE_VFS_SOCKET = 4,   /* accept, send, receive and shutdown make sense */
    MOTE_VFS_LISTENER = 8  /* with SOCKET: only accept does */
};

/* Bits for `open` (all of them) and for `set_flags` (APPEND and NONBLOCK). */
enum {
    MOTE_VFS_READ = 1,
    MOTE_VFS_WRITE = 2,
    MOTE_VFS_CREATE = 4,
    MOTE_VFS_EXCLUSIVE = 8, /* with CREATE: fail with EEXIST if it is there */
    MOTE_VFS_TRUNCATE = 16,
    MOTE_VFS_ONLY_DIRECTORY = 32, /* fail with ENOTDIR for anything else */
    MOTE_VFS_FOLLOW = 64,         /* follow a symbolic link in the last place; else that is ELOOP */
    MOTE_VFS_APPEND = 128,
    MOTE_VFS_NONBLOCK = 256,
    MOTE_VFS_DSYNC = 512,
    MOTE_VFS_RSYNC = 1024,
    MOTE_VFS_SYNC = 2048
};

/* A node as everybody sees it. `ops`, `type` and `traits` are set once, before anybody else has it. */
typedef struct mote_vfs_node {
    const struct mote_vfs_ops *ops;
    uint32_t holds; /* touched by mote_vfs_retain and mote_vfs_release only */
    uint8_t type;   /* mote_vfs_type */
    uint8_t traits;
} mote_vfs_node;

/* A piece of memory to read into or write from, laid out as the host's struct iovec. */
typedef struct mote_vfs_iovec {
    void *data;
    size_t size;
} mote_vfs_iovec;

/* Times are nanoseconds since 1970. */
typedef struct mote_vfs_stat {
    uint64_t device, inode;
    uint64_t link_count;
    uint64_t size;
    uint64_t accessed, modified, changed;
    uint8_t type; /* mote_vfs_type */
} mote_vfs_stat;

/* Which times to set, and to what. */
typedef struct mote_vfs_times {
    uint64_t accessed, modified;
    bool set_accessed, set_modified;         /* to the values above */
    bool set_accessed_now, set_modified_now; /* to the present; not together with the above */
} mote_vfs_times;

typedef enum mote_vfs_whence { MOTE_VFS_SEEK_SET = 0, MOTE_VFS_SEEK_CUR = 1, MOTE_VFS_SEEK_END = 2 } mote_vfs_whence;

/* Given to `list`: takes one name of a directory. Returns 0, or an error that `list` then returns. The name is borrowed. */
typedef mote_vfs_error (*mote_vfs_list_fn)(void *context, const char *name, size_t size, uint64_t inode, mote_vfs_type type);

/* ---------------------------------------------------------------- operations */

typedef struct mote_vfs_ops {
    const char *name; /* of the kind of node, for people: "host file" */

    /* Any node. */

    /* Frees the node; the error, if any, is what the program's close returns. Not NULL. */
    mote_vfs_error (*close)(mote_vfs_node *node);
    /* NULL: type is known, everything else is 0. */
    mote_vfs_error (*stat)(mote_vfs_node *node, mote_vfs_stat *out);
    mote_vfs_error (*set_times)(mote_vfs_node *node, const mote_vfs_times *times);
    /* Sets APPEND and NONBLOCK to what `flags` says. NULL: APPEND is kept by the caller, NONBLOCK has no effect. */
    mote_vfs_error (*set_flags)(mote_vfs_node *node, unsigned flags);
    /* Makes what was written durable (commits a snapshot); data_only leaves times out. NULL: nothing to do. */
    mote_vfs_error (*sync)(mote_vfs_node *node, bool data_only);
    /* The program failed: what was not committed is to be forgotten; `close` follows. NULL: nothing to forget. */
    void (*abandon)(mote_vfs_node *node);

    /* Files and streams. */

    /* At the node's own position. NULL where pread is there: the caller keeps the position. A node with poll_fd answers EAGAIN in place of
     * waiting; the caller then waits, if the program wants to. */
    mote_vfs_error (*read)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, size_t *done);
    mote_vfs_error (*write)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, size_t *done);
    mote_vfs_error (*pread)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, uint64_t offset, size_t *done);
    mote_vfs_error (*pwrite)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, uint64_t offset, size_t *done);
    /* Writes at the end in one step and says where that was. NULL where pwrite is there: stat, then pwrite. */
    mote_vfs_error (*append)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, uint64_t *offset, size_t *done);
    /* Moves the node's own position. NULL where pread or pwrite is there: the caller does it. */
    mote_vfs_error (*seek)(mote_vfs_node *node, int64_t offset, mote_vfs_whence whence, uint64_t *position);
    mote_vfs_error (*set_size)(mote_vfs_node *node, uint64_t size);
    /* Makes the file at least offset + bytes long, with space for it. */
    mote_vfs_error (*allocate)(mote_vfs_node *node, uint64_t offset, uint64_t bytes);
    /* Advice from 0 on: normal, sequential, random, will need, do not need, no reuse. NULL: ignored. */
    mote_vfs_error (*advise)(mote_vfs_node *node, uint64_t offset, uint64_t bytes, unsigned advice);

    /* Waiting. A node with neither of the two is always ready. */

    /* Returns a descriptor of the host that poll(2) understands, or -1: always ready. */
    int (*poll_fd)(mote_vfs_node *node);
    /* Says which of `wanted` (READ, WRITE) can be done now without waiting, and how many bytes can be read if that is known. Without
     * poll_fd it is asked again every few milliseconds. NULL: what poll(2) says about poll_fd. */
    mote_vfs_error (*ready)(mote_vfs_node *node, unsigned wanted, unsigned *now, uint64_t *bytes);

    /* Sockets. */

    /* Accepts a connection; flags: NONBLOCK, for the new node. EAGAIN when there is none and the listener is NONBLOCK. */
    mote_vfs_error (*accept)(mote_vfs_node *node, unsigned flags, mote_own mote_vfs_node **out);
    /* flags: bit 0 peek, bit 1 wait for all. *truncated: the message was longer. */
    mote_vfs_error (*receive)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, unsigned flags, size_t *done, bool *truncated);
    mote_vfs_error (*send)(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count, size_t *done);
    /* how: READ, WRITE or both. */
    mote_vfs_error (*shutdown)(mote_vfs_node *node, unsigned how);

    /* Directories. */

    mote_vfs_error (*open)(mote_vfs_node *dir, const char *path, unsigned flags, mote_own mote_vfs_node **out);
    /* `follow`: what a symbolic link in the last place points to, not the link. */
    mote_vfs_error (*stat_at)(mote_vfs_node *dir, const char *path, bool follow, mote_vfs_stat *out);
    mote_vfs_error (*set_times_at)(mote_vfs_node *dir, const char *path, bool follow, const mote_vfs_times *times);
    mote_vfs_error (*make_directory)(mote_vfs_node *dir, const char *path);
    mote_vfs_error (*remove_directory)(mote_vfs_node *dir, const char *path);
    mote_vfs_error (*unlink)(mote_vfs_node *dir, const char *path);
    /* Copies the target of a symbolic link, cut at `size`, without NUL. */
    mote_vfs_error (*read_link)(mote_vfs_node *dir, const char *path, char *out, size_t size, size_t *done);
    mote_vfs_error (*make_link)(mote_vfs_node *dir, const char *target, const char *path);
    /* `to` is a directory with the same `rename` (`link`) operation; otherwise the caller answers EXDEV. It may be of another tree. */
    mote_vfs_error (*rename)(mote_vfs_node *dir, const char *path, mote_vfs_node *to, const char *to_path);
    mote_vfs_error (*link)(mote_vfs_node *dir, const char *path, bool follow, mote_vfs_node *to, const char *to_path);
    /* Calls `each` for every name in the directory except "." and "..". */
    mote_vfs_error (*list)(mote_vfs_node *dir, mote_vfs_list_fn each, void *context);
} mote_vfs_ops;

/* Sets up the embedded node: one hold, the type, the traits. For implementations. */
MOTE_API void mote_vfs_node_init(mote_vfs_node *node, const mote_vfs_ops *ops, mote_vfs_type type, unsigned traits);
/* Adds a hold and returns the node. Thread-safe. */
MOTE_API mote_own mote_vfs_node *mote_vfs_retain(mote_vfs_node *node);
/* Takes a hold away; the last one closes the node and its error is returned, else 0. NULL is fine. Thread-safe. */
MOTE_API mote_vfs_error mote_vfs_release(mote_own mote_vfs_node *node);

/* Cleans a path for file systems without symbolic links: drops "." and repeated slashes, resolves ".." by the letter, "." alone becomes "".
 * out             at least MOTE_VFS_PATH_MAX + 1 bytes; gets the components joined by '/', NUL-terminated
 * only_directory  whether the path ended in a slash, "." or ".."
 * Returns 0, MOTE_VFS_EPERM when it would lead out (also for absolute paths) or MOTE_VFS_ENAMETOOLONG. */
MOTE_API mote_vfs_error mote_vfs_path_clean(const char *path, char *out, bool *only_directory);

/* ---------------------------------------------------------------- waiting */

/* How whoever calls operations on this thread says that they are to end; is_over NULL: he never will. */
typedef struct mote_vfs_patience {
    bool (*is_over)(void *context);
    void *context;
} mote_vfs_patience;

/* Sets this thread's and returns the one before, which is to be set again afterwards. Calls of WASI do that: it is over when their store is interrupted
 * or its deadline has passed. */
MOTE_API mote_vfs_patience mote_vfs_set_patience(mote_vfs_patience patience);
/* Whether the operation under way on this thread is to end. Operations that wait without poll_fd look at it every MOTE_WASI_SLICE_MS or so, and return
 * (with any error) as soon as it is true. */
MOTE_API bool mote_vfs_is_over(void);

/* ---------------------------------------------------------------- file systems and streams */

/* Opens a directory of the host. What is beneath it is reached without ever leaving it: "..", absolute paths and symbolic links that lead out are
 * MOTE_VFS_EPERM, also while somebody renames or replaces directories and links at the same time.
 * allocator  NULL: malloc and free; the allocator is used until the last node of the tree is gone */
MOTE_API mote_vfs_error mote_vfs_host_dir_new(const mote_allocator *allocator, const char *path, mote_own mote_vfs_node **out);

/* Makes an empty tree in memory: files, directories, symbolic and hard links. It lives as long as a node in it is held.
 * bytes_max  most bytes in files, names and nodes together, beyond which writing is MOTE_VFS_ENOSPC; 0: no limit
 * Thread-safe. */
MOTE_API mote_vfs_error mote_vfs_memory_new(const mote_allocator *allocator, uint64_t bytes_max, mote_own mote_vfs_node **out);

/* Writes a whole file, through the operations of any directory that has them; directories on the way are made. */
MOTE_API mote_vfs_error mote_vfs_put(mote_vfs_node *dir, const char *path, const void *bytes, size_t size);
/* Reads a whole file into memory of `allocator` (NULL: malloc), freed there with its exact size; an empty file is NULL. */
MOTE_API mote_vfs_error mote_vfs_get(mote_vfs_node *dir, const char *path, const mote_allocator *allocator, mote_own void **bytes, size_t *size);

/* Makes a node of an open descriptor of the host: file, pipe, terminal, socket, directory. `owned`: closed with the node, and APPEND and NONBLOCK are
 * set on it; those of a descriptor that is not owned stay as they are, because others share them. */
MOTE_API mote_vfs_error mote_vfs_fd_new(const mote_allocator *allocator, int fd, bool owned, mote_own mote_vfs_node **out);

/* A stream made of functions; each may be NULL (reading is then at its end, writing is MOTE_VFS_EBADF). `read` and `write` may do less than asked
 * and may wait. `ready`: the bits of READ and WRITE that would not wait; NULL: always both. */
typedef struct mote_vfs_stream {
    void *context;
    mote_vfs_error (*read)(void *context, void *data, size_t size, size_t *done);
    mote_vfs_error (*write)(void *context, const void *data, size_t size, size_t *done);
    unsigned (*ready)(void *context);
    mote_vfs_error (*close)(void *context);
} mote_vfs_stream;

/* Makes a stream of functions; *stream is copied. */
MOTE_API mote_vfs_error mote_vfs_stream_new(const mote_allocator *allocator, const mote_vfs_stream *stream, mote_own mote_vfs_node **out);
/* A stream that yields `size` bytes and then ends; they are copied. */
MOTE_API mote_vfs_error mote_vfs_bytes_new(const mote_allocator *allocator, const void *bytes, size_t size, mote_own mote_vfs_node **out);
/* A stream that keeps what is written to it, up to bytes_max (then MOTE_VFS_ENOSPC). Thread-safe. */
MOTE_API mote_vfs_error mote_vfs_buffer_new(const mote_allocator *allocator, size_t bytes_max, mote_own mote_vfs_node **out);
/* What has been written to a buffer: borrowed, good until the next write. `node` must come from mote_vfs_buffer_new. */
MOTE_API const void *mote_vfs_buffer_bytes(const mote_vfs_node *node, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
