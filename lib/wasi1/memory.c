/* memory.c - a tree of files in memory: directories, files, symbolic and hard links, under one lock
 * and one limit of bytes.
 * Keeps: tree->bytes is what all inodes, names and contents take; an inode lives while it has a
 * name or an open node (inode.links + inode.opens); paths are resolved under the lock, never above
 * the directory that they start from. */
#include <mote/vfs.h>
#include "base/alloc.h"
#include "base/vec.h"
#include "os/os.h"
#include "vfs_dir.h"
#include <assert.h>

enum { NAME_BYTES_MAX = 255, ENTRY_COST = 64 };

struct tree {
    const mote_allocator *allocator;
    struct os_mutex lock;
    uint64_t bytes, bytes_max, next_inode;
    size_t opens; /* nodes held from outside; the tree goes with the last */
    struct inode *root;
};

struct entry {
    char *name; /* size bytes and a NUL */
    size_t size;
    struct inode *inode;
};

struct inode {
    uint64_t number, accessed, modified, changed;
    uint32_t links, opens;
    uint8_t type;
    struct inode *parent;      /* directories; NULL for the root and for removed ones */
    VEC(struct entry) entries; /* directories, sorted by name */
    uint8_t *data;             /* files: contents; links: target */
    size_t size, capacity;
};

struct memory {
    mote_vfs_node node;
    struct tree *tree;
    struct inode *inode;
};

static struct memory *of(mote_vfs_node *node) { return (struct memory *)node; }
static void lock(mote_vfs_node *node) { mote__os_mutex_lock(&of(node)->tree->lock); }
static mote_vfs_error unlock(mote_vfs_node *node, mote_vfs_error error) {
    mote__os_mutex_unlock(&of(node)->tree->lock);
    return error;
}

static uint64_t present(void) { return mote__os_clock_ns(OS_CLOCK_REALTIME); }

/* ---------------------------------------------------------------- inodes */

/* Takes `bytes` out of what the tree may hold. */
static bool charge(struct tree *tree, uint64_t bytes) {
    if (tree->bytes_max && bytes > tree->bytes_max - tree->bytes) return false;
    tree->bytes += bytes;
    return true;
}

static mote_vfs_error inode_new(struct tree *tree, mote_vfs_type type, struct inode **out) {
    if (!charge(tree, sizeof(struct inode))) return MOTE_VFS_ENOSPC;
    struct inode *inode = MOTE__NEW(tree->allocator, struct inode);
    if (!inode) return tree->bytes -= sizeof *inode, MOTE_VFS_ENOMEM;
    inode->number = ++tree->next_inode;
    inode->type = (uint8_t)type;
    inode->accessed = inode->modified = inode->changed = present();
    *out = inode;
    return MOTE_VFS_OK;
}

static void entry_free(struct tree *tree, struct entry *entry) {
    tree->bytes -= ENTRY_COST + entry->size;
    mote__free(tree->allocator, entry->name, entry->size + 1);
}

/* Frees an inode that has neither names nor open nodes; a directory is empty then. */
static void inode_drop(struct tree *tree, struct inode *inode) {
    if (inode->links || inode->opens) return;
    mote__vec_deinit(&inode->entries, tree->allocator);
    mote__free(tree->allocator, inode->data, inode->capacity);
    tree->bytes -= sizeof *inode + inode->capacity;
    MOTE__DELETE(tree->allocator, inode);
}

/* Gives a file room for `size` bytes, zeroed from the old size on; *size does not change. */
static mote_vfs_error inode_reserve(struct tree *tree, struct inode *inode, uint64_t size) {
    if (size <= inode->capacity) return MOTE_VFS_OK;
    if (size > PTRDIFF_MAX) return MOTE_VFS_EFBIG;
    uint64_t capacity = inode->capacity * 2 > size ? inode->capacity * 2 : size;
    if (!charge(tree, capacity - inode->capacity)) {
        capacity = size;
        if (!charge(tree, capacity - inode->capacity)) return MOTE_VFS_ENOSPC;
    }
    uint8_t *data =
        mote__realloc_array(tree->allocator, inode->data, inode->capacity, (size_t)capacity, 1);
    if (!data) return tree->bytes -= capacity - inode->capacity, MOTE_VFS_ENOSPC;
    memset(data + inode->capacity, 0, (size_t)capacity - inode->capacity);
    inode->data = data;
    inode->capacity = (size_t)capacity;
    return MOTE_VFS_OK;
}

static mote_vfs_error inode_resize(struct tree *tree, struct inode *inode, uint64_t size) {
    mote_vfs_error error = inode_reserve(tree, inode, size);
    if (error) return error;
    if (size < inode->size) memset(inode->data + size, 0, inode->size - (size_t)size);
    inode->size = (size_t)size;
    inode->modified = inode->changed = present();
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- names */

static int compare(const struct entry *entry, const char *name, size_t size) {
    int order = memcmp(entry->name, name, entry->size < size ? entry->size : size);
    return order ? order : (entry->size > size) - (entry->size < size);
}

/* Index of a name, or of where it would be. */
static size_t entry_find(const struct inode *dir, const char *name, size_t size, bool *found) {
    size_t low = 0, high = dir->entries.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&dir->entries.data[middle], name, size);
        if (!order) return *found = true, middle;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    *found = false;
    return low;
}

static struct inode *dir_get(const struct inode *dir, const char *name, size_t size) {
    bool found;
    size_t index = entry_find(dir, name, size, &found);
    return found ? dir->entries.data[index].inode : NULL;
}

static void touch(struct inode *inode) { inode->modified = inode->changed = present(); }

/* Adds a name that is not there. */
static mote_vfs_error dir_add(struct tree *tree, struct inode *dir, const char *name, size_t size,
                              struct inode *inode) {
    bool found, removed = !dir->links;
    size_t index = entry_find(dir, name, size, &found);
    if (removed) return MOTE_VFS_ENOENT;
    if (!charge(tree, ENTRY_COST + size)) return MOTE_VFS_ENOSPC;
    char *copy = mote__alloc(tree->allocator, size + 1);
    if (!copy || !mote__vec_push(&dir->entries, tree->allocator)) {
        mote__free(tree->allocator, copy, size + 1);
        return tree->bytes -= ENTRY_COST + size, MOTE_VFS_ENOMEM;
    }
    memcpy(copy, name, size);
    copy[size] = 0;
    struct entry *at = &dir->entries.data[index];
    memmove(at + 1, at, (dir->entries.count - 1 - index) * sizeof *at);
    *at = (struct entry){.name = copy, .size = size, .inode = inode};
    inode->links++;
    if (inode->type == MOTE_VFS_DIRECTORY) inode->parent = dir;
    touch(dir);
    return MOTE_VFS_OK;
}

/* Lets a name that is there mean another inode; the old one goes when that was its last name. */
static void dir_replace(struct tree *tree, struct inode *dir, const char *name, size_t size,
                        struct inode *inode) {
    bool found;
    struct entry *at = &dir->entries.data[entry_find(dir, name, size, &found)];
    struct inode *old = at->inode;
    at->inode = inode;
    inode->links++;
    old->links--;
    old->parent = NULL;
    touch(dir);
    inode_drop(tree, old);
}

/* Takes a name away that is there; its inode goes when that was the last. */
static void dir_remove(struct tree *tree, struct inode *dir, const char *name, size_t size) {
    bool found;
    size_t index = entry_find(dir, name, size, &found);
    struct entry *at = &dir->entries.data[index];
    struct inode *inode = at->inode;
    entry_free(tree, at);
    memmove(at, at + 1, (--dir->entries.count - index) * sizeof *at);
    inode->links--;
    inode->changed = present();
    if (inode->type == MOTE_VFS_DIRECTORY) inode->parent = NULL;
    touch(dir);
    inode_drop(tree, inode);
}

/* ---------------------------------------------------------------- paths */

/* Where a path leads: the directory of its last component, that component, and what it is (NULL:
 * nothing yet). Without a last component (".", "..", "a/..") `name` is "." and `inode` is the
 * directory itself. */
struct place {
    struct inode *dir, *inode;
    const char *name; /* in text */
    size_t size;
    bool directory; /* a slash, "." or ".." at the end */
    char text[MOTE_VFS_PATH_MAX + 1];
};

/* Replaces the link's name and what was before it by the link's target; `rest` is what follows it
 * in place->text. */
static mote_vfs_error splice(struct place *place, const struct inode *link, const char *rest,
                             unsigned *links) {
    size_t left = strlen(rest);
    if (++*links > MOTE_VFS_SYMLINKS_MAX) return MOTE_VFS_ELOOP;
    if (link->size + left > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    if (link->data[0] == '/') return MOTE_VFS_EPERM;
    memmove(place->text + link->size, rest, left + 1);
    memcpy(place->text, link->data, link->size);
    return MOTE_VFS_OK;
}

static mote_vfs_error go_up(const struct inode *top, struct inode **dir) {
    if (*dir == top) return MOTE_VFS_EPERM;
    if (!(*dir)->parent) return MOTE_VFS_ENOENT; /* removed under us */
    *dir = (*dir)->parent;
    return MOTE_VFS_OK;
}

/* Takes one component, of `size` bytes; *rest moves behind it, or to the start of a link's
 * target. */
static mote_vfs_error step(struct inode *top, struct place *place, char **rest, size_t size,
                           bool follow, unsigned *links) {
    char *name = *rest, *after = name + size, *next = after + strspn(after, "/");
    bool last = !*next;
    place->name = name;
    place->size = size;
    place->directory = last && *after == '/';
    *rest = next;
    if (size == 1 && name[0] == '.')
        return place->inode = place->dir, place->directory = true, MOTE_VFS_OK;
    if (size == 2 && name[0] == '.' && name[1] == '.') {
        mote_vfs_error error = go_up(top, &place->dir);
        return place->inode = place->dir, place->directory = true, error;
    }
    if (size > NAME_BYTES_MAX) return MOTE_VFS_ENAMETOOLONG;
    place->inode = dir_get(place->dir, name, size);
    bool is_link = place->inode && place->inode->type == MOTE_VFS_SYMLINK;
    if (is_link && (!last || follow)) {
        mote_vfs_error error = splice(place, place->inode, after, links);
        return *rest = place->text, place->inode = place->dir, error;
    }
    if (last) return MOTE_VFS_OK;
    if (!place->inode) return MOTE_VFS_ENOENT;
    if (place->inode->type != MOTE_VFS_DIRECTORY) return MOTE_VFS_ENOTDIR;
    place->dir = place->inode;
    return MOTE_VFS_OK;
}

/* Finds the place of a path, starting from and never above `top`. */
static mote_vfs_error locate(struct inode *top, const char *path, bool follow,
                             struct place *place) {
    unsigned links = 0;
    mote_vfs_error error = MOTE_VFS_OK;
    if (*path == '/') return MOTE_VFS_EPERM;
    if (!*path) return MOTE_VFS_ENOENT;
    *place->text = 0;
    char *rest = memcpy(place->text, path, strlen(path) + 1);
    place->dir = place->inode = top;
    while (!error && *rest) {
        size_t size = strcspn(rest, "/");
        error = step(top, place, &rest, size, follow, &links);
    }
    return error;
}

/* A link with a slash behind it means what it points to. */
static bool follows(const char *path, bool follow) {
    size_t size = strlen(path);
    return follow || (size && path[size - 1] == '/');
}

/* The same for what must be there. */
static mote_vfs_error locate_existing(struct inode *top, const char *path, bool follow,
                                      struct place *place) {
    mote_vfs_error error = locate(top, path, follow, place);
    if (error) return error;
    if (!place->inode) return MOTE_VFS_ENOENT;
    return place->directory && place->inode->type != MOTE_VFS_DIRECTORY ? MOTE_VFS_ENOTDIR
                                                                        : MOTE_VFS_OK;
}

static bool is_dots(const struct place *place) { return place->inode == place->dir; }

/* ---------------------------------------------------------------- nodes */

static const mote_vfs_ops file_ops, dir_ops;

static mote_vfs_error node_new(struct tree *tree, struct inode *inode, mote_vfs_node **out) {
    struct memory *memory = MOTE__NEW(tree->allocator, struct memory);
    if (!memory) return MOTE_VFS_ENOMEM;
    bool is_dir = inode->type == MOTE_VFS_DIRECTORY;
    mote_vfs_node_init(&memory->node, is_dir ? &dir_ops : &file_ops, (mote_vfs_type)inode->type,
                       is_dir ? 0 : MOTE_VFS_SEEKABLE);
    memory->tree = tree;
    memory->inode = inode;
    inode->opens++;
    tree->opens++;
    *out = &memory->node;
    return MOTE_VFS_OK;
}

/* Takes all names out of a directory; directories that nobody names any more go onto a list,
 * chained by `parent`: trees may be too deep to recurse. */
static void empty_onto(struct tree *tree, struct inode *dir, struct inode **list) {
    for (size_t i = 0; i < dir->entries.count; i++) {
        struct inode *child = dir->entries.data[i].inode;
        entry_free(tree, &dir->entries.data[i]);
        child->links--;
        if (child->type == MOTE_VFS_DIRECTORY) child->parent = *list, *list = child;
        else inode_drop(tree, child);
    }
    dir->entries.count = 0;
}

/* No node is open. */
static void tree_delete(struct tree *tree) {
    struct inode *list = tree->root;
    tree->root->links = 0;
    tree->root->parent = NULL;
    while (list) {
        struct inode *dir = list;
        list = dir->parent;
        empty_onto(tree, dir, &list);
        inode_drop(tree, dir);
    }
    assert(tree->bytes == 0);
    MOTE__DELETE(tree->allocator, tree);
}

static mote_vfs_error memory_close(mote_vfs_node *node) {
    struct tree *tree = of(node)->tree;
    lock(node);
    of(node)->inode->opens--;
    inode_drop(tree, of(node)->inode);
    bool last = --tree->opens == 0;
    unlock(node, MOTE_VFS_OK);
    MOTE__DELETE(tree->allocator, of(node));
    if (last) tree_delete(tree);
    return MOTE_VFS_OK;
}

static void fill_stat(const struct inode *inode, mote_vfs_stat *out) {
    *out = (mote_vfs_stat){.device = 1,
                           .inode = inode->number,
                           .link_count = inode->links,
                           .size = inode->size,
                           .accessed = inode->accessed,
                           .modified = inode->modified,
                           .changed = inode->changed,
                           .type = inode->type};
}

static mote_vfs_error memory_stat(mote_vfs_node *node, mote_vfs_stat *out) {
    lock(node);
    fill_stat(of(node)->inode, out);
    return unlock(node, MOTE_VFS_OK);
}

static void apply_times(struct inode *inode, const mote_vfs_times *times) {
    uint64_t now = present();
    if (times->set_accessed || times->set_accessed_now)
        inode->accessed = times->set_accessed ? times->accessed : now;
    if (times->set_modified || times->set_modified_now)
        inode->modified = times->set_modified ? times->modified : now;
    inode->changed = now;
}

static mote_vfs_error memory_set_times(mote_vfs_node *node, const mote_vfs_times *times) {
    lock(node);
    apply_times(of(node)->inode, times);
    return unlock(node, MOTE_VFS_OK);
}

/* ---------------------------------------------------------------- files */

static mote_vfs_error file_pread(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                 uint64_t offset, size_t *done) {
    const struct inode *inode = of(node)->inode;
    *done = 0;
    lock(node);
    for (size_t i = 0; i < count && offset + *done < inode->size; i++) {
        size_t at = (size_t)offset + *done, left = inode->size - at,
               size = pieces[i].size < left ? pieces[i].size : left;
        if (size) memcpy(pieces[i].data, inode->data + at, size);
        *done += size;
    }
    return unlock(node, MOTE_VFS_OK);
}

static mote_vfs_error write_at(struct memory *memory, const mote_vfs_iovec *pieces, size_t count,
                               uint64_t offset, size_t *done) {
    struct inode *inode = memory->inode;
    uint64_t bytes = 0;
    *done = 0;
    for (size_t i = 0; i < count; i++) bytes += pieces[i].size;
    if (!bytes) return MOTE_VFS_OK;
    if (offset > PTRDIFF_MAX - bytes) return MOTE_VFS_EFBIG;
    mote_vfs_error error = inode_reserve(memory->tree, inode, offset + bytes);
    if (error) return error;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size) memcpy(inode->data + offset + *done, pieces[i].data, pieces[i].size);
        *done += pieces[i].size;
    }
    if (offset + bytes > inode->size) inode->size = (size_t)(offset + bytes);
    touch(inode);
    return MOTE_VFS_OK;
}

static mote_vfs_error file_pwrite(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  uint64_t offset, size_t *done) {
    lock(node);
    return unlock(node, write_at(of(node), pieces, count, offset, done));
}

static mote_vfs_error file_append(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  uint64_t *offset, size_t *done) {
    lock(node);
    *offset = of(node)->inode->size;
    return unlock(node, write_at(of(node), pieces, count, *offset, done));
}

static mote_vfs_error file_set_size(mote_vfs_node *node, uint64_t size) {
    lock(node);
    return unlock(node, inode_resize(of(node)->tree, of(node)->inode, size));
}

static mote_vfs_error file_allocate(mote_vfs_node *node, uint64_t offset, uint64_t bytes) {
    if (!bytes) return MOTE_VFS_EINVAL;
    if (offset > PTRDIFF_MAX || bytes > PTRDIFF_MAX - offset) return MOTE_VFS_EFBIG;
    lock(node);
    struct inode *inode = of(node)->inode;
    bool grows = offset + bytes > inode->size;
    return unlock(node, grows ? inode_resize(of(node)->tree, inode, offset + bytes) : MOTE_VFS_OK);
}

/* ---------------------------------------------------------------- directories */

/* Makes a new inode under the place's name. */
static mote_vfs_error create(struct tree *tree, const struct place *place, mote_vfs_type type,
                             struct inode **out) {
    struct inode *inode;
    mote_vfs_error error = inode_new(tree, type, &inode);
    if (error) return error;
    error = dir_add(tree, place->dir, place->name, place->size, inode);
    if (error) inode_drop(tree, inode);
    else *out = inode;
    return error;
}

/* What opening an inode that exists is answered. */
static mote_vfs_error check_open(const struct place *place, unsigned flags) {
    bool is_dir = place->inode->type == MOTE_VFS_DIRECTORY;
    bool both = (flags & MOTE_VFS_CREATE) && (flags & MOTE_VFS_EXCLUSIVE);
    if (both) return MOTE_VFS_EEXIST;
    if (((flags & MOTE_VFS_ONLY_DIRECTORY) || place->directory) && !is_dir) return MOTE_VFS_ENOTDIR;
    if (is_dir && (flags & (MOTE_VFS_WRITE | MOTE_VFS_TRUNCATE | MOTE_VFS_CREATE)))
        return MOTE_VFS_EISDIR;
    return place->inode->type == MOTE_VFS_SYMLINK ? MOTE_VFS_ELOOP : MOTE_VFS_OK;
}

static mote_vfs_error open_place(struct tree *tree, struct place *place, unsigned flags,
                                 mote_vfs_node **out) {
    mote_vfs_error error = MOTE_VFS_OK;
    if (place->inode) error = check_open(place, flags);
    else if (!(flags & MOTE_VFS_CREATE)) error = MOTE_VFS_ENOENT;
    else if (place->directory) error = MOTE_VFS_EISDIR;
    else error = create(tree, place, MOTE_VFS_FILE, &place->inode);
    if (!error && (flags & MOTE_VFS_TRUNCATE)) error = inode_resize(tree, place->inode, 0);
    return error ? error : node_new(tree, place->inode, out);
}

static mote_vfs_error dir_open(mote_vfs_node *dir, const char *path, unsigned flags,
                               mote_vfs_node **out) {
    struct place place;
    bool exclusive = (flags & MOTE_VFS_CREATE) && (flags & MOTE_VFS_EXCLUSIVE);
    lock(dir);
    mote_vfs_error error = locate(
        of(dir)->inode, path, exclusive ? false : follows(path, flags & MOTE_VFS_FOLLOW), &place);
    return unlock(dir, error ? error : open_place(of(dir)->tree, &place, flags, out));
}

static mote_vfs_error dir_stat_at(mote_vfs_node *dir, const char *path, bool follow,
                                  mote_vfs_stat *out) {
    struct place place;
    lock(dir);
    mote_vfs_error error = locate_existing(of(dir)->inode, path, follows(path, follow), &place);
    if (!error) fill_stat(place.inode, out);
    return unlock(dir, error);
}

static mote_vfs_error dir_set_times_at(mote_vfs_node *dir, const char *path, bool follow,
                                       const mote_vfs_times *times) {
    struct place place;
    lock(dir);
    mote_vfs_error error = locate_existing(of(dir)->inode, path, follows(path, follow), &place);
    if (!error) apply_times(place.inode, times);
    return unlock(dir, error);
}

static mote_vfs_error dir_make_directory(mote_vfs_node *dir, const char *path) {
    struct place place;
    struct inode *made;
    lock(dir);
    mote_vfs_error error = locate(of(dir)->inode, path, false, &place);
    if (!error)
        error = place.inode ? MOTE_VFS_EEXIST
                            : create(of(dir)->tree, &place, MOTE_VFS_DIRECTORY, &made);
    return unlock(dir, error);
}

static mote_vfs_error dir_remove_directory(mote_vfs_node *dir, const char *path) {
    struct place place;
    lock(dir);
    mote_vfs_error error = locate_existing(of(dir)->inode, path, false, &place);
    if (!error && is_dots(&place)) error = MOTE_VFS_EINVAL;
    if (!error && place.inode->type != MOTE_VFS_DIRECTORY) error = MOTE_VFS_ENOTDIR;
    if (!error && place.inode->entries.count) error = MOTE_VFS_ENOTEMPTY;
    if (!error) dir_remove(of(dir)->tree, place.dir, place.name, place.size);
    return unlock(dir, error);
}

static mote_vfs_error dir_unlink(mote_vfs_node *dir, const char *path) {
    struct place place;
    lock(dir);
    mote_vfs_error error = locate_existing(of(dir)->inode, path, false, &place);
    if (!error && place.inode->type == MOTE_VFS_DIRECTORY) error = MOTE_VFS_EISDIR;
    if (!error) dir_remove(of(dir)->tree, place.dir, place.name, place.size);
    return unlock(dir, error);
}

static mote_vfs_error dir_read_link(mote_vfs_node *dir, const char *path, char *out, size_t size,
                                    size_t *done) {
    struct place place;
    lock(dir);
    mote_vfs_error error = locate_existing(of(dir)->inode, path, follows(path, false), &place);
    if (!error && place.inode->type != MOTE_VFS_SYMLINK) error = MOTE_VFS_EINVAL;
    if (error) return unlock(dir, error);
    *done = place.inode->size < size ? place.inode->size : size;
    if (*done) memcpy(out, place.inode->data, *done);
    return unlock(dir, MOTE_VFS_OK);
}

/* A new name that ends in a slash. */
static mote_vfs_error check_new(const struct place *place) {
    if (!place->directory) return place->inode ? MOTE_VFS_EEXIST : MOTE_VFS_OK;
    if (!place->inode) return MOTE_VFS_ENOENT;
    return place->inode->type == MOTE_VFS_DIRECTORY ? MOTE_VFS_EEXIST : MOTE_VFS_ENOTDIR;
}

static mote_vfs_error dir_make_link(mote_vfs_node *dir, const char *target, const char *path) {
    struct place place;
    struct inode *link = NULL;
    size_t size = strlen(target);
    if (*target == '/') return MOTE_VFS_EPERM;
    if (!size) return MOTE_VFS_ENOENT;
    lock(dir);
    struct tree *tree = of(dir)->tree;
    mote_vfs_error error = locate(of(dir)->inode, path, false, &place);
    if (!error) error = check_new(&place);
    if (!error) error = create(tree, &place, MOTE_VFS_SYMLINK, &link);
    if (!error) error = inode_resize(tree, link, size);
    if (error && link) dir_remove(tree, place.dir, place.name, place.size);
    if (!error) memcpy(link->data, target, size);
    return unlock(dir, error);
}

/* True when `inode` is `dir` or above it. */
static bool is_above(const struct inode *inode, const struct inode *dir) {
    while (dir && dir != inode) dir = dir->parent;
    return dir != NULL;
}

static mote_vfs_error check_rename(const struct place *from, const struct place *to) {
    bool is_dir = from->inode->type == MOTE_VFS_DIRECTORY;
    if (is_dots(from) || (to->inode && is_dots(to))) return MOTE_VFS_EBUSY;
    if (!is_dir && (from->directory || to->directory)) return MOTE_VFS_ENOTDIR;
    if (is_dir && is_above(from->inode, to->dir)) return MOTE_VFS_EINVAL;
    if (!to->inode || to->inode == from->inode) return MOTE_VFS_OK;
    bool to_dir = to->inode->type == MOTE_VFS_DIRECTORY;
    if (is_dir && !to_dir) return MOTE_VFS_ENOTDIR;
    if (!is_dir && to_dir) return MOTE_VFS_EISDIR;
    return to_dir && to->inode->entries.count ? MOTE_VFS_ENOTEMPTY : MOTE_VFS_OK;
}

static mote_vfs_error rename_place(struct tree *tree, struct place *from, struct place *to) {
    struct inode *inode = from->inode;
    mote_vfs_error error = check_rename(from, to);
    if (error || to->inode == inode) return error; /* two names of one file: nothing happens */
    if (to->inode) dir_replace(tree, to->dir, to->name, to->size, inode);
    else error = dir_add(tree, to->dir, to->name, to->size, inode);
    if (error) return error;
    dir_remove(tree, from->dir, from->name, from->size);
    if (inode->type == MOTE_VFS_DIRECTORY) inode->parent = to->dir;
    return MOTE_VFS_OK;
}

/* Runs `act` on two places under the lock of their common tree. */
static mote_vfs_error with_two(mote_vfs_node *dir, const char *path, bool follow,
                               mote_vfs_node *to_dir, const char *to_path,
                               mote_vfs_error (*act)(struct tree *tree, struct place *from,
                                                     struct place *to)) {
    struct place from, to;
    if (of(dir)->tree != of(to_dir)->tree) return MOTE_VFS_EXDEV;
    lock(dir);
    mote_vfs_error error = locate_existing(of(dir)->inode, path, follow, &from);
    if (!error) error = locate(of(to_dir)->inode, to_path, false, &to);
    if (!error) error = act(of(dir)->tree, &from, &to);
    return unlock(dir, error);
}

static mote_vfs_error dir_rename(mote_vfs_node *dir, const char *path, mote_vfs_node *to_dir,
                                 const char *to_path) {
    return with_two(dir, path, false, to_dir, to_path, rename_place);
}

static mote_vfs_error link_place(struct tree *tree, struct place *from, struct place *to) {
    if (from->inode->type == MOTE_VFS_DIRECTORY) return MOTE_VFS_EPERM;
    mote_vfs_error error = check_new(to);
    return error ? error : dir_add(tree, to->dir, to->name, to->size, from->inode);
}

static mote_vfs_error dir_link(mote_vfs_node *dir, const char *path, bool follow,
                               mote_vfs_node *to_dir, const char *to_path) {
    return with_two(dir, path, follow, to_dir, to_path, link_place);
}

static mote_vfs_error dir_list(mote_vfs_node *dir, mote_vfs_list_fn each, void *context) {
    mote_vfs_error error = MOTE_VFS_OK;
    lock(dir);
    const struct inode *inode = of(dir)->inode;
    for (size_t i = 0; !error && i < inode->entries.count; i++) {
        const struct entry *entry = &inode->entries.data[i];
        error = each(context, entry->name, entry->size, entry->inode->number,
                     (mote_vfs_type)entry->inode->type);
    }
    return unlock(dir, error);
}

/* ---------------------------------------------------------------- the tables */

static const mote_vfs_ops file_ops = {.name = "memory file",
                                      .close = memory_close,
                                      .stat = memory_stat,
                                      .set_times = memory_set_times,
                                      .pread = file_pread,
                                      .pwrite = file_pwrite,
                                      .append = file_append,
                                      .set_size = file_set_size,
                                      .allocate = file_allocate};

static const mote_vfs_ops dir_ops = {.name = "memory directory",
                                     .close = memory_close,
                                     .stat = memory_stat,
                                     .set_times = memory_set_times,
                                     DIRECTORY_OPS};

mote_vfs_error mote_vfs_memory_new(const mote_allocator *allocator, uint64_t bytes_max,
                                   mote_vfs_node **out) {
    const mote_allocator *a = allocator ? allocator : &mote__allocator_libc;
    struct tree *tree = MOTE__NEW(a, struct tree);
    if (!tree) return MOTE_VFS_ENOMEM;
    tree->allocator = a;
    tree->bytes_max = bytes_max;
    mote_vfs_error error = inode_new(tree, MOTE_VFS_DIRECTORY, &tree->root);
    if (error) return MOTE__DELETE(a, tree), error;
    tree->root->links = 1;
    error = node_new(tree, tree->root, out);
    if (error) tree_delete(tree);
    return error;
}
