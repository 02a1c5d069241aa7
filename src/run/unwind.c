/* unwind.c - walking the frames of the value stack: looking for an exception's handler, and backtraces.
 * A frame's function follows from its call site (code.h); only the frame that trapped is not at a site, and its code is found by address. A function
 * that was not entered, since the stack is full or somebody interrupts, is on top in every tier, at its first instruction: for the interpreter its first
 * unit is the site, for compiled code the prologue has the return address. */
#include <string.h>

#include "run/code.h"
#include "run/exec.h"
#include "run/gc.h"
#include "run/tier.h"

static struct mote__instance *frame_instance(const uint64_t *fp) { return (struct mote__instance *)(uintptr_t)fp[FRAME_INSTANCE]; }
static uint64_t *frame_caller(const uint64_t *fp) { return (uint64_t *)(uintptr_t)fp[FRAME_CALLER]; }
static const uint16_t *frame_site(const uint64_t *fp) { return (const uint16_t *)(uintptr_t)fp[FRAME_SITE]; }

/* ---------------------------------------------------------------- frames */

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

void mote__frame_walk_init(struct mote__frame_walk *walk, const struct mote__activation *act) {
    *walk = (struct mote__frame_walk){.activation = act, .fp = act->fp, .pc = act->pc, .sp = act->sp};
}

static void at_compiled(struct mote__frame_walk *walk, struct mote__frame_at *at) {
    mote_module *module = at->instance->module;
    const void *site = (const void *)(uintptr_t)*walk->sp++;
    at->code = module->engine->tier->code_of_site(module, site, &at->offset);
    at->pc = site;
    at->sp = walk->sp;
}

static void at_interpreted(struct mote__frame_walk *walk, struct mote__frame_at *at, bool by_address) {
    at->pc = walk->pc;
    at->code = by_address ? code_at(at->instance->module, at->pc) : mote__code_of_site(at->pc);
    at->offset = at->code ? (uint32_t)(at->pc - at->code->units) : 0;
    walk->pc = frame_site(walk->fp);
}

bool mote__frame_walk_next(struct mote__frame_walk *walk, struct mote__frame_at *at, bool by_address) {
    if (walk->fp == walk->activation->base) return false;
    *at = (struct mote__frame_at){.fp = walk->fp, .instance = frame_instance(walk->fp)};
    if (walk->activation->compiled) at_compiled(walk, at);
    else at_interpreted(walk, at, by_address);
    walk->fp = frame_caller(walk->fp);
    return true;
}

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

/* The clause of a frame that catches, or NULL. */
static const struct mote__clause *catching_clause(const struct mote__frame_at *at, const struct mote__tag *tag) {
    int32_t h = innermost_handler(at->code, at->offset);
    for (; h >= 0; h = at->code->handlers[h].parent) {
        const struct mote__clause *clause = matching_clause(at->code, &at->code->handlers[h], at->instance, tag);
        if (clause) return clause;
    }
    return NULL;
}

/* The activation goes on in a frame at the clause's code. */
static void go_on_at(struct mote__exec *exec, const struct mote__frame_at *at, const struct mote__clause *clause) {
    struct mote__activation *act = exec->activation;
    act->fp = at->fp;
    act->sp = at->sp;
    if (act->compiled) exec->resume = (const uint8_t *)at->pc - at->offset + clause->target;
    else act->pc = at->code->units + clause->target;
}

/* The clause that catches among an activation's frames, and the frame; or NULL. */
static const struct mote__clause *find_clause(const struct mote__activation *act, const struct mote__tag *tag, struct mote__frame_at *at) {
    struct mote__frame_walk walk;
    mote__frame_walk_init(&walk, act);
    while (mote__frame_walk_next(&walk, at, false)) {
        const struct mote__clause *clause = catching_clause(at, tag);
        if (clause) return clause;
    }
    return NULL;
}

/* An exception leaves the innermost activation. If none outside catches it either, now is when all of its backtrace is there; whoever unwinds the next one
 * need not look again. */
static void trace(struct mote__exec *exec, const struct mote__tag *tag) {
    struct mote__frame_at at;
    const struct mote__activation *act = exec->activation->outer;
    if (exec->traced == exec->pending) return;
    exec->traced = exec->pending;
    while (act && !find_clause(act, tag, &at)) act = act->outer;
    if (!act) mote__record_backtrace(exec);
}

mote_status mote__unwind(struct mote__exec *exec) {
    const struct mote__exception *exception = (const struct mote__exception *)(const void *)mote__object_at(exec, exec->pending);
    struct mote__frame_at at;
    const struct mote__clause *clause = find_clause(exec->activation, exception->tag, &at);
    if (!clause) {
        trace(exec, exception->tag);
        if (!exec->activation->outer) exec->traced = 0;
        return MOTE_E_EXCEPTION;
    }
    deliver(exec, at.fp, clause, exception);
    exec->pending = exec->traced = 0;
    go_on_at(exec, &at, clause);
    return MOTE_OK;
}

/* ---------------------------------------------------------------- backtraces */

static void record(mote_store *store, const struct mote__frame_at *at, bool compiled, bool at_site) {
    uint64_t n = store->frame_total;
    if (!at->code || at->code->func_index == UINT32_MAX) return;
    store->frame_total++;
    /* the first frames are kept, and the last ones in a ring behind them */
    uint64_t place = n < MOTE__FRAMES_INNER ? n : MOTE__FRAMES_INNER + (n - MOTE__FRAMES_INNER) % MOTE__FRAMES_OUTER;
    store->frames[place] = (struct mote__frame_record){.instance = at->instance, .func_index = at->code->func_index,
                                                       .unit = at->offset - at_site, .compiled = compiled};
}

void mote__record_backtrace(struct mote__exec *exec) {
    bool at_instruction = exec->at_instruction;
    exec->at_instruction = false;
    exec->store->frame_total = 0;
    for (struct mote__activation *act = exec->activation; act; act = act->outer) {
        struct mote__frame_walk walk;
        struct mote__frame_at at;
        mote__frame_walk_init(&walk, act);
        for (bool innermost = true; mote__frame_walk_next(&walk, &at, innermost); innermost = false) {
            record(exec->store, &at, act->compiled, act->compiled || !at_instruction);
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
    if (r->compiled) return module->engine->tier->wasm_offset(module, r->func_index, r->unit);
    if (r->unit == MOTE__UNIT_ENTRY) return mote__entry_wasm_offset(module, r->func_index);
    const struct mote__code *code = atomic_load_explicit(&module->code[r->func_index - module->func_import_count], memory_order_acquire);
    return code ? mote__code_wasm_offset(module, code, r->unit) : 0;
}
