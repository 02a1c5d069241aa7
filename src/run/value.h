/* value.h - values of the API against slots of frames, and the handles that root references for the host. */
#ifndef MOTE_RUN_VALUE_H
#define MOTE_RUN_VALUE_H

#include "run/exec.h"

/* ---------------------------------------------------------------- handles (handle.c) */

/* A handle to a reference value; null for null. MOTE_E_LIMIT or MOTE_E_NOMEM. */
mote_status mote__handle_new(mote_store *store, uint64_t value, mote_ref *out, mote_error *error);
/* The reference value; false for a handle that is not (any more) this store's. */
bool mote__handle_get(const mote_store *store, mote_ref ref, uint64_t *value);
void mote__handle_release(mote_store *store, mote_ref ref);
/* Takes a handle out of its scope: it lives until it is released by itself. */
void mote__handle_keep(mote_store *store, mote_ref ref);
/* Scopes: every handle made after the mark and still there is released. */
uint32_t mote__handle_mark(const mote_store *store);
void mote__handle_release_since(mote_store *store, uint32_t mark);

/* ---------------------------------------------------------------- values (value.c) */

/* The kind of a mote_value that holds a value of the type. */
uint8_t mote__value_kind(const struct mote__types *types, valtype type);
/* Writes a value of type `type` to one or two slots. MOTE_E_ARGUMENT if it is of another type or store. Packed types take an i32. */
mote_status mote__value_to_slots(mote_store *store, valtype type, const mote_value *value, uint64_t *slots, mote_error *error);
/* The other way; references get handles. MOTE_E_LIMIT or MOTE_E_NOMEM for want of handles. */
mote_status mote__slots_to_value(mote_store *store, valtype type, const uint64_t *slots, mote_value *out, mote_error *error);
/* The zero value of a type. */
mote_value mote__value_zero(const struct mote__types *types, valtype type);

/* Lists of values laid out one after another in slots: parameters or results of a function type. */
mote_status mote__values_to_slots(mote_store *store, const struct mote__fieldtype *types, size_t count, const mote_value *values,
                                  uint64_t *slots, mote_error *error);
mote_status mote__slots_to_values(mote_store *store, const struct mote__fieldtype *types, size_t count, const uint64_t *slots,
                                  mote_value *values, mote_error *error);

/* Calls a function with values: statuses of mote_call. */
mote_status mote__call_values(mote_store *store, struct mote__func *func, const mote_value *args, mote_value *results, mote_error *error);

#endif
