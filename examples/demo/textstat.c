/* textstat.c - word statistics of every file in the folders named: files, lines, words, the most frequent and the longest words.
 * Plain C with nothing of WebAssembly in it: scripts/demo builds it with Debian's clang and wasi-libc and runs it under mote. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 1 << 16, WORD_MAX = 63, TOP = 8 };

struct word {
    char *text;
    unsigned count;
};

static struct {
    struct word words[SLOTS]; /* open addressing; a slot without text is free */
    unsigned files, distinct;
    unsigned long lines, total, bytes;
    char longest[WORD_MAX + 1];
} stats;

static unsigned hash(const char *text) {
    unsigned h = 2166136261u;
    while (*text) h = (h ^ (unsigned char)*text++) * 16777619u;
    return h;
}

static void count_word(const char *text) {
    stats.total++;
    if (strlen(text) > strlen(stats.longest)) strcpy(stats.longest, text);
    unsigned at = hash(text) % SLOTS;
    while (stats.words[at].text && strcmp(stats.words[at].text, text)) at = (at + 1) % SLOTS;
    if (!stats.words[at].text) {
        if (stats.distinct == SLOTS / 2) return;
        stats.words[at].text = strdup(text);
        stats.distinct++;
    }
    stats.words[at].count++;
}

static void count_file(FILE *in) {
    char word[WORD_MAX + 1];
    size_t length = 0;
    for (int c; (c = getc(in)) != EOF;) {
        stats.bytes++;
        stats.lines += c == '\n';
        if (isalpha(c) && length < WORD_MAX) {
            word[length++] = (char)tolower(c);
        } else if (!isalpha(c) && length) {
            word[length] = 0;
            count_word(word);
            length = 0;
        }
    }
    word[length] = 0;
    if (length) count_word(word);
    stats.files++;
}

static int count_folder(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) {
        fprintf(stderr, "textstat: %s: %s\n", folder, strerror(errno));
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[1024];
        if (entry->d_type != DT_REG) continue; /* links such as GPL -> GPL-3 would count twice */
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *in = fopen(path, "r");
        if (!in) continue;
        count_file(in);
        fclose(in);
    }
    closedir(dir);
    return 1;
}

static int more_frequent(const void *a, const void *b) {
    const struct word *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->text && y->text ? strcmp(x->text, y->text) : 0;
}

static void report(void) {
    printf("%u files, %lu lines, %lu bytes\n", stats.files, stats.lines, stats.bytes);
    printf("%lu words, %u of them different; the longest is \"%s\"\n", stats.total, stats.distinct, stats.longest);
    qsort(stats.words, SLOTS, sizeof *stats.words, more_frequent);
    for (int i = 0; i < TOP && stats.words[i].text; i++)
        printf("%8u  %s\n", stats.words[i].count, stats.words[i].text);
}

int main(int argc, char **argv) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 1; i < argc; i++)
        if (!count_folder(argv[i])) return 1;
    report();
    clock_gettime(CLOCK_MONOTONIC, &after);
    double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6;
    printf("counted in %.1f ms\n", ms);
    return stats.files == 0;
}
