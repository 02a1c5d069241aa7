/* keep.c - keep KEY VALUE [SECONDS]: writes a value, which may live that long; says an error by its
 * words and its number as exit code. */
#include <mote/guest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    struct mote1_options options = {0};
    if (argc < 3) return 99;
    if (argc > 3) options.ttl_s = atoi(argv[3]);
    int32_t code = mote1_state_set("store", argv[1], argv[2], strlen(argv[2]), &options);
    if (code) puts(mote1_error_text(code));
    return -code;
}
