/* chacha20.c - the ChaCha20 stream cipher (RFC 8439) over a buffer: 32-bit additions, exclusive ors, rotations. Size: KiB encrypted. */
#include "kernel.h"

KERNEL(160000)

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static inline void quarter(uint32_t *x, int a, int b, int c, int d) {
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void block(const uint32_t in[16], uint32_t out[16]) {
    uint32_t x[16];
    memcpy(x, in, sizeof x);
    for (int i = 0; i < 10; i++) {
        for (int c = 0; c < 4; c++) quarter(x, c, 4 + c, 8 + c, 12 + c);
        for (int c = 0; c < 4; c++) quarter(x, c, 4 + (c + 1) % 4, 8 + (c + 2) % 4, 12 + (c + 3) % 4);
    }
    for (int i = 0; i < 16; i++) out[i] = x[i] + in[i];
}

static void encrypt(uint32_t state[16], uint32_t *words, size_t count) {
    uint32_t key[16];
    for (size_t at = 0; at < count; at += 16) {
        block(state, key);
        for (int i = 0; i < 16; i++) words[at + i] ^= key[i];
        state[12]++;
    }
}

static uint64_t kernel(uint32_t kib) {
    static uint32_t buffer[4096];
    uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint64_t random = 11, sum = 1;
    for (int i = 4; i < 16; i++) state[i] = (uint32_t)random_next(&random);
    for (uint32_t done = 0; done < kib; done += sizeof buffer / 1024) encrypt(state, buffer, 4096);
    for (int i = 0; i < 4096; i++) sum = mix(sum, buffer[i]);
    return sum;
}
