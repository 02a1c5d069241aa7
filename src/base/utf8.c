/* utf8.c - encoding and strict decoding, after table 3-7 of the Unicode standard: what is wrong
 * with a sequence shows in the value it decodes to (too small for its length, a surrogate, too
 * large), so one compare per rule is enough. */
#include "base/utf8.h"
#include <string.h>

static bool is_scalar(uint32_t code_point) {
    return code_point <= 0x10ffff && (code_point & ~0x7ffu) != 0xd800;
}

unsigned mote__utf8_encode(uint32_t code_point, uint8_t out[4]) {
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    if (!is_scalar(code_point)) return 0;
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    unsigned length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (unsigned i = length - 1; i; i--, code_point >>= 6)
        out[i] = (uint8_t)(0x80 | (code_point & 0x3f));
    out[0] = (uint8_t)(leads[length] | code_point);
    return length;
}

/* How many bytes the sequence has that begins with `lead`; 0 for continuation bytes and what never
 * begins one. */
static unsigned sequence_length(uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xc2) return 0;
    if (lead < 0xe0) return 2;
    if (lead < 0xf0) return 3;
    return lead < 0xf5 ? 4 : 0;
}

unsigned mote__utf8_decode(const uint8_t *bytes, size_t size, uint32_t *code_point) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = size ? sequence_length(bytes[0]) : 0;
    if (!length || length > size) return 0;
    uint32_t value = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (unsigned i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < smallest[length] || !is_scalar(value)) return 0;
    *code_point = value;
    return length;
}

/* How many bytes at the beginning are ASCII. */
static size_t ascii_prefix(const uint8_t *bytes, size_t size) {
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word & 0x8080808080808080) break;
    }
    while (at < size && bytes[at] < 0x80) at++;
    return at;
}

bool mote__utf8_valid(const uint8_t *bytes, size_t size) {
    for (size_t at = 0, step; at < size; at += step) {
        uint32_t code_point;
        step = ascii_prefix(bytes + at, size - at);
        if (!step) step = mote__utf8_decode(bytes + at, size - at, &code_point);
        if (!step) return false;
    }
    return true;
}
