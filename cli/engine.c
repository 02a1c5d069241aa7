/* engine.c - from options to an engine. */
#include "cli.h"

mote_features features_given(const struct args *args) {
    const struct given *all = args_find(args, OPT_all_proposals);
    mote_features base = !all ? mote_features_default() : all->number ? ~(mote_features)0 : mote_feature_find("mvp");
    mote_features with = mote_features_with(base, args_features(args, true));
    return mote_features_without(with, args_features(args, false));
}

/* --tier; false after saying what is wrong with it. */
static bool tier_given(const struct args *args, mote_tier *out) {
    const char *name = args_text(args, OPT_tier, NULL);
    if (!name) return true;
    *out = !strcmp(name, "baseline") ? MOTE_TIER_BASELINE : MOTE_TIER_INTERPRETER;
    if (*out == MOTE_TIER_BASELINE || !strcmp(name, "interp")) return true;
    report_failure("no such tier `%s`: it is interp or baseline", name);
    return false;
}

mote_engine *engine_open(const struct args *args) {
    mote_config config;
    mote_config_init(&config);
    config.features = features_given(args);
    config.fuel = args_find(args, OPT_fuel);
    config.canonical_nans = args_flag(args, OPT_canonical_nans);
    config.relaxed_deterministic = args_flag(args, OPT_relaxed_deterministic);
    config.low_address_space = args_flag(args, OPT_low_address_space);
    if (!tier_given(args, &config.tier)) return NULL;
    mote_engine *engine = NULL;
    mote_error error;
    if (mote_engine_new(&config, &engine, &error) != MOTE_OK) report_failure("%s", error.message);
    return engine;
}
