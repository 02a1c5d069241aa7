/* dsn.h - the connection strings of Go's MySQL driver, which Dapr's component files hold:
 *   [user[:password]@][tcp|unix[(address)]]/[database][?name=value&...]
 * The last `/` and the `@` before it divide; user and password are taken as they are written,
 * database and values have percent escapes. */
#ifndef MOTE_PARTS_DSN_H
#define MOTE_PARTS_DSN_H

#include <mote/status.h>

enum { DSN_VARIABLES_MAX = 16 };

struct dsn {
    const char *user, *password;                 /* "" when not given */
    const char *host;                            /* a name or an address; NULL: a socket */
    const char *port;                            /* "3306" */
    const char *socket;                          /* a path; NULL: TCP */
    const char *database;                        /* "" when not given */
    uint64_t dial_timeout_ns, answer_timeout_ns; /* 0: not given */
    /* Anything else is a variable of the session: a name, and a value fit to stand in SQL. */
    struct {
        const char *name, *value;
    } variables[DSN_VARIABLES_MAX];
    size_t variable_count;
};

/* Takes a DSN apart, in place: `text` is cut up and must stay as long as `out`. Messages hold
 * nothing of it. */
MOTE_CHECKED mote_status mote__dsn_parse(char *text, struct dsn *out, mote_error *error);

#endif
