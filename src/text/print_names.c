/* print_names.c - the name section, and identifiers made from it (core spec, appendix "Name
 * Section"). A name becomes an identifier where it is the first of its kind; a second bearer keeps
 * it in an annotation and is referred to by number. Keeps: a malformed or senseless name section
 * never fails the printing; its names are left out. */
#include "text/print.h"
#include "base/utf8.h"
#include "text/lexer.h"

const struct name_entry *mote__find_name(const struct name_list *list, uint32_t index) {
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->entries[middle].index < index) low = middle + 1;
        else high = middle;
    }
    bool found = low < list->count && list->entries[low].index == index;
    return found ? &list->entries[low] : NULL;
}

/* ---- Loading. ---- */

/* Marks the first of every name. */
static mote_status mark_ids(struct printer *p, struct name_list *list) {
    struct map seen;
    mote_status status = MOTE_OK;
    mote__map_init(&seen, p->allocator);
    for (uint32_t i = 0; i < list->count && status == MOTE_OK; i++) {
        struct name_entry *entry = &list->entries[i];
        bool added = false;
        if (!entry->name.size) continue;
        if (!mote__map_put(&seen, entry->name.data, entry->name.size, &added))
            status = mote__error_nomem(p->error, "printing names");
        entry->is_id = added;
    }
    mote__map_deinit(&seen);
    return status;
}

/* Reads a name map, keeping indices below `count`; what follows something malformed or out of order
 * is left out. */
static mote_status read_names(struct printer *p, struct reader in, uint32_t count,
                              struct name_list *list) {
    *list = (struct name_list){0};
    uint32_t said = mote__read_u32(&in), room = said;
    if (room > mote__reader_left(&in) / 2) room = (uint32_t)(mote__reader_left(&in) / 2);
    list->entries = MOTE__ARENA_ARRAY(&p->arena, struct name_entry, room);
    if (!list->entries) return mote__error_nomem(p->error, "printing names");
    for (uint32_t i = 0; i < room; i++) {
        uint32_t index = mote__read_u32(&in);
        struct span name = mote__read_name(&in);
        bool in_order = !list->count || index > list->entries[list->count - 1].index;
        if (in.failed || !in_order || index >= count) break;
        list->entries[list->count++] = (struct name_entry){.index = index, .name = name};
    }
    return MOTE_OK;
}

static void open_cursor(struct name_cursor *cursor, struct reader in) {
    cursor->left = mote__read_u32(&in);
    cursor->in = in;
    cursor->waiting = false;
}

static struct name_cursor *cursor_of(struct printer *p, enum names kind) {
    return kind == NAMES_LOCAL ? &p->locals : kind == NAMES_LABEL ? &p->labels : &p->fields;
}

static mote_status load_subsection(struct printer *p, enum names kind, struct reader in,
                                   bool *useful) {
    if (kind == NAMES_MODULE) {
        p->module_name = mote__read_name(&in);
        p->has_module_name = !in.failed;
        *useful |= p->has_module_name;
        return MOTE_OK;
    }
    if (mote__names_are_indirect(kind)) {
        open_cursor(cursor_of(p, kind), in);
        *useful |= cursor_of(p, kind)->left != 0;
        return MOTE_OK;
    }
    struct name_list *list = &p->names[kind];
    TRY(read_names(p, in, p->counts[kind], list));
    *useful |= list->count != 0;
    return mark_ids(p, list);
}

mote_status mote__load_names(struct printer *p, bool *useful) {
    struct reader in;
    *useful = false;
    mote__reader_init(&in, p->name_section.data, p->name_section.size);
    while (mote__reader_left(&in)) {
        uint8_t kind = mote__read_u8(&in);
        struct span contents = mote__read_span(&in, mote__read_u32(&in));
        if (in.failed) return MOTE_OK;
        struct reader subsection;
        mote__reader_init(&subsection, contents.data, contents.size);
        if (kind < NAMES_COUNT) TRY(load_subsection(p, (enum names)kind, subsection, useful));
    }
    return MOTE_OK;
}

/* Reads the outer index of the next entry and steps over its names. */
static bool next_entry(struct name_cursor *cursor) {
    if (!cursor->left) return false;
    cursor->left--;
    cursor->index = mote__read_u32(&cursor->in);
    cursor->map = cursor->in;
    uint32_t count = mote__read_u32(&cursor->in);
    for (uint32_t i = 0; i < count && !cursor->in.failed; i++) {
        mote__read_u32(&cursor->in);
        mote__read_span(&cursor->in, mote__read_u32(&cursor->in));
    }
    if (cursor->in.failed) cursor->left = 0;
    return cursor->waiting = !cursor->in.failed;
}

mote_status mote__inner_names(struct printer *p, struct name_cursor *cursor, uint32_t outer,
                              uint32_t count, struct name_list *list) {
    *list = (struct name_list){0};
    while ((!cursor->waiting || cursor->index < outer) && next_entry(cursor)) {}
    if (!cursor->waiting || cursor->index != outer) return MOTE_OK;
    cursor->waiting = false;
    TRY(read_names(p, cursor->map, count, list));
    return mark_ids(p, list);
}

/* ---- Printing. ---- */

static bool is_plain(struct span name) {
    for (size_t i = 0; i < name.size; i++)
        if (!mote__is_id_char(name.data[i])) return false;
    return name.size != 0;
}

void mote__print_id(struct printer *p, struct span name) {
    mote__put_u8(&p->out, '$');
    if (is_plain(name)) mote__put_bytes(&p->out, name.data, name.size);
    else mote__print_string(p, name);
}

void mote__print_binding(struct printer *p, const struct name_list *list, uint32_t index) {
    const struct name_entry *entry = mote__find_name(list, index);
    if (!entry) return;
    mote__put_u8(&p->out, ' ');
    if (entry->is_id) {
        mote__print_id(p, entry->name);
        return;
    }
    mote__print(p, "(@name ");
    mote__print_string(p, entry->name);
    mote__put_u8(&p->out, ')');
}

void mote__print_index_in(struct printer *p, const struct name_list *list, uint32_t index) {
    const struct name_entry *entry = mote__find_name(list, index);
    if (!entry || !entry->is_id) {
        mote__print(p, " %u", (unsigned)index);
        return;
    }
    mote__put_u8(&p->out, ' ');
    mote__print_id(p, entry->name);
}

void mote__print_index(struct printer *p, enum names space, uint32_t index) {
    mote__print_index_in(p, &p->names[space], index);
}

void mote__print_definition(struct printer *p, enum names space, uint32_t index) {
    mote__print_binding(p, &p->names[space], index);
    mote__print(p, " (;%u;)", (unsigned)index);
}
