/* input.c - where modules come from: a file or standard input, read to its end. Files are not mapped: a module that is rewritten or cut short while it
 * runs, as by a compiler that is started again, must not change under mote's hands. The copy of 24 MB costs 8 ms with large pages, 20 without; validating
 * them takes 65. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "os/os.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file's bytes are whole pages from the system: libc would touch three more for its own books, in a short run the only ones. Hostile builds want to see
 * who reads beyond them. */
#ifdef MOTE_HOSTILE
static const mote_allocator *const file_allocator = &mote__allocator_libc;
#else
static size_t whole_pages(size_t bytes) {
    size_t mask = mote__os_page_bytes() - 1;
    return (bytes + mask) & ~mask;
}

static void *resize_pages(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes) {
    (void)ctx;
    uint8_t *old = ptr, *new = new_bytes ? mote__os_map(whole_pages(new_bytes)) : NULL;
    if (new && old) memcpy(new, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    if (old && (new || !new_bytes)) mote__os_release(old, whole_pages(old_bytes));
    return new;
}
static const mote_allocator pages = {resize_pages, NULL};
static const mote_allocator *const file_allocator = &pages;
#endif

enum { READ_BYTES = 1 << 16 }; /* room kept for each read; of what is not filled no page is touched */
enum { LARGE_BYTES = 1 << 22 }; /* from here on large pages save more than they cost */
enum { INPUT_BYTES_MAX = 1 << 30 }; /* of a module, as in browsers */

/* The size of a regular file, so that its bytes find room at once; 0 for all else. */
static size_t expected_bytes(int fd) {
    struct stat status;
    if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size > INPUT_BYTES_MAX) return 0;
    return (size_t)status.st_size;
}

/* Whether a module can begin like this: with the magic number, or as text. What cannot need not be read to its end, which may be far. */
static bool may_be_module(const uint8_t *bytes, size_t count) {
    static const uint8_t magic[] = {0, 'a', 's', 'm'};
    size_t i = 0;
    if (!memcmp(bytes, magic, count < sizeof magic ? count : sizeof magic)) return true;
    while (i < count && memchr(" \t\r\n", bytes[i], 4)) i++;
    return i == count || bytes[i] == '(' || bytes[i] == ';';
}

/* Reads a descriptor to its end; for modules no further than where it is clear that it is none. Returns 0 or an error number. */
static int read_all(int fd, bool is_module, struct input *input) {
    VEC(uint8_t) bytes = {0};
    ssize_t got = 1;
    size_t expected = expected_bytes(fd), room = expected + READ_BYTES;
    const mote_allocator *allocator = input->allocator = expected ? file_allocator : &mote__allocator_libc;
    bool hopeless = false;
    while (!hopeless && bytes.count <= INPUT_BYTES_MAX && (got > 0 || (got < 0 && errno == EINTR))) {
        if (!mote__vec_reserve(&bytes, allocator, room)) break;
        if (!bytes.count && room >= LARGE_BYTES) mote__os_prefer_large_pages(bytes.data, bytes.capacity);
        bool first = bytes.count < READ_BYTES;
        got = read(fd, bytes.data + bytes.count, bytes.capacity - bytes.count);
        if (got > 0) bytes.count += (size_t)got;
        hopeless = is_module && first && !may_be_module(bytes.data, bytes.count);
        room = READ_BYTES;
    }
    int code = bytes.count > INPUT_BYTES_MAX ? EFBIG : hopeless ? 0 : got > 0 ? ENOMEM : got < 0 ? errno : 0;
    if (code) mote__vec_deinit(&bytes, allocator);
    input->bytes = bytes.data;
    input->size = bytes.count;
    input->heap_bytes = bytes.capacity;
    return code;
}

static int read_file(const char *path, bool is_module, struct input *input) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int code = read_all(fd, is_module, input);
    close(fd);
    return code;
}

static bool open_input(struct input *input, const char *path, bool is_module) {
    bool is_stdin = !strcmp(path, "-");
    *input = (struct input){.name = is_stdin ? "standard input" : path};
    int code = is_stdin ? read_all(STDIN_FILENO, is_module, input) : read_file(path, is_module, input);
    if (code) report_failure("%s: %s", input->name, mote__os_error_text(code));
    return !code;
}

bool input_open(struct input *input, const char *path) { return open_input(input, path, false); }
bool input_open_module(struct input *input, const char *path) { return open_input(input, path, true); }

void input_close(struct input *input) {
    if (input->bytes) mote__free(input->allocator, (void *)(uintptr_t)input->bytes, input->heap_bytes);
    *input = (struct input){0};
}
