#include "client/wire.h"

#include "base/alloc.h"
#include "client/http_int.h"

/* curl reads no more at once than this, whatever room it is given; its own default is 16 KiB. */
#define READ_BYTES (512L * 1024)

struct wire {
	CURL *curl;
	CURLM *multi; /* the handle stays in it: else curl forgets the connection */
	curl_socket_t fd;
};

static void set_target(struct http *h, CURL *c)
{
	http_set_connection(h, c);
	curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, 1L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, READ_BYTES);
}

enum tacit_err wire_open(struct http *h, struct wire **out)
{
	enum tacit_err err = TACIT_OK;
	*out = NULL;
	struct wire *w = tacit_calloc(1, sizeof(*w));
	if (w == NULL)
		return TACIT_E_NOMEM;
	w->curl = curl_easy_init();
	w->multi = curl_multi_init();
	if (w->curl == NULL || w->multi == NULL)
		TRY(TACIT_E_NOMEM);
	h->problem[0] = h->curl_error[0] = '\0';
	set_target(h, w->curl);
	if (curl_easy_setopt(w->curl, CURLOPT_URL, h->server) != CURLE_OK ||
	        curl_multi_add_handle(w->multi, w->curl) != CURLM_OK)
		TRY(TACIT_E_NOMEM);
	TRY(http_failure(h, http_transfer(h, w->multi)));
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, NULL);
	if (curl_easy_getinfo(w->curl, CURLINFO_ACTIVESOCKET, &w->fd) != CURLE_OK ||
	        w->fd == CURL_SOCKET_BAD)
		TRY(TACIT_E_NETWORK);
	*out = w;
	w = NULL;
out:
	wire_close(w);
	return err;
}

void wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	if (w->multi != NULL && w->curl != NULL)
		curl_multi_remove_handle(w->multi, w->curl);
	curl_easy_cleanup(w->curl);
	curl_multi_cleanup(w->multi);
	tacit_free(w);
}

int wire_fd(const struct wire *w)
{
	return w->fd;
}

enum tacit_err wire_read(struct wire *w, uint8_t *room, size_t size, size_t *n)
{
	*n = 0;
	CURLcode rc = curl_easy_recv(w->curl, room, size, n);
	if (rc == CURLE_AGAIN) {
		*n = 0;
		return TACIT_OK;
	}
	return rc == CURLE_OK && *n > 0 ? TACIT_OK : TACIT_E_NETWORK;
}

enum tacit_err wire_write(struct wire *w, struct tacit_bytes data, size_t *n)
{
	*n = 0;
	CURLcode rc = curl_easy_send(w->curl, data.p, data.n, n);
	if (rc == CURLE_AGAIN) {
		*n = 0;
		return TACIT_OK;
	}
	return rc == CURLE_OK ? TACIT_OK : TACIT_E_NETWORK;
}
