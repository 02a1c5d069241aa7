/* sources.h - valid modules whose bodies are to be changed (mutate.h): generated ones (generate.h) and those of scripts of the test language. Every feature
 * is on. What is valid, the caller says, who so gets to see every module of the scripts. */
#ifndef MOTE_TESTS_DIFF_SOURCES_H
#define MOTE_TESTS_DIFF_SOURCES_H

#include "diff/generate.h"
#include "diff/mutate.h"
#include "text/parser.h"
#include "text/wast.h"
#include "wasm/engine.h"

enum { SOURCES_GENERATED = 24, SOURCES_CHOICES = 1500, SOURCES_MAX = 40000, SOURCES_BODY_MAX = 8192 };

typedef bool sources_valid(const uint8_t *data, size_t size);

static struct source sources[SOURCES_MAX]; /* the generated ones first */
static uint32_t source_count;

static inline uint64_t all_features(void) { return mote__features_close(~(uint64_t)0); }

/* Keeps a module that is valid, with bodies short enough to be changed; the bytes are given away. */
static inline void sources_keep(uint8_t *data, size_t size, sources_valid *valid) {
    struct source s = {0};
    bool keep = valid(data, size) && source_count < SOURCES_MAX && source_read(&s, data, size);
    for (uint32_t i = 0; i < s.body_count && keep; i++) keep = s.bodies[i].size <= SOURCES_BODY_MAX;
    if (keep) {
        sources[source_count++] = s;
        return;
    }
    free(s.bodies);
    free(data);
}

static inline void sources_generate(sources_valid *valid) {
    static struct gen gen;
    static struct mutant chance;
    chance.random = 0;
    for (unsigned tries = 0; source_count < SOURCES_GENERATED; tries++) {
        static uint8_t choices[SOURCES_CHOICES];
        struct emit e = {0};
        for (size_t i = 0; i < sizeof choices; i++) choices[i] = (uint8_t)mutant_random(&chance);
        gen.e = &e;
        gen_module(&gen, choices, 100 + mutant_choose(&chance, sizeof choices - 100));
        sources_keep(e.data, e.size, valid);
        fflush(stdout);
        MUST(tries < 2 * SOURCES_GENERATED); /* they are valid, but some are too long */
    }
}

static inline uint8_t *sources_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) fprintf(stderr, "%s: cannot be read\n", path), exit(2);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size + 1);
    MUST(data && fread(data, 1, *size, file) == *size);
    fclose(file);
    return data;
}

static inline void sources_module(const mote_allocator *allocator, const struct wast_module *m, sources_valid *valid) {
    struct text_binary binary = {(uint8_t *)(uintptr_t)m->source.data, m->source.size};
    if (m->is_instance || !m->source.size) return;
    if (m->form != WAST_BINARY && mote__text_to_binary(allocator, m->source, all_features(), &binary, &(mote_error){0}) != MOTE_OK) return;
    size_t size = binary.size;
    uint8_t *data = malloc(size);
    MUST(data);
    memcpy(data, binary.bytes, size);
    if (m->form != WAST_BINARY) mote__text_binary_deinit(allocator, &binary);
    sources_keep(data, size, valid);
}

/* The modules of a script, the invalid ones of its assertions too. */
static inline void sources_read(const mote_engine *engine, const char *path, sources_valid *valid) {
    const mote_allocator *allocator = mote__engine_allocator(engine);
    size_t size;
    uint8_t *text = sources_file(path, &size);
    struct wast_script script;
    mote_error error;
    if (mote__wast_parse(allocator, (struct span){text, size}, all_features(), &script, &error) == MOTE_OK) {
        for (uint32_t i = 0; i < script.command_count; i++) sources_module(allocator, &script.commands[i].module, valid);
        mote__wast_deinit(&script);
    } else printf("%s is left out: %s\n", path, error.message);
    free(text);
}

/* Any of them with one of its bodies changed. */
static inline void sources_mutant(struct mutant *m, struct emit *out) {
    const struct source *s = &sources[mutant_choose(m, mutant_choose(m, 4) ? source_count : SOURCES_GENERATED)];
    uint32_t index = (uint32_t)mutant_choose(m, s->body_count);
    mutant_make(m, s->data + s->bodies[index].at, s->bodies[index].size);
    source_with_body(s, index, &m->body, m->said, out);
}

static inline void sources_free(void) {
    for (uint32_t i = 0; i < source_count; i++) free(sources[i].data), free(sources[i].bodies);
}

#endif
