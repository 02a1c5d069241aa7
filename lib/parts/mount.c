/* mount.c - a component as a directory: keys are files. docs/components.md has the rules; each is
 * tested in tests/parts/mount_test.c. An open file is a snapshot of value and ETag, shared by all
 * who have it open; it is committed when it is synchronised or closed, under a condition that
 * follows from how it was opened.
 * Keeps: everything of a mount is under the lock of its mote_parts, which whoever drives the loop
 * holds; the mount lives as long as a node of it. */
#include "base/error.h"
#include "base/map.h"
#include "base/utf8.h"
#include "set.h"
#include <stdio.h>

enum { LIST_PAGE = 256 };

/* Under which condition a snapshot is committed. */
enum commit {
    COMMIT_MATCH,  /* what was there at the opening still is: the ETag, or nothing */
    COMMIT_ALWAYS, /* it was opened to be replaced */
    COMMIT_CREATE  /* O_EXCL: nobody else has made it meanwhile; EEXIST, not EAGAIN */
};

struct snapshot {
    struct snapshot *next;
    char *key; /* below the mount's prefix, NUL-terminated */
    size_t key_size;
    uint8_t *bytes;
    size_t size, capacity;
    char etag[128];             /* "" with `exists`: the store has none */
    bool exists;                /* in the store, as far as this program knows */
    bool is_dirty, is_detached; /* detached: removed or replaced while open; never committed */
    enum commit commit;
    unsigned opens;
    uint64_t modified_ns;
};

/* A directory made by the program, which no store can hold. */
struct made {
    struct made *next;
    size_t size;
    char path[]; /* NUL-terminated */
};

struct mount {
    struct mote_parts_component *component;
    const mote_allocator *allocator;
    char *prefix;
    size_t prefix_size;
    uint64_t opened_ns;
    unsigned nodes;
    struct snapshot *snapshots;
    struct made *made;
};

struct file {
    mote_vfs_node node;
    struct mount *mount;
    struct snapshot *snapshot;
    bool syncs;   /* every write is committed */
    bool commits; /* its close does: a reader's does not, for what a writer has half done */
};

struct folder {
    mote_vfs_node node;
    struct mount *mount;
    size_t size;
    char path[MOTE_VFS_PATH_MAX + 1]; /* "" for the mount itself */
};

static const mote_vfs_ops file_ops, folder_ops;

static void lock(struct mount *m) { mote__parts_enter(m->component->parts); }
static mote_vfs_error unlock(struct mount *m, mote_vfs_error error) {
    mote__parts_leave(m->component->parts);
    return error;
}

/* ---------------------------------------------------------------- talking to the store */

static mote_vfs_error to_vfs(mote_parts_code code) {
    static const mote_vfs_error errors[] = {
#define VFS(name, number, text, vfs) [number] = MOTE_VFS_##vfs,
        MOTE_PARTS_CODES(VFS)
#undef VFS
    };
    return errors[code];
}

/* Carries out an operation; people are told what a program cannot be. */
static mote_vfs_error ask(struct mount *m, mote_parts_op *op, const char *what, const char *path) {
    mote_parts_code code = mote__parts_carry_out(m->component, op);
    bool quiet = code == MOTE_PARTS_OK || code == MOTE_PARTS_CONFLICT ||
                 code == MOTE_PARTS_NOT_FOUND || code == MOTE_PARTS_UNSUPPORTED;
    if (!quiet)
        mote__parts_log(&m->component->opening, "%s `%.100s`: %s", what, path,
                        *op->text ? op->text : mote_parts_code_text(code));
    return to_vfs(code);
}

/* Prefix and path as one key, in `out`; an item's key points there. */
struct key {
    char text[2 * MOTE_VFS_PATH_MAX + 2];
    size_t size;
};
static mote_parts_bytes make_key(const struct mount *m, const char *path, size_t size,
                                 struct key *out) {
    memcpy(out->text, m->prefix, m->prefix_size);
    memcpy(out->text + m->prefix_size, path, size);
    out->size = m->prefix_size + size;
    return (mote_parts_bytes){out->text, out->size};
}

/* What no key can be: EINVAL before the store is asked. */
static mote_vfs_error check_path(const char *path) {
    return strstr(path, "||") || !mote__utf8_valid((const uint8_t *)path, strlen(path))
               ? MOTE_VFS_EINVAL
               : MOTE_VFS_OK;
}

/* Cleans a path that is relative to a folder and puts the folder's own before it. */
static mote_vfs_error resolve(const struct folder *folder, const char *path,
                              char out[MOTE_VFS_PATH_MAX + 1], bool *only_directory) {
    char whole[2 * MOTE_VFS_PATH_MAX + 2], clean[MOTE_VFS_PATH_MAX + 1];
    mote_vfs_error error =
        mote_vfs_path_clean(path, clean, only_directory); /* never above the folder itself */
    if (!error) error = check_path(clean);
    if (error) return error;
    int size = snprintf(whole, sizeof whole, "%s%s%s", folder->path,
                        folder->size && *clean ? "/" : "", clean);
    if (size > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    memcpy(out, whole, (size_t)size + 1);
    return MOTE_VFS_OK;
}

/* Reads a key: ENOENT when it is not there. The operation's results are the caller's to free, also
 * after an error. */
static mote_vfs_error fetch(struct mount *m, const char *path, struct key *key,
                            mote_parts_item *item, mote_parts_op *op) {
    *item = (mote_parts_item){.key = make_key(m, path, strlen(path), key)};
    *op = (mote_parts_op){.verb = MOTE_PARTS_GET, .items = item, .item_count = 1};
    mote_vfs_error error = ask(m, op, "reading", path);
    return error ? error : to_vfs(item->code);
}

/* ---------------------------------------------------------------- directories, which are prefixes
 * of keys */

static struct made **find_made(struct mount *m, const char *path) {
    struct made **at = &m->made;
    while (*at && strcmp((*at)->path, path) != 0) at = &(*at)->next;
    return at;
}

/* Whether `path` lies below the directory; "" is above everything. Returns the rest of it, or NULL.
 */
static const char *below(const char *path, const char *directory, size_t size) {
    if (!size) return path;
    return !strncmp(path, directory, size) && path[size] == '/' && path[size + 1] ? path + size + 1
                                                                                  : NULL;
}

static bool is_above_something_local(const struct mount *m, const char *path) {
    size_t size = strlen(path);
    for (const struct made *at = m->made; at; at = at->next)
        if (below(at->path, path, size)) return true;
    for (const struct snapshot *at = m->snapshots; at; at = at->next)
        if (!at->is_detached && below(at->key, path, size)) return true;
    return false;
}

/* Whether any key of the store, or anything local, lies below the path. */
static mote_vfs_error has_children(struct mount *m, const char *path, bool *out) {
    struct key key;
    char folder[MOTE_VFS_PATH_MAX + 2];
    *out = is_above_something_local(m, path);
    if (*out) return MOTE_VFS_OK;
    int size = snprintf(folder, sizeof folder, *path ? "%s/" : "%s", path);
    mote_parts_op op = {
        .verb = MOTE_PARTS_KEYS, .limit = 1, .prefix = make_key(m, folder, (size_t)size, &key)};
    mote_vfs_error error = ask(m, &op, "listing", path);
    *out = op.item_count > 0;
    mote_parts_op_deinit(&op);
    return error == MOTE_VFS_ENOTSUP ? MOTE_VFS_OK : error;
}

static mote_vfs_error is_directory(struct mount *m, const char *path, bool *out) {
    *out = !*path || *find_made(m, path);
    return *out ? MOTE_VFS_OK : has_children(m, path, out);
}

/* ---------------------------------------------------------------- snapshots */

static struct snapshot *find_snapshot(const struct mount *m, const char *path) {
    struct snapshot *at = m->snapshots;
    while (at && (at->is_detached || strcmp(at->key, path) != 0)) at = at->next;
    return at;
}

static void snapshot_free(struct mount *m, struct snapshot *s) {
    struct snapshot **at = &m->snapshots;
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    mote__free(m->allocator, s->bytes, s->capacity);
    mote__free(m->allocator, s->key, s->key_size + 1);
    MOTE__DELETE(m->allocator, s);
}

static struct snapshot *snapshot_new(struct mount *m, const char *path) {
    struct snapshot *s = MOTE__NEW(m->allocator, struct snapshot);
    size_t size = strlen(path);
    char *key = s ? mote__alloc(m->allocator, size + 1) : NULL;
    if (!key) return mote__free(m->allocator, s, sizeof *s), NULL;
    memcpy(key, path, size + 1);
    *s = (struct snapshot){
        .next = m->snapshots, .key = key, .key_size = size, .modified_ns = m->opened_ns};
    m->snapshots = s;
    return s;
}

/* Room for `size` bytes; what is new is zero. */
static mote_vfs_error reserve(struct mount *m, struct snapshot *s, uint64_t size) {
    if (size > MOTE_PARTS_FILE_BYTES_MAX) return MOTE_VFS_EFBIG;
    if (size <= s->capacity) return MOTE_VFS_OK;
    size_t capacity = s->capacity * 2 > size ? s->capacity * 2 : size < 256 ? 256 : (size_t)size;
    uint8_t *bytes = mote__realloc_array(m->allocator, s->bytes, s->capacity, capacity, 1);
    if (!bytes) return MOTE_VFS_ENOMEM;
    memset(bytes + s->capacity, 0, capacity - s->capacity);
    s->bytes = bytes;
    s->capacity = capacity;
    return MOTE_VFS_OK;
}

/* What is cut off must not come back when the file grows again. */
static void shrink(struct snapshot *s, size_t size) {
    if (size < s->size) memset(s->bytes + size, 0, s->size - size);
    s->size = size;
    s->is_dirty = true;
}

static mote_vfs_error resize(struct mount *m, struct snapshot *s, uint64_t size) {
    mote_vfs_error error = reserve(m, s, size);
    if (!error) shrink(s, (size_t)size);
    return error;
}

static mote_vfs_error keep_etag(struct snapshot *s, const mote_parts_bytes *etag) {
    if (etag->size >= sizeof s->etag) return MOTE_VFS_EOVERFLOW;
    if (etag->size) memcpy(s->etag, etag->data, etag->size);
    s->etag[etag->size] = 0;
    return MOTE_VFS_OK;
}

/* Fills a snapshot from what the store answered. */
static mote_vfs_error take_value(struct mount *m, struct snapshot *s, const mote_parts_item *item) {
    mote_vfs_error error = reserve(m, s, item->found.size);
    if (!error) error = keep_etag(s, &item->version);
    if (error) return error;
    if (item->found.size) memcpy(s->bytes, item->found.data, item->found.size);
    s->size = item->found.size;
    s->exists = true;
    if (item->modified_ns) s->modified_ns = item->modified_ns;
    return MOTE_VFS_OK;
}

/* Writes a snapshot to its key, under its condition. */
static mote_vfs_error commit(struct mount *m, struct snapshot *s) {
    struct key key;
    if (!s->is_dirty || s->is_detached) return MOTE_VFS_OK;
    mote_parts_item item = {.key = make_key(m, s->key, s->key_size, &key),
                            .value = {s->bytes ? (const void *)s->bytes : "", s->size}};
    if (s->commit != COMMIT_ALWAYS && s->exists && *s->etag)
        item.etag = (mote_parts_bytes){s->etag, strlen(s->etag)};
    if (s->commit != COMMIT_ALWAYS && !s->exists) item.flags = MOTE_PARTS_FIRST_WRITE;
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    mote_vfs_error error = ask(m, &op, "writing", s->key);
    if (!error) error = keep_etag(s, &item.version);
    mote_parts_op_deinit(&op);
    if (error)
        return error == MOTE_VFS_EAGAIN && s->commit == COMMIT_CREATE && !s->exists
                   ? MOTE_VFS_EEXIST
                   : error;
    s->exists = true;
    s->is_dirty = false;
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- nodes */

static void mount_release(struct mount *m) {
    if (--m->nodes) return;
    for (struct made *at = m->made, *next; at; at = next) {
        next = at->next;
        mote__free(m->allocator, at, sizeof *at + at->size + 1);
    }
    mote__free(m->allocator, m->prefix, m->prefix_size + 1);
    MOTE__DELETE(m->allocator, m);
}

static struct file *file_of(mote_vfs_node *node) { return (struct file *)node; }
static struct folder *folder_of(mote_vfs_node *node) { return (struct folder *)node; }

/* A descriptor's node for a snapshot, which it holds. */
static mote_vfs_error file_new(struct mount *m, struct snapshot *s, unsigned flags,
                               mote_vfs_node **out) {
    struct file *file = MOTE__NEW(m->allocator, struct file);
    if (!file) return MOTE_VFS_ENOMEM;
    mote_vfs_node_init(&file->node, &file_ops, MOTE_VFS_FILE, MOTE_VFS_SEEKABLE);
    file->mount = m;
    file->snapshot = s;
    file->syncs = flags & (MOTE_VFS_SYNC | MOTE_VFS_DSYNC);
    file->commits = flags & (MOTE_VFS_WRITE | MOTE_VFS_TRUNCATE);
    s->opens++;
    m->nodes++;
    *out = &file->node;
    return MOTE_VFS_OK;
}

static mote_vfs_error folder_new(struct mount *m, const char *path, mote_vfs_node **out) {
    struct folder *folder = MOTE__NEW(m->allocator, struct folder);
    if (!folder) return MOTE_VFS_ENOMEM;
    mote_vfs_node_init(&folder->node, &folder_ops, MOTE_VFS_DIRECTORY, 0);
    folder->mount = m;
    folder->size = strlen(path);
    memcpy(folder->path, path, folder->size + 1);
    m->nodes++;
    *out = &folder->node;
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- files */

static mote_vfs_error file_close(mote_vfs_node *node) {
    struct file *file = file_of(node);
    struct mount *m = file->mount;
    struct mote_parts *parts = m->component->parts;
    mote__parts_enter(parts);
    mote_vfs_error error = file->commits ? commit(m, file->snapshot) : MOTE_VFS_OK;
    if (!--file->snapshot->opens) snapshot_free(m, file->snapshot);
    MOTE__DELETE(m->allocator, file);
    mount_release(m);
    mote__parts_leave(parts);
    return error;
}

static void file_abandon(mote_vfs_node *node) {
    lock(file_of(node)->mount);
    file_of(node)->snapshot->is_dirty = false;
    unlock(file_of(node)->mount, MOTE_VFS_OK);
}

static mote_vfs_error file_sync(mote_vfs_node *node, bool data_only) {
    struct mount *m = file_of(node)->mount;
    (void)data_only;
    lock(m);
    return unlock(m, commit(m, file_of(node)->snapshot));
}

/* One number per path, for programs that compare files by it. */
static uint64_t inode_of(const char *path) { return mote__hash(path, strlen(path), 0) | 1; }

static void fill_stat(const struct mount *m, const char *path, mote_vfs_type type, uint64_t size,
                      uint64_t modified_ns, mote_vfs_stat *out) {
    uint64_t time_ns = modified_ns ? modified_ns : m->opened_ns;
    *out =
        (mote_vfs_stat){.device = mote__hash(m->component->name, strlen(m->component->name), 1) | 1,
                        .inode = inode_of(path),
                        .link_count = 1,
                        .size = size,
                        .accessed = time_ns,
                        .modified = time_ns,
                        .changed = time_ns,
                        .type = (uint8_t)type};
}

static mote_vfs_error file_stat(mote_vfs_node *node, mote_vfs_stat *out) {
    struct mount *m = file_of(node)->mount;
    const struct snapshot *s = file_of(node)->snapshot;
    lock(m);
    fill_stat(m, s->key, MOTE_VFS_FILE, s->size, s->modified_ns, out);
    return unlock(m, MOTE_VFS_OK);
}

static mote_vfs_error file_pread(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                 uint64_t offset, size_t *done) {
    const struct snapshot *s = file_of(node)->snapshot;
    lock(file_of(node)->mount);
    *done = 0;
    for (size_t i = 0; i < count && offset < s->size; i++) {
        size_t left = s->size - (size_t)offset,
               size = pieces[i].size < left ? pieces[i].size : left;
        if (size) memcpy(pieces[i].data, s->bytes + offset, size);
        offset += size;
        *done += size;
    }
    return unlock(file_of(node)->mount, MOTE_VFS_OK);
}

static mote_vfs_error write_locked(struct file *file, const mote_vfs_iovec *pieces, size_t count,
                                   uint64_t offset, size_t *done) {
    struct mount *m = file->mount;
    struct snapshot *s = file->snapshot;
    uint64_t total = 0;
    *done = 0;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(total, pieces[i].size, &total)) return MOTE_VFS_EFBIG;
    if (offset > MOTE_PARTS_FILE_BYTES_MAX || total > MOTE_PARTS_FILE_BYTES_MAX)
        return MOTE_VFS_EFBIG;
    mote_vfs_error error = reserve(m, s, offset + total);
    if (error) return error;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size) memcpy(s->bytes + offset, pieces[i].data, pieces[i].size);
        offset += pieces[i].size;
        *done += pieces[i].size;
    }
    if (total && offset > s->size) s->size = (size_t)offset;
    if (total) s->is_dirty = true;
    return file->syncs ? commit(m, s) : MOTE_VFS_OK;
}

static mote_vfs_error file_pwrite(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  uint64_t offset, size_t *done) {
    lock(file_of(node)->mount);
    return unlock(file_of(node)->mount, write_locked(file_of(node), pieces, count, offset, done));
}

static mote_vfs_error file_append(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  uint64_t *offset, size_t *done) {
    lock(file_of(node)->mount);
    *offset = file_of(node)->snapshot->size;
    return unlock(file_of(node)->mount, write_locked(file_of(node), pieces, count, *offset, done));
}

static mote_vfs_error file_set_size(mote_vfs_node *node, uint64_t size) {
    struct mount *m = file_of(node)->mount;
    lock(m);
    return unlock(m, resize(m, file_of(node)->snapshot, size));
}

static mote_vfs_error file_allocate(mote_vfs_node *node, uint64_t offset, uint64_t bytes) {
    struct mount *m = file_of(node)->mount;
    struct snapshot *s = file_of(node)->snapshot;
    uint64_t size;
    if (__builtin_add_overflow(offset, bytes, &size)) return MOTE_VFS_EFBIG;
    lock(m);
    return unlock(m, size > s->size ? resize(m, s, size) : MOTE_VFS_OK);
}

static const mote_vfs_ops file_ops = {.name = "file of a component",
                                      .close = file_close,
                                      .stat = file_stat,
                                      .sync = file_sync,
                                      .abandon = file_abandon,
                                      .pread = file_pread,
                                      .pwrite = file_pwrite,
                                      .append = file_append,
                                      .set_size = file_set_size,
                                      .allocate = file_allocate};

/* ---------------------------------------------------------------- opening */

static bool is_read_only(const struct mount *m) {
    return mote__parts_drivers[m->component->id].block != BLOCK_state;
}

/* What CREATE, EXCLUSIVE and TRUNCATE mean for a snapshot that was just taken, or is shared. */
static void apply_flags(struct snapshot *s, unsigned flags, bool is_new) {
    if (is_new) {
        s->is_dirty = true; /* an empty file is a file */
        if (flags & MOTE_VFS_EXCLUSIVE) s->commit = COMMIT_CREATE;
    }
    if (!(flags & MOTE_VFS_TRUNCATE)) return;
    shrink(s, 0);
    if (s->commit != COMMIT_CREATE) s->commit = COMMIT_ALWAYS;
}

/* Takes a snapshot of a key for the first who opens it. */
static mote_vfs_error take_snapshot(struct mount *m, const char *path, unsigned flags,
                                    struct snapshot **out) {
    struct key key;
    mote_parts_item item;
    mote_parts_op op;
    bool directory = false;
    mote_vfs_error error = fetch(m, path, &key, &item, &op);
    bool is_new = error == MOTE_VFS_ENOENT;
    if (is_new) error = is_directory(m, path, &directory);
    if (!error && is_new)
        error = directory                 ? MOTE_VFS_EISDIR
                : flags & MOTE_VFS_CREATE ? MOTE_VFS_OK
                                          : MOTE_VFS_ENOENT;
    if (!error && !is_new && (flags & MOTE_VFS_EXCLUSIVE)) error = MOTE_VFS_EEXIST;
    struct snapshot *s = error ? NULL : snapshot_new(m, path);
    if (!error && !s) error = MOTE_VFS_ENOMEM;
    if (!error && !is_new) error = take_value(m, s, &item);
    mote_parts_op_deinit(&op);
    if (error && s) snapshot_free(m, s);
    if (error) return error;
    apply_flags(s, flags, is_new);
    *out = s;
    return MOTE_VFS_OK;
}

static mote_vfs_error open_file(struct mount *m, const char *path, unsigned flags,
                                mote_vfs_node **out) {
    struct snapshot *s = find_snapshot(m, path);
    mote_vfs_error error = MOTE_VFS_OK;
    if (s && (flags & MOTE_VFS_EXCLUSIVE)) return MOTE_VFS_EEXIST;
    bool is_first = !s;
    if (s) apply_flags(s, flags, false);
    else error = take_snapshot(m, path, flags, &s);
    if (!error) error = file_new(m, s, flags, out);
    if (!error && is_first && s->is_dirty) file_of(*out)->commits = true; /* it has made the file */
    if (error && s && !s->opens) snapshot_free(m, s);
    return error;
}

static mote_vfs_error open_directory(struct mount *m, const char *path, mote_vfs_node **out) {
    bool directory;
    mote_vfs_error error = is_directory(m, path, &directory);
    if (!error && !directory) error = find_snapshot(m, path) ? MOTE_VFS_ENOTDIR : MOTE_VFS_ENOENT;
    return error ? error : folder_new(m, path, out);
}

static mote_vfs_error open_locked(struct mount *m, const char *path, unsigned flags,
                                  bool only_directory, mote_vfs_node **out) {
    const unsigned changes = MOTE_VFS_WRITE | MOTE_VFS_CREATE | MOTE_VFS_TRUNCATE;
    bool directory = only_directory || (flags & MOTE_VFS_ONLY_DIRECTORY) || !*path;
    if (directory && (flags & MOTE_VFS_CREATE)) return *path ? MOTE_VFS_EISDIR : MOTE_VFS_EEXIST;
    if (directory) return open_directory(m, path, out);
    if (is_read_only(m) && (flags & changes)) return MOTE_VFS_EROFS;
    mote_vfs_error error = open_file(m, path, flags, out);
    /* Reading a directory as it is, as open(2) does without O_DIRECTORY. */
    return error == MOTE_VFS_EISDIR && !(flags & changes) ? open_directory(m, path, out) : error;
}

static mote_vfs_error folder_open(mote_vfs_node *dir, const char *path, unsigned flags,
                                  mote_vfs_node **out) {
    struct mount *m = folder_of(dir)->mount;
    char whole[MOTE_VFS_PATH_MAX + 1];
    bool only_directory;
    mote_vfs_error error = resolve(folder_of(dir), path, whole, &only_directory);
    if (error) return error;
    lock(m);
    return unlock(m, open_locked(m, whole, flags, only_directory, out));
}

static mote_vfs_error folder_close(mote_vfs_node *node) {
    struct mount *m = folder_of(node)->mount;
    struct mote_parts *parts = m->component->parts;
    mote__parts_enter(parts);
    MOTE__DELETE(m->allocator, folder_of(node));
    mount_release(m);
    mote__parts_leave(parts);
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- attributes */

static mote_vfs_error stat_stored(struct mount *m, const char *path, mote_vfs_stat *out) {
    struct key key;
    mote_parts_item item;
    mote_parts_op op;
    bool directory = false;
    mote_vfs_error error = fetch(m, path, &key, &item, &op);
    if (!error) fill_stat(m, path, MOTE_VFS_FILE, item.found.size, item.modified_ns, out);
    mote_parts_op_deinit(&op);
    if (error != MOTE_VFS_ENOENT) return error;
    error = is_directory(m, path, &directory);
    if (directory) fill_stat(m, path, MOTE_VFS_DIRECTORY, 0, 0, out);
    return error ? error : directory ? MOTE_VFS_OK : MOTE_VFS_ENOENT;
}

static mote_vfs_error stat_locked(struct mount *m, const char *path, mote_vfs_stat *out) {
    const struct snapshot *s = find_snapshot(m, path);
    if (s) return fill_stat(m, path, MOTE_VFS_FILE, s->size, s->modified_ns, out), MOTE_VFS_OK;
    if (*path && !*find_made(m, path)) return stat_stored(m, path, out);
    fill_stat(m, path, MOTE_VFS_DIRECTORY, 0, 0, out);
    return MOTE_VFS_OK;
}

static mote_vfs_error folder_stat_at(mote_vfs_node *dir, const char *path, bool follow,
                                     mote_vfs_stat *out) {
    struct mount *m = folder_of(dir)->mount;
    char whole[MOTE_VFS_PATH_MAX + 1];
    bool only_directory;
    (void)follow;
    mote_vfs_error error = resolve(folder_of(dir), path, whole, &only_directory);
    if (error) return error;
    lock(m);
    error = stat_locked(m, whole, out);
    if (!error && only_directory && out->type != MOTE_VFS_DIRECTORY) error = MOTE_VFS_ENOTDIR;
    return unlock(m, error);
}

static mote_vfs_error folder_stat(mote_vfs_node *node, mote_vfs_stat *out) {
    fill_stat(folder_of(node)->mount, folder_of(node)->path, MOTE_VFS_DIRECTORY, 0, 0, out);
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- making and removing */

static mote_vfs_error is_file(struct mount *m, const char *path, bool *out) {
    struct key key;
    mote_parts_item item;
    mote_parts_op op;
    *out = find_snapshot(m, path);
    if (*out) return MOTE_VFS_OK;
    mote_vfs_error error = fetch(m, path, &key, &item, &op);
    mote_parts_op_deinit(&op);
    *out = !error;
    return error == MOTE_VFS_ENOENT ? MOTE_VFS_OK : error;
}

static mote_vfs_error make_locked(struct mount *m, const char *path) {
    mote_vfs_stat st;
    size_t size = strlen(path);
    mote_vfs_error error = stat_locked(m, path, &st);
    if (error != MOTE_VFS_ENOENT) return error ? error : MOTE_VFS_EEXIST;
    struct made *made = mote__alloc(m->allocator, sizeof *made + size + 1);
    if (!made) return MOTE_VFS_ENOMEM;
    made->next = m->made;
    made->size = size;
    memcpy(made->path, path, size + 1);
    m->made = made;
    return MOTE_VFS_OK;
}

/* The store is asked once what is in the directory: others may empty it meanwhile. */
static mote_vfs_error remove_locked(struct mount *m, const char *path) {
    bool file = false, full = false;
    if (!*path) return MOTE_VFS_EBUSY;
    struct made **at = find_made(m, path), *made = *at;
    mote_vfs_error error = made ? MOTE_VFS_OK : is_file(m, path, &file);
    if (file) return MOTE_VFS_ENOTDIR;
    if (!error) error = has_children(m, path, &full);
    if (error) return error;
    if (full) return MOTE_VFS_ENOTEMPTY;
    if (!made) return MOTE_VFS_ENOENT;
    *at = made->next;
    mote__free(m->allocator, made, sizeof *made + made->size + 1);
    return MOTE_VFS_OK;
}

static mote_vfs_error delete_key(struct mount *m, const char *path) {
    struct key key;
    mote_parts_item item = {.key = make_key(m, path, strlen(path), &key)};
    mote_parts_op op = {.verb = MOTE_PARTS_DELETE, .items = &item, .item_count = 1};
    mote_vfs_error error = ask(m, &op, "removing", path);
    mote_parts_op_deinit(&op);
    return error;
}

/* At once, as on Linux: those who have the file open keep it for themselves. */
static mote_vfs_error unlink_locked(struct mount *m, const char *path) {
    mote_vfs_stat st;
    struct snapshot *s = find_snapshot(m, path);
    mote_vfs_error error = stat_locked(m, path, &st);
    if (!error && st.type == MOTE_VFS_DIRECTORY) error = MOTE_VFS_EISDIR;
    if (!error && (!s || s->exists)) error = delete_key(m, path);
    if (!error && s) s->is_detached = true;
    return error;
}

/* The operations on one path that change something. */
static mote_vfs_error change(mote_vfs_node *dir, const char *path, bool takes_slash,
                             mote_vfs_error (*what)(struct mount *m, const char *path)) {
    struct mount *m = folder_of(dir)->mount;
    char whole[MOTE_VFS_PATH_MAX + 1];
    bool only_directory;
    mote_vfs_error error = resolve(folder_of(dir), path, whole, &only_directory);
    if (!error && is_read_only(m)) error = MOTE_VFS_EROFS;
    if (!error && only_directory && !takes_slash) error = MOTE_VFS_ENOTDIR;
    if (error) return error;
    lock(m);
    return unlock(m, what(m, whole));
}

static mote_vfs_error folder_make(mote_vfs_node *dir, const char *path) {
    return change(dir, path, true, make_locked);
}
static mote_vfs_error folder_remove(mote_vfs_node *dir, const char *path) {
    return change(dir, path, true, remove_locked);
}
static mote_vfs_error folder_unlink(mote_vfs_node *dir, const char *path) {
    return change(dir, path, false, unlink_locked);
}

/* ---------------------------------------------------------------- renaming */

/* Two mounts of a component may show one key under two names. */
static bool is_same_key(const struct mount *a, const char *a_path, const struct mount *b,
                        const char *b_path) {
    struct key a_key, b_key;
    mote_parts_bytes one = make_key(a, a_path, strlen(a_path), &a_key),
                     other = make_key(b, b_path, strlen(b_path), &b_key);
    return one.size == other.size && !memcmp(one.data, other.data, one.size);
}

/* Writes the new key and removes the old one in one transaction; the old one must still be what was
 * read. */
static mote_vfs_error move_key(struct mount *from, const char *path, struct mount *to,
                               const char *to_path) {
    struct key key, old_key, new_key;
    mote_parts_item item, items[2];
    mote_parts_op get, op;
    mote_vfs_error error = fetch(from, path, &key, &item, &get);
    if (!error) {
        items[0] = (mote_parts_item){.key = make_key(to, to_path, strlen(to_path), &new_key),
                                     .value = item.found};
        items[1] = (mote_parts_item){.key = make_key(from, path, strlen(path), &old_key),
                                     .etag = item.version,
                                     .flags = MOTE_PARTS_REMOVE};
        op = (mote_parts_op){.verb = MOTE_PARTS_TRANSACT, .items = items, .item_count = 2};
        error = ask(from, &op, "renaming", path);
        mote_parts_op_deinit(&op);
    }
    mote_parts_op_deinit(&get);
    return error;
}

/* Who has the source open keeps a file that goes its own way; a target that is open is replaced. */
static mote_vfs_error rename_locked(struct mount *from, const char *path, struct mount *to,
                                    const char *to_path) {
    mote_vfs_stat st;
    struct snapshot *source = find_snapshot(from, path), *target = find_snapshot(to, to_path);
    mote_vfs_error error = stat_locked(from, path, &st);
    if (error) return error;
    if (st.type == MOTE_VFS_DIRECTORY)
        return MOTE_VFS_ENOTSUP; /* no store renames a prefix in one step */
    error = stat_locked(to, to_path, &st);
    if (!error && st.type == MOTE_VFS_DIRECTORY) return MOTE_VFS_EISDIR;
    if (error && error != MOTE_VFS_ENOENT) return error;
    if (is_same_key(from, path, to, to_path)) return MOTE_VFS_OK;
    error = source ? commit(from, source) : MOTE_VFS_OK;
    if (!error) error = move_key(from, path, to, to_path);
    if (error) return error;
    if (target) target->is_detached = true;
    if (source) source->is_detached = true;
    return MOTE_VFS_OK;
}

static mote_vfs_error folder_rename(mote_vfs_node *dir, const char *path, mote_vfs_node *to,
                                    const char *to_path) {
    struct mount *m = folder_of(dir)->mount, *other = folder_of(to)->mount;
    char whole[MOTE_VFS_PATH_MAX + 1], to_whole[MOTE_VFS_PATH_MAX + 1];
    bool only_directory, to_directory;
    mote_vfs_error error = resolve(folder_of(dir), path, whole, &only_directory);
    if (!error) error = resolve(folder_of(to), to_path, to_whole, &to_directory);
    if (error) return error;
    if (m->component != other->component) return MOTE_VFS_EXDEV;
    if (is_read_only(m)) return MOTE_VFS_EROFS;
    if (!*whole || !*to_whole) return MOTE_VFS_EBUSY;
    lock(m);
    return unlock(m, rename_locked(m, whole, other, to_whole));
}

/* ---------------------------------------------------------------- listing */

/* One listing: each name goes out once, keys come in any order. */
struct listing {
    struct mount *mount;
    const struct folder *folder;
    struct arena arena;
    struct map names; /* name -> its type */
    mote_parts_bytes last;
    size_t last_capacity;
};

/* Notes the first component of what lies below the folder. What no path can say ("", ".", "..", a
 * name that is too long) is left out. */
static mote_vfs_error note(struct listing *l, const char *rest, size_t size) {
    const char *slash = memchr(rest, '/', size);
    size_t length = slash ? (size_t)(slash - rest) : size;
    bool dots =
        (length == 1 && rest[0] == '.') || (length == 2 && rest[0] == '.' && rest[1] == '.');
    if (!length || dots || length > MOTE_VFS_PATH_MAX || (slash && length + 1 == size)) return MOTE_VFS_OK;
    uint64_t *known = mote__map_get(&l->names, rest, length);
    if (known)
        return *known = slash && *known != MOTE_VFS_FILE ? MOTE_VFS_DIRECTORY
                        : slash                          ? *known
                                                         : MOTE_VFS_FILE,
               MOTE_VFS_OK;
    char *name = mote__arena_string(&l->arena, rest, length);
    uint64_t *value = name ? mote__map_put(&l->names, name, length, &(bool){false}) : NULL;
    if (!value) return MOTE_VFS_ENOMEM;
    *value = slash ? MOTE_VFS_DIRECTORY : MOTE_VFS_FILE;
    return MOTE_VFS_OK;
}

/* Keys of any size come from others: the last one of a page is kept as it is. */
static mote_vfs_error keep_last(struct listing *l, const mote_parts_bytes *key) {
    if (key->size > l->last_capacity) {
        l->last_capacity = 2 * key->size;
        l->last.data = mote__arena_alloc(&l->arena, l->last_capacity);
    }
    if (!l->last.data) return MOTE_VFS_ENOMEM;
    memcpy((char *)(uintptr_t)l->last.data, key->data, l->last.size = key->size);
    return MOTE_VFS_OK;
}

/* One page of keys, and where the next begins. */
static mote_vfs_error list_page(struct listing *l, const mote_parts_bytes *prefix, bool *more) {
    mote_parts_op op = {
        .verb = MOTE_PARTS_KEYS, .limit = LIST_PAGE, .prefix = *prefix, .after = l->last};
    mote_vfs_error error = ask(l->mount, &op, "listing", l->folder->path);
    for (size_t i = 0; i < op.item_count && !error; i++) {
        const mote_parts_bytes *key = &op.items[i].key;
        error = note(l, (const char *)key->data + prefix->size, key->size - prefix->size);
    }
    *more = !error && op.more && op.item_count;
    if (*more) error = keep_last(l, &op.items[op.item_count - 1].key);
    mote_parts_op_deinit(&op);
    return error;
}

static mote_vfs_error list_store(struct listing *l) {
    struct key key;
    char path[MOTE_VFS_PATH_MAX + 2];
    int size = snprintf(path, sizeof path, l->folder->size ? "%s/" : "%s", l->folder->path);
    mote_parts_bytes prefix = make_key(l->mount, path, (size_t)size, &key);
    mote_vfs_error error = MOTE_VFS_OK;
    for (bool more = true; more && !error;) error = list_page(l, &prefix, &more);
    return error;
}

static mote_vfs_error list_local(struct listing *l) {
    mote_vfs_error error = MOTE_VFS_OK;
    char path[MOTE_VFS_PATH_MAX + 2];
    for (const struct snapshot *s = l->mount->snapshots; s && !error; s = s->next) {
        const char *rest = s->is_detached ? NULL : below(s->key, l->folder->path, l->folder->size);
        if (rest) error = note(l, rest, strlen(rest));
    }
    for (const struct made *at = l->mount->made; at && !error; at = at->next) {
        const char *rest = below(at->path, l->folder->path, l->folder->size);
        int size =
            rest ? snprintf(path, sizeof path, "%s/.", rest) : 0; /* as if something were in it */
        if (rest) error = note(l, path, (size_t)size);
    }
    return error;
}

static mote_vfs_error tell(const struct listing *l, mote_vfs_list_fn each, void *context) {
    mote_vfs_error error = MOTE_VFS_OK;
    char path[2 * MOTE_VFS_PATH_MAX + 2];
    for (size_t i = 0; i < l->names.capacity && !error; i++) {
        const struct map_entry *at = &l->names.entries[i];
        if (!at->key) continue;
        snprintf(path, sizeof path, "%s%s%s", l->folder->path, l->folder->size ? "/" : "",
                 (const char *)at->key);
        error = each(context, at->key, at->key_bytes, inode_of(path), (mote_vfs_type)at->value);
    }
    return error;
}

static mote_vfs_error folder_list(mote_vfs_node *dir, mote_vfs_list_fn each, void *context) {
    struct mount *m = folder_of(dir)->mount;
    struct listing l = {.mount = m, .folder = folder_of(dir)};
    mote__arena_init(&l.arena, m->allocator);
    mote__map_init(&l.names, m->allocator);
    lock(m);
    mote_vfs_error error = list_store(&l);
    if (!error) error = list_local(&l);
    unlock(m, MOTE_VFS_OK);
    if (!error) error = tell(&l, each, context);
    mote__map_deinit(&l.names);
    mote__arena_deinit(&l.arena);
    return error;
}

static const mote_vfs_ops folder_ops = {.name = "directory of a component",
                                        .close = folder_close,
                                        .stat = folder_stat,
                                        .open = folder_open,
                                        .stat_at = folder_stat_at,
                                        .make_directory = folder_make,
                                        .remove_directory = folder_remove,
                                        .unlink = folder_unlink,
                                        .rename = folder_rename,
                                        .list = folder_list};

/* ---------------------------------------------------------------- mounting */

static mote_status check_prefix(const char *prefix, mote_error *error) {
    if (strlen(prefix) <= MOTE_VFS_PATH_MAX && !check_path(prefix)) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                           "`%.60s` cannot be the prefix of keys", prefix);
}

mote_status mote_parts_mount(mote_parts *parts, const char *component, const char *prefix,
                             mote_vfs_node **out, mote_error *error) {
    mote_error unwanted;
    const char *nearest;
    if (!error) error = &unwanted;
    if (!prefix) prefix = "";
    TRY(check_prefix(prefix, error));
    TRY(mote_parts_open(parts, component, error));
    struct mote_parts_component *c = mote__parts_find(parts, component, &nearest);
    if (mote__parts_drivers[c->id].block == BLOCK_lock)
        return mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET,
                               "%s holds locks, which are no files", component);
    struct mount *m = MOTE__NEW(parts->allocator, struct mount);
    char *copy = m ? mote__alloc(parts->allocator, strlen(prefix) + 1) : NULL;
    if (!copy)
        return mote__free(parts->allocator, m, sizeof *m), mote__error_nomem(error, "mounting");
    memcpy(copy, prefix, strlen(prefix) + 1);
    *m = (struct mount){.component = c,
                        .allocator = parts->allocator,
                        .prefix = copy,
                        .prefix_size = strlen(prefix),
                        .opened_ns = mote__os_clock_ns(OS_CLOCK_REALTIME),
                        .nodes = 1};
    mote_vfs_error why = folder_new(m, "", out);
    mount_release(m);
    return why ? mote__error_nomem(error, "mounting") : MOTE_OK;
}
