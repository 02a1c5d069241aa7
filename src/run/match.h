/* match.h - does what is offered fit what an import asks for (core spec, "Validation / Matching / External Types"). */
#ifndef MOTE_RUN_MATCH_H
#define MOTE_RUN_MATCH_H

#include "run/store.h"

/* Checks import number `index` of a module against what it gets (NULL, or an empty handle: nothing). MOTE_E_LINK names the import and says what
 * was expected and what found; its message begins with "unknown import" or "incompatible import type". */
mote_status mote__import_match(const mote_module *module, uint32_t index, const mote_extern *given, mote_error *error);
/* The store of something; NULL for an empty handle. */
mote_store *mote__extern_store(mote_extern external);
/* Its type, with current sizes. */
mote_externtype mote__extern_type(mote_extern external);
mote_externtype mote__import_type(const mote_module *module, uint32_t index);
mote_externtype mote__export_type(const mote_module *module, uint32_t index);

#endif
