#include "wire/eio.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/encoding.h"
#include "wire/json.h"
#include "wire/limits.h"

#define SEPARATOR 0x1e
#define MAX_INTERVAL_MS (24 * 60 * 60 * 1000)

enum tacit_err tacit_eio_parse(struct tacit_bytes text, struct tacit_eio_packet *out)
{
	*out = (struct tacit_eio_packet){0};
	if (text.n == 0 || text.p[0] < '0' || text.p[0] > '0' + TACIT_EIO_NOOP)
		return TACIT_E_MALFORMED;
	out->type = (enum tacit_eio_type)(text.p[0] - '0');
	out->data = tacit_bytes_part(text, 1, text.n);
	return TACIT_OK;
}

enum tacit_err tacit_eio_write(
        struct tacit_buf *out, enum tacit_eio_type type, struct tacit_bytes data)
{
	enum tacit_err err = tacit_buf_reserve(out, 1 + data.n);
	if (err != TACIT_OK)
		return err;
	out->p[out->n++] = (uint8_t)('0' + type);
	return tacit_buf_append(out, data);
}

enum tacit_err tacit_eio_payload_next(struct tacit_eio_payload *p, struct tacit_eio_packet *out)
{
	*out = (struct tacit_eio_packet){0};
	if (p->begun && p->rest.p == NULL)
		return TACIT_E_NOT_FOUND;
	p->begun = true;
	struct tacit_bytes part = p->rest;
	const uint8_t *end = part.n > 0 ? memchr(part.p, SEPARATOR, part.n) : NULL;
	p->rest = tacit_bytes(NULL, 0);
	if (end != NULL) {
		size_t n = (size_t)(end - part.p);
		p->rest = tacit_bytes(end + 1, part.n - n - 1);
		part.n = n;
	}
	if (part.n == 0 || part.p[0] != 'b')
		return tacit_eio_parse(part, out);
	p->decoded.n = 0;
	enum tacit_err err =
	        tacit_unbase64(TACIT_BASE64, tacit_bytes_part(part, 1, part.n), &p->decoded);
	if (err != TACIT_OK)
		return err;
	out->type = TACIT_EIO_MESSAGE;
	out->binary = true;
	out->data = tacit_buf_view(&p->decoded);
	return TACIT_OK;
}

void tacit_eio_payload_clear(struct tacit_eio_payload *p)
{
	tacit_buf_clear(&p->decoded);
	p->rest = tacit_bytes(NULL, 0);
}

size_t tacit_eio_payload_bytes(const struct tacit_eio_packet *packet)
{
	return 2 + (packet->binary ? (packet->data.n + 2) / 3 * 4 : packet->data.n);
}

enum tacit_err tacit_eio_payload_append(
        struct tacit_buf *out, const struct tacit_eio_packet *packet)
{
	size_t before = out->n;
	enum tacit_err err = tacit_buf_reserve(out, tacit_eio_payload_bytes(packet));
	if (err != TACIT_OK)
		return err;
	if (before > 0)
		out->p[out->n++] = SEPARATOR;
	if (packet->binary) {
		out->p[out->n++] = 'b';
		err = tacit_base64(TACIT_BASE64, packet->data, out);
	} else {
		err = tacit_eio_write(out, packet->type, packet->data);
	}
	if (err != TACIT_OK)
		out->n = before;
	return err;
}

static bool is_sid(const char *sid)
{
	size_t n = strnlen(sid, TACIT_EIO_MAX_SID + 1);
	if (n == 0 || n > TACIT_EIO_MAX_SID)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = sid[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return true;
}

enum tacit_err tacit_eio_open_write(struct tacit_buf *out, const struct tacit_eio_open *open)
{
	if (!is_sid(open->sid))
		return TACIT_E_BAD_NAME;
	return tacit_buf_printf(out,
	        "{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,"
	        "\"maxPayload\":%" PRIu64 "}",
	        open->sid, open->may_upgrade ? "\"websocket\"" : "", open->ping_interval_ms,
	        open->ping_timeout_ms, open->max_payload);
}

static bool offers_websocket(const json_t *object)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(object, "upgrades"), i, item)
	{
		const char *name = json_string_value(item);
		if (name != NULL && strcmp(name, "websocket") == 0)
			return true;
	}
	return false;
}

enum tacit_err tacit_eio_open_read(struct tacit_bytes data, struct tacit_eio_open *out)
{
	enum tacit_err err;
	struct tacit_bytes sid;
	int64_t interval = 0, timeout = 0, payload = 0;
	json_t *object = NULL;
	*out = (struct tacit_eio_open){0};
	TRY(tacit_json_parse(data, &object));
	TRY(tacit_json_text(object, "sid", TACIT_REQUIRED, TACIT_EIO_MAX_SID, &sid));
	TRY(tacit_json_integer(
	        object, "pingInterval", TACIT_REQUIRED, 1, MAX_INTERVAL_MS, &interval));
	TRY(tacit_json_integer(
	        object, "pingTimeout", TACIT_REQUIRED, 1, MAX_INTERVAL_MS, &timeout));
	/* Servers before engine.io 6.1 do not tell. */
	TRY(tacit_json_integer(
	        object, "maxPayload", TACIT_OPTIONAL, 0, TACIT_MAX_INTEGER, &payload));
	if (sid.n > 0)
		memcpy(out->sid, sid.p, sid.n);
	if (!is_sid(out->sid)) {
		err = TACIT_E_MALFORMED;
		goto out;
	}
	out->may_upgrade = offers_websocket(object);
	out->ping_interval_ms = (unsigned)interval;
	out->ping_timeout_ms = (unsigned)timeout;
	out->max_payload = (uint64_t)payload;
out:
	json_decref(object);
	if (err != TACIT_OK)
		*out = (struct tacit_eio_open){0};
	return err;
}
