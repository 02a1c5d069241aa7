/* resp.h - the wire format of Redis (RESP2): commands written, replies read, without a copy. */
#ifndef MOTE_PARTS_RESP_H
#define MOTE_PARTS_RESP_H

#include "base/vec.h"

typedef VEC(char) resp_buffer;

enum resp_kind { RESP_STATUS, RESP_ERROR, RESP_INTEGER, RESP_BULK, RESP_NULL, RESP_ARRAY };

/* One element of a reply; those of an array follow it. */
struct resp {
    enum resp_kind kind;
    const char *text; /* STATUS, ERROR, BULK: in the buffer */
    size_t size;
    int64_t number; /* INTEGER; elements of an ARRAY */
};

struct resp_reader {
    const char *at, *end;
};

enum { RESP_DEPTH_MAX = 8 };

/* Length of the whole reply at the beginning of the bytes: 0 when more are needed, SIZE_MAX when
 * they are no reply. */
size_t mote__resp_length(const char *bytes, size_t size);
/* A reply of which nothing is wanted, as it comes in. */
struct resp_skip {
    bool is_under_way;
    unsigned depth;
    int64_t left[RESP_DEPTH_MAX];
    uint64_t bulk; /* of the element under way, with its line end */
};
/* Begins with a zeroed skip; returns how many bytes belong to the reply and need not be seen again,
 * SIZE_MAX when they are no reply. It is at its end when it is not under way any more. */
size_t mote__resp_skip(struct resp_skip *skip, const char *bytes, size_t size);
/* Takes the next element of a reply that mote__resp_length has seen whole. At the end: NULL. */
struct resp mote__resp_next(struct resp_reader *reader);
/* Begins a command of `count` words, adds a word; false when out of memory. */
bool mote__resp_begin(resp_buffer *out, const mote_allocator *a, size_t count);
bool mote__resp_word(resp_buffer *out, const mote_allocator *a, const void *bytes, size_t size);

#endif
