/* late.c - late FILE: writes the file, says so, waits for the end of its input and leaves it open. */
#include <stdio.h>

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (!file) return perror("late"), 9;
    fputs("text", file);
    fflush(file);
    puts("written");
    fflush(stdout);
    while (getchar() != EOF) continue;
    return 0;
}
