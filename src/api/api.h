/* api.h - what the files of the API share: a place for errors that the caller does not want. */
#ifndef MOTE_API_API_H
#define MOTE_API_API_H

#include "run/store.h"

/* From here on `error` points at a mote_error, the caller's or a local one. */
#define API_ERROR(error)                                                                           \
    mote_error unwanted_error_;                                                                    \
    if (!(error)) (error) = &unwanted_error_

static inline mote_name mote__name_of(struct span span) { return (mote_name){(const char *)span.data, span.size}; }
static inline struct span mote__span_of(const char *text) { return (struct span){(const uint8_t *)text, strlen(text)}; }

#endif
