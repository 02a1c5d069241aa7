/* main.c - the command mote: parses the arguments, runs the command. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include <signal.h>
#include <unistd.h>

/* Ctrl-C and a closed pipe end mote by the signals' own default, as with every program: no handler, nothing to set up. Only as the first
 * process of a container the kernel drops such signals, so there they are handled. */
static void end_by_signal(int number) { _exit(128 + number); }

static void prepare_signals(void) {
    if (getpid() != 1) return;
    signal(SIGINT, end_by_signal);
    signal(SIGTERM, end_by_signal);
}

int main(int argc, char **argv) {
    struct args args;
    mote_error error;
    prepare_signals();
    int code;
    if (args_parse(&args, argc, argv, &error) != MOTE_OK) code = report_usage("%s", error.message);
    else if (args.help) code = cmd_help(&args);
    else code = command_table[args.command].run(&args);
    args_deinit(&args);
    return finish_output(code);
}
