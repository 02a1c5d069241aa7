/* bytecode.c - an interpreter of a small stack machine, running a prime sieve and a checksum: a switch in a loop. Size: runs. */
#include "kernel.h"

KERNEL(700)

enum op { PUSH, LOAD, STORE, PEEK, POKE, ADD, SUB, MUL, XOR, LESS, DUP, DROP, JUMP, JUMP_IF_NOT, HALT };

struct code {
    uint8_t op;
    int32_t operand;
};

enum { I = 0, J = 1, SUM = 2, LIMIT = 8192 };

/* for (i = 2; i < LIMIT; i++) { if (memory[i] == 0) { sum = (sum * 31) ^ i; for (j = i + i; j < LIMIT; j += i) memory[j] = 1; } } */
static const struct code sieve[] = {
    {PUSH, 2}, {STORE, I},                                               /*  0 */
    {LOAD, I}, {PUSH, LIMIT}, {LESS, 0}, {JUMP_IF_NOT, 35},              /*  2 */
    {PUSH, 1}, {LOAD, I}, {PEEK, 0}, {SUB, 0}, {JUMP_IF_NOT, 30},        /*  6: 1 - memory[i] */
    {LOAD, SUM}, {PUSH, 31}, {MUL, 0}, {LOAD, I}, {XOR, 0}, {STORE, SUM}, /* 11 */
    {LOAD, I}, {DUP, 0}, {ADD, 0}, {STORE, J},                           /* 17 */
    {LOAD, J}, {PUSH, LIMIT}, {LESS, 0}, {JUMP_IF_NOT, 30},              /* 21 */
    {LOAD, J}, {PUSH, 1}, {POKE, 0}, {LOAD, J}, {JUMP, 32},              /* 25 */
    {JUMP, 37}, {HALT, 0},                                               /* 30 */
    {LOAD, I}, {ADD, 0}, {JUMP, 41},                                     /* 32: j += i */
    {HALT, 0}, {HALT, 0},                                                /* 35 */
    {LOAD, I}, {PUSH, 1}, {ADD, 0}, {JUMP, 43},                          /* 37: i += 1 */
    {STORE, J}, {JUMP, 21},                                              /* 41 */
    {STORE, I}, {JUMP, 2},                                               /* 43 */
};

static int64_t run(const struct code *code, int64_t *locals, uint8_t *memory) {
    int64_t stack[32], *top = stack;
    for (const struct code *at = code;; at++) {
        switch ((enum op)at->op) {
        case PUSH: *++top = at->operand; break;
        case LOAD: *++top = locals[at->operand]; break;
        case STORE: locals[at->operand] = *top--; break;
        case PEEK: *top = memory[*top & (LIMIT - 1)]; break;
        case POKE: memory[top[-1] & (LIMIT - 1)] = (uint8_t)*top, top -= 2; break;
        case ADD: top[-1] += *top, top--; break;
        case SUB: top[-1] -= *top, top--; break;
        case MUL: top[-1] = (int64_t)((uint64_t)top[-1] * (uint64_t)*top), top--; break;
        case XOR: top[-1] ^= *top, top--; break;
        case LESS: top[-1] = top[-1] < *top, top--; break;
        case DUP: top[1] = *top, top++; break;
        case DROP: top--; break;
        case JUMP: at = code + at->operand - 1; break;
        case JUMP_IF_NOT: at = *top-- ? at : code + at->operand - 1; break;
        case HALT: return locals[SUM];
        }
    }
}

static uint64_t kernel(uint32_t runs) {
    static uint8_t memory[LIMIT];
    int64_t locals[3] = {0};
    uint64_t sum = 1;
    for (uint32_t i = 0; i < runs; i++) {
        memset(memory, 0, sizeof memory);
        sum = mix(sum, (uint64_t)run(sieve, locals, memory));
    }
    return sum;
}
