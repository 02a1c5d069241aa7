/* wast.h - scripts of the specification's test suite (.wast) as a list of commands; who runs them
 * is somebody else's business. Modules inside are not parsed: their text (or their bytes) is there
 * to be compiled when the command is run. Spans point into the script's text or into the script's
 * arena: both must outlive the commands. */
#ifndef MOTE_TEXT_WAST_H
#define MOTE_TEXT_WAST_H

#include "base/arena.h"
#include "base/reader.h"

enum wast_kind {
    WAST_MODULE,            /* module: define and instantiate; is_definition: only define */
    WAST_INSTANCE,          /* instantiate the module `target` under `name` */
    WAST_REGISTER,          /* make the instance `target` (empty: the last) importable as `name` */
    WAST_ACTION,            /* action alone: it must return */
    WAST_ASSERT_RETURN,     /* action, results */
    WAST_ASSERT_TRAP,       /* action, message */
    WAST_ASSERT_EXHAUSTION, /* action, message */
    WAST_ASSERT_EXCEPTION,  /* action */
    WAST_ASSERT_MALFORMED,  /* module, message */
    WAST_ASSERT_INVALID,
    WAST_ASSERT_MALFORMED_CUSTOM,
    WAST_ASSERT_INVALID_CUSTOM,
    WAST_ASSERT_UNLINKABLE,     /* module, message: instantiation finds no fitting import */
    WAST_ASSERT_UNINSTANTIABLE, /* module, message: instantiation traps (assert_trap on a module) */
    WAST_THREAD,                /* name, shared, commands: run beside what follows */
    WAST_WAIT                   /* for the thread `name` */
};

enum wast_form { WAST_TEXT, WAST_BINARY, WAST_QUOTE };

/* What to compile. */
struct wast_module {
    enum wast_form form;
    bool is_definition, is_instance; /* is_instance: (module instance ...) where a module is
                                        expected: of `target` */
    struct span name; /* without $; data is NULL when there is none. Everywhere here */
    struct span target;
    struct span source; /* text of the whole (module ...), the bytes, or the quoted text: what a
                           compiler of modules takes */
};

enum wast_value_kind {
    WAST_I32,
    WAST_I64,
    WAST_F32,
    WAST_F64,
    WAST_V128,
    WAST_REF_NULL,   /* heap: code byte of the abstract heap type, 0 for any null */
    WAST_REF_HOST,   /* a host object, inside of wasm's own references: number */
    WAST_REF_EXTERN, /* an external reference to a host object: number */
    WAST_REF_ANY,    /* results only: any reference that is not null */
    WAST_REF_KIND,   /* results only: not null and of the abstract heap type `heap` */
    WAST_EITHER      /* results only: any of choices */
};

enum wast_nan { WAST_NAN_NONE, WAST_NAN_CANONICAL, WAST_NAN_ARITHMETIC };

struct wast_value {
    enum wast_value_kind kind;
    uint8_t heap;                  /* as in the binary format, 0x70 for func ... */
    uint8_t lane_count, lane_bits; /* of a v128 */
    bool lanes_are_floats;
    uint8_t nan[16];  /* enum wast_nan; of the value (nan[0]), or of each lane */
    uint64_t number;  /* bits of numbers, number of host references */
    uint8_t v128[16]; /* little-endian */
    struct wast_value *choices;
    uint32_t choice_count;
};

struct wast_action {
    bool is_get;          /* read a global, else call a function */
    struct span instance; /* empty: the last */
    struct span name;     /* of the export */
    struct wast_value *args;
    uint32_t arg_count;
};

struct wast_command {
    enum wast_kind kind;
    uint32_t line; /* from 1 */
    struct wast_module module;
    struct wast_action action;
    struct wast_value *results;
    uint32_t result_count;
    struct span message;      /* how the specification begins its error */
    struct span name, target; /* see the kinds */
    struct span *shared;      /* threads: modules of the outer script that the thread sees */
    uint32_t shared_count;
    struct wast_command *commands;
    uint32_t command_count;
};

struct wast_script {
    struct arena arena;
    struct wast_command *commands;
    uint32_t command_count;
};

/* Parses a whole script; a text of module fields alone is one module. Errors as in
 * mote__text_to_binary. On success the script is the caller's. */
mote_status mote__wast_parse(const mote_allocator *allocator, struct span text, uint64_t features,
                             struct wast_script *out, mote_error *error);
void mote__wast_deinit(struct wast_script *script);

#endif
