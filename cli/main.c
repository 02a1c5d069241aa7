/* main.c - the command mote: parses the arguments, runs the command. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
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

/* A standard descriptor that mote was started without must not become that of the next file or directory, into which messages would go then. What
 * is put there cannot be read (0) or written (1, 2) either, so that the program and mote see the error. */
static void occupy_standard_descriptors(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv) {
    struct args args;
    mote_error error;
    occupy_standard_descriptors();
    prepare_signals();
    int code;
    if (args_parse(&args, argc, argv, &error) != MOTE_OK) code = report_usage("%s", error.message);
    else if (args.help) code = cmd_help(&args);
    else code = command_table[args.command].run(&args);
    args_deinit(&args);
    return finish_output(code);
}
