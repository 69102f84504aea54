#include <stdlib.h>

#include "e2e/mls/welcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A Welcome, then the same bytes as the secrets inside of one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_mls_welcome x;
	struct tacit_mls_group_secrets s;
	struct tacit_buf out = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	struct tacit_writer w = tacit_writer(&out);
	struct tacit_reader r = tacit_reader(in);
	tacit_mls_read_welcome(&r, &x);
	if (tacit_reader_end(&r) == TACIT_OK) {
		tacit_mls_write_welcome(&w, &x);
		if (tacit_writer_finish(&w) != TACIT_OK ||
		        !tacit_bytes_eq(in, tacit_buf_view(&out)))
			abort();
		tacit_buf_clear(&out);
	}
	r = tacit_reader(in);
	tacit_mls_read_group_secrets(&r, &s);
	if (tacit_reader_end(&r) == TACIT_OK) {
		w = tacit_writer(&out);
		tacit_mls_write_group_secrets(&w, &s);
		if (tacit_writer_finish(&w) != TACIT_OK ||
		        !tacit_bytes_eq(in, tacit_buf_view(&out)))
			abort();
	}
	tacit_buf_clear(&out);
	return 0;
}
