/* redis.c - the connection of redis.h.
 * Keeps: `slots` from first_slot on are the commands sent and not answered, in order; an operation
 * is in as many of them as it awaits answers, and not completed; `waiting` is empty when the state
 * is READY or IDLE. */
#define _GNU_SOURCE
#include "redis.h"
#include "base/error.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536, GREETING = UINT32_MAX };

/* How long an answer is awaited without the loop, and for how long one after the other before the
 * loop gets a turn again; how many until the socket is not watched meanwhile: to a watched one an
 * answer is 1 us longer under way. */
enum { AWAIT_US = 10000, DIRECT_NS = 10000000, DIRECT_WATCHED_MAX = 2 };

/* A connection that was in use a moment ago is not asked whether it is still there. */
static const uint64_t fresh_ns = 1000000;

/* What a time of 0 means, as in Go's client. */
static const uint64_t dial_timeout_default_ns = 5000000000, answer_timeout_default_ns = 3000000000;

/* A name on its way to be an address. It outlives a connection that has lost patience. */
struct resolving {
    struct loop_work work;
    const mote_allocator *allocator;
    struct redis *redis; /* NULL: nobody cares any more */
    struct addrinfo *addresses;
    char host[256], port[8];
};

static const mote_allocator *allocator(const struct redis *r) { return r->opening->allocator; }

static uint64_t now_ns(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

/* ---------------------------------------------------------------- losing it */

static uint64_t sent_ns(const struct redis_slot *slot) {
    uint64_t begun_ns = slot->op && !slot->sent_ns ? slot->op->begun_ns : slot->sent_ns;
    return begun_ns ? begun_ns : now_ns();
}

void mote__redis_forget(struct redis *r, mote_parts_op *op) {
    for (size_t i = r->first_slot; op->awaited; i++) {
        struct redis_slot *slot = &r->slots.data[i];
        if (slot->op != op) continue;
        slot->sent_ns = sent_ns(slot);
        slot->op = NULL;
        op->awaited--;
    }
}

static void disconnect(struct redis *r) {
    mote__loop_soon_stop(r->opening->loop, &r->soon);
    mote__loop_watch_stop(&r->watch);
    mote__loop_timer_stop(&r->dial);
    mote__loop_timer_stop(&r->stall);
    if (r->fd >= 0) close(r->fd);
    r->fd = -1;
    if (r->addresses) freeaddrinfo(r->addresses);
    if (r->resolving) r->resolving->redis = NULL;
    r->resolving = NULL;
    r->addresses = r->next_address = NULL;
    r->in.count = r->out.count = r->sent = 0;
    r->skip.is_under_way = false;
    r->direct = 0;
    r->state = REDIS_IDLE;
}

static void end(struct redis *r, mote_parts_op *op, mote_parts_code code) {
    mote__parts_say(op, code, "Redis %s: %s", r->link.where, r->link.why);
    mote__parts_complete(op, code);
}

/* Ends everything that is in flight or waits. Callbacks may submit anew meanwhile: that meets the
 * back-off. */
static void end_all(struct redis *r, mote_parts_code code) {
    for (; r->first_slot < r->slots.count; r->first_slot++) {
        mote_parts_op *op = r->slots.data[r->first_slot].op;
        if (!op) continue;
        mote__redis_forget(r, op);
        end(r, op, code);
    }
    r->slots.count = r->first_slot = 0;
    while (r->waiting.count) {
        mote_parts_op *op = r->waiting.data[--r->waiting.count];
        end(r, op, code);
    }
}

/* One that was idle, as servers hang up on those who are, is nobody's failure: it is connected
 * again at once. */
static void lose(struct redis *r, const char *why) {
    if (r->state != REDIS_READY || r->first_slot < r->slots.count) mote__link_failed(&r->link);
    disconnect(r);
    mote__link_lost(&r->link, why);
    end_all(r, MOTE_PARTS_UNAVAILABLE);
    if (r->user->lost) r->user->lost(r);
}

/* ---------------------------------------------------------------- ends of operations */

mote_parts_code mote__redis_failure(mote_parts_op *op, const struct resp *error) {
    bool denied =
        error->size > 6 && (!memcmp(error->text, "NOPERM", 6) || !memcmp(error->text, "NOAUTH", 6));
    bool full = error->size > 3 && !memcmp(error->text, "OOM", 3),
         loading = error->size > 7 && !memcmp(error->text, "LOADING", 7);
    mote_parts_code code = denied    ? MOTE_PARTS_DENIED
                           : full    ? MOTE_PARTS_LIMIT
                           : loading ? MOTE_PARTS_UNAVAILABLE
                                     : MOTE_PARTS_FAILED;
    return mote__parts_say(op, code, "Redis: %.*s", (int)(error->size < 150 ? error->size : 150),
                           error->text);
}

void mote__redis_complete(struct redis *r, mote_parts_op *op, mote_parts_code code) {
    mote__redis_forget(r, op);
    mote__parts_complete(op, code);
}

/* ---------------------------------------------------------------- commands */

struct redis_command mote__redis_begin(struct redis *r, size_t words) {
    struct redis_command command = {r, r->out.count, false};
    command.failed = !mote__resp_begin(&r->out, allocator(r), words);
    return command;
}

void mote__redis_word(struct redis_command *c, const void *bytes, size_t size) {
    if (!c->failed) c->failed = !mote__resp_word(&c->redis->out, allocator(c->redis), bytes, size);
}

bool mote__redis_end(struct redis_command *c, mote_parts_op *op, size_t item, unsigned what) {
    struct redis *r = c->redis;
    if (!c->failed && r->user->push && r->state == REDIS_READY) return true;
    struct redis_slot *slot = c->failed ? NULL : mote__vec_push(&r->slots, allocator(r));
    if (!slot) return r->out.count = c->mark, false;
    *slot = (struct redis_slot){op, item, what, op && r->sends_anew ? 0 : now_ns()};
    if (op) op->awaited++;
    return true;
}

void mote__redis_script(struct redis_command *c, bool in_full) {
    mote__redis_word(c, in_full ? "EVAL" : "EVALSHA", in_full ? 4 : 7);
    if (in_full) mote__redis_word(c, c->redis->user->script, strlen(c->redis->user->script));
    else mote__redis_word(c, c->redis->script_sha, 40);
}

/* Has the loop look at the socket. */
static void watch(struct redis *r) {
    bool all = r->sent == r->out.count;
    if (!mote__loop_watch_start(r->opening->loop, &r->watch, r->fd,
                                LOOP_READ | (all ? 0u : (unsigned)LOOP_WRITE)))
        lose(r, "out of memory");
}

/* Sends what there is; the loop says when there is room for the rest. */
static void flush(struct redis *r) {
    while (r->sent < r->out.count) {
        ssize_t got = send(r->fd, r->out.data + r->sent, r->out.count - r->sent,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != EAGAIN) {
            lose(r, mote__os_error_text(errno));
            return;
        }
        if (got < 0) break;
        r->sent += (size_t)got;
    }
    bool all = r->sent == r->out.count;
    if (all) r->out.count = r->sent = 0;
    if (!all || r->direct < DIRECT_WATCHED_MAX) watch(r);
}

static void send_op(struct redis *r, mote_parts_op *op) {
    if (r->user->send(r, op)) return;
    mote__redis_forget(r, op);
    mote__parts_complete(op, MOTE_PARTS_NOMEM);
}

/* ---------------------------------------------------------------- the greeting: who we are, which
 * database, the script */

static void word(struct redis_command *c, const char *text) {
    mote__redis_word(c, text, strlen(text));
}

static bool greet(struct redis *r) {
    const struct redis_settings *s = &r->settings;
    char number[24];
    bool good = true;
    if (s->password && *s->password) {
        struct redis_command auth = mote__redis_begin(r, s->username && *s->username ? 3 : 2);
        word(&auth, "AUTH");
        if (s->username && *s->username) word(&auth, s->username);
        word(&auth, s->password);
        good = mote__redis_end(&auth, NULL, 0, GREETING), r->greetings++;
    }
    if (good && s->database) {
        struct redis_command select = mote__redis_begin(r, 2);
        snprintf(number, sizeof number, "%" PRIu64, s->database);
        word(&select, "SELECT");
        word(&select, number);
        good = mote__redis_end(&select, NULL, 0, GREETING), r->greetings++;
    }
    struct redis_command load = mote__redis_begin(r, r->user->script ? 3 : 1);
    word(&load, r->user->script ? "SCRIPT" : "PING");
    if (r->user->script) word(&load, "LOAD"), word(&load, r->user->script);
    r->greetings++;
    return mote__redis_end(&load, NULL, 0, GREETING) && good;
}

static void become_ready(struct redis *r) {
    mote__link_back(&r->link);
    r->state = REDIS_READY;
    mote__loop_timer_stop(&r->dial);
    for (size_t i = 0; i < r->waiting.count; i++) send_op(r, r->waiting.data[i]);
    r->waiting.count = 0;
    if (r->user->ready) r->user->ready(r);
    flush(r);
}

/* The loop has a turn: it sends, and watches again, what it was kept out of. */
static void on_turn(struct loop_soon *soon) {
    struct redis *r = (struct redis *)((char *)soon - offsetof(struct redis, soon));
    r->direct = 0;
    if (r->state == REDIS_READY) flush(r);
}

void mote__redis_flush(struct redis *r) {
    if (r->state == REDIS_READY) flush(r);
}

/* False when the connection is lost. */
static bool take_greeting(struct redis *r, struct resp_reader *reply) {
    struct resp element = mote__resp_next(reply);
    if (element.kind == RESP_ERROR) {
        char why[160];
        snprintf(why, sizeof why, "%.*s", (int)(element.size < 150 ? element.size : 150),
                 element.text);
        return lose(r, why), false;
    }
    if (element.kind == RESP_BULK && element.size == 40) memcpy(r->script_sha, element.text, 40);
    if (!--r->greetings) become_ready(r);
    return r->fd >= 0;
}

/* ---------------------------------------------------------------- replies */

/* Whether the beginning of an answer is more than the operation may take in: that ends it. */
static bool is_too_much(struct redis *r, size_t bytes) {
    const struct redis_slot *slot = &r->slots.data[r->first_slot];
    mote_parts_op *op = slot->op;
    if (bytes <= READ_BYTES || mote__parts_has_room(op, bytes)) return false;
    mote__redis_complete(r, op, MOTE_PARTS_NOMEM);
    return true;
}

/* Hands out one reply; false when the connection went meanwhile. */
static bool take_reply(struct redis *r, const char *bytes, size_t length) {
    struct resp_reader reader = {bytes, bytes + length};
    if (r->user->push && r->state == REDIS_READY) return r->user->push(r, &reader), r->fd >= 0;
    if (r->first_slot == r->slots.count) return lose(r, "an answer that nobody asked for"), false;
    struct redis_slot slot = r->slots.data[r->first_slot++];
    if (r->first_slot == r->slots.count) r->first_slot = r->slots.count = 0;
    if (slot.what == GREETING) return take_greeting(r, &reader);
    if (!slot.op) return true;
    slot.op->awaited--;
    r->user->reply(r, &slot, &reader);
    return r->fd >= 0;
}

/* Whether nobody wants the answer of which the beginning is here. */
static bool is_unwanted(struct redis *r, size_t bytes) {
    if (r->state != REDIS_READY || r->user->push || r->first_slot == r->slots.count) return false;
    return !r->slots.data[r->first_slot].op || is_too_much(r, bytes);
}

/* Lets go of what is here of an answer that nobody wants. */
static size_t skip(struct redis *r, const char *bytes, size_t size) {
    size_t length = mote__resp_skip(&r->skip, bytes, size);
    bool ended = length != SIZE_MAX && !r->skip.is_under_way;
    if (ended && ++r->first_slot == r->slots.count) r->first_slot = r->slots.count = 0;
    return length;
}

/* Takes the next answer, or what is here of it; how long that was. 0: more is to come; SIZE_MAX:
 * the connection is gone. */
static size_t take_next(struct redis *r, const char *bytes, size_t size) {
    bool skips = r->skip.is_under_way;
    size_t length = skips ? 0 : mote__resp_length(bytes, size);
    if (length && length != SIZE_MAX) return take_reply(r, bytes, length) ? length : SIZE_MAX;
    if (!length && !skips) skips = is_unwanted(r, size);
    if (r->fd < 0) return SIZE_MAX;
    if (skips) length = skip(r, bytes, size);
    if (length == SIZE_MAX) lose(r, "the answer is not of Redis's protocol");
    return length;
}

static void take_replies(struct redis *r) {
    size_t at = 0, length;
    while (at < r->in.count && (length = take_next(r, r->in.data + at, r->in.count - at))) {
        if (length == SIZE_MAX) return;
        at += length;
    }
    r->in.count -= at;
    if (r->in.count) memmove(r->in.data, r->in.data + at, r->in.count);
}

/* Takes in what has come; where `flags` is not MSG_DONTWAIT it waits AWAIT_US for it. False when
 * nothing has. */
static bool receive(struct redis *r, int flags) {
    for (bool some = false;;) {
        if (!mote__vec_reserve(&r->in, allocator(r), READ_BYTES))
            return lose(r, "out of memory"), true;
        size_t room = r->in.capacity - r->in.count;
        ssize_t got = recv(r->fd, r->in.data + r->in.count, room, flags);
        if (got < 0 && errno == EINTR && flags) continue;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return some;
        if (got <= 0) {
            lose(r, got ? mote__os_error_text(errno) : "the server closed the connection");
            return true;
        }
        r->in.count += (size_t)got;
        take_replies(r);
        if (r->fd < 0 || (size_t)got < room) return true;
        some = true;
        flags = MSG_DONTWAIT;
    }
}

bool mote__redis_await(struct redis *r, const mote_parts_op *op) {
    bool alone = r->state == REDIS_READY && r->slots.count - r->first_slot == op->awaited;
    if (!r->direct) r->direct_since_ns = op->begun_ns;
    if (!alone || r->sent < r->out.count || op->begun_ns - r->direct_since_ns > DIRECT_NS)
        return false;
    if (r->direct++ == DIRECT_WATCHED_MAX) mote__loop_watch_stop(&r->watch);
    mote__loop_soon(r->opening->loop, &r->soon);
    if (!receive(r, 0)) return false;
    if (r->fd >= 0 && r->sent < r->out.count) flush(r);
    return true;
}

/* ---------------------------------------------------------------- connecting */

static void try_addresses(struct redis *r);

static void say_why(struct redis *r, int code) {
    snprintf(r->link.why, sizeof r->link.why, "%s", mote__os_error_text(code));
}

/* From here on what waits is what says so, and not for long. One that cannot be told so stays as it
 * is: then answers come through the loop. */
static void let_wait(int fd) {
    const struct timeval most = {.tv_usec = AWAIT_US};
    if (!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most)) fcntl(fd, F_SETFL, 0);
}

static void on_connected(struct redis *r) {
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &code, &size) || code) {
        mote__loop_watch_stop(&r->watch);
        close(r->fd);
        r->fd = -1;
        say_why(r, code);
        try_addresses(r);
        return;
    }
    let_wait(r->fd);
    r->state = REDIS_GREETING;
    r->greetings = 0;
    if (greet(r)) flush(r);
    else lose(r, "out of memory");
}

static void on_ready(struct loop_watch *watch, unsigned ready) {
    struct redis *r = (struct redis *)((char *)watch - offsetof(struct redis, watch));
    if (r->state == REDIS_CONNECTING) {
        on_connected(r);
        return;
    }
    if (ready & LOOP_READ) receive(r, MSG_DONTWAIT);
    if (r->fd >= 0 && r->sent < r->out.count) flush(r);
}

static void out_of_time(struct loop_timer *timer) {
    lose((struct redis *)((char *)timer - offsetof(struct redis, dial)),
         "the server does not answer");
}

/* Begins to connect to the next address that takes it. */
static void try_addresses(struct redis *r) {
    int on = 1;
    r->state = REDIS_CONNECTING;
    for (; r->next_address; r->next_address = r->next_address->ai_next) {
        const struct addrinfo *at = r->next_address;
        r->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (r->fd < 0) {
            say_why(r, errno);
            continue;
        }
        setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(r->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* for those who only listen */
        bool begun = !connect(r->fd, at->ai_addr, at->ai_addrlen) || errno == EINPROGRESS;
        if (begun && mote__loop_watch_start(r->opening->loop, &r->watch, r->fd, LOOP_WRITE)) {
            r->next_address = at->ai_next;
            return;
        }
        say_why(r, errno);
        close(r->fd);
        r->fd = -1;
    }
    lose(r, r->link.why);
}

static struct addrinfo *resolve(const char *host, const char *port, int flags) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *addresses;
    return getaddrinfo(host, port, &hints, &addresses) ? NULL : addresses;
}

static void resolve_elsewhere(struct loop_work *work) {
    struct resolving *name = (struct resolving *)work;
    name->addresses = resolve(name->host, name->port, 0);
}

static void on_resolved(struct loop_work *work) {
    struct resolving *name = (struct resolving *)work;
    struct redis *r = name->redis;
    struct addrinfo *addresses = name->addresses;
    MOTE__DELETE(name->allocator, name);
    if (!r) {
        if (addresses) freeaddrinfo(addresses);
        return;
    }
    r->resolving = NULL;
    r->addresses = r->next_address = addresses;
    if (addresses) try_addresses(r);
    else lose(r, "the name is not known");
}

/* False when the system has no memory or no thread to give. */
static bool begin_resolving(struct redis *r) {
    struct resolving *name = MOTE__NEW(allocator(r), struct resolving);
    if (!name) return false;
    *name = (struct resolving){.work = {.work = resolve_elsewhere, .done = on_resolved},
                               .allocator = allocator(r),
                               .redis = r};
    memcpy(name->host, r->host, sizeof name->host);
    memcpy(name->port, r->port, sizeof name->port);
    r->resolving = name;
    if (mote__loop_work_start(r->opening->loop, &name->work)) return true;
    r->resolving = NULL;
    return MOTE__DELETE(allocator(r), name), false;
}

static void begin(struct redis *r) {
    r->state = REDIS_RESOLVING;
    bool good = mote__loop_timer_start(r->opening->loop, &r->dial, r->settings.dial_timeout_ns);
    if (good)
        r->addresses = r->next_address =
            resolve(r->host, r->port, AI_NUMERICHOST); /* an address needs no thread */
    if (good && r->addresses) try_addresses(r);
    else if (!good || !begin_resolving(r)) lose(r, "out of memory");
}

void mote__redis_connect(struct redis *r) {
    if (r->state == REDIS_IDLE) begin(r);
}

static void try_again(struct loop_timer *timer) {
    mote__redis_connect((struct redis *)((char *)timer - offsetof(struct redis, link.again)));
}

/* ---------------------------------------------------------------- operations */

static void wait_for_it(struct redis *r, mote_parts_op *op) {
    mote_parts_op **slot = mote__vec_push(&r->waiting, allocator(r));
    if (!slot) {
        mote__parts_complete(op, MOTE_PARTS_NOMEM);
        return;
    }
    *slot = op;
    if (r->state == REDIS_IDLE) begin(r);
}

/* Whether the server hung up while nothing was in flight, as servers do with those who are idle:
 * nobody's operation, so nobody's failure. */
static bool went_away_idle(struct redis *r, uint64_t at_ns) {
    char byte;
    uint64_t idle_ns = at_ns - r->used_ns;
    r->used_ns = at_ns;
    if (idle_ns < fresh_ns) return false;
    ssize_t got = recv(r->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !got || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/* What is alone goes out at once; what others are in flight with goes out with all that comes
 * before the loop turns. */
void mote__redis_submit(struct redis *r, mote_parts_op *op) {
    op->has_own_time = !op->timeout_ns;
    if (op->has_own_time)
        op->timeout_ns = r->settings.answer_timeout_ns +
                         (r->state == REDIS_READY ? 0 : r->settings.dial_timeout_ns);
    if (r->state == REDIS_IDLE && mote__link_rests(&r->link)) {
        end(r, op, MOTE_PARTS_UNAVAILABLE);
        return;
    }
    bool alone = r->first_slot == r->slots.count && r->sent == r->out.count;
    if (alone) op->begun_ns = now_ns();
    if (r->state == REDIS_READY && alone && went_away_idle(r, op->begun_ns)) disconnect(r);
    if (r->state != REDIS_READY) {
        wait_for_it(r, op);
        return;
    }
    r->sends_anew = true;
    send_op(r, op);
    r->sends_anew = false;
    if (r->fd < 0 || r->sent == r->out.count) return;
    if (alone) flush(r);
    else mote__loop_soon(r->opening->loop, &r->soon);
}

/* Whoever was impatient has gone; whether the server answers at all is seen when the oldest command
 * has waited for the component's own time. */
static void look_for_stall(struct redis *r) {
    if (r->state != REDIS_READY || r->first_slot == r->slots.count) return;
    uint64_t late_ns = sent_ns(&r->slots.data[r->first_slot]) + r->settings.answer_timeout_ns,
             at_ns = now_ns();
    if (at_ns >= late_ns) lose(r, "no answer in time");
    else if (!mote__loop_timer_start(r->opening->loop, &r->stall, late_ns - at_ns))
        lose(r, "out of memory");
}

/* What has come meanwhile, while nobody ran the loop, is an answer too. */
static void on_stall(struct loop_timer *timer) {
    struct redis *r = (struct redis *)((char *)timer - offsetof(struct redis, stall));
    if (r->state == REDIS_READY) receive(r, MSG_DONTWAIT);
    look_for_stall(r);
}

void mote__redis_cancel(struct redis *r, mote_parts_op *op) {
    bool waited = false;
    for (size_t i = 0; i < r->waiting.count && !waited; i++) {
        if (r->waiting.data[i] != op) continue;
        waited = true;
        r->waiting.count--;
        memmove(&r->waiting.data[i], &r->waiting.data[i + 1], (r->waiting.count - i) * sizeof op);
    }
    bool late = !waited && op->ending == MOTE_PARTS_TIMEOUT;
    mote__redis_forget(r, op);
    if (late) look_for_stall(r);
    mote__parts_complete(op, MOTE_PARTS_CANCELLED);
}

/* ---------------------------------------------------------------- the whole */

struct address {
    char host[256], port[8];
};

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT"; two colons without brackets are an address. */
static bool take_host(const char *text, uint64_t port, struct address *out) {
    const char *colon = strrchr(text, ':');
    bool brackets = text[0] == '[';
    const char *close = brackets ? strchr(text, ']') : NULL;
    if (brackets && !close) return false;
    if (brackets) colon = close[1] == ':' ? close + 1 : NULL;
    else if (colon && strchr(text, ':') != colon) colon = NULL;
    size_t size = brackets ? (size_t)(close - text) - 1
                  : colon  ? (size_t)(colon - text)
                           : strlen(text);
    if (!size || size >= sizeof out->host || (colon && strlen(colon + 1) >= sizeof out->port) ||
        strpbrk(text, ",/@"))
        return false;
    snprintf(out->host, sizeof out->host, "%.*s", (int)size, text + brackets);
    if (colon) snprintf(out->port, sizeof out->port, "%s", colon + 1);
    else snprintf(out->port, sizeof out->port, "%" PRIu64, port ? port : 6379);
    return mote__parts_is_port(out->port);
}

/* A host that somebody has written as a URL holds a password: it is not told. */
static mote_status take_settings(const struct parts_opening *o, const struct redis_settings *s,
                                 struct address *address, mote_error *error) {
    if (s->type && strcmp(s->type, "node") != 0) {
        mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET,
                        "`redisType` is only node in mote");
        return parts_blame(o, s->type_key, error);
    }
    if (s->tls) {
        mote__error_set(error, MOTE_E_UNSUPPORTED, MOTE_NO_OFFSET,
                        "`enableTLS` is not done in mote");
        return parts_blame(o, s->tls_key, error);
    }
    if (s->host && !take_host(s->host, s->port, address)) {
        mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                        "`redisHost` is one HOST:PORT, or `redisPort` says the port");
        return parts_blame(o, parts_given(o, s->host_key) ? s->host_key : s->port_key, error);
    }
    return MOTE_OK;
}

mote_status mote__redis_check(const struct parts_opening *opening,
                              const struct redis_settings *settings, mote_error *error) {
    struct address unused;
    return take_settings(opening, settings, &unused, error);
}

static void say_where(struct redis *r, const struct parts_opening *o) {
    const struct redis_settings *s = &r->settings;
    bool hidden = parts_hidden(o, s->host_key) || parts_hidden(o, s->port_key);
    if (hidden) snprintf(r->link.where, sizeof r->link.where, "as `redisHost` says");
    else snprintf(r->link.where, sizeof r->link.where, "%s:%s", r->host, r->port);
}

mote_status mote__redis_init(struct redis *r, const struct parts_opening *opening,
                             const struct redis_user *user, const struct redis_settings *settings,
                             mote_error *error) {
    struct address address = {0};
    *r = (struct redis){.opening = opening, .user = user, .settings = *settings, .fd = -1};
    if (!r->settings.dial_timeout_ns) r->settings.dial_timeout_ns = dial_timeout_default_ns;
    if (!r->settings.answer_timeout_ns) r->settings.answer_timeout_ns = answer_timeout_default_ns;
    r->watch.run = on_ready;
    r->soon.run = on_turn;
    r->dial.run = out_of_time;
    r->stall.run = on_stall;
    TRY(take_settings(opening, settings, &address, error));
    memcpy(r->host, address.host, sizeof r->host);
    memcpy(r->port, address.port, sizeof r->port);
    mote__link_init(&r->link, opening, "Redis", try_again);
    say_where(r, opening);
    return MOTE_OK;
}

void mote__redis_deinit(struct redis *r) {
    snprintf(r->link.why, sizeof r->link.why, "closed");
    disconnect(r);
    mote__link_deinit(&r->link);
    end_all(r, MOTE_PARTS_CANCELLED);
    mote__vec_deinit(&r->in, allocator(r));
    mote__vec_deinit(&r->out, allocator(r));
    mote__vec_deinit(&r->slots, allocator(r));
    mote__vec_deinit(&r->waiting, allocator(r));
}
