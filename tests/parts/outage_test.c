/* outage_test.c - servers of every store that are killed in the middle of writes, and connections
 * to them that stall, are reset and come back: deadlines hold, what was acknowledged is there, and
 * nobody has to be told that a server is back. */
#define _GNU_SOURCE
#include "stores.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/* The folder of a store's server in that of with-servers. */
static mote_parts *load(const char *yaml) {
    mote_parts *parts = NULL;
    mote_error error;
    const mote_parts_config config = {.driver_dir = getenv("MOTE_DRIVERS")};
    if (mote_parts_new(&config, &parts, &error) ||
        mote_parts_load_text(parts, "o.yaml", yaml, strlen(yaml), &error))
        printf("%s\n", error.message);
    return parts;
}

static mote_parts_code one(mote_parts *parts, mote_parts_verb verb, const char *key,
                           uint64_t timeout_ns, char text[200]) {
    mote_parts_item item = {.key = bytes(key), .value = bytes(key)};
    mote_parts_op op = {.verb = verb, .items = &item, .item_count = 1, .timeout_ns = timeout_ns};
    mote_parts_code code = mote_parts_call(parts, "store", &op);
    if (!code) code = item.code;
    if (!code && verb == MOTE_PARTS_GET && !same(item.found, bytes(key))) code = MOTE_PARTS_FAILED;
    if (text) snprintf(text, 200, "%s", op.text);
    mote_parts_op_deinit(&op);
    return code;
}

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Until the store answers again: 20 seconds at most. */
static bool comes_back(mote_parts *parts) {
    char text[200] = "";
    for (uint64_t end = now_ms() + 20000; now_ms() < end; usleep(20000))
        if (!one(parts, MOTE_PARTS_SET, "back", 1000000000, text)) return true;
    return printf("  %s\n", text), false;
}

/* ---------------------------------------------------------------- a server is killed */

/* Starts it again, as often as it takes: one that was killed may have left processes that a new one
 * waits for. */
static bool restart(const struct store *store, mote_parts *parts) {
    char command[300];
    snprintf(command, sizeof command, "%s/start", folder_of(store));
    for (int tries = 0; tries < 40; tries++) {
        if (system(command)) return false;
        for (int i = 0; i < 200 && !kill(server_pid(store), 0); i++) {
            if (!one(parts, MOTE_PARTS_SET, "back", 1000000000, NULL)) return true;
            usleep(50000);
        }
        usleep(100000);
    }
    return false;
}

/* Writes one key after the other and says how many were acknowledged; ends when the server does. */
static void write_on(const char *yaml, int acknowledgements) {
    mote_parts *parts = load(yaml);
    char key[16];
    for (int n = 0;; n++) {
        snprintf(key, sizeof key, "k%d", n);
        if (one(parts, MOTE_PARTS_SET, key, 0, NULL)) _exit(0);
        if (write(acknowledgements, &n, sizeof n) != sizeof n) _exit(1);
    }
}

static void kill_the_server(const struct store *store, const char *yaml) {
    enum { ENOUGH = 30 };
    int pipe_fds[2], last = -1, n, status;
    char key[16];
    if (!CHECK(!pipe(pipe_fds))) return;
    pid_t pid = fork();
    if (!pid) write_on(yaml, pipe_fds[1]);
    close(pipe_fds[1]);
    while (last < ENOUGH && read(pipe_fds[0], &n, sizeof n) == sizeof n) last = n;
    CHECK_EQ(kill(server_pid(store), SIGKILL), 0);
    while (read(pipe_fds[0], &n, sizeof n) == sizeof n) last = n;
    CHECK(waitpid(pid, &status, 0) == pid && !status);
    close(pipe_fds[0]);
    mote_parts *parts = load(yaml);
    CHECK(restart(store, parts));
    for (int i = 0; i <= last; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, key, 0, NULL), MOTE_PARTS_OK);
    }
    CHECK(last >= ENOUGH);
    mote_parts_delete(parts);
}

/* ---------------------------------------------------------------- a connection is disturbed */

enum mode { FORWARD, STALL, RESET };

/* Stands between a client and its server, in a process of its own. */
struct proxy {
    int listener, port, server_port;
    pid_t pid;
    volatile struct {
        int mode, seen; /* what it is to do, and what it does */
    } *shared;          /* with that process */
};

/* Until the proxy does it: what comes later cannot slip through. */
static void set_mode(struct proxy *proxy, enum mode mode) {
    proxy->shared->mode = (int)mode;
    while (proxy->shared->seen != (int)mode) usleep(1000);
}

enum { PAIRS = 16 };

static int reach(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at)) return close(fd), -1;
    return fd;
}

static void cut(int fds[2]) {
    const struct linger hard = {1, 0};
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fds[i]);
        fds[i] = -1;
    }
}

static void pass_on(int fds[2], int from) {
    char bytes_in[16384];
    ssize_t got = recv(fds[from], bytes_in, sizeof bytes_in, MSG_DONTWAIT);
    if (!got || (got > 0 && send(fds[!from], bytes_in, (size_t)got, MSG_NOSIGNAL) != got)) cut(fds);
}

static void take_client(const struct proxy *proxy, int pairs[PAIRS][2]) {
    int fd = accept(proxy->listener, NULL, NULL);
    for (int i = 0; i < PAIRS && fd >= 0; i++) {
        if (pairs[i][0] >= 0) continue;
        pairs[i][0] = fd;
        pairs[i][1] = reach(proxy->server_port);
        if (pairs[i][1] < 0) close(fd), pairs[i][0] = -1;
        return;
    }
}

static void stand_between(const struct proxy *proxy) {
    int pairs[PAIRS][2];
    memset(pairs, -1, sizeof pairs);
    for (;;) {
        struct pollfd fds[PAIRS * 2 + 1] = {{.fd = proxy->listener, .events = POLLIN}};
        int mode = proxy->shared->mode;
        for (int i = 0; i < PAIRS * 2; i++)
            fds[i + 1] =
                (struct pollfd){.fd = mode == FORWARD ? pairs[i / 2][i % 2] : -1, .events = POLLIN};
        poll(fds, PAIRS * 2 + 1, 10);
        if (fds[0].revents) take_client(proxy, pairs);
        for (int i = 0; i < PAIRS * 2; i++)
            if (fds[i + 1].revents && pairs[i / 2][0] >= 0) pass_on(pairs[i / 2], i % 2);
        for (int i = 0; i < PAIRS; i++)
            if (mode == RESET && pairs[i][0] >= 0) cut(pairs[i]);
        proxy->shared->seen = mode;
    }
}

static bool proxy_begin(struct proxy *proxy, int server_port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    proxy->server_port = server_port;
    proxy->shared = mmap(NULL, sizeof *proxy->shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bind(proxy->listener, (struct sockaddr *)&at, sizeof at) || listen(proxy->listener, 8) ||
        getsockname(proxy->listener, (struct sockaddr *)&at, &size) || proxy->shared == MAP_FAILED)
        return false;
    proxy->port = ntohs(at.sin_port);
    proxy->pid = fork();
    if (!proxy->pid) stand_between(proxy);
    return proxy->pid > 0;
}

static void proxy_end(struct proxy *proxy) {
    kill(proxy->pid, SIGKILL);
    waitpid(proxy->pid, NULL, 0);
    close(proxy->listener);
    munmap((void *)(uintptr_t)proxy->shared, sizeof *proxy->shared);
}

static bool is_over;
static void note_end(mote_parts_op *op) { (void)op, is_over = true; }

/* Begins a read while nothing comes through, does something to it, and waits for its end. */
static mote_parts_code disturb(mote_parts *parts, struct proxy *proxy, mote_parts_verb verb,
                               bool cancels) {
    bool never = false;
    mote_parts_item item = {.key = bytes("a"), .value = bytes("a")};
    mote_parts_op op = {.verb = verb, .items = &item, .item_count = 1, .done = note_end};
    is_over = false;
    set_mode(proxy, STALL);
    mote_parts_submit(parts, "store", &op);
    mote_parts_drive(parts, &never, 50000000);
    CHECK(!is_over);
    if (cancels) mote_parts_cancel(&op);
    else set_mode(proxy, RESET);
    mote_parts_drive(parts, &is_over, 5000000000);
    CHECK(is_over);
    set_mode(proxy, FORWARD);
    mote_parts_op_deinit(&op);
    return op.code;
}

/* Cuts the connection 3 ms after a call has begun, which no answer comes to. */
static mote_parts_code cut_meanwhile(mote_parts *parts, struct proxy *proxy, mote_parts_verb verb) {
    set_mode(proxy, STALL);
    pid_t pid = fork();
    if (!pid) usleep(3000), proxy->shared->mode = RESET, _exit(0);
    mote_parts_code code = one(parts, verb, "a", 0, NULL);
    waitpid(pid, NULL, 0);
    set_mode(proxy, FORWARD);
    return code;
}

/* Who has called so often, alone, may await answers without the loop. */
static void call_often(mote_parts *parts) {
    for (int i = 0; i < 150; i++) CHECK_EQ(one(parts, MOTE_PARTS_GET, "a", 0, NULL), MOTE_PARTS_OK);
}

static void disturb_connections(mote_parts *parts, struct proxy *proxy) {
    char text[200];
    CHECK_EQ(one(parts, MOTE_PARTS_SET, "a", 0, NULL), MOTE_PARTS_OK);
    for (int verb = MOTE_PARTS_GET; verb <= MOTE_PARTS_SET; verb++) {
        call_often(parts);
        set_mode(proxy, STALL);
        uint64_t began = now_ms();
        CHECK_EQ(one(parts, (mote_parts_verb)verb, "a", 200000000, text), MOTE_PARTS_TIMEOUT);
        CHECK_STR(text, "no answer in time");
        CHECK(now_ms() - began >= 190 && now_ms() - began < 2000);
        set_mode(proxy, FORWARD);
        CHECK(comes_back(parts));
    }
    for (int verb = MOTE_PARTS_GET; verb <= MOTE_PARTS_SET; verb++) {
        CHECK_EQ(disturb(parts, proxy, (mote_parts_verb)verb, true), MOTE_PARTS_CANCELLED);
        CHECK(comes_back(parts));
        CHECK_EQ(disturb(parts, proxy, (mote_parts_verb)verb, false), MOTE_PARTS_UNAVAILABLE);
        CHECK(comes_back(parts));
        call_often(parts);
        CHECK_EQ(cut_meanwhile(parts, proxy, (mote_parts_verb)verb), MOTE_PARTS_UNAVAILABLE);
        CHECK(comes_back(parts));
    }
    call_often(parts);
    set_mode(proxy, RESET); /* while nothing is asked */
    set_mode(proxy, FORWARD);
    CHECK_EQ(one(parts, MOTE_PARTS_GET, "a", 0, text), MOTE_PARTS_OK);
}

/* A store behind a proxy. */
static mote_parts *load_behind(struct proxy *proxy, const struct store *store, const char *more) {
    char yaml[2000], port[12], before[12];
    snprintf(before, sizeof before, "%s", getenv(store->server));
    if (!CHECK(proxy_begin(proxy, atoi(before)))) return NULL;
    snprintf(port, sizeof port, "%d", proxy->port);
    setenv(store->server, port, 1);
    CHECK(store_yaml(store, "store", more, yaml, sizeof yaml));
    setenv(store->server, before, 1);
    return load(yaml);
}

static void disturb_store(const struct store *store) {
    struct proxy proxy = {0};
    mote_parts *parts = load_behind(&proxy, store, "  - {name: keyPrefix, value: disturbed}\n");
    if (!parts) return;
    disturb_connections(parts, &proxy);
    mote_parts_delete(parts);
    proxy_end(&proxy);
}

TEST(connections_that_stall_and_are_reset) {
    for (size_t i = 0; i < STORE_COUNT; i++)
        if (stores[i].server && getenv(stores[i].server)) disturb_store(&stores[i]);
}

/* ---------------------------------------------------------------- one who is impatient */

enum { READERS = 21 };

static unsigned ended;
static void count_end(mote_parts_op *op) { (void)op, ended++; }

static bool waits_for(mote_parts *parts, unsigned ends) {
    bool never = false;
    for (int i = 0; i < 500 && ended < ends; i++) mote_parts_drive(parts, &never, 10000000);
    return ended == ends;
}

/* One of many reads has a short deadline, which passes while the server says nothing. */
static void be_impatient(mote_parts *parts, struct proxy *proxy, size_t who) {
    static mote_parts_op ops[READERS];
    static mote_parts_item items[READERS];
    bool never = false;
    set_mode(proxy, STALL);
    ended = 0;
    for (size_t i = 0; i < READERS; i++) {
        items[i] = (mote_parts_item){.key = bytes("a")};
        ops[i] = (mote_parts_op){
            .verb = MOTE_PARTS_GET, .items = &items[i], .item_count = 1, .done = count_end};
        if (i == who) ops[i].timeout_ns = 20000000;
        mote_parts_submit(parts, "store", &ops[i]);
    }
    CHECK(waits_for(parts, 1));
    mote_parts_drive(parts, &never, 200000000);
    CHECK_EQ(ended, 1);
    set_mode(proxy, FORWARD);
    CHECK(waits_for(parts, READERS));
    for (size_t i = 0; i < READERS; i++) {
        CHECK_EQ(ops[i].code, i == who ? MOTE_PARTS_TIMEOUT : MOTE_PARTS_OK);
        CHECK(i == who || same(items[i].found, bytes("a")));
        mote_parts_op_deinit(&ops[i]);
    }
}

static mote_parts_health health_of(mote_parts *parts) {
    mote_parts_health health;
    mote_parts_health_at(parts, 0, &health);
    return health;
}

TEST(a_short_deadline_ends_nobody_else_s_operation) {
    for (size_t i = 0; i < STORE_COUNT; i++) {
        struct proxy proxy = {0};
        if (!stores[i].server || !getenv(stores[i].server)) continue;
        mote_parts *parts = load_behind(&proxy, &stores[i], "");
        if (!parts) continue;
        CHECK_EQ(one(parts, MOTE_PARTS_SET, "a", 0, NULL), MOTE_PARTS_OK);
        for (size_t who = 0; who < READERS; who += READERS / 2) be_impatient(parts, &proxy, who);
        mote_parts_health health = health_of(parts);
        CHECK(health.state == MOTE_PARTS_READY && !health.error_ns);
        mote_parts_delete(parts);
        proxy_end(&proxy);
    }
}

/* Those who tell a silent server from an impatient caller, with a time of their own of a second. */
static void with_own_time(void (*run)(mote_parts *parts, struct proxy *proxy)) {
    static const char *const own[][2] = {{"redis", "  - {name: readTimeout, value: 1s}\n"},
                                         {"postgresql", "  - {name: timeout, value: 1s}\n"}};
    for (size_t i = 0; i < 2 * STORE_COUNT; i++) {
        const struct store *store = &stores[i / 2];
        struct proxy proxy = {0};
        if (strcmp(store->name, own[i % 2][0]) != 0 || !getenv(store->server)) continue;
        mote_parts *parts = load_behind(&proxy, store, own[i % 2][1]);
        if (!parts) continue;
        CHECK_EQ(one(parts, MOTE_PARTS_SET, "a", 0, NULL), MOTE_PARTS_OK);
        set_mode(&proxy, STALL);
        CHECK_EQ(one(parts, MOTE_PARTS_GET, "a", 20000000, NULL), MOTE_PARTS_TIMEOUT);
        CHECK_EQ(health_of(parts).state, MOTE_PARTS_READY);
        run(parts, &proxy);
        mote_parts_delete(parts);
        proxy_end(&proxy);
    }
}

static void say_nothing(mote_parts *parts, struct proxy *proxy) {
    bool never = false;
    mote_parts_drive(parts, &never, 1300000000);
    CHECK_EQ(health_of(parts).state, MOTE_PARTS_AWAY);
    CHECK(strstr(health_of(parts).error, "no answer in time"));
    set_mode(proxy, FORWARD);
    CHECK(comes_back(parts));
}

/* A server that says nothing for the component's own time is away, whoever has asked. */
TEST(a_server_that_says_nothing_is_away) { with_own_time(say_nothing); }

static void answer_unheard(mote_parts *parts, struct proxy *proxy) {
    set_mode(proxy, FORWARD);
    usleep(1500000);
    CHECK_EQ(one(parts, MOTE_PARTS_GET, "a", 0, NULL), MOTE_PARTS_OK);
    CHECK(!health_of(parts).error_ns);
}

/* What it has said while nobody ran the loop it has said in time. */
TEST(an_answer_that_nobody_heard) { with_own_time(answer_unheard); }

/* A mote_parts that is deleted while it connects to a server that says nothing does not wait. */
TEST(leaving_while_connecting) {
    for (size_t i = 0; i < STORE_COUNT; i++) {
        char yaml[2000], port[12], before[12];
        struct proxy proxy = {0};
        const char *server = stores[i].server ? getenv(stores[i].server) : NULL;
        if (!server || !CHECK(proxy_begin(&proxy, atoi(server)))) continue;
        set_mode(&proxy, STALL);
        snprintf(before, sizeof before, "%s", server);
        snprintf(port, sizeof port, "%d", proxy.port);
        setenv(stores[i].server, port, 1);
        CHECK(store_yaml(&stores[i], "store", "", yaml, sizeof yaml));
        setenv(stores[i].server, before, 1);
        mote_parts *parts = load(yaml);
        uint64_t began = now_ms();
        CHECK_EQ(one(parts, MOTE_PARTS_GET, "a", 100000000, NULL), MOTE_PARTS_TIMEOUT);
        mote_parts_delete(parts);
        CHECK(now_ms() - began < 2000);
        proxy_end(&proxy);
    }
}

TEST(servers_that_are_killed_while_they_write) {
    char yaml[2000];
    for (size_t i = 0; i < STORE_COUNT; i++)
        if (stores[i].server && getenv("MOTE_SERVERS_FOLDER") &&
            store_yaml(&stores[i], "store", "  - {name: keyPrefix, value: lost}\n", yaml,
                       sizeof yaml))
            kill_the_server(&stores[i], yaml);
}
