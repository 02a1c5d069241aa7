/* status.h - what every mote library shares: statuses, errors, the allocator, marks on declarations.
 * Knows nothing of WebAssembly. Included by every other header of mote; rarely included directly. */
#ifndef MOTE_STATUS_H
#define MOTE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* MOTE_API marks what the shared library exports; MOTE_CHECKED a result that must be looked at; mote_own a pointer whose
 * ownership moves with the call. */
#if defined(__GNUC__)
#define MOTE_API __attribute__((visibility("default")))
#define MOTE_CHECKED __attribute__((warn_unused_result))
#define MOTE_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
#define MOTE_API
#define MOTE_CHECKED
#define MOTE_PRINTF(format_at, args_at)
#endif
#define mote_own

/* The outcome of a call. 0 is success; every other value is a failure whose text is in the caller's mote_error. The numbers never change;
 * new ones are added at the end. */
typedef enum mote_status {
    MOTE_OK = 0,
    MOTE_E_MALFORMED = 1,   /* not WebAssembly: bytes or text that break the grammar */
    MOTE_E_INVALID = 2,     /* well-formed, but validation refuses it */
    MOTE_E_UNSUPPORTED = 3, /* needs a feature that is switched off or a thing that this build lacks */
    MOTE_E_LIMIT = 4,       /* over a limit of the implementation or of the store */
    MOTE_E_NOMEM = 5,       /* the allocator said no */
    MOTE_E_LINK = 6,        /* an import is missing or of the wrong type */
    MOTE_E_TRAP = 7,        /* WebAssembly trapped: the trap code says which */
    MOTE_E_EXCEPTION = 8,   /* a WebAssembly exception left the outermost call */
    MOTE_E_EXIT = 9,        /* the program asked to end with an exit code (WASI proc_exit) */
    MOTE_E_ARGUMENT = 10,   /* the caller passed something of the wrong kind, count, type or store */
    MOTE_E_NOT_FOUND = 11,  /* no such export, file, section ... */
    MOTE_E_IO = 12,         /* the operating system refused: the message has its words */
    MOTE_STATUS_COUNT
} mote_status;

/* Returns the status's name in words ("malformed module"), never NULL; static storage. */
MOTE_API const char *mote_status_name(mote_status status);

enum { MOTE_ERROR_TEXT_MAX = 504 };

/* An error, in the caller's storage: filling it never allocates. `offset` is the byte (binary) or character (text) at which the error was
 * found, or MOTE_NO_OFFSET. `message` is always NUL-terminated, cut at MOTE_ERROR_TEXT_MAX bytes on a character boundary. */
#define MOTE_NO_OFFSET UINT64_MAX
typedef struct mote_error {
    mote_status status;
    uint32_t trap; /* a mote_trap when status is MOTE_E_TRAP, the exit code when MOTE_E_EXIT, else 0 */
    uint64_t offset;
    char message[MOTE_ERROR_TEXT_MAX + 8];
} mote_error;

/* The one door through which memory goes. resize(ctx, NULL, 0, n) allocates, resize(ctx, p, old, 0) frees and returns NULL, else it
 * resizes and keeps the contents; NULL for a non-zero size means "no memory" and leaves `ptr` valid. Results are aligned for any type (16). The
 * old size is always exact. Must be callable from every thread that uses the engine. */
typedef struct mote_allocator {
    void *(*resize)(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes);
    void *ctx;
} mote_allocator;

#ifdef __cplusplus
}
#endif
#endif
