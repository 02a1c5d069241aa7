/* tour.c - the tour in C, on wasi-libc: arguments, environment, files, folders, clocks, random numbers, standard input. Every language's tour prints the
 * same (tour.expected). With "fail" as its argument it ends by abort(). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void arguments(int argc, char **argv) {
    printf("arguments: %d\n", argc - 1);
    for (int i = 1; i < argc; i++) printf("  %s\n", argv[i]);
}

static void environment(void) {
    printf("GREETING=%s\n", getenv("GREETING"));
    printf("MISSING is %s\n", getenv("MISSING") ? "set" : "not set");
}

static void read_file(void) {
    unsigned lines = 0, bytes = 0, sum = 0;
    FILE *in = fopen("/texts/limerick.txt", "r");
    for (int c; in && (c = getc(in)) != EOF; bytes++, sum += (unsigned)c) lines += c == '\n';
    if (in) fclose(in);
    printf("limerick.txt: %u lines, %u bytes, sum %u\n", lines, bytes, sum);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list_folder(void) {
    struct dirent **names;
    int count = scandir("/texts", &names, NULL, by_name);
    printf("texts:");
    for (int i = 0; i < count; i++)
        if (names[i]->d_name[0] != '.') printf(" %s%s", names[i]->d_name, names[i]->d_type == DT_DIR ? "/" : "");
    printf("\n");
}

static void write_file(void) {
    FILE *file = fopen("/scratch/notes.txt", "w+");
    if (!file) return;
    for (int i = 0; i < 1000; i++) fprintf(file, "line %06d\n", i);
    rewind(file);
    unsigned bytes = 0;
    while (getc(file) != EOF) bytes++;
    fclose(file);
    remove("/scratch/notes.txt");
    printf("notes.txt: wrote and read back %u bytes\n", bytes);
    printf("missing.txt: %s\n", !fopen("/scratch/missing.txt", "r") && errno == ENOENT ? "not found" : "strange");
}

static void clocks(void) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    usleep(2000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long long passed = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    printf("clocks: %s\n", passed >= 2000000 && time(NULL) > 1600000000 ? "ok" : "wrong");
}

static void random_numbers(void) {
    unsigned char a[16], b[16];
    int good = !getentropy(a, sizeof a) && !getentropy(b, sizeof b) && memcmp(a, b, sizeof a);
    printf("random: %s\n", good ? "ok" : "wrong");
}

static void input(void) {
    char line[100] = "";
    if (fgets(line, sizeof line, stdin)) printf("input: %s", line);
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "fail")) {
        fprintf(stderr, "about to abort\n");
        abort();
    }
    arguments(argc, argv);
    environment();
    read_file();
    list_folder();
    write_file();
    clocks();
    random_numbers();
    input();
}
