/* object.h - machine code as an object file in memory (ELF for x86-64): what disassemblers and debuggers read. */
#ifndef MOTE_JIT_OBJECT_H
#define MOTE_JIT_OBJECT_H

#include "base/reader.h"
#include "base/vec.h"

/* How a debugger finds a frame's caller from code. */
enum object_frame {
    OBJECT_FRAME_FUNCTION, /* the return address is on top of the native stack */
    OBJECT_FRAME_ENTER,    /* the thread's stack pointer is there: the frame of C that entered compiled code */
    OBJECT_FRAME_THUNK,    /* on the thread's stack: the native stack pointer is there */
};

struct object_symbol {
    uint64_t address, size;
    struct span name;
    uint8_t frame; /* enum object_frame */
};

/* Code from `address` on, `size` bytes. `contents` NULL: it is in the process that is debugged. */
struct object_code {
    uint64_t address, size;
    const uint8_t *contents;
};

struct object_file {
    VEC(uint8_t) bytes;
};

/* Makes the object; false when out of memory. mote__object_deinit in both cases. */
bool mote__object_make(struct object_file *out, const mote_allocator *allocator, struct object_code code, const struct object_symbol *symbols, size_t count);
void mote__object_deinit(struct object_file *object, const mote_allocator *allocator);

#endif
