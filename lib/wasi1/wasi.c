/* wasi.c - making the system of one run out of its configuration, running a program in it, taking
 * it down (mote/wasi.h). */
#include <mote/wasi.h>
#include "base/error.h"
#include "process.h"

void mote_wasi_config_init(mote_wasi_config *config) {
    *config = (mote_wasi_config){.inherit_stdio = true};
}

/* ---------------------------------------------------------------- descriptors that a program
 * begins with */

static mote_status from_vfs(mote_error *error, mote_vfs_error why, const char *what) {
    if (why == MOTE_VFS_ENOMEM) return mote__error_nomem(error, what);
    return mote__error_set(error, MOTE_E_IO, MOTE_NO_OFFSET, "%s: %s", what,
                           mote_vfs_error_text(why));
}

static mote_vfs_error swallow(void *context, const void *data, size_t size, size_t *done) {
    (void)context, (void)data;
    *done = size;
    return MOTE_VFS_OK;
}

/* The stream for a standard descriptor that was not given: the process's own, or one that has
 * nothing and takes everything. In a process that was started with that descriptor closed it has
 * nothing and takes nothing, so that no output is lost without a word. */
static mote_vfs_error default_stream(const mote_wasi_config *config, const mote_allocator *a,
                                     int fd, mote_vfs_node **out) {
    const mote_vfs_stream nothing = {.write = fd && !config->inherit_stdio ? swallow : NULL};
    mote_vfs_error error =
        config->inherit_stdio ? mote_vfs_fd_new(a, fd, false, out) : MOTE_VFS_EBADF;
    return error == MOTE_VFS_EBADF ? mote_vfs_stream_new(a, &nothing, out) : error;
}

static mote_status add_stream(mote_wasi *wasi, const mote_wasi_config *config, int fd,
                              mote_error *error) {
    mote_vfs_node *node = config->standard[fd];
    mote_vfs_error why = MOTE_VFS_OK;
    uint32_t number;
    if (node) mote_vfs_retain(node);
    else why = default_stream(config, wasi->allocator, fd, &node);
    if (why) return from_vfs(error, why, "standard streams");
    uint64_t other = fd ? WASI_FD_READ : WASI_FD_WRITE;
    why = mote__table_add(
        wasi, mote__description_new(wasi, node, WASI_RIGHTS_ALL & ~other, WASI_RIGHTS_ALL & ~other),
        &number);
    return why ? from_vfs(error, why, "standard streams") : MOTE_OK;
}

static mote_status add_socket(mote_wasi *wasi, mote_vfs_node *node, mote_error *error) {
    uint32_t number;
    if (!node)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "a preopened socket is missing");
    struct description *d =
        mote__description_new(wasi, mote_vfs_retain(node), WASI_RIGHTS_ALL, WASI_RIGHTS_ALL);
    if (d) {
        d->flags = WASI_FD_NONBLOCK;
        d->unaware = true;
    }
    mote_vfs_error why = mote__table_add(wasi, d, &number);
    return why ? from_vfs(error, why, "sockets") : MOTE_OK;
}

static mote_vfs_error open_dir(const mote_allocator *a, const mote_wasi_dir *dir,
                               mote_vfs_node **out) {
    if (dir->host_path) return mote_vfs_host_dir_new(a, dir->host_path, out);
    *out = mote_vfs_retain(dir->node);
    return MOTE_VFS_OK;
}

/* wasi-libc finds `/state` beneath `/state`, and not beneath `/state/`. */
static size_t size_without_slashes(const char *path) {
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    return size;
}

static mote_vfs_error add_opened_dir(mote_wasi *wasi, const mote_wasi_dir *dir,
                                     mote_vfs_node *node) {
    size_t size = size_without_slashes(dir->guest_path);
    uint32_t number;
    struct description *d =
        mote__description_new(wasi, node, WASI_RIGHTS_DIRECTORY, WASI_RIGHTS_ALL);
    if (!d) return MOTE_VFS_ENOMEM;
    d->preopen = mote__alloc(wasi->allocator, size + 1);
    if (!d->preopen) return mote__description_release(wasi, d), MOTE_VFS_ENOMEM;
    memcpy(d->preopen, dir->guest_path, size);
    d->preopen[size] = 0;
    d->preopen_bytes = size;
    d->read_only = dir->read_only;
    return mote__table_add(wasi, d, &number);
}

static mote_status add_dir(mote_wasi *wasi, const mote_wasi_dir *dir, mote_error *error) {
    mote_vfs_node *node;
    if (!dir->guest_path || (!dir->host_path && !dir->node))
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "a directory lacks %s",
                               dir->guest_path ? "its place" : "its name");
    if (!dir->host_path && dir->node->type != MOTE_VFS_DIRECTORY)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "%s: is not a directory",
                               dir->guest_path);
    mote_vfs_error why = open_dir(wasi->allocator, dir, &node);
    if (!why) why = add_opened_dir(wasi, dir, node);
    return why ? from_vfs(error, why, dir->host_path ? dir->host_path : dir->guest_path) : MOTE_OK;
}

static mote_status add_descriptors(mote_wasi *wasi, const mote_wasi_config *config,
                                   mote_error *error) {
    for (int fd = 0; fd < 3; fd++) TRY(add_stream(wasi, config, fd, error));
    for (size_t i = 0; i < config->socket_count; i++)
        TRY(add_socket(wasi, config->sockets[i], error));
    for (size_t i = 0; i < config->dir_count; i++) TRY(add_dir(wasi, &config->dirs[i], error));
    return MOTE_OK;
}

/* ---------------------------------------------------------------- the whole */

static mote_status take_strings(mote_wasi *wasi, const mote_name *names, size_t count,
                                const char *what, struct strings *out, mote_error *error) {
    switch (mote__strings_take(wasi->allocator, names, count, out)) {
    case MOTE_VFS_OK: return MOTE_OK;
    case MOTE_VFS_ENOMEM: return mote__error_nomem(error, what);
    case MOTE_VFS_EINVAL:
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "%s: a NUL inside", what);
    default:
        return mote__error_set(error, MOTE_E_LIMIT, MOTE_NO_OFFSET, "%s: more than 4 GiB", what);
    }
}

static mote_status fill(mote_wasi *wasi, const mote_wasi_config *config, mote_error *error) {
    wasi->context = config->context;
    wasi->random = config->random;
    wasi->clock = config->clock;
    TRY(take_strings(wasi, config->args, config->arg_count, "arguments", &wasi->args, error));
    TRY(take_strings(wasi, config->env, config->env_count, "environment", &wasi->env, error));
    return add_descriptors(wasi, config, error);
}

mote_status mote_wasi_new(const mote_wasi_config *config, mote_wasi **out, mote_error *error) {
    mote_error unwanted;
    if (!error) error = &unwanted;
    const mote_allocator *a = config->allocator ? config->allocator : &mote__allocator_libc;
    mote_wasi *wasi = MOTE__NEW(a, mote_wasi);
    if (!wasi) return mote__error_nomem(error, "making a WASI system");
    wasi->allocator = a;
    mote_status status = fill(wasi, config, error);
    if (status) mote_wasi_delete(wasi);
    else *out = wasi;
    return status;
}

mote_vfs_error mote_wasi_close(mote_wasi *wasi, bool keep) { return mote__table_clear(wasi, keep); }

void mote_wasi_delete(mote_wasi *wasi) {
    if (!wasi) return;
    const mote_allocator *a = wasi->allocator;
    mote__threads_delete(wasi);
    mote__table_clear(wasi, true);
    mote__vec_deinit(&wasi->table.slots, a);
    mote__strings_deinit(a, &wasi->args);
    mote__strings_deinit(a, &wasi->env);
    MOTE__DELETE(a, wasi);
}

/* ---------------------------------------------------------------- running */

/* Programs begin in functions without parameters and results. */
static mote_status check_entry(const mote_extern *external, const char *name, mote_error *error) {
    char text[100] = "no function";
    bool is_func = external->kind == MOTE_EXTERN_FUNC;
    const mote_type *type = is_func ? mote_func_type(external->of.func) : NULL;
    if (type && !mote_type_param_count(type) && !mote_type_result_count(type)) return MOTE_OK;
    if (type) mote_type_print(type, text, sizeof text);
    return mote__error_set(error, MOTE_E_LINK, MOTE_NO_OFFSET,
                           "`%s` is to be a function without parameters and results, and is %s",
                           name, text);
}

/* Calls an exported function without parameters and results; nothing if there is no such
 * export. */
static mote_status call_export(mote_store *store, mote_instance instance, const char *name,
                               bool *found, mote_error *error) {
    mote_extern external;
    *found = mote_instance_find(instance, name, strlen(name), &external);
    if (!*found) return MOTE_OK;
    TRY(check_entry(&external, name, error));
    return mote_call(store, external.of.func, NULL, 0, NULL, 0, error);
}

mote_status mote_wasi_initialize(mote_store *store, mote_instance instance, mote_error *error) {
    bool found;
    return call_export(store, instance, "_initialize", &found, error);
}

mote_status mote_wasi_run(mote_wasi *wasi, mote_linker *linker, mote_store *store,
                          mote_module *module, uint32_t *exit_code, mote_error *error) {
    mote_error unwanted;
    mote_instance instance;
    bool found = false;
    if (!error) error = &unwanted;
    mote_status status = mote_linker_instantiate(linker, store, module, &instance, error);
    if (!status) status = call_export(store, instance, "_start", &found, error);
    if (!status && !found) status = mote_wasi_initialize(store, instance, error);
    return mote_wasi_finish(wasi, status, exit_code, error);
}
