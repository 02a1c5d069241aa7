/* bytes.h - numbers at any address, in the order of bytes that the machine and WebAssembly share: mote__load_u32(at), mote__store_u32(at, value) and so on. */
#ifndef MOTE_BASE_BYTES_H
#define MOTE_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#define MOTE__BYTES(name, type)                                                                    \
    static inline type mote__load_##name(const void *at) {                                         \
        type value;                                                                                \
        memcpy(&value, at, sizeof value);                                                          \
        return value;                                                                              \
    }                                                                                              \
    static inline void mote__store_##name(void *at, type value) { memcpy(at, &value, sizeof value); }

MOTE__BYTES(u16, uint16_t)
MOTE__BYTES(u32, uint32_t)
MOTE__BYTES(u64, uint64_t)
MOTE__BYTES(f32, float)
MOTE__BYTES(f64, double)
#undef MOTE__BYTES

#endif
