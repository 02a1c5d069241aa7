/* handles.c - operations that a program has begun (handles.h).
 * Keeps: a handle is in the table from call to close; closed while under way, it lives until its
 * operation has ended. guest->budget holds what the handles in it have charged, and what their
 * operations read. */
#include "handles.h"
#include "base/error.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { SMALL_BYTES = 256, BYTES_MAX_DEFAULT = 64 << 20 };

enum stage { STAGE_OPEN, STAGE_UNDER_WAY, STAGE_DONE };

/* A change that a watch has to tell. */
struct event {
    struct event *next;
    size_t size;
    const mote_parts_item *item; /* a later change of the same one takes its place */
    char run[];
};

struct handle {
    mote_parts_guest *guest;
    mote_parts_op op;
    mote_parts_item one;
    enum stage stage;
    unsigned flags; /* MOTE1_MANY ... */
    bool is_closed, has_run;
    struct run run; /* what is read, where it is not the value itself */
    size_t read;    /* of it */
    struct event *events;
    char *memory; /* of header and value; `small` when they fit */
    size_t memory_bytes;
    mote_parts_item *items; /* MANY */
    size_t item_max;
    VEC(char) written;
    uint64_t charged;
    mote_parts_bytes hdr;
    struct mote_parts_component *component;
    char version[64]; /* of the first item, when the run has taken the place of the results */
    char small[SMALL_BYTES];
};

static struct handle *handle_of(mote_parts_op *op) {
    return (struct handle *)((char *)op - offsetof(struct handle, op));
}

/* ---------------------------------------------------------------- what programs may ask */

static const struct {
    enum parts_block block;
    mote_parts_verb verb;
} ops[] = {
#define OP(ident, block, verb, text) [MOTE1_##ident] = {BLOCK_##block, MOTE_PARTS_##verb},
#include "parts.def"
};

/* Every number of the program's header has its row, every row its number. */
static const bool is_op[] = {
#define OP(ident, block, verb, text) [MOTE1_##ident] = true,
#include "parts.def"
};
enum {
#define OP(ident, block, verb, text) ROW_##ident,
#include "parts.def"
    ROW_COUNT
};
enum {
#define COUNT_NUMBER(name, number) NUMBER_##name,
    MOTE1_OPS(COUNT_NUMBER) NUMBER_COUNT
#undef COUNT_NUMBER
};
static_assert((int)ROW_COUNT == (int)NUMBER_COUNT,
              "parts.def and mote/guest.h name the same operations");
#define SAME_CODE(name, number, text)                                                              \
    static_assert((int)MOTE_PARTS_##name == number, "the codes of both headers are the same");
MOTE1_ERRORS(SAME_CODE)
#undef SAME_CODE

/* ---------------------------------------------------------------- bytes in flight */

static bool charge(struct handle *h, uint64_t bytes) {
    if (!mote__budget_take(&h->guest->budget, bytes)) return false;
    h->charged += bytes;
    return true;
}

static void discharge(struct handle *h, uint64_t bytes) {
    mote__budget_give(&h->guest->budget, bytes);
    h->charged -= bytes;
}

/* ---------------------------------------------------------------- making and freeing */

static void free_event(struct handle *h, struct event **at) {
    struct event *event = *at;
    *at = event->next;
    mote__free(h->guest->allocator, event, sizeof *event + event->size);
}

static void drop_event(struct handle *h, struct event **at) {
    discharge(h, (*at)->size);
    free_event(h, at);
}

static void handle_free(struct handle *h) {
    const mote_allocator *a = h->guest->allocator;
    while (h->events) drop_event(h, &h->events);
    discharge(h, h->charged);
    mote_parts_op_deinit(&h->op);
    if (h->has_run) mote__free(a, h->run.data, h->run.size + 1);
    if (h->memory != h->small) mote__free(a, h->memory, h->memory_bytes);
    if (h->items != &h->one) MOTE__DELETE_ARRAY(a, h->items, h->item_max);
    mote__vec_deinit(&h->written, a);
    MOTE__DELETE(a, h);
}

/* Memory for `size` bytes of input. */
static char *input_memory(struct handle *h, size_t size) {
    h->memory = size <= SMALL_BYTES ? h->small : mote__alloc(h->guest->allocator, size);
    h->memory_bytes = size;
    return h->memory;
}

static mote_parts_bytes keep(char **at, const mote_parts_bytes *bytes) {
    mote_parts_bytes kept = {*at, bytes->size};
    if (bytes->size) memcpy(*at, bytes->data, bytes->size);
    *at += bytes->size;
    return kept;
}

/* What the program gave is copied: it may use its memory again at once. */
static mote_parts_code keep_input(struct handle *h, const struct request *request) {
    size_t size = request->hdr.size + request->in.size;
    if (!charge(h, size)) return MOTE_PARTS_LIMIT;
    char *at = input_memory(h, size);
    if (!at) return MOTE_PARTS_NOMEM;
    h->hdr = keep(&at, &request->hdr);
    h->one.value = keep(&at, &request->in);
    return MOTE_PARTS_OK;
}

/* Room for as many items as the header begins. */
static mote_parts_code make_items(struct handle *h) {
    size_t count = mote__entries_count(&h->hdr);
    h->items = &h->one;
    h->item_max = 1;
    if (count == SIZE_MAX) return MOTE_PARTS_INVALID;
    if (!(h->flags & MOTE1_MANY) || !count) return MOTE_PARTS_OK;
    if (!charge(h, count * sizeof *h->items)) return MOTE_PARTS_LIMIT;
    h->items = MOTE__NEW_ARRAY(h->guest->allocator, mote_parts_item, count);
    h->item_max = count;
    if (h->items) return MOTE_PARTS_OK;
    h->items = &h->one;
    return MOTE_PARTS_NOMEM;
}

/* The operation is zeroed. */
static void finish_items(struct handle *h, mote_parts_verb verb, const struct asked *asked) {
    bool lists = verb == MOTE_PARTS_KEYS;
    h->op.verb = verb;
    h->op.items = lists ? NULL : asked->items;
    h->op.item_count = lists ? 0 : asked->item_count;
    h->op.prefix = asked->prefix;
    h->op.after = asked->after;
    h->op.limit = asked->limit;
    h->op.timeout_ns = asked->timeout_ns;
}

static mote_parts_code fill(struct handle *h, const struct request *request) {
    mote_parts_code code = keep_input(h, request);
    if (!code) code = make_items(h);
    if (code) return code;
    struct asked asked = {.items = h->items, .item_max = h->item_max};
    if (!mote__entries_read(&h->hdr, h->flags & MOTE1_MANY, &asked)) return MOTE_PARTS_INVALID;
    finish_items(h, ops[request->op].verb, &asked);
    return MOTE_PARTS_OK;
}

/* ---------------------------------------------------------------- results */

/* Whether items failed that stand by themselves, and not the whole. */
static bool failed_by_item(const mote_parts_op *op) {
    for (size_t i = 0; i < op->item_count; i++)
        if (op->items[i].code) return op->verb != MOTE_PARTS_TRANSACT;
    return false;
}

static void put_item(struct run *run, const struct handle *h, const mote_parts_item *item) {
    char number[12];
    bool is_state = mote__parts_drivers[h->component->id].block == BLOCK_state;
    const mote_parts_bytes code = {number,
                                   (size_t)snprintf(number, sizeof number, "%d", (int)item->code)};
    mote__run_put(run, "key", &item->key);
    if (item->code && h->op.verb != MOTE_PARTS_WATCH) mote__run_put(run, "error", &code);
    if (item->code) return;
    if (item->found.data) mote__run_put(run, "value", &item->found);
    if (item->version.data) mote__run_put(run, is_state ? "etag" : "version", &item->version);
}

static void put_items(struct run *run, const struct handle *h) {
    for (size_t i = 0; i < h->op.item_count; i++) {
        if (h->op.verb == MOTE_PARTS_KEYS) mote__run_put(run, "key", &h->op.items[i].key);
        else put_item(run, h, &h->op.items[i]);
    }
}

/* The run holds what the operation has read: but for what mote1_meta tells of the first item, that
 * is not needed twice. */
static void free_results(struct handle *h) {
    mote_parts_item *first = h->op.items;
    if (h->op.verb == MOTE_PARTS_KEYS) h->op.item_count = 0;
    else if (first->version.size > sizeof h->version) return;
    else if (first->version.data)
        first->version.data = memcpy(h->version, first->version.data, first->version.size);
    mote_parts_op_deinit(&h->op);
}

static mote_parts_code make_run(struct handle *h) {
    struct run count = {0};
    put_items(&count, h);
    mote__budget_release(&h->op);
    if (!charge(h, count.size)) return MOTE_PARTS_LIMIT;
    h->run.data = mote__alloc(h->guest->allocator, count.size + 1);
    if (!h->run.data) return MOTE_PARTS_NOMEM;
    put_items(&h->run, h);
    h->has_run = true;
    if (h->op.item_count) free_results(h);
    return MOTE_PARTS_OK;
}

/* What one item gives is not copied once more. */
static mote_parts_code take_value(struct handle *h) {
    const mote_parts_item *item = h->op.items;
    if (item->code) return item->code;
    h->run = (struct run){(char *)(uintptr_t)item->found.data, item->found.size};
    return MOTE_PARTS_OK;
}

static void on_done(mote_parts_op *op) {
    struct handle *h = handle_of(op);
    mote_parts_guest *guest = h->guest;
    bool as_run = (h->flags & MOTE1_MANY) || op->verb == MOTE_PARTS_KEYS;
    h->stage = STAGE_DONE;
    mote__parts_stir(guest->parts);
    if (h->is_closed) {
        guest->ending--;
        handle_free(h);
        return;
    }
    if (as_run && !op->failed_whole && failed_by_item(op)) op->code = MOTE_PARTS_OK;
    if (!op->code && op->verb != MOTE_PARTS_WATCH) op->code = as_run ? make_run(h) : take_value(h);
}

/* Memory for an event of `size` bytes that takes the place of one of `replaced` bytes; NULL
 * without it, and then nothing has changed. */
static struct event *event_instead(struct handle *h, uint64_t size, uint64_t replaced) {
    discharge(h, replaced);
    bool charged = charge(h, size);
    struct event *event = charged ? mote__alloc(h->guest->allocator, sizeof *event + size) : NULL;
    if (event) return event;
    if (charged) discharge(h, size);
    charge(h, replaced); /* there was room for it */
    return NULL;
}

/* The last change of an item is the one that is told; the one before it if there is no room for
 * the last. */
static void on_changed(mote_parts_op *op, const mote_parts_item *item) {
    struct handle *h = handle_of(op);
    struct run count = {0};
    struct event **at = &h->events;
    while (*at && (*at)->item != item) at = &(*at)->next;
    put_item(&count, h, item);
    struct event *event = event_instead(h, count.size, *at ? (*at)->size : 0);
    if (!event) {
        mote__parts_log(&h->component->opening, "no room for a change of `%.*s`",
                        (int)(item->key.size < 100 ? item->key.size : 100),
                        (const char *)item->key.data);
        return;
    }
    if (*at) free_event(h, at);
    *event = (struct event){.size = count.size, .item = item};
    put_item(&(struct run){.data = event->run}, h, item);
    while (*at) at = &(*at)->next;
    *at = event;
    mote__parts_stir(h->guest->parts);
}

/* ---------------------------------------------------------------- the table */

static struct handle *find(const mote_parts_guest *guest, uint32_t handle) {
    return handle && handle <= guest->handles_max ? guest->handles[handle - 1] : NULL;
}

static uint32_t take_number(mote_parts_guest *guest, struct handle *h) {
    uint32_t at = guest->free_hint;
    while (guest->handles[at]) at++;
    guest->handles[at] = h;
    guest->free_hint = at;
    guest->open++;
    return at + 1;
}

static struct mote_parts_component *granted(const mote_parts_guest *guest,
                                            const mote_parts_bytes *name) {
    for (size_t i = 0; i < guest->components.count; i++) {
        struct mote_parts_component *c = guest->components.data[i];
        if (strlen(c->name) == name->size && !memcmp(c->name, name->data, name->size)) return c;
    }
    return NULL;
}

/* ---------------------------------------------------------------- call, write, finish, close */

static void begin(struct handle *h) {
    h->stage = STAGE_UNDER_WAY;
    h->op.done = on_done;
    h->op.changed = on_changed;
    if (h->op.verb == MOTE_PARTS_GET || h->op.verb == MOTE_PARTS_KEYS)
        h->op.budget = &h->guest->budget;
    mote__parts_begin(h->component, &h->op);
}

static mote_parts_code check(const mote_parts_guest *guest, const struct request *request,
                             struct mote_parts_component **out) {
    bool known = request->op < sizeof is_op && is_op[request->op];
    if (!known || (request->flags & ~(unsigned)MOTE1_FLAGS_ALL)) return MOTE_PARTS_INVALID;
    if ((request->flags & MOTE1_MANY) && (request->flags & MOTE1_OPEN)) return MOTE_PARTS_INVALID;
    *out = granted(guest, &request->name);
    if (!*out) return MOTE_PARTS_DENIED;
    if (mote__parts_drivers[(*out)->id].block != ops[request->op].block) return MOTE_PARTS_INVALID;
    return guest->open < guest->handles_max ? MOTE_PARTS_OK : MOTE_PARTS_LIMIT;
}

static struct handle *handle_new(mote_parts_guest *guest, struct mote_parts_component *component,
                                 unsigned flags) {
    struct handle *h = mote__alloc(guest->allocator, sizeof *h);
    if (!h) return NULL;
    memset(h, 0, offsetof(struct handle, version));
    h->guest = guest;
    h->component = component;
    h->flags = flags;
    h->items = &h->one;
    return h;
}

static int32_t call(mote_parts_guest *guest, const struct request *request) {
    struct mote_parts_component *component;
    mote_parts_code code = check(guest, request, &component);
    if (code) return -(int32_t)code;
    struct handle *h = handle_new(guest, component, request->flags);
    if (!h) return -MOTE_PARTS_NOMEM;
    code = fill(h, request);
    if (code) return handle_free(h), -(int32_t)code;
    uint32_t number = take_number(guest, h);
    if (!(request->flags & MOTE1_OPEN)) begin(h);
    return (int32_t)number;
}

int32_t mote__handle_call(mote_parts_guest *guest, const struct request *request) {
    mote__parts_enter(guest->parts);
    int32_t result = call(guest, request);
    mote__parts_leave(guest->parts);
    return result;
}

static int32_t append(struct handle *h, const void *bytes, uint32_t size) {
    if (!h || h->stage != STAGE_OPEN) return -MOTE_PARTS_INVALID;
    if (size > INT32_MAX || !charge(h, size)) return -MOTE_PARTS_LIMIT;
    if (!mote__vec_reserve(&h->written, h->guest->allocator, size))
        return discharge(h, size), -MOTE_PARTS_NOMEM;
    if (size) memcpy(h->written.data + h->written.count, bytes, size);
    h->written.count += size;
    return (int32_t)size;
}

int32_t mote__handle_write(mote_parts_guest *guest, uint32_t handle, const void *bytes,
                           uint32_t size) {
    mote__parts_enter(guest->parts);
    int32_t result = append(find(guest, handle), bytes, size);
    mote__parts_leave(guest->parts);
    return result;
}

int32_t mote__handle_finish(mote_parts_guest *guest, uint32_t handle) {
    mote__parts_enter(guest->parts);
    struct handle *h = find(guest, handle);
    bool fits = h && h->stage == STAGE_OPEN;
    if (fits && h->written.count)
        h->one.value = (mote_parts_bytes){h->written.data, h->written.count};
    if (fits) begin(h);
    mote__parts_leave(guest->parts);
    return fits ? 0 : -MOTE_PARTS_INVALID;
}

static void close_handle(mote_parts_guest *guest, uint32_t at) {
    struct handle *h = guest->handles[at];
    guest->handles[at] = NULL;
    guest->open--;
    if (at < guest->free_hint) guest->free_hint = at;
    if (h->stage != STAGE_UNDER_WAY) {
        handle_free(h);
        return;
    }
    h->is_closed = true;
    guest->ending++;
    mote_parts_cancel(&h->op);
}

int32_t mote__handle_close(mote_parts_guest *guest, uint32_t handle) {
    mote__parts_enter(guest->parts);
    bool fits = find(guest, handle);
    if (fits) close_handle(guest, handle - 1);
    mote__parts_leave(guest->parts);
    return fits ? 0 : -MOTE_PARTS_INVALID;
}

/* ---------------------------------------------------------------- waiting */

static bool is_ready(const struct handle *h) { return h->stage == STAGE_DONE || h->events; }

/* Those that are waited for; of what was given nothing is kept but the numbers. */
struct wait {
    mote_parts_guest *guest;
    const uint8_t *handles; /* 4 bytes each, little-endian */
    uint32_t count;
    const mote_vfs_patience *patience;
    int32_t result; /* 0 and more, or an error; -TIMEOUT: nothing yet */
};

static uint32_t handle_at(const struct wait *w, uint32_t index) {
    const uint8_t *at = w->handles + 4 * (size_t)index;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int32_t look(const struct wait *w) {
    for (uint32_t i = 0; i < w->count; i++) {
        const struct handle *h = find(w->guest, handle_at(w, i));
        if (!h || h->stage == STAGE_OPEN) return -MOTE_PARTS_INVALID;
        if (is_ready(h)) return (int32_t)i;
    }
    return -MOTE_PARTS_TIMEOUT;
}

static bool is_over(void *context) {
    struct wait *w = context;
    w->result = look(w);
    if (w->result == -MOTE_PARTS_TIMEOUT && w->patience &&
        w->patience->is_over(w->patience->context))
        w->result = -MOTE_PARTS_CANCELLED;
    return w->result != -MOTE_PARTS_TIMEOUT;
}

static uint64_t deadline_of(int64_t timeout_ns) {
    return timeout_ns < 0 ? UINT64_MAX
                          : mote__os_clock_ns(OS_CLOCK_MONOTONIC) + (uint64_t)timeout_ns;
}

/* The lock is held. Most operations have ended before anybody waits for them. */
static int32_t wait_for(struct wait *w, int64_t timeout_ns) {
    if (is_over(w)) return w->result;
    if (w->count == 1 && timeout_ns < 0) mote__parts_await(&find(w->guest, handle_at(w, 0))->op);
    if (!is_over(w)) mote__parts_wait(w->guest->parts, is_over, w, deadline_of(timeout_ns));
    return w->result;
}

int32_t mote__handle_wait(mote_parts_guest *guest, const void *handles, uint32_t count,
                          int64_t timeout_ns, const mote_vfs_patience *patience) {
    struct wait w = {.guest = guest, .handles = handles, .count = count, .patience = patience};
    if (!count || count > MOTE1_HANDLES_MAX) return -MOTE_PARTS_INVALID;
    mote__parts_enter(guest->parts);
    int32_t result = wait_for(&w, timeout_ns);
    mote__parts_leave(guest->parts);
    return result;
}

/* The handle, once it is ready; NULL and *result else. */
static struct handle *await(mote_parts_guest *guest, uint32_t handle,
                            const mote_vfs_patience *patience, int32_t *result) {
    const uint8_t number[4] = {(uint8_t)handle, (uint8_t)(handle >> 8), (uint8_t)(handle >> 16),
                               (uint8_t)(handle >> 24)};
    struct wait w = {.guest = guest, .handles = number, .count = 1, .patience = patience};
    struct handle *h = find(guest, handle);
    bool waits = h && !(h->flags & MOTE1_NOWAIT);
    *result = h && is_ready(h) ? 0 : wait_for(&w, waits ? -1 : 0);
    return *result < 0 ? NULL : find(guest, handle);
}

/* ---------------------------------------------------------------- read, meta */

static int32_t read_event(struct handle *h, void *buffer, uint32_t capacity) {
    const struct event *event = h->events;
    if (event->size > capacity) return -MOTE_PARTS_TOO_LARGE;
    memcpy(buffer, event->run, event->size);
    int32_t size = (int32_t)event->size;
    drop_event(h, &h->events);
    return size;
}

static int32_t read_result(struct handle *h, void *buffer, uint32_t capacity) {
    size_t left = h->run.size - h->read, size = left < capacity ? left : capacity;
    if (h->op.code) return -(int32_t)h->op.code;
    if (size > INT32_MAX) size = INT32_MAX;
    if (size) memcpy(buffer, h->run.data + h->read, size);
    h->read += size;
    return (int32_t)size;
}

int32_t mote__handle_read(mote_parts_guest *guest, uint32_t handle, void *buffer, uint32_t capacity,
                          const mote_vfs_patience *patience) {
    int32_t result;
    mote__parts_enter(guest->parts);
    struct handle *h = await(guest, handle, patience, &result);
    if (h) result = h->events ? read_event(h, buffer, capacity) : read_result(h, buffer, capacity);
    mote__parts_leave(guest->parts);
    return result;
}

static size_t unread(const struct handle *h) {
    return h->events ? h->events->size : h->op.code ? 0 : h->run.size - h->read;
}

/* What is known by a name, in `text` where it is a number; data NULL: nothing. */
static mote_parts_bytes known(const struct handle *h, const mote_parts_bytes *key, char text[24]) {
    const mote_parts_item none = {.key = {0}}, *item = h->op.item_count ? h->op.items : &none;
    const struct {
        const char *name;
        mote_parts_bytes bytes;
        uint64_t number;
        bool is_number;
    } rows[] = {
        {"status", {0}, (uint64_t)h->op.code, true},
        {"size", {0}, unread(h), true},
        {"more", {0}, h->op.more, h->op.verb == MOTE_PARTS_KEYS},
        {"expires", {0}, item->expires_ns, item->expires_ns != 0},
        {"modified", {0}, item->modified_ns, item->modified_ns != 0},
        {"etag", item->version, 0, false},
        {"version", item->version, 0, false},
        {"error", {h->op.text, strlen(h->op.text)}, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strlen(rows[i].name) != key->size || memcmp(rows[i].name, key->data, key->size) != 0)
            continue;
        if (!rows[i].is_number) return rows[i].bytes;
        return (mote_parts_bytes){text, (size_t)snprintf(text, 24, "%" PRIu64, rows[i].number)};
    }
    return (mote_parts_bytes){0};
}

static int32_t tell(const struct handle *h, const mote_parts_bytes *key, void *buffer,
                    uint32_t capacity) {
    char text[24];
    mote_parts_bytes value = known(h, key, text);
    if (!value.data) return -MOTE_PARTS_NOT_FOUND;
    if (!value.size && value.data == h->op.text && h->op.code) {
        const char *words = mote_parts_code_text(h->op.code);
        value = (mote_parts_bytes){words, strlen(words)};
    }
    size_t size = value.size < capacity ? value.size : capacity;
    if (size) memcpy(buffer, value.data, size);
    return (int32_t)value.size;
}

int32_t mote__handle_meta(mote_parts_guest *guest, uint32_t handle, const mote_parts_bytes *key,
                          void *buffer, uint32_t capacity, const mote_vfs_patience *patience) {
    int32_t result;
    mote__parts_enter(guest->parts);
    const struct handle *h = await(guest, handle, patience, &result);
    if (h) result = tell(h, key, buffer, capacity);
    mote__parts_leave(guest->parts);
    return result;
}

/* ---------------------------------------------------------------- the whole */

static mote_status grant(mote_parts_guest *guest, const char *name, mote_error *error) {
    const char *nearest;
    struct mote_parts_component *c = mote__parts_find(guest->parts, name, &nearest);
    if (!c)
        return mote__error_set(
            error, MOTE_E_NOT_FOUND, MOTE_NO_OFFSET, "there is no component `%s`%s%s%s", name,
            nearest ? "; did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
    struct mote_parts_component **slot = mote__vec_push(&guest->components, guest->allocator);
    if (!slot) return mote__error_nomem(error, "granting components");
    *slot = c;
    return MOTE_OK;
}

static mote_status grant_all(mote_parts_guest *guest, const mote_parts_guest_config *config,
                             mote_error *error) {
    for (size_t i = 0; i < config->component_count; i++)
        TRY(grant(guest, config->components[i], error));
    for (size_t i = 0; config->all_components && i < guest->parts->components.count; i++)
        TRY(grant(guest, guest->parts->components.data[i]->name, error));
    return MOTE_OK;
}

mote_status mote_parts_guest_new(mote_parts *parts, const mote_parts_guest_config *config,
                                 mote_parts_guest **out, mote_error *error) {
    mote_error unwanted;
    if (!error) error = &unwanted;
    mote_parts_guest *guest = MOTE__NEW(parts->allocator, mote_parts_guest);
    if (!guest) return mote__error_nomem(error, "preparing a program");
    guest->parts = parts;
    guest->allocator = parts->allocator;
    guest->handles_max = config->handles_max && config->handles_max < MOTE1_HANDLES_MAX
                             ? config->handles_max
                             : MOTE1_HANDLES_MAX;
    guest->budget.most = config->bytes_max ? config->bytes_max : BYTES_MAX_DEFAULT;
    mote_status status = grant_all(guest, config, error);
    if (status) return mote_parts_guest_delete(guest), status;
    *out = guest;
    return MOTE_OK;
}

static bool all_ended(void *context) { return !((mote_parts_guest *)context)->ending; }

void mote_parts_guest_delete(mote_parts_guest *guest) {
    if (!guest) return;
    mote__parts_enter(guest->parts);
    for (uint32_t i = 0; i < guest->handles_max; i++)
        if (guest->handles[i]) close_handle(guest, i);
    mote__parts_wait(guest->parts, all_ended, guest, UINT64_MAX);
    mote__parts_leave(guest->parts);
    mote__vec_deinit(&guest->components, guest->allocator);
    MOTE__DELETE(guest->allocator, guest);
}
