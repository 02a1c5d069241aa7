/* none.c - the tier of processors that no encoder exists for: none. Compiled in place of the others there. */
#include "jit/tiers.h"

const struct mote__tier *mote__jit_tier(void) { return NULL; }
