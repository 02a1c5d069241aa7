/* mount.c - a component as a directory: keys are files. docs/components.md has the rules; each is
 * tested in tests/parts/mount_test.c. An open file is a snapshot of value and ETag (files.h),
 * shared by all who have it open; it is committed when it is synchronised, or when who may write it
 * closes it, under a condition that follows from how it was opened.
 * Keeps: everything of a mount is under the lock of its mote_parts, which whoever drives the loop
 * holds; the mount lives as long as a node of it. */
#include "base/error.h"
#include "base/map.h"
#include "base/utf8.h"
#include "files.h"
#include <stdio.h>

enum { LIST_PAGE = 256, LIST_PAGE_OF_WALKERS = 100000 };

struct mount {
    struct files *files;
    const mote_allocator *allocator;
    char *prefix;
    size_t prefix_size;
    unsigned nodes;
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
    char key[]; /* the mount's prefix and the path; NUL-terminated */
};

/* What a path means. */
struct place {
    struct mount *mount;
    struct files *files;
    size_t size;
    char key[KEY_MAX + 1];
    bool only_directory; /* the path ended in a slash */
};

static const mote_vfs_ops file_ops, folder_ops;

static struct file *file_of(mote_vfs_node *node) { return (struct file *)node; }
static struct folder *folder_of(mote_vfs_node *node) { return (struct folder *)node; }

static void lock(struct mount *m) { mote__parts_enter(m->files->component->parts); }
static mote_vfs_error unlock(struct mount *m, mote_vfs_error error) {
    mote__parts_leave(m->files->component->parts);
    return error;
}

static bool is_read_only(const struct mount *m) {
    return mote__parts_drivers[m->files->component->id].block != BLOCK_state;
}

/* ---------------------------------------------------------------- paths */

static bool is_root(const struct place *p) { return p->size == p->mount->prefix_size; }

/* What no key can be: EINVAL before the store is asked. */
static mote_vfs_error check_key(const char *key) {
    return strstr(key, "||") || !mote__utf8_valid((const uint8_t *)key, strlen(key))
               ? MOTE_VFS_EINVAL
               : MOTE_VFS_OK;
}

/* Cleans a path that is relative to a folder and puts the folder's own before it; never above the
 * folder itself. */
static mote_vfs_error resolve(const struct folder *folder, const char *path, struct place *out) {
    char clean[MOTE_VFS_PATH_MAX + 1];
    struct mount *m = folder->mount;
    mote_vfs_error error = mote_vfs_path_clean(path, clean, &out->only_directory);
    if (error) return error;
    bool joins = folder->size > m->prefix_size && *clean;
    size_t size = folder->size + joins + strlen(clean);
    if (size - m->prefix_size > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    snprintf(out->key, sizeof out->key, "%s%s%s", folder->key, joins ? "/" : "", clean);
    out->mount = m;
    out->files = m->files;
    out->size = size;
    return check_key(out->key);
}

/* What keys in the directory begin with. */
static void inside(const struct mount *m, const char *key, char out[KEY_MAX + 1]) {
    snprintf(out, KEY_MAX + 1, strlen(key) > m->prefix_size ? "%s/" : "%s", key);
}

/* ---------------------------------------------------------------- directories, which are prefixes
 * of keys */

enum content {
    CONTENT_NOTHING,
    CONTENT_MARK, /* only a key that ends in a slash: a directory that the store holds */
    CONTENT_MORE
};

static mote_vfs_error note_any(void *found, const char *rest, bool is_directory) {
    (void)is_directory;
    if (*rest) *(enum content *)found = CONTENT_MORE;
    return MOTE_VFS_OK;
}

/* What this program has in the directory. */
static enum content look_inside_here(const struct place *p) {
    char prefix[KEY_MAX + 1];
    enum content content = CONTENT_NOTHING;
    inside(p->mount, p->key, prefix);
    mote__files_each(p->files, prefix, note_any, &content);
    return content;
}

/* What is in the directory, of the store and of this program. */
static mote_vfs_error look_inside(const struct place *p, enum content *out) {
    char prefix[KEY_MAX + 1];
    *out = look_inside_here(p);
    if (*out) return MOTE_VFS_OK;
    inside(p->mount, p->key, prefix);
    mote_parts_op op = {
        .verb = MOTE_PARTS_KEYS, .limit = 2, .any = true, .prefix = key_bytes(prefix)};
    mote_vfs_error error = mote__files_ask(p->files, &op, "listing", prefix);
    if (!error && op.item_count)
        *out = op.item_count == 1 && op.items[0].key.size == strlen(prefix) ? CONTENT_MARK
                                                                           : CONTENT_MORE;
    mote_parts_op_deinit(&op);
    return error == MOTE_VFS_ENOTSUP ? MOTE_VFS_OK : error;
}

static mote_vfs_error is_directory(const struct place *p, bool *out) {
    enum content content = CONTENT_NOTHING;
    *out = is_root(p) || mote__made_find(p->files, p->key);
    if (*out) return MOTE_VFS_OK;
    mote_vfs_error error = look_inside(p, &content);
    *out = content;
    return error;
}

static mote_vfs_error is_file(const struct place *p, bool *out) {
    mote_parts_item item;
    mote_parts_op op;
    *out = mote__snapshot_find(p->files, p->key);
    if (*out) return MOTE_VFS_OK;
    mote_vfs_error error = mote__files_fetch(p->files, p->key, &item, &op);
    mote_parts_op_deinit(&op);
    *out = !error;
    return error == MOTE_VFS_ENOENT ? MOTE_VFS_OK : error;
}

/* What the program takes out of a directory does not take the directory away: those that the path
 * is in are remembered as if it had made them, as long as there is room: nothing that makes room
 * needs any. */
static mote_vfs_error remember_parents(const struct place *p) {
    mote_vfs_error error = MOTE_VFS_OK;
    for (size_t i = p->mount->prefix_size; i < p->size && !error; i++)
        if (p->key[i] == '/') error = mote__made_add(p->files, p->key, i);
    return error == MOTE_VFS_ENOSPC ? MOTE_VFS_OK : error;
}

/* ---------------------------------------------------------------- nodes */

static void mount_release(struct mount *m) {
    if (--m->nodes) return;
    mote__files_release(m->files);
    mote__free(m->allocator, m->prefix, m->prefix_size + 1);
    MOTE__DELETE(m->allocator, m);
}

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

static mote_vfs_error folder_new(struct mount *m, const char *key, mote_vfs_node **out) {
    size_t size = strlen(key);
    struct folder *folder = mote__alloc(m->allocator, sizeof *folder + size + 1);
    if (!folder) return MOTE_VFS_ENOMEM;
    mote_vfs_node_init(&folder->node, &folder_ops, MOTE_VFS_DIRECTORY, 0);
    folder->mount = m;
    folder->size = size;
    memcpy(folder->key, key, size + 1);
    m->nodes++;
    *out = &folder->node;
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- files */

/* Programs seldom look at what a close says; what the store says has been told (files.c). */
static void say_lost(const struct file *file, mote_vfs_error error) {
    bool changed = error == MOTE_VFS_EAGAIN || error == MOTE_VFS_EEXIST;
    if (!changed && error != MOTE_VFS_ECANCELED) return;
    mote__parts_log(&file->mount->files->component->opening, "`%.100s` was not kept: %s",
                    file->snapshot->key,
                    changed ? "somebody else has written it meanwhile"
                            : "the program's time was over");
}

static mote_vfs_error file_close(mote_vfs_node *node) {
    struct file *file = file_of(node);
    struct mount *m = file->mount;
    struct mote_parts *parts = m->files->component->parts;
    mote_vfs_error error = MOTE_VFS_OK;
    mote__parts_enter(parts);
    if (file->commits) error = mote__snapshot_commit(m->files, file->snapshot);
    say_lost(file, error);
    mote__snapshot_close(m->files, file->snapshot);
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
    return unlock(m, mote__snapshot_commit(m->files, file_of(node)->snapshot));
}

/* One number per key, for programs that compare files by it. */
static uint64_t inode_of(const char *key) { return mote__hash(key, strlen(key), 0) | 1; }

static void fill_stat(const struct files *files, const char *key, mote_vfs_type type, uint64_t size,
                      uint64_t modified_ns, mote_vfs_stat *out) {
    const char *name = files->component->name;
    uint64_t time_ns = modified_ns ? modified_ns : files->opened_ns;
    *out = (mote_vfs_stat){.device = mote__hash(name, strlen(name), 1) | 1,
                           .inode = inode_of(key),
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
    fill_stat(m->files, s->key, MOTE_VFS_FILE, s->size, s->modified_ns, out);
    return unlock(m, MOTE_VFS_OK);
}

/* Stores keep the times that they have; programs that copy files set them all the same, and take an
 * error for a failure of the copy. */
static mote_vfs_error set_times(mote_vfs_node *node, const mote_vfs_times *times) {
    bool is_folder = node->ops == &folder_ops;
    (void)times;
    return is_read_only(is_folder ? folder_of(node)->mount : file_of(node)->mount) ? MOTE_VFS_EROFS
                                                                                   : MOTE_VFS_OK;
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
    struct files *files = file->mount->files;
    mote_vfs_error error = mote__snapshot_write(files, file->snapshot, pieces, count, offset, done);
    return !error && file->syncs ? mote__snapshot_commit(files, file->snapshot) : error;
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
    return unlock(m, mote__snapshot_resize(m->files, file_of(node)->snapshot, size));
}

static mote_vfs_error file_allocate(mote_vfs_node *node, uint64_t offset, uint64_t bytes) {
    struct mount *m = file_of(node)->mount;
    struct snapshot *s = file_of(node)->snapshot;
    uint64_t size;
    if (__builtin_add_overflow(offset, bytes, &size)) return MOTE_VFS_EFBIG;
    lock(m);
    return unlock(m, size > s->size ? mote__snapshot_resize(m->files, s, size) : MOTE_VFS_OK);
}

static const mote_vfs_ops file_ops = {.name = "file of a component",
                                      .close = file_close,
                                      .stat = file_stat,
                                      .set_times = set_times,
                                      .sync = file_sync,
                                      .abandon = file_abandon,
                                      .pread = file_pread,
                                      .pwrite = file_pwrite,
                                      .append = file_append,
                                      .set_size = file_set_size,
                                      .allocate = file_allocate};

/* ---------------------------------------------------------------- opening */

/* What CREATE, EXCLUSIVE and TRUNCATE mean for a snapshot that was just taken, or is shared. */
static void apply_flags(struct files *files, struct snapshot *s, unsigned flags, bool is_new) {
    if (is_new) {
        s->is_dirty = true; /* an empty file is a file */
        if (flags & MOTE_VFS_EXCLUSIVE) s->commit = COMMIT_CREATE;
    }
    if (!(flags & MOTE_VFS_TRUNCATE)) return;
    mote__snapshot_resize(files, s, 0);
    if (s->commit != COMMIT_CREATE) s->commit = COMMIT_ALWAYS;
}

/* Whether a key that is not there may become a file. To make one a store that would walk through
 * all that it holds is not asked whether there is a directory of that name. */
static mote_vfs_error check_new(const struct place *p, unsigned flags) {
    bool directory, walks = p->files->component->driver->walks && (flags & MOTE_VFS_CREATE);
    mote_vfs_error error = MOTE_VFS_OK;
    if (walks) directory = mote__made_find(p->files, p->key) || look_inside_here(p);
    else error = is_directory(p, &directory);
    if (error) return error;
    if (directory) return flags & MOTE_VFS_EXCLUSIVE ? MOTE_VFS_EEXIST : MOTE_VFS_EISDIR;
    return flags & MOTE_VFS_CREATE ? MOTE_VFS_OK : MOTE_VFS_ENOENT;
}

/* Takes a snapshot of a key for the first who opens it. */
static mote_vfs_error take_snapshot(const struct place *p, unsigned flags, struct snapshot **out) {
    mote_parts_item item;
    mote_parts_op op;
    mote_vfs_error error = mote__files_fetch(p->files, p->key, &item, &op);
    bool is_new = error == MOTE_VFS_ENOENT;
    if (is_new) error = check_new(p, flags);
    else if (!error && (flags & MOTE_VFS_EXCLUSIVE)) error = MOTE_VFS_EEXIST;
    if (!error) error = mote__snapshot_new(p->files, p->key, is_new ? NULL : &item, out);
    mote_parts_op_deinit(&op);
    if (!error) apply_flags(p->files, *out, flags, is_new);
    return error;
}

static mote_vfs_error open_file(const struct place *p, unsigned flags, mote_vfs_node **out) {
    struct snapshot *s = mote__snapshot_find(p->files, p->key);
    bool is_first = !s;
    mote_vfs_error error = MOTE_VFS_OK;
    if (s && (flags & MOTE_VFS_EXCLUSIVE)) return MOTE_VFS_EEXIST;
    if (s) apply_flags(p->files, s, flags, false);
    else error = take_snapshot(p, flags, &s);
    if (error) return error;
    error = file_new(p->mount, s, flags, out);
    if (error && !s->opens) mote__snapshot_free(p->files, s);
    if (!error && is_first && s->is_dirty) file_of(*out)->commits = true; /* it has made the file */
    return error;
}

static mote_vfs_error open_directory(const struct place *p, mote_vfs_node **out) {
    bool directory, file = false;
    mote_vfs_error error = is_directory(p, &directory);
    if (!error && !directory) error = is_file(p, &file);
    if (error) return error;
    return directory ? folder_new(p->mount, p->key, out)
           : file    ? MOTE_VFS_ENOTDIR
                     : MOTE_VFS_ENOENT;
}

static mote_vfs_error open_locked(const struct place *p, unsigned flags, mote_vfs_node **out) {
    const unsigned changes = MOTE_VFS_WRITE | MOTE_VFS_CREATE | MOTE_VFS_TRUNCATE;
    bool directory = p->only_directory || (flags & MOTE_VFS_ONLY_DIRECTORY) || is_root(p);
    if (directory && (flags & MOTE_VFS_CREATE))
        return is_root(p) ? MOTE_VFS_EEXIST : MOTE_VFS_EISDIR;
    if (directory) return open_directory(p, out);
    if (is_read_only(p->mount) && (flags & changes)) return MOTE_VFS_EROFS;
    mote_vfs_error error = open_file(p, flags, out);
    /* Reading a directory as it is, as open(2) does without O_DIRECTORY. */
    return error == MOTE_VFS_EISDIR && !(flags & changes) ? open_directory(p, out) : error;
}

static mote_vfs_error folder_open(mote_vfs_node *dir, const char *path, unsigned flags,
                                  mote_vfs_node **out) {
    struct place p;
    mote_vfs_error error = resolve(folder_of(dir), path, &p);
    if (error) return error;
    lock(p.mount);
    return unlock(p.mount, open_locked(&p, flags, out));
}

static mote_vfs_error folder_close(mote_vfs_node *node) {
    struct folder *folder = folder_of(node);
    struct mount *m = folder->mount;
    struct mote_parts *parts = m->files->component->parts;
    mote__parts_enter(parts);
    mote__free(m->allocator, folder, sizeof *folder + folder->size + 1);
    mount_release(m);
    mote__parts_leave(parts);
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- attributes */

static mote_vfs_error stat_stored(const struct place *p, mote_vfs_stat *out) {
    mote_parts_item item;
    mote_parts_op op;
    bool directory = false;
    mote_vfs_error error = mote__files_fetch(p->files, p->key, &item, &op);
    if (!error) fill_stat(p->files, p->key, MOTE_VFS_FILE, item.found.size, item.modified_ns, out);
    mote_parts_op_deinit(&op);
    if (error != MOTE_VFS_ENOENT) return error;
    error = is_directory(p, &directory);
    if (directory) fill_stat(p->files, p->key, MOTE_VFS_DIRECTORY, 0, 0, out);
    return error ? error : directory ? MOTE_VFS_OK : MOTE_VFS_ENOENT;
}

static mote_vfs_error stat_locked(const struct place *p, mote_vfs_stat *out) {
    const struct snapshot *s = mote__snapshot_find(p->files, p->key);
    if (s)
        return fill_stat(p->files, p->key, MOTE_VFS_FILE, s->size, s->modified_ns, out),
               MOTE_VFS_OK;
    if (!is_root(p) && !mote__made_find(p->files, p->key)) return stat_stored(p, out);
    fill_stat(p->files, p->key, MOTE_VFS_DIRECTORY, 0, 0, out);
    return MOTE_VFS_OK;
}

static mote_vfs_error folder_stat_at(mote_vfs_node *dir, const char *path, bool follow,
                                     mote_vfs_stat *out) {
    struct place p;
    (void)follow;
    mote_vfs_error error = resolve(folder_of(dir), path, &p);
    if (error) return error;
    lock(p.mount);
    error = stat_locked(&p, out);
    if (!error && p.only_directory && out->type != MOTE_VFS_DIRECTORY) error = MOTE_VFS_ENOTDIR;
    return unlock(p.mount, error);
}

static mote_vfs_error folder_stat(mote_vfs_node *node, mote_vfs_stat *out) {
    const struct folder *folder = folder_of(node);
    fill_stat(folder->mount->files, folder->key, MOTE_VFS_DIRECTORY, 0, 0, out);
    return MOTE_VFS_OK;
}

static mote_vfs_error folder_set_times_at(mote_vfs_node *dir, const char *path, bool follow,
                                          const mote_vfs_times *times) {
    mote_vfs_stat st;
    mote_vfs_error error = folder_stat_at(dir, path, follow, &st);
    return error ? error : set_times(dir, times);
}

/* ---------------------------------------------------------------- making and removing */

static mote_vfs_error make_locked(const struct place *p) {
    mote_vfs_stat st;
    mote_vfs_error error = stat_locked(p, &st);
    if (!error) return MOTE_VFS_EEXIST;
    return error == MOTE_VFS_ENOENT ? mote__made_add(p->files, p->key, p->size) : error;
}

static mote_vfs_error delete_key(struct files *files, const char *key) {
    mote_parts_item item = {.key = key_bytes(key)};
    mote_parts_op op = {.verb = MOTE_PARTS_DELETE, .items = &item, .item_count = 1};
    mote_vfs_error error = mote__files_ask(files, &op, "removing", key);
    mote_parts_op_deinit(&op);
    return error;
}

static mote_vfs_error delete_mark(const struct place *p) {
    char key[KEY_MAX + 1];
    inside(p->mount, p->key, key);
    return delete_key(p->files, key);
}

/* The store is asked once what is in the directory: others may empty it meanwhile. */
static mote_vfs_error remove_locked(const struct place *p) {
    enum content content;
    bool file = false, made = mote__made_find(p->files, p->key);
    if (is_root(p)) return MOTE_VFS_EBUSY;
    mote_vfs_error error = made ? MOTE_VFS_OK : is_file(p, &file);
    if (file) return MOTE_VFS_ENOTDIR;
    if (!error) error = look_inside(p, &content);
    if (error) return error;
    if (content == CONTENT_MORE) return MOTE_VFS_ENOTEMPTY;
    if (content == CONTENT_NOTHING && !made) return MOTE_VFS_ENOENT;
    error = remember_parents(p);
    if (!error && content == CONTENT_MARK) error = delete_mark(p);
    if (!error) mote__made_remove(p->files, p->key);
    return error;
}

/* At once, as on Linux: those who have the file open keep it for themselves. */
static mote_vfs_error unlink_locked(const struct place *p) {
    mote_vfs_stat st;
    struct snapshot *s = mote__snapshot_find(p->files, p->key);
    mote_vfs_error error = stat_locked(p, &st);
    if (error) return error;
    if (st.type == MOTE_VFS_DIRECTORY) return MOTE_VFS_EISDIR;
    if (p->only_directory) return MOTE_VFS_ENOTDIR;
    error = remember_parents(p);
    if (!error && (!s || s->exists)) error = delete_key(p->files, p->key);
    if (!error && s) s->is_detached = true;
    return error;
}

/* The operations on one path that change something. */
static mote_vfs_error change(mote_vfs_node *dir, const char *path,
                             mote_vfs_error (*what)(const struct place *p)) {
    struct place p;
    mote_vfs_error error = resolve(folder_of(dir), path, &p);
    if (!error && is_read_only(p.mount)) error = MOTE_VFS_EROFS;
    if (error) return error;
    lock(p.mount);
    return unlock(p.mount, what(&p));
}

static mote_vfs_error folder_make(mote_vfs_node *dir, const char *path) {
    return change(dir, path, make_locked);
}
static mote_vfs_error folder_remove(mote_vfs_node *dir, const char *path) {
    return change(dir, path, remove_locked);
}
static mote_vfs_error folder_unlink(mote_vfs_node *dir, const char *path) {
    return change(dir, path, unlink_locked);
}

/* ---------------------------------------------------------------- renaming */

/* Writes the new key and removes the old one in one transaction; the old one must still be what was
 * read. Who has the source open goes with it; `key` is the new one, for the snapshot. */
static mote_vfs_error move_key(const struct place *from, const struct place *to,
                               struct snapshot *source, char **key) {
    mote_parts_item item, items[2];
    mote_parts_op get, op;
    mote_vfs_error error = mote__files_fetch(from->files, from->key, &item, &get);
    if (!error) {
        items[0] = (mote_parts_item){.key = {to->key, to->size}, .value = item.found};
        items[1] = (mote_parts_item){
            .key = {from->key, from->size}, .etag = item.version, .flags = MOTE_PARTS_REMOVE};
        op = (mote_parts_op){.verb = MOTE_PARTS_TRANSACT, .items = items, .item_count = 2};
        error = mote__files_ask(from->files, &op, "renaming", from->key);
        if (!error && source) {
            mote__snapshot_move(from->files, source, *key, &item, &items[0]);
            *key = NULL;
        }
        mote_parts_op_deinit(&op);
    }
    mote_parts_op_deinit(&get);
    return error;
}

/* What can be renamed, and to where. */
static mote_vfs_error check_rename(const struct place *from, const struct place *to) {
    mote_vfs_stat st;
    mote_vfs_error error = stat_locked(from, &st);
    if (error) return error;
    if (st.type == MOTE_VFS_DIRECTORY)
        return MOTE_VFS_ENOTSUP; /* no store renames a prefix in one step */
    if (from->only_directory) return MOTE_VFS_ENOTDIR;
    error = stat_locked(to, &st);
    if (!error && st.type == MOTE_VFS_DIRECTORY) return MOTE_VFS_EISDIR;
    if (error && error != MOTE_VFS_ENOENT) return error;
    return to->only_directory ? MOTE_VFS_ENOTDIR : MOTE_VFS_OK;
}

/* A target that is open is replaced: who has it keeps it for himself. */
static mote_vfs_error rename_locked(const struct place *from, const struct place *to) {
    struct files *files = from->files;
    struct snapshot *source = mote__snapshot_find(files, from->key),
                    *target = mote__snapshot_find(files, to->key);
    mote_vfs_error error = check_rename(from, to);
    if (error || !strcmp(from->key, to->key)) return error; /* two mounts may show one key */
    char *key = mote__alloc(files->allocator, to->size + 1);
    if (!key) return MOTE_VFS_ENOMEM;
    memcpy(key, to->key, to->size + 1);
    error = remember_parents(from);
    if (!error && source) error = mote__snapshot_commit(files, source);
    if (!error) error = move_key(from, to, source, &key);
    if (key) mote__free(files->allocator, key, to->size + 1);
    if (!error && target) target->is_detached = true;
    return error;
}

static mote_vfs_error folder_rename(mote_vfs_node *dir, const char *path, mote_vfs_node *to,
                                    const char *to_path) {
    struct place p, q;
    mote_vfs_error error = resolve(folder_of(dir), path, &p);
    if (!error) error = resolve(folder_of(to), to_path, &q);
    if (error) return error;
    if (p.files != q.files) return MOTE_VFS_EXDEV;
    if (is_read_only(p.mount)) return MOTE_VFS_EROFS;
    if (is_root(&p) || is_root(&q)) return MOTE_VFS_EBUSY;
    lock(p.mount);
    return unlock(p.mount, rename_locked(&p, &q));
}

/* ---------------------------------------------------------------- listing */

/* One listing: each name goes out once, keys come in any order. */
struct listing {
    struct files *files;
    struct arena arena;
    struct map names; /* name -> its type */
    char prefix[KEY_MAX + 1];
    mote_parts_bytes last;
    size_t last_capacity;
};

/* Notes a name. What no path can say ("", ".", "..", a name that is too long) is left out. */
static mote_vfs_error note_name(struct listing *l, const char *name, size_t size, bool directory) {
    bool dots = name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.'));
    if (!size || dots || size > MOTE_VFS_PATH_MAX) return MOTE_VFS_OK;
    uint64_t *known = mote__map_get(&l->names, name, size);
    if (known && !directory) *known = MOTE_VFS_FILE; /* a key that is a prefix too is a file */
    if (known) return MOTE_VFS_OK;
    char *copy = mote__arena_string(&l->arena, name, size);
    uint64_t *value = copy ? mote__map_put(&l->names, copy, size, &(bool){false}) : NULL;
    if (!value) return MOTE_VFS_ENOMEM;
    *value = directory ? MOTE_VFS_DIRECTORY : MOTE_VFS_FILE;
    return MOTE_VFS_OK;
}

/* Notes the first component of what lies below the folder. */
static mote_vfs_error note(struct listing *l, const char *rest, size_t size, bool directory) {
    const char *slash = memchr(rest, '/', size);
    return note_name(l, rest, slash ? (size_t)(slash - rest) : size, slash || directory);
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
static mote_vfs_error list_page(struct listing *l, bool *more) {
    const mote_parts_bytes prefix = key_bytes(l->prefix);
    const struct parts_driver *driver = l->files->component->driver;
    bool walks = driver && driver->walks;
    mote_parts_op op = {.verb = MOTE_PARTS_KEYS,
                        .limit = walks ? LIST_PAGE_OF_WALKERS : LIST_PAGE,
                        .prefix = prefix,
                        .after = l->last};
    mote_vfs_error error = mote__files_ask(l->files, &op, "listing", l->prefix);
    for (size_t i = 0; i < op.item_count && !error; i++) {
        const mote_parts_bytes *key = &op.items[i].key;
        error = note(l, (const char *)key->data + prefix.size, key->size - prefix.size, false);
    }
    *more = !error && op.more && op.item_count;
    if (*more) error = keep_last(l, &op.items[op.item_count - 1].key);
    mote_parts_op_deinit(&op);
    return error;
}

static mote_vfs_error note_local(void *context, const char *rest, bool directory) {
    return note(context, rest, strlen(rest), directory);
}

static mote_vfs_error list_locked(struct listing *l) {
    mote_vfs_error error = MOTE_VFS_OK;
    for (bool more = true; more && !error;) error = list_page(l, &more);
    return error ? error : mote__files_each(l->files, l->prefix, note_local, l);
}

static mote_vfs_error tell(const struct listing *l, mote_vfs_list_fn each, void *context) {
    mote_vfs_error error = MOTE_VFS_OK;
    char key[KEY_MAX + MOTE_VFS_PATH_MAX + 1];
    for (size_t i = 0; i < l->names.capacity && !error; i++) {
        const struct map_entry *at = &l->names.entries[i];
        if (!at->key) continue;
        snprintf(key, sizeof key, "%s%s", l->prefix, (const char *)at->key);
        error = each(context, at->key, at->key_bytes, inode_of(key), (mote_vfs_type)at->value);
    }
    return error;
}

static mote_vfs_error folder_list(mote_vfs_node *dir, mote_vfs_list_fn each, void *context) {
    struct mount *m = folder_of(dir)->mount;
    struct listing l = {.files = m->files};
    inside(m, folder_of(dir)->key, l.prefix);
    mote__arena_init(&l.arena, m->allocator);
    mote__map_init(&l.names, m->allocator);
    lock(m);
    mote_vfs_error error = unlock(m, list_locked(&l));
    if (!error) error = tell(&l, each, context);
    mote__map_deinit(&l.names);
    mote__arena_deinit(&l.arena);
    return error;
}

static const mote_vfs_ops folder_ops = {.name = "directory of a component",
                                        .close = folder_close,
                                        .stat = folder_stat,
                                        .set_times = set_times,
                                        .open = folder_open,
                                        .stat_at = folder_stat_at,
                                        .set_times_at = folder_set_times_at,
                                        .make_directory = folder_make,
                                        .remove_directory = folder_remove,
                                        .unlink = folder_unlink,
                                        .rename = folder_rename,
                                        .list = folder_list};

/* ---------------------------------------------------------------- mounting */

static mote_status check_prefix(const char *prefix, mote_error *error) {
    if (strlen(prefix) <= MOTE_VFS_PATH_MAX && !check_key(prefix)) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                           "`%.60s` cannot be the prefix of keys", prefix);
}

/* NULL when out of memory. The mount waits for its first node. */
static struct mount *mount_new(struct mote_parts_component *c, const char *prefix) {
    const mote_allocator *a = c->parts->allocator;
    size_t size = strlen(prefix);
    struct mount *m = MOTE__NEW(a, struct mount);
    char *copy = m ? mote__alloc(a, size + 1) : NULL;
    struct files *files = copy ? mote__files_hold(c) : NULL;
    if (files) {
        memcpy(copy, prefix, size + 1);
        *m = (struct mount){
            .files = files, .allocator = a, .prefix = copy, .prefix_size = size, .nodes = 1};
        return m;
    }
    if (copy) mote__free(a, copy, size + 1);
    mote__free(a, m, sizeof *m);
    return NULL;
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
    mote__parts_enter(parts);
    struct mount *m = mount_new(c, prefix);
    mote_vfs_error why = m ? folder_new(m, m->prefix, out) : MOTE_VFS_ENOMEM;
    if (m) mount_release(m);
    mote__parts_leave(parts);
    return why ? mote__error_nomem(error, "mounting") : MOTE_OK;
}
