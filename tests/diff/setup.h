/* setup.h - the ways to run a module that are compared with each other or with the sem_ functions: a name and what it sets in an engine's
 * configuration. A further tier, or a further way to compile, is a row of `ways`. */
#ifndef MOTE_TESTS_DIFF_SETUP_H
#define MOTE_TESTS_DIFF_SETUP_H

#include "diff/emit.h"

#include <mote/mote.h>

static inline void way_plain(mote_config *config) { (void)config; }
static inline void way_interp(mote_config *config) { config->tier = MOTE_TIER_INTERPRETER; }
static inline void way_canonical(mote_config *config) { config->canonical_nans = true; }
static inline void way_interp_canonical(mote_config *config) { way_interp(config), way_canonical(config); }
static inline void way_fuel(mote_config *config) { config->fuel = true; }
static inline void way_interp_fuel(mote_config *config) { way_interp(config), way_fuel(config); }
static inline void way_fuel_canonical(mote_config *config) { way_fuel(config), way_canonical(config); }
static inline void way_interp_fuel_canonical(mote_config *config) { way_interp(config), way_fuel_canonical(config); }
static inline void way_floor(mote_config *config) { config->cpu_baseline = true; }
static inline void way_low(mote_config *config) { config->low_address_space = true; }

static const struct way {
    const char *name;
    void (*set)(mote_config *config);
} ways[] = {
    {"plain", way_plain}, /* compiled where that can be had */
    {"interp", way_interp},
    {"canonical", way_canonical},
    {"interp-canonical", way_interp_canonical},
    {"fuel", way_fuel},
    {"interp-fuel", way_interp_fuel},
    {"fuel-canonical", way_fuel_canonical},
    {"interp-fuel-canonical", way_interp_fuel_canonical},
    {"floor", way_floor}, /* compiled without what not every processor has */
    {"low", way_low},
};
enum { WAY_COUNT = sizeof ways / sizeof *ways };

static inline const struct way *way_find(const char *name) {
    for (size_t i = 0; i < WAY_COUNT; i++)
        if (!strcmp(ways[i].name, name)) return &ways[i];
    fprintf(stderr, "no such way to run: %s. There are:", name);
    for (size_t i = 0; i < WAY_COUNT; i++) fprintf(stderr, " %s", ways[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

/* An engine with every feature on and relaxed vectors deterministic. */
static inline mote_engine *way_engine(const struct way *way, mote_config *config) {
    mote_engine *engine;
    mote_config_init(config);
    config->features = ~(mote_features)0;
    config->relaxed_deterministic = true;
    way->set(config);
    MUST(mote_engine_new(config, &engine, NULL) == MOTE_OK);
    return engine;
}

#endif
