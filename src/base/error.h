/* error.h - filling a mote_error. Inner code holds a `mote_error *` in its context (never NULL inside: public entry points pass a local one). */
#ifndef MOTE_BASE_ERROR_H
#define MOTE_BASE_ERROR_H

#include <mote/status.h>
#include <stdarg.h>

/* Fills *error (status, offset, formatted text) and returns `status`. Never allocates. */
mote_status mote__error_set(mote_error *error, mote_status status, uint64_t offset,
                            const char *format, ...) MOTE_PRINTF(4, 5);
mote_status mote__error_setv(mote_error *error, mote_status status, uint64_t offset,
                             const char *format, va_list args) MOTE_PRINTF(4, 0);
/* Appends formatted text to the message, cut on a character boundary. */
void mote__error_append(mote_error *error, const char *format, ...) MOTE_PRINTF(2, 3);
/* "out of memory while WHAT". */
mote_status mote__error_nomem(mote_error *error, const char *what);

/* Propagates a failure; only where nothing is owned. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        mote_status try_status_ = (call);                                                          \
        if (try_status_ != MOTE_OK) return try_status_;                                            \
    } while (0)

#endif
