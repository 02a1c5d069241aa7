/* without_code.c - runs a command where memory for machine code is refused, as hardened systems do: without_code COMMAND ARGUMENT... A filter of system calls
 * fails shared mappings that may be executed, and pages that would become so. Programs and their libraries are mapped privately, and start. Exit code 77:
 * this kernel has no such filters. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NO_FILTERS = 77 };

#define FIELD(name)          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define IF_NOT(value, skip)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define UNLESS(bits, skip)   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (skip))
#define RETURN(value)        BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE               RETURN(SECCOMP_RET_ERRNO | EACCES)

int main(int argc, char **argv) {
    struct sock_filter filter[] = {
        FIELD(nr),
        IF_NOT(SYS_mprotect, 3),
        FIELD(args[2]), UNLESS(PROT_EXEC, 7), REFUSE,
        IF_NOT(SYS_mmap, 5),
        FIELD(args[3]), UNLESS(MAP_SHARED, 3),
        FIELD(args[2]), UNLESS(PROT_EXEC, 1), REFUSE,
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (argc < 2) return 2;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return NO_FILTERS;
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 1;
}
