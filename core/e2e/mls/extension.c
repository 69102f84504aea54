#include "e2e/mls/extension.h"

#include "e2e/mls/limits.h"

struct tacit_mls_types tacit_mls_read_types(struct tacit_reader *r)
{
	struct tacit_mls_types t = {tacit_mls_read_vec(r)};
	if (t.encoded.n % 2 != 0)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	else if (tacit_mls_types_count(t) > TACIT_MLS_TYPES_MAX)
		tacit_reader_fail(r, TACIT_E_LIMIT);
	return r->err == TACIT_OK ? t : (struct tacit_mls_types){0};
}

void tacit_mls_write_types(struct tacit_writer *w, struct tacit_mls_types t)
{
	tacit_mls_write_vec(w, t.encoded);
}

uint16_t tacit_mls_types_at(struct tacit_mls_types t, size_t i)
{
	const uint8_t *p = t.encoded.p + 2 * i;
	return (uint16_t)(p[0] << 8 | p[1]);
}

bool tacit_mls_types_contain(struct tacit_mls_types t, uint16_t type)
{
	for (size_t i = 0; i < tacit_mls_types_count(t); i++) {
		if (tacit_mls_types_at(t, i) == type)
			return true;
	}
	return false;
}

bool tacit_mls_extension_next(struct tacit_reader *it, struct tacit_mls_extension *out)
{
	*out = (struct tacit_mls_extension){0};
	if (!tacit_mls_more(it))
		return false;
	uint16_t type = tacit_read_u16(it);
	struct tacit_bytes data = tacit_mls_read_vec(it);
	if (it->err != TACIT_OK)
		return false;
	*out = (struct tacit_mls_extension){type, data};
	return true;
}

struct tacit_mls_extensions tacit_mls_read_extensions(struct tacit_reader *r)
{
	struct tacit_mls_extensions list = {tacit_mls_read_vec(r)};
	struct tacit_reader it = tacit_reader(list.encoded);
	struct tacit_mls_extension e;
	uint16_t seen[TACIT_MLS_EXTENSIONS_MAX];
	size_t n = 0;
	while (r->err == TACIT_OK && tacit_mls_extension_next(&it, &e)) {
		if (n == TACIT_MLS_EXTENSIONS_MAX) {
			tacit_reader_fail(r, TACIT_E_LIMIT);
			break;
		}
		for (size_t i = 0; i < n; i++) {
			if (seen[i] == e.type)
				tacit_reader_fail(r, TACIT_E_MALFORMED);
		}
		seen[n++] = e.type;
	}
	if (it.err != TACIT_OK)
		tacit_reader_fail(r, it.err);
	return r->err == TACIT_OK ? list : (struct tacit_mls_extensions){0};
}

void tacit_mls_write_extensions(struct tacit_writer *w, struct tacit_mls_extensions list)
{
	tacit_mls_write_vec(w, list.encoded);
}

void tacit_mls_write_extension(struct tacit_writer *w, struct tacit_mls_extension e)
{
	tacit_write_u16(w, e.type);
	tacit_mls_write_vec(w, e.data);
}

bool tacit_mls_extension_find(
        struct tacit_mls_extensions list, uint16_t type, struct tacit_bytes *data)
{
	struct tacit_reader it = tacit_reader(list.encoded);
	struct tacit_mls_extension e;
	*data = (struct tacit_bytes){0};
	while (tacit_mls_extension_next(&it, &e)) {
		if (e.type == type) {
			*data = e.data;
			return true;
		}
	}
	return false;
}

bool tacit_mls_extension_is_default(uint16_t type)
{
	return type >= TACIT_MLS_EXT_APPLICATION_ID && type <= TACIT_MLS_EXT_EXTERNAL_SENDERS;
}

bool tacit_mls_proposal_is_default(uint16_t type)
{
	return type >= 0x0001 && type <= 0x0007; /* add to group_context_extensions, 17.4 */
}

bool tacit_mls_is_grease(uint16_t type)
{
	return (type & 0x0f0f) == 0x0a0a && type >> 12 == (type >> 4 & 0xf) && type < 0xf000;
}

enum tacit_err tacit_mls_required_capabilities_decode(
        struct tacit_bytes data, struct tacit_mls_required_capabilities *out)
{
	struct tacit_reader r = tacit_reader(data);
	struct tacit_mls_required_capabilities rc;
	rc.extensions = tacit_mls_read_types(&r);
	rc.proposals = tacit_mls_read_types(&r);
	rc.credentials = tacit_mls_read_types(&r);
	enum tacit_err err = tacit_reader_end(&r);
	*out = err == TACIT_OK ? rc : (struct tacit_mls_required_capabilities){0};
	return err;
}

void tacit_mls_write_required_capabilities(
        struct tacit_writer *w, const struct tacit_mls_required_capabilities *rc)
{
	tacit_mls_write_types(w, rc->extensions);
	tacit_mls_write_types(w, rc->proposals);
	tacit_mls_write_types(w, rc->credentials);
}

enum tacit_err tacit_mls_external_pub_decode(
        struct tacit_bytes data, struct tacit_bytes *public_key)
{
	struct tacit_reader r = tacit_reader(data);
	*public_key = tacit_mls_read_vec(&r);
	enum tacit_err err = tacit_reader_end(&r);
	if (err != TACIT_OK)
		*public_key = (struct tacit_bytes){0};
	return err;
}

void tacit_mls_write_external_pub(struct tacit_writer *w, struct tacit_bytes public_key)
{
	tacit_mls_write_vec(w, public_key);
}
