/* fault_test.c - faults are caught and redirected on any stack and in any thread, and what is not
 * ours goes where it went before. The order matters: there is one handler per process, so the tests
 * that look at its absence come first, in children. Where the platform has no faults there is
 * nothing to test but that it says so. */
#define _GNU_SOURCE
#include "test.h"
#include "os/os.h"
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the callback does with the next fault, and what it has seen. */
static _Thread_local struct {
    bool take;
    uintptr_t sp; /* to continue with; 0: below the one of the fault */
    unsigned count;
    struct os_fault last;
    jmp_buf back;
    uintptr_t argument;
} plan;

/* Where redirected threads arrive. */
static void land(uintptr_t argument) {
    plan.argument = argument;
    longjmp(plan.back, 1);
}

static bool on_fault(struct os_fault *fault) {
    plan.count++;
    plan.last = *fault;
    if (!plan.take) return false;
    /* 1024: beyond what a function may use below its stack pointer. */
    uintptr_t top = plan.sp ? plan.sp : fault->sp - 1024;
    mote__os_fault_redirect(fault, (uintptr_t)land, mote__os_entry_sp(top), 0x1234567);
    return true;
}

static uint8_t *guard; /* one page that nobody may touch */

/* True when the platform has faults and all is set up. */
static bool prepare(void) {
    if (!guard) guard = mote__os_reserve(mote__os_page_bytes(), 0);
    return CHECK(guard) && mote__os_fault_install(on_fault) && CHECK(mote__os_fault_thread_init());
}

/* Reads an address; true when that was redirected. */
static bool faults_at(const volatile uint8_t *address) {
    plan.take = true;
    plan.argument = 0;
    if (!setjmp(plan.back)) {
        (void)*address;
        plan.take = false;
    }
    bool caught = plan.take;
    plan.take = false;
    return caught;
}

/* Runs `body` in a child process whose SIGSEGV does what it does by default; the way it ended. */
static int end_of_child(void (*body)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL);
        body();
        _exit(7);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void touch_guard_unclaimed(void) {
    if (!prepare()) raise(SIGSEGV);
    plan.take = false;
    (void)*(volatile uint8_t *)guard;
}

TEST(what_nobody_wants_ends_the_process_as_ever) {
    int status = end_of_child(touch_guard_unclaimed);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void send_to_self(void) {
    prepare();
    plan.take = true;
    kill(getpid(), SIGSEGV);
    sleep(1);
}

TEST(a_signal_that_was_sent_is_no_fault) {
    int status = end_of_child(send_to_self);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void ignore_and_send(void) {
    signal(SIGSEGV, SIG_IGN);
    prepare();
    kill(getpid(), SIGSEGV);
}

TEST(a_signal_that_was_ignored_is_ignored_still) {
    int status = end_of_child(ignore_and_send);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* A stack of its own in a host that has set one up is the host's, before and after. */
static void bring_own_signal_stack(void) {
    static uint8_t own[65536];
    stack_t mine = {.ss_sp = own, .ss_size = sizeof own}, after;
    sigaltstack(&mine, NULL);
    if (prepare() && !faults_at(guard)) _exit(1);
    sigaltstack(NULL, &after);
    _exit(after.ss_sp == own ? 7 : 2);
}

TEST(a_signal_stack_that_exists_is_kept) {
    int status = end_of_child(bring_own_signal_stack);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* ---- From here on this process has our handler, and this one before it. ---- */

static _Thread_local sigjmp_buf earlier_back;
static volatile sig_atomic_t earlier_count;
static void *volatile earlier_address;

static void earlier_handler(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number, (void)context;
    earlier_count++;
    earlier_address = info->si_addr;
    siglongjmp(earlier_back, 1);
}

TEST(what_is_not_ours_goes_to_the_earlier_handler) {
    struct sigaction action = {.sa_sigaction = earlier_handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    if (!prepare()) return;
    for (int round = 1; round <= 3; round++) {
        plan.take = false;
        unsigned count = plan.count;
        if (!sigsetjmp(earlier_back, 1)) (void)*(volatile uint8_t *)guard;
        CHECK_EQ(plan.count, count + 1);
        CHECK_EQ(earlier_count, round);
        CHECK(earlier_address == guard);
    }
}

TEST(a_guard_page_hit_is_caught_and_redirected) {
    if (!prepare()) return;
    for (unsigned round = 0; round < 100; round++) {
        REQUIRE(faults_at(guard + round));
        CHECK_EQ(plan.last.kind, OS_FAULT_ACCESS);
        CHECK_EQ(plan.last.address, (uintptr_t)guard + round);
        CHECK_EQ(plan.argument, 0x1234567);
        CHECK(plan.last.pc && plan.last.sp);
    }
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGSEGV));
}

TEST(redirected_to_another_stack) {
    if (!prepare()) return;
    static uint8_t other[262144];
    plan.sp = (uintptr_t)other + sizeof other;
    CHECK(faults_at(guard));
    plan.sp = 0;
}

TEST(past_the_end_of_a_file_is_a_bus_fault) {
    if (!prepare()) return;
    char path[] = "/tmp/mote_fault_test_XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    unlink(path);
    REQUIRE(!ftruncate(fd, 100));
    uint8_t *data = mmap(NULL, 100, PROT_READ, MAP_PRIVATE, fd, 0);
    REQUIRE(data != MAP_FAILED);
    CHECK(!faults_at(data + 99));
    REQUIRE(!ftruncate(fd, 0));
    CHECK(faults_at(data));
    CHECK_EQ(plan.last.kind, OS_FAULT_BUS);
    munmap(data, 100);
    close(fd);
}

/* Not for the undefined behaviour sanitizer: dividing by zero is the point. */
__attribute__((no_sanitize("undefined"), noinline)) static int divide(volatile int *a,
                                                                      volatile int *b) {
    return *a / *b;
}

TEST(division_by_zero_faults_or_gives_zero) {
    if (!prepare()) return;
    volatile int one = 1, zero = 0, result = -1;
    plan.take = true;
    if (!setjmp(plan.back)) result = divide(&one, &zero);
    plan.take = false;
    if (result == 0) return; /* as on arm64 */
    CHECK_EQ(result, -1);
    CHECK_EQ(plan.last.kind, OS_FAULT_ARITHMETIC);
    CHECK_EQ(plan.last.address, plan.last.pc);
}

/* The stack is used up: the handler runs all the same, having one of its own. Not for the address
 * sanitizer, which would go on thinking that the frames left by the jump are in use. */
__attribute__((no_sanitize("address"))) static unsigned exhaust(unsigned depth) {
    volatile uint8_t room[4096];
    room[depth % sizeof room] = 1;
    return depth == UINT32_MAX ? 0 : exhaust(depth + 1) + room[depth % sizeof room];
}

static void *exhaust_stack(void *argument) {
    bool *caught = argument;
    static uint8_t other[262144];
    if (!prepare()) return NULL;
    plan.sp = (uintptr_t)other + sizeof other;
    plan.take = true;
    if (!setjmp(plan.back)) exhaust(0);
    *caught = plan.take && plan.last.kind == OS_FAULT_ACCESS;
    return NULL;
}

TEST(a_stack_overflow_is_caught) {
    if (!prepare()) return;
    for (unsigned round = 0; round < 3; round++) {
        bool caught = false;
        struct os_thread thread;
        REQUIRE(!mote__os_thread_create(&thread, exhaust_stack, &caught, 0));
        mote__os_thread_join(thread);
        CHECK(caught);
    }
}

static void *fault_often(void *argument) {
    _Atomic unsigned *caught = argument;
    for (unsigned i = 0; i < 200 && prepare(); i++) *caught += faults_at(guard);
    return NULL;
}

TEST(threads_fault_side_by_side) {
    if (!prepare()) return;
    _Atomic unsigned caught = 0;
    struct os_thread threads[4];
    for (unsigned i = 0; i < 4; i++)
        REQUIRE(!mote__os_thread_create(&threads[i], fault_often, &caught, 0));
    for (unsigned i = 0; i < 4; i++) mote__os_thread_join(threads[i]);
    CHECK_EQ(caught, 800);
}

static void *note_signal_stack(void *argument) {
    uintptr_t *start = argument;
    stack_t current;
    if (prepare() && !sigaltstack(NULL, &current)) *start = (uintptr_t)current.ss_sp;
    return NULL;
}

/* Whether a page belongs to any mapping. */
static bool is_mapped(uintptr_t page) {
    return !msync((void *)page, mote__os_page_bytes(), MS_ASYNC);
}

/* Something else may have taken the place of one that was freed, but not of most. */
TEST(signal_stacks_are_freed_with_their_threads) {
    if (!prepare()) return;
    unsigned made = 0, freed = 0;
    for (unsigned i = 0; i < 20; i++) {
        uintptr_t start = 0;
        struct os_thread thread;
        REQUIRE(!mote__os_thread_create(&thread, note_signal_stack, &start, 0));
        mote__os_thread_join(thread);
        made += start != 0;
        freed += !is_mapped(start);
    }
    CHECK_EQ(made, 20);
    CHECK(freed > 10);
}
