/* calls.h - one call from a program: guest memory, checked; the handlers' prototypes, out of
 * wasi1.def. */
#ifndef MOTE_WASI1_CALLS_H
#define MOTE_WASI1_CALLS_H

#include <mote/wasi.h>
#include <string.h>
#include "base/bytes.h"

/* A call under way. The memory is looked at once: it cannot shrink, and what is not shared cannot
 * grow meanwhile. */
struct call {
    mote_wasi *wasi;
    mote_caller *caller; /* NULL in unit tests */
    uint8_t *memory;
    uint64_t memory_bytes;
    mote_status status; /* what the host function returns: not MOTE_OK ends the program */
};

/* ---------------------------------------------------------------- guest memory */

/* Where `size` bytes at a guest pointer are; NULL when they are not all in memory. No bytes are
 * anywhere. */
static inline uint8_t *guest_at(const struct call *c, uint32_t pointer, uint64_t size) {
    static uint8_t nothing;
    if (!size) return &nothing;
    return size <= c->memory_bytes && pointer <= c->memory_bytes - size ? c->memory + pointer
                                                                        : NULL;
}

static inline mote_vfs_error guest_put_u32(const struct call *c, uint32_t pointer, uint32_t value) {
    uint8_t *at = guest_at(c, pointer, sizeof value);
    if (!at) return MOTE_VFS_EFAULT;
    mote__store_u32(at, value);
    return MOTE_VFS_OK;
}
static inline mote_vfs_error guest_put_u64(const struct call *c, uint32_t pointer, uint64_t value) {
    uint8_t *at = guest_at(c, pointer, sizeof value);
    if (!at) return MOTE_VFS_EFAULT;
    mote__store_u64(at, value);
    return MOTE_VFS_OK;
}
static inline mote_vfs_error guest_put(const struct call *c, uint32_t pointer, const void *bytes,
                                       size_t size) {
    uint8_t *at = guest_at(c, pointer, size);
    if (!at) return MOTE_VFS_EFAULT;
    if (size) memcpy(at, bytes, size);
    return MOTE_VFS_OK;
}

/* A path, copied once so that no other thread changes it after the checks. */
struct guest_path {
    char text[MOTE_VFS_PATH_MAX + 1];
};
/* EFAULT, ENOENT when empty, ENAMETOOLONG, EINVAL for a NUL inside. */
mote_vfs_error mote__guest_path(const struct call *c, uint32_t pointer, uint32_t size,
                                struct guest_path *out);

enum { GUEST_PIECES_MAX = 64 };
/* The buffers of a read or write. Of more than GUEST_PIECES_MAX only the first are taken: reads and
 * writes may do less than asked. */
struct guest_pieces {
    mote_vfs_iovec list[GUEST_PIECES_MAX];
    size_t count;
};
mote_vfs_error mote__guest_pieces(const struct call *c, uint32_t pointer, uint32_t count,
                                  struct guest_pieces *out);

/* Drops the first `size` bytes of what has been written; false when nothing is left. */
bool mote__guest_pieces_skip(struct guest_pieces *pieces, size_t size);

/* ---------------------------------------------------------------- handlers */

/* clang-format off */
#define TYPES__
#define TYPES_i         , uint32_t
#define TYPES_iv        , uint32_t
#define TYPES_ii        , uint32_t, uint32_t
#define TYPES_iI        , uint32_t, uint64_t
#define TYPES_iii       , uint32_t, uint32_t, uint32_t
#define TYPES_iIi       , uint32_t, uint64_t, uint32_t
#define TYPES_iII       , uint32_t, uint64_t, uint64_t
#define TYPES_iiii      , uint32_t, uint32_t, uint32_t, uint32_t
#define TYPES_iIii      , uint32_t, uint64_t, uint32_t, uint32_t
#define TYPES_iIIi      , uint32_t, uint64_t, uint64_t, uint32_t
#define TYPES_iiiii     , uint32_t, uint32_t, uint32_t, uint32_t, uint32_t
#define TYPES_iiiIi     , uint32_t, uint32_t, uint32_t, uint64_t, uint32_t
#define TYPES_iiiiii    , uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t
#define TYPES_iiiiiii   , uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t
#define TYPES_iiiiIIi   , uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t
#define TYPES_iiiiiIIii , uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, uint64_t, uint32_t, uint32_t
/* clang-format on */

#define WASI1(name, signature) mote_vfs_error mote__wasi_##name(struct call *c TYPES_##signature);
#define WASI1_OLD(name, signature, old) WASI1(name, signature) WASI1(old, signature)
#define WASI1_NEW(name, signature)      WASI1(name, signature)
#include "wasi1.def"
#undef WASI1
#undef WASI1_OLD
#undef WASI1_NEW

#endif
