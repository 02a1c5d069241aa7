/* number.h - values of the numbers of the text format (core spec, "Text Format / Values"), exactly
 * rounded, independent of the locale and of the machine's rounding mode. The form has been checked
 * by the lexer (TOKEN_NAT, TOKEN_INT, TOKEN_FLOAT). */
#ifndef MOTE_TEXT_NUMBER_H
#define MOTE_TEXT_NUMBER_H

#include "base/reader.h"

/* Reads an integer of `bits` (1-64) bits; with a sign its range is -2^(bits-1) .. 2^(bits-1)-1,
 * without 0 .. 2^bits-1. *value is in two's complement, cut to `bits` bits. False when out of
 * range. */
bool mote__parse_int(struct span digits, unsigned bits, uint64_t *value);

/* Reads a float or an integer as IEEE 754 binary32 or binary64, rounded once, to nearest, ties to
 * even. False when the value rounds to infinity or a NaN's payload does not fit. */
bool mote__parse_f32(struct span text, uint32_t *bits);
bool mote__parse_f64(struct span text, uint64_t *bits);

/* Writes the shortest hexadecimal form that reads back as the same bits ("0x1.8p+1", "-inf",
 * "nan:0x200000"): at most 40 characters and a NUL. Returns the length. */
enum { NUMBER_TEXT_MAX = 40 };
size_t mote__format_f32(uint32_t bits, char out[NUMBER_TEXT_MAX + 1]);
size_t mote__format_f64(uint64_t bits, char out[NUMBER_TEXT_MAX + 1]);

#endif
