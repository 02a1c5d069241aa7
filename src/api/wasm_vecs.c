/* wasm_vecs.c - the standard C API's vectors: of bytes, of values, of pointers to what is owned. One that could not be made is empty. */
#include "api/wasm_api.h"

static void *new_bytes(size_t *size, size_t count) {
    void *data = count ? mote__alloc(mote__wasm_allocator(), count) : NULL;
    *size = data ? count : 0;
    return data;
}

static void *new_elements(size_t *size, size_t count, size_t bytes) {
    void *data = mote__alloc_array_zeroed(mote__wasm_allocator(), count, bytes);
    *size = data ? count : 0;
    return data;
}

/* ---------------------------------------------------------------- bytes */

void wasm_byte_vec_new_empty(wasm_byte_vec_t *out) { *out = (wasm_byte_vec_t)WASM_EMPTY_VEC; }
void wasm_byte_vec_new_uninitialized(wasm_byte_vec_t *out, size_t size) { out->data = new_bytes(&out->size, size); }

void wasm_byte_vec_new(wasm_byte_vec_t *out, size_t size, const wasm_byte_t data[]) {
    wasm_byte_vec_new_uninitialized(out, size);
    if (out->data) memcpy(out->data, data, size);
}

void wasm_byte_vec_copy(wasm_byte_vec_t *out, const wasm_byte_vec_t *from) { wasm_byte_vec_new(out, from->size, from->data); }

void wasm_byte_vec_delete(wasm_byte_vec_t *vec) {
    if (!vec) return;
    mote__free(mote__wasm_allocator(), vec->data, vec->size);
    wasm_byte_vec_new_empty(vec);
}

/* ---------------------------------------------------------------- values */

void wasm_val_vec_new_empty(wasm_val_vec_t *out) { *out = (wasm_val_vec_t)WASM_EMPTY_VEC; }
void wasm_val_vec_new_uninitialized(wasm_val_vec_t *out, size_t size) { out->data = new_elements(&out->size, size, sizeof *out->data); }

void wasm_val_vec_new(wasm_val_vec_t *out, size_t size, const wasm_val_t data[]) {
    wasm_val_vec_new_uninitialized(out, size);
    if (out->data) memcpy(out->data, data, size * sizeof *data);
    for (size_t i = 0; !out->data && i < size; i++) {
        wasm_val_t lost = data[i];
        wasm_val_delete(&lost);
    }
}

void wasm_val_vec_copy(wasm_val_vec_t *out, const wasm_val_vec_t *from) {
    wasm_val_vec_new_uninitialized(out, from->size);
    for (size_t i = 0; i < out->size; i++) wasm_val_copy(&out->data[i], &from->data[i]);
}

void wasm_val_vec_delete(wasm_val_vec_t *vec) {
    if (!vec) return;
    for (size_t i = 0; i < vec->size; i++) wasm_val_delete(&vec->data[i]);
    WASM__DELETE_ARRAY(vec->data, vec->size);
    wasm_val_vec_new_empty(vec);
}

/* ---------------------------------------------------------------- pointers */

#define DEFINE_POINTER_VEC(name)                                                                                       \
    void wasm_##name##_vec_new_empty(wasm_##name##_vec_t *out) { *out = (wasm_##name##_vec_t)WASM_EMPTY_VEC; }         \
    void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t *out, size_t size) {                                  \
        out->data = new_elements(&out->size, size, sizeof *out->data);                                                 \
    }                                                                                                                  \
    void wasm_##name##_vec_new(wasm_##name##_vec_t *out, size_t size, wasm_##name##_t *const data[]) {                 \
        wasm_##name##_vec_new_uninitialized(out, size);                                                                \
        if (out->data) memcpy(out->data, data, size * sizeof *data);                                                   \
        for (size_t i = 0; !out->data && i < size; i++) wasm_##name##_delete(data[i]);                                 \
    }                                                                                                                  \
    void wasm_##name##_vec_copy(wasm_##name##_vec_t *out, const wasm_##name##_vec_t *from) {                           \
        wasm_##name##_vec_new_uninitialized(out, from->size);                                                          \
        for (size_t i = 0; i < out->size; i++) {                                                                       \
            out->data[i] = wasm_##name##_copy(from->data[i]);                                                          \
            if (out->data[i] || !from->data[i]) continue;                                                              \
            wasm_##name##_vec_delete(out);                                                                             \
            return;                                                                                                    \
        }                                                                                                              \
    }                                                                                                                  \
    void wasm_##name##_vec_delete(wasm_##name##_vec_t *vec) {                                                          \
        if (!vec) return;                                                                                              \
        for (size_t i = 0; i < vec->size; i++) wasm_##name##_delete(vec->data[i]);                                     \
        WASM__DELETE_ARRAY(vec->data, vec->size);                                                                      \
        wasm_##name##_vec_new_empty(vec);                                                                              \
    }
DEFINE_POINTER_VEC(valtype)
DEFINE_POINTER_VEC(functype)
DEFINE_POINTER_VEC(globaltype)
DEFINE_POINTER_VEC(tabletype)
DEFINE_POINTER_VEC(memorytype)
DEFINE_POINTER_VEC(externtype)
DEFINE_POINTER_VEC(importtype)
DEFINE_POINTER_VEC(exporttype)
DEFINE_POINTER_VEC(frame)
DEFINE_POINTER_VEC(extern)
