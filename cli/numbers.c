/* numbers.c - counts, sizes and durations as people write them, and names that are nearly right. */
#include "args.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},           {"B", 1},           {"K", 1u << 10},       {"KiB", 1u << 10},   {"M", 1u << 20},
    {"MiB", 1u << 20}, {"G", 1u << 30},    {"GiB", 1u << 30},     {"KB", 1000},        {"MB", 1000000},
    {"GB", 1000000000},
};

static const struct unit duration_units[] = {
    {"", 1000000000}, {"ns", 1},           {"us", 1000},           {"ms", 1000000},
    {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
};

/* Reads digits (with _ between them) and returns what follows; NULL if there are none or too many. */
static const char *parse_digits(const char *text, uint64_t *out) {
    if (*text < '0' || *text > '9') return NULL;
    for (*out = 0; (*text >= '0' && *text <= '9') || (*text == '_' && text[1]); text++) {
        if (*text == '_') continue;
        if (__builtin_mul_overflow(*out, (uint64_t)10, out)) return NULL;
        if (__builtin_add_overflow(*out, (uint64_t)(*text - '0'), out)) return NULL;
    }
    return text;
}

static uint64_t unit_find(const struct unit *units, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(units[i].name, name)) return units[i].factor;
    return 0;
}

/* The part behind the point, `text`, in units of `factor`; returns what follows the digits. */
static const char *parse_fraction(const char *text, uint64_t *thousandths_of_millionths) {
    uint64_t scale = 100000000;
    for (*thousandths_of_millionths = 0; *text >= '0' && *text <= '9'; text++, scale /= 10)
        *thousandths_of_millionths += (uint64_t)(*text - '0') * scale;
    return text;
}

static bool parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *out) {
    uint64_t whole, billionths = 0, part;
    const char *rest = parse_digits(text, &whole);
    if (rest && *rest == '.') rest = parse_fraction(rest + 1, &billionths);
    uint64_t factor = rest ? unit_find(units, count, rest) : 0;
    if (!factor || __builtin_mul_overflow(whole, factor, &whole)) return false;
    part = (uint64_t)((double)billionths * 1e-9 * (double)factor + 0.5);
    return !__builtin_add_overflow(whole, part, out);
}

bool parse_count(const char *text, uint64_t *out) {
    const char *rest = parse_digits(text, out);
    return rest && !*rest;
}

bool parse_size(const char *text, uint64_t *out) {
    return parse_with_unit(text, size_units, sizeof size_units / sizeof *size_units, out);
}

bool parse_duration(const char *text, uint64_t *out) {
    return parse_with_unit(text, duration_units, sizeof duration_units / sizeof *duration_units, out);
}

enum { NAME_MAX_BYTES = 40 };

/* Edits (insert, delete, replace) that turn a into b; both at most NAME_MAX_BYTES long. */
static unsigned edit_distance(const char *a, const char *b) {
    unsigned row[NAME_MAX_BYTES + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++) row[j] = (unsigned)j;
    for (size_t i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < width; j++) {
            unsigned replace = diagonal + (a[i] != b[j]);
            unsigned other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replace < other ? replace : other;
        }
    }
    return row[width];
}

/* The one name that begins with `word`; NULL when there is none or more than one. */
static const char *completed_name(const char *word, const char *const *names, size_t count) {
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!names[i] || strncmp(names[i], word, strlen(word))) continue;
        if (found) return NULL;
        found = names[i];
    }
    return found;
}

const char *nearest_name(const char *word, const char *const *names, size_t count) {
    const char *best = completed_name(word, names, count);
    size_t size = strlen(word);
    if (best) return best;
    if (size > NAME_MAX_BYTES) return NULL;
    unsigned limit = (unsigned)size / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        if (!names[i] || strlen(names[i]) > NAME_MAX_BYTES) continue;
        unsigned distance = edit_distance(word, names[i]);
        if (distance > limit) continue;
        best = names[i];
        limit = distance ? distance - 1 : 0;
        if (!distance) break;
    }
    return best;
}
