/* utf8.h - strict UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
#ifndef MOTE_BASE_UTF8_H
#define MOTE_BASE_UTF8_H

#include <mote/status.h>

/* True when all of the bytes are well-formed UTF-8. */
bool mote__utf8_valid(const uint8_t *bytes, size_t size);
/* Writes a code point (a Unicode scalar value) as 1-4 bytes and returns how many; 0 for surrogates and above U+10FFFF. */
unsigned mote__utf8_encode(uint32_t code_point, uint8_t out[4]);
/* Reads one code point; returns its length in bytes, 0 when malformed or at the end. */
unsigned mote__utf8_decode(const uint8_t *bytes, size_t size, uint32_t *code_point);

#endif
