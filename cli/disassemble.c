/* disassemble.c - machine code in words: runs objdump (binutils) or llvm-objdump, whichever is on PATH, on an object file and reads what it prints. */
#define _GNU_SOURCE
#include "disassemble.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const tools[] = {"objdump", "llvm-objdump", "llvm-objdump-22", "llvm-objdump-21", "llvm-objdump-20", "llvm-objdump-19"};

/* ---- The object as a file. ---- */

static bool write_all(int fd, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t done = write(fd, bytes, size);
        if (done <= 0) return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

/* `path` is a template as for mkstemp. */
static bool write_object(char *path, const uint8_t *object, size_t size) {
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) return false;
    bool done = write_all(fd, object, size);
    close(fd);
    if (!done) unlink(path);
    return done;
}

/* ---- What the tool prints. ---- */

/* "   1003f:\tadd    eax,ecx": an instruction; headings and labels have no such form. */
static void read_line(struct disassembly *out, const mote_allocator *allocator, uint64_t base, const char *line) {
    char *end;
    uint64_t address = strtoull(line, &end, 16);
    if (end == line || *end != ':' || address < base) return;
    const char *text = end + 1 + strspn(end + 1, " \t");
    size_t size = strcspn(text, "\n");
    struct disassembly_line *added = size ? mote__vec_push(&out->lines, allocator) : NULL;
    if (!added) return;
    added->at = (uint32_t)(address - base);
    added->text_at = (uint32_t)out->text.count;
    if (!mote__vec_reserve(&out->text, allocator, size + 1)) {
        out->lines.count--;
        return;
    }
    for (size_t i = 0; i < size; i++) out->text.data[out->text.count++] = text[i] == '\t' ? ' ' : text[i];
    out->text.data[out->text.count++] = 0;
}

static void read_lines(struct disassembly *out, const mote_allocator *allocator, uint64_t base, int fd) {
    FILE *in = fdopen(fd, "r");
    char line[1024];
    bool is_new = true; /* the rest of a long line is none */
    if (!in) {
        close(fd);
        return;
    }
    for (; fgets(line, sizeof line, in); is_new = strchr(line, '\n'))
        if (is_new) read_line(out, allocator, base, line);
    fclose(in);
}

/* Starts a tool with its output in a pipe, whose other end is returned; -1 when there is no such tool. */
static int start(const char *tool, const char *path, pid_t *pid) {
    const char *const argv[] = {tool, "-d", "-w", "-z", "--no-show-raw-insn", "-M", "intel", path, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC)) return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(pid, tool, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!failed) return ends[0];
    close(ends[0]);
    return -1;
}

static bool run_tool(struct disassembly *out, const mote_allocator *allocator, const char *tool, const char *path, uint64_t base) {
    pid_t pid;
    int status = -1, fd = start(tool, path, &pid);
    if (fd < 0) return false;
    read_lines(out, allocator, base, fd);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && !WEXITSTATUS(status) && out->lines.count;
}

bool disassemble(struct disassembly *out, const mote_allocator *allocator, const uint8_t *object, size_t size, uint64_t base) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    bool done = false;
    snprintf(path, sizeof path, "%s/mote-XXXXXX", folder && *folder ? folder : "/tmp");
    *out = (struct disassembly){0};
    if (!write_object(path, object, size)) return false;
    for (size_t i = 0; i < sizeof tools / sizeof *tools && !done; i++) {
        out->lines.count = 0;
        done = run_tool(out, allocator, tools[i], path, base);
    }
    unlink(path);
    return done;
}

void disassembly_deinit(struct disassembly *d, const mote_allocator *allocator) {
    mote__vec_deinit(&d->lines, allocator);
    mote__vec_deinit(&d->text, allocator);
}
