#include "wire/sio.h"

#include <inttypes.h>
#include <string.h>

#include "wire/limits.h"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Digits at the front of *rest. False: none, or beyond max. */
static bool take_number(struct tacit_bytes *rest, int64_t max, int64_t *out)
{
	size_t n = 0;
	int64_t value = 0;
	for (; n < rest->n && is_digit(rest->p[n]); n++) {
		int64_t digit = rest->p[n] - '0';
		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	*rest = tacit_bytes_part(*rest, n, rest->n);
	return n > 0;
}

static bool is_binary(enum tacit_sio_type type)
{
	return type == TACIT_SIO_BINARY_EVENT || type == TACIT_SIO_BINARY_ACK;
}

static bool is_ack(enum tacit_sio_type type)
{
	return type == TACIT_SIO_ACK || type == TACIT_SIO_BINARY_ACK;
}

static enum tacit_err take_attachments(struct tacit_bytes *rest, struct tacit_sio_packet *out)
{
	int64_t n;
	if (rest->n == 0 || !is_digit(rest->p[0]))
		return TACIT_E_MALFORMED;
	if (!take_number(rest, TACIT_SIO_MAX_ATTACHMENTS, &n))
		return TACIT_E_TOO_LARGE;
	if (n == 0 || rest->n == 0 || rest->p[0] != '-')
		return TACIT_E_MALFORMED;
	out->attachments = (unsigned)n;
	*rest = tacit_bytes_part(*rest, 1, rest->n);
	return TACIT_OK;
}

/* A namespace ends at its comma, or with the packet. What follows a '?' was the query of older
 * clients, and is no part of the name. */
static enum tacit_err take_path(struct tacit_bytes *rest, struct tacit_sio_packet *out)
{
	out->path = TACIT_STR("/");
	if (rest->n == 0 || rest->p[0] != '/')
		return TACIT_OK;
	const uint8_t *comma = memchr(rest->p, ',', rest->n);
	size_t n = comma != NULL ? (size_t)(comma - rest->p) : rest->n;
	if (n > TACIT_SIO_MAX_NAMESPACE)
		return TACIT_E_TOO_LARGE;
	for (size_t i = 0; i < n; i++)
		if (rest->p[i] <= ' ' || rest->p[i] >= 0x7f || rest->p[i] == '"' ||
		        rest->p[i] == '\\')
			return TACIT_E_MALFORMED;
	out->path = tacit_bytes(rest->p, n);
	*rest = tacit_bytes_part(*rest, n + 1, rest->n);
	return TACIT_OK;
}

enum tacit_err tacit_sio_parse(struct tacit_bytes text, struct tacit_sio_packet *out)
{
	enum tacit_err err = TACIT_E_MALFORMED;
	*out = (struct tacit_sio_packet){.ack = -1};
	if (text.n == 0 || text.p[0] < '0' || text.p[0] > '0' + TACIT_SIO_BINARY_ACK)
		goto out;
	out->type = (enum tacit_sio_type)(text.p[0] - '0');
	struct tacit_bytes rest = tacit_bytes_part(text, 1, text.n);
	if (is_binary(out->type))
		TRY(take_attachments(&rest, out));
	TRY(take_path(&rest, out));
	if (rest.n > 0 && is_digit(rest.p[0]) && !take_number(&rest, TACIT_MAX_INTEGER, &out->ack))
		TRY(TACIT_E_TOO_LARGE);
	bool may_have_ack = out->type == TACIT_SIO_EVENT || out->type == TACIT_SIO_BINARY_EVENT;
	/* JSON begins with no '/': behind "/," it would read as a second namespace. */
	if (rest.n > 0 && rest.p[0] == '/')
		TRY(TACIT_E_MALFORMED);
	if ((is_ack(out->type) && out->ack < 0) ||
	        (out->ack >= 0 && !may_have_ack && !is_ack(out->type)))
		TRY(TACIT_E_MALFORMED);
	out->data = rest;
	err = TACIT_OK;
out:
	if (err != TACIT_OK)
		*out = (struct tacit_sio_packet){.ack = -1};
	return err;
}

static enum tacit_err write_number(struct tacit_buf *out, uint64_t n)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (uint8_t)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return tacit_buf_append(out, tacit_bytes(digits + at, sizeof(digits) - at));
}

static enum tacit_err write_head(struct tacit_buf *out, const struct tacit_sio_packet *p)
{
	enum tacit_err err;
	TRY(write_number(out, p->type));
	if (is_binary(p->type)) {
		TRY(write_number(out, p->attachments));
		TRY(tacit_buf_append(out, TACIT_STR("-")));
	}
	if (!tacit_bytes_eq(p->path, TACIT_STR("/"))) {
		TRY(tacit_buf_append(out, p->path));
		TRY(tacit_buf_append(out, TACIT_STR(",")));
	}
	if (p->ack >= 0)
		TRY(write_number(out, (uint64_t)p->ack));
out:
	return err;
}

enum tacit_err tacit_sio_write(struct tacit_buf *out, const struct tacit_sio_packet *packet)
{
	size_t before = out->n;
	enum tacit_err err = write_head(out, packet);
	if (err == TACIT_OK)
		err = tacit_buf_append(out, packet->data);
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

/* Names that a stock client refuses to emit, and a stock server to take. */
static bool is_reserved(struct tacit_bytes name)
{
	static const char *const names[] = {"connect", "connect_error", "disconnect",
	        "disconnecting", "newListener", "removeListener"};
	for (size_t i = 0; i < TACIT_COUNT(names); i++)
		if (tacit_bytes_eq(name, tacit_cstr(names[i])))
			return true;
	return false;
}

static bool fits(enum tacit_sio_type type, const json_t *data)
{
	const char *name;
	switch (type) {
	case TACIT_SIO_CONNECT:
		return data == NULL || json_is_object(data);
	case TACIT_SIO_DISCONNECT:
		return data == NULL;
	case TACIT_SIO_CONNECT_ERROR:
		return json_is_object(data) || json_is_string(data);
	case TACIT_SIO_EVENT:
	case TACIT_SIO_BINARY_EVENT:
		name = json_string_value(json_array_get(data, 0));
		return name != NULL && !is_reserved(tacit_cstr(name));
	case TACIT_SIO_ACK:
	case TACIT_SIO_BINARY_ACK:
		return json_is_array(data);
	}
	return false;
}

/* Depth is bounded by the parser. */
static bool placeholders_fit(const json_t *value, json_int_t count)
{
	size_t i;
	const char *key;
	json_t *item;
	if (json_is_true(json_object_get(value, "_placeholder"))) {
		const json_t *num = json_object_get(value, "num");
		return json_is_integer(num) && json_integer_value(num) >= 0 &&
		       json_integer_value(num) < count;
	}
	json_array_foreach(value, i, item) if (!placeholders_fit(item, count)) return false;
	if (!json_is_object(value))
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		if (!placeholders_fit(item, count))
			return false;
	}
	return true;
}

bool tacit_sio_flat(const struct tacit_sio_packet *packet, struct tacit_flat *out)
{
	return packet->type == TACIT_SIO_EVENT && tacit_flat_read(packet->data, out) &&
	       !is_reserved(out->name);
}

enum tacit_err tacit_sio_data(const struct tacit_sio_packet *packet, json_t **out)
{
	enum tacit_err err = TACIT_OK;
	*out = NULL;
	if (packet->data.n > 0)
		TRY(tacit_json_parse(packet->data, out));
	if (!fits(packet->type, *out) ||
	        (is_binary(packet->type) && !placeholders_fit(*out, packet->attachments)))
		err = TACIT_E_MALFORMED;
out:
	if (err != TACIT_OK) {
		json_decref(*out);
		*out = NULL;
	}
	return err;
}

enum tacit_err tacit_sio_assembly_begin(
        struct tacit_sio_assembly *a, struct tacit_bytes text, unsigned attachments, size_t max)
{
	if (tacit_sio_assembling(a) || attachments == 0 || text.n == 0)
		return TACIT_E_MALFORMED;
	if (text.n > max || attachments > TACIT_SIO_MAX_ATTACHMENTS)
		return TACIT_E_TOO_LARGE;
	enum tacit_err err = tacit_buf_append(&a->text, text);
	if (err != TACIT_OK)
		return err;
	a->wanted = attachments;
	a->bytes = text.n;
	return TACIT_OK;
}

enum tacit_err tacit_sio_assembly_add(
        struct tacit_sio_assembly *a, struct tacit_bytes data, size_t max, bool *whole)
{
	*whole = false;
	if (!tacit_sio_assembling(a) || a->count == a->wanted)
		return TACIT_E_MALFORMED;
	if (data.n > max || a->bytes > max - data.n)
		return TACIT_E_TOO_LARGE;
	enum tacit_err err = tacit_buf_append(&a->attachments[a->count], data);
	if (err != TACIT_OK)
		return err;
	a->bytes += data.n;
	*whole = ++a->count == a->wanted;
	return TACIT_OK;
}

void tacit_sio_assembly_clear(struct tacit_sio_assembly *a)
{
	tacit_buf_clear(&a->text);
	for (size_t i = 0; i < TACIT_SIO_MAX_ATTACHMENTS; i++)
		tacit_buf_clear(&a->attachments[i]);
	*a = (struct tacit_sio_assembly){0};
}
