#include "wire/file_header.h"

#include <assert.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define MAGIC "tacitF"
#define LOG2_LEAST 12 /* 4 KiB */
#define LOG2_MOST 22  /* 4 MiB */
#define RESERVED 8

static_assert(sizeof(MAGIC) - 1 + 1 + 1 + 16 + RESERVED == TACIT_FILE_HEADER_BYTES,
        "docs/protocol.md gives the layout of the header");

/* 0 when the size is not one that a reader accepts. */
static uint8_t log2_of(uint32_t chunk_bytes)
{
	for (uint8_t n = LOG2_LEAST; n <= LOG2_MOST; n++)
		if (chunk_bytes == (uint32_t)1 << n)
			return n;
	return 0;
}

static bool is_known(unsigned version)
{
	return version == TACIT_FILE_V1 || version == TACIT_FILE_V2;
}

enum tacit_err tacit_file_header_encode(const struct tacit_file_header *h, struct tacit_buf *out)
{
	static const uint8_t reserved[RESERVED];
	struct tacit_writer w = tacit_writer(out);
	if (!is_known(h->version) || log2_of(h->chunk_bytes) == 0)
		tacit_writer_fail(&w, TACIT_E_USAGE);
	tacit_write_raw(&w, TACIT_STR(MAGIC));
	tacit_write_u8(&w, (uint8_t)h->version);
	tacit_write_u8(&w, log2_of(h->chunk_bytes));
	tacit_write_raw(&w, tacit_bytes(h->salt, sizeof(h->salt)));
	tacit_write_raw(&w, tacit_bytes(reserved, sizeof(reserved)));
	return tacit_writer_finish(&w);
}

enum tacit_err tacit_file_header_decode(struct tacit_bytes in, struct tacit_file_header *out)
{
	*out = (struct tacit_file_header){0};
	struct tacit_file_header h = {0};
	struct tacit_reader r = tacit_reader(in);
	struct tacit_bytes magic = tacit_read_view(&r, sizeof(MAGIC) - 1);
	if (!tacit_bytes_eq(magic, TACIT_STR(MAGIC)))
		tacit_reader_fail(&r, TACIT_E_MALFORMED);
	uint8_t version = tacit_read_u8(&r);
	if (is_known(version))
		h.version = (enum tacit_file_version)version;
	else
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	uint8_t n = tacit_read_u8(&r);
	if (n < LOG2_LEAST || n > LOG2_MOST)
		tacit_reader_fail(&r, TACIT_E_UNSUPPORTED);
	else
		h.chunk_bytes = (uint32_t)1 << n;
	tacit_read_into(&r, h.salt, sizeof(h.salt));
	for (size_t i = 0; i < RESERVED; i++)
		if (tacit_read_u8(&r) != 0)
			tacit_reader_fail(&r, TACIT_E_MALFORMED);
	enum tacit_err err = tacit_reader_end(&r);
	if (err == TACIT_OK)
		*out = h;
	return err;
}
