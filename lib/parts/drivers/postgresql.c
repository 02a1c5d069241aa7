/* postgresql.c - state.postgresql, version 2 of Dapr's layout, by libpq. A connection is made, and
 * the tables with it, on a thread of its own (pool.h); it then works in pipeline mode. Reads share
 * a connection: whatever is asked before the loop turns goes out together, behind one Sync. A write
 * has a connection to itself; several are one transaction, sent at once, and a second trip says
 * COMMIT or ROLLBACK.
 * Keeps: `slots` from first_slot on are the results that are awaited, in order; a task is in as
 * many of them as it waits for. */
#define _GNU_SOURCE
#include "parts/pool.h"
#include "base/error.h"
#include "base/vec.h"
#include "os/os.h"
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LIVE "(expires_at IS NULL OR expires_at >= now())"
#define INSERT                                                                                     \
    "INSERT INTO $ AS t (key, value, etag, expires_at) VALUES ($1, $2, gen_random_uuid(), "        \
    "now() + $3 * interval '1 second') ON CONFLICT (key) DO UPDATE SET value = $2, updated_at = "  \
    "now(), etag = gen_random_uuid(), expires_at = EXCLUDED.expires_at "

static const uint64_t micros_at_2000 = 946684800000000;

/* The type numbers of parameters. */
enum { BYTEA = 17, INT8 = 20, TEXT = 25, FLOAT8 = 701, UUID = 2950 };

/* clang-format off */
/* Every statement; a $ before a space is the table. Then the types of its parameters. */
#define STATEMENTS(X)                                                                                                                     \
    X(GET, "SELECT value, etag::text, expires_at, coalesce(updated_at, created_at) FROM $ WHERE key = $1 AND " LIVE, TEXT) \
    X(KEYS, "SELECT key FROM $ WHERE key LIKE $1 ESCAPE '!' AND key COLLATE \"C\" > $2 AND " LIVE " ORDER BY key COLLATE \"C\" LIMIT $3", TEXT, TEXT, INT8) \
    X(PUT, INSERT "RETURNING etag::text", TEXT, BYTEA, FLOAT8)                                                                             \
    X(PUT_IF_ABSENT, INSERT "WHERE t.expires_at < now() RETURNING etag::text", TEXT, BYTEA, FLOAT8)                                        \
    X(PUT_IF_MATCH, "UPDATE $ SET value = $2, updated_at = now(), etag = gen_random_uuid(), expires_at = now() + $3 * interval '1 second' " \
      "WHERE key = $1 AND etag = $4 AND " LIVE " RETURNING etag::text", TEXT, BYTEA, FLOAT8, UUID)                                         \
    X(REMOVE, "DELETE FROM $ WHERE key = $1", TEXT)                                                                                        \
    X(REMOVE_IF_MATCH, "DELETE FROM $ WHERE key = $1 AND etag = $2 AND " LIVE, TEXT, UUID)                                                 \
    X(BEGIN, "BEGIN", 0) X(COMMIT, "COMMIT", 0) X(ROLLBACK, "ROLLBACK", 0)
/* clang-format on */

enum statement {
#define ENUM(name, sql, ...) STATEMENT_##name,
    STATEMENTS(ENUM) STATEMENT_COUNT
#undef ENUM
};

enum { PARAMETERS_MAX = 4, TRIES_MAX = 50 };

/* How a statement stands in STATEMENTS. */
static const struct {
    const char *name, *sql;
    Oid types[PARAMETERS_MAX];
} statements[] = {
#define ROW(name, sql, ...) {#name, sql, {__VA_ARGS__}},
    STATEMENTS(ROW)
#undef ROW
};

struct task {
    struct pool_task base;
    size_t waits;   /* results */
    bool together;  /* in one transaction */
    bool is_ending; /* COMMIT or ROLLBACK is under way */
    bool undone;    /* by the server, for a reason that passes: it may be tried again */
    bool is_broken; /* a statement met an error of the database's */
    unsigned tries;
    mote_parts_code code; /* why it is being rolled back */
};

/* A result that is awaited. */
struct slot {
    struct task *task; /* NULL: nobody's any more, or a Sync's */
    size_t item;
    enum statement statement; /* STATEMENT_COUNT: a Sync */
    uint64_t asked_ns; /* forgotten: when its task had started */
};

struct connection {
    struct pool_connection base;
    PGconn *db;
    VEC(struct slot) slots;
    size_t first_slot;
    bool is_unsynced; /* something was sent behind the last Sync */
    struct loop_soon soon;
};

struct postgres {
    struct pool pool;
    char table[160], metadata_table[160];
    const char *prefix;
    char *connection; /* the connection string, in libpq's words */
    size_t connection_bytes;
};

static struct postgres *store_of(const struct connection *c) { return c->base.pool->context; }

static bool reads(const mote_parts_op *op) {
    return op->verb == MOTE_PARTS_GET || op->verb == MOTE_PARTS_KEYS;
}

/* ---------------------------------------------------------------- errors */

/* libpq's messages end in a line end, and some have several lines: the first says it. */
static void first_line(char *out, size_t size, const char *text) {
    snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static mote_parts_code code_of(const char *state) {
    static const struct {
        const char *state; /* its beginning */
        mote_parts_code code;
    } rows[] = {{"28", MOTE_PARTS_DENIED},        {"42501", MOTE_PARTS_DENIED},
                {"25006", MOTE_PARTS_DENIED},     {"53", MOTE_PARTS_LIMIT},
                {"54", MOTE_PARTS_TOO_LARGE},     {"57P", MOTE_PARTS_UNAVAILABLE},
                {"22021", MOTE_PARTS_INVALID},    {"22P05", MOTE_PARTS_INVALID},
                {"55P03", MOTE_PARTS_UNAVAILABLE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strncmp(state, rows[i].state, strlen(rows[i].state))) return rows[i].code;
    return MOTE_PARTS_FAILED;
}

static mote_parts_code failure(mote_parts_op *op, const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE),
               *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return mote__parts_say(op, code_of(state ? state : ""), "PostgreSQL: %s",
                           text ? text : PQresultErrorMessage(result));
}

/* A deadlock, or another transaction was faster. */
static bool is_passing(const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state && (!strcmp(state, "40001") || !strcmp(state, "40P01"));
}

static void lost(struct connection *c) {
    char why[200];
    first_line(why, sizeof why, c->db ? PQerrorMessage(c->db) : "");
    mote__pool_lost(&c->base, *why ? why : "the connection is gone");
}

/* ---------------------------------------------------------------- sending */

/* Parameters of a statement. */
struct parameters {
    int count;
    const char *values[PARAMETERS_MAX];
    int sizes[PARAMETERS_MAX], formats[PARAMETERS_MAX]; /* format 1: as it is */
};

static void add_bytes(struct parameters *p, const mote_parts_bytes *bytes) {
    p->values[p->count] = bytes->size ? bytes->data : "";
    p->sizes[p->count] = (int)bytes->size;
    p->formats[p->count++] = 1;
}

/* NULL: the database's NULL. */
static void add_text(struct parameters *p, const char *text) { p->values[p->count++] = text; }

static bool send_statement(struct connection *c, struct task *task, size_t item,
                           enum statement which, const struct parameters *p) {
    struct slot *slot = mote__vec_push(&c->slots, c->base.pool->opening->allocator);
    if (!slot) return false;
    *slot = (struct slot){.task = task, .item = item, .statement = which};
    task->waits++;
    c->is_unsynced = true;
    return PQsendQueryPrepared(c->db, statements[which].name, p->count, p->values, p->sizes,
                               p->formats, 1);
}

static bool send_bare(struct connection *c, struct task *task, enum statement which) {
    const struct parameters none = {0};
    return send_statement(c, task, 0, which, &none);
}

static bool send_get(struct connection *c, struct task *task, size_t item) {
    struct parameters p = {0};
    add_bytes(&p, &task->base.op->items[item].whole_key);
    return send_statement(c, task, item, STATEMENT_GET, &p);
}

static bool send_keys(struct connection *c, struct task *task) {
    mote_parts_op *op = task->base.op;
    struct parameters p = {0};
    char most[24];
    mote_parts_bytes pattern = mote__parts_like_pattern(op);
    snprintf(most, sizeof most, "%zu", op->limit < INT32_MAX ? op->limit + 1 : INT32_MAX);
    add_bytes(&p, &pattern);
    add_bytes(&p, &op->whole_after);
    add_text(&p, most);
    return pattern.data && send_statement(c, task, 0, STATEMENT_KEYS, &p);
}

static bool send_put(struct connection *c, struct task *task, size_t at) {
    static const enum statement puts[] = {STATEMENT_PUT, STATEMENT_PUT_IF_ABSENT,
                                          STATEMENT_PUT_IF_MATCH};
    const mote_parts_item *item = &task->base.op->items[at];
    struct parameters p = {0};
    char ttl[24], etag[40];
    snprintf(ttl, sizeof ttl, "%" PRId64, item->ttl_s);
    snprintf(etag, sizeof etag, "%.*s", (int)item->etag.size,
             item->etag.data ? (const char *)item->etag.data : "");
    add_bytes(&p, &item->whole_key);
    add_bytes(&p, &item->value);
    add_text(&p, item->ttl_s > 0 ? ttl : NULL);
    if (item->etag.data) add_text(&p, etag);
    return send_statement(c, task, at, puts[parts_condition(task->base.op, item)], &p);
}

static bool send_remove(struct connection *c, struct task *task, size_t at) {
    const mote_parts_item *item = &task->base.op->items[at];
    struct parameters p = {0};
    char etag[40];
    snprintf(etag, sizeof etag, "%.*s", (int)item->etag.size,
             item->etag.data ? (const char *)item->etag.data : "");
    add_bytes(&p, &item->whole_key);
    if (item->etag.data) add_text(&p, etag);
    return send_statement(c, task, at,
                          item->etag.data ? STATEMENT_REMOVE_IF_MATCH : STATEMENT_REMOVE, &p);
}

static bool send_item(struct connection *c, struct task *task, size_t at) {
    mote_parts_item *item = &task->base.op->items[at];
    item->code = MOTE_PARTS_OK;
    return parts_is_removal(task->base.op, item) ? send_remove(c, task, at) : send_put(c, task, at);
}

static bool send_sync(struct connection *c) {
    struct slot *slot = mote__vec_push(&c->slots, c->base.pool->opening->allocator);
    if (slot) *slot = (struct slot){.statement = STATEMENT_COUNT};
    c->is_unsynced = false;
    return slot && PQpipelineSync(c->db);
}

/* False when the connection, or the memory, is at its end. Writes that stand by themselves are kept
 * apart by Syncs. */
static bool send_task(struct connection *c, struct task *task) {
    const mote_parts_op *op = task->base.op;
    bool good = true;
    task->code = MOTE_PARTS_OK;
    task->is_ending = task->undone = task->is_broken = false;
    if (op->verb == MOTE_PARTS_KEYS) return send_keys(c, task);
    if (task->together) good = send_bare(c, task, STATEMENT_BEGIN);
    for (size_t i = 0; i < op->item_count && good; i++) {
        good = op->verb == MOTE_PARTS_GET ? send_get(c, task, i) : send_item(c, task, i);
        if (!task->together && !reads(op) && i + 1 < op->item_count) good = good && send_sync(c);
    }
    return good;
}

static void flush(struct connection *c) {
    int left = PQflush(c->db);
    unsigned wanted = LOOP_READ | (left > 0 ? (unsigned)LOOP_WRITE : 0u);
    if (left < 0) lost(c);
    else if (!mote__loop_watch_start(c->base.pool->opening->loop, &c->base.watch, c->base.fd,
                                     wanted))
        mote__pool_lost(&c->base, "out of memory");
}

/* Sends a Sync behind what has been sent, and all of it on its way. */
static void sync_now(struct connection *c) {
    mote__loop_soon_stop(c->base.pool->opening->loop, &c->soon);
    if (send_sync(c)) flush(c);
    else lost(c);
}

static void on_soon(struct loop_soon *soon) {
    struct connection *c = (struct connection *)((char *)soon - offsetof(struct connection, soon));
    if (c->base.state == POOL_READY && c->is_unsynced) sync_now(c);
}

/* What is alone goes out at once; the rest with all that comes before the loop turns. */
static void sync_soon(struct connection *c) {
    if (c->base.task_count <= 1) sync_now(c);
    else mote__loop_soon(c->base.pool->opening->loop, &c->soon);
}

/* ---------------------------------------------------------------- results */

/* A timestamptz, which comes as microseconds since 2000, in nanoseconds since 1970; 0 for NULL and
 * for infinity. */
static uint64_t column_ns(const PGresult *rows, int row, int column) {
    uint64_t micros = 0;
    if (PQgetisnull(rows, row, column) || PQgetlength(rows, row, column) != 8) return 0;
    const unsigned char *at = (const unsigned char *)PQgetvalue(rows, row, column);
    for (int i = 0; i < 8; i++) micros = micros << 8 | at[i];
    bool is_infinite = micros == INT64_MAX || micros == (uint64_t)INT64_MIN;
    return is_infinite ? 0 : parts_ns(micros + micros_at_2000, 1000, 0);
}

static mote_parts_bytes copy_column(mote_parts_op *op, const PGresult *rows, int row, int column) {
    return mote__parts_copy(op, PQgetvalue(rows, row, column),
                            (size_t)PQgetlength(rows, row, column));
}

static mote_parts_code take_row(mote_parts_op *op, mote_parts_item *item, const PGresult *rows) {
    if (!PQntuples(rows)) return MOTE_PARTS_NOT_FOUND;
    item->found = copy_column(op, rows, 0, 0);
    item->version = copy_column(op, rows, 0, 1);
    item->expires_ns = column_ns(rows, 0, 2);
    item->modified_ns = column_ns(rows, 0, 3);
    return item->found.data && item->version.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

static mote_parts_code take_keys(mote_parts_op *op, const PGresult *rows) {
    op->items = NULL;
    op->item_count = op->item_capacity = 0;
    op->more = false;
    for (int i = 0; i < PQntuples(rows) && !op->more; i++) {
        const char *key = PQgetvalue(rows, i, 0);
        size_t size = (size_t)PQgetlength(rows, i, 0);
        if (mote__parts_wants_key(op, key, size) && !mote__parts_add_key(op, key, size))
            return MOTE_PARTS_NOMEM;
    }
    return MOTE_PARTS_OK;
}

/* Nothing written is a conflict, nothing removed one with an ETag. */
static mote_parts_code take_written(mote_parts_op *op, mote_parts_item *item,
                                    const PGresult *rows) {
    if (parts_is_removal(op, item))
        return item->etag.data && !strcmp(PQcmdTuples((PGresult *)(uintptr_t)rows), "0")
                   ? MOTE_PARTS_CONFLICT
                   : MOTE_PARTS_OK;
    if (!PQntuples(rows)) return MOTE_PARTS_CONFLICT;
    item->version = copy_column(op, rows, 0, 0);
    return item->version.data ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

/* What went wrong with one statement: of its item, or of the whole where they stand together. What
 * was left out because of an error before it fails only if it cannot be sent again. */
static void take_error(const struct slot *slot, const PGresult *result) {
    struct task *task = slot->task;
    mote_parts_op *op = task->base.op;
    bool left_out = PQresultStatus(result) == PGRES_PIPELINE_ABORTED;
    mote_parts_code code = left_out ? MOTE_PARTS_FAILED : failure(op, result);
    if (left_out ? reads(op) : is_passing(result)) task->undone = true;
    if (!left_out) task->is_broken = true;
    if (!task->code) task->code = code;
    if (!task->together && op->verb != MOTE_PARTS_KEYS) op->items[slot->item].code = code;
}

static void take_result(const struct slot *slot, const PGresult *result) {
    struct task *task = slot->task;
    mote_parts_op *op = task->base.op;
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        take_error(slot, result);
        return;
    }
    if (slot->statement == STATEMENT_COMMIT &&
        strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") != 0)
        task->code = mote__parts_say(op, MOTE_PARTS_FAILED, "PostgreSQL: nothing was committed"),
        task->undone = true;
    if (slot->statement >= STATEMENT_BEGIN) return;
    if (slot->statement == STATEMENT_KEYS) {
        task->code = take_keys(op, result);
        return;
    }
    mote_parts_item *item = &op->items[slot->item];
    item->code = slot->statement == STATEMENT_GET ? take_row(op, item, result)
                                                  : take_written(op, item, result);
    if (item->code && !reads(op) && !task->code) task->code = item->code;
}

/* ---------------------------------------------------------------- an operation's turns */

static void again(struct connection *c, struct task *task) {
    task->tries++;
    if (send_task(c, task)) sync_soon(c);
    else lost(c);
}

static void done(struct connection *c, struct task *task) {
    const mote_parts_op *op = task->base.op;
    bool whole = op->verb == MOTE_PARTS_TRANSACT || op->verb == MOTE_PARTS_KEYS ||
                 (task->together && task->undone);
    mote__pool_done(&c->base, &task->base, whole ? task->code : MOTE_PARTS_OK);
}

/* Items of a SET or DELETE stand by themselves; in one transaction they do as long as none meets an
 * error of the database's, which would undo the others: then each goes alone. */
static bool must_go_alone(const struct task *task) {
    return task->together && task->base.op->verb != MOTE_PARTS_TRANSACT && task->is_broken;
}

/* Every statement of a turn has been answered. */
static void turn(struct connection *c, struct task *task) {
    bool retry = task->undone && task->tries < TRIES_MAX;
    if (task->together && !task->is_ending) {
        bool keep = !task->undone && !must_go_alone(task) &&
                    (!task->code || task->base.op->verb != MOTE_PARTS_TRANSACT);
        task->is_ending = true;
        if (send_bare(c, task, keep ? STATEMENT_COMMIT : STATEMENT_ROLLBACK)) sync_now(c);
        else lost(c);
        return;
    }
    if (must_go_alone(task) && !task->undone) task->together = false, retry = true;
    if (retry) again(c, task);
    else done(c, task);
}

/* The next result that has arrived belongs to the first slot. False when there is none yet, or the
 * connection went meanwhile. */
static bool take_next(struct connection *c) {
    if (c->first_slot == c->slots.count || PQisBusy(c->db)) return false;
    unsigned losses = c->base.losses;
    struct slot slot = c->slots.data[c->first_slot];
    PGresult *result = PQgetResult(c->db);
    bool is_sync = slot.statement == STATEMENT_COUNT;
    if (result) {
        if (slot.task) take_result(&slot, result);
        PQclear(result);
        if (!is_sync) return true; /* a NULL ends it */
    }
    if (++c->first_slot == c->slots.count) c->first_slot = c->slots.count = 0;
    if (slot.task && !--slot.task->waits) turn(c, slot.task);
    return c->base.losses == losses;
}

/* ---------------------------------------------------------------- what the pool calls */

static void client_run(struct pool_connection *base, struct pool_task *pool_task) {
    struct connection *c = (struct connection *)base;
    struct task *task = (struct task *)pool_task;
    task->together = !reads(pool_task->op) && pool_task->op->item_count > 1;
    if (!send_task(c, task)) lost(c);
    else if (!task->waits) turn(c, task);
    else sync_soon(c);
}

static void client_ready(struct pool_connection *base, unsigned ready) {
    struct connection *c = (struct connection *)base;
    unsigned losses = base->losses;
    if (!PQconsumeInput(c->db)) {
        lost(c);
        return;
    }
    if (!base->task_count && c->first_slot == c->slots.count && (ready & LOOP_READ)) {
        mote__pool_lost(base, "the server closed the connection");
        return;
    }
    while (take_next(c)) continue;
    if (base->losses == losses && ready & LOOP_WRITE) flush(c);
}

static bool client_forget(struct pool_connection *base, struct pool_task *task) {
    struct connection *c = (struct connection *)base;
    if (!reads(task->op)) return false;
    for (size_t i = c->first_slot; i < c->slots.count; i++) {
        struct slot *slot = &c->slots.data[i];
        if (slot->task != (struct task *)task) continue;
        slot->task = NULL;
        slot->asked_ns = pool_started_ns(task);
    }
    return true;
}

static uint64_t client_asked_ns(const struct pool_connection *base) {
    const struct connection *c = (const struct connection *)base;
    for (size_t i = c->first_slot; i < c->slots.count; i++) {
        const struct slot *slot = &c->slots.data[i];
        if (slot->task) return pool_started_ns(&slot->task->base);
        if (slot->asked_ns) return slot->asked_ns;
    }
    return 0;
}

static void client_drop(struct pool_connection *base) {
    struct connection *c = (struct connection *)base;
    mote__loop_soon_stop(base->pool->opening->loop, &c->soon);
    if (c->db) PQfinish(c->db);
    c->db = NULL;
    mote__vec_deinit(&c->slots, base->pool->opening->allocator);
    c->first_slot = 0;
    c->is_unsynced = false;
}

/* ---------------------------------------------------------------- connecting, on its own thread */

/* The end of what was sent, as its last result; NULL when the connection or the time is at its end.
 */
static PGresult *await(struct connection *c) {
    PGresult *last = NULL, *next;
    for (;;) {
        int left = PQflush(c->db);
        while (!left && !PQisBusy(c->db)) {
            if (!(next = PQgetResult(c->db))) return last;
            bool keeps = last && PQresultStatus(last) == PGRES_FATAL_ERROR;
            PQclear(keeps ? next : last);
            if (!keeps) last = next;
        }
        unsigned wanted = LOOP_READ | (left ? (unsigned)LOOP_WRITE : 0u);
        if (left < 0 || !mote__pool_wait(&c->base, PQsocket(c->db), wanted) ||
            !PQconsumeInput(c->db))
            return PQclear(last), NULL;
    }
}

/* Keeps what went wrong; true when nothing did. Takes the result. */
static bool is_good(struct connection *c, PGresult *result) {
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (!good) first_line(c->base.why, sizeof c->base.why, text ? text : PQerrorMessage(c->db));
    PQclear(result);
    return good;
}

static PGresult *query(struct connection *c, const char *format, va_list args) MOTE_PRINTF(2, 0);
static PGresult *query(struct connection *c, const char *format, va_list args) {
    char sql[1500];
    vsnprintf(sql, sizeof sql, format, args);
    return PQsendQuery(c->db, sql) ? await(c) : NULL;
}

static bool run(struct connection *c, const char *format, ...) MOTE_PRINTF(2, 3);
static bool run(struct connection *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    PGresult *result = query(c, format, args);
    va_end(args);
    return is_good(c, result);
}

/* The number in the first row, 0 when there is none; -1 when the query failed. */
static int ask(struct connection *c, const char *format, ...) MOTE_PRINTF(2, 3);
static int ask(struct connection *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    PGresult *result = query(c, format, args);
    va_end(args);
    int number = result && PQntuples(result) ? atoi(PQgetvalue(result, 0, 0)) : 0;
    return is_good(c, result) ? number : -1;
}

static int migrations(struct connection *c) {
    const struct postgres *p = store_of(c);
    return ask(c, "SELECT value FROM %s WHERE key = 'migrations-state-v2-%s'", p->metadata_table,
               p->prefix);
}

/* Two who make a table at once can meet in the catalogue, whatever IF NOT EXISTS says. */
static bool make_metadata_table(struct connection *c) {
    const char *table = store_of(c)->metadata_table;
    bool good = false;
    for (int i = 0; i < 3 && !good; i++)
        good = run(c,
                   "CREATE TABLE IF NOT EXISTS %s (key text NOT NULL PRIMARY KEY, value text NOT "
                   "NULL)",
                   table);
    return good &&
           run(c,
               "INSERT INTO %s (key, value) VALUES ('lock', 'lock') ON CONFLICT (key) DO NOTHING",
               table);
}

/* The name of a table without its schema. */
static const char *bare_name(const char *table) {
    const char *dot = strchr(table, '.');
    return dot ? dot + 1 : table;
}

/* Dapr's migrations: the table, then its numbered rows. */
static bool migrate(struct connection *c, int done) {
    const struct postgres *p = store_of(c);
    bool good = true;
    if (done < 1)
        good = run(c,
                   "CREATE TABLE IF NOT EXISTS %s (key text NOT NULL PRIMARY KEY, value bytea NOT "
                   "NULL, etag uuid NOT NULL DEFAULT gen_random_uuid(), created_at timestamp with "
                   "time zone NOT NULL DEFAULT now(), updated_at timestamp with time zone, "
                   "expires_at timestamp with time zone); CREATE INDEX ON %s (expires_at)",
                   p->table, p->table);
    return good &&
           run(c,
               "ALTER TABLE %s ADD COLUMN IF NOT EXISTS row_id bigint GENERATED BY DEFAULT AS "
               "IDENTITY; CREATE UNIQUE INDEX IF NOT EXISTS %s_row_id_uidx ON %s (row_id)",
               p->table, bare_name(p->table), p->table) &&
           run(c,
               "INSERT INTO %s (key, value) VALUES ('migrations-state-v2-%s', '2') ON CONFLICT "
               "(key) DO UPDATE SET value = '2'",
               p->metadata_table, p->prefix);
}

/* Under the lock that Dapr's migrations take: one row of the metadata table. */
static bool migrate_alone(struct connection *c) {
    const struct postgres *p = store_of(c);
    if (!make_metadata_table(c) || !run(c, "BEGIN") ||
        !run(c, "SELECT value FROM %s WHERE key = 'lock' FOR UPDATE", p->metadata_table))
        return false;
    int done = migrations(c);
    if (done < 0 || (done < 2 && !migrate(c, done))) return false; /* its connection ends too */
    return run(c, "COMMIT");
}

/* Tables that are there are taken as they are: the user may have no right to make any. */
static bool make_tables(struct connection *c) {
    if (ask(c, "SELECT count(*) FROM pg_class WHERE oid = to_regclass('%s')",
            store_of(c)->metadata_table) > 0 &&
        migrations(c) >= 2)
        return true;
    return migrate_alone(c);
}

/* The statement's text with the table's name in it: a $ that no digit follows. */
static void write_statement(const struct connection *c, const char *text, char *out, size_t size) {
    size_t at = 0;
    for (; *text && at + 200 < size; text++) {
        bool table = *text == '$' && text[1] == ' ';
        if (table) at += (size_t)snprintf(out + at, size - at, "%s", store_of(c)->table);
        else out[at++] = *text;
    }
    out[at] = 0;
}

static bool prepare(struct connection *c, enum statement which) {
    char sql[1200];
    int count = 0;
    while (count < PARAMETERS_MAX && statements[which].types[count]) count++;
    write_statement(c, statements[which].sql, sql, sizeof sql);
    return PQsendPrepare(c->db, statements[which].name, sql, count, statements[which].types) &&
           is_good(c, await(c));
}

static bool prepare_all(struct connection *c) {
    bool good = true;
    for (int i = 0; i < STATEMENT_COUNT && good; i++) good = prepare(c, (enum statement)i);
    return good;
}

/* What the component says goes over what its connection string says. */
static PGconn *begin_connection(const struct postgres *p) {
    const struct parts_opening *o = p->pool.opening;
    static const struct {
        const char *name;
        enum parts_key key;
    } overrides[] = {{"host", KEY_state_postgresql_host},
                     {"hostaddr", KEY_state_postgresql_hostaddr},
                     {"port", KEY_state_postgresql_port},
                     {"dbname", KEY_state_postgresql_database},
                     {"user", KEY_state_postgresql_user},
                     {"password", KEY_state_postgresql_password},
                     {"sslrootcert", KEY_state_postgresql_root_certificate}};
    enum { OVERRIDES = sizeof overrides / sizeof *overrides };
    const char *names[OVERRIDES + 6] = {"fallback_application_name", "gssencmode", "dbname"},
                                  *values[OVERRIDES + 6] = {"mote", "disable", p->connection};
    size_t count = 3;
    for (size_t i = 0; i < OVERRIDES; i++) {
        const char *text = parts_text(o, overrides[i].key);
        if (text && *text) names[count] = overrides[i].name, values[count++] = text;
    }
    names[count] = "client_encoding", values[count++] = "UTF8";
    return PQconnectStartParams(names, values, 1);
}

static void ignore_notice(void *context, const PGresult *notice) { (void)context, (void)notice; }

static bool connect_to_server(struct connection *c) {
    c->db = begin_connection(store_of(c));
    if (!c->db || PQstatus(c->db) == CONNECTION_BAD) return false;
    PQsetNoticeReceiver(c->db, ignore_notice, NULL);
    for (unsigned wanted = LOOP_WRITE;;) {
        if (!mote__pool_wait(&c->base, PQsocket(c->db), wanted)) return false;
        PostgresPollingStatusType status = PQconnectPoll(c->db);
        if (status == PGRES_POLLING_OK) return !PQsetnonblocking(c->db, 1);
        if (status == PGRES_POLLING_FAILED) return false;
        wanted = status == PGRES_POLLING_READING ? LOOP_READ : LOOP_WRITE;
    }
}

/* Whether words about the server hold something of a secret store's or a variable's. */
static bool is_hidden(const struct parts_opening *o) {
    static const enum parts_key keys[] = {
        KEY_state_postgresql_connection, KEY_state_postgresql_host, KEY_state_postgresql_hostaddr,
        KEY_state_postgresql_port,       KEY_state_postgresql_user, KEY_state_postgresql_database};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (parts_hidden(o, keys[i])) return true;
    return false;
}

static bool client_connect(struct pool_connection *base) {
    struct connection *c = (struct connection *)base;
    c->soon.run = on_soon;
    bool good = connect_to_server(c) && (!base->is_first || make_tables(c)) && prepare_all(c) &&
                PQenterPipelineMode(c->db);
    if (good) return base->fd = PQsocket(c->db), true;
    if (mote__os_clock_ns(OS_CLOCK_MONOTONIC) >= base->deadline_ns)
        snprintf(base->why, sizeof base->why, "the server does not answer");
    else if (!*base->why)
        first_line(base->why, sizeof base->why, c->db ? PQerrorMessage(c->db) : "out of memory");
    if (is_hidden(base->pool->opening)) mote__parts_hide_quoted(base->why);
    if (c->db) PQfinish(c->db);
    c->db = NULL;
    return false;
}

/* Only if the last time was long ago, by whomever: a row says, as Dapr's do. */
static void client_clean(struct pool_connection *base) {
    struct connection *c = (struct connection *)base;
    const struct postgres *p = store_of(c);
    uint64_t interval_ms = base->pool->settings.cleanup_ns / 1000000;
    PQexitPipelineMode(c->db);
    int due = ask(c,
                  "INSERT INTO %s AS m (key, value) VALUES ('last-cleanup-state-v2-%s', "
                  "now()::text) ON CONFLICT (key) DO UPDATE SET value = now()::text WHERE "
                  "(EXTRACT('epoch' FROM now() - m.value::timestamp with time zone) * "
                  "1000)::bigint > %" PRIu64 " RETURNING 1",
                  p->metadata_table, p->prefix, interval_ms > 100 ? interval_ms - 100 : 0);
    if (due > 0) run(c, "DELETE FROM %s WHERE expires_at < now()", p->table);
}

/* ---------------------------------------------------------------- submit */

static bool is_uuid(const mote_parts_bytes *text) {
    const char *at = text->data;
    for (size_t i = 0; i < text->size && text->size == 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? at[i] != '-' : !memchr("0123456789abcdefABCDEF", at[i], 22)) return false;
    }
    return text->size == 36;
}

static mote_parts_code check(mote_parts_op *op) {
    return mote__parts_check_etags(op, is_uuid, "a UUID");
}

static const struct pool_client client = {.product = "PostgreSQL",
                                          .connection_bytes = sizeof(struct connection),
                                          .task_bytes = sizeof(struct task),
                                          .pipelines = true,
                                          .check = check,
                                          .connect = client_connect,
                                          .run = client_run,
                                          .ready = client_ready,
                                          .forget = client_forget,
                                          .asked_ns = client_asked_ns,
                                          .drop = client_drop,
                                          .clean = client_clean};

static void postgres_submit(void *instance, mote_parts_op *op) {
    mote__pool_submit(&((struct postgres *)instance)->pool, op);
}

static void postgres_cancel(void *instance, mote_parts_op *op) {
    mote__pool_cancel(&((struct postgres *)instance)->pool, op);
}

/* ---------------------------------------------------------------- opening */

/* The server in words, and how long to wait for it, from what the connection string says. */
static void look_into(const struct parts_opening *o, const PQconninfoOption *options,
                      struct pool_settings *out) {
    const char *host = parts_text(o, KEY_state_postgresql_host),
               *port = parts_text(o, KEY_state_postgresql_port);
    for (const PQconninfoOption *option = options; option && option->keyword; option++) {
        if (!option->val) continue;
        bool is_host = !strcmp(option->keyword, "host") || !strcmp(option->keyword, "hostaddr");
        if (is_host && !host) host = option->val;
        if (!strcmp(option->keyword, "port") && !port) port = option->val;
        if (!strcmp(option->keyword, "connect_timeout") && atoi(option->val) > 0)
            out->dial_timeout_ns = (uint64_t)atoi(option->val) * 1000000000;
    }
    if (is_hidden(o)) snprintf(out->where, sizeof out->where, "as its metadata says");
    else
        snprintf(out->where, sizeof out->where, "%s:%s", host ? host : "localhost",
                 port ? port : "5432");
}

/* Past one value of `key=value`: a word, or something between quotes; both know \\. */
static const char *skip_value(const char *at) {
    bool quoted = *at == '\'';
    if (quoted) at++;
    for (; *at && (quoted ? *at != '\'' : !strchr(" \t\n\r", *at)); at++)
        if (*at == '\\' && at[1]) at++;
    return *at && quoted ? at + 1 : at;
}

static bool is_url(const char *text) {
    return !strncmp(text, "postgres://", 11) || !strncmp(text, "postgresql://", 13);
}

/* Dapr's client also says `database` where libpq says `dbname`; URLs have neither. `out` has room
 * for the whole text. */
static void translate(const char *text, char *out) {
    for (const char *at = text; *at && !is_url(text); text = at) {
        at += strspn(at, " \t\n\r");
        bool ours = !strncmp(at, "database", 8) && strchr("= \t", at[8]);
        const char *name = at, *equals = strchr(at, '=');
        if (!equals) break;
        at = skip_value(equals + 1 + strspn(equals + 1, " \t\n\r"));
        if (ours) out = stpcpy(out, " dbname");
        else out = memcpy(out, text, (size_t)(name - text)), out += name - text;
        if (ours) name += 8;
        memcpy(out, name, (size_t)(at - name));
        out += at - name;
    }
    memcpy(out, text, strlen(text) + 1);
}

static bool keep_connection(struct postgres *p, const struct parts_opening *o) {
    const char *text = parts_text(o, KEY_state_postgresql_connection);
    p->connection_bytes = text ? strlen(text) + 1 : 1;
    p->connection = mote__alloc_zeroed(o->allocator, p->connection_bytes);
    if (p->connection && text) translate(text, p->connection);
    return p->connection;
}

/* "5432", or one for each of several hosts. */
static bool are_ports(const char *text) {
    char port[8];
    for (const char *at = text; *at; at += strspn(at, ",")) {
        size_t size = strcspn(at, ",");
        if (size >= sizeof port) return false;
        memcpy(port, at, size);
        port[size] = 0;
        if (size && !mote__parts_is_port(port)) return false;
        at += size;
    }
    return true;
}

/* A password with / or @ in it, written without escapes, is read as hosts, ports and databases,
 * which messages hold. */
static bool is_odd(const char *text, const PQconninfoOption *options) {
    const char *authority = is_url(text) ? strstr(text, "://") + 3 : "";
    if (strchr(authority + strcspn(authority, "/"), '@')) return true;
    for (; options->keyword; options++) {
        bool host = !strcmp(options->keyword, "host"), port = !strcmp(options->keyword, "port");
        if (host && options->val && strchr(options->val, '@')) return true;
        if (port && options->val && !are_ports(options->val)) return true;
    }
    return false;
}

/* Not in libpq's words: they quote what they do not take. */
static mote_status check_connection(const struct parts_opening *o, const char *text,
                                    const PQconninfoOption *options, mote_error *error) {
    const char *pool = is_url(text) ? strstr(text, "?pool_") : strstr(text, "pool_");
    if (is_url(text) && !pool) pool = strstr(text, "&pool_");
    if (options && !is_odd(text, options)) return MOTE_OK;
    mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                    "`connectionString` is none that libpq takes%s: in a URL special characters "
                    "of the password are %%XX, elsewhere it stands in quotes",
                    !options && pool ? " (pool_... is of Go's client)" : "");
    return parts_blame(o, KEY_state_postgresql_connection, error);
}

static mote_status take_connection(struct postgres *p, const struct parts_opening *o,
                                   struct pool_settings *out, mote_error *error) {
    if (!keep_connection(p, o)) return mote__error_nomem(error, "opening");
    PQconninfoOption *options = PQconninfoParse(p->connection, NULL);
    out->timeout_ns = out->dial_timeout_ns = parts_number(o, KEY_state_postgresql_timeout);
    out->cleanup_ns = parts_number(o, KEY_state_postgresql_cleanup);
    out->size = (size_t)parts_number(o, KEY_state_postgresql_connections);
    look_into(o, options, out);
    mote_status status = mote__parts_check_timeout(o, KEY_state_postgresql_timeout, error);
    if (!status) status = check_connection(o, p->connection, options, error);
    PQconninfoFree(options);
    return status;
}

/* "name" or "schema.name"; it goes into SQL. */
static bool is_table(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t first = strspn(text, letters);
    const char *rest = text[first] == '.' ? text + first + 1 : NULL;
    bool starts = *text && !(*text >= '0' && *text <= '9') && strlen(text) <= 120;
    return starts && first && (rest ? !rest[strspn(rest, letters)] : !text[first]);
}

static mote_status wrong(const struct parts_opening *o, enum parts_key key, const char *what,
                         mote_error *error) {
    mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET, "`%s` is %s", mote__parts_keys[key].name,
                    what);
    return parts_blame(o, key, error);
}

static mote_status check_names(const struct parts_opening *o, mote_error *error) {
    const char *prefix = parts_text(o, KEY_state_postgresql_prefix),
               *metadata = parts_text(o, KEY_state_postgresql_metadata_table),
               *port = parts_text(o, KEY_state_postgresql_port);
    if (prefix && *prefix && !is_table(prefix))
        return wrong(o, KEY_state_postgresql_prefix,
                     "letters, digits and _, with one `.` at most", error);
    if (metadata && !is_table(metadata))
        return wrong(o, KEY_state_postgresql_metadata_table, "a name, or a schema's and a name",
                     error);
    if (port && !are_ports(port))
        return wrong(o, KEY_state_postgresql_port, "the number of a port", error);
    return MOTE_OK;
}

static void take_tables(struct postgres *p, const struct parts_opening *o) {
    const char *metadata = parts_text(o, KEY_state_postgresql_metadata_table);
    p->prefix = parts_text(o, KEY_state_postgresql_prefix);
    snprintf(p->table, sizeof p->table, "%sstate", p->prefix);
    snprintf(p->metadata_table, sizeof p->metadata_table, "%s", metadata);
}

static mote_status postgres_check(const struct parts_opening *o, mote_error *error) {
    struct postgres p = {.pool.opening = o};
    struct pool_settings settings = {0};
    TRY(check_names(o, error));
    mote_status status = take_connection(&p, o, &settings, error);
    mote__free(o->allocator, p.connection, p.connection_bytes);
    return status;
}

static void postgres_shut(void *instance) {
    struct postgres *p = instance;
    const mote_allocator *a = p->pool.opening->allocator;
    if (p->pool.client) mote__pool_deinit(&p->pool);
    mote__free(a, p->connection, p->connection_bytes);
    MOTE__DELETE(a, p);
}

static mote_status postgres_begin(const struct parts_opening *o, void **instance,
                                  mote_error *error) {
    struct pool_settings settings = {0};
    struct postgres *p = MOTE__NEW(o->allocator, struct postgres);
    if (!p) return mote__error_nomem(error, "opening");
    p->pool.opening = o;
    mote_status status = check_names(o, error);
    if (!status) status = take_connection(p, o, &settings, error);
    if (status) return postgres_shut(p), status;
    take_tables(p, o);
    mote__pool_init(&p->pool, o, &client, &settings, p);
    *instance = p;
    return MOTE_OK;
}

MOTE_API const struct parts_driver mote_parts_driver;
const struct parts_driver mote_parts_driver = {.abi = PARTS_DRIVER_ABI,
                                               .type = "state.postgresql",
                                               .check = postgres_check,
                                               .open = postgres_begin,
                                               .close = postgres_shut,
                                               .submit = postgres_submit,
                                               .cancel = postgres_cancel};
