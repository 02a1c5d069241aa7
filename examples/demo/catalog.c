/* catalog.c - a plain C program for the demonstration: counts the words of every file of a folder
 * and writes what it finds as small JSON files, and a total that it reads again at the next run. It
 * knows files and nothing else: no store, no network, no word of mote. Usage: catalog TEXTS NOTES
 * [fail]; with `fail` it ends in the middle of things. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counts {
    unsigned long files, words, bytes;
};

static int complain(const char *what, const char *path) {
    fprintf(stderr, "catalog: %s: ", what);
    perror(path);
    return 1;
}

static int count_file(const char *path, struct counts *out) {
    FILE *file = fopen(path, "r");
    int c, inside = 0;
    if (!file) return complain("reading", path);
    while ((c = getc(file)) != EOF) {
        out->bytes++;
        if (isalnum(c) && !inside) out->words++;
        inside = isalnum(c);
    }
    fclose(file);
    out->files = 1;
    return 0;
}

/* What close says counts: only then is the file kept. */
static int write_note(const char *path, const struct counts *counts, const char *name,
                      int ends_here) {
    FILE *file = fopen(path, "w");
    if (!file) return complain("writing", path);
    fprintf(file, "{\"name\": \"%s\", \"files\": %lu, \"words\": %lu, \"bytes\": %lu}", name,
            counts->files, counts->words, counts->bytes);
    fflush(file);
    if (ends_here) abort();
    return fclose(file) ? complain("keeping", path) : 0;
}

static unsigned long read_runs(const char *path) {
    unsigned long runs = 0;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "{\"runs\": %lu", &runs) != 1) runs = 0;
    fclose(file);
    return runs;
}

/* Read, change, write the same file: if somebody else changed it meanwhile, closing says so. */
static int add_run(const char *path, const struct counts *total) {
    unsigned long runs = read_runs(path) + 1;
    FILE *file = fopen(path, runs > 1 ? "r+" : "w");
    if (!file) return complain("writing", path);
    fprintf(file, "{\"runs\": %lu, \"files\": %lu, \"words\": %lu, \"bytes\": %lu}\n", runs,
            total->files, total->words, total->bytes);
    if (fclose(file)) return complain("keeping", path);
    printf("run %lu: %lu files, %lu words, %lu bytes\n", runs, total->files, total->words,
           total->bytes);
    return 0;
}

static int catalog(const char *texts, const char *notes, int fails) {
    char from[512], to[512];
    struct counts total = {0, 0, 0};
    struct dirent *entry;
    DIR *dir = opendir(texts);
    if (!dir) return complain("opening", texts);
    while ((entry = readdir(dir))) {
        struct counts counts = {0, 0, 0};
        snprintf(from, sizeof from, "%s/%s", texts, entry->d_name);
        snprintf(to, sizeof to, "%s/texts/%s.json", notes, entry->d_name);
        if (entry->d_type != DT_REG) continue;
        if (count_file(from, &counts) || write_note(to, &counts, entry->d_name, fails)) return 1;
        total.files++, total.words += counts.words, total.bytes += counts.bytes;
    }
    closedir(dir);
    snprintf(to, sizeof to, "%s/total.json", notes);
    return add_run(to, &total);
}

int main(int argc, char **argv) {
    if (argc < 3) return fprintf(stderr, "catalog TEXTS NOTES [fail]\n"), 2;
    return catalog(argv[1], argv[2], argc > 3);
}
