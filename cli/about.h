/* about.h - what is typed about a message: "/edit new text", "/react #12 +1". */
#ifndef TACIT_CLI_ABOUT_H
#define TACIT_CLI_ABOUT_H

#include "wire/content.h"

struct about {
	enum tacit_content_kind kind; /* TEXT: a reply; EDIT, DELETE, REACTION */
	bool own;                     /* it is about an own message */
	uint64_t message;             /* 0: the newest one */
	const char *text;             /* borrowed from rest */
};

/* False: it is no such verb. */
bool about_parse(struct tacit_bytes verb, const char *rest, struct about *out);
/* What is to be said of message, by a; or a sentence that says why it cannot be. */
const char *about_content(const struct about *a, uint64_t message, struct tacit_content *out);

#endif
