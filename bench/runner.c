/* runner.c - runs the rows of a list natively and under any number of runtimes, interleaved, and prints ratios of processor time. bench/run builds the rows,
 * writes the list and calls it.
 * A list has one row a line: NAME GROUP CHECK NATIVE WASM ARGUMENT... ; CHECK is "same" where the runtime must print what the native program printed,
 * "any" where it prints times. Times are user + system time of the child (wait4), so a compiler on other threads counts; medians of --runs runs. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 64, ROWS_MAX = 200, RUNTIMES_MAX = 12, RUNS_MAX = 25, ONLY_MAX = 16, OUTPUT_MAX = 1 << 16 };

/* Words that point into one string of their own. */
struct words {
    char *at[WORDS_MAX + 1];
    unsigned count;
};

struct row {
    const char *name, *group;
    bool same;
    char *native, *wasm;
    struct words arguments;
};

struct runtime {
    const char *name;
    struct words command; /* "{wasm}" and "{args}" are replaced; the first runtime is native and has none */
};

struct cell {
    double seconds[RUNS_MAX];
    unsigned runs;
    bool failed;
};

static struct {
    struct row rows[ROWS_MAX];
    struct runtime runtimes[RUNTIMES_MAX];
    struct cell cells[ROWS_MAX][RUNTIMES_MAX];
    const char *only[ONLY_MAX];
    unsigned row_count, runtime_count, only_count, runs, limit_seconds;
    bool quiet;
} bench = {.runtimes = {{.name = "native"}}, .runtime_count = 1, .runs = 3, .limit_seconds = 300};

struct outcome {
    double seconds;
    int status;
    size_t size;
    char text[OUTPUT_MAX];
};

static void usage(FILE *out, int code) {
    fputs("usage: bench/run [--vs NAME=COMMAND]... [--peers] [--runs N] [--only WORD]... [--limit SECONDS] [--quiet] [--list] [--build]\n"
          "  --vs NAME=COMMAND  a runtime to measure; {wasm} and {args} stand for the module and its arguments (both are appended if not named)\n"
          "  --peers            the built mote and every runtime in out/peers\n"
          "  --runs N           runs of each row, the median counts (3)\n"
          "  --only WORD        rows of this group (scalar, simd, gc, program, sodium) or whose name contains WORD; may be repeated\n"
          "  --limit SECONDS    a run that takes longer is ended and counts as failed (300)\n"
          "  --quiet            no progress on standard error\n"
          "  --list             names the rows and stops\n"
          "  --build            builds and stops\n"
          "Without --vs: the built mote. Figures are processor time in relation to native code; geometric means by group.\n"
          "  bench/run --vs 'mote=build/release/mote run {wasm} {args}' --vs 'node=out/peers/node {wasm} {args}' --only scalar\n",
          out);
    exit(code);
}

static void die(const char *what, const char *detail) {
    fprintf(stderr, "bench: %s %s\n", what, detail);
    exit(2);
}

static struct words split(char *text) {
    struct words words = {.count = 0};
    for (char *word = strtok(text, " \t\n"); word; word = strtok(NULL, " \t\n")) {
        if (words.count == WORDS_MAX) die("too many words after", words.at[0]);
        words.at[words.count++] = word;
    }
    return words;
}

/* ---- options and the list ---- */

static void runtime_add(char *text) {
    char *equals = strchr(text, '=');
    if (!equals || bench.runtime_count == RUNTIMES_MAX) die("cannot take", text);
    *equals = 0;
    bench.runtimes[bench.runtime_count++] = (struct runtime){text, split(equals + 1)};
}

static unsigned number(const char *text, unsigned max) {
    unsigned long value = strtoul(text, NULL, 10);
    if (value < 1 || value > max) die("not a usable number:", text);
    return (unsigned)value;
}

/* Reads the options; returns the name of the list. */
static const char *options_read(int argc, char **argv) {
    int at = 1;
    for (; at < argc - 1; at++) {
        char *option = argv[at], *value = argv[at + 1];
        if (!strcmp(option, "--quiet")) {
            bench.quiet = true;
            continue;
        }
        if (!strcmp(option, "--vs")) runtime_add(value);
        else if (!strcmp(option, "--runs")) bench.runs = number(value, RUNS_MAX);
        else if (!strcmp(option, "--limit")) bench.limit_seconds = number(value, 100000);
        else if (!strcmp(option, "--only") && bench.only_count < ONLY_MAX) bench.only[bench.only_count++] = value;
        else usage(stderr, 2);
        at++;
    }
    if (at != argc - 1 || !strcmp(argv[at], "--help")) usage(at == argc - 1 ? stdout : stderr, at == argc - 1 ? 0 : 2);
    return argv[at];
}

static bool is_group(const char *word) {
    static const char *const groups[] = {"scalar", "simd", "gc", "program", "sodium"};
    for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(word, groups[i])) return true;
    return false;
}

static bool wanted(const struct row *row) {
    for (unsigned i = 0; i < bench.only_count; i++) {
        const char *word = bench.only[i];
        if (is_group(word) ? !strcmp(row->group, word) : strstr(row->name, word) != NULL) return true;
    }
    return !bench.only_count;
}

static void row_add(char *line) {
    struct words words = split(line);
    if (!words.count || words.at[0][0] == '#') return;
    if (words.count < 5 || bench.row_count == ROWS_MAX) die("bad row", words.at[0]);
    struct row row = {words.at[0], words.at[1], !strcmp(words.at[2], "same"), words.at[3], words.at[4], {.count = words.count - 5}};
    memcpy(row.arguments.at, words.at + 5, row.arguments.count * sizeof *words.at);
    if (wanted(&row)) bench.rows[bench.row_count++] = row;
}

static void list_read(const char *path) {
    char line[4096];
    FILE *in = fopen(path, "r");
    if (!in) die("cannot open", path);
    while (fgets(line, sizeof line, in)) row_add(strdup(line));
    fclose(in);
    if (!bench.row_count) die("no row matches; see", "bench/run --list");
}

/* ---- running ---- */

static void append(struct words *to, char *word) {
    if (to->count == WORDS_MAX) die("command too long at", word);
    to->at[to->count++] = word;
    to->at[to->count] = NULL;
}

static void append_all(struct words *to, const struct words *from) {
    for (unsigned i = 0; i < from->count; i++) append(to, from->at[i]);
}

static struct words command_for(const struct row *row, const struct runtime *runtime) {
    struct words command = {.count = 0};
    bool has_wasm = false, has_arguments = false;
    for (unsigned i = 0; i < runtime->command.count; i++) {
        char *word = runtime->command.at[i];
        if (!strcmp(word, "{wasm}")) append(&command, row->wasm), has_wasm = true;
        else if (!strcmp(word, "{args}")) append_all(&command, &row->arguments), has_arguments = true;
        else append(&command, word);
    }
    if (!has_wasm) append(&command, runtime->command.count ? row->wasm : row->native);
    if (!has_arguments) append_all(&command, &row->arguments);
    return command;
}

/* In the child: the program with its output in `out` and an end to its time. */
static void become(const struct words *command, int out) {
    struct rlimit limit = {bench.limit_seconds, bench.limit_seconds + 1};
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(out, 1);
    dup2(null, 2);
    setrlimit(RLIMIT_CPU, &limit);
    execvp(command->at[0], command->at);
    _exit(127);
}

static double seconds_of(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

static void run(const struct words *command, struct outcome *outcome) {
    int ends[2];
    if (pipe(ends)) die("pipe:", strerror(errno));
    pid_t child = fork();
    if (child < 0) die("fork:", strerror(errno));
    if (!child) {
        close(ends[0]);
        become(command, ends[1]);
    }
    close(ends[1]);
    outcome->size = 0;
    char rest[4096];
    for (;;) {
        bool room = outcome->size < OUTPUT_MAX;
        ssize_t got = room ? read(ends[0], outcome->text + outcome->size, OUTPUT_MAX - outcome->size) : read(ends[0], rest, sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (room) outcome->size += (size_t)got;
    }
    close(ends[0]);
    struct rusage used;
    while (wait4(child, &outcome->status, 0, &used) < 0 && errno == EINTR) {}
    outcome->seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

static bool is_right(const struct row *row, const struct outcome *got, const struct outcome *native) {
    if (!WIFEXITED(got->status) || WEXITSTATUS(got->status)) return false;
    return !row->same || (got->size == native->size && !memcmp(got->text, native->text, got->size));
}

static void progress(const struct row *row, const struct runtime *runtime, unsigned round, const struct outcome *outcome, bool right) {
    if (bench.quiet) return;
    fprintf(stderr, "round %u of %u  %-20s %-16s %8.3f s%s\n", round + 1, bench.runs, row->name, runtime->name, outcome->seconds,
            right ? "" : "  FAILED");
}

/* Ctrl-C: no further runs, and the results so far. */
static volatile sig_atomic_t stopped;
static void on_stop(int signal) { stopped = signal; }

/* One round of one row: native, then every runtime that has not failed it. */
static void round_run(unsigned r, unsigned round) {
    static struct outcome native, other;
    const struct row *row = &bench.rows[r];
    for (unsigned t = 0; t < bench.runtime_count; t++) {
        struct cell *cell = &bench.cells[r][t];
        struct outcome *outcome = t ? &other : &native;
        if (cell->failed) continue;
        struct words command = command_for(row, &bench.runtimes[t]);
        run(&command, outcome);
        if (stopped) return;
        cell->failed = !is_right(row, outcome, &native);
        cell->seconds[cell->runs++] = outcome->seconds;
        progress(row, &bench.runtimes[t], round, outcome, !cell->failed);
    }
}

/* ---- results ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median in seconds, or NAN when a run failed. */
static double median(struct cell *cell) {
    if (cell->failed || !cell->runs) return NAN;
    qsort(cell->seconds, cell->runs, sizeof *cell->seconds, by_value);
    unsigned half = cell->runs / 2;
    return cell->runs % 2 ? cell->seconds[half] : (cell->seconds[half - 1] + cell->seconds[half]) / 2;
}

static double ratio(unsigned row, unsigned runtime) { return median(&bench.cells[row][runtime]) / median(&bench.cells[row][0]); }

static void print_row(unsigned r) {
    printf("%-20s %-9s %9.3f s", bench.rows[r].name, bench.rows[r].group, median(&bench.cells[r][0]));
    for (unsigned t = 1; t < bench.runtime_count; t++) {
        double value = ratio(r, t);
        if (isnan(value)) printf(" %16s", "failed");
        else printf(" %15.2fx", value);
    }
    putchar('\n');
}

static void print_mean(const char *group) {
    printf("%-20s %-9s %11s", "geometric mean", group, "");
    for (unsigned t = 1; t < bench.runtime_count; t++) {
        double logs = 0;
        unsigned count = 0;
        for (unsigned r = 0; r < bench.row_count; r++) {
            double value = ratio(r, t);
            if (strcmp(bench.rows[r].group, group) || isnan(value)) continue;
            logs += log(value);
            count++;
        }
        if (count) printf(" %10.2fx (%2u)", exp(logs / count), count);
        else printf(" %16s", "-");
    }
    putchar('\n');
}

static bool is_first_of_group(unsigned r) {
    for (unsigned i = 0; i < r; i++)
        if (!strcmp(bench.rows[i].group, bench.rows[r].group)) return false;
    return true;
}

static void print_results(void) {
    printf("%-20s %-9s %11s", "row", "group", "native");
    for (unsigned t = 1; t < bench.runtime_count; t++) printf(" %16s", bench.runtimes[t].name);
    putchar('\n');
    for (unsigned r = 0; r < bench.row_count; r++) print_row(r);
    for (unsigned r = 0; r < bench.row_count; r++)
        if (is_first_of_group(r)) print_mean(bench.rows[r].group);
    printf("processor time against native code, median of %u runs; the number of rows in a mean stands behind it\n", bench.runs);
}

static bool any_failed(void) {
    for (unsigned r = 0; r < bench.row_count; r++)
        for (unsigned t = 0; t < bench.runtime_count; t++)
            if (bench.cells[r][t].failed) return true;
    return false;
}

int main(int argc, char **argv) {
    list_read(options_read(argc, argv));
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, on_stop);
    signal(SIGTERM, on_stop);
    for (unsigned round = 0; round < bench.runs; round++)
        for (unsigned r = 0; r < bench.row_count && !stopped; r++) round_run(r, round);
    print_results();
    return any_failed();
}
