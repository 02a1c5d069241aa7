/* print_fuzz.c - round trip: a valid module prints, what is printed parses to a valid module, and from there on printing and parsing change
 * nothing. (The first binary may differ from the second: numbers may be written at more than one length.) */
#include "fuzz.h"
#include <string.h>

struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes round_trip(const uint8_t *bytes, size_t size) {
    mote_error error = {0};
    struct bytes out = {0};
    char *text = NULL;
    size_t text_size = 0;
    mote_status status = mote_binary_to_text(fuzz_engine(), bytes, size, &text, &text_size, &error);
    if (status == MOTE_OK) status = mote_text_to_binary(fuzz_engine(), text, text_size, &out.data, &out.size, &error);
    if (status != MOTE_OK) fprintf(stderr, "%s\n%.*s\n", error.message, (int)text_size, text ? text : "");
    MUST(status == MOTE_OK);
    mote_bytes_delete(fuzz_engine(), text, text_size);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!mote_is_binary(bytes, size) || mote_module_validate(fuzz_engine(), bytes, size, NULL) != MOTE_OK) return -1;
    struct bytes first = round_trip(bytes, size);
    MUST(mote_module_validate(fuzz_engine(), first.data, first.size, NULL) == MOTE_OK);
    struct bytes second = round_trip(first.data, first.size);
    MUST(first.size == second.size && !memcmp(first.data, second.data, first.size));
    mote_bytes_delete(fuzz_engine(), first.data, first.size);
    mote_bytes_delete(fuzz_engine(), second.data, second.size);
    return 0;
}
