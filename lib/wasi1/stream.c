/* stream.c - single streams that are not descriptors of the host: functions of the embedder, given
 * bytes, a growing buffer. */
#include <mote/vfs.h>
#include "base/alloc.h"
#include "os/os.h"

/* ---------------------------------------------------------------- functions */

struct stream {
    mote_vfs_node node;
    const mote_allocator *allocator;
    mote_vfs_stream calls;
};

static struct stream *stream_of(mote_vfs_node *node) { return (struct stream *)node; }

static mote_vfs_error stream_close(mote_vfs_node *node) {
    struct stream *stream = stream_of(node);
    mote_vfs_error error =
        stream->calls.close ? stream->calls.close(stream->calls.context) : MOTE_VFS_OK;
    MOTE__DELETE(stream->allocator, stream);
    return error;
}

/* One piece at a time; what came so far counts more than an error or the end after it. */
static mote_vfs_error stream_read(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  size_t *done) {
    const mote_vfs_stream *calls = &stream_of(node)->calls;
    *done = 0;
    for (size_t i = 0; calls->read && i < count; i++) {
        size_t got = 0;
        if (!pieces[i].size) continue;
        mote_vfs_error error = calls->read(calls->context, pieces[i].data, pieces[i].size, &got);
        if (error) return *done ? MOTE_VFS_OK : error;
        *done += got;
        if (got < pieces[i].size) break;
    }
    return MOTE_VFS_OK;
}

static mote_vfs_error stream_write(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                   size_t *done) {
    const mote_vfs_stream *calls = &stream_of(node)->calls;
    if (!calls->write) return MOTE_VFS_EBADF;
    *done = 0;
    for (size_t i = 0; i < count; i++) {
        size_t put = 0;
        if (!pieces[i].size) continue;
        mote_vfs_error error = calls->write(calls->context, pieces[i].data, pieces[i].size, &put);
        if (error) return *done ? MOTE_VFS_OK : error;
        *done += put;
        if (put < pieces[i].size) break;
    }
    return MOTE_VFS_OK;
}

static mote_vfs_error stream_ready(mote_vfs_node *node, unsigned wanted, unsigned *now,
                                   uint64_t *bytes) {
    const mote_vfs_stream *calls = &stream_of(node)->calls;
    *now = wanted & (calls->ready ? calls->ready(calls->context) : wanted);
    *bytes = 0;
    return MOTE_VFS_OK;
}

mote_vfs_error mote_vfs_stream_new(const mote_allocator *allocator, const mote_vfs_stream *calls,
                                   mote_vfs_node **out) {
    static const mote_vfs_ops ops = {.name = "stream",
                                     .close = stream_close,
                                     .read = stream_read,
                                     .write = stream_write,
                                     .ready = stream_ready};
    const mote_allocator *a = allocator ? allocator : &mote__allocator_libc;
    struct stream *stream = MOTE__NEW(a, struct stream);
    if (!stream) return MOTE_VFS_ENOMEM;
    mote_vfs_node_init(&stream->node, &ops, MOTE_VFS_UNKNOWN, 0);
    stream->allocator = a;
    stream->calls = *calls;
    *out = &stream->node;
    return MOTE_VFS_OK;
}

/* ---------------------------------------------------------------- given bytes, and a buffer */

/* Bytes that are read from `at` on and written at `size`. */
struct bytes {
    mote_vfs_node node;
    const mote_allocator *allocator;
    struct os_mutex lock;
    uint8_t *data;
    size_t at, size, capacity, size_max;
};

static struct bytes *bytes_of(mote_vfs_node *node) { return (struct bytes *)node; }

static mote_vfs_error bytes_close(mote_vfs_node *node) {
    struct bytes *b = bytes_of(node);
    mote__free(b->allocator, b->data, b->capacity);
    MOTE__DELETE(b->allocator, b);
    return MOTE_VFS_OK;
}

static mote_vfs_error bytes_read(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                 size_t *done) {
    struct bytes *b = bytes_of(node);
    *done = 0;
    mote__os_mutex_lock(&b->lock);
    for (size_t i = 0; i < count; i++) {
        size_t left = b->size - b->at, size = pieces[i].size < left ? pieces[i].size : left;
        if (size) memcpy(pieces[i].data, b->data + b->at, size);
        b->at += size;
        *done += size;
    }
    mote__os_mutex_unlock(&b->lock);
    return MOTE_VFS_OK;
}

/* Makes room for `more` bytes, or for as many as the limit lets in; how many is returned. */
static size_t bytes_grow(struct bytes *b, size_t more) {
    size_t room = b->size_max - b->size;
    if (more > room) more = room;
    if (more <= b->capacity - b->size) return more;
    size_t capacity = b->capacity * 2 > b->size + more ? b->capacity * 2 : b->size + more;
    if (capacity > b->size_max) capacity = b->size_max;
    uint8_t *data = mote__realloc_array(b->allocator, b->data, b->capacity, capacity, 1);
    if (!data) return b->capacity - b->size;
    b->data = data;
    b->capacity = capacity;
    return more;
}

static mote_vfs_error bytes_write(mote_vfs_node *node, const mote_vfs_iovec *pieces, size_t count,
                                  size_t *done) {
    struct bytes *b = bytes_of(node);
    size_t wanted = 0;
    *done = 0;
    mote__os_mutex_lock(&b->lock);
    for (size_t i = 0; i < count; i++) {
        size_t size = bytes_grow(b, pieces[i].size);
        if (size) memcpy(b->data + b->size, pieces[i].data, size);
        b->size += size;
        *done += size;
        wanted += pieces[i].size;
    }
    mote__os_mutex_unlock(&b->lock);
    return wanted && !*done ? MOTE_VFS_ENOSPC : MOTE_VFS_OK;
}

static const mote_vfs_ops source_ops = {.name = "bytes", .close = bytes_close, .read = bytes_read};
static const mote_vfs_ops buffer_ops = {
    .name = "buffer", .close = bytes_close, .write = bytes_write};

static mote_vfs_error bytes_new(const mote_allocator *allocator, const mote_vfs_ops *ops,
                                struct bytes **out) {
    const mote_allocator *a = allocator ? allocator : &mote__allocator_libc;
    struct bytes *b = MOTE__NEW(a, struct bytes);
    if (!b) return MOTE_VFS_ENOMEM;
    mote_vfs_node_init(&b->node, ops, MOTE_VFS_UNKNOWN, 0);
    b->allocator = a;
    *out = b;
    return MOTE_VFS_OK;
}

mote_vfs_error mote_vfs_bytes_new(const mote_allocator *allocator, const void *bytes, size_t size,
                                  mote_vfs_node **out) {
    struct bytes *b;
    mote_vfs_error error = bytes_new(allocator, &source_ops, &b);
    if (error) return error;
    b->size_max = size;
    if (bytes_grow(b, size) < size) return bytes_close(&b->node), MOTE_VFS_ENOMEM;
    if (size) memcpy(b->data, bytes, size);
    b->size = size;
    *out = &b->node;
    return MOTE_VFS_OK;
}

mote_vfs_error mote_vfs_buffer_new(const mote_allocator *allocator, size_t bytes_max,
                                   mote_vfs_node **out) {
    struct bytes *b;
    mote_vfs_error error = bytes_new(allocator, &buffer_ops, &b);
    if (error) return error;
    b->size_max = bytes_max;
    *out = &b->node;
    return MOTE_VFS_OK;
}

const void *mote_vfs_buffer_bytes(const mote_vfs_node *node, size_t *size) {
    const struct bytes *b = (const struct bytes *)node;
    *size = b->size;
    return b->data;
}
