/* guest.c - paths, buffers and file statistics to and from guest memory. */
#include "process.h"

mote_vfs_error mote__guest_path(const struct call *c, uint32_t pointer, uint32_t size,
                                struct guest_path *out) {
    const uint8_t *at = guest_at(c, pointer, size);
    if (!at) return MOTE_VFS_EFAULT;
    if (size > MOTE_VFS_PATH_MAX) return MOTE_VFS_ENAMETOOLONG;
    if (!size) return MOTE_VFS_ENOENT;
    memcpy(out->text, at, size);
    out->text[size] = 0;
    return memchr(out->text, 0, size) ? MOTE_VFS_EINVAL : MOTE_VFS_OK;
}

mote_vfs_error mote__guest_pieces(const struct call *c, uint32_t pointer, uint32_t count,
                                  struct guest_pieces *out) {
    const uint8_t *at = guest_at(c, pointer, (uint64_t)count * WASI_IOVEC_BYTES);
    uint64_t room =
        INT32_MAX; /* what one call reads or writes at most: the count must fit a guest's int */
    if (!at) return MOTE_VFS_EFAULT;
    out->count = 0;
    for (; count && out->count < GUEST_PIECES_MAX; count--, at += WASI_IOVEC_BYTES) {
        uint32_t data = mote__load_u32(at), size = mote__load_u32(at + 4);
        if (!size) continue;
        uint8_t *bytes = guest_at(c, data, size);
        if (!bytes) return MOTE_VFS_EFAULT;
        uint64_t taken = size < room ? size : room;
        out->list[out->count++] = (mote_vfs_iovec){bytes, (size_t)taken};
        room -= taken;
    }
    return MOTE_VFS_OK;
}

bool mote__guest_pieces_skip(struct guest_pieces *pieces, size_t size) {
    size_t whole = 0;
    while (whole < pieces->count && pieces->list[whole].size <= size)
        size -= pieces->list[whole++].size;
    pieces->count -= whole;
    memmove(pieces->list, pieces->list + whole, pieces->count * sizeof *pieces->list);
    if (!pieces->count) return false;
    pieces->list[0].data = (uint8_t *)pieces->list[0].data + size;
    pieces->list[0].size -= size;
    return true;
}

mote_vfs_error mote__put_filestat(const struct call *c, uint32_t pointer, const mote_vfs_stat *st,
                                  bool old) {
    uint8_t *at = guest_at(c, pointer, old ? WASI_FILESTAT_OLD_BYTES : WASI_FILESTAT_BYTES);
    if (!at) return MOTE_VFS_EFAULT;
    memset(at, 0, old ? WASI_FILESTAT_OLD_BYTES : WASI_FILESTAT_BYTES);
    mote__store_u64(at, st->device);
    mote__store_u64(at + 8, st->inode);
    at[16] = st->type;
    if (old)
        mote__store_u32(at + 20, st->link_count < UINT32_MAX ? (uint32_t)st->link_count : UINT32_MAX);
    else mote__store_u64(at + 24, st->link_count);
    at += old ? 24 : 32;
    mote__store_u64(at, st->size);
    mote__store_u64(at + 8, st->accessed);
    mote__store_u64(at + 16, st->modified);
    mote__store_u64(at + 24, st->changed);
    return MOTE_VFS_OK;
}

mote_vfs_error mote__take_times(uint64_t accessed, uint64_t modified, uint32_t flags,
                                mote_vfs_times *out) {
    const uint32_t accesses = WASI_ATIM | WASI_ATIM_NOW, modifications = WASI_MTIM | WASI_MTIM_NOW;
    if (flags & ~(uint32_t)WASI_FST_ALL) return MOTE_VFS_EINVAL;
    if ((flags & accesses) == accesses || (flags & modifications) == modifications)
        return MOTE_VFS_EINVAL;
    *out = (mote_vfs_times){.accessed = accessed,
                            .modified = modified,
                            .set_accessed = flags & WASI_ATIM,
                            .set_accessed_now = flags & WASI_ATIM_NOW,
                            .set_modified = flags & WASI_MTIM,
                            .set_modified_now = flags & WASI_MTIM_NOW};
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- strings of the configuration */

mote_vfs_error mote__strings_take(const mote_allocator *a, const mote_name *names, size_t count,
                                  struct strings *out) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (names[i].size && memchr(names[i].data, 0, names[i].size)) return MOTE_VFS_EINVAL;
        size += names[i].size + 1;
    }
    if (size > UINT32_MAX || count > UINT32_MAX) return MOTE_VFS_E2BIG;
    char *at = size ? mote__alloc(a, size) : NULL;
    if (size && !at) return MOTE_VFS_ENOMEM;
    *out = (struct strings){.bytes = at, .size = size, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (names[i].size) memcpy(at, names[i].data, names[i].size);
        at[names[i].size] = 0;
        at += names[i].size + 1;
    }
    return MOTE_VFS_OK;
}

void mote__strings_deinit(const mote_allocator *a, struct strings *strings) {
    mote__free(a, strings->bytes, strings->size);
}
