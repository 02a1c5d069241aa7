/* engine.c - from options to an engine. */
#include "cli.h"

mote_features features_given(const struct args *args) {
    mote_features features = mote_features_default();
    for (size_t i = 0; i < args->given.count; i++) {
        const struct given *given = &args->given.data[i];
        if (given->option == OPT_all_proposals) features = given->number ? ~(mote_features)0 : mote_features_default();
        if (given->option != OPT_feature) continue;
        mote_features bit = mote_feature_find(given->text);
        features = given->number ? features | bit : features & ~bit;
    }
    return features;
}

mote_engine *engine_open(const struct args *args) {
    mote_config config;
    mote_config_init(&config);
    config.features = features_given(args);
    config.fuel = args_find(args, OPT_fuel);
    config.canonical_nans = args_flag(args, OPT_canonical_nans);
    config.relaxed_deterministic = args_flag(args, OPT_relaxed_deterministic);
    mote_engine *engine = NULL;
    mote_error error;
    if (mote_engine_new(&config, &engine, &error) != MOTE_OK) report_failure("%s", error.message);
    return engine;
}
