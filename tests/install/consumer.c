/* consumer.c - somebody else's program: uses the installed headers and library only. Prints the version and a status in words. */
#include <mote/mote.h>
#include <stdio.h>

int main(void) {
    printf("mote %s: %s\n", mote_version(), mote_status_name(MOTE_E_TRAP));
    return mote_features_default() == 0;
}
