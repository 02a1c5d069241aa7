/* health.c - how components are: what their drivers know (link.c), and what their stores say when
 * they are asked. */
#include "set.h"
#include <stdio.h>

const char *mote_parts_state_text(mote_parts_state state) {
    static const char *const texts[] = {
        [MOTE_PARTS_UNUSED] = "unused", [MOTE_PARTS_READY] = "ready", [MOTE_PARTS_AWAY] = "away"};
    return (unsigned)state < sizeof texts / sizeof *texts ? texts[state] : "unknown";
}

/* ---------------------------------------------------------------- what is known */

/* The link that says how the whole is: one that is away, else one that is ready. */
static const struct parts_link *telling(const struct mote_parts_component *c) {
    const struct parts_link *best = &c->own;
    if (!c->is_open) return best;
    for (const struct parts_link *link = c->links; link; link = link->next)
        if (best == &c->own || link->state > best->state) best = link;
    return best;
}

/* A monotonic time that is yet to come, as one since 1970. */
static uint64_t since_1970(uint64_t due_ns) {
    uint64_t now_ns = mote__os_clock_ns(OS_CLOCK_MONOTONIC);
    return mote__os_clock_ns(OS_CLOCK_REALTIME) + (due_ns > now_ns ? due_ns - now_ns : 0);
}

static void describe(const struct parts_link *link, mote_parts_health *out) {
    *out = (mote_parts_health){.state = link->state,
                               .since_ns = link->since_ns,
                               .failures = link->failures,
                               .error_ns = link->error_ns};
    if (link->again.loop) out->attempt_ns = since_1970(link->again.due_ns);
    if (link->error_ns)
        snprintf(out->error, sizeof out->error, "%s%s%s%s%s", link->product ? link->product : "",
                 link->product ? " " : "", link->where, link->product ? ": " : "", link->why);
}

void mote_parts_health_at(mote_parts *parts, size_t index, mote_parts_health *out) {
    const bool never = false;
    mote__parts_enter(parts);
    mote__loop_run(parts->loop, &never, 0); /* what has happened meanwhile is heard */
    describe(telling(parts->components.data[index]), out);
    mote__parts_leave(parts);
}

/* ---------------------------------------------------------------- asking */

/* What costs a store little and changes nothing: a key that nobody has. */
static const mote_parts_verb questions[BLOCK_COUNT] = {[BLOCK_state] = MOTE_PARTS_GET,
                                                       [BLOCK_secretstores] = MOTE_PARTS_GET,
                                                       [BLOCK_lock] = MOTE_PARTS_UNLOCK,
                                                       [BLOCK_configuration] = MOTE_PARTS_GET};

mote_parts_code mote_parts_probe(mote_parts *parts, const char *component, uint64_t timeout_ns,
                                 char text[200]) {
    static const char key[] = "mote-health";
    const char *nearest;
    const struct mote_parts_component *c = mote__parts_find(parts, component, &nearest);
    mote_parts_item item = {.key = {key, sizeof key - 1}, .value = {key, sizeof key - 1}};
    mote_parts_op op = {.verb = c ? questions[mote__parts_drivers[c->id].block] : MOTE_PARTS_GET,
                        .items = &item,
                        .item_count = 1,
                        .timeout_ns = timeout_ns};
    mote_parts_code code = mote_parts_call(parts, component, &op);
    if (code == MOTE_PARTS_NOT_FOUND && op.verb == MOTE_PARTS_UNLOCK) code = MOTE_PARTS_OK;
    if (text)
        snprintf(text, sizeof op.text, "%s",
                 !code      ? ""
                 : *op.text ? op.text
                            : mote_parts_code_text(code));
    mote_parts_op_deinit(&op);
    return code;
}
