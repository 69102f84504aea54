/* http_int.h - what requests and lines of one server share. */
#ifndef TACIT_CLIENT_HTTP_INT_H
#define TACIT_CLIENT_HTTP_INT_H

#include <curl/curl.h>

#include "client/http.h"

#define MAX_PROBLEM 800

struct http {
	CURL *curl;
	CURLM *multi;
	const struct http_watch *watch;
	char server[HTTP_MAX_SERVER];
	char ca_file[512];
	char problem[MAX_PROBLEM];
	char curl_error[CURL_ERROR_SIZE];
	const volatile sig_atomic_t *cancel;
	bool loopback, untrusted;
};

/* c begins anew: how this server is reached and verified, and nothing else. */
void http_set_connection(struct http *h, CURL *c);
/* Drives multi until its one transfer ends, or the watch gives up. */
CURLcode http_transfer(struct http *h, CURLM *multi);
/* The error that rc stands for; http_problem says why. */
TACIT_MUST_USE enum tacit_err http_failure(struct http *h, CURLcode rc);

#endif
