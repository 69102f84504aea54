/* tls.h - the server's side of TLS 1.3 and 1.2: the context with its key, made anew on a reload. */
#ifndef TACIT_SERVER_NET_TLS_H
#define TACIT_SERVER_NET_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"

/* *why: static text for the operator. Fails: USAGE (the files), NOMEM. */
TACIT_MUST_USE enum tacit_err net_tls_context_new(
        const char *cert_path, const char *key_path, const char **why, SSL_CTX **out);

#endif
