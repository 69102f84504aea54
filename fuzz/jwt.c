#include <stdlib.h>

#include "server/api/jwt.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted has the server's tag, so only the corpus gets there: it reads back as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tacit_bytes key = TACIT_STR("0123456789abcdef0123456789abcdef");
	struct api_jwt claims, again;
	struct tacit_buf token = {0};
	tacit_json_init();
	if (api_jwt_read(key, tacit_bytes(data, size), 1000, &claims) != TACIT_OK)
		return 0;
	if (claims.expires_at <= 1000)
		abort();
	if (api_jwt_write(key, &claims, 1000, &token) != TACIT_OK ||
	        api_jwt_read(key, tacit_buf_view(&token), 1000, &again) != TACIT_OK ||
	        again.user_id != claims.user_id || again.session_id != claims.session_id)
		abort();
	tacit_buf_clear(&token);
	return 0;
}
