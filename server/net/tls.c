#include "server/net/tls.h"

#include <openssl/err.h>
#include <stdbool.h>

/* RFC 7301; HTTP/1.1 is all we speak. A client that offers only others is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
        const unsigned char *in, unsigned in_bytes, void *ctx)
{
	static const unsigned char http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
	unsigned char *chosen = NULL;
	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, out_bytes, http11, sizeof(http11), in, in_bytes) !=
	        OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *c)
{
	/* RELEASE_BUFFERS halves what an idle connection costs. MOVING_WRITE_BUFFER, because an
	 * answer is gathered anew into the loop's buffer for each try. */
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A peer that closes without close_notify is an end of file: bodies carry their length. */
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	                               SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets keep no state here */
	SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
	/* Several records with one recv while an upload runs. */
	SSL_CTX_set_read_ahead(c, 1);
	SSL_CTX_set_default_read_buffer_len(c, 64 * 1024);
	return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(c, 1) == 1 &&
	       SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

/* An encrypted key must not make the server ask on a terminal. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

enum tacit_err net_tls_context_new(
        const char *cert_path, const char *key_path, const char **why, SSL_CTX **out)
{
	*out = NULL;
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	enum tacit_err err = TACIT_E_USAGE;
	if (c == NULL || !set_up(c)) {
		*why = "TLS cannot be set up";
		err = TACIT_E_NOMEM;
		goto out;
	}
	SSL_CTX_set_default_passwd_cb(c, no_password);
	if (SSL_CTX_use_certificate_chain_file(c, cert_path) != 1) {
		*why = "the TLS certificate cannot be read";
		goto out;
	}
	if (SSL_CTX_use_PrivateKey_file(c, key_path, SSL_FILETYPE_PEM) != 1) {
		*why = "the TLS key cannot be read, or is not the certificate's";
		goto out;
	}
	if (SSL_CTX_check_private_key(c) != 1) {
		*why = "the TLS key is not the certificate's";
		goto out;
	}
	err = TACIT_OK;
	*out = c;
	c = NULL;
out:
	SSL_CTX_free(c);
	ERR_clear_error();
	return err;
}
