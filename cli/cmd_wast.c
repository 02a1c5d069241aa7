/* cmd_wast.c - mote wast: runs scripts of the specification's test suite and counts what passed.
 * A directive of a script's thread is reported like any other but counted in its (thread ...) and (wait ...) alone, so that the counts are
 * those of the directives that stand in the file. */
#include "wast_run.h"
#include <stdatomic.h>

static const mote_allocator *const allocator = &mote__allocator_libc;

/* A directive that is known to fail. */
struct known_failure {
    struct span path; /* the end of a script's path, from a slash on */
    uint64_t line;
    bool seen;
};

struct wast {
    const struct args *args;
    mote_engine *engine;
    mote_features features;
    VEC(struct input) lists; /* of known failures; they hold the text */
    VEC(struct known_failure) known;
    struct input script;
    const struct wast_command *commands; /* of the script, to tell them from those of its threads */
    uint32_t command_count;
    unsigned passed, failed;
};

/* ---- Known failures. ---- */

/* Takes the part of *text before `separator` or the end, and steps over the separator. */
static struct span cut(struct span *text, char separator) {
    const uint8_t *end = text->size ? memchr(text->data, separator, text->size) : NULL;
    struct span part = {text->data, end ? (size_t)(end - text->data) : text->size};
    size_t skip = part.size + (end != NULL);
    *text = (struct span){text->data + skip, text->size - skip};
    return part;
}

/* "PATH:LINE REASON"; empty lines and those that start with # are comments. */
static bool parse_known(struct wast *w, struct span line) {
    if (!line.size || line.data[0] == '#') return true;
    struct known_failure *known = mote__vec_push(&w->known, allocator);
    if (!known) return false;
    known->path = cut(&line, ':');
    struct span number = cut(&line, ' ');
    char digits[16];
    snprintf(digits, sizeof digits, "%.*s", (int)number.size, (const char *)number.data);
    return parse_count(digits, &known->line) && line.size;
}

static int load_list(struct wast *w, const char *path) {
    struct input *input = mote__vec_push(&w->lists, allocator);
    if (!input) return report_failure("out of memory");
    if (!input_open(input, path)) return EXIT_BAD_MODULE;
    struct span text = {input->bytes, input->size};
    for (unsigned number = 1; text.size; number++) {
        if (!parse_known(w, cut(&text, '\n'))) return report_usage("%s:%u: a line is to be `PATH:LINE REASON`", path, number);
    }
    return EXIT_DONE;
}

static bool is_of_script(const struct wast *w, const struct known_failure *known) {
    size_t size = strlen(w->script.name);
    if (known->path.size > size) return false;
    const char *end = w->script.name + size - known->path.size;
    return !memcmp(end, known->path.data, known->path.size) && (end == w->script.name || end[-1] == '/');
}

static struct known_failure *known_find(struct wast *w, uint32_t line) {
    for (size_t i = 0; i < w->known.count; i++)
        if (w->known.data[i].line == line && is_of_script(w, &w->known.data[i])) return &w->known.data[i];
    return NULL;
}

/* Lines of the list that no directive stands on count as failures: the list is out of date. */
static void check_unseen(struct wast *w) {
    for (size_t i = 0; i < w->known.count; i++) {
        const struct known_failure *known = &w->known.data[i];
        if (known->seen || !is_of_script(w, known)) continue;
        printf("%s:%llu: expected a directive, as the list of known failures says, got none\n", w->script.name, (unsigned long long)known->line);
        w->failed++;
    }
}

/* ---- Scripts. ---- */

static bool is_counted(const struct wast *w, const struct wast_command *command) {
    return command >= w->commands && command < w->commands + w->command_count;
}

static void print_verdict(const struct wast *w, const struct wast_command *command, const char *text) {
    printf("%s:%u: %s\n", w->script.name, command->line, text);
}

/* Prints what is to be said about a directive and counts it. Counting happens on the script's own thread only. */
static void visit(void *context, const struct wast_command *command, const struct verdict *verdict) {
    struct wast *w = context;
    bool counted = is_counted(w, command), passed = verdict->passed;
    struct known_failure *known = counted ? known_find(w, command->line) : NULL;
    if (known) {
        known->seen = true;
        passed = !passed;
    }
    if (known && !passed) print_verdict(w, command, "expected a failure, as the list of known failures says, got a pass");
    else if (!passed) print_verdict(w, command, verdict->text);
    else if (args_flag(w->args, OPT_verbose)) print_verdict(w, command, known ? "failed, as is known" : "passed");
    if (counted && passed) w->passed++;
    else if (counted) w->failed++;
}

static void run_commands(struct wast *w, const struct wast_script *script) {
    unsigned before = w->passed + w->failed;
    struct wast_scope scope;
    mote_error error;
    w->commands = script->commands;
    w->command_count = script->command_count;
    mote_status status = wast_scope_init(&scope, w->engine, w->features, args_number(w->args, OPT_fuel, 0), &error);
    scope.visit = visit;
    scope.context = w;
    if (status == MOTE_OK) wast_run(&scope, script->commands, script->command_count);
    else report_failure("%s", error.message);
    wast_scope_deinit(&scope);
    unsigned run = w->passed + w->failed - before;
    if (status != MOTE_OK) w->failed += script->command_count - run;
    if (args_flag(w->args, OPT_count)) printf("%s: %u directives, %u run\n", w->script.name, script->command_count, run);
}

/* A script that is no script counts as one failure. */
static void run_script(struct wast *w) {
    struct wast_script script;
    mote_error error;
    struct span text = {w->script.bytes, w->script.size};
    if (mote__wast_parse(allocator, text, w->features, &script, &error) != MOTE_OK) {
        report_module_error(&w->script, &error);
        w->failed++;
        return;
    }
    run_commands(w, &script);
    check_unseen(w);
    mote__wast_deinit(&script);
}

static void run_file(struct wast *w, const char *path) {
    if (input_open(&w->script, path)) run_script(w);
    else w->failed++;
    input_close(&w->script);
}

/* ---- The command. ---- */

static int prepare(struct wast *w) {
    w->features = features_given(w->args);
    int code = engine_open(w->args, &w->engine);
    for (size_t i = 0; i < w->args->given.count && !code; i++)
        if (w->args->given.data[i].option == OPT_skip) code = load_list(w, w->args->given.data[i].text);
    return code;
}

int cmd_wast(const struct args *args) {
    struct wast w = {.args = args};
    int code = prepare(&w);
    for (int i = 0; i < args->operand_count && !code; i++) run_file(&w, args->operands[i]);
    if (!code) printf("%u passed, %u failed\n", w.passed, w.failed);
    for (size_t i = 0; i < w.lists.count; i++) input_close(&w.lists.data[i]);
    mote__vec_deinit(&w.lists, allocator);
    mote__vec_deinit(&w.known, allocator);
    mote_engine_delete(w.engine);
    return code ? code : w.failed ? EXIT_BAD_MODULE : EXIT_DONE;
}
