/* engine.h - what the layers below src/run may ask of an engine, which they know by name only. Defined in run/engine.c. */
#ifndef MOTE_WASM_ENGINE_H
#define MOTE_WASM_ENGINE_H

#include "wasm/types.h"

/* The engine's registry of types and its allocator. */
struct mote__types *mote__engine_types(mote_engine *engine);
const mote_allocator *mote__engine_allocator(const mote_engine *engine);
/* The engine that a registry belongs to; the registry must be an engine's. */
mote_engine *mote__engine_of_types(struct mote__types *types);
/* Holds: callers, modules, stores, and types that the API gave out keep an engine alive. The last release frees it. */
mote_engine *mote__engine_retain(mote_engine *engine);
void mote__engine_release(mote_engine *engine);

#endif
