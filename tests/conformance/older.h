/* older.h - a database as an older server left it. */
#ifndef TACIT_TESTS_CONFORMANCE_OLDER_H
#define TACIT_TESTS_CONFORMANCE_OLDER_H

#include <stddef.h>

/* A new file with the first `version` migrations, and then what the SQL of `contents` does. */
void make_older(const char *path, size_t version, const char *contents);

#endif
