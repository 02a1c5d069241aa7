/* counter.c - adds to a number that many programs add to at once: read it with its ETag, write it
 * under that ETag, and try again when somebody else was quicker.
 *
 *   clang --target=wasm32-wasi --sysroot=/usr -I include counter.c -o counter.wasm
 *   mote run --components DIR --allow store counter.wasm 10
 */
#include <mote/guest.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what, int32_t error) {
    fprintf(stderr, "%s: %s\n", what, mote1_error_text(error));
    return 1;
}

/* Adds one; what is there now, or an error. */
static int32_t increment(void) {
    for (;;) {
        struct mote1_options options = {0};
        char text[24] = "";
        int32_t size = mote1_state_get("store", "count", text, sizeof text - 1, &options);
        if (size < 0 && size != -MOTE1_NOT_FOUND) return size;
        options.first_write = size < 0;
        int32_t count = atoi(text) + 1;
        int length = snprintf(text, sizeof text, "%d", (int)count);
        int32_t code = mote1_state_set("store", "count", text, (size_t)length, &options);
        if (!code) return count;
        if (code != -MOTE1_CONFLICT) return code;
    }
}

int main(int argc, char **argv) {
    int32_t count = 0;
    for (int i = argc > 1 ? atoi(argv[1]) : 1; i > 0; i--)
        if ((count = increment()) < 0) return fail("counting", count);
    printf("%d\n", (int)count);
    return 0;
}
