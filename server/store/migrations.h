/* migrations.h - the numbered SQL files of sql/, embedded by sql/embed.py when building. */
#ifndef TACIT_SERVER_STORE_MIGRATIONS_H
#define TACIT_SERVER_STORE_MIGRATIONS_H

#include <stddef.h>
#include <stdint.h>

struct store_migration {
	int version; /* 1, 2, 3... without a gap */
	const char *name;
	const char *const *lines; /* of SQL, each with its line feed; NULL at the end */
	uint8_t sha256[32]; /* of the file: one that was edited after its release is found out */
};

extern const struct store_migration store_migrations[];
extern const size_t store_migration_count;

#endif
