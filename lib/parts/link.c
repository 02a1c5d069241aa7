/* link.c - the way to a store (driver.h): whether it is there, what went wrong last, when it is
 * tried again. Linked into every loadable driver too. */
#include "set.h"
#include <stdio.h>

static const uint64_t wait_first_ns = 50000000, wait_most_ns = 5000000000;

static uint64_t now_ns(void) { return mote__os_clock_ns(OS_CLOCK_MONOTONIC); }

void mote__link_init(struct parts_link *link, const struct parts_opening *opening,
                     const char *product, void (*again)(struct loop_timer *timer)) {
    struct mote_parts_component *c = opening->component;
    *link = (struct parts_link){.opening = opening, .product = product, .again.run = again};
    link->next = c->links;
    c->links = link;
}

void mote__link_deinit(struct parts_link *link) {
    if (!link->opening) return;
    struct parts_link **at = &link->opening->component->links;
    while (*at && *at != link) at = &(*at)->next;
    if (*at) *at = link->next;
    mote__loop_timer_stop(&link->again);
}

void mote__link_failed(struct parts_link *link) {
    uint64_t wait_ns = wait_first_ns << (link->failures < 7 ? link->failures : 7), chance = 0;
    if (wait_ns > wait_most_ns) wait_ns = wait_most_ns;
    mote__os_random(&chance, sizeof chance);
    link->failures++;
    link->until_ns = now_ns() + wait_ns - chance % (wait_ns / 5);
}

bool mote__link_rests(const struct parts_link *link) {
    return link->failures && now_ns() < link->until_ns;
}

void mote__link_note(struct parts_link *link, mote_parts_state state, const char *why) {
    uint64_t time_ns = mote__os_clock_ns(OS_CLOCK_REALTIME);
    if (why && why != link->why) snprintf(link->why, sizeof link->why, "%s", why);
    if (why) link->error_ns = time_ns;
    if (link->state != state) link->since_ns = time_ns;
    link->state = state;
}

void mote__link_lost(struct parts_link *link, const char *why) {
    uint64_t now = now_ns();
    if (link->state != MOTE_PARTS_AWAY)
        mote__parts_log(link->opening, "%s %s: %s", link->product, link->where, why);
    mote__link_note(link, MOTE_PARTS_AWAY, why);
    if (link->again.run)
        mote__loop_timer_start(link->opening->loop, &link->again,
                               link->until_ns > now ? link->until_ns - now : 0);
}

void mote__link_back(struct parts_link *link) {
    if (link->state == MOTE_PARTS_AWAY)
        mote__parts_log(link->opening, "%s %s: there again", link->product, link->where);
    mote__loop_timer_stop(&link->again);
    link->failures = 0;
    mote__link_note(link, MOTE_PARTS_READY, NULL);
}
