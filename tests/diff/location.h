/* location.h - where an operand is when its instruction runs: what compilers treat differently. */
#ifndef MOTE_TESTS_DIFF_LOCATION_H
#define MOTE_TESTS_DIFF_LOCATION_H

enum location { COLD, HOT, COMPUTED, HELD, JOINED, CONST, LOCATION_COUNT };

static const char *const location_names[] = {
    "a local used once",   "a local hot in a loop", "the result of an instruction", "a result held over a call",
    "a result of a block", "a constant",
};

#endif
