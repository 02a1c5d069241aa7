/* trap.c - the words for each trap, from traps.def. */
#include "wasm/trap.h"

const char *mote_trap_text(uint32_t trap) {
    static const char *const texts[MOTE_TRAP_COUNT] = {
        [MOTE_TRAP_NONE] = "no trap",
#define TRAP(ident, text) [MOTE_TRAP_##ident] = text,
#include "wasm/traps.def"
#undef TRAP
    };
    return trap < MOTE_TRAP_COUNT ? texts[trap] : "unknown trap";
}
