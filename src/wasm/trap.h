/* trap.h - the public numbers of the traps (mote_trap), held to the order of traps.def. */
#ifndef MOTE_WASM_TRAP_H
#define MOTE_WASM_TRAP_H

#include <mote/mote.h>

#include <assert.h>

enum {
    TRAP_ROW_NONE,
#define TRAP(ident, text) TRAP_ROW_##ident,
#include "wasm/traps.def"
#undef TRAP
    TRAP_ROW_COUNT
};

#define TRAP(ident, text)                                                                          \
    static_assert((int)TRAP_ROW_##ident == (int)MOTE_TRAP_##ident, "traps.def and mote_trap differ: " text);
#include "wasm/traps.def"
#undef TRAP
static_assert((int)TRAP_ROW_COUNT == (int)MOTE_TRAP_COUNT, "traps.def and mote_trap differ in length");

#endif
