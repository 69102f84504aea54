#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/limits.h"
#include "wire/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile bool sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tacit_bytes in = tacit_bytes(data, size);
	char name[TACIT_MAX_FILE_NAME + 1];
	tacit_file_name_safe(in, name);
	size_t n = strlen(name);
	if (n == 0 || !tacit_utf8_valid(tacit_bytes(name, n)))
		abort();
	if (strchr("./-~ ", name[0]) != NULL || strpbrk(name, "/\\:") != NULL)
		abort();
	sink = tacit_username_valid(in);
	sink = tacit_email_valid(in);
	sink = tacit_conversation_name_valid(in);
	sink = tacit_password_problem(in) != NULL;
	return 0;
}
