/* fanout.c - a hundred operations at once: all of them are begun, and each is taken when it is
 * ready. A store that can do several things together (Redis, SQLite's group commit) does. */
#include <mote/guest.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 100 };

static int32_t handles[COUNT];

static void die(const char *what, int32_t error) {
    fprintf(stderr, "%s: %s\n", what, mote1_error_text(error));
    exit(1);
}

/* Takes all handles in the order in which they become ready; the sum of what they gave. */
static long take_all(const char *what) {
    long sum = 0;
    for (int left = COUNT; left > 0; left--) {
        char text[24] = "";
        int32_t at = mote1_wait(handles, (size_t)left, -1);
        if (at < 0) die("waiting", at);
        int32_t size = mote1_end(handles[at], text, sizeof text - 1, NULL);
        if (size < 0) die(what, size);
        sum += atol(text);
        handles[at] = handles[left - 1];
    }
    return sum;
}

static void begin_all(int32_t op) {
    for (int i = 0; i < COUNT; i++) {
        char key[24], value[24];
        snprintf(key, sizeof key, "fan/%02d", i);
        int size = snprintf(value, sizeof value, "%d", i);
        bool sets = op == MOTE1_STATE_SET;
        handles[i] =
            mote1_begin(op, "store", key, sets ? value : NULL, sets ? (size_t)size : 0, NULL);
        if (handles[i] < 0) die(key, handles[i]);
    }
}

/* The keys of a prefix, a page at a time. */
static int count_keys(void) {
    char hdr[200], run[600], last[64] = "";
    int count = 0;
    for (bool more = true; more;) {
        struct mote1_entries e = {hdr, 0, sizeof hdr, false};
        struct mote1_entry entry;
        size_t at = 0;
        mote1_put_text(&e, "prefix", "fan/");
        mote1_put_number(&e, "limit", 20);
        if (*last) mote1_put_text(&e, "after", last);
        int32_t h = mote1_call(MOTE1_STATE_KEYS, "store", 5, NULL, 0, e.bytes, e.size, 0);
        int32_t size = mote1_read(h, run, sizeof run);
        if (size < 0) die("listing", size);
        for (; mote1_take(run, (size_t)size, &at, &entry); count++)
            snprintf(last, sizeof last, "%.*s", (int)entry.value_size, entry.value);
        char answer = '0';
        mote1_meta(h, "more", 4, &answer, 1);
        more = answer == '1';
        mote1_close(h);
    }
    return count;
}

int main(void) {
    begin_all(MOTE1_STATE_SET);
    take_all("writing");
    begin_all(MOTE1_STATE_GET);
    printf("sum %ld\n", take_all("reading"));
    printf("%d keys\n", count_keys());
    begin_all(MOTE1_STATE_DELETE);
    take_all("removing");
    printf("%d keys\n", count_keys());
    return 0;
}
