/* link.h - the linker: names to definitions, and instantiation from them. */
#ifndef MOTE_RUN_LINK_H
#define MOTE_RUN_LINK_H

#include "run/store.h"

mote_status mote__linker_new(mote_engine *engine, mote_linker **out, mote_error *error);
void mote__linker_delete(mote_linker *linker);
mote_engine *mote__linker_engine(const mote_linker *linker);
void mote__linker_unknown_imports_trap(mote_linker *linker, bool on);

/* What a name stands for: something of a store, or (type not NULL) a host function that each store gets anew. */
struct mote__definition {
    mote_extern external;
    const mote_type *type; /* held by the linker */
    mote_host_fn fn;
    mote_host_raw_fn raw;
    void *env;
};

/* Defines (module, name); both are copied. A second definition replaces the first. */
mote_status mote__linker_define(mote_linker *linker, struct span module, struct span name, const struct mote__definition *definition,
                                mote_error *error);
mote_status mote__linker_define_instance(mote_linker *linker, struct span module, struct mote__instance *instance, mote_error *error);
mote_status mote__linker_instantiate(mote_linker *linker, mote_store *store, mote_module *module, struct mote__instance **out,
                                     mote_error *error);

#endif
