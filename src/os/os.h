/* os.h - what mote needs of the operating system: pages, faults, threads, waiting,
 * clocks, random bytes. Implemented by os_linux.c or os_posix.c (what differs) over os_unix.c (what
 * all Unix systems do alike) and os_lock.c (what needs only waiting). The only place with platform
 * conditions. Atomics are those of <stdatomic.h>. Nothing here allocates from the heap. Everything
 * may be called from any thread at any time unless it says otherwise; errors are 0 or an error
 * number of <errno.h>. */
#ifndef MOTE_OS_OS_H
#define MOTE_OS_OS_H

#include "base/reader.h"
#include <stdatomic.h>

/* Says an error number in words; never NULL. Valid until the thread's next call. */
const char *mote__os_error_text(int os_error);

/* ---- Pages. Addresses and sizes are multiples of the page size; parts of ranges are ranges. ---- */

/* Bytes in a page: a power of two, 4096 to 65536. */
size_t mote__os_page_bytes(void);
/* Reserves address space that holds nothing: any access faults. `alignment` is a power of two;
 * below the page size it means that. Returns NULL when the system refuses. Release with
 * mote__os_release. */
void *mote__os_reserve(size_t bytes, size_t alignment);
/* Makes pages readable and writable; those not committed before are zero. False when the system
 * refuses: nothing lost then. */
bool mote__os_commit(void *start, size_t bytes);
/* Reserves and commits at once: zeros, of which nothing is accounted for before it is touched. NULL when the system refuses; mote__os_release. */
void *mote__os_map(size_t bytes);
/* Gives the memory of pages back and makes them inaccessible; zero when committed again. False when
 * the system refuses. */
bool mote__os_decommit(void *start, size_t bytes);
/* Makes committed pages zero again and gives their memory back where the system can; they stay committed. False when it refuses. */
bool mote__os_clear(void *start, size_t bytes);
/* Asks for large pages where whole ones lie inside; any memory that has not been touched. Nothing else changes, and a system without them does nothing. */
void mote__os_prefer_large_pages(void *start, size_t bytes);
/* Gives a whole reservation, or part of one, back to the system. */
void mote__os_release(void *start, size_t bytes);

enum os_access { OS_ACCESS_NONE, OS_ACCESS_READ, OS_ACCESS_READ_WRITE, OS_ACCESS_READ_EXECUTE };
/* Changes what may be done with pages and keeps their contents. False when the system refuses. */
bool mote__os_protect(void *start, size_t bytes, enum os_access access);

/* Memory for machine code, mapped twice: written at `write`, run at `execute`, never both at one address. `data_bytes` of plain memory follow the
 * executable mapping, within reach of its relative addresses. All of it holds nothing until it is written. */
struct os_code {
    uint8_t *execute, *write;
    size_t code_bytes, data_bytes; /* multiples of the page size */
    int fd;                        /* of both, or -1 */
};
/* False when the platform or its policy has no such memory. `nameless`: not a file in memory, in which perf would look for symbols, but memory that the
 * system may account for in full at once. That is also what there is where files may not be so large. */
bool mote__os_code_map(size_t code_bytes, size_t data_bytes, bool nameless, struct os_code *out);
void mote__os_code_unmap(const struct os_code *code);
/* Writes code that nobody runs yet, as through `write`. Of many pages at once cheaper: those that are not there yet are neither cleared nor mapped first. */
void mote__os_code_write(const struct os_code *code, size_t offset, const void *bytes, size_t count);
/* Gives the memory of pages of code back; whoever still runs there is lost. */
void mote__os_code_discard(const struct os_code *code, size_t offset, size_t bytes);

/* The process's number, which a child that was forked has another of. */
int64_t mote__os_process_id(void);

/* What the processor has beyond the least of its kind; 0 on other processors than x86-64. */
enum os_cpu { OS_CPU_SSE41 = 1, OS_CPU_POPCNT = 2, OS_CPU_BMI1 = 4, OS_CPU_BMI2 = 8, OS_CPU_LZCNT = 16 };
/* Which of the features `wanted`, a sum of enum os_cpu, there are. What nobody has asked for before may take ten microseconds where the machine is a
 * virtual one: do not ask before you need to know. */
unsigned mote__os_cpu(unsigned wanted);

/* ---- Files for tools. ---- */

/* Opens /tmp/perf-PID.map, where `perf report` finds the names of code in this process, for appending; what another process with this number left there
 * is cut off by the first call. -1 when it cannot be written. End with mote__os_close. */
int mote__os_perf_map_open(void);
/* Writes all bytes; false when that cannot be. Small writes to one file by several threads do not mix. */
bool mote__os_write(int fd, const void *bytes, size_t size);
void mote__os_close(int fd);

/* ---- Faults: the processor refuses an instruction of this thread. ---- */

enum os_fault_kind {
    OS_FAULT_ACCESS,    /* no such page, or not for this use (SIGSEGV) */
    OS_FAULT_BUS,       /* a page without contents: past the end of a mapped file (SIGBUS) */
    OS_FAULT_ARITHMETIC /* integer division by zero, on processors that trap it (SIGFPE) */
};

struct os_fault {
    enum os_fault_kind kind;
    uintptr_t address; /* what was accessed, 0 if unknown; the pc for OS_FAULT_ARITHMETIC */
    uintptr_t pc, sp;  /* of the faulting instruction */
    void *context;     /* for mote__os_fault_redirect */
};

/* Decides on a fault: true when it was ours and has been redirected, false to let the handler that
 * was there before have it. Runs on the thread's signal stack, in the middle of anything: lock-free
 * and without calls that are not async-signal-safe. */
typedef bool os_fault_callback(struct os_fault *fault);

/* Installs the process's fault handler; later calls change nothing (one callback per process: there
 * is one caller). The library must stay loaded from then on. Returns false when this platform has
 * none: use explicit checks then. */
bool mote__os_fault_install(os_fault_callback *callback);
/* Prepares the calling thread: it gets a signal stack unless it has one, which is kept. Freed when
 * the thread ends. Needed once per thread before it runs code that faults on purpose; cheap after
 * that. False when out of memory or not available. */
bool mote__os_fault_thread_init(void);
/* For the callback: makes the thread go on at `pc` with the stack pointer `sp`, exactly as given,
 * and `argument` where a C function finds its first argument. All other registers keep what they
 * held. */
void mote__os_fault_redirect(struct os_fault *fault, uintptr_t pc, uintptr_t sp,
                             uintptr_t argument);
/* The highest stack pointer, not above `stack_top`, with which a C function may be entered by a
 * jump. It must not return. */
uintptr_t mote__os_entry_sp(uintptr_t stack_top);

/* ---- Threads. ---- */

struct os_thread {
    uintptr_t handle;
};
struct os_stack {
    uintptr_t low, high; /* the first usable byte, and the first one beyond the stack */
};
enum { OS_THREAD_STACK_BYTES_DEFAULT = 1 << 20 };

/* Starts a thread that calls run(argument) and ends when it returns (the result is ignored: return
 * NULL). `stack_bytes` is rounded up to what the system wants; 0 means
 * OS_THREAD_STACK_BYTES_DEFAULT. Signals meant for the process are not delivered to it. Each thread
 * must be joined or detached once. Errors: EAGAIN, ENOMEM. */
int mote__os_thread_create(struct os_thread *out, void *(*run)(void *argument), void *argument,
                           size_t stack_bytes);
/* Waits until the thread has ended. */
void mote__os_thread_join(struct os_thread thread);
/* Lets the thread clean up after itself. */
void mote__os_thread_detach(struct os_thread thread);
/* The bounds of the stack on which the caller runs. False when they are unknown: on this platform,
 * or because the caller runs on a stack of its own making. The low end of a main thread's stack is
 * where it may grow to. May take microseconds: keep the result. */
bool mote__os_thread_stack(struct os_stack *out);
/* Processors that this process may use, at least 1. */
unsigned mote__os_cpu_count(void);

/* ---- Waiting. Deadlines are times of OS_CLOCK_MONOTONIC. ---- */

#define OS_NEVER UINT64_MAX
enum os_wait { OS_WAIT_WOKEN, OS_WAIT_DIFFERENT, OS_WAIT_TIMED_OUT };

/* Sleeps while *word is `expected`, until woken or the deadline has passed. OS_WAIT_WOKEN may come
 * without a wake: look again. Returns OS_WAIT_DIFFERENT at once when *word was something else.
 * Waiting and waking are atomic towards each other: who changes the word and then wakes misses
 * nobody. */
enum os_wait mote__os_wait(const _Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);
/* Wakes at least `count` of those who wait on `word`, or all when there are fewer. The address
 * alone matters: the word may be gone. */
void mote__os_wake(const _Atomic uint32_t *word, uint32_t count);

/* Not recursive; {0} is an unlocked one; nothing to free. */
struct os_mutex {
    _Atomic uint32_t state; /* 0 free, 1 held, 2 held and perhaps waited for */
};
void mote__os_mutex_lock(struct os_mutex *mutex);
/* False when somebody holds it. */
bool mote__os_mutex_try_lock(struct os_mutex *mutex);
void mote__os_mutex_unlock(struct os_mutex *mutex);

/* {0} has not run. */
struct os_once {
    _Atomic uint32_t state; /* 0 new, 1 running, 2 running and waited for, 3 done */
};
/* Calls `run` the first time; whoever comes meanwhile waits until it has returned. */
void mote__os_once(struct os_once *once, void (*run)(void));

/* ---- Clocks. ---- */

enum os_clock { OS_CLOCK_MONOTONIC, OS_CLOCK_REALTIME, OS_CLOCK_PROCESS_CPU, OS_CLOCK_THREAD_CPU };

/* Nanoseconds since an arbitrary start, since 1970 (UTC), or spent by this process or thread; 0
 * when there is no such clock. */
uint64_t mote__os_clock_ns(enum os_clock clock);
/* The step of a clock in nanoseconds, at least 1; 0 when there is no such clock. */
uint64_t mote__os_clock_resolution_ns(enum os_clock clock);
/* Sleeps until the monotonic clock shows `deadline_ns`; signals do not cut it short. */
void mote__os_sleep_until(uint64_t deadline_ns);

/* Fills `bytes` bytes fit for keys; false when the system has none to give. */
bool mote__os_random(void *out, size_t bytes);

#endif
