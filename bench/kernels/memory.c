/* memory.c - memcpy, memmove and memset of short and long ranges, and comparisons: how fast bulk memory is. Size: thousands of rounds. */
#include "kernel.h"

KERNEL(12000)

enum { ROOM = 1 << 20 };

static uint64_t kernel(uint32_t thousands) {
    uint8_t *a = need(ROOM), *b = need(ROOM);
    uint64_t random = 17, sum = 1;
    for (uint32_t i = 0; i < ROOM; i++) a[i] = (uint8_t)random_next(&random);
    memset(b, 0, ROOM);
    for (uint32_t i = 0; i < thousands * 1000; i++) {
        uint64_t word = random_next(&random);
        uint32_t length = word % 64 ? (uint32_t)(word >> 8) % 200 : (uint32_t)(word >> 8) % 60000;
        uint32_t from = (uint32_t)(word >> 24) % (ROOM - length), to = (uint32_t)(word >> 44) % (ROOM - length);
        if (word & 1) memcpy(b + to, a + from, length);
        else if (word & 2) memmove(b + to, b + from, length);
        else memset(b + to, (int)(word >> 60), length);
        sum += b[to] + (uint64_t)(memcmp(a + to, b + to, length) > 0);
    }
    return mix_bytes(sum, b, ROOM);
}
