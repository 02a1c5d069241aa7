/* tables.h - parts.def as enums and data: what component files may say. */
#ifndef MOTE_PARTS_TABLES_H
#define MOTE_PARTS_TABLES_H

#include <mote/status.h>

enum parts_block {
#define BLOCK(ident, name, title) BLOCK_##ident,
#include "parts.def"
    BLOCK_COUNT
};

enum parts_driver_id {
#define DRIVER(ident, ...) DRIVER_##ident,
#include "parts.def"
    DRIVER_COUNT
};

enum parts_key {
#define KEY(driver, ident, ...) KEY_##driver##_##ident,
#include "parts.def"
    KEY_COUNT
};

enum parts_kind { KIND_TEXT, KIND_NAME, KIND_COUNT, KIND_FLAG, KIND_DURATION };
enum parts_need { NEED_OPTIONAL, NEED_REQUIRED };

/* What a store can do; the words are Dapr's. */
enum { CAN_ETAG = 1, CAN_TRANSACTIONAL = 2, CAN_TTL = 4, CAN_KEYS_LIKE = 8 };

struct parts_block_row {
    const char *name, *title;
};

struct parts_driver_row {
    enum parts_block block;
    const char *type;     /* "state.sqlite" */
    const char *versions; /* separated by spaces; the first is the usual one */
    const char *module;   /* file of the loadable module without ending; NULL: compiled in */
    const char *package;  /* Debian's package that brings what the module needs; NULL: nothing */
    unsigned can;
    size_t key_bytes_max, value_bytes_max;
    const char *summary;
};

struct parts_key_row {
    enum parts_driver_id driver;
    const char *name, *alias; /* alias may be "" */
    enum parts_kind kind;
    enum parts_need need;
    const char *otherwise; /* the default, as it would be written; NULL: none */
    const char *text;
};

/* Metadata that Dapr knows and mote does not do yet. */
struct parts_later_row {
    enum parts_driver_id driver;
    const char *names; /* separated by spaces */
    const char *text;
};

/* The value of a key, converted. */
struct parts_value {
    const char *text; /* NULL: not given and no default */
    uint64_t number;  /* COUNT, FLAG, DURATION (ns) */
    unsigned line;    /* of its entry; 0: not given */
    bool given;
    bool is_hidden; /* from a secret store or a variable: no message holds anything of it */
};

extern const struct parts_block_row mote__parts_blocks[BLOCK_COUNT];
extern const struct parts_driver_row mote__parts_drivers[DRIVER_COUNT];
extern const struct parts_key_row mote__parts_keys[KEY_COUNT];
extern const struct parts_later_row mote__parts_later[];
extern const size_t mote__parts_later_count;

/* DRIVER_COUNT when there is none of that type. */
enum parts_driver_id mote__parts_driver_find(const char *type);
/* KEY_COUNT when the driver has no such key; letter case does not count. */
enum parts_key mote__parts_key_find(enum parts_driver_id driver, const char *name);
/* The row that says that Dapr knows the name, or NULL. */
const struct parts_later_row *mote__parts_later_find(enum parts_driver_id driver, const char *name);
/* Converts a written value; false when it is none of its kind. */
bool mote__parts_convert(enum parts_kind kind, const char *text, uint64_t *number);
/* Whether a text is the number of a port: the system would take what is beyond it for another. */
bool mote__parts_is_port(const char *text);
/* What a value of that kind looks like, for messages. */
const char *mote__parts_kind_text(enum parts_kind kind);

/* The nearest of names; give `word` to begin, then each name, then look at `best` (NULL: none is
 * near). */
struct nearest {
    const char *word, *best;
    unsigned distance;
};
void mote__nearest_begin(struct nearest *nearest, const char *word);
void mote__nearest_offer(struct nearest *nearest, const char *name);
/* Equal but for the case of ASCII letters. */
bool mote__same_word(const char *a, const char *b);
bool mote__same_letters(const char *a, const char *b, size_t size);
/* An ASCII letter large. */
char mote__upper(char c);

#endif
