/* parts.c - somebody else's program over the installed libmote-parts: a value goes into each store of a component file and comes back. The argument is the
 * folder of the drivers. */
#include <mote/parts.h>
#include <stdio.h>
#include <string.h>

static const char components[] = "apiVersion: dapr.io/v1alpha1\n"
                                 "kind: Component\n"
                                 "metadata: {name: memory}\n"
                                 "spec: {type: state.in-memory}\n"
                                 "---\n"
                                 "apiVersion: dapr.io/v1alpha1\n"
                                 "kind: Component\n"
                                 "metadata: {name: sqlite}\n"
                                 "spec:\n"
                                 "  type: state.sqlite\n"
                                 "  metadata: [{name: connectionString, value: ':memory:'}]\n";

static int use(mote_parts *parts, const char *component) {
    mote_parts_item item = {.key = {"key", 3}, .value = {"value", 5}};
    mote_parts_op set = {.verb = MOTE_PARTS_SET, .items = &item, .item_count = 1};
    mote_parts_op get = {.verb = MOTE_PARTS_GET, .items = &item, .item_count = 1};
    mote_parts_code code = mote_parts_call(parts, component, &set);
    if (!code) code = mote_parts_call(parts, component, &get);
    printf("%s: %.*s\n", component, code ? 200 : (int)item.found.size, code ? get.text : (const char *)item.found.data);
    mote_parts_op_deinit(&set);
    mote_parts_op_deinit(&get);
    return code != MOTE_PARTS_OK;
}

int main(int argc, char **argv) {
    mote_parts *parts;
    mote_error error;
    mote_parts_config config = {.driver_dir = argc > 1 ? argv[1] : NULL};
    if (mote_parts_new(&config, &parts, &error) || mote_parts_load_text(parts, "text", components, strlen(components), &error)) {
        printf("%s\n", error.message);
        return 1;
    }
    int failed = use(parts, "memory") + use(parts, "sqlite");
    mote_parts_delete(parts);
    return failed;
}
