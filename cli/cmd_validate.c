/* cmd_validate.c - mote validate: checks modules without running them. */
#include "cli.h"

static int validate(mote_engine *engine, const char *path, bool quiet) {
    struct input input;
    if (!input_open_module(&input, path)) return EXIT_BAD_MODULE;
    mote_error error;
    int code = EXIT_DONE;
    if (mote_module_validate(engine, input.bytes, input.size, &error) != MOTE_OK)
        code = quiet ? EXIT_BAD_MODULE : report_module_error(&input, &error);
    input_close(&input);
    return code;
}

int cmd_validate(const struct args *args) {
    mote_engine *engine = NULL;
    int code = engine_open(args, &engine);
    if (code) return code;
    for (int i = 0; i < args->operand_count; i++)
        if (validate(engine, args->operands[i], args_flag(args, OPT_quiet))) code = EXIT_BAD_MODULE;
    mote_engine_delete(engine);
    return code;
}
