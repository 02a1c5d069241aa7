/* stores.h - the stores over which the tests run: every test of a store's behaviour loops over this
 * one table, so that a new driver is a new row. A store whose server or driver is not there is
 * skipped by name; what is skipped is printed. */
#ifndef MOTE_TESTS_PARTS_STORES_H
#define MOTE_TESTS_PARTS_STORES_H

#include "test.h"
#include <mote/parts.h>
#include <unistd.h>

struct store {
    const char *name, *type;
    const char
        *metadata; /* lines of YAML; ~ is a folder of the run's own, $ the port of the server */
    const char *server; /* the variable that holds the server's port, NULL: needs none */
};

static const struct store stores[] = {
    {"memory", "state.in-memory", "", NULL},
    {"sqlite", "state.sqlite", "  - {name: connectionString, value: '~/data.db'}\n", NULL},
    {"redis", "state.redis", "  - {name: redisHost, value: '127.0.0.1:$'}\n", "MOTE_REDIS_PORT"},
    {"mysql", "state.mysql",
     "  - {name: connectionString, value: 'mote:pass@word/1@tcp(127.0.0.1:$)/'}\n"
     "  - {name: schemaName, value: mote_test}\n",
     "MOTE_MYSQL_PORT"},
    {"postgresql", "state.postgresql",
     "  - {name: connectionString, value: 'host=127.0.0.1 port=$ user=mote dbname=mote'}\n"
     "  - {name: password, value: \"pass word'1\"}\n",
     "MOTE_POSTGRES_PORT"},
};
enum { STORE_COUNT = sizeof stores / sizeof *stores };

static char store_folder[64];

static inline void store_remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", store_folder);
    if (*store_folder && system(command)) printf("cannot remove %s\n", store_folder);
}

static inline const char *store_make_folder(void) {
    if (*store_folder) return store_folder;
    snprintf(store_folder, sizeof store_folder, "/tmp/mote-parts-XXXXXX");
    if (!mkdtemp(store_folder)) exit(2);
    atexit(store_remove_folder);
    return store_folder;
}

/* Writes the component file of a store; `name` is the component's. False when its server is not
 * there. */
static inline bool store_yaml(const struct store *store, const char *name, const char *more,
                              char *out, size_t size) {
    const char *port = store->server ? getenv(store->server) : "";
    if (!port) return false;
    int at = snprintf(out, size,
                      "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: "
                      "%s}\nspec:\n  type: %s\n  metadata:\n",
                      name, store->type);
    for (const char *c = store->metadata; *c; c++) {
        if (*c == '~' || *c == '$')
            at +=
                snprintf(out + at, size - (size_t)at, "%s", *c == '~' ? store_make_folder() : port);
        else at += snprintf(out + at, size - (size_t)at, "%c", *c);
    }
    snprintf(out + at, size - (size_t)at, "%s---\n", more);
    return true;
}

/* A set of components with the store as "store", whose keys begin with a prefix that no other call
 * gets. NULL: skipped. */
static inline mote_parts *store_open(const struct store *store, const mote_allocator *allocator) {
    static unsigned count;
    char text[2000], more[100];
    mote_parts *parts = NULL;
    mote_error error;
    mote_parts_config config = {.allocator = allocator, .driver_dir = getenv("MOTE_DRIVERS")};
    snprintf(more, sizeof more, "  - {name: keyPrefix, value: 't%d-%u'}\n", (int)getpid(), ++count);
    if (!store_yaml(store, "store", more, text, sizeof text)) return NULL;
    if (mote_parts_new(&config, &parts, &error) == MOTE_OK &&
        mote_parts_load_text(parts, store->name, text, strlen(text), &error) == MOTE_OK)
        return parts;
    printf("%s: %s\n", store->name, error.message);
    test_fail(__FILE__, __LINE__, "the store can be opened");
    mote_parts_delete(parts);
    return NULL;
}

/* FOR_STORES(parts) { ... } runs the block once for each store that is there. */
#define FOR_STORES(parts)                                                                          \
    for (size_t store_at = 0; store_at < STORE_COUNT; store_at++)                                  \
        for (mote_parts *parts = store_open(&stores[store_at], NULL), *store_once = parts;         \
             store_once && (store_now = stores[store_at].name);                                    \
             mote_parts_delete(parts), store_once = NULL)
__attribute__((unused)) static const char *store_now; /* for messages */

static inline mote_parts_bytes bytes(const char *text) {
    return (mote_parts_bytes){text, strlen(text)};
}
static inline bool same(mote_parts_bytes a, mote_parts_bytes b) {
    return a.data && a.size == b.size && !memcmp(a.data, b.data, a.size);
}

/* Where with-servers keeps a store's server; until the next call. */
__attribute__((unused)) static const char *folder_of(const struct store *store) {
    static char path[200];
    const char *folder = getenv("MOTE_SERVERS_FOLDER"),
               *name = !strcmp(store->name, "postgresql") ? "postgres" : store->name;
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
    return path;
}

/* The store's server; 0: there is none. */
__attribute__((unused)) static pid_t server_pid(const struct store *store) {
    char path[300];
    int pid = 0;
    snprintf(path, sizeof path, "%s/pid", folder_of(store));
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%d", &pid) != 1) pid = 0;
    if (file) fclose(file);
    return pid;
}

/* What a shell command printed, without the last line end; until the next call. */
__attribute__((unused)) static const char *output_of(const char *command) {
    static char out[2000];
    FILE *pipe = popen(command, "r");
    size_t size = pipe ? fread(out, 1, sizeof out - 1, pipe) : 0;
    if (pipe) pclose(pipe);
    out[size] = 0;
    if (size && out[size - 1] == '\n') out[size - 1] = 0;
    return out;
}

/* What redis-cli says, asked of the server of this run. */
__attribute__((unused)) static const char *cli(const char *arguments) {
    char command[300];
    snprintf(command, sizeof command, "redis-cli -h 127.0.0.1 -p %s %s", getenv("MOTE_REDIS_PORT"),
             arguments);
    return output_of(command);
}

#endif
