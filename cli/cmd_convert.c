/* cmd_convert.c - mote convert, wat2wasm, wasm2wat: text to binary and back. The direction follows from what the file holds. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include <errno.h>
#include <unistd.h>

struct conversion {
    const struct args *args;
    mote_engine *engine;
    struct input input;
    void *bytes; /* what came out */
    size_t size;
};

/* By which alias it was called, if by one, decides what may go in. */
static bool check_direction(const struct conversion *c, bool from_binary) {
    const char *called = c->args->called;
    if (from_binary && !strcmp(called, "wat2wasm")) return report_failure("%s is binary already", c->input.name), false;
    if (!from_binary && !strcmp(called, "wasm2wat")) return report_failure("%s is not a binary module", c->input.name), false;
    return true;
}

static mote_status check_module(const struct conversion *c, mote_error *error) {
    if (args_flag(c->args, OPT_no_check)) return MOTE_OK;
    return mote_module_validate(c->engine, c->input.bytes, c->input.size, error);
}

static bool convert(struct conversion *c, bool from_binary) {
    mote_error error;
    char *text = NULL;
    uint8_t *binary = NULL;
    mote_status status = check_module(c, &error);
    if (status == MOTE_OK && from_binary)
        status = mote_binary_to_text(c->engine, c->input.bytes, c->input.size, &text, &c->size, &error);
    else if (status == MOTE_OK)
        status = mote_text_to_binary(c->engine, c->input.bytes, c->input.size, &binary, &c->size, &error);
    c->bytes = from_binary ? (void *)text : (void *)binary;
    if (status != MOTE_OK) report_module_error(&c->input, &error);
    return status == MOTE_OK;
}

static int write_file(const struct conversion *c, const char *path) {
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(c->bytes, 1, c->size, file) == c->size;
    if (file && fclose(file)) good = false;
    return good ? EXIT_DONE : report_failure("%s: %s", path, strerror(errno));
}

static int write_output(const struct conversion *c, bool is_text) {
    const char *path = args_text(c->args, OPT_output, "-");
    if (strcmp(path, "-") != 0) return write_file(c, path);
    if (!is_text && isatty(STDOUT_FILENO)) return report_usage("this would write binary to the terminal; say where to with -o FILE");
    fwrite(c->bytes, 1, c->size, stdout);
    return EXIT_DONE;
}

int cmd_convert(const struct args *args) {
    struct conversion c = {.args = args};
    if (!input_open_module(&c.input, args->operands[0])) return EXIT_BAD_MODULE;
    bool from_binary = mote_is_binary(c.input.bytes, c.input.size);
    int code = engine_open(args, &c.engine);
    if (!code && !(check_direction(&c, from_binary) && convert(&c, from_binary))) code = EXIT_BAD_MODULE;
    if (!code) code = write_output(&c, from_binary);
    if (c.engine) mote_bytes_delete(c.engine, c.bytes, c.size);
    mote_engine_delete(c.engine);
    input_close(&c.input);
    return code;
}
