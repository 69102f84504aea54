#include <stdlib.h>

#include "e2e/mls/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One PrivateMessage has one form; then it is opened with keys that are not its own. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[TACIT_MLS_HASH_MAX_BYTES] = {7};
	struct tacit_mls_private_message m;
	struct tacit_mls_opened o;
	struct tacit_buf out = {0};
	struct tacit_bytes in = tacit_bytes(data, size);
	struct tacit_reader r = tacit_reader(in);
	tacit_mls_read_private_message(&r, &m);
	if (tacit_reader_end(&r) != TACIT_OK)
		return 0;
	struct tacit_writer w = tacit_writer(&out);
	tacit_mls_write_private_message(&w, &m);
	if (tacit_writer_finish(&w) != TACIT_OK || !tacit_bytes_eq(in, tacit_buf_view(&out)))
		abort();
	tacit_buf_clear(&out);
	struct tacit_mls_private_keys k = {
	        .suite = tacit_mls_suite_find(1), .sender_data_secret = secret};
	if (tacit_mls_secret_tree_new(k.suite, secret, 2, &k.tree) != TACIT_OK)
		abort();
	if (tacit_mls_private_open(&k, &m, &o) == TACIT_OK)
		tacit_mls_secret_tree_accept(k.tree, &o.key);
	tacit_mls_opened_clear(&o);
	tacit_mls_secret_tree_free(k.tree);
	return 0;
}
