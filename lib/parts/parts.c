/* parts.c - a set of components: making it, finding and opening what is in it. */
#define _POSIX_C_SOURCE 200809L
#include "set.h"
#include "base/error.h"
#include "base/utf8.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- making and deleting */

static const char *keep(mote_parts *parts, const char *text, bool *good) {
    const char *kept = text ? mote__arena_string(&parts->arena, text, strlen(text)) : NULL;
    if (text && !kept) *good = false;
    return kept;
}

/* Both stand in keys. */
static mote_status check_id(const char *what, const char *id, mote_error *error) {
    size_t size = strlen(id);
    bool good = size && size <= 200 && !strstr(id, "||") &&
                mote__utf8_valid((const uint8_t *)id, size);
    if (good) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "`%.60s` is no %s", id, what);
}

mote_status mote_parts_new(const mote_parts_config *config, mote_parts **out, mote_error *error) {
    mote_error unwanted;
    if (!error) error = &unwanted;
    const mote_allocator *a = config->allocator ? config->allocator : &mote__allocator_libc;
    const char *app_id = config->app_id ? config->app_id : "mote",
               *ns = config->namespace_ ? config->namespace_ : getenv("NAMESPACE");
    TRY(check_id("app id", app_id, error));
    if (ns && *ns) TRY(check_id("namespace", ns, error));
    mote_parts *parts = MOTE__NEW(a, mote_parts);
    if (!parts) return mote__error_nomem(error, "making components");
    bool good = true;
    parts->allocator = a;
    mote__arena_init(&parts->arena, a);
    parts->log = config->log;
    parts->context = config->context;
    parts->app_id = keep(parts, app_id, &good);
    parts->namespace_ = keep(parts, ns, &good); /* "" is not the same as none */
    parts->driver_dir = keep(parts, config->driver_dir, &good);
    parts->loop = mote__loop_new(a);
    if (!parts->loop) good = false;
    if (good) return *out = parts, MOTE_OK;
    mote_parts_delete(parts);
    return mote__error_nomem(error, "making components");
}

static void component_close(struct mote_parts_component *component) {
    if (component->instance) component->driver->close(component->instance);
    component->instance = NULL;
}

void mote_parts_delete(mote_parts *parts) {
    if (!parts) return;
    const mote_allocator *a = parts->allocator;
    parts->is_closing = true;
    for (size_t i = 0; i < parts->components.count; i++) component_close(parts->components.data[i]);
    mote__loop_delete(parts->loop);
    for (size_t i = 0; i < parts->components.count; i++)
        if (parts->components.data[i]->module) dlclose(parts->components.data[i]->module);
    mote__vec_deinit(&parts->components, a);
    mote__arena_deinit(&parts->arena);
    MOTE__DELETE(a, parts);
}

/* ---------------------------------------------------------------- looking */

size_t mote_parts_count(const mote_parts *parts) { return parts->components.count; }

mote_parts_info mote_parts_at(const mote_parts *parts, size_t index) {
    const struct mote_parts_component *c = parts->components.data[index];
    const struct parts_driver_row *row = &mote__parts_drivers[c->id];
    return (mote_parts_info){c->name, row->type, c->version, c->file, c->line, row->summary};
}

struct mote_parts_component *mote__parts_find(mote_parts *parts, const char *name,
                                              const char **nearest) {
    struct nearest near;
    for (size_t i = 0; i < parts->components.count; i++)
        if (!strcmp(parts->components.data[i]->name, name)) return parts->components.data[i];
    mote__nearest_begin(&near, name);
    for (size_t i = 0; i < parts->components.count; i++)
        mote__nearest_offer(&near, parts->components.data[i]->name);
    *nearest = near.best;
    return NULL;
}

/* ---------------------------------------------------------------- opening */

enum { SECRET_BYTES_MAX = 2048 };

static mote_parts_code get_secret(struct mote_parts_component *store, const char *key,
                                  mote_parts_op *op, mote_parts_item *item) {
    *item = (mote_parts_item){.key = {key, strlen(key)}};
    *op = (mote_parts_op){.verb = MOTE_PARTS_GET, .items = item, .item_count = 1};
    return mote__parts_carry_out(store, op);
}

/* A secret's value: its part, which has the secret's name if it has no other, as in Dapr. A store
 * whose secrets have one part each takes any name for it. */
static mote_parts_code fetch_secret(struct mote_parts_component *store,
                                    const struct parts_secret *secret, mote_parts_op *op,
                                    mote_parts_item *item, char key[SECRET_BYTES_MAX]) {
    int length = snprintf(key, SECRET_BYTES_MAX, "%s/%s", secret->name,
                          secret->part ? secret->part : secret->name);
    if (length < 0 || length >= SECRET_BYTES_MAX)
        return mote__parts_say(op, MOTE_PARTS_TOO_LARGE, "the name is too long");
    mote_parts_code code = get_secret(store, key, op, item);
    if (code || item->code != MOTE_PARTS_NOT_FOUND) return code;
    mote_parts_op_deinit(op);
    return get_secret(store, secret->name, op, item);
}

/* Takes what was found for a key; nothing of it is told. */
static mote_status use_secret(struct mote_parts_component *c, const struct parts_secret *secret,
                              const char *text, mote_error *error) {
    const struct parts_key_row *row = &mote__parts_keys[secret->key];
    unsigned line = c->values[secret->key].line;
    if (row->need == NEED_REQUIRED && !*text)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "%s:%u: the secret for `%s` is empty", c->file, line, row->name);
    if (mote__parts_set_value(c, secret->key, text)) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                           "%s:%u: the secret for `%s` is not %s", c->file, line, row->name,
                           mote__parts_kind_text(row->kind));
}

static mote_status take_secret(struct mote_parts_component *c, struct mote_parts_component *store,
                               const struct parts_secret *secret, mote_error *error) {
    mote_parts_op op = {0};
    mote_parts_item item = {0};
    char key[SECRET_BYTES_MAX];
    const char *where = mote__parts_keys[secret->key].name, *text = NULL;
    mote_parts_code code = fetch_secret(store, secret, &op, &item, key);
    if (!code) code = item.code;
    if (!code) text = mote__arena_string(&c->parts->arena, item.found.data, item.found.size);
    mote_parts_op_deinit(&op);
    if (code)
        return mote__error_set(error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET,
                               "%s:%u: the secret `%s` of %s for `%s`: %s", c->file,
                               c->values[secret->key].line, secret->name, store->name, where,
                               *op.text ? op.text : mote_parts_code_text(code));
    if (!text) return mote__error_nomem(error, "fetching a secret");
    return use_secret(c, secret, text, error);
}

mote_status mote__parts_secret_store(struct mote_parts_component *c,
                                     struct mote_parts_component **out, mote_error *error) {
    const char *nearest;
    *out = mote__parts_find(c->parts, c->secret_store, &nearest);
    if (*out && mote__parts_drivers[(*out)->id].block == BLOCK_secretstores) return MOTE_OK;
    return mote__error_set(error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET,
                           "%s:%u: there is no secret store `%s`", c->file, c->secret_store_line,
                           c->secret_store);
}

static mote_status take_secrets(struct mote_parts_component *c, mote_error *error) {
    struct mote_parts_component *store;
    if (!c->secrets) return MOTE_OK;
    TRY(mote__parts_secret_store(c, &store, error));
    TRY(mote__parts_open(store, error));
    for (const struct parts_secret *s = c->secrets; s; s = s->next)
        TRY(take_secret(c, store, s, error));
    return MOTE_OK;
}

static mote_status not_installed(const struct mote_parts_component *c, const char *why,
                                 mote_error *error) {
    const struct parts_driver_row *row = &mote__parts_drivers[c->id];
    return mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET,
                           "the driver of %s cannot be loaded (it needs Debian's %s): %s",
                           row->type, row->package, why);
}

static mote_status load_module(struct mote_parts_component *c, mote_error *error) {
    const struct parts_driver_row *row = &mote__parts_drivers[c->id];
    char path[4096];
    if (!c->parts->driver_dir) return not_installed(c, "no folder of drivers was given", error);
    snprintf(path, sizeof path, "%s/%s.so", c->parts->driver_dir, row->module);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module) return not_installed(c, dlerror(), error);
    const struct parts_driver *driver = dlsym(module, "mote_parts_driver");
    bool fits = driver && driver->abi == PARTS_DRIVER_ABI && !strcmp(driver->type, row->type);
    if (!fits) {
        dlclose(module);
        return not_installed(c, "it is of another version of mote", error);
    }
    c->module = module;
    c->driver = driver;
    return MOTE_OK;
}

static mote_status find_driver(struct mote_parts_component *c, mote_error *error) {
    if (!c->driver) c->driver = mote__parts_builtin(mote__parts_drivers[c->id].type);
    return c->driver ? MOTE_OK : load_module(c, error);
}

static struct parts_opening opening_of(struct mote_parts_component *c) {
    return (struct parts_opening){.allocator = c->parts->allocator,
                                  .loop = c->parts->loop,
                                  .name = c->name,
                                  .app_id = c->parts->app_id,
                                  .values = c->values,
                                  .component = c};
}

/* The line of the value that a driver's error is about. */
static unsigned line_of(const struct mote_parts_component *c, const mote_error *inner) {
    return inner->offset == MOTE_NO_OFFSET ? c->line : (unsigned)inner->offset;
}

static mote_status open_now(struct mote_parts_component *c, mote_error *error) {
    mote_error inner;
    TRY(take_secrets(c, error));
    TRY(find_driver(c, error));
    c->opening = opening_of(c);
    mote_status status = c->driver->open(&c->opening, &c->instance, &inner);
    return status ? mote__error_set(error, status, MOTE_NO_OFFSET, "component %s (%s:%u): %s",
                                    c->name, c->file, line_of(c, &inner), inner.message)
                  : MOTE_OK;
}

mote_status mote__parts_open(struct mote_parts_component *c, mote_error *error) {
    if (c->is_open) return MOTE_OK;
    if (c->is_opening)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "component %s needs itself to be opened", c->name);
    c->is_opening = true;
    mote_status status = open_now(c, error);
    c->is_opening = false;
    c->is_open = status == MOTE_OK;
    mote__link_note(&c->own, status ? MOTE_PARTS_AWAY : MOTE_PARTS_READY,
                    status ? error->message : NULL);
    return status;
}

mote_status mote_parts_open(mote_parts *parts, const char *component, mote_error *error) {
    mote_error unwanted;
    const char *nearest;
    if (!error) error = &unwanted;
    struct mote_parts_component *c = mote__parts_find(parts, component, &nearest);
    if (!c)
        return mote__error_set(
            error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, "there is no component `%s`%s%s%s", component,
            nearest ? "; did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
    mote__parts_enter(parts);
    mote_status status = mote__parts_open(c, error);
    mote__parts_leave(parts);
    return status;
}

/* ---------------------------------------------------------------- checking */

mote_status mote__parts_check(struct mote_parts_component *c, const struct parts_driver *driver,
                              mote_error *error) {
    mote_error inner;
    const struct parts_opening opening = opening_of(c);
    mote_status status = driver->check ? driver->check(&opening, &inner) : MOTE_OK;
    if (!status || status == MOTE_E_NOMEM) return status ? *error = inner, status : MOTE_OK;
    return mote__error_set(error, status, MOTE_NO_OFFSET, "%s:%u: %s", c->file, line_of(c, &inner),
                           inner.message);
}

static mote_status check_one(struct mote_parts_component *c, mote_error *error) {
    TRY(find_driver(c, error));
    if (c->is_open) return MOTE_OK;
    TRY(take_secrets(c, error));
    return mote__parts_check(c, c->driver, error);
}

mote_status mote_parts_check(mote_parts *parts, const char *component, mote_error *error) {
    mote_error unwanted;
    mote_status status = MOTE_OK;
    if (!error) error = &unwanted;
    mote__parts_enter(parts);
    for (size_t i = 0; i < parts->components.count && !status; i++) {
        struct mote_parts_component *c = parts->components.data[i];
        if (!component || !strcmp(component, c->name)) status = check_one(c, error);
    }
    mote__parts_leave(parts);
    return status;
}
