/* answer.c - what the server said: errors into sentences, JSON into checked values. */
#include <string.h>

#include "base/utf8.h"
#include "engine/engine_int.h"
#include "wire/names.h"
#include "wire/pem.h"

static const struct {
	int status;
	enum tacit_err err;
	const char *text; /* when the server gives no sentence; NULL: that of the error */
} statuses[] = {
        {0, TACIT_E_NETWORK, "The server could not be reached."},
        {401, TACIT_E_NOT_LOGGED_IN, NULL},
        {404, TACIT_E_NOT_FOUND, NULL},
        {408, TACIT_E_NETWORK, "The server did not get the request in time."},
        {409, TACIT_E_CONFLICT, NULL},
        {410, TACIT_E_GONE, NULL},
        {413, TACIT_E_TOO_LARGE, NULL},
        {429, TACIT_E_LIMIT, "The server asks to wait a little."},
        {503, TACIT_E_STORE_BUSY, "The server is busy; try again shortly."},
        {507, TACIT_E_STORE_FULL, "The server has no room left."},
};

/* Words of the server whose meaning for this person is clearer than the server can say it. */
static const struct {
	const char *code;
	enum tacit_err err;
	const char *text; /* NULL: the server's sentence is clear enough */
} codes[] = {
        {"STALE_TIMESTAMP", TACIT_E_REFUSED,
                "The clock of this machine and the server's are too far apart. Set the clock "
                "right, then try again."},
        {"NOT_LOGGED_IN", TACIT_E_NOT_LOGGED_IN, "The session has ended. Log in again."},
        {"INVALID_CREDENTIALS", TACIT_E_BAD_PASSWORD, NULL},
        {"INVALID_TOTP", TACIT_E_BAD_PASSWORD, NULL},
        {"USER_EXISTS", TACIT_E_EXISTS, NULL},
        {"ALREADY_EXISTS", TACIT_E_EXISTS, NULL},
};

/* At most MAX_SENTENCE bytes, cut at a code point. */
static struct tacit_bytes cut_sentence(struct tacit_bytes text)
{
	size_t n = 0;
	while (n < text.n) {
		uint32_t code_point;
		size_t step = tacit_utf8_next(tacit_bytes_part(text, n, text.n), &code_point);
		if (step == 0 || n + step > MAX_SENTENCE)
			break;
		n += step;
	}
	return tacit_bytes_part(text, 0, n);
}

static void explain(struct tacit_answer *a)
{
	a->err = TACIT_E_REFUSED;
	for (size_t i = 0; i < TACIT_COUNT(statuses); i++) {
		if (statuses[i].status != a->status)
			continue;
		a->err = statuses[i].err;
		a->text = tacit_cstr(statuses[i].text);
	}
	struct tacit_bytes text, code;
	tacit_ignore(tacit_json_text(a->body, "error", TACIT_OPTIONAL, SIZE_MAX, &text),
	        "a sentence of another type is none");
	tacit_ignore(tacit_json_text(a->body, "code", TACIT_OPTIONAL, 64, &code),
	        "a code of another type is none");
	if (text.n > 0)
		a->text = cut_sentence(text);
	a->code = code;
	for (size_t i = 0; i < TACIT_COUNT(codes); i++) {
		if (!tacit_bytes_eq(tacit_cstr(codes[i].code), code))
			continue;
		a->err = codes[i].err;
		if (codes[i].text != NULL)
			a->text = tacit_cstr(codes[i].text);
	}
	if (a->text.n == 0)
		a->text = tacit_cstr(tacit_err_text(a->err));
}

enum tacit_err tacit_answer_read(
        const struct tacit_http_answer *from, struct tacit_answer *out, json_t **body)
{
	*body = NULL;
	*out = (struct tacit_answer){
	        .status = from->status, .cookie = from->cookie, .cookie_name = from->cookie_name};
	enum tacit_err err = TACIT_E_MALFORMED;
	if (from->status != 0)
		err = tacit_json_parse(from->body, body);
	if (err == TACIT_E_NOMEM)
		return err;
	if (err == TACIT_OK && json_is_object(*body))
		out->body = *body;
	else if (err == TACIT_OK)
		err = TACIT_E_MALFORMED;
	if (from->status < 200 || from->status > 299) {
		explain(out);
		return TACIT_OK;
	}
	out->err = err;
	out->text = err == TACIT_E_TOO_LARGE
	                    ? TACIT_STR("The server's answer is larger than allowed.")
	                    : TACIT_STR("The server's answer is not in the expected form.");
	return TACIT_OK;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years from 1970. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	if (month <= 2) {
		year--;
		month += 12;
	}
	/* The year begins in March: leap days come last. */
	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day -
	       1 - 719468;
}

static bool digits(struct tacit_bytes text, size_t at, size_t n, int64_t *out)
{
	*out = 0;
	for (size_t i = at; i < at + n; i++) {
		if (i >= text.n || text.p[i] < '0' || text.p[i] > '9')
			return false;
		*out = *out * 10 + (text.p[i] - '0');
	}
	return true;
}

int64_t tacit_answer_time(struct tacit_bytes text)
{
	static const char shape[] = "0000-00-00T00:00:00";
	int64_t year, month, day, hour, minute, second;
	if (text.n < sizeof(shape) || text.n > 40)
		return 0;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] != '0' && text.p[i] != (uint8_t)shape[i])
			return 0;
	if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) ||
	        !digits(text, 8, 2, &day) || !digits(text, 11, 2, &hour) ||
	        !digits(text, 14, 2, &minute) || !digits(text, 17, 2, &second))
		return 0;
	uint8_t last = text.p[text.n - 1];
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	        minute > 59 || second > 60 || (last != 'Z' && last != '0'))
		return 0;
	return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

enum tacit_err tacit_answer_id(const json_t *object, const char *name, uint64_t *out)
{
	int64_t id = 0;
	enum tacit_err err =
	        tacit_json_integer(object, name, TACIT_REQUIRED, 1, TACIT_MAX_INTEGER, &id);
	*out = (uint64_t)id;
	return err;
}

enum tacit_err tacit_answer_list(
        const json_t *object, const char *name, size_t max, const json_t **out)
{
	*out = json_object_get(object, name);
	if (!json_is_array(*out) || json_array_size(*out) > max)
		return TACIT_E_MALFORMED;
	return TACIT_OK;
}

enum tacit_err tacit_answer_person(
        const json_t *object, const char *id_member, struct tacit_person *out)
{
	enum tacit_err err;
	struct tacit_bytes name, pem;
	*out = (struct tacit_person){0};
	TRY(tacit_answer_id(object, id_member, &out->user_id));
	TRY(tacit_json_text(object, "username", TACIT_REQUIRED, TACIT_MAX_USERNAME, &name));
	TRY(tacit_json_text(object, "public_key", TACIT_REQUIRED, 1024, &pem));
	if (!tacit_username_valid(name)) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	tacit_name_set(&out->name, name);
	TRY(tacit_pem_read_public(pem, &out->key));
out:
	return err;
}
