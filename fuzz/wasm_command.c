#include <stdlib.h>

#include "wasm/codec.h"
#include "wasm/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a command names is all inside of the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_said said;
	static const struct tacit_file_ref file = {.key = {1}};
	struct tacit_buf token = {0};
	if (tacit_files_token(&file, &token) != TACIT_OK) /* so that content can name one */
		abort();
	tacit_buf_clear(&token);
	if (tacit_read_command(tacit_bytes(data, size), &said) != TACIT_OK)
		return 0;
	const struct tacit_bytes views[] = {said.command.username, said.command.email,
	        said.command.text, said.command.password, said.command.code, said.content.text};
	for (size_t i = 0; i < TACIT_COUNT(views); i++)
		if (views[i].n > size ||
		        (views[i].n > 0 &&
		                (views[i].p < data || views[i].p + views[i].n > data + size)))
			abort();
	tacit_said_clear(&said);
	return 0;
}
