/* sqlite.c - state.sqlite: Dapr's tables in a file of this machine. Reads run at once, on a
 * connection of the loop's thread; where that would have to wait they join the writes. Writes queue
 * for one thread, which commits everything that has queued up in one transaction (group commit): an
 * operation is acknowledged when that commit is.
 * Keeps: the reader and its statements belong to the loop's thread, the writer and its own to
 * the writer's; only the queue is shared, under its lock. */
#define _POSIX_C_SOURCE 200809L
#include "parts/driver.h"
#include "base/error.h"
#include "os/os.h"
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdarg.h>

#define LIVE   "(expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)"
#define EXPIRY "CASE WHEN ?5 > 0 THEN DATETIME(CURRENT_TIMESTAMP, '+' || ?5 || ' seconds') END"
#define COLUMNS                                                                                    \
    "(key, value, is_binary, etag, update_time, expiration_time) VALUES (?1, ?2, ?3, ?4, "         \
    "CURRENT_TIMESTAMP, " EXPIRY ")"
#define ASSIGN                                                                                     \
    "value = ?2, is_binary = ?3, etag = ?4, update_time = CURRENT_TIMESTAMP, expiration_time "     \
    "= " EXPIRY

/* clang-format off */
/* Every statement; $ is the table. Parameters: key, value, is_binary, new ETag, seconds to live, old ETag. */
#define STATEMENTS(X)                                                                                                                          \
    X(GET, "SELECT value, is_binary, etag, expiration_time, update_time FROM $ WHERE key = ?1 AND " LIVE)       \
    X(KEYS, "SELECT key FROM $ WHERE key >= ?1 AND " LIVE " ORDER BY key")                                                                         \
    X(PUT, "INSERT OR REPLACE INTO $ " COLUMNS)                                                                                                   \
    X(PUT_IF_ABSENT, "INSERT INTO $ " COLUMNS " ON CONFLICT (key) DO UPDATE SET " ASSIGN " WHERE NOT " LIVE)                                       \
    X(PUT_IF_MATCH, "UPDATE $ SET " ASSIGN " WHERE key = ?1 AND etag = ?6 AND " LIVE)                                                              \
    X(REMOVE, "DELETE FROM $ WHERE key = ?1")                                                                                                     \
    X(REMOVE_IF_MATCH, "DELETE FROM $ WHERE key = ?1 AND etag = ?6 AND " LIVE)                                                                     \
    X(CLEAN, "DELETE FROM $ WHERE expiration_time <= CURRENT_TIMESTAMP")                                                                          \
    X(BEGIN, "BEGIN IMMEDIATE") X(COMMIT, "COMMIT") X(ROLLBACK, "ROLLBACK")                                                                         \
    X(SAVE, "SAVEPOINT one") X(RELEASE, "RELEASE one") X(UNDO, "ROLLBACK TO one")
/* clang-format on */

enum statement {
#define ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(ENUM) STATEMENT_COUNT
#undef ENUM
};

struct connection {
    sqlite3 *db;
    const char *table;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* prepared at first use */
};

/* An operation in the queue. */
struct job {
    struct loop_post post;
    mote_parts_op *op;
    struct sqlite *sqlite;
    struct job *next;
    mote_parts_code code;
};

struct sqlite {
    const struct parts_opening *opening;
    struct connection reader, writer;
    struct parts_link link; /* the file: AWAY while it cannot be worked with */
    bool writes_fail; /* it is away for those who write: reading does not show that it is back */
    struct os_thread thread;
    bool has_thread;
    struct os_mutex lock; /* of the next four */
    struct job *first, **end;
    bool stop;
    _Atomic uint32_t pushes; /* counts what wakes the writer */
    size_t jobs;             /* queued and not ended yet: of the loop's thread, as is `is_idle` */
    bool is_idle;            /* there are none */
    char *name;              /* what sqlite3_open_v2 gets */
    const char *shown;       /* what people are told of it */
    size_t name_bytes;
    int open_flags;
    bool is_read_only;
    char why[200]; /* it could not be opened; "": what the connection says */
    uint64_t timeout_ns, cleanup_ns;
};

/* ---------------------------------------------------------------- statements */

static mote_parts_code failure(mote_parts_op *op, sqlite3 *db, int rc) {
    int kind = rc & 0xff;
    mote_parts_code code = kind == SQLITE_NOMEM                             ? MOTE_PARTS_NOMEM
                           : kind == SQLITE_FULL                            ? MOTE_PARTS_LIMIT
                           : kind == SQLITE_TOOBIG                          ? MOTE_PARTS_TOO_LARGE
                           : kind == SQLITE_READONLY || kind == SQLITE_PERM ? MOTE_PARTS_DENIED
                           : kind == SQLITE_BUSY || kind == SQLITE_LOCKED || kind == SQLITE_CANTOPEN
                               ? MOTE_PARTS_UNAVAILABLE
                               : MOTE_PARTS_FAILED;
    return mote__parts_say(op, code, "SQLite: %s", db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

/* The statement, ready to be bound; *rc says why it is NULL. */
static sqlite3_stmt *prepared(struct connection *c, enum statement which, int *rc) {
    static const char *const texts[] = {
#define TEXT(name, sql) sql,
        STATEMENTS(TEXT)
#undef TEXT
    };
    char sql[800];
    sqlite3_stmt **slot = &c->statements[which];
    *rc = SQLITE_OK;
    if (*slot) return *slot;
    const char *text = texts[which];
    size_t before = strcspn(text, "$");
    snprintf(sql, sizeof sql, "%.*s%s%s", (int)before, text, text[before] ? c->table : "",
             text[before] ? text + before + 1 : "");
    *rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    return *slot;
}

/* Runs a statement without parameters and results. */
static int run(struct connection *c, enum statement which) {
    int rc;
    sqlite3_stmt *s = prepared(c, which, &rc);
    if (!s) return rc;
    rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int bind_text(sqlite3_stmt *s, int at, const mote_parts_bytes *text) {
    return sqlite3_bind_text64(s, at, text->size ? text->data : "", text->size, SQLITE_STATIC,
                               SQLITE_UTF8);
}

static bool must_wait(int rc) { return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED; }

/* ---------------------------------------------------------------- reading */

/* Two digits, or -1000. */
static int pair(const unsigned char *at) {
    bool digits = at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9';
    return digits ? (at[0] - '0') * 10 + at[1] - '0' : -1000;
}

/* "2026-11-22 21:14:26" in nanoseconds since 1970; 0 for NULL and for anything else. strftime in
 * the statement would cost a microsecond per column. */
static uint64_t column_ns(sqlite3_stmt *s, int at) {
    const unsigned char *text = sqlite3_column_text(s, at);
    if (!text || sqlite3_column_bytes(s, at) < 19) return 0;
    int year = pair(text) * 100 + pair(text + 2), month = pair(text + 5), day = pair(text + 8);
    int hour = pair(text + 11), minute = pair(text + 14), second = pair(text + 17);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0 || second < 0)
        return 0;
    int from_march = (month + 9) % 12,
        years = year - (month <= 2); /* years that begin with March: the leap day is their last */
    int64_t days = years * 365ll + years / 4 - years / 100 + years / 400 +
                   (from_march * 153 + 2) / 5 + day - 1 - 719468;
    int64_t seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    return parts_ns((uint64_t)seconds, 1000000000, 0);
}

static mote_parts_code take_row(mote_parts_op *op, mote_parts_item *item, sqlite3_stmt *s) {
    const void *value = sqlite3_column_text(s, 0);
    size_t size = (size_t)sqlite3_column_bytes(s, 0);
    const void *etag = sqlite3_column_text(s, 2);
    item->version = mote__parts_copy(op, etag, (size_t)sqlite3_column_bytes(s, 2));
    item->expires_ns = column_ns(s, 3);
    item->modified_ns = column_ns(s, 4);
    if (!item->version.data || (!value && size)) return MOTE_PARTS_NOMEM;
    return mote__parts_from_column(op, item, value, size, sqlite3_column_int(s, 1));
}

static int read_item(struct connection *c, mote_parts_op *op, mote_parts_item *item) {
    int rc;
    sqlite3_stmt *s = prepared(c, STATEMENT_GET, &rc);
    if (!s) return rc;
    rc = bind_text(s, 1, &item->whole_key);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    if (rc == SQLITE_DONE) item->code = MOTE_PARTS_NOT_FOUND;
    else if (rc == SQLITE_ROW) item->code = take_row(op, item, s);
    sqlite3_reset(s);
    if (item->code == MOTE_PARTS_NOMEM) return SQLITE_NOMEM;
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static bool has_prefix(const void *key, size_t size, const mote_parts_bytes *prefix) {
    return size >= prefix->size && !memcmp(key, prefix->data, prefix->size);
}

static int read_keys(struct connection *c, mote_parts_op *op) {
    int rc;
    sqlite3_stmt *s = prepared(c, STATEMENT_KEYS, &rc);
    if (!s) return rc;
    op->items = NULL, op->item_count = op->item_capacity = 0,
    op->more = false; /* a second try begins anew */
    rc = bind_text(s, 1, op->whole_after.data ? &op->whole_after : &op->whole_prefix);
    for (bool more = rc == SQLITE_OK; more && !op->more && (rc = sqlite3_step(s)) == SQLITE_ROW;) {
        const void *key = sqlite3_column_text(s, 0);
        size_t size = (size_t)sqlite3_column_bytes(s, 0);
        more = has_prefix(key, size, &op->whole_prefix);
        if (more && mote__parts_wants_key(op, key, size) && !mote__parts_add_key(op, key, size))
            more = false, rc = SQLITE_NOMEM;
    }
    sqlite3_reset(s);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int read_all(struct connection *c, mote_parts_op *op) {
    int rc = SQLITE_OK;
    if (op->verb == MOTE_PARTS_KEYS) return read_keys(c, op);
    for (size_t i = 0; i < op->item_count && rc == SQLITE_OK; i++)
        rc = read_item(c, op, &op->items[i]);
    return rc;
}

/* ---------------------------------------------------------------- writing */

static int bind_value(sqlite3_stmt *s, mote_parts_op *op, mote_parts_item *item) {
    bool is_binary;
    char etag[37];
    mote_parts_bytes column = mote__parts_to_column(op, item, &is_binary);
    if (!column.data || !mote__parts_uuid(etag)) return SQLITE_NOMEM;
    item->version = mote__parts_copy(op, etag, sizeof etag - 1);
    if (!item->version.data) return SQLITE_NOMEM;
    int rc = bind_text(s, 2, &column);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 3, is_binary);
    if (rc == SQLITE_OK) rc = bind_text(s, 4, &item->version);
    return rc == SQLITE_OK ? sqlite3_bind_int64(s, 5, item->ttl_s) : rc;
}

/* Writes or removes one item; CONFLICT in the item when its condition does not hold. */
static int write_item(struct connection *c, mote_parts_op *op, mote_parts_item *item) {
    static const enum statement puts[] = {STATEMENT_PUT, STATEMENT_PUT_IF_ABSENT,
                                          STATEMENT_PUT_IF_MATCH};
    int rc;
    bool removal = parts_is_removal(op, item), match = item->etag.data;
    sqlite3_stmt *s = prepared(c,
                               !removal ? puts[parts_condition(op, item)]
                               : match  ? STATEMENT_REMOVE_IF_MATCH
                                        : STATEMENT_REMOVE,
                               &rc);
    if (!s) return rc;
    rc = bind_text(s, 1, &item->whole_key);
    if (rc == SQLITE_OK && match) rc = bind_text(s, 6, &item->etag);
    if (rc == SQLITE_OK && !removal) rc = bind_value(s, op, item);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    sqlite3_reset(s);
    if (rc != SQLITE_DONE) return rc;
    bool nothing = !sqlite3_changes(c->db) && (match || !removal);
    item->code = nothing ? MOTE_PARTS_CONFLICT : MOTE_PARTS_OK;
    return SQLITE_OK;
}

static mote_parts_code write_each(struct connection *c, mote_parts_op *op) {
    for (size_t i = 0; i < op->item_count; i++) {
        int rc = write_item(c, op, &op->items[i]);
        if (rc != SQLITE_OK) op->items[i].code = failure(op, c->db, rc);
    }
    return MOTE_PARTS_OK;
}

/* All items or none, inside the transaction that others share. */
static mote_parts_code transact(struct connection *c, mote_parts_op *op) {
    int rc = run(c, STATEMENT_SAVE);
    mote_parts_code code = MOTE_PARTS_OK;
    for (size_t i = 0; i < op->item_count && rc == SQLITE_OK && !code; i++) {
        rc = write_item(c, op, &op->items[i]);
        code = op->items[i].code;
    }
    if (rc != SQLITE_OK) code = failure(op, c->db, rc);
    if (code) run(c, STATEMENT_UNDO);
    rc = run(c, STATEMENT_RELEASE);
    return !code && rc != SQLITE_OK ? failure(op, c->db, rc) : code;
}

/* ---------------------------------------------------------------- the writer's thread */

static mote_parts_code carry_out(struct connection *c, mote_parts_op *op) {
    int rc;
    switch (op->verb) {
    case MOTE_PARTS_SET:
    case MOTE_PARTS_DELETE: return write_each(c, op);
    case MOTE_PARTS_TRANSACT: return transact(c, op);
    default: rc = read_all(c, op); return rc == SQLITE_OK ? MOTE_PARTS_OK : failure(op, c->db, rc);
    }
}

static bool reads(const mote_parts_op *op) {
    return op->verb == MOTE_PARTS_GET || op->verb == MOTE_PARTS_KEYS;
}

/* One transaction for a run of jobs; if it does not begin or commit, none of them happened. Those
 * that only read need none: somebody else may be writing. */
static void commit_together(struct sqlite *q, struct job *jobs) {
    struct connection *c = &q->writer;
    bool writes = false;
    for (const struct job *job = jobs; job && !writes; job = job->next) writes = !reads(job->op);
    int rc = writes ? run(c, STATEMENT_BEGIN) : SQLITE_OK;
    for (struct job *job = jobs; job && rc == SQLITE_OK; job = job->next)
        job->code = carry_out(c, job->op);
    if (!writes) return;
    /* An error such as a full disk may have ended the transaction already. */
    if (rc == SQLITE_OK)
        rc = sqlite3_get_autocommit(c->db) ? SQLITE_ABORT : run(c, STATEMENT_COMMIT);
    if (rc == SQLITE_OK) return;
    for (struct job *job = jobs; job; job = job->next)
        if (!job->code) job->code = failure(job->op, c->db, rc);
    if (!sqlite3_get_autocommit(c->db)) run(c, STATEMENT_ROLLBACK);
}

/* The jobs that have queued up; waits for some. NULL: it is time to clean up, or to stop (*stop).
 */
static struct job *take_jobs(struct sqlite *q, uint64_t deadline_ns, bool *stop) {
    for (;;) {
        uint32_t seen = q->pushes;
        mote__os_mutex_lock(&q->lock);
        struct job *jobs = q->first;
        q->first = NULL;
        q->end = &q->first;
        *stop = q->stop;
        mote__os_mutex_unlock(&q->lock);
        if (jobs || *stop || mote__os_clock_ns(OS_CLOCK_MONOTONIC) >= deadline_ns) return jobs;
        mote__os_wait(&q->pushes, seen, deadline_ns);
    }
}

static bool is_trouble(mote_parts_code code) {
    return code == MOTE_PARTS_FAILED || code == MOTE_PARTS_LIMIT ||
           code == MOTE_PARTS_UNAVAILABLE || code == MOTE_PARTS_DENIED;
}

/* Ends an operation; what it met says how the file is. What one item reads may be bad in itself. */
static void end(struct sqlite *q, mote_parts_op *op, mote_parts_code code) {
    bool trouble = is_trouble(code);
    const char *colon = strstr(op->text, ": ");
    for (size_t i = 0; i < op->item_count && !trouble && !reads(op); i++)
        trouble = is_trouble(op->items[i].code);
    if (trouble) {
        q->writes_fail = !reads(op);
        mote__link_lost(&q->link, colon ? colon + 2 : op->text);
    } else if (q->link.state == MOTE_PARTS_AWAY && !(q->writes_fail && reads(op)))
        mote__link_back(&q->link);
    mote__parts_complete(op, code);
}

static void finish(struct loop_post *post) {
    struct job *job = (struct job *)post;
    struct sqlite *q = job->sqlite;
    q->is_idle = !--q->jobs;
    end(q, job->op, job->code);
}

static uint64_t next_cleanup(const struct sqlite *q) {
    return q->cleanup_ns ? mote__os_clock_ns(OS_CLOCK_MONOTONIC) + q->cleanup_ns : OS_NEVER;
}

static void *write_for_ever(void *argument) {
    struct sqlite *q = argument;
    uint64_t cleanup_ns = next_cleanup(q);
    for (bool stop = false; !stop;) {
        struct job *jobs = take_jobs(q, cleanup_ns, &stop);
        if (jobs) commit_together(q, jobs);
        else if (!stop) run(&q->writer, STATEMENT_CLEAN), cleanup_ns = next_cleanup(q);
        for (struct job *job = jobs, *next; job; job = next) {
            next = job->next;
            mote__loop_post(q->opening->loop, &job->post);
        }
    }
    return NULL;
}

static void wake_writer(struct sqlite *q) {
    atomic_fetch_add(&q->pushes, 1);
    mote__os_wake(&q->pushes, 1);
}

/* ---------------------------------------------------------------- submit, cancel */

static void enqueue(struct sqlite *q, mote_parts_op *op) {
    struct job *job = mote__parts_alloc(op, sizeof *job);
    if (!job) {
        mote__parts_complete(op, MOTE_PARTS_NOMEM);
        return;
    }
    *job = (struct job){.post.run = finish, .op = op, .sqlite = q};
    op->driver = job;
    q->jobs++;
    q->is_idle = false;
    mote__os_mutex_lock(&q->lock);
    *q->end = job;
    q->end = &job->next;
    mote__os_mutex_unlock(&q->lock);
    wake_writer(q);
}

static void sqlite_submit(void *instance, mote_parts_op *op) {
    struct sqlite *q = instance;
    if (q->is_read_only && !reads(op)) {
        mote__parts_complete(
            op, mote__parts_say(op, MOTE_PARTS_DENIED, "SQLite: %s: the file can only be read",
                                q->shown));
        return;
    }
    int rc = reads(op) ? read_all(&q->reader, op) : SQLITE_BUSY;
    if (!op->timeout_ns) op->timeout_ns = q->timeout_ns;
    if (must_wait(rc)) enqueue(q, op);
    else end(q, op, rc == SQLITE_OK ? MOTE_PARTS_OK : failure(op, q->reader.db, rc));
}

/* What has not begun is taken out of the queue; the rest ends with its commit. */
static void sqlite_cancel(void *instance, mote_parts_op *op) {
    struct sqlite *q = instance;
    struct job *job = op->driver, **at = &q->first;
    mote__os_mutex_lock(&q->lock);
    while (*at && *at != job) at = &(*at)->next;
    bool waiting = *at != NULL;
    if (waiting) *at = job->next;
    if (waiting && q->end == &job->next) q->end = at;
    mote__os_mutex_unlock(&q->lock);
    if (!waiting) return;
    q->is_idle = !--q->jobs;
    mote__parts_complete(op, MOTE_PARTS_CANCELLED);
}

/* ---------------------------------------------------------------- the connection string */

enum { PRAGMAS_MAX = 8 };
struct settings {
    char *name; /* path or URI, in memory of the instance */
    const char *pragmas[PRAGMAS_MAX];
    size_t pragma_sizes[PRAGMAS_MAX], pragma_count;
    bool in_memory;
};

static bool starts(const char *text, size_t size, const char *with) {
    return size >= strlen(with) && !memcmp(text, with, strlen(with));
}

/* What of a parameter is told: nothing, where it is hidden. */
static mote_status unknown_parameter(const struct sqlite *q, const char *text, size_t size,
                                     mote_error *error) {
    bool hidden = parts_hidden(q->opening, KEY_state_sqlite_connection);
    int shown = hidden ? 0 : size < 40 ? (int)size : 40;
    return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                           "`connectionString` does not take `%.*s%s`, only mode (ro, rw, rwc), "
                           "cache, immutable, _txlock=immediate and _pragma of synchronous, "
                           "cache_size, temp_store and mmap_size",
                           shown, text, shown < (int)size ? "..." : "");
}

/* "_pragma=synchronous(1)" and its like, whose names and values cannot hold SQL. */
static bool take_pragma(struct settings *out, const char *text, size_t size) {
    static const char *const known[] = {"synchronous(", "cache_size(", "temp_store(", "mmap_size("};
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const char *value = memchr(text, '(', size);
    if (!value || text[size - 1] != ')' || out->pragma_count == PRAGMAS_MAX) return false;
    if (strspn(value + 1, plain) != (size_t)(text + size - value) - 2) return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!starts(text, size, known[i])) continue;
        out->pragmas[out->pragma_count] = text;
        out->pragma_sizes[out->pragma_count++] = size;
        return true;
    }
    return false;
}

/* Whether SQLite itself understands a parameter, as one of these. */
static bool is_of_sqlite(const char *text, size_t size) {
    static const char *const known[] = {"mode=ro",      "mode=rw",       "mode=rwc",
                                        "cache=shared", "cache=private", "immutable=0",
                                        "immutable=1"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (size == strlen(known[i]) && starts(text, size, known[i])) return true;
    return false;
}

/* Copies what SQLite itself understands, takes what Dapr's driver does. */
static mote_status take_parameters(struct sqlite *q, struct settings *out, const char *text,
                                   mote_error *error) {
    static const char lock[] = "_txlock=immediate";
    for (char separator = '?'; *text;) {
        size_t size = strcspn(text, "&"), at = strlen(out->name);
        bool known = is_of_sqlite(text, size);
        bool ours = size == sizeof lock - 1 && mote__same_letters(text, lock, size);
        if (starts(text, size, "_pragma=")) ours = take_pragma(out, text + 8, size - 8);
        if (size && !known && !ours) return unknown_parameter(q, text, size, error);
        if (known) {
            out->name[at] = separator;
            memcpy(out->name + at + 1, text, size);
            out->name[at + 1 + size] = 0;
            separator = '&';
        }
        text += size;
        if (*text) text++;
    }
    return MOTE_OK;
}

/* As Dapr's driver reads it: a path is one of a URL, with or without `file:`. A database in memory
 * is this component's alone; its two connections share it. */
static mote_status take_connection(struct sqlite *q, struct settings *out, mote_error *error) {
    static const char scheme[] = "file:";
    enum { SCHEME = sizeof scheme - 1 };
    const char *text = parts_text(q->opening, KEY_state_sqlite_connection),
               *query = strchr(text, '?');
    size_t size = query ? (size_t)(query - text) : strlen(text);
    size_t before = size >= SCHEME && mote__same_letters(text, scheme, SCHEME) ? SCHEME : 0;
    q->name_bytes = strlen(text) + 80;
    q->name = mote__alloc(q->opening->allocator, q->name_bytes);
    if (!q->name) return mote__error_nomem(error, "opening");
    out->name = q->name;
    snprintf(q->name, q->name_bytes, "%s%.*s", scheme, (int)(size - before), text + before);
    q->shown = parts_hidden(q->opening, KEY_state_sqlite_connection) ? "as `connectionString` says"
                                                                     : q->name + SCHEME;
    if (size == before)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "`connectionString` names no file");
    q->open_flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    out->in_memory = mote__same_word(q->name + SCHEME, ":memory:");
    mote_status status = query ? take_parameters(q, out, query + 1, error) : MOTE_OK;
    if (!status && out->in_memory)
        snprintf(q->name, q->name_bytes, "file:mote-%" PRIxPTR "?mode=memory&cache=shared",
                 (uintptr_t)q);
    return status;
}

/* ---------------------------------------------------------------- opening */

static mote_status sqlite_error(const struct sqlite *q, sqlite3 *db, int rc, mote_error *error) {
    mote_status status = rc == SQLITE_NOMEM ? MOTE_E_NOMEM : MOTE_E_IO;
    return mote__error_set(error, status, MOTE_NO_OFFSET, "SQLite: %s: %s", q->shown,
                           *q->why ? q->why
                           : db    ? sqlite3_errmsg(db)
                                   : sqlite3_errstr(rc));
}

static int execute(sqlite3 *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int execute(sqlite3 *db, const char *format, ...) {
    char sql[900];
    va_list args;
    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int connect(struct sqlite *q, const struct settings *settings, struct connection *c,
                   int busy_ms) {
    c->table = parts_text(q->opening, KEY_state_sqlite_table);
    int rc = sqlite3_open_v2(q->name, &c->db, q->open_flags, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(c->db, busy_ms);
    for (size_t i = 0; i < settings->pragma_count && rc == SQLITE_OK; i++)
        rc = execute(c->db, "PRAGMA %.*s", (int)settings->pragma_sizes[i], settings->pragmas[i]);
    return rc;
}

/* The number that a query answers. */
static int ask(sqlite3 *db, int *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int ask(sqlite3 *db, int *out, const char *format, ...) {
    char sql[500];
    va_list args;
    sqlite3_stmt *s;
    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc != SQLITE_OK) return rc;
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Whether the tables are there, for which nobody has to stop writing. */
static int look_for_tables(const struct sqlite *q, int *there) {
    const char *table = q->writer.table,
               *metadata = parts_text(q->opening, KEY_state_sqlite_metadata_table);
    int tables = 0;
    int rc = ask(q->writer.db, &tables,
                 "SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND "
                 "lower(name) IN (lower('%s'), lower('%s'))",
                 table, metadata);
    *there = 0;
    if (rc != SQLITE_OK || tables < 2) return rc;
    return ask(q->writer.db, there, "SELECT count(*) FROM %s WHERE key = 'migrations'", metadata);
}

/* Dapr's tables, as its first migration makes them. */
static int make_tables(struct sqlite *q) {
    const char *table = q->writer.table,
               *metadata = parts_text(q->opening, KEY_state_sqlite_metadata_table);
    sqlite3 *db = q->writer.db;
    int rc = execute(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = execute(
            db,
            "CREATE TABLE IF NOT EXISTS %s (key text NOT NULL PRIMARY KEY, value text NOT NULL)",
            metadata);
    if (rc == SQLITE_OK)
        rc = execute(db,
                     "CREATE TABLE IF NOT EXISTS %s (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT "
                     "NULL, is_binary BOOLEAN NOT NULL, "
                     "etag TEXT NOT NULL, expiration_time TIMESTAMP DEFAULT NULL, update_time "
                     "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
                     table);
    if (rc == SQLITE_OK)
        rc = execute(db, "INSERT OR IGNORE INTO %s (key, value) VALUES ('migrations', '1')",
                     metadata);
    if (rc == SQLITE_OK) rc = execute(db, "COMMIT");
    if (rc != SQLITE_OK) snprintf(q->why, sizeof q->why, "%s", sqlite3_errmsg(db));
    if (!sqlite3_get_autocommit(db)) execute(db, "ROLLBACK");
    return rc;
}

/* A write-ahead log lets others read and write meanwhile. Where one cannot be had now, a file with
 * tables is used as it is; where there must be none, that is final. */
static int set_journal(struct sqlite *q, bool wal, bool there, int busy_ms) {
    sqlite3 *db = q->writer.db;
    if (wal && there) sqlite3_busy_timeout(db, 0);
    int rc = execute(db, "PRAGMA journal_mode = %s", wal ? "WAL" : "DELETE");
    sqlite3_busy_timeout(db, busy_ms);
    return wal && there ? SQLITE_OK : rc;
}

/* Whether there is anything in the file of SQLite's beside the database: its log, its journal. One
 * that is done with may stay, and begins with zero. */
static bool has_beside(const struct sqlite *q, const char *suffix) {
    char path[4200];
    const char *name = sqlite3_db_filename(q->writer.db, "main");
    snprintf(path, sizeof path, "%s%s", name ? name : "", suffix);
    FILE *file = fopen(path, "rb");
    bool has = file && fgetc(file) > 0;
    if (file) fclose(file);
    return has;
}

/* A file that can be read may have a log, or an interrupted transaction's journal, that cannot be
 * made use of. Returns rc. */
static int say_of_log(struct sqlite *q, int rc) {
    int code = sqlite3_extended_errcode(q->writer.db);
    bool is_read_only = sqlite3_db_readonly(q->writer.db, "main") == 1;
    const char *why = "";
    if (code == SQLITE_READONLY_ROLLBACK)
        why = "an interrupted transaction is to be undone first, which needs the right to write";
    else if (rc == SQLITE_READONLY || (rc == SQLITE_CANTOPEN && is_read_only))
        why = has_beside(q, "-wal")
                  ? "its log (-wal) needs a folder that can be written; copy both to one"
                  : "its log needs a folder that can be written; `?immutable=1` reads a file to "
                    "which nobody writes";
    snprintf(q->why, sizeof q->why, "%s", why);
    return rc;
}

/* `immutable=1` looks at the file alone. What others have committed beside it must not be missing
 * without a word. */
static bool is_immutable_and_more(struct sqlite *q) {
    const char *name = sqlite3_db_filename(q->writer.db, "main");
    bool more = name && sqlite3_uri_boolean(name, "immutable", 0) &&
                (has_beside(q, "-wal") || has_beside(q, "-journal"));
    if (more)
        snprintf(q->why, sizeof q->why,
                 "`immutable=1` would leave out what is in the log or journal beside the file; copy "
                 "both to where they can be written");
    return more;
}

/* What is there is taken as it is: the file may be read-only, and somebody else be writing. */
static int set_up(struct sqlite *q, bool wal, int busy_ms) {
    int there;
    if (is_immutable_and_more(q)) return SQLITE_CANTOPEN;
    int rc = look_for_tables(q, &there);
    if (rc != SQLITE_OK) return say_of_log(q, rc);
    q->is_read_only = sqlite3_db_readonly(q->writer.db, "main") == 1;
    if (q->is_read_only && there) return SQLITE_OK;
    if (q->is_read_only) {
        snprintf(q->why, sizeof q->why, "the file can only be read, and holds no table `%s` yet",
                 q->writer.table);
        return SQLITE_READONLY;
    }
    rc = set_journal(q, wal, there, busy_ms);
    return rc == SQLITE_OK && !there ? make_tables(q) : rc;
}

/* Names of tables that SQLite keeps for itself. */
static mote_status check_table(const struct parts_opening *o, enum parts_key key,
                               mote_error *error) {
    if (!mote__same_letters(parts_text(o, key), "sqlite_", 7)) return MOTE_OK;
    mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                    "a table's name that begins with `sqlite_` is SQLite's own");
    return parts_blame(o, key, error);
}

/* The connection string into `name` and settings; whose line an error has. */
static mote_status take_settings(struct sqlite *q, struct settings *out, mote_error *error) {
    TRY(mote__parts_check_timeout(q->opening, KEY_state_sqlite_timeout, error));
    TRY(check_table(q->opening, KEY_state_sqlite_table, error));
    TRY(check_table(q->opening, KEY_state_sqlite_metadata_table, error));
    TRY(mote__parts_check_tables(q->opening, KEY_state_sqlite_table,
                                 KEY_state_sqlite_metadata_table, true, error));
    mote_status status = take_connection(q, out, error);
    if (status && status != MOTE_E_NOMEM)
        parts_blame(q->opening, KEY_state_sqlite_connection, error);
    return status;
}

static mote_status sqlite_check(const struct parts_opening *opening, mote_error *error) {
    struct sqlite q = {.opening = opening};
    struct settings settings = {0};
    if (!parts_text(opening, KEY_state_sqlite_connection)) return MOTE_OK;
    mote_status status = take_settings(&q, &settings, error);
    mote__free(opening->allocator, q.name, q.name_bytes);
    return status;
}

static mote_status prepare(struct sqlite *q, mote_error *error) {
    struct settings settings = {0};
    const struct parts_opening *o = q->opening;
    TRY(take_settings(q, &settings, error));
    uint64_t busy_ms = parts_number(o, KEY_state_sqlite_busy_timeout) / 1000000;
    int busy = (int)(busy_ms < INT32_MAX ? busy_ms : INT32_MAX);
    int rc = connect(q, &settings, &q->writer, busy);
    bool wal = !settings.in_memory && !parts_number(o, KEY_state_sqlite_disable_wal);
    if (rc == SQLITE_OK) rc = set_up(q, wal, busy);
    if (rc != SQLITE_OK) return sqlite_error(q, q->writer.db, rc, error);
    rc = connect(q, &settings, &q->reader, 0);
    if (rc != SQLITE_OK) return sqlite_error(q, q->reader.db, rc, error);
    q->timeout_ns = parts_number(o, KEY_state_sqlite_timeout);
    q->cleanup_ns = parts_number(o, KEY_state_sqlite_cleanup);
    q->has_thread = !mote__os_thread_create(&q->thread, write_for_ever, q, 0);
    if (!q->has_thread)
        return mote__error_set(error, MOTE_E_IO, MOTE_NO_OFFSET,
                               "the system has no thread to give");
    mote__link_init(&q->link, o, "SQLite", NULL);
    snprintf(q->link.where, sizeof q->link.where, "%s", q->shown);
    mote__link_back(&q->link);
    return MOTE_OK;
}

static void disconnect(struct connection *c) {
    for (size_t i = 0; i < STATEMENT_COUNT; i++) sqlite3_finalize(c->statements[i]);
    sqlite3_close(c->db);
}

/* The writer finishes its queue first; the loop still has to hear of it. */
static void sqlite_close(void *instance) {
    struct sqlite *q = instance;
    mote__os_mutex_lock(&q->lock);
    q->stop = true;
    mote__os_mutex_unlock(&q->lock);
    wake_writer(q);
    if (q->has_thread) mote__os_thread_join(q->thread);
    if (q->jobs) mote__loop_run(q->opening->loop, &q->is_idle, UINT64_MAX);
    disconnect(&q->reader);
    disconnect(&q->writer);
    mote__link_deinit(&q->link);
    mote__free(q->opening->allocator, q->name, q->name_bytes);
    MOTE__DELETE(q->opening->allocator, q);
}

static mote_status sqlite_open(const struct parts_opening *opening, void **instance,
                               mote_error *error) {
    struct sqlite *q = MOTE__NEW(opening->allocator, struct sqlite);
    if (!q) return mote__error_nomem(error, "opening");
    q->opening = opening;
    q->end = &q->first;
    mote_status status = prepare(q, error);
    if (status) sqlite_close(q);
    else *instance = q;
    return status;
}

MOTE_API const struct parts_driver mote_parts_driver;
const struct parts_driver mote_parts_driver = {.abi = PARTS_DRIVER_ABI,
                                               .type = "state.sqlite",
                                               .check = sqlite_check,
                                               .open = sqlite_open,
                                               .close = sqlite_close,
                                               .submit = sqlite_submit,
                                               .cancel = sqlite_cancel};
