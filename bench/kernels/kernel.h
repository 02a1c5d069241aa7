/* kernel.h - what every kernel of bench/kernels shares: its size from the command line, random numbers, and the checksum that it prints, which must be the
 * same natively and as WebAssembly. A kernel defines `uint64_t kernel(uint32_t size)` and says KERNEL(default size). */
#ifndef MOTE_BENCH_KERNEL_H
#define MOTE_BENCH_KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL(size)                                                                               \
    static uint64_t kernel(uint32_t size_given);                                                   \
    int main(int argc, char **argv) {                                                              \
        uint32_t given = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : (size);                 \
        printf("%016llx\n", (unsigned long long)kernel(given));                                    \
        return 0;                                                                                  \
    }

/* The next number of a sequence (xorshift64*); *state must not be 0. */
static inline uint64_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

/* Mixes one more word into a checksum. */
static inline uint64_t mix(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15;
    return sum ^ sum >> 29;
}

static inline uint64_t mix_bytes(uint64_t sum, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) sum = mix(sum, bytes[i]);
    return sum;
}

static inline uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Memory or the end of the program. */
static inline void *need(size_t bytes) {
    void *memory = malloc(bytes);
    if (memory) return memory;
    fprintf(stderr, "kernel: no memory\n");
    exit(1);
}

#endif
