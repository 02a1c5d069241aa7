/* load.c - component files in Dapr's form: documents become components, everything that is not
 * known is refused where it stands.
 * Keeps: a component enters the set only when its whole document has been checked. */
#define _POSIX_C_SOURCE 200809L
#include "set.h"
#include "base/error.h"
#include "base/utf8.h"
#include "scalar.h"
#include "yaml.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
    mote_parts *parts;
    const char *file;
    mote_error *error;
};

static mote_status wrong(const struct load *l, const struct yaml_node *at, const char *format, ...)
    MOTE_PRINTF(3, 4);
static mote_status wrong(const struct load *l, const struct yaml_node *at, const char *format,
                         ...) {
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return mote__error_set(l->error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "%s:%u: %s", l->file,
                           at->line, what);
}

static mote_status no_memory(const struct load *l) {
    return mote__error_nomem(l->error, "reading components");
}

/* "; did you mean `x`?" or nothing. */
static const char *meant(char out[96], const char *name) {
    if (name) snprintf(out, 96, "; did you mean `%s`?", name);
    else out[0] = 0;
    return out;
}

/* ---------------------------------------------------------------- shapes */

/* A mapping whose keys are all among `known`, each once. */
static mote_status check_mapping(const struct load *l, const struct yaml_node *node,
                                 const char *what, const char *const *known) {
    char hint[96];
    if (node->kind != YAML_MAPPING) return wrong(l, node, "%s must be a mapping", what);
    for (const struct yaml_node *at = node->first; at; at = at->next->next) {
        struct nearest nearest;
        if (at->kind != YAML_SCALAR) return wrong(l, at, "a name in %s is no text", what);
        mote__nearest_begin(&nearest, at->text);
        size_t i = 0;
        while (known[i] && strcmp(known[i], at->text) != 0)
            mote__nearest_offer(&nearest, known[i++]);
        if (!known[i])
            return wrong(l, at, "%s has no `%s`%s", what, at->text, meant(hint, nearest.best));
        if (mote__yaml_get(node, at->text) != at->next)
            return wrong(l, at, "%s has `%s` twice", what, at->text);
    }
    return MOTE_OK;
}

/* What Dapr makes of a value: null is an empty text, and numbers and truth values that stand
 * without quotes have one spelling each. */
static mote_status written(const struct load *l, const struct yaml_node *node, const char **out) {
    char other[SCALAR_BYTES];
    *out = mote__yaml_is_null(node) ? "" : node->text;
    if (!node->is_plain || !**out) return MOTE_OK;
    const char *text = mote__scalar_text(node->text, other);
    if (!text)
        return wrong(l, node, "`%s` is no value; if it is to be a text, put it in quotes",
                     node->text);
    if (text == other) *out = mote__arena_string(&l->parts->arena, other, strlen(other));
    return *out ? MOTE_OK : no_memory(l);
}

static mote_status take_text(const struct load *l, const struct yaml_node *mapping, const char *key,
                             const char *what, bool required, const char **out) {
    const struct yaml_node *node = mote__yaml_get(mapping, key);
    if (node && node->kind != YAML_SCALAR)
        return wrong(l, node, "`%s` of %s must be a text", key, what);
    bool given = node && node->size && !mote__yaml_is_null(node);
    if (!given && required) return wrong(l, node ? node : mapping, "%s lacks `%s`", what, key);
    *out = NULL;
    return given ? written(l, node, out) : MOTE_OK;
}

/* ---------------------------------------------------------------- values */

/* Appends to `out` (room for `size`); counts on beyond its end. */
struct text_out {
    char *data;
    size_t size, capacity;
    bool has_failed; /* there are no random bytes */
    bool lacks_pod;  /* {podName}, of which nothing is known */
};
static void put(struct text_out *out, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++, out->size++)
        if (out->size < out->capacity) out->data[out->size] = text[i];
}

/* Puts what Dapr's word in braces ({uuid} and its like) at `at` stands for and returns its length;
 * 0: there is none. As in Dapr a namespace is told with the app's id behind it, and is `default`
 * where nobody has said one; each {uuid} is one of its own. */
static size_t put_placeholder(const mote_parts *parts, const char *at, struct text_out *out) {
    char uuid[37] = "";
    const char *ns = parts->namespace_, *pod = getenv("POD_NAME");
    if (!strncmp(at, "{uuid}", 6) && !mote__parts_uuid(uuid)) out->has_failed = true;
    const struct {
        const char *name, *text, *more[2];
    } known[] = {{"{uuid}", uuid, {"", ""}},
                 {"{podName}", pod && *pod ? pod : NULL, {"", ""}},
                 {"{appID}", parts->app_id, {"", ""}},
                 {"{namespace}", ns ? ns : "default", {".", parts->app_id}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].name);
        if (strncmp(at, known[i].name, length) != 0) continue;
        if (known[i].text) put(out, known[i].text, strlen(known[i].text));
        else out->lacks_pod = true;
        for (size_t k = 0; k < 2; k++) put(out, known[i].more[k], strlen(known[i].more[k]));
        return length;
    }
    return 0;
}

static void expand(const mote_parts *parts, const char *text, struct text_out *out) {
    for (size_t length; *text; text += length) {
        length = put_placeholder(parts, text, out);
        if (length) continue;
        put(out, text, 1);
        length = 1;
    }
}

/* Fills in the placeholders of a value. */
static mote_status expand_value(const struct load *l, const struct yaml_node *node,
                                const char **text) {
    struct text_out out = {0};
    if (!strchr(*text, '{')) return MOTE_OK;
    expand(l->parts, *text, &out);
    if (out.lacks_pod)
        return wrong(l, node, "{podName} stands for the variable POD_NAME, which is not set");
    out.capacity = out.size;
    out.data = mote__arena_alloc(&l->parts->arena, out.size + 1);
    out.size = 0;
    if (out.data) expand(l->parts, *text, &out);
    *text = out.data;
    return out.has_failed || !out.data ? no_memory(l) : MOTE_OK;
}

bool mote__parts_set_value(struct mote_parts_component *component, enum parts_key key,
                           const char *text) {
    struct parts_value *value = &component->values[key];
    value->text = text;
    value->given = true;
    return mote__parts_convert(mote__parts_keys[key].kind, text, &value->number);
}

/* A key that must be given is not there, or there is nothing in it, which is the same. */
static mote_status lacks(const struct load *l, const struct yaml_node *at,
                         const struct parts_key_row *row) {
    return wrong(l, at, "%s needs the metadata `%s`: %s", mote__parts_drivers[row->driver].type,
                 row->name, row->text);
}

static mote_status take_value(const struct load *l, struct mote_parts_component *c,
                              enum parts_key key, const struct yaml_node *node, const char *text) {
    const struct parts_key_row *row = &mote__parts_keys[key];
    const char *kind = mote__parts_kind_text(row->kind);
    TRY(expand_value(l, node, &text));
    if (row->need == NEED_REQUIRED && !*text) return lacks(l, node, row);
    if (mote__parts_set_value(c, key, text)) return MOTE_OK;
    if (c->values[key].is_hidden) return wrong(l, node, "`%s` is %s", row->name, kind);
    return wrong(l, node, "`%s` is %s, not `%.60s`", row->name, kind, text);
}

/* What a variable holds may be a secret: nobody is told. */
static mote_status take_env(const struct load *l, struct mote_parts_component *c,
                            enum parts_key key, const struct yaml_node *node) {
    if (node->kind != YAML_SCALAR) return wrong(l, node, "`envRef` is the name of a variable");
    if (!mote__parts_env_allowed(node->text))
        return wrong(l, node, "the variable `%s` may not be read", node->text);
    const char *text = getenv(node->text);
    if (!text)
        return wrong(l, node, "the variable `%s` for `%s` is not set", node->text,
                     mote__parts_keys[key].name);
    c->values[key].is_hidden = true;
    return take_value(l, c, key, node, text);
}

static mote_status take_secret(const struct load *l, struct mote_parts_component *c,
                               enum parts_key key, const struct yaml_node *node) {
    static const char *const known[] = {"name", "key", NULL};
    struct parts_secret *secret = MOTE__ARENA_NEW(&l->parts->arena, struct parts_secret);
    if (!secret) return no_memory(l);
    TRY(check_mapping(l, node, "secretKeyRef", known));
    TRY(take_text(l, node, "name", "secretKeyRef", true, &secret->name));
    TRY(take_text(l, node, "key", "secretKeyRef", false, &secret->part));
    if (!c->secret_store)
        return wrong(l, node, "a secretKeyRef needs `auth: {secretStore: NAME}` in this component");
    c->values[key].is_hidden = true;
    secret->key = key;
    secret->next = c->secrets;
    c->secrets = secret;
    return MOTE_OK;
}

/* ---------------------------------------------------------------- spec.metadata */

static mote_status find_key(const struct load *l, const struct mote_parts_component *c,
                            const struct yaml_node *at, const char *name, enum parts_key *out) {
    char hint[96];
    const char *type = mote__parts_drivers[c->id].type;
    struct nearest nearest;
    *out = mote__parts_key_find(c->id, name);
    if (*out != KEY_COUNT) return MOTE_OK;
    const struct parts_later_row *later = mote__parts_later_find(c->id, name);
    if (later)
        return wrong(l, at, "`%s` (%s) is known to Dapr but not done in mote", name, later->text);
    mote__nearest_begin(&nearest, name);
    for (int i = 0; i < KEY_COUNT; i++)
        if (mote__parts_keys[i].driver == c->id)
            mote__nearest_offer(&nearest, mote__parts_keys[i].name);
    return wrong(l, at, "%s has no metadata `%s`%s", type, name, meant(hint, nearest.best));
}

/* What a secret store holds is fetched when the component is opened: too late for its keys. */
static mote_status check_prefix_source(const struct load *l, const struct parts_key_row *row,
                                       const struct yaml_node *secret) {
    if (!secret || strcmp(row->name, "keyPrefix") != 0) return MOTE_OK;
    return wrong(l, secret, "`keyPrefix` must be known when components are loaded: it takes "
                            "`value` or `envRef`, not a secretKeyRef");
}

static mote_status take_entry(const struct load *l, struct mote_parts_component *c,
                              const struct yaml_node *entry) {
    static const char *const known[] = {"name", "value", "secretKeyRef", "envRef", NULL};
    const char *name;
    enum parts_key key;
    TRY(check_mapping(l, entry, "an entry of metadata", known));
    TRY(take_text(l, entry, "name", "an entry of metadata", true, &name));
    TRY(find_key(l, c, entry, name, &key));
    if (c->values[key].given) return wrong(l, entry, "`%s` is given twice", name);
    const struct yaml_node *value = mote__yaml_get(entry, "value"),
                           *secret = mote__yaml_get(entry, "secretKeyRef"),
                           *env = mote__yaml_get(entry, "envRef");
    if (!!value + !!secret + !!env != 1)
        return wrong(l, entry, "`%s` needs one of `value`, `secretKeyRef` and `envRef`", name);
    TRY(check_prefix_source(l, &mote__parts_keys[key], secret));
    c->values[key].given = true;
    c->values[key].line = (secret ? secret : env ? env : value)->line;
    if (secret) return take_secret(l, c, key, secret);
    if (env) return take_env(l, c, key, env);
    if (value->kind != YAML_SCALAR)
        return wrong(l, value, "`%s` must be a text, a number or a truth value", name);
    const char *text;
    TRY(written(l, value, &text));
    return take_value(l, c, key, value, text);
}

static mote_status take_metadata(const struct load *l, struct mote_parts_component *c,
                                 const struct yaml_node *spec) {
    const struct yaml_node *list = mote__yaml_get(spec, "metadata");
    if (list && !mote__yaml_is_null(list)) {
        if (list->kind != YAML_SEQUENCE)
            return wrong(l, list, "`metadata` of spec must be a list of names and values");
        for (const struct yaml_node *at = list->first; at; at = at->next) TRY(take_entry(l, c, at));
    }
    for (int i = 0; i < KEY_COUNT; i++) {
        const struct parts_key_row *row = &mote__parts_keys[i];
        if (row->driver != c->id || c->values[i].given) continue;
        if (row->need == NEED_REQUIRED) return lacks(l, spec, row);
        if (row->otherwise) mote__parts_set_value(c, (enum parts_key)i, row->otherwise);
        c->values[i].given = false;
    }
    return MOTE_OK;
}

/* ---------------------------------------------------------------- the parts of a document */

/* As Dapr reads versions: v0 is the first one too, and letters are of any size. */
static bool has_version(const char *list, const char *version) {
    if (mote__same_word(version, "v0")) version = "v1";
    for (size_t size; *list; list += size + (list[size] == ' ')) {
        size = strcspn(list, " ");
        if (size == strlen(version) && mote__same_letters(list, version, size)) return true;
    }
    return false;
}

static mote_status take_type(const struct load *l, struct mote_parts_component *c,
                             const struct yaml_node *spec) {
    char hint[96];
    const char *type, *version;
    TRY(take_text(l, spec, "type", "spec", true, &type));
    TRY(take_text(l, spec, "version", "spec", false, &version));
    c->id = mote__parts_driver_find(type);
    if (c->id == DRIVER_COUNT) {
        struct nearest nearest;
        mote__nearest_begin(&nearest, type);
        for (int i = 0; i < DRIVER_COUNT; i++)
            mote__nearest_offer(&nearest, mote__parts_drivers[i].type);
        return wrong(l, mote__yaml_get(spec, "type"), "no driver for the type `%s`%s", type,
                     meant(hint, nearest.best));
    }
    const struct parts_driver_row *row = &mote__parts_drivers[c->id];
    if (version && !has_version(row->versions, version))
        return wrong(l, mote__yaml_get(spec, "version"), "%s has no version `%s`, only %s",
                     row->type, version, row->versions);
    c->version = version;
    if (version) return MOTE_OK;
    c->version = mote__arena_string(&l->parts->arena, row->versions, strcspn(row->versions, " "));
    return c->version ? MOTE_OK : no_memory(l);
}

/* What Dapr does at its start, and here changes nothing: components are opened when they are used,
 * and one that cannot be opened stops no other. */
static mote_status check_form(const struct load *l, const struct yaml_node *spec, const char *name,
                              enum parts_kind kind) {
    const char *text;
    uint64_t unused;
    TRY(take_text(l, spec, name, "spec", false, &text));
    if (!text || mote__parts_convert(kind, text, &unused)) return MOTE_OK;
    return wrong(l, mote__yaml_get(spec, name), "`%s` is %s, not `%.60s`", name,
                 mote__parts_kind_text(kind), text);
}

static mote_status take_spec(const struct load *l, struct mote_parts_component *c,
                             const struct yaml_node *root) {
    static const char *const known[] = {"type",         "version",     "metadata",
                                        "ignoreErrors", "initTimeout", NULL};
    const struct yaml_node *spec = mote__yaml_get(root, "spec");
    if (!spec) return wrong(l, root, "a component lacks `spec`");
    TRY(check_mapping(l, spec, "spec", known));
    TRY(check_form(l, spec, "ignoreErrors", KIND_FLAG));
    TRY(check_form(l, spec, "initTimeout", KIND_DURATION));
    TRY(take_type(l, c, spec));
    return take_metadata(l, c, spec);
}

static bool is_name(const char *text) {
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    return size && size <= 253 && !text[size];
}

static mote_status take_name(const struct load *l, struct mote_parts_component *c,
                             const struct yaml_node *root) {
    static const char *const known[] = {"name",        "namespace",         "labels",
                                        "annotations", "creationTimestamp", NULL};
    const struct yaml_node *metadata = mote__yaml_get(root, "metadata");
    if (!metadata) return wrong(l, root, "a component lacks `metadata`, with its name");
    TRY(check_mapping(l, metadata, "metadata", known));
    TRY(take_text(l, metadata, "name", "metadata", true, &c->name));
    if (!is_name(c->name))
        return wrong(l, mote__yaml_get(metadata, "name"),
                     "`%.60s` is no name: letters, digits, -, _ and . are", c->name);
    const struct mote_parts_component *other =
        mote__parts_find(l->parts, c->name, &(const char *){NULL});
    if (other)
        return wrong(l, metadata, "the component `%s` is already in %s:%u", c->name, other->file,
                     other->line);
    return MOTE_OK;
}

static mote_status take_auth(const struct load *l, struct mote_parts_component *c,
                             const struct yaml_node *root) {
    static const char *const known[] = {"secretStore", NULL};
    const struct yaml_node *auth = mote__yaml_get(root, "auth");
    if (!auth || mote__yaml_is_null(auth)) return MOTE_OK;
    TRY(check_mapping(l, auth, "auth", known));
    const struct yaml_node *store = mote__yaml_get(auth, "secretStore");
    c->secret_store_line = store ? store->line : auth->line;
    return take_text(l, auth, "secretStore", "auth", false, &c->secret_store);
}

/* Whether the component is for this app: it has no scopes, or one of them. */
static mote_status take_scopes(const struct load *l, const struct yaml_node *root, bool *ours) {
    const struct yaml_node *scopes = mote__yaml_get(root, "scopes");
    *ours = true;
    if (!scopes || mote__yaml_is_null(scopes)) return MOTE_OK;
    if (scopes->kind != YAML_SEQUENCE)
        return wrong(l, scopes, "`scopes` must be a list of app ids");
    if (scopes->first) *ours = false;
    for (const struct yaml_node *at = scopes->first; at; at = at->next) {
        char other[SCALAR_BYTES];
        if (at->kind != YAML_SCALAR) return wrong(l, at, "`scopes` must be a list of app ids");
        if (at->is_plain && mote__scalar_text(at->text, other) != at->text)
            return wrong(l, at, "an app id in `scopes` is a text: put `%.60s` in quotes", at->text);
        if (!strcmp(at->text, l->parts->app_id)) *ours = true;
    }
    return MOTE_OK;
}

enum { PREFIX_BYTES_MAX = 500 };

struct prefix_pieces {
    const char *first, *second; /* with a dot between; NULL: nothing */
    bool is_small;
};

/* What a keyPrefix stands for; Dapr has letters of a text small. Locks know no namespace. */
static struct prefix_pieces pieces_of(const struct load *l, const struct mote_parts_component *c,
                                      const char *how) {
    const char *ns = l->parts->namespace_, *app_id = l->parts->app_id;
    bool is_lock = mote__parts_drivers[c->id].block == BLOCK_lock;
    bool spaced = !is_lock && mote__same_word(how, "namespace");
    if (mote__same_word(how, "none")) return (struct prefix_pieces){0};
    if (mote__same_word(how, "name")) return (struct prefix_pieces){.first = c->name};
    if (spaced && ns && *ns) return (struct prefix_pieces){.first = ns, .second = app_id};
    if (spaced || mote__same_word(how, "appid")) return (struct prefix_pieces){.first = app_id};
    return (struct prefix_pieces){.first = how, .is_small = true};
}

static void write_prefix(const struct prefix_pieces *p, bool is_lock, char *out, size_t size) {
    const char *second = p->second ? p->second : "";
    int at = snprintf(out, size, "%s", is_lock ? "lock||" : "");
    if (p->first)
        snprintf(out + at, size - (size_t)at, "%s%s%s||", p->first, p->second ? "." : "", second);
    for (out += at; p->is_small && *out; out++)
        if (*out >= 'A' && *out <= 'Z') *out = (char)(*out + 'a' - 'A');
}

static mote_status check_prefix(const struct load *l, const struct yaml_node *at, const char *how) {
    if (strstr(how, "||")) return wrong(l, at, "`keyPrefix` must not hold `||`");
    if (!mote__utf8_valid((const uint8_t *)how, strlen(how)))
        return wrong(l, at, "`keyPrefix` is not UTF-8");
    if (strlen(how) > PREFIX_BYTES_MAX)
        return wrong(l, at, "`keyPrefix` has %zu bytes; at most %d are taken", strlen(how),
                     PREFIX_BYTES_MAX);
    return MOTE_OK;
}

/* What stands before every key, as Dapr has it: "shop||". */
static mote_status make_prefix(const struct load *l, struct mote_parts_component *c,
                               const struct yaml_node *root) {
    enum parts_key key = mote__parts_key_find(c->id, "keyPrefix");
    char text[PREFIX_BYTES_MAX + 20];
    c->prefix = (mote_parts_bytes){"", 0};
    if (key == KEY_COUNT) return MOTE_OK;
    const struct parts_value *value = &c->values[key];
    struct yaml_node at = {.line = value->line ? value->line : root->line};
    TRY(check_prefix(l, &at, value->text));
    const struct prefix_pieces pieces = pieces_of(l, c, value->text);
    write_prefix(&pieces, mote__parts_drivers[c->id].block == BLOCK_lock, text, sizeof text);
    size_t size = strlen(text);
    c->prefix = (mote_parts_bytes){mote__arena_string(&l->parts->arena, text, size), size};
    return c->prefix.data ? MOTE_OK : no_memory(l);
}

/* ---------------------------------------------------------------- documents */

/* Drivers that are modules are asked by mote_parts_check: loading them takes its time. */
static mote_status check_component(const struct load *l, struct mote_parts_component *c) {
    const struct parts_driver *driver = mote__parts_builtin(mote__parts_drivers[c->id].type);
    return driver ? mote__parts_check(c, driver, l->error) : MOTE_OK;
}

static mote_status take_component(const struct load *l, const struct yaml_node *root) {
    static const char *const known[] = {"apiVersion", "kind",   "metadata", "spec",
                                        "auth",       "scopes", NULL};
    bool ours;
    struct mote_parts_component *c = MOTE__ARENA_NEW(&l->parts->arena, struct mote_parts_component);
    if (!c) return no_memory(l);
    c->parts = l->parts;
    c->file = l->file;
    c->line = root->line;
    TRY(check_mapping(l, root, "a component", known));
    TRY(take_name(l, c, root));
    TRY(take_auth(l, c, root));
    TRY(take_scopes(l, root, &ours));
    TRY(take_spec(l, c, root));
    TRY(make_prefix(l, c, root));
    TRY(check_component(l, c));
    if (!ours) return MOTE_OK;
    struct mote_parts_component **slot = mote__vec_push(&l->parts->components, l->parts->allocator);
    if (!slot) return no_memory(l);
    *slot = c;
    return MOTE_OK;
}

/* Other resources of Dapr may lie beside components; what they say is not for this library. */
static mote_status take_document(const struct load *l, const struct yaml_node *root) {
    static const char *const others[] = {"Configuration", "Subscription", "Resiliency",
                                         "HTTPEndpoint",  "MCPServer",    "WorkflowAccessPolicy",
                                         NULL};
    const char *kind, *api;
    if (root->kind != YAML_MAPPING)
        return wrong(l, root, "a document must be a mapping with `kind: Component`");
    TRY(take_text(l, root, "apiVersion", "a document", true, &api));
    TRY(take_text(l, root, "kind", "a document", true, &kind));
    for (size_t i = 0; others[i]; i++)
        if (!strcmp(kind, others[i])) return MOTE_OK;
    if (strcmp(kind, "Component") != 0)
        return wrong(l, mote__yaml_get(root, "kind"),
                     "no such kind: `%.60s`; components have `Component`", kind);
    if (strcmp(api, "dapr.io/v1alpha1") != 0)
        return wrong(l, mote__yaml_get(root, "apiVersion"),
                     "`apiVersion` is dapr.io/v1alpha1 for components, not `%.60s`", api);
    return take_component(l, root);
}

mote_status mote_parts_load_text(mote_parts *parts, const char *name, const char *text, size_t size,
                                 mote_error *error) {
    mote_error unwanted;
    struct load l = {.parts = parts, .error = error ? error : &unwanted};
    struct yaml_documents documents;
    l.file = mote__arena_string(&parts->arena, name, strlen(name));
    if (!l.file) return no_memory(&l);
    TRY(mote__yaml_parse(&parts->arena, l.file, text, size, &documents, l.error));
    for (const struct yaml_node *root = documents.first; root; root = root->next)
        TRY(take_document(&l, root));
    return MOTE_OK;
}

/* ---------------------------------------------------------------- folders */

static bool is_yaml(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && name[0] != '.' && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

static mote_status io_error(mote_error *error, const char *path) {
    return mote__error_set(error, MOTE_E_IO, MOTE_NO_OFFSET, "%s: %s", path,
                           mote__os_error_text(errno));
}

static mote_status load_file(mote_parts *parts, const char *path, mote_error *error) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = fd >= 0 && !fstat(fd, &st);
    if (!good || !S_ISREG(st.st_mode) || st.st_size > YAML_BYTES_MAX) {
        mote_status status =
            !good ? io_error(error, path)
                  : mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "%s:1: %s", path,
                                    S_ISREG(st.st_mode) ? "larger than 1 MiB" : "is no file");
        if (fd >= 0) close(fd);
        return status;
    }
    size_t size = 0;
    char *text = mote__alloc(parts->allocator, YAML_BYTES_MAX + 1);
    ssize_t got = 1;
    while (text && size <= YAML_BYTES_MAX &&
           (got = read(fd, text + size, YAML_BYTES_MAX + 1 - size)) > 0)
        size += (size_t)got;
    close(fd);
    mote_status status = !text     ? mote__error_nomem(error, path)
                         : got < 0 ? io_error(error, path)
                                   : mote_parts_load_text(parts, path, text, size, error);
    mote__free(parts->allocator, text, YAML_BYTES_MAX + 1);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

typedef VEC(const char *) names;

static mote_status list_files(mote_parts *parts, const char *path, names *out, mote_error *error) {
    char file[4096];
    DIR *dir = opendir(path);
    if (!dir) return io_error(error, path);
    mote_status status = MOTE_OK;
    for (struct dirent *entry; !status && (entry = readdir(dir)) != NULL;) {
        if (!is_yaml(entry->d_name)) continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        const char **slot = mote__vec_push(out, parts->allocator);
        if (slot) *slot = mote__arena_string(&parts->arena, file, strlen(file));
        if (!slot || !*slot) status = mote__error_nomem(error, path);
    }
    closedir(dir);
    return status;
}

/* A folder is whole: where secrets are is in it. */
static mote_status check_secret_stores(mote_parts *parts, mote_error *error) {
    for (size_t i = 0; i < parts->components.count; i++) {
        struct mote_parts_component *c = parts->components.data[i], *unused;
        if (c->secrets) TRY(mote__parts_secret_store(c, &unused, error));
    }
    return MOTE_OK;
}

mote_status mote_parts_load_dir(mote_parts *parts, const char *path, mote_error *error) {
    mote_error unwanted;
    names files = {0};
    if (!error) error = &unwanted;
    mote_status status = list_files(parts, path, &files, error);
    if (!status && files.count) qsort(files.data, files.count, sizeof *files.data, by_name);
    for (size_t i = 0; i < files.count && !status; i++)
        status = load_file(parts, files.data[i], error);
    if (!status) status = check_secret_stores(parts, error);
    mote__vec_deinit(&files, parts->allocator);
    return status;
}
