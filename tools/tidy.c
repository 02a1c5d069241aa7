/* tidy.c - reads the source tree and holds the rules that a compiler does not: who may include whom, banned calls, documented public
 * functions, file heads, file lengths, text that must not be there. Usage: tidy ROOT. One finding a line, then "N passed, N failed" (files
 * without and with findings). Exceptions stand in ROOT/tools/tidy.allow, "RULE PATH WORD reason"; one that nothing needs is a finding too.
 * Works on lines and tokens, not on a parse: comments and string literals are blanked first, so that words in them do not count. */
#define _POSIX_C_SOURCE 200809L
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES_MAX = 1024, ALLOW_COUNT_MAX = 256, LINE_COUNT_MAX = 1500 };

/* ---------------------------------------------------------------- the rules, as tables */

/* What the files of a folder may include in quotes: prefixes of paths below src/ and lib/. <mote/...> and the system are open to all. The
 * folder itself is always open. Layers: base < os < wasm < text, run < jit, aot, llvm < api; libraries and the command stand outside. */
static const struct place {
    const char *folder;
    const char *sees[6];
} places[] = {
    {"src/base/", {NULL}},
    {"src/os/", {"base/"}},
    {"src/wasm/", {"base/", "os/"}},
    {"src/text/", {"base/", "os/", "wasm/"}},
    {"src/run/", {"base/", "os/", "wasm/"}},
    {"src/jit/", {"base/", "os/", "wasm/", "run/"}},
    {"src/aot/", {"base/", "os/", "wasm/", "run/"}},
    {"src/llvm/", {"base/", "os/", "wasm/", "run/"}},
    {"src/api/", {"base/", "os/", "wasm/", "text/", "run/", "jit/"}},
    {"lib/", {"base/", "os/os.h"}}, /* each folder of lib/ for itself: see own_folder */
    {"cli/", {"base/", "os/os.h", "text/"}},
    {"include/mote/", {NULL}},
    {"examples/", {NULL}},
};

/* Calls that are not made; `where` lists the folders that the rule covers. */
#define LIBRARY "src/ lib/"
#define OURS    "src/ lib/ cli/"
static const struct banned_call {
    const char *name, *where, *instead;
} banned_calls[] = {
    {"malloc", OURS, "mote__alloc"},
    {"calloc", OURS, "mote__alloc_zeroed"},
    {"realloc", OURS, "mote__realloc_array"},
    {"free", OURS, "mote__free"},
    {"strdup", OURS, "mote__alloc and memcpy"},
    {"strndup", OURS, "mote__alloc and memcpy"},
    {"asprintf", OURS, "snprintf"},
    {"alloca", OURS, "a fixed array or the heap"},
    {"strcpy", OURS, "memcpy with a known size"},
    {"strcat", OURS, "snprintf"},
    {"strncpy", OURS, "memcpy with a known size"},
    {"sprintf", OURS, "snprintf"},
    {"vsprintf", OURS, "vsnprintf"},
    {"gets", OURS, "fgets"},
    {"scanf", OURS, "a reader with limits"},
    {"sscanf", OURS, "a reader with limits"},
    {"strtok", OURS, "a span"},
    {"system", OURS, "posix_spawn"},
    {"setjmp", OURS, "a status"},
    {"longjmp", OURS, "a status"},
    {"sigsetjmp", OURS, "a status"},
    {"siglongjmp", OURS, "a status"},
    {"abort", OURS, "a status: the library never aborts"},
    {"exit", LIBRARY, "a status"},
    {"_exit", LIBRARY, "a status"},
    {"printf", LIBRARY, "an error or an output stream: the library never prints"},
    {"puts", LIBRARY, "an error or an output stream: the library never prints"},
    {"perror", LIBRARY, "an error: the library never prints"},
};

/* Text that no file holds: folders of a machine, marks of unfinished work. In pieces, so that this file does not hold it either. */
static const struct banned_text {
    const char *text, *why;
} banned_texts[] = {
    {"/ro" "ot/", "a path of one machine"},
    {"/ho" "me/", "a path of one machine"},
    {"/wo" "rk/", "a path of one machine"},
    {"TO" "DO", "unfinished work"},
    {"FIX" "ME", "unfinished work"},
};

/* What src/ may include of the system, os/ excepted: the C17 library. */
static const char *const standard_headers[] = {
    "assert.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h", "threads.h", "time.h", NULL};

/* Words of the preprocessor that ask for a platform; they live in os/. */
static const char *const platform_words[] = {"__linux__", "__APPLE__", "__FreeBSD__", "_WIN32", "__unix__", "__ANDROID__", NULL};

static const char *const skipped[] = {".git", "build", "out", "third-party", "node_modules", "tidy.allow"};

/* ---------------------------------------------------------------- findings and exceptions */

struct allow {
    char rule[32], path[PATH_BYTES_MAX], word[64];
    bool used;
};

struct tidy {
    const char *root;
    struct allow allows[ALLOW_COUNT_MAX];
    unsigned allow_count;
    unsigned passed, failed;
};

struct source {
    const char *path; /* below the root */
    char *text;       /* NUL-terminated */
    char *code;       /* the same with comments and literals blanked */
    unsigned findings;
};

static bool starts_with(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }

static bool ends_with(const char *text, const char *suffix) {
    size_t text_bytes = strlen(text), suffix_bytes = strlen(suffix);
    return text_bytes >= suffix_bytes && !strcmp(text + text_bytes - suffix_bytes, suffix);
}

static bool is_one_of(const char *path, const char *const *suffixes) {
    for (; *suffixes; suffixes++)
        if (ends_with(path, *suffixes)) return true;
    return false;
}

static bool is_c(const char *path) { return is_one_of(path, (const char *const[]){".c", ".h", ".def", NULL}); }
static bool is_script(const char *path) { return starts_with(path, "scripts/") || starts_with(path, ".ci/") || ends_with(path, ".cmake"); }

static bool is_allowed(struct tidy *t, const char *rule, const char *path, const char *word) {
    for (unsigned i = 0; i < t->allow_count; i++) {
        struct allow *a = &t->allows[i];
        if (strcmp(a->rule, rule) || strcmp(a->path, path) || strcmp(a->word, word)) continue;
        return a->used = true;
    }
    return false;
}

/* One finding, unless the exceptions name it. `word` is what the exception's third column must say. */
__attribute__((format(printf, 6, 7))) static void find(struct tidy *t, struct source *s, unsigned line, const char *rule,
                                                       const char *word, const char *format, ...) {
    if (is_allowed(t, rule, s->path, word)) return;
    printf("%s:%u: %s: ", s->path, line, rule);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    s->findings++;
}

static void read_allows(struct tidy *t, char *text) {
    for (char *line = strtok(text, "\n"); line && t->allow_count < ALLOW_COUNT_MAX; line = strtok(NULL, "\n")) {
        struct allow *a = &t->allows[t->allow_count];
        char reason[2];
        if (line[0] != '#' && sscanf(line, "%31s %1023s %63s %1s", a->rule, a->path, a->word, reason) == 4) t->allow_count++;
    }
}

static void report_unused_allows(struct tidy *t) {
    for (unsigned i = 0; i < t->allow_count; i++) {
        const struct allow *a = &t->allows[i];
        if (a->used) continue;
        printf("tools/tidy.allow: not needed: %s %s %s\n", a->rule, a->path, a->word);
        t->failed++;
    }
}

/* ---------------------------------------------------------------- reading text */

static unsigned line_of(const char *text, const char *at) {
    unsigned line = 1;
    for (; text < at; text++) line += *text == '\n';
    return line;
}

static const char *next_line(const char *at) {
    const char *end = strchr(at, '\n');
    return end ? end + 1 : NULL;
}

/* Blanks from `at` up to `end`, keeping line ends; returns `end`. */
static char *blank(char *at, char *end) {
    for (; at < end; at++)
        if (*at != '\n') *at = ' ';
    return end;
}

static char *end_of_literal(char *at) {
    char quote = *at++;
    while (*at && *at != quote && *at != '\n') at += *at == '\\' && at[1] ? 2 : 1;
    return *at == quote ? at + 1 : at;
}

static char *end_of_comment(char *at) {
    char *end = at[1] == '*' ? strstr(at + 2, "*/") : strchr(at, '\n');
    return !end ? at + strlen(at) : at[1] == '*' ? end + 2 : end;
}

/* Blanks comments and literals in place. */
static void blank_words(char *code) {
    while (*code) {
        if (code[0] == '/' && (code[1] == '*' || code[1] == '/')) code = blank(code, end_of_comment(code));
        else if (*code == '"' || *code == '\'') code = blank(code, end_of_literal(code));
        else code++;
    }
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* ---------------------------------------------------------------- who includes whom */

static const struct place *place_of(const char *path) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (starts_with(path, places[i].folder)) return &places[i];
    return NULL;
}

/* Is `name`, as written in an include, in the folder that holds the file itself? */
static bool is_own_folder(const char *path, const char *name) {
    if (!strchr(name, '/')) return true;
    const char *below = strchr(path, '/') + 1; /* without src/ or lib/ */
    const char *end = strchr(below, '/');
    return end && !strncmp(below, name, (size_t)(end - below) + 1);
}

static bool may_include(const struct place *place, const char *path, const char *name) {
    if (is_own_folder(path, name)) return true;
    for (const char *const *prefix = place->sees; *prefix; prefix++)
        if (starts_with(name, *prefix)) return true;
    return false;
}

static bool is_standard(const char *name) {
    for (const char *const *header = standard_headers; *header; header++)
        if (!strcmp(name, *header)) return true;
    return starts_with(name, "mote/");
}

static void check_system_include(struct tidy *t, struct source *s, const char *line) {
    char name[128];
    if (!starts_with(s->path, "src/") || starts_with(s->path, "src/os/")) return;
    if (sscanf(line, " # include <%127[^>\n]>", name) != 1 || is_standard(name)) return;
    find(t, s, line_of(s->text, line), "system", name, "<%s> is not of the C library: only src/os/ asks the system", name);
}

static void check_includes(struct tidy *t, struct source *s) {
    const struct place *place = place_of(s->path);
    if (!place || !is_c(s->path)) return;
    for (const char *line = s->text; line && *line; line = next_line(line)) {
        char name[128];
        check_system_include(t, s, line);
        if (sscanf(line, " # include \"%127[^\"\n]\"", name) != 1) continue;
        if (!may_include(place, s->path, name)) find(t, s, line_of(s->text, line), "include", name, "%s may not see \"%s\"", place->folder, name);
    }
}

/* ---------------------------------------------------------------- banned calls and text */

static bool is_covered(const char *where, const char *path) {
    for (const char *folder = where; folder; folder = strchr(folder, ' ')) {
        folder += *folder == ' ';
        if (!strncmp(folder, path, strcspn(folder, " "))) return true;
    }
    return false;
}

/* A call or a definition of `name` begins at `at`: a whole word before a parenthesis, not a member. */
static bool is_call(const char *code, const char *at, const char *name) {
    const char *after = at + strlen(name);
    if (at > code && (is_word(at[-1]) || at[-1] == '.' || at[-1] == '>')) return false;
    return !is_word(*after) && after[strspn(after, " ")] == '(';
}

static void check_calls(struct tidy *t, struct source *s) {
    if (!is_c(s->path)) return;
    for (size_t i = 0; i < sizeof banned_calls / sizeof *banned_calls; i++) {
        const struct banned_call *b = &banned_calls[i];
        if (!is_covered(b->where, s->path)) continue;
        for (const char *at = s->code; (at = strstr(at, b->name)); at++)
            if (is_call(s->code, at, b->name)) find(t, s, line_of(s->code, at), "call", b->name, "%s is not called here; use %s", b->name, b->instead);
    }
}

static void check_platform(struct tidy *t, struct source *s) {
    if (!is_c(s->path) || !is_covered(OURS, s->path) || starts_with(s->path, "src/os/")) return;
    for (const char *const *word = platform_words; *word; word++)
        for (const char *at = s->code; (at = strstr(at, *word)); at++)
            find(t, s, line_of(s->code, at), "platform", *word, "%s is asked for in src/os/ only", *word);
}

static void check_text(struct tidy *t, struct source *s) {
    for (size_t i = 0; i < sizeof banned_texts / sizeof *banned_texts; i++) {
        const struct banned_text *b = &banned_texts[i];
        for (const char *at = s->text; (at = strstr(at, b->text)); at++)
            find(t, s, line_of(s->text, at), "text", b->text, "holds \"%s\": %s", b->text, b->why);
    }
}

/* ---------------------------------------------------------------- heads, docstrings, lengths */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The first line (of a script the first after the interpreter's) says "NAME - what it is". */
static void check_head(struct tidy *t, struct source *s) {
    char head[PATH_BYTES_MAX];
    if (!is_c(s->path) && !is_script(s->path)) return;
    const char *first = starts_with(s->text, "#!") ? next_line(s->text) : s->text;
    snprintf(head, sizeof head, is_c(s->path) ? "/* %s - " : "# %s - ", base_name(s->path));
    if (!first || !starts_with(first, head)) find(t, s, 1, "head", "-", "the file must begin with \"%s\"", head);
}

/* The name of the function that a line of a header declares, in `name`; false when it declares none. */
static bool declared_function(const char *line, char name[static 128]) {
    const char *open = strchr(line, '('), *begin = open, *end = strchr(line, '\n');
    if (!starts_with(line, "MOTE_API ") || !open || (end && open > end)) return false;
    while (begin > line && is_word(begin[-1])) begin--;
    snprintf(name, 128, "%.*s", (int)(open - begin), begin);
    return true;
}

/* A comment covers the declarations that follow it without an empty line between. */
static void check_docstrings(struct tidy *t, struct source *s) {
    bool is_documented = false;
    if (!starts_with(s->path, "include/mote/")) return;
    for (const char *line = s->text; line && *line; line = next_line(line)) {
        char name[128];
        if (starts_with(line, "/*")) is_documented = true;
        else if (*line == '\n') is_documented = false;
        else if (!is_documented && declared_function(line, name))
            find(t, s, line_of(s->text, line), "docstring", name, "%s has no comment above", name);
    }
}

static void check_length(struct tidy *t, struct source *s) {
    unsigned lines = line_of(s->text, s->text + strlen(s->text)) - 1;
    if (!is_c(s->path) && !is_script(s->path)) return;
    if (lines > LINE_COUNT_MAX) find(t, s, lines, "length", "-", "%u lines, the limit is %d", lines, LINE_COUNT_MAX);
}

/* ---------------------------------------------------------------- the tree */

/* Reads a whole file into fresh memory, NUL-terminated; NULL when it is not there or not text. */
static char *read_text(const char *root, const char *path) {
    char full[2 * PATH_BYTES_MAX];
    struct stat info;
    snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *file = fopen(full, "rb");
    if (!file) return NULL;
    char *text = fstat(fileno(file), &info) ? NULL : malloc((size_t)info.st_size + 1);
    size_t size = text ? fread(text, 1, (size_t)info.st_size, file) : 0;
    fclose(file);
    if (!text) return NULL;
    text[size] = 0;
    if (strlen(text) == size) return text;
    free(text);
    return NULL;
}

static void check_file(struct tidy *t, const char *path) {
    struct source s = {.path = path, .text = read_text(t->root, path)};
    if (!s.text) return;
    s.code = strdup(s.text);
    if (!s.code) exit(2);
    blank_words(s.code);
    check_head(t, &s);
    check_includes(t, &s);
    check_calls(t, &s);
    check_platform(t, &s);
    check_text(t, &s);
    check_docstrings(t, &s);
    check_length(t, &s);
    if (s.findings) t->failed++;
    else t->passed++;
    free(s.code);
    free(s.text);
}

static bool is_skipped(const char *name) {
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
        if (!strcmp(name, skipped[i])) return true;
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static void check_folder(struct tidy *t, const char *folder);

static void check_entry(struct tidy *t, const char *folder, const char *name) {
    char path[PATH_BYTES_MAX], full[2 * PATH_BYTES_MAX];
    struct stat info;
    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    snprintf(full, sizeof full, "%s/%s", t->root, path);
    if (is_skipped(name) || lstat(full, &info)) return;
    if (S_ISDIR(info.st_mode)) check_folder(t, path);
    else if (S_ISREG(info.st_mode)) check_file(t, path);
}

static void check_folder(struct tidy *t, const char *folder) {
    char full[2 * PATH_BYTES_MAX];
    struct dirent **entries;
    snprintf(full, sizeof full, "%s/%s", t->root, folder);
    int count = scandir(full, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        check_entry(t, folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

int main(int argc, char **argv) {
    static struct tidy tidy;
    if (argc != 2) return fprintf(stderr, "usage: tidy ROOT\n"), 2;
    tidy.root = argv[1];
    char *allows = read_text(tidy.root, "tools/tidy.allow");
    if (allows) read_allows(&tidy, allows);
    free(allows);
    check_folder(&tidy, "");
    report_unused_allows(&tidy);
    printf("%u passed, %u failed\n", tidy.passed, tidy.failed);
    return tidy.failed || !tidy.passed;
}
