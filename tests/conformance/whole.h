/* whole.h - a look into an SQLite store: whether its bursts are just what its messages are. */
#ifndef TACIT_TESTS_CONFORMANCE_WHOLE_H
#define TACIT_TESTS_CONFORMANCE_WHOLE_H

#include "server/store/store.h"

/* CHECKs inside: every message is in one burst, as its burst says, and no burst has anything else.
 * What a handle has not committed only that handle sees. */
void check_bursts(struct store *s);
/* How many there are. */
int64_t count_bursts(struct store *s);
/* What SQL answers, an integer; -1: it has none. */
int64_t sql_number(struct store *s, const char *text);

#endif
