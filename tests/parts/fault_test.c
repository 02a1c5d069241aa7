/* fault_test.c - stores under several processes, servers that are away, stall, talk nonsense or
 * hang up, and a process that is killed while it writes. */
#define _GNU_SOURCE
#include "stores.h"
#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static char logged[400];
static void keep_line(void *context, const char *line) {
    (void)context, snprintf(logged, sizeof logged, "%s", line);
}

static mote_parts *load(const char *text) {
    mote_parts *parts = NULL;
    mote_error error;
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS"), .log = keep_line};
    if (mote_parts_new(&config, &parts, &error) ||
        mote_parts_load_text(parts, "f.yaml", text, strlen(text), &error))
        printf("%s\n", error.message);
    return parts;
}

static mote_parts_code one(mote_parts *parts, mote_parts_op *op, mote_parts_item *item,
                           mote_parts_verb verb) {
    *op = (mote_parts_op){.verb = verb, .items = item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", op);
    return code ? code : item->code;
}

/* ---------------------------------------------------------------- several processes */

enum { PROCESSES = 4, STEPS = 50 };

/* Adds one to the key under its ETag, as often as it takes. */
static bool increment(mote_parts *parts) {
    for (int tries = 0; tries < 10000; tries++) {
        mote_parts_op get, set;
        char text[24];
        mote_parts_item item = {.key = bytes("n")};
        if (one(parts, &get, &item, MOTE_PARTS_GET)) return printf("%s\n", get.text), false;
        snprintf(text, sizeof text, "%ld", strtol(item.found.data, NULL, 10) + 1);
        mote_parts_item write = {.key = bytes("n"), .value = bytes(text), .etag = item.version};
        mote_parts_code code = one(parts, &set, &write, MOTE_PARTS_SET);
        mote_parts_op_deinit(&set);
        mote_parts_op_deinit(&get);
        if (code != MOTE_PARTS_CONFLICT) return code ? printf("%s\n", set.text), false : true;
    }
    return false;
}

static int work(const char *yaml) {
    mote_parts *parts = load(yaml);
    bool good = true;
    for (int i = 0; i < STEPS && good; i++) good = increment(parts);
    if (!good) printf("in a process with this store:\n%s", yaml), fflush(stdout);
    mote_parts_delete(parts);
    return !good;
}

static void count_together(const char *yaml) {
    pid_t pids[PROCESSES];
    int status;
    mote_parts_op op;
    mote_parts *parts = load(yaml);
    mote_parts_item item = {.key = bytes("n"), .value = bytes("0")};
    CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_SET), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
    for (int i = 0; i < PROCESSES; i++)
        if (!(pids[i] = fork())) _exit(work(yaml));
    for (int i = 0; i < PROCESSES; i++)
        CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
    parts = load(yaml);
    CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_GET), MOTE_PARTS_OK);
    CHECK(same(item.found, bytes("200")));
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

TEST(no_update_is_lost) {
    char yaml[2000];
    for (size_t i = 0; i < STORE_COUNT; i++)
        if (strcmp(stores[i].name, "memory") &&
            store_yaml(&stores[i], "store", "  - {name: keyPrefix, value: count}\n", yaml,
                       sizeof yaml))
            count_together(yaml);
}

/* ---------------------------------------------------------------- killed while it writes */

/* Writes 1, 2, 3, ... for ever and says each number once the store has acknowledged it. */
static void write_for_ever(const char *yaml, int acknowledgements) {
    mote_parts *parts = load(yaml);
    for (int n = 0;; n++) {
        mote_parts_op op;
        char key[16];
        snprintf(key, sizeof key, "k%d", n);
        mote_parts_item item = {.key = bytes(key), .value = bytes(key)};
        if (one(parts, &op, &item, MOTE_PARTS_SET) ||
            write(acknowledgements, &n, sizeof n) != sizeof n)
            _exit(1);
        mote_parts_op_deinit(&op);
    }
}

static void kill_a_writer(const char *yaml) {
    int pipe_fds[2], last = -1, n;
    if (pipe(pipe_fds)) return (void)CHECK(pipe_fds[0]);
    pid_t pid = fork();
    if (!pid) write_for_ever(yaml, pipe_fds[1]);
    close(pipe_fds[1]);
    while (last < 30 && read(pipe_fds[0], &n, sizeof n) == sizeof n) last = n;
    kill(pid, SIGKILL);
    while (read(pipe_fds[0], &n, sizeof n) == sizeof n) last = n;
    waitpid(pid, &n, 0);
    close(pipe_fds[0]);
    CHECK(last >= 30);
    mote_parts *parts = load(yaml);
    for (int i = 0; i <= last; i++) {
        mote_parts_op op;
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        mote_parts_item item = {.key = bytes(key)};
        CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_GET), MOTE_PARTS_OK);
        CHECK(same(item.found, bytes(key)));
        mote_parts_op_deinit(&op);
    }
    mote_parts_delete(parts);
}

TEST(what_was_acknowledged_is_there) {
    char yaml[2000];
    for (size_t i = 0; i < STORE_COUNT; i++)
        if (strcmp(stores[i].name, "memory") &&
            store_yaml(&stores[i], "store", "  - {name: keyPrefix, value: killed}\n", yaml,
                       sizeof yaml))
            kill_a_writer(yaml);
}

/* ---------------------------------------------------------------- a disk that is full */

/* Writes 8 KiB values until that fails; says how many were acknowledged, and whether the failure
 * was told in words. */
static int fill_up(const char *yaml) {
    static char large[8192];
    const struct rlimit limit = {256 << 10, 256 << 10};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit)) return 0;
    mote_parts *parts = load(yaml);
    for (int n = 0; n < 200; n++) {
        mote_parts_op op;
        char key[16];
        snprintf(key, sizeof key, "f%d", n);
        mote_parts_item item = {.key = bytes(key), .value = {large, sizeof large}};
        mote_parts_code code = one(parts, &op, &item, MOTE_PARTS_SET);
        if (code) return strstr(op.text, "SQLite: ") ? n : 0;
        mote_parts_op_deinit(&op);
    }
    return 0;
}

TEST(a_full_disk_is_told_and_harms_nothing) {
    char yaml[2000];
    int status;
    if (!store_yaml(&stores[1], "store", "  - {name: tableName, value: full}\n", yaml, sizeof yaml))
        return;
    char *data = strstr(yaml, "data.db");
    memcpy(data, "full.db", 7);
    pid_t pid = fork();
    if (!pid) _exit(fill_up(yaml));
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    int acknowledged = WEXITSTATUS(status);
    CHECK(acknowledged > 3);
    mote_parts *parts = load(yaml);
    mote_parts_op op = {.verb = MOTE_PARTS_KEYS};
    CHECK_EQ(mote_parts_call(parts, "store", &op), MOTE_PARTS_OK);
    CHECK_EQ(op.item_count, acknowledged);
    mote_parts_op_deinit(&op);
    mote_parts_item item = {.key = bytes("after"), .value = bytes("1")};
    CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_SET), MOTE_PARTS_OK); /* there is room again */
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- servers that misbehave */

/* Takes a loopback port, which refuses connections; the port. */
static int reserve_port(int *fd) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(*fd, (struct sockaddr *)&at, sizeof at) ||
        getsockname(*fd, (struct sockaddr *)&at, &size))
        return 0;
    return ntohs(at.sin_port);
}

static int listen_somewhere(int *fd) {
    int port = reserve_port(fd);
    return listen(*fd, 4) ? 0 : port;
}

#define GREETING "$40\r\n0123456789012345678901234567890123456789\r\n"

/* A server that says one thing after it was greeted, to everybody, and then nothing (stays false:
 * hangs up). */
static pid_t misbehave(int listener, const char *says, bool stays) {
    pid_t pid = fork();
    if (pid) return pid;
    for (;;) {
        char bytes_in[4096];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 || recv(fd, bytes_in, sizeof bytes_in, 0) <= 0) continue;
        if (send(fd, GREETING, strlen(GREETING), 0) < 0 ||
            recv(fd, bytes_in, sizeof bytes_in, 0) < 0)
            continue;
        if (*says && send(fd, says, strlen(says), 0) < 0) continue;
        if (!stays) close(fd);
    }
}

/* A wait that is expected to end is long, so that a busy machine changes nothing. */
static mote_parts *load_redis(int port, const char *dial, const char *read) {
    char yaml[600];
    snprintf(yaml, sizeof yaml,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: state.redis\n  metadata:\n"
             "  - {name: redisHost, value: '127.0.0.1:%d'}\n  - {name: dialTimeout, value: %s}\n"
             "  - {name: readTimeout, value: %s}\n",
             port, dial, read);
    return load(yaml);
}

static void expect(int port, mote_parts_code wanted, const char *words) {
    bool silent = !strcmp(words, "does not answer");
    mote_parts *parts =
        load_redis(port, silent ? "200ms" : "3s", wanted == MOTE_PARTS_TIMEOUT ? "200ms" : "3s");
    mote_parts_op op;
    mote_parts_item item = {.key = bytes("k")};
    CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_GET), wanted);
    if (!CHECK(strstr(op.text, words))) printf("  %s\n", op.text);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}

static void expect_of(const char *says, bool stays, mote_parts_code wanted, const char *words) {
    int fd, port = listen_somewhere(&fd);
    pid_t pid = misbehave(fd, says, stays);
    expect(port, wanted, words);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd);
}

TEST(servers_that_misbehave) {
    int fd, port = listen_somewhere(&fd);
    expect(port, MOTE_PARTS_UNAVAILABLE, "does not answer"); /* takes connections, says nothing */
    close(fd);
    port = reserve_port(&fd);
    expect(port, MOTE_PARTS_UNAVAILABLE, "onnection refused");
    close(fd);
    expect_of("", true, MOTE_PARTS_TIMEOUT, "no answer in time");
    expect_of("", false, MOTE_PARTS_UNAVAILABLE, "closed the connection");
    expect_of("nonsense\r\n", true, MOTE_PARTS_UNAVAILABLE, "not of Redis's protocol");
    expect_of("$99999999999\r\n", true, MOTE_PARTS_UNAVAILABLE, "not of Redis's protocol");
    expect_of("*2\r\n$4\r\ndata\r\n", true, MOTE_PARTS_TIMEOUT,
              "no answer in time"); /* half an answer */
    expect_of("*0\r\n", true, MOTE_PARTS_NOT_FOUND, "");
    expect_of("-ERR no\r\n", true, MOTE_PARTS_FAILED, "Redis: ERR no");
    expect_of("-NOPERM no\r\n", true, MOTE_PARTS_DENIED, "NOPERM");
}

TEST(a_store_that_is_away_is_EIO_and_a_line) {
    int fd, port = reserve_port(&fd);
    mote_vfs_node *dir, *file;
    mote_error error;
    mote_parts *parts = load_redis(port, "3s", "3s");
    CHECK_EQ(mote_parts_mount(parts, "store", NULL, &dir, &error),
             MOTE_OK); /* nobody has asked for anything yet */
    CHECK_EQ(dir->ops->open(dir, "key", MOTE_VFS_READ, &file), MOTE_VFS_EIO);
    CHECK(strstr(logged, "component store: ") && strstr(logged, "onnection refused"));
    mote_vfs_release(dir);
    close(fd);
    mote_parts_delete(parts);
}

TEST(secrets_go_into_metadata) {
    char yaml[1200];
    mote_parts_op op;
    mote_parts_item item = {.key = bytes("k"), .value = bytes("1")};
    setenv("SECRET_PLACE", ":memory:", 1);
    snprintf(yaml, sizeof yaml,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: env}\nspec: {type: "
             "secretstores.local.env}\n---\n"
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec:\n  "
             "type: state.sqlite\n  metadata:\n"
             "  - {name: connectionString, secretKeyRef: {name: %%s, key: %%s}}\nauth: "
             "{secretStore: env}\n");
    char text[1400];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, yaml, "SECRET_PLACE", "SECRET_PLACE");
    mote_parts *parts = load(text);
    CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_SET), MOTE_PARTS_OK);
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
    snprintf(text, sizeof text, yaml, "DAPR_API_TOKEN", "x");
#pragma GCC diagnostic pop
    setenv("DAPR_API_TOKEN", "t", 1);
    parts = load(text);
    CHECK_EQ(one(parts, &op, &item, MOTE_PARTS_SET), MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(op.text, "the secret `DAPR_API_TOKEN` of env"));
    mote_parts_op_deinit(&op);
    mote_parts_delete(parts);
}
