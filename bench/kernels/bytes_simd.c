/* bytes_simd.c - upper case, counts of spaces and sums over a text, sixteen bytes at once: comparisons, masks, shifts, widening. Size: MiB of text. */
#include "kernel.h"

KERNEL(4500)

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint16_t halves __attribute__((vector_size(16)));
typedef uint64_t words __attribute__((vector_size(16)));

/* The sum of the sixteen bytes of each vector seen: neighbours are added pairwise, then folded once per block. */
static uint64_t block(uint8_t *text, size_t size) {
    bytes spaces = {0};
    halves sums = {0};
    for (size_t at = 0; at < size; at += 16) {
        bytes v;
        memcpy(&v, text + at, sizeof v);
        bytes lower = (bytes)((v >= 'a') & (v <= 'z'));
        v ^= lower & 0x20;
        spaces -= (bytes)(v == ' ');
        sums += ((halves)v & 0xff) + ((halves)v >> 8);
        memcpy(text + at, &v, sizeof v);
    }
    words a = (words)spaces, b = (words)sums;
    return (a[0] ^ b[0]) + 31 * (a[1] ^ b[1]);
}

static uint64_t kernel(uint32_t mib) {
    enum { SIZE = 1 << 15, BLOCK = 2048 };
    static uint8_t text[SIZE];
    uint64_t random = 9, sum = 1;
    for (uint32_t turn = 0; turn < mib * ((1 << 20) / SIZE); turn++) {
        if (turn % 1024 == 0)
            for (size_t i = 0; i < SIZE; i++) text[i] = (uint8_t)(' ' + (random_next(&random) >> 40) % 95);
        text[turn % SIZE] ^= 1;
        for (size_t at = 0; at < SIZE; at += BLOCK) sum = sum * 31 + block(text + at, BLOCK);
    }
    return sum;
}
