/* both.c - one component as files under /state and through mote1: each sees what the other wrote.
 */
#include <mote/guest.h>
#include <stdio.h>

int main(void) {
    char text[100] = "";
    FILE *file = fopen("/state/file", "w");
    if (!file || fputs("written as a file", file) < 0 || fclose(file)) return 1;
    if (mote1_state_get("store", "file", text, sizeof text - 1, NULL) < 0) return 2;
    printf("read by call: %s\n", text);
    if (mote1_state_set("store", "call", "written by call", 15, NULL)) return 3;
    file = fopen("/state/call", "r");
    if (!file || !fgets(text, sizeof text, file) || fclose(file)) return 4;
    printf("read as a file: %s\n", text);
    return remove("/state/call") ? 5 : 0;
}
