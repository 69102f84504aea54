/* What the server under test serves: answers, bodies and files, each by a job of its own. */
#include "net_people.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/job/job.h"
#include "support/tap.h"

struct net_seen seen;
struct http_handle parked;
char cert_path[64], key_path[64], file_path[64];
atomic_uint every;

static char folder[] = "/tmp/tacit-net-XXXXXX";
static struct job_pool *pool;
static atomic_uint allocations;

struct upload {
	uint64_t bytes, sum;
};

struct piece_job {
	struct job job;
	struct http_handle h;
	struct upload *upload;
	struct tacit_buf piece;
	bool ended, complete;
	long delay_ms;
	struct http_response *answer;
};

void fill_pattern(uint8_t *p, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((at + i) * 31 + ((at + i) >> 12));
}

struct http_response *text_answer(int status, const char *text)
{
	struct http_response *r = http_response_new(status);
	if (r == NULL)
		return NULL;
	r->content_type = "text/plain";
	if (tacit_buf_append(&r->body, tacit_cstr(text)) != TACIT_OK) {
		http_response_free(r);
		return NULL;
	}
	return r;
}

static enum tacit_err run_piece(struct job *j, void *context)
{
	struct piece_job *p = (struct piece_job *)j;
	(void)context;
	if (p->delay_ms > 0)
		sleep_ms(p->delay_ms);
	for (size_t i = 0; i < p->piece.n; i++)
		p->upload->sum += p->piece.p[i];
	if (p->upload != NULL)
		p->upload->bytes += p->piece.n;
	return TACIT_OK;
}

static void piece_done(struct job *j, enum tacit_err err)
{
	struct piece_job *p = (struct piece_job *)j;
	(void)err;
	if (p->answer != NULL) {
		http_reply(p->h, p->answer);
		http_reply(p->h, text_answer(500, "a second answer is dropped"));
	} else if (p->ended) {
		char text[80];
		snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)p->upload->bytes,
		        (unsigned long long)p->upload->sum);
		if (p->complete)
			http_reply(p->h, text_answer(200, text));
		tacit_free(p->upload);
	} else {
		atomic_fetch_add(&seen.streamed, p->piece.n);
		atomic_fetch_sub(&seen.pieces_out, 1);
		http_resume(p->h);
	}
	tacit_buf_clear(&p->piece);
	tacit_free(p);
}

static struct piece_job *new_piece_job(struct http_handle h, struct upload *u)
{
	struct piece_job *p = tacit_calloc(1, sizeof(*p));
	TACIT_ASSERT(p != NULL);
	p->job.run = run_piece;
	p->job.done = piece_done;
	p->h = h;
	p->upload = u;
	return p;
}

static void submit(struct piece_job *p)
{
	TACIT_ASSERT(job_submit(pool, JOB_FILE, &p->job));
}

static bool is_path(const struct http_request *r, const char *path)
{
	return tacit_bytes_eq(r->path, tacit_cstr(path));
}

static uint64_t number(const struct http_request *r, const char *name)
{
	char text[24];
	if (http_query(r, name, text, sizeof(text)) != TACIT_OK)
		return 0;
	return strtoull(text, NULL, 10);
}

static struct http_response *file_answer(const struct http_request *r)
{
	struct http_response *a = http_response_new(200);
	if (a == NULL)
		return NULL;
	a->content_type = "application/octet-stream";
	a->file = open(file_path, O_RDONLY | O_CLOEXEC);
	a->file_from = number(r, "from");
	a->file_bytes = number(r, "bytes");
	return a;
}

static struct http_response *who_answer(const struct http_request *r)
{
	char address[INET6_ADDRSTRLEN], text[80];
	struct sockaddr_in v4;
	memcpy(&v4, &r->peer, sizeof(v4));
	inet_ntop(AF_INET, &v4.sin_addr, address, sizeof(address));
	snprintf(text, sizeof(text), "%s %s", address, r->tls ? "tls" : "plain");
	return text_answer(200, text);
}

static void plan(void *ctx, const struct http_request *r, struct http_plan *p)
{
	(void)ctx;
	atomic_fetch_add(&seen.plans, 1);
	p->body_limit = BODY_LIMIT;
	if (is_path(r, "/echo") || is_path(r, "/later")) {
		p->kind = HTTP_BUFFER;
	} else if (is_path(r, "/parked")) {
		p->kind = HTTP_BUFFER;
		p->watched = true;
	} else if (is_path(r, "/stream") || is_path(r, "/early")) {
		p->kind = HTTP_STREAM;
		p->body_limit = number(r, "limit") > 0 ? number(r, "limit") : UINT64_MAX - 1;
	} else if (is_path(r, "/file")) {
		p->answer = file_answer(r);
	} else if (is_path(r, "/who")) {
		p->answer = who_answer(r);
	} else if (is_path(r, "/empty")) {
		p->answer = http_response_new(204);
	} else if (is_path(r, "/hello")) {
		p->answer = text_answer(200, "hello");
	} else {
		p->answer = text_answer(404, "nothing here");
	}
	p->route = &seen;
}

static void handle(void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	(void)ctx;
	TACIT_ASSERT(route == &seen);
	if (is_path(r, "/parked")) {
		parked = h;
		atomic_fetch_add(&seen.parked, 1);
		return;
	}
	struct http_response *a = http_response_new(200);
	if (a != NULL) {
		a->content_type = "application/octet-stream";
		if (tacit_buf_append(&a->body, r->body) != TACIT_OK)
			a->body.n = 0;
	}
	if (a != NULL && is_path(r, "/later")) {
		struct piece_job *p = new_piece_job(h, NULL);
		p->answer = a;
		p->delay_ms = (long)number(r, "ms");
		submit(p);
		return;
	}
	http_reply(h, a != NULL ? a : text_answer(503, "no memory"));
}

static void abandoned(void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	(void)ctx;
	TACIT_ASSERT(route == &seen && is_path(r, "/parked"));
	TACIT_ASSERT(h.slot == parked.slot && h.generation == parked.generation);
	atomic_fetch_add(&seen.abandoned, 1);
}

static void *stream_begin(
        void *ctx, struct http_handle h, const struct http_request *r, void *route)
{
	(void)ctx;
	(void)route;
	if (is_path(r, "/early")) {
		http_reply(h, text_answer(409, "not now"));
		return NULL;
	}
	atomic_fetch_add(&seen.streams, 1);
	struct upload *u = tacit_calloc(1, sizeof(*u));
	TACIT_ASSERT(u != NULL);
	return u;
}

static void stream_data(void *ctx, struct http_handle h, void *state, struct tacit_buf *piece)
{
	(void)ctx;
	if (atomic_fetch_add(&seen.pieces_out, 1) > 0 || piece->n > HTTP_PIECE_BYTES)
		atomic_store(&seen.overlapped, true);
	struct piece_job *p = new_piece_job(h, state);
	p->piece = *piece;
	submit(p);
}

static void stream_end(void *ctx, struct http_handle h, void *state, bool complete)
{
	(void)ctx;
	atomic_fetch_add(&seen.ends, 1);
	atomic_fetch_add(&seen.incomplete, complete ? 0 : 1);
	struct piece_job *p = new_piece_job(h, state);
	p->ended = true;
	p->complete = complete;
	submit(p);
}

static void common_headers(void *ctx, const struct http_request *r,
        const struct http_response *answer, struct tacit_buf *out)
{
	(void)ctx;
	(void)r;
	(void)answer;
	tacit_ignore(tacit_buf_append(out, TACIT_STR("X-Common: yes\r\n")), "a test header");
}

static void error_body(void *ctx, int status, struct tacit_buf *out)
{
	(void)ctx;
	tacit_ignore(tacit_buf_printf(out, "{\"status\":%d}", status), "a test body");
}

static void finished(void *ctx, const struct http_request *r, void *route, int status,
        uint64_t bytes_out, uint64_t microseconds)
{
	(void)ctx;
	(void)route;
	(void)microseconds;
	TACIT_ASSERT(r != NULL && (status == 499 || bytes_out > 0));
	atomic_fetch_add(status == 499 ? &seen.aborted : &seen.finished, 1);
}

const struct http_app app = {
        .plan = plan,
        .handle = handle,
        .abandoned = abandoned,
        .stream_begin = stream_begin,
        .stream_data = stream_data,
        .stream_end = stream_end,
        .common_headers = common_headers,
        .error_body = error_body,
        .cork = job_cork,
        .uncork = job_uncork,
        .finished = finished,
};

static int fail_some(void *ctx)
{
	(void)ctx;
	unsigned n = atomic_load(&every);
	return n > 0 && atomic_fetch_add(&allocations, 1) % n == n - 1;
}

static bool write_file(const char *path, bool (*fill)(FILE *f, void *ctx), void *ctx)
{
	FILE *f = fopen(path, "wb");
	bool ok = f != NULL && fill(f, ctx);
	return f != NULL && fclose(f) == 0 && ok;
}

static bool put_cert(FILE *f, void *cert)
{
	return PEM_write_X509(f, cert) == 1;
}

static bool put_key(FILE *f, void *key)
{
	return PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
}

static bool put_pattern(FILE *f, void *ctx)
{
	static uint8_t all[FILE_BYTES];
	(void)ctx;
	fill_pattern(all, sizeof(all), 0);
	return fwrite(all, 1, sizeof(all), f) == sizeof(all);
}

static bool make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	if (key == NULL || cert == NULL)
		return false;
	X509_NAME *name = X509_get_subject_name(cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(
	        name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	bool ok = X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0 &&
	          write_file(cert_path, put_cert, cert) && write_file(key_path, put_key, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

bool set_up(void)
{
	struct job_lane_settings lanes[JOB_LANES];
	if (mkdtemp(folder) == NULL)
		return false;
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	snprintf(file_path, sizeof(file_path), "%s/file", folder);
	for (unsigned i = 0; i < JOB_LANES; i++)
		lanes[i] = (struct job_lane_settings){.threads = 1,
		        .capacity = 1000,
		        .batch = 1,
		        .cork = http_cork,
		        .uncork = http_uncork};
	lanes[JOB_FILE].threads = 2;
	client_context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(client_context, (const unsigned char *)"\2h2\10http/1.1", 12);
	SSL_CTX_set_options(client_context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	signal(SIGPIPE, SIG_IGN);
	tacit_alloc_set_fault(fail_some, NULL);
	return make_certificate() && write_file(file_path, put_pattern, NULL) &&
	       job_pool_new(lanes, &pool) == TACIT_OK;
}

void tear_down(void)
{
	job_pool_free(pool);
	SSL_CTX_free(client_context);
	unlink(cert_path);
	unlink(key_path);
	unlink(file_path);
	rmdir(folder);
}
