/* jit.h - the baseline tier's parts: code memory of an engine and of its modules (code.c), what compiled code jumps to and C calls (thunks.c),
 * one function's compilation (baseline.c), and the tier itself (tier.c). Design: docs/design.md, "The baseline compiler". */
#ifndef MOTE_JIT_JIT_H
#define MOTE_JIT_JIT_H

#include "jit/encode_x86_64.h"
#include "jit/tiers.h"
#include "run/exec.h"
#include "run/gc.h"
#include "run/insn.h"
#include "run/tier.h"

/* ---------------------------------------------------------------- code memory (code.c) */

/* Offsets into an engine's code memory: machine code first, then cells. 32 bits are enough. */
typedef uint32_t code_offset;

/* Pieces of machine code that every engine has once, in the order of their addresses. */
#define JIT_THUNKS(X)                                                                              \
    X(ENTER, "enter")         /* C calls it: mote__jit_enter_fn */                                 \
    X(LEAVE, "leave")         /* to C with the status in eax */                                    \
    X(LAZY, "lazy")           /* entry of a function that was never called: compiles it; own index in eax */ \
    X(INTERPRET, "interpret") /* entry of a function that the interpreter runs; own index in eax */ \
    X(HOST, "host")           /* entry of a host function; its struct mote__func in rdx, the instance is still the caller's */ \
    X(HELPER, "helper")       /* calls helper number eax / 8 with rsi, rdx, rcx, r8, r9 */         \
    X(RESOLVE, "resolve")     /* calls the helper of that name; the function is in rdx then */     \
    X(TRAP, "trap")           /* the trap edi at the return address */                             \
    X(OVERFLOW, "overflow")   /* at the entry of the function at the return address: no room for its frame, or an interrupt */ \
    X(STOP, "stop")           /* somebody asked the loop at the return address to stop */ \
    X(CHARGE, "charge")       /* fuel was taken and is not there: exec->returned[0]; all registers stay */
enum thunk {
#define X(ident, name) THUNK_##ident,
    JIT_THUNKS(X)
#undef X
    THUNK_COUNT
};

/* Constants that code refers to: 16 bytes each. */
enum jit_constant {
    K_F32_ABS, K_F64_ABS, K_F32_SIGN, K_F64_SIGN, K_F32_ONE, K_F64_ONE, K_F32_2_23, K_F64_2_52, K_F32_MINUS_2_63, K_F64_MINUS_2_63, K_F32X4_ABS,
    K_F64X2_ABS, K_F32X4_SIGN, K_F64X2_SIGN, K_ONES,
    K_BYTES_1, K_BYTES_0F, K_NIBBLE_COUNTS, K_WORDS_1, K_WORDS_8000, K_DWORDS_FFFF, K_DWORDS_10000, K_DWORDS_2_52, K_F32X4_2_31, K_F64X2_INT32_MAX,
    K_F64X2_UINT32_MAX, K_F64X2_2_52, K_F32X4_NAN, K_F64X2_NAN, K_COUNT
};

struct jit_scratch;
enum { JIT_SCRATCHES = 8 }; /* what so many threads need to compile is kept */
struct jit_engine {
    const mote_allocator *allocator;
    struct os_code map;
    struct os_mutex lock;
    uint64_t *used;              /* a bit per granule, of code then of cells */
    uint32_t code_granules, all_granules, next_code, next_cells;
    code_offset thunks[THUNK_COUNT], thunks_end, constants;
    code_offset host_cell;       /* never changes, so that it stands among the constants */
    int64_t process;             /* that made it: a child of it shares code memory, which is not the child's to write */
    bool rest_taken;             /* what the thunks leave of granule 0 is, or was, a module's */
    bool is_watched;             /* somebody wants to know the names of code: perf_map or debuggers (watch.c) */
    int perf_map;                /* an open file, or -1 */
    struct jit_debug_entry *thunk_entry; /* what debuggers know of the thunks, or NULL */
    struct jit_scratch *_Atomic scratches[JIT_SCRATCHES]; /* of compilations that are over; NULL: none, or in use */
};

/* A compiled function. */
struct jit_function {
    code_offset start, end;
    struct mote__code *tables; /* sites, handlers and clauses count bytes from the start; no units */
};

/* A module's part: its cells, and its functions in the order of their addresses. */
struct jit_module {
    struct jit_engine *engine;
    struct os_mutex lock;
    code_offset cells;
    uint32_t cell_granules;
    code_offset room, room_end; /* free part of the newest piece of code memory */
    VEC(struct jit_piece { code_offset start; uint32_t granules; }) pieces; /* start in granule 0: what the thunks leave of it */
    VEC(struct jit_function) functions;
    struct span *names;          /* by function index, if somebody watches; NULL before that */
    struct jit_debug_entry *debug; /* what debuggers know of its functions */
};

/* MOTE_E_UNSUPPORTED when there is no memory for machine code. */
mote_status mote__jit_engine_new(mote_engine *engine, struct jit_engine **out);
void mote__jit_engine_delete(struct jit_engine *jit);
/* False after a fork, in the child: there nothing more is compiled, and no code memory is given back. */
bool mote__jit_is_at_home(const struct jit_engine *jit);
mote_status mote__jit_module_new(struct jit_engine *jit, uint32_t func_count, struct jit_module **out, mote_error *error);
void mote__jit_module_delete(struct jit_module *jm);
/* Functions, and loops in them, begin with a line of the instruction cache: branch predictors go by lines, and a loop that lies badly in them can take
 * half as long again (bytecode, on Zen). */
enum { JIT_ALIGNMENT = 64 };
/* Room for `bytes` of a module's code, aligned to JIT_ALIGNMENT; MOTE_E_LIMIT when code memory is full, MOTE_E_NOMEM. Under the module's lock. */
mote_status mote__jit_room(struct jit_module *jm, uint32_t bytes, code_offset *out);
/* Lists a function; false when out of memory. Under the module's lock. */
bool mote__jit_list(struct jit_module *jm, struct jit_function function);
/* The function around an offset, or NULL. Takes the module's lock. */
bool mote__jit_find(struct jit_module *jm, code_offset at, struct jit_function *out);

static inline uint8_t *jit_address(const struct jit_engine *jit, code_offset at) { return jit->map.execute + at; }
static inline code_offset jit_offset(const struct jit_engine *jit, const void *address) {
    return (code_offset)((const uint8_t *)address - jit->map.execute);
}

/* ---------------------------------------------------------------- thunks (thunks.c) */

/* Writes all thunks and constants at the start of code memory. */
void mote__jit_make_thunks(struct jit_engine *jit);
typedef uint32_t mote__jit_enter_fn(struct mote__exec *exec, uint64_t *fp, struct mote__instance *instance, void *cell_value, uint32_t own_index);

/* Helpers: what compiled code calls C for. Each takes (exec, rsi, rdx, rcx, r8) and returns 0, a trap, or a status + JIT_STATUS. */
enum { JIT_STATUS = 0x10000 };
#define JIT_HELPERS(X)                                                                             \
    X(step)         /* rsi: units of one lowered instruction and an exit */                       \
    X(throw_)       /* rsi: values, rdx: tag index */                                              \
    X(throw_ref)    /* rsi: exnref */                                                              \
    X(memory_fill)  /* of memory 0, rsi: to, rdx: value, rcx: count */                             \
    X(memory_copy)  /* within memory 0, rsi: to, rdx: from, rcx: count */                         \
    X(table_get)    /* rsi: table index, rdx: element, which is in bounds; the reference is left in exec->returned[0] */ \
    X(ref_func)     /* rsi: function index; the same */                                            \
    X(resolve)      /* rsi: table index, rdx: type id, rcx: element; the function is left in exec->returned[0] */
enum jit_helper {
#define X(name) HELPER_##name,
    JIT_HELPERS(X)
#undef X
    HELPER_COUNT
};

/* What compiled code enters C with (tier.c). */
struct jit_two { uint64_t first, second; };
struct jit_two mote__jit_lazy(struct mote__exec *exec, struct mote__instance *instance, uint32_t own_index);
struct jit_two mote__jit_interpret(struct mote__exec *exec, uint64_t *fp, struct mote__instance *instance, uint32_t own_index);
uint32_t mote__jit_host(struct mote__exec *exec, uint64_t *fp, struct mote__func *func, struct mote__instance *from);
uint32_t mote__jit_fail(struct mote__exec *exec, uint32_t code);
uint32_t mote__jit_stop_reason(struct mote__exec *exec);
uint32_t mote__jit_charge(struct mote__exec *exec);
typedef uint32_t jit_helper_fn(struct mote__exec *exec, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
extern jit_helper_fn *const mote__jit_helpers[HELPER_COUNT];

/* ---------------------------------------------------------------- compiling (baseline.c) */

/* A place in compiled code that depends on where it will be: the 32-bit distance at `at` leads to an offset of code memory. */
struct jit_relocation { uint32_t at; code_offset target; };

/* One function's code before it has a place. */
struct jit_output {
    struct code_buffer code;
    VEC(struct jit_relocation) relocations;
    struct mote__code *tables;
};

enum jit_result { JIT_DONE, JIT_LEFT, JIT_FAILED }; /* left: the interpreter runs it */
/* Compiles an own function. Thread-safe. JIT_FAILED: *status and *error say why. mote__jit_done in any case, when the output has been used. */
enum jit_result mote__jit_compile(mote_module *module, uint32_t own_index, struct jit_scratch **out, mote_status *status, mote_error *error);
struct jit_output *mote__jit_output(struct jit_scratch *scratch);
void mote__jit_done(mote_module *module, struct jit_scratch *scratch);
void mote__jit_scratch_drop(struct jit_engine *jit);
void mote__jit_output_deinit(struct jit_output *out, const mote_allocator *allocator);
/* Compiles again and returns the module offset of the instruction that the byte at `offset` was made from. */
uint64_t mote__jit_wasm_offset(mote_module *module, uint32_t own_index, uint32_t offset);

/* Where a function's code comes from, for people: as mote__jit_wasm_offset, for every instruction (native.c). */
struct jit_places { VEC(mote_native_place) list; };
enum jit_result mote__jit_places(mote_module *module, uint32_t own_index, struct jit_places *out, mote_status *status, mote_error *error);
mote_status mote__jit_native(mote_module *module, uint32_t own_index, mote_native **out, mote_error *error);

/* ---------------------------------------------------------------- who watches code appear: perf and debuggers (watch.c) */

/* Opens what mote_config.perf_map and debug_info ask for; MOTE_E_IO, MOTE_E_NOMEM. */
mote_status mote__jit_watch_begin(mote_engine *engine, struct jit_engine *jit);
void mote__jit_watch_end(struct jit_engine *jit);
/* Tells about a new function; false when out of memory. Under the module's lock. */
bool mote__jit_watch_function(mote_module *module, uint32_t own_index, struct jit_function function);
/* A module's code goes. */
void mote__jit_watch_module_end(mote_module *module);
/* Symbols of all THUNK_COUNT thunks, for code memory at `base`. */
struct object_symbol;
void mote__jit_thunk_symbols(const struct jit_engine *jit, uint64_t base, struct object_symbol *out);

/* ---------------------------------------------------------------- a function's way to its cell (tier.c), and all functions' (eager.c) */

/* The functions that the engine was told to leave to the interpreter, and all in a child of the process that made it. */
bool mote__jit_is_excluded(const mote_module *module, uint32_t own_index);
/* Writes compiled code to `to` as it is to be at `at` of code memory. */
void mote__jit_relocate(const struct jit_output *out, uint8_t *to, code_offset at);
/* Lists a function whose code is in its place and tells who watches; its tables are the module's then. MOTE_E_NOMEM. Under the module's lock. */
mote_status mote__jit_announce(mote_module *module, uint32_t own_index, struct jit_function function);
/* Places what mote__jit_compile made, and publishes it, or what the result says instead, or what somebody else has published; ends with mote__jit_done. What
 * the cell holds then, or NULL with *status. */
void *mote__jit_entry(mote_module *module, uint32_t own_index, enum jit_result result, struct jit_scratch *scratch, mote_status *status, mote_error *error);
/* Compiles a function unless somebody else has, and publishes it: what its cell holds then, or NULL with *status. Thread-safe. */
void *mote__jit_function_entry(mote_module *module, uint32_t own_index, mote_status *status, mote_error *error);
mote_status mote__jit_compile_all(mote_module *module, const struct mote__compile_job *job, mote_error *error);
void mote__jit_code_stats(mote_module *module, mote_code_stats *out);

#endif
