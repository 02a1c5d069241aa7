/* mysql.c - state.mysql: Dapr's table in a MySQL or MariaDB database, by MariaDB's client library.
 * A connection is made, and the tables with it, on a thread of its own (pool.h); statements then
 * run by the library's calls that suspend where they would wait, one operation per connection.
 * Several writes are one transaction, which is begun anew when the server has ended it to undo a
 * deadlock.
 * Keeps: between callbacks a connection that is at work is suspended in the call that `step` names.
 */
#define _GNU_SOURCE
#include "parts/dsn.h"
#include "parts/pool.h"
#include "base/error.h"
#include "os/os.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <mysql.h>
#include <ma_pvio.h> /* after mysql.h */
#include <mysqld_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define LIVE "(expiredate IS NULL OR expiredate > CURRENT_TIMESTAMP)"
#define ROW                                                                                        \
    "SELECT id, value, eTag, isbinary, UNIX_TIMESTAMP(expiredate), UNIX_TIMESTAMP(updateDate), "   \
    "UNIX_TIMESTAMP() FROM $ WHERE "
#define COLUMNS                                                                                    \
    "(value, isbinary, eTag, expiredate, id) VALUES (?, ?, ?, CURRENT_TIMESTAMP + INTERVAL ? "     \
    "SECOND, ?)"
/* The bytes of a key in a table that compares less strictly. */
#define KEY_BYTES "CAST(CONVERT(id USING utf8mb4) AS BINARY)"
#define UNLESS_LIVE(column) #column " = IF(" LIVE ", " #column ", VALUES(" #column ")) "

/* clang-format off */
/* Every statement; $ is the table, @ a key as bytes. GET leaves it to us to leave out what has expired: with LIVE the server takes 2.5 us more for each.
 * PUT_IF_ABSENT assigns expiredate last: its conditions look at the old one. KEYS looks at the prefix twice: by the index, then by bytes, so that its limit counts
 * none that a table which compares less strictly takes for one. */
#define STATEMENTS(X)                                                                                                              \
    X(GET, ROW "id = ?")                                                                                                            \
    X(GET_MANY, ROW "id IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                                       \
    X(KEYS, "SELECT id FROM $ WHERE id LIKE ? ESCAPE '!' AND @ LIKE ? ESCAPE '!' AND @ > ? AND " LIVE " ORDER BY @ LIMIT ?")        \
    X(PUT, "REPLACE INTO $ " COLUMNS)                                                                                               \
    X(PUT_IF_ABSENT, "INSERT INTO $ " COLUMNS " ON DUPLICATE KEY UPDATE " UNLESS_LIVE(value) ", " UNLESS_LIVE(isbinary) ", "        \
      UNLESS_LIVE(eTag) ", " UNLESS_LIVE(expiredate))                                                                               \
    X(PUT_IF_MATCH, "UPDATE $ SET value = ?, isbinary = ?, eTag = ?, expiredate = CURRENT_TIMESTAMP + INTERVAL ? SECOND "           \
      "WHERE id = ? AND eTag = ? AND " LIVE)                                                                                        \
    X(REMOVE, "DELETE FROM $ WHERE id = ?")                                                                                         \
    X(REMOVE_IF_MATCH, "DELETE FROM $ WHERE id = ? AND eTag = ? AND " LIVE)
/* clang-format on */

enum statement {
#define ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(ENUM) STATEMENT_COUNT
#undef ENUM
};

enum {
    KEY_CHARACTERS_MAX = 255,
    KEY_BYTES_MAX = KEY_CHARACTERS_MAX * 4,
    MANY = 16, /* keys that GET_MANY asks for */
    JSON_DEPTH_MAX = 30,
    VALUE_BYTES = 8192,  /* larger ones are fetched once more, into memory of their own */
    PACKET_BYTES = 2048, /* of a statement, beside the value */
    TRIES_MAX = 50
};

/* Seconds of Unix time that TIMESTAMP can hold. */
static const int64_t timestamp_max_s = 2147483647;

enum step { STEP_IDLE, STEP_BEGIN, STEP_EXECUTE, STEP_STORE, STEP_COMMIT, STEP_ROLLBACK };

struct task {
    struct pool_task base;
    size_t at;     /* the item under way */
    bool together; /* in one transaction */
    unsigned tries;
    mote_parts_code code; /* why it is being rolled back */
    mote_parts_bytes column;
};

/* One row of a result, in the connection's own memory. */
struct row {
    char id[KEY_BYTES_MAX + 4], value[VALUE_BYTES], etag[200];
    unsigned long id_size, value_size, etag_size;
    signed char is_binary;
    long long expires_s, modified_s, now_s; /* by the server's clock */
    my_bool never_expires, value_is_cut;
};

struct connection {
    struct pool_connection base;
    MYSQL *db;
    MYSQL_STMT *statements[STATEMENT_COUNT], *statement; /* the one that runs */
    char key[KEY_BYTES_MAX];                             /* of GET: bound once */
    unsigned long key_size;
    struct row row;
    struct task *task;
    enum step step;
    int result;       /* of the call that `step` names */
    my_bool result_b; /* where that is a my_bool */
    size_t packet_bytes_max;
    bool is_exact; /* the table compares keys byte by byte */
    bool is_suspended;
    bool has_asked;       /* and not tried to read yet */
    PVIO_METHODS methods; /* the library's of its socket, but for read_answer */
    ssize_t (*read)(MARIADB_PVIO *pvio, uchar *bytes, size_t size); /* the library's */
};

struct mysql {
    struct pool pool;
    struct dsn dsn;
    char *dsn_text;
    size_t dsn_bytes;
    const char *database, *table, *metadata_table;
    bool has_said_inexact;
};

static struct mysql *store_of(const struct connection *c) { return c->base.pool->context; }

static mote_parts_op *op_of(const struct connection *c) { return c->task->base.op; }

/* ---------------------------------------------------------------- errors */

static mote_parts_code code_of(unsigned number) {
    switch (number) {
    case ER_DBACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_OPTION_PREVENTS_STATEMENT: return MOTE_PARTS_DENIED;
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL: return MOTE_PARTS_LIMIT;
    case ER_NET_PACKET_TOO_LARGE:
    case ER_DATA_TOO_LONG: return MOTE_PARTS_TOO_LARGE;
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_SERVER_SHUTDOWN: return MOTE_PARTS_UNAVAILABLE;
    default: return MOTE_PARTS_FAILED;
    }
}

/* Errors of the client's own numbers are those of the connection. */
static bool is_of_connection(unsigned number) { return number >= 2000 && number < 3000; }

/* ---------------------------------------------------------------- values */

static bool nests_deeper(const mote_parts_bytes *json, unsigned most) {
    unsigned depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < json->size; i++) {
        char c = ((const char *)json->data)[i];
        if (in_text && c == '\\') i++;
        else if (c == '"') in_text = !in_text;
        else if (!in_text && (c == '[' || c == '{') && ++depth > most) return true;
        else if (!in_text && (c == ']' || c == '}')) depth--;
    }
    return false;
}

/* What an escape `\uXXXX` stands for; 0 where there is none. */
static unsigned escaped_unit(const char *at, const char *end) {
    unsigned unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return 0;
    for (int i = 2; i < 6; i++) {
        char lower = at[i] | 0x20;
        unsigned digit = at[i] <= '9' ? (unsigned)at[i] - '0' : (unsigned)lower - 'a' + 10;
        unit = unit << 4 | (digit & 15);
    }
    return unit;
}

/* Whether half of a surrogate pair stands alone in it. Only texts hold backslashes. */
static bool holds_half_a_pair(const mote_parts_bytes *json) {
    const char *at = json->data, *end = at + json->size;
    while (json->size && (at = memchr(at, '\\', (size_t)(end - at)))) {
        unsigned unit = escaped_unit(at, end);
        bool first = unit >> 10 == 0xd800 >> 10, second = unit >> 10 == 0xdc00 >> 10;
        bool pair = first && escaped_unit(at + 6, end) >> 10 == 0xdc00 >> 10;
        if (second || (first && !pair)) return true;
        at += pair ? 12 : end - at > 1 ? 2 : 1;
    }
    return false;
}

/* Why MariaDB's JSON would not take what is JSON elsewhere; NULL: it does. */
static const char *objection(const mote_parts_bytes *json) {
    if (nests_deeper(json, JSON_DEPTH_MAX)) return "nests deeper than 30";
    return holds_half_a_pair(json) ? "holds half of a surrogate pair" : NULL;
}

/* The value as a JSON column holds it; a binary one is a JSON text of base64. data NULL: out of
 * memory. */
static mote_parts_bytes to_column(mote_parts_op *op, const mote_parts_item *item, bool *is_binary) {
    mote_parts_item bare = *item;
    if (objection(&item->value)) bare.flags |= MOTE_PARTS_BINARY;
    mote_parts_bytes text = mote__parts_to_column(op, &bare, is_binary);
    if (!*is_binary || !text.data) return text;
    char *quoted = mote__parts_alloc(op, text.size + 2);
    if (!quoted) return (mote_parts_bytes){0};
    quoted[0] = quoted[text.size + 1] = '"';
    memcpy(quoted + 1, text.data, text.size);
    return (mote_parts_bytes){quoted, text.size + 2};
}

/* is_own: the text is in memory of the operation. */
static mote_parts_code from_column(mote_parts_op *op, mote_parts_item *item, char *text,
                                   size_t size, bool is_binary, bool is_own) {
    bool quoted = size >= 2 && text[0] == '"' && text[size - 1] == '"';
    if (is_binary && !quoted)
        return mote__parts_say(op, MOTE_PARTS_FAILED, "MySQL: bytes that are not a text of base64");
    if (is_binary) text++, size -= 2;
    return is_own ? mote__parts_from_own_column(op, item, text, size, is_binary)
                  : mote__parts_from_column(op, item, text, size, is_binary);
}

/* ---------------------------------------------------------------- binding */

static MYSQL_BIND text_of(const mote_parts_bytes *text) {
    return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                        .buffer = (void *)(uintptr_t)text->data,
                        .buffer_length = text->size};
}

static MYSQL_BIND number_of(long long *number) {
    return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = number};
}

/* Where the columns of a statement that reads go; the same for every row. */
static bool bind_row(struct connection *c, MYSQL_STMT *statement) {
    struct row *r = &c->row;
    MYSQL_BIND columns[] = {
        {.buffer_type = MYSQL_TYPE_STRING,
         .buffer = r->id,
         .buffer_length = sizeof r->id,
         .length = &r->id_size},
        {.buffer_type = MYSQL_TYPE_STRING,
         .buffer = r->value,
         .buffer_length = sizeof r->value,
         .length = &r->value_size,
         .error = &r->value_is_cut},
        {.buffer_type = MYSQL_TYPE_STRING,
         .buffer = r->etag,
         .buffer_length = sizeof r->etag,
         .length = &r->etag_size},
        {.buffer_type = MYSQL_TYPE_TINY, .buffer = &r->is_binary},
        {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &r->expires_s, .is_null = &r->never_expires},
        {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &r->modified_s},
        {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &r->now_s}};
    return !mysql_stmt_bind_result(statement, columns);
}

/* Binding anew would have the types sent and read anew. */
static bool bind_key(struct connection *c) {
    MYSQL_BIND key = {.buffer_type = MYSQL_TYPE_STRING, .buffer = c->key, .length = &c->key_size};
    return !mysql_stmt_bind_param(c->statements[STATEMENT_GET], &key);
}

/* ---------------------------------------------------------------- running one statement */

static void watch(struct connection *c, int wait) {
    unsigned wanted =
        (wait & MYSQL_WAIT_READ ? LOOP_READ : 0u) | (wait & MYSQL_WAIT_WRITE ? LOOP_WRITE : 0u);
    if (!mote__loop_watch_start(c->base.pool->opening->loop, &c->base.watch, c->base.fd,
                                wanted ? wanted : LOOP_READ))
        mote__pool_lost(&c->base, "out of memory");
}

/* Right after a question the answer is not there yet: the library's attempt to read it at once,
 * before it suspends, would be a call of the system's in vain, 0.4 us. */
static ssize_t read_answer(MARIADB_PVIO *pvio, uchar *bytes, size_t size) {
    struct connection *c =
        (struct connection *)((char *)pvio->methods - offsetof(struct connection, methods));
    if (!c->has_asked) return c->read(pvio, bytes, size);
    c->has_asked = false;
    errno = EAGAIN;
    return -1;
}

/* Puts read_answer in the place of the library's own. */
static void take_over_reading(struct connection *c) {
    MARIADB_PVIO *pvio = c->db->net.pvio;
    c->methods = *pvio->methods;
    c->read = c->methods.async_read;
    c->methods.async_read = read_answer;
    pvio->methods = &c->methods;
}

/* Begins a statement with its parameters, NULL: those that it has; what it waits for. */
static int execute(struct connection *c, enum statement which, MYSQL_BIND *parameters) {
    c->step = STEP_EXECUTE;
    c->statement = c->statements[which];
    if (parameters && mysql_stmt_bind_param(c->statement, parameters)) return c->result = 1, 0;
    c->has_asked = true;
    return mysql_stmt_execute_start(&c->result, c->statement);
}

static int query(struct connection *c, enum step step, const char *sql) {
    c->step = step;
    c->statement = NULL;
    c->has_asked = true;
    return mysql_real_query_start(&c->result, c->db, sql, strlen(sql));
}

/* Goes on with the call that was suspended; what it waits for. */
static int resume(struct connection *c, int ready) {
    switch (c->step) {
    case STEP_EXECUTE: return mysql_stmt_execute_cont(&c->result, c->statement, ready);
    case STEP_STORE: return mysql_stmt_store_result_cont(&c->result, c->statement, ready);
    case STEP_IDLE: return 0;
    default: return mysql_real_query_cont(&c->result, c->db, ready);
    }
}

/* ---------------------------------------------------------------- reading */

static int begin_get_one(struct connection *c, const mote_parts_bytes *key) {
    assert(key->size <= sizeof c->key); /* parts.def says so */
    memcpy(c->key, key->data, key->size);
    c->key_size = key->size;
    return execute(c, STATEMENT_GET, NULL);
}

static int begin_get(struct connection *c) {
    mote_parts_op *op = op_of(c);
    MYSQL_BIND keys[MANY];
    size_t left = op->item_count - c->task->at;
    if (left == 1) return begin_get_one(c, &op->items[c->task->at].whole_key);
    for (size_t i = 0; i < MANY; i++) /* the last key stands for those that are not there */
        keys[i] = text_of(&op->items[c->task->at + (i < left ? i : left - 1)].whole_key);
    return execute(c, STATEMENT_GET_MANY, keys);
}

static int begin_keys(struct connection *c) {
    mote_parts_op *op = op_of(c);
    const mote_parts_bytes none = {"", 0};
    mote_parts_bytes pattern = mote__parts_like_pattern(op);
    long long most = op->limit < INT32_MAX ? (long long)op->limit + 1 : INT32_MAX;
    MYSQL_BIND parameters[] = {text_of(&pattern), text_of(&pattern),
                               text_of(op->whole_after.data ? &op->whole_after : &none),
                               number_of(&most)};
    if (!pattern.data) return c->step = STEP_EXECUTE, c->result = 1, 0;
    op->items = NULL;
    op->item_count = op->item_capacity = 0;
    return execute(c, STATEMENT_KEYS, parameters); /* which copies them before it waits */
}

/* The value of the row that was fetched last: where it lies. NULL: out of memory. */
static char *whole_value(struct connection *c, mote_parts_op *op) {
    struct row *r = &c->row;
    if (r->value_size <= sizeof r->value) return r->value;
    char *value = mote__parts_alloc(op, r->value_size + 1);
    MYSQL_BIND column = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = value, .buffer_length = r->value_size};
    if (value) value[r->value_size] = 0;
    return value && !mysql_stmt_fetch_column(c->statement, &column, 1, 0) ? value : NULL;
}

static mote_parts_code take_into(struct connection *c, mote_parts_op *op, mote_parts_item *item) {
    struct row *r = &c->row;
    char *value = whole_value(c, op);
    item->version = mote__parts_copy(op, r->etag, r->etag_size);
    item->expires_ns = r->never_expires ? 0 : (uint64_t)r->expires_s * 1000000000;
    item->modified_ns = (uint64_t)r->modified_s * 1000000000;
    if (!value || !item->version.data) return MOTE_PARTS_NOMEM;
    return from_column(op, item, value, r->value_size, r->is_binary, value != r->value);
}

/* The row goes to every item that asks for its key, letter by letter: tables that Dapr has made may
 * compare them less strictly. */
static mote_parts_code take_row(struct connection *c, mote_parts_op *op, size_t end) {
    const struct row *r = &c->row;
    mote_parts_code code = MOTE_PARTS_OK;
    bool is_live = r->never_expires || r->expires_s > r->now_s;
    for (size_t i = c->task->at; i < end && is_live && code != MOTE_PARTS_NOMEM; i++) {
        mote_parts_item *item = &op->items[i];
        bool same =
            item->whole_key.size == r->id_size && !memcmp(item->whole_key.data, r->id, r->id_size);
        if (same) code = item->code = take_into(c, op, item);
    }
    return code == MOTE_PARTS_NOMEM ? code : MOTE_PARTS_OK;
}

static mote_parts_code take_key(struct connection *c, mote_parts_op *op) {
    const struct row *r = &c->row;
    bool good =
        !mote__parts_wants_key(op, r->id, r->id_size) || mote__parts_add_key(op, r->id, r->id_size);
    return good ? MOTE_PARTS_OK : MOTE_PARTS_NOMEM;
}

/* Every row of a result that is here whole. */
static mote_parts_code take_rows(struct connection *c) {
    mote_parts_op *op = op_of(c);
    mote_parts_code code = MOTE_PARTS_OK;
    bool lists = op->verb == MOTE_PARTS_KEYS;
    size_t end = c->task->at + MANY < op->item_count ? c->task->at + MANY : op->item_count;
    for (size_t i = c->task->at; i < end && !lists; i++) op->items[i].code = MOTE_PARTS_NOT_FOUND;
    for (int got;
         !code && ((got = mysql_stmt_fetch(c->statement)) == 0 || got == MYSQL_DATA_TRUNCATED);) {
        if (lists) code = take_key(c, op);
        else code = take_row(c, op, end);
    }
    mysql_stmt_free_result(c->statement);
    c->task->at = lists ? op->item_count : end;
    return code;
}

/* ---------------------------------------------------------------- writing */

static int begin_remove(struct connection *c, mote_parts_item *item) {
    MYSQL_BIND parameters[] = {text_of(&item->whole_key), text_of(&item->etag)};
    return execute(c, item->etag.data ? STATEMENT_REMOVE_IF_MATCH : STATEMENT_REMOVE, parameters);
}

static int begin_put(struct connection *c, mote_parts_item *item) {
    static const enum statement puts[] = {STATEMENT_PUT, STATEMENT_PUT_IF_ABSENT,
                                          STATEMENT_PUT_IF_MATCH};
    mote_parts_op *op = op_of(c);
    char etag[37];
    bool is_binary;
    mote_parts_bytes column = to_column(op, item, &is_binary);
    if (mote__parts_uuid(etag)) item->version = mote__parts_copy(op, etag, sizeof etag - 1);
    long long binary, ttl_s = item->ttl_s;
    MYSQL_BIND parameters[] = {text_of(&column),          number_of(&binary),
                               text_of(&item->version),   number_of(&ttl_s),
                               text_of(&item->whole_key), text_of(&item->etag)};
    binary = is_binary;
    if (ttl_s <= 0) parameters[3].buffer_type = MYSQL_TYPE_NULL;
    if (!column.data || !item->version.data) return c->step = STEP_EXECUTE, c->result = 1, 0;
    return execute(c, puts[parts_condition(op, item)], parameters);
}

static int begin_write(struct connection *c) {
    mote_parts_item *item = &op_of(c)->items[c->task->at];
    item->code = MOTE_PARTS_OK;
    return parts_is_removal(op_of(c), item) ? begin_remove(c, item) : begin_put(c, item);
}

/* What a write has done: nothing at all is a conflict, but for removals without an ETag. */
static void take_written(struct connection *c) {
    mote_parts_item *item = &op_of(c)->items[c->task->at];
    bool may_be_nothing = parts_is_removal(op_of(c), item) && !item->etag.data;
    bool nothing = !mysql_stmt_affected_rows(c->statement) && !may_be_nothing;
    item->code = nothing ? MOTE_PARTS_CONFLICT : MOTE_PARTS_OK;
}

/* ---------------------------------------------------------------- an operation, step by step */

static int begin_item(struct connection *c) {
    switch (op_of(c)->verb) {
    case MOTE_PARTS_GET: return begin_get(c);
    case MOTE_PARTS_KEYS: return begin_keys(c);
    default: return begin_write(c);
    }
}

static int begin_task(struct connection *c) {
    c->task->at = 0;
    return c->task->together ? query(c, STEP_BEGIN, "BEGIN") : begin_item(c);
}

/* Ends the task. */
static int finish(struct connection *c, mote_parts_code code) {
    struct task *task = c->task;
    c->task = NULL;
    c->step = STEP_IDLE;
    mote__pool_done(&c->base, &task->base, code);
    return -1;
}

static int roll_back(struct connection *c, mote_parts_code code) {
    c->task->code = code;
    return query(c, STEP_ROLLBACK, "ROLLBACK");
}

/* After an item: the next, or the end. */
static int go_on(struct connection *c) {
    if (c->task->at < op_of(c)->item_count) return begin_item(c);
    return c->task->together ? query(c, STEP_COMMIT, "COMMIT") : finish(c, MOTE_PARTS_OK);
}

static int item_written(struct connection *c) {
    const mote_parts_op *op = op_of(c);
    mote_parts_code code = op->items[c->task->at].code;
    if (code && op->verb == MOTE_PARTS_TRANSACT)
        return c->task->together ? roll_back(c, code) : finish(c, code);
    c->task->at++;
    return go_on(c);
}

static int lost(struct connection *c, const char *why) {
    char text[200];
    snprintf(text, sizeof text, "%s", why);
    mote__pool_lost(&c->base, text);
    return -1;
}

/* A step has failed: on the connection, by a deadlock that the server has undone, or in itself. */
static int failed(struct connection *c) {
    MYSQL_STMT *s = c->statement;
    unsigned number = s ? mysql_stmt_errno(s) : mysql_errno(c->db);
    const char *text = s ? mysql_stmt_error(s) : mysql_error(c->db);
    mote_parts_op *op = op_of(c);
    bool is_write =
        c->step == STEP_EXECUTE && op->verb != MOTE_PARTS_GET && op->verb != MOTE_PARTS_KEYS;
    if (!number) return roll_back(c, MOTE_PARTS_NOMEM); /* ours, before anything was sent */
    if (is_of_connection(number)) return lost(c, text);
    if (number == ER_LOCK_DEADLOCK && c->task->tries++ < TRIES_MAX) return begin_task(c);
    mote_parts_code code = mote__parts_say(op, code_of(number), "MySQL: %s", text);
    bool all_undone = number == ER_LOCK_DEADLOCK || number == ER_LOCK_WAIT_TIMEOUT;
    if (!is_write || all_undone || op->verb == MOTE_PARTS_TRANSACT) return roll_back(c, code);
    op->items[c->task->at].code = code;
    return item_written(c);
}

/* A call has ended; begins what comes next. What that waits for; -1: the task is at its end. */
static int next(struct connection *c) {
    if (c->result && c->step != STEP_ROLLBACK) return failed(c);
    switch (c->step) {
    case STEP_BEGIN: return begin_item(c);
    case STEP_COMMIT: return finish(c, MOTE_PARTS_OK);
    case STEP_ROLLBACK:
        if (c->result) return lost(c, mysql_error(c->db));
        return finish(c, c->task->code);
    case STEP_STORE: {
        mote_parts_code code = take_rows(c);
        return code ? finish(c, code) : go_on(c);
    }
    default: break;
    }
    if (!mysql_stmt_field_count(c->statement)) return take_written(c), item_written(c);
    c->step = STEP_STORE;
    return mysql_stmt_store_result_start(&c->result, c->statement);
}

static void advance(struct connection *c, int wait) {
    while (!wait) wait = next(c);
    if (wait < 0) return;
    c->is_suspended = true;
    watch(c, wait);
}

/* ---------------------------------------------------------------- what the pool calls */

/* The largest value that the server takes of the kind that this one is: JSON or, as base64 between
 * quotes, bytes. */
static size_t value_bytes_max(const struct connection *c, const mote_parts_item *item) {
    size_t room = c->packet_bytes_max > PACKET_BYTES ? c->packet_bytes_max - PACKET_BYTES : 0;
    size_t bytes_max = room / 4 * 3;
    if (item->value.size <= bytes_max || item->flags & MOTE_PARTS_BINARY) return bytes_max;
    bool is_json = mote__parts_is_json(item->value.data, item->value.size);
    return is_json && !objection(&item->value) ? room : bytes_max;
}

/* Why the store would not take an item, known before it is asked. */
static mote_parts_code check_item(const struct connection *c, mote_parts_op *op,
                                  const mote_parts_item *item) {
    if (op->verb == MOTE_PARTS_GET || parts_is_removal(op, item)) return MOTE_PARTS_OK;
    size_t most = value_bytes_max(c, item);
    if (item->value.size > most)
        return mote__parts_say(op, MOTE_PARTS_TOO_LARGE,
                               "a value of %zu bytes; this server takes %zu of such a value (its "
                               "max_allowed_packet is %zu)",
                               item->value.size, most, c->packet_bytes_max);
    const char *why = item->flags & MOTE_PARTS_JSON ? objection(&item->value) : NULL;
    return why ? mote__parts_say(op, MOTE_PARTS_INVALID, "the JSON %s: not in MariaDB", why)
               : MOTE_PARTS_OK;
}

static void say_inexact(const struct connection *c) {
    struct mysql *m = store_of(c);
    if (c->is_exact || m->has_said_inexact) return;
    m->has_said_inexact = true;
    mote__parts_log(
        m->pool.opening,
        "MySQL %s: the table %s, which mote has not made, does not tell keys apart that "
        "differ in case or in spaces at their ends alone",
        m->pool.settings.where, m->table);
}

static void client_run(struct pool_connection *base, struct pool_task *task) {
    struct connection *c = (struct connection *)base;
    mote_parts_op *op = task->op;
    bool writes = op->verb != MOTE_PARTS_GET && op->verb != MOTE_PARTS_KEYS;
    mote_parts_code code = MOTE_PARTS_OK;
    say_inexact(c);
    c->task = (struct task *)task;
    c->task->together = writes && op->item_count > 1;
    for (size_t i = 0; i < op->item_count && !code && writes; i++)
        code = check_item(c, op, &op->items[i]);
    advance(c, code ? finish(c, code) : begin_task(c));
}

static void client_ready(struct pool_connection *base, unsigned ready) {
    struct connection *c = (struct connection *)base;
    if (!c->task) { /* nobody has asked for anything: the server hangs up */
        mote__pool_lost(base, "the server closed the connection");
        return;
    }
    c->is_suspended = false;
    advance(c, resume(c, (ready & LOOP_READ ? MYSQL_WAIT_READ : 0) |
                             (ready & LOOP_WRITE ? MYSQL_WAIT_WRITE : 0)));
}

/* A call that is suspended ends by its time-out: then nothing of it is left. */
static void client_drop(struct pool_connection *base) {
    struct connection *c = (struct connection *)base;
    if (c->base.fd >= 0) shutdown(c->base.fd, SHUT_RDWR);
    for (int wait = c->is_suspended, tries = 0; wait && tries < 100; tries++)
        wait = resume(c, MYSQL_WAIT_TIMEOUT);
    c->is_suspended = false;
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (c->statements[i]) mysql_stmt_close(c->statements[i]);
        c->statements[i] = NULL;
    }
    if (c->db) mysql_close(c->db);
    c->db = NULL;
    c->task = NULL;
    c->step = STEP_IDLE;
}

/* ---------------------------------------------------------------- connecting, on its own thread */

/* Waits as a suspended call wants it; what to tell its _cont. */
static int patiently(struct connection *c, int wait) {
    unsigned ready = mote__pool_wait(&c->base, (int)mysql_get_socket(c->db),
                                     (wait & MYSQL_WAIT_READ ? LOOP_READ : 0u) |
                                         (wait & MYSQL_WAIT_WRITE ? LOOP_WRITE : 0u));
    if (!ready) return MYSQL_WAIT_TIMEOUT;
    return (ready & LOOP_READ ? MYSQL_WAIT_READ : 0) | (ready & LOOP_WRITE ? MYSQL_WAIT_WRITE : 0);
}

/* Carries out a statement of the setting up; false when it failed. */
static bool run(struct connection *c, const char *format, ...) MOTE_PRINTF(2, 3);
static bool run(struct connection *c, const char *format, ...) {
    char sql[1200];
    int failed;
    va_list args;
    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    int wait = mysql_real_query_start(&failed, c->db, sql, strlen(sql));
    while (wait) wait = mysql_real_query_cont(&failed, c->db, patiently(c, wait));
    return !failed;
}

/* The number that a query answers; false when it failed. */
static bool ask(struct connection *c, long long *out, const char *sql) {
    MYSQL_RES *rows;
    if (!run(c, "%s", sql)) return false;
    int wait = mysql_store_result_start(&rows, c->db);
    while (wait) wait = mysql_store_result_cont(&rows, c->db, patiently(c, wait));
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL; /* stored: it does not wait */
    bool there = row && row[0];
    if (there) *out = strtoll(row[0], NULL, 10);
    if (rows) mysql_free_result(rows);
    return there;
}

static bool count(struct connection *c, long long *out, const char *format, ...) MOTE_PRINTF(3, 4);
static bool count(struct connection *c, long long *out, const char *format, ...) {
    char sql[600];
    va_list args;
    int at = snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM information_schema.");
    va_start(args, format);
    vsnprintf(sql + at, sizeof sql - (size_t)at, format, args);
    va_end(args);
    return ask(c, out, sql);
}

static bool has_column(struct connection *c, const char *name, long long *there) {
    return count(c, there,
                 "columns WHERE table_schema = DATABASE() AND table_name = '%s' AND column_name = "
                 "'%s'",
                 store_of(c)->table, name);
}

/* Dapr's table of keys, whose own collation is the database's: keys that differ in case, or in
 * spaces at their ends, would then be one. */
static bool make_table(struct connection *c) {
    bool maria = strstr(mysql_get_server_info(c->db), "MariaDB");
    return run(c,
               "CREATE TABLE IF NOT EXISTS %s (id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE %s "
               "NOT NULL PRIMARY KEY, value JSON NOT NULL, isbinary BOOLEAN NOT NULL, "
               "insertDate TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
               "updateDate TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE "
               "CURRENT_TIMESTAMP, eTag VARCHAR(36) NOT NULL, expiredate TIMESTAMP NULL, "
               "row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, "
               "INDEX expiredate_idx (expiredate), UNIQUE KEY row_id_uidx (row_id))",
               store_of(c)->table, maria ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin");
}

/* What tables of Dapr before 1.11 and before 1.17 lack. */
static bool add_columns(struct connection *c) {
    const char *table = store_of(c)->table;
    long long there = 0;
    if (!has_column(c, "expiredate", &there)) return false;
    if (!there && !run(c,
                       "ALTER TABLE %s ADD COLUMN expiredate TIMESTAMP NULL, ADD INDEX "
                       "expiredate_idx (expiredate)",
                       table))
        return false;
    if (!has_column(c, "row_id", &there)) return false;
    return there || run(c,
                        "ALTER TABLE %s ADD COLUMN row_id BIGINT UNSIGNED NOT NULL "
                        "AUTO_INCREMENT, ADD UNIQUE KEY row_id_uidx (row_id)",
                        table);
}

static bool has_table(struct connection *c, const char *name, long long *there) {
    return count(c, there, "tables WHERE table_schema = DATABASE() AND table_name = '%s'", name);
}

/* Tables that are there are taken as they are: the user may have no right to make any. */
static bool make_tables(struct connection *c) {
    const struct mysql *m = store_of(c);
    long long there = 0;
    if (!has_table(c, m->table, &there)) return false;
    if (there ? !add_columns(c) : !make_table(c)) return false;
    if (!has_table(c, m->metadata_table, &there)) return false;
    return there || run(c,
                        "CREATE TABLE IF NOT EXISTS %s (id VARCHAR(255) NOT NULL PRIMARY KEY, "
                        "value TEXT NOT NULL)",
                        m->metadata_table);
}

static bool enter_database(struct connection *c) {
    const char *name = store_of(c)->database;
    if (run(c, "USE %s", name)) return true;
    return mysql_errno(c->db) == ER_BAD_DB_ERROR &&
           run(c, "CREATE DATABASE IF NOT EXISTS %s", name) && run(c, "USE %s", name);
}

static bool set_variables(struct connection *c) {
    const struct dsn *dsn = &store_of(c)->dsn;
    bool good = run(c, "SET time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES'");
    for (size_t i = 0; i < dsn->variable_count && good; i++)
        good = run(c, "SET %s = %s", dsn->variables[i].name, dsn->variables[i].value);
    return good;
}

static bool look_around(struct connection *c) {
    long long packet = 0, exact = 0;
    bool good = ask(c, &packet, "SELECT @@max_allowed_packet") &&
                count(c, &exact,
                      "columns WHERE table_schema = DATABASE() AND table_name = '%s' AND "
                      "column_name = 'id' AND (collation_name LIKE '%%\\_nopad\\_bin' OR "
                      "collation_name = 'utf8mb4_0900_bin')",
                      store_of(c)->table);
    c->packet_bytes_max = (size_t)packet;
    c->is_exact = exact;
    return good;
}

/* The text of a statement with the table's name, and the key as bytes, in their places. */
static void write_statement(const struct connection *c, const char *text, char *out, size_t size) {
    size_t at = 0;
    for (; *text && at + 100 < size; text++) {
        const char *word = *text == '$'                  ? store_of(c)->table
                           : *text == '@' && c->is_exact ? "id"
                           : *text == '@'                ? KEY_BYTES
                                                         : NULL;
        if (word) at += (size_t)snprintf(out + at, size - at, "%s", word);
        else out[at++] = *text;
    }
    out[at] = 0;
}

static bool prepare(struct connection *c, enum statement which, const char *text) {
    char sql[1200];
    int failed;
    MYSQL_STMT *s = c->statements[which] = mysql_stmt_init(c->db);
    write_statement(c, text, sql, sizeof sql);
    if (!s) return false;
    int wait = mysql_stmt_prepare_start(&failed, s, sql, strlen(sql));
    while (wait) wait = mysql_stmt_prepare_cont(&failed, s, patiently(c, wait));
    if (failed) snprintf(c->base.why, sizeof c->base.why, "%s", mysql_stmt_error(s));
    return !failed && (!mysql_stmt_field_count(s) || bind_row(c, s));
}

static bool prepare_all(struct connection *c) {
    static const char *const texts[] = {
#define TEXT(name, sql) sql,
        STATEMENTS(TEXT)
#undef TEXT
    };
    bool good = true;
    for (int i = 0; i < STATEMENT_COUNT && good; i++)
        good = prepare(c, (enum statement)i, texts[i]);
    if (good) take_over_reading(c);
    return good && bind_key(c);
}

/* No local files, no passwords in clear text, nothing that the library would find in files. */
static bool begin_session(struct connection *c) {
    c->db = mysql_init(NULL);
    if (!c->db) return false;
    const my_bool no = 0;
    const unsigned off = 0;
    mysql_options(c->db, MYSQL_OPT_NONBLOCK, NULL);
    mysql_options(c->db, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options(c->db, MYSQL_OPT_RECONNECT, &no);
    mysql_options(c->db, MYSQL_REPORT_DATA_TRUNCATION, &(my_bool){1});
    mysql_options(c->db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(c->db, MARIADB_OPT_RESTRICTED_AUTH,
                  "mysql_native_password,client_ed25519,caching_sha2_password,"
                  "sha256_password");
    return true;
}

static bool connect_to_server(struct connection *c) {
    const struct dsn *dsn = &store_of(c)->dsn;
    MYSQL *db = NULL;
    int wait = mysql_real_connect_start(&db, c->db, dsn->host, dsn->user, dsn->password, NULL,
                                        dsn->socket ? 0 : (unsigned)strtoul(dsn->port, NULL, 10),
                                        dsn->socket, 0);
    while (wait) wait = mysql_real_connect_cont(&db, c->db, patiently(c, wait));
    c->base.fd = db ? (int)mysql_get_socket(db) : -1;
    return db;
}

static bool set_up(struct connection *c) {
    return connect_to_server(c) && set_variables(c) && enter_database(c) &&
           (!c->base.is_first || make_tables(c)) && look_around(c) && prepare_all(c);
}

static bool client_connect(struct pool_connection *base) {
    struct connection *c = (struct connection *)base;
    if (!begin_session(c)) return snprintf(base->why, sizeof base->why, "out of memory"), false;
    if (set_up(c)) return true;
    bool late = mote__os_clock_ns(OS_CLOCK_MONOTONIC) >= base->deadline_ns;
    if (late) snprintf(base->why, sizeof base->why, "the server does not answer");
    else if (!*base->why) snprintf(base->why, sizeof base->why, "%s", mysql_error(c->db));
    if (parts_hidden(base->pool->opening, KEY_state_mysql_connection))
        mote__parts_hide_quoted(base->why);
    client_drop(base);
    base->fd = -1;
    return false;
}

/* Only if the last time was long ago, by whomever: the row `last-cleanup` says, as Dapr's do. */
static void client_clean(struct pool_connection *base) {
    struct connection *c = (struct connection *)base;
    const struct mysql *m = store_of(c);
    uint64_t interval_us = base->pool->settings.cleanup_ns / 1000;
    bool due = run(c,
                   "INSERT INTO %s (id, value) VALUES ('last-cleanup', CURRENT_TIMESTAMP) ON "
                   "DUPLICATE KEY UPDATE value = IF(CURRENT_TIMESTAMP > DATE_ADD(value, INTERVAL "
                   "%" PRIu64 " MICROSECOND), CURRENT_TIMESTAMP, value)",
                   m->metadata_table, interval_us > 100000 ? interval_us - 100000 : 0) &&
               mysql_affected_rows(c->db) > 0;
    if (due) run(c, "DELETE FROM %s WHERE expiredate <= CURRENT_TIMESTAMP", m->table);
}

/* ---------------------------------------------------------------- submit */

static size_t characters(const mote_parts_bytes *text) {
    size_t count = 0;
    for (size_t i = 0; i < text->size; i++)
        count += ((const unsigned char *)text->data)[i] >> 6 != 2;
    return count;
}

static mote_parts_code check(mote_parts_op *op) {
    int64_t now_s = (int64_t)(mote__os_clock_ns(OS_CLOCK_REALTIME) / 1000000000);
    for (size_t i = 0; i < op->item_count; i++) {
        size_t length = characters(&op->items[i].whole_key);
        if (length > KEY_CHARACTERS_MAX)
            return mote__parts_say(op, MOTE_PARTS_TOO_LARGE,
                                   "a key of %zu characters with its prefix; state.mysql takes %d",
                                   length, KEY_CHARACTERS_MAX);
        if (op->items[i].ttl_s > timestamp_max_s - now_s)
            return mote__parts_say(op, MOTE_PARTS_INVALID,
                                   "a time to live beyond January 2038, where MySQL's time ends");
    }
    return MOTE_PARTS_OK;
}

static const struct pool_client client = {.product = "MySQL",
                                          .connection_bytes = sizeof(struct connection),
                                          .task_bytes = sizeof(struct task),
                                          .check = check,
                                          .connect = client_connect,
                                          .run = client_run,
                                          .ready = client_ready,
                                          .drop = client_drop,
                                          .clean = client_clean};

static void mysql_submit(void *instance, mote_parts_op *op) {
    mote__pool_submit(&((struct mysql *)instance)->pool, op);
}

static void mysql_cancel(void *instance, mote_parts_op *op) {
    mote__pool_cancel(&((struct mysql *)instance)->pool, op);
}

/* ---------------------------------------------------------------- opening */

static mote_status take_dsn(struct mysql *m, mote_error *error) {
    const struct parts_opening *o = m->pool.opening;
    const char *text = parts_text(o, KEY_state_mysql_connection);
    m->dsn_bytes = strlen(text) + 1;
    m->dsn_text = mote__alloc(o->allocator, m->dsn_bytes);
    if (!m->dsn_text) return mote__error_nomem(error, "opening");
    memcpy(m->dsn_text, text, m->dsn_bytes);
    TRY(mote__dsn_parse(m->dsn_text, &m->dsn, error));
    const char *schema = parts_text(o, KEY_state_mysql_schema), *database = m->dsn.database;
    uint64_t unused;
    if (*database && !mote__parts_convert(KIND_NAME, database, &unused))
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "the database of `connectionString` is %s",
                               mote__parts_kind_text(KIND_NAME));
    if (*database && parts_given(o, KEY_state_mysql_schema) && schema &&
        strcmp(schema, database) != 0)
        return mote__error_set(error, MOTE_E_ARGUMENT, MOTE_NO_OFFSET,
                               "`connectionString` names another database than `schemaName`");
    m->database = *database ? database : schema;
    return MOTE_OK;
}

static mote_status take_settings(struct mysql *m, mote_error *error) {
    TRY(mote__parts_check_tables(m->pool.opening, KEY_state_mysql_table,
                                 KEY_state_mysql_metadata_table, false, error));
    mote_status status = take_dsn(m, error);
    if (status && status != MOTE_E_NOMEM)
        parts_blame(m->pool.opening, KEY_state_mysql_connection, error);
    return status;
}

static mote_status mysql_check(const struct parts_opening *o, mote_error *error) {
    struct mysql m = {.pool.opening = o};
    if (!parts_text(o, KEY_state_mysql_connection)) return MOTE_OK;
    mote_status status = take_settings(&m, error);
    mote__free(o->allocator, m.dsn_text, m.dsn_bytes);
    return status;
}

/* The server, for messages, if nothing of a secret can be in it. */
static void say_where(const struct mysql *m, char *out, size_t size) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:";
    const char *host = m->dsn.host ? m->dsn.host : "";
    bool hidden =
        parts_hidden(m->pool.opening, KEY_state_mysql_connection) || host[strspn(host, plain)];
    if (hidden) snprintf(out, size, "as `connectionString` says");
    else if (m->dsn.socket) snprintf(out, size, "%s", m->dsn.socket);
    else snprintf(out, size, "%s:%s", host, m->dsn.port);
}

static struct pool_settings settings_of(const struct mysql *m) {
    const struct parts_opening *o = m->pool.opening;
    const struct dsn *dsn = &m->dsn;
    struct pool_settings settings = {.timeout_ns = parts_number(o, KEY_state_mysql_timeout),
                                     .cleanup_ns = parts_number(o, KEY_state_mysql_cleanup)};
    if (!settings.timeout_ns) settings.timeout_ns = 20000000000; /* 0 is the default in Dapr */
    if (dsn->answer_timeout_ns) settings.timeout_ns = dsn->answer_timeout_ns;
    settings.dial_timeout_ns = dsn->dial_timeout_ns ? dsn->dial_timeout_ns : settings.timeout_ns;
    say_where(m, settings.where, sizeof settings.where);
    return settings;
}

static void mysql_shut(void *instance) {
    struct mysql *m = instance;
    const mote_allocator *a = m->pool.opening->allocator;
    if (m->pool.client) mote__pool_deinit(&m->pool);
    mote__free(a, m->dsn_text, m->dsn_bytes);
    MOTE__DELETE(a, m);
}

static mote_status mysql_begin(const struct parts_opening *o, void **instance, mote_error *error) {
    struct mysql *m = MOTE__NEW(o->allocator, struct mysql);
    if (!m) return mote__error_nomem(error, "opening");
    m->pool.opening = o;
    m->table = parts_text(o, KEY_state_mysql_table);
    m->metadata_table = parts_text(o, KEY_state_mysql_metadata_table);
    mote_status status = take_settings(m, error);
    if (!status && mysql_library_init(0, NULL, NULL)) status = mote__error_nomem(error, "opening");
    if (status) return mysql_shut(m), status;
    struct pool_settings settings = settings_of(m);
    mote__pool_init(&m->pool, o, &client, &settings, m);
    *instance = m;
    return MOTE_OK;
}

MOTE_API const struct parts_driver mote_parts_driver;
const struct parts_driver mote_parts_driver = {.abi = PARTS_DRIVER_ABI,
                                               .type = "state.mysql",
                                               .check = mysql_check,
                                               .open = mysql_begin,
                                               .close = mysql_shut,
                                               .submit = mysql_submit,
                                               .cancel = mysql_cancel};
