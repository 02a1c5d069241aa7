/* sem_portable_test.c - sem_simd_test.c with the portable part of sem_simd.h, whatever the machine. */
#define MOTE_SEM_PORTABLE 1
#include "sem_simd_test.c"
