/* insn.h - the enum of the interpreter's instructions, from insn.def. */
#ifndef MOTE_RUN_INSN_H
#define MOTE_RUN_INSN_H

enum mote__insn {
#define INSN(name) I_##name,
#include "run/insn.def"
    I_COUNT
};

#endif
