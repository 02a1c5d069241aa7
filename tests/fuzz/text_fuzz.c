/* text_fuzz.c - parser of the text format: any bytes end in a status; what parses can be decoded or is refused with words. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t size) {
    uint8_t *binary = NULL;
    size_t binary_size = 0;
    mote_error error = {0};
    mote_status status = mote_text_to_binary(fuzz_engine(), text, size, &binary, &binary_size, &error);
    if (status != MOTE_OK) {
        MUST(error.status == status && error.message[0]);
        return 0;
    }
    MUST(mote_is_binary(binary, binary_size));
    status = mote_module_validate(fuzz_engine(), binary, binary_size, &error);
    MUST(status == MOTE_OK || error.message[0]);
    mote_bytes_delete(fuzz_engine(), binary, binary_size);
    return 0;
}
