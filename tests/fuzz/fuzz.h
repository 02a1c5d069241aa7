/* fuzz.h - what the fuzzers share: one engine with every feature on, made at first use and kept. A fuzzer reports by aborting. */
#ifndef MOTE_TESTS_FUZZ_FUZZ_H
#define MOTE_TESTS_FUZZ_FUZZ_H

#include "diff/emit.h"

#include <mote/mote.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static inline mote_engine *fuzz_engine(void) {
    static mote_engine *engine;
    mote_config config;
    if (engine) return engine;
    mote_config_init(&config);
    config.features = ~(mote_features)0;
    config.fuel = true;
    config.relaxed_deterministic = true;
    config.canonical_nans = true;
    MUST(mote_engine_new(&config, &engine, NULL) == MOTE_OK);
    return engine;
}

#endif
