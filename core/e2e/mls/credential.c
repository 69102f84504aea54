#include "e2e/mls/credential.h"

#include "e2e/mls/limits.h"

static struct tacit_bytes read_chain(struct tacit_reader *r)
{
	struct tacit_bytes chain = tacit_mls_read_vec(r);
	struct tacit_reader it = tacit_reader(chain);
	size_t n = 0;
	while (tacit_mls_more(&it) && n <= TACIT_MLS_CERTIFICATES_MAX) {
		(void)tacit_mls_read_vec(&it);
		n++;
	}
	if (it.err != TACIT_OK)
		tacit_reader_fail(r, it.err);
	else if (n == 0)
		tacit_reader_fail(r, TACIT_E_MALFORMED);
	else if (n > TACIT_MLS_CERTIFICATES_MAX)
		tacit_reader_fail(r, TACIT_E_LIMIT);
	return chain;
}

struct tacit_mls_credential tacit_mls_read_credential(struct tacit_reader *r)
{
	struct tacit_mls_credential c = {.type = tacit_read_u16(r)};
	if (c.type == TACIT_MLS_CREDENTIAL_BASIC)
		c.identity = tacit_mls_read_vec(r);
	else if (c.type == TACIT_MLS_CREDENTIAL_X509)
		c.certificates = read_chain(r);
	else
		tacit_reader_fail(r, TACIT_E_UNSUPPORTED);
	return r->err == TACIT_OK ? c : (struct tacit_mls_credential){0};
}

void tacit_mls_write_credential(struct tacit_writer *w, const struct tacit_mls_credential *c)
{
	tacit_write_u16(w, c->type);
	if (c->type == TACIT_MLS_CREDENTIAL_BASIC)
		tacit_mls_write_vec(w, c->identity);
	else if (c->type == TACIT_MLS_CREDENTIAL_X509)
		tacit_mls_write_vec(w, c->certificates);
	else
		tacit_writer_fail(w, TACIT_E_UNSUPPORTED);
}

bool tacit_mls_credential_eq(
        const struct tacit_mls_credential *a, const struct tacit_mls_credential *b)
{
	return a->type == b->type && tacit_bytes_eq(a->identity, b->identity) &&
	       tacit_bytes_eq(a->certificates, b->certificates);
}

void tacit_mls_write_external_sender(
        struct tacit_writer *w, const struct tacit_mls_external_sender *s)
{
	tacit_mls_write_vec(w, s->signature_key);
	tacit_mls_write_credential(w, &s->credential);
}

/* Steps through all; the one at index, if it is reached, goes to *wanted. */
static enum tacit_err read_senders(struct tacit_bytes data, uint32_t index,
        struct tacit_mls_external_sender *wanted, uint32_t *count)
{
	struct tacit_reader r = tacit_reader(data);
	struct tacit_reader list = tacit_mls_read_sub(&r);
	uint32_t n = 0;
	for (; tacit_mls_more(&list); n++) {
		struct tacit_mls_external_sender s = {.signature_key = tacit_mls_read_vec(&list)};
		s.credential = tacit_mls_read_credential(&list);
		if (n == TACIT_MLS_EXTERNAL_SENDERS_MAX)
			tacit_reader_fail(&list, TACIT_E_LIMIT);
		if (n == index)
			*wanted = s;
	}
	tacit_mls_read_sub_end(&r, &list);
	*count = n;
	return tacit_reader_end(&r);
}

enum tacit_err tacit_mls_external_sender_at(
        struct tacit_bytes data, uint32_t index, struct tacit_mls_external_sender *out)
{
	struct tacit_mls_external_sender wanted = {0};
	uint32_t count;
	*out = wanted;
	enum tacit_err err = read_senders(data, index, &wanted, &count);
	if (err != TACIT_OK)
		return err;
	if (index >= count)
		return TACIT_E_NOT_FOUND;
	*out = wanted;
	return TACIT_OK;
}

enum tacit_err tacit_mls_external_sender_count(struct tacit_bytes data, uint32_t *count)
{
	struct tacit_mls_external_sender unused;
	enum tacit_err err = read_senders(data, 0, &unused, count);
	if (err != TACIT_OK)
		*count = 0;
	return err;
}
