/* disassemble.h - machine code in words, by tools that may be on this machine. */
#ifndef MOTE_CLI_DISASSEMBLE_H
#define MOTE_CLI_DISASSEMBLE_H

#include "base/vec.h"

struct disassembly_line {
    uint32_t at;      /* bytes from the code's start */
    uint32_t text_at; /* in `text`, ends with NUL */
};
struct disassembly {
    VEC(struct disassembly_line) lines; /* in order */
    VEC(char) text;
};

/* Disassembles an object file whose code begins at address `base`; false when no tool can. disassembly_deinit in both cases. */
bool disassemble(struct disassembly *out, const mote_allocator *allocator, const uint8_t *object, size_t size, uint64_t base);
void disassembly_deinit(struct disassembly *d, const mote_allocator *allocator);

#endif
