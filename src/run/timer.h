/* timer.h - deadlines of stores: one thread per engine, started with the first deadline, stopped with the engine. */
#ifndef MOTE_RUN_TIMER_H
#define MOTE_RUN_TIMER_H

#include "run/store.h"

/* Stops the store with MOTE_TRAP_DEADLINE once the monotonic clock shows `deadline_ns`; replaces an earlier deadline.
 * MOTE_E_NOMEM, or MOTE_E_IO when no thread can be started. */
mote_status mote__timer_set(mote_store *store, uint64_t deadline_ns, mote_error *error);
/* Takes the store's deadline back if it has one: it does not fire after this. */
void mote__timer_clear(mote_store *store);
/* Ends the engine's thread, if there is one; no store may have a deadline any more. */
void mote__timer_stop(mote_engine *engine);

#endif
