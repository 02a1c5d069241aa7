/* tables.c - parts.def as data, looked up by the names that people write. */
#include "tables.h"
#include <stdlib.h>
#include <string.h>

const struct parts_block_row mote__parts_blocks[BLOCK_COUNT] = {
#define BLOCK(ident, name, title) [BLOCK_##ident] = {name, title},
#include "parts.def"
};

const struct parts_driver_row mote__parts_drivers[DRIVER_COUNT] = {
#define DRIVER(ident, block, type, versions, module, package, can, key_max, value_max, summary)    \
    [DRIVER_##ident] = {BLOCK_##block, type,    versions,  module, package,                        \
                        can,           key_max, value_max, summary},
#include "parts.def"
};

const struct parts_key_row mote__parts_keys[KEY_COUNT] = {
#define KEY(driver, ident, name, alias, kind, need, otherwise, text)                               \
    [KEY_##driver##_##                                                                             \
        ident] = {DRIVER_##driver, name, alias, KIND_##kind, NEED_##need, otherwise, text},
#include "parts.def"
};

const struct parts_later_row mote__parts_later[] = {
#define LATER(driver, names, text) {DRIVER_##driver, names, text},
#include "parts.def"
};
const size_t mote__parts_later_count = sizeof mote__parts_later / sizeof *mote__parts_later;

/* ---------------------------------------------------------------- names */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c; }

char mote__upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

bool mote__same_letters(const char *a, const char *b, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

bool mote__same_word(const char *a, const char *b) {
    return strlen(a) == strlen(b) && mote__same_letters(a, b, strlen(a));
}

enum parts_driver_id mote__parts_driver_find(const char *type) {
    for (int i = 0; i < DRIVER_COUNT; i++)
        if (mote__same_word(mote__parts_drivers[i].type, type)) return (enum parts_driver_id)i;
    return DRIVER_COUNT;
}

enum parts_key mote__parts_key_find(enum parts_driver_id driver, const char *name) {
    for (int i = 0; i < KEY_COUNT; i++) {
        const struct parts_key_row *row = &mote__parts_keys[i];
        bool named =
            mote__same_word(row->name, name) || (*row->alias && mote__same_word(row->alias, name));
        if (row->driver == driver && named) return (enum parts_key)i;
    }
    return KEY_COUNT;
}

static bool in_list(const char *list, const char *word) {
    size_t size = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == size && mote__same_letters(at, word, size)) return true;
        at += length;
    }
    return false;
}

const struct parts_later_row *mote__parts_later_find(enum parts_driver_id driver,
                                                     const char *name) {
    for (size_t i = 0; i < mote__parts_later_count; i++)
        if (mote__parts_later[i].driver == driver && in_list(mote__parts_later[i].names, name))
            return &mote__parts_later[i];
    return NULL;
}

/* ---------------------------------------------------------------- values */

static bool take_digits(const char **at, uint64_t *out) {
    const char *start = *at;
    for (*out = 0; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(**at - '0'), out))
            return false;
    return *at > start;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* The base that a number's beginning says, as in Go and YAML; *at: its digits. */
static int take_base(const char **at) {
    static const struct {
        const char *start;
        int base;
    } rows[] = {{"0x", 16}, {"0X", 16}, {"0o", 8}, {"0O", 8}, {"0b", 2}, {"0B", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strncmp(*at, rows[i].start, 2)) return *at += 2, rows[i].base;
    return (*at)[0] == '0' && (*at)[1] ? 8 : 10;
}

/* What Go's ParseInt takes that looks at the base: 12, +12, 0xc, 014, 1_000. */
static bool convert_count(const char *text, uint64_t *out) {
    if (*text == '+') text++;
    int base = take_base(&text);
    bool any = false;
    for (*out = 0; *text; text++) {
        if (*text == '_' && any && text[1] && text[1] != '_') continue;
        int digit = digit_of(*text);
        if (digit >= base || __builtin_mul_overflow(*out, (uint64_t)base, out) ||
            __builtin_add_overflow(*out, (uint64_t)digit, out))
            return false;
        any = true;
    }
    return any;
}

/* Dapr's IsTruthy, with the other half of its words: what is neither is a mistake. */
static bool convert_flag(const char *text, uint64_t *out) {
    static const char *const words[] = {"false", "true", "no", "yes", "n", "y",
                                        "off",   "on",   "0",  "1",   "f", "t"};
    text += strspn(text, " \t\n\r");
    size_t size = strlen(text);
    while (size && strchr(" \t\n\r", text[size - 1])) size--;
    *out = 0;
    if (!size) return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (size == strlen(words[i]) && mote__same_letters(words[i], text, size))
            return *out = i % 2, true;
    return false;
}

/* The nanoseconds of a unit at *at, 0 when there is none. */
static uint64_t take_unit(const char **at) {
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1},         {"us", 1000},       {"ms", 1000000},
                 {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t size = strlen(units[i].name);
        if (strncmp(*at, units[i].name, size) != 0) continue;
        *at += size;
        return units[i].ns;
    }
    return 0;
}

/* One piece of a Go duration: digits, perhaps a fraction, a unit. */
static bool take_duration(const char **at, uint64_t *out) {
    uint64_t whole = 0, fraction = 0, scale = 1;
    if (!take_digits(at, &whole)) return false;
    if (**at == '.')
        for (++*at; **at >= '0' && **at <= '9'; ++*at)
            if (scale < 1000000000) fraction = fraction * 10 + (uint64_t)(**at - '0'), scale *= 10;
    uint64_t unit = take_unit(at), ns;
    if (!unit || __builtin_mul_overflow(whole, unit, &ns)) return false;
    ns += (uint64_t)((double)fraction / (double)scale * (double)unit);
    return !__builtin_add_overflow(*out, ns, out);
}

static bool convert_duration(const char *text, uint64_t *out) {
    const char *at = text += *text == '+';
    if (take_digits(&at, out) && !*at) return !__builtin_mul_overflow(*out, 1000000000, out);
    *out = 0;
    do {
        if (!take_duration(&text, out)) return false;
    } while (*text);
    return true;
}

static bool is_name(const char *text) {
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return size && size <= 63 && !text[size] && !(*text >= '0' && *text <= '9');
}

bool mote__parts_convert(enum parts_kind kind, const char *text, uint64_t *number) {
    *number = 0;
    switch (kind) {
    case KIND_TEXT: return true;
    case KIND_NAME: return is_name(text);
    case KIND_COUNT: return convert_count(text, number);
    case KIND_FLAG: return convert_flag(text, number);
    case KIND_DURATION: return convert_duration(text, number);
    }
    return false;
}

bool mote__parts_is_port(const char *text) {
    uint64_t number;
    return take_digits(&text, &number) && !*text && number >= 1 && number <= UINT16_MAX;
}

const char *mote__parts_kind_text(enum parts_kind kind) {
    static const char *const texts[] = {"a text", "a name of letters, digits and _",
                                        "a whole number", "true or false",
                                        "a duration such as 2s, 500ms or 1m30s"};
    return texts[kind];
}

/* ---------------------------------------------------------------- the nearest name */

enum { NEAREST_BYTES_MAX = 63 };

static unsigned least(unsigned a, unsigned b, unsigned c) {
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Letters to change, add or leave out; too long words are far from everything. */
static unsigned distance(const char *a, const char *b) {
    unsigned row[NEAREST_BYTES_MAX + 1];
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > NEAREST_BYTES_MAX || b_size > NEAREST_BYTES_MAX) return NEAREST_BYTES_MAX;
    for (unsigned j = 0; j <= b_size; j++) row[j] = j;
    for (size_t i = 0; i < a_size; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_size; j++) {
            unsigned above = row[j + 1];
            row[j + 1] = least(above + 1, row[j] + 1, diagonal + (lower(a[i]) != lower(b[j])));
            diagonal = above;
        }
    }
    return row[b_size];
}

void mote__nearest_begin(struct nearest *nearest, const char *word) {
    *nearest = (struct nearest){.word = word, .distance = (unsigned)strlen(word) / 3 + 2};
}

void mote__nearest_offer(struct nearest *nearest, const char *name) {
    unsigned far = distance(nearest->word, name);
    if (far < nearest->distance) nearest->distance = far, nearest->best = name;
}
