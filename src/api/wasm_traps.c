/* wasm_traps.c - traps and frames of the standard C API. A trap keeps the places of its backtrace; a frame that is given out holds its instance.
 * Keeps: a trap's message ends with NUL; what a trap owns does not hold its store, so that a trap on the store's own heap holds nothing up. */
#include "api/wasm_api.h"
#include "run/store.h"

/* ---------------------------------------------------------------- making */

static wasm_trap_t *new_trap(wasm_store_t *store, const char *message, size_t bytes) {
    bool ends = bytes && !message[bytes - 1];
    size_t whole = ends ? bytes : bytes + 1;
    char *copy = mote__alloc_zeroed(mote__wasm_allocator(), whole);
    wasm_ref_t *trap = copy ? mote__wasm_object_new(store, OBJECT_TRAP, NULL) : NULL;
    if (!trap) {
        mote__free(mote__wasm_allocator(), copy, whole);
        return NULL;
    }
    if (bytes) memcpy(copy, message, bytes);
    trap->of.trap = (struct trap_info){.message = copy, .message_bytes = whole};
    return (wasm_trap_t *)trap;
}

static wasm_trap_t *no_memory(wasm_store_t *store) { return (wasm_trap_t *)mote__wasm_hold(&store->no_memory.base); }

wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *message) {
    wasm_trap_t *trap = message ? new_trap(store, message->data, message->size) : new_trap(store, "", 1);
    return trap ? trap : no_memory(store);
}

void mote__wasm_trap_free(struct trap_info *trap) {
    mote__free(mote__wasm_allocator(), (void *)(uintptr_t)trap->message, trap->message_bytes);
    WASM__DELETE_ARRAY(trap->frames, trap->frame_count);
}

/* ---------------------------------------------------------------- from failed calls */

static struct frame_place place_of(const struct mote__frame_record *frame) {
    const mote_module *module = frame->instance->module;
    uint64_t offset = mote__frame_offset(frame); /* 0: no memory to find it */
    return (struct frame_place){
        .instance = {frame->instance},
        .func_index = frame->func_index,
        .func_offset = offset ? offset - module->bodies[frame->func_index - module->func_import_count].offset : 0,
        .module_offset = offset,
    };
}

/* Copies the store's last backtrace; without memory for it the trap has none. */
static void take_frames(struct trap_info *trap, const mote_store *store) {
    size_t count = 0;
    while (mote__store_frame(store, count)) count++;
    trap->frames = WASM__NEW_ARRAY(struct frame_place, count);
    trap->frame_count = trap->frames ? count : 0;
    for (size_t i = 0; i < trap->frame_count; i++) trap->frames[i] = place_of(mote__store_frame(store, i));
}

/* An exception's backtrace is recorded where it leaves the outermost call. */
static bool has_backtrace(const wasm_store_t *store, const mote_error *error) {
    return error->status == MOTE_E_TRAP || (error->status == MOTE_E_EXCEPTION && !store->calls);
}

/* The host's trap that ended a call, if that is what the error says; else none. */
static wasm_trap_t *take_pending(wasm_store_t *store, const mote_error *error) {
    wasm_trap_t *trap = store->pending;
    store->pending = NULL;
    if (error && error->status == MOTE_E_TRAP && error->trap == MOTE_TRAP_HOST) return trap;
    wasm_trap_delete(trap);
    return NULL;
}

static wasm_trap_t *trap_for(wasm_store_t *store, const mote_error *error) {
    wasm_trap_t *trap = take_pending(store, error);
    if (!trap && error->status != MOTE_E_NOMEM) trap = new_trap(store, error->message, strlen(error->message));
    if (!trap) trap = no_memory(store);
    if (trap != &store->no_memory && has_backtrace(store, error) && !trap->base.of.trap.frame_count)
        take_frames(&trap->base.of.trap, store->store);
    return trap;
}

uint32_t mote__wasm_call_begin(wasm_store_t *store) {
    mote__wasm_store_enter(store); /* the host may let go of everything meanwhile */
    store->calls++;
    return mote_refs_mark(store->store);
}

wasm_trap_t *mote__wasm_call_end(wasm_store_t *store, uint32_t mark, const mote_error *error) {
    wasm_trap_t *trap = NULL;
    store->calls--;
    if (error && error->status == MOTE_E_EXCEPTION) mote_ref_release(store->store, mote_store_take_exception(store->store));
    mote_refs_release(store->store, mark);
    if (error) {
        store->error = *error;
        trap = trap_for(store, error);
    } else {
        take_pending(store, NULL);
    }
    mote__wasm_store_leave(store);
    return trap;
}

/* ---------------------------------------------------------------- reading */

void wasm_trap_message(const wasm_trap_t *trap, wasm_message_t *out) {
    wasm_name_new(out, trap->base.of.trap.message_bytes, trap->base.of.trap.message);
}

struct wasm_frame_t {
    struct frame_place place;
    wasm_instance_t *instance; /* held */
};

static wasm_frame_t *new_frame(wasm_store_t *store, const struct frame_place *place) {
    wasm_frame_t *frame = WASM__NEW(wasm_frame_t);
    if (!frame) return NULL;
    frame->place = *place;
    frame->instance = mote__wasm_instance(store, place->instance);
    if (frame->instance) return frame;
    WASM__DELETE(frame);
    return NULL;
}

wasm_frame_t *wasm_trap_origin(const wasm_trap_t *trap) {
    const struct trap_info *info = &trap->base.of.trap;
    return info->frame_count ? new_frame(trap->base.store, &info->frames[0]) : NULL;
}

void wasm_trap_trace(const wasm_trap_t *trap, wasm_frame_vec_t *out) {
    const struct trap_info *info = &trap->base.of.trap;
    wasm_frame_vec_new_uninitialized(out, info->frame_count);
    for (size_t i = 0; i < out->size; i++) {
        out->data[i] = new_frame(trap->base.store, &info->frames[i]);
        if (out->data[i]) continue;
        wasm_frame_vec_delete(out);
        return;
    }
}

wasm_instance_t *wasm_frame_instance(const wasm_frame_t *frame) { return frame->instance; }
uint32_t wasm_frame_func_index(const wasm_frame_t *frame) { return frame->place.func_index; }
size_t wasm_frame_func_offset(const wasm_frame_t *frame) { return (size_t)frame->place.func_offset; }
size_t wasm_frame_module_offset(const wasm_frame_t *frame) { return (size_t)frame->place.module_offset; }
wasm_frame_t *wasm_frame_copy(const wasm_frame_t *frame) { return frame ? new_frame(frame->instance->base.store, &frame->place) : NULL; }

void wasm_frame_delete(wasm_frame_t *frame) {
    if (!frame) return;
    wasm_instance_delete(frame->instance);
    WASM__DELETE(frame);
}
