/* cmd_parts.c - mote parts: component files checked, stores looked into, for people and with --json
 * for programs. */
#define _POSIX_C_SOURCE 200809L
#include "parts.h"
#include "base/utf8.h"
#include "os/os.h"
#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

/* A page of keys may cost a look at all that a store holds. */
enum { KEYS_PAGE = 10000, COPIED_AT_ONCE = 100, SUBSCRIBE_MAX = 100, KEY_SHOWN_BYTES = 60 };
static const mote_allocator *const allocator = &mote__allocator_libc;
static const uint64_t health_timeout_ns = 5000000000;

/* What an action works with. */
struct call {
    const struct args *args;
    mote_parts *parts;
    char **operands; /* behind the action */
    int count;
    bool json;
};

static mote_parts_bytes bytes_of(const char *text) {
    return (mote_parts_bytes){text, strlen(text)};
}

/* Prints why an operation failed; the exit code. */
static int report_op(const char *component, const mote_parts_op *op) {
    return report_failure("%s: %s", component,
                          *op->text ? op->text : mote_parts_code_text(op->code));
}

/* ---- Output. ---- */

static void print_json(const void *data, size_t size) {
    const unsigned char *at = data;
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        if (at[i] == '"' || at[i] == '\\') printf("\\%c", at[i]);
        else if (at[i] < 0x20 || at[i] == 0x7f) printf("\\u%04x", at[i]);
        else putchar(at[i]);
    }
    putchar('"');
}

/* A value as a JSON string, or, when it is no text, as {"hex": "..."}. */
static void print_json_value(const mote_parts_bytes *value) {
    const unsigned char *at = value->data;
    if (mote__utf8_valid(at, value->size)) {
        print_json(at, value->size);
    } else {
        fputs("{\"hex\": \"", stdout);
        for (size_t i = 0; i < value->size; i++) printf("%02x", at[i]);
        fputs("\"}", stdout);
    }
}

/* A key on a line: control characters cannot steer a terminal. */
static void print_key(const struct call *c, const mote_parts_bytes *key) {
    if (c->json) print_json(key->data, key->size);
    else print_name(stdout, key->data, key->size);
    putchar('\n');
}

/* ---- Actions. Each returns the exit code. ---- */

/* A time since 1970, or null for 0. */
static void print_time(const char *name, uint64_t time_ns) {
    char text[40] = "null";
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm utc;
    if (time_ns && gmtime_r(&seconds, &utc))
        strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", &utc);
    printf(", \"%s\": %s", name, text);
}

static void print_health(const mote_parts_info *info, const mote_parts_health *health,
                         uint64_t answer_ns) {
    printf("{\"name\": \"%s\", \"type\": \"%s\", \"health\": \"%s\", \"answer_us\": %" PRIu64,
           info->name, info->type, mote_parts_state_text(health->state), answer_ns / 1000);
    print_time("since", health->since_ns);
    fputs(", \"error\": ", stdout);
    if (*health->error) print_json(health->error, strlen(health->error));
    else fputs("null", stdout);
    print_time("error_at", health->error_ns);
    print_time("next_attempt", health->attempt_ns);
    printf(", \"failures\": %u}\n", health->failures);
}

/* Asks one component's store and says how it is; whether it answered. */
static bool check_health(const struct call *c, size_t index) {
    mote_parts_info info = mote_parts_at(c->parts, index);
    mote_parts_health health;
    char why[200];
    uint64_t began_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    mote_parts_code code = mote_parts_probe(c->parts, info.name, health_timeout_ns, why);
    uint64_t answer_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC) - began_ns;
    mote_parts_health_at(c->parts, index, &health);
    if (code && !*health.error) snprintf(health.error, sizeof health.error, "%s", why);
    if (c->json) print_health(&info, &health, answer_ns);
    else if (code) printf("%-20s %-24s %s: %s\n", info.name, info.type, "away", health.error);
    else printf("%-20s %-24s ready, %.1f ms\n", info.name, info.type, (double)answer_ns / 1e6);
    return !code;
}

static int do_check(const struct call *c) {
    size_t count = mote_parts_count(c->parts), well = 0;
    if (args_flag(c->args, OPT_health)) {
        for (size_t i = 0; i < count; i++) well += check_health(c, i);
        return well == count ? EXIT_DONE
                             : report_failure("%zu of %zu do not answer", count - well, count);
    }
    mote_error error;
    if (mote_parts_check(c->parts, NULL, &error)) return report_failure("%s", error.message);
    if (c->json) printf("{\"components\": %zu}\n", count);
    else printf("%zu component%s\n", count, count == 1 ? "" : "s");
    return EXIT_DONE;
}

static void print_component(const mote_parts_info *info) {
    printf("{\"name\": \"%s\", \"type\": \"%s\", \"version\": \"%s\", \"file\": ", info->name,
           info->type, info->version);
    print_json(info->file, strlen(info->file));
    printf(", \"line\": %u}\n", info->line);
}

static int do_list(const struct call *c) {
    for (size_t i = 0; i < mote_parts_count(c->parts); i++) {
        mote_parts_info info = mote_parts_at(c->parts, i);
        if (c->json) print_component(&info);
        else printf("%-20s %-24s %s:%u\n", info.name, info.type, info.file, info.line);
    }
    return EXIT_DONE;
}

static int do_reference(const struct call *c) {
    size_t size = mote_parts_reference(NULL, 0);
    char *text = mote__alloc(allocator, size + 1);
    (void)c;
    if (!text) return report_failure("out of memory");
    mote_parts_reference(text, size + 1);
    fwrite(text, 1, size, stdout);
    mote__free(allocator, text, size + 1);
    return EXIT_DONE;
}

static int do_get(const struct call *c) {
    mote_parts_item item = {.key = bytes_of(c->operands[1])};
    mote_parts_op op = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    int code =
        mote_parts_call(c->parts, c->operands[0], &op) ? report_op(c->operands[0], &op) : EXIT_DONE;
    if (!code && item.code) code = report_failure("%s has no `%s`", c->operands[0], c->operands[1]);
    if (!code && c->json) print_json_value(&item.found), putchar('\n');
    else if (!code && fwrite(item.found.data, 1, item.found.size, stdout) == item.found.size &&
             isatty(STDOUT_FILENO))
        putchar('\n');
    mote_parts_op_deinit(&op);
    return code;
}

static int write_one(const struct call *c, mote_parts_verb verb, mote_parts_item *item) {
    mote_parts_op op = {.verb = verb, .items = item, .item_count = 1};
    int code =
        mote_parts_call(c->parts, c->operands[0], &op) ? report_op(c->operands[0], &op) : EXIT_DONE;
    mote_parts_op_deinit(&op);
    return code;
}

static int do_set(const struct call *c) {
    struct input input = {0};
    mote_parts_item item = {.key = bytes_of(c->operands[1])};
    if (c->count > 2) item.value = bytes_of(c->operands[2]);
    else if (!input_open(&input, "-")) return EXIT_BAD_MODULE;
    else item.value = (mote_parts_bytes){input.bytes, input.size};
    int code = write_one(c, MOTE_PARTS_SET, &item);
    if (c->count <= 2) input_close(&input);
    return code;
}

static int do_delete(const struct call *c) {
    return write_one(c, MOTE_PARTS_DELETE, &(mote_parts_item){.key = bytes_of(c->operands[1])});
}

/* A page's last key, to go on behind. */
struct last_key {
    char *data;
    size_t size, capacity;
};

static bool keep_last(struct last_key *last, const mote_parts_bytes *key) {
    if (key->size > last->capacity) {
        mote__free(allocator, last->data, last->capacity);
        last->data = mote__alloc(allocator, last->capacity = key->size);
        if (!last->data) return last->capacity = 0, false;
    }
    memcpy(last->data, key->data, last->size = key->size);
    return true;
}

/* Calls `each` for every page of keys. */
static int for_pages(const struct call *c, const char *prefix,
                     int (*each)(const struct call *c, mote_parts_op *page)) {
    struct last_key last = {0};
    int code = EXIT_DONE;
    for (bool more = true; more && !code;) {
        mote_parts_op op = {
            .verb = MOTE_PARTS_KEYS, .prefix = bytes_of(prefix), .limit = KEYS_PAGE};
        if (last.size) op.after = (mote_parts_bytes){last.data, last.size};
        code = mote_parts_call(c->parts, c->operands[0], &op) ? report_op(c->operands[0], &op)
                                                              : each(c, &op);
        more = op.more && op.item_count;
        if (!code && more && !keep_last(&last, &op.items[op.item_count - 1].key))
            code = report_failure("out of memory");
        mote_parts_op_deinit(&op);
    }
    mote__free(allocator, last.data, last.capacity);
    return code;
}

static int print_page(const struct call *c, mote_parts_op *page) {
    for (size_t i = 0; i < page->item_count; i++) print_key(c, &page->items[i].key);
    return EXIT_DONE;
}

static int do_keys(const struct call *c) {
    return for_pages(c, c->count > 1 ? c->operands[1] : "", print_page);
}

/* ---- copy. ---- */

static size_t copied; /* keys so far, over all pages of the one copy that a process makes */

/* Says why a key was not copied; a long one is cut. */
static void report_key(const char *component, const mote_parts_bytes *key,
                       const mote_parts_op *op) {
    const char *bytes = key->data;
    bool cut = key->size > KEY_SHOWN_BYTES;
    int size = cut ? KEY_SHOWN_BYTES : (int)key->size;
    while (cut && size && (bytes[size] & 0xc0) == 0x80) size--; /* inside a character */
    report_failure("%s: `%.*s%s`: %s", component, size, bytes, cut ? "..." : "",
                   *op->text ? op->text : mote_parts_code_text(op->code));
}

/* What is there of some keys is written to the other component; one that went meanwhile is left
 * out. Returns whether it was; if not, and `tells`, says why the first could not be. */
static bool write_keys(const struct call *c, const mote_parts_op *read, bool tells) {
    mote_parts_item items[COPIED_AT_ONCE];
    size_t count = 0;
    uint64_t now_s = (uint64_t)time(NULL);
    for (size_t i = 0; i < read->item_count; i++) {
        const mote_parts_item *from = &read->items[i];
        uint64_t expires_s = from->expires_ns / 1000000000;
        if (from->code) continue;
        items[count++] = (mote_parts_item){.key = from->key,
                                           .value = from->found,
                                           .ttl_s = expires_s > now_s ? (int64_t)(expires_s - now_s)
                                                    : expires_s       ? 1
                                                                      : 0};
    }
    mote_parts_op op = {.verb = MOTE_PARTS_SET, .items = items, .item_count = count};
    bool good = !mote_parts_call(c->parts, c->operands[1], &op);
    if (!good && tells) report_key(c->operands[1], &read->items[0].key, &op);
    mote_parts_op_deinit(&op);
    if (good) copied += count;
    return good;
}

static bool copy_keys(const struct call *c, mote_parts_item *keys, size_t count, bool tells) {
    for (size_t i = 0; i < count; i++) keys[i].flags = MOTE_PARTS_EXPIRY;
    mote_parts_op read = {.verb = MOTE_PARTS_GET, .items = keys, .item_count = count};
    bool good = !mote_parts_call(c->parts, c->operands[0], &read);
    if (!good && tells) report_key(c->operands[0], &keys[0].key, &read);
    if (good) good = write_keys(c, &read, tells);
    mote_parts_op_deinit(&read);
    return good;
}

/* Some keys together; where that fails one by one, up to the one that cannot be copied. */
static bool copy_some(const struct call *c, mote_parts_item *keys, size_t count) {
    bool together = copy_keys(c, keys, count, false), good = true;
    for (size_t i = 0; i < count && !together && good; i++) good = copy_keys(c, &keys[i], 1, true);
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r%zu keys", copied);
    return good;
}

static int copy_page(const struct call *c, mote_parts_op *page) {
    for (size_t at = 0; at < page->item_count; at += COPIED_AT_ONCE) {
        size_t left = page->item_count - at, count = left < COPIED_AT_ONCE ? left : COPIED_AT_ONCE;
        if (!copy_some(c, &page->items[at], count)) return EXIT_BAD_MODULE;
    }
    return EXIT_DONE;
}

static int do_copy(const struct call *c) {
    if (!strcmp(c->operands[0], c->operands[1]))
        return report_usage("%s is copied to itself", c->operands[0]);
    mote_error error;
    if (mote_parts_open(c->parts, c->operands[1], &error))
        return report_failure("%s", error.message);
    copied = 0;
    int code = for_pages(c, "", copy_page);
    if (isatty(STDERR_FILENO)) fputc('\n', stderr);
    if (code) return code;
    if (c->json) printf("{\"copied\": %zu}\n", copied);
    else printf("%zu keys copied from %s to %s\n", copied, c->operands[0], c->operands[1]);
    return EXIT_DONE;
}

/* ---- Locks. ---- */

static int do_lock_verb(const struct call *c, mote_parts_verb verb, int64_t seconds) {
    mote_parts_item item = {
        .key = bytes_of(c->operands[1]), .value = bytes_of(c->operands[2]), .ttl_s = seconds};
    mote_parts_op op = {.verb = verb, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(c->parts, c->operands[0], &op);
    const char *why = code == MOTE_PARTS_CONFLICT    ? "somebody has it"
                      : code == MOTE_PARTS_NOT_FOUND ? "nobody has it"
                      : code == MOTE_PARTS_DENIED    ? "somebody else has it"
                                                     : NULL;
    int result = !code ? EXIT_DONE
                 : why && !*op.text
                     ? report_failure("%s `%s`: %s", c->operands[0], c->operands[1], why)
                     : report_op(c->operands[0], &op);
    mote_parts_op_deinit(&op);
    return result;
}

static int do_lock(const struct call *c) {
    uint64_t seconds;
    if (!parse_count(c->operands[3], &seconds) || !seconds || seconds > INT32_MAX)
        return report_usage("a lock is for a number of seconds, not `%s`", c->operands[3]);
    return do_lock_verb(c, MOTE_PARTS_LOCK, (int64_t)seconds);
}

static int do_unlock(const struct call *c) { return do_lock_verb(c, MOTE_PARTS_UNLOCK, 0); }

/* ---- subscribe. ---- */

/* KEY, VERSION and VALUE, with tabs between; a key that is not there alone. */
static void print_change(mote_parts_op *op, const mote_parts_item *item) {
    const struct call *c = op->context;
    if (c->json) {
        fputs("{\"key\": ", stdout);
        print_json(item->key.data, item->key.size);
        if (!item->code) {
            fputs(", \"version\": ", stdout);
            print_json(item->version.data, item->version.size);
            fputs(", \"value\": ", stdout);
            print_json_value(&item->found);
        }
        puts("}");
    } else {
        print_name(stdout, item->key.data, item->key.size);
        if (!item->code) {
            putchar('\t'), print_name(stdout, item->version.data, item->version.size);
            putchar('\t'), print_name(stdout, item->found.data, item->found.size);
        }
        putchar('\n');
    }
    fflush(stdout);
}

static void note_end(mote_parts_op *op) { (void)op; }

/* Until it is interrupted. */
static int do_subscribe(const struct call *c) {
    mote_parts_item items[SUBSCRIBE_MAX];
    mote_parts_op op = {.verb = MOTE_PARTS_WATCH,
                        .items = items,
                        .item_count = (size_t)c->count - 1,
                        .changed = print_change,
                        .done = note_end};
    struct call call = *c;
    bool never = false;
    op.context = &call;
    for (size_t i = 0; i < op.item_count; i++)
        items[i] = (mote_parts_item){.key = bytes_of(c->operands[i + 1])};
    mote_parts_submit(c->parts, c->operands[0], &op);
    if (!op.code) mote_parts_drive(c->parts, &never, UINT64_MAX);
    int code = report_op(c->operands[0], &op);
    mote_parts_op_deinit(&op);
    return code;
}

/* ---- The command. ---- */

static const struct action {
    const char *name;
    int min, max; /* operands */
    int (*run)(const struct call *c);
} actions[] = {{"check", 1, 1, do_check},
               {"list", 0, 0, do_list},
               {"reference", 0, 0, do_reference},
               {"get", 2, 2, do_get},
               {"set", 2, 3, do_set},
               {"delete", 2, 2, do_delete},
               {"keys", 1, 2, do_keys},
               {"copy", 2, 2, do_copy},
               {"try-lock", 4, 4, do_lock},
               {"unlock", 3, 3, do_unlock},
               {"subscribe", 2, SUBSCRIBE_MAX, do_subscribe}};
enum { ACTION_COUNT = sizeof actions / sizeof *actions };

static const struct action *find_action(const char *name) {
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (!strcmp(actions[i].name, name)) return &actions[i];
    return NULL;
}

static int no_such_action(const char *name) {
    const char *names[ACTION_COUNT];
    for (size_t i = 0; i < ACTION_COUNT; i++) names[i] = actions[i].name;
    const char *near = nearest_name(name, names, ACTION_COUNT);
    return report_usage("`mote parts` has no `%s`%s%s%s; see `mote help parts`", name,
                        near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

int cmd_parts(const struct args *args) {
    const struct action *action = find_action(args->operands[0]);
    struct call call = {.args = args,
                        .operands = args->operands + 1,
                        .count = args->operand_count - 1,
                        .json = args_flag(args, OPT_json)};
    if (!action) return no_such_action(args->operands[0]);
    if (call.count < action->min || call.count > action->max)
        return report_usage("that is not what `mote parts %s` takes; see `mote help parts`",
                            action->name);
    bool loads = action->run != do_reference;
    const char *folder =
        action->run == do_check ? call.operands[0] : args_text(args, OPT_components, "components");
    int code = loads ? components_load(args, folder, &call.parts) : EXIT_DONE;
    if (!code) code = action->run(&call);
    int why = errno; /* standard output could not be written: what is asked last of all */
    mote_parts_delete(call.parts);
    errno = why;
    return code;
}
