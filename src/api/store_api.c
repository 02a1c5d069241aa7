/* store_api.c - the API of stores: limits, fuel, stopping, attachments, backtraces. */
#include "api/api.h"
#include "run/exec.h"
#include "run/gc.h"
#include "run/value.h"
#include <assert.h>

void mote_limits_init(mote_limits *limits) { mote__limits_init(limits); }

mote_status mote_store_new(mote_engine *engine, const mote_limits *limits, mote_own mote_store **out, mote_error *error) {
    API_ERROR(error);
    assert(engine && out);
    return mote__store_new(engine, limits, out, error);
}

void mote_store_delete(mote_own mote_store *store) { mote__store_delete(store); }
mote_engine *mote_store_engine(const mote_store *store) { return store->engine; }

void mote_store_set_fuel(mote_store *store, uint64_t fuel) { store->exec->fuel = fuel; }
uint64_t mote_store_fuel(const mote_store *store) { return store->exec->fuel; }

void mote_store_set_fuel_source(mote_store *store, mote_fuel_source *source, void *context) {
    store->exec->fuel_source = source;
    store->exec->fuel_context = context;
}

void mote_store_interrupt(mote_store *store) { mote__store_stop(store, MOTE_TRAP_INTERRUPTED); }
bool mote_store_interrupted(const mote_store *store) { return mote__exec_interrupt(store->exec) != MOTE_TRAP_NONE; }

mote_status mote_store_set_timeout(mote_store *store, uint64_t timeout_ns, mote_error *error) {
    API_ERROR(error);
    return mote__store_set_timeout(store, timeout_ns, error);
}

void mote_store_collect(mote_store *store) { mote__gc_collect(store); }
uint64_t mote_store_gc_bytes(const mote_store *store) { return mote__gc_bytes(store); }
uint64_t mote_store_memory_bytes(const mote_store *store) { return store->memory_bytes; }

mote_status mote_store_attach(mote_store *store, const void *key, void *data, void (*drop)(void *data), mote_error *error) {
    API_ERROR(error);
    return mote__store_attach(store, (struct mote__attachment){key, data, drop}, error);
}

void *mote_store_attached(const mote_store *store, const void *key) { return mote__store_attached(store, key); }

/* ---------------------------------------------------------------- backtraces */

bool mote_store_frame(const mote_store *store, size_t index, mote_frame *out) {
    const struct mote__frame_record *frame = mote__store_frame(store, index);
    if (!frame) return false;
    *out = (mote_frame){.module = frame->instance->module, .func_index = frame->func_index, .offset = mote__frame_offset(frame)};
    out->func_name = mote__name_of(mote__module_func_name(out->module, frame->func_index));
    return true;
}

uint64_t mote_store_frame_total(const mote_store *store) { return store->frame_total; }

mote_ref mote_store_take_exception(mote_store *store) {
    mote_error unwanted;
    mote_ref ref = MOTE_REF_NULL;
    if (mote__handle_new(store, store->exception, &ref, &unwanted) == MOTE_OK) store->exception = 0;
    return ref;
}
