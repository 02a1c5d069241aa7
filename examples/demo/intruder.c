/* intruder.c - a program that misbehaves, for the second half of scripts/demo. "look" tries to reach what it was not given and exits 0 if all of it was
 * refused; "loop" never ends; "eat" allocates without end; "crash" writes where nothing is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Prints the outcome of one attempt; returns whether it succeeded, which it must not. */
static int attempt(const char *what, const char *path, int flags) {
    int fd = open(path, flags, 0666);
    printf("  %-44s %s\n", what, fd < 0 ? strerror(errno) : "SUCCEEDED");
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static int look(void) {
    int reached = 0;
    extern char **environ;
    reached += attempt("open /etc/passwd", "/etc/passwd", O_RDONLY);
    reached += attempt("open /texts/../../etc/passwd", "/texts/../../etc/passwd", O_RDONLY);
    reached += attempt("open /desk/door (a link to /etc) + /passwd", "/desk/door/passwd", O_RDONLY);
    reached += attempt("create /texts/planted (given read-only)", "/texts/planted", O_WRONLY | O_CREAT);
    printf("  %-44s %s\n", "read the environment", environ && *environ ? "SUCCEEDED" : "empty");
    reached += environ && *environ;
    return reached != 0;
}

static int loop(void) {
    for (volatile unsigned long turns = 0;; turns++) {}
}

static int eat(void) {
    static char *volatile last; /* volatile: an allocation that nobody looks at would be optimised away */
    size_t pieces = 0;
    while ((last = malloc(1 << 20))) memset(last, 1, 1 << 20), pieces++;
    printf("  malloc refused after %zu MiB\n", pieces);
    return 0;
}

static int crash(void) {
    *(volatile int *)0x7ffffff0 = 1;
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "look";
    if (!strcmp(what, "loop")) return loop();
    if (!strcmp(what, "eat")) return eat();
    if (!strcmp(what, "crash")) return crash();
    return look();
}
