/* module.c - what a module tells about itself: custom sections, names from the name section (core
 * spec, appendix "Custom Sections"), labels of functions for errors; and its end. The name section
 * is not checked at decoding: it is read at each question, and what is broken in it is as if it
 * were not there. */
#include "wasm/module.h"
#include "base/utf8.h"
#include <stdio.h>

/* ---------------------------------------------------------------- custom sections */

static bool span_is(struct span span, const char *text) {
    return span.size == strlen(text) && !memcmp(span.data, text, span.size);
}

const struct mote__custom *mote__module_custom(const mote_module *module, const char *name,
                                               size_t number) {
    for (uint32_t i = 0; i < module->custom_count; i++) {
        const struct mote__custom *custom = &module->customs[i];
        if (span_is(custom->name, name) && !number--) return custom;
    }
    return NULL;
}

/* ---------------------------------------------------------------- names */

enum name_subsection { NAMES_MODULE = 0, NAMES_FUNCTIONS = 1 };

/* Finds a subsection of the name section; an empty reader if there is none. */
static struct reader find_names(const mote_module *module, enum name_subsection wanted) {
    struct reader r, none = {0};
    const struct mote__custom *custom = mote__module_custom(module, "name", 0);
    if (!custom) return none;
    mote__reader_init(&r, custom->bytes.data, custom->bytes.size);
    while (mote__reader_left(&r)) {
        uint8_t id = mote__read_u8(&r);
        struct span contents = mote__read_span(&r, mote__read_u32(&r));
        if (r.failed) return none;
        if (id != wanted) continue;
        mote__reader_init(&r, contents.data, contents.size);
        return r;
    }
    return none;
}

struct span mote__module_name(const mote_module *module) {
    struct reader r = find_names(module, NAMES_MODULE);
    return mote__read_name(&r);
}

struct span mote__module_func_name(const mote_module *module, uint32_t func_index) {
    struct reader r = find_names(module, NAMES_FUNCTIONS);
    uint32_t count = mote__read_u32(&r);
    for (uint32_t i = 0; i < count && !r.failed; i++) {
        uint32_t index = mote__read_u32(&r);
        if (index != func_index) {
            mote__read_span(&r,
                            mote__read_u32(&r)); /* only the name that is asked for is checked */
            continue;
        }
        return mote__read_name(&r);
    }
    return (struct span){0};
}

void mote__module_func_names(const mote_module *module, struct span *names) {
    struct reader r = find_names(module, NAMES_FUNCTIONS);
    uint32_t count = mote__read_u32(&r);
    for (uint32_t i = 0; i < count && !r.failed; i++) {
        uint32_t index = mote__read_u32(&r);
        struct span name = mote__read_name(&r);
        if (!r.failed && index < module->func_count) names[index] = name;
    }
}

/* Cuts a name to at most `size` bytes, between characters. */
static size_t cut_name(struct span name, size_t size) {
    if (name.size <= size) return name.size;
    while (size && (name.data[size] & 0xC0) == 0x80) size--;
    return size;
}

const char *mote__func_label(const mote_module *module, uint32_t func_index, char out[128]) {
    enum { LABEL_BYTES = 128, NAME_BYTES_MAX = 96 };
    struct span name = mote__module_func_name(module, func_index);
    size_t size = cut_name(name, NAME_BYTES_MAX);
    if (!size) {
        snprintf(out, LABEL_BYTES, "function %u", func_index);
        return out;
    }
    out[0] = '$';
    for (size_t i = 0; i < size; i++)
        out[1 + i] = (char)(name.data[i] < 0x20 || name.data[i] == 0x7F ? '?' : name.data[i]);
    snprintf(out + 1 + size, LABEL_BYTES - 1 - size, "%s (function %u)",
             size < name.size ? "..." : "", func_index);
    return out;
}

/* ---------------------------------------------------------------- the end */

void mote__module_free(mote_module *module) {
    if (!module) return;
    const mote_allocator *allocator = module->arena.allocator;
    if (module->code_drop) module->code_drop(module);
    for (uint32_t i = module->group_count; i-- > 0;) mote__recgroup_release(module->groups[i]);
    mote__map_deinit(&module->export_map);
    if (module->owns_bytes)
        mote__free(allocator, (void *)(uintptr_t)module->bytes.data, module->bytes.size);
    mote__arena_deinit(&module->arena);
    MOTE__DELETE(allocator, module);
}
