/* os_linux.c - the part of os.h that needs Linux: faults, futexes, stack bounds, affinity,
 * getrandom. Faults are handled on x86-64 and arm64. Works with glibc and musl; kernel headers are
 * not needed (musl's compiler has none). */
#define _GNU_SOURCE
#include "os/os_unix.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- The processor's registers in a signal's context ---- */

#if defined(__x86_64__)
enum { HAVE_FAULTS = 1, RETURN_ADDRESS_BYTES = 8 };
static const greg_t flag_direction = 0x400;

static uintptr_t context_pc(const ucontext_t *context) {
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}
static uintptr_t context_sp(const ucontext_t *context) {
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

static void context_set(ucontext_t *context, uintptr_t pc, uintptr_t sp, uintptr_t argument) {
    greg_t *registers = context->uc_mcontext.gregs;
    registers[REG_RIP] = (greg_t)pc;
    registers[REG_RSP] = (greg_t)sp;
    registers[REG_RDI] = (greg_t)argument;
    registers[REG_EFL] &= ~flag_direction; /* the ABI has it clear at every call */
}
#elif defined(__aarch64__)
enum { HAVE_FAULTS = 1, RETURN_ADDRESS_BYTES = 0 };

static uintptr_t context_pc(const ucontext_t *context) { return context->uc_mcontext.pc; }
static uintptr_t context_sp(const ucontext_t *context) { return context->uc_mcontext.sp; }

static void context_set(ucontext_t *context, uintptr_t pc, uintptr_t sp, uintptr_t argument) {
    context->uc_mcontext.pc = pc;
    context->uc_mcontext.sp = sp;
    context->uc_mcontext.regs[0] = argument;
}
#else
enum { HAVE_FAULTS = 0, RETURN_ADDRESS_BYTES = 0 };

static uintptr_t context_pc(const ucontext_t *context) { return (void)context, 0; }
static uintptr_t context_sp(const ucontext_t *context) { return (void)context, 0; }

static void context_set(ucontext_t *context, uintptr_t pc, uintptr_t sp, uintptr_t argument) {
    (void)context, (void)pc, (void)sp, (void)argument;
}
#endif

void mote__os_fault_redirect(struct os_fault *fault, uintptr_t pc, uintptr_t sp,
                             uintptr_t argument) {
    context_set(fault->context, pc, sp, argument);
}

uintptr_t mote__os_entry_sp(uintptr_t stack_top) {
    return (stack_top & ~(uintptr_t)15) - RETURN_ADDRESS_BYTES;
}

/* ---- Faults ---- */

static const struct {
    int signal;
    enum os_fault_kind kind;
} faults[] = {{SIGSEGV, OS_FAULT_ACCESS}, {SIGBUS, OS_FAULT_BUS}, {SIGFPE, OS_FAULT_ARITHMETIC}};
enum { FAULT_COUNT = sizeof faults / sizeof *faults };

/* Written once, before the handlers that read them are installed. */
static os_fault_callback *fault_callback;
static struct sigaction earlier[FAULT_COUNT];

/* Lets the default action happen: by the same instruction once more, or by the same signal when it
 * was sent. */
static void die_of(int signal_number, bool was_sent) {
    signal(signal_number, SIG_DFL);
    if (was_sent) raise(signal_number);
}

/* Calls a handler with the signals blocked that it asked for; returning from ours restores the
 * mask. */
static void call_handler(const struct sigaction *action, int signal_number, siginfo_t *info,
                         void *context) {
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, signal_number);
    pthread_sigmask(SIG_BLOCK, &action->sa_mask, NULL);
    if (action->sa_flags & SA_NODEFER) pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    if (action->sa_flags & SA_SIGINFO) action->sa_sigaction(signal_number, info, context);
    else action->sa_handler(signal_number);
}

/* What would have happened without us. A fault that is ignored would come again for ever: the
 * kernel ends the process too. */
static void chain(const struct sigaction *action, int signal_number, siginfo_t *info,
                  void *context) {
    bool was_sent = info->si_code <= 0, has_siginfo = action->sa_flags & SA_SIGINFO;
    if (!has_siginfo && action->sa_handler == SIG_IGN && was_sent) return;
    if (!has_siginfo && (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN))
        die_of(signal_number, was_sent);
    else call_handler(action, signal_number, info, context);
}

static size_t fault_index(int signal_number) {
    size_t i = 0;
    while (i < FAULT_COUNT - 1 && faults[i].signal != signal_number) i++;
    return i;
}

/* True when the callback took it. Signals that were sent (code 0 and below) are nobody's fault. */
static bool is_ours(size_t index, const siginfo_t *info, ucontext_t *context) {
    if (info->si_code <= 0) return false;
    struct os_fault fault = {
        .kind = faults[index].kind,
        .address = (uintptr_t)info->si_addr,
        .pc = context_pc(context),
        .sp = context_sp(context),
        .context = context,
    };
    return fault_callback(&fault);
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    int saved_errno = errno;
    size_t index = fault_index(signal_number);
    if (!is_ours(index, info, context)) chain(&earlier[index], signal_number, info, context);
    errno = saved_errno;
}

static void install_handlers(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        sigaction(faults[i].signal, NULL, &earlier[i]);
        sigaction(faults[i].signal, &action, NULL);
    }
}

bool mote__os_fault_install(os_fault_callback *callback) {
    static struct os_mutex mutex;
    if (!HAVE_FAULTS) return false;
    mote__os_mutex_lock(&mutex);
    if (!fault_callback) {
        fault_callback = callback;
        install_handlers();
    }
    mote__os_mutex_unlock(&mutex);
    return true;
}

/* ---- Signal stacks: a guard page, then the stack ---- */

enum {
    AUXILIARY_MINSIGSTKSZ = 51,      /* AT_MINSIGSTKSZ, which older headers lack */
    HANDLER_STACK_BYTES = 64 * 1024, /* for the callback, or a handler that we chain to */
};
static pthread_key_t signal_stack_key;
static bool signal_stack_key_valid;
static struct os_once signal_stack_once;
static _Thread_local bool signal_stack_ready;

/* The kernel's register frame, which wide vector registers make large, and room for handlers. */
static size_t signal_stack_bytes(void) {
    size_t frame_bytes = getauxval(AUXILIARY_MINSIGSTKSZ), mask = mote__os_page_bytes() - 1;
    if (frame_bytes < (size_t)MINSIGSTKSZ) frame_bytes = (size_t)MINSIGSTKSZ;
    return (frame_bytes + HANDLER_STACK_BYTES + mask) & ~mask;
}

/* At the end of a thread. Destructors that run after it and fault on purpose get a new one. */
static void release_signal_stack(void *reservation) {
    size_t guard_bytes = mote__os_page_bytes();
    stack_t current, none = {.ss_flags = SS_DISABLE};
    signal_stack_ready = false;
    bool is_current =
        !sigaltstack(NULL, &current) && current.ss_sp == (uint8_t *)reservation + guard_bytes;
    if (is_current && sigaltstack(&none, NULL)) return;
    mote__os_release(reservation, guard_bytes + signal_stack_bytes());
}

static void make_signal_stack_key(void) {
    signal_stack_key_valid = !pthread_key_create(&signal_stack_key, release_signal_stack);
}

/* Hands the stack to the thread, which frees it at its end. */
static bool adopt_signal_stack(uint8_t *reservation, size_t guard_bytes, size_t stack_bytes) {
    stack_t stack = {.ss_sp = reservation + guard_bytes, .ss_size = stack_bytes};
    if (!mote__os_commit(stack.ss_sp, stack_bytes)) return false;
    if (pthread_setspecific(signal_stack_key, reservation)) return false;
    if (!sigaltstack(&stack, NULL)) return true;
    pthread_setspecific(signal_stack_key, NULL);
    return false;
}

static bool make_signal_stack(void) {
    size_t guard_bytes = mote__os_page_bytes(), stack_bytes = signal_stack_bytes();
    mote__os_once(&signal_stack_once, make_signal_stack_key);
    if (!signal_stack_key_valid) return false;
    uint8_t *reservation = mote__os_reserve(guard_bytes + stack_bytes, 0);
    if (!reservation) return false;
    if (adopt_signal_stack(reservation, guard_bytes, stack_bytes)) return true;
    mote__os_release(reservation, guard_bytes + stack_bytes);
    return false;
}

bool mote__os_fault_thread_init(void) {
    if (signal_stack_ready || !HAVE_FAULTS) return signal_stack_ready;
    stack_t current;
    if (sigaltstack(NULL, &current)) return false;
    signal_stack_ready = !(current.ss_flags & SS_DISABLE) || make_signal_stack();
    return signal_stack_ready;
}

/* ---- Threads ---- */

/* More of a main thread's stack than this is not counted on: mappings may stand where it would
 * grow. */
static const size_t main_stack_bytes_max = (size_t)64 << 20;

/* The kernel puts the program's name at the very top of the main thread's stack; the limit says how
 * far down it may grow. libc is not asked: glibc reads /proc for this, and musl reports only the
 * part that has been touched. */
static bool main_stack(struct os_stack *out) {
    const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);
    struct rlimit limit;
    if (!name || getrlimit(RLIMIT_STACK, &limit)) return false;
    uintptr_t mask = mote__os_page_bytes() - 1;
    out->high = ((uintptr_t)name + strlen(name) + mask) & ~mask;
    size_t bytes =
        limit.rlim_cur < main_stack_bytes_max ? (size_t)limit.rlim_cur : main_stack_bytes_max;
    out->low = (out->high - bytes + mask) & ~mask;
    return true;
}

static bool thread_stack(struct os_stack *out) {
    pthread_attr_t attributes;
    void *low = NULL;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes)) return false;
    bool known = !pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    *out = (struct os_stack){(uintptr_t)low, (uintptr_t)low + bytes};
    return known;
}

static bool contains(const struct os_stack *stack, uintptr_t address) {
    return stack->low <= address && address < stack->high;
}

/* In a child of fork the thread that remains has the process's number but may have another stack:
 * so both are asked. */
bool mote__os_thread_stack(struct os_stack *out) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    struct os_stack stack;
    bool is_main = syscall(SYS_gettid) == getpid();
    bool found = (is_main && main_stack(&stack) && contains(&stack, here)) ||
                 (thread_stack(&stack) && contains(&stack, here));
    if (found) *out = stack;
    return found;
}

/* The kernel refuses sets that are too small for its own: ask with larger ones. */
unsigned mote__os_cpu_count(void) {
    enum { WORDS_MAX = 1024 };
    unsigned long set[WORDS_MAX];
    for (size_t words = 16; words <= WORDS_MAX; words *= 4) {
        long bytes = syscall(SYS_sched_getaffinity, 0, words * sizeof *set, set);
        if (bytes < 0) continue;
        unsigned count = 0;
        for (size_t i = 0; i < (size_t)bytes / sizeof *set; i++)
            count += (unsigned)__builtin_popcountl(set[i]);
        return count ? count : 1;
    }
    return 1;
}

/* ---- Waiting ---- */

enum { FUTEX_WAKE_PRIVATE_OP = 1 | 128, FUTEX_WAIT_BITSET_PRIVATE_OP = 9 | 128 };

/* What SYS_futex takes: longs, also where time_t is wider than that. */
struct futex_time {
    long seconds, nanoseconds;
};

static struct futex_time to_futex_time(uint64_t ns) {
    uint64_t seconds = ns / OS_NS_PER_S;
    return (struct futex_time){seconds < LONG_MAX ? (long)seconds : LONG_MAX,
                               (long)(ns % OS_NS_PER_S)};
}

enum os_wait mote__os_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
    struct futex_time deadline = to_futex_time(deadline_ns);
    int saved_errno = errno;
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE_OP, expected,
                          deadline_ns == OS_NEVER ? NULL : &deadline, NULL, UINT32_MAX);
    int why = result ? errno : 0;
    errno = saved_errno;
    return why == ETIMEDOUT ? OS_WAIT_TIMED_OUT : why == EAGAIN ? OS_WAIT_DIFFERENT : OS_WAIT_WOKEN;
}

void mote__os_wake(const _Atomic uint32_t *word, uint32_t count) {
    int saved_errno = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE_OP, count < INT_MAX ? (int)count : INT_MAX, NULL,
            NULL, 0);
    errno = saved_errno;
}

/* ---- Random bytes ---- */

bool mote__os_random(void *out, size_t bytes) {
    uint8_t *at = out;
    while (bytes) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return mote__os_unix_random(at, bytes);
        at += got;
        bytes -= (size_t)got;
    }
    return true;
}

/* ---- Machine code ---- */

enum { MEMFD_CLOEXEC = 1 }; /* the kernel's number: older headers of libc lack it */

/* Two views of a file in memory: to write, and at `run` to execute. */
static bool map_file(uint8_t *run, struct os_code *code) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur < code->code_bytes) return false; /* making it larger than that would end the process */
    int fd = (int)syscall(SYS_memfd_create, "mote-code", MEMFD_CLOEXEC);
    if (fd < 0) return false;
    void *write = MAP_FAILED;
    if (!ftruncate(fd, (off_t)code->code_bytes) && mmap(run, code->code_bytes, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED)
        write = mmap(NULL, code->code_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (write == MAP_FAILED) {
        close(fd);
        return false;
    }
    code->write = write;
    code->fd = fd;
    return true;
}

/* The same of memory without a name: asking for a shared mapping of 0 bytes to be moved makes a second one. */
static bool map_nameless(uint8_t *run, struct os_code *code) {
    uint8_t *write = mmap(NULL, code->code_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (write == MAP_FAILED) return false;
    code->write = write;
    if (mremap(write, 0, code->code_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, run) != MAP_FAILED && !mprotect(run, code->code_bytes, PROT_READ | PROT_EXEC))
        return true;
    munmap(write, code->code_bytes);
    return false;
}

bool mote__os_code_map(size_t code_bytes, size_t data_bytes, bool nameless, struct os_code *out) {
    uint8_t *all = mote__os_map(code_bytes + data_bytes); /* data; code is mapped over its first part */
    struct os_code code = {.execute = all, .code_bytes = code_bytes, .data_bytes = data_bytes, .fd = -1};
    if (!all) return false;
    bool mapped = (!nameless && map_file(all, &code)) || map_nameless(all, &code);
    if (mapped) *out = code;
    else mote__os_release(all, code_bytes + data_bytes);
    return mapped;
}

/* Private and not of a file: what is dropped is zero when it is touched next. */
bool mote__os_clear(void *start, size_t bytes) { return !bytes || !madvise(start, bytes, MADV_DONTNEED); }

/* madvise takes whole pages of the system's own size. */
void mote__os_prefer_large_pages(void *start, size_t bytes) {
    uintptr_t page = mote__os_page_bytes(), first = ((uintptr_t)start + page - 1) & ~(page - 1), end = ((uintptr_t)start + bytes) & ~(page - 1);
    if (first < end) madvise((void *)first, end - first, MADV_HUGEPAGE);
}

void mote__os_code_unmap(const struct os_code *code) {
    munmap(code->write, code->code_bytes);
    if (code->fd >= 0) close(code->fd);
    mote__os_release(code->execute, code->code_bytes + code->data_bytes);
}

void mote__os_code_write(const struct os_code *code, size_t offset, const void *bytes, size_t count) {
    size_t done = 0;
    for (ssize_t n = code->fd < 0 ? 0 : 1; n > 0 && done < count; done += n > 0 ? (size_t)n : 0)
        n = pwrite(code->fd, (const uint8_t *)bytes + done, count - done, (off_t)(offset + done));
    memcpy(code->write + offset + done, (const uint8_t *)bytes + done, count - done);
}

void mote__os_code_discard(const struct os_code *code, size_t offset, size_t bytes) {
    madvise(code->write + offset, bytes, MADV_REMOVE);
}
