/* tally.c - a log and CSV tool that knows files only: tally DIR reads "customer,amount" lines from
 * standard input, appends them to DIR/log.csv, keeps DIR/totals/CUSTOMER and prints all totals in
 * the order of the names. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 100 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

static FILE *must_open(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (!file) die(path);
    return file;
}

static void must_close(FILE *file, const char *path) {
    if (fclose(file)) die(path);
}

static void append(const char *dir, const char *line) {
    char path[300];
    snprintf(path, sizeof path, "%s/log.csv", dir);
    FILE *log = must_open(path, "a");
    fputs(line, log);
    must_close(log, path);
}

static long total(const char *path) {
    long sum = 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%ld", &sum) != 1) die(path);
    fclose(file);
    return sum;
}

/* Written beside, then renamed: who reads never sees half of it. */
static void add(const char *dir, const char *name, long amount) {
    char path[300], fresh[320];
    snprintf(path, sizeof path, "%s/totals/%s", dir, name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    long sum = total(path) + amount;
    FILE *file = must_open(fresh, "w");
    fprintf(file, "%ld\n", sum);
    must_close(file, fresh);
    if (rename(fresh, path)) die(path);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void report(const char *dir) {
    static char names[NAMES_MAX][64];
    char path[300];
    int count = 0;
    snprintf(path, sizeof path, "%s/totals", dir);
    DIR *list = opendir(path);
    if (!list) die(path);
    for (const struct dirent *e; (e = readdir(list)) && count < NAMES_MAX;)
        if (e->d_name[0] != '.') snprintf(names[count++], sizeof names[0], "%s", e->d_name);
    closedir(list);
    qsort(names, (size_t)count, sizeof names[0], by_text);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/totals/%s", dir, names[i]);
        printf("%s %ld\n", names[i], total(path));
    }
}

static int count_lines(const char *dir) {
    char path[300];
    int lines = 0, c;
    snprintf(path, sizeof path, "%s/log.csv", dir);
    FILE *log = must_open(path, "r");
    while ((c = getc(log)) != EOF) lines += c == '\n';
    fclose(log);
    return lines;
}

int main(int argc, char **argv) {
    char line[200], name[64];
    long amount;
    if (argc < 2) return 2;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%63[^,],%ld", name, &amount) != 2) continue;
        append(argv[1], line);
        add(argv[1], name, amount);
    }
    report(argv[1]);
    printf("%d lines\n", count_lines(argv[1]));
    return 0;
}
