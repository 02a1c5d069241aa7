/* readdir.c - fd_readdir. A directory is listed once, when a program begins at cookie 0, and kept
 * with the descriptor: cookies are indices into that list and stay good whatever happens to the
 * directory meanwhile. */
#include "process.h"

struct dir_name {
    size_t start, size; /* in the bytes of all names */
    uint64_t inode;
    uint8_t type;
};

struct dir_list {
    const mote_allocator *allocator;
    VEC(struct dir_name) names;
    VEC(char) bytes;
};

void mote__dir_list_delete(mote_wasi *wasi, struct dir_list *list) {
    mote__vec_deinit(&list->names, wasi->allocator);
    mote__vec_deinit(&list->bytes, wasi->allocator);
    MOTE__DELETE(wasi->allocator, list);
}

static mote_vfs_error add_name(void *context, const char *name, size_t size, uint64_t inode,
                               mote_vfs_type type) {
    struct dir_list *list = context;
    if (!mote__vec_reserve(&list->bytes, list->allocator, size)) return MOTE_VFS_ENOMEM;
    struct dir_name *at = mote__vec_push(&list->names, list->allocator);
    if (!at) return MOTE_VFS_ENOMEM;
    *at = (struct dir_name){
        .start = list->bytes.count, .size = size, .inode = inode, .type = (uint8_t)type};
    memcpy(list->bytes.data + list->bytes.count, name, size);
    list->bytes.count += size;
    return MOTE_VFS_OK;
}

static mote_vfs_error fill_list(struct dir_list *list, mote_vfs_node *dir) {
    mote_vfs_stat st = {0};
    mote_vfs_error error = dir->ops->stat ? dir->ops->stat(dir, &st) : MOTE_VFS_OK;
    if (!error) error = add_name(list, ".", 1, st.inode, MOTE_VFS_DIRECTORY);
    if (!error)
        error = add_name(list, "..", 2, st.inode,
                         MOTE_VFS_DIRECTORY); /* what is above is not the program's business */
    return error ? error : dir->ops->list(dir, add_name, list);
}

/* Lists the directory anew. */
static mote_vfs_error refresh(const struct call *c, struct description *d) {
    if (!d->node->ops->list) return MOTE_VFS_ENOTSUP;
    struct dir_list *list = MOTE__NEW(c->wasi->allocator, struct dir_list);
    if (!list) return MOTE_VFS_ENOMEM;
    list->allocator = c->wasi->allocator;
    mote_vfs_error error = fill_list(list, d->node);
    if (error) return mote__dir_list_delete(c->wasi, list), error;
    if (d->list) mote__dir_list_delete(c->wasi, d->list);
    d->list = list;
    return MOTE_VFS_OK;
}

/* Copies what fits and returns how much that was. */
static size_t put_cut(uint8_t *at, size_t room, const void *bytes, size_t size) {
    size_t taken = size < room ? size : room;
    if (taken) memcpy(at, bytes, taken);
    return taken;
}

/* Entries from `index` on; the last may be cut off, which tells the program that there are more. */
static size_t put_entries(const struct dir_list *list, uint64_t index, uint8_t *at, size_t room) {
    size_t used = 0;
    for (; index < list->names.count && used < room; index++) {
        const struct dir_name *name = &list->names.data[index];
        uint8_t head[WASI_DIRENT_BYTES] = {0};
        mote__store_u64(head, index + 1);
        mote__store_u64(head + 8, name->inode);
        mote__store_u32(head + 16, (uint32_t)name->size);
        head[20] = name->type;
        used += put_cut(at + used, room - used, head, sizeof head);
        used += put_cut(at + used, room - used, list->bytes.data + name->start, name->size);
    }
    return used;
}

mote_vfs_error mote__wasi_fd_readdir(struct call *c, uint32_t fd, uint32_t buffer, uint32_t size,
                                     uint64_t cookie, uint32_t out) {
    struct description *d;
    size_t used = 0;
    mote_vfs_error error = mote__table_hold(c->wasi, fd, WASI_FD_READDIR, &d);
    if (error) return error;
    uint8_t *at = guest_at(c, buffer, size);
    if (!at) error = MOTE_VFS_EFAULT;
    mote__os_mutex_lock(&d->lock);
    if (!error && (!cookie || !d->list)) error = refresh(c, d);
    if (!error) used = put_entries(d->list, cookie, at, size);
    mote__os_mutex_unlock(&d->lock);
    mote__description_release(c->wasi, d);
    return error ? error : guest_put_u32(c, out, (uint32_t)used);
}
