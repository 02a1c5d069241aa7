/* watch.c - who watches which key (watch.h). */
#include "watch.h"

static bool same_key(const mote_parts_bytes *a, const mote_parts_bytes *b) {
    return a->size == b->size && !memcmp(a->data, b->data, a->size);
}

bool mote__watch_add(struct watch **list, mote_parts_op *op) {
    struct watch *watch = mote__parts_alloc(op, sizeof *watch);
    if (!watch) return false;
    *watch = (struct watch){.next = *list, .op = op};
    *list = watch;
    op->driver = watch;
    return true;
}

bool mote__watch_remove(struct watch **list, const mote_parts_op *op) {
    while (*list && (*list)->op != op) list = &(*list)->next;
    if (!*list) return false;
    *list = (*list)->next;
    return true;
}

bool mote__watch_has(const struct watch *list, const mote_parts_bytes *key) {
    for (; list; list = list->next)
        for (size_t i = 0; i < list->op->item_count; i++)
            if (same_key(&list->op->items[i].whole_key, key)) return true;
    return false;
}

void mote__watch_tell(const struct watch *list, const mote_parts_bytes *key, mote_parts_code code,
                      mote_parts_bytes value, mote_parts_bytes version) {
    for (; list; list = list->next) {
        for (size_t i = 0; i < list->op->item_count; i++) {
            mote_parts_item *item = &list->op->items[i];
            if (!same_key(&item->whole_key, key)) continue;
            item->code = code;
            item->found = value;
            item->version = version;
            list->op->changed(list->op, item);
            item->code = MOTE_PARTS_OK;
            item->found = item->version = (mote_parts_bytes){0};
        }
    }
}

void mote__watch_end(struct watch **list) {
    while (*list) {
        mote_parts_op *op = (*list)->op;
        *list = (*list)->next;
        mote__parts_complete(op, MOTE_PARTS_CANCELLED);
    }
}
