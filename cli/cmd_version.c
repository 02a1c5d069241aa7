/* cmd_version.c - mote --version: what this mote is and how it was built. */
#include "cli.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void print_features(bool on) {
    const char *name;
    for (unsigned i = 0; (name = mote_feature_name(i)); i++)
        if ((mote_features_default() >> i & 1) == on) printf(" %s", name);
    putchar('\n');
}

int cmd_version(const struct args *args) {
    printf("mote %s\n", mote_version());
    if (!args_flag(args, OPT_verbose)) return EXIT_DONE;
    printf("compiler: %s\n", COMPILER);
    fputs("features on by default:", stdout);
    print_features(true);
    fputs("features off by default:", stdout);
    print_features(false);
    puts("libraries beside libmote: none");
    return EXIT_DONE;
}
