/* module_fuzz.c - decoder and validator: any bytes end in a status, and a module that can be made can be made again. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    mote_error error = {0};
    if (!mote_is_binary(bytes, size)) return -1;
    mote_status status = mote_module_validate(fuzz_engine(), bytes, size, &error);
    MUST(status == MOTE_OK || (error.status == status && error.message[0]));

    mote_module *module = NULL;
    MUST(mote_module_new(fuzz_engine(), bytes, size, MOTE_MODULE_BORROW, &module, &error) == status);
    if (!module) return 0;
    for (size_t i = 0; i < mote_module_import_count(module); i++) mote_module_import(module, i);
    for (size_t i = 0; i < mote_module_export_count(module); i++) mote_module_export(module, i);
    mote_module_delete(module);
    return 0;
}
