#include "server/store/store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "server/store/memory_int.h"
#include "server/store/sqlite_int.h"

/* A backend with an empty slot is a bug of ours that must show at start, not at the first call. */
static bool has_every_slot(const struct store_ops *ops)
{
	void (*slot)(void);
	const size_t first = sizeof(ops->name);
	static_assert((sizeof(struct store_ops) - sizeof(char *)) % sizeof(slot) == 0,
	        "store_ops is a name and slots");
	for (size_t at = first; at < sizeof(*ops); at += sizeof(slot)) {
		memcpy(&slot, (const char *)ops + at, sizeof(slot));
		if (slot == NULL)
			return false;
	}
	return true;
}

/* What stands behind the scheme; NULL when the url has another. */
static const char *behind(const char *scheme, const char *url)
{
	size_t n = strlen(scheme);
	return strncmp(url, scheme, n) == 0 ? url + n : NULL;
}

enum tacit_err store_open(const char *url, enum store_mode mode, char why[256], struct store **out)
{
	enum tacit_err err = TACIT_E_USAGE;
	const char *path = behind("sqlite://", url), *name = behind("memory:", url);
	*out = NULL;
	why[0] = '\0';
	if (path != NULL && path[0] == '/')
		err = sqlite_open(path, mode, why, out);
	else if (name != NULL && name[0] != '\0')
		err = memory_open(name, mode, why, out);
	else
		snprintf(why, 256, "the database must be given as sqlite:///absolute/path");
	TACIT_ASSERT(err != TACIT_OK || has_every_slot((*out)->ops));
	return err;
}

void store_close(struct store *s)
{
	if (s != NULL)
		s->ops->close(s);
}
