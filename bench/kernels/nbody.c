/* nbody.c - five bodies under gravity, leapfrog steps: floating point with square roots and divisions. Size: steps. */
#include "kernel.h"
#include <math.h>

KERNEL(4000000)

enum { BODIES = 5 };

struct body {
    double x, y, z, vx, vy, vz, mass;
};

/* Masses and orbits in round numbers: a heavy one in the middle, four around it. */
static void place(struct body *b) {
    for (int i = 0; i < BODIES; i++) {
        double distance = i * 1.5, speed = i ? sqrt(40.0 / distance) : 0;
        b[i] = (struct body){.x = i % 2 ? distance : 0, .y = i % 2 ? 0 : distance, .z = i * 0.01,
                             .vx = i % 2 ? 0 : -speed, .vy = i % 2 ? speed : 0, .mass = i ? 0.02 / i : 40.0};
    }
}

static void attract(struct body *a, struct body *b, double dt) {
    double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
    double square = dx * dx + dy * dy + dz * dz, pull = dt / (square * sqrt(square));
    a->vx -= dx * b->mass * pull;
    a->vy -= dy * b->mass * pull;
    a->vz -= dz * b->mass * pull;
    b->vx += dx * a->mass * pull;
    b->vy += dy * a->mass * pull;
    b->vz += dz * a->mass * pull;
}

static void step(struct body *b, double dt) {
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) attract(&b[i], &b[j], dt);
    for (int i = 0; i < BODIES; i++) {
        b[i].x += dt * b[i].vx;
        b[i].y += dt * b[i].vy;
        b[i].z += dt * b[i].vz;
    }
}

static uint64_t kernel(uint32_t steps) {
    struct body bodies[BODIES];
    uint64_t sum = 1;
    place(bodies);
    for (uint32_t i = 0; i < steps; i++) step(bodies, 0.001);
    for (int i = 0; i < BODIES; i++) sum = mix(mix(sum, bits_of(bodies[i].x)), bits_of(bodies[i].vz));
    return sum;
}
