/* report.c - what goes to stderr when something went wrong, and the exit code that follows from it. */
#include "cli.h"
#include <errno.h>
#include <stdarg.h>

/* Control characters: ASCII's, and those of U+0080 to U+009F by their second byte in UTF-8. */
static bool is_control(unsigned char before, unsigned char c) {
    return c < 0x20 || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

void print_name(FILE *out, const char *bytes, size_t size) {
    unsigned char before = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (is_control(before, c)) fprintf(out, "\\%02x", c);
        else fputc(c, out);
        before = c;
    }
}

/* Messages may quote names of the module: escapes all control characters but the line ends that show the place in a text. */
static void print_message(const char *message) {
    size_t size;
    for (; size = strcspn(message, "\n"), message[size]; message += size + 1) {
        print_name(stderr, message, size);
        fputc('\n', stderr);
    }
    print_name(stderr, message, size);
}

static MOTE_PRINTF(1, 0) void report(const char *format, va_list list) {
    char text[8192];
    vsnprintf(text, sizeof text, format, list);
    fputs("mote: ", stderr);
    print_message(text);
    fputc('\n', stderr);
}

int report_usage(const char *format, ...) {
    va_list list;
    va_start(list, format);
    report(format, list);
    va_end(list);
    return EXIT_USAGE;
}

int report_failure(const char *format, ...) {
    va_list list;
    va_start(list, format);
    report(format, list);
    va_end(list);
    return EXIT_BAD_MODULE;
}

int report_module_error(const struct input *input, const mote_error *error) {
    fprintf(stderr, "mote: %s: %s: ", input->name, mote_status_name(error->status));
    print_message(error->message);
    bool has_place = error->offset != MOTE_NO_OFFSET && mote_is_binary(input->bytes, input->size);
    if (has_place) fprintf(stderr, " (at byte 0x%llx)", (unsigned long long)error->offset);
    fputc('\n', stderr);
    return EXIT_BAD_MODULE;
}

/* ---- Failed calls. ---- */

/* What one can do about a trap that an option caused, or prevents. */
static const struct {
    mote_trap trap;
    const char *text;
} hints[] = {
    {MOTE_TRAP_OUT_OF_FUEL, "give it more with --fuel"},
    {MOTE_TRAP_DEADLINE, "give it more time with --timeout"},
    {MOTE_TRAP_STACK_OVERFLOW, "endless recursion, or a stack too small for it: -W max-wasm-stack=4MiB"},
    {MOTE_TRAP_GC_HEAP_EXHAUSTED, "give it more with -W max-gc-heap"},
};

static const char *hint_find(uint32_t trap) {
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (hints[i].trap == trap) return hints[i].text;
    return NULL;
}

/* "  at NAME (0x1f)"; the module's name stands before it when it is not the main module. */
static void print_frame(const mote_frame *frame, const mote_module *main_module) {
    fputs("  at ", stderr);
    if (frame->module != main_module) {
        mote_name name = mote_module_name(frame->module);
        print_name(stderr, name.data, name.size);
        fputc('!', stderr);
    }
    if (frame->func_name.size) print_name(stderr, frame->func_name.data, frame->func_name.size);
    else fprintf(stderr, "function %u", frame->func_index);
    fprintf(stderr, " (0x%llx)\n", (unsigned long long)frame->offset);
}

static void print_backtrace(const mote_module *main_module, mote_store *store) {
    mote_frame frame;
    uint64_t total = mote_store_frame_total(store), shown = 0;
    while (mote_store_frame(store, shown, &frame)) shown++;
    for (uint64_t i = 0; mote_store_frame(store, i, &frame); i++) {
        if (i == shown / 2 && total > shown)
            fprintf(stderr, "  ... %llu more ...\n", (unsigned long long)(total - shown));
        print_frame(&frame, main_module);
    }
}

static void print_failure(const struct input *input, const char *what, const char *message) {
    fprintf(stderr, "mote: %s: %s%s", input->name, what, *message ? ": " : "");
    print_message(message);
}

/* A trap of another thread than the first says so in its message (mote_wasi_threads); the backtrace of the first would mislead then. */
static bool is_of_other_thread(const mote_error *error) { return strstr(error->message, " in thread "); }

static int report_trap(const struct input *input, const mote_module *module, mote_store *store, const mote_error *error) {
    const char *message = *error->message ? error->message : mote_trap_text(error->trap);
    print_failure(input, "trap", message);
    const char *hint = hint_find(error->trap);
    if (hint) fprintf(stderr, " (%s)", hint);
    fputc('\n', stderr);
    if (!is_of_other_thread(error)) print_backtrace(module, store);
    return EXIT_TRAP;
}

/* The values that were thrown: " (5, 1.5)"; a tag has no name to show. */
static void print_exception(mote_store *store, mote_ref exception) {
    mote_tag tag = mote_exception_tag(store, exception);
    size_t count = tag.ptr ? mote_type_param_count(mote_tag_type(tag)) : 0;
    for (size_t i = 0; i < count; i++) {
        mote_value value;
        if (mote_exception_value(store, exception, i, &value, NULL) != MOTE_OK) break;
        fputs(i ? ", " : " (", stderr);
        value_print(stderr, store, &value);
        if (i == count - 1) fputc(')', stderr);
    }
}

static int report_exception(const struct input *input, const mote_module *module, mote_store *store, const mote_error *error) {
    if (is_of_other_thread(error)) return report_trap(input, module, store, error);
    mote_ref exception = mote_store_take_exception(store);
    print_failure(input, mote_trap_text(MOTE_TRAP_UNCAUGHT_EXCEPTION), "");
    print_exception(store, exception);
    fputc('\n', stderr);
    print_backtrace(module, store);
    mote_ref_release(store, exception);
    return EXIT_TRAP;
}

/* What one can do about an import that was not found; one of another type (match.h has the words) cannot be helped by an option. */
static const char *link_hint(const char *message) {
    if (strncmp(message, "unknown import", strlen("unknown import"))) return "";
    if (strstr(message, "import \"mote1\"")) return "\n  (--components DIR provides mote1; --allow NAME a component)";
    if (strstr(message, "expected (func")) return "\n  (--preload NAME=FILE provides a module; -W unknown-imports-trap runs without)";
    if (strstr(message, " shared)")) return "\n  (-S threads provides the memory of a program with threads; --preload NAME=FILE a module)";
    return "\n  (--preload NAME=FILE provides a module)";
}

/* What one can do about a limit of the store; the texts are those of memory.c, table.c and instance.c. */
static const char *limit_hint(const char *message) {
    static const struct {
        const char *words, *text;
    } limits[] = {
        {"a memory of ", "\n  (give it more with --max-memory)"},
        {"a table of ", "\n  (give it more with -W max-table-elements)"},
        {" instances, its limit", "\n  (give it more with -W max-instances)"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (strstr(message, limits[i].words)) return limits[i].text;
    return "";
}

int report_call_error(const struct input *input, const mote_module *module, mote_store *store, const mote_error *error) {
    switch (error->status) {
    case MOTE_E_EXIT: return (int)error->trap;
    case MOTE_E_TRAP: return report_trap(input, module, store, error);
    case MOTE_E_EXCEPTION: return report_exception(input, module, store, error);
    default: break;
    }
    print_failure(input, mote_status_name(error->status), error->message);
    if (error->status == MOTE_E_LINK) fputs(link_hint(error->message), stderr);
    if (error->status == MOTE_E_LIMIT) fputs(limit_hint(error->message), stderr);
    fputc('\n', stderr);
    return error->status == MOTE_E_LIMIT || error->status == MOTE_E_NOMEM ? EXIT_TRAP : EXIT_BAD_MODULE;
}

int finish_output(int code) {
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (!failed) return code;
    if (errno != EPIPE) report_failure("standard output: %s", strerror(errno));
    return EXIT_BAD_MODULE;
}
