/* health_test.c - how a component is: a real server that is stopped and started is seen to go and
 * to come back, without anybody asking it for anything; files that cannot be opened or written. */
#define _GNU_SOURCE
#include "stores.h"
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static char said[20000]; /* what was logged */
static void note_line(void *context, const char *line) {
    size_t size = strlen(said);
    (void)context;
    snprintf(said + size, sizeof said - size, "%s\n", line);
}

static int lines_of(const char *text) {
    int lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

static mote_parts *load(const char *yaml) {
    mote_parts *parts = NULL;
    mote_error error;
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS"), .log = note_line};
    *said = 0;
    if (mote_parts_new(&config, &parts, &error) ||
        mote_parts_load_text(parts, "h.yaml", yaml, strlen(yaml), &error))
        printf("%s\n", error.message);
    return parts;
}

static mote_parts_health health_of(mote_parts *parts) {
    mote_parts_health health;
    mote_parts_health_at(parts, 0, &health);
    return health;
}

static uint64_t since_1970_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Works until the component is as wanted; what goes wrong here is that it never is. */
static mote_parts_health await(mote_parts *parts, mote_parts_state wanted) {
    mote_parts_health health = health_of(parts);
    bool never = false;
    for (int i = 0; i < 6000 && health.state != wanted; i++) {
        mote_parts_drive(parts, &never, 10000000);
        health = health_of(parts);
    }
    CHECK_STR(mote_parts_state_text(health.state), mote_parts_state_text(wanted));
    return health;
}

/* ---------------------------------------------------------------- servers */

/* Stops it in order, so that it can be started again at once. */
static void stop_server(const struct store *store) {
    pid_t pid = server_pid(store);
    if (CHECK(pid > 1) &&
        CHECK_EQ(kill(pid, !strcmp(store->server, "MOTE_POSTGRES_PORT") ? SIGINT : SIGTERM), 0))
        while (!kill(pid, 0)) usleep(10000);
}

static void start_server(const struct store *store) {
    char command[300];
    snprintf(command, sizeof command, "%s/start", folder_of(store));
    CHECK_EQ(system(command), 0);
}

static void check_away(const struct store *store, const mote_parts_health *h, uint64_t stopped_ns) {
    uint64_t now_ns = since_1970_ns();
    CHECK(strstr(h->error, "127.0.0.1:") && strstr(h->error, getenv(store->server)));
    CHECK(h->since_ns >= stopped_ns && h->since_ns <= now_ns);
    CHECK(h->error_ns >= h->since_ns && h->error_ns <= now_ns);
    CHECK(h->attempt_ns == 0 || h->attempt_ns < now_ns + 6000000000);
}

static void stop_and_start(const struct store *store) {
    char yaml[2000], text[200];
    bool never = false;
    if (!store_yaml(store, "store", "", yaml, sizeof yaml)) return;
    mote_parts *parts = load(yaml);
    mote_parts_health health = health_of(parts);
    CHECK_EQ(health.state, MOTE_PARTS_UNUSED);
    CHECK_STR(health.error, "");
    CHECK_EQ(mote_parts_probe(parts, "store", 0, text), MOTE_PARTS_OK);
    health = health_of(parts);
    CHECK_EQ(health.state, MOTE_PARTS_READY);
    CHECK_STR(health.error, "");
    CHECK(health.since_ns && !health.attempt_ns && !health.failures);

    uint64_t stopped_ns = since_1970_ns();
    stop_server(store);
    health = await(parts, MOTE_PARTS_AWAY);
    check_away(store, &health, stopped_ns);
    for (int i = 0; i < 600 && health_of(parts).failures < 3; i++)
        mote_parts_drive(parts, &never, 10000000); /* it is tried again, unasked */
    health = health_of(parts);
    check_away(store, &health, stopped_ns);
    CHECK(health.failures >= 3);
    CHECK_EQ(mote_parts_probe(parts, "store", 0, text), MOTE_PARTS_UNAVAILABLE);
    CHECK(strstr(text, getenv(store->server)));

    start_server(store);
    health = await(parts, MOTE_PARTS_READY);
    CHECK(health.since_ns > stopped_ns && !health.failures && !health.attempt_ns);
    CHECK(*health.error); /* the last one stays */
    CHECK_EQ(mote_parts_probe(parts, "store", 0, NULL), MOTE_PARTS_OK);
    const char *gone = strstr(said, "component store: "), *back = strstr(said, ": there again\n");
    CHECK(gone && back && gone < back); /* and people are told each once */
    CHECK(back && !back[strlen(": there again\n")]);
    CHECK_EQ(lines_of(said), 2);
    mote_parts_delete(parts);
}

TEST(servers_that_stop_and_start) {
    for (size_t i = 0; i < STORE_COUNT; i++)
        if (stores[i].server && getenv(stores[i].server) && getenv("MOTE_SERVERS_FOLDER"))
            stop_and_start(&stores[i]);
}

/* One that was never there: a port that nobody has. */
TEST(servers_that_are_not_there) {
    mote_parts_health health;
    char text[200];
    mote_parts *parts = load("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: r}\n"
                             "spec: {type: lock.redis, metadata: [{name: redisHost, value: "
                             "'127.0.0.1:1'}]}\n");
    CHECK_EQ(mote_parts_probe(parts, "r", 0, text), MOTE_PARTS_UNAVAILABLE);
    CHECK_STR(text, "Redis 127.0.0.1:1: Connection refused");
    health = health_of(parts);
    CHECK_EQ(health.state, MOTE_PARTS_AWAY);
    CHECK_EQ(health.failures, 1);
    CHECK_STR(health.error, text);
    CHECK(health.attempt_ns >= health.since_ns);
    CHECK_EQ(mote_parts_probe(parts, "nobody", 0, text), MOTE_PARTS_NOT_FOUND);
    CHECK_STR(text, "there is no component `nobody`");
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- what needs no server */

TEST(those_in_this_process) {
    static const struct {
        const char *type, *metadata;
    } cases[] = {{"state.in-memory", ""},
                 {"lock.in-memory", ""},
                 {"configuration.in-memory", ""},
                 {"secretstores.local.env", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[300];
        snprintf(yaml, sizeof yaml,
                 "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: c}\nspec: {type: "
                 "%s}\n",
                 cases[i].type);
        mote_parts *parts = load(yaml);
        CHECK_EQ(health_of(parts).state, MOTE_PARTS_UNUSED);
        CHECK_EQ(mote_parts_probe(parts, "c", 0, NULL), MOTE_PARTS_OK);
        CHECK_EQ(health_of(parts).state, MOTE_PARTS_READY);
        CHECK(health_of(parts).since_ns > 0);
        mote_parts_delete(parts);
    }
}

static mote_parts_code set(mote_parts *parts, const char *value, size_t size) {
    mote_parts_item item = {.key = bytes("k"), .value = {value, size}};
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    mote_parts_op_deinit(&op);
    return code;
}

/* A file that cannot be opened, then can; then one that cannot grow, which reading does not tell.
 */
TEST(sqlite_files) {
    char yaml[500], path[200];
    static char large[1 << 20];
    struct rlimit before, small;
    snprintf(path, sizeof path, "%s/absent", store_make_folder());
    snprintf(yaml, sizeof yaml,
             "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: store}\nspec: {type: "
             "state.sqlite, metadata: [{name: url, value: %s/h.db}]}\n",
             path);
    mote_parts *parts = load(yaml);
    CHECK_EQ(mote_parts_probe(parts, "store", 0, NULL), MOTE_PARTS_UNAVAILABLE);
    mote_parts_health health = health_of(parts);
    CHECK_EQ(health.state, MOTE_PARTS_AWAY);
    CHECK(strstr(health.error, "unable to open database file"));
    CHECK_EQ(health.attempt_ns, 0);
    char command[300];
    snprintf(command, sizeof command, "mkdir %s", path);
    CHECK_EQ(system(command), 0);
    CHECK_EQ(mote_parts_probe(parts, "store", 0, NULL), MOTE_PARTS_OK);
    CHECK_EQ(health_of(parts).state, MOTE_PARTS_READY);

    memset(large, 'x', sizeof large);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){300000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    CHECK(set(parts, large, sizeof large) != MOTE_PARTS_OK);
    CHECK_EQ(health_of(parts).state, MOTE_PARTS_AWAY);
    CHECK(strstr(health_of(parts).error, "h.db: "));
    CHECK_EQ(mote_parts_probe(parts, "store", 0, NULL), MOTE_PARTS_OK);
    CHECK_EQ(health_of(parts).state, MOTE_PARTS_AWAY);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_EQ(set(parts, "1", 1), MOTE_PARTS_OK);
    CHECK_EQ(health_of(parts).state, MOTE_PARTS_READY);
    mote_parts_delete(parts);
}
