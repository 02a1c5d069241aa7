/* scalar.c - YAML 1.1's words and numbers (scalar.h): `resolve` of Go's yaml.v2, strconv's numbers
 * with their base, and encoding/json's way to write them. */
#define _POSIX_C_SOURCE 200809L
#include "scalar.h"
#include "tables.h"
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 400 }; /* of what can be a number; longer ones are texts to us */

/* ---------------------------------------------------------------- words */

static bool is_one_of(const char *text, const char *const *words) {
    while (*words && strcmp(text, *words) != 0) words++;
    return *words;
}

bool mote__scalar_is_null(const char *text) {
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    return is_one_of(text, nothing);
}

static const char *word_of(const char *text) {
    static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON",  NULL},
                             *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                            "False", "FALSE", "off", "Off", "OFF", NULL};
    return is_one_of(text, yes) ? "true" : is_one_of(text, no) ? "false" : NULL;
}

static bool is_no_number(const char *text) {
    static const char *const words[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                        "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
                                        NULL};
    return is_one_of(text, words);
}

/* ---------------------------------------------------------------- whole numbers */

/* ParseInt, or ParseUint, with base 0. */
static bool write_whole(const char *text, char *out) {
    bool negative = *text == '-';
    uint64_t number;
    if (negative && text[1] == '+') return false;
    if (!mote__parts_convert(KIND_COUNT, text + negative, &number)) return false;
    if (negative && number > UINT64_C(1) << 63) return false;
    if (*text == '+' && number > INT64_MAX) return false; /* a ParseUint takes no sign */
    snprintf(out, SCALAR_BYTES, "%s%" PRIu64, negative && number ? "-" : "", number);
    return true;
}

/* ---------------------------------------------------------------- fractions */

static const char *skip_digits(const char *at) { return at + strspn(at, "0123456789"); }

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_like_fraction(const char *text) {
    const char *at = text + (*text == '-' || *text == '+'), *first = at;
    at = skip_digits(at);
    bool any = at > first;
    if (*at == '.') first = at + 1, at = skip_digits(first), any |= at > first;
    if (!any) return false;
    if ((*at | 0x20) == 'e') {
        at += 1 + (at[1] == '-' || at[1] == '+');
        if (*at < '0' || *at > '9') return false;
        at = skip_digits(at);
    }
    return !*at;
}

/* The fewest digits that are this number, and where its point is: 0.DIGITS * 10^*point. (For some
 * powers of two Go finds others, one digit less: not the nearest ones.) */
static void shortest_digits(double number, char digits[24], int *point) {
    char text[32];
    int precision = 0;
    do snprintf(text, sizeof text, "%.*e", precision, number);
    while (strtod(text, NULL) != number && ++precision < 17);
    *point = atoi(strchr(text, 'e') + 1) + 1;
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, (size_t)precision);
    digits[1 + precision] = 0;
    for (int i = precision; i > 0 && digits[i] == '0'; i--) digits[i] = 0;
}

/* As JSON in Go: with an exponent from 1e21 on and below 1e-6. */
static void write_fraction(double number, char *out) {
    static const char zeros[] = "000000000000000000000";
    char digits[24];
    int point, size;
    const char *sign = signbit(number) ? "-" : "";
    number = fabs(number);
    shortest_digits(number, digits, &point);
    size = (int)strlen(digits);
    if (number != 0 && (number < 1e-6 || number >= 1e21))
        snprintf(out, SCALAR_BYTES, "%s%c%s%se%+d", sign, digits[0], size > 1 ? "." : "",
                 digits + 1, point - 1);
    else if (point <= 0)
        snprintf(out, SCALAR_BYTES, "%s0.%.*s%s", sign, -point, zeros, digits);
    else if (point >= size)
        snprintf(out, SCALAR_BYTES, "%s%s%.*s", sign, digits, point - size, zeros);
    else snprintf(out, SCALAR_BYTES, "%s%.*s.%s", sign, point, digits, digits + point);
}

/* With a point for a point, whatever the host's language. False: what Go's ParseFloat refuses too,
 * and then it is a text. (There always is a C locale.) */
static bool write_in_c(const char *plain, char *out) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return false;
    locale_t before = uselocale(c);
    double number = strtod(plain, NULL);
    bool good = isfinite(number);
    if (good) write_fraction(number, out);
    uselocale(before);
    freelocale(c);
    return good;
}

/* ---------------------------------------------------------------- the whole */

static const char *number_of(const char *text, char *out) {
    char plain[DIGITS_MAX + 1];
    size_t size = 0;
    if (!strchr("+-.0123456789", *text) || strlen(text) > DIGITS_MAX) return text;
    for (const char *at = text; *at; at++)
        if (*at != '_' || *text == '.') plain[size++] = *at;
    plain[size] = 0;
    if (write_whole(plain, out)) return out;
    if (!looks_like_fraction(plain)) return text;
    return write_in_c(plain, out) ? out : text;
}

const char *mote__scalar_text(const char *text, char out[SCALAR_BYTES]) {
    const char *word = word_of(text);
    if (word) return memcpy(out, word, strlen(word) + 1);
    return is_no_number(text) ? NULL : number_of(text, out);
}
