/* run_fuzz.c - execution of modules generated from the input's bytes: each is valid, prints and parses back to the same bytes, and gives the same
 * in two ways to run, and with calls in between (tests/diff/lockstep.h). */
#include "fuzz.h"
#include "diff/lockstep.h"

static void round_trip(const struct emit *binary) {
    char *text = NULL;
    uint8_t *again = NULL;
    size_t text_size, again_size;
    MUST(mote_binary_to_text(fuzz_engine(), binary->data, binary->size, &text, &text_size, NULL) == MOTE_OK);
    MUST(mote_text_to_binary(fuzz_engine(), text, text_size, &again, &again_size, NULL) == MOTE_OK);
    MUST(again_size == binary->size && !memcmp(again, binary->data, again_size));
    mote_bytes_delete(fuzz_engine(), text, text_size);
    mote_bytes_delete(fuzz_engine(), again, again_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *choices, size_t size) {
    static struct emit binary;
    unsigned func;
    if (!runs[0].engine) set_up("fuel", "interp");
    gen.e = &binary, gen.is_counting = false;
    gen_module(&gen, choices, size);
    round_trip(&binary);
    bool same = compare_module(choices, size, &func);
    if (!same) fprintf(stderr, "f%u: %s\n", func, difference);
    MUST(same);
    return 0;
}
