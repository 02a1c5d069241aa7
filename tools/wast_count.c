/* wast_count.c - counts the directives of a WAST script, independently of mote's own parser: every top-level form is one, and a run of module
 * fields without (module ...) around it is one module together. Usage: wast_count FILE; prints the number. Knows strings, comments and
 * parentheses only, which is all that counting takes. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words that open a directive; every other form at the top is a field of an unnamed module. */
static const char *const directives[] = {
    "module", "register", "invoke", "get", "thread", "wait", "script", "input", "output", NULL};

static bool is_directive(const char *word) {
    if (!strncmp(word, "assert_", 7)) return true;
    for (const char *const *name = directives; *name; name++)
        if (!strcmp(word, *name)) return true;
    return false;
}

static const char *after_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) at += *at == '\\';
    return at + 1;
}

static const char *after_line(const char *at, const char *end) {
    while (at < end && *at != '\n' && *at != '\r') at++;
    return at;
}

static const char *after_block(const char *at, const char *end) {
    unsigned depth = 0;
    do {
        if (at[0] == '(' && at + 1 < end && at[1] == ';') depth++, at += 2;
        else if (at[0] == ';' && at + 1 < end && at[1] == ')') depth--, at += 2;
        else at++;
    } while (depth && at < end);
    return at;
}

/* Behind an annotation, "(@name ...)" with anything balanced in it. */
static const char *after_annotation(const char *at, const char *end) {
    unsigned depth = 0;
    do {
        if (at[0] == '(' && at + 1 < end && at[1] == ';') at = after_block(at, end);
        else if (at[0] == ';' && at + 1 < end && at[1] == ';') at = after_line(at, end);
        else if (*at == '"') at = after_string(at, end);
        else {
            depth += *at == '(';
            depth -= *at == ')';
            at++;
        }
    } while (depth && at < end);
    return at;
}

/* Behind what may stand between an opening parenthesis and its word: blanks, comments, annotations. */
static const char *after_blanks(const char *at, const char *end) {
    for (const char *before = NULL; at != before && at + 1 < end;) {
        before = at;
        if (strchr(" \n\r\t", *at)) at++;
        else if (at[0] == ';' && at[1] == ';') at = after_line(at, end);
        else if (at[0] == '(' && at[1] == ';') at = after_block(at, end);
        else if (at[0] == '(' && at[1] == '@') at = after_annotation(at, end);
    }
    return at;
}

/* The word after an opening parenthesis. */
static void word_at(const char *at, const char *end, char word[static 32]) {
    unsigned size = 0;
    at = after_blanks(at, end);
    while (at < end && size < 31 && !strchr(" \n\r\t()\";", *at)) word[size++] = *at++;
    word[size] = 0;
}

static unsigned count(const char *at, const char *end) {
    unsigned depth = 0, total = 0;
    bool in_fields = false;
    while (at < end) {
        bool opens = *at == '(', has_next = at + 1 < end;
        if (opens && has_next && at[1] == ';') at = after_block(at, end);
        else if (*at == ';' && has_next && at[1] == ';') at = after_line(at, end);
        else if (*at == '"') at = after_string(at, end);
        else {
            char word[32];
            if (opens && !depth++ && (word_at(at + 1, end, word), word[0] != '@')) {
                bool is_field = !is_directive(word);
                total += !(is_field && in_fields);
                in_fields = is_field;
            } else if (*at == ')' && depth) depth--;
            at++;
        }
    }
    return total;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) return fprintf(stderr, "usage: wast_count FILE\n"), 2;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, file) != size) return 2;
    printf("%u\n", count(text, text + size));
    fclose(file);
    free(text);
    return 0;
}
