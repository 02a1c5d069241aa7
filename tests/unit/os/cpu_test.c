/* cpu_test.c - what the processor can do, as the compiler's own helper sees it. */
#include "os/os.h"
#include "test.h"

TEST(the_processor_is_what_the_compiler_finds) {
    const unsigned all = OS_CPU_SSE41 | OS_CPU_POPCNT | OS_CPU_BMI1 | OS_CPU_BMI2 | OS_CPU_LZCNT;
    unsigned bmi2 = mote__os_cpu(OS_CPU_BMI2), cpu = mote__os_cpu(all);
    CHECK_EQ(bmi2, cpu & OS_CPU_BMI2);
    CHECK_EQ(mote__os_cpu(all), cpu);
    CHECK_EQ(mote__os_cpu(OS_CPU_LZCNT), cpu & OS_CPU_LZCNT);
    CHECK_EQ(mote__os_cpu(0), 0);
#ifdef __x86_64__
    CHECK_EQ(!!(cpu & OS_CPU_SSE41), !!__builtin_cpu_supports("sse4.1"));
    CHECK_EQ(!!(cpu & OS_CPU_POPCNT), !!__builtin_cpu_supports("popcnt"));
    CHECK_EQ(!!(cpu & OS_CPU_BMI1), !!__builtin_cpu_supports("bmi"));
    CHECK_EQ(!!(cpu & OS_CPU_BMI2), !!__builtin_cpu_supports("bmi2"));
#else
    CHECK_EQ(cpu, 0);
#endif
}
