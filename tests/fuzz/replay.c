/* replay.c - a fuzzer's inputs without libFuzzer, so that every build runs some: replay COUNT FILE... calls the fuzzer linked with it on the
 * files, and then COUNT times on choices, modules generated from choices, modules with a few bytes changed, and files with a few bytes changed.
 * The numbers are the same in every run. A finding ends the process. */
#include "fuzz.h"
#include "diff/generate.h"

enum { CHOICES_MAX = 2048, INPUT_BYTES_MAX = 2 * GEN_BYTES_MAX };

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t count) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % count);
}

struct input {
    uint8_t bytes[INPUT_BYTES_MAX];
    size_t size;
};

/* A copy of its own size, so that reading past the end is seen. */
static void feed(const struct input *input) {
    uint8_t *copy = malloc(input->size + !input->size);
    MUST(copy);
    memcpy(copy, input->bytes, input->size);
    (void)LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

static void fill_choices(struct input *input) {
    input->size = random_below(CHOICES_MAX);
    for (size_t i = 0; i < input->size; i++) input->bytes[i] = (uint8_t)random_below(256);
}

static void fill_module(struct input *input) {
    static struct input choices;
    static struct gen gen;
    static struct emit binary;
    fill_choices(&choices);
    gen.e = &binary;
    gen_module(&gen, choices.bytes, choices.size);
    input->size = binary.size < INPUT_BYTES_MAX ? binary.size : INPUT_BYTES_MAX;
    memcpy(input->bytes, binary.data, input->size);
}

static bool fill_file(struct input *input, const char *path) {
    FILE *file = fopen(path, "rb");
    input->size = file ? fread(input->bytes, 1, sizeof input->bytes, file) : 0;
    if (file) fclose(file);
    return file;
}

static void change(struct input *input) {
    for (uint32_t i = 1 + random_below(4); i && input->size; i--) {
        uint8_t *at = &input->bytes[random_below((uint32_t)input->size)];
        *at = random_below(2) ? (uint8_t)random_below(256) : (uint8_t)(*at ^ 1 << random_below(8));
    }
    if (!random_below(8)) input->size = random_below((uint32_t)input->size + 1);
}

static void feed_round(struct input *input, char **files, uint32_t file_count) {
    fill_choices(input);
    feed(input);
    fill_module(input);
    feed(input);
    change(input);
    feed(input);
    if (!file_count || !fill_file(input, files[random_below(file_count)])) return;
    change(input);
    feed(input);
}

int main(int argc, char **argv) {
    static struct input input;
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    if (count <= 0) return fprintf(stderr, "usage: replay COUNT FILE...\n"), 2;
    for (int i = 2; i < argc; i++) {
        MUST(fill_file(&input, argv[i]));
        feed(&input);
    }
    for (long i = 0; i < count; i++) feed_round(&input, argv + 2, (uint32_t)argc - 2);
    printf("%ld passed, 0 failed\n", count + argc - 2);
    return 0;
}
