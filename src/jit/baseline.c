/* baseline.c - the policy of the baseline compiler: one pass over a validated body (translate.h), which keeps for every operand where its value is and emits
 * code only when something must happen.
 *
 * An operand is a constant, a local (not copied until it must be), a temporary register, the processor's flags (a comparison that a branch may use), or
 * its own canonical slot, which follows from what is below it (as in run/lower.c). The locals that are used most, weighted by loop depth and counted in
 * a quick look through the body, are pinned: each has a register for the whole function. A pin is valid when its register holds the local, and dirty when the slot
 * does not; calls store the dirty ones and leave none valid, so that locals are loaded again when they are next used. Other locals are in their slots, and
 * a temporary that was just loaded from or stored to one is remembered to hold it as well. A load that only the next instruction takes is held back
 * and becomes its operand (baseline_fold.h).
 * At block boundaries operands are in their slots or constant, except the single result of a label, which is in rax or xmm0; which pins are valid at a
 * label is decided by the first branch to it (loops: those that the loop uses).
 *
 * Whatever has no machine code of its own is one instruction of the interpreter, run on the operands' slots by a helper ("step").
 *
 * Keeps: every live value is in its slot at each site (call, allocation, throw); an i32 in a register or slot is zero-extended.
 * Cost: linear in the body. Left to the interpreter: functions whose frames are too large for 16-bit slots. */
enum location { LOC_SLOT, LOC_LOCAL, LOC_CONST, LOC_REG, LOC_FLAGS, LOC_LOAD };

#define TRANSLATION struct compilation
#include "jit/jit.h"
#include "run/draft.h"
#include "wasm/limits.h"
#include <assert.h>

struct fixup {
    uint32_t at;   /* of a distance in the code, or an entry of the br_tables */
    bool in_table;
    uint32_t next; /* index + 1 */
};

/* Code out of line, at the function's end. */
enum stub_kind { STUB_TRAP, STUB_STOP, STUB_RESOLVE, STUB_TRUNCATE, STUB_CONVERT, STUB_UNALIGNED, STUB_FUEL, STUB_STEP, STUB_HELP, STUB_PAD, STUB_CANONICAL };
enum pad_kind { PAD_LABEL, PAD_LOOP, PAD_BODY };
struct stub {
    uint8_t kind, trap;
    uint8_t how;     /* STUB_TRUNCATE: bits of baseline_convert.h; STUB_HELP: the helper; STUB_PAD: pad_kind */
    bool wide;       /* STUB_CONVERT: to an f64; STUB_CANONICAL: of one */
    int8_t reg, to;  /* operand and result; STUB_UNALIGNED: base and index */
    int8_t scratch[2];
    uint32_t at;     /* the distance that leads here */
    uint32_t back;   /* where to go on, if it does */
    uint32_t a, b;   /* table, type id; STUB_UNALIGNED: where the access ends; STUB_FUEL: the cost; STUB_STEP: first unit and node; STUB_HELP: a number;
                      * STUB_PAD: clause; place's index, loop's place, or slots of parameters */
    uint32_t list;   /* STUB_STEP, STUB_HELP, STUB_RESOLVE: jumps that lead here */
    uint32_t pins;   /* ... valid where it goes on; STUB_PAD: the same, or slots of several results */
    int32_t slot;    /* STUB_STEP: of the result; STUB_PAD: of what was delivered */
    valtype type;    /* STUB_PAD: of the label's single value */
    const uint8_t *op_pos;
};

struct pin {
    uint32_t local;
    int32_t slot;
    int8_t reg;
    bool is_float;
    valtype type;
};

/* What is counted of a loop (baseline_count.h): a bit per local, by its number's low bits; whether there are calls or loops in it. */
struct loop_use {
    uint64_t used, set;
    bool calls;
};

/* A block that is open while uses are counted: what held before it. */
struct count_frame {
    bool is_loop, dead; /* dead: opened in dead code */
    uint32_t weight;    /* of a use */
    uint32_t loop;      /* innermost loop's number + 1 */
};

struct literal_use { uint32_t at, unit; };
struct table_use { uint32_t at, first, count; }; /* the distance to a br_table's entries, and which they are */

enum { PINS_MAX = 16, FAR_SLOT = 30000 };

struct compilation {
    const mote_allocator *allocator;
    const struct jit_engine *jit;
    const struct jit_module *jm;
    struct code_buffer *b;
    struct jit_output *out;
    bool failed;    /* out of memory */
    bool left;      /* something is not compiled */
    bool fuel, canonical_nans; /* as the engine's configuration says */
    bool fixed;     /* memory 0 is guarded: its first byte's address is in REG_MEMORY */
    struct mote__instance_layout layout;
    bool cpu_floor; /* instructions of every processor alone */
    uint32_t loops_seen;
    uint64_t call_weight;
    uint32_t pin_count, valid, dirty;
    uint32_t owned[2];       /* temporaries that hold an operand */
    uint32_t locked[2];      /* temporaries that the instruction at hand uses */
    uint32_t caches[2];      /* temporaries that also hold what is in a local's slot */
    uint32_t clock;
    int64_t flags_at;        /* stack index of the operand in the flags, or -1 */
    int64_t load_at;         /* stack index of the load that is held back, or -1 */
    const uint8_t *load_pos; /* ... and the instruction */
    uint32_t flushed;        /* operands below this index are in their slots or constant */
    uint32_t noded;          /* operands below this index have their `node` */
    int32_t first_slot, max_slot;
    uint32_t stamp, frame_at; /* where the frame's size stands in the prologue */
    uint32_t fuel_cost, fuel_at, fuel_stub; /* the open segment's cost so far, where it is to stand, and its code out of line; cost 0: none is open */
    int64_t watch;            /* byte whose wasm offset is wanted, or -1 */
    const uint8_t *watch_pos;
    struct jit_places *places; /* all of them, if somebody wants to know; watch is INT64_MAX then */
    const uint8_t *module_bytes;
    /* From here on nothing is cleared for the next function: what is empty is so by its count, or by the bits of `owned` and `caches`. */
    VEC(struct fixup) fixups;
    VEC(struct stub) stubs;
    struct mote__draft draft; /* the code's tables */
    VEC(uint16_t) literals;
    VEC(struct literal_use) literal_uses;
    VEC(uint32_t) table_entries; /* of all br_tables: where in the code each leads to */
    VEC(struct table_use) table_uses;
    VEC(struct float_literal { uint64_t bits; uint32_t unit; }) float_literals;
    VEC(int32_t) local_slots;
    VEC(uint32_t) pad_places; /* of labels that clauses lead to */
    VEC(uint32_t) heads;     /* by local: stack index + 1 of the topmost pending read */
    VEC(uint64_t) weights;   /* by local */
    VEC(uint8_t) pin_of;     /* by local: pin + 1 */
    VEC(struct loop_use) loops;
    VEC(struct count_frame) count_frames;
    struct pin pins[PINS_MAX];
    uint32_t owner[2][16];   /* stack index of the operand in each temporary */
    uint32_t cached[2][16];  /* the local in each temporary */
    uint32_t cached_at[2][16]; /* ... when it was last of use, by `clock` */
};

#include "wasm/translate.h"

#include "jit/baseline_operand.h"
#include "run/translation.h"
#include "jit/baseline_control.h"
#include "jit/baseline_fuel.h"
#include "jit/baseline_fold.h"
#include "jit/baseline_compute.h"
#include "jit/baseline_canonical.h"
#include "jit/baseline_convert.h"
#include "jit/baseline_memory.h"
#include "jit/baseline_vector.h"
#include "jit/baseline_recipes.h"
#include "jit/baseline_reference.h"
#include "jit/baseline_object.h"
#include "jit/baseline_ops.h"
#include "jit/baseline_count.h"
#include "jit/baseline_function.h"
