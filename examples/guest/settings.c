/* settings.c - configuration, a secret and a lock: only one of several programs that run at once
 * becomes the leader, and follows a setting until it says `stop`. */
#include <mote/guest.h>
#include <stdio.h>
#include <string.h>

/* Prints changes of the colour until it is `stop`. */
static int follow(void) {
    char run[400], value[100] = "";
    int32_t watch = mote1_configuration_watch("settings", "colour");
    while (strcmp(value, "stop") != 0) {
        struct mote1_entry entry;
        size_t at = 0;
        int32_t size = mote1_read(watch, run, sizeof run);
        if (size < 0) return fprintf(stderr, "watching: %s\n", mote1_error_text(size)), 1;
        strcpy(value, "(none)");
        while (mote1_take(run, (size_t)size, &at, &entry))
            if (mote1_is(&entry, "value"))
                snprintf(value, sizeof value, "%.*s", (int)entry.value_size, entry.value);
        printf("colour: %s\n", value);
        fflush(stdout);
    }
    return mote1_close(watch) != 0;
}

int main(int argc, char **argv) {
    char secret[100] = "", colour[100] = "";
    int32_t taken = mote1_lock("locks", "leader", argv[0], 30);
    if (taken == -MOTE1_CONFLICT) return puts("somebody else leads"), 3;
    if (taken < 0) return fprintf(stderr, "lock: %s\n", mote1_error_text(taken)), 1;
    int32_t size = mote1_secret_get("vault", "EXAMPLE_SECRET", secret, sizeof secret - 1);
    printf("secret: %s\n", size < 0 ? mote1_error_text(size) : secret);
    size = mote1_configuration_get("settings", "colour", colour, sizeof colour - 1);
    printf("colour: %s\n", size < 0 ? mote1_error_text(size) : colour);
    fflush(stdout);
    int code = argc > 1 ? follow() : 0;
    int32_t given = mote1_unlock("locks", "leader", argv[0]);
    if (given < 0) return fprintf(stderr, "unlock: %s\n", mote1_error_text(given)), 1;
    return code;
}
