/* lz.c - compression by back references found through a hash table, decompression, comparison: bytes and branches. Size: rounds over 1 MiB. */
#include "kernel.h"

KERNEL(70)

enum { INPUT = 1 << 20, HASH_BITS = 14, MATCH_MIN = 4, LITERALS_MAX = 127, MATCH_MAX = 127 + MATCH_MIN };

static uint32_t load4(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static uint32_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
    uint32_t length = 0;
    while (b + length < end && length < MATCH_MAX && a[length] == b[length]) length++;
    return length;
}

/* Writes what lies between `from` and `to` as literals: a count, then the bytes. */
static uint8_t *put_literals(uint8_t *out, const uint8_t *from, const uint8_t *to) {
    while (from < to) {
        size_t count = to - from < LITERALS_MAX ? (size_t)(to - from) : LITERALS_MAX;
        *out++ = (uint8_t)count;
        memcpy(out, from, count);
        out += count;
        from += count;
    }
    return out;
}

/* A match: 128 + length above the least, distance in two bytes. */
static size_t compress(const uint8_t *in, size_t size, uint8_t *out) {
    static uint32_t seen[1 << HASH_BITS];
    const uint8_t *at = in, *end = in + size, *pending = in;
    uint8_t *start = out;
    memset(seen, 0, sizeof seen);
    while (at + MATCH_MIN < end) {
        uint32_t slot = load4(at) * 2654435761u >> (32 - HASH_BITS);
        const uint8_t *candidate = in + seen[slot];
        seen[slot] = (uint32_t)(at - in);
        if (candidate >= at || at - candidate > 65535 || load4(candidate) != load4(at)) {
            at++;
            continue;
        }
        uint32_t length = match_length(candidate, at, end), distance = (uint32_t)(at - candidate);
        out = put_literals(out, pending, at);
        *out++ = (uint8_t)(128 + length - MATCH_MIN);
        *out++ = (uint8_t)distance;
        *out++ = (uint8_t)(distance >> 8);
        pending = at += length;
    }
    return (size_t)(put_literals(out, pending, end) - start);
}

static size_t decompress(const uint8_t *in, size_t size, uint8_t *out) {
    uint8_t *start = out;
    for (const uint8_t *end = in + size; in < end;) {
        uint32_t token = *in++;
        if (token < 128) {
            memcpy(out, in, token);
            in += token;
            out += token;
            continue;
        }
        const uint8_t *from = out - (in[0] | in[1] << 8);
        in += 2;
        for (uint32_t left = token - 128 + MATCH_MIN; left; left--) *out++ = *from++;
    }
    return (size_t)(out - start);
}

/* Text-like input: words of a small vocabulary, some of them misspelt. */
static void write_text(uint8_t *out, size_t size) {
    static const char *const words[] = {"memory ", "table ", "function ", "of ", "the ", "module ", "instance ", "and ", "a ", "trap\n", "stack ", "value "};
    uint64_t random = 23;
    for (size_t at = 0; at < size;) {
        uint64_t w = random_next(&random);
        for (const char *c = words[(w >> 8) % 12]; *c && at < size; c++) out[at++] = (uint8_t)*c;
        if ((w >> 20) % 4 == 0) out[at - 1] = (uint8_t)(w >> 40);
    }
}

static uint64_t kernel(uint32_t rounds) {
    uint8_t *text = need(INPUT), *packed = need(INPUT * 2), *back = need(INPUT);
    uint64_t sum = 1;
    write_text(text, INPUT);
    for (uint32_t i = 0; i < rounds; i++) {
        text[i * 997 % INPUT] ^= 0x15;
        size_t size = compress(text, INPUT, packed), size_back = decompress(packed, size, back);
        if (size_back != INPUT || memcmp(text, back, INPUT)) return 0;
        sum = mix(sum, size);
    }
    return sum;
}
