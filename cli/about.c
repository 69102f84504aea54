#include "cli/about.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static const struct verb {
	const char *name;
	enum tacit_content_kind kind;
	bool own;
} verbs[] = {
        {"reply", TACIT_CONTENT_TEXT, false},
        {"react", TACIT_CONTENT_REACTION, false},
        {"edit", TACIT_CONTENT_EDIT, true},
        {"delete", TACIT_CONTENT_DELETE, true},
};

static const char *take_number(const char *rest, uint64_t *out)
{
	char *end = NULL;
	*out = 0;
	if (rest[0] != '#' || rest[1] < '0' || rest[1] > '9')
		return rest;
	errno = 0;
	uint64_t n = strtoull(rest + 1, &end, 10);
	if (errno != 0 || (*end != '\0' && *end != ' '))
		return rest;
	*out = n;
	return end + strspn(end, " ");
}

bool about_parse(struct tacit_bytes verb, const char *rest, struct about *out)
{
	for (size_t i = 0; i < TACIT_COUNT(verbs); i++) {
		if (!tacit_bytes_eq(verb, tacit_cstr(verbs[i].name)))
			continue;
		*out = (struct about){.kind = verbs[i].kind, .own = verbs[i].own};
		out->text = take_number(rest, &out->message);
		return true;
	}
	return false;
}

const char *about_content(const struct about *a, uint64_t message, struct tacit_content *out)
{
	bool says = a->kind == TACIT_CONTENT_TEXT || a->kind == TACIT_CONTENT_EDIT;
	struct tacit_buf encoded = {0};
	*out = (struct tacit_content){.kind = a->kind, .text = tacit_cstr(a->text)};
	if (message == 0)
		return a->own ? "You have said nothing here yet."
		              : "Nobody else has said anything here yet.";
	if (says && a->text[0] == '\0')
		return "What should it say?";
	if (a->kind == TACIT_CONTENT_DELETE && a->text[0] != '\0')
		return "/delete takes the number of a message, as #12, or nothing.";
	if (a->kind == TACIT_CONTENT_TEXT)
		out->reply_to = message;
	else
		out->message = message;
	enum tacit_err err = tacit_content_encode(out, &encoded);
	tacit_buf_clear(&encoded);
	if (err == TACIT_E_USAGE && a->kind == TACIT_CONTENT_REACTION)
		return "A reaction is one emoji, or a short word without spaces.";
	return err == TACIT_OK ? NULL : tacit_err_text(err);
}
