/* error.c - text into a mote_error, which never allocates.
 * Keeps: message is NUL-terminated, at most MOTE_ERROR_TEXT_MAX bytes, and no character of it is
 * cut in two. */
#include "base/error.h"
#include "base/utf8.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
    [MOTE_OK] = "ok",
    [MOTE_E_MALFORMED] = "malformed module",
    [MOTE_E_INVALID] = "invalid module",
    [MOTE_E_UNSUPPORTED] = "unsupported",
    [MOTE_E_LIMIT] = "limit exceeded",
    [MOTE_E_NOMEM] = "out of memory",
    [MOTE_E_LINK] = "link error",
    [MOTE_E_TRAP] = "trap",
    [MOTE_E_EXCEPTION] = "uncaught exception",
    [MOTE_E_EXIT] = "exit",
    [MOTE_E_ARGUMENT] = "bad argument",
    [MOTE_E_NOT_FOUND] = "not found",
    [MOTE_E_IO] = "input/output error",
};
static_assert(sizeof status_names / sizeof *status_names == MOTE_STATUS_COUNT,
              "a name for each status");

const char *mote_status_name(mote_status status) {
    return (unsigned)status < MOTE_STATUS_COUNT ? status_names[status] : "unknown status";
}

/* Drops the beginning of a character whose end was cut off; text that is not UTF-8 loses none. */
static void drop_cut_character(char *text, size_t size) {
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        uint8_t byte = (uint8_t)text[size - back];
        if ((byte & 0xc0) == 0x80) continue;
        size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        if (length > back) text[size - back] = 0;
        return;
    }
}

static void MOTE_PRINTF(2, 0) appendv(mote_error *error, const char *format, va_list args) {
    size_t used = strlen(error->message);
    assert(used <= MOTE_ERROR_TEXT_MAX);
    size_t room = MOTE_ERROR_TEXT_MAX - used;
    int wanted = vsnprintf(error->message + used, room + 1, format, args);
    if (wanted < 0) error->message[used] = 0;
    else if ((size_t)wanted > room) drop_cut_character(error->message, MOTE_ERROR_TEXT_MAX);
}

mote_status mote__error_setv(mote_error *error, mote_status status, uint64_t offset,
                             const char *format, va_list args) {
    assert(error);
    error->status = status;
    error->trap = 0;
    error->offset = offset;
    error->message[0] = 0;
    appendv(error, format, args);
    return status;
}

mote_status mote__error_set(mote_error *error, mote_status status, uint64_t offset,
                            const char *format, ...) {
    va_list args;
    va_start(args, format);
    mote__error_setv(error, status, offset, format, args);
    va_end(args);
    return status;
}

void mote__error_append(mote_error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    appendv(error, format, args);
    va_end(args);
}

mote_status mote__error_nomem(mote_error *error, const char *what) {
    return mote__error_set(error, MOTE_E_NOMEM, MOTE_NO_OFFSET, "out of memory while %s", what);
}
