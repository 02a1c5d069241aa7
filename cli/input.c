/* input.c - where modules come from: a mapped file, or standard input read to its end. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "os/os.h"
#include <errno.h>
#include <unistd.h>

static const mote_allocator *const allocator = &mote__allocator_libc;

/* Reads a descriptor to its end. Returns 0 or an error number. */
static int read_all(int fd, struct input *input) {
    VEC(uint8_t) bytes = {0};
    ssize_t got = 1;
    while (got > 0 || (got < 0 && errno == EINTR)) {
        if (!mote__vec_reserve(&bytes, allocator, 1 << 16)) break;
        got = read(fd, bytes.data + bytes.count, bytes.capacity - bytes.count);
        if (got > 0) bytes.count += (size_t)got;
    }
    int code = got > 0 ? ENOMEM : got < 0 ? errno : 0;
    if (code) mote__vec_deinit(&bytes, allocator);
    input->bytes = bytes.data;
    input->size = bytes.count;
    input->heap_bytes = bytes.capacity;
    return code;
}

/* A pipe or a device by its name, such as /dev/stdin or <(command). */
static int read_special(const char *path, struct input *input) {
    FILE *file = fopen(path, "rb");
    if (!file) return errno;
    int code = read_all(fileno(file), input);
    fclose(file);
    return code;
}

static int map_or_read(const char *path, struct input *input) {
    struct span span = {0};
    int code = mote__os_map_file(path, &span);
    if (code == ENODEV) return read_special(path, input);
    input->bytes = span.data;
    input->size = span.size;
    return code;
}

bool input_open(struct input *input, const char *path) {
    bool is_stdin = !strcmp(path, "-");
    *input = (struct input){.name = is_stdin ? "standard input" : path};
    int code = is_stdin ? read_all(STDIN_FILENO, input) : map_or_read(path, input);
    if (code) report_failure("%s: %s", input->name, mote__os_error_text(code));
    return !code;
}

void input_close(struct input *input) {
    if (input->heap_bytes) mote__free(allocator, (void *)(uintptr_t)input->bytes, input->heap_bytes);
    else mote__os_unmap((struct span){input->bytes, input->size});
    *input = (struct input){0};
}
