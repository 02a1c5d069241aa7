/* unwind.c - walking the frames of the value stack: looking for an exception's handler, and backtraces.
 * A frame's function follows from its call site (code.h); only the frame that trapped is not at a site, and its code is found by address. */
#include <string.h>

#include "run/code.h"
#include "run/exec.h"
#include "run/gc.h"

static struct mote__instance *frame_instance(const uint64_t *fp) { return (struct mote__instance *)(uintptr_t)fp[FRAME_INSTANCE]; }
static uint64_t *frame_caller(const uint64_t *fp) { return (uint64_t *)(uintptr_t)fp[FRAME_CALLER]; }
static const uint16_t *frame_site(const uint64_t *fp) { return (const uint16_t *)(uintptr_t)fp[FRAME_SITE]; }

/* ---------------------------------------------------------------- exceptions */

/* The innermost handler whose range covers the instruction that ends at `site`; -1: none. Ranges nest, later ones inside. */
static int32_t innermost_handler(const struct mote__code *code, uint32_t site) {
    for (uint32_t i = code->handler_count; i-- > 0;)
        if (code->handlers[i].start < site && site <= code->handlers[i].end) return (int32_t)i;
    return -1;
}

static const struct mote__clause *matching_clause(const struct mote__code *code, const struct mote__handler *h, const struct mote__instance *inst,
                                                  const struct mote__tag *tag) {
    for (uint32_t i = 0; i < h->count; i++) {
        const struct mote__clause *clause = &code->clauses[h->clause + i];
        if (clause->tag == UINT32_MAX || inst->tags[clause->tag] == tag) return clause;
    }
    return NULL;
}

/* Puts what the clause asks for into the frame: values, and the exnref after (or, legacy, before) them. */
static void deliver(struct mote__exec *exec, uint64_t *fp, const struct mote__clause *clause, const struct mote__exception *exception) {
    uint64_t *to = fp + clause->slot;
    if (clause->with_ref && clause->ref_first) *to++ = exec->pending;
    if (clause->tag != UINT32_MAX) {
        uint32_t count = exception->tag->type->param_slots;
        memcpy(to, exception->slots, count * sizeof *to);
        to += count;
    }
    if (clause->with_ref && !clause->ref_first) *to = exec->pending;
}

mote_status mote__unwind(struct mote__exec *exec) {
    struct mote__activation *act = exec->activation;
    const struct mote__exception *exception = (const struct mote__exception *)(const void *)mote__object_at(exec, exec->pending);
    uint64_t *fp = act->fp;
    const uint16_t *site = act->pc;
    while (fp != act->base) {
        const struct mote__code *code = mote__code_of_site(site);
        int32_t h = innermost_handler(code, (uint32_t)(site - code->units));
        for (; h >= 0; h = code->handlers[h].parent) {
            const struct mote__clause *clause = matching_clause(code, &code->handlers[h], frame_instance(fp), exception->tag);
            if (!clause) continue;
            deliver(exec, fp, clause, exception);
            exec->pending = 0;
            act->fp = fp;
            act->pc = code->units + clause->target;
            return MOTE_OK;
        }
        site = frame_site(fp);
        fp = frame_caller(fp);
    }
    if (!act->outer) mote__record_backtrace(exec);
    return MOTE_E_EXCEPTION;
}

/* ---------------------------------------------------------------- backtraces */

static bool contains(const struct mote__code *code, const uint16_t *pc) {
    return code && pc >= code->units && pc <= code->units + code->unit_count;
}

/* The code that a position which is no site belongs to: a search through the module's functions. */
static const struct mote__code *code_at(const mote_module *module, const uint16_t *pc) {
    for (uint32_t i = 0; i < module->func_count - module->func_import_count; i++) {
        const struct mote__code *code = atomic_load_explicit(&module->code[i], memory_order_acquire);
        if (contains(code, pc)) return code;
    }
    return NULL;
}

static void record(mote_store *store, struct mote__instance *instance, const struct mote__code *code, const uint16_t *pc, bool at_site) {
    uint64_t n = store->frame_total++;
    if (!code || code->func_index == UINT32_MAX) {
        store->frame_total--;
        return;
    }
    /* the first frames are kept, and the last ones in a ring behind them */
    uint64_t place = n < MOTE__FRAMES_INNER ? n : MOTE__FRAMES_INNER + (n - MOTE__FRAMES_INNER) % MOTE__FRAMES_OUTER;
    store->frames[place] = (struct mote__frame_record){.instance = instance, .func_index = code->func_index,
                                                       .unit = (uint32_t)(pc - code->units) - at_site};
}

void mote__record_backtrace(struct mote__exec *exec) {
    mote_store *store = exec->store;
    bool at_instruction = exec->at_instruction;
    exec->at_instruction = false;
    store->frame_total = 0;
    for (struct mote__activation *act = exec->activation; act; act = act->outer) {
        const uint16_t *pc = act->pc;
        bool innermost = true;
        for (uint64_t *fp = act->fp; fp != act->base; pc = frame_site(fp), fp = frame_caller(fp), innermost = false) {
            struct mote__instance *instance = frame_instance(fp);
            const struct mote__code *code = innermost ? code_at(instance->module, pc) : mote__code_of_site(pc);
            record(store, instance, code, pc, !at_instruction);
            at_instruction = false;
        }
    }
}

const struct mote__frame_record *mote__store_frame(const mote_store *store, size_t index) {
    uint64_t total = store->frame_total, kept = MOTE__FRAMES_INNER + MOTE__FRAMES_OUTER;
    if (index >= total || index >= kept) return NULL;
    if (index < MOTE__FRAMES_INNER || total <= kept) return &store->frames[index];
    uint64_t oldest = (total - MOTE__FRAMES_INNER) % MOTE__FRAMES_OUTER; /* of the ring */
    return &store->frames[MOTE__FRAMES_INNER + (oldest + index - MOTE__FRAMES_INNER) % MOTE__FRAMES_OUTER];
}

uint64_t mote__frame_offset(const struct mote__frame_record *r) {
    mote_module *module = r->instance->module;
    const struct mote__code *code = atomic_load_explicit(&module->code[r->func_index - module->func_import_count], memory_order_acquire);
    return code ? mote__code_wasm_offset(module, code, r->unit) : 0;
}
