/* blink.c - what GCC's cc1 for AVR compiles as a guest: registers of a microcontroller, an interrupt handler, loops, 16-bit and 32-bit arithmetic. */
typedef unsigned char u8;
typedef unsigned int u16;
typedef unsigned long u32;

#define PORTB (*(volatile u8 *)0x25)
#define TCNT1 (*(volatile u16 *)0x84)

static volatile u8 ticks;
static const char message[] = "guest";

__attribute__((signal)) void __vector_13(void) { ticks++; }

u16 crc16(const u8 *bytes, u16 count) {
    u16 crc = 0xffff;
    while (count--) {
        crc ^= *bytes++;
        for (u8 bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    }
    return crc;
}

u32 average(const u16 *values, u8 count) {
    u32 sum = 0;
    for (u8 i = 0; i < count; i++) sum += values[i];
    return count ? sum / count : 0;
}

int main(void) {
    for (;;) {
        if (ticks & 16) PORTB ^= 1 << 5;
        TCNT1 = crc16((const u8 *)message, sizeof message);
    }
}
