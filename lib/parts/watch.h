/* watch.h - operations that watch keys of a configuration store, as its drivers keep them. */
#ifndef MOTE_PARTS_WATCH_H
#define MOTE_PARTS_WATCH_H

#include "driver.h"

/* One WATCH under way; it belongs to the operation and hangs on op->driver. */
struct watch {
    struct watch *next;
    mote_parts_op *op;
};

/* Puts an operation into the list; false when out of memory. */
bool mote__watch_add(struct watch **list, mote_parts_op *op);
/* Takes it out; false when it was not in the list. */
bool mote__watch_remove(struct watch **list, const mote_parts_op *op);
/* Whether anybody watches a key. */
bool mote__watch_has(const struct watch *list, const mote_parts_bytes *key);
/* Tells everybody who watches the key what is there now: NOT_FOUND, or a value and its version. */
void mote__watch_tell(const struct watch *list, const mote_parts_bytes *key, mote_parts_code code,
                      mote_parts_bytes value, mote_parts_bytes version);
/* Ends all of them as CANCELLED. */
void mote__watch_end(struct watch **list);

#endif
