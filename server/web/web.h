/* web.h - the web app, which is part of the program: files by their path, each in up to three
 * codings. Everything is constant, so any thread may ask. */
#ifndef TACIT_SERVER_WEB_WEB_H
#define TACIT_SERVER_WEB_WEB_H

#include "base/bytes.h"

/* In the order of preference, the last first. */
enum web_coding { WEB_IDENTITY, WEB_GZIP, WEB_BROTLI, WEB_CODINGS };
extern const char *const web_coding_names[WEB_CODINGS];

struct web_file {
	const char *path; /* of the URL */
	const char *type; /* Content-Type */
	const char *tag;  /* of its bytes, for ETag; without quotes */
	bool immutable;   /* its name tells its bytes: may be kept for ever */
	bool is_page;     /* for those who ask for HTML: others get the API's answer there */
	struct tacit_bytes coded[WEB_CODINGS]; /* p == NULL: not in this coding; identity always */
};

struct web_bundle {
	const char *hash; /* 64 hex digits: docs/operating.md says of what */
	const struct web_file *files;
	size_t count;
};

/* NULL: this program was built without the web app. */
const struct web_bundle *web_bundle(void);

/* NULL when there is none; b may be NULL. */
const struct web_file *web_find(const struct web_bundle *b, struct tacit_bytes path);

/* Which coding Accept-Encoding asks for (RFC 9110 12.5.3): the smallest of those that are allowed.
 * Without the header, or when it makes no sense, identity. */
enum web_coding web_choose(const struct web_file *f, struct tacit_bytes accept_encoding);

#endif
