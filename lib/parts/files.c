/* files.c - what the mounts of a component keep in memory (files.h): snapshots, from the opening of
 * a key to its last close, and made directories.
 * Keeps: files->bytes is what the snapshots have allocated for contents, and at most
 * MOTE_PARTS_OPEN_BYTES_MAX; of one key there is at most one snapshot that is not detached. */
#include "files.h"

static uint64_t present(void) { return mote__os_clock_ns(OS_CLOCK_REALTIME); }

struct files *mote__files_hold(struct mote_parts_component *component) {
    const mote_allocator *a = component->parts->allocator;
    struct files *files = component->files ? component->files : MOTE__NEW(a, struct files);
    if (!files) return NULL;
    if (!files->holds++) {
        files->component = component;
        files->allocator = a;
        files->opened_ns = present();
    }
    return component->files = files;
}

/* A directory is a node and its key. */
static size_t made_bytes(size_t size) { return sizeof(struct sorted_node) + size + 1; }

static void drop_made(struct files *files, struct sorted_node *node) {
    files->made_bytes -= made_bytes(node->key_size);
    mote__sorted_remove(&files->made, node);
    mote__free(files->allocator, node, made_bytes(node->key_size));
}

void mote__files_release(struct files *files) {
    if (--files->holds) return;
    while (files->made.root) drop_made(files, files->made.root);
    files->component->files = NULL;
    MOTE__DELETE(files->allocator, files);
}

/* ---------------------------------------------------------------- talking to the store */

/* A key that is too long is told apart from a value that is too large: only writes bring values. */
static mote_vfs_error to_vfs(const mote_parts_op *op, mote_parts_code code) {
    static const mote_vfs_error errors[] = {
#define VFS(name, number, text, vfs) [number] = MOTE_VFS_##vfs,
        MOTE_PARTS_CODES(VFS)
#undef VFS
    };
    bool writes = op->verb == MOTE_PARTS_SET || op->verb == MOTE_PARTS_TRANSACT;
    return code == MOTE_PARTS_TOO_LARGE && !writes ? MOTE_VFS_ENAMETOOLONG : errors[code];
}

static bool says_enough(mote_vfs_error error) {
    return !error || error == MOTE_VFS_EAGAIN || error == MOTE_VFS_ENOENT ||
           error == MOTE_VFS_ENOTSUP || error == MOTE_VFS_ENAMETOOLONG ||
           error == MOTE_VFS_ECANCELED;
}

mote_vfs_error mote__files_ask(struct files *files, mote_parts_op *op, const char *what,
                               const char *key) {
    mote_parts_code code = mote__parts_carry_out(files->component, op);
    mote_vfs_error error = to_vfs(op, code);
    if (says_enough(error)) return error;
    const char *why = *op->text ? op->text : mote_parts_code_text(code);
    if (*key) mote__parts_log(&files->component->opening, "%s `%.100s`: %s", what, key, why);
    else mote__parts_log(&files->component->opening, "%s all keys: %s", what, why);
    return error;
}

mote_vfs_error mote__files_fetch(struct files *files, const char *key, mote_parts_item *item,
                                 mote_parts_op *op) {
    *item = (mote_parts_item){.key = key_bytes(key)};
    *op = (mote_parts_op){.verb = MOTE_PARTS_GET, .items = item, .item_count = 1};
    mote_vfs_error error = mote__files_ask(files, op, "reading", key);
    return error ? error : to_vfs(op, item->code);
}

/* ---------------------------------------------------------------- snapshots */

struct snapshot *mote__snapshot_find(const struct files *files, const char *key) {
    struct snapshot *at = files->snapshots;
    while (at && (at->is_detached || strcmp(at->key, key) != 0)) at = at->next;
    return at;
}

void mote__snapshot_free(struct files *files, struct snapshot *s) {
    struct snapshot **at = &files->snapshots;
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    files->bytes -= s->capacity;
    mote__free(files->allocator, s->bytes, s->capacity);
    mote__free(files->allocator, s->key, s->key_size + 1);
    MOTE__DELETE(files->allocator, s);
}

void mote__snapshot_close(struct files *files, struct snapshot *s) {
    if (!--s->opens) mote__snapshot_free(files, s);
}

/* How much to allocate for `size` bytes: twice what there was, where that may be. */
static size_t better_capacity(const struct files *files, const struct snapshot *s, size_t size) {
    size_t better = s->capacity * 2 > size ? s->capacity * 2 : size < 256 ? 256 : size;
    if (better > MOTE_PARTS_FILE_BYTES_MAX) better = MOTE_PARTS_FILE_BYTES_MAX;
    return better - s->capacity <= MOTE_PARTS_OPEN_BYTES_MAX - files->bytes ? better : size;
}

/* Room for `size` bytes; what is new is zero. */
static mote_vfs_error reserve(struct files *files, struct snapshot *s, uint64_t size) {
    if (size > MOTE_PARTS_FILE_BYTES_MAX) return MOTE_VFS_EFBIG;
    if (size <= s->capacity) return MOTE_VFS_OK;
    size_t capacity = better_capacity(files, s, (size_t)size), more = capacity - s->capacity;
    if (more > MOTE_PARTS_OPEN_BYTES_MAX - files->bytes) return MOTE_VFS_ENOSPC;
    uint8_t *bytes = mote__realloc_array(files->allocator, s->bytes, s->capacity, capacity, 1);
    if (!bytes) return MOTE_VFS_ENOMEM;
    memset(bytes + s->capacity, 0, more);
    s->bytes = bytes;
    s->capacity = capacity;
    files->bytes += more;
    return MOTE_VFS_OK;
}

static void touch(struct snapshot *s) {
    s->is_dirty = true;
    s->modified_ns = present();
}

mote_vfs_error mote__snapshot_resize(struct files *files, struct snapshot *s, uint64_t size) {
    mote_vfs_error error = reserve(files, s, size);
    if (error) return error;
    /* What is cut off must not come back when the file grows again. */
    if (size < s->size) memset(s->bytes + size, 0, s->size - (size_t)size);
    s->size = (size_t)size;
    touch(s);
    return MOTE_VFS_OK;
}

mote_vfs_error mote__snapshot_write(struct files *files, struct snapshot *s,
                                    const mote_vfs_iovec *pieces, size_t count, uint64_t offset,
                                    size_t *done) {
    uint64_t total = 0;
    *done = 0;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(total, pieces[i].size, &total)) return MOTE_VFS_EFBIG;
    if (offset > MOTE_PARTS_FILE_BYTES_MAX || total > MOTE_PARTS_FILE_BYTES_MAX)
        return MOTE_VFS_EFBIG;
    mote_vfs_error error = reserve(files, s, offset + total);
    if (error) return error;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size) memcpy(s->bytes + offset, pieces[i].data, pieces[i].size);
        offset += pieces[i].size;
        *done += pieces[i].size;
    }
    if (total && offset > s->size) s->size = (size_t)offset;
    if (total) touch(s);
    return MOTE_VFS_OK;
}

static mote_vfs_error keep_etag(struct snapshot *s, const mote_parts_bytes *etag) {
    if (etag->size >= sizeof s->etag) return MOTE_VFS_EOVERFLOW;
    if (etag->size) memcpy(s->etag, etag->data, etag->size);
    s->etag[etag->size] = 0;
    s->exists = true;
    return MOTE_VFS_OK;
}

static bool has_etag(const struct snapshot *s, const mote_parts_bytes *etag) {
    return s->exists && etag->size == strlen(s->etag) &&
           (!etag->size || !memcmp(s->etag, etag->data, etag->size));
}

static mote_vfs_error take_value(struct files *files, struct snapshot *s,
                                 const mote_parts_item *item) {
    mote_vfs_error error = reserve(files, s, item->found.size);
    if (!error) error = keep_etag(s, &item->version);
    if (error) return error;
    if (item->found.size) memcpy(s->bytes, item->found.data, item->found.size);
    s->size = item->found.size;
    s->modified_ns = item->modified_ns ? item->modified_ns : files->opened_ns;
    return MOTE_VFS_OK;
}

mote_vfs_error mote__snapshot_new(struct files *files, const char *key, const mote_parts_item *item,
                                  struct snapshot **out) {
    struct snapshot *s = MOTE__NEW(files->allocator, struct snapshot);
    size_t size = strlen(key);
    char *copy = s ? mote__alloc(files->allocator, size + 1) : NULL;
    if (!copy) return mote__free(files->allocator, s, sizeof *s), MOTE_VFS_ENOMEM;
    memcpy(copy, key, size + 1);
    *s = (struct snapshot){
        .next = files->snapshots, .key = copy, .key_size = size, .modified_ns = present()};
    files->snapshots = s;
    mote_vfs_error error = item ? take_value(files, s, item) : MOTE_VFS_OK;
    if (error) return mote__snapshot_free(files, s), error;
    *out = s;
    return MOTE_VFS_OK;
}

/* What the store is asked to write, and when. */
static mote_parts_item item_of(const struct snapshot *s) {
    mote_parts_item item = {.key = {s->key, s->key_size},
                            .value = {s->bytes ? (const void *)s->bytes : "", s->size}};
    if (s->commit != COMMIT_ALWAYS && s->exists && *s->etag)
        item.etag = (mote_parts_bytes){s->etag, strlen(s->etag)};
    if (s->commit != COMMIT_ALWAYS && !s->exists) item.flags = MOTE_PARTS_FIRST_WRITE;
    return item;
}

mote_vfs_error mote__snapshot_commit(struct files *files, struct snapshot *s) {
    if (!s->is_dirty || s->is_detached) return MOTE_VFS_OK;
    if (s->commit == COMMIT_NEVER) return MOTE_VFS_EAGAIN;
    mote_parts_item item = item_of(s);
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    bool creates = s->commit == COMMIT_CREATE && !s->exists;
    mote_vfs_error error = mote__files_ask(files, &op, "writing", s->key);
    if (!error) error = keep_etag(s, &item.version);
    mote_parts_op_deinit(&op);
    if (error) return error == MOTE_VFS_EAGAIN && creates ? MOTE_VFS_EEXIST : error;
    s->modified_ns = present();
    s->is_dirty = false;
    return MOTE_VFS_OK;
}

/* Where somebody else had written it meanwhile, their value has moved: what this program has of the
 * one before must not replace it. */
void mote__snapshot_move(struct files *files, struct snapshot *s, char *key,
                         const mote_parts_item *was, const mote_parts_item *is) {
    bool is_same = has_etag(s, &was->version);
    mote__free(files->allocator, s->key, s->key_size + 1);
    s->key = key;
    s->key_size = strlen(key);
    if (keep_etag(s, &is->version)) is_same = false;
    if (!is_same && s->commit != COMMIT_ALWAYS) s->commit = COMMIT_NEVER;
}

/* ---------------------------------------------------------------- made directories */

bool mote__made_find(const struct files *files, const char *key) {
    const mote_parts_bytes bytes = key_bytes(key);
    return mote__sorted_find(&files->made, &bytes);
}

mote_vfs_error mote__made_add(struct files *files, const char *key, size_t size) {
    const mote_parts_bytes bytes = {key, size};
    if (mote__sorted_find(&files->made, &bytes)) return MOTE_VFS_OK;
    if (made_bytes(size) > MADE_BYTES_MAX - files->made_bytes) return MOTE_VFS_ENOSPC;
    struct sorted_node *node = mote__alloc(files->allocator, made_bytes(size));
    if (!node) return MOTE_VFS_ENOMEM;
    char *copy = memcpy(node + 1, key, size);
    copy[size] = 0;
    *node = (struct sorted_node){.key = copy, .key_size = size};
    mote__sorted_insert(&files->made, node);
    files->made_bytes += made_bytes(size);
    return MOTE_VFS_OK;
}

void mote__made_remove(struct files *files, const char *key) {
    const mote_parts_bytes bytes = key_bytes(key);
    struct sorted_node *node = mote__sorted_find(&files->made, &bytes);
    if (node) drop_made(files, node);
}

mote_vfs_error mote__files_each(const struct files *files, const char *prefix,
                                mote_vfs_error (*each)(void *context, const char *rest,
                                                       bool is_directory),
                                void *context) {
    mote_vfs_error error = MOTE_VFS_OK;
    size_t size = strlen(prefix);
    for (const struct snapshot *s = files->snapshots; s && !error; s = s->next)
        if (!s->is_detached && !strncmp(s->key, prefix, size))
            error = each(context, s->key + size, false);
    const mote_parts_bytes before = {prefix, size};
    const struct sorted_node *at = mote__sorted_from(&files->made, &before);
    for (; at && !error && sorted_begins(at->key, at->key_size, &before);
         at = mote__sorted_after(&files->made, at))
        error = each(context, at->key + size, true);
    return error;
}
