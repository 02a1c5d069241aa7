/* tiers.h - the tiers that this build has. */
#ifndef MOTE_JIT_TIERS_H
#define MOTE_JIT_TIERS_H

#include "run/tier.h"

/* The baseline compiler for this CPU, or NULL. */
const struct mote__tier *mote__jit_tier(void);

#endif
