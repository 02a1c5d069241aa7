/* libc.c - the same functions as a C program meets them, through wasi-libc. */
#include "wasi_test.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

TEST(stdio) {
    FILE *file = fopen("/notes", "w+");
    if (!CHECK(file != NULL)) return;
    for (int i = 0; i < 1000; i++) fprintf(file, "line %d\n", i);
    CHECK(!fseek(file, 0, SEEK_SET));
    int lines = 0, last = -1;
    while (fscanf(file, "line %d\n", &last) == 1) lines++;
    CHECK(lines == 1000 && last == 999);
    CHECK(feof(file) && !ferror(file));
    CHECK(!fclose(file));
}

TEST(errno_values) {
    CHECK(open("/missing", O_RDONLY) < 0 && errno == ENOENT);
    CHECK(mkdir("/d", 0777) == 0);
    CHECK(mkdir("/d", 0777) < 0 && errno == EEXIST);
    CHECK(open("/d", O_WRONLY) < 0 && errno == EISDIR);
    CHECK(rmdir("/notes") < 0 && errno == ENOTDIR);
    CHECK(open("/notes/x", O_RDONLY) < 0 && errno == ENOTDIR);
    CHECK(lseek(99, 0, SEEK_SET) < 0 && errno == EBADF);
    CHECK(rmdir("/d") == 0);
}

TEST(streams_and_seeking) {
    int fd = open("/seek", O_CREAT | O_RDWR | O_EXCL, 0666);
    char text[8] = {0};
    CHECK(fd > ROOT);
    CHECK(write(fd, "abcdef", 6) == 6);
    CHECK(pread(fd, text, 3, 2) == 3 && !strcmp(text, "cde"));
    CHECK(pwrite(fd, "X", 1, 0) == 1);
    CHECK(lseek(fd, 0, SEEK_CUR) == 6);
    CHECK(ftruncate(fd, 2) == 0);
    CHECK(lseek(fd, 0, SEEK_END) == 2);
    CHECK(fsync(fd) == 0);
    CHECK(close(fd) == 0);
}

TEST(stat_and_times) {
    struct stat info;
    struct timespec times[2] = {{1234, 0}, {5678, 0}};
    CHECK(stat("/seek", &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 2);
    CHECK(utimensat(AT_FDCWD, "/seek", times, 0) == 0);
    CHECK(stat("/seek", &info) == 0 && info.st_atim.tv_sec == 1234 && info.st_mtim.tv_sec == 5678);
    CHECK(lstat("/escape", &info) == 0 && S_ISLNK(info.st_mode));
    CHECK(access("/seek", F_OK) == 0 && access("/none", F_OK) < 0);
}

TEST(links_and_renames) {
    char target[16] = {0};
    CHECK(symlink("seek", "/soft") == 0);
    CHECK(readlink("/soft", target, sizeof target) == 4 && !strcmp(target, "seek"));
    CHECK(link("/seek", "/hard") == 0);
    CHECK(rename("/hard", "/renamed") == 0);
    CHECK(unlink("/renamed") == 0 && unlink("/soft") == 0 && unlink("/seek") == 0);
}

TEST(outside) {
    CHECK(open("/../outside/secret", O_RDONLY) < 0 && (errno == EPERM || errno == ENOTCAPABLE));
    CHECK(open("/escape/secret", O_RDONLY) < 0 && (errno == EPERM || errno == ENOTCAPABLE));
}

TEST(sleeping) {
    struct timespec before, after, pause = {0, 20000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK(nanosleep(&pause, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 20000000);
    CHECK(time(NULL) > 1600000000);
}

TEST(terminals) {
    CHECK(!isatty(0)); /* the runner's pipe */
    CHECK(isatty(99) == 0 && errno == EBADF);
}

TEST(random) {
    unsigned char a[16], b[16];
    CHECK(getentropy(a, sizeof a) == 0 && getentropy(b, sizeof b) == 0);
    CHECK(memcmp(a, b, sizeof a) != 0);
}
