/* trap.h - the numbers of traps.def, for the code that computes and for whoever reports. */
#ifndef MOTE_WASM_TRAP_H
#define MOTE_WASM_TRAP_H

enum {
    MOTE_TRAP_NONE = 0,
#define TRAP(ident, text) MOTE_TRAP_##ident,
#include "wasm/traps.def"
#undef TRAP
    MOTE_TRAP_COUNT
};

#endif
