/* scalar.h - scalars without quotes as Dapr reads them. Its files are YAML 1.1 (Go's yaml.v2) that
 * is made JSON: numbers and truth values lose their spelling on the way, so that 010 is 8, 1.50 is
 * 1.5 and `yes` is true, also where a text is wanted. */
#ifndef MOTE_PARTS_SCALAR_H
#define MOTE_PARTS_SCALAR_H

#include <stdbool.h>

enum { SCALAR_BYTES = 40 };

/* What is left of a scalar's text: in `out`, or the text itself where it is none of these. NULL: an
 * infinity or no number, of which Dapr refuses the file. */
const char *mote__scalar_text(const char *text, char out[SCALAR_BYTES]);
/* Whether it is one of the words for nothing. */
bool mote__scalar_is_null(const char *text);

#endif
