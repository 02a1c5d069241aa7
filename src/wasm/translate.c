/* translate.c - the instance of walk.h that all translators share: its consumer is the table w->on (translate.h). */
#define TRANSLATE_C
#include "wasm/translate.h"

#define X(name, params, args)                                                                      \
    static inline void on_##name params { w->on->on_##name args; }
TRANSLATOR_FUNCTIONS(X)
#undef X

#define WALK_EMIT(...)                                                                             \
    do {                                                                                           \
        if (w->live) {                                                                             \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)
#define WALK_TRUSTED 1
#include "wasm/walk.h"

void mote__translate_init(struct walk *w, const struct translator *on, const mote_module *module, const mote_allocator *allocator, mote_error *error) {
    walk_init(w, module, allocator, error);
    w->on = on;
}

void mote__translate_again(struct walk *w, const struct translator *on, const mote_module *module, const mote_allocator *allocator, mote_error *error) {
    w->on = on;
    w->module = module;
    w->types = module->types_registry;
    w->allocator = allocator;
    w->error = error;
}

void mote__translate_deinit(struct walk *w) { walk_deinit(w); }

bool mote__translate_begin(struct walk *w, uint32_t func_index) { return walk_begin_body(w, func_index); }

bool mote__translate_begin_constexpr(struct walk *w, const struct mote__constexpr *expr) {
    w->is_const = true;
    w->global_limit = w->module->global_count;
    return walk_start(w, w->module->bytes.data + expr->body_offset, expr->body_bytes, (struct walk_blocktype){.single = expr->type});
}

void mote__translate_run(struct walk *w) { walk_loop(w); }

mote_status mote__translate_finish(struct walk *w) { return walk_finish_body(w); }

void mote__translate_stop(struct walk *w) { mote__reader_fail(&w->r, w->r.pos, "stopped"); }

bool mote__translate_reserve(struct walk *w, size_t more) { return walk_reserve(w, more); }

void mote__translate_block(struct walk *w, enum mote__op op) { walk_block(w, op); }
void mote__translate_end(struct walk *w) { walk_end(w); }
void mote__translate_br(struct walk *w) { walk_br(w); }
void mote__translate_br_if(struct walk *w) { walk_br_if(w); }
void mote__translate_call(struct walk *w) { walk_call(w, OP_call); }
