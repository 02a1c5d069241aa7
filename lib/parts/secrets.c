/* secrets.c - secret stores of this machine: the environment, within Dapr's refusals, and a JSON
 * file. A secret with several parts is listed as NAME/PART. */
#define _POSIX_C_SOURCE 200809L
#include "builtin.h"
#include "base/error.h"
#include "yaml.h"
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

/* ---------------------------------------------------------------- what may be read of the
 * environment: Dapr's rules, which know no letter case (envstore.go, secret.go) */

/* Dapr's own: tokens, and everything of its configuration. */
static bool is_of_dapr(const char *name, size_t size) {
    static const char token[] = "APP_API_TOKEN", start[] = "DAPR_";
    if (size == sizeof token - 1) return mote__same_letters(name, token, size);
    return size >= sizeof start - 1 && mote__same_letters(name, start, sizeof start - 1);
}

/* Whether a list of words holds this name in upper case. */
static bool holds_upper(const char *list, const char *name) {
    size_t size = strlen(name);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " "), same = 0;
        while (same < size && at[same] == mote__upper(name[same])) same++;
        if (same == size && length == size) return true;
        at += length;
    }
    return false;
}

/* DAPR_ENV_KEYS, where it is set, is the list of what may be read. */
bool mote__parts_env_allowed(const char *name) {
    const char *list = getenv("DAPR_ENV_KEYS");
    if (!*name || strpbrk(name, " =") || is_of_dapr(name, strlen(name))) return false;
    return !list || !*list || holds_upper(list, name);
}

/* ---------------------------------------------------------------- one list of names and values for
 * both stores */

struct secret {
    const char *name, *value;
};

struct secrets {
    const mote_allocator *allocator;
    struct arena arena;
    VEC(struct secret) list; /* sorted by name */
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct secret *)a)->name, ((const struct secret *)b)->name);
}

static mote_status add(struct secrets *s, const char *name, size_t size, const char *value,
                       mote_error *error) {
    struct secret *secret = mote__vec_push(&s->list, s->allocator);
    if (secret) secret->name = mote__arena_string(&s->arena, name, size);
    if (secret) secret->value = mote__arena_string(&s->arena, value, strlen(value));
    return secret && secret->name && secret->value ? MOTE_OK
                                                   : mote__error_nomem(error, "reading secrets");
}

static mote_parts_code get(const struct secrets *s, mote_parts_op *op, mote_parts_item *item) {
    const mote_parts_bytes *key = &item->whole_key;
    for (size_t i = 0; i < s->list.count; i++) {
        const struct secret *at = &s->list.data[i];
        if (strlen(at->name) != key->size || memcmp(at->name, key->data, key->size) != 0) continue;
        item->found = mote__parts_copy(op, at->value, strlen(at->value));
        return item->found.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
    }
    item->code = MOTE_PARTS_NOT_FOUND;
    return MOTE_PARTS_OK;
}

static mote_parts_code keys(const struct secrets *s, mote_parts_op *op) {
    for (size_t i = 0; i < s->list.count && !op->more; i++) {
        const char *name = s->list.data[i].name;
        if (mote__parts_wants_key(op, name, strlen(name)) &&
            !mote__parts_add_key(op, name, strlen(name)))
            return MOTE_PARTS_NOMEM;
    }
    return MOTE_PARTS_OK;
}

static void secrets_submit(void *instance, mote_parts_op *op) {
    mote_parts_code code = MOTE_PARTS_OK;
    if (op->verb == MOTE_PARTS_KEYS) code = keys(instance, op);
    else
        for (size_t i = 0; i < op->item_count && !code; i++)
            code = get(instance, op, &op->items[i]);
    mote__parts_complete(op, code);
}

static void secrets_close(void *instance) {
    struct secrets *s = instance;
    mote__vec_deinit(&s->list, s->allocator);
    mote__arena_deinit(&s->arena);
    MOTE__DELETE(s->allocator, s);
}

/* Makes the store, fills it with `fill`, sorts it. */
static mote_status secrets_open(const struct parts_opening *opening,
                                mote_status (*fill)(struct secrets *s,
                                                    const struct parts_opening *opening,
                                                    mote_error *error),
                                void **instance, mote_error *error) {
    struct secrets *s = MOTE__NEW(opening->allocator, struct secrets);
    if (!s) return mote__error_nomem(error, "opening");
    s->allocator = opening->allocator;
    mote__arena_init(&s->arena, opening->allocator);
    mote_status status = fill(s, opening, error);
    if (status) return secrets_close(s), status;
    if (s->list.count) qsort(s->list.data, s->list.count, sizeof *s->list.data, by_name);
    *instance = s;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- secretstores.local.env */

static mote_status fill_env(struct secrets *s, const struct parts_opening *opening,
                            mote_error *error) {
    const char *prefix = parts_text(opening, KEY_secrets_env_prefix);
    size_t skip = strlen(prefix);
    for (char **at = environ; at && *at; at++) {
        const char *equals = strchr(*at, '=');
        size_t size = equals ? (size_t)(equals - *at) : 0;
        if (size <= skip || strncmp(*at, prefix, skip) != 0 || is_of_dapr(*at, size)) continue;
        TRY(add(s, *at + skip, size - skip, equals + 1, error));
    }
    return MOTE_OK;
}

static mote_status env_open(const struct parts_opening *opening, void **instance,
                            mote_error *error) {
    return secrets_open(opening, fill_env, instance, error);
}

const struct parts_driver mote__secrets_env = {.abi = PARTS_DRIVER_ABI,
                                               .type = "secretstores.local.env",
                                               .open = env_open,
                                               .close = secrets_close,
                                               .submit = secrets_submit};

/* ---------------------------------------------------------------- secretstores.local.file */

/* The path to a value inside the file: names joined by separators. */
struct path {
    char text[1024];
    size_t size;
};

static bool path_add(struct path *path, const char *separator, const char *name) {
    int length = snprintf(path->text + path->size, sizeof path->text - path->size, "%s%s",
                          path->size ? separator : "", name);
    if (length < 0 || (size_t)length >= sizeof path->text - path->size) return false;
    path->size += (size_t)length;
    return true;
}

/* What is walked and how deep names are joined: one level for secrets with several parts. */
struct walk {
    struct secrets *secrets;
    const char *separator;
    mote_error *error;
};

/* A tree is at most YAML_DEPTH_MAX deep. */
static mote_status take(const struct walk *w, const struct yaml_node *node, const struct path *at) {
    if (node->kind == YAML_SCALAR) return add(w->secrets, at->text, at->size, node->text, w->error);
    bool list = node->kind == YAML_SEQUENCE;
    unsigned index = 0;
    for (const struct yaml_node *child = node->first; child;
         child = list ? child->next : child->next->next) {
        struct path below = *at;
        char number[16];
        snprintf(number, sizeof number, "%u", index++);
        if (!path_add(&below, w->separator,
                      list                         ? number
                      : child->kind == YAML_SCALAR ? child->text
                                                   : "?"))
            return mote__error_set(w->error, MOTE_E_LIMIT, MOTE_NO_OFFSET,
                                   "a secret's name is too long");
        TRY(take(w, list ? child : child->next, &below));
    }
    return MOTE_OK;
}

/* A parser's words may hold a piece of what it could not read. */
static mote_status parse_quietly(struct secrets *s, const char *name, const char *text, size_t size,
                                 struct yaml_documents *out, mote_error *error) {
    static const char words[] = ": not YAML";
    mote_status status = mote__yaml_parse(&s->arena, name, text, size, out, error);
    char *end = status ? strstr(error->message, words) : NULL;
    if (end) end[sizeof words - 1] = 0;
    return status;
}

static mote_status read_whole(struct secrets *s, const struct parts_opening *opening,
                              struct yaml_documents *out, mote_error *error) {
    const char *path = parts_text(opening, KEY_secrets_file_path),
               *name = parts_hidden(opening, KEY_secrets_file_path) ? "`secretsFile`" : path;
    FILE *file = fopen(path, "re");
    char *text = mote__arena_alloc(&s->arena, YAML_BYTES_MAX + 1);
    size_t size = file && text ? fread(text, 1, YAML_BYTES_MAX + 1, file) : 0;
    if (file) fclose(file);
    if (!text) return mote__error_nomem(error, "reading secrets");
    if (!file) {
        mote__error_set(error, MOTE_E_IO, MOTE_NO_OFFSET, "%s cannot be read", name);
        return parts_blame(opening, KEY_secrets_file_path, error);
    }
    TRY(parse_quietly(s, name, text, size, out, error));
    if (!out->first || out->first->kind == YAML_MAPPING) return MOTE_OK;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "%s holds no JSON object", name);
}

static mote_status fill_file(struct secrets *s, const struct parts_opening *opening,
                             mote_error *error) {
    struct yaml_documents documents;
    bool multi = parts_number(opening, KEY_secrets_file_multi);
    struct walk walk = {s, multi ? "/" : parts_text(opening, KEY_secrets_file_separator), error};
    TRY(read_whole(s, opening, &documents, error));
    return documents.first ? take(&walk, documents.first, &(struct path){.size = 0}) : MOTE_OK;
}

static mote_status file_open(const struct parts_opening *opening, void **instance,
                             mote_error *error) {
    return secrets_open(opening, fill_file, instance, error);
}

const struct parts_driver mote__secrets_file = {.abi = PARTS_DRIVER_ABI,
                                                .type = "secretstores.local.file",
                                                .open = file_open,
                                                .close = secrets_close,
                                                .submit = secrets_submit};
