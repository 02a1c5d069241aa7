/* elsewhere.c - components are not in this program, which stays small, static and quick to start:
 * whatever needs them is handed over, as it was written, to the program beside it (mote-parts),
 * which is the same command with them (cli/parts). */
#define _POSIX_C_SOURCE 200809L
#include "run.h"
#include "os/os.h"
#include <errno.h>
#include <unistd.h>

/* Where it is seen from this program's folder: in a build tree, and installed. */
static const char *const places[] = {"mote-parts", MOTE_PARTS_PROGRAM};

/* The folder of this program; false when the system does not say. */
static bool own_folder(char *out, size_t size) {
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    if (length <= 0) return false;
    out[length] = 0;
    char *slash = strrchr(out, '/');
    if (slash) *slash = 0;
    return slash;
}

/* Becomes the other program; returns only when that did not work. */
static int hand_over(const struct args *args) {
    char folder[4096], path[4096 + 64];
    if (!own_folder(folder, sizeof folder))
        return report_failure("components need the program mote-parts, and the system does not say "
                              "where this one is");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, places[i]);
        execv(path, args->original);
        if (errno != ENOENT) return report_failure("%s: %s", path, mote__os_error_text(errno));
    }
    return report_failure("components need the program mote-parts beside this one; it is built "
                          "where libfyaml-dev and libevent-dev are installed");
}

int cmd_parts(const struct args *args) { return hand_over(args); }

int run_open_components(struct run *run) {
    bool asked = args_find(run->args, OPT_components) || args_find(run->args, OPT_mount) ||
                 args_find(run->args, OPT_allow);
    return asked ? hand_over(run->args) : EXIT_DONE;
}

mote_status run_link_components(struct mote_parts_guest *guest, mote_linker *linker, mote_error *error) {
    (void)guest, (void)linker, (void)error;
    return MOTE_OK;
}

void run_close_components(struct run *run) { (void)run; }
